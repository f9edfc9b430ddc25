/* SPDX-License-Identifier: Apache-2.0 */
/* Upper and lower case of texts, as Unicode 17 and Spark 4 have it: a letter may become several, and a sigma is
 * written otherwise at the end of a word. */
#include "sql/eval/utf8.h"

/* range: pairs of an upper letter and the lower one that is `apart` behind it, from `first` on; apart 1: neighbours,
 * of which every second one is an upper one. Scripts that are met more often stand first. */
typedef struct range {
    uint32_t first : 17, span : 8; /* of the upper ones, the last one included */
    int32_t apart;
} range;

static const range ranges[] = {
    { 0x41, 25, 32 }, { 0xc0, 22, 32 }, { 0xd8, 6, 32 }, { 0x100, 46, 1 }, { 0x132, 4, 1 }, { 0x139, 14, 1 },
    { 0x14a, 44, 1 }, { 0x178, 0, -121 }, { 0x179, 4, 1 }, { 0x386, 0, 38 }, { 0x388, 2, 37 }, { 0x38c, 0, 64 },
    { 0x38e, 1, 63 }, { 0x391, 16, 32 }, { 0x3a3, 8, 32 }, { 0x400, 15, 80 }, { 0x410, 31, 32 }, { 0x460, 32, 1 },
    { 0x48a, 52, 1 }, { 0x4c1, 12, 1 }, { 0x4d0, 94, 1 }, { 0x531, 37, 48 }, { 0x181, 0, 210 }, { 0x182, 2, 1 },
    { 0x186, 0, 206 }, { 0x187, 0, 1 }, { 0x189, 1, 205 }, { 0x18b, 0, 1 }, { 0x18e, 0, 79 }, { 0x18f, 0, 202 },
    { 0x190, 0, 203 }, { 0x191, 0, 1 }, { 0x193, 0, 205 }, { 0x194, 0, 207 }, { 0x196, 0, 211 }, { 0x197, 0, 209 },
    { 0x198, 0, 1 }, { 0x19c, 0, 211 }, { 0x19d, 0, 213 }, { 0x19f, 0, 214 }, { 0x1a0, 4, 1 }, { 0x1a6, 0, 218 },
    { 0x1a7, 0, 1 }, { 0x1a9, 0, 218 }, { 0x1ac, 0, 1 }, { 0x1ae, 0, 218 }, { 0x1af, 0, 1 }, { 0x1b1, 1, 217 },
    { 0x1b3, 2, 1 }, { 0x1b7, 0, 219 }, { 0x1b8, 0, 1 }, { 0x1bc, 0, 1 }, { 0x1c4, 0, 2 }, { 0x1c7, 0, 2 },
    { 0x1ca, 0, 2 }, { 0x1cd, 14, 1 }, { 0x1de, 16, 1 }, { 0x1f1, 0, 2 }, { 0x1f4, 0, 1 }, { 0x1f6, 0, -97 },
    { 0x1f7, 0, -56 }, { 0x1f8, 38, 1 }, { 0x220, 0, -130 }, { 0x222, 16, 1 }, { 0x23a, 0, 10795 }, { 0x23b, 0, 1 },
    { 0x23d, 0, -163 }, { 0x23e, 0, 10792 }, { 0x241, 0, 1 }, { 0x243, 0, -195 }, { 0x244, 0, 69 }, { 0x245, 0, 71 },
    { 0x246, 8, 1 }, { 0x370, 2, 1 }, { 0x376, 0, 1 }, { 0x37f, 0, 116 }, { 0x3cf, 0, 8 }, { 0x3d8, 22, 1 },
    { 0x3f7, 0, 1 }, { 0x3f9, 0, -7 }, { 0x3fa, 0, 1 }, { 0x3fd, 2, -130 }, { 0x4c0, 0, 15 }, { 0x10a0, 37, 7264 },
    { 0x10c7, 0, 7264 }, { 0x10cd, 0, 7264 }, { 0x13a0, 79, 38864 }, { 0x13f0, 5, 8 }, { 0x1c89, 0, 1 },
    { 0x1c90, 42, -3008 }, { 0x1cbd, 2, -3008 }, { 0x1e00, 148, 1 }, { 0x1ea0, 94, 1 }, { 0x1f08, 7, -8 },
    { 0x1f18, 5, -8 }, { 0x1f28, 7, -8 }, { 0x1f38, 7, -8 }, { 0x1f48, 5, -8 }, { 0x1f59, 0, -8 }, { 0x1f5b, 0, -8 },
    { 0x1f5d, 0, -8 }, { 0x1f5f, 0, -8 }, { 0x1f68, 7, -8 }, { 0x1f88, 7, -8 }, { 0x1f98, 7, -8 }, { 0x1fa8, 7, -8 },
    { 0x1fb8, 1, -8 }, { 0x1fba, 1, -74 }, { 0x1fbc, 0, -9 }, { 0x1fc8, 3, -86 }, { 0x1fcc, 0, -9 },
    { 0x1fd8, 1, -8 }, { 0x1fda, 1, -100 }, { 0x1fe8, 1, -8 }, { 0x1fea, 1, -112 }, { 0x1fec, 0, -7 },
    { 0x1ff8, 1, -128 }, { 0x1ffa, 1, -126 }, { 0x1ffc, 0, -9 }, { 0x2132, 0, 28 }, { 0x2160, 15, 16 },
    { 0x2183, 0, 1 }, { 0x24b6, 25, 26 }, { 0x2c00, 47, 48 }, { 0x2c60, 0, 1 }, { 0x2c62, 0, -10743 },
    { 0x2c63, 0, -3814 }, { 0x2c64, 0, -10727 }, { 0x2c67, 4, 1 }, { 0x2c6d, 0, -10780 }, { 0x2c6e, 0, -10749 },
    { 0x2c6f, 0, -10783 }, { 0x2c70, 0, -10782 }, { 0x2c72, 0, 1 }, { 0x2c75, 0, 1 }, { 0x2c7e, 1, -10815 },
    { 0x2c80, 98, 1 }, { 0x2ceb, 2, 1 }, { 0x2cf2, 0, 1 }, { 0xa640, 44, 1 }, { 0xa680, 26, 1 }, { 0xa722, 12, 1 },
    { 0xa732, 60, 1 }, { 0xa779, 2, 1 }, { 0xa77d, 0, -35332 }, { 0xa77e, 8, 1 }, { 0xa78b, 0, 1 },
    { 0xa78d, 0, -42280 }, { 0xa790, 2, 1 }, { 0xa796, 18, 1 }, { 0xa7aa, 0, -42308 }, { 0xa7ab, 0, -42319 },
    { 0xa7ac, 0, -42315 }, { 0xa7ad, 0, -42305 }, { 0xa7ae, 0, -42308 }, { 0xa7b0, 0, -42258 },
    { 0xa7b1, 0, -42282 }, { 0xa7b2, 0, -42261 }, { 0xa7b3, 0, 928 }, { 0xa7b4, 14, 1 }, { 0xa7c4, 0, -48 },
    { 0xa7c5, 0, -42307 }, { 0xa7c6, 0, -35384 }, { 0xa7c7, 2, 1 }, { 0xa7cb, 0, -42343 }, { 0xa7cc, 14, 1 },
    { 0xa7dc, 0, -42561 }, { 0xa7f5, 0, 1 }, { 0xff21, 25, 32 }, { 0x10400, 39, 40 }, { 0x104b0, 35, 40 },
    { 0x10570, 10, 39 }, { 0x1057c, 14, 39 }, { 0x1058c, 6, 39 }, { 0x10594, 1, 39 }, { 0x10c80, 50, 64 },
    { 0x10d50, 21, 32 }, { 0x118a0, 31, 32 }, { 0x16e40, 31, 32 }, { 0x16ea0, 24, 27 }, { 0x1e900, 33, 34 },
};

