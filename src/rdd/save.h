/* SPDX-License-Identifier: Apache-2.0 */
/* Saving: a directory of part files, one a partition, each written by the attempt that wins. */
#ifndef SPK_RDD_SAVE_H
#define SPK_RDD_SAVE_H

#include "io/output.h"
#include "scheduler/job.h"

/* saver: what goes into a part; start and end (either may be NULL) and take as those of actions. */
typedef struct spk_saver spk_saver;
typedef struct spk_save_state {
    spk_state head;
    const spk_layout *layout;
    const spk_saver *saver;
    spk_part part;
    int parts;     /* in all */
    spk_rows rows; /* the saver's, as is what follows */
    uint64_t written;
    bool open;
    const spark_field *only; /* the member that is written of rows with partition_by: set for savers of lines */
    struct spk_writing *writing; /* rdd/write.h */
} spk_save_state;
struct spk_saver {
    const char *name; /* of the action */
    const char *extension; /* of files written with options: ".csv"; NULL: they take no codec and no
                            * partition_by. Such a saver looks at the type of layout alone, whose fields are
                            * those that are written, and begins and ends each file with start and end */
    bool lines;            /* an element is a line: with partition_by one member is written, `only` */
    bool (*start)(spk_save_state *state);
    bool (*take)(void *state, spk_batch batch);
    bool (*end)(spk_save_state *state);
};
SPK_COLD spark_status spk_save_parts(
    spark_site at, spark_rdd *rdd, const char *path, const spk_saver *saver);
/* spk_save_run: the same for a prepared RDD, without the checks; scratch: files that need not
 * outlive the process. */
SPK_COLD spark_status spk_save_run(spark_site at, spark_rdd *rdd, const char *path, bool scratch,
    const spk_saver *saver, spk_failure *failure);
/* spk_save_room: room for n bytes in the part, to be added to part.used. NULL: the task has failed. */
char *spk_save_room(spk_save_state *state, size_t n);

/* spk_save_lines: take of savers that write an element a line, in the form of spark_print. */
bool spk_save_lines(void *state, spk_batch batch);

#endif
