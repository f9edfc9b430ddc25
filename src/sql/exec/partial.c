/* SPDX-License-Identifier: Apache-2.0 */
/* A step that aggregates before the shuffle: keys and arguments are computed as vectors, rows find their states
 * in a table, and states take in a batch at a time; the shuffle then merges what it reads, and combines nothing.
 *
 * A window ends where the rows say: at so many keys or bytes of keys, four times as many where it combines so far, and
 * once more; its pairs go on then. Where it has hardly combined, the rows of the next windows become pairs of their
 * own (as the shuffle's map side does it). What states point to lies in memory of the table, and a window
 * ends, too, where the values they may keep are so many bytes (kept.h). */
#include "sql/exec/partial.h"

#include "base/prefetch.h"
#include "rdd/verb.h"
#include "shuffle/table.h"
#include "sql/eval/agg.h"
#include "sql/exec/coded.h"
#include "sql/exec/kept.h"
#include "sql/exec/move.h"
#include "sql/exec/naming.h"
#include "sql/exec/recent.h"
#include "sql/exec/taker.h"

enum { FIRST_BYTES = 1024 * 1024, WINDOW_BYTES = 4 * 1024 * 1024, WIDEST = 2, RAW_WINDOWS = 32 };
enum { FEW_ROWS = 5 }; /* for 4 keys: fewer are not worth a table */
enum { NEAR = 512 * 1024, LINE = 64 }; /* bytes of states from which they are fetched ahead */
enum { FEW = 64, ROWS_EACH = 4 }; /* so few groups, with so many rows each: one group after the other */

typedef struct partial_rdd {
    spark_rdd rdd;
    spk_query *query;
    spk_partial p;
    const spk_form *pair;
    const spk_sql_program *program;
    uint32_t value_offset;
    const char *blank; /* states of no rows */
    bool zeros;        /* that is what these are */
    bool exact;        /* states are the same bits however rows are combined */
    bool views; /* pairs point elsewhere */
    spk_kept kept;
    const size_t *twins; /* of each aggregate: one before it whose states are the same; or itself */
    bool takes;          /* columns as they are */
    const uint32_t *columns[2]; /* of its input: those that keys name, and arguments */
    size_t n_columns[2];
    const uint32_t *plain; /* keys that are columns, all of them; else n_plain is 0 */
    size_t n_plain;
} partial_rdd;

/* retired: a table whose rows may still wait in the emitter. */
typedef struct retired {
    struct retired *next;
    spk_table table;
} retired;

typedef struct partial_state {
    spark_task *task;
    spk_sql_run *run;
    spk_arena *arenas, *scratch;
    spk_sql_input *inputs;
    spk_sql_vector *keys, *args; /* args: by expression, behind the keys */
    bool *narrow;                /* of args: 64 bits for 128 */
    spk_sql_rows batch;          /* all that follows goes by positions in these rows */
    spk_vectors *scan;              /* whose columns are taken; NULL: rows are */
    bool has_keys;               /* for all rows of the batch */
    bool is_coded;
    spk_coded coded;
    uint8_t *chosen;             /* of each filter: SPK_SQL_BATCH bytes */
    spk_recent recent;
    spk_table table;
    spk_found found;
    retired *retired;
    char *key_rows, *rows; /* of a batch: keys, pairs */
    bool waits;            /* rows in the emitter point to what was computed, or to a table */
    char *single;          /* the pair of an aggregation without keys */
    bool any;
    uint64_t n_rows, n_missed; /* of the window; those whose keys did not come in the same batch before */
    uint64_t raw_left;         /* rows that are passed on */
    uint32_t width;            /* of the window: how often it has become four times as wide */
    uint64_t left;             /* bytes of values that states may still keep in the window */
    spk_arena *arena;          /* of what states point to */
    uint32_t groups[SPK_SQL_BATCH];
    uint16_t missed[SPK_SQL_BATCH], at[SPK_SQL_BATCH], order[SPK_SQL_BATCH];
    uint32_t starts[FEW + 1];    /* of each group in `order` */
    char *states[SPK_SQL_BATCH];
    spk_out out;
} partial_state;

static void end_partial(void *data)
{
    partial_state *s = data;
    spk_table_fini(&s->table);
    for (retired *r = s->retired; r; r = r->next)
        spk_table_fini(&r->table);
}

