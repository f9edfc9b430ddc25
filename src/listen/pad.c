/* SPDX-License-Identifier: Apache-2.0 */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "listen/queue.h"

enum { PAD = 4096 };

typedef struct pad_piece {
    struct pad_piece *next;
    size_t used, size;
    _Alignas(16) char bytes[];
} pad_piece;

struct spk_pad {
    atomic_int refs;
    bool failed;
    pad_piece *pieces;
};

spk_pad *spk_pad_new(void)
{
    spk_pad *pad = calloc(1, sizeof *pad);
    if (pad)
        atomic_init(&pad->refs, 1);
    return pad;
}

void spk_pad_ref(spk_pad *pad)
{
    atomic_fetch_add_explicit(&pad->refs, 1, memory_order_relaxed);
}

void spk_pad_unref(spk_pad *pad)
{
    if (!pad || atomic_fetch_sub_explicit(&pad->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (pad_piece *piece = pad->pieces, *next; piece; piece = next) {
        next = piece->next;
        free(piece);
    }
    free(pad);
}

void *spk_pad_alloc(spk_pad *pad, size_t size)
{
    const size_t wanted = (size + 15) & ~(size_t)15;
    pad_piece *piece = pad->pieces;
    if (pad->failed)
        return NULL;
    if (!piece || piece->size - piece->used < wanted) {
        const size_t room = wanted > PAD ? wanted : PAD;
        piece = malloc(sizeof *piece + room);
        if (!piece) {
            pad->failed = true;
            return NULL;
        }
        piece->used = 0;
        piece->size = room;
        piece->next = pad->pieces;
        pad->pieces = piece;
    }
    char *at = piece->bytes + piece->used;
    piece->used += wanted;
    return memset(at, 0, wanted);
}

const char *spk_pad_text(spk_pad *pad, const char *text)
{
    if (!text || !*text)
        return "";
    const size_t size = strlen(text) + 1;
    char *copy = spk_pad_alloc(pad, size);
    return copy ? memcpy(copy, text, size) : "";
}

bool spk_pad_whole(const spk_pad *pad)
{
    return !pad->failed;
}
