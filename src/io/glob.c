/* SPDX-License-Identifier: Apache-2.0 */
/* Path patterns without a file system.
 *
 * glob(3) is not used: it orders by locale, knows neither Hadoop's hidden names nor its commas,
 * and cannot say why it failed. Braces are multiplied out to patterns without any, because an
 * alternative may contain slashes; a component is then matched with one level of backtracking:
 * only the latest * can need to take more. */
#include "io/glob.h"

#include <stdlib.h>

#include <spark/source.h>

enum {
    MAX_BRACES = 64,     /* in one pattern: bounds the recursion */
    MAX_PATTERNS = 65536 /* that one pattern may stand for */
};

/* after: the sign behind the one at `at`, which may be escaped. */
static const char *after(const char *at)
{
    return at + (at[0] == '\\' && at[1] != '\0' ? 2 : 1);
}

/* alternative_end: the comma, or the brace that closes the group `at` is in, or the end of the
 * text. */
static const char *alternative_end(const char *at)
{
    int depth = 0;
    for (; *at != '\0'; at = after(at)) {
        if (depth == 0 && (*at == ',' || *at == '}'))
            return at;
        if (*at == '{')
            depth++;
        else if (*at == '}')
            depth--;
    }
    return at;
}

/* part_end: the same outside of any group, where a lone } is itself. */
static const char *part_end(const char *at)
{
    while (*(at = alternative_end(at)) == '}')
        at++;
    return at;
}

static spark_status take_part(
    const char *part, size_t n, spk_glob_sink sink, void *state, spk_failure *failure)
{
    char *copy = malloc(n + 1);
    if (copy == NULL)
        return spk_failure_nomem(failure, NULL, NULL);
    memcpy(copy, part, n);
    copy[n] = '\0';
    spark_status status = sink(state, copy, failure);
    free(copy);
    return status;
}

spark_status spk_glob_parts(const char *spec, spk_glob_sink sink, void *state, spk_failure *failure)
{
    for (const char *part = spec;; part++) {
        const char *end = part_end(part);
        if (end == part)
            return spk_failure_set(
                failure, SPARK_EINVAL, NULL, NULL, "An empty path in \"%s\"", spec);
        spark_status status = take_part(part, (size_t)(end - part), sink, state, failure);
        if (status != SPARK_OK || *end == '\0')
            return status;
        part = end;
    }
}

typedef struct braces {
    const char *pattern; /* as it was given */
    spk_glob_sink sink;
    void *state;
    spk_failure *failure;
    int produced;
} braces;

SPK_COLD static spark_status expand(braces *b, const char *pattern, int depth);

/* expand_group: pattern with its first group, which begins at `open`, replaced by each
 * alternative. */
static spark_status expand_group(
    braces *b, const char *pattern, const char *open, const char *close, char *text, int depth)
{
    const size_t head = (size_t)(open - pattern);
    spark_status status = SPARK_OK;
    memcpy(text, pattern, head);
    for (const char *at = open; at != close && status == SPARK_OK;) {
        const char *alternative = at + 1;
        at = alternative_end(alternative);
        const size_t n = (size_t)(at - alternative);
        memcpy(text + head, alternative, n);
        memcpy(text + head + n, close + 1, strlen(close + 1) + 1);
        status = expand(b, text, depth + 1);
    }
    return status;
}

static spark_status expand(braces *b, const char *pattern, int depth)
{
    const char *open = pattern;
    while (*open != '\0' && *open != '{')
        open = after(open);
    if (*open == '\0' && ++b->produced <= MAX_PATTERNS)
        return b->sink(b->state, pattern, b->failure);
    if (*open == '\0' || depth == MAX_BRACES)
        return spk_failure_set(b->failure, SPARK_EINVAL, NULL, NULL,
            "The braces in %s stand for too many paths", b->pattern);
    const char *close = open;
    do
        close = alternative_end(close + 1);
    while (*close == ',');
    if (*close == '\0')
        return spk_failure_set(b->failure, SPARK_EINVAL, NULL, NULL,
            "A { without its } in %s (write \\{ for the sign itself)", b->pattern);
    char *text = malloc(strlen(pattern) + 1);
    if (text == NULL)
        return spk_failure_nomem(b->failure, NULL, NULL);
    spark_status status = expand_group(b, pattern, open, close, text, depth);
    free(text);
    return status;
}

spark_status spk_glob_braces(
    const char *pattern, spk_glob_sink sink, void *state, spk_failure *failure)
{
    braces b = { pattern, sink, state, failure, 0 };
    return expand(&b, pattern, 0);
}

