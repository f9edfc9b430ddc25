#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The real History Server of a PySpark that is installed reads event logs, and what it answers is compared,
field by field, with what the library's counters say, and with the logs.

usage: history_server.py SCENES TEXT       SCENES: the program event_log_scenes
Exit 77: there is no PySpark or no Java."""
import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import event_log_rules

WRONG = []


def same(what, there, wanted):
    if there != wanted:
        WRONG.append(f"{what}: the server says {there!r}, not {wanted!r}")


def find_spark():
    """The home of a PySpark: of this Python, or of one that SPARK_HOME or PYSPARK_PYTHON names."""
    home = os.environ.get("SPARK_HOME")
    found = importlib.util.find_spec("pyspark")
    if not home and found:
        home = os.path.dirname(found.origin)
    python = os.environ.get("PYSPARK_PYTHON")
    if not home and python:
        done = subprocess.run([python, "-c", "import pyspark, os; print(os.path.dirname(pyspark.__file__))"],
                              capture_output=True, text=True, check=False)
        home = done.stdout.strip() or None
    return home if home and shutil.which("java") and os.path.exists(home + "/bin/spark-class") else None


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    def __init__(self, home, logs, work):
        self.port = free_port()
        self.log = work + "/server.log"
        env = dict(os.environ, SPARK_HOME=home, SPARK_LOCAL_IP="127.0.0.1", SPARK_LOG_DIR=work)
        command = [home + "/bin/spark-class", f"-Dspark.history.fs.logDirectory=file:{logs}",
                   f"-Dspark.history.ui.port={self.port}", "-Dspark.history.fs.update.interval=1s",
                   "org.apache.spark.deploy.history.HistoryServer"]
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(command, env=env, stdout=log, stderr=log, start_new_session=True)

    def get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/v1/{path}", timeout=60) as answer:
            return json.load(answer)

    def await_applications(self, n):
        for _ in range(240):
            try:
                listed = self.get("applications")
                if len(listed) >= n:
                    return listed
            except OSError:
                pass
            if self.process.poll() is not None:
                break
            time.sleep(0.5)
        sys.exit("the History Server lists fewer applications than there are logs:\n" + open(self.log).read()[-3000:])

    def end(self):
        self.process.terminate()
        self.process.wait(30)


def compare_jobs(server, app, expected):
    jobs = {j["jobId"]: j for j in server.get(f"applications/{app}/jobs")}
    same(f"{app} jobs", sorted(jobs), [j["job"] for j in expected])
    stages = server.get(f"applications/{app}/stages")
    for want in expected:
        job, at = jobs[want["job"]], f"{app} job {want['job']}"
        same(at + " completed tasks", job["numCompletedTasks"], want["tasks"])
        same(at + " skipped stages", job["numSkippedStages"], want["skipped"])
        own = [s for s in stages if s["stageId"] in job["stageIds"] and s["status"] != "SKIPPED"]
        same(at + " stage attempts", len(own), want["attempts"])
        failed = want["failed"] + want["lost"]
        if want["disowned"] == 0:
            same(at + " failed tasks", job["numFailedTasks"], failed)
        if failed + want["disowned"] == 0:
            for field, counter in (("shuffleWriteRecords", "shuffle_rows"), ("shuffleWriteBytes", "shuffle_bytes"),
                                   ("diskBytesSpilled", "spilled")):
                same(f"{at} {field}", sum(s[field] for s in own), want[counter])


def compare_executors(server, app, expected):
    there = {e["id"]: e for e in server.get(f"applications/{app}/allexecutors")}
    ids = {e["id"] for e in expected}
    same(f"{app} executors", set(there) - {"driver"}, ids - {"driver"})
    for want in expected:
        e, at = there[want["id"]], f"{app} executor {want['id']}"
        same(at + " isActive", e["isActive"], want["alive"])
        same(at + " totalCores", e["totalCores"], want["threads"])
        same(at + " maxMemory", e["maxMemory"], want["memory"])
        same(at + " completedTasks", e["completedTasks"], want["done"])
        same(at + " failedTasks", e["failedTasks"], want["failed"])
        same(at + " rddBlocks", e["rddBlocks"], want["blocks"])


def compare_storage(server, app, expected):
    there = {r["id"]: r for r in server.get(f"applications/{app}/storage/rdd")}
    same(f"{app} cached RDDs", sorted(there), sorted(r["rdd"] for r in expected))
    for want in expected:
        r, at = there.get(want["rdd"], {}), f"{app} RDD {want['rdd']}"
        same(at + " partitions", r.get("numPartitions"), want["partitions"])
        same(at + " cached", r.get("numCachedPartitions"), want["cached"])
        same(at + " memory", r.get("memoryUsed"), want["memory"])
        same(at + " disk", r.get("diskUsed"), want["disk"])
        if want["name"]:
            same(at + " name", r.get("name"), want["name"])


METRICS = [("executorRunTime", ("Executor Run Time",)), ("executorCpuTime", ("Executor CPU Time",)),
           ("resultSize", ("Result Size",)), ("diskBytesSpilled", ("Disk Bytes Spilled",)),
           ("memoryBytesSpilled", ("Memory Bytes Spilled",)), ("peakExecutionMemory", ("Peak Execution Memory",)),
           ("inputMetrics.bytesRead", ("Input Metrics", "Bytes Read")),
           ("inputMetrics.recordsRead", ("Input Metrics", "Records Read")),
           ("outputMetrics.bytesWritten", ("Output Metrics", "Bytes Written")),
           ("outputMetrics.recordsWritten", ("Output Metrics", "Records Written")),
           ("shuffleReadMetrics.localBlocksFetched", ("Shuffle Read Metrics", "Local Blocks Fetched")),
           ("shuffleReadMetrics.remoteBlocksFetched", ("Shuffle Read Metrics", "Remote Blocks Fetched")),
           ("shuffleReadMetrics.localBytesRead", ("Shuffle Read Metrics", "Local Bytes Read")),
           ("shuffleReadMetrics.remoteBytesRead", ("Shuffle Read Metrics", "Remote Bytes Read")),
           ("shuffleReadMetrics.recordsRead", ("Shuffle Read Metrics", "Total Records Read")),
           ("shuffleWriteMetrics.bytesWritten", ("Shuffle Write Metrics", "Shuffle Bytes Written")),
           ("shuffleWriteMetrics.recordsWritten", ("Shuffle Write Metrics", "Shuffle Records Written"))]
STATUS = {"Success": "SUCCESS", "TaskKilled": "KILLED"}


def dig(value, names):
    for name in names:
        value = value.get(name, {}) if isinstance(value, dict) else {}
    return value or 0


def compare_tasks(server, app, log):
    """Each task, with its line in the log."""
    ends = [e for e in log if e["Event"] == "SparkListenerTaskEnd"]
    for stage, attempt in {(e["Stage ID"], e["Stage Attempt ID"]) for e in ends}:
        there = {t["taskId"]: t for t in server.get(
            f"applications/{app}/stages/{stage}/{attempt}/taskList?length=100000")}
        wanted = [e for e in ends if (e["Stage ID"], e["Stage Attempt ID"]) == (stage, attempt)]
        same(f"{app} tasks of stage {stage}.{attempt}", sorted(there), sorted(e["Task Info"]["Task ID"] for e in wanted))
        for e in wanted:
            info, task = e["Task Info"], there[e["Task Info"]["Task ID"]]
            at = f"{app} task {info['Task ID']}"
            for field, name in (("index", "Index"), ("attempt", "Attempt"), ("executorId", "Executor ID"),
                                ("taskLocality", "Locality"), ("speculative", "Speculative"), ("partitionId", "Partition ID")):
                same(f"{at} {field}", task[field], info.get(name, False))
            same(at + " status", task["status"], STATUS.get(e["Task End Reason"]["Reason"], "FAILED"))
            for field, names in METRICS:
                same(f"{at} {field}", dig(task.get("taskMetrics", {}), field.split(".")), dig(e["Task Metrics"], names))


def compare_task_accumulators(server, app, log):
    n = 0
    for e in (e for e in log if e["Event"] == "SparkListenerTaskEnd" and e["Task Info"].get("Accumulables")):
        path = f"applications/{app}/stages/{e['Stage ID']}/{e['Stage Attempt ID']}/taskList?length=100000"
        there = next(t for t in server.get(path) if t["taskId"] == e["Task Info"]["Task ID"])
        same(f"{app} accumulators of task {e['Task Info']['Task ID']}",
             sorted((a["name"], a["update"], a["value"]) for a in there["accumulatorUpdates"]),
             sorted((a["Name"], a["Update"], a["Value"]) for a in e["Task Info"]["Accumulables"]))
        n += 1
    return n


def compare_accumulators(server, app, log):
    for info in (e["Stage Info"] for e in log if e["Event"] == "SparkListenerStageCompleted"):
        there = server.get(f"applications/{app}/stages/{info['Stage ID']}/{info['Stage Attempt ID']}")
        same(f"{app} accumulators of stage {info['Stage ID']}",
             sorted((a["name"], a["value"]) for a in there["accumulatorUpdates"]),
             sorted((a["Name"], a["Value"]) for a in info["Accumulables"]))


SUMS = ("executorCpuTime", "resultSize", "memoryBytesSpilled", "diskBytesSpilled", "inputBytes", "inputRecords",
        "outputBytes", "outputRecords", "shuffleLocalBlocksFetched", "shuffleRemoteBlocksFetched", "shuffleLocalBytesRead",
        "shuffleRemoteBytesRead", "shuffleReadRecords", "shuffleWriteBytes", "shuffleWriteRecords")
QUANTILES = {"executorCpuTime": ("executorCpuTime",), "resultSize": ("resultSize",),
             "memoryBytesSpilled": ("memoryBytesSpilled",), "diskBytesSpilled": ("diskBytesSpilled",),
             "peakExecutionMemory": ("peakExecutionMemory",),
             "inputBytes": ("inputMetrics", "bytesRead"), "inputRecords": ("inputMetrics", "recordsRead"),
             "outputBytes": ("outputMetrics", "bytesWritten"), "outputRecords": ("outputMetrics", "recordsWritten"),
             "shuffleReadRecords": ("shuffleReadMetrics", "readRecords"),
             "shuffleLocalBlocksFetched": ("shuffleReadMetrics", "localBlocksFetched"),
             "shuffleRemoteBlocksFetched": ("shuffleReadMetrics", "remoteBlocksFetched"),
             "shuffleRemoteBytesRead": ("shuffleReadMetrics", "remoteBytesRead"),
             "shuffleWriteBytes": ("shuffleWriteMetrics", "writeBytes"),
             "shuffleWriteRecords": ("shuffleWriteMetrics", "writeRecords")}


def compare_totals(at, there, want, complete):
    for field, name in ((complete, "succeeded"), ("numFailedTasks", "failed"), ("numKilledTasks", "killed"),
                        ("numActiveTasks", "running")):
        same(f"{at} {field}", there[field], want[name])


def compare_metrics(server, app, expected):
    """What the library keeps in the program is what the server has made of the log."""
    for want in expected["jobs"]:
        job, at = server.get(f"applications/{app}/jobs/{want['job']}"), f"{app} metrics of job {want['job']}"
        same(at + " status", job["status"], ("RUNNING", "SUCCEEDED", "FAILED")[want["state"]])
        same(at + " tasks", job["numTasks"], want["tasks"])
        same(at + " skipped stages", job["numSkippedStages"], want["skipped"])
        same(at + " failed stages", job["numFailedStages"], want["failed_stages"])
        compare_totals(at, job, want, "numCompletedTasks")
    for want in expected["stages"]:
        path = f"applications/{app}/stages/{want['stage']}/{want['attempt']}"
        stage, at = server.get(path), f"{app} metrics of stage {want['stage']}.{want['attempt']}"
        same(at + " status", stage["status"], ("ACTIVE", "COMPLETE", "FAILED")[want["state"]])
        same(at + " tasks", stage["numTasks"], want["tasks"])
        compare_totals(at, stage, want, "numCompleteTasks")
        for field in SUMS:
            same(f"{at} {field}", stage[field], want["sum"][field])
        low, n = want["sum"]["run_ns"] // 10**6, sum(want[name] for name in ("succeeded", "failed", "killed"))
        same(f"{at} run time", low - n <= stage["executorRunTime"] <= low, True)
        if want["quantiles"]:
            summary = server.get(path + "/taskSummary?quantiles=0,0.05,0.25,0.5,0.75,0.95,1")
            same(f"{at} quantiles of run times", summary["executorRunTime"],
                 [q["run_ns"] // 10**6 for q in want["quantiles"]])
            for field, names in QUANTILES.items():
                same(f"{at} quantiles of {field}", dig(summary, names), [q[field] for q in want["quantiles"]])
    there = {e["id"]: e for e in server.get(f"applications/{app}/allexecutors")}
    for want in expected["executors"]:
        e, at = there[want["id"]], f"{app} metrics of executor {want['id']}"
        same(at + " isActive", e["isActive"], want["alive"])
        same(at + " completed", e["completedTasks"], want["succeeded"])
        same(at + " failed", e["failedTasks"], want["failed"])
        same(at + " input", e["totalInputBytes"], want["sum"]["inputBytes"])
        same(at + " shuffle write", e["totalShuffleWrite"], want["sum"]["shuffleWriteBytes"])
        same(at + " shuffle read", e["totalShuffleRead"],
             want["sum"]["shuffleLocalBytesRead"] + want["sum"]["shuffleRemoteBytesRead"])


def compare_environment(server, app, log):
    there = server.get(f"applications/{app}/environment")
    update = next(e for e in log if e["Event"] == "SparkListenerEnvironmentUpdate")
    same(f"{app} properties", dict(map(tuple, there["sparkProperties"])), update["Spark Properties"])
    same(f"{app} system", dict(map(tuple, there["systemProperties"])), update["System Properties"])
    same(f"{app} compiler", there["runtime"]["javaVersion"].split(" (")[0], update["JVM Information"]["Java Version"].split(" (")[0])


def compare_sql(server, app, log):
    """Executions: their plans, jobs and ends."""
    there = {x["id"]: x for x in server.get(f"applications/{app}/sql?details=true&planDescription=true&length=1000")}
    starts = {e["executionId"]: e for e in log if e["Event"].endswith("SQLExecutionStart")}
    ends = {e["executionId"]: e for e in log if e["Event"].endswith("SQLExecutionEnd")}
    rows = {id: value for e in log if e["Event"].endswith("DriverAccumUpdates") for id, value in e["accumUpdates"]}
    same(f"{app} executions", sorted(there), sorted(starts))
    for id, start in starts.items():
        x, at = there.get(id, {}), f"{app} execution {id}"
        same(at + " description", x.get("description"), start["description"])
        same(at + " plan", x.get("planDescription"), start["physicalPlanDescription"])
        same(at + " status", x.get("status"), "FAILED" if ends[id]["errorMessage"] else "COMPLETED")
        same(at + " duration", x.get("duration"), ends[id]["time"] - start["time"])
        jobs = [e for e in log if e["Event"].endswith("JobStart")
                and e["Properties"].get("spark.sql.execution.id") == str(id)]
        failed = {e["Job ID"] for e in log if e["Event"].endswith("JobEnd") and e["Job Result"]["Result"] != "JobSucceeded"}
        same(at + " good jobs", sorted(x.get("successJobIds", [])), sorted(e["Job ID"] for e in jobs if e["Job ID"] not in failed))
        same(at + " failed jobs", sorted(x.get("failedJobIds", [])), sorted(e["Job ID"] for e in jobs if e["Job ID"] in failed))
        nodes = []
        todo = [start["sparkPlanInfo"]]
        while todo:
            node = todo.pop()
            nodes.append((node["nodeName"], [f"{rows[m['accumulatorId']]:,}" for m in node["metrics"]
                                             if m["accumulatorId"] in rows]))
            todo += node["children"]
        same(at + " nodes", sorted((n["nodeName"], [m["value"] for m in n["metrics"]]) for n in x.get("nodes", [])), sorted(nodes))
        same(at + " edges", len(x.get("edges", [])), len(nodes) - 1)


def main(scenes, text):
    home = find_spark()
    if not home:
        print("skipped: no PySpark, or no Java")
        return 77
    work = tempfile.mkdtemp(prefix="history-")
    logs, expected_path = work + "/logs", work + "/expected"
    subprocess.run([scenes, logs, expected_path, text], check=True)
    subprocess.run([scenes, logs, expected_path, text, "killed"], check=False)
    paths = sorted(os.path.join(logs, name) for name in os.listdir(logs))
    for path in paths:
        WRONG.extend(f"{path}: {said}" for said in event_log_rules.complaints(path))
    with open(expected_path) as file:
        expected = [json.loads(line) for line in file if line.endswith("}\n")]
    server, updates = Server(home, logs, work), 0
    try:
        listed = {a["id"]: a for a in server.await_applications(len(paths))}
        done = [p for p in paths if not p.endswith(".inprogress")]
        same("complete applications", sum(a["attempts"][0]["completed"] for a in listed.values()), len(done))
        same("logs of scenes", len(done), len(expected))
        for path, want in zip(done, expected):
            log, app = event_log_rules.read(path), os.path.basename(path)
            start = next(e for e in log if e["Event"] == "SparkListenerApplicationStart")
            same(app + " name", listed[app]["name"], start["App Name"])
            compare_jobs(server, app, want["jobs"])
            compare_executors(server, app, want["executors"])
            compare_storage(server, app, want["storage"])
            compare_tasks(server, app, log)
            compare_accumulators(server, app, log)
            updates += compare_task_accumulators(server, app, log)
            compare_environment(server, app, log)
            compare_metrics(server, app, want["metrics"])
            compare_sql(server, app, log)
        for path in set(paths) - set(done):
            app = os.path.basename(path).removesuffix(".inprogress")
            same(app + " jobs", [j["status"] for j in server.get(f"applications/{app}/jobs")], ["RUNNING", "SUCCEEDED"])
        same("tasks with accumulators", updates > 0, True)
    finally:
        server.end()
    with open(server.log) as file:
        WRONG.extend("the server's log: " + line.strip() for line in file
                     if ("Malformed" in line or " ERROR " in line or "Exception" in line) and "SIGNAL TERM" not in line)
    for text in WRONG[:40]:
        print(text)
    print(f"{len(paths)} applications, {len(WRONG)} differences")
    if not WRONG:
        shutil.rmtree(work)
    return len(WRONG) > 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
