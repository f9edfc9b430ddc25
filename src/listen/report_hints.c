/* SPDX-License-Identifier: Apache-2.0 */
/* What stands out, in plain words, with what may be done about it. */
#include "listen/report.h"

enum { MOST = 24, SHORT_NS = 1000000, LONG_NS = 100000000 };

typedef struct hints {
    const spk_report *r;
    spk_json_out *out;
    int n, more;
} hints;

/* begin: false: there are enough. Its heading is written next, then hint_text, its text, and end. */
static bool begin(hints *h, const char *class)
{
    if (h->n == MOST) {
        h->more++;
        return false;
    }
    h->n++;
    spk_page_format(h->out, "<li class=\"%s\"><span class=\"strong\">", class);
    return true;
}

static void text(hints *h)
{
    SPK_JSON(h->out, "</span><p>");
}

static void end(hints *h)
{
    SPK_JSON(h->out, "</p></li>\n");
}

static void stage_link(hints *h, const spk_past_stage *s)
{
    spk_page_format(h->out, "<a href=\"#stage-%d\">Stage %d</a> ", s->id, s->id);
}

/* skewed_rows: one partition holds half of the rows. */
static void skewed_rows(hints *h, const spk_past_stage *s)
{
    if (s->done < 3 || s->rows < 1000 || s->largest * 2 < s->rows || !begin(h, "warn"))
        return;
    spk_page_format(h->out, "One partition of stage %d holds %d\xc2\xa0%% of the rows", s->id,
        (int)(s->largest * 100 / s->rows));
    text(h);
    stage_link(h, s);
    spk_page_format(h->out, "has %lld tasks, but partition %d took in ", (long long)s->done, s->largest_partition);
    spk_page_count(h->out, s->largest);
    SPK_JSON(h->out, " of ");
    spk_page_count(h->out, s->rows);
    spk_page_put(h->out, " rows, and the others wait for it. A key that is very frequent does this: spread it over "
        "several "
        "(add a number to it, and combine in two steps), or combine before the shuffle.");
    end(h);
}

/* hot_partition: of a shuffle that was profiled: one holds a third of the bytes, and far more than the others. */
static void hot_partition(hints *h, const spk_past_stage *s)
{
    const spark_shuffle_profile *p = &s->written;
    if (p->n_hot == 0 || p->partitions < 4 || p->rows < 1000 || p->bytes == 0 || s->hot.bytes * 3 < p->bytes
        || s->hot.bytes < 4 * p->median_bytes || !begin(h, "warn"))
        return;
    spk_page_format(h->out, "Partition %d of the shuffle of stage %d holds %d\xc2\xa0%% of its bytes", s->hot.partition,
        s->id, (int)((double)s->hot.bytes * 100 / (double)p->bytes));
    text(h);
    stage_link(h, s);
    SPK_JSON(h->out, "wrote ");
    spk_page_size(h->out, (uint64_t)s->hot.bytes);
    SPK_JSON(h->out, " of ");
    spk_page_size(h->out, (uint64_t)p->bytes);
    spk_page_format(h->out, " into one of %d partitions, half of which have less than ", p->partitions);
    spk_page_size(h->out, (uint64_t)p->median_bytes);
    spk_page_put(h->out, ". Whoever reads it waits for that one. A frequent key does this, or a partitioner that does "
        "not spread keys; more partitions help only with the latter.");
    end(h);
}

