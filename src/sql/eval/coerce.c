/* SPDX-License-Identifier: Apache-2.0 */
/* Coercion as in Spark's AnsiTypeCoercion, casts as in Cast.canAnsiCast, decimals as in DecimalType
 * and
 * DecimalPrecision. */
#include "base/small.h"

#include "sql/eval/coerce.h"

static int most(int a, int b)
{
    return a > b ? a : b;
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

/* ---- decimals ---- */

const spk_sql_type *spk_sql_decimal_adjust(spk_arena *arena, int precision, int scale)
{
    if (precision > SPK_SQL_DECIMAL_MAX) {
        const int kept = least(scale, 6);
        scale = most(SPK_SQL_DECIMAL_MAX - (precision - scale), kept);
        precision = SPK_SQL_DECIMAL_MAX;
    }
    return spk_sql_type_decimal(arena, precision, scale);
}

static int integral_digits(spk_sql_kind kind)
{
    return kind == SPK_SQL_TINYINT ? 3
        : kind == SPK_SQL_SMALLINT ? 5
        : kind == SPK_SQL_INT      ? 10
        : kind == SPK_SQL_BIGINT   ? 20
                                   : 0;
}

const spk_sql_type *spk_sql_decimal_of(spk_arena *arena, const spk_sql_type *type)
{
    if (type->kind == SPK_SQL_FLOAT)
        return spk_sql_type_decimal(arena, 14, 7);
    if (type->kind == SPK_SQL_DOUBLE)
        return spk_sql_type_decimal(arena, 30, 15);
    const int digits = integral_digits(type->kind);
    return digits > 0 ? spk_sql_type_decimal(arena, digits, 0) : type;
}

static int64_t constant_integer(const spk_sql_expr *e)
{
    switch (e->type->kind) {
    case SPK_SQL_TINYINT:
        return *(const int8_t *)e->value;
    case SPK_SQL_SMALLINT:
        return *(const int16_t *)e->value;
    case SPK_SQL_INT:
        return *(const int32_t *)e->value;
    default:
        return *(const int64_t *)e->value;
    }
}

const spk_sql_type *spk_sql_decimal_of_expr(spk_arena *arena, const spk_sql_expr *expr)
{
    if (expr->kind != SPK_SQL_CONSTANT || expr->null || !spk_sql_is_integral(expr->type)
        || expr->type->kind == SPK_SQL_TINYINT)
        return spk_sql_decimal_of(arena, expr->type);
    const int64_t value = constant_integer(expr);
    uint64_t x = value < 0 ? -(uint64_t)value : (uint64_t)value;
    int digits = 1;
    for (; x >= 10; x /= 10)
        digits++;
    return spk_sql_type_decimal(arena, digits, 0);
}

const spk_sql_type *spk_sql_decimal_result(
    spk_arena *arena, char op, const spk_sql_type *a, const spk_sql_type *b)
{
    const int p1 = a->precision, s1 = a->scale, p2 = b->precision, s2 = b->scale;
    int scale = most(s1, s2);
    switch (op) {
    case '+':
    case '-':
        return spk_sql_decimal_adjust(arena, most(p1 - s1, p2 - s2) + scale + 1, scale);
    case '*':
        return spk_sql_decimal_adjust(arena, p1 + p2 + 1, s1 + s2);
    case '/':
        scale = most(6, s1 + p2 + 1);
        return spk_sql_decimal_adjust(arena, p1 - s1 + s2 + scale, scale);
    case '%':
        return spk_sql_decimal_adjust(arena, least(p1 - s1, p2 - s2) + scale, scale);
    case 'd': /* div: before it becomes BIGINT */
        return spk_sql_type_decimal(arena, most(least(p1 - s1 + s2, SPK_SQL_DECIMAL_MAX), 1), 0);
    default:
        scale = most(s1, s2);
        return spk_sql_type_decimal(arena,
            least(most(p1 - s1, p2 - s2) + scale, SPK_SQL_DECIMAL_MAX),
            least(scale, SPK_SQL_DECIMAL_MAX));
    }
}

/* ---- the least common type ---- */

static const spk_sql_type *common_number(
    spk_arena *arena, const spk_sql_type *a, const spk_sql_type *b)
{
    const spk_sql_type *wider = a->kind > b->kind ? a : b, *other = wider == a ? b : a;
    if (wider->kind == SPK_SQL_DOUBLE || wider->kind < SPK_SQL_DECIMAL)
        return wider;
    if (wider->kind == SPK_SQL_FLOAT)
        return other->kind == SPK_SQL_FLOAT ? wider : spk_sql_type_of(SPK_SQL_DOUBLE);
    const spk_sql_type *x = spk_sql_decimal_of(arena, a), *y = spk_sql_decimal_of(arena, b);
    return x && y ? spk_sql_decimal_result(arena, 'c', x, y) : NULL;
}

static const spk_sql_type *common_string(const spk_sql_type *other)
{
    if (spk_sql_is_integral(other))
        return spk_sql_type_of(SPK_SQL_BIGINT);
    if (spk_sql_is_numeric(other))
        return spk_sql_type_of(SPK_SQL_DOUBLE);
    /* of intervals nobody could say which one it is */
    return spk_sql_is_atomic(other) && !spk_sql_is_interval(other) ? other : NULL;
}

static const spk_sql_type *common_struct(
    spk_arena *arena, const spk_sql_type *a, const spk_sql_type *b, bool strings)
{
    spk_sql_field *fields
        = spk_arena_alloc(arena, (a->n + 1) * sizeof *fields, _Alignof(spk_sql_field));
    if (!fields || a->n != b->n)
        return NULL;
    for (uint32_t i = 0; i < a->n; i++) {
        const spk_sql_type *of
            = spk_sql_common(arena, a->fields[i].type, b->fields[i].type, strings);
        if (!of)
            return NULL;
        fields[i] = (spk_sql_field) { .name = a->fields[i].name,
            .type = of,
            .nullable = a->fields[i].nullable || b->fields[i].nullable };
    }
    return spk_sql_type_struct(arena, fields, a->n);
}

static bool is_time(spk_sql_kind kind)
{
    return kind == SPK_SQL_DATE || kind == SPK_SQL_TIMESTAMP || kind == SPK_SQL_TIMESTAMP_NTZ;
}

const spk_sql_type *spk_sql_common(
    spk_arena *arena, const spk_sql_type *a, const spk_sql_type *b, bool strings)
{
    if (spk_sql_type_equal(a, b))
        return a;
    if (a->kind == SPK_SQL_VOID || b->kind == SPK_SQL_VOID)
        return a->kind == SPK_SQL_VOID ? b : a;
    if (spk_sql_is_numeric(a) && spk_sql_is_numeric(b))
        return common_number(arena, a, b);
    if (strings && (a->kind == SPK_SQL_STRING) != (b->kind == SPK_SQL_STRING))
        return common_string(a->kind == SPK_SQL_STRING ? b : a);
    if (is_time(a->kind) && is_time(b->kind)) /* with a zone beats without, and both a date */
        return a->kind == SPK_SQL_TIMESTAMP || b->kind == SPK_SQL_DATE ? a : b;
    if (a->kind != b->kind)
        return NULL;
    const spk_sql_type *of, *key;
    switch (a->kind) {
    case SPK_SQL_INTERVAL_MONTHS:
    case SPK_SQL_INTERVAL_SECONDS:
        return spk_sql_type_interval(arena, (spk_sql_unit)least(a->precision, b->precision),
            (spk_sql_unit)most(a->scale, b->scale));
    case SPK_SQL_TIME:
        return a->precision > b->precision ? a : b;
    case SPK_SQL_ARRAY:
        of = spk_sql_common(arena, a->of, b->of, strings);
        return of ? spk_sql_type_array(arena, of, a->contains_null || b->contains_null) : NULL;
    case SPK_SQL_MAP:
        key = spk_sql_common(arena, a->key, b->key, strings);
        of = spk_sql_common(arena, a->of, b->of, strings);
        return key && of ? spk_sql_type_map(arena, key, of, a->contains_null || b->contains_null)
                         : NULL;
    case SPK_SQL_STRUCT:
        return common_struct(arena, a, b, strings);
    default:
        return NULL;
    }
}

SPK_COLD const spk_sql_type *spk_sql_common_of(
    spk_sql_build *b, spk_sql_expr *const args[], size_t n, bool strings)
{
    const spk_sql_type *type = spk_sql_type_of(SPK_SQL_VOID);
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < n && type; i++)
            if ((args[i]->type->kind == SPK_SQL_STRING) == (pass == 1))
                type = spk_sql_common(b->arena, type, args[i]->type, strings);
    return type;
}

