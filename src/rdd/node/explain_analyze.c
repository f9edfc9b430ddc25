/* SPDX-License-Identifier: Apache-2.0 */
/* explain, after a run: the figures that metrics have of the stages of one job, and of earlier ones where it has
 * skipped them. They are looked at where they are kept, so that lock is held meanwhile; plan_lock comes after it. */
#include <stdlib.h>

#include "base/error.h"
#include "listen/metrics.h"
#include "listen/page.h"
#include "rdd/node/explain.h"

/* counted: rows of an RDD in a job; ns: what making them has taken; of: what the tasks of those stages have. */
typedef struct counted {
    int rdd, job; /* job -1: the slot is empty */
    int64_t made, cached, ns, of;
} counted;

typedef struct analysis {
    const spk_metrics *metrics;
    const spark_rdd *rdd;
    int job; /* that is told of; -1: there was none */
    const spk_kept_stage **stages; /* all, by the shuffle that they write (-1: none), the newest job first */
    size_t n_stages;
    counted *slots;
    size_t n_slots; /* a power of two */
} analysis;

/* told: the stage of a shuffle in one job: over all of its attempts. */
typedef struct told {
    int job, n, tasks; /* job -1: no such stage is known */
    bool active, failed;
    int64_t time, end_ns, of; /* end_ns, of: as of what is counted */
    spark_attempt_totals sum;
    const spk_kept_stage *last;
} told;

/* ---- finding */

/* is_stage: that fills the shuffle, or makes the result of the RDD. */
static bool is_stage(const analysis *a, const spk_kept_stage *s, const spk_shuffle *shuffle)
{
    return shuffle ? s->m.shuffle == shuffle->id : s->m.is_result && s->m.rdd == a->rdd->id;
}

static int by_shuffle(const void *a, const void *b)
{
    const spk_kept_stage *const *x = a, *const *y = b;
    const int p = (*x)->m.shuffle, q = (*y)->m.shuffle;
    if (p != q)
        return p < q ? -1 : 1;
    return ((*x)->m.job < (*y)->m.job) - ((*x)->m.job > (*y)->m.job);
}

/* list_stages: false: no memory. */
static bool list_stages(analysis *a)
{
    size_t n = 0;
    for (size_t b = 0; b < SPK_KEPT_BUCKETS; b++)
        for (const spk_kept_stage *s = a->metrics->stages[b]; s; s = s->next)
            n++;
    a->stages = malloc((n + 1) * sizeof *a->stages);
    for (size_t b = 0; a->stages && b < SPK_KEPT_BUCKETS; b++)
        for (const spk_kept_stage *s = a->metrics->stages[b]; s; s = s->next)
            a->stages[a->n_stages++] = s;
    if (a->n_stages > 0)
        qsort(a->stages, a->n_stages, sizeof *a->stages, by_shuffle);
    return a->stages != NULL;
}

/* first_of: where those of a shuffle begin. */
static size_t first_of(const analysis *a, const spk_shuffle *shuffle)
{
    const int id = shuffle ? shuffle->id : -1;
    size_t from = 0, to = a->n_stages;
    while (from < to) {
        const size_t half = from + (to - from) / 2;
        if (a->stages[half]->m.shuffle < id)
            from = half + 1;
        else
            to = half;
    }
    return from;
}

/* newest_job: in which the stage ran, no later than `most`; -1: none. */
static int newest_job(const analysis *a, const spk_shuffle *shuffle, int most)
{
    const int id = shuffle ? shuffle->id : -1;
    for (size_t i = first_of(a, shuffle); i < a->n_stages && a->stages[i]->m.shuffle == id; i++)
        if (is_stage(a, a->stages[i], shuffle) && a->stages[i]->m.job <= most)
            return a->stages[i]->m.job;
    return -1;
}

/* time_of: of all steps of an attempt of a stage, and of its end. */
static int64_t time_of(const spk_kept_stage *s)
{
    int64_t ns = s->end_ns;
    for (size_t i = 0; i < s->n_rows; i++)
        ns += s->rows[i].ns;
    return ns;
}

