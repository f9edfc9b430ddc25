/* SPDX-License-Identifier: Apache-2.0 */
/* to_local_iterator: one job a partition, when the partition is reached. */
#include <stdlib.h>

#include <spark/action.h>

#include "rdd/action.h"

struct spark_local_iterator {
    spk_object object;
    spark_rdd *rdd;
    spark_site site;
    spark_status status;
    int next; /* partition */
    spk_tape tape;
    spk_tape_reader reader;
    const char *at; /* the next row, and how many lie side by side */
    size_t n;
};

/* give_back: the partition that was read, which would else be held until the scope ends. */
static void give_back(spark_local_iterator *it)
{
    spk_tape_reader_fini(&it->reader);
    spk_tape_fini(&it->tape);
    it->tape.store = NULL;
}

static void local_iterator_release(spk_object *object)
{
    spark_local_iterator *it = (spark_local_iterator *)(void *)object;
    give_back(it);
    spk_rdd_unref(it->rdd);
    free(it);
}

spark_local_iterator *spark_to_local_iterator(spark_site at, spark_rdd *rdd, const spark_type *want)
{
    static const char *const name = "toLocalIterator";
    spk_failure failure;
    spark_array unused;
    spark_local_iterator *it = NULL;
    spark_status status = spk_action_begin(rdd, name, at, want, &unused, &failure);
    if (status == SPARK_OK && !(it = calloc(1, sizeof *it)))
        status = spk_failure_nomem(&failure, name, at);
    if (status != SPARK_OK)
        return spk_raise(&failure), NULL;
    it->rdd = rdd;
    it->site = at;
    spk_rdd_ref(rdd);
    spk_scope_add(rdd->sc, &it->object, local_iterator_release);
    return it;
}

/* stop: no more rows come. */
static void stop(spark_local_iterator *it, const spk_failure *failure)
{
    it->status = failure->code;
    it->next = spk_rdd_partitions(it->rdd);
    it->n = 0;
    give_back(it);
    spk_raise(failure);
}

/* next_partition: is computed, and lies on the tape. */
static bool next_partition(spark_local_iterator *it)
{
    spk_failure failure;
    give_back(it);
    if (it->next >= spk_rdd_partitions(it->rdd))
        return false;
    if (spk_collect_partition(
            "toLocalIterator", it->site, it->rdd, it->next++, &it->tape, &failure)
        != SPARK_OK) {
        it->tape.store = NULL;
        stop(it, &failure);
        return false;
    }
    it->reader = spk_tape_read(&it->tape);
    return true;
}

/* advance: to the next rows. */
static bool advance(spark_local_iterator *it)
{
    spk_failure failure;
    do {
        if (it->tape.store
            && spk_tape_next(&it->reader, &it->at, &it->n, &failure) != SPARK_OK)
            stop(it, &failure);
    } while (it->n == 0 && next_partition(it));
    return it->n > 0;
}

const void *spark_local_next_(spark_local_iterator *it)
{
    if (!it || (it->n == 0 && !advance(it)))
        return NULL;
    const char *row = it->at;
    it->at += it->rdd->layout->size;
    it->n--;
    return row;
}

spark_status spark_local_iterator_status(const spark_local_iterator *it)
{
    const spark_status why = spk_last_failure()->code; /* of NULL: why there is none */
    return it ? it->status : why != SPARK_OK ? why : SPARK_EINVAL;
}
