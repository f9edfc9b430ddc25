/* SPDX-License-Identifier: Apache-2.0 */
/* Every operation that moves elements, on types drawn at random: of one byte and of more than a batch,
 * nested, pointing, unequal on all sides; against plain loops over the codes that the values carry.
 *
 *   SHAPES_SEED=17            that seed alone, and what it draws is printed
 *   SHAPES_SEED=1 SHAPES_RUNS=5000   many */
#include <unistd.h>

#include "seeds.h"
#include "shape_functions.h"

enum { MOST_BYTES = 4 << 20 }; /* of a result */

typedef struct types {
    const spark_type *k, *v, *w, *a, *r; /* keys, values, other values, accumulators, results */
} types;

typedef struct world {
    uint64_t seed, state;
    const char *operation;
    types t;
    spark_context *sc;
    size_t n, m; /* pairs (K, V), pairs (K, W) */
    int partitions, target;
    uint64_t *keys, *values, *other_keys, *other_values;
    spark_rdd *pairs, *others, *plain; /* plain: the values alone */
} world;

/* ---- bags: multisets of numbers that stand for rows */

typedef struct bag {
    uint64_t *at;
    size_t n, room;
} bag;

static bag want, have;

static void add(bag *b, uint64_t x)
{
    if (b->n == b->room) {
        b->room = b->room * 2 + 64;
        b->at = realloc(b->at, b->room * sizeof *b->at);
        assert_non_null(b->at);
    }
    b->at[b->n++] = x;
}

