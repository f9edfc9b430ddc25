/* SPDX-License-Identifier: Apache-2.0 */
/* Partitions of windows that are larger than the memory there is: what comes out of every form of function and frame is
 * what ample memory gives; so it is for long runs of peers, with faults and with checks. */
#include "../support/sql_test.h"

/* Rows of some 600 bytes: 12 MB of them, as much as half of the memory. */
static const char rows[] = "(SELECT id, id * 7919 % 20011 r, id * 31 % 1009 many, id % 3 few, 1 same, "
                           "IF(id % 5 = 0, NULL, id % 1009) u, CAST(id * 37 % 991 AS DOUBLE) / 4 d, "
                           "concat(repeat(CAST(id % 10 AS STRING), 450), id) s, "
                           "IF(id % 7 = 0, NULL, repeat('z', 40)) z, array(id, r) list "
                           "FROM (SELECT id, id * 7919 % 20011 r FROM range(0, 20000, 1, 3)))";

enum { BUDGET = 24 << 20 };

/* Functions, and the window that all of them have. */
static const struct {
    const char *functions, *window;
} cases[] = {
    { "row_number() OVER w, rank() OVER w, dense_rank() OVER w, percent_rank() OVER w, cume_dist() OVER w, ntile(7) "
      "OVER w",
        "ORDER BY r" },
    { "row_number() OVER w, rank() OVER w, dense_rank() OVER w, percent_rank() OVER w, cume_dist() OVER w, "
      "ntile(3333) OVER w",
        "PARTITION BY few ORDER BY u DESC NULLS FIRST" },
    { "rank() OVER w, dense_rank() OVER w, cume_dist() OVER w, sum(d) OVER w, count(s) OVER w", "ORDER BY same" },
    { "lag(s) OVER w, lead(s, 3, 'none') OVER w, lag(u, 9000) OVER w, lead(s, 15000, s) OVER w", "ORDER BY r" },
    { "lag(u, 2) IGNORE NULLS OVER w, lead(z, 3) IGNORE NULLS OVER w, lag(z, 1000) IGNORE NULLS OVER w, "
      "lead(CAST(NULL AS INT)) IGNORE NULLS OVER w",
        "ORDER BY r" },
    { "first_value(s) OVER w, last_value(s) OVER w, nth_value(s, 3) OVER w, last(u, true) OVER w, "
      "nth_value(u, 500) IGNORE NULLS OVER w",
        "ORDER BY many" },
    { "sum(d) OVER w, avg(u) OVER w, count(*) OVER w, min(s) OVER w, stddev(d) OVER w, last(list) OVER w",
        "ORDER BY r" },
    { "sum(d) OVER w, max(s) OVER w, count(u) FILTER (WHERE few = 1) OVER w, approx_percentile(u, 0.5) OVER w, "
      "max_by(s, r) OVER w, approx_count_distinct(many) OVER w, percentile(u, 0.3) OVER w, collect_set(few) OVER w",
        "PARTITION BY same" },
    { "sum(d) OVER w, max(s) OVER w, nth_value(u, 2) IGNORE NULLS OVER w, collect_list(few) OVER w",
        "ORDER BY r ROWS BETWEEN 5 PRECEDING AND 6 FOLLOWING" },
    { "sum(d) OVER w, max(s) OVER w, first(list) OVER w, nth_value(z, 90) IGNORE NULLS OVER w",
        "ORDER BY r ROWS BETWEEN 900 PRECEDING AND 100 FOLLOWING" },
    { "stddev(d) OVER w, corr(u, many) OVER w, max_by(s, d) OVER w, min_by(list, u) OVER w, bit_xor(id) OVER w",
        "ORDER BY r ROWS BETWEEN 1500 PRECEDING AND 10 FOLLOWING" },
    { "sum(d) OVER w, count(*) OVER w", "ORDER BY r ROWS BETWEEN 3 FOLLOWING AND 15000 FOLLOWING" },
    { "sum(d) OVER w, min(s) OVER w", "ORDER BY r ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING" },
    { "sum(d) OVER w, avg(u) OVER w, max(s) OVER w, first_value(s) OVER w",
        "ORDER BY many RANGE BETWEEN 30 PRECEDING AND 1 FOLLOWING" },
    { "sum(d) OVER w, last_value(s) OVER w", "ORDER BY many DESC RANGE BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING" },
    { "count(*) OVER w, last_value(s) OVER w", "ORDER BY r ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING" },
    { "longest_of(z) OVER w, longest_of(s) OVER w", "ORDER BY r" },
    { "longest_of(z) OVER w, longest_of(s) OVER w", "ORDER BY r DESC ROWS BETWEEN 20 PRECEDING AND 1 FOLLOWING" },
};
enum { CASES = sizeof cases / sizeof cases[0] };

