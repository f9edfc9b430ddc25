/* SPDX-License-Identifier: Apache-2.0 */
/* The machine that a regular expression becomes: shared by the two files that make and run it. */
#ifndef SPK_SQL_EVAL_REGEX_PARSE_H
#define SPK_SQL_EVAL_REGEX_PARSE_H

#include "sql/eval/regex.h"

typedef enum spk_regex_op {
    SPK_RE_CHAR,   /* x: a code point */
    SPK_RE_CLASS,  /* x: which set */
    SPK_RE_SPLIT,  /* x, then y */
    SPK_RE_JUMP,   /* x */
    SPK_RE_SAVE,   /* x: which place */
    SPK_RE_ASSERT, /* x: which */
    SPK_RE_MATCH
} spk_regex_op;

enum {
    SPK_RE_BEGIN,      /* \A, ^ */
    SPK_RE_LINE_BEGIN, /* ^ with (?m) */
    SPK_RE_END,        /* \z */
    SPK_RE_LAST_END,   /* $, \Z: at the end, or before a line terminator there */
    SPK_RE_LINE_END,   /* $ with (?m) */
    SPK_RE_WORD,       /* \b */
    SPK_RE_NOT_WORD
};

typedef struct spk_regex_code {
    uint8_t op;
    int32_t x, y;
} spk_regex_code;

/* spk_regex_set: ranges of code points, in order, apart; low: bits of those below 128. */
typedef struct spk_regex_set {
    uint64_t low[2];
    uint32_t n;
    uint32_t *ranges; /* first, last, .. */
} spk_regex_set;

struct spk_regex {
    const spk_regex_code *code;
    int32_t n_code;
    const spk_regex_set *sets;
    int groups;
    const char *names[SPK_REGEX_GROUPS];
    size_t name_sizes[SPK_REGEX_GROUPS];
    bool anchored;      /* every match begins at the begin of the text */
    const char *prefix; /* every match begins with these bytes */
    size_t prefix_size;
};

static inline bool spk_regex_has(const spk_regex_set *set, uint32_t c)
{
    if (c < 128)
        return set->low[c >> 6] >> (c & 63) & 1;
    uint32_t from = 0, to = set->n;
    while (from < to) {
        const uint32_t middle = (from + to) / 2;
        if (c > set->ranges[2 * middle + 1])
            from = middle + 1;
        else
            to = middle;
    }
    return from < set->n && c >= set->ranges[2 * from];
}

#endif
