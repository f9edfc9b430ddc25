/* SPDX-License-Identifier: Apache-2.0 */
/* LIKE, ILIKE, RLIKE, regexp_.. and split. A constant pattern is compiled once, with the program;
 * others a
 * row, unless they are that of the row before. */
#include "sql/eval/kernel.h"
#include "sql/eval/like.h"
#include "sql/eval/regex.h"
#include "sql/eval/resolve.h"
#include "sql/eval/text.h"
#include "sql/eval/utf8.h"

#define S(a, i) SPK_SQL_ARG(spark_str, f, a, i)
#define I(a, i) SPK_SQL_ARG(int32_t, f, a, i)
#define OUT_S(i) SPK_SQL_OUT(spark_str, f, i)

/* ---- LIKE ---- */

static void bad_escape(spk_sql_frame *f, spark_str pattern, int bad)
{
    spk_sql_error *e = spk_sql_raise(f,
        bad == SPK_LIKE_END ? "INVALID_FORMAT.ESC_AT_THE_END" : "INVALID_FORMAT.ESC_IN_THE_MIDDLE");
    if (bad >= SPK_LIKE_MIDDLE) {
        const char *c = pattern.ptr + (bad - SPK_LIKE_MIDDLE);
        const size_t left = pattern.len - (size_t)(bad - SPK_LIKE_MIDDLE);
        spk_sql_param_text(e, "char", c, spk_utf8_size(c, left));
    }
    spk_sql_param_text(e, "format", pattern.ptr, pattern.len);
}

static spark_str lowered(spk_sql_frame *f, spark_str s)
{
    char *out = spk_sql_alloc(f, 3 * s.len + 1, 1);
    return out ? (spark_str) { out, spk_utf8_case(s, SPK_LOWER, out) } : (spark_str) { "", 0 };
}

static SPK_COLD const void *prepare_like(spk_sql_build *b, const spk_sql_expr *call)
{
    const spk_sql_expr *p = call->args[1], *e = call->n > 2 ? call->args[2] : NULL;
    if (p->kind != SPK_SQL_CONSTANT || p->null || (e && (e->kind != SPK_SQL_CONSTANT || e->null)))
        return NULL;
    spark_str pattern = *(const spark_str *)p->value;
    const spark_str escape = e ? *(const spark_str *)e->value : (spark_str) { "\\", 1 };
    spk_like *like = spk_arena_alloc(b->arena, sizeof *like, _Alignof(spk_like));
    if (like && *call->function->name == 'i') {
        char *out = spk_arena_alloc(b->arena, 3 * pattern.len + 1, 1);
        if (out)
            pattern = (spark_str) { out, spk_utf8_case(pattern, SPK_LOWER, out) };
        else
            like = NULL;
    }
    const int bad = like ? spk_like_compile(like, b->arena, pattern, escape) : SPK_LIKE_NOMEM;
    if (bad == SPK_LIKE_NOMEM)
        spk_sql_nomem(b->error);
    return bad == SPK_LIKE_GOOD ? like : NULL; /* what is wrong is said when a row needs it */
}

/* search: of a pattern that begins with %: texts that lie one behind the other, as those of a cached column do, are
 * searched at once for what comes behind it, and only those that have it are looked at. */
static void search(spk_sql_frame *f, const spk_like *like)
{
    const size_t n = like->parts[0].n;
    const bool all = like->n == 1 && like->back;
    for (uint32_t k = 0, to = 0; k < f->rows.n;) {
        const char *const begin = S(0, spk_sql_row(f->rows, k)).ptr, *limit = begin, *at = NULL;
        for (; to < f->rows.n && S(0, spk_sql_row(f->rows, to)).ptr == limit; to++)
            limit += S(0, spk_sql_row(f->rows, to)).len;
        for (; k < to; k++) {
            const uint32_t i = spk_sql_row(f->rows, k);
            const spark_str s = S(0, i);
            if (!at || at < s.ptr)
                at = spk_like_find(like, s.ptr, limit);
            if (!at)
                at = limit;
            const bool has = (size_t)(limit - at) >= n && at + n <= s.ptr + s.len;
            SPK_SQL_OUT(bool, f, i) = has && (all || spk_like_matches(like, s));
        }
    }
}

