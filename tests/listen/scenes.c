/* SPDX-License-Identifier: Apache-2.0 */
/* Applications whose event logs are looked at: scenes DIR EXPECTED TEXT [SCENE] writes their logs into DIR, and into
 * EXPECTED, as JSON, what the library's own counters say of each. With a scene as the last argument only
 * that one runs; "killed" ends itself by SIGKILL in the middle, "endless" has no end. */
#include <inttypes.h>
#include <signal.h>
#include <spark.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

SPARK_PAIR(word_count, spark_str, int64_t);
SPARK_PAIR(i64_pair, int64_t, int64_t);

typedef struct counters {
    const spark_accumulator *lines, *bytes;
} counters;

SPARK_FLAT_MAP(split_words, spark_str, word_count, counters)
{
    spark_accumulate(task, env->lines, 1);
    spark_accumulate_f64(task, env->bytes, (double)in->len / 2);
    spark_str line = *in, word;
    while (spark_str_next_word(&line, &word))
        spark_emit(out, (word_count) { word, 1 });
}
SPARK_MAP(to_line, word_count, spark_str)
{
    *out = spark_str_concat(task, spark_str_format(task, "%" PRId64 "\t", in->value), in->key);
}
SPARK_MAP(to_pair, int64_t, i64_pair)
{
    *out = (i64_pair) { *in % 1000, *in };
}
SPARK_MAP(value_of, i64_pair, int64_t)
{
    *out = in->value / 7 + in->key;
}
SPARK_MAP(refuses, int64_t, int64_t, int64_t)
{
    if (*in == *env)
        spark_fail(task, "the number %" PRId64 " is <b>not</b> \"liked\" \\ \x01 \xff \xc3\xa4", *in);
    *out = *in;
}
SPARK_MAP(naps, int64_t, int64_t, int64_t)
{
    (void)task;
    nanosleep(&(struct timespec) { 0, (long)*env * 1000000 }, NULL);
    *out = *in;
}

typedef struct scene {
    spark_context *sc;
    FILE *expected;
    const char *scratch;
} scene;

static void must(spark_status status)
{
    if (status != SPARK_OK)
        exit(spark_complain("scenes"));
}

static void word_count_scene(scene *s, char **files)
{
    char path[512];
    snprintf(path, sizeof path, "%s/words", s->scratch);
    spark_set_job_group(s->sc, "words", "count the words \"of\" <a> text & save them");
    spark_rdd *lines = spark_text_file(s->sc, files[0], 4);
    const counters c = { spark_counter(s->sc, "lines \"read\""), spark_float_counter(s->sc, "half of the bytes") };
    spark_rdd *words = spark_flat_map(lines, split_words, SPARK_COPY(c));
    spark_rdd *counts = spark_reduce_by_key(words, spark_op_sum, NULL, 3);
    must(spark_save_as_text_file(spark_map(counts, to_line, NULL), path));
    spark_array top;
    must(spark_collect(counts, NULL, &top));
    spark_array_free(&top);
}

static void failures_scene(scene *s, char **files)
{
    int64_t n;
    (void)files;
    spark_rdd *numbers = spark_range(s->sc, 0, 10000, 1, 8);
    spark_rdd *bad = spark_map(numbers, refuses, SPARK_COPY((int64_t) { 6000 }));
    if (spark_count(bad, &n) == SPARK_OK)
        exit(1);
    spark_rdd *sums = spark_reduce_by_key(spark_map(numbers, to_pair, NULL), spark_op_sum, NULL, 6);
    must(spark_count(sums, &n));
    must(spark_kill_executor(s->sc, "1", "it was \"in the way\""));
    must(spark_count(spark_map(sums, value_of, NULL), &n));
}

static void cached_scene(scene *s, char **files)
{
    static const spark_level levels[] = { SPARK_MEMORY_ONLY, SPARK_MEMORY_AND_DISK, SPARK_MEMORY_ONLY_SER,
        SPARK_MEMORY_AND_DISK_SER, SPARK_DISK_ONLY };
    int64_t n;
    (void)files;
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        char name[32];
        snprintf(name, sizeof name, "at level %zu", i);
        spark_rdd *rdd = spark_map(spark_range(s->sc, 0, 200000, 1, 4), to_pair, NULL);
        spark_set_job_description(s->sc, name);
        spark_rdd_set_name(rdd, name);
        spark_persist(rdd, levels[i]);
        must(spark_count(rdd, &n));
        must(spark_count(spark_map(rdd, value_of, NULL), &n));
    }
    spark_rdd *gone = spark_cache(spark_range(s->sc, 0, 100, 1, 2));
    must(spark_count(gone, &n));
    spark_unpersist(gone);
}

