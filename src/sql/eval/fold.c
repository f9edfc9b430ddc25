/* SPDX-License-Identifier: Apache-2.0 */
/* Constant folding: what has no column is computed once; what fails stays as it is, and fails for
 * the first row that needs it. */
#include "base/small.h"

#include "sql/eval/agg.h"
#include "sql/eval/program.h"
#include "sql/eval/resolve.h"

/* value_of: what the program computes, as a constant. NULL: it has failed. */
static SPK_COLD spk_sql_expr *value_of(spk_sql_build *b, const spk_sql_expr *e, spk_sql_run *run)
{
    spk_sql_vector v;
    if (!spk_sql_run_eval(run, 0, (spk_sql_rows) { NULL, 1 }, &v)) {
        if (spk_sql_run_error(run)->nomem)
            spk_sql_nomem(b->error);
        return NULL;
    }
    const bool present = spk_sql_valid(&v, 0) && e->type->kind != SPK_SQL_VOID;
    spk_sql_expr *made = spk_sql_constant(b, e->type, present ? v.ptr : NULL, e->span);
    void *value = made ? (void *)(uintptr_t)made->value : NULL;
    if (made && present && !spk_sql_copy_value(e->type, value, value, b->arena)) {
        spk_sql_nomem(b->error);
        return NULL;
    }
    return made;
}

/* run_once: program and registers are in `scratch`, for a statement may have very many constants. */
static SPK_COLD spk_sql_expr *run_once(spk_sql_build *b, spk_sql_expr *e, spk_arena *scratch)
{
    spk_sql_error error = { 0 };
    spk_sql_build quiet = { scratch, &error, b->session };
    const spk_sql_program *p = spk_sql_compile(&quiet, &e, 1);
    spk_sql_run *run = p ? spk_sql_run_new(p, scratch) : NULL;
    if (run) {
        spk_sql_run_begin(run, NULL, 1, 0, scratch);
        return value_of(b, e, run);
    }
    if (p || error.nomem) /* other failures are those of the rows, if there are any */
        spk_sql_nomem(b->error);
    return NULL;
}

static SPK_COLD spk_sql_expr *compute(spk_sql_build *b, spk_sql_expr *e, spk_arena *scratch)
{
    spk_sql_expr *made = run_once(b, e, scratch);
    if (!made)
        return NULL;
    const size_t n = spk_sql_expr_print(e, NULL, 0); /* it is printed as it was written */
    char *text = spk_arena_alloc(b->arena, n + 1, 1);
    if (text)
        spk_sql_expr_print(e, text, n + 1);
    made->text = text;
    return made;
}

static SPK_COLD void fold(spk_sql_build *b, spk_sql_expr **expr, int depth)
{
    spk_sql_expr *e = *expr;
    if (!e || depth > 1000 || spk_sql_failed(b->error))
        return;
    if (e->kind != SPK_SQL_CALL && e->kind != SPK_SQL_CAST)
        return;
    if (e->foldable) {
        spk_arena scratch;
        spk_arena_init(&scratch, b->arena->heap);
        spk_sql_expr *made = compute(b, e, &scratch);
        spk_arena_fini(&scratch);
        if (made)
            *expr = made;
        return;
    }
    for (uint32_t i = 0; i < e->n; i++)
        fold(b, &e->args[i], depth + 1);
}

SPK_COLD void spk_sql_fold(spk_sql_build *b, spk_sql_expr **expr)
{
    fold(b, expr, 0);
}

/* coerce_constant: NULL: it cannot be computed now. */
static SPK_COLD spk_sql_expr *coerce_constant(
    spk_sql_build *b, spk_sql_expr *e, const spk_sql_type *type, spk_arena *scratch)
{
    spk_sql_build apart = { scratch, b->error, b->session };
    spk_sql_expr *cast = spk_sql_coerce(&apart, e, type);
    return !cast || cast == e ? cast : cast->kind == SPK_SQL_CAST ? compute(b, cast, scratch) : NULL;
}

SPK_COLD bool spk_sql_coerce_folded(spk_sql_build *b, spk_sql_expr **exprs, size_t n, const spk_sql_type *type)
{
    spk_arena scratch;
    bool good = true;
    spk_arena_init(&scratch, b->arena->heap);
    for (size_t i = 0; i < n && good; i++) {
        spk_sql_expr *made
            = exprs[i]->kind == SPK_SQL_CONSTANT ? coerce_constant(b, exprs[i], type, &scratch) : NULL;
        spk_arena_reset(&scratch);
        exprs[i] = made ? made : spk_sql_coerce(b, exprs[i], type);
        good = exprs[i] != NULL;
        if (good)
            spk_sql_fold(b, &exprs[i]);
    }
    spk_arena_fini(&scratch);
    return good;
}
