/* SPDX-License-Identifier: Apache-2.0 */
/* What stands in FROM. */
#include "base/small.h"

#include <spark/csv.h>
#include <spark/json.h>
#include <spark/row.h>
#include <spark/source.h>

#include "sql/eval/coerce.h"
#include "sql/parse/parse.h"
#include "sql/plan/analyze.h"

static spk_rel nothing(spk_scope *outer)
{
    return (spk_rel) { NULL, { .outer = outer } };
}

/* rename_columns: under an alias, with other names for the columns. */
static spk_rel rename_columns(spk_analyzer *a, spk_rel in, const char *alias, const char *const *names, size_t n,
    spk_sql_span span)
{
    spk_scope_item *items = NULL;
    size_t count = 0, shown = 0;
    for (size_t i = 0; i < in.scope.n; i++)
        shown += !in.scope.items[i].hidden;
    if (n && n != shown) {
        spk_sql_fail2(a->error, "ASSIGNMENT_ARITY_MISMATCH", span, "numTarget", spk_print(a, "%zu", n), "numExpr",
            spk_print(a, "%zu", shown));
        in.plan = NULL;
        return in;
    }
    size_t k = 0;
    for (size_t i = 0; i < in.scope.n; i++) {
        spk_scope_item item = in.scope.items[i];
        if (item.hidden)
            continue;
        if (n)
            item.name = names[k];
        k++;
        if (alias) {
            item.table = alias;
            item.table2 = NULL;
        }
        SPK_ADD(a, items, count, item);
    }
    in.scope.items = items;
    in.scope.n = count;
    return in;
}

/* ---- rows of RDDs */

spk_plan *spk_scan(spk_analyzer *a, spark_rdd *rdd, const spk_view_column *columns, size_t n, const char *name)
{
    spk_plan *plan = spk_plan_new(a, SPK_PLAN_SCAN, NULL, NULL);
    if (!plan)
        return NULL;
    plan->rdd = rdd;
    plan->table = name;
    for (size_t i = 0; i < n; i++) {
        size_t m = i;
        const spk_sql_type *type = spk_sql_type_copy(a->arena, columns[i].type); /* the view may go before its rows */
        if (!type) {
            spk_sql_nomem(a->error);
            return NULL;
        }
        SPK_ADD(a, plan->members, m, (uint32_t)i);
        const char *column = spk_copy_text(a, columns[i].name, strlen(columns[i].name));
        spk_plan_out(a, plan, spk_attr_new(a, column, type, columns[i].nullable));
    }
    return plan;
}

bool spk_columns_of(spk_arena *arena, spk_sql_error *error, const spark_type *type, spk_view_column **columns,
    size_t *n, spk_sql_span span)
{
    struct {
        spk_arena *arena;
        spk_sql_error *error;
    } a = { arena, error };
    const bool row = type && (type->kind == SPARK_KIND_STRUCT || type->kind == SPARK_KIND_PAIR);
    for (uint32_t i = 0; type && i < (row ? type->count : 1); i++) {
        const spark_type *member = row ? type->fields[i].type : type;
        const char *why = NULL;
        spk_view_column c = { .name = row ? type->fields[i].name : "value" };
        if (row && type->fields[i].count && member->kind != SPARK_KIND_CHAR)
            why = "a fixed array";
        else
            c.type = spk_sql_type_from(arena, member, &c.nullable, &why);
        if (c.type && !spk_sql_type_fits(c.type, c.nullable ? member->of : member)) {
            why = "numbers without a sign, and what is laid out as no type of SQL, are to be mapped first";
            c.type = NULL;
        }
        if (!c.type) {
            if (why)
                spk_sql_fail2(error, "UNSUPPORTED_COLUMN", span, "what", why, "column", c.name);
            else
                spk_sql_nomem(error);
            return false;
        }
        SPK_ADD(&a, *columns, *n, c);
    }
    return !spk_sql_failed(error);
}

static spk_rel scan_of(spk_analyzer *a, spark_rdd *rdd, const spk_view_column *columns, size_t n, const char *name,
    spk_scope *outer)
{
    spk_rel rel = nothing(outer);
    rel.plan = spk_scan(a, rdd, columns, n, name);
    for (size_t i = 0; rel.plan && i < n; i++)
        SPK_ADD(a, rel.scope.items, rel.scope.n,
            (spk_scope_item) { .table = name, .name = rel.plan->out[i].name, .attr = rel.plan->out[i] });
    return rel;
}