bool spk_glob_special(const char *text, size_t n, const char *signs)
{
    for (const char *at = text; at < text + n; at = after(at))
        if (strchr(signs, *at) != NULL)
            return true;
    return false;
}

/* class_end: the ] that ends the class whose [ is at `at`, or NULL. A ] that comes first is a
 * member. */
static const char *class_end(const char *at, const char *end)
{
    at++;
    if (at < end && (*at == '^' || *at == '!'))
        at++;
    if (at < end && *at == ']')
        at++;
    while (at < end && *at != ']')
        at = after(at);
    return at < end ? at : NULL;
}

spark_status spk_glob_check(const char *pattern, spk_failure *failure)
{
    const char *at = pattern;
    while (*at != '\0') {
        if (at[0] == '\\' && at[1] == '\0')
            return spk_failure_set(failure, SPARK_EINVAL, NULL, NULL,
                "A backslash at the end of %s (write \\\\ for the sign itself)", pattern);
        if (*at == '[')
            at = class_end(at, at + strcspn(at, "/"));
        if (at == NULL)
            return spk_failure_set(failure, SPARK_EINVAL, NULL, NULL,
                "A [ without its ] in %s (write \\[ for the sign itself)", pattern);
        at = after(at);
    }
    return SPARK_OK;
}

/* character: the next one of UTF-8 text. A byte that begins none counts as one of its own. */
static uint32_t character(const char **at)
{
    const unsigned char *byte = (const unsigned char *)*at;
    const uint32_t first = byte[0];
    const int more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : first >= 0xC0 ? 1 : 0;
    uint32_t value = more == 0 ? first : first & (0x3Fu >> more);
    int i = 1;
    for (; i <= more && (byte[i] & 0xC0) == 0x80; i++)
        value = value << 6 | (byte[i] & 0x3Fu);
    const bool whole = i > more && (first < 0x80 || more > 0);
    *at += whole ? more + 1 : 1;
    return whole ? value : 0x80000000u | first;
}

/* member: a character of a class, or a literal one, with or without a backslash. */
static uint32_t member(const char **at, const char *end)
{
    if (**at == '\\' && end - *at > 1)
        (*at)++;
    return character(at);
}

static bool in_class(const char *at, const char *end, uint32_t wanted)
{
    const bool without = *at == '^' || *at == '!';
    bool found = false;
    if (without)
        at++;
    while (at < end) {
        uint32_t low = member(&at, end), high = low;
        if (end - at > 1 && *at == '-') {
            at++;
            high = member(&at, end);
        }
        found = found || (low <= wanted && wanted <= high);
    }
    return found != without;
}

/* match_one: a step of both that is not a *; false moves nothing that matters. */
static bool match_one(const char **pattern, const char *end, const char **name)
{
    const char *at = *pattern;
    if (at >= end || **name == '\0')
        return false;
    const uint32_t wanted = character(name);
    bool fits = true;
    if (*at == '?') {
        at++;
    } else if (*at == '[') {
        const char *last = class_end(at, end);
        fits = last != NULL && in_class(at + 1, last, wanted);
        at = last == NULL ? end : last + 1;
    } else {
        fits = member(&at, end) == wanted;
    }
    *pattern = at;
    return fits;
}

bool spk_glob_match(const char *component, size_t n, const char *name)
{
    const char *at = component, *const end = component + n;
    const char *star = NULL, *taken = NULL; /* behind the latest *, and what it has taken so far */
    while (*name != '\0' || at < end) {
        if (at < end && *at == '*') {
            star = ++at;
            taken = name;
        } else if (!match_one(&at, end, &name)) {
            if (star == NULL || *taken == '\0')
                return false;
            character(&taken);
            at = star;
            name = taken;
        }
    }
    return true;
}

size_t spk_glob_literal(char *to, const char *text, size_t n)
{
    size_t made = 0;
    for (size_t i = 0; i < n; i++) {
        if (text[i] == '\\' && i + 1 < n)
            i++;
        to[made++] = text[i];
    }
    return made;
}

char *spark_path_literal(const char *path)
{
    static const char signs[] = ",*?[]{}\\";
    char *text = path ? malloc(2 * strlen(path) + 1) : NULL, *to = text;
    for (const char *at = path; text && *at; at++) {
        const bool scheme = at == path && strncmp(at, "file:", 5) == 0;
        if (scheme || strchr(signs, *at) != NULL)
            *to++ = '\\';
        *to++ = *at;
    }
    if (text)
        *to = '\0';
    return text;
}
