/* SPDX-License-Identifier: Apache-2.0 */
/* Compiled orders and their prefixes, against qsort with comparisons written by hand. */
#include "random_value.h"

#include "type/order.h"

SPARK_STRUCT(trip, (spark_str, city), (int32_t, year), (double, cost, 2), (word_count, tag));
SPARK_ORDER(by_year_then_city, trip, (desc, year), (asc, city));
SPARK_ORDER(by_costs, trip, (asc, cost), (desc, tag));
SPARK_ORDER(by_second_cost, trip, (desc, cost[1]));
SPARK_ORDER(by_tag_count, trip, (asc, tag.value), (desc, tag.key));
SPARK_ORDER(of_word_count, word_count, (desc, value), (asc, key));
SPARK_ORDER(of_several, several, (desc, c), (asc, e), (desc, b));
SPARK_ORDER(of_scalars, scalars, (asc, e), (desc, g), (asc, j), (desc, f));
SPARK_ORDER(of_short, scalars, (desc, c), (asc, g), (desc, e));

static spk_ordering order_of(spk_types *types, const spark_type *type, const spark_order *order)
{
    spk_ordering ordering;
    spk_failure failure;
    const spk_layout *layout = layout_of(types, type);
    assert_int_equal(spk_ordering_make(&ordering, types, layout, order, &failure), SPARK_OK);
    return ordering;
}

/* check_prefix: sorts as compare does, and decides where it says so. */
static void check_prefix(const spk_ordering *o, const void *a, const void *b)
{
    const uint64_t x = spk_ordering_prefix(o, a), y = spk_ordering_prefix(o, b);
    const int c = spk_ordering_compare(o, a, b);
    if (c < 0)
        assert_true(x <= y);
    if (c > 0)
        assert_true(x >= y);
    if (o->exact)
        assert_int_equal(c == 0, x == y);
}

static void check_order(spk_types *types, const spark_type *type, const spark_order *order,
    int (*naive)(const void *, const void *))
{
    spk_ordering o = order_of(types, type, order);
    spk_ordering reverse = o;
    spk_ordering_reverse(&reverse);
    for (int i = 0; i < 2000; i++) {
        _Alignas(16) char a[MAX_SIZE], b[MAX_SIZE];
        value_pool pool = { .n = 0 };
        random_row(type, a, &pool);
        random_row(type, b, &pool);
        const int want = naive ? naive(a, b) : naive_compare(type, a, b);
        assert_int_equal(sign(spk_ordering_compare(&o, a, b)), sign(want));
        assert_int_equal(sign(spk_ordering_compare(&reverse, a, b)), -sign(want));
        check_prefix(&o, a, b);
        check_prefix(&reverse, a, b);
        pool_free(&pool);
    }
}

static void test_natural_order__is_that_of_values(void **state)
{
    for (size_t t = 0; t < N_TYPES; t++)
        check_order(*state, all_types[t], NULL, NULL);
}

static const spark_type *backwards_type;

static int naive_backwards(const void *a, const void *b)
{
    return -naive_compare(backwards_type, a, b);
}

static void test_order_desc__is_the_reverse_of_any_type(void **state)
{
    for (size_t t = 0; t < N_TYPES; t++) {
        backwards_type = all_types[t];
        check_order(*state, all_types[t], spark_order_desc, naive_backwards);
    }
}

static int naive_year_city(const void *va, const void *vb)
{
    const trip *a = va, *b = vb;
    if (a->year != b->year)
        return a->year > b->year ? -1 : 1;
    return spark_str_compare(a->city, b->city);
}

static int naive_costs(const void *va, const void *vb)
{
    const trip *a = va, *b = vb;
    for (int i = 0; i < 2; i++) {
        const int c = naive_double(a->cost[i], b->cost[i]);
        if (c != 0)
            return c;
    }
    return -naive_compare(SPARK_TYPE(word_count), &a->tag, &b->tag);
}

static int naive_second_cost(const void *a, const void *b)
{
    return -naive_double(((const trip *)a)->cost[1], ((const trip *)b)->cost[1]);
}

static int naive_tag_count(const void *va, const void *vb)
{
    const trip *a = va, *b = vb;
    if (a->tag.value != b->tag.value)
        return a->tag.value < b->tag.value ? -1 : 1;
    return -spark_str_compare(a->tag.key, b->tag.key);
}

static void test_order__by_members(void **state)
{
    check_order(*state, SPARK_TYPE(trip), by_year_then_city, naive_year_city);
    check_order(*state, SPARK_TYPE(trip), by_costs, naive_costs);
}

