/* SPDX-License-Identifier: Apache-2.0 */
/* Probing by columns: keys of a batch are looked up, and what has a match goes on as columns again: those of the left
 * side where they are, those of the right side gathered when they are asked for.
 *
 * straight: no row of a batch has two matches: rows keep their places in the batch. Otherwise pairs are a batch of
 * their own, into which left columns are gathered as well. */
#include "sql/exec/join_table.h"
#include "sql/exec/naming.h"

typedef enum side { LEFT, RIGHT, FLAG } side;

/* source: where a column comes from: a column of the left side, a slot of the right one's rows, or whether there is a
 * match. */
typedef struct source {
    side side;
    uint32_t column;
    const spk_slot *slot;
    uint32_t size;
} source;

struct spk_join_columns {
    const uint32_t *keys; /* columns of the left side that the keys name */
    size_t n_keys;
    const source *out, *both; /* both: what the remaining conditions name */
    size_t n_out, n_both;
};

/* gathered: values and validity of a batch. */
typedef struct gathered {
    spk_sql_input input;
    char *values;
    uint8_t *valid;
    bool whole; /* for all rows that count */
} gathered;

typedef struct spk_join_prober {
    spk_vectors columns; /* first: what is handed on */
    const spk_join_rdd *r;
    spark_task *task;
    spk_vectors *up;
    spk_join_keys *keys;
    bool straight;
    uint32_t m; /* pairs: */
    uint16_t rows[SPK_SQL_BATCH], positions[SPK_SQL_BATCH]; /* of the left row: in its batch, and among those that count */
    uint32_t built[SPK_SQL_BATCH]; /* the right row + 1; 0: none */
    uint32_t of[SPK_SQL_BATCH];    /* the same by place in the batch that goes on */
    uint8_t matched[SPK_SQL_BATCH]; /* by position */
    uint16_t at[SPK_SQL_BATCH], chosen[SPK_SQL_BATCH];
    gathered *out, *both;
    spk_sql_run *residual;
    spk_sql_input *inputs; /* of both sides */
    spk_arena *arenas, *scratch;
    spk_onward onward;
} spk_join_prober;

static bool asks(const spk_join *j)
{
    return j->kind == SPK_PLAN_SEMI || j->kind == SPK_PLAN_ANTI || j->kind == SPK_PLAN_MARK;
}

/* ---- columns */

#define GATHER(T)                                                                                                     \
    for (uint32_t k = 0; k < rows.n; k++) {                                                                           \
        const uint32_t i = spk_sql_row(rows, k);                                                                      \
        ((T *)(void *)g->values)[i] = SPK_SQL_VALUE(T, &v, p->rows[i]);                                               \
    }

/* gather_left: of pairs. */
static const spk_sql_input *gather_left(spk_join_prober *p, const source *from, gathered *g, spk_sql_rows rows)
{
    for (uint32_t k = 0; k < rows.n; k++)
        p->at[k] = p->rows[spk_sql_row(rows, k)];
    const spk_sql_input *in = p->up->give(p->up, from->column, (spk_sql_rows) { p->at, rows.n });
    if (!in)
        return NULL;
    const spk_sql_vector v = { in->ptr, in->stride, NULL };
    if (from->size == 8)
        GATHER(uint64_t)
    else if (from->size == 4)
        GATHER(uint32_t)
    else
        for (uint32_t k = 0; k < rows.n; k++) {
            const uint32_t i = spk_sql_row(rows, k);
            memcpy(g->values + (size_t)i * from->size, in->ptr + p->rows[i] * in->stride, from->size);
        }
    for (uint32_t k = 0; in->valid && k < rows.n; k++) {
        const uint32_t i = spk_sql_row(rows, k);
        g->valid[i] = ((in->valid[p->rows[i] * in->valid_stride] & in->mask) != 0) != in->inverted;
    }
    g->input = (spk_sql_input) { g->values, from->size, in->valid ? g->valid : NULL, 1, 255, false };
    return &g->input;
}

#define GATHER_RIGHT(T)                                                                                               \
    for (uint32_t k = 0; k < rows.n; k++) {                                                                           \
        const uint32_t i = spk_sql_row(rows, k);                                                                      \
        if (p->of[i])                                                                                                 \
            ((T *)(void *)g->values)[i] = *(const T *)(const void *)(built + (size_t)(p->of[i] - 1) * size);          \
    }

