/* SPDX-License-Identifier: Apache-2.0 */
/* What readers with fewer members share: they read the splits of the whole one. */
#include "rdd/narrowed.h"

#include <stdlib.h>

#include "rdd/verb.h"

bool spk_may_narrow(const spark_rdd *rdd)
{
    return spk_rdd_is_prepared(rdd) && !rdd->blocks && !rdd->bad && atomic_load(&rdd->checkpoint) == SPK_NO_CHECKPOINT
        && rdd->layout && rdd->layout->type->kind == SPARK_KIND_STRUCT;
}

const spark_type *spk_narrow_type(const spark_rdd *rdd, size_t n, const uint32_t *members)
{
    const spark_type *whole = rdd->layout->type, *type = NULL;
    const spark_type **types = malloc(n * sizeof *types);
    const char **names = malloc(n * sizeof *names);
    bool plain = types && names;
    for (size_t i = 0; plain && i < n; i++) {
        const spark_field *field = &whole->fields[members[i]];
        types[i] = field->type;
        names[i] = field->name;
        plain = field->count == 0;
    }
    if (plain)
        type = spk_types_struct(rdd->sc->types, n, types, names);
    free(types);
    free(names);
    return type;
}

spark_rdd *spk_narrowed_make(
    spark_site at, const spk_class *class, size_t size, spark_rdd *whole, size_t n, const uint32_t *members)
{
    spk_verb v;
    bool made;
    spk_failure failure;
    const spark_type *type = spk_narrow_type(whole, n, members);
    const spk_layout *layout = type ? spk_layout_for(whole->sc, type, &failure) : NULL;
    if (!layout)
        return NULL;
    spk_verb_source(&v, at, "select", whole->sc);
    spark_rdd *rdd = spk_verb_make(&v, class, size, layout, &made);
    if (!made)
        return NULL;
    SPK_NODE(spk_narrowed, rdd)->whole = whole;
    spk_rdd_ref(whole);
    rdd->planned = spk_rdd_partitions(whole);
    return rdd;
}

spark_status spk_narrowed_prepare(spark_rdd *rdd, spk_failure *failure)
{
    spark_rdd *whole = SPK_NODE(spk_narrowed, rdd)->whole;
    if (spk_rdd_prepare(whole, failure) == SPARK_OK)
        spk_rdd_partitions_set(rdd, spk_rdd_partitions(whole));
    return spk_rdd_is_prepared(rdd) ? SPARK_OK : failure->code;
}

int64_t spk_narrowed_reads(const spark_rdd *rdd, int partition, const char **path)
{
    const spark_rdd *whole = SPK_NODE(spk_narrowed, rdd)->whole;
    return whole->class->reads(whole, partition, path);
}

void spk_narrowed_where(spk_heap *heap, const spark_rdd *rdd, int partition, int64_t row, spk_failure *failure)
{
    const spark_rdd *whole = SPK_NODE(spk_narrowed, rdd)->whole;
    whole->class->where(heap, whole, partition, row, failure);
}

void spk_narrowed_release(spark_rdd *rdd)
{
    if (SPK_NODE(spk_narrowed, rdd)->whole)
        spk_rdd_unref(SPK_NODE(spk_narrowed, rdd)->whole);
}
