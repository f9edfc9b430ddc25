/* SPDX-License-Identifier: Apache-2.0 */
/* The front door of SQL: parameters of every type, files in and out with options, the forms of show, and
 * results as structs of the program's own. */
#include "../support/sql_test.h"

#include <unistd.h>

static char directory[64];

static int set_up(void **state)
{
    (void)state;
    strcpy(directory, "/tmp/spark_front_XXXXXX");
    return mkdtemp(directory) ? 0 : -1;
}

static int tear_down(void **state)
{
    char command[100];
    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", directory);
    return system(command);
}

static spark_context *open_context(void)
{
    return spark_context_new(&(spark_conf) { .app_name = "front", .threads = 2 });
}

/* run: a statement with %s for the directory. */
static spark_rdd *run(spark_context *sc, const char *format)
{
    char text[1000];
    const char *at = strstr(format, "%s");
    snprintf(text, sizeof text, "%.*s%s%s", (int)(at ? at - format : (long)strlen(format)), format, at ? directory : "",
        at ? at + 2 : "");
    return spark_sql(sc, text);
}

static void does(spark_context *sc, const char *format)
{
    if (spark_rdd_status(run(sc, format)) != SPARK_OK)
        fail_msg("%s: %s", format, spark_last_error()->message);
}

static void refuses(spark_context *sc, const char *format, const char *message)
{
    assert_int_not_equal(spark_rdd_status(run(sc, format)), SPARK_OK);
    if (!strstr(spark_last_error()->message, message))
        fail_msg("%s: %s", format, spark_last_error()->message);
}

/* ---- messages */

/* unfilled: whether a message shows the <name> of a parameter. */
static bool unfilled(const char *text)
{
    for (const char *at = text; (at = strchr(at, '<')) != NULL; at++) {
        const size_t n = strspn(at + 1, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
        if (n > 0 && at[1] >= 'a' && at[1] <= 'z' && at[1 + n] == '>')
            return true;
    }
    return false;
}

static void test_messages(void **state)
{
    (void)state;
    static const char *const wrong[][2] = {
        { "SELECT * FROM tripz", "`tripz` cannot be found" },
        { "SELECT * FROM tripz", "Did you mean `trips`?" },
        { "DROP VIEW nothing_like_it", "[`system`.`session`, `spark_catalog`.`default`]. SQLSTATE" },
        { "SELECT * FROM ``", "at or near '``'." },
        { "SELECT a FROM VALUES (1, 2) t(a)", "aliased: 1 does not match the number of source expressions: 2." },
        { "SELECT 1 UNION SELECT 1, 2", "has 1 columns and the second input has 2 columns" },
        { "SELECT row_number() OVER () FROM trips", "Window function row_number requires" },
        { "SELECT explode(1)", "however \"1\" has the type \"INT\"." },
        { "SELECT FOO 'x'", "Supported types are \"DATE\"" },
        { "SELECT id IN (SELECT 1, 2) FROM trips", "(length: 2)" },
        { "SELECT 1 LIMIT -1", "but got -1." },
        { "SELECT 1 LIMIT 'x'", "but got \"STRING\"." },
        { "SELECT cast(300 AS TINYINT)", "The value 300 of the type \"INT\" cannot be cast to \"TINYINT\"" },
        { "SELECT row_number() FROM trips", "[WINDOW_FUNCTION_WITHOUT_OVER_CLAUSE]" },
        { "SELECT * FROM csv.`%s/none`", "[PATH_NOT_FOUND] Path does not exist: " },
        { "SELECT sequence(1, 10, -1)", "Illegal sequence boundaries: 1 to 10 by -1" },
        { " ", "[PARSE_EMPTY_STATEMENT]" },
        { "SELECT * FROM range(1, 2, 3, 4, 5)", "but the actual number is 5" },
        { "SELECT * FROM range(NULL)", "[UNEXPECTED_INPUT_TYPE] Parameter 1 of function `range`" },
        { "SELECT * FROM VALUES (1, 2), (3)", "in row 1" },
        { "SELECT stack(0, 1)", "(current value = 0)" },
        { "SELECT IDENTIFIER('a.')", "[NOT_A_CONSTANT_STRING]" },
        { "SELECT * FROM IDENTIFIER(CAST(NULL AS STRING))", "[NOT_A_CONSTANT_STRING]" },
        { "SELECT * FROM IDENTIFIER('`a')", "[NOT_A_CONSTANT_STRING]" },
        { "SELECT * FROM range(1) LATERAL VIEW explode(array(1)) t AS a, b", "Expected 1 aliases, but got 2" },
        { "SELECT inline(array(1))", "\"ARRAY<STRUCT>\"" },
        { "SELECT explode(array(1), 2)", "`explode`" },
        { "SELECT abs(DISTINCT 1)", "DISTINCT" },
        { "SELECT lag() OVER (ORDER BY id) FROM trips", "actual number is 0" },
        { "SELECT sum(id) OVER (RANGE BETWEEN 1 PRECEDING AND CURRENT ROW) FROM trips", "Cannot resolve \"" },
        { "SELECT * FROM trips a JOIN trips b ON 1", "[JOIN_CONDITION_IS_NOT_BOOLEAN_TYPE]" },
        { "SELECT * FROM trips a JOIN range(3) b USING (nope)", "The left-side columns: [`id`]." },
        { "SELECT grouping_id(id) FROM trips GROUP BY id WITH CUBE HAVING grouping_id(id + 1) > 0", "" },
        { "SELECT transform(array(1), (a, b, c) -> 1)", "[INVALID_LAMBDA_FUNCTION_CALL.NUM_ARGS_MISMATCH]" },
        { "CREATE TEMP VIEW x USING csv OPTIONS (path '%s/none')", "[PATH_NOT_FOUND] Path does not exist: /" },
        { "CREATE TEMP VIEW x USING csv OPTIONS (path '%s', sep '')", "option sep must be" },
        { "CREATE TEMP VIEW x USING parquet OPTIONS (path '%s')", "libspark reads and writes csv, json and text." },
        { "SELECT * FROM range(1, 2, 0)", "[INVALID_PARAMETER_VALUE.STEP]" },
        { "SELECT ntile(0) OVER (ORDER BY id) FROM trips", "The `buckets` must be between (0, 2147483647]" },
        { "SELECT ntile(-2) OVER (ORDER BY id) FROM trips", "(current value = -2)" },
        { "SELECT sum(id) OVER (ORDER BY id ROWS BETWEEN 1 FOLLOWING AND 1 PRECEDING) FROM trips",
            "[DATATYPE_MISMATCH.SPECIFIED_WINDOW_FRAME_WRONG_COMPARISON]" },
        { "SELECT sum(id) OVER (ORDER BY id RANGE BETWEEN 1 PRECEDING AND 2 PRECEDING) FROM trips",
            "[DATATYPE_MISMATCH.SPECIFIED_WINDOW_FRAME_WRONG_COMPARISON]" },
        { "SELECT sum(id) OVER (ORDER BY id ROWS BETWEEN UNBOUNDED FOLLOWING AND CURRENT ROW) FROM trips",
            "[DATATYPE_MISMATCH.SPECIFIED_WINDOW_FRAME_INVALID_BOUND]" },
        { "CREATE TEMP VIEW v AS SELECT 1 a, 2 A", "[COLUMN_ALREADY_EXISTS] The column `A`" },
        { "CREATE TEMP VIEW v (x, x) AS SELECT 1, 2", "[COLUMN_ALREADY_EXISTS] The column `x`" },
        { "CREATE TEMP VIEW v (x, y) AS SELECT 1", "[CREATE_VIEW_COLUMN_ARITY_MISMATCH.NOT_ENOUGH_DATA_COLUMNS]" },
        { "SELECT to_char(1, 'x')", "" }, { "SELECT date_format(now(), 'A')", "" },
        { "SELECT nope FROM trips", "" }, { "SELECT nope", "" }, { "SELECT nope(1)", "" },
        { "SELECT id, count(*) FROM trips", "" },
        { "SELECT regexp_replace('a', 'b', 'c', 0)", "parameter(s) `position` in `regexp_replace`" },
        { "SELECT element_at(array(1), 3)", "" }, { "SELECT map(1, 2, 1, 3)", "" },
        { "SELECT to_binary('x', 'y')", "" }, { "SELECT cast('x' AS INT)", "" },
    };
    spark_context *sc = open_context();
    assert_int_equal(spark_create_temp_view(sc, "trips", spark_sql(sc, "SELECT id FROM range(3)")), SPARK_OK);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char *rows = sql_rows(run(sc, wrong[i][0]));
        const char *message = rows ? "" : spark_last_error()->message;
        if (rows || unfilled(message) || !strstr(message, wrong[i][1]) || strstr(message, "XX000"))
            fail_msg("%s: %s", wrong[i][0], message);
    }
    spark_context_free(sc);
}

