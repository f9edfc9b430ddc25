/* SPDX-License-Identifier: Apache-2.0 */
/* Partitioners, their equality, and the rule by which wide operations choose one. */
#include "plan/partitioner.h"

#include <stdlib.h>

static void release(spk_object *object)
{
    spk_partitioner_unref((spark_partitioner *)(void *)object);
}

void spk_partitioner_ref(spark_partitioner *partitioner)
{
    atomic_fetch_add_explicit(&partitioner->refs, 1, memory_order_relaxed);
}

void spk_partitioner_unref(spark_partitioner *partitioner)
{
    if (partitioner
        && atomic_fetch_sub_explicit(&partitioner->refs, 1, memory_order_acq_rel) == 1) {
        spk_env_fini(&partitioner->env);
        free(partitioner);
    }
}

spark_partitioner *spk_partitioner_hash(spark_context *sc, int partitions, spark_site at)
{
    spark_partitioner *partitioner = calloc(1, sizeof *partitioner);
    if (!partitioner)
        return NULL;
    atomic_init(&partitioner->refs, 1);
    partitioner->kind = SPK_BY_HASH;
    partitioner->partitions = partitions;
    partitioner->sc = sc;
    partitioner->site = at;
    return partitioner;
}

static spark_partitioner *new_in_scope(spark_site at, spark_context *sc, int partitions)
{
    if (!sc)
        sc = spk_context_none();
    if (sc->error.code != SPARK_OK)
        return spk_raise(&sc->error), NULL;
    if (partitions < 1) {
        spk_raisef(SPARK_EINVAL, "partitioner", at,
            "partitioner at %s: %d partitions; there must be at least one", at, partitions);
        return NULL;
    }
    spark_partitioner *partitioner = spk_partitioner_hash(sc, partitions, at);
    if (!partitioner) {
        spk_failure failure;
        spk_failure_nomem(&failure, "partitioner", at);
        return spk_raise(&failure), NULL;
    }
    spk_scope_add(sc, &partitioner->object, release);
    return partitioner;
}

spark_partitioner *spark_hash_partitioner(spark_site at, spark_context *sc, int partitions)
{
    return new_in_scope(at, sc, partitions);
}

spark_partitioner *spark_partitioner_new(spark_site at, spark_context *sc, int partitions,
    const spark_partitioner_def *f, const spark_env *env)
{
    spk_failure failure;
    spk_env bound;
    if (!f || !f->run) {
        if (spk_env_bind(&bound, env, 0, &failure) == SPARK_OK)
            spk_env_fini(&bound);
        spk_raisef(SPARK_EINVAL, "partitioner", at, "partitioner at %s: no function", at);
        return NULL;
    }
    if (spk_env_bind(&bound, env, f->env_size, &failure) != SPARK_OK)
        return spk_raise(&failure), NULL;
    spark_partitioner *partitioner = new_in_scope(at, sc, partitions);
    if (!partitioner) {
        spk_env_fini(&bound);
        return NULL;
    }
    partitioner->kind = SPK_BY_FUNCTION;
    partitioner->def = *f;
    partitioner->env = bound;
    partitioner->env_size = env ? (env->size ? env->size : f->env_size) : 0;
    return partitioner;
}

int spark_partitioner_partitions(const spark_partitioner *p)
{
    return p ? p->partitions : -1;
}

bool spark_partitioner_equal(const spark_partitioner *a, const spark_partitioner *b)
{
    if (a == b)
        return true;
    if (!a || !b || a->kind != b->kind || a->partitions != b->partitions)
        return false;
    if (a->kind == SPK_BY_HASH)
        return true;
    return a->def.run == b->def.run && a->env_size == b->env_size
        && (a->env.value == b->env.value
            || (a->env_size && memcmp(a->env.value, b->env.value, a->env_size) == 0));
}

/* within_tenfold: log10(most) - log10(have) < 1, in integers. */
static bool within_tenfold(int most, int have)
{
    return (int64_t)most < (int64_t)have * 10;
}

spark_partitioner *spk_default_partitioner(spark_context *sc, size_t n, spark_rdd *const *rdds,
    const spark_partitioner *asked, int partitions, spark_site at, spk_failure *failure)
{
    spark_partitioner *best = NULL, *made;
    int most = 0;
    if (asked) {
        memcpy(&best, &asked, sizeof best);
        spk_partitioner_ref(best);
        return best;
    }
    for (size_t i = 0; i < n && partitions == 0; i++) {
        spark_rdd *rdd = rdds[i];
        const int planned = spk_rdd_planned(rdd, failure);
        if (planned < 0)
            return NULL;
        if (planned > most)
            most = planned;
        if (rdd->partitioner && (!best || rdd->partitioner->partitions > best->partitions))
            best = rdd->partitioner;
    }
    if (partitions == 0) {
        partitions = sc->default_parallelism ? sc->default_parallelism : most;
        if (best && (within_tenfold(most, best->partitions) || partitions <= best->partitions)) {
            spk_partitioner_ref(best);
            return best;
        }
    }
    made = spk_partitioner_hash(sc, partitions, at);
    if (!made)
        spk_failure_nomem(failure, NULL, at);
    return made;
}
