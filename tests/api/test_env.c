/* SPDX-License-Identifier: Apache-2.0 */
/* What is bound to a function is compared with what it wants: by size, and by kind where either is a
 * number; in every way to bind it, and for all functions that one env is bound to. */
#include "oracle.h"

SPARK_PAIR(two, int64_t, int64_t);

typedef struct eight {
    double x;
} eight;

typedef enum mode { SLOW, FAST } mode;
typedef const char *name;
SPARK_NUMBER(mode);

/* The kinds that are told apart: one letter each, in the order of the functions below. */
#define WANTS(f, T) SPARK_FILTER(f, int64_t, T) { return *in >= 0 && env; }
WANTS(wants_bool, bool)
WANTS(wants_i8, int8_t)
WANTS(wants_u8, uint8_t)
WANTS(wants_char, char)
WANTS(wants_i16, int16_t)
WANTS(wants_u16, uint16_t)
WANTS(wants_i32, int32_t)
WANTS(wants_u32, uint32_t)
WANTS(wants_enum, mode)
WANTS(wants_f32, float)
WANTS(wants_i64, int64_t)
WANTS(wants_u64, uint64_t)
WANTS(wants_llong, long long)
WANTS(wants_f64, double)
WANTS(wants_struct, eight)
WANTS(wants_pointer, name)
static const struct {
    const spark_filter_def *f;
    char kind;
    size_t size;
    const char *name;
} wanted[] = { { wants_bool, 'b', 1, "bool" }, { wants_i8, 'i', 1, "int8_t" },
    { wants_u8, 'i', 1, "uint8_t" }, { wants_char, 'i', 1, "char" },
    { wants_i16, 'i', 2, "int16_t" }, { wants_u16, 'i', 2, "uint16_t" },
    { wants_i32, 'i', 4, "int32_t" }, { wants_u32, 'i', 4, "uint32_t" },
    { wants_enum, 'i', 4, "uint32_t" }, { wants_f32, 'f', 4, "float" },
    { wants_i64, 'i', 8, "int64_t" }, { wants_u64, 'i', 8, "uint64_t" },
    { wants_llong, 'i', 8, "int64_t" }, { wants_f64, 'f', 8, "double" },
    { wants_struct, 's', 8, "no number" }, { wants_pointer, 's', 8, "no number" } };

/* binds: every function with one env; whether it is taken is what size and kind say. */
static void binds(spark_rdd *rdd, const spark_env *env, char kind, size_t size, const char *given)
{
    for (size_t i = 0; i < LENGTH(wanted); i++) {
        int64_t n;
        char text[120];
        SPARK_SCOPED(spark_rdd_context(rdd));
        spark_rdd *kept = spark_filter(rdd, wanted[i].f, env);
        if (wanted[i].kind == kind && wanted[i].size == size) {
            oracle_ok(spark_count(kept, &n));
            assert_int_equal(n, 10);
            continue;
        }
        snprintf(text, sizeof text, "env has %zu bytes (%s), the function wants %zu (%s)", size,
            given, wanted[i].size, wanted[i].name);
        oracle_fails(spark_count(kept, &n), SPARK_EINVAL, text);
        assert_non_null(strstr(spark_last_error()->message, wanted[i].f->name));
    }
}

#define BINDS(T, kind, given)                                                                      \
    do {                                                                                           \
        static const T zero;                                                                       \
        T value = zero;                                                                            \
        T *owned = malloc(sizeof *owned);                                                          \
        assert_non_null(owned);                                                                    \
        *owned = zero;                                                                             \
        binds(rdd, SPARK_COPY(value), kind, sizeof(T), given);                                     \
        binds(rdd, SPARK_COPY(zero), kind, sizeof(T), given);                                      \
        binds(rdd, SPARK_REF(&value), kind, sizeof(T), given);                                     \
        binds(rdd, SPARK_REF(&zero), kind, sizeof(T), given);                                      \
        binds(rdd, SPARK_OWN(owned, keep), kind, sizeof(T), given);                                \
        free(owned);                                                                               \
    } while (0)

