/* SPDX-License-Identifier: Apache-2.0 */
/* Candidates become what a join gives. Where there are conditions beside the keys, candidates are collected
 * and the conditions run on a batch of them; the ends of probing rows wait among them in their order. */
#include "sql/exec/join.h"

spk_pairs *spk_pairs_new(const spk_join *j, spark_task *task, spk_arena *keep, spk_out *out)
{
    spk_pairs *p = spk_arena_alloc(keep, sizeof *p, 64);
    if (p) {
        *p = (spk_pairs) { .j = j, .task = task, .out = out, .probe_left = true, .more = true };
        p->inputs = spk_arena_alloc(keep, (j->left->n + j->right->n + 1) * sizeof *p->inputs, 16);
        p->residual = spk_sql_run_new(j->residual, keep);
        p->scratch = spk_step_arenas(task);
        p->rows = spk_arena_alloc(keep, (j->n_residual ? SPK_SQL_BATCH : 1) * (size_t)j->both->layout->size, 64);
        p->pending = spk_arena_alloc(keep, (j->n_residual ? 2 * SPK_SQL_BATCH : 1) * sizeof *p->pending, 16);
    }
    if (p && p->inputs && p->residual && p->scratch && p->rows && p->pending)
        return p;
    spk_task_nomem(task);
    return NULL;
}

/* room: for a row that comes out; NULL: no more is wanted. */
static inline char *room(spk_pairs *p)
{
    spark_emitter *e = &p->out->head;
    if (e->next != e->end || spk_emitter_room(e))
        return e->next;
    p->more = false;
    return NULL;
}

static inline void put(const spk_pairs *p, const spk_mover *left, const spk_mover *right, const char *probe,
    const char *built, char *row)
{
    spk_move_row(left, p->probe_left ? probe : built, row);
    spk_move_row(right, p->probe_left ? built : probe, row);
}

/* come_out: a pair. */
static inline void come_out(spk_pairs *p, const char *probe, const char *built)
{
    char *out = room(p);
    if (!out)
        return;
    put(p, &p->j->out_left, &p->j->out_right, probe, built, out);
    p->out->head.next += p->j->out->layout->size;
}

/* matched: whether the pair comes out. */
static bool matched(spk_pairs *p, uint8_t *mark)
{
    if (p->j->marks) { /* tasks share them */
        __atomic_store_n(mark, 1, __ATOMIC_RELAXED);
        return false;
    }
    const bool before = p->probe_left ? p->any : *mark;
    p->any = true;
    if (mark)
        *mark = 1;
    if (p->j->kind != SPK_PLAN_SINGLE || !before)
        return spk_join_gives_pairs(p->j);
    const spk_sql_error error = { .condition = "SCALAR_SUBQUERY_TOO_MANY_ROWS", .span = SPK_SQL_NOWHERE };
    spk_query_task_fails(p->j->query, p->task, &error);
    p->more = false;
    return false;
}

static void put_flag(const spk_slot *slot, bool flag, char *row)
{
    row[slot->offset] = true; /* where it is optional */
    row[slot->value] = flag;
}

/* alone: a row without its match, or a left row of which only that is asked whether it has one. */
static void alone(spk_pairs *p, const char *row, bool left, bool has_match)
{
    const spk_join *j = p->j;
    const bool mark = left && j->kind == SPK_PLAN_MARK, semi = left && j->kind == SPK_PLAN_SEMI;
    if (!mark && (semi ? !has_match : has_match || !spk_join_keeps(j, left)))
        return;
    char *out = room(p);
    if (!out)
        return;
    if (semi || j->kind == SPK_PLAN_ANTI) {
        memcpy(out, row, j->out->layout->size);
    } else {
        memset(out, 0, j->out->layout->size);
        spk_move_row(left ? &j->out_left : &j->out_right, row, out);
        if (mark)
            put_flag(&j->out->slots[j->out->n - 1], has_match, out);
    }
    p->out->head.next += j->out->layout->size;
}

/* choose: the candidates that meet the conditions; false: the task has failed. */
static bool choose(spk_pairs *p, spk_sql_rows *selected)
{
    const spk_join *j = p->j;
    *selected = (spk_sql_rows) { NULL, p->n_rows };
    spk_recycle(p->task, p->scratch);
    for (size_t i = 0; i < j->both->n; i++) {
        const spk_slot *slot = &j->both->slots[i];
        const size_t size = j->both->layout->size;
        p->inputs[j->both_at[i]] = (spk_sql_input) { p->rows + slot->value, size,
            slot->nullable ? (const uint8_t *)p->rows + slot->offset : NULL, size, 255, false };
    }
    spk_sql_run_begin(p->residual, p->inputs, p->n_rows, 0, p->scratch);
    for (uint32_t f = 0; f < j->n_residual && selected->n; f++) {
        const uint32_t kept = spk_sql_run_filter(p->residual, f, *selected, p->at);
        if (kept == UINT32_MAX) {
            spk_query_task_fails(j->query, p->task, spk_sql_run_error(p->residual));
            return false;
        }
        *selected = (spk_sql_rows) { p->at, kept };
    }
    return true;
}

void spk_pairs_settle(spk_pairs *p)
{
    spk_sql_rows selected = { NULL, 0 };
    uint32_t row = 0, k = 0;
    if (p->n_rows && p->more && !choose(p, &selected))
        p->more = false;
    for (uint32_t i = 0; i < p->n && p->more; i++) {
        const spk_pending *e = &p->pending[i];
        if (!e->built) {
            alone(p, e->probe, p->probe_left, p->any);
            p->any = false;
            continue;
        }
        const bool kept = k < selected.n && spk_sql_row(selected, k) == row;
        k += kept;
        if (kept && matched(p, e->mark))
            come_out(p, e->probe, e->built);
        row++;
    }
    p->n = p->n_rows = 0;
    p->waits = false;
}

void spk_pairs_add(spk_pairs *p, const char *probe, const char *built, uint8_t *mark)
{
    const spk_join *j = p->j;
    if (j->n_residual) {
        put(p, &j->put_left, &j->put_right, probe, built, p->rows + p->n_rows++ * (size_t)j->both->layout->size);
        p->pending[p->n++] = (spk_pending) { probe, built, mark };
        if (p->n_rows == SPK_SQL_BATCH || p->n == 2 * SPK_SQL_BATCH)
            spk_pairs_settle(p);
        return;
    }
    if (matched(p, mark))
        come_out(p, probe, built);
}

void spk_pairs_end(spk_pairs *p, const char *probe, bool matched_all)
{
    if (matched_all)
        p->any = true;
    if (p->n == 0) {
        alone(p, probe, p->probe_left, p->any);
        p->any = false;
        return;
    }
    p->pending[p->n++] = (spk_pending) { probe, NULL, NULL };
    p->waits = true;
    if (p->n == 2 * SPK_SQL_BATCH)
        spk_pairs_settle(p);
}

void spk_pairs_rest(spk_pairs *p, const char *built, bool has_match)
{
    alone(p, built, !p->probe_left, has_match);
}
