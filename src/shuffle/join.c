/* SPDX-License-Identifier: Apache-2.0 */
/* A shard at a time: a chained table over the side with fewer bytes (left when equal), probed with
 * the rows of the other in their order; what matches one row comes in the order of the build side.
 * Rows of an outer side without a match: of the probe side in their place, of the build side at
 * the end of the shard. Matches are collected and handed to the function a batch at a time;
 * nothing is materialised, so one hot key streams. Where chains hold too many rows of other keys (chosen
 * ones, or a hot key in the bucket of another), they are made again by a hash with a secret; their
 * order is that of the rows either way. */
#include "base/hash.h"
#include "shuffle/reduce.h"
#include "shuffle/split.h"
#include "shuffle/table.h"

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
    bool build_left;        /* in this shard */
    spk_shard_rows rows;    /* of the build side */
    uint32_t *heads, *next; /* row + 1; 0 ends */
    uint8_t *matched;
    size_t index_capacity;
    unsigned shift;
    bool guarded; /* in this shard: hashes are those with the secret */
    spk_secret secret;
    uint64_t allowance; /* steps past rows of other keys, until it is guarded */
    uint64_t *hashes;   /* of a batch of probes */
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

static inline bool same_key(const spk_layout *key, const char *a, const char *b)
{
    if (key->key_class == SPK_KEY_8)
        return spk_load64(a) == spk_load64(b);
    return spk_value_equal(key, a, b);
}

static inline uint32_t bucket(const joiner *jn, uint64_t hash)
{
    return (uint32_t)((hash * UINT64_C(0x9fb21c651e98df25)) >> jn->shift);
}

static bool make_index(joiner *jn, size_t n)
{
    size_t heads = 256;
    unsigned bits = 8;
    spk_heap *heap = jn->pipe->task->heap;
    for (; heads < n * 2; heads *= 2)
        bits++;
    const size_t want = heads * 4 + n * 4 + n + 64;
    if (want > jn->index_capacity) {
        spk_heap_free(heap, jn->heads, jn->index_capacity);
        jn->heads = spk_heap_alloc(heap, want, &jn->index_capacity);
        if (!jn->heads) {
            jn->index_capacity = 0;
            spk_task_nomem(jn->pipe->task);
            return false;
        }
    }
    jn->next = jn->heads + heads;
    jn->matched = (uint8_t *)(jn->next + n);
    jn->shift = 64 - bits;
    memset(jn->matched, 0, n);
    return true;
}

/* chain: rows by bucket, each in the order of the rows, so it is filled from the back. */
static void chain(joiner *jn)
{
    memset(jn->heads, 0, (size_t)(jn->next - jn->heads) * sizeof *jn->heads);
    for (size_t i = jn->rows.n; i-- > 0;) {
        const uint32_t at = bucket(jn, jn->rows.hashes[i]);
        jn->next[i] = jn->heads[at];
        jn->heads[at] = (uint32_t)i + 1;
    }
}

static void guard(joiner *jn)
{
    const side *b = jn->build_left ? &jn->left : &jn->right;
    jn->guarded = true;
    jn->secret = spk_secret_draw();
    spk_secret_hash_keys(
        jn->j->key, jn->rows.rows, b->row->size, jn->rows.n, &jn->secret, jn->rows.hashes);
    chain(jn);
}

static bool build(joiner *jn, side *b)
{
    const spk_layout *key = jn->j->key;
    const size_t size = b->row->size;
    const bool cheap = key->key_class == SPK_KEY_8 || key->key_class == SPK_KEY_4;
    if (!spk_shard_copy(&b->shard, true, &jn->rows) || !make_index(jn, jn->rows.n))
        return false;
    if (cheap)
        spk_hash_keys(key, jn->rows.rows, size, jn->rows.n, jn->rows.hashes);
    jn->guarded = false;
    jn->allowance = SPK_STEPS_FREE;
    chain(jn);
    return true;
}