static void keep(void *data)
{
    (void)data;
}

static void test_env__is_compared_by_size_and_kind(void **state)
{
    spark_context *sc = oracle_open(1);
    spark_rdd *rdd = spark_range(sc, 0, 10, 1, 2);
    (void)state;
    BINDS(bool, 'b', "bool");
    BINDS(char, 'i', "char");
    BINDS(signed char, 'i', "int8_t");
    BINDS(unsigned char, 'i', "uint8_t");
    BINDS(short, 'i', "int16_t");
    BINDS(uint16_t, 'i', "uint16_t");
    BINDS(int, 'i', "int32_t");
    BINDS(unsigned, 'i', "uint32_t");
    BINDS(mode, 'i', "uint32_t");
    BINDS(float, 'f', "float");
    BINDS(long, 'i', "int64_t");
    BINDS(int64_t, 'i', "int64_t");
    BINDS(long long, 'i', "int64_t");
    BINDS(size_t, 'i', "uint64_t");
    BINDS(double, 'f', "double");
    BINDS(eight, 's', "no number");
    BINDS(name, 's', "no number");
    binds(rdd, SPARK_COPY((double) { 2.5 }), 'f', 8, "double");
    binds(rdd, SPARK_COPY((int64_t) { 2 }), 'i', 8, "int64_t");
    binds(rdd, SPARK_COPY((eight) { 2.5 }), 's', 8, "no number");
    oracle_close(sc);
}

static void test_env__of_a_broadcast_is_compared_too(void **state)
{
    const double f64 = 1;
    const int64_t i64 = 1;
    const spark_str str = SPARK_STR("");
    int64_t n;
    spark_context *sc = oracle_open(1);
    spark_rdd *rdd = spark_range(sc, 0, 10, 1, 2);
    (void)state;
    binds(rdd, SPARK_SHARED(spark_broadcast_new(sc, SPARK_VALUE(double, &f64))), 'f', 8, "double");
    binds(rdd, SPARK_SHARED(spark_broadcast_new(sc, SPARK_VALUE(int64_t, &i64))), 'i', 8,
        "int64_t");
    spark_broadcast *text = spark_broadcast_new(sc, SPARK_VALUE(spark_str, &str));
    oracle_fails(spark_count(spark_filter(rdd, wants_f64, SPARK_SHARED(text)), &n), SPARK_EINVAL,
        "env has 16 bytes (no number), the function wants 8 (double)");
    oracle_close(sc);
}

/* What is filled in by hand says what it knows. */
static void test_env__that_is_not_known_is_compared_as_far_as_it_is(void **state)
{
    const int64_t x = 1;
    int64_t n;
    spark_filter_def plain = *wants_f64, any = *wants_f64;
    spark_context *sc = oracle_open(1);
    spark_rdd *rdd = spark_range(sc, 0, 10, 1, 2);
    (void)state;
    plain.env_size = sizeof(double);
    any.env_size = 0;
    oracle_ok(spark_count(spark_filter(rdd, &plain, SPARK_COPY(x)), &n));
    oracle_ok(spark_count(spark_filter(rdd, &any, SPARK_COPY((char) { 1 })), &n));
    const spark_env by_hand = { .kind = SPARK_ENV_REF, .data = &x, .size = sizeof x };
    oracle_ok(spark_count(spark_filter(rdd, wants_f64, &by_hand), &n));
    oracle_fails(spark_count(spark_filter(rdd, wants_f32, &by_hand), &n), SPARK_EINVAL,
        "env has 8 bytes, the function wants 4 (float)");
    oracle_fails(spark_count(spark_filter(rdd, wants_f64, NULL), &n), SPARK_EINVAL,
        "the function wants an env of 8 bytes (double), none is given");
    oracle_close(sc);
}

