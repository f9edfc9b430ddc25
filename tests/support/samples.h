/* SPDX-License-Identifier: Apache-2.0 */
/* Elements for the tests of actions: numbers, some of them often, words of all lengths, people; and
 * functions of them. */
#ifndef SAMPLES_H
#define SAMPLES_H

#include "actions.h"

#define ROWS 300

SPARK_PAIR(i32_i64, int32_t, int64_t);
SPARK_STRUCT(person, (spark_str, name), (int32_t, age));
SPARK_ORDER(by_age, person, (asc, age));
SPARK_ORDER(by_age_down, person, (desc, age));

static int64_t numbers[ROWS];
static spark_str words[ROWS];
static char pool[ROWS][40];

/* fill: makes them; the same ones for the same seed. */
static inline void fill(uint64_t seed)
{
    for (size_t i = 0; i < ROWS; i++) {
        numbers[i] = (int64_t)oracle_below(&seed, 200) - 100;
        int n = snprintf(pool[i], sizeof pool[i], "%.*s%d", (int)oracle_below(&seed, 30),
            "words of rather different lengths", (int)oracle_below(&seed, 10));
        words[i] = (spark_str) { pool[i], oracle_below(&seed, 12) == 0 ? 0 : (size_t)n };
    }
}

SPARK_FILTER(nothing, int64_t)
{
    return *in != *in;
}
SPARK_FILTER(no_word, spark_str)
{
    return in->ptr == NULL && in->len > 0;
}
SPARK_FILTER(more_than, int64_t, int64_t)
{
    return *in > *env;
}
SPARK_MAP(fail_at, int64_t, int64_t, int64_t)
{
    if (*in == *env)
        spark_fail(task, "met %lld", (long long)*in);
    *out = *in;
}

#endif
