/* SPDX-License-Identifier: Apache-2.0 */
/* Few rows that are to be sorted: in place of a sample of them all are kept, so that what they come from is not computed
 * a second time; they become one partition, sorted there and then. Whether they are few, the rows alone say; where there
 * is no memory, the shuffle brings them into that one partition. */
#ifndef SPK_RDD_KEYED_SORT_FEW_H
#define SPK_RDD_KEYED_SORT_FEW_H

#include "plan/rdd.h"
#include "storage/tape.h"

/* SPK_FEW_BYTES: of rows and what they point to. Tasks stop at so many times as much, for some run twice. */
enum { SPK_FEW_BYTES = 4 * 1024 * 1024, SPK_FEW_TIMES = 4 };

typedef struct spk_few {
    _Atomic uint64_t bytes; /* that tasks have kept so far */
    bool all;               /* in the end: all rows, which are few */
} spk_few;

/* spk_kept: the rows of a partition. few NULL: they are not kept, or not any more. */
typedef struct spk_kept {
    spk_few *few;
    spk_tape tape;
    uint64_t bytes;
} spk_kept;

void spk_kept_open(spk_kept *kept, spk_few *few, spk_store *store, const spk_layout *layout);
void spk_kept_close(spk_kept *kept);
/* spk_kept_take: a batch. False: there are too many, or the task has failed. spk_kept_read: gives all to `take`, which
 * says false where there is no memory. */
bool spk_kept_take(spk_kept *kept, spark_task *task, spk_batch batch);
spark_status spk_kept_read(
    const spk_kept *kept, bool (*take)(void *arg, spk_batch batch), void *arg, spk_failure *failure);
/* spk_few_sort: all rows of n partitions, which lie a step apart, take the place of what `sorted` is made of, in order. */
SPK_COLD void spk_few_sort(const spk_kept *kept, size_t step, int n, spark_rdd *sorted, const spk_ordering *ordering);

#endif