static bool new_table(const partial_rdd *r, partial_state *s)
{
    s->left = WINDOW_BYTES;
    return spk_table_init(
        &s->table, s->task->heap, r->p.keys->layout, r->pair->layout->size, 0, false);
}

static bool allocate(const partial_rdd *r, partial_state *s, spk_arena *keep)
{
    const size_t n = r->p.n_exprs + 1;
    s->inputs = spk_arena_alloc(keep, (r->p.in->n + 1) * sizeof *s->inputs, 16);
    s->keys = spk_arena_alloc(keep, (r->p.keys->n + 1) * sizeof *s->keys, 16);
    s->args = spk_arena_alloc(keep, n * sizeof *s->args, 16);
    s->narrow = spk_arena_alloc(keep, n, 1);
    s->chosen = spk_arena_alloc(keep, (r->p.plan->n_aggs + 1) * SPK_SQL_BATCH, 64);
    s->key_rows = spk_arena_alloc(keep, SPK_SQL_BATCH * (size_t)r->p.keys->layout->size, 64);
    s->rows = spk_arena_alloc(keep, SPK_SQL_BATCH * (size_t)r->pair->layout->size, 64);
    s->single = spk_arena_alloc(keep, r->pair->layout->size, 64);
    s->found.hashes = spk_arena_alloc(keep, SPK_SQL_BATCH * sizeof *s->found.hashes, 64);
    s->found.rows = spk_arena_alloc(keep, SPK_SQL_BATCH * sizeof *s->found.rows, 64);
    s->found.hits = spk_arena_alloc(keep, SPK_SQL_BATCH * sizeof *s->found.hits, 64);
    s->run = spk_sql_run_new(r->program, keep);
    return s->inputs && s->keys && s->args && s->narrow && s->chosen && s->key_rows && s->rows && s->single && s->found.hashes
        && s->found.rows && s->found.hits && s->run
        && spk_recent_init(&s->recent, keep, r->p.keys->slots, r->p.keys->n)
        && spk_coded_init(&s->coded, keep, r->plain, r->n_plain);
}

static SPK_COLD bool open_partial(spk_pipe *pipe, spk_op *op)
{
    const partial_rdd *r = SPK_NODE(partial_rdd, op->rdd);
    spk_arena *keep = spk_keep_of(pipe->task);
    partial_state *s = spk_arena_alloc(keep, sizeof *s, 64);
    if (!s) {
        spk_task_nomem(pipe->task);
        return false;
    }
    memset(s, 0, sizeof *s);
    s->task = pipe->task;
    s->arena = &s->table.strings;
    s->arenas = spk_step_arenas(pipe->task);
    s->scratch = spk_step_arenas(pipe->task);
    if (!s->arenas || !s->scratch)
        return false;
    if (!allocate(r, s, keep) || !new_table(r, s)) {
        spk_task_nomem(pipe->task);
        return false;
    }
    memset(s->narrow, 0, r->p.n_exprs + 1); /* an aggregate without arguments reads one that none sets */
    memset(s->single, 0, r->pair->layout->size);
    memcpy(s->single + r->value_offset, r->blank, r->p.states->layout->size);
    spark_defer(pipe->task, end_partial, s);
    op->state = s;
    return !spk_task_failed(pipe->task);
}

/* ---- states */

/* rows_of: those of some rows that pass an aggregate's filter. */
static spk_sql_rows rows_of(const partial_rdd *r, partial_state *s, size_t w, spk_sql_rows rows)
{
    const uint8_t *chosen = r->p.filter[w] < 0 ? NULL : s->chosen + w * SPK_SQL_BATCH;
    uint32_t n = 0;
    if (!chosen)
        return rows;
    for (uint32_t k = 0; k < rows.n; k++) {
        const uint32_t i = spk_sql_row(rows, k);
        s->at[n] = (uint16_t)i;
        n += chosen[i];
    }
    return (spk_sql_rows) { s->at, n };
}

/* update: an aggregate takes in rows: all into one state, or each into its own. */
static bool update(const partial_rdd *r, partial_state *s, size_t w, spk_sql_rows rows, char *const *states, char *state)
{
    spk_sql_error error;
    spk_agg_error_open(&error);
    spk_sql_agg_frame f = { .aggregate = r->p.plan->aggs[w].aggregate,
        .args = s->args + r->p.first[w],
        .rows = rows,
        .states = states,
        .state = state,
        .narrow = s->narrow[r->p.first[w]],
        .arena = s->arena,
        .error = &error };
    if (!rows.n || spk_sql_agg_update(&f))
        return true;
    spk_query_task_fails(r->query, s->task, &error);
    return false;
}

