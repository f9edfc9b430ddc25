/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that fail on purpose: the part of a fault plan that is about calls to the system, and who
 * is making them.
 *
 * place: on whose behalf a thread works: an attempt, or the threads of the program. A thread has at
 * most one; without a plan it has none, and then a call costs a look at one variable of the thread.
 * */
#ifndef SPK_BASE_FAULTS_H
#define SPK_BASE_FAULTS_H

#include "base/cold.h"
#include <stdatomic.h>

#include <spark/fault.h>

enum { SPK_FAULT_CALLS = SPARK_FAULT_CORRUPT - SPARK_FAULT_ALLOC + 1 };

typedef struct spk_faults spk_faults;

typedef struct spk_place {
    spk_faults *plan;
    int job, stage, partition, attempt; /* SPARK_ANY: outside tasks */
    atomic_uint calls[SPK_FAULT_CALLS]; /* so far, of each kind */
} spk_place;

/* spk_faults_new: of the lines that are about calls; *plan is NULL where there are none. The lines
 * must outlive it, and `off`: the plan does not act while it is set. False: no memory. */
SPK_COLD bool spk_faults_new(
    const spark_fault *lines, size_t n, const atomic_bool *off, spk_faults **plan);
SPK_COLD void spk_faults_free(spk_faults *plan);
/* spk_faults_struck: how many calls it has hit. */
SPK_COLD uint64_t spk_faults_struck(const spk_faults *plan);

/* spk_fault_matches: whether a number of a plan's line is this one. */
static inline bool spk_fault_matches(int wanted, int is)
{
    return wanted == SPARK_ANY || wanted == is;
}

/* spk_fault_drawn: a coin that falls with the fault's rate, and always the same way for the same
 * numbers; `salt` tells coins apart. */
SPK_COLD bool spk_fault_drawn(
    const spark_fault *fault, int job, int stage, int partition, int attempt, uint64_t salt);

/* spk_place_init: of a plan, which may be NULL, outside tasks. */
SPK_COLD void spk_place_init(spk_place *place, spk_faults *plan);
/* spk_place_enter: where the thread is from now on; NULL: nowhere. Returns where it was. */
SPK_COLD spk_place *spk_place_enter(spk_place *place);

/* SPK_AT: as the first line of a block: the thread is there until the block ends. */
static inline void spk_place_back(spk_place **before)
{
    spk_place_enter(*before);
}
#define SPK_AT(place)                                                                              \
    spk_place *spk_before __attribute__((cleanup(spk_place_back), unused)) = spk_place_enter(place)

/* spk_struck: the call of this kind that the thread is about to make fails: errno is set. n: how
 * many bytes it is about, which may become fewer; may be NULL. */
SPK_COLD bool spk_struck(spark_fault_kind kind, size_t *n);
/* spk_struck_at: the same for a thread that may be nowhere; then it is at `place`. */
SPK_COLD bool spk_struck_at(spk_place *place, spark_fault_kind kind, size_t *n);

/* spk_corrupt: what has just been read back, before its checksum is looked at. */
SPK_COLD void spk_corrupt(void *data, size_t n);

#endif
