/* SPDX-License-Identifier: Apache-2.0 */
/* What jobs carry: set on scopes, inherited by inner ones, handed to threads. */
#include "support/spark_test.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <spark/async.h>

#include "plan/properties.h"

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

static void same(const char *have, const char *want)
{
    if (want == NULL)
        assert_null(have);
    else if (have == NULL)
        fail_msg("nothing instead of \"%s\"", want);
    else
        assert_string_equal(have, want);
}

/* carries: what a job that this thread starts now has. */
static void carries(spark_context *sc, const char *group, const char *description, const char *pool)
{
    spk_properties p;
    assert_true(spk_properties_now(sc, &p));
    same(p.group, group);
    same(p.description, description);
    same(p.pool, pool);
    spk_properties_fini(&p);
    assert_null(p.group);
    assert_int_equal(p.tags.n, 0);
}

static bool tagged(spark_context *sc, const char *tag)
{
    spk_properties p;
    assert_true(spk_properties_now(sc, &p));
    const bool has = spk_properties_tagged(&p, tag);
    spk_properties_fini(&p);
    return has;
}

static void test_now__is_nothing_where_nothing_is_set(void **state)
{
    spk_properties p;
    assert_true(spk_properties_now(*state, &p));
    assert_null(p.group);
    assert_null(p.description);
    assert_null(p.pool);
    assert_int_equal(p.tags.n, 0);
    assert_null(p.started);
    assert_false(p.has_group || p.has_pool);
    assert_false(spk_properties_tagged(&p, "a"));
}

static void test_set__copies_its_texts(void **state)
{
    char group[] = "group", description[] = "description", pool[] = "pool", tag[] = "tag";
    assert_int_equal(spark_set_job_group(*state, group, description), SPARK_OK);
    assert_int_equal(spark_set_scheduler_pool(*state, pool), SPARK_OK);
    assert_int_equal(spark_add_job_tag(*state, tag), SPARK_OK);
    memset(group, 'z', sizeof group - 1);
    memset(description, 'z', sizeof description - 1);
    memset(pool, 'z', sizeof pool - 1);
    memset(tag, 'z', sizeof tag - 1);
    carries(*state, "group", "description", "pool");
    assert_true(tagged(*state, "tag"));
    assert_false(tagged(*state, "zzz"));
}

static void test_set__replaces_what_was_there(void **state)
{
    assert_int_equal(spark_set_job_group(*state, "a", "first"), SPARK_OK);
    assert_int_equal(spark_set_job_group(*state, "b", "second"), SPARK_OK);
    carries(*state, "b", "second", NULL);
    assert_int_equal(spark_set_job_description(*state, "third"), SPARK_OK);
    carries(*state, "b", "third", NULL);
    assert_int_equal(spark_set_job_description(*state, NULL), SPARK_OK);
    carries(*state, "b", NULL, NULL);
    assert_int_equal(spark_set_job_group(*state, "c", "fourth"), SPARK_OK);
    assert_int_equal(spark_set_job_group(*state, "d", NULL), SPARK_OK);
    carries(*state, "d", NULL, NULL);
    assert_int_equal(spark_set_scheduler_pool(*state, "p"), SPARK_OK);
    assert_int_equal(spark_set_scheduler_pool(*state, "q"), SPARK_OK);
    carries(*state, "d", NULL, "q");
    assert_int_equal(spark_clear_job_group(*state), SPARK_OK);
    carries(*state, NULL, NULL, "q");
    assert_int_equal(spark_set_scheduler_pool(*state, NULL), SPARK_OK);
    carries(*state, NULL, NULL, NULL);
}

static void test_scopes__inherit_and_override(void **state)
{
    assert_int_equal(spark_set_job_group(*state, "outer", "of all"), SPARK_OK);
    assert_int_equal(spark_set_scheduler_pool(*state, "p"), SPARK_OK);
    spark_scope *a = spark_scope_begin(*state);
    carries(*state, "outer", "of all", "p");
    assert_int_equal(spark_set_job_description(*state, "of a"), SPARK_OK);
    carries(*state, "outer", "of a", "p");
    spark_scope *b = spark_scope_begin(*state);
    assert_int_equal(spark_set_job_group(*state, "inner", "of b"), SPARK_OK);
    assert_int_equal(spark_set_scheduler_pool(*state, NULL), SPARK_OK);
    carries(*state, "inner", "of b", NULL);
    spark_scope *c = spark_scope_begin(*state);
    carries(*state, "inner", "of b", NULL);
    spark_scope_end(c);
    spark_scope_end(b);
    carries(*state, "outer", "of a", "p");
    spark_scope_end(a);
    carries(*state, "outer", "of all", "p");
}

