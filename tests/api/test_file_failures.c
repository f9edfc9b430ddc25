/* SPDX-License-Identifier: Apache-2.0 */
/* Files that fail: works that use files run again and again while the n-th call of a kind fails,
 * for n = 1, 2, 3, ... until it is not reached any more; once, and from there on all. A work gives
 * the right answer or an error that names the file, leaves nothing behind, and goes well on the
 * same context afterwards. */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>

/* In memory, for saves wait for the disk; but the local directory, which may not be there. */
#define SCRATCH_IN_MEMORY 1
#include "file_test.h"

enum { LINES = 60, FILES = 3, THREADS = 2, MOST = 3000, SECONDS = 60 };

SPARK_PAIR(str_pair, spark_str, int64_t);
SPARK_PAIR(file, spark_str, spark_str);

SPARK_FLAT_MAP(words, spark_str, spark_str)
{
    spark_str line = *in, word;
    while (spark_str_next_word(&line, &word))
        if (!spark_emit(out, word))
            return;
}
SPARK_MAP(to_pair, int64_t, str_pair)
{
    *out = (str_pair) { spark_str_format(task, "key %d", (int)(*in % 701)), *in };
}
SPARK_MAP(to_long_pair, int64_t, str_pair)
{
    *out = (str_pair) { spark_str_format(task, "%02000d", (int)(*in % 9973)), *in };
}
SPARK_MAP(bytes_of, str_pair, int64_t)
{
    *out = (int64_t)(in->key.len) + in->value;
}
SPARK_MAP(measure, file, int64_t)
{
    *out = (int64_t)(in->key.len * 1000 + in->value.len);
}

/* ---- works: each digests its answer */

static uint64_t digest_of(const spark_array *array)
{
    char *text = oracle_listing(array, false);
    uint64_t h = array->n + 1;
    for (const char *p = text; *p; p++)
        h = (h ^ (unsigned char)*p) * 0x100000001b3u;
    free(text);
    return h;
}

static spark_status collected(spark_rdd *rdd, uint64_t *digest)
{
    spark_array array;
    const spark_status status = spark_collect(rdd, NULL, &array);
    if (status == SPARK_OK) {
        *digest = digest_of(&array);
        spark_array_free(&array);
    }
    return status;
}

static spark_status text_read(spark_context *sc, uint64_t *digest)
{
    return collected(spark_flat_map(spark_text_file(sc, "in/*.txt,more", 5), words, NULL), digest);
}

/* Compressed ones, where there is a program that makes them; each is read through a program. */
static spark_status packed_read(spark_context *sc, uint64_t *digest)
{
    return collected(spark_text_file(sc, "packed", 2), digest);
}

static spark_status commands_read(spark_context *sc, uint64_t *digest)
{
    static const char *const argv[] = { "cat", "more", NULL };
    const spark_command commands[] = { { .argv = argv }, { .argv = argv } };
    return collected(spark_text_commands(sc, 2, commands), digest);
}

static spark_status whole_files(spark_context *sc, uint64_t *digest)
{
    return collected(spark_map(spark_whole_text_files(sc, "in", 2), measure, NULL), digest);
}

static spark_status stream_read(spark_context *sc, uint64_t *digest)
{
    int fds[2];
    if (pipe(fds) != 0)
        return SPARK_EIO;
    for (int i = 0; i < LINES; i++)
        dprintf(fds[1], "line %d of a pipe\n", i);
    close(fds[1]);
    spark_rdd *rdd = spark_text_fd(sc, fds[0], 3);
    close(fds[0]);
    return collected(rdd, digest);
}

static spark_rdd *some_pairs(spark_context *sc)
{
    return spark_map(spark_range(sc, 0, 500, 1, 3), to_pair, NULL);
}

static bool saved; /* the output is there: what fails then is the reading */

