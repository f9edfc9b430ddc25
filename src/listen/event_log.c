/* SPDX-License-Identifier: Apache-2.0 */
/* The event log: lines are gathered, and written whenever nothing waits to be told, or many have been
 * gathered; always whole ones. What a full disk has left of one is cut off again. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <spark/observe.h>

#include "base/error.h"
#include "base/sys.h"
#include "listen/spark_json.h"

enum { ENOUGH = 256 * 1024, WAITING = 16384 };

typedef struct event_log {
    int fd;
    int error; /* of opening it */
    bool broken, complete;
    off_t size; /* of whole lines in the file */
    size_t whole; /* bytes of the buffer that are whole lines */
    spk_json_out out;
    char *dir, *path, *final; /* path: while it is in progress */
    char host[256];
    spk_task_lines lines;
} event_log;

/* warn: once. */
static void warn(event_log *log, const char *what, int error)
{
    if (!log->broken)
        spk_warn("the event log %s %s: %s; the application goes on without it", log->path ? log->path : log->dir, what,
            strerror(error));
    log->broken = true;
}

static void flush(event_log *log)
{
    size_t at = 0;
    while (at < log->whole && !log->broken) {
        const ssize_t n = spk_write(log->fd, log->out.at + at, log->whole - at);
        if (n > 0) {
            at += (size_t)n;
        } else if (n == 0 || errno != EINTR) {
            const int error = n < 0 ? errno : ENOSPC;
            size_t line = at;
            while (line > 0 && log->out.at[line - 1] != '\n')
                line--;
            if (spk_ftruncate(log->fd, log->size + (off_t)line) == 0)
                log->size += (off_t)line;
            warn(log, "ends here", error);
        }
    }
    if (!log->broken)
        log->size += (off_t)log->whole;
    log->out.n = log->whole = 0;
}

/* written: a line, or some, are in the buffer. */
static void written(event_log *log)
{
    if (log->out.failed)
        warn(log, "ends here", ENOMEM);
    if (log->broken)
        log->out.n = log->whole = 0;
    log->whole = log->out.n;
    if (log->whole >= ENOUGH)
        flush(log);
}

static char *join(const char *a, const char *b, const char *c)
{
    const size_t size = strlen(a) + strlen(b) + strlen(c) + 2;
    char *text = malloc(size);
    if (text)
        snprintf(text, size, "%s/%s%s", a, b, c);
    return text;
}

/* begin: the file, which must be new. */
static int begin(event_log *log, const char *id)
{
    log->path = join(log->dir, id, ".inprogress");
    log->final = join(log->dir, id, "");
    if (!log->path || !log->final)
        return ENOMEM;
    if (access(log->final, F_OK) == 0)
        return EEXIST;
    log->fd = spk_open(log->path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0660);
    return log->fd < 0 ? errno : 0;
}

static void application_start(void *env, const spark_application *a)
{
    event_log *log = env;
    log->error = begin(log, a->id);
    log->broken = log->error != 0;
    snprintf(log->host, sizeof log->host, "%s", a->host);
    spk_spark_log_start(&log->out);
    spk_spark_application_start(&log->out, a);
    if (strncmp(a->master, "local-cluster", 13) == 0)
        spk_spark_block_manager_added(&log->out, "driver", a->host, 0, a->start_time);
    written(log);
    flush(log);
}

static void application_end(void *env, const spark_application *a)
{
    event_log *log = env;
    spk_spark_application_end(&log->out, a);
    written(log);
    log->complete = true;
}

/* WRITES: a callback that writes what it is told, and no more. */
#define WRITES(callback, type)                                                                     \
    static void callback(void *env, const type *told)                                              \
    {                                                                                              \
        event_log *log = env;                                                                      \
        spk_spark_##callback(&log->out, told);                                                     \
        written(log);                                                                              \
    }
WRITES(environment_update, spark_environment)
WRITES(executor_added, spark_executor_event)
WRITES(executor_removed, spark_executor_event)
WRITES(job_start, spark_job_info)
WRITES(job_end, spark_job_info)
WRITES(stage_completed, spark_stage_info)
WRITES(sql_start, spark_sql_execution)
WRITES(sql_end, spark_sql_execution)

