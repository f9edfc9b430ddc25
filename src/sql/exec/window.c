/* SPDX-License-Identifier: Apache-2.0 */
/* Window functions: rows are placed by the partition keys and sorted by these and the order keys; then a
 * step takes one partition of the window after the other, whose rows it holds, computes every function
 * over them and gives them on. Arguments are columns by then. */
#include <spark/keyed.h>
#include <spark/sort.h>
#include <stdlib.h>

#include "base/hash.h"
#include "rdd/verb.h"
#include "sql/exec/query.h"

enum { PARTITIONS = 16 };

typedef struct window_rdd {
    spark_rdd rdd;
    spk_query *query;
    const spk_plan *plan;
    const spk_form *keys;  /* partition, then order columns */
    const spk_form *rows;  /* input columns, then arguments */
    const spk_form *out;
    size_t n_partition, n_in;
    size_t order_key; /* the column of the first order key */
    bool *descending; /* of each key */
    uint32_t value_offset;
    const spk_layout **key_layouts, **out_layouts;
    size_t *first_arg; /* the column of each function's first argument; then its filter, edges */
} window_rdd;

typedef struct window_state {
    spk_arena *held;    /* two: what rows of groups point to */
    spk_arena *arenas;  /* of the emitter */
    int now;            /* which of held the current group is in */
    char **rows;        /* pairs */
    size_t n, room;
    spk_arena list[1];  /* of `rows` */
    spk_arena work;     /* results of a group */
    char *result;       /* values of one function */
} window_state;

/* ---- comparing keys */

static int compare_key(const window_rdd *w, size_t k, const char *a, const char *b)
{
    const uint32_t offset = w->keys->slots[k].offset;
    return spk_value_compare(w->key_layouts[k], a + offset, b + offset);
}

static bool same_keys(const window_rdd *w, size_t from, size_t to, const char *a, const char *b)
{
    for (size_t k = from; k < to; k++)
        if (compare_key(w, k, a, b) != 0)
            return false;
    return true;
}

/* ---- frames */

typedef struct group {
    const window_rdd *w;
    spark_task *task;
    window_state *s;
    char **rows;
    size_t n;
    const spk_plan_function *f;
    size_t column; /* of its first argument in w->rows */
    size_t *peers; /* where the peers of each row end */
} group;

static const char *value_row(const group *g, size_t i)
{
    return g->rows[i] + g->w->value_offset;
}

static bool peers_of(group *g)
{
    g->peers = spk_arena_alloc(&g->s->work, (g->n + 1) * sizeof *g->peers, 8);
    if (!g->peers) {
        spk_task_nomem(g->task);
        return false;
    }
    size_t end = g->n;
    for (size_t i = g->n; i-- > 0;) {
        if (i + 1 < g->n && !same_keys(g->w, g->w->n_partition, g->w->keys->n, g->rows[i], g->rows[i + 1]))
            end = i + 1;
        g->peers[i] = end;
    }
    return true;
}

static int64_t constant_of(const spk_sql_expr *e)
{
    int64_t value = 0;
    if (!e || e->kind != SPK_SQL_CONSTANT || e->null)
        return 0;
    switch (e->type->size) {
    case 1:
        return *(const int8_t *)e->value;
    case 2:
        return *(const int16_t *)e->value;
    case 4: {
        int32_t narrow;
        memcpy(&narrow, e->value, sizeof narrow);
        return narrow;
    }
    case 8:
        memcpy(&value, e->value, sizeof value);
        return value;
    default:
        return 0;
    }
}

/* edge_slot: the column that holds the lower (0) or upper (1) edge of RANGE. */
static const spk_slot *edge_slot(const group *g, int which)
{
    size_t at = g->column + g->f->n_args + (g->f->filter != NULL);
    if (which == 1 && g->f->low)
        at++;
    return &g->w->rows->slots[at];
}

/* compare_edge: the order key of row k against an edge of row i, in the direction of the order. NULL keys
 * are only with each other. */
