/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks in a store: who goes when memory is wanted, in which order, where to, and what is left. */
#include "support/spark_test.h"

#include <stdlib.h>
#include <unistd.h>

#include "storage/block.h"

enum { MIB = 1024 * 1024, SETS = 3, PARTITIONS = 16, ROWS = 20000 };

typedef struct fixture {
    spk_heap heap;
    spk_store store;
    spk_types *types;
    const spk_layout *layout;
    spk_block_set *sets[SETS];
} fixture;

/* Set 0 is in memory alone, 1 on disk as well, 2 on disk only. */
static int open_store(void **state)
{
    static const spark_level levels[SETS]
        = { SPARK_MEMORY_ONLY, SPARK_MEMORY_AND_DISK, SPARK_DISK_ONLY };
    spk_failure failure;
    fixture *f = calloc(1, sizeof *f);
    if (!f)
        return -1;
    spk_heap_init(&f->heap, 64 * MIB);
    spk_store_init(&f->store, &f->heap, NULL);
    f->types = spk_types_new();
    f->layout = spk_layout_of(f->types, SPARK_TYPE(spark_str), &failure);
    for (int i = 0; i < SETS; i++)
        f->sets[i] = spk_blocks_new(NULL, levels[i]);
    *state = f;
    return f->layout && f->sets[SETS - 1] ? 0 : -1;
}

static int close_store(void **state)
{
    fixture *f = *state;
    for (int i = 0; i < SETS; i++)
        spk_blocks_free(f->sets[i]);
    const bool given_back = f->heap.mapped == f->heap.cached && f->heap.stored == 0
        && f->store.idle == 0 && f->store.building == 0 && !f->store.oldest && !f->store.newest;
    spk_store_fini(&f->store);
    spk_types_free(f->types);
    spk_heap_fini(&f->heap);
    free(f);
    return given_back ? 0 : -1;
}

/* text_at: row i of a partition: lengths from nothing to 60 bytes. */
static spark_str text_at(int partition, int i, char text[64])
{
    const int n = snprintf(text, 64, "%d:%d:%.*s", partition, i, i % 41,
        "a text that is as long as it has to be for this");
    return (spark_str) { text, i % 7 ? (size_t)n : 0 };
}

/* put: a block of about 1 MiB, and nobody reads it. */
static void put(fixture *f, int set, int partition)
{
    spk_failure failure;
    bool won, first;
    char text[64];
    spk_block *block = spk_block_new(f->sets[set], &f->store, f->layout, partition);
    assert_non_null(block);
    for (int i = 0; i < ROWS; i++) {
        const spark_str row = text_at(partition, i, text);
        assert_true(spk_rows_append(&block->rows, (const char *)&row, 1));
        assert_true(set == 2 || spk_block_hold(block, NULL));
    }
    assert_int_equal(spk_block_finish(block, &failure), SPARK_OK);
    assert_true(atomic_load(&block->memory) == (set != 2));
    block = spk_blocks_put(f->sets[set], PARTITIONS, block, &won, &first);
    assert_true(won && first && block->put);
    spk_block_unpin(block);
}

static void is_right(const spk_run *run, int partition, int *row)
{
    char text[64];
    for (uint64_t i = 0; i < run->n; i++, ++*row) {
        spark_str have;
        const spark_str want = text_at(partition, *row, text);
        memcpy(&have, run->rows + i * sizeof have, sizeof have);
        assert_int_equal(have.len, want.len);
        assert_memory_equal(have.ptr, want.ptr, want.len);
    }
}

/* reads: the block is there, in memory or not, and is what was put. */
static void reads(fixture *f, int set, int partition, bool memory)
{
    spk_failure failure;
    int row = 0;
    spk_block *block = spk_blocks_get(f->sets[set], partition);
    assert_non_null(block);
    assert_true(spk_block_in_memory(block) == memory);
    if (memory)
        for (const spk_run *run = block->rows.first; run; run = run->next)
            is_right(run, partition, &row);
    for (size_t i = 0; i < block->disk_rows.n; i++) {
        if (memory && i == 0)
            row = 0;
        spk_run *run = spk_disk_rows_read(&block->disk_rows, i, &f->heap, false, &failure);
        assert_non_null(run);
        is_right(run, partition, &row);
        spk_heap_free(&f->heap, run, run->capacity);
    }
    assert_int_equal(row, ROWS);
    spk_block_unpin(block);
}

static bool is_there(fixture *f, int set, int partition)
{
    spk_block *block = spk_blocks_get(f->sets[set], partition);
    spk_block_unpin(block);
    return block != NULL;
}

/* a_block: what one holds. */
static uint64_t a_block(const fixture *f)
{
    return f->store.oldest->held;
}

