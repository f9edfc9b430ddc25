/* SPDX-License-Identifier: Apache-2.0 */
/* Chaos: from a seed a job is drawn (a graph of operations over rows of random types, with caches
 * and checkpoints on the way, and the actions on it), and what befalls it (threads, batches, a
 * budget of memory, a fault plan). It runs undisturbed, then disturbed. All partitions have the
 * same bytes, all accumulators the same sums; or there is an error that the plan explains, and the
 * job then goes well on the same context. Nothing is left: no memory, no file, no descriptor, no
 * thread.
 *
 *   CHAOS_SEED=17                  that seed alone, and what it draws is printed
 *   CHAOS_SEED=1 CHAOS_RUNS=5000   many */
#include <errno.h>
#include <signal.h>

#include "file_test.h"
#include "shape_functions.h"

enum { NODES = 14, ACTIONS = 6, LINES = 5, TEXT_LINES = 300, SECONDS = 300 };
enum { KEPT_BYTES = 1024 * 1024 }; /* by a thread, for its next task */

/* ---- a job */

typedef enum op {
    PARALLELIZE, RANGE, OBJECTS, TEXT, /* sources; the rest reads nodes before it */
    MAP, MAP_VALUES, FILTER, FLAT_MAP_VALUES, SUMS, SAMPLE, UNION, COALESCE, ZIP, INDEX, COUNTED,
    UNIQUE_ID, STATEFUL, RANGE_OF_KEYS, CROSS, REPARTITION, REDUCE_BY_KEY, AGGREGATE_BY_KEY,
    COMBINE_BY_KEY, FOLD_BY_KEY, GROUP_BY_KEY, GROUP_MAP, COGROUP, JOIN, SORT_BY_KEY, SORT_BY,
    SORT_WITHIN, PARTITION_BY, DISTINCT,
    SUBTRACT_BY_KEY, SUBTRACT, INTERSECTION, /* from here on: the node before, marked */
    CACHE, CHECKPOINT, LOCAL_CHECKPOINT, OPS
} op;
static const char *const op_names[OPS] = { "parallelize", "range", "objects", "text", "map",
    "map_values", "filter", "flat_map_values", "sums", "sample", "union", "coalesce", "zip",
    "index", "counted", "unique_id", "stateful", "range_of_keys", "cross", "repartition",
    "reduce_by_key", "aggregate_by_key", "combine_by_key", "fold_by_key", "group_by_key",
    "group_map", "cogroup", "join", "sort_by_key", "sort_by", "sort_within", "partition_by",
    "distinct", "subtract_by_key", "subtract", "intersection", "cache", "checkpoint",
    "local_checkpoint" };

typedef struct node {
    op op;
    int a, b, partitions;
    uint64_t extra;
} node;

typedef enum verb {
    ALL, COUNT, TAKE, REDUCE, COUNT_BY_KEY, SAVE_TEXT, SAVE_OBJECTS, EACH, TOP, LOOK_UP, ITERATE,
    ASYNC, TAKE_SAMPLE, TREE, VERBS
} verb;
static const char *const verb_names[VERBS]
    = { "all", "count", "take", "reduce", "count_by_key", "save_text", "save_objects", "foreach",
        "take_ordered", "lookup", "to_local_iterator", "count_async", "take_sample",
        "tree_aggregate" };

typedef struct act {
    verb verb;
    int node;
    uint64_t n;
} act;

typedef struct job {
    uint64_t seed, state;
    const spark_type *k, *v, *pair;
    size_t rows;
    uint64_t keys, values; /* codes of source rows are less than that */
    char *data;            /* rows of PARALLELIZE and OBJECTS */
    int n_nodes, n_acts;
    node nodes[NODES];
    act acts[ACTIONS];
    spark_fault faults[LINES];
    char master[64];
    spark_conf conf;
    bool heals; /* the plan harms no more than it may: there must be no error, but for the budget */
    bool loses;  /* executors, so often that stages may come to the end of their attempts */
    bool leaves; /* it keeps the library from removing files */
} job;

static uint64_t below(job *j, uint64_t n)
{
    return oracle_below(&j->state, n);
}

static void draw_types(job *j)
{
    static const uint64_t keys[] = { 1, 2, 9, 60, 1000, SHAPE_CODES };
    const bool large = below(j, 12) == 0;
    j->k = large ? SPARK_TYPE(int64_t) : shape_draw(&j->state, below(j, 3) ? 1 : 0);
    j->v = large ? SPARK_TYPE(spark_str) : shape_draw(&j->state, below(j, 3) ? 1 : 0);
    j->pair = shape_pair(j->k, j->v);
    const uint64_t bytes = UINT64_C(1) << (large ? 22 : 18), most = large ? 20000 : 300;
    const uint64_t room = bytes / j->pair->size + 2, n = below(j, most);
    j->rows = (size_t)(n < room ? n : room);
    const uint64_t k = keys[below(j, LENGTH(keys))];
    j->keys = k < shape_codes(j->k) ? k : shape_codes(j->k);
    j->values = shape_codes(j->v);
}

/* key_of, value_of: of the i-th row of a source; some keys are frequent. */
static uint64_t key_of(const job *j, uint64_t i)
{
    uint64_t state = j->seed + i;
    const uint64_t draw = oracle_random(&state);
    return draw % 3 == 0 ? 0 : draw / 3 % j->keys;
}
static uint64_t value_of(const job *j, uint64_t i)
{
    return i * 31 % j->values;
}

