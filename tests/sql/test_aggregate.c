/* SPDX-License-Identifier: Apache-2.0 */
/* Aggregates: states of parts, merged in order, give what one state does, and that is what a plain
 * loop gives. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sql/eval/aggregate.h"
#include "sql/eval/sorting.h"

enum { ROWS = 2000 };

static int64_t numbers[ROWS];
static double doubles[ROWS];
static spark_str strings[ROWS];
static char texts[ROWS][8];
static uint8_t present[ROWS];

static int make_rows(void **state)
{
    uint64_t x = 9;
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        present[i] = (x >> 40) % 6 != 0;
        numbers[i] = (int64_t)((x >> 33) % 101) - 50;
        doubles[i] = (double)numbers[i] / 4;
        strings[i] = (spark_str) { texts[i],
            (size_t)snprintf(texts[i], sizeof texts[i], "k%d", (int)((x >> 35) % 40)) };
    }
    return 0;
}

typedef struct fixture {
    spk_heap heap;
    spk_arena arena;
    spk_sql_error error;
    spk_sql_build b;
} fixture;

static void open_fixture(fixture *f)
{
    memset(f, 0, sizeof *f);
    spk_heap_init(&f->heap, 0);
    spk_arena_init(&f->arena, &f->heap);
    f->b = (spk_sql_build) { &f->arena, &f->error, NULL };
}

static void close_fixture(fixture *f)
{
    spk_arena_fini(&f->arena);
    spk_heap_fini(&f->heap);
}

static spk_sql_vector column(const spk_sql_type *t, size_t from)
{
    const void *at = t->kind == SPK_SQL_BIGINT || t->kind == SPK_SQL_DECIMAL
        ? (const void *)(numbers + from)
        : t->kind == SPK_SQL_DOUBLE ? (const void *)(doubles + from)
                                    : (const void *)(strings + from);
    return (spk_sql_vector) { at, t->size, present + from };
}

/* result: of rows that are split into parts of so many, each with a state, which are merged in
 * order. by_states: rows
 * find their states by pointers. */
static void result(
    fixture *f, const spk_sql_aggregate *a, size_t part, bool by_states, char *text, size_t size)
{
    char *total = spk_arena_alloc(&f->arena, a->state->size, 16);
    char *states[ROWS];
    spk_sql_agg_init(a, total);
    for (size_t from = 0; from < ROWS; from += part) {
        const uint32_t n = (uint32_t)(ROWS - from < part ? ROWS - from : part);
        char *state = spk_arena_alloc(&f->arena, a->state->size, 16);
        spk_sql_agg_init(a, state);
        for (uint32_t at = 0; at < n; at += 700) {
            const uint32_t some = n - at < 700 ? n - at : 700;
            spk_sql_vector args[2] = { { NULL, 0, NULL }, { NULL, 0, NULL } };
            for (uint32_t k = 0; k < a->n; k++)
                args[k] = column(a->args[k]->type, from + at);
            for (uint32_t k = 0; k < some; k++)
                states[k] = state;
            spk_sql_agg_frame frame = { .aggregate = a,
                .args = args,
                .rows = { NULL, some },
                .states = by_states ? states : NULL,
                .state = state,
                .arena = &f->arena,
                .error = &f->error };
            assert_true(spk_sql_agg_update(&frame));
        }
        spk_sql_agg_seal(a, state);
        assert_true(spk_sql_agg_merge(a, total, state, &f->arena, &f->error));
    }
    char *value = spk_arena_alloc(&f->arena, 64, 16);
    bool valid;
    assert_true(spk_sql_agg_finish(a, total, value, &valid, &f->arena, &f->error));
    if (valid)
        spk_sql_value_print(a->type, value, 0, text, size);
    else
        snprintf(text, size, "NULL");
}

static const spk_sql_aggregate *make(
    fixture *f, const char *name, const spk_sql_type *x, const spk_sql_type *y)
{
    const spk_sql_span span = { 0, 1 };
    spk_sql_expr *args[] = { x ? spk_sql_column(&f->b, 0, "x", x, true, span) : NULL,
        y ? spk_sql_column(&f->b, 1, "y", y, true, span) : NULL };
    const spk_sql_aggregate *a = spk_sql_aggregate_make(
        &f->b, name, args, (size_t)(x != NULL) + (size_t)(y != NULL), !x, false, span);
    if (!a)
        fail_msg("%s: %s", name, f->error.condition);
    return a;
}

