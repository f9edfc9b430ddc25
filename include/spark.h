/* SPDX-License-Identifier: Apache-2.0 */
/* libspark: Spark's RDDs as a C library: one process, many threads. This header includes all
 * others, which together are the manual; start with spark/source.h, transform.h, keyed.h and
 * action.h. */
#ifndef SPARK_H
#define SPARK_H

#include <spark/action.h>
#include <spark/arrow.h>
#include <spark/async.h>
#include <spark/bad.h>
#include <spark/base.h>
#include <spark/context.h>
#include <spark/csv.h>
#include <spark/error.h>
#include <spark/executor.h>
#include <spark/explain.h>
#include <spark/fault.h>
#include <spark/fs.h>
#include <spark/function.h>
#include <spark/index.h>
#include <spark/json.h>
#include <spark/keyed.h>
#include <spark/listener.h>
#include <spark/metrics.h>
#include <spark/observe.h>
#include <spark/pipe.h>
#include <spark/rdd.h>
#include <spark/replay.h>
#include <spark/row.h>
#include <spark/save.h>
#include <spark/shared.h>
#include <spark/sort.h>
#include <spark/source.h>
#include <spark/stats.h>
#include <spark/sql.h>
#include <spark/storage.h>
#include <spark/str.h>
#include <spark/task.h>
#include <spark/transform.h>
#include <spark/type.h>
#include <spark/version.h>

#endif
