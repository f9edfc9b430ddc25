/* SPDX-License-Identifier: Apache-2.0 */
/* spk_sort_rows against a stable merge sort with comparisons written by hand. */
#include "support/fixture.h"
#include "type/random_value.h"

#include "shuffle/ranges.h"

/* Rows whose last member tells equal ones apart: it takes no part in the order. */
SPARK_STRUCT(i64_row, (int64_t, key), (uint32_t, number));
SPARK_STRUCT(u64_row, (uint64_t, key), (uint32_t, number));
SPARK_STRUCT(i32_row, (int32_t, key), (uint32_t, number));
SPARK_STRUCT(u16_row, (uint16_t, key), (uint32_t, number));
SPARK_STRUCT(double_row, (double, key), (uint32_t, number));
SPARK_STRUCT(float_row, (float, key), (uint32_t, number));
SPARK_STRUCT(chars_row, (char, key, 5), (uint32_t, number));
SPARK_STRUCT(bool_row, (bool, key), (uint32_t, number));
SPARK_STRUCT(signs_row, (int8_t, key, 3), (uint32_t, number));
SPARK_STRUCT(twins, (int8_t, a), (int8_t, b));
SPARK_STRUCT(twins_row, (twins, key), (uint32_t, number));
SPARK_STRUCT(str_row, (spark_str, key), (uint32_t, number));
SPARK_STRUCT(opt_row, (spark_opt_i64, key), (uint32_t, number));
SPARK_STRUCT(list_row, (spark_i64_list, key), (uint32_t, number));
SPARK_STRUCT(modulo_row, (modulo, key), (uint32_t, number));
SPARK_STRUCT(pair_row, (word_count, key), (uint32_t, number));
SPARK_STRUCT(holes_row, (holes, key), (uint32_t, number));
SPARK_STRUCT(wide_row, (int64_t, key), (char, text, 200), (uint32_t, number));

