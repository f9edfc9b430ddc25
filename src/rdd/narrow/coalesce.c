/* SPDX-License-Identifier: Apache-2.0 */
/* coalesce without a shuffle: group i of n is the parents from i * P / n on (Spark's rule without
 * locality), or those a function of the user puts there, one after the other. */
#include <stdlib.h>

#include <spark/transform.h>

#include "rdd/verb.h"

typedef struct coalesced_rdd {
    spark_rdd rdd;
    int asked;
    int (*group)(/* NULL: Spark's rule */
        int partitions, int most, const int64_t *bytes, int *group_of, const void *env);
    int *starts;  /* of a function: group g is members[starts[g]] up to members[starts[g + 1]] */
    int *members; /* in the same block */
    _Atomic(struct reading *) readings; /* of each partition; NULL: nobody has asked yet */
    int looked;                         /* partitions of the parent that were looked at; under plan_lock, */
    struct coalesced_rdd *above;        /* as is who waits for this one */
} coalesced_rdd;

static bool pass(void *state, spk_batch batch)
{
    return spk_push(state, batch.rows, batch.n);
}

/* group_of: the parent's partitions in a partition: members[from] up to members[to] where a function
 * has made the groups, else from up to to. */
static void group_of(const spark_rdd *rdd, int partition, int64_t *from, int64_t *to)
{
    const coalesced_rdd *c = SPK_NODE(coalesced_rdd, rdd);
    const int64_t parents = spk_rdd_partitions(rdd->deps[0].rdd), n = spk_rdd_partitions(rdd);
    *from = c->starts ? c->starts[partition] : partition * parents / n;
    *to = c->starts ? c->starts[partition + 1] : (partition + 1) * parents / n;
}

static void coalesce_produce(spk_pipe *pipe, spark_rdd *rdd, int partition)
{
    const coalesced_rdd *c = SPK_NODE(coalesced_rdd, rdd);
    int64_t i, to;
    for (group_of(rdd, partition, &i, &to); i < to && !pipe->stopped; i++) {
        const int p = c->starts ? c->members[i] : (int)i;
        if (!spk_chain_run(pipe->task, rdd->deps[0].rdd, p, (spk_sink) { pass, pipe }))
            return;
    }
}

static bool coalesce_inner(
    const spark_rdd *rdd, int partition, int i, spark_rdd **parent, int *parent_partition)
{
    const coalesced_rdd *c = SPK_NODE(coalesced_rdd, rdd);
    int64_t from, to;
    group_of(rdd, partition, &from, &to);
    if (from + i >= to)
        return false;
    *parent = rdd->deps[0].rdd;
    *parent_partition = c->starts ? c->members[from + i] : (int)from + i;
    return true;
}

/* ---- what a partition reads
 *
 * Of all files of its parts. Parts are coalesced in their turn, and may be met again and again where unions
 * take an RDD twice; so each node finds out once, for all its partitions, those below it first. */

/* reading: bytes, -1: none; path: where all parts read one file. */
typedef struct reading {
    int64_t bytes;
    const char *path;
} reading;

static int64_t coalesce_reads(const spark_rdd *rdd, int partition, const char **path);

static coalesced_rdd *as_coalesced(spark_rdd *rdd)
{
    return rdd && rdd->class->reads == coalesce_reads ? SPK_NODE(coalesced_rdd, rdd) : NULL;
}

/* unread: a coalesced node that makes a partition of this one, and has no readings yet; NULL: none. */
static coalesced_rdd *unread(coalesced_rdd *c)
{
    spark_rdd *parent = c->rdd.deps[0].rdd;
    for (const int n = spk_rdd_partitions(parent); c->looked < n; c->looked++) {
        int partition = c->looked;
        coalesced_rdd *below = as_coalesced(spk_rdd_reader(parent, &partition));
        if (below && !atomic_load(&below->readings))
            return below;
    }
    return NULL;
}

/* read_group: of one partition, whose parents are known. */
static reading read_group(const coalesced_rdd *c, int partition)
{
    reading all = { -1, NULL };
    int64_t i, to;
    bool one = true;
    for (group_of(&c->rdd, partition, &i, &to); i < to; i++) {
        const char *path;
        const int p = c->starts ? c->members[i] : (int)i;
        const int64_t bytes = spk_rdd_reads(c->rdd.deps[0].rdd, p, &path);
        one = one && path && (!all.path || strcmp(path, all.path) == 0);
        all.path = path;
        if (bytes >= 0)
            all.bytes = all.bytes < 0 ? bytes : all.bytes < INT64_MAX - bytes ? all.bytes + bytes : INT64_MAX;
    }
    if (!one)
        all.path = NULL;
    return all;
}

static bool make_readings(coalesced_rdd *c)
{
    const int n = spk_rdd_partitions(&c->rdd);
    reading *readings = malloc(((size_t)n + 1) * sizeof *readings);
    for (int p = 0; readings && p < n; p++)
        readings[p] = read_group(c, p);
    atomic_store(&c->readings, readings);
    return readings;
}

/* find_out: with plan_lock. Without recursion: a node waits, by `above`, for those below it. */
static bool find_out(coalesced_rdd *top)
{
    top->above = NULL;
    for (coalesced_rdd *c = top, *below; c;) {
        if (atomic_load(&c->readings)) {
            c = c->above;
        } else if ((below = unread(c))) {
            below->above = c;
            c = below;
        } else if (!make_readings(c)) {
            return false;
        }
    }
    return true;
}

