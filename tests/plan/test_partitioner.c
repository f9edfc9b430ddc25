/* SPDX-License-Identifier: Apache-2.0 */
/* Partitioners: when two are equal, whose environment is whose, and Spark's rule for the default one. */
#include "support/spark_test.h"

#include <math.h>
#include <stdlib.h>

#include "plan/partitioner.h"

SPARK_PARTITIONER(by_modulo, int64_t)
{
    return (uint32_t)*key % partitions;
}
SPARK_PARTITIONER(by_offset, int64_t, int64_t)
{
    return (uint32_t)(*key + *env) % partitions;
}
SPARK_PARTITIONER(by_other_offset, int64_t, int64_t)
{
    return (uint32_t)(*key - *env) % partitions;
}

static int open_context(void **state)
{
    *state = spark_context_new(&(spark_conf) { .threads = 1 });
    return 0;
}

static int close_context(void **state)
{
    spark_context_free(*state);
    return 0;
}

/* ---- equality */

static void expect_equal(const spark_partitioner *a, const spark_partitioner *b, bool equal)
{
    assert_int_equal(spark_partitioner_equal(a, b), equal);
    assert_int_equal(spark_partitioner_equal(b, a), equal);
    assert_true(spark_partitioner_equal(a, a));
}

static void test_equal__hash_partitioners_by_count(void **state)
{
    spark_context *other = spark_context_new(&(spark_conf) { .threads = 1 });
    const spark_partitioner *a = spark_hash_partitioner(*state, 4);
    assert_int_equal(spark_partitioner_partitions(a), 4);
    expect_equal(a, spark_hash_partitioner(*state, 4), true);
    expect_equal(a, spark_hash_partitioner(other, 4), true);
    expect_equal(a, spark_hash_partitioner(*state, 5), false);
    expect_equal(a, NULL, false);
    expect_equal(NULL, NULL, true);
    assert_int_equal(spark_partitioner_partitions(NULL), -1);
    spark_context_free(other);
}

static void test_equal__functions_by_function_count_and_env(void **state)
{
    const int64_t one = 1, again = 1, two = 2;
    const spark_partitioner *plain = spark_partitioner_new(*state, 4, by_modulo, NULL);
    const spark_partitioner *a = spark_partitioner_new(*state, 4, by_offset, SPARK_COPY(one));
    expect_equal(plain, spark_partitioner_new(*state, 4, by_modulo, NULL), true);
    expect_equal(plain, spark_partitioner_new(*state, 3, by_modulo, NULL), false);
    expect_equal(plain, spark_hash_partitioner(*state, 4), false);
    expect_equal(plain, a, false);
    expect_equal(a, spark_partitioner_new(*state, 4, by_offset, SPARK_COPY(again)), true);
    expect_equal(a, spark_partitioner_new(*state, 4, by_offset, SPARK_REF(&again)), true);
    expect_equal(a, spark_partitioner_new(*state, 4, by_offset, SPARK_COPY(two)), false);
    expect_equal(a, spark_partitioner_new(*state, 5, by_offset, SPARK_COPY(one)), false);
    expect_equal(a, spark_partitioner_new(*state, 4, by_other_offset, SPARK_COPY(one)), false);
}

static void test_equal__functions_by_what_a_broadcast_holds(void **state)
{
    const int64_t one = 1;
    spark_broadcast *x = spark_broadcast_new(*state, SPARK_VALUE(int64_t, &one));
    spark_broadcast *y = spark_broadcast_new(*state, SPARK_VALUE(int64_t, &one));
    const spark_partitioner *a = spark_partitioner_new(*state, 4, by_offset, SPARK_SHARED(x));
    assert_non_null(a);
    expect_equal(a, spark_partitioner_new(*state, 4, by_offset, SPARK_SHARED(x)), true);
    expect_equal(a, spark_partitioner_new(*state, 4, by_offset, SPARK_SHARED(y)), true);
    expect_equal(a, spark_partitioner_new(*state, 4, by_offset, SPARK_COPY(one)), true);
}

