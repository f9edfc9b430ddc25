/* SPDX-License-Identifier: Apache-2.0 */
/* Programs on batches: whatever the batches, strides, forms of NULLs and selections are, the values
 * are those
 * of one row at a time, and the error is that of the first row that fails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "expr_text.h"

enum { ROWS = 3000 };

/* A row as a table has it: optionals, and a mask of NULLs. */
typedef struct row {
    uint8_t a_present;
    int32_t a;
    uint8_t b_present;
    int64_t b;
    double d;
    uint8_t nulls; /* bit 0: of d; bit 1: of s */
    spark_str s;
    bool t;
} row;

static row rows[ROWS];
static char texts[ROWS][12];

static const spk_sql_session session = { .zone_id = "UTC" };

static uint64_t next(uint64_t *x)
{
    *x = *x * 6364136223846793005u + 1442695040888963407u;
    return *x >> 33;
}

static int make_rows(void **state)
{
    uint64_t x = 42;
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        rows[i] = (row) { .a_present = next(&x) % 5 != 0,
            .a = (int32_t)(next(&x) % 41) - 20,
            .b_present = next(&x) % 7 != 0,
            .b = (int64_t)(next(&x) % 2001) - 1000,
            .d = (double)(next(&x) % 1000) / 8 - 50,
            .nulls = (uint8_t)(next(&x) & 3),
            .t = next(&x) & 1 };
        rows[i].s = (spark_str) { texts[i],
            (size_t)snprintf(texts[i], sizeof texts[i], "%d", (int)(next(&x) % 500)) };
    }
    return 0;
}

static const text_column columns[] = { { "a", NULL, true }, { "b", NULL, true },
    { "d", NULL, true }, { "s", NULL, true }, { "t", NULL, false } };

static void set_types(text_column *out)
{
    static const spk_sql_kind kinds[]
        = { SPK_SQL_INT, SPK_SQL_BIGINT, SPK_SQL_DOUBLE, SPK_SQL_STRING, SPK_SQL_BOOLEAN };
    memcpy(out, columns, sizeof columns);
    for (int i = 0; i < 5; i++)
        out[i].type = spk_sql_type_of(kinds[i]);
}

static void inputs_at(spk_sql_input *in, size_t from)
{
    const row *r = rows + from;
    in[0]
        = (spk_sql_input) { (const char *)&r->a, sizeof *r, &r->a_present, sizeof *r, 255, false };
    in[1]
        = (spk_sql_input) { (const char *)&r->b, sizeof *r, &r->b_present, sizeof *r, 255, false };
    in[2] = (spk_sql_input) { (const char *)&r->d, sizeof *r, &r->nulls, sizeof *r, 1, true };
    in[3] = (spk_sql_input) { (const char *)&r->s, sizeof *r, &r->nulls, sizeof *r, 2, true };
    in[4] = (spk_sql_input) { (const char *)&r->t, sizeof *r, NULL, 0, 0, false };
}

typedef struct fixture {
    spk_heap heap;
    spk_arena keep, scratch;
    spk_sql_error error;
    spk_sql_build b;
} fixture;

static void open_fixture(fixture *f)
{
    memset(f, 0, sizeof *f);
    spk_heap_init(&f->heap, 0);
    spk_arena_init(&f->keep, &f->heap);
    spk_arena_init(&f->scratch, &f->heap);
    f->b = (spk_sql_build) { &f->keep, &f->error, &session };
}

static void close_fixture(fixture *f)
{
    spk_arena_fini(&f->scratch);
    spk_arena_fini(&f->keep);
    spk_heap_fini(&f->heap);
}

static spk_sql_expr *read_expr(fixture *f, const char *text)
{
    text_column types[5];
    set_types(types);
    text_front t = { .b = &f->b, .p = text, .columns = types, .n_columns = 5 };
    spk_sql_expr *e = text_expr(&t, 0);
    if (!e || *t.p)
        fail_msg("%s: %s at %s", text, f->error.condition ? f->error.condition : "not read", t.p);
    return e;
}

/* run: the text of each row's value, one after the other; the row that failed, or -1. every: of
 * each `every`
 * rows one is selected. */
