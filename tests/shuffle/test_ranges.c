/* SPDX-License-Identifier: Apache-2.0 */
/* Ranges: bounds as Spark chooses them, written again naively, and finding against a linear search. */
#include "support/fixture.h"
#include "type/random_value.h"

#include "shuffle/ranges.h"

static spk_ranges ranges_for(fixture *f, const spark_type *type, const spark_order *order)
{
    spk_ranges r = { .n = 0 };
    spk_failure failure;
    assert_int_equal(
        spk_ordering_make(&r.ordering, f->types, layout_of(f->types, type), order, &failure),
        SPARK_OK);
    return r;
}

static const spark_type *by_type;
static int by_sign;

static int naturally(const void *a, const void *b)
{
    return naive_compare(by_type, a, b) * by_sign;
}

/* linear: how many bounds stand before the row: the slice whose bound is the first not before it. */
static uint32_t linear(const spk_ranges *r, const char *row)
{
    uint32_t at = 0;
    while (at < r->n_bounds && naturally(r->bounds + at * r->ordering.layout->size, row) < 0)
        at++;
    return at;
}

static void expect_found(const spk_ranges *r, const char *rows, size_t n)
{
    uint32_t *slices = malloc((n + 1) * sizeof *slices);
    const size_t size = r->ordering.layout->size;
    assert_non_null(slices);
    spk_ranges_find(r, rows, r->ordering.layout->size, n, slices);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(slices[i], linear(r, rows + i * size));
        assert_true(slices[i] < r->n);
    }
    for (size_t i = 1; i < n; i++) { /* rows in order are in slices in order */
        const int c = naturally(rows + (i - 1) * size, rows + i * size);
        if (c == 0)
            assert_int_equal(slices[i - 1], slices[i]);
        else
            assert_true(c < 0 ? slices[i - 1] <= slices[i] : slices[i - 1] >= slices[i]);
    }
    free(slices);
}

static void test_find__agrees_with_a_linear_search_for_every_type(void **state)
{
    enum { N = 120 };
    fixture *f = *state;
    static _Alignas(16) char sample[N * MAX_SIZE], rows[N * MAX_SIZE];
    for (size_t t = 0; t < N_TYPES; t++)
        for (int way = 0; way < 12; way++) {
            value_pool pool = { .n = 0 }, others = { .n = 0 };
            spk_candidate candidates[N];
            const size_t size = all_types[t]->size, n = way % 4 == 3 ? 3 : N;
            spk_ranges r = ranges_for(f, all_types[t], way % 2 ? spark_order_desc : NULL);
            by_type = all_types[t];
            by_sign = way % 2 ? -1 : 1;
            for (size_t i = 0; i < N; i++) {
                random_row(all_types[t], sample + i * size, &pool);
                random_row(all_types[t], rows + i * size, &others);
                candidates[i] = (spk_candidate) { sample + i * size, 1 + (double)random_below(9) };
            }
            assert_true(spk_ranges_make(&r, &f->heap, candidates, n, 1 + way * 3, 1u << way % 4));
            expect_found(&r, sample, N);
            pool_free(&pool); /* the bounds are copies */
            expect_found(&r, rows, N);
            spk_ranges_fini(&r);
            pool_free(&others);
        }
}

/* ---- bounds */

enum { SAMPLE = 2000 };

/* expect_bounds: those of the partitions are what Spark's RangePartitioner chooses. */
static void expect_bounds(const spk_ranges *r, const int64_t *sorted, const double *weights,
    size_t n, int partitions, uint32_t slices)
{
    int64_t bounds[SAMPLE];
    size_t found = 0;
    double total = 0, sum = 0;
    for (size_t i = 0; i < n; i++)
        total += weights[i];
    const double step = total / partitions;
    double target = step;
    for (size_t i = 0; i < n && found + 1 < (size_t)partitions; i++) {
        sum += weights[i];
        if (sum >= target && (found == 0 || sorted[i] > bounds[found - 1])) {
            bounds[found++] = sorted[i];
            target += step;
        }
    }
    assert_int_equal(r->n, (found + 1) * slices);
    assert_int_equal(r->n_bounds, r->n - 1);
    for (size_t p = 0; p < found; p++) {
        const int64_t *bound = (const int64_t *)(const void *)r->bounds + (p + 1) * slices - 1;
        assert_true(*bound == bounds[p]);
    }
    for (uint32_t i = 1; i < r->n_bounds; i++) {
        const int64_t *bound = (const int64_t *)(const void *)r->bounds + i;
        assert_true(bound[-1] <= bound[0]);
    }
}

/* make_numbers: ranges over n numbers below `different`, checked against the naive bounds. */
static spk_ranges make_numbers(
    fixture *f, size_t n, uint64_t different, bool weighted, int partitions, uint32_t slices)
{
    static int64_t values[SAMPLE], sorted[SAMPLE];
    static double weights[SAMPLE];
    static spk_candidate candidates[SAMPLE];
    spk_ranges r = ranges_for(f, SPARK_TYPE(int64_t), NULL);
    for (size_t i = 0; i < n; i++) {
        values[i] = (int64_t)(random_u64() % different) - (int64_t)(different / 2);
        /* equal values weigh the same, so that their order does not matter */
        candidates[i] = (spk_candidate) { (const char *)&values[i],
            weighted ? 1 + (double)((uint64_t)values[i] * 7919 % 13) : 1 };
    }
    assert_true(spk_ranges_make(&r, &f->heap, candidates, n, partitions, slices));
    for (size_t i = 0; i < n; i++) {
        memcpy(&sorted[i], candidates[i].row, 8); /* they are sorted now */
        weights[i] = candidates[i].weight;
        assert_true(i == 0 || sorted[i - 1] <= sorted[i]);
    }
    expect_bounds(&r, sorted, weights, n, partitions, slices);
    by_type = SPARK_TYPE(int64_t);
    by_sign = 1;
    expect_found(&r, (const char *)values, n);
    return r;
}

