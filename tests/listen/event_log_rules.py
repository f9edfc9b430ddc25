#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What Spark's reader demands of an event log, and what its pages need to come out right.

usage: event_log_rules.py [-q] LOG...      a directory stands for all logs in it
Exit 1: something is wrong. read(path) and complaints(path) are for other tests."""
import json
import os
import re
import sys

NUMBER, TEXT, BOOL, MAP, LIST = int, str, bool, dict, list
TASK_INFO = {"Task ID": NUMBER, "Index": NUMBER, "Attempt": NUMBER, "Partition ID": NUMBER, "Launch Time": NUMBER,
             "Executor ID": TEXT, "Host": TEXT, "Locality": TEXT, "Getting Result Time": NUMBER, "Finish Time": NUMBER,
             "Failed": BOOL}
STAGE_INFO = {"Stage ID": NUMBER, "Stage Attempt ID": NUMBER, "Stage Name": TEXT, "Number of Tasks": NUMBER,
              "RDD Info": LIST, "Parent IDs": LIST, "Details": TEXT, "Accumulables": LIST}
RDD_INFO = {"RDD ID": NUMBER, "Name": TEXT, "Scope": TEXT, "Callsite": TEXT, "Parent IDs": LIST,
            "Storage Level": MAP, "Number of Partitions": NUMBER, "Number of Cached Partitions": NUMBER,
            "Memory Size": NUMBER, "Disk Size": NUMBER}
LEVEL = {"Use Disk": BOOL, "Use Memory": BOOL, "Deserialized": BOOL, "Replication": NUMBER}
MANAGER = {"Executor ID": TEXT, "Host": TEXT, "Port": NUMBER}
METRICS = {"Executor Deserialize Time": NUMBER, "Executor Run Time": NUMBER, "Executor CPU Time": NUMBER,
           "Result Size": NUMBER, "JVM GC Time": NUMBER, "Result Serialization Time": NUMBER,
           "Memory Bytes Spilled": NUMBER, "Disk Bytes Spilled": NUMBER}
PARTS = {"Shuffle Read Metrics": {"Remote Blocks Fetched": NUMBER, "Local Blocks Fetched": NUMBER,
                                  "Remote Bytes Read": NUMBER, "Fetch Wait Time": NUMBER},
         "Shuffle Write Metrics": {"Shuffle Bytes Written": NUMBER, "Shuffle Write Time": NUMBER},
         "Input Metrics": {"Bytes Read": NUMBER}, "Output Metrics": {"Bytes Written": NUMBER}}
EVENTS = {
    "LogStart": {"Spark Version": TEXT},
    "ApplicationStart": {"App Name": TEXT, "App ID": TEXT, "Timestamp": NUMBER, "User": TEXT},
    "ApplicationEnd": {"Timestamp": NUMBER},
    "EnvironmentUpdate": {"JVM Information": MAP, "Spark Properties": MAP, "System Properties": MAP,
                          "Classpath Entries": MAP},
    "ExecutorAdded": {"Timestamp": NUMBER, "Executor ID": TEXT, "Executor Info": MAP},
    "ExecutorRemoved": {"Timestamp": NUMBER, "Executor ID": TEXT, "Removed Reason": TEXT},
    "BlockManagerAdded": {"Block Manager ID": MAP, "Maximum Memory": NUMBER, "Timestamp": NUMBER},
    "BlockManagerRemoved": {"Block Manager ID": MAP, "Timestamp": NUMBER},
    "JobStart": {"Job ID": NUMBER, "Stage IDs": LIST, "Submission Time": NUMBER, "Stage Infos": LIST,
                 "Properties": MAP},
    "JobEnd": {"Job ID": NUMBER, "Completion Time": NUMBER, "Job Result": MAP},
    "StageSubmitted": {"Stage Info": MAP, "Properties": MAP},
    "StageCompleted": {"Stage Info": MAP},
    "TaskStart": {"Stage ID": NUMBER, "Stage Attempt ID": NUMBER, "Task Info": MAP},
    "TaskEnd": {"Stage ID": NUMBER, "Stage Attempt ID": NUMBER, "Task Type": TEXT, "Task End Reason": MAP,
                "Task Info": MAP, "Task Metrics": MAP},
    "BlockUpdated": {"Block Updated Info": MAP},
    "UnpersistRDD": {"RDD ID": NUMBER},
}
SQL = "org.apache.spark.sql.execution.ui."
SQL_EVENTS = {
    "SQLExecutionStart": {"executionId": NUMBER, "rootExecutionId": NUMBER, "description": TEXT, "details": TEXT,
                          "physicalPlanDescription": TEXT, "sparkPlanInfo": MAP, "time": NUMBER,
                          "modifiedConfigs": MAP, "jobTags": LIST},
    "SQLExecutionEnd": {"executionId": NUMBER, "time": NUMBER, "errorMessage": TEXT},
    "DriverAccumUpdates": {"executionId": NUMBER, "accumUpdates": LIST},
}
PLAN = {"nodeName": TEXT, "simpleString": TEXT, "metadata": MAP, "metrics": LIST, "children": LIST}
METRIC = {"name": TEXT, "accumulatorId": NUMBER, "metricType": TEXT}
REASONS = {"Success": {}, "ExceptionFailure": {"Class Name": TEXT, "Description": TEXT, "Stack Trace": LIST,
                                               "Full Stack Trace": TEXT, "Accumulator Updates": LIST},
           "FetchFailed": {"Shuffle ID": NUMBER, "Map ID": NUMBER, "Reduce ID": NUMBER, "Message": TEXT},
           "TaskKilled": {"Kill Reason": TEXT},
           "ExecutorLostFailure": {"Executor ID": TEXT, "Exit Caused By App": BOOL, "Loss Reason": TEXT}}
LOCALITIES = {"PROCESS_LOCAL", "NODE_LOCAL", "NO_PREF", "RACK_LOCAL", "ANY"}


class Rules:
    """Goes through the events of a log; said: what is wrong, with the line."""

    def __init__(self):
        self.said, self.line = [], 0
        self.jobs, self.stages, self.tasks, self.executors, self.rdds = {}, {}, {}, {}, {}
        self.ended_jobs, self.started, self.ended = set(), False, False
        self.executions, self.ended_executions, self.metrics = {}, set(), {}

    def rule(self, holds, text):
        if not holds and len(self.said) < 50:
            self.said.append(f"line {self.line}: {text}")
        return bool(holds)

    def fields(self, what, value, wanted):
        for name, kind in wanted.items():
            there = value.get(name)
            if not isinstance(there, kind) or (kind is not BOOL and isinstance(there, bool)):
                self.rule(False, f"{what}: '{name}' is {there!r}, not {kind.__name__}")  # a long text: only then
            elif kind is NUMBER and not -2**63 <= there < 2**63:
                self.rule(False, f"{what}: '{name}' does not fit")

    def texts(self, what, value):
        for name, text in value.items():
            self.rule(isinstance(text, str), f"{what}: value of {name!r} is no text")

    def manager(self, m):
        self.fields("block manager", m, MANAGER)
        self.rule(m.get("Port", 0) > 0 and ":" not in m.get("Host", ":"), f"block manager {m}")

    def rdd(self, r):
        self.fields("RDD", r, RDD_INFO)
        self.fields("level", r.get("Storage Level", {}), LEVEL)
        scope = json.loads(r.get("Scope", "{}"))
        self.rule(set(scope) <= {"id", "name", "parent"} and isinstance(scope.get("id"), str), f"scope {scope}")

    def stage(self, s):
        self.fields("stage", s, STAGE_INFO)
        for r in s.get("RDD Info", []):
            if self.rdds.get(r["RDD ID"]) != r:  # else it has been looked at, as one of another stage or event
                self.rdd(r)
                self.rdds[r["RDD ID"]] = r
        ids = [r["RDD ID"] for r in s.get("RDD Info", [])]
        if not ids or len(ids) != len(set(ids)):
            self.rule(False, f"RDDs of stage {s.get('Stage ID')}: {ids}")
        return s.get("Stage ID"), s.get("Stage Attempt ID")

    def task(self, t, ends):
        self.fields("task", t, TASK_INFO)
        self.rule(t.get("Locality") in LOCALITIES, f"locality {t.get('Locality')}")
        self.rule((t.get("Finish Time", 0) > 0) == ends, f"finish time {t.get('Finish Time')}")
        self.rule(not ends or t["Finish Time"] >= t["Launch Time"], "a task ends before it begins")
        self.rule(t.get("Executor ID") in self.executors, f"executor {t.get('Executor ID')} is not known")

    # ---- one method an event

    def on_LogStart(self, _):
        self.rule(self.line == 1, "LogStart is not the first event")

    def on_ApplicationStart(self, _):
        self.rule(not self.started, "a second ApplicationStart")
        self.started = True

    def on_ApplicationEnd(self, _):
        self.ended = True
        for key, s in self.stages.items():
            self.rule(not s["open"], f"stage {key} does not end")
        for id, ended in self.tasks.items():
            self.rule(ended, f"task {id} does not end")
        self.rule(set(self.jobs) == self.ended_jobs, f"jobs {set(self.jobs) - self.ended_jobs} do not end")
        open_ones = set(self.executions) - self.ended_executions
        self.rule(not open_ones, f"executions {open_ones} do not end")

    def on_EnvironmentUpdate(self, e):
        for name in ("JVM Information", "Spark Properties", "System Properties", "Classpath Entries"):
            self.texts(name, e[name])

    def on_ExecutorAdded(self, e):
        self.fields("executor", e["Executor Info"], {"Host": TEXT, "Total Cores": NUMBER, "Log Urls": MAP})
        self.rule(e["Executor ID"] not in self.executors, f"executor {e['Executor ID']} comes twice")
        self.executors[e["Executor ID"]] = True

    def on_ExecutorRemoved(self, e):
        self.rule(self.executors.get(e["Executor ID"]), f"executor {e['Executor ID']} goes, which is not there")
        self.executors[e["Executor ID"]] = False

    def on_BlockManagerAdded(self, e):
        self.manager(e["Block Manager ID"])
        self.rule(("Maximum Onheap Memory" in e) == ("Maximum Offheap Memory" in e), "half of the memory")

    def on_BlockManagerRemoved(self, e):
        self.manager(e["Block Manager ID"])

    def on_JobStart(self, e):
        self.rule(self.started and e["Job ID"] not in self.jobs, f"job {e['Job ID']} begins twice, or too early")
        self.texts("properties", e["Properties"])
        execution = e["Properties"].get("spark.sql.execution.id")
        self.rule(execution is None or int(execution) in set(self.executions) - self.ended_executions,
                  f"job {e['Job ID']} is of execution {execution}, which does not run")
        self.jobs[e["Job ID"]] = e["Stage IDs"]
        self.rule([s["Stage ID"] for s in e["Stage Infos"]] == e["Stage IDs"], "stages of the job")
        for s in e["Stage Infos"]:
            self.stage(s)
            self.rule("Completion Time" not in s, "a stage of a job that begins has ended")

    def on_JobEnd(self, e):
        self.rule(e["Job ID"] in self.jobs and e["Job ID"] not in self.ended_jobs, f"job {e['Job ID']} ends")
        self.ended_jobs.add(e["Job ID"])
        result = e["Job Result"].get("Result")
        self.rule(result in ("JobSucceeded", "JobFailed"), f"result {result}")
        if result == "JobFailed":
            self.fields("exception", e["Job Result"]["Exception"], {"Message": TEXT, "Stack Trace": LIST})
        for key, s in self.stages.items():
            if key[0] in self.jobs.get(e["Job ID"], []):
                self.rule(not s["open"], f"stage {key} outlives job {e['Job ID']}")

    def on_StageSubmitted(self, e):
        key = self.stage(e["Stage Info"])
        self.rule(key not in self.stages, f"stage {key} is submitted twice")
        self.rule(e["Stage Info"].get("Submission Time", 0) > 0, "no submission time")
        self.stages[key] = {"open": True, "tasks": e["Stage Info"]["Number of Tasks"], "done": set()}

    def on_StageCompleted(self, e):
        key = self.stage(e["Stage Info"])
        info = e["Stage Info"]
        self.rule(key in self.stages and self.stages[key]["open"], f"stage {key} ends, which was not open")
        self.rule(info.get("Completion Time", 0) >= info.get("Submission Time", 1) > 0, "times of the stage")
        if key in self.stages:
            s = self.stages[key]
            s["open"] = False
            if "Failure Reason" not in info and key[1] == 0:
                self.rule(len(s["done"]) == s["tasks"], f"stage {key}: {len(s['done'])} of {s['tasks']} tasks done")

    def on_TaskStart(self, e):
        key, id = (e["Stage ID"], e["Stage Attempt ID"]), e["Task Info"]["Task ID"]
        self.rule(key in self.stages, f"a task of stage {key}, which was not submitted")
        self.rule(id not in self.tasks, f"task {id} begins twice")
        self.tasks[id] = False
        self.task(e["Task Info"], False)

    def on_TaskEnd(self, e):
        key, info, reason = (e["Stage ID"], e["Stage Attempt ID"]), e["Task Info"], e["Task End Reason"]
        self.rule(self.tasks.get(info["Task ID"]) is False, f"task {info['Task ID']} ends")
        self.tasks[info["Task ID"]] = True
        self.task(info, True)
        self.rule(e["Task Type"] in ("ResultTask", "ShuffleMapTask"), f"type {e['Task Type']}")
        word = reason.get("Reason")
        if self.rule(word in REASONS, f"reason {word}"):
            self.fields(word, reason, REASONS[word])
        self.rule(info["Failed"] == (word not in ("Success", "TaskKilled")), f"failed, by {word}")
        self.rule(info.get("Killed", False) == (word == "TaskKilled"), f"killed, by {word}")
        metrics = e["Task Metrics"]
        self.fields("metrics", metrics, METRICS)
        for part, wanted in PARTS.items():
            if part in metrics:
                self.fields(part, metrics[part], wanted)
        self.rule(metrics["Executor Run Time"] <= info["Finish Time"] - info["Launch Time"] + 1, "run time")
        if word == "Success" and key in self.stages:
            self.stages[key]["done"].add(info["Index"])

    def on_BlockUpdated(self, e):
        b = e["Block Updated Info"]
        self.fields("block", b, {"Block Manager ID": MAP, "Block ID": TEXT, "Storage Level": MAP,
                                 "Memory Size": NUMBER, "Disk Size": NUMBER})
        self.manager(b["Block Manager ID"])
        self.fields("level", b["Storage Level"], LEVEL)
        self.rule(re.fullmatch(r"rdd_\d+_\d+", b["Block ID"]), f"block {b['Block ID']}")

    def on_UnpersistRDD(self, _):
        pass

    def plan(self, node, execution):
        """A node of a plan; how many there are."""
        self.fields("plan", node, PLAN)
        for m in node["metrics"]:
            self.fields("metric", m, METRIC)
            self.rule(m["accumulatorId"] not in self.metrics, f"metric {m['accumulatorId']} twice")
            self.metrics[m["accumulatorId"]] = execution
        return 1 + sum(self.plan(child, execution) for child in node["children"])

    def on_SQLExecutionStart(self, e):
        id = e["executionId"]
        self.rule(self.started and id not in self.executions, f"execution {id} begins twice, or too early")
        self.executions[id] = self.plan(e["sparkPlanInfo"], id)
        lines = e["physicalPlanDescription"].split("\n")
        self.rule(lines[0] == "== Physical Plan ==", f"the plan of execution {id} has no head")

    def on_SQLExecutionEnd(self, e):
        id = e["executionId"]
        self.rule(id in self.executions and id not in self.ended_executions, f"execution {id} ends")
        self.ended_executions.add(id)

    def on_DriverAccumUpdates(self, e):
        self.rule(e["executionId"] in self.executions, f"metrics of execution {e['executionId']}")
        for id, value in e["accumUpdates"]:
            self.rule(self.metrics.get(id) == e["executionId"] and value >= 0, f"metric {id} is {value}")

    def event(self, text):
        self.line += 1
        e = json.loads(text)
        of_sql = text.startswith('{"Event":"' + SQL + "SparkListener")
        self.rule(of_sql or text.startswith('{"Event":"SparkListener'), "a line does not begin with its event")
        kind = e["Event"].removeprefix(SQL).removeprefix("SparkListener")
        events = SQL_EVENTS if of_sql else EVENTS
        if self.rule(kind in events, f"event {kind} is not known"):
            before = len(self.said)
            self.fields(kind, e, events[kind])
            if len(self.said) == before:
                getattr(self, "on_" + kind)(e)
        return e


def lines_of(path):
    """Its whole lines, and what is behind them."""
    with open(path, "rb") as file:
        *lines, rest = file.read().split(b"\n")
    return lines, rest


def complaints(path):
    """What is wrong with a log; of one in progress a last line that is cut off is fine."""
    rules, (lines, rest) = Rules(), lines_of(path)
    name = os.path.basename(path)
    running = name.endswith(".inprogress")
    rules.rule("." not in name.removesuffix(".inprogress"), "a dot in the name")
    rules.rule(running or not rest, "the last line has no end")
    for line in lines:
        try:
            rules.event(line.decode("utf-8"))
        except (ValueError, KeyError, TypeError) as error:
            rules.rule(False, f"{type(error).__name__}: {error}")
    rules.rule(running or rules.ended, "no ApplicationEnd")
    rules.rule(rules.started or running and len(lines) < 2, "no ApplicationStart")
    return rules.said


def read(path):
    return [json.loads(line) for line in lines_of(path)[0]]


def main(argv):
    quiet, bad, n = "-q" in argv, 0, 0
    paths = []
    for path in [a for a in argv if a != "-q"]:
        paths += [os.path.join(path, f) for f in sorted(os.listdir(path))] if os.path.isdir(path) else [path]
    for path in paths:
        said = complaints(path)
        n, bad = n + 1, bad + bool(said)
        if said or not quiet:
            print(f"{path}: {len(said)} complaints")
        for text in said[:10]:
            print("   ", text)
    print(f"{n} logs, {bad} of them bad")
    return bad > 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
