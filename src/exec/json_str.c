/* SPDX-License-Identifier: Apache-2.0 */
/* Strings of JSON texts that have escapes, in memory of the task. */
#include "format/json.h"

bool spark_json_unescape(spark_task *task, spark_str raw, spark_str *out)
{
    if (raw.len == 0 || !memchr(raw.ptr, '\\', raw.len)) {
        *out = raw;
        return true;
    }
    char *text = spark_alloc(task, raw.len);
    if (!text)
        return false;
    *out = (spark_str) { text, spk_json_unescape(raw, text) };
    return true;
}

bool spark_json_str(spark_task *task, spark_json value, spark_str *out)
{
    if (value.kind != SPARK_JSON_STRING)
        return false;
    return spark_json_unescape(
        task, (spark_str) { value.text.ptr + 1, value.text.len - 2 }, out);
}
