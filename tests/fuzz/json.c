/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a JSON file, under options that the first bytes choose: nothing crashes; the reader and the
 * cursor agree on what is JSON, and where it is not; rows do not depend on how the file is split; the type that is
 * found fits; what is written of the rows is read as it was. With libFuzzer (clang, -DSPARK_FUZZ=ON) a target;
 * else a program that takes files of the corpus, which ctest runs. */
#include "format/json_infer.h"
#include "format/json_print.h"
#include "replay.h"

SPARK_OPTIONAL(opt_bool, bool);
SPARK_OPTIONAL(opt_date, spark_date);
SPARK_OPTIONAL(opt_time, spark_time);
SPARK_DECIMAL(money, 18, 4);
SPARK_OPTIONAL(opt_money, money);
SPARK_STRUCT(inner, (spark_opt_f64, x), (spark_opt_str, s));
SPARK_OPTIONAL(opt_inner, inner);
SPARK_LIST(inners, opt_inner);
SPARK_OPTIONAL(opt_inners, inners);
SPARK_OPTIONAL(opt_bytes, spark_bytes);
SPARK_STRUCT(row, (spark_opt_str, a), (spark_opt_i64, b), (spark_opt_f64, c), (opt_date, d), (opt_time, e),
    (opt_money, f), (opt_bool, g), (opt_inner, h), (opt_inners, i), (opt_bytes, j), (spark_opt_str, _corrupt_record));

enum { AT_ONCE = 20 };

static uint64_t mix(uint64_t digest, uint64_t x)
{
    return (digest ^ x) * 0x100000001b3u;
}

/* check: by RFC 8259 alone, the reader's scan and the cursor say the same. */
static void check(spark_str text)
{
    spk_json_scan scan = { .p = text.ptr, .end = text.ptr + text.len };
    spark_json value;
    spark_json_error error = { 0, NULL };
    const bool parsed = spark_json_parse(text, &value, &error);
    spk_json_blanks(&scan);
    insist((spk_json_skip(&scan) && spk_json_ends(&scan)) == parsed);
    if (!parsed)
        insist((size_t)(scan.p - text.ptr) == error.at && strcmp(scan.why, error.why) == 0);
}

/* again: a row that is written and read is the same one. */
static void again(const spk_json *json, const spk_json_plan *plan, const char *r, spk_arena *texts)
{
    const spark_type *type = plan->root->type;
    spk_json_plan with_names = *plan; /* infinite doubles are written by name */
    spk_json_outcome outcome;
    row back;
    with_names.rules |= SPK_JSON_NAN;
    char *text = malloc(spk_json_room(json, type, r) + 1);
    insist(text != NULL && type->size <= sizeof back);
    const size_t n = spk_json_print(json, type, r, text);
    spk_json_scan scan = { .p = text, .end = text + n };
    spark_json value;
    insist(n <= spk_json_room(json, type, r));
    insist(spark_json_parse((spark_str) { text, n }, &value, NULL));
    memset(&back, 0, sizeof back);
    spk_json_read(&with_names, NULL, &scan, (char *)&back, texts, &outcome);
    insist(!outcome.bad && !outcome.lost && spark_equal(type, r, &back));
    free(text);
}

/* digest_of: of the rows of all splits of `size` bytes, and their order; 0: an error. */
static uint64_t digest_of(spk_heap *heap, const spk_json *json, const spk_json_plan *plan,
    const spk_file *file, uint64_t size, bool plain)
{
    static row rows[AT_ONCE];
    static const spk_layout *layout;
    uint64_t digest = 1;
    spk_arena texts;
    if (!layout)
        layout = layout_of(SPARK_TYPE(row));
    spk_arena_init(&texts, heap);
    for (uint64_t at = 0; at < file->size && digest; at += size) {
        spk_split split = { .file = file, .start = at, .end = at + size < file->size ? at + size : file->size };
        spk_failure failure = { .code = SPARK_OK };
        spk_json_reader *reader;
        if (spk_json_open(&reader, heap, json, plan, &split, &failure) != SPARK_OK) {
            digest = 0;
            break;
        }
        failure.code = SPARK_OK;
        for (size_t n; (n = spk_json_next(reader, (char *)rows, AT_ONCE, &failure)) > 0;)
            for (size_t i = 0; i < n; i++) {
                digest = mix(digest, spk_value_hash(layout, &rows[i]));
                if (plain && !rows[i]._corrupt_record.present)
                    again(json, plan, (const char *)&rows[i], &texts);
            }
        spk_json_close(reader);
        digest = failure.code == SPARK_OK ? digest : 0;
    }
    spk_arena_fini(&texts);
    return digest;
}