/* several: what is not one of a pair, by the letter, in three parts: its lower, its upper, its title case. */
typedef struct several {
    uint16_t from, to[3];
} several;

enum { LOWERS = 10, UPPERS = 81, TITLES = 13 };
static const several severals[LOWERS + UPPERS + TITLES] = {
    /* lower */
    { 0x130, { 0x69, 0x307 } }, { 0x1c5, { 0x1c6 } }, { 0x1c8, { 0x1c9 } }, { 0x1cb, { 0x1cc } },
    { 0x1f2, { 0x1f3 } }, { 0x3f4, { 0x3b8 } }, { 0x1e9e, { 0xdf } }, { 0x2126, { 0x3c9 } }, { 0x212a, { 0x6b } },
    { 0x212b, { 0xe5 } },
    /* upper; of 0x1f80 up to 0x1faf see cased */
    { 0xb5, { 0x39c } }, { 0xdf, { 0x53, 0x53 } }, { 0x131, { 0x49 } }, { 0x149, { 0x2bc, 0x4e } },
    { 0x17f, { 0x53 } }, { 0x1c5, { 0x1c4 } }, { 0x1c8, { 0x1c7 } }, { 0x1cb, { 0x1ca } },
    { 0x1f0, { 0x4a, 0x30c } }, { 0x1f2, { 0x1f1 } }, { 0x345, { 0x399 } }, { 0x390, { 0x399, 0x308, 0x301 } },
    { 0x3b0, { 0x3a5, 0x308, 0x301 } }, { 0x3c2, { 0x3a3 } }, { 0x3d0, { 0x392 } }, { 0x3d1, { 0x398 } },
    { 0x3d5, { 0x3a6 } }, { 0x3d6, { 0x3a0 } }, { 0x3f0, { 0x39a } }, { 0x3f1, { 0x3a1 } }, { 0x3f5, { 0x395 } },
    { 0x587, { 0x535, 0x552 } }, { 0x1c80, { 0x412 } }, { 0x1c81, { 0x414 } }, { 0x1c82, { 0x41e } },
    { 0x1c83, { 0x421 } }, { 0x1c84, { 0x422 } }, { 0x1c85, { 0x422 } }, { 0x1c86, { 0x42a } },
    { 0x1c87, { 0x462 } }, { 0x1c88, { 0xa64a } }, { 0x1e96, { 0x48, 0x331 } }, { 0x1e97, { 0x54, 0x308 } },
    { 0x1e98, { 0x57, 0x30a } }, { 0x1e99, { 0x59, 0x30a } }, { 0x1e9a, { 0x41, 0x2be } }, { 0x1e9b, { 0x1e60 } },
    { 0x1f50, { 0x3a5, 0x313 } }, { 0x1f52, { 0x3a5, 0x313, 0x300 } }, { 0x1f54, { 0x3a5, 0x313, 0x301 } },
    { 0x1f56, { 0x3a5, 0x313, 0x342 } }, { 0x1fb2, { 0x1fba, 0x399 } }, { 0x1fb3, { 0x391, 0x399 } },
    { 0x1fb4, { 0x386, 0x399 } }, { 0x1fb6, { 0x391, 0x342 } }, { 0x1fb7, { 0x391, 0x342, 0x399 } },
    { 0x1fbc, { 0x391, 0x399 } }, { 0x1fbe, { 0x399 } }, { 0x1fc2, { 0x1fca, 0x399 } }, { 0x1fc3, { 0x397, 0x399 } },
    { 0x1fc4, { 0x389, 0x399 } }, { 0x1fc6, { 0x397, 0x342 } }, { 0x1fc7, { 0x397, 0x342, 0x399 } },
    { 0x1fcc, { 0x397, 0x399 } }, { 0x1fd2, { 0x399, 0x308, 0x300 } }, { 0x1fd3, { 0x399, 0x308, 0x301 } },
    { 0x1fd6, { 0x399, 0x342 } }, { 0x1fd7, { 0x399, 0x308, 0x342 } }, { 0x1fe2, { 0x3a5, 0x308, 0x300 } },
    { 0x1fe3, { 0x3a5, 0x308, 0x301 } }, { 0x1fe4, { 0x3a1, 0x313 } }, { 0x1fe6, { 0x3a5, 0x342 } },
    { 0x1fe7, { 0x3a5, 0x308, 0x342 } }, { 0x1ff2, { 0x1ffa, 0x399 } }, { 0x1ff3, { 0x3a9, 0x399 } },
    { 0x1ff4, { 0x38f, 0x399 } }, { 0x1ff6, { 0x3a9, 0x342 } }, { 0x1ff7, { 0x3a9, 0x342, 0x399 } },
    { 0x1ffc, { 0x3a9, 0x399 } }, { 0xfb00, { 0x46, 0x46 } }, { 0xfb01, { 0x46, 0x49 } }, { 0xfb02, { 0x46, 0x4c } },
    { 0xfb03, { 0x46, 0x46, 0x49 } }, { 0xfb04, { 0x46, 0x46, 0x4c } }, { 0xfb05, { 0x53, 0x54 } },
    { 0xfb06, { 0x53, 0x54 } }, { 0xfb13, { 0x544, 0x546 } }, { 0xfb14, { 0x544, 0x535 } },
    { 0xfb15, { 0x544, 0x53b } }, { 0xfb16, { 0x54e, 0x546 } }, { 0xfb17, { 0x544, 0x53d } },
    /* title, where it is neither the upper one nor its first letter with the others in lower case */
    { 0x149, { 0x2bc, 0x4e } }, { 0x1c4, { 0x1c5 } }, { 0x1c5, { 0x1c5 } }, { 0x1c6, { 0x1c5 } },
    { 0x1c7, { 0x1c8 } }, { 0x1c8, { 0x1c8 } }, { 0x1c9, { 0x1c8 } }, { 0x1ca, { 0x1cb } }, { 0x1cb, { 0x1cb } },
    { 0x1cc, { 0x1cb } }, { 0x1f1, { 0x1f2 } }, { 0x1f2, { 0x1f2 } }, { 0x1f3, { 0x1f2 } },
};

