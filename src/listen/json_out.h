/* SPDX-License-Identifier: Apache-2.0 */
/* Text in JSON, into a buffer that grows. Without memory it is `failed`, and what comes is left out. */
#ifndef SPK_LISTEN_JSON_OUT_H
#define SPK_LISTEN_JSON_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/cold.h"
#include "base/control.h"

enum { SPK_DIGITS = 20 };

typedef struct spk_json_out {
    char *at;
    size_t n, max;
    bool failed;
    int64_t last; /* what spk_print_again was given last, and its text */
    size_t last_n;
    char last_text[SPK_DIGITS];
} spk_json_out;

/* spk_json_room: for n more bytes, behind `at + n`. False: no memory. */
SPK_COLD bool spk_json_grow(spk_json_out *out, size_t n);
static inline bool spk_json_room(spk_json_out *out, size_t n)
{
    return out->max - out->n >= n || spk_json_grow(out, n);
}

static inline void spk_json_bytes(spk_json_out *out, const char *bytes, size_t n)
{
    if (n == 0 || !spk_json_room(out, n)) /* of nothing, nothing may be there yet */
        return;
    memcpy(out->at + out->n, bytes, n);
    out->n += n;
}

/* SPK_JSON: text as it is, which must be a literal. */
#define SPK_JSON(out, literal) spk_json_bytes(out, literal, sizeof(literal) - 1)

void spk_json_int(spk_json_out *out, int64_t value);
void spk_json_bool(spk_json_out *out, bool value);

/* What is written a thousand times a millisecond is written into room that was asked for before: spk_json_reserve:
 * of n bytes; NULL: no memory. spk_json_reached: up to there it was used. SPK_LITERAL, spk_print, spk_print_again: at
 * `at`; where the next byte goes. A number takes SPK_DIGITS bytes at most. _again: of a number that is often the one
 * before it, as milliseconds are. */
static inline char *spk_json_reserve(spk_json_out *out, size_t n)
{
    return spk_json_room(out, n) ? out->at + out->n : NULL;
}
static inline void spk_json_reached(spk_json_out *out, const char *at)
{
    out->n = (size_t)(at - out->at);
}
#define SPK_LITERAL(at, literal) ((char *)memcpy(at, literal, sizeof(literal) - 1) + (sizeof(literal) - 1))
char *spk_print_long(char *at, int64_t value);
static inline char *spk_print(char *at, int64_t value)
{
    if (value < 0 || value > 9)
        return spk_print_long(at, value);
    *at = (char)('0' + value);
    return at + 1;
}
static inline char *spk_print_again(spk_json_out *out, char *at, int64_t value)
{
    if (value != out->last || out->last_n == 0) {
        out->last = value;
        out->last_n = (size_t)(spk_print(out->last_text, value) - out->last_text);
    }
    memcpy(at, out->last_text, sizeof out->last_text); /* all of it, for that is one move or two */
    return at + out->last_n;
}

/* spk_json_text: in quotes. What is no UTF-8 becomes U+FFFD, as many as Unicode recommends; control
 * characters and what ends scripts (<, >, &) are escaped; beyond SPK_JSON_LONGEST bytes it is cut, and ends
 * with an ellipsis. spk_json_inner: without the quotes. spk_json_nested: as it stands in a text in a
 * text. */
enum { SPK_JSON_LONGEST = 65536 };
void spk_json_text(spk_json_out *out, const char *text);
void spk_json_inner(spk_json_out *out, const char *text);
void spk_json_nested(spk_json_out *out, const char *text);

/* SPK_FIELD, SPK_TEXT: a comma, a name, which is a literal, and a number or a text. */
#define SPK_FIELD(out, name, value)                                                                \
    do {                                                                                           \
        SPK_JSON(out, ",\"" name "\":");                                                           \
        spk_json_int(out, (int64_t)(value));                                                       \
    } while (0)
#define SPK_TEXT(out, name, value)                                                                 \
    do {                                                                                           \
        SPK_JSON(out, ",\"" name "\":");                                                           \
        spk_json_text(out, value);                                                                 \
    } while (0)

/* spk_json_character: of n bytes of UTF-8, at least one: how many are a character, if they begin with a whole
 * one; else minus how many are to be one U+FFFD together. */
int spk_json_character(const unsigned char *s, size_t n);

/* spk_json_obeyed: what may not stand in a line for people; size: as spk_json_character has found it: no character, a
 * control character, which a terminal obeys, and what ends lines or turns the direction of writing (U+2028 to U+202E,
 * U+2066 to U+2069). */
static inline bool spk_json_obeyed(const unsigned char *s, int size)
{
    return size < 0 || spk_control((const char *)s, (size_t)size)
        || (size == 3 && s[0] == 0xe2
            && ((s[1] == 0x80 && s[2] >= 0xa8 && s[2] <= 0xae) || (s[1] == 0x81 && s[2] >= 0xa6 && s[2] <= 0xa9)));
}

void spk_json_fini(spk_json_out *out);

#endif
