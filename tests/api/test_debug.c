/* SPDX-License-Identifier: Apache-2.0 */
/* What an RDD says of itself: to_debug_string, names and ids. */
#include "oracle.h"

SPARK_PAIR(two, int64_t, int64_t);
SPARK_MAP(to_two, int64_t, two)
{
    *out = (two) { *in % 7, *in };
}
SPARK_MAP(doubled, int64_t, int64_t)
{
    *out = *in * 2;
}

/* without_sites: the text with what stands for a call site as X. Free it. */
static char *without_sites(const char *text)
{
    oracle_text out = { NULL, 0, 0 };
    const char *at;
    oracle_append(&out, "", 0);
    while ((at = strstr(text, TEST_FILE ":")) != NULL) {
        oracle_append(&out, text, (size_t)(at - text));
        oracle_append(&out, "X", 1);
        text = at + strlen(TEST_FILE ":");
        text += strspn(text, "0123456789");
    }
    oracle_append(&out, text, strlen(text));
    return out.bytes;
}

static void shows(spark_rdd *rdd, const char *want)
{
    char *text = without_sites(spark_to_debug_string(rdd));
    assert_string_equal(text, want);
    free(text);
}

static void test_to_debug_string__has_the_layout_of_spark(void **state)
{
    int64_t data[] = { 1, 2 };
    (void)state;
    spark_context *sc = oracle_open(1);
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(int64_t, 2, data), 2);
    shows(rdd, "(2) ParallelCollectionRDD[0] at parallelize at X []");
    spark_rdd *pairs = spark_map(rdd, to_two, NULL);
    spark_rdd *sums = spark_reduce_by_key(pairs, spark_op_sum, NULL, 0);
    shows(sums,
        "(2) ShuffledRDD[2] at reduceByKey at X []\n"
        " +-(2) MapPartitionsRDD[1] at map at X []\n"
        "    |  ParallelCollectionRDD[0] at parallelize at X []");
    /* Its own line says where it was made. */
    char site[64];
    spark_rdd *here = spark_map_values(sums, doubled, NULL);
    const int line = __LINE__ - 1;
    snprintf(site, sizeof site, "test_debug.c:%d []\n", line);
    assert_non_null(strstr(spark_to_debug_string(here), site));
    /* Wider counts shift what is below. */
    shows(spark_group_by_key(
              spark_map_values(spark_reduce_by_key(pairs, spark_op_sum, NULL, 100), doubled, NULL),
              12),
        "(12) ShuffledRDD[6] at groupByKey at X []\n"
        " +-(100) MapPartitionsRDD[5] at mapValues at X []\n"
        "     |   ShuffledRDD[4] at reduceByKey at X []\n"
        "     +-(2) MapPartitionsRDD[1] at map at X []\n"
        "        |  ParallelCollectionRDD[0] at parallelize at X []");
    oracle_close(sc);
}

static void test_to_debug_string__draws_branches(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(1);
    spark_rdd *a = spark_map(spark_range(sc, 0, 4, 1, 2), to_two, NULL);
    spark_rdd *b = spark_reduce_by_key(a, spark_op_sum, NULL, 3);
    /* Narrow parents: all with the same prefix; a shuffle below the one that is not last. */
    shows(spark_union(b, a),
        "(5) UnionRDD[3] at union at X []\n"
        " |  ShuffledRDD[2] at reduceByKey at X []\n"
        " +-(2) MapPartitionsRDD[1] at map at X []\n"
        "    |  ParallelCollectionRDD[0] at range at X []\n"
        " |  MapPartitionsRDD[1] at map at X []\n"
        " |  ParallelCollectionRDD[0] at range at X []");
    /* Two shuffles: the bar of the first goes on to the second. */
    shows(spark_join(a, a, 4),
        "(4) CoGroupedRDD[4] at join at X []\n"
        " +-(2) MapPartitionsRDD[1] at map at X []\n"
        " |  |  ParallelCollectionRDD[0] at range at X []\n"
        " +-(2) MapPartitionsRDD[1] at map at X []\n"
        "    |  ParallelCollectionRDD[0] at range at X []");
    /* One side is placed already. */
    shows(spark_join(b, a, 0),
        "(3) CoGroupedRDD[5] at join at X []\n"
        " |  ShuffledRDD[2] at reduceByKey at X []\n"
        " +-(2) MapPartitionsRDD[1] at map at X []\n"
        "    |  ParallelCollectionRDD[0] at range at X []\n"
        " +-(2) MapPartitionsRDD[1] at map at X []\n"
        "    |  ParallelCollectionRDD[0] at range at X []");
    oracle_close(sc);
}

