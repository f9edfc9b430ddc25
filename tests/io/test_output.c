/* SPDX-License-Identifier: Apache-2.0 */
/* Output directories: what is where and when, and that nothing half-made looks finished. */
#include "scratch.h"

#include <dirent.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "io/output.h"

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* names: what is in a directory but the lock, sorted, with spaces between; NULL: there is none. */
static const char *names(const char *directory)
{
    static char text[2048], entries[32][64];
    char *sorted[32];
    size_t n = 0, at = 0;
    DIR *stream = opendir(directory);
    if (stream == NULL)
        return NULL;
    for (const struct dirent *entry; (entry = readdir(stream)) != NULL;) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0
            || strcmp(entry->d_name, "_lock") == 0)
            continue;
        assert_true(n < 32 && strlen(entry->d_name) < sizeof entries[n]);
        strcpy(entries[n], entry->d_name);
        sorted[n] = entries[n];
        n++;
    }
    closedir(stream);
    qsort(sorted, n, sizeof *sorted, by_name);
    text[0] = '\0';
    for (size_t i = 0; i < n; i++)
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%s", i == 0 ? "" : " ", sorted[i]);
    return text;
}

static const char *content(const char *path)
{
    static char text[256];
    text[scratch_read(path, text, sizeof text - 1)] = '\0';
    return text;
}

/* job: an output with its heap, and the failure that all calls share. */
typedef struct job {
    spk_heap heap;
    spk_output output;
    spk_failure failure;
} job;

static void job_begin(job *j, const char *path)
{
    *j = (job) { .failure = { .code = SPARK_OK } };
    spk_heap_init(&j->heap, 0);
    assert_int_equal(spk_output_begin(&j->output, path, false, &j->failure), SPARK_OK);
}

static void job_end(job *j)
{
    assert_null(j->output.path);
    assert_true(j->heap.mapped == j->heap.cached);
    spk_heap_fini(&j->heap);
}

static void part_begin(job *j, spk_part *part, int partition, int attempt, const char *text)
{
    assert_int_equal(
        spk_part_open(part, &j->output, &j->heap, partition, attempt, &j->failure), SPARK_OK);
    char *room = spk_part_reserve(part, strlen(text), &j->failure);
    assert_non_null(room);
    memcpy(room, text, strlen(text));
    part->used += strlen(text);
}

static void part_end(job *j, spk_part *part)
{
    assert_int_equal(spk_part_close(part, &j->failure), SPARK_OK);
    assert_int_equal(spk_part_publish(part, &j->failure), SPARK_OK);
}

static void test_layout(void **state)
{
    job j;
    spk_part part;
    (void)state;
    job_begin(&j, "out");
    assert_string_equal(names("out"), "_temporary");
    part_begin(&j, &part, 1, 0, "3\n4\n");
    assert_string_equal(names("out"), "_temporary");
    assert_string_equal(names("out/_temporary"), "part-00001-attempt-0");
    part_end(&j, &part);
    assert_string_equal(names("out"), "_temporary"); /* nothing is seen before the job commits */
    assert_string_equal(names("out/_temporary"), "part-00001");
    part_begin(&j, &part, 0, 0, "");
    part_end(&j, &part);
    part_begin(&j, &part, 123456, 0, "5\n");
    part_end(&j, &part);
    assert_int_equal(spk_output_commit(&j.output, &j.failure), SPARK_OK);
    job_end(&j);
    assert_string_equal(names("out"), "_SUCCESS part-00000 part-00001 part-123456");
    assert_string_equal(content("out/_SUCCESS"), "");
    assert_string_equal(content("out/part-00000"), "");
    assert_string_equal(content("out/part-00001"), "3\n4\n");
    assert_string_equal(content("out/part-123456"), "5\n");
}

static void test_no_parts(void **state)
{
    job j;
    (void)state;
    job_begin(&j, "file:out//");
    assert_string_equal(j.output.path, "out");
    assert_int_equal(spk_output_commit(&j.output, &j.failure), SPARK_OK);
    job_end(&j);
    assert_string_equal(names("out"), "_SUCCESS");
}

