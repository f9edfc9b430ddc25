/* SPDX-License-Identifier: Apache-2.0 */
/* A limit of memory: what does not fit goes to disk, and no bit of a result changes. */
#include "oracle.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

SPARK_PAIR(kv, int64_t, int64_t);
SPARK_PAIR(sv, spark_str, int64_t);
SPARK_LIST(str_list, spark_str);
SPARK_PAIR(lv, str_list, int64_t);

enum { ROWS = 1500000, KEYS = 200003, MIB = 1024 * 1024 };

static uint64_t mix(uint64_t x)
{
    x ^= x >> 31;
    x *= UINT64_C(0x9e3779b97f4a7c15);
    return x ^ x >> 29;
}

SPARK_MAP(to_pair, int64_t, kv)
{
    *out = (kv) { (int64_t)(mix((uint64_t)*in) % KEYS), *in };
}
SPARK_MAP(to_hot_pair, int64_t, kv)
{
    *out = (kv) { *in % 2 ? 42 : (int64_t)(mix((uint64_t)*in) % 3001), *in };
}
SPARK_MAP(to_one_key, kv, kv)
{
    *out = (kv) { 5, in->value };
}
SPARK_MAP(to_text, int64_t, sv)
{
    char *text = spark_alloc(task, 32);
    if (!text)
        return;
    const int n = snprintf(text, 32, "key-%llu", (unsigned long long)(mix((uint64_t)*in) % KEYS));
    *out = (sv) { { text, (size_t)n }, *in };
}
SPARK_MAP(to_list, sv, lv)
{
    spark_str *items = spark_alloc(task, 2 * sizeof *items);
    if (!items)
        return;
    items[0] = in->key;
    items[1] = (spark_str) { in->key.ptr + 2, in->key.len - 2 };
    *out = (lv) { { items, 2 }, in->value };
}
SPARK_MAP(value_of_list, lv, sv)
{
    *out = (sv) { in->key.at[in->key.n - 1], in->value };
}
SPARK_MAP(digest_pair, kv, int64_t)
{
    *out = (int64_t)mix((uint64_t)in->key * 31 + (uint64_t)in->value);
}
SPARK_MAP(digest_text, sv, int64_t)
{
    uint64_t h = (uint64_t)in->value;
    for (size_t i = 0; i < in->key.len; i++)
        h = h * 31 + (unsigned char)in->key.ptr[i];
    *out = (int64_t)mix(h);
}
SPARK_JOIN(both, int64_t, int64_t, int64_t, int64_t)
{
    spark_emit(out, (left ? *left : 1) ^ (right ? *right : 2) ^ *key);
}
SPARK_GROUP(weigh, int64_t, int64_t, int64_t)
{
    int64_t sum = 0, i = 1;
    for (const int64_t *v; (v = spark_next(in)) != NULL;)
        sum += *v * i++;
    spark_emit(out, sum ^ *key);
}
SPARK_MERGE(in_order, int64_t, int64_t)
{
    *acc = (int64_t)mix((uint64_t)*acc * 3 + (uint64_t)*in);
}

/* The work, by number; NULL: there is no more. */
static spark_rdd *work(spark_context *sc, int which)
{
    spark_rdd *numbers = spark_range(sc, 0, ROWS, 1, 8);
    spark_rdd *pairs = spark_map(numbers, to_pair, NULL);
    spark_rdd *others = spark_map(spark_range(sc, ROWS, 2 * ROWS, 1, 8), to_pair, NULL);
    spark_rdd *texts = spark_map(numbers, to_text, NULL);
    spark_rdd *hot = spark_map(numbers, to_hot_pair, NULL);
    switch (which) {
    case 0:
        return spark_map(spark_reduce_by_key(pairs, spark_op_sum, NULL, 16), digest_pair, NULL);
    case 1:
        return spark_map(spark_reduce_by_key(texts, spark_op_max, NULL, 16), digest_text, NULL);
    case 2:
        return spark_map(spark_sort_by(pairs, NULL, 16), digest_pair, NULL);
    case 3:
        return spark_map(spark_sort_by(texts, NULL, 16), digest_text, NULL);
    case 4:
        return spark_join_map(pairs, others, SPARK_FULL_OUTER, both, NULL, 16);
    case 5:
        return spark_group_map_by_key(pairs, weigh, NULL, 16);
    case 6:
        return spark_group_map_by_key(hot, weigh, NULL, 16);
    case 7:
        return spark_map(
            spark_partition_by(texts, spark_hash_partitioner(sc, 16)), digest_text, NULL);
    case 8:
        return spark_map(spark_distinct(spark_union(pairs, others), 16), digest_pair, NULL);
    case 9:
        return spark_map(spark_subtract_by_key(texts, spark_sample(texts, false, .01, 1), 16),
            digest_text, NULL);
    case 10:
        return spark_map(
            spark_map(spark_repartition(spark_map(texts, to_list, NULL), 16), value_of_list, NULL),
            digest_text, NULL);
    case 11:
        return spark_map(spark_reduce_by_key_dense(
                             pairs, spark_op_sum, NULL, spark_dense_partitioner(sc, KEYS, 16)),
            digest_pair, NULL);
    default:
        return NULL;
    }
}

