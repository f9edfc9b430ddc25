/* SPDX-License-Identifier: Apache-2.0 */
/* + and - of dates, timestamps and intervals; intervals times and divided by numbers. */
#include "base/small.h"

#include <math.h>

#include "sql/eval/zone.h"
#include "sql/eval/decimal.h"
#include "sql/eval/kernel.h"
#include "sql/eval/resolve.h"

/* zone_of: in which timestamps of a type are shown: NULL for those without. */
static const spk_zone *zone_of(const spk_sql_frame *f, const spk_sql_type *type)
{
    return type->kind == SPK_SQL_TIMESTAMP && f->expr->session ? f->expr->session->zone : NULL;
}

static void datetime_overflow(spk_sql_frame *f)
{
    spk_sql_overflow(f, "overflow", NULL);
}

/* ---- kernels; args[1] is subtracted where the function is "-" ---- */

static bool minus(const spk_sql_frame *f)
{
    const char *name = f->expr->function->name;
    return strcmp(name, "-") == 0 || strcmp(name, "date_sub") == 0
        || strcmp(name, "try_subtract") == 0;
}

void spk_sql_date_days(spk_sql_frame *f)
{
    const spk_sql_type *t = f->expr->args[1]->type;
    SPK_EACH_ROW(f, i)
    {
        int64_t by = spk_sql_integer(t, &f->args[1], i);
        if (t->kind == SPK_SQL_INTERVAL_SECONDS)
            by /= SPK_MICROS_DAY;
        const int64_t sum = SPK_SQL_ARG(int32_t, f, 0, i) + (minus(f) ? -by : by);
        SPK_SQL_OUT(int32_t, f, i) = (int32_t)sum;
        if (sum != (int32_t)sum) {
            datetime_overflow(f);
            return;
        }
    }
}

void spk_sql_date_months(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    {
        const int64_t by = SPK_SQL_ARG(int32_t, f, 1, i);
        if (!spk_add_months(
                SPK_SQL_ARG(int32_t, f, 0, i), minus(f) ? -by : by, &SPK_SQL_OUT(int32_t, f, i))) {
            datetime_overflow(f);
            return;
        }
    }
}

static void timestamp_months(spk_sql_frame *f)
{
    const spk_zone *zone = zone_of(f, f->expr->type);
    SPK_EACH_ROW(f, i)
    {
        const int64_t local = spk_zone_local(zone, SPK_SQL_ARG(int64_t, f, 0, i));
        const int64_t by = SPK_SQL_ARG(int32_t, f, 1, i);
        const int64_t days = spk_floor_div(local, SPK_MICROS_DAY);
        int32_t moved;
        int64_t all;
        if (!spk_add_months(days, minus(f) ? -by : by, &moved)
            || __builtin_mul_overflow(moved, SPK_MICROS_DAY, &all)) {
            datetime_overflow(f);
            return;
        }
        SPK_SQL_OUT(int64_t, f, i) = spk_zone_moment(
            zone, (int64_t)((uint64_t)all + (uint64_t)spk_floor_rest(local, SPK_MICROS_DAY)));
    }
}

/* timestamp_seconds: whole days are days of the calendar, what is left is time that passes. */
static void timestamp_seconds(spk_sql_frame *f)
{
    const spk_zone *zone = zone_of(f, f->expr->type);
    SPK_EACH_ROW(f, i)
    {
        int64_t x = SPK_SQL_ARG(int64_t, f, 0, i), y = SPK_SQL_ARG(int64_t, f, 1, i);
        if (zone && (y >= SPK_MICROS_DAY || y <= -SPK_MICROS_DAY)) {
            const int64_t days = y - y % SPK_MICROS_DAY;
            int64_t local = spk_zone_local(zone, x);
            if (minus(f) ? __builtin_sub_overflow(local, days, &local) : __builtin_add_overflow(local, days, &local)) {
                datetime_overflow(f);
                return;
            }
            x = spk_zone_moment(zone, local);
            y %= SPK_MICROS_DAY;
        }
        if (minus(f) ? __builtin_sub_overflow(x, y, &SPK_SQL_OUT(int64_t, f, i))
                     : __builtin_add_overflow(x, y, &SPK_SQL_OUT(int64_t, f, i))) {
            datetime_overflow(f);
            return;
        }
    }
}

