/* SPDX-License-Identifier: Apache-2.0 */
/* Plans become RDDs: what the files of that share. */
#ifndef SPK_SQL_EXEC_BUILD_H
#define SPK_SQL_EXEC_BUILD_H

#include "sql/exec/query.h"

/* spk_build: of an operator whose joins are decided. NULL: the query's error. */
spark_rdd *spk_build(spk_query *q, const spk_plan *plan, const spk_form **form);
/* spk_build_canonical: rows as a struct of exactly the plan's columns. */
spark_rdd *spk_build_canonical(
    spk_query *q, spark_rdd *rdd, const spk_plan *plan, const spk_form **form);
/* spk_build_as: a plan's rows in another form, by position. */
SPK_COLD spark_rdd *spk_build_as(
    spk_query *q, spark_rdd *rdd, const spk_plan *plan, const spk_form *in, const spk_form *out);
spark_rdd *spk_build_join(spk_query *q, const spk_plan *plan, const spk_form **form);

#endif
