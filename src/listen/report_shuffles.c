/* SPDX-License-Identifier: Apache-2.0 */
/* What the partitions and keys of shuffles hold, where that was asked for (spark_profile_shuffles). */
#include "listen/report.h"

enum { MOST = 60 };

static bool is_listed(const spk_past_stage *s)
{
    return s->written.partitions > 0 && s->written.rows > 0;
}

bool spk_report_has_shuffles(const spk_report *r)
{
    for (size_t i = 0; i < r->history->n_stages; i++)
        if (is_listed(&r->history->stages[i]))
            return true;
    return false;
}

static void percent(spk_json_out *out, int64_t part, int64_t all)
{
    spk_page_format(out, "%d\xc2\xa0%%", all > 0 ? (int)((double)part * 100 / (double)all + 0.5) : 0);
}

/* largest: the partition, and its share of the bytes as a bar. */
static void largest(const spk_report *r, const spk_past_stage *s)
{
    const spark_shuffle_profile *p = &s->written;
    if (p->n_hot == 0) {
        SPK_JSON(r->out, "<span class=\"soft\">\xe2\x80\x93</span>");
        return;
    }
    spk_page_size(r->out, (uint64_t)s->hot.bytes);
    SPK_JSON(r->out, ", ");
    percent(r->out, s->hot.bytes, p->bytes);
    spk_page_format(r->out, "<br><span class=\"soft\">partition %d</span><span class=\"bar\" aria-hidden=\"true\"><i "
        "class=\"c%d\" style=\"width:%d%%\"></i></span>", s->hot.partition, spk_report_hue(r, s->id),
        p->bytes > 0 ? (int)((double)s->hot.bytes * 100 / (double)p->bytes) : 0);
}

static void keys(const spk_report *r, const spk_past_stage *s)
{
    const spark_shuffle_profile *p = &s->written;
    int n = 0;
    for (int i = 0; i < s->n_keys && s->keys[i].rows * 100 >= p->rows; i++) {
        if (n++ > 0)
            SPK_JSON(r->out, "<br>");
        spk_report_text(r, s->keys[i].key, 60);
        spk_page_put(r->out, p->key_error > 0 ? " <span class=\"soft\">at least " : " <span class=\"soft\">");
        spk_page_counted(r->out, s->keys[i].rows, "row", "rows");
        SPK_JSON(r->out, ", ");
        percent(r->out, s->keys[i].rows, p->rows);
        SPK_JSON(r->out, "</span>");
    }
    if (n == 0)
        spk_page_put(r->out, p->counts_keys ? "<span class=\"soft\">none has 1\xc2\xa0%</span>"
                                            : "<span class=\"soft\">\xe2\x80\x93</span>");
}

/* row: keys that have a hundredth of the rows are frequent. */
static void row(const spk_report *r, const spk_past_stage *s)
{
    spk_json_out *out = r->out;
    const spark_shuffle_profile *p = &s->written;
    const bool hot = p->n_hot > 0 && p->partitions > 3 && s->hot.bytes * 3 >= p->bytes;
    spk_page_format(out, "<tr><th scope=\"row\">%d</th><td class=\"name\">", s->id);
    spk_report_text(r, s->name, 160);
    spk_page_format(out, "</td><td>%d</td><td>", p->partitions);
    spk_page_count(out, p->rows);
    SPK_JSON(out, "</td><td>");
    spk_page_size(out, (uint64_t)p->bytes);
    SPK_JSON(out, "</td><td>");
    spk_page_size(out, (uint64_t)p->median_bytes);
    spk_page_format(out, "</td><td%s>", hot ? " class=\"hot\"" : "");
    largest(r, s);
    SPK_JSON(out, "</td><td class=\"name\">");
    keys(r, s);
    SPK_JSON(out, "</td></tr>\n");
}

void spk_report_shuffles(const spk_report *r)
{
    int n = 0;
    if (!spk_report_has_shuffles(r))
        return;
    spk_page_put(r->out, "<section id=\"shuffles\" aria-labelledby=\"h-shuffles\"><h2 id=\"h-shuffles\">Shuffles</h2>"
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Shuffles\"><table><caption>What stages wrote, "
        "combined as it was; the bar is the share of the largest partition.</caption><thead><tr><th scope=\"col\">Stage"
        "</th><th scope=\"col\" class=\"name\">Last step</th><th scope=\"col\">Partitions</th><th scope=\"col\">Rows</th>"
        "<th scope=\"col\">Bytes</th><th scope=\"col\">Median partition</th><th scope=\"col\">Largest partition</th>"
        "<th scope=\"col\" class=\"name\">Most frequent keys</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < r->history->n_stages; i++) {
        const spk_past_stage *s = &r->history->stages[i];
        if (is_listed(s) && n++ < MOST)
            row(r, s);
    }
    SPK_JSON(r->out, "</tbody></table></div>");
    if (n > MOST)
        spk_page_format(r->out, "<p class=\"soft small\">And %d more.</p>", n - MOST);
    SPK_JSON(r->out, "</section>\n");
}
