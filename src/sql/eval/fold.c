/* SPDX-License-Identifier: Apache-2.0 */
/* Constant folding: what has no column is computed once; what fails stays as it is, and fails for
 * the first row that needs it. */
#include "base/small.h"

#include "sql/eval/agg.h"
#include "sql/eval/program.h"
#include "sql/eval/resolve.h"

/* value_of: what the program computes, copied into the build's arena; NULL for NULL. False: it has failed. */
static bool value_of(spk_sql_build *b, const spk_sql_expr *e, spk_sql_run *run, const void **value)
{
    spk_sql_vector v;
    *value = NULL;
    if (!spk_sql_run_eval(run, 0, (spk_sql_rows) { NULL, 1 }, &v)) {
        if (spk_sql_run_error(run)->nomem)
            spk_sql_nomem(b->error);
        return false;
    }
    if (!spk_sql_valid(&v, 0) || e->type->kind == SPK_SQL_VOID)
        return true;
    void *copy = spk_arena_alloc(b->arena, e->type->size, 16);
    if (!copy || !spk_sql_copy_value(e->type, v.ptr, copy, b->arena)) {
        spk_sql_nomem(b->error);
        return false;
    }
    *value = copy;
    return true;
}

/* run_once: program and registers are gone afterwards, for a statement may have very many constants. */
static bool run_once(spk_sql_build *b, spk_sql_expr *e, const void **value)
{
    spk_sql_error error = { 0 };
    spk_arena scratch;
    spk_arena_init(&scratch, b->arena->heap);
    spk_sql_build quiet = { &scratch, &error, b->session };
    const spk_sql_program *p = spk_sql_compile(&quiet, &e, 1);
    spk_sql_run *run = p ? spk_sql_run_new(p, &scratch) : NULL;
    bool good = run != NULL;
    if (run) {
        spk_sql_run_begin(run, NULL, 1, 0, &scratch);
        good = value_of(b, e, run, value);
    } else if (p || error.nomem) { /* other failures are those of the rows, if there are any */
        spk_sql_nomem(b->error);
    }
    spk_arena_fini(&scratch);
    return good;
}

static spk_sql_expr *compute(spk_sql_build *b, spk_sql_expr *e)
{
    const void *value;
    spk_sql_expr *made = run_once(b, e, &value) ? spk_sql_constant(b, e->type, value, e->span) : NULL;
    if (!made)
        return NULL;
    const size_t n = spk_sql_expr_print(e, NULL, 0); /* it is printed as it was written */
    char *text = spk_arena_alloc(b->arena, n + 1, 1);
    if (text)
        spk_sql_expr_print(e, text, n + 1);
    made->text = text;
    return made;
}

static void fold(spk_sql_build *b, spk_sql_expr **expr, int depth)
{
    spk_sql_expr *e = *expr;
    if (!e || depth > 1000 || spk_sql_failed(b->error))
        return;
    if (e->kind != SPK_SQL_CALL && e->kind != SPK_SQL_CAST)
        return;
    if (e->foldable) {
        spk_sql_expr *made = compute(b, e);
        if (made)
            *expr = made;
        return;
    }
    for (uint32_t i = 0; i < e->n; i++)
        fold(b, &e->args[i], depth + 1);
}

void spk_sql_fold(spk_sql_build *b, spk_sql_expr **expr)
{
    fold(b, expr, 0);
}
