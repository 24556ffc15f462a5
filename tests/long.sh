#!/bin/sh
# long.sh - what CTest only samples, whole, by a release build: some hours.  Says what failed, goes
# on, and says it again at the end; the exit status is 1 if anything did.
set -u

here=$(cd "$(dirname "$0")/.." && pwd)
build=$here/build/long
failed= parts=
trap 'kill $parts 2>/dev/null; exit 130' INT TERM

try() {
    echo "== $*"
    "$@" || {
        failed="$failed
    $*"
        echo "FAILED: $*"
    }
}

# name.1.log, name.2.log, ... of what runs at once, when it has ended.
gather() {
    bad=0 part=1
    for id in $parts; do
        wait "$id" || bad=1
        cat "$build/$1.$part.log"
        part=$((part + 1))
    done
    parts=
    return $bad
}

# A script of tests/cli with all its faults, in as many parts at once as there are processors, in
# memory if there is a file system there: what a fault leaves does not depend on the disk.
sweep() {
    of=$(nproc) parts= part=1
    if [ -w /dev/shm ]; then place=/dev/shm; else place=${TMPDIR:-/tmp}; fi
    while [ "$part" -le "$of" ]; do
        env TMPDIR="$place" HR_FAULTS=all HR_PART="$part/$of" \
            python3 -B "$here/tests/cli/$1.py" >"$build/$1.$part.log" 2>&1 &
        parts="$parts $!" part=$((part + 1))
    done
    gather "$1"
}

# Every target for ten minutes, each with a processor to itself.
fuzz() {
    of=$(nproc) parts= part=1
    sh "$here/tests/fuzz/run.sh" --build || return 1
    targets=$(cd "$here/tests/fuzz" && ls fuzz_*.c | sed 's/^fuzz_//; s/\.c$//')
    while [ "$part" -le "$of" ]; do
        mine=$(echo "$targets" | awk -v of="$of" -v part="$part" 'NR % of == part % of')
        sh "$here/tests/fuzz/run.sh" --no-build --seconds 600 $mine >"$build/fuzz.$part.log" 2>&1 &
        parts="$parts $!" part=$((part + 1))
    done
    gather fuzz
}

cmake -S "$here" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DHEADRACE_TESTS=ON >/dev/null || exit 1
cmake --build "$build" || exit 1
export HR_BUILD="$build" HR_SOURCE="$here" HR_SEED=random
for script in faults faults_worker alloc; do
    try sweep $script
done
try env HR_FAULTS=all python3 -B "$here/tests/cli/limits.py"
try env HR_CUTS=1000 python3 -B "$here/tests/cli/power.py"
try env HR_KILLS=200 HR_SEED=7 python3 -B "$here/tests/cli/kills.py" test_kills
try sh "$here/tests/threads.sh"
try sh "$here/tests/property/long.sh" "$build"
try python3 -B "$here/tests/mutants/mutants.py" "$build/mutants" --count 300
try fuzz
if [ "$failed" ]; then
    echo "failed:$failed"
    exit 1
fi
echo "nothing failed"
