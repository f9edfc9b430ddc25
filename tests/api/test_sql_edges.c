/* SPDX-License-Identifier: Apache-2.0 */
/* Statements at the edges of what SQL allows: what Spark 4.3 answers, and what it refuses. */
#include "../support/sql_test.h"

static const sql_case lambdas[] = {
    { "SELECT id, transform(array(1), x -> x + id) FROM range(2)", "0|[1]\n1|[2]\n" },
    { "SELECT id, transform(array(1), x -> x + sum(id)) FROM range(2) GROUP BY id ORDER BY id", "0|[1]\n1|[2]\n" },
    { "SELECT transform(array(1, 2), x -> x + max(id) OVER ()) FROM range(2)", "[2, 3]\n[2, 3]\n" },
    { "SELECT filter(array(1, 2), x -> x < count(*)) FROM range(2)", "[1]\n" },
    { "SELECT transform(array(1), x -> transform(array(2), y -> x + y + id)) FROM range(2)", "[[3]]\n[[4]]\n" },
    { "SELECT transform(array(1), x -> transform(array(2), y -> x + y))", "[[3]]\n" },
    { "SELECT transform(array(3), id) FROM range(2)", "[0]\n[1]\n" },
    { "SELECT aggregate(array(1, 2, 3), named_struct('sum', 0, 'cnt', 0), (a, x) -> named_struct('sum', a.sum + x, "
      "'cnt', a.cnt + 1), a -> a.sum / a.cnt)", "2.0\n" },
    { "SELECT aggregate(sequence(1, 2), array('a'), (a, x) -> concat(a, array(CAST(x AS string), NULL)))",
        "[a, 1, null, 2, null]\n" },
    { "SELECT * FROM range(2) t, LATERAL (SELECT transform(array(1), x -> x + t.id))", "0|[1]\n1|[2]\n" },
    { "SELECT * FROM range(2) t, LATERAL (SELECT id x FROM range(4) u WHERE u.id >= t.id ORDER BY id LIMIT 1)",
        "0|0\n1|1\n" },
    { "SELECT * FROM range(2) t, LATERAL (SELECT id x FROM range(4) u WHERE u.id > t.id ORDER BY id DESC LIMIT 2 OFFSET 1)",
        "0|2\n0|1\n1|2\n" },
};
static const sql_case no_lambdas[] = {
    { "SELECT exists(array(1), x -> x IN (SELECT 1))", "CATEGORY.HIGHER_ORDER_FUNCTION" },
    { "SELECT transform(array(1), x -> (SELECT 3))", "CATEGORY.HIGHER_ORDER_FUNCTION" },
    { "SELECT nosuch(array(1), x -> x)", "UNRESOLVED_ROUTINE" },
    { "SELECT nosuch(x -> x)", "UNRESOLVED_ROUTINE" },
    { "SELECT transform(array(1), (a, A) -> a)", "INVALID_LAMBDA_FUNCTION_CALL.DUPLICATE_ARG_NAMES" },
    { "SELECT transform(array(1), x -> sum(x)) FROM range(2)", "UNRESOLVED_COLUMN" },
    { "SELECT transform(array(1), x -> max(x) OVER ()) FROM range(2)", "UNRESOLVED_COLUMN" },
    { "SELECT transform(array(1), x -> max(id) OVER (ORDER BY x)) FROM range(2)", "UNRESOLVED_COLUMN" },
};
static const sql_case stars[] = {
    { "SELECT max(t.*) FROM range(3) t", "2\n" },
    { "SELECT count(t.*, 1), count(DISTINCT *), count(*) FROM range(3) t", "3|3|3\n" },
    { "SELECT grouping(*) FROM range(2) GROUP BY ROLLUP(id) ORDER BY 1", "0\n0\n1\n" },
    { "SELECT grouping_id(*) FROM range(2) GROUP BY ROLLUP(id) ORDER BY 1", "0\n0\n1\n" },
    { "SELECT (SELECT named_struct('a', max(u.id + t.id)) FROM range(2) u) FROM range(2) t", "{1}\n{2}\n" },
    { "SELECT sum(t.*) OVER (), collect_set(*) OVER (), count(*) OVER () FROM range(2) t",
        "1|[0, 1]|2\n1|[0, 1]|2\n" },
    { "SELECT max(*), struct(max(*)) FROM range(3)", "2|{2}\n" },
    { "SELECT *, id FROM range(2) ORDER BY id", "0|0\n1|1\n" },
    { "SELECT id n, id n FROM (SELECT id, -id n FROM range(2)) ORDER BY n", "1|1\n0|0\n" },
    { "SELECT id n, id n FROM range(1) GROUP BY n", "0|0\n" },
    { "SELECT struct(t.*), struct(*) FROM range(2) t", "{0}|{0}\n{1}|{1}\n" },
    { "SELECT id, (SELECT greatest(t.*, 1L)) FROM range(3) t", "0|1\n1|1\n2|2\n" },
};
static const sql_case no_stars[] = {
    { "SELECT id n, id n FROM range(2) ORDER BY n", "UNRESOLVED_COLUMN" },
    { "SELECT id n, id n FROM range(2) ORDER BY n + 1", "UNRESOLVED_COLUMN" },
    { "SELECT id n, id n, sum(id) OVER () FROM range(2) HAVING n > 0", "AMBIGUOUS_REFERENCE" },
    { "SELECT max(t.*)", "CANNOT_RESOLVE_STAR_EXPAND" },
    { "SELECT max(*)", "WRONG_NUM_ARGS" },
    { "SELECT count(* EXCEPT (id)) FROM range(3)", "WRONG_NUM_ARGS" },
    { "SELECT id, sum(u.*) FROM range(3) t GROUP BY id", "CANNOT_RESOLVE_STAR_EXPAND" },
    { "SELECT greatest(u.*, 1) FROM range(3) t", "CANNOT_RESOLVE_STAR_EXPAND" },
    { "SELECT grouping() FROM range(2) GROUP BY ROLLUP(id)", "WRONG_NUM_ARGS.WITHOUT_SUGGESTION" },
    { "SELECT count(t.*) FROM range(2) t", "INVALID_USAGE_OF_STAR_WITH_TABLE_IDENTIFIER_IN_COUNT" },
    { "SELECT count(DISTINCT t.*) + 1 FROM range(2) t", "INVALID_USAGE_OF_STAR_WITH_TABLE_IDENTIFIER_IN_COUNT" },
    { "SELECT count(t.*) FILTER (WHERE id > 0) OVER () FROM range(2) t",
        "INVALID_USAGE_OF_STAR_WITH_TABLE_IDENTIFIER_IN_COUNT" },
    { "SELECT count(x.*) FROM range(2) t", "CANNOT_RESOLVE_STAR_EXPAND" },
    { "SELECT grouping(id) FROM range(2) GROUP BY GROUPING SETS (())", "GROUPING_COLUMN_MISMATCH" },
    { "SELECT grouping_id(id) FROM range(2) GROUP BY GROUPING SETS (())", "GROUPING_ID_COLUMN_MISMATCH" },
    { "SELECT a FROM (SELECT 1 a, 2 a) l NATURAL JOIN (SELECT 1 a, 3 b) r", "AMBIGUOUS_REFERENCE" },
    { "SELECT a FROM (SELECT 1 a, 2 a) l JOIN (SELECT 1 a, 3 b) r USING (a)", "AMBIGUOUS_REFERENCE" },
    { "SELECT raise_error(CAST(NULL AS STRING))", "[USER_RAISED_EXCEPTION] null" },
};

