/* SPDX-License-Identifier: Apache-2.0 */
/* Columns up to the first exchange: joins, filters and aggregates over cached tables, which take columns, beside the
 * same statements over the rows the tables were made of, with both sides of joins shuffled; tables of drawn shapes:
 * keys that are dense, sparse, hot, NULL, all of one value or all distinct, of several types, more and fewer rows than
 * a batch and a block. The same answers for any number of threads, batch size, budget and faults. Decimals that fit 64
 * bits in some rows of a batch and not in others, beside a loop in 128 bits. */
#include "../support/oracle.h"
#include "../support/sql_test.h"

#include <inttypes.h>

__extension__ typedef __int128 wide;
__extension__ typedef unsigned __int128 wide_size;

static const sql_kind kind
    = { .name = "columns", .master = "local-cluster[2,1,256]", .batch_rows = 5, .max_failures = 20, .seed = 9 };

/* shape: a table: how many rows; keys are (id * times) % values, spread by `apart`; every nulls-th one is NULL. */
typedef struct shape {
    int rows, partitions;
    int64_t times, values, apart, nulls;
} shape;

static uint64_t draw(uint64_t *seed, uint64_t n)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (*seed >> 33) % n;
}

static shape drawn(uint64_t *seed, size_t i)
{
    static const int rows[] = { 0, 1, 40, 1023, 1025, 3000, 33000 };
    static const int64_t values[] = { 1, 2, 7, 300, 5000, 100000 }, apart[] = { 1, 1, 3, 1000003 },
                         nulls[] = { 1, 2, 5, 11, 1000000 };
    const int n = rows[i < 7 ? i : draw(seed, 6)];
    const int64_t some = values[draw(seed, 6)], least = n / 25; /* not too many pairs */
    return (shape) { n, 1 + (int)draw(seed, 3), 1 + 2 * (int64_t)draw(seed, 50), some > least ? some : least,
        apart[draw(seed, 4)], nulls[i % 3 == 2 ? draw(seed, 5) : 1 + draw(seed, 4)] };
}

/* define: views `name`: k, m: whole numbers, s: the same as texts, d: dates, v: of the row; w, f: few values; e: texts,
 * some of them empty. */
static void define(spark_context *sc, const char *name, const shape *s)
{
    char text[1200];
    (void)snprintf(text, sizeof text,
        "CREATE OR REPLACE TEMP VIEW %s AS SELECT IF(id %% %" PRId64 " = 0, NULL, x * %" PRId64 ") k, "
        "CAST(x %% 100 AS INT) m, IF(id %% %" PRId64 " = 0, NULL, 'key ' || x) s, "
        "DATE'2001-01-01' + CAST(x %% 90 AS INT) d, id v, CAST(id %% 1000 AS DECIMAL(15, 2)) / 4 w, "
        "IF(id %% 13 = 0, NULL, 'kind ' || id %% 4) f, IF(id %% 3 = 0, '', 'text ' || x) e "
        "FROM (SELECT id, (id * %" PRId64 ") %% %" PRId64 " x FROM range(0, %d, 1, %d))",
        name, s->nulls, s->apart, s->nulls, s->times, s->values, s->rows, s->partitions);
    sql_run(sc, text);
}

