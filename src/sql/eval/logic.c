/* SPDX-License-Identifier: Apache-2.0 */
/* AND, OR, NOT, IS .., CASE, IF, COALESCE and their kin. Those that choose evaluate an argument
 * only for
 * the rows that need it. */
#include "sql/eval/compare.h"
#include "sql/eval/kernel.h"
#include "sql/eval/resolve.h"

static uint16_t *some_rows(spk_sql_frame *f)
{
    return spk_sql_alloc(f, (f->rows.n + 1) * sizeof(uint16_t), 2);
}

/* connect: `wins` is FALSE for AND, TRUE for OR. */
static void connect(spk_sql_frame *f, bool wins)
{
    const spk_sql_vector x = spk_sql_arg(f, 0, f->rows);
    uint16_t *open = some_rows(f);
    uint32_t n = 0;
    if (!open || spk_sql_run_failed(f->run))
        return;
    SPK_EACH_ROW(f, i)
    {
        const bool valid = spk_sql_valid(&x, i);
        const bool decided = valid && SPK_SQL_VALUE(bool, &x, i) == wins;
        SPK_SQL_OUT(bool, f, i) = decided ? wins : !wins;
        f->out_valid[i] = valid;
        open[n] = (uint16_t)i;
        n += !decided;
    }
    if (n == 0)
        return;
    const spk_sql_rows rest = n == f->rows.n ? f->rows : (spk_sql_rows) { open, n };
    const spk_sql_vector y = spk_sql_arg(f, 1, rest);
    if (spk_sql_run_failed(f->run))
        return;
    for (uint32_t k = 0; k < n; k++) {
        const uint32_t i = open[k];
        if (!spk_sql_valid(&y, i)) {
            f->out_valid[i] = 0;
        } else if (SPK_SQL_VALUE(bool, &y, i) == wins) {
            SPK_SQL_OUT(bool, f, i) = wins;
            f->out_valid[i] = 1;
        }
    }
}

static void and_(spk_sql_frame *f)
{
    connect(f, false);
}

static void or_(spk_sql_frame *f)
{
    connect(f, true);
}

static void not_(spk_sql_frame *f)
{
    SPK_UNARY_LOOP(f, bool, bool, out[i] = !x);
}

static void is_null(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    SPK_SQL_OUT(bool, f, i) = !spk_sql_valid(&f->args[0], i);
}

static void is_not_null(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    SPK_SQL_OUT(bool, f, i) = spk_sql_valid(&f->args[0], i);
}

static void is_true(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    SPK_SQL_OUT(bool, f, i) = spk_sql_valid(&f->args[0], i) && SPK_SQL_ARG(bool, f, 0, i);
}

static void is_false(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    SPK_SQL_OUT(bool, f, i) = spk_sql_valid(&f->args[0], i) && !SPK_SQL_ARG(bool, f, 0, i);
}

/* ---- choosing ---- */

/* give: the values of argument a for these rows become the result's. */
static bool give(spk_sql_frame *f, uint32_t a, spk_sql_rows rows)
{
    const size_t size = f->expr->type->size;
    if (rows.n == 0)
        return true;
    const spk_sql_vector v = spk_sql_arg(f, a, rows);
    if (spk_sql_run_failed(f->run))
        return false;
    for (uint32_t k = 0; k < rows.n; k++) {
        const uint32_t i = spk_sql_row(rows, k);
        f->out_valid[i] = spk_sql_valid(&v, i);
        if (f->out_valid[i])
            memcpy(f->out + i * size, v.ptr + i * v.stride, size);
    }
    return true;
}

/* split: of these rows those where argument a is TRUE, and the others; both have room for all. The
 * others may be `rows` itself. */
