/* SPDX-License-Identifier: Apache-2.0 */
#include "io/blocks.h"

#include <string.h>
#if defined __GNUC__ && defined __x86_64__
#include <cpuid.h>
#endif

#include "base/faults.h"

static const char magic[8] = "SPKOBJ1";

/* by_table: four bits at a time: 16 entries, 300 MB/s. */
static uint32_t by_table(uint32_t crc, const unsigned char *p, size_t n)
{
    static const uint32_t table[16] = { 0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc,
        0x5125dad3, 0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
        0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75 };
    for (; n > 0; n--) {
        crc ^= *p++;
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return crc;
}

#if defined __GNUC__ && defined __x86_64__
/* by_instruction: of processors since 2008: eight bytes at a time, as fast as files of the page cache are read. */
__attribute__((target("sse4.2"))) static uint32_t by_instruction(
    uint32_t crc, const unsigned char *p, size_t n)
{
    uint64_t all = crc;
    for (; n >= sizeof all; n -= sizeof all, p += sizeof all) {
        uint64_t word;
        memcpy(&word, p, sizeof word);
        all = __builtin_ia32_crc32di(all, word);
    }
    for (crc = (uint32_t)all; n > 0; n--)
        crc = __builtin_ia32_crc32qi(crc, *p++);
    return crc;
}

/* has_instruction: what the processor says; asked each time, for nothing is kept between calls. Where a
 * hypervisor answers, that takes 3 us. */
static bool has_instruction(void)
{
    unsigned a, b, c, d;
    return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_SSE4_2);
}
#else
#define by_instruction by_table
static bool has_instruction(void)
{
    return false;
}
#endif

uint32_t spk_crc32c(uint32_t crc, const void *data, size_t n)
{
    enum { WORTH_ASKING = 4096 }; /* bytes */
    return ~(n >= WORTH_ASKING && has_instruction() ? by_instruction(~crc, data, n) : by_table(~crc, data, n));
}

void spk_blocks_header_make(spk_blocks_header *header, uint32_t row_size, uint64_t fingerprint)
{
    memset(header, 0, sizeof *header);
    memcpy(header->magic, magic, sizeof magic);
    header->order = 0x01020304;
    header->row_size = row_size;
    header->fingerprint = fingerprint;
}

void spk_block_head_make(spk_block_head *head, uint64_t rows, const char *block, uint64_t bytes)
{
    memset(head, 0, sizeof *head);
    head->rows = rows;
    head->bytes = bytes;
    head->checksum = spk_crc32c(0, block, (size_t)bytes);
    head->own = spk_crc32c(0, head, offsetof(spk_block_head, own));
}

void spk_block_end_make(spk_block_head *head, uint64_t rows, uint32_t parts)
{
    memset(head, 0, sizeof *head);
    head->rows = rows;
    head->checksum = parts;
    head->own = spk_crc32c(0, head, offsetof(spk_block_head, own));
}

static spark_status damaged(const spk_blocks_file *file, const char *what, spk_failure *failure)
{
    return spk_failure_set(failure, SPARK_EIO, NULL, NULL,
        "object file %s: byte %llu: %s; write the file again", file->path,
        (unsigned long long)file->at, what);
}

spark_status spk_blocks_open(spk_blocks_file *file, const spk_file *of, uint32_t row_size,
    uint64_t fingerprint, spk_failure *failure)
{
    spk_blocks_header header, want;
    size_t got;
    *file = (spk_blocks_file) { .path = of->path, .row_size = row_size };
    if (spk_reader_open(&file->in, of, of->size, failure) != SPARK_OK)
        return failure->code;
    spk_blocks_header_make(&want, row_size, fingerprint);
    spark_status status
        = spk_reader_read(&file->in, (char *)&header, sizeof header, 0, &got, failure);
    if (status != SPARK_OK)
        ;
    else if (got < sizeof header || memcmp(header.magic, magic, sizeof magic) != 0)
        status = damaged(file, "this is no object file", failure);
    else if (header.order != want.order)
        status = damaged(file, "written by a machine with another order of bytes", failure);
    else if (header.row_size != row_size || header.fingerprint != fingerprint)
        status = spk_failure_set(failure, SPARK_ETYPE, NULL, NULL,
            "object file %s holds elements of another type", file->path);
    file->at = sizeof header;
    if (status != SPARK_OK)
        spk_blocks_close(file);
    return status;
}

static spark_status read_block(
    spk_blocks_file *file, const spk_block_head *head, char *block, spk_failure *failure)
{
    size_t got;
    if (spk_reader_read(&file->in, block, (size_t)head->bytes, file->at + sizeof *head, &got, failure)
        != SPARK_OK)
        return failure->code;
    if (got < head->bytes)
        return damaged(file, "the file ends inside a block", failure);
    spk_corrupt(block, (size_t)head->bytes);
    if (spk_crc32c(0, block, (size_t)head->bytes) != head->checksum)
        return damaged(file, "the checksum of the block is wrong", failure);
    file->at += sizeof *head + head->bytes;
    file->rows += head->rows;
    return SPARK_OK;
}

/* check_end: at the end mark: all blocks were there, and nothing comes behind it. */
static spark_status check_end(
    spk_blocks_file *file, const spk_block_head *head, spk_failure *failure)
{
    char more;
    size_t got;
    if (head->rows != file->rows)
        return damaged(file, "blocks are missing", failure);
    file->parts = head->checksum;
    file->at += sizeof *head;
    if (spk_reader_read(&file->in, &more, 1, file->at, &got, failure) != SPARK_OK)
        return failure->code;
    return got == 0 ? SPARK_OK : damaged(file, "the file goes on behind its end mark", failure);
}

spark_status spk_blocks_next(spk_blocks_file *file, spk_heap *heap, spk_block_head *head,
    char **block, size_t *capacity, spk_failure *failure)
{
    size_t got;
    *block = NULL;
    if (spk_reader_read(&file->in, (char *)head, sizeof *head, file->at, &got, failure) != SPARK_OK)
        return failure->code;
    if (got < sizeof *head)
        return damaged(file, "the file ends without its end mark", failure);
    if (spk_crc32c(0, head, offsetof(spk_block_head, own)) != head->own
        || head->bytes > SPK_LARGEST_BLOCK
        || (head->bytes > 0 && head->rows > head->bytes / file->row_size))
        return damaged(file, "the head of the block is damaged", failure);
    if (head->bytes == 0)
        return check_end(file, head, failure);
    char *memory = spk_heap_alloc(heap, (size_t)head->bytes + 1, capacity);
    char text[300];
    if (!memory)
        return spk_failure_set(failure, SPARK_ENOMEM, NULL, NULL, "%s",
            spk_heap_refusal(heap, "a block of an object file", head->bytes, text, sizeof text));
    const spark_status status = read_block(file, head, memory, failure);
    if (status == SPARK_OK)
        *block = memory;
    else
        spk_heap_free(heap, memory, *capacity);
    return status;
}

void spk_blocks_close(spk_blocks_file *file)
{
    spk_reader_close(&file->in);
}
