/* SPDX-License-Identifier: Apache-2.0 */
/* Counts the words of texts: runs of bytes between ASCII white space. */
#include <inttypes.h>
#include <unistd.h>
#include "watch.h"

static const char usage[]
    = "usage: wordcount [-n TOP] [-t N] [-p N] [-o DIR] [FILE...]\n"
      "Prints count<TAB>word, the most frequent first; without FILE, of a bundled text.\n"
      "  FILE           a file, a directory of files, or a FIFO; -: standard input\n"
      "  -n TOP         how many words (20); 0: all\n"
      "  -t N           threads; 0: as many as there are CPUs\n"
      "  -p N           partitions of each FILE, at least, and of the counts; 0: the library chooses\n"
      "  -o DIR         also writes all words to DIR/part-*, in the form and order of -n 0\n"
      "  --progress, --event-log DIR, --report FILE, --trace FILE: to watch it\n";

SPARK_PAIR(word_count, spark_str, int64_t);
SPARK_ORDER(most_frequent, word_count, (desc, value), (asc, key));

SPARK_FLAT_MAP(split_words, spark_str, word_count)
{
    spark_str line = *in, word;
    while (spark_str_next_word(&line, &word))
        spark_emit(out, (word_count) { word, 1 });
}

SPARK_MAP(to_line, word_count, spark_str)
{
    *out = spark_str_concat(task, spark_str_format(task, "%" PRId64 "\t", in->value), in->key);
}

static int print(const spark_array *counts)
{
    const word_count *w = SPARK_ITEMS(word_count, counts);
    for (size_t i = 0; i < counts->n && !ferror(stdout); i++) {
        printf("%" PRId64 "\t", w[i].value);
        fwrite(w[i].key.ptr, 1, w[i].key.len, stdout);
        putchar('\n');
    }
    if (ferror(stdout) || fflush(stdout) != 0)
        return perror("wordcount: standard output"), 1;
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--help") == 0)
        return fputs(usage, stdout) < 0;
    const watch_options watch = watch_arguments(&argc, argv);
    const char *dir = NULL;
    int64_t given[128] = { ['n'] = 20 };
    for (int c; (c = getopt(argc, argv, "n:t:p:o:")) != -1;)
        if (c == 'o')
            dir = optarg;
        else if (c == '?' || !spark_str_to_i64((spark_str) { optarg, strlen(optarg) }, &given[c])
            || given[c] < 0 || given[c] > INT32_MAX)
            return fputs(usage, stderr), 2;
    const int partitions = (int)given['p'];
    spark_context *sc = watched_context(&(spark_conf) { .app_name = "wordcount", .threads = (int)given['t'] }, &watch);
    const char *bundled = SPARK_EXAMPLES_DATA "/genesis.txt";
    spark_rdd *lines = spark_text_files(sc, optind == argc, &bundled, partitions);
    for (int i = optind; i < argc; i++)
        lines = spark_union(lines,
            strcmp(argv[i], "-") == 0 ? spark_text_fd(sc, 0, partitions)
                                      : spark_text_files(sc, 1, &argv[i], partitions));
    spark_rdd *words = spark_flat_map(lines, split_words, NULL);
    spark_rdd *counts = spark_reduce_by_key(words, spark_op_sum, NULL, partitions);
    spark_rdd *sorted = spark_sort_by(counts, most_frequent, partitions);
    spark_array result = { 0 };
    spark_status status = dir ? spark_save_as_text_file(spark_map(sorted, to_line, NULL), dir) : SPARK_OK;
    if (status == SPARK_OK && given['n'] == 0)
        status = spark_collect(sorted, SPARK_TYPE(word_count), &result);
    else if (status == SPARK_OK)
        status = spark_take_ordered(counts, (size_t)given['n'], most_frequent, SPARK_TYPE(word_count), &result);
    const int failed = status == SPARK_OK ? print(&result) : spark_complain("wordcount");
    spark_array_free(&result);
    spark_context_free(sc);
    return failed;
}
