/* SPDX-License-Identifier: Apache-2.0 */
/* Linked with --wrap=spark_context_new into programs that know nothing of it: all their contexts have event
 * logs, in the directory that SPARK_EVENT_LOG_DIR says. */
#include <spark.h>

spark_context *__real_spark_context_new(const spark_conf *conf);
spark_context *__wrap_spark_context_new(const spark_conf *conf);

spark_context *__wrap_spark_context_new(const spark_conf *conf)
{
    spark_context *sc = __real_spark_context_new(conf);
    if (spark_event_log(sc, NULL) == SPARK_EIO)
        spark_complain("event log");
    return sc;
}
