#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares libspark with Spark: random pipelines (oracle.py) through PySpark 4 and through the C
program conformance_pipelines, on the same input.

usage: run.py PIPELINES [--seed N] [--number N] [--only N] [--keep DIR]

PIPELINES is the built program. By hand, from the top of the project:

    cmake -S . -B build && cmake --build build --target conformance_pipelines
    tests/conformance/run.py build/tests/conformance/conformance_pipelines

or  ctest --test-dir build --label-regex '^conformance$'

Needs PySpark for this python3, and Java 17 or later; says so and ends with 77 where one is missing.
--only: just this pipeline of the seed. --keep: the program, its input and all results stay in DIR.

libspark runs the program twice: as it is by default, and in check mode with batches of three rows.
Prints how often each operation occurs and how often all that was compared of it was equal: of a
transformation the number of partitions, whether there is a partitioner, and the elements of all
actions that descend from it; of an action its results. Ends with 1 on a difference, or where an
operation never occurs.
"""
import argparse
import importlib.util
import math
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import oracle

SKIPPED = 77


def missing():
    if importlib.util.find_spec("pyspark") is None:
        return "PySpark"
    home = os.environ.get("JAVA_HOME")
    return None if shutil.which("java") or (home and Path(home, "bin/java").exists()) else "Java"


def read(path):
    """{(pipeline, step): lines}"""
    lines = {}
    for line in Path(path).read_text().splitlines():
        pipeline, step, text = line.split("\t", 2)
        lines.setdefault((int(pipeline), int(step)), []).append(text)
    return lines


def same(want, have, how):
    if how == "bag":
        return sorted(want) == sorted(have)
    if how == "close" and len(want) == len(have) and want != ["empty"]:
        try:
            return all(w == h or math.isclose(float(w), float(h), rel_tol=1e-9, abs_tol=1e-9)
                       or float(w) != float(w) and float(h) != float(h)
                       for w, h in zip(want, have))
        except ValueError:
            return False
    if how == "parts":
        return len(want) == len(have) == 1 and len(have[0].split()) == 2 and all(
            w.endswith("=?") or w == h for w, h in zip(want[0].split(), have[0].split()))
    return want == have


def compare(pipeline, want, have, totals):
    """The steps that differ, as texts; counts in totals: operation: [steps, equal, compared]."""
    wrong, ancestors, bad = [], [], set()
    transforms = {m.step for m in pipeline.made}
    for step, (op, sources, args, _) in enumerate(pipeline.steps):
        ancestors.append({step}.union(*(ancestors[s] for s in sources)))
        at = pipeline.number, step
        how = "parts" if step in transforms else args[-1]
        if not same(want.get(at, []), have.get(at, []), how):
            bad |= ancestors[-1] if step not in transforms else {step}
            wrong.append("pipeline %d, step %d: %s\n  Spark:    %s\n  libspark: %s" % (
                *at, describe(pipeline, step), want.get(at, []), have.get(at, [])))
    for step, (op, *_) in enumerate(pipeline.steps):
        total = totals.setdefault(op, [0, 0])
        total[0] += 1
        total[1] += step not in bad
    return wrong


def describe(pipeline, step):
    """A step and what it comes from."""
    op, sources, args, _ = pipeline.steps[step]
    return "%s(%s)" % (op, ", ".join([describe(pipeline, s) for s in sources] + args))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("pipelines")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--number", type=int, default=200)
    parser.add_argument("--only", type=int)
    parser.add_argument("--keep")
    options = parser.parse_args()
    lacking = missing()
    if lacking:
        print("conformance.pyspark: skipped: %s is not there" % lacking)
        return SKIPPED

    folder = Path(options.keep or tempfile.mkdtemp(prefix="conformance-")).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        return run(options, folder)
    finally:
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)


def run(options, folder):
    only = [] if options.only is None else [str(options.only)]
    # PySpark's hash partitioner wants the seed; its workers find oracle by the path.
    here = Path(oracle.__file__).resolve().parent
    paths = [str(here), *filter(None, [os.environ.get("PYTHONPATH")])]
    subprocess.run([sys.executable, "-B", here / "oracle.py", str(options.seed),
                    str(options.number), folder, *only], check=True,
                   env={**os.environ, "PYTHONHASHSEED": "0", "SPARK_LOCAL_IP": "127.0.0.1",
                        "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": os.pathsep.join(paths),
                        "PYSPARK_PYTHON": sys.executable})
    chosen = [p for p in oracle.pipelines(options.seed, options.number)
              if options.only in (None, p.number)]
    want = read(folder / "expected")
    compared = sum(1 for lines in want.values() if lines[0].startswith("parts=")
                   and "?" not in lines[0])
    differ, table = set(), {}
    for mode in "plain", "check":
        out = folder / ("out-" + mode)
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
        with open(folder / ("results-" + mode), "w") as results:
            failed = subprocess.run([options.pipelines, folder / "program", folder / "in", out,
                                     mode], stdout=results).returncode
        if failed:
            print("%s: ended with %d" % (options.pipelines, failed))
            return 1
        have, totals = read(folder / ("results-" + mode)), {}
        for pipeline in chosen:
            wrong = compare(pipeline, want, have, totals)
            for text in wrong:
                print("%s: %s" % (mode, text))
            if wrong:
                differ.add(pipeline.number)
        for op, (n, equal) in totals.items():
            table[op] = [n, min(equal, table.get(op, [n, equal])[1])]

    print("%-36s %6s %6s" % ("operation", "times", "equal"))
    for op in oracle.TRANSFORMS + oracle.ACTIONS:
        print("%-36s %6d %6d" % (op, *table.get(op, (0, 0))))
    print("%-36s %6d" % ("getNumPartitions, partitioner", compared))
    never = [op for op in oracle.TRANSFORMS + oracle.ACTIONS if op not in table]
    unlisted = set(table) - set(oracle.TRANSFORMS + oracle.ACTIONS)
    if not only and (never or unlisted):
        print("never covered: %s; not listed: %s" % (" ".join(never), " ".join(unlisted)))
    print("%d pipelines, %d equal" % (len(chosen), len(chosen) - len(differ)))
    return 1 if differ or (not only and (never or unlisted)) else 0


if __name__ == "__main__":
    sys.exit(main())
