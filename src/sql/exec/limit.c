/* SPDX-License-Identifier: Apache-2.0 */
/* LIMIT and OFFSET, and ORDER BY. The first rows: each partition gives no more than as many as are wanted,
 * and one partition takes them one after the other. */
#include <spark/sort.h>
#include <spark/transform.h>

#include "rdd/sorting.h"
#include "rdd/verb.h"
#include "shuffle/smallest.h"
#include "sql/exec/columns.h"

enum { MOST_KEPT = 64 * 1024 }; /* sorting all is no more work for more than so many rows */
enum { MOST_AT_ONCE = 1024 };

typedef struct limit_rdd {
    spark_rdd rdd;
    uint64_t skipped, most;
} limit_rdd;

static void run_limit(spk_pipe *pipe, spk_op *op, spk_batch *batch)
{
    const limit_rdd *r = SPK_NODE(limit_rdd, op->rdd);
    const uint64_t from = op->seen < r->skipped ? r->skipped - op->seen : 0;
    const uint64_t end = r->most > UINT64_MAX - r->skipped ? UINT64_MAX : r->skipped + r->most;
    const uint64_t left = end > op->seen ? end - op->seen : 0;
    const uint64_t to = left < batch->n ? left : batch->n;
    (void)pipe;
    if (from >= to) {
        batch->n = 0;
        return;
    }
    batch->rows += from * op->rdd->layout->size;
    batch->n = (size_t)(to - from);
}

static SPK_COLD spark_rdd *limited(spk_query *q, spark_rdd *rdd, uint64_t skipped, uint64_t most)
{
    static const spk_class class = { .name = "MapPartitionsRDD", .run = run_limit };
    spk_verb v;
    bool made;
    spk_verb_begin(&v, q->analyzer.site, "limit", NULL, 1, &rdd, NULL);
    rdd = spk_verb_make(&v, &class, sizeof(limit_rdd), v.in, &made);
    if (made) {
        SPK_NODE(limit_rdd, rdd)->skipped = skipped;
        SPK_NODE(limit_rdd, rdd)->most = most;
    }
    return rdd;
}

SPK_COLD spark_rdd *spk_exec_limit(spk_query *q, spark_rdd *rdd, const spk_plan *plan)
{
    const uint64_t most = plan->limit < 0 ? UINT64_MAX : (uint64_t)plan->limit, skipped = (uint64_t)plan->offset;
    (void)q;
    if (plan->limit >= 0)
        rdd = limited(q, rdd, 0, most > UINT64_MAX - skipped ? UINT64_MAX : most + skipped);
    return limited(q, (spark_coalesce)(q->analyzer.site, rdd, 1), skipped, most);
}

/* ---- the first rows of an order: each partition gives as many as are wanted, to be sorted then */

typedef struct top_rdd {
    spark_rdd rdd;
    spk_ordering ordering;
    spk_smallest_by by;
    const spk_slot *first; /* what rows are ordered by first, where the scan below can be told of it; or NULL */
    size_t column;         /* of the scan */
    bool descending;
    bool shares;
    _Atomic int64_t bound; /* where tasks share it: what the scan is told is the best that any task has come to */
} top_rdd;

typedef struct top_state {
    spk_smallest kept;
    const char *told; /* the row that the scan was told of last */
    spk_arena *arenas;
} top_state;

static void end_top(void *data)
{
    spk_smallest_fini(&((top_state *)data)->kept);
}

/* is_told: whether what comes is from the scan, not from a cache. */
static bool is_told(const top_rdd *r, const spk_pipe *pipe, const spk_op *op)
{
    return r->first && op != pipe->ops && op[-1].rdd == op->rdd->deps[0].rdd;
}

/* share: a bound is the task's own, and may become that of all: as many rows as are wanted are not behind it, wherever
 * they are. Rows that are behind it are not among the first, so that nobody sees whether they were read. */
static int64_t share(top_rdd *r, int64_t x)
{
    int64_t best = atomic_load_explicit(&r->bound, memory_order_relaxed);
    while ((r->descending ? x > best : x < best)
        && !atomic_compare_exchange_weak_explicit(
            &r->bound, &best, x, memory_order_relaxed, memory_order_relaxed))
        ;
    return r->descending ? (x > best ? x : best) : x < best ? x : best;
}

