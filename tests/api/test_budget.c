/* SPDX-License-Identifier: Apache-2.0 */
/* Shards that are larger than what is worked on at once: they are split, by bytes that depend on data
 * alone, so every budget gives the bytes that are there without one; and what is in them is what a
 * shuffle gives whose shards are all small. */
#include "oracle.h"

#include <stdlib.h>

enum { MIB = 1024 * 1024, PLACES = 256, TEXT = 24, PAD = 40 };

typedef struct shape {
    int64_t rows, keys;
    int maps;
    bool hot; /* every second row has one key */
} shape;

SPARK_PAIR(wide, int64_t, int64_t);
SPARK_PAIR(text_row, spark_str, int64_t);
SPARK_STRUCT(padded, (int64_t, key), (char, pad, 4 * PAD), (int64_t, value));

static uint64_t mix(uint64_t x)
{
    x ^= x >> 31;
    x *= UINT64_C(0x9e3779b97f4a7c15);
    x ^= x >> 29;
    x *= UINT64_C(0xbf58476d1ce4e5b9);
    return x ^ x >> 32;
}

static int64_t key_of(int64_t i, const shape *s)
{
    return s->hot && i % 2 ? 1 : (int64_t)(mix((uint64_t)i) % (uint64_t)s->keys);
}

SPARK_MAP(to_wide, int64_t, wide, shape)
{
    *out = (wide) { key_of(*in, env), *in };
}
SPARK_MAP(to_text, int64_t, text_row, shape)
{
    char *text = spark_alloc(task, TEXT + PAD);
    if (!text)
        return;
    const int n = snprintf(text, TEXT + PAD, "%020lld-%0*d", (long long)key_of(*in, env), PAD, 7);
    *out = (text_row) { { text, (size_t)n }, *in };
}
SPARK_MAP(to_padded, int64_t, padded, shape)
{
    memset(out, 0, sizeof *out);
    out->key = key_of(*in, env);
    memset(out->pad, (int)(out->key % 26), sizeof out->pad);
    out->value = *in % 7;
}
SPARK_PARTITIONER(all_in_third, int64_t)
{
    (void)key;
    return partitions > 3 ? 3 : 0;
}
SPARK_PARTITIONER(texts_in_third, spark_str)
{
    (void)key;
    return partitions > 3 ? 3 : 0;
}

SPARK_MAP(digest_wide, wide, int64_t)
{
    *out = (int64_t)mix((uint64_t)in->key * 31 + (uint64_t)in->value);
}
SPARK_MAP(digest_text, text_row, int64_t)
{
    uint64_t h = (uint64_t)in->value;
    for (size_t i = 0; i < in->key.len; i++)
        h = h * 31 + (unsigned char)in->key.ptr[i];
    *out = (int64_t)mix(h);
}
SPARK_MAP(digest_padded, padded, int64_t)
{
    *out = (int64_t)mix((uint64_t)in->key * 31 + (uint64_t)in->value * 7 + (uint64_t)in->pad[3]);
}
SPARK_JOIN(both, int64_t, int64_t, int64_t, int64_t)
{
    spark_emit(out,
        (int64_t)mix((uint64_t)((left ? *left : -1) * 3 + (right ? *right : -2) * 5 + *key)));
}
SPARK_JOIN(both_texts, spark_str, int64_t, int64_t, int64_t)
{
    spark_emit(out,
        (int64_t)mix((uint64_t)((left ? *left : -1) * 3 + (right ? *right : -2) * 5)
            + (unsigned char)key->ptr[19]));
}
SPARK_GROUP(weigh, int64_t, int64_t, int64_t)
{
    uint64_t sum = 0, i = 1;
    for (const int64_t *v; (v = spark_next(in)) != NULL;)
        sum += (uint64_t)*v * i++;
    spark_emit(out, (int64_t)(sum ^ (uint64_t)*key));
}
SPARK_LIST(numbers, int64_t);
SPARK_PAIR(grouped, int64_t, numbers);
SPARK_STRUCT(two_lists, (numbers, left), (numbers, right));
SPARK_PAIR(two_row, int64_t, two_lists);

