/* SPDX-License-Identifier: Apache-2.0 */
/* Text that is put together: into room that is given, counting what does not fit, or into an arena.
 * */
#ifndef SPK_SQL_EVAL_TEXT_H
#define SPK_SQL_EVAL_TEXT_H

#include "base/arena.h"

typedef struct spk_text {
    char *at;
    size_t n, size;   /* n: of the whole text */
    spk_arena *arena; /* NULL: the room is all there is */
    bool failed;      /* no memory */
    bool computed;    /* of expressions: as they are computed, not as they were written */
    bool shown;       /* of values: as show has them: NULL, [1F] */
} spk_text;

/* spk_text_in: into `size` bytes. spk_text_new: into an arena, as long as it gets. */
static inline spk_text spk_text_in(char *at, size_t size)
{
    return (spk_text) { at, 0, size, NULL, false, false, false };
}
static inline spk_text spk_text_new(spk_arena *arena)
{
    return (spk_text) { NULL, 0, 0, arena, false, false, false };
}

void spk_text_bytes(spk_text *t, const char *p, size_t n);
void spk_text_put(spk_text *t, const char *p);
void spk_text_number(spk_text *t, int64_t x);
void spk_text_digits_of(spk_text *t, uint64_t x, int width); /* zeros in front */
static inline void spk_text_char(spk_text *t, char c)
{
    if (t->n < t->size)
        t->at[t->n++] = c;
    else
        spk_text_bytes(t, &c, 1);
}

/* spk_text_end: the whole length; puts a NUL behind what is there. */
size_t spk_text_end(spk_text *t);

#endif
