/* SPDX-License-Identifier: Apache-2.0 */
/* A join by a table: the right side is collected once, by a job before, into a table that all tasks probe;
 * the left side streams past it in its order, and what matches one row comes in the order of the right side.
 *
 * In one process such a table costs no copy for each task; what it holds is charged to the context's heap.
 * A side that turns out to be too much for that, where it was only guessed to be small, is shuffled after all, as the
 * other one; else it is SPARK_ENOMEM. RIGHT joins, and FULL ones without keys, are made of these by
 * exec/build_join.c. */
#include <stdlib.h>

#include <spark/action.h>

#include "rdd/action.h"
#include "rdd/replace.h"
#include "rdd/verb.h"
#include "sql/exec/build.h"
#include "sql/exec/join_table.h"

typedef struct join_state {
    spk_join_keys keys;
    struct spk_join_prober *prober; /* by columns; NULL: only by rows */
    spk_pairs *pairs;
    spk_arena *arenas, *scratch;
    spk_out out;
} join_state;

/* ---- the table */

void *spk_join_table_block(spk_join_rdd *j, int which, size_t bytes, spk_failure *failure)
{
    spk_heap *heap = &j->rdd.sc->heap;
    char text[300];
    spk_heap_free(heap, j->blocks[which], j->capacities[which]);
    j->blocks[which] = spk_heap_alloc(heap, bytes, &j->capacities[which]);
    if (!j->blocks[which])
        (void)spk_failure_set(failure, SPARK_ENOMEM, NULL, NULL, "%s",
            spk_heap_refusal(heap, "the right side of a join, all of which is kept,", bytes, text, sizeof text));
    return j->blocks[which];
}

void spk_join_table_drop(spk_join_rdd *j, int which)
{
    spk_heap_free(&j->rdd.sc->heap, j->blocks[which], j->capacities[which]);
    j->blocks[which] = NULL;
}

/* add_rows: those of a tape behind n others; what they point to, at *tail and on. tail NULL: how many bytes that will
 * be is added to *bytes. */
static spark_status add_rows(
    const spk_join_rdd *j, const spk_tape *tape, size_t n, char **tail, size_t *bytes, spk_failure *failure)
{
    const spk_layout *layout = j->join.right->layout;
    char *to = tail ? (char *)j->blocks[SPK_ROWS] + n * layout->size : NULL;
    spk_tape_reader reader = spk_tape_read(tape);
    const char *rows;
    size_t some = 0;
    spark_status status;
    while ((status = spk_tape_next(&reader, &rows, &some, failure)) == SPARK_OK && some) {
        for (size_t i = 0; !tail && i < some; i++)
            *bytes += spk_value_bytes(layout, rows + i * layout->size);
        if (!tail)
            continue;
        memcpy(to, rows, some * layout->size);
        for (size_t i = 0; layout->views && i < some; i++)
            *tail = spk_value_pack(layout, to + i * layout->size, *tail);
        to += some * layout->size;
    }
    spk_tape_reader_fini(&reader);
    return status;
}

/* keep_rows: the collected rows, as rows of the heap. */
static spark_status keep_rows(spk_join_rdd *j, spk_tape *tapes, int n_tapes, spk_failure *failure)
{
    const spk_layout *layout = j->join.right->layout;
    size_t bytes = 0;
    uint64_t n = 0;
    spark_status status = SPARK_OK;
    for (int i = 0; i < n_tapes; i++)
        n += tapes[i].n;
    if (n >= UINT32_MAX)
        return spk_failure_set(failure, SPARK_ENOMEM, NULL, NULL, "the right side of a join has too many rows");
    for (int i = 0; layout->views && i < n_tapes && status == SPARK_OK; i++)
        status = add_rows(j, &tapes[i], 0, NULL, &bytes, failure);
    const size_t row_bytes = (n * layout->size + 63) / 64 * 64;
    if (status != SPARK_OK)
        return status;
    const uint64_t limit = j->rdd.sc->heap.limit;
    if (j->guess && limit && row_bytes + bytes > limit / 2) /* tasks want some as well */
        return spk_failure_set(failure, SPARK_ENOMEM, NULL, NULL, "the right side of a join takes half of the memory");
    char *block = spk_join_table_block(j, SPK_ROWS, row_bytes + bytes + 1, failure);
    if (!block)
        return SPARK_ENOMEM;
    char *tail = block + row_bytes;
    for (int i = 0; i < n_tapes && status == SPARK_OK; i++) {
        status = add_rows(j, &tapes[i], j->n_rows, &tail, NULL, failure);
        j->n_rows += tapes[i].n;
        spk_tape_fini(&tapes[i]);
        tapes[i] = (spk_tape) { .n = 0 };
    }
    j->rows = block;
    j->collected = true;
    return status;
}