static void merged(void **state)
{
    static const char *const names[] = { "count", "sum", "avg", "min", "max", "first", "last",
        "any_value", "collect_list", "collect_set", "approx_count_distinct", "mode" };
    fixture f;
    (void)state;
    open_fixture(&f);
    const spk_sql_type *const types[]
        = { spk_sql_type_of(SPK_SQL_BIGINT), spk_sql_type_of(SPK_SQL_DOUBLE),
              spk_sql_type_decimal(&f.arena, 12, 2), spk_sql_type_of(SPK_SQL_STRING) };
    static char one[60000], other[60000];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        for (size_t t = 0; t < 4; t++) {
            if (t == 3 && (i == 1 || i == 2))
                continue; /* strings are summed as numbers, and these are none */
            const spk_sql_aggregate *a = make(&f, names[i], types[t], NULL);
            result(&f, a, ROWS, false, one, sizeof one);
            static const size_t parts[] = { 1, 3, 700, 1999 };
            for (int k = 0; k < 4; k++)
                for (int by = 0; by < 2; by++) {
                    result(&f, a, parts[k], by, other, sizeof other);
                    if (strcmp(one, other) != 0)
                        fail_msg("%s of type %zu in parts of %zu: %.60s, %.60s", names[i], t,
                            parts[k], one, other);
                }
        }
    close_fixture(&f);
}

