/* SPDX-License-Identifier: Apache-2.0 */
/* Window functions: rows are placed by the partition keys and sorted by these and the order keys; then a
 * step takes one partition of the window after the other, whose rows it holds, computes every function
 * over them, a part after the other, and gives them on. Arguments are columns by then. */
#include <spark/keyed.h>
#include <spark/sort.h>
#include <stdlib.h>

#include "base/hash.h"
#include "rdd/verb.h"
#include "sql/exec/window.h"

/* PART: most rows of a group that are computed together. PART_BYTES: about what these take, and what they point to. */
enum { PARTITIONS = 16, PART = 1024, PART_BYTES = 256 * 1024 };

/* ---- the step */

/* open_group: memory of parts and calls. */
static bool open_group(spk_window_group *g)
{
    const spk_window_rdd *w = g->w;
    spk_window_state *s = g->s;
    const size_t size = w->out->layout->size, room = PART_BYTES / size + 1;
    g->most = room < g->n ? room : g->n;
    g->most = g->most < PART ? g->most : PART;
    g->calls = spk_arena_alloc(&s->group, (w->plan->n_functions + 1) * sizeof *g->calls, 16);
    g->peers = spk_arena_alloc(&s->group, g->most * 2 * sizeof *g->peers, 8);
    g->out = spk_arena_alloc(&s->group, g->most * size, 64);
    if (!g->calls || !g->peers || !g->out) {
        spk_task_nomem(g->task);
        return false;
    }
    for (size_t f = 0; f < w->plan->n_functions; f++)
        g->calls[f] = (spk_window_call) { .f = &w->plan->functions[f],
            .column = w->n_in + f,
            .args = w->args[f],
            .memory = &s->memory[f] };
    return spk_window_held(s, g->task);
}

/* begin_part: where it ends. Rows on disk are copied, so these are no more than what was written at once. */
static void begin_part(spk_window_group *g, size_t rows)
{
    g->end = g->n - g->begin < rows ? g->n : g->begin + rows;
    if (!g->rows && spk_pages_border(&g->s->pages, g->begin) < g->end)
        g->end = (size_t)spk_pages_border(&g->s->pages, g->begin);
    memset(g->out, 0, (g->end - g->begin) * g->w->out->layout->size);
}

/* compute_part: false: the task has failed. */
static bool compute_part(spk_window_group *g)
{
    const spk_window_rdd *w = g->w;
    for (size_t i = g->begin; i < g->end; i++) {
        const char *row = spk_window_row(g, i);
        for (size_t c = 0; c < w->n_in; c++)
            spk_slot_copy(&w->rows->slots[c], row, &w->out->slots[c], spk_window_out(g, i));
        for (size_t c = 0; c < w->n_in && !g->rows; c++)
            if (!spk_window_own(g, c, i))
                return false;
    }
    spk_window_peers(g);
    for (size_t f = 0; f < w->plan->n_functions && !spk_task_failed(g->task); f++)
        spk_window_compute(g, &g->calls[f]);
    return !spk_task_failed(g->task);
}

/* give_part: the results go on; all the way, when they point to more and more memory. False: no more are wanted. */
static bool give_part(spk_window_group *g, spk_out *out)
{
    bool more = true;
    for (size_t i = g->begin; i < g->end && more; i++)
        more = spark_emit_(&out->head, spk_window_out(g, i), g->w->out->layout->size);
    g->renewed = g->growing > 1 && g->s->work.bytes > PART_BYTES && spk_emitter_pass(&out->head);
    if (g->renewed) {
        spk_recycle(g->task, &g->s->work);
        g->growing = 0;
    }
    g->begin = g->end;
    return more && !out->head.closed;
}

/* end_group: all rows of a partition of the window are there. Parts are small where results point to much. */
static bool end_group(const spk_window_rdd *w, spk_window_state *s, spark_task *task, spk_out *out)
{
    spk_window_group g = { .w = w, .task = task, .s = s, .rows = s->paged ? NULL : s->rows, .n = s->n };
    if (s->n == 0)
        return true;
    bool more = open_group(&g);
    for (size_t rows = 16; more && g.begin < g.n;) {
        const size_t before = s->work.bytes;
        rows = rows < g.most ? rows : g.most;
        begin_part(&g, rows);
        more = compute_part(&g);
        const size_t made = s->work.bytes - before;
        g.growing = made ? g.growing + 1 : 0;
        rows = made < PART_BYTES ? rows * 2 : rows / 2 + 1;
        more = more && give_part(&g, out);
    }
    spk_window_let_go(s);
    return more;
}

