/* SPDX-License-Identifier: Apache-2.0 */
/* The progress bar (Spark's ConsoleProgressBar), and the same for programs that draw their own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <spark/observe.h>

#include "base/deadline.h"
#include "base/error.h"
#include "base/sys.h"

enum { INTERVAL = 200, DELAY = 500, BARS = 3, WIDEST = 400, WAITING = 65536 };

/* active: a stage that runs. */
typedef struct active {
    spark_progress p;
    int attempt;
    int64_t since; /* milliseconds, on spk_clock_ms */
    char name[128];
} active;

typedef struct progress {
    spark_progress_options options;
    int64_t delay, next;
    active *stages; /* in the order of their ids */
    size_t n, max;
    bool shown;
    size_t width; /* of what is shown */
} progress;

static active *find(progress *p, int stage, int attempt)
{
    for (size_t i = 0; i < p->n; i++)
        if (p->stages[i].p.stage == stage && (attempt < 0 || p->stages[i].attempt == attempt))
            return &p->stages[i];
    return NULL;
}

/* stage_submitted: without memory it is not shown. */
static void stage_submitted(void *env, const spark_stage_info *s, const spark_job_info *job)
{
    progress *p = env;
    if (p->n == p->max) {
        const size_t max = p->max ? p->max * 2 : 8;
        active *more = realloc(p->stages, max * sizeof *more);
        if (!more)
            return;
        p->stages = more;
        p->max = max;
    }
    size_t at = p->n++;
    for (; at > 0 && p->stages[at - 1].p.stage > s->id; at--)
        p->stages[at] = p->stages[at - 1];
    active *a = &p->stages[at];
    *a = (active) { .p = { .job = s->job, .stage = s->id, .execution = job->execution, .total = s->tasks },
        .attempt = s->attempt,
        .since = spk_clock_ms() };
    snprintf(a->name, sizeof a->name, "%s", s->name);
}

static void stage_completed(void *env, const spark_stage_info *s)
{
    progress *p = env;
    active *a = find(p, s->id, s->attempt);
    if (!a)
        return;
    memmove(a, a + 1, (size_t)(p->stages + p->n - (a + 1)) * sizeof *a);
    p->n--;
}

static void task_start(void *env, const spark_task_info *t)
{
    active *a = find(env, t->stage, t->stage_attempt);
    if (a)
        a->p.running++;
}

static void task_end(void *env, const spark_task_info *t)
{
    active *a = find(env, t->stage, t->stage_attempt);
    if (!a)
        return;
    a->p.running -= a->p.running > 0;
    a->p.done += t->reason == SPARK_TASK_SUCCESS;
    a->p.failed += t->reason != SPARK_TASK_SUCCESS && t->reason != SPARK_TASK_KILLED;
}

/* ---- drawing */

static size_t columns(void)
{
    const char *set = getenv("COLUMNS");
    struct winsize size;
    long n = set ? strtol(set, NULL, 10) : 0;
    if (n <= 0 && ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0)
        n = size.ws_col;
    return n <= 0 ? 80 : n > WIDEST ? WIDEST : (size_t)n;
}

static void put(const char *text, size_t n)
{
    while (n > 0) {
        const ssize_t some = spk_write(STDERR_FILENO, text, n);
        if (some <= 0)
            return;
        text += some;
        n -= (size_t)some;
    }
}

/* clear: by blanks, as Spark does; the cursor stands at the start of the line. */
static void clear(progress *p)
{
    char blanks[WIDEST + 2];
    if (p->width == 0)
        return;
    memset(blanks, ' ', p->width + 2);
    blanks[0] = blanks[p->width + 1] = '\r';
    put(blanks, p->width + 2);
    p->width = 0;
}

/* tail: behind the bar; alone: with rate and time left. */
static void write_tail(char *text, size_t size, const spark_progress *p, bool alone)
{
    int n = snprintf(text, size, "(%d + %d) / %d]", p->done, p->running, p->total);
    if (alone && p->rate > 0 && n > 0 && (size_t)n < size)
        snprintf(text + n, size - (size_t)n, p->rate < 10 ? " %.1f/s, %.0f s left" : " %.0f/s, %.0f s left",
            p->rate, p->left);
}

