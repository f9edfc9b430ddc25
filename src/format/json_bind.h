/* SPDX-License-Identifier: Apache-2.0 */
/* How a JSON object becomes a row: what the files of the one pass over it share. */
#ifndef SPK_FORMAT_JSON_BIND_H
#define SPK_FORMAT_JSON_BIND_H

#include "format/json_row.h"

typedef struct spk_json_binder {
    spk_json_scan *scan;
    const spk_json_plan *plan;
    spk_json_guess *guesses; /* or NULL */
    spk_arena *texts;
    spk_json_outcome *outcome;
    const spark_field *field; /* the innermost member */
} spk_json_binder;

/* spk_json_result: MISFIT: the value has no place, and the scan is somewhere in it; BROKEN: this is
 * no JSON, or there is no memory. */
typedef enum spk_json_result { FINE, MISFIT, BROKEN } spk_json_result;

/* spk_json_misfit: the value that begins there has no place; null: it is null or missing. Gives
 * MISFIT. */
spk_json_result spk_json_misfit(
    spk_json_binder *b, const spk_json_node *node, const char *begin, bool null);
static inline spk_json_result spk_json_nomem(spk_json_binder *b)
{
    b->outcome->nomem = true;
    return BROKEN;
}

/* spk_json_plain_text: the text of a string, without its escapes. */
spk_json_result spk_json_plain_text(
    spk_json_binder *b, const spk_json_token *token, spark_str *out);

/* spk_json_scalar_value, _string_value: the value that the scan is at, of such a node, to `to`. */
spk_json_result spk_json_scalar_value(spk_json_binder *b, const spk_json_node *node, char *to);
spk_json_result spk_json_string_value(spk_json_binder *b, char *to);

/* spk_json_swift: members as they stood in the last object, with values that are easily told,
 * from number i on. The scan is at a name; then at that of the first member that is another,
 * whose number is returned, or, where *more is false, behind the object. seen: a bit for each
 * member of the type that was there, where some must be. */
uint32_t spk_json_swift(spk_json_binder *b, const spk_json_node *node, uint32_t i, char *row,
    uint64_t *seen, bool *more);

/* spk_json_as_guessed: whether the text at p, where SPK_JSON_GUESS bytes can be read, begins as
 * the guess does; false where there is none. */
static inline bool spk_json_as_guessed(const spk_json_guess *guess, const char *p)
{
#ifdef __SSE2__
    const __m128i x = _mm_loadu_si128((const __m128i *)(const void *)p);
    const __m128i y = _mm_loadu_si128((const __m128i *)(const void *)guess->text);
    unsigned same = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(x, y));
    if (guess->n > 16) {
        const __m128i z = _mm_loadu_si128((const __m128i *)(const void *)(p + 16));
        const __m128i w = _mm_loadu_si128((const __m128i *)(const void *)(guess->text + 16));
        same |= (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(z, w)) << 16;
    }
    return (same | guess->any) == UINT32_MAX;
#else
    return guess->n > 0 && memcmp(guess->text, p, guess->n) == 0;
#endif
}

#endif