static void prefetch(const joiner *jn, size_t n, const uint64_t *hashes)
{
    const size_t size = (jn->build_left ? jn->left : jn->right).row->size;
    for (size_t i = 0; i < n; i++)
        __builtin_prefetch(&jn->heads[bucket(jn, hashes[i])]);
    for (size_t i = 0; i < n; i++) {
        const uint32_t head = jn->heads[bucket(jn, hashes[i])];
        if (head)
            __builtin_prefetch(jn->rows.rows + (head - 1) * size);
    }
}

/* probe_batch: returns how many rows it has done before the allowance ended; SIZE_MAX: no more is
 * wanted. */
static size_t probe_batch(
    joiner *jn, const side *p, const char *rows, size_t n, const uint64_t *hashes)
{
    const spk_layout *key = jn->j->key;
    const size_t size = p->row->size;
    const size_t built_size = (jn->build_left ? jn->left : jn->right).row->size;
    const uint64_t allowance = jn->allowance + n * SPK_STEPS_EACH;
    uint64_t steps = 0;
    size_t i = 0;
    prefetch(jn, n, hashes);
    for (; i < n && (steps <= allowance || jn->guarded); i++, rows += size) {
        bool any = false;
        for (uint32_t b = jn->heads[bucket(jn, hashes[i])]; b; b = jn->next[b - 1]) {
            const char *built = jn->rows.rows + (b - 1) * built_size;
            if (jn->rows.hashes[b - 1] != hashes[i] || !same_key(key, built, rows)) {
                steps++;
                continue;
            }
            any = true;
            jn->matched[b - 1] = 1;
            if (!emit(jn, built, rows))
                return SIZE_MAX;
        }
        if (!any && p->keep && !emit(jn, NULL, rows))
            return SIZE_MAX;
    }
    jn->allowance = steps <= allowance ? allowance - steps : 0;
    return i;
}

/* hashes_of: what the chains go by, of a piece of a segment. */
static const uint64_t *hashes_of(
    const joiner *jn, const spk_segment *segment, size_t i, size_t n, size_t size)
{
    const char *rows = segment->rows + i * size;
    if (jn->guarded)
        spk_secret_hash_keys(jn->j->key, rows, size, n, &jn->secret, jn->hashes);
    else if (segment->hashes)
        return segment->hashes + i;
    else
        spk_hash_keys(jn->j->key, rows, size, n, jn->hashes);
    return jn->hashes;
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
            const uint64_t *hashes = hashes_of(jn, segment, i, n, size);
            done = probe_batch(jn, p, segment->rows + i * size, n, hashes);
            if (done == SIZE_MAX)
                return false;
            if (done < n)
                guard(jn);
        }
        if (spk_segment_goes(&p->shard, segment) && jn->n > 0 && !deliver(jn)) /* matches point into what goes now */
            return false;
        spk_segment_unload(&p->shard, segment);
    }
    return true;
}

static bool leave_unmatched(joiner *jn, const side *b)
{
    for (size_t i = 0; i < jn->rows.n; i++)
        if (!jn->matched[i] && !emit(jn, jn->rows.rows + i * b->row->size, NULL))
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
    jn->rows = (spk_shard_rows) { NULL, NULL, 0, 0 };
    const bool more = build(jn, b) && probe(jn, p) && (!b->keep || leave_unmatched(jn, b))
        && (jn->n == 0 || deliver(jn)); /* matches point into rows, which go now */
    spk_heap_free(heap, jn->rows.rows, jn->rows.capacity);
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
    jn->hashes = (uint64_t *)(void *)at;
    jn->keys = (const void **)(void *)(at + n * 8);
    jn->lefts = jn->keys + n;
    jn->rights = jn->lefts + n;
    spk_arena_init(&jn->arenas[0], task->heap);
    spk_arena_init(&jn->arenas[1], task->heap);
    return true;
}

void spk_reduce_join(spk_pipe *pipe, spk_input *left, spk_input *right, const spk_joining *j)
{
    joiner jn = { .pipe = pipe, .j = j, .more = true };
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
    spk_heap_free(pipe->task->heap, jn.heads, jn.index_capacity);
    spk_arena_fini(&jn.arenas[0]);
    spk_arena_fini(&jn.arenas[1]);
    spk_leaves_close(&leaves);
}