static void test_order__by_members_of_members_and_array_items(void **state)
{
    check_order(*state, SPARK_TYPE(trip), by_second_cost, naive_second_cost);
    check_order(*state, SPARK_TYPE(trip), by_tag_count, naive_tag_count);
}

static int naive_several(const void *va, const void *vb)
{
    const several *a = va, *b = vb;
    int c = -naive_compare(SPARK_TYPE(spark_opt_i32), &a->c, &b->c);
    if (c == 0)
        c = naive_compare(SPARK_TYPE(spark_opt_f64), &a->e, &b->e);
    return c ? c : -naive_compare(SPARK_TYPE(spark_opt_str), &a->b, &b->b);
}

static int naive_scalars(const void *va, const void *vb)
{
    const scalars *a = va, *b = vb;
    int c = (a->e > b->e) - (a->e < b->e);
    if (c == 0)
        c = -naive_compare(SPARK_TYPE(spark_date), &a->g, &b->g);
    if (c == 0)
        c = naive_compare(SPARK_TYPE(float), &a->j, &b->j);
    return c ? c : (a->f < b->f) - (a->f > b->f);
}

static int naive_short(const void *va, const void *vb)
{
    const scalars *a = va, *b = vb;
    int c = (a->c < b->c) - (a->c > b->c);
    if (c == 0)
        c = naive_compare(SPARK_TYPE(spark_date), &a->g, &b->g);
    return c ? c : (a->e < b->e) - (a->e > b->e);
}

static void test_order__of_narrow_members_in_one_prefix(void **state)
{
    spk_ordering rest, o = order_of(*state, SPARK_TYPE(several), of_several);
    check_order(*state, SPARK_TYPE(several), of_several, naive_several);
    assert_true(o.n_decided == 1 && o.n_prefix == 2);
    spk_ordering_after(&o, 1, &rest);
    assert_true(rest.n == 2 && rest.n_decided == 0 && rest.n_prefix == 1);
    o = order_of(*state, SPARK_TYPE(scalars), of_scalars);
    check_order(*state, SPARK_TYPE(scalars), of_scalars, naive_scalars);
    assert_true(o.n_decided == 2 && o.n_prefix == 3 && !o.exact);
    spk_ordering_after(&o, 2, &rest);
    assert_true(rest.n == 2 && rest.n_decided == 1 && rest.n_prefix == 2);
    check_order(*state, SPARK_TYPE(scalars), of_short, naive_short);
    assert_true(order_of(*state, SPARK_TYPE(scalars), of_short).exact);
}

/* What a member points to is not fetched where another one stands before it. */
static void test_prefix__does_not_look_elsewhere_for_later_members(void **state)
{
    const spk_ordering o = order_of(*state, SPARK_TYPE(trip), by_year_then_city);
    const trip a = { .year = 3, .city = SPARK_STR("a") }, b = { .year = 3, .city = SPARK_STR("b") };
    assert_int_equal(o.n_prefix, 1);
    assert_true(spk_ordering_prefix(&o, &a) == spk_ordering_prefix(&o, &b));
}

static void test_order__sorts_as_qsort_does(void **state)
{
    enum { N = 500 };
    value_pool pool = { .n = 0 };
    static trip trips[N], sorted[N];
    const spk_ordering o = order_of(*state, SPARK_TYPE(trip), by_year_then_city);
    for (int i = 0; i < N; i++)
        random_row(SPARK_TYPE(trip), &trips[i], &pool);
    memcpy(sorted, trips, sizeof sorted);
    qsort(sorted, N, sizeof sorted[0], naive_year_city);
    for (int i = 1; i < N; i++) { /* insertion sort by the ordering */
        const trip t = trips[i];
        int j = i;
        for (; j > 0 && spk_ordering_compare(&o, &trips[j - 1], &t) > 0; j--)
            trips[j] = trips[j - 1];
        trips[j] = t;
    }
    for (int i = 0; i < N; i++)
        assert_int_equal(naive_year_city(&trips[i], &sorted[i]), 0);
    pool_free(&pool);
}

static void test_order__accepts_the_same_shape_without_a_name(void **state)
{
    const spark_type *pair = spk_types_pair(*state, SPARK_TYPE(spark_str), SPARK_TYPE(int64_t));
    const spk_ordering o = order_of(*state, pair, of_word_count);
    assert_int_equal(o.n, 2);
    assert_true(o.parts[0].descending);
    assert_int_equal(o.parts[0].offset, offsetof(word_count, value));
}

