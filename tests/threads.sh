#!/bin/sh
# threads.sh [BUILD] - flows, runs, workers, models and programs that embed under a thread
# sanitizer: some minutes.  BUILD, build/tsan if not given, is made or brought up to date.  The exit
# status is 1 if anything was found.
set -u

here=$(cd "$(dirname "$0")/.." && pwd)
build=${1:-$here/build/tsan}
export TSAN_OPTIONS="halt_on_error=1 ${TSAN_OPTIONS:-}"
cmake -S "$here" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Debug -DHEADRACE_TESTS=ON \
    -DHEADRACE_SANITIZE=thread >/dev/null || exit 1
cmake --build "$build" || exit 1
ctest --test-dir "$build" -j "$(nproc)" --output-on-failure --timeout 900 -R \
    '^(embed\.|property\.flows|property\.merge\.1|unit\.test_(flow|worker|transform|learn|analysis|'\
'statistics|example_gen|evaluator_plugin|trainer|validation_plugin|row_component|registry|ahead|metadata)$|'\
'cli\.(models|control|kills|row_component|penguin|taxi|parts|replay|resume)\.)'
