/* SPDX-License-Identifier: Apache-2.0 */
/* What is constant in a window: the bounds of its frame, and arguments of its functions. */
#include "base/small.h"

#include "sql/eval/coerce.h"
#include "sql/plan/analyze.h"

bool spk_bind_whole(spk_bind *b, const spk_sql_expr *offset, bool preceding, int64_t *out)
{
    if (!offset || !spk_sql_is_integral(offset->type))
        return false;
    spk_sql_expr *e = spk_sql_coerce(&b->a->build, (spk_sql_expr *)(uintptr_t)offset, spk_sql_type_of(SPK_SQL_BIGINT));
    spk_sql_fold(&b->a->build, &e);
    if (!e || e->kind != SPK_SQL_CONSTANT || e->null)
        return false;
    memcpy(out, e->value, sizeof *out);
    *out = preceding && *out > INT64_MIN ? -*out : *out;
    return true;
}

/* bounds: a frame does not end before it begins. */
static void bounds(spk_bind *b, const spk_ast_window *w, const spk_plan_function *f)
{
    static const char *const names[] = { [SPK_BOUND_UNBOUNDED_PRECEDING] = "\"UNBOUNDED PRECEDING\"",
        [SPK_BOUND_PRECEDING] = "\"PRECEDING\"", [SPK_BOUND_CURRENT] = "\"CURRENT ROW\"",
        [SPK_BOUND_FOLLOWING] = "\"FOLLOWING\"", [SPK_BOUND_UNBOUNDED_FOLLOWING] = "\"UNBOUNDED FOLLOWING\"" };
    int64_t from, to;
    if (f->from == SPK_BOUND_UNBOUNDED_FOLLOWING || f->to == SPK_BOUND_UNBOUNDED_PRECEDING)
        spk_sql_fail2(b->a->error, "DATATYPE_MISMATCH.SPECIFIED_WINDOW_FRAME_INVALID_BOUND", w->span, "upper",
            names[f->to], "lower", names[f->from]);
    else if (spk_bind_whole(b, f->from_offset, f->from == SPK_BOUND_PRECEDING, &from)
        && spk_bind_whole(b, f->to_offset, f->to == SPK_BOUND_PRECEDING, &to) && from > to)
        spk_sql_fail1(b->a->error, "DATATYPE_MISMATCH.SPECIFIED_WINDOW_FRAME_WRONG_COMPARISON", w->span, "comparison",
            "less than or equal");
}

/* offset: of a frame: a constant; of ROWS, an INT. */
static spk_sql_expr *offset(spk_bind *b, const spk_ast_window *w, const spk_ast *ast, const char *location)
{
    spk_sql_build *build = &b->a->build;
    spk_sql_expr *e = spk_bind_expr(b, ast);
    if (e && w->rows && e->foldable && e->type->kind != SPK_SQL_INT) {
        spk_sql_fail3(b->a->error, "DATATYPE_MISMATCH.SPECIFIED_WINDOW_FRAME_UNACCEPTED_TYPE", ast->span, "location",
            location, "exprType", spk_sql_type_quoted(build, e->type), "expectedType", "\"INT\"");
        return NULL;
    }
    spk_sql_fold(build, &e);
    if (e && (w->rows ? e->kind != SPK_SQL_CONSTANT : !e->foldable))
        spk_sql_fail(b->a->error, "INVALID_SQL_SYNTAX.INVALID_WINDOW_FRAME_BOUND", ast->span);
    return spk_sql_failed(b->a->error) ? NULL : e;
}

void spk_bind_frame(spk_bind *b, const spk_ast_window *w, spk_window_use *use)
{
    spk_plan_function *f = &use->function;
    f->framed = w->framed;
    f->rows = w->rows;
    f->from = w->framed ? w->from : SPK_BOUND_UNBOUNDED_PRECEDING;
    f->to = w->framed ? w->to : use->n_sort ? SPK_BOUND_CURRENT : SPK_BOUND_UNBOUNDED_FOLLOWING;
    if (w->from_offset)
        f->from_offset = offset(b, w, w->from_offset, "lower");
    if (w->to_offset)
        f->to_offset = offset(b, w, w->to_offset, "upper");
    if (w->framed && !w->rows && (w->from_offset || w->to_offset) && use->n_sort != 1)
        spk_sql_fail(b->a->error,
            use->n_sort ? "DATATYPE_MISMATCH.RANGE_FRAME_MULTI_ORDER" : "DATATYPE_MISMATCH.RANGE_FRAME_WITHOUT_ORDER",
            w->span);
    if (w->framed)
        bounds(b, w, f);
}

/* one_constant: an argument becomes a BIGINT that is constant; converted: it may have other types than INT. */
static bool one_constant(spk_bind *b, const spk_ast *ast, spk_sql_expr **arg, const char *name, bool converted)
{
    spk_sql_build *build = &b->a->build;
    spk_sql_expr *e = *arg;
    const char *text = spk_sql_expr_quoted(build, e);
    const bool integer = e->type->kind == SPK_SQL_INT;
    if (e->foldable && !integer && !converted) {
        spk_sql_fail3(b->a->error, "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", ast->span, "requiredType", "\"INT\"",
            "inputSql", text, "inputType", spk_sql_type_quoted(build, e->type));
        spk_sql_param(b->a->error, "paramIndex", name[1] == 'b' ? "first" : "second");
        return false;
    }
    e = spk_sql_coerce(build, e, spk_sql_type_of(SPK_SQL_BIGINT));
    spk_sql_fold(build, &e);
    *arg = e;
    if (e && e->kind != SPK_SQL_CONSTANT)
        spk_sql_fail3(b->a->error, "DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", ast->span, "inputName", name, "inputType",
            "\"INT\"", "inputExpr", text);
    return !spk_sql_failed(b->a->error);
}

bool spk_bind_constant(spk_bind *b, const spk_ast *ast, spk_window_use *use)
{
    const bool ntile = strcmp(use->function.name, "ntile") == 0, nth = strcmp(use->function.name, "nth_value") == 0;
    spk_sql_expr **arg = &use->function.args[ntile ? 0 : 1];
    const char *name = ntile ? "`buckets`" : "`offset`";
    int64_t value = 0;
    if (!one_constant(b, ast, arg, name, nth))
        return false;
    if ((!ntile && !nth) || (!(*arg)->null && spk_bind_whole(b, *arg, false, &value) && value > 0))
        return true;
    spk_sql_fail3(b->a->error, "DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE", ast->span, "exprName", name, "valueRange",
        ntile ? "(0, 2147483647]" : "(0, 9223372036854775807]", "currentValue",
        (*arg)->null ? "null" : spk_print(b->a, "%lld", (long long)value));
    return false;
}
