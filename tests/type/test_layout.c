/* SPDX-License-Identifier: Apache-2.0 */
/* Layouts and the table of types: leaves, key classes, run-time types, refusals, threads. */
#include "random_value.h"

#include <pthread.h>


static void expect_leaf(const spk_leaf *leaf, spark_kind kind, size_t offset, size_t size)
{
    assert_int_equal(leaf->kind, kind);
    assert_int_equal(leaf->offset, offset);
    assert_int_equal(leaf->size, size);
}

static void test_leaves__are_members_in_place(void **state)
{
    const spk_layout *l = layout_of(*state, SPARK_TYPE(invoice));
    assert_int_equal(l->n_leaves, 11);
    expect_leaf(&l->leaves[0], SPARK_KIND_I64, 0, 8);
    expect_leaf(&l->leaves[1], SPARK_KIND_STR, offsetof(invoice, name), 16);
    expect_leaf(&l->leaves[2], SPARK_KIND_I8, offsetof(invoice, inner), 1);
    expect_leaf(&l->leaves[9], SPARK_KIND_U32, offsetof(invoice, inner[1].d), 4);
    expect_leaf(&l->leaves[10], SPARK_KIND_F64, offsetof(invoice, amount), 8);
    assert_int_equal(l->n_views, 1);
    expect_leaf(&l->view_leaves[0], SPARK_KIND_STR, offsetof(invoice, name), 16);
    assert_true(l->views);
    assert_false(l->flat);
}

static void test_leaves__of_one_kind_side_by_side_are_one(void **state)
{
    const spk_layout *l = layout_of(*state, SPARK_TYPE(point));
    assert_int_equal(l->n_leaves, 3);
    expect_leaf(&l->leaves[0], SPARK_KIND_F64, 0, 24);
    expect_leaf(&l->leaves[1], SPARK_KIND_F32, 24, 8);
    expect_leaf(&l->leaves[2], SPARK_KIND_CHAR, 32, 5);
    assert_false(l->views);
}

static void test_leaves__of_overridden_members_are_opaque(void **state)
{
    const spk_layout *l = layout_of(*state, SPARK_TYPE(modulo_pair));
    assert_int_equal(l->n_leaves, 3);
    expect_leaf(&l->leaves[0], SPARK_KIND_STRUCT, 0, sizeof(modulo));
    assert_ptr_equal(l->leaves[0].of, layout_of(*state, SPARK_TYPE(modulo)));
    assert_ptr_equal(l->key, layout_of(*state, SPARK_TYPE(modulo)));
    assert_ptr_equal(l->value, layout_of(*state, SPARK_TYPE(word_count)));
    assert_int_equal(l->value_offset, offsetof(modulo_pair, value));
}

static void test_flat__is_integers_without_holes_or_overrides(void **state)
{
    assert_true(layout_of(*state, SPARK_TYPE(dense))->flat);
    assert_true(layout_of(*state, SPARK_TYPE(int64_t))->flat);
    assert_true(layout_of(*state, SPARK_TYPE(blob12))->flat);
    assert_true(layout_of(*state, &spark_type_of_bool)->flat);
    assert_false(layout_of(*state, SPARK_TYPE(holes))->flat);
    assert_false(layout_of(*state, SPARK_TYPE(double))->flat);
    assert_false(layout_of(*state, SPARK_TYPE(modulo))->flat);
    assert_false(layout_of(*state, SPARK_TYPE(spark_str))->flat);
    assert_false(layout_of(*state, SPARK_TYPE(spark_opt_i64))->flat);
}

