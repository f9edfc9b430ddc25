/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of signs in patterns: classes, properties, escapes. */
#include "base/small.h"

#include <string.h>

#include "sql/eval/regex_build.h"
#include "sql/eval/utf8.h"

enum { SETS = 2000, CLASSES_DEEP = 200 };

bool spk_re_add(spk_re_parser *r, spk_re_ranges *s, uint32_t first, uint32_t last)
{
    if (s->n == s->room) {
        const uint32_t room = s->room > 0 ? 2 * s->room : 16;
        uint32_t *fresh = spk_arena_alloc(r->arena, 2 * room * sizeof *fresh, 4);
        if (!fresh)
            return spk_re_fail(r, "");
        if (s->n > 0)
            memcpy(fresh, s->at, 2 * s->n * sizeof *fresh);
        s->at = fresh;
        s->room = room;
    }
    s->at[2 * s->n] = first;
    s->at[2 * s->n + 1] = last;
    s->n++;
    return true;
}

/* tidy: sorts and joins. Insertion: ranges come nearly in order, and there are few. */
static void tidy(spk_re_ranges *s)
{
    uint32_t n = 0;
    for (uint32_t i = 1; i < s->n; i++) {
        const uint32_t first = s->at[2 * i], last = s->at[2 * i + 1];
        uint32_t k = i;
        for (; k > 0 && s->at[2 * k - 2] > first; k--) {
            s->at[2 * k] = s->at[2 * k - 2];
            s->at[2 * k + 1] = s->at[2 * k - 1];
        }
        s->at[2 * k] = first;
        s->at[2 * k + 1] = last;
    }
    for (uint32_t i = 0; i < s->n; i++) {
        if (n > 0 && s->at[2 * i] <= s->at[2 * n - 1] + 1) {
            if (s->at[2 * i + 1] > s->at[2 * n - 1])
                s->at[2 * n - 1] = s->at[2 * i + 1];
            continue;
        }
        s->at[2 * n] = s->at[2 * i];
        s->at[2 * n + 1] = s->at[2 * i + 1];
        n++;
    }
    s->n = n;
}

enum { LAST_CODE = 0x1100ff }; /* bytes that are no UTF-8 lie behind the code points */

bool spk_re_complement(spk_re_parser *r, spk_re_ranges *s)
{
    spk_re_ranges out = { 0 };
    uint32_t next = 0;
    tidy(s);
    for (uint32_t i = 0; i < s->n; i++) {
        if (s->at[2 * i] > next && !spk_re_add(r, &out, next, s->at[2 * i] - 1))
            return false;
        next = s->at[2 * i + 1] + 1;
    }
    if (next <= LAST_CODE && !spk_re_add(r, &out, next, LAST_CODE))
        return false;
    *s = out;
    return true;
}

static bool unite(spk_re_parser *r, spk_re_ranges *s, const spk_re_ranges *t)
{
    for (uint32_t i = 0; i < t->n; i++)
        if (!spk_re_add(r, s, t->at[2 * i], t->at[2 * i + 1]))
            return false;
    return true;
}

/* intersect: what is in both is in neither's complement. */
static bool intersect(spk_re_parser *r, spk_re_ranges *s, spk_re_ranges *t)
{
    return spk_re_complement(r, s) && spk_re_complement(r, t) && unite(r, s, t) && spk_re_complement(r, s);
}

static bool fold_case(spk_re_parser *r, spk_re_ranges *s)
{
    const uint32_t n = s->n;
    for (uint32_t i = 0; i < n; i++) /* ASCII alone, as Java without UNICODE_CASE */
        for (uint32_t c = s->at[2 * i]; c <= s->at[2 * i + 1] && c < 128; c++) {
            const uint32_t other = c >= 'a' && c <= 'z' ? c - 32
                : c >= 'A' && c <= 'Z'                  ? c + 32
                                                        : c;
            if (other != c && !spk_re_add(r, s, other, other))
                return false;
        }
    return true;
}

int spk_re_keep_set(spk_re_parser *r, spk_re_ranges *s)
{
    tidy(s);
    if (r->n_sets == SETS) {
        spk_re_refuse(r, "a pattern with too many classes");
        return -1;
    }
    if (r->n_sets == r->room_sets) {
        const int room = r->room_sets > 0 ? 2 * r->room_sets : 8;
        spk_regex_set *fresh
            = spk_arena_alloc(r->arena, (size_t)room * sizeof *fresh, _Alignof(spk_regex_set));
        if (!fresh) {
            spk_re_fail(r, "");
            return -1;
        }
        if (r->n_sets > 0)
            memcpy(fresh, r->sets, (size_t)r->n_sets * sizeof *fresh);
        r->sets = fresh;
        r->room_sets = room;
    }
    spk_regex_set *set = &r->sets[r->n_sets];
    *set = (spk_regex_set) { .n = s->n, .ranges = s->at };
    for (uint32_t i = 0; i < s->n; i++)
        for (uint32_t c = s->at[2 * i]; c <= s->at[2 * i + 1] && c < 128; c++)
            set->low[c >> 6] |= UINT64_C(1) << (c & 63);
    return r->n_sets++;
}