static const spk_sql_input *gather_right(const spk_join_prober *p, const source *from, gathered *g, spk_sql_rows rows)
{
    const size_t size = p->r->join.right->layout->size;
    const spk_slot *slot = from->slot;
    const char *built = p->r->rows + slot->value;
    const bool may_miss = p->r->join.kind != SPK_PLAN_INNER;
    if (from->size == 8)
        GATHER_RIGHT(uint64_t)
    else if (from->size == 4)
        GATHER_RIGHT(uint32_t)
    else
        for (uint32_t k = 0; k < rows.n; k++) {
            const uint32_t i = spk_sql_row(rows, k);
            if (p->of[i])
                memcpy(g->values + (size_t)i * from->size, built + (size_t)(p->of[i] - 1) * size, from->size);
        }
    if (slot->nullable || may_miss)
        for (uint32_t k = 0; k < rows.n; k++) {
            const uint32_t i = spk_sql_row(rows, k), of = p->of[i];
            g->valid[i] = of && spk_slot_present(slot, p->r->rows + (size_t)(of - 1) * size);
        }
    g->input = (spk_sql_input) { g->values, from->size, slot->nullable || may_miss ? g->valid : NULL, 1, 255, false };
    return &g->input;
}

/* give_flag: of a join that marks. */
static const spk_sql_input *give_flag(const spk_join_prober *p, gathered *g)
{
    for (uint32_t k = 0; k < p->up->rows.n; k++)
        g->values[spk_sql_row(p->up->rows, k)] = (char)p->matched[k];
    g->input = (spk_sql_input) { g->values, 1, NULL, 1, 255, false };
    return &g->input;
}

static const spk_sql_input *get(spk_join_prober *p, const source *from, gathered *g, spk_sql_rows rows)
{
    if (from->side == RIGHT)
        return gather_right(p, from, g, rows);
    if (from->side == FLAG)
        return give_flag(p, g);
    return p->straight ? p->up->give(p->up, from->column, rows) : gather_left(p, from, g, rows);
}

static const spk_sql_input *give(spk_vectors *columns, size_t i, spk_sql_rows rows)
{
    spk_join_prober *p = (spk_join_prober *)columns;
    const source *from = &p->r->by->out[i];
    gathered *g = &p->out[i];
    if (g->whole)
        return &g->input;
    const spk_sql_input *in = get(p, from, g, rows);
    g->whole = in == &g->input && rows.n == columns->rows.n && rows.at == columns->rows.at;
    return in;
}

/* ---- pairs */

/* place: pairs as a batch: where its rows are. */
static void place(spk_join_prober *p)
{
    for (uint32_t k = 0; k < p->m; k++)
        p->of[p->straight ? p->rows[k] : k] = p->built[k];
    p->columns.n = p->straight ? p->up->n : p->m;
    p->columns.rows = (spk_sql_rows) { p->straight ? p->rows : NULL, p->m };
    for (size_t i = 0; i < p->r->by->n_out; i++)
        p->out[i].whole = false;
}

/* choose: those that meet the remaining conditions; false: the task has failed. */
static bool choose(spk_join_prober *p)
{
    const spk_join *j = &p->r->join;
    spk_vectors *c = &p->columns;
    if (!p->columns.held)
        spk_recycle(p->task, &p->scratch[1]);
    for (size_t i = 0; i < p->r->by->n_both; i++) {
        const spk_sql_input *in = get(p, &p->r->by->both[i], &p->both[i], c->rows);
        if (!in)
            return false;
        p->inputs[j->both_at[i]] = *in;
    }
    spk_sql_run_begin(p->residual, p->inputs, c->n, 0, &p->scratch[1]);
    for (uint32_t f = 0; f < j->n_residual && c->rows.n; f++) {
        const uint32_t kept = spk_sql_run_filter(p->residual, f, c->rows, p->chosen);
        if (kept == UINT32_MAX) {
            spk_query_task_fails(j->query, p->task, spk_sql_run_error(p->residual));
            return false;
        }
        c->rows = (spk_sql_rows) { p->chosen, kept };
    }
    return true;
}