static void test_scopes__of_other_contexts_are_passed_over(void **state)
{
    spark_context *other = spark_context_new(&(spark_conf) { .threads = 1 });
    spark_scope *mine = spark_scope_begin(*state);
    assert_int_equal(spark_set_job_group(*state, "mine", NULL), SPARK_OK);
    spark_scope *theirs = spark_scope_begin(other);
    assert_int_equal(spark_set_job_group(other, "theirs", NULL), SPARK_OK);
    spark_scope *inner = spark_scope_begin(*state);
    carries(*state, "mine", NULL, NULL);
    carries(other, "theirs", NULL, NULL);
    assert_int_equal(spark_set_job_group(*state, "inner", NULL), SPARK_OK);
    carries(*state, "inner", NULL, NULL);
    carries(other, "theirs", NULL, NULL);
    spark_scope_end(inner);
    carries(*state, "mine", NULL, NULL);
    spark_scope_end(theirs);
    carries(other, NULL, NULL, NULL);
    spark_scope_end(mine);
    carries(*state, NULL, NULL, NULL);
    spark_context_free(other);
}

static void test_tags__are_found_whole(void **state)
{
    static const char *const tags[] = { "a", "ab", "b", "aba", "a b", "." };
    for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++)
        assert_int_equal(spark_add_job_tag(*state, tags[i]), SPARK_OK);
    for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++)
        assert_true(tagged(*state, tags[i]));
    assert_false(tagged(*state, "ba"));
    assert_false(tagged(*state, "abab"));
    assert_false(tagged(*state, " b"));
    assert_false(tagged(*state, "A"));
    /* From the middle, the front and the end. */
    assert_int_equal(spark_remove_job_tag(*state, "b"), SPARK_OK);
    assert_false(tagged(*state, "b"));
    assert_true(tagged(*state, "ab") && tagged(*state, "aba"));
    assert_int_equal(spark_remove_job_tag(*state, "a"), SPARK_OK);
    assert_int_equal(spark_remove_job_tag(*state, "."), SPARK_OK);
    assert_false(tagged(*state, "a") || tagged(*state, "."));
    assert_true(tagged(*state, "ab") && tagged(*state, "aba") && tagged(*state, "a b"));
}

static void test_tags__of_scopes_add_up(void **state)
{
    assert_int_equal(spark_add_job_tag(*state, "one"), SPARK_OK);
    spark_scope *a = spark_scope_begin(*state);
    assert_int_equal(spark_add_job_tag(*state, "two"), SPARK_OK);
    spark_scope *b = spark_scope_begin(*state);
    assert_int_equal(spark_add_job_tag(*state, "three"), SPARK_OK);
    assert_int_equal(spark_add_job_tag(*state, "one"), SPARK_OK);
    assert_true(tagged(*state, "one") && tagged(*state, "two") && tagged(*state, "three"));
    spark_scope_end(b);
    assert_true(tagged(*state, "one") && tagged(*state, "two"));
    assert_false(tagged(*state, "three"));
    spark_scope_end(a);
    assert_true(tagged(*state, "one"));
    assert_false(tagged(*state, "two"));
}

static void test_tags__may_be_many(void **state)
{
    char tag[16];
    for (int i = 0; i < 500; i++) {
        snprintf(tag, sizeof tag, "%d", i * 7);
        assert_int_equal(spark_add_job_tag(*state, tag), SPARK_OK);
    }
    for (int i = 0; i < 500; i += 2) {
        snprintf(tag, sizeof tag, "%d", i * 7);
        assert_int_equal(spark_remove_job_tag(*state, tag), SPARK_OK);
    }
    for (int i = 0; i < 500; i++) {
        snprintf(tag, sizeof tag, "%d", i * 7);
        assert_int_equal(tagged(*state, tag), i % 2);
    }
    assert_int_equal(spark_clear_job_tags(*state), SPARK_OK);
    assert_false(tagged(*state, "7"));
    assert_int_equal(spark_add_job_tag(*state, "again"), SPARK_OK);
    assert_true(tagged(*state, "again"));
}

