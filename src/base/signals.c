/* SPDX-License-Identifier: Apache-2.0 */
#include "base/signals.h"

void spk_signals_block(sigset_t *before)
{
    static const int caused[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS };
    sigset_t others;
    sigfillset(&others);
    for (size_t i = 0; i < sizeof caused / sizeof *caused; i++)
        sigdelset(&others, caused[i]);
    pthread_sigmask(SIG_SETMASK, &others, before);
}
