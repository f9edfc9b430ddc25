/* SPDX-License-Identifier: Apache-2.0 */
/* Join: two times n pairs of i64 in memory, joined by key; the sum of both values over all
 * matches. Keys are drawn from n, so that a key has one partner on average and some have many.
 * rows is the number of matches, which the libspark version counts outside the timed part.
 *
 * By hand: both sides split by hash into 256 parts, then a chained table over each part of one
 * side, kept small enough for the cache, and a probe for each pair of the other. */
#include "pairs.h"

#include <string.h>

/* With libspark. */

SPARK_JOIN(add_both, int64_t, int64_t, int64_t, int64_t)
{
    spark_emit(out, *left + *right);
}

typedef struct with_spark {
    spark_context *sc;
    spark_rdd *left, *right, *sums;
    spark_scope *scope;
    int64_t found;
} with_spark;

static void *spark_open(const bench_options *o)
{
    with_spark *s = (with_spark *)bench_alloc(1, sizeof *s);
    *s = (with_spark) { .sc = bench_context(o) };
    s->left = pairs_cached(s->sc, 0, o->size, o);
    s->right = pairs_cached(s->sc, o->size, o->size, o);
    return s;
}

static void spark_run(void *state)
{
    with_spark *s = (with_spark *)state;
    spark_array sum;
    s->scope = spark_scope_begin(s->sc);
    s->sums = spark_join_map(s->left, s->right, SPARK_INNER, add_both, NULL, 0);
    bench_ok(spark_reduce(s->sums, spark_op_sum, NULL, SPARK_TYPE(int64_t), &sum));
    s->found = *SPARK_ITEMS(int64_t, &sum);
    spark_array_free(&sum);
}

static bench_answer spark_answer(void *state)
{
    with_spark *s = (with_spark *)state;
    int64_t rows;
    bench_ok(spark_count(s->sums, &rows));
    spark_scope_end(s->scope);
    return (bench_answer) { (uint64_t)rows, (uint64_t)s->found, 0, 0 };
}

/* By hand. */

typedef struct by_hand {
    size_t n;
    pair *left, *right, *split_left, *split_right;
    uint32_t *heads, *next; /* 0: the end; else the index in the part + 1 */
    size_t heads_allocated;
    bench_answer found;
} by_hand;

static void *plain_open(const bench_options *o)
{
    by_hand *h = (by_hand *)bench_alloc(1, sizeof *h);
    *h = (by_hand) { .n = (size_t)o->size };
    h->left = pairs_make(0, o->size, o);
    h->right = pairs_make(o->size, o->size, o);
    h->split_left = (pair *)bench_alloc(h->n, sizeof(pair));
    h->split_right = (pair *)bench_alloc(h->n, sizeof(pair));
    h->next = (uint32_t *)bench_alloc(h->n, sizeof *h->next);
    return h;
}

static uint32_t *heads_cleared(by_hand *h, size_t n)
{
    h->heads = (uint32_t *)bench_room(h->heads, &h->heads_allocated, n, sizeof *h->heads);
    memset(h->heads, 0, n * sizeof *h->heads);
    return h->heads;
}

static void join_part(
    by_hand *h, const pair *build, size_t n_build, const pair *probe, size_t n_probe)
{
    int bits = 1;
    while ((size_t)1 << bits < n_build)
        bits++;
    uint32_t *heads = heads_cleared(h, (size_t)1 << bits), *next = h->next;
    for (size_t i = 0; i < n_build; i++) {
        uint32_t *head = &heads[(pairs_hash(build[i].key) << PAIRS_BITS) >> (64 - bits)];
        next[i] = *head;
        *head = (uint32_t)i + 1;
    }
    for (size_t i = 0; i < n_probe; i++) {
        const pair p = probe[i];
        uint32_t at = heads[(pairs_hash(p.key) << PAIRS_BITS) >> (64 - bits)];
        for (; at; at = next[at - 1]) {
            if (build[at - 1].key != p.key)
                continue;
            h->found.rows++;
            h->found.checksum += (uint64_t)(build[at - 1].value + p.value);
        }
    }
}

static void plain_run(void *state)
{
    by_hand *h = (by_hand *)state;
    size_t left[PAIRS_PARTS + 1], right[PAIRS_PARTS + 1];
    h->found = (bench_answer) { 0, 0, 0, 0 };
    pairs_split(h->left, h->n, h->split_left, left);
    pairs_split(h->right, h->n, h->split_right, right);
    for (size_t p = 0; p < PAIRS_PARTS; p++)
        join_part(h, h->split_left + left[p], left[p + 1] - left[p], h->split_right + right[p],
            right[p + 1] - right[p]);
}

static bench_answer plain_answer(void *state)
{
    return ((const by_hand *)state)->found;
}

static void plain_close(void *state)
{
    by_hand *h = (by_hand *)state;
    free(h->left);
    free(h->right);
    free(h->split_left);
    free(h->split_right);
    free(h->heads);
    free(h->next);
    free(h);
}

/* A key with a rows and sum s on the left, b and t on the right, has a * b matches with the sum
 * s * b + t * a. */
static bench_answer expect(const bench_options *o)
{
    /* key: how many; value: their sum */
    pair *left = (pair *)bench_zeroed((size_t)o->keys, sizeof *left);
    bench_answer answer = { 0, 0, 0, 0 };
    for (int64_t i = 0; i < o->size; i++) {
        const pair p = pair_at(i, o);
        left[p.key].key++;
        left[p.key].value += p.value;
    }
    for (int64_t i = 0; i < o->size; i++) {
        const pair p = pair_at(o->size + i, o);
        answer.rows += (uint64_t)left[p.key].key;
        answer.checksum += (uint64_t)(left[p.key].value + left[p.key].key * p.value);
    }
    free(left);
    return answer;
}

int main(int argc, char **argv)
{
    static const bench_work work = { .name = "join",
        .size = 10000000,
        .keys = 10000000,
        .spark = { spark_open, spark_run, spark_answer, bench_close },
        .plain = { plain_open, plain_run, plain_answer, plain_close },
        .expect = expect,
        .write = pairs_write_sides };
    return bench_main(&work, argc, argv);
}
