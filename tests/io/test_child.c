/* SPDX-License-Identifier: Apache-2.0 */
/* Child processes without the engine: starting, talking, ending, and what may go wrong. */
#include "scratch.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "io/child.h"

static int files_before;

static int open_files(void)
{
    int n = 0;
    for (int fd = 0; fd < 256; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

static int enter(void **state)
{
    const int status = scratch_enter(state);
    files_before = open_files();
    return status;
}

static int leave(void **state)
{
    siginfo_t info;
    int status = 0;
    if (open_files() != files_before) {
        print_error("a file descriptor was left open\n");
        status = -1;
    }
    if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0) {
        print_error("a child is left\n");
        status = -1;
    }
    return scratch_leave(state) || status;
}
#define child_test(f) cmocka_unit_test_setup_teardown(f, enter, leave)

/* start: `sh -c script`. */
static void start(spk_child *child, const char *script, bool separate)
{
    char sh[] = "sh", c[] = "-c", text[256];
    char *argv[] = { sh, c, text, NULL };
    spk_failure failure;
    assert_true(strlen(script) < sizeof text);
    strcpy(text, script);
    if (spk_child_start(child, argv, NULL, separate, &failure) != SPARK_OK)
        fail_msg("%s", failure.message);
    assert_true(child->pid > 0);
    assert_true(child->in >= 0 && child->out >= 0);
    assert_int_equal(child->directory != NULL, separate);
}

/* talk: writes `input` and reads all that comes; how much. */
static size_t talk(spk_child *child, const char *input, size_t n, char *output, size_t room)
{
    spk_failure failure;
    size_t written = 0, have = 0;
    bool gone = false;
    if (n == 0)
        spk_child_close_in(child);
    for (;;) {
        bool readable, writable;
        size_t some;
        const bool write = written < n && !gone;
        assert_true(spk_child_wait_io(child, true, write, &readable, &writable, &failure));
        if (readable) {
            assert_true(spk_child_read(child, output + have, room - have, &some, &failure));
            if (some == 0)
                return have;
            if (some != SIZE_MAX)
                have += some;
            assert_true(have < room);
        }
        if (write && writable) {
            assert_true(
                spk_child_write(child, input + written, n - written, &some, &gone, &failure));
            written += some;
            if (written == n || gone)
                spk_child_close_in(child);
        }
        if (!write)
            assert_false(writable);
    }
}

static void test_child__reads_and_prints(void **state)
{
    enum { SIZE = 1 << 20 };
    (void)state;
    char *input = malloc(SIZE), *output = malloc(2 * SIZE);
    assert_non_null(input);
    assert_non_null(output);
    for (size_t i = 0; i < SIZE; i++)
        input[i] = (char)(i * 131 >> 3);
    static const size_t sizes[] = { 0, 1, 4096, 65536, 65537, SIZE };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        spk_child child;
        int status = -1;
        start(&child, "exec cat", false);
        assert_int_equal(talk(&child, input, sizes[i], output, 2 * SIZE), sizes[i]);
        assert_memory_equal(output, input, sizes[i]);
        assert_true(spk_child_ended(&child, true, &status));
        assert_int_equal(status, 0);
        assert_int_equal(child.pid, 0);
        assert_int_equal(child.in, -1);
        assert_int_equal(child.out, -1);
    }
    free(input);
    free(output);
}

static void test_child__status_is_that_of_the_shell(void **state)
{
    static const struct {
        const char *script;
        int status;
    } cases[] = { { "exit 0", 0 }, { "exit 1", 1 }, { "exit 255", 255 }, { "kill -9 $$", 137 },
        { "kill -TERM $$", 143 }, { "exec no-such-program 2>/dev/null", 127 } };
    char output[64];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        spk_child child;
        int status = -1;
        start(&child, cases[i].script, false);
        assert_int_equal(talk(&child, NULL, 0, output, sizeof output), 0);
        assert_true(spk_child_ended(&child, true, &status));
        assert_int_equal(status, cases[i].status);
    }
}

static void test_child__that_reads_no_more(void **state)
{
    static char input[1 << 20];
    char output[64];
    struct sigaction before, deadly = { .sa_handler = SIG_DFL };
    (void)state;
    sigemptyset(&deadly.sa_mask);
    sigaction(SIGPIPE, &deadly, &before);
    for (int i = 0; i < 5; i++) {
        spk_child child;
        int status = -1;
        start(&child, i % 2 ? "exec <&-; echo hello" : "echo hello", false);
        assert_int_equal(talk(&child, input, sizeof input, output, sizeof output), 6);
        assert_memory_equal(output, "hello\n", 6);
        assert_true(spk_child_ended(&child, true, &status));
        assert_int_equal(status, 0);
    }
    sigaction(SIGPIPE, &before, NULL);
}

static void test_child__is_killed_at_once(void **state)
{
    static const char *const scripts[]
        = { "exec sleep 1000", "trap '' TERM; exec sleep 1000", "exec yes", "exit 0" };
    (void)state;
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
        spk_child child;
        start(&child, scripts[i], i % 2);
        const pid_t pid = child.pid;
        spk_child_kill(&child);
        assert_int_equal(child.pid, 0);
        assert_null(child.directory);
        assert_int_equal(waitpid(pid, NULL, WNOHANG), -1);
        assert_int_equal(access("tasks", F_OK), -1);
        spk_child_kill(&child); /* nothing is left to be killed */
    }
}

