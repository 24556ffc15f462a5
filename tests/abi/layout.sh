#!/bin/sh
# layout.sh INCLUDE ABI_DIR [--write] - the layout of every ABI struct against the committed
# text, by the prefix rule: descriptions may grow at their end, interfaces stay.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
sh "$2/make_probe.sh" "$1" >"$work/probe.c"
cc -g -c -fno-eliminate-unused-debug-types -I"$1" "$work/probe.c" -o "$work/probe.o"
pahole "$work/probe.o" >"$work/layout"
if [ "${3:-}" = --write ]; then
    cp "$work/layout" "$2/0.1.layout"
    exit 0
fi
awk -f "$2/abi_layout.awk" "$2/0.1.layout" "$work/layout"
