/* SPDX-License-Identifier: Apache-2.0 */
/* An inverted index: each word of texts, in lower case, with all places where it stands, sorted:
 * a line "WORD FILE:LINE FILE:LINE ..." with tabs between. A word is a run of letters and digits;
 * bytes beyond ASCII count as letters.
 *   usage: inverted_index [--event-log DIR] [--report FILE] [--trace FILE] [--progress] [FILE...] */
#include <inttypes.h>
#include <spark.h>

#include "watch.h"

enum { PARTITIONS = 4 };

SPARK_STRUCT(place, (spark_str, file), (int64_t, line));
SPARK_LIST(places, place);
SPARK_PAIR(posting, spark_str, place);
SPARK_PAIR(entry, spark_str, places);
SPARK_PAIR(numbered, spark_str, int64_t); /* a line and its number, from 0 */

static bool is_letter(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
        || (unsigned char)c >= 128;
}

/* next_word: takes the next word off the front of *line. */
static bool next_word(spark_str *line, spark_str *word)
{
    const char *p = line->ptr, *end = p + line->len;
    while (p < end && !is_letter(*p))
        p++;
    word->ptr = p;
    while (p < end && is_letter(*p))
        p++;
    word->len = (size_t)(p - word->ptr);
    *line = (spark_str) { p, (size_t)(end - p) };
    return word->len > 0;
}

SPARK_FLAT_MAP(postings_of, numbered, posting, spark_str)
{
    spark_str line = in->key, word;
    while (next_word(&line, &word))
        spark_emit(out, (posting) { spark_str_lower(task, word), { *env, in->value + 1 } });
}

/* postings_of_file: its lines know their numbers, and the function knows the file. */
static spark_rdd *postings_of_file(spark_context *sc, const char *path)
{
    const spark_str file = { path, strlen(path) };
    spark_rdd *lines = spark_zip_with_index(spark_text_file(sc, path, PARTITIONS));
    return spark_flat_map(spark_as(lines, SPARK_TYPE(numbered)), postings_of, SPARK_COPY(file));
}

static void print(const entry *e)
{
    fwrite(e->key.ptr, 1, e->key.len, stdout);
    for (size_t i = 0; i < e->value.n; i++) {
        const place *p = &e->value.at[i];
        printf("\t" SPARK_STR_FMT ":%" PRId64, SPARK_STR_ARG(p->file), p->line);
    }
    putchar('\n');
}

int main(int argc, char **argv)
{
    const watch_options watch = watch_arguments(&argc, argv);
    const char *bundled[] = { SPARK_EXAMPLES_DATA "/bread.txt", SPARK_EXAMPLES_DATA "/harbour.txt",
        SPARK_EXAMPLES_DATA "/orchard.txt" };
    spark_context *sc = watched_context(&(spark_conf) { .app_name = "inverted_index" }, &watch);
    spark_rdd *postings = spark_empty_rdd(sc, SPARK_TYPE(posting));
    if (argc > 1) {
        for (int i = 1; i < argc; i++)
            postings = spark_union(postings, postings_of_file(sc, argv[i]));
    } else {
        for (size_t i = 0; i < sizeof bundled / sizeof *bundled; i++)
            postings = spark_union(postings, postings_of_file(sc, bundled[i]));
    }

    /* A group keeps the order of the input: what is sorted before is sorted in its lists. */
    spark_rdd *once = spark_distinct(postings, PARTITIONS);
    spark_rdd *groups = spark_group_by_key(spark_sort_by(once, NULL, 0), PARTITIONS);

    spark_array all;
    const spark_status status
        = spark_collect(spark_sort_by_key(groups, NULL, 0), SPARK_TYPE(entry), &all);
    const entry *e = SPARK_ITEMS(entry, &all);
    for (size_t i = 0; i < all.n; i++)
        print(&e[i]);
    const int failed = status == SPARK_OK ? 0 : spark_complain("inverted_index");
    spark_array_free(&all);
    spark_context_free(sc);
    return failed;
}
