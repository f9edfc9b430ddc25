/* SPDX-License-Identifier: Apache-2.0 */
/* The first rows of each partition of a window: where a condition asks for no others these are left out early, and
 * what comes out is what it is where the condition is one that nobody looks through; the same bytes for any number of
 * threads, batch size, budget and faults. */
#include "../support/sql_test.h"

static const sql_kind kind
    = { .name = "windows", .master = "local-cluster[2,1,256]", .batch_rows = 7, .max_failures = 20, .seed = 5 };

static const char rows[]
    = "(SELECT id, IF(id %% 11 = 0, NULL, id * 7919 %% 101) n, IF(id %% 13 = 0, NULL, concat('text ', id * 31 %% "
      "57)) s, IF(id %% 17 = 0, NULL, CAST(id * 37 %% 991 AS DOUBLE) / 4) d, id * 7919 %% 20011 many, "
      "repeat(CAST(id %% 10 AS STRING), 200) long FROM range(0, %lld, 1, 5))";

/* A window, its function, the condition on its number r, and the same condition in other words. */
static const struct {
    int64_t rows;
    const char *what, *window, *condition, *hidden;
} cases[] = {
    { 20000, "row_number()", "PARTITION BY n ORDER BY d DESC", "r <= 2", "r + 0 <= 2" },
    { 20000, "row_number()", "PARTITION BY s, n % 3 ORDER BY d, s DESC", "r < 4", "r + 0 < 4" },
    { 20000, "row_number()", "PARTITION BY d ORDER BY n DESC NULLS FIRST, s NULLS LAST", "1 = r", "r + 0 = 1" },
    { 20000, "row_number()", "PARTITION BY n ORDER BY s", "r = 3", "r + 0 = 3" },
    { 20000, "row_number()", "PARTITION BY many ORDER BY n", "10 >= r AND id % 2 = 0", "r + 0 <= 10 AND id % 2 = 0" },
    { 20000, "rank()", "PARTITION BY n ORDER BY d % 7", "r <= 3", "r + 0 <= 3" },
    { 20000, "rank()", "PARTITION BY s ORDER BY n DESC, s", "5 > r", "r + 0 < 5" },
    { 20000, "rank()", "PARTITION BY n ORDER BY s", "r <= 400", "r + 0 <= 400" },
    { 20000, "dense_rank()", "PARTITION BY n ORDER BY s", "r <= 2", "r + 0 <= 2" },
    { 20000, "percent_rank()", "PARTITION BY n ORDER BY s", "r <= 1", "r + 0 <= 1" },
    { 20000, "ntile(4)", "PARTITION BY n ORDER BY s", "r <= 2", "r + 0 <= 2" },
    { 160000, "row_number()", "PARTITION BY many ORDER BY n, long", "r <= 1", "r + 0 <= 1" },
    { 160000, "row_number()", "PARTITION BY id ORDER BY n, long", "r <= 1 AND id % 50 = 0",
        "r + 0 <= 1 AND id % 50 = 0" },
};

/* statement: over rows as they are made, or kept as columns. */
static void statement(char *sql, size_t size, size_t i, bool kept, bool hidden)
{
    char from[1000];
    int n = snprintf(from, sizeof from, rows, (long long)cases[i].rows);
    assert_true(n > 0 && (size_t)n < sizeof from);
    n = snprintf(sql, size,
        "SELECT r, id, n, s, d, many, substr(long, 1, 3) FROM (SELECT *, %s OVER (%s) r FROM %s) WHERE %s",
        cases[i].what, cases[i].window, kept ? cases[i].rows > 20000 ? "kept_many" : "kept" : from,
        hidden ? cases[i].hidden : cases[i].condition);
    assert_true(n > 0 && (size_t)n < size);
}

static void keep(spark_context *sc, const char *name, long long n)
{
    char from[1000], sql[1200];
    snprintf(from, sizeof from, rows, n);
    snprintf(sql, sizeof sql, "CACHE TABLE %s AS SELECT * FROM %s", name, from);
    sql_run(sc, sql);
}

static void test_first(void **state)
{
    (void)state;
    enum { CASES = sizeof cases / sizeof cases[0] };
    char *first[CASES], sql[2000];
    for (size_t variant = 0; variant < SQL_VARIANTS; variant++) {
        spark_context *sc = sql_open(&kind, variant);
        keep(sc, "kept", 20000);
        keep(sc, "kept_many", 160000);
        for (size_t i = 0; i < CASES; i++)
            for (int way = variant == 0 ? 0 : 1; way < 3; way++) {
                statement(sql, sizeof sql, i, way == 2, way == 0);
                sql_same(variant + (size_t)way, sql, sql_answer(sc, sql), &first[i]);
            }
        spark_context_free(sc);
    }
    for (size_t i = 0; i < CASES; i++)
        free(first[i]);
}

