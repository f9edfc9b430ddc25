/* SPDX-License-Identifier: Apache-2.0 */
/* Joins: the right side is collected once, by a job before, into a table that all tasks probe; the left
 * side streams past it in its order, and what matches one row comes in the order of the right side. Pairs
 * that agree in the keys are made rows of both sides, on which the remaining conditions run, a batch at a
 * time. What kind of join it is decides what comes out of that.
 *
 * In one process such a table costs no copy for each task; what it holds is charged to the context's heap,
 * and too much of it is SPARK_ENOMEM. RIGHT and FULL joins are made of these by exec/build.c. */
#include <spark/action.h>

#include "base/hash.h"
#include "rdd/action.h"
#include "rdd/verb.h"
#include "sql/exec/query.h"

enum { ROWS, KEYS, HASHES, HEADS, NEXT, BLOCKS };

typedef struct join_rdd {
    spark_rdd rdd;
    spk_query *query;
    spark_rdd *right; /* a reference; no parent, for no task computes it */
    spk_plan_join kind;
    const spk_form *left_form, *right_form, *both, *keys, *out;
    const spk_sql_program *left_keys, *right_keys, *residual;
    size_t n_keys, n_residual;
    bool *null_safe;
    bool null_aware, has_null; /* a key that is NULL meets every row; the right side has such a key */
    bool collected;
    const char *rows; /* of the right side, in block[ROWS] */
    size_t n_rows;
    char *key_rows;
    uint64_t *hashes;
    uint32_t *heads, *next;
    uint64_t mask;
    void *blocks[BLOCKS]; /* of the context's heap */
    size_t capacities[BLOCKS];
} join_rdd;

typedef struct join_state {
    spk_sql_run *keys, *residual;
    spk_arena *arenas, *scratch;
    spk_sql_input *inputs, *both_inputs;
    char *key_rows;            /* of a chunk of the left side */
    uint64_t hashes[SPK_SQL_BATCH];
    bool usable[SPK_SQL_BATCH]; /* no NULL in a key that is compared by = */
    char *pairs;               /* rows of both sides */
    uint32_t lefts[SPK_SQL_BATCH], rights[SPK_SQL_BATCH];
    uint32_t n_pairs;
    uint16_t at[SPK_SQL_BATCH];
    uint8_t matched[SPK_SQL_BATCH];
    spk_out out;
    const char *rows; /* the chunk */
    bool more;
} join_state;

/* ---- keys */

/* make_keys: the key rows of n rows, at most a batch. */
static bool make_keys(const join_rdd *j, spk_sql_run *run, const spk_form *form, const char *rows, uint32_t n,
    spk_sql_input *inputs, spk_arena *scratch, char *out, bool *usable)
{
    const size_t size = j->keys->layout->size;
    spk_form_inputs(form, rows, inputs);
    spk_sql_run_begin(run, inputs, n, 0, scratch);
    memset(out, 0, n * size);
    memset(usable, 1, n);
    for (uint32_t k = 0; k < j->n_keys; k++) {
        const spk_slot *slot = &j->keys->slots[k];
        spk_sql_vector v;
        if (!spk_sql_run_eval(run, k, (spk_sql_rows) { NULL, n }, &v))
            return false;
        for (uint32_t i = 0; i < n; i++) {
            spk_sql_store(slot->type, &v, i, true, out + i * size + slot->offset);
            if (!j->null_safe[k] && !spk_sql_valid(&v, i))
                usable[i] = false;
        }
    }
    return true;
}

/* ---- the table */

/* block: memory of the table; NULL: *failure. */
static void *block(join_rdd *j, int which, size_t bytes, spk_failure *failure)
{
    spk_heap *heap = &j->rdd.sc->heap;
    char text[300];
    j->blocks[which] = spk_heap_alloc(heap, bytes, &j->capacities[which]);
    if (!j->blocks[which])
        (void)spk_failure_set(failure, SPARK_ENOMEM, NULL, NULL, "%s",
            spk_heap_refusal(heap, "the right side of a join, all of which is kept,", bytes, text, sizeof text));
    return j->blocks[which];
}

