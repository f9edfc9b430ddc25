/* SPDX-License-Identifier: Apache-2.0 */
/* Iterators, as functions of partitions and groups read them: over spans of rows that stand side by
 * side, one span after the other. */
#ifndef SPK_EXEC_ITERATOR_H
#define SPK_EXEC_ITERATOR_H

#include "exec/step.h"

struct spark_iterator {
    const char *at, *end; /* of the span */
    size_t size;
    /* refill: the next span that is not empty; false: there is none. */
    bool (*refill)(spark_iterator *in);
    const void *source; /* of refill */
    uint64_t place;     /* likewise */
    spark_emitter *out; /* a new element begins with every call; may be NULL */
    spark_task *task;
    char *shown; /* check mode: elements are handed out as copies that the next call poisons */
};

#endif
