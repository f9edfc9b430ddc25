/* SPDX-License-Identifier: Apache-2.0 */
/* Applications whose reports, traces and plans are looked at: views DIR TEXT [SCENE] writes DIR/<scene>.html,
 * .json, .plan and .dot of each, or of that scene. */
#include <inttypes.h>
#include <spark.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

SPARK_PAIR(word_count, spark_str, int64_t);
SPARK_PAIR(i64_pair, int64_t, int64_t);

SPARK_FLAT_MAP(split_words, spark_str, word_count)
{
    spark_str line = *in, word;
    (void)task;
    while (spark_str_next_word(&line, &word))
        spark_emit(out, (word_count) { word, 1 });
}
SPARK_MAP(to_pair, int64_t, i64_pair)
{
    *out = (i64_pair) { *in % 1000, *in };
}
SPARK_MAP(mostly_seven, int64_t, i64_pair)
{
    *out = (i64_pair) { *in % 10 < 8 ? 7 : *in, *in };
}
SPARK_MAP(value_of, i64_pair, int64_t)
{
    *out = in->value / 7 + in->key;
}
SPARK_MAP(mixed, int64_t, int64_t)
{
    uint64_t x = (uint64_t)*in * 0x9e3779b97f4a7c15u;
    for (int i = 0; i < 40; i++)
        x = (x ^ x >> 31) * 0xbf58476d1ce4e5b9u;
    *out = (int64_t)(x >> 1);
}
SPARK_MAP(refuses, int64_t, int64_t, int64_t)
{
    if (*in == *env)
        spark_fail(task, "the number %" PRId64 " is <b>not</b> \"liked\" ]]> --> \\ \x01 \xff \xc3\xa4", *in);
    *out = *in;
}
SPARK_MAP(naps, int64_t, int64_t)
{
    (void)task;
    if (*in % 16 == 5)
        nanosleep(&(struct timespec) { 0, 150000000 }, NULL);
    *out = *in;
}

static void must(spark_status status)
{
    if (status != SPARK_OK)
        exit(spark_complain("views"));
}

static int64_t counted(spark_rdd *rdd)
{
    int64_t n;
    must(spark_count(rdd, &n));
    return n;
}

static const char *plans; /* where they go: with .plan or .dot behind */

/* explained: the plan of the RDD, behind those that are there. */
static void explain(spark_rdd *rdd, bool analyzed)
{
    char path[700];
    snprintf(path, sizeof path, "%s.plan", plans);
    FILE *plan = fopen(path, "a");
    snprintf(path, sizeof path, "%s.dot", plans);
    FILE *dot = fopen(path, "a");
    if (!plan || !dot)
        exit(1);
    must(spark_explain(rdd, plan));
    must(spark_explain_dot(rdd, dot));
    if (analyzed)
        must(spark_explain_analyze(rdd, plan));
    if (analyzed)
        must(spark_explain_analyze_dot(rdd, dot));
    if (fputc('\n', plan) == EOF || fclose(plan) != 0 || fclose(dot) != 0)
        exit(1);
}

static void explained(spark_rdd *rdd)
{
    explain(rdd, false);
}

static void words_scene(spark_context *sc, const char *text)
{
    must(spark_keep_metrics(sc, NULL));
    must(spark_profile_shuffles(sc, 1, 5));
    spark_rdd *words = spark_flat_map(spark_text_file(sc, text, 6), split_words, NULL);
    spark_rdd *counts = spark_cache(spark_reduce_by_key(words, spark_op_sum, NULL, 3));
    spark_rdd_set_name(counts, "counts of words");
    spark_set_job_description(sc, "how many words there are");
    explained(counts);
    counted(counts);
    explained(counts);
    spark_set_job_description(sc, "those that are there most often");
    spark_array top;
    spark_rdd *sorted = spark_sort_by(counts, NULL, 2);
    explained(sorted);
    must(spark_collect(sorted, NULL, &top));
    spark_array_free(&top);
    explain(sorted, true);
}

static void failures_scene(spark_context *sc, const char *text)
{
    int64_t n;
    (void)text;
    spark_rdd *numbers = spark_range(sc, 0, 10000, 1, 8);
    if (spark_count(spark_map(numbers, refuses, SPARK_COPY((int64_t) { 6000 })), &n) == SPARK_OK)
        exit(1);
    spark_rdd *sums = spark_reduce_by_key(spark_map(numbers, to_pair, NULL), spark_op_sum, NULL, 6);
    counted(sums);
    must(spark_kill_executor(sc, "1", "it was \"in the <i>way</i>\""));
    counted(spark_map(sums, value_of, NULL));
}

