/* SPDX-License-Identifier: Apache-2.0 */
/* The nodes of the table of types, shared by the two files that make them. */
#ifndef SPK_TYPE_INTERN_H
#define SPK_TYPE_INTERN_H

#include <pthread.h>

#include "type/leaf.h"

/* spk_type_node: one malloc block; of a run-time type, which it owns, the description follows
 * it. */
typedef struct spk_type_node {
    struct spk_type_node *next;
    uint64_t hash;
    const spark_type *type;
    spk_layout *layout; /* NULL until asked for */
} spk_type_node;

/* spk_types_intern: takes fresh over: into the table, or frees it when there is one like it. */
const spark_type *spk_types_intern(spk_types *types, spk_type_node *fresh);

#endif
