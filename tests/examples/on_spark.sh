#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The task of a real Spark: both sides by themselves against coreutils, its status, SIGPIPE and counters; then on
# a local cluster, where there is PySpark for this python3.
#   usage: on_spark.sh COUNT_TASK PYTHON3
# SPARK_RUN_UNDER: a command to run it under.
set -euo pipefail
export LC_ALL=C

task=$1 python=$2
here=$(cd "$(dirname "$0")/../../examples" && pwd)
text=$here/data/genesis.txt
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
read -ra under <<< "${SPARK_RUN_UNDER:-}"
fail() { echo "on_spark: $*" >&2; exit 1; }

tr -s '\t\n\v\f\r ' '\n' < "$text" | sed '/^$/d' | sort | uniq -c | sed -E 's/^ *([0-9]+) (.*)/\2\t\1/' \
    | sort > "$work/wanted"
for half in 0 1; do
    awk -v half=$half 'NR % 2 == half' "$text" | "${under[@]}" "$task" map 2>> "$work/counters"
done | sort -t "$(printf '\t')" -k 1,1 | "${under[@]}" "$task" reduce 2>> "$work/counters" | sort > "$work/found"
cmp "$work/wanted" "$work/found" || fail "the two sides count otherwise"
grep -qx "reporter:counter:count_task,reduce words,$(wc -l < "$work/wanted")" "$work/counters" \
    || fail "no counter"
[ -z "$("${under[@]}" "$task" map < /dev/null 2> /dev/null)" ] || fail "words of nothing"
status=0
printf 'no tab\n' | "${under[@]}" "$task" reduce > /dev/null 2> "$work/error" || status=$?
[ $status -eq 1 ] && grep -q 'not word<TAB>n: no tab' "$work/error" || fail "status $status: $(cat "$work/error")"
status=0
{ "${under[@]}" "$task" map < <(seq 200000) 2> /dev/null || echo $? > "$work/status"; } | head -n 1 > /dev/null
[ ${#under[@]} -gt 0 ] || [ "$(cat "$work/status" 2> /dev/null)" = 141 ] || fail "no SIGPIPE"

if [ ${#under[@]} -gt 0 ] || ! command -v java > /dev/null || ! "$python" -c 'import pyspark' 2> /dev/null; then
    echo "on_spark: the cluster is skipped: there is no PySpark for $python, or no Java"
    exit 0
fi
bin=$("$python" -c 'import os, pyspark; print(os.path.dirname(pyspark.__file__))')/bin
cp "$task" "$work/count_task"
cd "$work"
export PYSPARK_PYTHON=$python SPARK_LOCAL_IP=127.0.0.1 SPARK_WORKER_DIR=$work/workers
"$bin/spark-submit" --master 'local-cluster[2,1,1024]' --conf spark.ui.enabled=false \
    --conf spark.driver.host=127.0.0.1 --conf spark.driver.bindAddress=127.0.0.1 \
    --files "$work/count_task" "$here/on_spark/count_words.py" "$text" "$work/out" > "$work/log" 2>&1 \
    || { tail -n 40 "$work/log" >&2; fail "the cluster fails"; }
cat "$work"/out/part-* | sort > "$work/found"
cmp "$work/wanted" "$work/found" || fail "the cluster counts otherwise"
echo "on_spark: the cluster counts the same $(wc -l < "$work/wanted") words"
