/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/eval/utf8.h"

#include <string.h>

uint32_t spk_utf8_read(const char *p, size_t left, size_t *size)
{
    const unsigned char c = (unsigned char)*p;
    const size_t n = spk_utf8_size(p, left);
    *size = 1;
    if (c < 0x80)
        return c;
    if (c < 0xc0 || c >= 0xf8 || (c >= 0xe0 && n < 3) || (c >= 0xf0 && n < 4) || n < 2)
        return 0x110000u + c;
    uint32_t x = c & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if (((unsigned char)p[i] & 0xc0) != 0x80)
            return 0x110000u + c;
        x = x << 6 | ((unsigned char)p[i] & 0x3f);
    }
    *size = n;
    return x;
}

size_t spk_utf8_write(uint32_t c, char *p)
{
    if (c >= 0x110000u) {
        p[0] = (char)(c - 0x110000u);
        return 1;
    }
    if (c < 0x80) {
        p[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        p[0] = (char)(0xc0 | c >> 6);
        p[1] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        p[0] = (char)(0xe0 | c >> 12);
        p[1] = (char)(0x80 | (c >> 6 & 0x3f));
        p[2] = (char)(0x80 | (c & 0x3f));
        return 3;
    }
    p[0] = (char)(0xf0 | c >> 18);
    p[1] = (char)(0x80 | (c >> 12 & 0x3f));
    p[2] = (char)(0x80 | (c >> 6 & 0x3f));
    p[3] = (char)(0x80 | (c & 0x3f));
    return 4;
}

/* ascii: whether the next 8 bytes are. */
static bool ascii(const char *p)
{
    uint64_t x;
    memcpy(&x, p, sizeof x);
    return !(x & UINT64_C(0x8080808080808080));
}

size_t spk_utf8_count(const char *p, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i += spk_utf8_size(p + i, n - i)) {
        for (; n - i >= 8 && ascii(p + i); i += 8)
            count += 8;
        if (n >= 8 && n - i < 8 && ascii(p + n - 8))
            return count + n - i;
        count++;
    }
    return count;
}

size_t spk_utf8_at(const char *p, size_t n, size_t i)
{
    size_t at = 0;
    for (; i > 0 && at < n; i--)
        at += spk_utf8_size(p + at, n - at);
    return at;
}
