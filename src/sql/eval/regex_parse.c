/* SPDX-License-Identifier: Apache-2.0 */
/* From Java's syntax to code. A piece of a pattern becomes a stretch of code; quantifiers copy the
 * stretch
 * of what they repeat. Jumps are relative while code is made, so that stretches can be moved. */
#include "base/small.h"

#include <string.h>

#include "sql/eval/regex_build.h"
#include "sql/eval/utf8.h"

enum { DEEPEST = 200 };

bool spk_re_fail(spk_re_parser *r, const char *why)
{
    if (!r->why)
        r->why = why;
    return false;
}

bool spk_re_refuse(spk_re_parser *r, const char *why)
{
    if (!r->why)
        r->unsupported = true;
    return spk_re_fail(r, why);
}

/* more: room for `by` more instructions. */
bool spk_re_more(spk_re_parser *r, int32_t by)
{
    int32_t room = r->room > 0 ? r->room : 64;
    if (r->n + by <= r->room)
        return true;
    if (r->n + by > SPK_REGEX_MOST)
        return spk_re_refuse(r, "a pattern that becomes too large");
    while (room < r->n + by)
        room *= 2;
    spk_regex_code *fresh
        = spk_arena_alloc(r->arena, (size_t)room * sizeof *fresh, _Alignof(spk_regex_code));
    if (!fresh)
        return spk_re_fail(r, "");
    if (r->n > 0)
        memcpy(fresh, r->code, (size_t)r->n * sizeof *fresh);
    r->code = fresh;
    r->room = room;
    return true;
}

bool spk_re_emit(spk_re_parser *r, spk_regex_op op, int32_t x, int32_t y)
{
    if (!spk_re_more(r, 1))
        return false;
    r->code[r->n++] = (spk_regex_code) { (uint8_t)op, x, y };
    return true;
}

/* open_at: moves the stretch from `at` on by `by`, to make room. */
bool spk_re_open_at(spk_re_parser *r, int32_t at, int32_t by)
{
    if (!spk_re_more(r, by))
        return false;
    memmove(r->code + at + by, r->code + at, (size_t)(r->n - at) * sizeof *r->code);
    r->n += by;
    return true;
}

/* ---- pieces ---- */

static bool alternatives(spk_re_parser *r);

static bool flags(spk_re_parser *r, bool *group)
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
            return spk_re_refuse(r, "flags other than i, s and m");
        case ':':
        case ')':
            *group = *r->p++ == ':';
            return true;
        default:
            return spk_re_fail(r, "Unknown inline modifier");
        }
    return spk_re_fail(r, "Unknown inline modifier");
}

static bool group_name(spk_re_parser *r, int number)
{
    const char *name = r->p;
    while (r->p < r->end && *r->p != '>')
        r->p++;
    if (r->p == r->end || r->p == name)
        return spk_re_fail(r, "named capturing group is missing trailing '>'");
    r->regex->names[number] = name;
    r->regex->name_sizes[number] = (size_t)(r->p - name);
    r->p++;
    return true;
}

