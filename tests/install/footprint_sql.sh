#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What SQL costs: the code and data of the least program with it, beside one that does by verbs what statements do. Of
# a file the last bytes decide over pages: a little less of what both have would make the difference larger by one.
#   usage: footprint_sql.sh NM STRIP WITH WITHOUT LIMIT_BYTES
set -euo pipefail

nm=$1 strip=$2 with=$3 without=$4 limit=$5
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$strip" -o "$work/with" "$with"
"$strip" -o "$work/without" "$without"
sections() { size "$1" | awk 'NR == 2 { print $4 }'; }
more=$(($(sections "$work/with") - $(sections "$work/without")))
echo "with SQL $(sections "$work/with") bytes, without $(sections "$work/without"): $more more, of $limit"
[ "$more" -le "$limit" ] || { echo "too large" >&2; exit 1; }

# What a program does not name is not linked for SQL's sake: functions of the program, Arrow.
found=$("$nm" "$with" | awk '$2 ~ /[Tt]/ { print $3 }' \
    | grep -E '^sp(ark|k)_(register_(function|aggregate)|user_(begin|rows|new)|arrow_.*|(to|from)_arrow.*|as_named)$' || true)
[ -z "$found" ] || { echo "a program with SQL has also:" >&2; echo "$found" >&2; exit 1; }
