/* SPDX-License-Identifier: Apache-2.0 */
/* Values as JSON texts, in memory of the task. */
#include <spark/json.h>

#include "format/json_print.h"

spark_str spark_to_json(spark_task *task, const spark_type *type, const void *value)
{
    const spk_json json = { .ignore_null = true };
    const spark_str nothing = { "", 0 };
    char *text = spark_alloc(task, spk_json_room(&json, type, value));
    return text ? (spark_str) { text, spk_json_print(&json, type, value, text) } : nothing;
}
