/* SPDX-License-Identifier: Apache-2.0 */
#include "listen/notes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FEW = 16 }; /* rows of a table that are found by looking at all of them */

/* ---- sums of accumulators */

static char *copied(const char *text)
{
    const size_t size = strlen(text) + 1;
    char *copy = malloc(size);
    return copy ? memcpy(copy, text, size) : NULL;
}

const spk_heard_sum *spk_heard_sums_add(spk_heard_sums *sums, const spk_heard_sum *more)
{
    spk_heard_sum *sum = NULL;
    for (size_t i = 0, k = sums->next; i < sums->n && !sum; i++, k++) {
        k = k < sums->n ? k : 0;
        if (sums->at[k].id == more->id)
            sum = &sums->at[k];
    }
    if (!sum && sums->n == sums->max) {
        const size_t max = sums->max ? sums->max * 2 : 4;
        spk_heard_sum *at = realloc(sums->at, max * sizeof *at);
        if (!at)
            return NULL;
        sums->at = at;
        sums->max = max;
    }
    if (!sum) {
        const char *name = sums->owns ? copied(more->name) : more->name;
        if (!name)
            return NULL;
        sum = &sums->at[sums->n++];
        *sum = (spk_heard_sum) { .id = more->id, .is_whole = more->is_whole, .name = name };
    }
    sum->i64 = (int64_t)((uint64_t)sum->i64 + (uint64_t)more->i64);
    sum->f64 += more->f64;
    sums->next = (size_t)(sum - sums->at) + 1;
    return sum;
}

static const char *text_of(spk_pad *pad, const spk_heard_sum *sum)
{
    char text[40];
    if (sum->is_whole)
        snprintf(text, sizeof text, "%lld", (long long)sum->i64);
    else
        snprintf(text, sizeof text, "%.17g", sum->f64);
    return spk_pad_text(pad, text);
}

spark_accumulable *spk_heard_sums_tell(const spk_heard_sums *sums, spk_heard_sums *of, spk_pad *pad)
{
    spark_accumulable *list = pad ? spk_pad_alloc(pad, sums->n * sizeof *list + 1) : NULL;
    for (size_t i = 0; i < sums->n; i++) {
        const spk_heard_sum *sum = &sums->at[i], *all = of ? spk_heard_sums_add(of, sum) : sum;
        if (list)
            list[i] = (spark_accumulable) { .id = sum->id,
                .name = spk_pad_text(pad, sum->name),
                .value = text_of(pad, all ? all : sum),
                .update = of ? text_of(pad, sum) : "" };
    }
    return list;
}

void spk_heard_sums_fini(spk_heard_sums *sums)
{
    for (size_t i = 0; i < sums->n && sums->owns; i++) {
        void *name;
        memcpy(&name, &sums->at[i].name, sizeof name);
        free(name);
    }
    free(sums->at);
}

/* ---- rows of RDDs */

static size_t slot_of(const spk_rows_table *t, int rdd)
{
    const size_t mask = 2 * t->max - 1;
    size_t i = ((uint32_t)rdd * UINT32_C(0x9e3779b1)) & mask;
    while (t->slots[i] && t->at[t->slots[i] - 1].rdd != rdd)
        i = (i + 1) & mask;
    return i;
}

static spark_rdd_rows *find_rows(const spk_rows_table *t, int rdd)
{
    if (t->slots) {
        const uint32_t found = t->slots[slot_of(t, rdd)];
        return found ? &t->at[found - 1] : NULL;
    }
    for (size_t i = 0; i < t->n; i++)
        if (t->at[i].rdd == rdd)
            return &t->at[i];
    return NULL;
}

SPK_COLD static bool grow(spk_rows_table *t)
{
    const size_t max = t->max ? t->max * 2 : FEW;
    spark_rdd_rows *at = realloc(t->at, max * sizeof *at);
    if (!at)
        return false;
    t->at = at;
    uint32_t *slots = max > FEW ? calloc(2 * max, sizeof *slots) : NULL;
    if (max > FEW && !slots)
        return false;
    free(t->slots);
    t->slots = slots;
    t->max = max;
    for (size_t i = 0; slots && i < t->n; i++)
        slots[slot_of(t, at[i].rdd)] = (uint32_t)i + 1;
    return true;
}

void spk_rows_add(spk_rows_table *t, const spark_rdd_rows *more)
{
    spark_rdd_rows *rows = find_rows(t, more->rdd);
    if (!rows) {
        if (t->n == t->max && !grow(t))
            return;
        rows = &t->at[t->n++];
        *rows = (spark_rdd_rows) { .rdd = more->rdd };
        if (t->slots)
            t->slots[slot_of(t, more->rdd)] = (uint32_t)t->n;
    }
    rows->made += more->made;
    rows->cached += more->cached;
    rows->ns += more->ns;
}

static int by_rdd(const void *a, const void *b)
{
    const spark_rdd_rows *x = a, *y = b;
    return (x->rdd > y->rdd) - (x->rdd < y->rdd);
}

spark_rdd_rows *spk_rows_tell(const spk_rows_table *t, spk_pad *pad)
{
    spark_rdd_rows *rows = t->n > 0 && pad ? spk_pad_alloc(pad, t->n * sizeof *rows) : NULL;
    if (rows) {
        memcpy(rows, t->at, t->n * sizeof *rows);
        qsort(rows, t->n, sizeof *rows, by_rdd);
    }
    return rows;
}

void spk_rows_table_fini(spk_rows_table *t)
{
    free(t->at);
    free(t->slots);
    *t = (spk_rows_table) { .at = NULL };
}

/* ---- an attempt */

void spk_notes_clear(spk_notes *notes)
{
    notes->sums.n = notes->counted.n = 0;
    notes->rows.n = 0;
    notes->rows.end_ns = 0;
    if (notes->rows.slots)
        spk_rows_table_fini(&notes->rows);
}

void spk_notes_free(spk_notes *list)
{
    for (spk_notes *next; list; list = next) {
        next = list->next;
        spk_heard_sums_fini(&list->sums);
        spk_heard_sums_fini(&list->counted);
        spk_rows_table_fini(&list->rows);
        free(list);
    }
}

/* spk_notes_pipe: an op takes in what the one before it has made. */
void spk_notes_pipe(spk_notes *notes, const spk_pipe *pipe)
{
    for (size_t i = 0; i <= pipe->n_ops; i++) {
        const spark_rdd *rdd = i > 0 ? pipe->ops[i - 1].rdd : pipe->at.rdd;
        const uint64_t n = i == 0 ? pipe->at.row : i < pipe->n_ops ? pipe->ops[i].seen : pipe->delivered;
        if (!rdd)
            continue;
        spark_rdd_rows rows = { .rdd = rdd->id };
        if (pipe->task->heard.watch)
            rows.ns = spk_stopwatch_total(pipe->task->heard.watch, i > 0 ? &pipe->ops[i - 1].taken : &pipe->taken);
        if (i == 0 && pipe->from_block)
            rows.cached = (int64_t)(n + pipe->within);
        else
            rows.made = (int64_t)n;
        spk_rows_add(&notes->rows, &rows);
    }
}
