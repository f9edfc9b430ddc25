/* SPDX-License-Identifier: Apache-2.0 */
/* The chunk heap: classes, the budget, what is kept, and that threads never share a block. */
#include "support/spark_test.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/heap.h"

enum { KIB = 1024, MIB = 1024 * 1024, SMALLEST_CLASS = 32 * KIB };

static int open_heap(void **state)
{
    spk_heap *heap = malloc(sizeof *heap);
    if (!heap)
        return -1;
    spk_heap_init(heap, 0);
    *state = heap;
    return 0;
}

static int close_heap(void **state)
{
    spk_heap *heap = *state;
    const bool given_back = heap->mapped == heap->cached;
    spk_heap_fini(heap);
    free(heap);
    return given_back ? 0 : -1;
}

/* check_block: one block of `size`: aligned, large enough, writable to its end, charged and given back.
 * Returns its capacity. */
static size_t check_block(spk_heap *heap, size_t size)
{
    const uint64_t before = heap->mapped - heap->cached;
    size_t capacity = 0;
    char *block = spk_heap_alloc(heap, size, &capacity);
    assert_non_null(block);
    assert_true(capacity >= size && capacity > 0);
    assert_int_equal((uintptr_t)block % 64, 0);
    assert_int_equal(heap->mapped - heap->cached, before + capacity);
    block[0] = block[capacity - 1] = 1;
    spk_heap_free(heap, block, capacity);
    assert_int_equal(heap->mapped - heap->cached, before);
    return capacity;
}

static void test_alloc__is_aligned_and_charged_at_its_capacity(void **state)
{
    for (size_t size = 0; size < 40 * KIB; size += size < 600 ? 1 : 61)
        assert_true(check_block(*state, size) < size + 8 * KIB);
    for (size_t size = SMALLEST_CLASS - 130; size < SMALLEST_CLASS + 130; size++)
        check_block(*state, size);
}

static void test_classes__waste_at_most_a_fifth(void **state)
{
    for (size_t base = SMALLEST_CLASS; base <= (size_t)256 * MIB; base *= 2)
        for (size_t step = 0; step < 4; step++)
            for (size_t off = 0; off < 3; off++) {
                const size_t size = base + base / 4 * step + off - 1;
                const size_t capacity = check_block(*state, size);
                assert_true((capacity - size) * 5 <= capacity);
                assert_int_equal(check_block(*state, capacity), capacity);
            }
}

static void test_alloc__beyond_the_largest_class_is_not_kept(void **state)
{
    spk_heap *heap = *state;
    const size_t gib = (size_t)1024 * MIB;
    assert_int_equal(check_block(heap, gib), gib);
    spk_heap_trim(heap);
    assert_int_equal(check_block(heap, gib + 1), gib + MIB);
    assert_int_equal(heap->mapped, 0);
}

static void test_alloc__of_no_sane_size_is_refused(void **state)
{
    spk_heap *heap = *state;
    size_t capacity;
    assert_null(spk_heap_alloc(heap, SIZE_MAX, &capacity));
    assert_null(spk_heap_alloc(heap, SIZE_MAX / 2, &capacity));
    assert_null(spk_heap_alloc(heap, SIZE_MAX / 4, &capacity));
    assert_null(spk_heap_alloc(heap, (size_t)1 << 60, &capacity));
    assert_int_equal(heap->peak, 0);
    assert_int_equal(heap->mapped, 0);
    spk_heap_free(heap, NULL, 0);
    assert_int_equal(heap->mapped, 0);
}

static void test_free__keeps_blocks_for_their_class_alone(void **state)
{
    spk_heap *heap = *state;
    size_t capacity, other, larger_capacity;
    void *block = spk_heap_alloc(heap, 100 * KIB, &capacity);
    spk_heap_free(heap, block, capacity);
    assert_int_equal(heap->cached, capacity);
    void *larger = spk_heap_alloc(heap, capacity + 1, &larger_capacity);
    assert_ptr_not_equal(larger, block);
    void *smaller = spk_heap_alloc(heap, 80 * KIB, &other);
    assert_ptr_not_equal(smaller, block);
    spk_heap_free(heap, smaller, other);
    assert_ptr_equal(spk_heap_alloc(heap, 97 * KIB, &other), block);
    assert_int_equal(other, capacity);
    spk_heap_free(heap, block, capacity);
    spk_heap_free(heap, larger, larger_capacity);
}

static void test_free__of_small_blocks_keeps_nothing(void **state)
{
    spk_heap *heap = *state;
    for (size_t size = 0; size < SMALLEST_CLASS - 128; size += 1000)
        check_block(heap, size);
    assert_int_equal(heap->mapped, 0);
    assert_int_equal(heap->cached, 0);
}

/* fill: n blocks of a MiB in use at once, all given back. */
static void fill(spk_heap *heap, int n)
{
    void *blocks[300];
    size_t capacity = 0;
    for (int i = 0; i < n; i++)
        assert_non_null(blocks[i] = spk_heap_alloc(heap, MIB, &capacity));
    for (int i = 0; i < n; i++)
        spk_heap_free(heap, blocks[i], capacity);
}

