/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of a log. Each is put together in a buffer in which nothing but text can come to stand, whatever
 * the pieces hold; those for standard error are gathered, and written when nothing more has happened, when
 * they are many, or when one is grave. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include <spark/observe.h>
#include <spark/version.h>

#include "base/control.h"
#include "base/error.h"
#include "base/sys.h"
#include "listen/json_out.h"
#include "listen/page.h"

enum { ENOUGH = 64 * 1024, PIECE = 2000, LINE = 8000, WAITING = 16384, STAGES = 256 };

/* active: a stage that runs. */
typedef struct active {
    int id, attempt, tasks, done;
} active;

typedef struct logger {
    spark_log_options options;
    spk_json_out line, lines; /* lines: for standard error */
    bool broken, terminal;
    int64_t second; /* of stamp */
    char stamp[32], host[64];
    int64_t started; /* the application */
    active stages[STAGES];
    size_t n;
} logger;

static const char *const levels[] = { "", "OFF", "ERROR", "WARN", "INFO", "DEBUG", "TRACE" };

/* ---- text */

static void text(spk_json_out *out, const char *from)
{
    const unsigned char *s = (const unsigned char *)from;
    const size_t n = strnlen(from, PIECE);
    for (size_t i = 0; i < n && out->n < LINE;) {
        const int size = spk_json_character(s + i, n - i);
        if (s[i] == '\n')
            SPK_JSON(out, "\\n");
        else if (s[i] == '\t')
            SPK_JSON(out, " ");
        else if (spk_json_obeyed(s + i, size))
            SPK_JSON(out, SPK_REPLACEMENT);
        else
            spk_json_bytes(out, from + i, (size_t)size);
        i += (size_t)(size > 0 ? size : -size);
    }
    if (from[n])
        SPK_JSON(out, "\xe2\x80\xa6");
}

/* put: %s: a text; %d: an int; %l: an int64_t; %z: bytes, an uint64_t; %t: nanoseconds, as seconds. */
static void put(spk_json_out *out, const char *format, va_list arguments)
{
    for (const char *at = format; *at; at++) {
        const size_t plain = strcspn(at, "%");
        spk_json_bytes(out, at, plain);
        at += plain;
        if (!*at)
            return;
        switch (*++at) {
        case 's': text(out, va_arg(arguments, const char *)); break;
        case 'd': spk_json_int(out, va_arg(arguments, int)); break;
        case 'l': spk_json_int(out, va_arg(arguments, int64_t)); break;
        case 'z': spk_page_size(out, va_arg(arguments, uint64_t)); break;
        default: {
            const int64_t ns = va_arg(arguments, int64_t);
            spk_json_int(out, ns / 1000000000);
            spk_page_format(out, ".%06d", (int)(ns % 1000000000 / 1000));
        }
        }
    }
}

/* ---- lines */

static void flush(logger *g)
{
    static const char clear[] = "\r\x1b[K"; /* a bar may stand there */
    size_t at = 0;
    if (g->lines.n == 0)
        return;
    if (g->terminal && !g->broken)
        g->broken = spk_write(STDERR_FILENO, clear, sizeof clear - 1) <= 0;
    while (at < g->lines.n && !g->broken) {
        const ssize_t n = spk_write(STDERR_FILENO, g->lines.at + at, g->lines.n - at);
        g->broken = n <= 0;
        at += n > 0 ? (size_t)n : 0;
    }
    g->lines.n = 0;
}

static const char *stamp(logger *g, int64_t time)
{
    const time_t second = (time_t)(time / 1000000000);
    struct tm parts;
    if (g->second != second || !*g->stamp) {
        g->second = second;
        if (!localtime_r(&second, &parts) || strftime(g->stamp, sizeof g->stamp, "%y/%m/%d %H:%M:%S", &parts) == 0)
            snprintf(g->stamp, sizeof g->stamp, "%lld", (long long)second);
    }
    return g->stamp;
}

/* line: what is in the buffer. */
static void line(logger *g, spark_log_level level, int64_t time, const char *source)
{
    spk_json_out *out = &g->lines;
    spk_json_bytes(&g->line, "", 1);
    if (g->line.failed || out->failed || g->broken) {
        spk_json_fini(&g->line);
    } else if (g->options.to) {
        g->options.to(g->options.env, level, time, source, g->line.at);
    } else {
        spk_page_put(out, stamp(g, time));
        SPK_JSON(out, " ");
        spk_page_put(out, levels[level]);
        SPK_JSON(out, " ");
        spk_page_put(out, source);
        SPK_JSON(out, ": ");
        spk_json_bytes(out, g->line.at, g->line.n - 1);
        SPK_JSON(out, "\n");
    }
    g->line.n = 0;
    if (out->failed)
        spk_json_fini(out);
    if (out->n >= ENOUGH || level <= SPARK_LOG_WARN)
        flush(g);
}