static int compare_edge(const group *g, size_t k, size_t i, const spk_slot *edge)
{
    const size_t key = g->w->order_key;
    const spk_slot *slot = &g->w->keys->slots[key];
    const bool a = spk_slot_present(slot, g->rows[k]), b = spk_slot_present(edge, value_row(g, i));
    const spk_plan_sort *sort = &g->w->plan->sort[0];
    if (!a || !b)
        return a == b ? 0 : (a != sort->nulls_last) ? 1 : -1;
    char left[64] = { 0 }, right[64] = { 0 };
    spk_slot to = *slot;
    to.offset = 0;
    to.value = spk_sql_slot_value(slot->type, slot->nullable);
    spk_slot_copy(slot, g->rows[k], &to, left);
    spk_slot_copy(edge, value_row(g, i), &to, right);
    const int order = spk_value_compare(g->w->key_layouts[key], left, right);
    return sort->descending ? -order : order;
}

static size_t clamp(const group *g, int64_t at)
{
    return at < 0 ? 0 : (uint64_t)at > g->n ? g->n : (size_t)at;
}

/* frame: rows *from up to *to, for row i; *from and *to are those of the row before. */
static void frame(const group *g, size_t i, size_t *from, size_t *to)
{
    const spk_plan_function *f = g->f;
    const int64_t here = (int64_t)i;
    switch (f->from) {
    case SPK_BOUND_UNBOUNDED_PRECEDING:
        *from = 0;
        break;
    case SPK_BOUND_CURRENT:
        *from = f->rows ? i : *from < i && g->peers[*from] <= i ? i : *from;
        break;
    case SPK_BOUND_UNBOUNDED_FOLLOWING:
        *from = g->n;
        break;
    default: {
        const int64_t by = constant_of(f->from_offset);
        if (f->rows)
            *from = clamp(g, f->from == SPK_BOUND_PRECEDING ? here - by : here + by);
        else
            while (*from < g->n && compare_edge(g, *from, i, edge_slot(g, 0)) < 0)
                ++*from;
    }
    }
    switch (f->to) {
    case SPK_BOUND_UNBOUNDED_PRECEDING:
        *to = 0;
        break;
    case SPK_BOUND_CURRENT:
        *to = f->rows ? i + 1 : g->peers[i];
        break;
    case SPK_BOUND_UNBOUNDED_FOLLOWING:
        *to = g->n;
        break;
    default: {
        const int64_t by = constant_of(f->to_offset);
        if (f->rows)
            *to = clamp(g, (f->to == SPK_BOUND_PRECEDING ? here - by : here + by) + 1);
        else
            while (*to < g->n && compare_edge(g, *to, i, edge_slot(g, 1)) <= 0)
                ++*to;
    }
    }
}

/* ---- aggregates over frames */

static bool take_rows(const group *g, char *state, size_t from, size_t to)
{
    const spk_sql_aggregate *a = g->f->aggregate;
    spk_sql_vector args[16];
    for (size_t i = from; i < to; i++) { /* a row at a time: rows lie anywhere */
        const char *row = value_row(g, i);
        if (g->f->filter) {
            const spk_slot *slot = &g->w->rows->slots[g->column + g->f->n_args];
            if (!spk_slot_present(slot, row) || !row[slot->value])
                continue;
        }
        uint8_t valid[16];
        for (uint32_t k = 0; k < a->n && k < 16; k++) {
            const spk_slot *slot = &g->w->rows->slots[g->column + k];
            valid[k] = spk_slot_present(slot, row);
            args[k] = (spk_sql_vector) { row + slot->value, 0, &valid[k] };
        }
        spk_sql_error error = { .condition = NULL };
        spk_sql_agg_frame f = { .aggregate = a, .args = args, .rows = { NULL, 1 }, .state = state,
            .arena = &g->s->work, .error = &error };
        if (!spk_sql_agg_update(&f)) {
            spk_query_task_fails(g->w->query, g->task, &error);
            return false;
        }
    }
    return true;
}

