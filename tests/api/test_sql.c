/* SPDX-License-Identifier: Apache-2.0 */
/* SQL over RDDs: a statement and what Spark prints for it, a table of them, each with several masters,
 * batch sizes and a plan of faults; and what a user does around statements. */
#include "../support/spark_test.h"

#include <stdlib.h>
#include <string.h>

SPARK_STRUCT(sale, (int64_t, id), (spark_str, city), (double, amount));

static const sale sales[] = { { 1, { "Oslo", 4 }, 10 }, { 2, { "Rome", 4 }, 2.5 }, { 3, { "Oslo", 4 }, 4 },
    { 4, { "Bonn", 4 }, 1 }, { 5, { "Rome", 4 }, 7 } };

/* rows_of: the rows as text, members with | and rows with a newline between. */
static char *rows_of(spark_rdd *rdd)
{
    spark_array rows;
    char *text = NULL;
    size_t size = 0;
    if (spark_collect(rdd, NULL, &rows) != SPARK_OK)
        return NULL;
    FILE *file = open_memstream(&text, &size);
    assert_non_null(file);
    for (size_t r = 0; r < rows.n; r++) {
        for (size_t i = 0; i < spark_sql_columns(rdd); i++) {
            char cell[256];
            size_t n;
            const bool present = spark_sql_text(rdd, spark_row_of(&rows, r), i, cell, sizeof cell, &n);
            fprintf(file, "%s%.*s", i ? "|" : "", (int)(present ? n : 4), present ? cell : "NULL");
        }
        fputc('\n', file);
    }
    fclose(file);
    spark_array_free(&rows);
    return text;
}

