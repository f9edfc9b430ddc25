/* SPDX-License-Identifier: Apache-2.0 */
/* From Java's syntax to code. A piece of a pattern becomes a stretch of code; quantifiers copy the
 * stretch
 * of what they repeat. Jumps are relative while code is made, so that stretches can be moved. */
#include "sql/eval/regex_parse.h"

#include <string.h>

#include "sql/eval/utf8.h"

enum { DEEPEST = 200, SETS = 2000 };

typedef struct parser {
    const char *p, *end;
    spk_arena *arena;
    spk_regex_code *code;
    int32_t n, room;
    spk_regex_set *sets;
    int n_sets, room_sets;
    spk_regex *regex;
    bool insensitive, dot_all, many_lines;
    int depth;
    const char *why;
    bool unsupported;
} parser;

static bool fail(parser *r, const char *why)
{
    if (!r->why)
        r->why = why;
    return false;
}

static bool refuse(parser *r, const char *why)
{
    if (!r->why)
        r->unsupported = true;
    return fail(r, why);
}

/* more: room for `by` more instructions. */
static bool more(parser *r, int32_t by)
{
    int32_t room = r->room > 0 ? r->room : 64;
    if (r->n + by <= r->room)
        return true;
    if (r->n + by > SPK_REGEX_MOST)
        return refuse(r, "a pattern that becomes too large");
    while (room < r->n + by)
        room *= 2;
    spk_regex_code *fresh
        = spk_arena_alloc(r->arena, (size_t)room * sizeof *fresh, _Alignof(spk_regex_code));
    if (!fresh)
        return fail(r, "");
    if (r->n > 0)
        memcpy(fresh, r->code, (size_t)r->n * sizeof *fresh);
    r->code = fresh;
    r->room = room;
    return true;
}

static bool emit(parser *r, spk_regex_op op, int32_t x, int32_t y)
{
    if (!more(r, 1))
        return false;
    r->code[r->n++] = (spk_regex_code) { (uint8_t)op, x, y };
    return true;
}

/* open_at: moves the stretch from `at` on by `by`, to make room. */
static bool open_at(parser *r, int32_t at, int32_t by)
{
    if (!more(r, by))
        return false;
    memmove(r->code + at + by, r->code + at, (size_t)(r->n - at) * sizeof *r->code);
    r->n += by;
    return true;
}

/* ---- sets ---- */

typedef struct ranges {
    uint32_t *at;
    uint32_t n, room;
} ranges;