/* ---- casts ---- */

static bool castable_atom(spk_sql_kind from, spk_sql_kind to)
{
    const bool number = from >= SPK_SQL_TINYINT && from <= SPK_SQL_DOUBLE;
    const bool to_number = to >= SPK_SQL_TINYINT && to <= SPK_SQL_DOUBLE;
    if (to == SPK_SQL_STRING || from == to)
        return true;
    if (from == SPK_SQL_STRING)
        return true;
    if (to == SPK_SQL_BOOLEAN)
        return number || from == SPK_SQL_TIMESTAMP ? number : false;
    if (to_number && to != SPK_SQL_DECIMAL)
        return number || from == SPK_SQL_BOOLEAN || from == SPK_SQL_TIMESTAMP
            || ((from == SPK_SQL_INTERVAL_MONTHS || from == SPK_SQL_INTERVAL_SECONDS
                    || from == SPK_SQL_TIME)
                && to <= SPK_SQL_BIGINT);
    if (to == SPK_SQL_DECIMAL)
        return number || from == SPK_SQL_BOOLEAN || from == SPK_SQL_TIMESTAMP
            || from == SPK_SQL_INTERVAL_MONTHS || from == SPK_SQL_INTERVAL_SECONDS
            || from == SPK_SQL_TIME;
    if (to == SPK_SQL_TIMESTAMP)
        return number || is_time(from);
    if (to == SPK_SQL_DATE || to == SPK_SQL_TIMESTAMP_NTZ)
        return is_time(from);
    if (to == SPK_SQL_TIME)
        return from == SPK_SQL_TIMESTAMP || from == SPK_SQL_TIMESTAMP_NTZ;
    if (to == SPK_SQL_INTERVAL_MONTHS || to == SPK_SQL_INTERVAL_SECONDS)
        return from >= SPK_SQL_TINYINT && from <= SPK_SQL_DECIMAL;
    return false;
}