static uint64_t weight(const numbers *list)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < list->n; i++)
        sum += (uint64_t)list->at[i] * (i + 1);
    return sum;
}

SPARK_MAP(digest_grouped, grouped, int64_t)
{
    *out = (int64_t)mix(weight(&in->value) ^ (uint64_t)in->key);
}
SPARK_MAP(digest_two, two_row, int64_t)
{
    *out = (int64_t)mix(weight(&in->value.left) + 3 * weight(&in->value.right) + (uint64_t)in->key);
}
SPARK_MERGE(add_users, int64_t, int64_t)
{
    *acc = (int64_t)mix((uint64_t)*acc * 3 + (uint64_t)*in);
}
SPARK_MERGE(in_order, int64_t, int64_t)
{
    *acc = (int64_t)mix((uint64_t)*acc * 3 + (uint64_t)*in);
}

/* made: rows, of keys in one partition of PLACES, whose only shard holds all, or spread. */
typedef struct made {
    spark_context *sc;
    const shape *s;
    spark_keyed_options keys, texts;
} made;

static spark_rdd *range_of(const made *m, int64_t from)
{
    return spark_range(m->sc, from, from + m->s->rows, 1, m->s->maps);
}

static spark_rdd *wide_rows(const made *m, int64_t from)
{
    return spark_map(range_of(m, from), to_wide, SPARK_COPY(*m->s));
}

static spark_rdd *text_rows(const made *m, int64_t from)
{
    return spark_map(range_of(m, from), to_text, SPARK_COPY(*m->s));
}

/* The work, by number. */
enum { WORKS = 13, ORDERED = 10 }; /* from ORDERED on: placed by an order */
static spark_rdd *work(const made *m, int which)
{
    spark_rdd *rows = wide_rows(m, 0), *texts = text_rows(m, 0);
    const spark_keyed_options *k = &m->keys, *t = &m->texts;
    const bool few = m->s->hot || m->s->keys < m->s->rows / 8; /* and too many matches */
    spark_rdd *sides[] = { rows, wide_rows(m, m->s->rows / 2) };
    switch (which) {
    case 0:
        return spark_map(spark_reduce_by_key_with(rows, spark_op_max, NULL, k), digest_wide, NULL);
    case 1:
        return spark_map(spark_reduce_by_key_with(texts, spark_op_sum, NULL, t), digest_text, NULL);
    case 2:
        return spark_map(spark_reduce_by_key_with(rows, add_users, NULL, k), digest_wide, NULL);
    case 3:
        return spark_map(spark_group_by_key_with(rows, k), digest_grouped, NULL);
    case 4:
        return spark_map(
            spark_as(spark_cogroup_with(2, sides, k), SPARK_TYPE(two_row)), digest_two, NULL);
    case 5:
        return spark_group_map_by_key_with(rows, weigh, NULL, k);
    case 6:
        return few ? NULL : spark_join_map_with(rows, sides[1], SPARK_FULL_OUTER, both, NULL, k);
    case 7:
        return few ? NULL
                   : spark_join_map_with(texts, text_rows(m, m->s->rows - 5000),
                             SPARK_LEFT_OUTER, both_texts, NULL, t);
    case 8:
        return spark_map(spark_subtract_by_key_with(rows, spark_filter_by_range(sides[1],
                             SPARK_VALUE(int64_t, &(int64_t) { 0 }),
                             SPARK_VALUE(int64_t, &(int64_t) { m->s->keys / 2 })), k),
            digest_wide, NULL);
    case 9:
        return spark_map(spark_partition_by(texts, t->partitioner), digest_text, NULL);
    case 10:
        return spark_map(spark_sort_by(rows, NULL, 1), digest_wide, NULL);
    case 11:
        return spark_map(spark_sort_by(texts, NULL, 1), digest_text, NULL);
    default:
        return spark_map(
            spark_sort_by(spark_map(range_of(m, 0), to_padded, SPARK_COPY(*m->s)), NULL, 1),
            digest_padded, NULL);
    }
}

