/* SPDX-License-Identifier: Apache-2.0 */
/* The first rows of each partition of a window, where no others are wanted: a step before the shuffle lets go of rows
 * that have enough others of their partition of the window before them. Rows that are equal keep their order, so what
 * is sorted then begins as it would have done.
 *
 * The first rows are kept as they come; when these are many they go on, and others begin. When that is depends on
 * batches, which no result shows: what is let go of is behind others in any case. */
#include "base/prefetch.h"
#include "rdd/verb.h"
#include "shuffle/table.h"
#include "sql/exec/move.h"
#include "sql/exec/taker.h"
#include "sql/exec/window.h"

enum { WINDOW_BYTES = 24 * 1024 * 1024, RAW_WINDOWS = 8, AHEAD = 16 };

typedef struct limit_rdd {
    spark_rdd rdd;
    spk_query *query;
    const spk_form *pair, *part; /* part: the keys of the window's partitions, which are the first of the pair */
    const spk_ordering *order;   /* of the rows of a partition */
    size_t n_keys;
    uint32_t first_at; /* of a group, in the table's rows */
    uint64_t most;
    bool ties; /* equals of the last one are kept as well */
} limit_rdd;

typedef struct entry {
    uint64_t prefix;
    char *row;
} entry;

/* group: what is kept of a partition, in its order. bound: the prefix of the last one, where there are enough; last:
 * where those begin that are equal to the last one. */
typedef struct group {
    uint64_t bound;
    entry *at;
    uint32_t n, room, last;
} group;

static const group empty = { .bound = UINT64_MAX };

typedef struct retired {
    struct retired *next;
    spk_arena kept;
} retired;

typedef struct limit_state {
    const char *given; /* the pairs of a batch, where they come as rows */
    spk_arena *arenas;
    spk_table table;
    spk_found found;
    spk_arena kept;    /* rows and entries */
    retired *retired;  /* what it was, where rows that waited pointed to it */
    char *parts, *rows, *picked; /* of a batch: partition keys; pairs; of these what may be kept */
    uint64_t *prefixes;
    uint16_t at[SPK_SQL_BATCH], places[SPK_SQL_BATCH];
    uint64_t seen, raw_left; /* rows of this window; rows that are passed on */
    spk_out out;
} limit_state;

static void end_state(void *data)
{
    limit_state *s = data;
    spk_table_fini(&s->table);
    spk_arena_fini(&s->kept);
    for (retired *r = s->retired; r; r = r->next)
        spk_arena_fini(&r->kept);
}

static SPK_COLD bool allocate(const limit_rdd *r, limit_state *s, spark_task *task)
{
    spk_arena *keep = spk_keep_of(task);
    const size_t size = r->pair->layout->size;
    s->parts = spk_arena_alloc(keep, SPK_SQL_BATCH * (size_t)r->part->layout->size, 64);
    s->rows = spk_arena_alloc(keep, SPK_SQL_BATCH * size, 64);
    s->picked = spk_arena_alloc(keep, SPK_SQL_BATCH * size, 64);
    s->prefixes = spk_arena_alloc(keep, SPK_SQL_BATCH * sizeof *s->prefixes, 64);
    s->found.hashes = spk_arena_alloc(keep, SPK_SQL_BATCH * sizeof *s->found.hashes, 64);
    s->found.rows = spk_arena_alloc(keep, SPK_SQL_BATCH * sizeof *s->found.rows, 64);
    s->found.hits = spk_arena_alloc(keep, SPK_SQL_BATCH * sizeof *s->found.hits, 64);
    return s->parts && s->rows && s->picked && s->prefixes && s->found.hashes && s->found.rows
        && s->found.hits
        && spk_table_init(&s->table, task->heap, r->part->layout, r->first_at + sizeof(group), 0, false);
}