/* settle: the pairs go on, or are noted; straight: each is of another row. */
static bool settle(spk_join_prober *p, bool straight)
{
    const spk_join *j = &p->r->join;
    bool more = true;
    p->straight = straight;
    if (p->m == 0)
        return true;
    place(p);
    if (j->n_residual && !choose(p))
        return false;
    if (j->marks) {
        for (uint32_t c = 0; c < p->columns.rows.n; c++)
            __atomic_store_n(&p->r->marks[p->of[spk_sql_row(p->columns.rows, c)] - 1], 1, __ATOMIC_RELAXED);
    } else if (!asks(j)) {
        more = spk_onward_take(&p->onward, &p->columns);
        p->up->held = p->columns.held;
    } else {
        uint32_t k = 0; /* pairs, and those that are chosen, are in one order */
        for (uint32_t c = 0; c < p->columns.rows.n; c++) {
            const uint32_t row = spk_sql_row(p->columns.rows, c);
            while (straight ? p->rows[k] != row : k != row)
                k++;
            p->matched[p->positions[k]] = 1;
        }
    }
    p->m = 0;
    return more;
}

static bool too_many(const spk_join_prober *p)
{
    const spk_sql_error error = { .condition = "SCALAR_SUBQUERY_TOO_MANY_ROWS", .span = SPK_SQL_NOWHERE };
    spk_query_task_fails(p->r->join.query, p->task, &error);
    return false;
}

static inline void add(spk_join_prober *p, uint32_t row, uint32_t position, uint32_t at)
{
    p->rows[p->m] = (uint16_t)row;
    p->positions[p->m] = (uint16_t)position;
    p->built[p->m++] = at;
}

/* look_up: the matches of a row, from `at` - 1 on; *straight: no row had two so far. */
static inline bool look_up(spk_join_prober *p, uint32_t position, uint32_t at, bool *straight)
{
    const spk_join_rdd *r = p->r;
    const spk_plan_join kind = r->join.kind;
    const uint32_t row = spk_sql_row(p->up->rows, position);
    uint32_t found = 0;
    for (; at; at = spk_join_next(r, at)) {
        if (!spk_join_same(r, p->keys, position, at) || (r->marks && spk_join_is_marked(r, at)))
            continue;
        if (asks(&r->join) && !r->join.n_residual) {
            p->matched[position] = 1;
            return true;
        }
        if (found++) {
            if (kind == SPK_PLAN_SINGLE)
                return too_many(p);
            *straight = false;
        }
        add(p, row, position, at);
        if (p->m == SPK_SQL_BATCH && spk_join_next(r, at)) { /* others may follow: they are another batch */
            *straight = false;
            if (!settle(p, false))
                return false;
            if (p->matched[position] && asks(&r->join))
                return true;
        }
    }
    if (!found && (kind == SPK_PLAN_LEFT || kind == SPK_PLAN_SINGLE))
        add(p, row, position, 0);
    return p->m < SPK_SQL_BATCH || *straight || settle(p, false);
}

/* look_up_single: the one match that each row may have in a table where no two rows have one key. */
static void look_up_single(spk_join_prober *p)
{
    const spk_join_rdd *r = p->r;
    const spk_join_keys *keys = p->keys;
    const spk_sql_rows rows = p->up->rows;
    uint32_t m = 0;
    for (uint32_t c = 0; c < keys->n_found; c++) {
        const uint32_t k = keys->found[c];
        uint32_t at = keys->heads[c];
        while (!r->exact && at && !spk_join_same(r, keys, k, at))
            at = spk_join_next(r, at);
        p->rows[m] = (uint16_t)spk_sql_row(rows, k);
        p->positions[m] = (uint16_t)k;
        p->built[m] = at;
        m += at != 0 && !(r->marks && spk_join_is_marked(r, at));
    }
    p->m = m;
}

/* look_up_each: in the order of rows; those that have no match count in some joins. */
static bool look_up_each(spk_join_prober *p, bool *straight)
{
    const spk_join_keys *keys = p->keys;
    const bool all = p->r->join.kind == SPK_PLAN_LEFT || p->r->join.kind == SPK_PLAN_SINGLE;
    bool more = true;
    if (!all) {
        for (uint32_t c = 0; c < keys->n_found && more; c++)
            more = look_up(p, keys->found[c], keys->heads[c], straight);
        return more;
    }
    for (uint32_t k = 0, c = 0; k < p->up->rows.n && more; k++) {
        const bool found = c < keys->n_found && keys->found[c] == k;
        more = look_up(p, k, found ? keys->heads[c] : 0, straight);
        c += found;
    }
    return more;
}

