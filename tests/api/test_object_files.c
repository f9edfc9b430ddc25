/* SPDX-License-Identifier: Apache-2.0 */
/* Object files: elements of all types come back as they were; what is damaged, cut off or of
 * another type is an error, never a crash. */
#include "file_test.h"
#include "layouts.h"

/* ---- types */

SPARK_DECIMAL(money, 18, 2);
SPARK_STRUCT(holes, (int8_t, a), (int64_t, b), (bool, c), (char, d, 5));
SPARK_PAIR(place, holes, spark_opt_f64);
SPARK_LIST(place_list, place);
SPARK_LIST(str_lists, spark_str_list);
SPARK_OPTIONAL(opt_list, spark_str_list);
SPARK_STRUCT(scalars, (bool, a), (char, b), (int8_t, c), (int16_t, d), (int32_t, e), (int64_t, f),
    (uint8_t, g), (uint16_t, h), (uint32_t, i), (uint64_t, j), (float, k), (double, l),
    (spark_date, m), (spark_time, n), (money, o));
SPARK_STRUCT(everything, (scalars, plain), (spark_str, text), (spark_bytes, raw),
    (spark_i64_list, numbers), (spark_str_list, words), (str_lists, deep), (place_list, places),
    (spark_opt_str, maybe), (opt_list, maybe_words), (spark_opt_i64, count), (int16_t, tail, 3));
typedef struct blob {
    uint8_t bytes[12];
} blob;
SPARK_BLOB(blob);

enum { N = 120 };
static everything rows[N];
static char texts[N][40];
static int64_t longs[8];
static spark_str words_of[N][3];
static spark_str_list lists_of[N][2];
static place places_of[N][2];
static blob blobs[N];
static int64_t ints[N];
static spark_str strs[N];

static void make_rows(void)
{
    memset(rows, 0, sizeof rows);
    memset(places_of, 0, sizeof places_of);
    for (int i = 0; i < 8; i++)
        longs[i] = (int64_t)i << 60 ^ i;
    for (int i = 0; i < N; i++) {
        const size_t n = (size_t)snprintf(texts[i], sizeof texts[i], "text of row %d", i * i);
        const spark_str text = { texts[i], i % 9 == 0 ? 0 : n };
        for (int k = 0; k < 3; k++)
            words_of[i][k] = (spark_str) { texts[i] + k, (size_t)(i + k) % 7 };
        words_of[i][1] = (spark_str) { NULL, 0 };
        for (int k = 0; k < 2; k++) {
            lists_of[i][k] = (spark_str_list) { words_of[i], (size_t)(i + k) % 4 };
            places_of[i][k].key = (holes) { (int8_t)i, -i, i % 2, "abc" };
            places_of[i][k].value = (spark_opt_f64) { i % 3 != 0, i * 0.1 };
        }
        everything *r = &rows[i];
        r->plain = (scalars) { i % 2, (char)('a' + i % 26), (int8_t)-i, (int16_t)(i * 100),
            -i * 10000, INT64_MIN + i, (uint8_t)i, (uint16_t)(i * 500), (uint32_t)i * 30000000,
            UINT64_MAX - (uint64_t)i, (float)i / 3, i % 5 ? i / 7.0 : -0.0, { i * 100 },
            { i * INT64_C(1000000007) }, { i * 12345 } };
        r->text = text;
        r->raw = (spark_bytes) { &longs[i % 8], (size_t)i % 9 };
        r->numbers = (spark_i64_list) { longs, (size_t)(i % 8) };
        r->words = (spark_str_list) { words_of[i], (size_t)i % 4 };
        r->deep = (str_lists) { lists_of[i], (size_t)i % 3 };
        r->places = (place_list) { i % 3 ? places_of[i] : NULL, (size_t)i % 3 };
        r->maybe = (spark_opt_str) { i % 3 != 1, text };
        r->maybe_words = (opt_list) { i % 4 != 1, { words_of[i], (size_t)i % 3 } };
        r->count = (spark_opt_i64) { i % 5 != 0, i };
        r->tail[2] = (int16_t)i;
        memset(&blobs[i], i % 100, sizeof blobs[i]);
        ints[i] = i * INT64_C(1234567890123);
        strs[i] = text;
    }
}

/* ---- round trips */

typedef struct trip {
    const spark_type *type;
    const void *data;
    size_t n;
} trip;

