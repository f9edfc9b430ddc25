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
        return why;
    }
    const spk_csv_column *column = &plan->columns[number];
    spk_type_name(spark_field_value_type(column->field), name, sizeof name);
    quote_cell(cells[number], text, sizeof text);
    why.cell = cells[number].ptr;
    if (null)
        snprintf(why.what, sizeof why.what,
            "null where a %s must be: a member that may be null is SPARK_OPTIONAL", name);
    else
        snprintf(why.what, sizeof why.what, "cannot read %s as %s", text, name);
    snprintf(why.column, sizeof why.column, ", column \"%.100s\"", column->field->name);
    return why;
}
