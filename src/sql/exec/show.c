/* SPDX-License-Identifier: Apache-2.0 */
/* Tables on standard output, and errors with a caret. */
#include "base/small.h"

#include <stdlib.h>

#include <spark/action.h>
#include <spark/sql.h>

#include "base/control.h"
#include "sql/error.h"
#include "sql/eval/value_text.h"
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
    FILE *file;
    size_t truncate;
} table;

/* visible: without what would break a line, which is escaped as in Spark, and without what a terminal would obey;
 * NULL: no memory. */
static char *visible(const char *text, size_t n)
{
    static const char from[] = "\n\r\t\f\b\v\a", to[] = "nrtfbva";
    char *out = malloc(3 * n + 1);
    size_t k = 0, size;
    for (size_t i = 0; out && i < n; i += size) {
        const char *at = text[i] ? strchr(from, text[i]) : NULL;
        const size_t control = at ? 0 : spk_control(text + i, n - i);
        size = control ? control : 1;
        if (control) {
            memcpy(out + k, SPK_REPLACEMENT, 3);
            k += 3;
            continue;
        }
        if (at)
            out[k++] = '\\';
        out[k++] = at ? to[at - from] : text[i];
    }
    if (out)
        out[k] = '\0';
    return out;
}

/* cut: to so many characters, the last three of them points where there is room for them. */
static void cut(char *text, size_t most)
{
    const size_t keep = most < 4 ? most : most - 3;
    size_t n = 0;
    char *end = NULL;
    for (char *c = text; *c; c++) {
        if (((unsigned char)*c & 0xc0) == 0x80)
            continue;
        if (n == keep)
            end = c;
        n++;
    }
    if (n > most && end)
        strcpy(end, most < 4 ? "" : "...");
}

static size_t put_shown(const spk_result *r, const spk_slot *slot, const char *row, char *text, size_t size)
{
    spk_text out = spk_text_in(text, size);
    out.shown = true;
    spk_sql_put_value(&out, slot->type, row + slot->value, r->query->session.zone);
    return spk_text_end(&out);
}

/* value_text: a value as show prints it, before anything is cut; NULL: no memory. */
static char *value_text(const spk_result *r, const char *row, size_t i)
{
    const spk_slot *slot = &r->form->slots[i];
    if (!spk_slot_present(slot, row))
        return strdup("NULL");
    const size_t n = put_shown(r, slot, row, NULL, 0);
    char *raw = malloc(n + 1), *text = NULL;
    if (raw) {
        (void)put_shown(r, slot, row, raw, n + 1);
        text = visible(raw, n);
    }
    free(raw);
    return text;
}

static char *cell_text(const table *t, const spark_rdd *rdd, const void *row, size_t i)
{
    const char *name = spark_sql_name(rdd, i);
    char *text = row ? value_text(spk_result_of(rdd), row, i) : visible(name, strlen(name));
    if (text && t->truncate)
        cut(text, t->truncate);
    return text;
}

