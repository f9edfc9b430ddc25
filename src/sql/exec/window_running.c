/* SPDX-License-Identifier: Apache-2.0 */
/* Aggregates over frames: a state goes on from one row to the next where the frame has only grown. */
#include "sql/eval/agg.h"
#include "sql/exec/window.h"

/* WIDE: rows of the widest frames that are added up anew when they move. STEP: rows after which it is asked whether a
 * state has left more than GARBAGE behind. FEW: rows that stay in memory while as many are looked at. */
enum { WIDE = 64, STEP = 256, GARBAGE = 64 * 1024, FEW = SPK_PAGES / 2 };

typedef struct spk_window_running {
    char *state, *value;
    bool valid, fresh;
    bool known;       /* value is what the state gives */
    bool poor;        /* there was no memory for `ranked` */
    size_t from, to;  /* rows that are in the state */
    size_t kept;      /* bytes of the memory when it was tidied last */
    spk_window_sliding *sliding;
    spk_window_ranked *ranked;
} running;

static bool fails(const spk_window_group *g, const spk_sql_error *error)
{
    spk_query_task_fails(g->w->query, g->task, error);
    return false;
}

char *spk_window_fresh(const spk_window_call *c, char *state)
{
    memset(state, 0, c->f->aggregate->state->size);
    spk_sql_agg_init(c->f->aggregate, state);
    return state;
}

bool spk_window_join(
    const spk_window_group *g, const spk_window_call *c, char *into, const char *from, spk_arena *arena)
{
    spk_sql_error error;
    spk_agg_error_open(&error);
    return spk_sql_agg_merge(c->f->aggregate, into, from, arena, &error) || fails(g, &error);
}

/* empty: most states point to nothing. */
static void empty(spk_arena *arena)
{
    if (arena->bytes)
        spk_arena_reset(arena);
}

bool spk_window_counts(const spk_window_group *g, const spk_window_call *c, const char *row)
{
    if (!c->f->filter)
        return true;
    const spk_slot *slot = &g->w->rows->slots[c->args[c->f->n_args]];
    return spk_slot_present(slot, row) && row[slot->value];
}

static bool take_row(const spk_window_group *g, const spk_window_call *c, char *state, size_t i, spk_arena *arena)
{
    const spk_sql_aggregate *a = c->f->aggregate;
    const char *row = spk_window_row(g, i);
    spk_sql_vector args[16];
    uint8_t valid[16];
    if (!spk_window_counts(g, c, row))
        return true;
    for (uint32_t k = 0; k < a->n && k < 16; k++) {
        const spk_slot *slot = &g->w->rows->slots[c->args[k]];
        valid[k] = spk_slot_present(slot, row);
        args[k] = (spk_sql_vector) { row + slot->value, 0, &valid[k] };
    }
    spk_sql_error error;
    spk_agg_error_open(&error);
    spk_sql_agg_frame f = { .aggregate = a, .args = args, .rows = { NULL, 1 }, .state = state,
        .arena = arena, .error = &error };
    return spk_sql_agg_update(&f) || fails(g, &error);
}

/* spk_window_take: a row at a time: they lie anywhere. */
bool spk_window_take(
    const spk_window_group *g, const spk_window_call *c, char *state, size_t from, size_t to, spk_arena *arena)
{
    for (size_t i = from; i < to; i++)
        if (!take_row(g, c, state, i, arena))
            return false;
    return true;
}

/* ---- frames that grow, and narrow ones */

/* move_state: what the state points to becomes a copy, and all the rest of the memory is free. */
static bool move_state(const spk_window_group *g, const spk_window_call *c, char *state)
{
    spk_arena *now = &c->memory->arenas[SPK_WINDOW_NOW], *other = &c->memory->arenas[SPK_WINDOW_OTHER];
    const spk_sql_aggregate *a = c->f->aggregate;
    spk_sql_agg_seal(a, state);
    if (!spk_sql_copy_value(a->state, state, state, other)) {
        spk_task_nomem(g->task);
        return false;
    }
    const spk_arena old = *now;
    *now = *other;
    *other = old;
    spk_arena_reset(other);
    return true;
}

/* tidy: where the state has left much behind. What it may have in rows must not stay there, where these do not. */
static bool tidy(const spk_window_group *g, const spk_window_call *c, bool always)
{
    running *r = c->running;
    const spk_arena *now = &c->memory->arenas[SPK_WINDOW_NOW];
    if (!always && now->bytes < GARBAGE + 4 * r->kept)
        return true;
    const bool moved = move_state(g, c, r->state);
    r->kept = now->bytes;
    return moved;
}

