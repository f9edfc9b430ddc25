/* SPDX-License-Identifier: Apache-2.0 */
/* Regular expressions of Java's syntax that a machine without backtracking can run: time is the
 * length
 * of the text times that of the pattern, whatever they are, and memory is bounded by the pattern.
 *
 * There are: characters and escapes (\t \n \r \f \a \e \0nn \xhh \x{h} \uhhhh \cX \Q..\E), .,
 * classes with
 * ranges, negation, unions and intersections, \d \D \w \W \s \S \h \H \v \V (ASCII, as in Java),
 * \p{..} of
 * the POSIX classes, groups with and without number or name, alternation, quantifiers greedy and
 * lazy,
 * ^ $ \A \z \Z \b \B, flags (?i) (?s) (?m). Of several matches it finds the one that Java finds.
 * There are not, and a pattern with them is refused: back references, look-around, atomic groups,
 * possessive quantifiers, \G, \R, \X, other properties.
 *
 * Where it differs: in a loop whose body may be empty, as (a*)*, groups keep what they last took
 * that was
 * not empty; \b takes every sign beyond ASCII that is not known as punctuation for a letter. */
#ifndef SPK_SQL_EVAL_REGEX_H
#define SPK_SQL_EVAL_REGEX_H

#include "base/arena.h"

enum { SPK_REGEX_MOST = 20000, SPK_REGEX_GROUPS = 100 };

typedef struct spk_regex spk_regex;
typedef struct spk_regex_work spk_regex_work;

/* spk_regex_compile: NULL: *why says what is wrong; "" : no memory. *unsupported: it is right in
 * Java. */
const spk_regex *spk_regex_compile(
    spk_arena *arena, const char *pattern, size_t n, const char **why, bool *unsupported);
/* spk_regex_groups: without the whole, group 0. spk_regex_group: the number of a named one; -1:
 * none. */
int spk_regex_groups(const spk_regex *regex);
int spk_regex_group(const spk_regex *regex, const char *name, size_t n);

/* spk_regex_work_new: what a thread needs to run it; old: what it needed for another one, which is used up, or NULL.
 * NULL: no memory. */
SPK_COLD spk_regex_work *spk_regex_work_new(const spk_regex *regex, spk_regex_work *old, spk_arena *arena);

/* spk_regex_find: the first match at or behind `from`. places: begin and end of the first `groups`
 * + 1 groups,
 * SIZE_MAX for those that took no part; NULL: whether there is one is all that is asked. */
bool spk_regex_find(const spk_regex *regex, spk_regex_work *work, const char *text, size_t n,
    size_t from, size_t *places, int groups);
/* spk_regex_find_at_once: the same, in the way that suits long texts. */
bool spk_regex_find_at_once(const spk_regex *regex, spk_regex_work *work, const char *text, size_t n,
    size_t from, size_t *places, int groups);

#endif
