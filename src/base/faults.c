/* SPDX-License-Identifier: Apache-2.0 */
/* A line counts the calls that match it, or draws for each from its numbers. The numbers of a place
 * count within the attempt, so that what is drawn does not depend on how attempts are interleaved.
 * */
#include "base/faults.h"

#include <errno.h>
#include <stdlib.h>

#include "base/hash.h"

typedef struct line {
    const spark_fault *fault;
    _Atomic uint64_t met; /* calls that matched */
} line;

struct spk_faults {
    const atomic_bool *off;
    _Atomic uint64_t struck;
    size_t n;
    line lines[];
};

static _Thread_local spk_place *here;

__attribute__((cold)) bool spk_faults_new(
    const spark_fault *lines, size_t n, const atomic_bool *off, spk_faults **plan)
{
    size_t calls = 0;
    *plan = NULL;
    for (size_t i = 0; i < n; i++)
        calls += lines[i].kind >= SPARK_FAULT_ALLOC;
    if (calls == 0)
        return true;
    *plan = malloc(sizeof **plan + calls * sizeof(line));
    if (!*plan)
        return false;
    (*plan)->n = 0;
    (*plan)->off = off;
    atomic_init(&(*plan)->struck, 0);
    for (size_t i = 0; i < n; i++)
        if (lines[i].kind >= SPARK_FAULT_ALLOC) {
            line *l = &(*plan)->lines[(*plan)->n++];
            l->fault = &lines[i];
            atomic_init(&l->met, 0);
        }
    return true;
}

uint64_t spk_faults_struck(const spk_faults *plan)
{
    return atomic_load(&plan->struck);
}

void spk_faults_free(spk_faults *plan)
{
    free(plan);
}

__attribute__((cold)) void spk_place_init(spk_place *place, spk_faults *plan)
{
    place->plan = plan;
    place->job = place->stage = place->partition = place->attempt = SPARK_ANY;
    for (int i = 0; i < SPK_FAULT_CALLS; i++)
        atomic_init(&place->calls[i], 0);
}

spk_place *spk_place_enter(spk_place *place)
{
    spk_place *before = here;
    here = place;
    return before;
}

__attribute__((cold)) bool spk_fault_drawn(
    const spark_fault *fault, int job, int stage, int partition, int attempt, uint64_t salt)
{
    uint64_t h = spk_hash_combine(SPK_HASH_SEED ^ fault->seed, salt);
    h = spk_hash_combine(h, (uint64_t)job << 32 | (uint32_t)stage);
    h = spk_hash_combine(h, (uint64_t)partition << 32 | (uint32_t)attempt);
    return (double)(spk_hash_u64(h) >> 11) * 0x1p-53 < fault->rate;
}

static bool is_io(spark_fault_kind kind)
{
    return kind >= SPARK_FAULT_OPEN && kind <= SPARK_FAULT_REMOVE;
}

/* usual: the error of a line that gives none. */
static int usual(spark_fault_kind kind)
{
    return kind == SPARK_FAULT_ALLOC ? ENOMEM
        : kind == SPARK_FAULT_OPEN   ? EMFILE
        : kind == SPARK_FAULT_WRITE  ? ENOSPC
        : kind == SPARK_FAULT_THREAD ? EAGAIN
                                     : EIO;
}

/* hits: whether the line hits this call, which it counts. number: of the call within its place. */
__attribute__((cold)) static bool hits(
    line *l, const spk_place *place, spark_fault_kind kind, unsigned number)
{
    const spark_fault *f = l->fault;
    if ((f->kind != kind && !(f->kind == SPARK_FAULT_IO && is_io(kind)))
        || !spk_fault_matches(f->job, place->job) || !spk_fault_matches(f->stage, place->stage)
        || !spk_fault_matches(f->partition, place->partition)
        || !spk_fault_matches(f->attempt, place->attempt))
        return false;
    if (f->rate > 0)
        return spk_fault_drawn(f, place->job, place->stage, place->partition, place->attempt,
            (uint64_t)number << 8 | (unsigned)kind);
    const uint64_t nth = f->nth ? f->nth : 1;
    const uint64_t met = atomic_fetch_add_explicit(&l->met, 1, memory_order_relaxed) + 1;
    return met >= nth
        && (f->times < 0 || met - nth < (f->times ? (uint64_t)f->times : UINT64_C(1)));
}

/* strike: all lines count the call; the first that hits it has its way. */
__attribute__((cold, noinline)) static bool strike(
    spk_place *place, spark_fault_kind kind, size_t *n)
{
    const spark_fault *hit = NULL;
    if (atomic_load_explicit(place->plan->off, memory_order_relaxed))
        return false;
    const unsigned number = atomic_fetch_add_explicit(
        &place->calls[kind - SPARK_FAULT_ALLOC], 1, memory_order_relaxed);
    for (size_t i = 0; i < place->plan->n; i++)
        if (hits(&place->plan->lines[i], place, kind, number) && !hit)
            hit = place->plan->lines[i].fault;
    if (!hit)
        return false;
    atomic_fetch_add_explicit(&place->plan->struck, 1, memory_order_relaxed);
    if (n && hit->most > 0) {
        *n = *n < hit->most ? *n : hit->most;
        return false;
    }
    errno = hit->error ? hit->error : usual(kind);
    return true;
}

bool spk_struck(spark_fault_kind kind, size_t *n)
{
    return here && strike(here, kind, n);
}

bool spk_struck_at(spk_place *place, spark_fault_kind kind, size_t *n)
{
    return place && strike(here ? here : place, kind, n);
}

__attribute__((cold)) void spk_corrupt(void *data, size_t n)
{
    if (n > 0 && spk_struck(SPARK_FAULT_CORRUPT, NULL))
        ((unsigned char *)data)[n / 2] ^= 1;
}