/* Answers do not depend on the order of rows; pairs are counted and added up. */
static const char *const statements[] = {
    "SELECT count(*), sum(l.v * 3 + r.v), count(l.f), max(r.f) FROM l JOIN r ON l.k = r.k",
    "SELECT count(*), sum(l.v), sum(r.v) FROM l JOIN r ON l.k = r.k AND l.m = r.m WHERE l.v % 3 <> 1 AND r.f = 'kind 1'",
    "SELECT count(*), sum(l.v), sum(r.v), max(r.s) FROM l JOIN r ON l.s = r.s AND l.v % 5 <> r.v % 5",
    "SELECT count(*), sum(l.v), sum(r.v), count(r.f) FROM l LEFT JOIN r ON l.k = r.k",
    "SELECT count(*), sum(l.v), sum(r.v) FROM l LEFT JOIN r ON l.d = r.d AND l.v < r.v AND r.v < 50",
    "SELECT count(*), sum(v), min(f) FROM l WHERE EXISTS (SELECT 1 FROM r WHERE r.k = l.k)",
    "SELECT count(*), sum(v) FROM l WHERE EXISTS (SELECT 1 FROM r WHERE r.k = l.k AND r.v <> l.v)",
    "SELECT count(*), sum(v) FROM l WHERE NOT EXISTS (SELECT 1 FROM r WHERE r.k = l.k AND r.m = l.m)",
    "SELECT count(*), sum(v) FROM l WHERE NOT EXISTS (SELECT 1 FROM r WHERE r.s = l.s AND r.v % 7 <> l.v % 7)",
    "SELECT count(*), sum(v) FROM l WHERE f = 'kind 2' OR EXISTS (SELECT 1 FROM r WHERE r.k = l.k AND r.w > 9)",
    "SELECT count(*), sum(v) FROM l WHERE v < 30 AND EXISTS (SELECT 1 FROM r WHERE r.k = l.k AND r.v > l.v)",
    "SELECT count(*), sum(v) FROM l WHERE v < 30 AND f = 'kind 1' AND NOT EXISTS (SELECT 1 FROM r WHERE r.s = l.s)",
    "SELECT count(*), sum(v) FROM l WHERE k NOT IN (SELECT k FROM r WHERE v > 3)",
    "SELECT count(*), sum(v) FROM l WHERE k NOT IN (SELECT k FROM r WHERE v > 3 AND k IS NOT NULL)",
    "SELECT count(*), sum(v) FROM l WHERE s NOT IN (SELECT s FROM r WHERE s IS NOT NULL) AND v % 3 <> 1",
    "SELECT count(*), sum(v) FROM l WHERE k NOT IN (SELECT k FROM r WHERE v < 0)",
    "SELECT count(*), sum(l.v), sum(x) FROM l, (SELECT k, sum(w) x FROM r GROUP BY k) t WHERE l.k = t.k AND l.w > x / 9",
    "SELECT sum(v), count(*) FROM l WHERE f = 'kind 3' AND w < (SELECT avg(w) * 2 FROM r WHERE r.k = l.k)",
    "SELECT count(*), sum(a.v), sum(b.v), sum(r.v) FROM l a JOIN r ON a.k = r.k JOIN l b ON r.m = b.m WHERE b.f = 'kind "
    "1' AND b.v < 20 AND a.v % 4 = 1",
    "SELECT f, count(*), sum(w), avg(w), sum(w * w * (1 + w)), min(v), max(s) FROM l GROUP BY f ORDER BY f",
    "SELECT min(m), max(m), sum(m), avg(m), min(d), max(d), min(s), max(w), min(k), count(*) FROM l",
    "SELECT min(m), max(m), sum(m), avg(m), min(d), max(d), max(s), min(w), count(*) FROM l WHERE v % 3 = 1",
    "SELECT count(*), sum(v), max(e) FROM l WHERE e <> ''",
    "SELECT count(*), sum(v), max(s) FROM l WHERE e = '' AND s <> 'key 1' AND v % 3 < 2",
    "SELECT count(*), sum(v), max(e) FROM l WHERE e LIKE '%1%' AND v % 7 <> 2 AND 'text 12' <> e AND s <> ''",
    "SELECT count(*), sum(v), max(f) FROM l WHERE s = 'key 11' OR e = 'text 2'",
    "SELECT count(*), sum(v), max(f) FROM l WHERE s = 'key 2'",
    "SELECT f, s, count(*) FROM l GROUP BY f, s ORDER BY f, s",
    "SELECT count(w) n, k, count(f) FROM l GROUP BY k ORDER BY k",
    "SELECT s, count(f), max(v), count(*) FROM l GROUP BY s ORDER BY s",
    "SELECT f, m, count(*) FILTER (WHERE v % 2 = 0), sum(w) FILTER (WHERE v % 3 = 0), avg(w) FROM l GROUP BY f, m "
    "ORDER BY f, m",
    "SELECT k, count(*), sum(v), avg(w), sum(w) FROM l WHERE w > 3 GROUP BY k ORDER BY k",
    "SELECT d, year(d), sum(v + 1), sum((v + 1) * 2) FROM l WHERE v % 11 <> 3 GROUP BY d ORDER BY d",
    "SELECT l.f, r.f, count(*), sum(l.w * (1 - r.w)) FROM l JOIN r ON l.k = r.k GROUP BY l.f, r.f ORDER BY 1, 2",
    "SELECT sum(CASE WHEN f LIKE '%1' THEN w * (1 - w) ELSE 0 END) / sum(w * (1 - w) + 1) FROM l WHERE d < "
    "DATE'2001-02-10'",
};
enum { STATEMENTS = sizeof statements / sizeof *statements };

