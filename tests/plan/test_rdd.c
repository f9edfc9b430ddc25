/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes: preparing parents first and once, freeing without recursion, errors that are inherited, and
 * environments. */
#include "support/spark_test.h"

#include <pthread.h>
#include <stdlib.h>

#include "plan/broadcast.h"
#include "plan/rdd.h"
#include "plan/shuffle.h"

enum { MOST = 256, DEEP = 1000000 };

/* node: one that writes down when it is prepared and released. */
typedef struct node {
    spark_rdd rdd;
    int number;
    int failures; /* left before preparing succeeds */
} node;

static int prepared[MOST], released[MOST];
static int n_prepared, n_released;

static spark_status prepare_node(spark_rdd *rdd, spk_failure *failure)
{
    node *x = (node *)(void *)rdd;
    for (uint32_t i = 0; i < rdd->n_deps; i++)
        assert_true(spk_rdd_is_prepared(rdd->deps[i].rdd));
    if (x->failures > 0) {
        x->failures--;
        return spk_failure_set(failure, SPARK_EIO, "node", NULL, "node %d", x->number);
    }
    if (n_prepared < MOST)
        prepared[n_prepared] = x->number;
    n_prepared++;
    spk_rdd_partitions_set(rdd, 3);
    return SPARK_OK;
}

static void release_node(spark_rdd *rdd)
{
    for (uint32_t i = 0; i < rdd->n_deps; i++)
        assert_true(atomic_load(&rdd->deps[i].rdd->refs) > 0);
    if (n_released < MOST)
        released[n_released] = ((node *)(void *)rdd)->number;
    n_released++;
}

static const spk_class node_class
    = { .name = "NodeRDD", .prepare = prepare_node, .release = release_node };
static const spk_class step_class = { .name = "StepRDD", .release = release_node };

static spk_rdd_args args_for(
    spark_context *sc, const spk_class *class, size_t n, spark_rdd *const *parents)
{
    spk_failure failure;
    return (spk_rdd_args) { .at = "t.c:1",
        .operation = "node",
        .sc = sc,
        .class = class,
        .size = sizeof(node),
        .layout = spk_layout_for(sc, SPARK_TYPE(int64_t), &failure),
        .n_parents = n,
        .parents = parents };
}

static spark_rdd *make(spark_context *sc, int number, size_t n, spark_rdd *const *parents)
{
    bool made;
    const spk_rdd_args args = args_for(sc, &node_class, n, parents);
    spark_rdd *rdd = spk_rdd_new(&args, &made);
    assert_true(made);
    ((node *)(void *)rdd)->number = number;
    return rdd;
}

#define MAKE(sc, number, ...)                                                                      \
    make(sc, number, sizeof((spark_rdd *[]) { __VA_ARGS__ }) / sizeof(spark_rdd *),                \
        (spark_rdd *[]) { __VA_ARGS__ })

static void expect(const int *have, int n, const char *numbers)
{
    char text[MOST * 12] = "";
    size_t at = 0;
    for (int i = 0; i < n; i++)
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%d", i ? " " : "", have[i]);
    assert_string_equal(text, numbers);
}

static int open_context(void **state)
{
    n_prepared = n_released = 0;
    *state = spark_context_new(&(spark_conf) { .threads = 1 });
    return 0;
}

static int close_context(void **state)
{
    spark_context_free(*state);
    return 0;
}

/* ---- preparing */

static void test_prepare__goes_parents_first_and_once(void **state)
{
    spk_failure failure;
    spark_rdd *a = make(*state, 1, 0, NULL);
    spark_rdd *b = MAKE(*state, 2, a), *c = MAKE(*state, 3, a);
    spark_rdd *d = MAKE(*state, 4, b, c, a), *e = MAKE(*state, 5, d, d, b);
    assert_int_equal(spk_rdd_prepare(e, &failure), SPARK_OK);
    assert_int_equal(n_prepared, 5);
    int place[6];
    for (int i = 0; i < 5; i++)
        place[prepared[i]] = i;
    assert_int_equal(place[1], 0);
    assert_int_equal(place[4], 3);
    assert_int_equal(place[5], 4);
    assert_int_equal(spk_rdd_prepare(e, &failure), SPARK_OK);
    assert_int_equal(spk_rdd_prepare(b, &failure), SPARK_OK);
    assert_int_equal(n_prepared, 5);
}