static void test_evict__takes_those_read_longest_ago(void **state)
{
    fixture *f = *state;
    spk_evicted evicted = { 0, 0 };
    for (int p = 0; p < 4; p++)
        put(f, 0, p);
    reads(f, 0, 0, true);
    reads(f, 0, 2, true);
    assert_true(spk_store_evict(&f->store, NULL, a_block(f) + 1, &evicted)); /* 1 and 3 */
    assert_int_equal(evicted.blocks, 2);
    assert_int_equal(evicted.written, 0);
    assert_int_equal(spk_blocks_present(f->sets[0]), 2);
    assert_true(is_there(f, 0, 0) && is_there(f, 0, 2));
    assert_true(spk_store_evict(&f->store, NULL, 1, &evicted));
    assert_false(is_there(f, 0, 0));
    reads(f, 0, 2, true);
}

static void test_evict__takes_nothing_where_that_is_not_enough(void **state)
{
    fixture *f = *state;
    spk_evicted evicted = { 0, 0 };
    for (int p = 0; p < 3; p++)
        put(f, 0, p);
    assert_false(spk_store_evict(&f->store, NULL, f->store.idle + 1, &evicted));
    assert_int_equal(evicted.blocks, 0);
    assert_int_equal(spk_blocks_present(f->sets[0]), 3);
    assert_true(spk_store_evict(&f->store, NULL, f->store.idle, &evicted));
    assert_int_equal(evicted.blocks, 3);
    assert_false(spk_store_evict(&f->store, NULL, 1, &evicted));
}

static void test_evict__leaves_pinned_blocks_alone(void **state)
{
    fixture *f = *state;
    put(f, 0, 0);
    put(f, 0, 1);
    spk_block *reader = spk_blocks_get(f->sets[0], 0);
    assert_false(spk_store_evict(&f->store, NULL, 2 * a_block(f), NULL));
    assert_true(spk_store_evict(&f->store, NULL, 1, NULL));
    assert_false(is_there(f, 0, 1));
    assert_false(spk_store_evict(&f->store, NULL, 1, NULL));
    spk_block_unpin(reader);
    reads(f, 0, 0, true);
}

static void test_evict__leaves_those_of_who_asks(void **state)
{
    fixture *f = *state;
    for (int p = 0; p < 6; p++)
        put(f, 0, p);
    put(f, 1, 0);
    for (int p = 6; p < 9; p++)
        put(f, 0, p);
    put(f, 1, 1);
    spk_tenant *own = f->sets[0]->tenants;
    assert_false(spk_store_evict(&f->store, own, 2 * a_block(f) + 1000, NULL));
    assert_true(spk_store_evict(&f->store, own, 1, NULL));
    reads(f, 1, 0, false);
    assert_ptr_equal(own->skip->tenant, own); /* which the next one need not pass again */
    reads(f, 0, 3, true);
    assert_true(spk_store_evict(&f->store, own, 1, NULL));
    reads(f, 1, 1, false);
    assert_int_equal(spk_blocks_present(f->sets[0]), 9);
    assert_false(spk_store_evict(&f->store, own, 1, NULL));
    for (int p = 0; p < 9; p++)
        assert_true(spk_store_evict(&f->store, f->sets[1]->tenants, 1, NULL));
    assert_int_equal(spk_blocks_present(f->sets[0]), 0);
}

static void test_evict__writes_once_what_has_a_disk(void **state)
{
    fixture *f = *state;
    spk_evicted evicted = { 0, 0 };
    put(f, 1, 5);
    reads(f, 1, 5, true);
    assert_true(spk_store_evict(&f->store, NULL, 1, &evicted));
    assert_int_equal(evicted.written, f->sets[1]->disk_bytes);
    assert_int_equal(f->sets[1]->memory_bytes, 0);
    assert_int_equal(f->sets[1]->in_memory, 0);
    assert_int_equal(f->sets[1]->on_disk, 1);
    reads(f, 1, 5, false);
    spk_block *block = spk_blocks_get(f->sets[1], 5);
    spk_failure failure;
    spk_rows rows;
    spk_rows_init(&rows, &f->heap, f->layout);
    assert_true(spk_block_promote_begin(block));
    assert_false(spk_block_promote_begin(block)); /* one at a time */
    for (size_t i = 0; i < block->disk_rows.n; i++)
        spk_rows_append_run(
            &rows, spk_disk_rows_read(&block->disk_rows, i, &f->heap, true, &failure));
    spk_block_promote_end(block, &rows, true);
    assert_false(spk_block_promote_begin(block));
    spk_block_unpin(block);
    reads(f, 1, 5, true);
    assert_int_equal(f->sets[1]->in_memory, 1);
    evicted = (spk_evicted) { 0, 0 };
    assert_true(spk_store_evict(&f->store, NULL, 1, &evicted));
    assert_int_equal(evicted.blocks, 1);
    assert_int_equal(evicted.written, 0);
    reads(f, 1, 5, false);
}

