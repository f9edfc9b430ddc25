#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Spark reads what libspark has written, and the other way round: codecs, directories for values, encodings.

usage: save_against_spark.py SAVE_CASES

SAVE_CASES is the built program conformance_save_cases. Needs PySpark 3.5 or later for this python3, and
Java; says so and ends with 77 where one is missing. Codecs are those that Spark has without Hadoop's
native library: gzip, bzip2, deflate.
"""
import datetime
import subprocess
import sys
import tempfile
from pathlib import Path

import spark_cases

CITIES = ["Rome", "a/b=c", "50%", "x y", "", 'q"q', "tab\tx", "é"]
CODECS = ["none", "gzip", "bzip2", "deflate"]
# Spark splits lines of JSON in these when it is told what ends them; those of CSV as whole files.
ENCODINGS = ["ISO-8859-1", "UTF-16LE", "UTF-16BE"]
WHOLE = ["UTF-16", "UTF-32"]
ROWS = 120
DAY = datetime.date(1970, 1, 1)
SCHEMA = "id long, city string, year int, fare double, day date, paid boolean"


def row(i):
    """The i-th row; empty texts are read as null by default."""
    city = CITIES[i % 8] if i % 9 != 0 else None
    return {"id": i, "city": city or None, "year": 2020 + i % 3, "fare": i / 4 if i % 5 else None,
            "day": DAY + datetime.timedelta(19000 + i % 2), "paid": i % 2 == 0}


def number(x):
    return repr(x)[:-2] if repr(x).endswith(".0") else repr(x)


def text(value):
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return number(value) if isinstance(value, float) else str(value)


def printed(rows):
    """As save_cases prints them."""
    return sorted("".join(f"{k}={text(r[k]).encode().hex()} " for k in sorted(r)) for r in rows)


def run(*args):
    return subprocess.run([str(a) for a in args], stdout=subprocess.PIPE, check=True,
                          universal_newlines=True).stdout


def check(name, want, have):
    if want == have:
        return 0
    print(f"{name}: {len(want)} rows wanted, {len(have)} found; the first that differ:")
    for a, b in zip(want, have):
        if a != b:
            print(f"  wanted {a}\n  found  {b}")
            break
    return 1


def compare(spark, program, directory):
    bad = cases = 0
    want = [row(i) for i in range(ROWS)]
    for codec in CODECS:
        for keyed in (0, 1) if codec in ("none", "gzip") else (0,):
            ours = directory / f"ours-{codec}-{keyed}"
            run(program, "write", "csv", codec, keyed, ours, "UTF-8")
            found = spark.read.csv(str(ours), header=True, inferSchema=True, escape='"').collect()
            bad += check(f"Spark reads {codec} {keyed}", printed(want), printed(r.asDict() for r in found))
            theirs = directory / f"theirs-{codec}-{keyed}"
            writer = spark.createDataFrame([tuple(r.values()) for r in want], SCHEMA).repartition(3).write
            if keyed:
                writer = writer.partitionBy("city", "year", "day")
            writer.csv(str(theirs), header=True, escape='"', compression=codec)
            lines = run(program, "read", "csv", theirs, "UTF-8").splitlines()
            bad += check(f"libspark reads {codec} {keyed}", printed(want), sorted(lines))
            cases += 2
        ours = directory / f"text-{codec}"
        run(program, "write", "text", codec, 0, ours, "UTF-8")
        found = spark.sparkContext.textFile(str(ours)).collect()
        bad += check(f"text of {codec}", [str(i) for i in range(5000)],
                     sorted(found, key=int))
        cases += 1
    for encoding in ["UTF-8", *ENCODINGS, *WHOLE]:
        for form in ("csv", "json"):
            keyed = int(encoding == "UTF-8" and form == "json")
            ours = directory / f"ours-{encoding}-{form}"
            run(program, "write", form, "none", keyed, ours, encoding)
            found = None
            if form == "csv":
                found = spark.read.csv(str(ours), header=True, inferSchema=True, escape='"', encoding=encoding,
                                       multiLine=True).collect()
            elif encoding not in WHOLE:  # which Spark reads as one text a file only
                found = spark.read.json(str(ours), encoding=encoding, lineSep="\n").collect()
            if found is not None:
                bad += check(f"Spark reads {form} in {encoding}", printed(want), printed(r.asDict() for r in found))
            theirs = directory / f"theirs-{encoding}-{form}"
            writer = spark.createDataFrame([tuple(r.values()) for r in want], SCHEMA).repartition(3).write
            if keyed:
                writer = writer.partitionBy("city", "year", "day")
            if form == "csv":
                writer.csv(str(theirs), header=True, escape='"', encoding=encoding)
            else:
                writer.json(str(theirs), encoding=encoding)
            lines = run(program, "read", form, theirs, encoding).splitlines()
            bad += check(f"libspark reads {form} in {encoding}", printed(want), sorted(lines))
            cases += 2
    print(f"conformance.save: {cases} directories, {bad} differ")
    return bad


def main():
    spark = spark_cases.open_session("conformance.save", 2, ui_showConsoleProgress="false",
                                     sql_shuffle_partitions="3")
    with tempfile.TemporaryDirectory() as scratch:
        sys.exit(1 if compare(spark, sys.argv[1], Path(scratch)) else 0)


if __name__ == "__main__":
    main()
