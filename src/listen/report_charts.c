/* SPDX-License-Identifier: Apache-2.0 */
/* What happened when: jobs and the tasks of each worker, and how much was cached. */
#include "listen/report.h"

#include <stdio.h>
#include <stdlib.h>

enum { LEFT = 132, RIGHT = 972, TRACKS = 64, LANE = 20, JOBS = 3, JOB = 22, TOP = 8, WIDE = 1000 };

/* scale: times to x. */
typedef struct scale {
    int64_t from, to;
} scale;

static double x_of(const scale *s, int64_t time)
{
    const double part = (double)(time - s->from) / (double)(s->to - s->from);
    return LEFT + (RIGHT - LEFT) * (part < 0 ? 0 : part > 1 ? 1 : part);
}

static scale scale_of(const spk_history *h)
{
    return (scale) { h->first, h->last > h->first ? h->last : h->first + 1 };
}

/* axis: lines at round times, with what they are counted from the first. */
static void axis(spk_json_out *out, const scale *s, int top, int bottom)
{
    int64_t step = 1;
    for (int i = 0; (s->to - s->from) / step > 8; i++)
        step = i % 3 == 1 ? step / 2 * 5 : step * 2;
    for (int64_t at = 0; at <= s->to - s->from; at += step) {
        const double x = x_of(s, s->from + at);
        SPK_JSON(out, "<path class=\"grid\" d=\"M");
        spk_page_number(out, x);
        spk_page_format(out, " %dV%d\"/><text class=\"s\" font-size=\"11\" text-anchor=\"middle\" x=\"", top, bottom);
        spk_page_number(out, x);
        spk_page_format(out, "\" y=\"%d\">", bottom + 15);
        if (at == 0)
            SPK_JSON(out, "0");
        else
            spk_page_time(out, at);
        SPK_JSON(out, "</text>");
    }
}

static void rect(spk_json_out *out, const char *class, double x, int y, double width, int height)
{
    SPK_JSON(out, "<rect class=\"");
    spk_page_put(out, class);
    SPK_JSON(out, "\" x=\"");
    spk_page_number(out, x);
    spk_page_format(out, "\" y=\"%d\" width=\"", y);
    spk_page_number(out, width < 0.6 ? 0.6 : width);
    spk_page_format(out, "\" height=\"%d\" rx=\"2\">", height);
}

/* job_bar: one, in its row. */
static void job_bar(const spk_report *r, const spk_past_job *j, double x, double width, int64_t took, int row)
{
    rect(r->out, j->status == SPARK_OK ? "job" : "cf", x, TOP + row * JOB, width, JOB - 4);
    spk_page_format(r->out, "<title>Job %d: ", j->id);
    spk_report_text(r, j->action, 60);
    SPK_JSON(r->out, ", ");
    spk_page_time(r->out, took);
    SPK_JSON(r->out, "</title></rect>");
    if (width < 58)
        return;
    SPK_JSON(r->out, "<text font-size=\"11\" x=\"");
    spk_page_number(r->out, x + 6);
    spk_page_format(r->out, "\" y=\"%d\"%s>Job %d</text>", TOP + row * JOB + 13,
        j->status == SPARK_OK ? "" : " style=\"fill:var(--card)\"", j->id);
}

/* jobs: as bars above the workers, below each other where they overlap. Returns how many rows; draw: else it
 * only counts those. */
static int jobs(const spk_report *r, const scale *s, bool draw)
{
    const spk_history *h = r->history;
    int64_t ends[JOBS] = { 0 };
    double last[JOBS] = { 0 };
    int rows = 0;
    for (size_t i = 0; i < h->n_jobs; i++) {
        const spk_past_job *j = &h->jobs[i];
        const int64_t end = j->completed ? j->completed : h->last;
        int row = 0;
        while (row < JOBS - 1 && ends[row] > j->submitted)
            row++;
        const double x = x_of(s, j->submitted), width = x_of(s, end) - x;
        if (width < 1 && x < last[row] + 1)
            continue; /* as a hundred others there */
        ends[row] = end;
        last[row] = x + width;
        rows = row >= rows ? row + 1 : rows;
        if (draw)
            job_bar(r, j, x, width, end - j->submitted, row);
    }
    return rows;
}

