/* SPDX-License-Identifier: Apache-2.0 */
/* Bad records: what a policy lets pass, what is put aside, and that the numbers are those of the
 * records, whatever happens to attempts, blocks and batches. */
#include "file_test.h"

SPARK_PAIR(i64_i64, int64_t, int64_t);

/* ---- functions that find multiples of seven bad, each kind of function in its own way */

SPARK_MAP(plain, int64_t, int64_t)
{
    *out = *in * 10;
    if (*in % 7 == 0)
        spark_bad_record(task, "%lld is a multiple", (long long)*in);
}
SPARK_MAP(texts, int64_t, spark_str)
{
    *out = spark_str_format(task, "<%lld>", (long long)*in);
    if (*in % 7 == 0)
        spark_bad_record(task, "%lld is a multiple", (long long)*in);
}
SPARK_MAP(long_texts, int64_t, spark_str) /* so that batches go on in pieces */
{
    char *at = spark_alloc(task, 40000);
    if (!at)
        return;
    memset(at, 'a' + (int)(*in % 26), 40000);
    *out = (spark_str) { at, 40000 };
    if (*in % 7 == 0)
        spark_bad_record(task, "%lld is a multiple", (long long)*in);
}
SPARK_FILTER(even, int64_t)
{
    if (*in % 7 == 0)
        spark_bad_record(task, "%lld is a multiple", (long long)*in);
    return *in % 2 == 0;
}
SPARK_FLAT_MAP(several, int64_t, int64_t)
{
    for (int64_t i = 0; i < 1 + *in % 5 * 700; i++) { /* more than a batch, before and after */
        spark_emit(out, *in * 10000 + i);
        if (*in % 7 == 0 && i == *in % 5 * 350)
            spark_bad_record(task, "%lld is a multiple", (long long)*in);
    }
}
SPARK_FLAT_MAP(several_texts, int64_t, spark_str)
{
    for (int64_t i = 0; i < 1 + *in % 3; i++)
        spark_emit(out, spark_str_format(task, "%lld.%lld", (long long)*in, (long long)i));
    if (*in % 7 == 0) {
        spark_bad_record(task, "%lld is a multiple", (long long)*in);
        spark_bad_record(task, "which counts once");
    }
}
SPARK_STEP(running, int64_t, int64_t, int64_t)
{
    *state += *in;
    spark_emit(out, *state);
    if (*in % 7 == 0)
        spark_bad_record(task, "%lld is a multiple", (long long)*in);
}
SPARK_FINISH(running, int64_t, int64_t, int64_t)
{
    spark_emit(out, -*state);
}
SPARK_MAP(twins, int64_t, i64_i64)
{
    *out = (i64_i64) { *in % 3, *in };
}

enum { ROWS = 400, PARTS = 7 };

static spark_rdd *numbers(spark_context *sc)
{
    return spark_range(sc, 0, ROWS, 1, PARTS);
}
static spark_rdd *mapped(spark_rdd *in)
{
    return spark_map(in, plain, NULL);
}
static spark_rdd *mapped_to_texts(spark_rdd *in)
{
    return spark_map(in, texts, NULL);
}
static spark_rdd *mapped_to_long_texts(spark_rdd *in)
{
    return spark_map(in, long_texts, NULL);
}
static spark_rdd *filtered(spark_rdd *in)
{
    return spark_filter(in, even, NULL);
}
static spark_rdd *flat_mapped(spark_rdd *in)
{
    return spark_flat_map(in, several, NULL);
}
static spark_rdd *flat_mapped_to_texts(spark_rdd *in)
{
    return spark_flat_map(in, several_texts, NULL);
}
static spark_rdd *filter_mapped(spark_rdd *in)
{
    return spark_filter_map(in, several_texts, NULL);
}
static spark_rdd *stepped(spark_rdd *in)
{
    return spark_map_stateful(in, running, NULL);
}
static spark_rdd *keyed(spark_rdd *in)
{
    return spark_key_by(in, plain, NULL);
}
static spark_rdd *with_values(spark_rdd *in)
{
    return spark_map_values(spark_map(in, twins, NULL), plain, NULL);
}
static spark_rdd *with_flat_values(spark_rdd *in)
{
    return spark_flat_map_values(spark_map(in, twins, NULL), several, NULL);
}

