/* SPDX-License-Identifier: Apache-2.0 */
/* A shuffle: a wide dependency, described here and filled by the rooms below.
 *
 * slice: the unit rows are sorted by on the map side; a partition has `slices` of them, so that
 * what is read at once fits a cache; shard: one slice of one partition, over all map outputs;
 * output: what one map partition wrote. */
#ifndef SPK_PLAN_SHUFFLE_H
#define SPK_PLAN_SHUFFLE_H

#include "plan/partitioner.h"
#include "plan/rdd.h"

/* spk_merging: a merge function bound to its environment and its types. */
typedef struct spk_merging {
    spark_merge_def def;
    const void *env;
} spk_merging;

/* spk_start: what the accumulator of a key begins as. */
typedef enum spk_start {
    SPK_START_NONE,  /* there is none (distinct) */
    SPK_START_VALUE, /* the first value: V and ACC are one type */
    SPK_START_ZERO,  /* a copy of `zero`, to which the first value is added */
    SPK_START_CREATE /* what `create` makes of the first value */
} spk_start;

/* spk_aggregator: how values of equal keys become one accumulator. Rows in are (K, V), rows out
 * (K, ACC); where there is none, rows in begin with the key, rows out are the key. V and ACC differ in
 * size as they like: what is read of a row is sized by the side the row is on. */
typedef struct spk_aggregator {
    spk_start start;
    const spk_layout *key, *in, *out;
    const spk_layout *value, *acc; /* V and ACC, at in->value_offset and out->value_offset; or NULL */
    const void *zero;              /* an ACC; SPK_START_CREATE: a blank one; else NULL */
    spark_map_def create;
    const void *create_env;
    spk_merging add, combine; /* (ACC, V), (ACC, ACC) */
    const struct spk_growing *growing; /* NULL; or what accumulators that grow are merged by */
} spk_aggregator;

struct spk_shuffle {
    int id;
    spark_rdd *parent; /* not counted: the node that has the dependency has it */
    spark_rdd *owner;
    spark_partitioner *partitioner;
    const spk_layout *row;            /* rows as they are written */
    const spk_layout *key;            /* what decides the slice; at offset 0 of the row */
    const spk_aggregator *aggregator; /* NULL: rows are written as they come */
    const struct spk_ranges *ranges;  /* a sort: slices are ranges of the order */
    uint32_t slices;                  /* per partition, a power of two */
    bool raw;                         /* combined by the reduce side only */

    /* Filled when jobs run. */
    atomic_int maps; /* partitions of the parent; -1: not prepared; set after what it counts */
    _Atomic(struct spk_map_output *) *outputs; /* each begins with a spk_held */
    atomic_int missing;
    atomic_int readers;             /* attempts that may be reading outputs */
    pthread_mutex_t lock;           /* guards what follows */
    struct spk_map_output *dropped; /* lost outputs that a reader may still hold */
    uint8_t *counted;               /* accumulator updates of this output were merged */
    uint8_t *made;                  /* the output has existed */
    void *running;                  /* the scheduler's stage that fills it */

    /* The cleaner's. */
    struct spk_shuffle *next_filled, **filled; /* in the context's list; filled NULL: in none */
    uint64_t reached, young;                   /* its last sweep that came by, and how far off */
    int distance;
};

/* spk_dense_key: of an integer key; what is negative becomes huge. spk_dense_key_put: writes one.
 * spk_dense_scale: key * scale >> shift
 * is the slice of a key, over all partitions with spk_slices_for each; a partition is what its
 * slices make, also where a shuffle has fewer of them. spk_dense_first: the first key of a slice. */
uint64_t spk_dense_key(const spk_layout *key, const void *row);
void spk_dense_key_put(const spk_layout *key, void *row, uint64_t value);
uint64_t spk_dense_scale(const spark_partitioner *partitioner);
int spk_dense_shift(const spark_partitioner *partitioner);
uint64_t spk_dense_first(const spark_partitioner *partitioner, uint64_t slice);

/* spk_slices_for: slices of a partition, a function of the number of partitions only. */
uint32_t spk_slices_for(int partitions);

/* spk_shuffle_new: NULL: no memory. The node frees it with spk_shuffle_free. */
SPK_COLD spk_shuffle *spk_shuffle_new(spark_rdd *owner, spark_rdd *parent,
    spark_partitioner *partitioner, const spk_layout *row, const spk_layout *key,
    const spk_aggregator *aggregator);
/* spk_shuffle_prepare: makes the slots, once the parent is prepared. */
SPK_COLD spark_status spk_shuffle_prepare(spk_shuffle *shuffle, spk_failure *failure);
SPK_COLD void spk_shuffle_free(spk_shuffle *shuffle);

/* spk_shuffle_drop: forgets the output of map partition m; false: there was none. */
SPK_COLD bool spk_shuffle_drop(spk_shuffle *shuffle, int m);

/* spk_shuffle_enter, _leave: around reading outputs: those that are dropped meanwhile stay. */
void spk_shuffle_enter(spk_shuffle *shuffle);
void spk_shuffle_leave(spk_shuffle *shuffle);

/* spk_shuffle_filling: enters the context's list of those that have outputs. spk_shuffle_emptied:
 * leaves it; under scope_lock. spk_shuffle_empty: forgets all outputs; those that nobody reads are put
 * in front of *list, to be freed. */
SPK_COLD void spk_shuffle_filling(spk_shuffle *shuffle);
SPK_COLD void spk_shuffle_emptied(spk_shuffle *shuffle);
SPK_COLD void spk_shuffle_empty(spk_shuffle *shuffle, struct spk_map_output **list);

/* spk_shuffle_complete: no output is missing. */
static inline bool spk_shuffle_complete(const spk_shuffle *shuffle)
{
    return atomic_load(&shuffle->maps) >= 0 && atomic_load(&shuffle->missing) == 0;
}

#endif
