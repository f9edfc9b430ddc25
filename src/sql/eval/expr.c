/* SPDX-License-Identifier: Apache-2.0 */
/* Making bound expressions: leaves, casts, and calls whose arguments are cast as a signature says.
 * */
#include "base/small.h"

#include "sql/eval/expr.h"

#include <stdio.h>
#include <strings.h>

#include "sql/eval/coerce.h"
#include "sql/eval/resolve.h"
#include "sql/eval/text.h"

SPK_COLD spk_sql_expr *spk_sql_node(spk_sql_build *b, spk_sql_expr_kind kind, size_t n, spk_sql_span span)
{
    if (spk_sql_failed(b->error))
        return NULL;
    spk_sql_expr *e = spk_arena_alloc(b->arena, sizeof *e, _Alignof(spk_sql_expr));
    spk_sql_expr **args
        = spk_arena_alloc(b->arena, (n + 1) * sizeof(void *), _Alignof(spk_sql_expr *));
    if (!e || !args) {
        spk_sql_nomem(b->error);
        return NULL;
    }
    *e = (spk_sql_expr) { .kind = kind,
        .span = span,
        .n = (uint32_t)n,
        .args = args,
        .session = b->session,
        .deterministic = true };
    return e;
}

SPK_COLD const char *spk_sql_keep(spk_sql_build *b, const char *text, size_t n)
{
    char *own = spk_arena_alloc(b->arena, n + 1, 1);
    if (!own) {
        spk_sql_nomem(b->error);
        return "";
    }
    if (n > 0)
        memcpy(own, text, n);
    own[n] = '\0';
    return own;
}

/* ---- leaves ---- */

SPK_COLD spk_sql_expr *spk_sql_constant(
    spk_sql_build *b, const spk_sql_type *type, const void *value, spk_sql_span span)
{
    spk_sql_expr *e = type ? spk_sql_node(b, SPK_SQL_CONSTANT, 0, span) : NULL;
    if (!e)
        return NULL;
    const size_t size = type->size > 16 ? type->size : 16;
    void *own = spk_arena_alloc(b->arena, size, 16);
    if (!own) {
        spk_sql_nomem(b->error);
        return NULL;
    }
    memset(own, 0, size);
    if (value)
        memcpy(own, value, type->size);
    e->type = type;
    e->value = own;
    e->null = !value;
    e->nullable = !value;
    e->foldable = true;
    return e;
}

SPK_COLD spk_sql_expr *spk_sql_string(spk_sql_build *b, const char *text, size_t n, spk_sql_span span)
{
    const spark_str s = { spk_sql_keep(b, text, n), n };
    return spk_sql_constant(b, spk_sql_type_of(SPK_SQL_STRING), &s, span);
}

SPK_COLD spk_sql_expr *spk_sql_boolean(spk_sql_build *b, bool value, spk_sql_span span)
{
    return spk_sql_constant(b, spk_sql_type_of(SPK_SQL_BOOLEAN), &value, span);
}

SPK_COLD spk_sql_expr *spk_sql_column(spk_sql_build *b, uint32_t column, const char *name,
    const spk_sql_type *type, bool nullable, spk_sql_span span)
{
    spk_sql_expr *e = type ? spk_sql_node(b, SPK_SQL_COLUMN, 0, span) : NULL;
    if (!e)
        return NULL;
    e->column = column;
    e->name = name;
    e->type = type;
    e->nullable = nullable;
    return e;
}

SPK_COLD spk_sql_expr *spk_sql_variable(spk_sql_build *b, uint32_t number, const char *name,
    const spk_sql_type *type, bool nullable, spk_sql_span span)
{
    spk_sql_expr *e = spk_sql_column(b, number, name, type, nullable, span);
    if (e)
        e->kind = SPK_SQL_VARIABLE;
    return e;
}

/* binders: the lambdas around a node, the nearest first. */
typedef struct binders {
    const spk_sql_expr *lambda;
    const struct binders *next;
} binders;

