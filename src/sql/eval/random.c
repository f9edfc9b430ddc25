/* SPDX-License-Identifier: Apache-2.0 */
/* rand, randn, uniform, randstr. The numbers of rand are Spark's: those of java.util.Random's methods over a
 * shift register of 64 bits that is started, for each partition, with the hash of seed + partition. The
 * register's step is linear, so that a batch begins anywhere: powers of the step are kept as matrices. Rows
 * count whether or not a filter in the same step has kept them. randn has a formula of its own. */
#include "base/small.h"

#include <math.h>

#include "sql/eval/kernel.h"
#include "sql/eval/resolve.h"

enum { POWERS = 44 }; /* 2^33 rows of up to 2^11 steps */

typedef struct jumps {
    uint64_t columns[POWERS][64]; /* of 2^k steps: what each bit becomes */
} jumps;

static uint64_t step(uint64_t x)
{
    x ^= x << 21;
    x ^= x >> 35;
    return x ^ x << 4;
}

static uint64_t apply(const uint64_t *columns, uint64_t x)
{
    uint64_t y = 0;
    for (int i = 0; i < 64; i++)
        y ^= x >> i & 1 ? columns[i] : 0;
    return y;
}

static SPK_COLD const void *prepare_jumps(spk_sql_build *b, const spk_sql_expr *e)
{
    jumps *j = spk_arena_alloc(b->arena, sizeof *j, _Alignof(jumps));
    (void)e;
    if (!j) {
        spk_sql_nomem(b->error);
        return NULL;
    }
    for (int i = 0; i < 64; i++)
        j->columns[0][i] = step(UINT64_C(1) << i);
    for (int k = 1; k < POWERS; k++)
        for (int i = 0; i < 64; i++)
            j->columns[k][i] = apply(j->columns[k - 1], j->columns[k - 1][i]);
    return j;
}

static uint64_t jump(const jumps *j, uint64_t x, uint64_t steps)
{
    for (int k = 0; steps > 0 && k < POWERS; k++, steps >>= 1)
        if (steps & 1)
            x = apply(j->columns[k], x);
    return x;
}

static uint32_t rotated(uint32_t x, int by)
{
    return x << by | x >> (32 - by);
}

/* murmur3: of a seed's eight bytes, the highest first, as words the lowest byte first. */
static uint32_t murmur3(uint64_t seed, uint32_t h)
{
    for (int word = 0; word < 2; word++) {
        uint32_t k = __builtin_bswap32((uint32_t)(word ? seed : seed >> 32));
        k = rotated(k * 0xcc9e2d51U, 15) * 0x1b873593U;
        h = rotated(h ^ k, 13) * 5 + 0xe6546b64U;
    }
    h ^= 8;
    h = (h ^ h >> 16) * 0x85ebca6bU;
    h = (h ^ h >> 13) * 0xc2b2ae35U;
    return h ^ h >> 16;
}

static uint64_t start(uint64_t seed)
{
    const uint32_t low = murmur3(seed, 0x3c074a61U), high = murmur3(seed, low);
    return (uint64_t)high << 32 | low;
}

/* seed_of: argument a, a constant; without one of the query's time and of where the call stands, so that two
 * calls are not the same and a common table that is read twice is. */
static uint64_t seed_of(const spk_sql_frame *f, uint32_t a)
{
    if (f->expr->n <= a)
        return (uint64_t)f->expr->session->now + (uint64_t)f->expr->span.from * UINT64_C(0x9e3779b97f4a7c15);
    const spk_sql_expr *e = f->expr->args[a];
    return e->null ? 0 : (uint64_t) * (const int64_t *)e->value;
}

/* register_at: of row i of the batch, each row having taken `steps`. */
typedef struct sequence {
    uint64_t x, row, steps;
} sequence;

static sequence begin(const spk_sql_frame *f, uint32_t a, uint64_t steps)
{
    const uint64_t first = spk_sql_run_first(f->run);
    const uint64_t row = first & ((UINT64_C(1) << 33) - 1);
    return (sequence) { jump(f->prepared, start(seed_of(f, a) + (first >> 33)), row * steps), 0, steps };
}