static int trips; /* a directory each */

/* build_trip: what was saved, read back. */
static spark_rdd *build_trip(spark_context *sc, int partitions, const void *arg)
{
    const trip *t = arg;
    char path[32];
    snprintf(path, sizeof path, "saved%d", trips++);
    oracle_ok(
        spark_save_as_object_file(spark_parallelize(sc, t->type, t->n, t->data, partitions), path));
    spark_rdd *rdd = spark_object_file(sc, path, t->type);
    assert_int_equal(spark_rdd_partitions(rdd), partitions);
    return rdd;
}

static void test_object_file__gives_back_all_types(void **state)
{
    (void)state;
    make_rows();
    const trip whole = { SPARK_TYPE(everything), rows, N };
    oracle_compare(build_trip, &whole, true, whole.type, whole.n, whole.data);
    const trip others[] = { { SPARK_TYPE(int64_t), ints, N }, { SPARK_TYPE(spark_str), strs, N },
        { SPARK_TYPE(everything), rows, 2 }, { SPARK_TYPE(spark_str), strs, 0 } };
    for (size_t i = 0; i < LENGTH(others); i++) {
        const spark_array naive = oracle_array(others[i].type, others[i].n, others[i].data);
        char *want = oracle_listing(&naive, false);
        for (int p = 1; p <= 7; p += 2) {
            spark_context *each = oracle_open_conf(&oracle_confs[((size_t)p + 6) % LENGTH(oracle_confs)]);
            oracle_collects(build_trip(each, p, &others[i]), want);
            oracle_close(each);
        }
        free(want);
    }
    const trip blobs_trip = { SPARK_TYPE(blob), blobs, N };
    spark_context *sc = oracle_open(2);
    spark_array array;
    oracle_ok(spark_collect(build_trip(sc, 3, &blobs_trip), SPARK_TYPE(blob), &array));
    assert_int_equal(array.n, N);
    assert_memory_equal(array.items, blobs, sizeof blobs);
    spark_array_free(&array);
    oracle_close(sc);
}

SPARK_PAIR(tuple, int64_t, spark_str);
SPARK_MAP(to_tuple, int64_t, tuple)
{
    *out = (tuple) { *in, spark_str_format(task, "<%d>", (int)*in) };
}

static void test_object_file__of_ints_and_tuples(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *four = spark_range(sc, 1, 5, 1, 3);
    oracle_ok(spark_save_as_object_file(four, "ints"));
    oracle_has_layout(spark_object_file(sc, "ints", SPARK_TYPE(int64_t)), "1 | 2 | 3 4");
    oracle_ok(spark_save_as_object_file(spark_map(four, to_tuple, NULL), "tuples"));
    spark_rdd *tuples = spark_object_file(sc, "tuples", SPARK_TYPE(tuple));
    oracle_has_layout(tuples, "(1,<1>) | (2,<2>) | (3,<3>) (4,<4>)");
    assert_ptr_equal(spark_rdd_type(tuples), SPARK_TYPE(tuple));
    assert_string_equal(spark_rdd_name(tuples), "tuples");
    assert_null(spark_rdd_partitioner(tuples));
    /* Any pair of the same shape will do: names do not count. */
    const spark_type *pair = spark_type_pair(sc, SPARK_TYPE(int64_t), SPARK_TYPE(spark_str));
    oracle_collects(spark_object_file(sc, "tuples", pair), "(1,<1>) (2,<2>) (3,<3>) (4,<4>)");
    /* A shuffle goes on from there. */
    oracle_holds(spark_values(spark_group_by_key(tuples, 2)), "[<1>] [<2>] [<3>] [<4>]");
    oracle_close(sc);
}

