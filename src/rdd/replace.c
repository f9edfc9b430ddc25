/* SPDX-License-Identifier: Apache-2.0 */
#include "rdd/replace.h"

bool spk_rdd_replace(spark_rdd *rdd, int state, spk_cut *cut, spark_rdd *reader)
{
    spark_context *sc = rdd->sc;
    *cut = (spk_cut) { .dep = { reader, NULL }, .node = rdd };
    pthread_mutex_lock(&sc->plan_lock);
    const bool good = atomic_compare_exchange_strong(&rdd->checkpoint, &state, SPK_CHECKPOINTED);
    if (good) {
        cut->next = sc->cuts;
        sc->cuts = cut;
        atomic_store(&sc->has_cuts, true);
        atomic_store_explicit(&rdd->cut, cut, memory_order_release);
        atomic_fetch_add(&sc->persist_epoch, 1);
    }
    pthread_mutex_unlock(&sc->plan_lock);
    return good;
}

spark_rdd *spk_rdd_reader_of(
    const spark_rdd *rdd, const spk_class *class, size_t size, const char *operation, spark_site at)
{
    bool made;
    const spk_rdd_args args
        = { .at = at, .operation = operation, .sc = rdd->sc, .class = class, .size = size, .layout = rdd->layout };
    spark_rdd *reader = spk_rdd_new(&args, &made);
    if (!made) {
        spark_rdd_release(reader);
        return NULL;
    }
    spk_scope_take(&reader->object);
    return reader;
}
