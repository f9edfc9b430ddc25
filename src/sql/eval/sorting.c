/* SPDX-License-Identifier: Apache-2.0 */
/* Sorting values: any by their order, numbers by integer keys, and of these no more than is asked for. */
#include "sql/eval/sorting.h"

#include <string.h>

#include "sql/eval/compare.h"

void spk_sql_swap(char *a, char *b, size_t size)
{
    char x[64];
    for (size_t n; size > 0; size -= n, a += n, b += n) {
        n = size < sizeof x ? size : sizeof x;
        memcpy(x, a, n);
        memcpy(a, b, n);
        memcpy(b, x, n);
    }
}

/* spk_sql_sort: a heap sort. */
void spk_sql_sort(const spk_sql_type *t, char *at, size_t n)
{
    const size_t size = t->size;
    for (size_t start = n / 2, end = n; end > 1;) {
        if (start > 0)
            start--;
        else
            spk_sql_swap(at, at + --end * size, size);
        for (size_t root = start, child; (child = 2 * root + 1) < end; root = child) {
            if (child + 1 < end
                && spk_sql_value_compare(t, at + child * size, at + (child + 1) * size) < 0)
                child++;
            if (spk_sql_value_compare(t, at + root * size, at + child * size) >= 0)
                break;
            spk_sql_swap(at + root * size, at + child * size, size);
        }
    }
}

/* ---- keys */

/* turned: of a negative double the bits below the sign, so that doubles have the order of integers; its own inverse. */
static int64_t turned(int64_t bits)
{
    return bits ^ (int64_t)((uint64_t)(bits >> 63) >> 1);
}

bool spk_sql_keys(const spk_sql_type *t, char *at, size_t n)
{
    for (size_t i = 0; t->kind == SPK_SQL_DOUBLE && i < n; i++) {
        double x;
        int64_t bits;
        memcpy(&x, at + i * 8, 8);
        memcpy(&bits, &x, 8);
        bits = turned(x == x ? bits : bits & INT64_MAX); /* NaN is the largest, whatever its sign */
        memcpy(at + i * 8, &bits, 8);
    }
    return t->kind == SPK_SQL_DOUBLE || t->kind == SPK_SQL_BIGINT || t->kind == SPK_SQL_TIMESTAMP
        || t->kind == SPK_SQL_TIMESTAMP_NTZ || t->kind == SPK_SQL_INTERVAL_SECONDS;
}

void spk_sql_key_value(const spk_sql_type *t, char *at)
{
    int64_t key;
    memcpy(&key, at, 8);
    if (t->kind == SPK_SQL_DOUBLE)
        key = turned(key);
    memcpy(at, &key, 8);
}

static void insert(int64_t *at, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        const int64_t x = at[i];
        size_t k = i;
        for (; k > 0 && at[k - 1] > x; k--)
            at[k] = at[k - 1];
        at[k] = x;
    }
}

static int64_t middle(int64_t a, int64_t b, int64_t c)
{
    const int64_t low = a < b ? a : b, high = a < b ? b : a;
    return c < low ? low : c > high ? high : c;
}

/* split: those below the pivot go to the front; how many there are. No branch depends on a key. */
static size_t split(int64_t *at, size_t n, int64_t pivot)
{
    size_t k = 0;
    for (size_t i = 0; i < n; i++) {
        const int64_t x = at[i];
        at[i] = at[k];
        at[k] = x;
        k += x < pivot;
    }
    return k;
}

static size_t below(size_t x, size_t y)
{
    return x > y ? x - y : 0;
}

/* settle: quicksort of what is wanted; after too many bad pivots in a row of splits, a heap sort. */
static void settle(int64_t *at, size_t n, size_t from, size_t to, unsigned left)
{
    enum { SHORT = 16 };
    while (n > SHORT && from < to) {
        if (left-- == 0) {
            spk_sql_sort(spk_sql_type_of(SPK_SQL_BIGINT), (char *)at, n);
            return;
        }
        const int64_t pivot = middle(at[n / 4], at[n / 2], at[n / 4 * 3]);
        size_t k = split(at, n, pivot);
        if (k == 0) /* none is below: those that are equal to it are settled */
            k = pivot == INT64_MAX ? n : split(at, n, pivot + 1);
        else if (from < k)
            settle(at, k, from, to < k ? to : k, left);
        at += k;
        n -= k;
        from = below(from, k);
        to = below(to, k);
    }
    if (n <= SHORT && from < to)
        insert(at, n);
}

void spk_sql_keys_settle(int64_t *keys, size_t n, size_t from, size_t to)
{
    unsigned left = 8;
    for (size_t m = n; m > 1; m /= 2)
        left += 2;
    settle(keys, n, from, to, left);
}
