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

/* spk_signals_hold: from here to spk_signals_let a write past the limit of file sizes is an error of the call, EFBIG,
 * whatever thread this is, and no signal that ends the process. too_large: there was such an error; errno stays. */
SPK_COLD void spk_signals_hold(sigset_t *before);
SPK_COLD void spk_signals_let(const sigset_t *before, bool too_large);

#endif