static void test_settle__keeps_what_the_last_jobs_needed(void **state)
{
    spk_heap *heap = *state;
    fill(heap, 300);
    spk_heap_settle(heap);
    assert_int_equal(heap->cached, (uint64_t)300 * MIB);
    for (int i = 0; i < SPK_HEAP_RECENT; i++) {
        assert_int_equal(heap->mapped, (uint64_t)300 * MIB);
        fill(heap, 100);
        spk_heap_settle(heap);
    }
    assert_int_equal(heap->mapped, (uint64_t)100 * MIB);
    for (int i = 0; i < SPK_HEAP_RECENT + 1; i++)
        spk_heap_settle(heap);
    assert_int_equal(heap->mapped, (uint64_t)32 * MIB);
}

static void test_settle__keeps_what_small_jobs_need_beside_what_stays(void **state)
{
    spk_heap *heap = *state;
    void *tables[100];
    size_t capacity = 0;
    for (int i = 0; i < 100; i++)
        assert_non_null(tables[i] = spk_heap_alloc(heap, MIB, &capacity));
    fill(heap, 100);
    for (int i = 0; i < SPK_HEAP_RECENT + 1; i++)
        spk_heap_settle(heap);
    assert_int_equal(heap->cached, (uint64_t)32 * MIB);
    for (int i = 0; i < 3 * SPK_HEAP_RECENT; i++) {
        fill(heap, 20);
        spk_heap_settle(heap);
        assert_int_equal(heap->cached, (uint64_t)32 * MIB);
    }
    for (int i = 0; i < 100; i++)
        spk_heap_free(heap, tables[i], capacity);
}

static void test_alloc__gives_kept_blocks_up_rather_than_grow(void **state)
{
    enum { N = 200 };
    spk_heap *heap = *state;
    void *blocks[N];
    size_t capacity = 0;
    fill(heap, N);
    for (size_t i = 0; i < N / 2; i++) { /* of another class */
        assert_non_null(blocks[i] = spk_heap_alloc(heap, 2 * MIB, &capacity));
        assert_true(heap->mapped <= (uint64_t)N * MIB + (uint64_t)N * MIB / 4 + 3 * MIB);
    }
    for (size_t i = 0; i < N / 2; i++)
        spk_heap_free(heap, blocks[i], capacity);
}

static void test_limit__is_exact(void **state)
{
    enum { N = 16 };
    spk_heap *heap = *state;
    void *blocks[N];
    size_t capacity, other;
    heap->limit = N * 64 * KIB;
    for (int i = 0; i < N; i++)
        assert_non_null(blocks[i] = spk_heap_alloc(heap, 64 * KIB, &capacity));
    assert_int_equal(heap->mapped, heap->limit);
    assert_null(spk_heap_alloc(heap, 64 * KIB, &other));
    assert_null(spk_heap_alloc(heap, 1, &other));
    assert_int_equal(heap->mapped, heap->limit);
    spk_heap_free(heap, blocks[0], capacity);
    assert_non_null(blocks[0] = spk_heap_alloc(heap, 64 * KIB, &other));
    for (int i = 0; i < N; i++)
        spk_heap_free(heap, blocks[i], capacity);
}

static void test_limit__gives_kept_blocks_up(void **state)
{
    spk_heap *heap = *state;
    size_t capacity, other;
    heap->limit = MIB;
    void *block = spk_heap_alloc(heap, MIB, &capacity);
    assert_non_null(block);
    spk_heap_free(heap, block, capacity);
    assert_int_equal(heap->cached, MIB);
    void *small = spk_heap_alloc(heap, 40 * KIB, &other);
    assert_non_null(small);
    assert_int_equal(heap->mapped, other);
    assert_int_equal(heap->cached, 0);
    assert_null(spk_heap_alloc(heap, MIB, &capacity));
    spk_heap_free(heap, small, other);
    assert_non_null(block = spk_heap_alloc(heap, MIB, &capacity));
    spk_heap_free(heap, block, capacity);
}

/* A kept block that is enough goes, not the largest, and becomes the one that is wanted. */
static void test_limit__makes_kept_blocks_larger_and_smaller(void **state)
{
    static const struct {
        size_t wanted, left; /* left: kept after that */
    } cases[] = { { 640 * KIB, 256 * KIB }, { 320 * KIB, 512 * KIB }, { 1024 * KIB, 0 } };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        spk_heap heap;
        size_t large, small, got;
        spk_heap_init(&heap, 1024 * KIB);
        char *a = spk_heap_alloc(&heap, 512 * KIB, &large), *b = spk_heap_alloc(&heap, 256 * KIB, &small);
        assert_true(a && b);
        memset(a, 1, large);
        memset(b, 1, small);
        spk_heap_free(&heap, a, large);
        spk_heap_free(&heap, b, small);
        char *c = spk_heap_alloc(&heap, cases[i].wanted, &got);
        assert_non_null(c);
        assert_true((uintptr_t)c % 64 == 0 && got >= cases[i].wanted);
        memset(c, 2, got);
        assert_int_equal(heap.mapped, got + cases[i].left);
        assert_int_equal(heap.cached, cases[i].left);
        spk_heap_free(&heap, c, got);
        spk_heap_fini(&heap);
    }
}

