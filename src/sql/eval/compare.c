/* SPDX-License-Identifier: Apache-2.0 */
/* = <=> <> < <= > >=, IN, BETWEEN: kernels for each type that is compared often, one for all
 * others. */
#include "sql/eval/compare.h"

#include <stdio.h>

#include "sql/eval/kernel.h"
#include "sql/eval/resolve.h"

static int compare_slots(const spk_sql_type *type, const void *a, const void *b)
{
    return !a || !b ? (a != NULL) - (b != NULL) : spk_sql_value_compare(type, a, b);
}

static int compare_arrays(const spk_sql_type *type, spk_sql_array a, spk_sql_array b)
{
    for (size_t i = 0; i < a.n && i < b.n; i++) {
        const int c = compare_slots(type->of, spk_sql_slot(type, a, i), spk_sql_slot(type, b, i));
        if (c != 0)
            return c;
    }
    return (a.n > b.n) - (a.n < b.n);
}

static int compare_structs(const spk_sql_type *type, const char *a, const char *b)
{
    for (uint32_t i = 0; i < type->n; i++) {
        const int c = compare_slots(
            type->fields[i].type, spk_sql_member(type, a, i), spk_sql_member(type, b, i));
        if (c != 0)
            return c;
    }
    return 0;
}

static int compare_maps(const spk_sql_type *type, spk_sql_array a, spk_sql_array b)
{
    for (size_t i = 0; i < a.n && i < b.n; i++) {
        const void *x, *y;
        const void *p = spk_sql_entry(type, a, i, &x), *q = spk_sql_entry(type, b, i, &y);
        int c = spk_sql_value_compare(type->key, p, q);
        c = c == 0 ? compare_slots(type->of, x, y) : c;
        if (c != 0)
            return c;
    }
    return (a.n > b.n) - (a.n < b.n);
}

#define THREE(T)                                                                                   \
    do {                                                                                           \
        const T x = *(const T *)a, y = *(const T *)b;                                              \
        return (x > y) - (x < y);                                                                  \
    } while (0)

int spk_sql_value_compare(const spk_sql_type *type, const void *a, const void *b)
{
    switch (type->kind) {
    case SPK_SQL_BOOLEAN:
        THREE(bool);
    case SPK_SQL_TINYINT:
        THREE(int8_t);
    case SPK_SQL_SMALLINT:
        THREE(int16_t);
    case SPK_SQL_INT:
    case SPK_SQL_DATE:
    case SPK_SQL_INTERVAL_MONTHS:
        THREE(int32_t);
    case SPK_SQL_FLOAT:
        return spk_sql_f64_compare(*(const float *)a, *(const float *)b);
    case SPK_SQL_DOUBLE:
        return spk_sql_f64_compare(*(const double *)a, *(const double *)b);
    case SPK_SQL_STRING:
    case SPK_SQL_BINARY:
        return spk_sql_str_compare(*(const spark_str *)a, *(const spark_str *)b);
    case SPK_SQL_DECIMAL: {
        const spk_i128 x = spk_sql_units(type, a), y = spk_sql_units(type, b);
        return (x > y) - (x < y);
    }
    case SPK_SQL_ARRAY:
        return compare_arrays(type, *(const spk_sql_array *)a, *(const spk_sql_array *)b);
    case SPK_SQL_MAP:
        return compare_maps(type, *(const spk_sql_array *)a, *(const spk_sql_array *)b);
    case SPK_SQL_STRUCT:
        return compare_structs(type, a, b);
    case SPK_SQL_VOID:
        return 0;
    default:
        THREE(int64_t);
    }
}

bool spk_sql_value_equal(const spk_sql_type *type, const void *a, const void *b)
{
    return spk_sql_value_compare(type, a, b) == 0;
}

/* ---- kernels ---- */

#define COMPARE(name, T, test)                                                                     \
    static void name(spk_sql_frame *f)                                                             \
    {                                                                                              \
        SPK_BINARY_LOOP(f, T, bool, out[i] = test);                                                \
    }