/* Statements with an order, or of one row; what comes out is Spark's. */
static const struct {
    const char *sql, *rows;
} cases[] = {
    { "SELECT 1", "1\n" },
    { "SELECT 1 + 1 AS two, 'a' || 'b', NULL, true", "2|ab|NULL|true\n" },
    { "SELECT id, city FROM sales WHERE amount > 3 ORDER BY id DESC", "5|Rome\n3|Oslo\n1|Oslo\n" },
    { "SELECT city, count(*) n, sum(amount) s FROM sales GROUP BY city HAVING count(*) > 1 ORDER BY s",
        "Rome|2|9.5\nOslo|2|14.0\n" },
    { "SELECT count(*), sum(id), min(city), max(amount), avg(id) FROM sales", "5|15|Bonn|10.0|3.0\n" },
    { "SELECT count(*), sum(id) FROM sales WHERE id > 100", "0|NULL\n" },
    { "SELECT DISTINCT city FROM sales ORDER BY city", "Bonn\nOslo\nRome\n" },
    { "SELECT id FROM sales ORDER BY amount LIMIT 2 OFFSET 1", "2\n3\n" },
    { "WITH t AS (SELECT city c, sum(amount) s FROM sales GROUP BY city) SELECT * FROM t ORDER BY 1",
        "Bonn|1.0\nOslo|14.0\nRome|9.5\n" },
    { "SELECT a.id, b.id FROM sales a JOIN sales b ON a.city = b.city AND a.id < b.id ORDER BY 1", "1|3\n2|5\n" },
    { "SELECT a.id, x.k FROM sales a LEFT JOIN (VALUES ('Oslo', 1)) AS x(c, k) ON a.city = x.c ORDER BY 1",
        "1|1\n2|NULL\n3|1\n4|NULL\n5|NULL\n" },
    { "SELECT x.k, a.id FROM (VALUES ('Oslo', 1), ('Lima', 2)) AS x(c, k) FULL JOIN sales a ON a.city = x.c "
      "ORDER BY k, id",
        "NULL|2\nNULL|4\nNULL|5\n1|1\n1|3\n2|NULL\n" },
    { "SELECT id FROM sales s WHERE EXISTS (SELECT 1 FROM sales t WHERE t.city = s.city AND t.id > s.id) ORDER BY id",
        "1\n2\n" },
    { "SELECT id FROM sales WHERE city NOT IN (SELECT 'Oslo' UNION ALL SELECT 'Bonn') ORDER BY id", "2\n5\n" },
    { "SELECT id FROM sales WHERE city NOT IN (SELECT 'Oslo' UNION ALL SELECT NULL)", "" },
    { "SELECT a FROM VALUES (1), (NULL), (3) t(a) WHERE a NOT IN (SELECT b FROM VALUES (3), (4) s(b))", "1\n" },
    { "SELECT a FROM VALUES (1), (NULL), (3) t(a) WHERE a NOT IN (SELECT b FROM VALUES (3), (NULL) s(b))", "" },
    { "SELECT a FROM VALUES (1), (NULL) t(a) WHERE a NOT IN (SELECT b FROM VALUES (3), (NULL) s(b) WHERE b > 9) "
      "ORDER BY a",
        "NULL\n1\n" },
    { "SELECT count(*) FROM (SELECT nullif(id, -1) i FROM range(50000)) WHERE i NOT IN (SELECT nullif(id * 2, 100001) "
      "FROM range(50000))",
        "25000\n" },
    { "SELECT id, (SELECT max(amount) FROM sales t WHERE t.city = s.city) m FROM sales s ORDER BY id",
        "1|10.0\n2|7.0\n3|10.0\n4|1.0\n5|7.0\n" },
    { "SELECT id, (SELECT count(*) FROM sales t WHERE t.id > s.id AND t.city = s.city) n FROM sales s ORDER BY id",
        "1|1\n2|1\n3|0\n4|0\n5|0\n" },
    { "SELECT * FROM (SELECT 1 a UNION ALL SELECT 2 UNION ALL SELECT 2) ORDER BY a", "1\n2\n2\n" },
    { "SELECT * FROM VALUES (1), (2), (2), (3) t(a) EXCEPT ALL SELECT 2 ORDER BY 1", "1\n2\n3\n" },
    { "SELECT * FROM VALUES (1), (2), (2) t(a) INTERSECT SELECT 2", "2\n" },
    { "SELECT city, count(*) FROM sales GROUP BY ROLLUP (city) ORDER BY city", "NULL|5\nBonn|1\nOslo|2\nRome|2\n" },
    { "SELECT id, row_number() OVER (PARTITION BY city ORDER BY id DESC) r, sum(amount) OVER (ORDER BY id) s "
      "FROM sales ORDER BY id",
        "1|2|10.0\n2|2|12.5\n3|1|16.5\n4|1|17.5\n5|1|24.5\n" },
    { "SELECT count(DISTINCT city), sum(DISTINCT id % 2), count(*) FROM sales", "3|1|5\n" },
    { "SELECT count(*) FILTER (WHERE amount > 3) FROM sales", "3\n" },
    { "SELECT city, count(DISTINCT id) FROM sales GROUP BY ALL ORDER BY ALL", "Bonn|1\nOslo|2\nRome|2\n" },
    { "SELECT id + 1 x, x * 2 FROM sales ORDER BY x LIMIT 1", "2|4\n" },
    { "SELECT CASE WHEN amount > 5 THEN 'large' ELSE 'small' END k, count(*) FROM sales GROUP BY k ORDER BY k",
        "large|2\nsmall|3\n" },
    { "SELECT percentile(id, 0.25), percentile(id, 0.75), percentile(id, 0.25) FROM sales", "2.0|4.0|2.0\n" },
    { "SELECT percentile_cont(0.25) WITHIN GROUP (ORDER BY id DESC), percentile_disc(0.3) WITHIN GROUP (ORDER BY id), "
      "percentile_disc(0.3) WITHIN GROUP (ORDER BY id DESC) FROM sales",
        "4.0|2.0|4.0\n" },
    { "SELECT mode() WITHIN GROUP (ORDER BY city), mode() WITHIN GROUP (ORDER BY city DESC) FROM sales",
        "Oslo|Rome\n" },
    { "SELECT listagg(city, '-') WITHIN GROUP (ORDER BY city DESC) FROM sales", "Rome-Rome-Oslo-Oslo-Bonn\n" },
    { "SELECT DISTINCT city, percentile_cont(0.5) WITHIN GROUP (ORDER BY id) OVER (PARTITION BY city) FROM sales "
      "ORDER BY city",
        "Bonn|4.0\nOslo|2.0\nRome|3.5\n" },
    { "SELECT CAST(to_binary('6f6b') AS STRING), CAST(to_binary(' b 2s=', 'Base64') AS STRING), "
      "try_to_binary('xyz'), try_to_binary('abcde', 'base64')",
        "ok|ok|NULL|NULL\n" },
    { "SELECT to_char(DATE'2024-02-29', 'yyyy/MM/dd'), to_timestamp('2024-02-29 01:02:03.5', "
      "'yyyy-MM-dd HH:mm:ss.SSSSSS')",
        "2024/02/29|2024-02-29 01:02:03.5\n" },
    { "SELECT id, city FROM sales ORDER BY city DESC, id LIMIT 3 OFFSET 1", "5|Rome\n1|Oslo\n3|Oslo\n" },
    { "SELECT id FROM range(100000) ORDER BY id % 10 DESC, id LIMIT 2", "9\n19\n" },
    { "SELECT sum(x), min(m), max(c) FROM (SELECT sum(id) OVER (ORDER BY id ROWS BETWEEN 999 PRECEDING AND CURRENT ROW) x, "
      "min(id) OVER (ORDER BY id ROWS BETWEEN 500 PRECEDING AND 100 FOLLOWING) m, "
      "count(*) OVER (ORDER BY id RANGE BETWEEN 150 PRECEDING AND 150 FOLLOWING) c FROM range(5000))",
        "10166666500|0|301\n" },
    { "SELECT CAST(TIME'00:01:52.5' AS INT), CAST(TIME'23:59:59.999' AS DECIMAL(8, 2)), "
      "TRY_CAST(TIME'23:59:59' AS TINYINT)",
        "112|86400.00|NULL\n" },
    { "SELECT make_timestamp(DATE'2024-02-29', TIME'01:02:03.5', '+01:00'), make_timestamp(DATE'2024-02-29'), "
      "make_timestamp(NULL, TIME'01:02:03')",
        "2024-02-29 00:02:03.5|2024-02-29 00:00:00|NULL\n" },
    { "SELECT city, grouping__id g, count(*) FROM sales GROUP BY ROLLUP (city) HAVING grouping__id > 0", "NULL|1|5\n" },
    { "SELECT rand(0), randstr(10, 0), uniform(10, 20, 0), uniform(0, 10.0D, 0)",
        "0.7604953758285915|ceV0PXaR2I|17|7.604953758285915\n" },
    { "SELECT count(DISTINCT a), count(DISTINCT b) FROM (SELECT rand(5) a, monotonically_increasing_id() b "
      "FROM range(0, 3000, 1, 7))",
        "3000|3000\n" },
    { "SELECT sum(a), max(b) FROM (SELECT CAST(rand(7) * 1000 AS BIGINT) a, randstr(3, 7) b FROM range(0, 4000, 1, 3))",
        "1977897|zzL\n" },
    { "SELECT id FROM range(3) ORDER BY id DESC", "2\n1\n0\n" },
    { "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n * 2 FROM t WHERE n < 20) SELECT n FROM t ORDER BY n",
        "1\n2\n4\n8\n16\n32\n" },
    { "SELECT id FROM sales WHERE NOT (city NOT IN (SELECT 'Oslo' UNION ALL SELECT NULL)) ORDER BY id", "1\n3\n" },
    { "SELECT sum(10 / (id - 1)) FILTER (WHERE id > 1) FROM sales WHERE id < 4", "15.0\n" },
    { "SELECT CAST('12' AS INT) + 1, 1.5 + 1, 7 / 2, 7 div 2", "13|2.5|3.5|3\n" },
};

