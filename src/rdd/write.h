/* SPDX-License-Identifier: Apache-2.0 */
/* Saving with options (spark/save.h): what writers do besides making text of rows. A writer is a saver
 * (rdd/save.h), as for saving without; which files its text goes to is not its business. */
#ifndef SPK_RDD_WRITE_H
#define SPK_RDD_WRITE_H

#include "base/secret.h"
#include "io/charset.h"
#include "io/encoder.h"
#include "io/save_dir.h"
#include "rdd/save.h"

/* spk_write_parts: options NULL: the defaults. The action is over when it returns: a failure is raised. */
SPK_COLD spark_status spk_write_parts(spark_site at, spark_rdd *rdd, const char *path,
    const spk_saver *saver, const spark_save_options *options);

/* spk_write_lines: texts, or what spark_print makes of other elements, a line each, as files with names that end in
 * extension. */
SPK_COLD spark_status spk_write_lines(
    spark_site at, spark_rdd *rdd, const char *path, const char *extension, const spark_save_options *options);

/* spk_write_fits: SPARK_ETYPE: rdd has rows of a result of SQL, through whatever keeps their type, with a column
 * that such files have not. rdd is not NULL. */
SPK_COLD spark_status spk_write_fits(const spark_rdd *rdd, bool json, spk_failure *failure);

/* ---- between its files */

/* spk_write_plan: of the job. */
typedef struct spk_write_plan {
    spk_save_dir dir;
    const spk_saver *saver;
    const spk_layout *layout; /* of rows as the saver is to see them: */
    spk_layout narrow;        /* without the columns of partition_by, which lie where they lay */
    spark_type narrow_type;
    spark_field *fields;
    const spark_field **keys; /* those of partition_by */
    uint32_t n_keys;
    const spark_field *only;
    const spk_codec *codec;
    spk_charset charset;
    uint64_t most; /* rows of a file */
    int parts;
} spk_write_plan;

typedef struct spk_write_keys spk_write_keys;

/* spk_write: of an attempt. */
typedef struct spk_writing {
    spk_part_sink sink; /* first */
    spk_save_state *state;
    const spk_write_plan *plan;
    spk_watch watch;
    spk_encoder encoder;
    spk_tree_path path; /* of its file */
    int files;          /* begun so far */
    uint64_t rows;      /* in the file that is open */
    bool begun;         /* text of it has come */
    spk_write_keys *keys;
} spk_writing;

/* spk_write_file: the path of the n-th file of an attempt in the directory `below` the attempt's ("" or
 * "/a=1/b=2"). packed: with the codec's suffix. */
SPK_COLD spk_tree_path spk_write_file(
    const spk_writing *writing, const char *below, int n, bool packed);
/* spk_write_recoded: n bytes of UTF-8, rows, in the encoding of the plan, to `put`, in pieces. *begun: false at the
 * begin of a file. */
SPK_COLD spark_status spk_write_recoded(spk_writing *writing, bool *begun, const char *bytes, size_t n,
    spark_status (*put)(spk_writing *writing, const char *bytes, size_t n, spk_failure *failure),
    spk_failure *failure);
/* spk_write_fail: the task fails; false. */
SPK_COLD bool spk_write_fail(spk_writing *writing, const spk_failure *failure);

/* spk_write_keys_begin, _take, _end: of rows that go to directories for their values. _free: NULL is fine. */
bool spk_write_keys_begin(spk_writing *writing);
bool spk_write_keys_take(spk_writing *writing, spk_batch batch);
bool spk_write_keys_end(spk_writing *writing);
void spk_write_keys_free(spk_write_keys *keys);

#endif