/* test_shared: a window that is there twice, with conditions that leave different rows. */
static void test_shared(void **state)
{
    (void)state;
    spark_context *sc = sql_open(&kind, 0);
    sql_gives(spark_sql(sc, "WITH w AS (SELECT id, row_number() OVER (PARTITION BY id % 3 ORDER BY id DESC) r "
                            "FROM range(30)) SELECT (SELECT count(*) FROM w), (SELECT count(*) FROM w WHERE r <= 2), "
                            "(SELECT sum(id) FROM w WHERE r < 2), (SELECT count(*) FROM w WHERE r >= 2)"),
        "30|6|84|27\n");
    spark_context_free(sc);
}

/* test_sliding: frames that slide, beside groups over the same rows. */
static void test_sliding(void **state)
{
    (void)state;
#define T "(SELECT id, id * 7919 % 1009 k, nullif(id * 31 % 97, 5) / 4 d, concat('s', id * 13 % 500) s FROM " \
    "range(1500))"
#define ALL(over) "stddev(d)" over " a, corr(d, k)" over " b, skewness(d)" over " c, regr_slope(d, k)" over " e, " \
    "covar_pop(d, k)" over " f, max_by(s, k)" over " g, min_by(k, s)" over " h, bit_xor(k)" over " i, " \
    "max(struct(d, s))" over " j"
    static const char *const sql
        = "SELECT count(*), count(w.a), max(abs(w.a - g.a) + abs(w.b - g.b) + abs(w.c - g.c) + abs(w.e - g.e) + "
          "abs(w.f - g.f)) < 1e-9, min(w.g <=> g.g AND w.h <=> g.h AND w.i <=> g.i AND w.j <=> g.j) FROM (SELECT id, "
          ALL(" OVER (ORDER BY id ROWS BETWEEN 150 PRECEDING AND 20 FOLLOWING)") " FROM " T ") w JOIN (SELECT x.id, "
          ALL("") " FROM (SELECT id FROM range(1500)) x JOIN " T " y ON y.id BETWEEN x.id - 150 AND x.id + 20 GROUP BY "
          "x.id) g ON w.id = g.id";
    spark_context *sc = spark_context_new(&(spark_conf) { .app_name = "windows", .threads = 2 });
    sql_gives(spark_sql(sc, sql), "1500|1500|true|true\n");
    spark_context_free(sc);
#undef ALL
#undef T
}

/* test_ranked: aggregates that keep their values, in frames that move, grow and shrink: beside groups over the same
 * rows, and what has an order beside lists of that order. */
static void test_ranked(void **state)
{
    (void)state;
    static const struct {
        int from, to;
        const char *frame;
    } frames[] = {
        { -150, 20, "150 PRECEDING AND 20 FOLLOWING" },
        { -700, 0, "UNBOUNDED PRECEDING AND CURRENT ROW" },
        { 0, 700, "CURRENT ROW AND UNBOUNDED FOLLOWING" },
        { -320, -210, "320 PRECEDING AND 210 PRECEDING" },
        { -700, 700, "UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING" },
    };
#define ALL(over) "percentile(d, 0.3)" over " a, percentile(d, array(0, 0.21, 1)) FILTER (WHERE k > 300)" over " b, " \
    "percentile_approx(i, array(0.5, 0.9))" over " c, approx_percentile(c, 0.4)" over " e, mode(w)" over " f, mode(s)" \
    over " g, mode(d) FILTER (WHERE w < 4)" over " h, mode(i, true)" over " i"
#define LISTED(over) "sort_array(collect_list(s)" over ") j, sort_array(collect_set(named_struct('a', s, 'b', w)) " \
    "FILTER (WHERE w >= 0)" over ") l"
    spark_context *sc = spark_context_new(&(spark_conf) { .app_name = "windows", .threads = 2 });
    sql_run(sc, "CREATE TEMPORARY VIEW t AS SELECT id, id * 7919 % 1009 k, id * 31 % 7 w, nullif(id * 31 % 97, 5) / 4D "
                "- 3 d, CAST(id * 17 % 89 AS INT) i, CAST(id * 11 % 301 AS DECIMAL(20, 2)) / 4 c, IF(id % 9 = 0, NULL, "
                "concat('s', id * 13 % 50)) s FROM range(700)");
    sql_run(sc, "CACHE TABLE t");
    for (size_t i = 0; i < sizeof frames / sizeof frames[0]; i++) {
        char sql[6000];
        const int from = frames[i].from, to = frames[i].to;
        int n = snprintf(sql, sizeof sql,
            "SELECT count(*), min(v.list = p.list AND v.ones = array_distinct(p.list)) FROM (SELECT id, "
            "collect_list(k) OVER z list, collect_set(k) OVER z ones FROM t WINDOW z AS (ORDER BY id ROWS BETWEEN %s)) v "
            "JOIN (SELECT id, transform(filter(sequence(id + %d, id + %d), x -> x BETWEEN 0 AND 699), "
            "x -> x * 7919 %% 1009) list FROM range(700)) p USING (id)", frames[i].frame, from, to);
        assert_true(n > 0 && (size_t)n < sizeof sql);
        sql_gives(spark_sql(sc, sql), "700|true\n");
        n = snprintf(sql, sizeof sql,
            "SELECT count(*), min(v.a <=> g.a AND v.b <=> g.b AND v.c <=> g.c AND v.e <=> g.e AND v.f <=> g.f AND v.g "
            "<=> g.g AND v.h <=> g.h AND v.i <=> g.i AND v.j = g.j AND v.l = g.l) FROM (SELECT id, " ALL(" OVER z") ", "
            LISTED(" OVER z") " FROM t WINDOW z AS (ORDER BY id ROWS BETWEEN %s)) v JOIN (SELECT x.id, " ALL("") ", "
            LISTED("") " FROM range(700) x LEFT JOIN t ON t.id BETWEEN x.id + %d AND x.id + %d GROUP BY x.id) g USING "
            "(id)", frames[i].frame, from, to);
        assert_true(n > 0 && (size_t)n < sizeof sql);
        sql_gives(spark_sql(sc, sql), "700|true\n");
    }
    spark_context_free(sc);
#undef LISTED
#undef ALL
}

