/* SPDX-License-Identifier: Apache-2.0 */
/* Hash tables against a naive map: keys of every class, in any batches, up to any limit, and keys chosen
 * to collide. */
#include "support/collisions.h"
#include "support/fixture.h"
#include "type/random_value.h"

#include "base/hash.h"
#include "shuffle/table.h"

SPARK_PAIR(i32_i64, int32_t, int64_t);
SPARK_PAIR(i64_i64, int64_t, int64_t);
SPARK_PAIR(str_i64, spark_str, int64_t);
SPARK_PAIR(dense_i64, dense, int64_t);
SPARK_PAIR(nested_i64, invoice, int64_t);
SPARK_PAIR(modulo_i64, modulo, int64_t);
SPARK_PAIR(double_i64, double, int64_t);
SPARK_PAIR(opt_i32_i64, spark_opt_i32, int64_t);
SPARK_PAIR(opt_i64_i64, spark_opt_i64, int64_t);
SPARK_PAIR(opt_str_i64, spark_opt_str, int64_t);
SPARK_PAIR(several_i64, several, int64_t);
SPARK_PAIR(i64_str, int64_t, spark_str);

/* A hash that tells nothing apart. */
static uint64_t same_hash(const void *v)
{
    (void)v;
    return 42;
}
static const spark_type_ops same_ops = { same_hash, NULL, NULL, NULL };
typedef struct alike {
    int64_t x;
} alike;
SPARK_DESCRIBE_WITH(alike, &same_ops, (int64_t, x));
SPARK_PAIR(alike_i64, alike, int64_t);

/* ---- the naive map */

enum { MOST = 4096 };

typedef struct naive {
    const spk_layout *row; /* pairs (key, int64_t) */
    size_t value;          /* its offset */
    const char *keys[MOST];
    int64_t sums[MOST];
    uint64_t string_bytes;
    uint32_t n;
    uint32_t rows[MOST]; /* of the elements of the last batch */
    uint32_t hits[MOST];
    size_t n_hits;
} naive;

static bool same_key(const spk_layout *key, const char *a, const char *b)
{
    if (key->key_class == SPK_KEY_4 || key->key_class == SPK_KEY_8)
        return memcmp(a, b, key->size) == 0;
    return naive_compare(key->type, a, b) == 0;
}

/* add: elements, until `limit` or bytes_limit stops it; returns how many. */
static size_t add(naive *m, const char *elements, size_t n, uint32_t limit, uint64_t bytes_limit)
{
    const spk_layout *key = m->row->key;
    m->n_hits = 0;
    for (size_t i = 0; i < n; i++) {
        const char *e = elements + i * m->row->size;
        uint32_t row = 0;
        while (row < m->n && !same_key(key, m->keys[row], e))
            row++;
        if (row == m->n) {
            if (m->n >= limit || m->string_bytes + (uint64_t)m->n * m->row->size >= bytes_limit)
                return i;
            m->keys[m->n] = e;
            m->sums[m->n++] = 0;
            m->string_bytes += key->key_class == SPK_KEY_STR
                ? ((const spark_str *)(const void *)e)->len
                : spk_value_bytes(key, e);
        } else {
            m->hits[m->n_hits++] = (uint32_t)i;
        }
        m->rows[i] = row;
        int64_t value;
        memcpy(&value, e + m->value, sizeof value);
        m->sums[row] = (int64_t)((uint64_t)m->sums[row] + (uint64_t)value);
    }
    return n;
}

/* ---- the table beside it */

typedef struct beside {
    fixture *f;
    spk_table table;
    naive map;
    bool sum, borrow, give_hashes;
    uint64_t hashes[MOST];
    uint32_t rows[MOST], hits[MOST];
    spk_value_move move;
    spk_found found;
} beside;

static beside *open_both(fixture *f, const spark_type *type, bool sum, bool borrow, bool give)
{
    beside *b = calloc(1, sizeof *b);
    assert_non_null(b);
    const spk_layout *row = layout_of(f->types, type);
    b->f = f;
    b->sum = sum;
    b->borrow = borrow;
    b->give_hashes = give;
    b->map.row = row;
    b->map.value = row->value_offset;
    b->move = (spk_value_move) { row->value_offset, row->value_offset, 8, NULL, NULL };
    b->found = (spk_found) { b->hashes, b->rows, b->hits, 0 };
    assert_true(spk_table_init(&b->table, &f->heap, row->key, row->size, 0, borrow));
    return b;
}

static void close_both(beside *b)
{
    spk_table_fini(&b->table);
    free(b);
}

