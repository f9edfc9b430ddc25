/* SPDX-License-Identifier: Apache-2.0 */
/* The generator, the ranks that all others are compared with, the ranks by hand and with libspark. */
#include "graph.h"

#include <math.h>
#include <string.h>

int64_t graph_size(int64_t n)
{
    int64_t vertices = 2;
    while (vertices * 2 <= n)
        vertices *= 2;
    return vertices;
}

static int32_t *permutation(int64_t n)
{
    int32_t *all = (int32_t *)bench_alloc((size_t)n, sizeof *all);
    for (int64_t i = 0; i < n; i++)
        all[i] = (int32_t)i;
    for (int64_t i = n - 1; i > 0; i--) {
        const uint64_t random = bench_mix(UINT64_C(0x6761706273) + (uint64_t)i);
        const int64_t j = (int64_t)(random % (uint64_t)(i + 1));
        const int32_t swap = all[i];
        all[i] = all[j];
        all[j] = swap;
    }
    return all;
}

/* sort_links: by radix, 11 bits at a time. */
static void sort_links(uint64_t *at, size_t n)
{
    enum { BITS = 11, BUCKETS = 1 << BITS };
    uint64_t *spare = (uint64_t *)bench_alloc(n, sizeof *spare), *from = at, *to = spare;
    for (int shift = 0; shift < 66; shift += BITS) {
        static size_t starts[BUCKETS + 1];
        memset(starts, 0, sizeof starts);
        for (size_t i = 0; i < n; i++)
            starts[(from[i] >> shift & (BUCKETS - 1)) + 1]++;
        for (int b = 0; b < BUCKETS; b++)
            starts[b + 1] += starts[b];
        for (size_t i = 0; i < n; i++)
            to[starts[from[i] >> shift & (BUCKETS - 1)]++] = from[i];
        uint64_t *swap = from;
        from = to;
        to = swap;
    }
    free(spare); /* an even number of passes: the result is in `at` */
}

link *graph_make(int64_t vertices, int64_t *n_links)
{
    const uint32_t a = (uint32_t)(0.57 * UINT32_MAX), b = (uint32_t)(0.19 * UINT32_MAX);
    const int64_t n = vertices * GRAPH_DEGREE;
    uint64_t *both = (uint64_t *)bench_alloc(2 * (size_t)n, sizeof *both);
    int32_t *ids = permutation(vertices);
    size_t made = 0;
    for (int64_t i = 0; i < n; i++) {
        uint64_t random = bench_mix((uint64_t)i);
        int64_t from = 0, to = 0;
        for (int64_t size = 1; size < vertices; size *= 2) {
            random = bench_mix(random);
            const uint32_t at = (uint32_t)(random >> 32);
            from = 2 * from + (at >= a + b);
            to = 2 * to + (at < a + b ? at > a : at > a + b + b);
        }
        if (from != to) {
            both[made++] = (uint64_t)ids[from] << 32 | (uint32_t)ids[to];
            both[made++] = (uint64_t)ids[to] << 32 | (uint32_t)ids[from];
        }
    }
    free(ids);
    sort_links(both, made);
    *n_links = 0;
    for (size_t i = 0; i < made; i++)
        if (i == 0 || both[i] != both[i - 1])
            both[(*n_links)++] = both[i];
    link *links = (link *)bench_alloc((size_t)*n_links, sizeof *links);
    for (int64_t i = 0; i < *n_links; i++)
        links[i] = (link) { (int32_t)(both[i] >> 32), (int32_t)(uint32_t)both[i] };
    free(both);
    return links;
}

/* As in Spark's example, a vertex without a link from one that has a rank has none itself from
 * then on. */
static inline double graph_damp(double sum)
{
    return 0.15 + 0.85 * sum;
}

/* rows: where the links of each vertex begin in a list ordered by one end, and their other ends. */
typedef struct rows {
    int64_t vertices;
    int64_t *start;
    int32_t *ends;
} rows;

