#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs an example and compares what it prints, and how it exits, with what is expected.
#   usage: run.sh EXPECTED_FILE EXPECTED_STATUS COMMAND...      (EXPECTED_FILE: - for anything)
# SPARK_RUN_UNDER: a command to run it under, valgrind for example.
set -uo pipefail

expected=$1 wanted=$2
shift 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
read -ra under <<< "${SPARK_RUN_UNDER:-}"
"${under[@]}" "$@" > "$work/out" 2> "$work/err"
status=$?
cat "$work/err" >&2
if [ "$status" -ne "$wanted" ]; then
    cat "$work/out"
    echo "exit status $wanted wanted, $status found" >&2
    exit 1
fi
[ "$expected" = - ] || diff -u "$expected" "$work/out"
