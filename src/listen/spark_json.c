/* SPDX-License-Identifier: Apache-2.0 */
#include "listen/spark_json.h"

#include <stdio.h>
#include <stdlib.h>

#include <spark/version.h>

enum { NANOS = 1000000, PORT = 7078, PORTS = 50000 };

static int64_t ms(int64_t ns)
{
    return ns / NANOS;
}

/* ms_end: rounded up: the pages take a stage that ends in the millisecond in which its first task begins for
 * one that still runs. */
static int64_t ms_end(int64_t ns)
{
    return (ns + NANOS - 1) / NANOS;
}

/* SPK_FIELD: `,"name":` and a number. */
#define FIELD(out, name, value)                                                                    \
    do {                                                                                           \
        SPK_JSON(out, ",\"" name "\":");                                                           \
        spk_json_int(out, (int64_t)(value));                                                       \
    } while (0)
#define TEXT(out, name, value)                                                                     \
    do {                                                                                           \
        SPK_JSON(out, ",\"" name "\":");                                                           \
        spk_json_text(out, value);                                                                 \
    } while (0)

static void put_map(spk_json_out *out, const spark_property *at, size_t n)
{
    SPK_JSON(out, "{");
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            SPK_JSON(out, ",");
        spk_json_text(out, at[i].name);
        SPK_JSON(out, ":");
        spk_json_text(out, at[i].value);
    }
    SPK_JSON(out, "}");
}

static void put_ids(spk_json_out *out, const int *ids, size_t n)
{
    SPK_JSON(out, "[");
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            SPK_JSON(out, ",");
        spk_json_int(out, ids[i]);
    }
    SPK_JSON(out, "]");
}

/* ---- the application and what it runs on */

void spk_spark_log_start(spk_json_out *out)
{
    SPK_JSON(out, "{\"Event\":\"SparkListenerLogStart\",\"Spark Version\":\"libspark-" SPARK_VERSION_STRING "\"}\n");
}

void spk_spark_application_start(spk_json_out *out, const spark_application *a)
{
    SPK_JSON(out, "{\"Event\":\"SparkListenerApplicationStart\",\"App Name\":");
    spk_json_text(out, a->name);
    TEXT(out, "App ID", a->id);
    FIELD(out, "Timestamp", ms(a->start_time));
    TEXT(out, "User", a->user);
    SPK_JSON(out, "}\n");
}

void spk_spark_application_end(spk_json_out *out, const spark_application *a)
{
    SPK_JSON(out, "{\"Event\":\"SparkListenerApplicationEnd\"");
    FIELD(out, "Timestamp", ms_end(a->end_time));
    SPK_JSON(out, "}\n");
}

static const char *find(const spark_property *at, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(at[i].name, name) == 0)
            return at[i].value;
    return "";
}

void spk_spark_environment(spk_json_out *out, const spark_environment *e)
{
    SPK_JSON(out, "{\"Event\":\"SparkListenerEnvironmentUpdate\",\"JVM Information\":{\"Java Home\":\"(none)\"");
    TEXT(out, "Java Version", find(e->runtime, e->n_runtime, "Compiler"));
    SPK_JSON(out, ",\"Scala Version\":\"libspark ");
    spk_json_inner(out, find(e->runtime, e->n_runtime, "libspark"));
    SPK_JSON(out, "\"},\"Spark Properties\":");
    put_map(out, e->properties, e->n_properties);
    SPK_JSON(out, ",\"Hadoop Properties\":{},\"System Properties\":");
    put_map(out, e->system, e->n_system);
    SPK_JSON(out, ",\"Metrics Properties\":{},\"Classpath Entries\":{}}\n");
}

/* put_manager: of the block manager of an executor: its port is made up, for none is open. */
static void put_manager(spk_json_out *out, const char *executor, const char *host)
{
    SPK_JSON(out, "{\"Executor ID\":");
    spk_json_text(out, executor);
    TEXT(out, "Host", host);
    FIELD(out, "Port", PORT + (strcmp(executor, "driver") == 0 ? 0 : 1 + atoi(executor) % PORTS));
    SPK_JSON(out, "}");
}

void spk_spark_block_manager_added(
    spk_json_out *out, const char *executor, const char *host, uint64_t memory, int64_t time)
{
    SPK_JSON(out, "{\"Event\":\"SparkListenerBlockManagerAdded\",\"Block Manager ID\":");
    put_manager(out, executor, host);
    FIELD(out, "Maximum Memory", memory > INT64_MAX ? INT64_MAX : memory);
    FIELD(out, "Timestamp", ms(time));
    FIELD(out, "Maximum Onheap Memory", memory > INT64_MAX ? INT64_MAX : memory);
    SPK_JSON(out, ",\"Maximum Offheap Memory\":0}\n");
}