static void span(const spk_report *r, const scale *s, const spk_span *a, int y)
{
    char class[4] = "cf";
    if (!a->failed)
        snprintf(class, sizeof class, "c%d", spk_report_hue(r, a->stage) & 15);
    const double x = x_of(s, a->from);
    rect(r->out, class, x, y + 3, x_of(s, a->to) - x, LANE - 6);
    if (a->tasks == 1)
        spk_page_format(r->out, "<title>Stage %d%s, ", a->stage, a->failed ? ", failed" : "");
    else
        spk_page_format(r->out, "<title>%d tasks, the longest of stage %d%s, ", a->tasks, a->stage,
            a->failed ? ", some failed" : "");
    spk_page_time(r->out, a->to - a->from);
    SPK_JSON(r->out, "</title></rect>");
}

static void track_name(const spk_report *r, const spk_track *t, int y)
{
    char name[64];
    if (t->worker < 0)
        snprintf(name, sizeof name, "the program's thread");
    else if (r->history->n_executors > 1)
        snprintf(name, sizeof name, "executor %.12s \xc2\xb7 %d", t->executor, t->worker);
    else
        snprintf(name, sizeof name, "worker %d", t->worker);
    spk_page_format(r->out, "<text class=\"s\" font-size=\"11\" x=\"%d\" y=\"%d\" text-anchor=\"end\">", LEFT - 10,
        y + 14);
    spk_page_text(r->out, name, 60);
    SPK_JSON(r->out, "</text>");
}

static void executors_lost(const spk_report *r, const scale *s, int bottom)
{
    for (size_t i = 0; i < r->history->n_executors; i++) {
        const spk_past_executor *x = &r->history->executors[i];
        if (x->removed == 0 || x->removed > r->history->last)
            continue;
        SPK_JSON(r->out, "<path class=\"gone\" d=\"M");
        spk_page_number(r->out, x_of(s, x->removed));
        spk_page_format(r->out, " %dV%d\"><title>Executor ", TOP, bottom);
        spk_page_text(r->out, x->id, 16);
        SPK_JSON(r->out, " was lost</title></path>");
    }
}

static void legend(const spk_report *r)
{
    SPK_JSON(r->out, "<ul class=\"legend\" aria-label=\"Colours\">");
    for (int i = 0; i < r->n_hues; i++) {
        const spk_past_stage *s = spk_history_stage(r->history, r->hues[i]);
        spk_page_format(r->out, "<li><i class=\"c%d\"></i><a href=\"#stage-%d\">Stage %d</a> <span class=\"soft\">", i,
            r->hues[i], r->hues[i]);
        spk_report_text(r, s ? s->name : "", 40);
        SPK_JSON(r->out, "</span></li>");
    }
    if (r->history->n_stages > (size_t)r->n_hues)
        SPK_JSON(r->out, "<li><i class=\"c8\"></i>other stages</li>");
    if (r->history->failed_tasks + r->history->lost_tasks > 0)
        SPK_JSON(r->out, "<li><i class=\"cf\"></i>failed</li>");
    if (r->history->lost_executors > 0)
        SPK_JSON(r->out, "<li><span style=\"color:var(--bad)\">\xe2\x94\x86</span>\xc2\xa0 an executor was lost</li>");
    SPK_JSON(r->out, "</ul>\n");
}

static int by_place(const void *a, const void *b)
{
    const spk_track *x = a, *y = b;
    const int other = strcmp(x->executor, y->executor);
    const int longer = (strlen(x->executor) > strlen(y->executor)) - (strlen(x->executor) < strlen(y->executor));
    return longer ? longer : other ? other : (x->worker > y->worker) - (x->worker < y->worker);
}

