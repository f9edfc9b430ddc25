/* SPDX-License-Identifier: Apache-2.0 */
/* Accumulators that grow: how often what they hold is copied. */
#include "support/fixture.h"
#include "type/random_value.h"

#include "exec/task.h"
#include "shuffle/growing.h"

typedef struct grown {
    int64_t room; /* bytes there are behind the text */
    spark_str text;
} grown;
SPARK_DESCRIBE(grown, (int64_t, room), (spark_str, text));
SPARK_PAIR(i64_i64, int64_t, int64_t);
SPARK_PAIR(i64_grown, int64_t, grown);

static size_t seals;

static void seal(const void *env, char *acc)
{
    (void)env;
    seals++;
    ((grown *)(void *)acc)->room = 0;
}

/* take: a value behind those there are, with room for as many more, as a list of SQL does. */
static void take(spark_task *task, const void *env, spk_growth how, char *acc, const char *value, size_t step,
    spk_arena *arena)
{
    grown *g = (grown *)(void *)acc;
    (void)task, (void)env, (void)how, (void)step;
    if (g->room < 8) {
        const size_t most = g->text.len < 32 ? 64 : 2 * g->text.len;
        char *fresh = spk_arena_alloc(arena, most, 8);
        assert_non_null(fresh);
        if (g->text.len > 0)
            memcpy(fresh, g->text.ptr, g->text.len);
        g->text.ptr = fresh;
        g->room = (int64_t)(most - g->text.len);
    }
    memcpy((char *)(uintptr_t)g->text.ptr + g->text.len, value, 8);
    g->text.len += 8;
    g->room -= 8;
}

/* expect_seldom: n values of so many keys: tables are compacted a few times, and nothing is lost. */
static void expect_seldom(fixture *f, int64_t n, int64_t keys)
{
    static const struct spk_growing growing = { spk_growing_add, take, seal };
    static const grown none;
    const spk_layout *in = layout_of(f->types, SPARK_TYPE(i64_i64)), *out = layout_of(f->types, SPARK_TYPE(i64_grown));
    const spk_aggregator aggregator = { .start = SPK_START_CREATE, .key = in->key, .in = in, .out = out,
        .value = in->value, .acc = out->value, .zero = &none, .growing = &growing };
    spark_task task = { .heap = &f->heap };
    uint64_t hash;
    uint32_t row;
    spk_combiner c = { .task = &task, .aggregator = &aggregator, .start = SPK_START_CREATE, .row = in,
        .move = { in->value_offset, out->value_offset, (uint32_t)out->value->size, &none, out->value },
        .found = { &hash, &row, &(uint32_t) { 0 }, 0 } };
    assert_true(spk_table_init(&c.table, &f->heap, in->key, out->size, 0, false));
    seals = 0;
    for (int64_t i = 0; i < n; i++) {
        const i64_i64 pair = { i % keys, i };
        assert_int_equal(spk_growing_add(&c, (const char *)&pair, NULL, UINT32_MAX, UINT64_MAX), 1);
    }
    assert_in_range(seals / (size_t)keys, 0, 16);
    for (int64_t key = 0; key < keys; key++) {
        const grown *g = (const void *)(spk_table_row(&c.table, (uint32_t)key) + out->value_offset);
        for (int64_t i = key, k = 0; i < n; i += keys, k++)
            assert_memory_equal(g->text.ptr + 8 * k, &i, 8);
    }
    spk_table_fini(&c.table);
}

static void test_growing__copies_a_long_list_a_few_times(void **state)
{
    expect_seldom(*state, 400000, 1);
    expect_seldom(*state, 400000, 3);
    expect_seldom(*state, 400000, 20000);
}

int main(void)
{
    const struct CMUnitTest tests[] = { fixture_test(test_growing__copies_a_long_list_a_few_times) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
