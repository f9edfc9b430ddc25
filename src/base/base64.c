/* SPDX-License-Identifier: Apache-2.0 */
#include "base/small.h"

#include "base/base64.h"

#include <stdint.h>
#include <string.h>

static const char signs[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t spk_base64(const char *p, size_t n, char *to)
{
    size_t used = 0;
    for (size_t i = 0; i < n; i += 3) {
        const size_t left = n - i;
        uint32_t x = 0;
        for (size_t j = 0; j < 3; j++)
            x = x << 8 | (j < left ? (unsigned char)p[i + j] : 0);
        for (size_t j = 0; j < 4; j++)
            to[used++] = j > left ? '=' : signs[x >> (18 - 6 * j) & 63];
    }
    return used;
}

/* group: four signs; returns how many bytes they are, 0: they are none. */
static size_t group(const char *p, char *to)
{
    uint32_t x = 0;
    const size_t n = p[3] != '=' ? 3 : p[2] != '=' ? 2 : 1;
    for (size_t i = 0; i < 4; i++) {
        const char *at = p[i] ? strchr(signs, p[i]) : NULL;
        if (!at && i <= n)
            return 0;
        x = x << 6 | (at ? (uint32_t)(at - signs) : 0);
    }
    for (size_t i = 0; i < n; i++)
        to[i] = (char)(x >> (16 - 8 * i));
    return n;
}

size_t spk_base64_decode(const char *p, size_t n, char *to)
{
    size_t used = 0;
    for (size_t i = 0; i < n;) {
        if ((unsigned char)p[i] <= ' ') {
            i++;
            continue;
        }
        const size_t some = n - i < 4 ? 0 : group(p + i, to + used);
        if (some == 0)
            return SIZE_MAX;
        used += some;
        i += 4;
    }
    return used;
}