static bool put_pair(spark_task *task, const job *j, uint64_t key, uint64_t value, char *out)
{
    return shape_put(task, j->k, key % shape_codes(j->k), out)
        && shape_put(task, j->v, value % shape_codes(j->v), out + j->pair->fields[1].offset);
}
static uint64_t get_key(const job *j, const void *row)
{
    return shape_get(j->k, row);
}
static uint64_t get_value(const job *j, const void *row)
{
    return shape_get(j->v, (const char *)row + j->pair->fields[1].offset);
}

static void make_rows(job *j)
{
    j->data = shape_room((j->rows + 1) * j->pair->size + 64);
    j->data += -(uintptr_t)j->data & 63;
    for (size_t i = 0; i < j->rows; i++)
        put_pair(NULL, j, key_of(j, i), value_of(j, i), j->data + i * j->pair->size);
}

static void draw_graph(job *j)
{
    j->n_nodes = 3 + (int)below(j, NODES - 2);
    for (int i = 0; i < j->n_nodes; i++) {
        node *n = &j->nodes[i];
        const uint64_t sources = j->pair->size > 1024 ? TEXT : MAP; /* a text has many lines */
        n->op = i == 0 || below(j, 8) == 0 ? (op)below(j, sources)
                                           : (op)(MAP + below(j, OPS - MAP));
        n->a = i > 0 ? (below(j, 3) ? i - 1 : (int)below(j, (uint64_t)i)) : 0;
        n->b = i > 0 ? (int)below(j, (uint64_t)i) : 0;
        n->partitions = 1 + (int)below(j, 6);
        n->extra = below(j, 1000);
    }
    j->n_acts = 1 + (int)below(j, ACTIONS);
    for (int i = 0; i < j->n_acts; i++)
        j->acts[i] = (act) { i == 0 ? ALL : (verb)below(j, VERBS),
            i == 0 ? j->n_nodes - 1 : (int)below(j, (uint64_t)j->n_nodes), below(j, 100) };
}

/* ---- what befalls it */

static void draw_call(job *j, spark_fault *f)
{
    static const int errors[] = { 0, 0, EIO, ENOSPC, EMFILE, EINTR, ENOMEM };
    enum { KINDS = SPARK_FAULT_CORRUPT - SPARK_FAULT_ALLOC + 1 };
    f->kind = (spark_fault_kind)(SPARK_FAULT_ALLOC + below(j, KINDS));
    f->error = errors[below(j, LENGTH(errors))];
    f->most = f->error == 0 ? (size_t)below(j, 3) * 7 : 0;
    if (below(j, 2)) {
        f->rate = 0.002 * (double)(1 + below(j, 50));
        f->error = f->error == EINTR ? EIO : f->error;
    } else {
        f->rate = 0;
        f->nth = 1 + below(j, below(j, 2) ? 8 : 300);
        f->times = below(j, 3) && f->error != EINTR ? 1 + (int)below(j, 4) : 1;
    }
    if (below(j, 2))
        f->attempt = 0;
    else
        j->heals = false;
    if (f->attempt != 0 && f->error != EINTR && below(j, 4) == 0) {
        f->times = SPARK_ANY;
        f->rate = 0;
    }
    j->leaves = j->leaves || f->kind == SPARK_FAULT_REMOVE || f->kind == SPARK_FAULT_IO
        || (f->times < 0 && f->kind != SPARK_FAULT_WRITE);
}

/* draw_task: a fault of attempts; only first ones hang, are late or lose their executor. */
static void draw_task(job *j, spark_fault *f)
{
    static const spark_fault_kind kinds[] = { SPARK_FAULT_TASK, SPARK_FAULT_TASK,
        SPARK_FAULT_BLOCK, SPARK_FAULT_DELAY, SPARK_FAULT_EXECUTOR };
    *f = (spark_fault) { kinds[below(j, LENGTH(kinds))], .job = (int)below(j, 4) - 1,
        .stage = SPARK_ANY, .partition = (int)below(j, 3) - 1, .attempt = 0,
        .when = (spark_fault_when)below(j, 3), .delay_ms = (int)below(j, 10) };
    if (f->kind != SPARK_FAULT_EXECUTOR)
        return;
    f->job = (int)below(j, 3); /* not those of every task, or each loss leads to others */
    f->stage = (int)below(j, 3);
    f->partition = (int)below(j, 3);
    j->loses = true;
    j->heals = false; /* what is lost is made by first attempts again, which lose it again */
}

/* draw_master: executors that share the budget, half of the times. */
static void draw_master(job *j, uint64_t bytes)
{
    const int executors = 1 + (int)below(j, 3), cores = 1 + (int)below(j, 3);
    const unsigned long long mib = bytes ? bytes >> 20 : 512;
    if (below(j, 2))
        snprintf(j->master, sizeof j->master, "local[%d]", 1 + (int)below(j, below(j, 3) ? 3 : 8));
    else
        snprintf(j->master, sizeof j->master, "local-cluster[%d,%d,%llu]", executors, cores, mib);
}