/* sort_rows: rows at positions from..to by their groups, each with its own in their order. */
static void sort_rows(partial_state *s, uint32_t from, uint32_t to)
{
    uint32_t next[FEW + 1] = { 0 };
    for (uint32_t k = from; k < to; k++)
        next[s->groups[k] + 1]++;
    for (uint32_t g = 0; g < s->table.n; g++) {
        next[g + 1] += next[g];
        s->starts[g] = next[g];
    }
    s->starts[s->table.n] = next[s->table.n];
    for (uint32_t k = from; k < to; k++)
        s->order[next[s->groups[k]]++] = (uint16_t)spk_sql_row(s->batch, k);
}

/* by_group: the rows that are sorted, one group after the other. */
static bool by_group(const partial_rdd *r, partial_state *s, size_t w, char *base, size_t step)
{
    for (uint32_t g = 0; g < s->table.n; g++) {
        const spk_sql_rows rows = { s->order + s->starts[g], s->starts[g + 1] - s->starts[g] };
        if (rows.n && !update(r, s, w, rows_of(r, s, w, rows), NULL, base + g * step))
            return false;
    }
    return true;
}

/* fetch: the states of rows at positions from..to, where they are many. */
static void fetch(const partial_state *s, const char *base, size_t step, uint32_t from, uint32_t to)
{
    for (uint32_t k = from; k < to && s->table.n * step > NEAR; k++)
        for (size_t at = 0; at < step; at += LINE)
            spk_prefetch(base + s->groups[k] * step + at);
}

/* one_by_one: rows at positions from..to, each into the state of its group. */
static bool one_by_one(
    const partial_rdd *r, partial_state *s, size_t w, char *base, size_t step, uint32_t from, uint32_t to)
{
    const uint8_t *chosen = r->p.filter[w] < 0 ? NULL : s->chosen + w * SPK_SQL_BATCH;
    uint32_t n = 0;
    for (uint32_t k = from; k < to; k++) {
        const uint32_t i = spk_sql_row(s->batch, k);
        s->at[n] = (uint16_t)i;
        s->states[n] = base + s->groups[k] * step;
        n += chosen ? chosen[i] : 1;
    }
    return update(r, s, w, (spk_sql_rows) { s->at, n }, s->states, NULL);
}

/* all_of: the rows at positions from..to. */
static spk_sql_rows all_of(partial_state *s, uint32_t from, uint32_t to)
{
    if (from == 0 && to == s->batch.n)
        return s->batch;
    for (uint32_t k = from; k < to; k++)
        s->order[k - from] = (uint16_t)spk_sql_row(s->batch, k);
    return (spk_sql_rows) { s->order, to - from };
}

/* take_in: rows at positions from..to into the states at `base` + their group * step; step 0: into one.
 * sorted: sort_rows has been called. False: the task has failed. */
static bool take_in(
    const partial_rdd *r, partial_state *s, char *base, size_t step, uint32_t from, uint32_t to, bool sorted)
{
    if (step && !sorted)
        fetch(s, base, step, from, to);
    for (size_t w = 0; w < r->p.plan->n_aggs; w++) {
        char *const state = base + r->p.states->slots[w].value;
        if (r->twins[w] != w)
            continue;
        if (!step ? !update(r, s, w, rows_of(r, s, w, all_of(s, from, to)), NULL, state)
                : sorted ? !by_group(r, s, w, state, step)
                         : !one_by_one(r, s, w, state, step, from, to))
            return false;
    }
    return true;
}

/* seal: n pairs, side by side, are done: twins get what the other has. */
static void seal(const partial_rdd *r, char *pairs, size_t n)
{
    const spk_slot *slots = r->p.states->slots;
    for (size_t w = 0; w < r->p.plan->n_aggs; w++) {
        char *to = pairs + r->value_offset + slots[w].value;
        for (size_t i = 0; r->kept.any && i < n; i++)
            spk_sql_agg_seal(r->p.plan->aggs[w].aggregate, to + i * r->pair->layout->size);
        const char *from = pairs + r->value_offset + slots[r->twins[w]].value;
        for (size_t i = 0; r->twins[w] != w && i < n; i++)
            memcpy(to + i * r->pair->layout->size, from + i * r->pair->layout->size, slots[w].type->size);
    }
}

