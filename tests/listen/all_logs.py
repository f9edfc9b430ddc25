#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The logs of all contexts of all tests keep the rules. Of a build with -DSPARK_TEST_EVENT_LOGS=ON, whose test programs
write logs without knowing of it:

usage: all_logs.py BUILD [-L LABELS] [-LE LABELS] [-R NAMES] [-E NAMES] [-k DIRECTORY] [-v]
    -L to -E: as those of ctest; -k: logs with complaints are kept there; -v: what each test has written

Tests run one after the other, their logs are checked and removed. A test that fails is named; so is one that takes
calls or memory away, of which an event log, which makes calls of its own, may change the outcome. Exit 1: some log
breaks a rule."""
import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import event_log_rules

LONGEST = 600
# Makes pools of its own beside that of a context, from inside: their executors have the same name in one log.
NOT_AN_APPLICATION = {"exec.pool"}


def tests_of(how):
    command = ["ctest", "--show-only=json-v1"]
    for option, value in (("-L", how.L), ("-LE", how.LE), ("-R", how.R), ("-E", how.E)):
        if value:
            command += [option, value]
    shown = subprocess.run(command, cwd=how.build, capture_output=True, check=True)
    for test in json.loads(shown.stdout)["tests"]:
        if "command" in test and test["name"] not in NOT_AN_APPLICATION:
            yield test["name"], test["command"], {p["name"]: p["value"] for p in test.get("properties", [])}


def run(command, properties, logs):
    env = dict(os.environ, SPARK_EVENT_LOG_DIR=logs)
    env.update(pair.split("=", 1) for pair in properties.get("ENVIRONMENT", []))
    try:
        done = subprocess.run(command, cwd=properties.get("WORKING_DIRECTORY"), env=env, check=False, timeout=LONGEST,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    except subprocess.TimeoutExpired:
        return "takes too long"
    except OSError as error:
        return f"cannot be run: {error}"
    if done.returncode in (0, properties.get("SKIP_RETURN_CODE", 0)):
        return ""
    said = [line for line in done.stdout.decode(errors="replace").splitlines() if re.search("ERROR|FAILED|rror", line)]
    return f"ends with {done.returncode}: " + " | ".join(said[:2])[:200]


class Counted:
    """Of logs."""

    def __init__(self):
        self.logs = self.unfinished = self.events = self.bytes = self.wrong = 0

    def add(self, more):
        for name, value in vars(more).items():
            setattr(self, name, getattr(self, name) + value)

    def __str__(self):
        return (f"{self.logs} logs ({self.unfinished} of contexts that did not end), {self.events} events, "
                f"{self.bytes / 1e6:.0f} MB, {self.wrong} break rules")


def check(name, logs, keep):
    """The logs of a test: what breaks a rule is said, and kept where that is wanted."""
    of = Counted()
    for log in sorted(os.listdir(logs)):
        path = os.path.join(logs, log)
        of.logs += 1
        of.unfinished += log.endswith(".inprogress")
        of.bytes += os.path.getsize(path)
        with open(path, "rb") as file:
            of.events += sum(1 for _ in file)
        said = event_log_rules.complaints(path)
        if not said:
            continue
        of.wrong += 1
        print(f"{name}: {log}: " + "\n    ".join(said[:3]), flush=True)
        if keep:
            os.makedirs(keep, exist_ok=True)
            shutil.copy(path, os.path.join(keep, name + "." + log))
    return of


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    for option in ("-L", "-LE", "-R", "-E", "-k"):
        parser.add_argument(option)
    parser.add_argument("-v", action="store_true")
    how = parser.parse_args()
    all_of, failed, began = Counted(), 0, time.monotonic()
    for name, command, properties in tests_of(how):
        logs = tempfile.mkdtemp(prefix="all-logs-")
        why = run(command, properties, logs)
        failed += why != ""
        of = check(name, logs, how.k)
        all_of.add(of)
        if why or how.v:
            print(f"{name}: {of} {why}", flush=True)
        shutil.rmtree(logs, ignore_errors=True)
    print(f"{all_of}; {failed} tests failed; {time.monotonic() - began:.0f} s")
    return all_of.wrong > 0


if __name__ == "__main__":
    sys.exit(main())
