/* SPDX-License-Identifier: Apache-2.0 */
/* The two sides of the word count as a program of a cluster: lines in, lines out, as rdd.pipe and Hadoop
 * Streaming run it, one process a partition. README.md tells when.
 *
 *   count_task map      texts -> word<TAB>n, once for each word of the partition
 *   count_task reduce   word<TAB>n, those of a word side by side -> word<TAB>sum
 *
 * Ends with 0, or with 1 and a message on stderr, which fails the task. Counters go to stderr in the form
 * of Hadoop Streaming; Spark keeps them in the log of the executor. */
#include <inttypes.h>
#include <spark.h>
#include <stdlib.h>

SPARK_PAIR(word_count, spark_str, int64_t);

SPARK_FLAT_MAP(split_words, spark_str, word_count)
{
    spark_str line = *in, word;
    while (spark_str_next_word(&line, &word))
        spark_emit(out, (word_count) { word, 1 });
}

SPARK_MAP(parse, spark_str, word_count)
{
    spark_str rest = *in;
    if (!spark_str_split(&rest, '\t', &out->key) || !spark_str_to_i64(rest, &out->value))
        spark_fail(task, "not word<TAB>n: " SPARK_STR_FMT, SPARK_STR_ARG(*in));
}

/* group: consecutive pairs of one key, added up: what a reducer does that is given its input sorted, in the
 * memory of one key. */
typedef struct group {
    char *key;
    size_t len, room;
    int64_t sum;
} group;

typedef struct running {
    group *now;
} running;

static void free_group(void *data)
{
    group *g = data;
    free(g->key);
    free(g);
}

static bool start(spark_task *task, running *state, spark_str key)
{
    group *g = state->now;
    if (!g && (g = state->now = calloc(1, sizeof *g)))
        spark_defer(task, free_group, g);
    char *room = !g ? NULL : g->room > key.len ? g->key : realloc(g->key, 2 * key.len + 64);
    if (!room) {
        spark_fail(task, "out of memory");
        return false;
    }
    g->room = room == g->key && g->room > key.len ? g->room : 2 * key.len + 64;
    g->key = room;
    memcpy(g->key, key.ptr, key.len);
    g->len = key.len;
    g->sum = 0;
    return true;
}

static word_count pair_of(const group *g)
{
    return (word_count) { { g->key, g->len }, g->sum };
}

SPARK_STEP(sum_runs, running, word_count, word_count)
{
    group *g = state->now;
    const bool same = g && g->len == in->key.len && memcmp(g->key, in->key.ptr, g->len) == 0;
    if (!same) {
        if (g)
            spark_emit(out, (word_count) { spark_str_copy(task, pair_of(g).key), g->sum });
        if (!start(task, state, in->key))
            return;
    }
    state->now->sum += in->value;
}
SPARK_FINISH(sum_runs, running, word_count, word_count)
{
    if (state->now)
        spark_emit(out, pair_of(state->now));
}

static int print(spark_rdd *counts, int64_t *n)
{
    spark_local_iterator *rows = spark_to_local_iterator(counts, SPARK_TYPE(word_count));
    const word_count *w;
    for (; (w = SPARK_LOCAL_NEXT(word_count, rows)) != NULL && !ferror(stdout); ++*n) {
        fwrite(w->key.ptr, 1, w->key.len, stdout);
        printf("\t%" PRId64 "\n", w->value);
    }
    const spark_status status = spark_local_iterator_status(rows);
    if (status != SPARK_OK)
        return spark_complain("count_task");
    if (ferror(stdout) || fflush(stdout) != 0)
        return perror("count_task: standard output"), 1;
    return 0;
}

int main(int argc, char **argv)
{
    const bool maps = argc == 2 && strcmp(argv[1], "map") == 0;
    if (!maps && !(argc == 2 && strcmp(argv[1], "reduce") == 0))
        return fputs("usage: count_task map|reduce < LINES\n", stderr), 2;
    int64_t n = 0;
    spark_context *sc = spark_context_new(&(spark_conf) { .threads = 1 }); /* the cluster counts on one core */
    spark_rdd *lines = spark_text_fd(sc, 0, 1);
    spark_rdd *counts = maps
        ? spark_reduce_by_key(spark_flat_map(lines, split_words, NULL), spark_op_sum, NULL, 1)
        : spark_map_stateful(spark_map(lines, parse, NULL), sum_runs, NULL);
    const int status = print(counts, &n);
    spark_context_free(sc);
    fprintf(stderr, "reporter:counter:count_task,%s words,%" PRId64 "\n", argv[1], n);
    return status;
}