static void test_trim__leaves_what_is_in_use(void **state)
{
    spk_heap *heap = *state;
    size_t kept, freed;
    char *a = spk_heap_alloc(heap, 50 * KIB, &kept), *b = spk_heap_alloc(heap, 5 * MIB, &freed);
    memset(a, 7, kept);
    spk_heap_free(heap, b, freed);
    spk_heap_trim(heap);
    assert_int_equal(heap->mapped, kept);
    assert_int_equal(heap->cached, 0);
    for (size_t i = 0; i < kept; i++)
        assert_int_equal(a[i], 7);
    spk_heap_free(heap, a, kept);
}

static void test_peak__is_the_most_that_was_mapped(void **state)
{
    spk_heap *heap = *state;
    uint64_t most = 0;
    for (int round = 0; round < 3; round++) {
        void *blocks[20];
        size_t capacity[20];
        for (size_t i = 0; i < 20; i++) {
            blocks[i] = spk_heap_alloc(heap, (i + 1) * 7000 * (size_t)(3 - round), &capacity[i]);
            most = heap->mapped > most ? heap->mapped : most;
            assert_int_equal(heap->peak, most);
        }
        for (size_t i = 0; i < 20; i++)
            spk_heap_free(heap, blocks[i], capacity[i]);
        spk_heap_trim(heap);
    }
    assert_int_equal(heap->peak, most);
}

enum { THREADS = 8, ROUNDS = 4000, LIVE = 24 };

typedef struct user {
    spk_heap *heap;
    uint64_t name;
    bool good;
} user;

/* use: blocks of all sizes come and go; each is signed at both ends. */
static void *use(void *arg)
{
    user *u = arg;
    struct {
        uint64_t *at;
        size_t capacity;
    } live[LIVE] = { { NULL, 0 } };
    uint64_t random = u->name * UINT64_C(0x9e3779b97f4a7c15);
    u->good = true;
    for (int i = 0; i < ROUNDS + LIVE; i++) {
        const size_t slot = (size_t)i % LIVE;
        uint64_t *at = live[slot].at;
        if (at) {
            const uint64_t *last = at + live[slot].capacity / 8 - 1;
            u->good = u->good && at[1] == u->name && *last == u->name;
            spk_heap_free(u->heap, at, live[slot].capacity);
        }
        random = random * UINT64_C(6364136223846793005) + 1;
        const size_t size = (size_t)1 << (8 + (random >> 60) % 12);
        live[slot].at = at = i < ROUNDS
            ? spk_heap_alloc(u->heap, size + (random >> 40) % size, &live[slot].capacity)
            : NULL;
        if (!at)
            u->good = u->good && i >= ROUNDS;
        else
            at[1] = at[live[slot].capacity / 8 - 1] = u->name;
        if (i % 1000 == 999)
            spk_heap_trim(u->heap);
    }
    return NULL;
}

static void test_threads__never_share_a_block(void **state)
{
    spk_heap *heap = *state;
    pthread_t threads[THREADS];
    user users[THREADS];
    for (int i = 0; i < THREADS; i++) {
        users[i] = (user) { heap, (uint64_t)i + 1, false };
        assert_int_equal(pthread_create(&threads[i], NULL, use, &users[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_true(users[i].good);
    }
    assert_int_equal(heap->mapped, heap->cached);
    spk_heap_trim(heap);
    assert_int_equal(heap->mapped, 0);
}

#define heap_test(f) cmocka_unit_test_setup_teardown(f, open_heap, close_heap)

int main(void)
{
    const struct CMUnitTest tests[] = {
        heap_test(test_alloc__is_aligned_and_charged_at_its_capacity),
        heap_test(test_classes__waste_at_most_a_fifth),
        heap_test(test_alloc__beyond_the_largest_class_is_not_kept),
        heap_test(test_alloc__of_no_sane_size_is_refused),
        heap_test(test_free__keeps_blocks_for_their_class_alone),
        heap_test(test_free__of_small_blocks_keeps_nothing),
        heap_test(test_settle__keeps_what_the_last_jobs_needed),
        heap_test(test_settle__keeps_what_small_jobs_need_beside_what_stays),
        heap_test(test_alloc__gives_kept_blocks_up_rather_than_grow),
        heap_test(test_limit__is_exact),
        cmocka_unit_test(test_limit__makes_kept_blocks_larger_and_smaller),
        heap_test(test_limit__gives_kept_blocks_up),
        heap_test(test_trim__leaves_what_is_in_use),
        heap_test(test_peak__is_the_most_that_was_mapped),
        heap_test(test_threads__never_share_a_block),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