/* closed: whether it reads nothing but variables of those lambdas. */
static bool closed(const spk_sql_expr *e, const binders *around)
{
    const binders own = { e, around };
    if (e->kind == SPK_SQL_VARIABLE)
        for (; around; around = around->next)
            for (uint32_t i = 0; i < around->lambda->n_variables; i++)
                if (around->lambda->variables[i] == e->column)
                    return true;
    if (e->kind == SPK_SQL_COLUMN || e->kind == SPK_SQL_VARIABLE)
        return false;
    for (uint32_t i = 0; i < e->n; i++)
        if (!closed(e->args[i], e->kind == SPK_SQL_LAMBDA ? &own : around))
            return false;
    return true;
}

SPK_COLD spk_sql_expr *spk_sql_lambda(
    spk_sql_build *b, const uint32_t *variables, size_t n, spk_sql_expr *body, spk_sql_span span)
{
    spk_sql_expr *e = body && n <= 3 ? spk_sql_node(b, SPK_SQL_LAMBDA, 1, span) : NULL;
    if (!e)
        return NULL;
    e->args[0] = body;
    e->type = body->type;
    e->nullable = body->nullable;
    e->n_variables = (uint32_t)n;
    for (size_t i = 0; i < n; i++)
        e->variables[i] = variables[i];
    e->deterministic = body->deterministic;
    e->foldable = body->deterministic && closed(e, NULL);
    return e;
}

/* ---- casts ---- */

static SPK_COLD spk_sql_expr *make_cast(spk_sql_build *b, spk_sql_expr *arg, const spk_sql_type *type,
    bool attempt, bool implicit, spk_sql_span span)
{
    spk_sql_expr *e = spk_sql_node(b, SPK_SQL_CAST, 1, span);
    if (!e)
        return NULL;
    e->args[0] = arg;
    e->type = type;
    e->attempt = attempt;
    e->implicit = implicit;
    e->nullable = arg->nullable || (attempt && spk_sql_cast_fails(arg->type, type))
        || spk_sql_cast_gives_null(arg->type, type);
    e->deterministic = arg->deterministic;
    e->foldable = arg->foldable;
    e->kernel = spk_sql_cast_kernel(arg->type, type);
    if (!e->kernel)
        spk_sql_unsupported(b->error, span, "this cast");
    return e;
}

/* refused: the condition depends on whether another function does what the cast cannot. */
static SPK_COLD spk_sql_expr *refused(
    spk_sql_build *b, spk_sql_expr *arg, const spk_sql_type *type, spk_sql_span span, bool attempt)
{
    const spk_sql_kind from = arg->type->kind, to = type->kind;
    const bool to_number = spk_sql_is_numeric(type);
    const char *function = NULL;
    if (from == SPK_SQL_DATE && to_number)
        function = "`UNIX_DATE`";
    else if (from == SPK_SQL_TIMESTAMP_NTZ && to_number)
        function = NULL;
    else if (spk_sql_is_numeric(arg->type) && to == SPK_SQL_DATE)
        function = "`DATE_FROM_UNIX_DATE`";
    /* what Spark casts without ANSI */
    const bool config = !attempt
        && ((to == SPK_SQL_BOOLEAN && (from == SPK_SQL_DATE || from == SPK_SQL_TIMESTAMP))
            || (from == SPK_SQL_BOOLEAN && to == SPK_SQL_TIMESTAMP)
            || (spk_sql_is_integral(arg->type) && to == SPK_SQL_BINARY));
    spk_sql_expr shown
        = { .kind = SPK_SQL_CAST, .attempt = attempt, .type = type, .n = 1, .args = &arg };
    const char *condition = function ? "DATATYPE_MISMATCH.CAST_WITH_FUNC_SUGGESTION"
        : config                     ? "DATATYPE_MISMATCH.CAST_WITH_CONF_SUGGESTION"
                                     : "DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION";
    const char *text = spk_sql_expr_quoted(b, &shown);
    const char *from_name = spk_sql_type_quoted(b, arg->type),
               *to_name = spk_sql_type_quoted(b, type);
    if (spk_sql_fail(b->error, condition, span)) {
        if (function)
            spk_sql_param(b->error, "functionNames", "%s", function);
        if (config) {
            spk_sql_param(b->error, "config", "\"spark.sql.ansi.enabled\"");
            spk_sql_param(b->error, "configVal", "'false'");
        }
        spk_sql_param(b->error, "sqlExpr", "%s", text);
        spk_sql_param(b->error, "srcType", "%s", from_name);
        spk_sql_param(b->error, "targetType", "%s", to_name);
    }
    return NULL;
}