/* step: one batch through both; they agree on what they did. Returns how many elements that was. */
static size_t step(beside *b, const char *elements, size_t n, uint32_t limit, uint64_t bytes_limit)
{
    const spk_layout *row = b->map.row;
    static uint64_t given[MOST];
    if (b->give_hashes)
        spk_hash_keys(row->key, elements, row->size, n, given);
    const size_t want = add(&b->map, elements, n, limit, bytes_limit);
    const size_t have = b->sum
        ? spk_table_sum(&b->table, SPK_SUM_I64, elements, row->size, n,
            b->give_hashes ? given : NULL, &b->move, limit, bytes_limit, &b->found)
        : spk_table_find(&b->table, elements, row->size, n, b->give_hashes ? given : NULL, &b->move,
            limit, bytes_limit, &b->found);
    assert_int_equal(have, want);
    assert_int_equal(b->table.n, b->map.n);
    if (!b->borrow)
        assert_int_equal(b->table.string_bytes, b->map.string_bytes);
    if (b->sum)
        return have;
    assert_memory_equal(b->rows, b->map.rows, have * sizeof b->rows[0]);
    assert_int_equal(b->found.n_hits, b->map.n_hits);
    assert_memory_equal(b->hits, b->map.hits, b->map.n_hits * sizeof b->hits[0]);
    for (size_t i = 0; i < b->found.n_hits; i++) { /* what a caller does with hits */
        int64_t value, sum;
        char *at = spk_table_row(&b->table, b->rows[b->hits[i]]) + b->map.value;
        memcpy(&value, elements + b->hits[i] * row->size + b->map.value, 8);
        memcpy(&sum, at, 8);
        sum = (int64_t)((uint64_t)sum + (uint64_t)value);
        memcpy(at, &sum, 8);
    }
    return have;
}

static void expect_same(const beside *b)
{
    const spk_layout *key = b->map.row->key;
    for (uint32_t i = 0; i < b->map.n; i++) {
        const char *row = spk_table_row(&b->table, i);
        assert_int_equal(naive_compare(key->type, row, b->map.keys[i]), 0);
        assert_memory_equal(row + b->map.value, &b->map.sums[i], 8);
        assert_true(!b->table.hashes || b->table.hashes[i] == spk_value_hash(key, row));
    }
}

/* elements: random rows of a small domain of keys. */
static void fill(const spark_type *type, char *elements, size_t n, value_pool *pool)
{
    for (size_t i = 0; i < n; i++) {
        char *row = elements + i * type->size;
        random_row(type, row, pool);
        if (random_below(4) == 0 && i > 0)
            memcpy(elements + i * type->size, elements + random_below(i) * type->size, type->size);
    }
}

static const spark_type *const pair_types[] = { SPARK_TYPE(i32_i64), SPARK_TYPE(i64_i64),
    SPARK_TYPE(str_i64), SPARK_TYPE(dense_i64), SPARK_TYPE(nested_i64), SPARK_TYPE(modulo_i64),
    SPARK_TYPE(double_i64), SPARK_TYPE(alike_i64), SPARK_TYPE(opt_i32_i64), SPARK_TYPE(opt_i64_i64),
    SPARK_TYPE(opt_str_i64), SPARK_TYPE(several_i64) };
enum { N_PAIRS = sizeof pair_types / sizeof pair_types[0] };

static void test_find__agrees_with_a_naive_map_for_every_key(void **state)
{
    enum { N = 600 };
    static _Alignas(16) char elements[N * 256];
    for (size_t t = 0; t < N_PAIRS; t++)
        for (int way = 0; way < 8; way++) {
            value_pool pool = { .n = 0 };
            fill(pair_types[t], elements, N, &pool);
            beside *b = open_both(*state, pair_types[t], way & 1, way & 2, way & 4);
            for (size_t i = 0, some; i < N; i += some) {
                some = 1 + random_below(200);
                some = some < N - i ? some : N - i;
                step(b, elements + i * pair_types[t]->size, some, UINT32_MAX, UINT64_MAX);
            }
            expect_same(b);
            close_both(b);
            pool_free(&pool);
        }
}

static void test_find__agrees_for_integers_of_any_spread(void **state)
{
    enum { N = 2000 };
    static i64_i64 wide[N];
    static i32_i64 narrow[N];
    for (int bits = 1; bits <= 64; bits += 3)
        for (int way = 0; way < 4; way++) {
            for (size_t i = 0; i < N; i++) {
                const uint64_t key = random_u64() >> (64 - bits);
                const int64_t from = way & 2 ? INT64_C(-5000) : 0;
                wide[i] = (i64_i64) { (int64_t)(key % 700 * (key | 1)) + from, (int64_t)i };
                narrow[i] = (i32_i64) { (int32_t)(key % 900), (int64_t)random_u64() };
            }
            beside *b = open_both(*state, SPARK_TYPE(i64_i64), way & 1, false, way & 2);
            for (size_t i = 0; i < N; i += 500)
                step(b, (const char *)&wide[i], 500, UINT32_MAX, UINT64_MAX);
            expect_same(b);
            close_both(b);
            b = open_both(*state, SPARK_TYPE(i32_i64), way & 1, false, way & 2);
            for (size_t i = 0; i < N; i += 400)
                step(b, (const char *)&narrow[i], 400, UINT32_MAX, UINT64_MAX);
            expect_same(b);
            close_both(b);
        }
}

