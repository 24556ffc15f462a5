#!/bin/sh
# long.sh BUILD - the property tests with many more inputs than CTest gives them, and the samples
# with all settings, by builds of gcc, of clang, and without the instructions of newer processors.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$here/../..
build=$(cd "$1" && pwd)
"$build/tests/property_numbers" random 10000000
"$build/tests/property_merge" random 20000
"$build/tests/property_flows" random 5000
for name in json csv expression features; do
    for seed in 11 12 13 14 15 16 17 18 19 random; do
        python3 -B "$here/property.py" "$build" "$build/property/long" $name $seed 20000
    done
done

# Arguments: a name, and what is different.
other() {
    name=$1
    shift
    cmake -S "$root" -B "$build/$name" -G Ninja -DCMAKE_BUILD_TYPE=Release "$@" >/dev/null
    cmake --build "$build/$name" >/dev/null
}
other gcc
other clang -DCMAKE_C_COMPILER=clang
other scalar -DCMAKE_C_FLAGS=-DHR_SCALAR
HR_SOURCE=$root HR_LONG=1 HR_BUILD=$build/gcc HR_BUILDS=$build/clang:$build/scalar \
    python3 -B "$root/tests/cli/determinism.py"
