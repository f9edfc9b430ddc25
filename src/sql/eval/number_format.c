/* SPDX-License-Identifier: Apache-2.0 */
/* to_number, try_to_number and to_char of numbers: formats of 0 9 . D , G $ S MI PR, as Spark's
 * ToNumberParser reads them. */
#include "base/small.h"

#include <string.h>

#include "sql/eval/decimal.h"
#include "sql/eval/kernel.h"
#include "sql/eval/number_format.h"
#include "sql/eval/resolve.h"
#include "sql/eval/text.h"

#define S(a, i) SPK_SQL_ARG(spark_str, f, a, i)

enum { ITEMS = 64, GROUPS = 40 };

/* item: of a format: D digits ('0': as many as that, '9': at most), or one sign: , . $ S M < > */
typedef struct item {
    char kind;
    bool exact;
    int n;
} item;

typedef struct format {
    item at[ITEMS];
    size_t n;
    int precision, scale;
} format;

static bool put_item(format *x, char kind, bool exact, int n)
{
    if (x->n == ITEMS)
        return false;
    x->at[x->n++] = (item) { kind, exact, n };
    return true;
}

static char upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c & ~0x20) : c;
}

/* read_items: the items of a format; false: there is something else in it. */
static bool read_items(format *x, spark_str s)
{
    size_t i = 0;
    bool bracket = false;
    *x = (format) { .n = 0 };
    for (size_t k = 0; s.len >= 2 && k + 1 < s.len; k++)
        bracket = bracket || (upper(s.ptr[k]) == 'P' && upper(s.ptr[k + 1]) == 'R');
    if (bracket && !put_item(x, '<', false, 0))
        return false;
    while (i < s.len) {
        const char c = upper(s.ptr[i]), next = i + 1 < s.len ? upper(s.ptr[i + 1]) : 0;
        if (c == '0' || c == '9') {
            size_t n = i;
            while (n < s.len && (s.ptr[n] == '0' || s.ptr[n] == '9'))
                n++;
            if (n - i > 38 || !put_item(x, 'D', c == '0', (int)(n - i)))
                return false;
            i = n;
            continue;
        }
        const char kind = c == '.' || c == 'D' ? '.'
            : c == ',' || c == 'G'             ? ','
            : c == '$' || c == 'S'             ? c
            : c == 'M' && next == 'I'          ? 'M'
            : c == 'P' && next == 'R'          ? '>'
                                               : 0;
        if (!kind || !put_item(x, kind, false, 0))
            return false;
        i += kind == 'M' || kind == '>' ? 2 : 1;
    }
    return true;
}

/* wrong: what is wrong with the order of items: the end of INVALID_FORMAT's condition; NULL: nothing. */
static const char *wrong(const format *x)
{
    int points = 0, digits = 0, dollars = 0, signs = 0, minus = 0, angles = 0;
    for (size_t i = 0; i < x->n; i++) {
        const item *at = &x->at[i];
        digits += at->kind == 'D';
        points += at->kind == '.';
        dollars += at->kind == '$';
        signs += at->kind == 'S';
        minus += at->kind == 'M';
        angles += at->kind == '>';
        if (at->kind == '$' && points > 0)
            return "INVALID_FORMAT.CUR_MUST_BEFORE_DEC";
        if (at->kind == '$' && digits > 0)
            return "INVALID_FORMAT.CUR_MUST_BEFORE_DIGIT";
        if (at->kind != ',')
            continue;
        if (points > 0)
            return "INVALID_FORMAT.THOUSANDS_SEPS_MUST_BEFORE_DEC";
        if (i == 0 || x->at[i - 1].kind != 'D' || i + 1 == x->n || x->at[i + 1].kind != 'D')
            return "INVALID_FORMAT.CONT_THOUSANDS_SEPS";
    }
    if (digits == 0)
        return "INVALID_FORMAT.WRONG_NUM_DIGIT";
    if (points > 1 || dollars > 1 || signs > 1 || minus > 1 || angles > 1)
        return "INVALID_FORMAT.WRONG_NUM_TOKEN";
    return NULL;
}

/* twice: the sign that stands there twice, as messages have it. */
static const char *twice(const format *x)
{
    static const char kinds[] = ".$SM>";
    static const char *const names[] = { ". or D", "$", "S", "MI", "PR" };
    for (size_t k = 0; k < sizeof kinds - 1; k++) {
        int n = 0;
        for (size_t i = 0; i < x->n; i++)
            n += x->at[i].kind == kinds[k];
        if (n > 1)
            return names[k];
    }
    return "character";
}

