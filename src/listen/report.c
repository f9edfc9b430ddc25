/* SPDX-License-Identifier: Apache-2.0 */
/* The report: a page about all that has happened in a context, written when that is freed. It needs nothing
 * but a browser: no server, no script, nothing from elsewhere, which its policy says as well. */
#include "listen/report.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include <spark/observe.h>

#include "base/error.h"
#include "listen/text_file.h"

typedef struct reporter {
    spk_history history; /* first: its listener's env */
    spk_text_file *file;
} reporter;

void spk_report_text(const spk_report *r, const char *text, size_t most)
{
    spk_page_text(r->out, text ? text : "", most);
}

int spk_report_hue(const spk_report *r, int stage)
{
    for (int i = 0; i < r->n_hues; i++)
        if (r->hues[i] == stage)
            return i;
    return SPK_REPORT_COLOURS;
}

static void tile(spk_json_out *out, const char *name)
{
    SPK_JSON(out, "<div><dt>");
    spk_page_put(out, name);
    SPK_JSON(out, "</dt><dd>");
}

static void tiles(const spk_report *r)
{
    const spk_history *h = r->history;
    spk_json_out *out = r->out;
    const int64_t span = h->last - h->first;
    int threads = 0;
    for (size_t i = 0; i < h->n_executors; i++)
        threads += h->executors[i].threads;
    SPK_JSON(out, "<dl class=\"tiles\">");
    tile(out, "Time, first to last");
    spk_page_time(out, span);
    SPK_JSON(out, "</dd></div>");
    tile(out, "Jobs and stages");
    spk_page_count(out, h->all_jobs);
    SPK_JSON(out, " <span class=\"soft\">/</span> ");
    spk_page_count(out, h->all_stages);
    SPK_JSON(out, "</dd></div>");
    tile(out, "Tasks");
    spk_page_count(out, h->all_tasks);
    if (h->failed_tasks + h->lost_tasks > 0)
        spk_page_format(out, "<span class=\"note\" style=\"color:var(--bad)\">%lld failed or lost</span>",
            (long long)(h->failed_tasks + h->lost_tasks));
    SPK_JSON(out, "</dd></div>");
    tile(out, "Workers busy");
    if (span > 0 && threads > 0)
        spk_page_format(out, "%d\xc2\xa0%%", (int)((double)h->task_time * 100 / ((double)span * threads) + 0.5));
    else
        SPK_JSON(out, "\xe2\x80\x93");
    spk_page_format(out, "<span class=\"note\">of %d</span></dd></div>", threads);
    tile(out, "Input");
    spk_page_size(out, (uint64_t)h->sum.input_bytes);
    SPK_JSON(out, "</dd></div>");
    tile(out, "Shuffled");
    spk_page_size(out, (uint64_t)h->sum.shuffle_write_bytes);
    if (h->sum.disk_spilled_bytes > 0) {
        SPK_JSON(out, "<span class=\"note\">");
        spk_page_size(out, (uint64_t)h->sum.disk_spilled_bytes);
        SPK_JSON(out, " spilled</span>");
    }
    SPK_JSON(out, "</dd></div></dl>\n");
}

static void when(spk_json_out *out, int64_t time)
{
    char text[64] = "";
    const time_t seconds = (time_t)(time / 1000000000);
    struct tm parts;
    if (gmtime_r(&seconds, &parts))
        strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &parts);
    spk_page_put(out, text);
}

static void head(const spk_report *r)
{
    const spk_history *h = r->history;
    spk_json_out *out = r->out;
    spk_page_put(out, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
        "content=\"width=device-width, initial-scale=1\"><meta http-equiv=\"Content-Security-Policy\" "
        "content=\"default-src "
        "'none'; style-src 'unsafe-inline'; img-src data:\"><link rel=\"icon\" href=\"data:,\"><title>");
    spk_report_text(r, h->name, 200);
    SPK_JSON(out, " \xe2\x80\x93 report</title>\n<style>");
    spk_report_style(out);
    spk_page_put(out, "</style></head>\n<body><a class=\"skip\" href=\"#main\">To the content</a><header><h1>");
    spk_report_text(r, h->name && *h->name ? h->name : "Application", 200);
    SPK_JSON(out, "</h1><p class=\"soft\">");
    spk_report_text(r, h->master, 120);
    SPK_JSON(out, " on ");
    spk_report_text(r, h->host, 120);
    SPK_JSON(out, " \xc2\xb7 ");
    when(out, h->start);
    SPK_JSON(out, "</p>");
    tiles(r);
    spk_page_put(out, "<nav aria-label=\"Sections\"><a href=\"#hints\">What stands out</a><a href=\"#jobs\">Jobs</a><a "
        "href=\"#timeline\">Timeline</a><a href=\"#stages\">Stages</a>");
    if (spk_report_has_shuffles(r))
        SPK_JSON(out, "<a href=\"#shuffles\">Shuffles</a>");
    if (h->all_executions > 0)
        SPK_JSON(out, "<a href=\"#sql\">SQL</a>");
    if (h->n_points > 0)
        SPK_JSON(out, "<a href=\"#storage\">Storage</a>");
    SPK_JSON(out, "<a href=\"#failures\">Failures</a></nav></header>\n<main id=\"main\">\n");
    if (h->failed)
        spk_page_put(out, "<p class=\"soft\" role=\"note\">There was not enough memory to gather everything: some of "
            "what "
            "follows is too low.</p>\n");
}

/* write_page: the whole of it. */
static void write_page(spk_history *h, spk_json_out *out)
{
    spk_report r = { .history = h, .out = out };
    spk_past_stage *stages[SPK_REPORT_COLOURS];
    r.n_hues = (int)spk_report_busiest(h, stages, SPK_REPORT_COLOURS);
    for (int i = 0; i < r.n_hues; i++)
        r.hues[i] = stages[i]->id;
    head(&r);
    spk_report_hints(&r);
    spk_report_jobs(&r);
    spk_report_timeline(&r);
    spk_report_stages(&r);
    spk_report_shuffles(&r);
    if (h->all_executions > 0)
        spk_report_sql(&r);
    spk_report_storage(&r);
    spk_report_failures(&r);
    SPK_JSON(out, "</main>\n<footer><p>");
    spk_report_text(&r, h->id, 120);
    SPK_JSON(out, " \xc2\xb7 written by libspark");
    if (h->all_jobs > (int64_t)h->n_jobs || h->n_stages == SPK_HISTORY_STAGES)
        SPK_JSON(out, " \xc2\xb7 only the first jobs and stages stand here one by one; the sums are of all");
    SPK_JSON(out, "</p></footer></body></html>\n");
}

static void finish(void *env)
{
    reporter *r = env;
    spk_history_add_up(&r->history);
    if (r->history.start != 0)
        write_page(&r->history, &r->file->out);
    spk_text_file_flush(r->file);
    spk_text_file_free(r->file);
    spk_history_fini(&r->history);
    free(r);
}

spark_status spark_report(spark_context *sc, const char *path)
{
    reporter *r = calloc(1, sizeof *r);
    if (!r)
        return spk_raisef(SPARK_ENOMEM, "report", NULL, "report: out of memory");
    r->file = spk_text_file_begin("report", "report", path);
    if (!r->file) {
        free(r);
        return spark_last_error()->code;
    }
    spark_listener listener = spk_history_listener(&r->history);
    listener.env = r;
    listener.close = finish;
    return spark_add_listener(sc, &listener);
}
