/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/text.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>

/* room: for n bytes and a NUL. */
static bool room(spk_text *text, size_t n)
{
    if (text->nomem || n < text->capacity - text->n)
        return !text->nomem;
    const size_t capacity = 2 * text->capacity + n + 64;
    char *longer = realloc(text->at, capacity);
    if (!longer) {
        text->nomem = true;
        return false;
    }
    text->at = longer;
    text->capacity = capacity;
    return true;
}

void spk_text_add(spk_text *text, const char *bytes, size_t n)
{
    if (!room(text, n))
        return;
    if (n)
        memcpy(text->at + text->n, bytes, n);
    text->n += n;
    text->at[text->n] = '\0';
}

void spk_text_print(spk_text *text, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    const int n = vsnprintf(NULL, 0, format, args);
    if (n >= 0 && room(text, (size_t)n)) {
        vsnprintf(text->at + text->n, (size_t)n + 1, format, again);
        text->n += (size_t)n;
    }
    va_end(again);
    va_end(args);
}

void spk_text_encode(spk_text *text, const char *bytes, size_t n, const char *plain)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < n; i++) {
        const unsigned char c = (unsigned char)bytes[i];
        const char escaped[3] = { '%', digits[c >> 4], digits[c & 15] };
        const bool kept = c < 128 && (isalnum(c) || (c && (strchr("-_.~", c) || strchr(plain, c))));
        spk_text_add(text, kept ? bytes + i : escaped, kept ? 1 : 3);
    }
}

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0'
        : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10
                                             : -1;
}

void spk_text_decode(spk_text *text, const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char c = bytes[i];
        if (c == '%' && n - i > 2 && digit(bytes[i + 1]) >= 0 && digit(bytes[i + 2]) >= 0) {
            c = (char)(digit(bytes[i + 1]) << 4 | digit(bytes[i + 2]));
            i += 2;
        }
        spk_text_add(text, &c, 1);
    }
}

void spk_text_free(spk_text *text)
{
    free(text->at);
    *text = (spk_text) { .at = NULL };
}
