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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_planning_grows_with_the_square),
        cmocka_unit_test(test_hundreds_of_relations),
        cmocka_unit_test(test_grouping_sets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
