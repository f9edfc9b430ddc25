#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The logistic regression finds what the same descent finds in Python, up to rounding.

usage: logistic_regression.py DATA LOGISTIC_REGRESSION
SPARK_RUN_UNDER: a command to run it under."""
import math
import os
import re
import subprocess
import sys


def read(path):
    with open(path, encoding="utf-8") as lines:
        rows = [[float(word) for word in line.split()] for line in lines]
    return [(row[0], [1.0, *row[1:]]) for row in rows]


def dot(a, b):
    return sum(x * y for x, y in zip(a, b))


def descend(samples, rounds):
    """The weights after some rounds, the mean loss and how many are right."""
    weights = [0.0] * 5
    for _ in range(rounds):
        errors = [1 / (1 + math.exp(-dot(weights, x))) - label for label, x in samples]
        for i in range(5):
            gradient = sum(error * x[i] for error, (_, x) in zip(errors, samples))
            weights[i] -= gradient / len(samples)
    likely = [(label, 1 / (1 + math.exp(-dot(weights, x)))) for label, x in samples]
    loss = -sum(math.log(p if label else 1 - p) for label, p in likely) / len(samples)
    return [*weights, loss, sum((p > 0.5) == (label > 0) for label, p in likely), len(samples)]


def main():
    data, program = sys.argv[1:]
    path = os.path.join(data, "samples.txt")
    under = os.environ.get("SPARK_RUN_UNDER", "").split()
    for rounds in (0, 1, 100):
        command = [*under, program, path, str(rounds)]
        out = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout.decode()
        got = [float(number) for number in re.findall(r"-?[0-9.]+", out)]
        want = descend(read(path), rounds)
        if len(got) != len(want) or any(abs(g - w) > 1e-6 for g, w in zip(got, want)):
            sys.exit(f"after {rounds} rounds: {got}, wanted {want}")


main()