SPK_COLD spk_sql_expr *spk_sql_cast(
    spk_sql_build *b, spk_sql_expr *arg, const spk_sql_type *type, bool attempt, spk_sql_span span)
{
    if (!arg || !type)
        return NULL;
    if (!spk_sql_castable(arg->type, type))
        return refused(b, arg, type, span, attempt);
    return make_cast(b, arg, type, attempt, false, span);
}

SPK_COLD spk_sql_expr *spk_sql_coerce(spk_sql_build *b, spk_sql_expr *arg, const spk_sql_type *type)
{
    if (!arg || !type || spk_sql_failed(b->error))
        return NULL;
    if (spk_sql_type_same(arg->type, type)
        && (spk_sql_is_atomic(type) || spk_sql_type_equal(arg->type, type)))
        return arg;
    if (arg->kind == SPK_SQL_CONSTANT && arg->null && spk_sql_is_atomic(type)) {
        spk_sql_expr *null = spk_sql_constant(b, type, NULL, arg->span);
        return null;
    }
    if (!spk_sql_castable(arg->type, type))
        return refused(b, arg, type, arg->span, false);
    return make_cast(b, arg, type, false, true, arg->span);
}

/* ---- calls ---- */

SPK_COLD const char *spk_sql_expr_quoted(spk_sql_build *b, const spk_sql_expr *expr)
{
    const size_t n = spk_sql_expr_print(expr, NULL, 0);
    char *text = spk_arena_alloc(b->arena, n + 3, 1);
    if (!text) {
        spk_sql_nomem(b->error);
        return "";
    }
    text[0] = '"';
    spk_sql_expr_print(expr, text + 1, n + 1);
    text[n + 1] = '"';
    text[n + 2] = '\0';
    return text;
}

SPK_COLD const char *spk_sql_type_quoted(spk_sql_build *b, const spk_sql_type *type)
{
    char text[512];
    text[0] = '"';
    size_t n = spk_sql_type_print(type, false, text + 1, sizeof text - 2) + 1;
    n = n < sizeof text - 2 ? n : sizeof text - 2;
    text[n] = '"';
    return spk_sql_keep(b, text, n + 1);
}

static const char *letter_name(char letter)
{
    static const char letters[] = "byhilfdsxDTMSntIa";
    static const char *const names[] = { "\"BOOLEAN\"", "\"TINYINT\"", "\"SMALLINT\"", "\"INT\"",
        "\"BIGINT\"", "\"FLOAT\"", "\"DOUBLE\"", "\"STRING\"", "\"BINARY\"", "\"DATE\"",
        "\"(TIMESTAMP OR TIMESTAMP WITHOUT TIME ZONE)\"", "\"INTERVAL YEAR TO MONTH\"",
        "\"INTERVAL DAY TO SECOND\"", "\"NUMERIC\"", "(\"STRING\" or \"BINARY\")", "\"INTEGRAL\"",
        "\"ANY\"" };
    const char *at = strchr(letters, letter);
    return at ? names[at - letters] : "";
}

SPK_COLD void spk_sql_unexpected(spk_sql_build *b, const spk_sql_expr *call, size_t i, const char *required)
{
    static const char *const places[] = { "first", "second", "third", "fourth", "fifth", "sixth",
        "seventh", "eighth", "ninth", "tenth" };
    const char *text = spk_sql_expr_quoted(b, call);
    const char *input = spk_sql_expr_quoted(b, call->args[i]);
    const char *type = spk_sql_type_quoted(b, call->args[i]->type);
    if (!spk_sql_fail(b->error, "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", call->span))
        return;
    spk_sql_param(b->error, "inputSql", "%s", input);
    spk_sql_param(b->error, "inputType", "%s", type);
    spk_sql_param(b->error, "paramIndex", "%s", places[i < 10 ? i : 9]);
    spk_sql_param(b->error, "requiredType", "%s", required);
    spk_sql_param(b->error, "sqlExpr", "%s", text);
}