/* hints_scene: a bit of all that a report remarks on. */
static void hints_scene(spark_context *sc, const char *text)
{
    (void)text;
    must(spark_profile_shuffles(sc, 3, 10));
    must(spark_count_hardware(sc, NULL));
    spark_rdd *base = spark_map(spark_range(sc, 0, 300000, 1, 8), mixed, NULL);
    spark_rdd *groups = spark_group_by_key(spark_map(spark_range(sc, 0, 400000, 1, 8), mostly_seven, NULL), 6);
    counted(groups);
    counted(spark_cache(spark_map(base, mixed, NULL)));
    counted(spark_map(spark_range(sc, 0, 32, 1, 16), naps, NULL));
    counted(spark_range(sc, 0, 2000, 1, 1000));
    for (int i = 0; i < 4; i++)
        counted(spark_map(base, mixed, NULL));
    counted(spark_sort_by(spark_map(spark_range(sc, 0, 6000000, 1, 4), mixed, NULL), NULL, 3));
    spark_rdd *used = spark_persist(spark_map(base, to_pair, NULL), SPARK_MEMORY_AND_DISK);
    counted(spark_join(used, spark_reduce_by_key(used, spark_op_sum, NULL, 4), 4));
}

static void rounds_scene(spark_context *sc, const char *text)
{
    spark_rdd *values = spark_map(spark_map(spark_range(sc, 0, 50000, 1, 4), to_pair, NULL), value_of, NULL);
    (void)text;
    for (int round = 0; round < 24; round++) {
        SPARK_SCOPED(sc);
        spark_rdd *sums = spark_reduce_by_key(spark_map(values, to_pair, NULL), spark_op_sum, NULL, 4);
        spark_rdd *next = spark_map(sums, value_of, NULL);
        if (round % 3 == 2)
            spark_cache(next);
        counted(next);
        if (round == 22)
            explained(next);
        spark_rdd_replace(&values, next);
    }
}

/* many_scene: 100,000 tasks. */
static void many_scene(spark_context *sc, const char *text)
{
    (void)text;
    counted(spark_range(sc, 0, 100000, 1, 90000));
    for (int i = 0; i < 2500; i++) {
        SPARK_SCOPED(sc);
        counted(spark_range(sc, 0, 100, 1, 4));
    }
}

SPARK_MAP(fails_with, int64_t, int64_t, spark_str)
{
    *out = *in;
    spark_fail(task, SPARK_STR_FMT, SPARK_STR_ARG(*env));
}
typedef struct added {
    const spark_accumulator *to;
} added;
SPARK_MAP(adds, int64_t, int64_t, added)
{
    spark_accumulate(task, env->to, *in);
    *out = *in;
}

static void hostile_accumulator(spark_context *sc, spark_rdd *rdd, const char *name)
{
    const added a = { spark_counter(sc, name) };
    const spark_str message = { name, strlen(name) };
    int64_t n;
    counted(spark_map(rdd, adds, SPARK_COPY(a)));
    if (spark_count(spark_map(rdd, fails_with, SPARK_COPY(message)), &n) == SPARK_OK)
        exit(1);
}

/* hostile_sql: a statement of 10 MB, most of which is a comment. */
static void hostile_sql(spark_context *sc, char *text)
{
    static const char start[]
        = "SELECT 1 AS `</pre></script>\x1b]0;owned\x07\xe2\x80\xae`, '<script>alert(2)</script>' -- \xff";
    spark_array rows;
    memcpy(text, start, sizeof start - 1);
    must(spark_collect(spark_sql(sc, text), NULL, &rows));
    spark_array_free(&rows);
}

SPARK_MAP(hostile_key, int64_t, word_count)
{
    static const char text[] = "</td></svg><script>alert(3)</script>\x01\x1b\xff\xc2\x85\\\" \n";
    (void)task;
    *out = (word_count) { { text, sizeof text - 1 }, *in };
}

/* hostile_shuffle: its most frequent key. */
static void hostile_shuffle(spark_context *sc, spark_rdd *rdd)
{
    must(spark_profile_shuffles(sc, 2, 5));
    spark_rdd *placed = spark_partition_by(spark_map(rdd, hostile_key, NULL), spark_hash_partitioner(sc, 3));
    must(spark_keep_metrics(sc, NULL));
    counted(placed);
    explain(placed, true);
}