/* What is expected of each, by a loop over the good numbers. */
static void emit_plain(oracle_text *t, int64_t x)
{
    char text[32];
    oracle_append(t, text, (size_t)snprintf(text, sizeof text, "%lld ", (long long)x));
}
static void want_mapped(oracle_text *t, int64_t x, int64_t *sum)
{
    (void)sum;
    if (x % 7)
        emit_plain(t, x * 10);
}
static void want_filtered(oracle_text *t, int64_t x, int64_t *sum)
{
    (void)sum;
    if (x % 7 && x % 2 == 0)
        emit_plain(t, x);
}
static void want_flat_mapped(oracle_text *t, int64_t x, int64_t *sum)
{
    (void)sum;
    for (int64_t i = 0; x % 7 && i < 1 + x % 5 * 700; i++)
        emit_plain(t, x * 10000 + i);
}
static void want_texts(oracle_text *t, int64_t x, int64_t *sum)
{
    char text[32];
    (void)sum;
    if (x % 7)
        oracle_append(t, text, (size_t)snprintf(text, sizeof text, "<%lld> ", (long long)x));
}
static void want_several_texts(oracle_text *t, int64_t x, int64_t *sum)
{
    char text[32];
    (void)sum;
    for (int64_t i = 0; x % 7 && i < 1 + x % 3; i++)
        oracle_append(t, text,
            (size_t)snprintf(text, sizeof text, "%lld.%lld ", (long long)x, (long long)i));
}
static void want_stepped(oracle_text *t, int64_t x, int64_t *sum)
{
    *sum += x; /* the state goes on */
    if (x % 7)
        emit_plain(t, *sum);
}
static void want_keyed(oracle_text *t, int64_t x, int64_t *sum)
{
    char text[48];
    (void)sum;
    if (x % 7)
        oracle_append(t, text,
            (size_t)snprintf(text, sizeof text, "(%lld,%lld) ", (long long)x * 10, (long long)x));
}
static void want_values(oracle_text *t, int64_t x, int64_t *sum)
{
    char text[48];
    (void)sum;
    if (x % 7)
        oracle_append(t, text,
            (size_t)snprintf(text, sizeof text, "(%lld,%lld) ", (long long)x % 3, (long long)x * 10));
}

typedef void wanted(oracle_text *t, int64_t x, int64_t *sum);
static const struct shape {
    spark_rdd *(*make)(spark_rdd *in);
    wanted *want;  /* NULL: only numbers are compared */
    bool at_end;   /* a negative sum ends the partition */
    bool of_pairs; /* what is put aside */
} shapes[] = { { mapped, want_mapped, false, false }, { mapped_to_texts, want_texts, false, false },
    { mapped_to_long_texts, NULL, false, false }, { filtered, want_filtered, false, false },
    { flat_mapped, want_flat_mapped, false, false },
    { flat_mapped_to_texts, want_several_texts, false, false },
    { filter_mapped, want_several_texts, false, false }, { stepped, want_stepped, true, false },
    { keyed, want_keyed, false, false }, { with_values, want_values, false, true },
    { with_flat_values, NULL, false, true } };

/* wanted_of: good rows, partition by partition, as oracle_layout has them. */
static char *wanted_of(const struct shape *s)
{
    oracle_text t = { NULL, 0, 0 };
    oracle_append(&t, "", 0);
    for (int p = 0; p < PARTS; p++) {
        int64_t sum = 0;
        for (size_t x = slice(ROWS, PARTS, p); x < slice(ROWS, PARTS, p + 1); x++)
            s->want(&t, (int64_t)x, &sum);
        if (s->at_end)
            emit_plain(&t, -sum);
        if (t.length > 0 && t.bytes[t.length - 1] == ' ')
            t.length--;
        if (p < PARTS - 1)
            oracle_append(&t, " | ", 3);
    }
    t.bytes[t.length] = 0;
    return t.bytes;
}

/* aside_of: what is put aside, one a line. */
static char *aside_of(const struct shape *s)
{
    oracle_text t = { NULL, 0, 0 };
    char text[64];
    for (int p = 0; p < PARTS; p++)
        for (size_t x = slice(ROWS, PARTS, p), first = x; x < slice(ROWS, PARTS, p + 1); x++)
            if (x % 7 == 0) {
                const int n = s->of_pairs
                    ? snprintf(text, sizeof text, "%d:%zu (%zu,%zu) %zu is a multiple\n", p, x - first,
                          x % 3, x, x)
                    : snprintf(text, sizeof text, "%d:%zu %zu %zu is a multiple\n", p, x - first, x, x);
                oracle_append(&t, text, (size_t)n);
            }
    return t.bytes;
}