/* said: the last error has this code, and these words. */
static void said(spark_status status, spark_status code, const char *words)
{
    assert_int_equal(status, code);
    if (!strstr(spark_last_error()->message, words))
        fail_msg("%s", spark_last_error()->message);
}

SPARK_STRUCT(signless, (int64_t, n), (uint32_t, u));

static void test_views_and_rows(void **state)
{
    (void)state;
    static const signless rows[] = { { 1, 2 } };
    spark_context *sc = open_context();
    spark_rdd *plain = spark_range(sc, 0, 3, 1, 1);
    said(spark_create_temp_view(sc, "", plain), SPARK_EINVAL, "[TEMP_VIEW_NAME_TOO_MANY_NAME_PARTS]");
    said(spark_create_temp_view(sc, "a.b", plain), SPARK_EINVAL, "but got: a.b.");
    said(spark_create_temp_view(sc, "u", spark_parallelize(sc, SPARK_DATA_OF(signless, rows), 1)), SPARK_ETYPE,
        "createTempView(u) at test_sql_front.c");
    said(SPARK_ETYPE, SPARK_ETYPE, "the column `u`");
    said(spark_sql_show(plain, 3), SPARK_EINVAL, "the rows of range at test_sql_front.c");
    said(spark_sql_show(NULL, 3), SPARK_EINVAL, "show at test_sql_front.c");
    sql_gives(spark_sql(sc, "SET TIME ZONE 'UTC'"), "spark.sql.session.timeZone|UTC\n");
    int64_t n;
    said(spark_count(spark_sql(sc, "SELECT 1 / id FROM range(2)"), &n), SPARK_ETASK, "select at test_sql_front.c");
    assert_ptr_equal(strstr(spark_last_error()->site, "test_sql_front.c"), spark_last_error()->site);
    FILE *file = tmpfile();
    char text[40];
    assert_non_null(file);
    assert_int_equal(spark_sql_show_with(spark_sql(sc, "USE default"), &(spark_sql_show_options) { .file = file }),
        SPARK_OK);
    rewind(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    assert_string_equal(text, "++\n||\n++\n++\n");
    (void)fclose(file);
    spark_context_free(sc);
}

/* ---- parameters */

SPARK_DECIMAL(money, 10, 2);
SPARK_OPTIONAL(opt_date, spark_date);
SPARK_STRUCT(point, (int32_t, x), (spark_opt_str, name));

static void test_parameters(void **state)
{
    (void)state;
    spark_context *sc = open_context();
    const bool yes = true;
    const int8_t i8 = -8;
    const int16_t i16 = -16;
    const int32_t i32 = -32;
    const int64_t i64 = INT64_MIN;
    const uint8_t u8 = 255;
    const uint16_t u16 = 65535;
    const uint32_t u32 = UINT32_MAX;
    const uint64_t u64 = UINT64_MAX;
    const float f32 = 0.5f;
    const double f64 = 0.25;
    const money price = { 1250 };
    const spark_date day = { 19000 };
    const spark_time at = { INT64_C(1700000000123456) };
    const spark_str text = SPARK_STR("it's");
    const spark_bytes raw = { "ab", 2 };
    const int64_t numbers[] = { 1, 2, 3 };
    const spark_i64_list list = { numbers, 3 };
    const point p = { 7, { true, SPARK_STR("seven") } };
    const opt_date none = { false, { 0 } }, some = { true, { 0 } };
    const spark_sql_parameter all[] = { { NULL, SPARK_TYPE(bool), &yes }, { NULL, SPARK_TYPE(int8_t), &i8 },
        { NULL, SPARK_TYPE(int16_t), &i16 }, { NULL, SPARK_TYPE(int32_t), &i32 }, { NULL, SPARK_TYPE(int64_t), &i64 },
        { NULL, SPARK_TYPE(uint8_t), &u8 }, { NULL, SPARK_TYPE(uint16_t), &u16 }, { NULL, SPARK_TYPE(uint32_t), &u32 },
        { NULL, SPARK_TYPE(uint64_t), &u64 }, { NULL, SPARK_TYPE(float), &f32 }, { NULL, SPARK_TYPE(double), &f64 },
        { NULL, SPARK_TYPE(money), &price }, { NULL, SPARK_TYPE(spark_date), &day },
        { NULL, SPARK_TYPE(spark_time), &at },
        { NULL, SPARK_TYPE(spark_str), &text }, { NULL, SPARK_TYPE(spark_bytes), &raw },
        { NULL, SPARK_TYPE(spark_i64_list), &list }, { NULL, SPARK_TYPE(point), &p },
        { NULL, SPARK_TYPE(opt_date), &none },
        { NULL, SPARK_TYPE(opt_date), &some }, { NULL, SPARK_TYPE(int32_t), NULL }, { NULL, NULL, NULL } };
    enum { N = sizeof all / sizeof all[0] };
    char query[200] = "SELECT ?", names[400] = "SELECT :p0", label[N][8];
    spark_sql_parameter named[N];
    for (int i = 0; i < N; i++) {
        named[i] = all[i];
        snprintf(label[i], sizeof label[i], "p%d", i);
        named[i].name = label[i];
        if (i) {
            strcat(query, ", ?");
            snprintf(names + strlen(names), sizeof names - strlen(names), ", :p%d", i);
        }
    }
    static const char want[]
        = "true|-8|-16|-32|-9223372036854775808|255|65535|4294967295|18446744073709551615|0.5|0.25|12.50|2022-01-08|"
          "2023-11-14 22:13:20.123456|it's|ab|[1, 2, 3]|{7, seven}|NULL|1970-01-01|NULL|NULL\n";
    sql_gives(spark_sql_with(sc, query, N, all), want);
    sql_gives(spark_sql_with(sc, names, N, named), want);
    static const char *const types[] = { "boolean", "tinyint", "smallint", "int", "bigint", "smallint", "int", "bigint",
        "decimal(20,0)", "float", "double", "decimal(10,2)", "date", "timestamp", "string", "binary", "array<bigint>",
        "struct<x:int,name:string>", "date", "date", "int", "void" };
    spark_rdd *rdd = spark_sql_with(sc, query, N, all);
    for (size_t i = 0; i < N; i++)
        assert_string_equal(spark_sql_type(rdd, i), types[i]);
    static const char some_used[] = "SELECT count(*) FROM range(10) WHERE id >= :p16[1] AND id < :p5 AND :p0";
    sql_gives(spark_sql_with(sc, some_used, N, named), "8\n");
    sql_gives(spark_sql_with(sc, "SELECT id FROM range(5) LIMIT ? OFFSET ?", 2,
              (const spark_sql_parameter[]) { { NULL, SPARK_TYPE(int32_t), &(int32_t) { 2 } },
                  { NULL, SPARK_TYPE(int32_t), &(int32_t) { 1 } } }),
        "1\n2\n");
    sql_gives(spark_sql_with(sc,
                  "WITH t AS (SELECT 7 AS v) SELECT IDENTIFIER(:c) + 1 FROM IDENTIFIER(:t) ORDER BY IDENTIFIER(:t || '.v')", 2,
              (const spark_sql_parameter[]) { { "c", SPARK_TYPE(spark_str), &(spark_str)SPARK_STR("v") },
                  { "t", SPARK_TYPE(spark_str), &(spark_str)SPARK_STR("t") } }),
        "8\n");
    static const spark_type *const opaque = NULL;
    const spark_sql_parameter bad[] = { { "x", opaque, &i32 } };
    assert_int_equal(spark_rdd_status(spark_sql_with(sc, "SELECT :x", 1, bad)), SPARK_EINVAL);
    assert_non_null(strstr(spark_last_error()->message, "[UNSUPPORTED_PARAMETER_TYPE]"));
    assert_int_equal(spark_rdd_status(spark_sql_with(sc, "SELECT :y", N, named)), SPARK_EINVAL);
    assert_non_null(strstr(spark_last_error()->message, "[UNBOUND_SQL_PARAMETER]"));
    spark_context_free(sc);
}

/* ---- files */

static void test_files(void **state)
{
    (void)state;
    spark_context *sc = open_context();
    does(sc, "CREATE TEMP VIEW v AS SELECT id, CAST(id * 1.5 AS DECIMAL(10,2)) d, nullif(concat('w;', id), 'w;1') s, "
             "DATE'2024-01-01' + CAST(id AS INT) day, CAST(id AS DECIMAL(38,0)) wide FROM range(0, 4, 1, 1)");
    does(sc, "INSERT OVERWRITE DIRECTORY '%s/csv' USING csv OPTIONS (header 'true', sep ';', nullValue '-', "
             "dateFormat 'dd.MM.yyyy') SELECT * FROM v");
    does(sc, "CREATE TEMP VIEW back USING csv OPTIONS (path '%s/csv', header = true, delimiter ';', nullValue '-', "
             "inferSchema 'true', dateFormat 'dd.MM.yyyy')");
    sql_gives(run(sc, "SELECT * FROM back ORDER BY id"), "0|0.0|w;0|2024-01-01|0\n1|1.5|NULL|2024-01-02|1\n"
                                                     "2|3.0|w;2|2024-01-03|2\n3|4.5|w;3|2024-01-04|3\n");
    /* again: what is there goes; a query may read what it replaces */
    does(sc, "INSERT OVERWRITE DIRECTORY '%s/csv' USING csv OPTIONS (header 'true') SELECT id FROM back WHERE id > 2");
    does(sc, "CREATE OR REPLACE TEMP VIEW back (id BIGINT) USING csv OPTIONS (path '%s/csv', header true)");
    sql_gives(run(sc, "SELECT * FROM back"), "3\n");
    does(sc, "INSERT OVERWRITE DIRECTORY '%s/json' USING json SELECT id, d, s, day, array(id, NULL) a, "
             "struct(id AS x) st FROM v");
    does(sc, "CREATE TEMP VIEW j (st STRUCT<x: BIGINT>, id BIGINT, s STRING, a ARRAY<BIGINT>, d DECIMAL(10,2), "
             "day DATE) USING json OPTIONS (path '%s/json', mode 'FAILFAST')");
    sql_gives(run(sc, "SELECT id, d, s, day, a, st FROM j ORDER BY id LIMIT 2"),
        "0|0.00|w;0|2024-01-01|[0, null]|{0}\n1|1.50|NULL|2024-01-02|[1, null]|{1}\n");
    does(sc, "INSERT OVERWRITE DIRECTORY '%s/text' USING text SELECT s FROM v ORDER BY id");
    does(sc, "CREATE TEMP VIEW t USING text OPTIONS (path '%s/text')");
    sql_gives(run(sc, "SELECT value, length(value) FROM t"), "w;0|3\n|0\nw;2|3\nw;3|3\n");
    does(sc, "CREATE TEMP VIEW named (line STRING) USING text OPTIONS (path '%s/text')");
    sql_gives(run(sc, "SELECT line FROM named WHERE line > 'w;2'"), "w;3\n");
    /* what the readers have no type for is read as a text */
    does(sc, "INSERT OVERWRITE DIRECTORY '%s/wide' USING csv VALUES ('123456789012345678901234567890.125', '1:02:03'), "
             "('x', '')");
    does(sc, "CREATE TEMP VIEW wide (a DECIMAL(38,2), t TIME(6)) USING csv OPTIONS (path '%s/wide')");
    sql_gives(run(sc, "SELECT a, t FROM wide ORDER BY a"), "NULL|NULL\n123456789012345678901234567890.13|01:02:03\n");
    does(sc, "CREATE TEMP VIEW strict (a DECIMAL(38,2), t STRING) USING csv OPTIONS (path '%s/wide', mode 'FAILFAST')");
    assert_null(sql_rows(run(sc, "SELECT a FROM strict")));
    assert_non_null(strstr(spark_last_error()->message, "[CAST_INVALID_INPUT]"));
    does(sc, "INSERT OVERWRITE DIRECTORY '%s/lines' USING text "
             "VALUES ('{\"a\": 12345678901234567890.5}'), ('{\"a\": \"7\"}')");
    does(sc, "CREATE TEMP VIEW lines (a DECIMAL(38,2)) USING json OPTIONS (path '%s/lines')");
    sql_gives(run(sc, "SELECT a FROM lines ORDER BY a"), "7.00\n12345678901234567890.50\n");
    does(sc, "INSERT OVERWRITE LOCAL DIRECTORY '%s/many' USING csv OPTIONS (maxRecordsPerFile '2', quoteAll 'true') "
             "VALUES (1, 'a'), (2, 'b'), (3, NULL)");
    does(sc, "CREATE TEMP VIEW many USING csv OPTIONS (path '%s/many')");
    sql_gives(run(sc, "SELECT _c0, _c1 FROM many ORDER BY 1"), "1|a\n2|b\n3|NULL\n");
    spark_context_free(sc);
}

static void test_refused_files(void **state)
{
    (void)state;
    spark_context *sc = open_context();
    refuses(sc, "INSERT OVERWRITE DIRECTORY '%s/x' USING csv SELECT array(1) a",
        "[UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE]");
    refuses(sc, "INSERT OVERWRITE DIRECTORY '%s/x' USING csv SELECT array(1) a",
        "the column `a` of the type \"ARRAY<INT>\"");
    refuses(sc, "INSERT OVERWRITE DIRECTORY '%s/x' USING csv SELECT map('a', 1)",
        "[UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE]");
    refuses(sc, "INSERT OVERWRITE DIRECTORY '%s/x' USING csv SELECT X'00ff'", "[UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE]");
    refuses(sc, "INSERT OVERWRITE DIRECTORY '%s/x' USING csv SELECT 1, NULL v", "[UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE]");
    refuses(sc, "INSERT OVERWRITE DIRECTORY '%s/x' USING json OPTIONS (lineSep ';') SELECT map('a', 1)",
        "[UNSUPPORTED_FEATURE]");
    refuses(sc, "INSERT OVERWRITE DIRECTORY '%s/x' USING text SELECT 1", "[UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE]");
    refuses(sc, "INSERT OVERWRITE DIRECTORY '%s/x' USING text SELECT 'a', 'b'", "[UNSUPPORTED_FEATURE]");
    refuses(sc, "INSERT OVERWRITE DIRECTORY '%s/x' USING parquet SELECT 1", "[DATA_SOURCE_NOT_FOUND]");
    refuses(sc, "INSERT OVERWRITE DIRECTORY '%s/x' USING csv OPTIONS (header 'yes') SELECT 1",
        "[INVALID_OPTION_VALUE]");
    refuses(sc, "INSERT OVERWRITE DIRECTORY '%s/x' USING csv OPTIONS (header 'yes') SELECT 1", "header cannot be yes");
    refuses(sc, "CREATE TEMP VIEW x USING csv OPTIONS (path '%s/none', mode 'LAX')", "[INVALID_OPTION_VALUE]");
    refuses(sc, "CREATE TEMP VIEW x USING csv OPTIONS (path '%s/none', header 'true')", "none");
    refuses(sc, "CREATE TEMP VIEW x (m MAP<STRING, INT>) USING csv OPTIONS (path '%s')", "");
    refuses(sc, "CREATE TEMP VIEW x (a INT) USING text OPTIONS (path '%s')", "[UNSUPPORTED_FEATURE]");
    refuses(sc, "CREATE TEMP VIEW x USING orc OPTIONS (path '%s')", "[DATA_SOURCE_NOT_FOUND]");
    refuses(sc, "INSERT OVERWRITE DIRECTORY '%s/x' USING csv SELECT 1 / 0 FROM range(3)", "[DIVIDE_BY_ZERO]");
    char path[100];
    snprintf(path, sizeof path, "%s/x", directory);
    assert_int_not_equal(access(path, F_OK), 0);
    spark_context_free(sc);
}

/* What the reader and the writer of JSON have no type for goes by from_json and to_json: values and texts are those of
 * Spark 4.3. */
static void test_json_by_functions(void **state)
{
    (void)state;
    spark_context *sc = open_context();
    does(sc, "INSERT OVERWRITE DIRECTORY '%s/maps' USING json SELECT 1 a, "
             "CAST(-12345678901234567890.123 AS DECIMAL(38,10)) x, map('a', 1, 'b', NULL) m, "
             "INTERVAL '1 02:03:04.5' DAY TO SECOND i, INTERVAL '1-2' YEAR TO MONTH y, X'00ff41' b, "
             "map('k', array(map('z', INTERVAL '1' DAY))) d, TIMESTAMP_NTZ'2024-05-07 10:11:12.5' t "
             "UNION ALL SELECT 2, NULL, NULL, NULL, NULL, NULL, NULL, NULL");
    does(sc, "CREATE TEMP VIEW written USING text OPTIONS (path '%s/maps')");
    sql_gives(run(sc, "SELECT * FROM written ORDER BY 1"),
        "{\"a\":1,\"x\":-12345678901234567890.1230000000,\"m\":{\"a\":1,\"b\":null},"
        "\"i\":\"INTERVAL '1 02:03:04.5' DAY TO SECOND\",\"y\":\"INTERVAL '1-2' YEAR TO MONTH\",\"b\":\"AP9B\","
        "\"d\":{\"k\":[{\"z\":\"INTERVAL '1' DAY\"}]},\"t\":\"2024-05-07T10:11:12.500\"}\n{\"a\":2}\n");
    does(sc, "CREATE TEMP VIEW maps (a INT, x DECIMAL(38,10), m MAP<STRING, INT>, i INTERVAL DAY TO SECOND, "
             "d MAP<STRING, ARRAY<MAP<STRING, INTERVAL DAY>>>, t TIMESTAMP_NTZ) USING json OPTIONS (path '%s/maps')");
    sql_gives(run(sc, "SELECT * FROM maps ORDER BY a"),
        "1|-12345678901234567890.1230000000|{a -> 1, b -> null}|INTERVAL '1 02:03:04.5' DAY TO SECOND|"
        "{k -> [{z -> INTERVAL '1' DAY}]}|2024-05-07 10:11:12.5\n2|NULL|NULL|NULL|NULL|NULL\n");
    does(sc, "INSERT OVERWRITE DIRECTORY '%s/lenient' USING text VALUES ('{\"m\":{\"a\":1,\"b\":null}}'), "
             "('{\"m\":null}'), ('{\"m\":{}}'), ('{\"m\":[1]}'), ('{\"m\":\"x\"}'), ('{\"m\":{\"a\":\"x\"}}'), ('{}'), "
             "('{\"m\":{\"a\":1,\"a\":2}}'), ('bad')");
    does(sc, "CREATE TEMP VIEW lenient (m MAP<STRING, INT>, s STRUCT<d: DECIMAL(38,2)>) USING json OPTIONS (path "
             "'%s/lenient')");
    sql_gives(run(sc, "SELECT cast(m AS STRING) FROM lenient ORDER BY 1"),
        "NULL\nNULL\nNULL\nNULL\nNULL\nNULL\n{a -> 1, a -> 2}\n{a -> 1, b -> null}\n{}\n");
    does(sc, "CREATE TEMP VIEW strictly (m MAP<STRING, INT>) USING json OPTIONS (path '%s/lenient', mode 'FAILFAST')");
    assert_null(sql_rows(run(sc, "SELECT * FROM strictly")));
    assert_non_null(strstr(spark_last_error()->message, "[MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION]"));
    refuses(sc, "CREATE TEMP VIEW guessed USING json OPTIONS (path '%s/lenient', mode 'FAILFAST')",
        "[MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION]");
    does(sc, "CREATE TEMP VIEW quick (m STRUCT<a: INT>) USING json OPTIONS (path '%s/lenient', mode 'FAILFAST')");
    does(sc, "CREATE TEMP VIEW quickly (m INT) USING csv OPTIONS (path '%s/lenient', mode 'FAILFAST')");
    for (int csv = 0; csv < 2; csv++) {
        assert_null(sql_rows(run(sc, csv ? "SELECT * FROM quickly" : "SELECT * FROM quick")));
        assert_non_null(strstr(spark_last_error()->message, "[MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION]"));
        assert_non_null(strstr(spark_last_error()->message, "SQLSTATE: 22023"));
    }
    refuses(sc, "CREATE TEMP VIEW no (m ARRAY<MAP<INT, STRING>>) USING json OPTIONS (path '%s/lenient')",
        "[UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE]");
    does(sc, "INSERT OVERWRITE DIRECTORY '%s/options' USING json OPTIONS (ignoreNullFields 'false', dateFormat "
             "'dd/MM/yyyy') SELECT map('a', 1) m, NULL n, DATE'2024-05-07' d");
    does(sc, "CREATE TEMP VIEW options USING text OPTIONS (path '%s/options')");
    sql_gives(run(sc, "SELECT * FROM options"), "{\"m\":{\"a\":1},\"n\":null,\"d\":\"07/05/2024\"}\n");
    does(sc, "INSERT OVERWRITE DIRECTORY '%s/local' USING csv SELECT TIMESTAMP_NTZ'2024-05-07 10:11:12.5' a, "
             "TIMESTAMP_NTZ'2024-05-07 10:11:12.123456' b, DATE'+12024-01-01' c, TIMESTAMP'+12024-01-01 00:00:00' d, "
             "CAST('-Infinity' AS DOUBLE) e");
    does(sc, "CREATE TEMP VIEW local USING text OPTIONS (path '%s/local')");
    sql_gives(run(sc, "SELECT * FROM local"), "2024-05-07T10:11:12.500,2024-05-07T10:11:12.123456,+12024-01-01,"
                                              "+12024-01-01T00:00:00.000Z,-Infinity\n");
    does(sc, "CREATE TEMP VIEW back (a TIMESTAMP_NTZ, b TIMESTAMP_NTZ, c DATE, d TIMESTAMP, e DOUBLE) USING csv "
             "OPTIONS (path '%s/local')");
    sql_gives(run(sc, "SELECT * FROM back"), "2024-05-07 10:11:12.5|2024-05-07 10:11:12.123456|+12024-01-01|"
                                             "+12024-01-01 00:00:00|-Infinity\n");
    spark_context_free(sc);
}

/* CSV by its path is read without options: a header is a row, columns are numbered strings, as in Spark. */
static void test_csv_by_path(void **state)
{
    (void)state;
    char path[100], text[200];
    spark_context *sc = open_context();
    snprintf(path, sizeof path, "%s/by_path.csv", directory);
    FILE *out = fopen(path, "w");
    assert_true(out && fputs("id,name\n1,\"a,b\"\n2,\n", out) >= 0 && fclose(out) == 0);
    snprintf(text, sizeof text, "SELECT _c1, _c0, typeof(_c0) FROM csv.`%s`", path);
    sql_gives(run(sc, text), "name|id|string\na,b|1|string\nNULL|2|string\n");
    spark_context_free(sc);
}

/* ---- show */

static void shows(spark_rdd *rdd, size_t rows, size_t truncate, bool vertical, const char *want)
{
    char *text;
    size_t size;
    FILE *file = open_memstream(&text, &size);
    assert_non_null(file);
    const spark_sql_show_options options = { rows, truncate, vertical, file };
    assert_int_equal(spark_sql_show_with(rdd, &options), SPARK_OK);
    fclose(file);
    assert_string_equal(text, want);
    free(text);
}

/* test_show: what Spark 4 prints for the same calls of show. */
/* cannot_write: neither the result, nor what has its rows, to such files. */
static void cannot_write(spark_context *sc, bool json, const char *query, const char *message)
{
    char path[100];
    snprintf(path, sizeof path, "%s/refused", directory);
    spark_rdd *rdd = run(sc, query);
    spark_rdd *all[] = { rdd, spark_coalesce(rdd, 1), spark_union(spark_repartition(rdd, 2), rdd) };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        const spark_status status
            = json ? spark_write_json(all[i], path, NULL) : spark_write_csv(all[i], path, NULL);
        assert_int_equal(status, SPARK_ETYPE);
        if (!strstr(spark_last_error()->message, message))
            fail_msg("%s: %s", query, spark_last_error()->message);
        assert_int_not_equal(access(path, F_OK), 0);
    }
}

