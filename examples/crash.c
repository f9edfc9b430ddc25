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
    if (spark_task_job(task) == 1 && attempt < 2)
        snprintf(diary[attempt][spark_task_partition(task)], 16, "%s", spark_task_executor(task));
    return in->key.len > 0;
}

/* The crash: in job 1, when the first rows of partition 2 are on their way. And so that all three
 * executors have something to lose: no task of job 0 is done in no time. */
static const spark_fault power_cut[] = {
    { SPARK_FAULT_EXECUTOR, .job = 1, .stage = 0, .partition = 2, .when = SPARK_FAULT_WHILE },
    { SPARK_FAULT_DELAY, .job = 0, .partition = SPARK_ANY, .delay_ms = 20 },
};

/* print_executors: to infos as well, which is zero where there are fewer than MOST. */
static void print_executors(spark_context *sc, spark_executor_info *infos)
{
    memset(infos, 0, MOST * sizeof *infos);
    spark_executors(sc, infos, MOST);
    for (const spark_executor_info *e = infos; e < infos + MOST && *e->id; e++)
        printf("  executor %s: %s %s; %" PRId64 " blocks, %" PRId64 " outputs\n", e->id,
            e->state == SPARK_EXECUTOR_ALIVE ? "alive" : "lost:", e->reason, e->blocks, e->outputs);
}

typedef struct outcome {
    spark_context *sc;
    spark_array counts;
    spark_job_stats stats; /* of job 1 */
} outcome;

/* run: job 0 fills the cache, job 1 counts. before: who is there between them. */
static bool run(outcome *o, const char *file, size_t n_faults, spark_executor_info *before)
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
        print_executors(o->sc, before);
    }
    memset(diary, 0, sizeof diary);
    if (status == SPARK_OK)
        status = spark_collect(counts, SPARK_TYPE(word_count), &o->counts);
    return (status == SPARK_OK && spark_job_stats_get(o->sc, 1, &o->stats) == SPARK_OK)
        || spark_complain("crash") == 0;
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
    outcome calm = { 0 }, cut = { 0 };
    bool good = run(&calm, file, 0, NULL) && run(&cut, file, 2, before);
    if (good) {
        const char *lost = diary[0][2];
        int64_t blocks = 0;
        for (int i = 0; i < MOST; i++)
            blocks += strcmp(before[i].id, lost) == 0 ? before[i].blocks : 0;
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