static void go_to(sequence *s, uint64_t row)
{
    for (uint64_t left = (row - s->row) * s->steps; left > 0; left--)
        s->x = step(s->x);
    s->row = row;
}

static void rand_(spk_sql_frame *f)
{
    sequence s = begin(f, 0, 2);
    SPK_EACH_ROW(f, i)
    {
        go_to(&s, i);
        const uint64_t high = step(s.x), low = step(high);
        const uint64_t bits = (high & ((1U << 26) - 1)) << 27 | (low & ((1U << 27) - 1));
        SPK_SQL_OUT(double, f, i) = (double)bits * 0x1p-53;
    }
}

static double unit(uint64_t seed, uint64_t row)
{
    uint64_t x = seed * UINT64_C(0x9e3779b97f4a7c15) + (row + 1) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return (double)((x ^ x >> 31) >> 11) * 0x1p-53;
}

static void randn(spk_sql_frame *f)
{
    const uint64_t seed = seed_of(f, 0);
    SPK_EACH_ROW(f, i)
    {
        const uint64_t row = spk_sql_run_first(f->run) + i;
        const double u = 1 - unit(seed, row), v = unit(~seed, row);
        SPK_SQL_OUT(double, f, i) = sqrt(-2 * log(u)) * cos(2 * M_PI * v);
    }
}

