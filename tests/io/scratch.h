/* SPDX-License-Identifier: Apache-2.0 */
/* A directory for each test, and the little that is done with files in it. */
#ifndef TEST_IO_SCRATCH_H
#define TEST_IO_SCRATCH_H

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "spark_test.h"

/* SCRATCH_IN_MEMORY: defined as 1 by tests that write very many files. */
#ifndef SCRATCH_IN_MEMORY
#define SCRATCH_IN_MEMORY 0
#endif

/* scratch_enter: makes a directory and goes there. scratch_leave: goes back and removes it. */
static int scratch_before = -1;
static char scratch_path[64];

static inline int scratch_remove(
    const char *path, const struct stat *info, int kind, struct FTW *at)
{
    (void)info, (void)kind, (void)at;
    return remove(path);
}

static inline int scratch_enter(void **state)
{
    (void)state;
    scratch_before = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool memory = SCRATCH_IN_MEMORY && access("/dev/shm", W_OK) == 0;
    strcpy(scratch_path, memory ? "/dev/shm/spark-io-XXXXXX" : "/tmp/spark-io-XXXXXX");
    return scratch_before < 0 || mkdtemp(scratch_path) == NULL || chdir(scratch_path) != 0;
}

static inline int scratch_leave(void **state)
{
    (void)state;
    int status = fchdir(scratch_before);
    close(scratch_before);
    nftw(scratch_path, scratch_remove, 16, FTW_DEPTH | FTW_PHYS);
    return status;
}

#define scratch_test(f) cmocka_unit_test_setup_teardown(f, scratch_enter, scratch_leave)

static inline void scratch_write(const char *path, const void *bytes, size_t n)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, n), n);
    assert_int_equal(close(fd), 0);
}

/* scratch_read: the bytes of a file, at most size; how many. */
static inline size_t scratch_read(const char *path, char *bytes, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    ssize_t n = read(fd, bytes, size);
    assert_true(n >= 0);
    close(fd);
    return (size_t)n;
}

/* scratch_random: the same numbers in every run. */
static inline uint32_t scratch_random(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*seed >> 33);
}

#endif
