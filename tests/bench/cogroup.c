/* SPDX-License-Identifier: Apache-2.0 */
/* Cogroup: two times n pairs of i64 in memory, grouped by key into a list of values from each side.
 * Timed: the groups are made and their lengths multiplied. rows is the number of keys, extra the
 * sum of length * length, the checksum the sum of (key + 1) * (left + 3 * right) over the values,
 * which is computed afterwards.
 *
 * By hand: both sides split by hash into 256 parts; in each a table numbers the keys, and the
 * values of both sides are laid out key by key. */
#include "pairs.h"

#include <string.h>

SPARK_STRUCT(two_lists, (spark_i64_list, left), (spark_i64_list, right));
SPARK_PAIR(group, int64_t, two_lists);

static inline void add_lengths(bench_tally *t, size_t left, size_t right)
{
    t->rows++;
    t->extra += left * right;
}

static inline void add_values(
    bench_tally *t, int64_t key, const int64_t *at, size_t n, uint64_t times)
{
    for (size_t i = 0; i < n; i++)
        t->checksum += (uint64_t)(key + 1) * times * (uint64_t)at[i];
}

/* With libspark. */

SPARK_MERGE(add_group, bench_tally, group)
{
    add_lengths(acc, in->value.left.n, in->value.right.n);
}

SPARK_MERGE(add_group_values, bench_tally, group)
{
    add_values(acc, in->key, in->value.left.at, in->value.left.n, 1);
    add_values(acc, in->key, in->value.right.at, in->value.right.n, 3);
}

typedef struct with_spark {
    spark_context *sc;
    spark_rdd *sides[2], *groups;
    spark_scope *scope;
    bench_tally found;
} with_spark;

static void *spark_open(const bench_options *o)
{
    with_spark *s = (with_spark *)bench_alloc(1, sizeof *s);
    *s = (with_spark) { .sc = bench_context(o) };
    s->sides[0] = pairs_cached(s->sc, 0, o->size, o);
    s->sides[1] = pairs_cached(s->sc, o->size, o->size, o);
    return s;
}

static void spark_run(void *state)
{
    with_spark *s = (with_spark *)state;
    s->scope = spark_scope_begin(s->sc);
    s->groups = spark_cogroup(2, s->sides, 0);
    s->found = bench_tally_of(s->groups, add_group);
}

static bench_answer spark_answer(void *state)
{
    with_spark *s = (with_spark *)state;
    const bench_tally values = bench_tally_of(s->groups, add_group_values);
    spark_scope_end(s->scope);
    return (bench_answer) { s->found.rows, values.checksum, s->found.extra, 0 };
}

/* By hand. Keys are not negative, so -1 marks a free slot. */

typedef struct span {
    int64_t key;
    size_t end[2]; /* of its values on each side; they begin where those of the key before end */
} span;

typedef struct by_hand {
    size_t n, n_spans;
    pair *sides[2], *split[2], *slots; /* a slot: a key and its number */
    int64_t *values[2];
    uint32_t *number; /* of the key of each pair */
    span *spans;
    size_t slots_allocated;
    bench_tally found;
} by_hand;

static void *plain_open(const bench_options *o)
{
    by_hand *h = (by_hand *)bench_alloc(1, sizeof *h);
    *h = (by_hand) { .n = (size_t)o->size };
    for (int side = 0; side < 2; side++) {
        h->sides[side] = pairs_make(side * o->size, o->size, o);
        h->split[side] = (pair *)bench_alloc(h->n, sizeof(pair));
        h->values[side] = (int64_t *)bench_alloc(h->n, sizeof(int64_t));
    }
    h->number = (uint32_t *)bench_alloc(2 * h->n, sizeof *h->number);
    h->spans = (span *)bench_alloc(2 * h->n + 2, sizeof *h->spans);
    return h;
}

/* Clears a table for n keys; returns its bits. */
static int clear_slots(by_hand *h, size_t n)
{
    int bits = 1;
    while ((size_t)1 << bits < 2 * n)
        bits++;
    h->slots
        = (pair *)bench_room(h->slots, &h->slots_allocated, (size_t)1 << bits, sizeof *h->slots);
    memset(h->slots, 0xff, sizeof *h->slots << bits);
    return bits;
}

