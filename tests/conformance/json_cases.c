/* SPDX-License-Identifier: Apache-2.0 */
/* Reads JSON files as a list of cases says, and prints types and rows in a form that a script can compare
 * (json_against_spark.py). A case is lines on standard input: "path HEX", "option NAME HEX", perhaps "write
 * HEX", the path that the rows are written to with the same options, perhaps "schema TYPE", and "run". TYPE:
 * bigint, ..., array<TYPE>, struct<HEX:TYPE,...>, names in hexadecimal digits. Answers: "type TYPE", a line for
 * each row, "end"; or "error". */
#include "cases.h"

typedef struct one_case {
    case_texts texts;
    char *path, *out, *schema;
    spark_json_options options;
} one_case;

static void set_option(one_case *c, const char *name, const char *text)
{
    spark_json_options *o = &c->options;
    const bool on = strcmp(text, "true") == 0;
    const struct {
        const char *name;
        const char **text;
        bool *on;
        spark_flag *flag;
    } all[] = { { .name = "dateFormat", .text = &o->date_format },
        { .name = "timestampFormat", .text = &o->timestamp_format },
        { .name = "lineSep", .text = &o->line_sep },
        { .name = "encoding", .text = &o->encoding },
        { .name = "columnNameOfCorruptRecord", .text = &o->column_name_of_corrupt_record },
        { .name = "multiLine", .on = &o->multi_line },
        { .name = "primitivesAsString", .on = &o->primitives_as_string },
        { .name = "prefersDecimal", .on = &o->prefers_decimal },
        { .name = "inferTimestamp", .on = &o->infer_timestamp },
        { .name = "dropFieldIfAllNull", .on = &o->drop_field_if_all_null },
        { .name = "allowComments", .on = &o->allow_comments },
        { .name = "allowUnquotedFieldNames", .on = &o->allow_unquoted_field_names },
        { .name = "allowNumericLeadingZeros", .on = &o->allow_numeric_leading_zeros },
        { .name = "allowBackslashEscapingAnyCharacter", .on = &o->allow_backslash_escaping_any_character },
        { .name = "allowUnquotedControlChars", .on = &o->allow_unquoted_control_chars },
        { .name = "allowSingleQuotes", .flag = &o->allow_single_quotes },
        { .name = "allowNonNumericNumbers", .flag = &o->allow_non_numeric_numbers },
        { .name = "ignoreNullFields", .flag = &o->ignore_null_fields } };
    if (strcmp(name, "mode") == 0) {
        o->mode = mode_of(text);
        return;
    }
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (strcmp(all[i].name, name) == 0) {
            if (all[i].text)
                *all[i].text = text;
            else if (all[i].on)
                *all[i].on = on;
            else
                *all[i].flag = on ? SPARK_ON : SPARK_OFF;
            return;
        }
    abort();
}

/* ---- types ---- */

static bool take(const char **p, const char *word)
{
    const size_t n = strlen(word);
    if (strncmp(*p, word, n) != 0)
        return false;
    *p += n;
    return true;
}

static const spark_type *type_at(spark_context *sc, one_case *c, const char **p)
{
    if (take(p, "array<")) {
        const spark_type *of = type_at(sc, c, p);
        take(p, ">");
        return spark_type_list(sc, spark_type_optional(sc, of));
    }
    if (take(p, "struct<")) {
        spark_field members[MEMBERS];
        size_t n = 0;
        while (!take(p, ">") && n < MEMBERS) {
            const char *colon = strchr(*p, ':');
            const char *name = from_hex(&c->texts, *p, (size_t)(colon - *p));
            *p = colon + 1;
            members[n++] = (spark_field) { .name = name, .type = spark_type_optional(sc, type_at(sc, c, p)) };
            take(p, ",");
        }
        return spark_type_struct(sc, members, n);
    }
    for (int i = 0; i < KINDS; i++)
        if (take(p, kinds[i].name))
            return kinds[i].type;
    abort();
}

static void print_type(const spark_type *type)
{
    while (type->kind == SPARK_KIND_OPTIONAL)
        type = type->of;
    if (type->kind == SPARK_KIND_LIST) {
        printf("array<");
        print_type(type->of);
        printf(">");
    } else if (type->kind == SPARK_KIND_STRUCT) {
        printf("struct<");
        for (uint32_t i = 0; i < type->count; i++) {
            fputs(i > 0 ? "," : "", stdout);
            print_hex(type->fields[i].name, strlen(type->fields[i].name));
            printf(":");
            print_type(type->fields[i].type);
        }
        printf(">");
    } else if (type->kind == SPARK_KIND_DECIMAL) {
        printf("decimal(%d,%d)", type->precision, type->scale);
    } else {
        for (int i = 0; i < KINDS; i++)
            if (kinds[i].type->kind == type->kind)
                printf("%s", kinds[i].name);
    }
}

/* ---- values ---- */

static void print_f64(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    x != x ? printf("fnan") : printf("f%016" PRIx64, bits);
}

static void print_decimal(const spark_type *type, const void *value)
{
    char text[64];
    const size_t n = spark_print(type, value, text, sizeof text);
    printf("e%.*s", (int)n, text);
}

static void print_scalar(const spark_type *type, const char *value)
{
    const spark_field field = { "value", type, 0, 0 };
    if (type->kind == SPARK_KIND_DECIMAL)
        print_decimal(type, value);
    else
        print_member(value, &field, print_f64);
}

static void print_value(const spark_type *type, const char *value)
{
    if (type->kind == SPARK_KIND_OPTIONAL) {
        const spark_field field = { "value", type, 0, 0 };
        const char *inner = spark_row_at(value, &field);
        inner ? print_value(type->of, inner) : (void)printf("null");
    } else if (type->kind == SPARK_KIND_LIST) {
        spark_i64_list list;
        memcpy(&list, value, sizeof list);
        printf("[");
        for (size_t i = 0; i < list.n; i++) {
            fputs(i > 0 ? "," : "", stdout);
            print_value(type->of, (const char *)list.at + i * type->of->size);
        }
        printf("]");
    } else if (type->kind == SPARK_KIND_STRUCT) {
        printf("{");
        for (uint32_t i = 0; i < type->count; i++) {
            fputs(i > 0 ? "," : "", stdout);
            print_value(type->fields[i].type, value + type->fields[i].offset);
        }
        printf("}");
    } else {
        print_scalar(type, value);
    }
}

static void print_schema(const spark_type *type)
{
    printf(" ");
    print_type(type);
}

static void print_row(const spark_type *type, const void *row)
{
    print_value(type, row);
}

static void run(spark_context *sc, one_case *c)
{
    spark_scope *scope = spark_scope_begin(sc);
    const char *schema = c->schema;
    const spark_type *type = schema ? type_at(sc, c, &schema) : NULL;
    spark_rdd *rdd = spark_read_json(sc, c->path, type, &c->options);
    print_rows(rdd, c->out ? spark_write_json(rdd, c->out, &c->options) : SPARK_OK, print_schema, print_row);
    spark_scope_end(scope);
}

static void forget(one_case *c)
{
    free_texts(&c->texts);
    free(c->schema);
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
        } else if (sscanf(line, "schema %s", a) == 1) {
            c.schema = strdup(a);
        } else if (sscanf(line, "option %s %s", a, b) >= 1) {
            set_option(&c, a, from_hex(&c.texts, b, strlen(b)));
        } else if (strcmp(line, "run\n") == 0) {
            run(sc, &c);
            forget(&c);
        }
    }
    spark_context_free(sc);
    return 0;
}
