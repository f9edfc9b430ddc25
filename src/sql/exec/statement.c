/* SPDX-License-Identifier: Apache-2.0 */
/* Statements that are no queries. */
#include "base/small.h"

#include <spark/action.h>
#include <spark/source.h>
#include <spark/sql.h>
#include <stdlib.h>
#include <strings.h>

#include "plan/listening.h"
#include "rdd/verb.h"
#include "sql/exec/files.h"
#include "sql/exec/result.h"

const char *spk_last_part(const spk_ast *name)
{
    return name->args.at[name->args.n - 1]->text;
}

void spk_view_not_found(spk_query *q, const spk_ast *name)
{
    spk_table_not_found(&q->analyzer, name);
}

/* take_over: an RDD's failure as the statement's. */
static spark_rdd *take_over(spark_site at, spk_query *q, const spk_failure *failure)
{
    spk_failure own = *failure;
    (void)at;
    return spk_rdd_error(q->sc, &own);
}

spark_rdd *spk_collected(spk_query *q, spark_site at, spark_rdd *rdd, spark_rdd **failed)
{
    spark_array rows;
    *failed = NULL;
    if ((spark_collect)(at, rdd, NULL, &rows) != SPARK_OK) {
        *failed = take_over(at, q, spk_last_failure());
        return NULL;
    }
    spark_rdd *kept = (spark_parallelize)(at, q->sc, rows.type, rows.n, rows.items, 1);
    spark_array_free(&rows);
    if (spark_rdd_status(kept) == SPARK_OK)
        return kept;
    *failed = kept;
    return NULL;
}

/* ---- CREATE */

static spk_view *new_view(spk_query *q, const spk_ast_statement *s)
{
    const char *name = spk_last_part(s->name);
    spk_view *old = spk_view_find(q->analyzer.catalog, name);
    if (old && !s->or_replace) {
        char text[200];
        (void)snprintf(text, sizeof text, "`%s`", name);
        const char *what = s->table ? "TABLE_OR_VIEW_ALREADY_EXISTS" : "TEMP_TABLE_OR_VIEW_ALREADY_EXISTS";
        spk_sql_fail1(&q->error, what, s->name->span, "relationName", text);
        spk_view_unref(old);
        return NULL;
    }
    spk_view_unref(old);
    spk_view *view = spk_view_new(q->sc, name);
    if (!view) {
        spk_sql_nomem(&q->error);
        return NULL;
    }
    view->table = s->table;
    view->global = s->global;
    view->temporary = s->temporary;
    return view;
}

static void keep(spk_query *q, spk_view *view)
{
    (void)spk_view_drop(q->analyzer.catalog, view->name);
    spk_view_add(q->analyzer.catalog, view, q->scope);
}

static const char *copy_into(spk_query *q, spk_view *view, const char *text, size_t n)
{
    char *copy = spk_arena_alloc(&view->arena, n + 1, 1);
    if (!copy) {
        spk_sql_nomem(&q->error);
        return "";
    }
    memcpy(copy, text, n);
    copy[n] = '\0';
    return copy;
}

typedef struct arena_of {
    spk_arena *arena;
    spk_sql_error *error;
} arena_of;

void spk_view_result_columns(
    spk_query *q, spk_view *view, const spk_result *result, spk_view_column **columns, size_t *n)
{
    const arena_of a = { &view->arena, &q->error };
    for (size_t i = 0; i < result->form->n; i++) {
        const spk_sql_type *type = spk_sql_type_copy(&view->arena, result->form->slots[i].type);
        const char *name = copy_into(q, view, result->names[i], strlen(result->names[i]));
        if (!type)
            spk_sql_nomem(&q->error);
        SPK_ADD(&a, *columns, *n, (spk_view_column) { name, type, result->form->slots[i].nullable, NULL });
    }
}