static bool split(spk_sql_frame *f, uint32_t a, spk_sql_rows rows, spk_sql_rows *yes,
    uint16_t *yes_at, spk_sql_rows *no, uint16_t *no_at)
{
    uint32_t n = 0, m = 0;
    if (rows.n > 0) {
        const spk_sql_vector v = spk_sql_arg(f, a, rows);
        if (spk_sql_run_failed(f->run))
            return false;
        for (uint32_t k = 0; k < rows.n; k++) {
            const uint32_t i = spk_sql_row(rows, k);
            const bool is = spk_sql_valid(&v, i) && SPK_SQL_VALUE(bool, &v, i);
            yes_at[n] = (uint16_t)i;
            n += is;
            no_at[m] = (uint16_t)i;
            m += !is;
        }
    }
    *yes = (spk_sql_rows) { yes_at, n };
    *no = (spk_sql_rows) { no_at, m };
    return true;
}

static void case_(spk_sql_frame *f)
{
    uint16_t *yes_at = some_rows(f), *no_at = some_rows(f);
    spk_sql_rows left = f->rows, yes;
    if (!yes_at || !no_at)
        return;
    for (uint32_t a = 0; a + 1 < f->expr->n && left.n > 0; a += 2)
        if (!split(f, a, left, &yes, yes_at, &left, no_at) || !give(f, a + 1, yes))
            return;
    if (f->expr->n % 2 == 1) {
        give(f, f->expr->n - 1, left);
        return;
    }
    for (uint32_t k = 0; k < left.n; k++)
        f->out_valid[spk_sql_row(left, k)] = 0;
}

static void coalesce(spk_sql_frame *f)
{
    const size_t size = f->expr->type->size;
    uint16_t *at = some_rows(f);
    spk_sql_rows left = f->rows;
    if (!at)
        return;
    for (uint32_t a = 0; a < f->expr->n && left.n > 0; a++) {
        const spk_sql_vector v = spk_sql_arg(f, a, left);
        uint32_t n = 0;
        if (spk_sql_run_failed(f->run))
            return;
        for (uint32_t k = 0; k < left.n; k++) {
            const uint32_t i = spk_sql_row(left, k);
            f->out_valid[i] = spk_sql_valid(&v, i);
            if (f->out_valid[i])
                memcpy(f->out + i * size, v.ptr + i * v.stride, size);
            at[n] = (uint16_t)i;
            n += !f->out_valid[i];
        }
        left = (spk_sql_rows) { at, n };
    }
}

static void nanvl(spk_sql_frame *f)
{
    const bool narrow = f->expr->type->kind == SPK_SQL_FLOAT;
    uint16_t *at = some_rows(f);
    if (!at || !give(f, 0, f->rows))
        return;
    uint32_t n = 0;
    SPK_EACH_ROW(f, i)
    {
        const double x = narrow ? (double)SPK_SQL_OUT(float, f, i) : SPK_SQL_OUT(double, f, i);
        at[n] = (uint16_t)i;
        n += f->out_valid[i] && x != x;
    }
    give(f, 1, (spk_sql_rows) { at, n });
}

/* extreme: greatest and least skip NULLs. */
static void extreme(spk_sql_frame *f)
{
    const spk_sql_type *t = f->expr->type;
    const int sign = strcmp(f->expr->function->name, "greatest") == 0 ? 1 : -1;
    SPK_EACH_ROW(f, i)
    {
        const char *best = NULL;
        for (uint32_t a = 0; a < f->n_args; a++) {
            const char *at = f->args[a].ptr + i * f->args[a].stride;
            if (spk_sql_valid(&f->args[a], i)
                && (!best || sign * spk_sql_value_compare(t, at, best) > 0))
                best = at;
        }
        f->out_valid[i] = best != NULL;
        if (best)
            memcpy(f->out + i * t->size, best, t->size);
    }
}

static void is_nan(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    {
        const double x = spk_sql_valid(&f->args[0], i) ? SPK_SQL_ARG(double, f, 0, i) : 0;
        SPK_SQL_OUT(bool, f, i) = x != x;
    }
}

/* ---- resolving ---- */

