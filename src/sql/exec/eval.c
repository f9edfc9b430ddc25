/* SPDX-License-Identifier: Apache-2.0 */
/* Filters and columns: a step that runs a program on batches. Columns that are taken as they are do not
 * pass through the program. */
#include "rdd/verb.h"
#include "sql/exec/move.h"
#include "sql/exec/naming.h"
#include "sql/exec/taker.h"

typedef struct eval_rdd {
    spark_rdd rdd;
    spk_query *query;
    const spk_form *in, *out;
    const spk_sql_program *program;
    size_t n_filters;
    bool whole;         /* rows go on as they are */
    spk_mover taken;    /* columns that are there already */
    uint32_t *computed; /* the others: */
    size_t n_computed;
    uint32_t *numbers; /* which expression of the program each is */
    const spk_naming *named; /* of each expression of the program; NULL: it wants rows */
    int64_t *from;     /* of each column that comes out: the input's, or -1 - its expression */
} eval_rdd;

typedef struct eval_state {
    spk_vectors columns; /* first: what is handed on */
    spk_vectors *up;     /* what is taken */
    const eval_rdd *r;
    spk_sql_run *run;
    spk_arena *arenas, *emitted;
    spk_sql_input *inputs, *given;
    bool *has; /* of what comes out: it is computed */
    uint16_t at[SPK_SQL_BATCH];
    spk_onward onward;
} eval_state;

static const spk_sql_input *give(spk_vectors *columns, size_t i, spk_sql_rows rows);

static SPK_COLD bool open_eval(spk_pipe *pipe, spk_op *op)
{
    const eval_rdd *r = SPK_NODE(eval_rdd, op->rdd);
    spk_arena *keep = spk_keep_of(pipe->task);
    eval_state *s = spk_arena_alloc(keep, sizeof *s, 64);
    if (s) {
        memset(s, 0, sizeof *s);
        s->columns.give = give;
        s->r = r;
        s->inputs = spk_arena_alloc(keep, (r->in->n + 1) * sizeof *s->inputs, 16);
        s->given = spk_arena_alloc(keep, (r->out->n + 1) * sizeof *s->given, 16);
        s->has = spk_arena_alloc(keep, r->out->n + 1, 1);
        s->run = spk_sql_run_new(r->program, keep);
        s->arenas = spk_step_arenas(pipe->task);
        s->emitted = spk_step_arenas(pipe->task);
    }
    if (!s || !s->inputs || !s->given || !s->has || !s->run || !s->arenas || !s->emitted) {
        spk_task_nomem(pipe->task);
        return false;
    }
    op->state = s;
    return true;
}

static void store(const eval_rdd *r, eval_state *s, const char *rows, spk_sql_rows selected, char *out, bool *good)
{
    const size_t size = r->out->layout->size;
    memset(out, 0, selected.n * size);
    spk_move_columns(&r->taken, rows, r->in->layout->size, selected, out, size);
    for (size_t c = 0; c < r->n_computed && *good; c++) {
        spk_sql_vector v;
        *good = spk_sql_run_eval(s->run, r->numbers[c], selected, &v);
        if (*good)
            spk_store_column(&r->out->slots[r->computed[c]], &v, selected, out, size);
    }
}

/* chunk: of at most SPK_SQL_BATCH rows; how many come out of it. */
static size_t chunk(const eval_rdd *r, eval_state *s, spark_task *task, const char *rows, uint32_t n, uint64_t first,
    char *out)
{
    spk_sql_rows selected = { NULL, n };
    spk_form_inputs(r->in, rows, s->inputs);
    spk_sql_run_begin(s->run, s->inputs, n, first, &s->arenas[0]);
    bool good = true;
    for (uint32_t f = 0; good && f < r->n_filters && selected.n; f++) {
        const uint32_t kept = spk_sql_run_filter(s->run, f, selected, s->at);
        good = kept != UINT32_MAX;
        selected = (spk_sql_rows) { s->at, good ? kept : 0 };
    }
    if (good && r->whole)
        for (uint32_t k = 0; k < selected.n; k++)
            memcpy(out + k * r->out->layout->size, rows + spk_sql_row(selected, k) * r->in->layout->size,
                r->out->layout->size);
    else if (good && selected.n)
        store(r, s, rows, selected, out, &good);
    if (!good) {
        spk_query_task_fails(r->query, task, spk_sql_run_error(s->run));
        spk_locate(task, (int64_t)(first & (((uint64_t)1 << 33) - 1)) + spk_sql_run_row(s->run));
        return 0;
    }
    return selected.n;
}

