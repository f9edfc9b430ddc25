/* SPDX-License-Identifier: Apache-2.0 */
/* Compiling trees to nodes with registers, and running them on batches.
 *
 * A node of a tree becomes one node of the program, also where several trees share it; what was
 * computed
 * for a whole batch is not computed again for it. Strict functions are given the rows without a
 * NULL
 * among the arguments. */
#include "sql/eval/program.h"

#include "sql/eval/resolve.h"

typedef struct spk_sql_node {
    const spk_sql_expr *expr;
    uint32_t index;
    struct spk_sql_node **args;
    const void *prepared;
} spk_sql_node_;

typedef struct known {
    const spk_sql_expr *expr;
    spk_sql_node_ *node;
} known;

struct spk_sql_program {
    spk_sql_node_ **roots;
    size_t n_roots;
    uint32_t n_nodes;
};

/* reg: of a node: its values, and for which batch it has them. */
typedef struct reg {
    char *values;
    uint8_t *valid;
    spk_sql_vector *args;
    uint16_t *rows; /* the rows without NULL */
    uint64_t epoch; /* all rows of that batch are there */
    spk_sql_vector out;
} reg;

struct spk_sql_run {
    const spk_sql_program *program;
    spk_arena *keep, *scratch;
    const spk_sql_input *columns, *variables;
    uint32_t n, row;
    uint64_t first, epoch;
    bool failed;
    reg *regs;
    spk_sql_error error;
};

/* ---- compiling ---- */

typedef struct compiler {
    spk_sql_build *b;
    known *table; /* by address */
    size_t size, used;
    uint32_t n_nodes;
} compiler;

static known *find(compiler *c, const spk_sql_expr *expr)
{
    size_t i = ((uintptr_t)expr >> 4) * UINT64_C(0x9e3779b97f4a7c15) & (c->size - 1);
    while (c->table[i].expr && c->table[i].expr != expr)
        i = (i + 1) & (c->size - 1);
    return &c->table[i];
}

static bool enlarge(compiler *c)
{
    const known *old = c->table;
    const size_t n = c->size;
    c->size = n > 0 ? 2 * n : 64;
    c->table = spk_arena_alloc(c->b->arena, c->size * sizeof(known), _Alignof(known));
    if (!c->table) {
        spk_sql_nomem(c->b->error);
        return false;
    }
    memset(c->table, 0, c->size * sizeof(known));
    for (size_t i = 0; i < n; i++)
        if (old[i].expr)
            *find(c, old[i].expr) = old[i];
    return true;
}

static spk_sql_node_ *compile(compiler *c, const spk_sql_expr *expr, int depth);

static bool compile_args(compiler *c, spk_sql_node_ *node, int depth)
{
    const spk_sql_expr *e = node->expr;
    for (uint32_t i = 0; i < e->n; i++) {
        if (e->args[i]->kind == SPK_SQL_LAMBDA) {
            node->args[i] = NULL; /* its function compiles it */
            continue;
        }
        node->args[i] = compile(c, e->args[i], depth + 1);
        if (!node->args[i])
            return false;
    }
    if (e->kind == SPK_SQL_CAST)
        node->prepared = spk_sql_cast_prepare(c->b, e);
    else if (e->kind == SPK_SQL_CALL && e->function->prepare)
        node->prepared = e->function->prepare(c->b, e);
    return !spk_sql_failed(c->b->error);
}

static spk_sql_node_ *compile(compiler *c, const spk_sql_expr *expr, int depth)
{
    enum { DEEPEST = 3000 };
    while (expr->kind == SPK_SQL_CALL && expr->shown)
        expr = expr->args[0];
    if (2 * c->used >= c->size && !enlarge(c))
        return NULL;
    known *place = find(c, expr);
    if (place->expr)
        return place->node;
    spk_sql_node_ *node = spk_arena_alloc(c->b->arena, sizeof *node, _Alignof(spk_sql_node_));
    if (depth > DEEPEST) {
        spk_sql_unsupported(c->b->error, expr->span, "an expression nested deeper than 3000");
        return NULL;
    }
    if (node)
        *node = (spk_sql_node_) { .expr = expr,
            .index = c->n_nodes++,
            .args = spk_arena_alloc(
                c->b->arena, (expr->n + 1) * sizeof(void *), _Alignof(spk_sql_node_ *)) };
    if (!node || !node->args) {
        spk_sql_nomem(c->b->error);
        return NULL;
    }
    *place = (known) { expr, node };
    c->used++;
    return compile_args(c, node, depth) ? node : NULL;
}

