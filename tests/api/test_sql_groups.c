/* SPDX-License-Identifier: Apache-2.0 */
/* GROUP BY of SQL beside loops: keys of several types and numbers, from one to more than a window of the map side
 * holds, with NULLs and filters; the same bytes for any number of threads, batch size, budget and faults. */
#include "../support/oracle.h"
#include "../support/sql_test.h"

#include <time.h>

/* keys: as SQL makes them of a number below `values` (NULL where that is a multiple of 50). */
static const struct {
    const char *sql, *by;
} keys[] = {
    { "n k", "k" },
    { "CAST(n AS INT) k", "k" },
    { "CAST(n AS STRING) k", "k" },
    { "'a text that is longer than two words ' || n k", "k" },
    { "CAST(n AS DECIMAL(38, 3)) k", "k" },
    { "CAST(n AS DOUBLE) / 4 k", "k" },
    { "n k, n % 3 = 0 b, DATE'2020-01-01' + CAST(n % 1000 AS INT) d, 's' || n % 7 s", "k, b, d, s" },
};

/* group: what it comes to. */
typedef struct group {
    int64_t n, sum, least, most, filtered;
} group;

/* shapes: keys that come again far away, in the next rows, and in the next rows among some that come all the time. */
enum { FAR, NEXT, AMONG, SHAPES };
static const char *const shapes[SHAPES]
    = { "(id * 7919 + id div 1000)", "(id div 5)", "IF(id % 3 = 0, id * 7919 % 100, id div 4 + 100)" };

static int64_t key_of(int shape, int64_t i, int64_t values)
{
    const int64_t x[SHAPES] = { i * 7919 + i / 1000, i / 5, i % 3 == 0 ? i * 7919 % 100 : i / 4 + 100 };
    return x[shape] % values;
}

/* wanted: a line for each group, in the order of the keys, NULL first. */
static char *wanted(int shape, int64_t rows, int64_t values)
{
    group *groups = calloc((size_t)values + 1, sizeof *groups); /* 0: NULL */
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    assert_non_null(groups);
    assert_non_null(file);
    for (int64_t i = 0; i < rows; i++) {
        const int64_t n = key_of(shape, i, values);
        group *g = &groups[n % 50 == 0 ? 0 : n + 1];
        g->least = g->n == 0 || i < g->least ? i : g->least;
        g->most = g->n == 0 || i > g->most ? i : g->most;
        g->n++;
        g->sum += i;
        g->filtered += i % 3 == 0;
    }
    for (int64_t n = 0; n <= values; n++) {
        const group *g = &groups[n];
        if (g->n)
            fprintf(file, "%lld|%lld|%lld|%lld|%lld\n", (long long)g->n, (long long)g->sum, (long long)g->least,
                (long long)g->most, (long long)g->filtered);
    }
    fclose(file);
    free(groups);
    return text;
}

/* source: the rows that are grouped. */
static void source(char *text, size_t size, int shape, size_t key, int64_t rows, int64_t values)
{
    snprintf(text, size,
        "SELECT %s, n, v FROM (SELECT IF(x %% 50 = 0, NULL, x) n, v FROM (SELECT %s %% %lld x, id v FROM range(0, %lld, "
        "1, 3)))",
        keys[key].sql, shapes[shape], (long long)values, (long long)rows);
}

/* query: sorted: in the order of the numbers; else as the groups come. table: what `source` gives, or holds that. */
static void query(char *text, size_t size, size_t key, const char *table, bool sorted)
{
    snprintf(text, size,
        "SELECT c, s, l, m, f FROM (SELECT count(*) c, sum(v) s, min(v) l, max(v) m, count(v) FILTER (WHERE v "
        "%% 3 = 0) f, min(n) o FROM (%s) GROUP BY %s)%s",
        table, keys[key].by, sorted ? " ORDER BY o" : "");
}

static const sql_kind kind
    = { .name = "groups", .master = "local-cluster[2,1,256]", .batch_rows = 7, .max_failures = 20, .seed = 3 };

