/* SPDX-License-Identifier: Apache-2.0 */
/* Statements that are no queries. */
#include <spark/action.h>
#include <spark/csv.h>
#include <spark/json.h>
#include <spark/source.h>
#include <spark/sql.h>
#include <spark/storage.h>
#include <stdlib.h>

#include "rdd/verb.h"
#include "sql/exec/result.h"

static spark_rdd *no_rows(spk_query *q, spark_site at)
{
    return spk_rows_of_texts(q, at, NULL, 0, NULL, 0);
}

static const char *last_part(const spk_ast *name)
{
    return name->args.at[name->args.n - 1]->text;
}

static void not_found(spk_query *q, const spk_ast *name)
{
    char text[200];
    (void)snprintf(text, sizeof text, "`%s`", last_part(name));
    spk_sql_fail1(&q->error, "TABLE_OR_VIEW_NOT_FOUND", name->span, "relationName", text);
}

/* take_over: an RDD's failure as the statement's. */
static spark_rdd *take_over(spark_site at, spk_query *q, const spk_failure *failure)
{
    spk_failure own = *failure;
    (void)at;
    return spk_rdd_error(q->sc, &own);
}

/* collected: the rows of a result, as they are now, as an RDD of its own. */
static spark_rdd *collected(spk_query *q, spark_site at, spark_rdd *rdd, spark_rdd **failed)
{
    spark_array rows;
    *failed = NULL;
    if ((spark_collect)(at, rdd, NULL, &rows) != SPARK_OK) {
        *failed = take_over(at, q, spk_last_failure());
        return NULL;
    }
    spark_rdd *kept = (spark_parallelize)(at, q->sc, rows.type, rows.n, rows.items, 1);
    spark_array_free(&rows);
    return kept;
}

/* ---- CREATE */

static spk_view *new_view(spk_query *q, const spk_ast_statement *s)
{
    const char *name = last_part(s->name);
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
    if (!view)
        spk_sql_nomem(&q->error);
    else
        view->table = s->table;
    return view;
}

