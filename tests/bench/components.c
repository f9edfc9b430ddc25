/* SPDX-License-Identifier: Apache-2.0 */
/* Connected components, -n vertices (2^20) and three edges a vertex, as the README teaches loops: a
 * scope a round, what it hands out replaced, the cached RDD of the round before unpersisted. Each
 * round a vertex takes the least number its neighbours have; when the sum of the numbers stays, each
 * has the least one of its component. A component is a path of 150 vertices, each linked with the
 * next three, which takes 50 rounds. Every five rounds stderr says what memory is held. By hand: a
 * union-find. */
#include <inttypes.h>

#include "bench.h"

enum { PARTITIONS = 16, BLOCK = 150, NEAR = 3 };

SPARK_PAIR(numbers, int64_t, int64_t);
SPARK_LIST(neighbours, int64_t);

/* number_at: of the vertex at a place on the paths: a bijection onto 0 to n - 1, n a power of two. */
static int64_t number_at(int64_t place, int64_t n)
{
    uint64_t x = (uint64_t)place, mask = (uint64_t)n - 1;
    for (int i = 0; i < 3; i++) {
        x = (x * UINT64_C(0x9e3779b97f4a7c15) + 12345) & mask;
        x ^= x >> 7;
    }
    return (int64_t)x;
}

static int64_t size_of(int64_t n)
{
    int64_t vertices = 2;
    while (vertices * 2 <= n)
        vertices *= 2;
    return vertices;
}

static int64_t block_end(int64_t place, int64_t n)
{
    const int64_t end = (place / BLOCK + 1) * BLOCK;
    return end < n ? end : n;
}

static bench_answer expect(const bench_options *o)
{
    const int64_t n = size_of(o->size);
    bench_answer answer = { 0, 0, 0, 0 };
    for (int64_t start = 0, end; start < n; start = end) {
        int64_t least = INT64_MAX;
        end = block_end(start, n);
        for (int64_t i = start; i < end; i++)
            least = number_at(i, n) < least ? number_at(i, n) : least;
        answer.rows++;
        answer.checksum += (uint64_t)((end - start) * least);
    }
    return answer;
}

/* With libspark. */

typedef struct run {
    spark_context *sc;
    int64_t n;
    spark_rdd *links; /* (vertex, neighbours), in memory */
    bench_answer answer;
} run;

SPARK_FLAT_MAP(both_ways, int64_t, numbers, int64_t)
{
    const int64_t from = number_at(*in, *env), end = block_end(*in, *env);
    for (int64_t i = *in + 1; i <= *in + NEAR && i < end; i++) {
        const int64_t to = number_at(i, *env);
        spark_emit(out, (numbers) { from, to });
        spark_emit(out, (numbers) { to, from });
    }
}

SPARK_MAP(own_number, int64_t, numbers, int64_t)
{
    const int64_t vertex = number_at(*in, *env);
    *out = (numbers) { vertex, vertex };
}

SPARK_JOIN(tell, int64_t, neighbours, int64_t, numbers)
{
    for (size_t i = 0; i < left->n; i++)
        spark_emit(out, (numbers) { left->at[i], *right });
}

SPARK_MERGE(add_number, int64_t, numbers)
{
    *acc += in->value;
}

SPARK_MERGE(add_sum, int64_t, int64_t)
{
    *acc += *in;
}

SPARK_FILTER(is_least, numbers)
{
    return in->key == in->value;
}

static void *spark_open(const bench_options *o)
{
    run *r = (run *)bench_alloc(1, sizeof *r);
    int64_t counted;
    *r = (run) { .sc = bench_context(o), .n = size_of(o->size) };
    spark_rdd *places = spark_range(r->sc, 0, r->n, 1, PARTITIONS);
    spark_rdd *both = spark_flat_map(places, both_ways, SPARK_COPY(r->n));
    r->links = spark_cache(spark_group_by_key(both, PARTITIONS));
    bench_ok(spark_count(r->links, &counted));
    return r;
}

