/* SPDX-License-Identifier: Apache-2.0 */
/* Plans in print, with or without what else is known of stages and RDDs. */
#ifndef SPK_RDD_NODE_EXPLAIN_H
#define SPK_RDD_NODE_EXPLAIN_H

#include <spark/explain.h>

#include "plan/shuffle.h"

/* spk_explain_more: what is said instead of what will become of a stage (shuffle: that it fills; NULL: that of the
 * result), and beside the facts of an RDD, each fact by one call of say. */
typedef void spk_say(void *to, const char *text);
typedef struct spk_explain_more {
    void *env;
    void (*stage)(void *env, const spk_shuffle *shuffle, spk_say *say, void *to);
    void (*rdd)(void *env, const spark_rdd *rdd, spk_say *say, void *to);
} spk_explain_more;

/* spk_explain_text, _graph: of an RDD that spk_explain_check has found to be fine, n bytes; more may be NULL; NULL:
 * no memory. spk_explain_finish: writes that, and frees it. */
SPK_COLD spark_status spk_explain_check(const char *operation, spark_site at, spark_rdd *rdd, FILE *to);
SPK_COLD char *spk_explain_text(spark_rdd *rdd, const spk_explain_more *more, size_t *n);
SPK_COLD char *spk_explain_graph(spark_rdd *rdd, const spk_explain_more *more, size_t *n);
SPK_COLD spark_status spk_explain_finish(const char *operation, spark_site at, FILE *to, char *text, size_t n);

#endif
