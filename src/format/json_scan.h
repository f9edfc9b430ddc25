/* SPDX-License-Identifier: Apache-2.0 */
/* JSON texts, read from front to back: what is read is checked as it is passed, by RFC 8259 or
 * with the leniency that rules allow. Those of readers go over a text once; spark_json
 * (format/json.c) is for texts that are walked along more than once.
 *
 * Nothing behind the end of a text is looked at. A function that gives false has set `why`, and
 * p is at the byte that is wrong. */
#ifndef SPK_FORMAT_JSON_SCAN_H
#define SPK_FORMAT_JSON_SCAN_H

#include <spark/json.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* Rules, beyond RFC 8259. Names as those of the options in spark/json.h. */
enum {
    SPK_JSON_COMMENTS = 1,
    SPK_JSON_BARE_NAMES = 2,
    SPK_JSON_SINGLE_QUOTES = 4,
    SPK_JSON_ZEROS = 8,
    SPK_JSON_NAN = 16,
    SPK_JSON_ESCAPES = 32,
    SPK_JSON_CONTROLS = 64,
    SPK_JSON_QUOTED_NUMBERS = 128 /* strings are doubles, where prefersDecimal found decimals */
};

typedef struct spk_json_scan {
    const char *p, *end;
    const char *limit; /* memory can be read up to there, at least to the end; NULL: the end */
    const char *why; /* static; NULL: nothing is wrong so far */
    unsigned rules;
    unsigned depth; /* arrays and objects that are open */
} spk_json_scan;

/* spk_json_token: a value that is no array and no object. text: of a string what is between its
 * quotes. */
typedef struct spk_json_token {
    spark_json_kind kind;
    bool escaped; /* of a string: it has escapes */
    bool whole;   /* of a number: a sign and digits */
    bool named;   /* of a number: it is one of those by name: NaN */
    spark_str text;
} spk_json_token;

static inline bool spk_json_wrong(spk_json_scan *s, const char *why)
{
    s->why = why;
    return false;
}

/* spk_json_blanks: to the next byte that is no blank, and no comment where those are allowed. */
void spk_json_blanks_slow(spk_json_scan *s);
static inline void spk_json_blanks(spk_json_scan *s)
{
    if (s->p < s->end && ((unsigned char)*s->p <= ' ' || *s->p == '/'))
        spk_json_blanks_slow(s);
}

/* spk_json_string: p is at the opening quote. _from: somewhere in the string, whose text begins at
 * token->text.ptr. */
bool spk_json_string_from(spk_json_scan *s, char quote, spk_json_token *token);
static inline bool spk_json_string(spk_json_scan *s, spk_json_token *token)
{
    const char quote = *s->p++;
    *token = (spk_json_token) { .kind = SPARK_JSON_STRING, .text = { s->p, 0 } };
#ifdef __SSE2__
    if (s->end - s->p >= 16 && quote == '"') {
        const __m128i x = _mm_loadu_si128((const __m128i *)(const void *)s->p);
        const __m128i low = _mm_cmplt_epi8(x, _mm_set1_epi8(' ')); /* and all above 127 */
        const __m128i back = _mm_cmpeq_epi8(x, _mm_set1_epi8('\\'));
        const __m128i odd
            = _mm_or_si128(_mm_cmpeq_epi8(x, _mm_set1_epi8('"')), _mm_or_si128(back, low));
        const unsigned found = (unsigned)_mm_movemask_epi8(odd);
        s->p += found ? __builtin_ctz(found) : 16;
        if (found && *s->p == '"') {
            token->text.len = (size_t)(s->p++ - token->text.ptr);
            return true;
        }
    }
#endif
    return spk_json_string_from(s, quote, token);
}

/* spk_json_plain: the first byte that is the quote, a backslash, a control character or not
 * ASCII. spk_json_sign: how many bytes the sign at p has, which is not ASCII, as UTF-8 has them:
 * no longer than need be, no surrogate, nothing above U+10FFFF (Unicode, table 3-7). 0: it is
 * none. */
const char *spk_json_plain(const char *p, const char *end, char quote);
size_t spk_json_sign(const char *p, size_t left);