static spark_status text_saved(spark_context *sc, uint64_t *digest)
{
    const spark_status status = spark_save_as_text_file(some_pairs(sc), "out");
    saved = status == SPARK_OK;
    return status == SPARK_OK ? collected(spark_text_file(sc, "out", 3), digest) : status;
}

static spark_status objects_saved(spark_context *sc, uint64_t *digest)
{
    const spark_status status = spark_save_as_object_file(some_pairs(sc), "deep/er/out");
    saved = status == SPARK_OK;
    return status == SPARK_OK
        ? collected(spark_object_file(sc, "deep/er/out", SPARK_TYPE(str_pair)), digest)
        : status;
}

static spark_status json_saved(spark_context *sc, uint64_t *digest)
{
    const spark_status status = spark_write_json(some_pairs(sc), "out", NULL);
    saved = status == SPARK_OK;
    return status == SPARK_OK ? collected(spark_read_json(sc, "out", NULL, NULL), digest) : status;
}

static spark_status json_whole(spark_context *sc, uint64_t *digest)
{
    const spark_json_options whole = { .multi_line = true, .mode = SPARK_DROPMALFORMED };
    return collected(spark_read_json(sc, "in", SPARK_TYPE(str_pair), &whole), digest);
}

static spark_status recoded(spark_context *sc, uint64_t *digest)
{
    const spark_csv_options wide = { .encoding = "UTF-16" };
    const spark_status status = spark_write_csv(some_pairs(sc), "out", &wide);
    saved = status == SPARK_OK;
    return status == SPARK_OK ? collected(spark_read_csv(sc, "out", SPARK_TYPE(str_pair), &wide), digest) : status;
}

SPARK_MAP(to_third, int64_t, str_pair)
{
    *out = (str_pair) { spark_str_format(task, "key %d", (int)(*in % 3)), *in };
}

static int64_t found_lines, found_sum;

/* add_file: the lines of a part, and the sum of the numbers at their ends. */
static int add_file(const char *path, const struct stat *info, int kind, struct FTW *at)
{
    char line[100];
    (void)info;
    if (kind != FTW_F || strncmp(path + at->base, "part-", 5) != 0 || strstr(path, "/_"))
        return 0;
    FILE *from = fopen(path, "r");
    assert_non_null(from);
    for (; fgets(line, sizeof line, from); found_lines++)
        found_sum += atoi(strchr(line, ',') ? strchr(line, ',') + 1 : line);
    fclose(from);
    return 0;
}

/* is_whole: "out" holds the first save, or what the second one has made of it. Read without the library,
 * whose calls fail. */
static bool is_whole(spark_save_mode second)
{
    enum { N = 30, FIRST = 435, SECOND = 3435 };
    const bool adds = second == SPARK_SAVE_APPEND;
    found_lines = found_sum = 0;
    nftw("out", add_file, 16, FTW_PHYS);
    return (found_lines == N && found_sum == FIRST)
        || (found_lines == (adds ? 2 * N : N) && found_sum == (adds ? FIRST + SECOND : SECOND));
}

/* saved_twice: the second time as it says. */
static spark_status saved_twice(
    spark_context *sc, uint64_t *digest, const spark_save_options *second)
{
    const spark_csv_options csv = { .save = { .compression = second->compression,
                                        .partition_by = second->partition_by } };
    const spark_csv_options more = { .save = *second };
    spark_status status
        = spark_write_csv(spark_map(spark_range(sc, 0, 30, 1, 2), to_third, NULL), "out", &csv);
    saved = status == SPARK_OK;
    if (status != SPARK_OK)
        return status;
    status = spark_write_csv(
        spark_map(spark_range(sc, 100, 130, 1, 2), to_third, NULL), "out", &more);
    if (!second->compression && !is_whole(second->mode)
        && access("out/_temporary", F_OK) != 0) /* which the next save puts in order */
        fail_msg("a part of what was saved: %lld lines, %lld: %s", (long long)found_lines,
            (long long)found_sum, spark_last_error()->message);
    if (status != SPARK_OK || second->partition_by)
        return status;
    return collected(spark_text_file(sc, "out", 1), digest);
}

