/* SPDX-License-Identifier: Apache-2.0 */
/* The lines of tasks, which an event log is made of. */
#include <stdio.h>
#include <stdlib.h>

#include "listen/spark_json.h"

/* ---- what is kept */

/* begin_end: up to its reason. */
static void begin_end(spk_json_out *out, const spark_task_info *t)
{
    SPK_JSON(out, "{\"Event\":\"SparkListenerTaskEnd\",\"Stage ID\":");
    spk_json_int(out, t->stage);
    SPK_FIELD(out, "Stage Attempt ID", t->stage_attempt);
    SPK_TEXT(out, "Task Type", t->is_result ? "ResultTask" : "ShuffleMapTask");
    SPK_JSON(out, ",\"Task End Reason\":");
}

/* know_stage: how a start begins, and an end that went well, up to the task's number. */
SPK_COLD static void know_stage(spk_task_lines *lines, const spark_task_info *t)
{
    spk_json_out *start = &lines->start, *end = &lines->end;
    lines->stage = t->stage;
    lines->attempt = t->stage_attempt;
    lines->is_result = t->is_result;
    start->n = end->n = 0;
    SPK_JSON(start, "{\"Event\":\"SparkListenerTaskStart\",\"Stage ID\":");
    spk_json_int(start, t->stage);
    SPK_FIELD(start, "Stage Attempt ID", t->stage_attempt);
    SPK_JSON(start, ",\"Task Info\":{\"Task ID\":");
    begin_end(end, t);
    SPK_JSON(end, "{\"Reason\":\"Success\"},\"Task Info\":{\"Task ID\":");
}

SPK_COLD static void know_place(spk_task_lines *lines, const spark_task_info *t)
{
    spk_json_out *place = &lines->place;
    memcpy(lines->executor, t->executor, sizeof lines->executor);
    lines->locality = t->locality;
    lines->speculative = t->speculative;
    place->n = 0;
    SPK_TEXT(place, "Executor ID", t->executor);
    SPK_TEXT(place, "Host", lines->host);
    SPK_TEXT(place, "Locality", t->locality);
    if (t->speculative)
        SPK_JSON(place, ",\"Speculative\":true");
    SPK_JSON(place, ",\"Getting Result Time\":0,\"Finish Time\":");
}

static void know(spk_json_out *out, spk_task_lines *lines, const spark_task_info *t)
{
    if (lines->start.n == 0 || lines->stage != t->stage || lines->attempt != t->stage_attempt
        || lines->is_result != t->is_result)
        know_stage(lines, t);
    if (lines->locality != t->locality || lines->speculative != t->speculative
        || memcmp(lines->executor, t->executor, sizeof lines->executor) != 0)
        know_place(lines, t);
    out->failed = out->failed || lines->start.failed || lines->end.failed || lines->place.failed;
}

void spk_task_lines_fini(spk_task_lines *lines)
{
    spk_json_fini(&lines->start);
    spk_json_fini(&lines->end);
    spk_json_fini(&lines->place);
}

/* ---- lines */

/* put_task: from its number on. */
static void put_task(spk_json_out *out, const spk_task_lines *lines, const spark_task_info *t)
{
    enum { NUMBERS = 6 * SPK_DIGITS, NAMES = 256 };
    const bool failed = t->reason > SPARK_TASK_SUCCESS && t->reason != SPARK_TASK_KILLED;
    char *at = out->failed ? NULL : spk_json_reserve(out, NUMBERS + NAMES + lines->place.n);
    if (!at) /* or what is kept could not be: it may not be there */
        return;
    at = spk_print(at, t->id);
    at = SPK_LITERAL(at, ",\"Index\":");
    const char *index = at;
    at = spk_print(at, t->index);
    const size_t digits = (size_t)(at - index);
    at = SPK_LITERAL(at, ",\"Attempt\":");
    at = spk_print(at, t->attempt);
    at = SPK_LITERAL(at, ",\"Partition ID\":");
    if (t->partition == t->index) /* but for what is computed again, they are the same */
        at = (char *)memcpy(at, index, SPK_DIGITS) + digits;
    else
        at = spk_print(at, t->partition);
    at = SPK_LITERAL(at, ",\"Launch Time\":");
    at = spk_print_again(out, at, spk_spark_ms(t->launch_time));
    memcpy(at, lines->place.at, lines->place.n);
    at = spk_print_again(out, at + lines->place.n, spk_spark_ms(t->finish_time));
    at = failed ? SPK_LITERAL(at, ",\"Failed\":true") : SPK_LITERAL(at, ",\"Failed\":false");
    if (t->reason == SPARK_TASK_KILLED)
        at = SPK_LITERAL(at, ",\"Killed\":true");
    spk_json_reached(out, at);
    if (t->n_accumulables > 0)
        spk_spark_accumulables(out, t->accumulables, t->n_accumulables);
}