static uint32_t number_of(by_hand *h, int64_t key, int bits, size_t first)
{
    const size_t mask = ((size_t)1 << bits) - 1;
    size_t at = (pairs_hash(key) << PAIRS_BITS) >> (64 - bits);
    while (h->slots[at].key != key && h->slots[at].key != -1)
        at = (at + 1) & mask;
    if (h->slots[at].key == -1) {
        h->slots[at] = (pair) { key, (int64_t)(h->n_spans - first) };
        h->spans[h->n_spans++] = (span) { key, { 0, 0 } };
    }
    return (uint32_t)h->slots[at].value;
}

static void group_part(by_hand *h, const size_t *left, const size_t *right)
{
    const size_t *range[2] = { left, right };
    const size_t first = h->n_spans;
    const int bits = clear_slots(h, left[1] - left[0] + right[1] - right[0] + 1);
    uint32_t *number = h->number;
    for (int side = 0; side < 2; side++)
        for (size_t i = range[side][0]; i < range[side][1]; i++) {
            *number = number_of(h, h->split[side][i].key, bits, first);
            h->spans[first + *number++].end[side]++;
        }
    number = h->number;
    for (int side = 0; side < 2; side++) {
        size_t next = range[side][0];
        for (size_t s = first; s < h->n_spans; s++) {
            const size_t n = h->spans[s].end[side];
            h->spans[s].end[side] = next;
            next += n;
        }
        for (size_t i = range[side][0]; i < range[side][1]; i++)
            h->values[side][h->spans[first + *number++].end[side]++] = h->split[side][i].value;
    }
}

static void plain_run(void *state)
{
    by_hand *h = (by_hand *)state;
    size_t start[2][PAIRS_PARTS + 1];
    h->n_spans = 0;
    for (int side = 0; side < 2; side++)
        pairs_split(h->sides[side], h->n, h->split[side], start[side]);
    for (size_t p = 0; p < PAIRS_PARTS; p++)
        group_part(h, &start[0][p], &start[1][p]);
    h->found = (bench_tally) { 0, 0, 0 };
    size_t before[2] = { 0, 0 };
    for (size_t s = 0; s < h->n_spans; s++) {
        const span *g = &h->spans[s];
        add_lengths(&h->found, g->end[0] - before[0], g->end[1] - before[1]);
        memcpy(before, g->end, sizeof before);
    }
}

static bench_answer plain_answer(void *state)
{
    by_hand *h = (by_hand *)state;
    size_t before[2] = { 0, 0 };
    for (size_t s = 0; s < h->n_spans; s++)
        for (int side = 0; side < 2; side++) {
            const span *g = &h->spans[s];
            add_values(&h->found, g->key, h->values[side] + before[side],
                g->end[side] - before[side], side ? 3 : 1);
            before[side] = g->end[side];
        }
    return (bench_answer) { h->found.rows, h->found.checksum, h->found.extra, 0 };
}

static void plain_close(void *state)
{
    by_hand *h = (by_hand *)state;
    for (int side = 0; side < 2; side++) {
        free(h->sides[side]);
        free(h->split[side]);
        free(h->values[side]);
    }
    free(h->slots);
    free(h->number);
    free(h->spans);
    free(h);
}

static bench_answer expect(const bench_options *o)
{
    uint32_t *n = (uint32_t *)bench_zeroed(2 * (size_t)o->keys, sizeof *n);
    bench_answer answer = { 0, 0, 0, 0 };
    for (int64_t i = 0; i < 2 * o->size; i++) {
        const bool right = i >= o->size;
        const pair p = pair_at(i, o);
        n[2 * p.key + right]++;
        answer.checksum += (uint64_t)(p.key + 1) * (right ? 3 : 1) * (uint64_t)p.value;
    }
    for (int64_t k = 0; k < o->keys; k++) {
        answer.rows += n[2 * k] + n[2 * k + 1] > 0;
        answer.extra += (uint64_t)n[2 * k] * n[2 * k + 1];
    }
    free(n);
    return answer;
}

int main(int argc, char **argv)
{
    static const bench_work work = { .name = "cogroup",
        .size = 10000000,
        .keys = 10000000,
        .spark = { spark_open, spark_run, spark_answer, bench_close },
        .plain = { plain_open, plain_run, plain_answer, plain_close },
        .expect = expect,
        .write = pairs_write_sides };
    return bench_main(&work, argc, argv);
}