static void test_object_file__reads_directories_globs_and_lists(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    oracle_ok(spark_save_as_object_file(spark_range(sc, 0, 6, 1, 3), "a"));
    oracle_ok(spark_save_as_object_file(spark_range(sc, 6, 8, 1, 1), "b"));
    oracle_ok(spark_save_as_object_file(spark_empty_rdd(sc, SPARK_TYPE(int64_t)), "none"));
    oracle_ok(spark_save_as_object_file(spark_range(sc, 0, 0, 1, 2), "empty"));
    assert_int_equal(access("a/_SUCCESS", F_OK), 0);
    assert_int_equal(access("a/part-00002", F_OK), 0);
    assert_int_equal(access("a/part-00003", F_OK), -1);
    assert_int_equal(access("none/_SUCCESS", F_OK), 0);
    oracle_has_layout(spark_object_file(sc, "a,b", SPARK_TYPE(int64_t)), "0 1 | 2 3 | 4 5 | 6 7");
    oracle_has_layout(spark_object_file(sc, "[ab]", SPARK_TYPE(int64_t)), "0 1 | 2 3 | 4 5 | 6 7");
    oracle_has_layout(spark_object_file(sc, "a/part-00001", SPARK_TYPE(int64_t)), "2 3");
    oracle_has_layout(spark_object_file(sc, "a/part-0000{0,2}", SPARK_TYPE(int64_t)), "0 1 | 4 5");
    oracle_has_layout(spark_object_file(sc, "empty", SPARK_TYPE(int64_t)), " |");
    spark_rdd *none = spark_object_file(sc, "none", SPARK_TYPE(int64_t));
    assert_int_equal(spark_rdd_partitions(none), 0);
    oracle_collects(none, "");
    /* Read anew by each action, but not once it is cached. */
    spark_rdd *cached = spark_cache(spark_object_file(sc, "b", SPARK_TYPE(int64_t)));
    for (int i = 0; i < 3; i++)
        assert_int_equal(oracle_count(cached), 2);
    assert_int_equal(unlink("b/part-00000"), 0);
    oracle_collects(cached, "6 7");
    oracle_close(sc);
}

SPARK_MAP(long_text, int64_t, tuple)
{
    const size_t n = *in % 100 == 0 ? 3 << 20 : (size_t)(*in % 3000);
    char *text = spark_alloc(task, n + 1);
    if (text != NULL)
        memset(text, 'a' + (int)(*in % 26), n);
    *out = (tuple) { *in, { text, text ? n : 0 } };
}

static void test_object_file__of_many_blocks(void **state)
{
    enum { MANY = 200 };
    (void)state;
    for (int batch = 1; batch <= 1024; batch *= 1024) {
        spark_context *sc = oracle_open_conf(&(spark_conf) { .threads = 2, .batch_rows = batch });
        char path[32];
        snprintf(path, sizeof path, "many%d", batch);
        spark_rdd *many = spark_map(spark_range(sc, 0, MANY, 1, 2), long_text, NULL);
        oracle_ok(spark_save_as_object_file(many, path));
        char *want = digests(many);
        char *have = digests(spark_object_file(sc, path, SPARK_TYPE(tuple)));
        assert_non_null(have);
        assert_string_equal(have, want);
        free(have);
        free(want);
        snprintf(path, sizeof path, "numbers%d", batch);
        oracle_ok(spark_save_as_object_file(spark_range(sc, 0, 500000, 1, 1), path));
        spark_array array;
        spark_rdd *numbers = spark_object_file(sc, path, SPARK_TYPE(int64_t));
        oracle_ok(spark_collect(numbers, SPARK_TYPE(int64_t), &array));
        assert_int_equal(array.n, 500000);
        for (size_t i = 0; i < array.n; i++)
            assert_int_equal(SPARK_ITEMS(int64_t, &array)[i], i);
        spark_array_free(&array);
        takes_prefix(numbers, 10);
        oracle_close(sc);
    }
}

static size_t read_whole(const char *path, char **bytes)
{
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    *bytes = malloc((size_t)info.st_size + 1);
    assert_non_null(*bytes);
    assert_int_equal(scratch_read(path, *bytes, (size_t)info.st_size), info.st_size);
    return (size_t)info.st_size;
}

static void test_object_file__bytes_are_the_same_always(void **state)
{
    (void)state;
    make_rows();
    for (int p = 1; p <= 3; p += 2) {
        char *first[3];
        size_t sizes[3];
        for (size_t c = 0; c < LENGTH(oracle_confs); c++) {
            spark_context *sc = oracle_open_conf(&oracle_confs[c]);
            char path[64];
            snprintf(path, sizeof path, "same%d-%zu", p, c);
            oracle_ok(spark_save_as_object_file(
                spark_parallelize(sc, SPARK_DATA(everything, N, rows), p), path));
            oracle_close(sc);
            /* _SUCCESS, the parts, and the directory itself. */
            assert_int_equal(oracle_entries(path), 3 + p);
            for (int i = 0; i < p; i++) {
                char *bytes;
                snprintf(path, sizeof path, "same%d-%zu/part-0000%d", p, c, i);
                const size_t n = read_whole(path, &bytes);
                if (c == 0) {
                    first[i] = bytes;
                    sizes[i] = n;
                    continue;
                }
                assert_int_equal(n, sizes[i]);
                assert_memory_equal(bytes, first[i], n);
                free(bytes);
            }
        }
        for (int i = 0; i < p; i++)
            free(first[i]);
    }
}