static void test_shapes(void **state)
{
    (void)state;
    enum { SHAPES = 10 };
    for (size_t variant = 0; variant < SQL_VARIANTS; variant++) {
        spark_context *sc = sql_open(&kind, variant);
        uint64_t seed = 77;
        for (size_t i = 0; i < (variant == 0 ? SHAPES : variant == 4 ? 3 : 5); i++) {
            const shape l = drawn(&seed, i), r = drawn(&seed, 7);
            char *want[STATEMENTS];
            if (variant && l.rows > 3000)
                continue;
            define(sc, "l", &l);
            define(sc, "r", &r);
            sql_run(sc, "SET spark.sql.autoBroadcastJoinThreshold = -1");
            for (size_t k = 0; k < STATEMENTS; k++)
                want[k] = sql_answer(sc, statements[k]);
            sql_run(sc, "SET spark.sql.autoBroadcastJoinThreshold = 33554432");
            sql_run(sc, "CACHE TABLE l");
            sql_run(sc, "CACHE TABLE r");
            for (size_t k = 0; k < STATEMENTS; k++) {
                char *have = sql_answer(sc, statements[k]);
                if (strcmp(have, want[k]) != 0)
                    fail_msg("variant %zu, shape %zu (%d and %d rows): %s\n%.600s\nwanted:\n%.600s", variant, i, l.rows,
                        r.rows, statements[k], have, want[k]);
                free(have);
                free(want[k]);
            }
            sql_run(sc, "UNCACHE TABLE l");
            sql_run(sc, "UNCACHE TABLE r");
        }
        spark_context_free(sc);
    }
}

/* numbers: keys of a type: (id * times) % values, `apart` from each other, from `least` on; every nulls-th is NULL. */
typedef struct numbers {
    const char *type, *least;
    int64_t rows, times, values, apart, nulls;
} numbers;

static void keep_numbers(spark_context *sc, const char *name, const numbers *x)
{
    const char *step = strcmp(x->type, "DATE") == 0 ? "INT" : "BIGINT";
    char text[600];
    (void)snprintf(text, sizeof text,
        "CREATE OR REPLACE TEMP VIEW %s AS SELECT IF(id %% %" PRId64 " = 0, NULL, CAST(%s + CAST((id * %" PRId64
        ") %% %" PRId64 " * %" PRId64 " AS %s) AS %s)) k, id v, 'value ' || id s FROM range(1, %" PRId64 ", 1, 2)",
        name, x->nulls, x->least, x->times, x->values, x->apart, step, x->type, x->rows + 1);
    sql_run(sc, text);
}

/* test_numbers: keys that are numbers, at the ends of their types and of the ranges that have a bit for each: in order
 * and not, with one row each and several, of all types; by a table beside by shuffling. */
