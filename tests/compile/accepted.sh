#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A right program compiles without a warning, unoptimised and optimised, links and runs.
#   usage: accepted.sh COMPILER SOURCE ARCHIVE FLAG...
set -euo pipefail

compiler=$1 source=$2 archive=$3
shift 3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for level in -O0 -O3; do
    "$compiler" $level "$@" -Werror -o "$work/user" "$source" "$archive" -lm -pthread
    "$work/user"
done
echo "$compiler: accepted"
