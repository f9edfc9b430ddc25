/* SPDX-License-Identifier: Apache-2.0 */
/* Broadcasts: counted, because nodes keep them alive beyond their scope. */
#ifndef SPK_PLAN_BROADCAST_H
#define SPK_PLAN_BROADCAST_H

#include <spark/shared.h>

#include "plan/context.h"

struct spark_broadcast {
    spk_object object;
    atomic_int refs;
    spark_context *sc;
    size_t env; /* what it is as an env: size and kind, as SPARK_ENV_SIZE */
    atomic_bool destroyed;
    char *value; /* the value, then what it points to */
    size_t capacity;
};

void spk_broadcast_ref(spark_broadcast *broadcast);
void spk_broadcast_unref(spark_broadcast *broadcast); /* NULL does nothing */

#endif
