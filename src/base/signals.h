/* SPDX-License-Identifier: Apache-2.0 */
/* Which signals the threads of the library leave to the application's. */
#ifndef SPK_BASE_SIGNALS_H
#define SPK_BASE_SIGNALS_H

#include "base/cold.h"
#include <signal.h>

/* spk_signals_block: blocks all signals in this thread, for threads that it starts to inherit, but
 * those that a function causes by what it does: the system ends a process at once where such a one
 * is blocked, whatever handler there is. *before: what to restore with pthread_sigmask. */
SPK_COLD void spk_signals_block(sigset_t *before);

#endif