static SPK_COLD bool resolve_case(spk_sql_build *b, spk_sql_expr *call)
{
    for (uint32_t i = 0; i + 1 < call->n; i += 2) {
        if (call->args[i]->type->kind != SPK_SQL_BOOLEAN) {
            spk_sql_unexpected(b, call, i / 2, "\"BOOLEAN\"");
            return false;
        }
        call->args[i] = spk_sql_coerce(b, call->args[i], spk_sql_type_of(SPK_SQL_BOOLEAN));
        if (!call->args[i])
            return false;
    }
    /* the values: every second one, and ELSE */
    const spk_sql_type *type = spk_sql_type_of(SPK_SQL_VOID);
    bool nullable = call->n % 2 == 0;
    for (int pass = 0; pass < 2; pass++)
        for (uint32_t i = 0; i < call->n && type; i++)
            if ((i % 2 == 1 || (i + 1 == call->n && call->n % 2 == 1))
                && (call->args[i]->type->kind == SPK_SQL_STRING) == (pass == 1))
                type = spk_sql_common(b->arena, type, call->args[i]->type, true);
    if (!type)
        return spk_sql_data_diff(b, call);
    for (uint32_t i = 0; i < call->n; i++)
        if (i % 2 == 1 || (i + 1 == call->n && call->n % 2 == 1)) {
            call->args[i] = spk_sql_coerce(b, call->args[i], type);
            if (!call->args[i])
                return false;
            nullable |= call->args[i]->nullable;
        }
    call->type = type;
    call->nullable = nullable;
    return true;
}

static SPK_COLD bool resolve_if(spk_sql_build *b, spk_sql_expr *call)
{
    if (call->args[0]->type->kind == SPK_SQL_VOID)
        call->args[0] = spk_sql_coerce(b, call->args[0], spk_sql_type_of(SPK_SQL_BOOLEAN));
    if (!call->args[0])
        return false;
    if (call->args[0]->type->kind != SPK_SQL_BOOLEAN) {
        spk_sql_unexpected(b, call, 0, "\"BOOLEAN\"");
        return false;
    }
    call->type = spk_sql_coerce_all(b, call, 1, 1, true);
    if (!call->type)
        return !spk_sql_failed(b->error) && spk_sql_data_diff(b, call);
    call->nullable = call->args[1]->nullable || call->args[2]->nullable;
    return true;
}

static SPK_COLD bool resolve_coalesce(spk_sql_build *b, spk_sql_expr *call)
{
    call->type = spk_sql_coerce_all(b, call, 0, 1, true);
    if (!call->type)
        return !spk_sql_failed(b->error) && spk_sql_data_diff(b, call);
    call->nullable = true;
    for (uint32_t i = 0; i < call->n; i++)
        call->nullable &= call->args[i]->nullable;
    return true;
}

/* rewrite: as another call of these arguments. */
static SPK_COLD bool rewrite(
    spk_sql_build *b, spk_sql_expr *call, const char *name, spk_sql_expr **args, size_t n)
{
    return spk_sql_rewrite(b, call, spk_sql_call(b, name, args, n, call->span));
}

static SPK_COLD bool resolve_nvl2(spk_sql_build *b, spk_sql_expr *call)
{
    spk_sql_expr *args[]
        = { spk_sql_call(b, "isnotnull", call->args, 1, call->span), call->args[1], call->args[2] };
    return rewrite(b, call, "if", args, 3);
}

static SPK_COLD spk_sql_expr *null_of(spk_sql_build *b, spk_sql_span span)
{
    return spk_sql_constant(b, spk_sql_type_of(SPK_SQL_VOID), NULL, span);
}

static SPK_COLD bool resolve_nullif(spk_sql_build *b, spk_sql_expr *call)
{
    spk_sql_expr *args[] = { spk_sql_call(b, "=", call->args, 2, call->span),
        null_of(b, call->span), call->args[0] };
    return rewrite(b, call, "if", args, 3);
}

static SPK_COLD spk_sql_expr *zero_like(spk_sql_build *b, const spk_sql_expr *x)
{
    return spk_sql_number(b, "0", 1, x->span);
}

static SPK_COLD bool resolve_zeroifnull(spk_sql_build *b, spk_sql_expr *call)
{
    spk_sql_expr *args[] = { call->args[0], zero_like(b, call->args[0]) };
    return rewrite(b, call, "coalesce", args, 2);
}

static SPK_COLD bool resolve_nullifzero(spk_sql_build *b, spk_sql_expr *call)
{
    spk_sql_expr *args[] = { call->args[0], zero_like(b, call->args[0]) };
    return rewrite(b, call, "nullif", args, 2);
}

