# SPDX-License-Identifier: Apache-2.0
"""What the comparisons with Spark share: its session, and generated cases that both read."""
import argparse
import importlib.util
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SKIPPED = 77


def open_session(name, threads=1, **settings):
    """Spark, in UTC; ends the program where there is no PySpark, or no Java."""
    if importlib.util.find_spec("pyspark") is None or not shutil.which("java"):
        print(f"{name}: skipped: there is no PySpark for this python3, or no Java")
        sys.exit(SKIPPED)
    from pyspark.sql import SparkSession
    builder = (SparkSession.builder.master(f"local[{threads}]").config("spark.ui.enabled", "false")
               .config("spark.sql.session.timeZone", "UTC")
               .config("spark.driver.bindAddress", "127.0.0.1")
               .config("spark.driver.host", "127.0.0.1"))
    for key, value in settings.items():
        builder = builder.config("spark." + key.replace("_", "."), value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("OFF")
    return spark


def answers(program, lines):
    """What the program answers to these lines: the lines of each case, which "end" ends."""
    done = subprocess.run([program], input="\n".join(lines) + "\n", capture_output=True, text=True, check=True)
    case = []
    for line in done.stdout.split("\n"):
        if line != "end":
            case.append(line)
            continue
        yield case
        case = []


def failures(want, have):
    """What differs where one of them has failed."""
    if want[0] == have[0]:
        return
    yield f"error: Spark {want[0] == 'error' and want[1]}, libspark {have[0] == 'error' and have[1]}"


def compare(form, number, make_case, ask_libspark, ask_spark, differences, size, unit, passed="", **settings):
    """Reads --number cases of a form by both, as the arguments of the program say, prints where they differ, and
    ends the program. size: of rows, in this unit; passed: what an error of Spark says that is passed over."""
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--number", type=int, default=number)
    parser.add_argument("--only", type=int)
    parser.add_argument("--keep")
    args = parser.parse_args()
    spark = open_session(f"conformance.{form}", sql_legacy_timeParserPolicy="CORRECTED", **settings)
    with tempfile.TemporaryDirectory() as scratch:
        directory = Path(args.keep or scratch)
        directory.mkdir(parents=True, exist_ok=True)
        cases = []
        chosen = range(args.number) if args.only is None else [args.only]
        for i in chosen:
            options, kind, content = make_case(random.Random(f"{args.seed}/{i}"))
            path = directory / f"case{i}.{form}"
            path.write_bytes(content)
            for end in (".spark", ".ours"):
                shutil.rmtree(str(path) + end, ignore_errors=True)
            cases.append((path, options, kind))
        ours = ask_libspark(args.program, cases)
        bad = total = errors = 0
        for i, case, have in zip(chosen, cases, ours):
            want = ask_spark(spark, *case)
            if passed and want[0] == "error" and passed in want[1]:
                continue
            found = list(differences(case, want, have))
            errors += want[0] == "error"
            total += size(want[1]) if want[0] != "error" else 0
            if found:
                bad += 1
                print(flush=True)
                print(f"case {i} of seed {args.seed}: {case[1]} {case[2]}")
                print(f"  {case[0].read_bytes()[:600]!r}")
                for text in found[:4]:
                    print(f"  {text[:700]}")
        print(f"conformance.{form}: {len(ours)} files, {total} {unit}, {errors} errors; {bad} differ")
        sys.exit(1 if bad else 0)


def in_utc(main):
    """Runs it with times in UTC."""
    os.environ["TZ"] = "UTC"
    time.tzset()
    main()
