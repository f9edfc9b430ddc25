/* SPDX-License-Identifier: Apache-2.0 */
/* Lineage: immutable nodes that say how a partition is computed, never when or where.
 *
 * class: what a kind of node can do; step: a node that turns batches of its one parent into
 * batches; source: a node that produces batches from anything else, parents included; dependency:
 * an edge, wide when it has a shuffle; prepared: the number of partitions is known. */
#ifndef SPK_PLAN_RDD_H
#define SPK_PLAN_RDD_H

#include <spark/keyed.h>
#include <spark/rdd.h>

#include "base/held.h"
#include "plan/context.h"
#include "type/order.h"

typedef struct spk_pipe spk_pipe;
typedef struct spk_op spk_op;
typedef struct spk_shuffle spk_shuffle;
typedef struct spk_block_set spk_block_set;
typedef struct spk_bad_part spk_bad_part;

/* spk_bad_head: of a policy for bad records (exec/bad.h). release: with the node; open, end: a step of it
 * begins and ends a partition. begin, put, finish: a source that reads records does, and has a bad one:
 * where it is (see class->places), its text, why; NULL, false: the task has failed. finish: with the number
 * of good ones. */
typedef struct spk_bad_head {
    void (*release)(struct spk_bad_head *bad);
    bool (*open)(spark_task *task, spk_op *op);
    void (*end)(spark_task *task, const spk_op *op);
    spk_bad_part *(*begin)(spark_task *task, struct spk_bad_head *bad, int partition);
    bool (*put)(spark_task *task, spk_bad_part *part, uint64_t index, spark_str record, const char *reason);
    void (*finish)(spark_task *task, spk_bad_part *part, uint64_t good);
} spk_bad_head;

typedef struct spk_batch {
    char *rows; /* read-only to all but the one who made it */
    size_t n;
} spk_batch;

typedef struct spk_class {
    const char *name; /* Spark's, for debug strings: "MapPartitionsRDD" */

    /* Steps. run: replaces *batch, which is what the parent made, by its own. finish: the end of
     * the partition; may leave a last batch. open: before the first batch. */
    bool (*open)(spk_pipe *pipe, spk_op *op);
    void (*run)(spk_pipe *pipe, spk_op *op, spk_batch *batch);
    void (*finish)(spk_pipe *pipe, spk_op *op, spk_batch *batch);

    /* Sources. produce: pushes all batches of the partition into the pipe. */
    void (*produce)(spk_pipe *pipe, spark_rdd *rdd, int partition);
    /* choose: the node is no more than a renumbering: partition p is partition *parent_p of the
     * returned parent. */
    spark_rdd *(*choose)(spark_rdd *rdd, int partition, int *parent_partition);

    /* inner: of a source: its i-th chain of those that produce runs inside, as a parent and a partition of
     * it; false: there are not so many. NULL: the same partition of each parent without a shuffle. */
    bool (*inner)(
        const spark_rdd *rdd, int partition, int i, spark_rdd **parent, int *parent_partition);

    /* reads: of a source that reads files: how many bytes of them its partition reads, and which
     * file, where it is one. */
    int64_t (*reads)(const spark_rdd *rdd, int partition, const char **path);
    /* where: of such a source: the file and line its row has come from (spk_failure_in), as far as
     * that is known; row -1: which one is not known. After a failure, without a lock: it may read. */
    void (*where)(
        spk_heap *heap, const spark_rdd *rdd, int partition, int64_t row, spk_failure *failure);
    /* places: of a source whose records may be bad: the file and the lines (0: not known) of n of them, in
     * their order, by what it has said of each to put. Otherwise as where. */
    void (*places)(spk_heap *heap, const spark_rdd *rdd, int partition, size_t n, const int64_t *indexes,
        int64_t *lines, const char **path);
    /* one_to_one: a step that makes one row of each, in order. */
    bool one_to_one;
    /* by_element: a step that calls a function for single elements, which may say that they are bad. */
    bool by_element;

    /* prepare: on a calling thread, under no lock, parents first, by one thread at a time, until it
     * succeeds: finds out how many partitions there are, and says so last (spk_rdd_partitions_set). A
     * failure without an operation becomes the node's. NULL: as the parent. A verb whose class has one
     * and keeps the number of partitions says so in `planned` of the node it has made, or wide operations on
     * it run the job at their call. release: frees what the node has beyond its struct. */
    spark_status (*prepare)(spark_rdd *rdd, spk_failure *failure);
    void (*release)(spark_rdd *rdd);
} spk_class;

/* spk_env: a bound environment, owned by a node. */
typedef struct spk_env {
    const void *value;
    void *owned;
    void (*destroy)(void *data);
    spark_broadcast *broadcast;
} spk_env;

typedef struct spk_dep {
    spark_rdd *rdd;
    _Atomic(spk_shuffle *) shuffle; /* NULL: narrow; the cleaner may look while a verb sets it */
} spk_dep;

/* spk_cut: what takes the place of a node's edges once its checkpoint is written: `dep`, an edge to
 * the RDD that reads it. Its address is that of the whole: it becomes the node's deps. */