static int by_number(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static uint64_t two(uint64_t a, uint64_t b)
{
    return a * SHAPE_CODES + b;
}

static uint64_t mix(uint64_t h, uint64_t x)
{
    uint64_t state = h * 31 + x;
    return oracle_random(&state);
}

static void describe(const world *w, const char *what)
{
    const spark_type *const all[] = { w->t.k, w->t.v, w->t.w, w->t.a, w->t.r };
    print_message("seed %llu, %s: %s; %zu and %zu rows in %d partitions into %d\n",
        (unsigned long long)w->seed, w->operation, what, w->n, w->m, w->partitions, w->target);
    for (size_t i = 0; i < LENGTH(all); i++) {
        char text[200];
        shape_print(all[i], text, sizeof text);
        print_message("    %c: %u bytes, %.190s\n", "KVWAR"[i], all[i]->size, text);
    }
}

static void wrong(const world *w, const char *what)
{
    describe(w, what);
    fail_msg("SHAPES_SEED=%llu", (unsigned long long)w->seed);
}

static void good(const world *w, spark_status status)
{
    if (status != SPARK_OK)
        wrong(w, spark_last_error()->message);
}

/* compare: have and want, which are then empty. ordered: as they are. */
static void compare(const world *w, bool ordered)
{
    if (atomic_load(&shape_misplaced) != 0)
        wrong(w, "values where their type may not stand");
    if (atomic_load(&shape_broken) != 0)
        wrong(w, "values that are not whole");
    if (!ordered && want.n)
        qsort(want.at, want.n, sizeof *want.at, by_number);
    if (!ordered && have.n)
        qsort(have.at, have.n, sizeof *have.at, by_number);
    if (want.n != have.n) {
        print_message("%zu rows, expected %zu\n", have.n, want.n);
        wrong(w, "other rows");
    }
    for (size_t i = 0; i < want.n; i++)
        if (want.at[i] != have.at[i]) {
            print_message("row %zu: %llx, expected %llx\n", i, (unsigned long long)have.at[i],
                (unsigned long long)want.at[i]);
            wrong(w, "other rows");
        }
    want.n = have.n = 0;
}

/* ---- reading results */

static const void *second(const spark_type *pair, const void *p)
{
    return (const char *)p + pair->fields[1].offset;
}

static uint64_t read_pair(
    const spark_type *type, const void *p, const spark_type *key, const spark_type *value)
{
    return two(shape_get(key, p), shape_get(value, second(type, p)));
}

typedef void read_rows(const world *w, const spark_array *rows, const void *arg);

static void read_values(const world *w, const spark_array *rows, const void *arg)
{
    const spark_type *of = arg;
    (void)w;
    for (size_t i = 0; i < rows->n; i++)
        add(&have, shape_get(of, (const char *)rows->items + i * of->size));
}

typedef struct pair_of {
    const spark_type *key, *value;
} pair_of;

static void read_pairs(const world *w, const spark_array *rows, const void *arg)
{
    const pair_of *of = arg;
    (void)w;
    for (size_t i = 0; i < rows->n; i++)
        add(&have, read_pair(rows->type, (const char *)rows->items + i * rows->type->size,
                       of->key, of->value));
}

static void collected(
    const world *w, spark_rdd *rdd, read_rows *read, const void *arg, bool ordered)
{
    spark_array rows;
    int64_t n = -1;
    good(w, spark_collect(rdd, NULL, &rows));
    read(w, &rows, arg);
    const size_t found = rows.n;
    spark_array_free(&rows);
    compare(w, ordered);
    good(w, spark_count(rdd, &n));
    if ((size_t)n != found)
        wrong(w, "another count");
}

static void collects_pairs(const world *w, spark_rdd *rdd, const spark_type *key,
    const spark_type *value, bool ordered)
{
    collected(w, rdd, read_pairs, &(pair_of) { key, value }, ordered);
}

static void collects(const world *w, spark_rdd *rdd, const spark_type *of, bool ordered)
{
    collected(w, rdd, read_values, of, ordered);
}

/* one_value: of an action that gives one. */
static void one_value(
    const world *w, spark_status status, spark_array *result, const spark_type *of)
{
    good(w, status);
    if (result->n != 1)
        wrong(w, "not one value");
    add(&have, shape_get(of, result->items));
    spark_array_free(result);
    compare(w, true);
}

/* ---- loops over the pairs by key */

/* first_of: whether row i is the first of its key. */
static bool is_first(const uint64_t *keys, size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (keys[j] == keys[i])
            return false;
    return true;
}
static bool is_among(const uint64_t *codes, size_t n, uint64_t code)
{
    for (size_t i = 0; i < n; i++)
        if (codes[i] == code)
            return true;
    return false;
}

/* ---- narrow operations */

static void op_map(world *w)
{
    const spark_map_def f = map_of(w->t.v, w->t.r);
    for (size_t i = 0; i < w->n; i++)
        add(&want, mapped(w->values[i], w->t.r));
    collects(w, spark_map(w->plain, &f, BIND(.in = w->t.v, .out = w->t.r)), w->t.r, true);
}
static void op_filter(world *w)
{
    const spark_filter_def f = { "kept", known(w->t.v), 0, filter_run };
    for (size_t i = 0; i < w->n; i++)
        if (kept(w->values[i]))
            add(&want, w->values[i]);
    collects(w, spark_filter(w->plain, &f, BIND(.in = w->t.v)), w->t.v, true);
}
static void op_flat_map(world *w)
{
    const spark_flat_map_def f = { "copied", known(w->t.v), w->t.r, 0, flat_map_run };
    for (size_t i = 0; i < w->n; i++)
        for (uint64_t j = 0; j < w->values[i] % 4; j++)
            add(&want, mapped(w->values[i] + j, w->t.r));
    collects(w, spark_flat_map(w->plain, &f, BIND(.in = w->t.v, .out = w->t.r)), w->t.r, true);
}
static void op_map_values(world *w)
{
    const spark_map_def f = map_of(w->t.v, w->t.r);
    for (size_t i = 0; i < w->n; i++)
        add(&want, two(w->keys[i], mapped(w->values[i], w->t.r)));
    collects_pairs(
        w, spark_map_values(w->pairs, &f, BIND(.in = w->t.v, .out = w->t.r)), w->t.k, w->t.r, true);
}
static void op_flat_map_values(world *w)
{
    const spark_flat_map_def f = { "copied", known(w->t.v), w->t.r, 0, flat_map_run };
    for (size_t i = 0; i < w->n; i++)
        for (uint64_t j = 0; j < w->values[i] % 4; j++)
            add(&want, two(w->keys[i], mapped(w->values[i] + j, w->t.r)));
    collects_pairs(
        w, spark_flat_map_values(w->pairs, &f, BIND(.in = w->t.v, .out = w->t.r)), w->t.k, w->t.r, true);
}
static void op_key_by(world *w)
{
    const spark_map_def f = map_of(w->t.v, w->t.r);
    for (size_t i = 0; i < w->n; i++)
        add(&want, two(mapped(w->values[i], w->t.r), w->values[i]));
    collects_pairs(w, spark_key_by(w->plain, &f, BIND(.in = w->t.v, .out = w->t.r)), w->t.r, w->t.v, true);
}
static void op_keys(world *w)
{
    for (size_t i = 0; i < w->n; i++)
        add(&want, w->keys[i]);
    collects(w, spark_keys(w->pairs), w->t.k, true);
}
static void op_values(world *w)
{
    for (size_t i = 0; i < w->n; i++)
        add(&want, w->values[i]);
    collects(w, spark_values(w->pairs), w->t.v, true);
}
static void want_sums(const world *w, bool total)
{
    for (int p = 0; p < w->partitions; p++) {
        uint64_t sum = 0;
        for (size_t i = slice(w->n, w->partitions, p); i < slice(w->n, w->partitions, p + 1); i++)
            add(&want, sum = added(sum, w->values[i], w->t.r));
        if (total)
            add(&want, sum);
    }
}
static void op_map_partitions(world *w)
{
    const spark_partitions_def f = { "sums", known(w->t.v), w->t.r, 0, sum_partition };
    want_sums(w, false);
    collects(w, spark_map_partitions(w->plain, &f, BIND(.in = w->t.v, .out = w->t.r)), w->t.r, true);
}
static void op_map_stateful(world *w)
{
    const spark_stateful_def f
        = { "sums", known(w->t.v), w->t.r, 0, sizeof(uint64_t), NULL, each_run, close_run };
    want_sums(w, true);
    collects(w, spark_map_stateful(w->plain, &f, BIND(.in = w->t.v, .out = w->t.r)), w->t.r, true);
}
/* read_lists: each list as one number, which depends on the order. */
static uint64_t read_list(const spark_type *of, const void *p)
{
    spark_str list;
    uint64_t h = 1;
    memcpy(&list, p, sizeof list);
    for (size_t i = 0; i < list.len; i++)
        h = mix(h, shape_get(of, list.ptr + i * of->size));
    return h;
}
static void read_lists(const world *w, const spark_array *rows, const void *arg)
{
    const spark_type *of = arg;
    (void)w;
    for (size_t i = 0; i < rows->n; i++)
        add(&have, read_list(of, (const char *)rows->items + i * rows->type->size));
}
static void op_glom(world *w)
{
    for (int p = 0; p < w->partitions; p++) {
        uint64_t h = 1;
        for (size_t i = slice(w->n, w->partitions, p); i < slice(w->n, w->partitions, p + 1); i++)
            h = mix(h, w->values[i]);
        add(&want, h);
    }
    collected(w, spark_glom(w->plain), read_lists, w->t.v, true);
}
static void read_zipped(const world *w, const spark_array *rows, const void *arg)
{
    const spark_type *pair = arg;
    for (size_t i = 0; i < rows->n; i++) {
        const char *p = (const char *)rows->items + i * rows->type->size;
        add(&have, mix(read_pair(pair, p, w->t.k, w->t.v),
                       shape_get(w->t.r, second(rows->type, p))));
    }
}
static void op_zip(world *w)
{
    const spark_map_def f = map_of(w->t.v, w->t.r);
    spark_rdd *other = spark_map(w->plain, &f, BIND(.in = w->t.v, .out = w->t.r));
    for (size_t i = 0; i < w->n; i++)
        add(&want, mix(two(w->keys[i], w->values[i]), mapped(w->values[i], w->t.r)));
    collected(w, spark_zip(w->pairs, other), read_zipped, spark_rdd_type(w->pairs), true);
}
static void op_zip_partitions(world *w)
{
    const spark_zip_def f = { "zipped", 2, { w->t.v, w->t.k }, w->t.r, 0, zip_run };
    const binding b = { .in = w->t.v, .out = w->t.r, .right = w->t.k };
    for (size_t i = 0; i < w->n; i++)
        add(&want, joined(0, w->values[i] + 1, w->keys[i] + 1, w->t.r));
    collects(w, spark_zip_partitions(w->plain, spark_keys(w->pairs), &f, SPARK_COPY(b)), w->t.r,
        true);
}
static void read_indexed(const world *w, const spark_array *rows, const void *arg)
{
    (void)arg;
    for (size_t i = 0; i < rows->n; i++) {
        const char *p = (const char *)rows->items + i * rows->type->size;
        int64_t index;
        memcpy(&index, second(rows->type, p), sizeof index);
        add(&have, mix(shape_get(w->t.v, p), (uint64_t)index));
    }
}
static void op_zip_with_index(world *w)
{
    for (size_t i = 0; i < w->n; i++)
        add(&want, mix(w->values[i], i));
    collected(w, spark_zip_with_index(w->plain), read_indexed, NULL, true);
}
static void op_zip_with_unique_id(world *w)
{
    const int n = w->partitions;
    for (int p = 0; p < n; p++)
        for (size_t from = slice(w->n, n, p), i = from; i < slice(w->n, n, p + 1); i++)
            add(&want, mix(w->values[i], (i - from) * (size_t)n + (size_t)p));
    collected(w, spark_zip_with_unique_id(w->plain), read_indexed, NULL, true);
}
static void op_cartesian(world *w)
{
    int ends[] = { 0, w->partitions - 1 };
    const size_t n = w->partitions > 1 ? 2 : 1;
    for (size_t p = 0; p < n; p++) {
        const size_t end = slice(w->n, w->partitions, ends[p] + 1);
        for (size_t i = slice(w->n, w->partitions, ends[p]); i < end; i++)
            for (size_t j = 0; j < w->m; j++)
                add(&want, two(w->values[i], w->other_values[j]));
    }
    if (want.n * (w->t.v->size + w->t.w->size) > MOST_BYTES) {
        want.n = 0;
        return;
    }
    collects_pairs(w,
        spark_cartesian(spark_prune_partitions(w->plain, n, ends), spark_values(w->others)),
        w->t.v, w->t.w, false);
}
static void op_union(world *w)
{
    for (size_t i = 0; i < 2 * w->n; i++)
        add(&want, w->values[i % w->n]);
    collects(w, spark_union(w->plain, spark_values(w->pairs)), w->t.v, true);
}
static void op_coalesce(world *w)
{
    for (size_t i = 0; i < w->n; i++)
        add(&want, w->values[i]);
    collects(w, spark_coalesce(w->plain, 1 + w->target / 2), w->t.v, true);
}
static void op_repartition(world *w)
{
    for (size_t i = 0; i < w->n; i++)
        add(&want, w->values[i]);
    collects(w, spark_repartition(w->plain, w->target), w->t.v, false);
}
static void op_sample(world *w)
{
    for (size_t i = 0; i < w->n; i++)
        add(&want, w->values[i]);
    collects(w, spark_sample(w->plain, false, 1, 7), w->t.v, true);
}
static void op_take_sample(world *w)
{
    spark_array rows;
    for (size_t i = 0; i < w->n; i++)
        add(&want, w->values[i]);
    good(w, spark_take_sample(w->plain, false, w->n + 5, 7, NULL, &rows));
    read_values(w, &rows, w->t.v);
    spark_array_free(&rows);
    compare(w, false);
}
static void op_cache(world *w)
{
    spark_rdd *cached = spark_cache(spark_union(w->plain, w->plain));
    for (int again = 0; again < 2; again++) {
        for (size_t i = 0; i < 2 * w->n; i++)
            add(&want, w->values[i % w->n]);
        collects(w, cached, w->t.v, true);
    }
}
static void op_local_checkpoint(world *w)
{
    spark_rdd *kept_rdd = spark_local_checkpoint(spark_union(w->pairs, w->pairs));
    for (int again = 0; again < 2; again++) {
        for (size_t i = 0; i < 2 * w->n; i++)
            add(&want, two(w->keys[i % w->n], w->values[i % w->n]));
        collects_pairs(w, kept_rdd, w->t.k, w->t.v, true);
    }
}

/* ---- sorting */

static void is_sorted(const world *w, spark_rdd *rdd, const spark_type *by, int direction)
{
    spark_array rows;
    good(w, spark_collect(rdd, NULL, &rows));
    for (size_t i = 1; i < rows.n; i++) {
        const char *p = (const char *)rows.items + i * rows.type->size;
        if (spark_compare(by, p - rows.type->size, p) * direction > 0) {
            spark_array_free(&rows);
            wrong(w, "not sorted");
        }
    }
    spark_array_free(&rows);
}
static void op_sort_by(world *w)
{
    const bool down = w->seed % 2;
    spark_rdd *rdd = spark_sort_by(w->plain, down ? spark_order_desc : NULL, w->target);
    for (size_t i = 0; i < w->n; i++)
        add(&want, w->values[i]);
    collects(w, rdd, w->t.v, false);
    is_sorted(w, rdd, w->t.v, down ? -1 : 1);
}
static void op_sort_by_key(world *w)
{
    const bool down = w->seed % 3 == 0;
    spark_rdd *rdd = spark_sort_by_key(w->pairs, down ? spark_order_desc : NULL, w->target);
    for (size_t i = 0; i < w->n; i++)
        add(&want, two(w->keys[i], w->values[i]));
    collects_pairs(w, rdd, w->t.k, w->t.v, false);
    is_sorted(w, rdd, w->t.k, down ? -1 : 1);
}
static void op_filter_by_range(world *w)
{
    const void *low = shape_value(w->t.k, w->keys[0]), *high = shape_value(w->t.k, w->keys[1]);
    for (size_t i = 0; i < w->n; i++) {
        const void *key = shape_value(w->t.k, w->keys[i]);
        if (spark_compare(w->t.k, low, key) <= 0 && spark_compare(w->t.k, key, high) <= 0)
            add(&want, two(w->keys[i], w->values[i]));
    }
    spark_rdd *rdd = w->seed % 2 ? spark_sort_by_key(w->pairs, NULL, w->target) : w->pairs;
    collects_pairs(
        w, spark_filter_by_range(rdd, w->t.k, low, w->t.k, high), w->t.k, w->t.v, false);
}

/* ---- wide operations */

static void op_reduce_by_key(world *w)
{
    const spark_merge_def f = combine_of(w->t.v);
    for (size_t i = 0; i < w->n; i++) {
        uint64_t sum = 0;
        for (size_t j = i; j < w->n && is_first(w->keys, i); j++)
            sum = w->keys[j] == w->keys[i] ? combined(sum, w->values[j], w->t.v) : sum;
        if (is_first(w->keys, i))
            add(&want, two(w->keys[i], sum));
    }
    collects_pairs(w, spark_reduce_by_key(w->pairs, &f, BIND(.in = w->t.v, .out = w->t.v), w->target), w->t.k,
        w->t.v, false);
}
static void op_extremes(world *w)
{
    const bool greatest = w->seed % 2;
    for (size_t i = 0; i < w->n; i++) {
        uint64_t best = w->values[i];
        if (!is_first(w->keys, i))
            continue;
        for (size_t j = i; j < w->n; j++) {
            if (w->keys[j] != w->keys[i] || w->values[j] == best)
                continue;
            const int order = spark_compare(
                w->t.v, shape_value(w->t.v, w->values[j]), shape_value(w->t.v, best));
            if (greatest ? order > 0 : order < 0)
                best = w->values[j];
        }
        add(&want, two(w->keys[i], best));
    }
    collects_pairs(w,
        spark_reduce_by_key(w->pairs, greatest ? spark_op_max : spark_op_min, NULL, w->target),
        w->t.k, w->t.v, false);
}
static void want_added(const world *w)
{
    for (size_t i = 0; i < w->n; i++) {
        uint64_t sum = 0;
        if (!is_first(w->keys, i))
            continue;
        for (size_t j = i; j < w->n; j++)
            if (w->keys[j] == w->keys[i])
                sum = added(sum, w->values[j], w->t.a);
        add(&want, two(w->keys[i], sum));
    }
}
static void op_aggregate_by_key(world *w)
{
    const spark_merge_def f = add_of(w->t.a, w->t.v), g = combine_of(w->t.a);
    want_added(w);
    collects_pairs(w,
        spark_aggregate_by_key(w->pairs, w->t.a, shape_value(w->t.a, 0), &f, &g,
            BIND(.in = w->t.v, .out = w->t.a), w->target),
        w->t.k, w->t.a, false);
}
static void op_combine_by_key(world *w)
{
    const spark_map_def create = { "created", known(w->t.v), w->t.a, 0, create_run, NULL };
    const spark_merge_def f = add_of(w->t.a, w->t.v), g = combine_of(w->t.a);
    want_added(w);
    collects_pairs(w,
        spark_combine_by_key(w->pairs, &create, &f, &g, BIND(.in = w->t.v, .out = w->t.a), w->target), w->t.k,
        w->t.a, false);
}
static void op_fold_by_key(world *w)
{
    const spark_merge_def f = combine_of(w->t.v);
    for (size_t i = 0; i < w->n; i++) {
        uint64_t sum = 0;
        if (!is_first(w->keys, i))
            continue;
        for (size_t j = i; j < w->n; j++)
            sum = w->keys[j] == w->keys[i] ? combined(sum, w->values[j], w->t.v) : sum;
        add(&want, two(w->keys[i], sum));
    }
    collects_pairs(w,
        spark_fold_by_key(w->pairs, w->t.v, shape_value(w->t.v, 0), &f, BIND(.in = w->t.v, .out = w->t.v),
            w->target),
        w->t.k, w->t.v, false);
}
static void op_reduce_by_key_dense(world *w)
{
    static const spark_type *const kinds[] = { SPARK_TYPE(uint8_t), SPARK_TYPE(int16_t),
        SPARK_TYPE(int32_t), SPARK_TYPE(uint64_t) };
    static const uint64_t most[] = { 200, 20000, 70000, 70000 }; /* 70000: not combined at once */
    const size_t which = w->seed % LENGTH(kinds);
    const spark_type *key = kinds[which];
    const spark_map_def f = map_of(w->t.v, key);
    const spark_merge_def g = combine_of(w->t.v);
    uint64_t *keys = shape_room(w->n * sizeof *keys);
    for (size_t i = 0; i < w->n; i++)
        keys[i] = mapped(w->values[i], key) % most[which];
    for (size_t i = 0; i < w->n; i++) {
        uint64_t sum = 0;
        for (size_t j = 0; j < w->n; j++)
            sum = keys[j] == keys[i] ? combined(sum, w->values[j], w->t.v) : sum;
        if (is_first(keys, i))
            add(&want, two(keys[i], sum));
    }
    spark_rdd *rdd
        = spark_key_by(w->plain, &f, BIND(.in = w->t.v, .out = key, .most = most[which]));
    collects_pairs(w,
        spark_reduce_by_key_dense(rdd, &g, BIND(.in = w->t.v, .out = w->t.v),
            spark_dense_partitioner(w->sc, most[which], w->target)),
        key, w->t.v, false);
}
static uint64_t list_of(
    const uint64_t *keys, const uint64_t *values, size_t n, uint64_t key)
{
    uint64_t h = 1;
    for (size_t j = 0; j < n; j++)
        if (keys[j] == key)
            h = mix(h, values[j]);
    return h;
}
static void read_groups(const world *w, const spark_array *rows, const void *arg)
{
    const pair_of *of = arg;
    (void)w;
    for (size_t i = 0; i < rows->n; i++) {
        const char *p = (const char *)rows->items + i * rows->type->size;
        add(&have, mix(shape_get(of->key, p), read_list(of->value, second(rows->type, p))));
    }
}
static void op_group_by_key(world *w)
{
    for (size_t i = 0; i < w->n; i++)
        if (is_first(w->keys, i))
            add(&want, mix(w->keys[i], list_of(w->keys, w->values, w->n, w->keys[i])));
    collected(w, spark_group_by_key(w->pairs, w->target), read_groups,
        &(pair_of) { w->t.k, w->t.v }, false);
}
static void op_group_by(world *w)
{
    const spark_map_def f = map_of(w->t.v, w->t.r);
    uint64_t *keys = shape_room(w->n * sizeof *keys);
    for (size_t i = 0; i < w->n; i++)
        keys[i] = mapped(w->values[i], w->t.r);
    for (size_t i = 0; i < w->n; i++)
        if (is_first(keys, i))
            add(&want, mix(keys[i], list_of(keys, w->values, w->n, keys[i])));
    collected(w, spark_group_by(w->plain, &f, BIND(.in = w->t.v, .out = w->t.r), w->target), read_groups,
        &(pair_of) { w->t.r, w->t.v }, false);
}
static void op_group_map_by_key(world *w)
{
    const spark_group_def f = { "grouped", known(w->t.k), known(w->t.v), w->t.r, 0, group_run };
    for (size_t i = 0; i < w->n; i++) {
        uint64_t sum = w->keys[i];
        if (!is_first(w->keys, i))
            continue;
        for (size_t j = i; j < w->n; j++)
            if (w->keys[j] == w->keys[i])
                sum = in_order(sum, w->values[j], w->t.r);
        add(&want, sum % shape_codes(w->t.r));
    }
    collects(w,
        spark_group_map_by_key(w->pairs, &f, BIND(.in = w->t.v, .out = w->t.r, .key = w->t.k), w->target), w->t.r,
        false);
}
static void read_cogroups(const world *w, const spark_array *rows, const void *arg)
{
    (void)arg;
    for (size_t i = 0; i < rows->n; i++) {
        const char *p = (const char *)rows->items + i * rows->type->size;
        const spark_type *lists = rows->type->fields[1].type;
        const char *at = second(rows->type, p);
        add(&have, mix(mix(shape_get(w->t.k, p), read_list(w->t.v, at + lists->fields[0].offset)),
                       read_list(w->t.w, at + lists->fields[1].offset)));
    }
}
static void op_cogroup(world *w)
{
    spark_rdd *const both[] = { w->pairs, w->others };
    for (size_t i = 0; i < w->n + w->m; i++) {
        const bool left = i < w->n;
        const uint64_t key = left ? w->keys[i] : w->other_keys[i - w->n];
        if (left ? !is_first(w->keys, i)
                 : is_among(w->keys, w->n, key) || !is_first(w->other_keys, i - w->n))
            continue;
        add(&want, mix(mix(key, list_of(w->keys, w->values, w->n, key)),
                       list_of(w->other_keys, w->other_values, w->m, key)));
    }
    collected(w, spark_cogroup(2, both, w->target), read_cogroups, NULL, false);
}

/* side: of a join: the code + 1; 0: absent, where it is optional. */
static uint64_t side(const spark_type *of, bool optional, const char *p)
{
    if (optional && !*p)
        return 0;
    return shape_get(of, optional ? p + of->align : p) + 1;
}
static void read_joined(const world *w, const spark_array *rows, const void *arg)
{
    const spark_join_kind kind = *(const spark_join_kind *)arg;
    const bool left = kind == SPARK_RIGHT_OUTER || kind == SPARK_FULL_OUTER;
    const bool right = kind == SPARK_LEFT_OUTER || kind == SPARK_FULL_OUTER;
    for (size_t i = 0; i < rows->n; i++) {
        const char *p = (const char *)rows->items + i * rows->type->size;
        const spark_type *sides = rows->type->fields[1].type;
        const char *at = second(rows->type, p);
        const uint64_t l = side(w->t.v, left, at);
        add(&have, mix(mix(shape_get(w->t.k, p), l),
                       side(w->t.w, right, at + sides->fields[1].offset)));
    }
}
static bool too_many_matches(const world *w)
{
    size_t n = 0;
    for (size_t i = 0; i < w->n; i++)
        for (size_t j = 0; j < w->m; j++)
            n += w->keys[i] == w->other_keys[j];
    return n * (w->t.v->size + w->t.w->size + w->t.k->size) > MOST_BYTES;
}
typedef uint64_t join_code(const world *w, uint64_t key, uint64_t left, uint64_t right);
static uint64_t joined_row(const world *w, uint64_t key, uint64_t left, uint64_t right)
{
    (void)w;
    return mix(mix(key, left), right);
}
static uint64_t joined_value(const world *w, uint64_t key, uint64_t left, uint64_t right)
{
    return joined(key, left, right, w->t.r);
}
static void want_joined(const world *w, spark_join_kind kind, join_code *code)
{
    for (size_t i = 0; i < w->n; i++) {
        bool any = false;
        for (size_t j = 0; j < w->m; j++)
            if (w->keys[i] == w->other_keys[j]) {
                add(&want, code(w, w->keys[i], w->values[i] + 1, w->other_values[j] + 1));
                any = true;
            }
        if (!any && (kind == SPARK_LEFT_OUTER || kind == SPARK_FULL_OUTER))
            add(&want, code(w, w->keys[i], w->values[i] + 1, 0));
    }
    for (size_t j = 0; j < w->m; j++)
        if (!is_among(w->keys, w->n, w->other_keys[j])
            && (kind == SPARK_RIGHT_OUTER || kind == SPARK_FULL_OUTER))
            add(&want, code(w, w->other_keys[j], 0, w->other_values[j] + 1));
}
static void op_join(world *w)
{
    const spark_join_kind kind = (spark_join_kind)(w->seed % 4);
    if (too_many_matches(w))
        return;
    want_joined(w, kind, joined_row);
    const spark_keyed_options options = { w->target, NULL };
    collected(w, spark_join_with(w->pairs, w->others, kind, &options), read_joined,
        &kind, false);
}
static void op_join_map(world *w)
{
    const spark_join_kind kind = (spark_join_kind)(w->seed / 4 % 4);
    const spark_join_def f = { "joined", known(w->t.k), known(w->t.v), known(w->t.w), w->t.r, 0, join_run };
    if (too_many_matches(w))
        return;
    want_joined(w, kind, joined_value);
    collects(w,
        spark_join_map(w->pairs, w->others, kind, &f, BIND(.in = w->t.v, .out = w->t.r, .key = w->t.k, .right = w->t.w),
            w->target),
        w->t.r, false);
}
static void op_distinct(world *w)
{
    for (size_t i = 0; i < w->n; i++)
        if (is_first(w->values, i))
            add(&want, w->values[i]);
    collects(w, spark_distinct(w->plain, w->target), w->t.v, false);
}
static void op_intersection(world *w)
{
    for (size_t i = 0; i < w->n; i++)
        if (is_first(w->keys, i) && is_among(w->other_keys, w->m, w->keys[i]))
            add(&want, w->keys[i]);
    collects(w, spark_intersection(spark_keys(w->pairs), spark_keys(w->others), w->target),
        w->t.k, false);
}
static void op_subtract(world *w)
{
    for (size_t i = 0; i < w->n; i++)
        if (!is_among(w->other_keys, w->m, w->keys[i]))
            add(&want, w->keys[i]);
    collects(w, spark_subtract(spark_keys(w->pairs), spark_keys(w->others), w->target), w->t.k,
        false);
}
static void op_subtract_by_key(world *w)
{
    for (size_t i = 0; i < w->n; i++)
        if (!is_among(w->other_keys, w->m, w->keys[i]))
            add(&want, two(w->keys[i], w->values[i]));
    collects_pairs(
        w, spark_subtract_by_key(w->pairs, w->others, w->target), w->t.k, w->t.v, false);
}
static void op_partition_by(world *w)
{
    const spark_partitioner_def f = { "placed", w->t.k, 0, place_run };
    const spark_partitioner *p = w->seed % 3 == 0
        ? spark_hash_partitioner(w->sc, w->target)
        : w->seed % 3 == 1 ? spark_range_partitioner(w->pairs, NULL, w->target)
                           : spark_partitioner_new(w->sc, w->target, &f, BIND(.key = w->t.k));
    for (size_t i = 0; i < w->n; i++)
        add(&want, two(w->keys[i], w->values[i]));
    collects_pairs(w, spark_partition_by(w->pairs, p), w->t.k, w->t.v, false);
}
static void op_repartition_and_sort(world *w)
{
    const spark_partitioner *p = spark_hash_partitioner(w->sc, w->target);
    for (size_t i = 0; i < w->n; i++)
        add(&want, two(w->keys[i], w->values[i]));
    collects_pairs(w, spark_repartition_and_sort_within_partitions(w->pairs, p, NULL), w->t.k,
        w->t.v, false);
}

/* ---- actions */

static void read_counts(const spark_array *rows, const spark_type *of)
{
    for (size_t i = 0; i < rows->n; i++) {
        const char *p = (const char *)rows->items + i * rows->type->size;
        int64_t n;
        memcpy(&n, second(rows->type, p), sizeof n);
        add(&have, two(shape_get(of, p), (uint64_t)n));
    }
}
static void want_counts(const uint64_t *codes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t count = 0;
        for (size_t j = 0; j < n; j++)
            count += codes[j] == codes[i];
        if (is_first(codes, i))
            add(&want, two(codes[i], count));
    }
}
static void op_count_by_key(world *w)
{
    spark_array rows;
    want_counts(w->keys, w->n);
    good(w, spark_count_by_key(w->pairs, NULL, &rows));
    read_counts(&rows, w->t.k);
    spark_array_free(&rows);
    compare(w, false);
}
static void op_count_by_value(world *w)
{
    spark_array rows;
    want_counts(w->values, w->n);
    good(w, spark_count_by_value(w->plain, NULL, &rows));
    read_counts(&rows, w->t.v);
    spark_array_free(&rows);
    compare(w, false);
}
static void read_bounded(const spark_array *rows, const spark_type *of)
{
    for (size_t i = 0; i < rows->n; i++) {
        const char *p = (const char *)rows->items + i * rows->type->size;
        spark_bounded count;
        memcpy(&count, second(rows->type, p), sizeof count);
        add(&have, two(shape_get(of, p), (uint64_t)count.mean));
    }
}
static void op_counts_approx(world *w)
{
    spark_array rows;
    want_counts(w->keys, w->n);
    good(w, spark_count_by_key_approx(w->pairs, 1000000, 0.9, &rows));
    read_bounded(&rows, w->t.k);
    spark_array_free(&rows);
    compare(w, false);
    want_counts(w->values, w->n);
    good(w, spark_count_by_value_approx(w->plain, 1000000, 0.9, &rows));
    read_bounded(&rows, w->t.v);
    spark_array_free(&rows);
    compare(w, false);
}
static void op_lookup(world *w)
{
    spark_array rows;
    const uint64_t key = w->keys[w->n / 2];
    spark_rdd *rdd = w->seed % 2
        ? spark_partition_by(w->pairs, spark_hash_partitioner(w->sc, w->target))
        : w->pairs;
    for (size_t i = 0; i < w->n; i++)
        if (w->keys[i] == key)
            add(&want, w->values[i]);
    good(w, spark_lookup(rdd, w->t.k, shape_value(w->t.k, key), NULL, &rows));
    read_values(w, &rows, w->t.v);
    spark_array_free(&rows);
    compare(w, true);
}
static void find_all(const world *w, const spark_index *index, const spark_type *type)
{
    for (size_t i = 0; i < w->n; i++) {
        const void *value = spark_find_(index, type, shape_value(w->t.k, w->keys[i]));
        if (!value)
            wrong(w, "a key is not found");
        add(&have, read_pair(type, value, w->t.k, w->t.v));
    }
}
static void op_collect_as_map(world *w)
{
    spark_array rows;
    for (int again = 0; again < 2; again++)
        for (size_t i = 0; i < w->n; i++) {
            uint64_t last = 0;
            for (size_t j = 0; j < w->n; j++)
                last = w->keys[j] == w->keys[i] ? w->values[j] : last;
            add(&want, two(w->keys[i], last));
        }
    good(w, spark_collect_as_map(w->pairs, NULL, &rows));
    const spark_index *index = spark_array_index(&rows);
    find_all(w, index, rows.type);
    find_all(w, spark_broadcast_value(spark_broadcast_index(w->sc, index)), rows.type);
    spark_array_free(&rows);
    compare(w, true);
}
static void op_reduce_by_key_locally(world *w)
{
    const spark_merge_def f = combine_of(w->t.v);
    spark_array rows;
    for (size_t i = 0; i < w->n; i++) {
        uint64_t sum = 0;
        for (size_t j = 0; j < w->n; j++)
            sum = w->keys[j] == w->keys[i] ? combined(sum, w->values[j], w->t.v) : sum;
        if (is_first(w->keys, i))
            add(&want, two(w->keys[i], sum));
    }
    good(w, spark_reduce_by_key_locally(w->pairs, &f, BIND(.in = w->t.v, .out = w->t.v), NULL, &rows));
    read_pairs(w, &rows, &(pair_of) { w->t.k, w->t.v });
    spark_array_free(&rows);
    compare(w, false);
}
static void op_take(world *w)
{
    const size_t n = 1 + w->n / 3;
    spark_array rows;
    for (size_t i = 0; i < n; i++)
        add(&want, w->values[i]);
    good(w, spark_take(w->plain, n, NULL, &rows));
    read_values(w, &rows, w->t.v);
    spark_array_free(&rows);
    compare(w, true);
}
static void op_first(world *w)
{
    spark_array rows;
    add(&want, w->values[0]);
    one_value(w, spark_first(w->plain, NULL, &rows), &rows, w->t.v);
}