void spk_file_fails(spk_analyzer *a, const char *path, spk_sql_span span)
{
    const spark_error *e = spark_last_error();
    const bool missing = strstr(e->message, "No such file") || strstr(e->message, "does not exist");
    if (e->code == SPARK_ENOMEM)
        spk_sql_nomem(a->error);
    else if (e->code == SPARK_EINVAL && !missing)
        spk_sql_fail1(a->error, "INVALID_OPTION_VALUE.TEXT", span, "message", e->message);
    else if (strstr(e->message, "[MALFORMED_RECORD"))
        spk_sql_fail2(a->error, "MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION", span, "badRecord",
            strstr(e->message, "] ") + 2, "failFastMode", "FAILFAST");
    else
        spk_sql_fail2(a->error, missing ? "PATH_NOT_FOUND" : "FAILED_READ_FILE.NO_HINT", span, "path",
            path ? path : "", "cause", e->message);
}

/* of_file: csv.`path`, json.`path`, text.`path`: as the readers do without options, so CSV has no header, and its
 * columns are strings. */
static spk_rel of_file(spk_analyzer *a, const spk_ast_relation *r, spk_scope *outer)
{
    const char *format = r->name->args.at[0]->text, *path = r->name->args.at[1]->text;
    spk_view_column *columns = NULL;
    size_t n = 0;
    spark_rdd *rdd;
    if (spk_names_same(format, "csv"))
        rdd = (spark_read_csv)(a->site, a->sc, path, NULL, NULL);
    else if (spk_names_same(format, "json"))
        rdd = (spark_read_json)(a->site, a->sc, path, NULL, NULL);
    else
        rdd = (spark_text_file)(a->site, a->sc, path, 0);
    if (spark_rdd_status(rdd) != SPARK_OK) {
        spk_file_fails(a, path, r->span);
        return nothing(outer);
    }
    if (!spk_columns_of(a->arena, a->error, spark_rdd_type(rdd), &columns, &n, r->span))
        return nothing(outer);
    return scan_of(a, rdd, columns, n, path, outer);
}

/* ---- names */

static const spk_cte_env *find_cte(const spk_analyzer *a, const char *name)
{
    const spk_cte_env *env = a->ctes;
    while (env && !spk_names_same(env->cte->name, name))
        env = env->next;
    return env;
}

static spk_rel of_cte(spk_analyzer *a, const spk_ast_relation *r, const spk_cte_env *env, spk_scope *outer)
{
    *env->read = true;
    if (env->level)
        return scan_of(a, env->level, env->columns, env->n_columns, env->cte->name, outer);
    if (env->recursive && env->cte->query->term && spk_names_in(a, env->cte->query->span, env->cte->name)) {
        spk_cte_env own = *env;
        spk_rel made = spk_recursive(a, &own, outer);
        return made.plan ? rename_columns(a, made, env->cte->name, NULL, 0, r->span) : made;
    }
    const spk_cte_env *before = a->ctes;
    a->ctes = env->inside;
    spk_rel rel = spk_analyze_query(a, env->cte->query, outer);
    a->ctes = before;
    if (!rel.plan)
        return rel;
    return rename_columns(a, rel, env->cte->name, env->cte->columns, env->cte->n_columns, r->span);
}

/* of_cache: a view whose rows are cached. */
static spk_rel of_cache(
    spk_analyzer *a, const spk_view *view, spark_rdd *packed, const char *shown, spk_scope *outer)
{
    spk_rel rel = scan_of(a, packed, view->packed_columns, view->n_packed, shown, outer);
    if (rel.plan) {
        rel.plan->packed = !view->packed_plain;
        rel.plan->scanned = view->packed_rows;
        a->used(a, packed);
    }
    return rel;
}

/* goes_round: whether a view that is being defined would read itself. */
static bool goes_round(spk_analyzer *a, const spk_view *view, spk_sql_span span)
{
    if (!a->defines || !spk_names_same(view->name, a->defines))
        return false;
    const char *name = spk_print(a, "`%s`", view->name);
    spk_sql_fail2(a->error, "RECURSIVE_VIEW", span, "viewIdent", name, "newPath",
        spk_print(a, "%s%s -> %s", name, a->way ? a->way : "", name));
    return true;
}

