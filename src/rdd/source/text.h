/* SPDX-License-Identifier: Apache-2.0 */
/* An RDD of lines, for those who say what files it reads. */
#ifndef SPK_RDD_SOURCE_TEXT_H
#define SPK_RDD_SOURCE_TEXT_H

#include "rdd/source/files_rdd.h"

/* spk_text_rdd: path NULL: of no files, or of those that the caller puts into the node (spk_files_rdd). */
spark_rdd *spk_text_rdd(spk_verb *v, const char *path, int partitions, bool *made);

#endif