/* doubled: columns of one name beside each other. */
static const sql_case doubled[] = {
#define TWO "(SELECT 1 a, 2 a) l "
    { "SELECT * FROM " TWO "NATURAL JOIN (SELECT 1 a, 3 b) r", "1|2|3\n" },
    { "SELECT * FROM (SELECT 1 a, 2 b) l NATURAL JOIN (SELECT 1 a, 3 a) r", "1|2|3\n" },
    { "SELECT * FROM " TWO "NATURAL JOIN " TWO, "1|1|2|2\n" },
    { "SELECT * FROM (SELECT 1 a, 1 a, 7 c) l NATURAL JOIN (SELECT 1 a, 1 a, 8 d) r", "1|1|1|7|1|8\n" },
    { "SELECT * FROM (SELECT 1 a, 1 A) l NATURAL JOIN (SELECT 1 a) r", "1|1\n" },
    { "SELECT * FROM (SELECT 1 AS ID) l NATURAL JOIN (SELECT 1 AS id) r", "1\n" },
    { "SELECT * FROM (SELECT 1 a, 1 a) l NATURAL JOIN (SELECT 1 a, 1 A, 1 a) r", "1|1|1|1|1\n" },
    { "SELECT * FROM (SELECT 1 a, 2 b, 3 a, 4 c) l NATURAL JOIN (SELECT 3 a, 2 b, 1 a) r", "" },
    { "SELECT * FROM (SELECT 1 a, 1 a, 7 c) l NATURAL LEFT JOIN (SELECT 1 a, 8 d) r", "1|1|7|8\n" },
    { "SELECT * FROM (SELECT 1 a, 1 a, 7 c) l NATURAL FULL JOIN (SELECT 1 a, 8 d) r", "1|1|7|8\n" },
    { "SELECT * FROM " TWO "NATURAL RIGHT JOIN (SELECT 1 a, 3 b) r", "1|2|3\n" },
    { "SELECT * FROM " TWO "RIGHT JOIN (SELECT 1 a, 3 b) r USING (a)", "1|2|3\n" },
    { "SELECT * FROM " TWO "JOIN (SELECT 1 a, 3 a) r USING (a)", "1|2|3\n" },
    { "SELECT r.a, b FROM (SELECT 1 a, 2 x) l NATURAL JOIN (SELECT 1 a, 3 a, 4 b) r", "3|4\n" },
    { "SELECT count(t.*, 1), count(*) FROM VALUES (1, 2), (3, NULL) t(a, b)", "1|2\n" },
    { "SELECT grouping_id(), count(*) FROM range(2) GROUP BY GROUPING SETS (())", "0|2\n" },
    { "SELECT grouping_id() FROM range(2) GROUP BY GROUPING SETS ((), ())", "0\n0\n" },
#undef TWO
};
static const sql_case no_conditions[] = {
    { "SELECT id FROM range(3) WHERE max(INTERVAL '1' DAY)", "INVALID_WHERE_CONDITION" },
    { "SELECT id FROM range(3) WHERE sum(INTERVAL '1' DAY) IS NULL", "INVALID_WHERE_CONDITION" },
    { "SELECT count(*) FILTER (WHERE 'abc') FROM range(2)", "INVALID_AGGREGATE_FILTER.NOT_BOOLEAN" },
    { "SELECT count(*) FILTER (WHERE NULL) FROM range(2)", "INVALID_AGGREGATE_FILTER.NOT_BOOLEAN" },
    { "SELECT count(*) FILTER (WHERE id) OVER () FROM range(2)", "INVALID_AGGREGATE_FILTER.NOT_BOOLEAN" },
};
static const sql_case windows[] = {
    { "SELECT sum(id) OVER (ORDER BY id ROWS BETWEEN 1+1 PRECEDING AND CURRENT ROW) FROM range(4)", "0\n1\n3\n6\n" },
    { "SELECT sum(id) OVER (ORDER BY id ROWS BETWEEN CAST(1 AS INT) PRECEDING AND 2-1 FOLLOWING) FROM range(4)",
        "1\n3\n6\n5\n" },
    { "SELECT sum(id) OVER (ORDER BY id RANGE BETWEEN 1+1 PRECEDING AND CURRENT ROW) FROM range(4)", "0\n1\n3\n6\n" },
    { "SELECT lead(id, 1+1) OVER (ORDER BY id), lag(id, -1) OVER (ORDER BY id) FROM range(4)",
        "2|1\n3|2\nNULL|3\nNULL|NULL\n" },
    { "SELECT ntile(1+1) OVER (ORDER BY id) FROM range(4)", "1\n1\n2\n2\n" },
    { "SELECT nth_value(id, '2') OVER (ORDER BY id), nth_value(id, 2L) OVER (ORDER BY id) FROM range(4)",
        "NULL|NULL\n1|1\n1|1\n1|1\n" },
};
static const sql_case no_windows[] = {
    { "SELECT sum(id) OVER (ORDER BY id ROWS BETWEEN id PRECEDING AND CURRENT ROW) FROM range(4)",
        "INVALID_SQL_SYNTAX.INVALID_WINDOW_FRAME_BOUND" },
    { "SELECT sum(id) OVER (ORDER BY id RANGE BETWEEN CURRENT ROW AND id FOLLOWING) FROM range(4)",
        "INVALID_SQL_SYNTAX.INVALID_WINDOW_FRAME_BOUND" },
    { "SELECT sum(id) OVER (ORDER BY id ROWS BETWEEN 'a' PRECEDING AND CURRENT ROW) FROM range(4)",
        "SPECIFIED_WINDOW_FRAME_UNACCEPTED_TYPE" },
    { "SELECT sum(id) OVER (ORDER BY id ROWS BETWEEN NULL PRECEDING AND CURRENT ROW) FROM range(4)",
        "SPECIFIED_WINDOW_FRAME_UNACCEPTED_TYPE" },
    { "SELECT sum(id) OVER (ORDER BY id ROWS BETWEEN CURRENT ROW AND 1.5 FOLLOWING) FROM range(4)",
        "SPECIFIED_WINDOW_FRAME_UNACCEPTED_TYPE" },
    { "SELECT sum(id) OVER (ORDER BY id ROWS BETWEEN array() PRECEDING AND CURRENT ROW) FROM range(4)",
        "SPECIFIED_WINDOW_FRAME_UNACCEPTED_TYPE" },
    { "SELECT lag(id, id) OVER (ORDER BY id) FROM range(4)", "NON_FOLDABLE_INPUT" },
    { "SELECT lead(id, NULL) OVER (ORDER BY id) FROM range(4)", "UNEXPECTED_INPUT_TYPE" },
    { "SELECT ntile(id) OVER (ORDER BY id) FROM range(4)", "NON_FOLDABLE_INPUT" },
    { "SELECT ntile(1, 2) OVER (ORDER BY id) FROM range(4)", "WRONG_NUM_ARGS" },
    { "SELECT ntile('2') OVER (ORDER BY id) FROM range(4)", "UNEXPECTED_INPUT_TYPE" },
    { "SELECT nth_value(id, id) OVER (ORDER BY id) FROM range(4)", "NON_FOLDABLE_INPUT" },
    { "SELECT nth_value(id, 0) OVER (ORDER BY id) FROM range(4)", "VALUE_OUT_OF_RANGE" },
    { "SELECT nth_value(id, NULL) OVER (ORDER BY id) FROM range(4)", "VALUE_OUT_OF_RANGE" },
};
#define ZEROS "FROM VALUES (-0.0D), (0.0D) t(x)"

