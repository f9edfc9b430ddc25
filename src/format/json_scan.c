/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of JSON that are not on the way of most bytes: escapes, bytes of UTF-8, exponents, words,
 * blanks, comments, brackets. */
#include "format/json_scan.h"

static bool is_digit(char c)
{
    return (unsigned)(unsigned char)c - '0' <= 9;
}

static bool is_hex(char c)
{
    return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

/* ---- blanks ---- */

/* comment: the one at p, which begins with a slash; false: it is none, or does not end. */
static bool comment(spk_json_scan *s)
{
    const char *p = s->p + 2, *end = s->end;
    if (end - s->p < 2 || (s->p[1] != '/' && s->p[1] != '*'))
        return false;
    if (s->p[1] == '/') {
        while (p < end && *p != '\n' && *p != '\r')
            p++;
        s->p = p;
        return true;
    }
    for (; end - p >= 2; p++)
        if (p[0] == '*' && p[1] == '/') {
            s->p = p + 2;
            return true;
        }
    return false;
}

void spk_json_blanks_slow(spk_json_scan *s)
{
    for (;;) {
        while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\n' || *s->p == '\r'))
            s->p++;
        if (!(s->rules & SPK_JSON_COMMENTS) || s->p == s->end || *s->p != '/' || !comment(s))
            return;
    }
}

/* ---- strings ---- */

size_t spk_json_sign(const char *at, size_t left)
{
    const unsigned char *p = (const unsigned char *)at;
    const size_t n = *p >= 0xf0 ? 4 : *p >= 0xe0 ? 3 : 2;
    const unsigned char low = *p == 0xe0 ? 0xa0 : *p == 0xf0 ? 0x90 : 0x80;
    const unsigned char high = *p == 0xed ? 0x9f : *p == 0xf4 ? 0x8f : 0xbf;
    if (*p < 0xc2 || *p > 0xf4 || left < n || p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    return n;
}

static bool sign(spk_json_scan *s)
{
    const size_t n = spk_json_sign(s->p, (size_t)(s->end - s->p));
    s->p += n;
    return n > 0 || spk_json_wrong(s, "a byte that is no UTF-8");
}

static bool is_escape(const spk_json_scan *s, char c)
{
    if (c && strchr("\"\\/bfnrtu", c))
        return true;
    return (c == '\'' && s->rules & SPK_JSON_SINGLE_QUOTES)
        || ((unsigned char)c < 0x80 && s->rules & SPK_JSON_ESCAPES);
}

static bool escape(spk_json_scan *s)
{
    const size_t left = (size_t)(s->end - s->p);
    if (left < 2 || !is_escape(s, s->p[1]))
        return spk_json_wrong(s, "an escape that there is not");
    if (s->p[1] == 'u') {
        for (size_t i = 2; i < 6; i++)
            if (i >= left || !is_hex(s->p[i]))
                return spk_json_wrong(s, "\\u wants four hexadecimal digits");
        s->p += 4;
    }
    s->p += 2;
    return true;
}

const char *spk_json_plain(const char *p, const char *end, char quote)
{
#ifdef __SSE2__
    const __m128i q = _mm_set1_epi8(quote), back = _mm_set1_epi8('\\'), blank = _mm_set1_epi8(' ');
    for (; end - p >= 16; p += 16) {
        const __m128i x = _mm_loadu_si128((const __m128i *)(const void *)p);
        const __m128i odd = _mm_or_si128(
            _mm_cmpeq_epi8(x, q), _mm_or_si128(_mm_cmpeq_epi8(x, back), _mm_cmplt_epi8(x, blank)));
        const unsigned found = (unsigned)_mm_movemask_epi8(odd);
        if (found)
            return p + __builtin_ctz(found);
    }
#endif
    while (p < end && *p != quote && *p != '\\' && (unsigned char)*p >= ' ' && (unsigned char)*p < 0x80)
        p++;
    return p;
}

bool spk_json_string_from(spk_json_scan *s, char quote, spk_json_token *token)
{
    for (;;) {
        s->p = spk_json_plain(s->p, s->end, quote);
        if (s->p == s->end)
            return spk_json_wrong(s, "a string does not end");
        const unsigned char c = (unsigned char)*s->p;
        if (c == (unsigned char)quote)
            break;
        if (c >= 0x80) {
            do
                if (!sign(s))
                    return false;
            while (s->p < s->end && (unsigned char)*s->p >= 0x80);
        } else if (c == '\\') {
            token->escaped = true;
            if (!escape(s))
                return false;
        } else if (s->rules & SPK_JSON_CONTROLS) {
            s->p++;
        } else {
            return spk_json_wrong(s, "a control character in a string");
        }
    }
    token->text.len = (size_t)(s->p++ - token->text.ptr);
    return true;
}

/* ---- numbers and words ---- */

static bool digits(spk_json_scan *s)
{
    const size_t n = spk_json_digits(s->p, s->end);
    s->p += n;
    return n > 0 || spk_json_wrong(s, "a digit is missing");
}

/* by_name: of those that are no numbers in RFC 8259, the one at p; NULL: none. */
static const char *by_name(const spk_json_scan *s)
{
    static const char *const names[] = { "NaN", "Infinity", "-Infinity", "+Infinity", "-INF", "+INF" };
    const size_t left = (size_t)(s->end - s->p);
    for (size_t i = 0; s->rules & SPK_JSON_NAN && i < sizeof names / sizeof *names; i++)
        if (strlen(names[i]) <= left && memcmp(s->p, names[i], strlen(names[i])) == 0)
            return names[i];
    return NULL;
}

bool spk_json_number_slow(spk_json_scan *s, spk_json_token *token)
{
    const char *begin = s->p;
    *token = (spk_json_token) { .kind = SPARK_JSON_NUMBER, .whole = true };
    s->p += *s->p == '-';
    const char *first = s->p;
    if (!digits(s))
        return false;
    if (*first == '0' && s->p - first > 1 && !(s->rules & SPK_JSON_ZEROS))
        return spk_json_wrong(s, "a number with a zero in front");
    if (s->p < s->end && *s->p == '.') {
        token->whole = false;
        s->p++;
        if (!digits(s))
            return false;
    }
    if (s->p < s->end && (*s->p | 0x20) == 'e') {
        token->whole = false;
        s->p++;
        s->p += s->p < s->end && (*s->p == '-' || *s->p == '+');
        if (!digits(s))
            return false;
    }
    token->text = (spark_str) { begin, (size_t)(s->p - begin) };
    return true;
}

bool spk_json_word(spk_json_scan *s, spk_json_token *token)
{
    static const struct {
        const char *text;
        spark_json_kind kind;
    } words[] = { { "true", SPARK_JSON_BOOL }, { "false", SPARK_JSON_BOOL }, { "null", SPARK_JSON_NULL } };
    const size_t left = (size_t)(s->end - s->p);
    if (left == 0)
        return spk_json_wrong(s, "the text ends too early");
    if (*s->p == '\'' && s->rules & SPK_JSON_SINGLE_QUOTES)
        return spk_json_string(s, token);
    const char *name = by_name(s);
    if (name) {
        const spark_str text = { s->p, strlen(name) };
        *token = (spk_json_token) { .kind = SPARK_JSON_NUMBER, .named = true, .text = text };
        s->p += text.len;
        return true;
    }
    if (*s->p == '-')
        return spk_json_number(s, token);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        const size_t n = strlen(words[i].text);
        if (n > left || memcmp(s->p, words[i].text, n) != 0)
            continue;
        *token = (spk_json_token) { .kind = words[i].kind, .text = { s->p, n } };
        s->p += n;
        return true;
    }
    return spk_json_wrong(s, "no value");
}

/* ---- arrays and objects ---- */

/* is_bare: whether a name that stands without quotes may have this byte, by what Jackson takes for one. */
static bool is_bare(char c)
{
    const char low = (char)(c | 0x20);
    return (low >= 'a' && low <= 'z') || is_digit(c) || (c && strchr("_$@#*-+", c));
}

static bool bare_name(spk_json_scan *s, spk_json_token *token)
{
    const char *begin = s->p;
    *token = (spk_json_token) { .kind = SPARK_JSON_STRING };
    while (s->p < s->end && (is_bare(*s->p) || (unsigned char)*s->p >= 0x80)) {
        if (is_bare(*s->p))
            s->p++;
        else if (!sign(s))
            return false;
    }
    token->text = (spark_str) { begin, (size_t)(s->p - begin) };
    return s->p > begin || spk_json_wrong(s, "the name of a member is missing");
}

bool spk_json_name(spk_json_scan *s, spk_json_token *token)
{
    const char c = s->p < s->end ? *s->p : '\0';
    if (c == '"' || (c == '\'' && s->rules & SPK_JSON_SINGLE_QUOTES)) {
        if (!spk_json_string(s, token))
            return false;
    } else if (!(s->rules & SPK_JSON_BARE_NAMES)) {
        return spk_json_wrong(s, "the name of a member is missing");
    } else if (!bare_name(s, token)) {
        return false;
    }
    spk_json_blanks(s);
    if (s->p == s->end || *s->p != ':')
        return spk_json_wrong(s, "a colon is missing");
    s->p++;
    spk_json_blanks(s);
    return true;
}

bool spk_json_enter_slow(spk_json_scan *s, bool *empty)
{
    const char close = *s->p == '{' ? '}' : ']';
    if (s->depth == SPARK_JSON_DEPTH)
        return spk_json_wrong(s, "nested deeper than 1000");
    s->depth++;
    s->p++;
    spk_json_blanks(s);
    *empty = s->p < s->end && *s->p == close;
    s->p += *empty;
    s->depth -= *empty;
    return true;
}

bool spk_json_more_slow(spk_json_scan *s, char close, bool *more)
{
    spk_json_blanks(s);
    *more = s->p < s->end && *s->p == ',';
    if (!*more && (s->p == s->end || *s->p != close))
        return spk_json_wrong(s, close == '}' ? "a comma or } is missing" : "a comma or ] is missing");
    s->p++;
    if (*more)
        spk_json_blanks(s);
    s->depth -= !*more;
    return true;
}

/* leave: from behind a value to the next one, out of all that ends there; open: a bit for each array or
 * object that is open, set for objects; base: those that are not ours. */
static bool leave(spk_json_scan *s, const uint64_t *open, unsigned base)
{
    for (bool more = false; !more && s->depth > base;) {
        const unsigned at = s->depth - 1;
        if (!spk_json_more(s, open[at / 64] >> at % 64 & 1 ? '}' : ']', &more))
            return false;
    }
    return true;
}

bool spk_json_skip_inside(spk_json_scan *s)
{
    uint64_t open[(SPARK_JSON_DEPTH + 63) / 64] = { 0 };
    const unsigned base = s->depth;
    bool object = false; /* the innermost one that is open */
    do {
        spk_json_token token;
        bool empty = false;
        if (object && !spk_json_name(s, &token))
            return false;
        if (s->p < s->end && (*s->p == '{' || *s->p == '[')) {
            const uint64_t bit = UINT64_C(1) << s->depth % 64;
            uint64_t *word = &open[(s->depth < SPARK_JSON_DEPTH ? s->depth : 0) / 64];
            object = *s->p == '{';
            if (!spk_json_enter(s, &empty))
                return false;
            if (!empty) {
                *word = (*word & ~bit) | (object ? bit : 0);
                continue;
            }
        } else if (!spk_json_scalar(s, &token)) {
            return false;
        }
        if (!leave(s, open, base))
            return false;
        const unsigned at = s->depth - 1;
        object = s->depth > base && open[at / 64] >> at % 64 & 1;
    } while (s->depth > base);
    return true;
}

bool spk_json_ends_slow(spk_json_scan *s)
{
    spk_json_blanks(s);
    return s->p == s->end || spk_json_wrong(s, "more behind the value");
}
