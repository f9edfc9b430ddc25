#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Metrics that a program has kept are, field by field, what its event log adds up to: for jobs, attempts of stages and
executors, sums, ends, localities and quantiles; and accumulators of tasks add up to those of their stages.

usage: metrics.py SCENES TEXT       SCENES: the program event_log_scenes"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import event_log_rules

WRONG = []
FIGURES = {"executorCpuTime": ("Executor CPU Time",), "resultSize": ("Result Size",),
           "memoryBytesSpilled": ("Memory Bytes Spilled",), "diskBytesSpilled": ("Disk Bytes Spilled",),
           "peakExecutionMemory": ("Peak Execution Memory",),
           "inputBytes": ("Input Metrics", "Bytes Read"), "inputRecords": ("Input Metrics", "Records Read"),
           "outputBytes": ("Output Metrics", "Bytes Written"), "outputRecords": ("Output Metrics", "Records Written"),
           "shuffleLocalBlocksFetched": ("Shuffle Read Metrics", "Local Blocks Fetched"),
           "shuffleRemoteBlocksFetched": ("Shuffle Read Metrics", "Remote Blocks Fetched"),
           "shuffleLocalBytesRead": ("Shuffle Read Metrics", "Local Bytes Read"),
           "shuffleRemoteBytesRead": ("Shuffle Read Metrics", "Remote Bytes Read"),
           "shuffleReadRecords": ("Shuffle Read Metrics", "Total Records Read"),
           "shuffleWriteBytes": ("Shuffle Write Metrics", "Shuffle Bytes Written"),
           "shuffleWriteRecords": ("Shuffle Write Metrics", "Shuffle Records Written")}
QUANTILES = (0, 0.05, 0.25, 0.5, 0.75, 0.95, 1)
LOCALITIES = ("PROCESS_LOCAL", "NODE_LOCAL", "NO_PREF", "ANY")


def same(what, kept, logged):
    if kept != logged:
        WRONG.append(f"{what}: {kept!r} is kept, {logged!r} is in the log")


def figure(metrics, names):
    for name in names:
        metrics = metrics.get(name, {}) if isinstance(metrics, dict) else {}
    return metrics or 0


def reason(end):
    word = end["Task End Reason"]["Reason"]
    return {"Success": "succeeded", "TaskKilled": "killed"}.get(word, "failed")


def compare_totals(at, kept, ends):
    for name in ("succeeded", "failed", "killed"):
        same(f"{at} {name}", kept[name], sum(reason(e) == name for e in ends))
    same(f"{at} running", kept["running"], 0)
    copies = [e for e in ends if e["Task Info"].get("Speculative")]
    same(f"{at} copies", kept["speculative"], len(copies))
    same(f"{at} retries", kept["retries"], sum(e["Task Info"]["Attempt"] > 0 for e in ends if e not in copies))
    same(f"{at} localities", kept["localities"], [sum(e["Task Info"]["Locality"] == l for e in ends) for l in LOCALITIES])
    for name, names in FIGURES.items():
        values = [figure(e["Task Metrics"], names) for e in ends]
        same(f"{at} {name}", kept["sum"][name], max(values, default=0) if name.startswith("peak") else sum(values))
    same(f"{at} run time", abs(kept["sum"]["run_ns"] / 1e6 - sum(e["Task Metrics"]["Executor Run Time"] for e in ends))
         <= len(ends), True)


def compare_quantiles(at, kept, ends):
    done = [e for e in ends if reason(e) == "succeeded"]
    same(f"{at} quantiles", len(kept), len(QUANTILES) if done else 0)
    for q, values in zip(QUANTILES, kept):
        index = min(int(q * len(done)), len(done) - 1)
        for name, names in FIGURES.items():
            same(f"{at} quantile {q} of {name}", values[name],
                 sorted(figure(e["Task Metrics"], names) for e in done)[index])
        same(f"{at} quantile {q} of run times", values["run_ns"] // 10**6,
             sorted(e["Task Metrics"]["Executor Run Time"] for e in done)[index])


