/* SPDX-License-Identifier: Apache-2.0 */
/* Views of files, and rows to files. What the reader of a format does not make is read as a text, and cast or parsed
 * from there; what a writer does not write is cast to a text, or, for JSON, the whole row is. */
#include "base/small.h"

#include "sql/exec/files.h"

#include <spark/source.h>
#include <spark/transform.h>
#include <stdlib.h>

#include "rdd/write.h"
#include "sql/exec/result.h"

static const char *path_of(spk_query *q, const spk_ast_statement *s)
{
    const char *path = s->path ? s->path : spk_files_option(s, "path");
    if (!path)
        spk_sql_fail1(&q->error, "PATH_NOT_FOUND", s->span, "path", "");
    return path;
}

static void no_source(spk_query *q, const spk_ast_statement *s)
{
    spk_sql_fail1(&q->error, "DATA_SOURCE_NOT_FOUND", s->span, "provider", s->format ? s->format : "");
}

static bool is(const spk_ast_statement *s, const char *format)
{
    return s->format && spk_names_same(s->format, format);
}

/* ---- types */

/* refuse: the format has no such columns. */
static bool refuse(spk_query *q, const spk_ast_statement *s, const char *format, const spk_attr *attr)
{
    char name[200];
    (void)snprintf(name, sizeof name, "`%s`", attr->name ? attr->name : "");
    spk_sql_fail3(&q->error, "UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE", s->span, "format", format, "columnName", name,
        "columnType", spk_sql_type_quoted(&q->analyzer.build, attr->type));
    return false;
}

/* json_has: what reader and writer do themselves. Maps, wide decimals and intervals in other values go by from_json
 * and to_json; so do times without a zone when they are written, for the writer sees times. */
static bool json_has(const spk_sql_type *type, bool written)
{
    if (type->kind == SPK_SQL_ARRAY)
        return json_has(type->of, written);
    if (type->kind == SPK_SQL_STRUCT)
        for (uint32_t i = 0; i < type->n; i++)
            if (!json_has(type->fields[i].type, written))
                return false;
    return (type->kind != SPK_SQL_TIMESTAMP_NTZ || !written) && type->kind != SPK_SQL_MAP && !spk_sql_is_interval(type) && type->kind != SPK_SQL_TIME
        && (type->kind != SPK_SQL_DECIMAL || type->size == 8);
}

/* has_names: maps in it have STRING keys, as all names of JSON are. */
static bool has_names(const spk_sql_type *type)
{
    for (uint32_t i = 0; type->kind == SPK_SQL_STRUCT && i < type->n; i++)
        if (!has_names(type->fields[i].type))
            return false;
    return (type->kind != SPK_SQL_MAP || type->key->kind == SPK_SQL_STRING) && (!type->of || has_names(type->of));
}

/* as_text: what the writer cannot write is written as its text. */
static bool as_text(const spk_sql_type *type)
{
    return (type->kind == SPK_SQL_DECIMAL && type->size != 8) || spk_sql_is_interval(type)
        || type->kind == SPK_SQL_TIME || type->kind == SPK_SQL_VOID;
}

/* ---- reading */

/* read_as: rows of a type; NULL: found in the files. */
static spark_rdd *read_as(spk_query *q, const spk_ast_statement *s, const char *path, const spark_type *type)
{
    if (is(s, "csv")) {
        spark_csv_options options = { .header = false };
        return spk_files_csv(q, s, &options)
            ? (spark_read_csv)(q->analyzer.site, q->sc, path, type, &options)
            : NULL;
    }
    spark_json_options options = { .multi_line = false };
    return spk_files_json(q, s, &options)
        ? (spark_read_json)(q->analyzer.site, q->sc, path, type, &options)
        : NULL;
}

static const spk_form *form_of(spk_query *q, const spk_view_column *columns, size_t n)
{
    spk_column *plain = NULL;
    const char **names = NULL;
    size_t m = 0, k = 0;
    for (size_t i = 0; i < n; i++) {
        SPK_ADD(&q->analyzer, plain, m, (spk_column) { columns[i].type, columns[i].nullable });
        SPK_ADD(&q->analyzer, names, k, columns[i].name);
    }
    return spk_sql_failed(&q->error) ? NULL : spk_form_of(q, plain, n, names);
}

spark_rdd *spk_files_none(spk_query *q, const spk_view_column *columns, size_t n)
{
    const spk_form *form = form_of(q, columns, n);
    return form ? (spark_parallelize)(q->analyzer.site, q->sc, form->layout->type, 0, NULL, 1) : NULL;
}