static void test_to_debug_string__shows_names_and_what_is_cached(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(1);
    spark_rdd *a = spark_range(sc, 0, 4, 1, 2);
    assert_null(spark_rdd_name(a));
    assert_ptr_equal(spark_rdd_set_name(a, "numbers"), a);
    assert_string_equal(spark_rdd_name(a), "numbers");
    spark_cache(a);
    shows(a,
        "(2) numbers ParallelCollectionRDD[0] at range at X [Memory Deserialized 1x Replicated]");
    assert_int_equal(oracle_count(a), 4);
    const char *text = spark_to_debug_string(a);
    assert_non_null(strstr(text, "\n |"));
    assert_non_null(strstr(text, "    CachedPartitions: 2; MemorySize: "));
    assert_non_null(strstr(text, "; DiskSize: 0"));
    /* The level in brackets is that of the RDD asked. */
    spark_rdd *b = spark_map(a, doubled, NULL);
    char *lines = without_sites(spark_to_debug_string(b));
    static const char head[] = "(2) MapPartitionsRDD[1] at map at X []\n"
                               " |  numbers ParallelCollectionRDD[0] at range at X []\n"
                               " |      CachedPartitions: 2; MemorySize: ";
    assert_int_equal(strncmp(lines, head, sizeof head - 1), 0);
    free(lines);
    spark_unpersist(a);
    shows(b,
        "(2) MapPartitionsRDD[1] at map at X []\n"
        " |  numbers ParallelCollectionRDD[0] at range at X []");
    spark_rdd_set_name(a, NULL);
    assert_null(spark_rdd_name(a));
    oracle_close(sc);
}

static void test_to_debug_string__of_a_long_lineage_needs_no_deep_stack(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(1);
    spark_rdd *rdd = spark_range(sc, 0, 4, 1, 2);
    for (int i = 0; i < 100000; i++)
        rdd = spark_map(rdd, doubled, NULL);
    const char *text = spark_to_debug_string(rdd);
    assert_int_equal(strncmp(text, "(2) MapPartitionsRDD[100000] at map at ", 39), 0);
    assert_string_equal(spark_to_debug_string(NULL), "");
    oracle_close(sc);
}

static void test_to_debug_string__of_what_has_no_partitions(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(1);
    spark_rdd *rdd = spark_empty_rdd(sc, SPARK_TYPE(int64_t));
    assert_int_equal(strncmp(spark_to_debug_string(rdd), "(0) EmptyRDD[0] at emptyRDD at ", 31), 0);
    assert_string_equal(spark_to_debug_string(spark_text_file(sc, "missing", 2)), "");
    oracle_close(sc);
}

static void test_id__counts_the_rdds_of_a_context(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(1), *other = oracle_open(1);
    for (int i = 0; i < 3; i++) {
        spark_rdd *rdd = spark_range(sc, 0, 4, 1, 2);
        assert_int_equal(spark_rdd_id(rdd), i);
        assert_ptr_equal(spark_rdd_context(rdd), sc);
    }
    assert_int_equal(spark_rdd_id(spark_range(other, 0, 4, 1, 2)), 0);
    oracle_close(sc);
    oracle_close(other);
}

/* plan_of: what is written; free it. */
static char *plan_of(spark_rdd *rdd, bool measured)
{
    char *text = NULL;
    size_t n = 0;
    FILE *to = open_memstream(&text, &n);
    assert_non_null(to);
    oracle_ok(measured ? spark_explain_analyze(rdd, to) : spark_explain(rdd, to));
    fclose(to);
    return text;
}

static void test_names__keep_to_their_line_and_are_cut(void **state)
{
    enum { LONG = 1 << 20 };
    static const char hostile[] = "a\n\x1b[31m\xff\xc3(\xc2\x85\r\tb\xc3\xa9 \x7f\xe2\x80\xa8\xe2\x80\xae";
    static const char clean[] = "a\xef\xbf\xbd\xef\xbf\xbd[31m\xef\xbf\xbd\xef\xbf\xbd(\xef\xbf\xbd\xef\xbf\xbd"
                                "\xef\xbf\xbd" "b\xc3\xa9 \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd ";
    int64_t n;
    (void)state;
    char *name = malloc(LONG + 1);
    assert_non_null(name);
    for (int i = 0; i < LONG; i += 2)
        memcpy(name + i, i == 0 ? "ab" : "\xc3\xa9", 2);
    memmove(name, name + 1, LONG); /* byte 200 is within a character */
    name[LONG - 1] = 0;
    spark_context *sc = oracle_open(1);
    oracle_ok(spark_keep_metrics(sc, NULL));
    spark_rdd *numbers = spark_rdd_set_name((spark_range)(name, sc, 0, 5, 1, 1), hostile);
    spark_rdd *all = spark_rdd_set_name((spark_repartition)(hostile, numbers, 2), name);
    oracle_ok(spark_count(all, &n));
    char *texts[] = { strdup(spark_to_debug_string(all)), plan_of(all, false), plan_of(all, true) };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const char *cut = strstr(texts[i], "\xe2\x80\xa6");
        const char *first = strstr(texts[i], clean);
        assert_true(first && strstr(first + 1, clean));
        assert_true(strlen(texts[i]) < 4000);
        assert_non_null(cut);
        assert_memory_equal(cut - 2, "\xc3\xa9", 2);
        for (const char *c = texts[i]; *c; c++)
            assert_true((unsigned char)*c >= ' ' || *c == '\n');
        free(texts[i]);
    }
    oracle_close(sc);
    free(name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        oracle_test(test_to_debug_string__has_the_layout_of_spark),
        oracle_test(test_to_debug_string__draws_branches),
        oracle_test(test_to_debug_string__shows_names_and_what_is_cached),
        oracle_test(test_to_debug_string__of_a_long_lineage_needs_no_deep_stack),
        oracle_test(test_to_debug_string__of_what_has_no_partitions),
        oracle_test(test_names__keep_to_their_line_and_are_cut),
        oracle_test(test_id__counts_the_rdds_of_a_context),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
