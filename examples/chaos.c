/* SPDX-License-Identifier: Apache-2.0 */
/* Tests a program under faults, as libspark's own tests do: its report is made undisturbed, then
 * with each read, write, open and allocation failing in its turn, then under plans drawn from
 * seeds. It is the same each time, or there is an error and no report. Exits 1 otherwise.
 *   usage: chaos [FILE [SEEDS]] */
#include <errno.h>
#include <spark.h>
#include <stdlib.h>
#include <unistd.h>

enum { MAPS = 4, PARTITIONS = 3, MOST_BYTES = 1 << 20, SEEDS = 20 };

SPARK_PAIR(word_count, spark_str, int64_t);
SPARK_ORDER(by_count, word_count, (desc, value), (asc, key));

SPARK_FLAT_MAP(split_words, spark_str, word_count)
{
    spark_str line = *in, word;
    while (spark_str_next_word(&line, &word))
        spark_emit(out, (word_count) { word, 1 });
}

/* The program: counts words, and saves them in order. */
static const char *input;
static char output[64];
static spark_status make_report(spark_context *sc)
{
    SPARK_SCOPED(sc);
    spark_rdd *words = spark_flat_map(spark_text_file(sc, input, MAPS), split_words, NULL);
    spark_rdd *counts = spark_reduce_by_key(words, spark_op_sum, NULL, PARTITIONS);
    return spark_save_as_text_file(spark_sort_by(counts, by_count, PARTITIONS), output);
}

/* take_report: the text of all files, which are removed; 0: there is none. */
static size_t take_report(char *text)
{
    static const char *const files[] = { "part-00000", "part-00001", "part-00002", "_SUCCESS" };
    size_t n = 0;
    char path[96];
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "%s/%s", output, files[i]);
        FILE *file = fopen(path, "r");
        if (!file)
            continue;
        n += fread(text + n, 1, MOST_BYTES - n, file);
        fclose(file);
        unlink(path);
    }
    rmdir(output);
    return n;
}
static char wanted[MOST_BYTES], found[MOST_BYTES];
static size_t wanted_bytes;

/* run: under a plan. struck: whether it made a call fail. failed: whether there was an error. */
static bool run(const spark_fault *faults, size_t n, bool *struck, bool *failed)
{
    spark_context *sc = spark_context_new(
        &(spark_conf) { .faults = faults, .n_faults = n, .stage_max_attempts = 100 });
    *failed = make_report(sc) != SPARK_OK;
    *struck = spark_faults_struck(sc) > 0;
    spark_context_free(sc);
    const size_t bytes = take_report(found);
    if (n == 0 && !*failed)
        memcpy(wanted, found, wanted_bytes = bytes);
    return *failed ? bytes == 0 : bytes == wanted_bytes && memcmp(found, wanted, bytes) == 0;
}

/* each_call: the first, second, third ... of a kind, until there is none left. */
static bool each_call(spark_fault_kind kind, int times, int error, int *errors)
{
    bool good = true, struck = true, failed;
    spark_fault f = { kind, SPARK_ANYWHERE, .nth = 1, .times = times, .error = error };
    for (; good && struck; f.nth++, *errors += failed)
        good = run(&f, 1, &struck, &failed);
    return good;
}

/* seeded: only first attempts are harmed, so there is no excuse for an error. */
static bool seeded(uint64_t seed)
{
    bool struck, failed;
    const spark_fault first = { SPARK_FAULT_IO, SPARK_ANY, SPARK_ANY, SPARK_ANY, .attempt = 0 };
    spark_fault faults[] = { { SPARK_FAULT_RANDOM, SPARK_ANYWHERE }, first, first };
    faults[2].kind = SPARK_FAULT_ALLOC;
    for (size_t i = 0; i < 3; i++)
        faults[i].seed = seed, faults[i].rate = i < 2 ? 0.1 : 0.02;
    return run(faults, 3, &struck, &failed) && !failed;
}

typedef struct call {
    const char *what;
    spark_fault_kind kind;
    int times, error;
} call;
int main(int argc, char **argv)
{
    static const call calls[] = { { "one read fails", SPARK_FAULT_READ, 1, EIO },
        { "one write fails", SPARK_FAULT_WRITE, 1, EIO },
        { "the disk is full", SPARK_FAULT_WRITE, SPARK_ANY, ENOSPC },
        { "one file is not opened", SPARK_FAULT_OPEN, 1, EMFILE },
        { "one allocation fails", SPARK_FAULT_ALLOC, 1, ENOMEM },
        { "memory is used up", SPARK_FAULT_ALLOC, SPARK_ANY, ENOMEM } };
    const uint64_t last = argc > 2 ? strtoull(argv[2], NULL, 10) : SEEDS;
    input = argc > 1 ? argv[1] : SPARK_EXAMPLES_DATA "/harbour.txt";
    snprintf(output, sizeof output, "%s/chaos-%ld", access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm",
        (long)getpid());
    bool struck, failed, good = run(NULL, 0, &struck, &failed) && !failed && wanted_bytes > 0;
    for (const call *c = calls; good && c < calls + sizeof calls / sizeof *calls; c++) {
        int errors = 0;
        good = each_call(c->kind, c->times, c->error, &errors);
        const char *fine = errors ? "the same report, or an error and none" : "the same report";
        printf("%s: %s\n", c->what, good ? fine : "wrong");
    }
    for (uint64_t seed = 1; good && seed <= last; seed++)
        good = seeded(seed);
    printf("drawn from seeds: %s\n", good ? "the same report" : "wrong");
    return good ? 0 : 1;
}