/* grow: rows up to `to` into the state. */
static bool grow(const spk_window_group *g, const spk_window_call *c, size_t to)
{
    running *r = c->running;
    const bool away = !g->rows && c->f->aggregate->def->foreign;
    const size_t step = away ? FEW : STEP;
    while (r->to < to) {
        const size_t next = to - r->to < step ? to : r->to + step;
        if (!spk_window_take(g, c, r->state, r->to, next, &c->memory->arenas[SPK_WINDOW_NOW]) || !tidy(g, c, away))
            return false;
        r->to = next;
        r->known = false;
    }
    return true;
}

static void begin_anew(const spk_window_call *c)
{
    running *r = c->running;
    empty(&c->memory->arenas[SPK_WINDOW_NOW]);
    (void)spk_window_fresh(c, r->state);
    r->from = r->to = c->from;
    r->kept = 0;
    r->fresh = r->known = false;
}

/* next_state: that of the call's frame, which is the one of the next row. NULL: the task has failed. */
static const char *next_state(const spk_window_group *g, spk_window_call *c)
{
    running *r = c->running;
    const size_t end = c->to > c->from ? c->to : c->from;
    if (!r->sliding && !r->fresh && c->from == r->from && end >= r->to)
        return grow(g, c, end) ? r->state : NULL;
    if (!r->sliding && !r->fresh && c->from != r->from && end - c->from > WIDE && spk_window_slides(c)
        && !(r->sliding = spk_window_slide_open(g, c)))
        return NULL;
    if (r->sliding) {
        r->known = false;
        return spk_window_slide(g, c, r->sliding);
    }
    begin_anew(c);
    return grow(g, c, end) ? r->state : NULL;
}

/* put_value: what the state gives, as the value of row i. */
static bool put_value(const spk_window_group *g, spk_window_call *c, size_t i, const char *state)
{
    running *r = c->running;
    const spk_sql_aggregate *a = c->f->aggregate;
    spk_sql_error error;
    if (r->known) {
        spk_window_put(g, c, i, r->value, r->valid);
        return true;
    }
    spk_arena *now = &c->memory->arenas[SPK_WINDOW_NOW];
    const spk_arena_mark mark = spk_arena_note(now);
    spk_agg_error_open(&error);
    r->valid = true;
    if (!spk_sql_agg_finish(a, state, r->value, &r->valid, now, &error))
        return fails(g, &error);
    spk_window_put(g, c, i, r->value, r->valid);
    if (r->valid && g->w->out_layouts[c->column]->views) {
        if (!spk_window_copy(g, c->column, i))
            return false;
        memcpy(r->value, spk_window_out(g, i) + g->w->out->slots[c->column].value, a->type->size);
    }
    if (now->bytes != mark.bytes)
        spk_arena_rewind(now, mark);
    r->known = true;
    return true;
}

/* ranked: whether the values of the frame are, from the first wide one on that is another than the last one. */
static bool ranked(const spk_window_group *g, const spk_window_call *c)
{
    running *r = c->running;
    if (!r->ranked && !r->poor && !r->fresh && !r->sliding && c->to > c->from && c->to - c->from > WIDE
        && (c->from != r->from || c->to != r->to) && spk_window_ranks(g, c)) {
        r->ranked = spk_window_ranked_open(g, c);
        r->poor = !r->ranked;
    }
    return r->ranked;
}

static running *open_running(const spk_window_group *g, spk_window_call *c)
{
    const spk_sql_aggregate *a = c->f->aggregate;
    running *r = spk_arena_alloc(&g->s->group, sizeof *r, 16);
    char *state = spk_arena_alloc(&g->s->group, a->state->size + 64, 64);
    char *value = spk_arena_alloc(&g->s->group, a->type->size + 64, 64);
    if (!r || !state || !value) {
        spk_task_nomem(g->task);
        return NULL;
    }
    *r = (running) { .state = state, .value = value, .fresh = true };
    for (int i = 0; i < SPK_WINDOW_ARENAS; i++)
        empty(&c->memory->arenas[i]);
    return r;
}

void spk_window_aggregate(const spk_window_group *g, spk_window_call *c)
{
    if (!c->running && !(c->running = open_running(g, c)))
        return;
    if (g->renewed)
        c->running->known = false;
    for (size_t i = g->begin; i < g->end && !spk_task_failed(g->task); i++) {
        spk_window_frame(g, c, i);
        if (ranked(g, c)) {
            if (!spk_window_ranked_put(g, c, c->running->ranked, i))
                return;
            continue;
        }
        const char *state = next_state(g, c);
        if (!state || !put_value(g, c, i, state))
            return;
    }
}