static const sql_case zeros[] = {
    { "SELECT DISTINCT x " ZEROS, "0.0\n" },
    { "SELECT x, count(*) " ZEROS " GROUP BY x", "0.0|2\n" },
    { "SELECT x + 1, x, (SELECT max(u.x) FROM VALUES (0.0D) u(x) WHERE u.x = t.x) " ZEROS " GROUP BY x",
        "1.0|0.0|0.0\n" },
    { "SELECT x, count(*) " ZEROS " GROUP BY ROLLUP(x) ORDER BY x", "NULL|2\n0.0|2\n" },
    { "SELECT DISTINCT CAST(x AS FLOAT) f, 'a' s " ZEROS, "0.0|a\n" },
    { "SELECT DISTINCT struct(x) s, array(x) a " ZEROS, "{0.0}|[0.0]\n" },
    { "SELECT struct(x) s, map('a', array(x)) m " ZEROS " GROUP BY s, m", "{0.0}|{a -> [0.0]}\n" },
    { "SELECT x " ZEROS " UNION SELECT x " ZEROS, "0.0\n" },
    { "SELECT x " ZEROS " INTERSECT SELECT x " ZEROS, "0.0\n" },
    { "SELECT x " ZEROS " EXCEPT SELECT 1.0D", "0.0\n" },
    { "SELECT collect_set(x), collect_set(array(x)), mode(x), sum(DISTINCT x), count(DISTINCT x) " ZEROS,
        "[0.0]|[[0.0]]|0.0|0.0|1\n" },
    { "SELECT x, count(*) OVER (PARTITION BY x) c " ZEROS " ORDER BY CAST(x AS STRING)", "-0.0|2\n0.0|2\n" },
    { "SELECT a.x, b.x FROM VALUES (-0.0D) a(x) JOIN VALUES (0.0D) b(x) ON a.x = b.x", "-0.0|0.0\n" },
    { "SELECT array_distinct(array(-0.0D, 0.0D)), array_union(array(-0.0D), array(0.0D)), array_intersect("
      "array(-0.0D), array(0.0D)), array_except(array(-0.0D, NULL), array(1.0D))", "[0.0]|[0.0]|[0.0]|[0.0, null]\n" },
    { "SELECT map(-0.0D, 1), map_from_arrays(array(-0.0D), array(1)), map_from_entries(array(struct(-0.0F, 1)))",
        "{0.0 -> 1}|{-0.0 -> 1}|{0.0 -> 1}\n" },
    { "SELECT round(-0.0D), bround(-0.0D), round(-0.4D), floor(-0.0D), abs(-0.0D), round(CAST(-0.04 AS FLOAT), 1)",
        "0.0|0.0|0.0|0|0.0|0.0\n" },
};
static const sql_case lists[] = {
    { "SELECT listagg(x, ',') WITHIN GROUP (ORDER BY x), listagg(x, ',') WITHIN GROUP (ORDER BY x DESC), listagg("
      "CAST(x AS STRING), ',') WITHIN GROUP (ORDER BY x), listagg(x, ',') WITHIN GROUP (ORDER BY -x), listagg("
      "CAST(x AS STRING), ',') WITHIN GROUP (ORDER BY CAST(x AS STRING)) FROM VALUES (10), (2), (NULL), (1) t(x)",
        "1,2,10|10,2,1|1,2,10|10,2,1|1,10,2\n" },
    { "SELECT listagg(DISTINCT x, ',') WITHIN GROUP (ORDER BY x), string_agg(DISTINCT CAST(x AS STRING)) WITHIN GROUP "
      "(ORDER BY x DESC) FROM VALUES (10), (2), (1), (2) t(x)", "1,2,10|1021\n" },
    { "SELECT listagg(s, ',') WITHIN GROUP (ORDER BY y, x) FROM VALUES ('a', 2, NULL), ('b', 1, 3), ('c', 1, NULL), "
      "(NULL, 0, 0) t(s, y, x)", "c,b,a\n" },
    { "SELECT listagg(x, ',') WITHIN GROUP (ORDER BY x) FROM VALUES (true), (false) t(x)", "false,true\n" },
    { "SELECT listagg(x, ',') WITHIN GROUP (ORDER BY x) OVER (PARTITION BY x < 5) FROM VALUES (10), (2), (1) t(x)",
        "10\n1,2\n1,2\n" },
    { "SELECT length(listagg(id, '') WITHIN GROUP (ORDER BY id % 7, id)), substr(listagg(id, ',') WITHIN GROUP (ORDER "
      "BY id % 7 DESC, id DESC), 1, 20) FROM range(0, 1000, 1, 3)", "2890|993,986,979,972,965,\n" },
};
static const sql_case no_lists[] = {
    { "SELECT listagg(*) WITHIN GROUP (ORDER BY x) FROM VALUES ('b') t(x)", "WRONG_NUM_ARGS" },
    { "SELECT listagg(t.*) WITHIN GROUP (ORDER BY x) FROM VALUES ('b') t(x)", "INVALID_USAGE_OF_STAR" },
    { "SELECT listagg(x, ',') WITHIN GROUP (ORDER BY x, -x DESC) FROM VALUES (1) t(x)", "such an order of listagg" },
    { "SELECT listagg(DISTINCT x, ',') WITHIN GROUP (ORDER BY -x) FROM VALUES (1) t(x)", "such an order of listagg" },
    { "SELECT listagg(array(x)) WITHIN GROUP (ORDER BY x) FROM VALUES (1) t(x)", "UNEXPECTED_INPUT_TYPE" },
    { "SELECT listagg(struct(x)) WITHIN GROUP (ORDER BY struct(x)) FROM VALUES (1) t(x)", "UNEXPECTED_INPUT_TYPE" },
};
#define PIVOTED "SELECT * FROM (SELECT id % 2 k, id % 3 j, id v FROM range(12)) PIVOT ("