/* ---- damage */

/* reads: the status of collecting `path`; the rows in *array. */
static spark_status reads(spark_context *sc, const spark_type *type, spark_array *array)
{
    SPARK_SCOPED(sc);
    return spark_collect(spark_object_file(sc, "damaged", type), NULL, array);
}

/* damage: some bytes of the file in place, which no disk has to wait for. */
static void damage_bytes(const char *bytes, size_t at, size_t n)
{
    int fd = open("damaged", O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes + at, n, (off_t)at), n);
    assert_int_equal(close(fd), 0);
}

static void is_damage(spark_status status, size_t byte)
{
    const spark_error *error = spark_last_error();
    char where[32];
    snprintf(where, sizeof where, "byte %zu:", byte);
    assert_int_equal(status, SPARK_EIO);
    assert_string_equal(error->operation, "objectFile");
    assert_non_null(strstr(error->site, "test_object_files.c:"));
    assert_non_null(strstr(error->message, "object file damaged"));
    if (strstr(error->message, where) == NULL)
        fail_msg("\"%s\" not in \"%s\"", where, error->message);
}

enum { HEADER_BYTES = 24, SHAPE = 12, HEAD_BYTES = 24 };

static void test_object_file__of_which_a_byte_is_damaged(void **state)
{
    (void)state;
    make_rows();
    char *bytes;
    spark_context *sc = oracle_open_conf(&(spark_conf) { .threads = 1, .task_max_failures = 1 });
    oracle_ok(spark_save_as_object_file(
        spark_parallelize(sc, SPARK_DATA(everything, 3, rows + 5), 1), "saved"));
    const size_t n = read_whole("saved/part-00000", &bytes);
    scratch_write("damaged", bytes, n);
    for (size_t i = 0; i < n; i++) {
        static const unsigned char damage[] = { 0x01, 0x80, 0xff };
        for (size_t k = 0; k < LENGTH(damage); k++) {
            spark_array array;
            bytes[i] = (char)((unsigned char)bytes[i] ^ damage[k]);
            damage_bytes(bytes, i, 1);
            bytes[i] = (char)((unsigned char)bytes[i] ^ damage[k]);
            const spark_status status = reads(sc, SPARK_TYPE(everything), &array);
            assert_int_equal(array.n, 0);
            if (i >= SHAPE && i < HEADER_BYTES)
                assert_int_equal(status, SPARK_ETYPE);
            else
                is_damage(status,
                    i < HEADER_BYTES         ? 0
                        : i < n - HEAD_BYTES ? HEADER_BYTES
                                             : n - HEAD_BYTES);
        }
        damage_bytes(bytes, i, 1);
    }
    oracle_close(sc);
    free(bytes);
}

static void test_object_file__that_is_cut_off(void **state)
{
    (void)state;
    make_rows();
    char *bytes;
    spark_array array;
    spark_context *sc = oracle_open_conf(&(spark_conf) { .threads = 1, .task_max_failures = 1 });
    oracle_ok(spark_save_as_object_file(
        spark_parallelize(sc, SPARK_DATA(everything, 3, rows + 5), 1), "saved"));
    const size_t n = read_whole("saved/part-00000", &bytes);
    scratch_write("damaged", bytes, n);
    for (size_t i = n; i-- > 0;) {
        assert_int_equal(truncate("damaged", (off_t)i), 0);
        is_damage(reads(sc, SPARK_TYPE(everything), &array),
            i < HEADER_BYTES         ? 0
                : i < n - HEAD_BYTES ? HEADER_BYTES
                                     : n - HEAD_BYTES);
    }
    /* More than was written is damage as well. */
    scratch_write("damaged", bytes, n);
    for (size_t more = 1; more < 60; more++) {
        assert_int_equal(truncate("damaged", (off_t)(n + more)), 0); /* by zeros */
        is_damage(reads(sc, SPARK_TYPE(everything), &array), n);
    }
    assert_int_equal(truncate("damaged", (off_t)n), 0);
    oracle_ok(reads(sc, SPARK_TYPE(everything), &array));
    assert_int_equal(array.n, 3);
    spark_array_free(&array);
    oracle_close(sc);
    free(bytes);
}

