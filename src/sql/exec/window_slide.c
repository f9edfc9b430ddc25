/* SPDX-License-Identifier: Apache-2.0 */
/* Wide frames that slide. A frame's state is made of two: of its rows below `middle`, one for each place where a frame
 * may begin, and of those from there on. When the frame has left the first part, the second one becomes it: each row
 * is taken in twice, however wide frames are. Sums and variances of doubles may differ in their last digits from those
 * that are added up from the frame's first row on, which narrow frames are.
 *
 * Where the first part is very long, only those of its states are there that a stretch of it begins with, and all of
 * one stretch; each row is taken in a third time then, for the same states. */
#include "sql/eval/agg.h"
#include "sql/exec/window.h"

/* STRETCH_BYTES: of states that point to nothing; STRETCH: others. */
enum { STRETCH_BYTES = 1000 * 1024, STRETCH = 2048 };

struct spk_window_sliding {
    char *front;           /* states of rows low up to high, each with all that follow up to middle */
    char *borders;         /* of the first rows of stretches, from that of `base` on */
    char *back, *both;
    size_t size, stretch;  /* bytes of a state, states of a stretch */
    size_t base, low, high, middle, end;
};

/* spk_window_slides: where states are small: numbers, or beside them values of single rows. */
bool spk_window_slides(const spk_window_call *c)
{
    const spk_sql_aggregate *a = c->f->aggregate;
    bool points = false;
    for (uint32_t i = 0; i < a->state->n; i++)
        points |= spk_sql_points(a->state->fields[i].type);
    return !points || a->def->keeps == SPK_AGG_KEEPS_SOME;
}

static void *nomem(const spk_window_group *g)
{
    spk_task_nomem(g->task);
    return NULL;
}

spk_window_sliding *spk_window_slide_open(const spk_window_group *g, const spk_window_call *c)
{
    const size_t size = (c->f->aggregate->state->size + 15) / 16 * 16;
    spk_window_sliding *s = spk_arena_alloc(&g->s->group, sizeof *s, 16);
    char *back = spk_arena_alloc(&g->s->group, size, 64), *both = spk_arena_alloc(&g->s->group, size, 64);
    if (!s || !back || !both)
        return nomem(g);
    *s = (spk_window_sliding) { .both = both, .size = size };
    s->stretch = g->w->out_layouts[c->column]->views ? STRETCH : STRETCH_BYTES / size + 1;
    s->back = spk_window_fresh(c, back);
    s->base = s->low = s->high = s->middle = s->end = c->from;
    return s;
}

/* fill: the states of a stretch. */
static bool fill(const spk_window_group *g, const spk_window_call *c, spk_window_sliding *s, size_t stretch)
{
    spk_arena *arena = &c->memory->arenas[SPK_WINDOW_NOW];
    s->low = s->base + stretch * s->stretch;
    s->high = s->middle - s->low < s->stretch ? s->middle : s->low + s->stretch;
    const char *behind = s->high < s->middle ? s->borders + (stretch + 1) * s->size : NULL;
    spk_arena_reset(arena);
    s->front = spk_arena_alloc(arena, (s->high - s->low) * s->size, 64);
    if (!s->front)
        return nomem(g);
    for (size_t k = s->high; k-- > s->low;) {
        char *state = spk_window_fresh(c, s->front + (k - s->low) * s->size);
        if (!spk_window_take(g, c, state, k, k + 1, arena) || (behind && !spk_window_join(g, c, state, behind, arena)))
            return false;
        behind = state;
    }
    return true;
}

/* keep_border: the first state of the stretch that is there. */
static bool keep_border(const spk_window_group *g, const spk_window_call *c, spk_window_sliding *s, size_t stretch)
{
    char *border = memcpy(s->borders + stretch * s->size, s->front, s->size);
    spk_sql_agg_seal(c->f->aggregate, border);
    return spk_sql_copy_value(c->f->aggregate->state, border, border, &c->memory->arenas[SPK_WINDOW_BORDERS])
        || nomem(g);
}

/* turn: the second part becomes the first one. */
static bool turn(const spk_window_group *g, const spk_window_call *c, spk_window_sliding *s)
{
    spk_arena *arena = &c->memory->arenas[SPK_WINDOW_BORDERS];
    s->base = c->from;
    s->middle = s->end;
    const size_t n = (s->middle - s->base + s->stretch - 1) / s->stretch;
    spk_arena_reset(arena);
    if (n > 1 && !(s->borders = spk_arena_alloc(arena, n * s->size, 64)))
        return nomem(g);
    for (size_t k = n; k-- > 0;)
        if (!fill(g, c, s, k) || (k > 0 && !keep_border(g, c, s, k)))
            return false;
    spk_arena_reset(&c->memory->arenas[SPK_WINDOW_OTHER]);
    (void)spk_window_fresh(c, s->back);
    return true;
}

/* move_to: the first part begins where the frame does, and rows up to `to` are in the second. */
static bool move_to(const spk_window_group *g, const spk_window_call *c, spk_window_sliding *s, size_t to)
{
    if (c->from > s->end) {
        s->middle = s->end = c->from;
        (void)spk_window_fresh(c, s->back);
    }
    if (to > s->end) {
        if (!spk_window_take(g, c, s->back, s->end, to, &c->memory->arenas[SPK_WINDOW_OTHER]))
            return false;
        s->end = to;
    }
    if (c->from >= s->middle)
        return turn(g, c, s);
    return c->from < s->high || fill(g, c, s, (c->from - s->base) / s->stretch);
}

/* spk_window_slide: what a state of the first part points to is not written on: a frame may begin there again. */
const char *spk_window_slide(const spk_window_group *g, const spk_window_call *c, spk_window_sliding *s)
{
    if (!move_to(g, c, s, c->to > c->from ? c->to : c->from))
        return NULL;
    if (c->from < s->middle)
        memcpy(s->both, s->front + (c->from - s->low) * s->size, s->size);
    else
        (void)spk_window_fresh(c, s->both);
    spk_sql_agg_seal(c->f->aggregate, s->both);
    return spk_window_join(g, c, s->both, s->back, &g->s->work) ? s->both : NULL;
}
