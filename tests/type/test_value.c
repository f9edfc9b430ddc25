/* SPDX-License-Identifier: Apache-2.0 */
/* Hash, equality, order and deep copies of random values of every shape, against a naive oracle. */
#include "random_value.h"

#include "base/hash.h"

enum { ROUNDS = 1500 };

static void test_compare__agrees_with_naive_walk(void **state)
{
    const spk_secret secret = spk_secret_draw();
    for (size_t t = 0; t < N_TYPES; t++) {
        const spark_type *type = all_types[t];
        const spk_layout *layout = layout_of(*state, type);
        for (int i = 0; i < ROUNDS; i++) {
            _Alignas(16) char a[MAX_SIZE], b[MAX_SIZE];
            value_pool pool = { .n = 0 };
            random_row(type, a, &pool);
            random_row(type, b, &pool);
            const int c = naive_compare(type, a, b);
            assert_int_equal(sign(spk_value_compare(layout, a, b)), sign(c));
            assert_int_equal(sign(spk_value_compare(layout, b, a)), -sign(c));
            assert_int_equal(spk_value_equal(layout, a, b), c == 0);
            if (c == 0)
                assert_true(spk_value_hash(layout, a) == spk_value_hash(layout, b));
            assert_int_equal(c == 0,
                spk_value_secret_hash(layout, a, &secret)
                    == spk_value_secret_hash(layout, b, &secret));
            pool_free(&pool);
        }
    }
}

static void test_hash__of_many_is_that_of_each(void **state)
{
    enum { N = 37 };
    static _Alignas(16) char values[N * MAX_SIZE];
    uint64_t hashes[N];
    for (size_t t = 0; t < N_TYPES; t++) {
        const spk_layout *layout = layout_of(*state, all_types[t]);
        value_pool pool = { .n = 0 };
        for (size_t i = 0; i < N; i++)
            random_row(all_types[t], values + i * MAX_SIZE, &pool);
        spk_values_hash(layout, values, MAX_SIZE, N, hashes);
        for (size_t i = 0; i < N; i++)
            assert_true(hashes[i] == spk_value_hash(layout, values + i * MAX_SIZE));
        pool_free(&pool);
    }
}

SPARK_OPTIONAL(opt_i16, int16_t);
SPARK_STRUCT(small_members, (opt_i16, a), (int64_t, b), (opt_i16, c));

static void test_hash__of_many_with_small_members(void **state)
{
    enum { N = 150 };
    static small_members values[N];
    uint64_t hashes[N];
    const spk_layout *layout = layout_of(*state, SPARK_TYPE(small_members));
    for (size_t i = 0; i < N; i++)
        values[i] = (small_members) {
            { i % 3 > 0, (int16_t)random_u64() }, (int64_t)random_u64(), { i % 5 > 0, (int16_t)i }
        };
    spk_values_hash(layout, (const char *)values, sizeof values[0], N, hashes);
    for (size_t i = 0; i < N; i++)
        assert_true(hashes[i] == spk_value_hash(layout, &values[i]));
}

static void test_bare_description__gives_what_the_layout_gives(void **state)
{
    for (size_t t = 0; t < N_TYPES; t++) {
        const spark_type *type = all_types[t];
        const spk_layout *layout = layout_of(*state, type);
        for (int i = 0; i < ROUNDS / 4; i++) {
            _Alignas(16) char a[MAX_SIZE], b[MAX_SIZE];
            value_pool pool = { .n = 0 };
            random_row(type, a, &pool);
            random_row(type, b, &pool);
            assert_true(spark_hash(type, a) == spk_value_hash(layout, a));
            assert_int_equal(spark_compare(type, a, b), spk_value_compare(layout, a, b));
            assert_int_equal(spark_equal(type, a, b), spk_value_equal(layout, a, b));
            pool_free(&pool);
        }
    }
}

static bool add_bytes(void *arg, const spk_leaf *leaf, const void *ptr, size_t bytes)
{
    assert_non_null(leaf);
    assert_non_null(ptr);
    assert_true(bytes > 0);
    *(size_t *)arg += bytes;
    return true;
}

typedef struct range {
    const char *from, *to;
} range;

static bool lies_within(void *arg, const spk_leaf *leaf, const void *ptr, size_t bytes)
{
    const range *r = arg;
    if (leaf->kind == SPARK_KIND_LIST)
        assert_true((uintptr_t)ptr % leaf->of->align == 0);
    return (const char *)ptr >= r->from && (const char *)ptr + bytes <= r->to;
}

