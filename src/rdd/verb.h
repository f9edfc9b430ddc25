/* SPDX-License-Identifier: Apache-2.0 */
/* How a verb is written: begin, say what it wants, make the node. The first thing that is wrong
 * stays, makes all later steps do nothing, and comes back as an RDD that carries the error. */
#ifndef SPK_RDD_VERB_H
#define SPK_RDD_VERB_H

#include "exec/chain.h"
#include "exec/emit.h"

typedef struct spk_verb {
    spark_site at;
    const char *operation, *function;
    spark_context *sc;
    size_t n;
    spark_rdd *const *parents;
    spk_env env;
    spark_rdd *bad;
    const spk_layout *in; /* of the first parent */
} spk_verb;

/* spk_function: what a verb asks of a definition; of one that is NULL or cannot be called: not usable,
 * all else zero. SPK_FUNCTION: that, where `in` and `out` are its types, or NULL. */
typedef struct spk_function {
    const char *name;
    size_t env_size;
    const spark_type *in, *out;
    bool usable;
} spk_function;
#define SPK_FUNCTION(f, usable, in, out)                                                           \
    ((usable) ? (spk_function) { (f)->name, (f)->env_size, in, out, true }                         \
              : (spk_function) { NULL, 0, NULL, NULL, false })

/* spk_verb_begin: on n parents; function: NULL where the verb takes none; env is taken over in any
 * case. */
SPK_COLD void spk_verb_begin(spk_verb *v, spark_site at, const char *operation,
    const spk_function *function, size_t n, spark_rdd *const *parents, const spark_env *env);
/* spk_verb_source: without parents. */
SPK_COLD void spk_verb_source(spk_verb *v, spark_site at, const char *operation, spark_context *sc);

SPK_COLD void spk_verb_fail(spk_verb *v, spark_status code, const char *format, ...)
    SPARK_FORMAT_(3, 4);
SPK_COLD void spk_verb_fail_with(spk_verb *v, const spk_failure *failure);
/* spk_verb_fail_as: that of what ran at the call, in the name of the verb where it has no other. */
SPK_COLD void spk_verb_fail_as(spk_verb *v, spk_failure *failure);
/* spk_verb_want: have must read as want; NULL: anything. */
SPK_COLD void spk_verb_want(spk_verb *v, const spark_type *want, const spk_layout *have);
/* spk_verb_pairs: the parent's elements must be pairs. */
SPK_COLD void spk_verb_pairs(spk_verb *v, const spk_layout *have);
/* spk_verb_layout: NULL when the verb has failed, or for no type. */
SPK_COLD const spk_layout *spk_verb_layout(spk_verb *v, const spark_type *type);
/* spk_verb_values: of a function of values from `in` to `out`: the parent's pairs with other values. */
SPK_COLD const spk_layout *spk_verb_values(spk_verb *v, const spark_type *in,
    const spark_type *out);
/* spk_verb_no_type: there is no type of these members: too deep, too large, or no memory. */
SPK_COLD void spk_verb_no_type(spk_verb *v, size_t n, const spark_type *const members[]);
SPK_COLD const spk_layout *spk_verb_pair(spk_verb *v, const spk_layout *key,
    const spk_layout *value);

/* spk_verb_make: the node, or what is wrong; *made tells. The environment goes to the node. */
SPK_COLD spark_rdd *spk_verb_make(
    spk_verb *v, const spk_class *class, size_t size, const spk_layout *layout, bool *made);

/* spk_verb_path: a copy of path in *slot of a node that was made, which is named by it. */
SPK_COLD spark_rdd *spk_verb_path(spk_verb *v, spark_rdd *node, char **slot, const char *path);

/* spk_verb_undo: a made node that could not be completed: an error RDD instead. */
SPK_COLD spark_rdd *spk_verb_undo(spk_verb *v, spark_rdd *node, const spk_failure *failure);

/* spk_verb_target: the partitioner that was asked for must be of this context, and take such keys.
 */
SPK_COLD void spk_verb_target(spk_verb *v, const spark_partitioner *asked, const spk_layout *key);

/* spk_verb_placed: the partitioner of parent i, known, or NULL. */
SPK_COLD const spark_partitioner *spk_verb_placed(spk_verb *v, size_t i);

#endif
