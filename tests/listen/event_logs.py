#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Event logs under adverse conditions: every log, of whole runs, of a program that was killed at any moment, on a
disk that is full, of texts that are none, keeps the rules; and programs whose log fails go on.

usage: event_logs.py SCENES TEXT [PROGRAM...]   SCENES: event_log_scenes; PROGRAM: whose contexts have logs where
SPARK_EVENT_LOG_DIR says"""
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import event_log_rules

KILLS = int(os.environ.get("EVENT_LOG_KILLS", "12"))
PROGRAMS = int(os.environ.get("EVENT_LOG_PROGRAMS", "1000"))
SCENES, TEXT = sys.argv[1:3]


def check(holds, *what):
    if not holds:
        sys.exit("event_logs: " + " ".join(map(str, what)))


def logs_in(directory, n, suffix=""):
    """The logs of a directory, which must be n; each keeps the rules."""
    paths = sorted(os.path.join(directory, name) for name in os.listdir(directory))
    check(n is None or len(paths) == n, "logs", paths, "not", n)
    for path in paths:
        said = event_log_rules.complaints(path)
        check(not said, path, said)
        check(path.endswith(suffix), path, "does not end in", suffix)
    return paths


def scene(logs, *name, **how):
    return subprocess.run([SCENES, logs, os.devnull, TEXT, *name], capture_output=True, check=False, **how)


def whole_runs(work):
    done = scene(work + "/whole")
    check(done.returncode == 0 and not done.stderr, "scenes", done)
    paths = logs_in(work + "/whole", 7)
    names = [next(e["App Name"] for e in event_log_rules.read(p) if "App Name" in e) for p in paths]
    ends = [e["Stage Info"] for e in event_log_rules.read(paths[0]) if e["Event"].endswith("StageCompleted")]
    with open(TEXT, "rb") as file:
        lines = file.read().split(b"\n")[:-1]
    sums = {a["Name"]: a["Value"] for s in ends for a in s["Accumulables"]}
    check(sums == {'lines "read"': str(len(lines)), "half of the bytes": f"{sum(map(len, lines)) / 2:.17g}"}, sums)
    check(any(n == '"\\</script><b>\x01\x1f\x7f��ä € �' for n in names), "names", names)


def hostile_texts(work):
    """Nothing of them is left out of the log but what is beyond its limit."""
    scene(work + "/hostile", "hostile")
    path, = logs_in(work + "/hostile", 1)
    with open(path, "rb") as file:
        text = file.read()
    check(b"<" not in text and b"\x7f" not in text, "markup or control characters in the log")
    start = next(e for e in event_log_rules.read(path) if e["Event"].endswith("JobStart"))
    group, description = (start["Properties"]["spark.job" + name] for name in ("Group.id", ".description"))
    check(group[:127] == "".join(map(chr, range(1, 128))) and set(group[127:]) == {"\ufffd"}, repr(group))
    check(description == '"' * 65536 + "…", len(description))
    rdd = start["Stage Infos"][0]["RDD Info"][0]
    check(rdd["Name"] == "<img src=x onerror=alert(1)> \ufffd\ufffd\ufffd \ufffd", repr(rdd["Name"]))
    check(rdd["Callsite"] == 'range at a "file"\n</script>\ufffd.c:7', repr(rdd["Callsite"]))


def killed_at_any_moment(work):
    rng = random.Random(1)
    for i in range(KILLS):
        logs = f"{work}/killed{i}"
        program = subprocess.Popen([SCENES, logs, os.devnull, TEXT, "endless"])
        until = time.monotonic() + 20
        while not (os.path.isdir(logs) and os.listdir(logs)) and time.monotonic() < until:
            time.sleep(0.001)
        time.sleep(rng.random() * 0.15)
        program.send_signal(signal.SIGKILL)
        program.wait()
        logs_in(logs, 1, ".inprogress")


def full_disk(work):
    """By a limit of the size of files, beyond which writing fails (Python ignores SIGXFSZ, as does what it starts)."""
    for i, most in enumerate((1, 100, 4096, 20000, 60001)):
        logs = f"{work}/full{i}"
        done = scene(logs, "rounds",
                     preexec_fn=lambda: (signal.signal(signal.SIGXFSZ, signal.SIG_IGN),
                                         resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))))
        check(done.returncode == 0, "with a full disk", done)
        check(done.stderr.count(b"\n") == 1 and b"the event log" in done.stderr, "one warning", done.stderr)
        path, = os.listdir(logs)
        check(path.endswith(".inprogress") and os.path.getsize(f"{logs}/{path}") <= most, path)
        logs_in(logs, 1)


def directories(work):
    done = scene(work + "/gone", "gone")
    check(done.returncode == 0 and done.stderr.count(b"\n") == 1, "without the directory", done)
    check(b"cannot be renamed" in done.stderr, done.stderr)
    for bad in (TEXT + "/below", "/nonsense/below/it", work + "/" + "x" * 300):
        done = scene(bad, "rounds")
        check(done.returncode == 1 and b"event log" in done.stderr, "in", bad, done)
    done = scene("file://" + work + "/uri", "rounds")
    logs_in(work + "/uri", 1)


def other_programs(work, programs):
    """Logs of what knows nothing of them, faults and all."""
    for i, program in enumerate(programs):
        logs = f"{work}/program{i}"
        os.mkdir(logs)
        done = subprocess.run([program], capture_output=True, check=False, env=dict(os.environ, SPARK_EVENT_LOG_DIR=logs))
        check(done.returncode == 0, program, done.stdout[-2000:], done.stderr[-2000:])
        n = len(logs_in(logs, None))
        print(f"{os.path.basename(program)}: {n} logs")
        check(n > 0, program, "has no log")
        shutil.rmtree(logs)


def main(programs):
    work = tempfile.mkdtemp(prefix="event-logs-")
    try:
        for part in (whole_runs, hostile_texts, killed_at_any_moment, full_disk, directories):
            part(work)
            print(part.__name__, "is fine")
        other_programs(work, programs[:PROGRAMS])
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[3:])
