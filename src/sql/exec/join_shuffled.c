/* SPDX-License-Identifier: Apache-2.0 */
/* A join of two large sides: rows of both become pairs of the keys and the row, shuffled by the keys, and are
 * joined a leaf at a time: a chained table over the side with fewer bytes (left when equal), which the rows
 * of the other side pass by. Which side that is depends on the rows alone, and so does the order of what
 * comes out: of probing rows, each with its matches in the order of the table; then, where rows of the table
 * matter by themselves (kept without a match, or asked whether they have one), these.
 *
 * Rows with a NULL in a key that is compared by = match nothing: where they do not matter they are left out
 * before the shuffle. NOT IN must know whether there is a NULL anywhere on the right side, and whether there
 * are rows at all: a job before counts them. */
#include <stdlib.h>

#include "rdd/action.h"
#include "rdd/sides.h"
#include "rdd/verb.h"
#include "shuffle/chains.h"
#include "shuffle/split.h"
#include "sql/exec/join.h"

typedef struct shuffled_rdd {
    spark_rdd rdd;
    spk_join join;
    spk_sides sides;
    uint32_t values[2]; /* offsets of the rows in the pairs */
    const spk_slot *asked; /* key members that must be present for a match */
    size_t n_asked;
    spark_rdd *right; /* NOT IN: what is counted, a reference */
    bool counted, has_null, has_rows;
} shuffled_rdd;

typedef struct joiner {
    spk_pipe *pipe;
    const shuffled_rdd *r;
    spk_shard shards[2];
    bool build_left; /* in this leaf */
    spk_chains built;
    spk_out out;
    spk_pairs *pairs;
    spk_arena *arenas;
} joiner;

/* stays: whether rows of a side whose key is NULL go into the shuffle. */
static bool stays(const spk_join *j, bool left)
{
    return j->null_aware || spk_join_keeps(j, left);
}

/* usable: no key is NULL that must not be. */
static bool usable(const void *arg, const char *row)
{
    const shuffled_rdd *r = arg;
    for (size_t i = 0; i < r->n_asked; i++)
        if (!row[r->asked[i].offset])
            return false;
    return true;
}

/* meets_all: of NOT IN: whether a left row counts as one that has matched whatever the right side has. */
static bool meets_all(const shuffled_rdd *r, const char *pair)
{
    return r->join.null_aware && (r->has_null || (r->has_rows && !usable(r, pair)));
}

/* renew: pushes what was emitted, which points into what goes now. */
static bool renew(joiner *jn)
{
    spk_pairs_settle(jn->pairs);
    if (!spk_source_close(&jn->out) || spk_task_failed(jn->pipe->task)
        || !spk_source_open(&jn->out, jn->pipe, jn->r->rdd.layout->size, jn->arenas)) {
        jn->pairs->more = false;
        jn->out.pipe = NULL;
        return false;
    }
    return true;
}

static bool build(joiner *jn)
{
    spk_shard *shard = &jn->shards[!jn->build_left];
    spk_chains *c = &jn->built;
    c->size = shard->input->shuffle->row->size;
    if (!spk_shard_copy(shard, true, &c->rows))
        return false;
    if (spk_chains_build(c))
        return true;
    spk_task_nomem(jn->pipe->task);
    return false;
}

/* probe_batch: how many rows it has done before the allowance ended, or no more was wanted. */
static size_t probe_batch(joiner *jn, const char *rows, size_t size, size_t n, const uint64_t *hashes)
{
    const shuffled_rdd *r = jn->r;
    spk_chains *c = &jn->built;
    spk_pairs *p = jn->pairs;
    const bool ends = r->join.kind != SPK_PLAN_INNER;
    const uint32_t probed = r->values[jn->build_left], built = r->values[!jn->build_left];
    const uint64_t allowance = c->allowance + n * SPK_STEPS_EACH;
    uint64_t steps = 0;
    size_t i = 0;
    for (; i < n && p->more && (steps <= allowance || c->guarded); i++, rows += size) {
        uint32_t b = r->n_asked && !usable(r, rows) ? 0 : c->heads[spk_chains_bucket(c, hashes[i])];
        for (; b && p->more && !spk_pairs_done(p); b = c->next[b - 1]) {
            if (spk_chains_same(c, b - 1, hashes[i], rows))
                spk_pairs_add(p, rows + probed, spk_chains_row(c, b - 1) + built, &c->matched[b - 1]);
            else
                steps++;
        }
        if (ends && p->more)
            spk_pairs_end(p, rows + probed, p->probe_left && meets_all(r, rows));
    }
    c->allowance = steps <= allowance ? allowance - steps : 0;
    return i;
}

