/* SPDX-License-Identifier: Apache-2.0 */
/* An element ends where as many have been closed as were opened since; names of inner ones are not compared. So
 * finding its end takes one pass over it, and walking along elements within elements one for each level that
 * somebody asks for. */
#include "remote/xml.h"

#include <stdlib.h>

typedef struct cursor {
    const char *at, *end;
} cursor;

/* find: behind the next occurrence of a text; false: there is none. */
static bool find(cursor *c, const char *text, size_t n)
{
    const char *found = c->end > c->at ? memmem(c->at, (size_t)(c->end - c->at), text, n) : NULL;
    c->at = found ? found + n : c->end;
    return found != NULL;
}

static bool starts(const cursor *c, const char *text)
{
    const size_t n = strlen(text);
    return (size_t)(c->end - c->at) >= n && memcmp(c->at, text, n) == 0;
}

typedef enum tag_kind { NO_TAG = 0, OPENS, CLOSES, EMPTY } tag_kind;

/* tag_end: behind the > of a tag, past quoted values; false: there is none. */
static bool tag_end(cursor *c)
{
    for (char quote = 0; c->at < c->end; c->at++) {
        if (quote ? *c->at == quote : *c->at == '"' || *c->at == '\'')
            quote = quote ? 0 : *c->at;
        else if (!quote && *c->at == '>')
            return c->at++, true;
    }
    return false;
}

/* next_tag: the cursor goes behind it; *begin: its <. */
static tag_kind next_tag(cursor *c, const char **begin, spark_str *name)
{
    for (;;) {
        if (!find(c, "<", 1))
            return NO_TAG;
        *begin = c->at - 1;
        if (starts(c, "!--")) {
            c->at += 3;
            if (!find(c, "-->", 3))
                return NO_TAG;
        } else if (starts(c, "![CDATA[")) {
            if (!find(c, "]]>", 3))
                return NO_TAG;
        } else if (starts(c, "?") || starts(c, "!")) {
            if (!find(c, ">", 1))
                return NO_TAG;
        } else {
            break;
        }
    }
    const bool closes = starts(c, "/");
    const char *from = c->at + closes, *to = from;
    while (to < c->end && !strchr(" \t\r\n/>", *to) && *to)
        to++;
    const char *colon = to > from ? memchr(from, ':', (size_t)(to - from)) : NULL;
    from = colon ? colon + 1 : from;
    *name = (spark_str) { from, (size_t)(to - from) };
    c->at = to;
    if (!tag_end(c))
        return NO_TAG;
    return closes ? CLOSES : c->at[-2] == '/' ? EMPTY : OPENS;
}

bool spk_xml_next(spark_str *rest, spark_str *name, spark_str *inner)
{
    cursor c = { rest->ptr, rest->ptr + rest->len };
    spark_str other;
    const char *begin;
    const tag_kind kind = rest->len ? next_tag(&c, &begin, name) : NO_TAG;
    const char *from = c.at;
    *inner = (spark_str) { from, 0 };
    if (kind != OPENS && kind != EMPTY) {
        rest->len = 0;
        return false;
    }
    for (size_t depth = kind == OPENS; depth > 0;) {
        const tag_kind k = next_tag(&c, &begin, &other);
        if (k == NO_TAG) {
            rest->len = 0;
            return false;
        }
        depth += (size_t)(k == OPENS) - (size_t)(k == CLOSES);
        inner->len = (size_t)(begin - from);
    }
    *rest = (spark_str) { c.at, (size_t)(c.end - c.at) };
    return true;
}

bool spk_xml_is(spark_str name, const char *text)
{
    return name.len == strlen(text) && memcmp(name.ptr, text, name.len) == 0;
}

spark_str spk_xml_get(spark_str inner, const char *name)
{
    spark_str is, value;
    while (spk_xml_next(&inner, &is, &value))
        if (spk_xml_is(is, name))
            return value;
    return (spark_str) { "", 0 };
}

/* add_character: in UTF-8. */
static void add_character(spk_text *to, unsigned long c)
{
    char bytes[4];
    const int n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned char first[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
    for (int i = n - 1; i > 0; i--, c >>= 6)
        bytes[i] = (char)(0x80 | (c & 0x3f));
    bytes[0] = (char)(first[n] | c);
    spk_text_add(to, bytes, (size_t)n);
}

/* entity: what is between & and ;. False: it means nothing. */
static bool entity(spk_text *to, const char *at, size_t n)
{
    static const struct {
        const char *name, *text;
    } known[] = { { "amp", "&" }, { "lt", "<" }, { "gt", ">" }, { "quot", "\"" }, { "apos", "'" } };
    char digits[12] = "", *end;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strlen(known[i].name) == n && memcmp(known[i].name, at, n) == 0) {
            spk_text_add(to, known[i].text, 1);
            return true;
        }
    if (n < 2 || n > 10 || at[0] != '#')
        return false;
    memcpy(digits, at + 1, n - 1);
    const bool hex = digits[0] == 'x';
    const unsigned long c = strtoul(digits + hex, &end, hex ? 16 : 10);
    if (*end || end == digits + hex || c == 0 || c > 0x10ffff)
        return false;
    add_character(to, c);
    return true;
}

void spk_xml_text(spk_text *to, spark_str inner)
{
    const char *at = inner.ptr, *end = inner.ptr + inner.len;
    spk_text_add(to, "", 0);
    while (at < end) {
        const char *amp = memchr(at, '&', (size_t)(end - at));
        spk_text_add(to, at, (size_t)((amp ? amp : end) - at));
        if (!amp)
            return;
        const size_t most = (size_t)(end - amp) < 12 ? (size_t)(end - amp) : 12;
        const char *stop = memchr(amp, ';', most);
        at = amp + 1;
        if (stop && entity(to, at, (size_t)(stop - at)))
            at = stop + 1;
        else
            spk_text_add(to, "&", 1);
    }
}