/* meet_all: of NOT IN: rows that count as ones with a match whatever the right side has. */
static void meet_all(spk_join_prober *p)
{
    const spk_join_rdd *r = p->r;
    for (uint32_t k = 0; k < p->up->rows.n; k++)
        p->matched[k] = r->has_null || (r->n_rows && !p->keys->usable[k]);
}

/* look_up_all: false: no more is wanted, or the task has failed. */
static bool look_up_all(spk_join_prober *p)
{
    const spk_join_rdd *r = p->r;
    bool straight = true;
    p->m = 0;
    if (r->join.null_aware)
        meet_all(p);
    if (r->exact && asks(&r->join) && !r->join.n_residual) {
        for (uint32_t c = 0; c < p->keys->n_found; c++)
            p->matched[p->keys->found[c]] = 1;
        return true;
    }
    if (r->single && r->join.kind == SPK_PLAN_INNER)
        look_up_single(p);
    else if (!look_up_each(p, &straight))
        return false;
    return settle(p, straight);
}

/* hand_on: of a join that asks whether there is a match: the rows that have one, or have none. */
static bool hand_on(spk_join_prober *p)
{
    const spk_sql_rows all = p->up->rows;
    const bool wanted = p->r->join.kind == SPK_PLAN_SEMI;
    uint32_t n = 0;
    if (p->r->join.kind == SPK_PLAN_MARK) {
        p->straight = true;
        p->columns.n = p->up->n;
        p->columns.rows = all;
        for (size_t i = 0; i < p->r->by->n_out; i++)
            p->out[i].whole = false;
        const bool more = spk_onward_take(&p->onward, &p->columns);
        p->up->held = p->columns.held;
        return more;
    }
    for (uint32_t k = 0; k < all.n; k++) {
        p->chosen[n] = (uint16_t)spk_sql_row(all, k);
        n += p->matched[k] == wanted;
    }
    p->up->rows = (spk_sql_rows) { p->chosen, n };
    const bool more = spk_onward_take(&p->onward, p->up);
    p->up->rows = all;
    return more;
}

/* ---- taking */

static bool begin(spk_pipe *pipe, spk_op *op)
{
    spk_join_prober *p = spk_join_prober_of(op);
    p->columns.held = false;
    spk_recycle(pipe->task, &p->scratch[0]);
    spk_recycle(pipe->task, &p->scratch[1]);
    return spk_onward_begin(&p->onward, pipe, op, p->r->join.out, p->arenas);
}

static bool take(spk_pipe *pipe, spk_op *op, spk_vectors *up)
{
    spk_join_prober *p = spk_join_prober_of(op);
    const spk_join_rdd *r = p->r;
    p->up = up;
    if (!up->held)
        spk_recycle(pipe->task, &p->scratch[0]);
    for (size_t i = 0; i < r->by->n_keys; i++) {
        const spk_sql_input *in = up->give(up, r->by->keys[i], up->rows);
        if (!in)
            return false;
        p->keys->inputs[r->by->keys[i]] = *in;
    }
    if (!spk_join_keys_find(p->keys, r, up->rows, up->n, &p->scratch[0])) {
        spk_query_task_fails(r->join.query, pipe->task, spk_sql_run_error(p->keys->run));
        return false;
    }
    if (asks(&r->join))
        memset(p->matched, 0, up->rows.n);
    return look_up_all(p) && (!asks(&r->join) || hand_on(p));
}

static void end(spk_pipe *pipe, spk_op *op)
{
    (void)pipe;
    spk_onward_end(&spk_join_prober_of(op)->onward, NULL);
}

const spk_taker spk_join_by_columns = { begin, take, end };

/* ---- making it */

static SPK_COLD bool gathered_open(gathered *all, const source *from, size_t n, spk_arena *keep)
{
    for (size_t i = 0; i < n; i++) {
        all[i].values = spk_arena_alloc(keep, SPK_SQL_BATCH * (size_t)(from[i].size + 1), 64);
        all[i].valid = spk_arena_alloc(keep, SPK_SQL_BATCH, 64);
        if (!all[i].values || !all[i].valid)
            return false;
        memset(all[i].values, 0, SPK_SQL_BATCH * (size_t)from[i].size);
        memset(all[i].valid, 0, SPK_SQL_BATCH);
    }
    return true;
}