static bool probe(joiner *jn)
{
    spk_shard *shard = &jn->shards[jn->build_left];
    const size_t size = shard->input->shuffle->row->size, batch = spk_task_batch(jn->pipe->task);
    for (size_t s = 0; s < shard->n_segments; s++) {
        spk_segment *segment = &shard->segments[s];
        if (!spk_segment_load(shard, segment))
            return false;
        for (size_t i = 0, done; i < segment->n; i += done) {
            const size_t n = segment->n - i < batch ? segment->n - i : batch;
            const char *rows = segment->rows + i * size;
            const uint64_t *hashes
                = spk_chains_hashes(&jn->built, rows, size, n, segment->hashes ? segment->hashes + i : NULL);
            done = probe_batch(jn, rows, size, n, hashes);
            if (!jn->pairs->more)
                return false;
            if (done < n)
                spk_chains_guard(&jn->built);
        }
        if (spk_segment_goes(shard, segment) && !renew(jn))
            return false;
        spk_segment_unload(shard, segment);
    }
    spk_pairs_settle(jn->pairs);
    return jn->pairs->more;
}

/* rest: rows of the table that matter by themselves. */
static bool rest(joiner *jn)
{
    const shuffled_rdd *r = jn->r;
    const spk_chains *c = &jn->built;
    if (jn->build_left ? r->join.kind == SPK_PLAN_INNER || r->join.kind == SPK_PLAN_RIGHT
                       : !spk_join_keeps(&r->join, false))
        return true;
    for (size_t i = 0; i < c->rows.n && jn->pairs->more; i++) {
        const char *row = spk_chains_row(c, (uint32_t)i);
        spk_pairs_rest(jn->pairs, row + r->values[!jn->build_left],
            c->matched[i] || (jn->build_left && meets_all(r, row)));
    }
    return jn->pairs->more;
}

static bool join_leaf(joiner *jn, spk_leaves *leaves)
{
    const spk_join *j = &jn->r->join;
    const spk_shard *l = &jn->shards[0], *r = &jn->shards[1];
    if ((l->n == 0 && (r->n == 0 || !spk_join_keeps(j, false))) || (r->n == 0 && !stays(j, true)))
        return true;
    if ((l->bytes < r->bytes ? l : r)->bytes > SPK_LEAF_BYTES / 2 && spk_leaves_split(leaves))
        return true;
    if (spk_task_failed(jn->pipe->task)
        || !spk_source_open(&jn->out, jn->pipe, jn->r->rdd.layout->size, jn->arenas))
        return false;
    jn->build_left = l->bytes <= r->bytes;
    jn->pairs->probe_left = !jn->build_left;
    jn->pairs->any = false;
    jn->pairs->more = !jn->out.head.closed;
    jn->built.rows = (spk_shard_rows) { NULL, NULL, 0, 0 };
    bool more = build(jn) && probe(jn) && rest(jn);
    if (jn->out.pipe) /* what was emitted points into rows, which go now */
        more = spk_source_close(&jn->out) && more;
    spk_heap_free(jn->built.heap, jn->built.rows.rows, jn->built.rows.capacity);
    return more && !spk_task_failed(jn->pipe->task);
}

static void join_inputs(joiner *jn, spk_input *inputs)
{
    spk_shard *const shards[] = { &jn->shards[0], &jn->shards[1] };
    spk_input *const both[] = { &inputs[0], &inputs[1] };
    spk_leaves leaves;
    spark_task *task = jn->pipe->task;
    spk_arena *keep = spk_keep_of(task);
    jn->arenas = spk_step_arenas(task);
    jn->built.hashes = spk_arena_alloc(keep, spk_task_batch(task) * sizeof(uint64_t), 16);
    if (!jn->arenas || !jn->built.hashes) {
        if (!jn->built.hashes)
            spk_task_nomem(task);
        return;
    }
    jn->pairs = spk_pairs_new(&jn->r->join, task, keep, &jn->out);
    if (!jn->pairs || !spk_leaves_open(&leaves, task, 2, both, shards))
        return;
    while (spk_leaves_next(&leaves) && join_leaf(jn, &leaves))
        continue;
    spk_chains_fini(&jn->built);
    spk_leaves_close(&leaves);
}

static void produce(spk_pipe *pipe, spark_rdd *rdd, int partition)
{
    const shuffled_rdd *r = SPK_NODE(shuffled_rdd, rdd);
    joiner jn = { .pipe = pipe, .r = r };
    spk_input inputs[SPK_MOST_SIDES];
    if (!spk_sides_open(pipe, rdd, &r->sides, partition, inputs))
        return;
    jn.built = (spk_chains) { .heap = pipe->task->heap,
        .key = r->join.keys->layout,
        .usable = r->n_asked ? usable : NULL,
        .arg = r };
    join_inputs(&jn, inputs);
    spk_sides_close(rdd, inputs);
}

