/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes by status of a web server's log, some lines of which are damaged: those are put aside, and
 * shown with file, line and reason. More than RATIO of bad lines (0.05), and the log is not worth
 * summing up: the job fails.
 *   usage: bad_records [FILE [RATIO]] */
#include <inttypes.h>
#include <spark.h>
#include <stdlib.h>

SPARK_STRUCT(sums, (int64_t, requests), (int64_t, bytes));
SPARK_PAIR(status_sums, int64_t, sums);

/* 192.0.2.7 - - [10/Oct/2024:13:55:36 +0000] "GET /index.html HTTP/1.1" 200 2326 */
SPARK_MAP(to_status, spark_str, status_sums)
{
    spark_str rest = *in, field;
    out->value.requests = 1;
    if (rest.len == 0)
        spark_bad_record(task, "an empty line");
    else if (!spark_str_split(&rest, '"', &field) || !rest.ptr)
        spark_bad_record(task, "cut off after %zu characters", in->len);
    else if (!spark_str_split(&rest, '"', &field) || !spark_str_next_i64(&rest, &out->key))
        spark_bad_record(task, "no status");
    else if (!spark_str_next_i64(&rest, &out->value.bytes))
        out->value.bytes = 0; /* "-" */
}

SPARK_MERGE(add, sums, sums)
{
    acc->requests += in->requests;
    acc->bytes += in->bytes;
}

static void print_sums(const spark_array *result)
{
    const status_sums *at = SPARK_ITEMS(status_sums, result);
    printf("status requests     bytes\n");
    for (size_t i = 0; i < result->n; i++)
        printf("%6" PRId64 " %8" PRId64 " %9" PRId64 "\n", at[i].key, at[i].value.requests,
            at[i].value.bytes);
}

/* print_bad: the folders of the file are left out. */
static void print_bad(const spark_array *bad)
{
    const spark_bad_row *at = SPARK_ITEMS(spark_bad_row, bad);
    for (size_t i = 0; i < bad->n; i++, at++) {
        spark_str folders = at->source, name = { NULL, 0 };
        while (folders.ptr)
            spark_str_split(&folders, '/', &name);
        printf("%.*s:%" PRId64 ": %.*s: %.*s\n", (int)name.len, name.ptr, at->position,
            (int)at->reason.len, at->reason.ptr, (int)at->record.len, at->record.ptr);
    }
}

int main(int argc, char **argv)
{
    if (argc > 3)
        return fputs("usage: bad_records [FILE [RATIO]]\n", stderr), 2;
    const char *file = argc > 1 ? argv[1] : SPARK_EXAMPLES_DATA "/access.log";
    spark_context *sc = spark_context_new(NULL);
    spark_rdd *requests = spark_map(spark_text_file(sc, file, 4), to_status, NULL);
    requests = spark_on_bad_records(requests,
        &(spark_bad_policy) {
            .mode = SPARK_BAD_ASIDE, .max_ratio = argc > 2 ? strtod(argv[2], NULL) : 0.05 });
    spark_rdd *by_status = spark_reduce_by_key(requests, add, NULL, 2);

    spark_array result = { 0 }, bad = { 0 };
    spark_status status
        = spark_collect(spark_sort_by_key(by_status, NULL, 1), SPARK_TYPE(status_sums), &result);
    if (status == SPARK_OK) /* nothing is computed again: it was put aside on the way */
        status = spark_collect(spark_bad_records(requests), SPARK_TYPE(spark_bad_row), &bad);
    if (status == SPARK_OK) {
        int64_t lines;
        const int64_t n = spark_bad_count(requests, &lines);
        print_sums(&result);
        printf("%" PRId64 " of %" PRId64 " lines are bad:\n", n, lines);
        print_bad(&bad);
    } else {
        spark_complain("bad_records");
    }
    spark_array_free(&bad);
    spark_array_free(&result);
    spark_context_free(sc);
    return status != SPARK_OK;
}
