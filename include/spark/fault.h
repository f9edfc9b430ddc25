/* SPDX-License-Identifier: Apache-2.0 */
/* The fault plan: what goes wrong, where, in a run that is to be disturbed: spark_conf.faults.
 * Spark has none: its tests kill processes. */
#ifndef SPARK_FAULT_H
#define SPARK_FAULT_H

#include <spark/base.h>

SPARK_BEGIN_DECLS

/* spark_fault: one line of a fault plan, for tests of your own programs: a fault happens where job,
 * stage, partition and attempt all match; SPARK_ANY matches everything. Jobs count from 0 in the
 * order they were started; a stage is named by its position in its job, parents first, so the
 * result stage of a job with one shuffle is 1, also where the stage before is skipped. Stages above
 * a shuffle whose outputs are all there do not exist; those that turn out to be needed because
 * outputs are lost come behind the result stage. Attempts count from 0 for each task of a job, and go
 * on when its stage is submitted again for outputs that were lost: so whatever a plan does to first
 * attempts, a job comes to its end. (Spark's attempt numbers begin anew with each attempt of a stage.)
 *
 * The kinds from SPARK_FAULT_ALLOC on are calls that fail. A line with one of them counts the calls
 * of its kind that match, over the whole context; the one with number `nth` (from 1 on; 0: 1)
 * fails, and `times` - 1 after it (0: it alone; SPARK_ANY: all). With a `rate`, nth and times do
 * not matter: each call fails with this probability. It fails with `error`, an errno (0: what
 * stands beside the kind), and is not made; with `most`, reads and writes are made instead, of so
 * many bytes at most. What the program's own threads do for the context (listing input files,
 * beginning and ending a save, merging results) matches SPARK_ANY alone: so with .attempt = 0 a
 * plan harms the first attempts of tasks and nothing else, and every job still gets done.
 *
 * What can be replayed. A task's faults (TASK to HANG), and calls that fail at a rate, depend on
 * the plan and on job, stage, partition, attempt and the number of the call within the attempt,
 * never on time or threads: one seed hits the same places again, as long as jobs are started in the
 * same order and attempts make the same calls; what they do for want of memory (spilling, evicting)
 * and for whom (a cached block is computed by who comes first) is only the same with one thread. So
 * is what a line with `nth` counts, unless partition and attempt are given. Results never depend on
 * any of it: they have the same bytes, or there is an error. */
typedef enum spark_fault_kind {
    SPARK_FAULT_TASK = 1, /* the attempt does all its work, then fails instead of publishing it */
    SPARK_FAULT_BLOCK,    /* before the attempt: the cached blocks it would read are dropped */
    SPARK_FAULT_SHUFFLE,  /* before the attempt: output `output` of each shuffle it reads is lost */
    SPARK_FAULT_RANDOM,   /* anywhere: each of the three with probability `rate`, drawn from seed,
                             job, stage, partition and attempt; never on the last permitted
                             attempt. Where there are several executors, first attempts lose theirs
                             as well, with that probability */
    SPARK_FAULT_EXECUTOR, /* the executor that the attempt runs on is lost, as by
                             spark_kill_executor, at the time that `when` says */
    SPARK_FAULT_DELAY,    /* the attempt begins delay_ms later, unless it is not wanted any more */
    SPARK_FAULT_HANG,     /* the attempt does not begin, nor end, until its job is cancelled, its
                             executor is lost, its time limit or the job's is over, or a copy of it
                             was faster */

    SPARK_FAULT_ALLOC = 32, /* memory: of data, and of what describes it in tasks, jobs and nodes
                               (ENOMEM) */
    SPARK_FAULT_OPEN,       /* opening or making a file, a directory, a pipe; locking one (EMFILE) */
    SPARK_FAULT_READ,       /* of a file, a pipe, a directory, of what stat says (EIO) */
    SPARK_FAULT_WRITE,      /* (ENOSPC) */
    SPARK_FAULT_FSYNC,      /* (EIO) */
    SPARK_FAULT_RENAME,     /* (EIO) */
    SPARK_FAULT_CLOSE,      /* of what was written; it is closed all the same (EIO) */
    SPARK_FAULT_REMOVE,     /* of a file or directory, which is left behind (EIO) */
    SPARK_FAULT_IO,         /* any of the seven above, counted together */
    SPARK_FAULT_THREAD,     /* starting a thread or a process (EAGAIN) */
    SPARK_FAULT_CORRUPT     /* a block that has been read back from disk (spilled, cached, of an
                               object file, of a checkpoint) has one bit flipped; its checksum
                               will tell */
} spark_fault_kind;

/* spark_fault_when: of SPARK_FAULT_EXECUTOR: before the attempt does anything; when the first rows have
 * come through its functions (never, when none do); when all its work is done and only publishing it is
 * left. */
typedef enum spark_fault_when {
    SPARK_FAULT_BEFORE = 0,
    SPARK_FAULT_WHILE,
    SPARK_FAULT_AFTER
} spark_fault_when;

#define SPARK_ANY (-1)

typedef struct spark_fault {
    spark_fault_kind kind;
    int job, stage, partition, attempt;
    int output;  /* SPARK_FAULT_SHUFFLE: the map partition */
    double rate; /* 0 to 1; of SPARK_FAULT_RANDOM, and of calls; 0: calls go by nth */
    uint64_t seed;
    spark_fault_when when; /* SPARK_FAULT_EXECUTOR */
    int delay_ms;          /* SPARK_FAULT_DELAY */
    uint64_t nth; /* calls: which one fails */
    int times;    /* and how many; SPARK_ANY: all from there on */
    int error;    /* and with which errno */
    size_t most;  /* or: of how many bytes it is made; 0: it fails */
} spark_fault;

/* SPARK_ANYWHERE: in a line of a plan: matches all that happens. Without it, the members that are
 * left out are 0: the first attempt of partition 0 of the first stage of the first job.
 *
 *     { SPARK_FAULT_WRITE, SPARK_ANYWHERE, .nth = 3, .error = ENOSPC } */
#define SPARK_ANYWHERE                                                                             \
    .job = SPARK_ANY, .stage = SPARK_ANY, .partition = SPARK_ANY, .attempt = SPARK_ANY

/* spark_faults_struck: how many calls (kinds from SPARK_FAULT_ALLOC on) the context's plan has made
 * fail, shortened or corrupted so far. A loop over nth has come to its end when it is 0. */
uint64_t spark_faults_struck(const spark_context *sc);

/* spark_faults_enable: whether the plan acts; it does from the beginning. While it does not,
 * nothing is counted. With it a test looks whether the context is still of use. */
void spark_faults_enable(spark_context *sc, bool enable);

SPARK_END_DECLS

#endif
