/* SPDX-License-Identifier: Apache-2.0 */
/* An open hash table; blocks that have gone stay in it as empty ones until it grows. */
#include "listen/block_table.h"

#include <stdlib.h>
#include <string.h>

enum { LEAST = 64 };

/* slot_of: of the block, or where it is to be put. */
static spk_cached_block *slot_of(spk_cached_block *slots, size_t max, int rdd, int partition, const char *executor)
{
    uint64_t hash = (uint64_t)(uint32_t)rdd * 0x9e3779b97f4a7c15u + (uint32_t)partition;
    hash ^= hash >> 29;
    hash *= 0xbf58476d1ce4e5b9u;
    for (size_t i = (size_t)(hash >> 20) & (max - 1);; i = (i + 1) & (max - 1)) {
        spk_cached_block *b = &slots[i];
        if (b->rdd < 0 || (b->rdd == rdd && b->partition == partition && strcmp(b->executor, executor) == 0))
            return b;
    }
}

static bool grow(spk_block_table *table)
{
    size_t n = 0, max = LEAST;
    for (size_t i = 0; i < table->max; i++)
        n += table->slots[i].memory + table->slots[i].disk > 0;
    while (max < n * 4)
        max *= 2;
    spk_cached_block *slots = malloc(max * sizeof *slots);
    if (!slots)
        return false;
    for (size_t i = 0; i < max; i++)
        slots[i].rdd = -1;
    for (size_t i = 0; i < table->max; i++) {
        const spk_cached_block *b = &table->slots[i];
        if (b->memory + b->disk > 0)
            *slot_of(slots, max, b->rdd, b->partition, b->executor) = *b;
    }
    free(table->slots);
    table->slots = slots;
    table->n = n;
    table->max = max;
    return true;
}

bool spk_block_table_set(spk_block_table *table, const spark_block_event *block)
{
    char executor[sizeof table->slots->executor] = "";
    const size_t length = strnlen(block->executor, sizeof executor - 1);
    memcpy(executor, block->executor, length);
    if (block->rdd < 0 || (table->n * 2 >= table->max && !grow(table)))
        return block->rdd < 0;
    spk_cached_block *b = slot_of(table->slots, table->max, block->rdd, block->partition, executor);
    if (b->rdd < 0) {
        *b = (spk_cached_block) { .rdd = block->rdd, .partition = block->partition };
        memcpy(b->executor, executor, sizeof executor);
        table->n++;
    }
    table->memory -= b->memory;
    table->disk -= b->disk;
    b->memory = block->in_memory ? block->memory_bytes : 0;
    b->disk = block->on_disk ? block->disk_bytes : 0;
    table->memory += b->memory;
    table->disk += b->disk;
    return true;
}

void spk_block_table_drop(spk_block_table *table, int rdd, const char *executor)
{
    for (size_t i = 0; i < table->max; i++) {
        spk_cached_block *b = &table->slots[i];
        if (b->rdd < 0 || (rdd >= 0 && b->rdd != rdd) || (executor && strcmp(b->executor, executor) != 0))
            continue;
        table->memory -= b->memory;
        table->disk -= b->disk;
        b->memory = b->disk = 0;
    }
}

void spk_block_table_fini(spk_block_table *table)
{
    free(table->slots);
    *table = (spk_block_table) { .slots = NULL };
}
