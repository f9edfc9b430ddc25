/* SPDX-License-Identifier: Apache-2.0 */
/* The state of an attempt, and what functions of the user may do with it. */
#include "exec/task.h"

#include <stdlib.h>

#include <spark/str.h>

#include "base/deadline.h"
#include "base/signals.h"
#include "exec/crash.h"
#include "base/sys.h"
#include "exec/pipe.h"

enum { FIRST_ROWS = 16 }; /* of the first batch of a task; see exec/pace.h */

static _Thread_local spark_task *current;

spark_task *spk_task_current(void)
{
    return current;
}

void spk_task_move(spark_task *task)
{
    current = task;
    task->push.stack_low = NULL;
    if (task->place.plan)
        spk_place_enter(&task->place);
    if (task->at.single)
        spk_crash_enter(task);
    if (task->check.on)
        spk_check_begin(task);
}

/* find_stack: where the system does not tell, there is room. */
static void find_stack(spark_task *task)
{
    static const char nowhere[1];
    pthread_attr_t attributes;
    void *low = NULL;
    task->push.stack_low = nowhere;
    task->push.stack_size = 0;
    if (pthread_getattr_np(pthread_self(), &attributes) != 0)
        return;
    if (pthread_attr_getstack(&attributes, &low, &task->push.stack_size) == 0)
        task->push.stack_low = low;
    else
        task->push.stack_size = 0;
    pthread_attr_destroy(&attributes);
}

bool spk_stack_short(spark_task *task)
{
    if (!task->push.stack_low)
        find_stack(task);
    const char *here = __builtin_frame_address(0);
    return task->push.stack_size > 0 && (size_t)(here - task->push.stack_low) < task->push.stack_size / 2;
}

typedef struct elsewhere {
    spark_task *task;
    void (*run)(void *data);
    void *data;
} elsewhere;

static void *run_elsewhere(void *argument)
{
    const elsewhere *e = argument;
    spk_task_move(e->task);
    e->run(e->data);
    if (e->task->at.single)
        spk_crash_leave(e->task);
    return NULL;
}

bool spk_task_on_new_stack(spark_task *task, void (*run)(void *data), void *data)
{
    elsewhere e = { task, run, data };
    pthread_attr_t attributes;
    pthread_t thread;
    sigset_t before;
    int refused = pthread_attr_init(&attributes);
    if (!refused) {
        pthread_attr_setstacksize(&attributes, task->sc->stack_bytes);
        spk_signals_block(&before);
        refused = spk_thread_start(NULL, &thread, &attributes, run_elsewhere, &e);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        pthread_attr_destroy(&attributes);
    }
    if (refused) {
        spk_task_fail(task, SPARK_ENOMEM,
            "no thread for partitions that are computed inside each other, %d deep so far: write an "
            "RDD in between with spark_local_checkpoint, or give spark_conf.thread_stack_bytes more",
            task->push.nesting);
        return false;
    }
    pthread_join(thread, NULL);
    spk_task_move(task);
    return true;
}

spark_task *spk_task_new_in(spark_context *sc, spk_store *store)
{
    spark_task *task = calloc(1, sizeof *task);
    if (!task)
        return NULL;
    task->push.indexes = malloc((size_t)sc->batch_rows * sizeof *task->push.indexes);
    if (!task->push.indexes) {
        free(task);
        return NULL;
    }
    task->sc = sc;
    task->store = store;
    task->heap = store->heap;
    task->worker = -1;
    task->heard.id = -1;
    task->push.batch_rows = (size_t)sc->batch_rows;
    task->check.on = sc->check;
    spk_place_init(&task->place, sc->place ? sc->place->plan : NULL);
    task->at.single = sc->crash_reports;
    for (int i = 0; i < SPK_QUARANTINE; i++)
        spk_arena_init(&task->check.quarantine[i], task->heap);
    task->frame = &task->base;
    spk_arena_init(&task->base.keep, task->heap);
    return task;
}

void spk_task_trim(spark_task *task)
{
    for (int i = 0; i < task->push.n_levels; i++) {
        spk_arena_fini(&task->push.levels[i]->arenas[0]);
        spk_arena_fini(&task->push.levels[i]->arenas[1]);
    }
    spk_arena_fini(&task->base.keep);
}

