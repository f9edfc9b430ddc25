/* SPDX-License-Identifier: Apache-2.0 */
/* Stratified samples: a rate for each key. The exact form knows, from a job that counts when the RDD
 * is prepared, how many pairs of each key stand in which partition; so it draws positions beforehand
 * and tasks pick these. */
#include <math.h>
#include <stdlib.h>

#include <spark/transform.h>

#include "base/random.h"
#include "rdd/map_index.h"
#include "rdd/verb.h"
#include "scheduler/job.h"

/* stratum: what is drawn for one key. */
typedef struct stratum {
    uint64_t *at; /* positions among all pairs of the key, ascending */
    size_t n;
    bool others; /* at are those left out */
} stratum;

/* presence: the keys of a partition, in one block: their numbers, and how many pairs of them there are
 * here, or in the partitions before. Not one number for every key: there may be many of both. */
typedef struct presence {
    spk_heap *heap; /* of the executor that has counted */
    uint64_t *counts;
    uint32_t *keys;
    size_t n, capacity;
} presence;

typedef struct strata_rdd {
    spark_rdd rdd;
    bool with_replacement, exact;
    uint64_t seed;
    spark_index rates; /* of pairs (K, double) */
    char *items;
    uint32_t *slots;
    size_t items_capacity, slots_capacity;
    stratum *strata; /* exact, once prepared */
    uint64_t *drawn; /* where they point to */
    size_t strata_capacity, drawn_capacity;
    presence *parts;
    int n_parts;
} strata_rdd;

static double rate_of(const strata_rdd *s, int64_t key)
{
    double rate;
    memcpy(&rate,
        (const char *)s->rates.items + (size_t)key * s->rates.type->size
            + s->rates.type->fields[1].offset,
        sizeof rate);
    return rate;
}

/* find: the number of a row's key; -1: the task has failed. */
static int64_t find(spark_task *task, const strata_rdd *s, const char *row)
{
    char text[100];
    const int64_t key = spk_index_find(&s->rates, row);
    if (key < 0) {
        const size_t n = spk_value_print(s->rates.key, row, text, sizeof text);
        spk_task_fail(task, SPARK_ETASK, "key %.*s has no rate",
            (int)(n < sizeof text ? n : sizeof text), text);
    }
    return key;
}

/* ---- drawing while running */

typedef struct picker {
    spk_random random;
    spk_arena *arenas;
    int64_t *seen; /* exact: pairs of each key before the next one */
    size_t *next;  /* exact: the next drawn position of each key */
} picker;