/* ---- keys */

/* columns: those of the input that keys, or arguments, name, for these rows; where rows are taken they are there. */
static bool columns(const partial_rdd *r, partial_state *s, int which, spk_sql_rows rows)
{
    for (size_t i = 0; s->scan && i < r->n_columns[which]; i++) {
        const uint32_t c = r->columns[which][i];
        const spk_sql_input *in = s->scan->give(s->scan, c, rows);
        if (!in)
            return false;
        s->inputs[c] = *in;
    }
    return true;
}

/* keys: of these rows. */
static bool keys(const partial_rdd *r, partial_state *s, spk_sql_rows rows)
{
    if (!columns(r, s, 0, rows))
        return false;
    for (size_t k = 0; k < r->p.keys->n; k++)
        if (!spk_sql_run_eval(s->run, (uint32_t)k, rows, &s->keys[k])) {
            spk_query_task_fails(r->query, s->task, spk_sql_run_error(s->run));
            return false;
        }
    return true;
}

/* ---- windows */

/* combines: whether the window has so many rows for 4 keys; not counting rows that would combine without a table, with
 * others of their batch. */
static bool combines(const partial_rdd *r, const partial_state *s, uint64_t rows)
{
    return (r->exact ? s->n_missed : s->n_rows) * 4 >= s->table.n * rows;
}

/* renew: a table for the next window; what waits in the emitter points into the last one. */
static bool renew(const partial_rdd *r, partial_state *s)
{
    retired *old = spk_arena_alloc(spk_keep_of(s->task), sizeof *old, 16);
    if (old) {
        *old = (retired) { s->retired, s->table };
        s->retired = old;
        s->table = (spk_table) { .heap = s->task->heap };
    }
    if (old && new_table(r, s))
        return true;
    spk_task_nomem(s->task);
    return false;
}

/* emit: n pairs, side by side, as many at once as the emitter has room for. False: no more. */
static bool emit(const partial_rdd *r, partial_state *s, const char *pairs, size_t n)
{
    const size_t size = r->pair->layout->size;
    spark_emitter *e = &s->out.head;
    for (size_t some; n > 0; n -= some, pairs += some * size) {
        const size_t room = (size_t)(e->end - e->next) / size;
        some = room < n ? room : n;
        if (e->closed || (some == 0 && !spk_emitter_room(e)))
            return false;
        memcpy(e->next, pairs, some * size);
        e->next += some * size;
    }
    return true;
}

/* flush: the pairs of the window, or the one of an aggregation without keys, go on, and the next one begins. raw: rows
 * become pairs of their own first. */
static bool flush(const partial_rdd *r, partial_state *s, bool raw)
{
    const size_t size = r->pair->layout->size;
    char *pairs = r->p.keys->n ? s->table.rows : s->single;
    const uint32_t n = r->p.keys->n ? s->table.n : 1;
    seal(r, pairs, n);
    if (!emit(r, s, pairs, n))
        return false;
    if (raw)
        s->raw_left = (uint64_t)RAW_WINDOWS * (WINDOW_BYTES / size + 1);
    s->n_rows = s->n_missed = 0;
    s->width = 0;
    s->any = false;
    memcpy(s->single + r->value_offset, r->blank, r->p.states->layout->size);
    spk_recent_clear(&s->recent);
    spk_coded_clear(&s->coded);
    if (r->views)
        return renew(r, s);
    spk_table_clear(&s->table);
    return true;
}

/* full: the window has no room for the next row: it becomes wider, where keys repeat, or is flushed. Small pairs, which
 * cost less to pass on than in a table, are judged by the very first keys, and so are rows most of which come in the
 * same batch as one of the same key. */
static bool full(const partial_rdd *r, partial_state *s)
{
    const bool early = spk_table_is_dear(r->pair->layout) || (r->exact && s->n_rows >= 2 * s->n_missed);
    const uint64_t rows[] = { early ? FEW_ROWS : 0, FEW_ROWS + 1, FEW_ROWS };
    const bool raw = !combines(r, s, rows[s->width]);
    if (raw || s->width == WIDEST)
        return flush(r, s, raw);
    s->width++;
    return true;
}

