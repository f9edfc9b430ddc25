/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks of columns become rows: filters, then what is wanted of the rows that are left; or they stay columns as
 * far as the next step, where that can do with them (exec/taker.h). */
#include "base/deadline.h"
#include "exec/pace.h"
#include "rdd/verb.h"
#include "sql/exec/columns_scan.h"
#include "sql/exec/naming.h"

static SPK_COLD bool make_decoders(const spk_scan_rdd *r, spk_scan_state *s, spk_arena *keep)
{
    for (size_t i = 0; i < r->n_columns; i++) {
        const bool text = r->types[i]->kind == SPK_SQL_STRING || r->types[i]->kind == SPK_SQL_BINARY;
        s->decoders[i] = (spk_column_decoder) { .type = r->types[i],
            .values = spk_arena_alloc(keep, SPK_SQL_BATCH * (size_t)(r->types[i]->size + 1), 64),
            .dictionary = text ? spk_arena_alloc(keep, SPK_DICTIONARY * sizeof(spark_str), 16) : NULL };
        if (!s->decoders[i].values || (text && !s->decoders[i].dictionary))
            return false;
    }
    return true;
}

static const spk_sql_input *give(spk_vectors *columns, size_t i, spk_sql_rows rows);

static SPK_COLD bool open_scan(spk_pipe *pipe, spk_op *op)
{
    const spk_scan_rdd *r = SPK_NODE(spk_scan_rdd, op->rdd);
    spk_arena *keep = spk_keep_of(pipe->task);
    spk_scan_state *s = spk_arena_alloc(keep, sizeof *s, 64);
    const size_t n = r->n_columns + 1, f = r->n_filters + 1;
    if (s) {
        memset(s, 0, sizeof *s);
        s->run = spk_sql_run_new(r->program, keep);
        s->codes = spk_sql_run_new(r->program, keep);
        s->decoders = spk_arena_alloc(keep, n * sizeof *s->decoders, 16);
        s->inputs = spk_arena_alloc(keep, n * sizeof *s->inputs, 16);
        s->code_inputs = spk_arena_alloc(keep, n * sizeof *s->inputs, 16);
        s->decoded = spk_arena_alloc(keep, n, 1);
        s->passes = spk_arena_alloc(keep, f * SPK_CODES_MAX, 64);
        s->verdicts = spk_arena_alloc(keep, f, 1);
        s->ranges = spk_arena_alloc(keep, f * sizeof *s->ranges, 16);
        s->null_passes = spk_arena_alloc(keep, f, 1);
        s->given = spk_arena_alloc(keep, (r->out->n + 1) * sizeof *s->given, 16);
        s->given_whole = spk_arena_alloc(keep, r->out->n + 1, 1);
        s->r = r;
        s->seen = spk_row_number(op);
        s->columns.give = give;
        s->arenas = spk_step_arenas(pipe->task);
        s->scratch = spk_step_arenas(pipe->task);
    }
    if (!s || !s->run || !s->codes || !s->decoders || !s->inputs || !s->code_inputs || !s->decoded || !s->passes
        || !s->verdicts || !s->ranges || !s->null_passes || !s->given || !s->given_whole || !s->arenas || !s->scratch
        || !make_decoders(r, s, keep)) {
        spk_task_nomem(pipe->task);
        return false;
    }
    op->state = s;
    return true;
}

/* same_rows: of one batch: what was asked for is there for these rows. */
static bool same_rows(spk_sql_rows a, spk_sql_rows b)
{
    return a.n == b.n && a.at == b.at;
}

static const spk_sql_input *give(spk_vectors *columns, size_t i, spk_sql_rows rows)
{
    spk_scan_state *s = (spk_scan_state *)columns;
    const spk_scan_column *c = &s->r->columns[i];
    const bool whole = c->computed || same_rows(rows, columns->rows);
    spk_sql_vector v;
    if (s->given_whole[i])
        return &s->given[i];
    for (size_t k = 0; k < c->n; k++) {
        const uint32_t column = c->columns[k];
        if (whole)
            spk_scan_need(s, column, s->from, columns->n, columns->rows);
        else if (!s->decoded[column])
            spk_column_decode(&s->decoders[column], s->from, columns->n, rows, &s->inputs[column]);
    }
    s->given_whole[i] = whole;
    if (!c->computed) {
        s->given[i] = s->inputs[c->columns[0]];
        return &s->given[i];
    }
    if (!spk_sql_run_eval(s->run, c->number, columns->rows, &v)) {
        spk_query_task_fails(s->r->query, s->onward.pipe->task, spk_sql_run_error(s->run));
        return NULL;
    }
    s->given[i] = (spk_sql_input) { v.ptr, v.stride, v.valid, 1, 255, false };
    return &s->given[i];
}