static void test_prepare__leaves_children_alone(void **state)
{
    spk_failure failure;
    spark_rdd *a = make(*state, 1, 0, NULL), *b = MAKE(*state, 2, a);
    MAKE(*state, 3, b);
    assert_int_equal(spk_rdd_prepare(b, &failure), SPARK_OK);
    expect(prepared, n_prepared, "1 2");
}

static void test_prepare__of_a_ladder_of_diamonds_is_linear(void **state)
{
    enum { RUNGS = 80 };
    spk_failure failure;
    spark_rdd *rdd = make(*state, 0, 0, NULL);
    for (int i = 1; i <= RUNGS; i++) {
        spark_rdd *left = MAKE(*state, i * 3, rdd), *right = MAKE(*state, i * 3 + 1, rdd);
        rdd = MAKE(*state, i * 3 + 2, left, right, left);
    }
    assert_int_equal(rdd->ancestors, 2 * RUNGS);
    assert_int_equal(spk_rdd_prepare(rdd, &failure), SPARK_OK);
    assert_int_equal(n_prepared, 3 * RUNGS + 1);
}

static void test_prepare__goes_on_after_a_failure(void **state)
{
    spk_failure failure;
    spark_rdd *a = make(*state, 1, 0, NULL), *b = MAKE(*state, 2, a), *c = MAKE(*state, 3, b);
    ((node *)(void *)b)->failures = 1;
    assert_int_equal(spk_rdd_prepare(c, &failure), SPARK_EIO);
    assert_string_equal(failure.message, "node 2");
    expect(prepared, n_prepared, "1");
    assert_int_equal(spk_rdd_partitions(c), -1);
    assert_int_equal(spk_rdd_prepare(c, &failure), SPARK_OK);
    expect(prepared, n_prepared, "1 2 3");
}

static void test_prepare__gives_steps_the_partitions_of_their_parent(void **state)
{
    bool made;
    spk_failure failure;
    spark_rdd *a = make(*state, 1, 0, NULL);
    const spk_rdd_args args = args_for(*state, &step_class, 1, &a);
    spark_rdd *step = spk_rdd_new(&args, &made);
    assert_int_equal(step->planned, -1);
    assert_int_equal(spk_rdd_planned(step, &failure), 3);
    assert_int_equal(spk_rdd_partitions(step), 3);
    assert_int_equal(step->planned, 3);
    a->planned = 9; /* at most: is handed on without preparing */
    spark_rdd *other = spk_rdd_new(&args, &made);
    assert_int_equal(spk_rdd_planned(other, &failure), 9);
    assert_int_equal(spk_rdd_partitions(other), -1);
}

static void test_planned__says_what_went_wrong(void **state)
{
    spk_failure failure;
    spark_rdd *a = make(*state, 1, 0, NULL);
    ((node *)(void *)a)->failures = 1;
    assert_int_equal(spk_rdd_planned(a, &failure), -1);
    assert_string_equal(failure.message, "node 1");
    assert_int_equal(spk_rdd_planned(a, &failure), 3);
}

static void test_prepare__makes_the_slots_of_shuffles(void **state)
{
    spk_failure failure;
    spark_rdd *a = make(*state, 1, 0, NULL), *b = MAKE(*state, 2, a);
    spk_shuffle *shuffle = spk_shuffle_new(b, a, NULL, a->layout, a->layout, NULL);
    assert_non_null(shuffle);
    b->deps[0].shuffle = shuffle;
    assert_int_equal(shuffle->maps, -1);
    assert_int_equal(spk_rdd_prepare(b, &failure), SPARK_OK);
    assert_int_equal(shuffle->maps, 3);
    assert_int_equal(atomic_load(&shuffle->missing), 3);
    for (int m = 0; m < 3; m++)
        assert_null(atomic_load(&shuffle->outputs[m]));
}

static void test_slices__make_256_over_all_partitions(void **state)
{
    (void)state;
    for (int partitions = 0; partitions < 1000; partitions++) {
        const uint64_t slices = spk_slices_for(partitions);
        const uint64_t n = partitions ? (uint64_t)partitions : 1;
        assert_true(slices >= 1 && slices <= 256 && (slices & (slices - 1)) == 0);
        assert_true(slices * n >= 256 && (slices == 1 || slices / 2 * n < 256));
    }
    assert_int_equal(spk_slices_for(INT32_MAX), 1);
}