/* One env for several functions. */
SPARK_MAP(create_i, int64_t, int64_t, int64_t) { *out = *in + *env; }
SPARK_MAP(create, int64_t, int64_t) { *out = *in; }
SPARK_MERGE(add_i, int64_t, int64_t, int64_t) { *acc += *in + *env; }
SPARK_MERGE(add_u, int64_t, int64_t, uint64_t) { *acc += *in + (int64_t)*env; }
SPARK_MERGE(add_f, int64_t, int64_t, double) { *acc += *in + (int64_t)*env; }
SPARK_MERGE(add, int64_t, int64_t) { *acc += *in; }
SPARK_MAP(to_two, int64_t, two) { *out = (two) { *in % 3, *in }; }

static const char apart[] = "they want different ones";

static void test_env__must_suit_all_functions(void **state)
{
    const int64_t i = 0;
    const double f = 0;
    int64_t n;
    spark_array a;
    spark_context *sc = oracle_open(1);
    spark_rdd *rdd = spark_range(sc, 0, 10, 1, 2), *pairs = spark_map(rdd, to_two, NULL);
    (void)state;
    const struct {
        const spark_map_def *create;
        const spark_merge_def *add, *combine;
        const char *error; /* of an int64_t; NULL: none */
    } cases[] = {
        { create, add, add_i, NULL },
        { create_i, add_i, add_i, NULL },
        { create_i, add_u, add_i, NULL },
        { create_i, add, add, NULL },
        { create, add, add_f, "env has 8 bytes (int64_t), the function wants 8 (double)" },
        { create_i, add, add_f, apart },
        { create_i, add_f, add, apart },
        { create, add_f, add_i, apart },
        { create_i, add_i, add_f, apart },
    };
    for (size_t c = 0; c < LENGTH(cases); c++) {
        spark_rdd *all = spark_combine_by_key(
            pairs, cases[c].create, cases[c].add, cases[c].combine, SPARK_COPY(i), 2);
        if (!cases[c].error)
            oracle_ok(spark_count(all, &n));
        else
            oracle_fails(spark_count(all, &n), SPARK_EINVAL, cases[c].error);
    }
    oracle_fails(spark_count(spark_aggregate_by_key(
                                 pairs, SPARK_ZERO(int64_t), add_i, add_f, SPARK_COPY(i), 2),
                     &n),
        SPARK_EINVAL, apart);
    oracle_fails(spark_count(spark_aggregate_by_key(
                                 pairs, SPARK_ZERO(int64_t), add_i, add_f, NULL, 2),
                     &n),
        SPARK_EINVAL, apart);
    oracle_fails(spark_aggregate(rdd, SPARK_ZERO(int64_t), add_i, add_f, SPARK_COPY(i), &a),
        SPARK_EINVAL, apart);
    oracle_fails(spark_aggregate(rdd, SPARK_ZERO(int64_t), add_i, add, SPARK_COPY(f), &a),
        SPARK_EINVAL, "env has 8 bytes (double), the function wants 8 (int64_t)");
    oracle_fails(spark_tree_aggregate(rdd, SPARK_ZERO(int64_t), add, add_i, SPARK_COPY(f), 2, &a),
        SPARK_EINVAL, "env has 8 bytes (double), the function wants 8 (int64_t)");
    oracle_ok(spark_aggregate(rdd, SPARK_ZERO(int64_t), add, add_i, SPARK_COPY(i), &a));
    assert_int_equal(*SPARK_ITEMS(int64_t, &a), 45);
    spark_array_free(&a);
    oracle_close(sc);
}

/* Actions, and actions that go on in the background, which bind the env a second time. */
SPARK_FOREACH(visit, int64_t, double) { if (*env < 0) spark_fail(task, "%d", (int)*in); }
SPARK_PARTITIONER(place, int64_t, double) { return (uint32_t)(*key + (int64_t)*env) % partitions; }
SPARK_COALESCER(gather, float)
{
    for (int i = 0; i < n; i++)
        group_of[i] = *env > 1;
    return n > 0;
}

