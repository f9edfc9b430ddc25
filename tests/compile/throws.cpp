/* SPDX-License-Identifier: Apache-2.0 */
/* C++: an exception that leaves a function of the user fails the attempt and nothing else: it never
 * reaches the library's frames, not even where the caller of the action would catch it. And what C++
 * says otherwise than C: literals as environments, numbers by their own names, counted inputs. */
#include <spark.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>

enum class mode : long { fail_always, fail_once, pass };
SPARK_PAIR(tally, int, long long);

static void maybe(spark_task *task, const mode &how, int x)
{
    if (x == 7 && (how == mode::fail_always || (how == mode::fail_once && !spark_task_attempt(task))))
        throw std::runtime_error("seven");
}

SPARK_MAP(at_map, int, int, mode)
{
    const std::string unwound(100, 'x');
    maybe(task, *env, *in);
    *out = *in + (unwound.size() != 100);
}
SPARK_FILTER(at_filter, int, mode)
{
    maybe(task, *env, *in);
    return true;
}
SPARK_FLAT_MAP(at_flat_map, int, int, mode)
{
    spark_emit(out, *in);
    maybe(task, *env, *in);
}
SPARK_FILTER_MAP(at_filter_map, int, int, mode)
{
    maybe(task, *env, *in);
    *out = *in;
    return true;
}
SPARK_PARTITIONS(at_partitions, int, int, mode)
{
    while (const int *x = spark_next(in)) {
        spark_emit(out, *x);
        maybe(task, *env, *x);
    }
}
SPARK_BEGIN(at_step, int, int, int, mode)
{
    *state = 0;
}
SPARK_STEP(at_step, int, int, int, mode)
{
    maybe(task, *env, *in);
    ++*state;
    spark_emit(out, *in);
}
SPARK_FINISH(at_step, int, int, int, mode)
{
    if (*state > 0)
        maybe(task, *env, 7);
}
SPARK_BEGIN(at_begin, int, int, int, mode)
{
    maybe(task, *env, 7);
}
SPARK_STEP(at_begin, int, int, int, mode)
{
    spark_emit(out, *in);
}
SPARK_FINISH(at_begin, int, int, int, mode) {}
SPARK_MAP(to_tally, int, tally)
{
    *out = { *in % 3, *in };
}
SPARK_MERGE(at_merge, long long, long long, mode)
{
    maybe(task, *env, *in == 7 || *acc == 7 ? 7 : 0);
    *acc += *in;
}
SPARK_PARTITIONER(at_partitioner, int, mode)
{
    maybe(task, *env, *key == 1 ? 7 : 0);
    return static_cast<uint32_t>(*key) % partitions;
}
SPARK_GROUP(at_group, int, long long, int, mode)
{
    maybe(task, *env, *key == 1 ? 7 : 0);
    while (const long long *x = spark_next(in))
        spark_emit(out, static_cast<int>(*x));
}
SPARK_JOIN(at_join, int, long long, long long, int, mode)
{
    maybe(task, *env, static_cast<int>(*left));
    if (*left == *right)
        spark_emit(out, static_cast<int>(*left + *key * 0));
}
SPARK_ZIP_PARTITIONS(at_zip, int, int, int, mode)
{
    while (const int *x = spark_next(a)) {
        maybe(task, *env, *x);
        spark_emit(out, *spark_next(b));
    }
}
SPARK_FOREACH(at_foreach, int, mode)
{
    maybe(task, *env, *in);
}
SPARK_FOREACH_PARTITION(at_foreach_partition, int, mode)
{
    while (const int *x = spark_next(in))
        maybe(task, *env, *x);
}
SPARK_COALESCER(at_coalescer, mode)
{
    if (*env == mode::fail_always)
        throw 7;
    for (int i = 0; i < n; i++)
        group_of[i] = 0;
    return n > 0;
}
SPARK_MAP(throws_int, int, int)
{
    if (*in == 7)
        throw 7;
    *out = *in;
}
SPARK_FILTER(is_near, int, double)
{
    return *in < *env;
}

static void check(bool good, const char *what)
{
    if (!good) {
        std::fprintf(stderr, "%s: %s\n", what, spark_last_error()->message);
        std::exit(1);
    }
}