static void draw_trouble(job *j)
{
    const uint64_t bytes = below(j, 3) ? 0 : UINT64_C(8) << (20 + below(j, 5));
    static const int batches[] = { 0, 0, 1, 2, 7, 65536 };
    const size_t lines = (size_t)below(j, LINES + 1);
    j->heals = true;
    for (size_t i = 0; i < lines; i++) {
        spark_fault *f = &j->faults[i];
        *f = (spark_fault) { SPARK_FAULT_RANDOM, SPARK_ANYWHERE,
            .rate = 0.01 * (double)(1 + below(j, 20)), .seed = below(j, 1000) };
        if (below(j, 3) == 0)
            draw_task(j, f);
        else if (below(j, 2))
            draw_call(j, f);
    }
    draw_master(j, bytes);
    j->conf = (spark_conf) { .master = j->master,
        .batch_rows = batches[below(j, LENGTH(batches))],
        .memory_bytes = bytes,
        .locality_wait_ms = below(j, 2) ? -1 : (int)below(j, 20),
        .speculation.on = below(j, 4) == 0,
        .local_dir = "local",
        .check = below(j, 10) == 0,
        .thread_stack_bytes = 0,
        .stage_max_attempts = j->heals ? 100 : 6,
        .task_max_failures = 6,
        .faults = j->faults,
        .n_faults = lines };
}

static void draw(job *j, uint64_t seed)
{
    *j = (job) { .seed = seed, .state = seed * 7919 };
    draw_types(j);
    make_rows(j);
    draw_graph(j);
    draw_trouble(j);
}

static void describe(const job *j)
{
    char text[400];
    shape_print(j->pair, text, sizeof text);
    print_message("seed %llu: %zu rows of %u bytes, %llu keys: %s\n", (unsigned long long)j->seed,
        j->rows, j->pair->size, (unsigned long long)j->keys, text);
    for (int i = 0; i < j->n_nodes; i++)
        print_message("  %d = %s(%d, %d), %d partitions, %d\n", i, op_names[j->nodes[i].op],
            j->nodes[i].a, j->nodes[i].b, j->nodes[i].partitions, (int)j->nodes[i].extra);
    for (int i = 0; i < j->n_acts; i++)
        print_message("  %s of %d\n", verb_names[j->acts[i].verb], j->acts[i].node);
    print_message("  %s, batches of %d, %llu bytes%s\n", j->master, j->conf.batch_rows,
        (unsigned long long)j->conf.memory_bytes, j->conf.check ? ", checked" : "");
    for (size_t i = 0; i < j->conf.n_faults; i++) {
        const spark_fault *f = &j->faults[i];
        print_message("  fault %d: job %d, partition %d, attempt %d, rate %g, seed %d, nth %d, times %d, "
                      "errno %d, most %zu\n",
            (int)f->kind, f->job, f->partition, f->attempt, f->rate, (int)f->seed, (int)f->nth, f->times,
            f->error, f->most);
    }
}

static void wrong(const job *j, const char *what)
{
    describe(j);
    fail_msg("CHAOS_SEED=%llu: %s (last error: %s)", (unsigned long long)j->seed, what,
        spark_last_error()->message);
}

/* ---- its functions: of pairs */

typedef struct with {
    const job *job;
    uint64_t extra;
    const spark_accumulator *counter;
} with;

