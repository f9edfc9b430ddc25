/* SPDX-License-Identifier: Apache-2.0 */
/* Check mode: views of dead memory are found when they are handed on. Memory of batches that have passed
 * is poisoned, so a row that was kept too long shows poison where its pointers were; a pointer into the
 * part of the thread's stack that functions of the user run on is refused as well. */
#include <pthread.h>

#include "exec/pipe.h"
#include "exec/task.h"

void spk_check_begin(spark_task *task)
{
    pthread_attr_t attributes;
    void *low = NULL;
    size_t size = 0;
    task->stack_top = NULL;
    if (pthread_getattr_np(pthread_self(), &attributes) != 0)
        return;
    if (pthread_attr_getstack(&attributes, &low, &size) == 0)
        task->stack_top = (const char *)low + size;
    pthread_attr_destroy(&attributes);
}

void spk_check_poison(spk_arena *arena)
{
    spk_arena_fill(arena, SPK_POISON);
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

static bool look(void *arg, const spk_leaf *leaf, const void *ptr, size_t bytes)
{
    finding *f = arg;
    const char *p = ptr;
    f->leaf = leaf;
    if (is_poison((uintptr_t)p) || is_poison((uintptr_t)bytes))
        f->what = "comes from a batch that has passed on";
    else if (f->task->stack_top && p < f->task->stack_top && p >= f->here - 64 * 1024)
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
