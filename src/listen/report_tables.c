/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of stages and of failures, and the list of jobs. */
#include "listen/report.h"

#include <stdlib.h>

enum { JOBS = 12, LISTED = 100 };

static int by_time(const void *a, const void *b)
{
    const spk_past_stage *x = *(spk_past_stage *const *)a, *y = *(spk_past_stage *const *)b;
    const int more = (x->sum.run_ns < y->sum.run_ns) - (x->sum.run_ns > y->sum.run_ns);
    return more ? more : (x->id > y->id) - (x->id < y->id);
}

static int by_id(const void *a, const void *b)
{
    const spk_past_stage *x = *(spk_past_stage *const *)a, *y = *(spk_past_stage *const *)b;
    return (x->id > y->id) - (x->id < y->id);
}

size_t spk_report_busiest(const spk_history *h, spk_past_stage **stages, size_t most)
{
    spk_past_stage **all = malloc((h->n_stages + 1) * sizeof *all);
    size_t n = 0;
    if (!all)
        return 0;
    for (size_t i = 0; i < h->n_stages; i++)
        if (h->stages[i].attempts > 0)
            all[n++] = &h->stages[i];
    qsort(all, n, sizeof *all, by_time);
    if (n > most)
        n = most;
    qsort(all, n, sizeof *all, by_id);
    for (size_t i = 0; i < n; i++)
        stages[i] = all[i];
    free(all);
    return n;
}

/* ---- stages */

static void cell_size(spk_json_out *out, int64_t bytes)
{
    SPK_JSON(out, "<td>");
    if (bytes > 0)
        spk_page_size(out, (uint64_t)bytes);
    else
        SPK_JSON(out, "<span class=\"soft\">\xe2\x80\x93</span>");
    SPK_JSON(out, "</td>");
}

/* has_counters: some task has counted what the processor does. */
static bool has_counters(const spk_history *h)
{
    return h->sum.cycles + h->sum.instructions + h->sum.cache_misses + h->sum.page_faults > 0;
}

static void cell_count(spk_json_out *out, int64_t count)
{
    SPK_JSON(out, "<td>");
    if (count > 0)
        spk_page_count(out, count);
    else
        SPK_JSON(out, "<span class=\"soft\">\xe2\x80\x93</span>");
    SPK_JSON(out, "</td>");
}

static void cells_counted(const spk_report *r, const spark_task_metrics *m)
{
    if (!has_counters(r->history))
        return;
    SPK_JSON(r->out, "<td>");
    if (m->cycles > 0 && m->instructions > 0)
        spk_page_number(r->out, (double)m->instructions / (double)m->cycles);
    else
        SPK_JSON(r->out, "<span class=\"soft\">\xe2\x80\x93</span>");
    SPK_JSON(r->out, "</td>");
    cell_count(r->out, m->cache_misses);
    cell_count(r->out, m->page_faults);
}

static void stage_row(const spk_report *r, spk_past_stage *s, int64_t most)
{
    spk_json_out *out = r->out;
    const int64_t median = spk_past_median(s), rows = s->sum.input_rows + s->sum.shuffle_read_rows;
    const double skew = median > 0 ? (double)s->longest / (double)median : 1;
    spk_page_format(out, "<tr id=\"stage-%d\"><th scope=\"row\">%d</th><td class=\"name\">", s->id, s->id);
    spk_report_text(r, s->name, 160);
    if (s->state == SPK_PAST_FAILED)
        SPK_JSON(out, " <span class=\"tag bad\">failed</span>");
    if (s->attempts > 1)
        spk_page_format(out, " <span class=\"tag warn\">%d attempts</span>", s->attempts);
    spk_page_format(out, "<span class=\"bar\" aria-hidden=\"true\"><i class=\"c%d\" "
        "style=\"width:%d%%\"></i></span></td><td>",
        spk_report_hue(r, s->id), (int)(most > 0 ? s->sum.run_ns * 100 / most : 0));
    spk_page_count(out, s->done);
    if (s->failed + s->lost > 0)
        spk_page_format(out, "<br><span class=\"tag bad\">%lld failed</span>", (long long)(s->failed + s->lost));
    SPK_JSON(out, "</td><td>");
    spk_page_time(out, s->ran);
    SPK_JSON(out, "</td><td>");
    spk_page_time(out, median);
    SPK_JSON(out, "</td><td>");
    spk_page_time(out, s->longest);
    spk_page_format(out, "</td><td%s>", skew >= 4 && s->longest > 20000000 ? " class=\"hot\"" : "");
    spk_page_times(out, skew);
    SPK_JSON(out, "</td><td>");
    if (rows > 0)
        spk_page_count(out, rows);
    else
        SPK_JSON(out, "<span class=\"soft\">\xe2\x80\x93</span>");
    SPK_JSON(out, "</td>");
    cell_size(out, s->sum.input_bytes);
    cell_size(out, s->sum.shuffle_read_local_bytes + s->sum.shuffle_read_remote_bytes);
    cell_size(out, s->sum.shuffle_write_bytes);
    cell_size(out, s->sum.disk_spilled_bytes);
    cells_counted(r, &s->sum);
    SPK_JSON(out, "</tr>\n");
}

