/* SPDX-License-Identifier: Apache-2.0 */
/* take_sample: a sample that is a little too large with high probability (Spark's bounds), shuffled
 * and cut; drawn again with the next seed when it was too small after all. */
#include <math.h>
#include <stdlib.h>

#include <spark/action.h>
#include <spark/transform.h>

#include "base/random.h"
#include "rdd/action.h"
#include "rdd/result.h"

/* fraction_for: at which a sample of `total` has n or more elements but for 1 case in 10,000. */
static double fraction_for(double n, double total, bool with_replacement)
{
    if (with_replacement) {
        const double deviations = n < 6 ? 12 : n < 16 ? 9 : 6;
        return (n + deviations * sqrt(n)) / total;
    }
    const double fraction = n / total, gamma = -log(1e-4) / total;
    const double rate = fraction + gamma + sqrt(gamma * gamma + 2 * gamma * fraction);
    return rate < 1e-10 ? 1e-10 : rate > 1 ? 1 : rate;
}

/* shuffle: Fisher and Yates; of the array the first n stay. */
static void shuffle(spark_array *array, size_t n, uint64_t seed)
{
    spk_random random = spk_random_of(seed, array->n);
    const size_t size = array->type->size;
    char *items, *spare = array->n > 0 ? malloc(size) : NULL;
    memcpy(&items, &array->items, sizeof items);
    for (size_t i = 0; spare && i < array->n && i < n; i++) {
        const size_t j = i + spk_random_below(&random, array->n - i);
        memcpy(spare, items + i * size, size);
        memmove(items + i * size, items + j * size, size);
        memcpy(items + j * size, spare, size);
    }
    free(spare);
    array->n = array->n < n ? array->n : n;
}

/* draw: until there are n. */
static spark_status draw(spark_site at, spark_rdd *rdd, bool with_replacement, size_t n,
    int64_t total, uint64_t seed, const spark_type *want, spark_array *result)
{
    const double fraction = fraction_for((double)n, (double)total, with_replacement);
    spark_status status;
    do {
        spark_scope *scope = spark_scope_begin(rdd->sc);
        spark_rdd *sample = spark_sample(at, rdd, with_replacement, fraction, seed++);
        status = spk_collect_as("takeSample", at, sample, want, result);
        spark_scope_end(scope);
        if (status != SPARK_OK || result->n >= n)
            return status;
        spark_array_free(result);
    } while (true);
}

spark_status spark_take_sample(spark_site at, spark_rdd *rdd, bool with_replacement, size_t n,
    uint64_t seed, const spark_type *want, spark_array *result)
{
    static const char *const name = "takeSample";
    const size_t most = INT32_MAX - 463410; /* as Spark: 10 square roots below */
    spk_failure failure;
    int64_t total = 0;
    spark_status status = spk_action_begin(rdd, name, at, want, result, &failure);
    if (status == SPARK_OK && n > most)
        status = spk_failure_set(&failure, SPARK_EINVAL, name, at,
            "%s at %s: %zu elements are too many; at most %zu", name, at, n, most);
    if (status != SPARK_OK)
        return spk_action_end(status, &failure, name, at);
    if (n > 0)
        status = spark_count(at, rdd, &total);
    if (status != SPARK_OK)
        return status;
    if (total == 0) {
        status = spk_result_tapes(rdd->sc, rdd->layout, NULL, 0, result, &failure);
        return spk_action_end(status, &failure, name, at);
    }
    status = !with_replacement && (int64_t)n >= total
        ? spk_collect_as(name, at, rdd, want, result)
        : draw(at, rdd, with_replacement, n, total, seed, want, result);
    if (status == SPARK_OK)
        shuffle(result, n, seed);
    return status;
}
