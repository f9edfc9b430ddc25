#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The stripped archive is small enough to be linked without a thought.
#   usage: size.sh ARCHIVE STRIP LIMIT_BYTES
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$2" --strip-unneeded -o "$work/lib.a" "$1"
bytes=$(wc -c < "$work/lib.a")
echo "libspark.a, stripped: $bytes bytes of $3"
[ "$bytes" -le "$3" ] || { echo "too large" >&2; exit 1; }