static void like(spk_sql_frame *f)
{
    const bool fold = *f->expr->function->name == 'i';
    const spk_like *ready = f->prepared;
    spk_like own;
    if (ready && !fold && spk_like_is_inner(ready)) {
        search(f, ready);
        return;
    }
    SPK_EACH_ROW(f, i)
    {
        spark_str s = S(0, i);
        if (!ready) {
            const spark_str pattern = fold ? lowered(f, S(1, i)) : S(1, i);
            const spark_str escape = f->n_args > 2 ? S(2, i) : (spark_str) { "\\", 1 };
            const int bad = spk_like_compile(&own, f->arena, pattern, escape);
            if (bad == SPK_LIKE_NOMEM)
                spk_sql_no_room(f);
            else if (bad != SPK_LIKE_GOOD)
                bad_escape(f, S(1, i), bad);
            if (bad != SPK_LIKE_GOOD)
                return;
        }
        if (fold)
            s = lowered(f, s);
        if (spk_sql_run_failed(f->run))
            return;
        SPK_SQL_OUT(bool, f, i) = spk_like_matches(ready ? ready : &own, s);
    }
}

/* ---- regular expressions ---- */

/* expression: a compiled pattern; what is wrong with it is said when a row needs it. */
typedef struct expression {
    const spk_regex *regex;
    const char *why;
    bool unsupported;
} expression;

static bool make_expression(expression *x, spk_arena *arena, spark_str pattern)
{
    *x = (expression) { 0 };
    x->regex = spk_regex_compile(arena, pattern.ptr, pattern.len, &x->why, &x->unsupported);
    return x->regex || *x->why;
}

static SPK_COLD const void *prepare_regex(spk_sql_build *b, const spk_sql_expr *call)
{
    const spk_sql_expr *p = call->args[1];
    if (p->kind != SPK_SQL_CONSTANT || p->null)
        return NULL;
    expression *x = spk_arena_alloc(b->arena, sizeof *x, _Alignof(expression));
    if (!x || !make_expression(x, b->arena, *(const spark_str *)p->value)) {
        spk_sql_nomem(b->error);
        return NULL;
    }
    return x;
}

typedef struct matcher {
    spk_sql_frame *f;
    expression own;
    spark_str pattern;
    const spk_regex *regex;
    spk_regex_work *work;
    size_t places[2 * SPK_REGEX_GROUPS];
} matcher;

/* ready: the machine for row i; false: failed. */
static bool ready(matcher *m, uint32_t i)
{
    spk_sql_frame *f = m->f;
    const expression *x = f->prepared;
    if (m->regex
        && (x
            || (m->pattern.len == S(1, i).len
                && (m->pattern.len == 0
                    || memcmp(m->pattern.ptr, S(1, i).ptr, m->pattern.len) == 0))))
        return true;
    if (!x) {
        m->pattern = S(1, i);
        if (!make_expression(&m->own, f->arena, m->pattern)) {
            spk_sql_no_room(f);
            return false;
        }
        x = &m->own;
    }
    if (!x->regex) {
        if (x->unsupported) {
            spk_sql_param(spk_sql_raise(f, "UNSUPPORTED_FEATURE"), "what",
                "%s in a regular expression", x->why);
            return false;
        }
        const char *name
            = f->expr->function->printed ? f->expr->function->printed : f->expr->function->name;
        spk_sql_error *e = spk_sql_raise(f, "INVALID_PARAMETER_VALUE.PATTERN");
        spk_sql_param(e, "functionName", "`%s`", name);
        spk_sql_param(e, "parameter", "`regexp`");
        spk_sql_param_text(e, "value", S(1, i).ptr, S(1, i).len);
        return false;
    }
    m->regex = x->regex;
    m->work = spk_regex_work_new(m->regex, m->work, f->arena);
    if (!m->work)
        spk_sql_no_room(f);
    return m->work != NULL;
}

