/* SPDX-License-Identifier: Apache-2.0 */
/* to_debug_string, in Spark's layout: narrow parents below each other with a bar under the
 * parenthesis, each shuffle's parent in a block of its own. Lineages may be long, so the walk
 * keeps its own stack; a frame is a line still to be written. */
#include "rdd/node/debug.h"

#include <stdlib.h>

#include "listen/json_out.h"
#include "scheduler/job.h"

enum { LONGEST_NAME = 200 }; /* bytes, as in the graph */

typedef spk_lineage_text text;

typedef struct frame {
    spark_rdd *rdd;
    char *prefix;     /* of the line, owned */
    bool block, last; /* the line opens a block; it is the last child */
    const spk_shuffle *shuffle; /* of the block; or NULL */
} frame;

typedef struct writer {
    text *out;
    const spk_lineage_notes *notes; /* or NULL */
    frame *frames;
    size_t n, max;
    const char *level;
    bool good;
} writer;

static void put(text *t, const char *s, size_t n)
{
    if (t->n + n + 1 > t->max) {
        const size_t max = (t->n + n + 1) * 2;
        char *at = t->good ? realloc(t->at, max) : NULL;
        if (!at) {
            t->good = false;
            return;
        }
        t->at = at;
        t->max = max;
    }
    memcpy(t->at + t->n, s, n);
    t->n += n;
    t->at[t->n] = 0;
}

static void puts_to(text *t, const char *s)
{
    put(t, s, strlen(s));
}

/* put_clean: what comes from the program or from data, so that it stays on its line and is UTF-8: what is no
 * character, what a terminal obeys, and what ends lines or turns the direction of writing, is U+FFFD. */
static void put_clean(text *t, const char *s, size_t n)
{
    const unsigned char *at = (const unsigned char *)s;
    for (size_t i = 0, size; i < n; i += size) {
        const int found = spk_json_character(at + i, n - i);
        size = (size_t)(found > 0 ? found : -found);
        if (spk_json_obeyed(at + i, found))
            puts_to(t, SPK_REPLACEMENT);
        else
            put(t, s + i, size);
    }
}

void spk_lineage_put(text *t, const char *s)
{
    put_clean(t, s, strlen(s));
}

/* put_name: cut where it is long, between characters. */
static void put_name(text *t, const char *name)
{
    size_t n = strnlen(name, LONGEST_NAME);
    const bool cut = name[n] != 0;
    for (int back = 0; cut && back < 3 && n > 0 && ((unsigned char)name[n] & 0xc0) == 0x80; back++)
        n--;
    put_clean(t, name, n);
    if (cut)
        puts_to(t, "\xe2\x80\xa6");
}

static void push(writer *w, frame next)
{
    if (w->n == w->max) {
        const size_t max = w->max ? w->max * 2 : 32;
        frame *frames = realloc(w->frames, max * sizeof *frames);
        if (!frames) {
            w->good = false;
            free(next.prefix);
            return;
        }
        w->frames = frames;
        w->max = max;
    }
    w->good = w->good && next.prefix;
    w->frames[w->n++] = next;
}

/* joined: a + b + n spaces, allocated. */
static char *joined(
    const char *a, size_t a_length, const char *b, size_t spaces_before, size_t after)
{
    const size_t b_length = strlen(b);
    char *s = malloc(a_length + spaces_before + b_length + after + 1), *p = s;
    if (!s)
        return NULL;
    memcpy(p, a, a_length);
    p += a_length;
    memset(p, ' ', spaces_before);
    p += spaces_before;
    memcpy(p, b, b_length);
    p += b_length;
    memset(p, ' ', after);
    p[after] = 0;
    return s;
}

static void describe(writer *w, const spark_rdd *rdd)
{
    char line[128];
    text *t = w->out;
    if (rdd->name) {
        put_name(t, rdd->name);
        puts_to(t, " ");
    }
    snprintf(line, sizeof line, "%s[%d] at %s at ", rdd->class->name, rdd->id, rdd->operation);
    puts_to(t, line);
    put_name(t, rdd->site);
    puts_to(t, " [");
    puts_to(t, w->level);
    puts_to(t, "]");
}

