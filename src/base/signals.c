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

static sigset_t alone(int signal)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, signal);
    return set;
}

void spk_signal_hold(spk_held_signal *held, int signal)
{
    const sigset_t set = alone(signal);
    sigset_t pending;
    held->signal = signal;
    held->was_pending = false;
    pthread_sigmask(SIG_BLOCK, &set, &held->before);
    if (sigismember(&held->before, signal)) { /* else it cannot be */
        sigpending(&pending);
        held->was_pending = sigismember(&pending, signal) == 1;
    }
}

void spk_signal_let(const spk_held_signal *held, bool caused)
{
    const struct timespec now = { 0, 0 };
    const sigset_t set = alone(held->signal);
    const int error = errno;
    if (caused && !held->was_pending)
        sigtimedwait(&set, NULL, &now);
    pthread_sigmask(SIG_SETMASK, &held->before, NULL);
    errno = error;
}
