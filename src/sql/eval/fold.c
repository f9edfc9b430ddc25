/* SPDX-License-Identifier: Apache-2.0 */
/* Constant folding: what has no column is computed once; what fails stays as it is, and fails for
 * the first row that needs it. */
#include "sql/eval/program.h"
#include "sql/eval/resolve.h"

/* deep: a copy of what a value points to, so that it outlives the run. Runs allocate in the build's
 * arena, where results stay. */
static spk_sql_expr *compute(spk_sql_build *b, spk_sql_expr *e)
{
    spk_sql_error error = { 0 };
    spk_sql_build quiet = { b->arena, &error, b->session };
    const spk_sql_program *p = spk_sql_compile(&quiet, &e, 1);
    spk_sql_run *run = p ? spk_sql_run_new(p, b->arena) : NULL;
    spk_sql_vector v;
    if (!run) { /* other failures are those of the rows, if there are any */
        if (p || error.nomem)
            spk_sql_nomem(b->error);
        return NULL;
    }
    spk_sql_run_begin(run, NULL, 1, 0, b->arena);
    if (!spk_sql_run_eval(run, 0, (spk_sql_rows) { NULL, 1 }, &v)) {
        if (spk_sql_run_error(run)->nomem)
            spk_sql_nomem(b->error);
        return NULL;
    }
    spk_sql_expr *made
        = spk_sql_constant(b, e->type, spk_sql_valid(&v, 0) ? (const void *)v.ptr : NULL, e->span);
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
