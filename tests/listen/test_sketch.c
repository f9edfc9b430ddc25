/* SPDX-License-Identifier: Apache-2.0 */
/* Frequent keys: the bounds that a sketch promises hold against counts that are exact, of streams of many shapes, added
 * one by one, merged, in whatever order; few keys are counted exactly. */
#include <stdlib.h>
#include <string.h>

#include "listen/sketch.h"
#include "support/oracle.h"

enum { KEYS = 5000 };

typedef struct stream {
    int64_t counts[KEYS], rows; /* what the truth is */
} stream;

static const spk_layout *layout_of(spk_types *types, const spark_type *type)
{
    spk_failure failure;
    const spk_layout *layout = spk_layout_of(types, type, &failure);
    assert_non_null(layout);
    return layout;
}

static uint64_t hash_of(const spk_layout *layout, const int64_t *key, int collide)
{
    return collide ? (uint64_t)(*key % collide) : spk_value_hash(layout, key);
}

static void add(spk_sketch *s, stream *truth, int64_t key, int collide)
{
    truth->counts[key]++;
    truth->rows++;
    spk_sketch_add(s, &key, hash_of(s->layout, &key, collide), 1, (int)(key % 7));
}

/* draw: a key: shape 0: even; 1: few are frequent; 2: one is half of them; 3: one after the other. */
static int64_t draw(uint64_t *random, int shape, int64_t i)
{
    const int64_t even = (int64_t)oracle_below(random, KEYS);
    if (shape == 1)
        return even * (int64_t)oracle_below(random, KEYS) / KEYS * (int64_t)oracle_below(random, KEYS) / KEYS;
    return shape == 2 ? (oracle_below(random, 2) ? 17 : even) : shape == 3 ? i * KEYS / 20000 % KEYS : even;
}

/* holds: what the sketch promises; loose: of keys that collide more is missed than by chance. */
static void holds(const spk_sketch *s, const stream *truth, bool loose)
{
    bool told[KEYS] = { false };
    assert_int_equal(s->rows, truth->rows);
    assert_true(s->n <= 2 * s->most);
    if (!loose)
        assert_true(s->error <= truth->rows / (s->most + 1));
    for (uint32_t i = 0; i < s->n; i++) {
        const int64_t key = *(const int64_t *)(const void *)s->at[i].key;
        assert_in_range(key, 0, KEYS - 1);
        assert_false(told[key]);
        told[key] = true;
        assert_true(s->at[i].rows > 0 && s->at[i].rows <= truth->counts[key]);
        assert_true(truth->counts[key] <= s->at[i].rows + s->error);
        assert_int_equal(s->at[i].partition, key % 7);
    }
    for (int key = 0; key < KEYS; key++)
        assert_true(told[key] || truth->counts[key] <= s->error);
}

static void keeps_its_promise(void **state)
{
    (void)state;
    spk_types *types = spk_types_new();
    const spk_layout *layout = layout_of(types, SPARK_TYPE(int64_t));
    static const uint32_t sizes[] = { 1, 2, 7, 64, 1000 };
    for (size_t k = 0; k < LENGTH(sizes); k++)
        for (int shape = 0; shape < 4; shape++)
            for (int collide = 0; collide < 400; collide += 199) {
                stream *truth = calloc(1, sizeof *truth);
                uint64_t random = k * 100 + (uint64_t)shape;
                spk_sketch *s = spk_sketch_new(layout, sizes[k]);
                assert_true(truth && s);
                for (int64_t i = 0; i < 20000; i++)
                    add(s, truth, draw(&random, shape, i), collide);
                holds(s, truth, collide != 0);
                spk_sketch_sort(s);
                for (uint32_t i = 1; i < s->n; i++)
                    assert_true(s->at[i - 1].rows >= s->at[i].rows);
                spk_sketch_free(s);
                free(truth);
            }
    spk_types_free(types);
}

static void merged_it_keeps_it_too(void **state)
{
    (void)state;
    enum { PARTS = 16 };
    spk_types *types = spk_types_new();
    const spk_layout *layout = layout_of(types, SPARK_TYPE(int64_t));
    for (int shape = 0; shape < 4; shape++) {
        spk_sketch *parts[PARTS];
        stream *truth = calloc(1, sizeof *truth);
        uint64_t random = (uint64_t)shape;
        assert_non_null(truth);
        for (int p = 0; p < PARTS; p++) {
            parts[p] = spk_sketch_new(layout, 50);
            for (int64_t i = 0; i < (p % 3) * 1500; i++)
                add(parts[p], truth, draw(&random, shape, i), 0);
        }
        for (int step = 1; step < PARTS; step *= 2)
            for (int p = 0; p < PARTS; p += 2 * step)
                spk_sketch_merge(parts[p], parts[p + step]);
        holds(parts[0], truth, false);
        for (int p = 0; p < PARTS; p++)
            spk_sketch_free(parts[p]);
        free(truth);
    }
    spk_types_free(types);
}

static void few_keys_are_exact(void **state)
{
    (void)state;
    spk_types *types = spk_types_new();
    spk_sketch *s = spk_sketch_new(layout_of(types, SPARK_TYPE(spark_str)), 30);
    char text[2048];
    memset(text, 'x', sizeof text);
    for (int i = 0; i < 6000; i++) {
        const spark_str key = { text, (size_t)(i % 60) };
        spk_sketch_add(s, &key, spk_value_hash(s->layout, &key), 1, 0);
    }
    assert_int_equal(s->error, 0);
    assert_int_equal(s->n, 60);
    for (uint32_t i = 0; i < s->n; i++)
        assert_int_equal(s->at[i].rows, 100);
    const spark_str longer = { text, sizeof text }; /* is not kept, but for its number */
    for (int i = 0; i < 5; i++)
        spk_sketch_add(s, &longer, spk_value_hash(s->layout, &longer), 1, 0);
    assert_int_equal(s->error, 5);
    assert_int_equal(s->rows, 6005);
    spk_sketch_free(s);
    spk_sketch_free(NULL);
    spk_types_free(types);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_its_promise),
        cmocka_unit_test(merged_it_keeps_it_too),
        cmocka_unit_test(few_keys_are_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
