/* SPDX-License-Identifier: Apache-2.0 */
/* CACHE TABLE: what statements give over blocks of columns, beside what they give over the rows these were made
 * of: columns of every type that goes into blocks and of every width, with and without NULLs, conditions of all
 * kinds; under budgets that evict blocks, faults, and after the table has changed. */
#include "../support/sql_test.h"

#include <stdatomic.h>

/* tables: each as SELECT over range(n). */
static const char *const tables[] = {
    /* numbers of every width, that change from block to block */
    "SELECT id a, CAST(id % 7 AS TINYINT) b, CAST(id % 300 - 150 AS SMALLINT) c, CAST(id * 1000 AS INT) d, "
    "(id - 30000) * 10000000000 e, 5 f, CAST(id % 2 = 0 AS BOOLEAN) g, CAST(id AS DOUBLE) / 3 h, CAST(id AS FLOAT) i",
    /* the same with NULLs */
    "SELECT nullif(id, 11) a, IF(id % 5 = 0, NULL, CAST(id % 7 AS TINYINT)) b, IF(id % 3 = 1, NULL, CAST(id % "
    "300 - 150 AS "
    "SMALLINT)) c, IF(id > 40000, NULL, CAST(id * 1000 AS INT)) d, IF(id < 40000, NULL, id * 10000000000) e, "
    "CAST(NULL AS INT) f, IF(id % 4 = 3, NULL, id % 2 = 0) g, IF(id % 9 = 3, NULL, CAST(id AS DOUBLE) / 3) h, "
    "CAST(NULL AS FLOAT) i",
    /* decimals, dates, times, texts of few and of many kinds */
    "SELECT id a, CAST(id % 7 AS DECIMAL(10, 2)) b, CAST(id - 50 AS DECIMAL(38, 4)) * 3 c, DATE'2020-01-01' + "
    "CAST(id % 700 "
    "AS INT) d, TIMESTAMP'2024-02-29 01:02:03' + make_dt_interval(CAST(id AS INT)) e, 'kind ' || id % 20 f, "
    "'text ' || id g, "
    "repeat('x', CAST(id % 50 AS INT)) h, CAST('b' || id % 300 AS BINARY) i",
    "SELECT IF(id % 6 = 0, NULL, id) a, IF(id % 4 = 0, NULL, CAST(id % 7 AS DECIMAL(10, 2))) b, IF(id % 3 = 0, NULL, "
    "CAST(id AS DECIMAL(38, 0)) * 1000000000000000000000) c, IF(id % 8 = 0, NULL, DATE'2020-01-01' + CAST(id % "
    "9000 AS INT)) "
    "d, NULL e, IF(id % 5 = 0, NULL, 'kind ' || id % 20) f, IF(id % 5 = 1, NULL, 'text ' || id) g, "
    "IF(id > 3, NULL, '') h, CAST(NULL AS STRING) i",
};

enum { STATEMENTS = 24 };

/* conditions: {k} of each table that make sense for all of its columns. */
static const char *const statements[2][STATEMENTS] = {
    { "SELECT * FROM t",
        "SELECT count(*) FROM t",
        "SELECT a, h FROM t WHERE b = 3",
        "SELECT a FROM t WHERE c BETWEEN -5 AND 9",
        "SELECT a FROM t WHERE d < 100000 AND b <> 2",
        "SELECT a + b x, c FROM t WHERE a >= 32760 AND a < 32780",
        "SELECT a FROM t WHERE e > 400000000000000",
        "SELECT a FROM t WHERE f = 5 AND b IN (1, 2)",
        "SELECT a FROM t WHERE f <> 5",
        "SELECT b, count(*), sum(c), min(d), max(e), avg(h) FROM t WHERE g GROUP BY b ORDER BY b",
        "SELECT a FROM t WHERE b IS NULL",
        "SELECT a FROM t WHERE c IS NOT NULL AND h < 20",
        "SELECT a FROM t WHERE NOT g AND a < 99",
        "SELECT a, b FROM t WHERE a % 1000 = b",
        "SELECT sum(a) FROM t WHERE 1 = 2",
        "SELECT a FROM t WHERE b < 100 AND c < 1000 AND a < 5",
        "SELECT a FROM t WHERE d > 250000 AND d <= 40000000 AND e >= -29000000000000 AND 390000000000000 > e AND c < "
        "149 AND e > -290000000000000",
        "SELECT a FROM t WHERE a > 100 AND a < 50",
        "SELECT a, b FROM t ORDER BY a LIMIT 10",
        "SELECT e, a FROM t WHERE b <> 3 ORDER BY e DESC, a LIMIT 90",
        "SELECT d FROM t ORDER BY d NULLS LAST, a LIMIT 5",
        "SELECT c, a FROM t ORDER BY c DESC, a DESC LIMIT 400",
        "SELECT a FROM t ORDER BY a + 1, a LIMIT 3 OFFSET 50",
        "SELECT b, a FROM t WHERE a > 10 ORDER BY b, a DESC LIMIT 100" },
    { "SELECT * FROM t",
        "SELECT count(*), count(g) FROM t",
        "SELECT a FROM t WHERE f = 'kind 3'",
        "SELECT a FROM t WHERE f LIKE '%1%'",
        "SELECT a FROM t WHERE g LIKE '%99'",
        "SELECT a FROM t WHERE d < DATE'2020-02-01'",
        "SELECT a FROM t WHERE b > 5",
        "SELECT a, c FROM t WHERE c > 100000",
        "SELECT f, count(*), sum(b), max(g), min(d) FROM t GROUP BY f ORDER BY f",
        "SELECT a FROM t WHERE f IS NULL",
        "SELECT a FROM t WHERE length(h) > 45",
        "SELECT h FROM t WHERE h = '' AND a < 1000",
        "SELECT a FROM t WHERE f = 'none'",
        "SELECT upper(f), a FROM t WHERE f <> 'kind 4' AND a BETWEEN 100 AND 200",
        "SELECT a FROM t WHERE coalesce(f, 'kind 5') = 'kind 5'",
        "SELECT a FROM t WHERE i = CAST('b7' AS BINARY) OR f = 'kind 7'",
        "SELECT a, b FROM t WHERE b >= 2 AND b < 4.5 AND d >= DATE'2020-03-01' AND d < DATE'2020-04-01' AND a > 50",
        "SELECT count(a), min(e) FROM t WHERE e > TIMESTAMP'2024-02-29 01:10:00' AND e <= TIMESTAMP'2024-02-29 "
        "12:00:00'",
        "SELECT e, a FROM t ORDER BY e, a LIMIT 20",
        "SELECT d, a FROM t ORDER BY d DESC, a LIMIT 200",
        "SELECT b, a FROM t WHERE f <> 'kind 3' ORDER BY b DESC, a DESC LIMIT 70",
        "SELECT c, a FROM t ORDER BY c DESC, a LIMIT 7",
        "SELECT f, a FROM t ORDER BY f, a LIMIT 5",
        "SELECT d, g FROM t ORDER BY d NULLS LAST, g LIMIT 300" },
};

