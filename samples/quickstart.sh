#!/bin/sh
# quickstart.sh [DIR] - installs what is missing, builds, and runs the penguin and the taxi
# pipeline in an empty directory.
set -eu

here=$(cd "$(dirname "$0")/.." && pwd)
place=${1:-$(mktemp -d "${TMPDIR:-/tmp}/headrace.XXXXXX")}

sh "$here/samples/install.sh" "$here/samples/packages.txt"
echo "building in $here/build/release"
cmake -S "$here" -B "$here/build/release" -G Ninja -DCMAKE_BUILD_TYPE=Release >/dev/null
cmake --build "$here/build/release" >/dev/null
headrace=$here/build/release/bin/headrace

mkdir -p "$place"
for template in penguin taxi; do
    "$headrace" new "$place/$template" --template "$template" >/dev/null
    (cd "$place/$template" && "$headrace" run)
done
cat <<END

What was made lies in $place/penguin and $place/taxi.  Try next:

  export PATH=$here/build/release/bin:\$PATH
  cd $place/penguin
  headrace run                       # all is there already
  headrace show statistics           # histograms and top values
  headrace show evaluator            # metrics, and why it was blessed
  headrace show penguin@1            # the model, and all that it came from
  headrace model predict penguin '{"culmen_length_mm": 0.25, "culmen_depth_mm": 0.67, "flipper_length_mm": 0.15, "body_mass_g": 0.29}'
END