static bool says(const logger *g, spark_log_level level)
{
    return level <= g->options.level;
}

static void say(logger *g, spark_log_level level, int64_t time, const char *source, const char *format, ...)
{
    va_list arguments;
    if (!says(g, level))
        return;
    va_start(arguments, format);
    put(&g->line, format, arguments);
    va_end(arguments);
    line(g, level, time, source);
}

/* ---- the application and its executors */

static int64_t now(void)
{
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    return (int64_t)at.tv_sec * 1000000000 + at.tv_nsec;
}

static void application_start(void *env, const spark_application *a)
{
    logger *g = env;
    g->started = a->start_time;
    snprintf(g->host, sizeof g->host, "%s", a->host);
    say(g, SPARK_LOG_INFO, a->start_time, "SparkContext", "Running libspark version %s", SPARK_VERSION_STRING);
    say(g, SPARK_LOG_INFO, a->start_time, "SparkContext", "Submitted application: %s", a->name);
    say(g, SPARK_LOG_DEBUG, a->start_time, "SparkContext", "%s, %s, user %s on host %s", a->id, a->master, a->user,
        a->host);
}

static void application_end(void *env, const spark_application *a)
{
    say(env, SPARK_LOG_INFO, a->end_time, "SparkContext", "Successfully stopped SparkContext");
}

static void environment_update(void *env, const spark_environment *e)
{
    logger *g = env;
    for (size_t i = 0; i < e->n_properties; i++)
        say(g, SPARK_LOG_DEBUG, g->started, "SparkContext", "%s=%s", e->properties[i].name, e->properties[i].value);
}

static void executor_added(void *env, const spark_executor_event *e)
{
    say(env, SPARK_LOG_INFO, e->time, "Executor", "Starting executor ID %s on host %s", e->id, e->host);
    if (e->memory > 0)
        say(env, SPARK_LOG_INFO, e->time, "BlockManagerMasterEndpoint",
            "Registering block manager %s with %z RAM, %d threads", e->id, e->memory, e->threads);
}

static void executor_removed(void *env, const spark_executor_event *e)
{
    say(env, SPARK_LOG_ERROR, e->time, "TaskSchedulerImpl", "Lost executor %s on %s: %s", e->id, e->host, e->reason);
}

/* ---- jobs and stages */

static const char *kind_of(const spark_stage_info *s)
{
    return s->is_result ? "ResultStage" : "ShuffleMapStage";
}

static void job_start(void *env, const spark_job_info *j)
{
    logger *g = env;
    const spark_stage_info *last = j->n_stages > 0 ? &j->stages[0] : NULL;
    const int64_t time = j->submission_time;
    say(g, SPARK_LOG_INFO, time, "SparkContext", "Starting job: %s at %s", j->action, j->site);
    for (size_t i = 0; i < j->n_properties; i++)
        say(g, SPARK_LOG_DEBUG, time, "SparkContext", "Job %d: %s=%s", j->id, j->properties[i].name,
            j->properties[i].value);
    if (!last || !says(g, SPARK_LOG_INFO))
        return;
    say(g, SPARK_LOG_INFO, time, "DAGScheduler", "Got job %d (%s at %s) with %d output partitions", j->id, j->action,
        j->site, last->tasks);
    say(g, SPARK_LOG_INFO, time, "DAGScheduler", "Final stage: %s %d (%s)", kind_of(last), last->id, last->name);
    SPK_JSON(&g->line, "Parents of final stage: List(");
    for (size_t i = 0; i < last->n_parents && g->line.n < LINE; i++)
        spk_page_format(&g->line, "%sShuffleMapStage %d", i > 0 ? ", " : "", last->parents[i]);
    SPK_JSON(&g->line, ")");
    line(g, SPARK_LOG_INFO, time, "DAGScheduler");
}

static void job_end(void *env, const spark_job_info *j)
{
    const int64_t took = j->completion_time - j->submission_time;
    if (j->status == SPARK_OK)
        say(env, SPARK_LOG_INFO, j->completion_time, "DAGScheduler", "Job %d finished: %s at %s, took %t s", j->id,
            j->action,
            j->site, took);
    else
        say(env, SPARK_LOG_ERROR, j->completion_time, "DAGScheduler", "Job %d failed: %s at %s, took %t s: %s", j->id,
            j->action, j->site, took, j->failure);
}

static active *find(logger *g, int stage, int attempt)
{
    for (size_t i = 0; i < g->n; i++)
        if (g->stages[i].id == stage && g->stages[i].attempt == attempt)
            return &g->stages[i];
    return NULL;
}

