/* SPDX-License-Identifier: Apache-2.0 */
/* Budgets: whatever has to be held is larger than the memory, and no bit of a result changes; the process
 * stays within what it was given. */
#include "oracle.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MIB = 1024 * 1024 };

SPARK_STRUCT(wide, (int64_t, n), (double, x), (spark_str, text), (int8_t, small));
SPARK_LIST(wide_list, wide);
SPARK_PAIR(nested, wide_list, int16_t);
SPARK_PAIR(kv, int64_t, int64_t);
SPARK_PAIR(wide_pair, wide, wide);
SPARK_PAIR(nested_pair, nested, int64_t);
SPARK_PAIR(i64_wide, int64_t, wide);
SPARK_PAIR(tiny_nested, int8_t, nested);

static uint64_t mix(uint64_t x)
{
    x ^= x >> 31;
    x *= UINT64_C(0x9e3779b97f4a7c15);
    return x ^ x >> 29;
}

/* is_watched: what watches a program takes memory and time of its own. */
static bool is_watched(void)
{
    const char *preload = getenv("LD_PRELOAD");
    return TESTS_ARE_SLOW || (preload && strstr(preload, "vgpreload")); /* valgrind */
}

/* ---- rows of several shapes, made of a number */

static wide wide_of(spark_task *task, int64_t n)
{
    const size_t length = (size_t)(mix((uint64_t)n) % 60);
    char *text = spark_alloc(task, length + 1);
    for (size_t i = 0; text && i < length; i++)
        text[i] = (char)('a' + (n + (int64_t)i) % 26);
    wide w;
    memset(&w, 0, sizeof w);
    w.n = n;
    w.x = (double)n / 3;
    w.text = (spark_str) { text, text ? length : 0 };
    w.small = (int8_t)n;
    return w;
}

static uint64_t digest_wide(const wide *w)
{
    uint64_t h = mix((uint64_t)w->n + (uint64_t)w->small) + w->text.len;
    for (size_t i = 0; i < w->text.len; i++)
        h = h * 31 + (unsigned char)w->text.ptr[i];
    return h;
}

SPARK_MAP(to_wide, int64_t, wide)
{
    *out = wide_of(task, *in);
}
SPARK_MAP(to_nested, int64_t, nested)
{
    const size_t n = (size_t)(mix((uint64_t)*in) % 4);
    wide *items = spark_alloc(task, (n + 1) * sizeof *items);
    for (size_t i = 0; items && i < n; i++)
        items[i] = wide_of(task, *in + (int64_t)i);
    memset(out, 0, sizeof *out);
    out->key = (wide_list) { items, items ? n : 0 };
    out->value = (int16_t)*in;
}
SPARK_MAP(to_tiny, int64_t, int8_t)
{
    *out = (int8_t)mix((uint64_t)*in);
}

static uint64_t digest_nested(const nested *row)
{
    uint64_t h = (uint64_t)row->value;
    for (size_t i = 0; i < row->key.n; i++)
        h = h * 1000003 + digest_wide(&row->key.at[i]);
    return h;
}

SPARK_MAP(digest_wide_pair, wide_pair, int64_t)
{
    *out = (int64_t)(digest_wide(&in->key) * 3 + digest_wide(&in->value));
}
SPARK_MAP(digest_nested_pair, nested_pair, int64_t)
{
    *out = (int64_t)(digest_nested(&in->key) * 3 + (uint64_t)in->value);
}
SPARK_MAP(digest_tiny_nested, tiny_nested, int64_t)
{
    *out = (int64_t)(digest_nested(&in->value) * 3 + (uint64_t)in->key);
}
SPARK_MAP(digest_kv, kv, int64_t)
{
    *out = (int64_t)(mix((uint64_t)in->key) * 3 + (uint64_t)in->value);
}
SPARK_MAP(digest_one_wide, wide, int64_t)
{
    *out = (int64_t)digest_wide(in);
}
SPARK_MAP(digest_i64_wide, i64_wide, int64_t)
{
    *out = in->key * 7 + (int64_t)digest_wide(&in->value);
}

/* ---- functions that hold on to what they have read as long as they may */

/* every_other: emits views of what it reads, and looks ahead. */
SPARK_PARTITIONS(every_other, wide, wide)
{
    for (const wide *w; (w = spark_next(in));) {
        const wide *next = spark_peek(in);
        if (next ? next->n != w->n : w->n >= 0)
            spark_emit(out, *w);
    }
}