/* order: whether signs stand where they may: S and MI at either end, PR at the end, $ before digits. */
static bool order(const format *x)
{
    size_t i = 0, n = x->n;
    if (n > 0 && x->at[0].kind == '<')
        i++;
    if (i < n && (x->at[i].kind == 'S' || x->at[i].kind == 'M'))
        i++;
    if (i < n && x->at[i].kind == '$')
        i++;
    while (i < n && strchr("D,.", x->at[i].kind))
        i++;
    if (i < n && x->at[i].kind == '$')
        i++;
    if (i < n && (x->at[i].kind == 'S' || x->at[i].kind == 'M'))
        i++;
    if (i < n && x->at[i].kind == '>')
        i++;
    return i == n;
}

static void count_digits(format *x)
{
    bool behind = false;
    for (size_t i = 0; i < x->n; i++) {
        behind = behind || x->at[i].kind == '.';
        x->precision += x->at[i].n;
        x->scale += behind ? x->at[i].n : 0;
    }
}

/* read_format: NULL: it is good; else the condition. */
static const char *read_format(format *x, spark_str s)
{
    if (s.len == 0)
        return "INVALID_FORMAT.EMPTY";
    if (!read_items(x, s))
        return "INVALID_FORMAT.UNEXPECTED_TOKEN";
    const char *why = wrong(x);
    if (why)
        return why;
    if (!order(x))
        return "INVALID_FORMAT.UNEXPECTED_TOKEN";
    count_digits(x);
    return x->precision > SPK_SQL_DECIMAL_MAX ? "INVALID_FORMAT.WRONG_NUM_DIGIT" : NULL;
}

/* ---- text to number ---- */

/* scanner: the text, its digits so far, and how many there were before the point. */
typedef struct scanner {
    const char *p, *end;
    spk_i128 units;
    int behind;
    bool point, negative, any; /* any: of the digits */
} scanner;

/* groups: the digits from here on, in groups between commas; false: not as the format has them. */
static bool groups(scanner *s, const format *x, size_t from, size_t to)
{
    int found[GROUPS] = { 0 }, n = 0, wanted = 0;
    for (; s->p < s->end; s->p++) {
        if (*s->p >= '0' && *s->p <= '9') {
            found[n]++;
            if (found[n] > 38 || s->units > spk_power10(37))
                return false;
            s->units = s->units * 10 + (*s->p - '0');
            s->behind += s->point;
            s->any = true;
        } else if (*s->p == ',') {
            if (++n == GROUPS)
                return false;
        } else if (*s->p != ' ') {
            break;
        }
    }
    for (size_t i = from; i < to; i++)
        wanted += x->at[i].kind == 'D';
    if (n + 1 > wanted)
        return false;
    for (size_t i = to; i-- > from;) { /* from the right */
        if (x->at[i].kind != 'D')
            continue;
        const int have = n >= 0 ? found[n] : 0;
        if (x->at[i].exact ? have != x->at[i].n : have > x->at[i].n)
            return false;
        n--;
    }
    return true;
}

static bool one_sign(scanner *s, char kind)
{
    const char c = s->p < s->end ? *s->p : 0;
    switch (kind) {
    case '.':
        s->point = c == '.';
        s->p += c == '.';
        return true;
    case 'S':
    case 'M':
        s->negative = s->negative || c == '-';
        s->p += c == '-' || (c == '+' && kind == 'S');
        return true;
    case '>':
        s->negative = true;
        break;
    default:
        break;
    }
    s->p += c == kind;
    return c == kind;
}

static bool number_of(const format *x, spark_str text, spk_i128 *units)
{
    scanner s = { .p = text.ptr, .end = text.ptr + text.len };
    for (size_t i = 0; i < x->n; i++) {
        if (x->at[i].kind != 'D') {
            if (!one_sign(&s, x->at[i].kind))
                return false;
            continue;
        }
        size_t to = i + 1;
        while (to < x->n && (x->at[to].kind == 'D' || x->at[to].kind == ','))
            to++;
        if (!groups(&s, x, i, to))
            return false;
        i = to - 1;
    }
    if (s.p < s.end || !s.any || s.behind > x->scale)
        return false;
    *units = s.units * spk_power10(x->scale - s.behind);
    if (!spk_decimal_fits(*units, x->precision))
        return false;
    if (s.negative)
        *units = -*units;
    return true;
}