void spk_report_stages(const spk_report *r)
{
    spk_past_stage *stages[SPK_REPORT_STAGES];
    const size_t n = spk_report_busiest(r->history, stages, SPK_REPORT_STAGES);
    int64_t most = 0;
    for (size_t i = 0; i < n; i++)
        most = stages[i]->sum.run_ns > most ? stages[i]->sum.run_ns : most;
    spk_page_put(r->out, "<section id=\"stages\" aria-labelledby=\"h-stages\"><h2 id=\"h-stages\">Stages</h2><div "
        "class=\"scroll\" "
        "tabindex=\"0\" role=\"region\" aria-label=\"Stages\"><table><caption>The bar is the share of the time of "
        "tasks; skew is "
        "the longest task over the median one.");
    if ((int64_t)n < r->history->all_stages) {
        spk_page_format(r->out, " The %d with the most of it, of ", (int)n);
        spk_page_count(r->out, r->history->all_stages);
        SPK_JSON(r->out, ".");
    }
    spk_page_put(r->out, "</caption><thead><tr><th scope=\"col\">Stage</th><th scope=\"col\" class=\"name\">Last "
        "step</th><th "
        "scope=\"col\">Tasks</th><th scope=\"col\">Took</th><th scope=\"col\">Median task</th><th "
        "scope=\"col\">Longest</th>"
        "<th scope=\"col\">Skew</th><th scope=\"col\">Rows in</th><th scope=\"col\">Input</th><th "
        "scope=\"col\">Shuffle read</th>"
        "<th scope=\"col\">Shuffle write</th><th scope=\"col\">Spilled</th>");
    if (has_counters(r->history))
        spk_page_put(r->out, "<th scope=\"col\">Instructions a cycle</th><th scope=\"col\">Cache misses</th>"
            "<th scope=\"col\">Page faults</th>");
    SPK_JSON(r->out, "</tr></thead><tbody>\n");
    for (size_t i = 0; i < n; i++)
        stage_row(r, stages[i], most);
    SPK_JSON(r->out, "</tbody></table></div></section>\n");
}

/* ---- jobs */

static int by_task_time(const void *a, const void *b)
{
    const spk_past_job *x = *(const spk_past_job *const *)a, *y = *(const spk_past_job *const *)b;
    const int more = (x->task_time < y->task_time) - (x->task_time > y->task_time);
    return more ? more : (x->id > y->id) - (x->id < y->id);
}

static int by_job_id(const void *a, const void *b)
{
    const spk_past_job *x = *(const spk_past_job *const *)a, *y = *(const spk_past_job *const *)b;
    return (x->id > y->id) - (x->id < y->id);
}