static void test_absolute(void **state)
{
    char path[128];
    job j;
    (void)state;
    snprintf(path, sizeof path, "file://%s/out", scratch_path);
    job_begin(&j, path);
    assert_int_equal(spk_output_commit(&j.output, &j.failure), SPARK_OK);
    job_end(&j);
    assert_string_equal(names("out"), "_SUCCESS");
}

static void test_attempts(void **state)
{
    job j;
    spk_part failed, slow, fast;
    (void)state;
    job_begin(&j, "out");
    part_begin(&j, &failed, 7, 0, "bad");
    spk_part_discard(&failed);
    assert_string_equal(names("out/_temporary"), "");
    part_begin(&j, &slow, 7, 1, "slow");
    part_begin(&j, &fast, 7, 2, "fast");
    part_end(&j, &fast);
    assert_string_equal(content("out/_temporary/part-00007"), "fast");
    assert_int_equal(spk_part_close(&slow, &j.failure), SPARK_OK);
    spk_part_discard(&slow);
    part_begin(&j, &slow, 8, 0, "never finished");
    assert_int_equal(spk_output_commit(&j.output, &j.failure), SPARK_OK);
    spk_part_discard(&slow);
    job_end(&j);
    assert_string_equal(names("out"), "_SUCCESS part-00007");
}

/* Lines from none to several buffers long, against the same bytes in memory. */
static void test_many_bytes(void **state)
{
    enum { SIZE = 4 * 1024 * 1024 };
    char *wanted = malloc(SIZE), *got = malloc(SIZE + 1);
    size_t n = 0;
    uint64_t seed = 1;
    job j;
    spk_part part;
    (void)state;
    assert_true(wanted != NULL && got != NULL);
    job_begin(&j, "out");
    part_begin(&j, &part, 0, 0, "");
    for (;;) {
        const size_t length
            = scratch_random(&seed) % (scratch_random(&seed) % 8 == 0 ? 700000 : 90);
        if (n + length > SIZE)
            break;
        for (size_t i = 0; i < length; i++)
            wanted[n + i] = (char)scratch_random(&seed);
        char *room = spk_part_reserve(&part, length + 10, &j.failure); /* more than is used */
        assert_non_null(room);
        assert_true(part.capacity - part.used >= length + 10);
        memcpy(room, wanted + n, length);
        part.used += length;
        n += length;
    }
    part_end(&j, &part);
    assert_int_equal(spk_output_commit(&j.output, &j.failure), SPARK_OK);
    assert_int_equal(scratch_read("out/part-00000", got, SIZE + 1), n);
    assert_memory_equal(got, wanted, n);
    free(wanted);
    free(got);
    job_end(&j);
}

static void expect_refused(const char *path, spark_status code, const char *message)
{
    spk_output output;
    spk_failure failure = { .code = SPARK_OK };
    assert_int_equal(spk_output_begin(&output, path, false, &failure), code);
    assert_string_equal(failure.message, message);
    assert_null(output.path);
    spk_output_abort(&output);
}

static void test_refused(void **state)
{
    char path[4200];
    (void)state;
    assert_int_equal(mkdir("empty", 0777), 0);
    scratch_write("file", "", 0);
    expect_refused("empty", SPARK_EIO,
        "Output directory empty already exists: choose another one or remove it");
    expect_refused(
        "file", SPARK_EIO, "Output directory file already exists: choose another one or remove it");
    expect_refused(
        "file/out", SPARK_EIO, "cannot create output directory file/out: Not a directory");
    expect_refused("file/below/out", SPARK_EIO,
        "cannot create output directory file/below/out: Not a directory");
    expect_refused("", SPARK_EINVAL, "The output path is empty");
    expect_refused("file:", SPARK_EINVAL, "The output path is empty");
    expect_refused(NULL, SPARK_EINVAL, "The output path is empty");
    assert_string_equal(names("."), "empty file");
    /* A directory that can be made, but nothing in it. */
    memset(path, 0, sizeof path);
    while (strlen(path) < 4085)
        strcat(path, "./");
    strcat(path, "out");
    spk_output output;
    spk_failure failure = { .code = SPARK_OK };
    assert_int_equal(spk_output_begin(&output, path, false, &failure), SPARK_EIO);
    assert_string_equal(names("."), "empty file");
}

/* An unfinished save is told from one that goes on, of this process or of another, and neither is
 * touched. */