static void free_blocks(spk_join_rdd *j)
{
    for (int i = 0; i < SPK_JOIN_BLOCKS; i++)
        spk_join_table_drop(j, i);
    j->rows = NULL;
    j->keys = NULL;
    j->hashes = j->bits = NULL;
    j->ranks = j->heads = j->next = NULL;
    j->marks = NULL;
    j->filter_words = 0;
    j->passes = j->guarded = j->has_null = j->ranked = j->exact = j->single = false;
    j->collected = false;
}

/* too_large: a side that was taken for small: what can be done. */
static spark_status too_large(const spk_join_rdd *j, spk_failure *failure)
{
    if (failure->code == SPARK_ENOMEM && j->join.n_keys)
        spk_failure_append(failure, "; a side of the join was to be a table in memory: the hint SHUFFLE_HASH, or SET "
                                    "spark.sql.autoBroadcastJoinThreshold = -1, has both sides shuffled");
    return failure->code;
}

/* shuffled: a join with both sides shuffled, rows in a form; NULL: it cannot be made. */
static spark_rdd *shuffled(spk_join_rdd *j, spark_rdd *node, const spk_form *form)
{
    spk_query *q = j->join.query;
    const spk_form *out;
    spk_plan plan = *j->guess;
    spark_rdd *sides[] = { j->rdd.deps[0].rdd, j->right };
    const spk_form *in[] = { j->join.left, j->join.right };
    const bool marks = j->join.marks; /* its table is the left side's */
    plan.how = SPK_JOIN_SHUFFLED;
    spark_rdd *rdd = spk_exec_join_shuffled(q, sides[marks], sides[!marks], &plan, in[marks], in[!marks], &out);
    if (rdd && out->layout != node->layout) /* that of rows of the program */
        rdd = spk_build_as(q, rdd, &plan, out, form);
    return rdd && rdd->layout ? rdd : NULL;
}

bool spk_join_shuffle_both(spk_join_rdd *j, spark_rdd *node, const spk_form *form)
{
    spk_failure failure;
    spark_scope *scope = spark_scope_begin(node->sc);
    spk_cut *cut = malloc(sizeof *cut);
    spark_rdd *rdd = scope && cut ? shuffled(j, node, form) : NULL;
    const bool good = rdd && spk_rdd_prepare(rdd, &failure) == SPARK_OK;
    bool replaced = false;
    if (good) {
        spk_rdd_ref(rdd);
        spk_rdd_ref(node);
        if ((replaced = spk_rdd_replace(node, SPK_NO_CHECKPOINT, cut, rdd)))
            spk_rdd_partitions_set(node, spk_rdd_partitions(rdd));
    }
    if (good && !replaced) { /* it is to be written to files */
        spk_rdd_unref(rdd);
        spk_rdd_unref(node);
    }
    if (!replaced)
        free(cut);
    spark_scope_end(scope);
    return replaced;
}

