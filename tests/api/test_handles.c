/* SPDX-License-Identifier: Apache-2.0 */
/* Elements that are handles of things the program makes and frees: a list under a lock knows all that
 * functions have made, so that whatever becomes of a job (it fails, its save is refused, attempts are
 * repeated) all of it can be freed. The leak check of the sanitizer build is the proof. */
#include "file_test.h"
#include "oracle.h"

#include <pthread.h>
#include <stdlib.h>

typedef struct image {
    struct image *next;
    int64_t pixels;
} image;
SPARK_HANDLE(image_ref, image);

/* album: all images that were made, by attempts that failed too. */
typedef struct album {
    pthread_mutex_t lock;
    image *first;
    int64_t made;
    int64_t bad; /* the number no image is made of; -1: there is none */
} album;
typedef album *album_ref;

SPARK_MAP(to_image, int64_t, image_ref, album_ref)
{
    album *a = *env;
    image *made = *in == a->bad ? NULL : malloc(sizeof *made);
    out->ptr = made;
    if (!made) {
        spark_fail(task, "no image of %d", (int)*in);
        return;
    }
    made->pixels = *in;
    pthread_mutex_lock(&a->lock);
    made->next = a->first;
    a->first = made;
    a->made++;
    pthread_mutex_unlock(&a->lock);
}

SPARK_MAP(pixels_of, image_ref, int64_t)
{
    *out = in->ptr->pixels;
}

/* free_album: how many there were. */
static int64_t free_album(album *a)
{
    int64_t n = 0;
    for (image *next; a->first; a->first = next, n++) {
        next = a->first->next;
        free(a->first);
    }
    return n;
}

static void test_handles__are_freed_by_their_list_whatever_becomes_of_the_jobs(void **state)
{
    (void)state;
    album made = { .bad = -1 };
    album_ref ref = &made;
    spark_context *sc = oracle_open_conf(&(spark_conf) {
        .threads = 3, .faults = oracle_every_task_fails_once, .n_faults = 1 });
    pthread_mutex_init(&made.lock, NULL);
    spark_rdd *images
        = spark_map(spark_range(sc, 0, 100, 1, 4), to_image, SPARK_COPY(ref));
    spark_rdd *pixels = spark_map(images, pixels_of, NULL);
    spark_array array;
    int64_t sum = 0;

    /* It goes well: each job makes its own. */
    oracle_ok(spark_collect(images, SPARK_TYPE(image_ref), &array));
    for (size_t i = 0; i < array.n; i++)
        sum += SPARK_ITEMS(image_ref, &array)[i].ptr->pixels;
    assert_int_equal(sum, 4950);
    spark_array_free(&array); /* the handles, not the images */
    assert_true(made.made >= 100);
    oracle_ok(spark_save_as_text_file(pixels, "saved"));
    assert_true(made.made >= 200);

    /* A save that is refused makes none. */
    const int64_t before = made.made;
    oracle_fails(spark_save_as_text_file(pixels, "saved"), SPARK_EIO, "saved");
    assert_int_equal(made.made, before);

    /* A job that fails has made some, which nobody else knows. */
    made.bad = 57;
    oracle_fails(spark_collect(images, SPARK_TYPE(image_ref), &array), SPARK_ETASK,
        "no image of 57");
    oracle_fails(spark_save_as_text_file(pixels, "other"), SPARK_ETASK, "no image of 57");
    assert_true(made.made > before);

    /* No function runs any more once the action is back: now they can go. */
    assert_int_equal(free_album(&made), made.made);
    oracle_close(sc);
    pthread_mutex_destroy(&made.lock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        file_test(test_handles__are_freed_by_their_list_whatever_becomes_of_the_jobs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