static void test_keys(void **state)
{
    (void)state;
    static const int64_t values[] = { 1, 2, 60, 3000, 100000 };
    spark_context *sc = sql_open(&kind, 0);
    for (size_t v = 0; v < sizeof values / sizeof values[0]; v++) {
        char *want = wanted(FAR, 120000, values[v]);
        for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++) {
            char sql[1500], table[1000];
            source(table, sizeof table, FAR, k, 120000, values[v]);
            query(sql, sizeof sql, k, table, true);
            char *have = sql_answer(sc, sql);
            if (strcmp(have, want) != 0)
                fail_msg("%s: %.300s, wanted %.300s", sql, have, want);
            free(have);
        }
        free(want);
    }
    spark_context_free(sc);
}

/* test_near: rows that are combined with others of their batch, without a table, unless some keys come all the time: of
 * a step, and of blocks. Little more goes on than each partition has keys. */
static void test_near(void **state)
{
    (void)state;
    enum { ROWS = 300000, VALUES = 250000 };
    static const sql_kind wide = { .name = "groups", .master = "local[2]", .batch_rows = 1000 };
    spark_context *sc = sql_open(&wide, 0);
    for (int shape = NEXT; shape < SHAPES; shape++) {
        char *want = wanted(shape, ROWS, VALUES);
        for (size_t k = 0; k < 2 * sizeof keys / sizeof keys[0]; k++) {
            char sql[1500], table[1000], cache[1100];
            source(table, sizeof table, shape, k / 2, ROWS, VALUES);
            snprintf(cache, sizeof cache, "CACHE TABLE cached AS %s", table);
            if (k % 2)
                sql_run(sc, cache);
            query(sql, sizeof sql, k / 2, k % 2 ? "TABLE cached" : table, true);
            char *have = sql_answer(sc, sql);
            if (strcmp(have, want) != 0)
                fail_msg("%s: %.300s, wanted %.300s", sql, have, want);
            query(sql, sizeof sql, k / 2, k % 2 ? "TABLE cached" : table, false);
            free(sql_answer(sc, sql));
            const int64_t pairs = oracle_last_job(sc).shuffle_rows, least = shape == NEXT ? 58800 : 73500;
            assert_in_range(pairs, least, least + least / 50);
            if (k % 2)
                sql_run(sc, "DROP VIEW cached");
            free(have);
        }
        free(want);
    }
    spark_context_free(sc);
}

/* test_passed_on: rows that are passed on, because tables did not pay, end within a partition and begin again, in the
 * midst of a batch, where keys of the rows before go on: of numbers that follow each other, of ones that take turns, of
 * texts, and of two keys; of pairs so wide that this comes soon. */
static void test_passed_on(void **state)
{
    (void)state;
    enum { ROWS = 250000, SUMS = 40 };
    static const char *const forms[] = { "id DIV %d", "CAST(id DIV %d AS INT)", "(id DIV %d) * 3 + id %% 3",
        "CAST(id DIV %d AS STRING)", "id DIV %d, id %% 2" };
    static const int64_t rows_each[] = { 3, 7, 11 };
    static const sql_kind one = { .name = "groups", .master = "local[2]", .batch_rows = 1000 };
    spark_context *sc = sql_open(&one, 0);
    for (size_t f = 0; f < sizeof forms / sizeof forms[0]; f++)
        for (size_t d = 0; d < sizeof rows_each / sizeof rows_each[0]; d++) {
            char sql[4000], key[100], want[2000];
            const int64_t n = ROWS, each = rows_each[d];
            int64_t groups = 0;
            for (int64_t first = 0; first < n; first += each) {
                const int64_t here = n - first < each ? n - first : each;
                groups += f == 2 ? (here < 3 ? here : 3) : f == 4 ? 2 - (here == 1) : 1;
            }
            snprintf(key, sizeof key, forms[f], (int)each);
            int at = snprintf(sql, sizeof sql, "SELECT count(*), sum(c)");
            int end = snprintf(want, sizeof want, "%lld|%lld", (long long)groups, (long long)n);
            for (int i = 0; i < SUMS; i++) {
                at += snprintf(sql + at, sizeof sql - (size_t)at, ", sum(s%d)", i);
                end += snprintf(want + end, sizeof want - (size_t)end, "|%lld", (long long)(n * (n - 1) / 2 + i * n));
            }
            at += snprintf(sql + at, sizeof sql - (size_t)at, " FROM (SELECT count(*) c");
            for (int i = 0; i < SUMS; i++)
                at += snprintf(sql + at, sizeof sql - (size_t)at, ", sum(id + %d) s%d", i, i);
            snprintf(sql + at, sizeof sql - (size_t)at, " FROM range(0, %d, 1, 1) GROUP BY %s)", ROWS, key);
            snprintf(want + end, sizeof want - (size_t)end, "\n");
            char *have = sql_answer(sc, sql);
            if (strcmp(have, want) != 0)
                fail_msg("%s: %.300s, wanted %.300s", key, have, want);
            free(have);
        }
    spark_context_free(sc);
}

