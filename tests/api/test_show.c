/* SPDX-License-Identifier: Apache-2.0 */
/* Results for people: printed, shown and sorted, against the text and the order that plain loops
 * give. */
#include "actions.h"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

SPARK_PAIR(word_count, spark_str, int);
SPARK_STRUCT(deep, (word_count, inner), (int, many, 3), (spark_opt_f64, maybe));
SPARK_ORDER(most_frequent, word_count, (desc, value), (asc, key));
SPARK_ORDER(by_count, word_count, (asc, value));
SPARK_ORDER(by_inner, deep, (asc, inner.value), (desc, many[1]));
SPARK_STRUCT(wide, (int, key), (int, at), (char, rest, 5000));
SPARK_ORDER(by_key, wide, (asc, key));

/* printed: what spark_array_print writes; free it. */
static char *printed(const spark_array *array)
{
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    assert_non_null(file);
    oracle_ok(spark_array_print(file, array));
    assert_int_equal(fclose(file), 0);
    return text;
}

/* prints: each element as spark_print has it, and a line end. */
static void prints(spark_rdd *rdd)
{
    spark_array array;
    oracle_text want = { NULL, 0, 0 };
    oracle_ok(spark_collect(rdd, NULL, &array));
    oracle_append(&want, "", 0);
    for (size_t i = 0; i < array.n; i++) {
        oracle_append_value(
            &want, array.type, (const char *)array.items + i * array.type->size);
        oracle_append(&want, "\n", 1);
    }
    char *have = printed(&array);
    assert_string_equal(have, want.bytes);
    free(have);
    free(want.bytes);
    spark_array_free(&array);
}

SPARK_MAP(as_text, int64_t, spark_str)
{
    char *text = spark_alloc(task, (size_t)*in);
    if (text)
        memset(text, 'a' + (int)(*in % 26), (size_t)*in);
    *out = (spark_str) { text, text ? (size_t)*in : 0 };
}
SPARK_MAP(to_deep, int64_t, deep)
{
    *out = (deep) { .inner = { spark_str_format(task, "w%d", (int)(*in % 7)), (int)(*in % 3) },
        .many = { 1, (int)*in, 3 },
        .maybe = { *in % 2, 0.1 * (double)*in } };
}

static void test_print__is_an_element_a_line(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    prints(spark_range(sc, -5, 5, 1, 3));
    prints(spark_range(sc, 0, 0, 1, 3));
    prints(spark_map(spark_range(sc, 0, 50, 1, 3), to_deep, NULL));
    prints(spark_map(spark_range(sc, 0, 3, 1, 1), as_text, NULL));
    /* Lengths around the buffer's. */
    prints(spark_map(spark_range(sc, 505, 520, 1, 2), as_text, NULL));
    prints(spark_map(spark_range(sc, 100000, 100001, 1, 1), as_text, NULL));
    const spark_array none = { NULL, NULL, 0, NULL };
    char *text = printed(&none);
    assert_string_equal(text, "");
    free(text);
    oracle_close(sc);
}

static void test_print__tells_what_is_wrong(void **state)
{
    spark_array array;
    (void)state;
    spark_context *sc = oracle_open(1);
    FILE *full = fopen("/dev/full", "w");
    assert_non_null(full);
    oracle_ok(spark_collect(spark_range(sc, 0, 3, 1, 1), NULL, &array));
    oracle_fails(spark_array_print(full, &array), SPARK_EIO, "No space left on device");
    oracle_fails(spark_array_print(NULL, &array), SPARK_EINVAL, "the file is NULL");
    oracle_fails(spark_array_print(stdout, NULL), SPARK_EINVAL, "the array is NULL");
    fclose(full);
    spark_array_free(&array);
    oracle_close(sc);
}

/* A terminal is not made to obey what is in a string; lines and tabs stay. A file gets the bytes. */
static void test_print__on_a_terminal_shows_what_it_would_obey(void **state)
{
    static const spark_str texts[] = { SPARK_STR("\x1b]0;mine\a"), SPARK_STR("a\tb\177"),
        SPARK_STR("\xc2\x80\xc2\x9b" "1m \xc2\xa0\xc3\x9b \xc2"), SPARK_STR("two\nlines") };
    static const char want[] = "\xef\xbf\xbd]0;mine\xef\xbf\xbd\n" "a\tb\xef\xbf\xbd\n"
        "\xef\xbf\xbd\xef\xbf\xbd" "1m \xc2\xa0\xc3\x9b \xc2\n" "two\nlines\n";
    char have[200];
    struct termios mode;
    spark_array array;
    (void)state;
    spark_context *sc = oracle_open(1);
    const int master = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
    FILE *terminal = fopen(ptsname(master), "w");
    assert_non_null(terminal);
    assert_int_equal(tcgetattr(fileno(terminal), &mode), 0);
    mode.c_oflag &= ~(tcflag_t)OPOST; /* as they are */
    assert_int_equal(tcsetattr(fileno(terminal), TCSANOW, &mode), 0);
    oracle_ok(spark_collect(spark_parallelize(sc, SPARK_DATA_OF(spark_str, texts), 1), NULL, &array));
    oracle_ok(spark_array_print(terminal, &array));
    for (size_t n = 0; n < sizeof want - 1;) {
        const ssize_t some = read(master, have + n, sizeof have - n);
        assert_true(some > 0);
        n += (size_t)some;
        assert_memory_equal(have, want, n);
    }
    fclose(terminal);
    close(master);
    spark_array_free(&array);
    prints(spark_parallelize(sc, SPARK_DATA_OF(spark_str, texts), 1));
    oracle_close(sc);
}

