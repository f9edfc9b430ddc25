/* SPDX-License-Identifier: Apache-2.0 */
/* Spill files in several directories: used in turn, and without those that are full or gone. */
#include "storage/spill.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "support/spark_test.h"

enum { N = 4096 };

/* full: the directory whose disk has no room; the file in it is found by its device and number. */
static char root[] = "spark_spill_XXXXXX";
static int full_fd = -1, written_full_fd = -1;

int __real_fallocate(int fd, int mode, off_t at, off_t n);
int __wrap_fallocate(int fd, int mode, off_t at, off_t n);
ssize_t __real_pwrite(int fd, const void *from, size_t n, off_t at);
ssize_t __wrap_pwrite(int fd, const void *from, size_t n, off_t at);

int __wrap_fallocate(int fd, int mode, off_t at, off_t n)
{
    if (fd != full_fd || mode != 0)
        return __real_fallocate(fd, mode, at, n);
    errno = ENOSPC;
    return -1;
}

ssize_t __wrap_pwrite(int fd, const void *from, size_t n, off_t at)
{
    if (fd != written_full_fd)
        return __real_pwrite(fd, from, n, at);
    errno = EDQUOT;
    return -1;
}

static char list[3 * SPK_PATH];

/* begin: three directories, a, b and c, of which the names stand in `list`. */
static int begin(void **state)
{
    char path[200];
    (void)state;
    full_fd = written_full_fd = -1;
    strcpy(root + sizeof root - 7, "XXXXXX");
    if (!mkdtemp(root))
        return -1;
    for (char c = 'a'; c <= 'c'; c++) {
        snprintf(path, sizeof path, "%s/%c", root, c);
        if (mkdir(path, 0777) != 0)
            return -1;
    }
    snprintf(list, sizeof list, "%s/a,%s/b,,%s/c", root, root, root);
    return 0;
}

static int end(void **state)
{
    char command[300];
    (void)state;
    snprintf(command, sizeof command, "rm -r %s", root);
    return system(command);
}

#define spill_test(f) cmocka_unit_test_setup_teardown(f, begin, end)

static void fill(char *block, int i)
{
    memset(block, 'a' + i % 26, N);
}

/* put: writes piece i, and says where it is. */
static spark_status put(spk_spill *spill, int i, uint64_t *at, spk_failure *failure)
{
    char block[N];
    fill(block, i);
    const spark_status status = spk_spill_reserve(spill, N, at, failure);
    return status == SPARK_OK ? spk_spill_write(spill, block, N, *at, failure) : status;
}

static void assert_there(const spk_spill *spill, int i, uint64_t at)
{
    char block[N], want[N];
    spk_failure failure;
    fill(want, i);
    assert_int_equal(spk_spill_read(spill, block, N, at, &failure), SPARK_OK);
    assert_memory_equal(block, want, N);
}

static unsigned file_of(uint64_t at)
{
    return (unsigned)(at >> SPK_SPILL_SHIFT);
}

static void test_directory__is_one_of_a_list_with_commas(void **state)
{
    char path[SPK_PATH];
    (void)state;
    assert_true(spk_local_directory("/x,/y z,,w", 0, path));
    assert_string_equal(path, "/x");
    assert_true(spk_local_directory("/x,/y z,,w", 1, path));
    assert_string_equal(path, "/y z");
    assert_true(spk_local_directory("/x,/y z,,w", 2, path));
    assert_string_equal(path, "w");
    assert_false(spk_local_directory("/x,/y z,,w", 3, path));
    assert_true(spk_local_directory(",one,", 0, path));
    assert_string_equal(path, "one");
    assert_false(spk_local_directory(",", 0, path));
    assert_true(spk_local_directory(NULL, 0, path) && *path);
    assert_false(spk_local_directory("", 1, path));
    assert_true(spk_local_directory(" /a b , ,\t/c\n", 0, path)); /* blanks around names are not theirs */
    assert_string_equal(path, "/a b");
    assert_true(spk_local_directory(" /a b , ,\t/c\n", 1, path));
    assert_string_equal(path, "/c");
    assert_false(spk_local_directory(" /a b , ,\t/c\n", 2, path));
}

static void test_spill__uses_its_directories_in_turn(void **state)
{
    spk_spill spill;
    spk_failure failure;
    uint64_t at[9];
    int in[3] = { 0, 0, 0 };
    (void)state;
    spk_spill_init(&spill, list);
    for (int i = 0; i < 9; i++) {
        assert_int_equal(put(&spill, i, &at[i], &failure), SPARK_OK);
        in[file_of(at[i])]++;
    }
    for (int i = 0; i < 3; i++)
        assert_int_equal(in[i], 3);
    for (int i = 0; i < 9; i++)
        assert_there(&spill, i, at[i]);
    spk_spill_fini(&spill);
}

