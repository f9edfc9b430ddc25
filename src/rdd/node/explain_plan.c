/* SPDX-License-Identifier: Apache-2.0 */
#include "rdd/node/explain_plan.h"

#include <stdlib.h>

#include "base/list.h"
#include "storage/block.h"

enum { HELD, PASSED }; /* of a member: what is above it is known not yet, or is */

/* seen: pointers, each with a number. */
typedef struct seen {
    const void **keys;
    int *values;
    size_t n, max; /* max: a power of two */
} seen;

static size_t slot_of(const seen *s, const void *key)
{
    uint64_t hash = (uint64_t)(uintptr_t)key * 0x9e3779b97f4a7c15u;
    size_t i = (size_t)(hash >> 32) & (s->max - 1);
    while (s->keys[i] && s->keys[i] != key)
        i = (i + 1) & (s->max - 1);
    return i;
}

static int *find(const seen *s, const void *key)
{
    if (s->max == 0)
        return NULL;
    const size_t i = slot_of(s, key);
    return s->keys[i] ? &s->values[i] : NULL;
}

static bool put(seen *s, const void *key, int value)
{
    if (s->n * 2 >= s->max) {
        seen more = { .max = s->max ? s->max * 2 : 64 };
        more.keys = calloc(more.max, sizeof *more.keys);
        more.values = calloc(more.max, sizeof *more.values);
        if (!more.keys || !more.values) {
            free(more.keys);
            free(more.values);
            return false;
        }
        for (size_t i = 0; i < s->max; i++)
            if (s->keys[i]) {
                const size_t at = slot_of(&more, s->keys[i]);
                more.keys[at] = s->keys[i];
                more.values[at] = s->values[i];
            }
        more.n = s->n;
        free(s->keys);
        free(s->values);
        *s = more;
    }
    const size_t at = slot_of(s, key);
    s->n += !s->keys[at];
    s->keys[at] = key;
    s->values[at] = value;
    return true;
}

static void seen_fini(seen *s)
{
    free(s->keys);
    free(s->values);
}

bool spk_plan_cached(const spark_rdd *rdd)
{
    return atomic_load(&rdd->level) != 0 && rdd->blocks && spk_rdd_partitions(rdd) > 0
        && spk_blocks_present(rdd->blocks) == spk_rdd_partitions(rdd);
}

/* ---- one stage */

/* grown: room for one more of `size` bytes; *max counts them. */
static void *grown(void *at, size_t n, size_t *max, size_t size)
{
    if (n < *max)
        return at;
    const size_t more = *max ? *max * 2 : 8;
    void *all = realloc(at, more * size);
    if (all)
        *max = more;
    return all;
}

static bool add_member(spk_plan_stage *s, spark_rdd *rdd, bool live)
{
    size_t max = s->max_members;
    spark_rdd **members = grown(s->members, s->n_members, &max, sizeof *members);
    if (members)
        s->members = members;
    max = s->max_members;
    bool *lives = members ? grown(s->live, s->n_members, &max, sizeof *lives) : NULL;
    if (!lives)
        return false;
    s->live = lives;
    s->max_members = max;
    s->members[s->n_members] = rdd;
    s->live[s->n_members++] = live;
    return true;
}

static bool add_parent(spk_plan_stage *s, int parent, bool live)
{
    for (size_t i = 0; i < s->n_parents; i++)
        if (s->parents[i] == parent) {
            s->live_parents[i] = s->live_parents[i] || live;
            return true;
        }
    size_t max = s->max_parents;
    int *parents = grown(s->parents, s->n_parents, &max, sizeof *parents);
    if (parents)
        s->parents = parents;
    max = s->max_parents;
    bool *lives = parents ? grown(s->live_parents, s->n_parents, &max, sizeof *lives) : NULL;
    if (!lives)
        return false;
    s->live_parents = lives;
    s->max_parents = max;
    s->parents[s->n_parents] = parent;
    s->live_parents[s->n_parents++] = live;
    return true;
}

/* stage_for: the index of the stage that fills a shuffle, made if need be; -1: no memory. */
static int stage_for(spk_plan *plan, seen *shuffles, const spk_shuffle *shuffle, spark_rdd *rdd)
{
    const int *there = find(shuffles, shuffle);
    if (there)
        return *there;
    spk_plan_stage *stages = grown(plan->stages, plan->n, &plan->max, sizeof *stages);
    if (!stages)
        return -1;
    plan->stages = stages;
    stages[plan->n] = (spk_plan_stage) { .shuffle = shuffle,
        .rdd = rdd,
        .number = -1,
        .complete = shuffle && spk_shuffle_complete(shuffle) };
    if (shuffle && !put(shuffles, shuffle, (int)plan->n))
        return -1;
    return (int)plan->n++;
}