/* ---- making */

static int destroyed;

static void destroy(void *data)
{
    destroyed++;
    free(data);
}

static int64_t *owned(int64_t value)
{
    int64_t *p = malloc(sizeof *p);
    assert_non_null(p);
    *p = value;
    return p;
}

static void test_new__owns_its_environment(void **state)
{
    int64_t *p = owned(1);
    destroyed = 0;
    spark_scope *scope = spark_scope_begin(*state);
    spark_partitioner *a = spark_partitioner_new(*state, 4, by_offset, SPARK_OWN(p, destroy));
    spk_partitioner_ref(a);
    spark_scope_end(scope);
    assert_int_equal(destroyed, 0);
    assert_int_equal(*(const int64_t *)a->env.value, 1);
    spk_partitioner_unref(a);
    assert_int_equal(destroyed, 1);
    spk_partitioner_unref(NULL);
}

static void test_new__says_what_is_wrong(void **state)
{
    int64_t *p = owned(1);
    const int32_t small = 1;
    destroyed = 0;
    assert_not_made(spark_partitioner_new(*state, 0, by_offset, SPARK_OWN(p, destroy)));
    assert_int_equal(destroyed, 1);
    assert_int_equal(spark_last_error()->code, SPARK_EINVAL);
    assert_non_null(strstr(spark_last_error()->message, "0 partitions"));
    assert_not_made(spark_hash_partitioner(*state, -1));
    assert_non_null(strstr(spark_last_error()->message, "-1 partitions"));
    assert_not_made(spark_partitioner_new(*state, 4, by_offset, NULL));
    assert_non_null(strstr(spark_last_error()->message, "wants an env of 8 bytes"));
    assert_not_made(spark_partitioner_new(*state, 4, by_offset, SPARK_COPY(small)));
    assert_non_null(strstr(spark_last_error()->message, "env has 4 bytes"));
    p = owned(1);
    assert_not_made(spark_partitioner_new(*state, 4, NULL, SPARK_OWN(p, destroy)));
    assert_int_equal(destroyed, 2);
    assert_not_made(spark_partitioner_new(*state, 4, NULL, NULL));
    assert_non_null(strstr(spark_last_error()->message, "no function"));
    assert_not_made(spark_hash_partitioner(NULL, 4));
    assert_int_equal(spark_last_error()->code, SPARK_EINVAL);
}

/* ---- the default */

/* input: a node with so many partitions, known before it is prepared or not. */
typedef struct input {
    spark_rdd rdd;
    int count;
    int prepared;
    bool fails;
} input;

static spark_status prepare_input(spark_rdd *rdd, spk_failure *failure)
{
    input *in = (input *)(void *)rdd;
    in->prepared++;
    if (in->fails)
        return spk_failure_set(failure, SPARK_EIO, "textFile", NULL, "cannot be listed");
    spk_rdd_partitions_set(rdd, in->count);
    return SPARK_OK;
}

static const spk_class input_class = { .name = "InputRDD", .prepare = prepare_input };

static spark_rdd *make_input(spark_context *sc, int count, bool known, const spark_partitioner *p)
{
    spk_failure failure;
    bool made;
    const spk_rdd_args args = { .at = "t.c:1",
        .operation = "input",
        .sc = sc,
        .class = &input_class,
        .size = sizeof(input),
        .layout = spk_layout_for(sc, SPARK_TYPE(int64_t), &failure) };
    spark_rdd *rdd = spk_rdd_new(&args, &made);
    assert_true(made);
    ((input *)(void *)rdd)->count = count;
    if (known)
        rdd->planned = count;
    spk_rdd_partitioner_set(rdd, p);
    return rdd;
}

