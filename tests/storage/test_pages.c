/* SPDX-License-Identifier: Apache-2.0 */
/* Pages of random values of every shape: wherever one looks, there is what was written. */
#include "storage/pages.h"

#include <unistd.h>

#include "support/fixture.h"
#include "type/random_value.h"

enum { KIB = 1024, MIB = 1024 * 1024, DISTINCT = 13 };

typedef struct paged {
    fixture f;
    spk_store store;
    value_pool pool;
} paged;

static int open_paged(void **state)
{
    paged *p = calloc(1, sizeof *p);
    if (!p)
        return -1;
    spk_heap_init(&p->f.heap, 2 * MIB);
    p->f.types = spk_types_new();
    spk_store_init(&p->store, &p->f.heap, ".");
    *state = p;
    return 0;
}

static int close_paged(void **state)
{
    paged *p = *state;
    spk_store_fini(&p->store);
    pool_free(&p->pool);
    spk_types_free(p->f.types);
    const bool given_back = p->f.heap.mapped == p->f.heap.cached;
    spk_heap_fini(&p->f.heap);
    free(p);
    return given_back ? 0 : -1;
}

#define paged_test(f) cmocka_unit_test_setup_teardown(f, open_paged, close_paged)

/* assert_row: of n rows of which DISTINCT are repeated. */
static void assert_row(spk_pages *pages, const spk_layout *layout, const char *rows, uint64_t i)
{
    spk_failure failure;
    const char *row = spk_pages_row(pages, i, &failure);
    assert_non_null(row);
    assert_true(spk_value_equal(layout, row, rows + i % DISTINCT * layout->size));
    assert_true(spk_pages_border(pages, i) > i);
}

static void test_pages__have_every_row_of_every_type(void **state)
{
    paged *p = *state;
    spk_failure failure;
    for (size_t k = 0; k < sizeof all_types / sizeof *all_types; k++) {
        const spk_layout *layout = layout_of(p->f.types, all_types[k]);
        const size_t n = DISTINCT + random_below(4000), size = layout->size;
        char *rows = aligned_alloc(64, (DISTINCT * size + 63) / 64 * 64);
        spk_pages pages;
        spk_pages_init(&pages, &p->store, layout);
        for (size_t i = 0; i < DISTINCT; i++)
            random_row(all_types[k], rows + i * size, &p->pool);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(spk_pages_append(&pages, rows + i % DISTINCT * size, &failure), SPARK_OK);
        assert_int_equal(spk_pages_end(&pages, &failure), SPARK_OK);
        assert_int_equal(pages.n, n);
        for (size_t i = 0; i < n; i++)
            assert_row(&pages, layout, rows, i);
        for (size_t i = 0; i < 1000; i++)
            assert_row(&pages, layout, rows, random_below(n));
        assert_int_equal(spk_pages_border(&pages, n - 1), n);
        spk_pages_fini(&pages);
        spk_pages_fini(&pages);
        free(rows);
        pool_free(&p->pool);
    }
}

static void write_numbers(paged *p, spk_pages *pages, int64_t n)
{
    spk_failure failure;
    spk_pages_init(pages, &p->store, layout_of(p->f.types, SPARK_TYPE(int64_t)));
    for (int64_t i = 0; i < n; i++)
        assert_int_equal(spk_pages_append(pages, (const char *)&i, &failure), SPARK_OK);
    assert_int_equal(spk_pages_end(pages, &failure), SPARK_OK);
}

static void test_pages__keep_as_many_as_they_say(void **state)
{
    paged *p = *state;
    enum { N = MIB };
    spk_pages pages;
    spk_failure failure;
    uint64_t peak;
    const char *row[SPK_PAGES];
    write_numbers(p, &pages, N);
    assert_true(pages.disk.bytes >= N * 8 && pages.disk.n > 3 * SPK_PAGES);
    assert_true(spk_heap_used(&p->f.heap, &peak) == 0);
    for (int64_t from = 0; from < N; from += N / 7) {
        for (int k = 0; k < SPK_PAGES; k++)
            row[k] = spk_pages_row(&pages, (uint64_t)((from + k * (N / SPK_PAGES)) % N), &failure);
        for (int k = 0; k < SPK_PAGES; k++) {
            const int64_t want = (from + k * (N / SPK_PAGES)) % N;
            assert_memory_equal(row[k], &want, 8);
        }
    }
    (void)spk_heap_used(&p->f.heap, &peak);
    assert_true(peak <= (SPK_PAGES + 4) * 64 * KIB);
    spk_pages_fini(&pages);
}

static void test_pages__say_what_is_wrong(void **state)
{
    paged *p = *state;
    spk_pages pages;
    spk_failure failure;
    char *text = calloc(4, MIB);
    const spark_str large = { text, 4 * MIB };
    write_numbers(p, &pages, MIB);
    assert_int_equal(spk_spill_write(&p->store.spill, "x", 1, pages.disk.at[5].at + 80, &failure), SPARK_OK);
    assert_null(spk_pages_row(&pages, pages.firsts[5], &failure));
    assert_int_equal(failure.code, SPARK_EIO);
    assert_non_null(strstr(failure.message, "has changed on disk"));
    assert_non_null(spk_pages_row(&pages, pages.firsts[6], &failure));
    spk_pages_fini(&pages);
    spk_pages_init(&pages, &p->store, layout_of(p->f.types, SPARK_TYPE(spark_str)));
    assert_int_equal(spk_pages_append(&pages, (const char *)&large, &failure), SPARK_ENOMEM);
    assert_non_null(strstr(failure.message, "a row of a window takes 4194320 bytes"));
    spk_pages_fini(&pages);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        paged_test(test_pages__have_every_row_of_every_type),
        paged_test(test_pages__keep_as_many_as_they_say),
        paged_test(test_pages__say_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