/* test_ends: the least numbers that there are, so many that they have places for all blocks, then the greatest. */
static void test_ends(void **state)
{
    (void)state;
    spark_context *sc = sql_open(&kind, 0);
    sql_run(sc, "CREATE TEMP VIEW ends AS SELECT id, IF(id < 131072, -9223372036854775807 - 1 + id % 5000, "
                "9223372036854775807 - id % 5000) k FROM range(0, 196608, 1, 1)");
    sql_run(sc, "CACHE TABLE ends");
    sql_gives(spark_sql(sc, "SELECT count(*), sum(n), sum(s), min(n), max(n) FROM (SELECT k, count(*) n, sum(id) s FROM "
                            "ends GROUP BY k)"),
        "10000|196608|19327254528|13|27\n");
    spark_context_free(sc);
}

/* test_same: rows in their order, too. */
static void test_same(void **state)
{
    (void)state;
    enum { QUERIES = 9 };
    static const struct {
        size_t key;
        int64_t rows, values;
        int shape;
    } queries[QUERIES] = { { 2, 3000, 60, FAR }, { 3, 3000, 2000, FAR }, { 0, 300000, 250000, FAR },
        { 6, 3000, 100, FAR }, { 5, 4000, 7, FAR }, { 3, 200000, 180000, FAR }, { 1, 300000, 250000, NEXT },
        { 2, 600000, 130000, NEXT }, { 0, 300000, 250000, AMONG } };
    char *first[QUERIES];
    for (size_t variant = 0; variant < SQL_VARIANTS; variant++) {
        spark_context *sc = sql_open(&kind, variant);
        for (size_t i = 0; i < QUERIES; i++) {
            char sql[1500], table[1000];
            source(table, sizeof table, queries[i].shape, queries[i].key, queries[i].rows, queries[i].values);
            query(sql, sizeof sql, queries[i].key, table, false);
            sql_same(variant, sql, sql_answer(sc, sql), &first[i]);
        }
        spark_context_free(sc);
    }
    for (size_t i = 0; i < QUERIES; i++)
        free(first[i]);
}

/* test_wide: a window that combines goes on to more keys than others; sums of small integers, extremes, texts as keys. */
static void test_wide(void **state)
{
    (void)state;
    enum { STATEMENTS = 2 };
    static const char *const sql[STATEMENTS] = {
        "SELECT k, sum(s), sum(sqrt(v)), min(s), max(t) FROM (SELECT IF(id = 9, NULL, concat('k', (id div 2 * 7919) % 90000)) "
        "k, CAST(id % 100 - 50 AS TINYINT) s, CAST(id % 1000 AS SMALLINT) t, id v FROM range(0, 400000, 1, 2)) GROUP BY k",
        "SELECT k, sum(i), max(i), min(i), count(*) FROM (SELECT (id div 2 * 7919) % 90000 k, IF(id % 7 = 0, NULL, "
        "CAST(id AS INT)) i FROM range(0, 400000, 1, 2)) GROUP BY k",
    };
    char *first[STATEMENTS] = { NULL };
    for (size_t variant = 0; variant < SQL_VARIANTS; variant++) {
        spark_context *sc = sql_open(&kind, variant);
        for (size_t i = 0; i < STATEMENTS; i++) {
            sql_same(variant, sql[i], sql_answer(sc, sql[i]), &first[i]);
            if (variant == 0)
                assert_int_equal(oracle_last_job(sc).shuffle_rows, i ? 180000 : 180001);
        }
        spark_context_free(sc);
    }
    for (size_t i = 0; i < STATEMENTS; i++)
        free(first[i]);
}

