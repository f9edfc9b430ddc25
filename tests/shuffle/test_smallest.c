/* SPDX-License-Identifier: Apache-2.0 */
/* The first few of many rows, against sorting all of them: of every type and order, added in parts and
 * merged in any order, some of them twice, under limits of number, bytes and memory. */
#include "support/fixture.h"
#include "type/random_value.h"

#include "shuffle/smallest.h"

enum { MOST = 3000, PARTS = 5 };

typedef struct row {
    uint64_t prefix;
    int partition;
    uint64_t position;
    char *value;
} row;

static const spk_ordering *by; /* NULL: prefix and place */

static int compare_rows(const void *a, const void *b)
{
    const row *x = a, *y = b;
    if (x->prefix != y->prefix)
        return x->prefix < y->prefix ? -1 : 1;
    const int c = by ? spk_ordering_compare(by, x->value, y->value) : 0;
    if (c)
        return c;
    if (x->partition != y->partition)
        return x->partition < y->partition ? -1 : 1;
    return (x->position > y->position) - (x->position < y->position);
}

typedef struct given {
    row rows[MOST];
    char *values;
    value_pool pool;
    size_t n, size;
} given;

static void make_rows(given *g, const spark_type *type, size_t n, int distinct_prefixes)
{
    uint64_t next[PARTS] = { 0 };
    g->n = n;
    g->size = type->size;
    g->pool = (value_pool) { .n = 0 };
    g->values = aligned_alloc(64, (n * g->size + 64) / 64 * 64);
    assert_non_null(g->values);
    for (size_t i = 0; i < n; i++) {
        row *r = &g->rows[i];
        r->value = g->values + i * g->size;
        random_row(type, r->value, &g->pool);
        r->partition = (int)random_below(PARTS);
        r->position = next[r->partition]++;
        r->prefix = by ? spk_ordering_prefix(by, r->value)
                       : random_u64() % (uint64_t)distinct_prefixes;
    }
}

static void free_rows(given *g)
{
    pool_free(&g->pool);
    free(g->values);
}

static void add(spk_smallest *s, const row *r)
{
    assert_true(spk_smallest_add(s, r->prefix, r->partition, r->position, r->value));
}

/* add_all: a shared one gets each part's; some rows come twice, as from attempts that failed. */
static void add_all(const given *g, spk_smallest_shared *shared, spk_heap *heap, bool twice)
{
    const int first = (int)random_below(PARTS);
    for (int k = 0; k < PARTS; k++) {
        const int p = (first + k) % PARTS;
        spk_smallest part;
        spk_smallest_init(&part, heap, shared->all.by);
        spk_smallest_bound(&part, atomic_load(&shared->bound));
        for (size_t i = 0; i < g->n; i++)
            if (g->rows[i].partition == p)
                add(&part, &g->rows[i]);
        assert_true(spk_smallest_publish(shared, &part));
        for (size_t i = 0; twice && i < g->n; i += 3)
            add(&shared->all, &g->rows[i]);
    }
}

/* expect_first: what is kept are the first ones of all that were given. */
static void expect_first(given *g, spk_smallest *kept, const spark_type *type)
{
    const spk_smallest_by *which = kept->by;
    uint64_t bytes = 0;
    size_t want = 0;
    qsort(g->rows, g->n, sizeof *g->rows, compare_rows);
    for (; want < g->n && want < which->n; want++) {
        bytes += 32 + g->size + spk_value_bytes(which->layout, g->rows[want].value);
        if (want > 0 && bytes > which->bytes)
            break;
    }
    assert_true(spk_smallest_cut(kept));
    assert_int_equal(kept->n, want);
    for (size_t i = 0; i < want; i++)
        assert_int_equal(naive_compare(type, spk_smallest_row(kept, i), g->rows[i].value), 0);
}

static void compare(fixture *f, const spark_type *type, spk_ordering *ordering, size_t n,
    uint64_t wanted, uint64_t bytes, bool twice)
{
    static given g;
    const spk_smallest_by which = { layout_of(f->types, type), ordering, wanted, bytes };
    spk_smallest_shared shared;
    by = ordering;
    make_rows(&g, type, n, 200);
    spk_smallest_shared_init(&shared, &f->heap, &which);
    add_all(&g, &shared, &f->heap, twice);
    expect_first(&g, &shared.all, type);
    spk_smallest_shared_fini(&shared);
    free_rows(&g);
}