static SPK_COLD bool open_top(spk_pipe *pipe, spk_op *op)
{
    top_rdd *r = SPK_NODE(top_rdd, op->rdd);
    top_state *s = spk_arena_alloc(spk_keep_of(pipe->task), sizeof *s, 64);
    if (s && (s->arenas = spk_step_arenas(pipe->task)) != NULL) {
        spk_smallest_init(&s->kept, pipe->task->heap, &r->by);
        s->told = NULL;
        if (r->shares && is_told(r, pipe, op))
            spk_columns_bound(op - 1, r->column, atomic_load_explicit(&r->bound, memory_order_relaxed), r->descending);
        spark_defer(pipe->task, end_top, s);
        op->state = s;
        return !spk_task_failed(pipe->task);
    }
    spk_task_nomem(pipe->task);
    return false;
}

/* tell_scan: rows that come first are there already; what is behind them in the first key need not be read. */
static void tell_scan(top_rdd *r, top_state *s, spk_op *op)
{
    const char *last = s->kept.last;
    int64_t x;
    if (!last || last == s->told)
        return;
    s->told = last;
    if ((!r->first->nullable || last[r->first->offset])
        && spk_column_whole(r->first->type, last + r->first->value, &x))
        spk_columns_bound(op - 1, r->column, r->shares ? share(r, x) : x, r->descending);
}

static void run_top(spk_pipe *pipe, spk_op *op, spk_batch *batch)
{
    enum { PIECE = 512 };
    top_rdd *r = SPK_NODE(top_rdd, op->rdd);
    top_state *s = op->state;
    const size_t size = op->rdd->layout->size;
    uint64_t prefixes[PIECE];
    for (size_t from = 0, n; from < batch->n; from += n) {
        const char *rows = batch->rows + from * size;
        n = batch->n - from < PIECE ? batch->n - from : PIECE;
        spk_ordering_prefixes(&r->ordering, rows, size, n, prefixes);
        for (size_t i = 0; i < n; i++)
            if (prefixes[i] <= s->kept.bound
                && !spk_smallest_add(&s->kept, prefixes[i], 0, op->seen + from + i, rows + i * size)) {
                spk_task_nomem(pipe->task);
                break;
            }
    }
    if (is_told(r, pipe, op))
        tell_scan(r, s, op);
    batch->n = 0;
}

static void finish_top(spk_pipe *pipe, spk_op *op, spk_batch *batch)
{
    const size_t size = op->rdd->layout->size;
    top_state *s = op->state;
    spk_out out;
    bool more = true;
    if (!spk_smallest_cut(&s->kept)) {
        spk_task_nomem(pipe->task);
        return;
    }
    if (!spk_out_open(&out, pipe, (size_t)(op - pipe->ops) + 1, size, s->arenas))
        return;
    for (size_t i = 0; i < s->kept.n && more; i++)
        more = spark_emit_(&out.head, spk_smallest_row(&s->kept, i), size);
    spk_out_close(&out, batch);
}

/* top: first: the slot that `order` begins with; NULL: it begins with something else. */
static SPK_COLD spark_rdd *top(spk_query *q, spark_rdd *rdd, const spark_order *order, uint64_t n, const spk_form *form,
    const spk_slot *first)
{
    const size_t column = first ? (size_t)(first - form->slots) : 0;
    const bool bounded = first && spk_columns_bounded(rdd, column);
    static const spk_class class
        = { .name = "MapPartitionsRDD", .open = open_top, .run = run_top, .finish = finish_top };
    spk_verb v;
    bool made;
    spk_failure failure;
    spk_verb_begin(&v, q->analyzer.site, "top", NULL, 1, &rdd, NULL);
    const spark_rdd *below = rdd;
    rdd = spk_verb_make(&v, &class, sizeof(top_rdd), v.in, &made);
    if (!made)
        return rdd;
    top_rdd *r = SPK_NODE(top_rdd, rdd);
    r->by = (spk_smallest_by) { rdd->layout, &r->ordering, n, UINT64_MAX };
    r->first = bounded ? first : NULL;
    r->column = column;
    r->descending = order->keys[0].descending;
    r->shares = bounded && spk_columns_sure(below);
    atomic_init(&r->bound, r->descending ? INT64_MIN : INT64_MAX);
    if (spk_ordering_make(&r->ordering, q->sc->types, rdd->layout, order, &failure) == SPARK_OK)
        return rdd;
    return spk_verb_undo(&v, rdd, &failure);
}

