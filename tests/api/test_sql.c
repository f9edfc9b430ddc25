/* SPDX-License-Identifier: Apache-2.0 */
/* SQL over RDDs: a statement and what Spark prints for it, a table of them, each with several masters,
 * batch sizes and a plan of faults; and what a user does around statements. */
#include "../support/sql_test.h"


SPARK_STRUCT(sale, (int64_t, id), (spark_str, city), (double, amount));

static const sale sales[] = { { 1, { "Oslo", 4 }, 10 }, { 2, { "Rome", 4 }, 2.5 }, { 3, { "Oslo", 4 }, 4 },
    { 4, { "Bonn", 4 }, 1 }, { 5, { "Rome", 4 }, 7 } };

/* Statements with an order, or of one row; what comes out is Spark's. */
static const sql_case cases[] = {
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
    { "SELECT id IN (SELECT 1 UNION SELECT 5) i, count(*) FROM sales GROUP BY ROLLUP (id IN (SELECT 1 UNION SELECT 5)) ORDER BY 1",
        "NULL|5\nfalse|3\ntrue|2\n" },
    { "SELECT transform(array(id % 2, 5), v -> v + 1) a, count(*) FROM sales GROUP BY transform(array(id % 2, 5), v -> v + 1) "
      "ORDER BY 2",
        "[1, 6]|2\n[2, 6]|3\n" },
    { "SELECT exists(array(id), v -> v > 3) a, count(*) FROM sales GROUP BY 1 ORDER BY 1", "false|3\ntrue|2\n" },
    { "SELECT exists(array(id), v -> v > 3) a, count(*) FROM sales GROUP BY ALL ORDER BY 1", "false|3\ntrue|2\n" },
    { "SELECT sum(aggregate(array(id), 0L, (s, v) -> s + v)) x FROM sales HAVING x = sum(aggregate(array(id), 0L, (a, b) -> a + b))",
        "15\n" },
    { "SELECT count(*) FROM sales GROUP BY exists(array(id), v -> v > 3) HAVING exists(array(id), w -> w > 3)", "2\n" },
    { "SELECT if(id > (SELECT avg(id) FROM sales), 'more', 'less') k, count(*) FROM sales GROUP BY 1 ORDER BY 1", "less|3\nmore|2\n" },
    { "SELECT if(id > (SELECT avg(id) FROM sales), 'more', 'less') k, count(*) FROM sales GROUP BY ALL ORDER BY 1",
        "less|3\nmore|2\n" },
    { "SELECT if(id > (SELECT avg(id) FROM sales), 'more', 'less') k, count(*) FROM sales GROUP BY k ORDER BY 1",
        "less|3\nmore|2\n" },
    { "SELECT id, row_number() OVER (ORDER BY city, id, id + 1, id + 2, id + 3, id + 4, id + 5, id + 6, id + 7, id + 8, id + 9, id + 10, "
      "id + 11, id + 12, id + 13, id + 14, id + 15, id + 16, id + 17, id + 18, id + 19, id + 20, id + 21, id + 22, id + 23, id + 24) r "
      "FROM sales ORDER BY r",
        "4|1\n1|2\n3|3\n2|4\n5|5\n" },
    { "WITH q AS (SELECT city c, sum(amount) s, count(*) n FROM sales GROUP BY city) SELECT x.c, y.s, (SELECT max(n) FROM q) "
      "FROM q x JOIN q y ON x.c = y.c ORDER BY 1",
        "Bonn|1.0|2\nOslo|14.0|2\nRome|9.5|2\n" },
    { "WITH q AS (SELECT id FROM sales ORDER BY id LIMIT 3) SELECT (SELECT count(*) FROM q), (SELECT max(id) FROM q), id FROM q "
      "ORDER BY id DESC LIMIT 1",
        "3|3|3\n" },
    { "WITH q AS (SELECT a.id i, b.amount m FROM sales a JOIN sales b ON a.id = b.id) SELECT i FROM q UNION ALL SELECT CAST(m AS "
      "BIGINT) FROM q ORDER BY 1",
        "1\n1\n2\n2\n3\n4\n4\n5\n7\n10\n" },
    { "SELECT /*+ BROADCAST(a), COALESCE(2) */ count(*) FROM sales a JOIN sales b ON a.city = b.city", "9\n" },
    { "SELECT /*+ MERGE(a, b) */ count(*) FROM sales a JOIN sales b ON a.city = b.city", "9\n" },
    { "SELECT a.id, b.id FROM sales a LEFT JOIN sales b ON a.id = b.id + 3 WHERE b.amount > 1 OR b.city = 'Oslo' ORDER BY 1",
        "4|1\n5|2\n" },
    { "SELECT k, sum(x + 1), sum(x - 2), sum(3 + x), sum(x), count(*) FROM (SELECT id % 2 = 0 k, CAST(nullif(id, 4) AS SMALLINT) x FROM "
      "sales) GROUP BY k ORDER BY k",
        "false|12|3|18|9|3\ntrue|3|0|5|2|2\n" },
    { "SELECT sum(x + 1), sum(x + 2), sum(x + 3) FROM (SELECT CAST(id AS TINYINT) x FROM sales WHERE id > 9)", "NULL|NULL|NULL\n" },
    { "SELECT sum(x + 1), sum(x + 2), sum(x + 3), sum(x + 2147483647) FROM (SELECT CAST(-id AS SMALLINT) x FROM sales)",
        "-10|-5|0|10737418220\n" },
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
    { "SELECT CAST(4.9E-324D AS STRING), CAST(2E-323D AS STRING), CAST(float('1.4E-45') AS STRING), "
      "get_json_object('{\"a\":[4.9E-324]}', '$.a'), double('-inf'), double('nan'), double('-0.0'), 1e7D, 1.5e-5D",
        "4.9E-324|2.0E-323|1.4E-45|[4.9E-324]|-Infinity|NaN|-0.0|1.0E7|1.5E-5\n" },
    { "SELECT explode(array(a, a + 1)) FROM VALUES (1, 'x'), (5, 'y') t(a, b)", "1\n2\n5\n6\n" },
    { "SELECT inline(array(struct(a, 'p'), struct(a, 'q'))) FROM VALUES (1, 1), (2, 2) t(a, b)",
        "1|p\n1|q\n2|p\n2|q\n" },
    { "SELECT posexplode(map(a, 'v')) FROM VALUES (1, 'x') t(a, b)", "0|1|v\n" },
    { "SELECT stack(2, 1, 'a', 2, 'b'), b FROM VALUES ('x') t(b)", "1|a|x\n2|b|x\n" },
    { "SELECT * EXCEPT (s.p, b) FROM VALUES (1, struct(7 AS p, 8 AS q), 3) t(a, s, b)", "1|{8}\n" },
    { "SELECT struct(*), rand() = rand() FROM VALUES (1, 2) t(a, b)", "{1, 2}|false\n" },
    { "SELECT x, max(x) OVER (ORDER BY x RANGE BETWEEN 1 PRECEDING AND 1.1 FOLLOWING) FROM VALUES (-3), (-1), (0) t(x) "
      "ORDER BY x",
        "-3|-3\n-1|0\n0|0\n" },
    { "SELECT json_tuple('{\"a\": 1, \"b\": \"x\"}', 'b', 'a', 'c')", "x|1|NULL\n" },
    { "SELECT * FROM (SELECT city, amount, id % 2 k FROM sales) PIVOT (sum(amount) AS s, count(*) AS n FOR k IN (0 AS even, 1 AS odd)) "
      "ORDER BY city",
        "Bonn|1.0|1|NULL|NULL\nOslo|NULL|NULL|14.0|2\nRome|2.5|1|7.0|1\n" },
    { "SELECT * FROM VALUES ('x', 1, NULL), ('y', 3, 4) t(k, a, b) UNPIVOT (v FOR c IN (a, b AS bee)) ORDER BY k, c",
        "x|a|1\ny|a|3\ny|bee|4\n" },
    { "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT n FROM t LIMIT 3", "1\n2\n3\n" },
    { "SELECT transform(array(1, 2), 0), filter(array(1, 2), x -> x > 1)", "[0, 0]|[2]\n" },
    { "SELECT trim(BOTH 'x' FROM 'xxaxx'), trim(LEADING 'xy' FROM 'xyabxy'), trim(TRAILING 'xy' FROM 'xyabxy')",
        "a|abxy|xyab\n" },
    { "SELECT count(*) c FROM VALUES (map(1, 2, 3, 4)), (map(3, 4, 1, 2)), (map(1, 2)) t(m) GROUP BY m ORDER BY c",
        "1\n2\n" },
    { "SELECT city, count(*) FROM sales s GROUP BY city HAVING EXISTS (SELECT 1 FROM VALUES (2) t(n) "
      "WHERE n = count(s.id)) ORDER BY city",
        "Oslo|2\nRome|2\n" },
    { "SELECT sum(amount) s FROM sales GROUP BY id % 2 + 1 ORDER BY 1 + id % 2", "3.5\n21.0\n" },
    { "SELECT max(id), 2 AS k FROM sales GROUP BY id % k ORDER BY 1", "4|2\n5|2\n" },
    { "SELECT upper(city) u, concat(upper(city), '!') v, count(*) FROM sales GROUP BY concat(u, '!'), u ORDER BY u LIMIT 1",
        "BONN|BONN!|1\n" },
    { "SELECT id % 2 p, id % 3 p, count(*) FROM sales GROUP BY id % 2, id % 3, p + 1 ORDER BY 1, 2",
        "0|1|1\n0|2|1\n1|0|1\n1|1|1\n1|2|1\n" },
    { "SELECT max_by(id, id % 3), min_by(id, id % 3), max_by(id, NULL) FROM range(0, 100, 1, 4)", "98|99|NULL\n" },
    { "SELECT id % 2, max_by(id, id % 3), min_by(id, id % 3) FROM range(0, 100, 1, 3) GROUP BY 1 ORDER BY 1",
        "0|98|96\n1|95|99\n" },
    { "SELECT a, max_by(b, c) OVER (ORDER BY a), min_by(b, c) OVER (ORDER BY a ROWS 1 PRECEDING) "
      "FROM VALUES (1, 'x', 1), (2, 'y', 1), (3, 'z', 1) t(a, b, c)",
        "1|x|x\n2|y|y\n3|z|z\n" },
    { "SELECT sum(id) FROM sales HAVING sum(id) - 15", "" },
    { "SELECT histogram_numeric(id % 2, 3) FROM sales", "[{0, 2.0}, {1, 3.0}]\n" },
    { "FROM sales |> WHERE amount > 3 |> EXTEND amount * 2 AS twice |> SET twice = twice + 1 |> DROP amount "
      "|> AGGREGATE sum(twice) AS s GROUP BY city |> ORDER BY s DESC |> LIMIT 1",
        "Oslo|30.0\n" },
    { "TABLE sales |> AS s |> JOIN (VALUES ('Oslo', 1)) AS t(c, k) ON s.city = t.c |> SELECT s.id, t.k "
      "|> UNION ALL VALUES (9, 9) |> ORDER BY id",
        "1|1\n3|1\n9|9\n" },
    { "SELECT city, grouping__id g, count(*) FROM sales GROUP BY ROLLUP (city) HAVING grouping__id > 0", "NULL|1|5\n" },
    { "SELECT rand(0), randstr(10, 0), uniform(10, 20, 0), uniform(0, 10.0D, 0)",
        "0.7604953758285915|ceV0PXaR2I|17|7.604953758285915\n" },
    { "SELECT count(DISTINCT a), count(DISTINCT b) FROM (SELECT rand(5) a, monotonically_increasing_id() b "
      "FROM range(0, 3000, 1, 7))",
        "3000|3000\n" },
    { "SELECT sum(a), max(b) FROM (SELECT CAST(rand(7) * 1000 AS BIGINT) a, randstr(3, 7) b FROM range(0, 4000, 1, 3))",
        "1977897|zzL\n" },
    /* Each row has numbers of its own where a task runs several partitions: Spark's. */
    { "SELECT count(*), sum(m), sum(CAST(r * 1000 AS BIGINT)) FROM (SELECT monotonically_increasing_id() m, rand(7) r "
      "FROM range(0, 100, 1, 4) LIMIT 60)",
        "60|386547057285|31386\n" },
    { "SELECT count(*), sum(m), sum(CAST(r * 1000 AS BIGINT)) FROM (SELECT monotonically_increasing_id() m, rand(7) r "
      "FROM range(0, 100, 1, 4) UNION ALL SELECT monotonically_increasing_id(), rand(7) FROM range(0, 100, 1, 3))",
        "200|2156073585409|102848\n" },
    { "SELECT count(DISTINCT u) FROM (SELECT uuid() u FROM range(0, 100, 1, 4) LIMIT 60)", "60\n" },
    { "SELECT count(DISTINCT u) FROM (SELECT explode(array(uuid(), '')) u FROM range(0, 100, 1, 4))", "101\n" },
    { "WITH q AS (SELECT rand() u FROM range(40)) SELECT count(*) FROM ((SELECT * FROM q LIMIT 3) UNION SELECT * FROM q)",
        "40\n" },
    { "SELECT id FROM range(3) ORDER BY id DESC", "2\n1\n0\n" },
    { "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n * 2 FROM t WHERE n < 20) SELECT n FROM t ORDER BY n",
        "1\n2\n4\n8\n16\n32\n" },
    { "SELECT id FROM sales WHERE NOT (city NOT IN (SELECT 'Oslo' UNION ALL SELECT NULL)) ORDER BY id", "1\n3\n" },
    { "SELECT sum(10 / (id - 1)) FILTER (WHERE id > 1) FROM sales WHERE id < 4", "15.0\n" },
    { "SELECT format_number(12332.123456, '#,##0.0'), format_number(1, '##################.###'), format_number(-1234.5, "
      "'#,##0.00;(#,##0.00)'), format_number(0.256, '0.0%'), format_number(0.5, '.00'), format_number(12.5, '0 \"x\"'), "
      "format_number(1234567, '####,####'), format_number(-0.4D, '000.'), format_number(2.5D, ''), format_number(-0.4, 0)",
        "12,332.1|1|(1,234.50)|25.6%|.50|12 \"x\"|123,4567|-000.|2|-0\n" },
    { "SELECT format_number(x, f) FROM VALUES (1234.5, '#,##0.0'), (1.0, '0'), (null, '0'), (99.99, '#.#') t(x, f)",
        "1,234.5\n1\nNULL\n100\n" },
    { "SELECT CAST(a AS STRING) FROM VALUES (9), (10), (100) t(a) ORDER BY a", "10\n100\n9\n" },
    { "SELECT CAST(a AS STRING) FROM VALUES (9), (10), (100) t(a) ORDER BY t.a", "9\n10\n100\n" },
    { "SELECT CAST(a AS STRING), a FROM VALUES (9), (10), (100) t(a) ORDER BY a", "9|9\n10|10\n100|100\n" },
    { "SELECT CAST(a AS STRING), count(*) FROM VALUES (9), (10), (100) t(a) GROUP BY a HAVING a > 9 ORDER BY a", "10|1\n100|1\n" },
    { "SHOW FUNCTIONS LIKE 'date_a*'", "date_add\n" },
    { "SELECT array_sort(array('bc', 'ab', 'dc', 'a'), (l, r) -> length(l) - length(r)), array_sort(array(3, null, 1, 2), "
      "(x, y) -> CASE WHEN x IS NULL THEN 1 WHEN y IS NULL THEN -1 ELSE y - x END)",
        "[a, bc, ab, dc]|[3, 2, 1, null]\n" },
    { "SELECT array_sort(a, (x, y) -> (x - k) % 3 - (y - k) % 3) FROM VALUES (array(5, 4, 3, 2, 1, 0, 7), 0), (array(1), 2), "
      "(array(), 1), (null, 3), (array(3, 4, 8, 1), 1) t(a, k)",
        "[3, 0, 4, 1, 7, 5, 2]\n[1]\n[]\nNULL\n[4, 1, 8, 3]\n" },
    { "SELECT transform(a, s -> array_sort(s, (x, y) -> y - x)) FROM VALUES (array(array(1, 2, 3), array(4, 9))) t(a)",
        "[[3, 2, 1], [9, 4]]\n" },
    { "SELECT CAST('12' AS INT) + 1, 1.5 + 1, 7 / 2, 7 div 2", "13|2.5|3.5|3\n" },
};

