/* SPDX-License-Identifier: Apache-2.0 */
/* Parcels: events of tasks on their way from lanes to listeners, in the order in which they happened: one copy, which
 * all queues share, and which nobody changes. */
#ifndef SPK_LISTEN_PARCEL_H
#define SPK_LISTEN_PARCEL_H

#include "listen/lane.h"

/* spk_parcel: starts, ends, bad: which of its events are such, as bits; bad: ends of attempts that did not succeed.
 * at: where each stands, beginning with the parcel; from: its lane, which only those look at that hold its lock. */
typedef struct spk_parcel {
    struct spk_parcel *next; /* of spare ones */
    struct spk_bus *bus;
    atomic_int refs;
    int n;
    bool whole, pads; /* whole: as large as can be; pads: some event has one */
    uint64_t starts, ends, bad;
    uint16_t at[SPK_LANE];
    spk_lane *from[SPK_LANE];
} spk_parcel;

/* spk_parcel_new: copies of n events, at most SPK_LANE; of their pads the references become those of the parcel. NULL: no
 * memory. spk_parcel_free: of spare ones. */
spk_parcel *spk_parcel_new(struct spk_bus *bus, spk_event *const *events, spk_lane *const *from, size_t n);
void spk_parcel_unref(spk_parcel *parcel);
SPK_COLD void spk_parcels_free(struct spk_bus *bus);

static inline const spk_event *spk_parcel_event(const spk_parcel *parcel, int i)
{
    return (const spk_event *)(const void *)((const char *)parcel + parcel->at[i]);
}

#endif