static SPK_COLD bool open_limit(spk_pipe *pipe, spk_op *op)
{
    limit_state *s = spk_arena_alloc(spk_keep_of(pipe->task), sizeof *s, 64);
    if (s) {
        memset(s, 0, sizeof *s);
        s->arenas = spk_step_arenas(pipe->task);
    }
    if (!s || !s->arenas || !allocate(SPK_NODE(limit_rdd, op->rdd), s, pipe->task)) {
        spk_task_nomem(pipe->task);
        return false;
    }
    spk_arena_init(&s->kept, pipe->task->heap);
    spark_defer(pipe->task, end_state, s);
    op->state = s;
    return !spk_task_failed(pipe->task);
}

/* ---- windows of what is kept */

static group *group_at(const limit_rdd *r, const limit_state *s, uint32_t i)
{
    return (group *)(void *)(spk_table_row(&s->table, i) + r->first_at);
}

/* let_go: what was kept has gone on; of what still waits to, the memory stays. */
static bool let_go(const limit_rdd *r, limit_state *s, spark_task *task)
{
    spk_table_clear(&s->table);
    if (!r->pair->layout->views || spk_emitter_pass(&s->out.head)) {
        spk_recycle(task, &s->kept);
        return true;
    }
    retired *old = spk_arena_alloc(spk_keep_of(task), sizeof *old, 16);
    if (!old) {
        spk_task_nomem(task);
        return false;
    }
    *old = (retired) { s->retired, s->kept };
    s->retired = old;
    spk_arena_init(&s->kept, task->heap);
    return true;
}

/* fetch_kept: what of groups will be read soon: of one what is kept, of one before it the rows. */
static void fetch_kept(const limit_rdd *r, const limit_state *s, uint32_t i)
{
    if (i + AHEAD < s->table.n)
        spk_prefetch(group_at(r, s, i + AHEAD)->at);
    if (i + AHEAD / 2 >= s->table.n)
        return;
    const group *g = group_at(r, s, i + AHEAD / 2);
    for (uint32_t k = 0; k < g->n && k < AHEAD; k++)
        spk_prefetch(g->at[k].row);
}

/* flush: what is kept goes on. Where little was let go of, the next rows are passed on as they come. */
static bool flush(const limit_rdd *r, limit_state *s, spark_task *task)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < s->table.n; i++) {
        const group *g = group_at(r, s, i);
        n += g->n;
        fetch_kept(r, s, i);
        for (uint32_t k = 0; k < g->n; k++)
            if (!spark_emit_(&s->out.head, g->at[k].row, r->pair->layout->size))
                return false;
    }
    if (n > s->seen / 4 * 3)
        s->raw_left = RAW_WINDOWS * s->seen;
    s->seen = 0;
    return let_go(r, s, task);
}

/* ---- keeping */

static int compare(const limit_rdd *r, const entry *a, uint64_t prefix, const char *row)
{
    return a->prefix != prefix ? (a->prefix < prefix ? -1 : 1)
        : r->order->exact      ? 0
                               : spk_ordering_compare(r->order, a->row, row);
}

/* place_of: where a row would stand; UINT32_MAX: there are enough before it. */
static uint32_t place_of(const limit_rdd *r, const group *g, uint64_t prefix, const char *row)
{
    uint32_t i = g->n;
    int c = -1;
    while (i > 0 && (c = compare(r, &g->at[i - 1], prefix, row)) > 0)
        i--;
    const bool enough = i == g->n && g->n >= r->most;
    return enough && !(r->ties && c == 0) ? UINT32_MAX : i;
}

static bool grow(limit_state *s, group *g)
{
    const uint32_t room = g->room ? g->room * 2 : 2;
    entry *at = spk_arena_alloc(&s->kept, room * sizeof *at, 8);
    if (!at)
        return false;
    if (g->n)
        memcpy(at, g->at, g->n * sizeof *at);
    g->at = at;
    g->room = room;
    return true;
}

