#!/bin/sh
# headers.sh INCLUDE - each public header alone, in every language it promises, with gcc and
# clang and all warnings.
set -u
status=0
flags='-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror -fsyntax-only'
for header in "$1"/headrace/*.h; do
    name=headrace/$(basename "$header")
    for compiler in gcc clang; do
        for std in c99 c11 c17; do
            echo "#include \"$name\"" | $compiler -x c -std=$std $flags -Wstrict-prototypes \
                -I"$1" - || { echo "$name: $compiler $std"; status=1; }
        done
        driver=clang++
        [ $compiler = gcc ] && driver=g++
        for std in c++11 c++14 c++17 c++20; do
            echo "#include \"$name\"" | $driver -x c++ -std=$std $flags -I"$1" - ||
                { echo "$name: $driver $std"; status=1; }
        done
    done
done
exit $status
