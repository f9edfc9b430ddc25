/* SPDX-License-Identifier: Apache-2.0 */
/* Chrome trace events, as Perfetto reads them. Process 1 is the application, 2 and following are executors in
 * the order in which they came; workers are numbered from 1, for thread 0 is none. Slices of one worker never
 * overlap; jobs and stages may, and are asynchronous. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <spark/observe.h>

#include "base/error.h"
#include "listen/block_table.h"
#include "listen/text_file.h"

enum { ENOUGH = 256 * 1024, WAITING = 16384, EXECUTORS = 4096, LONGEST_NAME = 120 };

/* GRAIN: how often the number of running tasks is written at most, in nanoseconds: it would be half of the trace
 * where they are short. */
enum { GRAIN = 20000 };

/* process: an executor; seen: the workers of it whose names are written: as many. running: its tasks, of which
 * the counter was written for `told`, and waits to be for `waits` (0: it does not). */
typedef struct process {
    char id[16];
    int seen, running;
    int64_t told, waits;
} process;

typedef struct trace {
    spk_text_file *file;
    int64_t start;
    process *processes;
    size_t n, max;
    spk_block_table blocks;
    bool begun;
} trace;

/* ---- one event */

/* print_stamp: nanoseconds, as microseconds. */
static char *print_stamp(char *at, int64_t ns)
{
    const int rest = ns < 0 ? 0 : (int)(ns % 1000);
    const char digits[] = { '.', (char)('0' + rest / 100), (char)('0' + rest / 10 % 10), (char)('0' + rest % 10) };
    at = spk_print(at, ns < 0 ? 0 : ns / 1000);
    return (char *)memcpy(at, digits, sizeof digits) + sizeof digits;
}

static void put(trace *t, const char *text)
{
    spk_json_bytes(&t->file->out, text, strlen(text));
}

/* begin: up to its name's text, which comes next, then named. */
static void begin(trace *t, const char *phase, int pid, int tid, int64_t time)
{
    spk_json_out *out = &t->file->out;
    put(t, t->begun ? ",\n{\"ph\":\"" : "\n{\"ph\":\"");
    t->begun = true;
    put(t, phase);
    SPK_JSON(out, "\",\"pid\":");
    spk_json_int(out, pid);
    SPK_JSON(out, ",\"tid\":");
    spk_json_int(out, tid);
    char *at = *phase != 'M' ? spk_json_reserve(out, 64) : NULL;
    if (at)
        spk_json_reached(out, print_stamp(SPK_LITERAL(at, ",\"ts\":"), time - t->start));
    SPK_JSON(out, ",\"name\":\"");
}

static void named(trace *t, const char *category)
{
    SPK_JSON(&t->file->out, "\",\"cat\":\"");
    put(t, category);
    SPK_JSON(&t->file->out, "\"");
}

static void arg(trace *t, const char *key, int64_t value, bool *first)
{
    put(t, *first ? ",\"args\":{\"" : ",\"");
    *first = false;
    put(t, key);
    SPK_JSON(&t->file->out, "\":");
    spk_json_int(&t->file->out, value);
}

static void arg_text(trace *t, const char *key, const char *value, bool *first)
{
    put(t, *first ? ",\"args\":{\"" : ",\"");
    *first = false;
    put(t, key);
    SPK_JSON(&t->file->out, "\":");
    spk_json_text(&t->file->out, value);
}

static void done(trace *t, bool first)
{
    put(t, first ? "}" : "}}");
    if (t->file->broken)
        t->file->out.n = 0;
    else if (t->file->out.n >= ENOUGH || t->file->out.failed)
        spk_text_file_flush(t->file);
}

static void metadata(trace *t, const char *what, int pid, int tid, const char *name)
{
    bool first = true;
    begin(t, "M", pid, tid, 0);
    put(t, what);
    named(t, "__metadata");
    arg_text(t, "name", name, &first);
    done(t, first);
}

static void sort_index(trace *t, const char *what, int pid, int tid, int index)
{
    bool first = true;
    begin(t, "M", pid, tid, 0);
    put(t, what);
    named(t, "__metadata");
    arg(t, "sort_index", index, &first);
    done(t, first);
}