uint32_t spk_scan_codes(const spk_vectors *columns, size_t i, uint32_t most, spk_scan_coded *coded)
{
    const spk_scan_state *s = (const spk_scan_state *)columns;
    if (!columns->block || s->r->columns[i].computed)
        return 0;
    const spk_scan_column *c = &s->r->columns[i];
    const spk_column_decoder *d = &s->decoders[c->columns[0]];
    const spk_block_column *column = d->column;
    const uint32_t n = spk_column_decode_codes(d, most);
    *coded = (spk_scan_coded) {
        .width = column->width, .ordered = column->coding == SPK_CODING_NARROW, .least = column->least
    };
    if (column->coding == SPK_CODING_CODES)
        coded->width = 1;
    if (coded->width)
        coded->codes = d->block + column->data + (size_t)s->from * coded->width;
    if (column->nulls)
        coded->valid = (const uint8_t *)d->block + column->nulls + s->from;
    return n;
}

/* read_batch: n rows of the block from `from` on. */
static bool read_batch(const spk_scan_rdd *r, spk_scan_state *s, spark_task *task, uint32_t from, uint32_t n)
{
    spk_vectors *c = &s->columns;
    memset(s->decoded, 0, r->n_columns);
    memset(s->given_whole, 0, r->out->n);
    if (!c->held)
        spk_recycle(task, &s->scratch[0]);
    spk_sql_run_begin(s->run, s->inputs, n, s->seen + from, &s->scratch[0]);
    s->from = from;
    c->n = n;
    if (!spk_scan_select(r, s, from, n, &c->rows)) {
        spk_query_task_fails(r->query, task, spk_sql_run_error(s->run));
        return false;
    }
    return spk_onward_take(&s->onward, c);
}

bool spk_columns_bounded(const spark_rdd *rdd, size_t i)
{
    if (rdd->class->open != open_scan)
        return false;
    const spk_scan_rdd *r = SPK_NODE(spk_scan_rdd, rdd);
    return !r->columns[i].computed && spk_column_is_whole(r->types[r->columns[i].columns[0]]);
}

bool spk_columns_sure(const spark_rdd *rdd)
{
    return SPK_NODE(spk_scan_rdd, rdd)->sure;
}

void spk_columns_bound(spk_op *op, size_t i, int64_t x, bool descending)
{
    spk_scan_state *s = op->state;
    s->bound.is_set = true;
    s->bound.descending = descending;
    s->bound.column = s->r->columns[i].columns[0];
    s->bound.x = x;
}

/* is_beyond: whether no row of the block is wanted. */
static bool is_beyond(const spk_scan_state *s)
{
    if (!s->bound.is_set)
        return false;
    const spk_block_column *c = s->decoders[s->bound.column].column;
    return c->coding == SPK_CODING_NARROW && !c->nulls
        && (s->bound.descending ? c->most < s->bound.x : c->least > s->bound.x);
}

static void read_block(const spk_scan_rdd *r, spk_scan_state *s, spk_pipe *pipe, const spk_block_head *head)
{
    spark_task *task = pipe->task;
    for (size_t i = 0; i < r->n_columns; i++)
        spk_column_decode_open(&s->decoders[i], head, r->members[i]);
    bool any = !is_beyond(s);
    spk_recycle(task, &s->scratch[1]);
    s->columns.block++;
    for (size_t f = 0; f < r->n_filters && any; f++)
        any = spk_scan_judge(r, s, f);
    for (uint32_t from = 0; any && from < head->rows && s->more && !spk_task_failed(task);) {
        const size_t fit = spk_pipe_rows(pipe, r->out->layout->size), most = fit < SPK_SQL_BATCH ? fit : SPK_SQL_BATCH;
        const uint32_t n = head->rows - from < most ? head->rows - from : (uint32_t)most;
        const int64_t start = spk_clock_ms();
        s->more = read_batch(r, s, task, from, n);
        spk_task_pace(task, spk_clock_ms() - start);
        from += n;
    }
    s->seen += head->rows;
    pipe->within += head->rows - 1;
    task->counts.input_rows += (int64_t)head->rows - 1;
}