static spk_rel of_view(spk_analyzer *a, const spk_ast_relation *r, spk_view *view, spk_scope *outer)
{
    const char *shown = r->name->args.at[r->name->args.n - 1]->text;
    const char *way = a->way;
    if (goes_round(a, view, r->span))
        return nothing(outer);
    spark_rdd *packed = spk_view_packed(a->catalog, view);
    if (packed) {
        const spk_rel rel = of_cache(a, view, packed, shown, outer);
        spk_rdd_unref(packed);
        return rel;
    }
    if (view->rdd)
        return scan_of(a, view->rdd, view->columns, view->n_columns, shown, outer);
    const spk_cte_env *before = a->ctes;
    const char *text = a->text;
    size_t next;
    char *copy = spk_copy_text(a, view->text, strlen(view->text));
    const spk_ast_statement *statement = spk_sql_parse(a->arena, copy, &next, a->error);
    const char **names = NULL;
    size_t n = 0;
    if (!statement)
        return nothing(outer);
    a->ctes = NULL;
    a->text = copy;
    a->way = a->defines ? spk_print(a, "%s -> `%s`", way ? way : "", view->name) : NULL;
    spk_rel rel = spk_analyze_query(a, statement->query, NULL);
    a->ctes = before;
    a->text = text;
    a->way = way;
    for (size_t i = 0; i < view->n_columns; i++)
        SPK_ADD(a, names, n, spk_copy_text(a, view->columns[i].name, strlen(view->columns[i].name)));
    rel.scope.outer = outer;
    return rel.plan ? rename_columns(a, rel, shown, names, n, r->span) : rel;
}

/* find_table: a temporary view, or a table of the database that is named or in use; *database: of a table. */
static spk_view *find_table(spk_analyzer *a, const spk_ast *name, const char **database)
{
    const char *last = name->args.at[name->args.n - 1]->text;
    char current[SPK_DATABASE_NAME];
    if (name->args.n > 1) {
        const char *said = name->args.at[name->args.n - 2]->text;
        *database = said;
        return spk_view_find(a->catalog, spk_names_same(said, "default") ? last : spk_print(a, "%s.%s", said, last));
    }
    spk_view *view = spk_view_find(a->catalog, last);
    spk_database_current(a->catalog, current);
    if (view && !view->table)
        return view;
    if (!current[0]) {
        *database = "default";
        return view;
    }
    spk_view_unref(view);
    *database = spk_copy_text(a, current, strlen(current));
    return spk_view_find(a->catalog, spk_print(a, "%s.%s", current, last));
}

/* not_found: format.`path` of a source that Spark has and libspark has not, or no table. */
static void not_found(spk_analyzer *a, const spk_ast *name)
{
    static const char *const sources[] = { "parquet", "orc", "avro", "xml", "binaryFile" };
    for (size_t i = 0; name->args.n == 2 && i < sizeof sources / sizeof sources[0]; i++)
        if (spk_names_same(name->args.at[0]->text, sources[i]))
            spk_sql_fail1(a->error, "DATA_SOURCE_NOT_FOUND", name->span, "provider", sources[i]);
    spk_table_not_found(a, name);
}

static spk_rel of_name(spk_analyzer *a, const spk_ast_relation *r, spk_scope *outer)
{
    const spk_ast *name = r->name;
    const char *last = name->args.at[name->args.n - 1]->text;
    const spk_cte_env *env = name->args.n == 1 ? find_cte(a, last) : NULL;
    if (env)
        return of_cte(a, r, env, outer);
    if (name->args.n == 2
        && (spk_names_same(name->args.at[0]->text, "csv") || spk_names_same(name->args.at[0]->text, "json")
            || spk_names_same(name->args.at[0]->text, "text")))
        return of_file(a, r, outer);
    const char *database = "";
    spk_view *view = find_table(a, name, &database);
    if (!view) {
        not_found(a, name);
        return nothing(outer);
    }
    spk_rel rel = of_view(a, r, view, outer);
    for (size_t i = 0; *database && i < rel.scope.n; i++)
        rel.scope.items[i].table2 = database;
    if (view->rdd && rel.plan)
        a->used(a, view->rdd);
    spk_view_unref(view);
    return rel;
}

/* ---- VALUES, functions */

static size_t width(const spk_ast *row)
{
    return row->kind == SPK_AST_ROW ? row->args.n : 1;
}