/* filled: the values of the window are as many as states may keep: where they have dropped most of them it goes on. */
static bool filled(const partial_rdd *r, partial_state *s)
{
    const bool raw = !combines(r, s, FEW_ROWS);
    if (!r->kept.drops || !r->p.keys->n)
        return flush(r, s, raw);
    if (!spk_table_compact(&s->table, r->value_offset, r->p.states->layout)) {
        spk_task_nomem(s->task);
        return false;
    }
    seal(r, s->table.rows, s->table.n);
    if (s->table.strings.bytes > WINDOW_BYTES / 2)
        return flush(r, s, raw);
    s->left = WINDOW_BYTES - s->table.strings.bytes;
    return true;
}

/* missing: the rows at the positions in s->missed, whose keys are computed now where they are not there yet. */
static bool missing(const partial_rdd *r, partial_state *s, uint32_t m, spk_sql_rows *rows)
{
    for (uint32_t k = 0; k < m; k++)
        s->at[k] = (uint16_t)spk_sql_row(s->batch, s->missed[k]);
    spk_sql_run_others(s->run);
    *rows = (spk_sql_rows) { s->at, m };
    return s->has_keys || keys(r, s, *rows);
}

/* settle: rows at positions from..end have groups, the first `done` of the m that were missed those that were found.
 * Returns end. */
static uint32_t settle(partial_state *s, uint32_t done, uint32_t m, uint32_t from, uint32_t end)
{
    const uint32_t *found = s->found.rows;
    s->n_missed += done
        + (s->is_coded ? spk_coded_settle(&s->coded, found, done, s->missed, m, s->groups, from, end)
                       : spk_recent_settle(&s->recent, found, done, m, s->groups, from, end));
    return end;
}

/* find: the groups of the rows at positions from..n; returns the first one that has none, for the window is full.
 * UINT32_MAX: the task has failed. */
static uint32_t find(const partial_rdd *r, partial_state *s, uint32_t from, uint32_t n)
{
    const size_t size = r->p.keys->layout->size;
    const spk_value_move move = { .to = r->value_offset, .size = r->p.states->layout->size, .zero = r->blank };
    spk_sql_rows rows;
    const uint32_t m = s->is_coded ? spk_coded_find(&s->coded, from, n, s->groups, s->missed)
                                   : spk_recent_find(&s->recent, s->keys, s->batch, from, n, s->groups, s->missed);
    if (m == 0)
        return settle(s, 0, 0, from, n);
    if (!missing(r, s, m, &rows))
        return UINT32_MAX;
    memset(s->key_rows, 0, m * size);
    for (size_t k = 0; k < r->p.keys->n; k++)
        spk_store_column(&r->p.keys->slots[k], &s->keys[k], rows, s->key_rows, size);
    const size_t done = spk_table_find(
        &s->table, s->key_rows, size, m, NULL, &move, (uint32_t)SPK_TABLE_FIRST_KEYS << 2 * s->width,
        (uint64_t)FIRST_BYTES << 2 * s->width, &s->found);
    if (done == SIZE_MAX) {
        spk_task_nomem(s->task);
        return UINT32_MAX;
    }
    return settle(s, (uint32_t)done, m, from, done < m ? s->missed[done] : n);
}

/* alike: rows at positions from..to become groups; returns how many, and in s->missed one row of each. */
static uint32_t alike(const partial_rdd *r, partial_state *s, uint32_t from, uint32_t to)
{
    if (r->exact && spk_recent_pays(&s->recent))
        return spk_recent_alike(&s->recent, s->keys, s->batch, from, to, s->groups, s->missed);
    for (uint32_t k = from; k < to; k++) {
        s->missed[k - from] = (uint16_t)k;
        s->groups[k] = k - from;
    }
    return to - from;
}

/* pass_on: rows at positions from..to, each with states of its own, or those of the same key with theirs. */
static bool pass_on(const partial_rdd *r, partial_state *s, uint32_t from, uint32_t to)
{
    const size_t size = r->pair->layout->size;
    spk_sql_rows rows;
    if (!s->has_keys && !keys(r, s, s->batch))
        return false;
    s->has_keys = true;
    const uint32_t n = alike(r, s, from, to);
    memset(s->rows, 0, n * size);
    for (uint32_t k = 0; k < n && !r->zeros; k++)
        memcpy(s->rows + k * size + r->value_offset, r->blank, r->p.states->layout->size);
    if (!missing(r, s, n, &rows))
        return false;
    for (size_t k = 0; k < r->p.keys->n; k++)
        spk_store_column(&r->pair->slots[k], &s->keys[k], rows, s->rows, size);
    s->arena = &s->scratch[1];
    const bool good = take_in(r, s, s->rows + r->value_offset, size, from, to, false);
    s->arena = &s->table.strings;
    if (!good)
        return false;
    seal(r, s->rows, n);
    s->raw_left -= to - from;
    return emit(r, s, s->rows, n);
}