static spark_status overwritten(spark_context *sc, uint64_t *digest)
{
    return saved_twice(sc, digest, &(spark_save_options) { .mode = SPARK_SAVE_OVERWRITE });
}

static spark_status appended_to_directories(spark_context *sc, uint64_t *digest)
{
    return saved_twice(sc, digest,
        &(spark_save_options) { .mode = SPARK_SAVE_APPEND, .partition_by = SPARK_COLUMNS("key") });
}

static spark_status saved_packed(spark_context *sc, uint64_t *digest)
{
    return saved_twice(sc, digest,
        &(spark_save_options) { .mode = SPARK_SAVE_APPEND, .compression = "gzip" });
}

static spark_status checkpointed(spark_context *sc, uint64_t *digest)
{
    const spark_status status = spark_set_checkpoint_dir(sc, "kept");
    if (status != SPARK_OK)
        return status;
    spark_rdd *rdd = spark_checkpoint(spark_reduce_by_key(some_pairs(sc), spark_op_sum, NULL, 2));
    return collected(spark_map(rdd, bytes_of, NULL), digest);
}

static spark_status checkpointed_locally(spark_context *sc, uint64_t *digest)
{
    spark_rdd *rdd = spark_local_checkpoint(some_pairs(sc));
    int64_t n = 0;
    const spark_status status = spark_count(rdd, &n);
    return status == SPARK_OK ? collected(spark_distinct(rdd, 2), digest) : status;
}

static spark_status piped(spark_context *sc, uint64_t *digest)
{
    return collected(spark_pipe(spark_text_file(sc, "in/a0.txt", 2), "cat"), digest);
}

static spark_status spilled(spark_context *sc, uint64_t *digest)
{
    spark_rdd *rdd = spark_map(spark_range(sc, 0, 4000, 1, 8), to_long_pair, NULL);
    spark_array sum;
    spark_status status = spark_reduce(
        spark_map(spark_repartition(rdd, 16), bytes_of, NULL), spark_op_sum, NULL, NULL, &sum);
    if (status != SPARK_OK)
        return status;
    *digest = digest_of(&sum);
    spark_array_free(&sum);
    return SPARK_OK;
}

static const struct work {
    const char *name;
    spark_status (*run)(spark_context *sc, uint64_t *digest);
    uint64_t memory; /* spark_conf.memory_bytes */
    unsigned few;        /* where there are many calls: the next is so many per cent later */
} works[] = {
    { "text_file", text_read, 0, 0 },
    { "text_file of .gz", packed_read, 0, 0 },
    { "text_commands", commands_read, 0, 0 },
    { "whole_text_files", whole_files, 0, 0 },
    { "text_fd of a pipe", stream_read, 0, 0 },
    { "save_as_text_file", text_saved, 0, 0 },
    { "save_as_object_file", objects_saved, 0, 0 },
    { "write_json and read_json", json_saved, 0, 0 },
    { "read_json of whole files", json_whole, 0, 0 },
    { "write_csv and read_csv in UTF-16", recoded, 0, 0 },
    { "save, overwriting", overwritten, 0, 20 },
    { "save, appending", appended_to_directories, 0, 30 },
    { "save through gzip", saved_packed, 0, 30 },
    { "checkpoint", checkpointed, 0, 0 },
    { "local_checkpoint", checkpointed_locally, 0, 0 },
    { "pipe", piped, 0, 0 },
    { "repartition that spills", spilled, 10 << 20, 300 },
};