static spark_context *open_context(size_t variant)
{
    static const spark_fault faults[] = { { .kind = SPARK_FAULT_RANDOM, .rate = 0.2, .seed = 7 } };
    spark_conf conf = { .app_name = "sql", .threads = variant == 1 ? 2 : 1 };
    if (variant == 2)
        conf.batch_rows = 1;
    if (variant == 3)
        conf.memory_bytes = (uint64_t)64 << 20;
    if (variant == 4) {
        conf.faults = faults;
        conf.n_faults = 1;
        conf.task_max_failures = 20;
    }
    spark_context *sc = spark_context_new(&conf);
    assert_int_equal(
        spark_create_temp_view(sc, "sales", spark_parallelize(sc, SPARK_DATA(sale, 5, sales), 3)), SPARK_OK);
    return sc;
}

static void test_statements(void **state)
{
    (void)state;
    for (size_t variant = 0; variant < 5; variant++) {
        spark_context *sc = open_context(variant);
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
            char *rows = rows_of(spark_sql(sc, cases[i].sql));
            if (!rows)
                fail_msg("%s: %s", cases[i].sql, spark_last_error()->message);
            if (strcmp(rows, cases[i].rows) != 0)
                fail_msg("%s (variant %zu):\n%swanted:\n%s", cases[i].sql, variant, rows, cases[i].rows);
            free(rows);
        }
        spark_context_free(sc);
    }
}