static SPK_COLD bool resolve_nanvl(spk_sql_build *b, spk_sql_expr *call)
{
    const bool narrow
        = call->args[0]->type->kind == SPK_SQL_FLOAT && call->args[1]->type->kind == SPK_SQL_FLOAT;
    call->type = spk_sql_type_of(narrow ? SPK_SQL_FLOAT : SPK_SQL_DOUBLE);
    for (int i = 0; i < 2; i++)
        if (!spk_sql_want(b, call, (size_t)i, narrow ? 'f' : 'd'))
            return false;
    return true;
}

static SPK_COLD bool resolve_extreme(spk_sql_build *b, spk_sql_expr *call)
{
    call->type = spk_sql_coerce_all(b, call, 0, 1, false);
    if (!call->type)
        return !spk_sql_failed(b->error) && spk_sql_data_diff(b, call);
    call->nullable = true;
    for (uint32_t i = 0; i < call->n; i++)
        call->nullable &= call->args[i]->nullable;
    return true;
}

/* decode(x, key, value, .., default): NULL meets NULL. */
static SPK_COLD bool resolve_decode(spk_sql_build *b, spk_sql_expr *call)
{
    spk_sql_expr **args
        = spk_arena_alloc(b->arena, (call->n + 1) * sizeof *args, _Alignof(spk_sql_expr *));
    uint32_t n = 0, i;
    if (!args)
        return false;
    if (call->n == 2)
        return rewrite(b, call, "decode_charset", call->args, 2);
    for (i = 1; i + 1 < call->n; i += 2) {
        spk_sql_expr *both[] = { call->args[0], call->args[i] };
        args[n++] = spk_sql_call(b, "<=>", both, 2, call->span);
        args[n++] = call->args[i + 1];
    }
    if (i < call->n)
        args[n++] = call->args[i];
    return rewrite(b, call, "case", args, n);
}

static SPK_COLD bool resolve_is(spk_sql_build *b, spk_sql_expr *call)
{
    call->type = spk_sql_type_of(SPK_SQL_BOOLEAN);
    if (call->args[0]->type->kind == SPK_SQL_VOID || call->args[0]->type->kind == SPK_SQL_STRING)
        call->args[0] = spk_sql_coerce(b, call->args[0], call->type);
    if (!call->args[0])
        return false;
    if (call->args[0]->type->kind == SPK_SQL_BOOLEAN)
        return true;
    spk_sql_expr *both[] = { call->args[0], spk_sql_boolean(b, true, call->span) };
    spk_sql_call(b, "<=>", both, 2, call->span); /* says what Spark says */
    return false;
}

static SPK_COLD bool resolve_bool2(spk_sql_build *b, spk_sql_expr *call)
{
    const spk_sql_type *type = spk_sql_type_of(SPK_SQL_BOOLEAN);
    const spk_sql_kind x = call->args[0]->type->kind, y = call->args[1]->type->kind;
    call->type = type;
    for (int i = 0; i < 2; i++) {
        const spk_sql_kind k = call->args[i]->type->kind;
        const spk_sql_kind other = call->args[1 - i]->type->kind;
        if (k == SPK_SQL_VOID || (k == SPK_SQL_STRING && other == SPK_SQL_BOOLEAN))
            call->args[i] = spk_sql_coerce(b, call->args[i], type);
        if (!call->args[i])
            return false;
    }
    if (call->args[0]->type->kind != call->args[1]->type->kind)
        return spk_sql_diff_types(b, call);
    if (x != SPK_SQL_BOOLEAN && y != SPK_SQL_BOOLEAN
        && call->args[0]->type->kind != SPK_SQL_BOOLEAN)
        return spk_sql_wrong_type(b, call, "\"BOOLEAN\"");
    return true;
}

static SPK_COLD bool resolve_not(spk_sql_build *b, spk_sql_expr *call)
{
    call->type = spk_sql_type_of(SPK_SQL_BOOLEAN);
    if (call->args[0]->type->kind == SPK_SQL_VOID || call->args[0]->type->kind == SPK_SQL_STRING)
        call->args[0] = spk_sql_coerce(b, call->args[0], call->type);
    if (!call->args[0])
        return false;
    if (call->args[0]->type->kind == SPK_SQL_BOOLEAN)
        return true;
    spk_sql_unexpected(b, call, 0, "\"BOOLEAN\"");
    return false;
}