static int64_t coalesce_reads(const spark_rdd *rdd, int partition, const char **path)
{
    coalesced_rdd *c;
    memcpy(&c, &rdd, sizeof c);
    bool known = atomic_load(&c->readings);
    if (!known) {
        pthread_mutex_lock(&rdd->sc->plan_lock);
        known = find_out(c);
        pthread_mutex_unlock(&rdd->sc->plan_lock);
    }
    const reading none = { SPK_READS_NOMEM, NULL }, *found = known ? &atomic_load(&c->readings)[partition] : &none;
    *path = found->path;
    return found->bytes;
}

static spark_status coalesce_prepare(spark_rdd *rdd, spk_failure *failure)
{
    (void)failure;
    const int asked = SPK_NODE(coalesced_rdd, rdd)->asked;
    const int have = spk_rdd_partitions(rdd->deps[0].rdd);
    spk_rdd_partitions_set(rdd, asked < have ? asked : have);
    return SPARK_OK;
}

/* ---- by a function */

/* sort_members: of n partitions whose groups are known; starts has room for groups + 1. */
static void sort_members(coalesced_rdd *c, int n, const int *groups_of, int groups)
{
    for (int i = 0; i < n; i++)
        c->starts[groups_of[i] + 1]++;
    for (int g = 0; g < groups; g++)
        c->starts[g + 1] += c->starts[g];
    for (int i = 0; i < n; i++)
        c->members[c->starts[groups_of[i]]++] = i;
    for (int g = groups; g > 0; g--)
        c->starts[g] = c->starts[g - 1];
    c->starts[0] = 0;
}

static spark_status check_groups(
    const coalesced_rdd *c, int n, const int *groups_of, int groups, spk_failure *failure)
{
    const int most = n > c->asked ? n : c->asked;
    if (groups < (n > 0) || groups > most)
        return spk_failure_set(failure, SPARK_EINVAL, NULL, NULL,
            "%d groups of %d partitions; there must be 1 to %d", groups, n, most);
    for (int i = 0; i < n; i++)
        if (groups_of[i] < 0 || groups_of[i] >= groups)
            return spk_failure_set(failure, SPARK_EINVAL, NULL, NULL,
                "partition %d is put into group %d of %d", i, groups_of[i], groups);
    return SPARK_OK;
}

static spark_status prepare_groups(spark_rdd *rdd, spk_failure *failure)
{
    coalesced_rdd *c = SPK_NODE(coalesced_rdd, rdd);
    spark_rdd *parent = rdd->deps[0].rdd;
    const int n = spk_rdd_partitions(parent);
    const char *path;
    int64_t *bytes = malloc(((size_t)n + 1) * sizeof *bytes);
    int *groups_of = calloc((size_t)n + 1, sizeof *groups_of), groups = 0;
    spark_status status = bytes && groups_of ? SPARK_OK : spk_failure_nomem(failure, NULL, NULL);
    if (status == SPARK_OK) {
        for (int i = 0; i < n && status == SPARK_OK; i++)
            if ((bytes[i] = spk_rdd_reads(parent, i, &path)) == SPK_READS_NOMEM)
                status = spk_failure_nomem(failure, NULL, NULL);
    }
    if (status == SPARK_OK) {
        groups = c->group(n, c->asked, bytes, groups_of, rdd->env.value);
        status = check_groups(c, n, groups_of, groups, failure);
    }
    if (status == SPARK_OK) {
        c->starts = calloc((size_t)groups + 1 + (size_t)n, sizeof *c->starts);
        if (c->starts) {
            c->members = c->starts + groups + 1;
            sort_members(c, n, groups_of, groups);
            spk_rdd_partitions_set(rdd, groups);
        } else {
            status = spk_failure_nomem(failure, NULL, NULL);
        }
    }
    free(bytes);
    free(groups_of);
    return status;
}

static void coalesce_release(spark_rdd *rdd)
{
    free(SPK_NODE(coalesced_rdd, rdd)->starts);
    free(atomic_load(&SPK_NODE(coalesced_rdd, rdd)->readings));
}

/* ---- the verbs */

static void check_asked(spk_verb *v, int partitions)
{
    if (partitions < 1)
        spk_verb_fail(v, SPARK_EINVAL, "%d partitions; there must be at least one", partitions);
}

spark_rdd *spark_coalesce(spark_site at, spark_rdd *rdd, int partitions)
{
    static const spk_class class = { .name = "CoalescedRDD",
        .produce = coalesce_produce,
        .inner = coalesce_inner,
        .reads = coalesce_reads,
        .prepare = coalesce_prepare,
        .release = coalesce_release };
    spk_verb v;
    bool made;
    spk_verb_begin(&v, at, "coalesce", NULL, 1, &rdd, NULL);
    check_asked(&v, partitions);
    spark_rdd *parent = rdd;
    rdd = spk_verb_make(&v, &class, sizeof(coalesced_rdd), v.in, &made);
    if (made) {
        SPK_NODE(coalesced_rdd, rdd)->asked = partitions;
        rdd->planned = parent->planned < partitions ? parent->planned : partitions;
    }
    return rdd;
}

spark_rdd *spark_coalesce_by(spark_site at, spark_rdd *rdd, int partitions,
    const spark_coalescer_def *f, const spark_env *env)
{
    static const spk_class class = { .name = "CoalescedRDD",
        .produce = coalesce_produce,
        .inner = coalesce_inner,
        .reads = coalesce_reads,
        .prepare = prepare_groups,
        .release = coalesce_release };
    spk_verb v;
    bool made;
    const spk_function function = SPK_FUNCTION(f, f && f->run, NULL, NULL);
    spk_verb_begin(&v, at, "coalesce", &function, 1, &rdd, env);
    check_asked(&v, partitions);
    rdd = spk_verb_make(&v, &class, sizeof(coalesced_rdd), v.in, &made);
    if (made) {
        SPK_NODE(coalesced_rdd, rdd)->asked = partitions;
        SPK_NODE(coalesced_rdd, rdd)->group = f->run;
    }
    return rdd;
}