/* order_codes: the values in the natural order of their type. */
static const spark_type *order_type;
static int by_value(const void *a, const void *b)
{
    return spark_compare(order_type, *(const void *const *)a, *(const void *const *)b);
}
static void op_take_ordered(world *w)
{
    const bool down = w->seed % 2;
    const size_t n = 1 + w->n / 4;
    const void **all = shape_room(w->n * sizeof *all);
    spark_array rows;
    order_type = w->t.v;
    for (size_t i = 0; i < w->n; i++)
        all[i] = shape_value(w->t.v, w->values[i]);
    qsort(all, w->n, sizeof *all, by_value);
    for (size_t i = 0; i < n; i++)
        add(&want, shape_get(w->t.v, all[down ? w->n - 1 - i : i]));
    good(w, down ? spark_top(w->plain, n, NULL, NULL, &rows)
                 : spark_take_ordered(w->plain, n, NULL, NULL, &rows));
    read_values(w, &rows, w->t.v);
    spark_array_free(&rows);
    compare(w, true);
    add(&want, shape_get(w->t.v, all[0]));
    one_value(w, spark_min(w->plain, NULL, NULL, &rows), &rows, w->t.v);
    add(&want, shape_get(w->t.v, all[w->n - 1]));
    one_value(w, spark_max(w->plain, NULL, NULL, &rows), &rows, w->t.v);
}
static void op_local_iterator(world *w)
{
    spark_local_iterator *it = spark_to_local_iterator(w->plain, NULL);
    for (size_t i = 0; i < w->n; i++)
        add(&want, w->values[i]);
    for (const void *p; (p = spark_local_next_(it));)
        add(&have, shape_get(w->t.v, p));
    good(w, spark_local_iterator_status(it));
    compare(w, true);
}
static uint64_t total(const world *w)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < w->n; i++)
        sum = combined(sum, w->values[i], w->t.v);
    return sum;
}
static void op_reduce(world *w)
{
    const spark_merge_def f = combine_of(w->t.v);
    const spark_env *env = BIND(.in = w->t.v, .out = w->t.v);
    spark_array rows;
    add(&want, total(w));
    one_value(w, spark_reduce(w->plain, &f, env, NULL, &rows), &rows, w->t.v);
    add(&want, total(w));
    one_value(w, spark_tree_reduce(w->plain, &f, env, 2, NULL, &rows), &rows, w->t.v);
    add(&want, total(w));
    one_value(
        w, spark_fold(w->plain, w->t.v, shape_value(w->t.v, 0), &f, env, &rows), &rows, w->t.v);
}
static void op_aggregate(world *w)
{
    const spark_merge_def f = add_of(w->t.a, w->t.v), g = combine_of(w->t.a);
    const spark_env *env = BIND(.in = w->t.v, .out = w->t.a);
    const void *zero = shape_value(w->t.a, 0);
    uint64_t sum = 0;
    spark_array rows;
    for (size_t i = 0; i < w->n; i++)
        sum = added(sum, w->values[i], w->t.a);
    add(&want, sum);
    one_value(w, spark_aggregate(w->plain, w->t.a, zero, &f, &g, env, &rows), &rows, w->t.a);
    add(&want, sum);
    one_value(
        w, spark_tree_aggregate(w->plain, w->t.a, zero, &f, &g, env, 3, &rows), &rows, w->t.a);
}