void spk_report_timeline(const spk_report *r)
{
    if (r->history->n_tracks > 0)
        qsort(r->history->tracks, r->history->n_tracks, sizeof *r->history->tracks, by_place);
    const spk_history *h = r->history;
    const scale s = scale_of(h);
    const int n = h->n_tracks < TRACKS ? (int)h->n_tracks : TRACKS;
    const int first = TOP + jobs(r, &s, false) * JOB + 2, bottom = first + n * LANE + 4;
    spk_page_put(r->out, "<section id=\"timeline\" aria-labelledby=\"h-timeline\"><h2 id=\"h-timeline\">Timeline</h2>"
        "<p class=\"soft small\">Each bar is a task, in its stage\xe2\x80\x99s colour; jobs stand above.");
    if (h->grain > 0) {
        SPK_JSON(r->out, " There are so many that those within ");
        spk_page_time(r->out, h->grain);
        SPK_JSON(r->out, " are drawn as one.");
    }
    spk_page_put(r->out, "</p><div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Timeline of tasks\">");
    spk_page_format(r->out, "<svg class=\"wide\" role=\"img\" viewBox=\"0 0 %d %d\" aria-label=\"", WIDE, bottom + 22);
    spk_page_counted(r->out, h->all_tasks, "task", "tasks");
    SPK_JSON(r->out, " on ");
    spk_page_counted(r->out, (int64_t)h->n_tracks, "worker", "workers");
    SPK_JSON(r->out, " in ");
    spk_page_time(r->out, s.to - s.from);
    SPK_JSON(r->out, "\">\n");
    axis(r->out, &s, TOP, bottom);
    jobs(r, &s, true);
    for (int i = 0; i < n; i++) {
        const spk_track *t = &h->tracks[i];
        const int y = first + i * LANE;
        track_name(r, t, y);
        spk_page_format(r->out, "<rect class=\"lane\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" "
            "fill-opacity=\".6\"/>", LEFT,
            y + 3, RIGHT - LEFT, LANE - 6);
        for (size_t k = 0; k < t->n; k++)
            span(r, &s, &t->spans[k], y);
        SPK_JSON(r->out, "\n");
    }
    executors_lost(r, &s, bottom);
    SPK_JSON(r->out, "</svg></div>\n");
    if ((size_t)n < h->n_tracks)
        spk_page_format(r->out, "<p class=\"soft small\">%d more workers are not drawn.</p>", (int)h->n_tracks - n);
    legend(r);
    SPK_JSON(r->out, "</section>\n");
}

/* ---- storage */

/* curve: as steps; filled: down to the base line. */
static void curve(const spk_report *r, const scale *s, bool disk, uint64_t most, int base, int height)
{
    const spk_history *h = r->history;
    double y = base;
    spk_page_format(r->out, "<path class=\"%s\" d=\"M%d %d", disk ? "disk" : "mem", LEFT, base);
    for (size_t i = 0; i < h->n_points; i++) {
        const spk_point *p = &h->points[i];
        const uint64_t bytes = disk ? p->disk : p->memory;
        SPK_JSON(r->out, "H");
        spk_page_number(r->out, x_of(s, p->time));
        y = base - (double)height * (double)bytes / (double)most;
        SPK_JSON(r->out, "V");
        spk_page_number(r->out, y);
    }
    spk_page_format(r->out, disk ? "H%d\"/>" : "H%dV%d\"/>", RIGHT, base);
}