/* describe_blocks: the line below a cached RDD. */
static void describe_blocks(writer *w, const spark_rdd *rdd, const char *prefix)
{
    char line[128];
    const int n = rdd->blocks && atomic_load(&rdd->level) ? spk_blocks_present(rdd->blocks) : 0;
    if (n == 0)
        return;
    snprintf(line, sizeof line, "    CachedPartitions: %d; MemorySize: %llu B; DiskSize: %llu B", n,
        (unsigned long long)atomic_load(&rdd->blocks->memory_bytes),
        (unsigned long long)atomic_load(&rdd->blocks->disk_bytes));
    puts_to(w->out, "\n");
    puts_to(w->out, prefix);
    puts_to(w->out, line);
}

static size_t without_bar(const char *prefix)
{
    size_t n = strlen(prefix);
    while (n > 0 && prefix[n - 1] == ' ')
        n--;
    return n > 0 && prefix[n - 1] == '|' ? n - 1 : n;
}

/* write_one: the line of a frame; its children become frames, in reverse. */
static void write_one(writer *w, const frame *f)
{
    char count[32];
    const spark_rdd *rdd = f->rdd;
    const size_t length = (size_t)snprintf(count, sizeof count, "(%d)", spk_rdd_partitions(rdd));
    const size_t offset = (length - 1) / 2;
    char *prefix;
    if (w->out->n > 0)
        puts_to(w->out, "\n");
    if (f->block) {
        const size_t base = without_bar(f->prefix);
        const bool root = w->out->n == 0;
        put(w->out, f->prefix, root ? 0 : base);
        puts_to(w->out, root ? "" : "+-");
        puts_to(w->out, count);
        puts_to(w->out, " ");
        char *start = joined(f->prefix, root ? 0 : base, root ? "" : f->last ? "  " : "| ", 0, 0);
        prefix = start ? joined(start, strlen(start), "|", offset, length - offset) : NULL;
        free(start);
    } else {
        puts_to(w->out, f->prefix);
        prefix = joined(f->prefix, strlen(f->prefix), "", 0, 0);
    }
    describe(w, rdd);
    const bool above = !w->notes || w->notes->line(w->notes->env, w->out, rdd, f->block, f->shuffle);
    if (!prefix) {
        w->good = false;
        return;
    }
    describe_blocks(w, rdd, prefix);
    for (uint32_t i = above ? rdd->n_deps : 0; i-- > 0;) {
        const spk_shuffle *shuffle = rdd->deps[i].shuffle;
        push(w, (frame) { rdd->deps[i].rdd, joined(prefix, strlen(prefix), "", 0, 0), shuffle != NULL,
                    i + 1 == rdd->n_deps, shuffle });
    }
    free(prefix);
}

/* level_text: Spark's StorageLevel.description. */
static const char *level_text(spark_level level)
{
    static const char *const texts[] = { [SPARK_DEFAULT_LEVEL] = "",
        [SPARK_MEMORY_ONLY] = "Memory Deserialized 1x Replicated",
        [SPARK_MEMORY_AND_DISK] = "Disk Memory Deserialized 1x Replicated",
        [SPARK_MEMORY_ONLY_SER] = "Memory Serialized 1x Replicated",
        [SPARK_MEMORY_AND_DISK_SER] = "Disk Memory Serialized 1x Replicated",
        [SPARK_DISK_ONLY] = "Disk Serialized 1x Replicated" };
    return texts[level];
}

char *spk_lineage_write(spark_rdd *rdd, const spk_lineage_notes *notes)
{
    text t = { .good = true };
    writer w = { .out = &t, .good = true, .notes = notes };
    w.level = level_text(spark_rdd_storage_level(rdd));
    push(&w, (frame) { rdd, joined("", 0, "", 0, 0), true, true, NULL });
    while (w.n > 0) {
        const frame f = w.frames[--w.n];
        if (w.good && t.good)
            write_one(&w, &f);
        free(f.prefix);
    }
    free(w.frames);
    if (w.good && t.good)
        return t.at;
    free(t.at);
    return NULL;
}

const char *spark_to_debug_string(spark_site at, spark_rdd *rdd)
{
    spk_failure failure;
    const char *lineage;
    if (spk_job_check(rdd, "toDebugString", at, &failure) != SPARK_OK)
        return spk_raise(&failure), "";
    pthread_mutex_lock(&rdd->sc->plan_lock);
    char *written = spk_lineage_write(rdd, NULL);
    pthread_mutex_unlock(&rdd->sc->plan_lock);
    if (written && (lineage = spk_scope_text(rdd->sc, written)) != NULL)
        return lineage;
    spk_failure_nomem(&failure, "toDebugString", at);
    return spk_raise(&failure), "";
}