/* between: signs that do not end a word, where a word has case: marks, apostrophes, stops. Those of scripts without
 * case are not among them. */
static const uint16_t between[][2] = {
    { 0x27, 0x27 }, { 0x2e, 0x2e }, { 0x3a, 0x3a }, { 0x5e, 0x5e }, { 0x60, 0x60 }, { 0xa8, 0xa8 }, { 0xad, 0xad },
    { 0xaf, 0xaf }, { 0xb4, 0xb4 }, { 0xb7, 0xb8 }, { 0x2b0, 0x36f }, { 0x374, 0x375 }, { 0x37a, 0x37a },
    { 0x384, 0x385 }, { 0x387, 0x387 }, { 0x483, 0x489 }, { 0x559, 0x559 }, { 0x55f, 0x55f }, { 0x1ab0, 0x1add },
    { 0x1ae0, 0x1aeb }, { 0x1d2c, 0x1d6a }, { 0x1d78, 0x1d78 }, { 0x1d9b, 0x1dff }, { 0x1fbd, 0x1fbd },
    { 0x1fbf, 0x1fc1 }, { 0x1fcd, 0x1fcf }, { 0x1fdd, 0x1fdf }, { 0x1fed, 0x1fef }, { 0x1ffd, 0x1ffe },
    { 0x200b, 0x200f }, { 0x2018, 0x2019 }, { 0x2024, 0x2024 }, { 0x2027, 0x2027 }, { 0x202a, 0x202e },
    { 0x2060, 0x2064 }, { 0x2066, 0x206f }, { 0x2071, 0x2071 }, { 0x207f, 0x207f }, { 0x2090, 0x209c },
    { 0x20d0, 0x20f0 }, { 0x2c7c, 0x2c7d }, { 0x2cef, 0x2cf1 }, { 0xa66f, 0xa672 }, { 0xa674, 0xa67d },
    { 0xa67f, 0xa67f }, { 0xa69c, 0xa69f }, { 0xa700, 0xa721 }, { 0xa770, 0xa770 }, { 0xa788, 0xa78a },
    { 0xa7f8, 0xa7f9 }, { 0xfe00, 0xfe0f }, { 0xfe20, 0xfe2f }, { 0xfeff, 0xfeff },
};