static char *bad_of(spark_rdd *rdd)
{
    oracle_text t = { NULL, 0, 0 };
    spark_array rows;
    char text[64];
    oracle_ok(spark_collect(spark_bad_records(rdd), SPARK_TYPE(spark_bad_row), &rows));
    const spark_bad_row *row = SPARK_ITEMS(spark_bad_row, &rows);
    for (size_t i = 0; i < rows.n; i++, row++) {
        const char *at = row->source.ptr + row->source.len;
        while (at > row->source.ptr && at[-1] != ' ') /* the partition, at the end */
            at--;
        const int n = snprintf(text, sizeof text, "%.*s:%lld ",
            (int)(row->source.ptr + row->source.len - at), at, (long long)row->position);
        oracle_append(&t, text, (size_t)n);
        oracle_append(&t, row->record.ptr, row->record.len);
        oracle_append(&t, " ", 1);
        oracle_append(&t, row->reason.ptr, row->reason.len);
        oracle_append(&t, "\n", 1);
    }
    spark_array_free(&rows);
    return t.bytes;
}

static const spark_bad_policy aside = { .mode = SPARK_BAD_ASIDE }, skip_bad = { .mode = SPARK_BAD_SKIP };

enum { BAD = (ROWS + 6) / 7 };

static void counts(spark_rdd *rdd, int64_t want_bad, int64_t want_records)
{
    int64_t records;
    assert_int_equal(spark_bad_count(rdd, &records), want_bad);
    assert_int_equal(records, want_records);
}

static void check_shape(const struct shape *s, const spark_conf *conf)
{
    spark_context *sc = oracle_open_conf(conf);
    char *want_aside = aside_of(s);
    for (int i = 0; i < 3; i++) { /* rows first; what is bad first; skipped only */
        spark_rdd *rdd = spark_on_bad_records(s->make(numbers(sc)), i == 2 ? &skip_bad : &aside);
        for (int turn = 0; turn < 2; turn++)
            if ((turn == 0) == (i == 1) && i < 2) {
                char *have = bad_of(rdd);
                assert_string_equal(have, want_aside);
                free(have);
            } else if (s->want) {
                char *have = oracle_layout(rdd), *want = wanted_of(s);
                if (!have)
                    fail_msg("%s", spark_last_error()->message);
                assert_string_equal(have, want);
                free(have);
                free(want);
            } else {
                oracle_count(rdd);
            }
        counts(rdd, BAD, ROWS);
    }
    free(want_aside);
    oracle_close(sc);
}

static void test_bad_records__are_left_out_and_put_aside(void **state)
{
    (void)state;
    const spark_fault at_random = { .kind = SPARK_FAULT_RANDOM,
        .job = SPARK_ANY,
        .stage = SPARK_ANY,
        .partition = SPARK_ANY,
        .attempt = SPARK_ANY,
        .rate = 0.3,
        .seed = 11 };
    const spark_conf confs[] = { { .threads = 1 }, { .threads = 2, .batch_rows = 7, .check = true },
        { .threads = 2, .faults = &at_random, .n_faults = 1 }, { .threads = 1, .batch_rows = 1 },
        { .threads = 2, .memory_bytes = 64 << 20, .crash_reports = true } };
    for (size_t i = 0; i < LENGTH(shapes); i++)
        for (size_t c = 0; c < LENGTH(confs); c++)
            check_shape(&shapes[i], &confs[c]);
}

static void test_without_a_policy__a_bad_record_fails_the_job(void **state)
{
    (void)state;
    int64_t n;
    for (size_t i = 0; i < LENGTH(shapes); i++)
        for (int mode = 0; mode < 2; mode++) {
            spark_context *sc = oracle_open_conf(&(spark_conf) { .threads = 2, .task_max_failures = 2 });
            spark_rdd *rdd = shapes[i].make(spark_range(sc, 1, 12, 1, 1));
            if (mode)
                rdd = spark_on_bad_records(rdd, &(spark_bad_policy) { .mode = SPARK_BAD_FAIL });
            oracle_fails(spark_count(rdd, &n), SPARK_ETASK, ": bad record: 7 is a multiple (");
            assert_int_equal(spark_last_error()->record, 6);
            counts(rdd, 0, 0);
            oracle_close(sc);
        }
}

