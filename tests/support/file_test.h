/* SPDX-License-Identifier: Apache-2.0 */
/* The fixture of tests of the public interface that read and write files. */
#ifndef FILE_TEST_H
#define FILE_TEST_H

#include "io/scratch.h"
#include "oracle.h"

static inline int file_enter(void **state)
{
    return oracle_setup(state) || scratch_enter(state);
}

static inline int file_leave(void **state)
{
    const int status = scratch_leave(state);
    return oracle_teardown(state) || status;
}

/* file_test: an oracle_test in a directory of its own. */
#define file_test(f) cmocka_unit_test_setup_teardown(f, file_enter, file_leave)

#endif
