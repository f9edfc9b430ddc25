/* SPDX-License-Identifier: Apache-2.0 */
/* Tables on standard output, and errors with a caret. */
#include <stdlib.h>

#include <spark/action.h>
#include <spark/sql.h>

#include "sql/error.h"
#include "sql/exec/result.h"

/* width: of a text in columns: its code points, those of East Asian wide ones twice. */
static size_t width_of(const char *text, size_t n)
{
    size_t width = 0;
    for (size_t i = 0; i < n; i++) {
        const unsigned char c = (unsigned char)text[i];
        if ((c & 0xc0) == 0x80)
            continue;
        const unsigned code = c < 0xe0 || i + 2 >= n
            ? 0
            : (unsigned)(c & 15) << 12 | (unsigned)(text[i + 1] & 63) << 6 | (unsigned)(text[i + 2] & 63);
        const bool wide = (code >= 0x1100 && code <= 0x115f) || (code >= 0x2e80 && code <= 0xa4cf)
            || (code >= 0xac00 && code <= 0xd7a3) || (code >= 0xf900 && code <= 0xfaff)
            || (code >= 0xfe30 && code <= 0xfe6f) || (code >= 0xff00 && code <= 0xff60);
        width += wide ? 2 : 1;
    }
    return width;
}

typedef struct table {
    char **cells; /* the names, then the rows */
    size_t *widths;
    size_t columns, rows;
} table;

static char *cell_text(const spark_rdd *rdd, const void *row, size_t i)
{
    size_t n = 0;
    if (!spark_sql_text(rdd, row, i, NULL, 0, &n))
        return strdup("NULL");
    char *text = malloc(n + 1);
    if (text) {
        (void)spark_sql_text(rdd, row, i, text, n + 1, &n);
        text[n] = '\0';
    }
    return text;
}

static bool fill(table *t, const spark_rdd *rdd, const spark_array *rows)
{
    t->columns = spark_sql_columns(rdd);
    t->rows = rows->n;
    t->cells = calloc((t->rows + 1) * t->columns + 1, sizeof *t->cells);
    t->widths = calloc(t->columns + 1, sizeof *t->widths);
    if (!t->cells || !t->widths)
        return false;
    for (size_t i = 0; i < (t->rows + 1) * t->columns; i++) {
        const size_t r = i / t->columns, c = i % t->columns;
        t->cells[i] = r ? cell_text(rdd, spark_row_of(rows, r - 1), c) : strdup(spark_sql_name(rdd, c));
        if (!t->cells[i])
            return false;
        const size_t width = width_of(t->cells[i], strlen(t->cells[i]));
        if (t->widths[c] < width)
            t->widths[c] = width;
        if (t->widths[c] < 3)
            t->widths[c] = 3;
    }
    return true;
}

static void line(const table *t)
{
    for (size_t c = 0; c < t->columns; c++) {
        (void)putchar('+');
        for (size_t i = 0; i < t->widths[c]; i++)
            (void)putchar('-');
    }
    (void)puts("+");
}

static void print(const table *t)
{
    line(t);
    for (size_t r = 0; r <= t->rows; r++) {
        for (size_t c = 0; c < t->columns; c++) {
            const char *text = t->cells[r * t->columns + c];
            const size_t width = width_of(text, strlen(text));
            (void)printf("|%s%*s", text, (int)(t->widths[c] - width), "");
        }
        (void)puts("|");
        if (r == 0)
            line(t);
    }
    line(t);
}

spark_status spark_sql_show(spark_site at, spark_rdd *rdd, size_t n)
{
    spark_array rows;
    table t = { NULL, NULL, 0, 0 };
    const spark_status status = (spark_take)(at, rdd, n, NULL, &rows);
    if (status != SPARK_OK)
        return status;
    if (!spk_result_of(rdd)) {
        spark_array_free(&rows);
        return spk_raisef(SPARK_EINVAL, "show", at, "not a result of spark_sql");
    }
    const bool good = fill(&t, rdd, &rows);
    if (good)
        print(&t);
    for (size_t i = 0; t.cells && i < (t.rows + 1) * t.columns; i++)
        free(t.cells[i]);
    free(t.cells);
    free(t.widths);
    spark_array_free(&rows);
    if (!good)
        return spk_raisef(SPARK_ENOMEM, "show", at, "out of memory");
    if (fflush(stdout) != 0)
        return spk_raisef(SPARK_EIO, "show", at, "standard output cannot be written");
    return SPARK_OK;
}

/* place: "(line 1, position 8 to 10)" at the end of a message. */
static bool place(const char *message, unsigned *line_number, unsigned *from, unsigned *to)
{
    const char *at = message;
    for (const char *next; (next = strstr(at, "(line ")) != NULL; at = next + 1)
        if (sscanf(next, "(line %u, position %u to %u)", line_number, from, to) == 3)
            return true;
    return false;
}

void spark_sql_complain(FILE *file, const char *text)
{
    unsigned line_number, from, to;
    const char *message = spark_last_error()->message;
    (void)fprintf(file, "%s\n", message);
    if (!text || !place(message, &line_number, &from, &to))
        return;
    for (unsigned l = 1; l < line_number && text; l++) {
        text = strchr(text, '\n');
        text = text ? text + 1 : NULL;
    }
    if (!text)
        return;
    const size_t n = strcspn(text, "\n");
    (void)fprintf(file, "%.*s\n%*s", (int)n, text, (int)from - 1, "");
    for (unsigned i = from; i <= to && (i == from || i <= n); i++)
        (void)fputc('^', file);
    (void)fputc('\n', file);
}