static void map_pairs(spark_task *task, size_t n, const void *in, size_t in_step, void *out,
    size_t out_step, const void *env)
{
    const with *w = env;
    for (size_t i = 0; i < n; i++) {
        const void *row = (const char *)in + i * in_step;
        const uint64_t key = get_key(w->job, row), value = get_value(w->job, row);
        put_pair(task, w->job, key + w->extra % 2, value * 5 + w->extra,
            (char *)out + i * out_step);
    }
}
static void map_numbers(spark_task *task, size_t n, const void *in, size_t in_step, void *out,
    size_t out_step, const void *env)
{
    const with *w = env;
    for (size_t i = 0; i < n; i++) {
        int64_t x;
        memcpy(&x, (const char *)in + i * in_step, sizeof x);
        put_pair(task, w->job, key_of(w->job, (uint64_t)x), value_of(w->job, (uint64_t)x),
            (char *)out + i * out_step);
    }
}
static void map_lines(spark_task *task, size_t n, const void *in, size_t in_step, void *out,
    size_t out_step, const void *env)
{
    const with *w = env;
    for (size_t i = 0; i < n; i++) {
        spark_str line;
        uint64_t h = 0;
        memcpy(&line, (const char *)in + i * in_step, sizeof line);
        for (size_t c = 0; c < line.len; c++)
            h = h * 31 + (unsigned char)line.ptr[c];
        put_pair(task, w->job, h % w->job->keys, h >> 20, (char *)out + i * out_step);
    }
}
/* map_indexed: of (pair, number). */
static void map_indexed(spark_task *task, size_t n, const void *in, size_t in_step, void *out,
    size_t out_step, const void *env)
{
    const with *w = env;
    for (size_t i = 0; i < n; i++) {
        const char *row = (const char *)in + i * in_step;
        int64_t index;
        memcpy(&index, row + shape_up(w->job->pair->size, 8), sizeof index);
        put_pair(task, w->job, get_key(w->job, row), get_value(w->job, row) + (uint64_t)index,
            (char *)out + i * out_step);
    }
}
/* map_crossed: of (pair, pair). */
static void map_crossed(spark_task *task, size_t n, const void *in, size_t in_step, void *out,
    size_t out_step, const void *env)
{
    const with *w = env;
    for (size_t i = 0; i < n; i++) {
        const char *row = (const char *)in + i * in_step, *other = row + w->job->pair->size;
        put_pair(task, w->job, get_key(w->job, row) + get_key(w->job, other),
            get_value(w->job, row) * 3 + get_value(w->job, other), (char *)out + i * out_step);
    }
}
/* map_value: of values alone. */
static void map_value(spark_task *task, size_t n, const void *in, size_t in_step, void *out,
    size_t out_step, const void *env)
{
    const with *w = env;
    for (size_t i = 0; i < n; i++) {
        const uint64_t code = shape_get(w->job->v, (const char *)in + i * in_step);
        put_pair(task, w->job, code % w->job->keys, code, (char *)out + i * out_step);
    }
}
/* fold_list: a list of values as one, which depends on the order. */
static uint64_t fold_list(const job *j, const char *list)
{
    spark_str view;
    uint64_t sum = 1;
    memcpy(&view, list, sizeof view);
    for (size_t i = 0; i < view.len; i++)
        sum = in_order(sum, shape_get(j->v, view.ptr + i * j->v->size), j->v);
    return sum;
}
static void map_groups(spark_task *task, size_t n, const void *in, size_t in_step, void *out,
    size_t out_step, const void *env)
{
    const with *w = env;
    const size_t lists = shape_up(w->job->k->size, 8);
    for (size_t i = 0; i < n; i++) {
        const char *row = (const char *)in + i * in_step;
        uint64_t sum = 0;
        for (uint64_t side = 0; side < w->extra; side++)
            sum = sum * 7 + fold_list(w->job, row + lists + side * sizeof(spark_str));
        put_pair(task, w->job, get_key(w->job, row), sum, (char *)out + i * out_step);
    }
}
static size_t filter_pairs(
    spark_task *task, size_t n, const void *in, size_t step, uint32_t *keep, const void *env)
{
    const with *w = env;
    size_t found = 0;
    for (size_t i = 0; i < n; i++) {
        const void *row = (const char *)in + i * step;
        const uint64_t value = get_value(w->job, row);
        if (w->counter)
            spark_accumulate(task, w->counter, (int64_t)value);
        if (w->counter || kept(get_key(w->job, row) + value + w->extra))
            keep[found++] = (uint32_t)i;
    }
    return found;
}
static void emit_pair(
    spark_task *task, spark_emitter *out, const job *j, uint64_t key, uint64_t value)
{
    char *row = aligned_alloc(64, shape_up(j->pair->size, 64));
    if (!row)
        abort();
    memset(row, 0, j->pair->size);
    if (put_pair(task, j, key, value, row))
        spark_emit_(out, row, j->pair->size);
    free(row);
}
static void sum_pairs(spark_task *task, spark_iterator *in, spark_emitter *out, const void *env)
{
    const with *w = env;
    uint64_t sum = w->extra;
    for (const void *row; (row = spark_next_(in));) {
        sum = added(sum, get_value(w->job, row), w->job->v);
        emit_pair(task, out, w->job, get_key(w->job, row), sum);
    }
}
static void zip_pairs(
    spark_task *task, spark_iterator *const *in, spark_emitter *out, const void *env)
{
    const with *w = env;
    for (;;) {
        const void *l = spark_next_(in[0]), *r = spark_next_(in[1]);
        if (!l || !r)
            return;
        emit_pair(task, out, w->job, get_key(w->job, l),
            get_value(w->job, l) * 3 + get_value(w->job, r));
    }
}
static void each_pair(spark_task *task, void *state, size_t n, const void *in, size_t step,
    spark_emitter *out, const void *env)
{
    const with *w = env;
    uint64_t *sum = state;
    for (size_t i = 0; i < n && !out->closed; i++) {
        const void *row = (const char *)in + i * step;
        out->rows++;
        *sum = added(*sum, get_value(w->job, row), w->job->v);
        emit_pair(task, out, w->job, get_key(w->job, row), *sum);
    }
}
static void last_pair(spark_task *task, void *state, spark_emitter *out, const void *env)
{
    const with *w = env;
    emit_pair(task, out, w->job, 0, *(const uint64_t *)state);
}
/* digest_pairs: a partition as one number: all its rows in order, each looked at as a whole. */
static void digest_pairs(spark_task *task, spark_iterator *in, spark_emitter *out, const void *env)
{
    const with *w = env;
    uint64_t h = 17;
    (void)task;
    for (const void *row; (row = spark_next_(in));)
        h = (h ^ (get_key(w->job, row) << 17 | get_value(w->job, row))) * 0x100000001b3u;
    spark_emit_(out, &h, sizeof h);
}
static void count_pairs(spark_task *task, size_t n, const void *in, size_t step, const void *env)
{
    const with *w = env;
    for (size_t i = 0; i < n; i++)
        spark_accumulate(task, w->counter, (int64_t)get_value(w->job, (const char *)in + i * step));
}

#define MAKE(type, name, ...) &(const type) { name, __VA_ARGS__ }
#define WITH(...)                                                                                  \
    (&(const spark_env) { .kind = SPARK_ENV_COPY, .data = &(with) { __VA_ARGS__ },                 \
        .size = sizeof(with) })

/* ---- building it */

typedef struct built {
    spark_context *sc;
    spark_rdd *at[NODES];
    const spark_accumulator *counters[NODES];
    bool first; /* nothing is disturbed: what the job reads is written */
} built;

static spark_rdd *to_pairs(const job *j, spark_rdd *rdd, const spark_type *in,
    void (*run)(spark_task *, size_t, const void *, size_t, void *, size_t, const void *),
    uint64_t extra)
{
    const spark_map_def f = { "to_pairs", in, j->pair, 0, run, NULL };
    return spark_map(rdd, &f, WITH(j, extra, NULL));
}