/* choice: the partitions of the default for inputs of such sizes; a negative one has a partitioner. */
static int choice(spark_context *sc, size_t n, const int *sizes, int default_parallelism)
{
    SPARK_SCOPED(sc);
    spark_rdd *inputs[8];
    spk_failure failure;
    for (size_t i = 0; i < n; i++)
        inputs[i] = make_input(sc, abs(sizes[i]), i % 2 == 0,
            sizes[i] < 0 ? spark_hash_partitioner(sc, -sizes[i]) : NULL);
    sc->default_parallelism = default_parallelism;
    spark_partitioner *p = spk_default_partitioner(sc, n, inputs, NULL, 0, "t.c:1", &failure);
    sc->default_parallelism = 0;
    assert_non_null(p);
    const int partitions = p->partitions;
    spk_partitioner_unref(p);
    return partitions;
}

#define CHOICE(sc, parallelism, ...)                                                               \
    choice(sc, sizeof((int[]) { __VA_ARGS__ }) / sizeof(int), (int[]) { __VA_ARGS__ }, parallelism)

static void test_default__is_the_largest_input_or_its_partitioner(void **state)
{
    assert_int_equal(CHOICE(*state, 0, 7), 7);
    assert_int_equal(CHOICE(*state, 0, 7, 12, 3), 12);
    assert_int_equal(CHOICE(*state, 0, -10), 10);
    assert_int_equal(CHOICE(*state, 0, -10, 20), 10);
    assert_int_equal(CHOICE(*state, 0, -10, 1000), 1000);
    assert_int_equal(CHOICE(*state, 0, 1000, -10), 1000);
    assert_int_equal(CHOICE(*state, 0, -10, 99), 10);
    assert_int_equal(CHOICE(*state, 0, -10, 100), 100);
    assert_int_equal(CHOICE(*state, 0, -1, 9), 1);
    assert_int_equal(CHOICE(*state, 0, -1, 10), 10);
    assert_int_equal(CHOICE(*state, 0, -10, -20, 30), 20);
    assert_int_equal(CHOICE(*state, 0, -20, -10, 150), 20);
    assert_int_equal(CHOICE(*state, 0, 5, -500), 500);
}

static void test_default__counts_default_parallelism_where_it_is_set(void **state)
{
    assert_int_equal(CHOICE(*state, 4, 7, 12), 4);
    assert_int_equal(CHOICE(*state, 40, 7, 12), 40);
    assert_int_equal(CHOICE(*state, 5, -10, 1000), 10); /* 5 is not more than 10 */
    assert_int_equal(CHOICE(*state, 10, -10, 1000), 10);
    assert_int_equal(CHOICE(*state, 11, -10, 1000), 11);
    assert_int_equal(CHOICE(*state, 11, -10, 99), 10);
}

/* rule: as Spark writes it, in logarithms. */
static int rule(size_t n, const int *sizes, int default_parallelism)
{
    int most = 0, best = 0;
    for (size_t i = 0; i < n; i++) {
        most = abs(sizes[i]) > most ? abs(sizes[i]) : most;
        best = -sizes[i] > best ? -sizes[i] : best;
    }
    const int count = default_parallelism ? default_parallelism : most;
    if (best > 0 && (log10(most) - log10(best) < 1 - 1e-9 || count <= best))
        return best;
    return count;
}

static void test_default__agrees_with_the_rule_for_any_inputs(void **state)
{
    uint64_t random = 7;
    for (int round = 0; round < 3000; round++) {
        int sizes[6];
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
        const size_t n = 1 + (random >> 60) % 6;
        for (size_t i = 0; i < n; i++) {
            random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
            const int most = (random >> 62) % 2 ? 2000 : 30;
            sizes[i] = (1 + (int)((random >> 33) % (uint64_t)most)) * (random >> 63 ? 1 : -1);
        }
        const int parallelism = round % 3 ? 0 : 1 + round % 50;
        assert_int_equal(choice(*state, n, sizes, parallelism), rule(n, sizes, parallelism));
    }
}