static bool add(parser *r, ranges *s, uint32_t first, uint32_t last)
{
    if (s->n == s->room) {
        const uint32_t room = s->room > 0 ? 2 * s->room : 16;
        uint32_t *fresh = spk_arena_alloc(r->arena, 2 * room * sizeof *fresh, 4);
        if (!fresh)
            return fail(r, "");
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
static void tidy(ranges *s)
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

static bool complement(parser *r, ranges *s)
{
    ranges out = { 0 };
    uint32_t next = 0;
    tidy(s);
    for (uint32_t i = 0; i < s->n; i++) {
        if (s->at[2 * i] > next && !add(r, &out, next, s->at[2 * i] - 1))
            return false;
        next = s->at[2 * i + 1] + 1;
    }
    if (next <= LAST_CODE && !add(r, &out, next, LAST_CODE))
        return false;
    *s = out;
    return true;
}

static bool unite(parser *r, ranges *s, const ranges *t)
{
    for (uint32_t i = 0; i < t->n; i++)
        if (!add(r, s, t->at[2 * i], t->at[2 * i + 1]))
            return false;
    return true;
}

/* intersect: what is in both is in neither's complement. */
static bool intersect(parser *r, ranges *s, ranges *t)
{
    return complement(r, s) && complement(r, t) && unite(r, s, t) && complement(r, s);
}

static bool fold_case(parser *r, ranges *s)
{
    const uint32_t n = s->n;
    for (uint32_t i = 0; i < n; i++) /* ASCII alone, as Java without UNICODE_CASE */
        for (uint32_t c = s->at[2 * i]; c <= s->at[2 * i + 1] && c < 128; c++) {
            const uint32_t other = c >= 'a' && c <= 'z' ? c - 32
                : c >= 'A' && c <= 'Z'                  ? c + 32
                                                        : c;
            if (other != c && !add(r, s, other, other))
                return false;
        }
    return true;
}

static int keep_set(parser *r, ranges *s)
{
    tidy(s);
    if (r->n_sets == SETS) {
        refuse(r, "a pattern with too many classes");
        return -1;
    }
    if (r->n_sets == r->room_sets) {
        const int room = r->room_sets > 0 ? 2 * r->room_sets : 8;
        spk_regex_set *fresh
            = spk_arena_alloc(r->arena, (size_t)room * sizeof *fresh, _Alignof(spk_regex_set));
        if (!fresh) {
            fail(r, "");
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

static bool emit_set(parser *r, ranges *s)
{
    if (r->insensitive && !fold_case(r, s))
        return false;
    const int which = keep_set(r, s);
    return which >= 0 && emit(r, SPK_RE_CLASS, which, 0);
}

static bool emit_char(parser *r, uint32_t c)
{
    ranges s = { 0 };
    if (!r->insensitive || c >= 128 || !((c | 0x20) >= 'a' && (c | 0x20) <= 'z'))
        return emit(r, SPK_RE_CHAR, (int32_t)c, 0);
    return add(r, &s, c, c) && emit_set(r, &s);
}

/* named: \d and its kin; false: no such letter. */
static bool named(parser *r, char letter, ranges *s)
{
    const char lower = (char)(letter | 0x20);
    switch (lower) {
    case 'd':
        add(r, s, '0', '9');
        break;
    case 'w':
        add(r, s, '0', '9');
        add(r, s, 'A', 'Z');
        add(r, s, '_', '_');
        add(r, s, 'a', 'z');
        break;
    case 's':
        add(r, s, '\t', '\r');
        add(r, s, ' ', ' ');
        break;
    case 'h':
        add(r, s, '\t', '\t');
        add(r, s, ' ', ' ');
        add(r, s, 0xa0, 0xa0);
        add(r, s, 0x1680, 0x1680);
        add(r, s, 0x180e, 0x180e);
        add(r, s, 0x2000, 0x200a);
        add(r, s, 0x202f, 0x202f);
        add(r, s, 0x205f, 0x205f);
        add(r, s, 0x3000, 0x3000);
        break;
    case 'v':
        add(r, s, '\n', '\r');
        add(r, s, 0x85, 0x85);
        add(r, s, 0x2028, 0x2029);
        break;
    default:
        return false;
    }
    if (letter != lower)
        complement(r, s);
    return true;
}

static bool property(parser *r, bool negated, ranges *s)
{
    static const struct {
        const char *name, *pairs;
    } posix[] = { { "Lower", "az" }, { "Upper", "AZ" }, { "ASCII", "\1\177" }, { "Alpha", "AZaz" },
        { "Digit", "09" }, { "Alnum", "09AZaz" }, { "Punct", "!/:@[`{~" }, { "Graph", "!~" },
        { "Print", " ~" }, { "Blank", "\t\t  " }, { "Cntrl", "\1\37\177\177" },
        { "XDigit", "09AFaf" }, { "Space", "\t\r  " } };
    if (r->p == r->end || *r->p != '{')
        return refuse(r, "a Unicode property");
    const char *name = ++r->p, *close = memchr(name, '}', (size_t)(r->end - name));
    if (!close)
        return fail(r, "Unclosed character family");
    const size_t n = (size_t)(close - name);
    r->p = close + 1;
    for (size_t i = 0; i < sizeof posix / sizeof *posix; i++) {
        if (strlen(posix[i].name) != n || memcmp(posix[i].name, name, n) != 0)
            continue;
        for (const char *q = posix[i].pairs; *q; q += 2)
            if (!add(r, s, *q == 1 ? 0 : (unsigned char)*q, (unsigned char)q[1]))
                return false;
        return !negated || complement(r, s);
    }
    return refuse(r, "a Unicode property");
}

/* ---- escapes ---- */

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'                  ? c - '0'
        : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
                                                 : -1;
}

static bool hexadecimal(parser *r, int digits, uint32_t *c)
{
    *c = 0;
    if (digits == 2 && r->p < r->end && *r->p == '{') {
        for (r->p++; r->p < r->end && hex_digit(*r->p) >= 0 && *c < 0x110000; r->p++)
            *c = *c << 4 | (uint32_t)hex_digit(*r->p);
        if (r->p == r->end || *r->p++ != '}' || *c > 0x10ffff)
            return fail(r, "Illegal hexadecimal escape sequence");
        return true;
    }
    for (int i = 0; i < digits; i++, r->p++) {
        if (r->p == r->end || hex_digit(*r->p) < 0)
            return fail(r, "Illegal hexadecimal escape sequence");
        *c = *c << 4 | (uint32_t)hex_digit(*r->p);
    }
    return true;
}

/* escaped: what stands behind a backslash, as one character; false: failed. */
static bool escaped(parser *r, uint32_t *c)
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
            return fail(r, "Illegal control escape sequence");
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
            return fail(r, "Illegal/unsupported escape sequence");
        *c = (unsigned char)letter;
        return true;
    }
}

/* ---- classes ---- */

static bool read_class(parser *r, ranges *out);

/* member: one character of a class, or a whole set of them (*whole). */
static bool member(parser *r, uint32_t *c, ranges *set, bool *whole)
{
    size_t size;
    *whole = false;
    if (*r->p != '\\') {
        *c = spk_utf8_read(r->p, (size_t)(r->end - r->p), &size);
        r->p += size;
        return true;
    }
    if (++r->p == r->end)
        return fail(r, "Unclosed character class");
    if (*r->p == 'p' || *r->p == 'P') {
        *whole = true;
        return property(r, *r->p++ == 'P', set);
    }
    if (named(r, *r->p, set)) {
        *whole = true;
        r->p++;
        return !r->why;
    }
    return escaped(r, c);
}

static bool read_members(parser *r, ranges *out)
{
    bool first = true;
    for (;; first = false) {
        uint32_t low = 0, high;
        bool whole;
        ranges set = { 0 };
        if (r->p == r->end)
            return fail(r, "Unclosed character class");
        if (*r->p == ']' && !first)
            return true;
        if (r->end - r->p >= 2 && r->p[0] == '&' && r->p[1] == '&')
            return true;
        if (*r->p == '[') {
            r->p++;
            if (!read_class(r, &set) || !unite(r, out, &set))
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
                return fail(r, "Illegal character range");
        }
        if (!add(r, out, low, high))
            return false;
    }
}

/* read_class: behind the opening bracket; takes the closing one. */
static bool read_class(parser *r, ranges *out)
{
    if (++r->depth > DEEPEST)
        return refuse(r, "a pattern nested deeper than 200");
    const bool negated = r->p < r->end && *r->p == '^';
    r->p += negated;
    if (!read_members(r, out))
        return false;
    while (r->end - r->p >= 2 && r->p[0] == '&' && r->p[1] == '&') {
        ranges other = { 0 };
        r->p += 2;
        if (!read_members(r, &other) || !intersect(r, out, &other))
            return false;
    }
    if (r->p == r->end || *r->p != ']')
        return fail(r, "Unclosed character class");
    r->p++;
    r->depth--;
    if (negated && r->insensitive && !fold_case(r, out))
        return false;
    return !negated || complement(r, out);
}

/* ---- pieces ---- */

static bool alternatives(parser *r);

static bool flags(parser *r, bool *group)
{
    bool on = true;
    for (; r->p < r->end; r->p++)
        switch (*r->p) {
        case '-':
            on = false;
            break;
        case 'i':
            r->insensitive = on;
            break;
        case 's':
            r->dot_all = on;
            break;
        case 'm':
            r->many_lines = on;
            break;
        case 'u':
        case 'U':
        case 'd':
        case 'x':
            return refuse(r, "flags other than i, s and m");
        case ':':
        case ')':
            *group = *r->p++ == ':';
            return true;
        default:
            return fail(r, "Unknown inline modifier");
        }
    return fail(r, "Unknown inline modifier");
}

static bool group_name(parser *r, int number)
{
    const char *name = r->p;
    while (r->p < r->end && *r->p != '>')
        r->p++;
    if (r->p == r->end || r->p == name)
        return fail(r, "named capturing group is missing trailing '>'");
    r->regex->names[number] = name;
    r->regex->name_sizes[number] = (size_t)(r->p - name);
    r->p++;
    return true;
}

/* group: behind the opening parenthesis. */
static bool group(parser *r)
{
    const bool insensitive = r->insensitive, dot_all = r->dot_all, many_lines = r->many_lines;
    int number = -1;
    bool with_name = false;
    if (++r->depth > DEEPEST)
        return refuse(r, "a pattern nested deeper than 200");
    if (r->p < r->end && *r->p == '?') {
        r->p++;
        const char kind = r->p < r->end ? *r->p : 0, next = r->end - r->p > 1 ? r->p[1] : 0;
        if (kind == '=' || kind == '!' || (kind == '<' && (next == '=' || next == '!')))
            return refuse(r, "look-around");
        if (kind == '>')
            return refuse(r, "atomic groups");
        if (kind == '<') {
            r->p++;
            number = 0;
            with_name = true;
        } else {
            bool inner;
            if (!flags(r, &inner))
                return false;
            if (!inner) { /* (?i): for the rest of the group around it */
                r->depth--;
                return true;
            }
        }
    } else {
        number = 0;
    }
    if (number == 0) {
        number = ++r->regex->groups;
        if (number >= SPK_REGEX_GROUPS)
            return refuse(r, "a pattern with more than 99 groups");
        if (with_name && !group_name(r, number))
            return false;
        if (!emit(r, SPK_RE_SAVE, 2 * number, 0))
            return false;
    }
    if (!alternatives(r))
        return false;
    if (r->p == r->end || *r->p != ')')
        return fail(r, "Unclosed group");
    r->p++;
    r->depth--;
    r->insensitive = insensitive;
    r->dot_all = dot_all;
    r->many_lines = many_lines;
    return number < 0 || emit(r, SPK_RE_SAVE, 2 * number + 1, 0);
}

static bool dot(parser *r)
{
    ranges s = { 0 };
    if (!r->dot_all) {
        add(r, &s, '\n', '\n');
        add(r, &s, '\r', '\r');
        add(r, &s, 0x85, 0x85);
        add(r, &s, 0x2028, 0x2029);
    }
    const int which = complement(r, &s) ? keep_set(r, &s) : -1;
    return which >= 0 && emit(r, SPK_RE_CLASS, which, 0);
}

static bool backslash(parser *r)
{
    uint32_t c;
    ranges s = { 0 };
    if (r->p == r->end)
        return fail(r, "Unexpected internal error");
    const char letter = *r->p;
    switch (letter) {
    case 'b':
    case 'B':
        r->p++;
        return emit(r, SPK_RE_ASSERT, letter == 'b' ? SPK_RE_WORD : SPK_RE_NOT_WORD, 0);
    case 'A':
        r->p++;
        return emit(r, SPK_RE_ASSERT, SPK_RE_BEGIN, 0);
    case 'z':
        r->p++;
        return emit(r, SPK_RE_ASSERT, SPK_RE_END, 0);
    case 'Z':
        r->p++;
        return emit(r, SPK_RE_ASSERT, SPK_RE_LAST_END, 0);
    case 'k':
        return refuse(r, "back references");
    case 'G':
    case 'R':
    case 'X':
    case 'N':
        return refuse(r, "\\G, \\R, \\X and \\N");
    case 'p':
    case 'P':
        r->p++;
        return property(r, letter == 'P', &s) && emit_set(r, &s);
    default:
        break;
    }
    if (letter >= '1' && letter <= '9')
        return refuse(r, "back references");
    if (named(r, letter, &s)) {
        r->p++;
        return !r->why && emit_set(r, &s);
    }
    return escaped(r, &c) && emit_char(r, c);
}

/* quoted: \Q..\E. *last: where the code of its last character begins, which a quantifier repeats.
 * */
static bool quoted(parser *r, int32_t *last)
{
    r->p += 2;
    while (r->p < r->end) {
        size_t size;
        if (r->end - r->p >= 2 && r->p[0] == '\\' && r->p[1] == 'E') {
            r->p += 2;
            return true;
        }
        *last = r->n;
        if (!emit_char(r, spk_utf8_read(r->p, (size_t)(r->end - r->p), &size)))
            return false;
        r->p += size;
    }
    return true;
}

static bool atom(parser *r, int32_t *from)
{
    size_t size;
    ranges s = { 0 };
    switch (*r->p) {
    case '(':
        r->p++;
        return group(r);
    case '[':
        r->p++;
        return read_class(r, &s) && emit_set(r, &s);
    case '.':
        r->p++;
        return dot(r);
    case '^':
        r->p++;
        return emit(r, SPK_RE_ASSERT, r->many_lines ? SPK_RE_LINE_BEGIN : SPK_RE_BEGIN, 0);
    case '$':
        r->p++;
        return emit(r, SPK_RE_ASSERT, r->many_lines ? SPK_RE_LINE_END : SPK_RE_LAST_END, 0);
    case '\\':
        if (r->end - r->p >= 2 && r->p[1] == 'Q')
            return quoted(r, from);
        r->p++;
        return backslash(r);
    case '*':
    case '+':
    case '?':
        return fail(r, "Dangling meta character");
    case '{': /* a second quantifier repeats nothing */
        return true;
    default: {
        const uint32_t c = spk_utf8_read(r->p, (size_t)(r->end - r->p), &size);
        r->p += size;
        return emit_char(r, c);
    }
    }
}

static bool number(parser *r, int *out)
{
    int64_t x = 0;
    if (r->p == r->end || *r->p < '0' || *r->p > '9')
        return false;
    for (; r->p < r->end && *r->p >= '0' && *r->p <= '9'; r->p++)
        x = x < INT32_MAX ? x * 10 + (*r->p - '0') : x;
    *out = x > INT32_MAX ? INT32_MAX : (int)x;
    return true;
}

/* copy: the stretch [from, to) once more at the end. */
static bool copy(parser *r, int32_t from, int32_t to)
{
    if (!more(r, to - from))
        return false;
    memcpy(r->code + r->n, r->code + from, (size_t)(to - from) * sizeof *r->code);
    r->n += to - from;
    return true;
}

static bool split(parser *r, int32_t at, int32_t in, int32_t out, bool lazy)
{
    r->code[at] = (spk_regex_code) { SPK_RE_SPLIT, lazy ? out : in, lazy ? in : out };
    return true;
}

/* repeat: the stretch from `from` to the end, least to most times (-1: any). */
static bool repeat(parser *r, int32_t from, int least, int most, bool lazy)
{
    const int32_t to = r->n, size = to - from;
    if (most == 0) {
        r->n = from;
        return true;
    }
    if (least == 0 && most < 0) { /* split, body, jump back */
        if (!open_at(r, from, 1))
            return false;
        split(r, from, 1, size + 2, lazy);
        return emit(r, SPK_RE_JUMP, -(size + 1), 0);
    }
    if (least == 0 && most == 1) {
        if (!open_at(r, from, 1))
            return false;
        return split(r, from, 1, size + 1, lazy);
    }
    if (least == 0) { /* ((x)?x)? .. : each optional one skips all that follow */
        if (!open_at(r, from, 1))
            return false;
        const int32_t all = (size + 1) * most;
        split(r, from, 1, all, lazy);
        for (int i = 1; i < most; i++) {
            if (!copy(r, from, from + size + 1))
                return false;
            split(r, from + i * (size + 1), 1, all - i * (size + 1), lazy);
        }
        return true;
    }
    for (int i = 1; i < least; i++)
        if (!copy(r, from, to))
            return false;
    if (most < 0) /* the last one again */
        return emit(r, SPK_RE_SPLIT, lazy ? 1 : -size, lazy ? -size : 1);
    const int more = most - least;
    if (more == 0)
        return true;
    const int32_t rest = r->n;
    return copy(r, from, to) && repeat(r, rest, 0, more, lazy);
}

static bool quantifier(parser *r, int32_t from)
{
    int least = 0, most = -1;
    if (r->p < r->end) {
        switch (*r->p) {
        case '*':
            r->p++;
            break;
        case '+':
            least = 1;
            r->p++;
            break;
        case '?':
            most = 1;
            r->p++;
            break;
        case '{':
            r->p++;
            if (!number(r, &least))
                return fail(r, "Illegal repetition");
            most = least;
            if (r->p < r->end && *r->p == ',') {
                r->p++;
                most = -1;
                number(r, &most);
            }
            if (r->p == r->end || *r->p++ != '}')
                return fail(r, "Unclosed counted closure");
            if (most >= 0 && most < least)
                return fail(r, "Illegal repetition range");
            break;
        default:
            return true;
        }
        const bool lazy = r->p < r->end && *r->p == '?';
        r->p += lazy;
        if (r->p < r->end && *r->p == '+')
            return refuse(r, "possessive quantifiers");
        return r->n == from || repeat(r, from, least, most, lazy);
    }
    return true;
}

static bool sequence(parser *r)
{
    while (r->p < r->end && *r->p != '|' && *r->p != ')') {
        int32_t from = r->n;
        if (!atom(r, &from) || !quantifier(r, from))
            return false;
    }
    return true;
}

/* alternatives: each but the last: split over it, and a jump to the end behind it. The jumps are
 * known when
 * the end is: chained until then. */
static bool alternatives(parser *r)
{
    int32_t chain = -1;
    for (;;) {
        const int32_t from = r->n;
        if (!sequence(r))
            return false;
        if (r->p == r->end || *r->p != '|')
            break;
        r->p++;
        if (!open_at(r, from, 1))
            return false;
        split(r, from, 1, r->n - from + 1, false);
        if (!emit(r, SPK_RE_JUMP, 0, chain))
            return false;
        chain = r->n - 1;
    }
    while (chain >= 0) {
        const int32_t next = r->code[chain].y;
        r->code[chain] = (spk_regex_code) { SPK_RE_JUMP, r->n - chain, 0 };
        chain = next;
    }
    return true;
}

/* find_prefix: the characters that every match begins with: those before the first choice. */
static void find_prefix(const parser *r, spk_regex *regex)
{
    char *out = spk_arena_alloc(r->arena, 64 * 4, 1);
    size_t n = 0;
    regex->prefix = NULL;
    for (int32_t i = 1; out && i < r->n && n < 60 * 4; i++) {
        if (r->code[i].op == SPK_RE_SAVE && i < r->n - 1)
            continue;
        if (r->code[i].op != SPK_RE_CHAR || r->code[i].x > 0x10ffff)
            break;
        n += spk_utf8_write((uint32_t)r->code[i].x, out + n);
    }
    regex->prefix = out;
    regex->prefix_size = n;
}

const spk_regex *spk_regex_compile(
    spk_arena *arena, const char *pattern, size_t n, const char **why, bool *unsupported)
{
    spk_regex *regex = spk_arena_alloc(arena, sizeof *regex, _Alignof(spk_regex));
    parser r = { .p = pattern, .end = pattern + n, .arena = arena, .regex = regex };
    *unsupported = false;
    *why = "";
    if (!regex)
        return NULL;
    memset(regex, 0, sizeof *regex);
    const bool good = emit(&r, SPK_RE_SAVE, 0, 0) && alternatives(&r)
        && (r.p == r.end || fail(&r, "Unmatched closing ')'")) && emit(&r, SPK_RE_SAVE, 1, 0)
        && emit(&r, SPK_RE_MATCH, 0, 0);
    *unsupported = r.unsupported;
    if (!good || r.why) {
        *why = r.why ? r.why : "";
        return NULL;
    }
    regex->code = r.code;
    regex->n_code = r.n;
    regex->sets = r.sets;
    regex->anchored = r.n > 1 && r.code[1].op == SPK_RE_ASSERT && r.code[1].x == SPK_RE_BEGIN;
    find_prefix(&r, regex);
    return regex;
}

int spk_regex_groups(const spk_regex *regex)
{
    return regex->groups;
}

int spk_regex_group(const spk_regex *regex, const char *name, size_t n)
{
    for (int i = 1; i <= regex->groups; i++)
        if (regex->names[i] && regex->name_sizes[i] == n && memcmp(regex->names[i], name, n) == 0)
            return i;
    return -1;
}