/* view_columns: whether a view can have columns of these names: each once, and as many as are named. */
static bool view_columns(spk_query *q, const spk_ast_statement *s, const char *const *names, size_t n)
{
    spk_analyzer *a = &q->analyzer;
    if (s->n_columns && s->n_columns != n) {
        spk_sql_fail3(a->error,
            n > s->n_columns ? "CREATE_VIEW_COLUMN_ARITY_MISMATCH.TOO_MANY_DATA_COLUMNS"
                             : "CREATE_VIEW_COLUMN_ARITY_MISMATCH.NOT_ENOUGH_DATA_COLUMNS",
            s->name->span, "viewName", spk_print(a, "`%s`", spk_last_part(s->name)), "viewColumns",
            spk_print(a, "%zu", s->n_columns), "dataColumns", spk_print(a, "%zu", n));
        return false;
    }
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < i; k++) {
            const char *name = s->n_columns ? s->columns[i] : names[i];
            if (!spk_names_same(name, s->n_columns ? s->columns[k] : names[k]))
                continue;
            spk_sql_fail1(a->error, "COLUMN_ALREADY_EXISTS", s->name->span, "columnName", spk_print(a, "`%s`", name));
            return false;
        }
    return true;
}

spark_rdd *spk_create_from_query(spk_query *q, spark_site at, const spk_ast_statement *s)
{
    const char **names = NULL;
    spk_view *view = new_view(q, s);
    if (!view)
        return NULL;
    if (s->table) {
        spark_rdd *failed = NULL, *rdd = spk_query_rows(q, at, s->query);
        const spk_result *result = spk_result_of(rdd);
        if (result)
            spk_view_result_columns(q, view, result, &view->columns, &view->n_columns);
        spark_rdd *kept = result && !spk_sql_failed(&q->error) ? spk_collected(q, at, rdd, &failed) : NULL;
        if (!kept) {
            spk_view_unref(view);
            return failed ? failed : rdd;
        }
        spk_view_rdd_set(view, kept);
        keep(q, view);
        return q->done;
    }
    q->analyzer.defines = view->name;
    const spk_plan *plan = spk_query_plan(q, s->query, &names);
    q->analyzer.defines = NULL;
    if (plan && view_columns(q, s, names, plan->n_out)) { /* it makes sense now */
        const arena_of a = { &view->arena, &q->error };
        view->text = copy_into(q, view, q->text + s->query->span.from, s->query->span.to - s->query->span.from);
        for (size_t i = 0; i < s->n_columns; i++)
            SPK_ADD(&a, view->columns, view->n_columns,
                (spk_view_column) { copy_into(q, view, s->columns[i], strlen(s->columns[i])), NULL, true, NULL });
    }
    if (spk_sql_failed(&q->error)) {
        spk_view_unref(view);
        return NULL;
    }
    keep(q, view);
    return q->done;
}

/* given_columns: those that are written. */
static spk_view_column *given_columns(spk_query *q, const spk_ast_statement *s)
{
    spk_view_column *columns = NULL;
    size_t n = 0;
    for (size_t i = 0; i < s->n_columns; i++) {
        const spk_sql_type *type
            = s->types[i] ? spk_sql_type_parse(&q->arena, s->types[i], strlen(s->types[i])) : NULL;
        if (!type) {
            spk_sql_fail1(&q->error, "UNSUPPORTED_DATATYPE", s->span, "typeName", s->types[i] ? s->types[i] : "");
            return NULL;
        }
        SPK_ADD(&q->analyzer, columns, n, (spk_view_column) { .name = s->columns[i], .type = type, .nullable = true });
    }
    return columns;
}

