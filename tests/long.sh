#!/bin/sh
# long.sh - what CTest only samples, whole, by a release build: some hours.  Says what failed and
# goes on; the exit status is 1 if anything did.
set -u

here=$(cd "$(dirname "$0")/.." && pwd)
build=$here/build/long
failed=0

try() {
    echo "== $*"
    "$@" || {
        failed=1
        echo "FAILED: $*"
    }
}

cmake -S "$here" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DHEADRACE_TESTS=ON >/dev/null || exit 1
cmake --build "$build" || exit 1
export HR_BUILD="$build" HR_SOURCE="$here" HR_SEED=random
for script in faults faults_worker alloc limits; do
    try env HR_FAULTS=all python3 -B "$here/tests/cli/$script.py"
done
try env HR_CUTS=1000 python3 -B "$here/tests/cli/power.py"
try env HR_KILLS=200 HR_SEED=7 python3 -B "$here/tests/cli/kills.py" test_kills
try sh "$here/tests/threads.sh"
try sh "$here/tests/property/long.sh" "$build"
try python3 -B "$here/tests/mutants/mutants.py" "$build/mutants" --count 300
try sh "$here/tests/fuzz/run.sh" --seconds 600
exit $failed