static void say(const run *r, int round)
{
    fprintf(stderr, "round %d: %.0f MB resident, %.0f MB of the context\n", round,
        (double)bench_resident() / 1e6,
        (double)spark_memory_bytes(r->sc, NULL) / 1e6);
}

static int64_t sum_of(spark_rdd *labels)
{
    spark_array all;
    bench_ok(spark_aggregate(labels, SPARK_ZERO(int64_t), add_number, add_sum, NULL, &all));
    const int64_t sum = *SPARK_ITEMS(int64_t, &all);
    spark_array_free(&all);
    return sum;
}

static void spark_run(void *state)
{
    run *r = (run *)state;
    SPARK_SCOPED(r->sc);
    spark_rdd *places = spark_range(r->sc, 0, r->n, 1, PARTITIONS);
    spark_rdd *labels = spark_cache(spark_map(places, own_number, SPARK_COPY(r->n)));
    int64_t sum = sum_of(labels), before = -1;
    for (int round = 1; sum != before; round++) {
        SPARK_SCOPED(r->sc);
        spark_rdd *told = spark_join_map(r->links, labels, SPARK_INNER, tell, NULL, PARTITIONS);
        spark_rdd *all = spark_union(labels, told);
        spark_rdd *next = spark_cache(spark_reduce_by_key(all, spark_op_min, NULL, PARTITIONS));
        before = sum;
        sum = sum_of(next);
        spark_unpersist(labels);
        spark_rdd_replace(&labels, next);
        if (round % 5 == 0)
            say(r, round);
    }
    int64_t components;
    bench_ok(spark_count(spark_filter(labels, is_least, NULL), &components));
    spark_unpersist(labels);
    r->answer = (bench_answer) { (uint64_t)components, (uint64_t)sum, 0, 0 };
}

static bench_answer spark_answer(void *state)
{
    return ((const run *)state)->answer;
}

/* By hand. */

typedef struct by_hand {
    int64_t n;
    int64_t *parents;
    bench_answer answer;
} by_hand;

static void *plain_open(const bench_options *o)
{
    by_hand *h = (by_hand *)bench_alloc(1, sizeof *h);
    h->n = size_of(o->size);
    h->parents = (int64_t *)bench_alloc((size_t)h->n, sizeof *h->parents);
    return h;
}

static int64_t root_of(int64_t *parents, int64_t v)
{
    while (parents[v] != v)
        v = parents[v] = parents[parents[v]];
    return v;
}

static void plain_run(void *state)
{
    by_hand *h = (by_hand *)state;
    h->answer = (bench_answer) { 0, 0, 0, 0 };
    for (int64_t v = 0; v < h->n; v++)
        h->parents[v] = v;
    for (int64_t place = 0; place < h->n; place++)
        for (int64_t i = place + 1; i <= place + NEAR && i < block_end(place, h->n); i++) {
            const int64_t a = root_of(h->parents, number_at(place, h->n));
            const int64_t b = root_of(h->parents, number_at(i, h->n));
            h->parents[a > b ? a : b] = a < b ? a : b;
        }
    for (int64_t v = 0; v < h->n; v++) {
        const int64_t root = root_of(h->parents, v);
        h->answer.rows += root == v;
        h->answer.checksum += (uint64_t)root;
    }
}

static bench_answer plain_answer(void *state)
{
    return ((const by_hand *)state)->answer;
}

static void plain_close(void *state)
{
    by_hand *h = (by_hand *)state;
    free(h->parents);
    free(h);
}

int main(int argc, char **argv)
{
    const bench_work work = { .name = "components",
        .size = 1 << 20,
        .spark = { spark_open, spark_run, spark_answer, bench_close },
        .plain = { plain_open, plain_run, plain_answer, plain_close },
        .expect = expect };
    return bench_main(&work, argc, argv);
}
