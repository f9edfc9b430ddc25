/* SPDX-License-Identifier: Apache-2.0 */
/* Files of blocks: object files. A file is a header and blocks; a block has a head with its sizes and
 * a checksum, then rows, then what they point to, with pointers as offsets from the rows; a head without a block ends the file and tells how many rows it
 * has. Numbers are
 * as the machine has them; the header tells, so that another machine refuses the file. */
#ifndef SPK_IO_BLOCKS_H
#define SPK_IO_BLOCKS_H

#include "io/files.h"

/* spk_blocks_header: fingerprint: of the type; row_size: bytes. */
typedef struct spk_blocks_header {
    char magic[8];
    uint32_t order; /* 0x01020304 as this machine has it */
    uint32_t row_size;
    uint64_t fingerprint;
} spk_blocks_header;

typedef struct spk_block_head {
    uint64_t rows, bytes; /* bytes: of rows and all behind them */
    uint32_t checksum;    /* of these */
    uint32_t own;         /* of what stands before */
} spk_block_head;

enum { SPK_LARGEST_BLOCK = 1 << 30 };

void spk_blocks_header_make(spk_blocks_header *header, uint32_t row_size, uint64_t fingerprint);
void spk_block_head_make(spk_block_head *head, uint64_t rows, const char *block, uint64_t bytes);
/* spk_block_end_make: the end mark of a file of so many rows, which is one of `parts` (0: unknown; it
 * stands where blocks have their checksum, which was 0 in older files). */
void spk_block_end_make(spk_block_head *head, uint64_t rows, uint32_t parts);

/* spk_crc32c: Castagnoli's; of bytes after others that gave `crc` (0: none). */
uint32_t spk_crc32c(uint32_t crc, const void *data, size_t n);

typedef struct spk_blocks_file {
    const char *path;
    spk_reader in;
    uint32_t row_size;
    uint64_t at;   /* where the next block stands */
    uint64_t rows; /* of the blocks before */
    uint32_t parts; /* of which this is one, as the end mark says; 0: not known */
} spk_blocks_file;

/* spk_blocks_open: checks the header. spk_blocks_next: the next block, in memory of the heap (NULL at
 * the end of the file), checked. All fill *failure, with the file and the place. */
spark_status spk_blocks_open(spk_blocks_file *file, const spk_file *of, uint32_t row_size,
    uint64_t fingerprint, spk_failure *failure);
spark_status spk_blocks_next(spk_blocks_file *file, spk_heap *heap, spk_block_head *head,
    char **block, size_t *capacity, spk_failure *failure);
void spk_blocks_close(spk_blocks_file *file);

#endif