static void test_numbers(void **state)
{
    (void)state;
    enum { FREE = 262144, TIMES = 256, NEVER = 1000003 };
    static const struct {
        numbers l, r;
    } cases[] = {
        { { "TINYINT", "-128", 700, 3, 256, 1, 9 }, { "TINYINT", "-128", 255, 1, 256, 1, NEVER } },
        { { "TINYINT", "-5", 700, 1, 100, 1, NEVER }, { "TINYINT", "-128", 600, 7, 256, 1, 5 } },
        { { "SMALLINT", "-32768", 2000, 1, 3000, 21, NEVER }, { "SMALLINT", "-32768", 1500, 7, 1500, 42, 4 } },
        { { "INT", "-2147483648", 3000, 1, 4000, 1073741, 8 }, { "INT", "-2147483648", 900, 1, 2000, 1073741, NEVER } },
        { { "INT", "-70", 3000, 11, 900, 3, 8 }, { "INT", "0", 900, 1, 901, 1, NEVER } },
        { { "DATE", "DATE'1969-12-01'", 1500, 5, 90, 1, 8 }, { "DATE", "DATE'1969-12-31'", 60, 1, 90, 1, NEVER } },
        { { "DECIMAL(15, 2)", "-3.5", 1500, 5, 900, 1, 8 }, { "DECIMAL(15, 2)", "-100", 800, 3, 997, 1, NEVER } },
        { { "BIGINT", "-9223372036854775807L - 1L", 900, 1, 4, INT64_C(1) << 61, NEVER },
            { "BIGINT", "-9223372036854775807L - 1L", 30, 1, 4, INT64_C(1) << 61, 7 } },
        { { "BIGINT", "9223372036854775807L - 999L", 2000, 3, 1000, 1, NEVER },
            { "BIGINT", "9223372036854775807L - 499L", 499, 1, 500, 1, NEVER } },
        { { "BIGINT", "-9223372036854775807L - 1L", 2000, 3, 1000, 1, NEVER },
            { "BIGINT", "0", 499, 1, 500, 1, NEVER } },
        { { "BIGINT", "-1", 900, 1, 4, 1, NEVER }, /* a bit for each */
            { "BIGINT", "0", 2, 1, 2, 2 * TIMES + FREE - 1, NEVER } },
        { { "BIGINT", "-1", 900, 1, 4, 1, NEVER }, { "BIGINT", "0", 2, 1, 2, 2 * TIMES + FREE, NEVER } }, /* none */
        { { "BIGINT", "0", 3000, 17, 3000, 100, 6 }, { "BIGINT", "0", 2500, 1, 2501, 100, NEVER } },
        { { "BIGINT", "0", 3000, 17, 3000, 100, 6 }, { "BIGINT", "50", 2500, 1, 2501, 50, 1 } }, /* all NULL */
        { { "BIGINT", "0", 1100, 1, 1100, 64, NEVER }, { "BIGINT", "63", 1100, 3, 550, 1, NEVER } },
    };
    spark_context *sc = sql_open(&kind, 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *want[STATEMENTS];
        static const char *const asked[] = {
            "SELECT count(*), sum(l.v * 3 + r.v), max(r.s) FROM l JOIN r ON l.k = r.k",
            "SELECT count(*), sum(l.v * 3 + r.v), max(r.s) FROM l JOIN r ON l.k = r.k WHERE l.v % 7 = 3 AND r.v > 9",
            "SELECT count(*), sum(l.v * 3 + r.v) FROM l JOIN r ON l.k = r.k AND l.v = r.v", /* two words, */
            "SELECT count(*), sum(l.v * 3 + r.v) FROM l LEFT JOIN r ON l.k = r.k AND l.v % 3 = r.v % 3",
            "SELECT count(*), sum(v) FROM l WHERE EXISTS (SELECT 1 FROM r WHERE r.v % 90 = l.v % 70 AND r.k = l.k)",
            "SELECT count(*), sum(v) FROM l WHERE NOT EXISTS (SELECT 1 FROM r WHERE r.v = l.v AND r.k = l.k)",
            "SELECT count(*), sum(l.v), sum(r.v), count(r.s) FROM l LEFT JOIN r ON l.k = r.k",
            "SELECT count(*), sum(l.v), sum(r.v), count(r.s) FROM l RIGHT JOIN r ON l.k = r.k AND l.v % 3 <> r.v % 3",
            "SELECT count(*), sum(v) FROM l WHERE EXISTS (SELECT 1 FROM r WHERE r.k = l.k)",
            "SELECT count(*), sum(v) FROM l WHERE NOT EXISTS (SELECT 1 FROM r WHERE r.k = l.k AND r.v % 5 <> l.v % 5)",
            "SELECT count(*), sum(v) FROM l WHERE k NOT IN (SELECT k FROM r)",
            "SELECT sum(v), count(*) FROM l WHERE v % 7 = 0 OR k IN (SELECT k FROM r)",
            "SELECT count(*), sum(v) FROM r WHERE v < 9 AND EXISTS (SELECT 1 FROM l WHERE r.k = l.k)",
            "SELECT sum(v * (SELECT max(r.v) FROM r WHERE r.k = l.k)) FROM l",
        };
        const size_t n = sizeof asked / sizeof *asked;
        keep_numbers(sc, "l", &cases[i].l);
        keep_numbers(sc, "r", &cases[i].r);
        sql_run(sc, "SET spark.sql.autoBroadcastJoinThreshold = -1");
        for (size_t k = 0; k < n; k++)
            want[k] = sql_answer(sc, asked[k]);
        sql_run(sc, "SET spark.sql.autoBroadcastJoinThreshold = 33554432");
        for (size_t k = 0; k < 2 * n; k++) { /* rows, then columns */
            if (k == n)
                sql_run(sc, "CACHE TABLE l");
            if (k == n)
                sql_run(sc, "CACHE TABLE r");
            char *have = sql_answer(sc, asked[k % n]);
            if (strcmp(have, want[k % n]) != 0)
                fail_msg("numbers %zu: %s\n%.600s\nwanted:\n%.600s", i, asked[k % n], have, want[k % n]);
            free(have);
        }
        for (size_t k = 0; k < n; k++)
            free(want[k]);
        sql_run(sc, "UNCACHE TABLE l");
        sql_run(sc, "UNCACHE TABLE r");
    }
    spark_context_free(sc);
}