/* set: what another thread's jobs carry, as futures do. */
typedef struct handed {
    spark_context *sc;
    spk_properties properties;
    spk_started *started;
    bool good;
} handed;

static void *take_over(void *arg)
{
    handed *h = arg;
    spk_properties p;
    spark_scope *scope = spark_scope_begin(h->sc);
    h->good
        = spk_properties_set(h->sc, &h->properties, h->started) && spk_properties_now(h->sc, &p);
    if (h->good) {
        h->good = p.started == h->started && p.group && strcmp(p.group, "G") == 0 && p.description
            && strcmp(p.description, "D") == 0 && p.pool && strcmp(p.pool, "P") == 0
            && spk_properties_tagged(&p, "T") && spk_properties_tagged(&p, "of all");
        spk_properties_fini(&p);
    }
    spark_scope_end(scope);
    return NULL;
}

static void test_set__hands_them_to_another_thread(void **state)
{
    pthread_t thread;
    handed h = { .sc = *state };
    h.started = (spk_started *)(void *)&h; /* nobody looks at what it is */
    assert_int_equal(spark_add_job_tag(*state, "of all"), SPARK_OK);
    spark_scope *scope = spark_scope_begin(*state);
    assert_int_equal(spark_set_job_group(*state, "G", "D"), SPARK_OK);
    assert_int_equal(spark_set_scheduler_pool(*state, "P"), SPARK_OK);
    assert_int_equal(spark_add_job_tag(*state, "T"), SPARK_OK);
    assert_true(spk_properties_now(*state, &h.properties));
    assert_int_equal(pthread_create(&thread, NULL, take_over, &h), 0);
    pthread_join(thread, NULL);
    assert_true(h.good);
    spk_properties_fini(&h.properties);
    spark_scope_end(scope);
}

/* Threads that set and ask at once, in the context and in scopes of their own. */
static void *set_and_ask(void *arg)
{
    handed *h = arg;
    h->good = true;
    for (int i = 0; i < 500; i++) {
        SPARK_SCOPED(h->sc);
        char name[32];
        spk_properties p;
        snprintf(name, sizeof name, "%p %d", (void *)h, i);
        h->good = h->good && spark_set_job_group(h->sc, name, name) == SPARK_OK
            && spark_add_job_tag(h->sc, name) == SPARK_OK && spk_properties_now(h->sc, &p)
            && strcmp(p.group, name) == 0 && spk_properties_tagged(&p, name);
        if (h->good)
            spk_properties_fini(&p);
    }
    return NULL;
}

static void *set_for_all(void *arg)
{
    handed *h = arg;
    h->good = true;
    for (int i = 0; i < 500; i++)
        h->good = h->good && spark_set_job_group(h->sc, i % 2 ? "odd" : "even", NULL) == SPARK_OK
            && spark_add_job_tag(h->sc, "all") == SPARK_OK
            && spark_remove_job_tag(h->sc, "all") == SPARK_OK;
    return NULL;
}

static void test_threads__keep_out_of_each_others_scopes(void **state)
{
    enum { THREADS = 6 };
    static handed h[THREADS];
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        h[i].sc = *state;
        assert_int_equal(
            pthread_create(&threads[i], NULL, i == 0 ? set_for_all : set_and_ask, &h[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_true(h[i].good);
    }
    carries(*state, "odd", NULL, NULL);
    assert_false(tagged(*state, "all"));
}

#define properties_test(f) cmocka_unit_test_setup_teardown(f, open_context, close_context)

int main(void)
{
    const struct CMUnitTest tests[] = {
        properties_test(test_now__is_nothing_where_nothing_is_set),
        properties_test(test_set__copies_its_texts),
        properties_test(test_set__replaces_what_was_there),
        properties_test(test_scopes__inherit_and_override),
        properties_test(test_scopes__of_other_contexts_are_passed_over),
        properties_test(test_tags__are_found_whole),
        properties_test(test_tags__of_scopes_add_up),
        properties_test(test_tags__may_be_many),
        properties_test(test_set__hands_them_to_another_thread),
        properties_test(test_threads__keep_out_of_each_others_scopes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