static void randstr(spk_sql_frame *f)
{
    static const char characters[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    const spk_sql_expr *length = f->expr->args[0];
    const int32_t n = length->null ? 0 : *(const int32_t *)length->value;
    if (n < 0) {
        spk_sql_error *e = spk_sql_raise(f, "INVALID_PARAMETER_VALUE.LENGTH");
        spk_sql_param(e, "parameter", "`length`");
        spk_sql_param(e, "functionName", "`randstr`");
        spk_sql_param(e, "length", "%d", n);
        return;
    }
    sequence s = begin(f, 1, (uint64_t)n);
    SPK_EACH_ROW(f, i)
    {
        char *out = spk_sql_alloc(f, (size_t)n + 1, 1);
        if (!out)
            return;
        go_to(&s, i);
        uint64_t x = s.x;
        for (int32_t k = 0; k < n; k++) {
            x = step(x);
            const int32_t rest = (int32_t)(uint32_t)x % 62;
            out[k] = characters[rest < 0 ? -rest : rest];
        }
        SPK_SQL_OUT(spark_str, f, i) = (spark_str) { out, (size_t)n };
    }
}

/* constant: argument i cast to what the letter says, as a constant. */
static SPK_COLD bool constant(spk_sql_build *b, spk_sql_expr *call, uint32_t i, char letter, const char *name)
{
    spk_sql_expr *given = call->args[i];
    if (!spk_sql_want(b, call, i, letter))
        return false;
    spk_sql_fold(b, &call->args[i]);
    if (!call->args[i] || call->args[i]->kind == SPK_SQL_CONSTANT)
        return call->args[i] != NULL;
    const char *text = spk_sql_expr_quoted(b, call), *input = spk_sql_expr_quoted(b, given);
    const char *type = spk_sql_type_quoted(b, given->type);
    if (spk_sql_fail(b->error, "DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", call->span)) {
        spk_sql_param(b->error, "inputExpr", "%s", input);
        spk_sql_param(b->error, "inputName", "`%s`", name);
        spk_sql_param(b->error, "inputType", "%s", type);
        spk_sql_param(b->error, "sqlExpr", "%s", text);
    }
    return false;
}

/* seed: argument i, an integer. */
static SPK_COLD bool seed(spk_sql_build *b, spk_sql_expr *call, uint32_t i)
{
    const spk_sql_type *t = call->n > i ? call->args[i]->type : NULL;
    if (!t)
        return true;
    if (t->kind != SPK_SQL_VOID && !spk_sql_is_integral(t)) {
        spk_sql_unexpected(b, call, i, i == 0 ? "(\"INT\" or \"BIGINT\")" : "integer");
        return false;
    }
    if (!constant(b, call, i, 'l', "seed"))
        return false;
    if (call->args[i]->null) /* is 0 */
        call->args[i] = spk_sql_number(b, "0L", 2, call->args[i]->span);
    return call->args[i] != NULL;
}

static SPK_COLD bool resolve_rand(spk_sql_build *b, spk_sql_expr *call)
{
    call->type = spk_sql_type_of(SPK_SQL_DOUBLE);
    return seed(b, call, 0);
}

static SPK_COLD bool resolve_randstr(spk_sql_build *b, spk_sql_expr *call)
{
    const spk_sql_type *t = call->args[0]->type;
    call->type = spk_sql_type_of(SPK_SQL_STRING);
    call->nullable = false;
    if (t->kind != SPK_SQL_VOID && !spk_sql_is_numeric(t)) {
        spk_sql_unexpected(b, call, 0, "INT or SMALLINT");
        return false;
    }
    return constant(b, call, 0, 'i', "length") && seed(b, call, 1);
}

/* edge_type: what both are; integers beside a FLOAT are FLOAT too. */
static SPK_COLD const spk_sql_type *edge_type(spk_sql_build *b, const spk_sql_type *x, const spk_sql_type *y)
{
    if ((x->kind == SPK_SQL_FLOAT && spk_sql_is_integral(y)) || (y->kind == SPK_SQL_FLOAT && spk_sql_is_integral(x)))
        return spk_sql_type_of(SPK_SQL_FLOAT);
    return spk_sql_common(b->arena, x, y, false);
}

/* resolve_uniform: least + (most - least) * rand(seed), as what both are. */
static SPK_COLD bool resolve_uniform(spk_sql_build *b, spk_sql_expr *call)
{
    static const char *const names[] = { "min", "max" };
    const spk_sql_type *both = edge_type(b, call->args[0]->type, call->args[1]->type);
    spk_sql_expr *edges[2];
    for (uint32_t i = 0; i < 2; i++) {
        const spk_sql_type *t = call->args[i]->type;
        if (t->kind != SPK_SQL_VOID && !spk_sql_is_numeric(t)) {
            spk_sql_unexpected(b, call, i, "integer or floating-point");
            return false;
        }
    }
    if (!seed(b, call, 2))
        return false;
    for (uint32_t i = 0; i < 2; i++) {
        spk_sql_expr *kept = call->args[i];
        if (!constant(b, call, i, 'd', names[i]))
            return false;
        edges[i] = call->args[i];
        call->args[i] = kept;
    }
    spk_sql_expr *random = spk_sql_call(b, "rand", call->n > 2 ? &call->args[2] : NULL, call->n > 2, call->span);
    spk_sql_expr *width = random
        ? spk_sql_call(b, "-", (spk_sql_expr *[]) { edges[1], edges[0] }, 2, call->span)
        : NULL;
    spk_sql_expr *part = width ? spk_sql_call(b, "*", (spk_sql_expr *[]) { width, random }, 2, call->span) : NULL;
    spk_sql_expr *sum = part ? spk_sql_call(b, "+", (spk_sql_expr *[]) { edges[0], part }, 2, call->span) : NULL;
    if (sum && both && both->kind != SPK_SQL_VOID)
        sum = spk_sql_cast(b, sum, both, false, call->span);
    return sum && spk_sql_rewrite(b, call, sum);
}

#define RAND(name_)                                                                                \
    {                                                                                              \
        .name = name_, .most = 1, .flags = SPK_SQL_RANDOM, .kernel = rand_, .resolve = resolve_rand, \
        .prepare = prepare_jumps, .printed = "rand"                                                \
    }

const spk_sql_function spk_sql_randoms[] = { RAND("rand"), RAND("random"),
    { .name = "randn", .most = 1, .flags = SPK_SQL_RANDOM, .kernel = randn, .resolve = resolve_rand },
    { .name = "randstr",
        .least = 1,
        .most = 2,
        .flags = SPK_SQL_RANDOM | SPK_SQL_NULL_AWARE | SPK_SQL_NEVER_NULL,
        .kernel = randstr,
        .resolve = resolve_randstr,
        .prepare = prepare_jumps },
    { .name = "uniform", .least = 2, .most = 3, .flags = SPK_SQL_RANDOM, .resolve = resolve_uniform }, { 0 } };
