/* SPDX-License-Identifier: Apache-2.0 */
/* What most members are like: named as in the object before, with a short string or number behind it. Such are
 * checked and taken sixteen bytes at a time; all else is left to those who look more closely. */
#include "format/json_bind.h"

/* AHEAD: so many bytes can be read from the name of a member on, and from its value on. */
enum { STEPS = 4, AHEAD = 16 * (STEPS + 1) };

#ifdef __SSE2__
/* past_string: behind the string at p, where it is of plain bytes, and not long. NULL: it is not. */
static inline const char *past_string(const char *p)
{
    const __m128i quote = _mm_set1_epi8('"'), back = _mm_set1_epi8('\\'), blank = _mm_set1_epi8(' ');
    p++;
    for (int i = 0; i < STEPS; i++, p += 16) {
        const __m128i x = _mm_loadu_si128((const __m128i *)(const void *)p);
        const __m128i odd = _mm_or_si128(
            _mm_cmpeq_epi8(x, quote), _mm_or_si128(_mm_cmpeq_epi8(x, back), _mm_cmplt_epi8(x, blank)));
        const unsigned found = (unsigned)_mm_movemask_epi8(odd);
        if (found) {
            p += __builtin_ctz(found);
            return *p == '"' ? p + 1 : NULL;
        }
    }
    return NULL;
}

/* past_number: behind the number at p, where it is digits with a point among them, and not long. */
static inline const char *past_number(const char *p)
{
    p += *p == '-';
    const __m128i x = _mm_loadu_si128((const __m128i *)(const void *)p);
    const __m128i d = _mm_sub_epi8(x, _mm_set1_epi8('0')), nine = _mm_set1_epi8(9);
    const unsigned digits = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_min_epu8(d, nine), d));
    const unsigned points = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(x, _mm_set1_epi8('.')));
    const unsigned other = 0xffff & ~(digits | points);
    if (!other)
        return NULL;
    const unsigned n = (unsigned)__builtin_ctz(other), here = points & ((1u << n) - 1);
    const unsigned whole = here ? (unsigned)__builtin_ctz(here) : n; /* digits before the point */
    const bool good
        = whole > 0 && (whole == 1 || *p != '0') && !(here & (here - 1)) && (!here || whole + 1 < n);
    return good ? p + n : NULL;
}

/* past: behind the value at p, where it is easily told; else NULL. */
static inline const char *past(const char *p)
{
    if (*p == '"')
        return past_string(p);
    if (*p == 't' || *p == 'n')
        return memcmp(p, *p == 't' ? "true" : "null", 4) == 0 ? p + 4 : NULL;
    if (*p == 'f')
        return memcmp(p, "false", 5) == 0 ? p + 5 : NULL;
    return past_number(p);
}
#else
static inline const char *past(const char *p)
{
    (void)p;
    return NULL;
}
#endif

/* take: the value between p and behind into the row; false: it must be looked at more closely. */
static inline bool take(
    const spk_json_binder *b, const spk_json_member *m, const char *p, const char *behind, char *row)
{
    const spk_json_node *node = m->node;
    const size_t n = (size_t)(behind - p);
    const bool text = *p == '"';
    char *to = row + m->offset + node->at;
    spark_str s = { p + 1, n - 2 };
    int64_t i;
    double x;
    int32_t days;
    switch (text ? node->type->kind : *p <= '9' ? node->type->kind : SPARK_KIND_LIST) {
    case SPARK_KIND_I64:
        if (text || !spk_text_i64(p, n, &i))
            return false;
        memcpy(to, &i, sizeof i);
        break;
    case SPARK_KIND_I32:
        if (text || !spk_text_i64(p, n, &i) || i != (int32_t)i)
            return false;
        memcpy(to, &(int32_t) { (int32_t)i }, sizeof(int32_t));
        break;
    case SPARK_KIND_F64:
        if (text || !spk_text_f64(p, n, &x) || x == 0)
            return false;
        memcpy(to, &x, sizeof x);
        break;
    case SPARK_KIND_STR:
        s = text ? s : (spark_str) { p, n };
        memcpy(to, &s, sizeof s);
        break;
    case SPARK_KIND_DATE:
        if (!text || !b->plan->csv->plain_date || !spk_iso_date(s.ptr, s.len, &days))
            return false;
        memcpy(to, &days, sizeof days);
        break;
    default:
        return false;
    }
    if (node->optional)
        row[m->offset] = true;
    return true;
}

uint32_t spk_json_swift(spk_json_binder *b, const spk_json_node *node, uint32_t i, char *row, uint64_t *seen,
    bool *more)
{
    const spk_json_guess *guesses = b->guesses + node->guesses;
    spk_json_scan *s = b->scan;
    const char *p = s->p, *limit = s->limit ? s->limit : s->end;
    for (; i < SPK_JSON_GUESSES && limit - p >= AHEAD + SPK_JSON_GUESS && guesses[i].n > 0; i++) {
        const spk_json_guess *g = &guesses[i];
        const char *behind = spk_json_as_guessed(g, p) ? past(p + g->n) : NULL;
        if (!behind || behind >= s->end)
            break;
        if (*behind != ',' && *behind != '}')
            break;
        if (g->member != UINT32_MAX) {
            if (!take(b, &node->members[g->member], p + g->n, behind, row))
                break;
            if (node->required > 0)
                seen[g->member / 64] |= UINT64_C(1) << g->member % 64;
        }
        p = behind + 1;
        if (*behind == '}') {
            *more = false;
            s->depth--;
            i++;
            break;
        }
        if ((unsigned char)*p <= ' ' || *p == '/') {
            s->p = p;
            spk_json_blanks(s);
            p = s->p;
        }
    }
    s->p = p;
    return i;
}

