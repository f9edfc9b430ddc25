/* SPDX-License-Identifier: Apache-2.0 */
/* JSON objects as rows, in one pass: what is wanted becomes a value where it is met, what is not is passed
 * over, and all is checked on the way. Objects of a file have their members in the same order, mostly: what
 * stood at a place of the last object is compared with what stands there now, name, colon and blanks at
 * once, before any name is looked up. */
#include "format/json_bind.h"

static spk_json_result value(spk_json_binder *b, const spk_json_node *node, char *to);

/* ---- lists ---- */

/* room: for one more element; what there was is left in the arena. */
static char *room(spk_json_binder *b, char *all, size_t n, size_t *capacity, size_t size)
{
    if (n < *capacity)
        return all;
    const size_t more = *capacity ? 2 * *capacity : 8;
    char *bigger = more < SIZE_MAX / (size + 1) ? spk_arena_alloc(b->texts, more * size + 1, 64) : NULL;
    if (!bigger)
        return NULL;
    if (n > 0)
        memcpy(bigger, all, n * size);
    *capacity = more;
    return bigger;
}

static spk_json_result list(spk_json_binder *b, const spk_json_node *node, char *to)
{
    const size_t size = node->type->of->size;
    spk_json_scan *s = b->scan;
    const char *begin = s->p;
    size_t n = 0, capacity = 0;
    char *all = NULL;
    bool empty, more = true;
    if (s->p == s->end || *s->p != '[')
        return spk_json_misfit(b, node, begin, false);
    if (!spk_json_enter(s, &empty))
        return BROKEN;
    for (more = !empty; more; n++) {
        all = room(b, all, n, &capacity, size);
        if (!all)
            return spk_json_nomem(b);
        memset(all + n * size, 0, size);
        const spk_json_result r = value(b, node->of, all + n * size);
        if (r != FINE)
            return r;
        if (!spk_json_more(s, ']', &more))
            return BROKEN;
    }
    const spark_i64_list found = { (const int64_t *)(void *)all, n };
    memcpy(to, &found, sizeof found);
    return FINE;
}

/* ---- objects ---- */

static int compare(spark_str a, const spk_json_member *m)
{
    const size_t n = a.len < m->name_n ? a.len : m->name_n;
    const int order = n > 0 ? memcmp(a.ptr, m->name, n) : 0;
    return order ? order : a.len < m->name_n ? -1 : a.len > m->name_n;
}

/* look_up: the member of that name, or UINT32_MAX. */
static uint32_t look_up(const spk_json_node *node, spark_str name)
{
    uint32_t from = 0, to = node->n;
    while (from < to) {
        const uint32_t middle = from + (to - from) / 2, at = node->by_name[middle];
        const int order = compare(name, &node->members[at]);
        if (order == 0)
            return at;
        if (order < 0)
            to = middle;
        else
            from = middle + 1;
    }
    return UINT32_MAX;
}

/* name: the member that the name at p is of, and the scan at its value. guess: may be NULL. */
static spk_json_result name(spk_json_binder *b, const spk_json_node *node, spk_json_guess *guess, uint32_t *member)
{
    spk_json_scan *s = b->scan;
    const char *begin = s->p;
    spk_json_token t;
    spark_str text;
    if (guess && s->end - s->p >= SPK_JSON_GUESS && spk_json_as_guessed(guess, s->p)) {
        s->p += guess->n;
        *member = guess->member;
        spk_json_blanks(s);
        return FINE;
    }
    if (!spk_json_name(s, &t))
        return BROKEN;
    const spk_arena_mark mark = spk_arena_note(b->texts);
    if (spk_json_plain_text(b, &t, &text) != FINE)
        return BROKEN;
    *member = look_up(node, text);
    spk_arena_rewind(b->texts, mark);
    const size_t n = (size_t)(s->p - begin);
    if (guess && n <= SPK_JSON_GUESS && !(s->rules & SPK_JSON_COMMENTS)) {
        memcpy(guess->text, begin, n);
        guess->n = (uint32_t)n;
        guess->any = n < 32 ? ~0u << n : 0;
        guess->member = *member;
    }
    return FINE;
}

/* member: the value of one. What does not fit makes it absent, where it can be. */
static spk_json_result member(spk_json_binder *b, const spk_json_member *m, char *row)
{
    spk_json_scan *s = b->scan;
    const char *begin = s->p;
    const unsigned depth = s->depth;
    b->field = m->field;
    const spk_json_result r = value(b, m->node, row + m->offset);
    if (r != MISFIT || !m->nullable)
        return r;
    memset(row + m->offset, 0, m->size);
    b->outcome->bad = true;
    s->p = begin;
    s->depth = depth;
    return spk_json_skip(s) ? FINE : BROKEN;
}