static void counter(trace *t, int pid, int64_t time, const char *name, const char *key, int64_t value)
{
    bool first = true;
    begin(t, "C", pid, 1, time);
    put(t, name);
    named(t, "counter");
    arg(t, key, value, &first);
    done(t, first);
}

/* instant: on a track (scope "t"), or over a process ("p"). */
static void instant(trace *t, const char *scope, int pid, int tid, int64_t time, const char *name, const char *category,
    const char *key, int64_t value)
{
    bool first = true;
    begin(t, "i", pid, tid, time);
    put(t, name);
    named(t, category);
    SPK_JSON(&t->file->out, ",\"s\":\"");
    put(t, scope);
    SPK_JSON(&t->file->out, "\"");
    arg(t, key, value, &first);
    done(t, first);
}

/* ---- executors and workers */

/* process_of: its number among the processes; 1, the application's, where there is no memory for more. */
static int process_of(trace *t, const char *id)
{
    char name[64], own[sizeof t->processes->id] = "";
    memcpy(own, id, strnlen(id, sizeof own - 1));
    for (size_t i = t->n; i-- > 0;) /* those that were lost came before */
        if (memcmp(t->processes[i].id, own, sizeof own) == 0)
            return (int)i + 2;
    if (t->n == t->max) {
        const size_t max = t->max ? t->max * 2 : 8;
        process *more = t->n < EXECUTORS ? realloc(t->processes, max * sizeof *more) : NULL;
        if (!more)
            return 1;
        t->processes = more;
        t->max = max;
    }
    process *p = &t->processes[t->n++];
    *p = (process) { .seen = 0 };
    memcpy(p->id, own, sizeof own);
    snprintf(name, sizeof name, "executor %s", p->id);
    metadata(t, "process_name", (int)t->n + 1, 0, name);
    sort_index(t, "process_sort_index", (int)t->n + 1, 0, (int)t->n + 1);
    return (int)t->n + 1;
}

/* process_of_task: its executor's name fills its array with zeros. */
static int process_of_task(trace *t, const spark_task_info *k)
{
    for (size_t i = t->n; i-- > 0;)
        if (memcmp(t->processes[i].id, k->executor, sizeof k->executor) == 0)
            return (int)i + 2;
    return process_of(t, k->executor);
}

/* track_of: the thread of a task; its name is written when it is new. */
static int track_of(trace *t, int pid, int worker)
{
    const int tid = worker < 0 ? 1 : worker + 2;
    process *p = pid > 1 ? &t->processes[pid - 2] : NULL;
    while (p && p->seen < tid) {
        char name[64];
        if (++p->seen == 1)
            snprintf(name, sizeof name, "the program's thread");
        else
            snprintf(name, sizeof name, "worker %d", p->seen - 2);
        metadata(t, "thread_name", pid, p->seen, name);
        sort_index(t, "thread_sort_index", pid, p->seen, p->seen);
    }
    return tid;
}

/* ---- events */

static void application_start(void *env, const spark_application *a)
{
    trace *t = env;
    char name[4 * LONGEST_NAME];
    t->start = a->start_time;
    put(t, "{\"displayTimeUnit\":\"ms\",\"otherData\":{\"application\":");
    spk_json_text(&t->file->out, a->id);
    put(t, ",\"master\":");
    spk_json_text(&t->file->out, a->master);
    put(t, ",\"start\":");
    spk_json_int(&t->file->out, a->start_time);
    put(t, "},\"traceEvents\":[");
    snprintf(name, sizeof name, "%s", a->name);
    metadata(t, "process_name", 1, 0, name);
    sort_index(t, "process_sort_index", 1, 0, 1);
    metadata(t, "thread_name", 1, 1, "jobs and stages");
}

static void executor_added(void *env, const spark_executor_event *e)
{
    trace *t = env;
    const int pid = process_of(t, e->id);
    instant(t, "p", pid, 1, e->time, "executor added", "executor", "threads", e->threads);
}

