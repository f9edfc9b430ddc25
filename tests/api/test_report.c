/* SPDX-License-Identifier: Apache-2.0 */
/* Reports, traces and plans where they cannot be written, and plans of lineages that are large. What stands
 * in them, tests/listen/views.py reads. */
#include "oracle.h"

SPARK_PAIR(pair, int64_t, int64_t);
SPARK_MAP(to_pair, int64_t, pair)
{
    *out = (pair) { *in % 7, *in };
}

static void fails(spark_status status, spark_status want, const char *words)
{
    assert_int_equal(status, want);
    assert_non_null(strstr(spark_last_error()->message, words));
}

static void says_why_it_cannot_begin(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    fails(spark_report(sc, NULL), SPARK_EINVAL, "report: there is no path");
    fails(spark_trace(sc, ""), SPARK_EINVAL, "trace: there is no path");
    fails(spark_report(sc, "/nowhere/at/all.html"), SPARK_EIO, "/nowhere/at/all.html: No such file");
    fails(spark_trace(sc, "/"), SPARK_EIO, "cannot write a trace to /: Is a directory");
    fails(spark_report(NULL, "/dev/null"), SPARK_EINVAL, "");
    oracle_close(sc);
}

static void a_full_disk_ends_no_job(void **state)
{
    int64_t n = 0;
    (void)state;
    spark_context *sc = oracle_open(2);
    oracle_ok(spark_report(sc, "/dev/full"));
    oracle_ok(spark_trace(sc, "/dev/full"));
    oracle_ok(spark_count(spark_range(sc, 0, 1000, 1, 50), &n));
    assert_int_equal(n, 1000);
    oracle_close(sc);
}

static void explain_says_what_is_wrong(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_range(sc, 0, 10, 1, 2);
    FILE *full = fopen("/dev/full", "w");
    assert_non_null(full);
    fails(spark_explain(NULL, full), SPARK_EINVAL, "NULL");
    fails(spark_explain(rdd, NULL), SPARK_EINVAL, "there is no stream");
    fails(spark_explain(rdd, full), SPARK_EIO, "cannot write the plan: No space left");
    fails(spark_explain_dot(rdd, full), SPARK_EIO, "cannot write the plan: No space left");
    fails(spark_explain_dot(spark_text_file(sc, "/nowhere", 1), full), SPARK_EIO, "/nowhere");
    fclose(full);
    oracle_close(sc);
}

/* count_of: how often the words stand in what explain, or explain_dot, writes. */
static int count_of(spark_rdd *rdd, bool dot, const char *words, size_t *length)
{
    char *text = NULL;
    int n = 0;
    FILE *to = open_memstream(&text, length);
    assert_non_null(to);
    oracle_ok(dot ? spark_explain_dot(rdd, to) : spark_explain(rdd, to));
    fclose(to);
    for (const char *at = text; (at = strstr(at, words)) != NULL; at++)
        n++;
    free(text);
    return n;
}

/* An RDD that is reached on 2^60 ways is written once on each edge. */
static void explain_of_many_diamonds_is_short(void **state)
{
    enum { LEVELS = 60 };
    size_t length;
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_range(sc, 0, 10, 1, 1);
    for (int i = 0; i < LEVELS; i++)
        rdd = spark_coalesce(spark_union(rdd, rdd), 1);
    assert_int_equal(count_of(rdd, false, "UnionRDD[", &length), LEVELS);
    assert_int_equal(count_of(rdd, false, "see above", &length), LEVELS - 1);
    assert_int_equal(count_of(rdd, true, " -> ", &length), 3 * LEVELS);
    oracle_close(sc);
}

/* A shuffle that two join is one stage; what a cached RDD makes needless is not needed. */
static void explain_knows_what_will_run(void **state)
{
    size_t length;
    int64_t n;
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *sums = spark_reduce_by_key(spark_map(spark_range(sc, 0, 100, 1, 4), to_pair, NULL), spark_op_sum, NULL,
        3);
    spark_rdd *both = spark_reduce_by_key(spark_union(sums, sums), spark_op_sum, NULL, 5);
    assert_int_equal(count_of(both, false, "; runs", &length), 3);
    assert_int_equal(count_of(both, true, "subgraph", &length), 3);
    oracle_ok(spark_count(sums, &n));
    assert_int_equal(count_of(both, false, "; runs", &length), 2);
    assert_int_equal(count_of(both, false, "; skipped", &length), 1);
    oracle_ok(spark_count(spark_cache(both), &n));
    assert_int_equal(count_of(both, false, "; runs", &length), 1);
    assert_int_equal(count_of(both, false, "; not needed", &length), 2);
    assert_int_equal(count_of(both, false, "5 of 5 cached", &length), 1);
    oracle_close(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_why_it_cannot_begin),
        cmocka_unit_test(a_full_disk_ends_no_job),
        cmocka_unit_test(explain_says_what_is_wrong),
        cmocka_unit_test(explain_of_many_diamonds_is_short),
        cmocka_unit_test(explain_knows_what_will_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