#define PLAIN(T, suffix)                                                                           \
    COMPARE(equal_##suffix, T, x == y)                                                             \
    COMPARE(differ_##suffix, T, x != y)                                                            \
    COMPARE(less_##suffix, T, x < y)                                                               \
    COMPARE(most_##suffix, T, x <= y)                                                              \
    COMPARE(more_##suffix, T, x > y)                                                               \
    COMPARE(least_##suffix, T, x >= y)
PLAIN(int8_t, i8)
PLAIN(int16_t, i16)
PLAIN(int32_t, i32)
PLAIN(int64_t, i64)
#define BY(T, compare, suffix)                                                                     \
    COMPARE(equal_##suffix, T, compare == 0)                                                       \
    COMPARE(differ_##suffix, T, compare != 0)                                                      \
    COMPARE(less_##suffix, T, compare < 0)                                                         \
    COMPARE(most_##suffix, T, compare <= 0)                                                        \
    COMPARE(more_##suffix, T, compare > 0)                                                         \
    COMPARE(least_##suffix, T, compare >= 0)
BY(float, spk_sql_f64_compare((double)x, (double)y), f32)
BY(double, spk_sql_f64_compare(x, y), f64)
COMPARE(equal_str, spark_str, spk_sql_str_equal(x, y))
COMPARE(differ_str, spark_str, !spk_sql_str_equal(x, y))
COMPARE(less_str, spark_str, spk_sql_str_compare(x, y) < 0)
COMPARE(most_str, spark_str, spk_sql_str_compare(x, y) <= 0)
COMPARE(more_str, spark_str, spk_sql_str_compare(x, y) > 0)
COMPARE(least_str, spark_str, spk_sql_str_compare(x, y) >= 0)

enum { EQUAL, DIFFER, LESS, AT_MOST, MORE, AT_LEAST };

static bool holds(int op, int c)
{
    return op == EQUAL  ? c == 0
        : op == DIFFER  ? c != 0
        : op == LESS    ? c < 0
        : op == AT_MOST ? c <= 0
        : op == MORE    ? c > 0
                        : c >= 0;
}

static int op_of(const char *name)
{
    static const char *const names[] = { "=", "<>", "<", "<=", ">", ">=" };
    for (int i = 0; i < 6; i++)
        if (strcmp(name, names[i]) == 0)
            return i;
    return strcmp(name, "!=") == 0 ? DIFFER
        : strcmp(name, "!>") == 0  ? AT_MOST
        : strcmp(name, "!<") == 0  ? AT_LEAST
                                   : EQUAL;
}

static void generic(spk_sql_frame *f)
{
    const int op = op_of(f->expr->function->name);
    const spk_sql_type *t = f->expr->args[0]->type;
    SPK_EACH_ROW(f, i)
    SPK_SQL_OUT(bool, f, i) = holds(op,
        spk_sql_value_compare(
            t, f->args[0].ptr + i * f->args[0].stride, f->args[1].ptr + i * f->args[1].stride));
}

#define ROW(suffix)                                                                                \
    {                                                                                              \
        equal_##suffix, differ_##suffix, less_##suffix, most_##suffix, more_##suffix,              \
            least_##suffix                                                                         \
    }
static spk_sql_kernel *const i8[] = ROW(i8), *const i16[] = ROW(i16), *const i32[] = ROW(i32),
                             *const i64[] = ROW(i64), *const f32[] = ROW(f32),
                             *const f64[] = ROW(f64), *const str[] = ROW(str);

static spk_sql_kernel *kernel_of(int op, const spk_sql_type *t)
{
    switch (t->kind) {
    case SPK_SQL_BOOLEAN:
    case SPK_SQL_TINYINT:
        return i8[op];
    case SPK_SQL_SMALLINT:
        return i16[op];
    case SPK_SQL_INT:
    case SPK_SQL_DATE:
    case SPK_SQL_INTERVAL_MONTHS:
        return i32[op];
    case SPK_SQL_DECIMAL:
        return t->size == 8 ? i64[op] : generic;
    case SPK_SQL_BIGINT:
    case SPK_SQL_TIMESTAMP:
    case SPK_SQL_TIMESTAMP_NTZ:
    case SPK_SQL_TIME:
    case SPK_SQL_INTERVAL_SECONDS:
        return i64[op];
    case SPK_SQL_FLOAT:
        return f32[op];
    case SPK_SQL_DOUBLE:
        return f64[op];
    case SPK_SQL_STRING:
    case SPK_SQL_BINARY:
        return str[op];
    default:
        return generic;
    }
}

/* null_safe: <=>, which looks at NULLs itself. */
static void null_safe(spk_sql_frame *f)
{
    const spk_sql_type *t = f->expr->args[0]->type;
    SPK_EACH_ROW(f, i)
    {
        const bool a = spk_sql_valid(&f->args[0], i), b = spk_sql_valid(&f->args[1], i);
        SPK_SQL_OUT(bool, f, i) = a && b
            ? spk_sql_value_compare(
                  t, f->args[0].ptr + i * f->args[0].stride, f->args[1].ptr + i * f->args[1].stride)
                == 0
            : a == b;
    }
}

/* same_scale: decimals of one scale and width need no cast. */
static bool same_scale(spk_sql_expr *const args[], size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (args[i]->type->kind != SPK_SQL_DECIMAL || args[i]->type->size != args[0]->type->size
            || args[i]->type->scale != args[0]->type->scale)
            return false;
    return true;
}

static SPK_COLD bool is_ordered(spk_sql_build *b, const spk_sql_expr *call, const spk_sql_type *t)
{
    if (spk_sql_is_ordered(t))
        return true;
    char name[64];
    const char *text = spk_sql_expr_quoted(b, call), *type = spk_sql_type_quoted(b, t);
    snprintf(name, sizeof name, "`%s`",
        call->function->printed ? call->function->printed : call->function->name);
    spk_sql_fail3(b->error, "DATATYPE_MISMATCH.INVALID_ORDERING_TYPE", call->span, "dataType", type,
        "functionName", name, "sqlExpr", text);
    return false;
}

SPK_COLD bool spk_sql_resolve_compare(spk_sql_build *b, spk_sql_expr *call)
{
    const char *name = call->function->name;
    spk_sql_expr equal = *call; /* a <> b is NOT a = b, and what is wrong is said of a = b */
    equal.function = op_of(name) == DIFFER ? spk_sql_function_find("=") : call->function;
    call->type = spk_sql_type_of(SPK_SQL_BOOLEAN);
    if (!same_scale(call->args, 2)) {
        const spk_sql_type *common
            = spk_sql_common(b->arena, call->args[0]->type, call->args[1]->type, true);
        if (!common)
            return spk_sql_diff_types(b, &equal);
        for (int i = 0; i < 2; i++)
            if (!(call->args[i] = spk_sql_coerce(b, call->args[i], common)))
                return false;
    }
    if (!is_ordered(b, &equal, call->args[0]->type))
        return false;
    call->kernel = strcmp(name, "<=>") == 0 ? null_safe
        : strcmp(name, "equal_null") == 0   ? null_safe
                                            : kernel_of(op_of(name), call->args[0]->type);
    return true;
}

/* ---- IN, BETWEEN ---- */

/* in: members after the first argument, evaluated only for rows that have not found theirs. */
static void in(spk_sql_frame *f)
{
    const spk_sql_type *t = f->expr->args[0]->type;
    const spk_sql_vector x = spk_sql_arg(f, 0, f->rows);
    uint16_t *left = spk_sql_alloc(f, (f->rows.n + 1) * sizeof *left, 2);
    uint32_t n = 0;
    if (!left || spk_sql_run_failed(f->run))
        return;
    SPK_EACH_ROW(f, i)
    {
        f->out_valid[i] = spk_sql_valid(&x, i);
        SPK_SQL_OUT(bool, f, i) = false;
        left[n] = (uint16_t)i;
        n += f->out_valid[i];
    }
    for (uint32_t a = 1; a < f->expr->n && n > 0; a++) {
        const spk_sql_vector y = spk_sql_arg(f, a, (spk_sql_rows) { left, n });
        uint32_t m = 0;
        if (spk_sql_run_failed(f->run))
            return;
        for (uint32_t k = 0; k < n; k++) {
            const uint32_t i = left[k];
            if (!spk_sql_valid(&y, i)) {
                f->out_valid[i] = 0; /* unless a later one is it */
            } else if (spk_sql_value_compare(t, x.ptr + i * x.stride, y.ptr + i * y.stride) == 0) {
                f->out_valid[i] = 1;
                SPK_SQL_OUT(bool, f, i) = true;
                continue;
            }
            left[m++] = (uint16_t)i;
        }
        n = m;
    }
}

/* members: the constants of an IN list, sorted: a search a row instead of a comparison a member. */
typedef struct members {
    const spk_sql_type *type;
    const char **at;
    size_t n;
    bool null;
} members;

static void sift(const members *m, size_t root, size_t n)
{
    for (size_t child; (child = 2 * root + 1) < n; root = child) {
        if (child + 1 < n && spk_sql_value_compare(m->type, m->at[child], m->at[child + 1]) < 0)
            child++;
        if (spk_sql_value_compare(m->type, m->at[root], m->at[child]) >= 0)
            return;
        const char *swap = m->at[root];
        m->at[root] = m->at[child];
        m->at[child] = swap;
    }
}

static void sort(const members *m)
{
    for (size_t i = m->n / 2; i-- > 0;)
        sift(m, i, m->n);
    for (size_t n = m->n; n-- > 1;) {
        const char *swap = m->at[0];
        m->at[0] = m->at[n];
        m->at[n] = swap;
        sift(m, 0, n);
    }
}

static SPK_COLD const void *prepare_in(spk_sql_build *b, const spk_sql_expr *call)
{
    members *m = spk_arena_alloc(b->arena, sizeof *m, _Alignof(members));
    const char **at = spk_arena_alloc(b->arena, call->n * sizeof *at, _Alignof(char *));
    if (!m || !at) {
        spk_sql_nomem(b->error);
        return NULL;
    }
    *m = (members) { .type = call->args[0]->type, .at = at };
    for (uint32_t i = 1; i < call->n; i++) {
        spk_sql_expr *member = call->args[i];
        if (member->kind != SPK_SQL_CONSTANT)
            return NULL;
        if (member->null)
            m->null = true;
        else
            at[m->n++] = member->value;
    }
    sort(m);
    return m;
}

static void in_constants(spk_sql_frame *f, const members *m)
{
    const spk_sql_vector x = spk_sql_arg(f, 0, f->rows);
    if (spk_sql_run_failed(f->run))
        return;
    SPK_EACH_ROW(f, i)
    {
        const bool valid = spk_sql_valid(&x, i);
        size_t from = 0, to = valid ? m->n : 0;
        bool found = false;
        while (from < to && !found) {
            const size_t middle = (from + to) / 2;
            const int c = spk_sql_value_compare(m->type, x.ptr + i * x.stride, m->at[middle]);
            found = c == 0;
            if (c < 0)
                to = middle;
            else
                from = middle + 1;
        }
        SPK_SQL_OUT(bool, f, i) = found;
        f->out_valid[i] = valid && (found || !m->null);
    }
}

static void in_any(spk_sql_frame *f)
{
    if (f->prepared)
        in_constants(f, f->prepared);
    else
        in(f);
}

static SPK_COLD bool resolve_in(spk_sql_build *b, spk_sql_expr *call)
{
    call->type = spk_sql_type_of(SPK_SQL_BOOLEAN);
    call->kernel = in_any;
    if (!same_scale(call->args, call->n)) {
        const spk_sql_type *common = spk_sql_common_of(b, call->args, call->n, true);
        if (!common)
            return spk_sql_data_diff(b, call);
        if (!spk_sql_coerce_folded(b, call->args, call->n, common))
            return false;
    }
    return is_ordered(b, call, call->args[0]->type);
}

/* between: two comparisons and AND. */
static SPK_COLD bool resolve_between(spk_sql_build *b, spk_sql_expr *call)
{
    spk_sql_expr *low[] = { call->args[0], call->args[1] },
                 *high[] = { call->args[0], call->args[2] };
    spk_sql_expr *both[2]
        = { spk_sql_call(b, ">=", low, 2, call->span), spk_sql_call(b, "<=", high, 2, call->span) };
    spk_sql_expr *made = both[0] && both[1] ? spk_sql_call(b, "and", both, 2, call->span) : NULL;
    if (!made)
        return false;
    return spk_sql_rewrite(b, call, made);
}

const spk_sql_function spk_sql_comparisons[] = {
    { .name = "=",
        .least = 2,
        .most = 2,
        .flags = SPK_SQL_INFIX,
        .resolve = spk_sql_resolve_compare },
    { .name = "==",
        .least = 2,
        .most = 2,
        .flags = SPK_SQL_INFIX,
        .resolve = spk_sql_resolve_compare,
        .printed = "=" },
    { .name = "<>",
        .least = 2,
        .most = 2,
        .flags = SPK_SQL_INFIX,
        .resolve = spk_sql_resolve_compare },
    { .name = "!=",
        .least = 2,
        .most = 2,
        .flags = SPK_SQL_INFIX,
        .resolve = spk_sql_resolve_compare },
    { .name = "<",
        .least = 2,
        .most = 2,
        .flags = SPK_SQL_INFIX,
        .resolve = spk_sql_resolve_compare },
    { .name = "<=",
        .least = 2,
        .most = 2,
        .flags = SPK_SQL_INFIX,
        .resolve = spk_sql_resolve_compare },
    { .name = ">",
        .least = 2,
        .most = 2,
        .flags = SPK_SQL_INFIX,
        .resolve = spk_sql_resolve_compare },
    { .name = ">=",
        .least = 2,
        .most = 2,
        .flags = SPK_SQL_INFIX,
        .resolve = spk_sql_resolve_compare },
    { .name = "!>",
        .least = 2,
        .most = 2,
        .flags = SPK_SQL_INFIX,
        .resolve = spk_sql_resolve_compare,
        .printed = "<=" },
    { .name = "!<",
        .least = 2,
        .most = 2,
        .flags = SPK_SQL_INFIX,
        .resolve = spk_sql_resolve_compare,
        .printed = ">=" },
    { .name = "<=>",
        .least = 2,
        .most = 2,
        .flags = SPK_SQL_INFIX | SPK_SQL_NULL_AWARE | SPK_SQL_NEVER_NULL,
        .resolve = spk_sql_resolve_compare },
    { .name = "equal_null",
        .least = 2,
        .most = 2,
        .flags = SPK_SQL_NULL_AWARE | SPK_SQL_NEVER_NULL,
        .resolve = spk_sql_resolve_compare },
    { .name = "in",
        .least = 2,
        .most = -1,
        .flags = SPK_SQL_LAZY,
        .resolve = resolve_in,
        .prepare = prepare_in },
    { .name = "between", .least = 3, .most = 3, .resolve = resolve_between },
    { 0 },
};