/* create_from_files: USING csv, json or text; a table without files is one in memory, empty so far. */
static spark_rdd *create_from_files(spk_query *q, const spk_ast_statement *s)
{
    spk_view *view = new_view(q, s);
    if (!view)
        return NULL;
    spk_view_column *given = given_columns(q, s);
    const size_t n = given ? s->n_columns : 0;
    const bool memory = s->table && !s->path && !spk_files_option(s, "path");
    spark_rdd *rdd = NULL;
    if (spk_sql_failed(&q->error))
        ;
    else if (memory && n)
        rdd = spk_files_none(q, given, n);
    else if (memory || !s->format)
        spk_sql_unsupported(&q->error, s->span, "a table without columns");
    else
        rdd = spk_files_read(q, s, given, n);
    if (rdd && spark_rdd_status(rdd) != SPARK_OK) {
        spk_view_unref(view);
        spk_file_fails(&q->analyzer, s->path ? s->path : spk_files_option(s, "path"), s->span);
        return NULL;
    }
    if (rdd && s->n_columns && spk_defaults_fit(q, s, given)) {
        const arena_of a = { &view->arena, &q->error };
        for (size_t i = 0; i < s->n_columns; i++) {
            const char *value = s->defaults ? s->defaults[i] : NULL;
            SPK_ADD(&a, view->columns, view->n_columns,
                (spk_view_column) { copy_into(q, view, s->columns[i], strlen(s->columns[i])),
                    spk_sql_type_parse(&view->arena, s->types[i], strlen(s->types[i])), given[i].nullable,
                    value ? copy_into(q, view, value, strlen(value)) : NULL });
        }
    } else if (rdd) {
        (void)spk_columns_of(&view->arena, &q->error, spark_rdd_type(rdd), &view->columns, &view->n_columns, s->span);
    }
    if (!rdd || spk_sql_failed(&q->error)) {
        spk_view_unref(view);
        return NULL;
    }
    spk_view_rdd_set(view, rdd);
    keep(q, view);
    return q->done;
}

static spark_rdd *create(spk_query *q, spark_site at, const spk_ast_statement *s)
{
    if (s->if_not_exists) {
        spk_view *old = spk_view_find(q->analyzer.catalog, spk_last_part(s->name));
        spk_view_unref(old);
        if (old)
            return q->done;
    }
    return s->query ? spk_create_from_query(q, at, s) : create_from_files(q, s);
}

static spark_rdd *drop(spk_query *q, const spk_ast_statement *s)
{
    if (!spk_view_drop(q->analyzer.catalog, spk_last_part(s->name)) && !s->if_exists) {
        spk_view_not_found(q, s->name);
        return NULL;
    }
    return q->done;
}

/* drop_function: one of the program. */
static spark_rdd *drop_function(spk_query *q, const spk_ast_statement *s)
{
    const char *name = spk_last_part(s->name);
    if (!spk_user_drop(q->analyzer.catalog, name)) {
        if (spk_is_routine(name))
            spk_sql_fail3(&q->error, "FORBIDDEN_OPERATION", s->name->span, "statement", "DROP", "objectType",
                "FUNCTION", "objectName", spk_print(&q->analyzer, "`%s`", name));
        else if (!s->if_exists)
            spk_sql_fail1(&q->error, "ROUTINE_NOT_FOUND", s->name->span, "routineName",
                spk_print(&q->analyzer, "`%s`", name));
    }
    return spk_sql_failed(&q->error) ? NULL : q->done;
}

/* ---- other tables */

static spark_rdd *insert_directory(spk_query *q, spark_site at, const spk_ast_statement *s)
{
    const spark_status status = spk_files_write(q, at, s);
    q->plan = NULL; /* as in insert */
    if (spk_sql_failed(&q->error))
        return NULL;
    return status == SPARK_OK ? q->done : take_over(at, q, spk_last_failure());
}

/* ---- EXPLAIN */

/* words_of: the first n words of a statement, as it was written. */
static const char *words_of(spk_query *q, const spk_ast_statement *s, int n)
{
    const char *from = q->text + s->span.from, *to = from;
    for (int i = 0; i < n && *to; i++) {
        to += strspn(to, " \t\r\n");
        to += strcspn(to, " \t\r\n;(");
    }
    return spk_copy_text(&q->analyzer, from, (size_t)(to - from));
}

