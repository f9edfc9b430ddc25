/* SPDX-License-Identifier: Apache-2.0 */
#include "listen/spark_json.h"

#include <stdio.h>
#include <stdlib.h>

#include <spark/version.h>

enum { NANOS = 1000000, PORT = 7078, PORTS = 50000 };

/* ms_end: rounded up: the pages take a stage that ends in the millisecond in which its first task begins for
 * one that still runs. */
static int64_t ms_end(int64_t ns)
{
    return spk_spark_ms(ns + NANOS - 1);
}

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
    SPK_TEXT(out, "App ID", a->id);
    SPK_FIELD(out, "Timestamp", spk_spark_ms(a->start_time));
    SPK_TEXT(out, "User", a->user);
    SPK_JSON(out, "}\n");
}

void spk_spark_application_end(spk_json_out *out, const spark_application *a)
{
    SPK_JSON(out, "{\"Event\":\"SparkListenerApplicationEnd\"");
    SPK_FIELD(out, "Timestamp", ms_end(a->end_time));
    SPK_JSON(out, "}\n");
}

static const char *find(const spark_property *at, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(at[i].name, name) == 0)
            return at[i].value;
    return "";
}

void spk_spark_environment_update(spk_json_out *out, const spark_environment *e)
{
    SPK_JSON(out, "{\"Event\":\"SparkListenerEnvironmentUpdate\",\"JVM Information\":{\"Java Home\":\"(none)\"");
    SPK_TEXT(out, "Java Version", find(e->runtime, e->n_runtime, "Compiler"));
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
    SPK_TEXT(out, "Host", host);
    SPK_FIELD(out, "Port", PORT + (strcmp(executor, "driver") == 0 ? 0 : 1 + atoi(executor) % PORTS));
    SPK_JSON(out, "}");
}

void spk_spark_block_manager_added(
    spk_json_out *out, const char *executor, const char *host, uint64_t memory, int64_t time)
{
    SPK_JSON(out, "{\"Event\":\"SparkListenerBlockManagerAdded\",\"Block Manager ID\":");
    put_manager(out, executor, host);
    SPK_FIELD(out, "Maximum Memory", memory > INT64_MAX ? INT64_MAX : memory);
    SPK_FIELD(out, "Timestamp", spk_spark_ms(time));
    SPK_FIELD(out, "Maximum Onheap Memory", memory > INT64_MAX ? INT64_MAX : memory);
    SPK_JSON(out, ",\"Maximum Offheap Memory\":0}\n");
}

void spk_spark_executor_added(spk_json_out *out, const spark_executor_event *e)
{
    SPK_JSON(out, "{\"Event\":\"SparkListenerExecutorAdded\"");
    SPK_FIELD(out, "Timestamp", spk_spark_ms(e->time));
    SPK_TEXT(out, "Executor ID", e->id);
    SPK_JSON(out, ",\"Executor Info\":{\"Host\":");
    spk_json_text(out, e->host);
    SPK_FIELD(out, "Total Cores", e->threads);
    SPK_JSON(out, ",\"Log Urls\":{},\"Attributes\":{},\"Resources\":{},\"Resource Profile Id\":0");
    SPK_FIELD(out, "Registration Time", spk_spark_ms(e->time));
    SPK_JSON(out, "}}\n");
    spk_spark_block_manager_added(out, e->id, e->host, e->memory, e->time);
}

void spk_spark_executor_removed(spk_json_out *out, const spark_executor_event *e)
{
    SPK_JSON(out, "{\"Event\":\"SparkListenerBlockManagerRemoved\",\"Block Manager ID\":");
    put_manager(out, e->id, e->host);
    SPK_FIELD(out, "Timestamp", spk_spark_ms(e->time));
    SPK_JSON(out, "}\n{\"Event\":\"SparkListenerExecutorRemoved\"");
    SPK_FIELD(out, "Timestamp", spk_spark_ms(e->time));
    SPK_TEXT(out, "Executor ID", e->id);
    SPK_TEXT(out, "Removed Reason", e->reason);
    SPK_JSON(out, "}\n");
}

void spk_spark_accumulables(spk_json_out *out, const spark_accumulable *at, size_t n)
{
    SPK_JSON(out, ",\"Accumulables\":[");
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            SPK_JSON(out, ",");
        SPK_JSON(out, "{\"ID\":");
        spk_json_int(out, at[i].id);
        SPK_TEXT(out, "Name", at[i].name);
        if (*at[i].update)
            SPK_TEXT(out, "Update", at[i].update);
        SPK_TEXT(out, "Value", at[i].value);
        SPK_JSON(out, ",\"Internal\":false,\"Count Failed Values\":false}");
    }
    SPK_JSON(out, "]");
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
    SPK_TEXT(out, "Name", *r->name ? r->name : r->class_name);
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
    SPK_FIELD(out, "Number of Partitions", r->partitions);
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
    SPK_FIELD(out, "Stage Attempt ID", s->attempt);
    SPK_TEXT(out, "Stage Name", s->name);
    SPK_FIELD(out, "Number of Tasks", s->tasks);
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
        SPK_FIELD(out, "Submission Time", spk_spark_ms(s->submission_time));
    if (s->completion_time > 0)
        SPK_FIELD(out, "Completion Time", ms_end(s->completion_time));
    if (*s->failure)
        SPK_TEXT(out, "Failure Reason", s->failure);
    spk_spark_accumulables(out, s->accumulables, s->n_accumulables);
    SPK_JSON(out, ",\"Resource Profile Id\":0}");
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
    SPK_FIELD(out, "Submission Time", spk_spark_ms(j->submission_time));
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
    SPK_FIELD(out, "Completion Time", ms_end(j->completion_time));
    if (j->status == SPARK_OK) {
        SPK_JSON(out, ",\"Job Result\":{\"Result\":\"JobSucceeded\"}}\n");
        return;
    }
    SPK_JSON(out, ",\"Job Result\":{\"Result\":\"JobFailed\",\"Exception\":{\"Message\":");
    spk_json_text(out, j->failure);
    SPK_JSON(out, ",\"Stack Trace\":[]}}}\n");
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
    SPK_FIELD(out, "Memory Size", b->memory_bytes);
    SPK_FIELD(out, "Disk Size", b->disk_bytes);
    SPK_JSON(out, "}}\n");
}

void spk_spark_unpersist(spk_json_out *out, int rdd)
{
    SPK_JSON(out, "{\"Event\":\"SparkListenerUnpersistRDD\",\"RDD ID\":");
    spk_json_int(out, rdd);
    SPK_JSON(out, "}\n");
}