/* draw_one: into `width` characters. Returns how many it took. */
static size_t draw_one(char *line, size_t width, const spark_progress *p, bool alone)
{
    char head[32], tail[96];
    snprintf(head, sizeof head, "[Stage %d:", p->stage);
    write_tail(tail, sizeof tail, p, alone);
    if (strlen(head) + strlen(tail) + 8 > width)
        write_tail(tail, sizeof tail, p, false);
    const size_t ends = strlen(head) + strlen(tail), bar = ends < width ? width - ends : 0;
    const int total = p->total > 0 ? p->total : 1;
    size_t n = (size_t)snprintf(line, WIDEST, "%s", head);
    for (size_t i = 0; i < bar; i++) {
        const size_t full = bar * (size_t)p->done / (size_t)total;
        line[n++] = i < full ? '=' : i == full ? '>' : ' ';
    }
    return n + (size_t)snprintf(line + n, WIDEST, "%s", tail);
}

static void draw(progress *p, const spark_progress *stages, size_t n)
{
    char line[WIDEST * 4];
    const size_t all = columns(), bars = n < BARS ? n : BARS;
    size_t used = 1;
    if (n == 0) {
        clear(p);
        return;
    }
    line[0] = '\r';
    for (size_t i = 0; i < bars; i++)
        used += draw_one(line + used, (all - 1) / bars, &stages[i], bars == 1);
    const size_t width = used - 1;
    while (used - 1 < p->width && used < sizeof line)
        line[used++] = ' ';
    put(line, used);
    p->width = width < WIDEST ? width : WIDEST;
}

/* ---- when */

static void measure(active *a, int64_t now)
{
    spark_progress *s = &a->p;
    s->name = a->name;
    s->seconds = (double)(now - a->since) / 1000;
    s->rate = s->done > 0 && s->seconds > 0 ? s->done / s->seconds : -1;
    s->left = s->rate > 0 && s->total > s->done ? (s->total - s->done) / s->rate : s->rate > 0 ? 0 : -1;
}

static void show(progress *p, const spark_progress *stages, size_t n)
{
    if (p->options.to)
        p->options.to(p->options.env, stages, n);
    else
        draw(p, stages, n);
    p->shown = n > 0;
}

static void idle(void *env)
{
    enum { MOST = 64 };
    progress *p = env;
    spark_progress list[MOST];
    const int64_t now = spk_clock_ms();
    size_t n = 0;
    if (now < p->next && (p->n > 0 || !p->shown))
        return;
    p->next = now + p->options.interval_ms;
    for (size_t i = 0; i < p->n && n < MOST; i++) {
        measure(&p->stages[i], now);
        if (now - p->stages[i].since >= p->delay)
            list[n++] = p->stages[i].p;
    }
    if (n > 0 || p->shown)
        show(p, list, n);
}

/* job_end: nothing of it is left on the line when the action returns, or soon. */
static void job_end(void *env, const spark_job_info *job)
{
    progress *p = env;
    (void)job;
    if (p->n == 0 && p->shown) {
        show(p, NULL, 0);
        p->next = spk_clock_ms() + p->delay;
    }
}

static void finish(void *env)
{
    progress *p = env;
    if (p->shown)
        show(p, NULL, 0);
    free(p->stages);
    free(p);
}

spark_status spark_show_progress(spark_context *sc, const spark_progress_options *options)
{
    const bool draws = !options || !options->to;
    if (draws && !isatty(STDERR_FILENO))
        return SPARK_OK;
    progress *p = calloc(1, sizeof *p);
    if (!p)
        return spk_raisef(SPARK_ENOMEM, "showProgress", NULL, "showProgress: out of memory");
    if (options)
        p->options = *options;
    p->options.interval_ms = p->options.interval_ms > 0 ? p->options.interval_ms : INTERVAL;
    p->delay = p->options.delay_ms == 0 ? DELAY : p->options.delay_ms < 0 ? 0 : p->options.delay_ms;
    const spark_listener listener = { .env = p,
        .capacity = WAITING,
        .whole = draws,
        .brief = true,
        .prompt = true,
        .job_end = job_end,
        .stage_submitted = stage_submitted,
        .stage_completed = stage_completed,
        .task_start = task_start,
        .task_end = task_end,
        .idle = idle,
        .tick_ms = p->options.interval_ms,
        .close = finish };
    return spark_add_listener(sc, &listener);
}