/* cached: counters of all executors' blocks. */
static void cached(trace *t, int64_t time)
{
    bool first = true;
    begin(t, "C", 1, 1, time);
    put(t, "cached bytes");
    named(t, "counter");
    arg(t, "memory", (int64_t)t->blocks.memory, &first);
    arg(t, "disk", (int64_t)t->blocks.disk, &first);
    done(t, first);
}

static void executor_removed(void *env, const spark_executor_event *e)
{
    trace *t = env;
    bool first = true;
    const int pid = process_of(t, e->id);
    begin(t, "i", pid, 1, e->time);
    put(t, "executor lost");
    named(t, "executor");
    put(t, ",\"s\":\"p\"");
    arg_text(t, "reason", e->reason, &first);
    done(t, first);
    spk_block_table_drop(&t->blocks, -1, e->id);
    cached(t, e->time);
}

/* async: the begin ("b") or the end ("e") of what is told apart by its category and two numbers. */
static void async(trace *t, const char *phase, const char *category, int id, int attempt, const char *name,
    int64_t time)
{
    char text[64];
    begin(t, phase, 1, 1, time);
    snprintf(text, sizeof text, "%s %d: ", category, id);
    put(t, text);
    spk_json_inner(&t->file->out, name);
    named(t, category);
    snprintf(text, sizeof text, ",\"id\":\"%s %d.%d\"", category, id, attempt);
    put(t, text);
}

static void job_start(void *env, const spark_job_info *j)
{
    bool first = true;
    async(env, "b", "job", j->id, 0, j->action, j->submission_time);
    arg_text(env, "site", j->site, &first);
    arg(env, "stages", (int64_t)j->n_stages, &first);
    if (j->execution >= 0)
        arg(env, "execution", j->execution, &first);
    done(env, first);
}

static void job_end(void *env, const spark_job_info *j)
{
    bool first = true;
    async(env, "e", "job", j->id, 0, j->action, j->completion_time);
    if (j->status != SPARK_OK)
        arg_text(env, "failure", j->failure, &first);
    done(env, first);
}

static void stage_submitted(void *env, const spark_stage_info *s, const spark_job_info *job)
{
    trace *t = env;
    bool first = true;
    async(t, "b", "stage", s->id, s->attempt, s->name, s->submission_time);
    arg(t, "job", job->id, &first);
    arg(t, "attempt", s->attempt, &first);
    arg(t, "tasks", s->tasks, &first);
    done(t, first);
    if (s->attempt > 0)
        instant(t, "p", 1, 1, s->submission_time, "stage again", "retry", "stage", s->id);
}

static void stage_completed(void *env, const spark_stage_info *s)
{
    bool first = true;
    async(env, "e", "stage", s->id, s->attempt, s->name, s->completion_time);
    if (*s->failure)
        arg_text(env, "failure", s->failure, &first);
    done(env, first);
}

static void tell_running(trace *t, process *p, int64_t time)
{
    p->told = time;
    p->waits = 0;
    counter(t, (int)(p - t->processes) + 2, time, "running tasks", "tasks", p->running);
}

static void running(trace *t, int pid, int more, int64_t time)
{
    process *p = pid > 1 ? &t->processes[pid - 2] : NULL;
    if (!p)
        return;
    if (p->waits && time - p->waits >= GRAIN)
        tell_running(t, p, p->waits);
    p->running += more;
    if (time - p->told >= GRAIN)
        tell_running(t, p, time);
    else
        p->waits = time;
}

/* settle: what waits is written. */
static void settle(trace *t)
{
    for (size_t i = 0; i < t->n; i++)
        if (t->processes[i].waits)
            tell_running(t, &t->processes[i], t->processes[i].waits);
}

static void task_start(void *env, const spark_task_info *k)
{
    trace *t = env;
    const int pid = process_of_task(t, k), tid = track_of(t, pid, k->worker);
    running(t, pid, 1, k->launch_time);
    if (k->attempt > 0 && !k->speculative)
        instant(t, "t", pid, tid, k->launch_time, "retry", "retry", "attempt", k->attempt);
}