/* ---- */

static const spk_slot *slot_of(const spk_plan *plan, const spk_form *form, const spk_sql_expr *e)
{
    for (size_t i = 0; i < plan->n_out; i++)
        if (e->kind == SPK_SQL_COLUMN && plan->out[i].id == e->column)
            return &form->slots[i];
    return NULL;
}

/* An optional that is absent sorts first, and last where it is descending, as Spark has it unless NULLS
 * FIRST or LAST is said; then the present byte is a key of its own. */
SPK_COLD spark_rdd *spk_exec_sort(
    spk_query *q, spark_rdd *rdd, const spk_plan *plan, const spk_form *in, uint64_t most)
{
    spk_analyzer *a = &q->analyzer;
    const spk_plan *below = plan->in[0];
    const spk_form *form = in;
    spk_sql_expr **exprs = NULL;
    spk_column *columns = NULL;
    size_t n = 0, m = 0;
    for (size_t i = 0; i < below->n_out; i++) {
        SPK_ADD(a, exprs, n, spk_attr_column(a, &below->out[i], SPK_SQL_NOWHERE));
        SPK_ADD(a, columns, m, (spk_column) { in->slots[i].type, in->slots[i].nullable });
    }
    for (size_t i = 0; i < plan->n_sort; i++) {
        const spk_plan_sort *s = &plan->sort[i];
        if (s->nulls_last == s->descending || !s->expression->nullable)
            continue;
        spk_sql_expr *e = spk_sql_call(&a->build, s->nulls_last ? "isnull" : "isnotnull", &plan->sort[i].expression,
            1, SPK_SQL_NOWHERE);
        SPK_ADD(a, exprs, n, e);
        SPK_ADD(a, columns, m, (spk_column) { spk_sql_type_of(SPK_SQL_BOOLEAN), false });
    }
    if (spk_sql_failed(&q->error))
        return NULL;
    if (n > below->n_out) {
        form = spk_form_of(q, columns, n, NULL);
        rdd = form ? spk_exec_eval(q, rdd, below, in, NULL, 0, exprs, n, form) : NULL;
    }
    if (!rdd || !rdd->layout)
        return rdd;
    spark_order_key *keys = NULL;
    size_t k = 0, flag = below->n_out;
    const spk_slot *first = NULL;
    const spark_type *type = form->layout->type;
    for (size_t i = 0; i < plan->n_sort; i++) {
        const spk_plan_sort *s = &plan->sort[i];
        const spk_slot *slot = slot_of(below, form, s->expression);
        if (!slot)
            continue; /* a constant */
        if (s->nulls_last != s->descending && s->expression->nullable) {
            SPK_ADD(a, keys, k, (spark_order_key) { type->fields[flag].name, form->slots[flag].offset, false });
            flag++;
        }
        const size_t member = (size_t)(slot - form->slots);
        if (k == 0)
            first = slot;
        SPK_ADD(a, keys, k, (spark_order_key) { type->fields[member].name, slot->offset, s->descending });
    }
    if (k) {
        const spark_order order = { "sql", type, k, keys };
        if (most <= MOST_KEPT)
            rdd = top(q, rdd, &order, most, form, first);
        /* few come from each partition: one task sorts them, and none is computed for a sample before */
        rdd = (spark_sort_by)(q->analyzer.site, rdd, &order, most <= MOST_AT_ONCE ? 1 : q->partitions);
        spk_sort_keeps(rdd);
    }
    if (n > below->n_out && rdd->layout) { /* the flags go */
        spk_plan wide = *below;
        wide.out = NULL;
        wide.n_out = 0;
        for (size_t i = 0; i < n; i++)
            spk_plan_out(a, &wide,
                i < below->n_out ? below->out[i] : (spk_attr) { UINT32_MAX, "", columns[i].type, false });
        rdd = spk_exec_eval(q, rdd, &wide, form, NULL, 0, exprs, below->n_out, in);
    }
    return rdd;
}
