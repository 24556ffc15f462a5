#!/bin/sh
# run.sh [--all] - installs what the tests need, builds with sanitizers, and runs all tests; with
# --all then also those that take hours (long.sh).  The last line is "N passed, N failed".
set -u

here=$(cd "$(dirname "$0")/.." && pwd)
build=$here/build/asan

sh "$here/samples/install.sh" "$here/samples/packages.txt" "$here/tests/packages.txt" || exit 1
cmake -S "$here" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Debug -DHEADRACE_TESTS=ON \
    -DHEADRACE_SANITIZE=address,undefined >/dev/null || exit 1
cmake --build "$build" || exit 1
ctest --test-dir "$build" -j "$(nproc)" --output-on-failure --timeout 600 \
    --output-junit "$build/tests.xml" >"$build/tests.log" 2>&1
status=$?
# What failed is shown whole; what passed is a line.
cat "$build/tests.log"
passed=$(grep -c '<testcase .*status="run"' "$build/tests.xml")
failed=$(grep -c '<testcase .*status="fail"' "$build/tests.xml")
skipped=$(grep -c '<testcase .*status="notrun"\|<testcase .*status="disabled"' "$build/tests.xml")
[ "$status" = 0 ] || [ "$failed" != 0 ] || failed=1
if [ "${1:-}" = --all ] && [ "$failed" = 0 ]; then
    sh "$here/tests/long.sh" || failed=$((failed + 1))
fi
echo "$skipped skipped"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