static void end_state(void *data)
{
    spk_window_state *s = data;
    spk_window_let_go(s);
    spk_arena_fini(&s->list[0]);
    spk_arena_fini(&s->work);
    spk_arena_fini(&s->group);
    for (size_t f = 0; f < s->n_memory; f++)
        for (int i = 0; i < SPK_WINDOW_ARENAS; i++)
            spk_arena_fini(&s->memory[f].arenas[i]);
}

static SPK_COLD bool open_window(spk_pipe *pipe, spk_op *op)
{
    spark_task *task = pipe->task;
    spk_arena *keep = spk_keep_of(task);
    const size_t n = SPK_NODE(spk_window_rdd, op->rdd)->plan->n_functions, pair = op->rdd->deps[0].rdd->layout->size;
    spk_window_state *s = spk_arena_alloc(keep, sizeof *s, 16);
    spk_window_memory *memory = spk_arena_alloc(keep, (n + 1) * sizeof *memory, 16);
    char *blank = spk_arena_alloc(keep, pair, 64);
    if (!s || !memory || !blank) {
        spk_task_nomem(task);
        return false;
    }
    *s = (spk_window_state) { .memory = memory, .n_memory = n, .blank = memset(blank, 0, pair) };
    spk_arena_init(&s->list[0], task->heap);
    spk_arena_init(&s->work, task->heap);
    spk_arena_init(&s->group, task->heap);
    for (size_t f = 0; f < n; f++)
        for (int i = 0; i < SPK_WINDOW_ARENAS; i++)
            spk_arena_init(&memory[f].arenas[i], task->heap);
    spark_defer(task, end_state, s);
    op->state = s;
    return !spk_task_failed(task) && (s->held = spk_step_arenas(task)) && (s->arenas = spk_step_arenas(task));
}

/* unwanted: whether a row of the group stands behind all of it that are asked for. */
static bool unwanted(const spk_window_rdd *w, const spk_window_state *s, const char *row)
{
    return w->plan->limit > 0 && s->n >= (uint64_t)w->plan->limit
        && !(w->plan->with_ties && spk_window_same_keys(w, w->n_partition, w->keys->n, s->edge, row));
}

/* run_window: what a group that ended in the last batch held is free by now, in the arena that the current
 * one is not in. */
static void run_window(spk_pipe *pipe, spk_op *op, spk_batch *batch)
{
    const spk_window_rdd *w = SPK_NODE(spk_window_rdd, op->rdd);
    spk_window_state *s = op->state;
    const spk_batch in = *batch;
    const size_t size = op->rdd->deps[0].rdd->layout->size;
    spk_out out;
    batch->n = 0;
    spk_recycle(pipe->task, &s->held[!s->now]);
    spk_arena_reset(&s->work);
    if (!spk_out_open(&out, pipe, (size_t)(op - pipe->ops) + 1, w->out->layout->size, s->arenas))
        return;
    bool more = true, ended = false;
    for (size_t i = 0; i < in.n && more; i++) {
        const char *row = in.rows + i * size;
        if (s->n && !spk_window_same_keys(w, 0, w->n_partition, s->first, row)) {
            more = end_group(w, s, pipe->task, &out);
            if (!ended)
                s->now = !s->now;
            ended = true;
        }
        more = more && (unwanted(w, s, row) || spk_window_hold(w, s, pipe->task, &out, row));
    }
    spk_out_close(&out, batch);
}

static void finish_window(spk_pipe *pipe, spk_op *op, spk_batch *batch)
{
    const spk_window_rdd *w = SPK_NODE(spk_window_rdd, op->rdd);
    spk_window_state *s = op->state;
    spk_out out;
    spk_arena_reset(&s->work);
    if (!spk_out_open(&out, pipe, (size_t)(op - pipe->ops) + 1, w->out->layout->size, s->arenas))
        return;
    (void)end_group(w, s, pipe->task, &out);
    spk_out_close(&out, batch);
}

static void release_window(spark_rdd *rdd)
{
    if (SPK_NODE(spk_window_rdd, rdd)->query)
        spk_query_unref(SPK_NODE(spk_window_rdd, rdd)->query);
}

/* ---- making it */

typedef struct placing {
    const spk_layout **layouts;
    const spk_slot *slots;
    size_t n;
    spk_query *query;
} placing;

static void free_placing(void *data)
{
    placing *p = data;
    spk_query_unref(p->query);
    free(p);
}