const spk_sql_program *spk_sql_compile(spk_sql_build *b, spk_sql_expr *const exprs[], size_t n)
{
    compiler c = { .b = b };
    if (spk_sql_failed(b->error))
        return NULL;
    spk_sql_program *p = spk_arena_alloc(b->arena, sizeof *p, _Alignof(spk_sql_program));
    spk_sql_node_ **roots
        = spk_arena_alloc(b->arena, (n + 1) * sizeof(void *), _Alignof(spk_sql_node_ *));
    if (!p || !roots) {
        spk_sql_nomem(b->error);
        return NULL;
    }
    for (size_t i = 0; i < n; i++)
        if (!exprs[i] || !(roots[i] = compile(&c, exprs[i], 0)))
            return NULL;
    *p = (spk_sql_program) { .roots = roots, .n_roots = n, .n_nodes = c.n_nodes };
    return p;
}

/* ---- registers ---- */

spk_sql_run *spk_sql_run_new(const spk_sql_program *program, spk_arena *keep)
{
    spk_sql_run *run = spk_arena_alloc(keep, sizeof *run, _Alignof(spk_sql_run));
    reg *regs = spk_arena_alloc(keep, (program->n_nodes + 1) * sizeof(reg), _Alignof(reg));
    if (!run || !regs)
        return NULL;
    memset(run, 0, sizeof *run);
    memset(regs, 0, (program->n_nodes + 1) * sizeof(reg));
    run->program = program;
    run->keep = keep;
    run->regs = regs;
    return run;
}

static void no_memory(spk_sql_run *run)
{
    spk_sql_nomem(&run->error);
    run->failed = true;
}

/* ready: the memory of a register, made when it is first needed. */
static bool ready(spk_sql_run *run, const spk_sql_node_ *node)
{
    reg *r = &run->regs[node->index];
    const spk_sql_expr *e = node->expr;
    if (r->valid)
        return true;
    if (e->kind == SPK_SQL_CALL || e->kind == SPK_SQL_CAST) {
        r->values = spk_arena_alloc(run->keep, (size_t)SPK_SQL_BATCH * e->type->size, 64);
        r->rows = spk_arena_alloc(run->keep, SPK_SQL_BATCH * sizeof(uint16_t), 64);
        r->args = spk_arena_alloc(
            run->keep, (e->n + 1) * sizeof(spk_sql_vector), _Alignof(spk_sql_vector));
        if (!r->values || !r->rows || !r->args) {
            no_memory(run);
            return false;
        }
        memset(r->values, 0, (size_t)SPK_SQL_BATCH * e->type->size);
    }
    r->valid = spk_arena_alloc(run->keep, SPK_SQL_BATCH, 64);
    if (!r->valid) {
        no_memory(run);
        return false;
    }
    return true;
}

/* ---- evaluating ---- */

static spk_sql_vector eval(spk_sql_run *run, const spk_sql_node_ *node, spk_sql_rows rows);

static spk_sql_vector column(spk_sql_run *run, const spk_sql_node_ *node)
{
    reg *r = &run->regs[node->index];
    const bool variable = node->expr->kind == SPK_SQL_VARIABLE;
    const spk_sql_input *in = &(variable ? run->variables : run->columns)[node->expr->column];
    if (!in->valid)
        return (spk_sql_vector) { in->ptr, in->stride, NULL };
    if (r->epoch == run->epoch)
        return r->out;
    if (!ready(run, node))
        return (spk_sql_vector) { NULL, 0, spk_sql_nulls };
    uint8_t all = 1;
    for (uint32_t i = 0; i < run->n; i++) {
        r->valid[i] = ((in->valid[i * in->valid_stride] & in->mask) != 0) != in->inverted;
        all &= r->valid[i];
    }
    r->out = (spk_sql_vector) { in->ptr, in->stride, all ? NULL : r->valid };
    r->epoch = run->epoch;
    return r->out;
}

