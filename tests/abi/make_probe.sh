#!/bin/sh
# make_probe.sh INCLUDE - a C file that names every struct of the ABI headers, for pahole.
set -eu
for header in arrow plugin flow model; do
    echo "#include \"headrace/$header.h\""
done
for header in plugin flow model; do
    sed -n 's/^} \(hr_[a-z0-9_]*\);$/\1/p' "$1/headrace/$header.h"
done | sort -u | sed 's/.*/extern & probe_&; & probe_&;/'
for type in hr_status hr_level hr_type hr_rows; do
    echo "struct typedef_$type { $type value; } probe_typedef_$type;"
done
for type in ArrowSchema ArrowArray ArrowArrayStream; do
    echo "struct $type probe_$type;"
done
