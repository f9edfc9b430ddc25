/* SPDX-License-Identifier: Apache-2.0 */
/* A write past the limit of file sizes fails alone: the process goes on, and no signal waits for whoever lets it
 * in later; one that waited before still does. */
#include "support/spark_test.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/sys.h"

static bool waits(void)
{
    sigset_t pending;
    sigpending(&pending);
    return sigismember(&pending, SIGXFSZ) == 1;
}

/* too_large: writes beyond a limit of 4096 bytes, in each of the ways. */
static void too_large(void)
{
    static const char some[16];
    struct rlimit before;
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    const struct rlimit little = { 4096, before.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
    const ssize_t placed = spk_pwrite(fileno(file), some, sizeof some, 8192);
    const int place_error = errno, cut = spk_ftruncate(fileno(file), 8192), cut_error = errno;
    const off_t at = lseek(fileno(file), 8192, SEEK_SET);
    const ssize_t written = spk_write(fileno(file), some, sizeof some);
    const int write_error = errno;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    fclose(file);
    assert_true(at == 8192 && placed == -1 && cut == -1 && written == -1);
    assert_true(place_error == EFBIG && cut_error == EFBIG && write_error == EFBIG);
}

static void test_writes__past_the_limit_fail_alone(void **state)
{
    (void)state;
    too_large();
    assert_false(waits());
}

static void test_signals__that_are_blocked_do_not_wait(void **state)
{
    sigset_t own, before;
    const struct timespec now = { 0, 0 };
    (void)state;
    sigemptyset(&own);
    sigaddset(&own, SIGXFSZ);
    pthread_sigmask(SIG_BLOCK, &own, &before);
    too_large();
    assert_false(waits());
    raise(SIGXFSZ);
    too_large();
    assert_true(waits());
    assert_int_equal(sigtimedwait(&own, NULL, &now), SIGXFSZ);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_writes__past_the_limit_fail_alone),
        cmocka_unit_test(test_signals__that_are_blocked_do_not_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
