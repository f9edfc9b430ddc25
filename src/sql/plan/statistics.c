/* SPDX-License-Identifier: Apache-2.0 */
/* Guesses at how much a plan gives: from the sizes of files and of RDDs from memory, and shares for what filters
 * keep. They decide in which order and how joins are computed, so they look at data alone: never at memory, nor
 * at what is in it. */
#include "base/small.h"

#include "sql/plan/analyze.h"

#include "rdd/memory.h"
#include "sql/eval/function.h"

enum {
    UNKNOWN_ROWS = 1000000, /* of an RDD that nothing is known of: too many for a table in memory */
    TEXT_BYTES = 10,        /* of a column in a file */
    STRING_BYTES = 16,      /* of a string, behind its view */
    DEEPEST = 64            /* of a lineage that is looked through */
};

static bool is_call(const spk_sql_expr *e, const char *name)
{
    return e->kind == SPK_SQL_CALL && e->function && strcmp(e->function->name, name) == 0;
}

/* ---- RDDs */

static size_t columns_of(const spark_type *type)
{
    const bool row = type->kind == SPARK_KIND_STRUCT || type->kind == SPARK_KIND_PAIR;
    return row && type->count ? type->count : 1;
}

/* in_files: rows of files that are read, once they are found; 0: that is not known. */
static double in_files(spark_rdd *rdd)
{
    spk_failure failure;
    const char *path;
    double bytes = 0;
    if (spk_rdd_prepare(rdd, &failure) != SPARK_OK) /* what is wrong, the action says */
        return 0;
    for (int p = 0; p < spk_rdd_partitions(rdd); p++) {
        const int64_t n = spk_rdd_reads(rdd, p, &path);
        bytes += n > 0 ? (double)n : 0;
    }
    return bytes / (double)(TEXT_BYTES * columns_of(rdd->layout->type)) + 1;
}

/* rows_in: of an RDD: those of all it is made of, as far as that is known. */
static double rows_in(spark_rdd *rdd, unsigned depth)
{
    uint64_t n;
    if (!rdd->layout || depth == DEEPEST || spk_rdd_stored(rdd))
        return UNKNOWN_ROWS;
    if (spk_memory_count(rdd, &n))
        return (double)n + 1;
    double rows = rdd->class->reads ? in_files(rdd) : 0;
    for (uint32_t i = 0; i < rdd->n_deps && i < 8; i++)
        rows += rows_in(rdd->deps[i].rdd, depth + (rdd->n_deps > 1 ? 16 : 1));
    return rows > 0 ? rows : UNKNOWN_ROWS;
}

static double scanned(const spk_plan *plan)
{
    spk_plan *own = (spk_plan *)(uintptr_t)plan; /* looked up once */
    spark_context *sc = own->rdd->sc;
    if (own->scanned > 0)
        return own->scanned;
    pthread_mutex_lock(&sc->plan_lock); /* edges that are cut stay, as long as somebody prepares */
    sc->preparing++;
    pthread_mutex_unlock(&sc->plan_lock);
    own->scanned = rows_in(own->rdd, 0);
    pthread_mutex_lock(&sc->plan_lock);
    sc->preparing--;
    pthread_mutex_unlock(&sc->plan_lock);
    return own->scanned;
}

/* ---- filters */

/* kept: which share of rows a condition leaves. */
static double kept(const spk_sql_expr *e, unsigned depth)
{
    if (e->kind == SPK_SQL_CONSTANT)
        return e->null ? 0 : 1;
    if (e->kind != SPK_SQL_CALL || !e->function || depth == DEEPEST)
        return 0.5;
    if (is_call(e, "and") || is_call(e, "or")) {
        const double x = kept(e->args[0], depth + 1), y = kept(e->args[1], depth + 1);
        return is_call(e, "and") ? x * y : x + y - x * y;
    }
    if (is_call(e, "not"))
        return 1 - kept(e->args[0], depth + 1);
    if (is_call(e, "=") || is_call(e, "<=>"))
        return 0.05;
    if (is_call(e, "<>"))
        return 0.95;
    if (is_call(e, "in"))
        return e->n > 1 && e->n < 11 ? 0.05 * (e->n - 1) : 0.5;
    if (is_call(e, "like") || is_call(e, "rlike"))
        return 0.1;
    if (is_call(e, "isnotnull"))
        return 1;
    return 0.3;
}

/* ---- plans */