/* settle: where there are more than enough now, the last ones go. */
static void settle(const limit_rdd *r, group *g)
{
    if (!r->ties && g->n > r->most) {
        g->n--;
    } else if (r->ties && g->last >= r->most) {
        g->n = g->last;
        for (g->last = g->n - 1; g->last > 0;) {
            const entry *e = &g->at[g->last];
            if (compare(r, e - 1, e->prefix, e->row) != 0)
                break;
            g->last--;
        }
    }
    if (g->n >= r->most)
        g->bound = g->at[g->n - 1].prefix;
}

/* add: a row at its place. */
static bool add(const limit_rdd *r, limit_state *s, group *g, uint32_t i, uint64_t prefix, const char *row)
{
    const bool full = !r->ties && g->n == r->most;
    if (!full && g->n == g->room && !grow(s, g))
        return false;
    char *copy = spk_window_keep_pair(r->pair->layout, &s->kept, full ? g->at[g->n - 1].row : NULL, row);
    if (!copy)
        return false;
    if (i == g->n)
        g->last = i > 0 && r->ties && compare(r, &g->at[i - 1], prefix, row) == 0 ? g->last : i;
    else
        g->last++;
    g->n -= full;
    memmove(g->at + i + 1, g->at + i, (g->n - i) * sizeof *g->at);
    g->at[i] = (entry) { prefix, copy };
    g->n++;
    settle(r, g);
    return true;
}

/* ---- batches */

/* store: columns from..to of these rows, as pairs side by side. */
static bool store(
    const limit_rdd *r, const limit_state *s, spk_vectors *c, size_t from, size_t to, spk_sql_rows rows, char *out)
{
    const size_t size = r->pair->layout->size;
    for (uint32_t k = 0; s->given && k < rows.n; k++)
        memcpy(out + k * size, s->given + spk_sql_row(rows, k) * size, size);
    if (s->given)
        return true;
    for (size_t i = from; i < to; i++) {
        const spk_sql_input *in = c->give(c, i, rows);
        if (!in)
            return false;
        const spk_sql_vector v = { in->ptr, in->stride, in->valid };
        spk_store_column(&r->pair->slots[i], &v, rows, out, size);
    }
    return true;
}

/* pass_on: all rows. */
static bool pass_on(const limit_rdd *r, limit_state *s, spk_vectors *c)
{
    const size_t size = r->pair->layout->size;
    bool more = true;
    memset(s->rows, 0, c->rows.n * size);
    if (!store(r, s, c, 0, r->pair->n, c->rows, s->rows))
        return false;
    for (uint32_t k = 0; k < c->rows.n && more; k++)
        more = spark_emit_(&s->out.head, s->rows + k * size, size);
    s->raw_left -= c->rows.n < s->raw_left ? c->rows.n : s->raw_left;
    return more;
}

/* find: the groups of the rows, and their prefixes. */
static bool find(const limit_rdd *r, limit_state *s, spark_task *task, spk_vectors *c)
{
    const size_t size = r->pair->layout->size, part = r->part->layout->size;
    const spk_value_move move = { .to = r->first_at, .size = sizeof empty, .zero = &empty };
    const uint32_t n = c->rows.n;
    memset(s->rows, 0, n * size);
    memset(s->parts, 0, n * part);
    if (!store(r, s, c, 0, r->n_keys, c->rows, s->rows))
        return false;
    for (uint32_t k = 0; k < n; k++)
        for (size_t i = 0; i < r->part->n; i++)
            spk_slot_copy(&r->pair->slots[i], s->rows + k * size, &r->part->slots[i], s->parts + k * part);
    spk_ordering_prefixes(r->order, s->rows, size, n, s->prefixes);
    if (spk_table_find(&s->table, s->parts, part, n, NULL, &move, UINT32_MAX, UINT64_MAX, &s->found) == n)
        return true;
    spk_task_nomem(task);
    return false;
}