static void rounds_scene(scene *s, char **files)
{
    must(spark_count_hardware(s->sc, NULL));
    spark_rdd *values = spark_map(spark_map(spark_range(s->sc, 0, 5000, 1, 4), to_pair, NULL), value_of, NULL);
    (void)files;
    for (int round = 0; round < 6; round++) {
        SPARK_SCOPED(s->sc);
        char text[32];
        int64_t n;
        snprintf(text, sizeof text, "round %d", round);
        spark_set_job_description(s->sc, text);
        spark_rdd *sums = spark_reduce_by_key(spark_map(values, to_pair, NULL), spark_op_sum, NULL, 4);
        spark_rdd *next = spark_cache(spark_map(sums, value_of, NULL));
        must(spark_count(next, &n));
        spark_rdd_replace(&values, next);
    }
}

static void speculation_scene(scene *s, char **files)
{
    int64_t n;
    (void)files;
    must(spark_count(spark_map(spark_range(s->sc, 0, 64, 1, 16), naps, SPARK_COPY((int64_t) { 2 })), &n));
}

/* asked: the rows of a statement, whose job is to end so. */
static void asked(const scene *s, const char *text, spark_status status)
{
    spark_array rows;
    if (spark_collect(spark_sql(s->sc, text), NULL, &rows) != status)
        exit(spark_complain("scenes"));
    if (status == SPARK_OK)
        spark_array_free(&rows);
}

/* sql_scene: queries of several jobs, one that takes rounds, one that fails, one below other operations; and statements
 * that run jobs. */
static void sql_scene(scene *s, char **files)
{
    spark_array rows;
    int64_t n;
    (void)files;
    spark_rdd *pairs = spark_map(spark_range(s->sc, 0, 20000, 1, 8), to_pair, NULL);
    must(spark_create_temp_view(s->sc, "pairs", pairs));
    asked(s, "SELECT key % 10 AS k, count(*) AS n, sum(value) AS v\nFROM pairs WHERE value > 7 GROUP BY 1 ORDER BY n "
             "DESC, k", SPARK_OK);
    asked(s, "SELECT a.key, b.value FROM pairs a JOIN (SELECT key, max(value) AS value FROM pairs GROUP BY key) b "
             "ON a.key = b.key WHERE a.value < 100", SPARK_OK);
    must(spark_take(spark_sql(s->sc, "SELECT * FROM pairs WHERE key = 999"), 15, NULL, &rows));
    spark_array_free(&rows);
    asked(s, "SELECT 1 / (key - 5) AS `</script><b>` FROM pairs -- \x01 \xff", SPARK_ETASK);
    asked(s, "SELECT no_such_column FROM pairs", SPARK_EINVAL);
    must(spark_rdd_status(spark_sql(s->sc, "CREATE TABLE large AS SELECT key FROM pairs WHERE value > 19000")));
    asked(s, "SELECT * FROM large UNION ALL SELECT 7", SPARK_OK);
    asked(s, "SELECT 1", SPARK_OK);
    spark_set_job_description(s->sc, "the largest <b>keys</b>");
    must(spark_count(spark_distinct(spark_sql(s->sc, "SELECT key FROM pairs ORDER BY key DESC LIMIT 30"), 0), &n));
    if (n != 2)
        exit(1);
    must(spark_rdd_status(spark_sql(s->sc, "INSERT INTO large SELECT max(key) FROM pairs GROUP BY value % 3")));
    must(spark_rdd_status(spark_sql(s->sc, "CACHE TABLE large")));
    asked(s, "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 4) SELECT n FROM r", SPARK_OK);
    asked(s, "SELECT count(*) FROM large", SPARK_OK);
}