/* hot_key: a fifth of what was written has one key, and that were more than its share. */
static void hot_key(hints *h, const spk_past_stage *s)
{
    const spark_shuffle_profile *p = &s->written;
    if (s->n_keys == 0 || p->partitions < 2 || p->rows < 1000 || s->keys->rows * 5 < p->rows
        || s->keys->rows * p->partitions < 2 * p->rows || !begin(h, "warn"))
        return;
    spk_page_format(h->out, "One key makes up %d\xc2\xa0%% of what stage %d writes",
        (int)((double)s->keys->rows * 100 / (double)p->rows), s->id);
    text(h);
    stage_link(h, s);
    spk_page_put(h->out, p->key_error > 0 ? "wrote at least " : "wrote ");
    spk_page_counted(h->out, s->keys->rows, "row", "rows");
    SPK_JSON(h->out, " of the key <span class=\"strong\">");
    spk_report_text(h->r, s->keys->key, sizeof s->keys->key);
    spk_page_format(h->out, "</span> into partition %d: all of them go to one task. Spread the key over several (add a "
        "number to it, and combine in two steps), combine before the shuffle, or join with a broadcast.",
        s->keys->partition);
    end(h);
}

/* straggler: a task that took far longer than the others, and not because of its rows. */
static void straggler(hints *h, spk_past_stage *s)
{
    const int64_t median = spk_past_median(s);
    if (s->done < 4 || s->longest < LONG_NS || s->longest < median * 4 || (s->rows >= 1000 && s->largest * 2 >= s->rows)
        || !begin(h, "warn"))
        return;
    spk_page_format(h->out, "One task of stage %d took ", s->id);
    spk_page_times(h->out, median > 0 ? (double)s->longest / (double)median : 1);
    SPK_JSON(h->out, " as long as the median");
    text(h);
    stage_link(h, s);
    spk_page_format(h->out, "waited for partition %d: ", s->longest_partition);
    spk_page_time(h->out, s->longest);
    SPK_JSON(h->out, ", where half of the tasks took less than ");
    spk_page_time(h->out, median);
    spk_page_put(h->out, ". More partitions share the work out better; if it is the machine and not the data, "
        "speculation helps.");
    end(h);
}

/* tiny_tasks: a stage of very many very short ones. */
static void tiny_tasks(hints *h, spk_past_stage *s)
{
    const int64_t median = spk_past_median(s);
    if (s->done < 500 || median >= SHORT_NS || !begin(h, "info"))
        return;
    spk_page_format(h->out, "Stage %d has ", s->id);
    spk_page_count(h->out, s->done);
    SPK_JSON(h->out, " tasks of ");
    spk_page_time(h->out, median);
    text(h);
    stage_link(h, s);
    spk_page_put(h->out, "spends much of its time on starting tasks. Fewer partitions (coalesce, or a smaller number "
        "where "
        "the RDD is made) do the same with less.");
    end(h);
}

static void spilled(hints *h, const spk_past_stage *s)
{
    if (s->sum.disk_spilled_bytes == 0 || !begin(h, "warn"))
        return;
    spk_page_format(h->out, "Stage %d spilled ", s->id);
    spk_page_size(h->out, (uint64_t)s->sum.disk_spilled_bytes);
    SPK_JSON(h->out, " to disk");
    text(h);
    stage_link(h, s);
    spk_page_put(h->out, "did not fit into memory. More memory (memory_bytes), or more partitions, each of which is "
        "smaller, "
        "keep it there.");
    end(h);
}

static void few_tasks(hints *h, const spk_past_stage *s)
{
    const size_t workers = h->r->history->n_tracks;
    if (s->ran < 10 * (int64_t)LONG_NS || s->done == 0 || (size_t)s->done * 2 > workers || !begin(h, "info"))
        return;
    spk_page_format(h->out, "Stage %d used %lld of %d workers", s->id, (long long)s->done, (int)workers);
    text(h);
    stage_link(h, s);
    SPK_JSON(h->out, "ran for ");
    spk_page_time(h->out, s->ran);
    SPK_JSON(h->out, " while the other workers had nothing to do. More partitions let them help.");
    end(h);
}

static void rdd_name(hints *h, const spk_past_rdd *r)
{
    spk_page_format(h->out, "RDD %d (", r->id);
    spk_report_text(h->r, r->name && *r->name ? r->name : r->operation, 60);
    SPK_JSON(h->out, ")");
}