static const struct {
    const char *sql, *message;
} wrong[] = {
    { "SELEC 1", "[PARSE_SYNTAX_ERROR] Syntax error at or near 'SELEC'. SQLSTATE: 42601 (line 1, position 1 to 5)" },
    { "SELECT cty FROM sales", "[UNRESOLVED_COLUMN.WITH_SUGGESTION]" },
    { "SELECT cty FROM sales", "`sales`.`city`" },
    { "SELECT 1 FROM nowhere", "[TABLE_OR_VIEW_NOT_FOUND]" },
    { "SELECT city, count(*) FROM sales", "[MISSING_GROUP_BY]" },
    { "SELECT id FROM sales GROUP BY city", "[MISSING_AGGREGATION]" },
    { "SELECT 1 / 0", "[DIVIDE_BY_ZERO]" },
    { "SELECT 2147483647 + 1", "[ARITHMETIC_OVERFLOW]" },
    { "SELECT CAST('x' AS INT)", "[CAST_INVALID_INPUT]" },
    { "SELECT true + 1", "[DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES]" },
    { "SELECT (SELECT id FROM sales)", "[SCALAR_SUBQUERY_TOO_MANY_ROWS]" },
    { "SELECT a.id FROM sales a, sales b WHERE id > 1", "[AMBIGUOUS_REFERENCE]" },
    { "SELECT 1; SELECT 2", "[PARSE_SYNTAX_ERROR]" },
    { "SELECT percentile_cont(0.5) FROM sales", "[INVALID_WITHIN_GROUP_EXPRESSION.WITHIN_GROUP_MISSING]" },
    { "SELECT median(id) OVER (ORDER BY id) FROM sales", "[INVALID_WINDOW_SPEC_FOR_AGGREGATION_FUNC]" },
    { "SELECT round(id, 0) WITHIN GROUP (ORDER BY id) FROM sales",
        "[INVALID_SQL_SYNTAX.FUNCTION_WITH_UNSUPPORTED_SYNTAX]" },
    { "SELECT make_ym_interval(178956970, 8)", "[INTERVAL_ARITHMETIC_OVERFLOW.WITHOUT_SUGGESTION]" },
    { "SELECT INTERVAL '1-2' YEAR TO MONTH '1' YEAR", "[_LEGACY_ERROR_TEMP_0024]" },
    { "SELECT INTERVAL '2' YEAR / 0", "[INTERVAL_DIVIDED_BY_ZERO]" },
    { "SELECT dateadd('DAY', 1, DATE'2024-01-01')", "[INVALID_PARAMETER_VALUE.DATETIME_UNIT]" },
    { "SELECT to_binary('xyz')", "[CONVERSION_INVALID_INPUT]" },
    { "SELECT CAST(1 AS BINARY)", "[DATATYPE_MISMATCH.CAST_WITH_CONF_SUGGESTION]" },
    { "SELECT date_format(DATE'2024-01-01', 'ddd')",
        "[INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_PATTERN_RECOGNITION]" },
    { "SELECT date_format(DATE'2024-01-01', 'XXXXXX')", "[INVALID_DATETIME_PATTERN.WITH_SUGGESTION]" },
    { "SELECT DATE'1999 Jan 08'", "[INVALID_TYPED_LITERAL]" },
    { "SELECT ?", "[UNBOUND_SQL_PARAMETER]" },
};