/* sides: of two inputs of several types, one read twice as fast. */
SPARK_ZIP_PARTITIONS(sides, wide, int64_t, i64_wide)
{
    for (const wide *w; (w = spark_next(a));) {
        i64_wide row;
        memset(&row, 0, sizeof row);
        const int64_t *first = spark_next(b);
        row.key = first ? *first : -1;
        const int64_t *second = spark_next(b);
        row.key += second ? *second : -1;
        row.value = *w;
        spark_emit(out, row);
    }
}

/* ---- the same work under any budget */

enum { ROWS = 240000, WORKS = 7 };

static spark_rdd *numbers(spark_context *sc, int64_t n, int partitions)
{
    return spark_range(sc, 0, n, 1, partitions);
}

static spark_rdd *work(spark_context *sc, int which)
{
    spark_rdd *rows = numbers(sc, ROWS, 3);
    switch (which) {
    case 0:
        return spark_map(
            spark_zip(spark_map(rows, to_wide, NULL), spark_map(rows, to_wide, NULL)),
            digest_wide_pair, NULL);
    case 1:
        return spark_map(
            spark_zip(spark_map(rows, to_nested, NULL), rows), digest_nested_pair, NULL);
    case 2:
        return spark_map(spark_zip(spark_map(rows, to_tiny, NULL), spark_map(rows, to_nested, NULL)),
            digest_tiny_nested, NULL);
    case 3:
        return spark_map(spark_map_partitions(spark_map(rows, to_wide, NULL), every_other, NULL),
            digest_one_wide, NULL);
    case 4:
        return spark_map(
            spark_zip_partitions(spark_map(rows, to_wide, NULL), numbers(sc, 3 * ROWS, 3), sides, NULL),
            digest_i64_wide, NULL);
    case 5: /* few on the left, many on the right */
        return spark_map(
            spark_cartesian(numbers(sc, 3, 2), numbers(sc, 6 * ROWS, 1)), digest_kv, NULL);
    default: /* a drained side inside another */
        return spark_map(
            spark_zip(spark_map(rows, to_wide, NULL),
                spark_map_partitions(spark_map(rows, to_wide, NULL), every_other, NULL)),
            digest_wide_pair, NULL);
    }
}

/* digest: of all rows in their order, and how much went to disk. */
static uint64_t digest(const spark_conf *conf, int which, int64_t *spilled)
{
    spark_context *sc = spark_context_new(conf);
    spark_local_iterator *it = spark_to_local_iterator(work(sc, which), SPARK_TYPE(int64_t));
    uint64_t h = 0, n = 0;
    spark_job_stats stats;
    *spilled = 0;
    for (const int64_t *row; (row = SPARK_LOCAL_NEXT(int64_t, it)); n++)
        h = h * 1000003 + (uint64_t)*row;
    if (spark_local_iterator_status(it) != SPARK_OK)
        fail_msg("work %d, %d MiB, %d threads: %s", which, (int)(conf->memory_bytes / MIB),
            conf->threads, spark_last_error()->message);
    if (spark_job_stats_get(sc, SPARK_ANY, &stats) == SPARK_OK)
        *spilled = stats.spilled_bytes;
    spark_context_free(sc);
    return mix(h) + n;
}

static void test_budget__of_any_size_gives_the_same_bits(void **state)
{
    static const int mib[] = { 8, 16, 32, 64 }, threads[] = { 1, 2, 8, 64 };
    (void)state;
    for (int which = 0; which < WORKS; which++) {
        int64_t spilled;
        const spark_conf ample = { .threads = 2 };
        const uint64_t want = digest(&ample, which, &spilled);
        assert_int_equal(spilled, 0);
        for (size_t b = 0; b < (is_watched() ? 1 : LENGTH(mib)); b++) {
            const spark_conf conf = { .threads = threads[(b + (size_t)which) % 4],
                .memory_bytes = (uint64_t)mib[b] * MIB,
                .batch_rows = which % 2 ? 7 : 0,
                .task_max_failures = 1 };
            assert_int_equal(digest(&conf, which, &spilled), want);
            assert_true(b > 0 || spilled > 0 || which == 1); /* the right side of which is small */
        }
    }
}

