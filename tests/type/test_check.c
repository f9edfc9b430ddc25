/* SPDX-License-Identifier: Apache-2.0 */
/* Which descriptions read as each other, what is said when they do not, and the names of types. */
#include "random_value.h"

SPARK_STRUCT(customer, (int64_t, id), (spark_str, name));
SPARK_STRUCT(product, (int64_t, id), (spark_str, name));
SPARK_STRUCT(sale, (int64_t, id), (double, amount), (customer, who));
SPARK_PAIR(sale_by_id, int64_t, sale);
SPARK_PAIR(same_count, spark_str, int64_t);
SPARK_LIST(customers, customer);
SPARK_DECIMAL(small_money, 10, 2);

static void expect_differ(const spark_type *want, const spark_type *have, const char *text)
{
    char found[256];
    assert_int_equal(spk_type_differ(want, have, found, sizeof found), SPARK_ETYPE);
    assert_string_equal(found, text);
    assert_int_equal(spark_type_check(want, have), SPARK_ETYPE);
    assert_int_equal(spark_last_error()->code, SPARK_ETYPE);
    assert_non_null(strstr(spark_last_error()->message, text));
}

static void test_check__takes_each_type_for_itself(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_TYPES; i++) {
        spark_type copy = *all_types[i];
        copy.of = all_types[i]->of;
        assert_int_equal(spark_type_check(all_types[i], &copy), SPARK_OK);
    }
}

static void test_check__tells_all_types_apart(void **state)
{
    char text[256];
    (void)state;
    for (size_t i = 0; i < N_TYPES; i++)
        for (size_t j = 0; j < N_TYPES; j++)
            assert_int_equal(
                spk_type_differ(all_types[i], all_types[j], text, sizeof text) == SPARK_OK, i == j);
}

static void test_check__ignores_names_of_pairs_and_scalars(void **state)
{
    spark_type named = spark_type_of_int64_t;
    (void)state;
    named.name = "user_id";
    assert_int_equal(spark_type_check(SPARK_TYPE(same_count), SPARK_TYPE(word_count)), SPARK_OK);
    assert_int_equal(spark_type_check(SPARK_TYPE(int64_t), &named), SPARK_OK);
}

static void test_check__wants_named_structs_to_agree(void **state)
{
    spark_type anonymous = spark_type_of_product;
    (void)state;
    expect_differ(SPARK_TYPE(customer), SPARK_TYPE(product), "customer wanted, product found");
    anonymous.name = NULL;
    assert_int_equal(spark_type_check(SPARK_TYPE(customer), &anonymous), SPARK_OK);
    assert_int_equal(spark_type_check(&anonymous, SPARK_TYPE(customer)), SPARK_OK);
}

static void test_check__wants_field_names_of_named_structs_to_agree(void **state)
{
    spark_field fields[2] = { spark_fields_of_customer[0], spark_fields_of_customer[1] };
    spark_type other = spark_type_of_customer;
    (void)state;
    fields[1].name = "title";
    other.fields = fields;
    expect_differ(SPARK_TYPE(customer), &other, "member name wanted, title found");
    other.name = NULL;
    assert_int_equal(spark_type_check(SPARK_TYPE(customer), &other), SPARK_OK);
}

static void test_check__names_the_first_difference_by_its_path(void **state)
{
    spark_field members[3], pair[2];
    spark_type inner = spark_type_of_sale, outer = spark_type_of_sale_by_id;
    (void)state;
    memcpy(members, inner.fields, sizeof members);
    memcpy(pair, outer.fields, sizeof pair);
    inner.fields = members;
    outer.fields = pair;
    pair[1].type = &inner;
    members[1].type = SPARK_TYPE(int64_t);
    expect_differ(SPARK_TYPE(sale_by_id), &outer,
        "value.amount: f64 at offset 16 wanted, i64 at offset 16 found");
    members[1] = spark_fields_of_sale[1];
    members[2].type = SPARK_TYPE(product);
    expect_differ(
        SPARK_TYPE(sale_by_id), &outer, "value.who: customer wanted, product found");
    members[2] = spark_fields_of_sale[2];
    members[1].offset = 32;
    expect_differ(SPARK_TYPE(sale_by_id), &outer,
        "value.amount: f64 at offset 16 wanted, f64 at offset 40 found");
}