static const sql_case pivots[] = {
    { PIVOTED "count(*) a, max(CAST(v AS STRING)) b FOR j IN (0, 7)) ORDER BY k", "0|2|6|0|NULL\n1|2|9|0|NULL\n" },
    { PIVOTED "count(DISTINCT v) a, max(CAST(v AS STRING)) b, collect_list(v) c FOR j IN (0, 7)) ORDER BY k",
        "0|2|6|[0, 6]|0|NULL|[]\n1|2|9|[3, 9]|0|NULL|[]\n" },
    { PIVOTED "collect_list(v) FOR j IN (0, 7)) ORDER BY k", "0|[0, 6]|[]\n1|[3, 9]|[]\n" },
    { PIVOTED "count(DISTINCT v) FOR j IN (0, 7)) ORDER BY k", "0|2|NULL\n1|2|NULL\n" },
    { PIVOTED "count(*) a, sum(v) b FOR j IN (0, 7)) ORDER BY k", "0|2|6|NULL|NULL\n1|2|12|NULL|NULL\n" },
    { PIVOTED "count(*) + 1 a, max(CAST(v AS STRING)) b FOR j IN (0, 7)) ORDER BY k",
        "0|3|6|1|NULL\n1|3|9|1|NULL\n" },
};
static const sql_case sequences[] = {
    { "SELECT sequence(TIMESTAMP'2020-03-28 02:30:00', TIMESTAMP'2020-03-31 02:30:00', INTERVAL '1' DAY)",
        "[2020-03-28 02:30:00, 2020-03-29 03:30:00, 2020-03-30 02:30:00, 2020-03-31 02:30:00]\n" },
    { "SELECT size(sequence(TIMESTAMP'2020-01-01', TIMESTAMP'2020-07-01', INTERVAL '1' MONTH)), element_at(sequence("
      "TIMESTAMP'2020-07-01', TIMESTAMP'2020-01-01', INTERVAL '-1' MONTH), -1)", "7|2020-01-01 00:00:00\n" },
    { "SELECT sequence(TIMESTAMP'2020-03-31 02:30:00', TIMESTAMP'2020-03-28 02:30:00', INTERVAL '-1' DAY)",
        "[2020-03-31 02:30:00, 2020-03-30 02:30:00, 2020-03-29 03:30:00, 2020-03-28 02:30:00]\n" },
    { "SELECT sequence(TIMESTAMP'2020-03-28 02:30:00', TIMESTAMP'2020-03-30 12:30:00', INTERVAL '25' HOUR)",
        "[2020-03-28 02:30:00, 2020-03-29 04:30:00, 2020-03-30 04:30:00]\n" },
    { "SELECT sequence(TIMESTAMP'2020-10-24 12:30:00', TIMESTAMP'2020-10-26 12:30:00', INTERVAL '12' HOUR)",
        "[2020-10-24 12:30:00, 2020-10-25 00:30:00, 2020-10-25 11:30:00, 2020-10-25 23:30:00, 2020-10-26 11:30:00]\n" },
    { "SELECT sequence(TIMESTAMP'2020-10-24 12:30:00', TIMESTAMP'2020-10-26 12:30:00'), size(sequence(TIMESTAMP_NTZ"
      "'2020-03-28 02:30:00', TIMESTAMP_NTZ'2020-03-31 02:30:00', INTERVAL '1' DAY))",
        "[2020-10-24 12:30:00, 2020-10-25 12:30:00, 2020-10-26 12:30:00]|4\n" },
};
static const sql_case formats[] = {
    { "SELECT length(format_string('%1000d', 1)), length(format_string('%999s', 'a')), length(format_string('%.500f', "
      "1.5D)), format_string('%08.3f|%-8d|%+d|%#x|%5c|% d', -1.5D, 7, 7, 255, 65, 3)",
        "1000|999|502|-001.500|7       |+7|0xff|A| 3\n" },
    { "SELECT format_string('%,d|%,(d|%-,12d|%,12d|% ,d|%+,d|%,012d', -123456789012345, -1234567, 1234567, 1234567, "
      "1234567, 1234567, 1234567)",
        "-123,456,789,012,345|(1,234,567)|1,234,567   |   1,234,567| 1,234,567|+1,234,567|0001,234,567\n" },
    { "SELECT format_string('%f|%010f|%x', double('NaN'), double('-Infinity'), -1)",
        "NaN| -Infinity|ffffffff\n" },
    { "SELECT format_string('%,+.1f|%,015.2f|%(,.2f|%,d|%5d', 1234567.891D, 1234567.891D, -1234567.891D, 12, NULL)",
        "+1,234,567.9|0001,234,567.89|(1,234,567.89)|12| null\n" },
    { "SELECT to_number('.5', '9.9'), to_number('5.', '9.9'), try_to_number('', '999'), try_to_number('.', '9.9')",
        "0.5|5.0|NULL|NULL\n" },
    { "SELECT to_char(0.5, 'S9.9'), to_char(0.5, '$99.9'), to_char(-0.5, 'S9.9'), to_char(0.5, '9.9'), to_char(0.5, "
      "'99.9'), to_char(-0.5, 'S$99.9'), to_char(-0.5, 'MI$9.9'), to_char(0.5, '$9,999.9'), to_char(0.5, 'S9,999.9')",
        " +.5|$ 0.5| -.5|0.5| 0.5|-$ 0.5|-$0.5|$    0.5|     +.5\n" },
    { "SELECT to_char(0.5, 'S0.9'), to_char(0.5, '9.9PR'), to_char(-0.5, '9.9PR'), to_char(0, 'S99'), to_char(0, "
      "'$99'), to_char(12, 'S9999'), to_char(12, '$9999'), to_char(-12, 'S$9999'), to_char(0.5, '9.9S')",
        "+0.5|0.5  | <.5>|  +|$  |  +12|$  12|-$  12|0.5+\n" },
};
static const sql_case no_formats[] = {
    { "SELECT to_number('', '999')", "INVALID_FORMAT.MISMATCH_INPUT" },
    { "SELECT to_number(' ', '999')", "INVALID_FORMAT.MISMATCH_INPUT" },
    { "SELECT to_number('.', '9.9')", "INVALID_FORMAT.MISMATCH_INPUT" },
    { "SELECT to_number('-', 'S999')", "INVALID_FORMAT.MISMATCH_INPUT" },
    { "SELECT format_string('%,x', 1)", "INVALID_PARAMETER_VALUE.PATTERN" },
    { "SELECT format_string('%5,d', 1)", "INVALID_PARAMETER_VALUE.PATTERN" },
    { "SELECT format_string('%,s', 'a')", "INVALID_PARAMETER_VALUE.PATTERN" },
};
static const sql_case zones[] = {
    { "SET TIME ZONE INTERVAL '05:30' HOUR TO MINUTE", "spark.sql.session.timeZone|+05:30\n" },
    { "SELECT TIMESTAMP'2020-01-01 00:00:00Z'", "2020-01-01 05:30:00\n" },
    { "SET TIME ZONE INTERVAL '-05:30' HOUR TO MINUTE", "spark.sql.session.timeZone|-05:30\n" },
    { "SET TIME ZONE INTERVAL '05:30:15' HOUR TO SECOND", "spark.sql.session.timeZone|+05:30:15\n" },
    { "SET TIME ZONE INTERVAL 3 HOURS", "spark.sql.session.timeZone|+03:00\n" },
    { "SET TIME ZONE 'UTC'", "spark.sql.session.timeZone|UTC\n" },
};
static const sql_case no_zones[] = {
    { "SET TIME ZONE INTERVAL '20' HOUR", "TIMEZONE_INTERVAL_OUT_OF_RANGE" },
    { "SET TIME ZONE INTERVAL '1' MONTH", "INVALID_CONF_VALUE.TIME_ZONE" },
};