static const sql_kind kind
    = { .name = "cache", .master = "local-cluster[2,1,256]", .batch_rows = 7, .max_failures = 20, .seed = 5 };

static void compare(spark_context *sc, size_t table, int rows, int partitions)
{
    char create[2000], select[1500];
    char *want[STATEMENTS];
    snprintf(select, sizeof select, "%s FROM range(0, %d, 1, %d)", tables[table], rows, partitions);
    snprintf(create, sizeof create, "CREATE OR REPLACE TEMP VIEW t AS %s", select);
    sql_run(sc, create);
    for (size_t i = 0; i < STATEMENTS; i++)
        want[i] = sql_answer(sc, statements[table / 2][i]);
    sql_run(sc, "CACHE TABLE t");
    for (size_t i = 0; i < STATEMENTS; i++) {
        char *have = sql_answer(sc, statements[table / 2][i]);
        if (strcmp(have, want[i]) != 0)
            fail_msg("table %zu of %d rows: %s", table, rows, statements[table / 2][i]);
        free(have);
        free(want[i]);
    }
    sql_run(sc, "UNCACHE TABLE t");
}

static void test_statements(void **state)
{
    (void)state;
    for (size_t variant = 0; variant < SQL_VARIANTS; variant++) {
        spark_context *sc = sql_open(&kind, variant);
        for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++) {
            compare(sc, t, variant ? 3000 : 70000, 2);
            compare(sc, t, 1, 1);
            compare(sc, t, 0, 3);
        }
        spark_context_free(sc);
    }
}

static bool reads_cache(spark_context *sc, const char *table)
{
    char text[200];
    snprintf(text, sizeof text, "EXPLAIN SELECT * FROM %s", table);
    char *plan = sql_answer(sc, text);
    const bool found = strstr(plan, "InMemoryTableScan") != NULL;
    free(plan);
    return found;
}

/* test_life: what is cached when, and what of it is seen. */
static void test_life(void **state)
{
    (void)state;
    spark_context *sc = sql_open(&kind, 0);
    sql_run(sc, "CREATE TABLE t (a BIGINT, b STRING) USING csv");
    sql_run(sc, "INSERT INTO t SELECT id, 'v' || id FROM range(1000)");
    sql_run(sc, "CACHE TABLE t");
    assert_true(reads_cache(sc, "t"));
    sql_run(sc, "INSERT INTO t VALUES (-1, NULL)");
    assert_false(reads_cache(sc, "t"));
    sql_gives(spark_sql(sc, "SELECT count(*), min(a) FROM t"), "1001|-1\n");
    sql_run(sc, "CACHE LAZY TABLE t");
    assert_true(reads_cache(sc, "t"));
    sql_run(sc, "CACHE TABLE few AS SELECT a, array(a) l FROM t WHERE a > 990"); /* arrays are not in blocks */
    sql_run(sc, "CACHE TABLE some AS SELECT a, b FROM t WHERE a > 990");
    assert_true(reads_cache(sc, "some"));
    sql_gives(spark_sql(sc, "SELECT count(*), max(s.b), sum(f.l[0]) FROM some s JOIN few f ON s.a = f.a"),
        "9|v999|8955\n");
    sql_run(sc, "UNCACHE TABLE t");
    sql_run(sc, "UNCACHE TABLE some");
    assert_false(reads_cache(sc, "t"));
    sql_run(sc, "UNCACHE TABLE IF EXISTS nothing");
    assert_int_not_equal(spark_rdd_status(spark_sql(sc, "CACHE TABLE nothing")), SPARK_OK);
    assert_int_not_equal(spark_rdd_status(spark_sql(sc, "CACHE TABLE bad AS SELECT 1 / 0 x")), SPARK_OK);
    spark_context_free(sc);
}

