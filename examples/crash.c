/* SPDX-License-Identifier: Apache-2.0 */
/* The story of a power cut: three executors count words, and one of them crashes while it runs the task of
 * partition 2. Prints who had what, who took over what, what was computed again, and that the answer is
 * the same. Exits 1 unless it is, and nothing but what was lost was computed again.
 *   usage: crash [FILE] */
#include <inttypes.h>
#include <spark.h>
#include <string.h>

enum { PARTITIONS = 6, MOST = 16 };

SPARK_PAIR(word_count, spark_str, int64_t);

/* Who ran which attempt of a task of job 1: a diary for the story, which no result depends on. */
static char diary[2][PARTITIONS][16];

SPARK_FLAT_MAP(split_words, spark_str, word_count)
{
    spark_str line = *in, word;
    while (spark_str_next_word(&line, &word))
        spark_emit(out, (word_count) { word, 1 });
}

SPARK_FILTER(is_word, word_count)
{
    const int attempt = spark_task_attempt(task);
    if (spark_task_job(task) == 1 && attempt < 2) {
        char *entry = diary[attempt][spark_task_partition(task)];
        if (!*entry)
            memcpy(entry, spark_task_executor(task), strlen(spark_task_executor(task)) + 1);
    }
    return in->key.len > 0;
}

/* The crash: in job 1, when the first rows of partition 2 are on their way. And so that all three
 * executors have something to lose: no task of job 0 is done in no time. */
static const spark_fault power_cut[] = {
    { SPARK_FAULT_EXECUTOR, .job = 1, .stage = 0, .partition = 2, .when = SPARK_FAULT_WHILE },
    { SPARK_FAULT_DELAY, .job = 0, .partition = SPARK_ANY, .delay_ms = 20 },
};

static size_t print_executors(spark_context *sc, spark_executor_info *infos)
{
    size_t n = spark_executors(sc, infos, MOST);
    n = n < MOST ? n : MOST;
    for (size_t i = 0; i < n; i++) {
        const spark_executor_info *e = &infos[i];
        printf("  executor %s: %s%s%s; %" PRId64 " blocks, %" PRId64 " outputs, %" PRId64
               " tasks run\n",
            e->id, e->state == SPARK_EXECUTOR_ALIVE ? "alive" : "lost (", e->reason,
            e->state == SPARK_EXECUTOR_ALIVE ? "" : ")", e->blocks, e->outputs, e->tasks_run);
    }
    return n;
}

/* blocks_of: how many blocks an executor had. */
static int64_t blocks_of(const spark_executor_info *infos, size_t n, const char *id)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(infos[i].id, id) == 0)
            return infos[i].blocks;
    return -1;
}

typedef struct outcome {
    spark_context *sc;
    spark_array counts;
    spark_job_stats stats; /* of job 1 */
} outcome;

/* run: job 0 fills the cache, job 1 counts. before: who is there between them. */
static bool run(
    outcome *o, const char *file, size_t n_faults, spark_executor_info *before, size_t *n)
{
    int64_t words;
    *o = (outcome) { .sc = spark_context_new(&(spark_conf) {
                         .master = "local-cluster[3,1,256]", .faults = power_cut, .n_faults = n_faults }) };
    spark_rdd *pairs = spark_cache(spark_flat_map(spark_text_file(o->sc, file, PARTITIONS), split_words, NULL));
    spark_rdd *counts = spark_reduce_by_key(
        spark_filter(pairs, is_word, NULL), spark_op_sum, NULL, PARTITIONS);
    spark_status status = spark_count(pairs, &words);
    if (status == SPARK_OK && before) {
        printf("%" PRId64 " words are in memory:\n", words);
        *n = print_executors(o->sc, before);
    }
    memset(diary, 0, sizeof diary);
    if (status == SPARK_OK)
        status = spark_collect(counts, SPARK_TYPE(word_count), &o->counts);
    if (status == SPARK_OK)
        status = spark_job_stats_get(o->sc, 1, &o->stats);
    return status == SPARK_OK || spark_complain("crash") == 0;
}

static bool same(const spark_array *a, const spark_array *b)
{
    bool same = a->n == b->n;
    for (size_t i = 0; same && i < a->n; i++)
        same = spark_equal(SPARK_TYPE(word_count), SPARK_ITEMS(word_count, a) + i,
            SPARK_ITEMS(word_count, b) + i);
    return same;
}

int main(int argc, char **argv)
{
    const char *file = argc > 1 ? argv[1] : SPARK_EXAMPLES_DATA "/genesis.txt";
    spark_executor_info before[MOST], after[MOST];
    size_t n = 0;
    outcome calm = { 0 }, cut = { 0 };
    bool good = run(&calm, file, 0, NULL, NULL) && run(&cut, file, 2, before, &n);
    if (good) {
        const char *lost = diary[0][2];
        const int64_t blocks = blocks_of(before, n, lost);
        printf("executor %s crashed while it ran the task of partition 2.\n", lost);
        for (int p = 0; p < PARTITIONS; p++)
            if (*diary[1][p])
                printf("  partition %d: executor %s took over from executor %s\n", p, diary[1][p],
                    diary[0][p]);
        puts("now:");
        print_executors(cut.sc, after);
        printf("%" PRId64 " tasks disowned, %" PRId64 " failed; %" PRId64
               " blocks lost; %" PRId64 " partitions computed again\n",
            cut.stats.disowned_tasks, cut.stats.failed_tasks, blocks, cut.stats.recomputed_partitions);
        /* Of each lost block at most the block, and the output that was made of it. */
        good = cut.stats.failed_tasks == 0 && cut.stats.disowned_tasks == 1
            && cut.stats.recomputed_partitions >= 1 && cut.stats.recomputed_partitions <= 2 * blocks;
        puts(good ? "only what was lost was computed again" : "TOO MUCH, OR TOO LITTLE, WAS DONE AGAIN");
        const bool equal = same(&calm.counts, &cut.counts);
        puts(equal ? "the answer is the same" : "ANOTHER ANSWER");
        good = good && equal;
    }
    spark_array_free(&calm.counts);
    spark_array_free(&cut.counts);
    spark_context_free(cut.sc);
    spark_context_free(calm.sc);
    return good ? 0 : 1;
}
