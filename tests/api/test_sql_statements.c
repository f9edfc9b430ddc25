/* SPDX-License-Identifier: Apache-2.0 */
/* Statements that are no queries: what they make, change and show, and what they refuse. */
#include "../support/sql_test.h"

static spark_context *open_context(void)
{
    return spark_context_new(&(spark_conf) { .app_name = "statements", .threads = 2 });
}

/* refuses: the message has these words. */
static void refuses(spark_context *sc, const char *sql, const char *want)
{
    sql_all_fail(sc, 1, &(sql_case) { sql, want });
}

/* gives: these rows; of what defines something, none. */
static void gives(spark_context *sc, const char *sql, const char *want)
{
    sql_all_give(sc, 0, 1, &(sql_case) { sql, want });
}

/* A view that would read itself is refused when it is defined, and the one of that name stays. */
static void test_recursive_views(void **state)
{
    (void)state;
    spark_context *sc = open_context();
    sql_run(sc, "CREATE TEMP VIEW v AS SELECT 1 a");
    sql_run(sc, "CREATE TEMP VIEW w AS SELECT * FROM v");
    refuses(sc, "CREATE OR REPLACE TEMP VIEW v AS SELECT a + 1 a FROM V",
        "[RECURSIVE_VIEW] Recursive view `v` detected (cycle: `v` -> `v`). SQLSTATE: 42K0H");
    refuses(sc, "CREATE OR REPLACE TEMP VIEW v AS SELECT (SELECT max(a) FROM w) a", "(cycle: `v` -> `w` -> `v`)");
    gives(sc, "SELECT * FROM v JOIN w USING (a)", "1\n");
    sql_run(sc, "CREATE OR REPLACE TEMP VIEW v AS WITH v AS (SELECT 2 a) SELECT * FROM v");
    gives(sc, "SELECT * FROM w", "2\n");
    assert_int_equal(spark_create_temp_view(sc, "r", spark_range(sc, 0, 2, 1, 1)), SPARK_OK);
    refuses(sc, "CREATE OR REPLACE TEMP VIEW r AS SELECT * FROM w, r", "(cycle: `r` -> `r`)");
    gives(sc, "SELECT * FROM r", "0\n1\n");
    spark_context_free(sc);
}

static void test_defaults(void **state)
{
    (void)state;
    spark_context *sc = open_context();
    sql_run(sc, "CREATE TABLE t(a INT, b STRING, c DECIMAL(5,2) DEFAULT 1.5, d DATE DEFAULT DATE'2024-02-29' + 1)");
    sql_run(sc, "INSERT INTO t(a, b) VALUES (1, 'x')");
    sql_gives(spark_sql(sc, "DESCRIBE t"),
        "a|int|NULL\nb|string|NULL\nc|decimal(5,2)|NULL\nd|date|NULL\n||\n# Column Default Values||\n"
        "c|decimal(5,2)|1.5\nd|date|DATE'2024-02-29' + 1\n");
    sql_run(sc, "INSERT INTO t VALUES (2, DEFAULT, default, NULL), (DEFAULT, 'z', 2, DEFAULT)");
    sql_run(sc, "INSERT INTO t(d, c) SELECT DEFAULT, 7");
    sql_run(sc, "INSERT INTO t(a) VALUES (DEFAULT)");
    gives(sc, "SELECT * FROM t",
        "1|x|1.50|2024-03-01\n2|NULL|1.50|NULL\nNULL|z|2.00|2024-03-01\nNULL|NULL|7.00|2024-03-01\n"
        "NULL|NULL|1.50|2024-03-01\n");
    refuses(sc, "INSERT INTO t(a) SELECT DEFAULT + 1", "`DEFAULT` cannot be resolved");
    refuses(sc, "INSERT INTO t(a) SELECT `DEFAULT`", "`DEFAULT` cannot be resolved");
    refuses(sc, "CREATE TABLE u(a INT DEFAULT 'x')",
        "[INVALID_DEFAULT_VALUE.DATA_TYPE] Failed to execute CREATE TABLE command because the destination column or "
        "variable `a` has a DEFAULT value 'x', which requires \"INT\" type, but the statement provided a value of "
        "incompatible \"STRING\" type. SQLSTATE: 42623");
    refuses(sc, "CREATE TABLE u(a INT DEFAULT b)", "[INVALID_DEFAULT_VALUE.NOT_CONSTANT]");
    refuses(sc, "CREATE TABLE u(a INT DEFAULT rand())", "has a DEFAULT value rand(), which is not a constant");
    spark_context_free(sc);
}