static void test_evict__drops_what_cannot_be_written(void **state)
{
    fixture *f = *state;
    f->store.spill.directory = "/nowhere/at/all";
    put(f, 1, 0);
    assert_true(spk_store_evict(&f->store, NULL, 1, NULL));
    assert_false(is_there(f, 1, 0));
    assert_int_equal(f->sets[1]->disk_bytes, 0);
    assert_int_equal(f->sets[1]->memory_bytes, 0);
}

static void test_disk_rows__that_have_changed_are_found(void **state)
{
    fixture *f = *state;
    spk_failure failure;
    put(f, 2, 0);
    spk_block *block = spk_blocks_get(f->sets[2], 0);
    for (size_t i = 0; i < block->disk_rows.n; i++) {
        const spk_disk_run *piece = &block->disk_rows.at[i];
        const uint64_t places[] = { piece->at, piece->at + piece->row_bytes - 1,
            piece->at + piece->row_bytes, piece->at + piece->row_bytes + piece->tail_bytes - 1 };
        for (size_t k = 0; k < sizeof places / sizeof *places; k++) {
            char byte, other;
            assert_int_equal(pread(f->store.spill.files[0].fd, &byte, 1, (off_t)places[k]), 1);
            other = (char)(byte ^ 4);
            assert_int_equal(pwrite(f->store.spill.files[0].fd, &other, 1, (off_t)places[k]), 1);
            assert_null(spk_disk_rows_read(&block->disk_rows, i, &f->heap, false, &failure));
            assert_int_equal(failure.code, SPARK_EIO);
            assert_non_null(strstr(failure.message, "changed on disk"));
            assert_int_equal(pwrite(f->store.spill.files[0].fd, &byte, 1, (off_t)places[k]), 1);
        }
    }
    assert_int_equal(ftruncate(f->store.spill.files[0].fd, 100), 0);
    assert_null(spk_disk_rows_read(&block->disk_rows, 0, &f->heap, false, &failure));
    assert_int_equal(failure.code, SPARK_EIO);
    spk_blocks_lose(block);
    assert_false(is_there(f, 2, 0));
    spk_blocks_lose(block); /* another has found it too */
    spk_block_unpin(block);
}

static void test_hold__leaves_a_quarter_and_has_bounds_for_the_unfinished(void **state)
{
    fixture *f = *state;
    spk_block *block = spk_block_new(f->sets[0], &f->store, f->layout, 0);
    char text[64];
    int n = 0;
    for (spark_str row = text_at(0, 1, text);; n++)
        if (!spk_rows_append(&block->rows, (const char *)&row, 1) || !spk_block_hold(block, NULL))
            break;
    assert_in_range(f->store.building, 22 * MIB, 26 * MIB);
    spk_block_unpin(block);
    assert_int_equal(f->store.building, 0);
    int p = 0;
    for (; p < PARTITIONS; p++)
        put(f, 0, p);
    for (p = 0; p < PARTITIONS; p++)
        put(f, 1, p);
    assert_int_equal(spk_blocks_present(f->sets[0]) + f->sets[1]->in_memory, 2 * PARTITIONS);
    assert_true(f->heap.stored <= 48 * MIB);
}

static void test_clear__of_a_set_lets_evicted_ones_go_too(void **state)
{
    fixture *f = *state;
    put(f, 1, 0);
    put(f, 1, 1);
    assert_true(spk_store_evict(&f->store, NULL, 1, NULL));
    spk_block *reader = spk_blocks_get(f->sets[1], 1);
    spk_blocks_clear(f->sets[1]);
    assert_int_equal(f->sets[1]->disk_bytes, 0);
    assert_int_equal(f->sets[1]->on_disk, 0);
    assert_int_equal(f->sets[1]->in_memory, 0);
    int row = 0;
    for (const spk_run *run = reader->rows.first; run; run = run->next)
        is_right(run, 1, &row);
    spk_block_unpin(reader);
    put(f, 1, 2);
    put(f, 0, 2);
    assert_int_equal(spk_blocks_leave(f->sets[1], &f->store), 1);
    assert_int_equal(spk_blocks_leave(f->sets[1], &f->store), 0);
    assert_true(is_there(f, 0, 2));
}

#define evict_test(f) cmocka_unit_test_setup_teardown(f, open_store, close_store)

int main(void)
{
    const struct CMUnitTest tests[] = {
        evict_test(test_evict__takes_those_read_longest_ago),
        evict_test(test_evict__takes_nothing_where_that_is_not_enough),
        evict_test(test_evict__leaves_pinned_blocks_alone),
        evict_test(test_evict__leaves_those_of_who_asks),
        evict_test(test_evict__writes_once_what_has_a_disk),
        evict_test(test_evict__drops_what_cannot_be_written),
        evict_test(test_disk_rows__that_have_changed_are_found),
        evict_test(test_hold__leaves_a_quarter_and_has_bounds_for_the_unfinished),
        evict_test(test_clear__of_a_set_lets_evicted_ones_go_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