static void test_key_class__is_for_lone_integers_and_strings(void **state)
{
    assert_int_equal(layout_of(*state, SPARK_TYPE(int64_t))->key_class, SPK_KEY_8);
    assert_int_equal(layout_of(*state, SPARK_TYPE(wrapped))->key_class, SPK_KEY_8);
    assert_int_equal(layout_of(*state, SPARK_TYPE(money))->key_class, SPK_KEY_8);
    assert_int_equal(layout_of(*state, SPARK_TYPE(spark_time))->key_class, SPK_KEY_8);
    assert_int_equal(layout_of(*state, SPARK_TYPE(uint32_t))->key_class, SPK_KEY_4);
    assert_int_equal(layout_of(*state, SPARK_TYPE(spark_date))->key_class, SPK_KEY_4);
    assert_int_equal(layout_of(*state, SPARK_TYPE(spark_bytes))->key_class, SPK_KEY_STR);
    assert_int_equal(layout_of(*state, SPARK_TYPE(double))->key_class, SPK_KEY_GENERIC);
    assert_int_equal(layout_of(*state, SPARK_TYPE(modulo))->key_class, SPK_KEY_GENERIC);
    assert_int_equal(layout_of(*state, SPARK_TYPE(dense))->key_class, SPK_KEY_GENERIC);
    assert_int_equal(layout_of(*state, SPARK_TYPE(int16_t))->key_class, SPK_KEY_GENERIC);
    assert_int_equal(layout_of(*state, SPARK_TYPE(spark_opt_i64))->key_class, SPK_KEY_OPTIONAL_8);
    assert_int_equal(layout_of(*state, SPARK_TYPE(spark_opt_i32))->key_class, SPK_KEY_OPTIONAL_4);
    assert_int_equal(layout_of(*state, SPARK_TYPE(spark_opt_str))->key_class, SPK_KEY_OPTIONAL_STR);
    assert_int_equal(layout_of(*state, SPARK_TYPE(opt_modulo))->key_class, SPK_KEY_GENERIC);
    assert_int_equal(layout_of(*state, SPARK_TYPE(several))->key_class, SPK_KEY_GENERIC);
}

static void test_key_class__two_integers_in_eight_bytes_are_no_key_8(void **state)
{
    const spark_type *two = spk_types_array(*state, SPARK_TYPE(int32_t), 2);
    assert_int_equal(layout_of(*state, two)->key_class, SPK_KEY_GENERIC);
    assert_true(layout_of(*state, two)->flat);
}

/* ---- interning ---- */

static void test_layout__is_one_for_equal_descriptions(void **state)
{
    spark_type copy = spark_type_of_invoice;
    spark_field fields[4];
    spk_types *types = spk_types_new(); /* its own, which goes before this stack frame does */
    (void)state;
    memcpy(fields, copy.fields, sizeof fields);
    copy.fields = fields;
    assert_ptr_equal(layout_of(types, &copy), layout_of(types, SPARK_TYPE(invoice)));
    copy.name = "other";
    assert_ptr_not_equal(layout_of(types, &copy), layout_of(types, SPARK_TYPE(invoice)));
    spk_types_free(types);
}

static void test_run_time_types__same_arguments_same_pointer(void **state)
{
    const spark_type *k = SPARK_TYPE(spark_str), *v = SPARK_TYPE(int64_t);
    const spark_type *const members[] = { k, v };
    const char *const names[] = { "a", "b" }, *const others[] = { "a", "c" };
    assert_ptr_equal(spk_types_pair(*state, k, v), spk_types_pair(*state, k, v));
    assert_ptr_not_equal(spk_types_pair(*state, k, v), spk_types_pair(*state, v, k));
    assert_ptr_equal(spk_types_list(*state, v), spk_types_list(*state, v));
    assert_ptr_equal(spk_types_optional(*state, v), spk_types_optional(*state, v));
    assert_ptr_equal(
        spk_types_struct(*state, 2, members, names), spk_types_struct(*state, 2, members, names));
    assert_ptr_not_equal(
        spk_types_struct(*state, 2, members, names), spk_types_struct(*state, 2, members, others));
    assert_ptr_equal(spk_types_array(*state, v, 3), spk_types_array(*state, v, 3));
    assert_ptr_not_equal(spk_types_array(*state, v, 3), spk_types_array(*state, v, 4));
}

static void expect_same_shape(const spark_type *made, const spark_type *described)
{
    char text[256];
    assert_non_null(made);
    assert_null(made->name);
    assert_int_equal(made->size, described->size);
    assert_int_equal(made->align, described->align);
    if (spk_type_differ(described, made, text, sizeof text) != SPARK_OK)
        fail_msg("%s", text);
}