void spk_spark_executor_added(spk_json_out *out, const spark_executor_event *e)
{
    SPK_JSON(out, "{\"Event\":\"SparkListenerExecutorAdded\"");
    FIELD(out, "Timestamp", ms(e->time));
    TEXT(out, "Executor ID", e->id);
    SPK_JSON(out, ",\"Executor Info\":{\"Host\":");
    spk_json_text(out, e->host);
    FIELD(out, "Total Cores", e->threads);
    SPK_JSON(out, ",\"Log Urls\":{},\"Attributes\":{},\"Resources\":{},\"Resource Profile Id\":0");
    FIELD(out, "Registration Time", ms(e->time));
    SPK_JSON(out, "}}\n");
    spk_spark_block_manager_added(out, e->id, e->host, e->memory, e->time);
}

void spk_spark_executor_removed(spk_json_out *out, const spark_executor_event *e)
{
    SPK_JSON(out, "{\"Event\":\"SparkListenerBlockManagerRemoved\",\"Block Manager ID\":");
    put_manager(out, e->id, e->host);
    FIELD(out, "Timestamp", ms(e->time));
    SPK_JSON(out, "}\n{\"Event\":\"SparkListenerExecutorRemoved\"");
    FIELD(out, "Timestamp", ms(e->time));
    TEXT(out, "Executor ID", e->id);
    TEXT(out, "Removed Reason", e->reason);
    SPK_JSON(out, "}\n");
}

/* ---- stages */

/* put_level: deserialised is what is in memory and may have room left over. */
static void put_level(spk_json_out *out, bool disk, bool memory, bool deserialised)
{
    SPK_JSON(out, "{\"Use Disk\":");
    spk_json_bool(out, disk);
    SPK_JSON(out, ",\"Use Memory\":");
    spk_json_bool(out, memory);
    SPK_JSON(out, ",\"Use Off Heap\":false,\"Deserialized\":");
    spk_json_bool(out, deserialised);
    SPK_JSON(out, ",\"Replication\":1}");
}

static void put_rdd_level(spk_json_out *out, spark_level level)
{
    put_level(out,
        level == SPARK_MEMORY_AND_DISK || level == SPARK_MEMORY_AND_DISK_SER || level == SPARK_DISK_ONLY,
        level != SPARK_DEFAULT_LEVEL && level != SPARK_DISK_ONLY,
        level == SPARK_MEMORY_ONLY || level == SPARK_MEMORY_AND_DISK);
}

static void put_rdd(spk_json_out *out, const spark_rdd_info *r)
{
    SPK_JSON(out, "{\"RDD ID\":");
    spk_json_int(out, r->id);
    TEXT(out, "Name", *r->name ? r->name : r->class_name);
    SPK_JSON(out, ",\"Scope\":\"{\\\"id\\\":\\\"");
    spk_json_int(out, r->scope);
    SPK_JSON(out, "\\\",\\\"name\\\":\\\"");
    spk_json_nested(out, r->operation);
    SPK_JSON(out, "\\\"}\",\"Callsite\":\"");
    spk_json_inner(out, r->operation);
    SPK_JSON(out, " at ");
    spk_json_inner(out, r->site);
    SPK_JSON(out, "\",\"Parent IDs\":");
    put_ids(out, r->parents, r->n_parents);
    SPK_JSON(out, ",\"Storage Level\":");
    put_rdd_level(out, r->level);
    SPK_JSON(out, ",\"Barrier\":false,\"DeterministicLevel\":\"DETERMINATE\"");
    FIELD(out, "Number of Partitions", r->partitions);
    SPK_JSON(out, ",\"Number of Cached Partitions\":0,\"Memory Size\":0,\"Disk Size\":0}");
}

static void put_details(spk_json_out *out, const spark_stage_info *s)
{
    SPK_JSON(out, ",\"Details\":\"");
    spk_json_inner(out, s->name);
    for (size_t i = 0; i < s->n_rdds && i < 64; i++) {
        SPK_JSON(out, "\\n");
        spk_json_inner(out, s->rdds[i].operation);
        SPK_JSON(out, " at ");
        spk_json_inner(out, s->rdds[i].site);
    }
    SPK_JSON(out, "\"");
}

