/* SPDX-License-Identifier: Apache-2.0 */
/* What statements, views and tables hold of the budget, when they give it back, and what they do without. */
#include "../support/sql_test.h"

#include <stdatomic.h>

static spark_context *open_context(void)
{
    spark_context *sc = spark_context_new(&(spark_conf) { .threads = 1, .memory_bytes = (uint64_t)64 << 20 });
    assert_non_null(sc);
    return sc;
}

/* done: a statement whose rows are computed and given back, as it is. */
static void done(spark_context *sc, const char *sql)
{
    spark_rdd *rdd = spark_sql(sc, sql);
    free(sql_rows(rdd));
    spark_rdd_release(rdd);
}

static void test_release__gives_the_memory_of_a_statement_back(void **state)
{
    (void)state;
    static const char *const statements[] = { "SELECT 1", "SELECT count(*) FROM range(10)", "SELECT nosuch",
        "SELECT a.id FROM range(10) a JOIN range(10) b USING(id) ORDER BY id", "SELECT max(id) FROM t GROUP BY id % 2",
        "SELECT row_number() OVER (ORDER BY id) FROM range(4) UNION SELECT 1", "EXPLAIN SELECT 1", "SHOW TABLES",
        "CREATE OR REPLACE TEMP VIEW v AS SELECT 1 x", "INSERT OVERWRITE t SELECT id FROM range(3)",
        "CREATE TABLE u(a INT, b STRING)", "INSERT INTO u VALUES (1, 'x'), (2, NULL)", "SELECT count(*) FROM u",
        "DROP TABLE u", "CACHE TABLE k AS SELECT id FROM range(10)", "SELECT * FROM k", "DROP VIEW k",
        "CACHE TABLE t", "UNCACHE TABLE t", "CREATE TABLE w AS SELECT sum(id) s FROM range(9)", "DROP TABLE w" };
    enum { N = sizeof statements / sizeof statements[0], ROUNDS = 12 };
    spark_context *sc = open_context();
    uint64_t first = 0;
    done(sc, "CREATE TABLE t(id BIGINT)");
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < N; i++)
            done(sc, statements[i]);
        const uint64_t bytes = spark_memory_bytes(sc, NULL);
        if (round == 1)
            first = bytes;
        else if (round > 1)
            assert_int_equal(bytes, first);
    }
    spark_context_free(sc);
}

static void test_views__take_what_they_need(void **state)
{
    (void)state;
    enum { VIEWS = 200 };
    spark_context *sc = open_context();
    char sql[100];
    done(sc, "SELECT 1");
    const uint64_t before = spark_memory_bytes(sc, NULL);
    for (int i = 0; i < VIEWS; i++) {
        snprintf(sql, sizeof sql, "CREATE TEMP VIEW v%d AS SELECT id + %d FROM range(3)", i, i);
        done(sc, sql);
    }
    assert_in_range(spark_memory_bytes(sc, NULL) - before, 0, VIEWS * 16 * 1024);
    for (int i = 0; i < VIEWS; i++) {
        snprintf(sql, sizeof sql, "DROP VIEW v%d", i);
        done(sc, sql);
    }
    assert_int_equal(spark_memory_bytes(sc, NULL), before);
    spark_context_free(sc);
}

/* changed: what a statement that fails leaves as it was, and one that succeeds changes once. */
static void changed(const char *change, const char *query, const char *before, const char *after)
{
    bool struck = true;
    for (unsigned nth = 1; struck; nth++) {
        const spark_fault fault = { .kind = SPARK_FAULT_ALLOC, SPARK_ANYWHERE, .nth = nth, .times = 1 };
        spark_context *sc = spark_context_new(
            &(spark_conf) { .threads = 1, .memory_bytes = (uint64_t)64 << 20, .faults = &fault, .n_faults = 1 });
        if (!sc || spark_faults_struck(sc) > 0) { /* it was the context's */
            spark_context_free(sc);
            continue;
        }
        spark_faults_enable(sc, false);
        done(sc, "CREATE TABLE t(a INT, b STRING)");
        done(sc, "INSERT INTO t VALUES (1, 'x'), (2, 'y')");
        spark_faults_enable(sc, true);
        const bool good = spark_rdd_status(spark_sql(sc, change)) == SPARK_OK;
        spark_faults_enable(sc, false);
        struck = spark_faults_struck(sc) > 0;
        char *rows = sql_answer(sc, query);
        if (strcmp(rows, good ? after : before) != 0)
            fail_msg("%s, allocation %u, %s: %s", change, nth, good ? "done" : "failed", rows);
        free(rows);
        spark_context_free(sc);
    }
}

static void test_changes__are_whole_without_memory(void **state)
{
    (void)state;
    static const char count[] = "SELECT count(*) FROM t", u[] = "SHOW TABLES LIKE 'u'";
    changed("INSERT INTO t SELECT CAST(id AS INT), concat('x', id) FROM range(100)", count, "2\n", "102\n");
    changed("INSERT OVERWRITE t SELECT 1, 'z'", count, "2\n", "1\n");
    changed("TRUNCATE TABLE t", count, "2\n", "0\n");
    changed("CREATE TABLE u AS SELECT 1 x", u, "", "default|u|false\n");
    changed("CREATE TABLE u(a INT)", u, "", "default|u|false\n");
    changed("CREATE TEMP VIEW u AS SELECT 1 x", u, "", "|u|true\n");
    changed("DROP TABLE t", "SHOW TABLES LIKE 't'", "default|t|false\n", "");
}

static atomic_int calls;

SPARK_MAP(counted, int64_t, int64_t)
{
    calls++;
    *out = *in;
}

/* What is cached stays, although its RDDs are nobody's but the view's, and jobs have come since. */
static void test_cached__outlives_the_statement_and_its_scope(void **state)
{
    (void)state;
    spark_context *sc = open_context();
    spark_rdd *numbers = spark_map(spark_range(sc, 0, 100, 1, 2), counted, NULL);
    assert_int_equal(spark_create_temp_view(sc, "t", numbers), SPARK_OK);
    spark_scope *scope = spark_scope_begin(sc);
    sql_run(sc, "CACHE TABLE t");
    spark_scope_end(scope);
    const int before = calls;
    for (int i = 0; i < 40; i++)
        done(sc, "SELECT id % 7, count(*) FROM range(10000) GROUP BY 1 ORDER BY 1");
    char *rows = sql_answer(sc, "SELECT sum(value) FROM t");
    assert_string_equal(rows, "4950\n");
    free(rows);
    assert_int_equal(calls, before);
    spark_context_free(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_release__gives_the_memory_of_a_statement_back),
        cmocka_unit_test(test_views__take_what_they_need),
        cmocka_unit_test(test_changes__are_whole_without_memory),
        cmocka_unit_test(test_cached__outlives_the_statement_and_its_scope),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
