#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The word count that the README shows is examples/wordcount.c, which is shorter than 80 lines; all examples are
# shorter than 120.
#   usage: readme.sh ROOT
set -euo pipefail

cd "$1"
awk '/^```/ { inside = $0 == "```c"; if (shown) exit; next } inside { print; shown = 1 }' README.md \
    | diff -u - examples/wordcount.c
[ "$(wc -l < examples/wordcount.c)" -lt 80 ] || { echo "examples/wordcount.c is too long" >&2; exit 1; }
for source in examples/*.c; do
    [ "$(wc -l < "$source")" -lt 120 ] || { echo "$source is too long" >&2; exit 1; }
done
