/* SPDX-License-Identifier: Apache-2.0 */
/* Tapes of random values of every shape: what comes back is what was written, in order, wherever it has
 * been meanwhile. */
#include "storage/tape.h"

#include <unistd.h>

#include "support/fixture.h"
#include "type/random_value.h"

enum { KIB = 1024, MIB = 1024 * 1024, DISTINCT = 13 };

typedef struct taped {
    fixture f;
    spk_store store;
    value_pool pool;
} taped;

static int open_taped(void **state)
{
    taped *t = calloc(1, sizeof *t);
    if (!t)
        return -1;
    spk_heap_init(&t->f.heap, 4 * MIB);
    t->f.types = spk_types_new();
    spk_store_init(&t->store, &t->f.heap, ".");
    *state = t;
    return 0;
}

static int close_taped(void **state)
{
    taped *t = *state;
    spk_store_fini(&t->store);
    pool_free(&t->pool);
    spk_types_free(t->f.types);
    const bool given_back = t->f.heap.mapped == t->f.heap.cached;
    spk_heap_fini(&t->f.heap);
    free(t);
    return given_back ? 0 : -1;
}

#define taped_test(f) cmocka_unit_test_setup_teardown(f, open_taped, close_taped)

/* press: takes memory away, so that not much more than `left` bytes are free; to be given back. */
static void *press(taped *t, size_t left, size_t *capacity)
{
    uint64_t peak;
    const uint64_t used = spk_heap_used(&t->f.heap, &peak) + left;
    const size_t most = used < t->f.heap.limit ? (size_t)(t->f.heap.limit - used) : 0;
    void *block = NULL;
    for (size_t want = most; want > most / 2 && !block; want -= most / 16)
        block = spk_heap_alloc(&t->f.heap, want, capacity);
    return block;
}

static void assert_reads(
    const spk_tape *tape, const spk_layout *layout, const char *want, size_t n)
{
    spk_tape_reader reader = spk_tape_read(tape);
    spk_failure failure;
    const char *rows, *before = NULL;
    size_t some, done = 0, some_before = 0;
    do {
        assert_int_equal(spk_tape_next(&reader, &rows, &some, &failure), SPARK_OK);
        assert_true(done + some <= n);
        for (size_t i = 0; i < some; i++)
            assert_true(spk_value_equal(
                layout, rows + i * layout->size, want + (done + i) * layout->size));
        for (size_t i = 0; before && i < some_before; i++) /* the rows before are still there */
            assert_true(spk_value_equal(layout, before + i * layout->size,
                want + (done - some_before + i) * layout->size));
        before = rows;
        some_before = some;
        done += some;
    } while (some > 0);
    assert_int_equal(done, n);
    spk_tape_reader_fini(&reader);
}

static void test_tape__gives_back_what_was_written_of_every_type(void **state)
{
    taped *t = *state;
    static const size_t portions[] = { 1, 7, 300 };
    spk_failure failure;
    for (size_t k = 0; k < sizeof all_types / sizeof *all_types; k++) {
        const spk_layout *layout = layout_of(t->f.types, all_types[k]);
        const size_t n = 1 + random_below(2000), size = layout->size;
        char *rows = aligned_alloc(64, (n * size + 63) / 64 * 64);
        for (size_t i = 0; i < n; i++)
            if (i < DISTINCT)
                random_row(all_types[k], rows + i * size, &t->pool);
            else
                memcpy(rows + i * size, rows + i % DISTINCT * size, size);
        for (size_t pressure = 0; pressure < 3; pressure++) {
            spk_tape tape;
            size_t capacity = 0;
            void *block = NULL;
            spk_tape_init(&tape, &t->store, layout);
            for (size_t i = 0, some; i < n; i += some) {
                some = n - i < portions[k % 3] ? n - i : portions[k % 3];
                if (pressure && i >= n / 4 && !block)
                    block = press(t, pressure == 1 ? 1 * MIB : 256 * KIB, &capacity);
                assert_int_equal(
                    spk_tape_append(&tape, rows + i * size, some, &failure), SPARK_OK);
            }
            assert_int_equal(tape.n, n);
            spk_heap_free(&t->f.heap, block, capacity);
            for (int again = 0; again < 2; again++)
                assert_reads(&tape, layout, rows, n);
            spk_tape_fini(&tape);
        }
        free(rows);
        pool_free(&t->pool);
    }
}

