/* SPDX-License-Identifier: Apache-2.0 */
/* Runs and rows lists of random values of every shape: copies are deep, whole and in order. */
#include "support/fixture.h"
#include "type/random_value.h"

#include "storage/run.h"

enum { KIB = 1024, MIB = 1024 * 1024 };

/* ---- one run */

static void test_run__holds_rows_hashes_index_and_tail_apart(void **state)
{
    fixture *f = *state;
    static const size_t counts[] = { 0, 1, 3, 64, 1000 }, sizes[] = { 1, 8, 12, 100 };
    for (size_t i = 0; i < 5 * 4 * 4; i++) {
        const size_t n = counts[i % 5], size = sizes[i / 5 % 4], bytes = i * 7;
        const uint32_t slices = i / 20 % 2 ? 16 : 0;
        const bool hashes = i / 40 != 0;
        char *tail;
        spk_run *run = spk_run_alloc(&f->heap, n, size, bytes, slices, hashes, &tail);
        assert_non_null(run);
        assert_int_equal(run->n, n);
        assert_int_equal(run->slices, slices);
        assert_null(run->next);
        assert_int_equal((uintptr_t)run->rows % 64, 0);
        assert_int_equal(run->hashes != NULL, hashes);
        assert_int_equal(run->offsets != NULL, slices > 0 && n >= slices);
        assert_int_equal(run->ends != NULL, n < slices);
        assert_true(tail + bytes <= (char *)run + run->capacity);
        memset(run->rows, 1, n * size);
        if (hashes)
            memset(run->hashes, 2, n * 8);
        if (run->offsets)
            memset(run->offsets, 3, (slices + 1) * 4);
        if (run->ends)
            memset(run->ends, 3, n * sizeof *run->ends);
        memset(tail, 4, bytes);
        for (size_t j = 0; j < n * size; j++)
            assert_int_equal(run->rows[j], 1);
        for (size_t j = 0; hashes && j < n; j++)
            assert_true(run->hashes[j] == UINT64_C(0x0202020202020202));
        for (size_t j = 0; run->offsets && j <= slices; j++)
            assert_true(run->offsets[j] == 0x03030303);
        for (size_t j = 0; run->ends && j < n; j++)
            assert_true(run->ends[j].slice == 0x03030303 && run->ends[j].end == 0x03030303);
        assert_int_equal(run->n, n);
        spk_runs_free(&f->heap, run);
    }
}

static void test_run__of_no_sane_size_is_refused(void **state)
{
    fixture *f = *state;
    char *tail;
    assert_null(spk_run_alloc(&f->heap, SIZE_MAX / 8, 8, 0, 0, false, &tail));
    assert_null(spk_run_alloc(&f->heap, SIZE_MAX / 64, 16, 0, 0, false, &tail));
    assert_null(spk_run_alloc(&f->heap, 1, 8, SIZE_MAX / 2, 0, false, &tail));
    assert_int_equal(f->heap.mapped, 0);
}

static void test_runs__are_freed_as_a_list(void **state)
{
    fixture *f = *state;
    spk_run *list = NULL;
    for (size_t i = 0; i < 1000; i++) {
        char *tail;
        spk_run *run = spk_run_alloc(&f->heap, i, 8, 0, 0, false, &tail);
        run->next = list;
        list = run;
    }
    spk_runs_free(&f->heap, list);
    spk_runs_free(&f->heap, NULL);
    assert_int_equal(f->heap.mapped, f->heap.cached);
}

/* ---- rows lists */

typedef struct bounds {
    const char *from, *to;
} bounds;

static bool within(void *arg, const spk_leaf *leaf, const void *ptr, size_t bytes)
{
    const bounds *b = arg;
    (void)leaf;
    return (const char *)ptr >= b->from && (const char *)ptr + bytes <= b->to;
}

