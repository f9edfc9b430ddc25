/* SPDX-License-Identifier: Apache-2.0 */
/* Batches end by bytes as well as by rows: steps that make wide rows or long strings of narrow ones
 * succeed under a limit of memory that holds a few of them a step, whatever the batches are. */
#include "layouts.h"

SPARK_STRUCT(wide_row, (int64_t, k), (char, pad, 65528));
SPARK_PAIR(wide_pair, int64_t, wide_row);
SPARK_PAIR(text_pair, int64_t, spark_str);
SPARK_PAIR(two_texts, spark_str, spark_str);

enum { ROWS = 600, LONG = 1 << 20, SMALL = 8 << 20, LIMIT = 24 << 20 };

SPARK_MAP(make_wide, int64_t, wide_row)
{
    out->k = *in;
    out->pad[65527] = (char)*in;
}
SPARK_MAP(next_wide, wide_row, wide_row)
{
    *out = *in;
    out->k++;
}
SPARK_MAP(narrow_again, wide_row, int64_t)
{
    *out = in->k;
}
SPARK_MAP(to_wide_pair, int64_t, wide_pair)
{
    out->key = *in;
    out->value.k = *in;
}
SPARK_FILTER(any_wide, wide_row)
{
    return in->k >= 0;
}
SPARK_FLAT_MAP(three_wide, int64_t, wide_row)
{
    wide_row *w = spark_alloc(task, sizeof *w);
    if (w == NULL)
        return;
    memset(w, 0, sizeof *w);
    w->k = *in;
    for (int i = 0; i < 3; i++)
        spark_emit(out, *w);
}

static spark_str long_text(spark_task *task, int64_t n)
{
    char *text = spark_alloc(task, LONG);
    if (text == NULL)
        return (spark_str) { NULL, 0 };
    memset(text, (int)('a' + n % 26), LONG);
    return (spark_str) { text, LONG };
}
SPARK_MAP(make_text, int64_t, spark_str)
{
    *out = long_text(task, *in);
}
/* Short ones first: nothing tells that long ones will come. */
SPARK_MAP(later_text, int64_t, spark_str)
{
    *out = *in % 100 < 20 ? (spark_str) { "short", 5 } : long_text(task, *in);
}
SPARK_MAP(same_text, spark_str, spark_str)
{
    char *text = spark_alloc(task, in->len + 1);
    if (text == NULL)
        return;
    memcpy(text, in->ptr, in->len);
    *out = (spark_str) { text, in->len };
}
SPARK_MAP(pair_text, int64_t, text_pair)
{
    *out = (text_pair) { *in, long_text(task, *in) };
}
SPARK_FLAT_MAP(four_texts, int64_t, spark_str)
{
    for (int i = 0; i < 4; i++)
        spark_emit(out, long_text(task, *in));
}
/* What a function allocates for itself alone counts as well. */
SPARK_MAP(with_scratch, int64_t, int64_t)
{
    *out = *in + (long_text(task, *in).len != LONG);
}
SPARK_FILTER(if_scratch, int64_t)
{
    return long_text(task, *in).len == LONG;
}
SPARK_FOREACH(look_scratch, int64_t)
{
    if (long_text(task, *in).len != LONG)
        spark_fail(task, "no room");
}
SPARK_FLAT_MAP(many_times, spark_str, two_texts)
{
    for (int i = 0; i < 50; i++)
        spark_emit(out, (two_texts) { *in, *in });
}
SPARK_MAP(same_two, two_texts, two_texts)
{
    *out = *in;
}
SPARK_MAP(second_text, two_texts, spark_str)
{
    *out = spark_str_concat(task, (spark_str) { in->key.ptr, 10 }, (spark_str) { "!", 1 });
}

/* ---- lineages and how many rows they have */

