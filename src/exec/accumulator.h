/* SPDX-License-Identifier: Apache-2.0 */
/* Accumulators: sums that tasks add to, merged when what computed the additions is published. */
#ifndef SPK_EXEC_ACCUMULATOR_H
#define SPK_EXEC_ACCUMULATOR_H

#include "exec/task.h"

typedef struct spk_part_sum {
    int job, stage, partition;
    uint32_t serial;
    double sum;
} spk_part_sum;

struct spark_accumulator {
    spk_object object;
    atomic_int refs;
    spark_context *sc;
    char *name;
    bool is_float;
    pthread_mutex_t lock;
    _Atomic int64_t i64;
    double f64;          /* parts up to `added` are in it */
    spk_part_sum *parts; /* of jobs that still run, or were not added yet */
    size_t n_parts, max_parts;
    size_t reserved; /* room promised to attempts that have added something */
};

#endif