typedef struct seen {
    int64_t order, sum; /* digests: of content and order; of content */
    int64_t n, spilled;
    uint64_t peak;
    bool refused; /* for want of memory */
} seen;

static int64_t one(spark_rdd *rdd, const spark_merge_def *f, bool *refused)
{
    const int64_t zero = 0;
    spark_array array;
    const spark_status status = spark_fold(rdd, SPARK_VALUE(int64_t, &zero), f, NULL, &array);
    *refused = status == SPARK_ENOMEM;
    if (*refused)
        return 0;
    if (status != SPARK_OK)
        fail_msg("%s", spark_last_error()->message);
    const int64_t value = *SPARK_ITEMS(int64_t, &array);
    spark_array_free(&array);
    return value;
}

/* look: false: this work is none for the shape. */
static bool look(const spark_conf *conf, const shape *s, int which, bool together, seen *got)
{
    spark_job_stats stats;
    spark_context *sc = oracle_open_conf(conf);
    spark_partitioner *spread = spark_hash_partitioner(sc, PLACES);
    const made m = { sc, s,
        { 0, together ? spark_partitioner_new(sc, PLACES, all_in_third, NULL) : spread },
        { 0, together ? spark_partitioner_new(sc, PLACES, texts_in_third, NULL) : spread } };
    spark_rdd *rdd = work(&m, which);
    *got = (seen) { .n = 0 };
    if (rdd) {
        got->order = one(rdd, in_order, &got->refused);
        spark_job_stats_get(sc, SPARK_ANY, &stats);
        got->spilled = stats.spilled_bytes;
        if (!got->refused && conf->memory_bytes == 0)
            got->sum = one(rdd, spark_op_sum, &got->refused);
        spark_memory_bytes(sc, &got->peak);
    }
    oracle_close(sc);
    return rdd != NULL;
}

static const shape shapes[] = { { 300000, 1000000, 4, false }, { 300000, 40, 3, false },
    { 100000, 60000, 500, false }, { 200000, 100000, 5, true } };

static void compare(const shape *s, int which)
{
    static const int budgets[] = { 16, 24, 40, 64 }; /* MiB */
    const spark_conf ample = { .threads = 2 };
    seen want, spread;
    if (!look(&ample, s, which, true, &want))
        return;
    assert_false(want.refused);
    if (which < ORDERED) {
        look(&ample, s, which, false, &spread);
        assert_int_equal(spread.sum, want.sum);
    }
    for (size_t i = (size_t)which % 2; i < LENGTH(budgets); i += 2) {
        const spark_conf tight = { .threads = 1 + (int)i / 3,
            .memory_bytes = (uint64_t)budgets[i] * MIB,
            .batch_rows = i == 1 ? 7 : 0 };
        seen got;
        look(&tight, s, which, true, &got);
        assert_true(got.peak <= tight.memory_bytes);
        if (got.refused && budgets[i] < 32)
            continue;
        if (got.refused)
            fail_msg("work %d of shape %d is refused under %d MiB", which, (int)(s - shapes),
                budgets[i]);
        assert_int_equal(got.order, want.order);
    }
}

static void test_budget__changes_no_bit_where_shards_are_large(void **state)
{
    enum { EACH = TESTS_WATCH_THREADS ? 4 : 1 }; /* then each work with one of the shapes */
    (void)state;
    for (int s = 0; s < (int)LENGTH(shapes); s++)
        for (int which = s % EACH; which < WORKS; which += EACH)
            compare(&shapes[s], which);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_budget__changes_no_bit_where_shards_are_large),
    };
    return cmocka_run_group_tests(tests, oracle_setup, oracle_teardown);
}
