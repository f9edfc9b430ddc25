/* SPDX-License-Identifier: Apache-2.0 */
/* Filters and columns: a step that runs a program on batches. Columns that are taken as they are do not
 * pass through the program. */
#include "rdd/verb.h"
#include "sql/exec/query.h"

typedef struct eval_rdd {
    spark_rdd rdd;
    spk_query *query;
    const spk_form *in, *out;
    const spk_sql_program *program;
    size_t n_filters;
    bool whole;        /* rows go on as they are */
    int32_t *sources;  /* of each column: the one it is, or -1: computed */
    uint32_t *numbers; /* which expression of the program */
} eval_rdd;

typedef struct eval_state {
    spk_sql_run *run;
    spk_arena *arenas;
    spk_sql_input *inputs;
    uint16_t at[SPK_SQL_BATCH];
} eval_state;

static bool open_eval(spk_pipe *pipe, spk_op *op)
{
    const eval_rdd *r = SPK_NODE(eval_rdd, op->rdd);
    spk_arena *keep = spk_keep_of(pipe->task);
    eval_state *s = spk_arena_alloc(keep, sizeof *s, 64);
    if (s) {
        s->inputs = spk_arena_alloc(keep, (r->in->n + 1) * sizeof *s->inputs, 16);
        s->run = spk_sql_run_new(r->program, keep);
        s->arenas = spk_step_arenas(pipe->task);
    }
    if (!s || !s->inputs || !s->run || !s->arenas) {
        spk_task_nomem(pipe->task);
        return false;
    }
    op->state = s;
    return true;
}

static void store(const eval_rdd *r, eval_state *s, const char *rows, spk_sql_rows selected, char *out, bool *good)
{
    const size_t in_size = r->in->layout->size, size = r->out->layout->size;
    memset(out, 0, selected.n * size);
    for (size_t c = 0; c < r->out->n && *good; c++) {
        const spk_slot *to = &r->out->slots[c];
        spk_sql_vector v;
        if (r->sources[c] >= 0) {
            const spk_slot *from = &r->in->slots[r->sources[c]];
            for (uint32_t k = 0; k < selected.n; k++)
                spk_slot_copy(from, rows + spk_sql_row(selected, k) * in_size, to, out + k * size);
            continue;
        }
        *good = spk_sql_run_eval(s->run, r->numbers[c], selected, &v);
        for (uint32_t k = 0; *good && k < selected.n; k++)
            spk_sql_store(to->type, &v, spk_sql_row(selected, k), to->nullable, out + k * size + to->offset);
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
        const uint64_t first = ((uint64_t)pipe->task->partition << 33) + op->seen + i;
        made += chunk(r, s, pipe->task, rows, (uint32_t)n, first, out + made * size);
    }
    *batch = (spk_batch) { out, made };
}

static void release_eval(spark_rdd *rdd)
{
    if (SPK_NODE(eval_rdd, rdd)->query)
        spk_query_unref(SPK_NODE(eval_rdd, rdd)->query);
}

/* plan_columns: which columns are there already, and the expressions of the others behind the filters. */
static bool plan_columns(spk_query *q, eval_rdd *r, const spk_plan *plan, spk_sql_expr *const *exprs, size_t n,
    spk_sql_expr ***all, size_t *n_all)
{
    spk_analyzer *a = &q->analyzer;
    r->sources = spk_arena_alloc(&q->arena, (n + 1) * sizeof *r->sources, 8);
    r->numbers = spk_arena_alloc(&q->arena, (n + 1) * sizeof *r->numbers, 8);
    if (!r->sources || !r->numbers) {
        spk_sql_nomem(&q->error);
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        r->sources[i] = -1;
        r->numbers[i] = (uint32_t)*n_all;
        for (size_t k = 0; exprs[i]->kind == SPK_SQL_COLUMN && k < plan->n_out && r->sources[i] < 0; k++)
            if (plan->out[k].id == exprs[i]->column
                && (r->out->slots[i].nullable || !r->in->slots[k].nullable))
                r->sources[i] = (int32_t)k;
        if (r->sources[i] < 0)
            SPK_ADD(a, *all, *n_all, exprs[i]);
    }
    return !spk_sql_failed(&q->error);
}

spark_rdd *spk_exec_eval(spk_query *q, spark_rdd *rdd, const spk_plan *plan, const spk_form *in,
    spk_sql_expr *const *filters, size_t n_filters, spk_sql_expr *const *exprs, size_t n, const spk_form *out)
{
    static const spk_class class
        = { .name = "MapPartitionsRDD", .open = open_eval, .run = run_eval, .release = release_eval };
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
    if (!plain.program)
        return NULL;
    spk_verb_begin(&v, "sql", n_filters && !exprs ? "filter" : "select", NULL, 1, &rdd, NULL);
    rdd = spk_verb_make(&v, &class, sizeof(eval_rdd), plain.out->layout, &made);
    if (made) {
        eval_rdd *r = SPK_NODE(eval_rdd, rdd);
        plain.rdd = r->rdd;
        *r = plain;
        r->query = q;
        spk_query_ref(q);
    }
    return rdd;
}
