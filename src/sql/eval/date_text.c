/* SPDX-License-Identifier: Apache-2.0 */
/* Dates and timestamps as text, by patterns. */
#include "sql/eval/date_units.h"
#include "sql/eval/number_format.h"

static const spk_sql_type *of(spk_sql_kind kind)
{
    return spk_sql_type_of(kind);
}

/* pattern_good: whether row i's pattern may be used; false: failed. */
static bool pattern_good(spk_sql_frame *f, spark_str p)
{
    char bad;
    const char *wrong = spk_date_pattern_wrong(p.ptr, p.len, &bad);
    if (!wrong)
        return true;
    spk_sql_error *e = spk_sql_raise(f, wrong);
    if (!strstr(wrong, "RECOGNITION"))
        spk_sql_param(e, "c", "'%c'", bad);
    spk_sql_param(e, "config", "\"spark.sql.legacy.timeParserPolicy\"");
    spk_sql_param(e, "docroot", "https://spark.apache.org/docs/latest");
    spk_sql_param(e, "pattern", "'%.*s'", (int)(p.len < 200 ? p.len : 200), p.ptr);
    return false;
}

static void date_format(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    {
        spk_text out = spk_text_new(f->arena);
        if (!pattern_good(f, S(1, i)))
            return;
        const bool moment = f->expr->args[0]->type->kind == SPK_SQL_TIMESTAMP;
        spk_date_format(&out, S(1, i).ptr, S(1, i).len, moment ? L(0, i) : spk_local(f, 0, i),
            moment ? spk_sql_zone(f, f->expr->args[0]->type) : NULL);
        spk_text_end(&out);
        SPK_SQL_OUT(spark_str, f, i) = (spark_str) { out.at ? out.at : "", out.n };
    }
}

/* binary_to_char: to_char(x, 'hex'), and 'base64', 'utf-8'. */
static SPK_COLD bool binary_to_char(spk_sql_build *b, spk_sql_expr *call)
{
    static const char *const names[][2] = { { "hex", "hex" }, { "base64", "base64" } };
    spk_sql_fold(b, &call->args[1]);
    const spk_sql_expr *e = call->args[1];
    if (!e || e->kind != SPK_SQL_CONSTANT || e->null || e->type->kind != SPK_SQL_STRING) {
        spk_sql_fail2(b->error, "DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", call->span, "inputName", "`format`",
            "inputType", "\"STRING\"");
        return false;
    }
    const spark_str format = *(const spark_str *)e->value;
    for (size_t i = 0; i < 2; i++)
        if (spk_word_same(format.ptr, format.len, names[i][0]))
            return spk_sql_rewrite(b, call, spk_sql_call(b, names[i][1], call->args, 1, call->span));
    if (spk_word_same(format.ptr, format.len, "utf-8"))
        return spk_sql_rewrite(b, call, spk_sql_coerce(b, call->args[0], call->type));
    if (spk_sql_fail(b->error, "INVALID_PARAMETER_VALUE.BINARY_FORMAT", call->span))
        spk_sql_param(b->error, "invalidFormat", "'%.*s'", (int)(format.len < 100 ? format.len : 100), format.ptr);
    return false;
}

static SPK_COLD bool resolve_to_char(spk_sql_build *b, spk_sql_expr *call)
{
    const spk_sql_kind kind = call->args[0]->type->kind;
    call->type = of(SPK_SQL_STRING);
    if (kind == SPK_SQL_BINARY)
        return binary_to_char(b, call);
    if (kind != SPK_SQL_DATE && kind != SPK_SQL_TIMESTAMP && kind != SPK_SQL_TIMESTAMP_NTZ)
        return spk_sql_resolve_number_to_char(b, call);
    return spk_sql_want(b, call, 0, 'T') && spk_sql_want(b, call, 1, 's');
}

/* parse: text by a pattern; *micros since 1970. Returns false where the kernel ends; *valid. */
static bool parse(spk_sql_frame *f, spark_str s, spark_str p, bool ntz, const char *instead,
    int64_t *micros, bool *valid)
{
    size_t at;
    if (!pattern_good(f, p))
        return false;
    const spk_sql_session *session = f->expr->session;
    *valid = spk_date_parse(p.ptr, p.len, s.ptr, s.len, ntz || !session ? NULL : session->zone,
        session ? session->zones : NULL, micros, &at);
    if (*valid || strncmp(f->expr->function->name, "try_", 4) == 0)
        return true;
    spk_sql_error *e = spk_sql_raise(f, "CANNOT_PARSE_TIMESTAMP");
    spk_sql_param(e, "func", "`%s`", instead);
    spk_sql_param(e, "message",
        at > 0 && at < s.len && at > p.len - 1
            ? "Text '%.*s' could not be parsed, unparsed text found at index %zu"
            : "Text '%.*s' could not be parsed at index %zu",
        (int)(s.len < 200 ? s.len : 200), s.ptr, at);
    return false;
}

static void to_date(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    {
        int64_t micros = 0;
        bool valid;
        if (!parse(f, S(0, i), S(1, i), true, "try_to_date", &micros, &valid))
            return;
        f->out_valid[i] = valid;
        SPK_SQL_OUT(int32_t, f, i) = (int32_t)spk_floor_div(micros, SPK_MICROS_DAY);
    }
}

