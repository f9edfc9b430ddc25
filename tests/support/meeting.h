/* SPDX-License-Identifier: Apache-2.0 */
/* Meetings: tasks that wait until so many of them have begun, so that it is claims alone that decide where they
 * run, and no clock. */
#ifndef MEETING_H
#define MEETING_H

#include <stdatomic.h>
#include <time.h>

#include <spark.h>

/* meeting: of n tasks, of which each counts once, by its first element. */
typedef struct meeting {
    atomic_int begun;
    int n;
} meeting;
typedef meeting *meeting_of;

static inline void meeting_wait(meeting_of m, const spark_task *task)
{
    while (atomic_load(&m->begun) < m->n && !spark_cancelled(task))
        nanosleep(&(struct timespec) { 0, 100000 }, NULL);
}

/* meets: of partitions of one element. */
SPARK_FILTER(meets, int64_t, meeting_of)
{
    (void)in;
    atomic_fetch_add(&(*env)->begun, 1);
    meeting_wait(*env, task);
    return true;
}

/* the_first_waits: partition 0, until all others have begun. */
SPARK_PARTITIONS(the_first_waits, int64_t, int64_t, meeting_of)
{
    const int64_t *x = spark_next(in);
    atomic_fetch_add(&(*env)->begun, 1);
    if (spark_task_partition(task) == 0)
        meeting_wait(*env, task);
    for (; x; x = spark_next(in))
        if (!spark_emit(out, *x))
            return;
}

#endif