/* expect_rows: the list is these n values, and everything they point to lies in their own run. */
static void expect_rows(const spk_rows *rows, const char *values, size_t n)
{
    const spk_layout *layout = rows->layout;
    size_t at = 0;
    uint64_t bytes = 0;
    for (const spk_run *run = rows->first; run; run = run->next) {
        bounds b = { (const char *)run, (const char *)run + run->capacity };
        assert_true(run->next != NULL || run == rows->last);
        assert_int_equal((uintptr_t)run->rows % layout->align, 0);
        for (size_t i = 0; i < run->n; i++, at++) {
            const char *row = run->rows + i * layout->size;
            assert_true(at < n);
            assert_true(row >= b.from && row + layout->size <= b.to);
            assert_int_equal(naive_compare(layout->type, row, values + at * layout->size), 0);
            assert_true(spk_value_each_view(layout, row, within, &b));
        }
        bytes += run->bytes;
    }
    assert_int_equal(at, n);
    assert_int_equal(rows->n, n);
    assert_int_equal(rows->bytes, bytes);
}

static void test_rows__are_deep_copies_of_every_type(void **state)
{
    enum { N = 150 };
    fixture *f = *state;
    for (size_t t = 0; t < N_TYPES; t++) {
        static _Alignas(64) char values[N * MAX_SIZE], given[N * MAX_SIZE];
        const spk_layout *layout = layout_of(f->types, all_types[t]);
        const size_t size = layout->size;
        value_pool pool = { .n = 0 };
        spk_rows rows;
        spk_rows_init(&rows, &f->heap, layout);
        expect_rows(&rows, values, 0);
        for (size_t i = 0, some; i < N; i += some) {
            some = random_below(12) < N - i ? random_below(12) : N - i;
            some = some < N - i ? some : N - i;
            value_pool source = { .n = 0 };
            for (size_t j = i; j < i + some; j++)
                random_row(all_types[t], values + j * size, &pool);
            memcpy(given, values + i * size, some * size);
            for (size_t j = 0; j < some; j++) { /* what is given does not outlive the call */
                char *room = pool_alloc(&source, spk_value_bytes(layout, given + j * size));
                spk_value_pack(layout, given + j * size, room);
            }
            assert_true(spk_rows_append(&rows, given, some));
            memset(given, 0xdb, some * size);
            pool_free(&source);
        }
        expect_rows(&rows, values, N);
        spk_rows_fini(&rows);
        expect_rows(&rows, values, 0);
        assert_true(spk_rows_append(&rows, values, 1)); /* a list may be used again */
        expect_rows(&rows, values, 1);
        spk_rows_fini(&rows);
        pool_free(&pool);
    }
}

static void test_rows__of_many_stay_in_few_runs(void **state)
{
    fixture *f = *state;
    spk_rows rows;
    size_t runs = 0;
    int64_t next = 0;
    spk_rows_init(&rows, &f->heap, layout_of(f->types, SPARK_TYPE(int64_t)));
    for (int64_t i = 0; i < 1000000; i++)
        assert_true(spk_rows_append(&rows, (const char *)&i, 1));
    for (const spk_run *run = rows.first; run; run = run->next, runs++)
        for (size_t i = 0; i < run->n; i++)
            assert_true(((const int64_t *)(const void *)run->rows)[i] == next++);
    assert_true(next == 1000000);
    assert_true(runs < 40);
    assert_true(f->heap.mapped < 10 * MIB);
    assert_int_equal(rows.bytes, 8000000);
    spk_rows_fini(&rows);
}

static void test_rows__given_at_once_are_one_run(void **state)
{
    enum { N = 400000 };
    fixture *f = *state;
    spk_rows rows;
    int64_t *values = malloc(N * sizeof *values);
    assert_non_null(values);
    for (int64_t i = 0; i < N; i++)
        values[i] = i * i;
    spk_rows_init(&rows, &f->heap, layout_of(f->types, SPARK_TYPE(int64_t)));
    assert_true(spk_rows_append(&rows, (const char *)values, N));
    assert_ptr_equal(rows.first, rows.last);
    assert_memory_equal(rows.first->rows, values, N * sizeof *values);
    assert_true(spk_rows_append(&rows, NULL, 0));
    spk_rows_fini(&rows);
    free(values);
}