static void test_run_time_types__are_laid_out_as_by_the_compiler(void **state)
{
    spk_types *t = *state;
    const spark_type *const members[]
        = { SPARK_TYPE(int8_t), SPARK_TYPE(int64_t), SPARK_TYPE(int16_t), SPARK_TYPE(uint32_t) };
    const char *const names[] = { "a", "b", "c", "d" };
    expect_same_shape(spk_types_struct(t, 4, members, names), SPARK_TYPE(holes));
    expect_same_shape(spk_types_pair(t, SPARK_TYPE(spark_str), SPARK_TYPE(int64_t)),
        SPARK_TYPE(word_count));
    expect_same_shape(spk_types_pair(t, SPARK_TYPE(modulo), SPARK_TYPE(word_count)),
        SPARK_TYPE(modulo_pair));
    expect_same_shape(spk_types_list(t, SPARK_TYPE(invoice)), SPARK_TYPE(invoice_list));
    expect_same_shape(spk_types_optional(t, SPARK_TYPE(invoice)), SPARK_TYPE(opt_invoice));
    expect_same_shape(spk_types_optional(t, SPARK_TYPE(int32_t)), SPARK_TYPE(spark_opt_i32));
    expect_same_shape(spk_types_optional(t, SPARK_TYPE(spark_opt_f64)), SPARK_TYPE(opt_opt));
}

static void test_run_time_types__of_nothing_are_null(void **state)
{
    const spark_type *const members[] = { NULL };
    const char *const names[] = { "a" };
    assert_null(spk_types_pair(*state, NULL, SPARK_TYPE(int64_t)));
    assert_null(spk_types_pair(*state, SPARK_TYPE(int64_t), NULL));
    assert_null(spk_types_list(*state, NULL));
    assert_null(spk_types_optional(*state, NULL));
    assert_null(spk_types_struct(*state, 1, members, names));
    assert_null(spk_types_array(*state, SPARK_TYPE(int64_t), SIZE_MAX / 8));
    assert_null(spk_types_array(*state, SPARK_TYPE(int64_t), UINT32_MAX / 4));
}

static void test_table__grows(void **state)
{
    const spark_type *made[500];
    const spark_type *type = SPARK_TYPE(int64_t);
    for (size_t i = 0; i < 500; i++)
        made[i] = spk_types_array(*state, type, i + 1);
    for (size_t i = 0; i < 500; i++) {
        assert_ptr_equal(spk_types_array(*state, type, i + 1), made[i]);
        assert_int_equal(layout_of(*state, made[i])->size, 8 * (i + 1));
    }
}

/* ---- descriptions that make no sense ---- */

static void expect_refused(spk_types *types, const spark_type *type, const char *why)
{
    spk_failure failure;
    memset(&failure, 0, sizeof failure);
    assert_null(spk_layout_of(types, type, &failure));
    assert_int_equal(failure.code, SPARK_EINVAL);
    if (!strstr(failure.message, why))
        fail_msg("%s: %s", why, failure.message);
}

static void test_layout__refuses_scalars_that_make_no_sense(void **state)
{
    spark_type type = spark_type_of_int64_t;
    expect_refused(*state, NULL, "missing");
    type.kind = (spark_kind)99;
    expect_refused(*state, &type, "unknown kind");
    type.kind = SPARK_KIND_I32;
    expect_refused(*state, &type, "size does not fit");
    type = spark_type_of_int64_t;
    type.align = 3;
    expect_refused(*state, &type, "alignment");
    type.align = 8;
    type.size = 0;
    expect_refused(*state, &type, "size");
    type = spark_type_of_money;
    type.scale = 19;
    expect_refused(*state, &type, "precision");
}

static void test_layout__refuses_structs_that_make_no_sense(void **state)
{
    spark_field fields[]
        = { { "a", SPARK_TYPE(int32_t), 0, 0 }, { "b", SPARK_TYPE(int32_t), 4, 0 } };
    spark_type type = { "t", SPARK_KIND_STRUCT, 8, 4, 2, 0, 0, fields, NULL, NULL };
    assert_int_equal(layout_of(*state, SPARK_TYPE(dense))->n_leaves, 3);
    fields[1].offset = 8;
    expect_refused(*state, &type, "outside");
    fields[1].offset = 2;
    expect_refused(*state, &type, "overlap");
    fields[1].offset = 4;
    fields[1].count = SIZE_MAX;
    expect_refused(*state, &type, "outside");
    fields[1].type = NULL;
    expect_refused(*state, &type, "missing");
    type.fields = NULL;
    expect_refused(*state, &type, "no fields");
    type = spark_type_of_word_count;
    type.count = 1;
    expect_refused(*state, &type, "two members");
    type = spark_type_of_spark_i64_list;
    type.of = NULL;
    expect_refused(*state, &type, "missing");
}

