#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every condition that src/sql gives stands in the table of conditions, in the order of names, and no other.

  conditions.py SOURCE_DIRECTORY
"""
import pathlib
import re
import sys

WORD = r'"(_?[A-Z][A-Z0-9]*_[A-Z0-9_]+(?:\.[A-Z0-9_]+)?)"'
CALL = re.compile(r'\b(?:spk_sql_fail[123]?|spk_sql_raise|spk_wrong)\((?:[^;"]|"(?:[^"\\]|\\.)*")*?;', re.S)


def main():
    room = pathlib.Path(sys.argv[1]) / "src" / "sql"
    table = re.findall(r'^    \{ "([A-Z0-9_.]+)", "\w{5}",', (room / "conditions.c").read_text(), re.M)
    wrong = 0
    if table != sorted(table) or len(table) < 150:
        print("conditions.c: not in the order of names")
        wrong += 1
    names, used, said = set(table), 0, ""
    for path in sorted(room.rglob("*.c")):
        text = path.read_text()
        said += text if path.name != "conditions.c" else ""
        for call in CALL.finditer(text):
            for name in re.findall(WORD, call.group(0)):
                used += 1
                if name not in names:
                    print(f"{path}:{text.count(chr(10), 0, call.start()) + 1}: {name} is not in conditions.c")
                    wrong += 1
    for name in sorted(names):
        if f'"{name}"' not in said:
            print(f"conditions.c: nothing gives {name}")
            wrong += 1
    print(f"{used} uses, {len(table)} conditions, {wrong} wrong")
    return 1 if wrong or used < 100 else 0


sys.exit(main())