/* ---- dense keys */

enum { DENSE_BATCH = 256 };

/* convert: a dense table meets a key far away at position `at` of its second batch. */
static void convert(fixture *f, const spark_type *type, size_t at, int64_t base, bool sum)
{
    const bool wide = type == SPARK_TYPE(i64_i64);
    static i64_i64 wides[2 * DENSE_BATCH];
    static i32_i64 narrows[2 * DENSE_BATCH];
    for (size_t i = 0; i < 2 * (size_t)DENSE_BATCH; i++) {
        int64_t key = base + (int64_t)(i * 7 % 300);
        if (i >= DENSE_BATCH + at && (i - at) % 5 == 0)
            key = base + 65536 + (int64_t)i % 3;
        if (i == DENSE_BATCH + at)
            key = base + 65536;
        wides[i] = (i64_i64) { key, (int64_t)i };
        narrows[i] = (i32_i64) { (int32_t)key, (int64_t)i };
    }
    beside *b = open_both(f, type, sum, false, false);
    const char *elements = wide ? (const char *)wides : (const char *)narrows;
    step(b, elements, DENSE_BATCH, UINT32_MAX, UINT64_MAX);
    assert_true(b->table.dense);
    step(b, elements + DENSE_BATCH * type->size, DENSE_BATCH, UINT32_MAX, UINT64_MAX);
    assert_false(b->table.dense);
    expect_same(b);
    step(b, elements, 2 * DENSE_BATCH, UINT32_MAX, UINT64_MAX);
    expect_same(b);
    close_both(b);
}

static void test_dense__becomes_hashed_at_any_position(void **state)
{
    for (size_t at = 0; at < DENSE_BATCH; at++) {
        convert(*state, SPARK_TYPE(i64_i64), at, 0, at % 2);
        convert(*state, SPARK_TYPE(i64_i64), at, -(INT64_C(1) << 40), at % 2 == 0);
        convert(*state, SPARK_TYPE(i32_i64), at, 100000, at % 3 == 0);
    }
}

static void test_dense__takes_the_whole_range_and_no_more(void **state)
{
    static i64_i64 elements[DENSE_BATCH];
    for (int64_t beyond = 0; beyond < 2; beyond++) {
        for (int64_t i = 0; i < DENSE_BATCH; i++)
            elements[i] = (i64_i64) { 1000000 + i, 1 };
        elements[100].key = 1000000 + 65535 + beyond;
        beside *b = open_both(*state, SPARK_TYPE(i64_i64), false, false, false);
        step(b, (const char *)elements, DENSE_BATCH, UINT32_MAX, UINT64_MAX);
        assert_int_equal(b->table.dense, !beyond);
        step(b, (const char *)elements, DENSE_BATCH, UINT32_MAX, UINT64_MAX);
        const i64_i64 below = { 999999, 1 }; /* the base */
        step(b, (const char *)&below, 1, UINT32_MAX, UINT64_MAX);
        assert_false(b->table.dense);
        expect_same(b);
        close_both(b);
    }
}

static void test_dense__clears_all_it_has_used(void **state)
{
    static const int64_t starts[] = { 1000, 65536 - DENSE_BATCH, 0, 30000, 60000, 1000 };
    enum { N_STARTS = sizeof starts / sizeof *starts };
    static i64_i64 elements[3][DENSE_BATCH]; /* the map points into them */
    beside *b = open_both(*state, SPARK_TYPE(i64_i64), true, false, false);
    for (size_t round = 0; round < (size_t)2 * N_STARTS; round++) {
        for (size_t part = 0; part < round % 4; part++) {
            for (int64_t i = 0; i < DENSE_BATCH; i++)
                elements[part][i] = (i64_i64) { starts[(round + part) % N_STARTS] + i, i };
            step(b, (const char *)elements[part], DENSE_BATCH, UINT32_MAX, UINT64_MAX);
            assert_true(b->table.dense);
            expect_same(b);
        }
        spk_table_clear(&b->table);
        b->map.n = 0;
    }
    close_both(b);
}

