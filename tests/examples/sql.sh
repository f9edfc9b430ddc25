#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The shell for SQL: its forms of output, options behind statements, places in files, and a terminal.
#   usage: sql.sh SQL
set -euo pipefail

sql=$1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# gives WANT ARGUMENT...: what the shell prints.
gives() {
    local want=$1
    shift
    diff -u <(printf "$want") <("$sql" "$@")
}

gives '{"a":[1,null],"m":{"x":{"k":"v\\""}},"b":"HyA="}\n' --json \
    -e "SELECT array(1, NULL) a, map('x', named_struct('k', 'v\"')) m, X'1F20' b, CAST(NULL AS INT) n"
gives 'b,q,e,n\n[1F 20],"a""b","",\n' --csv -e "SELECT X'1F20' b, 'a\"b' q, '' e, NULL n"
gives 'a\n1\nb\n2\n' -e 'SELECT 1 a;; SELECT 2 b;' --csv
"$sql" -e 'EXPLAIN SELECT id FROM range(3) WHERE id > 1' | grep -q '^    Range' ||
    { echo "EXPLAIN does not print lines" >&2; exit 1; }

printf 'SELECT 1;\n\n-- a comment\nSELECT 2; SELECT\n  3 + x;\n' > "$dir/script.sql"
if "$sql" --csv "$dir/script.sql" > "$dir/out" 2> "$dir/err"; then
    echo "a statement that fails is none" >&2
    exit 1
fi
grep -q "^$dir/script.sql: .*(line 5, position 7 to 7)" "$dir/err"
[ "$(sed -n 3p "$dir/err")" = '      ^' ]

# What is typed is shown by the terminal before or after the prompt, whichever comes first.
if script -qc true /dev/null > "$dir/none" 2>&1 < /dev/null; then # of util-linux
    : > "$dir/session"
    {
        printf 'SELECT 40\n+ 2 n;\nSELECT x;\n'
        for ((tries = 0; tries < 500; tries++)); do
            ! grep -q 'UNRESOLVED_COLUMN' "$dir/session" || break
            sleep 0.1
        done
        sleep 0.2 # for the prompt, after which the line has nothing on it and ^D ends the input
        printf '\004'
    } | timeout 60 script -qfc "'$sql' --csv" /dev/null > "$dir/session" || { cat "$dir/session" >&2; exit 1; }
    for want in 'sql> ' '  -> ' '^42' 'UNRESOLVED_COLUMN'; do
        grep -q -e "$want" "$dir/session" || { echo "no '$want' in:" >&2; cat "$dir/session" >&2; exit 1; }
    done
fi
