/* SPDX-License-Identifier: Apache-2.0 */
/* The plan of an RDD before it runs: what an action on it would do; and after it has run. */
#ifndef SPARK_EXPLAIN_H
#define SPARK_EXPLAIN_H

#include <stdio.h>

#include <spark/rdd.h>

SPARK_BEGIN_DECLS

/* spark_explain: writes the lineage to a stream, in the layout of toDebugString, a line end
 * behind each line. Behind an RDD stands, after " -- ", what is known of it: where it is the
 * last one of a stage which stage that is (parents have smaller numbers; the last one is the
 * result's), with how many tasks, what it writes, and whether it will run, or is skipped
 * because its output is there, or is not needed because what reads it is cached or skipped;
 * how many bytes of files it reads; how it is partitioned; whether it is cached, and how much
 * of it is there. What has stood there before is not written again, but "see above", so that a
 * plan has a line for each edge at most. Control characters in names and sites, what turns the
 * direction of writing, and bytes that are no UTF-8 are written as U+FFFD, and both are cut after
 * 200 bytes, so that a line is one.
 *
 * spark_explain_dot: the same as a graph for Graphviz ("dot -Tsvg"): a cluster for each stage,
 * dashed where it is not run, green RDDs are cached. Names and sites are escaped, and cut
 * after 200 bytes.
 *
 * As any action they prepare the RDD (list its files, sample what it sorts, which takes jobs that
 * read its rows), and run nothing else. SPARK_EINVAL: no RDD, or no stream; SPARK_EIO: the stream could not be written; or the
 * error that the RDD carries. Spark has toDebugString for RDDs, and explain for data frames
 * only. */
spark_status spark_explain(spark_site at, spark_rdd *rdd, FILE *to) SPARK_USE_RESULT_;
spark_status spark_explain_dot(spark_site at, spark_rdd *rdd, FILE *to) SPARK_USE_RESULT_;

/* spark_explain_analyze: what spark_explain writes, after a run, with what was measured instead of
 * what will become of stages: the last job whose result was made of the RDD, which of its stages (by
 * the number that listeners, metrics and errors call it) and how long they
 * took, their tasks (those that failed, were lost or retried as well), rows and bytes that were
 * read, written and spilled, rows of each RDD, as far as they are counted (spark_rdd_rows); which
 * stages were skipped, and what these took when they ran. spark_explain_analyze_dot: the same as a
 * graph. Metrics must have been kept (spark_keep_metrics), and are found as long as they are
 * retained; an action that runs several jobs is told of by the last one. SPARK_EINVAL as well:
 * metrics are not kept. The rest is as above. Spark: EXPLAIN ANALYZE is none of its own; its UI
 * shows plans of data frames so. */
spark_status spark_explain_analyze(spark_site at, spark_rdd *rdd, FILE *to) SPARK_USE_RESULT_;
spark_status spark_explain_analyze_dot(spark_site at, spark_rdd *rdd, FILE *to) SPARK_USE_RESULT_;

SPARK_END_DECLS

#ifndef SPARK_EXPLICIT_SITES
/* The verbs fill in their call site. */
#define spark_explain(...) spark_explain(SPARK_HERE, __VA_ARGS__)
#define spark_explain_dot(...) spark_explain_dot(SPARK_HERE, __VA_ARGS__)
#define spark_explain_analyze(...) spark_explain_analyze(SPARK_HERE, __VA_ARGS__)
#define spark_explain_analyze_dot(...) spark_explain_analyze_dot(SPARK_HERE, __VA_ARGS__)
#endif

#endif
