/* SPDX-License-Identifier: Apache-2.0 */
/* explain: the lineage with what is known of it, and as a graph. */
#include "rdd/node/explain.h"

#include <errno.h>
#include <stdlib.h>

#include "base/control.h"
#include "base/error.h"
#include "listen/json_out.h"
#include "rdd/node/debug.h"
#include "rdd/node/explain_plan.h"
#include "scheduler/job.h"
#include "storage/block.h"

enum { MOST_SPLITS = 100000, LABEL = 200 };

typedef struct explainer {
    spk_plan plan;
    spk_json_out ids; /* of RDDs that have been written: a bit each */
    const spk_explain_more *more; /* or NULL */
} explainer;

static const char *kind_of(const spark_partitioner *p)
{
    static const char *const kinds[] = { [SPK_BY_HASH] = "hash", [SPK_BY_FUNCTION] = "a function",
        [SPK_BY_RANGE] = "range", [SPK_BY_DENSE] = "dense keys", [SPK_BY_POSITION] = "position" };
    return kinds[p->kind];
}

/* size_text: "12.5 KiB", in whole tenths, whatever the locale. */
static void size_text(char text[32], uint64_t bytes)
{
    static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
    uint64_t tenths = bytes < UINT64_MAX / 10 ? bytes * 10 : UINT64_MAX;
    int unit = 0;
    for (; tenths >= 10240 && unit < 6; unit++)
        tenths = (tenths + 512) / 1024;
    if (unit == 0)
        snprintf(text, 32, "%llu B", (unsigned long long)bytes);
    else
        snprintf(text, 32, "%llu.%d %s", (unsigned long long)(tenths / 10), (int)(tenths % 10), units[unit]);
}

/* file_bytes: that a source without parents reads (others ask theirs, again and again where these are the
 * same); -1: it reads none, or it is not known. */
static int64_t file_bytes(const spark_rdd *rdd)
{
    const int n = spk_rdd_partitions(rdd);
    int64_t sum = 0;
    if (!rdd->class->reads || rdd->n_deps > 0 || n > MOST_SPLITS)
        return -1;
    for (int p = 0; p < n; p++) {
        const char *path = NULL;
        const int64_t bytes = rdd->class->reads(rdd, p, &path);
        sum += bytes > 0 ? bytes : 0;
    }
    return sum;
}

/* fate: what becomes of a stage. */
static const char *fate(const spk_plan_stage *s)
{
    return !s->needed ? "not needed" : s->complete ? "skipped: its output is there" : "runs";
}

/* stage_text: "stage 1: 6 tasks, writes 3 partitions by hash, combined first". */
static void stage_text(char text[256], const spk_plan_stage *s)
{
    const int n = spk_rdd_partitions(s->rdd);
    int at = snprintf(text, 256, "stage %d: %d task%s, ", s->number, n, n == 1 ? "" : "s");
    if (!s->shuffle) {
        snprintf(text + at, 256 - (size_t)at, "the result");
    } else {
        const spark_partitioner *p = s->shuffle->partitioner;
        const int partitions = p ? atomic_load(&p->partitions) : spk_rdd_partitions(s->shuffle->owner);
        at += snprintf(text + at, 256 - (size_t)at, "writes %d partition%s by %s%s", partitions, partitions == 1 ? ""
            : "s",
            p ? kind_of(p) : "range", s->shuffle->aggregator && !s->shuffle->raw ? ", combined first" : "");
        const int missing = atomic_load(&s->shuffle->missing);
        if (missing > 0 && missing < n)
            snprintf(text + at, 256 - (size_t)at, ", %d of %d are there", n - missing, n);
    }
}

/* say_fate: what becomes of it, or has become of it. */
static void say_fate(const spk_plan_stage *s, const spk_explain_more *more, spk_say *say, void *to)
{
    if (more)
        more->stage(more->env, s->shuffle, say, to);
    else
        say(to, fate(s));
}

/* facts: of one RDD. */
static void facts(spk_say *say, void *to, const spark_rdd *rdd, const spk_explain_more *more)
{
    char text[160], size[32];
    const int64_t bytes = file_bytes(rdd);
    if (bytes >= 0) {
        size_text(size, (uint64_t)bytes);
        snprintf(text, sizeof text, "reads %s of files", size);
        say(to, text);
    }
    if (rdd->partitioner) {
        snprintf(text, sizeof text, "partitioned by %s", kind_of(rdd->partitioner));
        say(to, text);
    }
    if (atomic_load(&rdd->level) != 0) {
        snprintf(text, sizeof text, "%s, %d of %d cached", spark_level_name((spark_level)atomic_load(&rdd->level)),
            rdd->blocks ? spk_blocks_present(rdd->blocks) : 0, spk_rdd_partitions(rdd));
        say(to, text);
    }
    if (spk_rdd_stored(rdd))
        say(to, "checkpointed");
    if (more)
        more->rdd(more->env, rdd, say, to);
}