SPARK_STRUCT(halves, (int64_t, high), (uint64_t, low));
SPARK_STRUCT(whole, (halves, total));

static void test_unwritten_columns(void **state)
{
    (void)state;
    char path[100];
    spark_context *sc = open_context();
    cannot_write(sc, true, "SELECT 1 id, sum(CAST(-5 AS DECIMAL(12,2))) total",
        "column \"total\" is decimal(22,2), which JSON files are not written with: in the statement, "
        "CAST(total AS DECIMAL(18,2)) or CAST(total AS STRING)");
    cannot_write(sc, false, "SELECT CAST(1 AS DECIMAL(38,10)) total",
        "CAST(total AS DECIMAL(18,10)) or CAST(total AS STRING), or INSERT OVERWRITE DIRECTORY .. USING csv");
    cannot_write(sc, true, "SELECT map('a', 1) m", "column \"m\" is map<string,int>");
    cannot_write(sc, true, "SELECT array(INTERVAL 1 DAY) i", "column \"i\" is made of interval day");
    cannot_write(sc, true, "SELECT named_struct('x', INTERVAL '1' MONTH) s", "column \"s\" is made of interval month");
    cannot_write(sc, false, "SELECT INTERVAL 1 DAY i", "column \"i\" is interval day");
    /* What is written, and a struct of the program's that is laid out as such a decimal. */
    snprintf(path, sizeof path, "%s/written", directory);
    assert_int_equal(spark_write_json(run(sc, "SELECT CAST(1.5 AS DECIMAL(18,2)) total, array(1) a, DATE'2024-05-07' d"),
                         path, NULL), SPARK_OK);
    static const whole rows[] = { { { -1, 7 } } };
    snprintf(path, sizeof path, "%s/halves", directory);
    assert_int_equal(spark_write_json(spark_parallelize(sc, SPARK_DATA_OF(whole, rows), 1), path, NULL), SPARK_OK);
    spark_array texts;
    assert_int_equal(spark_collect(spark_text_file(sc, path, 1), NULL, &texts), SPARK_OK);
    assert_int_equal(texts.n, 1);
    const char want[] = "{\"total\":{\"high\":-1,\"low\":7}}";
    assert_int_equal(SPARK_ITEMS(spark_str, &texts)->len, sizeof want - 1);
    assert_memory_equal(SPARK_ITEMS(spark_str, &texts)->ptr, want, sizeof want - 1);
    spark_array_free(&texts);
    spark_context_free(sc);
}