void spk_task_free(spark_task *task)
{
    if (!task)
        return;
    spk_task_trim(task);
    for (int i = 0; i < task->push.n_levels; i++)
        free(task->push.levels[i]);
    free(task->push.levels);
    for (int i = 0; i < SPK_QUARANTINE; i++)
        spk_arena_fini(&task->check.quarantine[i]);
    free(task->sums.deltas);
    free(task->sums.heads);
    free(task->sums.tallies);
    free(task->walk.nodes);
    free(task->push.indexes);
    free(task->crash.stack);
    free(task);
}

/* enter_place: the thread may have been elsewhere, as one of the program. */
__attribute__((cold, noinline)) static void enter_place(spark_task *task)
{
    spk_place_init(&task->place, task->place.plan);
    if (task->stage >= 0) { /* else a merge of results, which is not tried again */
        task->place.job = task->job;
        task->place.partition = task->partition;
        task->place.attempt = task->attempt;
    }
    task->outer = spk_place_enter(&task->place);
}

void spk_task_begin(spark_task *task, int job, int stage, int partition, int attempt)
{
    task->failure.code = SPARK_OK;
    task->fate.lost = NULL;
    task->fate.lost_block = false;
    task->fate.op = NULL;
    task->fate.hopeless = false;
    task->fate.origin.rdd = NULL;
    task->job = job;
    task->stage = stage;
    task->partition = task->current_partition = partition;
    task->attempt = attempt;
    task->op = NULL;
    task->at.element = -1;
    task->left.in = NULL;
    task->left.known = false;
    task->limit.deadline = 0;
    task->end.operation = NULL;
    task->push.outs = NULL;
    task->push.depth = task->push.nesting = 0;
    task->frame = &task->base;
    task->blocks.drop = false;
    task->blocks.dropped = NULL;
    task->sums.n_deltas = task->sums.last = task->sums.n_tallies = task->walk.n = 0;
    task->sums.role = SPK_MAIN;
    task->push.pipe = NULL;
    task->push.runs = 0;
    task->counts.cached_reads = task->counts.cached_blocks = task->counts.remade_blocks = 0;
    task->counts.shuffle_rows = task->counts.shuffle_bytes = task->counts.spilled_bytes = task->counts.remote_bytes = 0;
    task->counts.evicted_blocks = task->counts.cache_bytes_written = task->counts.cache_bytes_read = 0;
    task->counts = (spk_counts) { .peak = 0 };
    task->push.batch_rows = spk_task_batch(task) < FIRST_ROWS ? spk_task_batch(task) : FIRST_ROWS;
    task->scratch = &task->base.keep;
    if (task->place.plan)
        enter_place(task);
    spk_task_move(task);
}

static void run_defers(spk_frame *frame)
{
    while (frame->defers) {
        spk_defer *defer = frame->defers;
        frame->defers = defer->next;
        defer->cleanup(defer->data);
    }
}

void spk_frame_begin(spk_frame *frame, spark_task *task)
{
    *frame = (spk_frame) { .defers = NULL };
    spk_arena_init(&frame->keep, task->heap);
}

void spk_frame_end(spk_frame *frame, spark_task *task)
{
    run_defers(frame);
    if (task->check.on)
        spk_check_retire(task, &frame->keep);
    spk_arena_fini(&frame->keep);
}

void spk_task_end(spark_task *task)
{
    run_defers(&task->base);
    spk_task_drop_deltas(task, 0);
    spk_arena_reset(&task->base.keep);
    current = NULL;
    if (task->place.plan)
        spk_place_enter(task->outer);
    if (task->at.single)
        spk_crash_leave(task);
}

/* name_failure: which operation it was, and where that was written. */
static void name_failure(spk_failure *failure, const char *operation, const char *function,
    spark_site site, const char *message)
{
    const char *open = function ? "(" : "", *name = function ? function : "";
    const char *close = function ? ")" : "", *at = site && *site ? " at " : "";
    snprintf(
        failure->operation, sizeof failure->operation, "%s%s%s%s", operation, open, name, close);
    snprintf(failure->message, sizeof failure->message, "%s%s%s%s%s%s: ", operation, open, name,
        close, at, site ? site : "");
    spk_failure_append(failure, message);
    failure->site = site ? site : "";
}