static void expect_refused(spk_types *types, const spark_order *order, const char *why)
{
    spk_ordering ordering;
    spk_failure failure;
    const spk_layout *layout = layout_of(types, SPARK_TYPE(trip));
    assert_int_equal(spk_ordering_make(&ordering, types, layout, order, &failure), SPARK_ETYPE);
    if (!strstr(failure.message, why))
        fail_msg("%s: %s", why, failure.message);
}

static void test_order__refuses_other_types_and_unknown_members(void **state)
{
    spark_order_key key = { "year", offsetof(trip, year), false };
    const spark_order order = { "mine", SPARK_TYPE(trip), 1, &key };
    const spark_order none = { "none", SPARK_TYPE(trip), 0, NULL };
    const char *const unknown[] = { "month", "yea", "year[0]", "year.x", "cost[2]", "cost[",
        "cost[x]", "cost[0", "tag.", ".year", "", "city.len", "year]" };
    expect_refused(*state, of_word_count, "order of_word_count:");
    expect_refused(*state, &none, "order none:");
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        key.name = unknown[i];
        expect_refused(*state, &order, "order mine: trip has no member");
    }
    key.name = "year";
    key.offset = 3;
    expect_refused(*state, &order, "no member year at offset 3");
}

static void test_exact__only_where_the_prefix_decides(void **state)
{
    assert_true(order_of(*state, SPARK_TYPE(int64_t), NULL).exact);
    assert_true(order_of(*state, SPARK_TYPE(wrapped), NULL).exact);
    assert_true(order_of(*state, SPARK_TYPE(double), NULL).exact);
    assert_true(order_of(*state, SPARK_TYPE(float), spark_order_desc).exact);
    assert_true(order_of(*state, &spark_type_of_bool, NULL).exact);
    assert_true(order_of(*state, SPARK_TYPE(trip), by_second_cost).exact);
    assert_false(order_of(*state, SPARK_TYPE(spark_str), NULL).exact);
    assert_false(order_of(*state, SPARK_TYPE(modulo), NULL).exact);
    assert_false(order_of(*state, SPARK_TYPE(dense), NULL).exact);
    assert_false(order_of(*state, SPARK_TYPE(word_count), of_word_count).exact);
    assert_false(order_of(*state, SPARK_TYPE(spark_opt_i64), NULL).exact);
    assert_true(order_of(*state, SPARK_TYPE(spark_opt_i32), NULL).exact);
    assert_false(order_of(*state, SPARK_TYPE(opt_modulo), NULL).exact);
    assert_false(order_of(*state, spk_types_array(*state, SPARK_TYPE(int16_t), 2), NULL).exact);
}

static void test_prefix__tells_short_strings_apart(void **state)
{
    const spk_ordering o = order_of(*state, SPARK_TYPE(word_count), NULL);
    const word_count a = { SPARK_STR("abc"), 9 }, b = { SPARK_STR("abd"), 1 };
    const word_count c = { SPARK_STR("\xff"), 1 };
    assert_true(spk_ordering_prefix(&o, &a) < spk_ordering_prefix(&o, &b));
    assert_true(spk_ordering_prefix(&o, &b) < spk_ordering_prefix(&o, &c));
}

static void test_prefix__of_doubles_is_monotonic_everywhere(void **state)
{
    const spk_ordering o = order_of(*state, SPARK_TYPE(double), NULL);
    const spk_ordering f = order_of(*state, SPARK_TYPE(float), NULL);
    for (int i = 0; i < 200000; i++) {
        const uint64_t a = random_u64(), b = random_below(2) ? a + 1 : random_u64();
        check_prefix(&o, &a, &b);
        check_prefix(&f, &a, &b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_natural_order__is_that_of_values),
        cmocka_unit_test(test_order_desc__is_the_reverse_of_any_type),
        cmocka_unit_test(test_order__by_members),
        cmocka_unit_test(test_order__by_members_of_members_and_array_items),
        cmocka_unit_test(test_order__of_narrow_members_in_one_prefix),
        cmocka_unit_test(test_prefix__does_not_look_elsewhere_for_later_members),
        cmocka_unit_test(test_order__sorts_as_qsort_does),
        cmocka_unit_test(test_order__accepts_the_same_shape_without_a_name),
        cmocka_unit_test(test_order__refuses_other_types_and_unknown_members),
        cmocka_unit_test(test_exact__only_where_the_prefix_decides),
        cmocka_unit_test(test_prefix__tells_short_strings_apart),
        cmocka_unit_test(test_prefix__of_doubles_is_monotonic_everywhere),
    };
    return cmocka_run_group_tests(tests, make_types, free_types);
}