/* parsed: the JSON text of a value as what the column is. */
static spk_sql_expr *parsed(spk_query *q, spk_sql_expr *text, const spk_sql_type *type, bool strict, spk_sql_span span)
{
    spk_sql_build *b = &q->analyzer.build;
    const char *name = spk_sql_type_text(q->analyzer.arena, type);
    spk_sql_expr *mode[] = { spk_sql_string(b, "mode", 4, span), spk_sql_string(b, "FAILFAST", 8, span) };
    spk_sql_expr *args[] = { text, name ? spk_sql_string(b, name, strlen(name), span) : NULL, NULL };
    if (strict)
        args[2] = mode[0] && mode[1] ? spk_sql_call(b, "map", mode, 2, span) : NULL;
    return args[1] && (args[2] || !strict) ? spk_sql_call(b, "from_json", args, strict ? 3 : 2, span) : NULL;
}

/* cast_all: texts as what the columns are: as TRY_CAST has it, unless the mode is FAILFAST. */
static spark_rdd *cast_all(spk_query *q, const spk_ast_statement *s, spark_rdd *rdd, const spk_view_column *as,
    const spk_view_column *columns, size_t n)
{
    spk_analyzer *a = &q->analyzer;
    const char *mode = spk_files_option(s, "mode");
    const bool strict = mode && spk_names_same(mode, "FAILFAST");
    spk_sql_expr **exprs = NULL;
    spk_attr *attrs = NULL;
    size_t m = 0, k = 0;
    const spk_form *form;
    spk_plan *plan = spk_scan(a, rdd, as, n, "files");
    for (size_t i = 0; plan && i < n; i++) {
        spk_sql_expr *e = spk_attr_column(a, &plan->out[i], s->span);
        if (e && as[i].type != columns[i].type && !as_text(columns[i].type))
            e = parsed(q, e, columns[i].type, strict, s->span);
        else if (e && as[i].type != columns[i].type)
            e = spk_sql_cast(&a->build, e, columns[i].type, !strict, s->span);
        if (!e)
            return NULL;
        SPK_ADD(a, exprs, m, e);
        SPK_ADD(a, attrs, k, spk_attr_new(a, columns[i].name, columns[i].type, true));
    }
    plan = plan && !spk_sql_failed(&q->error) ? spk_plan_project(a, plan, exprs, attrs, n) : NULL;
    return plan ? spk_exec_build(q, plan, &form) : NULL;
}

/* given: columns of these types; what the reader cannot make is read as a text. */
static spark_rdd *given(spk_query *q, const spk_ast_statement *s, const char *path, const spk_view_column *columns,
    size_t n)
{
    spk_view_column *as = NULL;
    size_t m = 0;
    bool texts = false;
    for (size_t i = 0; i < n; i++) {
        const spk_sql_type *type = columns[i].type;
        const spk_attr attr = { .name = columns[i].name, .type = type };
        if (is(s, "json") && !has_names(type)) {
            refuse(q, s, "JSON", &attr);
            return NULL;
        }
        const bool text = as_text(type) || (is(s, "json") && !json_has(type, false));
        texts |= text;
        SPK_ADD(&q->analyzer, as, m,
            (spk_view_column) { columns[i].name, text ? spk_sql_type_of(SPK_SQL_STRING) : type, true, NULL });
    }
    const spk_form *form = spk_sql_failed(&q->error) ? NULL : form_of(q, as, n);
    spark_rdd *rdd = form ? read_as(q, s, path, form->layout->type) : NULL;
    return rdd && texts && spark_rdd_status(rdd) == SPARK_OK ? cast_all(q, s, rdd, as, columns, n) : rdd;
}

/* read_nothing: no path: columns that are given have no rows; others cannot be found. */
static spark_rdd *read_nothing(spk_query *q, const spk_ast_statement *s, const spk_view_column *columns, size_t n)
{
    const spk_view_column value = { .name = "value", .type = spk_sql_type_of(SPK_SQL_STRING) };
    if (n == 0 && !is(s, "text")) {
        spk_sql_fail1(&q->error, "UNABLE_TO_INFER_SCHEMA", s->span, "format", is(s, "csv") ? "CSV" : "JSON");
        return NULL;
    }
    return spk_files_none(q, n ? columns : &value, n ? n : 1);
}