/* ---- freeing */

static void test_free__goes_children_first_and_once(void **state)
{
    spark_scope *scope = spark_scope_begin(*state);
    spark_rdd *a = make(*state, 1, 0, NULL), *b = MAKE(*state, 2, a), *c = MAKE(*state, 3, a);
    spark_rdd *d = MAKE(*state, 4, b, c);
    spark_rdd_release(a);
    spark_rdd_release(b);
    spark_rdd_release(c);
    spark_rdd_release(c);
    assert_int_equal(n_released, 0);
    spark_rdd_release(d);
    assert_int_equal(n_released, 4);
    assert_int_equal(released[0], 4);
    assert_int_equal(released[3], 1);
    spark_scope_end(scope);
    assert_int_equal(n_released, 4);
    spark_rdd_release(NULL);
}

static void test_free__leaves_what_others_need(void **state)
{
    spark_scope *scope = spark_scope_begin(*state);
    spark_rdd *a = make(*state, 1, 0, NULL), *b = MAKE(*state, 2, a);
    spk_rdd_ref(a);
    spark_scope_end(scope);
    expect(released, n_released, "2");
    (void)b;
    spk_rdd_unref(a);
    expect(released, n_released, "2 1");
    spk_rdd_unref(NULL);
}

/* build_deep: a chain of DEEP nodes, each kept by the next alone, prepared, then let go of. */
static void *build_deep(void *sc)
{
    spk_failure failure;
    spark_scope *scope = spark_scope_begin(sc);
    spark_rdd *rdd = make(sc, 0, 0, NULL);
    for (int i = 1; i < DEEP; i++) {
        spark_rdd *next = make(sc, i, 1, &rdd);
        spark_rdd_release(rdd);
        rdd = next;
    }
    const bool good = spk_rdd_prepare(rdd, &failure) == SPARK_OK && n_prepared == DEEP
        && n_released == 0 && rdd->ancestors == DEEP - 1;
    spark_scope_end(scope);
    return good ? sc : NULL;
}

static void test_chain__of_a_million_nodes_needs_no_stack(void **state)
{
    pthread_t thread;
    pthread_attr_t attributes;
    void *good = NULL;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, (size_t)256 * 1024);
    assert_int_equal(pthread_create(&thread, &attributes, build_deep, *state), 0);
    pthread_attr_destroy(&attributes);
    pthread_join(thread, &good);
    assert_non_null(good);
    assert_int_equal(n_released, DEEP);
}

static void test_free__of_a_wide_node_frees_all_parents(void **state)
{
    enum { WIDE = 100000 };
    spark_rdd **parents = calloc(WIDE, sizeof(spark_rdd *));
    assert_non_null(parents);
    spark_scope *scope = spark_scope_begin(*state);
    for (int i = 0; i < WIDE; i++)
        parents[i] = make(*state, i, 0, NULL);
    spark_rdd *wide = make(*state, WIDE, WIDE, parents);
    spk_rdd_ref(wide);
    spark_scope_end(scope);
    assert_int_equal(n_released, 0);
    spk_rdd_unref(wide);
    assert_int_equal(n_released, WIDE + 1);
    free(parents);
}

/* ---- making */

static void test_new__counts_ids_and_ancestors(void **state)
{
    spark_rdd *a = make(*state, 1, 0, NULL), *b = MAKE(*state, 2, a), *c = MAKE(*state, 3, a, b);
    assert_int_equal(a->id, 0);
    assert_int_equal(b->id, 1);
    assert_int_equal(c->id, 2);
    assert_int_equal(a->ancestors, 0);
    assert_int_equal(c->ancestors, 2);
    assert_int_equal(atomic_load(&a->refs), 3);
    assert_int_equal(spk_rdd_partitions(c), -1);
}

static int destroyed;

static void destroy(void *data)
{
    destroyed += *(int *)data;
}