/* other: the other letter of a pair, if c is not the wanted one. */
static uint32_t other(uint32_t c, bool upper)
{
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        const range *r = &ranges[i];
        const uint32_t up = c - r->first, low = up - (uint32_t)r->apart, span = r->span;
        if (r->apart == 1) {
            if (up <= span + 1)
                return upper ? c - up % 2 : c + 1 - up % 2;
        } else if (up <= span) {
            return upper ? c : c + (uint32_t)r->apart;
        } else if (low <= span) {
            return upper ? c - (uint32_t)r->apart : c;
        }
    }
    return c;
}

static const several *find(spk_case to, uint32_t c)
{
    static const uint8_t ends[] = { 0, LOWERS, LOWERS + UPPERS, LOWERS + UPPERS + TITLES };
    size_t low = ends[to], high = ends[to + 1];
    while (low < high) {
        const size_t at = (low + high) / 2;
        if (severals[at].from == c)
            return &severals[at];
        if (severals[at].from < c)
            low = at + 1;
        else
            high = at;
    }
    return NULL;
}

/* cased: the letters that c becomes; returns how many. */
static size_t cased(uint32_t c, spk_case to, uint32_t out[3])
{
    const uint32_t iota = c - 0x1f80; /* letters with an iota below them, which stands behind upper ones */
    size_t n = 0;
    out[0] = c;
    if (c - 0x588 < 0x10a0 - 0x588 || c - 0x2d2e < 0xa640 - 0x2d2e || c - 0xabc0 < 0xfb00 - 0xabc0)
        return 1; /* scripts without case, most of all */
    const several *s = find(to, c);
    const bool made = !s && to == SPK_TITLE; /* of upper ones */
    if (made)
        s = find(SPK_UPPER, c);
    if (iota < 0x30 && to == SPK_UPPER) {
        out[0] = 0x1f08 + (iota & 7) + 0x20 * (iota / 16 + iota / 32);
        out[1] = 0x399;
        return 2;
    }
    out[0] = made && c - 0x10d0 < 0x30 ? c : other(c, to != SPK_LOWER); /* Georgian has no title case */
    if (!s || (made && s->to[1] && (out[0] != c || other(c, false) != c)))
        return 1;
    do {
        const uint32_t x = s->to[n];
        out[n] = !made || n == 0 ? x : x == 0x399 ? 0x345 : other(x, false);
    } while (++n < 3 && s->to[n]);
    return n;
}