bool spk_sql_castable(const spk_sql_type *from, const spk_sql_type *to)
{
    if (from->kind == SPK_SQL_VOID || spk_sql_type_equal(from, to))
        return true;
    if (to->kind == SPK_SQL_VOID)
        return false;
    if (spk_sql_is_atomic(from) && spk_sql_is_atomic(to)) {
        if (spk_sql_is_interval(from) && to->kind >= SPK_SQL_FLOAT && to->kind <= SPK_SQL_DOUBLE)
            return false;
        return castable_atom(from->kind, to->kind);
    }
    if (to->kind == SPK_SQL_STRING)
        return true;
    if (from->kind != to->kind)
        return false;
    if (from->kind == SPK_SQL_MAP && !spk_sql_castable(from->key, to->key))
        return false;
    if (from->kind == SPK_SQL_ARRAY || from->kind == SPK_SQL_MAP)
        return spk_sql_castable(from->of, to->of) && (to->contains_null || !from->contains_null);
    if (from->n != to->n)
        return false;
    for (uint32_t i = 0; i < from->n; i++)
        if (!spk_sql_castable(from->fields[i].type, to->fields[i].type)
            || (from->fields[i].nullable && !to->fields[i].nullable))
            return false;
    return true;
}

bool spk_sql_implicit(const spk_sql_type *from, const spk_sql_type *to)
{
    if (from->kind == SPK_SQL_VOID || spk_sql_type_same(from, to))
        return true;
    if (spk_sql_is_numeric(from) && spk_sql_is_numeric(to))
        return true;
    if (to->kind == SPK_SQL_STRING)
        return spk_sql_is_atomic(from) && from->kind != SPK_SQL_BINARY;
    if (from->kind == SPK_SQL_STRING)
        return spk_sql_is_atomic(to);
    if (spk_sql_is_interval(from) && from->kind == to->kind)
        return true;
    if (from->kind == SPK_SQL_ARRAY && to->kind == SPK_SQL_ARRAY)
        return spk_sql_implicit(from->of, to->of);
    return is_time(from->kind) && is_time(to->kind);
}

bool spk_sql_cast_fails(const spk_sql_type *from, const spk_sql_type *to)
{
    if (from->kind == SPK_SQL_VOID || to->kind == SPK_SQL_STRING)
        return false;
    if (from->kind == SPK_SQL_STRING)
        return to->kind != SPK_SQL_BINARY;
    if (spk_sql_is_integral(from) && to->kind == SPK_SQL_DECIMAL)
        return to->precision - to->scale < integral_digits(from->kind);
    if (from->kind == SPK_SQL_DECIMAL && to->kind == SPK_SQL_DECIMAL)
        return to->precision - to->scale < from->precision - from->scale || to->scale < from->scale;
    if (spk_sql_is_numeric(from) && spk_sql_is_numeric(to))
        return to->kind < from->kind;
    return from->kind != to->kind && from->kind != SPK_SQL_BOOLEAN && to->kind != SPK_SQL_BOOLEAN;
}