static void find(const analysis *a, const spk_shuffle *shuffle, told *t)
{
    const int id = shuffle ? shuffle->id : -1;
    *t = (told) { .job = newest_job(a, shuffle, a->job) };
    if (t->job < 0)
        return;
    for (size_t i = first_of(a, shuffle); i < a->n_stages && a->stages[i]->m.shuffle == id; i++) {
        const spk_kept_stage *s = a->stages[i];
        if (s->m.job < t->job)
            break;
        if (!is_stage(a, s, shuffle) || s->m.job != t->job)
            continue;
        t->n++;
        t->tasks = s->m.tasks > t->tasks ? s->m.tasks : t->tasks;
        t->active = t->active || s->m.state == SPARK_RUN_ACTIVE;
        t->time += s->m.completion_time > 0 ? s->m.completion_time - s->m.submission_time : 0;
        if (!t->last || s->m.attempt > t->last->m.attempt)
            t->last = s;
        t->failed = t->last->m.state == SPARK_RUN_FAILED;
        spk_totals_add(&t->sum, &s->m.attempts);
        t->end_ns += s->end_ns;
        t->of += time_of(s);
    }
}

static counted *slot_of(const analysis *a, int rdd)
{
    size_t i = ((uint32_t)rdd * UINT32_C(0x9e3779b1)) & (a->n_slots - 1);
    while (a->slots[i].job >= 0 && a->slots[i].rdd != rdd)
        i = (i + 1) & (a->n_slots - 1);
    return &a->slots[i];
}

/* count_rows: of each RDD, those of the newest job that has made or read some. False: no memory. */
static bool count_rows(analysis *a)
{
    size_t n = 0;
    for (size_t i = 0; i < a->n_stages; i++)
        n += a->stages[i]->n_rows;
    for (a->n_slots = 16; a->n_slots < 2 * n;)
        a->n_slots *= 2;
    a->slots = malloc(a->n_slots * sizeof *a->slots);
    for (size_t i = 0; a->slots && i < a->n_slots; i++)
        a->slots[i] = (counted) { .job = -1 };
    for (size_t k = 0; a->slots && k < a->n_stages; k++) {
        const spk_kept_stage *s = a->stages[k];
        const int64_t of = time_of(s);
        for (size_t i = 0; i < s->n_rows && s->m.job <= a->job; i++) {
            counted *c = slot_of(a, s->rows[i].rdd);
            if (c->job > s->m.job)
                continue;
            if (c->job < s->m.job)
                *c = (counted) { .rdd = s->rows[i].rdd, .job = s->m.job };
            c->made += s->rows[i].made;
            c->cached += s->rows[i].cached;
            c->ns += s->rows[i].ns;
            c->of += of;
        }
    }
    return a->slots != NULL;
}

/* ---- saying */

typedef struct saying {
    spk_say *say;
    void *to;
    spk_json_out text;
} saying;

/* said: what was gathered, with plain blanks. */
static void said(saying *s)
{
    spk_json_out *t = &s->text;
    size_t n = 0;
    spk_json_bytes(t, "", 1);
    for (size_t i = 0; !t->failed && i < t->n; i++) {
        const bool wide = i + 1 < t->n && memcmp(t->at + i, "\xc2\xa0", 2) == 0;
        t->at[n++] = wide ? ' ' : t->at[i];
        i += wide;
    }
    if (!t->failed)
        s->say(s->to, t->at);
    t->n = 0;
}

static void rows_and_bytes(saying *s, const char *what, int64_t rows, int64_t bytes, const char *of)
{
    if (rows == 0 && bytes == 0)
        return;
    spk_page_format(&s->text, "%s ", what);
    spk_page_counted(&s->text, rows, "row", "rows");
    SPK_JSON(&s->text, ", ");
    spk_page_size(&s->text, (uint64_t)bytes);
    spk_page_put(&s->text, of);
    said(s);
}