static void run_eval(spk_pipe *pipe, spk_op *op, spk_batch *batch)
{
    const eval_rdd *r = SPK_NODE(eval_rdd, op->rdd);
    eval_state *s = op->state;
    const spk_batch in = *batch;
    const size_t size = r->out->layout->size;
    char *out = spk_pipe_alloc(pipe, in.n * size + 64);
    size_t made = 0;
    spk_recycle(pipe->task, &s->arenas[0]);
    for (size_t i = 0; out && i < in.n && !spk_task_failed(pipe->task); i += SPK_SQL_BATCH) {
        const size_t n = in.n - i < SPK_SQL_BATCH ? in.n - i : SPK_SQL_BATCH;
        const char *rows = in.rows + i * r->in->layout->size;
        const uint64_t first = spk_row_number(op) + i;
        made += chunk(r, s, pipe->task, rows, (uint32_t)n, first, out + made * size);
    }
    *batch = (spk_batch) { out, made };
}

/* ---- columns */

/* ask_for: the columns an expression names. */
static bool ask_for(const eval_rdd *r, eval_state *s, size_t expression, spk_sql_rows rows)
{
    const spk_naming *m = &r->named[expression];
    for (size_t i = 0; i < m->n; i++) {
        const spk_sql_input *in = s->up->give(s->up, m->columns[i], rows);
        if (!in)
            return false;
        s->inputs[m->columns[i]] = *in;
    }
    return true;
}

static void fails(const eval_state *s)
{
    spk_query_task_fails(s->r->query, s->onward.pipe->task, spk_sql_run_error(s->run));
}

static const spk_sql_input *give(spk_vectors *columns, size_t i, spk_sql_rows rows)
{
    eval_state *s = (eval_state *)columns;
    const int64_t from = s->r->from[i];
    spk_sql_vector v;
    if (from >= 0)
        return s->up->give(s->up, (size_t)from, rows);
    if (s->has[i])
        return &s->given[i];
    if (!ask_for(s->r, s, (size_t)(-1 - from), columns->rows))
        return NULL;
    if (!spk_sql_run_eval(s->run, (uint32_t)(-1 - from), columns->rows, &v)) {
        fails(s);
        return NULL;
    }
    s->has[i] = true;
    s->given[i] = (spk_sql_input) { v.ptr, v.stride, v.valid, 1, 255, false };
    return &s->given[i];
}

static bool begin(spk_pipe *pipe, spk_op *op)
{
    eval_state *s = op->state;
    s->columns.held = false;
    spk_recycle(pipe->task, &s->arenas[0]);
    return spk_onward_begin(&s->onward, pipe, op, s->r->out, s->emitted);
}

static bool take(spk_pipe *pipe, spk_op *op, spk_vectors *up)
{
    const eval_rdd *r = SPK_NODE(eval_rdd, op->rdd);
    eval_state *s = op->state;
    const spk_sql_rows all = up->rows;
    spk_sql_rows rows = all;
    if (!up->held)
        spk_recycle(pipe->task, &s->arenas[0]);
    s->up = up;
    memset(s->has, 0, r->out->n);
    spk_sql_run_begin(s->run, s->inputs, up->n, 0, &s->arenas[0]);
    for (uint32_t f = 0; f < r->n_filters && rows.n; f++) {
        if (!ask_for(r, s, f, rows))
            return false;
        const uint32_t kept = spk_sql_run_filter(s->run, f, rows, s->at);
        if (kept == UINT32_MAX) {
            fails(s);
            return false;
        }
        rows = (spk_sql_rows) { s->at, kept };
    }
    bool more;
    if (r->whole) {
        up->rows = rows;
        more = spk_onward_take(&s->onward, up);
        up->rows = all;
        return more;
    }
    s->columns.n = up->n;
    s->columns.rows = rows;
    more = spk_onward_take(&s->onward, &s->columns);
    up->held = s->columns.held;
    return more;
}

static void end(spk_pipe *pipe, spk_op *op)
{
    (void)pipe;
    spk_onward_end(&((eval_state *)op->state)->onward, NULL);
}

static void release_eval(spark_rdd *rdd)
{
    if (SPK_NODE(eval_rdd, rdd)->query)
        spk_query_unref(SPK_NODE(eval_rdd, rdd)->query);
}

/* place_of: which column of the plan an expression is that can be taken as it lies; SIZE_MAX: none. guess: where to
 * look first: most are one column after the other. */
static SPK_COLD size_t place_of(
    const spk_plan *plan, const spk_form *in, const spk_sql_expr *e, const spk_slot *to, size_t guess)
{
    for (size_t i = 0; e->kind == SPK_SQL_COLUMN && i < plan->n_out; i++) {
        const size_t k = (guess + i) % plan->n_out;
        if (plan->out[k].id == e->column && (to->nullable || !in->slots[k].nullable))
            return k;
    }
    return SIZE_MAX;
}

