/* SPDX-License-Identifier: Apache-2.0 */
/* Arrow's C interfaces: what is written is what the specification says, goes round, is owned as it
 * says; and what cannot be right is refused. tests/sql/arrow.py has PyArrow, DuckDB and Polars read and feed it. */
#include "../support/spark_test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

SPARK_OPTIONAL(opt_f32, float);
SPARK_OPTIONAL(opt_bool, bool);
SPARK_DECIMAL(money, 10, 2);
SPARK_STRUCT(inner, (spark_opt_i32, a), (spark_str, b));
SPARK_OPTIONAL(opt_inner, inner);
SPARK_LIST(inner_list, inner);
SPARK_LIST(opt_list, spark_opt_i64);
SPARK_STRUCT(wide_row, (bool, yes), (int8_t, i8), (int16_t, i16), (int32_t, i32), (int64_t, i64), (uint8_t, u8),
    (uint16_t, u16), (uint32_t, u32), (uint64_t, u64), (float, f32), (double, f64));
SPARK_STRUCT(deep_row, (spark_opt_str, text), (opt_bool, flag), (opt_f32, x), (money, price), (spark_date, day),
    (spark_time, at), (opt_inner, in), (inner_list, list), (opt_list, numbers), (spark_bytes, raw));

static void make_deep(deep_row *rows, size_t n)
{
    static const inner lists[] = { { { true, 1 }, { "x", 1 } }, { { false, 0 }, { "yy", 2 } },
        { { true, -3 }, { "", 0 } } };
    static const spark_opt_i64 numbers[] = { { true, 7 }, { false, 0 }, { true, INT64_MIN } };
    memset(rows, 0, n * sizeof *rows);
    for (size_t i = 0; i < n; i++) {
        deep_row *r = &rows[i];
        static const char *const words[] = { "", "a", "a longer one", "\xc3\xa9t\xc3\xa9" };
        if (i % 5)
            r->text = (spark_opt_str) { true, { words[i % 4], strlen(words[i % 4]) } };
        if (i % 3)
            r->flag = (opt_bool) { true, i % 2 };
        if (i % 7)
            r->x = (opt_f32) { true, (float)i / 4 };
        r->price.units = (int64_t)i * 25 - 1000;
        r->day.days = (int32_t)i - 3;
        r->at.micros = (int64_t)i * 1234567 - 5;
        const spark_opt_i32 number = { i % 8 != 1, i % 8 != 1 ? (int32_t)i : 0 };
        if (i % 4)
            r->in = (opt_inner) { true, { number, { words[i % 3], strlen(words[i % 3]) } } };
        r->list = (inner_list) { lists, i % 4 };
        r->numbers = (opt_list) { numbers, (i + 1) % 4 };
        r->raw = (spark_bytes) { words[2], i % 5 };
    }
}

/* round_trip: rows out, and in again, in another number of partitions: the same rows. */
static void round_trip(spark_context *sc, spark_rdd *rdd, size_t batch_rows)
{
    struct ArrowArrayStream stream;
    char *text[2] = { NULL, NULL };
    assert_int_equal(spark_to_arrow_stream(rdd, &(spark_arrow_options) { batch_rows }, &stream), SPARK_OK);
    spark_rdd *back = spark_from_arrow_stream(sc, &stream, 3);
    assert_null(stream.release);
    if (spark_rdd_status(back) != SPARK_OK)
        fail_msg("%s", spark_last_error()->message);
    spark_rdd *const both[] = { rdd, back };
    for (int i = 0; i < 2; i++) {
        spark_array rows;
        size_t size;
        if (spark_collect(both[i], NULL, &rows) != SPARK_OK)
            fail_msg("%s", spark_last_error()->message);
        FILE *file = open_memstream(&text[i], &size);
        assert_non_null(file);
        assert_int_equal(spark_array_print(file, &rows), SPARK_OK);
        fclose(file);
        spark_array_free(&rows);
    }
    assert_string_equal(text[0], text[1]);
    free(text[0]);
    free(text[1]);
}