const spk_sql_type *spk_sql_letter_type(char letter, const spk_sql_type *arg)
{
    switch (letter) {
    case 'b':
        return spk_sql_type_of(SPK_SQL_BOOLEAN);
    case 'y':
        return spk_sql_type_of(SPK_SQL_TINYINT);
    case 'h':
        return spk_sql_type_of(SPK_SQL_SMALLINT);
    case 'i':
        return spk_sql_type_of(SPK_SQL_INT);
    case 'l':
        return spk_sql_type_of(SPK_SQL_BIGINT);
    case 'f':
        return spk_sql_type_of(SPK_SQL_FLOAT);
    case 'd':
        return spk_sql_type_of(SPK_SQL_DOUBLE);
    case 's':
        return spk_sql_type_of(SPK_SQL_STRING);
    case 'x':
        return spk_sql_type_of(SPK_SQL_BINARY);
    case 'D':
        return spk_sql_type_of(SPK_SQL_DATE);
    case 'T':
        return spk_sql_type_of(SPK_SQL_TIMESTAMP);
    case 'M':
        return spk_sql_type_of(SPK_SQL_INTERVAL_MONTHS);
    case 'S':
        return spk_sql_type_of(SPK_SQL_INTERVAL_SECONDS);
    case 'n':
        return arg && spk_sql_is_numeric(arg) ? arg : spk_sql_type_of(SPK_SQL_DOUBLE);
    case 'I':
        return arg && spk_sql_is_integral(arg)   ? arg
            : arg && arg->kind == SPK_SQL_STRING ? spk_sql_type_of(SPK_SQL_BIGINT)
                                                 : spk_sql_type_of(SPK_SQL_INT);
    case 't':
        return arg && arg->kind == SPK_SQL_BINARY ? arg : spk_sql_type_of(SPK_SQL_STRING);
    default:
        return arg;
    }
}

SPK_COLD bool spk_sql_want(spk_sql_build *b, spk_sql_expr *call, size_t i, char letter)
{
    const spk_sql_type *have = call->args[i]->type, *want = spk_sql_letter_type(letter, have);
    const bool fits = letter == 'I' && have->kind != SPK_SQL_STRING
        ? spk_sql_is_integral(have) || have->kind == SPK_SQL_VOID
        : spk_sql_implicit(have, want) && (letter != 'x' || have->kind != SPK_SQL_VOID || true);
    if (letter == 'a')
        return true;
    if (letter == 'T' && have->kind == SPK_SQL_TIMESTAMP_NTZ)
        return true;
    if (!fits) {
        spk_sql_unexpected(b, call, i, letter_name(letter));
        return false;
    }
    call->args[i] = spk_sql_coerce(b, call->args[i], want);
    return call->args[i] != NULL;
}

/* by_signature: "ss:b", "sii:s". */
static SPK_COLD bool by_signature(spk_sql_build *b, spk_sql_expr *call)
{
    const char *s = call->function->signature, *colon = strchr(s, ':');
    const size_t letters = (size_t)(colon - s);
    for (size_t i = 0; i < call->n; i++)
        if (!spk_sql_want(b, call, i, letters == 0 ? 'a' : s[i < letters ? i : letters - 1]))
            return false;
    call->type = spk_sql_letter_type(colon[1], call->n > 0 ? call->args[0]->type : NULL);
    return call->type != NULL;
}

static SPK_COLD bool wrong_number(spk_sql_build *b, const spk_sql_expr *call)
{
    const spk_sql_function *f = call->function;
    char name[128], want[64];
    size_t n = 0;
    if (f->most < 0)
        n = (size_t)snprintf(want, sizeof want, "> %d", f->least - 1);
    else if (f->least == f->most)
        n = (size_t)snprintf(want, sizeof want, "%d", f->least);
    for (int i = f->least; n == 0 || (f->most > f->least && i <= f->most && n < 50); i++)
        n += (size_t)snprintf(want + n, sizeof want - n, "%s%d%s", i == f->least ? "[" : ", ", i,
            i == f->most ? "]" : "");
    snprintf(name, sizeof name, "`%s`", call->name);
    if (spk_sql_fail(b->error, "WRONG_NUM_ARGS.WITHOUT_SUGGESTION", call->span)) {
        spk_sql_param(b->error, "actualNum", "%u", call->n);
        spk_sql_param(b->error, "docroot", "https://spark.apache.org/docs/latest");
        spk_sql_param(b->error, "expectedNum", "%s", want);
        spk_sql_param(b->error, "functionName", "%s", name);
    }
    return false;
}