/* Accumulators of a type, filled by foreach. */
typedef struct gathering {
    const spark_type *in;
    const spark_accumulator *all, *sum;
} gathering;
static void gather_run(spark_task *task, size_t n, const void *in, size_t step, const void *env)
{
    const gathering *g = env;
    for (size_t i = 0; i < n; i++) {
        const void *value = (const char *)in + i * step;
        shape_get(g->in, value);
        spark_accumulate_value(task, g->all, g->in, value);
        spark_accumulate_value(task, g->sum, g->in, value);
    }
}
/* The merges of an accumulator have no env. */
static binding accumulated;
static void gathered_run(
    spark_task *task, size_t n, void *const *acc, const void *in, size_t step, const void *env)
{
    (void)env;
    add_run(task, n, acc, in, step, &accumulated);
}
static void gathered_fold(
    spark_task *task, size_t n, void *acc, const void *in, size_t step, const void *env)
{
    (void)env;
    add_fold(task, n, acc, in, step, &accumulated);
}
static void merged_run(
    spark_task *task, size_t n, void *const *acc, const void *in, size_t step, const void *env)
{
    (void)env;
    combine_run(task, n, acc, in, step, &accumulated);
}
static void merged_fold(
    spark_task *task, size_t n, void *acc, const void *in, size_t step, const void *env)
{
    (void)env;
    combine_fold(task, n, acc, in, step, &accumulated);
}
static void op_accumulators(world *w)
{
    const spark_merge_def f
        = { "added", w->t.a, w->t.v, 0, gathered_run, gathered_fold, SPARK_OP_USER };
    const spark_merge_def g
        = { "merged", w->t.a, w->t.a, 0, merged_run, merged_fold, SPARK_OP_USER };
    const spark_foreach_def each = { "gathered", w->t.v, 0, gather_run };
    spark_array rows;
    uint64_t sum = 0;
    accumulated = (binding) { .in = w->t.v, .out = w->t.a };
    const gathering both = { w->t.v, spark_collection(w->sc, w->t.v, "all"),
        spark_accumulator_new(w->sc, w->t.a, shape_value(w->t.a, 0), &f, &g, "sum") };
    good(w, spark_foreach(w->plain, &each, SPARK_COPY(both)));
    for (size_t i = 0; i < w->n; i++) {
        add(&want, w->values[i]);
        sum = added(sum, w->values[i], w->t.a);
    }
    good(w, spark_accumulator_get(both.all, NULL, &rows));
    read_values(w, &rows, w->t.v);
    spark_array_free(&rows);
    compare(w, true);
    add(&want, sum);
    one_value(w, spark_accumulator_get(both.sum, NULL, &rows), &rows, w->t.a);
}
static void op_broadcast(world *w)
{
    spark_broadcast *b
        = spark_broadcast_new(w->sc, w->t.a, shape_value(w->t.a, 7 % shape_codes(w->t.a)));
    add(&want, 7 % shape_codes(w->t.a));
    add(&have, shape_get(w->t.a, spark_broadcast_value(b)));
    compare(w, true);
}

