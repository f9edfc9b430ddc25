/* SPDX-License-Identifier: Apache-2.0 */
/* A window with a place for each of the keys 0 to k - 1: what combines on the map side where keys
 * are dense and few enough. */
#ifndef SPK_SHUFFLE_DENSE_WINDOW_H
#define SPK_SHUFFLE_DENSE_WINDOW_H

#include "exec/task.h"
#include "plan/shuffle.h"
#include "storage/run.h"

typedef struct spk_dense_window {
    spark_task *task;
    const spk_aggregator *aggregator;
    const spark_partitioner *partitioner;
    size_t acc_size;
    char *accs;       /* of each key */
    uint8_t *present; /* of each key; of a double only where the sum does not tell */
    void **targets;   /* of a batch of hits */
    char *gathered;   /* their values */
    size_t capacity;
} spk_dense_window;

/* spk_dense_window_fits: whether the accumulators of all keys are small enough to stand side by
 * side; a function of the shuffle alone. */
bool spk_dense_window_fits(const spk_shuffle *shuffle);

/* spk_dense_window_open: false: the task has failed. */
bool spk_dense_window_open(
    spk_dense_window *window, spark_task *task, const spk_shuffle *shuffle);
void spk_dense_window_close(spk_dense_window *window);

/* spk_dense_window_add: false: the task has failed: a key is not one of them. */
bool spk_dense_window_add(spk_dense_window *window, const char *rows, size_t n);

/* spk_dense_stray: fails the task: the key is not one of the partitioner's. */
void spk_dense_stray(spark_task *task, const spark_partitioner *partitioner, uint64_t key);

/* spk_dense_window_seal: the keys that are there, in their order, as runs of up to 1 MiB and a slice,
 * each with `slices` slices for all partitions: that of the slices from *from on, which moves on to the
 * next one's. NULL: the task has failed, or *from is `slices`. */
spk_run *spk_dense_window_seal(spk_dense_window *window, uint32_t slices, uint32_t *from);

#endif
