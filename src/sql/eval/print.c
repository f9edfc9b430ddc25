/* SPDX-License-Identifier: Apache-2.0 */
/* Expressions as Spark prints them (toPrettySQL): casts that nobody wrote are left out, strings
 * stand
 * without quotes. */
#include "base/small.h"

#include <stdio.h>
#include <stdlib.h>

#include "sql/eval/function.h"
#include "sql/eval/text.h"

static void put(spk_text *out, const spk_sql_expr *e, int depth);

static void put_list(spk_text *out, const spk_sql_expr *e, uint32_t from, int depth)
{
    spk_text_char(out, '(');
    for (uint32_t i = from; i < e->n; i++) {
        spk_text_put(out, i > from ? ", " : "");
        put(out, e->args[i], depth);
    }
    spk_text_char(out, ')');
}

static void put_value(spk_text *out, const spk_sql_type *type, const void *value, const struct spk_zone *zone)
{
    char few[256];
    const size_t n = spk_sql_value_print(type, value, zone, few, sizeof few);
    if (n < sizeof few) {
        spk_text_bytes(out, few, n);
        return;
    }
    char *many = malloc(n + 1);
    if (many)
        spk_text_bytes(out, many, spk_sql_value_print(type, value, zone, many, n + 1));
    free(many);
}

static void put_constant(spk_text *out, const spk_sql_expr *e)
{
    const struct spk_zone *zone = e->session ? e->session->zone : NULL;
    if (e->text && !out->computed) {
        spk_text_put(out, e->text);
        return;
    }
    if (e->null) {
        spk_text_put(out, "NULL");
        return;
    }
    const spark_str *s = e->value;
    switch (e->type->kind) {
    case SPK_SQL_STRING:
        spk_text_bytes(out, s->ptr, s->len);
        return;
    case SPK_SQL_BINARY:
        spk_text_put(out, "X'");
        for (size_t i = 0; i < s->len; i++) {
            spk_text_char(out, "0123456789ABCDEF"[(unsigned char)s->ptr[i] >> 4]);
            spk_text_char(out, "0123456789ABCDEF"[s->ptr[i] & 15]);
        }
        spk_text_char(out, '\'');
        return;
    case SPK_SQL_DATE:
    case SPK_SQL_TIMESTAMP:
    case SPK_SQL_TIMESTAMP_NTZ:
    case SPK_SQL_TIME:
        spk_text_put(out,
            e->type->kind == SPK_SQL_DATE            ? "DATE '"
                : e->type->kind == SPK_SQL_TIMESTAMP ? "TIMESTAMP '"
                : e->type->kind == SPK_SQL_TIME      ? "TIME '"
                                                     : "TIMESTAMP_NTZ '");
        put_value(out, e->type, e->value, zone);
        spk_text_char(out, '\'');
        return;
    default:
        put_value(out, e->type, e->value, zone);
    }
}

static void put_case(spk_text *out, const spk_sql_expr *e, int depth)
{
    spk_text_put(out, "CASE");
    for (uint32_t i = 0; i + 1 < e->n; i += 2) {
        spk_text_put(out, " WHEN ");
        put(out, e->args[i], depth);
        spk_text_put(out, " THEN ");
        put(out, e->args[i + 1], depth);
    }
    if (e->n % 2 == 1) {
        spk_text_put(out, " ELSE ");
        put(out, e->args[e->n - 1], depth);
    }
    spk_text_put(out, " END");
}

/* put_form: a template: %0 and %1 are arguments, %* a list from the second on, %v a lambda's
 * variable, %p what lpad puts in front. */
static void put_form(spk_text *out, const spk_sql_expr *e, const char *form, int depth)
{
    if (*form == '+' || *form == '-') {
        spk_text_put(out, e->function->name);
        spk_text_char(out, '(');
        for (uint32_t i = 0; i < (*form == '-' ? 1 : e->n); i++) {
            spk_text_put(out, i ? ", " : "");
            put(out, e->args[i], depth);
        }
        spk_text_put(out, *form == '-' ? ")" : "");
        form++;
    }
    for (; *form && *form != '\n'; form++) {
        const char next = *form == '%' ? form[1] : '\0';
        if (next != '*' && next != 'p' && next != 'v' && (next < '0' || next > '9')) {
            spk_text_char(out, *form);
            continue;
        }
        form++;
        if (next == '*')
            put_list(out, e, 1, depth);
        else if (next == 'v')
            spk_text_put(out, "namedlambdavariable()");
        else if (next == 'p')
            spk_text_put(out, e->args[0]->type->kind == SPK_SQL_BINARY ? "X'00'" : " ");
        else if ((uint32_t)(next - '0') < e->n)
            put(out, e->args[next - '0'], depth);
    }
}