static void test_show(void **state)
{
    (void)state;
    spark_context *sc = open_context();
    spark_rdd *rdd = spark_sql(sc, "SELECT * FROM VALUES (1, 'a short one'), (22, 'one that is longer than twenty'), "
                                   "(NULL, 'two\nlines') t(id, text)");
    shows(rdd, 20, 0, false, "+----+------------------------------+\n"
                             "|id  |text                          |\n"
                             "+----+------------------------------+\n"
                             "|1   |a short one                   |\n"
                             "|22  |one that is longer than twenty|\n"
                             "|NULL|two\\nlines                    |\n"
                             "+----+------------------------------+\n");
    shows(rdd, 2, 20, false, "+---+--------------------+\n"
                             "| id|                text|\n"
                             "+---+--------------------+\n"
                             "|  1|         a short one|\n"
                             "| 22|one that is longe...|\n"
                             "+---+--------------------+\n"
                             "only showing top 2 rows\n");
    shows(rdd, 1, 3, false, "+---+---+\n| id|tex|\n+---+---+\n|  1|a s|\n+---+---+\nonly showing top 1 row\n");
    shows(spark_sql(sc, "SELECT '\x1b[2J' a, 'x\xc2\x9b" "1m\xc2\xa0\tb' b"), 1, 0, false,
        "+----+--------+\n|a   |b       |\n+----+--------+\n"
        "|\xef\xbf\xbd[2J|x\xef\xbf\xbd" "1m\xc2\xa0\\tb|\n+----+--------+\n");
    shows(rdd, 2, 20, true, "-RECORD 0--------------------\n"
                            " id   | 1                    \n"
                            " text | a short one          \n"
                            "-RECORD 1--------------------\n"
                            " id   | 22                   \n"
                            " text | one that is longe... \n"
                            "only showing top 2 rows\n");
    shows(spark_sql(sc, "SELECT 1 a WHERE false"), 0, 0, true, "(0 rows)\n");
    shows(spark_sql(sc, "SELECT 1 a WHERE false"), 0, 20, false, "+---+\n|  a|\n+---+\n+---+\n");
    assert_int_equal(spark_sql_show_with(spark_range(sc, 0, 3, 1, 1), NULL), SPARK_EINVAL);
    spark_context_free(sc);
}