static void job_title(const spk_report *r, const spk_past_job *j)
{
    spk_page_format(r->out, "<span class=\"strong\">Job %d</span> ", j->id);
    spk_report_text(r, j->action, 60);
    SPK_JSON(r->out, " <span class=\"soft\">at ");
    spk_report_text(r, j->site, 120);
    if (j->description && *j->description) {
        SPK_JSON(r->out, " \xe2\x80\x94 ");
        spk_report_text(r, j->description, 160);
    }
    SPK_JSON(r->out, " \xc2\xb7 ");
    spk_page_time(r->out, (j->completed ? j->completed : r->history->last) - j->submitted);
    SPK_JSON(r->out, " \xc2\xb7 ");
    spk_page_counted(r->out, j->n_stages, "stage", "stages");
    if (j->skipped > 0)
        spk_page_format(r->out, ", %d skipped", j->skipped);
    SPK_JSON(r->out, "</span>");
    if (j->status == SPARK_ECANCELLED)
        SPK_JSON(r->out, " <span class=\"tag warn\">cancelled</span>");
    else if (j->status != SPARK_OK)
        SPK_JSON(r->out, " <span class=\"tag bad\">failed</span>");
    else if (!j->completed)
        SPK_JSON(r->out, " <span class=\"tag\">unfinished</span>");
}

void spk_report_jobs(const spk_report *r)
{
    const spk_history *h = r->history;
    const spk_past_job **jobs = malloc((h->n_jobs + 1) * sizeof *jobs);
    SPK_JSON(r->out, "<section id=\"jobs\" aria-labelledby=\"h-jobs\"><h2 id=\"h-jobs\">Jobs</h2><p class=\"soft "
        "small\">");
    spk_page_put(r->out, "Stages are boxes, from left to right; an RDD that is cached is green. ");
    if (h->all_jobs > JOBS)
        spk_page_format(r->out, "Those %d of %lld that took the most time.", JOBS, (long long)h->all_jobs);
    SPK_JSON(r->out, "</p>\n");
    for (size_t i = 0; jobs && i < h->n_jobs; i++)
        jobs[i] = &h->jobs[i];
    const size_t n = !jobs ? 0 : h->n_jobs < JOBS ? h->n_jobs : JOBS;
    if (n > 0)
        qsort(jobs, h->n_jobs, sizeof *jobs, by_task_time);
    const spk_past_job *const longest[] = { n > 0 ? jobs[0] : NULL, n > 1 ? jobs[1] : NULL };
    if (n > 0)
        qsort(jobs, n, sizeof *jobs, by_job_id);
    for (size_t i = 0; i < n; i++) {
        spk_page_format(r->out, "<details%s><summary>", jobs[i] == longest[0] || jobs[i] == longest[1] ? " open" : "");
        job_title(r, jobs[i]);
        SPK_JSON(r->out, "</summary>\n");
        spk_report_graph(r, jobs[i]);
        SPK_JSON(r->out, "</details>\n");
    }
    if (h->all_jobs == 0)
        SPK_JSON(r->out, "<p>No job was run.</p>");
    SPK_JSON(r->out, "</section>\n");
    free(jobs);
}

/* ---- failures */

static void failure_item(const spk_report *r, const spk_past_failure *f)
{
    static const char *const reasons[] = { [SPARK_TASK_RUNNING] = "", [SPARK_TASK_SUCCESS] = "",
        [SPARK_TASK_FAILED] = "failed", [SPARK_TASK_FETCH_FAILED] = "found an output of a shuffle gone",
        [SPARK_TASK_KILLED] = "killed", [SPARK_TASK_EXECUTOR_LOST] = "lost with their executor" };
    SPK_JSON(r->out, "<li class=\"bad\"><span class=\"strong\">");
    spk_page_counted(r->out, f->count, "attempt", "attempts");
    spk_page_format(r->out, " in <a href=\"#stage-%d\">stage %d</a> %s</span> <span class=\"soft\">the first in "
        "partition %d"
        "</span><pre>", f->stage, f->stage, reasons[f->reason], f->partition);
    spk_report_text(r, f->message, 1500);
    SPK_JSON(r->out, "</pre></li>\n");
}