static spark_status collect_right(spk_join_rdd *j, spk_failure *failure)
{
    spk_tape *tapes;
    int n;
    spark_status status = spk_collect_tapes("join", j->rdd.site, j->right, &tapes, &n, failure);
    if (status != SPARK_OK)
        return status;
    j->n_rows = 0;
    status = j->join.blooms ? spk_join_bloom_fill(j, tapes, n, failure) : keep_rows(j, tapes, n, failure);
    spk_tapes_free(tapes, n);
    if (status == SPARK_OK && j->join.n_keys && !j->join.blooms) /* what computed keys point to stays with the query */
        status = spk_join_table_fill(j, &j->join.query->arena, failure);
    if (status == SPARK_OK && j->join.marks) {
        if ((j->marks = spk_join_table_block(j, SPK_MARKS, j->n_rows + 1, failure)))
            memset(j->marks, 0, j->n_rows + 1);
        else
            status = SPARK_ENOMEM;
    }
    return status;
}

static SPK_COLD spark_status prepare_join(spark_rdd *rdd, spk_failure *failure)
{
    spk_join_rdd *j = SPK_NODE(spk_join_rdd, rdd);
    const spark_status status = j->collected ? SPARK_OK : collect_right(j, failure);
    if (status != SPARK_OK) {
        free_blocks(j);
        if (status == SPARK_ENOMEM && j->guess && !j->join.marks && spk_join_shuffle_both(j, rdd, j->join.out))
            return SPARK_OK;
        return too_large(j, failure);
    }
    spk_rdd_partitions_set(rdd, spk_rdd_partitions(rdd->deps[0].rdd));
    return SPARK_OK;
}

/* ---- probing */

static SPK_COLD bool open_join(spk_pipe *pipe, spk_op *op)
{
    const spk_join_rdd *r = SPK_NODE(spk_join_rdd, op->rdd);
    spk_arena *keep = spk_keep_of(pipe->task);
    join_state *s = spk_arena_alloc(keep, sizeof *s, 64);
    bool good = false;
    if (s) {
        memset(s, 0, sizeof *s);
        good = spk_join_keys_open(&s->keys, r, keep);
        s->arenas = spk_step_arenas(pipe->task);
        s->scratch = spk_step_arenas(pipe->task);
    }
    if (!good || !s->arenas || !s->scratch) {
        spk_task_nomem(pipe->task);
        return false;
    }
    op->state = s;
    if (r->by && !(s->prober = spk_join_columns_open(r, pipe->task, &s->keys)))
        return false;
    s->pairs = spk_pairs_new(&r->join, pipe->task, keep, &s->out);
    return s->pairs != NULL;
}

struct spk_join_prober *spk_join_prober_of(const spk_op *op)
{
    return ((const join_state *)op->state)->prober;
}

/* look_up: a left row and those of the right side that have its key, from `at` - 1 on. */
static inline void look_up(const spk_join_rdd *r, join_state *s, const char *row, uint32_t i, uint32_t at)
{
    const size_t size = r->join.right->layout->size;
    for (; at && s->pairs->more && !spk_pairs_done(s->pairs); at = spk_join_next(r, at))
        if (spk_join_same(r, &s->keys, i, at))
            spk_pairs_add(s->pairs, row, r->rows + (at - 1) * size, r->marks ? &r->marks[at - 1] : NULL);
}

static void probe_row(const spk_join_rdd *r, join_state *s, const char *row, uint32_t i, uint32_t head)
{
    const size_t size = r->join.right->layout->size;
    bool all = false; /* it meets all rows */
    if (!r->join.n_keys) {
        for (size_t k = 0; k < r->n_rows && s->pairs->more && !spk_pairs_done(s->pairs); k++)
            spk_pairs_add(s->pairs, row, r->rows + k * size, NULL);
    } else if (r->join.null_aware && (r->has_null || (!s->keys.usable[i] && r->n_rows))) {
        all = true;
    } else {
        look_up(r, s, row, i, head);
    }
    if (r->join.kind != SPK_PLAN_INNER && s->pairs->more)
        spk_pairs_end(s->pairs, row, all);
}

