#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The word count prints what coreutils print in its form and order, of the bundled text and of nasty inputs, with
# any number of threads and partitions.
#   usage: wordcount.sh WORDCOUNT
# SPARK_RUN_UNDER: a command to run it under; then one number of threads and partitions is enough.
set -euo pipefail
export LC_ALL=C

wordcount=$1 data=$(cd "$(dirname "$0")/../../examples/data" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
read -ra under <<< "${SPARK_RUN_UNDER:-}"
all_threads=(1 2 8) all_partitions=(1 3 7)
[ ${#under[@]} -eq 0 ] || { all_threads=(2); all_partitions=(3); }

# by_coreutils FILE...: with NUL bytes, which sort and uniq take as they are.
by_coreutils() {
    cat "$@" | tr -s '\t\n\v\f\r ' '\n' | sed '/^$/d' | sort | uniq -c | sed -E 's/^ *([0-9]+) /\1\t/' \
        | sort -t "$(printf '\t')" -k 1,1nr -k 2
}

# check NAME FILE...: by coreutils, and by wordcount with all numbers of threads and partitions.
check() {
    local name=$1 threads partitions
    shift
    by_coreutils "$@" > "$work/wanted"
    head -n 20 "$work/wanted" > "$work/wanted.20"
    for threads in "${all_threads[@]}"; do
        for partitions in "${all_partitions[@]}"; do
            "${under[@]}" "$wordcount" -n 0 -t "$threads" -p "$partitions" "$@" > "$work/found"
            cmp "$work/wanted" "$work/found" || differs "$name: -n 0 -t $threads -p $partitions"
        done
    done
    "${under[@]}" "$wordcount" "$@" > "$work/found"
    cmp "$work/wanted.20" "$work/found" || differs "$name: without options"
    echo "$name: $(wc -l < "$work/wanted") words"
}
differs() { echo "wordcount: $1 differs from coreutils" >&2; exit 1; }

# letters N: of a generator that is the same everywhere.
letters() { awk -v n="$1" 'BEGIN { x = 1; for (i = 0; i < n; i++) {
    x = (x * 69069 + 5) % 4294967296; printf "%c", 97 + int(x / 65536) % 26 } }'; }
bytes() { awk -v n="$1" 'BEGIN { x = 7; for (i = 0; i < n; i++) {
    x = (x * 69069 + 5) % 4294967296; printf "%c", int(x / 65536) % 256 } }'; }

: > "$work/empty"
printf 'one two\nthree two' > "$work/no_final_newline"
printf 'one two\r\n\r\ntwo three\r\nthree\rone\r\n' > "$work/crlf"
printf 'a\0b a\0b \0 \0\0\na\0\na a\0b\n\0' > "$work/nul"
printf '  \t\t \n \r\n\v\f   \n\n ' > "$work/spaces"
printf '\n\n\n\n\n\n\n\n\n\n' > "$work/lines"
printf 'x' > "$work/one_byte"
printf '\303\251t\303\251 \377\376 \200 \377\376\n\240 \205 \303\251t\303\251 \302\240x\n' > "$work/high_bytes"
letters 5242880 > "$work/one_word"
{ letters 3000000; printf '\n'; letters 3000000; printf ' end'; } > "$work/two_words"
bytes 1000000 > "$work/any_bytes"
awk 'BEGIN { for (i = 0; i < 60000; i++) print "word" i % 20011, "the", i }' > "$work/many"
mkdir "$work/directory"
cp "$work/crlf" "$work/nul" "$work/empty" "$work/directory"

check "bundled text" "$data/genesis.txt"
for input in empty no_final_newline crlf nul spaces lines one_byte high_bytes one_word two_words any_bytes many; do
    check "$input" "$work/$input"
done
check "several files" "$work/many" "$work/empty" "$data/genesis.txt" "$work/nul"

by_coreutils "$work/directory"/* > "$work/wanted"
"${under[@]}" "$wordcount" -n 0 "$work/directory" > "$work/found"
cmp "$work/wanted" "$work/found" || differs "a directory"

# Standard input, as a pipe and as a file, alone and among files; FIFOs; with what needs the text twice.
by_coreutils "$work/many" > "$work/wanted"
cat "$work/many" | "${under[@]}" "$wordcount" -n 0 - > "$work/found"
cmp "$work/wanted" "$work/found" || differs "a pipe"
"${under[@]}" "$wordcount" -n 0 -p 3 - < "$work/many" > "$work/found"
cmp "$work/wanted" "$work/found" || differs "standard input that is a file"
cat "$work/many" | "${under[@]}" "$wordcount" -n 0 -p 0 -o "$work/from_pipe" - > "$work/found"
cmp "$work/wanted" "$work/found" || differs "a pipe with -o"
cat "$work/from_pipe"/part-* | cmp - "$work/wanted" || differs "what -o saves of a pipe"
"${under[@]}" "$wordcount" -n 0 <(cat "$work/many") > "$work/found"
cmp "$work/wanted" "$work/found" || differs "a substituted process"
mkfifo "$work/fifo"
by_coreutils "$work/crlf" "$work/many" "$work/nul" > "$work/wanted"
cat "$work/many" > "$work/fifo" &
cat "$work/nul" | "${under[@]}" "$wordcount" -n 0 "$work/crlf" "$work/fifo" - > "$work/found"
wait $!
cmp "$work/wanted" "$work/found" || differs "a FIFO and standard input"
"${under[@]}" "$wordcount" -n 0 - < /dev/null > "$work/found"
"${under[@]}" "$wordcount" -n 0 /dev/null >> "$work/found"
cmp /dev/null "$work/found" || differs "/dev/null"

# Whatever a file is called, and beside others that a pattern would take.
cd "$work"
for name in 'a,b' '*' '[a]' '{a,b}' 'a\b' '\' $'a\nb' $'\377' 'file:a' '-n'; do
    echo "$name is called so" > "./$name"
    by_coreutils "./$name" > "$work/wanted"
    "${under[@]}" "$wordcount" -n 0 -- "$name" > "$work/found"
    cmp "$work/wanted" "$work/found" || differs "a file called $name"
    rm "./$name"
done
cd - > /dev/null

# Files that say they are empty.
if [ -r /proc/self/limits ]; then
    by_coreutils /proc/self/limits > "$work/wanted"
    "${under[@]}" "$wordcount" -n 0 /proc/self/limits > "$work/found"
    [ "$(wc -l < "$work/found")" -gt 20 ] || { echo "wordcount: /proc/self/limits is empty" >&2; exit 1; }
    cmp "$work/wanted" "$work/found" || differs "a file of /proc"
fi

"${under[@]}" "$wordcount" -n 3 -p 5 -o "$work/saved" > "$work/found"
by_coreutils "$data/genesis.txt" > "$work/wanted"
cat "$work/saved"/part-* | cmp - "$work/wanted" || differs "what -o saves"
head -n 3 "$work/wanted" | cmp - "$work/found" || differs "-n 3 with -o"
[ -f "$work/saved/_SUCCESS" ] || { echo "wordcount: no _SUCCESS" >&2; exit 1; }
