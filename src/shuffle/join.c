/* SPDX-License-Identifier: Apache-2.0 */
/* A shard at a time: a chained table over the side with fewer bytes (left when equal), probed with
 * the rows of the other in their order; what matches one row comes in the order of the build side.
 * Rows of an outer side without a match: of the probe side in their place, of the build side at
 * the end of the shard. Matches are collected and handed to the function a batch at a time;
 * nothing is materialised, so one hot key streams. */
#include "shuffle/chains.h"
#include "shuffle/reduce.h"
#include "shuffle/split.h"

typedef struct side {
    const spk_layout *row;
    uint32_t value_offset;
    bool keep; /* rows without a match are wanted */
    spk_shard shard;
} side;

typedef struct joiner {
    spk_pipe *pipe;
    const spk_joining *j;
    side left, right;
    bool build_left; /* in this shard */
    spk_chains built; /* over the rows of that side */
    const void **keys, **lefts, **rights;
    size_t n, max; /* matches collected */
    spk_arena arenas[2];
    bool more;
} joiner;

/* deliver: the matches collected so far go through the function. */
static bool deliver(joiner *jn)
{
    spk_pipe *pipe = jn->pipe;
    spk_out out;
    jn->more = spk_source_open(&out, pipe, jn->j->out->size, jn->arenas);
    if (jn->more) {
        jn->j->def.run(pipe->task, jn->n, jn->keys, jn->lefts, jn->rights, &out.head, jn->j->env);
        jn->more = spk_source_close(&out);
    }
    jn->n = 0;
    return jn->more;
}

static inline bool match(joiner *jn, const char *key, const char *left, const char *right)
{
    jn->keys[jn->n] = key;
    jn->lefts[jn->n] = left ? left + jn->left.value_offset : NULL;
    jn->rights[jn->n] = right ? right + jn->right.value_offset : NULL;
    return ++jn->n < jn->max || deliver(jn);
}

/* matched_pair: a row of the build side and one of the probe side; either may be missing. */
static inline bool emit(joiner *jn, const char *built, const char *probed)
{
    const char *key = built ? built : probed;
    return jn->build_left ? match(jn, key, built, probed) : match(jn, key, probed, built);
}

static bool build(joiner *jn, side *b)
{
    spk_chains *c = &jn->built;
    c->size = b->row->size;
    if (!spk_shard_copy(&b->shard, true, &c->rows))
        return false;
    if (spk_chains_build(c))
        return true;
    spk_task_nomem(jn->pipe->task);
    return false;
}

/* probe_batch: returns how many rows it has done before the allowance ended; SIZE_MAX: no more is
 * wanted. */
static size_t probe_batch(
    joiner *jn, const side *p, const char *rows, size_t n, const uint64_t *hashes)
{
    const spk_chains c = jn->built; /* in registers */
    const size_t size = p->row->size;
    const uint64_t allowance = c.allowance + n * SPK_STEPS_EACH;
    uint64_t steps = 0;
    size_t i = 0;
    for (; i < n && (steps <= allowance || c.guarded); i++, rows += size) {
        bool any = false;
        for (uint32_t b = c.heads[spk_chains_bucket(&c, hashes[i])]; b; b = c.next[b - 1]) {
            if (!spk_chains_same(&c, b - 1, hashes[i], rows)) {
                steps++;
                continue;
            }
            any = true;
            c.matched[b - 1] = 1;
            if (!emit(jn, spk_chains_row(&c, b - 1), rows))
                return SIZE_MAX;
        }
        if (!any && p->keep && !emit(jn, NULL, rows))
            return SIZE_MAX;
    }
    jn->built.allowance = steps <= allowance ? allowance - steps : 0;
    return i;
}