/* What a column takes, as Spark's ANSI store assignment has it. */
static void test_store_assignment(void **state)
{
    (void)state;
    static const sql_case unsafe[] = {
        { "INSERT INTO t(a) VALUES ('7')",
            "[INCOMPATIBLE_DATA_FOR_TABLE.CANNOT_SAFELY_CAST] Cannot write incompatible data for the table "
            "`spark_catalog`.`default`.`t`: Cannot safely cast `a` \"STRING\" to \"INT\". SQLSTATE: KD000" },
        { "INSERT INTO t(a) VALUES (true)", "`a` \"BOOLEAN\" to \"INT\"" },
        { "INSERT INTO t(b) SELECT array(1)", "`b` \"ARRAY<INT>\" to \"STRING\"" },
        { "INSERT INTO t(d) SELECT '2020-01-01'", "`d` \"STRING\" to \"DATE\"" },
        { "INSERT INTO t(e) SELECT array('1')", "`e`.`element` \"STRING\" to \"INT\"" },
        { "INSERT INTO t(f) SELECT map('a', named_struct('x', '1'))", "`f`.`value`.`x` \"STRING\" to \"INT\"" },
        { "INSERT INTO t(a) VALUES (99999999999)",
            "[CAST_OVERFLOW_IN_TABLE_INSERT] Fail to assign a value of \"BIGINT\" type to the \"INT\" type column or "
            "variable `a` due to an overflow. Use `try_cast`" },
        { "INSERT INTO t(a) SELECT 9e20", "a value of \"DOUBLE\" type to the \"INT\" type" },
        { "INSERT INTO t(c) VALUES (123.4)", "a value of \"DECIMAL(4,1)\" type to the \"DECIMAL(3,1)\" type" },
        { "INSERT INTO t(zz) VALUES (1)",
            "name `zz` cannot be resolved. Did you mean one of the following? [`a`, `b`" },
        { "INSERT INTO t(a, A) VALUES (1, 2)", "[COLUMN_ALREADY_EXISTS] The column `A`" },
    };
    spark_context *sc = open_context();
    sql_run(sc, "CREATE TABLE t(a INT, b STRING, c DECIMAL(3,1), d DATE, e ARRAY<INT>, f MAP<STRING, STRUCT<x: INT>>)");
    sql_all_fail(sc, sizeof unsafe / sizeof unsafe[0], unsafe);
    sql_run(sc, "INSERT INTO t VALUES (2.5D, 1, 1.26, TIMESTAMP'2020-01-01 01:00:00', array(1L), map(1, struct(2L)))");
    sql_run(sc, "INSERT INTO t(b) VALUES (X'41')");
    gives(sc, "SELECT * FROM t", "2|1|1.3|2020-01-01|[1]|{1 -> {2}}\nNULL|A|NULL|NULL|NULL|NULL\n");
    spark_context_free(sc);
}