static spark_context *open_context(size_t variant)
{
    static const sql_kind kind = { .name = "sql", .batch_rows = 1, .max_failures = 20, .seed = 7 };
    spark_context *sc = sql_open(&kind, variant);
    assert_int_equal(
        spark_create_temp_view(sc, "sales", spark_parallelize(sc, SPARK_DATA(sale, 5, sales), 3)), SPARK_OK);
    return sc;
}

static void test_statements(void **state)
{
    (void)state;
    for (size_t variant = 0; variant < SQL_VARIANTS; variant++) {
        spark_context *sc = open_context(variant);
        sql_all_give(sc, variant, sizeof cases / sizeof cases[0], cases);
        spark_context_free(sc);
    }
}

static const sql_case wrong[] = {
    { "SELEC 1", "[PARSE_SYNTAX_ERROR] Syntax error at or near 'SELEC'. SQLSTATE: 42601 (line 1, position 1 to 5)" },
    { "SELECT cty FROM sales", "[UNRESOLVED_COLUMN.WITH_SUGGESTION]" },
    { "SELECT DISTINCT map(1, 2) AS m", "[UNSUPPORTED_FEATURE.SET_OPERATION_ON_MAP_TYPE] The feature is not supported: "
        "Cannot have MAP type columns in a set operation (INTERSECT, EXCEPT, etc.), but the type of column `m` is "
        "\"MAP<INT, INT>\". SQLSTATE: 0A000" },
    { "SELECT 1, array(map(1, 2)) AS m UNION SELECT 2, array(map(3, 4))", "`m` is \"ARRAY<MAP<INT, INT>>\"" },
    { "SELECT map(1, 2) AS m INTERSECT ALL SELECT map(1, 2)", "SET_OPERATION_ON_MAP_TYPE]" },
    { "SELECT named_struct('a', map(1, 2)) AS s EXCEPT SELECT named_struct('a', map(1, 2))",
        "SET_OPERATION_ON_MAP_TYPE]" },
    { "SELECT 1 AS a UNION ALL (SELECT DISTINCT map(1, 2))", "SET_OPERATION_ON_MAP_TYPE]" },
    { "SELECT cty FROM sales", "`city`" },
    { "SELECT array_sort(array(3, 1), (x, y) -> nullif(x, x))", "returned a NULL for a comparison between 3 and 1." },
    { "SELECT format_number(7, '0.0.0')", "not supported: the format '0.0.0' of format_number." },
    { "SELECT format_number(7, '0.0E0')", "not supported: the format '0.0E0' of format_number." },
    { "SELECT array_sort(array(3, 1), (x, y) -> x > y)", "requires return \"INT\" type, but the actual is \"BOOLEAN\"" },
    { "SELECT array_sort(array(3, 1), x -> 1)", "expects 1 arguments, but got 2." },
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
    sql_all_fail(sc, sizeof wrong / sizeof wrong[0], wrong);
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
    sql_gives(spark_sql(sc, "SELECT * FROM kept ORDER BY city"), "Oslo|2\nRome|2\n");
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
    sql_gives(spark_sql_with(
        sc, "SELECT id FROM sales WHERE amount > :least AND city = :city ORDER BY id", 2, named), "5\n");
    const spark_sql_parameter placed[]
        = { { NULL, SPARK_TYPE(int64_t), &least }, { NULL, SPARK_TYPE(spark_str), NULL } };
    sql_gives(spark_sql_with(sc, "SELECT ? + 1, ?", 2, placed), "4|NULL\n");
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
        sql_run(sc, statements[i]);
    sql_gives(spark_sql(sc, "SELECT * FROM v ORDER BY a"), "1|x\n3|z\n");
    sql_gives(spark_sql(sc, "DESCRIBE t"), "a|int|NULL\nb|string|NULL\n");
    assert_int_equal(spark_rdd_status(spark_sql(sc, "DROP TABLE t")), SPARK_OK);
    assert_int_not_equal(spark_rdd_status(spark_sql(sc, "DROP TABLE t")), SPARK_OK);
    spark_context_free(sc);
}