static void stage_submitted(void *env, const spark_stage_info *s, const spark_job_info *j)
{
    spk_spark_stage_submitted(&((event_log *)env)->out, s, j);
    written(env);
}

static void task_start(void *env, const spark_task_info *t)
{
    event_log *log = env;
    spk_spark_task_start(&log->out, &log->lines, t);
    written(log);
}

static void task_end(void *env, const spark_task_info *t)
{
    event_log *log = env;
    spk_spark_task_end(&log->out, &log->lines, t);
    written(log);
}

static void block_updated(void *env, const spark_block_event *b)
{
    event_log *log = env;
    spk_spark_block_updated(&log->out, b, log->host);
    written(log);
}

static void unpersist_rdd(void *env, int rdd)
{
    spk_spark_unpersist(&((event_log *)env)->out, rdd);
    written(env);
}

/* missed: only where there was no memory for an event. */
static void missed(void *env, int64_t events)
{
    (void)events;
    warn(env, "ends here", ENOMEM);
}

static void idle(void *env)
{
    flush(env);
}

static void free_log(event_log *log)
{
    if (log->fd >= 0)
        spk_close(log->fd);
    spk_json_fini(&log->out);
    spk_task_lines_fini(&log->lines);
    free(log->dir);
    free(log->path);
    free(log->final);
    free(log);
}

static void finish(void *env)
{
    event_log *log = env;
    flush(log);
    if (!log->broken && log->complete && spk_rename(log->path, log->final) != 0)
        warn(log, "cannot be renamed", errno);
    free_log(log);
}

static event_log *new_log(const char *dir)
{
    event_log *log = calloc(1, sizeof *log);
    size_t n = strlen(dir);
    if (!log)
        return NULL;
    log->fd = -1;
    log->lines.host = log->host;
    while (n > 1 && dir[n - 1] == '/')
        n--;
    log->dir = malloc(n + 1);
    if (!log->dir) {
        free(log);
        return NULL;
    }
    memcpy(log->dir, dir, n);
    log->dir[n] = '\0';
    return log;
}

/* path_of: without "file:" and the slashes of a host that is none. */
static const char *path_of(const char *dir)
{
    if (strncmp(dir, "file:", 5) != 0)
        return dir;
    dir += 5;
    return strncmp(dir, "///", 3) == 0 ? dir + 2 : dir;
}

spark_status spark_event_log(spark_context *sc, const char *dir)
{
    if (!dir)
        dir = getenv("SPARK_EVENT_LOG_DIR");
    if (!dir || !*dir)
        return SPARK_OK;
    event_log *log = new_log(path_of(dir));
    if (!log)
        return spk_raisef(SPARK_ENOMEM, "eventLog", NULL, "eventLog: out of memory");
    if (spk_mkdir(log->dir, 0770) != 0 && errno != EEXIST) {
        const int error = errno;
        free_log(log);
        return spk_raisef(SPARK_EIO, "eventLog", NULL,
            "eventLog: cannot make the directory %.400s for event logs: %s", dir, strerror(error));
    }
    const spark_listener listener = { .env = log,
        .capacity = WAITING,
        .whole = true,
        .application_start = application_start,
        .application_end = application_end,
        .environment_update = environment_update,
        .executor_added = executor_added,
        .executor_removed = executor_removed,
        .job_start = job_start,
        .job_end = job_end,
        .stage_submitted = stage_submitted,
        .stage_completed = stage_completed,
        .task_start = task_start,
        .task_end = task_end,
        .block_updated = block_updated,
        .unpersist_rdd = unpersist_rdd,
        .sql_start = sql_start,
        .sql_end = sql_end,
        .missed = missed,
        .idle = idle,
        .close = finish };
    const spark_status status = spark_add_listener(sc, &listener);
    if (status != SPARK_OK)
        return status;
    spark_listeners_wait(sc); /* then the file has been begun */
    const int error = log->path ? log->error : ENOMEM;
    if (error)
        return spk_raisef(error == ENOMEM ? SPARK_ENOMEM : SPARK_EIO, "eventLog", NULL,
            "eventLog: cannot begin an event log in %.400s: %s", dir, strerror(error));
    return SPARK_OK;
}