static bool find(matcher *m, spark_str s, size_t from, int groups)
{
    return spk_regex_find(m->regex, m->work, s.ptr, s.len, from, m->places, groups);
}

/* behind: where the next match may begin: an empty one moves on by a character. */
static size_t behind(const matcher *m, spark_str s)
{
    const size_t end = m->places[1];
    if (end > m->places[0])
        return end;
    return end < s.len ? end + spk_utf8_size(s.ptr + end, s.len - end) : s.len + 1;
}

static spark_str piece(spark_str s, size_t from, size_t to)
{
    return from == SIZE_MAX ? (spark_str) { "", 0 } : (spark_str) { s.ptr + from, to - from };
}

static void rlike(spk_sql_frame *f)
{
    matcher m = { .f = f };
    SPK_EACH_ROW(f, i)
    {
        if (!ready(&m, i))
            return;
        SPK_SQL_OUT(bool, f, i)
            = spk_regex_find(m.regex, m.work, S(0, i).ptr, S(0, i).len, 0, NULL, 0);
    }
}

/* group_of: the group that the third argument says; false: there is none, which is an error. */
static bool group_of(matcher *m, uint32_t i, int32_t *group)
{
    spk_sql_frame *f = m->f;
    *group = f->n_args > 2 ? I(2, i) : 1;
    if (*group >= 0 && *group <= spk_regex_groups(m->regex))
        return true;
    spk_sql_error *e = spk_sql_raise(f, "INVALID_PARAMETER_VALUE.REGEX_GROUP_INDEX");
    spk_sql_param(e, "functionName", "`%s`", f->expr->function->name);
    spk_sql_param(e, "groupCount", "%d", spk_regex_groups(m->regex));
    spk_sql_param(e, "groupIndex", "%d", *group);
    spk_sql_param(e, "parameter", "`idx`");
    return false;
}

static void regexp_extract(spk_sql_frame *f)
{
    matcher m = { .f = f };
    SPK_EACH_ROW(f, i)
    {
        int32_t group;
        if (!ready(&m, i))
            return;
        OUT_S(i) = (spark_str) { "", 0 };
        if (!find(&m, S(0, i), 0, spk_regex_groups(m.regex)))
            continue;
        if (!group_of(&m, i, &group))
            return;
        OUT_S(i) = piece(S(0, i), m.places[2 * group], m.places[2 * group + 1]);
    }
}

/* list: n strings as an array. */
static bool give_list(spk_sql_frame *f, uint32_t i, const spark_str *at, size_t n)
{
    SPK_SQL_OUT(spk_sql_array, f, i) = (spk_sql_array) { (const char *)at, n };
    return true;
}

static bool append(spk_sql_frame *f, spark_str **list, size_t *n, spark_str s)
{
    if (*n == 0 || (*n >= 8 && (*n & (*n - 1)) == 0)) {
        spark_str *fresh = spk_sql_alloc(f, (*n < 8 ? 8 : 2 * *n) * sizeof *fresh, 8);
        if (!fresh)
            return false;
        if (*n > 0)
            memcpy(fresh, *list, *n * sizeof *fresh);
        *list = fresh;
    }
    (*list)[(*n)++] = s;
    return true;
}

static void regexp_extract_all(spk_sql_frame *f)
{
    matcher m = { .f = f };
    SPK_EACH_ROW(f, i)
    {
        const spark_str s = S(0, i);
        spark_str *list = NULL;
        size_t n = 0;
        int32_t group;
        if (!ready(&m, i) || !group_of(&m, i, &group))
            return;
        for (size_t at = 0; at <= s.len && find(&m, s, at, spk_regex_groups(m.regex));
             at = behind(&m, s))
            if (!append(f, &list, &n, piece(s, m.places[2 * group], m.places[2 * group + 1])))
                return;
        give_list(f, i, list, n);
    }
}