/* hostile_scene: texts that are to do no harm, and are long. */
static void hostile_scene(spark_context *sc, const char *path)
{
    enum { LONG = 10 << 20 };
    char *text = malloc(LONG + 1), bytes[256];
    (void)path;
    for (int i = 0; i < 255; i++)
        bytes[i] = (char)(i + 1);
    bytes[255] = '\0';
    if (!text)
        exit(1);
    memset(text, '<', LONG);
    text[LONG] = '\0';
    spark_set_job_group(sc, bytes, text);
    spark_rdd *rdd = (spark_range)("a \"file\"\n</script></style></svg><b>\xf0\x9f.c:7", sc, 0, 100, 1, 2);
    spark_rdd_set_name(rdd, "<img src=x onerror=alert(1)> \xed\xa0\x80 \xc3 \xc2\x85 \x7f");
    spark_persist(rdd, SPARK_MEMORY_ONLY);
    counted(rdd);
    explained(rdd);
    spark_set_job_description(sc, bytes);
    counted(spark_map(rdd, mixed, NULL));
    spark_set_job_description(sc, text);
    counted(rdd);
    hostile_accumulator(sc, rdd, bytes);
    hostile_shuffle(sc, rdd);
    hostile_sql(sc, text);
    free(text);
}

/* sql_scene: queries, one of which fails. */
static void sql_scene(spark_context *sc, const char *text)
{
    spark_array rows;
    (void)text;
    spark_rdd *pairs = spark_map(spark_range(sc, 0, 20000, 1, 8), to_pair, NULL);
    must(spark_create_temp_view(sc, "pairs", pairs));
    must(spark_collect(spark_sql(sc,
        "SELECT p.key % 10 AS k, count(*) AS n\nFROM pairs p JOIN (SELECT DISTINCT key FROM "
                                     "pairs) q ON p.key = q.key WHERE p.value >= 1000 GROUP BY 1 ORDER BY 1"),
                                     NULL, &rows));
    spark_array_free(&rows);
    if (spark_collect(spark_sql(sc, "SELECT 1 / (key - 5) AS `<b>` FROM pairs"), NULL, &rows) == SPARK_OK)
        exit(1);
}

static void nothing_scene(spark_context *sc, const char *text)
{
    (void)sc;
    (void)text;
}

int main(int argc, char **argv)
{
    static const spark_fault anywhere[] = { { SPARK_FAULT_RANDOM, .rate = 0.05, .seed = 7 } };
    const struct {
        const char *name;
        void (*run)(spark_context *sc, const char *text);
        spark_conf conf;
    } scenes[] = {
        { "words", words_scene, { .threads = 2 } },
        { "failures", failures_scene, { .master = "local-cluster[3,1,64]", .task_max_failures = 3 } },
        { "hints", hints_scene, { .threads = 4, .memory_bytes = 64 << 20 } },
        { "rounds", rounds_scene, { .threads = 2 } },
        { "hostile", hostile_scene, { .threads = 2 } },
        { "sql", sql_scene, { .threads = 2 } },
        { "nothing", nothing_scene, { .threads = 2 } },
        { "faults", rounds_scene, { .master = "local-cluster[3,1,64]", .faults = anywhere, .n_faults = 1,
              .task_max_failures = 100, .stage_max_attempts = 100 } },
        { "many", many_scene, { .threads = 2 } },
    };
    if (argc < 3)
        return fputs("usage: views DIR TEXT [SCENE]\n", stderr), 2;
    for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++) {
        char path[600];
        if (argc > 3 && strcmp(argv[3], scenes[i].name) != 0)
            continue;
        spark_conf conf = scenes[i].conf;
        conf.app_name = strcmp(scenes[i].name, "hostile") == 0
            ? "\"\\</title><script>alert(1)</script>&amp;\x01\x1f\x7f\x80\xff\xc3\xa4 \xe2\x82\xac \xe2\x82"
            : scenes[i].name;
        spark_context *sc = spark_context_new(&conf);
        snprintf(path, sizeof path, "%s/%s.html", argv[1], scenes[i].name);
        must(spark_report(sc, path));
        snprintf(path, sizeof path, "%s/%s.json", argv[1], scenes[i].name);
        must(spark_trace(sc, path));
        if (strcmp(scenes[i].name, "hostile") == 0)
            must(spark_log(sc, &(spark_log_options) { .level = SPARK_LOG_TRACE }));
        snprintf(path, sizeof path, "%s/%s", argv[1], scenes[i].name);
        plans = path;
        scenes[i].run(sc, argv[2]);
        spark_context_free(sc);
    }
    return 0;
}