/* ---- NOT IN: what must be known of the right side */

typedef struct counting {
    spk_state head;
    uint64_t rows, nulls;
} counting;

static bool take(void *state, spk_batch batch)
{
    counting *c = state;
    const shuffled_rdd *r = c->head.action->arg;
    const size_t size = r->right->layout->size;
    c->rows += batch.n;
    for (size_t i = 0; i < batch.n; i++)
        c->nulls += !usable(r, batch.rows + i * size);
    return true;
}

static spark_status count(shuffled_rdd *r, spk_failure *failure)
{
    const spk_action action
        = { .name = "join", .site = r->rdd.site, .state_size = sizeof(counting), .arg = r, .take = take };
    if (spk_job_check(r->right, action.name, r->rdd.site, failure) != SPARK_OK)
        return failure->code;
    const int n = spk_rdd_partitions(r->right);
    counting *parts = calloc((size_t)n + 1, sizeof *parts);
    if (!parts)
        return spk_failure_nomem(failure, action.name, r->rdd.site);
    const spark_status status = spk_job_run(r->right, &action, NULL, n, parts, failure);
    r->has_rows = r->has_null = false;
    for (int p = 0; status == SPARK_OK && p < n; p++) {
        r->has_rows |= parts[p].rows > 0;
        r->has_null |= parts[p].nulls > 0;
    }
    free(parts);
    r->counted = status == SPARK_OK;
    return status;
}

static spark_status prepare(spark_rdd *rdd, spk_failure *failure)
{
    shuffled_rdd *r = SPK_NODE(shuffled_rdd, rdd);
    if (r->right && !r->counted && count(r, failure) != SPARK_OK)
        return failure->code;
    return spk_sides_prepare(rdd, &r->sides);
}

static void release(spark_rdd *rdd)
{
    shuffled_rdd *r = SPK_NODE(shuffled_rdd, rdd);
    spk_sides_release(&r->sides);
    if (r->right)
        spk_rdd_unref(r->right);
    if (r->join.query)
        spk_query_unref(r->join.query);
}

/* ---- making it */

/* key_form: members are optional only where a NULL must be known. */
static SPK_COLD const spk_form *key_form(spk_query *q, const spk_plan *plan, const spk_join *kind)
{
    spk_column *columns = NULL;
    size_t n = 0;
    for (size_t i = 0; i < plan->n_keys; i++) {
        const spk_plan_key *k = &plan->keys[i];
        const bool left = k->left->nullable && (k->null_safe || stays(kind, true));
        const bool right = k->right->nullable && (k->null_safe || stays(kind, false));
        SPK_ADD(&q->analyzer, columns, n, (spk_column) { k->left->type, left || right });
    }
    return spk_form_of(q, columns, n, NULL);
}

/* pairs: a side's rows behind their keys; those that can match nothing and do not matter are left out. */
static SPK_COLD spark_rdd *pairs(spk_query *q, spark_rdd *rdd, const spk_plan *plan, const spk_plan *part, bool is_left,
    const spk_form *in, const spk_form *keys, const spk_form *rows)
{
    spk_analyzer *a = &q->analyzer;
    const spk_join kind = { .kind = plan->join, .null_aware = plan->null_aware };
    const bool keep = stays(&kind, is_left);
    const spk_plan *side = plan->in[!is_left];
    spk_sql_expr **exprs = NULL, **filters = NULL;
    size_t n = 0, m = 0;
    const spk_form *pair = spk_form_pair(q, keys, rows);
    for (size_t i = 0; i < plan->n_keys; i++) {
        spk_sql_expr *e = is_left ? plan->keys[i].left : plan->keys[i].right;
        SPK_ADD(a, exprs, n, e);
        if (!keep && e->nullable && !plan->keys[i].null_safe)
            SPK_ADD(a, filters, m, spk_sql_call(&a->build, "isnotnull", &e, 1, SPK_SQL_NOWHERE));
    }
    for (size_t i = 0; i < part->n_out; i++)
        SPK_ADD(a, exprs, n, spk_attr_column(a, &part->out[i], SPK_SQL_NOWHERE));
    return pair && !spk_sql_failed(&q->error) ? spk_exec_eval(q, rdd, side, in, filters, m, exprs, n, pair) : NULL;
}

/* ask: the key members that may be NULL and match nothing then. */
static SPK_COLD bool ask(spk_query *q, const spk_plan *plan, shuffled_rdd *r)
{
    spk_slot *asked = NULL;
    for (size_t i = 0; i < plan->n_keys; i++)
        if (!plan->keys[i].null_safe && r->join.keys->slots[i].nullable)
            SPK_ADD(&q->analyzer, asked, r->n_asked, r->join.keys->slots[i]);
    r->asked = asked;
    return !spk_sql_failed(&q->error);
}

