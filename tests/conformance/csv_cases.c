/* SPDX-License-Identifier: Apache-2.0 */
/* Reads CSV files as a list of cases says, and prints types and rows in a form that a script can compare
 * (csv_against_spark.py). A case is lines on standard input: "path HEX", "option NAME HEX", "member NAME
 * TYPE", perhaps "write HEX", the path that the rows are written to with the same options, and "run". Answers:
 * "type NAME:TYPE ...", a line of cells for each row, "end"; or "error". */
#include "cases.h"

typedef struct one_case {
    case_texts texts;
    char *path, *out;
    size_t n;
    spark_field members[MEMBERS];
    spark_csv_options options;
} one_case;

static spark_unescaped_quotes handling_of(const char *name)
{
    static const char *const names[] = { "STOP_AT_DELIMITER", "STOP_AT_CLOSING_QUOTE",
        "BACK_TO_DELIMITER", "SKIP_VALUE", "RAISE_ERROR" };
    for (int i = 0; i < 5; i++)
        if (strcmp(names[i], name) == 0)
            return (spark_unescaped_quotes)i;
    abort();
}

static void set_option(one_case *c, const char *name, const char *text)
{
    spark_csv_options *o = &c->options;
    const bool on = strcmp(text, "true") == 0;
    const struct {
        const char *name;
        const char **text;
    } texts[] = { { "sep", &o->sep }, { "quote", &o->quote }, { "escape", &o->escape },
        { "comment", &o->comment }, { "nullValue", &o->null_value },
        { "emptyValue", &o->empty_value }, { "nanValue", &o->nan_value },
        { "positiveInf", &o->positive_inf }, { "dateFormat", &o->date_format },
        { "timestampFormat", &o->timestamp_format }, { "encoding", &o->encoding },
        { "lineSep", &o->line_sep }, { "columnNameOfCorruptRecord", &o->column_name_of_corrupt_record } };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (strcmp(texts[i].name, name) == 0) {
            *texts[i].text = text;
            return;
        }
    if (strcmp(name, "header") == 0)
        o->header = on;
    else if (strcmp(name, "inferSchema") == 0)
        o->infer_schema = on;
    else if (strcmp(name, "multiLine") == 0)
        o->multi_line = on;
    else if (strcmp(name, "enforceSchema") == 0)
        o->enforce_schema = on ? SPARK_ON : SPARK_OFF;
    else if (strcmp(name, "ignoreLeadingWhiteSpace") == 0)
        o->ignore_leading_white_space = on ? SPARK_ON : SPARK_OFF;
    else if (strcmp(name, "ignoreTrailingWhiteSpace") == 0)
        o->ignore_trailing_white_space = on ? SPARK_ON : SPARK_OFF;
    else if (strcmp(name, "mode") == 0)
        o->mode = mode_of(text);
    else if (strcmp(name, "unescapedQuoteHandling") == 0)
        o->unescaped_quote_handling = handling_of(text);
    else
        abort();
}

static void add_member(spark_context *sc, one_case *c, const char *name, const char *type)
{
    for (int i = 0; i < KINDS; i++)
        if (strcmp(kinds[i].name, type) == 0 && c->n < MEMBERS) {
            c->members[c->n++] = (spark_field) { .name = from_hex(&c->texts, name, strlen(name)),
                .type = spark_type_optional(sc, kinds[i].type) };
            return;
        }
    abort();
}

static const char *kind_name(const spark_type *type)
{
    for (int i = 0; i < KINDS; i++)
        if (kinds[i].type->kind == type->kind)
            return kinds[i].name;
    abort();
}

static void print_f64(double x)
{
    x != x ? printf("fnan") : printf("f%.17g", x);
}

static void print_type(const spark_type *type)
{
    for (uint32_t i = 0; i < type->count; i++) {
        printf(" ");
        print_hex(type->fields[i].name, strlen(type->fields[i].name));
        printf(":%s", kind_name(spark_field_value_type(&type->fields[i])));
    }
}

static void print_row(const spark_type *type, const void *row)
{
    for (uint32_t i = 0; i < type->count; i++) {
        fputs(i > 0 ? "\t" : "", stdout);
        if (spark_row_at(row, &type->fields[i]))
            print_member(row, &type->fields[i], print_f64);
        else
            printf("null");
    }
}

static void run(spark_context *sc, one_case *c)
{
    spark_scope *scope = spark_scope_begin(sc);
    const spark_type *type = c->n > 0 ? spark_type_struct(sc, c->members, c->n) : NULL;
    spark_rdd *rdd = spark_read_csv(sc, c->path, type, &c->options);
    print_rows(rdd, c->out ? spark_write_csv(rdd, c->out, &c->options) : SPARK_OK, print_type, print_row);
    spark_scope_end(scope);
}

static void forget(one_case *c)
{
    free_texts(&c->texts);
    memset(c, 0, sizeof *c);
}

int main(void)
{
    static char line[LINE], a[LINE], b[LINE];
    static one_case c;
    spark_context *sc = spark_context_new(NULL);
    while (fgets(line, sizeof line, stdin)) {
        b[0] = '\0';
        if (sscanf(line, "path %s", a) == 1) {
            c.path = from_hex(&c.texts, a, strlen(a));
        } else if (sscanf(line, "write %s", a) == 1) {
            c.out = from_hex(&c.texts, a, strlen(a));
        } else if (sscanf(line, "option %s %s", a, b) >= 1) {
            set_option(&c, a, from_hex(&c.texts, b, strlen(b)));
        } else if (sscanf(line, "member %s %s", a, b) == 2) {
            add_member(sc, &c, a, b);
        } else if (strcmp(line, "run\n") == 0) {
            run(sc, &c);
            forget(&c);
        }
    }
    spark_context_free(sc);
    return 0;
}
