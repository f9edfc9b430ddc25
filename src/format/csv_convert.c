/* SPDX-License-Identifier: Apache-2.0 */
/* Cells to values, a column at a time, so that each kind of value has a loop of its own over the rows of
 * a batch. */
#include "format/csv.h"
#include "format/value.h"

/* work: a column of a batch. */
typedef struct work {
    const spk_csv *csv;
    const spk_csv_column *column;
    const spark_str *cells; /* of its first row; the next one is `stride` on */
    size_t stride, n, row_size;
    int32_t number;         /* of the column in the plan */
    spk_csv_record *records;
    char *rows;
    spk_arena *texts;
    bool odd, nomem;
} work;

static bool is_text(spark_str cell, spark_str text)
{
    return cell.len == text.len && memcmp(cell.ptr, text.ptr, cell.len) == 0;
}

static inline bool is_null(const work *w, spark_str cell)
{
    const spark_str null = w->csv->null_value;
    return cell.ptr == NULL || (cell.len == null.len && memcmp(cell.ptr, null.ptr, null.len) == 0);
}

static void miss(work *w, size_t i)
{
    if (w->column->present >= 0)
        return;
    w->odd = true;
    if (w->records[i].null < 0)
        w->records[i].null = w->number;
}

static void refuse(work *w, size_t i)
{
    w->odd = true;
    w->records[i].bad = true;
    if (w->records[i].wrong < 0)
        w->records[i].wrong = w->number;
    miss(w, i);
}

static void set_present(const spk_csv_column *column, char *row)
{
    if (column->present >= 0)
        row[column->present] = true;
}

/* EACH: a loop over the cells that are not null, with `good` telling whether *value was read. */
#define EACH(T, read)                                                                              \
    for (size_t i = 0; i < n; i++, at += stride, row += size) {                                    \
        const spark_str cell = *at;                                                                \
        T value;                                                                                   \
        if (is_null(w, cell)) {                                                                    \
            miss(w, i);                                                                            \
        } else if (read) {                                                                         \
            memcpy(row + offset, &value, sizeof value);                                            \
            set_present(column, row);                                                              \
        } else {                                                                                   \
            refuse(w, i);                                                                          \
        }                                                                                          \
    }                                                                                              \
    break

/* named_f64: the names that options give to what is no number. */
static bool named_f64(const spk_csv *csv, spark_str cell, double *out)
{
    if (is_text(cell, csv->nan_value))
        *out = __builtin_nan("");
    else if (is_text(cell, csv->positive_inf))
        *out = __builtin_inf();
    else if (is_text(cell, csv->negative_inf))
        *out = -__builtin_inf();
    else
        return false;
    return true;
}

static inline bool read_f64(const spk_csv *csv, spark_str cell, double *out)
{
    return spk_text_f64(cell.ptr, cell.len, out) || named_f64(csv, cell, out);
}

static inline bool read_i32(spark_str cell, int32_t *out)
{
    int64_t x;
    const bool good = spk_text_i64(cell.ptr, cell.len, &x) && x == (int32_t)x;
    *out = good ? (int32_t)x : 0;
    return good;
}

static bool read_f32(const spk_csv *csv, spark_str cell, float *out)
{
    double x;
    if (!read_f64(csv, cell, &x))
        return false;
    *out = (float)x;
    return true;
}

/* pattern_date: as the option says, or as Spark casts. */
static bool pattern_date(const spk_csv *csv, spark_str cell, int32_t *out)
{
    int64_t micros;
    if (!csv->has_date)
        return spk_cast_date(cell.ptr, cell.len, out);
    if (csv->plain_date || !spk_pattern_read(&csv->date, cell.ptr, cell.len, &micros))
        return false;
    const int64_t day = INT64_C(86400000000);
    *out = (int32_t)(micros / day - (micros % day < 0));
    return true;
}

static inline bool read_date(const spk_csv *csv, spark_str cell, int32_t *out)
{
    return (csv->plain_date && spk_iso_date(cell.ptr, cell.len, out)) || pattern_date(csv, cell, out);
}

static bool read_time(const spk_csv *csv, spark_str cell, int64_t *out)
{
    return csv->has_time ? spk_pattern_read(&csv->time, cell.ptr, cell.len, out)
                         : spk_cast_time(cell.ptr, cell.len, out);
}

/* read_integer: of `size` bytes; its value in the low bytes of *out. */
static bool read_integer(spark_str cell, const spk_csv_column *column, int64_t *out)
{
    const bool is_unsigned
        = column->kind >= SPARK_KIND_U8 && column->kind <= SPARK_KIND_U64;
    if (column->kind == SPARK_KIND_U64)
        return spk_text_u64(cell.ptr, cell.len, (uint64_t *)out);
    if (!spk_text_i64(cell.ptr, cell.len, out))
        return false;
    const int bits = (int)column->size * 8;
    if (is_unsigned)
        return *out >= 0 && *out >> bits == 0;
    return bits == 64 || (*out >= -(INT64_C(1) << (bits - 1)) && *out < INT64_C(1) << (bits - 1));
}

static bool read_chars(spark_str cell, const spk_csv_column *column, char *row)
{
    const size_t room = column->count > 0 ? column->count : 1;
    if (cell.len > room || (column->count == 0 && cell.len != 1))
        return false;
    memcpy(row + column->offset, cell.ptr, cell.len);
    return true;
}

/* ---- strings ---- */

