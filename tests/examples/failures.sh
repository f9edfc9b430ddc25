#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The word count says what is wrong, and exits with 1; with 2 when it was called wrongly.
#   usage: failures.sh WORDCOUNT
# SPARK_RUN_UNDER: a command to run it under.
set -uo pipefail

wordcount=$1
work=$(mktemp -d)
trap 'chmod -R u+rwx "$work"; rm -rf "$work"' EXIT
read -ra under <<< "${SPARK_RUN_UNDER:-}"
failed=0

# fails STATUS TEXT ARGUMENT...: exits with the status, TEXT on stderr, nothing on stdout.
fails() {
    local wanted=$1 text=$2 status
    shift 2
    "${under[@]}" "$wordcount" "$@" > "$work/out" 2> "$work/err"
    status=$?
    if [ "$status" -ne "$wanted" ] || ! grep -qF -- "$text" "$work/err" || [ -s "$work/out" ]; then
        echo "wordcount $*: status $wanted and '$text' wanted, status $status found and:" >&2
        cat "$work/out" "$work/err" >&2
        failed=1
    fi
}

echo "a b a" > "$work/text"
mkdir "$work/there"

fails 2 usage: -n many "$work/text"
fails 2 usage: -n -1 "$work/text"
fails 2 usage: -t 99999999999 "$work/text"
fails 2 usage: -x
fails 2 usage: -p
fails 1 "wordcount: " "$work/missing"
fails 1 "Input path does not exist: $work/missing" "$work/missing"
fails 1 "Input path does not exist: $work/missing" "$work/text" "$work/missing"
fails 1 "Input path does not exist: $work/*.missing" "$work/*.missing"
fails 1 "Not a file: /dev/full is a device" /dev/full
fails 1 "cannot use file descriptor 0: Bad file descriptor" - <&-
printf '\037\213\010\0\0\0\0\0' > "$work/text.gz"
fails 1 "cannot unpack $work/text.gz: gzip ended with status 1" "$work/text.gz"
cp "$work/text.gz" "$work/packed"
fails 1 "$work/packed is not plain text: it is compressed by gzip" "$work/packed"
fails 1 "standard input is not plain text: it is compressed by gzip" - < "$work/text.gz"
fails 1 "$work/there already exists" -o "$work/there" "$work/text"
mkdir -p "$work/half/_temporary"
fails 1 "$work/half already exists and holds an unfinished save" -o "$work/half" "$work/text"
fails 1 "cannot create output directory $work/text/where" -o "$work/text/where" "$work/text"

# Root reads and writes everything.
if [ "$(id -u)" -ne 0 ]; then
    mkdir "$work/locked"
    echo a > "$work/unreadable"
    chmod 0 "$work/locked" "$work/unreadable"
    fails 1 "Permission denied" "$work/locked"
    fails 1 "Permission denied" "$work/unreadable"
    fails 1 "Permission denied" -o "$work/locked/out" "$work/text"
fi

# A disk that is full.
if [ -w /dev/full ]; then
    "${under[@]}" "$wordcount" "$work/text" > /dev/full 2> "$work/err"
    [ $? -eq 1 ] && grep -q "standard output: No space left on device" "$work/err" || {
        echo "a full standard output goes unnoticed" >&2
        failed=1
    }
fi
"${under[@]}" "$wordcount" --help > "$work/out" && grep -q ^usage: "$work/out" || { echo "--help fails" >&2; failed=1; }
exit "$failed"