bool spk_case_changes(uint32_t c, spk_case to)
{
    uint32_t out[3];
    return cased(c, to, out) > 1 || *out != c;
}

static bool is_between(uint32_t c)
{
    for (size_t i = 0; i < sizeof between / sizeof *between; i++)
        if (c >= between[i][0] && c <= between[i][1])
            return true;
    return false;
}

/* cased_beside: whether a letter with case stands before byte k (by -1), or at it or behind it (by 1), nothing but
 * signs that do not end a word between them. */
static bool cased_beside(spark_str s, size_t k, int by)
{
    for (size_t size;; k += size) {
        if (k == (by < 0 ? 0 : s.len))
            return false;
        size_t at = k;
        while (by < 0 && --at > 0 && ((unsigned char)s.ptr[at] & 0xc0) == 0x80)
            ;
        const uint32_t c = spk_utf8_read(s.ptr + at, s.len - at, &size);
        if (!is_between(c))
            return spk_case_changes(c, SPK_LOWER) || spk_case_changes(c, SPK_UPPER);
        if (by < 0)
            size = at - k;
    }
}

size_t spk_utf8_case(spark_str s, spk_case to, char *out)
{
    size_t n = 0, size;
    bool first = true;
    for (size_t k = 0; k < s.len; k += size) {
        const unsigned char byte = (unsigned char)s.ptr[k];
        const spk_case now = to == SPK_TITLE && !first ? SPK_LOWER : to;
        first = byte == ' ';
        if (byte < 0x80) {
            out[n++] = (char)((byte | 0x20u) - 'a' >= 26 ? byte : now == SPK_LOWER ? byte | 0x20 : byte & 0xdf);
            size = 1;
            continue;
        }
        uint32_t letters[3];
        const uint32_t c = spk_utf8_read(s.ptr + k, s.len - k, &size);
        const size_t m = cased(c, now, letters);
        if (c == 0x3a3 && now == SPK_LOWER && cased_beside(s, k, -1) && !cased_beside(s, k + size, 1))
            letters[0] = 0x3c2;
        for (size_t i = 0; i < m; i++)
            n += spk_utf8_write(letters[i], out + n);
    }
    return n;
}

