/* SPDX-License-Identifier: Apache-2.0 */
/* A broadcast is one block of data memory: the value and, behind it, everything it points to. */
#include "plan/broadcast.h"

#include <stdlib.h>

#include "plan/rdd.h"

static void release(spk_object *object)
{
    spk_broadcast_unref((spark_broadcast *)(void *)object);
}

void spk_broadcast_ref(spark_broadcast *broadcast)
{
    atomic_fetch_add_explicit(&broadcast->refs, 1, memory_order_relaxed);
}

void spk_broadcast_unref(spark_broadcast *broadcast)
{
    if (!broadcast || atomic_fetch_sub_explicit(&broadcast->refs, 1, memory_order_acq_rel) != 1)
        return;
    spk_heap_free(&broadcast->sc->heap, broadcast->value, broadcast->capacity);
    free(broadcast);
}

size_t spk_broadcast_size(const spark_broadcast *broadcast)
{
    return broadcast->layout->size;
}

spark_broadcast *spark_broadcast_new(
    spark_site at, spark_context *sc, const spark_type *type, const void *value)
{
    spk_failure failure;
    if (!sc)
        sc = spk_context_none();
    if (sc->error.code != SPARK_OK)
        return spk_raise(&sc->error), NULL;
    if (!type || !value) {
        spk_raisef(SPARK_EINVAL, "broadcast", at, "broadcast at %s: no value", at);
        return NULL;
    }
    const spk_layout *layout = spk_layout_for(sc, type, &failure);
    if (!layout)
        return spk_raise(&failure), NULL;
    spark_broadcast *broadcast = calloc(1, sizeof *broadcast);
    const size_t head = (layout->size + 63) / 64 * 64;
    char *copy = broadcast
        ? spk_heap_alloc(&sc->heap, head + spk_value_bytes(layout, value), &broadcast->capacity)
        : NULL;
    if (!copy) {
        free(broadcast);
        spk_failure_nomem(&failure, "broadcast", at);
        return spk_raise(&failure), NULL;
    }
    memcpy(copy, value, layout->size);
    spk_value_pack(layout, copy, copy + head);
    broadcast->value = copy;
    broadcast->sc = sc;
    broadcast->layout = layout;
    atomic_init(&broadcast->refs, 1);
    spk_scope_add(sc, &broadcast->object, release);
    return broadcast;
}

const void *spark_broadcast_value(const spark_broadcast *broadcast)
{
    return broadcast ? broadcast->value : NULL;
}