static void amount(saying *s, int64_t n, const char *one, const char *more)
{
    if (n == 0)
        return;
    spk_page_counted(&s->text, n, one, more);
    said(s);
}

static void say_tasks(saying *s, const told *t)
{
    static const double at[] = { 0.5, 1 };
    spark_task_metrics times[2];
    spk_samples copy;
    spk_page_format(&s->text, "%lld of %d tasks", (long long)t->sum.succeeded, t->tasks);
    if (t->last->samples.n > 0 && spk_samples_copy(&copy, &t->last->samples)) {
        spk_samples_quantiles(&copy, at, 2, times);
        spk_samples_fini(&copy);
        SPK_JSON(&s->text, ": median ");
        spk_page_time(&s->text, times[0].run_ns);
        SPK_JSON(&s->text, ", longest ");
        spk_page_time(&s->text, times[1].run_ns);
    }
    SPK_JSON(&s->text, ", ");
    spk_page_time(&s->text, t->sum.sum.run_ns);
    SPK_JSON(&s->text, " in all, CPU ");
    spk_page_time(&s->text, t->sum.sum.cpu_ns);
    said(s);
}

static void say_failures(saying *s, const told *t)
{
    amount(s, t->sum.failed, "attempt failed", "attempts failed");
    amount(s, t->sum.fetch_failed, "attempt lost its input", "attempts lost their input");
    amount(s, t->sum.executor_lost, "attempt lost its executor", "attempts lost their executors");
    amount(s, t->sum.killed, "attempt was stopped", "attempts were stopped");
    amount(s, t->sum.retries, "retry", "retries");
    amount(s, t->sum.speculative, "copy of a slow task", "copies of slow tasks");
    if (t->n > 1)
        amount(s, t->n, "time submitted", "times submitted");
}

static void say_data(saying *s, const spark_task_metrics *m)
{
    amount(s, m->cached_reads, "partition read from the cache", "partitions read from the cache");
    rows_and_bytes(s, "read", m->input_rows, m->input_bytes, "");
    rows_and_bytes(s, "read", m->shuffle_read_rows, m->shuffle_read_local_bytes + m->shuffle_read_remote_bytes,
        " of shuffles");
    rows_and_bytes(s, "wrote", m->shuffle_write_rows, m->shuffle_write_bytes, " to a shuffle");
    rows_and_bytes(s, "wrote", m->output_rows, m->output_bytes, " to files");
    if (m->disk_spilled_bytes > 0) {
        SPK_JSON(&s->text, "spilled ");
        spk_page_size(&s->text, (uint64_t)m->disk_spilled_bytes);
        said(s);
    }
    amount(s, m->cached_blocks, "block cached", "blocks cached");
    amount(s, m->evicted_blocks, "block evicted", "blocks evicted");
    if (m->cycles > 0 && m->instructions > 0) {
        SPK_JSON(&s->text, "instructions a cycle: ");
        spk_page_number(&s->text, (double)m->instructions / (double)m->cycles);
        said(s);
    }
    amount(s, m->cache_misses, "cache miss", "cache misses");
    amount(s, m->page_faults, "page fault", "page faults");
}

static void percent(saying *s, int64_t part, int64_t all)
{
    spk_page_format(&s->text, " (%d%%)", (int)((double)part * 100 / (double)all + 0.5));
}

/* say_share: of the time of tasks; of: all of it. */
static void say_share(saying *s, const char *what, int64_t ns, int64_t of)
{
    if (of <= 0)
        return;
    spk_page_put(&s->text, what);
    spk_page_time(&s->text, ns);
    percent(s, ns, of);
    said(s);
}

