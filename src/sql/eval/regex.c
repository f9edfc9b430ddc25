/* SPDX-License-Identifier: Apache-2.0 */
/* Running a regular expression. Short texts: one thread after the other, as a backtracking matcher tries them, which
 * notes the places of code and text where it had a choice and does not come to one again: it failed there before.
 * Others: all threads of the machine at once, a character after the other, in the order in which that one would try
 * them (Pike, after Thompson). */
#include "sql/eval/regex.h"

#include <string.h>

#include "sql/eval/regex_parse.h"
#include "sql/eval/utf8.h"

/* threads: those alive, in order of preference; sparse: whether a place of the code is among them.
 * */
typedef struct threads {
    int32_t n;
    int32_t *at, *sparse;
    size_t *places; /* of each: `width` of them */
} threads;

/* A choice that is left to try: a place of the code and one of the text; pc negative: a place of a group is to be put
 * back. */
typedef struct choice {
    int32_t pc;
    size_t at;
} choice;

enum { TRIED_BITS = 32768, CHOICES = 2048 };

struct spk_regex_work {
    int32_t *splits; /* of each place of the code, which of the splits it is */
    int32_t *bodies; /* of each split that repeats one sign, greedily: where that is in the code; else -1 */
    int32_t n_splits;
    uint64_t *tried; /* a bit for each split at each place of the text */
    choice *choices;
    threads now, next;
    int32_t *stack; /* of places of the code; negative: a place of the text is to be put back */
    size_t *saved;
    size_t width;
    size_t *current;
};

static bool make(threads *t, int32_t n, size_t width, spk_arena *arena)
{
    t->n = 0;
    t->at = spk_arena_alloc(arena, (size_t)n * sizeof *t->at, 64);
    t->sparse = spk_arena_alloc(arena, (size_t)n * sizeof *t->sparse, 64);
    t->places = spk_arena_alloc(arena, (size_t)n * width * sizeof *t->places, 64);
    if (!t->at || !t->sparse || !t->places)
        return false;
    memset(t->sparse, 0, (size_t)n * sizeof *t->sparse);
    return true;
}

/* body_of: of X* and X+, where X is a character or a class. */
static int32_t body_of(const spk_regex_code *code, int32_t pc)
{
    const int32_t body = pc + code[pc].x;
    if (code[pc].op != SPK_RE_SPLIT || (code[body].op != SPK_RE_CHAR && code[body].op != SPK_RE_CLASS))
        return -1;
    const bool star = code[body + 1].op == SPK_RE_JUMP && body + 1 + code[body + 1].x == pc;
    return star || body + 1 == pc ? body : -1;
}

spk_regex_work *spk_regex_work_new(const spk_regex *regex, spk_regex_work *old, spk_arena *arena)
{
    spk_regex_work *w = spk_arena_alloc(arena, sizeof *w, _Alignof(spk_regex_work));
    const int32_t n = regex->n_code;
    const size_t width = 2 * (size_t)regex->groups + 2;
    if (!w)
        return NULL;
    w->width = width;
    w->stack = spk_arena_alloc(arena, 2 * (size_t)n * sizeof *w->stack + 64, 64);
    w->saved = spk_arena_alloc(arena, 2 * (size_t)n * sizeof *w->saved + 64, 64);
    w->current = spk_arena_alloc(arena, width * sizeof *w->current, 64);
    w->splits = spk_arena_alloc(arena, (size_t)n * sizeof *w->splits, 64);
    w->tried = old ? old->tried : spk_arena_alloc(arena, TRIED_BITS / 8, 64);
    w->choices = old ? old->choices : spk_arena_alloc(arena, CHOICES * sizeof *w->choices, 64);
    w->bodies = spk_arena_alloc(arena, (size_t)n * sizeof *w->bodies, 64);
    w->n_splits = 0;
    for (int32_t i = 0; w->splits && w->bodies && i < n; i++) {
        w->splits[i] = regex->code[i].op == SPK_RE_SPLIT ? w->n_splits++ : 0;
        w->bodies[i] = body_of(regex->code, i);
    }
    if (!w->splits || !w->bodies || !w->tried || !w->choices)
        return NULL;
    if (!w->stack || !w->saved || !w->current || !make(&w->now, n, width, arena)
        || !make(&w->next, n, width, arena))
        return NULL;
    return w;
}

