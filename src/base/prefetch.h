/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that is needed soon. GCC takes a function that only prefetches for one that does nothing, and leaves its
 * calls out: __builtin_prefetch by itself is no effect, an empty asm is one. */
#ifndef SPK_BASE_PREFETCH_H
#define SPK_BASE_PREFETCH_H

/* spk_prefetch: the line of p, which need not be valid, into the nearest cache. */
static inline void spk_prefetch(const void *p)
{
    __builtin_prefetch(p);
    __asm__ volatile("");
}

#endif
