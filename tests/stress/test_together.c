/* SPDX-License-Identifier: Apache-2.0 */
/* Cached RDDs of all levels that several users need at once, while attempts hang or are slow, copies of
 * them win, tasks wait for blocks that hanging ones were to compute, and executors are killed: the answers are those of a context that nobody disturbs, and there is one, before the alarm. */
#include "spark_test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "slow.h"

enum { ROUNDS = TESTS_ARE_SLOW ? 2 : 8 };
#define COUNT_OF(a) (sizeof(a) / sizeof *(a))

enum { USERS = 3, JOBS = 6, ROWS = 6000, PARTITIONS = 6, KEYS = 50, KINDS = 7 };

SPARK_PAIR(str_pair, spark_str, int64_t);
SPARK_PAIR(i64_pair, int64_t, int64_t);
SPARK_PAIR(text_and_number, str_pair, int64_t);

static const spark_level levels[] = { SPARK_MEMORY_ONLY, SPARK_MEMORY_AND_DISK, SPARK_DISK_ONLY,
    SPARK_MEMORY_ONLY_SER, SPARK_MEMORY_AND_DISK_SER };

SPARK_MAP(to_text, int64_t, str_pair)
{
    *out = (str_pair) { spark_str_format(task, "%0100d", (int)(*in % KEYS)), *in };
}
SPARK_MAP(number_of, str_pair, int64_t)
{
    *out = in->value + (int64_t)in->key.len;
}
SPARK_MAP(number_of_both, text_and_number, int64_t)
{
    *out = in->key.value ^ in->value;
}

typedef struct shared {
    spark_context *sc;
    spark_rdd *kept[COUNT_OF(levels)], *one; /* one: of a single partition */
    const int64_t *wanted;
    atomic_bool over;
} shared;

typedef struct user {
    pthread_t thread;
    shared *shared;
    uint64_t random;
    int wrong; /* kind of the job; -1: none */
    char message[300];
} user;

static uint64_t draw(uint64_t *random, uint64_t below)
{
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    return *random % below;
}

static bool sum(spark_rdd *numbers, int64_t *result)
{
    spark_array array;
    if (spark_reduce(numbers, spark_op_sum, NULL, SPARK_TYPE(int64_t), &array) != SPARK_OK)
        return false;
    *result = *SPARK_ITEMS(int64_t, &array);
    spark_array_free(&array);
    return true;
}

/* job: of a kind, which has one answer whatever the level of the RDD that it reads. */
static bool job(shared *s, int kind, size_t level, int64_t *result)
{
    spark_rdd *kept = s->kept[level], *other = s->kept[(level + 1) % COUNT_OF(levels)];
    spark_rdd *numbers = spark_map(kept, number_of, NULL);
    switch (kind) {
    case 0:
        return sum(numbers, result);
    case 1: /* every task needs the same block */
        numbers = spark_map(spark_cartesian(s->one, spark_range(s->sc, 0, 12, 1, PARTITIONS)),
            number_of_both, NULL);
        return sum(numbers, result);
    case 2: /* two tasks need each */
        return sum(spark_map(spark_union(kept, kept), number_of, NULL), result);
    case 3: /* one task needs several */
        return sum(spark_coalesce(spark_map(spark_union(kept, other), number_of, NULL), 4), result);
    case 4:
        return sum(spark_values(spark_reduce_by_key(kept, spark_op_max, NULL, PARTITIONS)), result);
    case 5: /* each task needs two */
        return sum(spark_map(spark_zip(kept, spark_map(other, number_of, NULL)), number_of_both, NULL),
            result);
    default:
        return spark_count(spark_distinct(spark_map(other, number_of, NULL), PARTITIONS), result)
            == SPARK_OK;
    }
}

static void keep_all(shared *s)
{
    spark_rdd *range = spark_range(s->sc, 0, ROWS, 1, PARTITIONS);
    for (size_t i = 0; i < COUNT_OF(levels); i++)
        s->kept[i] = spark_persist(spark_map(range, to_text, NULL), levels[i]);
    s->one = spark_persist(spark_map(spark_range(s->sc, 0, ROWS / 40, 1, 1), to_text, NULL),
        SPARK_MEMORY_AND_DISK);
}

/* forget: blocks go, so that they are to be computed again. */
static void forget(user *u)
{
    shared *s = u->shared;
    const size_t level = draw(&u->random, COUNT_OF(levels));
    if (draw(&u->random, 3) == 0) {
        (void)spark_unpersist(s->kept[level]);
        (void)spark_persist(s->kept[level], levels[level]);
    }
    spark_drop_block(s->kept[level], (int)draw(&u->random, PARTITIONS));
    spark_drop_block(s->one, 0);
}