#define TIMES " FROM VALUES (TIMESTAMP'2020-01-01 00:03:00', 1), (TIMESTAMP'2020-01-01 00:04:59', 2), " \
    "(TIMESTAMP'2020-01-01 00:05:00', 4), (NULL, 8), (TIMESTAMP'1969-12-31 23:59:59', 16) e(ts, x) "
static const sql_case time_windows[] = {
    { "SELECT window, sum(x)" TIMES "GROUP BY window(ts, '5 minutes') ORDER BY 1",
        "{1969-12-31 23:55:00, 1970-01-01 00:00:00}|16\n{2020-01-01 00:00:00, 2020-01-01 00:05:00}|3\n"
        "{2020-01-01 00:05:00, 2020-01-01 00:10:00}|4\n" },
    { "SELECT window.start, window.end, sum(x)" TIMES "GROUP BY window(ts, '5 minutes') HAVING sum(x) < 16 ORDER BY window",
        "2020-01-01 00:00:00|2020-01-01 00:05:00|3\n2020-01-01 00:05:00|2020-01-01 00:10:00|4\n" },
    { "SELECT window(ts, '10 minutes', '10 minutes', '1 minute') w, sum(x)" TIMES "GROUP BY 1 ORDER BY 1",
        "{1969-12-31 23:51:00, 1970-01-01 00:01:00}|16\n{2020-01-01 00:01:00, 2020-01-01 00:11:00}|7\n" },
    { "SELECT window(date(ts), '5 minutes').end w, sum(x)" TIMES "GROUP BY 1 ORDER BY 1",
        "1969-12-31 00:05:00|16\n2020-01-01 00:05:00|7\n" },
    { "SELECT *, window(ts, '1 day') w" TIMES "WHERE x = 4", "2020-01-01 00:05:00|4|{2020-01-01 00:00:00, 2020-01-02 00:00:00}\n" },
    { "SELECT window.start s, count(*)" TIMES "GROUP BY GROUPING SETS ((window(ts, '1 day')), ()) ORDER BY s",
        "NULL|4\n1969-12-31 00:00:00|1\n2020-01-01 00:00:00|3\n" },
};
static const sql_case no_time_windows[] = {
    { "SELECT window(ts, '10 minutes', '5 minutes')" TIMES, "windows that overlap" },
    { "SELECT window(ts, '1 month')" TIMES, "a window of months" },
    { "SELECT window(ts, '-1 minute')" TIMES, "of no length" },
    { "SELECT window(x, '1 minute')" TIMES, "other than a TIMESTAMP" },
    { "SELECT window(ts, 'x')" TIMES, "x" },
    { "SELECT window(ts, INTERVAL 5 MINUTES)" TIMES, "no string" },
    { "SELECT window(ts)" TIMES, "two to four arguments" },
    { "SELECT sum(x)" TIMES "GROUP BY window(ts, '5 minutes'), window(ts, '6 minutes')", "of several lengths" },
    { "SELECT 1" TIMES "WHERE window(ts, '5 minutes') IS NULL", "outside of SELECT" },
    { "SELECT x" TIMES "GROUP BY window(ts, '5 minutes')", "MISSING_AGGREGATION" },
};
#undef TIMES