static void stage_submitted(void *env, const spark_stage_info *s, const spark_job_info *job)
{
    logger *g = env;
    const spark_rdd_info *r = s->n_rdds > 0 ? &s->rdds[0] : NULL;
    (void)job;
    if (g->n < STAGES && says(g, SPARK_LOG_DEBUG))
        g->stages[g->n++] = (active) { s->id, s->attempt, s->tasks, 0 };
    if (r)
        say(g, SPARK_LOG_INFO, s->submission_time, "DAGScheduler",
            "Submitting %d missing tasks from %s %d (%s[%d] at %s at %s)", s->tasks, kind_of(s), s->id, r->class_name,
            r->id, r->operation, r->site);
    say(g, SPARK_LOG_INFO, s->submission_time, "TaskSchedulerImpl", "Adding task set %d.%d with %d tasks", s->id,
        s->attempt,
        s->tasks);
}

static void stage_completed(void *env, const spark_stage_info *s)
{
    logger *g = env;
    active *a = find(g, s->id, s->attempt);
    const int64_t took = s->completion_time - s->submission_time;
    if (a)
        *a = g->stages[--g->n];
    if (*s->failure)
        say(g, SPARK_LOG_INFO, s->completion_time, "DAGScheduler", "%s %d (%s) failed in %t s due to %s",
            kind_of(s), s->id,
            s->name, took, s->failure);
    else
        say(g, SPARK_LOG_INFO, s->completion_time, "DAGScheduler", "%s %d (%s) finished in %t s", kind_of(s),
            s->id, s->name,
            took);
}

/* ---- tasks */

static void task_start(void *env, const spark_task_info *t)
{
    logger *g = env;
    say(g, SPARK_LOG_DEBUG, t->launch_time, "TaskSetManager",
        "Starting task %d.%d in stage %d.%d (TID %l) (%s, executor %s, partition %d, %s)", t->index, t->attempt,
        t->stage,
        t->stage_attempt, t->id, g->host, t->executor, t->partition, t->locality);
}

/* task_failed: Spark says "Lost task" of whatever was not killed. */
static void task_failed(void *env, const spark_task_info *t)
{
    logger *g = env;
    if (t->reason == SPARK_TASK_KILLED)
        say(g, SPARK_LOG_INFO, t->finish_time, "TaskSetManager", "Killed task %d.%d in stage %d.%d (TID %l): %s",
            t->index,
            t->attempt, t->stage, t->stage_attempt, t->id, t->error);
    else
        say(g, SPARK_LOG_WARN, t->finish_time, "TaskSetManager",
            "Lost task %d.%d in stage %d.%d (TID %l) (%s executor %s): %s%s", t->index, t->attempt, t->stage,
            t->stage_attempt, t->id, g->host, t->executor, t->reason == SPARK_TASK_FETCH_FAILED ? "FetchFailed: " : "",
            t->error);
}

static void measured(logger *g, const spark_task_info *t)
{
    const spark_task_metrics *m = t->metrics;
    say(g, SPARK_LOG_TRACE, t->finish_time, "Executor",
        "Task %d.%d in stage %d.%d (TID %l): run %l ns, cpu %l ns, waited %l ns, input %z, %l rows, output %z, "
        "%l rows, shuffle read %z, %l rows, shuffle write %z, %l rows, spilled %z, peak %z, %l cached reads",
        t->index, t->attempt, t->stage, t->stage_attempt, t->id, m->run_ns, m->cpu_ns, m->queue_ns,
        (uint64_t)m->input_bytes, m->input_rows, (uint64_t)m->output_bytes, m->output_rows,
        (uint64_t)(m->shuffle_read_local_bytes + m->shuffle_read_remote_bytes), m->shuffle_read_rows,
        (uint64_t)m->shuffle_write_bytes, m->shuffle_write_rows, (uint64_t)m->disk_spilled_bytes,
        (uint64_t)m->peak_memory_bytes, m->cached_reads);
}

static void task_end(void *env, const spark_task_info *t)
{
    logger *g = env;
    active *a = find(g, t->stage, t->stage_attempt);
    if (t->reason != SPARK_TASK_SUCCESS) {
        task_failed(g, t);
    } else {
        if (a)
            a->done++;
        say(g, SPARK_LOG_DEBUG, t->finish_time, "TaskSetManager",
            "Finished task %d.%d in stage %d.%d (TID %l) in %l ms on %s (executor %s) (%d/%d)", t->index, t->attempt,
            t->stage, t->stage_attempt, t->id, (t->finish_time - t->launch_time) / 1000000, g->host, t->executor,
            a ? a->done : 0, a ? a->tasks : 0);
    }
    if (t->metrics)
        measured(g, t);
}

/* ---- blocks, SQL, and the rest */