static int64_t digest_of(spark_rdd *rdd)
{
    const int64_t zero = 7;
    spark_array array;
    if (spark_fold(rdd, SPARK_VALUE(int64_t, &zero), in_order, NULL, &array) != SPARK_OK)
        fail_msg("%s", spark_last_error()->message);
    const int64_t value = *SPARK_ITEMS(int64_t, &array);
    spark_array_free(&array);
    return value;
}

/* digest: of content and order. *spilled: bytes that went to disk; *peak: of memory. */
static int64_t digest(const spark_conf *conf, int which, int64_t *spilled, uint64_t *peak)
{
    spark_job_stats stats;
    spark_context *sc = spark_context_new(conf);
    const int64_t value = digest_of(work(sc, which));
    assert_int_equal(spark_job_stats_get(sc, SPARK_ANY, &stats), SPARK_OK);
    *spilled = stats.spilled_bytes;
    spark_memory_bytes(sc, peak);
    spark_context_free(sc);
    return value;
}

static void test_spill__changes_no_bit(void **state)
{
    enum { WORKS = 12, LIMIT = 40, EACH = TESTS_WATCH_THREADS ? 3 : 1 };
    (void)state;
    for (int which = 0; which < WORKS; which += EACH) {
        int64_t none, some;
        uint64_t peak;
        const spark_conf free_conf = { .threads = 2 };
        const spark_conf tight = { .threads = 2, .memory_bytes = (uint64_t)LIMIT * MIB };
        const int64_t want = digest(&free_conf, which, &none, &peak);
        assert_int_equal(none, 0);
        assert_int_equal(digest(&tight, which, &some, &peak), want);
        assert_true(peak <= (uint64_t)LIMIT * MIB);
        if (which != 0 && which != 6)
            assert_true(some > 0);
    }
}

static void test_spill__survives_faults(void **state)
{
    const spark_fault faults[] = { { .kind = SPARK_FAULT_RANDOM,
        .job = SPARK_ANY,
        .stage = SPARK_ANY,
        .partition = SPARK_ANY,
        .attempt = SPARK_ANY,
        .rate = 0.1,
        .seed = 5 } };
    (void)state;
    for (int which = 3; which <= (TESTS_WATCH_THREADS ? 3 : 5); which++) {
        int64_t spilled;
        uint64_t peak;
        const spark_conf plain = { .threads = 1 };
        const spark_conf hard = { .threads = 2,
            .memory_bytes = (uint64_t)40 * MIB,
            .faults = faults,
            .n_faults = 1,
            .stage_max_attempts = 50 };
        const int64_t want = digest(&plain, which, &spilled, &peak);
        assert_int_equal(digest(&hard, which, &spilled, &peak), want);
        assert_true(spilled > 0);
    }
}

static void test_spill__leaves_no_file_and_no_descriptor(void **state)
{
    char directory[] = "libspark-test-XXXXXX";
    int64_t spilled;
    uint64_t peak;
    (void)state;
    assert_non_null(mkdtemp(directory));
    const int before = open("/dev/null", O_RDONLY | O_CLOEXEC);
    close(before);
    const spark_conf conf
        = { .threads = 2, .memory_bytes = (uint64_t)40 * MIB, .local_dir = directory };
    digest(&conf, 3, &spilled, &peak);
    assert_true(spilled > 0);
    const int after = open("/dev/null", O_RDONLY | O_CLOEXEC);
    close(after);
    assert_int_equal(after, before);
    assert_int_equal(rmdir(directory), 0); /* it is empty */
}