def compare(at, log, metrics):
    ends = [e for e in log if e["Event"] == "SparkListenerTaskEnd"]
    stages, of_stage, of_executor = {}, defaultdict(list), defaultdict(list)
    for e in log:
        if e["Event"] in ("SparkListenerStageSubmitted", "SparkListenerStageCompleted"):
            stages[e["Stage Info"]["Stage ID"], e["Stage Info"]["Stage Attempt ID"]] = e["Stage Info"]
    for e in ends:
        of_stage[e["Stage ID"], e["Stage Attempt ID"]].append(e)
        of_executor[e["Task Info"]["Executor ID"]].append(e)
    same(at + " stages", [(s["stage"], s["attempt"]) for s in metrics["stages"]], sorted(stages))
    for s in metrics["stages"]:
        key, here = (s["stage"], s["attempt"]), f"{at} stage {s['stage']}.{s['attempt']}"
        compare_totals(here, s, of_stage[key])
        compare_quantiles(here, s["quantiles"], of_stage[key])
        same(here + " tasks", s["tasks"], stages[key]["Number of Tasks"])
        same(here + " state", s["state"], 2 if "Failure Reason" in stages[key] else 1)
        updates = defaultdict(float)
        for stage in (k for k in stages if k[0] == s["stage"] and k[1] <= s["attempt"]):
            for e in of_stage[stage]:
                for a in e["Task Info"].get("Accumulables", []):
                    updates[a["Name"]] += float(a["Update"])
        told = {a["Name"]: float(a["Value"]) for a in stages[key]["Accumulables"]}
        faults = [m["sum"]["page faults"] for m in metrics["stages"] if m["stage"] == key[0] and m["attempt"] <= key[1]]
        same(here + " page faults", sum(faults), told.pop("page faults", 0)) # of the stage alone, where they are counted
        for name in ("cycles", "instructions", "cache misses"):
            told.pop(name, None)
        same(here + " accumulators", dict(updates), told)
    jobs = {e["Job ID"]: e for e in log if e["Event"] == "SparkListenerJobEnd"}
    job_of = {s["stage"]: s["job"] for s in metrics["stages"]}
    same(at + " jobs", [j["job"] for j in metrics["jobs"]], sorted(jobs))
    for j in metrics["jobs"]:
        here = f"{at} job {j['job']}"
        compare_totals(here, j, [e for e in ends if job_of[e["Stage ID"]] == j["job"]])
        same(here + " state", j["state"], 1 if jobs[j["job"]]["Job Result"]["Result"] == "JobSucceeded" else 2)
        same(here + " attempts", j["attempts"], sum(job_of[k[0]] == j["job"] for k in stages))
        start = next(e for e in log if e["Event"] == "SparkListenerJobStart" and e["Job ID"] == j["job"])
        same(here + " tasks", j["tasks"], sum(s["Number of Tasks"] for s in start["Stage Infos"]))
        same(here + " skipped", j["skipped"], len(set(start["Stage IDs"]) - {k[0] for k in stages}))
    same(at + " executors", sorted(e["id"] for e in metrics["executors"]),
         sorted(e["Executor ID"] for e in log if e["Event"] == "SparkListenerExecutorAdded"))
    for e in metrics["executors"]:
        compare_totals(f"{at} executor {e['id']}", e, of_executor[e["id"]])
    return len(ends)


def main(scenes, text):
    work = tempfile.mkdtemp(prefix="metrics-")
    logs, expected = work + "/logs", work + "/expected"
    subprocess.run([scenes, logs, expected, text], check=True)
    with open(expected) as file:
        kept = [json.loads(line)["metrics"] for line in file]
    paths = sorted(os.path.join(logs, name) for name in os.listdir(logs))
    same("applications", len(kept), len(paths))
    n = sum(compare(f"application {i}", event_log_rules.read(path), metrics)
            for i, (path, metrics) in enumerate(zip(paths, kept)))
    for said in WRONG[:40]:
        print(said)
    print(f"{len(paths)} applications, {n} tasks, {len(WRONG)} differences")
    shutil.rmtree(work)
    return len(WRONG) > 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