static void test_unfinished(void **state)
{
    static const char live[] = "Output directory out already exists, and a save into it goes on: "
                               "choose another one";
    static const char dead[] = "Output directory out already exists and holds an unfinished save, "
                               "whose process has ended: remove it, choose another one, or save with "
                               "append or overwrite, which put it in order";
    static const char unknown[] = "Output directory out already exists and holds an unfinished "
                                  "save: remove it, if nobody writes there any more, or choose "
                                  "another one";
    job j;
    spk_part part;
    int ready[2];
    char byte;
    (void)state;
    job_begin(&j, "out");
    expect_refused("out", SPARK_EIO, live);
    spk_output_abort(&j.output);
    job_end(&j);
    assert_int_equal(pipe(ready), 0);
    fflush(NULL);
    const pid_t child = fork();
    if (child == 0) { /* as if it were killed in the middle */
        job_begin(&j, "out");
        part_begin(&j, &part, 0, 0, "1\n");
        part_end(&j, &part);
        part_begin(&j, &part, 1, 0, "2\n");
        if (write(ready[1], "x", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    expect_refused("out", SPARK_EIO, live);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    expect_refused("out", SPARK_EIO, dead);
    assert_string_equal(names("out"), "_temporary");
    assert_string_equal(names("out/_temporary"), "part-00000 part-00001-attempt-0");
    assert_int_equal(unlink("out/_temporary/_lock"), 0); /* Hadoop's, for instance */
    expect_refused("out", SPARK_EIO, unknown);
    close(ready[0]);
    close(ready[1]);
}

/* What leads to the directory is made, and stays. */
static void test_parents(void **state)
{
    spk_output output;
    spk_failure failure = { .code = SPARK_OK };
    (void)state;
    assert_int_equal(spk_output_begin(&output, "a/b//c/out/", false, &failure), SPARK_OK);
    assert_string_equal(names("a/b/c/out"), "_temporary");
    spk_output_abort(&output);
    assert_string_equal(names("a/b/c"), "");
    assert_int_equal(spk_output_begin(&output, "a/b/c", false, &failure), SPARK_EIO);
    assert_int_equal(spk_output_begin(&output, "a/b/c/out", true, &failure), SPARK_OK);
    assert_int_equal(spk_output_commit(&output, &failure), SPARK_OK);
    assert_string_equal(names("a/b/c/out"), "_SUCCESS");
    spk_output_remove("a/b/c/out");
    assert_string_equal(names("a/b/c"), "");
}

static void test_own_directory(void **state)
{
    spk_failure failure = { .code = SPARK_OK };
    char *first, *second;
    (void)state;
    assert_int_equal(spk_own_directory("x/y/", "libspark-", &first, &failure), SPARK_OK);
    assert_int_equal(spk_own_directory("x/y", "libspark-", &second, &failure), SPARK_OK);
    assert_string_not_equal(first, second);
    assert_int_equal(strncmp(first, "x/y/libspark-", 13), 0);
    assert_string_equal(names(first), "");
    scratch_write("x/y/file", "", 0);
    spk_own_directory_end(first);
    spk_own_directory_end(second);
    spk_own_directory_end(NULL);
    assert_string_equal(names("x/y"), "file");
    char *none;
    assert_int_equal(spk_own_directory("x/y/file/z", "libspark-", &none, &failure), SPARK_EIO);
    assert_null(none);
    assert_non_null(strstr(failure.message, "cannot make a directory in x/y/file/z"));
}

static void test_abort(void **state)
{
    job j;
    spk_part part;
    (void)state;
    job_begin(&j, "out");
    for (int i = 0; i < 20; i++) {
        part_begin(&j, &part, i, 0, "x");
        part_end(&j, &part);
    }
    part_begin(&j, &part, 20, 0, "x");
    assert_int_equal(spk_part_close(&part, &j.failure), SPARK_OK);
    spk_output_abort(&j.output);
    assert_null(names("out"));
    spk_part_discard(&part);
    spk_output_abort(&j.output);
    job_end(&j);
}

/* What somebody else has put there stays, and so does the directory. */
static void test_abort_spares_others(void **state)
{
    job j;
    (void)state;
    job_begin(&j, "out");
    scratch_write("out/mine", "", 0);
    spk_output_abort(&j.output);
    job_end(&j);
    assert_string_equal(names("out"), "mine");
}

static void test_no_success_after_failure(void **state)
{
    job j;
    spk_part part;
    (void)state;
    job_begin(&j, "out");
    part_begin(&j, &part, 0, 0, "x");
    part_end(&j, &part);
    scratch_write("out/_temporary/stranger", "", 0);
    assert_int_equal(spk_output_commit(&j.output, &j.failure), SPARK_EIO);
    assert_string_equal(j.failure.message, "cannot move the parts out of out/_temporary: Directory not empty");
    job_end(&j);
    assert_string_equal(names("out"), "_temporary");
}

static void test_gone_meanwhile(void **state)
{
    job j;
    spk_part part;
    (void)state;
    job_begin(&j, "out");
    part_begin(&j, &part, 0, 0, "x");
    assert_int_equal(spk_part_close(&part, &j.failure), SPARK_OK);
    assert_int_equal(system("rm -r out"), 0);
    assert_int_equal(spk_part_publish(&part, &j.failure), SPARK_EIO);
    assert_string_equal(j.failure.message,
        "cannot rename a finished part to out/_temporary/part-00000: No such file or directory");
    assert_int_equal(spk_part_open(&part, &j.output, &j.heap, 1, 0, &j.failure), SPARK_EIO);
    assert_string_equal(j.failure.message,
        "cannot create out/_temporary/part-00001-attempt-0: No such file or directory");
    spk_part_discard(&part);
    assert_int_equal(spk_output_commit(&j.output, &j.failure), SPARK_EIO);
    job_end(&j);
    assert_null(names("out"));
}

/* A disk that is full looks like a limit on the size of files: a short count, then an error. */
static void test_full(void **state)
{
    struct rlimit before, little;
    job j;
    spk_part part;
    (void)state;
    job_begin(&j, "out");
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    little = before;
    little.rlim_cur = 1000;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
    part_begin(&j, &part, 0, 0, "");
    memset(part.buffer, 'x', part.capacity);
    part.used = part.capacity;
    char *room = spk_part_reserve(&part, 1, &j.failure);
    spk_part other;
    part_begin(&j, &other, 1, 0, "");
    memset(other.buffer, 'x', 2000);
    other.used = 2000;
    spk_failure failure = { .code = SPARK_OK };
    spark_status status = spk_part_close(&other, &failure);
    setrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, handler);
    assert_null(room);
    assert_int_equal(j.failure.code, SPARK_EIO);
    assert_string_equal(
        j.failure.message, "cannot write out/_temporary/part-00000-attempt-0: File too large");
    assert_int_equal(status, SPARK_EIO);
    assert_string_equal(
        failure.message, "cannot write out/_temporary/part-00001-attempt-0: File too large");
    spk_part_discard(&part);
    spk_part_discard(&other);
    assert_string_equal(names("out/_temporary"), "");
    spk_output_abort(&j.output);
    job_end(&j);
}

static void test_no_memory(void **state)
{
    job j;
    spk_part part;
    (void)state;
    job_begin(&j, "out");
    j.heap.limit = 1000;
    assert_int_equal(spk_part_open(&part, &j.output, &j.heap, 0, 0, &j.failure), SPARK_ENOMEM);
    spk_part_discard(&part);
    j.heap.limit = 1024 * 1024;
    part_begin(&j, &part, 0, 0, "");
    assert_null(spk_part_reserve(&part, 2000000, &j.failure));
    assert_string_equal(
        j.failure.message, "out of memory: a line of 2000000 bytes for out/part-00000");
    spk_part_discard(&part);
    spk_output_abort(&j.output);
    job_end(&j);
    assert_string_equal(names("."), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scratch_test(test_layout),
        scratch_test(test_no_parts),
        scratch_test(test_absolute),
        scratch_test(test_attempts),
        scratch_test(test_many_bytes),
        scratch_test(test_refused),
        scratch_test(test_unfinished),
        scratch_test(test_parents),
        scratch_test(test_own_directory),
        scratch_test(test_abort),
        scratch_test(test_abort_spares_others),
        scratch_test(test_no_success_after_failure),
        scratch_test(test_gone_meanwhile),
        scratch_test(test_full),
        scratch_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
