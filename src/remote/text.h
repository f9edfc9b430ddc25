/* SPDX-License-Identifier: Apache-2.0 */
/* Texts that grow: requests, addresses, lists. */
#ifndef SPK_REMOTE_TEXT_H
#define SPK_REMOTE_TEXT_H

#include <spark/base.h>

/* spk_text: zeroed at first; at: ends with a NUL, and is the owner's, to be freed; NULL: nothing was
 * added. */
typedef struct spk_text {
    char *at;
    size_t n, capacity;
    bool nomem; /* something could not be added */
} spk_text;

void spk_text_add(spk_text *text, const char *bytes, size_t n);
void spk_text_print(spk_text *text, const char *format, ...) SPARK_FORMAT_(2, 3);
/* spk_text_encode: with % for all but letters, digits, - _ . ~ and the signs in `plain`. */
void spk_text_encode(spk_text *text, const char *bytes, size_t n, const char *plain);
/* spk_text_decode: what a part of an address with % stands for; a % without two digits is itself. */
void spk_text_decode(spk_text *text, const char *bytes, size_t n);
void spk_text_free(spk_text *text);

#endif
