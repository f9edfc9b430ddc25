/* SPDX-License-Identifier: Apache-2.0 */
/* Events as Spark writes them, one in a line (JsonProtocol). What its reader does not need, and no page
 * shows, is left out. */
#ifndef SPK_LISTEN_SPARK_JSON_H
#define SPK_LISTEN_SPARK_JSON_H

#include <spark/listener.h>

#include "listen/json_out.h"

void spk_spark_log_start(spk_json_out *out);
void spk_spark_application_start(spk_json_out *out, const spark_application *application);
void spk_spark_application_end(spk_json_out *out, const spark_application *application);
void spk_spark_environment(spk_json_out *out, const spark_environment *environment);
void spk_spark_executor_added(spk_json_out *out, const spark_executor_event *executor);
void spk_spark_executor_removed(spk_json_out *out, const spark_executor_event *executor);
void spk_spark_block_manager_added(spk_json_out *out, const char *executor, const char *host,
    uint64_t memory, int64_t time);
void spk_spark_job_start(spk_json_out *out, const spark_job_info *job);
void spk_spark_job_end(spk_json_out *out, const spark_job_info *job);
void spk_spark_stage_submitted(
    spk_json_out *out, const spark_stage_info *stage, const spark_job_info *job);
void spk_spark_stage_completed(spk_json_out *out, const spark_stage_info *stage);
void spk_spark_task_start(spk_json_out *out, const spark_task_info *task, const char *host);
void spk_spark_task_end(spk_json_out *out, const spark_task_info *task, const char *host);
void spk_spark_block_updated(spk_json_out *out, const spark_block_event *block, const char *host);
void spk_spark_unpersist(spk_json_out *out, int rdd);

#endif