/* counts: that the RDD has n elements when its function passes, and how it fails when it throws. */
static void counts(mode how, spark_rdd *rdd, const char *name, int64_t want)
{
    int64_t n = -1;
    spark_status status = SPARK_OK;
    try {
        status = spark_count(rdd, &n);
    } catch (...) {
        check(false, "an exception came through the library");
    }
    if (how != mode::fail_always)
        check(status == SPARK_OK && n == want, name);
    else
        check(status == SPARK_ETASK && std::strstr(spark_last_error()->message, "exception: seven")
                && std::strstr(spark_last_error()->message, name),
            name);
}

static void round_of(spark_context *sc, mode how)
{
    SPARK_SCOPED(sc);
    const int digits[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 };
    spark_rdd *rdd = spark_parallelize(sc, SPARK_DATA_OF(int, digits), 2);
    spark_rdd *pairs = spark_map(rdd, to_tally, nullptr);
    const spark_env_cxx_ env = SPARK_COPY(how);
    counts(how, spark_map(rdd, at_map, env), "at_map", 10);
    counts(how, spark_filter(rdd, at_filter, env), "at_filter", 10);
    counts(how, spark_flat_map(rdd, at_flat_map, env), "at_flat_map", 10);
    counts(how, spark_filter_map(rdd, at_filter_map, env), "at_filter_map", 10);
    counts(how, spark_map_partitions(rdd, at_partitions, env), "at_partitions", 10);
    counts(how, spark_map_stateful(rdd, at_step, env), "at_step", 10);
    counts(how, spark_map_stateful(rdd, at_begin, env), "at_begin", 10);
    counts(how, spark_reduce_by_key(pairs, at_merge, env, 2), "at_merge", 3);
    counts(how, spark_partition_by(pairs, spark_partitioner_new(sc, 2, at_partitioner, env)),
        "at_partitioner", 10);
    counts(how, spark_group_map_by_key(pairs, at_group, env, 2), "at_group", 10);
    counts(how, spark_join_map(pairs, pairs, SPARK_INNER, at_join, env, 2), "at_join", 10);
    counts(how, spark_zip_partitions(rdd, rdd, at_zip, env), "at_zip", 10);
    const spark_status wanted = how == mode::fail_always ? SPARK_ETASK : SPARK_OK;
    check(spark_foreach(rdd, at_foreach, env) == wanted, "at_foreach");
    check(spark_foreach_partition(rdd, at_foreach_partition, env) == wanted, "at_foreach_partition");
    int64_t n;
    const spark_status coalesced = spark_count(spark_coalesce_by(rdd, 1, at_coalescer, env), &n);
    check((coalesced != SPARK_OK) == (how == mode::fail_always), "at_coalescer");
}

int main()
{
    int64_t n = 0;
    spark_array near;
    spark_conf conf = {};
    for (conf.threads = 1; conf.threads <= 2; conf.threads++) {
        spark_context *sc = spark_context_new(&conf);
        round_of(sc, mode::pass);
        round_of(sc, mode::fail_once);
        round_of(sc, mode::fail_always);
        round_of(sc, mode::pass);
        spark_rdd *rdd = spark_parallelize(sc, SPARK_LITERALS(int, 1, 2, 3, 7), 1);
        check(spark_count(spark_map(rdd, throws_int, nullptr), &n) == SPARK_ETASK
                && std::strstr(spark_last_error()->message, "no std::exception"),
            "throws_int");
        check(spark_collect(
                  spark_filter(rdd, is_near, SPARK_COPY(double { 2.5 })), SPARK_TYPE(int), &near)
                    == SPARK_OK
                && near.n == 2 && SPARK_ITEMS(int, &near)[1] == 2,
            "is_near");
        spark_array_free(&near);
        check(spark_count(spark_filter(rdd, is_near, SPARK_COPY(int64_t { 2 })), &n) == SPARK_EINVAL
                && std::strstr(spark_last_error()->message,
                    "env has 8 bytes (int64_t), the function wants 8 (double)"),
            "is_near of an int64_t");
        check(spark_count(spark_filter(rdd, at_filter, SPARK_COPY(2.5)), &n) == SPARK_EINVAL,
            "at_filter of a double");
        spark_context_free(sc);
    }
    return 0;
}