/* cell_of: a value of VALUES: what fails does so now. */
static spk_sql_expr *cell_of(spk_bind *b, const spk_ast *ast)
{
    spk_sql_expr *e = spk_bind_expr(b, ast);
    if (e && !e->deterministic) {
        spk_sql_fail1(b->a->error, "INVALID_INLINE_TABLE.CANNOT_EVALUATE_EXPRESSION_IN_INLINE_TABLE", ast->span, "expr",
            spk_sql_expr_quoted(&b->a->build, e));
        return NULL;
    }
    if (!e || !e->foldable || e->kind == SPK_SQL_CONSTANT)
        return e;
    spk_sql_fold(&b->a->build, &e);
    if (e && e->kind != SPK_SQL_CONSTANT && !spk_sql_failed(b->a->error)) {
        spk_sql_fail1(b->a->error, "INVALID_INLINE_TABLE.FAILED_SQL_EXPRESSION_EVALUATION", ast->span, "sqlExpr",
            spk_sql_expr_quoted(&b->a->build, e));
        return NULL;
    }
    return e;
}

static spk_rel of_values(spk_analyzer *a, const spk_ast_relation *r, spk_scope *outer)
{
    spk_scope none = { .outer = outer };
    spk_bind b = { .a = a, .scope = &none, .clause = "VALUES" };
    spk_plan *plan = spk_plan_new(a, SPK_PLAN_ROWS, NULL, NULL);
    const size_t n = width(r->rows.at[0]);
    spk_rel rel = nothing(outer);
    for (size_t i = 0; plan && i < r->rows.n; i++) {
        const spk_ast *row = r->rows.at[i];
        spk_sql_expr **cells = spk_arena_alloc(a->arena, (n + 1) * sizeof *cells, 8);
        if (!cells) {
            spk_sql_nomem(a->error);
            return rel;
        }
        if (width(row) != n) {
            char want[24], got[24];
            (void)snprintf(want, sizeof want, "%zu", n);
            (void)snprintf(got, sizeof got, "%zu", width(row));
            spk_sql_fail3(a->error, "INVALID_INLINE_TABLE.NUM_COLUMNS_MISMATCH", r->span, "expectedNumCols", want,
                "actualNumCols", got, "rowIndex", spk_print(a, "%zu", i));
            return rel;
        }
        for (size_t k = 0; k < n; k++)
            if (!(cells[k] = cell_of(&b, row->kind == SPK_AST_ROW ? row->args.at[k] : row)))
                return rel;
        SPK_ADD(a, plan->rows, plan->n_rows, cells);
    }
    for (size_t k = 0; plan && k < n; k++) {
        const spk_sql_type *type = NULL;
        bool nullable = false;
        spk_sql_expr **column = NULL;
        size_t m = 0;
        for (size_t i = 0; i < plan->n_rows; i++)
            SPK_ADD(a, column, m, plan->rows[i][k]);
        type = spk_sql_common_of(&a->build, column, m, true);
        if (!type) {
            char name[40];
            (void)snprintf(name, sizeof name, "`col%zu`", k + 1);
            spk_sql_fail1(a->error, "INVALID_INLINE_TABLE.INCOMPATIBLE_TYPES_IN_INLINE_TABLE", r->span, "colName",
                name);
            return rel;
        }
        for (size_t i = 0; i < plan->n_rows; i++) {
            spk_sql_expr *cell = spk_sql_coerce(&a->build, plan->rows[i][k], type);
            if (!cell)
                return rel;
            plan->rows[i][k] = cell;
            nullable |= cell->nullable;
        }
        spk_plan_out(a, plan, spk_attr_new(a, spk_print(a, "col%zu", k + 1), type, nullable));
        SPK_ADD(a, rel.scope.items, rel.scope.n,
            (spk_scope_item) { .name = plan->out[k].name, .attr = plan->out[k] });
    }
    rel.plan = plan;
    return rel;
}

