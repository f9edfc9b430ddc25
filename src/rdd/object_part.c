/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of object files: rows as they lie in memory, in blocks, with offsets for pointers. */
#include "rdd/object_part.h"

#include "base/hash.h"
#include "io/blocks.h"

/* fingerprint: of the shape of a type, names left out. */
static uint64_t fingerprint_of(const spark_type *type)
{
    uint64_t h = spk_hash_combine((uint64_t)type->kind << 32 | type->align, type->size);
    h = spk_hash_combine(h, (uint64_t)(uint16_t)type->precision << 16 | (uint16_t)type->scale);
    for (uint32_t i = 0; type->fields && i < type->count; i++) {
        const spark_field *field = &type->fields[i];
        h = spk_hash_combine(h, field->offset ^ (uint64_t)field->count << 32);
        h = spk_hash_combine(h, fingerprint_of(field->type));
    }
    return type->of ? spk_hash_combine(h, fingerprint_of(type->of)) : h;
}

static uint64_t fingerprint(const spk_layout *layout)
{
    return fingerprint_of(layout->type);
}

/* ---- saving */

enum { BLOCK_BYTES = 1024 * 1024 };

static bool put(spk_save_state *s, const void *data, size_t n)
{
    char *at = spk_save_room(s, n);
    if (!at)
        return false;
    memcpy(at, data, n);
    s->part.used += n;
    return true;
}

static bool start(spk_save_state *s)
{
    spk_blocks_header header;
    spk_blocks_header_make(&header, s->layout->size, fingerprint(s->layout));
    return put(s, &header, sizeof header);
}

/* write_block: the rows gathered so far: copied, deep, into one block, with offsets for pointers. */
static bool write_block(spk_save_state *s)
{
    const spk_layout *layout = s->rows.layout;
    const size_t row_bytes = (size_t)s->rows.n * layout->size;
    const size_t most = (size_t)(s->rows.bytes + 64);
    spk_block_head head;
    size_t capacity;
    bool good = true;
    if (s->rows.n == 0)
        return true;
    char *block = spk_heap_alloc(s->head.task->heap, most + row_bytes, &capacity), *row = block;
    if (!block) {
        spk_task_nomem(s->head.task);
        return false;
    }
    for (const spk_run *run = s->rows.first; run; run = run->next) {
        memcpy(row, run->rows, run->n * layout->size);
        row += run->n * layout->size;
    }
    char *tail = block + row_bytes;
    memset(tail, 0, capacity - row_bytes);
    for (uint64_t i = 0; layout->views && i < s->rows.n; i++)
        tail = spk_value_pack(layout, block + i * layout->size, tail);
    spk_rows_tidy(layout, block, (size_t)s->rows.n);
    if (layout->views)
        spk_rows_shift(layout, block, (size_t)s->rows.n, (ptrdiff_t)(0 - (uintptr_t)block), true);
    const size_t bytes = (size_t)(tail - block);
    if (bytes > SPK_LARGEST_BLOCK) {
        spk_task_fail(s->head.task, SPARK_EIO,
            "an element of %zu bytes; an object file takes %d at most", bytes, SPK_LARGEST_BLOCK);
        good = false;
    } else {
        s->written += s->rows.n;
        spk_block_head_make(&head, s->rows.n, block, bytes);
        good = put(s, &head, sizeof head) && put(s, block, bytes);
    }
    spk_heap_free(s->head.task->heap, block, capacity);
    spk_rows_fini(&s->rows);
    return good;
}

static bool object_part_take(void *state, spk_batch batch)
{
    spk_save_state *s = state;
    const size_t size = s->rows.layout->size;
    for (size_t i = 0, n; i < batch.n; i += n) {
        const size_t fits = BLOCK_BYTES / size + 1;
        n = s->rows.layout->views ? 1 : batch.n - i < fits ? batch.n - i : fits;
        if (!spk_rows_append(&s->rows, batch.rows + i * size, n)) {
            spk_task_nomem(s->head.task);
            return false;
        }
        if (s->rows.bytes >= BLOCK_BYTES && !write_block(s))
            return false;
    }
    return true;
}

/* end: the last block, and a head without one, which tells how many elements there are. */
static bool end(spk_save_state *s)
{
    spk_block_head head;
    if (!write_block(s))
        return false;
    spk_block_end_make(&head, s->written, (uint32_t)s->parts);
    return put(s, &head, sizeof head);
}

spk_saver spk_object_saver(const char *name)
{
    return (spk_saver) { .name = name, .start = start, .take = object_part_take, .end = end };
}

/* ---- reading */

/* push_block: its rows, once it is clear that they point into it. */
static bool push_block(spk_pipe *pipe, const spk_layout *layout, const spk_blocks_file *file,
    char *block, const spk_block_head *head)
{
    const size_t n = (size_t)head->rows;
    if (!spk_rows_contained(layout, block, n, (size_t)head->bytes)) {
        spk_task_fail(pipe->task, SPARK_EIO,
            "object file %s: the block before byte %llu makes no sense; write the file again",
            file->path, (unsigned long long)file->at);
        return false;
    }
    if (layout->views)
        spk_rows_shift(layout, block, n, (ptrdiff_t)(uintptr_t)block, false);
    for (size_t i = 0, some; i < n; i += some) {
        const size_t most = spk_pipe_rows(pipe, layout->size);
        some = n - i < most ? n - i : most;
        if (!spk_push(pipe, block + i * layout->size, some))
            return false;
    }
    return true;
}

bool spk_object_read(
    spk_pipe *pipe, const spk_layout *layout, const spk_file *from, uint32_t *parts)
{
    spark_task *task = pipe->task;
    spk_failure failure;
    spk_blocks_file file;
    spk_block_head head;
    char *block;
    size_t capacity;
    bool more = true;
    if (spk_blocks_open(&file, from, layout->size, fingerprint(layout), &failure) != SPARK_OK) {
        spk_task_fail_with(task, &failure);
        return false;
    }
    while (more) {
        if (spk_blocks_next(&file, task->heap, &head, &block, &capacity, &failure) != SPARK_OK) {
            spk_task_fail_with(task, &failure);
            break;
        }
        more = block && push_block(pipe, layout, &file, block, &head);
        spk_heap_free(task->heap, block, capacity);
    }
    if (parts)
        *parts = file.parts;
    spk_blocks_close(&file);
    return more || !spk_task_unwanted(task);
}
