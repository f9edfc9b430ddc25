/* SPDX-License-Identifier: Apache-2.0 */
/* A semi or anti join whose left side is small and whose right side is not: the table is made of the left side, rows
 * of the right side that stream past mark what they match, in a job before, and the rows with a mark, or those
 * without, come out in their order. Marks are the same however often and in whatever order they are made. */
#include <spark/action.h>

#include "rdd/action.h"
#include "rdd/verb.h"
#include "sql/exec/join_table.h"

typedef struct marked_rdd {
    spark_rdd rdd;
    spk_query *query;
    spark_rdd *probe; /* a reference: the right side past the table; no rows come out of it */
    bool wanted;      /* rows with a mark */
    bool done;
} marked_rdd;

static SPK_COLD spark_status prepare_marked(spark_rdd *rdd, spk_failure *failure)
{
    marked_rdd *m = SPK_NODE(marked_rdd, rdd);
    spk_join_rdd *j = SPK_NODE(spk_join_rdd, m->probe);
    spark_array none;
    if (!m->done) {
        if (spk_collect_as("join", rdd->site, m->probe, NULL, &none) != SPARK_OK) {
            *failure = *spk_last_failure();
            if (failure->code == SPARK_ENOMEM && !j->collected && spk_join_shuffle_both(j, rdd, j->join.right))
                return SPARK_OK;
            return failure->code;
        }
        spark_array_free(&none);
        m->done = true;
    }
    spk_rdd_partitions_set(rdd, 1);
    return SPARK_OK;
}

static void produce_marked(spk_pipe *pipe, spark_rdd *rdd, int partition)
{
    const marked_rdd *m = SPK_NODE(marked_rdd, rdd);
    const spk_join_rdd *j = SPK_NODE(spk_join_rdd, m->probe);
    const size_t size = rdd->layout->size, room = spk_pipe_rows(pipe, size);
    char *rows = spk_arena_alloc(spk_keep_of(pipe->task), room * size + 1, 64);
    (void)partition;
    if (!rows) {
        spk_task_nomem(pipe->task);
        return;
    }
    for (size_t i = 0; i < j->n_rows && !spk_task_failed(pipe->task);) {
        const size_t asked = spk_pipe_rows(pipe, size), most = asked < room ? asked : room;
        size_t n = 0;
        for (; i < j->n_rows && n < most; i++)
            if ((j->marks[i] != 0) == m->wanted)
                memcpy(rows + n++ * size, j->rows + i * size, size);
        if (!spk_push(pipe, rows, n))
            return;
    }
}

static void release_marked(spark_rdd *rdd)
{
    marked_rdd *m = SPK_NODE(marked_rdd, rdd);
    if (m->probe)
        spk_rdd_unref(m->probe);
    if (m->query)
        spk_query_unref(m->query);
}

spark_rdd *spk_exec_join_marked(spk_query *q, spark_rdd *left, spark_rdd *right, const spk_plan *plan,
    const spk_form *in, const spk_form *in2)
{
    static const spk_class class = { .name = "BroadcastJoinRDD",
        .prepare = prepare_marked,
        .produce = produce_marked,
        .release = release_marked };
    spk_analyzer *a = &q->analyzer;
    spk_verb v;
    bool made;
    spk_plan *turned = spk_plan_join_of(a, SPK_PLAN_INNER, plan->in[1], plan->in[0], plan->exprs, plan->n_exprs, NULL);
    for (size_t i = 0; turned && i < plan->n_keys; i++) {
        const spk_plan_key k = plan->keys[i];
        SPK_ADD(a, turned->keys, turned->n_keys, (spk_plan_key) { k.right, k.left, k.null_safe });
    }
    if (!turned || spk_sql_failed(&q->error))
        return NULL;
    turned->how = SPK_JOIN_TABLE;
    turned->n_out = 0;
    const spk_form *nothing = spk_form_of_plan(q, turned);
    spark_rdd *probe = nothing ? spk_exec_join_probe(q, right, left, turned, in2, in, nothing) : NULL;
    if (!probe)
        return NULL;
    spk_verb_source(&v, q->analyzer.site, "join", q->sc);
    if (!probe->layout)
        return probe; /* it carries an error */
    spark_rdd *rdd = spk_verb_make(&v, &class, sizeof(marked_rdd), in->layout, &made);
    if (made) {
        marked_rdd *m = SPK_NODE(marked_rdd, rdd);
        m->wanted = plan->join == SPK_PLAN_SEMI;
        m->probe = probe;
        SPK_NODE(spk_join_rdd, probe)->guess = plan;
        spk_rdd_ref(probe);
        m->query = q;
        spk_query_ref(q);
        rdd->planned = 1;
    }
    return rdd;
}
