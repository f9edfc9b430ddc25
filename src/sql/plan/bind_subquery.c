/* SPDX-License-Identifier: Apache-2.0 */
/* Subqueries in expressions: EXISTS and IN are a column that says whether there is a match (MARK), a scalar subquery one
 * of a join that allows one match (SINGLE); subquery.c makes the joins. */
#include "base/small.h"

#include "sql/eval/coerce.h"
#include "sql/plan/analyze.h"

static spk_subqueries *list_of(spk_bind *b)
{
    return b->in_aggregate || !b->aggregates ? &b->before : &b->after;
}

/* conditions_of: x = y for each column; null_too: what is NULL counts as a match. */
static bool conditions_of(spk_bind *b, const spk_ast *ast, const spk_rel *rel, bool null_too, spk_subquery *sub)
{
    spk_analyzer *a = b->a;
    if (ast->args.n != rel->scope.n) {
        char n[24], m[24];
        (void)snprintf(n, sizeof n, "%zu", ast->args.n);
        (void)snprintf(m, sizeof m, "%zu", rel->scope.n);
        spk_sql_fail2(a->error, "DATATYPE_MISMATCH.IN_SUBQUERY_LENGTH_MISMATCH", ast->span, "leftLength", n,
            "rightLength", m);
        return false;
    }
    for (size_t i = 0; i < ast->args.n; i++) {
        spk_sql_expr *x = spk_bind_expr(b, ast->args.at[i]);
        if (!x)
            return false;
        spk_sql_expr *pair[] = { x, spk_attr_column(a, &rel->scope.items[i].attr, ast->span) };
        if (!spk_sql_common(a->arena, x->type, pair[1]->type, true)) {
            spk_sql_fail2(a->error, "DATATYPE_MISMATCH.IN_SUBQUERY_DATA_TYPE_MISMATCH", ast->span, "leftType",
                spk_sql_type_quoted(&a->build, x->type), "rightType", spk_sql_type_quoted(&a->build, pair[1]->type));
            return false;
        }
        spk_sql_expr *e = spk_sql_call(&a->build, "=", pair, 2, ast->span);
        if (e && null_too && e->nullable) {
            spk_sql_expr *either[] = { e, spk_sql_call(&a->build, "isnull", &e, 1, ast->span) };
            e = either[1] ? spk_sql_call(&a->build, "or", either, 2, ast->span) : NULL;
        }
        if (!e)
            return false;
        SPK_ADD(a, sub->conditions, sub->n_conditions, e);
        if (ast->args.n == 1)
            sub->attr.name = spk_print(a, "(%s IN (listquery()))", spk_expr_name(a, x));
    }
    return true;
}

/* three_valued: IN where FALSE and NULL are not the same: TRUE for a match, NULL where one may be meant. */
static spk_sql_expr *three_valued(spk_bind *b, const spk_ast *ast, bool negated)
{
    spk_sql_build *build = &b->a->build;
    const unsigned around = b->negations;
    b->negations = 0;
    spk_sql_expr *certain = spk_bind_subquery(b, ast, false);
    spk_sql_expr *not_possible = certain ? spk_bind_subquery(b, ast, true) : NULL;
    b->negations = around;
    if (!not_possible)
        return NULL;
    spk_sql_expr *args[] = { certain, spk_sql_boolean(build, true, ast->span), not_possible,
        spk_sql_boolean(build, false, ast->span),
        spk_sql_constant(build, spk_sql_type_of(SPK_SQL_BOOLEAN), NULL, ast->span) };
    spk_sql_expr *e = spk_sql_call(build, "case", args, 5, ast->span);
    return e && negated ? spk_sql_call(build, "not", &e, 1, ast->span) : e;
}

spk_sql_expr *spk_bind_subquery(spk_bind *b, const spk_ast *ast, bool negated)
{
    spk_analyzer *a = b->a;
    if (b->lambdas) {
        spk_sql_fail(a->error, "UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.HIGHER_ORDER_FUNCTION", ast->span);
        return NULL;
    }
    if (b->negations && b->condition && ast->kind == SPK_AST_IN_QUERY)
        return three_valued(b, ast, negated);
    spk_scope around = b->scope ? *b->scope : (spk_scope) { .n = 0 };
    spk_scope *kept = spk_arena_alloc(a->arena, sizeof *kept, 8);
    if (!kept) {
        spk_sql_nomem(a->error);
        return NULL;
    }
    *kept = around;
    spk_rel rel = spk_analyze_query(a, ast->query, kept);
    spk_subquery sub = { .plan = rel.plan, .kind = SPK_PLAN_MARK };
    if (!rel.plan)
        return NULL;
    spk_subqueries *list = list_of(b);
    if (ast->kind == SPK_AST_SUBQUERY) {
        if (rel.scope.n != 1) {
            char n[24];
            (void)snprintf(n, sizeof n, "%zu", rel.scope.n);
            spk_sql_fail1(a->error, "INVALID_SUBQUERY_EXPRESSION.SCALAR_SUBQUERY_RETURN_MORE_THAN_ONE_OUTPUT_COLUMN",
                ast->span, "number", n);
            return NULL;
        }
        sub.kind = SPK_PLAN_SINGLE;
        const spk_attr *from = &rel.scope.items[0].attr;
        sub.attr = spk_attr_new(a, "scalarsubquery()", from->type, true);
        spk_sql_expr *column = spk_attr_column(a, from, ast->span);
        sub.plan = spk_plan_project(a, rel.plan, &column, &sub.attr, 1);
    } else {
        sub.attr = spk_attr_new(a, ast->kind == SPK_AST_EXISTS ? "exists()" : "in", spk_sql_type_of(SPK_SQL_BOOLEAN),
            false);
        if (ast->kind == SPK_AST_IN_QUERY && !conditions_of(b, ast, &rel, negated, &sub))
            return NULL;
    }
    SPK_ADD(a, list->at, list->n, sub);
    spk_sql_expr *e = spk_attr_column(a, &sub.attr, ast->span);
    return e && negated ? spk_sql_call(&a->build, "not", &e, 1, ast->span) : e;
}

spk_plan *spk_attach(spk_analyzer *a, spk_plan *plan, const spk_subqueries *subqueries)
{
    for (size_t i = 0; plan && i < subqueries->n; i++) {
        const spk_subquery *s = &subqueries->at[i];
        plan = s->plan ? spk_join_correlated(
                   a, s->kind, plan, s->plan, s->conditions, s->n_conditions, &s->attr)
                       : NULL;
    }
    return plan;
}