static spark_rdd *source(const job *j, const built *b, const node *n)
{
    spark_rdd *rows;
    switch (n->op) {
    case RANGE:
        return to_pairs(j, spark_range(b->sc, 0, (int64_t)j->rows, 1, n->partitions),
            SPARK_TYPE(int64_t), map_numbers, 0);
    case TEXT:
        rows = spark_text_file(b->sc, "in/*.txt", n->partitions);
        return to_pairs(j, rows, SPARK_TYPE(spark_str), map_lines, 0);
    case OBJECTS:
        rows = spark_parallelize(b->sc, j->pair, j->rows, j->data, n->partitions);
        if (b->first && access("objects", F_OK) != 0)
            oracle_ok(spark_save_as_object_file(rows, "objects"));
        return spark_object_file(b->sc, "objects", j->pair);
    default:
        return spark_parallelize(b->sc, j->pair, j->rows, j->data, n->partitions);
    }
}

static spark_rdd *placed(const job *j, const built *b, const node *n, spark_rdd *a)
{
    const spark_partitioner_def f = { "placed", j->k, 0, place_run };
    const spark_partitioner *p = n->extra % 3 == 0 ? spark_hash_partitioner(b->sc, n->partitions)
        : n->extra % 3 == 1 ? spark_range_partitioner(a, NULL, n->partitions)
                            : spark_partitioner_new(b->sc, n->partitions, &f, BIND(.key = j->k));
    return spark_partition_by(a, p);
}

static spark_rdd *narrow(const job *j, built *b, int i, spark_rdd *a, spark_rdd *other)
{
    const node *n = &j->nodes[i];
    const spark_map_def map = { "map_pairs", j->pair, j->pair, 0, map_pairs, NULL };
    const spark_map_def mapping = map_of(j->v, j->v);
    const spark_filter_def filter = { "filter_pairs", j->pair, 0, filter_pairs };
    const spark_flat_map_def copies = { "copied", j->v, j->v, 0, flat_map_run };
    const spark_partitions_def sums = { "sum_pairs", j->pair, j->pair, 0, sum_pairs };
    const spark_stateful_def each
        = { "each_pair", j->pair, j->pair, 0, sizeof(uint64_t), NULL, each_pair, last_pair };
    const spark_zip_def zip = { "zip_pairs", 2, { j->pair, j->pair }, j->pair, 0, zip_pairs };
    switch (n->op) {
    case MAP_VALUES:
        return spark_map_values(a, &mapping, BIND(.in = j->v, .out = j->v));
    case FILTER:
        return spark_filter(a, &filter, WITH(j, n->extra, NULL));
    case FLAT_MAP_VALUES:
        return spark_flat_map_values(a, &copies, BIND(.in = j->v, .out = j->v));
    case SUMS:
        return spark_map_partitions(a, &sums, WITH(j, n->extra, NULL));
    case SAMPLE:
        return spark_sample(a, n->extra % 2, 0.5, n->extra);
    case UNION:
        return spark_union(a, other);
    case COALESCE:
        return spark_coalesce(a, n->partitions);
    case ZIP:
        return spark_zip_partitions(
            a, spark_map(a, &map, WITH(j, 1, NULL)), &zip, WITH(j, n->extra, NULL));
    case INDEX:
        return to_pairs(j, spark_zip_with_index(a), NULL, map_indexed, 0);
    case UNIQUE_ID:
        return to_pairs(j, spark_zip_with_unique_id(a), NULL, map_indexed, 0);
    case STATEFUL:
        return spark_map_stateful(a, &each, WITH(j, n->extra, NULL));
    case RANGE_OF_KEYS:
        return spark_filter_by_range(a, j->k, shape_value(j->k, 0), j->k,
            shape_value(j->k, n->extra % shape_codes(j->k)));
    case CROSS:
        other = spark_parallelize(b->sc, j->pair, j->rows < 2 ? j->rows : 2, j->data, 1);
        return to_pairs(j, spark_cartesian(a, other), NULL, map_crossed, 0);
    case COUNTED:
        b->counters[i] = spark_counter(b->sc, NULL);
        return spark_filter(a, &filter, WITH(j, 0, b->counters[i]));
    default:
        return spark_map(a, &map, WITH(j, n->extra, NULL));
    }
}

static spark_rdd *combining(const job *j, const node *n, spark_rdd *a)
{
    const spark_merge_def add = add_of(j->v, j->v), combine = combine_of(j->v);
    const spark_map_def create = { "created", j->v, j->v, 0, create_run, NULL };
    const spark_env *env = BIND(.in = j->v, .out = j->v);
    const void *zero = shape_value(j->v, 0);
    switch (n->op) {
    case AGGREGATE_BY_KEY:
        return spark_aggregate_by_key(a, j->v, zero, &add, &combine, env, n->partitions);
    case COMBINE_BY_KEY:
        return spark_combine_by_key(a, &create, &add, &combine, env, n->partitions);
    case FOLD_BY_KEY:
        return spark_fold_by_key(a, j->v, zero, &combine, env, n->partitions);
    default:
        return spark_reduce_by_key(a, &combine, env, n->partitions);
    }
}

/* join_all: with one row a key on the right, or the rows would multiply. */
static spark_rdd *join_all(const job *j, const node *n, spark_rdd *a, spark_rdd *other)
{
    const spark_join_def f = { "joined", j->k, j->v, j->v, j->v, 0, join_run };
    const spark_merge_def combine = combine_of(j->v);
    spark_rdd *right
        = spark_reduce_by_key(other, &combine, BIND(.in = j->v, .out = j->v), n->partitions);
    spark_rdd *rows = spark_join_map(a, right, (spark_join_kind)(n->extra % 4), &f,
        BIND(.in = j->v, .out = j->v, .key = j->k, .right = j->v), n->partitions);
    return to_pairs(j, rows, j->v, map_value, 0);
}