static void probe(const spk_join_rdd *r, join_state *s, spark_task *task, const char *rows, uint32_t n)
{
    const spk_join *j = &r->join;
    spk_form_inputs(j->left, rows, s->keys.inputs);
    if (j->n_keys && !spk_join_keys_find(&s->keys, r, (spk_sql_rows) { NULL, n }, n, &s->scratch[0])) {
        spk_query_task_fails(j->query, task, spk_sql_run_error(s->keys.run));
        return;
    }
    for (uint32_t i = 0, c = 0; i < n && s->pairs->more; i++) {
        const bool found = j->n_keys && c < s->keys.n_found && s->keys.found[c] == i;
        probe_row(r, s, rows + i * (size_t)j->left->layout->size, i, found ? s->keys.heads[c] : 0);
        c += found;
    }
    spk_pairs_settle(s->pairs);
}

static void run_join(spk_pipe *pipe, spk_op *op, spk_batch *batch)
{
    const spk_join_rdd *j = SPK_NODE(spk_join_rdd, op->rdd);
    join_state *s = op->state;
    const spk_batch in = *batch;
    batch->n = 0;
    spk_recycle(pipe->task, &s->scratch[0]);
    if (!spk_out_open(&s->out, pipe, (size_t)(op - pipe->ops) + 1, op->rdd->layout->size, s->arenas))
        return;
    s->pairs->more = !s->out.head.closed;
    for (size_t i = 0; i < in.n && s->pairs->more && !spk_task_failed(pipe->task); i += SPK_SQL_BATCH) {
        const size_t n = in.n - i < SPK_SQL_BATCH ? in.n - i : SPK_SQL_BATCH;
        probe(j, s, pipe->task, in.rows + i * j->join.left->layout->size, (uint32_t)n);
    }
    spk_out_close(&s->out, batch);
}

static void release_join(spark_rdd *rdd)
{
    spk_join_rdd *j = SPK_NODE(spk_join_rdd, rdd);
    if (j->right)
        spk_rdd_unref(j->right);
    free_blocks(j);
    if (j->join.query)
        spk_query_unref(j->join.query);
}

static const spk_class join_class = { .name = "BroadcastJoinRDD",
    .open = open_join,
    .run = run_join,
    .prepare = prepare_join,
    .release = release_join };

const spk_taker *spk_join_taker(const spark_rdd *rdd)
{
    return rdd->class == &join_class && SPK_NODE(spk_join_rdd, rdd)->by ? &spk_join_by_columns : NULL;
}

static SPK_COLD spark_rdd *make(spk_query *q, spark_rdd *left, spark_rdd *right, const spk_plan *plan,
    const spk_form *in, const spk_form *in2, const spk_form *out, bool marks)
{
    spk_join join;
    spk_verb v;
    bool made;
    if (!spk_join_describe(q, plan, in, in2, out, &join))
        return NULL;
    join.marks = marks;
    const struct spk_join_columns *by = spk_join_columns_plan(q, plan, &join);
    if (spk_sql_failed(&q->error))
        return NULL;
    spk_verb_begin(&v, q->analyzer.site, "join", NULL, 1, &left, NULL);
    spk_failure failure;
    const int planned = left->layout ? spk_rdd_planned(left, &failure) : -1; /* of files: they are found now */
    spark_rdd *rdd = spk_verb_make(&v, &join_class, sizeof(spk_join_rdd), out->layout, &made);
    if (made) {
        spk_join_rdd *j = SPK_NODE(spk_join_rdd, rdd);
        j->join = join;
        j->by = by;
        spk_query_ref(q);
        j->right = right;
        spk_rdd_ref(right);
        if (join.n_keys && !marks && !join.blooms && spk_hint_of(plan->in[1]) != SPK_HINT_BROADCAST)
            j->guess = plan;
        rdd->planned = planned;
    }
    return rdd;
}

spark_rdd *spk_exec_join_table(spk_query *q, spark_rdd *left, spark_rdd *right, const spk_plan *plan,
    const spk_form *in, const spk_form *in2, const spk_form *out)
{
    return make(q, left, right, plan, in, in2, out, false);
}

spark_rdd *spk_exec_join_probe(spk_query *q, spark_rdd *left, spark_rdd *right, const spk_plan *plan,
    const spk_form *in, const spk_form *in2, const spk_form *out)
{
    return make(q, left, right, plan, in, in2, out, true);
}