static char *run(const char *text, uint32_t batch, uint32_t every, int64_t *failed)
{
    fixture f;
    open_fixture(&f);
    spk_sql_expr *e = read_expr(&f, text);
    const spk_sql_program *p = spk_sql_compile(&f.b, &e, 1);
    assert_non_null(p);
    spk_sql_run *r = spk_sql_run_new(p, &f.keep);
    assert_non_null(r);
    size_t size = 1 << 20, n = 0;
    char *out = malloc(size);
    assert_non_null(out);
    *failed = -1;
    for (size_t from = 0; from < ROWS && *failed < 0; from += batch) {
        spk_sql_input in[5];
        uint16_t at[SPK_SQL_BATCH];
        uint32_t many = 0;
        spk_sql_vector v;
        const uint32_t all = ROWS - from < batch ? (uint32_t)(ROWS - from) : batch;
        inputs_at(in, from);
        for (uint32_t i = 0; i < all; i++)
            if ((from + i) % every == 0)
                at[many++] = (uint16_t)i;
        const spk_sql_rows some = { every > 1 ? at : NULL, every > 1 ? many : all };
        spk_sql_run_begin(r, in, all, from, &f.scratch);
        if (!spk_sql_run_eval(r, 0, some, &v)) {
            *failed = (int64_t)(from + spk_sql_run_row(r));
            n += (size_t)snprintf(out + n, size - n, "%s", spk_sql_run_error(r)->condition);
            break;
        }
        for (uint32_t k = 0; k < some.n; k++) {
            const uint32_t i = spk_sql_row(some, k);
            assert_true(n + 200 < size);
            if (spk_sql_valid(&v, i))
                n += spk_sql_value_print(e->type, v.ptr + i * v.stride, 0, out + n, 200);
            else
                n += (size_t)snprintf(out + n, 8, "NULL");
            out[n++] = '\n';
        }
        spk_arena_reset(&f.scratch);
    }
    out[n] = '\0';
    close_fixture(&f);
    return out;
}

static const char *const texts_of[] = { "a + 1", "a + b", "b * 3L - a", "a = b", "a <=> b",
    "a < 5 and b > 0", "a > 5 or b < 0", "not t",
    "case when a > 0 then b when b > 0 then a else -1 end", "if(t, a, b)", "coalesce(a, b, 0)",
    "a / 2", "a % 7", "cast(a as decimal(10,2)) * cast(b as decimal(12,3))",
    "cast(a as string) || s", "length(s)", "substring(s, 2, 1)", "s like '1%'", "s rlike '^[12]+$'",
    "a in (1, 2, 3)", "a in (b, 5)", "a between -5 and 5", "greatest(a, cast(b as int))",
    "d * 2.5D", "round(d, 1)", "isnull(d)", "nullif(a, 3)", "array(a, cast(b as int))",
    "named_struct('x', a, 'y', s)", "size(split(s, '1'))", "transform(array(a, 1), x -> x + b)",
    "hash(a, b, s)", "false and 1 / (a - a) = 1", "a <> 0 and 100 / a > 3", "try_divide(b, a)",
    "cast(d as int)", "date_add(date'2020-01-01', a)", "cast(s as int) + a" };

/* The same for all batches and selections; selected rows against all of them. */
static void batches(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof texts_of / sizeof *texts_of; i++) {
        int64_t failed, other;
        char *all = run(texts_of[i], SPK_SQL_BATCH, 1, &failed);
        assert_int_equal(failed, -1);
        static const uint32_t sizes[] = { 1, 2, 7, 1000 };
        for (int k = 0; k < 4; k++) {
            char *again = run(texts_of[i], sizes[k], 1, &other);
            if (strcmp(all, again) != 0)
                fail_msg("%s in batches of %u", texts_of[i], sizes[k]);
            free(again);
        }
        char *third = run(texts_of[i], 512, 3, &other), *p = all, *q = third;
        for (size_t line = 0; *p; line++) {
            const size_t n = strcspn(p, "\n") + 1;
            if (line % 3 == 0) {
                if (strncmp(p, q, n) != 0)
                    fail_msg("%s, row %zu of a selection", texts_of[i], line);
                q += n;
            }
            p += n;
        }
        assert_int_equal(*q, 0);
        free(third);
        free(all);
    }
}

