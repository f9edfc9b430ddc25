/* SPDX-License-Identifier: Apache-2.0 */
/* Rows that go to directories for their values. Where Spark sorts a partition so that one file is open at a
 * time, text is gathered here for each directory, in the order of the rows, in pages of a block of
 * memory; when that is full all of it is appended to the files, one after the other. So there is one
 * file open, memory is bounded but for what tells the directories apart, and rows need not be held. Files
 * that are to be packed are so in the end, each by one program, so that their bytes do not depend on
 * when that happened. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/sys.h"
#include "format/hive.h"
#include "rdd/write.h"

enum { BLOCK = 4 * 1024 * 1024, PAGE = 1024, GATHER = 128 * 1024, LARGE = 64 * 1024 };

typedef struct page {
    struct page *next;
    uint32_t used;
    char bytes[PAGE - sizeof(void *) - sizeof(uint32_t)];
} page;

typedef struct key {
    uint64_t hash;
    char *below; /* "/a=1/b=2" */
    size_t n;
    page *first, *last;
    struct key *next; /* of those that have pages, while it is among them: */
    bool dirty;
    struct key *later; /* the one that was found after it */
    int file;         /* the one that is written */
    uint64_t rows;    /* of it */
    bool begun;       /* it has its start, */
    bool text;        /* and what comes behind a mark */
    bool made;        /* the directory is there */
} key;

struct spk_write_keys {
    spk_writing *writing;
    spk_heap *heap;
    char *block; /* pages, then GATHER bytes */
    size_t capacity;
    page *free;
    size_t fresh; /* pages of the block that were not used yet */
    key **table;
    size_t slots, n;
    key *dirty; /* those that have pages */
    key *oldest, *newest;
    key *current;
    spk_secret secret;
    char below[PATH_MAX + 1];
};

static size_t pages_of(void)
{
    return (BLOCK - GATHER) / sizeof(page);
}

/* ---- writing out */

/* make_directories: of a key, one after the other. */
static bool make_directories(spk_write_keys *k, key *of)
{
    const spark_task *task = k->writing->state->head.task;
    spk_tree_path p = spk_save_attempt(&k->writing->plan->dir, task->partition, task->attempt);
    const size_t n = strlen(p.text);
    spk_failure failure;
    snprintf(p.text + n, sizeof p.text - n, "%s", of->below);
    for (char *at = strchr(p.text + n + 1, '/');; at = strchr(at + 1, '/')) {
        if (at)
            *at = '\0';
        if (spk_mkdir(p.text, 0777) != 0 && errno != EEXIST) {
            spk_io_failure(&failure, "cannot create", p.text, errno);
            return spk_write_fail(k->writing, &failure);
        }
        if (!at)
            break;
        *at = '/';
    }
    of->made = true;
    return true;
}

/* write_out: the pages of a key, and n bytes more, to its file. */
static bool write_out(spk_write_keys *k, key *of, const char *more, size_t n)
{
    spk_writing *writing = k->writing;
    char *gather = k->block + BLOCK - GATHER;
    size_t used = 0;
    spk_failure failure;
    if (!of->made && !make_directories(k, of))
        return false;
    writing->path = spk_write_file(writing, of->below, of->file, false);
    spark_status status = spk_encoder_open(
        &writing->encoder, writing->path.text, NULL, true, &writing->watch, &failure);
    for (page *p = of->first; status == SPARK_OK && p; p = p->next) {
        if (GATHER - used < p->used) {
            status = spk_encoder_write(&writing->encoder, gather, used, &failure);
            used = 0;
        }
        memcpy(gather + used, p->bytes, p->used);
        used += p->used;
    }
    if (status == SPARK_OK)
        status = spk_encoder_write(&writing->encoder, gather, used, &failure);
    if (status == SPARK_OK)
        status = spk_encoder_write(&writing->encoder, more, n, &failure);
    if (status == SPARK_OK)
        status = spk_encoder_close(&writing->encoder, false, &failure);
    if (of->last) {
        of->last->next = k->free;
        k->free = of->first;
    }
    of->first = of->last = NULL;
    return status == SPARK_OK || spk_write_fail(writing, &failure);
}

static bool write_all_out(spk_write_keys *k)
{
    while (k->dirty) {
        key *of = k->dirty;
        k->dirty = of->next;
        of->dirty = false;
        if (of->first && !write_out(k, of, NULL, 0))
            return false;
    }
    return true;
}