#define CASES(list) sizeof(list) / sizeof(list)[0], list

static void test_answers(void **state)
{
    (void)state;
    spark_context *sc = spark_context_new(&(spark_conf) { .app_name = "edges", .threads = 1 });
    sql_all_give(sc, 0, CASES(lambdas));
    sql_all_give(sc, 0, CASES(stars));
    sql_all_give(sc, 0, CASES(doubled));
    sql_all_give(sc, 0, CASES(windows));
    sql_all_give(sc, 0, CASES(zeros));
    sql_all_give(sc, 0, CASES(lists));
    sql_all_give(sc, 0, CASES(pivots));
    sql_all_give(sc, 0, CASES(formats));
    sql_all_give(sc, 0, CASES(zones));
    sql_all_give(sc, 0, CASES(time_windows));
    if (spark_rdd_status(spark_sql(sc, "SET TIME ZONE 'Europe/Paris'")) == SPARK_OK) /* else there is no such file */
        sql_all_give(sc, 0, CASES(sequences));
    spark_context_free(sc);
}

/* test_lambdas_memory: what a body needs for an element goes before the budget does; states go on. */
static void test_lambdas_memory(void **state)
{
    (void)state;
    static const sql_case cases[] = {
        { "SELECT size(filter(sequence(1, n), x -> repeat(CAST(x AS string), 200) LIKE '%77%'))", "4592\n" },
        { "SELECT length(array_max(transform(sequence(1, n), (x, i) -> "
          "substr(repeat(concat(x, ' ', i), 300), 1, 10))))",
            "10\n" },
        { "SELECT aggregate(sequence(1, n), named_struct('s', '', 'n', 0L), (a, x) -> named_struct('s', "
          "repeat(concat(right(a.s, 5), x), 100), 'n', a.n + length(a.s)), a -> concat(right(a.s, 9), ':', a.n))",
            "999100000:98887900\n" },
        { "SELECT length(aggregate(sequence(1, 20000), '', (a, x) -> concat(a, x)))", "88894\n" },
        { "SELECT aggregate(map_values(transform_values(map_from_arrays(sequence(1, 50000), sequence(1, 50000)), "
          "(k, v) -> substr(repeat(CAST(v AS string), 2000), 1, 2))), 0L, (a, x) -> a + length(x))",
            "100000\n" },
    };
    spark_context *sc = spark_context_new(
        &(spark_conf) { .app_name = "edges", .threads = 1, .memory_bytes = (uint64_t)48 << 20 });
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char sql[500];
        snprintf(sql, sizeof sql, "%s FROM (SELECT CAST(id + 100000 AS int) n FROM range(1))", cases[i].sql);
        sql_gives(spark_sql(sc, sql), cases[i].want);
    }
    spark_context_free(sc);
}

