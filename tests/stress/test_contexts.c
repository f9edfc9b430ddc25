/* SPDX-License-Identifier: Apache-2.0 */
/* Many threads, small partitions, random faults, several contexts at once: for the thread
 * sanitizer, and for what only happens when everything happens together. Each answer is known. */
#include "spark_test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "slow.h"

enum { ROUNDS = TESTS_ARE_SLOW ? 16 : 40 };
enum { CONTEXTS = 4, USERS = 4, JOBS = 14, ROWS = 2000, KEYS = 40 };

SPARK_PAIR(i64_pair, int64_t, int64_t);
SPARK_PAIR(str_pair, spark_str, int64_t);
typedef const spark_accumulator *accumulator;

SPARK_MAP(to_pair, int64_t, i64_pair)
{
    *out = (i64_pair) { *in % KEYS, *in };
}
SPARK_MAP(to_text, int64_t, str_pair)
{
    *out = (str_pair) { spark_str_format(task, "key %d", (int)(*in % KEYS)), 1 };
}
SPARK_FLAT_MAP(thrice, int64_t, int64_t)
{
    for (int i = 0; i < 3; i++)
        if (!spark_emit(out, *in))
            return;
}
SPARK_FILTER(counts, int64_t, accumulator)
{
    spark_accumulate(task, *env, *in);
    return true;
}
SPARK_FILTER(counts_floats, int64_t, accumulator)
{
    spark_accumulate_f64(task, *env, (double)*in);
    return true;
}
SPARK_FILTER(fails_on, int64_t, int64_t)
{
    if (*in == *env)
        spark_fail(task, "not this one");
    return true;
}
SPARK_MAP(with_broadcast, int64_t, int64_t, spark_i64_list)
{
    *out = *in + env->at[(size_t)*in % env->n];
}
SPARK_MERGE(longest, spark_str, spark_str)
{
    if (in->len > acc->len)
        *acc = *in;
}

typedef struct shared {
    spark_context *sc;
    spark_rdd *kept, *kept_text, *shuffled;
    int number;
} shared;

typedef struct user {
    pthread_t thread;
    shared *shared;
    uint64_t random;
    int number;
    const char *wrong;
    char message[300];
} user;

static uint64_t draw(user *u, uint64_t below)
{
    u->random ^= u->random << 13;
    u->random ^= u->random >> 7;
    u->random ^= u->random << 17;
    return u->random % below;
}

static int partitions(user *u)
{
    return 1 + (int)draw(u, draw(u, 4) ? 9 : 64);
}

static bool counts_to(spark_rdd *rdd, int64_t wanted)
{
    int64_t n = -1;
    return spark_count(rdd, &n) == SPARK_OK && n == wanted;
}

/* values_add_up: of pairs with KEYS keys. */
static bool values_add_up(spark_rdd *rdd, const spark_type *type, int64_t wanted)
{
    spark_array all;
    int64_t total = 0;
    if (spark_collect(rdd, type, &all) != SPARK_OK)
        return false;
    for (size_t i = 0; i < all.n; i++)
        total += *(const int64_t *)(const void *)((const char *)all.items + i * all.type->size
            + all.type->fields[1].offset);
    const bool good = all.n == KEYS && total == wanted;
    spark_array_free(&all);
    return good;
}

static bool counter_is_exact(user *u)
{
    spark_context *sc = u->shared->sc;
    const spark_accumulator *count = spark_counter(sc, NULL);
    const spark_accumulator *floats = spark_float_counter(sc, NULL);
    spark_rdd *rdd = spark_filter(spark_filter(spark_range(sc, 0, ROWS, 1, partitions(u)), counts,
        SPARK_COPY(count)), counts_floats, SPARK_COPY(floats));
    rdd = spark_reduce_by_key(spark_map(rdd, to_pair, NULL), spark_op_sum, NULL, partitions(u));
    const int64_t sum = (int64_t)ROWS * (ROWS - 1) / 2;
    return values_add_up(rdd, SPARK_TYPE(i64_pair), sum) && counts_to(rdd, KEYS)
        && spark_accumulator_value(count) == sum && spark_accumulator_f64(floats) == (double)sum;
}