static bool is_ascii(spark_str s)
{
    unsigned char all = 0;
    for (size_t i = 0; i < s.len; i++)
        all |= (unsigned char)s.ptr[i];
    return all < 0x80;
}

spark_str spk_csv_utf8(const spk_csv *csv, spark_str s, spk_arena *texts, bool *nomem)
{
    size_t n = 0;
    if (!csv->latin1 || is_ascii(s))
        return s;
    char *text = s.len <= SIZE_MAX / 2 - SPK_CSV_SLACK
        ? spk_arena_alloc(texts, 2 * s.len + SPK_CSV_SLACK, 1)
        : NULL;
    if (!text) {
        *nomem = true;
        return s;
    }
    for (size_t i = 0; i < s.len; i++) {
        const unsigned char c = (unsigned char)s.ptr[i];
        if (c >= 0x80)
            text[n++] = (char)(0xc0 | c >> 6);
        text[n++] = (char)(c >= 0x80 ? 0x80 | (c & 0x3f) : c);
    }
    return (spark_str) { text, n };
}

/* strings: "" that is the text of null as well is a text where there can be no null. */
static void strings(work *w)
{
    const spk_csv_column *column = w->column;
    for (size_t i = 0; i < w->n; i++) {
        spark_str cell = w->cells[i * w->stride];
        char *row = w->rows + i * w->row_size;
        if (is_null(w, cell) && (column->present >= 0 || cell.ptr == NULL || cell.len > 0)) {
            miss(w, i);
            continue;
        }
        if (w->csv->latin1)
            cell = spk_csv_utf8(w->csv, cell, w->texts, &w->nomem);
        memcpy(row + column->offset, &cell, sizeof cell);
        set_present(column, row);
    }
}

/* chars: the same holds for arrays of char. */
static void chars(work *w)
{
    for (size_t i = 0; i < w->n; i++) {
        const spark_str cell = w->cells[i * w->stride];
        char *row = w->rows + i * w->row_size;
        if (is_null(w, cell) && (w->column->present >= 0 || cell.ptr == NULL || cell.len > 0))
            miss(w, i);
        else if (!read_chars(spk_csv_utf8(w->csv, cell, w->texts, &w->nomem), w->column, row))
            refuse(w, i);
        else
            set_present(w->column, row);
    }
}

static void integers(work *w)
{
    for (size_t i = 0; i < w->n; i++) {
        const spark_str cell = w->cells[i * w->stride];
        char *row = w->rows + i * w->row_size;
        int64_t value;
        if (is_null(w, cell)) {
            miss(w, i);
        } else if (read_integer(cell, w->column, &value)) {
            switch (w->column->size) {
            case 1:
                *(int8_t *)(void *)(row + w->column->offset) = (int8_t)value;
                break;
            case 2:
                *(int16_t *)(void *)(row + w->column->offset) = (int16_t)value;
                break;
            case 4:
                *(int32_t *)(void *)(row + w->column->offset) = (int32_t)value;
                break;
            default:
                *(int64_t *)(void *)(row + w->column->offset) = value;
            }
            set_present(w->column, row);
        } else {
            refuse(w, i);
        }
    }
}

static void convert(work *w)
{
    const spk_csv *csv = w->csv;
    const spk_csv_column *const column = w->column;
    const size_t n = w->n, stride = w->stride, size = w->row_size, offset = column->offset;
    const spark_str *at = w->cells;
    char *row = w->rows;
    switch (column->kind) {
    case SPARK_KIND_STR:
    case SPARK_KIND_BYTES:
        strings(w);
        break;
    case SPARK_KIND_CHAR:
        chars(w);
        break;
    case SPARK_KIND_BOOL:
        EACH(bool, spk_text_bool(cell.ptr, cell.len, &value));
    case SPARK_KIND_I32:
        EACH(int32_t, read_i32(cell, &value));
    case SPARK_KIND_I64:
        EACH(int64_t, spk_text_i64(cell.ptr, cell.len, &value));
    case SPARK_KIND_F64:
        EACH(double, read_f64(csv, cell, &value));
    case SPARK_KIND_F32:
        EACH(float, read_f32(csv, cell, &value));
    case SPARK_KIND_DATE:
        EACH(int32_t, read_date(csv, cell, &value));
    case SPARK_KIND_TIME:
        EACH(int64_t, read_time(csv, cell, &value));
    case SPARK_KIND_DECIMAL:
        EACH(int64_t,
            spk_text_decimal(cell.ptr, cell.len, column->precision, column->scale, &value));
    default:
        integers(w);
    }
}

bool spk_csv_read_cell(
    const spk_csv *csv, const spk_csv_column *column, spark_str cell, char *row)
{
    spk_csv_record record = { .wrong = -1, .null = -1 };
    work w = { .csv = csv, .column = column, .cells = &cell, .n = 1, .records = &record, .rows = row };
    convert(&w);
    return record.wrong < 0;
}

bool spk_csv_convert(const spk_csv_plan *plan, const spark_str *cells, size_t n,
    spk_csv_record *records, char *rows, spk_arena *texts, bool *nomem)
{
    work w = { .csv = plan->csv,
        .stride = plan->n,
        .n = n,
        .row_size = plan->row_size,
        .records = records,
        .rows = rows,
        .texts = texts };
    for (size_t i = 0; i < plan->n; i++) {
        w.column = &plan->columns[i];
        w.cells = cells + i;
        w.number = (int32_t)i;
        convert(&w);
    }
    *nomem = w.nomem;
    return w.odd;
}