/* Faults: what an attempt had on disk goes with it. */
static void test_budget__survives_faults(void **state)
{
    static const spark_fault faults[]
        = { { .kind = SPARK_FAULT_RANDOM, .job = SPARK_ANY, .stage = SPARK_ANY,
            .partition = SPARK_ANY, .attempt = SPARK_ANY, .rate = 0.3, .seed = 5 } };
    (void)state;
    for (int which = 0; which < WORKS; which += 3) {
        int64_t spilled;
        const spark_conf ample = { .threads = 2 }, hard = { .threads = 2,
            .memory_bytes = 8 * MIB, .faults = faults, .n_faults = 1 };
        const uint64_t want = digest(&ample, which, &spilled);
        assert_int_equal(digest(&hard, which, &spilled), want);
        assert_true(spilled > 0);
    }
}

/* ---- actions: what they hold fits, whatever they look at does not */

enum { ACTIONS = 12 };

typedef const spark_accumulator *counter;

SPARK_FOREACH_PARTITION(visit_all, wide, counter)
{
    for (const wide *w; (w = spark_next(in));)
        spark_accumulate(task, *env, (int64_t)(digest_wide(w) % 1000));
}
SPARK_MAP(to_kv, int64_t, kv)
{
    *out = (kv) { *in % 1000, *in };
}
SPARK_MAP(length_of, wide, int64_t)
{
    *out = (int64_t)in->text.len;
}

static uint64_t digest_array(spark_array *array)
{
    const size_t n = array->type ? array->n * array->type->size : 0;
    uint64_t h = array->n;
    for (size_t i = 0; i < n; i++)
        h = h * 1000003 + ((const unsigned char *)array->items)[i];
    spark_array_free(array);
    return h;
}

/* act: one of the actions, on more rows than the memory holds. */
static spark_status act(spark_context *sc, int which, uint64_t *h)
{
    spark_rdd *many = numbers(sc, 3 * MIB, 9); /* 24 MiB */
    spark_rdd *wides = spark_map(numbers(sc, ROWS, 3), to_wide, NULL);
    spark_rdd *pairs = spark_map(many, to_kv, NULL);
    spark_array array = { NULL, NULL, 0, NULL };
    const int64_t key = 77;
    int64_t n = 0, counts[10];
    double edges[11], number = 0;
    size_t found = 0;
    spark_status status;
    counter seen = spark_counter(sc, "seen");
    switch (which) {
    case 0:
        status = spark_reduce(many, spark_op_sum, NULL, SPARK_TYPE(int64_t), &array);
        break;
    case 1:
        status = spark_tree_reduce(many, spark_op_max, NULL, 3, SPARK_TYPE(int64_t), &array);
        break;
    case 2:
        status = spark_count_by_key(pairs, NULL, &array);
        break;
    case 3:
        status = spark_count_by_value(spark_map(wides, length_of, NULL), NULL, &array);
        break;
    case 4:
        status = spark_top(many, 20000, NULL, SPARK_TYPE(int64_t), &array);
        break;
    case 5:
        status = spark_take_ordered(many, 100, NULL, SPARK_TYPE(int64_t), &array);
        break;
    case 6:
        status = spark_take_sample(many, false, 50000, 3, SPARK_TYPE(int64_t), &array);
        break;
    case 7:
        status = spark_histogram(many, 10, edges, counts, &found);
        for (size_t i = 0; status == SPARK_OK && i < found; i++)
            *h = *h * 31 + (uint64_t)counts[i];
        break;
    case 8:
        status = spark_variance(many, &number);
        n = (int64_t)number;
        break;
    case 9:
        status = spark_count_approx_distinct(many, 0.01, &n);
        break;
    case 10:
        status = spark_lookup(pairs, SPARK_TYPE(int64_t), &key, SPARK_TYPE(int64_t), &array);
        break;
    default:
        status = spark_foreach_partition(wides, visit_all, SPARK_COPY(seen));
        n = spark_accumulator_value(seen);
    }
    if (status == SPARK_OK)
        *h = *h * 1000003 + (uint64_t)n + digest_array(&array);
    return status;
}

static void test_budget__lets_every_action_get_on(void **state)
{
    static const int mib[] = { 8, 24, 64 }, threads[] = { 64, 2, 8 };
    (void)state;
    for (int which = 0; which < ACTIONS; which++) {
        uint64_t want = 0;
        spark_context *sc = oracle_open(2);
        oracle_ok(act(sc, which, &want));
        oracle_close(sc);
        for (size_t b = 0; b < (is_watched() ? 1 : LENGTH(mib)); b++) {
            uint64_t h = 0;
            sc = oracle_open_conf(&(spark_conf) { .threads = threads[b],
                .memory_bytes = (uint64_t)mib[b] * MIB,
                .task_max_failures = 1 });
            oracle_ok(act(sc, which, &h));
            assert_int_equal(h, want);
            oracle_close(sc);
        }
    }
}

