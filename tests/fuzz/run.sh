#!/bin/sh
# run.sh [--seconds N] [--runs N] [--build | --no-build] [--merge] [TARGET...] - fuzzes, target
# after target.
#
# Builds the preset "fuzz" (clang, libFuzzer, address and undefined behaviour), runs each target,
# all of them if none is named, for N seconds (60) from its seeds in corpus/ with its words in
# dict/, and prints a table.  New inputs are kept in build/fuzz/found/TARGET for the next run,
# inputs that break a target beside them, in build/fuzz/found/TARGET.broken, with the log.
#
# --runs ends a target after N inputs, and takes the same ones each time: nothing that was found
# before counts, and nothing is kept.  --build only builds.  --merge adds those new inputs that reach what the seeds do not, the
# smallest first and none above 2 KiB, to corpus/ in place of a run.  The exit status is 1 if
# there was a finding.
set -u

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
build=$root/build/fuzz
seconds=60 runs= make=yes merge=no failed=0

while [ $# -gt 0 ]; do
    case $1 in
    --seconds) seconds=$2; shift ;;
    --runs) runs=$2; shift ;;
    --build) make=only ;;
    --no-build) make=no ;;
    --merge) merge=yes ;;
    -*) echo "run.sh: no option $1; see the head of $0" >&2; exit 2 ;;
    *) break ;;
    esac
    shift
done
[ $# -gt 0 ] || set -- $(cd "$here" && ls fuzz_*.c | sed 's/^fuzz_//; s/\.c$//')

if [ "$make" != no ]; then
    (cd "$root" && cmake --preset fuzz >/dev/null && cmake --build --preset fuzz) >&2 || exit 1
    [ "$make" = yes ] || exit 0
fi

# Sets used to the seconds of processor time of all that this shell has waited for.
measure() {
    times >"$build/times.$$"
    used=$(sed -n 2p "$build/times.$$" | tr ms '  ' | awk '{ printf "%d", $1 * 60 + $2 + $3 * 60 + $4 }')
    rm -f "$build/times.$$"
}

merge() {
    mkdir -p "$build/small"
    rm -rf "$build/small/$1"
    mkdir "$build/small/$1"
    find "$build/found/$1" -type f -size -2049c -exec cp {} "$build/small/$1" \;
    before=$(ls "$here/corpus/$1" | wc -l)
    "$build/tests/fuzz_$1" -merge=1 -rss_limit_mb=2048 "$here/corpus/$1" "$build/small/$1" \
        >"$build/found/$1.merge.log" 2>&1 || return 1
    echo "$1: $before inputs before, $(ls "$here/corpus/$1" | wc -l) now"
}

run() {
    found=$build/found/$1 broken=$build/found/$1.broken log=$build/found/$1.log
    [ -z "$runs" ] || found=$build/found/$1.same
    rm -rf "$build/found/$1.same"
    mkdir -p "$found" "$broken"
    words=
    [ ! -f "$here/dict/$1.dict" ] || words=-dict=$here/dict/$1.dict
    start=$(date +%s)
    measure
    before=$used
    "$build/tests/fuzz_$1" "-max_total_time=$seconds" -timeout=20 -rss_limit_mb=2048 \
        -print_final_stats=1 ${runs:+-seed=1 "-runs=$runs"} "-artifact_prefix=$broken/" $words "$found" "$here/corpus/$1" \
        >"$log" 2>&1
    status=$?
    taken=$(($(date +%s) - start))
    measure
    executions=$(sed -n "s/^stat::number_of_executed_units: *//p" "$log" | tail -n 1)
    coverage=$(grep -ao ' cov: [0-9]*' "$log" | tail -n 1 | tr -dc 0-9)
    printf '%-16s %12s %9s %8s %8s %9s\n' "$1" "${executions:-?}" "${coverage:-?}" \
        "$taken" "$((used - before))" \
        "$([ $status = 0 ] && echo none || ls -t "$broken" | head -n 1)"
    [ $status = 0 ] || tail -n 60 "$log" >&2
    return $status
}

[ "$merge" = yes ] ||
    printf '%-16s %12s %9s %8s %8s %9s\n' target executions coverage seconds cpu finding
for target; do
    if [ ! -x "$build/tests/fuzz_$target" ]; then
        echo "run.sh: there is no target $target" >&2
        exit 2
    fi
    if [ "$merge" = yes ]; then
        merge "$target" || failed=1
    else
        run "$target" || failed=1
    fi
done
exit $failed