/* longest: an accumulator that shows a row's text. */
SPARK_MERGE(longest, spark_str, spark_str)
{
    if (in->len > acc->len)
        *acc = *in;
}

static void statement(char *sql, size_t size, size_t i)
{
    const int n = snprintf(sql, size,
        "SELECT count(*), bit_xor(xxhash64(struct(*))), sum(xxhash64(struct(*)) %% 1000003) FROM (SELECT id, s, %s "
        "FROM %s WINDOW w AS (%s))",
        cases[i].functions, rows, cases[i].window);
    assert_true(n > 0 && (size_t)n < size);
}

/* Contexts: 0 has memory, 1 little of it and two threads, 2 little and faults, 3 memory and checks. */
enum { VARIANTS = TESTS_WATCH_THREADS ? 3 : 4 };

#define ANY_FIRST .job = SPARK_ANY, .stage = SPARK_ANY, .partition = SPARK_ANY, .attempt = 0

static spark_context *open_context(size_t variant)
{
    static const spark_fault faults[] = {
        { .kind = SPARK_FAULT_RANDOM, .rate = 0.1, .seed = 9 },
        { SPARK_FAULT_READ, ANY_FIRST, .rate = 0.0005, .seed = 1 },
        { SPARK_FAULT_WRITE, ANY_FIRST, .rate = 0.0005, .seed = 2 },
        { SPARK_FAULT_ALLOC, ANY_FIRST, .rate = 0.001, .seed = 3 },
        { SPARK_FAULT_CORRUPT, ANY_FIRST, .rate = 0.0005, .seed = 4 },
    };
    spark_conf conf = { .app_name = "windows", .threads = variant == 1 ? 2 : 1, .check = variant == 3 };
    if (variant == 1 || variant == 2)
        conf.memory_bytes = BUDGET;
    if (variant == 2) {
        conf.faults = faults;
        conf.n_faults = sizeof faults / sizeof faults[0];
        conf.task_max_failures = 30;
    }
    const spark_str none = SPARK_STR("none");
    spark_context *sc = spark_context_new(&conf);
    assert_non_null(sc);
    assert_int_equal(
        spark_register_aggregate(sc, "longest_of", SPARK_VALUE(spark_str, &none), longest, longest, NULL, NULL),
        SPARK_OK);
    return sc;
}

static void test_large_partitions(void **state)
{
    (void)state;
    char *first[CASES], sql[4000];
    for (size_t variant = 0; variant < VARIANTS; variant++) {
        spark_context *sc = open_context(variant);
        for (size_t i = 0; i < CASES; i++) {
            statement(sql, sizeof sql, i);
            sql_same(variant, sql, sql_answer(sc, sql), &first[i]);
        }
        assert_true(variant != 2 || spark_faults_struck(sc) > 0);
        spark_context_free(sc);
    }
    for (size_t i = 0; i < CASES; i++)
        free(first[i]);
}

/* test_peers_agree: wide frames of texts that slide, from one row to its peers. */
static void test_peers_agree(void **state)
{
    (void)state;
    spark_context *sc = spark_context_new(&(spark_conf) { .app_name = "windows", .threads = 1 });
    sql_gives(spark_sql(sc, "SELECT count(*) FROM (SELECT id % 300 k, max(s) OVER w high, min(s) OVER w low FROM "
                            "(SELECT id, substr(md5(CAST(id AS STRING)), 1, CAST(1 + id * 7 % 11 AS INT)) s "
                            "FROM range(40000)) "
                            "WINDOW w AS (ORDER BY id % 300 RANGE BETWEEN 1 PRECEDING AND CURRENT ROW)) "
                            "GROUP BY k HAVING min(high) <> max(high) OR min(low) <> max(low)"),
        "");
    spark_context_free(sc);
}

/* test_large_keys: partitions by texts of 20 kB: of such keys no more are taken as a sample than memory has room for. */
static void test_large_keys(void **state)
{
    (void)state;
    spark_context *sc = spark_context_new(
        &(spark_conf) { .app_name = "windows", .threads = 1, .memory_bytes = (uint64_t)32 << 20 });
    sql_run(sc, "SET spark.sql.shuffle.partitions = 1");
    sql_gives(spark_sql(sc, "SELECT count(*), sum(a % 1003) FROM (SELECT sum(id) OVER (PARTITION BY k ORDER BY id) a FROM (SELECT "
                            "id, lpad(id * 7919 % 1501, 9, '0') || repeat('long ', 4000) k FROM range(0, 3000, 1, 7)))"),
        "3000|1377558\n");
    spark_context_free(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_large_partitions),
        cmocka_unit_test(test_peers_agree),
        cmocka_unit_test(test_large_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
