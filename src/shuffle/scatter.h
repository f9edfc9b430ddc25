/* SPDX-License-Identifier: Apache-2.0 */
/* Rows to their places: the second half of a counting sort. */
#ifndef SPK_SHUFFLE_SCATTER_H
#define SPK_SHUFFLE_SCATTER_H

#include <stddef.h>
#include <stdint.h>

/* spk_scatter: row i goes to the next place of slice ids[i]: to place at[ids[i]], which becomes one more. `lines`: see
 * spk_scatter_lines; or NULL, where starts is not looked at. */
typedef struct spk_scatter {
    const uint32_t *ids;
    uint32_t *at;           /* of each slice: the next place */
    const uint32_t *starts; /* of each slice: its first one */
    uint32_t n_slices;
    char *lines;
} spk_scatter;

/* spk_scatter_lines: how many bytes of lines pay for so many rows, 64-byte aligned; 0: none do. `to` is 64-byte aligned
 * then. */
size_t spk_scatter_lines(size_t n, size_t size, uint32_t n_slices);

/* spk_scatter_rows: n rows of `size` bytes from `rows` to places in `to`. */
void spk_scatter_rows(const spk_scatter *s, char *to, const char *rows, size_t n, size_t size);

#endif