/* pick: rows that may have to be kept, whole: their places in the batch in s->places. What is kept of their groups
 * lies all over memory, and is fetched ahead. */
static uint32_t pick(const limit_rdd *r, limit_state *s, spk_vectors *c)
{
    const size_t size = r->pair->layout->size;
    const uint32_t n = c->rows.n;
    uint32_t m = 0;
    for (uint32_t k = 0; k < n; k++) {
        const group *g = group_at(r, s, s->found.rows[k]);
        if (k + AHEAD < n)
            spk_prefetch(group_at(r, s, s->found.rows[k + AHEAD]));
        s->places[m] = (uint16_t)k;
        s->at[m] = (uint16_t)spk_sql_row(c->rows, k);
        if (s->prefixes[k] > g->bound)
            continue;
        spk_prefetch(g->at);
        m++;
    }
    memset(s->picked, 0, m * size);
    for (uint32_t k = 0; k < m; k++)
        memcpy(s->picked + k * size, s->rows + s->places[k] * size, r->pair->layout->value_offset);
    return m == 0 || store(r, s, c, r->n_keys, r->pair->n, (spk_sql_rows) { s->at, m }, s->picked) ? m : UINT32_MAX;
}

/* fetch: rows that those that are picked may be written over. */
static void fetch(const limit_rdd *r, const limit_state *s, uint32_t m)
{
    for (uint32_t k = 0; k < m; k++) {
        const group *g = group_at(r, s, s->found.rows[s->places[k]]);
        if (g->n >= r->most)
            spk_prefetch(g->at[g->n - 1].row);
    }
}

static bool take_batch(const limit_rdd *r, limit_state *s, spark_task *task, spk_vectors *c)
{
    const size_t size = r->pair->layout->size;
    if (s->raw_left)
        return pass_on(r, s, c);
    if (s->kept.bytes + (uint64_t)s->table.n * s->table.row_size + s->table.string_bytes > WINDOW_BYTES
        && !flush(r, s, task))
        return false;
    s->seen += c->rows.n;
    const uint32_t m = find(r, s, task, c) ? pick(r, s, c) : UINT32_MAX;
    if (m != UINT32_MAX)
        fetch(r, s, m);
    for (uint32_t k = 0; m != UINT32_MAX && k < m; k++) {
        const char *row = s->picked + k * size;
        const uint64_t prefix = s->prefixes[s->places[k]];
        group *g = group_at(r, s, s->found.rows[s->places[k]]);
        const uint32_t i = prefix <= g->bound ? place_of(r, g, prefix, row) : UINT32_MAX;
        if (i != UINT32_MAX && !add(r, s, g, i, prefix, row)) {
            spk_task_nomem(task);
            return false;
        }
    }
    return m != UINT32_MAX;
}

/* ---- the step */

static bool begin(spk_pipe *pipe, spk_op *op)
{
    const limit_rdd *r = SPK_NODE(limit_rdd, op->rdd);
    limit_state *s = op->state;
    return spk_out_open(&s->out, pipe, (size_t)(op - pipe->ops) + 1, r->pair->layout->size, s->arenas);
}

static bool take(spk_pipe *pipe, spk_op *op, spk_vectors *c)
{
    limit_state *s = op->state;
    const bool more = take_batch(SPK_NODE(limit_rdd, op->rdd), s, pipe->task, c);
    c->held = s->out.head.next != s->out.buffer;
    return more && !s->out.head.closed;
}

static void end(spk_pipe *pipe, spk_op *op)
{
    limit_state *s = op->state;
    spk_batch batch;
    spk_out_close(&s->out, &batch);
    if (batch.n && !spk_task_failed(pipe->task))
        (void)spk_pipe_push(pipe, (size_t)(op - pipe->ops) + 1, batch);
}