static void dates_apart(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    if (__builtin_mul_overflow(
            (int64_t)SPK_SQL_ARG(int32_t, f, 0, i) - SPK_SQL_ARG(int32_t, f, 1, i), SPK_MICROS_DAY,
            &SPK_SQL_OUT(int64_t, f, i))) {
        datetime_overflow(f);
        return;
    }
}

static void timestamps_apart(spk_sql_frame *f)
{
    const spk_zone *zone = zone_of(f, f->expr->args[0]->type);
    SPK_EACH_ROW(f, i)
    if (__builtin_sub_overflow(spk_zone_local(zone, SPK_SQL_ARG(int64_t, f, 0, i)),
            spk_zone_local(zone, SPK_SQL_ARG(int64_t, f, 1, i)), &SPK_SQL_OUT(int64_t, f, i))) {
        datetime_overflow(f);
        return;
    }
}

/* ---- resolving + and - ---- */

static bool is_stamp(spk_sql_kind k)
{
    return k == SPK_SQL_TIMESTAMP || k == SPK_SQL_TIMESTAMP_NTZ;
}

static bool set(spk_sql_expr *call, const spk_sql_type *type, spk_sql_kernel *kernel)
{
    call->type = type;
    call->kernel = kernel;
    return type != NULL;
}

static SPK_COLD bool to_stamp(spk_sql_build *b, spk_sql_expr *call, uint32_t i, spk_sql_kind kind)
{
    call->args[i] = spk_sql_coerce(b, call->args[i], spk_sql_type_of(kind));
    return call->args[i] != NULL;
}

static void swap(spk_sql_expr *call)
{
    spk_sql_expr *x = call->args[0];
    call->args[0] = call->args[1];
    call->args[1] = x;
}

static bool days_only(const spk_sql_type *t)
{
    return t->kind == SPK_SQL_INTERVAL_SECONDS && t->scale == SPK_SQL_DAY;
}

/* apart: the difference of two times. */
static SPK_COLD bool apart(spk_sql_build *b, spk_sql_expr *call)
{
    const spk_sql_kind x = call->args[0]->type->kind, y = call->args[1]->type->kind;
    if (is_stamp(x) || is_stamp(y)) {
        const spk_sql_kind kind = x == SPK_SQL_TIMESTAMP_NTZ && (y == x || !is_stamp(y)) ? x
            : y == SPK_SQL_TIMESTAMP_NTZ && !is_stamp(x)                                 ? y
                                                         : SPK_SQL_TIMESTAMP;
        return to_stamp(b, call, 0, kind) && to_stamp(b, call, 1, kind)
            && set(call, spk_sql_type_of(SPK_SQL_INTERVAL_SECONDS), timestamps_apart);
    }
    return to_stamp(b, call, 0, SPK_SQL_DATE) && to_stamp(b, call, 1, SPK_SQL_DATE)
        && set(call, spk_sql_type_interval(b->arena, SPK_SQL_DAY, SPK_SQL_DAY), dates_apart);
}