/* take_some: rows from a position on, as many as the window has room for, whose end goes to *to. False: the task has
 * failed. */
static bool take_some(const partial_rdd *r, partial_state *s, uint32_t from, uint32_t *to)
{
    const spk_sql_vector *args = s->args;
    const uint64_t left = s->left;
    const uint32_t reach = spk_kept_reach(&r->kept, args, s->batch, from, s->batch.n, &s->left);
    if (r->p.keys->n == 0) {
        *to = reach;
        s->any = true;
        return take_in(r, s, s->single + r->value_offset, 0, from, reach, false);
    }
    const uint32_t end = *to = find(r, s, from, reach);
    if (end == UINT32_MAX)
        return false;
    if (end < reach) {
        s->left = left;
        (void)spk_kept_reach(&r->kept, args, s->batch, from, end, &s->left);
    }
    const bool sorted = s->table.n <= FEW && end - from >= ROWS_EACH * s->table.n;
    if (sorted)
        sort_rows(s, from, end);
    s->n_rows += end - from;
    return take_in(r, s, s->table.rows + r->value_offset, s->table.row_size, from, end, sorted);
}

/* take_batch: the rows of the batch, whose arguments are computed; false: no more. */
static bool take_batch(const partial_rdd *r, partial_state *s)
{
    const uint32_t n = s->batch.n;
    bool more = true;
    for (uint32_t from = 0, to; from < n && more; from = to) {
        if (s->raw_left) {
            to = s->raw_left < n - from ? from + (uint32_t)s->raw_left : n;
            more = pass_on(r, s, from, to);
        } else if (take_some(r, s, from, &to)) {
            more = s->left == 0 ? filled(r, s) : to == n || full(r, s);
        } else {
            return false;
        }
    }
    return more;
}

/* ---- the step */

/* evaluate: arguments and filters of a batch, and keys, unless they have codes. */
static bool evaluate(const partial_rdd *r, partial_state *s)
{
    s->has_keys = !s->is_coded;
    if ((!s->is_coded && !keys(r, s, s->batch)) || !columns(r, s, 1, s->batch))
        return false;
    for (size_t w = 0; w < r->p.plan->n_aggs; w++) {
        const spk_sql_aggregate *a = r->p.plan->aggs[w].aggregate;
        const bool narrow = spk_sql_agg_takes_narrow(a);
        for (size_t i = r->p.first[w]; i < r->p.first[w] + a->n + (r->p.filter[w] >= 0); i++) {
            const uint32_t which = (uint32_t)(r->p.keys->n + i);
            s->narrow[i] = false;
            if (!(narrow ? spk_sql_run_narrow(s->run, which, s->batch, &s->args[i], &s->narrow[i])
                         : spk_sql_run_eval(s->run, which, s->batch, &s->args[i]))) {
                spk_query_task_fails(r->query, s->task, spk_sql_run_error(s->run));
                return false;
            }
        }
        if (r->p.filter[w] < 0)
            continue;
        const spk_sql_vector *v = &s->args[r->p.filter[w]];
        for (uint32_t k = 0; k < s->batch.n; k++) {
            const uint32_t i = spk_sql_row(s->batch, k);
            s->chosen[w * SPK_SQL_BATCH + i] = spk_sql_valid(v, i) && SPK_SQL_VALUE(bool, v, i);
        }
    }
    return true;
}

/* recycle: nothing points any more to what was computed of earlier batches, nor to earlier tables. */
static void recycle(partial_state *s)
{
    for (; s->retired; s->retired = s->retired->next)
        spk_table_fini(&s->retired->table);
    spk_recycle(s->task, &s->scratch[0]);
    spk_recycle(s->task, &s->scratch[1]);
}

static bool begin(spk_pipe *pipe, spk_op *op)
{
    const partial_rdd *r = SPK_NODE(partial_rdd, op->rdd);
    partial_state *s = op->state;
    recycle(s);
    s->waits = false;
    return spk_out_open(&s->out, pipe, (size_t)(op - pipe->ops) + 1, r->pair->layout->size, s->arenas);
}