static spark_context *open_context(size_t variant)
{
    static const spark_fault faults[] = { { .kind = SPARK_FAULT_RANDOM, .rate = 0.2, .seed = 5 } };
    spark_conf conf = { .app_name = "arrow", .threads = variant == 1 ? 2 : 1, .check = variant == 5 };
    if (variant == 2)
        conf.batch_rows = 1;
    if (variant == 3)
        conf.memory_bytes = (uint64_t)64 << 20;
    if (variant == 4) {
        conf.faults = faults;
        conf.n_faults = 1;
        conf.task_max_failures = 20;
    }
    return spark_context_new(&conf);
}

static void test_round_trips(void **state)
{
    (void)state;
    enum { N = 2500 };
    deep_row *rows = malloc(N * sizeof *rows);
    assert_non_null(rows);
    make_deep(rows, N);
    for (size_t variant = 0; variant < 6; variant++) {
        spark_context *sc = open_context(variant);
        static const size_t sizes[] = { 0, 1, 5, N }, batches[] = { 1, 7, 1024, 0 };
        for (size_t s = 0; s < 4; s++) {
            SPARK_SCOPED(sc);
            spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA(deep_row, sizes[s], rows), 4);
            for (size_t b = variant ? 1 : 0; b < 4; b++)
                round_trip(sc, rdd, batches[b]);
        }
        round_trip(sc, spark_sql(sc, "SELECT id, CAST(id AS STRING) s, id % 3 = 0 b, nullif(id, 2) n, "
                                     "array(id, NULL) a, map('k', id) m, "
                                     "named_struct('x', id, 'y', 'z') st FROM range(0, 100, 1, 3)"), 9);
        spark_context_free(sc);
    }
    free(rows);
}

static void check_format(const struct ArrowSchema *s, const char *name, const char *format, bool nullable)
{
    assert_string_equal(s->name, name);
    assert_string_equal(s->format, format);
    assert_int_equal((s->flags & ARROW_FLAG_NULLABLE) != 0, nullable);
}

static void test_schema(void **state)
{
    (void)state;
    spark_context *sc = open_context(0);
    struct ArrowSchema schema;
    struct ArrowArray array;
    const wide_row row = { true, -1, -2, -3, -4, 5, 6, 7, 8, 1.5f, 2.5 };
    spark_rdd *one_row = spark_parallelize(sc, SPARK_DATA(wide_row, 1, &row), 1);
    assert_int_equal(spark_to_arrow(one_row, &schema, &array), SPARK_OK);
    static const char *const formats[] = { "b", "c", "s", "i", "l", "C", "S", "I", "L", "f", "g" };
    check_format(&schema, "", "+s", false);
    assert_int_equal(schema.n_children, 11);
    for (int i = 0; i < 11; i++)
        assert_string_equal(schema.children[i]->format, formats[i]);
    assert_int_equal(array.length, 1);
    assert_int_equal(array.null_count, 0);
    assert_int_equal(array.n_buffers, 1);
    assert_null(array.buffers[0]);
    assert_int_equal(((const uint8_t *)array.children[0]->buffers[1])[0], 1);
    assert_int_equal(((const int32_t *)array.children[3]->buffers[1])[0], -3);
    assert_true(((const double *)array.children[10]->buffers[1])[0] == 2.5);
    schema.release(&schema);
    assert_null(schema.release);
    array.release(&array);
    assert_null(array.release);
    spark_rdd *all = spark_sql(sc, "SELECT 1Y a, 2.50BD b, CAST(1 AS DECIMAL(38, 6)) c, DATE'2024-01-02' d, "
                                   "TIMESTAMP'2024-01-02 03:04:05' e, TIMESTAMP_NTZ'2024-01-02 03:04:05' f, "
                                   "INTERVAL '1-2' YEAR TO MONTH g, INTERVAL '1' DAY h, NULL i, X'00ff' j, 'x' k, "
                                   "map('a', 1) l, array(1, NULL) m, struct(1 AS x, 'y' AS y) n");
    static const char *const sql_formats[]
        = { "c", "d:3,2", "d:38,6", "tdD", "tsu:UTC", "tsu:", "tiM", "tDu", "n", "z", "u", "+m", "+l", "+s" };
    assert_int_equal(spark_to_arrow(all, &schema, &array), SPARK_OK);
    assert_int_equal(schema.n_children, 14);
    for (int i = 0; i < 14; i++)
        assert_string_equal(schema.children[i]->format, sql_formats[i]);
    check_format(schema.children[11]->children[0], "entries", "+s", false);
    check_format(schema.children[11]->children[0]->children[0], "key", "u", false);
    check_format(schema.children[12]->children[0], "item", "i", true);
    const int64_t *wide = array.children[2]->buffers[1];
    assert_int_equal(wide[0], 1000000);
    assert_int_equal(wide[1], 0);
    assert_int_equal(array.children[8]->null_count, 1);
    assert_int_equal(array.children[8]->n_buffers, 0);
    const struct ArrowArray *list = array.children[12];
    assert_int_equal(((const int32_t *)list->buffers[1])[1], 2);
    assert_int_equal(list->children[0]->null_count, 1);
    assert_int_equal(((const uint8_t *)list->children[0]->buffers[0])[0] & 3, 1);
    /* a child is moved out, and outlives the others */
    struct ArrowArray moved = *array.children[10];
    array.children[10]->release = NULL;
    array.release(&array);
    assert_int_equal(((const int32_t *)moved.buffers[1])[1], 1);
    assert_memory_equal(moved.buffers[2], "x", 1);
    moved.release(&moved);
    schema.release(&schema);
    spark_context_free(sc);
}

