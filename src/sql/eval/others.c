/* SPDX-License-Identifier: Apache-2.0 */
/* Functions about types and the session, errors on purpose, and casts by the names of types. */
#include "base/small.h"

#include "sql/eval/kernel.h"
#include "sql/eval/resolve.h"

static void constant_text(spk_sql_frame *f, const char *text)
{
    SPK_EACH_ROW(f, i)
    SPK_SQL_OUT(spark_str, f, i) = (spark_str) { text, strlen(text) };
}

static SPK_COLD bool resolve_typeof(spk_sql_build *b, spk_sql_expr *call)
{
    const char *text = spk_sql_type_text(b->arena, call->args[0]->type);
    if (!text) {
        spk_sql_nomem(b->error);
        return false;
    }
    return spk_sql_rewrite(b, call, spk_sql_string(b, text, strlen(text), call->span));
}

static void session_text(spk_sql_frame *f)
{
    const spk_sql_session *s = f->expr->session;
    const char *name = f->expr->function->name;
    const char *text = strstr(name, "user") ? s->user
        : strstr(name, "catalog")           ? s->catalog
                                            : s->database;
    constant_text(f,
        text                          ? text
            : strstr(name, "user")    ? ""
            : strstr(name, "catalog") ? "spark_catalog"
                                      : "default");
}

static SPK_COLD bool resolve_session(spk_sql_build *b, spk_sql_expr *call)
{
    (void)b;
    call->type = spk_sql_type_of(SPK_SQL_STRING);
    return call->session != NULL;
}

static void version(spk_sql_frame *f)
{
    constant_text(f, "4.0.0 (libspark)");
}

static void empty(spk_sql_frame *f)
{
    constant_text(f, "");
}

static void row_number(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    SPK_SQL_OUT(int64_t, f, i) = (int64_t)(spk_sql_run_first(f->run) + i);
}

static void partition(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    SPK_SQL_OUT(int32_t, f, i) = (int32_t)(spk_sql_run_first(f->run) >> 33);
}

/* uuid: by the query's time and the number of the row. */
static void uuid(spk_sql_frame *f)
{
    static const char digits[] = "0123456789abcdef";
    SPK_EACH_ROW(f, i)
    {
        uint64_t x = (uint64_t)f->expr->session->now ^ (uint64_t)f->expr->span.from << 40, words[2];
        x = (x + spk_sql_run_first(f->run) + i) * UINT64_C(0x9e3779b97f4a7c15);
        for (int k = 0; k < 2; k++) {
            x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
            x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb) + 1;
            words[k] = x ^ x >> 31;
        }
        char *out = spk_sql_alloc(f, 36, 1);
        if (!out)
            return;
        words[0] = (words[0] & ~UINT64_C(0xf000)) | 0x4000;
        words[1] = (words[1] & ~(UINT64_C(3) << 62)) | UINT64_C(2) << 62;
        for (size_t k = 0, n = 0; k < 32; k++) {
            if (k == 8 || k == 12 || k == 16 || k == 20)
                out[n++] = '-';
            out[n++] = digits[words[k / 16] >> (60 - 4 * (k % 16)) & 15];
        }
        SPK_SQL_OUT(spark_str, f, i) = (spark_str) { out, 36 };
    }
}

/* raise_by: the message is an argument. */
static void raise_by(spk_sql_frame *f, size_t arg, uint32_t i)
{
    const spark_str s
        = spk_sql_valid(&f->args[arg], i) ? SPK_SQL_ARG(spark_str, f, arg, i) : (spark_str) { "null", 4 };
    spk_sql_param(spk_sql_raise(f, "USER_RAISED_EXCEPTION"), "errorMessage", "%.*s",
        (int)(s.len < 500 ? s.len : 500), s.ptr);
}

static void raise_error(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    {
        raise_by(f, 0, i);
        return;
    }
}

static void assert_true(spk_sql_frame *f)
{
    SPK_EACH_ROW(f, i)
    {
        f->out_valid[i] = 0;
        if (spk_sql_valid(&f->args[0], i) && SPK_SQL_ARG(bool, f, 0, i))
            continue;
        char text[400];
        if (f->n_args > 1) {
            raise_by(f, 1, i);
        } else {
            spk_sql_expr_print(f->expr->args[0], text, sizeof text);
            spk_sql_param(spk_sql_raise(f, "USER_RAISED_EXCEPTION"), "errorMessage",
                "'%s' is not true!", text);
        }
        return;
    }
}

static SPK_COLD bool resolve_assert(spk_sql_build *b, spk_sql_expr *call)
{
    call->type = spk_sql_type_of(SPK_SQL_VOID);
    call->nullable = true;
    call->foldable = false;
    return spk_sql_want(b, call, 0, 'b') && (call->n < 2 || spk_sql_want(b, call, 1, 's'));
}

static SPK_COLD bool resolve_raise(spk_sql_build *b, spk_sql_expr *call)
{
    call->type = spk_sql_type_of(SPK_SQL_VOID);
    call->nullable = true;
    call->foldable = false;
    return spk_sql_want(b, call, 0, 's');
}

static SPK_COLD bool resolve_cast(spk_sql_build *b, spk_sql_expr *call)
{
    const char *name = call->function->name;
    const spk_sql_type *to = spk_sql_type_parse(b->arena, name, strlen(name));
    return to && spk_sql_rewrite(b, call, spk_sql_cast(b, call->args[0], to, false, call->span));
}

#define CAST(name_)                                                                                \
    {                                                                                              \
        .name = name_, .least = 1, .most = 1, .resolve = resolve_cast                              \
    }
#define SESSION(name_)                                                                             \
    {                                                                                              \
        .name = name_, .kernel = session_text, .resolve = resolve_session                          \
    }

const spk_sql_function spk_sql_others[]
    = { { .name = "typeof", .least = 1, .most = 1, .resolve = resolve_typeof },
          SESSION("current_user"), SESSION("user"), SESSION("session_user"),
          SESSION("current_catalog"), SESSION("current_database"), SESSION("current_schema"),
          { .name = "version", .signature = ":s", .kernel = version },
          { .name = "input_file_name", .signature = ":s", .kernel = empty },
          { .name = "monotonically_increasing_id",
              .signature = ":l",
              .flags = SPK_SQL_RANDOM,
              .kernel = row_number },
          { .name = "spark_partition_id",
              .signature = ":i",
              .flags = SPK_SQL_RANDOM,
              .kernel = partition },
          { .name = "uuid", .flags = SPK_SQL_RANDOM, .kernel = uuid, .resolve = resolve_session },
          { .name = "raise_error",
              .least = 1,
              .most = 1,
              .flags = SPK_SQL_NULL_AWARE,
              .kernel = raise_error,
              .resolve = resolve_raise },
          { .name = "assert_true",
              .least = 1,
              .most = 2,
              .flags = SPK_SQL_NULL_AWARE,
              .kernel = assert_true,
              .resolve = resolve_assert },
          CAST("boolean"), CAST("tinyint"), CAST("smallint"), CAST("int"), CAST("bigint"),
          CAST("float"), CAST("double"), CAST("decimal"), CAST("string"), CAST("binary"),
          CAST("date"), CAST("time"), CAST("timestamp"), { 0 } };