/* keep_rows: the collected rows, which are the program's memory, as rows of the heap. */
static spark_status keep_rows(join_rdd *j, const spark_array *rows, spk_failure *failure)
{
    const spk_layout *layout = j->right_form->layout;
    const size_t row_bytes = (rows->n * layout->size + 63) / 64 * 64;
    size_t bytes = 0;
    if (rows->n >= UINT32_MAX)
        return spk_failure_set(failure, SPARK_ENOMEM, NULL, NULL, "the right side of a join has too many rows");
    for (size_t i = 0; layout->views && i < rows->n; i++)
        bytes += spk_value_bytes(layout, (const char *)rows->items + i * layout->size);
    char *copy = block(j, ROWS, row_bytes + bytes + 1, failure);
    if (!copy)
        return SPARK_ENOMEM;
    if (rows->n)
        memcpy(copy, rows->items, rows->n * layout->size);
    char *tail = copy + row_bytes;
    for (size_t i = 0; layout->views && i < rows->n; i++)
        tail = spk_value_pack(layout, copy + i * layout->size, tail);
    j->rows = copy;
    j->n_rows = rows->n;
    j->collected = true;
    return SPARK_OK;
}

static spark_status table_memory(join_rdd *j, spk_failure *failure)
{
    size_t heads = 64;
    while (heads < j->n_rows * 2)
        heads *= 2;
    j->mask = heads - 1;
    const size_t n = j->n_rows + 1;
    if (!(j->heads = block(j, HEADS, heads * sizeof *j->heads, failure))
        || !(j->next = block(j, NEXT, n * sizeof *j->next, failure))
        || !(j->hashes = block(j, HASHES, n * sizeof *j->hashes, failure))
        || !(j->key_rows = block(j, KEYS, n * j->keys->layout->size, failure)))
        return SPARK_ENOMEM;
    memset(j->heads, 0, heads * sizeof *j->heads);
    return SPARK_OK;
}

static void free_blocks(join_rdd *j)
{
    for (int i = 0; i < BLOCKS; i++)
        spk_heap_free(&j->rdd.sc->heap, j->blocks[i], j->capacities[i]);
    memset(j->blocks, 0, sizeof j->blocks);
    j->rows = NULL;
    j->key_rows = NULL;
    j->hashes = NULL;
    j->heads = j->next = NULL;
    j->collected = false;
}

static uint64_t slot_of(const join_rdd *j, uint64_t hash)
{
    return (hash * UINT64_C(0x9fb21c651e98df25) >> 20) & j->mask;
}

/* fill: from the back, so that chains are in the order of the rows. */
static spark_status fill(join_rdd *j, spk_arena *arena, spk_failure *failure)
{
    const size_t size = j->right_form->layout->size, key_size = j->keys->layout->size;
    bool *usable = spk_arena_alloc(arena, j->n_rows + 1, 1);
    spk_sql_run *run = spk_sql_run_new(j->right_keys, arena);
    spk_sql_input *inputs = spk_arena_alloc(arena, (j->right_form->n + 1) * sizeof *inputs, 16);
    if (!usable || !run || !inputs)
        return spk_failure_nomem(failure, NULL, NULL);
    for (size_t i = 0; i < j->n_rows; i += SPK_SQL_BATCH) {
        const size_t n = j->n_rows - i < SPK_SQL_BATCH ? j->n_rows - i : SPK_SQL_BATCH;
        if (!make_keys(j, run, j->right_form, j->rows + i * size, (uint32_t)n, inputs, arena,
                j->key_rows + i * key_size, usable + i)) {
            j->query->error = *spk_sql_run_error(run);
            return spk_query_fails(j->query, failure);
        }
    }
    for (size_t i = j->n_rows; i-- > 0;) {
        if (!usable[i]) {
            j->has_null = true;
            continue;
        }
        j->hashes[i] = spk_value_hash(j->keys->layout, j->key_rows + i * key_size);
        uint32_t *head = &j->heads[slot_of(j, j->hashes[i])];
        j->next[i] = *head;
        *head = (uint32_t)i + 1;
    }
    return SPARK_OK;
}

