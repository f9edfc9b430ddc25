/* SPDX-License-Identifier: Apache-2.0 */
/* Inside a function: what the body of a SPARK_MAP, SPARK_FLAT_MAP, ... may call.
 *
 * How long memory lives:
 *   an input element                 until the function returns for it
 *   an element of spark_next         until the next call on that iterator
 *   spark_alloc, spark_str_...(task) until what was emitted of this input element has passed on
 *                                    (iterator forms: until the next spark_next)
 *   spark_keep                       until the attempt ends
 * What an emitted element's strings and lists point to must be one of these, env or a literal,
 * never a local array. The engine copies whatever it keeps longer. Functions of one RDD run in
 * several threads at once. */
#ifndef SPARK_TASK_H
#define SPARK_TASK_H

#include <spark/type.h>

SPARK_BEGIN_DECLS

/* spark_emitter: the head of a private struct; spark_emit is the way to use it. */
struct spark_emitter {
    char *next, *end;
    bool closed;   /* nobody wants more */
    uint64_t rows; /* input elements begun */
};
bool spark_emit_room_(spark_emitter *out);
static inline void *spark_emit_slot_(spark_emitter *out, size_t size)
{
    if (out->next == out->end && !spark_emit_room_(out))
        return NULL;
    void *slot = out->next;
    out->next += size;
    return slot;
}
static inline bool spark_emit_(spark_emitter *out, const void *item, size_t size)
{
    void *slot = spark_emit_slot_(out, size);
    if (slot)
        memcpy(slot, item, size);
    return slot != NULL;
}

/* spark_emit: hands an element on: spark_emit(out, (word_count){ word, 1 }). The compiler checks
 * the type; the element is copied, what its strings point to is not. false: nobody wants more
 * (take, cancellation, failure): return. */
#ifndef __cplusplus
/* The element is made first, then its place, so that it goes there from registers. */
#define spark_emit(out, ...)                                                                       \
    __extension__({                                                                                \
        const __typeof__(*(out)->item) spark_made_ = 1 ? (__VA_ARGS__) : *(out)->item;             \
        __typeof__((out)->item) const spark_slot_                                                  \
            = (__typeof__((out)->item))spark_emit_slot_((out)->raw, sizeof spark_made_);           \
        if (spark_slot_)                                                                           \
            *spark_slot_ = spark_made_;                                                            \
        spark_slot_ != NULL;                                                                       \
    })
#endif

/* spark_next: the next input element of an iterator, NULL at the end. */
#define spark_next(in) ((__typeof__((in)->item))spark_next_((in)->raw))
const void *spark_next_(spark_iterator *in);

/* spark_peek: the element the next spark_next will return, NULL at the end. Valid until then. */
#define spark_peek(in) ((__typeof__((in)->item))spark_peek_((in)->raw))
const void *spark_peek_(spark_iterator *in);

/* spark_alloc: memory for what you emit. NULL: the task has failed for lack of it; return. */
void *spark_alloc(spark_task *task, size_t size);

/* spark_keep: a deep copy of *value that lives until the attempt ends. NULL as spark_alloc. */
#define spark_keep(task, T, value)                                                                 \
    ((const T *)spark_keep_(task, SPARK_TYPE(T), SPARK_POINTER_(T, value)))
const void *spark_keep_(spark_task *task, const spark_type *type, const void *value);

/* spark_defer: calls cleanup(data) when the attempt ends, however it ends, or before, when the partition of
 * a parent has been read that is one of several (coalesce, zip): for files and sockets.
 * Without memory to remember it, calls it at once and fails the task. */
void spark_defer(spark_task *task, void (*cleanup)(void *data), void *data);

/* spark_fail: marks the attempt as failed and comes back: the body goes on, so return; what it
 * emits from now on is dropped. The task is tried again, up to spark_conf.task_max_failures times.
 * A map or filter goes on to the end of its batch, which then runs again one by one to name the
 * record: such a function is called twice for elements up to that one. */
void spark_fail(spark_task *task, const char *format, ...) SPARK_FORMAT_(2, 3);

/* spark_cancelled: whether the attempt has failed or is no longer wanted. Long loops that emit
 * nothing should ask now and then. */
bool spark_cancelled(const spark_task *task);

/* spark_task_partition: index of the partition, in the RDD the function was given to.
 * spark_task_attempt: 0 for the first attempt. On the driver (merging results): -1 and 0. */
int spark_task_partition(const spark_task *task);
int spark_task_attempt(const spark_task *task);
/* spark_task_job, spark_task_stage: numbered as in spark_error; -1 on the driver. Spark:
 * stageId. */
int spark_task_job(const spark_task *task);
/* spark_task_executor: the id of the executor it runs on, as in spark/executor.h; "driver" also on the
 * driver. Lasts as long as the task. Spark: SparkEnv.get.executorId. */
const char *spark_task_executor(const spark_task *task);
int spark_task_stage(const spark_task *task);

SPARK_END_DECLS

/* SPARK_TRY_, SPARK_CATCH_: around what a function of the user does. An exception must not pass
 * through the library, which is C and would be left as it stands: it fails the attempt, as
 * spark_fail does. */
#if defined __cplusplus && defined __cpp_exceptions
#include <exception>
inline void spark_threw_(spark_task *task) noexcept
{
    if (!task)
        return;
    try {
        throw;
    } catch (const std::exception &e) {
        spark_fail(task, "exception: %s", e.what());
    } catch (...) {
        spark_fail(task, "an exception that is no std::exception");
    }
}
#define SPARK_TRY_ try {
#define SPARK_CATCH_(task)                                                                         \
    }                                                                                              \
    catch (...)                                                                                    \
    {                                                                                              \
        spark_threw_(task);                                                                        \
    }
#else
#define SPARK_TRY_
#define SPARK_CATCH_(task)
#endif

#ifdef __cplusplus
template <class O> inline bool spark_emit(O *out, const typename O::item_type &item)
{
    return spark_emit_(out->raw, &item, sizeof item);
}
#endif

#endif