/* ---- less memory means fewer tasks at once */

static atomic_int running, most_running;

SPARK_MAP(note_running, int64_t, int64_t)
{
    const int now = atomic_fetch_add(&running, 1) + 1;
    int most = atomic_load(&most_running);
    while (now > most && !atomic_compare_exchange_weak(&most_running, &most, now))
        ;
    usleep(200);
    atomic_fetch_sub(&running, 1);
    *out = *in;
}

static void test_budget__decides_how_many_tasks_run_at_once(void **state)
{
    static const struct {
        int mib, most;
    } cases[] = { { 8, 1 }, { 32, 1 }, { 64, 2 }, { 128, 4 }, { 1024, 8 } };
    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        int64_t n;
        spark_context *sc = oracle_open_conf(
            &(spark_conf) { .threads = 8, .memory_bytes = (uint64_t)cases[i].mib * MIB });
        atomic_store(&most_running, 0);
        for (int again = 0; again < 3; again++) {
            oracle_ok(spark_count(spark_map(numbers(sc, 64, 64), note_running, NULL), &n));
            assert_int_equal(n, 64);
        }
        assert_in_range(atomic_load(&most_running), 1, cases[i].most);
        oracle_close(sc);
    }
}

/* ---- what earlier jobs hold */

SPARK_PAIR(named, spark_str, int64_t);
SPARK_MAP(to_named, int64_t, named)
{
    char *text = spark_alloc(task, 40);
    const int n = text ? snprintf(text, 40, "key-%d", (int)(*in % 30011)) : 0;
    *out = (named) { { text, (size_t)n }, *in };
}
SPARK_MAP(scatter, int64_t, int64_t)
{
    *out = (int64_t)(mix((uint64_t)*in) >> 20);
}

/* Shuffles of RDDs that the program still holds stay in memory as far as there is room; a thread's share is enough
 * beside them. */
static void test_budget__is_enough_beside_what_earlier_jobs_hold(void **state)
{
    (void)state;
    if (is_watched())
        return;
    spark_context *sc = oracle_open_conf(
        &(spark_conf) { .threads = 1, .memory_bytes = 32 * MIB, .task_max_failures = 1 });
    for (int i = 0; i < 6; i++) {
        oracle_count(spark_reduce_by_key(
            spark_map(spark_range(sc, i, 600000, 1, 5), to_named, NULL), spark_op_sum, NULL, 3));
        oracle_count(spark_distinct(spark_map(spark_range(sc, i, 300000, 1, 5), scatter, NULL), 3));
    }
    assert_true(spark_memory_bytes(sc, NULL) > 8 * MIB);
    assert_int_equal(
        oracle_count(spark_group_by_key(spark_map(numbers(sc, 1000000, 5), to_named, NULL), 3)), 30011);
    oracle_close(sc);
}

/* As many partitions as want a sample of more keys than fit. */
static void test_budget__is_enough_to_sort_into_many_partitions(void **state)
{
    enum { MANY = 10000 };
    (void)state;
    spark_context *sc
        = oracle_open_conf(&(spark_conf) { .threads = 1, .memory_bytes = 64 * MIB, .task_max_failures = 1 });
    spark_rdd *sorted = spark_sort_by(spark_map(numbers(sc, 1000000, 4), scatter, NULL), NULL, MANY);
    assert_int_equal(oracle_count(sorted), 1000000);
    assert_int_equal(spark_rdd_partitions(sorted), MANY);
    oracle_close(sc);
}

/* ---- results */