/* plan_columns: which columns are there already, and the expressions of the others behind the filters. */
static SPK_COLD bool plan_columns(spk_query *q, eval_rdd *r, const spk_plan *plan, spk_sql_expr *const *exprs, size_t n,
    spk_sql_expr ***all, size_t *n_all)
{
    spk_analyzer *a = &q->analyzer;
    spk_slot *from = NULL, *to = NULL;
    size_t n_taken = 0, n_to = 0, n_numbers = 0, next = 0;
    for (size_t i = 0; i < n; i++) {
        const size_t k = place_of(plan, r->in, exprs[i], &r->out->slots[i], next);
        if (k != SIZE_MAX) {
            next = k + 1;
            SPK_ADD(a, from, n_taken, r->in->slots[k]);
            SPK_ADD(a, to, n_to, r->out->slots[i]);
            continue;
        }
        SPK_ADD(a, r->computed, r->n_computed, (uint32_t)i);
        SPK_ADD(a, r->numbers, n_numbers, (uint32_t)*n_all);
        SPK_ADD(a, *all, *n_all, exprs[i]);
    }
    return !spk_sql_failed(&q->error) && spk_mover_make(q, from, to, n_taken, &r->taken);
}

/* plan_taking: what is asked for, where columns are taken: of expressions that give the same for the same values. */
static SPK_COLD bool plan_taking(spk_query *q, eval_rdd *r, const spk_plan *plan, spk_sql_expr *const *exprs, size_t n,
    spk_sql_expr *const *all, size_t n_all)
{
    spk_naming *named = NULL;
    int64_t *from = NULL;
    size_t n_named = 0, n_from = 0, computed = 0, next = 0;
    bool same = true;
    for (size_t i = 0; i < n_all; i++) {
        spk_naming m = { &q->analyzer, plan, NULL, 0 };
        spk_names_of(&m, all[i]);
        same = same && all[i]->deterministic;
        SPK_ADD(&q->analyzer, named, n_named, m);
    }
    for (size_t i = 0; exprs && i < n; i++) {
        const bool is = computed < r->n_computed && r->computed[computed] == i;
        const size_t k = is ? r->numbers[computed] : place_of(plan, r->in, exprs[i], &r->out->slots[i], next);
        const int64_t number = is ? -1 - (int64_t)k : (int64_t)k;
        computed += is;
        next = is ? next : k + 1;
        SPK_ADD(&q->analyzer, from, n_from, number);
    }
    static const spk_naming none = { .n = 0 };
    r->named = !same ? NULL : named ? named : &none;
    r->from = from;
    return !spk_sql_failed(&q->error);
}

static const spk_class eval_class
    = { .name = "MapPartitionsRDD", .open = open_eval, .run = run_eval, .release = release_eval };

const spk_taker *spk_eval_taker(const spark_rdd *rdd)
{
    static const spk_taker taker = { begin, take, end };
    return rdd->class == &eval_class && SPK_NODE(eval_rdd, rdd)->named ? &taker : NULL;
}

SPK_COLD spark_rdd *spk_exec_eval(spk_query *q, spark_rdd *rdd, const spk_plan *plan, const spk_form *in,
    spk_sql_expr *const *filters, size_t n_filters, spk_sql_expr *const *exprs, size_t n, const spk_form *out)
{
    spk_analyzer *a = &q->analyzer;
    eval_rdd plain = { .in = in, .out = exprs ? out : in, .n_filters = n_filters, .whole = !exprs };
    spk_sql_expr **all = NULL;
    size_t n_all = 0;
    spk_verb v;
    bool made;
    for (size_t i = 0; i < n_filters; i++)
        SPK_ADD(a, all, n_all, filters[i]);
    if (exprs && !plan_columns(q, &plain, plan, exprs, n, &all, &n_all))
        return NULL;
    plain.program = spk_program_of(q, all, n_all, &plan, 1);
    if (!plain.program || !plan_taking(q, &plain, plan, exprs, n, all, n_all))
        return NULL;
    spk_verb_begin(&v, q->analyzer.site, n_filters && !exprs ? "filter" : "select", NULL, 1, &rdd, NULL);
    rdd = spk_verb_make(&v, &eval_class, sizeof(eval_rdd), plain.out->layout, &made);
    if (made) {
        eval_rdd *r = SPK_NODE(eval_rdd, rdd);
        SPK_NODE_FILL(eval_rdd, r, &plain);
        r->query = q;
        spk_query_ref(q);
    }
    return rdd;
}