static void keep(spk_query *q, spk_view *view)
{
    (void)spk_view_drop(q->analyzer.catalog, view->name);
    spk_view_add(q->analyzer.catalog, view);
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

/* result_columns: of a view, as a result has them. */
static void result_columns(spk_query *q, spk_view *view, const spk_result *result)
{
    const arena_of a = { &view->arena, &q->error };
    for (size_t i = 0; i < result->form->n; i++) {
        const spk_sql_type *type = spk_sql_type_parse(&view->arena, result->types[i], strlen(result->types[i]));
        const char *name = copy_into(q, view, result->names[i], strlen(result->names[i]));
        if (!type)
            spk_sql_unsupported(&q->error, SPK_SQL_NOWHERE, "a column of such a type");
        SPK_ADD(&a, view->columns, view->n_columns, (spk_view_column) { name, type, result->form->slots[i].nullable });
    }
}

static spark_rdd *create_from_query(spk_query *q, spark_site at, const spk_ast_statement *s)
{
    const char **names = NULL;
    spk_view *view = new_view(q, s);
    if (!view)
        return NULL;
    if (s->table) {
        spark_rdd *failed = NULL, *rdd = spk_query_rows(q, at, s->query);
        const spk_result *result = spk_result_of(rdd);
        if (result)
            result_columns(q, view, result);
        spark_rdd *kept = result && !spk_sql_failed(&q->error) ? collected(q, at, rdd, &failed) : NULL;
        if (!kept) {
            spk_view_unref(view);
            return failed ? failed : rdd;
        }
        spk_view_rdd_set(view, kept);
        keep(q, view);
        return no_rows(q, at);
    }
    if (spk_query_plan(q, s->query, &names)) { /* it makes sense now */
        const arena_of a = { &view->arena, &q->error };
        view->text = copy_into(q, view, q->text + s->query->span.from, s->query->span.to - s->query->span.from);
        for (size_t i = 0; i < s->n_columns; i++)
            SPK_ADD(&a, view->columns, view->n_columns,
                (spk_view_column) { copy_into(q, view, s->columns[i], strlen(s->columns[i])), NULL, true });
    }
    if (spk_sql_failed(&q->error)) {
        spk_view_unref(view);
        return NULL;
    }
    keep(q, view);
    return no_rows(q, at);
}

static const char *option(const spk_ast_statement *s, const char *key)
{
    for (size_t i = 0; i < s->n_options; i++)
        if (spk_names_same(s->options[i].key, key))
            return s->options[i].value;
    return NULL;
}

static bool option_true(const spk_ast_statement *s, const char *key)
{
    const char *value = option(s, key);
    return value && spk_names_same(value, "true");
}

/* given_type: a struct of the columns that are written; NULL without an error: none are. */
static const spark_type *given_type(spk_query *q, const spk_ast_statement *s)
{
    spk_column *columns = NULL;
    size_t n = 0;
    for (size_t i = 0; i < s->n_columns; i++) {
        const spk_sql_type *type
            = s->types[i] ? spk_sql_type_parse(&q->arena, s->types[i], strlen(s->types[i])) : NULL;
        if (!type) {
            spk_sql_fail1(&q->error, "UNSUPPORTED_DATATYPE", s->span, "typeName", s->types[i] ? s->types[i] : "");
            return NULL;
        }
        SPK_ADD(&q->analyzer, columns, n, (spk_column) { type, true });
    }
    const spk_form *form = n ? spk_form_of(q, columns, n, s->columns) : NULL;
    return form ? form->layout->type : NULL;
}

static spark_rdd *read_files(spk_query *q, const spk_ast_statement *s, const spark_type *type)
{
    const char *path = s->path ? s->path : option(s, "path");
    if (!path) {
        spk_sql_fail1(&q->error, "PATH_NOT_FOUND", s->span, "path", "");
        return NULL;
    }
    if (spk_names_same(s->format, "csv")) {
        const char *sep = option(s, "sep") ? option(s, "sep") : option(s, "delimiter");
        spark_csv_options options = { .header = option_true(s, "header") };
        if (sep)
            options.sep = sep;
        return (spark_read_csv)("sql", q->sc, path, type, &options);
    }
    if (spk_names_same(s->format, "json"))
        return (spark_read_json)("sql", q->sc, path, type, NULL);
    if (spk_names_same(s->format, "text"))
        return (spark_text_file)("sql", q->sc, path, 0);
    spk_sql_fail1(&q->error, "DATA_SOURCE_NOT_FOUND", s->span, "provider", s->format);
    return NULL;
}

/* create_from_files: USING csv, json or text; a table without files is one in memory, empty so far. */
static spark_rdd *create_from_files(spk_query *q, spark_site at, const spk_ast_statement *s)
{
    spk_view *view = new_view(q, s);
    if (!view)
        return NULL;
    const spark_type *type = given_type(q, s);
    const bool memory = s->table && !s->path && !option(s, "path");
    spark_rdd *rdd = NULL;
    if (spk_sql_failed(&q->error))
        ;
    else if (memory && type)
        rdd = (spark_parallelize)(at, q->sc, type, 0, NULL, 1);
    else if (memory || !s->format)
        spk_sql_unsupported(&q->error, s->span, "a table without columns");
    else
        rdd = read_files(q, s, type);
    if (rdd && spark_rdd_status(rdd) != SPARK_OK) {
        spk_view_unref(view);
        return take_over(at, q, spk_last_failure());
    }
    if (rdd && s->n_columns) {
        const arena_of a = { &view->arena, &q->error };
        for (size_t i = 0; i < s->n_columns; i++)
            SPK_ADD(&a, view->columns, view->n_columns,
                (spk_view_column) { copy_into(q, view, s->columns[i], strlen(s->columns[i])),
                    spk_sql_type_parse(&view->arena, s->types[i], strlen(s->types[i])), true });
    } else if (rdd) {
        (void)spk_columns_of(&view->arena, &q->error, spark_rdd_type(rdd), &view->columns, &view->n_columns, s->span);
    }
    if (!rdd || spk_sql_failed(&q->error)) {
        spk_view_unref(view);
        return NULL;
    }
    spk_view_rdd_set(view, rdd);
    keep(q, view);
    return no_rows(q, at);
}

static spark_rdd *create(spk_query *q, spark_site at, const spk_ast_statement *s)
{
    if (s->if_not_exists) {
        spk_view *old = spk_view_find(q->analyzer.catalog, last_part(s->name));
        spk_view_unref(old);
        if (old)
            return no_rows(q, at);
    }
    return s->query ? create_from_query(q, at, s) : create_from_files(q, at, s);
}

static spark_rdd *drop(spk_query *q, spark_site at, const spk_ast_statement *s)
{
    if (!spk_view_drop(q->analyzer.catalog, last_part(s->name)) && !s->if_exists) {
        not_found(q, s->name);
        return NULL;
    }
    return no_rows(q, at);
}

/* ---- INSERT: what is there, and the new rows */

/* inserted: the query's columns as those of the table. */
static spk_plan *inserted(spk_query *q, const spk_ast_statement *s, const spk_view *view)
{
    spk_analyzer *a = &q->analyzer;
    const char **names = NULL;
    spk_sql_expr **exprs = NULL;
    spk_attr *attrs = NULL;
    size_t n = 0, m = 0;
    spk_plan *plan = spk_query_plan(q, s->query, &names);
    if (!plan)
        return NULL;
    const size_t given = s->n_columns ? s->n_columns : view->n_columns;
    if (given != plan->n_out) {
        spk_sql_fail1(&q->error,
            plan->n_out > given ? "INSERT_COLUMN_ARITY_MISMATCH.TOO_MANY_DATA_COLUMNS"
                                : "INSERT_COLUMN_ARITY_MISMATCH.NOT_ENOUGH_DATA_COLUMNS",
            s->span, "tableName", view->name);
        return NULL;
    }
    for (size_t i = 0; i < view->n_columns; i++) {
        size_t from = i;
        if (s->n_columns)
            for (from = 0; from < s->n_columns && !spk_names_same(s->columns[from], view->columns[i].name);)
                from++;
        spk_sql_expr *e = from < plan->n_out
            ? spk_attr_column(a, &plan->out[from], SPK_SQL_NOWHERE)
            : spk_sql_constant(&a->build, spk_sql_type_of(SPK_SQL_VOID), NULL, SPK_SQL_NOWHERE);
        if (e && !spk_sql_type_same(e->type, view->columns[i].type))
            e = spk_sql_cast(&a->build, e, view->columns[i].type, false, s->span);
        SPK_ADD(a, exprs, n, e);
        SPK_ADD(a, attrs, m, spk_attr_new(a, view->columns[i].name, view->columns[i].type, view->columns[i].nullable));
    }
    return spk_sql_failed(&q->error) ? NULL : spk_plan_project(a, plan, exprs, attrs, n);
}

static spark_rdd *insert(spk_query *q, spark_site at, const spk_ast_statement *s)
{
    spk_view *view = spk_view_find(q->analyzer.catalog, last_part(s->name));
    if (!view || !view->rdd) {
        not_found(q, s->name);
        spk_view_unref(view);
        return NULL;
    }
    spk_plan *plan = inserted(q, s, view);
    if (plan && !s->overwrite) {
        spk_plan *old = spk_scan(&q->analyzer, view->rdd, view->columns, view->n_columns, view->name);
        spk_plan *both = old ? spk_plan_new(&q->analyzer, SPK_PLAN_UNION, old, plan) : NULL;
        for (size_t i = 0; both && i < both->n_out; i++)
            both->out[i].nullable |= plan->out[i].nullable;
        plan = both;
    }
    const spk_form *form = NULL;
    spark_rdd *failed = NULL, *rdd = plan ? spk_exec_build(q, plan, &form) : NULL;
    spark_rdd *kept = rdd ? collected(q, at, rdd, &failed) : NULL;
    if (kept) {
        pthread_mutex_lock(&q->analyzer.catalog->lock);
        for (size_t i = 0; i < view->n_columns; i++)
            view->columns[i].nullable = form->slots[i].nullable;
        spk_view_rdd_set(view, kept);
        pthread_mutex_unlock(&q->analyzer.catalog->lock);
    }
    spk_view_unref(view);
    return kept ? no_rows(q, at) : failed;
}

static spark_rdd *truncate_table(spk_query *q, spark_site at, const spk_ast_statement *s)
{
    spk_view *view = spk_view_find(q->analyzer.catalog, last_part(s->name));
    if (!view || !view->rdd || !view->rdd->layout) {
        not_found(q, s->name);
        spk_view_unref(view);
        return NULL;
    }
    spark_rdd *none = (spark_parallelize)(at, q->sc, view->rdd->layout->type, 0, NULL, 1);
    pthread_mutex_lock(&q->analyzer.catalog->lock);
    spk_view_rdd_set(view, none);
    pthread_mutex_unlock(&q->analyzer.catalog->lock);
    spk_view_unref(view);
    return no_rows(q, at);
}

static spark_rdd *insert_directory(spk_query *q, spark_site at, const spk_ast_statement *s)
{
    const char *path = s->path ? s->path : option(s, "path");
    spark_rdd *rdd = spk_query_rows(q, at, s->query);
    if (!rdd || spark_rdd_status(rdd) != SPARK_OK)
        return rdd;
    if (!path || !s->format || !spk_names_same(s->format, "csv")) {
        spk_sql_unsupported(&q->error, s->span, "a directory in that format");
        return NULL;
    }
    spark_csv_options options = { .header = option_true(s, "header") };
    if ((spark_write_csv)(at, rdd, path, &options) != SPARK_OK)
        return take_over(at, q, spk_last_failure());
    return no_rows(q, at);
}

/* ---- CACHE */

static spark_rdd *cache(spk_query *q, spark_site at, const spk_ast_statement *s)
{
    if (s->query) {
        spk_ast_statement made = *s;
        made.kind = SPK_ST_CREATE_VIEW;
        made.table = true;
        return create_from_query(q, at, &made);
    }
    spk_view *view = spk_view_find(q->analyzer.catalog, last_part(s->name));
    if (!view) {
        not_found(q, s->name);
        return NULL;
    }
    int64_t n;
    if (view->rdd)
        (void)(spark_persist)(at, view->rdd, SPARK_MEMORY_ONLY);
    spark_rdd *made = no_rows(q, at);
    if (view->rdd && !s->lazy && (spark_count)(at, view->rdd, &n) != SPARK_OK)
        made = take_over(at, q, spk_last_failure());
    spk_view_unref(view);
    return made;
}

static spark_rdd *uncache(spk_query *q, spark_site at, const spk_ast_statement *s)
{
    spk_view *view = spk_view_find(q->analyzer.catalog, last_part(s->name));
    if (!view && !s->if_exists) {
        not_found(q, s->name);
        return NULL;
    }
    if (view && view->rdd)
        (void)(spark_unpersist)(at, view->rdd);
    spk_view_unref(view);
    return no_rows(q, at);
}

/* ---- SHOW, DESCRIBE, EXPLAIN */

/* like: Spark's pattern: * stands for anything, | for or; without case. */
static bool like(const char *text, const char *pattern)
{
    if (!*pattern || *pattern == '|')
        return !*text;
    if (*pattern == '*')
        return like(text, pattern + 1) || (*text && like(text + 1, pattern));
    return *text && (*text | 0x20) == (*pattern | 0x20) && like(text + 1, pattern + 1);
}

static spark_rdd *show(spk_query *q, spark_site at, const spk_ast_statement *s)
{
    static const char *const names[] = { "namespace", "tableName", "isTemporary" };
    static const char *const column[] = { "col_name" }, *const function[] = { "function" };
    spk_analyzer *a = &q->analyzer;
    const char **cells = NULL;
    size_t n = 0;
    if (spk_names_same(s->what, "TABLES") || spk_names_same(s->what, "VIEWS")) {
        pthread_mutex_lock(&a->catalog->lock);
        for (spk_view *v = a->catalog->views; v; v = v->next)
            if (strlen(v->name) < 200 && (!s->pattern || like(v->name, s->pattern))) {
                SPK_ADD(a, cells, n, v->table ? "default" : "");
                SPK_ADD(a, cells, n, spk_copy_text(a, v->name, strlen(v->name)));
                SPK_ADD(a, cells, n, v->table ? "false" : "true");
            }
        pthread_mutex_unlock(&a->catalog->lock);
        return spk_rows_of_texts(q, at, names, 3, cells, n / 3);
    }
    if (spk_names_same(s->what, "COLUMNS") && s->name) {
        spk_view *view = spk_view_find(a->catalog, last_part(s->name));
        if (!view)
            not_found(q, s->name);
        for (size_t i = 0; view && i < view->n_columns; i++)
            SPK_ADD(a, cells, n, spk_copy_text(a, view->columns[i].name, strlen(view->columns[i].name)));
        spk_view_unref(view);
        return view ? spk_rows_of_texts(q, at, column, 1, cells, n) : NULL;
    }
    if (spk_names_same(s->what, "FUNCTIONS")) {
        const spk_sql_function *f;
        for (size_t i = 0; (f = spk_sql_function_at(i)) != NULL; i++)
            if (!s->pattern || (strlen(f->name) < 200 && like(f->name, s->pattern)))
                SPK_ADD(a, cells, n, f->name);
        return spk_rows_of_texts(q, at, function, 1, cells, n);
    }
    spk_sql_unsupported(&q->error, s->span, "SHOW of that");
    return NULL;
}

static spark_rdd *describe(spk_query *q, spark_site at, const spk_ast_statement *s)
{
    static const char *const names[] = { "col_name", "data_type", "comment" };
    spk_analyzer *a = &q->analyzer;
    const char **cells = NULL, **columns = NULL;
    size_t n = 0;
    spk_ast_relation relation = { .kind = SPK_REL_TABLE, .name = s->name, .span = s->span };
    spk_ast_term term = { .kind = SPK_TERM_RELATION, .relation = &relation };
    const spk_ast_query table = { .term = &term, .span = s->span };
    const spk_plan *plan = spk_query_plan(q, s->query ? s->query : &table, &columns);
    for (size_t i = 0; plan && i < plan->n_out; i++) {
        char text[600];
        (void)spk_sql_type_print(plan->out[i].type, true, text, sizeof text);
        SPK_ADD(a, cells, n, columns[i]);
        SPK_ADD(a, cells, n, spk_copy_text(a, text, strlen(text)));
        SPK_ADD(a, cells, n, NULL);
    }
    return plan ? spk_rows_of_texts(q, at, names, 3, cells, n / 3) : NULL;
}

static spark_rdd *explain(spk_query *q, spark_site at, const spk_ast_statement *s)
{
    static const char *const names[] = { "plan" };
    const char **columns = NULL;
    char *text = NULL;
    size_t size = 0;
    if (!s->inner || s->inner->kind != SPK_ST_QUERY) {
        spk_sql_unsupported(&q->error, s->span, "EXPLAIN of what is no query");
        return NULL;
    }
    const spk_plan *plan = spk_query_plan(q, s->inner->query, &columns);
    FILE *file = plan ? open_memstream(&text, &size) : NULL;
    if (!file) {
        if (plan)
            spk_sql_nomem(&q->error);
        return NULL;
    }
    spk_plan_print(plan, file);
    (void)fclose(file);
    const char *cell = spk_copy_text(&q->analyzer, text, size);
    free(text);
    return spk_rows_of_texts(q, at, names, 1, &cell, 1);
}

static spark_rdd *set(spk_query *q, spark_site at, const spk_ast_statement *s)
{
    static const char *const names[] = { "key", "value" };
    const char *cells[] = { s->key ? s->key : "", s->value ? s->value : "<undefined>" };
    return spk_rows_of_texts(q, at, names, 2, cells, s->key ? 1 : 0);
}

spark_rdd *spk_statement_run(spk_query *q, spark_site at, const spk_ast_statement *s)
{
    switch (s->kind) {
    case SPK_ST_QUERY:
        return spk_query_rows(q, at, s->query);
    case SPK_ST_CREATE_VIEW:
    case SPK_ST_CREATE_TABLE:
        return create(q, at, s);
    case SPK_ST_DROP:
        return drop(q, at, s);
    case SPK_ST_INSERT:
        return insert(q, at, s);
    case SPK_ST_INSERT_DIRECTORY:
        return insert_directory(q, at, s);
    case SPK_ST_CACHE:
        return cache(q, at, s);
    case SPK_ST_UNCACHE:
        return uncache(q, at, s);
    case SPK_ST_SHOW:
        return show(q, at, s);
    case SPK_ST_DESCRIBE:
    case SPK_ST_DESCRIBE_QUERY:
        return describe(q, at, s);
    case SPK_ST_EXPLAIN:
        return explain(q, at, s);
    case SPK_ST_TRUNCATE:
        return truncate_table(q, at, s);
    case SPK_ST_SET:
        return set(q, at, s);
    case SPK_ST_USE:
        return no_rows(q, at);
    default:
        spk_sql_unsupported(&q->error, s->span, s->what ? s->what : "such a statement");
        return NULL;
    }
}
