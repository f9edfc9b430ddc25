/* SPDX-License-Identifier: Apache-2.0 */
/* A broadcast is one block of data memory: the value and, behind it, everything it points to. */
#include "plan/broadcast.h"

#include <stdlib.h>

#include "plan/rdd.h"

static void broadcast_release(spk_object *object)
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

/* usable: the context a broadcast is made in, or NULL with an error raised. */
static spark_context *usable(spark_site at, spark_context *sc, const void *value)
{
    if (!sc)
        sc = spk_context_none();
    if (sc->error)
        return spk_raise(sc->error), NULL;
    if (value)
        return sc;
    spk_raisef(SPARK_EINVAL, "broadcast", at, "broadcast at %s: no value", at);
    return NULL;
}

/* make: with room for `bytes`, which begin with the value; env: what that is. */
static spark_broadcast *make(spark_site at, spark_context *sc, size_t env, size_t bytes)
{
    spk_failure failure;
    spark_broadcast *broadcast = calloc(1, sizeof *broadcast);
    if (broadcast)
        broadcast->value = spk_heap_alloc(&sc->heap, bytes, &broadcast->capacity);
    if (!broadcast || !broadcast->value) {
        char text[300];
        if (broadcast)
            spk_failure_set(&failure, SPARK_ENOMEM, "broadcast", at, "broadcast at %s: %s", at,
                spk_heap_refusal(&sc->heap, "the value", bytes, text, sizeof text));
        else
            spk_failure_nomem(&failure, "broadcast", at);
        free(broadcast);
        return spk_raise(&failure), NULL;
    }
    broadcast->env = env;
    broadcast->sc = sc;
    atomic_init(&broadcast->refs, 1);
    spk_scope_add(sc, &broadcast->object, broadcast_release);
    return broadcast;
}

static size_t up(size_t n)
{
    return (n + 63) / 64 * 64;
}

spark_broadcast *spark_broadcast_new(
    spark_site at, spark_context *sc, const spark_type *type, const void *value)
{
    spk_failure failure;
    sc = usable(at, sc, type ? value : NULL);
    if (!sc)
        return NULL;
    const spk_layout *layout = spk_layout_for(sc, type, &failure);
    if (!layout)
        return spk_raise(&failure), NULL;
    const size_t env = layout->size | (size_t)type->kind << SPK_ENV_KIND_SHIFT;
    spark_broadcast *broadcast
        = make(at, sc, env, up(layout->size) + spk_value_bytes(layout, value));
    if (broadcast) {
        memcpy(broadcast->value, value, layout->size);
        spk_value_pack(layout, broadcast->value, broadcast->value + up(layout->size));
    }
    return broadcast;
}

spark_broadcast *spark_broadcast_index(spark_site at, spark_context *sc, const spark_index *index)
{
    spk_failure failure;
    sc = usable(at, sc, index);
    if (!sc)
        return NULL;
    const spk_layout *layout = spk_layout_for(sc, index->type, &failure);
    if (!layout)
        return spk_raise(&failure), NULL;
    const size_t size = layout->size, slots_at = up(sizeof *index);
    const size_t items_at = slots_at + up(index->n_slots * sizeof *index->slots);
    const size_t tail_at = items_at + up(index->n * size);
    size_t bytes = 0;
    for (size_t i = 0; layout->views && i < index->n; i++)
        bytes += spk_value_bytes(layout, (const char *)index->items + i * size);
    spark_broadcast *broadcast = make(at, sc, sizeof *index, tail_at + bytes + 1);
    if (!broadcast)
        return NULL;
    char *items = broadcast->value + items_at, *tail = broadcast->value + tail_at;
    memcpy(broadcast->value + slots_at, index->slots, index->n_slots * sizeof *index->slots);
    if (index->n)
        memcpy(items, index->items, index->n * size);
    for (size_t i = 0; layout->views && i < index->n; i++)
        tail = spk_value_pack(layout, items + i * size, tail);
    *(spark_index *)(void *)broadcast->value = (spark_index) { index->type, items, index->n,
        (const uint32_t *)(const void *)(broadcast->value + slots_at), index->n_slots,
        layout->key, { index->secret[0], index->secret[1] } };
    return broadcast;
}

void spark_broadcast_destroy(spark_broadcast *broadcast)
{
    if (broadcast)
        atomic_store(&broadcast->destroyed, true);
}

const void *spark_broadcast_value(const spark_broadcast *broadcast)
{
    return broadcast && !atomic_load(&broadcast->destroyed) ? broadcast->value : NULL;
}