/* strict: combines the arguments' validity; the rows that are left. */
static spk_sql_rows strict(reg *r, uint32_t n_args, spk_sql_rows rows, bool *all)
{
    bool any = false;
    for (uint32_t a = 0; a < n_args; a++)
        any |= r->args[a].valid != NULL;
    *all = !any;
    if (!any)
        return rows;
    uint32_t n = 0;
    for (uint32_t k = 0; k < rows.n; k++) {
        const uint32_t i = spk_sql_row(rows, k);
        uint8_t valid = 1;
        for (uint32_t a = 0; a < n_args; a++)
            valid &= r->args[a].valid ? r->args[a].valid[i] : 1;
        r->valid[i] = valid;
        r->rows[n] = (uint16_t)i;
        n += valid;
    }
    if (n == rows.n) {
        *all = true;
        return rows;
    }
    return (spk_sql_rows) { r->rows, n };
}

static void set_valid(reg *r, spk_sql_rows rows)
{
    if (!rows.at)
        memset(r->valid, 1, rows.n);
    else
        for (uint32_t k = 0; k < rows.n; k++)
            r->valid[rows.at[k]] = 1;
}

static spk_sql_vector call(spk_sql_run *run, const spk_sql_node_ *node, spk_sql_rows rows)
{
    reg *r = &run->regs[node->index];
    const spk_sql_expr *e = node->expr;
    const uint16_t flags = e->kind == SPK_SQL_CALL                         ? e->function->flags
        : e->attempt || spk_sql_cast_gives_null(e->args[0]->type, e->type) ? SPK_SQL_GIVES_NULL
                                                                           : 0;
    bool all = true;
    spk_sql_rows some = rows;
    if (r->epoch == run->epoch)
        return r->out;
    if (!ready(run, node))
        return (spk_sql_vector) { NULL, 0, spk_sql_nulls };
    if (!(flags & SPK_SQL_LAZY))
        for (uint32_t i = 0; i < e->n && !run->failed; i++)
            r->args[i] = node->args[i] ? eval(run, node->args[i], rows)
                                       : (spk_sql_vector) { NULL, 0, NULL };
    if (run->failed)
        return (spk_sql_vector) { NULL, 0, spk_sql_nulls };
    if (!(flags & (SPK_SQL_NULL_AWARE | SPK_SQL_LAZY)))
        some = strict(r, e->n, rows, &all);
    const bool may = flags & (SPK_SQL_NULL_AWARE | SPK_SQL_LAZY | SPK_SQL_GIVES_NULL);
    if (may && all)
        set_valid(r, rows);
    spk_sql_frame f = { .expr = e,
        .args = r->args,
        .n_args = e->n,
        .rows = some,
        .out = r->values,
        .out_valid = r->valid,
        .prepared = node->prepared,
        .arena = run->scratch,
        .run = run,
        .node = (struct spk_sql_node *)(uintptr_t)node };
    if (some.n > 0)
        e->kernel(&f);
    r->out = (spk_sql_vector) { r->values, e->type->size, may || !all ? r->valid : NULL };
    if (!rows.at && rows.n == run->n && !run->failed)
        r->epoch = run->epoch;
    return r->out;
}

static spk_sql_vector eval(spk_sql_run *run, const spk_sql_node_ *node, spk_sql_rows rows)
{
    const spk_sql_expr *e = node->expr;
    switch (e->kind) {
    case SPK_SQL_CONSTANT:
        return (spk_sql_vector) { e->value, 0, e->null ? spk_sql_nulls : NULL };
    case SPK_SQL_COLUMN:
    case SPK_SQL_VARIABLE:
        return column(run, node);
    default:
        return call(run, node, rows);
    }
}

spk_sql_vector spk_sql_arg(spk_sql_frame *f, uint32_t a, spk_sql_rows rows)
{
    if (f->run->failed)
        return (spk_sql_vector) { NULL, 0, spk_sql_nulls };
    return eval(f->run, f->node->args[a], rows);
}

/* ---- running ---- */

void spk_sql_run_begin(
    spk_sql_run *run, const spk_sql_input columns[], uint32_t n, uint64_t first, spk_arena *scratch)
{
    run->columns = columns;
    run->n = n;
    run->first = first;
    run->scratch = scratch;
    run->epoch++;
}

