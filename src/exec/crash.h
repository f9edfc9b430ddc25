/* SPDX-License-Identifier: Apache-2.0 */
/* Reports of crashes inside functions: see crash.c. */
#ifndef SPK_EXEC_CRASH_H
#define SPK_EXEC_CRASH_H

#include "base/cold.h"
#include "exec/task.h"

/* spk_crash_begin: a context wants reports; the first one installs the handlers. spk_crash_end: one
 * less; with the last one, what was there before comes back. */
SPK_COLD void spk_crash_begin(void);
SPK_COLD void spk_crash_end(void);

/* Of a context that wants reports. spk_crash_enter: this thread runs functions of the attempt: it
 * has a stack that a handler can run on. spk_crash_leave: no longer. */
SPK_COLD void spk_crash_enter(spark_task *task);
SPK_COLD void spk_crash_leave(spark_task *task);

#endif