spark_rdd *spk_files_read(spk_query *q, const spk_ast_statement *s, spk_view_column *columns, size_t n)
{
    const char *path = s->path ? s->path : spk_files_option(s, "path");
    const bool text = is(s, "text");
    if (!text && !is(s, "csv") && !is(s, "json"))
        no_source(q, s);
    else if (text && (n > 1 || (n == 1 && columns[0].type->kind != SPK_SQL_STRING)))
        spk_sql_unsupported(&q->error, s->span, "text with other columns than one STRING");
    if (spk_sql_failed(&q->error))
        return NULL;
    if (text && n)
        columns[0].nullable = false;
    if (!path)
        return read_nothing(q, s, columns, n);
    if (text)
        return (spark_text_file)(q->analyzer.site, q->sc, path, 0);
    return n ? given(q, s, path, columns, n) : read_as(q, s, path, NULL);
}

/* ---- writing */

static bool fits(spk_query *q, const spk_ast_statement *s, const spk_plan *plan)
{
    for (size_t i = 0; i < plan->n_out; i++) {
        const spk_sql_type *type = plan->out[i].type;
        const bool nested = type->kind == SPK_SQL_ARRAY || type->kind == SPK_SQL_MAP || type->kind == SPK_SQL_STRUCT;
        if (is(s, "csv") && (nested || type->kind == SPK_SQL_BINARY || type->kind == SPK_SQL_VOID))
            return refuse(q, s, "CSV", &plan->out[i]);
        if (is(s, "text") && type->kind != SPK_SQL_STRING)
            return refuse(q, s, "text", &plan->out[i]);
    }
    if (is(s, "text") && plan->n_out != 1)
        spk_sql_unsupported(&q->error, s->span, "text of more than one column");
    return !spk_sql_failed(&q->error);
}

/* by_text: JSON of which some column is none of the writer's: rows are written as to_json makes them. */
static bool by_text(const spk_ast_statement *s, const spk_plan *plan)
{
    for (size_t i = 0; i < plan->n_out && is(s, "json"); i++)
        if (!json_has(plan->out[i].type, true))
            return true;
    return false;
}

/* as_json: to_json of all columns, with the options of the writer that it knows. */
static spk_sql_expr *as_json(spk_query *q, const spk_ast_statement *s, const spk_plan *plan, const char **names)
{
    static const char *const passed[] = { "dateFormat", "timestampFormat", "ignoreNullFields" };
    spk_analyzer *a = &q->analyzer;
    spk_sql_expr **members = NULL, **options = NULL, *args[2];
    size_t n = 0, m = 0;
    for (size_t i = 0; i < plan->n_out; i++) {
        SPK_ADD(a, members, n, spk_sql_string(&a->build, names[i], strlen(names[i]), s->span));
        SPK_ADD(a, members, n, spk_attr_column(a, &plan->out[i], SPK_SQL_NOWHERE));
    }
    for (size_t i = 0; i < sizeof passed / sizeof *passed; i++) {
        const char *value = spk_files_option(s, passed[i]);
        if (!value)
            continue;
        SPK_ADD(a, options, m, spk_sql_string(&a->build, passed[i], strlen(passed[i]), s->span));
        SPK_ADD(a, options, m, spk_sql_string(&a->build, value, strlen(value), s->span));
    }
    for (size_t i = 0; i < n; i++)
        if (!members[i])
            return NULL;
    for (size_t i = 0; i < m; i++)
        if (!options[i])
            return NULL;
    args[0] = spk_sql_failed(&q->error) ? NULL : spk_sql_call(&a->build, "named_struct", members, n, s->span);
    args[1] = args[0] && m ? spk_sql_call(&a->build, "map", options, m, s->span) : NULL;
    return args[0] && (args[1] || !m) ? spk_sql_call(&a->build, "to_json", args, m ? 2 : 1, s->span) : NULL;
}

/* local: a time without a zone, with microseconds where there are any. */
static spk_sql_expr *local(spk_query *q, const spk_ast_statement *s, spk_sql_expr *e)
{
    static const char *const texts[] = { "yyyy-MM-dd'T'HH:mm:ss.SSSSSS", "000$", "" };
    spk_sql_build *b = &q->analyzer.build;
    const char *option = spk_files_option(s, "timestampNTZFormat"), *format = option ? option : texts[0];
    spk_sql_expr *args[] = { e, spk_sql_string(b, format, strlen(format), s->span), NULL };
    args[0] = args[1] ? spk_sql_call(b, "date_format", args, 2, s->span) : NULL;
    if (option || !args[0])
        return args[0];
    args[1] = spk_sql_string(b, texts[1], strlen(texts[1]), s->span);
    args[2] = spk_sql_string(b, texts[2], 0, s->span);
    return args[1] && args[2] ? spk_sql_call(b, "regexp_replace", args, 3, s->span) : NULL;
}

