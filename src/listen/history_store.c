/* SPDX-License-Identifier: Apache-2.0 */
/* Where a history keeps things: arrays in the order of ids, which things begin with, and copies of texts. */
#include <stdlib.h>
#include <string.h>

#include "listen/history.h"

void *spk_history_push(spk_history *h, void *array, size_t *n, size_t *max, size_t size)
{
    void *all; /* array: the address of a pointer to things of any kind */
    memcpy(&all, array, sizeof all);
    if (*n == *max) {
        const size_t more = *max ? *max * 2 : 8;
        all = realloc(all, more * size);
        if (!all) {
            h->failed = true;
            return NULL;
        }
        memcpy(array, &all, sizeof all);
        *max = more;
    }
    void *one = (char *)all + (*n)++ * size;
    memset(one, 0, size);
    return one;
}

char *spk_history_copy(spk_history *h, const char *text, size_t most)
{
    const size_t length = strnlen(text, most);
    char *copy = malloc(length + 1);
    h->failed = h->failed || !copy;
    if (!copy)
        return NULL;
    memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

void spk_history_time(spk_history *h, int64_t time)
{
    if (time <= 0)
        return;
    if (h->first == 0 || time < h->first)
        h->first = time;
    if (time > h->last)
        h->last = time;
}

const char *spk_history_level(spark_level level)
{
    static const char *const names[] = { [SPARK_DEFAULT_LEVEL] = "NONE",
        [SPARK_MEMORY_ONLY] = "MEMORY_ONLY",
        [SPARK_MEMORY_AND_DISK] = "MEMORY_AND_DISK",
        [SPARK_MEMORY_ONLY_SER] = "MEMORY_ONLY_SER",
        [SPARK_MEMORY_AND_DISK_SER] = "MEMORY_AND_DISK_SER",
        [SPARK_DISK_ONLY] = "DISK_ONLY" };
    return names[level];
}

/* ---- finding and inserting, by id */

/* place: of the first of n things whose id, which it begins with, is not below. */
static size_t place(const void *all, size_t n, size_t size, int id)
{
    size_t low = 0, high = n;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        int here;
        memcpy(&here, (const char *)all + middle * size, sizeof here);
        if (here < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

#define FIND(h, what, id)                                                                                   \
    const size_t i = place((h)->what, (h)->n_##what, sizeof *(h)->what, id);                                \
    return i < (h)->n_##what && (h)->what[i].id == (id) ? &(h)->what[i] : NULL

spk_past_stage *spk_history_stage(const spk_history *h, int id)
{
    FIND(h, stages, id);
}

spk_past_rdd *spk_history_rdd(const spk_history *h, int id)
{
    FIND(h, rdds, id);
}

spk_past_job *spk_history_job(const spk_history *h, int id)
{
    FIND(h, jobs, id);
}

void *spk_history_insert(void *all, size_t n, size_t size, int id)
{
    const size_t at = place(all, n - 1, size, id);
    char *one = (char *)all + at * size;
    memmove(one + size, one, (n - 1 - at) * size);
    memset(one, 0, size);
    memcpy(one, &id, sizeof id);
    return one;
}

/* ---- the end */

static void free_stages(spk_history *h)
{
    for (size_t i = 0; i < h->n_stages; i++) {
        free(h->stages[i].name);
        free(h->stages[i].failure);
        free(h->stages[i].parents);
        free(h->stages[i].members);
        free(h->stages[i].times);
        free(h->stages[i].keys);
    }
    for (size_t i = 0; i < h->n_jobs; i++) {
        free(h->jobs[i].action);
        free(h->jobs[i].site);
        free(h->jobs[i].description);
        free(h->jobs[i].failure);
        free(h->jobs[i].stages);
    }
    for (size_t i = 0; i < h->n_rdds; i++) {
        free(h->rdds[i].name);
        free(h->rdds[i].class_name);
        free(h->rdds[i].operation);
        free(h->rdds[i].site);
    }
}

void spk_history_fini(spk_history *h)
{
    free_stages(h);
    spk_history_sql_fini(h);
    for (size_t i = 0; i < h->n_tracks; i++)
        free(h->tracks[i].spans);
    for (size_t i = 0; i < h->n_failures; i++) {
        free(h->failures[i].message);
        free(h->failures[i].site);
    }
    for (size_t i = 0; i < h->n_executors; i++)
        free(h->executors[i].reason);
    free(h->name);
    free(h->master);
    free(h->host);
    free(h->id);
    free(h->stages);
    free(h->jobs);
    free(h->rdds);
    free(h->tracks);
    free(h->failures);
    free(h->executors);
    free(h->points);
    spk_block_table_fini(&h->blocks);
}
