/* SPDX-License-Identifier: Apache-2.0 */
/* Statements as programs write them, of hundreds of parts: what they give, and that four times as many of them take no
 * more than the square of that to plan, with room for noise. */
#include "../support/sql_test.h"

#include <time.h>

enum { MOST = 400 };

/* large: a statement of parts, where # is the number of a part and ~ the one before. */
typedef struct large {
    const char *name, *begin, *part, *between;
    int first; /* number of the first part */
    const char *then, *other_part, *other_between; /* others behind them, from 1 */
    const char *end;
} large;

static void repeat(FILE *file, const char *part, const char *between, int from, int n)
{
    for (int i = from; i < n; i++) {
        fputs(i > from ? between : "", file);
        for (const char *at = part; *at; at++)
            if (*at == '#' || *at == '~')
                fprintf(file, "%d", *at == '#' ? i : i - 1);
            else
                fputc(*at, file);
    }
}

static char *text_of(const large *l, int n)
{
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    assert_non_null(file);
    fputs(l->begin, file);
    repeat(file, l->part, l->between ? l->between : "", l->first, n);
    if (l->then) {
        fputs(l->then, file);
        repeat(file, l->other_part, l->other_between, 1, n);
    }
    fputs(l->end ? l->end : "", file);
    fclose(file);
    return text;
}

static spark_context *context_of_views(void)
{
    spark_context *sc = spark_context_new(&(spark_conf) { .app_name = "large", .threads = 1 });
    for (int i = 0; i < MOST; i++) {
        char text[100];
        snprintf(text, sizeof text, "CREATE TEMP VIEW v%d AS SELECT 1 a, 1 b", i);
        sql_run(sc, text);
    }
    return sc;
}

static const large relations[] = {
    { "a chain by commas", "SELECT v0.a FROM ", "v#", ", ", 0, " WHERE ", "v~.b = v#.a", " AND ", NULL },
    { "a star by commas", "SELECT v0.a FROM ", "v#", ", ", 0, " WHERE ", "v0.b = v#.a", " AND ", NULL },
    { "a chain of joins", "SELECT v0.a FROM v0 ", "JOIN v# ON v~.b = v#.a", " ", 1, NULL, NULL, NULL, NULL },
    { "outer joins", "SELECT v0.a FROM v0 ", "LEFT JOIN v# ON v0.b = v#.a", " ", 1, NULL, NULL, NULL, NULL },
    { "common names", "SELECT a FROM v0 ", "JOIN v# USING (a)", " ", 1, NULL, NULL, NULL, NULL },
    { "EXISTS", "SELECT a FROM v0 WHERE ", "EXISTS (SELECT 1 FROM v# w WHERE w.b = v0.b)", " AND ", 1, NULL, NULL,
        NULL, NULL },
    { "NOT IN", "SELECT a FROM v0 WHERE ", "a + 1 NOT IN (SELECT a FROM v#)", " OR ", 1, NULL, NULL, NULL, NULL },
    { "scalar subqueries", "SELECT 1, ", "(SELECT max(a) FROM v# w WHERE w.b = v0.b)", ", ", 1, NULL, NULL, NULL,
        " FROM v0" },
};

static const large expressions[] = {
    { "names that stand for others", "SELECT a x0, ", "x~ + 1 x#", ", ", 1, NULL, NULL, NULL, " FROM v0" },
};

