/* SPDX-License-Identifier: Apache-2.0 */
/* Scopes: what belongs to which, in which order it is released, and that threads keep out of each
 * other's way. */
#include "support/spark_test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "plan/context.h"

enum { MOST = 64 };

/* probe: an object that writes its number down when it is released. */
typedef struct probe {
    spk_object object;
    int number;
} probe;

static int released[MOST];
static int n_released;

static void note(spk_object *object)
{
    assert_true(n_released < MOST);
    released[n_released++] = ((probe *)(void *)object)->number;
    free(object);
}

static probe *make(spark_context *sc, int number)
{
    probe *p = calloc(1, sizeof *p);
    assert_non_null(p);
    p->number = number;
    spk_scope_add(sc, &p->object, note);
    return p;
}

/* expect: since the last time, these were released, in this order. */
static void expect(const char *numbers)
{
    char text[MOST * 12] = "";
    size_t at = 0;
    for (int i = 0; i < n_released; i++)
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%d", i ? " " : "", released[i]);
    assert_string_equal(text, numbers);
    n_released = 0;
}

static int open_context(void **state)
{
    n_released = 0;
    *state = spark_context_new(&(spark_conf) { .threads = 1 });
    return 0;
}

static int close_context(void **state)
{
    spark_context_free(*state);
    return 0;
}

static void test_end__releases_the_newest_first(void **state)
{
    spark_scope *scope = spark_scope_begin(*state);
    for (int i = 0; i < 5; i++)
        make(*state, i);
    expect("");
    spark_scope_end(scope);
    expect("4 3 2 1 0");
}

static void test_end__of_nothing_does_nothing(void **state)
{
    spark_scope_end(NULL);
    spark_scope_end(spark_scope_begin(*state));
    expect("");
    assert_null(spark_scope_begin(NULL));
}

static void test_objects__belong_to_the_innermost_scope(void **state)
{
    make(*state, 0);
    spark_scope *outer = spark_scope_begin(*state);
    make(*state, 1);
    spark_scope *inner = spark_scope_begin(*state);
    make(*state, 2);
    spark_scope_end(inner);
    expect("2");
    make(*state, 3);
    spark_scope_end(outer);
    expect("3 1");
    make(*state, 4);
    expect("");
}

static void test_end__out_of_order_ends_what_is_inside(void **state)
{
    spark_scope *outer = spark_scope_begin(*state);
    make(*state, 1);
    spark_scope *middle = spark_scope_begin(*state);
    make(*state, 2);
    spark_scope *inner = spark_scope_begin(*state);
    make(*state, 3);
    make(*state, 4);
    spark_scope_end(middle);
    expect("4 3 2");
    spark_scope_end(inner); /* has ended */
    expect("");
    make(*state, 5);
    spark_scope_end(outer);
    expect("5 1");
}

static void test_take__leaves_the_rest(void **state)
{
    spark_scope *scope = spark_scope_begin(*state);
    probe *first = make(*state, 1), *second = make(*state, 2), *third = make(*state, 3);
    make(*state, 4);
    assert_true(spk_scope_take(&second->object));
    assert_false(spk_scope_take(&second->object));
    assert_null(second->object.scope);
    assert_true(spk_scope_take(&first->object));
    spark_scope_end(scope);
    expect("4 3");
    free(first);
    free(second);
    (void)third;
}

static void test_move__makes_the_object_the_newest_there(void **state)
{
    spark_scope *outer = spark_scope_begin(*state);
    make(*state, 1);
    spark_scope *inner = spark_scope_begin(*state);
    probe *moved = make(*state, 2);
    make(*state, 3);
    spk_scope_move(&moved->object, outer);
    assert_ptr_equal(moved->object.scope, outer);
    spark_scope_end(inner);
    expect("3");
    spark_scope_end(outer);
    expect("2 1");
}

static void test_move__takes_released_objects_too(void **state)
{
    spark_scope *scope = spark_scope_begin(*state);
    probe *p = make(*state, 1);
    assert_true(spk_scope_take(&p->object));
    spk_scope_move(&p->object, scope);
    spk_scope_move(&p->object, scope);
    spark_scope_end(scope);
    expect("1");
}

static void test_contexts__have_scopes_of_their_own(void **state)
{
    spark_context *other = spark_context_new(&(spark_conf) { .threads = 1 });
    spark_scope *mine = spark_scope_begin(*state);
    spark_scope *theirs = spark_scope_begin(other);
    make(*state, 1);
    make(other, 2);
    assert_ptr_equal(make(*state, 3)->object.scope, mine);
    spark_scope_end(theirs);
    expect("2");
    make(other, 4); /* no scope is open there */
    spark_scope_end(mine);
    expect("3 1");
    spark_context_free(other);
    expect("4");
}

static void test_contexts__do_not_end_scopes_of_each_other(void **state)
{
    spark_context *other = spark_context_new(&(spark_conf) { .threads = 1 });
    spark_scope *mine = spark_scope_begin(*state);
    make(*state, 1);
    spark_scope *theirs = spark_scope_begin(other);
    make(other, 2);
    spark_scope *inner = spark_scope_begin(*state);
    make(*state, 3);
    spark_scope_end(mine);
    expect("3 1");
    make(other, 4);
    spark_scope_end(inner);
    spark_scope_end(theirs);
    expect("4 2");
    spark_context_free(other);
}