/* moved: a time and an interval behind it. */
static SPK_COLD bool moved(spk_sql_build *b, spk_sql_expr *call)
{
    const spk_sql_type *x = call->args[0]->type, *y = call->args[1]->type;
    if (y->kind == SPK_SQL_INTERVAL_MONTHS) {
        if (x->kind == SPK_SQL_STRING && !to_stamp(b, call, 0, SPK_SQL_TIMESTAMP))
            return false;
        return x->kind == SPK_SQL_DATE ? set(call, x, spk_sql_date_months)
                                       : set(call, call->args[0]->type, timestamp_months);
    }
    if (x->kind == SPK_SQL_DATE && days_only(y))
        return set(call, x, spk_sql_date_days);
    if (!is_stamp(x->kind) && !to_stamp(b, call, 0, SPK_SQL_TIMESTAMP))
        return false;
    if (!set(call, call->args[0]->type, timestamp_seconds))
        return false;
    if (x->kind != SPK_SQL_STRING)
        return true;
    spk_sql_expr *copy = spk_sql_node(b, SPK_SQL_CALL, call->n, call->span);
    if (!copy)
        return false;
    spk_sql_expr **args = copy->args;
    memcpy(args, call->args, call->n * sizeof *args);
    *copy = *call;
    copy->args = args;
    return spk_sql_rewrite(b, call, spk_sql_coerce(b, copy, x));
}

static const char timestamps[] = "(\"(TIMESTAMP OR TIMESTAMP WITHOUT TIME ZONE)\" or "
                                 "\"(TIMESTAMP_LTZ(P) OR TIMESTAMP_NTZ(P) WITH P IN [7, 9])\")";

static SPK_COLD bool refuse_interval(spk_sql_build *b, spk_sql_expr *call)
{
    spk_sql_unexpected(b, call, 0, timestamps);
    return false;
}

static bool is_day_count(const spk_sql_type *t)
{
    return (spk_sql_is_integral(t) && t->kind != SPK_SQL_BIGINT) || t->kind == SPK_SQL_VOID;
}

/* less: a date or a time less what the other operand is. */
static SPK_COLD bool less(spk_sql_build *b, spk_sql_expr *call, const spk_sql_type *x, const spk_sql_type *y)
{
    const spk_sql_type *other = is_stamp(x->kind) || x->kind == SPK_SQL_DATE ? y : x;
    if (other->kind == SPK_SQL_DATE || is_stamp(other->kind) || other->kind == SPK_SQL_STRING
        || other->kind == SPK_SQL_VOID)
        return apart(b, call);
    if (!is_stamp(x->kind) && !is_stamp(y->kind)) {
        spk_sql_unexpected(b, call, x->kind == SPK_SQL_DATE ? 1 : 0, "\"DATE\"");
        return false;
    }
    spk_sql_unexpected(b, call, is_stamp(x->kind) || x->kind == SPK_SQL_DATE ? 1 : 0, timestamps);
    return false;
}

/* refuse_days: of a date to which something is added that are no days. */
static SPK_COLD bool refuse_days(spk_sql_build *b, spk_sql_expr *call, bool subtract)
{
    const spk_sql_type *x = call->args[0]->type, *y = call->args[1]->type;
    spk_sql_expr as = *call;
    spk_sql_function function = *call->function;
    function.flags = 0;
    function.name = function.printed = subtract ? "date_sub" : "date_add";
    as.function = &function;
    spk_sql_expr as_date = *call->args[1], *args[] = { call->args[0], &as_date };
    if (as_date.type->kind == SPK_SQL_STRING) /* cast to its neighbour's type before it is refused */
        as_date.type = x;
    as_date.text
        = as_date.kind == SPK_SQL_CONSTANT && y->kind == SPK_SQL_STRING && !as_date.null
        ? spk_sql_keep(
            b, ((const spark_str *)as_date.value)->ptr, ((const spark_str *)as_date.value)->len)
        : as_date.text;
    as.args = args;
    spk_sql_unexpected(b, &as, 1, "(\"INT\" or \"SMALLINT\" or \"TINYINT\")");
    return false;
}

