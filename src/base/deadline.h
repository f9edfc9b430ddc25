/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting until a time, on a clock that nobody sets. */
#ifndef SPK_BASE_DEADLINE_H
#define SPK_BASE_DEADLINE_H

#include <pthread.h>
#include <stdint.h>
#include <time.h>

/* spk_deadline: in ms from now (0 for less), on the clock of the conditions that
 * spk_deadline_cond_init makes. */
struct timespec spk_deadline(int64_t ms);
/* spk_now: nanoseconds of that clock; some 20 of them pass meanwhile. spk_clock_ms: a coarse one, which costs a few. */
int64_t spk_now(void);
int64_t spk_clock_ms(void);
void spk_deadline_cond_init(pthread_cond_t *condition);

#endif
