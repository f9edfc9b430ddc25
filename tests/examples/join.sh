#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The join prints what sort, join(1) and awk print, of the bundled files and of nasty ones, and tells file, line and
# column of what is no row.
#   usage: join.sh JOIN
# SPARK_RUN_UNDER: a command to run it under.
set -euo pipefail
export LC_ALL=C

program=$1 data=$(cd "$(dirname "$0")/../../examples/data" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
read -ra under <<< "${SPARK_RUN_UNDER:-}"

# by_coreutils CUSTOMERS ORDERS: join(1) gives country and amount of each match, an empty amount for none.
by_coreutils() {
    join -t , -a 1 -o 1.3,2.3 <(sort -t , -k 1,1 "$1") <(sort -t , -k 2,2 "$2" | tr -d '\r') -1 1 -2 2 \
        | awk -F , '{ if ($2 == "") { idle[$1]++; next } n[$1]++; split($2, part, "."); cents[$1] += 100 * part[1] + part[2] }
            END { for (c in n) all[c]; for (c in idle) all[c]
                for (c in all) printf "%s\t%d\t%d.%02d\t%d\n", c, n[c], int(cents[c] / 100), cents[c] % 100, idle[c] }' \
        | sort -k 1,1
}

check() {
    by_coreutils "$1" "$2" > "$work/wanted"
    "${under[@]}" "$program" "$1" "$2" > "$work/found"
    diff -u "$work/wanted" "$work/found" || { echo "$1 $2: differs from join(1)" >&2; exit 1; }
}

# fails TEXT CUSTOMERS ORDERS: exits with 1 and says TEXT.
fails() {
    local status=0
    "${under[@]}" "$program" "$2" "$3" > "$work/out" 2> "$work/err" || status=$?
    if [ "$status" -ne 1 ] || ! grep -qF -- "$1" "$work/err" || [ -s "$work/out" ]; then
        echo "status 1 and '$1' wanted, status $status found and:" >&2
        cat "$work/out" "$work/err" >&2
        exit 1
    fi
}

check "$data/customers.csv" "$data/orders.csv"
: > "$work/nothing"
check "$data/customers.csv" "$work/nothing"
check "$work/nothing" "$data/orders.csv"
check "$work/nothing" "$work/nothing"
printf '1,Ann,Chad\r\n2,Bob,Peru' > "$work/crlf"
printf '1,1,10.05\n2,2,0.07\n3,1,1.10\n4,9,5.00' > "$work/few"
printf '1,Ann,Chad\n2,Bob,Peru\n' > "$work/lf"
by_coreutils "$work/lf" "$work/few" > "$work/wanted"
"${under[@]}" "$program" "$work/crlf" "$work/few" | diff -u "$work/wanted" -

for line in '1:7,Zoe' '1:x,Zoe,Peru' '3:7,,Peru' '1:7,Zoe,Peru,more'; do
    { cat "$data/customers.csv"; echo "${line#*:}"; } > "$work/customers"
    fails ": $work/customers:121:${line%%:*}" "$work/customers" "$data/orders.csv"
done
for line in '1:7,1' '3:7,x,3.50' '5:7,1,much' '1:7,1,3.50,more' '5:7,1,1e300'; do
    { cat "$data/orders.csv"; echo "${line#*:}"; } > "$work/orders"
    fails ": $work/orders:501:${line%%:*}" "$data/customers.csv" "$work/orders"
done
fails "Input path does not exist: $work/missing" "$data/customers.csv" "$work/missing"