static const struct kind {
    spark_fault_kind kind;
    const char *name;
    int error;
    size_t most;
} kinds[] = {
    { SPARK_FAULT_OPEN, "open", EMFILE, 0 },
    { SPARK_FAULT_READ, "read", EIO, 0 },
    { SPARK_FAULT_READ, "interrupted read", EINTR, 0 },
    { SPARK_FAULT_READ, "short read", 0, 1 },
    { SPARK_FAULT_WRITE, "write", ENOSPC, 0 },
    { SPARK_FAULT_WRITE, "interrupted write", EINTR, 0 },
    { SPARK_FAULT_WRITE, "short write", 0, 3 },
    { SPARK_FAULT_FSYNC, "fsync", EIO, 0 },
    { SPARK_FAULT_RENAME, "rename", EACCES, 0 },
    { SPARK_FAULT_CLOSE, "close", EDQUOT, 0 },
    { SPARK_FAULT_REMOVE, "remove", EBUSY, 0 },
    { SPARK_FAULT_IO, "any call", ENFILE, 0 },
    { SPARK_FAULT_THREAD, "thread", EAGAIN, 0 },
    { SPARK_FAULT_CORRUPT, "corrupt", 0, 0 },
    { SPARK_FAULT_ALLOC, "allocation", ENOMEM, 0 },
};

/* ---- one run */

typedef struct run {
    const struct work *work;
    const struct kind *kind;
    uint64_t n;
    bool ever;
} run;

static char running[200], local[32];

static void hangs(int signal)
{
    (void)signal;
    const ssize_t written = write(STDERR_FILENO, running, strlen(running));
    (void)written;
    abort();
}

static void wrong(const run *r, const char *what)
{
    fail_msg("%s: %s %llu fails%s: %s (%s)", r->work->name, r->kind->name,
        (unsigned long long)r->n, r->ever ? " and all after it" : "", what,
        spark_last_error()->message);
}

static void remove_outputs(void)
{
    const char *const made[] = { "out", "deep", "kept", local };
    for (size_t i = 0; i < LENGTH(made); i++)
        nftw(made[i], scratch_remove, 16, FTW_DEPTH | FTW_PHYS);
    assert_int_equal(mkdir(local, 0777), 0);
}

static spark_context *context_of(const struct work *work, const spark_fault *fault, int threads)
{
    return oracle_open_conf(&(spark_conf) { .threads = threads,
        .local_dir = local,
        .memory_bytes = work->memory,
        .faults = fault,
        .n_faults = fault != NULL });
}

static spark_status do_work(const struct work *work, spark_context *sc, uint64_t *digest)
{
    SPARK_SCOPED(sc);
    *digest = 0;
    saved = false;
    return work->run(sc, digest);
}

/* cleans_up: what such a failure may keep the library from removing need not be gone. */
static bool cleans_up(const run *r)
{
    const spark_fault_kind k = r->kind->kind;
    return k != SPARK_FAULT_REMOVE
        && !(r->ever && (k == SPARK_FAULT_OPEN || k == SPARK_FAULT_READ || k == SPARK_FAULT_IO));
}

static void look_at_error(const run *r, spark_status status)
{
    const spark_error *error = spark_last_error();
    if (error->code != status || !*error->message)
        wrong(r, "no error");
    if (r->kind->error && r->kind->kind != SPARK_FAULT_THREAD && status != SPARK_ENOMEM
        && !strstr(error->message, strerror(r->kind->error)))
        wrong(r, "the message does not give the reason");
    if (!saved && cleans_up(r)
        && (access("out", F_OK) == 0 || access("deep/er/out", F_OK) == 0))
        wrong(r, "the output is left behind");
}