static void say_profile(saying *s, const spark_shuffle_profile *p)
{
    if (p && p->n_hot > 0 && p->bytes > 0 && p->partitions > 1) {
        spk_page_format(&s->text, "largest partition %d: ", p->hot[0].partition);
        spk_page_size(&s->text, (uint64_t)p->hot[0].bytes);
        percent(s, p->hot[0].bytes, p->bytes);
        said(s);
    }
    if (p && p->n_keys > 0 && p->rows > 0 && p->keys[0].rows * 100 >= p->rows) { /* 0: where memory was short */
        SPK_JSON(&s->text, "most frequent key ");
        for (const char *c = p->keys[0].key; *c; c++)
            spk_json_bytes(&s->text, (unsigned char)*c < ' ' || *c == 0x7f ? "?" : c, 1);
        spk_page_put(&s->text, p->key_error > 0 ? ": at least " : ": ");
        spk_page_counted(&s->text, p->keys[0].rows, "row", "rows");
        percent(s, p->keys[0].rows, p->rows);
        said(s);
    }
}

static void stage(void *env, const spk_shuffle *shuffle, spk_say *say, void *to)
{
    const analysis *a = env;
    saying s = { say, to, { .at = NULL } };
    told t;
    find(a, shuffle, &t);
    if (t.job < 0) {
        say(to, a->job < 0 ? "has not run" : "not run, as far as is known");
        return;
    }
    if (t.job < a->job)
        spk_page_format(&s.text, "skipped in job %d; ", a->job);
    spk_page_format(&s.text, "%s in job %d as stage %d", t.active ? "runs" : t.failed ? "failed" : "ran", t.job, t.last->m.id);
    if (!t.active) {
        SPK_JSON(&s.text, ": ");
        spk_page_time(&s.text, t.time);
    }
    said(&s);
    say_tasks(&s, &t);
    say_failures(&s, &t);
    say_share(&s, shuffle ? "writing the shuffle takes " : "the action takes ", t.end_ns, t.of);
    say_data(&s, &t.sum.sum);
    say_profile(&s, t.last->written);
    spk_json_fini(&s.text);
}

static void say_rows(
    saying *s, const analysis *a, const counted *c, int64_t n, const char *one, const char *more)
{
    spk_page_counted(&s->text, n, one, more);
    if (c->job < a->job)
        spk_page_format(&s->text, " in job %d", c->job);
    said(s);
}

static void rows(void *env, const spark_rdd *rdd, spk_say *say, void *to)
{
    const analysis *a = env;
    saying s = { say, to, { .at = NULL } };
    const counted *c = slot_of(a, rdd->id);
    if (c->job < 0)
        return;
    if (c->made > 0 || c->cached == 0)
        say_rows(&s, a, c, c->made, "row made", "rows made");
    if (c->cached > 0)
        say_rows(&s, a, c, c->cached, "row from the cache", "rows from the cache");
    say_share(&s, "takes ", c->ns, c->of);
    spk_json_fini(&s.text);
}

/* analyze: metrics are asked for, and held, before the plan is. */
static spark_status analyze(const char *operation, spark_site at, spark_rdd *rdd, FILE *to, bool graph)
{
    const spark_status status = spk_explain_check(operation, at, rdd, to);
    size_t n = 0;
    char *text = NULL;
    spk_metrics *metrics = status == SPARK_OK ? spk_metrics_enter(rdd->sc) : NULL;
    if (status != SPARK_OK)
        return status;
    if (!metrics)
        return spk_raisef(SPARK_EINVAL, operation, at,
            "%s at %s: there are no metrics: spark_keep_metrics keeps them, before the job", operation, at);
    analysis a = { .metrics = metrics, .rdd = rdd };
    const spk_explain_more more = { &a, stage, rows };
    const bool listed = list_stages(&a);
    a.job = newest_job(&a, NULL, INT32_MAX);
    if (listed && count_rows(&a))
        text = (graph ? spk_explain_graph : spk_explain_text)(rdd, &more, &n);
    free(a.slots);
    free(a.stages);
    spk_metrics_leave(metrics);
    return spk_explain_finish(operation, at, to, text, n);
}

spark_status spark_explain_analyze(spark_site at, spark_rdd *rdd, FILE *to)
{
    return analyze("explainAnalyze", at, rdd, to, false);
}

spark_status spark_explain_analyze_dot(spark_site at, spark_rdd *rdd, FILE *to)
{
    return analyze("explainAnalyzeDot", at, rdd, to, true);
}