static rows rows_make(const link *links, int64_t n, int64_t vertices, bool by_target)
{
    rows r = { vertices, NULL, NULL };
    r.start = (int64_t *)bench_zeroed((size_t)vertices + 2, sizeof *r.start);
    r.ends = (int32_t *)bench_alloc((size_t)n, sizeof *r.ends);
    for (int64_t i = 0; i < n; i++)
        r.start[(by_target ? links[i].value : links[i].key) + 2]++;
    for (int64_t v = 0; v < vertices; v++)
        r.start[v + 2] += r.start[v + 1];
    for (int64_t i = 0; i < n; i++) {
        const int64_t at = by_target ? links[i].value : links[i].key;
        r.ends[r.start[at + 1]++] = by_target ? (int32_t)links[i].key : links[i].value;
    }
    return r;
}

static void rows_free(rows *r)
{
    free(r->start);
    free(r->ends);
}

/* Pulls along the links to a vertex. */
double *graph_ranks(int64_t vertices, int rounds)
{
    int64_t n;
    link *links = graph_make(vertices, &n);
    rows to = rows_make(links, n, vertices, true);
    int64_t *degree = (int64_t *)bench_zeroed((size_t)vertices, sizeof *degree);
    double *now = (double *)bench_alloc((size_t)vertices, sizeof *now);
    double *next = (double *)bench_alloc((size_t)vertices, sizeof *next);
    for (int64_t i = 0; i < n; i++)
        degree[links[i].key]++;
    for (int64_t v = 0; v < vertices; v++)
        now[v] = degree[v] ? 1 : 0;
    for (int round = 0; round < rounds; round++) {
        for (int64_t v = 0; v < vertices; v++) {
            double sum = 0;
            for (int64_t i = to.start[v]; i < to.start[v + 1]; i++)
                sum += now[to.ends[i]] / (double)degree[to.ends[i]];
            next[v] = sum > 0 ? graph_damp(sum) : 0;
        }
        double *swap = now;
        now = next;
        next = swap;
    }
    free(links);
    rows_free(&to);
    free(degree);
    free(next);
    return now;
}

/* The ranks, which are computed once. */
static const double *right_ranks(int64_t vertices)
{
    static double *ranks;
    static int64_t ranks_of;
    if (ranks_of != vertices) {
        free(ranks);
        ranks = graph_ranks(vertices, GRAPH_ROUNDS);
        ranks_of = vertices;
    }
    return ranks;
}

bench_answer graph_answer(int64_t vertices, const vertex_rank *ranks, size_t n)
{
    const double *right = right_ranks(vertices);
    bench_answer answer = { n, 0, 0, 0 };
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        const double want = right[ranks[i].key];
        answer.extra += !(fabs(ranks[i].value - want) <= 1e-9 * want);
        sum += ranks[i].value;
    }
    answer.checksum = (uint64_t)llround(sum);
    return answer;
}

bench_answer graph_expect(const bench_options *o)
{
    const int64_t vertices = graph_size(o->size);
    const double *right = right_ranks(vertices);
    bench_answer answer = { 0, 0, 0, 0 };
    double sum = 0;
    for (int64_t v = 0; v < vertices; v++) {
        answer.rows += right[v] > 0;
        sum += right[v];
    }
    answer.checksum = (uint64_t)llround(sum);
    return answer;
}

/* By hand: pushes along the links from a vertex. */

typedef struct by_hand {
    rows from;
    double *ranks, *sums;
} by_hand;

static void *plain_open(const bench_options *o)
{
    by_hand *h = (by_hand *)bench_alloc(1, sizeof *h);
    const int64_t vertices = graph_size(o->size);
    int64_t n;
    link *links = graph_make(vertices, &n);
    h->from = rows_make(links, n, vertices, false);
    h->ranks = (double *)bench_alloc((size_t)vertices, sizeof *h->ranks);
    h->sums = (double *)bench_alloc((size_t)vertices, sizeof *h->sums);
    free(links);
    return h;
}