/* ---- structs of the program's own */

SPARK_STRUCT(city, (spark_opt_str, name), (int64_t, n), (double, area));
SPARK_STRUCT(strict, (int32_t, a));
SPARK_STRUCT(optional, (spark_opt_i64, a));
SPARK_STRUCT(other, (spark_str, a));

static void test_as_named(void **state)
{
    (void)state;
    spark_context *sc = open_context();
    spark_array rows;
    spark_rdd *rdd = spark_sql(sc, "SELECT CAST(2 AS FLOAT) AREA, 'x' unused, 5Y n, 'Rome' name UNION ALL "
                                   "SELECT 3F, 'y', 6Y, NULL");
    assert_int_equal(spark_collect(spark_as_named(rdd, SPARK_TYPE(city)), SPARK_TYPE(city), &rows), SPARK_OK);
    const city *cities = SPARK_ITEMS(city, &rows);
    assert_int_equal(rows.n, 2);
    assert_true(cities[0].name.present && cities[0].name.value.len == 4);
    assert_memory_equal(cities[0].name.value.ptr, "Rome", 4);
    assert_true(cities[0].n == 5 && cities[0].area == 2 && cities[1].n == 6 && cities[1].area == 3);
    assert_false(cities[1].name.present);
    spark_array_free(&rows);
    spark_rdd *some = spark_sql(sc, "SELECT a FROM VALUES (1), (NULL) t(a)");
    assert_int_equal(spark_collect(spark_as_named(some, SPARK_TYPE(optional)), SPARK_TYPE(optional), &rows), SPARK_OK);
    assert_true(SPARK_ITEMS(optional, &rows)[0].a.value == 1 && !SPARK_ITEMS(optional, &rows)[1].a.present);
    spark_array_free(&rows);
    assert_int_not_equal(spark_collect(spark_as_named(some, SPARK_TYPE(strict)), NULL, &rows), SPARK_OK);
    assert_non_null(strstr(spark_last_error()->message, "\"a\" is null"));
    spark_rdd *kept = spark_as_named(spark_sql(sc, "SELECT a FROM VALUES (1), (2) t(a)"), SPARK_TYPE(strict));
    assert_int_equal(spark_collect(kept, SPARK_TYPE(strict), &rows), SPARK_OK);
    assert_int_equal(SPARK_ITEMS(strict, &rows)[1].a, 2);
    spark_array_free(&rows);
    assert_int_equal(spark_rdd_status(spark_as_named(some, SPARK_TYPE(other))), SPARK_ETYPE);
    assert_non_null(strstr(spark_last_error()->message, "member \"a\""));
    assert_int_equal(spark_rdd_status(spark_as_named(some, SPARK_TYPE(city))), SPARK_ETYPE);
    assert_non_null(strstr(spark_last_error()->message, "no member \"name\""));
    assert_int_equal(spark_rdd_status(spark_as_named(spark_sql(sc, "SELECT 1L a"), SPARK_TYPE(strict))), SPARK_ETYPE);
    assert_int_equal(spark_rdd_status(spark_as_named(spark_range(sc, 0, 1, 1, 1), SPARK_TYPE(strict))), SPARK_ETYPE);
    spark_context_free(sc);
}