static void put_result(const group *g, size_t column, size_t i, const char *value, bool valid, char *out)
{
    const spk_slot *to = &g->w->out->slots[column];
    char *row = out + i * g->w->out->layout->size;
    if (to->nullable)
        row[to->offset] = valid;
    if (valid)
        memcpy(row + to->value, value, to->type->size);
}

/* own_value: what a value points to as a copy: the state it is of goes on. */
static bool own_value(const group *g, size_t column, char *value)
{
    const spk_layout *layout = g->w->out_layouts[column]->views ? g->w->out_layouts[column] : NULL;
    const spk_slot *slot = &g->w->out->slots[column];
    if (!layout)
        return true;
    char *row = spk_arena_alloc(&g->s->work, slot->size + 64, 64);
    const uint32_t at = slot->value - slot->offset;
    if (row) {
        memset(row, 0, slot->size);
        if (at)
            row[0] = 1;
        memcpy(row + at, value, slot->type->size);
        const size_t bytes = spk_value_bytes(layout, row);
        char *tail = spk_arena_alloc(&g->s->work, bytes + 1, 16);
        if (tail) {
            (void)spk_value_pack(layout, row, tail);
            memcpy(value, row + at, slot->type->size);
            return true;
        }
    }
    spk_task_nomem(g->task);
    return false;
}

/* ---- wide frames that slide
 *
 * A frame's state is made of two: of its rows below `middle`, one for each place where a frame may begin,
 * and of those from there on. When the frame has left the first part, the second one becomes it: each row is
 * taken in twice, however wide frames are. Sums of doubles may differ in their last digits from those that
 * are added up from the frame's first row on, which narrow frames are. */

enum { WIDE = 64 };

