/* SPDX-License-Identifier: Apache-2.0 */
/* Check mode: views of dead memory are found when they are handed on. Memory of batches that have
 * passed is poisoned, so a row that was kept too long shows poison where its pointers were; a
 * pointer into the part of the thread's stack that functions of the user run on is refused as
 * well. */
#include <errno.h>
#include <pthread.h>
#include <sys/uio.h>
#include <unistd.h>

#include "exec/pipe.h"

void spk_check_begin(spark_task *task)
{
    pthread_attr_t attributes;
    void *low = NULL;
    size_t size = 0;
    task->check.stack_top = NULL;
    if (pthread_getattr_np(pthread_self(), &attributes) != 0)
        return;
    if (pthread_attr_getstack(&attributes, &low, &size) == 0)
        task->check.stack_top = task->check.callers ? task->check.callers : (const char *)low + size;
    pthread_attr_destroy(&attributes);
}

void spk_check_retire(spark_task *task, spk_arena *arena)
{
    if (!arena->chunks)
        return;
    spk_arena *slot = &task->check.quarantine[task->check.n++ % SPK_QUARANTINE];
    spk_arena_fill(arena, SPK_POISON);
    spk_arena_fini(slot);
    *slot = *arena;
    spk_arena_init(arena, slot->heap);
}

typedef struct finding {
    const spark_task *task;
    const char *here; /* the end of the stack that is in use */
    const spk_leaf *leaf;
    const char *what;
} finding;

static bool is_poison(uintptr_t bits)
{
    return bits == (uintptr_t)UINT64_C(0xdbdbdbdbdbdbdbdb);
}

/* is_retired: whether p is in memory that was poisoned a while ago. */
static bool is_retired(const spark_task *task, const char *p)
{
    for (size_t i = 0; i < SPK_QUARANTINE; i++)
        if (spk_arena_owns(&task->check.quarantine[i], p))
            return true;
    return false;
}

/* is_dead: whether what a view shows is poison, or no memory at all; read with care, since it may
 * be gone. Where the system does not allow that, nothing is known. A few bytes may look like poison
 * and be meant, and so may elements with padding. */
static bool is_dead(const spark_task *task, const spk_leaf *leaf, const char *p, size_t bytes)
{
    enum { MEANT = 4 };
    char shown[16];
    const size_t n = bytes < sizeof shown ? bytes : sizeof shown;
    struct iovec to = { shown, n }, from;
    memcpy(&from.iov_base, &p, sizeof from.iov_base);
    from.iov_len = n;
    const ssize_t got = process_vm_readv(getpid(), &to, 1, &from, 1, 0);
    if (got < 0)
        return errno == EFAULT;
    for (size_t i = 0; i < (size_t)got; i++)
        if ((unsigned char)shown[i] != SPK_POISON)
            return false;
    const bool whole = leaf->kind != SPARK_KIND_LIST || leaf->of->flat;
    return (whole && got >= MEANT) || (got > 0 && is_retired(task, p));
}

static bool look(void *arg, const spk_leaf *leaf, const void *ptr, size_t bytes)
{
    finding *f = arg;
    const char *p = ptr;
    f->leaf = leaf;
    if (is_poison((uintptr_t)p) || is_poison((uintptr_t)bytes))
        f->what = "comes from a batch that has passed on";
    else if (bytes > 0 && is_dead(f->task, leaf, p, bytes))
        f->what = "shows memory of a batch that has passed on";
    else if (f->task->check.stack_top && p < f->task->check.stack_top && p >= f->here - 64 * 1024)
        f->what = "points into the stack of its function";
    return f->what == NULL;
}

/* member_at: the name of the member at an offset, or "". */
static const char *member_at(const spark_type *type, uint32_t offset)
{
    for (uint32_t i = type->count; i-- > 0;)
        if (type->fields[i].offset <= offset)
            return type->fields[i].name;
    return "";
}

bool spk_check_views(
    spk_pipe *pipe, const spk_op *op, const spk_layout *layout, spk_batch batch, const char *verb)
{
    const char here = 0;
    finding f = { pipe->task, &here, NULL, NULL };
    char type[64];
    for (size_t i = 0; layout->views && i < batch.n; i++) {
        const char *row = batch.rows + i * layout->size;
        if (spk_value_each_view(layout, row, look, &f))
            continue;
        const char *member = f.leaf ? member_at(layout->type, f.leaf->offset) : "";
        const spk_op *now = pipe->task->op;
        pipe->task->op = op;
        spk_task_fail(pipe->task, SPARK_ETASK,
            "%s%s%s, %s by %s, %s; use spark_alloc, spark_keep or memory of the input",
            spk_type_name(layout->type, type, sizeof type), *member ? "." : "", member, verb,
            op->rdd->function ? op->rdd->function : op->rdd->operation, f.what);
        pipe->task->op = now;
        return false;
    }
    return true;
}
