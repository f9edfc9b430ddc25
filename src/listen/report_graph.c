/* SPDX-License-Identifier: Apache-2.0 */
/* A job as a graph: stages as boxes in columns, parents on the left, the RDDs of a stage below each other from
 * its sources down. */
#include "listen/report.h"

#include <stdlib.h>

enum {
    MOST = 40,    /* stages that are drawn */
    ROWS = 14,    /* RDDs of one that are */
    WIDTH = 226,
    HEAD = 48,
    ROW = 34,
    PILL = 26,
    ACROSS = 62,
    DOWN = 18,
    LABEL = 21
};

/* drawn: a stage: where. */
typedef struct drawn {
    const spk_past_stage *stage;
    bool skipped;
    int column, rows, x, y, height;
} drawn;

typedef struct graph {
    const spk_report *r;
    drawn stages[MOST];
    int n, columns, width, height;
} graph;

static drawn *find(graph *g, int stage)
{
    for (int i = 0; i < g->n; i++)
        if (g->stages[i].stage->id == stage)
            return &g->stages[i];
    return NULL;
}

/* gather: the stages of the job, those last that are read first. Returns how many there was no room for. */
static int gather(graph *g, const spk_past_job *job)
{
    int left = 0;
    for (int i = 0; i < job->n_stages; i++) {
        const spk_past_stage *s = spk_history_stage(g->r->history, job->stages[i]);
        if (!s || g->n == MOST) {
            left++;
            continue;
        }
        const int rows = s->n_members < ROWS ? s->n_members : ROWS;
        g->stages[g->n++] = (drawn) { .stage = s,
            .skipped = s->attempts == 0 || s->job != job->id,
            .rows = rows,
            .height = HEAD + rows * ROW + (s->n_members + s->more_members > rows ? 24 : 6) };
    }
    return left;
}

/* columns: each stage to the right of all that it reads; there are no cycles, so n rounds are enough. */
static void columns(graph *g)
{
    for (int round = 0; round < g->n; round++)
        for (int i = 0; i < g->n; i++)
            for (int p = 0; p < g->stages[i].stage->n_parents; p++) {
                const drawn *parent = find(g, g->stages[i].stage->parents[p]);
                if (parent && parent->column >= g->stages[i].column && parent->column < g->n)
                    g->stages[i].column = parent->column + 1;
            }
    for (int i = 0; i < g->n; i++)
        if (g->stages[i].column >= g->columns)
            g->columns = g->stages[i].column + 1;
}

static int by_id(const void *a, const void *b)
{
    const int x = ((const drawn *)a)->stage->id, y = ((const drawn *)b)->stage->id;
    return (x > y) - (x < y);
}

/* lay: columns from the left, centred. */
static void lay(graph *g)
{
    int heights[MOST + 1] = { 0 };
    columns(g);
    qsort(g->stages, (size_t)g->n, sizeof *g->stages, by_id);
    for (int i = 0; i < g->n; i++) {
        drawn *d = &g->stages[i];
        d->x = 2 + d->column * (WIDTH + ACROSS);
        d->y = heights[d->column];
        heights[d->column] += d->height + DOWN;
    }
    for (int i = 0; i < g->columns; i++)
        if (heights[i] > g->height)
            g->height = heights[i];
    for (int i = 0; i < g->n; i++)
        g->stages[i].y += 2 + (g->height - heights[g->stages[i].column]) / 2;
    g->width = g->columns * (WIDTH + ACROSS) - ACROSS + 4;
    g->height += 4 - DOWN;
}

static void wires(graph *g)
{
    spk_json_out *out = g->r->out;
    for (int i = 0; i < g->n; i++) {
        const drawn *d = &g->stages[i];
        for (int p = 0; p < d->stage->n_parents; p++) {
            const drawn *from = find(g, d->stage->parents[p]);
            if (!from)
                continue;
            const int x1 = from->x + WIDTH, y1 = from->y + from->height / 2;
            const int x2 = d->x - 8, y2 = d->y + d->height / 2, bend = (x2 - x1) / 2;
            spk_page_format(out, "<path class=\"wire\" d=\"M%d %dC%d %d %d %d %d %d\"/>", x1, y1, x1 + bend, y1,
                x2 - bend,
                y2, x2, y2);
            spk_page_format(out, "<path class=\"tip\" d=\"M%d %dl-9 -4.5v9z\"/>", x2 + 8, y2);
        }
    }
}

/* row_of: in which row of the box a member stands; -1: in none. The last RDD comes first, and stands last. */
static int row_of(const drawn *d, int rdd)
{
    for (int i = 0; i < d->rows; i++)
        if (d->stage->members[i].rdd == rdd)
            return d->rows - 1 - i;
    return -1;
}

/* inner_wires: from an RDD to that below it, or past those between them. */
static void inner_wires(graph *g, const drawn *d)
{
    for (int i = 0; i < d->rows; i++) {
        const spk_past_member *m = &d->stage->members[i];
        const int to = d->rows - 1 - i;
        for (int p = 0; p < m->n_parents; p++) {
            const int from = row_of(d, m->parents[p]);
            const int x = d->x + 10, y1 = d->y + HEAD + from * ROW, y2 = d->y + HEAD + to * ROW;
            if (from < 0 || from >= to)
                continue;
            if (from + 1 == to)
                spk_page_format(g->r->out, "<path class=\"wire in\" d=\"M%d %dV%d\"/>", d->x + WIDTH / 2, y1 + PILL,
                    y2);
            else
                spk_page_format(g->r->out, "<path class=\"wire in\" d=\"M%d %dH%dV%dH%d\"/>", x, y1 + PILL / 2, x - 5,
                    y2 + PILL / 2, x);
        }
    }
}

