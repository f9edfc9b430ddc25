#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The inverted index is what awk and sort make of the same files.
#   usage: inverted_index.sh INVERTED_INDEX
# SPARK_RUN_UNDER: a command to run it under.
set -euo pipefail
export LC_ALL=C

program=$1 data=$(cd "$(dirname "$0")/../../examples/data" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
read -ra under <<< "${SPARK_RUN_UNDER:-}"

by_awk() {
    [ $# -eq 0 ] || awk '{ n = split(tolower($0), w, /[^0-9a-z\200-\377]+/)
        for (i = 1; i <= n; i++) if (w[i] != "") print w[i] "\t" FILENAME "\t" FNR }' "$@" \
        | sort -u | sort -t "$(printf '\t')" -k 1,1 -k 2,2 -k 3,3n \
        | awk -F '\t' '{ if ($1 "" != last "") { if (NR > 1) print line; line = last = $1 } line = line "\t" $2 ":" $3 }
            END { if (NR > 0) print line }'
}

check() {
    by_awk "$@" > "$work/wanted"
    "${under[@]}" "$program" "$@" > "$work/found"
    diff "$work/wanted" "$work/found" || { echo "inverted_index $*: differs from awk" >&2; exit 1; }
}

cd "$data"
check bread.txt harbour.txt orchard.txt
"${under[@]}" "$program" > "$work/bundled"
sed 's:[^\t]*/\([a-z]*\.txt\):\1:g' "$work/bundled" | diff "$work/found" -
check genesis.txt
check genesis.txt bread.txt README.md
: > "$work/empty"
printf 'Caf\303\251 caf\303\251\nTHE the end' > "$work/high"
cd "$work"
check empty
check high empty
