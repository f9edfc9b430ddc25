/* SPDX-License-Identifier: Apache-2.0 */
/* Which signals the threads of the library leave to the application's. */
#ifndef SPK_BASE_SIGNALS_H
#define SPK_BASE_SIGNALS_H

#include "base/cold.h"
#include <signal.h>
#include <stdbool.h>

/* spk_signals_block: blocks all signals in this thread, for threads that it starts to inherit, but
 * those that a function causes by what it does: the system ends a process at once where such a one
 * is blocked, whatever handler there is. *before: what to restore with pthread_sigmask. */
SPK_COLD void spk_signals_block(sigset_t *before);

/* spk_held_signal: between spk_signal_hold and spk_signal_let a call that would end the process by this signal (a closed
 * pipe, a file that grows too large) fails alone, whatever thread this is. caused: it has failed so: the signal that it
 * left is taken away, unless there was one before. errno stays. */
typedef struct spk_held_signal {
    int signal;
    bool was_pending;
    sigset_t before;
} spk_held_signal;
SPK_COLD void spk_signal_hold(spk_held_signal *held, int signal);
SPK_COLD void spk_signal_let(const spk_held_signal *held, bool caused);

#endif
