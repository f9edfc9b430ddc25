/* SPDX-License-Identifier: Apache-2.0 */
/* Listeners that are there already: the event log, which Spark's History Server reads. A program
 * has those that it names. */
#ifndef SPARK_OBSERVE_H
#define SPARK_OBSERVE_H

#include <spark/listener.h>

SPARK_BEGIN_DECLS

/* spark_event_log: from now on what happens in the context is written to a file in the directory (NULL:
 * the environment's SPARK_EVENT_LOG_DIR; where that is unset or empty, nothing is, which is fine), as Spark
 * writes it: an unmodified History Server shows it, while the program runs and afterwards. "file:" may
 * stand in front; a directory that is not there is made, if the one above it is. The file is called as the
 * application's id, and ".inprogress" until the context is freed.
 *
 * Nothing is left out: where the file cannot be written as fast as tasks end, tasks wait. Where it cannot
 * be written at all (a full disk), standard error gets one line, the file stays as it is, readable to its
 * last event, and the program goes on. SPARK_EIO: it could not be begun. Blocks are always told of, without
 * which the page of storage were empty (Spark: only where spark.eventLog.logBlockUpdates.enabled is). A
 * text is cut after 64 KiB, and what is no UTF-8 in it becomes U+FFFD. Spark: EventLoggingListener;
 * spark.eventLog.enabled, spark.eventLog.dir. */
spark_status spark_event_log(spark_context *sc, const char *dir) SPARK_USE_RESULT_;

SPARK_END_DECLS

#endif