SPARK_MAP(fails_late, int64_t, int64_t)
{
    if (*in == 70)
        spark_fail(task, "seventy");
    *out = *in;
}

static void test_streams(void **state)
{
    (void)state;
    spark_context *sc = open_context(0);
    struct ArrowArrayStream stream;
    struct ArrowArray array;
    struct ArrowSchema schema;
    /* batches do not cross partitions, and come in order */
    spark_rdd *numbers = spark_range(sc, 0, 100, 1, 3);
    assert_int_equal(spark_to_arrow_stream(numbers, &(spark_arrow_options) { 20 }, &stream), SPARK_OK);
    assert_int_equal(stream.get_schema(&stream, &schema), 0);
    check_format(schema.children[0], "value", "l", false);
    schema.release(&schema);
    static const int lengths[] = { 20, 13, 20, 13, 20, 14, 0 };
    int64_t next = 0;
    for (int i = 0; i < 7; i++) {
        assert_int_equal(stream.get_next(&stream, &array), 0);
        if (!lengths[i]) {
            assert_null(array.release);
            break;
        }
        assert_int_equal(array.length, lengths[i]);
        for (int k = 0; k < lengths[i]; k++)
            assert_int_equal(((const int64_t *)array.children[0]->buffers[1])[k], next++);
        array.release(&array);
    }
    assert_int_equal(next, 100);
    stream.release(&stream);
    assert_null(stream.release);
    /* a job that fails: the message, and the same again */
    spark_rdd *late = spark_map(numbers, fails_late, NULL);
    assert_int_equal(spark_to_arrow_stream(late, NULL, &stream), SPARK_OK);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(stream.get_next(&stream, &array), 0);
        array.release(&array);
    }
    for (int i = 0; i < 2; i++) {
        assert_int_equal(stream.get_next(&stream, &array), EINVAL);
        assert_null(array.release);
        assert_non_null(strstr(stream.get_last_error(&stream), "seventy"));
    }
    stream.release(&stream);
    /* the scope ends first */
    {
        SPARK_SCOPED(sc);
        assert_int_equal(spark_to_arrow_stream(spark_range(sc, 0, 9, 1, 1), NULL, &stream), SPARK_OK);
    }
    assert_int_equal(stream.get_next(&stream, &array), EINVAL);
    assert_non_null(strstr(stream.get_last_error(&stream), "scope"));
    stream.release(&stream);
    /* a consumer's error: a stream that fails half way */
    assert_int_equal(spark_to_arrow_stream(late, NULL, &stream), SPARK_OK);
    assert_int_equal(spark_rdd_status(spark_from_arrow_stream(sc, &stream, 0)), SPARK_EINVAL);
    assert_non_null(strstr(spark_last_error()->message, "seventy"));
    assert_null(stream.release);
    assert_int_equal(spark_to_arrow_stream(numbers, NULL, NULL), SPARK_EINVAL);
    assert_int_equal(spark_to_arrow_stream(NULL, NULL, &stream), SPARK_EINVAL);
    assert_int_equal(spark_rdd_status(spark_from_arrow_stream(sc, NULL, 0)), SPARK_EINVAL);
    memset(&stream, 0, sizeof stream);
    assert_int_equal(spark_rdd_status(spark_from_arrow_stream(sc, &stream, 0)), SPARK_EINVAL);
    spark_context_free(sc);
}