/* test_limits: what takes long on one row ends when its time has passed. */
static void test_limits(void **state)
{
    (void)state;
    static const char *const long_ones[] = {
        "SELECT levenshtein(concat(repeat('abcd', 100000), id), concat(repeat('bca', 100000), id)) FROM range(1)",
        "SELECT aggregate(sequence(1, 1000000), 0L, (a, x) -> a + size(filter(sequence(1, x), y -> y % 7 = id))) FROM "
        "range(1)",
    };
    for (size_t i = 0; i < sizeof long_ones / sizeof long_ones[0]; i++) {
        spark_context *sc = spark_context_new(
            &(spark_conf) { .app_name = "edges", .threads = 1, .task_max_failures = 1, .task_timeout_ms = 50 });
        assert_null(sql_rows(spark_sql(sc, long_ones[i])));
        assert_int_equal(spark_last_error()->code, SPARK_EDEADLINE);
        spark_context_free(sc);
    }
}

/* deep: array(array(.. of a column, so many levels. */
static const char *deep(size_t n)
{
    static char sql[1000];
    int at = snprintf(sql, sizeof sql, "SELECT ");
    for (size_t i = 0; i < n; i++)
        at += snprintf(sql + at, sizeof sql - (size_t)at, "array(");
    at += snprintf(sql + at, sizeof sql - (size_t)at, "id");
    for (size_t i = 0; i < n; i++)
        at += snprintf(sql + at, sizeof sql - (size_t)at, ")");
    snprintf(sql + at, sizeof sql - (size_t)at, " FROM range(1)");
    return sql;
}