/* hostile_scene: texts that are to do no harm, and are long. */
static void hostile_scene(scene *s, char **files)
{
    enum { LONG = 10 << 20 };
    char *text = malloc(LONG + 1), bytes[256];
    int64_t n;
    (void)files;
    for (int i = 0; i < 255; i++)
        bytes[i] = (char)(i + 1);
    bytes[255] = '\0';
    if (!text)
        exit(1);
    memset(text, '"', LONG);
    text[LONG] = '\0';
    spark_set_job_group(s->sc, bytes, text);
    spark_rdd *rdd = (spark_range)("a \"file\"\n</script>\xf0\x9f.c:7", s->sc, 0, 100, 1, 2);
    spark_rdd_set_name(rdd, "<img src=x onerror=alert(1)> \xed\xa0\x80 \xc3");
    spark_persist(rdd, SPARK_MEMORY_ONLY);
    must(spark_count(rdd, &n));
    spark_unpersist(rdd);
    free(text);
}

/* bar_scene: says something as soon as the action has returned. */
static void bar_scene(scene *s, char **files)
{
    int64_t n;
    (void)files;
    must(spark_show_progress(s->sc, NULL));
    must(spark_count(spark_map(spark_range(s->sc, 0, 200, 1, 200), naps, SPARK_COPY((int64_t) { 12 })), &n));
    fputs("counted\n", stderr);
    must(spark_count(spark_range(s->sc, 0, 200, 1, 200), &n));
}

/* gone_scene: the directory of logs goes while it runs. */
static void gone_scene(scene *s, char **files)
{
    char command[600];
    int64_t n;
    must(spark_count(spark_range(s->sc, 0, 200, 1, 20), &n));
    snprintf(command, sizeof command, "rm -rf %s", files[1]);
    if (system(command) != 0)
        exit(1);
    must(spark_count(spark_range(s->sc, 0, 200, 1, 20), &n));
}

/* endless_scene: until it is killed. */
static void endless_scene(scene *s, char **files)
{
    for (;;)
        rounds_scene(s, files);
}

static void killed_scene(scene *s, char **files)
{
    int64_t n;
    (void)files;
    must(spark_count(spark_range(s->sc, 0, 100, 1, 5), &n));
    spark_future *f = spark_count_async(
        spark_map(spark_range(s->sc, 0, 100000, 1, 100), naps, SPARK_COPY((int64_t) { 1 })));
    nanosleep(&(struct timespec) { 0, 400000000 }, NULL);
    (void)f;
    kill(getpid(), SIGKILL);
}

static void tell_jobs(const scene *s)
{
    spark_job_stats j;
    for (int job = 0; spark_job_stats_get(s->sc, job, &j) == SPARK_OK; job++)
        fprintf(s->expected,
            "%s{\"job\":%d,\"stages\":%d,\"skipped\":%d,\"attempts\":%d,\"tasks\":%" PRId64 ",\"failed\":%" PRId64
            ",\"lost\":%" PRId64 ",\"disowned\":%" PRId64 ",\"copies\":%" PRId64 ",\"shuffle_rows\":%" PRId64
            ",\"shuffle_bytes\":%" PRId64 ",\"spilled\":%" PRId64 ",\"cached_reads\":%" PRId64 "}",
            job > 0 ? "," : "", j.job, j.stages, j.skipped_stages, j.stage_attempts, j.tasks, j.failed_tasks,
            j.lost_inputs, j.disowned_tasks, j.speculative_tasks, j.shuffle_rows, j.shuffle_bytes, j.spilled_bytes,
            j.cached_reads);
}

static void tell_executors(const scene *s)
{
    spark_executor_info e[64];
    const size_t n = spark_executors(s->sc, e, 64);
    for (size_t i = 0; i < n && i < 64; i++)
        fprintf(s->expected,
            "%s{\"id\":\"%s\",\"alive\":%s,\"threads\":%d,\"memory\":%" PRIu64 ",\"done\":%" PRId64
            ",\"failed\":%" PRId64 ",\"blocks\":%" PRId64 "}",
            i > 0 ? "," : "", e[i].id, e[i].state == SPARK_EXECUTOR_ALIVE ? "true" : "false", e[i].threads,
            e[i].memory_limit, e[i].tasks_run, e[i].tasks_failed, e[i].blocks);
}

static void tell_storage(const scene *s)
{
    spark_storage_info r[64];
    const size_t n = spark_storage_infos(s->sc, r, 64);
    for (size_t i = 0; i < n && i < 64; i++)
        fprintf(s->expected,
            "%s{\"rdd\":%d,\"name\":\"%s\",\"level\":\"%s\",\"partitions\":%d,\"cached\":%d,\"memory\":%" PRIu64
            ",\"disk\":%" PRIu64 "}",
            i > 0 ? "," : "", r[i].rdd, r[i].name ? r[i].name : "", spark_level_name(r[i].level), r[i].partitions,
            r[i].cached_partitions, r[i].memory_bytes, r[i].disk_bytes);
}

