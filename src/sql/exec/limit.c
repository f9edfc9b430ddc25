/* SPDX-License-Identifier: Apache-2.0 */
/* LIMIT and OFFSET, and ORDER BY. The first rows: each partition gives no more than as many as are wanted,
 * and one partition takes them one after the other. */
#include <spark/sort.h>
#include <spark/transform.h>

#include "rdd/verb.h"
#include "sql/exec/query.h"

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

static spark_rdd *limited(spark_rdd *rdd, uint64_t skipped, uint64_t most)
{
    static const spk_class class = { .name = "MapPartitionsRDD", .run = run_limit };
    spk_verb v;
    bool made;
    spk_verb_begin(&v, "sql", "limit", NULL, 1, &rdd, NULL);
    rdd = spk_verb_make(&v, &class, sizeof(limit_rdd), v.in, &made);
    if (made) {
        SPK_NODE(limit_rdd, rdd)->skipped = skipped;
        SPK_NODE(limit_rdd, rdd)->most = most;
    }
    return rdd;
}

spark_rdd *spk_exec_limit(spk_query *q, spark_rdd *rdd, const spk_plan *plan)
{
    const uint64_t most = plan->limit < 0 ? UINT64_MAX : (uint64_t)plan->limit, skipped = (uint64_t)plan->offset;
    (void)q;
    if (plan->limit >= 0)
        rdd = limited(rdd, 0, most > UINT64_MAX - skipped ? UINT64_MAX : most + skipped);
    return limited((spark_coalesce)("sql", rdd, 1), skipped, most);
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
spark_rdd *spk_exec_sort(spk_query *q, spark_rdd *rdd, const spk_plan *plan, const spk_form *in)
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
        SPK_ADD(a, keys, k, (spark_order_key) { type->fields[member].name, slot->offset, s->descending });
    }
    if (k) {
        const spark_order order = { "sql", type, k, keys };
        rdd = (spark_sort_by)("sql", rdd, &order, 0);
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