/* ---- a producer of what a test says: one column, one batch; nothing is on the heap */

typedef struct one {
    struct ArrowSchema root_schema, column, item, values;
    struct ArrowArray root, array, child, dictionary;
    struct ArrowSchema *schemas[1], *items[1];
    struct ArrowArray *arrays[1], *children[1];
    const void *none[1], *buffers[4], *child_buffers[3], *dictionary_buffers[3];
    int schemas_released, arrays_released, given;
} one;

static void release_schema(struct ArrowSchema *s)
{
    ((one *)s->private_data)->schemas_released++;
    s->release = NULL;
}

static void release_array(struct ArrowArray *a)
{
    ((one *)a->private_data)->arrays_released++;
    a->release = NULL;
}

static int one_schema(struct ArrowArrayStream *s, struct ArrowSchema *out)
{
    *out = ((one *)s->private_data)->root_schema;
    return 0;
}

static int one_next(struct ArrowArrayStream *s, struct ArrowArray *out)
{
    one *o = s->private_data;
    if (o->given++)
        memset(out, 0, sizeof *out);
    else
        *out = o->root;
    return 0;
}

static const char *one_error(struct ArrowArrayStream *s)
{
    (void)s;
    return NULL;
}

static void one_release(struct ArrowArrayStream *s)
{
    s->release = NULL;
}

/* one_of: a column of a format with two data buffers; what else there is the test sets. */
static void one_of(one *o, const char *format, int64_t length, const void *data, const void *more)
{
    memset(o, 0, sizeof *o);
    o->schemas[0] = &o->column;
    o->arrays[0] = &o->array;
    o->items[0] = &o->item;
    o->children[0] = &o->child;
    o->root_schema = (struct ArrowSchema) { "+s", "", NULL, 0, 1, o->schemas, NULL, release_schema, o };
    o->column = (struct ArrowSchema) { format, "c", NULL, ARROW_FLAG_NULLABLE, 0, NULL, NULL, release_schema, o };
    o->item = (struct ArrowSchema) { "i", "item", NULL, ARROW_FLAG_NULLABLE, 0, NULL, NULL, release_schema, o };
    o->root = (struct ArrowArray) { length, 0, 0, 1, 1, o->none, o->arrays, NULL, release_array, o };
    o->array = (struct ArrowArray) { length, 0, 0, more ? 3 : 2, 0, o->buffers, NULL, NULL, release_array, o };
    o->child = (struct ArrowArray) { 0, 0, 0, 2, 0, o->child_buffers, NULL, NULL, release_array, o };
    o->buffers[1] = data;
    o->buffers[2] = more;
}

/* read_one: the column as texts; NULL: an error, which is the last one. */
static char *read_one(spark_context *sc, one *o)
{
    struct ArrowArrayStream stream = { one_schema, one_next, one_error, one_release, o };
    char *text = NULL;
    size_t size;
    spark_array rows;
    spark_rdd *rdd = spark_from_arrow_stream(sc, &stream, 2);
    assert_null(stream.release);
    assert_int_equal(o->schemas_released, 1);
    if (spark_collect(rdd, NULL, &rows) != SPARK_OK) {
        if (spark_rdd_status(rdd) != SPARK_OK)
            assert_int_equal(o->arrays_released, o->given ? 1 : 0);
        return NULL;
    }
    assert_int_equal(o->arrays_released, 0);
    FILE *file = open_memstream(&text, &size);
    for (size_t i = 0; i < rows.n; i++) {
        char cell[100];
        size_t n;
        const bool present = spark_sql_text(rdd, spark_row_of(&rows, i), 0, cell, sizeof cell, &n);
        fprintf(file, "%s%s", i ? "," : "", present ? cell : "NULL");
    }
    fclose(file);
    spark_array_free(&rows);
    return text;
}