static spark_rdd *explain(spk_query *q, spark_site at, const spk_ast_statement *s)
{
    static const char *const names[] = { "plan" };
    const char **columns = NULL;
    char *text = NULL;
    size_t size = 0;
    if (s->what && spk_names_same(s->what, "CODEGEN")) {
        spk_sql_unsupported(&q->error, s->span, "EXPLAIN CODEGEN: there is no generated code");
        return NULL;
    }
    if (!s->inner || s->inner->kind != SPK_ST_QUERY) {
        spk_sql_unsupported(&q->error, s->span,
            spk_print(&q->analyzer, "EXPLAIN of what is no query: %s", s->inner ? words_of(q, s->inner, 1) : ""));
        return NULL;
    }
    FILE *file = open_memstream(&text, &size);
    if (!file) {
        spk_sql_nomem(&q->error);
        return NULL;
    }
    const bool formatted = s->what && spk_names_same(s->what, "FORMATTED");
    const bool extended = s->what && !formatted && !spk_names_same(s->what, "COST");
    if (extended) {
        (void)fputs("== Analyzed Logical Plan ==\n", file);
        q->before = file;
    }
    spk_plan *plan = spk_query_plan(q, s->inner->query, &columns);
    q->before = NULL;
    (void)fputs(extended ? "\n== Optimized Logical Plan ==\n" : "== Physical Plan ==\n", file);
    if (plan) {
        spk_strategies(&q->analyzer, plan);
        spk_common_subplans(&q->analyzer, plan);
        (formatted ? spk_plan_print_formatted : spk_plan_print)(plan, file);
    }
    (void)fclose(file);
    if (!plan) {
        free(text);
        return NULL;
    }
    const char *cell = spk_copy_text(&q->analyzer, text, size);
    free(text);
    return spk_rows_of_texts(q, at, names, 1, &cell, 1);
}

/* ---- databases */

static spark_rdd *database(spk_query *q, const spk_ast_statement *s)
{
    spk_catalog *catalog = q->analyzer.catalog;
    const char *name = s->name ? spk_last_part(s->name) : "default";
    const bool there = spk_database_is(catalog, name);
    char text[200];
    (void)snprintf(text, sizeof text, "`%s`", name);
    if (s->kind == SPK_ST_CREATE_DATABASE && there && !s->if_not_exists)
        spk_sql_fail1(&q->error, "SCHEMA_ALREADY_EXISTS", s->name->span, "schemaName", text);
    else if (s->kind != SPK_ST_CREATE_DATABASE && !there && !s->if_exists)
        spk_sql_fail1(&q->error, "SCHEMA_NOT_FOUND", s->name->span, "schemaName", text);
    else if (s->kind == SPK_ST_CREATE_DATABASE && !there && !spk_database_add(catalog, name))
        spk_sql_nomem(&q->error);
    else if (s->kind == SPK_ST_DROP_DATABASE)
        (void)spk_database_drop(catalog, name);
    else if (s->kind == SPK_ST_USE)
        (void)spk_database_use(catalog, name);
    return spk_sql_failed(&q->error) ? NULL : q->done;
}

/* own_name: the last part of the name becomes what the catalog calls the table: with its database. */
static void own_name(spk_query *q, const spk_ast_statement *s)
{
    spk_analyzer *a = &q->analyzer;
    char current[SPK_DATABASE_NAME];
    if (!s->name || s->temporary || s->kind == SPK_ST_SHOW || s->kind == SPK_ST_DESCRIBE || s->kind == SPK_ST_USE
        || s->kind == SPK_ST_DROP_FUNCTION)
        return;
    spk_ast *last = s->name->args.at[s->name->args.n - 1];
    if (s->name->args.n > 1) {
        const char *said = s->name->args.at[s->name->args.n - 2]->text;
        if (!spk_names_same(said, "default") && !spk_names_same(said, "global_temp"))
            last->text = spk_print(a, "%s.%s", said, last->text);
        return;
    }
    spk_database_current(a->catalog, current);
    spk_view *view = current[0] && s->kind != SPK_ST_CREATE_TABLE ? spk_view_find(a->catalog, last->text) : NULL;
    if (current[0] && !(view && !view->table))
        last->text = spk_print(a, "%s.%s", current, last->text);
    spk_view_unref(view);
}