/* Approximate counts of so few values are close to exact with 2^14 registers. */
static bool close_to(int64_t found, int64_t exact)
{
    return found >= exact - exact / 20 - 1 && found <= exact + exact / 20 + 1;
}
static void op_count_approx_distinct(world *w)
{
    int64_t exact = 0, found = 0;
    spark_array rows;
    for (size_t i = 0; i < w->n; i++)
        exact += is_first(w->values, i);
    good(w, spark_count_approx_distinct_with(w->plain, 14, 0, &found));
    if (!close_to(found, exact))
        wrong(w, "another number of values");
    if (w->n > 1000) { /* the loop is cubic */
        compare(w, true);
        return;
    }
    const spark_keyed_options options = { w->target, NULL };
    good(w, spark_collect(spark_count_approx_distinct_by_key_with(w->pairs, 10, 0, &options),
                NULL, &rows));
    for (size_t i = 0; i < rows.n; i++) {
        const char *p = (const char *)rows.items + i * rows.type->size;
        const uint64_t key = shape_get(w->t.k, p);
        int64_t by_key = 0;
        memcpy(&found, second(rows.type, p), sizeof found);
        for (size_t j = 0; j < w->n; j++) {
            bool again = w->keys[j] != key;
            for (size_t k = 0; k < j && !again; k++)
                again = w->keys[k] == key && w->values[k] == w->values[j];
            by_key += !again;
        }
        if (found < by_key - by_key / 5 - 2 || found > by_key + by_key / 5 + 2) {
            spark_array_free(&rows);
            wrong(w, "another number of values of a key");
        }
    }
    spark_array_free(&rows);
    compare(w, true);
}