#define AWARE (SPK_SQL_NULL_AWARE | SPK_SQL_NEVER_NULL)

const spk_sql_function spk_sql_conditionals[] = {
    { .name = "and",
        .least = 2,
        .most = 2,
        .flags = SPK_SQL_LAZY | SPK_SQL_INFIX | SPK_SQL_UPPER,
        .kernel = and_,
        .resolve = resolve_bool2,
        .printed = "AND" },
    { .name = "or",
        .least = 2,
        .most = 2,
        .flags = SPK_SQL_LAZY | SPK_SQL_INFIX | SPK_SQL_UPPER,
        .kernel = or_,
        .resolve = resolve_bool2,
        .printed = "OR" },
    { .name = "not", .least = 1, .most = 1, .kernel = not_, .resolve = resolve_not },
    { .name = "!", .least = 1, .most = 1, .kernel = not_, .resolve = resolve_not },
    { .name = "isnull",
        .signature = "a:b",
        .least = 1,
        .most = 1,
        .flags = AWARE,
        .kernel = is_null },
    { .name = "isunknown",
        .least = 1,
        .most = 1,
        .flags = AWARE,
        .kernel = is_null,
        .resolve = resolve_is },
    { .name = "isnotnull",
        .signature = "a:b",
        .least = 1,
        .most = 1,
        .flags = AWARE,
        .kernel = is_not_null },
    { .name = "istrue",
        .least = 1,
        .most = 1,
        .flags = AWARE,
        .kernel = is_true,
        .resolve = resolve_is },
    { .name = "isfalse",
        .least = 1,
        .most = 1,
        .flags = AWARE,
        .kernel = is_false,
        .resolve = resolve_is },
    { .name = "isnan",
        .signature = "d:b",
        .least = 1,
        .most = 1,
        .flags = AWARE,
        .kernel = is_nan },
    { .name = "case",
        .least = 2,
        .most = -1,
        .flags = SPK_SQL_LAZY,
        .kernel = case_,
        .resolve = resolve_case },
    { .name = "if",
        .least = 3,
        .most = 3,
        .flags = SPK_SQL_LAZY | SPK_SQL_UPPER,
        .kernel = case_,
        .resolve = resolve_if },
    { .name = "coalesce",
        .least = 1,
        .most = -1,
        .flags = SPK_SQL_LAZY,
        .kernel = coalesce,
        .resolve = resolve_coalesce },
    { .name = "nvl",
        .least = 2,
        .most = 2,
        .flags = SPK_SQL_LAZY,
        .kernel = coalesce,
        .resolve = resolve_coalesce },
    { .name = "ifnull",
        .least = 2,
        .most = 2,
        .flags = SPK_SQL_LAZY,
        .kernel = coalesce,
        .resolve = resolve_coalesce },
    { .name = "nvl2", .least = 3, .most = 3, .resolve = resolve_nvl2 },
    { .name = "nullif", .least = 2, .most = 2, .resolve = resolve_nullif },
    { .name = "zeroifnull", .least = 1, .most = 1, .resolve = resolve_zeroifnull },
    { .name = "nullifzero", .least = 1, .most = 1, .resolve = resolve_nullifzero },
    { .name = "nanvl",
        .least = 2,
        .most = 2,
        .flags = SPK_SQL_LAZY,
        .kernel = nanvl,
        .resolve = resolve_nanvl },
    { .name = "greatest",
        .least = 2,
        .most = -1,
        .flags = SPK_SQL_NULL_AWARE,
        .kernel = extreme,
        .resolve = resolve_extreme },
    { .name = "least",
        .least = 2,
        .most = -1,
        .flags = SPK_SQL_NULL_AWARE,
        .kernel = extreme,
        .resolve = resolve_extreme },
    { .name = "decode", .least = 2, .most = -1, .resolve = resolve_decode },
    { 0 },
};
