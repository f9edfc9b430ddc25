/* SPDX-License-Identifier: Apache-2.0 */
#include "base/signals.h"

#include <errno.h>
#include <time.h>

void spk_signals_block(sigset_t *before)
{
    static const int caused[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS };
    sigset_t others;
    sigfillset(&others);
    for (size_t i = 0; i < sizeof caused / sizeof *caused; i++)
        sigdelset(&others, caused[i]);
    pthread_sigmask(SIG_SETMASK, &others, before);
}

static void too_large_a_file(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGXFSZ);
}

void spk_signals_hold(sigset_t *before)
{
    sigset_t held;
    too_large_a_file(&held);
    pthread_sigmask(SIG_BLOCK, &held, before);
}

void spk_signals_let(const sigset_t *before, bool too_large)
{
    const struct timespec now = { 0, 0 };
    const int error = errno;
    sigset_t held;
    too_large_a_file(&held);
    if (too_large && !sigismember(before, SIGXFSZ))
        sigtimedwait(&held, NULL, &now);
    pthread_sigmask(SIG_SETMASK, before, NULL);
    errno = error;
}
