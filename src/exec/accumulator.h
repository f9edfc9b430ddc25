/* SPDX-License-Identifier: Apache-2.0 */
/* Accumulators: sums that tasks add to, merged when what computed the additions is published. */
#ifndef SPK_EXEC_ACCUMULATOR_H
#define SPK_EXEC_ACCUMULATOR_H

#include "exec/step.h"

/* spk_gathered: what one attempt has added to an accumulator of values: elements, or an accumulator
 * of the user's with what it points to. */
typedef struct spk_gathered {
    spk_rows rows;
    char *acc;
    size_t capacity;
    spk_arena views[2];
    int current;
} spk_gathered;

/* spk_part_sum: what one delta that counts has added, and its place in the order. */
typedef struct spk_part_sum {
    int job, stage, partition;
    uint32_t step; /* nodes above it: those above are before those below */
    spk_role role;
    uint64_t serial; /* of equal ones, as they came: from one attempt */
    double sum;
    spk_gathered *gathered; /* of accumulators of values */
} spk_part_sum;

/* SPK_DRIVER_JOB: of additions of the driver. */
enum { SPK_DRIVER_JOB = -1 };

typedef enum spk_accumulator_kind {
    SPK_SUM_I64,
    SPK_SUM_F64,
    SPK_COLLECTION,
    SPK_OF_USER
} spk_accumulator_kind;

struct spark_accumulator {
    spk_object object;
    atomic_int refs;
    spark_context *sc;
    char *name;
    spk_accumulator_kind kind;
    const spk_layout *layout,
        *in; /* of the accumulator (a collection: its elements); what is added */
    spark_merge_def add, combine; /* of the user's */
    char *zero;
    size_t zero_capacity;
    bool once;              /* each partition of a node counts once */
    _Atomic int64_t i64, n; /* n: additions that count */

    pthread_mutex_t lock; /* guards what follows */
    uint64_t id;          /* in the context; another one after a reset */
    spk_part_sum *parts;
    size_t n_parts, max_parts;
    size_t reserved; /* room promised to attempts that have added something */
    uint64_t serial;
    double sum, driver;      /* folded: of jobs that have ended, of the driver */
    spk_gathered *folded[2]; /* the same of values: of the driver, of jobs that have ended */
    int readers;             /* outside the lock, of parts and folded */
};

/* spk_accumulator_reserve: room for one part, so that merging, which comes after publishing, cannot
 * fail; _unreserve, or spk_accumulator_add_part, uses it up. False: no memory. */
bool spk_accumulator_reserve(spark_accumulator *accumulator);
void spk_accumulator_unreserve(spark_accumulator *accumulator);
void spk_accumulator_add_part(spark_accumulator *accumulator, const spk_part_sum *part);

/* With the lock held. spk_accumulator_settle: brings parts in order, and folds those of the driver and
 * of jobs that have ended, unless a function of the user must do it, or somebody reads them: returns
 * how many of them are left, at the front. spk_accumulator_forget: takes the first n parts away. */
size_t spk_accumulator_settle(spark_accumulator *accumulator);
void spk_accumulator_forget(spark_accumulator *accumulator, size_t n);

/* spk_gathered_new: from the zero, or empty. NULL: no memory. spk_gathered_own: copies what the
 * accumulator points to, after it has changed. False: no memory. */
spk_gathered *spk_gathered_new(const spark_accumulator *accumulator);
bool spk_gathered_own(spk_gathered *gathered, const spk_layout *layout);
/* spk_gathered_copy: of an accumulator of the user's; NULL: from the zero. */
spk_gathered *spk_gathered_copy(const spark_accumulator *accumulator, const spk_gathered *from);
void spk_gathered_free(spk_gathered *gathered);

#endif