/* ---- metrics, as the library keeps them */

static void tell_totals(const scene *s, const spark_attempt_totals *t)
{
    fprintf(s->expected,
        "\"running\":%" PRId64 ",\"succeeded\":%" PRId64 ",\"failed\":%" PRId64 ",\"killed\":%" PRId64
        ",\"retries\":%" PRId64 ",\"speculative\":%" PRId64 ",\"localities\":[%" PRId64 ",%" PRId64 ",%" PRId64
        ",%" PRId64 "],\"sum\":",
        t->running, t->succeeded, t->failed + t->fetch_failed + t->executor_lost, t->killed, t->retries,
        t->speculative, t->process_local, t->node_local, t->no_pref, t->any);
}

static void tell_figures(const scene *s, const spark_task_metrics *m)
{
    fprintf(s->expected,
        "{\"run_ns\":%" PRId64 ",\"executorCpuTime\":%" PRId64 ",\"resultSize\":%" PRId64
        ",\"memoryBytesSpilled\":%" PRId64 ",\"diskBytesSpilled\":%" PRId64 ",\"peakExecutionMemory\":%" PRId64
        ",\"inputBytes\":%" PRId64 ",\"inputRecords\":%" PRId64 ",\"outputBytes\":%" PRId64
        ",\"outputRecords\":%" PRId64 ",\"shuffleLocalBlocksFetched\":%" PRId64
        ",\"shuffleRemoteBlocksFetched\":%" PRId64 ",\"shuffleLocalBytesRead\":%" PRId64
        ",\"shuffleRemoteBytesRead\":%" PRId64 ",\"shuffleReadRecords\":%" PRId64 ",\"shuffleWriteBytes\":%" PRId64
        ",\"shuffleWriteRecords\":%" PRId64 ",\"page faults\":%" PRId64 "}",
        m->run_ns, m->cpu_ns, m->result_bytes, m->memory_spilled_bytes, m->disk_spilled_bytes, m->peak_memory_bytes,
        m->input_bytes, m->input_rows, m->output_bytes, m->output_rows, m->shuffle_read_local_blocks,
        m->shuffle_read_remote_blocks, m->shuffle_read_local_bytes, m->shuffle_read_remote_bytes,
        m->shuffle_read_rows, m->shuffle_write_bytes, m->shuffle_write_rows, m->page_faults);
}

static void tell_stage_metrics(const scene *s)
{
    static const double at[] = { 0, 0.05, 0.25, 0.5, 0.75, 0.95, 1 };
    enum { MOST = 1000, QUANTILES = sizeof at / sizeof *at };
    static spark_stage_attempt ids[MOST];
    const size_t n = spark_metrics_stages(s->sc, SPARK_ANY, ids, MOST);
    for (size_t i = 0; i < n && i < MOST; i++) {
        spark_task_metrics values[QUANTILES];
        spark_stage_metrics m;
        must(spark_metrics_of_stage(s->sc, ids[i].stage, ids[i].attempt, &m));
        fprintf(s->expected, "%s{\"stage\":%d,\"attempt\":%d,\"job\":%d,\"state\":%d,\"tasks\":%d,", i > 0 ? "," : "",
            m.id, m.attempt, m.job, (int)m.state, m.tasks);
        tell_totals(s, &m.attempts);
        tell_figures(s, &m.attempts.sum);
        fprintf(s->expected, ",\"quantiles\":[");
        const bool any = spark_metrics_quantiles(s->sc, m.id, m.attempt, at, QUANTILES, values) == SPARK_OK;
        for (int q = 0; q < QUANTILES && any; q++) {
            fputs(q > 0 ? "," : "", s->expected);
            tell_figures(s, &values[q]);
        }
        fprintf(s->expected, "]}");
    }
}

static void tell_job_metrics(const scene *s)
{
    int ids[64];
    const size_t n = spark_metrics_jobs(s->sc, ids, 64);
    for (size_t i = 0; i < n && i < 64; i++) {
        spark_job_metrics m;
        must(spark_metrics_of_job(s->sc, ids[i], &m));
        fprintf(s->expected,
            "%s{\"job\":%d,\"state\":%d,\"stages\":%d,\"skipped\":%d,\"attempts\":%d,\"failed_stages\":%d,"
            "\"tasks\":%" PRId64 ",",
            i > 0 ? "," : "", m.id, (int)m.state, m.stages, m.skipped_stages, m.stage_attempts, m.failed_stages,
            m.tasks);
        tell_totals(s, &m.attempts);
        tell_figures(s, &m.attempts.sum);
        fprintf(s->expected, "}");
    }
}