static void test_context__takes_its_open_scopes_along(void **state)
{
    spark_context *other = spark_context_new(&(spark_conf) { .threads = 1 });
    make(other, 1);
    (void)spark_scope_begin(other);
    make(other, 2);
    spark_scope *mine = spark_scope_begin(*state);
    make(*state, 3);
    (void)spark_scope_begin(other);
    make(other, 4);
    spark_context_free(other);
    expect("4 2 1");
    make(*state, 5);
    spark_scope_end(mine);
    expect("5 3");
}

/* A release may make and release others. */
static spark_context *heir;

static void bequeath(spk_object *object)
{
    const int number = ((probe *)(void *)object)->number;
    note(object);
    if (number > 0)
        make(heir, number - 1)->object.release = bequeath;
}

static void test_release__may_add_objects(void **state)
{
    heir = *state;
    spark_scope *outer = spark_scope_begin(*state);
    spark_scope *inner = spark_scope_begin(*state);
    make(*state, 3)->object.release = bequeath;
    spark_scope_end(inner);
    expect("3");
    spark_scope_end(outer); /* what was made meanwhile belongs outside */
    expect("2");
    spark_context *other = spark_context_new(&(spark_conf) { .threads = 1 });
    heir = other;
    make(other, 3)->object.release = bequeath;
    spark_context_free(other);
    expect("3 2 1 0");
    heir = *state;
}

static probe *sibling;

static void release_sibling(spk_object *object)
{
    note(object);
    if (sibling && spk_scope_take(&sibling->object))
        sibling->object.release(&sibling->object);
    sibling = NULL;
}

static void test_release__may_take_objects(void **state)
{
    spark_scope *scope = spark_scope_begin(*state);
    make(*state, 1);
    sibling = make(*state, 2);
    make(*state, 3);
    make(*state, 4)->object.release = release_sibling;
    spark_scope_end(scope);
    expect("4 2 3 1");
}

/* ---- threads */

enum { THREADS = 8, ROUNDS = 2000 };
static atomic_int alive;

static void count_down(spk_object *object)
{
    atomic_fetch_sub(&alive, 1);
    free(object);
}

static spk_object *count_up(spark_context *sc)
{
    spk_object *object = calloc(1, sizeof *object);
    if (!object)
        abort();
    atomic_fetch_add(&alive, 1);
    spk_scope_add(sc, object, count_down);
    return object;
}

static void *come_and_go(void *sc)
{
    spark_context *context = sc;
    for (int i = 0; i < ROUNDS; i++) {
        spark_scope *outer = spark_scope_begin(sc);
        spk_object *kept = count_up(sc);
        spark_scope *inner = spark_scope_begin(sc);
        spk_object *up = count_up(sc), *taken = count_up(sc);
        spk_scope_move(up, outer);
        if (spk_scope_take(taken))
            count_down(taken);
        if (i % 2)
            spark_scope_end(inner);
        if (i % 100 == 0)
            spk_scope_move(kept, &context->root);
        spark_scope_end(outer);
    }
    return NULL;
}

static void test_threads__each_have_their_stack(void **state)
{
    pthread_t threads[THREADS];
    spark_scope *mine = spark_scope_begin(*state);
    make(*state, 1);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, *state), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&alive), THREADS * ROUNDS / 100);
    expect("");
    spark_scope_end(mine);
    expect("1");
    spk_scope_drain(&((spark_context *)*state)->root);
    assert_int_equal(atomic_load(&alive), 0);
}

typedef struct foreign {
    spark_context *sc;
    spark_scope *scope;
} foreign;

static void *meddle(void *arg)
{
    foreign *f = arg;
    make(f->sc, 2); /* the thread has no scope open: the context's */
    spark_scope_end(f->scope);
    return NULL;
}

static void test_threads__do_not_end_scopes_of_others(void **state)
{
    pthread_t thread;
    spark_scope *mine = spark_scope_begin(*state);
    make(*state, 1);
    assert_int_equal(pthread_create(&thread, NULL, meddle, &(foreign) { *state, mine }), 0);
    pthread_join(thread, NULL);
    expect("");
    spark_scope_end(mine);
    expect("1");
    spk_scope_drain(&((spark_context *)*state)->root);
    expect("2");
}

#define scope_test(f) cmocka_unit_test_setup_teardown(f, open_context, close_context)

int main(void)
{
    const struct CMUnitTest tests[] = {
        scope_test(test_end__releases_the_newest_first),
        scope_test(test_end__of_nothing_does_nothing),
        scope_test(test_objects__belong_to_the_innermost_scope),
        scope_test(test_end__out_of_order_ends_what_is_inside),
        scope_test(test_take__leaves_the_rest),
        scope_test(test_move__makes_the_object_the_newest_there),
        scope_test(test_move__takes_released_objects_too),
        scope_test(test_contexts__have_scopes_of_their_own),
        scope_test(test_contexts__do_not_end_scopes_of_each_other),
        scope_test(test_context__takes_its_open_scopes_along),
        scope_test(test_release__may_add_objects),
        scope_test(test_release__may_take_objects),
        scope_test(test_threads__each_have_their_stack),
        scope_test(test_threads__do_not_end_scopes_of_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