/* test_none: without keys; doubles are added in the same order whatever the batches are. */
static void test_none(void **state)
{
    (void)state;
    static const char *const sql[] = {
        "SELECT count(*), sum(id), min(id), max(id), sum(id) FILTER (WHERE id < 10) FROM range(0, 100000, 1, 4)",
        "SELECT count(*), sum(id), min(id) FROM range(100) WHERE id < 0",
        "SELECT sum(sqrt(id)), avg(sqrt(id)) FROM range(9999)",
        "SELECT id % 3 k, sum(sqrt(id)), stddev(id) FROM range(99999) GROUP BY id % 3 ORDER BY k",
        "SELECT sum(CAST(id % 100 - 50 AS TINYINT)), sum(CAST(id AS SMALLINT)), sum(CAST(id AS INT)) FILTER (WHERE id "
        "% 2 = 0), avg(nullif(CAST(id % 8 AS SMALLINT), 3)), sum(nullif(CAST(id % 8 AS SMALLINT), 3)), "
        "sum(nullif(CAST(id AS DOUBLE), 5)), sum(DATE'2020-01-02' - DATE'2020-01-01') FROM range(0, 32000, 1, 3)",
    };
    enum { STATEMENTS = sizeof sql / sizeof sql[0] };
    char *first[STATEMENTS] = { NULL };
    for (size_t variant = 0; variant < SQL_VARIANTS; variant++) {
        spark_context *sc = sql_open(&kind, variant);
        for (size_t i = 0; i < STATEMENTS; i++)
            sql_same(variant, sql[i], sql_answer(sc, sql[i]), &first[i]);
        spark_context_free(sc);
    }
    assert_string_equal(first[0], "100000|4999950000|0|99999|45\n");
    assert_string_equal(first[1], "0|NULL|NULL\n");
    assert_string_equal(
        first[4], "-16000|511984000|255984000|3.5714285714285716|100000|5.11983995E8|INTERVAL '32000' DAY\n");
    for (size_t i = 0; i < STATEMENTS; i++)
        free(first[i]);
}

/* test_averages: of integers: as if they were doubles that are added one by one, also where that rounds; nothing is
 * added to NULL. */
static void test_averages(void **state)
{
    (void)state;
    spark_context *sc = sql_open(&kind, 0);
    sql_run(sc, "CREATE TEMP VIEW large AS SELECT CAST(2147483647 - id % 3 AS INT) i, id % 2 k FROM range(0, 5000000, 1, "
                "1)");
    sql_gives(spark_sql(sc, "SELECT avg(i) = avg(CAST(i AS DOUBLE)), sum(i) = sum(CAST(i AS BIGINT)), max(i), min(-i) "
                            "FROM large"),
        "true|true|2147483647|-2147483647\n");
    sql_gives(spark_sql(sc, "SELECT k, avg(i) = avg(CAST(i AS DOUBLE)), sum(i) = sum(CAST(i AS BIGINT)) FROM large GROUP BY k "
                            "ORDER BY k"),
        "0|true|true\n1|true|true\n");
    sql_gives(spark_sql(sc, "SELECT k, avg(x), sum(x), try_sum(x), max(x) FROM (SELECT id % 2 k, IF(id % 2 = 1, NULL, "
                            "CAST(-100 AS TINYINT)) x FROM range(5000)) GROUP BY k ORDER BY k"),
        "0|-100.0|-250000|-250000|-100\n1|NULL|NULL|NULL|NULL\n");
    spark_context_free(sc);
}