static void unread_cache(hints *h, const spk_past_rdd *r)
{
    if (!r->stored || r->reads > 0 || !begin(h, "warn"))
        return;
    rdd_name(h, r);
    SPK_JSON(h->out, " was cached and never read");
    text(h);
    SPK_JSON(h->out, "It was made at ");
    spk_report_text(h->r, r->site, 120);
    SPK_JSON(h->out, " and kept, and no later job has used it: the cache costs memory and saves nothing.");
    end(h);
}

/* made_again: what several jobs have computed each for itself, from where it comes from. */
static void made_again(hints *h)
{
    const spk_history *history = h->r->history;
    const spk_past_rdd *best = NULL;
    for (size_t i = 0; i < history->n_rdds; i++)
        if (history->rdds[i].computed >= 3 && (!best || history->rdds[i].computed >= best->computed))
            best = &history->rdds[i];
    if (!best || history->task_time < 2 * (int64_t)LONG_NS || !begin(h, "info"))
        return;
    rdd_name(h, best);
    spk_page_format(h->out, " was computed in %d jobs", best->computed);
    text(h);
    SPK_JSON(h->out, "Each of them has made it anew, from ");
    spk_report_text(h->r, best->site, 120);
    SPK_JSON(h->out, " on. If that takes time, spark_cache keeps it.");
    end(h);
}

static void evictions(hints *h)
{
    const int64_t n = h->r->history->sum.evicted_blocks;
    if (n == 0 || !begin(h, "warn"))
        return;
    spk_page_counted(h->out, n, "cached block was", "cached blocks were");
    SPK_JSON(h->out, " evicted from memory");
    text(h);
    spk_page_put(h->out, "The cache does not fit: what was evicted is read from disk, or computed again. Unpersist "
        "what is no "
        "longer read, cache less, or give more memory (memory_bytes).");
    end(h);
}

static void lost(hints *h)
{
    const spk_history *history = h->r->history;
    if (history->lost_executors > 0 && begin(h, "bad")) {
        spk_page_counted(h->out, history->lost_executors, "executor was", "executors were");
        SPK_JSON(h->out, " lost");
        text(h);
        SPK_JSON(h->out, "What was on it is gone, and was computed again where it was needed; see <a "
            "href=\"#failures\">failures"
            "</a>.");
        end(h);
    }
    if (history->failed_tasks > 0 && begin(h, "bad")) {
        spk_page_counted(h->out, history->failed_tasks, "attempt of a task", "attempts of tasks");
        SPK_JSON(h->out, " failed");
        text(h);
        SPK_JSON(h->out, "The messages stand under <a href=\"#failures\">failures</a>.");
        end(h);
    }
}

void spk_report_hints(const spk_report *r)
{
    hints h = { .r = r, .out = r->out };
    const spk_history *history = r->history;
    spk_page_put(r->out, "<section id=\"hints\" aria-labelledby=\"h-hints\"><h2 id=\"h-hints\">What stands out</h2>"
        "<ul class=\"hints\">\n");
    lost(&h);
    for (size_t i = 0; i < history->n_stages; i++) {
        spk_past_stage *s = &history->stages[i];
        skewed_rows(&h, s);
        hot_partition(&h, s);
        hot_key(&h, s);
        straggler(&h, s);
        spilled(&h, s);
        tiny_tasks(&h, s);
        few_tasks(&h, s);
    }
    evictions(&h);
    for (size_t i = 0; i < history->n_rdds; i++)
        unread_cache(&h, &history->rdds[i]);
    made_again(&h);
    if (h.n == 0)
        spk_page_put(r->out, "<li class=\"good\"><span class=\"strong\">Nothing</span><p>No partition is far larger "
            "than the others, "
            "nothing was spilled, evicted or lost.</p></li>\n");
    SPK_JSON(r->out, "</ul>");
    if (h.more > 0)
        spk_page_format(r->out, "<p class=\"soft small\">And %d more like these.</p>", h.more);
    SPK_JSON(r->out, "</section>\n");
}