static spk_rel of_range(spk_analyzer *a, const spk_ast_relation *r, spk_scope *outer)
{
    spk_scope none = { .n = 0 };
    spk_bind b = { .a = a, .scope = &none, .clause = "FROM" };
    int64_t numbers[4] = { 0, 0, 1, 0 };
    const spk_ast_list *args = &r->call->args;
    spk_rel rel = nothing(outer);
    if (args->n < 1 || args->n > 4) {
        spk_sql_fail3(a->error, "WRONG_NUM_ARGS.WITHOUT_SUGGESTION", r->span, "functionName", "`range`",
            "expectedNum", "[1, 2, 3, 4]", "actualNum", spk_print(a, "%zu", args->n));
        return rel;
    }
    for (size_t i = 0; i < args->n; i++) {
        spk_sql_expr *e = spk_bind_expr(&b, args->at[i]);
        e = e ? spk_sql_cast(&a->build, e, spk_sql_type_of(SPK_SQL_BIGINT), false, r->span) : NULL;
        spk_sql_fold(&a->build, &e);
        if (!e)
            return rel;
        if (e->kind != SPK_SQL_CONSTANT || e->null) {
            if (spk_sql_fail(a->error, "UNEXPECTED_INPUT_TYPE", e->span)) {
                spk_sql_param(a->error, "functionName", "`range`");
                spk_sql_param(a->error, "paramIndex", "%zu", i + 1);
                spk_sql_param(a->error, "requiredType", "constant \"BIGINT\"");
                spk_sql_param(a->error, "inputSql", "%s", spk_sql_expr_quoted(&a->build, e));
                spk_sql_param(a->error, "inputType", "%s", spk_sql_type_quoted(&a->build, e->type));
            }
            return rel;
        }
        memcpy(&numbers[args->n == 1 ? 1 : i], e->value, sizeof numbers[0]);
        if (i == 2 && numbers[2] == 0) {
            spk_sql_fail1(a->error, "INVALID_PARAMETER_VALUE.STEP", e->span, "functionName", "`range`");
            return rel;
        }
    }
    rel.plan = spk_plan_new(a, SPK_PLAN_RANGE, NULL, NULL);
    if (!rel.plan)
        return rel;
    rel.plan->first = numbers[0];
    rel.plan->last = numbers[1];
    rel.plan->step = numbers[2];
    rel.plan->parts = numbers[3] > 0 && numbers[3] < 100000 ? (int)numbers[3] : 0;
    spk_plan_out(a, rel.plan, spk_attr_new(a, "id", spk_sql_type_of(SPK_SQL_BIGINT), false));
    SPK_ADD(a, rel.scope.items, rel.scope.n, (spk_scope_item) { .name = "id", .attr = rel.plan->out[0] });
    return rel;
}

static spk_rel of_function(spk_analyzer *a, const spk_ast_relation *r, spk_scope *outer)
{
    if (spk_is_identifier(r->call)) {
        spk_ast_relation named = *r;
        named.name = (spk_ast *)(uintptr_t)spk_identifier(a, r->call);
        return named.name ? of_name(a, &named, outer) : nothing(outer);
    }
    if (r->call->kind == SPK_AST_CALL && spk_names_same(r->call->name, "range"))
        return of_range(a, r, outer);
    if (r->call->kind == SPK_AST_CALL && spk_is_generator(r->call->name)) {
        spk_rel one = nothing(outer);
        one.plan = spk_one_row(a);
        return one.plan ? spk_generate(a, one, r->call, false, NULL, NULL, 0, outer) : one;
    }
    spk_sql_fail1(a->error, "UNRESOLVABLE_TABLE_VALUED_FUNCTION", r->span, "name", r->call->name);
    return nothing(outer);
}

/* ---- joins */

typedef struct joining {
    spk_analyzer *a;
    const spk_ast_relation *r;
    spk_rel left, right;
    spk_plan_join kind;
    spk_scope both; /* what ON sees */
    spk_sql_expr **conditions;
    size_t n;
} joining;

static spk_plan_join kind_of(spk_ast_join join)
{
    switch (join) {
    case SPK_AST_LEFT:
        return SPK_PLAN_LEFT;
    case SPK_AST_RIGHT:
        return SPK_PLAN_RIGHT;
    case SPK_AST_FULL:
        return SPK_PLAN_FULL;
    case SPK_AST_SEMI:
        return SPK_PLAN_SEMI;
    case SPK_AST_ANTI:
        return SPK_PLAN_ANTI;
    default:
        return SPK_PLAN_INNER;
    }
}

static const spk_scope_item *visible(const spk_scope *scope, const char *name, bool *twice)
{
    const spk_scope_item *found = NULL;
    *twice = false;
    for (size_t i = 0; i < scope->n; i++)
        if (!scope->items[i].hidden && spk_names_same(scope->items[i].name, name)) {
            *twice |= found != NULL;
            if (!found)
                found = &scope->items[i];
        }
    return found;
}

