/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a CSV file, under options that the first bytes choose: nothing crashes, and the rows are
 * the same however the file is split. With libFuzzer (clang, -DSPARK_FUZZ=ON) a target; else a program
 * that takes files of the corpus, which ctest runs. */
#include "format/csv.h"
#include "io/lines.h"
#include "replay.h"

SPARK_OPTIONAL(opt_bool, bool);
SPARK_OPTIONAL(opt_date, spark_date);
SPARK_OPTIONAL(opt_time, spark_time);
SPARK_DECIMAL(money, 18, 4);
SPARK_OPTIONAL(opt_money, money);
SPARK_STRUCT(row, (spark_opt_str, a), (spark_opt_i64, b), (spark_opt_f64, c), (opt_date, d), (opt_time, e),
    (opt_money, f), (opt_bool, g), (spark_opt_str, _corrupt_record));

enum { AT_ONCE = 50 };

static uint64_t mix(uint64_t digest, uint64_t x)
{
    return (digest ^ x) * 0x100000001b3u;
}

/* guess: what inference says of the strings of a row; it must end. */
static uint64_t guess(const spk_csv *csv, const row *r)
{
    char text[64 + SPK_CSV_SLACK];
    spk_csv_guess found = SPK_GUESS_NULL;
    if (!r->a.present || r->a.value.len > 64)
        return 0;
    memcpy(text, r->a.value.ptr, r->a.value.len);
    for (int i = 0; i < 2; i++)
        found = spk_csv_guess_of(csv, found, (spark_str) { text, r->a.value.len });
    return (uint64_t)found;
}

/* digest_of: of the rows of all splits of `size` bytes, and their order; 0: an error. */
static uint64_t digest_of(spk_heap *heap, const spk_csv_plan *plan, const spk_file *file, uint64_t size)
{
    static row rows[AT_ONCE];
    static const spk_layout *layout;
    uint64_t digest = 1;
    if (!layout)
        layout = layout_of(SPARK_TYPE(row));
    for (uint64_t at = 0; at < file->size && digest; at += size) {
        const spk_split split = { file, at, at + size < file->size ? at + size : file->size, NULL };
        spk_failure failure = { .code = SPARK_OK };
        spk_csv_reader *reader;
        if (spk_csv_open(&reader, heap, plan->csv, plan, &split, &failure) != SPARK_OK)
            return 0;
        failure.code = SPARK_OK;
        for (size_t n; (n = spk_csv_next(reader, (char *)rows, AT_ONCE, &failure)) > 0;)
            for (size_t i = 0; i < n; i++)
                digest = mix(mix(digest, spk_value_hash(layout, &rows[i])), guess(plan->csv, &rows[i]));
        spk_csv_close(reader);
        digest = failure.code == SPARK_OK ? digest : 0;
    }
    return digest;
}

/* names: whatever the first record is, it can be asked for; where it is. False: it is an error, as it is
 * to whoever asks for the header. */
static bool names(spk_heap *heap, const spk_csv *csv, const spk_file *file, uint64_t *at)
{
    const spk_split whole = { file, 0, file->size, NULL };
    spk_failure failure = { .code = SPARK_OK };
    const spark_str *cells;
    spk_csv_reader *reader;
    spk_csv_plan plan;
    *at = 0;
    if (spk_csv_open(&reader, heap, csv, NULL, &whole, &failure) != SPARK_OK)
        return false;
    failure.code = SPARK_OK;
    const size_t n = spk_csv_names(reader, &cells, &failure);
    const spark_status failed = failure.code;
    if (n > 0 && spk_csv_plan_make(&plan, csv, SPARK_TYPE(row), "x", cells, n, &failure) == SPARK_OK)
        spk_csv_plan_free(&plan);
    if (n > 0)
        *at = spk_csv_row_at(reader, 0);
    spk_csv_close(reader);
    return failed == SPARK_OK;
}

static spark_csv_options options_of(const uint8_t *bytes)
{
    static const char *const seps[] = { ",", ";", "||", "\t" };
    static const char *const nulls[] = { NULL, "NA", "\\N", "0" };
    return (spark_csv_options) { .sep = seps[bytes[0] & 3],
        .header = bytes[0] & 4,
        .multi_line = bytes[0] & 8,
        .escape = bytes[0] & 16 ? "\"" : NULL,
        .comment = bytes[0] & 32 ? "#" : NULL,
        .encoding = bytes[0] & 64 ? "ISO-8859-1" : NULL,
        .ignore_leading_white_space = bytes[0] & 128 ? SPARK_ON : SPARK_OFF,
        .mode = (spark_read_mode)(bytes[1] % 3),
        .unescaped_quote_handling = (spark_unescaped_quotes)((bytes[1] >> 2) % 5),
        .null_value = nulls[(bytes[1] >> 5) & 3],
        .enforce_schema = SPARK_ON,
        .max_columns = 64,
        .line_sep = bytes[1] & 128 ? ";" : NULL };
}

static void read_all(spk_heap *heap, const spk_csv *csv, const spk_file *file)
{
    spk_csv_plan plan;
    spk_failure failure;
    if (spk_csv_plan_make(&plan, csv, SPARK_TYPE(row), "x", NULL, 0, &failure) != SPARK_OK)
        abort();
    const bool named = names(heap, csv, file, &plan.header_at);
    const uint64_t once = digest_of(heap, &plan, file, file->size);
    const bool one = csv->multi_line || !named || once == 0; /* an error may come later than rows */
    if (!one && digest_of(heap, &plan, file, file->size / 7 + 1) != once)
        abort();
    spk_csv_plan_free(&plan);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    spk_csv csv;
    spk_failure failure;
    if (size < 3)
        return 0;
    const spk_file file = file_of(data + 2, size - 2);
    const spark_csv_options o = options_of(data);
    if (spk_csv_compile(&csv, &o, false, &failure) != SPARK_OK) { /* one hides the other */
        insist(o.line_sep && strcmp(o.sep, o.line_sep) == 0);
        return 0;
    }
    read_all(the_heap(), &csv, &file);
    spk_csv_free(&csv);
    return 0;
}