/* ---- limits */

static spark_rdd *limited(spark_context *sc, int64_t count, double ratio, spark_bad_mode mode)
{
    return spark_on_bad_records(spark_map(numbers(sc), plain, NULL),
        &(spark_bad_policy) { .mode = mode, .max_count = count, .max_ratio = ratio });
}

static void test_limits__are_of_the_whole_rdd(void **state)
{
    (void)state;
    static const struct {
        int64_t count;
        double ratio;
        bool good;
    } cases[] = { { BAD, 0, true }, { BAD - 1, 0, false }, { 1, 0, false }, { BAD + 1, 0, true },
        { 0, (double)BAD / ROWS, true }, { 0, (BAD - 0.5) / ROWS, false }, { 0, 1, true },
        { BAD, (double)BAD / ROWS, true }, { BAD - 1, 1, false }, { 0, 1e-300, false } };
    for (size_t i = 0; i < LENGTH(cases); i++)
        for (int threads = 1; threads <= 2; threads++)
            for (int mode = SPARK_BAD_SKIP; mode <= SPARK_BAD_ASIDE; mode++) {
                int64_t n;
                spark_context *sc = oracle_open(threads);
                spark_rdd *rdd = limited(sc, cases[i].count, cases[i].ratio, (spark_bad_mode)mode);
                for (int again = 0; again < 2; again++) /* the second time fails as the first did */
                    if (cases[i].good) {
                        assert_int_equal(oracle_count(rdd), ROWS - BAD);
                        counts(rdd, BAD, ROWS);
                    } else {
                        oracle_fails(spark_count(rdd, &n), SPARK_ETASK, "map(plain) at " TEST_FILE);
                        assert_non_null(strstr(spark_last_error()->message, " are bad ("));
                        assert_non_null(strstr(spark_last_error()->message,
                            "; the first one of this partition: "));
                        assert_in_range(spark_bad_count(rdd, &n), 1, BAD);
                        const double limit = cases[i].ratio > 0 ? cases[i].ratio * ROWS : BAD;
                        const int64_t most = cases[i].count > 0 ? cases[i].count : BAD;
                        assert_true(spark_bad_count(rdd, &n) > most
                            || (double)spark_bad_count(rdd, &n) > limit);
                    }
                assert_int_equal(oracle_count(numbers(sc)), ROWS);
                oracle_close(sc);
            }
}

static void test_a_ratio__waits_for_all_partitions(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(1);
    int64_t n;
    spark_rdd *rdd = limited(sc, 0, 0.1, SPARK_BAD_SKIP); /* there are 14 % */
    for (int p = 0; p < PARTS; p++) {
        spark_array rows;
        const spark_status status = spark_collect_partitions(rdd, 1, &p, NULL, &rows);
        assert_int_equal(status, p < PARTS - 1 ? SPARK_OK : SPARK_ETASK);
        spark_array_free(&rows);
    }
    assert_true(spark_bad_count(rdd, &n) > 0);
    oracle_close(sc);
}

/* ---- what must not be seen in the numbers */

static void test_partitions_count_once__whatever_reads_them(void **state)
{
    (void)state;
    spark_context *sc = oracle_open(2);
    spark_array rows;
    spark_rdd *rdd = spark_on_bad_records(spark_map(numbers(sc), plain, NULL), &aside);
    counts(rdd, 0, 0);
    const int three = 3;
    oracle_ok(spark_collect_partitions(rdd, 1, &three, NULL, &rows));
    spark_array_free(&rows);
    const int64_t in_three = (int64_t)(slice(ROWS, PARTS, 4) - slice(ROWS, PARTS, 3));
    int64_t records;
    const int64_t of_three = spark_bad_count(rdd, &records);
    assert_int_equal(records, in_three);
    oracle_ok(spark_take(rdd, 1, NULL, &rows)); /* does not come to the end of partition 0 */
    spark_array_free(&rows);
    counts(rdd, of_three, in_three);
    spark_rdd *cached = spark_cache(rdd);
    spark_rdd *sorted = spark_sort_by(spark_union(cached, spark_coalesce(cached, 2)), NULL, 3);
    assert_int_equal(oracle_count(sorted), 2 * (ROWS - BAD));
    counts(rdd, BAD, ROWS);
    for (int p = 0; p < PARTS; p++)
        assert_true(spark_drop_block(cached, p));
    assert_int_equal(oracle_count(cached), ROWS - BAD);
    counts(rdd, BAD, ROWS);
    spark_unpersist(cached);
    assert_int_equal(oracle_count(spark_bad_records(rdd)), BAD);
    assert_int_equal(oracle_count(spark_repartition(spark_bad_records(rdd), 2)), BAD);
    counts(rdd, BAD, ROWS);
    oracle_close(sc);
}