/* test_ranked__as_spark: sums of hashes are those of Spark 4.3. */
static void test_ranked__as_spark(void **state)
{
    (void)state;
    static const struct {
        const char *frame, *sums;
    } frames[] = {
        { "id ROWS BETWEEN 150 PRECEDING AND 20 FOLLOWING",
            "-251558279165|323045020754|55324184141|28145361435|-525702400907|568159067064|-554099566173|700|700\n" },
        { "id", "248250342344|86936673564|-444752492019|16721564473|-496163916125|653248253700|-101727902293|700|700\n" },
        { "k RANGE BETWEEN 200 PRECEDING AND 100 PRECEDING",
            "61990466618|12634889460|54968096578|-10341795212|50570428924|303987924766|-132311150484|631|631\n" },
    };
    spark_context *sc = spark_context_new(&(spark_conf) { .app_name = "windows", .threads = 2 });
    for (size_t i = 0; i < sizeof frames / sizeof frames[0]; i++) {
        char sql[2000];
        const int n = snprintf(sql, sizeof sql,
            "SELECT sum(hash(a)), sum(hash(b)), sum(hash(c)), sum(hash(e)), sum(hash(f)), sum(hash(g)), sum(hash(h)), count(a), "
            "count(c) FROM (SELECT percentile(d, 0.3) OVER z a, percentile(d, array(0, 0.21, 1)) FILTER (WHERE k > 300) OVER z "
            "b, percentile_approx(i, array(0.5, 0.9)) OVER z c, collect_list(s) OVER z e, sort_array(collect_set(s) OVER z) f, "
            "mode() WITHIN GROUP (ORDER BY i) OVER z g, mode(s, true) OVER z h FROM (SELECT id, id * 7919 %% 1009 k, nullif(id * "
            "31 %% 97, 5) / 4D - 3 d, CAST(id * 17 %% 89 AS INT) i, IF(id %% 9 = 0, NULL, concat('s', id * 13 %% 50)) s FROM "
            "range(0, 700, 1, 1)) WINDOW z AS (ORDER BY %s))",
            frames[i].frame);
        assert_true(n > 0 && (size_t)n < sizeof sql);
        sql_gives(spark_sql(sc, sql), frames[i].sums);
    }
    sql_gives(spark_sql(sc, "SELECT percentile(x, 0.3), percentile(x, 0.6) FROM VALUES (-3D), (4.75D) t(x)"),
        "-0.6750000000000003|1.6499999999999995\n");
    spark_context_free(sc);
}

/* test_ranked__in_time: many rows in frames of many, which the square of would take hours. */
static void test_ranked__in_time(void **state)
{
    (void)state;
    spark_context *sc = spark_context_new(&(spark_conf) { .app_name = "windows", .threads = 2, .task_timeout_ms = 60000 });
    sql_gives(spark_sql(sc, "SELECT sum(size(l)), sum(size(s)), max(p), min(m) FROM (SELECT collect_list(id) OVER w l, "
                            "collect_set(id % 5) OVER w s, percentile(id, 0.5) OVER w p, mode(id % 7) OVER w m FROM "
                            "range(0, 300000, 1, 1) WINDOW w AS (ORDER BY id ROWS BETWEEN 100000 PRECEDING AND CURRENT "
                            "ROW))"),
        "25000250000|1499990|249999.0|0\n");
    spark_context_free(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sliding),
        cmocka_unit_test(test_ranked),
        cmocka_unit_test(test_ranked__as_spark),
        cmocka_unit_test(test_ranked__in_time),
        cmocka_unit_test(test_first),
        cmocka_unit_test(test_shared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