static void test_child__that_cannot_be_started(void **state)
{
    char none[] = "./none", data[] = "./data", directory[] = ".";
    char *const programs[] = { none, data, directory };
    (void)state;
    scratch_write("data", "x", 1);
    for (int i = 0; i < 3; i++) {
        for (int separate = 0; separate < 2; separate++) {
            spk_child child;
            spk_failure failure = { .code = SPARK_OK };
            char *argv[] = { programs[i], NULL };
            assert_int_equal(spk_child_start(&child, argv, NULL, separate, &failure), SPARK_EIO);
            assert_int_equal(failure.code, SPARK_EIO);
            assert_non_null(strstr(failure.message, "cannot run "));
            assert_non_null(strstr(failure.message, programs[i]));
            assert_int_equal(child.pid, 0);
            assert_int_equal(access("tasks", F_OK), -1);
            spk_child_kill(&child);
        }
    }
}

static void test_child__environment_is_inherited_and_added_to(void **state)
{
    char sh[] = "sh", c[] = "-c", script[] = "echo \"$A_TEST_ONE,$A_TEST_TWO,$A_TEST_TWO_TOO\"";
    char *argv[] = { sh, c, script, NULL };
    char two[] = "A_TEST_TWO=new";
    char *env[] = { two, NULL };
    char output[64];
    spk_child child;
    spk_failure failure;
    int status;
    (void)state;
    setenv("A_TEST_ONE", "one", 1);
    setenv("A_TEST_TWO", "old", 1);
    setenv("A_TEST_TWO_TOO", "too", 1); /* the other name is only a part of it */
    for (int with = 0; with < 2; with++) {
        const char *want = with ? "one,new,too\n" : "one,old,too\n";
        assert_int_equal(
            spk_child_start(&child, argv, with ? env : NULL, false, &failure), SPARK_OK);
        assert_int_equal(talk(&child, NULL, 0, output, sizeof output), strlen(want));
        assert_memory_equal(output, want, strlen(want));
        assert_true(spk_child_ended(&child, true, &status));
        assert_int_equal(status, 0);
    }
    unsetenv("A_TEST_ONE");
    unsetenv("A_TEST_TWO");
    unsetenv("A_TEST_TWO_TOO");
}

static void test_child__directory_has_links_and_goes(void **state)
{
    char output[256];
    spk_child a, b;
    int status;
    (void)state;
    scratch_write("data", "1\n", 2);
    assert_int_equal(mkdir("folder", 0777), 0);
    scratch_write("folder/inside", "2\n", 2);
    start(&a, "cat data folder/inside; mkdir -p deep/er; echo >deep/er/file; ls; cat", true);
    start(&b, "pwd -P; ls", true);
    assert_string_not_equal(a.directory, b.directory);
    assert_int_equal(access(a.directory, F_OK), 0);
    size_t n = talk(&b, NULL, 0, output, sizeof output - 1);
    output[n] = 0;
    assert_non_null(strstr(output, b.directory));
    assert_non_null(strstr(output, "\ndata\nfolder\n"));
    assert_true(spk_child_ended(&b, true, &status));
    assert_int_equal(status, 0);
    /* The other one is still there. */
    assert_int_equal(access("tasks", F_OK), 0);
    n = talk(&a, "end\n", 4, output, sizeof output - 1);
    output[n] = 0;
    assert_string_equal(output, "1\n2\ndata\ndeep\nfolder\nend\n");
    assert_true(spk_child_ended(&a, true, &status));
    assert_int_equal(status, 0);
    assert_int_equal(access("tasks", F_OK), -1);
    /* What the links point to stays. */
    assert_int_equal(access("folder/inside", F_OK), 0);
    assert_int_equal(access("data", F_OK), 0);
}

static void test_child__descriptors_close_on_exec(void **state)
{
    (void)state;
    spk_child child;
    int status;
    char output[8];
    start(&child, "exec cat", false);
    assert_true(fcntl(child.in, F_GETFD) & FD_CLOEXEC);
    assert_true(fcntl(child.out, F_GETFD) & FD_CLOEXEC);
    assert_true(fcntl(child.in, F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(child.out, F_GETFL) & O_NONBLOCK);
    /* Nothing to be read yet is not the end. */
    spk_failure failure;
    size_t n = 0;
    assert_true(spk_child_read(&child, output, sizeof output, &n, &failure));
    assert_true(n == SIZE_MAX);
    spk_child_close_in(&child);
    spk_child_close_in(&child);
    assert_int_equal(talk(&child, NULL, 0, output, sizeof output), 0);
    assert_true(spk_child_ended(&child, true, &status));
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        child_test(test_child__reads_and_prints),
        child_test(test_child__status_is_that_of_the_shell),
        child_test(test_child__that_reads_no_more),
        child_test(test_child__is_killed_at_once),
        child_test(test_child__that_cannot_be_started),
        child_test(test_child__environment_is_inherited_and_added_to),
        child_test(test_child__directory_has_links_and_goes),
        child_test(test_child__descriptors_close_on_exec),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