/* test_databases: tables of databases; and values in which something may be NULL that a table's column has
 * no NULL for, and the other way round. */
static void test_databases(void **state)
{
    (void)state;
    spark_context *sc = open_context(0);
    static const char *const made[] = { "CREATE DATABASE shop", "CREATE TABLE shop.t (a INT) USING csv",
        "INSERT INTO shop.t VALUES (7)", "CREATE TABLE t (a INT) USING csv", "INSERT INTO t VALUES (1)",
        "CREATE TABLE n (m MAP<INT, INT>, s STRUCT<p: INT, q: STRING>, l ARRAY<INT>) USING csv",
        "INSERT INTO n VALUES (map(1, 2), struct(7, 'x'), array(1, 2))" };
    for (size_t i = 0; i < sizeof made / sizeof made[0]; i++)
        sql_run(sc, made[i]);
    sql_gives(spark_sql(sc, "SELECT * FROM n"), "{1 -> 2}|{7, x}|[1, 2]\n");
    sql_gives(spark_sql(sc, "SELECT default.t.a, shop.t.a FROM t, shop.t"), "1|7\n");
    sql_gives(spark_sql(sc, "SELECT a FROM t"), "1\n");
    sql_run(sc, "USE shop");
    sql_gives(spark_sql(sc, "SELECT spark_catalog.shop.t.a, default.t.a FROM t, default.t"), "7|1\n");
    sql_run(sc, "DROP DATABASE shop CASCADE");
    sql_gives(spark_sql(sc, "SELECT a FROM t"), "1\n");
    assert_int_not_equal(spark_rdd_status(spark_sql(sc, "SELECT * FROM shop.t")), SPARK_OK);
    assert_int_not_equal(spark_rdd_status(spark_sql(sc, "USE shop")), SPARK_OK);
    spark_context_free(sc);
}