/* ---- text */

typedef struct saying {
    spk_lineage_text *out;
    const char *before;
} saying;

static void say_line(void *to, const char *text)
{
    saying *s = to;
    spk_lineage_put(s->out, s->before);
    spk_lineage_put(s->out, text);
    s->before = "; ";
}

/* first_time: of an RDD, that it is written. */
static bool first_time(explainer *e, int id, bool *again)
{
    const size_t byte = (size_t)id / 8;
    const char bit = (char)(1 << id % 8);
    while (e->ids.n <= byte && spk_json_room(&e->ids, 4096)) {
        memset(e->ids.at + e->ids.n, 0, 4096);
        e->ids.n += 4096;
    }
    if (e->ids.n <= byte)
        return false;
    *again = (e->ids.at[byte] & bit) != 0;
    e->ids.at[byte] = (char)(e->ids.at[byte] | bit);
    return true;
}

static bool line(void *env, spk_lineage_text *out, const spark_rdd *rdd, bool block, const spk_shuffle *shuffle)
{
    explainer *e = env;
    saying s = { out, " -- " };
    bool again = false;
    if (!first_time(e, rdd->id, &again))
        out->good = false;
    const int stage = block ? spk_plan_of(&e->plan, shuffle) : -1;
    if (stage >= 0) {
        char text[256];
        stage_text(text, &e->plan.stages[stage]);
        say_line(&s, text);
        say_fate(&e->plan.stages[stage], e->more, say_line, &s);
    }
    if (again && rdd->n_deps > 0)
        say_line(&s, "see above");
    else
        facts(say_line, &s, rdd, e->more);
    return !again;
}

spark_status spk_explain_finish(const char *operation, spark_site at, FILE *to, char *text, size_t n)
{
    spk_failure failure;
    if (!text) {
        spk_failure_nomem(&failure, operation, at);
        return spk_raise(&failure);
    }
    errno = 0;
    const bool good = fwrite(text, 1, n, to) == n && fflush(to) == 0;
    const int error = errno;
    free(text);
    return good ? SPARK_OK
                : spk_raisef(SPARK_EIO, operation, at, "%s at %s: cannot write the plan: %s", operation, at,
                      strerror(error ? error : EIO));
}

spark_status spk_explain_check(const char *operation, spark_site at, spark_rdd *rdd, FILE *to)
{
    spk_failure failure;
    if (spk_job_check(rdd, operation, at, &failure) != SPARK_OK)
        return spk_raise(&failure);
    return to ? SPARK_OK
              : spk_raisef(SPARK_EINVAL, operation, at, "%s at %s: there is no stream to write to", operation, at);
}

char *spk_explain_text(spark_rdd *rdd, const spk_explain_more *more, size_t *n)
{
    explainer e = { .ids = { .at = NULL }, .more = more };
    const spk_lineage_notes notes = { &e, line };
    char *text = NULL;
    pthread_mutex_lock(&rdd->sc->plan_lock);
    if (spk_plan_make(&e.plan, rdd))
        text = spk_lineage_write(rdd, &notes);
    pthread_mutex_unlock(&rdd->sc->plan_lock);
    spk_plan_fini(&e.plan);
    spk_json_fini(&e.ids);
    if (text) {
        *n = strlen(text);
        text[(*n)++] = '\n'; /* instead of the NUL */
    }
    return text;
}

spark_status spark_explain(spark_site at, spark_rdd *rdd, FILE *to)
{
    const spark_status status = spk_explain_check("explain", at, rdd, to);
    size_t n = 0;
    char *text = status == SPARK_OK ? spk_explain_text(rdd, NULL, &n) : NULL;
    return status == SPARK_OK ? spk_explain_finish("explain", at, to, text, n) : status;
}

/* ---- the graph */

static void plain(spk_json_out *out, const char *text)
{
    spk_json_bytes(out, text, strlen(text));
}

/* quoted: within a string of DOT. */
static void quoted(spk_json_out *out, const char *text)
{
    const size_t n = strnlen(text, LABEL);
    for (size_t i = 0; i < n;) {
        const char c = text[i];
        const int size = spk_json_character((const unsigned char *)text + i, n - i);
        if (c == '"' || c == '\\')
            SPK_JSON(out, "\\");
        if (spk_json_obeyed((const unsigned char *)text + i, size))
            SPK_JSON(out, SPK_REPLACEMENT);
        else
            spk_json_bytes(out, text + i, (size_t)size);
        i += (size_t)(size > 0 ? size : -size);
    }
    if (text[n])
        SPK_JSON(out, "\xe2\x80\xa6");
}