#define ORDERS(T)                                                                                  \
    SPARK_ORDER(up_##T, T, (asc, key));                                                            \
    SPARK_ORDER(down_##T, T, (desc, key))
ORDERS(i64_row);
ORDERS(u64_row);
ORDERS(i32_row);
ORDERS(u16_row);
ORDERS(double_row);
ORDERS(float_row);
ORDERS(chars_row);
ORDERS(bool_row);
ORDERS(signs_row);
ORDERS(twins_row);
ORDERS(str_row);
ORDERS(opt_row);
ORDERS(list_row);
ORDERS(modulo_row);
ORDERS(pair_row);
ORDERS(holes_row);
ORDERS(wide_row);

typedef struct kind {
    const spark_type *type;
    const spark_order *up, *down;
} kind;
#define KIND(T)                                                                                    \
    {                                                                                              \
        SPARK_TYPE(T), up_##T, down_##T                                                            \
    }
static const kind kinds[] = { KIND(i64_row), KIND(u64_row), KIND(i32_row), KIND(u16_row),
    KIND(double_row), KIND(float_row), KIND(chars_row), KIND(bool_row), KIND(signs_row),
    KIND(twins_row), KIND(str_row), KIND(opt_row), KIND(list_row), KIND(modulo_row), KIND(pair_row),
    KIND(holes_row), KIND(wide_row) };
enum { N_KINDS = sizeof kinds / sizeof kinds[0] };

static spk_ordering order_of(fixture *f, const spark_type *type, const spark_order *order)
{
    spk_ordering ordering;
    spk_failure failure;
    const spk_layout *layout = layout_of(f->types, type);
    assert_int_equal(spk_ordering_make(&ordering, f->types, layout, order, &failure), SPARK_OK);
    return ordering;
}

/* ---- the naive sort */

typedef int naive_order(const void *a, const void *b);

static void naive_sort(char *rows, char *spare, size_t n, size_t size, naive_order *compare)
{
    if (n < 2)
        return;
    const size_t half = n / 2;
    naive_sort(rows, spare, half, size, compare);
    naive_sort(rows + half * size, spare, n - half, size, compare);
    memcpy(spare, rows, half * size);
    size_t i = 0, j = half;
    for (size_t to = 0; i < half; to++) {
        const bool right = j < n && compare(rows + j * size, spare + i * size) < 0;
        memcpy(rows + to * size, right ? rows + j * size : spare + i * size, size);
        if (right)
            j++;
        else
            i++;
    }
}

static const spark_type *by_type; /* of the row whose first member is compared */
static int by_sign;

static int by_first_member(const void *a, const void *b)
{
    const spark_field *f = &by_type->fields[0];
    int c = 0;
    for (size_t i = 0; c == 0 && i < (f->count ? f->count : 1); i++)
        c = naive_compare(f->type, (const char *)a + f->offset + i * f->type->size,
            (const char *)b + f->offset + i * f->type->size);
    return c * by_sign;
}

/* check: sorts a copy both ways; every byte of every row must be the same. */
static void check(
    fixture *f, const spk_ordering *o, const char *rows, size_t n, naive_order *compare)
{
    const size_t size = o->layout->size;
    char *want = malloc(n * size + 1), *have = malloc(n * size + 1), *spare = malloc(n * size + 1);
    assert_true(want && have && spare);
    memcpy(want, rows, n * size);
    memcpy(have, rows, n * size);
    naive_sort(want, spare, n, size, compare);
    assert_true(spk_sort_rows(&f->heap, o, have, n));
    if (memcmp(have, want, n * size) != 0)
        fail_msg("%zu rows of %s are not sorted stably", n, o->layout->type->name);
    assert_int_equal(f->heap.mapped, f->heap.cached);
    free(want);
    free(have);
    free(spare);
}

/* ---- every type, small */

static void fill(const kind *k, char *rows, size_t n, value_pool *pool)
{
    const size_t size = k->type->size;
    for (size_t i = 0; i < n; i++) {
        const uint32_t number = (uint32_t)i;
        random_row(k->type, rows + i * size, pool);
        memcpy(rows + i * size + k->type->fields[k->type->count - 1].offset, &number, 4);
    }
}

static void test_sort__of_every_type_and_size_is_stable(void **state)
{
    static _Alignas(16) char rows[200 * 256];
    for (size_t t = 0; t < N_KINDS; t++)
        for (size_t n = 0; n <= 200; n++) {
            value_pool pool = { .n = 0 };
            const bool down = n % 2;
            const spk_ordering o
                = order_of(*state, kinds[t].type, down ? kinds[t].down : kinds[t].up);
            fill(&kinds[t], rows, n, &pool);
            by_type = kinds[t].type;
            by_sign = down ? -1 : 1;
            check(*state, &o, rows, n, by_first_member);
            pool_free(&pool);
        }
}

/* ---- patterns */

enum { PATTERNS = 16, LARGE = 100000 };

/* pattern: the i-th of n keys. */
static uint64_t pattern(int p, uint64_t i, uint64_t n)
{
    switch (p) {
    case 0:
        return i;
    case 1:
        return n - i;
    case 2:
        return 7;
    case 3:
        return random_u64() % 5;
    case 4:
        return random_u64();
    case 5:
        return (UINT64_C(0x1234567) << 36) | random_u64() >> 50; /* high bits constant */
    case 6:
        return random_u64() << 44; /* low bits constant */
    case 7:
        return random_u64() << 63 | (random_u64() & 1); /* both ends */
    case 8:
        return i % 100;
    case 9:
        return i < n / 2 ? i : n - i;
    case 10:
        return random_u64() % 100 ? random_u64() >> 40 : random_u64(); /* most alike above */
    case 11:
        return random_u64() % 10 ? n - i : random_u64();
    case 12:
        return i ^ 1;
    case 13:
        return i + (i % 100 == 0 ? random_u64() % n : 0);
    case 14:
        return (random_u64() % 3) << 62 | (n - i);
    default:
        return UINT64_C(1) << random_u64() % 64;
    }
}

static void check_pattern(fixture *f, int p, size_t n, bool down)
{
    i64_row *rows = calloc(n + 1, sizeof *rows);
    int64_t *words = calloc(n + 1, sizeof *words);
    assert_true(rows && words);
    for (size_t i = 0; i < n; i++) {
        words[i] = (int64_t)pattern(p, i, n);
        rows[i].key = words[i];
        rows[i].number = (uint32_t)i;
    }
    spk_ordering o = order_of(f, SPARK_TYPE(i64_row), down ? down_i64_row : up_i64_row);
    by_sign = down ? -1 : 1;
    by_type = SPARK_TYPE(i64_row);
    check(f, &o, (const char *)rows, n, by_first_member);
    o = order_of(f, SPARK_TYPE(u64_row), down ? down_u64_row : up_u64_row);
    by_type = SPARK_TYPE(u64_row);
    check(f, &o, (const char *)rows, n, by_first_member);
    free(rows);
    const spark_field bare = { "key", SPARK_TYPE(int64_t), 0, 0 };
    const spark_type word = { .fields = &bare };
    by_type = &word;
    o = order_of(f, SPARK_TYPE(int64_t), down ? spark_order_desc : NULL);
    check(f, &o, (const char *)words, n, by_first_member);
    const spark_field bare_unsigned = { "key", SPARK_TYPE(uint64_t), 0, 0 };
    const spark_type word_unsigned = { .fields = &bare_unsigned };
    by_type = &word_unsigned;
    o = order_of(f, SPARK_TYPE(uint64_t), down ? spark_order_desc : NULL);
    check(f, &o, (const char *)words, n, by_first_member);
    free(words);
}

static void test_sort__of_any_pattern_is_stable(void **state)
{
    for (int p = 0; p < PATTERNS; p++)
        for (size_t n = 0; n <= 200; n++)
            check_pattern(*state, p, n, n % 3 == 0);
    for (int p = 0; p < PATTERNS; p++)
        for (size_t n = 1000; n <= 5000; n += 1333)
            check_pattern(*state, p, n, n % 2);
}

static void test_sort__of_many_rows_of_any_pattern_is_stable(void **state)
{
    for (int p = 0; p < PATTERNS; p++)
        check_pattern(*state, p, LARGE, p % 2);
}

/* ---- strings */

static const char *const heads[]
    = { "", "https://example.org/", "aaaaaaaa", "aaaaaaaaaaaaaaaaaaaaaaaaaaa" };

static void check_strings(fixture *f, size_t n, const char *head, uint64_t different, bool down)
{
    str_row *rows = calloc(n, sizeof *rows);
    char *texts = malloc(n * 64);
    assert_true(rows && texts);
    for (size_t i = 0; i < n; i++) {
        char *text = texts + i * 64;
        const uint64_t number = random_u64() % different;
        const int length = snprintf(text, 64, "%s%u", head, (unsigned)number);
        const size_t cut = random_below(8) ? 0 : random_below((size_t)length + 1);
        rows[i].key = (spark_str) { text, (size_t)length - cut };
        if (rows[i].key.len == 0 && random_below(2))
            rows[i].key.ptr = NULL;
        rows[i].number = (uint32_t)i;
    }
    const spk_ordering o = order_of(f, SPARK_TYPE(str_row), down ? down_str_row : up_str_row);
    by_type = SPARK_TYPE(str_row);
    by_sign = down ? -1 : 1;
    check(f, &o, (const char *)rows, n, by_first_member);
    free(rows);
    free(texts);
}

static void test_sort__of_strings_with_common_heads_is_stable(void **state)
{
    for (size_t h = 0; h < sizeof heads / sizeof heads[0]; h++) {
        for (size_t n = 2; n < 150; n += 7)
            check_strings(*state, n, heads[h], 1 + random_below(n), n % 2);
        check_strings(*state, LARGE / 4, heads[h], 10, false);
        check_strings(*state, LARGE / 4, heads[h], 1000000, true);
    }
}

/* ---- several members */

SPARK_STRUCT(order_row, (int32_t, year), (spark_str, city), (double, cost), (uint32_t, number));
SPARK_ORDER(by_year_city_cost, order_row, (desc, year), (asc, city), (desc, cost));
SPARK_ORDER(by_cost_year_city, order_row, (asc, cost), (asc, year), (desc, city));

static int year_city_cost(const void *va, const void *vb)
{
    const order_row *a = va, *b = vb;
    int c = (b->year > a->year) - (b->year < a->year);
    c = c ? c : naive_compare(SPARK_TYPE(spark_str), &a->city, &b->city);
    return c ? c : naive_compare(SPARK_TYPE(double), &b->cost, &a->cost);
}

static int cost_year_city(const void *va, const void *vb)
{
    const order_row *a = va, *b = vb;
    int c = naive_compare(SPARK_TYPE(double), &a->cost, &b->cost);
    c = c ? c : (a->year > b->year) - (a->year < b->year);
    return c ? c : naive_compare(SPARK_TYPE(spark_str), &b->city, &a->city);
}

static void test_sort__by_several_members_is_stable(void **state)
{
    static order_row rows[20000];
    static const char *const cities[]
        = { "", "Oslo", "Rome", "Santiago de Chile", "Santiago de Compostela", "Rom" };
    for (size_t n = 0; n <= 20000; n = n < 200 ? n + 1 : n * 10) {
        for (size_t i = 0; i < n; i++) {
            const char *city = cities[random_below(6)];
            rows[i] = (order_row) { (int32_t)random_below(5) - 2, { city, strlen(city) },
                random_double(), (uint32_t)i };
        }
        const spk_ordering a = order_of(*state, SPARK_TYPE(order_row), by_year_city_cost);
        const spk_ordering b = order_of(*state, SPARK_TYPE(order_row), by_cost_year_city);
        check(*state, &a, (const char *)rows, n, year_city_cost);
        check(*state, &b, (const char *)rows, n, cost_year_city);
    }
}

static int naturally(const void *a, const void *b)
{
    return naive_compare(by_type, a, b) * by_sign;
}

static void test_sort__in_natural_order_takes_every_type(void **state)
{
    fixture *f = *state;
    static _Alignas(16) char rows[120 * MAX_SIZE], sorted[120 * MAX_SIZE];
    for (size_t t = 0; t < N_TYPES; t++)
        for (size_t n = 0; n <= 120; n += 15) {
            value_pool pool = { .n = 0 };
            const size_t size = all_types[t]->size;
            for (size_t i = 0; i < n; i++)
                random_row(all_types[t], rows + i * size, &pool);
            const spk_ordering o = order_of(f, all_types[t], n % 2 ? spark_order_desc : NULL);
            by_type = all_types[t];
            by_sign = n % 2 ? -1 : 1;
            memcpy(sorted, rows, n * size);
            assert_true(spk_sort_rows(&f->heap, &o, sorted, n));
            for (size_t i = 1; i < n; i++)
                assert_true(naturally(sorted + (i - 1) * size, sorted + i * size) <= 0);
            check(f, &o, rows, n, naturally);
            pool_free(&pool);
        }
}

static void test_sort__without_memory_leaves_the_rows(void **state)
{
    fixture *f = *state;
    static i64_row rows[5000], kept[5000];
    int refused = 0;
    for (size_t i = 0; i < 5000; i++)
        rows[i] = (i64_row) { (int64_t)random_u64(), (uint32_t)i };
    memcpy(kept, rows, sizeof rows);
    const spk_ordering o = order_of(f, SPARK_TYPE(i64_row), up_i64_row);
    for (f->heap.limit = 1000; !spk_sort_rows(&f->heap, &o, (char *)rows, 5000); refused++) {
        assert_memory_equal(rows, kept, sizeof rows);
        f->heap.limit += 10000;
    }
    assert_true(refused > 3);
    for (size_t i = 1; i < 5000; i++)
        assert_true(rows[i - 1].key <= rows[i].key);
    int64_t words[5000];
    for (size_t i = 0; i < 5000; i++)
        words[i] = kept[i].key;
    const spk_ordering w = order_of(f, SPARK_TYPE(int64_t), NULL);
    spk_heap_trim(&f->heap);
    f->heap.limit = 1000;
    assert_false(spk_sort_rows(&f->heap, &w, (char *)words, 5000));
    for (size_t i = 0; i < 5000; i++)
        assert_true(words[i] == kept[i].key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fixture_test(test_sort__of_every_type_and_size_is_stable),
        fixture_test(test_sort__of_any_pattern_is_stable),
        fixture_test(test_sort__of_many_rows_of_any_pattern_is_stable),
        fixture_test(test_sort__of_strings_with_common_heads_is_stable),
        fixture_test(test_sort__by_several_members_is_stable),
        fixture_test(test_sort__in_natural_order_takes_every_type),
        fixture_test(test_sort__without_memory_leaves_the_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