static void test_env__of_actions_and_partitioners_is_compared(void **state)
{
    const int64_t i = 1;
    const double f = 1;
    int64_t n;
    static const char words[] = "env has 8 bytes (int64_t), the function wants 8 (double)";
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_range(sc, 0, 10, 1, 2), *pairs = spark_map(rdd, to_two, NULL);
    (void)state;
    oracle_fails(spark_foreach(rdd, visit, SPARK_COPY(i)), SPARK_EINVAL, words);
    oracle_ok(spark_foreach(rdd, visit, SPARK_COPY(f)));
    spark_future *future = spark_foreach_async(rdd, visit, SPARK_COPY(f));
    oracle_ok(spark_future_wait(future, -1));
    assert_not_made(spark_partitioner_new(sc, 2, place, SPARK_COPY(i)));
    assert_non_null(strstr(spark_last_error()->message, words));
    spark_partitioner *p = spark_partitioner_new(sc, 2, place, SPARK_COPY(f));
    spark_partitioner *shared = spark_partitioner_new(
        sc, 2, place, SPARK_SHARED(spark_broadcast_new(sc, SPARK_VALUE(double, &f))));
    assert_true(spark_partitioner_equal(p, shared));
    oracle_ok(spark_count(spark_partition_by(pairs, p), &n));
    oracle_fails(spark_count(spark_coalesce_by(rdd, 1, gather, SPARK_COPY((int) { 1 })), &n),
        SPARK_EINVAL, "env has 4 bytes (int32_t), the function wants 4 (float)");
    oracle_ok(spark_count(spark_coalesce_by(rdd, 1, gather, SPARK_COPY((float) { 1 })), &n));
    oracle_close(sc);
}

/* An env that nobody reads is a mistake; definitions that are filled in by hand may not say so. */
static void drop(void *data)
{
    ++*(int *)data;
}

static void test_env__is_refused_where_no_function_wants_one(void **state)
{
    static const char words[] = "an env is given, but the function wants none";
    const int64_t i = 1;
    int dropped = 0;
    int64_t n;
    spark_array a;
    spark_context *sc = oracle_open(1);
    spark_rdd *rdd = spark_range(sc, 0, 10, 1, 2), *pairs = spark_map(rdd, to_two, NULL);
    (void)state;
    oracle_fails(spark_count(spark_map(rdd, create, SPARK_COPY(i)), &n), SPARK_EINVAL, words);
    oracle_fails(spark_count(spark_map(rdd, create, SPARK_REF(&i)), &n), SPARK_EINVAL, words);
    oracle_fails(spark_count(spark_map(rdd, create, SPARK_OWN(&dropped, drop)), &n), SPARK_EINVAL, words);
    assert_int_equal(dropped, 1);
    spark_broadcast *shared = spark_broadcast_new(sc, SPARK_VALUE(int64_t, &i));
    oracle_fails(spark_count(spark_map(rdd, create, SPARK_SHARED(shared)), &n), SPARK_EINVAL, words);
    oracle_fails(spark_count(spark_reduce_by_key(pairs, add, SPARK_COPY(i), 2), &n), SPARK_EINVAL, words);
    oracle_fails(spark_count(spark_combine_by_key(pairs, create, add, add, SPARK_COPY(i), 2), &n),
        SPARK_EINVAL, words);
    oracle_fails(
        spark_aggregate(rdd, SPARK_ZERO(int64_t), add, add, SPARK_COPY(i), &a), SPARK_EINVAL, words);
    spark_map_def by_hand = *create;
    by_hand.env_size = 0;
    oracle_ok(spark_count(spark_map(rdd, &by_hand, SPARK_COPY(i)), &n));
    oracle_close(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        oracle_test(test_env__is_compared_by_size_and_kind),
        oracle_test(test_env__of_a_broadcast_is_compared_too),
        oracle_test(test_env__that_is_not_known_is_compared_as_far_as_it_is),
        oracle_test(test_env__must_suit_all_functions),
        oracle_test(test_env__is_refused_where_no_function_wants_one),
        oracle_test(test_env__of_actions_and_partitioners_is_compared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
