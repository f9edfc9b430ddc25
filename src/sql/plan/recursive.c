/* SPDX-License-Identifier: Apache-2.0 */
/* WITH RECURSIVE: the part before UNION ALL is computed, then the part behind it over the rows of the round
 * before, until a round gives none; all rounds together are the table. It runs when the statement is
 * analysed, for how many rounds there are is not known before. */
#include "base/small.h"

#include <spark/transform.h>

#include <ctype.h>
#include <strings.h>

#include "sql/eval/coerce.h"
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
        spk_sql_fail3(a->error, "NUM_COLUMNS_MISMATCH", r->env->cte->span, "operator", "UNION", "firstNumColumns",
            spk_print(a, "%zu", r->n_columns), "invalidNumColumns", spk_print(a, "%zu", rel->scope.n));
        spk_sql_param(a->error, "invalidOrdinalNum", "second");
        return NULL;
    }
    for (size_t i = 0; i < r->n_columns; i++) {
        spk_sql_expr *e = spk_attr_column(a, &rel->scope.items[i].attr, SPK_SQL_NOWHERE);
        const spk_sql_type *both = e ? spk_sql_common(a->arena, r->columns[i].type, e->type, true) : NULL;
        if (e && r->n_rounds && (!both || !spk_sql_type_same(both, r->columns[i].type))) {
            spk_sql_fail2(a->error, "CANNOT_MERGE_INCOMPATIBLE_DATA_TYPE", r->env->cte->span, "left",
                spk_sql_type_quoted(&a->build, r->columns[i].type), "right", spk_sql_type_quoted(&a->build, e->type));
            return NULL;
        }
        if (e && !spk_sql_type_equal(e->type, r->columns[i].type))
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
        SPK_ADD(r->a, r->columns, r->n_columns, (spk_view_column) { name, rel->scope.items[i].attr.type, true, NULL });
    }
    return rel->plan && !spk_sql_failed(r->a->error);
}

/* check_place: where the rows of the last round may stand: not below what needs all rows at once. */
static void check_place(recursion *r, const spk_plan *plan, bool bad)
{
    if (plan->kind == SPK_PLAN_SCAN) {
        if (bad && plan->rdd == r->env->level && !spk_sql_failed(r->a->error))
            spk_sql_fail(r->a->error, "INVALID_RECURSIVE_REFERENCE.PLACE", r->env->cte->span);
        return;
    }
    const bool all = bad || plan->kind == SPK_PLAN_AGGREGATE || plan->kind == SPK_PLAN_WINDOW || plan->kind == SPK_PLAN_SORT
        || plan->kind == SPK_PLAN_DISTINCT;
    for (size_t i = 0; i < plan->n_in; i++) {
        bool side = all;
        if (plan->kind == SPK_PLAN_JOIN)
            side = side || plan->join == SPK_PLAN_FULL || (i == 0 && plan->join == SPK_PLAN_RIGHT)
                || (i == 1 && (plan->join == SPK_PLAN_LEFT || plan->join == SPK_PLAN_SEMI || plan->join == SPK_PLAN_ANTI));
        check_place(r, plan->in[i], side);
    }
}

/* round: false: it has failed, or has given nothing. */
static bool one_round(recursion *r, const spk_ast_term *term, spk_scope *outer)
{
    spk_analyzer *a = r->a;
    const spk_cte_env *before = a->ctes;
    size_t n = 0;
    a->ctes = r->n_rounds ? r->env : r->env->inside;
    spk_rel rel = { NULL, { .outer = outer } };
    if (spk_push_ctes(a, r->env->cte->query))
        rel = spk_analyze_term(a, term, outer);
    a->ctes = before;
    if (rel.plan && r->n_rounds == 1)
        check_place(r, rel.plan, false);
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
        spk_sql_fail1(a->error, "RECURSION_ROW_LIMIT_EXCEEDED", r->env->cte->span, "rowLimit",
            spk_print(a, "%llu", (unsigned long long)ROWS));
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

/* spk_names_in: whether a piece of the text has the name in it, as a word. */
bool spk_names_in(const spk_analyzer *a, spk_sql_span span, const char *name)
{
    const size_t n = strlen(name);
    for (uint32_t i = span.from; n && i + n <= span.to; i++) {
        const char *p = a->text + i, before = i > span.from ? p[-1] : ' ', behind = p[n];
        if (strncasecmp(p, name, n) == 0 && !isalnum((unsigned char)before) && before != '_'
            && !isalnum((unsigned char)behind) && behind != '_')
            return true;
    }
    return false;
}

static bool names_in_ctes(const spk_analyzer *a, const spk_ast_query *query, const char *name)
{
    for (size_t i = 0; i < query->n_ctes; i++)
        if (!spk_names_same(query->ctes[i].name, name) && spk_names_in(a, query->ctes[i].query->span, name))
            return true;
    return false;
}

spk_rel spk_recursive(spk_analyzer *a, spk_cte_env *env, spk_scope *outer)
{
    const spk_ast_query *query = env->cte->query;
    const spk_ast_term *term = query->term;
    const int64_t goal = a->row_goal;
    a->row_goal = 0;
    recursion r = { .a = a, .env = env };
    spk_rel rel = { NULL, { .outer = outer } };
    const bool is_union = term->kind == SPK_TERM_UNION && !query->n_order && !query->order_all && !query->limit
        && !query->offset && !names_in_ctes(a, query, env->cte->name) && !spk_names_in(a, term->left->span, env->cte->name);
    if (!is_union || !term->all) {
        spk_sql_fail(a->error, is_union ? "UNION_NOT_SUPPORTED_IN_RECURSIVE_CTE" : "INVALID_RECURSIVE_CTE",
            env->cte->span);
        return rel;
    }
    const int64_t most = most_levels(env->cte);
    bool more = one_round(&r, term->left, outer);
    for (int64_t level = 0; more && !(goal && r.rows >= (size_t)goal); level++) {
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
    spark_rdd *all = (spark_union_all)(a->site, a->sc, r.n_rounds, r.rounds);
    rel.plan = spk_scan(a, all, r.columns, r.n_columns, env->cte->name);
    a->used(a, all);
    for (size_t i = 0; rel.plan && i < r.n_columns; i++)
        SPK_ADD(a, rel.scope.items, rel.scope.n,
            (spk_scope_item) { .table = env->cte->name, .name = r.columns[i].name, .attr = rel.plan->out[i] });
    return rel;
}
