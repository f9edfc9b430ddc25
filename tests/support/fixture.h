/* SPDX-License-Identifier: Apache-2.0 */
/* The fixture of tests inside the library that need a heap and types. */
#ifndef FIXTURE_H
#define FIXTURE_H

#include <stdlib.h>

#include "base/heap.h"
#include "support/spark_test.h"
#include "type/layout.h"

typedef struct fixture {
    spk_heap heap;
    spk_types *types;
} fixture;

static inline int fixture_open(void **state)
{
    fixture *f = malloc(sizeof *f);
    if (!f)
        return -1;
    spk_heap_init(&f->heap, 0);
    f->types = spk_types_new();
    *state = f;
    return 0;
}

static inline int fixture_close(void **state)
{
    fixture *f = *state;
    const bool given_back = f->heap.mapped == f->heap.cached;
    spk_types_free(f->types);
    spk_heap_fini(&f->heap);
    free(f);
    return given_back ? 0 : -1;
}

/* fixture_test: a test whose *state is a fixture; all it took from the heap must be given back. */
#define fixture_test(f) cmocka_unit_test_setup_teardown(f, fixture_open, fixture_close)

#endif