/* slides: aggregates whose states are small and may be copied. */
static bool slides(const group *g)
{
    static const char *const names[] = { "count", "sum", "avg", "mean", "min", "max", "try_sum", "try_avg", "first",
        "first_value", "last", "last_value", "any_value", "count_if", "bool_and", "bool_or", "every", "some", "any" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (spk_names_same(names[i], g->f->aggregate->name))
            return true;
    return false;
}

typedef struct sliding {
    char *front; /* front + k * size: rows k up to middle */
    char *back, *both;
    size_t size, middle, end;
} sliding;

static char *fresh_state(const group *g, char *state)
{
    memset(state, 0, g->f->aggregate->state->size);
    spk_sql_agg_init(g->f->aggregate, state);
    return state;
}

static bool join_states(const group *g, char *into, const char *from)
{
    spk_sql_error error = { .condition = NULL };
    if (spk_sql_agg_merge(g->f->aggregate, into, from, &g->s->work, &error))
        return true;
    spk_query_task_fails(g->w->query, g->task, &error);
    return false;
}

/* turn: the second part becomes the first one. */
static bool turn(const group *g, sliding *s, size_t from)
{
    for (size_t k = s->end; k-- > from;) {
        char *state = fresh_state(g, s->front + k * s->size);
        if (!take_rows(g, state, k, k + 1) || (k + 1 < s->end && !join_states(g, state, state + s->size)))
            return false;
    }
    s->middle = s->end;
    (void)fresh_state(g, s->back);
    return true;
}

/* move_to: takes in the rows up to `to`; the state of the whole frame is then in `both`. */
static bool move_to(const group *g, sliding *s, size_t from, size_t to)
{
    if (from > s->end) {
        s->middle = s->end = from;
        (void)fresh_state(g, s->back);
    }
    if (to > s->end) {
        if (!take_rows(g, s->back, s->end, to))
            return false;
        s->end = to;
    }
    if (from >= s->middle && !turn(g, s, from))
        return false;
    if (from < s->middle)
        memcpy(s->both, s->front + from * s->size, s->size);
    else
        (void)fresh_state(g, s->both);
    return join_states(g, s->both, s->back);
}

static void slide(const group *g, size_t column, size_t i, size_t from, size_t to, char *out)
{
    const spk_sql_aggregate *a = g->f->aggregate;
    const size_t size = (a->state->size + 15) / 16 * 16;
    sliding s = { .size = size, .middle = from, .end = from };
    s.front = g->n < SIZE_MAX / size - 4 ? spk_arena_alloc(&g->s->work, (g->n + 2) * size, 64) : NULL;
    char *value = spk_arena_alloc(&g->s->work, a->type->size + 64, 64);
    if (!s.front || !value) {
        spk_task_nomem(g->task);
        return;
    }
    s.back = fresh_state(g, s.front + g->n * size);
    s.both = s.back + size;
    for (bool first = true; i < g->n && !spk_task_failed(g->task); i++, first = false) {
        spk_sql_error error = { .condition = NULL };
        bool valid = true;
        if (!first)
            frame(g, i, &from, &to);
        if (!move_to(g, &s, from, to > from ? to : from))
            return;
        if (!spk_sql_agg_finish(a, s.both, value, &valid, &g->s->work, &error)) {
            spk_query_task_fails(g->w->query, g->task, &error);
            return;
        }
        if (valid && !own_value(g, column, value))
            return;
        put_result(g, column, i, value, valid, out);
    }
}

static void over_frames(const group *g, size_t column, char *out)
{
    const spk_sql_aggregate *a = g->f->aggregate;
    char *state = spk_arena_alloc(&g->s->work, a->state->size + 64, 64);
    char *value = spk_arena_alloc(&g->s->work, a->type->size + 64, 64);
    size_t from = 0, to = 0, done_from = 0, done_to = 0;
    bool valid = false, fresh = true;
    if (!state || !value) {
        spk_task_nomem(g->task);
        return;
    }
    for (size_t i = 0; i < g->n && !spk_task_failed(g->task); i++) {
        spk_sql_error error = { .condition = NULL };
        frame(g, i, &from, &to);
        const size_t end = to > from ? to : from;
        if (!fresh && from != done_from && end - from > WIDE && slides(g)) {
            slide(g, column, i, from, to, out);
            return;
        }
        if (fresh || from != done_from || end < done_to) {
            memset(state, 0, a->state->size);
            spk_sql_agg_init(a, state);
            done_from = done_to = from;
        } else if (end == done_to) {
            put_result(g, column, i, value, valid, out);
            continue;
        }
        fresh = false;
        if (!take_rows(g, state, done_to, end))
            return;
        done_to = end;
        valid = true;
        if (!spk_sql_agg_finish(a, state, value, &valid, &g->s->work, &error)) {
            spk_query_task_fails(g->w->query, g->task, &error);
            return;
        }
        if (valid && !own_value(g, column, value))
            return;
        put_result(g, column, i, value, valid, out);
    }
}

/* ---- ranking and values of other rows */

static void put_i32(const group *g, size_t column, size_t i, int64_t x, char *out)
{
    const int32_t value = (int32_t)x;
    put_result(g, column, i, (const char *)&value, true, out);
}

static void ntile(const group *g, size_t column, char *out)
{
    const int64_t buckets = constant_of(g->f->n_args ? g->f->args[0] : NULL);
    if (buckets < 1) {
        for (size_t i = 0; i < g->n; i++)
            put_i32(g, column, i, 1, out);
        return;
    }
    const int64_t n = (int64_t)g->n, small = n / buckets, larger = n % buckets;
    for (int64_t i = 0; i < n; i++) {
        const int64_t edge = larger * (small + 1);
        put_i32(g, column, (size_t)i, i < edge ? i / (small + 1) + 1 : larger + (i - edge) / small + 1, out);
    }
}

static void ranks(const group *g, size_t column, char *out)
{
    const char *name = g->f->name;
    size_t begin = 0;
    int64_t dense = 0;
    for (size_t i = 0; i < g->n; i++) {
        if (i == 0 || g->peers[i - 1] <= i) {
            begin = i;
            dense++;
        }
        double share;
        if (strcmp(name, "row_number") == 0) {
            put_i32(g, column, i, (int64_t)i + 1, out);
        } else if (strcmp(name, "rank") == 0) {
            put_i32(g, column, i, (int64_t)begin + 1, out);
        } else if (strcmp(name, "dense_rank") == 0) {
            put_i32(g, column, i, dense, out);
        } else {
            share = strcmp(name, "cume_dist") == 0 ? (double)g->peers[i] / (double)g->n
                : g->n > 1                        ? (double)begin / (double)(g->n - 1)
                                                  : 0.0;
            put_result(g, column, i, (const char *)&share, true, out);
        }
    }
}

static bool argument(const group *g, size_t i, size_t k, const char **value)
{
    const spk_slot *slot = &g->w->rows->slots[g->column + k];
    const char *row = value_row(g, i);
    *value = row + slot->value;
    return spk_slot_present(slot, row);
}

/* other_row: lag, lead: the row so many before or behind; of IGNORE NULLS, rows with a value alone count. */
static int64_t other_row(const group *g, size_t i, int64_t by)
{
    const char *value;
    const int step = by < 0 ? -1 : 1;
    int64_t at = (int64_t)i;
    if (!g->f->ignore_nulls)
        return by > (int64_t)g->n || by < -(int64_t)g->n ? -1 : at + by;
    for (int64_t left = by < 0 ? -by : by; left > 0;) {
        at += step;
        if (at < 0 || at >= (int64_t)g->n)
            return -1;
        left -= argument(g, (size_t)at, 0, &value);
    }
    return at;
}

static void shifted(const group *g, size_t column, char *out)
{
    const bool back = strcmp(g->f->name, "lag") == 0;
    for (size_t i = 0; i < g->n; i++) {
        const char *value = NULL;
        int64_t by = g->f->n_args > 1 ? constant_of(g->f->args[1]) : 1;
        const int64_t at = other_row(g, i, back ? -by : by);
        bool valid = false;
        if (at >= 0 && at < (int64_t)g->n)
            valid = argument(g, (size_t)at, 0, &value);
        else if (g->f->n_args > 2)
            valid = argument(g, i, 2, &value);
        put_result(g, column, i, value, valid, out);
    }
}

static void nth(const group *g, size_t column, char *out)
{
    const int64_t wanted = constant_of(g->f->args[1]);
    size_t from = 0, to = 0;
    for (size_t i = 0; i < g->n; i++) {
        const char *value = NULL;
        bool valid = false;
        frame(g, i, &from, &to);
        int64_t left = wanted;
        if (!g->f->ignore_nulls) {
            if (wanted > 0 && from + (uint64_t)wanted - 1 < to)
                valid = argument(g, from + (size_t)wanted - 1, 0, &value);
        } else {
            for (size_t k = from; k < to && left > 0; k++)
                if (argument(g, k, 0, &value) && --left == 0)
                    valid = true;
        }
        put_result(g, column, i, value, valid, out);
    }
}

static void compute(group *g, size_t column, char *out)
{
    if (g->f->aggregate)
        over_frames(g, column, out);
    else if (strcmp(g->f->name, "ntile") == 0)
        ntile(g, column, out);
    else if (strcmp(g->f->name, "lag") == 0 || strcmp(g->f->name, "lead") == 0)
        shifted(g, column, out);
    else if (strcmp(g->f->name, "nth_value") == 0)
        nth(g, column, out);
    else
        ranks(g, column, out);
}

/* ---- the step */

/* end_group: all rows of a partition of the window are there. */
static bool end_group(const window_rdd *w, window_state *s, spark_task *task, spk_out *out)
{
    const size_t size = w->out->layout->size;
    group g = { .w = w, .task = task, .s = s, .rows = s->rows, .n = s->n };
    if (s->n == 0)
        return true;
    char *rows = spk_arena_alloc(&s->work, s->n * size + 64, 64);
    if (!rows) {
        spk_task_nomem(task);
        return false;
    }
    memset(rows, 0, s->n * size);
    for (size_t i = 0; i < s->n; i++)
        for (size_t c = 0; c < w->n_in; c++)
            spk_slot_copy(&w->rows->slots[c], value_row(&g, i), &w->out->slots[c], rows + i * size);
    if (!peers_of(&g))
        return false;
    for (size_t f = 0; f < w->plan->n_functions && !spk_task_failed(task); f++) {
        g.f = &w->plan->functions[f];
        g.column = w->first_arg[f];
        compute(&g, w->n_in + f, rows);
    }
    bool more = !spk_task_failed(task);
    for (size_t i = 0; i < s->n && more; i++)
        more = spark_emit_(&out->head, rows + i * size, size);
    s->n = 0;
    return more;
}

static bool hold(const window_rdd *w, window_state *s, spark_task *task, const char *row)
{
    const spk_layout *pair = w->rdd.deps[0].rdd->layout;
    spk_arena *arena = &s->held[s->now];
    const size_t bytes = pair->views ? spk_value_bytes(pair, row) : 0;
    char *copy = spk_arena_alloc(arena, pair->size, pair->align);
    char *tail = bytes ? spk_arena_alloc(arena, bytes, 16) : copy;
    if (s->n == s->room) {
        const size_t room = s->room ? s->room * 2 : 64;
        char **grown = spk_arena_alloc(&s->list[0], room * sizeof *grown, 8);
        if (grown) {
            if (s->n)
                memcpy(grown, s->rows, s->n * sizeof *grown);
            s->rows = grown;
            s->room = room;
        }
    }
    if (!copy || !tail || s->n == s->room) {
        spk_task_nomem(task);
        return false;
    }
    memcpy(copy, row, pair->size);
    if (pair->views)
        (void)spk_value_pack(pair, copy, tail);
    s->rows[s->n++] = copy;
    return true;
}

static void end_arenas(void *data)
{
    window_state *s = data;
    spk_arena_fini(&s->list[0]);
    spk_arena_fini(&s->work);
}

static bool open_window(spk_pipe *pipe, spk_op *op)
{
    spk_arena *keep = spk_keep_of(pipe->task);
    window_state *s = spk_arena_alloc(keep, sizeof *s, 16);
    if (s) {
        memset(s, 0, sizeof *s);
        s->held = spk_step_arenas(pipe->task);
        s->arenas = spk_step_arenas(pipe->task);
    }
    if (!s || !s->held || !s->arenas) {
        spk_task_nomem(pipe->task);
        return false;
    }
    spk_arena_init(&s->list[0], pipe->task->heap);
    spk_arena_init(&s->work, pipe->task->heap);
    spark_defer(pipe->task, end_arenas, s);
    op->state = s;
    return !spk_task_failed(pipe->task);
}

/* run_window: what a group that ended in the last batch held is free by now, in the arena that the current
 * one is not in. */
static void run_window(spk_pipe *pipe, spk_op *op, spk_batch *batch)
{
    const window_rdd *w = SPK_NODE(window_rdd, op->rdd);
    window_state *s = op->state;
    const spk_batch in = *batch;
    const size_t size = op->rdd->deps[0].rdd->layout->size;
    spk_out out;
    batch->n = 0;
    spk_recycle(pipe->task, &s->held[!s->now]);
    spk_arena_reset(&s->work);
    if (!spk_out_open(&out, pipe, (size_t)(op - pipe->ops) + 1, w->out->layout->size, s->arenas))
        return;
    bool more = true, ended = false;
    for (size_t i = 0; i < in.n && more; i++) {
        const char *row = in.rows + i * size;
        if (s->n && !same_keys(w, 0, w->n_partition, s->rows[0], row)) {
            more = end_group(w, s, pipe->task, &out);
            if (!ended)
                s->now = !s->now;
            ended = true;
        }
        more = more && hold(w, s, pipe->task, row);
    }
    spk_out_close(&out, batch);
}

static void finish_window(spk_pipe *pipe, spk_op *op, spk_batch *batch)
{
    const window_rdd *w = SPK_NODE(window_rdd, op->rdd);
    window_state *s = op->state;
    spk_out out;
    spk_arena_reset(&s->work);
    if (!spk_out_open(&out, pipe, (size_t)(op - pipe->ops) + 1, w->out->layout->size, s->arenas))
        return;
    (void)end_group(w, s, pipe->task, &out);
    spk_out_close(&out, batch);
}

static void release_window(spark_rdd *rdd)
{
    if (SPK_NODE(window_rdd, rdd)->query)
        spk_query_unref(SPK_NODE(window_rdd, rdd)->query);
}

/* ---- making it */

typedef struct placing {
    const spk_layout **layouts;
    const spk_slot *slots;
    size_t n;
    spk_query *query;
} placing;

static void free_placing(void *data)
{
    placing *p = data;
    spk_query_unref(p->query);
    free(p);
}

/* place_run: by the partition keys, which stand in front of the order keys. */
static void place_run(spark_task *task, size_t n, const void *key, size_t step, uint32_t partitions, uint32_t *out,
    const void *env)
{
    const placing *p = env;
    (void)task;
    for (size_t i = 0; i < n; i++) {
        const char *row = (const char *)key + i * step;
        uint64_t hash = UINT64_C(0x9e3779b97f4a7c15);
        for (size_t k = 0; k < p->n; k++)
            hash = (hash ^ spk_value_hash(p->layouts[k], row + p->slots[k].offset)) * UINT64_C(0xff51afd7ed558ccd);
        out[i] = (uint32_t)(((hash >> 32) * partitions) >> 32);
    }
}

static const spk_layout **member_layouts(spk_query *q, const spk_form *form)
{
    spk_failure failure;
    const spk_layout **layouts = spk_arena_alloc(&q->arena, (form->n + 1) * sizeof *layouts, 8);
    for (size_t i = 0; layouts && i < form->n; i++)
        if (!(layouts[i] = spk_layout_for(q->sc, form->layout->type->fields[i].type, &failure)))
            layouts = NULL;
    if (!layouts)
        spk_sql_nomem(&q->error);
    return layouts;
}

static spark_rdd *sorted(spk_query *q, spark_rdd *pairs, const spk_plan *plan, const window_rdd *w)
{
    spk_analyzer *a = &q->analyzer;
    spark_order_key *keys = NULL;
    size_t n = 0;
    const spark_type *type = w->keys->layout->type;
    for (size_t i = 0; i < w->keys->n; i++) {
        const bool descending = w->descending[i];
        SPK_ADD(a, keys, n, (spark_order_key) { type->fields[i].name, w->keys->slots[i].offset, descending });
    }
    placing *p = malloc(sizeof *p);
    if (!p || spk_sql_failed(&q->error)) {
        free(p);
        spk_sql_nomem(&q->error);
        return NULL;
    }
    *p = (placing) { w->key_layouts, w->keys->slots, plan->n_partition, q };
    spk_query_ref(q);
    const spark_partitioner_def def = { .name = "window", .key = type, .run = place_run };
    const spark_env env = { .kind = SPARK_ENV_OWN, .data = p, .size = sizeof *p, .destroy = free_placing };
    spark_partitioner *placed = (spark_partitioner_new)("sql", q->sc, plan->n_partition ? PARTITIONS : 1, &def, &env);
    const spark_order order = { "window", type, n, keys };
    return (spark_repartition_and_sort_within_partitions)("sql", pairs, placed, n ? &order : NULL);
}

static void add_column(spk_query *q, spk_sql_expr *e, bool nullable, spk_sql_expr ***exprs, spk_column **columns,
    size_t *n)
{
    size_t m = *n;
    SPK_ADD(&q->analyzer, *exprs, *n, e);
    SPK_ADD(&q->analyzer, *columns, m, (spk_column) { e->type, nullable });
}

/* arguments: of all functions, as columns behind those of the input. */
static bool arguments(spk_query *q, const spk_plan *plan, window_rdd *w, spk_sql_expr ***exprs, spk_column **columns,
    size_t *n)
{
    w->first_arg = spk_arena_alloc(&q->arena, (plan->n_functions + 1) * sizeof *w->first_arg, 8);
    if (!w->first_arg) {
        spk_sql_nomem(&q->error);
        return false;
    }
    for (size_t i = 0; i < plan->n_functions; i++) {
        const spk_plan_function *f = &plan->functions[i];
        w->first_arg[i] = *n;
        for (size_t k = 0; k < f->n_args; k++)
            add_column(q, f->args[k], true, exprs, columns, n);
        if (f->filter)
            add_column(q, f->filter, true, exprs, columns, n);
        if (f->low)
            add_column(q, f->low, true, exprs, columns, n);
        if (f->high)
            add_column(q, f->high, true, exprs, columns, n);
    }
    return !spk_sql_failed(&q->error);
}

spark_rdd *spk_exec_window(
    spk_query *q, spark_rdd *rdd, const spk_plan *plan, const spk_form *in, const spk_form *out)
{
    static const spk_class class = { .name = "MapPartitionsRDD",
        .open = open_window,
        .run = run_window,
        .finish = finish_window,
        .release = release_window };
    const spk_plan *below = plan->in[0];
    window_rdd plain = { .plan = plan, .out = out, .n_in = below->n_out, .n_partition = plan->n_partition };
    spk_sql_expr **exprs = NULL, **rows = NULL;
    spk_column *columns = NULL, *row_columns = NULL;
    size_t n = 0, m = 0;
    size_t n_descending = 0;
    for (size_t i = 0; i < plan->n_partition; i++) {
        add_column(q, plan->partition[i], true, &exprs, &columns, &n);
        SPK_ADD(&q->analyzer, plain.descending, n_descending, false);
    }
    for (size_t i = 0; i < plan->n_sort; i++) {
        const spk_plan_sort *s = &plan->sort[i];
        if (s->nulls_last != s->descending) { /* what is absent would stand at the other end */
            spk_sql_expr *flag = spk_sql_call(&q->analyzer.build, s->nulls_last ? "isnull" : "isnotnull",
                &plan->sort[i].expression, 1, SPK_SQL_NOWHERE);
            if (!flag)
                return NULL;
            add_column(q, flag, true, &exprs, &columns, &n);
            SPK_ADD(&q->analyzer, plain.descending, n_descending, false);
        }
        if (i == 0)
            plain.order_key = n;
        add_column(q, s->expression, true, &exprs, &columns, &n);
        SPK_ADD(&q->analyzer, plain.descending, n_descending, s->descending);
    }
    for (size_t i = 0; i < below->n_out; i++)
        add_column(q, spk_attr_column(&q->analyzer, &below->out[i], SPK_SQL_NOWHERE), in->slots[i].nullable, &rows,
            &row_columns, &m);
    if (!arguments(q, plan, &plain, &rows, &row_columns, &m))
        return NULL;
    plain.keys = spk_form_of(q, columns, n, NULL);
    plain.rows = spk_form_of(q, row_columns, m, NULL);
    const spk_form *pair = plain.keys && plain.rows ? spk_form_pair(q, plain.keys, plain.rows) : NULL;
    if (!pair || !(plain.key_layouts = member_layouts(q, plain.keys))
        || !(plain.out_layouts = member_layouts(q, out)))
        return NULL;
    size_t all = n;
    for (size_t i = 0; i < m; i++)
        SPK_ADD(&q->analyzer, exprs, all, rows[i]);
    spark_rdd *pairs = spk_exec_eval(q, rdd, below, in, NULL, 0, exprs, all, pair);
    rdd = pairs ? sorted(q, pairs, plan, &plain) : NULL;
    if (!rdd || !rdd->layout)
        return rdd;
    plain.value_offset = rdd->layout->value_offset;
    spk_verb v;
    bool made;
    spk_verb_begin(&v, "sql", "window", NULL, 1, &rdd, NULL);
    rdd = spk_verb_make(&v, &class, sizeof(window_rdd), out->layout, &made);
    if (made) {
        window_rdd *w = SPK_NODE(window_rdd, rdd);
        const spark_rdd head = w->rdd;
        *w = plain;
        memcpy(&w->rdd, &head, sizeof head);
        w->query = q;
        spk_query_ref(q);
    }
    return rdd;
}