static void add_items(spk_analyzer *a, spk_scope *to, const spk_scope *from, const spk_plan *plan)
{
    size_t at = 0; /* where the last one was found: they mostly come in the plan's order */
    for (size_t i = 0; i < from->n; i++) {
        spk_scope_item item = from->items[i];
        size_t left = plan->n_out;
        while (left && plan->out[at].id != item.attr.id) {
            at = at + 1 < plan->n_out ? at + 1 : 0;
            left--;
        }
        if (left)
            item.attr.nullable = plan->out[at].nullable;
        SPK_ADD(a, to->items, to->n, item);
    }
}

static void using_fails(joining *j, const char *name, const char *side)
{
    char column[100];
    const spk_scope *scope = *side == 'l' ? &j->left.scope : &j->right.scope;
    const char *columns = "";
    for (size_t i = 0; i < scope->n && i < 12; i++)
        if (!scope->items[i].hidden)
            columns = spk_print(j->a, "%s%s`%s`", columns, *columns ? ", " : "", scope->items[i].name);
    (void)snprintf(column, sizeof column, "`%s`", name);
    spk_sql_fail3(j->a->error, "UNRESOLVED_USING_COLUMN_FOR_JOIN", j->r->span, "colName", column, "side", side,
        "suggestion", columns);
}

/* using_condition: left.c = right.c. */
static void using_condition(joining *j, const char *name)
{
    bool twice;
    const spk_scope_item *l = visible(&j->left.scope, name, &twice);
    if (!l) { /* of several of that name the first is meant */
        using_fails(j, name, "left");
        return;
    }
    const spk_scope_item *r = visible(&j->right.scope, name, &twice);
    if (!r) {
        using_fails(j, name, "right");
        return;
    }
    spk_sql_expr *pair[] = { spk_attr_column(j->a, &l->attr, j->r->span), spk_attr_column(j->a, &r->attr, j->r->span) };
    spk_sql_expr *e = spk_sql_call(&j->a->build, "=", pair, 2, j->r->span);
    if (e)
        SPK_ADD(j->a, j->conditions, j->n, e);
}

/* common: the names of NATURAL: each as often as both sides have it. */
static void common(joining *j, const char ***names, size_t *n)
{
    for (size_t i = 0; i < j->left.scope.n; i++) {
        const spk_scope_item *item = &j->left.scope.items[i];
        size_t there = 0;
        for (size_t k = 0; k < j->right.scope.n; k++)
            there += !j->right.scope.items[k].hidden && spk_names_same(j->right.scope.items[k].name, item->name);
        for (size_t k = 0; there && k < *n; k++)
            there -= spk_names_same((*names)[k], item->name);
        if (!item->hidden && there)
            SPK_ADD(j->a, *names, *n, item->name);
    }
}

static bool among(uint32_t id, const uint32_t *ids, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (ids[i] == id)
            return true;
    return false;
}

/* using_scope: the common columns once, first; both sides' own stay for full names. Of several columns of a name the
 * first is the common one, the others stay where they are. */