static spark_rdd *wide(const job *j, const built *b, const node *n, spark_rdd *a, spark_rdd *other)
{
    const spark_group_def group = { "grouped", j->k, j->v, j->v, 0, group_run };
    const spark_order *order = n->extra % 2 ? spark_order_desc : NULL;
    switch (n->op) {
    case GROUP_BY_KEY:
        return to_pairs(j, spark_group_by_key(a, n->partitions), NULL, map_groups, 1);
    case COGROUP:
        return to_pairs(j, spark_cogroup(2, (spark_rdd *[]) { a, other }, n->partitions), NULL,
            map_groups, 2);
    case GROUP_MAP:
        return to_pairs(j, spark_group_map_by_key(a, &group,
            BIND(.in = j->v, .out = j->v, .key = j->k), n->partitions), j->v, map_value, 0);
    case JOIN:
        return join_all(j, n, a, other);
    case SORT_BY_KEY:
        return spark_sort_by_key(a, order, n->partitions);
    case SORT_BY:
        return spark_sort_by(a, order, n->partitions);
    case SORT_WITHIN:
        return spark_repartition_and_sort_within_partitions(
            a, spark_hash_partitioner(b->sc, n->partitions), order);
    case PARTITION_BY:
        return placed(j, b, n, a);
    case DISTINCT:
        return spark_distinct(a, n->partitions);
    case SUBTRACT_BY_KEY:
        return spark_subtract_by_key(a, other, n->partitions);
    case SUBTRACT:
        return spark_subtract(a, other, n->partitions);
    case INTERSECTION:
        return spark_intersection(a, other, n->partitions);
    case REPARTITION:
        return spark_repartition(a, n->partitions);
    default:
        return combining(j, n, a);
    }
}

static void build(const job *j, built *b)
{
    for (int i = 0; i < j->n_nodes; i++) {
        const node *n = &j->nodes[i];
        spark_rdd *a = b->at[n->a], *other = b->at[n->b];
        if (n->op < MAP)
            b->at[i] = source(j, b, n);
        else if (n->op == CACHE)
            b->at[i] = spark_cache(a);
        else if (n->op == CHECKPOINT)
            b->at[i] = spark_checkpoint(a);
        else if (n->op == LOCAL_CHECKPOINT)
            b->at[i] = spark_local_checkpoint(a);
        else
            b->at[i] = n->op < REPARTITION ? narrow(j, b, i, a, other) : wide(j, b, n, a, other);
    }
}

/* ---- running it */

/* answers: a number for each action and each accumulator. */
typedef struct answers {
    spark_status status;
    uint64_t at[ACTIONS + NODES];
} answers;

static uint64_t digest_array(const job *j, const spark_array *rows)
{
    uint64_t h = rows->n;
    for (size_t i = 0; i < rows->n; i++) {
        const char *row = (const char *)rows->items + i * rows->type->size;
        h = h * 31 + (get_key(j, row) << 17 | get_value(j, row));
    }
    return h;
}

static spark_status digest_all(const job *j, spark_rdd *rdd, uint64_t *digest)
{
    const spark_partitions_def f
        = { "digest_pairs", j->pair, SPARK_TYPE(uint64_t), 0, digest_pairs };
    spark_array parts;
    const spark_status status = spark_collect(
        spark_map_partitions(rdd, &f, WITH(j, 0, NULL)), SPARK_TYPE(uint64_t), &parts);
    if (status != SPARK_OK)
        return status;
    *digest = parts.n;
    for (size_t i = 0; i < parts.n; i++)
        *digest = *digest * 31 + SPARK_ITEMS(uint64_t, &parts)[i];
    spark_array_free(&parts);
    return SPARK_OK;
}

static void remove_tree(const char *path)
{
    nftw(path, scratch_remove, 16, FTW_DEPTH | FTW_PHYS);
}

/* digest_text: the bytes of all parts. */
static uint64_t digest_text(void)
{
    uint64_t h = 5;
    char name[32];
    for (int p = 0;; p++) {
        snprintf(name, sizeof name, "out/part-%05d", p);
        FILE *file = fopen(name, "r");
        if (!file)
            return h + (access("out/_SUCCESS", F_OK) == 0);
        for (int c; (c = getc(file)) != EOF;)
            h = h * 31 + (uint64_t)c;
        h = h * 31 + 7;
        fclose(file);
    }
}

static spark_status saved(const job *j, const built *b, const act *a, uint64_t *digest)
{
    spark_rdd *rdd = b->at[a->node];
    spark_status status = a->verb == SAVE_TEXT ? spark_save_as_text_file(rdd, "out")
                                               : spark_save_as_object_file(rdd, "out");
    const bool there = access("out", F_OK) == 0;
    if (status != SPARK_OK && there && !j->leaves)
        wrong(j, "a failed save has left its directory");
    if (status == SPARK_OK && a->verb == SAVE_TEXT)
        *digest = digest_text();
    else if (status == SPARK_OK)
        status = digest_all(j, spark_object_file(b->sc, "out", j->pair), digest);
    remove_tree("out");
    return status;
}

/* iterated: row by row, as far as it goes. */
static spark_status iterated(const job *j, spark_rdd *rdd, uint64_t *digest)
{
    spark_local_iterator *rows = spark_to_local_iterator(rdd, NULL);
    for (const void *row; (row = spark_local_next_(rows));)
        *digest = *digest * 31 + (get_key(j, row) << 17 | get_value(j, row));
    return spark_local_iterator_status(rows);
}