static void test_check__goes_into_lists_and_optionals(void **state)
{
    spark_type list = spark_type_of_customers;
    (void)state;
    list.of = SPARK_TYPE(product);
    expect_differ(SPARK_TYPE(customers), &list, "[]: customer wanted, product found");
    expect_differ(SPARK_TYPE(spark_opt_f64), SPARK_TYPE(spark_opt_i64),
        "value: f64 at offset 8 wanted, i64 at offset 8 found");
    expect_differ(SPARK_TYPE(spark_opt_i32), SPARK_TYPE(spark_opt_i64),
        "value: i32 at offset 4 wanted, i64 at offset 8 found");
}

static void test_check__compares_arrays_decimals_and_counts(void **state)
{
    spark_field fields[3];
    spark_type other = spark_type_of_point;
    (void)state;
    memcpy(fields, other.fields, sizeof fields);
    other.fields = fields;
    fields[2].count = 4;
    expect_differ(SPARK_TYPE(point), &other, "code: array length 5 wanted, 4 found");
    other.count = 2;
    expect_differ(SPARK_TYPE(point), &other, "number of members: 3 wanted, 2 found");
    expect_differ(
        SPARK_TYPE(money), SPARK_TYPE(small_money), "decimal(18,2) wanted, decimal(10,2) found");
}

static void test_check__takes_anything_for_no_type(void **state)
{
    (void)state;
    assert_int_equal(spark_type_check(NULL, SPARK_TYPE(int64_t)), SPARK_OK);
    expect_differ(SPARK_TYPE(int64_t), NULL, "i64 wanted, no type found");
}

static void test_check__ends_on_a_description_of_itself(void **state)
{
    spark_type a = spark_type_of_spark_i64_list, b = a;
    char text[512];
    (void)state;
    a.of = &a;
    b.of = &b;
    assert_int_equal(spk_type_differ(&a, &b, text, sizeof text), SPARK_ETYPE);
    a.name = NULL;
    assert_int_equal(strlen(spk_type_name(&a, text, 20)), 19);
}

static void test_check__cuts_its_text_to_the_room(void **state)
{
    char text[8] = "1234567";
    (void)state;
    spk_type_differ(SPARK_TYPE(customer), SPARK_TYPE(product), text, 5);
    assert_string_equal(text, "cust");
    assert_int_equal(text[5], '6');
    spk_type_differ(SPARK_TYPE(customer), SPARK_TYPE(product), NULL, 0);
}

static void expect_name(const spark_type *type, const char *want)
{
    char text[128];
    assert_string_equal(spk_type_name(type, text, sizeof text), want);
}

static void test_type_name__is_the_name_or_the_shape(void **state)
{
    spk_types *types = *state;
    expect_name(SPARK_TYPE(int64_t), "i64");
    expect_name(&spark_type_of_bool, "bool");
    expect_name(SPARK_TYPE(spark_str), "str");
    expect_name(SPARK_TYPE(word_count), "word_count");
    expect_name(SPARK_TYPE(money), "decimal(18,2)");
    expect_name(spk_types_pair(types, SPARK_TYPE(spark_str), SPARK_TYPE(int64_t)), "pair(str,i64)");
    expect_name(spk_types_list(types, SPARK_TYPE(invoice)), "list(invoice)");
    expect_name(spk_types_optional(types, spk_types_list(types, SPARK_TYPE(double))),
        "optional(list(f64))");
    expect_name(spk_types_array(types, SPARK_TYPE(char), 3), "struct(char[3])");
    expect_name(NULL, "any");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check__takes_each_type_for_itself),
        cmocka_unit_test(test_check__tells_all_types_apart),
        cmocka_unit_test(test_check__ignores_names_of_pairs_and_scalars),
        cmocka_unit_test(test_check__wants_named_structs_to_agree),
        cmocka_unit_test(test_check__wants_field_names_of_named_structs_to_agree),
        cmocka_unit_test(test_check__names_the_first_difference_by_its_path),
        cmocka_unit_test(test_check__goes_into_lists_and_optionals),
        cmocka_unit_test(test_check__compares_arrays_decimals_and_counts),
        cmocka_unit_test(test_check__takes_anything_for_no_type),
        cmocka_unit_test(test_check__ends_on_a_description_of_itself),
        cmocka_unit_test(test_check__cuts_its_text_to_the_room),
        cmocka_unit_test(test_type_name__is_the_name_or_the_shape),
    };
    return cmocka_run_group_tests(tests, make_types, free_types);
}