static void reads(spark_context *sc, one *o, const char *type, const char *want)
{
    char *text;
    {
        SPARK_SCOPED(sc);
        text = read_one(sc, o);
    }
    (void)type;
    if (!text)
        fail_msg("%s: %s", o->column.format, spark_last_error()->message);
    assert_string_equal(text, want);
    assert_int_equal(o->arrays_released, 1);
    free(text);
}

static void test_formats(void **state)
{
    (void)state;
    spark_context *sc = open_context(0);
    one o;
    static const uint8_t u8[] = { 0, 255, 7 }, bits[] = { 5 };
    static const uint16_t u16[] = { 65535, 1, 2 }, halves[] = { 0x3c00, 0xc000, 0x7c00 };
    static const uint32_t u32[] = { UINT32_MAX, 0, 1 };
    static const uint64_t u64[] = { UINT64_MAX, 0, 1 };
    static const int64_t ms[] = { -1, 86400000, 1500 }, large[] = { 0, 1, 3, 3 };
    static const int32_t seconds[] = { 1, 2, 86399 }, offsets[] = { 2, 3, 3, 6 }, d32[] = { -150, 5, 0 };
    static const int8_t index[] = { 1, 0, 1 };
    static const int32_t numbers[] = { 10, 20, 30, 40, 50, 60 };
    one_of(&o, "C", 3, u8, NULL);
    reads(sc, &o, "smallint", "0,255,7");
    one_of(&o, "S", 3, u16, NULL);
    reads(sc, &o, "int", "65535,1,2");
    one_of(&o, "I", 3, u32, NULL);
    reads(sc, &o, "bigint", "4294967295,0,1");
    one_of(&o, "L", 3, u64, NULL);
    reads(sc, &o, "decimal(20,0)", "18446744073709551615,0,1");
    one_of(&o, "e", 3, halves, NULL);
    reads(sc, &o, "float", "1.0,-2.0,Infinity");
    one_of(&o, "b", 3, bits, NULL);
    reads(sc, &o, "boolean", "true,false,true");
    one_of(&o, "tdm", 3, ms, NULL);
    reads(sc, &o, "date", "1969-12-31,1970-01-02,1970-01-01");
    one_of(&o, "tsm:", 3, ms, NULL);
    reads(sc, &o, "timestamp_ntz", "1969-12-31 23:59:59.999,1970-01-02 00:00:00,1970-01-01 00:00:01.5");
    one_of(&o, "tsn:Europe/Paris", 3, ms, NULL);
    reads(sc, &o, "timestamp", "1969-12-31 23:59:59.999999,1970-01-01 00:00:00.0864,1970-01-01 00:00:00.000001");
    one_of(&o, "tts", 3, seconds, NULL);
    reads(sc, &o, "time(6)", "00:00:01,00:00:02,23:59:59");
    one_of(&o, "d:5,2,32", 3, d32, NULL);
    reads(sc, &o, "decimal(5,2)", "-1.50,0.05,0.00");
    one_of(&o, "u", 3, offsets, "..abcd");
    reads(sc, &o, "string", "a,,bcd");
    one_of(&o, "U", 3, large, "xyz");
    reads(sc, &o, "string", "x,yz,");
    one_of(&o, "w:2", 3, "aabbcc", NULL);
    reads(sc, &o, "binary", "aa,bb,cc");
    /* sliced, with nulls: bits from the offset on */
    one_of(&o, "i", 3, numbers, NULL);
    o.array.offset = 2;
    o.array.null_count = -1;
    o.buffers[0] = bits; /* 101000..: row 0 of the slice is bit 2 */
    reads(sc, &o, "int", "30,NULL,NULL");
    one_of(&o, "i", 2, numbers, NULL);
    o.root.offset = 1;
    o.array.offset = 2;
    o.array.length = 3;
    reads(sc, &o, "int", "40,50");
    /* a dictionary, itself sliced */
    one_of(&o, "c", 3, index, NULL);
    o.column.dictionary = &o.values;
    o.values = (struct ArrowSchema) { "u", "", NULL, 0, 0, NULL, NULL, release_schema, &o };
    o.dictionary = (struct ArrowArray) { 2, 0, 1, 3, 0, o.dictionary_buffers, NULL, NULL, release_array, &o };
    o.dictionary_buffers[1] = offsets;
    o.dictionary_buffers[2] = "..abcd";
    o.array.dictionary = &o.dictionary;
    reads(sc, &o, "string", "bcd,,bcd");
    /* lists: of a fixed length, and by offsets, of a child with an offset */
    one_of(&o, "+w:2", 2, NULL, NULL);
    o.column.n_children = o.array.n_children = 1;
    o.column.children = o.items;
    o.array.children = o.children;
    o.array.n_buffers = 1;
    o.child.length = 5;
    o.child.offset = 1;
    o.child_buffers[1] = numbers;
    reads(sc, &o, "array<int>", "[20, 30],[40, 50]");
    one_of(&o, "+l", 3, offsets, NULL);
    o.column.n_children = o.array.n_children = 1;
    o.column.children = o.items;
    o.array.children = o.children;
    o.child.length = 6;
    o.child_buffers[1] = numbers;
    reads(sc, &o, "array<int>", "[30],[],[40, 50, 60]");
    /* views of strings */
    static const struct {
        int32_t n;
        char text[12];
    } short_view[] = { { 2, "hi" }, { 12, { 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l' } },
        { 13, "" } };
    static const int64_t sizes[] = { 16 };
    char views[3][16];
    memcpy(views, short_view, sizeof views);
    const int32_t where[] = { 13, 0, 0, 1 };
    memcpy(views[2], where, 16);
    one_of(&o, "vu", 3, views, ".thirteen bytes");
    o.array.n_buffers = 4;
    o.buffers[3] = sizes;
    reads(sc, &o, "string", "hi,abcdefghijkl,thirteen byte");
    spark_context_free(sc);
}

/* test_wrong: structures that cannot be right, and what no type of SQL is. */
static void refused(spark_context *sc, one *o, spark_status status, const char *message)
{
    SPARK_SCOPED(sc);
    char *text = read_one(sc, o);
    if (text)
        fail_msg("%s was read: %s", o->column.format, text);
    assert_int_equal(spark_last_error()->code, status);
    if (!strstr(spark_last_error()->message, message))
        fail_msg("%s: %s", o->column.format, spark_last_error()->message);
}

static void test_wrong(void **state)
{
    (void)state;
    spark_context *sc = open_context(0);
    one o;
    static const int32_t numbers[] = { 0, 3, 2, 9 }, far[] = { 0, 1, 2, 90 };
    static const uint8_t none[] = { 0 };
    static const char *const types[] = { "+us:1", "+r", "tin", "tiD", "d:50,2,256", "d:39,2", "x", "", "+vl", "tsx:",
        "td", "q" };
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        one_of(&o, types[i], 1, numbers, NULL);
        refused(sc, &o, SPARK_ETYPE, "Arrow column \"c\"");
    }
    one_of(&o, "i", 3, NULL, NULL);
    refused(sc, &o, SPARK_EINVAL, "a buffer is missing");
    one_of(&o, "i", 3, numbers, NULL);
    o.array.n_buffers = 3;
    refused(sc, &o, SPARK_EINVAL, "its number of buffers");
    one_of(&o, "i", 3, numbers, NULL);
    o.array.length = 2;
    refused(sc, &o, SPARK_EINVAL, "its length or offset");
    one_of(&o, "i", 3, numbers, NULL);
    o.array.offset = -1;
    refused(sc, &o, SPARK_EINVAL, "its length or offset");
    one_of(&o, "i", 3, numbers, NULL);
    o.root.n_children = 0;
    refused(sc, &o, SPARK_EINVAL, "its number of children");
    one_of(&o, "u", 3, numbers, "abcdefghi");
    refused(sc, &o, SPARK_EINVAL, "offsets fall");
    one_of(&o, "u", 3, far, NULL);
    o.array.n_buffers = 3;
    refused(sc, &o, SPARK_EINVAL, "a buffer is missing");
    one_of(&o, "+l", 3, far, NULL);
    o.column.n_children = o.array.n_children = 1;
    o.column.children = o.items;
    o.array.children = o.children;
    o.child.length = 4;
    o.child_buffers[1] = numbers;
    refused(sc, &o, SPARK_EINVAL, "end outside");
    one_of(&o, "+l", 3, far, NULL);
    refused(sc, &o, SPARK_EINVAL, "a list has one child");
    one_of(&o, "i", 3, numbers, NULL);
    o.column.flags = 0;
    o.array.null_count = 3;
    o.buffers[0] = none;
    refused(sc, &o, SPARK_EINVAL, "declared without");
    one_of(&o, "i", 3, far, NULL);
    o.column.dictionary = &o.values;
    o.values = (struct ArrowSchema) { "i", "", NULL, 0, 0, NULL, NULL, release_schema, &o };
    refused(sc, &o, SPARK_EINVAL, "its dictionary is missing");
    one_of(&o, "i", 3, far, NULL);
    o.column.dictionary = &o.values;
    o.values = (struct ArrowSchema) { "i", "", NULL, 0, 0, NULL, NULL, release_schema, &o };
    o.dictionary = (struct ArrowArray) { 2, 0, 0, 2, 0, o.dictionary_buffers, NULL, NULL, release_array, &o };
    o.dictionary_buffers[1] = numbers;
    o.array.dictionary = &o.dictionary;
    refused(sc, &o, SPARK_EINVAL, "an index is not in its dictionary");
    static const int64_t late[] = { INT64_MAX, 0, 0 };
    one_of(&o, "tss:UTC", 3, late, NULL);
    refused(sc, &o, SPARK_EINVAL, "too far from 1970");
    static const char *const texts[] = { "w:", "w:junk", "w:4junk", "w:-1", "w:99999999999", "+w:", "+w:2,", "+w:x",
        "d:", "d:5", "d:5,", "d:5,2x", "d:5,2,", "d:5,2,128x", "d:99999999999,2", "d: 5,2", "d:5,2,64,1" };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        one_of(&o, texts[i], 1, numbers, NULL);
        o.column.n_children = o.array.n_children = texts[i][0] == '+';
        o.column.children = o.items;
        o.array.children = o.children;
        refused(sc, &o, SPARK_EINVAL, "is written so");
    }
    static const int64_t digits[] = { 100000, -1, 0, INT64_MIN }, day[] = { INT64_C(86400000000000), -1 };
    static const char *const decimals[] = { "d:5,2,64", "d:5,2", "d:38,0", "d:18,0,64" };
    for (size_t i = 0; i < sizeof decimals / sizeof decimals[0]; i++) {
        one_of(&o, decimals[i], 1, digits + (i < 2 ? 0 : i == 2 ? 2 : 3), NULL);
        refused(sc, &o, SPARK_EINVAL, "more digits than its type");
    }
    static const int32_t seconds[] = { 86400, INT32_MIN };
    for (int i = 0; i < 2; i++) {
        one_of(&o, "ttn", 1, &day[i], NULL);
        refused(sc, &o, SPARK_EINVAL, "not of one day");
        one_of(&o, "ttu", 1, &digits[i == 0 ? 3 : 1], NULL);
        refused(sc, &o, SPARK_EINVAL, "not of one day");
        one_of(&o, "tts", 1, &seconds[i], NULL);
        refused(sc, &o, SPARK_EINVAL, "not of one day");
    }
    one_of(&o, "+s", 1, NULL, NULL);
    o.array.n_buffers = 1;
    refused(sc, &o, SPARK_ETYPE, "structs without fields");
    one_of(&o, "i", 3, numbers, NULL);
    o.root.null_count = 1;
    o.none[0] = none;
    refused(sc, &o, SPARK_EINVAL, "rows that are null");
    one_of(&o, "i", 3, numbers, NULL);
    o.root_schema.format = "i";
    o.root_schema.n_children = 0;
    refused(sc, &o, SPARK_ETYPE, "record batches");
    spark_context_free(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_schema),
        cmocka_unit_test(test_streams),
        cmocka_unit_test(test_formats),
        cmocka_unit_test(test_wrong),
        cmocka_unit_test(test_round_trips),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
