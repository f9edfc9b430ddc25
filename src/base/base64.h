/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes as text of 64 signs (RFC 4648, section 4), and back. */
#ifndef SPK_BASE_BASE64_H
#define SPK_BASE_BASE64_H

#include <stddef.h>

/* SPK_BASE64_BYTES: of the text of n bytes. */
#define SPK_BASE64_BYTES(n) (((n) + 2) / 3 * 4)

/* spk_base64: returns how long the text is. */
size_t spk_base64(const char *p, size_t n, char *to);

/* spk_base64_decode: as Spark's readers of JSON do (Jackson's variant without line feeds): groups of four signs, the
 * end of one filled up by '='; blanks and control characters between groups are passed over. Returns how many bytes
 * there are, at most n / 4 * 3; SIZE_MAX: the text is none. */
size_t spk_base64_decode(const char *p, size_t n, char *to);

#endif