static void run_scan(spk_pipe *pipe, spk_op *op, spk_batch *batch)
{
    const spk_scan_rdd *r = SPK_NODE(spk_scan_rdd, op->rdd);
    spk_scan_state *s = op->state;
    const spk_batch in = *batch;
    const size_t blocks = pipe->task->push.batch_rows;
    batch->n = 0;
    s->columns.held = false;
    pipe->task->push.batch_rows = s->pace ? s->pace : blocks;
    if (!spk_onward_begin(&s->onward, pipe, op, r->out, s->arenas))
        return;
    s->more = true;
    for (size_t i = 0; i < in.n && s->more && !spk_task_failed(pipe->task); i++) {
        const char *block;
        memcpy(&block, in.rows + i * op->rdd->deps[0].rdd->layout->size, sizeof block);
        read_block(r, s, pipe, (const spk_block_head *)(const void *)block);
    }
    spk_onward_end(&s->onward, batch);
    s->pace = pipe->task->push.batch_rows;
    pipe->task->push.batch_rows = blocks;
}

static void release_scan(spark_rdd *rdd)
{
    if (SPK_NODE(spk_scan_rdd, rdd)->query)
        spk_query_unref(SPK_NODE(spk_scan_rdd, rdd)->query);
}

/* ---- making it */

/* named: the columns of the scan that an expression names. */
static SPK_COLD spk_naming named(spk_analyzer *a, const spk_plan *scan, const spk_sql_expr *expr)
{
    spk_naming m = { a, scan, NULL, 0 };
    spk_names_of(&m, expr);
    return m;
}

/* is_monotone: a comparison of a whole number, date or time with a constant. */
static SPK_COLD bool is_monotone(const spk_sql_expr *e)
{
    const char *name = e->kind == SPK_SQL_CALL && e->function && e->n == 2 ? e->function->name : "";
    if (strcmp(name, "<") != 0 && strcmp(name, "<=") != 0 && strcmp(name, ">") != 0 && strcmp(name, ">=") != 0)
        return false;
    return (e->args[0]->kind == SPK_SQL_COLUMN && e->args[1]->kind == SPK_SQL_CONSTANT && !e->args[1]->null)
        || (e->args[1]->kind == SPK_SQL_COLUMN && e->args[0]->kind == SPK_SQL_CONSTANT && !e->args[0]->null);
}

/* is_sure: a condition that cannot fail: comparisons of columns and constants. */
static SPK_COLD bool is_sure(const spk_sql_expr *e)
{
    static const char *const names[]
        = { "=", "==", "<>", "!=", "<", "<=", ">", ">=", "<=>", "not", "!", "and", "or", "isnull", "isnotnull" };
    if (e->kind == SPK_SQL_COLUMN || e->kind == SPK_SQL_CONSTANT)
        return true;
    bool sure = false;
    for (size_t i = 0; e->kind == SPK_SQL_CALL && e->function && i < sizeof names / sizeof names[0] && !sure; i++)
        sure = strcmp(e->function->name, names[i]) == 0;
    for (uint32_t i = 0; i < e->n && sure; i++)
        sure = is_sure(e->args[i]);
    return sure;
}

/* text_of: the text that a condition compares a column with for being equal; NULL: it is another condition. */
static SPK_COLD const spark_str *text_of(const spk_sql_expr *e, bool *differs)
{
    const char *name = e->kind == SPK_SQL_CALL && e->function && e->n == 2 ? e->function->name : "";
    *differs = strcmp(name, "<>") == 0 || strcmp(name, "!=") == 0;
    if (!*differs && strcmp(name, "=") != 0 && strcmp(name, "==") != 0)
        return NULL;
    const bool turned = e->args[0]->kind == SPK_SQL_CONSTANT;
    const spk_sql_expr *column = e->args[turned], *constant = e->args[!turned];
    const bool texts = column->kind == SPK_SQL_COLUMN && constant->kind == SPK_SQL_CONSTANT && !constant->null
        && column->type->kind == SPK_SQL_STRING && constant->type->kind == SPK_SQL_STRING;
    return texts ? constant->value : NULL;
}