static void test_rows__may_be_huge(void **state)
{
    enum { HUGE = 5 * MIB };
    fixture *f = *state;
    char *text = malloc(HUGE);
    spk_rows rows;
    word_count values[9];
    assert_non_null(text);
    for (size_t i = 0; i < HUGE; i++)
        text[i] = (char)('a' + i % 23);
    spk_rows_init(&rows, &f->heap, layout_of(f->types, SPARK_TYPE(word_count)));
    for (size_t i = 0; i < 9; i++) {
        values[i] = (word_count) { { text + i, i % 3 == 1 ? HUGE - 9 : i }, (int64_t)i };
        assert_true(spk_rows_append(&rows, (const char *)&values[i], 1));
    }
    expect_rows(&rows, (const char *)values, 9);
    assert_true(f->heap.mapped < (uint64_t)24 * MIB);
    spk_rows_fini(&rows);
    assert_true(spk_rows_append(&rows, (const char *)values, 9));
    expect_rows(&rows, (const char *)values, 9);
    assert_ptr_equal(rows.first, rows.last);
    spk_rows_fini(&rows);
    free(text);
}

static void test_rows__without_memory_keep_what_was_there(void **state)
{
    fixture *f = *state;
    spk_rows rows;
    word_count values[3000];
    size_t n = 0;
    for (size_t i = 0; i < 3000; i++)
        values[i] = (word_count) { SPARK_STR("twelve bytes"), (int64_t)i };
    spk_rows_init(&rows, &f->heap, layout_of(f->types, SPARK_TYPE(word_count)));
    f->heap.limit = 64 * KIB;
    while (n < 3000 && spk_rows_append(&rows, (const char *)&values[n], 1))
        n++;
    assert_true(n > 100 && n < 3000);
    expect_rows(&rows, (const char *)values, n);
    assert_false(spk_rows_append(&rows, (const char *)&values[n], 1));
    f->heap.limit = 0;
    assert_true(spk_rows_append(&rows, (const char *)&values[n], 3000 - n));
    expect_rows(&rows, (const char *)values, 3000);
    spk_rows_fini(&rows);
}

static void test_cut__keeps_the_first_rows(void **state)
{
    enum { N = 300 };
    fixture *f = *state;
    count_word values[N];
    for (int64_t i = 0; i < N; i++)
        values[i] = (count_word) { i, SPARK_STR("some text that fills runs") };
    for (uint64_t cut = 0; cut <= N + 2; cut++) {
        const uint64_t kept = cut < N ? cut : N;
        spk_rows rows;
        uint64_t at = 0;
        spk_rows_init(&rows, &f->heap, layout_of(f->types, SPARK_TYPE(count_word)));
        for (size_t i = 0; i < N; i += 3)
            assert_true(spk_rows_append(&rows, (const char *)&values[i], 3));
        assert_ptr_not_equal(rows.first, rows.last);
        spk_rows_cut(&rows, cut);
        assert_int_equal(rows.n, kept);
        for (const spk_run *run = rows.first; run; run = run->next)
            for (size_t i = 0; i < run->n; i++, at++)
                assert_int_equal(naive_compare(SPARK_TYPE(count_word),
                                     run->rows + i * sizeof(count_word), &values[at]),
                    0);
        assert_int_equal(at, kept);
        spk_rows_cut(&rows, N); /* a second cut brings nothing back */
        assert_int_equal(rows.n, kept);
        spk_rows_fini(&rows);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fixture_test(test_run__holds_rows_hashes_index_and_tail_apart),
        fixture_test(test_run__of_no_sane_size_is_refused),
        fixture_test(test_runs__are_freed_as_a_list),
        fixture_test(test_rows__are_deep_copies_of_every_type),
        fixture_test(test_rows__of_many_stay_in_few_runs),
        fixture_test(test_rows__given_at_once_are_one_run),
        fixture_test(test_rows__may_be_huge),
        fixture_test(test_rows__without_memory_keep_what_was_there),
        fixture_test(test_cut__keeps_the_first_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
