/* SPDX-License-Identifier: Apache-2.0 */
/* Text in JSON, into a buffer that grows. Without memory it is `failed`, and what comes is left out. */
#ifndef SPK_LISTEN_JSON_OUT_H
#define SPK_LISTEN_JSON_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/cold.h"

typedef struct spk_json_out {
    char *at;
    size_t n, max;
    bool failed;
} spk_json_out;

/* spk_json_room: for n more bytes, behind `at + n`. False: no memory. */
SPK_COLD bool spk_json_grow(spk_json_out *out, size_t n);
static inline bool spk_json_room(spk_json_out *out, size_t n)
{
    return out->max - out->n >= n || spk_json_grow(out, n);
}

static inline void spk_json_bytes(spk_json_out *out, const char *bytes, size_t n)
{
    if (!spk_json_room(out, n))
        return;
    memcpy(out->at + out->n, bytes, n);
    out->n += n;
}

/* SPK_JSON: text as it is, which must be a literal. */
#define SPK_JSON(out, literal) spk_json_bytes(out, literal, sizeof(literal) - 1)

void spk_json_int(spk_json_out *out, int64_t value);
void spk_json_bool(spk_json_out *out, bool value);

/* spk_json_text: in quotes. What is no UTF-8 becomes U+FFFD, as many as Unicode recommends; control
 * characters and what ends scripts (<, >, &) are escaped; beyond SPK_JSON_LONGEST bytes it is cut, and ends
 * with an ellipsis. spk_json_inner: without the quotes. spk_json_nested: as it stands in a text in a
 * text. */
enum { SPK_JSON_LONGEST = 65536 };
void spk_json_text(spk_json_out *out, const char *text);
void spk_json_inner(spk_json_out *out, const char *text);
void spk_json_nested(spk_json_out *out, const char *text);

/* spk_json_character: of n bytes of UTF-8, at least one: how many are a character, if they begin with a whole
 * one; else minus how many are to be one U+FFFD together. */
int spk_json_character(const unsigned char *s, size_t n);

void spk_json_fini(spk_json_out *out);

#endif