static void test_pack__copies_deep_and_within_bounds(void **state)
{
    for (size_t t = 0; t < N_TYPES; t++) {
        const spark_type *type = all_types[t];
        const spk_layout *layout = layout_of(*state, type);
        for (int i = 0; i < ROUNDS / 4; i++) {
            _Alignas(16) char a[MAX_SIZE], b[MAX_SIZE];
            value_pool pool = { .n = 0 };
            size_t views = 0;
            random_row(type, a, &pool);
            const size_t bytes = spk_value_bytes(layout, a);
            assert_true(spk_value_each_view(layout, a, add_bytes, &views));
            assert_true(views <= bytes);
            assert_true(layout->views || bytes == 0);
            char *block = pool_alloc(&pool, bytes + 8), *at = block + i % 8;
            memcpy(b, a, type->size);
            char *end = spk_value_pack(layout, b, at);
            assert_true(end >= at + views && end <= at + bytes);
            assert_true(spk_value_each_view(layout, b, lies_within, &(range) { at, end }));
            assert_true(spk_value_bytes(layout, b) == bytes);
            assert_int_equal(naive_compare(type, a, b), 0);
            pool_free(&pool);
        }
    }
}

static void test_pack__leaves_null_null_and_moves_empty(void **state)
{
    char room[1];
    spark_str null = { NULL, 0 }, empty = { "x", 0 };
    const spk_layout *layout = layout_of(*state, SPARK_TYPE(spark_str));
    assert_ptr_equal(spk_value_pack(layout, &null, room), room);
    assert_ptr_equal(spk_value_pack(layout, &empty, room), room);
    assert_null(null.ptr);
    assert_ptr_equal(empty.ptr, room);
}

/* Short texts are copied and compared by other instructions than long ones. */
static void test_pack__copies_texts_of_every_length(void **state)
{
    enum { MOST = 150 };
    const spk_layout *layout = layout_of(*state, SPARK_TYPE(spark_opt_str));
    for (size_t n = 0; n <= MOST; n++) {
        value_pool pool = { .n = 0 };
        char *text = pool_alloc(&pool, n + 1), *room = pool_alloc(&pool, n + 2);
        random_bytes(text, n);
        room[0] = room[n + 1] = 'x';
        const spark_opt_str a = { true, { text, n } };
        spark_opt_str b = a;
        assert_true(spk_value_bytes(layout, &a) == n);
        assert_ptr_equal(spk_value_pack(layout, &b, room + 1), room + 1 + n);
        assert_ptr_equal(b.value.ptr, room + 1);
        assert_memory_equal(room + 1, text, n);
        assert_true(room[0] == 'x' && room[n + 1] == 'x');
        assert_true(spk_value_equal(layout, &a, &b));
        for (size_t i = 0; i < n; i++) {
            text[i] ^= 1;
            assert_false(spk_value_equal(layout, &a, &b));
            text[i] ^= 1;
        }
        pool_free(&pool);
    }
}

static bool stop(void *arg, const spk_leaf *leaf, const void *ptr, size_t bytes)
{
    (void)leaf, (void)ptr, (void)bytes;
    return --*(int *)arg > 0;
}

static void test_each_view__stops_when_told(void **state)
{
    const spark_str three[] = { SPARK_STR("a"), SPARK_STR("b"), SPARK_STR("c") };
    const spark_str_list list = { three, 3 };
    const spk_layout *layout = layout_of(*state, SPARK_TYPE(spark_str_list));
    int left = 2;
    assert_false(spk_value_each_view(layout, &list, stop, &left));
    assert_int_equal(left, 0);
    left = 5;
    assert_true(spk_value_each_view(layout, &list, stop, &left));
    assert_int_equal(left, 1);
}

static void test_each_view__skips_absent_payload(void **state)
{
    int left = 1;
    spark_opt_str s;
    memset(&s, 0xee, sizeof s);
    s.present = false;
    const spk_layout *layout = layout_of(*state, SPARK_TYPE(spark_opt_str));
    assert_true(spk_value_each_view(layout, &s, stop, &left));
    assert_int_equal(spk_value_bytes(layout, &s), 0);
    const spark_opt_str absent = { 0 };
    assert_true(spk_value_hash(layout, &s) == spk_value_hash(layout, &absent));
}

static void test_hash__of_key_classes_is_what_the_engine_inlines(void **state)
{
    const int64_t x = -5;
    const int32_t y = -5;
    const spark_str s = SPARK_STR("spark");
    (void)state;
    assert_true(spark_hash(SPARK_TYPE(int64_t), &x) == spk_hash_u64((uint64_t)x));
    assert_true(spark_hash(SPARK_TYPE(wrapped), &x) == spk_hash_u64((uint64_t)x));
    assert_true(spark_hash(SPARK_TYPE(money), &x) == spk_hash_u64((uint64_t)x));
    assert_true(spark_hash(SPARK_TYPE(int32_t), &y) == spk_hash_u64((uint32_t)y));
    assert_true(spark_hash(SPARK_TYPE(spark_str), &s) == spk_hash_bytes(s.ptr, s.len));
}