static void test_smallest__are_the_first_of_every_type(void **state)
{
    static const uint64_t wanted[] = { 1, 2, 10, 60, 5000 };
    fixture *f = *state;
    for (size_t t = 0; t < N_TYPES; t++)
        for (size_t w = 0; w < 5; w++) {
            spk_ordering o;
            spk_failure failure;
            assert_int_equal(spk_ordering_make(&o, f->types, layout_of(f->types, all_types[t]),
                                 w % 2 ? spark_order_desc : NULL, &failure),
                SPARK_OK);
            compare(f, all_types[t], &o, 200, wanted[w], UINT64_MAX, w == 2);
        }
}

static void test_smallest__hold_so_many_bytes_and_always_one(void **state)
{
    fixture *f = *state;
    for (size_t t = 0; t < N_TYPES; t++)
        for (uint64_t bytes = 1; bytes < 100000; bytes *= 7)
            compare(f, all_types[t], NULL, 200, 100, bytes, bytes % 3 == 1);
}

static void test_smallest__of_very_many_hold_little(void **state)
{
    fixture *f = *state;
    const spk_smallest_by which = { layout_of(f->types, SPARK_TYPE(int64_t)), NULL, 100, 1 << 20 };
    spk_smallest s;
    spk_smallest_init(&s, &f->heap, &which);
    for (int64_t i = 2000000; i-- > 0;) /* each is smaller than all before */
        assert_true(spk_smallest_add(&s, (uint64_t)i, 0, (uint64_t)i, (const char *)&i));
    assert_true(spk_smallest_cut(&s));
    assert_int_equal(s.n, 100);
    for (int64_t i = 0; i < 100; i++)
        assert_memory_equal(spk_smallest_row(&s, (size_t)i), &i, sizeof i);
    spk_smallest_fini(&s);
    assert_true(f->heap.peak < 1024 * 1024);
}

static void test_smallest__long_rows_are_let_go_of(void **state)
{
    fixture *f = *state;
    enum { LENGTH = 300000 };
    const spk_smallest_by which
        = { layout_of(f->types, SPARK_TYPE(spark_str)), NULL, 1, UINT64_MAX };
    char *text = malloc(LENGTH);
    const spark_str value = { text, LENGTH };
    spk_smallest s;
    assert_non_null(text);
    memset(text, 'a', LENGTH);
    spk_smallest_init(&s, &f->heap, &which);
    for (uint64_t i = 1000; i-- > 0;)
        assert_true(spk_smallest_add(&s, i, 0, i, (const char *)&value));
    assert_true(spk_smallest_cut(&s));
    assert_int_equal(s.n, 1);
    spk_smallest_fini(&s);
    free(text);
    assert_true(f->heap.peak < 8 * 1024 * 1024); /* of 300 MB that have passed */
}

static void test_smallest__without_memory_keep_what_they_have(void **state)
{
    static given g;
    fixture *f = *state;
    const spark_type *type = SPARK_TYPE(spark_str);
    const spk_smallest_by which = { layout_of(f->types, type), NULL, 500, UINT64_MAX };
    size_t refused = 0;
    by = NULL;
    make_rows(&g, type, MOST, 100000);
    spk_smallest s;
    spk_smallest_init(&s, &f->heap, &which);
    f->heap.limit = 64 * 1024;
    for (size_t i = 0; i < g.n; i++)
        while (!spk_smallest_add(
            &s, g.rows[i].prefix, g.rows[i].partition, g.rows[i].position, g.rows[i].value)) {
            f->heap.limit += 16 * 1024; /* tried again, as an attempt is */
            refused++;
        }
    while (!spk_smallest_cut(&s))
        f->heap.limit += 16 * 1024;
    assert_true(refused > 0);
    expect_first(&g, &s, type);
    spk_smallest_fini(&s);
    free_rows(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fixture_test(test_smallest__are_the_first_of_every_type),
        fixture_test(test_smallest__hold_so_many_bytes_and_always_one),
        fixture_test(test_smallest__of_very_many_hold_little),
        fixture_test(test_smallest__long_rows_are_let_go_of),
        fixture_test(test_smallest__without_memory_keep_what_they_have),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