static void put_stage(spk_json_out *out, const spark_stage_info *s)
{
    SPK_JSON(out, "{\"Stage ID\":");
    spk_json_int(out, s->id);
    FIELD(out, "Stage Attempt ID", s->attempt);
    TEXT(out, "Stage Name", s->name);
    FIELD(out, "Number of Tasks", s->tasks);
    SPK_JSON(out, ",\"RDD Info\":[");
    for (size_t i = 0; i < s->n_rdds; i++) {
        if (i > 0)
            SPK_JSON(out, ",");
        put_rdd(out, &s->rdds[i]);
    }
    SPK_JSON(out, "],\"Parent IDs\":");
    put_ids(out, s->parents, s->n_parents);
    put_details(out, s);
    if (s->submission_time > 0)
        FIELD(out, "Submission Time", ms(s->submission_time));
    if (s->completion_time > 0)
        FIELD(out, "Completion Time", ms_end(s->completion_time));
    if (*s->failure)
        TEXT(out, "Failure Reason", s->failure);
    SPK_JSON(out, ",\"Accumulables\":[");
    for (size_t i = 0; i < s->n_accumulables; i++) {
        if (i > 0)
            SPK_JSON(out, ",");
        SPK_JSON(out, "{\"ID\":");
        spk_json_int(out, s->accumulables[i].id);
        TEXT(out, "Name", s->accumulables[i].name);
        TEXT(out, "Value", s->accumulables[i].value);
        SPK_JSON(out, ",\"Internal\":false,\"Count Failed Values\":false}");
    }
    SPK_JSON(out, "],\"Resource Profile Id\":0}");
}

void spk_spark_stage_submitted(
    spk_json_out *out, const spark_stage_info *stage, const spark_job_info *job)
{
    SPK_JSON(out, "{\"Event\":\"SparkListenerStageSubmitted\",\"Stage Info\":");
    put_stage(out, stage);
    SPK_JSON(out, ",\"Properties\":");
    put_map(out, job->properties, job->n_properties);
    SPK_JSON(out, "}\n");
}

void spk_spark_stage_completed(spk_json_out *out, const spark_stage_info *stage)
{
    SPK_JSON(out, "{\"Event\":\"SparkListenerStageCompleted\",\"Stage Info\":");
    put_stage(out, stage);
    SPK_JSON(out, "}\n");
}

/* ---- jobs */

void spk_spark_job_start(spk_json_out *out, const spark_job_info *j)
{
    SPK_JSON(out, "{\"Event\":\"SparkListenerJobStart\",\"Job ID\":");
    spk_json_int(out, j->id);
    FIELD(out, "Submission Time", ms(j->submission_time));
    SPK_JSON(out, ",\"Stage Infos\":[");
    for (size_t i = 0; i < j->n_stages; i++) {
        if (i > 0)
            SPK_JSON(out, ",");
        put_stage(out, &j->stages[i]);
    }
    SPK_JSON(out, "],\"Stage IDs\":[");
    for (size_t i = 0; i < j->n_stages; i++) {
        if (i > 0)
            SPK_JSON(out, ",");
        spk_json_int(out, j->stages[i].id);
    }
    SPK_JSON(out, "],\"Properties\":");
    put_map(out, j->properties, j->n_properties);
    SPK_JSON(out, "}\n");
}

void spk_spark_job_end(spk_json_out *out, const spark_job_info *j)
{
    SPK_JSON(out, "{\"Event\":\"SparkListenerJobEnd\",\"Job ID\":");
    spk_json_int(out, j->id);
    FIELD(out, "Completion Time", ms_end(j->completion_time));
    if (j->status == SPARK_OK) {
        SPK_JSON(out, ",\"Job Result\":{\"Result\":\"JobSucceeded\"}}\n");
        return;
    }
    SPK_JSON(out, ",\"Job Result\":{\"Result\":\"JobFailed\",\"Exception\":{\"Message\":");
    spk_json_text(out, j->failure);
    SPK_JSON(out, ",\"Stack Trace\":[]}}}\n");
}

/* ---- tasks */