static void test_new__hands_errors_down(void **state)
{
    bool made;
    int one = 1;
    spk_env env;
    spk_failure failure;
    spark_rdd *a = make(*state, 1, 0, NULL);
    spark_rdd *bad
        = spk_rdd_errorf(*state, SPARK_EIO, "textFile", NULL, "x.c:4", "%s is missing", "f");
    assert_int_equal(bad->error->code, SPARK_EIO);
    assert_string_equal(bad->error->message, "textFile at x.c:4: f is missing");
    destroyed = 0;
    assert_int_equal(spk_env_bind(&env, SPARK_OWN(&one, destroy), 0, &failure), SPARK_OK);
    spk_rdd_args args = args_for(*state, &node_class, 2, (spark_rdd *[]) { a, bad });
    args.env = &env;
    assert_ptr_equal(spk_rdd_new(&args, &made), bad);
    assert_false(made);
    assert_int_equal(destroyed, 1);
    assert_int_equal(atomic_load(&a->refs), 1);
}

static void test_new__refuses_parents_of_two_contexts(void **state)
{
    bool made;
    spark_context *other = spark_context_new(&(spark_conf) { .threads = 1 });
    spark_rdd *parents[] = { make(*state, 1, 0, NULL), make(other, 2, 0, NULL) };
    const spk_rdd_args args = args_for(*state, &node_class, 2, parents);
    const spark_rdd *rdd = spk_rdd_new(&args, &made);
    assert_false(made);
    assert_int_equal(rdd->error->code, SPARK_EINVAL);
    assert_non_null(strstr(rdd->error->message, "different contexts"));
    spark_context_free(other);
}

static void test_broken__knows_null_and_errors(void **state)
{
    spark_rdd *a = make(*state, 1, 0, NULL);
    spark_rdd *bad = spk_rdd_errorf(*state, SPARK_EIO, "f", NULL, NULL, "no");
    assert_null(spk_rdd_broken(a, "map", "x.c:1"));
    assert_ptr_equal(spk_rdd_broken(bad, "map", "x.c:1"), bad);
    spark_rdd *null = spk_rdd_broken(NULL, "map", "x.c:1");
    assert_int_equal(null->error->code, SPARK_EINVAL);
    spk_rdd_ref(null); /* is shared, never counted, never freed */
    spk_rdd_unref(null);
    spk_rdd_unref(null);
    spark_rdd_release(null);
    assert_int_equal(null->error->code, SPARK_EINVAL);
}

static void test_misfit__names_the_difference(void **state)
{
    spark_rdd *bad
        = spk_rdd_misfit(*state, "map", "f", "x.c:1", SPARK_TYPE(int64_t), SPARK_TYPE(double));
    assert_int_equal(bad->error->code, SPARK_ETYPE);
    assert_non_null(strstr(bad->error->message, "map(f) at x.c:1: "));
    assert_null(spk_rdd_misfit(*state, "map", "f", NULL, SPARK_TYPE(double), SPARK_TYPE(double)));
    assert_null(spk_rdd_misfit(*state, "map", "f", NULL, NULL, SPARK_TYPE(double)));
}

static void test_describe__names_operation_function_and_site(void **state)
{
    char text[64];
    spark_rdd *a = make(*state, 1, 0, NULL);
    assert_string_equal(spk_rdd_describe(a, text, sizeof text), "node at t.c:1");
    a->function = "f";
    assert_string_equal(spk_rdd_describe(a, text, sizeof text), "node(f) at t.c:1");
    a->site = "";
    assert_string_equal(spk_rdd_describe(a, text, sizeof text), "node(f)");
    assert_string_equal(spk_rdd_describe(a, text, 5), "node");
}

static void test_replace__moves_the_next_to_where_the_old_was(void **state)
{
    spark_rdd *slot = make(*state, 0, 0, NULL);
    spark_scope *outer = slot->object.scope;
    for (int i = 1; i < 50; i++) {
        SPARK_SCOPED(*state);
        make(*state, 1000, 0, NULL); /* ends with the scope */
        spark_rdd_replace(&slot, make(*state, i, 0, NULL));
        spark_rdd_replace(&slot, slot);
        assert_ptr_equal(slot->object.scope, outer);
    }
    assert_int_equal(n_released, 49 * 2);
    assert_int_equal(((node *)(void *)slot)->number, 49);
    spark_rdd_replace(&slot, NULL);
    assert_null(slot);
    assert_int_equal(n_released, 49 * 2 + 1);
}

/* ---- environments */