/* ---- structs and decimals within them */

SPARK_STRUCT(place, (double, lon), (double, lat));
SPARK_OPTIONAL(opt_place, place);
SPARK_STRUCT(visitor, (spark_str, name), (opt_place, at));
SPARK_STRUCT(visit, (int64_t, id), (visitor, who));
SPARK_DECIMAL(price, 10, 2);
SPARK_STRUCT(item, (int32_t, id), (price, price));
SPARK_LIST(places, place);
SPARK_STRUCT(tour, (places, stops));

static void test_as_named__within(void **state)
{
    (void)state;
    spark_context *sc = open_context();
    spark_array rows;
    spark_rdd *rdd = spark_sql(sc, "SELECT named_struct('at', named_struct('LAT', 59.9D, 'lon', 10.7D), 'name', 'x') who, 1L id "
                                   "UNION ALL SELECT named_struct('at', NULL, 'name', 'y'), 2L");
    assert_int_equal(spark_collect(spark_as_named(rdd, SPARK_TYPE(visit)), SPARK_TYPE(visit), &rows), SPARK_OK);
    const visit *v = SPARK_ITEMS(visit, &rows);
    assert_true(v[0].id == 1 && v[0].who.at.present && v[0].who.at.value.lat == 59.9 && v[0].who.at.value.lon == 10.7);
    assert_true(v[1].id == 2 && !v[1].who.at.present && v[1].who.name.ptr[0] == 'y');
    spark_array_free(&rows);
    rdd = spark_sql(sc, "SELECT 1L id, named_struct('name', 'x', 'at', struct(1D, 2D)) who");
    assert_int_equal(spark_rdd_status(spark_as_named(rdd, SPARK_TYPE(visit))), SPARK_ETYPE);
    assert_non_null(strstr(spark_last_error()->message, "no member \"lon\""));
    rdd = spark_sql(sc, "SELECT array(named_struct('lat', 1D, 'lon', 2D)) stops");
    assert_int_equal(spark_rdd_status(spark_as_named(rdd, SPARK_TYPE(tour))), SPARK_ETYPE);
    assert_non_null(strstr(spark_last_error()->message, "in another order"));
    rdd = spark_sql(sc, "SELECT array(named_struct('lon', 1D, 'lat', 2D)) stops");
    assert_int_equal(spark_collect(spark_as_named(rdd, SPARK_TYPE(tour)), SPARK_TYPE(tour), &rows), SPARK_OK);
    assert_true(SPARK_ITEMS(tour, &rows)->stops.at[0].lat == 2);
    spark_array_free(&rows);

    rdd = spark_sql(sc, "SELECT 1 id, CAST(-99999999.99 AS DECIMAL(10, 2)) price");
    assert_int_equal(spark_collect(spark_as_named(rdd, SPARK_TYPE(item)), SPARK_TYPE(item), &rows), SPARK_OK);
    assert_int_equal(SPARK_ITEMS(item, &rows)->price.units, -9999999999);
    spark_array_free(&rows);
    rdd = spark_as_named(spark_sql(sc, "SELECT 1 id, 100000000.00 price"), SPARK_TYPE(item));
    assert_int_equal(spark_collect(rdd, NULL, &rows), SPARK_EINVAL);
    assert_non_null(strstr(spark_last_error()->message, "\"price\" is null or has more digits"));
    rdd = spark_as_named(spark_sql(sc, "SELECT 1 id, 1.0 price"), SPARK_TYPE(item));
    assert_int_equal(spark_rdd_status(rdd), SPARK_ETYPE);
    rdd = spark_as_named(spark_sql(sc, "SELECT 1 id, CAST(1 AS DECIMAL(20, 2)) price"), SPARK_TYPE(item));
    assert_int_equal(spark_rdd_status(rdd), SPARK_ETYPE);
    assert_non_null(strstr(spark_last_error()->message, "more than 18 digits"));
    spark_context_free(sc);
}