static void test_default__of_equal_candidates_is_the_first(void **state)
{
    spk_failure failure;
    const spark_partitioner *a = spark_hash_partitioner(*state, 4);
    const spark_partitioner *b = spark_partitioner_new(*state, 4, by_modulo, NULL);
    spark_rdd *inputs[] = { make_input(*state, 9, true, NULL), make_input(*state, 4, true, a),
        make_input(*state, 4, true, b) };
    spark_partitioner *p = spk_default_partitioner(*state, 3, inputs, NULL, 0, "t.c:1", &failure);
    assert_ptr_equal(p, a);
    spk_partitioner_unref(p);
    assert_ptr_equal(p, spk_default_partitioner(*state, 2, inputs, NULL, 0, "t.c:1", &failure));
    spk_partitioner_unref(p);
    p = spk_default_partitioner(*state, 1, &inputs[2], NULL, 0, "t.c:1", &failure);
    assert_ptr_equal(p, b);
    assert_int_equal(atomic_load(&p->refs), 3); /* the scope's, the node's, ours */
    spk_partitioner_unref(p);
}

static void test_default__gives_way_to_what_was_asked_for(void **state)
{
    spk_failure failure;
    const spark_partitioner *a = spark_hash_partitioner(*state, 4);
    spark_rdd *in = make_input(*state, 9, false, a);
    ((input *)(void *)in)->fails = true; /* is not even looked at */
    spark_partitioner *p = spk_default_partitioner(*state, 1, &in, NULL, 7, "t.c:1", &failure);
    assert_int_equal(p->partitions, 7);
    assert_int_equal(p->kind, SPK_BY_HASH);
    spk_partitioner_unref(p);
    const spark_partitioner *b = spark_partitioner_new(*state, 3, by_modulo, NULL);
    p = spk_default_partitioner(*state, 1, &in, b, 7, "t.c:1", &failure);
    assert_ptr_equal(p, b);
    spk_partitioner_unref(p);
    assert_int_equal(((input *)(void *)in)->prepared, 0);
}

static void test_default__prepares_inputs_whose_size_is_not_known(void **state)
{
    spk_failure failure;
    spark_rdd *inputs[] = { make_input(*state, 3, true, NULL), make_input(*state, 5, false, NULL) };
    for (int i = 0; i < 2; i++) {
        spark_partitioner *p
            = spk_default_partitioner(*state, 2, inputs, NULL, 0, "t.c:1", &failure);
        assert_int_equal(p->partitions, 5);
        spk_partitioner_unref(p);
    }
    assert_int_equal(((input *)(void *)inputs[0])->prepared, 0);
    assert_int_equal(((input *)(void *)inputs[1])->prepared, 1);
    inputs[0] = make_input(*state, 3, false, NULL);
    ((input *)(void *)inputs[0])->fails = true;
    assert_null(spk_default_partitioner(*state, 2, inputs, NULL, 0, "t.c:1", &failure));
    assert_int_equal(failure.code, SPARK_EIO);
    assert_string_equal(failure.message, "cannot be listed");
}

#define partitioner_test(f) cmocka_unit_test_setup_teardown(f, open_context, close_context)

int main(void)
{
    const struct CMUnitTest tests[] = {
        partitioner_test(test_equal__hash_partitioners_by_count),
        partitioner_test(test_equal__functions_by_function_count_and_env),
        partitioner_test(test_equal__functions_by_what_a_broadcast_holds),
        partitioner_test(test_new__owns_its_environment),
        partitioner_test(test_new__says_what_is_wrong),
        partitioner_test(test_default__is_the_largest_input_or_its_partitioner),
        partitioner_test(test_default__counts_default_parallelism_where_it_is_set),
        partitioner_test(test_default__agrees_with_the_rule_for_any_inputs),
        partitioner_test(test_default__of_equal_candidates_is_the_first),
        partitioner_test(test_default__gives_way_to_what_was_asked_for),
        partitioner_test(test_default__prepares_inputs_whose_size_is_not_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