/* group: behind the opening parenthesis. */
static bool group(spk_re_parser *r)
{
    const bool insensitive = r->insensitive, dot_all = r->dot_all, many_lines = r->many_lines;
    int number = -1;
    bool with_name = false;
    if (++r->depth > DEEPEST)
        return spk_re_refuse(r, "a pattern nested deeper than 200");
    if (r->p < r->end && *r->p == '?') {
        r->p++;
        const char kind = r->p < r->end ? *r->p : 0, next = r->end - r->p > 1 ? r->p[1] : 0;
        if (kind == '=' || kind == '!' || (kind == '<' && (next == '=' || next == '!')))
            return spk_re_refuse(r, "look-around");
        if (kind == '>')
            return spk_re_refuse(r, "atomic groups");
        if (kind == '<') {
            r->p++;
            number = 0;
            with_name = true;
        } else {
            bool inner = false;
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
            return spk_re_refuse(r, "a pattern with more than 99 groups");
        if (with_name && !group_name(r, number))
            return false;
        if (!spk_re_emit(r, SPK_RE_SAVE, 2 * number, 0))
            return false;
    }
    if (!alternatives(r))
        return false;
    if (r->p == r->end || *r->p != ')')
        return spk_re_fail(r, "Unclosed group");
    r->p++;
    r->depth--;
    r->insensitive = insensitive;
    r->dot_all = dot_all;
    r->many_lines = many_lines;
    return number < 0 || spk_re_emit(r, SPK_RE_SAVE, 2 * number + 1, 0);
}

static bool dot(spk_re_parser *r)
{
    spk_re_ranges s = { 0 };
    if (!r->dot_all) {
        spk_re_add(r, &s, '\n', '\n');
        spk_re_add(r, &s, '\r', '\r');
        spk_re_add(r, &s, 0x85, 0x85);
        spk_re_add(r, &s, 0x2028, 0x2029);
    }
    const int which = spk_re_complement(r, &s) ? spk_re_keep_set(r, &s) : -1;
    return which >= 0 && spk_re_emit(r, SPK_RE_CLASS, which, 0);
}

static bool backslash(spk_re_parser *r)
{
    uint32_t c;
    spk_re_ranges s = { 0 };
    if (r->p == r->end)
        return spk_re_fail(r, "Unexpected internal error");
    const char letter = *r->p;
    switch (letter) {
    case 'b':
    case 'B':
        r->p++;
        return spk_re_emit(r, SPK_RE_ASSERT, letter == 'b' ? SPK_RE_WORD : SPK_RE_NOT_WORD, 0);
    case 'A':
        r->p++;
        return spk_re_emit(r, SPK_RE_ASSERT, SPK_RE_BEGIN, 0);
    case 'z':
        r->p++;
        return spk_re_emit(r, SPK_RE_ASSERT, SPK_RE_END, 0);
    case 'Z':
        r->p++;
        return spk_re_emit(r, SPK_RE_ASSERT, SPK_RE_LAST_END, 0);
    case 'k':
        return spk_re_refuse(r, "back references");
    case 'G':
    case 'R':
    case 'X':
    case 'N':
        return spk_re_refuse(r, "\\G, \\R, \\X and \\N");
    case 'p':
    case 'P':
        r->p++;
        return spk_re_property(r, letter == 'P', &s) && spk_re_emit_set(r, &s);
    default:
        break;
    }
    if (letter >= '1' && letter <= '9')
        return spk_re_refuse(r, "back references");
    if (spk_re_named(r, letter, &s)) {
        r->p++;
        return !r->why && spk_re_emit_set(r, &s);
    }
    return spk_re_escaped(r, &c) && spk_re_emit_char(r, c);
}

/* quoted: \Q..\E. *last: where the code of its last character begins, which a quantifier repeats.
 * */
static bool quoted(spk_re_parser *r, int32_t *last)
{
    r->p += 2;
    while (r->p < r->end) {
        size_t size;
        if (r->end - r->p >= 2 && r->p[0] == '\\' && r->p[1] == 'E') {
            r->p += 2;
            return true;
        }
        *last = r->n;
        if (!spk_re_emit_char(r, spk_utf8_read(r->p, (size_t)(r->end - r->p), &size)))
            return false;
        r->p += size;
    }
    return true;
}

static bool atom(spk_re_parser *r, int32_t *from)
{
    size_t size;
    spk_re_ranges s = { 0 };
    switch (*r->p) {
    case '(':
        r->p++;
        return group(r);
    case '[':
        r->p++;
        return spk_re_read_class(r, &s) && spk_re_emit_set(r, &s);
    case '.':
        r->p++;
        return dot(r);
    case '^':
        r->p++;
        return spk_re_emit(r, SPK_RE_ASSERT, r->many_lines ? SPK_RE_LINE_BEGIN : SPK_RE_BEGIN, 0);
    case '$':
        r->p++;
        return spk_re_emit(r, SPK_RE_ASSERT, r->many_lines ? SPK_RE_LINE_END : SPK_RE_LAST_END, 0);
    case '\\':
        if (r->end - r->p >= 2 && r->p[1] == 'Q')
            return quoted(r, from);
        r->p++;
        return backslash(r);
    case '*':
    case '+':
    case '?':
        return spk_re_fail(r, "Dangling meta character");
    case '{': /* a second quantifier repeats nothing */
        return true;
    default: {
        const uint32_t c = spk_utf8_read(r->p, (size_t)(r->end - r->p), &size);
        r->p += size;
        return spk_re_emit_char(r, c);
    }
    }
}

static bool number(spk_re_parser *r, int *out)
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
static bool copy(spk_re_parser *r, int32_t from, int32_t to)
{
    if (!spk_re_more(r, to - from))
        return false;
    memcpy(r->code + r->n, r->code + from, (size_t)(to - from) * sizeof *r->code);
    r->n += to - from;
    return true;
}

static bool split(spk_re_parser *r, int32_t at, int32_t in, int32_t out, bool lazy)
{
    r->code[at] = (spk_regex_code) { SPK_RE_SPLIT, lazy ? out : in, lazy ? in : out };
    return true;
}

/* repeat: the stretch from `from` to the end, least to most times (-1: any). */
static bool repeat(spk_re_parser *r, int32_t from, int least, int most, bool lazy)
{
    const int32_t to = r->n, size = to - from;
    if (most == 0) {
        r->n = from;
        return true;
    }
    if (least == 0 && most < 0) { /* split, body, jump back */
        if (!spk_re_open_at(r, from, 1))
            return false;
        split(r, from, 1, size + 2, lazy);
        return spk_re_emit(r, SPK_RE_JUMP, -(size + 1), 0);
    }
    if (least == 0 && most == 1) {
        if (!spk_re_open_at(r, from, 1))
            return false;
        return split(r, from, 1, size + 1, lazy);
    }
    if (least == 0) { /* ((x)?x)? .. : each optional one skips all that follow */
        if (!spk_re_open_at(r, from, 1))
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
        return spk_re_emit(r, SPK_RE_SPLIT, lazy ? 1 : -size, lazy ? -size : 1);
    const int more = most - least;
    if (more == 0)
        return true;
    const int32_t rest = r->n;
    return copy(r, from, to) && repeat(r, rest, 0, more, lazy);
}

static bool quantifier(spk_re_parser *r, int32_t from)
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
                return spk_re_fail(r, "Illegal repetition");
            most = least;
            if (r->p < r->end && *r->p == ',') {
                r->p++;
                most = -1;
                number(r, &most);
            }
            if (r->p == r->end || *r->p++ != '}')
                return spk_re_fail(r, "Unclosed counted closure");
            if (most >= 0 && most < least)
                return spk_re_fail(r, "Illegal repetition range");
            break;
        default:
            return true;
        }
        const bool lazy = r->p < r->end && *r->p == '?';
        r->p += lazy;
        if (r->p < r->end && *r->p == '+')
            return spk_re_refuse(r, "possessive quantifiers");
        return r->n == from || repeat(r, from, least, most, lazy);
    }
    return true;
}

static bool sequence(spk_re_parser *r)
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
static bool alternatives(spk_re_parser *r)
{
    int32_t chain = -1;
    for (;;) {
        const int32_t from = r->n;
        if (!sequence(r))
            return false;
        if (r->p == r->end || *r->p != '|')
            break;
        r->p++;
        if (!spk_re_open_at(r, from, 1))
            return false;
        split(r, from, 1, r->n - from + 1, false);
        if (!spk_re_emit(r, SPK_RE_JUMP, 0, chain))
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
static void find_prefix(const spk_re_parser *r, spk_regex *regex)
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
    spk_re_parser r = { .p = pattern, .end = pattern + n, .arena = arena, .regex = regex };
    *unsupported = false;
    *why = "";
    if (!regex)
        return NULL;
    memset(regex, 0, sizeof *regex);
    const bool good = spk_re_emit(&r, SPK_RE_SAVE, 0, 0) && alternatives(&r)
        && (r.p == r.end || spk_re_fail(&r, "Unmatched closing ')'")) && spk_re_emit(&r, SPK_RE_SAVE, 1, 0)
        && spk_re_emit(&r, SPK_RE_MATCH, 0, 0);
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