/* Values against C. */
static void values(void **state)
{
    fixture f;
    (void)state;
    open_fixture(&f);
    spk_sql_expr *exprs[] = { read_expr(&f, "a + b"), read_expr(&f, "a < 5 and b > 0"),
        read_expr(&f, "case when a > 0 then b when b > 0 then cast(a as bigint) else -1L end") };
    const spk_sql_program *p = spk_sql_compile(&f.b, exprs, 3);
    assert_non_null(p);
    spk_sql_run *r = spk_sql_run_new(p, &f.keep);
    for (size_t from = 0; from < ROWS; from += 500) {
        spk_sql_input in[5];
        spk_sql_vector v[3];
        inputs_at(in, from);
        spk_sql_run_begin(r, in, 500, from, &f.scratch);
        for (uint32_t k = 0; k < 3; k++)
            assert_true(spk_sql_run_eval(r, k, (spk_sql_rows) { NULL, 500 }, &v[k]));
        uint16_t at[500];
        uint32_t n = spk_sql_run_filter(r, 1, (spk_sql_rows) { NULL, 500 }, at), kept = 0;
        for (uint32_t i = 0; i < 500; i++) {
            const row *x = &rows[from + i];
            const bool a = x->a_present, b = x->b_present;
            assert_int_equal(spk_sql_valid(&v[0], i), a && b);
            if (a && b)
                assert_int_equal(SPK_SQL_VALUE(int64_t, &v[0], i), x->a + x->b);
            const bool no = (a && x->a >= 5) || (b && x->b <= 0);
            assert_int_equal(spk_sql_valid(&v[1], i), no || (a && b));
            if (no || (a && b))
                assert_int_equal(SPK_SQL_VALUE(bool, &v[1], i), !no);
            if (!no && a && b)
                assert_int_equal(at[kept++], i);
            const bool first = a && x->a > 0, second = b && x->b > 0;
            assert_int_equal(spk_sql_valid(&v[2], i), first ? b : second ? a : true);
            if (spk_sql_valid(&v[2], i))
                assert_int_equal(SPK_SQL_VALUE(int64_t, &v[2], i),
                    first        ? x->b
                        : second ? x->a
                                 : -1);
        }
        assert_int_equal(n, kept);
        spk_arena_reset(&f.scratch);
    }
    close_fixture(&f);
}

/* The first row that fails is the one that is named. */
static void failures(void **state)
{
    static const char *const bad[] = { "100 / (a - 7)",
        "cast(cast(b as string) || if(b % 97 = 5, 'x', '') as int)", "cast(b as tinyint)",
        "if(a = 3 and b > 900, raise_error('no'), null)", "element_at(array(1, 2), a % 4 + 4)" };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int64_t first, other;
        char *all = run(bad[i], 1, 1, &first);
        static const uint32_t sizes[] = { 2, 7, 1024 };
        for (int k = 0; k < 3; k++) {
            char *again = run(bad[i], sizes[k], 1, &other);
            assert_int_equal(other, first);
            const char *what = strrchr(all, '\n'), *again_what = strrchr(again, '\n');
            if (sizes[k] < first) /* the last line is the condition */
                assert_string_equal(what ? what + 1 : all, again_what ? again_what + 1 : again);
            free(again);
        }
        if (i != 3)
            assert_true(first >= 0);
        free(all);
    }
}

/* Types as text, there and back. */
static void types(void **state)
{
    static const char *const names[] = { "int", "decimal(38,18)",
        "array<struct<a:int,b:array<string>>>", "map<string,decimal(5,2)>",
        "interval year to month", "interval day to second", "interval hour", "timestamp_ntz",
        "struct<x:boolean,y:map<int,array<date>>>", "binary", "void" };
    fixture f;
    (void)state;
    open_fixture(&f);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char text[200];
        const spk_sql_type *t = spk_sql_type_parse(&f.keep, names[i], strlen(names[i]));
        assert_non_null(t);
        spk_sql_type_print(t, true, text, sizeof text);
        assert_string_equal(text, names[i]);
        assert_true(spk_sql_type_same(t, t));
    }
    assert_null(spk_sql_type_parse(&f.keep, "decimal(39,1)", 13));
    assert_null(spk_sql_type_parse(&f.keep, "array<int", 9));
    char deep[400] = "";
    for (int i = 0; i < 60; i++)
        strcat(deep, "array<");
    assert_null(spk_sql_type_parse(&f.keep, deep, strlen(deep)));
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batches),
        cmocka_unit_test(values),
        cmocka_unit_test(failures),
        cmocka_unit_test(types),
    };
    return cmocka_run_group_tests(tests, make_rows, NULL);
}
