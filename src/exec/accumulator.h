/* SPDX-License-Identifier: Apache-2.0 */
/* Accumulators: sums that tasks add to, merged when what computed the additions is published. */
#ifndef SPK_EXEC_ACCUMULATOR_H
#define SPK_EXEC_ACCUMULATOR_H

#include "exec/task.h"

/* spk_gathered: what one attempt has added to an accumulator of values: elements, or an accumulator
 * of the user's with what it points to. */
typedef struct spk_gathered {
    spk_rows rows;
    char *acc;
    size_t capacity;
    spk_arena views[2];
    int current;
} spk_gathered;

/* spk_part: updates of one attempt that counts. */
typedef struct spk_part_sum {
    int job, stage, partition;
    uint32_t serial;
    double sum;
    spk_gathered *gathered; /* of accumulators of values */
} spk_part_sum;

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
    pthread_mutex_t lock;
    _Atomic int64_t i64, n; /* n: additions that count */
    spk_part_sum *parts;
    size_t n_parts, max_parts;
    size_t reserved; /* room promised to attempts that have added something */
};

/* spk_accumulator_sort: parts in the order (job, stage, partition), with the lock held. */
void spk_accumulator_sort(spark_accumulator *accumulator);

/* spk_gathered_new: from the zero, or empty. NULL: no memory. spk_gathered_own: copies what the
 * accumulator points to, after it has changed. False: no memory. */
spk_gathered *spk_gathered_new(const spark_accumulator *accumulator);
bool spk_gathered_own(spk_gathered *gathered, const spk_layout *layout);
void spk_gathered_free(spk_gathered *gathered);

#endif
