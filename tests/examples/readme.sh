#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The program that the README begins with is examples/primes.c, and prints what stands below it; the word
# count is shorter than 80 lines; all examples are shorter than 120.
#   usage: readme.sh ROOT
set -euo pipefail

cd "$1"

# block N: the Nth block of code of the README.
block() { awk -v n="$1" '/^```/ { inside = !inside; seen += inside; next } inside && seen == n' README.md; }

diff -u <(block 1) <(tail -n +3 examples/primes.c)
diff -u <(block 2) tests/examples/primes.txt
[ "$(wc -l < examples/wordcount.c)" -lt 80 ] || { echo "examples/wordcount.c is too long" >&2; exit 1; }
for source in examples/*.c; do
    lines=120
    [ "$source" != examples/sql.c ] || lines=200 # a shell
    [ "$(wc -l < "$source")" -lt $lines ] || { echo "$source is too long" >&2; exit 1; }
done
