#!/bin/sh
# long.sh BUILD - the property tests with many more inputs than CTest gives them.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
build=$1
"$build/tests/property_numbers" random 10000000
for name in json csv expression; do
    for seed in 11 12 13 14 15 16 17 18 19 random; do
        python3 -B "$here/property.py" "$build" "$build/property/long" $name $seed 20000
    done
done