static bool probe(joiner *jn, side *p)
{
    const size_t size = p->row->size, batch = spk_task_batch(jn->pipe->task);
    for (size_t s = 0; s < p->shard.n_segments; s++) {
        spk_segment *segment = &p->shard.segments[s];
        if (!spk_segment_load(&p->shard, segment))
            return false;
        for (size_t i = 0, done; i < segment->n; i += done) {
            const size_t n = segment->n - i < batch ? segment->n - i : batch;
            const char *rows = segment->rows + i * size;
            const uint64_t *hashes = spk_chains_hashes(
                &jn->built, rows, size, n, segment->hashes ? segment->hashes + i : NULL);
            done = probe_batch(jn, p, rows, n, hashes);
            if (done == SIZE_MAX)
                return false;
            if (done < n)
                spk_chains_guard(&jn->built);
        }
        if (spk_segment_goes(&p->shard, segment) && jn->n > 0 && !deliver(jn)) /* matches point into what goes now */
            return false;
        spk_segment_unload(&p->shard, segment);
    }
    return true;
}

static bool leave_unmatched(joiner *jn)
{
    const spk_chains *c = &jn->built;
    for (size_t i = 0; i < c->rows.n; i++)
        if (!c->matched[i] && !emit(jn, spk_chains_row(c, (uint32_t)i), NULL))
            return false;
    return true;
}

static bool join_leaf(joiner *jn, spk_leaves *leaves)
{
    spk_heap *heap = jn->pipe->task->heap;
    const spk_shard *l = &jn->left.shard, *r = &jn->right.shard;
    if ((l->n == 0 && (r->n == 0 || !jn->right.keep)) || (r->n == 0 && !jn->left.keep))
        return true;
    if ((l->bytes < r->bytes ? l : r)->bytes > SPK_LEAF_BYTES / 2 && spk_leaves_split(leaves))
        return true;
    if (spk_task_failed(jn->pipe->task))
        return false;
    jn->build_left = l->bytes <= r->bytes;
    side *b = jn->build_left ? &jn->left : &jn->right;
    side *p = jn->build_left ? &jn->right : &jn->left;
    jn->built.rows = (spk_shard_rows) { NULL, NULL, 0, 0 };
    const bool more = build(jn, b) && probe(jn, p) && (!b->keep || leave_unmatched(jn))
        && (jn->n == 0 || deliver(jn)); /* matches point into rows, which go now */
    spk_heap_free(heap, jn->built.rows.rows, jn->built.rows.capacity);
    return more;
}

static bool open_joiner(joiner *jn)
{
    spark_task *task = jn->pipe->task;
    const size_t n = spk_task_batch(task);
    char *at = spk_arena_alloc(spk_keep_of(task), n * (8 + 3 * sizeof(void *)), 16);
    if (!at) {
        spk_task_nomem(task);
        return false;
    }
    jn->max = n;
    jn->built.hashes = (uint64_t *)(void *)at;
    jn->keys = (const void **)(void *)(at + n * 8);
    jn->lefts = jn->keys + n;
    jn->rights = jn->lefts + n;
    spk_arena_init(&jn->arenas[0], task->heap);
    spk_arena_init(&jn->arenas[1], task->heap);
    return true;
}

void spk_reduce_join(spk_pipe *pipe, spk_input *left, spk_input *right, const spk_joining *j)
{
    joiner jn = { .pipe = pipe, .j = j, .built = { .heap = pipe->task->heap, .key = j->key }, .more = true };
    jn.left = (side) { j->left, j->left_value,
        j->kind == SPARK_LEFT_OUTER || j->kind == SPARK_FULL_OUTER, { .segments = NULL } };
    jn.right = (side) { j->right, j->right_value,
        j->kind == SPARK_RIGHT_OUTER || j->kind == SPARK_FULL_OUTER, { .segments = NULL } };
    spk_shard *const shards[] = { &jn.left.shard, &jn.right.shard };
    spk_input *const inputs[] = { left, right };
    spk_leaves leaves;
    if (!open_joiner(&jn) || !spk_leaves_open(&leaves, pipe->task, 2, inputs, shards))
        return;
    while (spk_leaves_next(&leaves) && join_leaf(&jn, &leaves))
        continue;
    spk_chains_fini(&jn.built);
    spk_arena_fini(&jn.arenas[0]);
    spk_arena_fini(&jn.arenas[1]);
    spk_leaves_close(&leaves);
}
