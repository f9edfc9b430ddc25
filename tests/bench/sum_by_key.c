/* SPDX-License-Identifier: Apache-2.0 */
/* Sum by key: pairs of i64 in memory, the sum of the values of each key, and what they add up to;
 * with -s half of the pairs have one key.
 * rows is the number of keys, the checksum the sum of (key + 1) * sum over the keys, extra the sum
 * of the sums, which is all that is timed.
 *
 * By hand: one open-addressing table while it fits the cache; else a radix split by hash into 256
 * parts first, and a table for each. Its memory is kept from run to run, as libspark keeps its
 * own. */
#include "pairs.h"

#include <string.h>

/* With libspark. */

SPARK_MERGE(add_sum, bench_tally, pair)
{
    acc->rows++;
    acc->extra += (uint64_t)in->value;
}

SPARK_MERGE(add_checksum, bench_tally, pair)
{
    acc->checksum += (uint64_t)(in->key + 1) * (uint64_t)in->value;
}

typedef struct with_spark {
    spark_context *sc;
    spark_rdd *pairs, *sums;
    spark_scope *scope;
    bench_tally found;
} with_spark;

static void *spark_open(const bench_options *o)
{
    with_spark *s = (with_spark *)bench_alloc(1, sizeof *s);
    *s = (with_spark) { .sc = bench_context(o) };
    s->pairs = pairs_cached(s->sc, 0, o->size, o);
    return s;
}

static void spark_run(void *state)
{
    with_spark *s = (with_spark *)state;
    s->scope = spark_scope_begin(s->sc);
    s->sums = spark_reduce_by_key(s->pairs, spark_op_sum, NULL, 0);
    s->found = bench_tally_of(s->sums, add_sum);
}

static bench_answer spark_answer(void *state)
{
    with_spark *s = (with_spark *)state;
    const bench_tally check = bench_tally_of(s->sums, add_checksum);
    spark_scope_end(s->scope);
    return (bench_answer) { s->found.rows, check.checksum, s->found.extra, 0 };
}

/* By hand. Keys are not negative, so -1 marks a free slot. */

enum { FREE_KEY = -1, SMALL = 1 << 16, FIRST_BITS = 12 };

typedef struct table {
    pair *slots;
    size_t allocated, used;
    int bits;
} table;

typedef struct by_hand {
    pair *pairs, *split, *sums;
    size_t n, n_sums;
    uint64_t total;
    table table;
} by_hand;

static void *plain_open(const bench_options *o)
{
    by_hand *h = (by_hand *)bench_alloc(1, sizeof *h);
    *h = (by_hand) { .pairs = pairs_make(0, o->size, o), .n = (size_t)o->size };
    h->split = (pair *)bench_alloc(h->n, sizeof *h->split);
    h->sums = (pair *)bench_alloc(h->n, sizeof *h->sums);
    return h;
}

/* Empties the table and gives it 2^bits slots. */
static void table_clear(table *t, int bits)
{
    const size_t slots = (size_t)1 << bits;
    t->slots = (pair *)bench_room(t->slots, &t->allocated, slots, sizeof *t->slots);
    memset(t->slots, 0xff, slots * sizeof *t->slots);
    t->bits = bits;
    t->used = 0;
}

static inline pair *table_find(const table *t, int64_t key, int skip)
{
    const size_t mask = ((size_t)1 << t->bits) - 1;
    size_t at = (pairs_hash(key) << skip) >> (64 - t->bits);
    while (t->slots[at].key != key && t->slots[at].key != FREE_KEY)
        at = (at + 1) & mask;
    return &t->slots[at];
}

static void table_grow(table *t, int skip)
{
    table larger = { NULL, 0, 0, 0 };
    table_clear(&larger, t->bits + 1);
    for (size_t i = 0; i < (size_t)1 << t->bits; i++)
        if (t->slots[i].key != FREE_KEY)
            *table_find(&larger, t->slots[i].key, skip) = t->slots[i];
    larger.used = t->used;
    free(t->slots);
    *t = larger;
}

/* Sums until the table holds `limit` keys; returns how many pairs went in. `skip`: how many top
 * bits of the hash all keys share. */
static size_t table_sum(table *t, const pair *pairs, size_t n, size_t limit, int skip)
{
    for (size_t i = 0; i < n; i++) {
        pair *slot = table_find(t, pairs[i].key, skip);
        if (slot->key != FREE_KEY) {
            slot->value += pairs[i].value;
            continue;
        }
        if (t->used == limit)
            return i;
        *slot = pairs[i];
        if (++t->used > (size_t)1 << t->bits >> 1)
            table_grow(t, skip);
    }
    return n;
}

static void drain(by_hand *h)
{
    const table *t = &h->table;
    for (size_t i = 0; i < (size_t)1 << t->bits; i++) {
        if (t->slots[i].key == FREE_KEY)
            continue;
        h->sums[h->n_sums++] = t->slots[i];
        h->total += (uint64_t)t->slots[i].value;
    }
}

static void sum_by_parts(by_hand *h)
{
    size_t start[PAIRS_PARTS + 1];
    pairs_split(h->pairs, h->n, h->split, start);
    table_clear(&h->table, FIRST_BITS);
    for (size_t p = 0; p < PAIRS_PARTS; p++) {
        table_clear(&h->table, h->table.bits);
        table_sum(&h->table, h->split + start[p], start[p + 1] - start[p], SIZE_MAX, PAIRS_BITS);
        drain(h);
    }
}

static void plain_run(void *state)
{
    by_hand *h = (by_hand *)state;
    h->n_sums = h->total = 0;
    table_clear(&h->table, FIRST_BITS);
    if (table_sum(&h->table, h->pairs, h->n, SMALL, 0) == h->n)
        drain(h);
    else
        sum_by_parts(h);
}

static bench_answer plain_answer(void *state)
{
    const by_hand *h = (const by_hand *)state;
    bench_answer answer = { h->n_sums, 0, h->total, 0 };
    for (size_t i = 0; i < h->n_sums; i++)
        answer.checksum += (uint64_t)(h->sums[i].key + 1) * (uint64_t)h->sums[i].value;
    return answer;
}

static void plain_close(void *state)
{
    by_hand *h = (by_hand *)state;
    free(h->pairs);
    free(h->split);
    free(h->sums);
    free(h->table.slots);
    free(h);
}

/* The checksums are linear in the pairs, so they need no groups. */
static bench_answer expect(const bench_options *o)
{
    bench_answer answer = { 0, 0, 0, 0 };
    unsigned char *seen = (unsigned char *)bench_zeroed((size_t)o->keys, 1);
    for (int64_t i = 0; i < o->size; i++) {
        const pair p = pair_at(i, o);
        answer.rows += !seen[p.key];
        seen[p.key] = 1;
        answer.checksum += (uint64_t)(p.key + 1) * (uint64_t)p.value;
        answer.extra += (uint64_t)p.value;
    }
    free(seen);
    return answer;
}

int main(int argc, char **argv)
{
    static const bench_work work = { .name = "sum_by_key",
        .size = 50000000,
        .keys = 1000000,
        .spark = { spark_open, spark_run, spark_answer, bench_close },
        .plain = { plain_open, plain_run, plain_answer, plain_close },
        .expect = expect,
        .write = pairs_write };
    return bench_main(&work, argc, argv);
}
