/* SPDX-License-Identifier: Apache-2.0 */
/* Statements of SQL: how long each took, and its plan with the rows that came out of each operator. */
#include "listen/report.h"

enum { LISTED = 60 };

static void plan(const spk_report *r, const spk_past_execution *x)
{
    SPK_JSON(r->out, "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Plan\"><table class=\"plan\">"
                     "<thead><tr><th scope=\"col\">Rows out</th><th scope=\"col\" class=\"name\">Operator</th></tr>"
                     "</thead><tbody>\n");
    for (int i = 0; i < x->n_operators; i++) {
        const spk_past_operator *o = &x->operators[i];
        SPK_JSON(r->out, "<tr><td>");
        if (o->rows >= 0)
            spk_page_count(r->out, o->rows);
        else
            SPK_JSON(r->out, "<span class=\"soft\">\xe2\x80\x93</span>");
        spk_page_format(r->out, "</td><td class=\"name\" style=\"padding-left:%dpx\">",
            9 + 18 * (o->depth < 20 ? o->depth : 20));
        spk_report_text(r, o->text, 240);
        SPK_JSON(r->out, "</td></tr>\n");
    }
    SPK_JSON(r->out, "</tbody></table></div>\n");
}

static void statement(const spk_report *r, const spk_past_execution *x, bool open)
{
    spk_page_format(r->out, "<details%s><summary><span class=\"strong\">Query %lld</span> ", open ? " open" : "",
        (long long)x->id);
    spk_report_text(r, x->text, 160);
    SPK_JSON(r->out, " <span class=\"soft\">\xc2\xb7 ");
    spk_page_time(r->out, (x->ended ? x->ended : r->history->last) - x->started);
    SPK_JSON(r->out, " \xc2\xb7 ");
    spk_page_counted(r->out, x->jobs, "job", "jobs");
    SPK_JSON(r->out, "</span>");
    if (x->ended && x->status != SPARK_OK)
        SPK_JSON(r->out, " <span class=\"tag bad\">failed</span>");
    else if (!x->ended)
        SPK_JSON(r->out, " <span class=\"tag\">unfinished</span>");
    SPK_JSON(r->out, "</summary>\n<p class=\"soft small\">");
    spk_report_text(r, x->action, 60);
    SPK_JSON(r->out, " at ");
    spk_report_text(r, x->site, 120);
    SPK_JSON(r->out, "</p><pre>");
    spk_report_text(r, x->text, 1000);
    SPK_JSON(r->out, "</pre>\n");
    plan(r, x);
    if (x->failure) {
        SPK_JSON(r->out, "<pre>");
        spk_report_text(r, x->failure, 1500);
        SPK_JSON(r->out, "</pre>\n");
    }
    SPK_JSON(r->out, "</details>\n");
}

void spk_report_sql(const spk_report *r)
{
    const spk_history *h = r->history;
    const size_t n = h->n_executions < LISTED ? h->n_executions : LISTED;
    SPK_JSON(r->out,
        "<section id=\"sql\" aria-labelledby=\"h-sql\"><h2 id=\"h-sql\">SQL</h2><p class=\"soft small\">");
    spk_page_counted(r->out, h->all_executions, "query was run", "queries were run");
    if ((int64_t)n < h->all_executions)
        spk_page_format(r->out, "; the first %d are here", (int)n);
    SPK_JSON(r->out, ".</p>\n");
    for (size_t i = 0; i < n; i++)
        statement(r, &h->executions[i], i < 2);
    SPK_JSON(r->out, "</section>\n");
}