/* walk: from the nodes on over edges without a shuffle; what is cached or checkpointed goes into *held instead of
 * being passed, where there is such a list. */
static bool walk(spk_plan *plan, seen *shuffles, int stage, seen *members, spk_list *nodes, spk_list *held)
{
    bool good = true;
    while (good && nodes->n > 0) {
        spark_rdd *node = nodes->at[--nodes->n];
        const int *there = find(members, node);
        const bool stays = held && spk_plan_cached(node) && !spk_rdd_stored(node);
        if (there && (held || *there == PASSED))
            continue;
        if (!there)
            good = add_member(&plan->stages[stage], node, held != NULL);
        good = good && put(members, node, stays ? HELD : PASSED);
        if (stays)
            good = good && spk_list_add(held, node);
        if (stays || spk_rdd_stored(node))
            continue;
        for (uint32_t i = node->n_deps; i-- > 0 && good;) {
            const spk_shuffle *shuffle = node->deps[i].shuffle;
            if (shuffle) {
                const int parent = stage_for(plan, shuffles, shuffle, shuffle->parent);
                good = parent >= 0 && add_parent(&plan->stages[stage], parent, held != NULL);
            } else if (!find(members, node->deps[i].rdd)) {
                good = spk_list_add(nodes, node->deps[i].rdd);
            }
        }
    }
    return good;
}

static bool gather(spk_plan *plan, seen *shuffles, int stage)
{
    seen members = { .keys = NULL };
    spk_list nodes = { NULL, 0, 0 }, held = { NULL, 0, 0 };
    bool good = spk_list_add(&nodes, plan->stages[stage].rdd);
    good = good && walk(plan, shuffles, stage, &members, &nodes, &held);
    good = good && walk(plan, shuffles, stage, &members, &held, NULL);
    free(nodes.at);
    free(held.at);
    seen_fini(&members);
    return good;
}

/* ---- all of them */

/* number: parents before those that read them. */
static bool number(spk_plan *plan)
{
    int *stack = malloc(plan->n * sizeof *stack), next = 0;
    size_t *at = calloc(plan->n, sizeof *at), n = 0;
    plan->by_number = malloc(plan->n * sizeof *plan->by_number);
    const bool good = stack && at && plan->by_number;
    if (good)
        stack[n++] = 0;
    while (good && n > 0) {
        const int i = stack[n - 1];
        spk_plan_stage *s = &plan->stages[i];
        if (at[i] < s->n_parents) {
            const int parent = s->parents[at[i]++];
            if (plan->stages[parent].number == -1) {
                plan->stages[parent].number = -2; /* it is on the stack */
                stack[n++] = parent;
            }
            continue;
        }
        s->number = next;
        plan->by_number[next++] = i;
        n--;
    }
    free(stack);
    free(at);
    return good;
}

/* need: what would run or be skipped, from the result on: later stages have been decided before. */
static void need(spk_plan *plan)
{
    plan->stages[0].needed = true;
    for (size_t k = plan->n; k-- > 0;) {
        const spk_plan_stage *s = &plan->stages[plan->by_number[k]];
        for (size_t i = 0; i < s->n_parents && s->needed && !s->complete; i++)
            if (s->live_parents[i])
                plan->stages[s->parents[i]].needed = true;
    }
}

bool spk_plan_make(spk_plan *plan, spark_rdd *rdd)
{
    seen shuffles = { .keys = NULL };
    *plan = (spk_plan) { .stages = NULL };
    bool good = stage_for(plan, &shuffles, NULL, rdd) == 0;
    for (size_t i = 0; good && i < plan->n; i++)
        good = gather(plan, &shuffles, (int)i);
    good = good && number(plan);
    if (good)
        need(plan);
    seen_fini(&shuffles);
    if (!good)
        spk_plan_fini(plan);
    return good;
}

int spk_plan_of(const spk_plan *plan, const spk_shuffle *shuffle)
{
    for (size_t i = 0; i < plan->n; i++)
        if (plan->stages[i].shuffle == shuffle)
            return (int)i;
    return -1;
}

void spk_plan_fini(spk_plan *plan)
{
    for (size_t i = 0; i < plan->n; i++) {
        free(plan->stages[i].members);
        free(plan->stages[i].live);
        free(plan->stages[i].parents);
        free(plan->stages[i].live_parents);
    }
    free(plan->stages);
    free(plan->by_number);
    *plan = (spk_plan) { .stages = NULL };
}
