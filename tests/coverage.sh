#!/bin/sh
# coverage.sh [--no-run] [--least PERCENT] [--tests REGEX] [FILE...] - which lines of core and
# registry do the tests run?
#
# Builds the preset "coverage" (clang), runs the tests, and prints a table of the folders: lines
# that have code, those that were run, percent; with a FILE, as core/base/os.c, its lines that
# were not.  --no-run shows what was counted before; --tests counts those of CTest that the
# expression names, on top of what was counted before.  The exit status is 1 if less than PERCENT
# (85) of all lines or 5 less than that of a folder's were run.
#
# The counters of a program lie in files that it maps (build/coverage/counters), so that those of
# a worker are there that ends by _exit or is killed.  Where Landlock keeps a worker from files,
# the code of core in the plugin that it loads is counted in other tests only.
set -u

root=$(cd "$(dirname "$0")/.." && pwd)
build=$root/build/coverage
least=85 run=yes tests=

while [ $# -gt 0 ]; do
    case $1 in
    --no-run) run=no ;;
    --least) least=$2; shift ;;
    --tests) tests=$2; shift ;;
    -*) echo "coverage.sh: no option $1; see the head of $0" >&2; exit 2 ;;
    *) break ;;
    esac
    shift
done

if [ $run = yes ]; then
    export LLVM_PROFILE_FILE="$build/build.profraw"
    (cd "$root" && cmake --preset coverage >/dev/null && cmake --build --preset coverage) >&2 ||
        exit 1
    [ "$tests" ] || rm -rf "$build/counters"
    mkdir -p "$build/counters"
    chmod 777 "$build/counters" # some tests are of another user
    export LLVM_PROFILE_FILE="$build/counters/%m%c.profraw"
    # Without those that build other trees, what is slow and shows no line more, and one that runs
    # the command without an environment, where counters would be another file.
    ctest --test-dir "$build" -j "$(nproc)" --timeout 600 ${tests:+-R "$tests"} \
        -E '^(fuzz\.(build|live)|mutants|structure|abi|install|interop\.peers|cli\.packages\.test_equal_everywhere)' >&2 ||
        echo "coverage.sh: some tests fail in this build; what they ran is counted" >&2
fi

unset LLVM_PROFILE_FILE
llvm-profdata merge -sparse "$build"/counters/*.profraw -o "$build/all.profdata" || exit 1
objects=
for object in "$build/lib/libheadrace.so" "$build/lib/headrace/libheadrace-registry.so" \
    "$build/libexec/headrace/headrace-worker" "$build/core/headrace-manifest" \
    "$build"/lib/headrace/plugins/*.so; do
    objects="$objects -object $object"
done
# shellcheck disable=SC2086 # one word each
llvm-cov export -format=lcov -instr-profile="$build/all.profdata" "$build/bin/headrace" \
    $objects "$root/core" "$root/registry" >"$build/all.lcov" 2>"$build/all.err" || {
    cat "$build/all.err" >&2
    exit 1
}

awk -v root="$root/" -v least="$least" -v wanted="$*" '
    # The lines of a file that have code: neither blank, nor a comment, nor only brackets.
    function read_lines(name,    text, at, comment) {
        for (at = 1; (getline text < (root name)) > 0; at++) {
            if (text ~ /^ *\/\*/)
                comment = 1
            if (!comment && text ~ /[A-Za-z0-9]/ && text !~ /^(#| *\/\/)/)
                source[name ":" at] = text
            if (text ~ /\*\//)
                comment = 0
        }
    }
    BEGIN {
        n = split(wanted, files, " ")
    }
    /^SF:/ {
        file = substr($0, 4)
        sub(root, "", file)
        folder = file
        sub(/\/[^\/]*$/, "", folder)
        if (!(file in seen)) {
            seen[file] = 1
            read_lines(file)
        }
    }
    /^DA:/ {
        split(substr($0, 4), a, ",")
        key = file ":" a[1]
        last[file] = a[1] > last[file] ? a[1] : last[file]
        if (!(key in source))
            next
        if (!(key in count)) {
            lines[folder]++
            count[key] = 0
        }
        if (a[2] > 0 && !count[key]) {
            count[key] = 1
            covered[folder]++
        }
    }
    END {
        for (i = 1; i <= n; i++)
            for (at = 1; at <= last[files[i]]; at++) {
                key = files[i] ":" at
                if (key in count && !count[key])
                    print key ": " source[key]
            }
        printf "%-22s %6s %8s %8s\n", "folder", "lines", "covered", "percent"
        low = 0
        for (folder in lines) {
            all += lines[folder]
            some += covered[folder]
            percent = 100 * covered[folder] / lines[folder]
            if (percent < least - 5)
                low = 1
            printf "%-22s %6d %8d %8.1f\n", folder, lines[folder], covered[folder], percent | "sort"
        }
        close("sort")
        percent = all ? 100 * some / all : 0
        printf "%-22s %6d %8d %8.1f\n", "all", all, some, percent
        exit low || percent < least
    }' "$build/all.lcov"
