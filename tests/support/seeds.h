/* SPDX-License-Identifier: Apache-2.0 */
/* Seeds of tests that draw what they do: NAME_SEED in the environment runs that seed alone, and what it draws
 * is printed; with NAME_RUNS as well, so many from there on; else `quick` of them under a sanitizer, `runs`
 * without. */
#ifndef SEEDS_H
#define SEEDS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "slow.h"

typedef struct seeds {
    uint64_t first, n;
    bool verbose;
} seeds;

static inline seeds seeds_of(const char *name, uint64_t runs, uint64_t quick)
{
    char variable[64];
    snprintf(variable, sizeof variable, "%s_SEED", name);
    const char *seed = getenv(variable);
    snprintf(variable, sizeof variable, "%s_RUNS", name);
    const char *many = getenv(variable);
    return (seeds) { seed ? strtoull(seed, NULL, 10) : 1,
        many ? strtoull(many, NULL, 10) : seed ? 1 : TESTS_ARE_SLOW ? quick : runs, seed && !many };
}

#endif
