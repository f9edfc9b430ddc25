/* SPDX-License-Identifier: Apache-2.0 */
/* SHOW and DESCRIBE: what there is, by name. */
#include "base/small.h"

#include <stdlib.h>

#include "sql/eval/aggregate.h"
#include "sql/exec/result.h"
#include "sql/plan/bind_call.h"

/* like: Spark's pattern: * stands for anything, | for or; without case. */
static bool like(const char *text, const char *pattern)
{
    if (!*pattern || *pattern == '|')
        return !*text;
    if (*pattern == '*')
        return like(text, pattern + 1) || (*text && like(text + 1, pattern));
    return *text && (*text | 0x20) == (*pattern | 0x20) && like(text + 1, pattern + 1);
}

/* matches: whether a name is one of those that LIKE names; without LIKE, all are. */
static bool matches(const spk_ast_statement *s, const char *name)
{
    const char *pattern = s->pattern;
    bool found = !pattern;
    while (pattern && !found && strlen(name) < 200) {
        found = like(name, pattern);
        pattern = strchr(pattern, '|');
        if (pattern)
            pattern++;
    }
    return found;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* rows_in_order: lines of texts, in the order of their first cell, which is not shown. */
static spark_rdd *rows_in_order(
    spk_query *q, spark_site at, const char *const *names, size_t columns, const char **cells, size_t n)
{
    const size_t rows = n / (columns + 1);
    const char **shown = NULL;
    size_t m = 0;
    if (rows && !spk_sql_failed(&q->error))
        qsort(cells, rows, (columns + 1) * sizeof *cells, by_text);
    for (size_t i = 0; i < n; i++)
        if (i % (columns + 1) > 0)
            SPK_ADD(&q->analyzer, shown, m, cells[i]);
    return spk_sql_failed(&q->error) ? NULL : spk_rows_of_texts(q, at, names, columns, shown, rows);
}

/* place_of: the namespace of a view, "" of a temporary one; *name: what it is called there. */
static const char *place_of(spk_analyzer *a, const spk_view *v, const char **name)
{
    const char *dot = v->temporary ? NULL : strchr(v->name, '.');
    const char *last = dot ? dot + 1 : v->name;
    *name = spk_copy_text(a, last, strlen(last));
    if (v->temporary)
        return v->global ? "global_temp" : "";
    return dot ? spk_copy_text(a, v->name, (size_t)(dot - v->name)) : "default";
}

/* tables: those of a namespace, then temporary views, each by name. */
static spark_rdd *tables(spk_query *q, spark_site at, const spk_ast_statement *s, bool views)
{
    const char *const names[] = { "namespace", views ? "viewName" : "tableName", "isTemporary" };
    spk_analyzer *a = &q->analyzer;
    const char **cells = NULL, *name, *of;
    char current[SPK_DATABASE_NAME];
    size_t n = 0;
    spk_database_current(a->catalog, current);
    const char *in = s->name ? spk_last_part(s->name) : *current ? current : "default";
    if (!spk_names_same(in, "global_temp") && !spk_database_is(a->catalog, in)) {
        spk_sql_fail1(&q->error, "SCHEMA_NOT_FOUND", s->name ? s->name->span : s->span, "schemaName",
            spk_print(a, "`spark_catalog`.`%s`", in));
        return NULL;
    }
    pthread_mutex_lock(&a->catalog->lock);
    for (const spk_view *v = a->catalog->views; v; v = v->next) {
        of = place_of(a, v, &name);
        if ((*of && !spk_names_same(of, in)) || (views && v->table) || !matches(s, name))
            continue;
        SPK_ADD(a, cells, n, spk_print(a, "%d%s", v->temporary, name));
        SPK_ADD(a, cells, n, of);
        SPK_ADD(a, cells, n, name);
        SPK_ADD(a, cells, n, v->temporary ? "true" : "false");
    }
    pthread_mutex_unlock(&a->catalog->lock);
    return rows_in_order(q, at, names, 3, cells, n);
}

static void add_name(spk_analyzer *a, const spk_ast_statement *s, const char *name, const char ***cells, size_t *n)
{
    const char *copy = matches(s, name) ? spk_copy_text(a, name, strlen(name)) : NULL;
    for (int i = 0; copy && i < 2; i++)
        SPK_ADD(a, *cells, *n, copy);
}

static spark_rdd *databases(spk_query *q, spark_site at, const spk_ast_statement *s)
{
    static const char *const names[] = { "namespace" };
    spk_analyzer *a = &q->analyzer;
    const char **cells = NULL;
    size_t n = 0;
    add_name(a, s, "default", &cells, &n);
    pthread_mutex_lock(&a->catalog->lock);
    for (const spk_database *d = a->catalog->databases; d; d = d->next)
        add_name(a, s, d->name, &cells, &n);
    pthread_mutex_unlock(&a->catalog->lock);
    return rows_in_order(q, at, names, 1, cells, n);
}

/* functions: of SQL, unless those of the program alone are asked for, and of the program. */
static spark_rdd *functions(spk_query *q, spark_site at, const spk_ast_statement *s)
{
    static const char *const names[] = { "function" };
    spk_analyzer *a = &q->analyzer;
    const char **cells = NULL;
    const spk_sql_function *f;
    const char *name;
    const bool own = spk_names_same(s->what, "USER");
    size_t n = 0;
    for (size_t i = 0; !own && (f = spk_sql_function_at(i)) != NULL; i++)
        add_name(a, s, f->name, &cells, &n);
    for (size_t i = 0; !own && (name = spk_sql_aggregate_at(i)) != NULL; i++)
        add_name(a, s, name, &cells, &n);
    for (size_t i = 0; !own && (name = spk_window_functions[i]) != NULL; i++)
        add_name(a, s, name, &cells, &n);
    pthread_mutex_lock(&a->catalog->lock);
    for (const spk_user *u = spk_names_same(s->what, "SYSTEM") ? NULL : a->catalog->users; u; u = u->next)
        add_name(a, s, u->name, &cells, &n);
    pthread_mutex_unlock(&a->catalog->lock);
    return rows_in_order(q, at, names, 1, cells, n);
}

/* described: the plan of a table, or of a query, for its columns. */
static const spk_plan *described(spk_query *q, const spk_ast_statement *s, const char ***columns)
{
    spk_ast_relation relation = { .kind = SPK_REL_TABLE, .name = s->name, .span = s->span };
    spk_ast_term term = { .kind = SPK_TERM_RELATION, .relation = &relation };
    const spk_ast_query table = { .term = &term, .span = s->span };
    return spk_query_plan(q, s->query ? s->query : &table, columns);
}

static spark_rdd *columns_of(spk_query *q, spark_site at, const spk_ast_statement *s)
{
    static const char *const names[] = { "col_name" };
    const char **columns = NULL;
    const spk_plan *plan = described(q, s, &columns);
    return plan ? spk_rows_of_texts(q, at, names, 1, columns, plan->n_out) : NULL;
}

spark_rdd *spk_show(spk_query *q, spark_site at, const spk_ast_statement *s)
{
    if (spk_names_same(s->what, "TABLES") || spk_names_same(s->what, "VIEWS"))
        return tables(q, at, s, spk_names_same(s->what, "VIEWS"));
    if (spk_names_same(s->what, "COLUMNS") && s->name)
        return columns_of(q, at, s);
    if (spk_names_same(s->what, "DATABASES") || spk_names_same(s->what, "SCHEMAS")
        || spk_names_same(s->what, "NAMESPACES"))
        return databases(q, at, s);
    if (spk_names_same(s->what, "FUNCTIONS") || spk_names_same(s->what, "USER") || spk_names_same(s->what, "SYSTEM"))
        return functions(q, at, s);
    spk_sql_unsupported(&q->error, s->span, spk_print(&q->analyzer, "SHOW %s", s->what));
    return NULL;
}

static void add_row(
    spk_analyzer *a, const char *name, const char *type, const char *comment, const char ***cells, size_t *n)
{
    SPK_ADD(a, *cells, *n, name);
    SPK_ADD(a, *cells, *n, type);
    SPK_ADD(a, *cells, *n, comment);
}

/* add_defaults: of a table: what columns have that are left out. */
static void add_defaults(spk_analyzer *a, const spk_view *view, const char ***cells, size_t *n)
{
    bool any = false;
    for (size_t i = 0; view->table && i < view->n_columns; i++) {
        const spk_view_column *c = &view->columns[i];
        if (!c->value)
            continue;
        if (!any) {
            add_row(a, "", "", "", cells, n);
            add_row(a, "# Column Default Values", "", "", cells, n);
        }
        any = true;
        const char *type = spk_sql_type_text(a->arena, c->type);
        add_row(a, spk_copy_text(a, c->name, strlen(c->name)), type ? type : "",
            spk_copy_text(a, c->value, strlen(c->value)), cells, n);
    }
}

spark_rdd *spk_describe(spk_query *q, spark_site at, const spk_ast_statement *s)
{
    static const char *const names[] = { "col_name", "data_type", "comment" };
    spk_analyzer *a = &q->analyzer;
    const char **cells = NULL, **columns = NULL;
    size_t n = 0;
    const spk_plan *plan = described(q, s, &columns);
    for (size_t i = 0; plan && i < plan->n_out; i++) {
        const char *text = spk_sql_type_text(&q->arena, plan->out[i].type);
        if (!text)
            spk_sql_nomem(&q->error);
        add_row(a, columns[i], text, NULL, &cells, &n);
    }
    spk_view *view = plan && !s->query ? spk_view_find(a->catalog, spk_last_part(s->name)) : NULL;
    if (view) {
        add_defaults(a, view, &cells, &n);
        spk_view_unref(view);
    }
    return plan ? spk_rows_of_texts(q, at, names, 3, cells, n / 3) : NULL;
}
