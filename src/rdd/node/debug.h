/* SPDX-License-Identifier: Apache-2.0 */
/* Lineages as text, in the layout of toDebugString. */
#ifndef SPK_RDD_NODE_DEBUG_H
#define SPK_RDD_NODE_DEBUG_H

#include "plan/shuffle.h"

typedef struct spk_lineage_text {
    char *at;
    size_t n, max;
    bool good;
} spk_lineage_text;

/* spk_lineage_put: control characters, and what is no UTF-8, are U+FFFD. */
SPK_COLD void spk_lineage_put(spk_lineage_text *out, const char *text);

/* spk_lineage_notes: what is said behind the line of an RDD. block: it is the first one of a
 * stage, which fills shuffle (NULL: it is the last stage). Returns whether what is above is to
 * be written too. */
typedef struct spk_lineage_notes {
    void *env;
    bool (*line)(
        void *env, spk_lineage_text *out, const spark_rdd *rdd, bool block, const spk_shuffle *shuffle);
} spk_lineage_notes;

/* spk_lineage_write: of a prepared RDD; under plan_lock. notes may be NULL. To be freed; NULL: no
 * memory. */
SPK_COLD char *spk_lineage_write(spark_rdd *rdd, const spk_lineage_notes *notes);

#endif
