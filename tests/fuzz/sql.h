/* SPDX-License-Identifier: Apache-2.0 */
/* What the targets of SQL share: memory that is used again, and texts with a NUL. */
#ifndef FUZZ_SQL_H
#define FUZZ_SQL_H

#include "base/arena.h"
#include "replay.h"
#include "sql/error.h"

/* arena_of: emptied; of one heap of 256 MiB. */
static inline spk_arena *arena_of(void)
{
    static spk_heap heap;
    static spk_arena arena;
    if (!arena.heap) {
        spk_heap_init(&heap, (uint64_t)256 << 20);
        spk_arena_init(&arena, &heap);
    }
    spk_arena_reset(&arena);
    return &arena;
}

/* text_of: the bytes as a text of their own; up to the first NUL. */
static inline char *text_of(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    insist(text != NULL);
    if (size)
        memcpy(text, data, size);
    text[size] = '\0';
    return text;
}

/* described: an error is one of the table's, and says where. */
static inline void described(const spk_sql_error *error, const char *text)
{
    char message[700];
    insist(error->span.from == UINT32_MAX || (error->span.from <= strlen(text) && error->span.from <= error->span.to));
    spk_sql_describe(error, text, message, sizeof message);
    insist(message[0] == '[' && strlen(message) < sizeof message);
}

#endif
