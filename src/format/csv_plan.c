/* SPDX-License-Identifier: Apache-2.0 */
/* Where the columns of a file go in rows of a type. */
#include <stdlib.h>

#include "format/csv.h"
#include "type/layout.h"

/* is_value: whether a member of such a type is a column. */
static bool is_value(const spark_type *type, size_t count)
{
    switch (type->kind) {
    case SPARK_KIND_LIST:
    case SPARK_KIND_OPTIONAL:
    case SPARK_KIND_PAIR:
    case SPARK_KIND_STRUCT:
    case SPARK_KIND_BLOB:
        return false;
    default:
        return count == 0 || type->kind == SPARK_KIND_CHAR;
    }
}

spark_status spk_csv_fits(const spark_type *type, spk_failure *failure)
{
    char name[100];
    if (!type || (type->kind != SPARK_KIND_STRUCT && type->kind != SPARK_KIND_PAIR))
        return spk_failure_set(failure, SPARK_ETYPE, NULL, NULL,
            "rows must be structs or pairs, not %s",
            type ? spk_type_name(type, name, sizeof name) : "NULL");
    for (uint32_t i = 0; i < type->count; i++) {
        const spark_field *f = &type->fields[i];
        const spark_type *of = f->type->kind == SPARK_KIND_OPTIONAL ? f->type->of : f->type;
        if (!is_value(of, f->count) || (of != f->type && f->count > 0))
            return spk_failure_set(failure, SPARK_ETYPE, NULL, NULL,
                "member %s is %s%s, which is no column of a CSV file", f->name,
                f->count ? "an array of " : "", spk_type_name(f->type, name, sizeof name));
    }
    return SPARK_OK;
}

static spk_csv_column column_of(const spark_field *field, size_t at)
{
    const bool optional = field->type->kind == SPARK_KIND_OPTIONAL;
    const spark_type *of = optional ? field->type->of : field->type;
    return (spk_csv_column) { .at = (uint32_t)at,
        .offset = (uint32_t)field->offset + (optional ? of->align : 0),
        .present = optional ? (int32_t)field->offset : -1,
        .count = (uint32_t)field->count,
        .size = of->size,
        .kind = of->kind,
        .precision = of->precision,
        .scale = of->scale,
        .field = field };
}

static bool like(char a, char b)
{
    const unsigned char x = (unsigned char)(a | 0x20);
    return a == b || (x == (unsigned char)(b | 0x20) && x >= 'a' && x <= 'z');
}

static bool is_named(spark_str name, const char *wanted, size_t n, bool exactly)
{
    if (name.len != n)
        return false;
    for (size_t i = 0; i < n; i++)
        if (exactly ? name.ptr[i] != wanted[i] : !like(name.ptr[i], wanted[i]))
            return false;
    return true;
}

/* find: the column of that name; n: there is none, or several that differ in case. */
static size_t find(const spark_str *names, size_t n, const char *wanted)
{
    const size_t length = strlen(wanted);
    size_t found = n;
    for (size_t i = 0; i < n; i++)
        if (is_named(names[i], wanted, length, true))
            return i;
    for (size_t i = 0; i < n; i++)
        if (is_named(names[i], wanted, length, false)) {
            if (found < n)
                return n;
            found = i;
        }
    return found;
}

/* list_names: those of a header, for a message. */
static const char *list_names(const spark_str *names, size_t n, char *text, size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < n && used + 1 < size; i++) {
        const int more = snprintf(text + used, size - used, "%s%.*s", i > 0 ? ", " : "",
            (int)(names[i].len < 64 ? names[i].len : 64), names[i].ptr ? names[i].ptr : "");
        used += more > 0 ? (size_t)more : 0;
    }
    return text;
}

/* missing: what a file does not have. */
static spark_status missing(const char *path, const spark_str *names, size_t n,
    const spark_field *field, spk_failure *failure)
{
    char all[300];
    return spk_failure_set(failure, SPARK_EIO, NULL, NULL,
        "no column \"%s\" in %s, which has %s; a member that may be missing is SPARK_OPTIONAL",
        field->name, path, list_names(names, n, all, sizeof all));
}

static int by_place(const void *a, const void *b)
{
    const spk_csv_column *x = a, *y = b;
    return x->at < y->at ? -1 : x->at > y->at;
}

static bool is_corrupt(const spk_csv *csv, const spark_field *field, const spk_csv_column *column)
{
    return column->kind == SPARK_KIND_STR && strcmp(field->name, csv->corrupt.ptr) == 0;
}

/* place: the column of the file for a member, `position` of those; n: it has none. */
static spark_status place(const spk_csv *csv, const char *path, const spark_str *names, size_t n,
    const spark_field *field, size_t *position, spk_failure *failure)
{
    const size_t i = *position;
    if (!names)
        return SPARK_OK;
    if (csv->enforce == SPARK_OFF && i < n
        && !is_named(names[i], field->name, strlen(field->name), false))
        return spk_failure_set(failure, SPARK_EIO, NULL, NULL,
            "column %zu of %s is named \"%.*s\", and the member \"%s\" (enforce_schema is off)", i + 1,
            path, (int)(names[i].len < 64 ? names[i].len : 64), names[i].ptr ? names[i].ptr : "",
            field->name);
    if (csv->enforce != SPARK_DEFAULT)
        return SPARK_OK;
    *position = find(names, n, field->name);
    return *position < n || field->type->kind == SPARK_KIND_OPTIONAL
        ? SPARK_OK
        : missing(path, names, n, field, failure);
}

spark_status spk_csv_plan_make(spk_csv_plan *plan, const spk_csv *csv, const spark_type *type,
    const char *path, const spark_str *names, size_t n, spk_failure *failure)
{
    const bool named = names && csv->enforce == SPARK_DEFAULT;
    size_t members = 0;
    *plan = (spk_csv_plan) { .csv = csv, .corrupt = -1, .corrupt_present = -1, .row_size = type->size };
    plan->columns = calloc(type->count + 1u, sizeof *plan->columns);
    if (!plan->columns)
        return spk_failure_nomem(failure, NULL, NULL);
    for (uint32_t i = 0; i < type->count; i++) {
        const spark_field *field = &type->fields[i];
        spk_csv_column column = column_of(field, 0);
        if (is_corrupt(csv, field, &column)) {
            plan->corrupt = (int32_t)column.offset;
            plan->corrupt_present = column.present;
            continue;
        }
        size_t at = members++;
        if (place(csv, path, names, n, field, &at, failure) != SPARK_OK) {
            spk_csv_plan_free(plan);
            return failure->code;
        }
        column.at = (uint32_t)at;
        if (!named || at < n)
            plan->columns[plan->n++] = column;
    }
    plan->expected = named ? n : members;
    qsort(plan->columns, plan->n, sizeof *plan->columns, by_place);
    return SPARK_OK;
}

void spk_csv_plan_free(spk_csv_plan *plan)
{
    free(plan->columns);
    plan->columns = NULL;
    plan->n = 0;
}