static spark_status prepare_join(spark_rdd *rdd, spk_failure *failure)
{
    join_rdd *j = SPK_NODE(join_rdd, rdd);
    spark_status status = SPARK_OK;
    if (!j->collected) {
        spark_array rows;
        status = spk_collect_as("join", rdd->site, j->right, NULL, &rows);
        if (status != SPARK_OK) {
            *failure = *spk_last_failure();
            return status;
        }
        status = keep_rows(j, &rows, failure);
        spark_array_free(&rows);
        if (status == SPARK_OK && j->n_keys)
            status = table_memory(j, failure);
        if (status == SPARK_OK && j->n_keys) /* what computed keys point to stays with the query */
            status = fill(j, &j->query->arena, failure);
    }
    if (status != SPARK_OK) {
        free_blocks(j);
        return status;
    }
    spk_rdd_partitions_set(rdd, spk_rdd_partitions(rdd->deps[0].rdd));
    return SPARK_OK;
}

/* ---- probing */

static bool open_join(spk_pipe *pipe, spk_op *op)
{
    const join_rdd *j = SPK_NODE(join_rdd, op->rdd);
    spk_arena *keep = spk_keep_of(pipe->task);
    join_state *s = spk_arena_alloc(keep, sizeof *s, 64);
    if (s) {
        memset(s, 0, sizeof *s);
        s->inputs = spk_arena_alloc(keep, (j->left_form->n + 1) * sizeof *s->inputs, 16);
        s->both_inputs = spk_arena_alloc(keep, (j->both->n + 1) * sizeof *s->both_inputs, 16);
        s->key_rows = spk_arena_alloc(keep, SPK_SQL_BATCH * j->keys->layout->size, 64);
        s->pairs = spk_arena_alloc(keep, SPK_SQL_BATCH * j->both->layout->size, 64);
        s->keys = spk_sql_run_new(j->left_keys, keep);
        s->residual = spk_sql_run_new(j->residual, keep);
        s->arenas = spk_step_arenas(pipe->task);
        s->scratch = spk_step_arenas(pipe->task);
    }
    if (!s || !s->inputs || !s->both_inputs || !s->key_rows || !s->pairs || !s->keys || !s->residual || !s->arenas
        || !s->scratch) {
        spk_task_nomem(pipe->task);
        return false;
    }
    op->state = s;
    return true;
}

/* put: a row of both sides, or of the left one alone, where right is NULL. */
static void put(const join_rdd *j, const char *left, const char *right, char *row)
{
    memset(row, 0, j->both->layout->size);
    for (size_t i = 0; i < j->left_form->n; i++)
        spk_slot_copy(&j->left_form->slots[i], left, &j->both->slots[i], row);
    for (size_t i = 0; right && i < j->right_form->n; i++)
        spk_slot_copy(&j->right_form->slots[i], right, &j->both->slots[j->left_form->n + i], row);
}

static void emit(join_state *s, const void *row, size_t size)
{
    s->more = spark_emit_(&s->out.head, row, size);
}

static const char *left_row(const join_rdd *j, const join_state *s, uint32_t i)
{
    return s->rows + i * j->left_form->layout->size;
}

static bool gives_pairs(const join_rdd *j)
{
    return j->kind == SPK_PLAN_INNER || j->kind == SPK_PLAN_LEFT || j->kind == SPK_PLAN_SINGLE;
}

static void too_many(const join_rdd *j, spark_task *task)
{
    spk_sql_error error = { .condition = "SCALAR_SUBQUERY_TOO_MANY_ROWS", .span = SPK_SQL_NOWHERE };
    spk_query_task_fails(j->query, task, &error);
}

/* settle: the pairs that were collected: the conditions, then what comes out. */
static void settle(const join_rdd *j, join_state *s, spark_task *task)
{
    const size_t size = j->both->layout->size;
    spk_sql_rows selected = { NULL, s->n_pairs };
    if (j->n_residual && s->n_pairs) {
        spk_form_inputs(j->both, s->pairs, s->both_inputs);
        spk_sql_run_begin(s->residual, s->both_inputs, s->n_pairs, 0, &s->scratch[1]);
        for (uint32_t f = 0; f < j->n_residual && selected.n; f++) {
            const uint32_t kept = spk_sql_run_filter(s->residual, f, selected, s->at);
            if (kept == UINT32_MAX) {
                spk_query_task_fails(j->query, task, spk_sql_run_error(s->residual));
                s->more = false;
                return;
            }
            selected = (spk_sql_rows) { s->at, kept };
        }
    }
    for (uint32_t k = 0; k < selected.n && s->more; k++) {
        const uint32_t i = spk_sql_row(selected, k);
        uint8_t *matched = &s->matched[s->lefts[i]];
        if (j->kind == SPK_PLAN_SINGLE && *matched) {
            too_many(j, task);
            s->more = false;
            return;
        }
        *matched = 1;
        if (gives_pairs(j))
            emit(s, s->pairs + i * size, size);
    }
    s->n_pairs = 0;
}