SPK_COLD bool spk_sql_resolve_date_sum(spk_sql_build *b, spk_sql_expr *call, bool subtract)
{
    const spk_sql_type *x = call->args[0]->type, *y = call->args[1]->type;
    if (spk_sql_is_interval(x) && (x->kind == y->kind || y->kind == SPK_SQL_VOID))
        return spk_sql_resolve_interval_sum(b, call, subtract);
    if (x->kind == SPK_SQL_VOID && spk_sql_is_interval(y))
        return spk_sql_resolve_interval_sum(b, call, subtract);
    if (subtract && x->kind == SPK_SQL_INTERVAL_SECONDS && y->kind == SPK_SQL_INTERVAL_MONTHS)
        return spk_sql_diff_types(b, call);
    if (!subtract && x->kind == SPK_SQL_INTERVAL_MONTHS && y->kind == SPK_SQL_STRING)
        return spk_sql_diff_types(b, call);
    if (!subtract && x->kind == SPK_SQL_VOID && is_stamp(y->kind)) {
        swap(call);
        x = call->args[0]->type;
        y = call->args[1]->type;
    }
    if (is_stamp(x->kind) && y->kind == SPK_SQL_VOID && !subtract)
        return to_stamp(b, call, 1, SPK_SQL_INTERVAL_SECONDS) && moved(b, call);
    if (!subtract && spk_sql_is_interval(x)) {
        swap(call);
        x = call->args[0]->type;
        y = call->args[1]->type;
    }
    if (spk_sql_is_interval(y)) {
        if (x->kind == SPK_SQL_DATE || is_stamp(x->kind) || x->kind == SPK_SQL_STRING)
            return moved(b, call);
        if (y->kind == SPK_SQL_INTERVAL_MONTHS && !spk_sql_is_interval(x))
            return spk_sql_diff_types(b, call);
        if (spk_sql_is_interval(x))
            swap(call);
        return refuse_interval(b, call);
    }
    if (spk_sql_is_interval(x))
        return spk_sql_diff_types(b, call);
    if (subtract
        && (is_stamp(x->kind) || is_stamp(y->kind) || y->kind == SPK_SQL_DATE
            || (x->kind == SPK_SQL_DATE && y->kind == SPK_SQL_STRING)))
        return less(b, call, x, y);
    if (!subtract && y->kind == SPK_SQL_DATE && x->kind != SPK_SQL_DATE) {
        swap(call);
        x = call->args[0]->type;
        y = call->args[1]->type;
    }
    if (x->kind == SPK_SQL_DATE && is_day_count(y)) {
        if (y->kind == SPK_SQL_VOID
            && !(call->args[1] = spk_sql_coerce(b, call->args[1], spk_sql_type_of(SPK_SQL_INT))))
            return false;
        return set(call, x, spk_sql_date_days);
    }
    if (x->kind == SPK_SQL_DATE)
        return refuse_days(b, call, subtract);
    if (is_stamp(x->kind) && y->kind == SPK_SQL_STRING && !to_stamp(b, call, 1, x->kind))
        return false;
    if (is_stamp(y->kind) && x->kind == SPK_SQL_STRING && !to_stamp(b, call, 0, y->kind))
        return false;
    if (x->kind == y->kind || (is_stamp(x->kind) && y->kind == SPK_SQL_STRING)
        || (is_stamp(y->kind) && x->kind == SPK_SQL_STRING))
        return spk_sql_wrong_type(b, call,
            "(\"NUMERIC\" or \"INTERVAL DAY TO SECOND\" or \"INTERVAL YEAR TO MONTH\" or "
            "\"INTERVAL\")");
    return spk_sql_diff_types(b, call);
}

/* ---- times and divided by numbers ---- */

/* too_large: of row i: NULL of try_multiply and try_divide, else it fails: false. */
static bool too_large(spk_sql_frame *f, uint32_t i, bool divide, bool zero)
{
    const bool attempt = f->expr->kind == SPK_SQL_CALL && strncmp(f->expr->function->name, "try_", 4) == 0;
    if (attempt)
        f->out_valid[i] = 0;
    else if (zero)
        spk_sql_by_zero(f, false);
    else if (divide)
        spk_sql_param(spk_sql_raise(f, "INTERVAL_ARITHMETIC_OVERFLOW.WITH_SUGGESTION"), "functionName", "try_divide");
    else
        (void)spk_sql_raise(f, "INTERVAL_ARITHMETIC_OVERFLOW.WITHOUT_SUGGESTION");
    return attempt;
}