static void run_partial(spk_pipe *pipe, spk_op *op, spk_batch *batch)
{
    const partial_rdd *r = SPK_NODE(partial_rdd, op->rdd);
    partial_state *s = op->state;
    const spk_batch in = *batch;
    const size_t size = r->p.in->layout->size;
    bool more = true;
    batch->n = 0;
    if (!begin(pipe, op))
        return;
    more = !s->out.head.closed;
    for (size_t i = 0; i < in.n && more && !spk_task_failed(pipe->task); i += SPK_SQL_BATCH) {
        const uint32_t n = in.n - i < SPK_SQL_BATCH ? (uint32_t)(in.n - i) : SPK_SQL_BATCH;
        const uint64_t first = spk_row_number(op) + i;
        spk_form_inputs(r->p.in, in.rows + i * size, s->inputs);
        spk_sql_run_begin(s->run, s->inputs, n, first, &s->scratch[0]);
        s->batch = (spk_sql_rows) { NULL, n };
        more = evaluate(r, s) && take_batch(r, s);
    }
    spk_out_close(&s->out, batch);
}

/* ---- columns */

static bool take(spk_pipe *pipe, spk_op *op, spk_vectors *scan)
{
    (void)pipe;
    const partial_rdd *r = SPK_NODE(partial_rdd, op->rdd);
    partial_state *s = op->state;
    scan->held = true; /* what waits in the emitter may point to what is computed */
    if (!s->waits)
        recycle(s);
    s->scan = scan;
    s->batch = scan->rows;
    spk_sql_run_begin(s->run, s->inputs, scan->n, 0, &s->scratch[0]);
    s->is_coded = !s->raw_left && spk_coded_open(&s->coded, scan);
    const bool more = evaluate(r, s) && take_batch(r, s);
    s->scan = NULL;
    s->is_coded = false;
    s->waits = r->views && !spk_emitter_pass(&s->out.head);
    scan->held = s->waits;
    return more && !s->out.head.closed;
}

static void end(spk_pipe *pipe, spk_op *op)
{
    partial_state *s = op->state;
    spk_batch batch;
    spk_out_close(&s->out, &batch);
    if (batch.n && !spk_task_failed(pipe->task))
        (void)spk_pipe_push(pipe, (size_t)(op - pipe->ops) + 1, batch);
}

static void finish_partial(spk_pipe *pipe, spk_op *op, spk_batch *batch)
{
    const partial_rdd *r = SPK_NODE(partial_rdd, op->rdd);
    partial_state *s = op->state;
    (void)pipe;
    if (r->p.keys->n == 0) {
        if (s->any) {
            seal(r, s->single, 1);
            *batch = (spk_batch) { s->single, 1 };
        }
        return;
    }
    seal(r, s->table.rows, s->table.n);
    *batch = (spk_batch) { s->table.rows, s->table.n };
}

static void release_partial(spark_rdd *rdd)
{
    if (SPK_NODE(partial_rdd, rdd)->query)
        spk_query_unref(SPK_NODE(partial_rdd, rdd)->query);
}

/* blank_states: of no rows. NULL: the query's error. */
static const char *blank_states(spk_query *q, const spk_partial *p)
{
    char *blank = spk_arena_alloc(&q->arena, p->states->layout->size + 1, 16);
    if (!blank) {
        spk_sql_nomem(&q->error);
        return NULL;
    }
    memset(blank, 0, p->states->layout->size);
    for (size_t w = 0; w < p->plan->n_aggs; w++)
        spk_sql_agg_init(p->plan->aggs[w].aggregate, blank + p->states->slots[w].value);
    return blank;
}

static bool all_zeros(const char *at, size_t n)
{
    while (n > 0 && at[n - 1] == 0)
        n--;
    return n == 0;
}

/* is_exact: whether it does not show in a state which rows were combined first: there are no fractions in it, nor what
 * it points to. */
static SPK_COLD bool is_exact(const spk_sql_type *t)
{
    bool exact = spk_sql_is_integral(t) || spk_sql_is_interval(t) || t->kind == SPK_SQL_DECIMAL || t->kind == SPK_SQL_BOOLEAN
        || t->kind == SPK_SQL_DATE || t->kind == SPK_SQL_TIMESTAMP || t->kind == SPK_SQL_STRUCT;
    for (size_t i = 0; t->kind == SPK_SQL_STRUCT && i < t->n && exact; i++)
        exact = is_exact(t->fields[i].type);
    return exact;
}