/* test_evicted: tables that do not fit beside each other. */
static void test_evicted(void **state)
{
    (void)state;
    spark_context *sc = sql_open(&kind, SQL_BUDGET);
    sql_run(sc, "CACHE TABLE x AS SELECT id, id * 7 v, repeat('abcdefgh', 4) || id s FROM range(600000)");
    sql_run(sc, "CACHE TABLE y AS SELECT id, id * 5 v, repeat('hgfedcba', 4) || id s FROM range(600000)");
    for (int i = 0; i < 2; i++) {
        sql_gives(spark_sql(sc, "SELECT sum(v), max(s), count(*) FROM x WHERE id >= 1000"),
            "1259994403500|abcdefghabcdefghabcdefghabcdefgh99999|599000\n");
        sql_gives(spark_sql(sc, "SELECT sum(v), min(s), count(*) FROM y WHERE s LIKE '%7'"),
            "90000600000|hgfedcbahgfedcbahgfedcbahgfedcba100007|60000\n");
    }
    spark_context_free(sc);
}

static atomic_int calls, rows_seen;

static void count_calls(
    spark_task *task, size_t n, const void *in, size_t in_step, void *out, size_t out_step, const void *env)
{
    (void)task, (void)env;
    atomic_fetch_add(&calls, 1);
    atomic_fetch_add(&rows_seen, (int)n);
    for (size_t i = 0; i < n; i++)
        memcpy((char *)out + i * out_step, (const char *)in + i * in_step, sizeof(int64_t));
}

/* open_counting: with the function counted(id). */
static spark_context *open_counting(void)
{
    static const spark_map_def counted[1]
        = { { .name = "counted", .in = SPARK_TYPE(int64_t), .out = SPARK_TYPE(int64_t), .run = count_calls } };
    const spark_conf conf = { .master = "local[1]" };
    spark_context *sc = spark_context_new(&conf);
    assert_int_equal(spark_register_function(sc, "counted", counted, NULL), SPARK_OK);
    return sc;
}

/* test_batches: a block is one element of its RDD, but batches are of its rows: a scan begins with few and goes on
 * with as many as it can. */
static void test_batches(void **state)
{
    (void)state;
    spark_context *sc = open_counting();
    sql_run(sc, "CACHE TABLE t AS SELECT id FROM range(0, 30000, 1, 1)");
    sql_gives(spark_sql(sc, "SELECT sum(counted(id)) FROM t"), "449985000\n");
    assert_in_range(atomic_load(&calls), 30, 400);
    spark_context_free(sc);
}

/* test_first_rows: the first rows of an order are found without the blocks that are behind them; of those that hold NULL
 * and of an order by what is computed all are read. */
static void test_first_rows(void **state)
{
    enum { N = 300000, BLOCKS = 2 * 32768 };
    static const struct {
        const char *statement, *rows;
        bool all;
    } cases[] = {
        { "SELECT id FROM t WHERE counted(id) > 6 ORDER BY id LIMIT 3", "7\n8\n9\n", false },
        { "SELECT id FROM t WHERE counted(id) > 6 ORDER BY back DESC, id LIMIT 3", "7\n8\n9\n", false },
        { "SELECT id FROM t WHERE counted(id) > 6 ORDER BY day, id DESC LIMIT 3", "999\n998\n997\n", false },
        { "SELECT id FROM t WHERE counted(id) > 6 ORDER BY id + 1 LIMIT 3", "7\n8\n9\n", true },
        { "SELECT id FROM t WHERE counted(id) > 6 ORDER BY hole DESC LIMIT 1", "299999\n", true },
        { "SELECT id FROM t WHERE counted(id) > 6 ORDER BY id DESC LIMIT 1", "299999\n", true },
    };
    (void)state;
    spark_context *sc = open_counting();
    sql_run(sc, "CACHE TABLE t AS SELECT id, 1 - id back, DATE'2020-01-01' + CAST(id DIV 1000 AS INT) day, nullif(id, 5) hole "
                "FROM range(0, 300000, 1, 1)");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        atomic_store(&rows_seen, 0);
        sql_gives(spark_sql(sc, cases[i].statement), cases[i].rows);
        assert_in_range(atomic_load(&rows_seen), cases[i].all ? N : 1, cases[i].all ? N : BLOCKS);
    }
    spark_context_free(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_statements),
        cmocka_unit_test(test_life),
        cmocka_unit_test(test_evicted),
        cmocka_unit_test(test_batches),
        cmocka_unit_test(test_first_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
