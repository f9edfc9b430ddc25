/* SPDX-License-Identifier: Apache-2.0 */
/* Which rows of the left side have their key on the right side, too (intersection), and which have
 * not (subtract): the keys of the right side first, so that a row of the left one whose key is
 * numbered higher is one that right does not have. */
#include "shuffle/reduce.h"
#include "shuffle/split.h"
#include "shuffle/table.h"

typedef struct sieve {
    spk_pipe *pipe;
    spk_input *left, *right;
    bool intersect;
    spk_shard left_shard, right_shard;
    spk_found found;
    spk_table table; /* rows: key, then whether it has been passed on */
    uint32_t flag_at;
    char *kept; /* rows, as many as fit */
} sieve;

/* number: the keys of a piece of rows. */
static bool number(sieve *s, const spk_segment *segment, size_t i, size_t n, size_t size)
{
    static const uint64_t no = 0;
    const spk_value_move move = { .to = s->flag_at, .size = 8, .zero = &no };
    if (spk_table_find(&s->table, segment->rows + i * size, size, n,
            segment->hashes ? segment->hashes + i : NULL, &move, UINT32_MAX, UINT64_MAX, &s->found)
        != SIZE_MAX)
        return true;
    spk_task_nomem(s->pipe->task);
    return false;
}

static bool add_right(sieve *s)
{
    const size_t batch = spk_task_batch(s->pipe->task), size = s->right->shuffle->row->size;
    for (size_t k = 0; k < s->right_shard.n_segments; k++) {
        spk_segment *segment = &s->right_shard.segments[k];
        if (!spk_segment_load(&s->right_shard, segment))
            return false;
        for (size_t i = 0; i < segment->n; i += batch)
            if (!number(s, segment, i, segment->n - i < batch ? segment->n - i : batch, size))
                return false;
        spk_segment_unload(&s->right_shard, segment);
    }
    return true;
}

static bool keep(sieve *s, uint32_t row, uint32_t rights)
{
    if (!s->intersect)
        return row >= rights;
    uint64_t *flag = (uint64_t *)(void *)(spk_table_row(&s->table, row) + s->flag_at);
    return row < rights && (*flag)++ == 0;
}

static bool sift_left(sieve *s)
{
    const size_t size = s->left->shuffle->row->size, batch = spk_task_fit(s->pipe->task, size);
    const uint32_t rights = s->table.n;
    for (size_t k = 0; k < s->left_shard.n_segments; k++) {
        spk_segment *segment = &s->left_shard.segments[k];
        if (!spk_segment_load(&s->left_shard, segment))
            return false;
        for (size_t i = 0; i < segment->n; i += batch) {
            const size_t n = segment->n - i < batch ? segment->n - i : batch;
            size_t kept = 0;
            if (!number(s, segment, i, n, size))
                return false;
            for (size_t j = 0; j < n; j++)
                if (keep(s, s->found.rows[j], rights))
                    memcpy(s->kept + kept++ * size, segment->rows + (i + j) * size, size);
            if (!spk_push_rows(s->pipe, s->kept, kept, size))
                return false;
        }
        spk_segment_unload(&s->left_shard, segment);
    }
    return true;
}

static void sift(spk_pipe *pipe, spk_input *left, spk_input *right, bool intersect)
{
    spark_task *task = pipe->task;
    const spk_layout *key = left->shuffle->key;
    sieve s = { .pipe = pipe, .left = left, .right = right, .intersect = intersect };
    s.flag_at = spk_table_room(key->size, 8);
    const size_t size = left->shuffle->row->size;
    s.kept = spk_arena_alloc(spk_keep_of(task), spk_task_fit(task, size) * size, 64);
    if (!s.kept
        || !spk_table_init(
            &s.table, task->heap, key, spk_table_room(s.flag_at + 8, key->align), 0, false)) {
        spk_task_nomem(task);
        return;
    }
    spk_shard *const shards[] = { &s.left_shard, &s.right_shard };
    spk_input *const inputs[] = { left, right };
    spk_leaves leaves;
    const bool open
        = spk_found_open(task, &s.found) && spk_leaves_open(&leaves, task, 2, inputs, shards);
    bool more = open;
    while (more && spk_leaves_next(&leaves)) {
        if (s.left_shard.bytes + s.right_shard.bytes > SPK_LEAF_BYTES && spk_leaves_split(&leaves))
            continue;
        spk_table_clear(&s.table);
        s.table.borrow = !leaves.spilled;
        more = !spk_task_failed(task) && add_right(&s) && sift_left(&s);
    }
    if (open)
        spk_leaves_close(&leaves);
    spk_table_fini(&s.table);
}

void spk_reduce_subtract(spk_pipe *pipe, spk_input *left, spk_input *right)
{
    sift(pipe, left, right, false);
}

void spk_reduce_intersect(spk_pipe *pipe, spk_input *left, spk_input *right)
{
    sift(pipe, left, right, true);
}
