/* SPDX-License-Identifier: Apache-2.0 */
/* Works that go over n rows in memory, round after round: each round adds all rows to a sum under
 * the model of the round, and moves the model by that sum. */
#ifndef BENCH_ROUNDS_H
#define BENCH_ROUNDS_H

#include "bench.h"

enum { ROUNDS = 10 };

/* rounds_way: the `way` of such a work. A sum begins with all its bytes zero. */
typedef struct rounds_way {
    const spark_type *row, *model, *sum;
    void (*row_at)(int64_t i, void *row);
    void (*start)(void *model);
    void (*move)(void *model, const void *sum);
    bench_answer (*answer)(const void *model, const void *sum); /* the sum of the last round */
    const spark_map_def *make;                                  /* with libspark: row_at */
    const spark_merge_def *add, *combine; /* a row, a sum, added to a sum; their env is the model */
    void (*by_hand)(void *sum, const void *rows, size_t n, const void *model);
    void (*another_way)(void *sum, int64_t n, const void *model); /* which makes its rows itself */
} rounds_way;

extern const bench_impl rounds_with_spark, rounds_by_hand;

/* rounds_expect: the answer by rounds of another_way. */
bench_answer rounds_expect(const bench_options *options);

#endif