static void test_hash__of_flat_value_is_that_of_its_bytes(void **state)
{
    const dense d = { 1, 2, 3 };
    const spk_layout *layout = layout_of(*state, SPARK_TYPE(dense));
    assert_true(layout->flat);
    assert_true(spk_value_hash(layout, &d) == spk_hash_bytes(&d, sizeof d));
}

static void test_hash__does_not_depend_on_names(void **state)
{
    const spark_type *const members[] = { SPARK_TYPE(spark_str), SPARK_TYPE(int64_t) };
    const char *const names[] = { "w", "n" };
    const spark_type *pair = spk_types_pair(*state, members[0], members[1]);
    const spark_type *other = spk_types_struct(*state, 2, members, names);
    const word_count wc = { SPARK_STR("a"), 1 };
    assert_true(spark_hash(pair, &wc) == spark_hash(SPARK_TYPE(word_count), &wc));
    assert_true(spark_hash(other, &wc) == spark_hash(pair, &wc));
}

static void test_hash__tells_neighbours_apart(void **state)
{
    (void)state;
    for (int64_t i = 0; i < 1000; i++) {
        const dense a = { (int32_t)i, 7, i }, b = { (int32_t)i, 7, i + 1 };
        const double x = (double)i, y = (double)(i + 1);
        const spark_f64_list l = { &x, 1 }, m = { &y, 1 };
        assert_true(spark_hash(SPARK_TYPE(dense), &a) != spark_hash(SPARK_TYPE(dense), &b));
        assert_true(spark_hash(SPARK_TYPE(double), &x) != spark_hash(SPARK_TYPE(double), &y));
        assert_true(spark_hash(SPARK_TYPE(spark_f64_list), &l)
            != spark_hash(SPARK_TYPE(spark_f64_list), &m));
    }
}

static void test_compare__puts_nan_last_and_joins_zeros(void **state)
{
    (void)state;
    const double sorted[] = { -INFINITY, -1, -5e-324, 0, 5e-324, 1, INFINITY, NAN };
    const double minus_zero = -0.0, other_nan = -NAN;
    const spark_type *type = SPARK_TYPE(double);
    for (int i = 0; i < 8; i++)
        for (int j = 0; j < 8; j++)
            assert_int_equal(spark_compare(type, &sorted[i], &sorted[j]), (i > j) - (i < j));
    assert_true(spark_equal(type, &minus_zero, &sorted[3]));
    assert_true(spark_equal(type, &other_nan, &sorted[7]));
    assert_true(spark_hash(type, &minus_zero) == spark_hash(type, &sorted[3]));
    assert_true(spark_hash(type, &other_nan) == spark_hash(type, &sorted[7]));
}

static void test_override__of_compare_alone_leaves_hash_as_described(void **state)
{
    spark_type type = spark_type_of_backwards;
    type.ops = &mod_compare_ops;
    const backwards a = { 1 }, b = { 2 }, c = { 5 };
    const spk_layout *layout = layout_of(*state, &type);
    assert_int_equal(layout->key_class, SPK_KEY_GENERIC);
    assert_int_equal(spk_value_compare(layout, &a, &b), 1);
    assert_int_equal(spk_value_compare(layout, &a, &c), 0);
    assert_false(spk_value_equal(layout, &a, &c));
    assert_true(spk_value_hash(layout, &a) == spk_hash_u64(1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_compare__agrees_with_naive_walk),
        cmocka_unit_test(test_bare_description__gives_what_the_layout_gives),
        cmocka_unit_test(test_hash__of_many_is_that_of_each),
        cmocka_unit_test(test_hash__of_many_with_small_members),
        cmocka_unit_test(test_pack__copies_deep_and_within_bounds),
        cmocka_unit_test(test_pack__leaves_null_null_and_moves_empty),
        cmocka_unit_test(test_pack__copies_texts_of_every_length),
        cmocka_unit_test(test_each_view__stops_when_told),
        cmocka_unit_test(test_each_view__skips_absent_payload),
        cmocka_unit_test(test_hash__of_key_classes_is_what_the_engine_inlines),
        cmocka_unit_test(test_hash__of_flat_value_is_that_of_its_bytes),
        cmocka_unit_test(test_hash__does_not_depend_on_names),
        cmocka_unit_test(test_hash__tells_neighbours_apart),
        cmocka_unit_test(test_compare__puts_nan_last_and_joins_zeros),
        cmocka_unit_test(test_override__of_compare_alone_leaves_hash_as_described),
    };
    return cmocka_run_group_tests(tests, make_types, free_types);
}