/* is_letter: of code points beyond ASCII, near enough: what is not known as a sign. */
static bool is_letter(uint32_t c)
{
    return c == 0xaa || c == 0xb5 || c == 0xba
        || (c >= 0xc0 && c != 0xd7 && c != 0xf7 && !(c >= 0x2000 && c < 0x2c00)
            && !(c >= 0x3000 && c < 0x3005) && !(c >= 0x3008 && c < 0x3021)
            && !(c >= 0xe000 && c < 0xf900) && !(c >= 0xfe10 && c < 0xfe70)
            && !(c >= 0x1f000 && c < 0x1fb00) && c < 0x110000);
}

/* is_word: for \b, which in Java 17 knows letters of all scripts, though \w does not. */
static bool is_word(const char *text, size_t n, size_t at, bool before)
{
    size_t size;
    if (before ? at == 0 : at >= n)
        return false;
    if (before)
        for (at--; at > 0 && ((unsigned char)text[at] & 0xc0) == 0x80;)
            at--;
    const uint32_t c = spk_utf8_read(text + at, n - at, &size);
    if (c >= 128)
        return is_letter(c);
    return (c >= '0' && c <= '9') || c == '_' || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

/* terminator: the size of the line terminator at a place, 0: there is none. */
static size_t terminator(const char *text, size_t n, size_t at)
{
    size_t size;
    if (at >= n)
        return 0;
    if (text[at] == '\r')
        return at + 1 < n && text[at + 1] == '\n' ? 2 : 1;
    if (text[at] == '\n')
        return 1;
    const uint32_t c = spk_utf8_read(text + at, n - at, &size);
    return c == 0x85 || c == 0x2028 || c == 0x2029 ? size : 0;
}

static bool behind_terminator(const char *text, size_t at)
{
    return at > 0
        && (text[at - 1] == '\n' || text[at - 1] == '\r'
            || (at >= 2 && (unsigned char)text[at - 2] == 0xc2
                && (unsigned char)text[at - 1] == 0x85)
            || (at >= 3 && (unsigned char)text[at - 3] == 0xe2
                && (unsigned char)text[at - 2] == 0x80
                && ((unsigned char)text[at - 1] | 1) == 0xa9));
}

static bool holds(int which, const char *text, size_t n, size_t at)
{
    switch (which) {
    case SPK_RE_BEGIN:
        return at == 0;
    case SPK_RE_LINE_BEGIN:
        if (at == 0)
            return true;
        return at < n && behind_terminator(text, at) && !(text[at] == '\n' && text[at - 1] == '\r');
    case SPK_RE_END:
        return at == n;
    case SPK_RE_LAST_END:
        if (at == n)
            return true;
        return terminator(text, n, at) == n - at
            && !(text[at] == '\n' && at > 0 && text[at - 1] == '\r');
    case SPK_RE_LINE_END:
        return at == n
            || (terminator(text, n, at) > 0
                && !(text[at] == '\n' && at > 0 && text[at - 1] == '\r'));
    default:
        return (is_word(text, n, at, true) != is_word(text, n, at, false))
            == (which == SPK_RE_WORD);
    }
}

/* follow: adds what place pc of the code leads to without a character. Depth first, so that the
 * order
 * is that of preference; each place once. */
static void follow(const spk_regex *regex, spk_regex_work *w, threads *t, int32_t pc,
    const char *text, size_t n, size_t at, size_t width)
{
    int32_t depth = 0;
    w->stack[depth++] = pc;
    while (depth > 0) {
        pc = w->stack[--depth];
        if (pc < 0) {
            w->current[-pc - 1] = w->saved[depth];
            continue;
        }
        const int32_t place = t->sparse[pc];
        if (place < t->n && t->at[place] == pc)
            continue;
        const spk_regex_code *c = &regex->code[pc];
        t->sparse[pc] = t->n;
        t->at[t->n] = pc;
        if (c->op == SPK_RE_CHAR || c->op == SPK_RE_CLASS || c->op == SPK_RE_MATCH)
            memcpy(t->places + (size_t)t->n * w->width, w->current, width * sizeof *w->current);
        t->n++;
        switch (c->op) {
        case SPK_RE_JUMP:
            w->stack[depth++] = pc + c->x;
            break;
        case SPK_RE_SPLIT:
            w->stack[depth++] = pc + c->y;
            w->stack[depth++] = pc + c->x;
            break;
        case SPK_RE_SAVE:
            if ((size_t)c->x < width) {
                w->saved[depth] = w->current[c->x];
                w->stack[depth++] = -c->x - 1;
                w->current[c->x] = at;
            }
            w->stack[depth++] = pc + 1;
            break;
        case SPK_RE_ASSERT:
            if (holds(c->x, text, n, at))
                w->stack[depth++] = pc + 1;
            break;
        default:
            break;
        }
    }
}

static void swap(spk_regex_work *w)
{
    const threads t = w->now;
    w->now = w->next;
    w->next = t;
}

/* step: the threads of `now` over character c, which ends at `behind`; whether one of them has
 * matched
 * before it: those after that one are of no interest any more. */
static bool step(const spk_regex *regex, spk_regex_work *w, uint32_t c, const char *text, size_t n,
    size_t behind, size_t width, size_t *places)
{
    bool matched = false;
    w->next.n = 0;
    for (int32_t i = 0; i < w->now.n && !matched; i++) {
        const spk_regex_code *code = &regex->code[w->now.at[i]];
        const size_t *own = w->now.places + (size_t)i * w->width;
        if (code->op == SPK_RE_MATCH) {
            if (places)
                memcpy(places, own, width * sizeof *places);
            matched = true;
        } else if (behind != SIZE_MAX
            && ((code->op == SPK_RE_CHAR && (uint32_t)code->x == c)
                || (code->op == SPK_RE_CLASS && spk_regex_has(&regex->sets[code->x], c)))) {
            memcpy(w->current, own, width * sizeof *own);
            follow(regex, w, &w->next, w->now.at[i] + 1, text, n, behind, width);
        }
    }
    swap(w);
    return matched;
}

/* ---- one after the other */

/* reads: whether the code takes the character at a place of the text; its size. */
static bool reads(const spk_regex *regex, const spk_regex_code *c, const char *text, size_t n, size_t at, size_t *size)
{
    if (at >= n)
        return false;
    uint32_t x = (unsigned char)text[at];
    *size = 1;
    if (x >= 128)
        x = spk_utf8_read(text + at, n - at, size);
    return c->op == SPK_RE_CHAR ? (uint32_t)c->x == x : spk_regex_has(&regex->sets[c->x], x);
}

/* tries: at this split and this place of the text for the first time. */
static bool tries(spk_regex_work *w, int32_t pc, size_t place)
{
    const size_t bit = place * (size_t)w->n_splits + (size_t)w->splits[pc];
    const uint64_t mask = UINT64_C(1) << bit % 64;
    const bool first = !(w->tried[bit / 64] & mask);
    w->tried[bit / 64] |= mask;
    return first;
}

/* repeat: X at a split of X* or X+ as often as it is there; each time it might have gone on behind that. False: there
 * are too many choices. */
static bool repeat(const spk_regex *regex, spk_regex_work *w, int32_t pc, const char *text, size_t n, size_t from,
    size_t at, size_t *depth)
{
    const spk_regex_code *body = &regex->code[w->bodies[pc]];
    const int32_t behind = pc + regex->code[pc].y;
    const spk_regex_code *next = &regex->code[behind];
    for (size_t size = 0; tries(w, pc, at - from); at += size) {
        if (next->op != SPK_RE_CHAR || reads(regex, next, text, n, at, &size)) {
            if (*depth + 1 >= CHOICES)
                return false;
            w->choices[(*depth)++] = (choice) { behind, at };
        }
        if (!reads(regex, body, text, n, at, &size))
            break;
    }
    return true;
}

/* back: the last choice that is left; false: there is none. */
static bool back(spk_regex_work *w, size_t *depth, int32_t *pc, size_t *at)
{
    while (*depth > 0) {
        const choice c = w->choices[--*depth];
        if (c.pc >= 0) {
            *pc = c.pc;
            *at = c.at;
            return true;
        }
        w->current[-c.pc - 1] = c.at;
    }
    return false;
}

/* try: a match that begins at `at`: 1, 0, or -1: there are too many choices. from: where noted places begin. */
static int try(const spk_regex *regex, spk_regex_work *w, const char *text, size_t n, size_t from, size_t at,
    size_t width)
{
    int32_t pc = 0;
    size_t depth = 0, size = 0;
    for (bool good = true; good || back(w, &depth, &pc, &at);) {
        const spk_regex_code *c = &regex->code[pc];
        if (depth + 1 >= CHOICES)
            return -1;
        good = true;
        switch (c->op) {
        case SPK_RE_MATCH:
            return 1;
        case SPK_RE_JUMP:
            pc += c->x;
            break;
        case SPK_RE_SPLIT:
            if (w->bodies[pc] >= 0) {
                if (!repeat(regex, w, pc, text, n, from, at, &depth))
                    return -1;
                good = false; /* the last choice is the first to try */
                break;
            }
            good = tries(w, pc, at - from);
            w->choices[depth] = (choice) { pc + c->y, at };
            depth += good;
            pc += c->x;
            break;
        case SPK_RE_SAVE:
            if ((size_t)c->x < width) {
                w->choices[depth++] = (choice) { -c->x - 1, w->current[c->x] };
                w->current[c->x] = at;
            }
            pc++;
            break;
        case SPK_RE_ASSERT:
            good = holds(c->x, text, n, at);
            pc++;
            break;
        default:
            good = reads(regex, c, text, n, at, &size);
            at += size;
            pc++;
            break;
        }
    }
    return 0;
}

/* try_all: 1, 0, or -1: not this way. */
static int try_all(const spk_regex *regex, spk_regex_work *w, const char *text, size_t n, size_t from, size_t *places,
    size_t width)
{
    const size_t splits = (size_t)w->n_splits;
    if (n - from >= TRIED_BITS || (n - from + 1) * splits > TRIED_BITS)
        return -1;
    memset(w->tried, 0, ((n - from + 1) * splits + 63) / 64 * 8);
    for (size_t at = from; at <= n && !(regex->anchored && at > 0);) {
        if (regex->prefix_size > 0) {
            const size_t left = n - at;
            const char *next = left ? memmem(text + at, left, regex->prefix, regex->prefix_size) : NULL;
            if (!next)
                return 0;
            at = (size_t)(next - text);
        }
        for (size_t i = 0; i < width; i++)
            w->current[i] = SIZE_MAX;
        const int found = try(regex, w, text, n, from, at, width);
        if (found > 0 && places)
            memcpy(places, w->current, width * sizeof *places);
        if (found != 0)
            return found;
        size_t size = 1;
        if (at < n)
            (void)spk_utf8_read(text + at, n - at, &size);
        at += size;
    }
    return 0;
}

bool spk_regex_find(const spk_regex *regex, spk_regex_work *w, const char *text, size_t n,
    size_t from, size_t *places, int groups)
{
    const size_t width = places ? 2 * (size_t)groups + 2 : 0;
    const int found = from <= n ? try_all(regex, w, text, n, from, places, width) : -1;
    return found < 0 ? spk_regex_find_at_once(regex, w, text, n, from, places, groups) : found;
}

bool spk_regex_find_at_once(const spk_regex *regex, spk_regex_work *w, const char *text, size_t n,
    size_t from, size_t *places, int groups)
{
    const size_t width = places ? 2 * (size_t)groups + 2 : 0;
    bool found = false;
    w->now.n = 0;
    for (size_t at = from;;) {
        if (!found && w->now.n == 0) {
            if (regex->anchored && at > 0)
                return false;
            if (regex->prefix_size > 0) {
                const char *next
                    = at < n ? memmem(text + at, n - at, regex->prefix, regex->prefix_size) : NULL;
                if (!next)
                    return false;
                at = (size_t)(next - text);
            }
        }
        if (!found) { /* a match that begins here comes after those that began before */
            for (size_t i = 0; i < width; i++)
                w->current[i] = SIZE_MAX;
            follow(regex, w, &w->now, 0, text, n, at, width);
        }
        if (w->now.n == 0)
            return found;
        size_t size = 0;
        const uint32_t c = at < n ? spk_utf8_read(text + at, n - at, &size) : 0;
        if (step(regex, w, c, text, n, at < n ? at + size : SIZE_MAX, width, places)) {
            found = true;
            if (!places)
                return true;
        }
        if (at >= n)
            return found;
        at += size;
    }
}
