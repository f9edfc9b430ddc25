/* SPDX-License-Identifier: Apache-2.0 */
/* What the benchmark programs share. Each program is one work, done twice: with libspark, through
 * its public headers only, and by hand in plain C on one thread. A process runs one of the two,
 * once or several times, prints one JSON object per run, then checks every answer and exits 1 when
 * one is wrong. */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <spark.h>

/* bench_options: the command line; what a work does not use it ignores. */
typedef struct bench_options {
    int64_t size;     /* -n: elements */
    int64_t keys;     /* -k: distinct keys, at most */
    int threads;      /* -t: of libspark; by default the CPUs this process may use */
    int partitions;   /* -p: of the input; 0: the library's default */
    int iterations;   /* -i */
    int64_t memory;   /* -m: MiB, spark_conf.memory_bytes; 0: no limit. Inputs are not cached then */
    bool skewed;      /* -s: half of the pairs have key 0 */
    bool distinct;    /* -u: each of the -k keys comes once, twice where pairs are twice as many, ... */
    bool spark;       /* -r spark, -r plain */
    const char *out;  /* -w: write the input (word count: the whole answer) to this file and exit */
    const char *file; /* the argument */
    const void *way;  /* that of the work, not of the command line */
} bench_options;

/* bench_answer: what a run found. rows and checksum are the whole answer, in a form any program can
 * compute; extra is a second number of the same kind where a work has one. */
typedef struct bench_answer {
    uint64_t rows, checksum, extra;
    double seconds; /* not 0: the work timed itself, and this counts */
} bench_answer;

/* bench_impl: one way to do the work. Only run is timed. answer is called after each run and frees
 * what that run made. */
typedef struct bench_impl {
    void *(*open)(const bench_options *options);
    void (*run)(void *state);
    bench_answer (*answer)(void *state);
    void (*close)(void *state);
} bench_impl;

typedef struct bench_work {
    const char *name;
    int64_t size, keys; /* defaults of -n and -k */
    bool needs_file;
    bench_impl spark, plain;
    const void *way; /* what tells works of one kind apart: see graph.h and rounds.h */
    /* expect: the right answer, by a formula or another way to compute it. */
    bench_answer (*expect)(const bench_options *options);
    void (*write)(const bench_options *options, FILE *out); /* -w; may be NULL */
} bench_work;

/* bench_main: parses, runs, prints and checks. For main to return. */
int bench_main(const bench_work *work, int argc, char **argv);

/* bench_die: prints "program: message" and exits 1. */
void bench_die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* bench_ok: dies with libspark's last error unless status is SPARK_OK. */
void bench_ok(spark_status status);

/* bench_context: a context with the threads and the memory of the options. */
spark_context *bench_context(const bench_options *options);

/* bench_close: the close of a state that begins with a pointer to its context: frees both. */
void bench_close(void *state);

/* bench_cached: what `make` makes of n numbers from `first` on, as an RDD that has been computed and
 * is held in memory; with a limit of memory it is made whenever it is read. */
spark_rdd *bench_cached(spark_context *sc, int64_t first, int64_t n, int partitions,
    const spark_map_def *make, const spark_env *env);

/* bench_tally: what is added up over the elements of a result. bench_tally_of: `add` has done so. */
SPARK_STRUCT(bench_tally, (uint64_t, rows), (uint64_t, checksum), (uint64_t, extra));
bench_tally bench_tally_of(spark_rdd *rdd, const spark_merge_def *add);

/* bench_alloc: malloc of n elements that dies instead of failing. bench_zeroed: they are zero. */
void *bench_alloc(size_t n, size_t size);
void *bench_zeroed(size_t n, size_t size);

/* bench_room: `old` if it has room for n elements, else new memory instead; *room is for how many. */
void *bench_room(void *old, size_t *room, size_t n, size_t size);

/* bench_resident: bytes of the process's memory that are resident. */
int64_t bench_resident(void);

/* bench_now: seconds of the monotonic clock. */
double bench_now(void);

/* bench_mix: a bijection of 64 bits whose output looks random (splitmix64's finaliser, Vigna). */
static inline uint64_t bench_mix(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

#endif
