/* SPDX-License-Identifier: Apache-2.0 */
/* All sources of the library are compiled with this header in front (src/CMakeLists.txt), so that a
 * fault plan reaches every allocation, and none that is written later can be forgotten: malloc,
 * calloc, realloc, strdup and strndup are these functions. Data memory is not from here, but from base/heap.h. */
#ifndef SPK_BASE_ALLOC_H
#define SPK_BASE_ALLOC_H

#include <stdlib.h>
#include <string.h>

void *spk_malloc(size_t size);
void *spk_calloc(size_t n, size_t size);
void *spk_realloc(void *block, size_t size);
char *spk_strdup(const char *text);
char *spk_strndup(const char *text, size_t n);

#define malloc(size) spk_malloc(size)
#define calloc(n, size) spk_calloc(n, size)
#define realloc(block, size) spk_realloc(block, size)
#undef strdup
#undef strndup
#define strdup(text) spk_strdup(text)
#define strndup(text, n) spk_strndup(text, n)

#endif
