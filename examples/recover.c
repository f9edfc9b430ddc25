/* SPDX-License-Identifier: Apache-2.0 */
/* Counts words three times: undisturbed, under a plan that kills task attempts and drops a cached
 * block and a shuffle output, and under random faults. Shows what was done again. Exits 1 unless the
 * answers are the same, in the same order, and only what was lost was computed again.
 *   usage: recover [FILE] */
#include <inttypes.h>
#include <spark.h>

enum { MAPS = 6, PARTITIONS = 4, JOBS = 3 };

SPARK_PAIR(word_count, spark_str, int64_t);

SPARK_FLAT_MAP(split_words, spark_str, word_count)
{
    spark_str line = *in, word;
    while (spark_str_next_word(&line, &word))
        spark_emit(out, (word_count) { word, 1 });
}

static const spark_fault planned[] = {
    /* Job 0: the first attempt of every task does its work and dies. */
    { SPARK_FAULT_TASK, .job = 0, .stage = 0, .partition = SPARK_ANY, .attempt = 0 },
    /* Job 1: a block of the cache is gone, and one task dies three times. */
    { SPARK_FAULT_BLOCK, .job = 1, .stage = 0, .partition = 1, .attempt = 0 },
    { SPARK_FAULT_TASK, .job = 1, .stage = 1, .partition = 3, .attempt = 0 },
    { SPARK_FAULT_TASK, .job = 1, .stage = 1, .partition = 3, .attempt = 1 },
    { SPARK_FAULT_TASK, .job = 1, .stage = 1, .partition = 3, .attempt = 2 },
    /* Job 2: what map partition 2 wrote for the shuffle is gone. */
    { SPARK_FAULT_SHUFFLE, .job = 2, .stage = 1, .partition = 0, .attempt = 0, .output = 2 },
};
static const int failed[JOBS] = { MAPS, 3, 0 }, again[JOBS] = { 0, 1, 1 }; /* what it leads to */

static const spark_fault at_random[] = { { SPARK_FAULT_RANDOM, .job = SPARK_ANY, .stage = SPARK_ANY,
    .partition = SPARK_ANY, .attempt = SPARK_ANY, .rate = 0.25, .seed = 7 } };

typedef struct outcome {
    spark_context *sc;
    int64_t words, distinct;
    spark_array counts;
    spark_job_stats jobs[JOBS];
} outcome;

/* run: three jobs. Job 0 fills the cache; job 1 reads it and shuffles; job 2 finds the outputs of
 * that shuffle and skips the stage that made them. */
static bool run(outcome *o, const char *file, const spark_fault *faults, size_t n_faults)
{
    *o = (outcome) { 0 };
    o->sc = spark_context_new(&(spark_conf) { .faults = faults, .n_faults = n_faults });
    spark_rdd *lines = spark_text_file(o->sc, file, MAPS);
    spark_rdd *words = spark_cache(spark_flat_map(lines, split_words, NULL));
    spark_rdd *counts = spark_reduce_by_key(words, spark_op_sum, NULL, PARTITIONS);

    spark_status status = spark_count(words, &o->words);
    if (status == SPARK_OK)
        status = spark_count(counts, &o->distinct);
    if (status == SPARK_OK)
        status = spark_collect(counts, SPARK_TYPE(word_count), &o->counts);
    for (int job = 0; job < JOBS && status == SPARK_OK; job++)
        status = spark_job_stats_get(o->sc, job, &o->jobs[job]);
    return status == SPARK_OK || spark_complain("recover") == 0;
}

static void end(outcome *o)
{
    spark_array_free(&o->counts);
    spark_context_free(o->sc);
}

static bool same(const outcome *a, const outcome *b)
{
    bool same = a->words == b->words && a->distinct == b->distinct && a->counts.n == b->counts.n;
    for (size_t i = 0; same && i < a->counts.n; i++)
        same = spark_equal(SPARK_TYPE(word_count), SPARK_ITEMS(word_count, &a->counts) + i,
            SPARK_ITEMS(word_count, &b->counts) + i);
    puts(same ? "the same answer" : "ANOTHER ANSWER");
    return same;
}

/* as_planned: prints what was done again, and whether that is what the plan leads to. */
static bool as_planned(const spark_job_stats jobs[JOBS])
{
    bool good = true;
    for (int job = 0; job < JOBS; job++) {
        const spark_job_stats *s = &jobs[job];
        printf("  job %d: %" PRId64 " attempts failed, %" PRId64 " partitions computed again\n",
            job, s->failed_tasks, s->recomputed_partitions);
        good = good && s->failed_tasks == failed[job] && s->recomputed_partitions == again[job];
    }
    return good;
}

int main(int argc, char **argv)
{
    const char *file = argc > 1 ? argv[1] : SPARK_EXAMPLES_DATA "/genesis.txt";
    outcome calm, plan, random;
    if (!run(&calm, file, NULL, 0))
        return end(&calm), 1;
    printf("undisturbed: %" PRId64 " words, %" PRId64 " different\n", calm.words, calm.distinct);

    printf("as planned: ");
    bool good = run(&plan, file, planned, sizeof planned / sizeof *planned) && same(&calm, &plan);
    good = as_planned(plan.jobs) && good;

    printf("at random: ");
    good = run(&random, file, at_random, 1) && same(&calm, &random) && good;
    good = random.jobs[0].failed_tasks + random.jobs[1].failed_tasks > 0 && good;

    end(&random);
    end(&plan);
    end(&calm);
    return good ? 0 : 1;
}
