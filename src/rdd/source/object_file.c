/* SPDX-License-Identifier: Apache-2.0 */
/* Object files: elements of any type written as they lie in memory, in blocks, and read back into a
 * partition each file. */
#include "rdd/rdd.h"

#include <stdlib.h>

#include <spark/action.h>
#include <spark/source.h>

#include "base/hash.h"
#include "io/blocks.h"
#include "io/files.h"

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
            "an element of %zu bytes; at most %d go into a block", bytes, SPK_LARGEST_BLOCK);
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

static bool object_file_take(void *state, spk_batch batch)
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
    spk_block_head_make(&head, s->written, "", 0);
    return put(s, &head, sizeof head);
}

spk_saver spk_object_saver(const char *name)
{
    return (spk_saver) { .name = name, .start = start, .take = object_file_take, .end = end };
}

spark_status spark_save_as_object_file(spark_site at, spark_rdd *rdd, const char *path)
{
    const spk_saver saver = spk_object_saver("saveAsObjectFile");
    return spk_save_parts(at, rdd, path, &saver);
}

/* ---- reading */

typedef struct object_rdd {
    spark_rdd rdd;
    char *path;
    spk_files files;
} object_rdd;

static spark_status object_file_prepare(spark_rdd *rdd, spk_failure *failure)
{
    object_rdd *o = SPK_NODE(object_rdd, rdd);
    const spark_status status = spk_files_list(o->path, &o->files, failure);
    if (status == SPARK_OK)
        __atomic_store_n(&rdd->partitions, (int)o->files.n, __ATOMIC_RELEASE);
    else
        spk_failure_at(failure, rdd->operation, rdd->site);
    return status;
}

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

bool spk_object_read(spk_pipe *pipe, const spk_layout *layout, const char *path)
{
    spark_task *task = pipe->task;
    spk_failure failure;
    spk_blocks_file file;
    spk_block_head head;
    char *block;
    size_t capacity;
    bool more = true;
    if (spk_blocks_open(&file, path, layout->size, fingerprint(layout), &failure) != SPARK_OK) {
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
    spk_blocks_close(&file);
    return more || !spk_task_unwanted(task);
}

static void object_file_produce(spk_pipe *pipe, spark_rdd *rdd, int partition)
{
    const object_rdd *o = SPK_NODE(object_rdd, rdd);
    spk_object_read(pipe, rdd->layout, o->files.at[partition].path);
}

static int64_t object_file_reads(const spark_rdd *rdd, int partition, const char **path)
{
    const spk_file *file = &SPK_NODE(object_rdd, rdd)->files.at[partition];
    *path = file->path;
    return (int64_t)file->size;
}

static void object_file_release(spark_rdd *rdd)
{
    object_rdd *o = SPK_NODE(object_rdd, rdd);
    spk_files_free(&o->files);
    free(o->path);
}

spark_rdd *spark_object_file(
    spark_site at, spark_context *sc, const char *path, const spark_type *type)
{
    static const spk_class class = { .name = "HadoopRDD",
        .prepare = object_file_prepare,
        .produce = object_file_produce,
        .reads = object_file_reads,
        .release = object_file_release };
    spk_verb v;
    bool made;
    spk_verb_source(&v, at, "objectFile", sc);
    if (!path || !*path)
        spk_verb_fail(&v, SPARK_EINVAL, "the path is empty");
    spark_rdd *rdd
        = spk_verb_make(&v, &class, sizeof(object_rdd), spk_verb_layout(&v, type), &made);
    return made ? spk_verb_path(&v, rdd, &SPK_NODE(object_rdd, rdd)->path, path) : rdd;
}