/* shown: what an action of this process writes to its standard output. */
static char *shown(spark_rdd *rdd, size_t n, const char *to, spark_status *status)
{
    char text[1000];
    FILE *file = to ? fopen(to, "w") : tmpfile();
    assert_non_null(file);
    fflush(stdout);
    const int old = dup(STDOUT_FILENO);
    assert_true(old >= 0 && dup2(fileno(file), STDOUT_FILENO) >= 0);
    *status = spark_show(rdd, n);
    fflush(stdout);
    clearerr(stdout);
    assert_true(dup2(old, STDOUT_FILENO) >= 0);
    close(old);
    size_t length = 0;
    if (!to) {
        rewind(file);
        length = fread(text, 1, sizeof text - 1, file);
    }
    text[length] = '\0';
    fclose(file);
    return strdup(text);
}

static void shows(spark_rdd *rdd, size_t n, const char *want)
{
    spark_status status;
    char *have = shown(rdd, n, NULL, &status);
    oracle_ok(status);
    assert_string_equal(have, want);
    free(have);
}

static void check_show(spark_context *sc, int partitions)
{
    const word_count words[]
        = { { SPARK_STR("be"), 2 }, { SPARK_STR("not"), 1 }, { SPARK_STR("or"), 1 } };
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA_OF(word_count, words), partitions);
    shows(rdd, 0, "");
    shows(rdd, 2, "(be,2)\n(not,1)\n");
    shows(rdd, 20, "(be,2)\n(not,1)\n(or,1)\n");
    shows(spark_keys(rdd), 1, "be\n");
}

static void test_show__prints_the_first_elements(void **state)
{
    (void)state;
    each(check_show);
}

static void test_show__tells_what_is_wrong(void **state)
{
    spark_status status;
    (void)state;
    spark_context *sc = oracle_open(2);
    blames(spark_show(NULL, 3), SPARK_EINVAL, "show", "the RDD is NULL");
    free(shown(spark_range(sc, 0, 9, 1, 2), 3, "/dev/full", &status));
    assert_int_equal(status, SPARK_EIO);
    assert_string_equal(spark_last_error()->operation, "show");
    assert_non_null(strstr(spark_last_error()->message, "No space left on device"));
    oracle_fails(spark_show(broken(sc), 3), SPARK_EINVAL, "range at ");
    oracle_close(sc);
}

/* ---- spark_array_sort */

/* place: the natural order of (value desc, key asc), stable by hand. */
static int expected(const void *a, const void *b)
{
    const word_count *x = *(const word_count *const *)a, *y = *(const word_count *const *)b;
    if (x->value != y->value)
        return x->value < y->value ? 1 : -1;
    const int c = spark_str_compare(x->key, y->key);
    return c != 0 ? c : (x > y) - (x < y);
}

SPARK_MAP(to_words, int64_t, word_count, int64_t)
{
    const int64_t x = (*in * 7919 + 13) % *env;
    *out = (word_count) { spark_str_format(task, "w%d", (int)(x % 17)), (int)(x % 5) };
}

static void test_sort__is_that_of_a_plain_sort(void **state)
{
    static const int64_t sizes[] = { 0, 1, 2, 3, 63, 64, 65, 1000, 5000 };
    (void)state;
    spark_context *sc = oracle_open(2);
    for (size_t s = 0; s < LENGTH(sizes); s++) {
        spark_array a, b;
        const int64_t mod = 997;
        spark_rdd *rdd = spark_map(spark_range(sc, 0, sizes[s], 1, 3), to_words, SPARK_COPY(mod));
        oracle_ok(spark_collect(rdd, SPARK_TYPE(word_count), &a));
        oracle_ok(spark_collect(rdd, SPARK_TYPE(word_count), &b));
        const word_count **want = calloc(b.n + 1, sizeof *want);
        assert_non_null(want);
        for (size_t i = 0; i < b.n; i++)
            want[i] = SPARK_ITEMS(word_count, &b) + i;
        if (b.n)
            qsort(want, b.n, sizeof *want, expected);
        oracle_ok(spark_array_sort(&a, most_frequent));
        assert_int_equal(a.n, b.n);
        for (size_t i = 0; i < a.n; i++) {
            assert_true(spark_equal(a.type, SPARK_ITEMS(word_count, &a) + i, want[i]));
        }
        free(want);
        spark_array_free(&a);
        spark_array_free(&b);
    }
    oracle_close(sc);
}