static spk_rel using_scope(joining *j, spk_plan *plan, const char *const *names, size_t n)
{
    spk_analyzer *a = j->a;
    spk_scope all = { .n = 0 };
    spk_rel rel = { plan, { .outer = j->left.scope.outer } };
    const bool semi = j->kind == SPK_PLAN_SEMI || j->kind == SPK_PLAN_ANTI;
    const size_t n_left = j->left.scope.n;
    add_items(a, &all, &j->left.scope, plan);
    if (!semi)
        add_items(a, &all, &j->right.scope, plan);
    spk_sql_expr **exprs = NULL;
    spk_attr *attrs = NULL;
    uint32_t *keys = NULL;
    size_t n_exprs = 0, n_attrs = 0, n_keys = 0;
    for (size_t i = 0; j->kind == SPK_PLAN_FULL && i < plan->n_out; i++) {
        SPK_ADD(a, exprs, n_exprs, spk_attr_column(a, &plan->out[i], SPK_SQL_NOWHERE));
        SPK_ADD(a, attrs, n_attrs, plan->out[i]);
    }
    for (size_t k = 0; k < n && !spk_sql_failed(a->error); k++) {
        bool twice;
        const spk_scope left = { .items = all.items, .n = n_left },
                        right = { .items = all.items + n_left, .n = all.n - n_left };
        const spk_scope_item *l = visible(&left, names[k], &twice);
        const spk_scope_item *r = semi ? NULL : visible(&right, names[k], &twice);
        spk_scope_item item = j->kind == SPK_PLAN_RIGHT ? *r : *l;
        if (j->kind == SPK_PLAN_FULL) {
            spk_sql_expr *pair[] = { spk_attr_column(a, &l->attr, SPK_SQL_NOWHERE),
                spk_attr_column(a, &r->attr, SPK_SQL_NOWHERE) };
            spk_sql_expr *e = spk_sql_call(&a->build, "coalesce", pair, 2, j->r->span);
            if (!e)
                break;
            item = (spk_scope_item) { .name = l->name, .attr = spk_attr_new(a, l->name, e->type, e->nullable) };
            SPK_ADD(a, exprs, n_exprs, e);
            SPK_ADD(a, attrs, n_attrs, item.attr);
        }
        SPK_ADD(a, rel.scope.items, rel.scope.n, item);
        SPK_ADD(a, keys, n_keys, l->attr.id);
        if (r)
            SPK_ADD(a, keys, n_keys, r->attr.id);
    }
    for (size_t i = 0; i < all.n; i++) {
        spk_scope_item item = all.items[i];
        if (!item.hidden && among(item.attr.id, keys, n_keys)) {
            item.hidden = true;
            if (j->kind != SPK_PLAN_FULL && (j->kind == SPK_PLAN_RIGHT) == (i >= n_left))
                continue; /* it stands in front */
        }
        SPK_ADD(a, rel.scope.items, rel.scope.n, item);
    }
    if (n_exprs)
        rel.plan = spk_plan_project(a, plan, exprs, attrs, n_exprs);
    return rel;
}

/* names_side: whether a subquery names columns of a side. */
static bool names_side(const spk_subquery *s, const spk_plan *side)
{
    for (size_t i = 0; i < s->n_conditions; i++)
        if (spk_expr_touches(s->conditions[i], side))
            return true;
    return spk_plan_correlated(s->plan, side);
}

/* one_sided: subqueries in the condition of an outer join are joined to the side they are about. */
static spk_plan *one_sided(joining *j, const spk_subqueries *subqueries)
{
    spk_analyzer *a = j->a;
    spk_plan *sides[2] = { j->left.plan, j->right.plan };
    for (size_t i = 0; i < subqueries->n && sides[0] && sides[1]; i++) {
        const spk_subquery *s = &subqueries->at[i];
        const bool left = names_side(s, sides[0]), right = names_side(s, sides[1]);
        const spk_subqueries one = { &subqueries->at[i], 1 };
        if (left && right) {
            spk_sql_unsupported(
                a->error, j->r->span, "a subquery about both sides in the condition of an outer join");
            return NULL;
        }
        sides[right] = spk_attach(a, sides[right], &one);
    }
    if (!sides[0] || !sides[1])
        return NULL;
    spk_plan *plan = spk_plan_join_of(a, j->kind, sides[0], sides[1], j->conditions, j->n, NULL);
    return plan;
}

static spk_plan *join_plan(joining *j, const spk_subqueries *subqueries)
{
    spk_analyzer *a = j->a;
    if (subqueries->n == 0)
        return j->r->lateral || spk_plan_correlated(j->right.plan, j->left.plan)
            ? spk_join_correlated(a, j->kind, j->left.plan, j->right.plan, j->conditions, j->n, NULL)
            : spk_plan_join_of(a, j->kind, j->left.plan, j->right.plan, j->conditions, j->n, NULL);
    if (j->kind != SPK_PLAN_INNER)
        return one_sided(j, subqueries);
    spk_plan *plan = spk_plan_join_of(a, SPK_PLAN_INNER, j->left.plan, j->right.plan, NULL, 0, NULL);
    plan = spk_attach(a, plan, subqueries);
    return plan ? spk_plan_filter(a, plan, j->conditions, j->n) : NULL;
}