static const struct {
    const char *name;
    void (*run)(world *w);
} operations[] = {
#define OP(name)                                                                                   \
    {                                                                                              \
        #name, op_##name                                                                           \
    }
    OP(map), OP(filter), OP(flat_map), OP(map_values), OP(flat_map_values), OP(key_by), OP(keys),
    OP(values), OP(map_partitions), OP(map_stateful), OP(glom), OP(zip), OP(zip_partitions),
    OP(zip_with_index), OP(zip_with_unique_id), OP(cartesian), OP(union), OP(coalesce),
    OP(repartition), OP(sample), OP(take_sample), OP(cache), OP(local_checkpoint), OP(sort_by),
    OP(sort_by_key), OP(filter_by_range), OP(reduce_by_key), OP(extremes), OP(aggregate_by_key),
    OP(combine_by_key), OP(fold_by_key), OP(reduce_by_key_dense), OP(group_by_key), OP(group_by),
    OP(group_map_by_key), OP(cogroup), OP(join), OP(join_map), OP(distinct), OP(intersection),
    OP(subtract), OP(subtract_by_key), OP(partition_by), OP(repartition_and_sort),
    OP(count_by_key), OP(count_by_value), OP(counts_approx), OP(lookup), OP(collect_as_map),
    OP(reduce_by_key_locally), OP(take), OP(first), OP(take_ordered), OP(local_iterator),
    OP(reduce), OP(aggregate), OP(accumulators), OP(broadcast), OP(count_approx_distinct),
};