/* earlier: a stage that has filled the shuffle before, so that the i-th one makes some of it again. */
static const spk_past_stage *earlier(const spk_history *h, size_t i)
{
    for (size_t k = 0; h->stages[i].shuffle >= 0 && h->stages[i].attempts > 0 && k < i; k++)
        if (h->stages[k].shuffle == h->stages[i].shuffle && h->stages[k].state == SPK_PAST_DONE)
            return &h->stages[k];
    return NULL;
}

static void again(const spk_report *r)
{
    const spk_history *h = r->history;
    int listed = 0;
    for (size_t i = 0; i < h->n_stages && listed < LISTED; i++) {
        const spk_past_stage *s = &h->stages[i], *before = earlier(h, i);
        if (s->attempts < 2 && s->done <= s->tasks && !before)
            continue;
        if (listed++ == 0)
            SPK_JSON(r->out, "<h3>Computed again</h3><ul>");
        spk_page_format(r->out, "<li><a href=\"#stage-%d\">Stage %d</a> <span class=\"soft\">", s->id, s->id);
        spk_report_text(r, s->name, 80);
        spk_page_format(r->out, "</span>: %d %s, ", s->attempts, s->attempts == 1 ? "attempt" : "attempts");
        spk_page_counted(r->out, before ? s->done : s->done > s->tasks ? s->done - s->tasks : 0, "task", "tasks");
        SPK_JSON(r->out, " run again");
        if (before)
            spk_page_format(r->out, ", for what stage %d had made was lost or dropped", before->id);
        SPK_JSON(r->out, "</li>");
    }
    if (listed > 0)
        SPK_JSON(r->out, "</ul>\n");
}

static void executors_gone(const spk_report *r)
{
    const spk_history *h = r->history;
    for (size_t i = 0; i < h->n_executors && i < LISTED; i++) {
        const spk_past_executor *x = &h->executors[i];
        if (x->removed == 0 || x->removed > h->last)
            continue;
        SPK_JSON(r->out, "<li class=\"warn\"><span class=\"strong\">Executor ");
        spk_page_text(r->out, x->id, 16);
        SPK_JSON(r->out, " was lost</span> <span class=\"soft\">after ");
        spk_page_time(r->out, x->removed - h->first);
        SPK_JSON(r->out, "</span><pre>");
        spk_report_text(r, x->reason, 240);
        SPK_JSON(r->out, "</pre></li>\n");
    }
}

static void failed_jobs(const spk_report *r)
{
    int listed = 0;
    for (size_t i = 0; i < r->history->n_jobs && listed < 20; i++) {
        const spk_past_job *j = &r->history->jobs[i];
        if (j->status == SPARK_OK)
            continue;
        listed++;
        spk_page_format(r->out, "<li class=\"bad\"><span class=\"strong\">Job %d %s</span><pre>", j->id,
            j->status == SPARK_ECANCELLED ? "was cancelled" : "failed");
        spk_report_text(r, j->failure, 1500);
        SPK_JSON(r->out, "</pre></li>\n");
    }
}

void spk_report_failures(const spk_report *r)
{
    const spk_history *h = r->history;
    SPK_JSON(r->out, "<section id=\"failures\" aria-labelledby=\"h-failures\"><h2 id=\"h-failures\">Failures</h2>");
    bool any = h->n_failures > 0 || h->lost_executors > 0;
    for (size_t i = 0; i < h->n_jobs; i++)
        any = any || h->jobs[i].status != SPARK_OK;
    if (!any) {
        SPK_JSON(r->out, "<p>Nothing failed, and nothing was lost.</p></section>\n");
        return;
    }
    SPK_JSON(r->out, "<ul class=\"hints\">\n");
    failed_jobs(r);
    executors_gone(r);
    for (size_t i = 0; i < h->n_failures; i++)
        failure_item(r, &h->failures[i]);
    SPK_JSON(r->out, "</ul>");
    if (h->other_failures > 0)
        spk_page_format(r->out, "<p class=\"soft small\">%lld more failures are not listed.</p>",
            (long long)h->other_failures);
    again(r);
    SPK_JSON(r->out, "</section>\n");
}
