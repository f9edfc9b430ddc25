/* SPDX-License-Identifier: Apache-2.0 */
/* Frames of window functions: which rows one has to look at. */
#include "sql/exec/window.h"

void spk_window_peers(spk_window_group *g)
{
    const spk_window_rdd *w = g->w;
    const bool ordered = w->keys->n > w->n_partition;
    for (size_t i = g->begin; i < g->end; i++) {
        if (i == g->peers_to) {
            size_t end = ordered ? i + 1 : g->n;
            while (end < g->n
                && spk_window_same_keys(
                    w, w->n_partition, w->keys->n, spk_window_pair(g, end - 1), spk_window_pair(g, end)))
                end++;
            g->peers_from = i;
            g->peers_to = end;
        }
        g->peers[2 * (i - g->begin)] = g->peers_from;
        g->peers[2 * (i - g->begin) + 1] = g->peers_to;
    }
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
static const spk_slot *edge_slot(const spk_window_group *g, const spk_window_call *c, int which)
{
    size_t at = c->f->n_args + (c->f->filter != NULL);
    if (which == 1 && c->f->low)
        at++;
    return &g->w->rows->slots[c->args[at]];
}

/* compare_edge: the order key of row k against an edge of row i, in the direction of the order. NULL keys
 * are only with each other. */
static int compare_edge(const spk_window_group *g, size_t k, size_t i, const spk_slot *edge)
{
    const size_t key = g->w->order_key;
    const spk_slot *slot = &g->w->keys->slots[key];
    const char *pair = spk_window_pair(g, k), *row = spk_window_row(g, i);
    const bool a = spk_slot_present(slot, pair), b = spk_slot_present(edge, row);
    const spk_plan_sort *sort = &g->w->plan->sort[0];
    if (!a || !b)
        return a == b ? 0 : (a != sort->nulls_last) ? 1 : -1;
    char left[64] = { 0 }, right[64] = { 0 };
    spk_slot to = *slot;
    to.offset = 0;
    to.value = spk_sql_slot_value(slot->type, slot->nullable);
    spk_slot_copy(slot, pair, &to, left);
    spk_slot_copy(edge, row, &to, right);
    const int order = spk_value_compare(g->w->key_layouts[key], left, right);
    return sort->descending ? -order : order;
}

static size_t clamp(const spk_window_group *g, int64_t at)
{
    return at < 0 ? 0 : (uint64_t)at > g->n ? g->n : (size_t)at;
}

void spk_window_frame(const spk_window_group *g, spk_window_call *c, size_t i)
{
    const spk_plan_function *f = c->f;
    const int64_t here = (int64_t)i;
    switch (f->from) {
    case SPK_BOUND_UNBOUNDED_PRECEDING:
        c->from = 0;
        break;
    case SPK_BOUND_CURRENT:
        c->from = f->rows ? i : spk_window_peers_from(g, i);
        break;
    case SPK_BOUND_UNBOUNDED_FOLLOWING:
        c->from = g->n;
        break;
    default: {
        const int64_t by = spk_window_constant(f->from_offset);
        if (f->rows)
            c->from = clamp(g, f->from == SPK_BOUND_PRECEDING ? here - by : here + by);
        else
            while (c->from < g->n && compare_edge(g, c->from, i, edge_slot(g, c, 0)) < 0)
                c->from++;
    }
    }
    switch (f->to) {
    case SPK_BOUND_UNBOUNDED_PRECEDING:
        c->to = 0;
        break;
    case SPK_BOUND_CURRENT:
        c->to = f->rows ? i + 1 : spk_window_peers_to(g, i);
        break;
    case SPK_BOUND_UNBOUNDED_FOLLOWING:
        c->to = g->n;
        break;
    default: {
        const int64_t by = spk_window_constant(f->to_offset);
        if (f->rows)
            c->to = clamp(g, (f->to == SPK_BOUND_PRECEDING ? here - by : here + by) + 1);
        else
            while (c->to < g->n && compare_edge(g, c->to, i, edge_slot(g, c, 1)) <= 0)
                c->to++;
    }
    }
}
