/* SPDX-License-Identifier: Apache-2.0 */
#include "listen/json_out.h"

#include <stdlib.h>

enum { LEAST = 4096 };

bool spk_json_grow(spk_json_out *out, size_t n)
{
    size_t max = out->max ? out->max : LEAST;
    while (max - out->n < n)
        max *= 2;
    char *at = out->failed ? NULL : realloc(out->at, max);
    if (!at) {
        out->failed = true;
        return false;
    }
    out->at = at;
    out->max = max;
    return true;
}

void spk_json_fini(spk_json_out *out)
{
    free(out->at);
    *out = (spk_json_out) { .at = NULL };
}

static size_t digits_of(uint64_t value)
{
    size_t n = 1;
    for (; value >= 10000; value /= 10000)
        n += 4;
    return n + (value >= 10) + (value >= 100) + (value >= 1000);
}

/* Two digits at a time, for lines of logs are numbers. */
char *spk_print_long(char *at, int64_t value)
{
    static const char pairs[] = "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
                                "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
                                "8081828384858687888990919293949596979899";
    uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    if (value < 0)
        *at++ = '-';
    char *const end = at + digits_of(left);
    char *to = end;
    for (; left >= 100; left /= 100)
        memcpy(to -= 2, pairs + left % 100 * 2, 2);
    *--to = (char)('0' + left % 10);
    if (left >= 10)
        *--to = (char)('0' + left / 10);
    return end;
}

void spk_json_int(spk_json_out *out, int64_t value)
{
    char *at = spk_json_reserve(out, SPK_DIGITS);
    if (at)
        spk_json_reached(out, spk_print(at, value));
}

void spk_json_bool(spk_json_out *out, bool value)
{
    if (value)
        SPK_JSON(out, "true");
    else
        SPK_JSON(out, "false");
}

/* ---- texts */

int spk_json_character(const unsigned char *s, size_t n)
{
    const unsigned char first = s[0];
    const int size = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
    unsigned char least = 0x80, most = 0xbf;
    if (size < 2)
        return size ? 1 : -1;
    if (first == 0xe0)
        least = 0xa0;
    else if (first == 0xed)
        most = 0x9f;
    else if (first == 0xf0)
        least = 0x90;
    else if (first == 0xf4)
        most = 0x8f;
    for (int i = 1; i < size; i++) {
        if ((size_t)i >= n || s[i] < least || s[i] > most)
            return -i;
        least = 0x80;
        most = 0xbf;
    }
    return size;
}

/* is_plain: stands for itself. */
static bool is_plain(unsigned char c)
{
    return c >= ' ' && c < 0x7f && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&';
}

/* escape: one that does not; nested: in a text in a text. */
static void escape(spk_json_out *out, unsigned char c, bool nested)
{
    static const char hex[] = "0123456789abcdef";
    const char code[] = { '\\', 'u', '0', '0', hex[c >> 4], hex[c & 15] };
    if (nested)
        SPK_JSON(out, "\\");
    spk_json_bytes(out, code, sizeof code);
}

/* ends: of what is written of a text. */
static size_t ends(const char *text)
{
    size_t n = strnlen(text, SPK_JSON_LONGEST + 1);
    if (n <= SPK_JSON_LONGEST)
        return n;
    n = SPK_JSON_LONGEST;
    while (n > SPK_JSON_LONGEST - 4 && ((unsigned char)text[n] & 0xc0) == 0x80)
        n--;
    return n;
}

static void put(spk_json_out *out, const char *text, bool nested)
{
    const unsigned char *s = (const unsigned char *)text;
    const size_t n = ends(text);
    for (size_t i = 0; i < n;) {
        size_t plain = i;
        while (plain < n && is_plain(s[plain]))
            plain++;
        spk_json_bytes(out, text + i, plain - i);
        if ((i = plain) == n)
            break;
        const int size = s[i] < 0x80 ? 1 : spk_json_character(s + i, n - i);
        if (s[i] < 0x80)
            escape(out, s[i], nested);
        else if (size > 0)
            spk_json_bytes(out, text + i, (size_t)size);
        else
            SPK_JSON(out, "\xef\xbf\xbd");
        i += (size_t)(size > 0 ? size : -size);
    }
    if (text[n])
        SPK_JSON(out, "\xe2\x80\xa6");
}

void spk_json_inner(spk_json_out *out, const char *text)
{
    put(out, text, false);
}

void spk_json_nested(spk_json_out *out, const char *text)
{
    put(out, text, true);
}

void spk_json_text(spk_json_out *out, const char *text)
{
    SPK_JSON(out, "\"");
    put(out, text, false);
    SPK_JSON(out, "\"");
}
