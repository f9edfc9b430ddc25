/* SPDX-License-Identifier: Apache-2.0 */
/* Patterns of paths, as text: what commas and braces stand for, and which names a component
 * matches. */
#ifndef SPK_IO_GLOB_H
#define SPK_IO_GLOB_H

#include "base/error.h"

/* spk_glob_sink: is handed one text after the other; stops all unless it returns SPARK_OK. */
typedef spark_status (*spk_glob_sink)(void *state, const char *text, spk_failure *failure);

/* spk_glob_parts: the parts of spec between commas; those within braces or after a backslash do
 * not separate. spk_glob_braces: what {a,b} in pattern stands for: every combination. Backslashes
 * stay. */
SPK_COLD spark_status spk_glob_parts(
    const char *spec, spk_glob_sink sink, void *state, spk_failure *failure);
SPK_COLD spark_status spk_glob_braces(
    const char *pattern, spk_glob_sink sink, void *state, spk_failure *failure);

/* spk_glob_special: whether a sign with a meaning (one of `signs`) is among the n bytes. */
SPK_COLD bool spk_glob_special(const char *text, size_t n, const char *signs);

/* spk_glob_check: SPARK_EINVAL for a [ without its ] in a component, or a last backslash. */
SPK_COLD spark_status spk_glob_check(const char *pattern, spk_failure *failure);

/* spk_glob_match: does the component of n bytes match all of name? * ? [a-z] [^a] [!a] \x; ? and
 * [..] take a character of UTF-8. */
SPK_COLD bool spk_glob_match(const char *component, size_t n, const char *name);

/* spk_glob_literal: copies n bytes without their backslashes; returns how many that makes. */
SPK_COLD size_t spk_glob_literal(char *to, const char *text, size_t n);

#endif
