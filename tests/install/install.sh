#!/bin/sh
# install.sh SOURCE BUILD - installs into an empty directory, and builds and runs what others
# would: a plugin by its Makefile, a C and a C++ program with pkg-config, shared and static;
# then moves the installation, which must go on working.
set -eu
source=$1 build=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "$*"; exit 1; }

cmake --install "$build" --prefix "$work/usr" >/dev/null
lib=$(dirname "$(find "$work/usr" -name libheadrace.so)")
PKG_CONFIG_PATH=$lib/pkgconfig
export PKG_CONFIG_PATH
pkg() { pkg-config --define-variable=prefix="$work/usr" --define-variable=libdir="$lib" \
    --define-variable=includedir="$work/usr/include" "$@" headrace; }
headrace=$work/usr/bin/headrace
san=$(grep -o 'HEADRACE_SANITIZE:STRING=.*' "$build/CMakeCache.txt" | cut -d= -f2)
flags=${san:+-fsanitize=$san}

[ -s "$work/usr/share/man/man1/headrace.1" ] || fail "no manual page"
[ -s "$work/usr/share/bash-completion/completions/headrace" ] || fail "no completion"

# the plugin, built as its README says, against headers alone
cp -r "$source/samples/custom_component" "$work/plugin"
make -s -C "$work/plugin" CFLAGS="-std=c99 -O2 -Wall -Wextra -Werror -fPIC -fvisibility=hidden -I$work/usr/include"
[ "$(nm -D --defined-only "$work/plugin/line_count.so" | wc -l)" = 1 ] || fail "more than one symbol"
(cd "$work/plugin" && "$headrace" run --plugin-path . >first && grep -q '1 executed\|2 executed' first &&
    "$headrace" run --plugin-path . >second && grep -q '2 cached' second) || fail "the plugin did not run"
(cd "$work/plugin" && ! "$headrace" run --plugin-path . --param least=9 2>errors >out) || fail "no failure"
grep -q 'has 3 lines, and min_lines is 9' "$work/plugin/errors" || fail "the failure was not told"

# a program that embeds, in C; shared and static
"$headrace" new "$work/demo" >/dev/null
row='{"culmen_length_mm": 0.25, "culmen_depth_mm": 0.67, "flipper_length_mm": 0.15, "body_mass_g": 0.29}'
cc -std=c99 -Wall -Wextra $flags "$source/samples/embed/embed.c" $(pkg --cflags) -L"$lib" -lheadrace \
    -Wl,-rpath,"$lib" -o "$work/embed"
"$work/embed" "$work/demo" "$row" >"$work/said"
grep -q 'probabilities' "$work/said" || fail "the embedded model said nothing"
# libraries below the static one are shared; it finds worker and plugins where it was installed
cc -std=c99 $flags "$source/samples/embed/embed.c" $(pkg --cflags) "$lib/libheadrace.a" \
    $(pkg --static --libs | sed 's/-lheadrace//') -o "$work/usr/bin/embed-static"
"$work/usr/bin/embed-static" "$work/demo" "$row" >"$work/said2" || fail "static: $(cat "$work/said2")"
grep -q 'probabilities' "$work/said2" || fail "the static program said nothing"

# the same header in C++
cat >"$work/version.cc" <<'END'
#include <headrace/headrace.h>
int main() { return hr_version() == HR_VERSION_NUMBER ? 0 : 1; }
END
c++ -std=c++11 -Wall -Wextra $flags "$work/version.cc" $(pkg --cflags) -L"$lib" -lheadrace \
    -Wl,-rpath,"$lib" -o "$work/version" && "$work/version"

# what others write: CMake and a plain Makefile, C and C++, shared and static
lists() { for program; do "$program" "$work/demo" >"$work/lists" || fail "$program does not run"
    [ "$(cat "$work/lists")" = "penguin@1" ] || fail "$program: $(cat "$work/lists")"; done; }
cp -r "$source/tests/install/consumer" "$work/consumer"
cmake -S "$work/consumer" -B "$work/by_cmake" -DCMAKE_PREFIX_PATH="$work/usr" -DCMAKE_C_FLAGS="$flags" \
    -DCMAKE_CXX_FLAGS="$flags" >/dev/null && cmake --build "$work/by_cmake" >/dev/null || fail "CMake consumers"
cp "$work/by_cmake"/lists_*_static "$work/usr/bin"
lists "$work/by_cmake/lists_c_shared" "$work/by_cmake/lists_cc_shared" "$work/usr/bin/lists_c_static" \
    "$work/usr/bin/lists_cc_static"
mkdir "$work/pc" && sed -e "s|^prefix=.*|prefix=$work/usr|" -e "s|^libdir=.*|libdir=$lib|" \
    -e "s|^includedir=.*|includedir=$work/usr/include|" "$lib/pkgconfig/headrace.pc" >"$work/pc/headrace.pc"
PKG_CONFIG_PATH=$work/pc CFLAGS=$flags CXXFLAGS=$flags make -s -C "$work/consumer" || fail "make consumers"
mv "$work/consumer"/lists_*_static "$work/usr/bin"
lists "$work/consumer/lists_c" "$work/consumer/lists_cc" "$work/usr/bin/lists_c_static" \
    "$work/usr/bin/lists_cc_static"

# the sample service, by CMake and by make
serves() { "$1" -C "$work/demo" penguin "$work/socket" 2>"$work/service.err" & service=$!
    python3 "$source/tests/install/ask.py" "$work/socket" "$row" || fail "$1: $(cat "$work/service.err")"
    kill "$service" && wait "$service" || fail "$1 did not end well"; }
cmake -S "$source/samples/embed_service" -B "$work/service" -DCMAKE_PREFIX_PATH="$work/usr" \
    -DCMAKE_C_FLAGS="$flags" >/dev/null && cmake --build "$work/service" >/dev/null || fail "CMake service"
serves "$work/service/embed_service"
cp -r "$source/samples/embed_service" "$work/service_make"
PKG_CONFIG_PATH=$work/pc CFLAGS=$flags make -s -C "$work/service_make" || fail "make service"
serves "$work/service_make/embed_service"

# moved as a whole
mv "$work/usr" "$work/moved"
cmake -S "$work/consumer" -B "$work/by_moved" -DCMAKE_PREFIX_PATH="$work/moved" -DCMAKE_C_FLAGS="$flags" \
    -DCMAKE_CXX_FLAGS="$flags" >/dev/null && cmake --build "$work/by_moved" >/dev/null || fail "moved CMake consumers"
lists "$work/by_moved/lists_c_shared"
"$work/moved/bin/headrace" new "$work/demo2" >/dev/null
(cd "$work/demo2" && "$work/moved/bin/headrace" run --quiet) || fail "it does not run where it was moved"