/* place_run: by the partition keys, which stand in front of the order keys. */
static void place_run(spark_task *task, size_t n, const void *key, size_t step, uint32_t partitions, uint32_t *out,
    const void *env)
{
    const placing *p = env;
    (void)task;
    for (size_t i = 0; i < n; i++) {
        const char *row = (const char *)key + i * step;
        uint64_t hash = UINT64_C(0x9e3779b97f4a7c15);
        for (size_t k = 0; k < p->n; k++)
            hash = (hash ^ spk_value_hash(p->layouts[k], row + p->slots[k].offset)) * UINT64_C(0xff51afd7ed558ccd);
        out[i] = (uint32_t)(((hash >> 32) * partitions) >> 32);
    }
}

static SPK_COLD const spk_layout **member_layouts(spk_query *q, const spk_form *form)
{
    spk_failure failure;
    const spk_layout **layouts = spk_arena_alloc(&q->arena, (form->n + 1) * sizeof *layouts, 8);
    for (size_t i = 0; layouts && i < form->n; i++)
        if (!(layouts[i] = spk_layout_for(q->sc, form->layout->type->fields[i].type, &failure)))
            layouts = NULL;
    if (!layouts)
        spk_sql_nomem(&q->error);
    return layouts;
}

static SPK_COLD spark_rdd *sorted(spk_query *q, spark_rdd *pairs, const spk_plan *plan, const spk_window_rdd *w)
{
    spk_analyzer *a = &q->analyzer;
    spark_order_key *keys = NULL;
    size_t n = 0;
    const spark_type *type = w->keys->layout->type;
    for (size_t i = 0; i < w->keys->n; i++) {
        const bool descending = w->descending[i];
        SPK_ADD(a, keys, n, (spark_order_key) { type->fields[i].name, w->keys->slots[i].offset, descending });
    }
    placing *p = malloc(sizeof *p);
    if (!p || spk_sql_failed(&q->error)) {
        free(p);
        spk_sql_nomem(&q->error);
        return NULL;
    }
    *p = (placing) { w->key_layouts, w->keys->slots, plan->n_partition, q };
    spk_query_ref(q);
    const spark_partitioner_def def = { .name = "window", .key = type, .run = place_run };
    const spark_env env = { .kind = SPARK_ENV_OWN, .data = p, .size = sizeof *p, .destroy = free_placing };
    const int parts = !plan->n_partition ? 1 : q->partitions ? q->partitions : PARTITIONS;
    spark_partitioner *placed = (spark_partitioner_new)(q->analyzer.site, q->sc, parts, &def, &env);
    const spark_order order = { "window", type, n, keys };
    return (spark_repartition_and_sort_within_partitions)(q->analyzer.site, pairs, placed, n ? &order : NULL);
}

static SPK_COLD void add_column(spk_query *q, spk_sql_expr *e, bool nullable, spk_sql_expr ***exprs,
    spk_column **columns, size_t *n)
{
    size_t m = *n;
    SPK_ADD(&q->analyzer, *exprs, *n, e);
    SPK_ADD(&q->analyzer, *columns, m, (spk_column) { e->type, nullable });
}

/* key_columns: of the partition, then of the order, each with a flag before it where NULLs would stand at the
 * other end. */
static SPK_COLD bool key_columns(spk_query *q, const spk_plan *plan, spk_window_rdd *w, spk_sql_expr ***exprs,
    spk_column **columns, size_t *n)
{
    size_t n_descending = 0;
    for (size_t i = 0; i < plan->n_partition; i++) {
        add_column(q, plan->partition[i], true, exprs, columns, n);
        SPK_ADD(&q->analyzer, w->descending, n_descending, false);
    }
    for (size_t i = 0; i < plan->n_sort; i++) {
        const spk_plan_sort *s = &plan->sort[i];
        if (s->nulls_last != s->descending) { /* what is absent would stand at the other end */
            spk_sql_expr *flag = spk_sql_call(&q->analyzer.build, s->nulls_last ? "isnull" : "isnotnull",
                &plan->sort[i].expression, 1, SPK_SQL_NOWHERE);
            if (!flag)
                return false;
            add_column(q, flag, true, exprs, columns, n);
            SPK_ADD(&q->analyzer, w->descending, n_descending, false);
        }
        if (i == 0)
            w->order_key = *n;
        add_column(q, s->expression, true, exprs, columns, n);
        SPK_ADD(&q->analyzer, w->descending, n_descending, s->descending);
    }
    return true;
}