static void test_spill__tells_where_it_cannot_write(void **state)
{
    int64_t n;
    (void)state;
    spark_context *sc = spark_context_new(&(spark_conf) { .threads = 2,
        .memory_bytes = (uint64_t)40 * MIB,
        .local_dir = "/nowhere/at/all",
        .task_max_failures = 1 });
    assert_int_equal(spark_count(work(sc, 3), &n), SPARK_EIO);
    assert_non_null(strstr(
        spark_last_error()->message, "cannot make a temporary file in /nowhere/at/all: No such file"));
    assert_int_equal(spark_count(spark_range(sc, 0, 10, 1, 2), &n), SPARK_OK);
    spark_context_free(sc);
}

/* get_limit, set_limit: of descriptors, or of the size of files. */
static int get_limit(bool descriptors, struct rlimit *limit)
{
    return descriptors ? getrlimit(RLIMIT_NOFILE, limit) : getrlimit(RLIMIT_FSIZE, limit);
}

static int set_limit(bool descriptors, const struct rlimit *limit)
{
    return descriptors ? setrlimit(RLIMIT_NOFILE, limit) : setrlimit(RLIMIT_FSIZE, limit);
}

/* refused: the work fails with EIO under a limit of the process and a message that has both parts in it;
 * with the limit as it was the context does the work. */
static void refused(bool descriptors, rlim_t most, const char *what, const char *why)
{
    struct rlimit before;
    int64_t spilled, want;
    uint64_t peak;
    spark_array array;
    const int64_t zero = 7;
    const spark_conf plain = { .threads = 1 };
    want = digest(&plain, 3, &spilled, &peak);
    spark_context *sc = spark_context_new(&(spark_conf) { .threads = 2,
        .memory_bytes = (uint64_t)40 * MIB,
        .local_dir = "/tmp",
        .task_max_failures = 1 });
    spark_rdd *rdd = work(sc, 3);
    assert_int_equal(get_limit(descriptors, &before), 0);
    const struct rlimit little = { most, before.rlim_max };
    assert_int_equal(set_limit(descriptors, &little), 0);
    const spark_status status
        = spark_fold(rdd, SPARK_VALUE(int64_t, &zero), in_order, NULL, &array);
    assert_int_equal(set_limit(descriptors, &before), 0);
    assert_int_equal(status, SPARK_EIO);
    assert_non_null(strstr(spark_last_error()->message, what));
    assert_non_null(strstr(spark_last_error()->message, why));
    assert_int_equal(digest_of(rdd), want);
    spark_context_free(sc);
}

static void test_spill__tells_that_the_disk_is_full(void **state)
{
    (void)state;
    refused(false, 1 << 20, "cannot write to a temporary file in /tmp", "File too large");
}

/* A job of one task runs on the caller's thread, which takes all signals. */
static void test_spill__that_is_too_large_ends_no_process(void **state)
{
    struct rlimit before;
    int64_t n;
    (void)state;
    spark_context *sc = spark_context_new(&(spark_conf) { .threads = 1, .local_dir = "/tmp" });
    spark_rdd *on_disk = spark_persist(spark_range(sc, 0, 1000000, 1, 1), SPARK_DISK_ONLY);
    assert_int_equal(get_limit(false, &before), 0);
    const struct rlimit little = { 1 << 20, before.rlim_max };
    assert_int_equal(set_limit(false, &little), 0);
    const spark_status status = spark_count(on_disk, &n);
    assert_int_equal(set_limit(false, &before), 0);
    assert_true(status == SPARK_OK ? n == 1000000 : strstr(spark_last_error()->message, "File too large") != NULL);
    assert_int_equal(spark_count(on_disk, &n), SPARK_OK);
    assert_int_equal(n, 1000000);
    spark_context_free(sc);
}

static void test_spill__tells_that_there_are_no_descriptors(void **state)
{
    (void)state;
    refused(true, 3, "cannot make a temporary file in /tmp", "Too many open files");
}