SPK_COLD spk_join_prober *spk_join_columns_open(const spk_join_rdd *r, spark_task *task, spk_join_keys *keys)
{
    const struct spk_join_columns *by = r->by;
    const spk_join *j = &r->join;
    spk_arena *keep = spk_keep_of(task);
    spk_join_prober *p = spk_arena_alloc(keep, sizeof *p, 64);
    bool good = p != NULL;
    if (good) {
        memset(p, 0, sizeof *p);
        p->columns.give = give;
        p->r = r;
        p->task = task;
        p->keys = keys;
        p->out = spk_arena_alloc(keep, (by->n_out + 1) * sizeof *p->out, 16);
        p->both = spk_arena_alloc(keep, (by->n_both + 1) * sizeof *p->both, 16);
        p->inputs = spk_arena_alloc(keep, (j->left->n + j->right->n + 1) * sizeof *p->inputs, 16);
        p->residual = spk_sql_run_new(j->residual, keep);
        p->arenas = spk_step_arenas(task);
        p->scratch = spk_step_arenas(task);
        good = p->out && p->both && p->inputs && p->residual && p->arenas && p->scratch
            && gathered_open(p->out, by->out, by->n_out, keep) && gathered_open(p->both, by->both, by->n_both, keep);
    }
    if (good)
        return p;
    spk_task_nomem(task);
    return NULL;
}

static SPK_COLD source source_of(const spk_join *j, size_t i)
{
    return i < j->left->n ? (source) { LEFT, (uint32_t)i, NULL, j->left->slots[i].type->size }
                          : (source) { RIGHT, 0, &j->right->slots[i - j->left->n], j->right->slots[i - j->left->n].type->size };
}

static size_t place_of(const spk_plan *plan, uint32_t id)
{
    size_t i = 0;
    while (i < plan->n_out && plan->out[i].id != id)
        i++;
    return i;
}

/* may: whether it is such a join: where rows that have no match matter, conditions beside the keys are not for it. */
static bool may(const spk_plan *plan, const spk_join *j)
{
    bool good = j->n_keys > 0 && (!j->null_aware || (j->kind == SPK_PLAN_ANTI && !j->n_residual))
        && (j->kind == SPK_PLAN_INNER || asks(j)
            || ((j->kind == SPK_PLAN_LEFT || j->kind == SPK_PLAN_SINGLE) && !j->n_residual));
    for (size_t i = 0; i < plan->n_keys; i++)
        good = good && plan->keys[i].left->deterministic;
    for (size_t i = 0; i < plan->n_exprs; i++)
        good = good && plan->exprs[i]->deterministic;
    return good;
}

SPK_COLD const struct spk_join_columns *spk_join_columns_plan(spk_query *q, const spk_plan *plan, const spk_join *j)
{
    spk_analyzer *a = &q->analyzer;
    struct spk_join_columns *by = spk_arena_alloc(&q->arena, sizeof *by, 16);
    spk_naming m = { a, plan->in[0], NULL, 0 };
    source *out = NULL, *both = NULL;
    size_t n = 0, n_both = 0;
    if (!by) {
        spk_sql_nomem(&q->error);
        return NULL;
    }
    if (!may(plan, j))
        return NULL;
    for (size_t i = 0; i < plan->n_keys; i++)
        spk_names_of(&m, plan->keys[i].left);
    for (size_t i = 0; i < j->out->n; i++) {
        const size_t left = place_of(plan->in[0], plan->out[i].id), right = place_of(plan->in[1], plan->out[i].id);
        const bool flag = j->kind == SPK_PLAN_MARK && i + 1 == j->out->n;
        SPK_ADD(a, out, n,
            flag ? (source) { FLAG, 0, NULL, 1 } : source_of(j, left < j->left->n ? left : j->left->n + right));
    }
    for (size_t i = 0; i < j->both->n; i++)
        SPK_ADD(a, both, n_both, source_of(j, j->both_at[i]));
    *by = (struct spk_join_columns) { m.columns, m.n, out, both, n, n_both };
    return spk_sql_failed(&q->error) ? NULL : by;
}