/* test_single: a scalar subquery with two rows for one of the outer ones. */
static void test_single(void **state)
{
    (void)state;
    spark_context *sc = sql_open(&kind, 0);
    sql_run(sc, "CACHE TABLE l AS SELECT id k FROM range(3000)");
    sql_run(sc, "CACHE TABLE r AS SELECT id % 2999 k, id v FROM range(3000)");
    spark_array rows;
    const spark_status status
        = spark_collect(spark_sql(sc, "SELECT k, (SELECT v FROM r WHERE r.k = l.k) FROM l"), NULL, &rows);
    assert_int_not_equal(status, SPARK_OK);
    assert_non_null(strstr(spark_last_error()->message, "SCALAR_SUBQUERY_TOO_MANY_ROWS"));
    sql_gives(spark_sql(sc, "SELECT count(x) FROM (SELECT (SELECT v FROM r WHERE r.k = l.k AND r.v < 2999) x FROM l)"),
        "2999\n");
    spark_context_free(sc);
}

/* print: a number with 128 bits. */
static void print(wide x, char *text)
{
    char digits[48];
    int n = 0;
    if (x < 0)
        *text++ = '-';
    for (wide_size y = x < 0 ? -(wide_size)x : (wide_size)x; y || !n; y /= 10)
        digits[n++] = (char)('0' + (int)(y % 10));
    while (n)
        *text++ = digits[--n];
    *text = '\0';
}

