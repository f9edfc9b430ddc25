/* SPDX-License-Identifier: Apache-2.0 */
/* Aggregates over frames: a state goes on from one row to the next where the frame has only grown. */
#include "sql/eval/agg.h"
#include "sql/exec/window.h"

/* ---- aggregates over frames */

static bool take_rows(const spk_window_group *g, char *state, size_t from, size_t to)
{
    const spk_sql_aggregate *a = g->f->aggregate;
    spk_sql_vector args[16];
    for (size_t i = from; i < to; i++) { /* a row at a time: rows lie anywhere */
        const char *row = spk_window_row(g, i);
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
        spk_sql_error error;
        spk_agg_error_open(&error);
        spk_sql_agg_frame f = { .aggregate = a, .args = args, .rows = { NULL, 1 }, .state = state,
            .arena = &g->s->work, .error = &error };
        if (!spk_sql_agg_update(&f)) {
            spk_query_task_fails(g->w->query, g->task, &error);
            return false;
        }
    }
    return true;
}

/* own_value: what a value points to as a copy: the state it is of goes on. */
static bool own_value(const spk_window_group *g, size_t column, char *value)
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
static bool slides(const spk_window_group *g)
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

static char *fresh_state(const spk_window_group *g, char *state)
{
    memset(state, 0, g->f->aggregate->state->size);
    spk_sql_agg_init(g->f->aggregate, state);
    return state;
}

static bool join_states(const spk_window_group *g, char *into, const char *from)
{
    spk_sql_error error;
    spk_agg_error_open(&error);
    if (spk_sql_agg_merge(g->f->aggregate, into, from, &g->s->work, &error))
        return true;
    spk_query_task_fails(g->w->query, g->task, &error);
    return false;
}

/* turn: the second part becomes the first one. */
static bool turn(const spk_window_group *g, sliding *s, size_t from)
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
static bool move_to(const spk_window_group *g, sliding *s, size_t from, size_t to)
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

static void slide(const spk_window_group *g, size_t column, size_t i, size_t from, size_t to, char *out)
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
        spk_sql_error error;
        spk_agg_error_open(&error);
        bool valid = true;
        if (!first)
            spk_window_frame(g, i, &from, &to);
        if (!move_to(g, &s, from, to > from ? to : from))
            return;
        if (!spk_sql_agg_finish(a, s.both, value, &valid, &g->s->work, &error)) {
            spk_query_task_fails(g->w->query, g->task, &error);
            return;
        }
        if (valid && !own_value(g, column, value))
            return;
        spk_window_put(g, column, i, value, valid, out);
    }
}

void spk_window_aggregate(const spk_window_group *g, size_t column, char *out)
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
        spk_sql_error error;
        spk_agg_error_open(&error);
        spk_window_frame(g, i, &from, &to);
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
            spk_window_put(g, column, i, value, valid, out);
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
        spk_window_put(g, column, i, value, valid, out);
    }
}