static void test_ancestors__have_policies_of_their_own(void **state)
{
    (void)state;
    int64_t n;
    spark_context *sc = oracle_open(2);
    spark_rdd *first = spark_on_bad_records(spark_map(numbers(sc), plain, NULL), &skip_bad);
    spark_rdd *second = spark_on_bad_records(spark_filter(first, even, NULL), &aside);
    assert_int_equal(oracle_count(second), ROWS - BAD); /* x * 10 is even, and no multiple any more */
    counts(first, BAD, ROWS);
    counts(second, 0, ROWS - BAD);
    spark_rdd *third = spark_map(spark_map(second, twins, NULL), NULL, NULL);
    assert_int_equal(spark_count(third, &n), SPARK_EINVAL);
    spark_rdd *fails = spark_map(spark_on_bad_records(spark_filter(numbers(sc), even, NULL), &skip_bad),
        plain, NULL); /* what the policy lets through is fine, but 14 is not for the map */
    assert_int_equal(oracle_count(fails), ROWS / 2 - (ROWS + 13) / 14);
    oracle_close(sc);
}

/* ---- where they came from */

SPARK_MAP(parse, spark_str, int64_t)
{
    if (!spark_str_to_i64(*in, out))
        spark_bad_record(task, "\"%.*s\" is no number", (int)in->len, in->ptr);
}
SPARK_MAP(trim, spark_str, spark_str)
{
    *out = *in;
    while (out->len > 0 && out->ptr[0] == ' ') {
        out->ptr++;
        out->len--;
    }
}
SPARK_FILTER(no_comment, spark_str)
{
    return in->len == 0 || in->ptr[0] != '#';
}

static int lines_of(const char *path, int n, int every, oracle_text *bad)
{
    oracle_text all = { NULL, 0, 0 };
    int n_bad = 0;
    char text[80];
    for (int i = 1; i <= n; i++) {
        const bool is = i % every == 0;
        const int length = snprintf(text, sizeof text, is ? "line %d" : " %d", i);
        oracle_append(&all, text, (size_t)length);
        oracle_append(&all, "\r\n", 1 + (size_t)(i % 2)); /* \r or \r\n */
        n_bad += is;
        if (is)
            oracle_append(bad, text,
                (size_t)snprintf(text, sizeof text, "(%s,%d,line %d,\"line %d\" is no number) ", path, i, i, i));
    }
    scratch_write(path, all.bytes, all.length);
    free(all.bytes);
    return n_bad;
}

static void test_what_is_put_aside__names_file_and_line(void **state)
{
    (void)state;
    oracle_text want = { NULL, 0, 0 };
    lines_of("a.txt", 500, 9, &want);
    lines_of("b.txt", 300, 50, &want);
    want.bytes[--want.length] = 0;
    for (int parts = 1; parts < 40; parts += 6)
        for (int shape = 0; shape < 3; shape++) {
            spark_context *sc = oracle_open(2);
            spark_rdd *text = spark_text_file(sc, "a.txt,b.txt", parts);
            if (shape == 1)
                text = spark_union(spark_text_file(sc, "a.txt", parts), spark_text_file(sc, "b.txt", 1));
            if (shape == 2)
                text = spark_cache(text);
            spark_rdd *rdd = spark_map(spark_map(text, trim, NULL), parse, NULL);
            oracle_collects(spark_bad_records(spark_on_bad_records(rdd, &aside)), want.bytes);
            oracle_close(sc);
        }
    free(want.bytes);
}