typedef struct spk_cut {
    spk_dep dep;
    spark_rdd *node;
    spk_dep *old; /* the edges from before, which go when nobody walks along them */
    uint32_t n_old;
    struct spk_cut *next;
} spk_cut;

/* spk_checkpoint: how far the checkpoint of a node is. */
typedef enum spk_checkpoint {
    SPK_NO_CHECKPOINT,
    SPK_MARKED,
    SPK_MARKED_LOCALLY,
    SPK_WRITING,
    SPK_CHECKPOINTED
} spk_checkpoint;

/* spk_once: which partitions of a node an accumulator has counted, of those that count each once;
 * under the accumulator's lock. */
typedef struct spk_once {
    struct spk_once *next;
    const void *accumulator;
    uint64_t id; /* of it; another one: nothing has been counted */
    uint8_t counted[];
} spk_once;

struct spark_rdd {
    spk_object object;
    const spk_class *class;
    atomic_int refs;
    spark_context *sc;
    int id;
    spark_site site;
    const char *operation; /* "map"; Spark's name of the method */
    const char *function;  /* "to_sale", or NULL */
    char *name;
    const spk_layout *layout; /* NULL only with an error */
    const spk_failure *error; /* NULL: a proper node */
    spk_env env;
    spark_partitioner *partitioner;
    atomic_int n_partitions; /* -1: not prepared; see spk_rdd_partitions */
    atomic_int planned; /* how many there will be, at most; -1: not known before prepared */
    bool prepares;      /* some thread does; under plan_lock */
    uint32_t ancestors;    /* nodes on the longest way to a source: seeds, ids never */
    spk_block_set *blocks; /* not NULL once persisted; begins with a spk_held */
    atomic_int level;
    uint32_t n_deps;
    spk_dep *deps;
    atomic_int checkpoint;    /* spk_checkpoint */
    spark_site checkpoint_at; /* where it was asked for */
    _Atomic(spk_cut *) cut;   /* not NULL: what replaces deps, even where they still are */
    uint64_t mark;            /* of the scheduler's last walk that came by; under its lock */
    _Atomic(spk_once *) once;
    spk_bad_head *bad; /* what is done with bad records; NULL: they fail */
    spark_rdd *next_free;
    spark_rdd *next_held;        /* in the context's list of those that scopes hold; */
    _Atomic(spark_rdd **) held;  /* what points to this one; NULL: in none, for ever */
};

/* spk_rdd_new: a node of `size` bytes (its class's struct, which begins with spark_rdd), zeroed
 * beyond the head, in the innermost scope; takes a reference on each parent, and *env by value.
 * Gives an RDD that carries an error when a parent does, when sc does, or when there is no memory;
 * *env is destroyed then. `made` says whether it is a node of the class, to be filled further. */
typedef struct spk_rdd_args {
    spark_site at;
    const char *operation, *function;
    spark_context *sc; /* NULL: of the first parent */
    const spk_class *class;
    size_t size;
    const spk_layout *layout;
    size_t n_parents;
    spark_rdd *const *parents;
    spk_env *env;
} spk_rdd_args;
SPK_COLD spark_rdd *spk_rdd_new(const spk_rdd_args *args, bool *made);

/* SPK_NODE: an RDD as what its class knows it to be, a struct T that begins with the spark_rdd; const
 * where the RDD is. */
#define SPK_NODE(T, node)                                                                          \
    _Generic((node), spark_rdd *                                                                   \
             : (T *)(uintptr_t)(node), const spark_rdd *                                           \
             : (const T *)(uintptr_t)(node))

/* SPK_NODE_FILL: what follows the spark_rdd in a struct T is as in *plain. The spark_rdd itself is not
 * written to: a job on another thread may be walking along the RDDs that are held. */
#define SPK_NODE_FILL(T, node, plain)                                                              \
    memcpy((char *)(T *){ node } + sizeof(spark_rdd), (const char *)(const T *){ plain } + sizeof(spark_rdd), \
        sizeof(T) - sizeof(spark_rdd))

/* spk_rdd_error: an RDD that carries an error. spk_rdd_errorf: with a message, which begins with
 * "operation(function) at site: ". */
SPK_COLD spark_rdd *spk_rdd_error(spark_context *sc, const spk_failure *failure);
SPK_COLD spark_rdd *spk_rdd_errorf(spark_context *sc, spark_status code, const char *operation,
    const char *function, spark_site at, const char *format, ...) SPARK_FORMAT_(6, 7);

/* spk_rdd_why: of an RDD that carries an error: which. Where there is no context, as of a transformation
 * of NULL, nothing can keep the error: it is raised at once, and found there unless the thread's last
 * error is another one by now. */
SPK_COLD const spk_failure *spk_rdd_why(const spark_rdd *rdd);

/* spk_rdd_broken: rdd itself when it carries an error, an error RDD for NULL, else NULL. */
SPK_COLD spark_rdd *spk_rdd_broken(spark_rdd *rdd, const char *operation, spark_site at);