/* looked_up: the values of the most frequent key. */
static spark_status looked_up(const job *j, spark_rdd *rdd, uint64_t *digest)
{
    spark_array rows;
    const spark_status status = spark_lookup(rdd, j->k, shape_value(j->k, 0), NULL, &rows);
    if (status != SPARK_OK)
        return status;
    *digest = rows.n;
    for (size_t i = 0; i < rows.n; i++)
        *digest = *digest * 31 + shape_get(j->v, (const char *)rows.items + i * j->v->size);
    spark_array_free(&rows);
    return SPARK_OK;
}

static spark_status aggregated(const job *j, spark_rdd *rdd, bool tree, spark_array *rows)
{
    const spark_merge_def add = add_of(j->v, j->v), combine = combine_of(j->v);
    const spark_env *env = BIND(.in = j->v, .out = j->v);
    const void *zero = shape_value(j->v, 0);
    rdd = spark_values(rdd);
    return tree ? spark_tree_aggregate(rdd, j->v, zero, &add, &combine, env, 2, rows)
                : spark_fold(rdd, j->v, zero, &combine, env, rows);
}

static spark_status taken(const job *j, const built *b, const act *a, uint64_t *digest)
{
    spark_rdd *rdd = b->at[a->node];
    spark_array rows = { 0 };
    spark_status status;
    if (a->verb == TAKE)
        status = spark_take(rdd, a->n, NULL, &rows);
    else if (a->verb == TOP)
        status = spark_take_ordered(rdd, a->n, NULL, NULL, &rows);
    else if (a->verb == TAKE_SAMPLE)
        status = spark_take_sample(rdd, a->n % 2, a->n, a->n, NULL, &rows);
    else if (a->verb == COUNT_BY_KEY)
        status = spark_count_by_key(rdd, NULL, &rows);
    else
        status = aggregated(j, rdd, a->verb == TREE, &rows);
    if (status != SPARK_OK)
        return status;
    if (a->verb == REDUCE || a->verb == TREE)
        *digest = shape_get(j->v, rows.items);
    else if (a->verb != COUNT_BY_KEY)
        *digest = digest_array(j, &rows);
    for (size_t i = 0; a->verb == COUNT_BY_KEY && i < rows.n; i++) {
        const char *row = (const char *)rows.items + i * rows.type->size;
        int64_t n;
        memcpy(&n, row + rows.type->fields[1].offset, sizeof n);
        *digest = *digest * 31 + (get_key(j, row) << 20) + (uint64_t)n;
    }
    spark_array_free(&rows);
    return SPARK_OK;
}

static spark_status do_act(const job *j, const built *b, const act *a, uint64_t *digest)
{
    const spark_foreach_def each = { "count_pairs", j->pair, 0, count_pairs };
    const spark_accumulator *sum;
    spark_status status;
    int64_t n = 0;
    switch (a->verb) {
    case ALL:
        return digest_all(j, b->at[a->node], digest);
    case COUNT:
        status = spark_count(b->at[a->node], &n);
        *digest = (uint64_t)n;
        return status;
    case EACH:
        sum = spark_counter(b->sc, NULL);
        status = spark_foreach(b->at[a->node], &each, WITH(j, 0, sum));
        *digest = (uint64_t)spark_accumulator_value(sum);
        return status;
    case ASYNC:
        status = spark_future_count(spark_count_async(b->at[a->node]), &n);
        *digest = (uint64_t)n;
        return status;
    case ITERATE:
        return iterated(j, b->at[a->node], digest);
    case LOOK_UP:
        return looked_up(j, b->at[a->node], digest);
    case SAVE_TEXT:
    case SAVE_OBJECTS:
        return saved(j, b, a, digest);
    default:
        return taken(j, b, a, digest);
    }
}

/* takes: a take ends partitions early, after as many rows as a batch happens to have. */
static bool takes(const job *j)
{
    bool found = false;
    for (int i = 0; i < j->n_acts; i++)
        found = found || j->acts[i].verb == TAKE;
    return found;
}

/* perform: builds the job on the context and does what is to be done with it. */
static answers perform(const job *j, spark_context *sc, bool first)
{
    SPARK_SCOPED(sc);
    answers all = { .status = SPARK_OK };
    built b = { .sc = sc, .first = first };
    all.status = spark_set_checkpoint_dir(sc, "kept");
    if (all.status != SPARK_OK)
        return all;
    build(j, &b);
    for (int i = 0; i < j->n_acts && all.status == SPARK_OK; i++)
        all.status = do_act(j, &b, &j->acts[i], &all.at[i]);
    for (int i = 0; i < j->n_nodes; i++)
        if (b.counters[i] && !takes(j))
            all.at[ACTIONS + i] = (uint64_t)spark_accumulator_value(b.counters[i]);
    return all;
}

/* ---- one seed */

static char running[64];

static void hangs(int signal)
{
    (void)signal;
    const ssize_t written = write(STDERR_FILENO, running, strlen(running));
    (void)written;
    abort();
}