static bool broadcast_is_seen(user *u)
{
    spark_context *sc = u->shared->sc;
    const int64_t ones[] = { 1, 1, 1 };
    const spark_i64_list list = { ones, 3 };
    spark_broadcast *b = spark_broadcast_new(sc, SPARK_VALUE(spark_i64_list, &list));
    spark_array sum;
    if (spark_reduce(spark_map(spark_range(sc, 0, ROWS, 1, partitions(u)), with_broadcast,
            SPARK_SHARED(b)), spark_op_sum, NULL, SPARK_TYPE(int64_t), &sum) != SPARK_OK)
        return false;
    const bool good = *SPARK_ITEMS(int64_t, &sum) == (int64_t)ROWS * (ROWS + 1) / 2;
    spark_array_free(&sum);
    return good;
}

static bool sorted(user *u)
{
    spark_context *sc = u->shared->sc;
    spark_array all;
    if (spark_collect(spark_sort_by(spark_map(spark_range(sc, 0, ROWS, 1, partitions(u)), to_pair,
            NULL), NULL, partitions(u)), SPARK_TYPE(i64_pair), &all) != SPARK_OK)
        return false;
    const i64_pair *p = SPARK_ITEMS(i64_pair, &all);
    bool good = all.n == ROWS;
    for (size_t i = 1; i < all.n && good; i++)
        good = p[i - 1].key < p[i].key || (p[i - 1].key == p[i].key && p[i - 1].value < p[i].value);
    spark_array_free(&all);
    return good;
}

static bool taken(user *u)
{
    spark_array some;
    const size_t n = (size_t)draw(u, ROWS * 2);
    spark_rdd *rdd = spark_flat_map(u->shared->kept, thrice, NULL);
    if (spark_take(rdd, n, SPARK_TYPE(int64_t), &some) != SPARK_OK)
        return false;
    bool good = some.n == n;
    for (size_t i = 0; i < some.n && good; i++)
        good = SPARK_ITEMS(int64_t, &some)[i] == (int64_t)i / 3;
    spark_array_free(&some);
    return good;
}

static bool fails(user *u)
{
    const int64_t bad = (int64_t)draw(u, ROWS);
    int64_t n = -1;
    spark_rdd *rdd = spark_filter(u->shared->kept, fails_on, SPARK_COPY(bad));
    if (draw(u, 2))
        rdd = spark_keys(spark_reduce_by_key(spark_map(rdd, to_pair, NULL), spark_op_max, NULL, 3));
    return spark_count(rdd, &n) == SPARK_ETASK;
}

static void disturb(user *u)
{
    shared *s = u->shared;
    switch (draw(u, 6)) {
    case 0:
        spark_drop_block(s->kept, (int)draw(u, 8));
        break;
    case 1:
        spark_drop_block(s->kept_text, (int)draw(u, 8));
        break;
    case 2:
        spark_drop_shuffle_output(s->shuffled, (int)draw(u, 8));
        break;
    case 3:
        (void)spark_unpersist(s->kept_text);
        break;
    case 4:
        (void)spark_cache(s->kept_text);
        break;
    default:
        (void)spark_memory_bytes(s->sc, NULL);
        (void)spark_rdd_cached_partitions(s->kept);
        (void)spark_to_debug_string(s->shuffled);
    }
}