/* test_long: a list of all rows is made in time for its length, as sets, texts and sorted values are; beside
 * aggregates that keep a value and drop many. What is kept is in the order of the rows. */
static void test_long(void **state)
{
    (void)state;
    enum { STATEMENTS = 5 };
    static const char *const sql[STATEMENTS] = {
        "SELECT size(l), l[0], l[29999], size(s), s[15000], length(t), md = 14999.5, m, a FROM (SELECT "
        "collect_list(x) l, collect_set(x) s, listagg(x) t, median(id) md, mode(id % 777) m, max(x) a "
        "FROM (SELECT id, lpad(id, 100, 'x') x FROM range(0, 30000, 1, 4)))",
        "SELECT id % 3 k, collect_set(concat('a', id % 7)), md5(listagg(id, ',')), percentile(id, 0.3), "
        "max_by(concat('s', id), id), md5(array_join(collect_list(concat('v', id)), ',')), "
        "approx_count_distinct(id % 100), first(concat(id, 's')), "
        "sum(sqrt(id)) FROM range(0, 60000, 1, 5) GROUP BY 1 ORDER BY 1",
        "SELECT sum(size(l)), sum(size(s)), min(m), max(x), count(*) FROM (SELECT collect_list(id) l, "
        "collect_set(concat(id % 3, 'z')) s, mode(id % 2) m, max(concat(id, 'q')) x "
        "FROM range(0, 60000, 1, 3) GROUP BY id % 20011)",
        "SELECT max(concat(lpad(id, 8, '0'), repeat('y', 300))) = concat('00029999', repeat('y', 300)), "
        "collect_set(id % 2 = 0), min_by(concat(id, repeat('z', 300)), -id) LIKE '29999z%' FROM range(0, 30000, 1, 2)",
        "SELECT md5(array_join(collect_list(x[0].a), ',')), size(array_distinct(flatten(collect_list(x)))) FROM "
        "(SELECT array(named_struct('a', concat('n', id), 'b', id)) x FROM range(0, 9000, 1, 3))",
    };
    char *first[STATEMENTS] = { NULL };
    for (size_t variant = 0; variant < SQL_VARIANTS; variant++) {
        spark_context *sc = sql_open(&kind, variant);
        for (size_t i = 0; i < STATEMENTS; i++)
            sql_same(variant, sql[i], sql_answer(sc, sql[i]), &first[i]);
        spark_context_free(sc);
    }
    if (strstr(first[0], "30000|xxx") != first[0] || !strstr(first[0], "x29999|30000|xx")
        || !strstr(first[0], "|3000000|true|0|"))
        fail_msg("%s", first[0]);
    assert_string_equal(first[3], "true|[true, false]|true\n");
    for (size_t i = 0; i < STATEMENTS; i++)
        free(first[i]);
}

/* test_filled: before the shuffle too, values become lists, and texts extremes; what a window holds goes by the rows
 * alone, also where it fills, and goes on where little of that is left. */