/* first_from: of ascending positions, the number of the first that is not before `from`. */
static size_t first_from(const stratum *t, uint64_t from)
{
    size_t low = 0, high = t->n;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (t->at[middle] < from)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* begin_strata: where this partition stands in the positions of each key it has. */
static bool begin_strata(spark_task *task, const strata_rdd *s, picker *p, int partition)
{
    const size_t n = s->rates.n;
    const presence *here = &s->parts[partition];
    p->seen = spk_arena_alloc(spk_keep_of(task), n * (sizeof *p->seen + sizeof *p->next) + 1, 16);
    if (!p->seen) {
        spk_task_nomem(task);
        return false;
    }
    p->next = (size_t *)(void *)(p->seen + n);
    for (size_t i = 0; i < here->n; i++) {
        p->seen[here->keys[i]] = (int64_t)here->counts[i];
        p->next[here->keys[i]] = first_from(&s->strata[here->keys[i]], here->counts[i]);
    }
    return true;
}

static bool open(spk_pipe *pipe, spk_op *op)
{
    const strata_rdd *s = SPK_NODE(strata_rdd, op->rdd);
    spark_task *task = pipe->task;
    picker *p = spk_arena_alloc(spk_keep_of(task), sizeof *p, 16);
    if (!p) {
        spk_task_nomem(task);
        return false;
    }
    *p = (picker) { .random = spk_random_of(s->seed, (uint64_t)op->partition) };
    p->arenas = spk_step_arenas(task);
    op->state = p;
    return p->arenas && (!s->exact || begin_strata(task, s, p, op->partition));
}

/* drawn: how often the next pair of the key is taken. */
static uint64_t drawn(const strata_rdd *s, picker *p, int64_t key)
{
    if (!s->exact) {
        const double rate = rate_of(s, key);
        return s->with_replacement ? spk_random_poisson(&p->random, rate)
                                   : spk_random_unit(&p->random) <= rate;
    }
    const stratum *t = &s->strata[key];
    const uint64_t here = (uint64_t)p->seen[key]++;
    uint64_t n = 0;
    while (p->next[key] < t->n && t->at[p->next[key]] == here) {
        p->next[key]++;
        n++;
    }
    return t->others ? n == 0 : n;
}

static void sample_by_key_run(spk_pipe *pipe, spk_op *op, spk_batch *batch)
{
    const strata_rdd *s = SPK_NODE(strata_rdd, op->rdd);
    picker *p = op->state;
    const size_t size = op->rdd->layout->size;
    const spk_batch in = *batch;
    spk_out out;
    batch->n = 0;
    if (!spk_out_open(&out, pipe, (size_t)(op - pipe->ops) + 1, size, p->arenas))
        return;
    for (size_t i = 0; i < in.n && !out.head.closed; i++) {
        const char *row = in.rows + i * size;
        const int64_t key = find(pipe->task, s, row);
        out.head.rows++;
        for (uint64_t n = key < 0 ? 0 : drawn(s, p, key); n > 0; n--) {
            if (out.head.next == out.head.end && !spk_emitter_room(&out.head))
                break;
            memcpy(out.head.next, row, size);
            out.head.next += size;
        }
    }
    spk_out_close(&out, batch);
}

/* ---- counting beforehand */

typedef struct tally {
    spk_state head;
    spk_heap *heap;
    uint64_t *counts; /* of every key, while the task runs */
    size_t capacity;
    presence here;
} tally;

static bool begin_tally(spk_state *state)
{
    const strata_rdd *s = state->action->arg;
    tally *t = (tally *)state;
    const size_t bytes = s->rates.n * sizeof *t->counts;
    t->heap = state->task->heap;
    t->counts = spk_task_alloc(state->task, "an array of counts by key", bytes + 1, &t->capacity);
    if (t->counts)
        memset(t->counts, 0, bytes);
    return t->counts != NULL;
}

static bool take_tally(void *state, spk_batch batch)
{
    tally *t = state;
    const strata_rdd *s = t->head.action->arg;
    for (size_t i = 0; i < batch.n; i++) {
        const int64_t key = find(t->head.task, s, batch.rows + i * s->rdd.layout->size);
        if (key < 0)
            return false;
        t->counts[key]++;
    }
    return true;
}

static void drop_counts(tally *t)
{
    spk_heap_free(t->heap, t->counts, t->capacity);
    t->counts = NULL;
}

/* end_tally: what stays are the keys that are there. */
static bool end_tally(spk_state *state)
{
    tally *t = (tally *)state;
    const strata_rdd *s = state->action->arg;
    presence *here = &t->here;
    size_t n = 0;
    for (size_t k = 0; k < s->rates.n; k++)
        n += t->counts[k] > 0;
    here->counts = spk_task_alloc(state->task, "a list of the keys of a partition",
        n * (sizeof *here->counts + sizeof *here->keys) + 1, &here->capacity);
    if (!here->counts)
        return false;
    here->heap = t->heap;
    here->keys = (uint32_t *)(void *)(here->counts + n);
    for (size_t k = 0; k < s->rates.n; k++)
        if (t->counts[k] > 0) {
            here->keys[here->n] = (uint32_t)k;
            here->counts[here->n++] = t->counts[k];
        }
    drop_counts(t);
    return true;
}

static void free_tally(spk_state *state)
{
    tally *t = (tally *)state;
    drop_counts(t);
    spk_heap_free(t->heap, t->here.counts, t->here.capacity);
    t->here.counts = NULL;
}

static int ascending(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* draw: t->n of `total` positions to t->at; distinct ones are drawn until there are enough. */
static void draw(stratum *t, uint64_t total, bool with_replacement, spk_random random)
{
    const size_t want = t->n;
    for (t->n = 0; t->n < want;) {
        size_t kept = 0;
        for (size_t i = t->n; i < want; i++)
            t->at[i] = spk_random_below(&random, total);
        qsort(t->at, want, sizeof *t->at, ascending);
        for (size_t i = 0; i < want; i++)
            if (with_replacement || kept == 0 || t->at[kept - 1] != t->at[i])
                t->at[kept++] = t->at[i];
        t->n = kept;
    }
}

/* count_on: counts become those of the partitions before; totals: of all. */
static void count_on(strata_rdd *s, uint64_t *totals)
{
    memset(totals, 0, s->rates.n * sizeof *totals);
    for (int p = 0; p < s->n_parts; p++)
        for (size_t i = 0; i < s->parts[p].n; i++) {
            uint64_t *total = &totals[s->parts[p].keys[i]], *count = &s->parts[p].counts[i];
            const uint64_t before = *total;
            *total += *count;
            *count = before;
        }
}

/* how_many: each stratum's number of positions, of the smaller part where more than half are wanted;
 * the sum. */
static double how_many(strata_rdd *s, const uint64_t *totals)
{
    double all = 0;
    for (size_t k = 0; k < s->rates.n; k++) {
        const uint64_t total = totals[k];
        double want = ceil(rate_of(s, (int64_t)k) * (double)total);
        if (!s->with_replacement && want > (double)total)
            want = (double)total;
        const uint64_t n = want < 1e18 ? (uint64_t)want : (uint64_t)1e18;
        const bool others = !s->with_replacement && n > total / 2;
        s->strata[k].others = others;
        s->strata[k].n = (size_t)(others ? (n < total ? total - n : 0) : n);
        all += (double)s->strata[k].n;
    }
    return all;
}

/* strata_alloc: a block that belongs to the node. NULL: *failure says of what and how much. */
static void *strata_alloc(
    strata_rdd *s, const char *what, double bytes, size_t *capacity, spk_failure *failure)
{
    spk_heap *heap = &s->rdd.sc->heap;
    char text[300];
    const size_t size = bytes < 1e18 ? (size_t)bytes + 1 : (size_t)1e18;
    void *block = spk_heap_alloc(heap, size, capacity);
    if (!block)
        spk_failure_set(failure, SPARK_ENOMEM, s->rdd.operation, s->rdd.site, "%s at %s: %s",
            s->rdd.operation, s->rdd.site,
            spk_heap_refusal(heap, what, size, text, sizeof text));
    return block;
}

static void draw_positions(strata_rdd *s, const uint64_t *totals)
{
    uint64_t *at = s->drawn;
    for (size_t k = 0; k < s->rates.n; k++) {
        const size_t n = s->strata[k].n;
        s->strata[k].at = at;
        draw(&s->strata[k], totals[k], s->with_replacement, spk_random_of(s->seed, k));
        at += n;
    }
}

static spark_status draw_all(strata_rdd *s, spk_failure *failure)
{
    const double keys = (double)s->rates.n;
    size_t capacity;
    uint64_t *totals
        = strata_alloc(s, "an array of counts by key", keys * sizeof *totals, &capacity, failure);
    if (!totals)
        return failure->code;
    count_on(s, totals);
    s->strata = strata_alloc(
        s, "an array of strata", keys * sizeof *s->strata, &s->strata_capacity, failure);
    if (s->strata) {
        const double positions = how_many(s, totals);
        s->drawn = strata_alloc(s, "a list of the positions that are drawn", positions * sizeof *s->drawn,
            &s->drawn_capacity, failure);
        if (s->drawn)
            draw_positions(s, totals);
    }
    spk_heap_free(&s->rdd.sc->heap, totals, capacity);
    return s->drawn ? SPARK_OK : failure->code;
}

/* forget_strata: what was prepared. */
static void forget_strata(strata_rdd *s)
{
    spk_heap *heap = &s->rdd.sc->heap;
    for (int p = 0; p < s->n_parts; p++)
        spk_heap_free(s->parts[p].heap, s->parts[p].counts, s->parts[p].capacity);
    free(s->parts);
    spk_heap_free(heap, s->strata, s->strata_capacity);
    spk_heap_free(heap, s->drawn, s->drawn_capacity);
    s->parts = NULL;
    s->n_parts = 0;
    s->strata = NULL;
    s->drawn = NULL;
}

static spark_status sample_by_key_prepare(spark_rdd *rdd, spk_failure *failure)
{
    strata_rdd *s = SPK_NODE(strata_rdd, rdd);
    spark_rdd *parent = rdd->deps[0].rdd;
    const int n = spk_rdd_partitions(parent);
    const spk_action action = { .name = rdd->operation,
        .site = rdd->site,
        .state_size = sizeof(tally),
        .arg = s,
        .begin = begin_tally,
        .take = take_tally,
        .end = end_tally,
        .discard = free_tally };
    tally *parts = calloc((size_t)n + 1, sizeof *parts);
    s->parts = calloc((size_t)n + 1, sizeof *s->parts);
    spark_status status = parts && s->parts
        ? spk_job_run(parent, &action, NULL, n, parts, failure)
        : spk_failure_nomem(failure, rdd->operation, rdd->site);
    if (status == SPARK_OK) {
        for (; s->n_parts < n; s->n_parts++)
            s->parts[s->n_parts] = parts[s->n_parts].here;
        status = draw_all(s, failure);
    }
    free(parts);
    if (status == SPARK_OK)
        spk_rdd_partitions_set(rdd, n);
    else
        forget_strata(s);
    return status;
}

/* ---- making */

static void sample_by_key_release(spark_rdd *rdd)
{
    strata_rdd *s = SPK_NODE(strata_rdd, rdd);
    forget_strata(s);
    spk_heap_free(&rdd->sc->heap, s->items, s->items_capacity);
    spk_heap_free(&rdd->sc->heap, s->slots, s->slots_capacity);
}

static bool copy_rates(strata_rdd *s, const spk_layout *pair, size_t n, const char *rates)
{
    spk_heap *heap = &s->rdd.sc->heap;
    const size_t size = pair->size, head = (n * size + 63) / 64 * 64;
    size_t bytes = 0;
    for (size_t i = 0; i < n; i++)
        bytes += spk_value_bytes(pair, rates + i * size);
    s->items = spk_heap_alloc(heap, head + bytes + 1, &s->items_capacity);
    s->slots = spk_heap_alloc(heap, spk_index_slots(n) * sizeof *s->slots, &s->slots_capacity);
    if (!s->items || !s->slots)
        return false;
    if (n)
        memcpy(s->items, rates, n * size);
    char *tail = s->items + head;
    for (size_t i = 0; i < n; i++)
        tail = spk_value_pack(pair, s->items + i * size, tail);
    spk_index_make(&s->rates, pair, s->items, n, s->slots);
    return true;
}

static void check_rates(spk_verb *v, const spk_layout *pair, size_t n, const char *rates)
{
    for (size_t i = 0; i < n && !v->bad; i++) {
        double rate;
        memcpy(&rate, rates + i * pair->size + pair->value_offset, sizeof rate);
        if (!(rate >= 0) || rate > 1e9)
            spk_verb_fail(v, SPARK_EINVAL, "a rate of %g; it must be between 0 and 1e9", rate);
    }
}

static spark_rdd *sample(spark_site at, spark_rdd *rdd, bool with_replacement, bool exact,
    const spark_type *type, size_t n, const void *rates, uint64_t seed)
{
    static const spk_class plain = { .name = "MapPartitionsRDD",
        .open = open,
        .run = sample_by_key_run,
        .release = sample_by_key_release };
    static const spk_class counted = { .name = "MapPartitionsRDD",
        .open = open,
        .run = sample_by_key_run,
        .prepare = sample_by_key_prepare,
        .release = sample_by_key_release };
    spk_verb v;
    spk_failure failure;
    char text[400];
    bool made;
    spk_verb_begin(&v, at, exact ? "sampleByKeyExact" : "sampleByKey", NULL, 1, &rdd, NULL);
    spk_verb_pairs(&v, v.in);
    const spk_layout *pair = spk_verb_layout(&v, type);
    if (!v.bad
        && (!pair->key || spk_type_differ(SPARK_TYPE(double), pair->value->type, text, sizeof text)
            || spk_type_differ(v.in->key->type, pair->key->type, text, sizeof text)))
        spk_verb_fail(&v, SPARK_ETYPE, "the rates are not pairs of a key and a double");
    if (!v.bad && n > 0 && !rates)
        spk_verb_fail(&v, SPARK_EINVAL, "%zu rates, but no data", n);
    if (!v.bad)
        check_rates(&v, pair, n, rates);
    spark_rdd *parent = rdd;
    rdd = spk_verb_make(&v, exact ? &counted : &plain, sizeof(strata_rdd), v.in, &made);
    if (!made)
        return rdd;
    strata_rdd *s = SPK_NODE(strata_rdd, rdd);
    s->with_replacement = with_replacement;
    s->exact = exact;
    s->seed = seed;
    rdd->planned = parent->planned;
    spk_rdd_partitioner_set(rdd, parent->partitioner);
    if (copy_rates(s, pair, n, rates))
        return rdd;
    spk_failure_nomem(&failure, NULL, NULL);
    return spk_verb_undo(&v, rdd, &failure);
}

spark_rdd *spark_sample_by_key(spark_site at, spark_rdd *rdd, bool with_replacement,
    const spark_type *type, size_t n, const void *rates, uint64_t seed)
{
    return sample(at, rdd, with_replacement, false, type, n, rates, seed);
}

spark_rdd *spark_sample_by_key_exact(spark_site at, spark_rdd *rdd, bool with_replacement,
    const spark_type *type, size_t n, const void *rates, uint64_t seed)
{
    return sample(at, rdd, with_replacement, true, type, n, rates, seed);
}