static void test_dense__grows_to_all_its_keys(void **state)
{
    enum { N = 65536, BATCH = 1024 };
    fixture *f = *state;
    static i64_i64 batch[BATCH];
    static uint64_t hashes[BATCH];
    static uint32_t rows[BATCH], hits[BATCH];
    spk_found found = { hashes, rows, hits, 0 };
    spk_table t;
    const spk_layout *layout = layout_of(f->types, SPARK_TYPE(i64_i64));
    const spk_value_move move = { 8, 8, 8, NULL, NULL };
    assert_true(spk_table_init(&t, &f->heap, layout->key, 16, 0, false));
    for (int64_t i = 0; i < 2 * N; i += BATCH) {
        for (int64_t j = 0; j < BATCH; j++)
            batch[j] = (i64_i64) { (i + j) * 40503 % N, 1 };
        assert_int_equal(spk_table_sum(&t, SPK_SUM_I64, (const char *)batch, 16, BATCH, NULL, &move, UINT32_MAX,
                             UINT64_MAX, &found),
            BATCH);
    }
    assert_true(t.dense);
    assert_int_equal(t.n, N);
    for (int64_t i = 0; i < N; i++) {
        const i64_i64 *row = (const i64_i64 *)(const void *)spk_table_row(&t, (uint32_t)i);
        assert_true(row->key == i * 40503 % N && row->value == 2);
    }
    spk_table_fini(&t);
}

/* ---- keys that were chosen to collide */

/* flood: n rows of distinct keys, in batches, then once more. The table is guarded from the first batch
 * on, and its rows are as ever: in the order of their first occurrence, hashes as they are. */
static void flood(fixture *f, const spark_type *type, const char *elements, size_t n)
{
    enum { BATCH = 1000 };
    static uint64_t hashes[BATCH];
    static uint32_t rows[BATCH], hits[BATCH];
    const spk_layout *layout = layout_of(f->types, type);
    const spk_value_move move
        = { layout->value_offset, layout->value_offset, 8, NULL, NULL };
    spk_found found = { hashes, rows, hits, 0 };
    spk_table t;
    assert_true(spk_table_init(&t, &f->heap, layout->key, layout->size, 0, true));
    for (int again = 0; again < 2; again++)
        for (size_t i = 0; i < n; i += BATCH) {
            assert_int_equal(spk_table_sum(&t, SPK_SUM_I64, elements + i * layout->size, layout->size, BATCH,
                                 NULL, &move, UINT32_MAX, UINT64_MAX, &found),
                BATCH);
            assert_true(t.guarded); /* 1,000 of one place take half a million steps */
        }
    assert_int_equal(t.n, n);
    for (uint32_t row = 0; row < t.n; row++) {
        const char *want = elements + row * layout->size, *have = spk_table_row(&t, row);
        assert_true(spk_value_equal(layout->key, want, have));
        assert_true(!t.hashes || t.hashes[row] == spk_value_hash(layout->key, want));
        assert_int_equal(*(const int64_t *)(const void *)(have + layout->value_offset), 2);
    }
    spk_table_clear(&t);
    assert_false(t.guarded);
    spk_table_fini(&t);
}

static void test_flood__of_integers_of_one_bucket_is_bounded(void **state)
{
    enum { N = 30000 };
    static i64_i64 elements[N];
    uint64_t at = 0;
    for (size_t i = 0; i < N; i++)
        elements[i] = (i64_i64) { collisions_next(&at, 77), 1 };
    flood(*state, SPARK_TYPE(i64_i64), (const char *)elements, N);
}

static void test_flood__of_strings_of_one_hash_is_bounded(void **state)
{
    enum { N = 30000 };
    static char texts[N][32];
    static str_i64 elements[N];
    for (size_t i = 0; i < N; i++) {
        collisions_text(i, 4711, texts[i]);
        elements[i] = (str_i64) { { texts[i], 32 }, 1 };
    }
    flood(*state, SPARK_TYPE(str_i64), (const char *)elements, N);
}

/* A key far from its place that is asked for all the time: no new row, and yet too many steps. */
static void test_flood__of_hits_is_seen(void **state)
{
    enum { N = 100, ROUNDS = 400 };
    static i64_i64 elements[N];
    static uint64_t hashes[N];
    static uint32_t rows[N], hits[N];
    fixture *f = *state;
    const spk_layout *layout = layout_of(f->types, SPARK_TYPE(i64_i64));
    const spk_value_move move = { 8, 8, 8, NULL, NULL };
    spk_found found = { hashes, rows, hits, 0 };
    uint64_t at = 0;
    spk_table t;
    for (size_t i = 0; i < N; i++)
        elements[i] = (i64_i64) { collisions_next(&at, 77), 1 };
    assert_true(spk_table_init(&t, &f->heap, layout->key, 16, 0, false));
    for (int i = 0; i < ROUNDS; i++)
        assert_int_equal(spk_table_sum(&t, SPK_SUM_I64, (const char *)(i ? &elements[N - 1] : elements), 16,
                             i ? 1 : N, NULL, &move, UINT32_MAX, UINT64_MAX, &found),
            i ? 1 : N);
    assert_int_equal(t.n, N);
    assert_true(t.guarded);
    assert_int_equal(((const i64_i64 *)(const void *)spk_table_row(&t, N - 1))->value, ROUNDS);
    spk_table_fini(&t);
}