static void member(graph *g, const drawn *d, int i)
{
    spk_json_out *out = g->r->out;
    const int id = d->stage->members[i].rdd;
    const spk_past_rdd *r = spk_history_rdd(g->r->history, id);
    const int x = d->x + 10, y = d->y + HEAD + (d->rows - 1 - i) * ROW;
    const bool cached = r && r->level != SPARK_DEFAULT_LEVEL;
    const char *label = r && r->name && *r->name ? r->name : r && r->operation ? r->operation : "?";
    const char *slash = strrchr(label, '/'); /* of a path, the file */
    if (slash && slash[1] && !strchr(label, ' '))
        label = slash + 1;
    spk_page_format(out, "<g><title>RDD %d: ", id);
    if (r) {
        spk_report_text(g->r, r->class_name, 80);
        SPK_JSON(out, ", ");
        spk_report_text(g->r, r->operation, 80);
        SPK_JSON(out, " at ");
        spk_report_text(g->r, r->site, 160);
        if (cached)
            spk_page_format(out, ", cached (%s)", spk_history_level(r->level));
    }
    spk_page_format(out, "</title><rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"7\"/>",
        cached ? "cached" : "rdd", x, y, WIDTH - 20, PILL);
    spk_page_format(out, "<text x=\"%d\" y=\"%d\" font-size=\"13\">", x + 10, y + 18);
    spk_page_text(out, label, cached ? LABEL - 5 : LABEL);
    SPK_JSON(out, "</text>");
    spk_page_format(out, "<text x=\"%d\" y=\"%d\" font-size=\"11\" text-anchor=\"end\" class=\"%s\">", x + WIDTH - 30,
        y + 17,
        cached ? "mark" : "s");
    spk_page_format(out, cached ? "cached \xe2\x97\x8f %d" : "%d", id);
    SPK_JSON(out, "</text></g>");
}

static void stage_title(graph *g, const drawn *d)
{
    spk_json_out *out = g->r->out;
    const spk_past_stage *s = d->stage;
    spk_page_format(out, "<text x=\"%d\" y=\"%d\" font-size=\"14\" font-weight=\"650\">Stage %d</text>", d->x + 12,
        d->y + 20,
        s->id);
    spk_page_format(out, "<text x=\"%d\" y=\"%d\" font-size=\"12\" class=\"s\" text-anchor=\"end\">", d->x + WIDTH - 12,
        d->y + 20);
    if (d->skipped) {
        SPK_JSON(out, "skipped");
    } else {
        spk_page_counted(out, s->tasks, "task", "tasks");
        if (s->ran > 0) {
            SPK_JSON(out, " \xc2\xb7 ");
            spk_page_time(out, s->ran);
        }
    }
    spk_page_format(out, "</text><text x=\"%d\" y=\"%d\" font-size=\"11\" class=\"s\">", d->x + 12, d->y + 37);
    spk_report_text(g->r, s->name, 34);
    SPK_JSON(out, "</text>");
}

static void box(graph *g, const drawn *d)
{
    spk_json_out *out = g->r->out;
    const spk_past_stage *s = d->stage;
    if (!d->skipped)
        spk_page_format(out, "<a href=\"#stage-%d\">", s->id);
    spk_page_format(out, "<g class=\"%s\"><title>Stage %d: ",
        d->skipped ? "skipped" : s->state == SPK_PAST_FAILED ? "failed" : "ran", s->id);
    spk_report_text(g->r, s->name, 160);
    spk_page_format(out, "</title><rect class=\"box\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"11\"/>", d->x,
        d->y,
        WIDTH, d->height);
    stage_title(g, d);
    inner_wires(g, d);
    for (int i = d->rows - 1; i >= 0; i--)
        member(g, d, i);
    const int more = s->n_members + s->more_members - d->rows;
    if (more > 0)
        spk_page_format(out, "<text x=\"%d\" y=\"%d\" font-size=\"11\" class=\"s\">and %d RDDs above</text>", d->x + 12,
            d->y + d->height - 9, more);
    spk_page_put(out, d->skipped ? "</g>\n" : "</g></a>\n");
}

void spk_report_graph(const spk_report *r, const spk_past_job *job)
{
    graph g = { .r = r };
    const int left = gather(&g, job);
    if (g.n == 0)
        return;
    lay(&g);
    spk_page_format(r->out, "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Graph of job %d\">",
        job->id);
    spk_page_format(r->out, "<svg role=\"group\" aria-label=\"Job %d: %d stages, the parents of each on its left\" "
        "width=\"%d\" "
        "height=\"%d\" viewBox=\"0 0 %d %d\">\n", job->id, job->n_stages, g.width, g.height, g.width, g.height);
    wires(&g);
    for (int i = 0; i < g.n; i++)
        box(&g, &g.stages[i]);
    SPK_JSON(r->out, "</svg></div>\n");
    if (left > 0)
        spk_page_format(r->out, "<p class=\"soft small\">%d more stages are not drawn.</p>\n", left);
}