static void test_deep(void **state)
{
    (void)state;
    spark_context *sc = spark_context_new(&(spark_conf) { .app_name = "edges", .threads = 1 });
    static const char *const more[] = { "SELECT size(x) FROM (%s) t(x) GROUP BY x", "SELECT x FROM (%s) t(x) ORDER BY x",
        "SELECT size(collect_list(x)) FROM (%s) t(x)", "SELECT max(x) FROM (%s) t(x)",
        "SELECT size(collect_set(x) OVER (ORDER BY x)) FROM (%s) t(x)", "SELECT DISTINCT x FROM (%s) t(x)" };
    char sql[1200];
    char *rows = sql_answer(sc, deep(109));
    assert_int_equal(strlen(rows), 2 * 109 + 2);
    free(rows);
    for (size_t n = 110; n < 120; n++)
        sql_all_fail(sc, 1, &(sql_case) { deep(n), "a type of more than 110 levels" });
    for (size_t i = 0; i < sizeof more / sizeof more[0]; i++) /* what is made of such columns is deeper still */
        for (size_t n = 33; n < 112; n += n < 105 ? 24 : 1) {
            snprintf(sql, sizeof sql, more[i], deep(n));
            if (n < 107)
                free(sql_answer(sc, sql));
            else if ((rows = sql_rows(spark_sql(sc, sql))) == NULL)
                assert_non_null(strstr(spark_last_error()->message, "a type of more than 110 levels"));
            else
                free(rows);
        }
    spark_context_free(sc);
}

static void test_refused(void **state)
{
    (void)state;
    spark_context *sc = spark_context_new(&(spark_conf) { .app_name = "edges", .threads = 1 });
    sql_all_fail(sc, CASES(no_lambdas));
    sql_all_fail(sc, CASES(no_stars));
    sql_all_fail(sc, CASES(no_conditions));
    sql_all_fail(sc, CASES(no_windows));
    sql_all_fail(sc, CASES(no_lists));
    sql_all_fail(sc, CASES(no_formats));
    sql_all_fail(sc, CASES(no_zones));
    sql_all_fail(sc, CASES(no_time_windows));
    spark_context_free(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_lambdas_memory),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_deep),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