static void test_spill__leaves_out_a_directory_that_is_gone(void **state)
{
    spk_spill spill;
    spk_failure failure;
    uint64_t at[8];
    char path[200];
    (void)state;
    snprintf(path, sizeof path, "%s/b", root);
    assert_int_equal(rmdir(path), 0);
    spk_spill_init(&spill, list);
    for (int i = 0; i < 8; i++) {
        assert_int_equal(put(&spill, i, &at[i], &failure), SPARK_OK);
        assert_int_not_equal(file_of(at[i]), 1);
    }
    for (int i = 0; i < 8; i++)
        assert_there(&spill, i, at[i]);
    spk_spill_fini(&spill);
    assert_int_equal(mkdir(path, 0777), 0);
}

static void test_spill__leaves_out_a_disk_that_is_full(void **state)
{
    spk_spill spill;
    spk_failure failure;
    uint64_t at[12];
    (void)state;
    spk_spill_init(&spill, list);
    for (int i = 0; i < 12; i++) {
        assert_int_equal(put(&spill, i, &at[i], &failure), SPARK_OK);
        if (i == 2)
            full_fd = spill.files[0].fd;
        assert_true(i <= 2 || file_of(at[i]) != 0);
    }
    for (int i = 0; i < 12; i++)
        assert_there(&spill, i, at[i]); /* what was written before is read on */
    full_fd = -1;
    spk_spill_fini(&spill);
}

static void test_spill__fails_once_where_writing_does_and_goes_on_elsewhere(void **state)
{
    spk_spill spill;
    spk_failure failure;
    uint64_t at;
    int failed = 0;
    (void)state;
    spk_spill_init(&spill, list);
    for (int i = 0; i < 3; i++)
        assert_int_equal(put(&spill, i, &at, &failure), SPARK_OK);
    written_full_fd = spill.files[1].fd;
    for (int i = 0; i < 9; i++)
        if (put(&spill, i, &at, &failure) != SPARK_OK) {
            failed++;
            assert_non_null(strstr(failure.message, "/b: Disk quota exceeded"));
        }
    assert_int_equal(failed, 1);
    spk_spill_fini(&spill);
}

static void test_spill__says_what_the_last_one_said_and_tries_again(void **state)
{
    spk_spill spill;
    spk_failure failure;
    uint64_t at;
    (void)state;
    snprintf(list, sizeof list, "/nowhere/at/all,%s/a", root);
    spk_spill_init(&spill, list);
    assert_int_equal(put(&spill, 0, &at, &failure), SPARK_OK);
    full_fd = spill.files[1].fd;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(put(&spill, 0, &at, &failure), SPARK_EIO);
        assert_non_null(strstr(failure.message, "a temporary file in"));
    }
    full_fd = -1;
    assert_int_equal(put(&spill, 1, &at, &failure), SPARK_OK);
    assert_there(&spill, 1, at);
    spk_spill_fini(&spill);
}

static void test_spill__into_memory_is_refused(void **state)
{
    struct statfs is;
    spk_spill spill;
    spk_failure failure;
    uint64_t at;
    (void)state;
    if (statfs("/dev/shm", &is) != 0 || is.f_type != 0x01021994)
        return;
    spk_spill_init(&spill, "/dev/shm");
    assert_int_equal(put(&spill, 0, &at, &failure), SPARK_EIO);
    assert_non_null(strstr(failure.message, "/dev/shm: it is in memory"));
    assert_non_null(strstr(failure.message, "spark_conf.local_dir"));
    spk_spill_fini(&spill);
    snprintf(list, sizeof list, "/dev/shm,%s/a", root);
    spk_spill_init(&spill, list);
    for (int i = 0; i < 3; i++)
        assert_int_equal(put(&spill, i, &at, &failure), SPARK_OK);
    spk_spill_fini(&spill);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_directory__is_one_of_a_list_with_commas),
        spill_test(test_spill__uses_its_directories_in_turn),
        spill_test(test_spill__leaves_out_a_directory_that_is_gone),
        spill_test(test_spill__leaves_out_a_disk_that_is_full),
        spill_test(test_spill__fails_once_where_writing_does_and_goes_on_elsewhere),
        spill_test(test_spill__says_what_the_last_one_said_and_tries_again),
        spill_test(test_spill__into_memory_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