void spk_spark_task_start(spk_json_out *out, spk_task_lines *lines, const spark_task_info *t)
{
    know(out, lines, t);
    spk_json_bytes(out, lines->start.at, lines->start.n);
    put_task(out, lines, t);
    SPK_JSON(out, "}}\n");
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
        SPK_TEXT(out, "File Name", file);
        SPK_FIELD(out, "Line Number", atoi(colon + 1));
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

/* put_reason: of an attempt that did not go well. */
static void put_reason(spk_json_out *out, const spark_task_info *t)
{
    switch (t->reason) {
    case SPARK_TASK_FAILED:
        SPK_JSON(out, "{\"Reason\":\"ExceptionFailure\",\"Class Name\":");
        spk_json_text(out, spark_status_name(t->status));
        SPK_TEXT(out, "Description", t->error);
        SPK_JSON(out, ",\"Stack Trace\":");
        put_trace(out, t);
        SPK_JSON(out, ",\"Accumulator Updates\":[]}");
        break;
    case SPARK_TASK_FETCH_FAILED:
        SPK_JSON(out, "{\"Reason\":\"FetchFailed\",\"Block Manager Address\":null");
        SPK_FIELD(out, "Shuffle ID", t->lost_shuffle);
        SPK_JSON(out, ",\"Map ID\":-1,\"Map Index\":-1");
        SPK_FIELD(out, "Reduce ID", t->partition);
        SPK_TEXT(out, "Message", t->error);
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
        SPK_TEXT(out, "Loss Reason", t->error);
        SPK_JSON(out, "}");
        break;
    case SPARK_TASK_SUCCESS:
    case SPARK_TASK_RUNNING: break;
    }
}

static void put_shuffles(spk_json_out *out, const spark_task_metrics *m)
{
    if (m->shuffle_read_local_blocks + m->shuffle_read_remote_blocks > 0) {
        SPK_JSON(out, ",\"Shuffle Read Metrics\":{\"Remote Blocks Fetched\":");
        spk_json_int(out, m->shuffle_read_remote_blocks);
        SPK_FIELD(out, "Local Blocks Fetched", m->shuffle_read_local_blocks);
        SPK_JSON(out, ",\"Fetch Wait Time\":0");
        SPK_FIELD(out, "Remote Bytes Read", m->shuffle_read_remote_bytes);
        SPK_JSON(out, ",\"Remote Bytes Read To Disk\":0");
        SPK_FIELD(out, "Local Bytes Read", m->shuffle_read_local_bytes);
        SPK_FIELD(out, "Total Records Read", m->shuffle_read_rows);
        SPK_JSON(out, "}");
    }
    if (m->shuffle_write_bytes + m->shuffle_write_rows > 0) {
        SPK_JSON(out, ",\"Shuffle Write Metrics\":{\"Shuffle Bytes Written\":");
        spk_json_int(out, m->shuffle_write_bytes);
        SPK_JSON(out, ",\"Shuffle Write Time\":0");
        SPK_FIELD(out, "Shuffle Records Written", m->shuffle_write_rows);
        SPK_JSON(out, "}");
    }
}

static void put_files(spk_json_out *out, const spark_task_metrics *m)
{
    if (m->input_bytes + m->input_rows > 0) {
        SPK_JSON(out, ",\"Input Metrics\":{\"Bytes Read\":");
        spk_json_int(out, m->input_bytes);
        SPK_FIELD(out, "Records Read", m->input_rows);
        SPK_JSON(out, "}");
    }
    if (m->output_bytes + m->output_rows > 0) {
        SPK_JSON(out, ",\"Output Metrics\":{\"Bytes Written\":");
        spk_json_int(out, m->output_bytes);
        SPK_FIELD(out, "Records Written", m->output_rows);
        SPK_JSON(out, "}");
    }
}

static void put_metrics(spk_json_out *out, const spark_task_metrics *m)
{
    enum { NUMBERS = 6 * SPK_DIGITS, NAMES = 320 };
    char *at = spk_json_reserve(out, NUMBERS + NAMES);
    if (!at)
        return;
    at = SPK_LITERAL(at, "},\"Task Metrics\":{\"Executor Deserialize Time\":0,\"Executor Run Time\":");
    at = spk_print(at, spk_spark_ms(m->run_ns));
    at = SPK_LITERAL(at, ",\"Executor CPU Time\":");
    at = spk_print(at, m->cpu_ns);
    if (m->peak_memory_bytes > 0) {
        at = SPK_LITERAL(at, ",\"Peak Execution Memory\":");
        at = spk_print(at, m->peak_memory_bytes);
    }
    at = SPK_LITERAL(at, ",\"Result Size\":");
    at = spk_print(at, m->result_bytes);
    at = SPK_LITERAL(at, ",\"JVM GC Time\":0,\"Result Serialization Time\":0,\"Memory Bytes Spilled\":");
    at = spk_print(at, m->memory_spilled_bytes);
    at = SPK_LITERAL(at, ",\"Disk Bytes Spilled\":");
    at = spk_print(at, m->disk_spilled_bytes);
    spk_json_reached(out, at);
    put_shuffles(out, m);
    put_files(out, m);
    SPK_JSON(out, "}}\n");
}

void spk_spark_task_end(spk_json_out *out, spk_task_lines *lines, const spark_task_info *t)
{
    know(out, lines, t);
    if (t->reason == SPARK_TASK_SUCCESS) {
        spk_json_bytes(out, lines->end.at, lines->end.n);
    } else {
        begin_end(out, t);
        put_reason(out, t);
        SPK_JSON(out, ",\"Task Info\":{\"Task ID\":");
    }
    put_task(out, lines, t);
    put_metrics(out, t->metrics);
}
