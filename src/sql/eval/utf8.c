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

/* A range of pairs: from `first` to `last`, each upper one followed by its lower one (step 1:
 * neighbours),
 * or apart by `apart`. */
typedef struct range {
    uint32_t first, last; /* of the upper ones */
    int32_t apart;        /* 1: neighbours, even or odd as `first` is */
} range;

static const range ranges[] = { { 'A', 'Z', 32 }, { 0xc0, 0xd6, 32 }, { 0xd8, 0xde, 32 },
    { 0x100, 0x12e, 1 }, { 0x132, 0x136, 1 }, { 0x139, 0x147, 1 }, { 0x14a, 0x176, 1 },
    { 0x178, 0x178, -121 }, { 0x179, 0x17d, 1 }, { 0x1cd, 0x1db, 1 }, { 0x1de, 0x1ee, 1 },
    { 0x1f8, 0x21e, 1 }, { 0x222, 0x232, 1 }, { 0x370, 0x372, 1 }, { 0x386, 0x386, 38 },
    { 0x388, 0x38a, 37 }, { 0x38c, 0x38c, 64 }, { 0x38e, 0x38f, 63 }, { 0x391, 0x3a1, 32 },
    { 0x3a3, 0x3ab, 32 }, { 0x3d8, 0x3ee, 1 }, { 0x400, 0x40f, 80 }, { 0x410, 0x42f, 32 },
    { 0x460, 0x480, 1 }, { 0x48a, 0x4be, 1 }, { 0x4c1, 0x4cd, 1 }, { 0x4d0, 0x52e, 1 },
    { 0x531, 0x556, 48 }, { 0x1e00, 0x1e94, 1 }, { 0x1ea0, 0x1efe, 1 }, { 0x1f08, 0x1f0f, -8 },
    { 0x1f18, 0x1f1d, -8 }, { 0x1f28, 0x1f2f, -8 }, { 0x1f38, 0x1f3f, -8 }, { 0x1f48, 0x1f4d, -8 },
    { 0x1f68, 0x1f6f, -8 }, { 0x2160, 0x216f, 16 }, { 0x24b6, 0x24cf, 26 }, { 0xff21, 0xff3a, 32 },
    { 0x10400, 0x10427, 40 } };

uint32_t spk_lower(uint32_t c)
{
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges && c >= ranges[i].first; i++)
        if (c <= ranges[i].last) {
            if (ranges[i].apart == 1 && (c - ranges[i].first) % 2 == 1)
                return c;
            return (uint32_t)((int32_t)c + ranges[i].apart);
        }
    return c;
}

uint32_t spk_upper(uint32_t c)
{
    if (c == 0xb5)
        return 0x39c;
    if (c == 0x3c2)
        return 0x3a3;
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        const uint32_t up = (uint32_t)((int32_t)c - ranges[i].apart);
        if (up < ranges[i].first || up > ranges[i].last)
            continue;
        if (ranges[i].apart == 1 && (up - ranges[i].first) % 2 == 1)
            continue;
        return up;
    }
    return c;
}
