#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The queries derived from TPC-H beside DuckDB, in one run: CPU seconds of the process, the first run and the
median of the warm ones; ratios, and their geometric mean. Answers are compared by tests/sql/tpch.py.

usage: compare_tpch.py [--threads N] [--runs K] [--query N] [--files] BENCH_TPCH DATA QUERIES

DATA:
*.tbl as `tpcgen-cli tpch tbl` makes them; QUERIES: q1.sql .. q22.sql. Needs the module duckdb. Derived from TPC-H,
not comparable to published TPC results."""

import argparse
import contextlib
import importlib.util
import json
import math
import statistics
import subprocess
import sys
import time
from pathlib import Path

import duckdb


def tables():
    """The columns of each table, as the test of the answers has them."""
    at = Path(__file__).parent.parent / "sql" / "tpch.py"
    spec = importlib.util.spec_from_file_location("tpch", at)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.TABLES


def open_duckdb(options):
    db = duckdb.connect()
    db.execute(f"SET threads = {options.threads}")
    for name, columns in tables().items():
        pairs = [c.strip().split(" ", 1) for c in columns.replace(", ", ",").replace("15,2", "15;2").split(",")]
        types = ", ".join(f"'{n}': '{t.replace(';', ',').replace('STRING', 'VARCHAR')}'" for n, t in pairs)
        read = f"read_csv('{options.data}/{name}.tbl', delim='|', header=false, columns={{{types}}}, null_padding=true)"
        db.execute(f"CREATE {'VIEW' if options.files else 'TABLE'} {name} AS FROM {read}")
    return db


def ask_duckdb(db, text, runs):
    """CPU seconds of each run, and how many rows there are."""
    spent = []
    for _ in range(runs):
        start = time.process_time()
        rows = db.execute(text).fetchall()
        spent.append(time.process_time() - start)
    return spent, len(rows)


def next_line(program):
    """Lets the program measure its next query, while nothing else runs."""
    with contextlib.suppress(BrokenPipeError):
        program.stdin.write("\n")
        program.stdin.flush()
    return program.stdout.readline()


def mean(values):
    return math.exp(sum(math.log(v) for v in values) / len(values))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--runs", type=int, default=6)
    parser.add_argument("--query", type=int, default=0)
    parser.add_argument("--files", action="store_true", help="nothing is cached")
    parser.add_argument("bench")
    parser.add_argument("data")
    parser.add_argument("queries", type=Path)
    options = parser.parse_args()
    db = open_duckdb(options)
    command = [options.bench, "-t", str(options.threads), "-i", str(options.runs)]
    command += ["-q", str(options.query)] if options.query else []
    command += ["-f"] if options.files else []
    command += ["-w", options.data, str(options.queries)]
    program = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    warm, first, total = [], [], [0, 0]
    print(" query    DuckDB  libspark  ratio | first: DuckDB  libspark  ratio")
    while line := next_line(program):
        own = json.loads(line)
        text = (options.queries / f"q{own['query']}.sql").read_text(encoding="utf-8")
        spent, rows = ask_duckdb(db, text, options.runs)
        if rows != own["rows"]:
            sys.exit(f"q{own['query']}: {own['rows']} rows, DuckDB has {rows}")
        peer = statistics.median(spent[1:] or spent)
        warm.append(own["cpu"] / peer)
        first.append(own["first_cpu"] / spent[0])
        total = [total[0] + peer, total[1] + own["cpu"]]
        print(f"{own['query']:6} {peer:9.4f} {own['cpu']:9.4f} {warm[-1]:6.2f} |     {spent[0]:9.4f} "
              f"{own['first_cpu']:9.4f} {first[-1]:6.2f}", flush=True)
    if program.wait() or not warm:
        sys.exit("bench_tpch has failed")
    print(f"CPU seconds in all: DuckDB {total[0]:.3f}, libspark {total[1]:.3f}")
    print(f"geometric mean: warm {mean(warm):.2f}, first {mean(first):.2f}; most {max(warm):.2f}")


if __name__ == "__main__":
    main()
