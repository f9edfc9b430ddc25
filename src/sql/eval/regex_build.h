/* SPDX-License-Identifier: Apache-2.0 */
/* What the files that make code of a pattern share: the parser's state, and sets of signs. */
#ifndef SPK_SQL_EVAL_REGEX_BUILD_H
#define SPK_SQL_EVAL_REGEX_BUILD_H

#include "sql/eval/regex_parse.h"

typedef struct spk_re_parser {
    const char *p, *end;
    spk_arena *arena;
    spk_regex_code *code;
    int32_t n, room;
    spk_regex_set *sets;
    int n_sets, room_sets;
    spk_regex *regex;
    bool insensitive, dot_all, many_lines;
    int depth;
    const char *why;
    bool unsupported;
} spk_re_parser;

/* spk_re_fail: what is wrong with the pattern; spk_re_refuse: what is right, and not done here. Both give
 * false, as all that fails does. _more: room for `by` more instructions; _emit: one; _open_at: moves the
 * stretch from `at` on by `by`, to make room. */
bool spk_re_fail(spk_re_parser *r, const char *why);
bool spk_re_refuse(spk_re_parser *r, const char *why);
bool spk_re_more(spk_re_parser *r, int32_t by);
bool spk_re_emit(spk_re_parser *r, spk_regex_op op, int32_t x, int32_t y);
bool spk_re_open_at(spk_re_parser *r, int32_t at, int32_t by);

/* spk_re_ranges: first and last code points of ranges, in any order. */
typedef struct spk_re_ranges {
    uint32_t *at;
    uint32_t n, room;
} spk_re_ranges;

/* Sets and what stands for them: classes, \d and \p{..}, escapes (regex_sets.c). */
bool spk_re_add(spk_re_parser *r, spk_re_ranges *s, uint32_t first, uint32_t last);
bool spk_re_complement(spk_re_parser *r, spk_re_ranges *s);
int spk_re_keep_set(spk_re_parser *r, spk_re_ranges *s);
bool spk_re_emit_set(spk_re_parser *r, spk_re_ranges *s);
bool spk_re_emit_char(spk_re_parser *r, uint32_t c);
bool spk_re_named(spk_re_parser *r, char letter, spk_re_ranges *s);
bool spk_re_property(spk_re_parser *r, bool negated, spk_re_ranges *s);
bool spk_re_escaped(spk_re_parser *r, uint32_t *c);
bool spk_re_read_class(spk_re_parser *r, spk_re_ranges *out);

#endif
