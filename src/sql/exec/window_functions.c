/* SPDX-License-Identifier: Apache-2.0 */
/* Window functions: ranking, and values of other rows. */
#include <string.h>

#include "sql/exec/window.h"

/* ---- ranking and values of other rows */

static void put_i32(const spk_window_group *g, size_t column, size_t i, int64_t x, char *out)
{
    const int32_t value = (int32_t)x;
    spk_window_put(g, column, i, (const char *)&value, true, out);
}

static void ntile(const spk_window_group *g, size_t column, char *out)
{
    const int64_t buckets = spk_window_constant(g->f->n_args ? g->f->args[0] : NULL);
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

static void ranks(const spk_window_group *g, size_t column, char *out)
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
            spk_window_put(g, column, i, (const char *)&share, true, out);
        }
    }
}

static bool argument(const spk_window_group *g, size_t i, size_t k, const char **value)
{
    const spk_slot *slot = &g->w->rows->slots[g->column + k];
    const char *row = spk_window_row(g, i);
    *value = row + slot->value;
    return spk_slot_present(slot, row);
}

/* other_row: lag, lead: the row so many before or behind; of IGNORE NULLS, rows with a value alone count. */
static int64_t other_row(const spk_window_group *g, size_t i, int64_t by)
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

static void shifted(const spk_window_group *g, size_t column, char *out)
{
    const bool back = strcmp(g->f->name, "lag") == 0;
    for (size_t i = 0; i < g->n; i++) {
        const char *value = NULL;
        int64_t by = g->f->n_args > 1 ? spk_window_constant(g->f->args[1]) : 1;
        const int64_t at = other_row(g, i, back ? -by : by);
        bool valid = false;
        if (at >= 0 && at < (int64_t)g->n)
            valid = argument(g, (size_t)at, 0, &value);
        else if (g->f->n_args > 2)
            valid = argument(g, i, 2, &value);
        spk_window_put(g, column, i, value, valid, out);
    }
}

static void nth(const spk_window_group *g, size_t column, char *out)
{
    const int64_t wanted = spk_window_constant(g->f->args[1]);
    size_t from = 0, to = 0;
    for (size_t i = 0; i < g->n; i++) {
        const char *value = NULL;
        bool valid = false;
        spk_window_frame(g, i, &from, &to);
        int64_t left = wanted;
        if (!g->f->ignore_nulls) {
            if (wanted > 0 && from + (uint64_t)wanted - 1 < to)
                valid = argument(g, from + (size_t)wanted - 1, 0, &value);
        } else {
            for (size_t k = from; k < to && left > 0; k++)
                if (argument(g, k, 0, &value) && --left == 0)
                    valid = true;
        }
        spk_window_put(g, column, i, value, valid, out);
    }
}

void spk_window_compute(const spk_window_group *g, size_t column, char *out)
{
    if (g->f->aggregate)
        spk_window_aggregate(g, column, out);
    else if (strcmp(g->f->name, "ntile") == 0)
        ntile(g, column, out);
    else if (strcmp(g->f->name, "lag") == 0 || strcmp(g->f->name, "lead") == 0)
        shifted(g, column, out);
    else if (strcmp(g->f->name, "nth_value") == 0)
        nth(g, column, out);
    else
        ranks(g, column, out);
}