static void test_what_is_put_aside__names_the_rdd_where_no_line_is_known(void **state)
{
    (void)state;
    scratch_write("c.txt", "#\n1\nx\n#\n2\ny\n", 12);
    spark_context *sc = oracle_open(1);
    spark_rdd *text = spark_filter(spark_text_file(sc, "c.txt", 1), no_comment, NULL);
    spark_rdd *rdd = spark_on_bad_records(spark_map(text, parse, NULL), &aside);
    spark_array rows;
    oracle_ok(spark_collect(spark_bad_records(rdd), SPARK_TYPE(spark_bad_row), &rows));
    assert_int_equal(rows.n, 2);
    const spark_bad_row *row = SPARK_ITEMS(spark_bad_row, &rows);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(row[i].position, 1 + 2 * i);
        assert_memory_equal(row[i].source.ptr, "filter(no_comment) at " TEST_FILE ":", 31);
    }
    spark_array_free(&rows);
    /* Whole files: the file, and no line. */
    rdd = spark_map(spark_values(spark_whole_text_files(sc, "c.txt", 1)), parse, NULL);
    oracle_collects(spark_bad_records(spark_on_bad_records(rdd, &aside)),
        "(c.txt,0,#\n1\nx\n#\n2\ny\n,\"#\n1\nx\n#\n2\ny\n\" is no number)");
    oracle_close(sc);
}

/* ---- what makes no sense */

static void refuses(spark_rdd *rdd, const char *words)
{
    int64_t n;
    oracle_fails(spark_count(rdd, &n), SPARK_EINVAL, words);
}

SPARK_PARTITIONS(whole, int64_t, int64_t)
{
    const int64_t *x;
    while ((x = spark_next(in)) != NULL)
        if (*x % 7 == 0)
            spark_bad_record(task, "in a whole partition");
        else
            spark_emit(out, *x);
}
SPARK_MERGE(adds, int64_t, int64_t)
{
    *acc += *in;
    if (*in % 7 == 0)
        spark_bad_record(task, "in a merge");
}

static void test_policies__that_make_no_sense_are_refused(void **state)
{
    (void)state;
    int64_t n;
    spark_array sum;
    spark_context *sc = oracle_open(1);
    spark_rdd *rdd = spark_map(numbers(sc), plain, NULL);
    refuses(spark_on_bad_records(rdd, NULL), "there is no policy");
    refuses(spark_on_bad_records(rdd, &(spark_bad_policy) { .mode = (spark_bad_mode)3 }), "no such mode");
    refuses(spark_on_bad_records(rdd, &(spark_bad_policy) { .max_count = -1 }), "max_count must be");
    refuses(spark_on_bad_records(rdd, &(spark_bad_policy) { .max_ratio = 1.5 }), "max_ratio 0 to 1");
    refuses(spark_on_bad_records(rdd, &(spark_bad_policy) { .max_ratio = 0.5 }), "a limit needs a mode");
    refuses(spark_bad_records(rdd), "no policy that puts bad records aside");
    assert_ptr_equal(spark_on_bad_records(rdd, &skip_bad), rdd);
    refuses(spark_bad_records(rdd), "no policy that puts bad records aside");
    refuses(spark_on_bad_records(rdd, &aside), "has a policy already");
    refuses(spark_on_bad_records(numbers(sc), &aside), "onBadRecords at " TEST_FILE);
    refuses(spark_on_bad_records(NULL, &aside), "NULL");
    rdd = spark_map_partitions(numbers(sc), whole, NULL);
    refuses(spark_on_bad_records(rdd, &aside), "for single elements");
    oracle_fails(spark_count(rdd, &n), SPARK_ETASK, "bad record: in a whole partition");
    oracle_fails(spark_reduce(numbers(sc), adds, NULL, NULL, &sum), SPARK_ETASK, "bad record: in a merge");
    assert_int_equal(spark_bad_count(NULL, &n), 0);
    /* A policy that comes too late. */
    rdd = spark_cache(spark_map(spark_range(sc, 1, 7, 1, 2), plain, NULL));
    assert_int_equal(oracle_count(rdd), 6);
    oracle_fails(spark_count(spark_bad_records(spark_on_bad_records(rdd, &aside)), &n), SPARK_EINVAL,
        "in memory before spark_on_bad_records");
    oracle_close(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        file_test(test_bad_records__are_left_out_and_put_aside),
        file_test(test_without_a_policy__a_bad_record_fails_the_job),
        file_test(test_limits__are_of_the_whole_rdd),
        file_test(test_a_ratio__waits_for_all_partitions),
        file_test(test_partitions_count_once__whatever_reads_them),
        file_test(test_ancestors__have_policies_of_their_own),
        file_test(test_what_is_put_aside__names_file_and_line),
        file_test(test_what_is_put_aside__names_the_rdd_where_no_line_is_known),
        file_test(test_policies__that_make_no_sense_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