/* The functions that are not printed as name(arguments), a line each: the name, how many arguments there
 * are (*: any; T, M, B: the first is a time, a map, BINARY) and the form, which begins with + for name(arguments,
 * where Spark adds what was left out, and is - for name(the first argument). By the first letter, for they are
 * looked through for each call. */
static const char *forms(char letter)
{
    switch (letter) {
    case 'a':
        return "aggregate 3+, lambdafunction(%v, %v))\nany_value 2-\narray_agg *collect_list(%0)\n"
               "array_sort 1+, lambdafunction((IF(((%v IS NULL) AND (%v IS NULL)), 0, (IF((%v IS NULL), 1, (IF((%v IS "
               "NULL), -1, (IF((%v < %v), -1, (IF((%v > %v), 1, 0)))))))))), %v, %v))\napprox_count_distinct 2-\n"
               "assert_true 1+, '%0' is not true!)\napprox_percentile 2+, 10000)\n";
    case 'b':
        return "boolean *%0\nbigint *%0\nbinary *%0\nbround 1+, 0)\n";
    case 'c':
        return "ceil 2+)\nceiling 2+)\nconvert_timezone 2convert_timezone(current_timezone(), %0, %1)\n"
               "curdate *current_date()\ncurrent_database *current_schema()\ncurrent_time 0+6)\n";
    case 'd':
        return "double *%0\ndecimal *%0\ndate *%0\ndate_add 3timestampadd(%0, %1, %2)\n"
               "date_diff 3timestampdiff(%0, %1, %2)\ndatediff 3timestampdiff(%0, %1, %2)\n"
               "dateadd 2date_add(%0, %1)\ndateadd 3timestampadd(%0, %1, %2)\ndense_rank *DENSE_RANK()\n"
               "datepart *datepart(%0 FROM %1)\n";
    case 'e':
        return "extract *extract(%0 FROM %1)\n";
    case 'f':
        return "float *%0\nfirst 2-\nfirst_value 2-\nfloor 2+)\nfrom_csv *-\nfrom_json *-\n"
               "from_unixtime 1+, yyyy-MM-dd HH:mm:ss)\n";
    case 'i':
        return "in *(%0 IN %*)\nisnull *(%0 IS NULL)\nisnotnull *(%0 IS NOT NULL)\nistrue *(%0 <=> true)\n"
               "isfalse *(%0 <=> false)\nisunknown *(%0 IS NULL)\nint *%0\nilike 3ilike(%0, %1)\n";
    case 'l':
        return "like 3%0 LIKE %1 ESCAPE '%2'\nlike *%0 LIKE %1\nlag 1+, 1, NULL)\nlag 2+, NULL)\nlast 2-\n"
               "last_value 2-\nlead 1+, 1, NULL)\nlead 2+, NULL)\nlistagg 1+, NULL)\nlocate 2+, 1)\nlpad 2+, %p)\n"
               "ltrim 2TRIM(LEADING %0 FROM %1)\n";
    case 'm':
        return "make_dt_interval 0+0, 0, 0, 0.000000)\nmake_dt_interval 1+, 0, 0, 0.000000)\n"
               "make_dt_interval 2+, 0, 0.000000)\nmake_dt_interval 3+, 0.000000)\n"
               "make_timestamp_ltz 2make_timestamp(%0, %1)\nmake_timestamp_ltz 3make_timestamp(%0, %1, %2)\n"
               "make_ym_interval 0+0, 0)\nmake_ym_interval 1+, 0)\nmask 1+, X, x, n, NULL)\nmask 2+, x, n, NULL)\n"
               "mask 3+, n, NULL)\nmask 4+, NULL)\nmod *mod(%0, %1)\nmode 2mode() WITHIN GROUP (ORDER BY %0 DESC)\n"
               "months_between 2+, true)\n";
    case 'n':
        return "not *(NOT %0)\n";
    case 'o':
        return "overlay 3+, -1)\n";
    case 'p':
        return "percent_rank *PERCENT_RANK()\npercentile 2+, 1)\npercentile_approx 2+, 10000)\nposition 2+, 1)\n"
               "positive *(+ %0)\n";
    case 'r':
        return "rank *RANK()\nraise_error 1raise_error(USER_RAISED_EXCEPTION, map(errorMessage, %0))\n"
               "reduce 3+, lambdafunction(%v, %v))\nregexp *REGEXP(%0, %1)\nregexp_extract 2+, 1)\n"
               "regexp_extract_all 2+, 1)\nregexp_instr 2+, 0)\nregexp_replace 3+, 1)\nround 1+, 0)\nrpad 2+, %p)\n"
               "rtrim 2TRIM(TRAILING %0 FROM %1)\n";
    case 's':
        return "smallint *%0\nstring *%0\nshiftleft *shiftleft(%0, %1)\nshiftright *shiftright(%0, %1)\n"
               "shiftrightunsigned *shiftrightunsigned(%0, %1)\nspark_partition_id *SPARK_PARTITION_ID()\n"
               "sort_array 1+, true)\nsplit 2+, -1)\nstr_to_map 1+, ,, :)\nstr_to_map 2+, :)\nstring_agg 1+, NULL)\n"
               "substr 2+, 2147483647)\nsubstring 2+, 2147483647)\n";
    case 't':
        return "tinyint *%0\ntimestamp *%0\nto_char Tdate_format(%0, %1)\nto_csv *-\nto_json *-\n"
               "to_varchar Tdate_format(%0, %1)\nto_varchar B-\nto_varchar *to_char(%0, %1)\n"
               "to_unix_timestamp 1+, yyyy-MM-dd HH:mm:ss)\ntrim 2TRIM(BOTH %0 FROM %1)\n"
               "try_make_timestamp 7try_make_timestamp(%0, %1, %2, %3, %4, %5)\n"
               "try_make_timestamp_ltz 2make_timestamp(%0, %1)\ntry_make_timestamp_ltz 3make_timestamp(%0, %1, %2)\n"
               "try_make_timestamp_ntz 2try_make_timestamp_ntz(make_timestamp_ntz(%0, %1))\n";
    case 'u':
        return "u- *(- %0)\nu+ *(+ %0)\nunix_timestamp 0+current_timestamp(), yyyy-MM-dd HH:mm:ss)\n"
               "unix_timestamp 1+, yyyy-MM-dd HH:mm:ss)\n";
    default:
        return "[] *%0[%1]\n. M%0[%1]\n. *%0.%1\n~ *~%0\n<> *(NOT (%0 = %1))\n!= *(NOT (%0 = %1))\n! *(NOT %0)\n";
    }
}

