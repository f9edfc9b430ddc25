/* SPDX-License-Identifier: Apache-2.0 */
/* What the examples share: --event-log DIR writes what happens for Spark's History Server, --report FILE a page
 * about it, --trace FILE what ran when, for Perfetto; --progress draws a bar; SPARK_LOG_LEVEL=INFO in the
 * environment says on standard error what happens. A program that is compiled with
 * WATCH_NOTHING has none of it, and is smaller. */
#ifndef WATCH_H
#define WATCH_H

#include <spark.h>
#include <stdlib.h>

/* watch_options: as they stand among the arguments; NULL, false: they do not. */
typedef struct watch_options {
    const char *event_log; /* NULL: what SPARK_EVENT_LOG_DIR in the environment says */
    const char *report, *trace;
    bool progress;
} watch_options;

/* watch_arguments: takes the options out of the arguments. */
static inline watch_options watch_arguments(int *argc, char **argv)
{
    watch_options options = { NULL, NULL, NULL, false };
    int n = 1;
    for (int i = 1; i < *argc; i++)
        if (strcmp(argv[i], "--progress") == 0)
            options.progress = true;
        else if (strcmp(argv[i], "--event-log") == 0 && i + 1 < *argc)
            options.event_log = argv[++i];
        else if (strcmp(argv[i], "--report") == 0 && i + 1 < *argc)
            options.report = argv[++i];
        else if (strcmp(argv[i], "--trace") == 0 && i + 1 < *argc)
            options.trace = argv[++i];
        else
            argv[n++] = argv[i];
    argv[n] = NULL;
    *argc = n;
    return options;
}

/* watched_context: as spark_context_new, and watched; where that fails, the program ends. */
static inline spark_context *watched_context(const spark_conf *conf, const watch_options *options)
{
    spark_context *sc = spark_context_new(conf);
#ifdef WATCH_NOTHING
    (void)options;
#else
    if (spark_event_log(sc, options->event_log) != SPARK_OK || spark_log(sc, NULL) != SPARK_OK
        || (options->report && spark_report(sc, options->report) != SPARK_OK)
        || (options->trace && spark_trace(sc, options->trace) != SPARK_OK)
        || (options->progress && spark_show_progress(sc, NULL) != SPARK_OK))
        exit(spark_complain(spark_context_app_name(sc)));
#endif
    return sc;
}

#endif