static double processor_time(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* planned: the time that a statement of n parts takes until it can run, at best. */
static double planned(spark_context *sc, const large *l, int n)
{
    double best = 1e9;
    char *text = text_of(l, n);
    for (int round = 0; round < 3; round++) {
        spark_scope *scope = spark_scope_begin(sc);
        const double begun = processor_time();
        const spark_rdd *rows = spark_sql(sc, text);
        const double took = processor_time() - begun;
        if (spark_rdd_status(rows) != SPARK_OK)
            fail_msg("%s: %s", l->name, spark_last_error()->message);
        best = took < best ? took : best;
        spark_scope_end(scope);
    }
    free(text);
    return best;
}

static void grows_with_the_square(spark_context *sc, const large *l, int most)
{
    enum { TIMES = 4, SQUARE = TIMES * TIMES, NOISE = 2 };
    const double few = planned(sc, l, most / TIMES), all = planned(sc, l, most);
    if (all > SQUARE * NOISE * few)
        fail_msg("%s: %.1f ms for %d, %.1f ms for %d", l->name, few * 1e3, most / TIMES, all * 1e3, most);
}

static void test_planning_grows_with_the_square(void **state)
{
    (void)state;
    spark_context *sc = context_of_views();
    for (size_t k = 0; k < sizeof relations / sizeof relations[0]; k++)
        grows_with_the_square(sc, &relations[k], MOST);
    for (size_t k = 0; k < sizeof expressions / sizeof expressions[0]; k++)
        grows_with_the_square(sc, &expressions[k], 1600);
    spark_context_free(sc);
}

/* conditions: of thousands of them planning takes about as much time for each. */
static const large conditions[] = {
    { "AND", "SELECT a FROM v0 WHERE ", "a <> #", " AND ", 2, NULL, NULL, NULL, NULL },
    { "AND of a group", "SELECT a FROM v0 GROUP BY a HAVING ", "count(*) <> #", " AND ", 2, NULL, NULL, NULL, NULL },
    { "OR", "SELECT a FROM v0 WHERE ", "a <> #", " OR ", 2, NULL, NULL, NULL, NULL },
    { "AND of a join", "SELECT v0.a FROM v0, v1 WHERE v0.a = v1.a AND ", "v0.b < v1.b + #", " AND ", 2, NULL, NULL,
        NULL, NULL },
};

static void test_conditions_one_by_one(void **state)
{
    enum { FEW = 2000, TIMES = 4, NOISE = 3 };
    const double short_time = 0.1; /* seconds; where the square went into it, it was 1.5 */
    (void)state;
    spark_context *sc = context_of_views();
    for (size_t k = 0; k < sizeof conditions / sizeof conditions[0]; k++) {
        const double few = planned(sc, &conditions[k], FEW), all = planned(sc, &conditions[k], FEW * TIMES);
        if (all > short_time && all > TIMES * NOISE * few)
            fail_msg("%s: %.1f ms for %d, %.1f ms for %d", conditions[k].name, few * 1e3, FEW, all * 1e3, FEW * TIMES);
    }
    sql_gives(spark_sql(sc, "SELECT count(*) FROM range(9) WHERE id > 2 AND 2 < id AND id + 1 > 4 AND id > 2 AND "
                            "1 + id > 4"),
        "5\n");
    spark_context_free(sc);
}

static void test_hundreds_of_relations(void **state)
{
    (void)state;
    spark_context *sc = context_of_views();
    for (size_t k = 0; k < sizeof relations / sizeof relations[0]; k++) {
        char *text = text_of(&relations[k], MOST), *rows = sql_answer(sc, text);
        for (const char *at = rows; *at; at++) /* one row of ones */
            assert_int_equal(*at, (at - rows) % 2 == 0 ? '1' : at[1] ? '|' : '\n');
        free(rows);
        free(text);
    }
    spark_context_free(sc);
}

static void test_grouping_sets(void **state)
{
    static const large same = { "", "SELECT count(*) FROM (SELECT count(*) FROM v0 GROUP BY GROUPING SETS (", "(a)", ", ",
        0, NULL, NULL, NULL, "))" };
    static const large different = { "", "SELECT count(*) FROM v0 GROUP BY GROUPING SETS (", "(a + #)", ", ", 0, NULL,
        NULL, NULL, ")" };
    static const large rollup = { "", "SELECT count(*) FROM v0 GROUP BY ROLLUP (", "a", ", ", 0, NULL, NULL, NULL, ")" };
    (void)state;
    spark_context *sc = context_of_views();
    char *text = text_of(&same, 200), *rows = sql_answer(sc, text);
    assert_string_equal(rows, "200\n");
    free(rows);
    free(text);
    for (int i = 0; i < 2; i++) {
        text = text_of(i ? &rollup : &different, 200);
        const sql_case refused = { text, "so many columns of grouping sets" };
        sql_all_fail(sc, 1, &refused);
        free(text);
    }
    spark_context_free(sc);
}

/* Lists of literals: of ids, as they are or as texts, where each third one is there. */
static const large lists[] = {
    { "numbers", "SELECT count(*), sum(id) FROM range(0, 300, 1, 1) WHERE id * 3 IN (", "#", ", ", 0, NULL, NULL, NULL,
        ")" },
    { "numbers below zero", "SELECT count(*), sum(id) FROM range(0, 300, 1, 1) WHERE id * -3 IN (", "-#", ", ", 0,
        NULL, NULL, NULL, ")" },
    { "decimals", "SELECT count(*), sum(id) FROM range(0, 300, 1, 1) WHERE id * 3 + 0.5 IN (", "#.5", ", ", 0,
        NULL, NULL, NULL, ")" },
    { "texts", "SELECT count(*), sum(id) FROM range(0, 300, 1, 1) WHERE CAST(id * 3 AS STRING) IN (", "'#'", ", ", 0,
        NULL, NULL, NULL, ")" },
    { "others", "SELECT 300 - count(*), 44850 - coalesce(sum(id), 0) FROM range(0, 300, 1, 1) WHERE id * 3 NOT IN (",
        "#", ", ", 0, NULL, NULL, NULL, ")" },
};

/* test_long_lists: what they are compiled into takes memory in proportion to them; so it does time. */
static void test_long_lists(void **state)
{
    (void)state;
    for (int times = 1; times <= 4; times *= 2) {
        spark_context *sc = spark_context_new(
            &(spark_conf) { .app_name = "large", .threads = 1, .memory_bytes = (uint64_t)(16 * times) << 20 });
        for (size_t k = 0; k < sizeof lists / sizeof lists[0]; k++) {
            char *text = text_of(&lists[k], 25000 * times), *rows = sql_answer(sc, text);
            assert_string_equal(rows, "300|44850\n");
            free(rows);
            free(text);
        }
        spark_context_free(sc);
    }
    spark_context *sc = spark_context_new(&(spark_conf) { .app_name = "large", .threads = 1 });
    for (size_t k = 0; k < sizeof lists / sizeof lists[0]; k++) {
        const double few = planned(sc, &lists[k], 10000), all = planned(sc, &lists[k], 40000);
        if (all > 3 * 4 * few)
            fail_msg("%s: %.1f ms for 10,000, %.1f ms for 40,000", lists[k].name, few * 1e3, all * 1e3);
    }
    spark_context_free(sc);
}

/* test_lists: short ones and long ones, of what is alike and what is not. */
static void test_lists(void **state)
{
    static const large mixed = { "", "SELECT count(*) FROM range(100) WHERE id IN (", "#, 'x' 'y', 1 + #", ", ", 0,
        NULL, NULL, NULL, ")" };
    static const large texts = { "", "SELECT count(*) FROM range(100) WHERE CAST(id AS STRING) IN (", "'#' '0'", ", ",
        0, NULL, NULL, NULL, ")" };
    static const large open = { "", "SELECT count(*) FROM range(100) WHERE id IN (", "#", ", ", 0, NULL, NULL, NULL,
        ", (1)" };
    static const large wrong = { "", "SELECT count(*) FROM range(100) WHERE id IN (", "# 1", ", ", 0, NULL, NULL, NULL,
        ")" };
    static const large unlike = { "", "SELECT count(*) FROM range(100) WHERE id > 5 IN (", "#", ", ", 0, NULL, NULL,
        NULL, ")" };
    static const large huge = { "", "SELECT count(*) FROM range(100) WHERE id IN (", "1e#", ", ", 0, NULL, NULL, NULL,
        ")" };
    const struct {
        const large *list;
        const char *rows, *error;
    } all[] = {
        { &texts, "9\n", NULL },
        { &mixed, NULL, "CAST_INVALID_INPUT" },
        { &open, NULL, "PARSE_SYNTAX_ERROR" },
        { &wrong, NULL, "PARSE_SYNTAX_ERROR" },
        { &unlike, NULL, "DATATYPE_MISMATCH.DATA_DIFF_TYPES" },
        { &huge, NULL, "NUMERIC_LITERAL" },
    };
    (void)state;
    spark_context *sc = context_of_views();
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        for (int n = 10; n <= 1000; n *= 100) {
            char *text = text_of(all[i].list, n), *rows = all[i].rows ? sql_answer(sc, text) : NULL;
            const sql_case refused = { text, all[i].error };
            if (rows)
                assert_string_equal(rows, all[i].rows);
            else if (all[i].list != &huge || n > 10)
                sql_all_fail(sc, 1, &refused);
            free(rows);
            free(text);
        }
    spark_context_free(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_planning_grows_with_the_square),
        cmocka_unit_test(test_conditions_one_by_one),
        cmocka_unit_test(test_hundreds_of_relations),
        cmocka_unit_test(test_grouping_sets),
        cmocka_unit_test(test_long_lists),
        cmocka_unit_test(test_lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