/* A name that several things of the select list have; ORDER BY then means a column of the input, if there is one. */
static void test_names_that_are_there_twice(void **state)
{
    (void)state;
    static const sql_case right[] = {
        { "SELECT name x, x FROM p ORDER BY x", "b|1\na|2\n" },
        { "SELECT x x, name x FROM p ORDER BY x", "1|b\n2|a\n" },
        { "SELECT x, x FROM p ORDER BY x", "1|1\n2|2\n" },
        { "SELECT x + 1 n, x + 1 n FROM p GROUP BY n ORDER BY 1", "2|2\n3|3\n" },
        { "SELECT -x x, name FROM p ORDER BY x", "-2|a\n-1|b\n" },
    };
    static const sql_case wrong[] = {
        { "SELECT count(*) n, name n FROM p GROUP BY name ORDER BY n",
            "[UNRESOLVED_COLUMN.WITH_SUGGESTION] A column, variable, or function parameter with name `n` cannot be "
            "resolved. Did you mean one of the following? [`n`, `n`]." },
        { "SELECT x n, name n FROM p ORDER BY upper(n)", "[UNRESOLVED_COLUMN.WITH_SUGGESTION]" },
        { "SELECT count(*) n, name n FROM p GROUP BY name HAVING n > 1",
            "[AMBIGUOUS_REFERENCE] Reference `n` is ambiguous, could be: [`n`, `n`]. SQLSTATE: 42704" },
        { "SELECT name n, 1 n, n FROM p",
            "[AMBIGUOUS_LATERAL_COLUMN_ALIAS] Lateral column alias `n` is ambiguous and has 2 matches. SQLSTATE" },
    };
    spark_context *sc = open_context();
    sql_run(sc, "CREATE TEMP VIEW p AS SELECT * FROM VALUES ('b', 1), ('a', 2) AS p(name, x)");
    sql_all_give(sc, 0, sizeof right / sizeof right[0], right);
    sql_all_fail(sc, sizeof wrong / sizeof wrong[0], wrong);
    spark_context_free(sc);
}

/* partitions: of what a query gives. */
static int partitions(spark_context *sc, const char *sql)
{
    spark_rdd *rdd = spark_sql(sc, sql);
    int64_t n;
    assert_int_equal(spark_count(rdd, &n), SPARK_OK);
    assert_true(n == 100 || n == 1000000);
    return spark_rdd_partitions(rdd);
}

static void test_settings(void **state)
{
    (void)state;
    spark_context *sc = open_context();
    gives(sc, "SET", "");
    gives(sc, "SET foo.bar = some text", "foo.bar|some text\n");
    gives(sc, "SET foo.bar", "foo.bar|some text\n");
    gives(sc, "SET foo.baz", "foo.baz|<undefined>\n");
    gives(sc, "SET spark.sql.ansi.enabled", "spark.sql.ansi.enabled|true\n");
    gives(sc, "SET spark.sql.ansi.enabled=TRUE;", "spark.sql.ansi.enabled|TRUE\n");
    gives(sc, "SET TIME ZONE '+01:00'", "spark.sql.session.timeZone|+01:00\n");
    gives(sc, "SET", "foo.bar|some text\nspark.sql.ansi.enabled|TRUE\nspark.sql.session.timeZone|+01:00\n");
    refuses(sc, "SET spark.sql.ansi.enabled=false",
        "[UNSUPPORTED_FEATURE] The feature is not supported: spark.sql.ansi.enabled=false: it is always true.");
    refuses(sc, "SET spark.sql.caseSensitive = true", "it is always false");
    refuses(sc, "SET a b=1", "[INVALID_SET_SYNTAX]");
    sql_run(sc, "SET spark.sql.autoBroadcastJoinThreshold = -1");
    sql_run(sc, "SET spark.sql.shuffle.partitions=3");
    assert_int_equal(partitions(sc, "SELECT id FROM range(0, 100, 1, 7) GROUP BY id"), 3);
    assert_int_equal(partitions(sc, "SELECT DISTINCT id FROM range(0, 100, 1, 7)"), 3);
    assert_int_equal(partitions(sc, "SELECT id FROM range(0, 1000000, 1, 7) ORDER BY id"), 3);
    assert_int_equal(partitions(sc, "SELECT id FROM range(0, 100, 1, 7) ORDER BY id"), 1); /* few rows: of one task */
    assert_int_equal(partitions(sc, "SELECT id, row_number() OVER (PARTITION BY id ORDER BY id) FROM range(100)"), 3);
    assert_int_equal(partitions(sc, "SELECT a.id FROM range(0, 100, 1, 7) a JOIN range(100) b ON a.id = b.id"), 3);
    refuses(sc, "SET spark.sql.shuffle.partitions=0",
        "[INVALID_CONF_VALUE.REQUIREMENT] The value '0' in the config \"spark.sql.shuffle.partitions\" is invalid.");
    gives(sc, "RESET foo.bar", "");
    gives(sc, "SET foo.bar", "foo.bar|<undefined>\n");
    gives(sc, "RESET", "");
    gives(sc, "SET", "");
    gives(sc, "SELECT TIMESTAMP'1970-01-01 00:00:00Z'", "1970-01-01 00:00:00\n");
    assert_int_equal(partitions(sc, "SELECT id FROM range(0, 100, 1, 7) GROUP BY id"), 7);
    spark_context_free(sc);
}