static void block_updated(void *env, const spark_block_event *b)
{
    const char *executor = b->executor;
    if (b->in_memory)
        say(env, SPARK_LOG_INFO, b->time, "BlockManagerInfo",
            "Added rdd_%d_%d in memory on executor %s (size: %z)", b->rdd,
            b->partition, executor, b->memory_bytes);
    if (b->on_disk)
        say(env, SPARK_LOG_INFO, b->time, "BlockManagerInfo", "Added rdd_%d_%d on disk on executor %s (size: %z)",
            b->rdd,
            b->partition, executor, b->disk_bytes);
    if (!b->in_memory && !b->on_disk)
        say(env, SPARK_LOG_INFO, b->time, "BlockManagerInfo", "Removed rdd_%d_%d on executor %s", b->rdd, b->partition,
            executor);
}

static void unpersist_rdd(void *env, int rdd)
{
    say(env, SPARK_LOG_INFO, now(), "BlockManager", "Removing RDD %d", rdd);
}

static void sql_start(void *env, const spark_sql_execution *x)
{
    say(env, SPARK_LOG_INFO, x->start_time, "SQLExecution", "Starting execution %l: %s at %s: %s", x->id,
        x->action, x->site,
        x->text);
    for (size_t i = 0; i < x->n_operators && i < 200; i++)
        say(env, SPARK_LOG_DEBUG, x->start_time, "SQLExecution", "Execution %l: %d %s", x->id, x->operators[i].depth,
            x->operators[i].text);
}

static void sql_end(void *env, const spark_sql_execution *x)
{
    const int64_t took = x->end_time - x->start_time;
    if (x->status == SPARK_OK)
        say(env, SPARK_LOG_INFO, x->end_time, "SQLExecution", "Execution %l finished, took %t s", x->id, took);
    else
        say(env, SPARK_LOG_ERROR, x->end_time, "SQLExecution", "Execution %l failed, took %t s: %s", x->id, took,
            x->failure);
}

static void missed(void *env, int64_t events)
{
    say(env, SPARK_LOG_WARN, now(), "AsyncEventQueue", "Dropped %l events from the log", events);
}

static void idle(void *env)
{
    flush(env);
}

static void finish(void *env)
{
    logger *g = env;
    flush(g);
    spk_json_fini(&g->line);
    spk_json_fini(&g->lines);
    free(g);
}

/* ---- */

/* level_of: by its name, in any case; -1: there is none of that name. */
static int level_of(const char *name)
{
    if (!name || !*name)
        return SPARK_LOG_OFF;
    for (int i = SPARK_LOG_OFF; i <= SPARK_LOG_TRACE; i++)
        if (strcasecmp(name, levels[i]) == 0)
            return i;
    return strcasecmp(name, "ALL") == 0 ? SPARK_LOG_TRACE : -1;
}

/* listener_of: it is told of each task only where it says something of each. */
static spark_listener listener_of(logger *g)
{
    const bool tasks = says(g, SPARK_LOG_DEBUG);
    return (spark_listener) { .env = g,
        .capacity = WAITING,
        .application_start = application_start,
        .application_end = application_end,
        .environment_update = environment_update,
        .executor_added = executor_added,
        .executor_removed = executor_removed,
        .job_start = job_start,
        .job_end = job_end,
        .stage_submitted = stage_submitted,
        .stage_completed = stage_completed,
        .task_start = tasks ? task_start : NULL,
        .task_end = tasks ? task_end : NULL,
        .task_failed = task_failed,
        .block_updated = says(g, SPARK_LOG_INFO) ? block_updated : NULL,
        .unpersist_rdd = unpersist_rdd,
        .sql_start = sql_start,
        .sql_end = sql_end,
        .missed = missed,
        .idle = idle,
        .close = finish };
}

spark_status spark_log(spark_context *sc, const spark_log_options *options)
{
    spark_log_options o = options ? *options : (spark_log_options) { .level = SPARK_LOG_DEFAULT };
    const char *named = o.level == SPARK_LOG_DEFAULT ? getenv("SPARK_LOG_LEVEL") : NULL;
    const int level = o.level == SPARK_LOG_DEFAULT ? level_of(named) : (int)o.level;
    if (level < SPARK_LOG_OFF || level > SPARK_LOG_TRACE)
        return spk_raisef(SPARK_EINVAL, "log", NULL,
            "log: the level %.40s is none of OFF, ERROR, WARN, INFO, DEBUG and TRACE", named ? named : "given");
    if (level == SPARK_LOG_OFF)
        return SPARK_OK;
    logger *g = calloc(1, sizeof *g);
    if (!g)
        return spk_raisef(SPARK_ENOMEM, "log", NULL, "log: out of memory");
    o.level = (spark_log_level)level;
    g->options = o;
    g->terminal = !o.to && isatty(STDERR_FILENO);
    const spark_listener listener = listener_of(g);
    return spark_add_listener(sc, &listener);
}