SPARK_MAP(to_long_text, int64_t, sv)
{
    const size_t n = (size_t)24 * MIB;
    char *text = spark_alloc(task, *in == 5 ? n : 8);
    if (!text)
        return;
    memset(text, 'x', *in == 5 ? n : 8);
    *out = (sv) { { text, *in == 5 ? n : 8 }, *in };
}

static void test_budget__says_what_was_too_large(void **state)
{
    int64_t n;
    (void)state;
    spark_context *sc = spark_context_new(
        &(spark_conf) { .threads = 1, .memory_bytes = (uint64_t)64 * MIB, .task_max_failures = 1 });
    spark_rdd *many = spark_map(spark_range(sc, 0, 12 * ROWS, 1, 16), to_pair, NULL);
    spark_rdd *lists = spark_group_by_key(spark_map(many, to_one_key, NULL), 4);
    assert_int_equal(spark_count(lists, &n), SPARK_ENOMEM);
    assert_non_null(strstr(spark_last_error()->message,
        "a list of up to 18000000 values of one key takes 144000000 bytes"));
    assert_non_null(strstr(spark_last_error()->message, "spark_conf.memory_bytes is 67108864"));
    spark_rdd *texts = spark_map(spark_range(sc, 0, 10, 1, 2), to_long_text, NULL);
    assert_int_equal(
        spark_count(spark_partition_by(texts, spark_hash_partitioner(sc, 4)), &n), SPARK_ENOMEM);
    assert_non_null(strstr(spark_last_error()->message, "a row takes 251658"));
    int64_t *numbers = calloc(10 * MIB, sizeof *numbers);
    assert_non_null(numbers);
    spark_rdd *copy = spark_parallelize(sc, SPARK_TYPE(int64_t), 10 * MIB, numbers, 2);
    assert_int_equal(spark_count(copy, &n), SPARK_ENOMEM);
    assert_non_null(strstr(spark_last_error()->message, "a copy of the elements takes 83886081 bytes"));
    free(numbers);
    assert_int_equal(spark_count(work(sc, 5), &n), SPARK_OK);
    spark_context_free(sc);
}

/* spoil: overwrites some of every spill file of this process that is in the directory. */
static int spoil(const char *directory)
{
    char path[64], name[300], noise[4096];
    int spoilt = 0;
    memset(noise, 0x5a, sizeof noise);
    for (int fd = 3; fd < 256; fd++) {
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        const ssize_t n = readlink(path, name, sizeof name - 1);
        if (n <= 0 || strncmp(name, directory, strlen(directory)) != 0)
            continue;
        const off_t end = lseek(fd, 0, SEEK_END);
        for (off_t at = end / 3; at < end * 2 / 3; at += 100 * (off_t)sizeof noise)
            assert_int_equal(pwrite(fd, noise, sizeof noise, at), sizeof noise);
        spoilt += end > 0;
    }
    return spoilt;
}

static void test_spill__finds_what_has_changed_and_makes_it_again(void **state)
{
    char directory[] = "/tmp/libspark-test-XXXXXX";
    (void)state;
    assert_non_null(mkdtemp(directory));
    for (int which = 3; which <= (TESTS_WATCH_THREADS ? 3 : 5); which++) {
        spark_job_stats stats;
        spark_context *sc = spark_context_new(&(spark_conf) { .threads = 2,
            .memory_bytes = (uint64_t)40 * MIB,
            .local_dir = directory,
            .task_max_failures = 1000,
            .stage_max_attempts = 1000 });
        spark_rdd *rdd = work(sc, which);
        const int64_t want = digest_of(rdd);
        assert_true(spoil(directory) > 0);
        assert_int_equal(digest_of(rdd), want);
        assert_int_equal(spark_job_stats_get(sc, SPARK_ANY, &stats), SPARK_OK);
        assert_true(stats.spilled_bytes > 0); /* by what was made again */
        spark_context_free(sc);
    }
    assert_int_equal(rmdir(directory), 0);
}

