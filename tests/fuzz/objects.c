/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as an object file, and as a block whose sums are right, for nobody hits them by chance: it is
 * refused, or all that its rows point to lies in it. */
#include "io/blocks.h"
#include "replay.h"

SPARK_LIST(str_list, spark_str);
SPARK_OPTIONAL(opt_list, spark_i64_list);
SPARK_STRUCT(row, (int32_t, id), (spark_str, text), (str_list, texts), (opt_list, maybe), (double, x, 2));

enum { FINGERPRINT = 17 };

/* wrapped: a file with one or two blocks of these bytes; returns how long it is. */
static size_t wrapped(char *to, const uint8_t *data, size_t size, uint64_t rows, bool twice)
{
    spk_blocks_header header;
    spk_block_head head;
    char *at = to;
    spk_blocks_header_make(&header, sizeof(row), FINGERPRINT);
    at = (char *)memcpy(at, &header, sizeof header) + sizeof header;
    for (int i = 0; i <= twice; i++) {
        spk_block_head_make(&head, rows, (const char *)data, size);
        at = (char *)memcpy(at, &head, sizeof head) + sizeof head;
        at = (char *)memcpy(at, data, size) + size;
    }
    spk_block_end_make(&head, rows * (1 + twice), 1);
    memcpy(at, &head, sizeof head);
    return (size_t)(at - to) + sizeof head;
}

/* read_rows: what a source does with a block; every byte of the values is looked at. */
static uint64_t read_rows(const spk_layout *layout, char *block, const spk_block_head *head)
{
    uint64_t digest = 1;
    if (!spk_rows_contained(layout, block, (size_t)head->rows, (size_t)head->bytes))
        return 0;
    spk_rows_shift(layout, block, (size_t)head->rows, (ptrdiff_t)(uintptr_t)block, false);
    for (uint64_t i = 0; i < head->rows; i++)
        digest = (digest ^ spk_value_hash(layout, block + i * sizeof(row))) * 0x100000001b3u;
    return digest;
}

static void read_file(spk_heap *heap, const spk_layout *layout, const void *bytes, size_t n)
{
    const spk_file of = file_of(bytes, n);
    spk_blocks_file file;
    spk_failure failure;
    spk_block_head head;
    char *block;
    size_t capacity;
    bool more = spk_blocks_open(&file, &of, sizeof(row), FINGERPRINT, &failure) == SPARK_OK;
    const bool opened = more;
    while (more && spk_blocks_next(&file, heap, &head, &block, &capacity, &failure) == SPARK_OK) {
        more = block && read_rows(layout, block, &head) != 0;
        if (block)
            spk_heap_free(heap, block, capacity);
    }
    if (opened)
        spk_blocks_close(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const spk_layout *layout;
    if (size < 3)
        return 0;
    const uint64_t rows = data[0] & 0x7f;
    if (!layout)
        layout = layout_of(SPARK_TYPE(row));
    char *whole = malloc(2 * size + 256);
    insist(whole);
    read_file(the_heap(), layout, data + 2, size - 2);
    read_file(the_heap(), layout, whole, wrapped(whole, data + 2, size - 2, rows, data[0] & 0x80));
    free(whole);
    return 0;
}