/* spk_rdd_bury: frees what check mode kept of released RDDs. */
SPK_COLD void spk_rdd_bury(spark_context *sc);

void spk_rdd_ref(spark_rdd *rdd);
SPK_COLD void spk_rdd_unref(spark_rdd *rdd);

/* spk_rdd_partitioner_set: takes a reference; NULL is fine. */
void spk_rdd_partitioner_set(spark_rdd *rdd, const spark_partitioner *partitioner);

/* spk_rdd_prepare: this node and all it needs, parents first, no recursion. No lock may be held. Where
 * another thread prepares one of them, it is waited for. */
SPK_COLD spark_status spk_rdd_prepare(spark_rdd *rdd, spk_failure *failure);

/* spk_rdd_partitions: how many the node has, once it is prepared; -1: it is not. _set: by the node's
 * prepare, as the last thing: who sees the number sees what belongs to it. */
static inline int spk_rdd_partitions(const spark_rdd *rdd)
{
    return atomic_load_explicit(&rdd->n_partitions, memory_order_acquire);
}
static inline bool spk_rdd_is_prepared(const spark_rdd *rdd)
{
    return spk_rdd_partitions(rdd) >= 0;
}
static inline void spk_rdd_partitions_set(spark_rdd *rdd, int n)
{
    atomic_store_explicit(&rdd->n_partitions, n, memory_order_release);
}

/* spk_rdd_planned: how many partitions there will be, at most, preparing the node only where that
 * cannot be known otherwise. -1: *failure is filled. */
SPK_COLD int spk_rdd_planned(spark_rdd *rdd, spk_failure *failure);

/* spk_checkpoint_waits: it is marked, and the next action is to write it. */
static inline bool spk_checkpoint_waits(const spark_rdd *rdd)
{
    const int state = atomic_load_explicit(&rdd->checkpoint, memory_order_relaxed);
    return state == SPK_MARKED || state == SPK_MARKED_LOCALLY;
}

/* spk_rdd_stored: the RDD that reads the checkpoint of this one, or NULL. Where there is one, whoever
 * walks up goes there and never looks at deps. */
static inline spark_rdd *spk_rdd_stored(const spark_rdd *rdd)
{
    spk_cut *cut = atomic_load_explicit(&rdd->cut, memory_order_acquire);
    return cut ? cut->dep.rdd : NULL;
}

/* spk_rdd_fit: whether `have` reads as `want` (NULL: any); else an error RDD to return. what:
 * "input", "value". */
SPK_COLD spark_rdd *spk_rdd_misfit(spark_context *sc, const char *operation, const char *function,
    spark_site at, const spark_type *want, const spark_type *have);

/* spk_rdd_describe: "map(to_sale) at orders.c:30". Returns text. */
SPK_COLD const char *spk_rdd_describe(const spark_rdd *rdd, char *text, size_t size);

/* spk_rdd_reader: the node that makes what the steps up to this one get, and which of its partitions;
 * NULL: it is read from a checkpoint. */
SPK_COLD spark_rdd *spk_rdd_reader(spark_rdd *rdd, int *partition);
/* spk_rdd_reads: what of files a partition reads, itself or through steps; -1 and NULL: none; SPK_READS_NOMEM:
 * no memory to find out. */
enum { SPK_READS_NOMEM = -2 };
SPK_COLD int64_t spk_rdd_reads(spark_rdd *rdd, int partition, const char **path);

/* spk_rdd_blame: puts the RDD's description in front of a failure, and its operation and site into
 * it. */
SPK_COLD void spk_rdd_blame(const spark_rdd *rdd, spk_failure *failure);

/* spk_env_bind: makes *env of what a verb was given; wanted: what the function expects, as env_size of
 * its definition: bytes, and the kind above them; 0: any. On failure what was owned is destroyed. */
SPK_COLD spark_status spk_env_bind(
    spk_env *env, const spark_env *given, size_t wanted, spk_failure *failure);
SPK_COLD void spk_env_fini(spk_env *env);
/* spk_env_join: what two functions expect that are bound to one env; SPK_ENV_APART, which no env is:
 * different things. spk_env_bytes: of an env_size; none where it says SPARK_ENV_NONE. */
enum { SPK_ENV_KIND_SHIFT = 56 };
#define SPK_ENV_APART SIZE_MAX
size_t spk_env_join(size_t a, size_t b);
static inline size_t spk_env_bytes(size_t wanted)
{
    return wanted & (SPARK_ENV_NONE - 1);
}

/* spk_value_keep: a deep copy of *value (NULL: all bytes zero) that belongs to the node, which
 * frees it with spk_heap_free. NULL: no memory. */
SPK_COLD char *spk_value_keep(
    spark_rdd *rdd, const spk_layout *layout, const void *value, size_t *capacity);

/* spk_layout_for: spk_layout_of in the context's table. */
SPK_COLD const spk_layout *spk_layout_for(
    spark_context *sc, const spark_type *type, spk_failure *failure);

#endif