/* has_empty: an empty text, which says nothing of a member's type, and is no value of most, as in Spark. */
static bool has_empty(spark_str text)
{
    for (size_t i = 1; i < text.len; i++)
        if (text.ptr[i] == text.ptr[i - 1] && (text.ptr[i] == '"' || text.ptr[i] == '\''))
            return true;
    return false;
}

/* infer: the type that is found, and that every record that is JSON fits it. */
static void infer(spk_heap *heap, const spk_json *json, spark_str text)
{
    spk_json_schema schema = { .corrupt = false }, sum = { .corrupt = false };
    spk_types *types = spk_types_new();
    spk_failure failure;
    spk_json_plan plan;
    spk_arena texts;
    insist(types != NULL);
    spk_arena_init(&texts, heap);
    if (spk_json_infer(&schema, json, text, &failure) != SPARK_OK
        || spk_json_schema_add(&sum, &schema, &failure) != SPARK_OK)
        goto done;
    const spark_type *type = spk_json_schema_type(&sum, json, types, &failure);
    if (type && !schema.corrupt && spk_json_plan_make(&plan, &json->formats, json->rules, type, &failure) == SPARK_OK) {
        spk_json_scan scan = { .p = text.ptr, .end = text.ptr + text.len, .rules = json->rules };
        spk_json_outcome outcome;
        char *one = calloc(1, type->size);
        insist(one != NULL);
        spk_json_blanks(&scan);
        if (scan.p < scan.end && *scan.p == '{') {
            insist(spk_json_read(&plan, NULL, &scan, one, &texts, &outcome));
            insist((!outcome.lost && !outcome.bad) || has_empty(text));
        }
        free(one);
        spk_json_plan_free(&plan);
    }
done:
    spk_json_schema_free(&schema);
    spk_json_schema_free(&sum);
    spk_types_free(types);
    spk_arena_fini(&texts);
}

static spark_json_options options_of(const uint8_t *bytes)
{
    return (spark_json_options) { .allow_comments = bytes[0] & 1,
        .allow_unquoted_field_names = bytes[0] & 2,
        .allow_numeric_leading_zeros = bytes[0] & 4,
        .allow_backslash_escaping_any_character = bytes[0] & 8,
        .allow_unquoted_control_chars = bytes[0] & 16,
        .allow_single_quotes = bytes[0] & 32 ? SPARK_OFF : SPARK_ON,
        .allow_non_numeric_numbers = bytes[0] & 64 ? SPARK_OFF : SPARK_ON,
        .multi_line = bytes[0] & 128,
        .mode = (spark_read_mode)(bytes[1] % 3),
        .infer_timestamp = bytes[1] & 4,
        .primitives_as_string = bytes[1] & 8,
        .drop_field_if_all_null = bytes[1] & 16,
        .ignore_null_fields = bytes[1] & 32 ? SPARK_OFF : SPARK_ON };
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    spk_heap *heap = the_heap();
    static spk_json_plan shape; /* of the type, whatever the rules are */
    spk_json json;
    spk_failure failure;
    if (size < 3)
        return 0;
    const spark_str text = { (const char *)data + 2, size - 2 };
    const spk_file file = file_of(text.ptr, text.len);
    const spark_json_options o = options_of(data);
    insist(spk_json_compile(&json, &o, &failure) == SPARK_OK);
    if (!shape.root)
        insist(spk_json_plan_make(&shape, &json.formats, json.rules, SPARK_TYPE(row), &failure) == SPARK_OK);
    spk_json_plan plan = shape;
    plan.csv = &json.formats;
    plan.rules = json.rules;
    check(text);
    const uint64_t once = digest_of(heap, &json, &plan, &file, file.size, true);
    if (!json.multi_line && once != 0) /* an error may come later than rows */
        insist(digest_of(heap, &json, &plan, &file, file.size / 3 + 1, false) == once);
    if (data[1] & 64)
        infer(heap, &json, text);
    spk_json_options_free(&json);
    return 0;
}