/* ---- what is drawn */

static uint64_t *draw_codes(world *w, size_t n, uint64_t most)
{
    uint64_t *codes = shape_room((n + 1) * sizeof *codes);
    const bool skewed = oracle_below(&w->state, 3) == 0;
    for (size_t i = 0; i < n; i++)
        codes[i] = skewed && oracle_below(&w->state, 4) ? 1 % most : oracle_below(&w->state, most);
    return codes;
}

static uint64_t few(world *w, const spark_type *type)
{
    static const uint64_t most[] = { 2, 7, 60, 1000, SHAPE_CODES };
    const uint64_t codes = shape_codes(type), draw = most[oracle_below(&w->state, LENGTH(most))];
    return codes < draw ? codes : draw;
}

static void draw(world *w, uint64_t seed)
{
    *w = (world) { .seed = seed, .state = seed * 7919 };
    const spark_type **const all[] = { &w->t.k, &w->t.v, &w->t.w, &w->t.a, &w->t.r };
    uint64_t bytes = 0;
    for (size_t i = 0; i < LENGTH(all); i++) {
        *all[i] = shape_draw(&w->state, 0);
        bytes += (*all[i])->size;
    }
    /* Few rows, more than a small batch, more than a batch; now and then more than a window holds. */
    static const uint64_t counts[] = { 400, 400, 400, 2500 };
    const uint64_t n = oracle_below(&w->state, 3) ? 2 + oracle_below(&w->state, 60)
                                                  : counts[oracle_below(&w->state, 4)];
    const uint64_t room = (UINT64_C(1) << (seed % 8 ? 21 : 23)) / bytes + 2;
    w->n = (size_t)(n < room ? n : room);
    w->m = (size_t)oracle_below(&w->state, w->n + 1);
    untyped = oracle_below(&w->state, 3) == 0;
    w->partitions = 1 + (int)oracle_below(&w->state, w->n < 20 ? 9 : 6); /* some are empty */
    w->target = 1 + (int)oracle_below(&w->state, 7);
    const uint64_t keys = few(w, w->t.k);
    w->keys = draw_codes(w, w->n, keys);
    w->other_keys = draw_codes(w, w->m, keys);
    w->values = draw_codes(w, w->n, few(w, w->t.v));
    w->other_values = draw_codes(w, w->m, few(w, w->t.w));
}