/* test_zones: of statements; a name that is none is refused, and nothing changes. */
static void test_zones(void **state)
{
    (void)state;
    spark_context *sc = open_context(0);
    sql_run(sc, "SET TIME ZONE '+02:00'");
    sql_gives(spark_sql(sc, "SELECT timestamp_seconds(0), current_timezone()"), "1970-01-01 02:00:00|+02:00\n");
    assert_int_not_equal(spark_rdd_status(spark_sql(sc, "SET TIME ZONE 'No/Where'")), SPARK_OK);
    sql_gives(spark_sql(sc, "SELECT CAST(timestamp_seconds(0) AS STRING)"), "1970-01-01 02:00:00\n");
    if (spark_rdd_status(spark_sql(sc, "SET TIME ZONE 'Europe/Paris'")) == SPARK_OK)
        sql_gives(spark_sql(sc, "SELECT timestamp'2024-03-30 12:00:00' + INTERVAL 1 DAY, "
                                "timestamp'2024-03-30 12:00:00' + INTERVAL 24 HOURS, "
                                "date_format(timestamp'2024-07-01 00:00:00', 'XXX')"),
            "2024-03-31 12:00:00|2024-03-31 12:00:00|+02:00\n");
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

/* test_types: tables, views and results keep types as they are: what is never NULL inside, names that need
 * quotes, types whose text is long. */
static void test_types(void **state)
{
    (void)state;
    spark_context *sc = open_context(0);
    char text[16000];
    static const char *const made[] = { "array(1)", "split('a,b', ',')",
        "named_struct('a b', 1, 'c`d', array('x'))", "map(1, named_struct('a', 1L))", "array(array(2.5))" };
    for (size_t i = 0; i < sizeof made / sizeof made[0]; i++) {
        (void)snprintf(text, sizeof text, "SELECT %s x", made[i]);
        char *rows = sql_rows(spark_sql(sc, text));
        assert_non_null(rows);
        assert_int_equal(spark_create_temp_view(sc, "v", spark_sql(sc, text)), SPARK_OK);
        sql_gives(spark_sql(sc, "SELECT * FROM v"), rows);
        assert_int_equal(spark_rdd_status(spark_sql(sc, "CACHE TABLE v")), SPARK_OK);
        sql_gives(spark_sql(sc, "SELECT x FROM v"), rows);
        (void)snprintf(text, sizeof text, "CREATE TABLE t%zu AS SELECT %s x", i, made[i]);
        assert_int_equal(spark_rdd_status(spark_sql(sc, text)), SPARK_OK);
        (void)snprintf(text, sizeof text, "SELECT * FROM t%zu", i);
        sql_gives(spark_sql(sc, text), rows);
        free(rows);
    }
    size_t n = (size_t)sprintf(text, "CREATE TABLE wide AS SELECT named_struct(");
    for (int i = 0; i < 100; i++)
        n += (size_t)sprintf(text + n, "%s'member_number_%d', %d", i ? ", " : "", i, i);
    strcpy(text + n, ") x");
    assert_int_equal(spark_rdd_status(spark_sql(sc, text)), SPARK_OK);
    sql_gives(spark_sql(sc, "SELECT x.member_number_99, length(typeof(x)) > 1800 FROM wide"), "99|true\n");
    assert_true(strlen(spark_sql_type(spark_sql(sc, "SELECT * FROM wide"), 0)) > 1800);
    spark_context_free(sc);
}

/* test_constants: thousands of constants that are computed once take no memory each but their own. */
static void test_constants(void **state)
{
    (void)state;
    spark_context *sc = spark_context_new(
        &(spark_conf) { .app_name = "sql", .threads = 2, .memory_bytes = (uint64_t)64 << 20 });
    enum { ROWS = 5000 };
    char *text = malloc(ROWS * 64 + 200);
    assert_non_null(text);
    size_t n = (size_t)sprintf(text, "SELECT count(*), max(a), min(b) FROM VALUES ");
    for (int i = 0; i < ROWS; i++)
        n += (size_t)sprintf(text + n, "%s(upper('a%04d'), -%d, date'2020-01-01' + 1)", i ? ", " : "", i, i);
    strcpy(text + n, " t(a, b, c)");
    sql_gives(spark_sql(sc, text), "5000|A4999|-4999\n");
    spark_context_free(sc);
    sc = spark_context_new(&(spark_conf) { .app_name = "sql", .threads = 2, .memory_bytes = (uint64_t)4 << 20 });
    assert_int_equal(spark_rdd_status(spark_sql(sc, text)), SPARK_ENOMEM);
    if (!strstr(spark_last_error()->message, "spark_conf.memory_bytes is 4194304"))
        fail_msg("%s", spark_last_error()->message);
    free(text);
    spark_context_free(sc);
}

/* test_nothing: arguments that are NULL. */
static void test_nothing(void **state)
{
    (void)state;
    spark_context *sc = open_context(0);
    spark_array rows;
    char text[8];
    assert_int_equal(spark_rdd_status(spark_sql_with(sc, "SELECT ?", 1, NULL)), SPARK_EINVAL);
    assert_non_null(strstr(spark_last_error()->message, "1 parameters, but they are NULL"));
    spark_rdd *one = spark_sql(sc, "SELECT 42");
    assert_int_equal(spark_collect(one, NULL, &rows), SPARK_OK);
    assert_true(spark_sql_text(one, spark_row_of(&rows, 0), 0, text, sizeof text, NULL));
    assert_string_equal(text, "42");
    assert_false(spark_sql_text(one, NULL, 0, text, sizeof text, NULL));
    spark_array_free(&rows);
    spark_context_free(sc);
}

/* test_memory: what a join keeps of its right side, and what a table holds, is in the budget. */
static void test_memory(void **state)
{
    (void)state;
    spark_context *sc = spark_context_new(
        &(spark_conf) { .app_name = "sql", .threads = 2, .memory_bytes = (uint64_t)64 << 20 });
    static const char *const much[] = {
        "SELECT count(*) FROM range(10) a LEFT JOIN range(9000000) b ON a.id > b.id + 9000000",
        "SELECT max(s) FROM range(2) a LEFT JOIN (SELECT id i, '' || id s FROM range(3000000)) ON a.id < i AND s <> 'x'",
        "INSERT INTO t SELECT id FROM range(9000000)",
    };
    assert_int_equal(spark_rdd_status(spark_sql(sc, "CREATE TABLE t (a BIGINT) USING csv")), SPARK_OK);
    for (size_t i = 0; i < sizeof much / sizeof much[0]; i++) {
        char *rows = sql_rows(spark_sql(sc, much[i]));
        if (rows)
            fail_msg("%s: %s", much[i], rows);
        if (spark_last_error()->code != SPARK_ENOMEM)
            fail_msg("%s: %s", much[i], spark_last_error()->message);
        sql_gives(spark_sql(sc, "SELECT count(*) FROM range(100) a JOIN range(100) b ON a.id = b.id"), "100\n");
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
        cmocka_unit_test(test_databases), cmocka_unit_test(test_zones), cmocka_unit_test(test_next),
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_constants),
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_deep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