/* test_wide: products and sums around 2^63, whose type has 128 bits: what fits in 64, and what does not. */
static void test_wide(void **state)
{
    (void)state;
    static const int64_t steps[] = { 1, 1000003, 3037000499, 30370004990, 999999999999 };
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        enum { ROWS = 2500 };
        spark_context *sc = sql_open(&kind, i % 3);
        char text[600], want[200], products[50], sums[50], both[50];
        wide product = 0, sum = 0, all = 0;
        for (int64_t id = 0; id < ROWS; id++) {
            const wide a = (id - 700) * (steps[i] / 700 + 1), b = steps[i] - id;
            product += a * b;
            sum += a * b * 10 + b;
            all += (a * b - a) * (id % 3);
        }
        (void)snprintf(text, sizeof text,
            "CACHE TABLE t AS SELECT CAST((id - 700) * %" PRId64 " AS DECIMAL(18, 0)) a, CAST(%" PRId64
            " - id AS DECIMAL(18, 0)) b, CAST(id %% 3 AS DECIMAL(2, 0)) c FROM range(%d)",
            steps[i] / 700 + 1, steps[i], ROWS);
        sql_run(sc, text);
        print(product, products);
        print(sum, sums);
        print(all, both);
        (void)snprintf(want, sizeof want, "%s|%s|%s\n", products, sums, both);
        sql_gives(spark_sql(sc,
                      "SELECT sum(a * b), CAST(sum(a * b + b * 0.1BD) * 10 AS DECIMAL(38, 0)), "
                      "sum((a * b - a) * c) FROM t"),
            want);
        spark_context_free(sc);
    }
}

/* test_codes: keys whose codes are places: numbers with the same places in several blocks, until one brings others;
 * pairs of which the codes of a block are few; with NULLs, to the ends of what 64 bits hold. */
static void test_codes(void **state)
{
    (void)state;
    enum { KEYS = 9 };
    static const char *const keys[KEYS] = { "a", "b", "c", "d", "e", "f, g", "h, f", "h", "a, v DIV 60000" };
    static const char view[]
        = "CREATE OR REPLACE TEMP VIEW %s AS SELECT IF(id %% 17 = 0, NULL, CAST(id * 7919 %% 100000 - 50000 AS INT)) a, "
          "id DIV 2 b, IF(id < 40000, id %% 9, IF(id %% 5 = 0, NULL, id * 31 %% 200000 - 300000)) c, "
          "-9223372036854775807 - 1 + id * 7 %% 60000 d, 9223372036854775807 - id * 7 %% 60000 e, "
          "IF(id %% 19 = 0, NULL, 's' || id %% 90) f, 't' || id * 3 %% 100 g, CAST(id * 13 %% 300 - 150 AS SMALLINT) h, "
          "id v FROM range(0, 140000, 1, 1)";
    char sql[1500], *first[KEYS] = { NULL };
    for (size_t variant = 0; variant < SQL_VARIANTS; variant++) {
        spark_context *sc = sql_open(&kind, variant);
        for (int i = 0; i < 2; i++) {
            snprintf(sql, sizeof sql, view, i ? "rows" : "coded");
            sql_run(sc, sql);
        }
        sql_run(sc, "CACHE TABLE coded");
        for (size_t k = 0; k < KEYS; k++) {
            for (int i = variant > 0; i < 2; i++) {
                snprintf(sql, sizeof sql,
                    "SELECT count(*), sum(n), sum(hash(k, n, s, m) * 1L), max(n), sum(t) FROM (SELECT struct(%s) k, "
                    "count(*) n, sum(v) s, min(v) m, sum(sqrt(v)) t FROM %s WHERE v %% 10 <> 3 GROUP BY %s)",
                    keys[k], i ? "coded" : "rows", keys[k]);
                sql_same(variant + (size_t)i, sql, sql_answer(sc, sql), &first[k]);
            }
        }
        spark_context_free(sc);
    }
    for (size_t k = 0; k < KEYS; k++)
        free(first[k]);
}

/* test_first: the first rows of an order, of which each partition has some: what is behind those that another task has
 * found is not read, unless that might fail. */