static void write_numbers(taped *t, spk_tape *tape, int64_t n)
{
    spk_failure failure;
    spk_tape_init(tape, &t->store, layout_of(t->f.types, SPARK_TYPE(int64_t)));
    for (int64_t i = 0; i < n; i++)
        assert_int_equal(spk_tape_append(tape, (const char *)&i, 1, &failure), SPARK_OK);
}

static void test_tape__larger_than_the_memory_goes_to_disk(void **state)
{
    taped *t = *state;
    enum { N = 2 * MIB };
    spk_tape tape;
    uint64_t peak;
    const char *rows;
    size_t some;
    spk_failure failure;
    int64_t next = 0;
    write_numbers(t, &tape, N);
    assert_true(tape.front.n > 0 && tape.front.bytes >= 8 * MIB);
    assert_true(spk_heap_used(&t->f.heap, &peak) <= 3 * MIB);
    assert_true(peak <= 4 * MIB);
    spk_tape_reader reader = spk_tape_read(&tape);
    while (spk_tape_next(&reader, &rows, &some, &failure) == SPARK_OK && some > 0)
        for (size_t i = 0; i < some; i++, next++)
            assert_memory_equal(rows + i * 8, &next, 8);
    assert_int_equal(next, N);
    spk_tape_reader_fini(&reader);
    spk_tape_fini(&tape);
}

static void test_tape__that_changes_on_disk_is_found(void **state)
{
    taped *t = *state;
    spk_tape tape;
    spk_failure failure;
    const char *rows;
    size_t some;
    write_numbers(t, &tape, 2 * MIB);
    const spk_disk_run *piece = &tape.front.at[tape.front.n / 2];
    assert_int_equal(spk_spill_write(&t->store.spill, "x", 1, piece->at + piece->row_bytes / 2, &failure),
        SPARK_OK);
    spk_tape_reader reader = spk_tape_read(&tape);
    spark_status status;
    while ((status = spk_tape_next(&reader, &rows, &some, &failure)) == SPARK_OK && some > 0)
        ;
    assert_int_equal(status, SPARK_EIO);
    assert_non_null(strstr(failure.message, "has changed on disk"));
    spk_tape_reader_fini(&reader);
    spk_tape_fini(&tape);
}

static void test_tape__names_a_row_that_is_too_large(void **state)
{
    taped *t = *state;
    const spk_layout *layout = layout_of(t->f.types, SPARK_TYPE(spark_str));
    spk_tape tape;
    spk_failure failure;
    char *text = calloc(8, MIB);
    const spark_str small = { text, 100 }, large = { text, 8 * MIB };
    spk_tape_init(&tape, &t->store, layout);
    assert_int_equal(spk_tape_append(&tape, (const char *)&small, 1, &failure), SPARK_OK);
    assert_int_equal(spk_tape_append(&tape, (const char *)&large, 1, &failure), SPARK_ENOMEM);
    assert_non_null(strstr(failure.message, "one row takes 8388624 bytes"));
    assert_non_null(strstr(failure.message, "spark_conf.memory_bytes is 4194304"));
    spk_tape_fini(&tape);
    free(text);
}

static void test_tape__cut_keeps_the_first_rows(void **state)
{
    taped *t = *state;
    static const uint64_t kept[] = { 0, 1, 100000, 600000, 1000000 };
    for (size_t k = 0; k < sizeof kept / sizeof *kept; k++) {
        spk_tape tape;
        uint64_t left = 0;
        write_numbers(t, &tape, 1000000);
        assert_true(tape.front.n > 1);
        spk_tape_cut(&tape, kept[k]);
        for (size_t i = 0; i < tape.front.n; i++)
            left += tape.front.at[i].n;
        assert_int_equal(left + tape.rows.n, kept[k]);
        spk_tape_fini(&tape);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        taped_test(test_tape__gives_back_what_was_written_of_every_type),
        taped_test(test_tape__larger_than_the_memory_goes_to_disk),
        taped_test(test_tape__that_changes_on_disk_is_found),
        taped_test(test_tape__names_a_row_that_is_too_large),
        taped_test(test_tape__cut_keeps_the_first_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