static bool form_fits(const spk_sql_expr *e, char many)
{
    const spk_sql_kind first = e->n ? e->args[0]->type->kind : SPK_SQL_VOID;
    if (many == 'M')
        return first == SPK_SQL_MAP;
    if (many == 'B')
        return first == SPK_SQL_BINARY;
    if (many == 'T')
        return first == SPK_SQL_DATE || first == SPK_SQL_TIMESTAMP || first == SPK_SQL_TIMESTAMP_NTZ;
    return many == '*' || (uint32_t)(many - '0') == e->n;
}

/* form_of: up to the end of its line. NULL: it has none. */
static const char *form_of(const spk_sql_expr *e)
{
    const char *name = e->function->name;
    const size_t n = strlen(name);
    for (const char *line = forms(*name); *line; line = strchr(line, '\n') + 1)
        if (strncmp(line, name, n) == 0 && line[n] == ' ' && form_fits(e, line[n + 1]))
            return line + n + 2;
    return NULL;
}

/* put_struct: struct(a, b AS c) by the arguments of named_struct. */
static void put_struct(spk_text *out, const spk_sql_expr *e, int depth)
{
    spk_text_put(out, "struct(");
    for (uint32_t i = 0; i + 1 < e->n; i += 2) {
        const spark_str *name = e->args[i]->value;
        const spk_sql_expr *x = e->args[i + 1];
        char own[24];
        (void)snprintf(own, sizeof own, "col%u", (unsigned)(i / 2 + 1));
        spk_text_put(out, i ? ", " : "");
        put(out, x, depth);
        const bool member = x->kind == SPK_SQL_CALL && x->n == 2 && strcmp(x->function->name, ".") == 0;
        const char *natural = member ? ((const spark_str *)x->args[1]->value)->ptr
            : x->kind == SPK_SQL_COLUMN ? x->name
                                        : own;
        if (strcmp(name->ptr, natural) == 0)
            continue;
        spk_text_put(out, " AS ");
        spk_text_bytes(out, name->ptr, name->len);
    }
    spk_text_char(out, ')');
}

/* form_of_moved: of a time and an interval or a number of days: other expressions of Spark's, which
 * print
 * themselves in other ways. NULL: it is none. */