/* add_page: to a key; room is made by writing all out. */
static bool add_page(spk_write_keys *k, key *of)
{
    if (!k->free && k->fresh == 0 && !write_all_out(k))
        return false;
    page *p = k->free;
    if (p)
        k->free = p->next;
    else
        p = (page *)(void *)k->block + --k->fresh;
    p->next = NULL;
    p->used = 0;
    if (!of->dirty)
        of->next = k->dirty, k->dirty = of;
    of->dirty = true;
    if (of->last)
        of->last->next = p;
    else
        of->first = p;
    of->last = p;
    return true;
}

/* gather: n bytes for a key. */
static bool gather(spk_write_keys *k, key *of, const char *bytes, size_t n)
{
    if (n >= LARGE)
        return write_out(k, of, bytes, n);
    while (n > 0) {
        if (!of->last || of->last->used == sizeof of->last->bytes) {
            if (!add_page(k, of))
                return false;
        }
        page *p = of->last;
        const size_t room = sizeof p->bytes - p->used, some = n < room ? n : room;
        memcpy(p->bytes + p->used, bytes, some);
        p->used += (uint32_t)some;
        bytes += some;
        n -= some;
    }
    return true;
}

static spark_status put_bytes(spk_writing *writing, const char *bytes, size_t n, spk_failure *failure)
{
    spk_write_keys *k = writing->keys;
    if (gather(k, k->current, bytes, n))
        return SPARK_OK;
    *failure = writing->state->head.task->failure;
    return failure->code;
}

/* to_key: what savers have put into the buffer. */
static spark_status to_key(spk_part *part, spk_failure *failure)
{
    spk_writing *writing = (spk_writing *)part->sink;
    spk_write_keys *k = writing->keys;
    const size_t n = part->used;
    part->used = 0;
    return writing->plan->charset == SPK_UTF8
        ? put_bytes(writing, part->buffer, n, failure)
        : spk_write_recoded(writing, &k->current->text, part->buffer, n, put_bytes, failure);
}

static bool flush(spk_writing *writing)
{
    spk_failure failure;
    return spk_part_flush(&writing->state->part, &failure) == SPARK_OK
        || spk_write_fail(writing, &failure);
}

/* ---- files */

