/* SPDX-License-Identifier: Apache-2.0 */
/* Window functions: ranking, and values of other rows. */
#include <string.h>

#include "sql/exec/window.h"

/* ---- ranking and values of other rows */

static void put_i32(const spk_window_group *g, const spk_window_call *c, size_t i, int64_t x)
{
    const int32_t value = (int32_t)x;
    spk_window_put(g, c, i, &value, true);
}

static void ntile(const spk_window_group *g, const spk_window_call *c)
{
    const int64_t buckets = spk_window_constant(c->f->n_args ? c->f->args[0] : NULL);
    const int64_t n = (int64_t)g->n, small = buckets < 1 ? n : n / buckets, larger = buckets < 1 ? 0 : n % buckets;
    const int64_t edge = larger * (small + 1);
    for (size_t at = g->begin; at < g->end; at++) {
        const int64_t i = (int64_t)at;
        put_i32(g, c, at, i < edge ? i / (small + 1) + 1 : larger + (i - edge) / small + 1);
    }
}

static void ranks(const spk_window_group *g, spk_window_call *c)
{
    const char *name = c->f->name;
    for (size_t i = g->begin; i < g->end; i++) {
        const size_t begin = spk_window_peers_from(g, i);
        c->seen += begin == i;
        if (strcmp(name, "row_number") == 0) {
            put_i32(g, c, i, (int64_t)i + 1);
        } else if (strcmp(name, "rank") == 0) {
            put_i32(g, c, i, (int64_t)begin + 1);
        } else if (strcmp(name, "dense_rank") == 0) {
            put_i32(g, c, i, (int64_t)c->seen);
        } else {
            const double share = strcmp(name, "cume_dist") == 0 ? (double)spk_window_peers_to(g, i) / (double)g->n
                : g->n > 1                                      ? (double)begin / (double)(g->n - 1)
                                                                : 0.0;
            spk_window_put(g, c, i, &share, true);
        }
    }
}

static bool argument(const spk_window_group *g, const spk_window_call *c, size_t i, size_t k, const char **value)
{
    const spk_slot *slot = &g->w->rows->slots[c->args[k]];
    const char *row = spk_window_row(g, i);
    *value = row + slot->value;
    return spk_slot_present(slot, row);
}

static bool present(const spk_window_group *g, const spk_window_call *c, size_t i)
{
    const char *value;
    return argument(g, c, i, 0, &value);
}

/* put_argument: that of row `from`, or NULL where there is none, as the result of row i. Rows on disk do not stay. */
static bool put_argument(
    const spk_window_group *g, const spk_window_call *c, size_t i, bool any, size_t from, size_t k)
{
    const char *value = NULL;
    const bool valid = any && argument(g, c, from, k, &value);
    spk_window_put(g, c, i, value, valid);
    return g->rows || !valid || spk_window_own(g, c->column, i);
}

/* row_behind, row_before: the by-th row with a value behind row i, or before it. `seen` of them were found by the last
 * row, up to `at`, and from there on. False: there are not so many. */
static bool row_behind(const spk_window_group *g, spk_window_call *c, size_t i, uint64_t by)
{
    if (i == 0)
        c->at = 0;
    else
        c->seen -= present(g, c, i);
    while (c->seen < by && c->at + 1 < g->n)
        c->seen += present(g, c, ++c->at);
    return c->seen == by;
}

static bool row_before(const spk_window_group *g, spk_window_call *c, size_t i, uint64_t by)
{
    c->seen += i > 0 && present(g, c, i - 1);
    while (c->seen > by || (c->seen == by && !present(g, c, c->at)))
        c->seen -= present(g, c, c->at++);
    return c->seen == by;
}

/* other_row: lag, lead: the row so many before or behind, as c->at; of IGNORE NULLS, rows with a value alone count. */
static bool other_row(const spk_window_group *g, spk_window_call *c, size_t i, int64_t by)
{
    if (c->f->ignore_nulls && by != 0)
        return by > 0 ? row_behind(g, c, i, (uint64_t)by) : row_before(g, c, i, 0 - (uint64_t)by);
    c->at = i + (size_t)by; /* before the first one it is huge */
    return by > 0 ? (uint64_t)by < g->n - i : 0 - (uint64_t)by <= i;
}

static void shifted(const spk_window_group *g, spk_window_call *c)
{
    const int64_t offset = c->f->n_args > 1 ? spk_window_constant(c->f->args[1]) : 1;
    const int64_t by = strcmp(c->f->name, "lag") == 0 ? -offset : offset;
    for (size_t i = g->begin; i < g->end; i++) {
        const bool found = other_row(g, c, i, by);
        const bool instead = !found && c->f->n_args > 2;
        if (!put_argument(g, c, i, found || instead, found ? c->at : i, instead ? 2 : 0))
            return;
    }
}

/* find: the wanted-th row with a value of the frame, which began at `before`, as the one before c->at. */
static bool find(const spk_window_group *g, spk_window_call *c, size_t before, uint64_t wanted)
{
    if (c->from >= c->at) {
        c->at = c->from;
        c->seen = 0;
    }
    for (size_t k = before; c->seen > 0 && k < c->from; k++)
        c->seen -= present(g, c, k);
    while (c->seen < wanted && c->at < c->to)
        c->seen += present(g, c, c->at++);
    return c->seen == wanted;
}

static void nth(const spk_window_group *g, spk_window_call *c)
{
    const int64_t wanted = spk_window_constant(c->f->args[1]);
    for (size_t i = g->begin; i < g->end; i++) {
        const size_t before = c->from;
        spk_window_frame(g, c, i);
        bool found = wanted > 0;
        if (found && c->f->ignore_nulls)
            found = find(g, c, before, (uint64_t)wanted);
        else if (found)
            found = c->from < c->to && (uint64_t)wanted <= c->to - c->from;
        const size_t at = c->f->ignore_nulls ? c->at - 1 : c->from + (size_t)wanted - 1;
        if (!put_argument(g, c, i, found, at, 0))
            return;
    }
}

void spk_window_compute(const spk_window_group *g, spk_window_call *c)
{
    if (c->f->aggregate)
        spk_window_aggregate(g, c);
    else if (strcmp(c->f->name, "ntile") == 0)
        ntile(g, c);
    else if (strcmp(c->f->name, "lag") == 0 || strcmp(c->f->name, "lead") == 0)
        shifted(g, c);
    else if (strcmp(c->f->name, "nth_value") == 0)
        nth(g, c);
    else
        ranks(g, c);
}