/* one_run: true: the plan struck. */
static bool one_run(const run *r, uint64_t wanted, int threads)
{
    uint64_t digest;
    const int files = oracle_entries("/proc/self/fd");
    const spark_fault fault = { r->kind->kind, SPARK_ANYWHERE, .nth = r->n,
        .times = r->ever ? SPARK_ANY : 1, .error = r->kind->error, .most = r->kind->most };
    snprintf(running, sizeof running, "%s: %s %llu fails%s: hangs\n", r->work->name, r->kind->name,
        (unsigned long long)r->n, r->ever ? " and all after it" : "");
    alarm(SECONDS);
    spark_context *sc = context_of(r->work, &fault, threads);
    spark_status status = do_work(r->work, sc, &digest);
    const bool struck = spark_faults_struck(sc) > 0;
    if (status == SPARK_OK ? digest != wanted : !struck)
        wrong(r, status == SPARK_OK ? "a wrong answer" : "fails without a fault");
    if (status != SPARK_OK)
        look_at_error(r, status);
    spark_faults_enable(sc, false);
    nftw("out", scratch_remove, 16, FTW_DEPTH | FTW_PHYS);
    nftw("deep", scratch_remove, 16, FTW_DEPTH | FTW_PHYS);
    if (spark_context_threads(sc) > 0
        && (do_work(r->work, sc, &digest) != SPARK_OK || digest != wanted))
        wrong(r, "the context is not usable afterwards");
    oracle_close(sc);
    if (oracle_entries("/proc/self/fd") != files)
        wrong(r, "a file stays open");
    if (oracle_entries(local) != 2 && cleans_up(r))
        wrong(r, "something is left in the local directory");
    remove_outputs();
    alarm(0);
    return struck;
}

static uint64_t undisturbed(const struct work *work)
{
    uint64_t digest;
    spark_context *sc = context_of(work, NULL, 1);
    if (do_work(work, sc, &digest) != SPARK_OK)
        fail_msg("%s: %s", work->name, spark_last_error()->message);
    oracle_close(sc);
    remove_outputs();
    return digest;
}

/* every_call: until the n-th is not reached. Returns how many there are. Under a sanitizer each of the first ten
 * and then ever fewer: who finds that a call fails is no other than before. */
static uint64_t every_call(run *r, uint64_t wanted)
{
    const unsigned few = TESTS_ARE_SLOW && r->work->few < 10 ? 10 : r->work->few;
    for (r->n = 1; r->n < MOST && one_run(r, wanted, 1); r->n += 1 + r->n * few / 100)
        ;
    if (r->n >= MOST)
        wrong(r, "there is no end");
    return r->n - 1;
}

static void make_inputs(void)
{
    char name[32];
    assert_int_equal(mkdir("in", 0777), 0);
    for (int f = 0; f <= FILES; f++) {
        snprintf(name, sizeof name, f == FILES ? "more" : "in/a%d.txt", f);
        FILE *to = fopen(name, "w");
        assert_non_null(to);
        for (int i = 0; i < LINES; i++)
            fprintf(to, "line %d of file %d, word%d\n", i, f, i % 7);
        assert_int_equal(fclose(to), 0);
    }
    if (system("mkdir packed && gzip -c more > packed/a.gz && gzip -c more > packed/b.gz") != 0) /* NOLINT */
        fail_msg("gzip is missing");
}

static void test_file_failures__every_call_of_every_work_may_fail(void **state)
{
    (void)state;
    signal(SIGALRM, hangs);
    make_inputs();
    strcpy(local, "/tmp/spark-local-XXXXXX");
    assert_non_null(mkdtemp(local));
    remove_outputs();
    for (size_t w = 0; w < LENGTH(works); w++) {
        if (getenv("SPARK_TEST_WORK") && !strstr(works[w].name, getenv("SPARK_TEST_WORK")))
            continue;
        const uint64_t wanted = undisturbed(&works[w]);
        uint64_t all = 0;
        for (size_t k = 0; k < LENGTH(kinds); k++)
            for (int ever = 0; ever < 2; ever++) {
                if (ever && kinds[k].error == EINTR)
                    continue; /* for ever interrupted */
                run r = { &works[w], &kinds[k], 0, ever };
                all += every_call(&r, wanted);
            }
        print_message("    %-22s %5llu calls\n", works[w].name, (unsigned long long)all);
    }
    rmdir(local);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        file_test(test_file_failures__every_call_of_every_work_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
