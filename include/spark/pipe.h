/* SPDX-License-Identifier: Apache-2.0 */
/* Partitions through programs of the system. */
#ifndef SPARK_PIPE_H
#define SPARK_PIPE_H

#include <spark/rdd.h>

SPARK_BEGIN_DECLS

/* spark_pipe (narrow): runs `command`, its words separated by white space and without a shell
 * (quotes are signs like others: "sh -c 'a | b'" is argv of spark_pipe_with), once for each partition, also for empty ones. It reads the elements, a line each in the form of
 * spark_print; the lines it prints, as spark_text_file tells them apart, are the elements
 * (spark_str) of the result; its errors go to stderr. A command that cannot be run or ends with
 * another status than 0 fails the task. One that stops reading early and ends with 0 is fine (Spark
 * fails it). Where the rows come from a file, by steps alone, its path is in the environment as
 * map_input_file and mapreduce_map_input_file. Spark: pipe. */
spark_rdd *spark_pipe(spark_site at, spark_rdd *rdd, const char *command) SPARK_USE_RESULT_;

/* spark_pipe_options: lists end with NULL and are copied. */
typedef struct spark_pipe_options {
    const char *const *argv; /* program and arguments, instead of command */
    const char *const *env;  /* "NAME=VALUE", beside what is inherited; the last of a name counts */
    const char *const *context; /* lines the program reads before the elements */
    bool separate_dir; /* runs in a directory of its own below tasks/, with links to all that is in
                          the current one; it goes when the program has ended */
} spark_pipe_options;
spark_rdd *spark_pipe_with(spark_site at, spark_rdd *rdd, const char *command,
    const spark_pipe_options *options) SPARK_USE_RESULT_;

SPARK_END_DECLS

#ifndef SPARK_EXPLICIT_SITES
/* The verbs fill in their call site. */
#define spark_pipe(...) spark_pipe(SPARK_HERE, __VA_ARGS__)
#define spark_pipe_with(...) spark_pipe_with(SPARK_HERE, __VA_ARGS__)
#endif

#endif