static void regexp_count(spk_sql_frame *f)
{
    matcher m = { .f = f };
    SPK_EACH_ROW(f, i)
    {
        const spark_str s = S(0, i);
        int32_t n = 0;
        if (!ready(&m, i))
            return;
        for (size_t at = 0; at <= s.len && find(&m, s, at, 0); at = behind(&m, s))
            n++;
        SPK_SQL_OUT(int32_t, f, i) = n;
    }
}

static void regexp_substr(spk_sql_frame *f)
{
    matcher m = { .f = f };
    SPK_EACH_ROW(f, i)
    {
        if (!ready(&m, i))
            return;
        f->out_valid[i] = find(&m, S(0, i), 0, 0) && m.places[1] > m.places[0];
        if (f->out_valid[i])
            OUT_S(i) = piece(S(0, i), m.places[0], m.places[1]);
    }
}

static void regexp_instr(spk_sql_frame *f)
{
    matcher m = { .f = f };
    SPK_EACH_ROW(f, i)
    {
        if (!ready(&m, i))
            return;
        SPK_SQL_OUT(int32_t, f, i)
            = find(&m, S(0, i), 0, 0) ? (int32_t)spk_utf8_count(S(0, i).ptr, m.places[0]) + 1 : 0;
    }
}

/* put_replacement: $1, ${name}, \c. False: a group that there is not. */
static bool put_replacement(matcher *m, spk_text *out, spark_str s, spark_str with)
{
    for (size_t k = 0; k < with.len; k++) {
        if (with.ptr[k] == '\\' && k + 1 < with.len) {
            spk_text_char(out, with.ptr[++k]);
        } else if (with.ptr[k] == '$') {
            int group = -1;
            if (k + 1 < with.len && with.ptr[k + 1] == '{') {
                const char *name = with.ptr + k + 2, *close = memchr(name, '}', with.len - k - 2);
                group = close ? spk_regex_group(m->regex, name, (size_t)(close - name)) : -1;
                k = close ? (size_t)(close - with.ptr) : k;
            } else {
                while (k + 1 < with.len && with.ptr[k + 1] >= '0' && with.ptr[k + 1] <= '9') {
                    const int next = (group < 0 ? 0 : group * 10) + (with.ptr[k + 1] - '0');
                    if (group >= 0 && next > spk_regex_groups(m->regex))
                        break;
                    group = next;
                    k++;
                }
            }
            if (group < 0 || group > spk_regex_groups(m->regex))
                return false;
            const spark_str own = piece(s, m->places[2 * group], m->places[2 * group + 1]);
            spk_text_bytes(out, own.ptr, own.len);
        } else {
            spk_text_char(out, with.ptr[k]);
        }
    }
    return true;
}

static void regexp_replace(spk_sql_frame *f)
{
    matcher m = { .f = f };
    SPK_EACH_ROW(f, i)
    {
        const spark_str s = S(0, i);
        const int32_t pos = f->n_args > 3 ? I(3, i) : 1;
        size_t from = 0;
        bool any = false;
        spk_text out = spk_text_new(f->arena);
        if (!ready(&m, i))
            return;
        if (pos < 1) {
            spk_sql_error *e = spk_sql_raise(f, "INVALID_PARAMETER_VALUE.START");
            spk_sql_param(e, "functionName", "`regexp_replace`");
            spk_sql_param(e, "parameter", "`position`");
            return;
        }
        const size_t first = spk_utf8_at(s.ptr, s.len, (size_t)pos - 1);
        OUT_S(i) = s;
        for (size_t at = first; at <= s.len && find(&m, s, at, spk_regex_groups(m.regex));
             at = behind(&m, s)) {
            any = true;
            spk_text_bytes(&out, s.ptr + from, m.places[0] - from);
            from = m.places[1];
            if (!put_replacement(&m, &out, s, S(2, i))) {
                spk_sql_param(spk_sql_raise(f, "INVALID_REGEXP_REPLACE"), "replacement", "%.*s",
                    (int)S(2, i).len, S(2, i).ptr);
                return;
            }
        }
        if (!any)
            continue;
        spk_text_bytes(&out, s.ptr + from, s.len - from);
        spk_text_end(&out);
        if (out.failed) {
            spk_sql_no_room(f);
            return;
        }
        OUT_S(i) = (spark_str) { out.at, out.n };
    }
}