static void to_timestamp(spk_sql_frame *f)
{
    const bool seconds = f->expr->type->kind == SPK_SQL_BIGINT;
    SPK_EACH_ROW(f, i)
    {
        int64_t micros = 0;
        bool valid;
        if (!parse(f, S(0, i), S(1, i), f->expr->type->kind == SPK_SQL_TIMESTAMP_NTZ,
                "try_to_timestamp", &micros, &valid))
            return;
        f->out_valid[i] = valid;
        SPK_SQL_OUT(int64_t, f, i) = seconds ? spk_floor_div(micros, SPK_MICROS_SECOND) : micros;
    }
}

/* resolve_to: to_date, to_timestamp and try_..: without a pattern a cast. */
static SPK_COLD bool resolve_to(spk_sql_build *b, spk_sql_expr *call)
{
    const char *name = call->function->name;
    const bool attempt = strncmp(name, "try_", 4) == 0, date = strstr(name, "date") != NULL;
    const spk_sql_type *to = of(date ? SPK_SQL_DATE
            : strstr(name, "ntz")    ? SPK_SQL_TIMESTAMP_NTZ
                                     : SPK_SQL_TIMESTAMP);
    call->type = to;
    if (call->n == 1 || call->args[0]->type->kind != SPK_SQL_STRING) {
        spk_sql_expr *x = call->args[0];
        if (!spk_sql_castable(x->type, to)) {
            spk_sql_unexpected(b, call, 0, date ? "\"DATE\"" : "\"TIMESTAMP\"");
            return false;
        }
        spk_sql_expr *cast = spk_sql_cast(b, x, to, attempt, call->span);
        if (cast)
            cast->implicit = true;
        return spk_sql_rewrite(b, call, cast);
    }
    call->kernel = date ? to_date : to_timestamp;
    return spk_sql_want(b, call, 0, 's') && spk_sql_want(b, call, 1, 's');
}

static void stamp_seconds(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    SPK_SQL_OUT(int64_t, f, i) = L(0, i) / SPK_MICROS_SECOND; /* truncated, as Spark does here */
}

static void now_seconds(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    SPK_SQL_OUT(int64_t, f, i) = spk_floor_div(f->expr->session->now, SPK_MICROS_SECOND);
}

static SPK_COLD bool resolve_unix(spk_sql_build *b, spk_sql_expr *call)
{
    call->type = of(SPK_SQL_BIGINT);
    if (call->n == 0) {
        call->kernel = now_seconds;
        return true;
    }
    if (call->args[0]->type->kind != SPK_SQL_STRING) {
        call->kernel = stamp_seconds;
        call->args[0] = spk_sql_coerce(b, call->args[0], of(SPK_SQL_TIMESTAMP));
        call->n = 1;
        return call->args[0] != NULL;
    }
    call->kernel = to_timestamp;
    if (call->n == 1) {
        spk_sql_expr **args = spk_arena_alloc(b->arena, 2 * sizeof *args, _Alignof(spk_sql_expr *));
        if (!args)
            return false;
        args[0] = call->args[0];
        args[1] = spk_sql_string(b, "yyyy-MM-dd HH:mm:ss", 19, call->span);
        call->args = args;
        call->n = 2;
        return args[1] != NULL;
    }
    return spk_sql_want(b, call, 1, 's');
}

static void from_unixtime(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    {
        const spark_str p = f->n_args > 1 ? S(1, i) : (spark_str) { "yyyy-MM-dd HH:mm:ss", 19 };
        spk_text out = spk_text_new(f->arena);
        int64_t micros;
        if (!pattern_good(f, p))
            return;
        if (__builtin_mul_overflow(L(0, i), SPK_MICROS_SECOND, &micros))
            micros = L(0, i) < 0 ? INT64_MIN / 2 : INT64_MAX / 2;
        spk_date_format(&out, p.ptr, p.len, micros, f->expr->session ? f->expr->session->zone : NULL);
        spk_text_end(&out);
        SPK_SQL_OUT(spark_str, f, i) = (spark_str) { out.at ? out.at : "", out.n };
    }
}

const spk_sql_function spk_sql_date_texts[] = { SPK_F("date_format", "Ts:s", 2, 2, date_format),
    SPK_R("to_char", 2, 2, date_format, resolve_to_char),
    SPK_R("to_varchar", 2, 2, date_format, resolve_to_char), SPK_RN("to_date", 1, 2, NULL, resolve_to),
    SPK_RN("try_to_date", 1, 2, NULL, resolve_to), SPK_RN("to_timestamp", 1, 2, NULL, resolve_to),
    SPK_RN("try_to_timestamp", 1, 2, NULL, resolve_to), SPK_RN("to_timestamp_ntz", 1, 2, NULL, resolve_to),
    SPK_RN("to_timestamp_ltz", 1, 2, NULL, resolve_to), SPK_RN("unix_timestamp", 0, 2, NULL, resolve_unix),
    SPK_RN("to_unix_timestamp", 1, 2, NULL, resolve_unix),
    SPK_F("from_unixtime", "ls:s", 1, 2, from_unixtime), { 0 } };