static void test_clear__forgets_rows_and_keeps_memory(void **state)
{
    enum { N = 600 };
    fixture *f = *state;
    static _Alignas(16) char elements[N * 256];
    for (size_t t = 0; t < N_PAIRS; t++) {
        value_pool pool = { .n = 0 };
        const size_t size = pair_types[t]->size;
        beside *b = open_both(f, pair_types[t], false, false, false);
        for (int round = 0; round < 6; round++) {
            fill(pair_types[t], elements, N, &pool);
            for (size_t i = 0; round == 2 && i < N; i++) /* dense, where keys are integers */
                memset(elements + i * size, 0, size < 17 ? 8 : 0);
            step(b, elements, N, UINT32_MAX, UINT64_MAX);
            expect_same(b);
            spk_table_clear(&b->table);
            assert_int_equal(b->table.n, 0);
            assert_int_equal(b->table.string_bytes, 0);
            b->map.n = 0;
            b->map.string_bytes = 0;
        }
        close_both(b);
        pool_free(&pool);
    }
}

/* ---- limits */

static void test_limit__stops_before_the_row_it_forbids(void **state)
{
    enum { N = 300 };
    static _Alignas(16) char elements[N * 256];
    for (size_t t = 0; t < N_PAIRS; t++) {
        value_pool pool = { .n = 0 };
        const size_t size = pair_types[t]->size;
        fill(pair_types[t], elements, N, &pool);
        for (uint32_t limit = 0; limit < 60; limit++) {
            beside *b = open_both(*state, pair_types[t], limit % 2, limit % 3 == 0, limit % 5 == 0);
            const size_t done = step(b, elements, N, limit, UINT64_MAX);
            assert_true(b->table.n <= limit);
            if (done < N) {
                assert_int_equal(b->table.n, limit);
                assert_int_equal(step(b, elements + done * size, N - done, limit, UINT64_MAX), 0);
                step(b, elements + done * size, N - done, limit + 1, UINT64_MAX);
            }
            expect_same(b);
            close_both(b);
        }
        pool_free(&pool);
    }
}

static void test_bytes_limit__counts_rows_and_strings_exactly(void **state)
{
    enum { N = 300 };
    static _Alignas(16) char elements[N * 256];
    for (size_t t = 0; t < N_PAIRS; t++) {
        value_pool pool = { .n = 0 };
        fill(pair_types[t], elements, N, &pool);
        for (uint64_t bytes = 0; bytes < 2000; bytes += 1 + bytes / 17) {
            beside *b = open_both(*state, pair_types[t], bytes % 2, false, false);
            step(b, elements, N, UINT32_MAX, bytes);
            expect_same(b);
            close_both(b);
        }
        pool_free(&pool);
    }
}

static void test_limit__does_not_depend_on_batches(void **state)
{
    enum { N = 600 };
    static _Alignas(16) char elements[N * 256];
    static const size_t batches[] = { 1, 2, 7, 255, 256, N };
    for (size_t t = 0; t < N_PAIRS; t++) {
        value_pool pool = { .n = 0 };
        const size_t size = pair_types[t]->size;
        size_t stops[6];
        fill(pair_types[t], elements, N, &pool);
        for (size_t k = 0; k < 6; k++) {
            beside *b = open_both(*state, pair_types[t], false, false, false);
            size_t at = 0;
            while (at < N) {
                const size_t some = batches[k] < N - at ? batches[k] : N - at;
                const size_t done = step(b, elements + at * size, some, 200, 1500);
                at += done;
                if (done < some)
                    break;
            }
            stops[k] = at;
            assert_int_equal(stops[k], stops[0]);
            close_both(b);
        }
        pool_free(&pool);
    }
}

/* ---- growth */

