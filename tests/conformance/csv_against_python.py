#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Rows that Python's csv module writes are the ones libspark reads, and those that libspark writes the
ones the module reads: any text but NUL, any separator, line ends within quotes.

usage: csv_against_python.py CSV_CASES [--seed N] [--number N]
"""
import argparse
import csv
import random
import subprocess
import sys
import tempfile
from pathlib import Path

SIGNS = ['"', '""', ",", ";", "\n", "\r\n", "\\", '\\"', "'", " ", "\t", "é", "漢", "\U0001f600", "a", "0",
         "null", "#", "=1+1", "\u202e", "\x7f", "\x01", "\ufeff"]


def make_rows(rng):
    width = rng.randint(1, 5)
    rows = []
    for _ in range(rng.randint(1, 40)):
        row = ["".join(rng.choice(SIGNS) for _ in range(rng.choice([0, 1, 2, 3, 8, 40])))
               for _ in range(width)]
        row[0] = "k" + row[0]  # an empty line is no row
        rows.append(row)
    return rows


def run(program, cases):
    """For each case the rows that were read."""
    text = []
    for path, out, options in cases:
        text += [f"path {str(path).encode().hex()}", f"write {str(out).encode().hex()}"]
        text += [f"option {n} {v.encode().hex()}" for n, v in options.items()]
        text.append("run")
    done = subprocess.run([program], input="\n".join(text) + "\n", capture_output=True, text=True,
                          check=True)
    answers, lines = [], []
    for line in done.stdout.split("\n"):
        if line == "end":
            answers.append(lines)
            lines = []
        else:
            lines.append(line)
    return answers


def cells(lines):
    return [[None if c == "null" else bytes.fromhex(c[1:]).decode() for c in line.split("\t")]
            for line in lines[1:]]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--number", type=int, default=200)
    args = parser.parse_args()
    csv.field_size_limit(1 << 30)
    with tempfile.TemporaryDirectory() as scratch:
        directory = Path(scratch)
        cases, wanted = [], []
        for i in range(args.number):
            rng = random.Random(f"{args.seed}/{i}")
            rows = make_rows(rng)
            sep = rng.choice([",", ";", "\t", "|"])
            path = directory / f"{i}.csv"
            with open(path, "w", newline="", encoding="UTF-8") as out:
                csv.writer(out, delimiter=sep, lineterminator=rng.choice(["\n", "\r\n"]),
                           quoting=rng.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])).writerows(rows)
            options = {"sep": sep, "multiLine": "true", "escape": '"', "nullValue": "no text is this",
                       "ignoreLeadingWhiteSpace": "false", "ignoreTrailingWhiteSpace": "false"}
            cases.append((path, directory / f"out{i}", options))
            wanted.append((rows, sep))
        bad = 0
        for (path, out, _), (rows, sep), lines in zip(cases, wanted, run(args.program, cases)):
            have = [] if lines[0].startswith("error") else cells(lines)
            written = []
            for part in sorted(out.glob("part-*")):
                with open(part, newline="", encoding="UTF-8") as text:
                    written += list(csv.reader(text, delimiter=sep))
            # Empty text without quotes is null here; the module knows no null.
            again = [[c or "" for c in row] for row in have]
            plain = [["" if c == "no text is this" else c for c in row] for row in written]
            if again != rows or plain != rows:
                bad += 1
                print(f"{path.name} of seed {args.seed}: {lines[0][:200]}")
                for a, b, c in zip(rows, again, plain):
                    if not a == b == c:
                        print(f"  {a!r}\n  read {b!r}\n  written {c!r}")
                        break
        print(f"conformance.csv_python: {len(cases)} files; {bad} differ")
        sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