static const char *reason_of(const spark_task_info *k)
{
    static const char *const reasons[] = { [SPARK_TASK_RUNNING] = "running", [SPARK_TASK_SUCCESS] = "success",
        [SPARK_TASK_FAILED] = "failed", [SPARK_TASK_FETCH_FAILED] = "shuffle output lost",
        [SPARK_TASK_KILLED] = "killed", [SPARK_TASK_EXECUTOR_LOST] = "executor lost" };
    return reasons[k->reason];
}

/* MEASURED: where it is not 0. */
#define MEASURED(name, value)                                                                      \
    do {                                                                                           \
        const int64_t is = value;                                                                  \
        if (is != 0) {                                                                             \
            at = SPK_LITERAL(at, ",\"" name "\":");                                                \
            at = spk_print(at, is);                                                                \
        }                                                                                          \
    } while (0)
enum { FIGURES = 13, LONGEST_FIGURE = 32 };

static char *measured(char *at, const spark_task_metrics *m)
{
    MEASURED("cpu_us", m->cpu_ns / 1000);
    MEASURED("queue_us", m->queue_ns / 1000);
    MEASURED("input_bytes", m->input_bytes);
    MEASURED("input_rows", m->input_rows);
    MEASURED("output_bytes", m->output_bytes);
    MEASURED("output_rows", m->output_rows);
    MEASURED("shuffle_read_bytes", m->shuffle_read_local_bytes + m->shuffle_read_remote_bytes);
    MEASURED("shuffle_read_rows", m->shuffle_read_rows);
    MEASURED("shuffle_write_bytes", m->shuffle_write_bytes);
    MEASURED("shuffle_write_rows", m->shuffle_write_rows);
    MEASURED("spilled_bytes", m->disk_spilled_bytes);
    MEASURED("peak_memory_bytes", m->peak_memory_bytes);
    MEASURED("cached_reads", m->cached_reads);
    return at;
}

/* slice: the task itself, into room that is there, for a trace is made of these. */
static void slice(trace *t, const spark_task_info *k, int pid, int tid)
{
    enum { NUMBERS = 10 * (SPK_DIGITS + 4), NAMES = 256 };
    spk_json_out *out = &t->file->out;
    bool first = false;
    char *at = spk_json_reserve(out, NUMBERS + NAMES + FIGURES * (LONGEST_FIGURE + SPK_DIGITS));
    if (at) {
        at = t->begun ? SPK_LITERAL(at, ",\n{\"ph\":\"X\",\"pid\":") : SPK_LITERAL(at, "\n{\"ph\":\"X\",\"pid\":");
        at = spk_print(at, pid);
        at = SPK_LITERAL(at, ",\"tid\":");
        at = spk_print(at, tid);
        at = SPK_LITERAL(at, ",\"ts\":");
        at = print_stamp(at, k->launch_time - t->start);
        at = SPK_LITERAL(at, ",\"dur\":");
        at = print_stamp(at, k->finish_time - k->launch_time);
        at = SPK_LITERAL(at, ",\"name\":\"stage ");
        at = spk_print(at, k->stage);
        at = SPK_LITERAL(at, " task ");
        at = spk_print(at, k->index);
        at = k->reason == SPARK_TASK_SUCCESS
            ? SPK_LITERAL(at, "\",\"cat\":\"task\",\"args\":{\"reason\":\"success\",\"job\":")
            : SPK_LITERAL(at, "\",\"cat\":\"task,failed\",\"args\":{\"job\":");
        at = spk_print(at, k->job);
        at = SPK_LITERAL(at, ",\"stage\":");
        at = spk_print(at, k->stage);
        at = SPK_LITERAL(at, ",\"partition\":");
        at = spk_print(at, k->partition);
        at = SPK_LITERAL(at, ",\"attempt\":");
        at = spk_print(at, k->attempt);
        spk_json_reached(out, measured(at, k->metrics));
    }
    t->begun = true;
    if (k->speculative)
        arg(t, "speculative", 1, &first);
    if (k->reason != SPARK_TASK_SUCCESS) {
        arg_text(t, "reason", reason_of(k), &first);
        arg_text(t, "error", k->error, &first);
    }
    done(t, first);
}