/* is_missing: whether Spark has a function so called: a star stands for all that begin so. */
static bool is_missing(const char *name)
{
    static const char *const missing[] = { "aes_*", "approx_top_k*", "bitmap_*", "collat*", "count_min_sketch",
        "counter_diff", "from_avro", "from_base32", "from_protobuf", "from_xml", "hll_*", "hmac",
        "input_file_block_*", "is_variant_null", "java_method", "kll_*", "localtime", "make_interval",
        "measure", "parse_json", "reflect", "schema_of_avro", "schema_of_variant*",
        "schema_of_xml", "sentences", "session_window", "shuffle", "st_*", "theta_*", "time_bucket",
        "timestamp_nanos", "to_avro", "to_base32", "to_protobuf", "to_variant_object", "to_xml",
        "try_aes_decrypt", "try_make_interval", "try_parse_json", "try_reflect", "try_variant_*", "tuple_*",
        "unix_nanos", "variant_*", "vector_*", "window", "window_time", "xpath*" };
    for (size_t i = 0; i < sizeof missing / sizeof missing[0]; i++) {
        const size_t n = strcspn(missing[i], "*");
        if (strncasecmp(name, missing[i], n) == 0 && (missing[i][n] || !name[n]))
            return true;
    }
    return false;
}

static SPK_COLD spk_sql_expr *unknown(spk_sql_build *b, const char *name, spk_sql_span span)
{
    char quoted[160];
    snprintf(quoted, sizeof quoted, "`%s`", name);
    spk_sql_fail2(b->error, "UNRESOLVED_ROUTINE", span, "routineName", quoted, "searchPath", is_missing(name)
            ? "[`system`.`builtin`, `system`.`session`, `spark_catalog`.`default`]: Spark has it, libspark does not"
            : "[`system`.`builtin`, `system`.`session`, `spark_catalog`.`default`]");
    return NULL;
}

static SPK_COLD const char *data_types(spk_sql_build *b, const spk_sql_expr *call)
{
    spk_text out = spk_text_new(b->arena);
    static const char brackets[] = " if case greatest least in ";
    char name[40];
    snprintf(name, sizeof name, " %s ", call->function->name);
    const bool words = !strstr(brackets, name);
    const bool cases = strcmp(call->function->name, "case") == 0;
    bool first = true;
    spk_text_char(&out, words ? '(' : '[');
    for (uint32_t i = 0; i < call->n; i++) {
        if ((cases && i % 2 == 0 && i + 1 < call->n)
            || (i == 0 && strcmp(call->function->name, "if") == 0))
            continue;
        spk_text_put(&out, first ? "" : words ? " or " : ", ");
        spk_text_put(&out, spk_sql_type_quoted(b, call->args[i]->type));
        first = false;
    }
    spk_text_char(&out, words ? ')' : ']');
    spk_text_end(&out);
    return out.failed ? "" : out.at;
}

SPK_COLD bool spk_sql_data_diff(spk_sql_build *b, const spk_sql_expr *call)
{
    char name[64];
    snprintf(name, sizeof name, "`%s`",
        strcmp(call->function->name, "case") == 0 ? "casewhen" : call->function->name);
    const char *text = spk_sql_expr_quoted(b, call), *types = data_types(b, call);
    spk_sql_fail3(b->error, "DATATYPE_MISMATCH.DATA_DIFF_TYPES", call->span, "dataType", types,
        "functionName", name, "sqlExpr", text);
    return false;
}

SPK_COLD bool spk_sql_diff_types(spk_sql_build *b, const spk_sql_expr *call)
{
    const char *text = spk_sql_expr_quoted(b, call);
    const char *left = spk_sql_type_quoted(b, call->args[0]->type);
    const char *right = spk_sql_type_quoted(b, call->args[1]->type);
    spk_sql_fail3(b->error, "DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES", call->span, "left", left,
        "right", right, "sqlExpr", text);
    return false;
}