/* checksum: Castagnoli's, bit by bit. */
static uint32_t checksum(const char *bytes, size_t n)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < n; i++) {
        crc ^= (unsigned char)bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ 0x82f63b78 : crc >> 1;
    }
    return ~crc;
}

/* seal: gives a file of one block the right checksums. */
static void seal(char *bytes, size_t n)
{
    enum { ROWS = 24, SUM = 40, OWN = 44, BLOCK = 48 };
    const uint32_t sum = checksum(bytes + BLOCK, n - HEAD_BYTES - BLOCK);
    memcpy(bytes + SUM, &sum, sizeof sum);
    const uint32_t own = checksum(bytes + ROWS, OWN - ROWS);
    memcpy(bytes + OWN, &own, sizeof own);
}

/* A damaged block whose checksums are right: each byte of the rows and of what they point to is
 * made one that points, counts or says something else. What is let through must be safe to
 * read. */
static void test_object_file__whose_checksums_lie(void **state)
{
    static const unsigned char damage[] = { 0x01, 0x08, 0x80, 0xff };
    enum { BLOCK = 48 };
    size_t refused_ones = 0, read_ones = 0;
    (void)state;
    make_rows();
    char *bytes;
    spark_context *sc
        = oracle_open_conf(&(spark_conf) { .threads = 1, .task_max_failures = 1, .check = true });
    const tuple tuples[] = { { 1, SPARK_STR("abcdefgh") }, { 2, SPARK_STR("ijk") } };
    oracle_ok(
        spark_save_as_object_file(spark_parallelize(sc, SPARK_DATA(tuple, 2, tuples), 1), "saved"));
    const size_t n = read_whole("saved/part-00000", &bytes);
    seal(bytes, n);
    scratch_write("damaged", bytes, n);
    spark_array array;
    oracle_ok(reads(sc, SPARK_TYPE(tuple), &array));
    oracle_lists(&array, "(1,abcdefgh) (2,ijk)");
    spark_array_free(&array);
    for (size_t i = BLOCK; i < n - HEAD_BYTES; i++) {
        for (size_t k = 0; k < LENGTH(damage); k++) {
            bytes[i] = (char)((unsigned char)bytes[i] ^ damage[k]);
            seal(bytes, n);
            damage_bytes(bytes, 0, n);
            bytes[i] = (char)((unsigned char)bytes[i] ^ damage[k]);
            const spark_status status = reads(sc, SPARK_TYPE(tuple), &array);
            if (status == SPARK_OK) {
                free(oracle_listing(&array, false));
                spark_array_free(&array);
                read_ones++;
            } else {
                assert_int_equal(status, SPARK_EIO);
                assert_non_null(strstr(spark_last_error()->message, "makes no sense"));
                refused_ones++;
            }
        }
    }
    assert_true(refused_ones > 50 && read_ones > 50);
    oracle_close(sc);
    free(bytes);
}

