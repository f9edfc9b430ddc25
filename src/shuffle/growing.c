/* SPDX-License-Identifier: Apache-2.0 */
#include "shuffle/growing.h"

enum { SLACK_BYTES = 1024 * 1024 };

static char *acc_of(const spk_combiner *c, uint32_t row)
{
    return spk_table_row(&c->table, row) + c->move.to;
}

/* compact: the table's memory holds what rows point to, and neither room nor what they have left behind. The next one
 * is due when there is four times as much: an accumulator that doubles takes two parts to have room again, and as much
 * as was there has to come before it doubles once more. */
static bool compact(spk_combiner *c)
{
    spk_table *t = &c->table;
    const bool done = spk_table_compact(t, c->move.to, c->move.views);
    for (uint32_t row = 0; row < t->n; row++)
        c->aggregator->growing->seal(c->aggregator->create_env, acc_of(c, row));
    t->string_bytes = t->strings.bytes;
    c->compact_at = 4 * t->strings.bytes + SLACK_BYTES;
    if (!done)
        spk_task_nomem(c->task);
    return done;
}

size_t spk_growing_add(
    spk_combiner *c, const char *row, const uint64_t *hash, uint32_t limit, uint64_t bytes_limit)
{
    const spk_aggregator *a = c->aggregator;
    spk_table *t = &c->table;
    const size_t done
        = spk_table_find(t, row, c->row->size, 1, hash, &c->move, limit, bytes_limit, &c->found);
    const bool started = done == 1 && c->found.n_hits == 0;
    if (done != 1)
        return done;
    if (c->compact_at == 0)
        c->compact_at = SLACK_BYTES;
    char *acc = acc_of(c, c->found.rows[0]);
    if (started && c->start == SPK_START_VALUE) {
        a->growing->seal(a->create_env, acc);
        return 1;
    }
    const size_t before = t->strings.bytes;
    a->growing->take(c->task, a->create_env,
        c->start == SPK_START_VALUE ? SPK_GROW_COMBINE : started ? SPK_GROW_CREATE : SPK_GROW_ADD, acc,
        row + c->row->value_offset, c->row->size, &t->strings);
    t->string_bytes += t->strings.bytes - before;
    if (spk_task_failed(c->task) || (t->strings.bytes > c->compact_at && !compact(c)))
        return SIZE_MAX;
    return 1;
}
