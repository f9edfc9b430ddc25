/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of a partition of a window, however many: they are held in memory until it is short, then they go to disk, and
 * are read from there as functions look at them. */
#include "sql/exec/window.h"

enum { LOOK = 64 * 1024 };

static const spk_layout *pair_of(const spk_window_rdd *w)
{
    return w->rdd.deps[0].rdd->layout;
}

char *spk_window_keep_pair(const spk_layout *pair, spk_arena *arena, char *spare, const char *row)
{
    const size_t bytes = pair->views ? spk_value_bytes(pair, row) : 0;
    char *copy = spare ? spare : spk_arena_alloc(arena, pair->size, pair->align);
    char *tail = bytes ? spk_arena_alloc(arena, bytes, 16) : copy;
    if (!copy || !tail)
        return NULL;
    memcpy(copy, row, pair->size);
    if (pair->views)
        (void)spk_value_pack(pair, copy, tail);
    return copy;
}

/* ---- in memory */

static bool list_row(spk_window_state *s, char *row)
{
    if (s->n == s->room) {
        const size_t room = s->room ? s->room * 2 : 64;
        char **grown = spk_arena_alloc(&s->list[0], room * sizeof *grown, 8);
        if (!grown)
            return false;
        if (s->n)
            memcpy(grown, s->rows, s->n * sizeof *grown);
        s->rows = grown;
        s->room = room;
    }
    s->rows[s->n] = row;
    return true;
}

/* hold: false: no memory. */
static bool hold(const spk_window_rdd *w, spk_window_state *s, const char *row)
{
    char *copy = spk_window_keep_pair(pair_of(w), &s->held[s->now], NULL, row);
    if (!copy || !list_row(s, copy))
        return false;
    if (s->n == 0)
        s->first = copy;
    if (++s->n == (uint64_t)w->plan->limit)
        s->edge = copy;
    return true;
}

/* short_of_memory: asked for whenever some more is held. */
static bool short_of_memory(spk_window_state *s)
{
    const size_t bytes = s->held[s->now].bytes;
    if (bytes - s->looked < LOOK)
        return false;
    s->looked = bytes;
    return spk_spill_wanted(s->held->heap);
}

/* ---- on disk */

static bool append(spk_window_state *s, spark_task *task, const char *row)
{
    spk_failure failure;
    const uint64_t before = s->pages.disk.bytes;
    const spark_status status = spk_pages_append(&s->pages, row, &failure);
    task->counts.spilled_bytes += (int64_t)(s->pages.disk.bytes - before);
    if (status != SPARK_OK)
        spk_task_fail_with(task, &failure);
    return status == SPARK_OK;
}

/* keep: rows that others are compared with. False: the task has failed. */
static bool keep(const spk_window_rdd *w, spk_window_state *s, spark_task *task, char **row, const char *from)
{
    if (!(*row = spk_window_keep_pair(pair_of(w), &s->group, NULL, from)))
        spk_task_nomem(task);
    return *row != NULL;
}

/* move: all rows go to disk. Their memory is free where no result that waits points to it. */
static bool move(const spk_window_rdd *w, spk_window_state *s, spark_task *task, spk_out *out)
{
    spk_pages_init(&s->pages, task->store, pair_of(w));
    s->paged = true;
    for (size_t i = 0; i < s->n; i++)
        if (!append(s, task, s->rows[i]))
            return false;
    if ((s->first && !keep(w, s, task, &s->first, s->first)) || (s->edge && !keep(w, s, task, &s->edge, s->edge)))
        return false;
    if (spk_emitter_pass(&out->head))
        spk_recycle(task, &s->held[s->now]);
    spk_arena_fini(&s->list[0]);
    s->rows = NULL;
    s->room = 0;
    return !spk_task_failed(task);
}

bool spk_window_hold(
    const spk_window_rdd *w, spk_window_state *s, spark_task *task, spk_out *out, const char *row)
{
    if (!s->paged && (short_of_memory(s) || !hold(w, s, row)) && !move(w, s, task, out))
        return false;
    if (!s->paged)
        return true;
    s->n++;
    return append(s, task, row) && (s->n > 1 || keep(w, s, task, &s->first, row))
        && (s->n != (uint64_t)w->plan->limit || keep(w, s, task, &s->edge, row));
}

bool spk_window_held(spk_window_state *s, spark_task *task)
{
    spk_failure failure;
    if (!s->paged || spk_pages_end(&s->pages, &failure) == SPARK_OK)
        return true;
    spk_task_fail_with(task, &failure);
    return false;
}

void spk_window_let_go(spk_window_state *s)
{
    if (s->paged)
        spk_pages_fini(&s->pages);
    s->paged = false;
    s->n = 0;
    s->first = s->edge = NULL;
    spk_arena_reset(&s->group);
}

const char *spk_window_paged(const spk_window_group *g, size_t i)
{
    spk_failure failure;
    if (spk_task_failed(g->task))
        return g->s->blank;
    const char *row = spk_pages_row(&g->s->pages, i, &failure);
    if (!row)
        spk_task_fail_with(g->task, &failure);
    return row ? row : g->s->blank;
}

/* ---- results */

bool spk_window_copy(const spk_window_group *g, size_t column, size_t i)
{
    const spk_layout *layout = g->w->out_layouts[column];
    char *value = spk_window_out(g, i) + g->w->out->slots[column].offset;
    char *tail = spk_arena_alloc(&g->s->work, spk_value_bytes(layout, value) + 1, 16);
    if (!tail) {
        spk_task_nomem(g->task);
        return false;
    }
    (void)spk_value_pack(layout, value, tail);
    return true;
}