/* written: the query's rows as the writer takes them. *lines: they are lines of text. */
static spark_rdd *written(spk_query *q, spark_site at, const spk_ast_statement *s, bool *lines)
{
    spk_analyzer *a = &q->analyzer;
    const char **names = NULL;
    spk_sql_expr **exprs = NULL;
    spk_attr *attrs = NULL;
    size_t n = 0, m = 0;
    const spk_form *form;
    spk_plan *plan = spk_query_plan(q, s->query, &names);
    if (!plan || !fits(q, s, plan))
        return NULL;
    const bool json = by_text(s, plan);
    *lines = json || is(s, "text");
    for (size_t i = 0; i < (json ? 1 : plan->n_out); i++) {
        spk_sql_expr *e = json ? as_json(q, s, plan, names) : spk_attr_column(a, &plan->out[i], SPK_SQL_NOWHERE);
        if (e && as_text(e->type))
            e = spk_sql_cast(&a->build, e, spk_sql_type_of(SPK_SQL_STRING), false, s->span);
        if (e && e->type->kind == SPK_SQL_TIMESTAMP_NTZ)
            e = local(q, s, e);
        if (e && *lines) {
            spk_sql_expr *args[] = { e, spk_sql_string(&a->build, "", 0, s->span) };
            e = spk_sql_call(&a->build, "coalesce", args, 2, s->span);
        }
        if (!e)
            return NULL;
        SPK_ADD(a, exprs, n, e);
        SPK_ADD(a, attrs, m, spk_attr_new(a, json ? "value" : names[i], e->type, e->nullable));
    }
    if (json)
        names[0] = "value";
    plan = spk_sql_failed(&q->error) ? NULL : spk_plan_project(a, plan, exprs, attrs, n);
    spark_rdd *rdd = plan ? spk_exec_build(q, plan, &form) : NULL;
    q->plan = plan;
    return rdd && rdd->layout ? spk_result_new(q, at, rdd, form, names) : rdd;
}

static void first_member(spark_task *task, size_t n, const void *in, size_t in_step, void *out, size_t out_step,
    const void *env)
{
    (void)task, (void)env;
    for (size_t i = 0; i < n; i++)
        memcpy((char *)out + i * out_step, (const char *)in + i * in_step, sizeof(spark_str));
}

static spark_status write_lines(spark_site at, spark_rdd *rdd, const char *path, const char *extension,
    const spark_save_options *options)
{
    const spark_map_def value = { .name = "value", .out = SPARK_TYPE(spark_str), .run = first_member };
    return spk_write_lines(at, (spark_map)(at, rdd, &value, NULL), path, extension, options);
}

static spark_status write_text(
    spk_query *q, spark_site at, const spk_ast_statement *s, spark_rdd *rdd, const char *path)
{
    spark_save_options options = { .mode = SPARK_SAVE_OVERWRITE };
    return spk_files_text(q, s, &options) ? write_lines(at, rdd, path, ".txt", &options) : SPARK_EINVAL;
}

/* write_json: lines: the rows are texts already. */
static spark_status write_json(
    spk_query *q, spark_site at, const spk_ast_statement *s, spark_rdd *rdd, const char *path, bool lines)
{
    spark_json_options options = { .save.mode = SPARK_SAVE_OVERWRITE };
    if (!spk_files_json(q, s, &options))
        return SPARK_EINVAL;
    if (!lines)
        return (spark_write_json)(at, rdd, path, &options);
    if (options.line_sep && strcmp(options.line_sep, "\n") != 0) {
        spk_sql_unsupported(&q->error, s->span, "lineSep of JSON with maps, intervals in values, or decimals of more than "
                                                "18 digits");
        return SPARK_EINVAL;
    }
    options.save.encoding = options.encoding;
    return write_lines(at, rdd, path, ".json", &options.save);
}

spark_status spk_files_write(spk_query *q, spark_site at, const spk_ast_statement *s)
{
    spark_csv_options csv = { .save.mode = SPARK_SAVE_OVERWRITE };
    const char *path = path_of(q, s);
    bool lines = false;
    if (path && !is(s, "csv") && !is(s, "json") && !is(s, "text"))
        no_source(q, s);
    if (spk_sql_failed(&q->error))
        return SPARK_EINVAL;
    spark_rdd *rdd = written(q, at, s, &lines);
    if (!rdd)
        return SPARK_EINVAL;
    if (spark_rdd_status(rdd) != SPARK_OK)
        return spark_rdd_status(rdd);
    if (is(s, "text"))
        return write_text(q, at, s, rdd, path);
    if (is(s, "json"))
        return write_json(q, at, s, rdd, path, lines);
    return spk_files_csv(q, s, &csv) ? (spark_write_csv)(at, rdd, path, &csv) : SPARK_EINVAL;
}