static void run_limit(spk_pipe *pipe, spk_op *op, spk_batch *batch)
{
    const limit_rdd *r = SPK_NODE(limit_rdd, op->rdd);
    limit_state *s = op->state;
    const spk_batch in = *batch;
    bool more = true;
    batch->n = 0;
    if (!begin(pipe, op))
        return;
    for (size_t i = 0; i < in.n && more && !spk_task_failed(pipe->task); i += SPK_SQL_BATCH) {
        const uint32_t n = in.n - i < SPK_SQL_BATCH ? (uint32_t)(in.n - i) : SPK_SQL_BATCH;
        spk_vectors all = { .n = n, .rows = { NULL, n } };
        s->given = in.rows + i * r->pair->layout->size;
        more = take(pipe, op, &all);
    }
    spk_out_close(&s->out, batch);
}

static void finish_limit(spk_pipe *pipe, spk_op *op, spk_batch *batch)
{
    limit_state *s = op->state;
    if (!begin(pipe, op))
        return;
    (void)flush(SPK_NODE(limit_rdd, op->rdd), s, pipe->task);
    spk_out_close(&s->out, batch);
}

static void release_limit(spark_rdd *rdd)
{
    if (SPK_NODE(limit_rdd, rdd)->query)
        spk_query_unref(SPK_NODE(limit_rdd, rdd)->query);
}

static const spk_class limit_class = { .name = "MapPartitionsRDD",
    .open = open_limit,
    .run = run_limit,
    .finish = finish_limit,
    .release = release_limit };

const spk_taker *spk_window_limit_taker(const spark_rdd *rdd)
{
    static const spk_taker taker = { begin, take, end };
    return rdd->class == &limit_class ? &taker : NULL;
}

/* ---- making it */

/* order_of: by the keys behind those of the partition. NULL: the query's error. */
static SPK_COLD const spk_ordering *order_of(spk_query *q, const spk_window_rdd *w)
{
    spark_order_key *keys = NULL;
    size_t n = 0;
    spk_failure failure;
    const spark_type *type = w->keys->layout->type;
    spk_ordering *ordering = spk_arena_alloc(&q->arena, sizeof *ordering, 16);
    for (size_t i = w->n_partition; i < w->keys->n; i++)
        SPK_ADD(&q->analyzer, keys, n,
            (spark_order_key) { type->fields[i].name, w->keys->slots[i].offset, w->descending[i] });
    const spark_order order = { "window", type, n, keys };
    if (ordering && !spk_sql_failed(&q->error)
        && spk_ordering_make(ordering, q->sc->types, w->keys->layout, &order, &failure) == SPARK_OK)
        return ordering;
    spk_sql_nomem(&q->error);
    return NULL;
}

SPK_COLD spark_rdd *spk_exec_window_limit(
    spk_query *q, spark_rdd *pairs, const spk_plan *plan, const spk_form *pair, const spk_window_rdd *w)
{
    spk_column *columns = NULL;
    size_t n = 0;
    spk_verb v;
    bool made;
    for (size_t i = 0; i < w->n_partition; i++)
        SPK_ADD(&q->analyzer, columns, n, (spk_column) { w->keys->slots[i].type, true });
    const spk_form *part = spk_form_of(q, columns, n, NULL);
    const spk_ordering *order = part ? order_of(q, w) : NULL;
    if (!order)
        return NULL;
    spk_verb_begin(&v, q->analyzer.site, "windowLimit", NULL, 1, &pairs, NULL);
    pairs = spk_verb_make(&v, &limit_class, sizeof(limit_rdd), pair->layout, &made);
    if (made) {
        limit_rdd *r = SPK_NODE(limit_rdd, pairs);
        r->query = q;
        r->pair = pair;
        r->part = part;
        r->order = order;
        r->n_keys = w->keys->n;
        r->first_at = spk_table_room(part->layout->size, _Alignof(group));
        r->most = (uint64_t)plan->limit;
        r->ties = plan->with_ties;
        spk_query_ref(q);
    }
    return pairs;
}
