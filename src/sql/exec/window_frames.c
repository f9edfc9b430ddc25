/* SPDX-License-Identifier: Apache-2.0 */
/* Frames of window functions: which rows one has to look at. */
#include "sql/exec/window.h"

bool spk_window_peers(spk_window_group *g)
{
    g->peers = spk_arena_alloc(&g->s->work, (g->n + 1) * sizeof *g->peers, 8);
    if (!g->peers) {
        spk_task_nomem(g->task);
        return false;
    }
    size_t end = g->n;
    for (size_t i = g->n; i-- > 0;) {
        if (i + 1 < g->n && !spk_window_same_keys(g->w, g->w->n_partition, g->w->keys->n, g->rows[i], g->rows[i + 1]))
            end = i + 1;
        g->peers[i] = end;
    }
    return true;
}

int64_t spk_window_constant(const spk_sql_expr *e)
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
static const spk_slot *edge_slot(const spk_window_group *g, int which)
{
    size_t at = g->column + g->f->n_args + (g->f->filter != NULL);
    if (which == 1 && g->f->low)
        at++;
    return &g->w->rows->slots[at];
}

/* compare_edge: the order key of row k against an edge of row i, in the direction of the order. NULL keys
 * are only with each other. */
static int compare_edge(const spk_window_group *g, size_t k, size_t i, const spk_slot *edge)
{
    const size_t key = g->w->order_key;
    const spk_slot *slot = &g->w->keys->slots[key];
    const bool a = spk_slot_present(slot, g->rows[k]), b = spk_slot_present(edge, spk_window_row(g, i));
    const spk_plan_sort *sort = &g->w->plan->sort[0];
    if (!a || !b)
        return a == b ? 0 : (a != sort->nulls_last) ? 1 : -1;
    char left[64] = { 0 }, right[64] = { 0 };
    spk_slot to = *slot;
    to.offset = 0;
    to.value = spk_sql_slot_value(slot->type, slot->nullable);
    spk_slot_copy(slot, g->rows[k], &to, left);
    spk_slot_copy(edge, spk_window_row(g, i), &to, right);
    const int order = spk_value_compare(g->w->key_layouts[key], left, right);
    return sort->descending ? -order : order;
}

static size_t clamp(const spk_window_group *g, int64_t at)
{
    return at < 0 ? 0 : (uint64_t)at > g->n ? g->n : (size_t)at;
}

void spk_window_frame(const spk_window_group *g, size_t i, size_t *from, size_t *to)
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
        const int64_t by = spk_window_constant(f->from_offset);
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
        const int64_t by = spk_window_constant(f->to_offset);
        if (f->rows)
            *to = clamp(g, (f->to == SPK_BOUND_PRECEDING ? here - by : here + by) + 1);
        else
            while (*to < g->n && compare_edge(g, *to, i, edge_slot(g, 1)) <= 0)
                ++*to;
    }
    }
}
