/* SPDX-License-Identifier: Apache-2.0 */
/* What arrow.py calls by ctypes: SQL in, streams of Arrow out and in. */
#include <spark.h>

spark_context *shim_open(int threads, int64_t memory_bytes, double fault_rate);
void shim_close(spark_context *sc);
const char *shim_error(void);
int shim_view(spark_context *sc, const char *name, struct ArrowArrayStream *stream, int partitions);
int shim_query(spark_context *sc, const char *text, size_t batch_rows, struct ArrowArrayStream *out);
int shim_batch(spark_context *sc, const char *text, struct ArrowSchema *schema, struct ArrowArray *array);

spark_context *shim_open(int threads, int64_t memory_bytes, double fault_rate)
{
    const spark_fault faults[] = { { .kind = SPARK_FAULT_RANDOM, .rate = fault_rate, .seed = 3 } };
    return spark_context_new(&(spark_conf) { .app_name = "arrow", .threads = threads,
        .memory_bytes = (uint64_t)memory_bytes, .faults = fault_rate > 0 ? faults : NULL,
        .n_faults = fault_rate > 0 ? 1 : 0, .task_max_failures = fault_rate > 0 ? 30 : 0 });
}

void shim_close(spark_context *sc)
{
    spark_context_free(sc);
}

const char *shim_error(void)
{
    return spark_last_error()->message;
}

int shim_view(spark_context *sc, const char *name, struct ArrowArrayStream *stream, int partitions)
{
    return (int)spark_create_temp_view(sc, name, spark_from_arrow_stream(sc, stream, partitions));
}

int shim_query(spark_context *sc, const char *text, size_t batch_rows, struct ArrowArrayStream *out)
{
    return (int)spark_to_arrow_stream(spark_sql(sc, text), &(spark_arrow_options) { batch_rows }, out);
}

int shim_batch(spark_context *sc, const char *text, struct ArrowSchema *schema, struct ArrowArray *array)
{
    return (int)spark_to_arrow(spark_sql(sc, text), schema, array);
}