static void test_what_is_shown(void **state)
{
    (void)state;
    static const sql_case shown[] = {
        { "SHOW TABLES", "d|b|false\nd|t|false\n|zz|true\n" },
        { "SHOW TABLES IN default", "default|w|false\n|zz|true\n" },
        { "SHOW TABLES IN global_temp", "global_temp|gg|true\n|zz|true\n" },
        { "SHOW TABLES FROM d LIKE 'x|T'", "d|t|false\n" },
        { "SHOW VIEWS IN default", "default|w|false\n|zz|true\n" },
        { "SHOW VIEWS LIKE 'none*'", "" },
        { "SHOW DATABASES", "d\ndefault\n" },
        { "SHOW SCHEMAS LIKE 'd'", "d\n" },
        { "SHOW USER FUNCTIONS", "" },
        { "SHOW SYSTEM FUNCTIONS LIKE 'ab*|acosh'", "abs\nacosh\n" },
        { "SHOW FUNCTIONS LIKE 'bool_*|substr'", "bool_and\nbool_or\nsubstr\n" },
        { "SHOW FUNCTIONS LIKE '*rank|row_number|nth*'", "dense_rank\nnth_value\npercent_rank\nrank\nrow_number\n" },
        { "SHOW COLUMNS IN t IN d", "a\n" },
        { "SHOW COLUMNS FROM d.b", "c\n" },
        { "SHOW COLUMNS FROM zz", "z\ny\n" },
    };
    spark_context *sc = open_context();
    sql_run(sc, "CREATE VIEW w AS SELECT 1");
    sql_run(sc, "CREATE DATABASE d");
    sql_run(sc, "USE d");
    sql_run(sc, "CREATE TABLE t AS SELECT 1 a");
    sql_run(sc, "CREATE TABLE b AS SELECT 1 c");
    sql_run(sc, "CREATE TEMP VIEW zz AS SELECT 1 z, 2 y");
    sql_run(sc, "CREATE GLOBAL TEMP VIEW gg AS SELECT 1");
    sql_all_give(sc, 0, sizeof shown / sizeof shown[0], shown);
    assert_string_equal(spark_sql_name(spark_sql(sc, "SHOW VIEWS"), 1), "viewName");
    refuses(sc, "SHOW TABLES IN nope", "[SCHEMA_NOT_FOUND] The schema `spark_catalog`.`nope` cannot be found.");
    spark_context_free(sc);
}