/* spk_json_digits: how many bytes from p on are digits. */
static inline size_t spk_json_digits(const char *p, const char *end)
{
    const char *q = p;
#ifdef __SSE2__
    for (; end - q >= 16; q += 16) {
        const __m128i x = _mm_loadu_si128((const __m128i *)(const void *)q);
        const __m128i d = _mm_sub_epi8(x, _mm_set1_epi8('0'));
        const unsigned other = 0xffff
            ^ (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_min_epu8(d, _mm_set1_epi8(9)), d));
        if (other)
            return (size_t)(q - p) + (size_t)__builtin_ctz(other);
    }
#endif
    while (q < end && (unsigned)(unsigned char)*q - '0' <= 9)
        q++;
    return (size_t)(q - p);
}

/* spk_json_number: p is at its sign or first digit. */
bool spk_json_number_slow(spk_json_scan *s, spk_json_token *token);
static inline bool spk_json_number(spk_json_scan *s, spk_json_token *token)
{
    const char *begin = s->p, *p = begin + (*begin == '-');
    const size_t n = spk_json_digits(p, s->end);
    const char *q = p + n;
    if (n == 0 || (n > 1 && *p == '0') || q == s->end)
        return spk_json_number_slow(s, token);
    bool whole = true;
    if (*q == '.') {
        const size_t more = spk_json_digits(q + 1, s->end);
        q += 1 + more;
        whole = false;
        if (more == 0 || q == s->end)
            return spk_json_number_slow(s, token);
    }
    if ((*q | 0x20) == 'e')
        return spk_json_number_slow(s, token);
    *token = (spk_json_token) {
        .kind = SPARK_JSON_NUMBER, .whole = whole, .text = { begin, (size_t)(q - begin) }
    };
    s->p = q;
    return true;
}

/* spk_json_scalar: the value at p, which is neither [ nor {. */
bool spk_json_word(spk_json_scan *s, spk_json_token *token);
static inline bool spk_json_scalar(spk_json_scan *s, spk_json_token *token)
{
    if (s->p < s->end && *s->p == '"')
        return spk_json_string(s, token);
    if (s->p < s->end && (unsigned)(unsigned char)*s->p - '0' <= 9)
        return spk_json_number(s, token);
    return spk_json_word(s, token);
}

/* spk_json_skip: past the value at p, whatever it is. */
bool spk_json_skip_inside(spk_json_scan *s);
static inline bool spk_json_skip(spk_json_scan *s)
{
    spk_json_token token;
    if (s->p < s->end && (*s->p == '{' || *s->p == '['))
        return spk_json_skip_inside(s);
    return spk_json_scalar(s, &token);
}

/* spk_json_name: the name of a member and its colon, from the first byte of the name to that of
 * the value. / */
bool spk_json_name(spk_json_scan *s, spk_json_token *token);

/* spk_json_enter: past the bracket at p, to the first element or name; *empty: to behind its
 * closing one. spk_json_more: behind an element, to the next one, or, false in *more, behind the
 * closing bracket. */
bool spk_json_enter_slow(spk_json_scan *s, bool *empty);
static inline bool spk_json_enter(spk_json_scan *s, bool *empty)
{
    if (s->end - s->p <= 1 || s->p[1] != '"' || s->depth == SPARK_JSON_DEPTH)
        return spk_json_enter_slow(s, empty);
    s->p++;
    s->depth++;
    *empty = false;
    return true;
}
bool spk_json_more_slow(spk_json_scan *s, char close, bool *more);
static inline bool spk_json_more(spk_json_scan *s, char close, bool *more)
{
    if (s->end - s->p > 1 && *s->p == ',' && (unsigned char)s->p[1] > ' ' && s->p[1] != '/') {
        s->p++;
        *more = true;
        return true;
    }
    return spk_json_more_slow(s, close, more);
}

/* spk_json_ends: nothing but blanks may be left. */
bool spk_json_ends_slow(spk_json_scan *s);
static inline bool spk_json_ends(spk_json_scan *s)
{
    return s->p == s->end || spk_json_ends_slow(s);
}

#endif