/* pack: a file that is complete; the one that is packed takes its place. */
static bool pack(spk_writing *writing, const key *of)
{
    char *buffer = writing->state->part.buffer;
    const size_t size = writing->state->part.capacity;
    const spk_tree_path raw = spk_write_file(writing, of->below, of->file, false);
    spk_failure failure;
    writing->path = spk_write_file(writing, of->below, of->file, true);
    const int fd = spk_open(raw.text, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0) {
        spk_io_failure(&failure, "cannot open", raw.text, errno);
        return spk_write_fail(writing, &failure);
    }
    spark_status status = spk_encoder_open(
        &writing->encoder, writing->path.text, writing->plan->codec, false, &writing->watch, &failure);
    while (status == SPARK_OK) {
        const ssize_t n = spk_read(fd, buffer, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            status = spk_io_failure(&failure, "cannot read", raw.text, errno);
        if (n <= 0)
            break;
        status = spk_encoder_write(&writing->encoder, buffer, (size_t)n, &failure);
    }
    close(fd);
    if (status == SPARK_OK)
        status = spk_encoder_close(&writing->encoder, false, &failure);
    if (status == SPARK_OK && spk_unlink(raw.text) != 0)
        status = spk_io_failure(&failure, "cannot remove", raw.text, errno);
    return status == SPARK_OK || spk_write_fail(writing, &failure);
}

static bool begin_file(spk_write_keys *k, key *of)
{
    const spk_saver *saver = k->writing->plan->saver;
    of->begun = true;
    of->text = false;
    of->rows = 0;
    k->current = of;
    return !saver->start || (saver->start(k->writing->state) && flush(k->writing));
}

static bool end_file(spk_write_keys *k, key *of)
{
    const spk_write_plan *plan = k->writing->plan;
    k->current = of;
    if (plan->saver->end && (!plan->saver->end(k->writing->state) || !flush(k->writing)))
        return false;
    if (of->first && !write_out(k, of, NULL, 0))
        return false;
    if (plan->codec && !pack(k->writing, of))
        return false;
    of->file++;
    of->begun = false;
    return true;
}

/* ---- telling keys apart */

static uint64_t hash_of(const spk_write_keys *k, const char *text, size_t n)
{
    spk_sip sip = spk_sip_begin(&k->secret);
    spk_sip_bytes(&sip, text, n);
    return spk_sip_end(&sip);
}

static void place(key **table, size_t slots, key *of)
{
    size_t at = of->hash & (slots - 1);
    while (table[at])
        at = (at + 1) & (slots - 1);
    table[at] = of;
}

static bool grow(spk_write_keys *k)
{
    const size_t slots = k->slots ? 2 * k->slots : 64;
    key **table = calloc(slots, sizeof *table);
    if (!table)
        return false;
    for (size_t i = 0; i < k->slots; i++)
        if (k->table[i])
            place(table, slots, k->table[i]);
    free(k->table);
    k->table = table;
    k->slots = slots;
    return true;
}

/* find: the key of a path of n bytes, perhaps a new one. NULL: no memory. */
static key *find(spk_write_keys *k, const char *below, size_t n)
{
    const uint64_t hash = hash_of(k, below, n);
    for (size_t at = hash & (k->slots - 1); k->slots && k->table[at]; at = (at + 1) & (k->slots - 1))
        if (k->table[at]->hash == hash && k->table[at]->n == n
            && memcmp(k->table[at]->below, below, n) == 0)
            return k->table[at];
    spk_arena *keep = spk_keep_of(k->writing->state->head.task);
    key *made = 2 * (k->n + 1) <= k->slots || grow(k) ? spk_arena_alloc(keep, sizeof *made, 16) : NULL;
    char *text = made ? spk_arena_alloc(keep, n + 1, 1) : NULL;
    if (!text)
        return NULL;
    memcpy(text, below, n);
    text[n] = '\0';
    *made = (key) { .hash = hash, .below = text, .n = n };
    place(k->table, k->slots, made);
    k->n++;
    if (k->newest)
        k->newest->later = made;
    else
        k->oldest = made;
    return k->newest = made;
}

/* key_of: a row; NULL: the task has failed. */
static key *key_of(spk_write_keys *k, const char *row)
{
    const spk_write_plan *plan = k->writing->plan;
    size_t n = 0;
    for (uint32_t i = 0; i < plan->n_keys; i++) {
        k->below[n++] = '/';
        const size_t some
            = spk_hive_put(plan->keys[i], row, k->below + n, sizeof k->below - n - plan->n_keys);
        if (some == 0) {
            spk_task_fail(k->writing->state->head.task, SPARK_EIO,
                "the value of \"%s\" is too long for the name of a directory", plan->keys[i]->name);
            return NULL;
        }
        n += some;
    }
    key *last = k->current;
    if (last && last->n == n && memcmp(last->below, k->below, n) == 0)
        return last;
    key *found = find(k, k->below, n);
    if (!found)
        spk_task_nomem(k->writing->state->head.task);
    return found;
}

/* ---- rows */

bool spk_write_keys_begin(spk_writing *writing)
{
    spk_write_keys *k = writing->keys = calloc(1, sizeof *k);
    spk_heap *heap = writing->state->head.task->heap;
    if (k)
        *k = (spk_write_keys) { .writing = writing, .heap = heap, .secret = spk_secret_draw() };
    if (k)
        k->block = spk_heap_alloc(heap, BLOCK, &k->capacity);
    if (!k || !k->block) {
        spk_task_nomem(writing->state->head.task);
        return false;
    }
    k->fresh = pages_of();
    writing->sink.take = to_key;
    return true;
}

/* take_some: n rows of one key. */
static bool take_some(spk_write_keys *k, key *of, const char *rows, size_t n)
{
    const spk_write_plan *plan = k->writing->plan;
    const size_t size = plan->layout->size;
    for (size_t i = 0, some; i < n; i += some) {
        if (of->begun && of->rows == plan->most && !end_file(k, of))
            return false;
        if (!of->begun && !begin_file(k, of))
            return false;
        some = n - i < plan->most - of->rows ? n - i : (size_t)(plan->most - of->rows);
        of->rows += some;
        k->current = of;
        const spk_batch batch = { (char *)(uintptr_t)(rows + i * size), some };
        if (!plan->saver->take(k->writing->state, batch) || !flush(k->writing))
            return false;
    }
    return true;
}

bool spk_write_keys_take(spk_writing *writing, spk_batch batch)
{
    spk_write_keys *k = writing->keys;
    const size_t size = writing->plan->layout->size;
    size_t from = 0;
    key *of = NULL;
    for (size_t i = 0; i < batch.n; i++) {
        key *next = key_of(k, batch.rows + i * size);
        if (!next)
            return false;
        if (of && next != of) {
            if (!take_some(k, of, batch.rows + from * size, i - from))
                return false;
            from = i;
        }
        of = k->current = next;
    }
    return !of || take_some(k, of, batch.rows + from * size, batch.n - from);
}

bool spk_write_keys_end(spk_writing *writing)
{
    spk_write_keys *k = writing->keys;
    for (key *of = k->oldest; of; of = of->later)
        if (of->begun && !end_file(k, of))
            return false;
    return true;
}

void spk_write_keys_free(spk_write_keys *k)
{
    if (!k)
        return;
    if (k->block)
        spk_heap_free(k->heap, k->block, k->capacity);
    free(k->table);
    free(k);
}
