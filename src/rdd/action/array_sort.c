/* SPDX-License-Identifier: Apache-2.0 */
/* A result put in order where it lies: by the sorter of the engine, on the calling thread. */
#include <spark/action.h>

#include "plan/rdd.h"
#include "rdd/result.h"
#include "shuffle/ranges.h"

static const char operation[] = "spark_array_sort";

static spark_status sort_items(
    spark_context *sc, spark_array *array, const spark_order *order, spk_failure *failure)
{
    spk_ordering ordering;
    const spk_layout *layout = spk_layout_for(sc, array->type, failure);
    if (!layout)
        return failure->code;
    const spark_status status = spk_ordering_make(&ordering, sc->types, layout, order, failure);
    if (status != SPARK_OK)
        return status;
    if (!spk_sort_rows(&sc->heap, &ordering, spk_result_items(array), array->n))
        return spk_failure_nomem(failure, NULL, NULL);
    spk_result_reindex(array);
    return SPARK_OK;
}

spark_status spark_array_sort(spark_site at, spark_array *array, const spark_order *order)
{
    spk_failure failure;
    spark_context *sc = spk_result_context(array);
    if (!array || (array->n > 0 && !sc))
        return spk_raisef(SPARK_EINVAL, operation, at, "%s at %s: %s", operation, at,
            array ? "the array is no result of an action" : "the array is NULL");
    if (array->n == 0)
        return SPARK_OK;
    if (array->n > UINT32_MAX)
        return spk_raisef(SPARK_EINVAL, operation, at,
            "%s at %s: %zu elements; there may be 2^32 - 1", operation, at, array->n);
    const spark_status status = sort_items(sc, array, order, &failure);
    if (status == SPARK_OK)
        return SPARK_OK;
    return spk_raisef(status, operation, at, "%s at %s: %s", operation, at, failure.message);
}