static void put_task(spk_json_out *out, const spark_task_info *t, const char *host)
{
    SPK_JSON(out, "\"Task Info\":{\"Task ID\":");
    spk_json_int(out, t->id);
    FIELD(out, "Index", t->index);
    FIELD(out, "Attempt", t->attempt);
    FIELD(out, "Partition ID", t->partition);
    FIELD(out, "Launch Time", ms(t->launch_time));
    SPK_JSON(out, ",\"Executor ID\":\"");
    spk_json_bytes(out, t->executor, strlen(t->executor));
    SPK_JSON(out, "\",\"Host\":\"");
    spk_json_bytes(out, host, strlen(host));
    SPK_JSON(out, "\",\"Locality\":\"");
    spk_json_bytes(out, t->locality, strlen(t->locality));
    if (t->speculative)
        SPK_JSON(out, "\",\"Speculative\":true,\"Getting Result Time\":0,\"Finish Time\":");
    else
        SPK_JSON(out, "\",\"Getting Result Time\":0,\"Finish Time\":");
    spk_json_int(out, ms(t->finish_time));
    SPK_JSON(out, ",\"Failed\":");
    spk_json_bool(out, t->reason > SPARK_TASK_SUCCESS && t->reason != SPARK_TASK_KILLED);
    if (t->reason == SPARK_TASK_KILLED)
        SPK_JSON(out, ",\"Killed\":true}");
    else
        SPK_JSON(out, "}");
}

void spk_spark_task_start(spk_json_out *out, const spark_task_info *t, const char *host)
{
    SPK_JSON(out, "{\"Event\":\"SparkListenerTaskStart\",\"Stage ID\":");
    spk_json_int(out, t->stage);
    FIELD(out, "Stage Attempt ID", t->stage_attempt);
    SPK_JSON(out, ",");
    put_task(out, t, host);
    SPK_JSON(out, "}\n");
}

/* put_trace: one frame: where the operation was written. */
static void put_trace(spk_json_out *out, const spark_task_info *t)
{
    const char *colon = strrchr(t->site, ':');
    SPK_JSON(out, "[");
    if (colon) {
        SPK_JSON(out, "{\"Declaring Class\":\"libspark\",\"Method Name\":");
        spk_json_text(out, t->operation);
        char file[256];
        snprintf(file, sizeof file, "%.*s", (int)(colon - t->site < 255 ? colon - t->site : 255), t->site);
        TEXT(out, "File Name", file);
        FIELD(out, "Line Number", atoi(colon + 1));
        SPK_JSON(out, "}");
    }
    SPK_JSON(out, "],\"Full Stack Trace\":\"");
    spk_json_inner(out, spark_status_name(t->status));
    SPK_JSON(out, ": ");
    spk_json_inner(out, t->error);
    SPK_JSON(out, "\\n\\tat ");
    spk_json_inner(out, t->operation);
    SPK_JSON(out, "(");
    spk_json_inner(out, t->site);
    SPK_JSON(out, ")\"");
}

static void put_reason(spk_json_out *out, const spark_task_info *t)
{
    switch (t->reason) {
    case SPARK_TASK_FAILED:
        SPK_JSON(out, "{\"Reason\":\"ExceptionFailure\",\"Class Name\":");
        spk_json_text(out, spark_status_name(t->status));
        TEXT(out, "Description", t->error);
        SPK_JSON(out, ",\"Stack Trace\":");
        put_trace(out, t);
        SPK_JSON(out, ",\"Accumulator Updates\":[]}");
        break;
    case SPARK_TASK_FETCH_FAILED:
        SPK_JSON(out, "{\"Reason\":\"FetchFailed\",\"Block Manager Address\":null");
        FIELD(out, "Shuffle ID", t->lost_shuffle);
        SPK_JSON(out, ",\"Map ID\":-1,\"Map Index\":-1");
        FIELD(out, "Reduce ID", t->partition);
        TEXT(out, "Message", t->error);
        SPK_JSON(out, "}");
        break;
    case SPARK_TASK_KILLED:
        SPK_JSON(out, "{\"Reason\":\"TaskKilled\",\"Kill Reason\":");
        spk_json_text(out, t->error);
        SPK_JSON(out, ",\"Accumulator Updates\":[]}");
        break;
    case SPARK_TASK_EXECUTOR_LOST:
        SPK_JSON(out, "{\"Reason\":\"ExecutorLostFailure\",\"Executor ID\":");
        spk_json_text(out, t->executor);
        SPK_JSON(out, ",\"Exit Caused By App\":false");
        TEXT(out, "Loss Reason", t->error);
        SPK_JSON(out, "}");
        break;
    case SPARK_TASK_SUCCESS:
    case SPARK_TASK_RUNNING: SPK_JSON(out, "{\"Reason\":\"Success\"}");
    }
}

