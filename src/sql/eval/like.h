/* SPDX-License-Identifier: Apache-2.0 */
/* Patterns of LIKE: % any text, _ one code point. */
#ifndef SPK_SQL_EVAL_LIKE_H
#define SPK_SQL_EVAL_LIKE_H

#include "sql/eval/type.h"

/* spk_like_part: what stands between two %: bytes, in which a code point may be open. */
typedef struct spk_like_part {
    const char *bytes;
    const uint8_t
        *open; /* a byte each: 1: any code point, and the byte means nothing; NULL: none is open */
    size_t n;  /* bytes and open places */
    size_t points; /* code points */
} spk_like_part;

typedef struct spk_like {
    const spk_like_part *parts;
    size_t n;
    bool front, back; /* a % at the begin, at the end; n is 0 for "%" */
} spk_like;

/* spk_like_compile: SPK_LIKE_GOOD, or what is wrong with the escapes: one at the end, or
 * SPK_LIKE_MIDDLE + the place of a character that must not be escaped. */
enum { SPK_LIKE_GOOD, SPK_LIKE_NOMEM, SPK_LIKE_END, SPK_LIKE_MIDDLE };
int spk_like_compile(spk_like *like, spk_arena *arena, spark_str pattern, spark_str escape);

bool spk_like_matches(const spk_like *like, spark_str s);

/* spk_like_is_inner: whether what matches has the bytes of the first part somewhere. spk_like_find: where they are first
 * in [p, limit); NULL: nowhere. */
static inline bool spk_like_is_inner(const spk_like *like)
{
    return like->n > 0 && like->front && !like->parts[0].open;
}
const char *spk_like_find(const spk_like *like, const char *p, const char *limit);

#endif
