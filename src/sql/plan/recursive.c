/* SPDX-License-Identifier: Apache-2.0 */
/* WITH RECURSIVE: the part before UNION ALL is computed, then the part behind it over the rows of the round
 * before, until a round gives none; all rounds together are the table. It runs when the statement is
 * analysed, for how many rounds there are is not known before. */
#include <spark/transform.h>

#include "sql/plan/analyze.h"

enum { LEVELS = 100, ROWS = 1000000 };

typedef struct recursion {
    spk_analyzer *a;
    spk_cte_env *env;
    spk_view_column *columns;
    size_t n_columns;
    spark_rdd **rounds;
    size_t n_rounds, rows;
} recursion;

/* cast_columns: the columns of a round as those of the first; all may be NULL, so that rounds lie alike. */
static spk_plan *cast_columns(recursion *r, const spk_rel *rel)
{
    spk_analyzer *a = r->a;
    spk_sql_expr **exprs = NULL;
    spk_attr *attrs = NULL;
    size_t n = 0, m = 0;
    if (!rel->plan)
        return NULL;
    if (rel->scope.n != r->n_columns) {
        spk_sql_fail1(a->error, "NUM_COLUMNS_MISMATCH", r->env->cte->span, "operator", "UNION");
        return NULL;
    }
    for (size_t i = 0; i < r->n_columns; i++) {
        spk_sql_expr *e = spk_attr_column(a, &rel->scope.items[i].attr, SPK_SQL_NOWHERE);
        if (e && !spk_sql_type_same(e->type, r->columns[i].type))
            e = spk_sql_cast(&a->build, e, r->columns[i].type, false, r->env->cte->span);
        SPK_ADD(a, exprs, n, e);
        SPK_ADD(a, attrs, m, spk_attr_new(a, r->columns[i].name, r->columns[i].type, true));
    }
    return spk_sql_failed(a->error) ? NULL : spk_plan_project(a, rel->plan, exprs, attrs, n);
}

static bool first_columns(recursion *r, const spk_rel *rel)
{
    const spk_ast_cte *cte = r->env->cte;
    for (size_t i = 0; rel->plan && i < rel->scope.n; i++) {
        const char *name = i < cte->n_columns ? cte->columns[i] : rel->scope.items[i].name;
        SPK_ADD(r->a, r->columns, r->n_columns, (spk_view_column) { name, rel->scope.items[i].attr.type, true });
    }
    return rel->plan && !spk_sql_failed(r->a->error);
}

/* round: false: it has failed, or has given nothing. */
static bool one_round(recursion *r, const spk_ast_term *term, spk_scope *outer)
{
    spk_analyzer *a = r->a;
    const spk_cte_env *before = a->ctes;
    size_t n = 0;
    a->ctes = r->n_rounds ? r->env : r->env->inside;
    spk_rel rel = spk_analyze_term(a, term, outer);
    a->ctes = before;
    if (!r->n_rounds && !first_columns(r, &rel))
        return false;
    spk_plan *plan = cast_columns(r, &rel);
    spark_rdd *rdd = plan ? a->run(a, plan, &n) : NULL;
    if (!rdd)
        return false;
    SPK_ADD(a, r->rounds, r->n_rounds, rdd);
    r->rows += n;
    r->env->level = rdd;
    r->env->columns = r->columns;
    r->env->n_columns = r->n_columns;
    if (r->rows > ROWS) {
        spk_sql_fail(a->error, "RECURSION_ROW_LIMIT_EXCEEDED", r->env->cte->span);
        return false;
    }
    return n > 0;
}

static int64_t most_levels(const spk_ast_cte *cte)
{
    int64_t n = 0;
    if (!cte->levels || cte->levels->kind != SPK_AST_NUMBER)
        return LEVELS;
    for (size_t i = 0; i < cte->levels->text_len && i < 9; i++)
        n = n * 10 + (cte->levels->text[i] - '0');
    return n;
}

spk_rel spk_recursive(spk_analyzer *a, spk_cte_env *env, spk_scope *outer)
{
    const spk_ast_term *term = env->cte->query->term;
    recursion r = { .a = a, .env = env };
    spk_rel rel = { NULL, { NULL, 0, outer } };
    if (term->kind != SPK_TERM_UNION || !term->all) {
        spk_sql_fail(a->error,
            term->kind == SPK_TERM_UNION ? "UNION_NOT_SUPPORTED_IN_RECURSIVE_CTE" : "INVALID_RECURSIVE_CTE",
            env->cte->span);
        return rel;
    }
    const int64_t most = most_levels(env->cte);
    bool more = one_round(&r, term->left, outer);
    for (int64_t level = 0; more; level++) {
        if (level == most) {
            char text[24];
            (void)snprintf(text, sizeof text, "%lld", (long long)most);
            spk_sql_fail1(a->error, "RECURSION_LEVEL_LIMIT_EXCEEDED", env->cte->span, "levelLimit", text);
            return rel;
        }
        more = one_round(&r, term->right, outer);
    }
    env->level = NULL;
    if (spk_sql_failed(a->error) || !r.n_rounds)
        return rel;
    spark_rdd *all = (spark_union_all)("sql", a->sc, r.n_rounds, r.rounds);
    rel.plan = spk_scan(a, all, r.columns, r.n_columns, env->cte->name);
    a->used(a, all);
    for (size_t i = 0; rel.plan && i < r.n_columns; i++)
        SPK_ADD(a, rel.scope.items, rel.scope.n,
            (spk_scope_item) { .table = env->cte->name, .name = r.columns[i].name, .attr = rel.plan->out[i] });
    return rel;
}