static void test_filled(void **state)
{
    (void)state;
    static const struct {
        const char *sql, *want;
        int64_t shuffled; /* rows, with those of the sums */
    } cases[] = {
        { "SELECT count(*), min(m = k + 299750 AND n = 1200 AND t = 't' || lpad(k + 599500, 6, '0') AND l[0] = k AND "
          "l[1199] = k + 599500), sum(s) FROM (SELECT k, count(*) n, median(v) m, max('t' || lpad(v, 6, '0')) t, collect_list(v) l, "
          "sum(sqrt(v)) s FROM (SELECT id v, id % 500 k FROM range(0, 600000, 1, 2)) GROUP BY k)",
            "500|true|", 2002 },
        { "SELECT count(*), min(x = lpad(k + 199950, 100, '0') AND y = lpad(k + 50, 100, '0')), sum(s) FROM (SELECT k, "
          "max(t) x, min(t) FILTER (WHERE v >= 50) y, sum(sqrt(v)) s FROM (SELECT id v, id % 50 k, lpad(id, 100, '0') t "
          "FROM range(0, 200000, 1, 2)) GROUP BY k)",
            "50|true|", 102 },
        { "SELECT count(*), min(x = lpad(v, 100, '0')), sum(s) FROM (SELECT k, max(v) v, max_by(t, v) x, sum(sqrt(v)) s FROM "
          "(SELECT id v, id % 30000 k, lpad(id, 100, '0') t FROM range(0, 200000, 1, 2)) GROUP BY k)",
            "30000|true|", 152226 },
        { "SELECT size(l), l[0], l[599999], m, t, s FROM (SELECT collect_list(id) l, median(id) m, max(concat(id, 't')) t, "
          "sum(sqrt(id)) s FROM range(0, 600000, 1, 2))",
            "600000|0|599999|299999.5|9t|", 6 },
        { "SELECT count(*), min(size(l) = 1 AND l[0] = concat(v, '!')), sum(s) FROM (SELECT k, max(id) v, "
          "collect_list(concat(id, '!')) l, sum(sqrt(id)) s FROM (SELECT id, id * 7919 k FROM range(0, 200000, 1, 2)) GROUP "
          "BY k)",
            "200000|true|", 200002 },
    };
    enum { CASES = sizeof cases / sizeof cases[0] };
    char *first[CASES] = { NULL };
    for (size_t variant = 0; variant < SQL_VARIANTS; variant++) {
        spark_context *sc = sql_open(&kind, variant);
        for (size_t i = 0; i < CASES; i++) {
            sql_same(variant, cases[i].sql, sql_answer(sc, cases[i].sql), &first[i]);
            if (variant > 0)
                continue;
            if (strncmp(first[i], cases[i].want, strlen(cases[i].want)) != 0)
                fail_msg("%s: %s", cases[i].sql, first[i]);
            if (oracle_last_job(sc).shuffle_rows != cases[i].shuffled)
                fail_msg("%s: %lld rows", cases[i].sql, (long long)oracle_last_job(sc).shuffle_rows);
        }
        spark_context_free(sc);
    }
    for (size_t i = 0; i < CASES; i++)
        free(first[i]);
}

/* test_sets: a row for each set of keys: as groups by each of the sets alone, beside each other. */
static void test_sets(void **state)
{
    (void)state;
#define ROWS \
    "(SELECT IF(id % 11 = 0, NULL, id % 3) a, 's' || id % 5 b, IF(id % 13 = 0, NULL, id * 7919 % 100003) c, CAST(id % " \
    "100 - 50 AS INT) i, sqrt(id) d, CAST(id AS DECIMAL(9, 2)) m FROM range(0, 60000, 1, 3))"
#define SETS \
    " x, sum(i) s, count(*) n, min(d) l, max(m) h, CAST(avg(i) * 1000 AS BIGINT) v, sum(m) FILTER (WHERE i > 0) f FROM " ROWS
    static const struct {
        const char *sets, *each;
    } cases[] = {
        { "SELECT a, b, grouping_id()" SETS " GROUP BY ROLLUP (a, b)",
            "SELECT a, b, 0" SETS " GROUP BY a, b UNION ALL SELECT a, NULL, 1" SETS
            " GROUP BY a UNION ALL SELECT NULL, NULL, 3" SETS },
        { "SELECT a, c, grouping(a) * 2 + grouping(c)" SETS " GROUP BY CUBE (a, c)",
            "SELECT a, c, 0" SETS " GROUP BY a, c UNION ALL SELECT a, NULL, 1" SETS
            " GROUP BY a UNION ALL SELECT NULL, c, 2" SETS " GROUP BY c UNION ALL SELECT NULL, NULL, 3" SETS },
        { "SELECT a, b, 0" SETS " GROUP BY GROUPING SETS ((b), (a), (a), ())",
            "SELECT NULL, b, 0" SETS " GROUP BY b UNION ALL SELECT a, NULL, 0" SETS
            " GROUP BY a UNION ALL SELECT a, NULL, 0" SETS " GROUP BY a UNION ALL SELECT NULL, NULL, 0" SETS },
        { "SELECT NULL, NULL, 0" SETS " GROUP BY GROUPING SETS ((), ())",
            "SELECT NULL, NULL, 0" SETS " UNION ALL SELECT NULL, NULL, 0" SETS },
        { "SELECT a, b, sum(a)" SETS " GROUP BY ROLLUP (a, b)", /* of a key: as it is in all rows */
            "SELECT a, b, sum(a)" SETS " GROUP BY a, b UNION ALL SELECT a, NULL, sum(a)" SETS
            " GROUP BY a UNION ALL SELECT NULL, NULL, sum(a)" SETS },
    };
    enum { CASES = sizeof cases / sizeof cases[0] };
    char *first[CASES] = { NULL }, *sums = NULL;
    for (size_t variant = 0; variant < SQL_VARIANTS; variant++) {
        spark_context *sc = sql_open(&kind, variant);
        char sql[4000];
        for (size_t i = 0; i < CASES; i++) {
            snprintf(sql, sizeof sql, "SELECT * FROM (%s) ORDER BY ALL", cases[i].sets);
            sql_same(variant, sql, sql_answer(sc, sql), &first[i]);
            snprintf(sql, sizeof sql, "SELECT * FROM (%s) ORDER BY ALL", cases[i].each);
            char *each = variant == 0 ? sql_answer(sc, sql) : NULL;
            if (each && strcmp(each, first[i]) != 0)
                fail_msg("%s:\n%.300s\nwanted: %.300s", cases[i].sets, first[i], each);
            free(each);
        }
        static const char doubles[] = "SELECT a, b, sum(d), avg(d), stddev(d) FROM " ROWS " GROUP BY CUBE (a, b)";
        sql_same(variant, doubles, sql_answer(sc, doubles), &sums);
        spark_context_free(sc);
    }
    for (size_t i = 0; i < CASES; i++)
        free(first[i]);
    free(sums);
#undef SETS
#undef ROWS
}

