/* SPDX-License-Identifier: Apache-2.0 */
/* Arenas: blocks never overlap, and everything is given back by reset, rewind and fini. */
#include "support/spark_test.h"

#include <stdlib.h>

#include "base/arena.h"

enum { MIB = 1024 * 1024, MOST = 4000 };

typedef struct fixture {
    spk_heap heap;
    spk_arena arena;
} fixture;

static int open_arena(void **state)
{
    fixture *f = malloc(sizeof *f);
    if (!f)
        return -1;
    spk_heap_init(&f->heap, 0);
    spk_arena_init(&f->arena, &f->heap);
    *state = f;
    return 0;
}

static int close_arena(void **state)
{
    fixture *f = *state;
    spk_arena_fini(&f->arena);
    const bool given_back = f->heap.mapped == f->heap.cached && f->arena.bytes == 0;
    spk_heap_fini(&f->heap);
    free(f);
    return given_back ? 0 : -1;
}

/* piece: one allocation, filled with its number. */
typedef struct piece {
    unsigned char *at;
    size_t size;
} piece;

static piece take(spk_arena *arena, size_t size, size_t align, size_t number)
{
    const size_t before = arena->bytes;
    piece p = { spk_arena_alloc(arena, size, align), size };
    assert_non_null(p.at);
    assert_int_equal((uintptr_t)p.at % align, 0);
    assert_int_equal(arena->bytes, before + size);
    assert_true(spk_arena_owns(arena, p.at));
    memset(p.at, (int)(number % 251), size);
    return p;
}

static void check_pieces(const piece *pieces, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < pieces[i].size; j++)
            assert_int_equal(pieces[i].at[j], i % 251);
}

static void test_alloc__is_aligned_and_never_overlaps(void **state)
{
    static piece pieces[MOST];
    fixture *f = *state;
    uint64_t random = 1;
    for (size_t i = 0; i < MOST; i++) {
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
        const size_t align = (size_t)1 << (random >> 40) % 7;
        size_t size = (random >> 50) % 300;
        if (i % 500 == 499)
            size = (i + 1) * 50;
        pieces[i] = take(&f->arena, size, align, i);
    }
    check_pieces(pieces, MOST);
}

static void test_alloc__of_nothing_is_not_null(void **state)
{
    fixture *f = *state;
    assert_non_null(spk_arena_alloc(&f->arena, 0, 1));
    assert_non_null(spk_arena_alloc(&f->arena, 0, 64));
    assert_int_equal(f->arena.bytes, 0);
}

static void test_alloc__larger_than_a_chunk_gets_its_own(void **state)
{
    fixture *f = *state;
    piece pieces[7];
    for (size_t i = 0; i < 7; i++)
        pieces[i] = take(&f->arena, i % 2 ? (size_t)3 * MIB + i : 10, 64, i);
    check_pieces(pieces, 7);
    assert_true(f->heap.mapped < 14 * MIB);
}

static void test_alloc__fills_chunks_before_it_takes_more(void **state)
{
    fixture *f = *state;
    for (int i = 0; i < 64 * MIB / 128; i++)
        assert_non_null(spk_arena_alloc(&f->arena, 128, 8));
    assert_true(f->heap.mapped < 68 * MIB);
}

static void test_alloc__without_memory_leaves_what_is_there(void **state)
{
    fixture *f = *state;
    piece pieces[1000];
    size_t n = 0;
    f->heap.limit = MIB;
    while (n < 1000) {
        pieces[n] = (piece) { spk_arena_alloc(&f->arena, 5000, 8), 5000 };
        if (!pieces[n].at)
            break;
        memset(pieces[n].at, (int)(n % 251), 5000);
        n++;
    }
    assert_true(n > 80 && n < 210);
    const size_t bytes = f->arena.bytes;
    assert_int_equal(bytes, n * 5000);
    assert_null(spk_arena_alloc(&f->arena, SIZE_MAX / 2, 8));
    assert_null(spk_arena_alloc(&f->arena, SIZE_MAX, 8));
    assert_int_equal(f->arena.bytes, bytes);
    check_pieces(pieces, n);
}

static void test_small__takes_little_at_first(void **state)
{
    fixture *f = *state;
    spk_arena_init_small(&f->arena, &f->heap);
    take(&f->arena, 100, 8, 0);
    assert_int_equal(f->heap.mapped, 4096);
    for (int i = 0; i < 110; i++)
        take(&f->arena, 100, 8, 0);
    assert_int_equal(f->heap.mapped, 3 * 4096);
}

static void test_reset__keeps_one_chunk(void **state)
{
    fixture *f = *state;
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < 3000; i++)
            take(&f->arena, 100, 8, 0);
        spk_arena_reset(&f->arena);
        assert_int_equal(f->arena.bytes, 0);
        assert_true(f->heap.mapped - f->heap.cached <= MIB);
    }
    const uint64_t mapped = f->heap.mapped - f->heap.cached;
    assert_true(mapped > 0);
    take(&f->arena, 100, 8, 0);
    assert_int_equal(f->heap.mapped - f->heap.cached, mapped);
    spk_arena_reset(&f->arena);
    spk_arena_reset(&f->arena);
    assert_int_equal(f->heap.mapped - f->heap.cached, mapped);
}