/* split: as Java's, where an empty match at the front gives no empty piece; limit > 0: so many
 * pieces. */
static void split(spk_sql_frame *f)
{
    matcher m = { .f = f };
    SPK_EACH_ROW(f, i)
    {
        const spark_str s = S(0, i);
        const int32_t limit = f->n_args > 2 ? I(2, i) : -1;
        spark_str *list = NULL;
        size_t n = 0, from = 0;
        if (!ready(&m, i))
            return;
        const bool empty = S(1, i).len == 0;
        for (size_t at = 0;
             at <= s.len && !(limit > 0 && n + 1 >= (size_t)limit) && find(&m, s, at, 0);
             at = behind(&m, s)) {
            if (m.places[1] == 0 && m.places[0] == 0)
                continue;
            if (empty && m.places[0] == s.len)
                break; /* no empty piece at the end of split(s, '') */
            if (!append(f, &list, &n, piece(s, from, m.places[0])))
                return;
            from = m.places[1];
        }
        if (!append(f, &list, &n, piece(s, from, s.len)))
            return;
        give_list(f, i, list, n);
    }
}

static SPK_COLD bool strings_type(spk_sql_build *b, spk_sql_expr *call)
{
    call->type = spk_sql_type_array(b->arena, spk_sql_type_of(SPK_SQL_STRING), false);
    return spk_sql_want(b, call, 0, 's') && spk_sql_want(b, call, 1, 's')
        && (call->n < 3 || spk_sql_want(b, call, 2, 'i'));
}

#define LIKE_(name_)                                                                               \
    {                                                                                              \
        .name = name_, .signature = "sss:b", .least = 2, .most = 3, .kernel = like,                \
        .prepare = prepare_like                                                                    \
    }
#define RE(name_, signature_, least_, most_, kernel_)                                              \
    {                                                                                              \
        .name = name_, .signature = signature_, .least = least_, .most = most_, .kernel = kernel_, \
        .prepare = prepare_regex                                                                   \
    }

const spk_sql_function spk_sql_patterns[] = { LIKE_("like"), LIKE_("ilike"),
    { .name = "rlike",
        .signature = "ss:b",
        .least = 2,
        .most = 2,
        .kernel = rlike,
        .prepare = prepare_regex,
        .flags = SPK_SQL_UPPER },
    { .name = "regexp",
        .signature = "ss:b",
        .least = 2,
        .most = 2,
        .kernel = rlike,
        .prepare = prepare_regex,
        .printed = "RLIKE" },
    { .name = "regexp_like",
        .signature = "ss:b",
        .least = 2,
        .most = 2,
        .kernel = rlike,
        .prepare = prepare_regex,
        .flags = SPK_SQL_UPPER },
    RE("regexp_extract", "ssi:s", 2, 3, regexp_extract),
    RE("regexp_replace", "sssi:s", 3, 4, regexp_replace),
    RE("regexp_count", "ss:i", 2, 2, regexp_count),
    { .name = "regexp_substr",
        .signature = "ss:s",
        .least = 2,
        .most = 2,
        .kernel = regexp_substr,
        .prepare = prepare_regex,
        .flags = SPK_SQL_GIVES_NULL },
    RE("regexp_instr", "ssi:i", 2, 3, regexp_instr),
    { .name = "regexp_extract_all",
        .least = 2,
        .most = 3,
        .kernel = regexp_extract_all,
        .prepare = prepare_regex,
        .resolve = strings_type },
    { .name = "split",
        .least = 2,
        .most = 3,
        .kernel = split,
        .prepare = prepare_regex,
        .resolve = strings_type },
    { 0 } };