static double processor_time(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* took: the time of a statement, at best. */
static double took(spark_context *sc, const char *sql)
{
    double best = 1e9;
    for (int round = 0; round < 3; round++) {
        const double begun = processor_time();
        free(sql_answer(sc, sql));
        const double now = processor_time() - begun;
        best = now < best ? now : best;
    }
    return best;
}

/* test_many_sets: rows are not looked at once for each set, where there are far fewer groups. */
static void test_many_sets(void **state)
{
    enum { TIMES = 3 };
    (void)state;
    spark_context *sc = sql_open(&kind, 0);
    sql_run(sc, "CREATE TEMP VIEW many AS SELECT id v, 'a' || id % 3 a, 'b' || id % 5 b, 'c' || id % 7 c, 'd' || id % 2 d "
                "FROM range(0, 300000, 1, 2)");
    sql_run(sc, "CACHE TABLE many");
    const double plain = took(sc, "SELECT sum(v) FROM many GROUP BY a, b, c, d"),
                 sets = took(sc, "SELECT sum(v) FROM many GROUP BY CUBE (a, b, c, d)");
    if (sets > TIMES * plain)
        fail_msg("%.1f ms for one set, %.1f ms for 16", plain * 1e3, sets * 1e3);
    spark_context_free(sc);
}

/* The same set again is another group, thousands of times. */
static void test_same_sets(void **state)
{
    (void)state;
    spark_context *sc = sql_open(&kind, 0);
    sql_gives(spark_sql(sc, "SELECT count(*), count(DISTINCT g), sum(n) FROM (SELECT grouping_id() g, count(*) n FROM "
                            "range(3) GROUP BY CUBE(id, id, id, id, id, id, id, id, id, id, id, id))"),
        "12286|2|12288\n");
    spark_context_free(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_near),
        cmocka_unit_test(test_passed_on),
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_same),
        cmocka_unit_test(test_wide),
        cmocka_unit_test(test_none),
        cmocka_unit_test(test_averages),
        cmocka_unit_test(test_long),
        cmocka_unit_test(test_filled),
        cmocka_unit_test(test_sets),
        cmocka_unit_test(test_many_sets),
        cmocka_unit_test(test_same_sets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