static void test_env__is_bound_as_it_was_given(void **state)
{
    spk_env env;
    spk_failure failure;
    int value = 5;
    (void)state;
    assert_int_equal(spk_env_bind(&env, SPARK_COPY(value), sizeof value, &failure), SPARK_OK);
    value = 6;
    assert_int_equal(*(const int *)env.value, 5);
    spk_env_fini(&env);
    assert_null(env.value);
    assert_int_equal(spk_env_bind(&env, SPARK_REF(&value), sizeof value, &failure), SPARK_OK);
    assert_ptr_equal(env.value, &value);
    spk_env_fini(&env);
    destroyed = 0;
    assert_int_equal(spk_env_bind(&env, SPARK_OWN(&value, destroy), 0, &failure), SPARK_OK);
    assert_ptr_equal(env.value, &value);
    assert_int_equal(destroyed, 0);
    spk_env_fini(&env);
    spk_env_fini(&env);
    assert_int_equal(destroyed, 6);
    assert_int_equal(spk_env_bind(&env, NULL, 0, &failure), SPARK_OK);
    assert_null(env.value);
}

static void test_env__holds_its_broadcast(void **state)
{
    spk_env env;
    spk_failure failure;
    const int64_t value = 5;
    spark_scope *scope = spark_scope_begin(*state);
    spark_broadcast *b = spark_broadcast_new(*state, SPARK_VALUE(int64_t, &value));
    assert_int_equal(spk_env_bind(&env, SPARK_SHARED(b), 8, &failure), SPARK_OK);
    spark_scope_end(scope);
    assert_true(*(const int64_t *)env.value == 5);
    spk_env_fini(&env);
}

static void test_env__of_another_size_is_destroyed(void **state)
{
    spk_env env;
    spk_failure failure;
    int one = 1;
    const int64_t value = 5;
    spark_broadcast *b = spark_broadcast_new(*state, SPARK_VALUE(int64_t, &value));
    destroyed = 0;
    assert_int_equal(spk_env_bind(&env, SPARK_OWN(&one, destroy), 8, &failure), SPARK_EINVAL);
    assert_int_equal(destroyed, 1);
    assert_string_equal(failure.message, "env has 4 bytes (int32_t), the function wants 8");
    assert_int_equal(spk_env_bind(&env, SPARK_SHARED(b), 4, &failure), SPARK_EINVAL);
    assert_int_equal(atomic_load(&b->refs), 1);
    assert_int_equal(spk_env_bind(&env, SPARK_SHARED(NULL), 4, &failure), SPARK_EINVAL);
    assert_int_equal(spk_env_bind(&env, NULL, 4, &failure), SPARK_EINVAL);
    const spark_env unknown = { (spark_env_kind)77, &one, sizeof one, NULL, SPARK_KIND_I32 };
    assert_int_equal(spk_env_bind(&env, &unknown, 0, &failure), SPARK_EINVAL);
}

#define rdd_test(f) cmocka_unit_test_setup_teardown(f, open_context, close_context)

int main(void)
{
    const struct CMUnitTest tests[] = {
        rdd_test(test_prepare__goes_parents_first_and_once),
        rdd_test(test_prepare__leaves_children_alone),
        rdd_test(test_prepare__of_a_ladder_of_diamonds_is_linear),
        rdd_test(test_prepare__goes_on_after_a_failure),
        rdd_test(test_prepare__gives_steps_the_partitions_of_their_parent),
        rdd_test(test_planned__says_what_went_wrong),
        rdd_test(test_prepare__makes_the_slots_of_shuffles),
        rdd_test(test_slices__make_256_over_all_partitions),
        rdd_test(test_free__goes_children_first_and_once),
        rdd_test(test_free__leaves_what_others_need),
        rdd_test(test_chain__of_a_million_nodes_needs_no_stack),
        rdd_test(test_free__of_a_wide_node_frees_all_parents),
        rdd_test(test_new__counts_ids_and_ancestors),
        rdd_test(test_new__hands_errors_down),
        rdd_test(test_new__refuses_parents_of_two_contexts),
        rdd_test(test_broken__knows_null_and_errors),
        rdd_test(test_misfit__names_the_difference),
        rdd_test(test_describe__names_operation_function_and_site),
        rdd_test(test_replace__moves_the_next_to_where_the_old_was),
        rdd_test(test_env__is_bound_as_it_was_given),
        rdd_test(test_env__holds_its_broadcast),
        rdd_test(test_env__of_another_size_is_destroyed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