static void task_end(void *env, const spark_task_info *k)
{
    trace *t = env;
    const int pid = process_of_task(t, k), tid = track_of(t, pid, k->worker);
    slice(t, k, pid, tid);
    running(t, pid, -1, k->finish_time);
    if (k->metrics->disk_spilled_bytes > 0)
        instant(t, "t", pid, tid, k->finish_time, "spill", "memory", "bytes", k->metrics->disk_spilled_bytes);
    if (k->metrics->evicted_blocks > 0)
        instant(t, "t", pid, tid, k->finish_time, "eviction", "memory", "blocks", k->metrics->evicted_blocks);
    if (k->reason == SPARK_TASK_FETCH_FAILED)
        instant(t, "t", pid, tid, k->finish_time, "shuffle output lost", "loss", "shuffle", k->lost_shuffle);
    else if (k->reason == SPARK_TASK_EXECUTOR_LOST)
        instant(t, "t", pid, tid, k->finish_time, "lost with its executor", "loss", "stage", k->stage);
    else if (k->reason == SPARK_TASK_FAILED)
        instant(t, "t", pid, tid, k->finish_time, "failure", "failure", "stage", k->stage);
    if (k->metrics->peak_memory_bytes > 0)
        counter(t, pid, k->finish_time, "task memory", "peak_bytes", k->metrics->peak_memory_bytes);
}

static void block_updated(void *env, const spark_block_event *b)
{
    trace *t = env;
    if (!spk_block_table_set(&t->blocks, b))
        spk_text_file_warn(t->file, ENOMEM);
    cached(t, b->time);
}

static void unpersist_rdd(void *env, int rdd)
{
    spk_block_table_drop(&((trace *)env)->blocks, rdd, NULL);
}

/* execution: the begin or the end of one of SQL, whose name is how its statement begins. */
static void execution(trace *t, const char *phase, const spark_sql_execution *x, int64_t time)
{
    char name[LONGEST_NAME + 1];
    snprintf(name, sizeof name, "%s", x->text);
    async(t, phase, "sql", (int)x->id, 0, name, time);
}

static void sql_start(void *env, const spark_sql_execution *x)
{
    bool first = true;
    execution(env, "b", x, x->start_time);
    arg_text(env, "action", x->action, &first);
    arg_text(env, "site", x->site, &first);
    arg_text(env, "plan", x->plan, &first);
    done(env, first);
}

static void sql_end(void *env, const spark_sql_execution *x)
{
    bool first = true;
    execution(env, "e", x, x->end_time);
    if (x->n_operators > 0 && x->operators[0].rows >= 0)
        arg(env, "rows", x->operators[0].rows, &first);
    if (x->status != SPARK_OK)
        arg_text(env, "failure", x->failure, &first);
    done(env, first);
}

static void missed(void *env, int64_t events)
{
    (void)events;
    spk_text_file_warn(((trace *)env)->file, ENOMEM);
}

static void idle(void *env)
{
    settle(env);
    spk_text_file_flush(((trace *)env)->file);
}

static void finish(void *env)
{
    trace *t = env;
    settle(t);
    if (t->begun)
        put(t, "\n]}\n");
    spk_text_file_flush(t->file);
    spk_text_file_free(t->file);
    spk_block_table_fini(&t->blocks);
    free(t->processes);
    free(t);
}

spark_status spark_trace(spark_context *sc, const char *path)
{
    trace *t = calloc(1, sizeof *t);
    if (!t)
        return spk_raisef(SPARK_ENOMEM, "trace", NULL, "trace: out of memory");
    t->file = spk_text_file_begin("trace", "trace", path);
    if (!t->file) {
        free(t);
        return spark_last_error()->code;
    }
    const spark_listener listener = { .env = t,
        .capacity = WAITING,
        .whole = true,
        .application_start = application_start,
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
    return spark_add_listener(sc, &listener);
}