static void to_number(spk_sql_frame *f)
{
    const bool attempt = f->expr->function->name[0] == 't' && f->expr->function->name[1] == 'r';
    format x;
    (void)read_format(&x, *(const spark_str *)f->expr->args[1]->value);
    SPK_EACH_ROW(f, i)
    {
        spk_i128 units = 0;
        f->out_valid[i] = number_of(&x, S(0, i), &units);
        spk_sql_units_set(f->expr->type, f->out + (size_t)i * f->expr->type->size, units);
        if (!f->out_valid[i] && !attempt) {
            spk_sql_error *e = spk_sql_raise(f, "INVALID_FORMAT.MISMATCH_INPUT");
            spk_sql_param(e, "format", "%.*s", (int)S(1, i).len, S(1, i).ptr);
            spk_sql_param(e, "input", "%.*s", (int)(S(0, i).len < 200 ? S(0, i).len : 200), S(0, i).ptr);
            spk_sql_param(e, "inputType", "\"STRING\"");
            return;
        }
    }
}

/* constant_format: argument 1 is a constant format; false: the build has failed. */
static SPK_COLD bool constant_format(spk_sql_build *b, spk_sql_expr *call, format *x)
{
    if (!spk_sql_want(b, call, 1, 's'))
        return false;
    spk_sql_fold(b, &call->args[1]);
    const spk_sql_expr *e = call->args[1];
    if (!e)
        return false;
    if (e->kind != SPK_SQL_CONSTANT) {
        if (spk_sql_fail(b->error, "DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", call->span)) {
            spk_sql_param(b->error, "inputExpr", "%s", spk_sql_expr_quoted(b, e));
            spk_sql_param(b->error, "inputName", "`format`");
            spk_sql_param(b->error, "inputType", "\"STRING\"");
            spk_sql_param(b->error, "sqlExpr", "%s", spk_sql_expr_quoted(b, call));
        }
        return false;
    }
    const spark_str s = e->null ? (spark_str) { "", 0 } : *(const spark_str *)e->value;
    const char *why = e->null ? NULL : read_format(x, s);
    if (why && spk_sql_fail(b->error, why, call->span)) {
        spk_sql_param(b->error, "format", "'%.*s'", (int)(s.len < 200 ? s.len : 200), s.ptr);
        if (strstr(why, "TOKEN"))
            spk_sql_param(b->error, "token", "%s", twice(x));
    }
    return !why;
}

static SPK_COLD bool resolve_to_number(spk_sql_build *b, spk_sql_expr *call)
{
    format x = { .precision = 38 };
    if (!spk_sql_want(b, call, 0, 's') || !constant_format(b, call, &x))
        return false;
    call->type = spk_sql_type_decimal(b->arena, x.precision, x.scale);
    if (!call->type)
        spk_sql_nomem(b->error);
    else if (call->args[1]->null)
        return spk_sql_rewrite(b, call, spk_sql_constant(b, call->type, NULL, call->span));
    return call->type != NULL;
}

/* ---- number to text ---- */

/* put_blank: for a digit that is not there: a sign in front of it moves behind it, but $ does not. */
static void put_blank(spk_text *out)
{
    const char last = out->n ? out->at[out->n - 1] : 0;
    spk_text_char(out, ' ');
    if (last == '+' || last == '-' || last == '<') {
        out->at[out->n - 2] = ' ';
        out->at[out->n - 1] = last;
    }
}

/* put_digits: the digits of a number as the format has them: `before` and `behind` the point; false: there
 * are too many. */
static bool put_digits(const format *x, const char *digits, size_t before, const char *behind, spk_text *out)
{
    int places = x->precision - x->scale;
    bool point = false, begun = false;
    size_t skip = before, k = 0;
    if ((int)before > places)
        return false;
    skip = (size_t)places - before;
    for (size_t i = 0; i < x->n; i++) {
        const item *at = &x->at[i];
        if (at->kind == '.') {
            point = true;
            if (out->n > 0 && out->at[out->n - 1] == ' ')
                out->at[out->n - 1] = '0';
            spk_text_char(out, '.');
        } else if (at->kind == ',') {
            if (begun)
                spk_text_char(out, ',');
            else
                put_blank(out);
        } else if (at->kind == '$') {
            spk_text_char(out, '$');
        } else if (at->kind == 'D') {
            for (int d = 0; d < at->n; d++) {
                if (point) {
                    spk_text_char(out, *behind ? *behind++ : '0');
                } else if (skip > 0) {
                    skip--;
                    begun = begun || at->exact;
                    if (begun)
                        spk_text_char(out, '0');
                    else
                        put_blank(out);
                } else {
                    begun = true;
                    spk_text_char(out, digits[k++]);
                }
            }
        }
    }
    return true;
}