static void say_label(void *to, const char *text)
{
    SPK_JSON((spk_json_out *)to, "\\n");
    quoted(to, text);
}

static void say_plain(void *to, const char *text)
{
    plain(to, text);
}

static void node_name(spk_json_out *out, int stage, int rdd)
{
    char text[64];
    snprintf(text, sizeof text, "s%d_r%d", stage, rdd);
    plain(out, text);
}

static void node(
    spk_json_out *out, const spk_plan_stage *s, const spark_rdd *rdd, bool live, const spk_explain_more *more)
{
    char id[32];
    SPK_JSON(out, "    ");
    node_name(out, s->number, rdd->id);
    SPK_JSON(out, " [label=\"");
    quoted(out, rdd->name ? rdd->name : rdd->class->name);
    snprintf(id, sizeof id, " [%d]\\n", rdd->id);
    plain(out, id);
    quoted(out, rdd->operation);
    SPK_JSON(out, " at ");
    quoted(out, rdd->site);
    facts(say_label, out, rdd, more);
    SPK_JSON(out, "\"");
    if (atomic_load(&rdd->level) != 0)
        SPK_JSON(out, ", style=\"filled,rounded\", fillcolor=\"#d8f0e0\", color=\"#14713f\"");
    else if (!live || !s->needed || s->complete)
        SPK_JSON(out, ", style=\"rounded,dashed\", fontcolor=\"#666666\"");
    SPK_JSON(out, "];\n");
}

/* edges: to what the RDD is made of, in its stage or, over a shuffle, from the last RDD of another one. */
static void edges(spk_json_out *out, const spk_plan *plan, const spk_plan_stage *s, const spark_rdd *rdd)
{
    for (uint32_t i = 0; i < rdd->n_deps && !spk_rdd_stored(rdd); i++) {
        const spk_shuffle *shuffle = rdd->deps[i].shuffle;
        const int from = shuffle ? spk_plan_of(plan, shuffle) : -1;
        SPK_JSON(out, "  ");
        node_name(out, from >= 0 ? plan->stages[from].number : s->number, rdd->deps[i].rdd->id);
        SPK_JSON(out, " -> ");
        node_name(out, s->number, rdd->id);
        plain(out, shuffle ? " [penwidth=2];\n" : ";\n");
    }
}

static void graph(spk_json_out *out, const spk_plan *plan, const spk_explain_more *more)
{
    char text[300];
    plain(out, "digraph plan {\n  rankdir=LR;\n  fontname=\"Helvetica\";\n"
               "  node [shape=box, style=rounded, fontname=\"Helvetica\", fontsize=11];\n");
    for (size_t k = 0; k < plan->n; k++) {
        const spk_plan_stage *s = &plan->stages[plan->by_number[k]];
        snprintf(text, sizeof text, "  subgraph cluster_%d {\n    style=\"rounded%s\";\n    color=\"#2f78bd\";\n    "
            "label=\"",
            s->number, s->needed && !s->complete ? "" : ",dashed");
        plain(out, text);
        stage_text(text, s);
        quoted(out, text);
        if (!more)
            plain(out, "; ");
        say_fate(s, more, more ? say_label : say_plain, out);
        SPK_JSON(out, "\";\n");
        for (size_t i = 0; i < s->n_members; i++)
            node(out, s, s->members[i], s->live[i], more);
        SPK_JSON(out, "  }\n");
    }
    for (size_t k = 0; k < plan->n; k++) {
        const spk_plan_stage *s = &plan->stages[plan->by_number[k]];
        for (size_t i = 0; i < s->n_members; i++)
            edges(out, plan, s, s->members[i]);
    }
    SPK_JSON(out, "}\n");
}

char *spk_explain_graph(spark_rdd *rdd, const spk_explain_more *more, size_t *n)
{
    spk_json_out out = { .at = NULL };
    spk_plan plan;
    pthread_mutex_lock(&rdd->sc->plan_lock);
    if (spk_plan_make(&plan, rdd)) {
        graph(&out, &plan, more);
        spk_plan_fini(&plan);
    }
    pthread_mutex_unlock(&rdd->sc->plan_lock);
    if (out.failed)
        spk_json_fini(&out);
    *n = out.n;
    return out.at;
}

spark_status spark_explain_dot(spark_site at, spark_rdd *rdd, FILE *to)
{
    const spark_status status = spk_explain_check("explainDot", at, rdd, to);
    size_t n = 0;
    char *text = status == SPARK_OK ? spk_explain_graph(rdd, NULL, &n) : NULL;
    return status == SPARK_OK ? spk_explain_finish("explainDot", at, to, text, n) : status;
}
