/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8: lengths of code points by their first byte, as Spark counts them, whatever follows. */
#ifndef SPK_SQL_EVAL_UTF8_H
#define SPK_SQL_EVAL_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <spark/type.h>

/* spk_utf8_size: bytes of the code point that begins with this byte; at most `left`, at least 1. */
static inline size_t spk_utf8_size(const char *p, size_t left)
{
    const unsigned char c = (unsigned char)*p;
    const size_t n = c < 0xc0 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf8 ? 4 : 1;
    return n < left ? n : left;
}

/* spk_utf8_read: the code point at p, *size bytes long; a byte that begins none stands for itself,
 * beyond
 * all code points. */
uint32_t spk_utf8_read(const char *p, size_t left, size_t *size);
/* spk_utf8_write: at most 4 bytes; returns how many. */
size_t spk_utf8_write(uint32_t c, char *p);
/* spk_utf8_count: code points. spk_utf8_at: the byte at which code point i begins; n beyond the
 * last. */
size_t spk_utf8_count(const char *p, size_t n);
size_t spk_utf8_at(const char *p, size_t n, size_t i);

/* spk_case: SPK_TITLE: of the first letter, and of each behind a space; lower case of the others. */
typedef enum spk_case { SPK_LOWER, SPK_UPPER, SPK_TITLE } spk_case;
/* spk_utf8_case: a text in that case, of at most three times its bytes; returns how many. */
size_t spk_utf8_case(spark_str s, spk_case to, char *out);
/* spk_case_changes: whether a letter by itself is another one in that case, or several. */
bool spk_case_changes(uint32_t c, spk_case to);

#endif
