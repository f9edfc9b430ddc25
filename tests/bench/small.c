/* SPDX-License-Identifier: Apache-2.0 */
/* Small things, as medians over n of them (1000): a context started and freed, and the count of an
 * RDD of one empty partition. rows is how many were done, the checksum what the counts add up to.
 *
 * By hand: threads started and joined; one number asked of another thread. */
#include "bench.h"

#include <pthread.h>

static int compare_seconds(const void *x, const void *y)
{
    const double a = *(const double *)x, b = *(const double *)y;
    return (a > b) - (a < b);
}

/* What both do n times; once() returns what it counted. */
typedef struct repeated {
    spark_context *sc;
    const bench_options *options;
    int64_t (*once)(struct repeated *r);
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t asked, answered;
    int question; /* 1: asked; 2: answered; -1: the thread shall end */
    bench_answer found;
} repeated;

static repeated *repeated_new(const bench_options *o, int64_t (*once)(repeated *r))
{
    repeated *r = (repeated *)bench_alloc(1, sizeof *r);
    *r = (repeated) { .options = o, .once = once };
    return r;
}

static void run(void *state)
{
    repeated *r = (repeated *)state;
    const size_t n = (size_t)r->options->size;
    double *seconds = (double *)bench_alloc(n, sizeof *seconds);
    r->found = (bench_answer) { n, 0, 0, 0 };
    for (size_t i = 0; i < n; i++) {
        const double start = bench_now();
        r->found.checksum += (uint64_t)r->once(r);
        seconds[i] = bench_now() - start;
    }
    qsort(seconds, n, sizeof *seconds, compare_seconds);
    r->found.seconds = n ? seconds[n / 2] : 0;
    free(seconds);
}

static bench_answer answer(void *state)
{
    return ((const repeated *)state)->found;
}

/* With libspark. */

static int64_t spark_context_once(repeated *r)
{
    spark_context_free(bench_context(r->options));
    return 0;
}

static int64_t spark_count_once(repeated *r)
{
    SPARK_SCOPED(r->sc);
    int64_t n;
    bench_ok(spark_count(spark_range(r->sc, 0, 0, 1, 1), &n));
    return n;
}

static void *spark_context_open(const bench_options *o)
{
    return repeated_new(o, spark_context_once);
}

static void *spark_count_open(const bench_options *o)
{
    repeated *r = repeated_new(o, spark_count_once);
    r->sc = bench_context(o);
    return r;
}

/* By hand. */

static void *nothing(void *argument)
{
    return argument;
}

static int64_t plain_threads_once(repeated *r)
{
    (void)r;
    pthread_t thread;
    if (pthread_create(&thread, NULL, nothing, NULL) != 0)
        bench_die("cannot start a thread");
    pthread_join(thread, NULL);
    return 0;
}

static void *answer_questions(void *argument)
{
    repeated *r = (repeated *)argument;
    pthread_mutex_lock(&r->mutex);
    while (r->question >= 0) {
        if (r->question == 1) {
            r->question = 2;
            pthread_cond_signal(&r->answered);
        }
        pthread_cond_wait(&r->asked, &r->mutex);
    }
    pthread_mutex_unlock(&r->mutex);
    return NULL;
}

static void ask(repeated *r, int question)
{
    pthread_mutex_lock(&r->mutex);
    r->question = question;
    pthread_cond_signal(&r->asked);
    while (r->question == 1)
        pthread_cond_wait(&r->answered, &r->mutex);
    pthread_mutex_unlock(&r->mutex);
}

static int64_t plain_count_once(repeated *r)
{
    ask(r, 1);
    return 0;
}

static void *plain_context_open(const bench_options *o)
{
    return repeated_new(o, plain_threads_once);
}

static void *plain_count_open(const bench_options *o)
{
    repeated *r = repeated_new(o, plain_count_once);
    pthread_mutex_init(&r->mutex, NULL);
    pthread_cond_init(&r->asked, NULL);
    pthread_cond_init(&r->answered, NULL);
    if (pthread_create(&r->thread, NULL, answer_questions, r) != 0)
        bench_die("cannot start a thread");
    return r;
}

static void plain_count_close(void *state)
{
    repeated *r = (repeated *)state;
    ask(r, -1);
    pthread_join(r->thread, NULL);
    pthread_cond_destroy(&r->answered);
    pthread_cond_destroy(&r->asked);
    pthread_mutex_destroy(&r->mutex);
    free(r);
}

static bench_answer expect(const bench_options *o)
{
    return (bench_answer) { (uint64_t)o->size, 0, 0, 0 };
}

int main(int argc, char **argv)
{
    static const bench_work context = { .name = "small_context",
        .size = 1000,
        .spark = { spark_context_open, run, answer, bench_close },
        .plain = { plain_context_open, run, answer, free },
        .expect = expect };
    static const bench_work count = { .name = "small_count",
        .size = 1000,
        .spark = { spark_count_open, run, answer, bench_close },
        .plain = { plain_count_open, run, answer, plain_count_close },
        .expect = expect };
    const int failed = bench_main(&context, argc, argv);
    return failed ? failed : bench_main(&count, argc, argv);
}
