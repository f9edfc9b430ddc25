/* SPDX-License-Identifier: Apache-2.0 */
/* Partitioners, their equality, and the rule by which wide operations choose one. */
#include "plan/partitioner.h"

#include <stdlib.h>

static void partitioner_release(spk_object *object)
{
    spk_partitioner_unref((spark_partitioner *)(void *)object);
}

/* What is returned when there is no memory for more, or no scope to keep it: never counted. */
static const spark_partitioner sentinels[2]
    = { { .partitions = -1, .error = &spk_no_memory, .site = "" },
          { .partitions = -1, .error = &spk_of_nothing, .site = "" } };

static bool is_sentinel(const spark_partitioner *partitioner)
{
    return partitioner == &sentinels[0] || partitioner == &sentinels[1];
}

void spk_partitioner_ref(spark_partitioner *partitioner)
{
    if (is_sentinel(partitioner))
        return;
    atomic_fetch_add_explicit(&partitioner->refs, 1, memory_order_relaxed);
}

void spk_partitioner_unref(spark_partitioner *partitioner)
{
    if (partitioner && !is_sentinel(partitioner)
        && atomic_fetch_sub_explicit(&partitioner->refs, 1, memory_order_acq_rel) == 1) {
        spk_env_fini(&partitioner->env);
        spk_ranges_free(partitioner->ranges);
        void *error;
        memcpy(&error, &partitioner->error, sizeof error);
        free(error);
        free(partitioner);
    }
}

spark_partitioner *spk_partitioner_of(
    spark_context *sc, spk_partitioner_kind kind, int partitions, spark_site at)
{
    spark_partitioner *partitioner = calloc(1, sizeof *partitioner);
    if (!partitioner)
        return NULL;
    atomic_init(&partitioner->refs, 1);
    partitioner->kind = kind;
    partitioner->partitions = partitions;
    partitioner->sc = sc;
    partitioner->site = at;
    return partitioner;
}

spark_partitioner *spk_partitioner_hash(spark_context *sc, int partitions, spark_site at)
{
    return spk_partitioner_of(sc, SPK_BY_HASH, partitions, at);
}

spark_partitioner *spk_partitioner_broken(spark_context *sc, const spk_failure *failure)
{
    const bool kept = sc && !spk_context_is_constant(sc);
    spark_partitioner *p = kept ? spk_partitioner_of(sc, SPK_BY_HASH, -1, failure->site) : NULL;
    spk_failure *error = p ? malloc(sizeof *error) : NULL;
    spk_raise(failure);
    if (error) {
        *error = *failure;
        p->error = error;
        p->site = error->site;
        spk_scope_add(sc, &p->object, partitioner_release);
        return p;
    }
    free(p);
    const spark_partitioner *constant = &sentinels[!kept && failure->code != SPARK_ENOMEM];
    memcpy(&p, &constant, sizeof p); /* never written */
    return p;
}

spark_partitioner *spk_partitioner_in_scope(
    spark_site at, spark_context *sc, spk_partitioner_kind kind, int partitions)
{
    spk_failure failure;
    spark_partitioner *partitioner = NULL;
    if (!sc)
        sc = spk_context_none();
    if (sc->error)
        return spk_partitioner_broken(sc, sc->error);
    if (partitions < 1)
        spk_failure_set(&failure, SPARK_EINVAL, "partitioner", at,
            "partitioner at %s: %d partitions; there must be at least one", at, partitions);
    else if (!(partitioner = spk_partitioner_of(sc, kind, partitions, at)))
        spk_failure_nomem(&failure, "partitioner", at);
    if (!partitioner)
        return spk_partitioner_broken(sc, &failure);
    spk_scope_add(sc, &partitioner->object, partitioner_release);
    return partitioner;
}

spark_partitioner *spark_hash_partitioner(spark_site at, spark_context *sc, int partitions)
{
    return spk_partitioner_in_scope(at, sc, SPK_BY_HASH, partitions);
}

spark_partitioner *spark_dense_partitioner(
    spark_site at, spark_context *sc, uint64_t keys, int partitions)
{
    spk_failure failure;
    if (keys == 0 || keys > (uint64_t)1 << 40) {
        spk_failure_set(&failure, SPARK_EINVAL, "partitioner", at,
            "partitioner at %s: %llu keys; there must be 1 to 2^40", at, (unsigned long long)keys);
        return spk_partitioner_broken(sc, &failure);
    }
    spark_partitioner *partitioner = spk_partitioner_in_scope(at, sc, SPK_BY_DENSE, partitions);
    if (!partitioner->error)
        partitioner->keys = keys;
    return partitioner;
}

spark_partitioner *spark_partitioner_new(spark_site at, spark_context *sc, int partitions,
    const spark_partitioner_def *f, const spark_env *env)
{
    spk_failure failure;
    spk_env bound;
    const bool has = f && f->run;
    if (spk_env_bind(&bound, env, has ? f->env_size : 0, &failure) != SPARK_OK) {
        spk_failure_at(&failure, "partitioner", at);
        return spk_partitioner_broken(sc, &failure);
    }
    if (!has) {
        spk_env_fini(&bound);
        spk_failure_set(
            &failure, SPARK_EINVAL, "partitioner", at, "partitioner at %s: no function", at);
        return spk_partitioner_broken(sc, &failure);
    }
    spark_partitioner *partitioner = spk_partitioner_in_scope(at, sc, SPK_BY_FUNCTION, partitions);
    if (partitioner->error) {
        spk_env_fini(&bound);
        return partitioner;
    }
    partitioner->def = *f;
    partitioner->env = bound;
    partitioner->env_size = env ? (env->size ? env->size : spk_env_bytes(f->env_size)) : 0;
    return partitioner;
}

spark_status spark_partitioner_status(const spark_partitioner *p)
{
    if (!p)
        return spk_raisef(SPARK_EINVAL, "partitioner", NULL, "the partitioner is NULL");
    return p->error ? spk_raise(p->error) : SPARK_OK;
}

int spark_partitioner_partitions(const spark_partitioner *p)
{
    return p ? p->partitions : -1;
}

bool spark_partitioner_equal(const spark_partitioner *a, const spark_partitioner *b)
{
    if (a == b)
        return true;
    if (!a || !b || a->error || b->error || a->kind != b->kind)
        return false;
    if (a->kind == SPK_BY_RANGE)
        return a->partitions >= 0 && b->partitions >= 0 && spk_ranges_equal(a->ranges, b->ranges);
    if (a->partitions != b->partitions)
        return false;
    if (a->kind == SPK_BY_HASH)
        return true;
    if (a->kind == SPK_BY_DENSE)
        return a->keys == b->keys;
    return a->kind == SPK_BY_FUNCTION && a->def.run == b->def.run && a->env_size == b->env_size
        && (a->env.value == b->env.value
            || (a->env_size && memcmp(a->env.value, b->env.value, a->env_size) == 0));
}

spark_status spk_rdd_placed(spark_rdd *rdd, const spark_partitioner **placed, spk_failure *failure)
{
    *placed = rdd->partitioner;
    if (!*placed || spk_partitioner_known(*placed))
        return SPARK_OK;
    return spk_rdd_prepare(rdd, failure);
}

/* within_tenfold: log10(most) - log10(have) < 1, in integers: in floating point ten times as many are
 * within or not as the library's logarithm is rounded. */
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
        const spark_partitioner *placed;
        if (spk_rdd_placed(rdd, &placed, failure) != SPARK_OK)
            return NULL;
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