static double row_bytes(const spk_plan *plan)
{
    double bytes = 0;
    for (size_t i = 0; i < plan->n_out; i++) {
        const spk_sql_type *type = plan->out[i].type;
        const bool views = type->kind == SPK_SQL_STRING || type->kind == SPK_SQL_BINARY || type->of;
        bytes += spk_sql_slot_size(type, plan->out[i].nullable) + (views ? STRING_BYTES : 0);
    }
    return bytes > 1 ? bytes : 1;
}

static double at_least_one(double x)
{
    return x > 1 ? x : 1;
}

/* join_size: a key has as many values as the smaller side has rows before filters. */
static spk_plan_size join_size(const spk_plan *plan, spk_plan_size l, spk_plan_size r)
{
    const double values = l.base < r.base ? l.base : r.base;
    spk_plan_size s = { l.rows, 0, l.base > r.base ? l.base : r.base };
    switch (plan->join) {
    case SPK_PLAN_SEMI: /* as many of the keys as are left on the right side; a filter of them is counted above it */
        if (plan->how == SPK_JOIN_BLOOM)
            break;
        s.rows = l.rows * (r.rows / r.base < 0.01 ? 0.01 : r.rows / r.base) * (plan->n_exprs ? 0.7 : 1);
        break;
    case SPK_PLAN_ANTI:
        s.rows = l.rows * 0.5;
        break;
    case SPK_PLAN_MARK:
    case SPK_PLAN_SINGLE:
        break;
    default:
        s.rows = l.rows * r.rows / (plan->n_exprs + plan->n_keys ? values : 1);
        if (plan->join != SPK_PLAN_INNER && plan->join != SPK_PLAN_RIGHT && s.rows < l.rows)
            s.rows = l.rows;
        if ((plan->join == SPK_PLAN_RIGHT || plan->join == SPK_PLAN_FULL) && s.rows < r.rows)
            s.rows = r.rows;
    }
    return s;
}

/* elements: of an array that is the same for each row, which it may be for thousands of them; else a few. */
static double elements(const spk_sql_expr *e)
{
    if (e->kind != SPK_SQL_CONSTANT || e->type->kind != SPK_SQL_ARRAY)
        return 4;
    return e->null ? 0 : (double)((const spk_sql_array *)e->value)->n;
}

/* rows_of: all but the bytes, of which only those of the plan itself are asked for. */
static spk_plan_size rows_of(const spk_plan *plan)
{
    spk_plan_size s = { 1, 0, 1 };
    if (plan->n_in)
        s = rows_of(plan->in[0]);
    switch (plan->kind) {
    case SPK_PLAN_SCAN:
        s.rows = s.base = scanned(plan);
        break;
    case SPK_PLAN_ROWS:
        s.rows = s.base = (double)plan->n_rows;
        break;
    case SPK_PLAN_RANGE:
        s.rows = s.base = plan->step ? ((double)plan->last - (double)plan->first) / (double)plan->step : 1;
        break;
    case SPK_PLAN_FILTER:
        for (size_t i = 0; i < plan->n_exprs; i++)
            s.rows *= kept(plan->exprs[i], 0);
        break;
    case SPK_PLAN_SAMPLE:
        s.rows *= plan->fraction;
        break;
    case SPK_PLAN_JOIN:
        s = join_size(plan, s, rows_of(plan->in[1]));
        break;
    case SPK_PLAN_AGGREGATE:
        s.rows = s.base = plan->n_exprs ? s.rows * 0.25 : 1;
        break;
    case SPK_PLAN_EXPAND:
        s.rows *= (double)plan->n_sets;
        break;
    case SPK_PLAN_UNION: {
        const spk_plan_size other = rows_of(plan->in[1]);
        s.rows += other.rows;
        s.base += other.base;
        break;
    }
    case SPK_PLAN_LIMIT:
        if (plan->limit >= 0 && (double)plan->limit < s.rows)
            s.rows = s.base = (double)plan->limit;
        break;
    case SPK_PLAN_GENERATE:
        s.rows *= elements(plan->exprs[0]);
        break;
    default:
        break;
    }
    s.rows = at_least_one(s.rows);
    s.base = at_least_one(s.base > s.rows ? s.base : s.rows);
    return s;
}

spk_plan_size spk_size_of(const spk_plan *plan)
{
    spk_plan_size s = rows_of(plan);
    s.bytes = s.rows * row_bytes(plan);
    return s;
}
