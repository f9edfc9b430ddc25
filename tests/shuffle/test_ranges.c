/* SPDX-License-Identifier: Apache-2.0 */
/* Ranges: bounds as Spark chooses them, written again naively, and finding against a linear search. */
#include "support/fixture.h"
#include "type/random_value.h"

#include "shuffle/ranges.h"

/* tagged: the order looks at members in the middle and at the end. */
SPARK_STRUCT(tagged, (spark_str, payload), (uint8_t, code), (int64_t, number), (spark_str, text));

static spk_ranges ranges_for(fixture *f, const spark_type *type, const spark_order *order)
{
    spk_ranges r = { .n = 0 };
    spk_failure failure;
    assert_int_equal(
        spk_ordering_make(&r.ordering, f->types, layout_of(f->types, type), order, &failure),
        SPARK_OK);
    spk_ordering_keys(&r.ordering, f->types, &r.keys);
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
    while (at < r->n_bounds && naturally(r->bounds + at * r->keys.layout->size, row) < 0)
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
            const size_t size = all_types[t]->size, n = way % 4 == 3 ? 3 : N;
            spk_ranges r = ranges_for(f, all_types[t], way % 2 ? spark_order_desc : NULL);
            by_type = all_types[t];
            by_sign = way % 2 ? -1 : 1;
            for (size_t i = 0; i < N; i++) {
                random_row(all_types[t], sample + i * size, &pool);
                random_row(all_types[t], rows + i * size, &others);
            }
            assert_int_equal(r.keys.layout->size, size); /* the whole element is the key here */
            assert_true(spk_ranges_make(&r, &f->heap, sample, n, 1 + way * 3, 1u << way % 4));
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
static void expect_bounds(
    const spk_ranges *r, const int64_t *sorted, size_t n, int partitions, uint32_t slices)
{
    int64_t bounds[SAMPLE];
    size_t found = 0;
    double sum = 0;
    const double step = (double)n / partitions;
    double target = step;
    for (size_t i = 0; i < n && found + 1 < (size_t)partitions; i++) {
        sum += 1;
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
    fixture *f, size_t n, uint64_t different, int partitions, uint32_t slices)
{
    static int64_t values[SAMPLE], sorted[SAMPLE];
    spk_ranges r = ranges_for(f, SPARK_TYPE(int64_t), NULL);
    for (size_t i = 0; i < n; i++)
        values[i] = sorted[i] = (int64_t)(random_u64() % different) - (int64_t)(different / 2);
    assert_true(spk_ranges_make(&r, &f->heap, (char *)sorted, n, partitions, slices));
    for (size_t i = 1; i < n; i++)
        assert_true(sorted[i - 1] <= sorted[i]);
    expect_bounds(&r, sorted, n, partitions, slices);
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
                spk_ranges r = make_numbers(*state, n, different, partitions, slices);
                spk_ranges_fini(&r);
            }
}

static void test_bounds__are_fewer_where_values_repeat(void **state)
{
    spk_ranges r = make_numbers(*state, 1000, 1, 16, 8);
    assert_int_equal(r.n, 2 * 8); /* all in the first, as in Spark */
    spk_ranges_fini(&r);
    r = make_numbers(*state, 1000, 3, 16, 8);
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

static void test_bounds__are_keys_alone(void **state)
{
    SPARK_ORDER(by_text_and_code, tagged, (desc, text), (asc, code));
    fixture *f = *state;
    static char payload[20000];
    tagged rows[60];
    spk_ranges r = ranges_for(f, SPARK_TYPE(tagged), by_text_and_code);
    static _Alignas(16) char keys[60 * 64];
    char texts[60][8];
    uint32_t slices[60];
    const size_t size = r.keys.layout->size;
    assert_true(size <= 64 && size < sizeof(tagged)); /* without the payload */
    for (int i = 0; i < 60; i++) {
        snprintf(texts[i], sizeof texts[i], "t%02d", i * 7 % 60 / 2);
        rows[i] = (tagged) { { payload, sizeof payload }, (uint8_t)(i % 2), 0, { texts[i], 3 } };
        spk_ordering_key(&r.ordering, &r.keys, &rows[i], keys + (size_t)i * size);
    }
    assert_true(spk_ranges_make(&r, &f->heap, keys, 60, 10, 1));
    assert_int_equal(r.n, 10);
    assert_true(r.capacity < 16384); /* with the cells that a search starts from */
    spk_ranges_find(&r, (const char *)rows, sizeof *rows, 60, slices);
    for (int i = 0; i < 60; i++)
        for (int j = 0; j < 60; j++) { /* as a plain comparison has them */
            const int texts_differ = memcmp(texts[j], texts[i], 3);
            const int c = texts_differ ? texts_differ : rows[i].code - rows[j].code;
            assert_true(c != 0 || slices[i] == slices[j]);
            assert_true(c >= 0 || slices[i] <= slices[j]);
        }
    spk_ranges_fini(&r);
}

static void test_slices__of_a_partition_are_of_equal_weight(void **state)
{
    enum { PARTITIONS = 4, SLICES = 8 };
    fixture *f = *state;
    static int64_t values[SAMPLE];
    static int64_t sample[SAMPLE];
    static uint32_t slices[SAMPLE], counts[PARTITIONS * SLICES];
    spk_ranges r = ranges_for(f, SPARK_TYPE(int64_t), NULL);
    for (int64_t i = 0; i < SAMPLE; i++)
        values[i] = sample[i] = i * 7919 % SAMPLE;
    assert_true(spk_ranges_make(&r, &f->heap, (char *)sample, SAMPLE, PARTITIONS, SLICES));
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
    spk_ranges r = ranges_for(f, SPARK_TYPE(word_count), NULL);
    for (size_t i = 0; i < 50; i++)
        values[i] = (word_count) { SPARK_STR("a word"), (int64_t)i };
    f->heap.limit = 100;
    assert_false(spk_ranges_make(&r, &f->heap, (char *)values, 50, 10, 8));
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
        fixture_test(test_bounds__are_keys_alone),
        fixture_test(test_slices__of_a_partition_are_of_equal_weight),
        fixture_test(test_make__without_memory_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