static void *use(void *argument)
{
    user *u = argument;
    for (int i = 0; i < JOBS && u->wrong < 0; i++) {
        SPARK_SCOPED(u->shared->sc);
        const int kind = (int)draw(&u->random, KINDS);
        int64_t result = 0;
        forget(u);
        if (!job(u->shared, kind, draw(&u->random, COUNT_OF(levels)), &result)) {
            u->wrong = kind;
            snprintf(u->message, sizeof u->message, "%s", spark_last_error()->message);
        } else if (result != u->shared->wanted[kind]) {
            u->wrong = kind;
            snprintf(u->message, sizeof u->message, "%lld instead of %lld", (long long)result,
                (long long)u->shared->wanted[kind]);
        }
    }
    return NULL;
}

static void *kill_some(void *argument)
{
    shared *s = argument;
    uint64_t random = 88172645463325252u;
    const struct timespec a_while = { 0, 50000000 };
    while (!atomic_load(&s->over)) {
        spark_executor_info infos[5];
        const size_t all = spark_executors(s->sc, infos, COUNT_OF(infos));
        size_t alive = 0;
        while (alive < all && alive < COUNT_OF(infos) && infos[alive].state == SPARK_EXECUTOR_ALIVE)
            alive++;
        nanosleep(&a_while, NULL);
        if (alive > 0)
            (void)spark_kill_executor(s->sc, infos[draw(&random, alive)].id, NULL);
    }
    return NULL;
}

/* run: users on a context; in each stage one attempt hangs, and one is slow. There are more threads than
 * attempts that can hang at once, and memory for as many. */
static void run(const char *master, bool kills, uint64_t seed, const int64_t *wanted)
{
    const spark_fault faults[] = {
        { SPARK_FAULT_HANG, .job = SPARK_ANY, .stage = SPARK_ANY, .partition = (int)(seed % PARTITIONS) },
        { SPARK_FAULT_DELAY, .job = SPARK_ANY, .stage = SPARK_ANY,
            .partition = (int)((seed + 1) % PARTITIONS), .delay_ms = 3 },
    };
    shared s = { .wanted = wanted };
    user users[USERS];
    pthread_t killer;
    s.sc = spark_context_new(&(spark_conf) { .master = master,
        .speculation = { .on = true, .quantile = 0.25, .interval_ms = 5, .min_runtime_ms = 5 },
        .faults = faults,
        .n_faults = COUNT_OF(faults),
        .stage_max_attempts = 10000 });
    assert_non_null(s.sc);
    keep_all(&s);
    for (int i = 0; i < USERS; i++) {
        users[i] = (user) { .shared = &s, .wrong = -1,
            .random = UINT64_C(0x9e3779b97f4a7c15) * (seed * USERS + (uint64_t)i + 1) };
        assert_int_equal(pthread_create(&users[i].thread, NULL, use, &users[i]), 0);
    }
    if (kills)
        assert_int_equal(pthread_create(&killer, NULL, kill_some, &s), 0);
    for (int i = 0; i < USERS; i++)
        pthread_join(users[i].thread, NULL);
    atomic_store(&s.over, true);
    if (kills)
        pthread_join(killer, NULL);
    for (int i = 0; i < USERS; i++)
        if (users[i].wrong >= 0)
            fail_msg("%s, seed %d, user %d, job of kind %d: %s", master, (int)seed, i, users[i].wrong,
                users[i].message);
    spark_context_free(s.sc);
}

static const char *const masters[] = { "local[9]", "local-cluster[3,3,128]", "local-cluster[5,2,96]" };

static void run_all(bool kills)
{
    shared undisturbed = { .sc = spark_context_new(&(spark_conf) { .master = "local[2]" }) };
    int64_t wanted[KINDS];
    keep_all(&undisturbed);
    for (int kind = 0; kind < KINDS; kind++)
        assert_true(job(&undisturbed, kind, 0, &wanted[kind]));
    spark_context_free(undisturbed.sc);
    alarm(300);
    for (uint64_t round = 0; round < ROUNDS; round++)
        for (size_t i = 0; i < COUNT_OF(masters); i++)
            run(masters[i], kills, round * COUNT_OF(masters) + i, wanted);
    alarm(0);
}

static void test_together__tasks_that_wait_and_attempts_that_hang(void **state)
{
    (void)state;
    run_all(false);
}

static void test_together__and_executors_are_killed(void **state)
{
    (void)state;
    run_all(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_together__tasks_that_wait_and_attempts_that_hang),
        cmocka_unit_test(test_together__and_executors_are_killed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