static void test_cache__leaves_half_of_the_memory(void **state)
{
    int64_t n;
    (void)state;
    spark_context *sc
        = spark_context_new(&(spark_conf) { .threads = 2, .memory_bytes = (uint64_t)80 * MIB });
    spark_rdd *rdd = spark_cache(spark_range(sc, 0, 8 * ROWS, 1, 24));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(spark_count(rdd, &n), SPARK_OK);
        assert_int_equal(n, 8 * ROWS);
    }
    const int cached = spark_rdd_cached_partitions(rdd);
    assert_true(cached > 0 && cached < 24);
    assert_int_equal(spark_count(spark_sort_by(work(sc, 7), NULL, 16), &n), SPARK_OK);
    assert_int_equal(n, ROWS);
    spark_context_free(sc);
}

/* Rows are few and their places many: what is kept of a run is in proportion to its rows. */
static int64_t sum_small_maps(spark_context *sc, int maps, int partitions)
{
    spark_rdd *pairs = spark_map(spark_range(sc, 0, ROWS, 1, maps), to_pair, NULL);
    spark_rdd *sums = spark_reduce_by_key(pairs, spark_op_sum, NULL, partitions);
    return digest_of(spark_map(sums, digest_pair, NULL));
}

static void test_spill__takes_small_maps_and_small_partitions(void **state)
{
    static const int shapes[][2] = { { 10000, 64 }, { 64, 5000 }, { 1000, 1000 } };
    const spark_conf tight_conf
        = { .threads = 1, .memory_bytes = (uint64_t)32 * MIB, .batch_rows = 7 };
    (void)state;
    for (size_t i = 0; i < LENGTH(shapes); i++) {
        uint64_t peak;
        spark_context *plain = spark_context_new(&(spark_conf) { .threads = 2 });
        const int64_t want = sum_small_maps(plain, shapes[i][0], shapes[i][1]);
        spark_context_free(plain);
        spark_context *tight = spark_context_new(&tight_conf);
        assert_int_equal(sum_small_maps(tight, shapes[i][0], shapes[i][1]), want);
        assert_int_equal(sum_small_maps(tight, 4, 4), sum_small_maps(tight, 4, 4));
        spark_memory_bytes(tight, &peak);
        assert_true(peak <= 32 * MIB);
        spark_context_free(tight);
    }
}

SPARK_FILTER(not_the_last, int64_t)
{
    if (*in == ROWS - 1)
        spark_fail(task, "the last one");
    return true;
}

static void test_spill__nothing_stays_of_a_job_that_failed(void **state)
{
    int64_t n;
    (void)state;
    spark_context *sc = spark_context_new(&(spark_conf) { .threads = 2,
        .memory_bytes = (uint64_t)40 * MIB,
        .task_max_failures = 1 });
    spark_rdd *many = spark_map(spark_range(sc, 0, 4 * ROWS, 1, 40), to_pair, NULL);
    spark_rdd *one_list = spark_group_by_key(spark_map(many, to_one_key, NULL), 1);
    assert_int_equal(spark_count(one_list, &n), SPARK_ENOMEM);
    assert_true(spark_memory_bytes(sc, NULL) < MIB);
    spark_rdd *numbers = spark_filter(spark_range(sc, 0, ROWS, 1, 40), not_the_last, NULL);
    spark_rdd *sums = spark_reduce_by_key(
        spark_map(numbers, to_pair, NULL), spark_op_sum, NULL, 16);
    assert_int_equal(spark_count(sums, &n), SPARK_ETASK);
    assert_true(spark_memory_bytes(sc, NULL) < MIB);
    assert_int_equal(spark_count(work(sc, 0), &n), SPARK_OK);
    spark_context_free(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spill__changes_no_bit),
        cmocka_unit_test(test_spill__survives_faults),
        cmocka_unit_test(test_spill__takes_small_maps_and_small_partitions),
        cmocka_unit_test(test_spill__nothing_stays_of_a_job_that_failed),
        cmocka_unit_test(test_spill__leaves_no_file_and_no_descriptor),
        cmocka_unit_test(test_spill__tells_where_it_cannot_write),
        cmocka_unit_test(test_spill__tells_that_the_disk_is_full),
        cmocka_unit_test(test_spill__that_is_too_large_ends_no_process),
        cmocka_unit_test(test_spill__tells_that_there_are_no_descriptors),
        cmocka_unit_test(test_spill__finds_what_has_changed_and_makes_it_again),
        cmocka_unit_test(test_budget__says_what_was_too_large),
        cmocka_unit_test(test_cache__leaves_half_of_the_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