static void expect(
    fixture *f, const char *name, const spk_sql_type *x, const spk_sql_type *y, const char *want)
{
    char text[400];
    result(f, make(f, name, x, y), 300, false, text, sizeof text);
    if (strcmp(text, want) != 0)
        fail_msg("%s: %s instead of %s", name, text, want);
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void values(void **state)
{
    fixture f;
    char want[100];
    int64_t n = 0, sum = 0, least = INT64_MAX, most = INT64_MIN;
    double sorted[ROWS], mean = 0, m2 = 0;
    (void)state;
    open_fixture(&f);
    for (size_t i = 0; i < ROWS; i++) {
        if (!present[i])
            continue;
        sorted[n++] = doubles[i];
        sum += numbers[i];
        least = numbers[i] < least ? numbers[i] : least;
        most = numbers[i] > most ? numbers[i] : most;
        mean += doubles[i];
    }
    mean /= (double)n;
    for (int64_t i = 0; i < n; i++)
        m2 += (sorted[i] - mean) * (sorted[i] - mean);
    qsort(sorted, (size_t)n, sizeof *sorted, by_value);
    const spk_sql_type *i64 = spk_sql_type_of(SPK_SQL_BIGINT),
                       *f64 = spk_sql_type_of(SPK_SQL_DOUBLE);
    const spk_sql_type *money = spk_sql_type_decimal(&f.arena, 12, 2);
#define EXPECT(name, x, ...)                                                                       \
    do {                                                                                           \
        snprintf(want, sizeof want, __VA_ARGS__);                                                  \
        expect(&f, name, x, NULL, want);                                                           \
    } while (0)
    EXPECT("count", i64, "%lld", (long long)n);
    EXPECT("count", NULL, "%d", ROWS);
    EXPECT("sum", i64, "%lld", (long long)sum);
    EXPECT("sum", money, "%s%lld.%02lld", sum < 0 ? "-" : "", llabs(sum) / 100, llabs(sum) % 100);
    EXPECT("min", i64, "%lld", (long long)least);
    EXPECT("max", i64, "%lld", (long long)most);
    char text[60];
    result(&f, make(&f, "var_samp", f64, NULL), 300, false, text, sizeof text);
    assert_true(fabs(atof(text) - m2 / (double)(n - 1)) < 1e-9);
    result(&f, make(&f, "stddev_pop", f64, NULL), 2000, false, text, sizeof text);
    assert_true(fabs(atof(text) - sqrt(m2 / (double)n)) < 1e-9);
    result(&f, make(&f, "corr", f64, f64), 111, false, text, sizeof text);
    assert_true(fabs(atof(text) - 1) < 1e-9);
    result(&f, make(&f, "median", f64, NULL), 111, false, text, sizeof text);
    assert_true(fabs(atof(text) - (n % 2 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2))
        < 1e-9);
    close_fixture(&f);
}

/* Sums that overflow on the way, but not at the end, are no error in any order; sums that do are
 * one. */
static void overflow(void **state)
{
    fixture f;
    int64_t big[] = { INT64_MAX, INT64_MAX, INT64_MIN, INT64_MIN, 5 };
    (void)state;
    open_fixture(&f);
    const spk_sql_aggregate *a = make(&f, "sum", spk_sql_type_of(SPK_SQL_BIGINT), NULL);
    char *s = spk_arena_alloc(&f.arena, a->state->size, 16);
    int64_t value;
    bool valid;
    spk_sql_agg_init(a, s);
    spk_sql_vector v = { (const char *)big, 8, NULL };
    spk_sql_agg_frame frame = { .aggregate = a,
        .args = &v,
        .rows = { NULL, 5 },
        .state = s,
        .arena = &f.arena,
        .error = &f.error };
    assert_true(spk_sql_agg_update(&frame));
    assert_true(spk_sql_agg_finish(a, s, &value, &valid, &f.arena, &f.error));
    assert_int_equal(value, 3);
    frame.rows.n = 1;
    assert_true(spk_sql_agg_update(&frame));
    assert_false(spk_sql_agg_finish(a, s, &value, &valid, &f.arena, &f.error));
    assert_string_equal(f.error.condition, "ARITHMETIC_OVERFLOW");
    close_fixture(&f);
}

/* ---- settling */

static int compare_doubles(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return x != x || y != y ? (x != x) - (y != y) : (x > y) - (x < y);
}

/* shaped: the i-th of n values, in shapes that pivots go wrong in. */
static double shaped(int shape, size_t i, size_t n)
{
    const uint64_t mixed = (i * 2654435761u) >> 7;
    switch (shape) {
    case 0:
        return (double)i - 100;
    case 1:
        return (double)(n - i);
    case 2:
        return 7;
    case 3:
        return (double)(i % 3) - 1;
    case 4:
        return i < n / 2 ? (double)i : (double)(n - i);
    case 5:
        return i % 2 ? -(double)mixed : (double)(mixed % 50);
    case 6:
        return (i * 4) % (n ? n : 1) < 4 ? -1e300 * (double)i : (double)i; /* the pivots are looked for where few are */
    default:
        return i % 5 == 0 ? NAN : i % 7 == 0 ? -NAN : i % 11 == 0 ? -INFINITY : (double)mixed;
    }
}

static void test_settling(void **state)
{
    static const size_t lengths[] = { 1, 2, 16, 17, 100, 5000 };
    static double values[5000], sorted[5000];
    const spk_sql_type *t = spk_sql_type_of(SPK_SQL_DOUBLE);
    (void)state;
    for (int shape = 0; shape < 8; shape++)
        for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++)
            for (size_t part = 0; part < 5; part++) {
                const size_t n = lengths[l], from = n * part / 5, to = part == 4 ? n : from + 1 + n / 50;
                for (size_t i = 0; i < n; i++)
                    values[i] = sorted[i] = shaped(shape, i, n);
                qsort(sorted, n, sizeof *sorted, compare_doubles);
                assert_true(spk_sql_keys(t, (char *)values, n));
                spk_sql_keys_settle((int64_t *)(void *)values, n, from, to < n ? to : n);
                for (size_t i = 0; i < n; i++)
                    spk_sql_key_value(t, (char *)&values[i]);
                for (size_t i = from; i < to && i < n; i++)
                    assert_int_equal(compare_doubles(&values[i], &sorted[i]), 0);
                for (size_t i = 0; i < n; i++)
                    assert_true(i < from ? compare_doubles(&values[i], &sorted[from]) <= 0
                                         : compare_doubles(&values[i], &sorted[from]) >= 0);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_settling),
        cmocka_unit_test(merged),
        cmocka_unit_test(values),
        cmocka_unit_test(overflow),
    };
    return cmocka_run_group_tests(tests, make_rows, NULL);
}
