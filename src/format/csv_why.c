/* SPDX-License-Identifier: Apache-2.0 */
/* What is wrong with a record, in words. */
#include <stdio.h>
#include <string.h>

#include "format/csv.h"
#include "type/layout.h"

/* quote_cell: the text for a message. */
static void quote_cell(spark_str cell, char *text, size_t size)
{
    const int most = cell.len < 60 ? (int)cell.len : 60;
    snprintf(text, size, "\"%.*s%s\"", most, cell.ptr ? cell.ptr : "",
        (size_t)most < cell.len ? "..." : "");
    for (char *p = text; *p; p++)
        if ((unsigned char)*p < ' ')
            *p = ' ';
}

/* cell_at: where the cell of a column begins, by the separators outside of quotes. *open: the record ends within
 * quotes. */
static const char *cell_at(const spk_csv *csv, const spk_csv_record *record, uint32_t column, bool *open)
{
    const char *p = record->at, *end = p + record->n, *found = p;
    *open = false;
    for (uint32_t i = 0; p <= end; i++) {
        if (i == column)
            found = p;
        *open = p < end && csv->quote >= 0 && (unsigned char)*p == csv->quote;
        for (p += *open; *open && p < end; p++) {
            const bool more = p + 1 < end, quote = (unsigned char)*p == csv->quote;
            if (more && ((unsigned char)p[1] == csv->quote || (unsigned char)p[1] == csv->escape)
                && (quote ? p[1] == *p : (unsigned char)*p == csv->escape))
                p++;
            else if (quote)
                *open = false;
        }
        while (p < end && ((size_t)(end - p) < csv->sep_n || memcmp(p, csv->sep, csv->sep_n) != 0))
            p++;
        p += p < end ? csv->sep_n : 1;
    }
    return found;
}

/* look_closer: without multi_line a quoted line end ends the record. */
static void look_closer(const spk_csv *csv, const spk_csv_record *record, uint32_t column, spk_csv_why *why)
{
    const size_t used = strlen(why->column);
    bool open;
    const char *cell = cell_at(csv, record, column, &open);
    why->cell = column < record->columns ? cell : NULL;
    if (open && !csv->multi_line)
        snprintf(why->column + used, sizeof why->column - used,
            "; the quote is not closed on this line: .multi_line = true");
}

spk_csv_why spk_csv_why_not(
    const spk_csv_plan *plan, const spk_csv_record *record, const spark_str *cells)
{
    spk_csv_why why = { .cell = NULL, .what = "", .column = "" };
    const bool null = record->null >= 0 && record->wrong != record->null;
    const int32_t number = null ? record->null : record->wrong;
    char name[100], text[80];
    if (number < 0) {
        snprintf(why.what, sizeof why.what, "a row of %u columns where there are %zu",
            record->columns, plan->expected);
        look_closer(plan->csv, record, record->columns, &why);
        return why;
    }
    const spk_csv_column *column = &plan->columns[number];
    spk_type_name(spark_field_value_type(column->field), name, sizeof name);
    quote_cell(cells[number], text, sizeof text);
    if (null)
        snprintf(why.what, sizeof why.what,
            "null where a %s must be: a member that may be null is SPARK_OPTIONAL", name);
    else
        snprintf(why.what, sizeof why.what, "cannot read %s as %s", text, name);
    snprintf(why.column, sizeof why.column, ", column \"%.100s\"", column->field->name);
    look_closer(plan->csv, record, column->at, &why);
    return why;
}