static char sign_of(char kind, bool negative)
{
    switch (kind) {
    case 'S':
        return negative ? '-' : '+';
    case 'M':
        return negative ? '-' : ' ';
    default:
        return negative ? kind : 0;
    }
}

/* text_of: the number by the format, in out; false: it does not fit. */
static bool text_of(const format *x, spk_i128 units, int scale, spk_text *out)
{
    char digits[SPK_DECIMAL_TEXT];
    const bool negative = units < 0;
    const size_t n = spk_decimal_print(negative ? -units : units, scale, digits);
    digits[n] = '\0';
    char *point = strchr(digits, '.');
    size_t before = point ? (size_t)(point - digits) : n;
    if (before == 1 && *digits == '0')
        before = 0;
    size_t first = 0;
    for (; first < x->n && strchr("<SM", x->at[first].kind); first++) {
        const char c = sign_of(x->at[first].kind, negative);
        if (c)
            spk_text_char(out, c);
    }
    if (!put_digits(x, digits, before, point ? point + 1 : "", out))
        return false;
    for (size_t i = first; i < x->n; i++)
        if (strchr("SM>", x->at[i].kind)) {
            const char c = sign_of(x->at[i].kind, negative);
            if (c)
                spk_text_char(out, c);
            else
                spk_text_put(out, "  ");
        }
    return true;
}

static void number_to_char(spk_sql_frame *f)
{
    const spk_sql_type *t = f->expr->args[0]->type;
    format x;
    (void)read_format(&x, *(const spark_str *)f->expr->args[1]->value);
    SPK_EACH_ROW(f, i)
    {
        char room[160];
        spk_text out = spk_text_in(room, sizeof room);
        const spk_i128 units = spk_sql_units(t, f->args[0].ptr + (size_t)i * f->args[0].stride);
        if (!text_of(&x, units, t->scale, &out)) {
            out.n = 0;
            for (int k = 0; k < x.precision + (x.scale > 0); k++)
                spk_text_char(&out, k == x.precision - x.scale ? '.' : '#');
        }
        char *text = spk_sql_alloc(f, out.n + 1, 1);
        if (!text)
            return;
        memcpy(text, room, out.n);
        SPK_SQL_OUT(spark_str, f, i) = (spark_str) { text, out.n };
    }
}

SPK_COLD bool spk_sql_resolve_number_to_char(spk_sql_build *b, spk_sql_expr *call)
{
    format x;
    const spk_sql_type *t = call->args[0]->type;
    call->type = spk_sql_type_of(SPK_SQL_STRING);
    if (t->kind != SPK_SQL_DECIMAL) {
        const spk_sql_type *decimal = spk_sql_is_integral(t)
            ? spk_sql_type_decimal(b->arena, t->size == 1 ? 3 : t->size == 2 ? 5 : t->size == 4 ? 10 : 20, 0)
            : t->kind == SPK_SQL_VOID ? spk_sql_type_decimal(b->arena, 38, 0)
                                      : spk_sql_type_decimal(b->arena, 38, 18);
        call->args[0] = decimal ? spk_sql_coerce(b, call->args[0], decimal) : NULL;
    }
    if (!call->args[0] || !constant_format(b, call, &x))
        return false;
    call->kernel = number_to_char;
    return !call->args[1]->null
        || spk_sql_rewrite(b, call, spk_sql_constant(b, call->type, NULL, call->span));
}

const spk_sql_function spk_sql_number_formats[] = {
    { .name = "to_number", .least = 2, .most = 2, .kernel = to_number, .resolve = resolve_to_number,
        .flags = SPK_SQL_GIVES_NULL },
    { .name = "try_to_number", .least = 2, .most = 2, .kernel = to_number, .resolve = resolve_to_number,
        .flags = SPK_SQL_GIVES_NULL },
    { 0 } };