static spark_rdd *numbers_in(spark_context *sc)
{
    return spark_range(sc, 0, ROWS, 1, 3);
}
static spark_rdd *few_numbers(spark_context *sc)
{
    return spark_range(sc, 0, 3, 1, 1);
}
static spark_rdd *of_maps(spark_context *sc)
{
    spark_rdd *rdd = spark_map(numbers_in(sc), make_wide, NULL);
    for (int i = 0; i < 60; i++)
        rdd = spark_map(rdd, next_wide, NULL);
    return spark_filter(rdd, any_wide, NULL);
}
/* Wide and narrow in turn: pieces stay small, and pushes do not nest deeper every time. */
static spark_rdd *of_turns(spark_context *sc)
{
    spark_rdd *rdd = numbers_in(sc);
    for (int i = 0; i < 400; i++)
        rdd = spark_map(spark_map(rdd, make_wide, NULL), narrow_again, NULL);
    return rdd;
}
static spark_rdd *of_keys(spark_context *sc)
{
    spark_rdd *rdd = spark_key_by(spark_map(numbers_in(sc), make_wide, NULL), narrow_again, NULL);
    return spark_map_values(rdd, next_wide, NULL);
}
static spark_rdd *of_index(spark_context *sc)
{
    return spark_values(spark_zip_with_unique_id(spark_map(numbers_in(sc), make_wide, NULL)));
}
static spark_rdd *of_emitted(spark_context *sc)
{
    return spark_map(spark_flat_map(numbers_in(sc), three_wide, NULL), next_wide, NULL);
}
static spark_rdd *of_wide_values(spark_context *sc)
{
    spark_rdd *rdd = spark_map(numbers_in(sc), to_wide_pair, NULL);
    return spark_map_values(rdd, next_wide, NULL);
}
static spark_rdd *of_zip(spark_context *sc)
{
    return spark_zip(spark_map(numbers_in(sc), make_wide, NULL), numbers_in(sc));
}
static spark_rdd *of_cartesian(spark_context *sc)
{
    return spark_cartesian(spark_map(numbers_in(sc), make_wide, NULL), few_numbers(sc));
}
static spark_rdd *of_sample(spark_context *sc)
{
    return spark_map(spark_sample(numbers_in(sc), false, 1.0, 1), make_wide, NULL);
}
static spark_rdd *of_texts(spark_context *sc)
{
    spark_rdd *rdd = spark_map(numbers_in(sc), make_text, NULL);
    for (int i = 0; i < 5; i++)
        rdd = spark_map(rdd, same_text, NULL);
    return rdd;
}
static spark_rdd *of_later_texts(spark_context *sc)
{
    return spark_map(spark_map(numbers_in(sc), later_text, NULL), same_text, NULL);
}
static spark_rdd *of_text_pairs(spark_context *sc)
{
    spark_rdd *rdd = spark_map_values(spark_map(numbers_in(sc), pair_text, NULL), same_text, NULL);
    return spark_coalesce(spark_union(rdd, rdd), 2);
}
static spark_rdd *of_text_values(spark_context *sc)
{
    spark_rdd *rdd = spark_key_by(numbers_in(sc), with_scratch, NULL);
    return spark_flat_map_values(rdd, four_texts, NULL);
}
/* Rows that show one text: a copy of the batch would be a copy for each. */
static spark_rdd *of_shared_texts(spark_context *sc)
{
    spark_rdd *rdd = spark_flat_map(spark_map(few_numbers(sc), make_text, NULL), many_times, NULL);
    for (int i = 0; i < 40; i++)
        rdd = spark_map(rdd, same_two, NULL);
    return spark_map(rdd, second_text, NULL);
}
static spark_rdd *of_scratch(spark_context *sc)
{
    return spark_filter(spark_map(numbers_in(sc), with_scratch, NULL), if_scratch, NULL);
}

static const struct lineage {
    const char *name;
    spark_rdd *(*build)(spark_context *sc);
    int64_t rows;
    uint64_t limit;
} lineages[] = {
    { "maps", of_maps, ROWS, SMALL },
    { "wide and narrow in turn", of_turns, ROWS, SMALL },
    { "keys", of_keys, ROWS, SMALL },
    { "index", of_index, ROWS, SMALL },
    { "emitted", of_emitted, 3 * ROWS, SMALL },
    { "values", of_wide_values, ROWS, SMALL },
    { "zip", of_zip, ROWS, SMALL },
    { "cartesian", of_cartesian, 3 * ROWS, SMALL },
    { "sample", of_sample, ROWS, SMALL },
    { "texts", of_texts, ROWS, LIMIT },
    { "later texts", of_later_texts, ROWS, LIMIT },
    { "pairs of texts", of_text_pairs, 2 * ROWS, LIMIT },
    { "values of texts", of_text_values, 4 * ROWS, LIMIT },
    { "texts that many rows show", of_shared_texts, 150, LIMIT },
    { "scratch", of_scratch, ROWS, LIMIT },
};

static void test_batches__are_bounded_by_bytes(void **state)
{
    static const int batch_rows[] = { 0, 1, 7, 1024, 65536 };
    (void)state;
    for (size_t l = 0; l < LENGTH(lineages); l++)
        for (size_t b = 0; b < LENGTH(batch_rows); b++) {
            spark_context *sc = oracle_open_conf(&(spark_conf) {
                .threads = 1, .memory_bytes = lineages[l].limit, .batch_rows = batch_rows[b] });
            int64_t n = -1;
            if (spark_count(lineages[l].build(sc), &n) != SPARK_OK)
                fail_msg("%s, batch_rows %d: %s", lineages[l].name, batch_rows[b],
                    spark_last_error()->message);
            assert_int_equal(n, lineages[l].rows);
            oracle_close(sc);
        }
}

static void test_foreach__takes_back_what_its_function_allocates(void **state)
{
    (void)state;
    spark_context *sc
        = oracle_open_conf(&(spark_conf) { .threads = 1, .memory_bytes = LIMIT });
    oracle_ok(spark_foreach(numbers_in(sc), look_scratch, NULL));
    oracle_close(sc);
}

/* Pieces change no result, nor which record is named. */
SPARK_MAP(fails_late, wide_row, wide_row)
{
    if (in->k == 431)
        spark_fail(task, "no %d", (int)in->k);
    *out = *in;
}
static void test_pieces__name_the_record(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(1);
    int64_t n;
    spark_rdd *rdd = spark_map(spark_range(sc, 0, ROWS, 1, 1), make_wide, NULL);
    oracle_fails(spark_count(spark_map(spark_map(rdd, next_wide, NULL), fails_late, NULL), &n),
        SPARK_ETASK, "no 431");
    assert_int_equal(spark_last_error()->record, 430);
    oracle_close(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        oracle_test(test_batches__are_bounded_by_bytes),
        oracle_test(test_foreach__takes_back_what_its_function_allocates),
        oracle_test(test_pieces__name_the_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
