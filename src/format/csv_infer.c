/* SPDX-License-Identifier: Apache-2.0 */
/* What type a column has, from its values: as Spark's CSVInferSchema, a guess that only widens: i32, i64,
 * double; date, then time; bool; else a string. Spark has decimals for integers of more than 64 bits;
 * here they are doubles. */
#include "format/csv.h"
#include "format/value.h"

/* is_plain_date: yyyy-MM-dd, before the year 0 with more digits too. What else Spark casts to dates, such as 2024-5-7, are
 * times. */
static bool is_plain_date(spark_str cell)
{
    const char *p = cell.ptr;
    const size_t n = cell.len;
    int32_t days;
    if (n < 11 || p[0] != '-')
        return spk_iso_date(p, n, &days);
    return p[n - 3] == '-' && p[n - 6] == '-' && !memchr(p, ' ', n) && !memchr(p, 'T', n) && memcmp(p + 1, "0000-", 5) != 0
        && spk_cast_date(p, n, &days);
}

static bool fits(const spk_csv *csv, spk_csv_guess guess, spark_str cell)
{
    static const spk_csv_column columns[] = { [SPK_GUESS_I32] = { .kind = SPARK_KIND_I32, .size = 4 },
        [SPK_GUESS_I64] = { .kind = SPARK_KIND_I64, .size = 8 },
        [SPK_GUESS_F64] = { .kind = SPARK_KIND_F64, .size = 8 },
        [SPK_GUESS_TIME] = { .kind = SPARK_KIND_TIME, .size = 8 },
        [SPK_GUESS_BOOL] = { .kind = SPARK_KIND_BOOL, .size = 1 } };
    char row[16];
    if (guess == SPK_GUESS_DATE && csv->plain_date)
        return csv->prefer_date && is_plain_date(cell);
    if (guess == SPK_GUESS_DATE) {
        int64_t micros;
        return csv->prefer_date && spk_pattern_read(&csv->date, cell.ptr, cell.len, &micros);
    }
    return guess == SPK_GUESS_STR || spk_csv_read_cell(csv, &columns[guess], cell, row);
}

spk_csv_guess spk_csv_guess_of(const spk_csv *csv, spk_csv_guess so_far, spark_str cell)
{
    if (so_far == SPK_GUESS_STR || cell.ptr == NULL || cell.len == 0
        || (cell.len == csv->null_value.len
            && memcmp(cell.ptr, csv->null_value.ptr, cell.len) == 0))
        return so_far;
    spk_csv_guess guess = so_far == SPK_GUESS_NULL ? SPK_GUESS_I32 : so_far;
    while (!fits(csv, guess, cell))
        guess = (spk_csv_guess)(guess + 1);
    return spk_csv_guess_both(csv, so_far, guess);
}

spk_csv_guess spk_csv_guess_both(const spk_csv *csv, spk_csv_guess a, spk_csv_guess b)
{
    const spk_csv_guess low = a < b ? a : b, high = a < b ? b : a;
    if (low == SPK_GUESS_NULL || low == high || high <= SPK_GUESS_F64)
        return high;
    /* A date is a time where no pattern says how those are written. */
    if (low == SPK_GUESS_DATE && high == SPK_GUESS_TIME && !csv->has_time)
        return high;
    return SPK_GUESS_STR;
}

const spark_type *spk_csv_guess_type(spk_csv_guess guess)
{
    switch (guess) {
    case SPK_GUESS_I32:
        return SPARK_TYPE(int32_t);
    case SPK_GUESS_I64:
        return SPARK_TYPE(int64_t);
    case SPK_GUESS_F64:
        return SPARK_TYPE(double);
    case SPK_GUESS_DATE:
        return SPARK_TYPE(spark_date);
    case SPK_GUESS_TIME:
        return SPARK_TYPE(spark_time);
    case SPK_GUESS_BOOL:
        return SPARK_TYPE(bool);
    default:
        return SPARK_TYPE(spark_str);
    }
}
