/* SPDX-License-Identifier: Apache-2.0 */
/* What each step of a task takes, where somebody has asked for it (task->heard.watch): one clock, which belongs to one
 * step at a time. Outside of batches it always runs: so what a source does before its first batch and between them
 * (sorting, merging, reading a block of a file, which one batch in many has to pay) is known, and so is what steps do
 * at the end of a partition. While a batch is pushed through the steps it is read as it changes hands, but not in every
 * batch, so that fast steps do not become slow: in the first SPK_STOPWATCH_FIRST of a task, and in one of 16 from then
 * on, at intervals that go with no period of a source. How long all pushes took is known; what steps took in some of
 * them is their part of that.
 *
 * A batch that is pushed while another one is on its way (out of a chain inside a chain) is part of that one. */
#ifndef SPK_EXEC_WATCH_H
#define SPK_EXEC_WATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/deadline.h"

enum { SPK_STOPWATCH_FIRST = 8 };

/* spk_taken: nanoseconds of a step: in those batches in which the clock ran, and outside of batches. */
typedef struct spk_taken {
    int64_t some, outside;
} spk_taken;

/* spk_stopwatch: owner: whose time it is; NULL: nobody's. last: when that began, while the clock runs. */
typedef struct spk_stopwatch {
    spk_taken *owner;
    int64_t last, began; /* began: the outermost push */
    int64_t pushed, timed; /* how long all of these took; and those in which the clock ran */
    uint32_t pushes;
    int depth; /* pushes, and ends of partitions, inside each other */
    bool runs, inside; /* inside: a batch */
} spk_stopwatch;

/* spk_stopwatch_begin: of an attempt that begins now. */
static inline void spk_stopwatch_begin(spk_stopwatch *w, int64_t now)
{
    *w = (spk_stopwatch) { .last = now, .runs = true };
}

/* spk_stopwatch_read: what has passed is the owner's. */
static inline void spk_stopwatch_read(spk_stopwatch *w, int64_t now)
{
    if (w->owner)
        *(w->inside ? &w->owner->some : &w->owner->outside) += now - w->last;
    w->last = now;
}

/* spk_stopwatch_turn: it is the time of another one; whose it was. */
static inline spk_taken *spk_stopwatch_turn(spk_stopwatch *w, spk_taken *to)
{
    spk_taken *before = w->owner;
    if (w->runs)
        spk_stopwatch_read(w, spk_now());
    w->owner = to;
    return before;
}

/* spk_stopwatch_push, _pushed: around a batch of a source. One of 16: those whose multiple of the golden ratio has a
 * fraction below 1/16. */
static inline void spk_stopwatch_push(spk_stopwatch *w)
{
    if (w->depth++ > 0)
        return;
    w->began = spk_now();
    spk_stopwatch_read(w, w->began);
    w->inside = true;
    w->runs = w->pushes < SPK_STOPWATCH_FIRST || w->pushes * UINT32_C(0x9e3779b1) < UINT32_MAX / 16;
    w->pushes++;
}
static inline void spk_stopwatch_pushed(spk_stopwatch *w)
{
    if (--w->depth > 0)
        return;
    const int64_t now = spk_now();
    if (w->runs)
        spk_stopwatch_read(w, now);
    w->pushed += now - w->began;
    w->timed += w->runs ? now - w->began : 0;
    w->last = now;
    w->inside = false;
    w->runs = true;
}

/* spk_stopwatch_end, _ended: around what a step does at the end of its partition. */
static inline spk_taken *spk_stopwatch_end(spk_stopwatch *w, spk_taken *step)
{
    w->depth++;
    return spk_stopwatch_turn(w, step);
}
static inline void spk_stopwatch_ended(spk_stopwatch *w, spk_taken *before)
{
    spk_stopwatch_turn(w, before);
    w->depth--;
}

/* spk_stopwatch_total: what a step has taken, in all. */
static inline int64_t spk_stopwatch_total(const spk_stopwatch *w, const spk_taken *step)
{
    const double all = w->timed > 0 ? (double)w->pushed / (double)w->timed : 1;
    return step->outside + (int64_t)((double)step->some * all);
}

#endif
