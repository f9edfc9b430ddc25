/* SPDX-License-Identifier: Apache-2.0 */
/* Reads CSV files as a list of cases says, and prints types and rows in a form that a script can compare
 * (csv_against_spark.py). A case is lines on standard input: "path HEX", "option NAME HEX", "member NAME
 * TYPE", perhaps "write HEX", the path that the rows are written to with the same options, and "run". Answers: "type NAME:TYPE ...", a line of cells for each row, "end"; or "error". */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <spark.h>

enum { LINE = 1 << 16, MEMBERS = 64, TEXTS = 64 };

typedef struct one_case {
    char *path, *out, *texts[TEXTS];
    size_t n_texts, n;
    spark_field members[MEMBERS];
    spark_csv_options options;
} one_case;

SPARK_DECIMAL(cents, 10, 2);

static char *from_hex(one_case *c, const char *hex)
{
    const size_t n = strlen(hex) / 2;
    char *text = malloc(n + 1);
    if (!text || c->n_texts == TEXTS)
        abort();
    for (size_t i = 0; i < n; i++) {
        unsigned byte;
        if (sscanf(hex + 2 * i, "%2x", &byte) != 1)
            abort();
        text[i] = (char)byte;
    }
    text[n] = '\0';
    return c->texts[c->n_texts++] = text;
}

static spark_read_mode mode_of(const char *name)
{
    return strcmp(name, "FAILFAST") == 0 ? SPARK_FAILFAST
        : strcmp(name, "DROPMALFORMED") == 0 ? SPARK_DROPMALFORMED
                                             : SPARK_PERMISSIVE;
}

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

static const struct {
    const char *name;
    const spark_type *type;
} kinds[] = { { "int", SPARK_TYPE(int32_t) }, { "bigint", SPARK_TYPE(int64_t) },
    { "smallint", SPARK_TYPE(int16_t) }, { "tinyint", SPARK_TYPE(int8_t) },
    { "double", SPARK_TYPE(double) }, { "float", SPARK_TYPE(float) }, { "boolean", SPARK_TYPE(bool) },
    { "date", SPARK_TYPE(spark_date) }, { "timestamp", SPARK_TYPE(spark_time) },
    { "string", SPARK_TYPE(spark_str) }, { "decimal(10,2)", SPARK_TYPE(cents) } };
enum { KINDS = sizeof kinds / sizeof *kinds };

static void add_member(spark_context *sc, one_case *c, const char *name, const char *type)
{
    for (int i = 0; i < KINDS; i++)
        if (strcmp(kinds[i].name, type) == 0 && c->n < MEMBERS) {
            c->members[c->n++] = (spark_field) { .name = from_hex(c, name),
                .type = spark_type_optional(sc, kinds[i].type) };
            return;
        }
    abort();
}

static void print_hex(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        printf("%02x", (unsigned)(unsigned char)p[i]);
}

static const char *kind_name(const spark_type *type)
{
    for (int i = 0; i < KINDS; i++)
        if (kinds[i].type->kind == type->kind)
            return kinds[i].name;
    abort();
}

static void print_cell(const void *row, const spark_field *field)
{
    double x;
    bool yes;
    int64_t i;
    spark_str s;
    spark_date date;
    spark_time time;
    if (!spark_row_at(row, field))
        printf("null");
    else if (spark_row_i64(row, field, &i))
        printf("i%" PRId64, i);
    else if (spark_row_f64(row, field, &x))
        x != x ? printf("fnan") : printf("f%.17g", x);
    else if (spark_row_bool(row, field, &yes))
        printf("b%d", yes);
    else if (spark_row_date(row, field, &date))
        printf("d%" PRId32, date.days);
    else if (spark_row_time(row, field, &time))
        printf("t%" PRId64, time.micros);
    else if (spark_row_str(row, field, &s)) {
        printf("s");
        print_hex(s.ptr, s.len);
    }
}

static void run(spark_context *sc, one_case *c)
{
    spark_scope *scope = spark_scope_begin(sc);
    spark_array all = { .n = 0 };
    const spark_type *type = c->n > 0 ? spark_type_struct(sc, c->members, c->n) : NULL;
    spark_rdd *rdd = spark_read_csv(sc, c->path, type, &c->options);
    type = spark_rdd_type(rdd);
    if (c->out && spark_write_csv(rdd, c->out, &c->options) != SPARK_OK)
        printf("error %s\n", spark_last_error()->message);
    else if (spark_collect(rdd, type, &all) != SPARK_OK) {
        printf("error %s\n", spark_last_error()->message);
    } else {
        printf("type");
        for (uint32_t i = 0; i < type->count; i++) {
            printf(" ");
            print_hex(type->fields[i].name, strlen(type->fields[i].name));
            printf(":%s", kind_name(spark_field_value_type(&type->fields[i])));
        }
        printf("\n");
        for (size_t r = 0; r < all.n; r++) {
            for (uint32_t i = 0; i < type->count; i++) {
                fputs(i > 0 ? "\t" : "", stdout);
                print_cell(spark_row_of(&all, r), &type->fields[i]);
            }
            printf("\n");
        }
    }
    printf("end\n");
    spark_array_free(&all);
    spark_scope_end(scope);
}

static void forget(one_case *c)
{
    for (size_t i = 0; i < c->n_texts; i++)
        free(c->texts[i]);
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
            c.path = from_hex(&c, a);
        } else if (sscanf(line, "write %s", a) == 1) {
            c.out = from_hex(&c, a);
        } else if (sscanf(line, "option %s %s", a, b) >= 1) {
            set_option(&c, a, from_hex(&c, b));
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