static void test_growth__keeps_the_order_of_insertion(void **state)
{
    enum { N = 200000, BATCH = 1000 };
    fixture *f = *state;
    static str_i64 batch[BATCH];
    static char texts[BATCH][24];
    static uint64_t hashes[BATCH];
    static uint32_t rows[BATCH], hits[BATCH];
    spk_found found = { hashes, rows, hits, 0 };
    const spk_layout *layout = layout_of(f->types, SPARK_TYPE(str_i64));
    const spk_value_move move = { 16, 16, 8, NULL, NULL };
    for (int expected = 0; expected < 2; expected++) {
        spk_table t;
        assert_true(spk_table_init(
            &t, &f->heap, layout->key, sizeof(str_i64), expected ? N * 4 : 0, false));
        for (int round = 0; round < 2; round++)
            for (int i = 0; i < N; i += BATCH) {
                for (int j = 0; j < BATCH; j++) {
                    const int len = snprintf(texts[j], sizeof texts[j], "key-%d", i + j);
                    batch[j] = (str_i64) { { texts[j], (size_t)len }, i + j };
                }
                assert_int_equal(spk_table_find(&t, (const char *)batch, sizeof(str_i64), BATCH,
                                     NULL, &move, UINT32_MAX, UINT64_MAX, &found),
                    BATCH);
                assert_int_equal(found.n_hits, round ? BATCH : 0);
                for (int j = 0; j < BATCH; j++)
                    assert_int_equal(rows[j], i + j);
            }
        assert_int_equal(t.n, N);
        for (int i = 0; i < N; i++) {
            const str_i64 *row = (const str_i64 *)(const void *)spk_table_row(&t, (uint32_t)i);
            const int len = snprintf(texts[0], sizeof texts[0], "key-%d", i);
            assert_int_equal(row->key.len, len);
            assert_memory_equal(row->key.ptr, texts[0], (size_t)len);
            assert_true(row->value == i);
        }
        spk_table_fini(&t);
    }
}

/* ---- keys chosen to collide */

/* unhash: the key of a hash. */
static uint64_t unhash(uint64_t h)
{
    uint64_t inverse = 1;
    for (int i = 0; i < 6; i++)
        inverse *= 2 - UINT64_C(0xd6e8feb86659fd93) * inverse;
    h ^= h >> 32;
    h *= inverse;
    return h ^ h >> 29 ^ h >> 58;
}

/* unbucket: the hash whose bucket is the upper part of x: what the table multiplies by, inverted. */
static uint64_t unbucket(uint64_t x)
{
    uint64_t inverse = 1;
    for (int i = 0; i < 6; i++)
        inverse *= 2 - UINT64_C(0x9fb21c651e98df25) * inverse;
    return x * inverse;
}

static void test_find__survives_equal_salts_and_buckets(void **state)
{
    enum { N = 1500 };
    static i64_i64 elements[2 * N];
    for (int way = 0; way < 8; way++) {
        for (uint64_t i = 0; i < N; i++) {
            const uint64_t hash = way & 1 ? unbucket(i << 3)       /* one bucket in any directory */
                : way & 2                 ? UINT64_C(77) << 32 | i /* one salt */
                                          : (i % 40) << 32 | 5;
            assert_true(spk_hash_u64(unhash(hash)) == hash);
            elements[i] = (i64_i64) { (int64_t)unhash(hash), 1 };
            elements[N + i] = elements[(i * 7) % (i + 1)];
        }
        beside *b = open_both(*state, SPARK_TYPE(i64_i64), way & 4, false, way & 2);
        for (size_t i = 0; i < 2 * (size_t)N; i += 500)
            step(b, (const char *)&elements[i], 500, UINT32_MAX, UINT64_MAX);
        expect_same(b);
        close_both(b);
    }
}

static void test_find__survives_a_constant_hash(void **state)
{
    enum { N = 1200 };
    static alike_i64 elements[N];
    for (int64_t i = 0; i < N; i++)
        elements[i] = (alike_i64) { { i % 800 * 3 }, i };
    beside *b = open_both(*state, SPARK_TYPE(alike_i64), true, false, false);
    for (size_t i = 0; i < N; i += 100)
        step(b, (const char *)&elements[i], 100, UINT32_MAX, UINT64_MAX);
    assert_int_equal(b->table.n, 800);
    expect_same(b);
    close_both(b);
}

/* longest: the longest row of entries in use in a directory. */
static uint32_t longest(const spk_table *t)
{
    uint32_t most = 0, length = 0;
    for (uint32_t i = 0; i < t->directory_size; i++) {
        length = t->directory[i] ? length + 1 : 0;
        most = length > most ? length : most;
    }
    return most;
}

static void test_directory__of_a_shard_has_short_chains(void **state)
{
    enum { N = 400000 };
    fixture *f = *state;
    static uint64_t hashes[1];
    static uint32_t rows[1], hits[1];
    spk_found found = { hashes, rows, hits, 0 };
    const spk_layout *layout = layout_of(f->types, SPARK_TYPE(i64_i64));
    const spk_value_move move = { 8, 8, 8, NULL, NULL };
    for (int family = 0; family < 5; family++) {
        spk_table t;
        assert_true(spk_table_init(&t, &f->heap, layout->key, 16, 0, false));
        for (uint64_t i = 0; i < N; i++) {
            const double number = (double)i;
            const uint64_t keys[]
                = { i, i << 20, i << 32 | i, (i % 600) << 32 | i / 600, spk_load64(&number) };
            const i64_i64 e = { (int64_t)keys[family], 1 };
            const uint64_t h = spk_hash_u64(keys[family]);
            if (h >> 56 != 0x53) /* one slice of one partition */
                continue;
            assert_int_equal(spk_table_sum(&t, SPK_SUM_I64, (const char *)&e, 16, 1, NULL, &move, UINT32_MAX,
                                 UINT64_MAX, &found),
                1);
        }
        assert_true(t.n > 500);
        assert_true(longest(&t) < 30);
        spk_table_fini(&t);
    }
}