static void tell_executor_metrics(const scene *s)
{
    static spark_executor_metrics m[64];
    const size_t n = spark_metrics_executors(s->sc, m, 64);
    for (size_t i = 0; i < n && i < 64; i++) {
        fprintf(s->expected, "%s{\"id\":\"%s\",\"alive\":%s,\"threads\":%d,", i > 0 ? "," : "", m[i].id,
            m[i].removed_time == 0 ? "true" : "false", m[i].threads);
        tell_totals(s, &m[i].attempts);
        tell_figures(s, &m[i].attempts.sum);
        fprintf(s->expected, "}");
    }
}

static void tell_metrics(const scene *s)
{
    fprintf(s->expected, ",\"metrics\":{\"stages\":[");
    tell_stage_metrics(s);
    fprintf(s->expected, "],\"jobs\":[");
    tell_job_metrics(s);
    fprintf(s->expected, "],\"executors\":[");
    tell_executor_metrics(s);
    fprintf(s->expected, "]}");
}

int main(int argc, char **argv)
{
    static const spark_fault slow[] = { { SPARK_FAULT_DELAY, .job = 0, .stage = 0, .partition = 3, .attempt = 0,
        .delay_ms = 700 } };
    const struct {
        const char *name;
        void (*run)(scene *s, char **files);
        spark_conf conf;
    } scenes[] = {
        { "word count", word_count_scene, { .threads = 2 } },
        { "failures \"and\" <losses>", failures_scene, { .master = "local-cluster[3,1,64]", .task_max_failures = 3 } },
        { "cached", cached_scene, { .threads = 2, .memory_bytes = 64 << 20 } },
        { "rounds", rounds_scene, { .threads = 2 } },
        { "speculation", speculation_scene, { .master = "local-cluster[2,2,64]", .faults = slow, .n_faults = 1,
              .speculation = { .on = true, .quantile = 0.5, .multiplier = 1.5 } } },
        { "sql", sql_scene, { .threads = 2 } },
        { "hostile", hostile_scene, { .threads = 2 } },
        { "killed", killed_scene, { .threads = 2 } },
        { "bar", bar_scene, { .threads = 2 } },
        { "gone", gone_scene, { .threads = 2 } },
        { "endless", endless_scene, { .threads = 2 } },
    };
    enum { ALWAYS = 7 }; /* the others run when they are named */
    const char *only = argc > 4 ? argv[4] : NULL;
    if (argc < 4)
        return fputs("usage: scenes LOGS EXPECTED TEXT [SCENE]\n", stderr), 2;
    FILE *expected = fopen(argv[2], "a");
    char scratch[] = "/tmp/scenes-XXXXXX", command[64];
    if (!expected || !mkdtemp(scratch))
        return perror(argv[2]), 1;
    for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++) {
        if (only ? strcmp(only, scenes[i].name) != 0 : i >= ALWAYS)
            continue;
        spark_conf conf = scenes[i].conf;
        conf.app_name = strcmp(scenes[i].name, "hostile") == 0
            ? "\"\\</script><b>\x01\x1f\x7f\x80\xff\xc3\xa4 \xe2\x82\xac \xe2\x82"
            : scenes[i].name;
        scene s = { spark_context_new(&conf), expected, scratch };
        must(spark_event_log(s.sc, argv[1]));
        must(spark_keep_metrics(s.sc, NULL));
        char *files[] = { argv[3], argv[1] };
        scenes[i].run(&s, files);
        fprintf(expected, "{\"scene\":%zu,\"jobs\":[", i);
        tell_jobs(&s);
        fprintf(expected, "],\"executors\":[");
        tell_executors(&s);
        fprintf(expected, "],\"storage\":[");
        tell_storage(&s);
        fprintf(expected, "]");
        tell_metrics(&s);
        fprintf(expected, "}\n");
        spark_context_free(s.sc);
    }
    snprintf(command, sizeof command, "rm -rf %s", scratch);
    return fclose(expected) != 0 || system(command) != 0;
}
