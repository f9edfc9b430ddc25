/* SPDX-License-Identifier: Apache-2.0 */
/* A job has a few tags, a scope may have many thousands: up to FEW are searched one by one, more have
 * a table (open addressing, at most half full). What is taken away leaves a gap, which the table
 * still leads to; when half of the places are gaps, or they are full, the set is made anew. */
#include "plan/tags.h"

#include <stdlib.h>
#include <string.h>

enum { FEW = 8, NOWHERE = -1 };

/* hash: FNV-1a. */
static uint32_t hash(const char *tag)
{
    uint32_t h = UINT32_C(2166136261);
    for (; *tag; tag++)
        h = (h ^ (unsigned char)*tag) * UINT32_C(16777619);
    return h ^ h >> 15;
}

static int64_t find(const spk_tags *t, const char *tag)
{
    if (!t->slots) {
        for (size_t i = 0; i < t->n; i++)
            if (t->at[i] && strcmp(t->at[i], tag) == 0)
                return (int64_t)i;
        return NOWHERE;
    }
    for (size_t s = hash(tag) & (t->n_slots - 1); t->slots[s]; s = (s + 1) & (t->n_slots - 1)) {
        const char *other = t->at[t->slots[s] - 1];
        if (other && strcmp(other, tag) == 0)
            return t->slots[s] - 1;
    }
    return NOWHERE;
}

static void enter(spk_tags *t, size_t i)
{
    if (!t->slots)
        return;
    size_t s = hash(t->at[i]) & (t->n_slots - 1);
    while (t->slots[s])
        s = (s + 1) & (t->n_slots - 1);
    t->slots[s] = (uint32_t)i + 1;
}

/* renew: room for twice as many as there are, without gaps. */
static bool renew(spk_tags *t)
{
    spk_tags new = { .max = t->live < FEW / 2 ? FEW : 2 * t->live };
    if (new.max > UINT32_MAX / 4)
        return false;
    new.at = malloc(new.max * sizeof *new.at);
    if (new.max > FEW)
        for (new.n_slots = 4 * FEW; new.n_slots < 2 * new.max;)
            new.n_slots *= 2;
    if (new.n_slots)
        new.slots = calloc(new.n_slots, sizeof *new.slots);
    if (!new.at || (new.n_slots && !new.slots)) {
        free(new.at);
        free(new.slots);
        return false;
    }
    for (size_t i = 0; i < t->n; i++)
        if (t->at[i]) {
            new.at[new.n] = t->at[i];
            enter(&new, new.n++);
        }
    new.live = new.n;
    free(t->at);
    free(t->slots);
    *t = new;
    return true;
}

bool spk_tags_add(spk_tags *t, const char *tag)
{
    if (find(t, tag) != NOWHERE)
        return true;
    if (t->n == t->max && !renew(t))
        return false;
    const size_t size = strlen(tag) + 1;
    char *copy = malloc(size);
    if (!copy)
        return false;
    memcpy(copy, tag, size);
    t->at[t->n] = copy;
    enter(t, t->n++);
    t->live++;
    return true;
}

bool spk_tags_add_all(spk_tags *t, const spk_tags *more)
{
    bool good = true;
    for (size_t i = 0; i < more->n && good; i++)
        good = !more->at[i] || spk_tags_add(t, more->at[i]);
    return good;
}

void spk_tags_remove(spk_tags *t, const char *tag)
{
    const int64_t i = find(t, tag);
    if (i == NOWHERE)
        return;
    free(t->at[i]);
    t->at[i] = NULL;
    t->live--;
    if (t->n > FEW && t->live < t->n / 2)
        renew(t); /* without memory the gaps stay */
}

bool spk_tags_has(const spk_tags *t, const char *tag)
{
    return find(t, tag) != NOWHERE;
}

void spk_tags_fini(spk_tags *t)
{
    for (size_t i = 0; i < t->n; i++)
        free(t->at[i]);
    free(t->at);
    free(t->slots);
    *t = (spk_tags) { .at = NULL };
}

char *spk_tags_text(const spk_tags *t)
{
    size_t size = 0;
    for (size_t i = 0; i < t->n; i++)
        size += t->at[i] ? strlen(t->at[i]) + 1 : 0;
    char *text = size ? malloc(size) : NULL, *to = text;
    for (size_t i = 0; i < t->n && text; i++) {
        if (!t->at[i])
            continue;
        const size_t length = strlen(t->at[i]);
        memcpy(to, t->at[i], length);
        to += length;
        *to++ = ',';
    }
    if (text)
        to[-1] = '\0';
    return text;
}
