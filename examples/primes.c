/* SPDX-License-Identifier: Apache-2.0 */
/* Counts the primes below a million; the first program of the README. */
#include <inttypes.h>
#include <spark.h>

SPARK_FILTER(prime, int64_t)
{
    int64_t d = 2;
    while (d * d <= *in && *in % d != 0)
        d++;
    return *in > 1 && d * d > *in;
}

int main(void)
{
    spark_context *sc = spark_context_new(NULL); /* a thread for each CPU */
    spark_rdd *primes = spark_filter(spark_range(sc, 0, 1000000, 1, 0), prime, NULL);
    int64_t n;
    if (spark_count(primes, &n) != SPARK_OK)
        return spark_complain("primes");
    printf("%" PRId64 " primes below a million\n", n);
    spark_context_free(sc);
}