static void test_result__may_be_as_large_as_the_memory(void **state)
{
    (void)state;
    enum { N = 180000 };
    for (int threads = 1; threads <= 4; threads *= 4) {
        spark_array rows;
        spark_context *sc = oracle_open_conf(
            &(spark_conf) { .threads = threads, .memory_bytes = 16 * MIB, .task_max_failures = 1 });
        assert_int_equal(spark_memory_limit(sc), 16 * MIB);
        spark_rdd *all = spark_map(numbers(sc, N, 5), to_wide, NULL); /* 14 MiB */
        oracle_ok(spark_collect(all, SPARK_TYPE(wide), &rows));
        assert_int_equal(rows.n, N);
        const wide *at = rows.items;
        for (int64_t i = 0; i < N; i++) {
            assert_int_equal(at[i].n, i);
            assert_int_equal(at[i].text.len, mix((uint64_t)i) % 60);
            for (size_t k = 0; k < at[i].text.len; k++)
                assert_int_equal(at[i].text.ptr[k], 'a' + (i + (int64_t)k) % 26);
        }
        /* it is the program's now: the next job has all of the memory */
        assert_true(spark_memory_bytes(sc, NULL) < 3 * MIB);
        spark_array again;
        oracle_ok(spark_take(all, N, SPARK_TYPE(wide), &again));
        assert_int_equal(again.n, N);
        spark_array_free(&rows);
        spark_array_free(&again);
        assert_true(spark_memory_bytes(sc, NULL) < 3 * MIB);
        oracle_close(sc);
    }
}

static void test_result__that_is_too_large_names_the_limit(void **state)
{
    (void)state;
    spark_array rows;
    int64_t n;
    spark_context *sc = oracle_open_conf(&(spark_conf) { .threads = 2, .memory_bytes = 8 * MIB });
    spark_rdd *many = numbers(sc, 4 * MIB, 8);
    oracle_fails(spark_collect(many, SPARK_TYPE(int64_t), &rows), SPARK_ENOMEM,
        "spark_conf.max_result_bytes is 8388608, as memory_bytes");
    oracle_fails(spark_take(many, 3 * MIB, SPARK_TYPE(int64_t), &rows), SPARK_ENOMEM,
        "the result is too large");
    assert_null(strstr(spark_last_error()->message, "failed 4 times"));
    oracle_ok(spark_count(many, &n));
    oracle_ok(spark_take(many, 1000, SPARK_TYPE(int64_t), &rows));
    spark_array_free(&rows);
    spark_local_iterator *it = spark_to_local_iterator(many, SPARK_TYPE(int64_t));
    for (n = 0; SPARK_LOCAL_NEXT(int64_t, it); n++)
        ;
    assert_int_equal(n, 4 * MIB);
    oracle_close(sc);

    sc = oracle_open_conf(
        &(spark_conf) { .threads = 2, .memory_bytes = 8 * MIB, .max_result_bytes = 64 * MIB });
    oracle_ok(spark_collect(numbers(sc, 4 * MIB, 8), SPARK_TYPE(int64_t), &rows));
    assert_int_equal(rows.n, 4 * MIB);
    for (int64_t i = 0; i < 4 * MIB; i++)
        assert_true(((const int64_t *)rows.items)[i] == i);
    spark_array_free(&rows);
    oracle_close(sc);

    sc = oracle_open_conf(&(spark_conf) { .threads = 2, .max_result_bytes = 8 });
    oracle_ok(spark_collect(numbers(sc, 1, 1), SPARK_TYPE(int64_t), &rows));
    spark_array_free(&rows);
    oracle_fails(spark_collect(numbers(sc, 2, 2), SPARK_TYPE(int64_t), &rows), SPARK_ENOMEM,
        "16 bytes");
    oracle_close(sc);
}

static void test_error__of_a_row_that_is_too_large_names_it(void **state)
{
    (void)state;
    spark_array rows;
    spark_context *sc = oracle_open_conf(
        &(spark_conf) { .threads = 1, .memory_bytes = 8 * MIB, .task_max_failures = 1 });
    spark_rdd *list = spark_glom(numbers(sc, 4 * MIB, 1));
    oracle_fails(spark_collect(list, NULL, &rows), SPARK_ENOMEM, "elements of a partition");
    assert_non_null(strstr(spark_last_error()->message, "spark_conf.memory_bytes is 8388608"));
    oracle_close(sc);
}

/* ---- what the system sees */

/* peak_kib: the most the process has had, of /proc. */
static long peak_kib(void)
{
    char line[200];
    long kib = -1;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "VmHWM: %ld kB", &kib) == 1)
            break;
    if (file)
        fclose(file);
    return kib;
}

/* grown: how much a process grows by a work under a budget; negative: it has failed. */
static long grown(int which, int mib, int threads)
{
    int64_t spilled;
    int fds[2];
    long kib = -1;
    if (pipe(fds) != 0)
        return -1;
    const pid_t child = fork();
    if (child == 0) {
        const long before = peak_kib();
        const spark_conf conf
            = { .threads = threads, .memory_bytes = (uint64_t)mib * MIB, .task_max_failures = 1 };
        digest(&conf, which, &spilled);
        kib = peak_kib() - before;
        _exit(write(fds[1], &kib, sizeof kib) != sizeof kib);
    }
    close(fds[1]);
    if (child < 0 || read(fds[0], &kib, sizeof kib) != sizeof kib)
        kib = -1;
    close(fds[0]);
    if (child > 0)
        waitpid(child, NULL, 0);
    return kib;
}