/* finish_row: the left row has met all of the right side. */
static void finish_row(const join_rdd *j, join_state *s, uint32_t i)
{
    const bool matched = s->matched[i];
    char *row = s->pairs;
    if ((j->kind == SPK_PLAN_LEFT || j->kind == SPK_PLAN_SINGLE) && !matched) {
        put(j, left_row(j, s, i), NULL, row);
        emit(s, row, j->out->layout->size);
    } else if (j->kind == SPK_PLAN_SEMI ? matched : j->kind == SPK_PLAN_ANTI && !matched) {
        emit(s, left_row(j, s, i), j->left_form->layout->size);
    } else if (j->kind == SPK_PLAN_MARK) {
        memset(row, 0, j->out->layout->size);
        for (size_t k = 0; k < j->left_form->n; k++)
            spk_slot_copy(&j->left_form->slots[k], left_row(j, s, i), &j->out->slots[k], row);
        row[j->out->slots[j->left_form->n].value] = matched;
        emit(s, row, j->out->layout->size);
    }
}

/* candidate: a pair whose keys agree. */
static void candidate(const join_rdd *j, join_state *s, spark_task *task, uint32_t i, size_t right)
{
    const char *row = j->rows + right * j->right_form->layout->size;
    if (!j->n_residual && !gives_pairs(j)) {
        s->matched[i] = 1;
        return;
    }
    put(j, left_row(j, s, i), row, s->pairs + s->n_pairs * j->both->layout->size);
    s->lefts[s->n_pairs] = i;
    if (++s->n_pairs == SPK_SQL_BATCH)
        settle(j, s, task);
}

/* only_matches: whether nothing more is to be learnt about a row that has matched. */
static bool only_matches(const join_rdd *j, const join_state *s, uint32_t i)
{
    return s->matched[i] && !gives_pairs(j);
}

static void probe_row(const join_rdd *j, join_state *s, spark_task *task, uint32_t i)
{
    const size_t key_size = j->keys->layout->size;
    if (!j->n_keys) {
        for (size_t r = 0; r < j->n_rows && s->more && !only_matches(j, s, i); r++)
            candidate(j, s, task, i, r);
    } else if (j->null_aware && (j->has_null || (!s->usable[i] && j->n_rows))) {
        s->matched[i] = 1;
    } else if (s->usable[i]) {
        const char *key = s->key_rows + i * key_size;
        const uint64_t hash = spk_value_hash(j->keys->layout, key);
        for (uint32_t at = j->heads[slot_of(j, hash)]; at && s->more && !only_matches(j, s, i); at = j->next[at - 1])
            if (j->hashes[at - 1] == hash
                && spk_value_equal(j->keys->layout, key, j->key_rows + (at - 1) * key_size))
                candidate(j, s, task, i, at - 1);
    }
    if (j->kind != SPK_PLAN_INNER && s->more) {
        settle(j, s, task);
        if (s->more)
            finish_row(j, s, i);
    }
}

static void probe(const join_rdd *j, join_state *s, spark_task *task, const char *rows, uint32_t n)
{
    s->rows = rows;
    memset(s->matched, 0, n);
    if (j->n_keys
        && !make_keys(j, s->keys, j->left_form, rows, n, s->inputs, &s->scratch[0], s->key_rows, s->usable)) {
        spk_query_task_fails(j->query, task, spk_sql_run_error(s->keys));
        return;
    }
    for (uint32_t i = 0; i < n && s->more; i++)
        probe_row(j, s, task, i);
    if (s->more)
        settle(j, s, task);
}

