#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The report is JSON, and says what Python's csv module finds in the same file.

usage: csv_report.py FILE CSV_REPORT
SPARK_RUN_UNDER: a command to run it under."""
import csv
import datetime
import json
import os
import re
import subprocess
import sys


def is_sale(row):
    """Whether a row is a sale: five columns, a day, a region, a price and units."""
    try:
        datetime.date.fromisoformat(row[0])
        return len(row) == 5 and row[1] != "" and float(row[2]) >= 0 and re.fullmatch(r"-?\d+", row[3])
    except (ValueError, IndexError):
        return False


def main():
    path, command = sys.argv[1], os.environ.get("SPARK_RUN_UNDER", "").split() + [sys.argv[2]]
    found = json.loads(subprocess.run(command + [path], check=True, stdout=subprocess.PIPE).stdout)
    regions, bad, records = {}, [], 0
    with open(path, encoding="utf-8") as file:
        lines = [(i + 1, line.rstrip("\n")) for i, line in enumerate(file)]
    lines = [(i, line) for i, line in lines if line and not line.startswith("#")][1:]
    for number, line in lines:
        row = next(csv.reader([line]))
        records += 1
        if not is_sale(row):
            bad.append((number, line))
            continue
        sums = regions.setdefault(row[1], [0, 0, 0.0])
        sums[0] += 1
        sums[1] += int(row[3])
        sums[2] += int(row[3]) * float(row[2])
    assert found["records"] == records and found["quarantined"] == len(bad), (records, len(bad))
    assert [(b["line"], b["record"]) for b in found["first"]] == bad[:3], bad[:3]
    assert [r["region"] for r in found["regions"]] == sorted(regions), sorted(regions)
    for r in found["regions"]:
        sales, units, revenue = regions[r["region"]]
        assert (r["sales"], r["units"]) == (sales, units) and abs(r["revenue"] - revenue) < 0.01, r
    print(f"{records} records, {len(bad)} of them bad, {len(regions)} regions: the same")


if __name__ == "__main__":
    main()
