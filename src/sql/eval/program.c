/* SPDX-License-Identifier: Apache-2.0 */
/* Compiling trees to nodes with registers, and running them on batches.
 *
 * A node of a tree becomes one node of the program, also where several trees share it; what was
 * computed
 * for a whole batch is not computed again for it. Strict functions are given the rows without a
 * NULL
 * among the arguments. */
#include "sql/eval/program.h"

#include "exec/task.h"
#include "sql/eval/narrow.h"
#include "sql/eval/resolve.h"

typedef struct spk_sql_node {
    const spk_sql_expr *expr;
    uint32_t index;
    struct spk_sql_node **args;
    const void *prepared;
    char narrow;                   /* see spk_sql_narrow_op */
    struct spk_sql_node *next;     /* of those that are kept for others like them, */
    uint64_t made_of;              /* which have the same number */
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

/* done: for which rows of which batch a register has values; rows that are chosen count until a filter chooses
 * others, which may be at the same place. */
typedef struct done {
    uint64_t epoch;
    const uint16_t *at;
    uint32_t n;
} done;

/* reg: of a node: its values, and for which rows it has them. */
typedef struct reg {
    char *values;
    uint8_t *valid;
    spk_sql_vector *args;
    bool *narrow_args;
    uint16_t *rows; /* the rows without NULL */
    done done, done_wide;
    spk_sql_vector out;
    bool is_narrow;  /* out is of `small`; values are the same in 128 bits, once they are asked for */
    int64_t *small;
} reg;

struct spk_sql_run {
    const spk_sql_program *program;
    spk_arena *keep, *scratch;
    const spk_sql_input *columns, *variables;
    uint32_t n, row;
    uint64_t first;
    uint64_t epoch, batch, last; /* of what rows are chosen now, of the batch's begin, and the last one given */
    bool failed;
    reg *regs;
    spk_sql_error error;
};

static bool is_done(const spk_sql_run *run, const done *d, spk_sql_rows rows)
{
    return (d->epoch == run->epoch && d->at == rows.at && d->n == rows.n)
        || (d->epoch >= run->batch && !d->at && d->n == run->n && d->n);
}

static done done_of(const spk_sql_run *run, spk_sql_rows rows)
{
    return (done) { run->epoch, rows.at, rows.n };
}

/* ---- compiling ---- */

enum { LIKE = 128 };

typedef struct compiler {
    spk_sql_build *b;
    known *table; /* by address */
    size_t size, used;
    uint32_t n_nodes;
    uint32_t lazy; /* how many functions around evaluate their arguments as they like */
    spk_sql_node_ *like[LIKE]; /* by what they are made of */
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

static SPK_COLD spk_sql_node_ *compile(compiler *c, const spk_sql_expr *expr, int depth);

static bool is_lazy(const spk_sql_expr *e)
{
    return e->kind == SPK_SQL_CALL && (e->function->flags & SPK_SQL_LAZY);
}

/* is_plain: a constant whose value is all that there is of it. */
static bool is_plain(const spk_sql_expr *e)
{
    return e->kind == SPK_SQL_CONSTANT && !e->null && (spk_sql_is_numeric(e->type) || e->type->kind == SPK_SQL_DATE);
}

/* same_leaf: columns and constants that are equal. */
static bool same_leaf(const spk_sql_expr *a, const spk_sql_expr *b)
{
    if (a == b)
        return true;
    if (a->kind != b->kind || !spk_sql_type_same(a->type, b->type))
        return false;
    if (a->kind == SPK_SQL_COLUMN)
        return a->column == b->column;
    return is_plain(a) && is_plain(b) && memcmp(a->value, b->value, a->type->size) == 0;
}

/* made_of: a number that nodes which give the same have in common. */
static uint64_t made_of(const spk_sql_node_ *node)
{
    uint64_t h = (uintptr_t)node->expr->kernel >> 4;
    for (uint32_t i = 0; i < node->expr->n; i++) {
        const spk_sql_node_ *arg = node->args[i];
        const spk_sql_expr *e = arg->expr;
        uint64_t own = e->kind == SPK_SQL_COLUMN ? e->column : is_plain(e) ? 0 : UINT64_C(1) << 32 | arg->index;
        if (is_plain(e))
            memcpy(&own, e->value, e->type->size < sizeof own ? e->type->size : sizeof own);
        h = (h ^ own) * UINT64_C(0x9e3779b97f4a7c15);
        h ^= h >> 32;
    }
    return h;
}

/* same_node: whether b gives what a gives. */
static bool same_node(const spk_sql_node_ *a, const spk_sql_node_ *b)
{
    const spk_sql_expr *x = a->expr, *y = b->expr;
    bool same = x->kind == y->kind && x->kernel == y->kernel && x->n == y->n && x->attempt == y->attempt
        && (x->kind != SPK_SQL_CALL || x->function == y->function) && spk_sql_type_same(x->type, y->type);
    for (uint32_t i = 0; same && i < x->n; i++)
        same = a->args[i] == b->args[i] || (a->args[i] && b->args[i] && same_leaf(a->args[i]->expr, b->args[i]->expr));
    return same;
}

/* known_like: a node like this one, which is computed before it, and at the latest now: none in what may not be
 * computed at all, so that the first that fails is the first that is written. Else it is kept for others. */
static spk_sql_node_ *known_like(compiler *c, spk_sql_node_ *node)
{
    const spk_sql_expr *e = node->expr;
    bool plain = (e->kind == SPK_SQL_CALL || e->kind == SPK_SQL_CAST) && e->deterministic && !is_lazy(e);
    for (uint32_t i = 0; plain && i < e->n; i++)
        plain = node->args[i] != NULL; /* no lambda */
    if (!plain)
        return node;
    node->made_of = made_of(node);
    spk_sql_node_ **at = &c->like[node->made_of % LIKE];
    for (spk_sql_node_ *other = *at; other; other = other->next)
        if (other->made_of == node->made_of && same_node(other, node))
            return other;
    if (!c->lazy) {
        node->next = *at;
        *at = node;
    }
    return node;
}

/* prepare_call: what it keeps of its arguments. */
static void prepare_call(compiler *c, spk_sql_node_ *node)
{
    const spk_sql_expr *e = node->expr;
    if (e->kind == SPK_SQL_CAST)
        node->prepared = spk_sql_cast_prepare(c->b, e);
    else if (e->kind == SPK_SQL_CALL && e->function->prepare)
        node->prepared = e->function->prepare(c->b, e);
}

static bool compile_args(compiler *c, spk_sql_node_ *node, int depth)
{
    const spk_sql_expr *e = node->expr;
    uint32_t n = e->n;
    if (is_lazy(e)) {
        prepare_call(c, node);
        n = node->prepared ? 1 : n; /* it has the others */
    }
    c->lazy += is_lazy(e);
    for (uint32_t i = 0; i < n; i++) {
        if (e->args[i]->kind == SPK_SQL_LAMBDA) {
            node->args[i] = NULL; /* its function compiles it */
            continue;
        }
        node->args[i] = compile(c, e->args[i], depth + 1);
        if (!node->args[i])
            return false;
    }
    c->lazy -= is_lazy(e);
    node->narrow = spk_sql_narrow_op(e);
    if (!is_lazy(e))
        prepare_call(c, node);
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
    if (!compile_args(c, node, depth))
        return NULL;
    spk_sql_node_ *like = known_like(c, node);
    if (like != node)
        find(c, expr)->node = like; /* the table may have grown */
    return like;
}

SPK_COLD const spk_sql_program *spk_sql_compile(spk_sql_build *b, spk_sql_expr *const exprs[], size_t n)
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

/* make_ready, ready: the memory of a register, made when it is first needed. */
static SPK_COLD bool make_ready(spk_sql_run *run, const spk_sql_node_ *node)
{
    reg *r = &run->regs[node->index];
    const spk_sql_expr *e = node->expr;
    const size_t n_args = is_lazy(e) ? 0 : e->n;
    if (e->kind == SPK_SQL_CALL || e->kind == SPK_SQL_CAST) {
        r->values = spk_arena_alloc(run->keep, (size_t)SPK_SQL_BATCH * e->type->size, 64);
        r->rows = spk_arena_alloc(run->keep, SPK_SQL_BATCH * sizeof(uint16_t), 64);
        r->args = spk_arena_alloc(
            run->keep, (n_args + 1) * sizeof(spk_sql_vector), _Alignof(spk_sql_vector));
        r->narrow_args = spk_arena_alloc(run->keep, n_args + 1, 1);
        if (node->narrow)
            r->small = spk_arena_alloc(run->keep, SPK_SQL_BATCH * sizeof *r->small, 64);
        if (!r->values || !r->rows || !r->args || !r->narrow_args || (node->narrow && !r->small)) {
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

static bool ready(spk_sql_run *run, const spk_sql_node_ *node)
{
    return run->regs[node->index].valid || make_ready(run, node);
}

/* ---- evaluating ---- */

/* eval: narrow: becomes true where the values have 64 bits instead of 128; NULL: they must not. */
static spk_sql_vector eval(spk_sql_run *run, const spk_sql_node_ *node, spk_sql_rows rows, bool *narrow);

static spk_sql_vector column(spk_sql_run *run, const spk_sql_node_ *node)
{
    reg *r = &run->regs[node->index];
    const bool variable = node->expr->kind == SPK_SQL_VARIABLE;
    const spk_sql_input *in = &(variable ? run->variables : run->columns)[node->expr->column];
    if (!in->valid || (in->valid_stride == 1 && in->mask == 255 && !in->inverted)) /* as vectors have it */
        return (spk_sql_vector) { in->ptr, in->stride, in->valid };
    if (r->done.epoch >= run->batch && r->done.epoch)
        return r->out;
    if (!ready(run, node))
        return (spk_sql_vector) { NULL, 0, spk_sql_nulls };
    uint8_t all = 1;
    for (uint32_t i = 0; i < run->n; i++) {
        r->valid[i] = ((in->valid[i * in->valid_stride] & in->mask) != 0) != in->inverted;
        all &= r->valid[i];
    }
    r->out = (spk_sql_vector) { in->ptr, in->stride, all ? NULL : r->valid };
    r->done = done_of(run, (spk_sql_rows) { NULL, run->n });
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

/* widened: what a register has, in 128 bits. */
static spk_sql_vector widened(const spk_sql_run *run, reg *r, spk_sql_rows rows)
{
    if (!is_done(run, &r->done_wide, rows))
        spk_sql_narrow_widen(&r->out, rows, (spk_sql_wide *)(void *)r->values);
    r->done_wide = done_of(run, rows);
    return (spk_sql_vector) { r->values, sizeof(spk_sql_wide), r->out.valid };
}

/* arguments: of a strict function; narrow: some may have 64 bits instead of 128, all of them have 64 then. */
static void arguments(spk_sql_run *run, const spk_sql_node_ *node, spk_sql_rows rows, bool *narrow)
{
    reg *r = &run->regs[node->index];
    const spk_sql_expr *e = node->expr;
    *narrow = node->narrow != 0;
    for (uint32_t i = 0; i < e->n && !run->failed; i++) {
        r->narrow_args[i] = false;
        r->args[i] = node->args[i] ? eval(run, node->args[i], rows, node->narrow ? &r->narrow_args[i] : NULL)
                                   : (spk_sql_vector) { NULL, 0, NULL };
        *narrow = *narrow && (r->narrow_args[i] || e->args[i]->type->size == sizeof(int64_t));
    }
}

/* compute: the kernel, or the same in 64 bits. */
static void compute(spk_sql_run *run, const spk_sql_node_ *node, spk_sql_rows rows, bool narrow)
{
    reg *r = &run->regs[node->index];
    const spk_sql_expr *e = node->expr;
    r->is_narrow = narrow && spk_sql_narrow_run(node->narrow, e, r->args, rows, r->small);
    if (r->is_narrow)
        return;
    for (uint32_t i = 0; node->narrow && i < e->n; i++)
        if (r->narrow_args[i])
            r->args[i] = widened(run, &run->regs[node->args[i]->index], rows);
    spk_sql_frame f = { .expr = e,
        .args = r->args,
        .n_args = e->n,
        .rows = rows,
        .out = r->values,
        .out_valid = r->valid,
        .prepared = node->prepared,
        .arena = run->scratch,
        .run = run,
        .node = (struct spk_sql_node *)(uintptr_t)node };
    if (!run->failed)
        e->kernel(&f);
}

/* given: what a register has, as it is wanted. */
static spk_sql_vector given(spk_sql_run *run, reg *r, spk_sql_rows rows, bool *narrow)
{
    if (!r->is_narrow)
        return r->out;
    if (!narrow)
        return widened(run, r, rows);
    *narrow = true;
    return r->out;
}

static spk_sql_vector call(spk_sql_run *run, const spk_sql_node_ *node, spk_sql_rows rows, bool *narrow)
{
    reg *r = &run->regs[node->index];
    const spk_sql_expr *e = node->expr;
    const uint16_t flags = e->kind == SPK_SQL_CALL                         ? e->function->flags
        : e->attempt || spk_sql_cast_gives_null(e->args[0]->type, e->type) ? SPK_SQL_GIVES_NULL
                                                                           : 0;
    bool all = true, narrow_args = false;
    spk_sql_rows some = rows;
    if (is_done(run, &r->done, rows))
        return given(run, r, rows, narrow);
    if (!ready(run, node))
        return (spk_sql_vector) { NULL, 0, spk_sql_nulls };
    r->done = r->done_wide = (done) { 0, NULL, 0 };
    if (!(flags & SPK_SQL_LAZY))
        arguments(run, node, rows, &narrow_args);
    if (run->failed)
        return (spk_sql_vector) { NULL, 0, spk_sql_nulls };
    if (!(flags & (SPK_SQL_NULL_AWARE | SPK_SQL_LAZY)))
        some = strict(r, e->n, rows, &all);
    const bool may = flags & (SPK_SQL_NULL_AWARE | SPK_SQL_LAZY | SPK_SQL_GIVES_NULL);
    if (may && all)
        set_valid(r, rows);
    r->is_narrow = false;
    if (some.n > 0)
        compute(run, node, some, narrow_args);
    r->out = (spk_sql_vector) { r->values, e->type->size, may || !all ? r->valid : NULL };
    if (r->is_narrow) {
        r->out.ptr = (const char *)r->small;
        r->out.stride = sizeof *r->small;
    }
    if (!run->failed)
        r->done = done_of(run, rows);
    return given(run, r, some, narrow);
}

static spk_sql_vector eval(spk_sql_run *run, const spk_sql_node_ *node, spk_sql_rows rows, bool *narrow)
{
    const spk_sql_expr *e = node->expr;
    switch (e->kind) {
    case SPK_SQL_CONSTANT:
        return (spk_sql_vector) { e->value, 0, e->null ? spk_sql_nulls : NULL };
    case SPK_SQL_COLUMN:
    case SPK_SQL_VARIABLE:
        return column(run, node);
    default:
        return call(run, node, rows, narrow);
    }
}

spk_sql_vector spk_sql_arg(spk_sql_frame *f, uint32_t a, spk_sql_rows rows)
{
    if (f->run->failed)
        return (spk_sql_vector) { NULL, 0, spk_sql_nulls };
    const uint64_t epoch = f->run->epoch;
    if (rows.at != f->rows.at || rows.n != f->rows.n) /* other rows may have been at the same place */
        f->run->epoch = ++f->run->last;
    const spk_sql_vector v = eval(f->run, f->node->args[a], rows, NULL);
    f->run->epoch = epoch;
    return v;
}

/* ---- running ---- */

void spk_sql_run_begin(
    spk_sql_run *run, const spk_sql_input columns[], uint32_t n, uint64_t first, spk_arena *scratch)
{
    run->columns = columns;
    run->n = n;
    run->first = first;
    run->scratch = scratch;
    run->batch = run->epoch = ++run->last;
}

/* one_by_one: finds the first row that fails alone. Where none does, the failure of all stays. */
static void one_by_one(spk_sql_run *run, const spk_sql_node_ *root, spk_sql_rows rows)
{
    const spk_sql_error all = run->error;
    for (uint32_t k = 0; k < rows.n && !all.nomem; k++) {
        const uint16_t at = (uint16_t)spk_sql_row(rows, k);
        run->failed = false;
        run->error.condition = NULL;
        run->batch = run->epoch = ++run->last;
        eval(run, root, (spk_sql_rows) { &at, 1 }, NULL);
        run->row = at;
        if (run->failed)
            return;
    }
    run->failed = true;
    run->error = all;
}

static bool evaluated(spk_sql_run *run, uint32_t which, spk_sql_rows rows, bool *narrow, spk_sql_vector *out)
{
    if (run->failed)
        return false;
    const spk_sql_node_ *root = run->program->roots[which];
    *out = eval(run, root, rows, narrow);
    if (run->failed && rows.n > 1)
        one_by_one(run, root, rows);
    else if (run->failed)
        run->row = spk_sql_row(rows, 0);
    return !run->failed;
}

bool spk_sql_run_eval(spk_sql_run *run, uint32_t which, spk_sql_rows rows, spk_sql_vector *out)
{
    return evaluated(run, which, rows, NULL, out);
}

bool spk_sql_run_narrow(spk_sql_run *run, uint32_t which, spk_sql_rows rows, spk_sql_vector *out, bool *narrow)
{
    *narrow = false;
    return evaluated(run, which, rows, narrow, out);
}

void spk_sql_run_others(spk_sql_run *run)
{
    run->epoch = ++run->last;
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
        n += spk_sql_valid(&v, i) & SPK_SQL_VALUE(uint8_t, &v, i); /* no bool where there is no value */
    }
    spk_sql_run_others(run); /* `at` may be where others stood */
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

void spk_sql_no_room(spk_sql_frame *f)
{
    no_memory(f->run);
}

bool spk_sql_stops(spk_sql_frame *f)
{
    spark_task *task = spk_task_current();
    if (!task || !spk_task_over(task))
        return f->run->failed;
    no_memory(f->run); /* so that no row is looked for; whoever wants to say so sees that the task is over */
    return true;
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
    if (!f->run->failed) {
        spk_sql_error *own = &f->run->error;
        *own = *error;
        for (size_t i = 0; i < own->n; i++) /* values are in the bytes of the error */
            own->parameters[i].value = own->bytes + (error->parameters[i].value - error->bytes);
    }
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