static void test_bounds__are_those_of_spark(void **state)
{
    for (uint64_t different = 1; different < UINT64_C(1) << 40; different = different * 7 + 1)
        for (int partitions = 1; partitions < 70; partitions = partitions * 2 + 1)
            for (uint32_t slices = 1; slices <= 16; slices *= 4) {
                const size_t n = 1 + random_below(SAMPLE);
                spk_ranges r = make_numbers(*state, n, different, slices == 4, partitions, slices);
                spk_ranges_fini(&r);
            }
}

static void test_bounds__are_fewer_where_values_repeat(void **state)
{
    spk_ranges r = make_numbers(*state, 1000, 1, false, 16, 8);
    assert_int_equal(r.n, 2 * 8); /* all in the first, as in Spark */
    spk_ranges_fini(&r);
    r = make_numbers(*state, 1000, 3, false, 16, 8);
    assert_true(r.n <= 4 * 8);
    spk_ranges_fini(&r);
}

static void test_bounds__of_no_sample_are_none(void **state)
{
    fixture *f = *state;
    const int64_t rows[] = { 3, INT64_MIN, INT64_MAX };
    uint32_t slices[3] = { 9, 9, 9 };
    spk_ranges r = ranges_for(f, SPARK_TYPE(int64_t), NULL);
    assert_true(spk_ranges_make(&r, &f->heap, NULL, 0, 10, 32));
    assert_int_equal(r.n, 32);
    assert_int_equal(r.n_bounds, 0);
    spk_ranges_find(&r, (const char *)rows, r.ordering.layout->size, 3, slices);
    for (int i = 0; i < 3; i++)
        assert_int_equal(slices[i], 0);
    spk_ranges_fini(&r);
    spk_ranges_fini(&r);
}

static void test_bounds__weigh_what_a_row_stands_for(void **state)
{
    fixture *f = *state;
    int64_t values[100];
    spk_candidate candidates[100];
    spk_ranges r = ranges_for(f, SPARK_TYPE(int64_t), NULL);
    for (int64_t i = 0; i < 100; i++) { /* the first ten stand for as much as the others */
        values[i] = i;
        candidates[i] = (spk_candidate) { (const char *)&values[i], i < 10 ? 9 : 1 };
    }
    assert_true(spk_ranges_make(&r, &f->heap, candidates, 100, 2, 1));
    assert_int_equal(r.n, 2);
    assert_true(*(const int64_t *)(const void *)r.bounds == 9);
    spk_ranges_fini(&r);
}

static void test_slices__of_a_partition_are_of_equal_weight(void **state)
{
    enum { PARTITIONS = 4, SLICES = 8 };
    fixture *f = *state;
    static int64_t values[SAMPLE];
    static spk_candidate candidates[SAMPLE];
    static uint32_t slices[SAMPLE], counts[PARTITIONS * SLICES];
    spk_ranges r = ranges_for(f, SPARK_TYPE(int64_t), NULL);
    for (int64_t i = 0; i < SAMPLE; i++) {
        values[i] = i * 7919 % SAMPLE;
        candidates[i] = (spk_candidate) { (const char *)&values[i], 1 };
    }
    assert_true(spk_ranges_make(&r, &f->heap, candidates, SAMPLE, PARTITIONS, SLICES));
    assert_int_equal(r.n, PARTITIONS * SLICES);
    memset(counts, 0, sizeof counts);
    spk_ranges_find(&r, (const char *)values, r.ordering.layout->size, SAMPLE, slices);
    for (size_t i = 0; i < SAMPLE; i++)
        counts[slices[i]]++;
    for (size_t s = 0; s < PARTITIONS * SLICES; s++)
        assert_true(counts[s] + 2 >= SAMPLE / (PARTITIONS * SLICES)
            && counts[s] <= SAMPLE / (PARTITIONS * SLICES) + 2);
    spk_ranges_fini(&r);
}

static void test_make__without_memory_says_so(void **state)
{
    fixture *f = *state;
    word_count values[50];
    spk_candidate candidates[50];
    spk_ranges r = ranges_for(f, SPARK_TYPE(word_count), NULL);
    for (size_t i = 0; i < 50; i++) {
        values[i] = (word_count) { SPARK_STR("a word"), (int64_t)i };
        candidates[i] = (spk_candidate) { (const char *)&values[i], 1 };
    }
    f->heap.limit = 100;
    assert_false(spk_ranges_make(&r, &f->heap, candidates, 50, 10, 8));
    spk_ranges_fini(&r);
    assert_int_equal(f->heap.mapped, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fixture_test(test_find__agrees_with_a_linear_search_for_every_type),
        fixture_test(test_bounds__are_those_of_spark),
        fixture_test(test_bounds__are_fewer_where_values_repeat),
        fixture_test(test_bounds__of_no_sample_are_none),
        fixture_test(test_bounds__weigh_what_a_row_stands_for),
        fixture_test(test_slices__of_a_partition_are_of_equal_weight),
        fixture_test(test_make__without_memory_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