static spark_rdd *pairs_of(world *w, const spark_type *value, size_t n, const uint64_t *keys,
    const uint64_t *values, int partitions)
{
    const spark_type *type = spark_type_pair(w->sc, w->t.k, value);
    assert_non_null(type);
    char *rows = shape_room((n + 1) * type->size + 64);
    rows += -(uintptr_t)rows & 63;
    for (size_t i = 0; i < n; i++) {
        shape_put(NULL, w->t.k, keys[i], rows + i * type->size);
        shape_put(NULL, value, values[i], rows + i * type->size + type->fields[1].offset);
    }
    return spark_parallelize(w->sc, type, n, rows, partitions);
}

static spark_rdd *values_of(world *w)
{
    char *rows = shape_room((w->n + 1) * w->t.v->size + 64);
    rows += -(uintptr_t)rows & 63;
    for (size_t i = 0; i < w->n; i++)
        shape_put(NULL, w->t.v, w->values[i], rows + i * w->t.v->size);
    return spark_parallelize(w->sc, w->t.v, w->n, rows, w->partitions);
}

static spark_conf configuration(world *w, spark_fault *fault, bool plain)
{
    static const int batches[] = { 1, 2, 7, 1024 };
    *fault = (spark_fault) { SPARK_FAULT_RANDOM, SPARK_ANYWHERE, .rate = 0.1, .seed = w->seed };
    if (plain)
        return (spark_conf) { .threads = 1, .batch_rows = batches[w->seed % 4] };
    return (spark_conf) { .threads = 1 + (int)oracle_below(&w->state, 3),
        .batch_rows = batches[oracle_below(&w->state, 4)],
        .faults = fault,
        .n_faults = oracle_below(&w->state, 2),
        .stage_max_attempts = 1000,
        .check = oracle_below(&w->state, 6) == 0,
        .memory_bytes = oracle_below(&w->state, 4) ? 0 : UINT64_C(128) << 20 };
}

static void run_all(world *w, bool plain)
{
    spark_fault fault;
    const spark_conf conf = configuration(w, &fault, plain);
    w->sc = oracle_open_conf(&conf);
    w->pairs = pairs_of(w, w->t.v, w->n, w->keys, w->values, w->partitions);
    w->others = pairs_of(
        w, w->t.w, w->m, w->other_keys, w->other_values, 1 + w->partitions % 3);
    w->plain = values_of(w);
    for (size_t i = 0; i < LENGTH(operations); i++) {
        SPARK_SCOPED(w->sc);
        w->operation = operations[i].name;
        operations[i].run(w);
    }
    oracle_close(w->sc);
}

static seeds chosen;

static void test_shapes__every_operation_takes_every_type(void **state)
{
    (void)state;
    for (uint64_t seed = chosen.first; seed < chosen.first + chosen.n; seed++) {
        world w;
        alarm(120);
        draw(&w, seed);
        w.operation = "drawn";
        if (chosen.verbose)
            describe(&w, "this is run");
        run_all(&w, true);
        run_all(&w, false);
        shape_free_all();
    }
    alarm(0);
}

static int leave(void **state)
{
    shape_free_all();
    free(want.at);
    free(have.at);
    want = have = (bag) { NULL, 0, 0 };
    return oracle_teardown(state);
}

int main(void)
{
    chosen = seeds_of("SHAPES", 80, 25);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            test_shapes__every_operation_takes_every_type, oracle_setup, leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
