/* SPDX-License-Identifier: Apache-2.0 */
/* Cached blocks: the first one put wins, readers keep what they read, updates count once. */
#include "support/spark_test.h"

#include <pthread.h>
#include <stdlib.h>

#include "storage/block.h"

typedef struct fixture {
    spark_context *sc;
    spk_store store;
    spk_heap heap;
    spk_types *types;
    const spk_layout *layout;
    spk_block_set *blocks;
} fixture;

static int open_blocks(void **state)
{
    spk_failure failure;
    fixture *f = calloc(1, sizeof *f);
    if (!f)
        return -1;
    spk_heap_init(&f->heap, 0);
    f->types = spk_types_new();
    f->layout = spk_layout_of(f->types, SPARK_TYPE(int64_t), &failure);
    f->store = (spk_store) { .heap = &f->heap };
    f->sc = spark_context_new(&(spark_conf) { .threads = 1 });
    f->blocks = spk_blocks_new(f->sc);
    *state = f;
    return f->blocks && f->layout ? 0 : -1;
}

static int close_blocks(void **state)
{
    fixture *f = *state;
    spk_blocks_free(f->blocks);
    spark_context_free(f->sc);
    const bool given_back = f->heap.mapped == f->heap.cached;
    spk_types_free(f->types);
    spk_heap_fini(&f->heap);
    free(f);
    return given_back ? 0 : -1;
}

enum { PARTITIONS = 5 };

static spk_rows rows_of(fixture *f, int64_t value, size_t n)
{
    spk_rows rows;
    spk_rows_init(&rows, &f->heap, f->layout);
    for (size_t i = 0; i < n; i++)
        if (!spk_rows_append(&rows, (const char *)&value, 1))
            abort();
    return rows;
}

static int64_t first_of(const spk_block *block)
{
    return *(const int64_t *)(const void *)block->rows.first->rows;
}

/* put: a block of this value; says what came of it. Returns it pinned. */
static spk_block *put(fixture *f, int partition, int64_t value, bool want_won, bool want_first)
{
    bool won, first;
    spk_rows rows = rows_of(f, value, 10);
    spk_block *block = spk_blocks_put(f->blocks, partition, PARTITIONS, &f->store, &rows, &won, &first);
    assert_non_null(block);
    assert_int_equal(won, want_won);
    assert_int_equal(first, want_first);
    assert_null(rows.first); /* taken over in any case */
    assert_int_equal(rows.n, 0);
    assert_ptr_equal(rows.layout, f->layout);
    return block;
}

static void test_set__is_empty_at_first(void **state)
{
    fixture *f = *state;
    assert_null(spk_blocks_get(f->blocks, 3));
    assert_int_equal(spk_blocks_present(f->blocks), 0);
    assert_int_equal(spk_blocks_bytes(f->blocks), 0);
    assert_false(spk_blocks_drop(f->blocks, 0));
    spk_blocks_clear(f->blocks);
    spk_blocks_free(NULL);
    spk_block_unpin(NULL);
}

static void test_put__wins_where_nothing_is(void **state)
{
    fixture *f = *state;
    spk_block *a = put(f, 2, 7, true, true), *b = put(f, 2, 8, false, false);
    assert_ptr_equal(a, b);
    assert_true(first_of(b) == 7);
    spk_block *c = put(f, 3, 9, true, true), *got = spk_blocks_get(f->blocks, 2);
    assert_ptr_equal(got, a);
    assert_int_equal(atomic_load(&a->refs), 4);
    assert_int_equal(spk_blocks_present(f->blocks), 2);
    assert_int_equal(spk_blocks_bytes(f->blocks), 2 * 10 * sizeof(int64_t));
    spk_block_unpin(a);
    spk_block_unpin(b);
    spk_block_unpin(got);
    spk_block_unpin(c);
    assert_int_equal(atomic_load(&a->refs), 1);
}

static void test_put__of_no_rows_is_a_block(void **state)
{
    fixture *f = *state;
    bool won, first;
    spk_rows none = rows_of(f, 0, 0);
    spk_block_unpin(spk_blocks_put(f->blocks, 0, PARTITIONS, &f->store, &none, &won, &first));
    assert_true(won && first);
    spk_block *block = spk_blocks_get(f->blocks, 0);
    assert_non_null(block);
    assert_int_equal(block->rows.n, 0);
    assert_int_equal(spk_blocks_present(f->blocks), 1);
    spk_block_unpin(block);
}

static void test_drop__leaves_pinned_blocks_to_their_readers(void **state)
{
    fixture *f = *state;
    spk_block *reader = put(f, 1, 7, true, true);
    assert_true(spk_blocks_drop(f->blocks, 1));
    assert_false(spk_blocks_drop(f->blocks, 1));
    assert_null(spk_blocks_get(f->blocks, 1));
    assert_int_equal(spk_blocks_present(f->blocks), 0);
    assert_true(f->heap.mapped > f->heap.cached);
    assert_int_equal(reader->rows.n, 10);
    spk_block *again = put(f, 1, 8, true, false); /* not the first of this partition */
    assert_true(first_of(again) == 8);
    assert_true(first_of(reader) == 7);
    spk_block_unpin(again);
    spk_block_unpin(reader);
}

static void test_drop__of_unpinned_blocks_gives_memory_back(void **state)
{
    fixture *f = *state;
    spk_block_unpin(put(f, 1, 7, true, true));
    assert_true(f->heap.mapped > f->heap.cached);
    assert_true(spk_blocks_drop(f->blocks, 1));
    assert_int_equal(f->heap.mapped, f->heap.cached);
}