static void test_reset__of_an_unused_arena_does_nothing(void **state)
{
    fixture *f = *state;
    spk_arena_reset(&f->arena);
    spk_arena_fini(&f->arena);
    spk_arena_fill(&f->arena, 1);
    assert_false(spk_arena_owns(&f->arena, f));
    assert_int_equal(f->heap.mapped, 0);
    assert_non_null(spk_arena_alloc(&f->arena, 1, 1));
}

static void test_rewind__frees_what_came_after_the_mark(void **state)
{
    fixture *f = *state;
    piece before[50];
    for (size_t i = 0; i < 50; i++)
        before[i] = take(&f->arena, 1000, 8, i);
    const spk_arena_mark mark = spk_arena_note(&f->arena);
    const uint64_t used = f->heap.mapped - f->heap.cached;
    char *first = NULL;
    for (size_t after = 0; after < 4000; after = after * 3 + 1) {
        char *p = spk_arena_alloc(&f->arena, 10, 8);
        assert_true(!first || p == first);
        first = p;
        for (size_t i = 0; i < after; i++)
            take(&f->arena, 1000, 8, i);
        spk_arena_rewind(&f->arena, mark);
        assert_int_equal(f->arena.bytes, 50 * 1000);
        assert_int_equal(f->heap.mapped - f->heap.cached, used);
    }
    check_pieces(before, 50);
}

static void test_rewind__to_the_beginning_frees_all(void **state)
{
    fixture *f = *state;
    const spk_arena_mark mark = spk_arena_note(&f->arena);
    for (int i = 0; i < 100; i++)
        take(&f->arena, 10000, 8, 0);
    spk_arena_rewind(&f->arena, mark);
    assert_int_equal(f->heap.mapped, f->heap.cached);
    take(&f->arena, 10, 8, 0);
}

static void test_rewind__nests(void **state)
{
    fixture *f = *state;
    spk_arena_mark marks[20];
    for (size_t i = 0; i < 20; i++) {
        marks[i] = spk_arena_note(&f->arena);
        take(&f->arena, 30000, 16, i);
    }
    for (size_t i = 20; i-- > 0;) {
        spk_arena_rewind(&f->arena, marks[i]);
        assert_int_equal(f->arena.bytes, i * 30000);
    }
}

static void test_owns__its_memory_alone(void **state)
{
    fixture *f = *state;
    spk_arena other;
    spk_arena_init(&other, &f->heap);
    const char *foreign = spk_arena_alloc(&other, 100, 8);
    const char *small = spk_arena_alloc(&f->arena, 100, 8);
    const char *large = spk_arena_alloc(&f->arena, 2 * MIB, 8);
    assert_true(spk_arena_owns(&f->arena, small) && spk_arena_owns(&f->arena, small + 99));
    assert_true(spk_arena_owns(&f->arena, large + 2 * MIB - 1));
    assert_false(spk_arena_owns(&f->arena, foreign));
    assert_false(spk_arena_owns(&f->arena, &f));
    assert_false(spk_arena_owns(&f->arena, NULL));
    spk_arena_fini(&other);
}

static void test_fill__reaches_everything_handed_out(void **state)
{
    static piece pieces[500];
    fixture *f = *state;
    for (size_t i = 0; i < 500; i++)
        pieces[i] = take(&f->arena, 1 + i * 7, 8, i);
    spk_arena_fill(&f->arena, 0xdb);
    for (size_t i = 0; i < 500; i++)
        for (size_t j = 0; j < pieces[i].size; j++)
            assert_int_equal(pieces[i].at[j], 0xdb);
}

#define arena_test(f) cmocka_unit_test_setup_teardown(f, open_arena, close_arena)

int main(void)
{
    const struct CMUnitTest tests[] = {
        arena_test(test_alloc__is_aligned_and_never_overlaps),
        arena_test(test_alloc__of_nothing_is_not_null),
        arena_test(test_alloc__larger_than_a_chunk_gets_its_own),
        arena_test(test_alloc__fills_chunks_before_it_takes_more),
        arena_test(test_alloc__without_memory_leaves_what_is_there),
        arena_test(test_small__takes_little_at_first),
        arena_test(test_reset__keeps_one_chunk),
        arena_test(test_reset__of_an_unused_arena_does_nothing),
        arena_test(test_rewind__frees_what_came_after_the_mark),
        arena_test(test_rewind__to_the_beginning_frees_all),
        arena_test(test_rewind__nests),
        arena_test(test_owns__its_memory_alone),
        arena_test(test_fill__reaches_everything_handed_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