static void test_errors(void **state)
{
    (void)state;
    spark_context *sc = open_context(0);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        spark_array rows;
        assert_int_not_equal(spark_collect(spark_sql(sc, wrong[i].sql), NULL, &rows), SPARK_OK);
        if (!strstr(spark_last_error()->message, wrong[i].message))
            fail_msg("%s: %s", wrong[i].sql, spark_last_error()->message);
    }
    assert_non_null(spark_sql(sc, NULL));
    assert_int_equal(spark_rdd_status(spark_sql(sc, NULL)), SPARK_EINVAL);
    spark_context_free(sc);
}

/* test_mixed: SQL and verbs in both directions, and structs of the program's own. */
SPARK_STRUCT(city_sum, (spark_str, city), (int64_t, n));
SPARK_FILTER(large, city_sum)
{
    return in->n > 1;
}

static void test_mixed(void **state)
{
    (void)state;
    spark_context *sc = open_context(0);
    spark_rdd *counts = spark_sql(sc, "SELECT city, count(*) n FROM sales GROUP BY city");
    spark_rdd *kept = spark_filter(counts, large, NULL);
    assert_int_equal(spark_create_temp_view(sc, "kept", kept), SPARK_OK);
    char *rows = rows_of(spark_sql(sc, "SELECT * FROM kept ORDER BY city"));
    assert_string_equal(rows, "Oslo|2\nRome|2\n");
    free(rows);
    assert_true(spark_drop_temp_view(sc, "kept"));
    assert_false(spark_drop_temp_view(sc, "kept"));
    spark_context_free(sc);
}

static void test_parameters(void **state)
{
    (void)state;
    spark_context *sc = open_context(0);
    const int64_t least = 3;
    const spark_str city = { "Rome'; DROP", 4 };
    const spark_sql_parameter named[]
        = { { "least", SPARK_TYPE(int64_t), &least }, { "city", SPARK_TYPE(spark_str), &city } };
    char *rows = rows_of(spark_sql_with(
        sc, "SELECT id FROM sales WHERE amount > :least AND city = :city ORDER BY id", 2, named));
    assert_string_equal(rows, "5\n");
    free(rows);
    const spark_sql_parameter placed[]
        = { { NULL, SPARK_TYPE(int64_t), &least }, { NULL, SPARK_TYPE(spark_str), NULL } };
    rows = rows_of(spark_sql_with(sc, "SELECT ? + 1, ?", 2, placed));
    assert_string_equal(rows, "4|NULL\n");
    free(rows);
    spark_context_free(sc);
}

