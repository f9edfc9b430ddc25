/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of actions share. */
#ifndef ACTIONS_H
#define ACTIONS_H

#include "blame.h"

/* each: calls check for every shape of context and number of partitions. */
static inline void each(void (*check)(spark_context *sc, int partitions))
{
    for (size_t p = 0; p < LENGTH(oracle_partitions); p++) {
        for (size_t c = 0; c < LENGTH(oracle_confs); c++) {
            spark_context *sc = oracle_open_conf(&oracle_confs[c]);
            check(sc, oracle_partitions[p]);
            oracle_close(sc);
        }
    }
}

/* no_job: none has run on the context. */
static inline void no_job(spark_context *sc)
{
    spark_job_stats stats;
    assert_int_equal(spark_job_stats_get(sc, SPARK_ANY, &stats), SPARK_EINVAL);
}

#endif
