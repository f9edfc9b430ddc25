/* SPDX-License-Identifier: Apache-2.0 */
#include "listen/parcel.h"

#include <stdlib.h>
#include <string.h>

#include "listen/bus.h"

/* START: of an event that is the start of an attempt: what it measures comes with its end. SPARE: parcels that are
 * kept for what comes next; small ones are not. */
enum {
    START = (offsetof(spk_event, u.task.metrics) + 15) / 16 * 16,
    END = (sizeof(spk_event) + 15) / 16 * 16,
    HEAD = (sizeof(spk_parcel) + 15) / 16 * 16,
    WHOLE = HEAD + SPK_LANE * END,
    SMALL = 4096,
    SPARE = 32
};
_Static_assert(WHOLE <= UINT16_MAX, "places in a parcel");
_Static_assert(SPK_LANE <= 64, "a bit for each event");

static size_t size_of(const spk_event *e)
{
    return e->kind == SPK_TASK_START ? START : END;
}

static spk_parcel *room(spk_bus *bus, size_t size)
{
    spk_parcel *parcel = NULL;
    if (size > SMALL) {
        size = WHOLE;
        pthread_mutex_lock(&bus->parcel_lock);
        if ((parcel = bus->parcels)) {
            bus->parcels = parcel->next;
            bus->n_parcels--;
        }
        pthread_mutex_unlock(&bus->parcel_lock);
    }
    if (!parcel && !(parcel = malloc(size)))
        return NULL;
    parcel->whole = size == WHOLE;
    return parcel;
}

spk_parcel *spk_parcel_new(spk_bus *bus, spk_event *const *events, spk_lane *const *from, size_t n)
{
    size_t size = HEAD;
    for (size_t i = 0; i < n; i++)
        size += size_of(events[i]);
    spk_parcel *parcel = room(bus, size);
    if (!parcel)
        return NULL;
    parcel->bus = bus;
    parcel->n = (int)n;
    parcel->pads = false;
    parcel->starts = parcel->ends = parcel->bad = 0;
    atomic_init(&parcel->refs, 1);
    size = HEAD;
    for (size_t i = 0; i < n; i++) {
        const uint64_t bit = UINT64_C(1) << i;
        spk_event *e = (spk_event *)(void *)((char *)parcel + size);
        parcel->at[i] = (uint16_t)size;
        parcel->from[i] = from[i];
        if (events[i]->kind == SPK_TASK_START) {
            memcpy(e, events[i], START);
            parcel->starts |= bit;
            size += START;
            continue;
        }
        memcpy(e, events[i], sizeof *e);
        e->u.task.info.metrics = &e->u.task.metrics;
        parcel->ends |= bit;
        parcel->bad |= e->u.task.info.reason != SPARK_TASK_SUCCESS ? bit : 0;
        parcel->pads = parcel->pads || e->pads[0];
        size += END;
    }
    return parcel;
}

void spk_parcel_unref(spk_parcel *parcel)
{
    spk_bus *bus = parcel->bus;
    bool kept = false;
    if (atomic_fetch_sub_explicit(&parcel->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (int i = 0; i < parcel->n && parcel->pads; i++)
        spk_pad_unref(spk_parcel_event(parcel, i)->pads[0]);
    if (parcel->whole) {
        pthread_mutex_lock(&bus->parcel_lock);
        if ((kept = bus->n_parcels < SPARE)) {
            parcel->next = bus->parcels;
            bus->parcels = parcel;
            bus->n_parcels++;
        }
        pthread_mutex_unlock(&bus->parcel_lock);
    }
    if (!kept)
        free(parcel);
}

void spk_parcels_free(spk_bus *bus)
{
    for (spk_parcel *parcel = bus->parcels, *next; parcel; parcel = next) {
        next = parcel->next;
        free(parcel);
    }
}