bool spk_re_emit_set(spk_re_parser *r, spk_re_ranges *s)
{
    if (r->insensitive && !fold_case(r, s))
        return false;
    const int which = spk_re_keep_set(r, s);
    return which >= 0 && spk_re_emit(r, SPK_RE_CLASS, which, 0);
}

bool spk_re_emit_char(spk_re_parser *r, uint32_t c)
{
    spk_re_ranges s = { 0 };
    if (!r->insensitive || c >= 128 || !((c | 0x20) >= 'a' && (c | 0x20) <= 'z'))
        return spk_re_emit(r, SPK_RE_CHAR, (int32_t)c, 0);
    return spk_re_add(r, &s, c, c) && spk_re_emit_set(r, &s);
}

/* named: \d and its kin; false: no such letter. */
bool spk_re_named(spk_re_parser *r, char letter, spk_re_ranges *s)
{
    const char lower = (char)(letter | 0x20);
    switch (lower) {
    case 'd':
        spk_re_add(r, s, '0', '9');
        break;
    case 'w':
        spk_re_add(r, s, '0', '9');
        spk_re_add(r, s, 'A', 'Z');
        spk_re_add(r, s, '_', '_');
        spk_re_add(r, s, 'a', 'z');
        break;
    case 's':
        spk_re_add(r, s, '\t', '\r');
        spk_re_add(r, s, ' ', ' ');
        break;
    case 'h':
        spk_re_add(r, s, '\t', '\t');
        spk_re_add(r, s, ' ', ' ');
        spk_re_add(r, s, 0xa0, 0xa0);
        spk_re_add(r, s, 0x1680, 0x1680);
        spk_re_add(r, s, 0x180e, 0x180e);
        spk_re_add(r, s, 0x2000, 0x200a);
        spk_re_add(r, s, 0x202f, 0x202f);
        spk_re_add(r, s, 0x205f, 0x205f);
        spk_re_add(r, s, 0x3000, 0x3000);
        break;
    case 'v':
        spk_re_add(r, s, '\n', '\r');
        spk_re_add(r, s, 0x85, 0x85);
        spk_re_add(r, s, 0x2028, 0x2029);
        break;
    default:
        return false;
    }
    if (letter != lower)
        spk_re_complement(r, s);
    return true;
}

bool spk_re_property(spk_re_parser *r, bool negated, spk_re_ranges *s)
{
    static const struct {
        const char *name, *pairs;
    } posix[] = { { "Lower", "az" }, { "Upper", "AZ" }, { "ASCII", "\1\177" }, { "Alpha", "AZaz" },
        { "Digit", "09" }, { "Alnum", "09AZaz" }, { "Punct", "!/:@[`{~" }, { "Graph", "!~" },
        { "Print", " ~" }, { "Blank", "\t\t  " }, { "Cntrl", "\1\37\177\177" },
        { "XDigit", "09AFaf" }, { "Space", "\t\r  " } };
    if (r->p == r->end || *r->p != '{')
        return spk_re_refuse(r, "a Unicode property");
    const char *name = ++r->p, *close = memchr(name, '}', (size_t)(r->end - name));
    if (!close)
        return spk_re_fail(r, "Unclosed character family");
    const size_t n = (size_t)(close - name);
    r->p = close + 1;
    for (size_t i = 0; i < sizeof posix / sizeof *posix; i++) {
        if (strlen(posix[i].name) != n || memcmp(posix[i].name, name, n) != 0)
            continue;
        for (const char *q = posix[i].pairs; *q; q += 2)
            if (!spk_re_add(r, s, *q == 1 ? 0 : (unsigned char)*q, (unsigned char)q[1]))
                return false;
        return !negated || spk_re_complement(r, s);
    }
    return spk_re_refuse(r, "a Unicode property");
}

/* ---- escapes ---- */

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'                  ? c - '0'
        : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
                                                 : -1;
}

static bool hexadecimal(spk_re_parser *r, int digits, uint32_t *c)
{
    *c = 0;
    if (digits == 2 && r->p < r->end && *r->p == '{') {
        for (r->p++; r->p < r->end && hex_digit(*r->p) >= 0 && *c < 0x110000; r->p++)
            *c = *c << 4 | (uint32_t)hex_digit(*r->p);
        if (r->p == r->end || *r->p++ != '}' || *c > 0x10ffff)
            return spk_re_fail(r, "Illegal hexadecimal escape sequence");
        return true;
    }
    for (int i = 0; i < digits; i++, r->p++) {
        if (r->p == r->end || hex_digit(*r->p) < 0)
            return spk_re_fail(r, "Illegal hexadecimal escape sequence");
        *c = *c << 4 | (uint32_t)hex_digit(*r->p);
    }
    return true;
}