static const char *one_job(user *u)
{
    shared *s = u->shared;
    spark_rdd *rdd;
    spark_array one;
    const int64_t sum = (int64_t)ROWS * (ROWS - 1) / 2;
    switch (draw(u, 10)) {
    case 0:
        return values_add_up(s->shuffled, SPARK_TYPE(i64_pair), sum) ? NULL : "the shared shuffle";
    case 1:
        return counts_to(spark_flat_map(s->kept, thrice, NULL), 3 * ROWS) ? NULL : "flat_map";
    case 2:
        rdd = spark_reduce_by_key(s->kept_text, spark_op_sum, NULL, partitions(u));
        return values_add_up(rdd, SPARK_TYPE(str_pair), ROWS) ? NULL : "reduce_by_key of strings";
    case 3:
        return counter_is_exact(u) ? NULL : "accumulators";
    case 4:
        return broadcast_is_seen(u) ? NULL : "a broadcast";
    case 5:
        return sorted(u) ? NULL : "sort_by";
    case 6:
        return taken(u) ? NULL : "take";
    case 7:
        return fails(u) ? NULL : "a job that must fail";
    case 8:
        rdd = spark_join(s->shuffled, spark_group_by_key(spark_map(s->kept, to_pair, NULL),
            partitions(u)), 0);
        return counts_to(rdd, KEYS) ? NULL : "join and group_by_key";
    default:
        if (spark_reduce(spark_keys(s->kept_text), longest, NULL, NULL, &one) != SPARK_OK)
            return "reduce of strings";
        spark_array_free(&one);
        return counts_to(spark_distinct(spark_union(s->kept, s->kept), partitions(u)), ROWS)
            ? NULL : "distinct of a union";
    }
}

static void *use(void *argument)
{
    user *u = argument;
    for (int i = 0; i < JOBS && !u->wrong; i++) {
        SPARK_SCOPED(u->shared->sc);
        disturb(u);
        u->wrong = one_job(u);
    }
    if (u->wrong)
        snprintf(u->message, sizeof u->message, "%s", spark_last_error()->message);
    return NULL;
}

/* own_context: makes a context, lets its users loose on it, and frees it. */
static void *own_context(void *argument)
{
    shared *s = argument;
    user users[USERS];
    const char *wrong = NULL;
    const spark_fault fault = { .kind = SPARK_FAULT_RANDOM, .job = SPARK_ANY, .stage = SPARK_ANY,
        .partition = SPARK_ANY, .attempt = SPARK_ANY, .rate = 0.04 * (s->number % 4),
        .seed = (uint64_t)s->number };
    s->sc = spark_context_new(&(spark_conf) { .threads = 1 + s->number % 8,
        .batch_rows = s->number % 3 ? 0 : 7, .check = s->number % 5 == 4, .faults = &fault,
        .n_faults = 1, .stage_max_attempts = 10000, .task_max_failures = 8 });
    s->kept = spark_cache(spark_range(s->sc, 0, ROWS, 1, 8));
    s->kept_text = spark_cache(spark_map(s->kept, to_text, NULL));
    s->shuffled
        = spark_reduce_by_key(spark_map(s->kept, to_pair, NULL), spark_op_sum, NULL, 5);
    for (int i = 0; i < USERS; i++) {
        users[i] = (user) { .shared = s, .number = i,
            .random = 0x9e3779b97f4a7c15u * (uint64_t)(s->number * USERS + i + 1) };
        if (pthread_create(&users[i].thread, NULL, use, &users[i]) != 0)
            abort();
    }
    for (int i = 0; i < USERS; i++) {
        pthread_join(users[i].thread, NULL);
        if (users[i].wrong) {
            wrong = users[i].wrong;
            print_message("context %d, user %d: %s: %s\n", s->number, i, wrong, users[i].message);
        }
    }
    spark_context_free(s->sc);
    return wrong ? argument : NULL;
}

static void test_contexts__many_threads_on_several_contexts_with_faults(void **state)
{
    (void)state;
    alarm(300);
    for (int round = 0; round < ROUNDS; round++) {
        pthread_t threads[CONTEXTS];
        shared all[CONTEXTS];
        bool good = true;
        for (int i = 0; i < CONTEXTS; i++) {
            all[i] = (shared) { .number = round * CONTEXTS + i };
            assert_int_equal(pthread_create(&threads[i], NULL, own_context, &all[i]), 0);
        }
        for (int i = 0; i < CONTEXTS; i++) {
            void *wrong;
            pthread_join(threads[i], &wrong);
            good = good && !wrong;
        }
        assert_true(good);
    }
    alarm(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_contexts__many_threads_on_several_contexts_with_faults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