static void put_shuffles(spk_json_out *out, const spark_task_metrics *m)
{
    if (m->shuffle_read_local_blocks + m->shuffle_read_remote_blocks > 0) {
        SPK_JSON(out, ",\"Shuffle Read Metrics\":{\"Remote Blocks Fetched\":");
        spk_json_int(out, m->shuffle_read_remote_blocks);
        FIELD(out, "Local Blocks Fetched", m->shuffle_read_local_blocks);
        SPK_JSON(out, ",\"Fetch Wait Time\":0");
        FIELD(out, "Remote Bytes Read", m->shuffle_read_remote_bytes);
        SPK_JSON(out, ",\"Remote Bytes Read To Disk\":0");
        FIELD(out, "Local Bytes Read", m->shuffle_read_local_bytes);
        FIELD(out, "Total Records Read", m->shuffle_read_rows);
        SPK_JSON(out, "}");
    }
    if (m->shuffle_write_bytes + m->shuffle_write_rows > 0) {
        SPK_JSON(out, ",\"Shuffle Write Metrics\":{\"Shuffle Bytes Written\":");
        spk_json_int(out, m->shuffle_write_bytes);
        SPK_JSON(out, ",\"Shuffle Write Time\":0");
        FIELD(out, "Shuffle Records Written", m->shuffle_write_rows);
        SPK_JSON(out, "}");
    }
}

static void put_files(spk_json_out *out, const spark_task_metrics *m)
{
    if (m->input_bytes + m->input_rows > 0) {
        SPK_JSON(out, ",\"Input Metrics\":{\"Bytes Read\":");
        spk_json_int(out, m->input_bytes);
        FIELD(out, "Records Read", m->input_rows);
        SPK_JSON(out, "}");
    }
    if (m->output_bytes + m->output_rows > 0) {
        SPK_JSON(out, ",\"Output Metrics\":{\"Bytes Written\":");
        spk_json_int(out, m->output_bytes);
        FIELD(out, "Records Written", m->output_rows);
        SPK_JSON(out, "}");
    }
}

static void put_metrics(spk_json_out *out, const spark_task_metrics *m)
{
    SPK_JSON(out, ",\"Task Metrics\":{\"Executor Deserialize Time\":0,\"Executor Run Time\":");
    spk_json_int(out, ms(m->run_ns));
    FIELD(out, "Executor CPU Time", m->cpu_ns);
    if (m->peak_memory_bytes > 0)
        FIELD(out, "Peak Execution Memory", m->peak_memory_bytes);
    FIELD(out, "Result Size", m->result_bytes);
    SPK_JSON(out, ",\"JVM GC Time\":0,\"Result Serialization Time\":0");
    FIELD(out, "Memory Bytes Spilled", m->memory_spilled_bytes);
    FIELD(out, "Disk Bytes Spilled", m->disk_spilled_bytes);
    put_shuffles(out, m);
    put_files(out, m);
    SPK_JSON(out, "}");
}

void spk_spark_task_end(spk_json_out *out, const spark_task_info *t, const char *host)
{
    SPK_JSON(out, "{\"Event\":\"SparkListenerTaskEnd\",\"Stage ID\":");
    spk_json_int(out, t->stage);
    FIELD(out, "Stage Attempt ID", t->stage_attempt);
    if (t->is_result)
        SPK_JSON(out, ",\"Task Type\":\"ResultTask\",\"Task End Reason\":");
    else
        SPK_JSON(out, ",\"Task Type\":\"ShuffleMapTask\",\"Task End Reason\":");
    put_reason(out, t);
    SPK_JSON(out, ",");
    put_task(out, t, host);
    put_metrics(out, t->metrics);
    SPK_JSON(out, "}\n");
}

/* ---- blocks */

void spk_spark_block_updated(spk_json_out *out, const spark_block_event *b, const char *host)
{
    SPK_JSON(out, "{\"Event\":\"SparkListenerBlockUpdated\",\"Block Updated Info\":{\"Block Manager ID\":");
    put_manager(out, b->executor, host);
    SPK_JSON(out, ",\"Block ID\":\"rdd_");
    spk_json_int(out, b->rdd);
    SPK_JSON(out, "_");
    spk_json_int(out, b->partition);
    SPK_JSON(out, "\",\"Storage Level\":");
    put_level(out, b->on_disk, b->in_memory,
        b->in_memory && (b->level == SPARK_MEMORY_ONLY || b->level == SPARK_MEMORY_AND_DISK));
    FIELD(out, "Memory Size", b->memory_bytes);
    FIELD(out, "Disk Size", b->disk_bytes);
    SPK_JSON(out, "}}\n");
}

void spk_spark_unpersist(spk_json_out *out, int rdd)
{
    SPK_JSON(out, "{\"Event\":\"SparkListenerUnpersistRDD\",\"RDD ID\":");
    spk_json_int(out, rdd);
    SPK_JSON(out, "}\n");
}