static void run_join(spk_pipe *pipe, spk_op *op, spk_batch *batch)
{
    const join_rdd *j = SPK_NODE(join_rdd, op->rdd);
    join_state *s = op->state;
    const spk_batch in = *batch;
    batch->n = 0;
    spk_recycle(pipe->task, &s->scratch[0]);
    spk_recycle(pipe->task, &s->scratch[1]);
    if (!spk_out_open(&s->out, pipe, (size_t)(op - pipe->ops) + 1, j->out->layout->size, s->arenas))
        return;
    s->more = !s->out.head.closed;
    for (size_t i = 0; i < in.n && s->more && !spk_task_failed(pipe->task); i += SPK_SQL_BATCH) {
        const size_t n = in.n - i < SPK_SQL_BATCH ? in.n - i : SPK_SQL_BATCH;
        probe(j, s, pipe->task, in.rows + i * j->left_form->layout->size, (uint32_t)n);
    }
    spk_out_close(&s->out, batch);
}

static void release_join(spark_rdd *rdd)
{
    join_rdd *j = SPK_NODE(join_rdd, rdd);
    if (j->right)
        spk_rdd_unref(j->right);
    free_blocks(j);
    if (j->query)
        spk_query_unref(j->query);
}

/* ---- making it */

static bool keys_of(spk_query *q, const spk_plan *plan, join_rdd *j)
{
    spk_analyzer *a = &q->analyzer;
    spk_column *columns = NULL;
    spk_sql_expr **lefts = NULL, **rights = NULL;
    size_t n = 0, m = 0, k = 0, x = 0;
    const spk_plan *both[] = { plan->in[0], plan->in[1] };
    for (size_t i = 0; i < plan->n_keys; i++) {
        SPK_ADD(a, columns, n, (spk_column) { plan->keys[i].left->type, true });
        SPK_ADD(a, lefts, m, plan->keys[i].left);
        SPK_ADD(a, rights, k, plan->keys[i].right);
        SPK_ADD(a, j->null_safe, x, plan->keys[i].null_safe);
    }
    j->n_keys = plan->n_keys;
    j->n_residual = plan->n_exprs;
    j->keys = spk_form_of(q, columns, n, NULL);
    j->left_keys = spk_program_of(q, lefts, m, &both[0], 1);
    j->right_keys = spk_program_of(q, rights, k, &both[1], 1);
    j->residual = spk_program_of(q, plan->exprs, plan->n_exprs, both, 2);
    return !spk_sql_failed(&q->error) && j->keys && j->left_keys && j->right_keys && j->residual;
}

/* both_form: rows of both sides; where those are what comes out, as they come out. */
static const spk_form *both_form(spk_query *q, const spk_plan *plan, const spk_form *out)
{
    spk_column *columns = NULL;
    size_t n = 0;
    if (plan->join == SPK_PLAN_INNER || plan->join == SPK_PLAN_LEFT || plan->join == SPK_PLAN_SINGLE)
        return out;
    for (size_t s = 0; s < 2; s++)
        for (size_t i = 0; i < plan->in[s]->n_out; i++)
            SPK_ADD(&q->analyzer, columns, n, (spk_column) { plan->in[s]->out[i].type, plan->in[s]->out[i].nullable });
    return spk_form_of(q, columns, n, NULL);
}

spark_rdd *spk_exec_join(spk_query *q, spark_rdd *left, spark_rdd *right, const spk_plan *plan, const spk_form *in,
    const spk_form *in2, const spk_form *out)
{
    static const spk_class class = { .name = "SqlJoinRDD",
        .open = open_join,
        .run = run_join,
        .prepare = prepare_join,
        .release = release_join };
    join_rdd plain = { .kind = plan->join, .null_aware = plan->null_aware, .left_form = in, .right_form = in2, .out = out };
    spk_verb v;
    bool made;
    plain.both = both_form(q, plan, out);
    if (!plain.both || !keys_of(q, plan, &plain))
        return NULL;
    spk_verb_begin(&v, "sql", "join", NULL, 1, &left, NULL);
    spark_rdd *parent = left;
    spark_rdd *rdd = spk_verb_make(&v, &class, sizeof(join_rdd), out->layout, &made);
    if (made) {
        join_rdd *j = SPK_NODE(join_rdd, rdd);
        plain.rdd = j->rdd;
        *j = plain;
        j->query = q;
        spk_query_ref(q);
        j->right = right;
        spk_rdd_ref(right);
        rdd->planned = parent->planned;
    }
    return rdd;
}