/* Hints that nobody knows are warned of, once for each; those of Spark that say nothing here are not. */
static void test_hints(void **state)
{
    (void)state;
    char path[100], said[1000];
    snprintf(path, sizeof path, "%s/said", directory);
    FILE *file = fopen(path, "w+");
    assert_non_null(file);
    spark_context *sc = open_context();
    fflush(stderr);
    const int keep = dup(STDERR_FILENO);
    dup2(fileno(file), STDERR_FILENO);
    const spark_status status = spark_rdd_status(spark_sql(sc,
        "SELECT /*+ REPARTITION(3), NO_SUCH_HINT(1), broadcast(t) */ a FROM VALUES (1) t(a)"));
    dup2(keep, STDERR_FILENO);
    close(keep);
    assert_int_equal(status, SPARK_OK);
    rewind(file);
    said[fread(said, 1, sizeof said - 1, file)] = '\0';
    assert_string_equal(said, "libspark: unrecognized hint in SQL: NO_SUCH_HINT\n");
    fclose(file);
    spark_context_free(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_views_and_rows),
        cmocka_unit_test(test_parameters),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_refused_files),
        cmocka_unit_test(test_unwritten_columns),
        cmocka_unit_test(test_json_by_functions),
        cmocka_unit_test(test_csv_by_path),
        cmocka_unit_test(test_show),
        cmocka_unit_test(test_as_named),
        cmocka_unit_test(test_as_named__within),
        cmocka_unit_test(test_hints),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