static void test_tables(void **state)
{
    (void)state;
    spark_context *sc = open_context(0);
    static const char *const statements[] = { "CREATE TABLE t (a INT, b STRING) USING csv",
        "INSERT INTO t VALUES (1, 'x'), (2, NULL)", "INSERT INTO t SELECT 3, 'z'",
        "CREATE TEMP VIEW v AS SELECT a, b FROM t WHERE b IS NOT NULL", "CACHE TABLE t" };
    for (size_t i = 0; i < sizeof statements / sizeof statements[0]; i++)
        if (spark_rdd_status(spark_sql(sc, statements[i])) != SPARK_OK)
            fail_msg("%s: %s", statements[i], spark_last_error()->message);
    char *rows = rows_of(spark_sql(sc, "SELECT * FROM v ORDER BY a"));
    assert_string_equal(rows, "1|x\n3|z\n");
    free(rows);
    rows = rows_of(spark_sql(sc, "DESCRIBE t"));
    assert_string_equal(rows, "a|int|NULL\nb|string|NULL\n");
    free(rows);
    assert_int_equal(spark_rdd_status(spark_sql(sc, "DROP TABLE t")), SPARK_OK);
    assert_int_not_equal(spark_rdd_status(spark_sql(sc, "DROP TABLE t")), SPARK_OK);
    spark_context_free(sc);
}

static void test_next(void **state)
{
    (void)state;
    const char *text = "SELECT ';' -- ; not here\n; SELECT 2;  -- the end\n ";
    const size_t first = spark_sql_next(text), second = spark_sql_next(text + first);
    assert_int_equal(first, strlen("SELECT ';' -- ; not here\n;"));
    assert_int_equal(second, strlen(" SELECT 2;"));
    assert_int_equal(spark_sql_next(text + first + second), 0);
}

/* test_memory: what a join keeps of its right side, and what a table holds, is in the budget. */
static void test_memory(void **state)
{
    (void)state;
    spark_context *sc = spark_context_new(
        &(spark_conf) { .app_name = "sql", .threads = 2, .memory_bytes = (uint64_t)64 << 20 });
    static const char *const much[] = {
        "SELECT count(*) FROM range(10) a LEFT JOIN range(3000000) b ON a.id = b.id",
        "SELECT max(s) FROM range(2) a LEFT JOIN (SELECT id i, '' || id s FROM range(3000000)) ON a.id < i AND s <> 'x'",
        "INSERT INTO t SELECT id FROM range(9000000)",
    };
    assert_int_equal(spark_rdd_status(spark_sql(sc, "CREATE TABLE t (a BIGINT) USING csv")), SPARK_OK);
    for (size_t i = 0; i < sizeof much / sizeof much[0]; i++) {
        char *rows = rows_of(spark_sql(sc, much[i]));
        if (rows)
            fail_msg("%s: %s", much[i], rows);
        if (spark_last_error()->code != SPARK_ENOMEM)
            fail_msg("%s: %s", much[i], spark_last_error()->message);
        rows = rows_of(spark_sql(sc, "SELECT count(*) FROM range(100) a JOIN range(100) b ON a.id = b.id"));
        assert_string_equal(rows, "100\n");
        free(rows);
    }
    spark_context_free(sc);
}

/* test_deep: what is nested too deep is an error, and no crash. */
static void test_deep(void **state)
{
    (void)state;
    spark_context *sc = open_context(0);
    enum { DEEP = 100000 };
    char *text = malloc(DEEP * 8 + 100);
    assert_non_null(text);
    static const char *const pieces[] = { "(", "NOT ", "-(", "1+", "SELECT (", "CASE WHEN ", "a[", "f(" };
    for (size_t p = 0; p < sizeof pieces / sizeof pieces[0]; p++) {
        size_t n = (size_t)sprintf(text, "SELECT ");
        const size_t length = strlen(pieces[p]);
        for (size_t i = 0; i < DEEP && n + length < DEEP * 8; i++, n += length)
            memcpy(text + n, pieces[p], length);
        strcpy(text + n, "1");
        assert_int_not_equal(spark_rdd_status(spark_sql(sc, text)), SPARK_OK);
    }
    free(text);
    spark_context_free(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_statements),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_mixed),
        cmocka_unit_test(test_parameters),
        cmocka_unit_test(test_tables),
        cmocka_unit_test(test_next),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_deep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