/* argument: its column: of the input, where it is one of these, else behind them. */
static SPK_COLD size_t argument(spk_query *q, const spk_plan *below, spk_sql_expr *e, spk_sql_expr ***exprs,
    spk_column **columns, size_t *n)
{
    for (size_t i = 0; e->kind == SPK_SQL_COLUMN && i < below->n_out; i++)
        if (below->out[i].id == e->column)
            return i;
    add_column(q, e, true, exprs, columns, n);
    return *n - 1;
}

/* arguments: of all functions. */
static SPK_COLD bool arguments(spk_query *q, const spk_plan *plan, spk_window_rdd *w, spk_sql_expr ***exprs,
    spk_column **columns, size_t *n)
{
    w->args = spk_arena_alloc(&q->arena, (plan->n_functions + 1) * sizeof *w->args, 8);
    bool good = w->args != NULL;
    for (size_t i = 0; good && i < plan->n_functions; i++) {
        const spk_plan_function *f = &plan->functions[i];
        spk_sql_expr *const more[] = { f->filter, f->low, f->high };
        size_t *at = w->args[i] = spk_arena_alloc(&q->arena, (f->n_args + 3) * sizeof *at, 8);
        if (!(good = at != NULL))
            break;
        for (size_t k = 0; k < f->n_args; k++)
            *at++ = argument(q, plan->in[0], f->args[k], exprs, columns, n);
        for (size_t k = 0; k < 3; k++)
            if (more[k])
                *at++ = argument(q, plan->in[0], more[k], exprs, columns, n);
    }
    if (!good)
        spk_sql_nomem(&q->error);
    return !spk_sql_failed(&q->error);
}

/* make_node: over the sorted rows. */
static SPK_COLD spark_rdd *make_node(spk_query *q, spark_rdd *rdd, const spk_window_rdd *plain)
{
    static const spk_class class = { .name = "MapPartitionsRDD",
        .open = open_window,
        .run = run_window,
        .finish = finish_window,
        .release = release_window };
    spk_verb v;
    bool made;
    spk_verb_begin(&v, q->analyzer.site, "window", NULL, 1, &rdd, NULL);
    rdd = spk_verb_make(&v, &class, sizeof(spk_window_rdd), plain->out->layout, &made);
    if (made) {
        spk_window_rdd *w = SPK_NODE(spk_window_rdd, rdd);
        SPK_NODE_FILL(spk_window_rdd, w, plain);
        w->query = q;
        spk_query_ref(q);
    }
    return rdd;
}

SPK_COLD spark_rdd *spk_exec_window(
    spk_query *q, spark_rdd *rdd, const spk_plan *plan, const spk_form *in, const spk_form *out)
{
    const spk_plan *below = plan->in[0];
    spk_window_rdd plain = { .plan = plan, .out = out, .n_in = below->n_out, .n_partition = plan->n_partition };
    spk_sql_expr **exprs = NULL, **rows = NULL;
    spk_column *columns = NULL, *row_columns = NULL;
    size_t n = 0, m = 0;
    if (!key_columns(q, plan, &plain, &exprs, &columns, &n))
        return NULL;
    for (size_t i = 0; i < below->n_out; i++)
        add_column(q, spk_attr_column(&q->analyzer, &below->out[i], SPK_SQL_NOWHERE), in->slots[i].nullable, &rows,
            &row_columns, &m);
    if (!arguments(q, plan, &plain, &rows, &row_columns, &m))
        return NULL;
    plain.keys = spk_form_of(q, columns, n, NULL);
    plain.rows = spk_form_of(q, row_columns, m, NULL);
    const spk_form *pair = plain.keys && plain.rows ? spk_form_pair(q, plain.keys, plain.rows) : NULL;
    if (!pair || !(plain.key_layouts = member_layouts(q, plain.keys))
        || !(plain.out_layouts = member_layouts(q, out)))
        return NULL;
    size_t all = n;
    for (size_t i = 0; i < m; i++)
        SPK_ADD(&q->analyzer, exprs, all, rows[i]);
    spark_rdd *pairs = spk_exec_eval(q, rdd, below, in, NULL, 0, exprs, all, pair);
    if (pairs && plan->limit > 0)
        pairs = spk_exec_window_limit(q, pairs, plan, pair, &plain);
    rdd = pairs ? sorted(q, pairs, plan, &plain) : NULL;
    if (!rdd || !rdd->layout)
        return rdd;
    plain.value_offset = rdd->layout->value_offset;
    return make_node(q, rdd, &plain);
}
