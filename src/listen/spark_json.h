/* SPDX-License-Identifier: Apache-2.0 */
/* Events as Spark writes them, one in a line (JsonProtocol). What its reader does not need, and no page
 * shows, is left out. */
#ifndef SPK_LISTEN_SPARK_JSON_H
#define SPK_LISTEN_SPARK_JSON_H

#include <spark/listener.h>

#include "listen/json_out.h"

/* spk_spark_ms: of nanoseconds. */
static inline int64_t spk_spark_ms(int64_t ns)
{
    return ns / 1000000;
}

void spk_spark_accumulables(spk_json_out *out, const spark_accumulable *at, size_t n);
void spk_spark_log_start(spk_json_out *out);
void spk_spark_application_start(spk_json_out *out, const spark_application *application);
void spk_spark_application_end(spk_json_out *out, const spark_application *application);
void spk_spark_environment_update(spk_json_out *out, const spark_environment *environment);
void spk_spark_executor_added(spk_json_out *out, const spark_executor_event *executor);
void spk_spark_executor_removed(spk_json_out *out, const spark_executor_event *executor);
void spk_spark_block_manager_added(spk_json_out *out, const char *executor, const char *host,
    uint64_t memory, int64_t time);
void spk_spark_job_start(spk_json_out *out, const spark_job_info *job);
void spk_spark_job_end(spk_json_out *out, const spark_job_info *job);
void spk_spark_stage_submitted(
    spk_json_out *out, const spark_stage_info *stage, const spark_job_info *job);
void spk_spark_stage_completed(spk_json_out *out, const spark_stage_info *stage);
void spk_spark_block_updated(spk_json_out *out, const spark_block_event *block, const char *host);
void spk_spark_unpersist(spk_json_out *out, int rdd);
void spk_spark_sql_start(spk_json_out *out, const spark_sql_execution *execution);
void spk_spark_sql_end(spk_json_out *out, const spark_sql_execution *execution);

/* In spark_tasks.c. spk_task_lines: what stands in the line before is often in the next one, so it is kept: how lines of
 * tasks of a stage begin, and where a task runs. Zeroed, and with the host, it is empty. */
typedef struct spk_task_lines {
    const char *host;
    int stage, attempt;
    bool is_result, speculative;
    char executor[16];
    const char *locality; /* NULL: nothing is kept of a place */
    spk_json_out start, end, place;
} spk_task_lines;
void spk_spark_task_start(spk_json_out *out, spk_task_lines *lines, const spark_task_info *task);
void spk_spark_task_end(spk_json_out *out, spk_task_lines *lines, const spark_task_info *task);
SPK_COLD void spk_task_lines_fini(spk_task_lines *lines);

#endif