SPK_COLD bool spk_sql_wrong_type(spk_sql_build *b, const spk_sql_expr *call, const char *wanted)
{
    const char *text = spk_sql_expr_quoted(b, call);
    const char *type = spk_sql_type_quoted(b, call->args[0]->type);
    spk_sql_fail3(b->error, "DATATYPE_MISMATCH.BINARY_OP_WRONG_TYPE", call->span, "actualDataType",
        type, "inputType", wanted, "sqlExpr", text);
    return false;
}

SPK_COLD const spk_sql_type *spk_sql_coerce_all(
    spk_sql_build *b, spk_sql_expr *call, size_t from, size_t step, bool strings)
{
    const spk_sql_type *type = spk_sql_type_of(SPK_SQL_VOID);
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = from; i < call->n && type; i += step)
            if ((call->args[i]->type->kind == SPK_SQL_STRING) == (pass == 1))
                type = spk_sql_common(b->arena, type, call->args[i]->type, strings);
    for (size_t i = from; i < call->n && type; i += step)
        if (!(call->args[i] = spk_sql_coerce(b, call->args[i], type)))
            return NULL;
    return type;
}

static void set_flags(spk_sql_expr *e)
{
    const uint16_t flags = e->function->flags;
    e->foldable = !(flags & SPK_SQL_RANDOM);
    e->deterministic = !(flags & SPK_SQL_RANDOM);
    bool any = false;
    for (uint32_t i = 0; i < e->n; i++) {
        e->foldable &= e->args[i]->foldable;
        e->deterministic &= e->args[i]->deterministic;
        any |= e->args[i]->nullable && e->args[i]->kind != SPK_SQL_LAMBDA;
    }
    e->nullable = !(flags & SPK_SQL_NEVER_NULL) && (any || (flags & SPK_SQL_GIVES_NULL));
}

SPK_COLD bool spk_sql_rewrite(spk_sql_build *b, spk_sql_expr *call, spk_sql_expr *made)
{
    spk_sql_expr **args = spk_arena_alloc(b->arena, sizeof *args, _Alignof(spk_sql_expr *));
    if (!made || !args)
        return false;
    args[0] = made;
    call->shown = call->args;
    call->n_shown = call->n;
    call->args = args;
    call->n = 1;
    call->type = made->type;
    call->nullable = made->nullable;
    call->foldable = made->foldable;
    call->deterministic = made->deterministic;
    call->kernel = NULL;
    return true;
}

SPK_COLD spk_sql_expr *spk_sql_call_of(spk_sql_build *b, const spk_sql_function *function, const char *name,
    spk_sql_expr *const args[], size_t n, spk_sql_span span)
{
    spk_sql_expr *e = spk_sql_node(b, SPK_SQL_CALL, n, span);
    if (!e)
        return NULL;
    for (size_t i = 0; i < n; i++)
        if (!(e->args[i] = args[i]))
            return NULL;
    e->name = spk_sql_keep(b, name, strlen(name));
    e->function = function;
    if ((int)n < e->function->least || (e->function->most >= 0 && (int)n > e->function->most)) {
        wrong_number(b, e);
        return NULL;
    }
    e->kernel = e->function->kernel;
    if (e->function->signature && !by_signature(b, e))
        return NULL;
    set_flags(e);
    if (e->function->resolve && !e->function->resolve(b, e)) {
        if (!spk_sql_failed(b->error))
            spk_sql_nomem(b->error);
        return NULL;
    }
    return spk_sql_failed(b->error) ? NULL : e;
}

SPK_COLD spk_sql_expr *spk_sql_call(
    spk_sql_build *b, const char *name, spk_sql_expr *const args[], size_t n, spk_sql_span span)
{
    const spk_sql_function *function = spk_sql_function_find(name);
    for (size_t i = 0; i < n; i++)
        if (!args[i])
            return NULL;
    if (spk_sql_failed(b->error))
        return NULL;
    return function ? spk_sql_call_of(b, function, name, args, n, span) : unknown(b, name, span);
}