void spk_task_fail_with(spark_task *task, const spk_failure *failure)
{
    if (spk_task_failed(task))
        return;
    const spk_op *op = task->fate.op = task->op;
    task->failure = *failure;
    task->failure.job = task->job;
    task->failure.stage = task->stage;
    task->failure.partition = task->partition;
    task->failure.attempt = task->attempt;
    if (op)
        name_failure(
            &task->failure, op->rdd->operation, op->rdd->function, op->rdd->site, failure->message);
    else if (task->end.operation)
        name_failure(&task->failure, task->end.operation, task->end.function, task->end.site,
            failure->message);
    spk_task_close_outs(task);
}

static void fail(spark_task *task, spark_status code, const char *format, va_list args)
{
    spk_failure failure;
    spk_failure_vset(&failure, code, NULL, NULL, format, args);
    spk_task_fail_with(task, &failure);
}

void spk_task_fail(spark_task *task, spark_status code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fail(task, code, format, args);
    va_end(args);
}

void spk_task_nomem(spark_task *task)
{
    char text[300] = "out of memory";
    if (task->heap)
        spk_heap_refusal(task->heap, "one more block", 0, text, sizeof text);
    spk_task_fail(task, SPARK_ENOMEM, "%s", text);
}

void *spk_task_alloc(spark_task *task, const char *what, size_t bytes, size_t *capacity)
{
    char text[300];
    void *block = spk_heap_alloc(task->heap, bytes, capacity);
    if (!block)
        spk_task_fail(task, SPARK_ENOMEM, "%s",
            spk_heap_refusal(task->heap, what, bytes, text, sizeof text));
    return block;
}

void spark_fail(spark_task *task, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fail(task, SPARK_ETASK, format, args);
    va_end(args);
}

bool spk_task_late(spark_task *task)
{
    if (task->limit.deadline == 0 || spk_clock_ms() < task->limit.deadline)
        return false;
    spk_task_fail(task, SPARK_EDEADLINE, "the attempt took longer than its limit of %lld ms",
        (long long)task->limit.ms);
    return true;
}

bool spark_cancelled(const spark_task *task)
{
    spark_task *own;
    memcpy(&own, &task, sizeof own);
    return spk_task_over(own);
}

int spark_task_partition(const spark_task *task)
{
    return task->current_partition;
}

int spark_task_attempt(const spark_task *task)
{
    return task->attempt;
}

int spark_task_job(const spark_task *task)
{
    return task->job;
}

int spark_task_stage(const spark_task *task)
{
    return task->stage;
}

void *spark_alloc(spark_task *task, size_t size)
{
    void *p = size <= SIZE_MAX / 4 ? spk_arena_alloc(task->scratch, size ? size : 1, 16) : NULL;
    if (!p)
        spk_task_nomem(task);
    else
        spk_out_nudge(task);
    return p;
}

const void *spark_keep_(spark_task *task, const spark_type *type, const void *value)
{
    spk_failure failure;
    const spk_layout *layout = spk_layout_for(task->sc, type, &failure);
    if (!layout) {
        spk_task_fail_with(task, &failure);
        return NULL;
    }
    const size_t head = ((size_t)layout->size + 15) / 16 * 16;
    char *copy = spk_arena_alloc(spk_keep_of(task), head + spk_value_bytes(layout, value), 64);
    if (!copy) {
        spk_task_nomem(task);
        return NULL;
    }
    memcpy(copy, value, layout->size);
    spk_value_pack(layout, copy, copy + head);
    return copy;
}

void spark_defer(spark_task *task, void (*cleanup)(void *data), void *data)
{
    spk_defer *defer = spk_arena_alloc(spk_keep_of(task), sizeof *defer, 16);
    if (!defer) {
        cleanup(data);
        spk_task_nomem(task);
        return;
    }
    *defer = (spk_defer) { task->frame->defers, cleanup, data };
    task->frame->defers = defer;
}