static void storage_chart(const spk_report *r)
{
    enum { TOP_LINE = 14, BASE = 154 };
    const spk_history *h = r->history;
    const scale s = scale_of(h);
    const uint64_t most = h->most_memory > h->most_disk ? h->most_memory : h->most_disk;
    spk_page_put(r->out, "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Storage over time\">");
    spk_page_format(r->out, "<svg class=\"wide\" role=\"img\" viewBox=\"0 0 %d %d\" aria-label=\"At most ", WIDE,
        BASE + 22);
    spk_page_size(r->out, h->most_memory);
    SPK_JSON(r->out, " were cached in memory and ");
    spk_page_size(r->out, h->most_disk);
    SPK_JSON(r->out, " on disk\">");
    axis(r->out, &s, TOP_LINE, BASE);
    spk_page_format(r->out, "<path class=\"grid\" d=\"M%d %dH%dM%d %dH%d\"/>", LEFT, TOP_LINE, RIGHT, LEFT, BASE,
        RIGHT);
    spk_page_format(r->out, "<text class=\"s\" font-size=\"11\" text-anchor=\"end\" x=\"%d\" y=\"%d\">", LEFT - 10,
        TOP_LINE + 4);
    spk_page_size(r->out, most);
    spk_page_format(r->out, "</text><text class=\"s\" font-size=\"11\" text-anchor=\"end\" x=\"%d\" y=\"%d\">0</text>",
        LEFT - 10, BASE + 4);
    curve(r, &s, false, most, BASE, BASE - TOP_LINE);
    if (h->most_disk > 0)
        curve(r, &s, true, most, BASE, BASE - TOP_LINE);
    SPK_JSON(r->out, "</svg></div><ul class=\"legend\"><li><i class=\"mem\"></i>in memory, at most ");
    spk_page_size(r->out, h->most_memory);
    SPK_JSON(r->out, "</li>");
    if (h->most_disk > 0) {
        SPK_JSON(r->out, "<li><i class=\"disk\"></i>on disk, at most ");
        spk_page_size(r->out, h->most_disk);
        SPK_JSON(r->out, "</li>");
    }
    SPK_JSON(r->out, "</ul>\n");
}

static void cached_row(const spk_report *r, const spk_past_rdd *c)
{
    const bool named = c->name && *c->name;
    spk_page_format(r->out, "<tr><th scope=\"row\">%d</th><td class=\"name\">", c->id);
    spk_report_text(r, named ? c->name : c->operation, 80);
    SPK_JSON(r->out, " <span class=\"soft\">");
    spk_report_text(r, c->site, 80);
    spk_page_format(r->out, "</span></td><td class=\"l\">%s</td><td>%d</td><td>", spk_history_level(c->level),
        c->partitions);
    spk_page_count(r->out, c->reads > 0 ? c->reads : 0);
    SPK_JSON(r->out, "</td></tr>\n");
}

void spk_report_storage(const spk_report *r)
{
    const spk_history *h = r->history;
    int n = 0;
    for (size_t i = 0; i < h->n_rdds; i++)
        n += h->rdds[i].level != SPARK_DEFAULT_LEVEL;
    if (n == 0 && h->n_points == 0)
        return;
    SPK_JSON(r->out, "<section id=\"storage\" aria-labelledby=\"h-storage\"><h2 id=\"h-storage\">Storage</h2>");
    if (h->n_points > 0 && h->most_memory + h->most_disk > 0)
        storage_chart(r);
    spk_page_put(r->out, "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Cached "
        "RDDs\"><table><caption>Cached "
        "RDDs</caption><thead><tr><th scope=\"col\">RDD</th><th scope=\"col\" class=\"l\">Made by</th><th "
        "scope=\"col\" "
        "class=\"l\">Level</th><th scope=\"col\">Partitions</th><th scope=\"col\">Read by "
        "stages</th></tr></thead><tbody>\n");
    int shown = 0;
    for (size_t i = 0; i < h->n_rdds && shown < 100; i++)
        if (h->rdds[i].level != SPARK_DEFAULT_LEVEL) {
            cached_row(r, &h->rdds[i]);
            shown++;
        }
    SPK_JSON(r->out, "</tbody></table></div>");
    if (shown < n)
        spk_page_format(r->out, "<p class=\"soft small\">%d more are not listed.</p>", n - shown);
    SPK_JSON(r->out, "</section>\n");
}