/* shown: what show prints of a statement. */
static void shows(spark_context *sc, const char *sql, const char *want)
{
    char text[2000];
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_int_equal(spark_sql_show_with(spark_sql(sc, sql), &(spark_sql_show_options) { .file = file }), SPARK_OK);
    rewind(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    (void)fclose(file);
    assert_string_equal(text, want);
}

/* NULL and binary values within others, as Spark's show has them; a cast prints them otherwise. */
static void test_shown_values(void **state)
{
    (void)state;
    spark_context *sc = open_context();
    shows(sc, "SELECT named_struct('x', X'1F20', 'y', CAST(NULL AS INT)) s, map('a', NULL) m, array(NULL, X'') a, "
              "X'1F' b, CAST(array(NULL) AS STRING) c",
        "+---------------+-----------+----------+----+------+\n"
        "|s              |m          |a         |b   |c     |\n"
        "+---------------+-----------+----------+----+------+\n"
        "|{[1F 20], NULL}|{a -> NULL}|[NULL, []]|[1F]|[null]|\n"
        "+---------------+-----------+----------+----+------+\n");
    spark_context_free(sc);
}

/* The rows of a statement outlive the views that it has read, also where types and names are the views' own. */
static void test_views_that_go_first(void **state)
{
    (void)state;
    spark_context *sc = open_context();
    spark_rdd *made = spark_sql(sc, "SELECT array(1, NULL) first_of_all, named_struct('k', 1.5) second_of_all");
    assert_int_equal(spark_create_temp_view(sc, "v", made), SPARK_OK);
    spark_rdd *all = spark_sql(sc, "SELECT * FROM v"), *json = spark_sql(sc, "SELECT to_json(struct(*)) FROM v");
    assert_true(spark_drop_temp_view(sc, "v"));
    sql_run(sc, "CREATE TABLE others(a ARRAY<STRUCT<x: STRING>>, b MAP<STRING, STRING>)");
    sql_gives(all, "[1, null]|{1.5}\n");
    sql_gives(json, "{\"first_of_all\":[1,null],\"second_of_all\":{\"k\":1.5}}\n");
    assert_string_equal(spark_sql_name(all, 0), "first_of_all");
    assert_string_equal(spark_sql_type(all, 1), "struct<k:decimal(2,1)>");
    spark_context_free(sc);
}

/* A text of several statements, some of them of nothing. */
static void test_empty_statements(void **state)
{
    (void)state;
    const char *text = "SELECT 1;; -- two\n ; SELECT 2;;";
    spark_context *sc = open_context();
    assert_int_equal(spark_sql_next(text), 9);
    assert_int_equal(spark_sql_next(text + 9), strlen(text) - 10);
    gives(sc, text + 9, "2\n");
    assert_int_equal(spark_sql_next(";"), 0);
    refuses(sc, ";", "[PARSE_EMPTY_STATEMENT]");
    spark_context_free(sc);
}

static void test_explain(void **state)
{
    (void)state;
    spark_context *sc = open_context();
    gives(sc, "EXPLAIN SELECT id FROM range(3) WHERE id > 1",
        "== Physical Plan ==\nProject id#1 [id#1 bigint!]\n  Filter (id#1 > 1) [id#1 bigint!]\n"
        "    Range [id#1 bigint!]\n\n");
    gives(sc, "EXPLAIN FORMATTED SELECT a.id + 1 n FROM range(10) a JOIN range(20) b ON a.id = b.id WHERE a.id > 2",
        "== Physical Plan ==\nProject (5)\n+- BroadcastHashJoin (4)\n   +- Range (1)\n   +- Filter (3)\n"
        "      +- Range (2)\n\n"
        "(1) Range [id#2 bigint!]\n\n(2) Range [id#1 bigint!]\n\n(3) Filter (id#1 > 2) [id#1 bigint!]\n\n"
        "(4) BroadcastHashJoin (id = id), Inner [id#1 bigint!]\n\n(5) Project (id#1 + 1) [n#3 bigint!]\n\n");
    refuses(sc, "EXPLAIN CODEGEN SELECT 1", "EXPLAIN CODEGEN: there is no generated code");
    refuses(sc, "EXPLAIN ANALYZE SELECT 1", "EXPLAIN of what is no query: ANALYZE");
    spark_context_free(sc);
}

/* What is not done is called by its name. */
static void test_what_is_not_there(void **state)
{
    (void)state;
    static const sql_case others[] = {
        { "ALTER TABLE t ADD COLUMN y INT", "not supported: ALTER TABLE. SQLSTATE: 0A000 (line 1, position 1 to 30)" },
        { "SHOW PARTITIONS t", "not supported: SHOW PARTITIONS." },
        { "DESCRIBE FUNCTION abs", "not supported: DESCRIBE FUNCTION." },
        { "SELECT absx(1)", "`absx` on search path [`system`.`builtin`, `system`.`session`, `spark_catalog`.`default`]." },
        { "SELECT parse_json('1')", "`spark_catalog`.`default`]: Spark has it, libspark does not. SQLSTATE: 42883" },
        { "SELECT XPATH_int('<a/>', 'a')", "Spark has it, libspark does not." },
        { "REFRESH TABLE nothing", "[TABLE_OR_VIEW_NOT_FOUND]" },
        { "SELECT * FROM parquet.`/tmp/x`", "[DATA_SOURCE_NOT_FOUND] Failed to find the data source: parquet." },
        { "SELECT * FROM xyz.`/tmp/x`", "[TABLE_OR_VIEW_NOT_FOUND]" },
        { "CREATE TEMP VIEW p USING csv", "[UNABLE_TO_INFER_SCHEMA] Unable to infer schema for CSV." },
        { "CREATE TEMP VIEW p USING orc", "[DATA_SOURCE_NOT_FOUND] Failed to find the data source: orc." },
    };
    spark_context *sc = open_context();
    sql_all_fail(sc, sizeof others / sizeof others[0], others);
    sql_run(sc, "CREATE TEMP VIEW p USING text");
    sql_run(sc, "CREATE TEMP VIEW columns(a INT, b STRING) USING csv");
    gives(sc, "SELECT count(p.value), count(a) FROM p, columns", "0|0\n");
    spark_context_free(sc);
}

/* cached: whether a view is, by its plan. */
static bool cached(spark_context *sc, const char *view)
{
    char text[100];
    snprintf(text, sizeof text, "EXPLAIN SELECT * FROM %s", view);
    char *plan = sql_answer(sc, text);
    const bool is = strstr(plan, "InMemoryTableScan") != NULL;
    free(plan);
    return is;
}

static void test_caches_that_are_cleared(void **state)
{
    (void)state;
    spark_context *sc = open_context();
    sql_run(sc, "CREATE TEMP VIEW v AS SELECT id, rand() r FROM range(10)");
    sql_run(sc, "CREATE TEMP VIEW w AS SELECT 1");
    sql_run(sc, "CACHE TABLE v");
    sql_run(sc, "CACHE TABLE w");
    sql_run(sc, "REFRESH TABLE v");
    assert_true(cached(sc, "v") && cached(sc, "w"));
    gives(sc, "SELECT count(*) FROM v", "10\n");
    sql_run(sc, "CLEAR CACHE");
    assert_false(cached(sc, "v") || cached(sc, "w"));
    sql_run(sc, "REFRESH v");
    assert_false(cached(sc, "v"));
    spark_context_free(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recursive_views),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_store_assignment),
        cmocka_unit_test(test_names_that_are_there_twice),
        cmocka_unit_test(test_settings),
        cmocka_unit_test(test_what_is_shown),
        cmocka_unit_test(test_shown_values),
        cmocka_unit_test(test_views_that_go_first),
        cmocka_unit_test(test_empty_statements),
        cmocka_unit_test(test_explain),
        cmocka_unit_test(test_what_is_not_there),
        cmocka_unit_test(test_caches_that_are_cleared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