static void plain_run(void *state)
{
    by_hand *h = (by_hand *)state;
    const rows *from = &h->from;
    for (int64_t v = 0; v < from->vertices; v++)
        h->ranks[v] = 1;
    for (int round = 0; round < GRAPH_ROUNDS; round++) {
        memset(h->sums, 0, (size_t)from->vertices * sizeof *h->sums);
        for (int64_t v = 0; v < from->vertices; v++) {
            const int64_t start = from->start[v], end = from->start[v + 1];
            const double share = h->ranks[v] / (double)(end - start);
            for (int64_t i = start; i < end; i++)
                h->sums[from->ends[i]] += share;
        }
        for (int64_t v = 0; v < from->vertices; v++)
            h->ranks[v] = h->sums[v] > 0 ? graph_damp(h->sums[v]) : 0;
    }
}

static bench_answer plain_answer(void *state)
{
    const by_hand *h = (const by_hand *)state;
    vertex_rank *ranks = (vertex_rank *)bench_alloc((size_t)h->from.vertices, sizeof *ranks);
    size_t n = 0;
    for (int64_t v = 0; v < h->from.vertices; v++)
        if (h->ranks[v] > 0)
            ranks[n++] = (vertex_rank) { v, h->ranks[v] };
    const bench_answer answer = graph_answer(h->from.vertices, ranks, n);
    free(ranks);
    return answer;
}

static void plain_close(void *state)
{
    by_hand *h = (by_hand *)state;
    rows_free(&h->from);
    free(h->ranks);
    free(h->sums);
    free(h);
}

const bench_impl graph_by_hand = { plain_open, plain_run, plain_answer, plain_close };

/* With libspark. */

enum { PARTITIONS = 16 };

SPARK_MAP(one, targets, double)
{
    *out = 1;
}

SPARK_JOIN(shares, int64_t, targets, double, vertex_rank)
{
    const double share = *right / (double)left->n;
    for (size_t i = 0; i < left->n; i++)
        spark_emit(out, (vertex_rank) { left->at[i], share });
}

SPARK_MAP(damp, double, double)
{
    *out = graph_damp(*in);
}

static void *spark_open(const bench_options *o)
{
    graph_run *g = (graph_run *)bench_alloc(1, sizeof *g);
    *g = (graph_run) { .sc = bench_context(o), .vertices = graph_size(o->size) };
    g->way = (const graph_way *)o->way;
    g->partitions = o->partitions ? o->partitions : PARTITIONS;
    int64_t links_made;
    link *made = graph_make(g->vertices, &links_made);
    const size_t n = (size_t)links_made;
    const spark_parallelize_options borrowed = { g->partitions, true };
    spark_rdd *links = spark_parallelize_with(g->sc, SPARK_DATA(link, n, made), &borrowed);
    g->links = spark_local_checkpoint(spark_cache(g->way->group(g, links))); /* no lineage: `made` goes */
    int64_t found;
    bench_ok(spark_count(g->links, &found));
    spark_rdd_release(links);
    free(made);
    return g;
}

spark_rdd *graph_first(spark_rdd *links)
{
    return spark_map_values(links, one, NULL);
}

spark_rdd *graph_sent(spark_rdd *links, spark_rdd *ranks, int partitions)
{
    return spark_join_map(links, ranks, SPARK_INNER, shares, NULL, partitions);
}

spark_rdd *graph_damped(spark_rdd *sums)
{
    return spark_map_values(sums, damp, NULL);
}

static void spark_run(void *state)
{
    graph_run *g = (graph_run *)state;
    SPARK_SCOPED(g->sc);
    spark_rdd *ranks = graph_first(g->links);
    for (int round = 0; round < GRAPH_ROUNDS; round++) {
        SPARK_SCOPED(g->sc);
        spark_rdd_replace(&ranks, graph_damped(g->way->sum(g, ranks)));
    }
    bench_ok(spark_collect(ranks, SPARK_TYPE(vertex_rank), &g->ranks));
}

static bench_answer spark_answer(void *state)
{
    graph_run *g = (graph_run *)state;
    const bench_answer answer
        = graph_answer(g->vertices, SPARK_ITEMS(vertex_rank, &g->ranks), g->ranks.n);
    spark_array_free(&g->ranks);
    return answer;
}

const bench_impl graph_with_spark = { spark_open, spark_run, spark_answer, bench_close };