SPARK_MAP(to_wide, int64_t, wide)
{
    out->key = (int)(*in % 4);
    out->at = (int)*in;
}

static void test_sort__is_stable_and_takes_any_order(void **state)
{
    spark_array a;
    (void)state;
    spark_context *sc = oracle_open(2);
    oracle_ok(spark_collect(
        spark_map(spark_range(sc, 0, 300, 1, 3), to_wide, NULL), SPARK_TYPE(wide), &a));
    oracle_ok(spark_array_sort(&a, by_key));
    const wide *w = SPARK_ITEMS(wide, &a);
    for (int i = 0; i < 300; i++)
        assert_true(w[i].key == i / 75 && w[i].at == i % 75 * 4 + i / 75);
    spark_array_free(&a);

    oracle_ok(spark_collect(spark_range(sc, -3, 4, 1, 3), NULL, &a));
    oracle_ok(spark_array_sort(&a, spark_order_desc));
    oracle_lists(&a, "3 2 1 0 -1 -2 -3");
    oracle_ok(spark_array_sort(&a, NULL));
    oracle_lists(&a, "-3 -2 -1 0 1 2 3");
    spark_array_free(&a);

    spark_rdd *deeps = spark_map(spark_range(sc, 0, 6, 1, 2), to_deep, NULL);
    oracle_ok(spark_collect(deeps, SPARK_TYPE(deep), &a));
    oracle_ok(spark_array_sort(&a, by_inner));
    const deep *d = SPARK_ITEMS(deep, &a);
    static const int at[] = { 3, 0, 4, 1, 5, 2 };
    for (int i = 0; i < 6; i++)
        assert_int_equal(d[i].many[1], at[i]);
    spark_array_free(&a);
    oracle_close(sc);
}

static void test_sort__of_a_map_leaves_it_a_map(void **state)
{
    spark_array map;
    const int64_t mod = 85;
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_map(spark_range(sc, 0, 500, 1, 3), to_words, SPARK_COPY(mod));
    oracle_ok(spark_collect_as_map(rdd, SPARK_TYPE(word_count), &map));
    assert_int_equal(map.n, 17);
    oracle_ok(spark_array_sort(&map, by_count));
    for (size_t i = 0; i < map.n; i++) {
        const word_count *w = SPARK_ITEMS(word_count, &map) + i;
        assert_true(i == 0 || w[-1].value <= w->value);
        assert_ptr_equal(SPARK_FIND(word_count, spark_array_index(&map), &w->key), &w->value);
    }
    const spark_str none = SPARK_STR("none");
    assert_null(SPARK_FIND(word_count, spark_array_index(&map), &none));
    spark_array_free(&map);
    oracle_close(sc);
}

static void test_sort__tells_what_is_wrong(void **state)
{
    const int x[] = { 2, 1 };
    spark_array a, foreign = { SPARK_TYPE(int), x, 2, NULL }, none = { NULL, NULL, 0, NULL };
    (void)state;
    spark_context *sc = oracle_open(1);
    oracle_fails(spark_array_sort(NULL, NULL), SPARK_EINVAL, "the array is NULL");
    oracle_fails(spark_array_sort(&foreign, NULL), SPARK_EINVAL, "no result of an action");
    oracle_ok(spark_array_sort(&none, most_frequent));
    oracle_ok(spark_collect(spark_range(sc, 0, 3, 1, 1), NULL, &a));
    oracle_fails(spark_array_sort(&a, most_frequent), SPARK_ETYPE, "order most_frequent");
    oracle_lists(&a, "0 1 2");
    spark_array_free(&a);
    oracle_close(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        oracle_test(test_print__is_an_element_a_line),
        oracle_test(test_print__tells_what_is_wrong),
        oracle_test(test_print__on_a_terminal_shows_what_it_would_obey),
        oracle_test(test_show__prints_the_first_elements),
        oracle_test(test_show__tells_what_is_wrong),
        oracle_test(test_sort__is_that_of_a_plain_sort),
        oracle_test(test_sort__is_stable_and_takes_any_order),
        oracle_test(test_sort__of_a_map_leaves_it_a_map),
        oracle_test(test_sort__tells_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
