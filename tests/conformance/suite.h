/* SPDX-License-Identifier: Apache-2.0 */
/* What the cases of Spark's suites share: a context for each, and short ways to ask. */
#ifndef SUITE_H
#define SUITE_H

#include "oracle.h"

/* suite_case: a test whose *state is a context of its own. */
static inline int suite_open(void **state)
{
    if (oracle_setup(state) != 0)
        return -1;
    *state = oracle_open(4);
    return 0;
}

static inline int suite_close(void **state)
{
    oracle_close(*state);
    return oracle_teardown(state);
}

#define suite_case(f) cmocka_unit_test_setup_teardown(f, suite_open, suite_close)

/* suite_only: the one number in an array, which it frees. */
static inline int64_t suite_only(spark_array *array)
{
    assert_int_equal(array->n, 1);
    const int64_t value = SPARK_ITEMS(int64_t, array)[0];
    spark_array_free(array);
    return value;
}

/* suite_sizes: how many elements each partition of an RDD of int64_t has; returns how many
 * partitions there are. */
static inline int suite_sizes(spark_rdd *rdd, size_t room, size_t sizes[])
{
    spark_array parts;
    oracle_ok(spark_collect(spark_glom(rdd), SPARK_TYPE(spark_i64_list), &parts));
    assert_true(parts.n <= room);
    for (size_t i = 0; i < parts.n; i++)
        sizes[i] = SPARK_ITEMS(spark_i64_list, &parts)[i].n;
    const int n = (int)parts.n;
    spark_array_free(&parts);
    return n;
}

/* suite_all: an RDD of int64_t has first, first + 1, ..., n of them, each once, in any order. */
static inline void suite_all(spark_rdd *rdd, int64_t first, size_t n)
{
    spark_array array;
    oracle_ok(spark_collect(rdd, SPARK_TYPE(int64_t), &array));
    assert_int_equal(array.n, n);
    bool *seen = calloc(n, sizeof *seen);
    assert_non_null(seen);
    for (size_t i = 0; i < n; i++) {
        const int64_t at = SPARK_ITEMS(int64_t, &array)[i] - first;
        assert_in_range(at, 0, n - 1);
        assert_false(seen[at]);
        seen[at] = true;
    }
    free(seen);
    spark_array_free(&array);
}

/* suite_jobs: how many jobs the context has run, one after the other. */
static inline int suite_jobs(spark_context *sc)
{
    spark_job_stats stats;
    return spark_job_stats_get(sc, SPARK_ANY, &stats) == SPARK_OK ? stats.job + 1 : 0;
}

#endif