static void test_first(void **state)
{
    (void)state;
    enum { CASES = 8 };
    static const char *const cases[CASES] = {
        "SELECT v, s FROM %s ORDER BY v LIMIT 10",
        "SELECT v FROM %s WHERE s <> 'a 3' ORDER BY v, s DESC LIMIT 10 OFFSET 5",
        "SELECT t, v FROM %s WHERE v > 100 AND s IS NOT NULL ORDER BY t DESC, v LIMIT 7",
        "SELECT t, v FROM %s ORDER BY t, v DESC LIMIT 30",
        "SELECT n, v FROM %s ORDER BY n DESC, v LIMIT 12",
        "SELECT n, v FROM %s ORDER BY n NULLS LAST, v LIMIT 12",
        "SELECT n, v FROM %s ORDER BY n, v LIMIT 12",
        "SELECT v, s FROM %s WHERE 1 / (v - 70000) < 0 ORDER BY v LIMIT 10",
    };
    char sql[500], *first[CASES] = { NULL };
    for (size_t variant = 0; variant < SQL_VARIANTS; variant++) {
        spark_context *sc = sql_open(&kind, variant);
        for (int i = 0; i < 2; i++) {
            snprintf(sql, sizeof sql,
                "CREATE TEMP VIEW %s AS SELECT id v, IF(id %% 11 = 0, NULL, 'a ' || id %% 7) s, "
                "DATE'2020-01-01' + CAST(id DIV 9 AS INT) t, IF(id %% 13 = 0, NULL, id * 7 %% 60000) n "
                "FROM range(0, 60000, 1, 6)",
                i ? "plain" : "kept");
            sql_run(sc, sql);
        }
        sql_run(sc, "CACHE TABLE kept");
        for (size_t k = 0; k < CASES; k++) {
            for (int i = variant > 0; i < 2; i++) {
                snprintf(sql, sizeof sql, cases[k], i ? "kept" : "plain");
                sql_same(variant + (size_t)i, sql, sql_answer(sc, sql), &first[k]);
            }
            if (variant == 0 && (k == 0 || k == CASES - 1))
                assert_int_equal(oracle_last_job(sc).shuffle_rows, k ? 60 : 10);
        }
        spark_context_free(sc);
    }
    for (size_t k = 0; k < CASES; k++)
        free(first[k]);
}

/* test_search: patterns that begin with %: texts of a cached column lie one behind the other, so that one may begin what
 * the next goes on with. */
static void test_search(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "(s LIKE '%abca%') <> (instr(s, 'abca') > 0)",
        "(s LIKE '%c%') <> (instr(s, 'c') > 0)",
        "(s LIKE '%cab') <> (right(s, 3) = 'cab')",
        "(s LIKE '%bc%ab%') <> (instr(s, 'bc') > 0 AND instr(substr(s, instr(s, 'bc') + 2), 'ab') > 0)",
        "(s LIKE '%caabc%') OR s LIKE '%bcabcabcabcabcabcabcabcabcabcabcabcabcabcabc%'",
        "(n LIKE '%abca%') <> (instr(n, 'abca') > 0)",
        "n IS NOT NULL AND (n LIKE '%a%' OR n LIKE '%b%' OR n LIKE '%c%') <> (n <> '')",
        "s LIKE '%xabcabcabcabcabcabcabcabcabca%'",
    };
    spark_context *sc = sql_open(&kind, 0);
    char sql[500];
    sql_run(sc, "CREATE TEMP VIEW texts AS SELECT id, s, IF(id % 3 = 0, NULL, s) n FROM (SELECT id, "
                "substr('abcabcabcabcabcabcabcabcabcabcabcabcabcabcabc', CAST(id % 3 AS INT) + 1, "
                "CAST(id * id % 41 AS INT)) s FROM range(0, 40000, 1, 2))");
    sql_run(sc, "CACHE TABLE texts");
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        for (int some = 0; some < 2; some++) {
            (void)snprintf(sql, sizeof sql, "SELECT count(*) FROM texts WHERE %s(%s)", some ? "id % 5 < 4 AND " : "",
                wrong[i]);
            char *answer = sql_answer(sc, sql);
            if (strcmp(answer, "0\n") != 0)
                fail_msg("%s: %s", sql, answer);
            free(answer);
        }
    spark_context_free(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_single),
        cmocka_unit_test(test_wide),
        cmocka_unit_test(test_codes),
        cmocka_unit_test(test_first),
        cmocka_unit_test(test_search),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