static spk_rel of_join(spk_analyzer *a, const spk_ast_relation *r, spk_scope *outer)
{
    joining j = { .a = a, .r = r, .kind = kind_of(r->join) };
    const char **names = r->using_names;
    size_t n_names = r->n_using;
    j.left = spk_analyze_relation(a, r->left, outer);
    if (!j.left.plan || !r->right)
        return j.left;
    spk_scope lateral = j.left.scope;
    lateral.outer = outer;
    j.right = spk_analyze_relation(a, r->right, r->lateral ? &lateral : outer);
    if (!j.right.plan)
        return nothing(outer);
    j.left.scope.outer = outer;
    j.both.outer = outer;
    add_items(a, &j.both, &j.left.scope, j.left.plan);
    add_items(a, &j.both, &j.right.scope, j.right.plan);
    spk_bind b = { .a = a, .scope = &j.both, .clause = "JOIN", .condition = true };
    if (r->natural)
        common(&j, &names, &n_names);
    for (size_t i = 0; i < n_names && !spk_sql_failed(a->error); i++)
        using_condition(&j, names[i]);
    if (r->on)
        spk_bind_condition(&b, r->on, &j.conditions, &j.n, "join");
    if (spk_sql_failed(a->error))
        return nothing(outer);
    spk_plan *plan = join_plan(&j, &b.before);
    if (!plan)
        return nothing(outer);
    if (n_names)
        return using_scope(&j, plan, names, n_names);
    spk_rel rel = { plan, { .outer = outer } };
    add_items(a, &rel.scope, &j.left.scope, plan);
    if (j.kind != SPK_PLAN_SEMI && j.kind != SPK_PLAN_ANTI)
        add_items(a, &rel.scope, &j.right.scope, plan);
    return rel;
}

/* ---- LATERAL VIEW */

static spk_rel of_view_clause(spk_analyzer *a, const spk_ast_relation *r, spk_scope *outer)
{
    spk_rel in = nothing(outer);
    if (r->left)
        in = spk_analyze_relation(a, r->left, outer);
    else
        in.plan = spk_one_row(a);
    return spk_generate(a, in, r->call, r->outer, r->alias, r->columns, r->n_columns, outer);
}

/* ---- */

static spk_rel sampled(spk_analyzer *a, const spk_ast_relation *r, spk_rel rel)
{
    double fraction = 0;
    spk_bind b = { .a = a, .scope = &(spk_scope) { .n = 0 }, .clause = "TABLESAMPLE" };
    spk_sql_expr *e = spk_bind_expr(&b, r->sample);
    e = e ? spk_sql_cast(&a->build, e, spk_sql_type_of(SPK_SQL_DOUBLE), false, r->span) : NULL;
    spk_sql_fold(&a->build, &e);
    if (e && e->kind == SPK_SQL_CONSTANT && !e->null)
        memcpy(&fraction, e->value, sizeof fraction);
    if (r->sample_rows) {
        rel.plan = spk_plan_limit(a, rel.plan, (int64_t)fraction, 0);
        return rel;
    }
    spk_plan *plan = spk_plan_new(a, SPK_PLAN_SAMPLE, rel.plan, NULL);
    if (plan) {
        plan->fraction = fraction / 100;
        plan->seed = r->seed;
    }
    rel.plan = plan;
    return rel;
}

spk_rel spk_analyze_relation(spk_analyzer *a, const spk_ast_relation *r, spk_scope *outer)
{
    spk_rel rel = nothing(outer);
    if (!r || spk_sql_failed(a->error))
        return rel;
    switch (r->kind) {
    case SPK_REL_TABLE:
        rel = of_name(a, r, outer);
        break;
    case SPK_REL_QUERY:
        rel = spk_analyze_query(a, r->query, outer);
        break;
    case SPK_REL_VALUES:
        rel = of_values(a, r, outer);
        break;
    case SPK_REL_FUNCTION:
        rel = of_function(a, r, outer);
        break;
    case SPK_REL_JOIN:
        rel = of_join(a, r, outer);
        break;
    case SPK_REL_PIVOT:
        rel = spk_pivoted(a, r, outer);
        break;
    case SPK_REL_VIEW:
        return of_view_clause(a, r, outer);
    }
    if (rel.plan && r->sample)
        rel = sampled(a, r, rel);
    if (rel.plan && (r->alias || r->n_columns))
        rel = rename_columns(a, rel, r->alias, r->columns, r->n_columns, r->span);
    if (a->hinted && r->kind != SPK_REL_JOIN)
        spk_hint(a, rel.plan, r->alias ? r->alias : r->name ? r->name->args.at[r->name->args.n - 1]->text : NULL);
    return rel;
}