/* ---- values */

static void test_value__may_start_from_zero_or_point_to_memory(void **state)
{
    fixture *f = *state;
    uint64_t hashes[3];
    uint32_t rows[3], hits[3];
    spk_found found = { hashes, rows, hits, 0 };
    char text[] = "first", key_text[] = "key";
    const i64_str elements[] = { { 1, { text, 5 } }, { 2, { NULL, 0 } }, { 1, { "later", 5 } } };
    const spk_layout *layout = layout_of(f->types, SPARK_TYPE(i64_str));
    spk_value_move move = { 8, 8, 16, NULL, layout->value };
    spk_table t;
    assert_true(spk_table_init(&t, &f->heap, layout->key, sizeof(i64_str), 0, false));
    assert_int_equal(spk_table_find(&t, (const char *)elements, sizeof(i64_str), 3, NULL, &move,
                         UINT32_MAX, UINT64_MAX, &found),
        3);
    memset(text, 'x', sizeof text);
    const i64_str *out = (const i64_str *)(const void *)t.rows;
    assert_int_equal(t.n, 2);
    assert_memory_equal(out[0].value.ptr, "first", 5);
    assert_null(out[1].value.ptr);
    assert_int_equal(t.string_bytes, 5);
    spk_table_fini(&t);

    const int64_t zero = 1000;
    const str_i64 counted[] = { { { key_text, 3 }, 7 }, { SPARK_STR(""), 8 } };
    layout = layout_of(f->types, SPARK_TYPE(str_i64));
    move = (spk_value_move) { 16, 16, 8, &zero, NULL };
    assert_true(spk_table_init(&t, &f->heap, layout->key, sizeof(str_i64), 0, true));
    assert_int_equal(spk_table_find(&t, (const char *)counted, sizeof(str_i64), 2, NULL, &move,
                         UINT32_MAX, UINT64_MAX, &found),
        2);
    const str_i64 *sums = (const str_i64 *)(const void *)t.rows;
    assert_ptr_equal(sums[0].key.ptr, key_text); /* borrowed */
    assert_true(sums[0].value == 1000 && sums[1].value == 1000);
    spk_table_fini(&t);
}

static void test_sum__wraps(void **state)
{
    const i64_i64 elements[]
        = { { 1, INT64_MAX }, { 1, 1 }, { 1, -1 }, { 2, INT64_MIN }, { 2, -1 } };
    beside *b = open_both(*state, SPARK_TYPE(i64_i64), true, false, false);
    step(b, (const char *)elements, 5, UINT32_MAX, UINT64_MAX);
    expect_same(b);
    close_both(b);
}

/* Pairs of integers whose keys mostly are there, seldom, or in turns; limits that are met in the midst of
 * what is added at once. */
static void test_sum__of_pairs_agrees_however_many_are_there(void **state)
{
    enum { N = 4000 };
    static const uint64_t keys[] = { 1, 5, 300, 1500, 100000 };
    static i64_i64 elements[N];
    for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++)
        for (int way = 0; way < 8; way++) {
            beside *b = open_both(*state, SPARK_TYPE(i64_i64), true, false, way & 1);
            for (size_t i = 0; i < N; i++) {
                const uint64_t spread = way & 2 && i / 1000 % 2 ? 20 : keys[k];
                const int64_t key = (int64_t)(random_below(spread) * UINT64_C(0x9e3779b97f4a7c15));
                elements[i] = (i64_i64) { key, (int64_t)random_below(1000) - 500 };
            }
            for (size_t i = 0, some; i < N; i += some) {
                const uint32_t limit
                    = way & 4 ? b->table.n + 1 + (uint32_t)random_below(300) : UINT32_MAX;
                some = 1 + random_below(MOST);
                some = some < N - i ? some : N - i;
                some = step(b, (const char *)&elements[i], some, limit, UINT64_MAX);
            }
            expect_same(b);
            close_both(b);
        }
}

SPARK_PAIR(i64_f64, int64_t, double);

