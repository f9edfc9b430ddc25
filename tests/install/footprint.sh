#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What a program pays: the stripped word count is small, and a program that only counts a range has
# nothing of what it does not use. That the names sought are there at all, the word count shows.
#   usage: footprint.sh NM STRIP WORDCOUNT LIMIT_BYTES COUNT
set -euo pipefail

nm=$1 strip=$2 wordcount=$3 limit=$4 count=$5
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$strip" -o "$work/wordcount" "$wordcount"
bytes=$(wc -c < "$work/wordcount")
echo "the word count, stripped: $bytes bytes of $limit"
[ "$bytes" -le "$limit" ] || { echo "too large" >&2; exit 1; }

# names PROGRAM PATTERN: functions, static ones as well, that the program has.
names() { "$nm" "$1" | awk '$2 ~ /[Tt]/ { print $3 }' | grep -E "$2" || true; }

used_by_wordcount='^(spark_(text_files|sort_by|reduce_by_key|save_as_text_file)|sort_produce|text_produce)$'
[ "$(names "$wordcount" "$used_by_wordcount" | wc -l)" -eq 6 ] \
    || { echo "the word count lacks what it uses:" >&2; names "$wordcount" "$used_by_wordcount" >&2; exit 1; }

formats=$(names "$wordcount" '^(sp(ark|k)_|)(csv|json|read_csv|read_json|write_csv|pattern|text_f64|row|print_schema)(_|$)')
[ -z "$formats" ] || { echo "the word count has of formats it does not name:" >&2; echo "$formats" >&2; exit 1; }

remote=$(names "$wordcount" '^(sp(ark|k)_|)(fs|use|register_fs|register_command|curl|dialog|range|http|s3|sigv4|sha256|hmac|xml|command|schemes|remote)(_|$)')
[ -z "$remote" ] || { echo "the word count has of remote files, which it does not name:" >&2; echo "$remote" >&2; exit 1; }
watched=$(names "$wordcount" '^(spark_(event_log|show_progress|add_listener|report|trace|explain|explain_dot|explain_analyze|explain_analyze_dot|keep_metrics|metrics|profile_shuffles|count_hardware)|spk_(explain|queue|bus|metrics|samples|notes|heard|rows_table|sketch|counter|json|spark|page|report|history|block_table|text_file|plan|lineage)_.*)$')
[ -z "$watched" ] || { echo "the word count has of listeners:" >&2; echo "$watched" >&2; exit 1; }

foreign='^(sp(ark|k)_|)(text|whole_files|object|save|saving|checkpoint|child|child_pipe|pipe_rdd|sort|ranges_make'
foreign+='|join|cogroup|group|keyed|reduce|sides|subtract|sample|zip|cartesian|coalesce|union|histogram'
foreign+='|top|fold|foreach|lookup|approx|distinct|async|glob|lines|csv|json|pattern|row)(_|$)'
found=$(names "$count" "$foreign")
if [ -n "$found" ]; then
    echo "a program that counts a range has also:" >&2
    echo "$found" >&2
    exit 1
fi
echo "a count of a range: $("$strip" -o "$work/count" "$count" && wc -c < "$work/count") bytes, nothing foreign"