static bool scaled(spk_sql_frame *f, uint32_t i, int which, bool divide)
{
    const spk_sql_type *t = f->expr->type, *n = f->expr->args[1 - which]->type;
    const int64_t x = spk_sql_integer(t, &f->args[which], i);
    const spk_sql_vector *v = &f->args[1 - which];
    spk_i128 out;
    if (n->kind == SPK_SQL_DOUBLE || n->kind == SPK_SQL_FLOAT) {
        const double by = n->kind == SPK_SQL_DOUBLE ? SPK_SQL_VALUE(double, v, i)
                                                    : (double)SPK_SQL_VALUE(float, v, i);
        if (divide && by == 0)
            return too_large(f, i, divide, true);
        const double y = divide ? (double)x / by : (double)x * by;
        if (!(fabs(y) < 9.2e18))
            return too_large(f, i, divide, false);
        out = (spk_i128)(y < 0 ? ceil(y - 0.5) : floor(y + 0.5));
    } else {
        const int scale = n->kind == SPK_SQL_DECIMAL ? n->scale : 0;
        const spk_i128 by = n->kind == SPK_SQL_DECIMAL ? spk_sql_units(n, v->ptr + i * v->stride)
                                                       : spk_sql_integer(n, v, i);
        bool zero;
        if (!spk_decimal_op(divide ? '/' : '*', x, 0, by, scale, 0, &out, &zero))
            return too_large(f, i, divide, zero);
    }
    if (t->kind == SPK_SQL_INTERVAL_MONTHS ? out != (int32_t)out : out != (int64_t)out)
        return too_large(f, i, divide, false);
    if (t->kind == SPK_SQL_INTERVAL_MONTHS)
        SPK_SQL_OUT(int32_t, f, i) = (int32_t)out;
    else
        SPK_SQL_OUT(int64_t, f, i) = (int64_t)out;
    return true;
}

static void times_left(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    if (!scaled(f, i, 0, false))
        return;
}

static void times_right(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    if (!scaled(f, i, 1, false))
        return;
}

static void divided(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    if (!scaled(f, i, 0, true))
        return;
}

static const spk_sql_type *full(const spk_sql_type *interval)
{
    return spk_sql_type_of(interval->kind);
}

SPK_COLD bool spk_sql_resolve_interval_times(spk_sql_build *b, spk_sql_expr *call, uint32_t interval)
{
    spk_sql_expr **number = &call->args[1 - interval];
    if ((*number)->type->kind == SPK_SQL_STRING || (*number)->type->kind == SPK_SQL_VOID)
        *number = spk_sql_coerce(b, *number, spk_sql_type_of(SPK_SQL_DOUBLE));
    if (!*number)
        return false;
    if (!spk_sql_is_numeric((*number)->type))
        return spk_sql_diff_types(b, call);
    call->nullable = true;
    return set(call, full(call->args[interval]->type), interval == 0 ? times_left : times_right);
}

SPK_COLD bool spk_sql_resolve_interval_divide(spk_sql_build *b, spk_sql_expr *call)
{
    spk_sql_expr **number = &call->args[1];
    if ((*number)->type->kind == SPK_SQL_STRING || (*number)->type->kind == SPK_SQL_VOID)
        *number = spk_sql_coerce(b, *number, spk_sql_type_of(SPK_SQL_DOUBLE));
    if (!*number)
        return false;
    if (!spk_sql_is_numeric((*number)->type))
        return spk_sql_diff_types(b, call);
    return set(call, full(call->args[0]->type), divided);
}