/* complete: whether all members are there that must be; seen: a bit for each. */
static spk_json_result complete(spk_json_binder *b, const spk_json_node *node, const char *begin, const uint64_t *seen)
{
    for (uint32_t i = 0; i < node->n; i++) {
        const spk_json_member *m = &node->members[i];
        if (seen[i / 64] >> i % 64 & 1 || m->nullable || m->corrupt)
            continue;
        b->field = m->field;
        return spk_json_misfit(b, m->node, begin, true);
    }
    return FINE;
}

static spk_json_result object(spk_json_binder *b, const spk_json_node *node, char *row)
{
    spk_json_scan *s = b->scan;
    const char *begin = s->p;
    spk_json_guess *guesses = b->guesses && node->guesses != SPK_JSON_NO_GUESS ? b->guesses + node->guesses : NULL;
    uint64_t few[4] = { 0 }, *seen = few;
    bool empty, more;
    if (s->p == s->end || *s->p != '{')
        return spk_json_misfit(b, node, begin, false);
    if (node->required > 0 && node->n > 64 * sizeof few / sizeof *few) {
        seen = spk_arena_alloc(b->texts, (node->n / 64 + 1) * sizeof *seen, sizeof *seen);
        if (!seen)
            return spk_json_nomem(b);
        memset(seen, 0, (node->n / 64 + 1) * sizeof *seen);
    }
    if (!spk_json_enter(s, &empty))
        return BROKEN;
    more = !empty;
    for (uint32_t i = 0; more; i++) {
        uint32_t at;
        if (guesses)
            i = spk_json_swift(b, node, i, row, seen, &more);
        if (!more)
            break;
        if (name(b, node, guesses && i < SPK_JSON_GUESSES ? guesses + i : NULL, &at) != FINE)
            return BROKEN;
        if (at == UINT32_MAX) {
            if (!spk_json_skip(s))
                return BROKEN;
        } else {
            const spk_json_result r = member(b, &node->members[at], row);
            if (r != FINE)
                return r;
            if (node->required > 0)
                seen[at / 64] |= UINT64_C(1) << at % 64;
        }
        if (!spk_json_more(s, '}', &more))
            return BROKEN;
    }
    return node->required > 0 ? complete(b, node, begin, seen) : FINE;
}

/* ---- values ---- */

static bool is_null(const spk_json_scan *s)
{
    return s->end - s->p >= 4 && memcmp(s->p, "null", 4) == 0;
}

static spk_json_result value(spk_json_binder *b, const spk_json_node *node, char *to)
{
    spk_json_scan *s = b->scan;
    if (s->p < s->end && *s->p == 'n' && is_null(s)) {
        const char *begin = s->p;
        s->p += 4;
        if (!node->optional)
            return spk_json_misfit(b, node, begin, true);
        memset(to, 0, node->at + node->type->size);
        return FINE;
    }
    if (node->optional)
        *to = true;
    to += node->at;
    switch (node->type->kind) {
    case SPARK_KIND_LIST:
        return list(b, node, to);
    case SPARK_KIND_STRUCT:
    case SPARK_KIND_PAIR:
        memset(to, 0, node->type->size); /* the last one of that name counts */
        return object(b, node, to);
    case SPARK_KIND_STR:
        return spk_json_string_value(b, to);
    default:
        return spk_json_scalar_value(b, node, to);
    }
}

void spk_json_set_corrupt(const spk_json_plan *plan, spark_str text, char *row)
{
    const spk_json_node *root = plan->root;
    for (uint32_t i = 0; i < root->n; i++) {
        const spk_json_member *m = &root->members[i];
        if (!m->corrupt)
            continue;
        char *to = row + m->offset;
        if (m->nullable)
            *to = true;
        memcpy(to + m->node->at, &text, sizeof text);
    }
}

void spk_json_bare_row(const spk_json_plan *plan, char *row, spk_json_outcome *outcome)
{
    memset(row, 0, plan->root->type->size);
    outcome->bad = true;
    outcome->lost = plan->root->required > 0;
}

bool spk_json_read(const spk_json_plan *plan, spk_json_guess *guesses, spk_json_scan *scan, char *row,
    spk_arena *texts, spk_json_outcome *outcome)
{
    spk_json_binder b = { .scan = scan, .plan = plan, .guesses = guesses, .texts = texts, .outcome = outcome };
    *outcome = (spk_json_outcome) { .bad = false };
    spk_json_result r = BROKEN;
    if (scan->p == scan->end || *scan->p != '{') {
        const char *begin = scan->p;
        if (spk_json_skip(scan)) {
            scan->p = begin;
            scan->why = SPK_JSON_NO_ROW;
        }
    } else {
        r = object(&b, plan->root, row);
    }
    outcome->lost = r == MISFIT;
    if (r != BROKEN)
        return true;
    outcome->at = scan->p;
    outcome->why = scan->why;
    outcome->type = NULL;
    outcome->null = false;
    spk_json_bare_row(plan, row, outcome);
    return false;
}