/* one_by_one: finds the first row that fails alone. Where none does, the failure of all stays. */
static void one_by_one(spk_sql_run *run, const spk_sql_node_ *root, spk_sql_rows rows)
{
    const spk_sql_error all = run->error;
    for (uint32_t k = 0; k < rows.n && !all.nomem; k++) {
        const uint16_t at = (uint16_t)spk_sql_row(rows, k);
        run->failed = false;
        run->error.condition = NULL;
        run->epoch++;
        eval(run, root, (spk_sql_rows) { &at, 1 });
        run->row = at;
        if (run->failed)
            return;
    }
    run->failed = true;
    run->error = all;
}

bool spk_sql_run_eval(spk_sql_run *run, uint32_t which, spk_sql_rows rows, spk_sql_vector *out)
{
    if (run->failed)
        return false;
    const spk_sql_node_ *root = run->program->roots[which];
    *out = eval(run, root, rows);
    if (run->failed && rows.n > 1)
        one_by_one(run, root, rows);
    else if (run->failed)
        run->row = spk_sql_row(rows, 0);
    return !run->failed;
}

uint32_t spk_sql_run_filter(spk_sql_run *run, uint32_t which, spk_sql_rows rows, uint16_t *at)
{
    spk_sql_vector v;
    uint32_t n = 0;
    if (!spk_sql_run_eval(run, which, rows, &v))
        return UINT32_MAX;
    for (uint32_t k = 0; k < rows.n; k++) {
        const uint32_t i = spk_sql_row(rows, k);
        at[n] = (uint16_t)i;
        n += spk_sql_valid(&v, i) & SPK_SQL_VALUE(bool, &v, i);
    }
    return n;
}

const spk_sql_error *spk_sql_run_error(const spk_sql_run *run)
{
    return &run->error;
}

uint32_t spk_sql_run_row(const spk_sql_run *run)
{
    return run->row;
}

bool spk_sql_run_failed(const spk_sql_run *run)
{
    return run->failed;
}

uint64_t spk_sql_run_first(const spk_sql_run *run)
{
    return run->first;
}

const spk_sql_input *spk_sql_run_columns(const spk_sql_run *run)
{
    return run->columns;
}

const spk_sql_input *spk_sql_run_variables(const spk_sql_run *run)
{
    return run->variables;
}

void spk_sql_run_set_variables(spk_sql_run *run, const spk_sql_input *variables)
{
    run->variables = variables;
}

spk_arena *spk_sql_run_keep(spk_sql_run *run)
{
    return run->keep;
}

void *spk_sql_alloc(spk_sql_frame *f, size_t size, size_t align)
{
    void *p = spk_arena_alloc(f->arena, size, align);
    if (!p)
        no_memory(f->run);
    return p;
}

spk_sql_error *spk_sql_raise(spk_sql_frame *f, const char *condition)
{
    f->run->failed = true;
    spk_sql_fail(&f->run->error, condition, f->expr->span);
    return &f->run->error;
}

void spk_sql_param_text(spk_sql_error *error, const char *name, const char *text, size_t n)
{
    char quoted[600];
    size_t at = 0;
    quoted[at++] = '\'';
    for (size_t i = 0; i < n && at < sizeof quoted - 3; i++) {
        if (text[i] == '\\' || text[i] == '\'')
            quoted[at++] = '\\';
        quoted[at++] = text[i];
    }
    quoted[at++] = '\'';
    spk_sql_param(error, name, "%.*s", (int)at, quoted);
}

void spk_sql_run_give(spk_sql_frame *f, const spk_sql_error *error)
{
    if (!f->run->failed)
        f->run->error = *error;
    f->run->failed = true;
}

void spk_sql_store(
    const spk_sql_type *type, const spk_sql_vector *v, uint32_t i, bool nullable, char *slot)
{
    const bool valid = spk_sql_valid(v, i);
    if (nullable) {
        const uint32_t at = spk_sql_slot_value(type, true);
        memset(slot, 0, spk_sql_slot_size(type, true));
        *slot = valid;
        slot += at;
    }
    if (valid && type->kind != SPK_SQL_VOID)
        memcpy(slot, v->ptr + (size_t)i * v->stride, type->size);
}