static void test_object_file__of_another_type(void **state)
{
    int64_t n = 0;
    spark_array array;
    (void)state;
    make_rows();
    spark_context *sc = oracle_open(2);
    oracle_ok(spark_save_as_object_file(spark_range(sc, 0, 9, 1, 2), "ints"));
    oracle_ok(spark_save_as_object_file(
        spark_parallelize(sc, SPARK_DATA(spark_str, N, strs), 2), "strs"));
    oracle_ok(spark_save_as_object_file(
        spark_parallelize(sc, SPARK_DATA(everything, N, rows), 2), "rows"));
    static const struct {
        const char *path;
        const spark_type *type;
    } cases[] = { { "ints", SPARK_TYPE(int32_t) }, { "ints", SPARK_TYPE(uint64_t) },
        { "ints", SPARK_TYPE(double) }, { "ints", SPARK_TYPE(spark_str) },
        { "ints", SPARK_TYPE(spark_time) }, { "ints", SPARK_TYPE(spark_opt_i32) },
        { "strs", SPARK_TYPE(spark_bytes) }, { "strs", SPARK_TYPE(spark_i64_list) },
        { "strs", SPARK_TYPE(spark_str_list) }, { "strs", SPARK_TYPE(spark_opt_i64) },
        { "strs", SPARK_TYPE(tuple) }, { "rows", SPARK_TYPE(scalars) } };
    for (size_t i = 0; i < LENGTH(cases); i++) {
        oracle_fails(
            spark_collect(spark_object_file(sc, cases[i].path, cases[i].type), NULL, &array),
            SPARK_ETYPE, "elements of another type");
        assert_string_equal(spark_last_error()->operation, "objectFile");
        assert_non_null(strstr(spark_last_error()->site, "test_object_files.c:"));
        assert_non_null(strstr(spark_last_error()->message, cases[i].path));
    }
    /* A text is none at all; nor is one part among good ones. */
    oracle_ok(spark_save_as_text_file(spark_range(sc, 0, 9, 1, 2), "text"));
    oracle_fails(spark_count(spark_object_file(sc, "text", SPARK_TYPE(int64_t)), &n), SPARK_EIO,
        "no object file");
    scratch_write("ints/part-00001", "", 0);
    oracle_fails(spark_count(spark_object_file(sc, "ints", SPARK_TYPE(int64_t)), &n), SPARK_EIO,
        "ints/part-00001: byte 0: this is no object file");
    oracle_close(sc);
}

/* ---- errors and faults */

static void test_object_file__that_is_missing_or_makes_no_sense(void **state)
{
    int64_t n = 0;
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *later = spark_object_file(sc, "later", SPARK_TYPE(int64_t));
    assert_int_equal(spark_rdd_status(later), SPARK_OK);
    oracle_fails(spark_count(later, &n), SPARK_EIO, "later");
    assert_string_equal(spark_last_error()->operation, "objectFile");
    assert_int_equal(spark_rdd_partitions(later), -1);
    oracle_ok(spark_save_as_object_file(spark_range(sc, 0, 3, 1, 2), "later"));
    oracle_collects(later, "0 1 2");
    refused(spark_object_file(sc, NULL, SPARK_TYPE(int64_t)), SPARK_EINVAL, "objectFile", "path");
    refused(spark_object_file(sc, "", SPARK_TYPE(int64_t)), SPARK_EINVAL, "objectFile", "path");
    refused(spark_object_file(sc, "later", NULL), SPARK_EINVAL, "objectFile", "type");
    spark_array array;
    oracle_fails(spark_collect(spark_object_file(NULL, "later", SPARK_TYPE(int64_t)), NULL, &array),
        SPARK_EINVAL, "NULL");
    oracle_close(sc);
}

static void test_save_as_object_file__refuses_what_makes_no_sense(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *rdd = spark_range(sc, 0, 3, 1, 2);
    oracle_fails(spark_save_as_object_file(NULL, "x"), SPARK_EINVAL, "saveAsObjectFile at ");
    oracle_fails(spark_save_as_object_file(rdd, NULL), SPARK_EINVAL, "the path is empty");
    oracle_fails(spark_save_as_object_file(rdd, ""), SPARK_EINVAL, "saveAsObjectFile at ");
    oracle_fails(spark_save_as_object_file(broken(sc), "x"), SPARK_EINVAL, "range at ");
    assert_int_equal(access("x", F_OK), -1);
    /* A directory that exists, empty or not. */
    assert_int_equal(mkdir("there", 0777), 0);
    for (int i = 0; i < 2; i++) {
        const int entries = oracle_entries("there");
        oracle_fails(spark_save_as_object_file(rdd, "there"), SPARK_EIO, "there");
        assert_string_equal(spark_last_error()->operation, "saveAsObjectFile");
        assert_non_null(strstr(spark_last_error()->site, "test_object_files.c:"));
        assert_int_equal(oracle_entries("there"), entries);
        scratch_write("there/file", "x", 1);
    }
    oracle_close(sc);
}

SPARK_MAP(never_past_five, int64_t, int64_t)
{
    if (*in > 5)
        spark_fail(task, "too many");
    *out = *in;
}

