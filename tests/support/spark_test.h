/* SPDX-License-Identifier: Apache-2.0 */
/* What every test includes: cmocka needs these headers before its own, in this order. */
#ifndef SPARK_TEST_H
#define SPARK_TEST_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <spark.h>

/* assert_not_made: a partitioner that carries an error, which is the thread's last one now. */
#define assert_not_made(partitioner)                                                               \
    assert_int_not_equal(spark_partitioner_status(partitioner), SPARK_OK)

#endif