static void test_drop__knows_its_partitions(void **state)
{
    fixture *f = *state;
    spk_block_unpin(put(f, 1, 7, true, true));
    assert_false(spk_blocks_drop(f->blocks, -1));
    assert_false(spk_blocks_drop(f->blocks, PARTITIONS));
    assert_false(spk_blocks_drop(f->blocks, 0));
    assert_int_equal(spk_blocks_present(f->blocks), 1);
}

static void test_count_once__is_true_once_a_partition(void **state)
{
    fixture *f = *state;
    for (int p = 0; p < PARTITIONS; p++) {
        assert_true(spk_blocks_count_once(f->blocks, p, PARTITIONS));
        assert_false(spk_blocks_count_once(f->blocks, p, PARTITIONS));
    }
    spk_block_unpin(put(f, 1, 7, true, true)); /* counting is not putting */
    spk_blocks_drop(f->blocks, 1);
    spk_block_unpin(put(f, 1, 7, true, false));
    assert_false(spk_blocks_count_once(f->blocks, 1, PARTITIONS));
}

static void test_clear__forgets_everything(void **state)
{
    fixture *f = *state;
    spk_block *reader = put(f, 0, 7, true, true);
    spk_block_unpin(put(f, 4, 8, true, true));
    assert_true(spk_blocks_count_once(f->blocks, 0, PARTITIONS));
    spk_blocks_clear(f->blocks);
    assert_int_equal(spk_blocks_present(f->blocks), 0);
    assert_int_equal(spk_blocks_bytes(f->blocks), 0);
    assert_true(first_of(reader) == 7);
    assert_true(spk_blocks_count_once(f->blocks, 0, PARTITIONS));
    spk_block_unpin(put(f, 0, 9, true, true));
    spk_block_unpin(reader);
}

/* ---- threads */

enum { THREADS = 8, MANY = 64, ROUNDS = 200 };

typedef struct racer {
    fixture *f;
    pthread_barrier_t *barrier;
    int64_t name;
    int won, first, counted;
    int64_t seen[MANY];
} racer;

static void *race(void *arg)
{
    racer *r = arg;
    for (int p = 0; p < MANY; p++) {
        bool won, first;
        spk_rows rows = rows_of(r->f, r->name, 5);
        pthread_barrier_wait(r->barrier);
        spk_block *block = spk_blocks_put(r->f->blocks, p, MANY, &r->f->store, &rows, &won, &first);
        if (!block)
            abort();
        r->won += won;
        r->first += first;
        r->seen[p] = first_of(block);
        r->counted += spk_blocks_count_once(r->f->blocks, p, MANY);
        spk_block_unpin(block);
    }
    return NULL;
}

static void test_threads__that_put_at_once_agree_on_one(void **state)
{
    fixture *f = *state;
    static racer racers[THREADS];
    pthread_t threads[THREADS];
    pthread_barrier_t barrier;
    int won = 0, first = 0, counted = 0;
    pthread_barrier_init(&barrier, NULL, THREADS);
    for (int i = 0; i < THREADS; i++) {
        racers[i] = (racer) { .f = f, .barrier = &barrier, .name = i };
        assert_int_equal(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        won += racers[i].won;
        first += racers[i].first;
        counted += racers[i].counted;
        assert_memory_equal(racers[i].seen, racers[0].seen, sizeof racers[0].seen);
    }
    pthread_barrier_destroy(&barrier);
    assert_int_equal(won, MANY);
    assert_int_equal(first, MANY);
    assert_int_equal(counted, MANY);
    assert_int_equal(spk_blocks_present(f->blocks), MANY);
}

static void *put_read_drop(void *arg)
{
    racer *r = arg;
    for (int i = 0; i < ROUNDS * MANY; i++) {
        const int p = i % PARTITIONS;
        spk_block *block = spk_blocks_get(r->f->blocks, p);
        if (!block) {
            bool won, first;
            spk_rows rows = rows_of(r->f, p, 20);
            block = spk_blocks_put(r->f->blocks, p, PARTITIONS, &r->f->store, &rows, &won, &first);
        }
        if ((i + r->name) % 3 == 0)
            spk_blocks_drop(r->f->blocks, p);
        if (!block || first_of(block) != p || block->rows.n != 20)
            r->won++;
        spk_block_unpin(block);
        if (spk_blocks_present(r->f->blocks) > PARTITIONS)
            r->won++;
    }
    return NULL;
}

static void test_threads__read_whole_blocks_while_others_drop_them(void **state)
{
    fixture *f = *state;
    static racer racers[THREADS];
    pthread_t threads[THREADS];
    spk_block_unpin(put(f, 0, 0, true, true));
    assert_true(spk_blocks_drop(f->blocks, 0));
    for (int i = 0; i < THREADS; i++) {
        racers[i] = (racer) { .f = f, .name = i };
        assert_int_equal(pthread_create(&threads[i], NULL, put_read_drop, &racers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(racers[i].won, 0);
    }
    spk_blocks_clear(f->blocks);
    assert_int_equal(f->heap.mapped, f->heap.cached);
}

#define block_test(f) cmocka_unit_test_setup_teardown(f, open_blocks, close_blocks)

int main(void)
{
    const struct CMUnitTest tests[] = {
        block_test(test_set__is_empty_at_first),
        block_test(test_put__wins_where_nothing_is),
        block_test(test_put__of_no_rows_is_a_block),
        block_test(test_drop__leaves_pinned_blocks_to_their_readers),
        block_test(test_drop__of_unpinned_blocks_gives_memory_back),
        block_test(test_drop__knows_its_partitions),
        block_test(test_count_once__is_true_once_a_partition),
        block_test(test_clear__forgets_everything),
        block_test(test_threads__that_put_at_once_agree_on_one),
        block_test(test_threads__read_whole_blocks_while_others_drop_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