static const char *form_of_moved(const spk_sql_expr *e)
{
    const char sign = *e->function->name;
    if (e->n != 2 || (sign != '+' && sign != '-') || e->function->name[1])
        return NULL;
    const spk_sql_kind x = e->args[0]->type->kind, y = e->args[1]->type->kind;
    if (x != SPK_SQL_DATE && x != SPK_SQL_TIMESTAMP && x != SPK_SQL_TIMESTAMP_NTZ)
        return NULL;
    if (y == SPK_SQL_INTERVAL_MONTHS || y == SPK_SQL_INTERVAL_SECONDS)
        return sign == '+' ? "%0 + %1" : "%0 - %1";
    if (x == SPK_SQL_DATE && y >= SPK_SQL_TINYINT && y <= SPK_SQL_INT)
        return sign == '+' ? "date_add(%0, %1)" : "date_sub(%0, %1)";
    return NULL;
}

static void put_call(spk_text *out, const spk_sql_expr *e, int depth)
{
    const spk_sql_function *f = e->function;
    const char *name = f->printed ? f->printed : e->name;
    const char *form = form_of(e);
    if (strcmp(f->name, "case") == 0) {
        put_case(out, e, depth);
        return;
    }
    if (form) {
        put_form(out, e, form, depth);
        return;
    }
    if (strcmp(f->name, "named_struct") == 0 && strcmp(e->name, "struct") == 0) {
        put_struct(out, e, depth);
        return;
    }
    const char *moved = form_of_moved(e);
    if (moved) {
        put_form(out, e, moved, depth);
        return;
    }
    if ((f->flags & SPK_SQL_INFIX) && e->n == 2) {
        spk_text_char(out, '(');
        put(out, e->args[0], depth);
        spk_text_char(out, ' ');
        spk_text_put(out, name);
        spk_text_char(out, ' ');
        put(out, e->args[1], depth);
        spk_text_char(out, ')');
        return;
    }
    const bool parens = strcmp(f->name, "if") == 0;
    spk_text_put(out, parens ? "(" : "");
    for (; *name; name++)
        spk_text_char(out,
            (char)(*name >= 'a' && *name <= 'z' && (f->flags & SPK_SQL_UPPER) ? *name - 32
                    : *name >= 'A' && *name <= 'Z' && !(f->flags & SPK_SQL_UPPER) && !f->printed
                    ? *name + 32
                    : *name));
    put_list(out, e, 0, depth);
    spk_text_put(out, parens ? ")" : "");
}

static void put_cast(spk_text *out, const spk_sql_expr *e, int depth)
{
    char name[512];
    if (e->implicit) {
        put(out, e->args[0], depth);
        return;
    }
    spk_text_put(out, e->attempt ? "TRY_CAST(" : "CAST(");
    put(out, e->args[0], depth);
    spk_text_put(out, " AS ");
    spk_sql_type_print(e->type, false, name, sizeof name);
    spk_text_put(out, name);
    spk_text_char(out, ')');
}

static void put(spk_text *out, const spk_sql_expr *e, int depth)
{
    if (depth > 1000) {
        spk_text_put(out, "...");
        return;
    }
    switch (e->kind) {
    case SPK_SQL_CONSTANT:
        put_constant(out, e);
        break;
    case SPK_SQL_COLUMN:
    case SPK_SQL_VARIABLE:
        spk_text_put(out, e->kind == SPK_SQL_VARIABLE ? "namedlambdavariable()" : e->name);
        if (out->computed && e->kind == SPK_SQL_COLUMN) {
            spk_text_char(out, '#');
            spk_text_number(out, e->column);
        }
        break;
    case SPK_SQL_CAST:
        put_cast(out, e, depth + 1);
        break;
    case SPK_SQL_LAMBDA:
        spk_text_put(out, "lambdafunction(");
        put(out, e->args[0], depth + 1);
        for (uint32_t i = 0; i < e->n_variables; i++)
            spk_text_put(out, ", namedlambdavariable()");
        spk_text_char(out, ')');
        break;
    case SPK_SQL_CALL:
        if (e->shown && out->computed) {
            put(out, e->args[0], depth + 1);
        } else if (e->shown) {
            spk_sql_expr as_written = *e;
            as_written.args = e->shown;
            as_written.n = e->n_shown;
            put_call(out, &as_written, depth + 1);
        } else {
            put_call(out, e, depth + 1);
        }
    }
}

void spk_sql_expr_put(spk_text *out, const spk_sql_expr *expr)
{
    put(out, expr, 0);
}

size_t spk_sql_expr_print(const spk_sql_expr *expr, char *text, size_t size)
{
    spk_text out = spk_text_in(text, size);
    spk_sql_expr_put(&out, expr);
    return spk_text_end(&out);
}

size_t spk_sql_expr_print_computed(const spk_sql_expr *expr, char *text, size_t size)
{
    spk_text out = spk_text_in(text, size);
    out.computed = true;
    put(&out, expr, 0);
    return spk_text_end(&out);
}