static void compare(const job *j, const answers *want, const answers *have, const char *when)
{
    char text[100];
    for (int i = 0; i < ACTIONS + NODES; i++)
        if (want->at[i] != have->at[i]) {
            snprintf(text, sizeof text, "%s: %s %d: %llx, undisturbed %llx", when,
                i < ACTIONS ? "action" : "the accumulator of node", i < ACTIONS ? i : i - ACTIONS,
                (unsigned long long)have->at[i], (unsigned long long)want->at[i]);
            wrong(j, text);
        }
    if (atomic_load(&shape_broken) != 0 || atomic_load(&shape_misplaced) != 0)
        wrong(j, "values that are not whole, or where their type may not stand");
}

static void empty_directories(void)
{
    static const char *const made[] = { "out", "kept", "local" };
    for (size_t i = 0; i < LENGTH(made); i++)
        remove_tree(made[i]);
    assert_int_equal(mkdir("local", 0777), 0);
}

/* excused: an error that what was drawn explains. */
static bool excused(const job *j, spark_status status, spark_context *sc)
{
    if (j->conf.memory_bytes > 0 && status == SPARK_ENOMEM)
        return true;
    return j->loses || (!j->heals && spark_faults_struck(sc) > 0);
}

/* grows: whether the job leaves more behind each time. What a thread keeps for its next task
 * depends on how large batches were, but not on how often they came. */
static bool grows(const job *j, spark_context *sc)
{
    uint64_t before = spark_memory_bytes(sc, NULL);
    if (before < KEPT_BYTES * (uint64_t)(spark_context_threads(sc) + 1))
        return false;
    for (int i = 0; i < 8; i++) {
        const spark_status status = perform(j, sc, false).status;
        const uint64_t after = spark_memory_bytes(sc, NULL);
        if (status == SPARK_OK && after <= before)
            return false;
        before = after;
    }
    return true;
}

static uint64_t n_errors, n_struck; /* runs that end so, and in which calls fail */

static void disturbed(const job *j, const answers *want)
{
    const int files = oracle_entries("/proc/self/fd");
    spark_context *sc = oracle_open_conf(&j->conf);
    const bool works = spark_context_threads(sc) > 0;
    answers have = perform(j, sc, false);
    n_struck += spark_faults_struck(sc) > 0;
    n_errors += have.status != SPARK_OK;
    if (have.status == SPARK_OK)
        compare(j, want, &have, "disturbed");
    else if (!excused(j, have.status, sc))
        wrong(j, "an error that nothing explains");
    else if (spark_last_error()->code != have.status || !*spark_last_error()->message)
        wrong(j, "an error without a message");
    spark_faults_enable(sc, false);
    have = perform(j, sc, false);
    if (works && have.status == SPARK_OK)
        compare(j, want, &have, "afterwards");
    else if (works && !(j->conf.memory_bytes > 0 && have.status == SPARK_ENOMEM))
        wrong(j, "the context is not usable afterwards");
    if (works && !j->conf.check && grows(j, sc))
        wrong(j, "memory is not given back");
    oracle_close(sc);
    if (oracle_entries("/proc/self/fd") != files)
        wrong(j, "a descriptor stays open");
    if (!j->leaves && oracle_entries("local") != 2)
        wrong(j, "something is left in the local directory");
}

static uint64_t first_seed = 1;
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
static uint64_t runs = 100;
#elif defined __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
static uint64_t runs = 100;
#else
static uint64_t runs = 1000;
#endif
#else
static uint64_t runs = 1000;
#endif
static bool verbose;

static void one_seed(uint64_t seed)
{
    job j;
    snprintf(running, sizeof running, "CHAOS_SEED=%llu hangs\n", (unsigned long long)seed);
    alarm(SECONDS);
    draw(&j, seed);
    if (verbose)
        describe(&j);
    empty_directories();
    spark_context *sc = oracle_open_conf(&(spark_conf) { .threads = 1, .local_dir = "local" });
    const answers want = perform(&j, sc, true);
    if (want.status != SPARK_OK)
        wrong(&j, "fails undisturbed");
    oracle_close(sc);
    empty_directories();
    disturbed(&j, &want);
    remove_tree("objects");
    shape_free_all();
    alarm(0);
}

static void make_inputs(void)
{
    char name[32];
    assert_int_equal(mkdir("in", 0777), 0);
    for (int f = 0; f < 2; f++) {
        snprintf(name, sizeof name, "in/a%d.txt", f);
        FILE *to = fopen(name, "w");
        assert_non_null(to);
        for (int i = 0; i < TEXT_LINES; i++)
            fprintf(to, "line %d of file %d, word%d\n", i, f, i % 7);
        assert_int_equal(fclose(to), 0);
    }
}

static void test_chaos__disturbed_jobs_give_the_same_bytes_or_an_error(void **state)
{
    (void)state;
    signal(SIGALRM, hangs);
    make_inputs();
    for (uint64_t seed = first_seed; seed < first_seed + runs; seed++)
        one_seed(seed);
    print_message("    %llu runs: calls fail in %llu, %llu end with an error\n",
        (unsigned long long)runs, (unsigned long long)n_struck, (unsigned long long)n_errors);
    if (runs >= 100) /* else the plans do not say what they should */
        assert_true(n_struck > runs / 20 && n_errors > runs / 100 && n_errors < runs / 2);
}

static int leave(void **state)
{
    shape_free_all();
    return file_leave(state);
}

int main(void)
{
    const char *seed = getenv("CHAOS_SEED"), *many = getenv("CHAOS_RUNS");
    if (seed) {
        first_seed = strtoull(seed, NULL, 10);
        runs = many ? strtoull(many, NULL, 10) : 1;
        verbose = !many;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            test_chaos__disturbed_jobs_give_the_same_bytes_or_an_error, file_enter, leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
