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
    const __m128i high = _mm_add_epi8(x, _mm_set1_epi8(127 - '9')); /* digits are the ten highest, signed */
    const unsigned other = (unsigned)_mm_movemask_epi8(_mm_cmplt_epi8(high, _mm_set1_epi8(127 - 9)));
    if (!other)
        return NULL;
    const unsigned whole = (unsigned)__builtin_ctz(other), rest = other & (other - 1);
    if (whole == 0 || (whole > 1 && *p == '0'))
        return NULL;
    if (p[whole] != '.')
        return p + whole;
    const unsigned n = rest ? (unsigned)__builtin_ctz(rest) : 0; /* behind the digits behind the point */
    return n > whole + 1 ? p + n : NULL;
}

/* past_word: behind true, false or null. Which it is nobody can foresee, so nothing branches on it. */
static inline const char *past_word(const char *p)
{
    static const char words[3][4] = { { 't', 'r', 'u', 'e' }, { 'a', 'l', 's', 'e' }, { 'n', 'u', 'l', 'l' } };
    const int f = *p == 'f', n = *p == 'n';
    return memcmp(p + f, words[f + 2 * n], 4) == 0 ? p + f + 4 : NULL;
}

/* past: behind the value at p, where it is easily told; else NULL. */
static inline const char *past(const char *p)
{
    if (*p == '"')
        return past_string(p);
    if (*p <= '9')
        return past_number(p);
    return past_word(p);
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
    if (*p == 'n')
        return false;
    switch (node->type->kind) {
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
    case SPARK_KIND_BOOL:
        if (*p != 't' && *p != 'f')
            return false;
        *to = *p == 't';
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
    for (; i < SPK_JSON_GUESSES && limit - p >= AHEAD + SPK_JSON_GUESS; i++) {
        const spk_json_guess *g = &guesses[i];
        if (!spk_json_as_guessed(g, p) && !(*p == ' ' && spk_json_as_guessed(g, ++p)))
            break;
        const char *behind = past(p + g->n);
        if (!behind || behind >= s->end || (*behind != ',' && *behind != '}'))
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
            s->p = p;
            s->depth--;
            return i + 1;
        }
    }
    s->p = p;
    spk_json_blanks(s);
    return i;
}