/* twins_of: aggregates that keep the same of the same rows, as avg(x) and sum(x) do. */
static const size_t *twins_of(spk_query *q, const spk_partial *p)
{
    size_t *twins = spk_arena_alloc(&q->arena, (p->plan->n_aggs + 1) * sizeof *twins, 8);
    if (!twins) {
        spk_sql_nomem(&q->error);
        return NULL;
    }
    for (size_t w = 0; w < p->plan->n_aggs; w++) {
        const spk_plan_agg *b = &p->plan->aggs[w];
        twins[w] = w;
        for (size_t v = 0; v < w && twins[w] == w; v++) {
            const spk_plan_agg *a = &p->plan->aggs[v];
            if (twins[v] == v && spk_sql_agg_same_state(a->aggregate, b->aggregate)
                && (a->filter ? b->filter && spk_expr_same(a->filter, b->filter) : !b->filter)
                && spk_expr_same(a->aggregate->args[0], b->aggregate->args[0]))
                twins[w] = v;
        }
    }
    return twins;
}

/* plan_columns: what of the input is asked for, and whether it may be columns. */
static SPK_COLD void plan_columns(spk_query *q, partial_rdd *r)
{
    const spk_partial *p = &r->p;
    const size_t n_keys = p->keys->n;
    uint32_t *plain = NULL;
    r->takes = true;
    for (size_t which = 0; which < 2; which++) {
        spk_naming m = { &q->analyzer, p->plan->in[0], NULL, 0 };
        for (size_t i = which ? n_keys : 0; i < (which ? p->n_exprs : n_keys); i++) {
            spk_names_of(&m, p->exprs[i]);
            r->takes = r->takes && p->exprs[i]->deterministic; /* else rows have numbers */
        }
        r->columns[which] = m.columns;
        r->n_columns[which] = m.n;
    }
    for (size_t k = 0; k < n_keys && p->exprs[k]->kind == SPK_SQL_COLUMN; k++) {
        spk_naming m = { &q->analyzer, p->plan->in[0], NULL, 0 };
        spk_names_of(&m, p->exprs[k]);
        if (m.n)
            SPK_ADD(&q->analyzer, plain, r->n_plain, m.columns[0]);
    }
    r->plain = plain;
    if (r->n_plain < n_keys)
        r->n_plain = 0;
}

static const spk_class partial_class = { .name = "MapPartitionsRDD",
    .open = open_partial,
    .run = run_partial,
    .finish = finish_partial,
    .release = release_partial };

const spk_taker *spk_partial_taker(const spark_rdd *rdd)
{
    static const spk_taker taker = { begin, take, end };
    return rdd->class == &partial_class && SPK_NODE(partial_rdd, rdd)->takes ? &taker : NULL;
}

spark_rdd *spk_exec_partial(spk_query *q, spark_rdd *rdd, const spk_partial *p)
{
    const spk_form *pair = spk_form_pair(q, p->keys, p->states);
    const spk_plan *below = p->plan->in[0];
    spk_verb v;
    bool made;
    const char *blank = pair ? blank_states(q, p) : NULL;
    const spk_sql_program *program = blank ? spk_program_of(q, p->exprs, p->n_exprs, &below, 1) : NULL;
    partial_rdd plain = { .p = *p, .twins = program ? twins_of(q, p) : NULL };
    if (!plain.twins || !spk_kept_of(q, p, &plain.kept))
        return NULL;
    plan_columns(q, &plain);
    if (spk_sql_failed(&q->error))
        return NULL;
    spk_verb_begin(&v, q->analyzer.site, "aggregate", NULL, 1, &rdd, NULL);
    rdd = spk_verb_make(&v, &partial_class, sizeof(partial_rdd), pair->layout, &made);
    if (made) {
        partial_rdd *r = SPK_NODE(partial_rdd, rdd);
        SPK_NODE_FILL(partial_rdd, r, &plain);
        r->pair = pair;
        r->program = program;
        r->blank = blank;
        r->exact = true;
        for (size_t w = 0; w < p->plan->n_aggs; w++)
            r->exact = r->exact && is_exact(p->states->slots[w].type);
        r->zeros = all_zeros(blank, p->states->layout->size);
        r->value_offset = pair->layout->value_offset;
        r->views = pair->layout->views;
        r->query = q;
        spk_query_ref(q);
    }
    return rdd;
}