static const spk_class shuffled_class
    = { .name = "ShuffledJoinRDD", .produce = produce, .prepare = prepare, .release = release };

static SPK_COLD spark_rdd *make(spk_query *q, spark_rdd *sides[2], const shuffled_rdd *plain)
{
    spk_verb v;
    bool made;
    spk_failure failure;
    const spk_layout *key = plain->join.keys->layout;
    spk_verb_begin(&v, q->analyzer.site, "join", NULL, 2, sides, NULL);
    spark_partitioner *target = spk_sides_target(&v, &(spark_keyed_options) { .partitions = q->partitions }, key);
    spark_rdd *rdd = spk_verb_make(&v, &shuffled_class, sizeof(shuffled_rdd), plain->join.out->layout, &made);
    if (made) {
        shuffled_rdd *r = SPK_NODE(shuffled_rdd, rdd);
        SPK_NODE_FILL(shuffled_rdd, r, plain);
        spk_query_ref(q);
        if (r->join.null_aware) {
            r->right = sides[1];
            spk_rdd_ref(r->right);
        }
        spk_sides_set(rdd, &r->sides, target);
        for (size_t i = 0; made && i < 2; i++)
            made = spk_sides_attach(rdd, &r->sides, i, rdd->deps[i].rdd->layout, key, NULL, false);
        if (!made) {
            spk_failure_nomem(&failure, NULL, NULL);
            rdd = spk_verb_undo(&v, rdd, &failure);
        }
    }
    spk_partitioner_unref(target);
    return rdd;
}

static SPK_COLD void name_column(void *arg, const spk_sql_expr *column)
{
    spk_columns *set = arg;
    set->bits[column->column / 64] |= (uint64_t)1 << column->column % 64;
}

/* carried: a side with no more columns than come out or conditions name: those of its rows in the shuffle. */
static SPK_COLD spk_plan *carried(spk_query *q, const spk_plan *plan, size_t which)
{
    spk_analyzer *a = &q->analyzer;
    const spk_plan *in = plan->in[which];
    const bool whole = which == 0 && !(plan->join <= SPK_PLAN_FULL || plan->join == SPK_PLAN_SINGLE);
    spk_columns named = { NULL, a->next_id / 64 + 1 };
    spk_plan *side = spk_arena_alloc(&q->arena, sizeof *side, 16);
    named.bits = spk_arena_alloc(&q->arena, named.words * 8, 8);
    if (!side || !named.bits) {
        spk_sql_nomem(&q->error);
        return NULL;
    }
    memset(named.bits, 0, named.words * 8);
    for (size_t i = 0; i < plan->n_exprs; i++)
        spk_expr_columns(plan->exprs[i], name_column, &named);
    *side = *in;
    side->out = NULL;
    side->n_out = 0;
    for (size_t i = 0; i < in->n_out; i++)
        if (whole || spk_columns_has(&named, in->out[i].id) || spk_plan_has(plan, in->out[i].id))
            spk_plan_out(a, side, in->out[i]);
    return spk_sql_failed(&q->error) ? NULL : side;
}

SPK_COLD spark_rdd *spk_exec_join_shuffled(spk_query *q, spark_rdd *left, spark_rdd *right, const spk_plan *plan,
    const spk_form *in, const spk_form *in2, const spk_form **out)
{
    shuffled_rdd plain = { .join = { .kind = plan->join, .null_aware = plan->null_aware } };
    spk_plan *parts[2] = { carried(q, plan, 0), carried(q, plan, 1) };
    if (!parts[0] || !parts[1])
        return NULL;
    const spk_form *rows[2] = { spk_form_of_plan(q, parts[0]), spk_form_of_plan(q, parts[1]) };
    const spk_form *keys = rows[0] && rows[1] ? key_form(q, plan, &plain.join) : NULL;
    const bool as_left = plan->join == SPK_PLAN_SEMI || plan->join == SPK_PLAN_ANTI;
    *out = !keys ? NULL : as_left ? rows[0] : spk_form_of_plan(q, plan);
    spk_plan reduced = *plan;
    reduced.in = parts;
    if (!*out || !spk_join_describe(q, &reduced, rows[0], rows[1], *out, &plain.join))
        return NULL;
    plain.join.keys = keys;
    spark_rdd *sides[2];
    sides[0] = pairs(q, left, plan, parts[0], true, in, keys, rows[0]);
    sides[1] = sides[0] ? pairs(q, right, plan, parts[1], false, in2, keys, rows[1]) : NULL;
    if (!sides[1] || !ask(q, plan, &plain))
        return NULL;
    for (size_t i = 0; i < 2; i++)
        if (sides[i]->layout)
            plain.values[i] = sides[i]->layout->value_offset;
    return make(q, sides, &plain);
}
