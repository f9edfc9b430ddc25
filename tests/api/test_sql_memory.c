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

/* bytes_of: what a statement of n items is compiled into. */
static uint64_t bytes_of(const char *begin, const char *item, int n, const char *end)
{
    char *sql = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&sql, &size);
    assert_non_null(file);
    fputs(begin, file);
    for (int i = 1; i <= n; i++)
        for (const char *at = item; *at; at++) /* #: this one, @: the one before */
            if (*at == '#' || *at == '@')
                fprintf(file, "%d", i - (*at == '@'));
            else
                fputc(*at, file);
    fputs(end, file);
    fclose(file);
    spark_context *sc = open_context();
    const uint64_t before = spark_memory_bytes(sc, NULL);
    sql_run(sc, sql);
    const uint64_t bytes = spark_memory_bytes(sc, NULL) - before;
    spark_context_free(sc);
    free(sql);
    return bytes;
}

static void test_compiled__grows_with_the_text(void **state)
{
    (void)state;
    static const char *const forms[][3] = {
        { "SELECT id a0", ", a@ + a@ a#", " FROM range(3)" },
        { "SELECT id a0", ", IF(a@ > #, a@, a@ * 2) a#", " FROM range(3)" },
        { "SELECT t.id", ", (SELECT max(u.id) FROM range(9) u WHERE u.id < t.id + #) c#", " FROM range(3) t" },
        { "SELECT * FROM range(3) a", ", LATERAL (SELECT a.id + # z#)", "" },
        { "SELECT * FROM range(3) a", ", LATERAL (SELECT max(u.id) z# FROM range(9) u WHERE u.id < a.id + #)", "" },
        { "SELECT * FROM range(3) a",
            ", LATERAL (SELECT u.id z# FROM range(99) u WHERE u.id >= a.id + # ORDER BY u.id LIMIT 1)", "" },
        { "SELECT * FROM range(3) a",
            ", LATERAL (SELECT max(u.id) z# FROM range(9) u WHERE u.id < a.id + # HAVING max(u.id) >= 0)", "" },
    };
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        const uint64_t some = bytes_of(forms[i][0], forms[i][1], 8, forms[i][2]),
                       many = bytes_of(forms[i][0], forms[i][1], 32, forms[i][2]);
        if (many > 32 * some)
            fail_msg("%s: %llu bytes for 8, %llu for 32", forms[i][1], (unsigned long long)some,
                (unsigned long long)many);
    }
}

/* LATERAL: names the one before it, and so all of them. */
#define LATERAL(o, n) ", LATERAL (SELECT count(*) " n " FROM range(9) u WHERE u.id < a.id + " o ")"

static void test_compiled__ends_before_the_memory(void **state)
{
    (void)state;
    const sql_case cases[] = {
        { "SELECT count(*), id + id a, a + a b, b + b c, c + c d, d + d e, e + e f, f + f g, g + g h, h + h i, "
          "i + i j, j + j k, k + k l, l + l m, m + m n, n + n o, o + o p, p + p q, q + q r, r + r s, s + s t, t + t u, "
          "u + u v FROM range(3) GROUP BY id",
            "an alias of so large an expression" },
        { "SELECT count(*) FROM range(3) a" LATERAL("0", "b") LATERAL("b", "c") LATERAL("c", "d") LATERAL("d", "e") LATERAL(
              "e", "f") LATERAL("f", "g") LATERAL("g", "h") LATERAL("h", "i") LATERAL("i", "j") LATERAL("j", "k") LATERAL("k", "l")
              LATERAL("l", "m") LATERAL("m", "n"),
            "a plan of so many operators" },
        { "SELECT /*+ BROADCAST(b) */ count(*) FROM (SELECT id, explode(sequence(1, id + 50000)) x FROM range(100)) a "
          "JOIN (SELECT id, explode(sequence(1, id + 50000)) x FROM range(100)) b USING (id, x)",
            "the hint SHUFFLE_HASH" },
    };
    const size_t n = sizeof cases / sizeof cases[0];
    spark_context *sc = spark_context_new(&(spark_conf) { .threads = 1 });
    sql_all_fail(sc, n - 1, cases);
    spark_context_free(sc);
    sc = open_context();
    sql_all_fail(sc, 1, &cases[n - 1]);
    sql_gives(spark_sql(sc, "SELECT count(*) FROM (SELECT id, explode(sequence(1, 50000)) x FROM range(100)) a JOIN "
                            "(SELECT id, explode(sequence(1, 50000)) x FROM range(100)) b USING (id, x)"),
        "5000000\n");
#define COUNTED(o, n) ", LATERAL (SELECT count(*) id FROM range(5) r WHERE r.id = " o ".id HAVING count(*) >= 0) " n
#define FIRST ", LATERAL (SELECT u.id - a.id x FROM range(20) u WHERE u.id > a.id ORDER BY u.id LIMIT 2)"
#define FOUR_FIRST FIRST FIRST FIRST FIRST
    sql_gives(spark_sql(sc, "SELECT count(*) FROM range(3) a" FOUR_FIRST FOUR_FIRST FOUR_FIRST), "12288\n");
    sql_gives(spark_sql(sc, "SELECT count(*), sum(l.id) FROM range(3) a" COUNTED("a", "b") COUNTED("b", "c")
                      COUNTED("c", "d") COUNTED("d", "e") COUNTED("e", "f") COUNTED("f", "g") COUNTED("g", "h")
                          COUNTED("h", "i") COUNTED("i", "j") COUNTED("j", "k") COUNTED("k", "l")),
        "3|3\n");
#undef COUNTED
    spark_context_free(sc);
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
        cmocka_unit_test(test_compiled__grows_with_the_text),
        cmocka_unit_test(test_compiled__ends_before_the_memory),
        cmocka_unit_test(test_cached__outlives_the_statement_and_its_scope),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