/* Sums of doubles, each key's in the order of its elements, to the bit; negative zeros stay. */
static void test_sum__of_doubles_keeps_the_order_of_each_key(void **state)
{
    enum { N = 4000, KEYS = 700 };
    fixture *f = *state;
    const spk_layout *layout = layout_of(f->types, SPARK_TYPE(i64_f64));
    const spk_value_move move = { 8, 8, 8, NULL, NULL };
    static i64_f64 elements[N];
    static uint64_t hashes[MOST];
    static uint32_t rows[MOST], hits[MOST];
    for (int way = 0; way < 12; way++) { /* keys apart or side by side; mostly there or not */
        const uint64_t keys = way % 3 == 0 ? KEYS : way % 3 == 1 ? 40 : 3, step = way & 4 ? 1 : 1000003;
        spk_found found = { hashes, rows, hits, 0 };
        spk_table t;
        double sums[KEYS];
        uint64_t order[KEYS], seen = 0;
        bool there[KEYS] = { false };
        assert_true(spk_table_init(&t, &f->heap, layout->key, 16, 0, false));
        for (size_t i = 0; i < N; i++) {
            const uint64_t k = random_below(keys);
            const double value = k % 7 == 2 ? -0.0 : (double)random_below(1000) / 7 - 1e9 / (double)(i + 1);
            elements[i] = (i64_f64) { (int64_t)(k * step), value };
            sums[k] = there[k] ? sums[k] + value : value;
            order[seen] = k;
            seen += !there[k];
            there[k] = true;
        }
        for (size_t i = 0, some; i < N; i += some) {
            some = 1 + random_below(1024);
            some = some < N - i ? some : N - i;
            assert_int_equal(spk_table_sum(&t, SPK_SUM_F64, (const char *)&elements[i], 16, some, NULL,
                                 &move, UINT32_MAX, UINT64_MAX, &found),
                some);
        }
        assert_int_equal(t.n, seen);
        for (uint32_t i = 0; i < t.n; i++) {
            const i64_f64 *row = (const i64_f64 *)(const void *)spk_table_row(&t, i);
            assert_int_equal(row->key, order[i] * step);
            assert_memory_equal(&row->value, &sums[order[i]], sizeof row->value);
        }
        spk_table_fini(&t);
    }
}

/* ---- memory */

static void test_find__without_memory_says_so(void **state)
{
    enum { BATCH = 500 };
    fixture *f = *state;
    static str_i64 batch[BATCH];
    static char texts[BATCH][24];
    static uint64_t hashes[BATCH];
    static uint32_t rows[BATCH], hits[BATCH];
    spk_found found = { hashes, rows, hits, 0 };
    const spk_layout *layout = layout_of(f->types, SPARK_TYPE(str_i64));
    const spk_value_move move = { 16, 16, 8, NULL, NULL };
    spk_table t;
    f->heap.limit = 1000;
    assert_false(spk_table_init(&t, &f->heap, layout->key, sizeof(str_i64), 0, false));
    for (uint64_t limit = 10000; limit < 4000000; limit = limit * 5 / 4) {
        size_t done = BATCH;
        f->heap.limit = limit;
        if (!spk_table_init(&t, &f->heap, layout->key, sizeof(str_i64), 0, false))
            continue;
        for (int i = 0; done == BATCH; i += BATCH) {
            for (int j = 0; j < BATCH; j++) {
                const int len = snprintf(texts[j], sizeof texts[j], "key-%d", i + j);
                batch[j] = (str_i64) { { texts[j], (size_t)len }, i + j };
            }
            done = spk_table_find(&t, (const char *)batch, sizeof(str_i64), BATCH, NULL, &move,
                UINT32_MAX, UINT64_MAX, &found);
        }
        assert_true(done == SIZE_MAX);
        spk_table_fini(&t);
        assert_int_equal(f->heap.mapped, f->heap.cached);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fixture_test(test_find__agrees_with_a_naive_map_for_every_key),
        fixture_test(test_find__agrees_for_integers_of_any_spread),
        fixture_test(test_dense__becomes_hashed_at_any_position),
        fixture_test(test_dense__takes_the_whole_range_and_no_more),
        fixture_test(test_dense__clears_all_it_has_used),
        fixture_test(test_dense__grows_to_all_its_keys),
        fixture_test(test_flood__of_integers_of_one_bucket_is_bounded),
        fixture_test(test_flood__of_strings_of_one_hash_is_bounded),
        fixture_test(test_flood__of_hits_is_seen),
        fixture_test(test_clear__forgets_rows_and_keeps_memory),
        fixture_test(test_limit__stops_before_the_row_it_forbids),
        fixture_test(test_bytes_limit__counts_rows_and_strings_exactly),
        fixture_test(test_limit__does_not_depend_on_batches),
        fixture_test(test_growth__keeps_the_order_of_insertion),
        fixture_test(test_find__survives_equal_salts_and_buckets),
        fixture_test(test_find__survives_a_constant_hash),
        fixture_test(test_directory__of_a_shard_has_short_chains),
        fixture_test(test_value__may_start_from_zero_or_point_to_memory),
        fixture_test(test_sum__wraps),
        fixture_test(test_sum__of_doubles_keeps_the_order_of_each_key),
        fixture_test(test_sum__of_pairs_agrees_however_many_are_there),
        fixture_test(test_find__without_memory_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