/* command_of: the node that stands above the plan of a statement which runs jobs itself, as Spark calls it. */
static const char *command_of(const spk_ast_statement *s)
{
    switch (s->kind) {
    case SPK_ST_QUERY:
        return "UnionLoop"; /* what is recursive has run when its result is there */
    case SPK_ST_CREATE_TABLE:
        return "Execute CreateDataSourceTableAsSelectCommand";
    case SPK_ST_INSERT:
        return s->overwrite ? "OverwriteByExpression" : "AppendData";
    case SPK_ST_INSERT_DIRECTORY:
        return "Execute InsertIntoDataSourceDirCommand";
    case SPK_ST_CACHE:
        return s->query ? "CacheTableAsSelect" : "CacheTable";
    default:
        return "Execute";
    }
}

spark_rdd *spk_statement_heard(spk_query *q, spark_site at, const spk_ast_statement *s)
{
    const spk_listening *heard = spk_heard_by(q->sc);
    if (!heard)
        return spk_statement_run(q, at, s);
    atomic_store(&q->sc->queries, &spk_query_telling);
    heard->states(q->sc, q, spk_query_said(q), command_of(s), at);
    spark_rdd *rdd = spk_statement_run(q, at, s);
    spk_failure failure = { .code = SPARK_OK };
    if (spk_sql_failed(&q->error))
        spk_query_fails(q, &failure);
    else if (rdd && rdd->error)
        failure = *rdd->error;
    heard->stated(q->sc, failure.code == SPARK_OK ? NULL : &failure);
    return rdd;
}

/* ready: the result of a statement that gives no rows is made before it changes anything: nothing fails after that. */
static bool ready(spk_query *q, spark_site at, const spk_ast_statement *s)
{
    switch (s->kind) {
    case SPK_ST_QUERY:
    case SPK_ST_SHOW:
    case SPK_ST_DESCRIBE:
    case SPK_ST_DESCRIBE_QUERY:
    case SPK_ST_DESCRIBE_FUNCTION:
    case SPK_ST_EXPLAIN:
    case SPK_ST_SET:
    case SPK_ST_OTHER:
        return true;
    default:
        q->done = spk_rows_of_texts(q, at, NULL, 0, NULL, 0);
        return q->done && !q->done->error;
    }
}

spark_rdd *spk_statement_run(spk_query *q, spark_site at, const spk_ast_statement *s)
{
    if (!ready(q, at, s))
        return q->done;
    if (s->kind == SPK_ST_CREATE_DATABASE || s->kind == SPK_ST_DROP_DATABASE || (s->kind == SPK_ST_USE && s->name))
        return database(q, s);
    own_name(q, s);
    switch (s->kind) {
    case SPK_ST_QUERY:
        return spk_query_rows(q, at, s->query);
    case SPK_ST_CREATE_VIEW:
    case SPK_ST_CREATE_TABLE:
        return create(q, at, s);
    case SPK_ST_DROP:
        return drop(q, s);
    case SPK_ST_DROP_FUNCTION:
        return drop_function(q, s);
    case SPK_ST_INSERT:
        return spk_insert(q, at, s);
    case SPK_ST_INSERT_DIRECTORY:
        return insert_directory(q, at, s);
    case SPK_ST_CACHE:
        return spk_cache_table(q, at, s);
    case SPK_ST_UNCACHE:
        return spk_uncache_table(q, at, s);
    case SPK_ST_CLEAR_CACHE:
        return spk_clear_cache(q, at);
    case SPK_ST_REFRESH:
        return spk_refresh_table(q, at, s);
    case SPK_ST_SHOW:
        return spk_show(q, at, s);
    case SPK_ST_DESCRIBE:
    case SPK_ST_DESCRIBE_QUERY:
        return spk_describe(q, at, s);
    case SPK_ST_EXPLAIN:
        return explain(q, at, s);
    case SPK_ST_TRUNCATE:
        return spk_truncate_table(q, at, s);
    case SPK_ST_SET:
        return spk_set(q, at, s);
    case SPK_ST_RESET:
        return spk_reset(q, s);
    case SPK_ST_USE:
        return q->done;
    default:
        spk_sql_unsupported(&q->error, s->span, words_of(q, s, 2));
        return NULL;
    }
}