static void test_layout__refuses_what_is_nested_too_deep(void **state)
{
    spark_type lists[130];
    spk_failure failure;
    for (int i = 0; i < 130; i++) {
        lists[i] = spark_type_of_spark_i64_list;
        lists[i].of = i > 0 ? &lists[i - 1] : SPARK_TYPE(int64_t);
    }
    spk_types *types = spk_types_new();
    assert_non_null(spk_layout_of(types, &lists[119], &failure));
    expect_refused(types, &lists[120], "deeper than 120");
    lists[0].of = &lists[5];
    expect_refused(types, &lists[5], "deeper than 120");
    spk_types_free(types);
    assert_true(*state != NULL);
}

static void test_layout__refuses_what_would_explode(void **state)
{
    spark_type lists[30];
    spark_field fields[30][8];
    spark_type structs[30];
    for (int i = 0; i < 14; i++) {
        lists[i] = spark_type_of_spark_i64_list;
        lists[i].of = i > 0 ? &structs[i - 1] : SPARK_TYPE(int64_t);
        for (size_t j = 0; j < 8; j++)
            fields[i][j] = (spark_field) { "f", &lists[i], 16 * j, 0 };
        structs[i]
            = (spark_type) { "s", SPARK_KIND_STRUCT, 128, 8, 8, 0, 0, fields[i], NULL, NULL };
    }
    expect_refused(*state, &structs[13], "too large");
}

/* ---- threads ---- */

static void *ask_for_all(void *arg)
{
    spk_types *types = arg;
    const spk_layout **found = calloc(N_TYPES, sizeof *found);
    for (size_t i = 0; found && i < N_TYPES; i++) {
        spk_failure failure;
        const spark_type *pair = spk_types_pair(types, all_types[i], all_types[N_TYPES - 1 - i]);
        found[i] = pair ? spk_layout_of(types, pair, &failure) : NULL;
    }
    return found;
}

static void test_table__gives_all_threads_the_same(void **state)
{
    enum { THREADS = 4 };
    pthread_t threads[THREADS];
    void *found[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask_for_all, *state), 0);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], &found[i]);
        assert_non_null(found[i]);
        assert_memory_equal(found[i], found[0], N_TYPES * sizeof(spk_layout *));
    }
    for (int i = 0; i < THREADS; i++)
        free(found[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_leaves__are_members_in_place),
        cmocka_unit_test(test_leaves__of_one_kind_side_by_side_are_one),
        cmocka_unit_test(test_leaves__of_overridden_members_are_opaque),
        cmocka_unit_test(test_flat__is_integers_without_holes_or_overrides),
        cmocka_unit_test(test_key_class__is_for_lone_integers_and_strings),
        cmocka_unit_test(test_key_class__two_integers_in_eight_bytes_are_no_key_8),
        cmocka_unit_test(test_layout__is_one_for_equal_descriptions),
        cmocka_unit_test(test_run_time_types__same_arguments_same_pointer),
        cmocka_unit_test(test_run_time_types__are_laid_out_as_by_the_compiler),
        cmocka_unit_test(test_run_time_types__of_nothing_are_null),
        cmocka_unit_test(test_table__grows),
        cmocka_unit_test(test_layout__refuses_scalars_that_make_no_sense),
        cmocka_unit_test(test_layout__refuses_structs_that_make_no_sense),
        cmocka_unit_test(test_layout__refuses_what_is_nested_too_deep),
        cmocka_unit_test(test_layout__refuses_what_would_explode),
        cmocka_unit_test(test_table__gives_all_threads_the_same),
    };
    return cmocka_run_group_tests(tests, make_types, free_types);
}