static SPK_COLD bool plan_filters(
    spk_query *q, spk_scan_rdd *r, const spk_plan *scan, spk_sql_expr *const *filters, size_t n)
{
    spk_scan_filter *own = NULL;
    size_t n_own = 0;
    for (size_t i = 0; i < n; i++) {
        const spk_naming m = named(&q->analyzer, scan, filters[i]);
        const int32_t alone = m.n == 1 ? (int32_t)m.columns[0] : m.n ? SPK_SEVERAL : SPK_NO_COLUMN;
        const int32_t column = filters[i]->deterministic ? alone : SPK_SEVERAL;
        spk_scan_filter filter = { column, m.columns, m.n, is_monotone(filters[i]), NULL, false, false };
        filter.text = text_of(filters[i], &filter.differs);
        for (size_t c = 0; c < m.n; c++)
            filter.texts = filter.texts || scan->out[m.columns[c]].type->kind == SPK_SQL_STRING;
        SPK_ADD(&q->analyzer, own, n_own, filter);
    }
    r->sure = true;
    for (size_t i = 0; i < n; i++)
        r->sure = r->sure && is_sure(filters[i]);
    r->filters = own;
    r->n_filters = n;
    return !spk_sql_failed(&q->error);
}

/* plan_columns: what comes out: columns of the scan, or expressions behind the filters. */
static SPK_COLD bool plan_columns(spk_query *q, spk_scan_rdd *r, const spk_plan *scan, spk_sql_expr *const *exprs,
    size_t n, spk_sql_expr ***all, size_t *n_all)
{
    spk_analyzer *a = &q->analyzer;
    spk_scan_column *columns = NULL;
    size_t n_columns = 0;
    for (size_t i = 0; i < n; i++) {
        const spk_naming m = named(a, scan, exprs[i]);
        const bool computed = exprs[i]->kind != SPK_SQL_COLUMN || !m.n;
        SPK_ADD(a, columns, n_columns, (spk_scan_column) { computed, (uint32_t)*n_all, m.columns, m.n });
        r->sure = r->sure && !computed;
        if (computed)
            SPK_ADD(a, *all, *n_all, exprs[i]);
    }
    r->columns = columns;
    return !spk_sql_failed(&q->error);
}

SPK_COLD spark_rdd *spk_columns_scan(spk_query *q, const spk_plan *scan, spk_sql_expr *const *filters, size_t n_filters,
    spk_sql_expr *const *exprs, size_t n, const spk_form *out)
{
    static const spk_class class = { .name = "InMemoryTableScanRDD",
        .open = open_scan,
        .run = run_scan,
        .release = release_scan };
    spk_analyzer *a = &q->analyzer;
    spk_scan_rdd plain = { .out = out, .n_columns = scan->n_out, .members = scan->members };
    const spk_sql_type **types = NULL;
    spk_sql_expr **all = NULL;
    size_t n_all = 0, n_types = 0;
    spk_verb v;
    bool made;
    spark_rdd *rdd = scan->rdd;
    for (size_t i = 0; i < n_filters; i++)
        SPK_ADD(a, all, n_all, filters[i]);
    for (size_t i = 0; i < scan->n_out; i++)
        SPK_ADD(a, types, n_types, scan->out[i].type);
    plain.types = types;
    if (!plan_filters(q, &plain, scan, filters, n_filters) || !plan_columns(q, &plain, scan, exprs, n, &all, &n_all)
        || !(plain.program = spk_program_of(q, all, n_all, &scan, 1)))
        return NULL;
    spk_verb_begin(&v, q->analyzer.site, n_filters ? "filter" : "select", NULL, 1, &rdd, NULL);
    rdd = spk_verb_make(&v, &class, sizeof(spk_scan_rdd), out->layout, &made);
    if (made) {
        spk_scan_rdd *r = SPK_NODE(spk_scan_rdd, rdd);
        SPK_NODE_FILL(spk_scan_rdd, r, &plain);
        r->query = q;
        spk_query_ref(q);
    }
    return rdd;
}