static bool fill(table *t, const spark_rdd *rdd, const spark_array *rows)
{
    t->columns = spark_sql_columns(rdd);
    t->cells = calloc((t->rows + 1) * t->columns + 1, sizeof *t->cells);
    t->widths = calloc(t->columns + 1, sizeof *t->widths);
    if (!t->cells || !t->widths)
        return false;
    for (size_t i = 0; i < (t->rows + 1) * t->columns; i++) {
        const size_t r = i / t->columns, c = i % t->columns;
        t->cells[i] = cell_text(t, rdd, r ? spark_row_of(rows, r - 1) : NULL, c);
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
    if (t->columns == 0)
        (void)fputc('+', t->file);
    for (size_t c = 0; c < t->columns; c++) {
        (void)fputc('+', t->file);
        for (size_t i = 0; i < t->widths[c]; i++)
            (void)fputc('-', t->file);
    }
    (void)fputs("+\n", t->file);
}

static void padded(const table *t, const char *text, size_t width, bool right)
{
    const size_t own = width_of(text, strlen(text));
    const int blanks = (int)(width - own);
    (void)fprintf(t->file, "%*s%s%*s", right ? blanks : 0, "", text, right ? 0 : blanks, "");
}

static void print(const table *t)
{
    line(t);
    for (size_t r = 0; r <= t->rows; r++) {
        if (t->columns == 0)
            (void)fputc('|', t->file);
        for (size_t c = 0; c < t->columns; c++) {
            (void)fputc('|', t->file);
            padded(t, t->cells[r * t->columns + c], t->widths[c], t->truncate > 0);
        }
        (void)fputs("|\n", t->file);
        if (r == 0)
            line(t);
    }
    line(t);
}

/* print_lines: a line a column, each row below a header. */
static void print_lines(const table *t)
{
    size_t names = 3, values = 3;
    for (size_t i = 0; i < (t->rows + 1) * t->columns; i++) {
        size_t *most = i < t->columns ? &names : &values;
        const size_t width = width_of(t->cells[i], strlen(t->cells[i]));
        *most = width > *most ? width : *most;
    }
    for (size_t r = 0; r < t->rows; r++) {
        int n = fprintf(t->file, "-RECORD %zu", r);
        for (; n >= 0 && (size_t)n < names + values + 5; n++)
            (void)fputc('-', t->file);
        for (size_t c = 0; c < t->columns; c++) {
            (void)fputs("\n ", t->file);
            padded(t, t->cells[c], names, false);
            (void)fputs(" | ", t->file);
            padded(t, t->cells[(r + 1) * t->columns + c], values, false);
            (void)fputc(' ', t->file);
        }
        (void)fputc('\n', t->file);
    }
    if (t->rows == 0)
        (void)fputs("(0 rows)\n", t->file);
}

static void free_table(table *t)
{
    for (size_t i = 0; t->cells && i < (t->rows + 1) * t->columns; i++)
        free(t->cells[i]);
    free(t->cells);
    free(t->widths);
}

static spark_status show(spark_site at, spark_rdd *rdd, size_t n, const spark_sql_show_options *o)
{
    spark_array rows;
    table t = { .file = o->file ? o->file : stdout, .truncate = o->truncate };
    if (!rdd)
        return spk_raisef(SPARK_EINVAL, "show", at, "show at %s: the RDD is NULL", at);
    if (spark_rdd_status(rdd) == SPARK_OK && !spk_result_of(rdd))
        return spk_raisef(SPARK_EINVAL, "show", at, "show at %s: the rows of %s at %s are not those of spark_sql; "
            "spark_show prints them, or make a view of them and select from it", at, rdd->operation, rdd->site);
    const spark_status status = (spark_take)(at, rdd, n < SIZE_MAX ? n + 1 : n, NULL, &rows);
    if (status != SPARK_OK)
        return status;
    t.rows = rows.n < n ? rows.n : n;
    const bool good = fill(&t, rdd, &rows), more = rows.n > n;
    if (good && o->vertical)
        print_lines(&t);
    else if (good)
        print(&t);
    if (good && more)
        (void)fprintf(t.file, "only showing top %zu row%s\n", n, n == 1 ? "" : "s");
    free_table(&t);
    spark_array_free(&rows);
    if (!good)
        return spk_raisef(SPARK_ENOMEM, "show", at, "out of memory");
    if (fflush(t.file) != 0 || ferror(t.file))
        return spk_raisef(SPARK_EIO, "show", at, "the table cannot be written");
    return SPARK_OK;
}

spark_status spark_sql_show_with(spark_site at, spark_rdd *rdd, const spark_sql_show_options *options)
{
    static const spark_sql_show_options none = { 0, 0, false, NULL };
    const spark_sql_show_options *o = options ? options : &none;
    return show(at, rdd, o->rows ? o->rows : 20, o);
}

spark_status spark_sql_show(spark_site at, spark_rdd *rdd, size_t n)
{
    return show(at, rdd, n, &(spark_sql_show_options) { .rows = n });
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
    file = file ? file : stderr;
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
