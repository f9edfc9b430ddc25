/* SPDX-License-Identifier: Apache-2.0 */
/* Characters that a terminal obeys: those of files, in messages and tables, must not move its cursor or rename its
 * window. Whoever prints for people writes SPK_REPLACEMENT in their place. */
#ifndef SPK_BASE_CONTROL_H
#define SPK_BASE_CONTROL_H

#include <stddef.h>

#define SPK_REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

/* spk_control: bytes of the control character (U+0000 to U+001F, U+007F to U+009F) that the n bytes at p begin
 * with; 0: they begin with none. n is at least 1. */
static inline size_t spk_control(const char *p, size_t n)
{
    const unsigned char c = (unsigned char)p[0];
    if (c < ' ' || c == 0x7f)
        return 1;
    return n > 1 && c == 0xc2 && ((unsigned char)p[1] & 0xe0) == 0x80 ? 2 : 0;
}

#endif
