#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The data that examples/data/make.py makes is what is bundled.
#   usage: data.sh DATA
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 "$1/make.py" "$work"
for file in edges.txt points.txt access.log customers.csv orders.csv samples.txt; do
    cmp "$work/$file" "$1/$file"
done
