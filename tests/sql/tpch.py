#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The 22 queries derived from TPC-H, over .tbl files and over cached tables, against answers: all by the shell for
SQL.

usage: tpch.py SQL_SHELL

SPARK_TPCH: a directory with queries/q1.sql ..., answers/q01.out ... (rows behind a line "-- output", tabs
between members) and data/*.tbl, as `tpcgen-cli tpch tbl -s 0.01` makes them; not set: skipped. Nothing of
that is the project's. Derived from TPC-H, not comparable to published TPC results.
"""
import csv
import io
import os
import subprocess
import sys
import tempfile
from pathlib import Path

MONEY = "DECIMAL(15,2)"
TABLES = {
    "nation": "n_nationkey INT, n_name STRING, n_regionkey INT, n_comment STRING",
    "region": "r_regionkey INT, r_name STRING, r_comment STRING",
    "part": "p_partkey BIGINT, p_name STRING, p_mfgr STRING, p_brand STRING, p_type STRING, p_size INT, "
            f"p_container STRING, p_retailprice {MONEY}, p_comment STRING",
    "supplier": "s_suppkey BIGINT, s_name STRING, s_address STRING, s_nationkey INT, s_phone STRING, "
                f"s_acctbal {MONEY}, s_comment STRING",
    "partsupp": f"ps_partkey BIGINT, ps_suppkey BIGINT, ps_availqty INT, ps_supplycost {MONEY}, ps_comment STRING",
    "customer": "c_custkey BIGINT, c_name STRING, c_address STRING, c_nationkey INT, c_phone STRING, "
                f"c_acctbal {MONEY}, c_mktsegment STRING, c_comment STRING",
    "orders": f"o_orderkey BIGINT, o_custkey BIGINT, o_orderstatus STRING, o_totalprice {MONEY}, o_orderdate DATE, "
              "o_orderpriority STRING, o_clerk STRING, o_shippriority INT, o_comment STRING",
    "lineitem": "l_orderkey BIGINT, l_partkey BIGINT, l_suppkey BIGINT, l_linenumber INT, "
                f"l_quantity {MONEY}, l_extendedprice {MONEY}, l_discount {MONEY}, l_tax {MONEY}, "
                "l_returnflag STRING, l_linestatus STRING, l_shipdate DATE, l_commitdate DATE, "
                "l_receiptdate DATE, l_shipinstruct STRING, l_shipmode STRING, l_comment STRING",
}


def views(data):
    """Statements that define the tables."""
    return "".join(f"CREATE TEMP VIEW {name} ({columns}) USING csv OPTIONS (path '{data}/{name}.tbl', sep '|');\n"
                   for name, columns in TABLES.items())


def cached():
    """Statements that put the tables into the cache."""
    return "".join(f"CACHE TABLE {name};\n" for name in TABLES)


def answer(path):
    """The rows of an answer; NULL is printed as nothing by the shell."""
    text = path.read_text(encoding="utf-8").split("-- output\n")[1].rstrip("\n")
    return sorted("\t".join("" if cell == "NULL" else cell for cell in line.split("\t")) for line in text.split("\n"))


def ask(shell, statements):
    """The rows the shell prints, without the names."""
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(statements)
        file.flush()
        done = subprocess.run([shell, "--csv", file.name], capture_output=True, text=True, timeout=600, check=False)
    if done.returncode:
        return [done.stderr]
    return sorted("\t".join(row) for row in list(csv.reader(io.StringIO(done.stdout)))[1:])


def main():
    root = os.environ.get("SPARK_TPCH")
    if not root:
        print("skipped: SPARK_TPCH names no directory")
        return 77
    root, good = Path(root), 0
    for number in range(1, 23):
        query = (root / "queries" / f"q{number}.sql").read_text(encoding="utf-8")
        for kind, before in ("files", ""), ("cached", cached()):
            found = ask(sys.argv[1], views(root / "data") + before + query)
            same = found == answer(root / "answers" / f"q{number:02}.out")
            good += same
            print(f"q{number} {kind}: {'equal' if same else 'differs: ' + str(found[:1])[:300]}")
    print(f"{good} of 44")
    return 0 if good == 44 else 1


if __name__ == "__main__":
    sys.exit(main())