static void test_save_as_object_file__that_fails_leaves_nothing(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_rdd *bad = spark_map(spark_range(sc, 0, 100000, 1, 3), never_past_five, NULL);
    const int before = oracle_entries(".");
    oracle_fails(spark_save_as_object_file(bad, "out"), SPARK_ETASK, "too many");
    assert_int_equal(oracle_entries("."), before);
    oracle_ok(spark_save_as_object_file(spark_range(sc, 0, 3, 1, 1), "out"));
    oracle_collects(spark_object_file(sc, "out", SPARK_TYPE(int64_t)), "0 1 2");
    oracle_close(sc);
}

static void test_object_file__under_faults_gives_the_same_and_counts_once(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        spark_context *sc = oracle_open_failing_by(seed, 0.3);
        char path[32];
        snprintf(path, sizeof path, "faults%d", (int)seed);
        counter written = spark_counter(sc, "written"), read = spark_counter(sc, "read");
        spark_rdd *rdd = spark_map(spark_range(sc, 0, 20, 1, 4), counted, SPARK_COPY(written));
        oracle_ok(spark_save_as_object_file(spark_distinct(rdd, 3), path));
        assert_int_equal(spark_accumulator_value(written), 20);
        assert_int_equal(oracle_entries(path), 3 + 3);
        spark_rdd *back = spark_cache(
            spark_map(spark_object_file(sc, path, SPARK_TYPE(int64_t)), counted, SPARK_COPY(read)));
        for (int i = 0; i < 3; i++) {
            assert_int_equal(oracle_count(spark_sort_by(back, NULL, 2)), 20);
            oracle_collects(
                spark_sort_by(back, NULL, 2), "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19");
            assert_int_equal(spark_accumulator_value(read), 20);
            spark_drop_block(back, i);
        }
        oracle_close(sc);
    }
}

/* A directory tells when files of it are lost; files that are named themselves do not. */
static void test_object_file__of_a_directory_that_lost_a_part(void **state)
{
    static const char *const lost[] = { "out/part-00003", "out/part-00000", "out/part-00002" };
    (void)state;
    spark_context *sc = oracle_open(2);
    int64_t n;
    for (size_t i = 0; i < LENGTH(lost); i++) {
        oracle_ok(spark_save_as_object_file(spark_range(sc, 0, 20, 1, 4), "out"));
        oracle_ok(spark_save_as_object_file(spark_range(sc, 0, 6, 1, 2), "other"));
        assert_int_equal(
            oracle_count(spark_object_file(sc, "out,other", SPARK_TYPE(int64_t))), 26);
        assert_int_equal(unlink(lost[i]), 0);
        oracle_fails(spark_count(spark_object_file(sc, "out", SPARK_TYPE(int64_t)), &n), SPARK_EIO,
            "object files out: files are missing; out/part-0000");
        oracle_fails(spark_count(spark_object_file(sc, "o*", SPARK_TYPE(int64_t)), &n), SPARK_EIO,
            "is one of 4 that were saved there");
        assert_int_equal(
            oracle_count(spark_object_file(sc, "out/part-*,other", SPARK_TYPE(int64_t))), 21);
        for (int p = 0; p < 4; p++) {
            char path[40];
            snprintf(path, sizeof path, "out/part-0000%d", p);
            unlink(path);
            snprintf(path, sizeof path, "other/part-0000%d", p);
            unlink(path);
        }
        unlink("out/_SUCCESS");
        unlink("other/_SUCCESS");
        assert_int_equal(rmdir("out"), 0);
        assert_int_equal(rmdir("other"), 0);
    }
    oracle_close(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        file_test(test_object_file__gives_back_all_types),
        file_test(test_object_file__of_ints_and_tuples),
        file_test(test_object_file__reads_directories_globs_and_lists),
        file_test(test_object_file__of_many_blocks),
        file_test(test_object_file__bytes_are_the_same_always),
        file_test(test_object_file__of_which_a_byte_is_damaged),
        file_test(test_object_file__that_is_cut_off),
        file_test(test_object_file__whose_checksums_lie),
        file_test(test_object_file__of_a_directory_that_lost_a_part),
        file_test(test_object_file__of_another_type),
        file_test(test_object_file__that_is_missing_or_makes_no_sense),
        file_test(test_save_as_object_file__refuses_what_makes_no_sense),
        file_test(test_save_as_object_file__that_fails_leaves_nothing),
        file_test(test_object_file__under_faults_gives_the_same_and_counts_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
