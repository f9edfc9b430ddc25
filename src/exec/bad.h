/* SPDX-License-Identifier: Apache-2.0 */
/* Bad records: what one attempt, and what a whole RDD says of them.
 *
 * part: what the attempt has found in one partition of a node that has a policy; once the partition
 * has come to its end, it is the node's, and stays. Sources that read records themselves open a
 * part at the beginning of produce, put what is bad, and end it; for steps the pipe does that. */
#ifndef SPK_EXEC_BAD_H
#define SPK_EXEC_BAD_H

#include <spark/bad.h>

#include "base/cold.h"
#include "exec/step.h"

/* spk_bad_kept: a record put aside, as it is kept: the index in the partition. */
SPARK_STRUCT(spk_bad_kept, (int64_t, index), (spark_str, record), (spark_str, reason));

typedef struct spk_bad spk_bad;

struct spk_bad_part {
    spk_bad *of;
    int partition;
    uint64_t records, n; /* all; bad ones */
    spk_rows kept;       /* of spk_bad_kept */
    uint64_t first;      /* the index of the first bad one, */
    char why[200];       /* and its reason */
};

/* spk_bad: of a node; behind hooks, so that a program without policies links none of this. */
struct spk_bad {
    spk_bad_head head;
    spark_bad_policy policy;
    const spark_rdd *rdd;
    const spk_layout *kept; /* of spk_bad_kept; NULL: nothing is put aside */
    pthread_mutex_t lock;   /* guards what follows */
    int n_parts, n_ended;
    spk_bad_part **parts; /* by partition; NULL: it has not ended yet. They stay, once they are there */
    uint64_t records, n;  /* of those that have */
    bool implied;         /* by the source itself; another one may take its place */
};

static inline spk_bad *spk_bad_of(const spark_rdd *rdd)
{
    return (spk_bad *)(void *)rdd->bad;
}

/* spk_bad_new: NULL: no memory. */
SPK_COLD spk_bad *spk_bad_new(const spark_rdd *rdd, const spark_bad_policy *policy, const spk_layout *kept);

/* spk_bad_imply: a policy that skips without a limit, until somebody asks for another one. False: no
 * memory. */
SPK_COLD bool spk_bad_imply(spark_rdd *rdd);

/* spk_bad_open: a part of this attempt. NULL: it has failed. spk_bad_put: one more; false: it has
 * failed. spk_bad_end: the partition has ended, with so many records; the part becomes the node's
 * if it is the first. False: it has failed for good, for the limits are exceeded. */
SPK_COLD spk_bad_part *spk_bad_open(spark_task *task, spk_bad *bad, int partition);
SPK_COLD bool spk_bad_put(
    spark_task *task, spk_bad_part *part, uint64_t index, spark_str record, const char *reason);
SPK_COLD bool spk_bad_end(spark_task *task, spk_bad_part *part, uint64_t records);

/* spk_bad_part_of: of a partition that has ended, or NULL. */
SPK_COLD const spk_bad_part *spk_bad_part_of(spk_bad *bad, int partition);

#endif
