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
    spk_rows rows;
    const spk_run *run;
    uint64_t at; /* in the run */
};

static void local_iterator_release(spk_object *object)
{
    spark_local_iterator *it = (spark_local_iterator *)(void *)object;
    spk_rows_fini(&it->rows);
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
    spk_rows_init(&it->rows, &rdd->sc->heap, rdd->layout);
    spk_scope_add(rdd->sc, &it->object, local_iterator_release);
    return it;
}

/* advance: to the next partition that has rows. */
static bool advance(spark_local_iterator *it)
{
    spk_failure failure;
    while (!it->run && it->next < spk_rdd_partitions(it->rdd)) {
        spk_rows_fini(&it->rows);
        it->status = spk_collect_partition(
            "toLocalIterator", it->site, it->rdd, it->next++, &it->rows, &failure);
        if (it->status != SPARK_OK) {
            spk_rows_init(&it->rows, &it->rdd->sc->heap, it->rdd->layout);
            it->next = spk_rdd_partitions(it->rdd);
            spk_raise(&failure);
            return false;
        }
        it->run = it->rows.first;
        it->at = 0;
        while (it->run && it->run->n == 0)
            it->run = it->run->next;
    }
    return it->run != NULL;
}

const void *spark_local_next_(spark_local_iterator *it)
{
    if (!it || (!it->run && !advance(it)))
        return NULL;
    const char *row = it->run->rows + it->at++ * it->rdd->layout->size;
    while (it->run && it->at == it->run->n) {
        it->run = it->run->next;
        it->at = 0;
    }
    return row;
}

spark_status spark_local_iterator_status(const spark_local_iterator *it)
{
    const spark_status why = spk_last_failure()->code; /* of NULL: why there is none */
    return it ? it->status : why != SPARK_OK ? why : SPARK_EINVAL;
}