static void test_process__stays_within_the_budget_and_64_mib(void **state)
{
    (void)state;
    for (int which = 0; which < WORKS && !is_watched(); which += 2)
        for (int mib = 8; mib <= 64; mib *= 2) {
            const long kib = grown(which, mib, mib == 8 ? 64 : 2);
            assert_true(kib >= 0);
            if (kib > (mib + 64) * 1024)
                fail_msg("work %d under %d MiB: %ld KiB", which, mib, kib);
        }
}

/* ---- memory that others take */

enum { LARGE = 40 * MIB };
SPARK_STRUCT(meeting, (uint64_t, here), (int64_t, bytes), (int64_t, wanted));

/* take: holds memory, at first until another attempt has come, or a while. */
SPARK_MAP(take, int64_t, int64_t, meeting)
{
    atomic_int *here = (atomic_int *)(uintptr_t)env->here;
    char *large = spark_alloc(task, (size_t)env->bytes);
    atomic_fetch_add(here, 1);
    if (!large)
        return;
    memset(large, (int)*in, (size_t)env->bytes);
    for (int i = 0; i < 2000 && atomic_load(here) < env->wanted; i++)
        usleep(1000);
    *out = *in + large[env->bytes - 1];
}

/* Two attempts hold more than there is: the one that is refused runs again when the other is done, and no failure of
 * its task is counted, of which one would end the job. What is too much for one alone fails as often as it may. */
static void test_attempt__that_others_leave_no_memory_runs_alone(void **state)
{
    (void)state;
    static const struct {
        const char *master;
        int64_t bytes;
        int failures;
    } trials[] = { { "local[2,1]", LARGE, 1 }, { "local[4,1]", LARGE, 1 }, { "local[2,3]", 70 * (int64_t)MIB, 3 },
        { "local-cluster[1,2,64]", LARGE, 1 } };
    for (size_t i = 0; i < LENGTH(trials); i++) {
        const bool fits = trials[i].bytes < 64 * (int64_t)MIB;
        atomic_int here = 0;
        const meeting m = { (uintptr_t)&here, trials[i].bytes, 2 };
        spark_context *sc = oracle_open_conf(&(spark_conf) { .master = trials[i].master, .memory_bytes = 64 * MIB });
        spark_rdd *rdd = spark_map(spark_range(sc, 0, 8, 1, 8), take, SPARK_COPY(m));
        spark_array found;
        spark_job_stats stats;
        if (fits) {
            oracle_ok(spark_collect(rdd, SPARK_TYPE(int64_t), &found));
            assert_int_equal(found.n, 8);
            for (int64_t n = 0; n < 8; n++)
                assert_int_equal(SPARK_ITEMS(int64_t, &found)[n], 2 * n);
            spark_array_free(&found);
            oracle_ok(spark_job_stats_get(sc, SPARK_ANY, &stats));
            assert_in_range(stats.failed_tasks, 1, 4);
        } else {
            char told[40];
            snprintf(told, sizeof told, " failed %d times", trials[i].failures);
            assert_int_equal(spark_collect(rdd, SPARK_TYPE(int64_t), &found), SPARK_ENOMEM);
            assert_non_null(strstr(spark_last_error()->message, told));
        }
        oracle_close(sc);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        oracle_test(test_process__stays_within_the_budget_and_64_mib),
        oracle_test(test_budget__of_any_size_gives_the_same_bits),
        oracle_test(test_budget__survives_faults),
        oracle_test(test_budget__lets_every_action_get_on),
        oracle_test(test_budget__decides_how_many_tasks_run_at_once),
        oracle_test(test_attempt__that_others_leave_no_memory_runs_alone),
        oracle_test(test_budget__is_enough_beside_what_earlier_jobs_hold),
        oracle_test(test_budget__is_enough_to_sort_into_many_partitions),
        oracle_test(test_result__may_be_as_large_as_the_memory),
        oracle_test(test_result__that_is_too_large_names_the_limit),
        oracle_test(test_error__of_a_row_that_is_too_large_names_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