/* escaped: what stands behind a backslash, as one character; false: failed. */
bool spk_re_escaped(spk_re_parser *r, uint32_t *c)
{
    size_t size;
    const char letter = *r->p;
    if ((unsigned char)letter >= 0x80) {
        *c = spk_utf8_read(r->p, (size_t)(r->end - r->p), &size);
        r->p += size;
        return true;
    }
    r->p++;
    switch (letter) {
    case 't':
        *c = '\t';
        return true;
    case 'n':
        *c = '\n';
        return true;
    case 'r':
        *c = '\r';
        return true;
    case 'f':
        *c = '\f';
        return true;
    case 'a':
        *c = 7;
        return true;
    case 'e':
        *c = 27;
        return true;
    case 'x':
        return hexadecimal(r, 2, c);
    case 'u':
        return hexadecimal(r, 4, c);
    case 'c':
        if (r->p == r->end)
            return spk_re_fail(r, "Illegal control escape sequence");
        *c = (unsigned char)*r->p++ ^ 64u;
        return true;
    case '0':
        *c = 0;
        for (int i = 0;
             i < 3 && r->p < r->end && *r->p >= '0' && *r->p <= '7' && (i < 2 || *c < 32); i++)
            *c = *c * 8 + (uint32_t)(*r->p++ - '0');
        return true;
    default:
        if ((letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z'))
            return spk_re_fail(r, "Illegal/unsupported escape sequence");
        *c = (unsigned char)letter;
        return true;
    }
}

/* ---- classes ---- */

bool spk_re_read_class(spk_re_parser *r, spk_re_ranges *out);

/* member: one character of a class, or a whole set of them (*whole). */
static bool member(spk_re_parser *r, uint32_t *c, spk_re_ranges *set, bool *whole)
{
    size_t size;
    *whole = false;
    if (*r->p != '\\') {
        *c = spk_utf8_read(r->p, (size_t)(r->end - r->p), &size);
        r->p += size;
        return true;
    }
    if (++r->p == r->end)
        return spk_re_fail(r, "Unclosed character class");
    if (*r->p == 'p' || *r->p == 'P') {
        *whole = true;
        return spk_re_property(r, *r->p++ == 'P', set);
    }
    if (spk_re_named(r, *r->p, set)) {
        *whole = true;
        r->p++;
        return !r->why;
    }
    return spk_re_escaped(r, c);
}

static bool read_members(spk_re_parser *r, spk_re_ranges *out)
{
    bool first = true;
    for (;; first = false) {
        uint32_t low = 0, high;
        bool whole;
        spk_re_ranges set = { 0 };
        if (r->p == r->end)
            return spk_re_fail(r, "Unclosed character class");
        if (*r->p == ']' && !first)
            return true;
        if (r->end - r->p >= 2 && r->p[0] == '&' && r->p[1] == '&')
            return true;
        if (*r->p == '[') {
            r->p++;
            if (!spk_re_read_class(r, &set) || !unite(r, out, &set))
                return false;
            continue;
        }
        if (!member(r, &low, &set, &whole))
            return false;
        if (whole) {
            if (!unite(r, out, &set))
                return false;
            continue;
        }
        high = low;
        if (r->end - r->p >= 2 && *r->p == '-' && r->p[1] != ']' && r->p[1] != '[') {
            r->p++;
            if (!member(r, &high, &set, &whole))
                return false;
            if (whole || high < low)
                return spk_re_fail(r, "Illegal character range");
        }
        if (!spk_re_add(r, out, low, high))
            return false;
    }
}

/* read_class: behind the opening bracket; takes the closing one. */
bool spk_re_read_class(spk_re_parser *r, spk_re_ranges *out)
{
    if (++r->depth > CLASSES_DEEP)
        return spk_re_refuse(r, "a pattern nested deeper than 200");
    const bool negated = r->p < r->end && *r->p == '^';
    r->p += negated;
    if (!read_members(r, out))
        return false;
    while (r->end - r->p >= 2 && r->p[0] == '&' && r->p[1] == '&') {
        spk_re_ranges other = { 0 };
        r->p += 2;
        if (!read_members(r, &other) || !intersect(r, out, &other))
            return false;
    }
    if (r->p == r->end || *r->p != ']')
        return spk_re_fail(r, "Unclosed character class");
    r->p++;
    r->depth--;
    if (negated && r->insensitive && !fold_case(r, out))
        return false;
    return !negated || spk_re_complement(r, out);
}
