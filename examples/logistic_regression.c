/* SPDX-License-Identifier: Apache-2.0 */
/* Logistic regression over a file of samples, a line "LABEL X X X X" each, the label 0 or 1: plain
 * gradient descent from zero. Prints the weights (the first is the constant), the mean loss and how
 * many samples the model gets right.
 *   usage: logistic_regression [--event-log DIR] [--report FILE] [--trace FILE] [--progress] [FILE [ROUNDS]] */
#include <inttypes.h>
#include <math.h>
#include <spark.h>

#include "watch.h"

enum { FEATURES = 4, WEIGHTS = FEATURES + 1, PARTITIONS = 4 };

SPARK_STRUCT(sample, (double, label), (double, x, WEIGHTS)); /* x[0] is 1 */
SPARK_STRUCT(model, (double, weight, WEIGHTS));
SPARK_STRUCT(sums, (double, gradient, WEIGHTS), (double, loss), (int64_t, right), (int64_t, n));

SPARK_MAP(parse_sample, spark_str, sample)
{
    spark_str line = *in, more;
    bool good = spark_str_next_f64(&line, &out->label) && (out->label == 0 || out->label == 1);
    out->x[0] = 1;
    for (int i = 1; i < WEIGHTS && good; i++)
        good = spark_str_next_f64(&line, &out->x[i]) && isfinite(out->x[i]);
    if (!good || spark_str_next_word(&line, &more))
        spark_fail(task, "not a sample: " SPARK_STR_FMT, SPARK_STR_ARG(*in));
}

/* The model is the env of both merges; only the first looks at it. */
SPARK_MERGE(add_sample, sums, sample, model)
{
    double z = 0;
    for (int i = 0; i < WEIGHTS; i++)
        z += env->weight[i] * in->x[i];
    const double p = 1 / (1 + exp(-z));
    for (int i = 0; i < WEIGHTS; i++)
        acc->gradient[i] += (p - in->label) * in->x[i];
    /* log(1 + exp(z)) - label * z, without overflow */
    acc->loss += fmax(z, 0) + log1p(exp(-fabs(z))) - in->label * z;
    acc->right += (z > 0) == (in->label > 0);
    acc->n++;
}

SPARK_MERGE(add_sums, sums, sums, model)
{
    for (int i = 0; i < WEIGHTS; i++)
        acc->gradient[i] += in->gradient[i];
    acc->loss += in->loss;
    acc->right += in->right;
    acc->n += in->n;
}

/* look: what the model makes of all samples. */
static spark_status look(spark_context *sc, spark_rdd *samples, const model *m, sums *found)
{
    SPARK_SCOPED(sc);
    spark_broadcast *shared = spark_broadcast_new(sc, SPARK_VALUE(model, m));
    spark_array result;
    const spark_status status = spark_tree_aggregate(
        samples, SPARK_ZERO(sums), add_sample, add_sums, SPARK_SHARED(shared), 2, &result);
    if (status == SPARK_OK)
        *found = *SPARK_ITEMS(sums, &result);
    spark_array_free(&result);
    return status;
}

int main(int argc, char **argv)
{
    const watch_options watch = watch_arguments(&argc, argv);
    const char *file = argc > 1 ? argv[1] : SPARK_EXAMPLES_DATA "/samples.txt";
    int64_t rounds = 100;
    if (argc > 3
        || (argc == 3 && !spark_str_to_i64((spark_str) { argv[2], strlen(argv[2]) }, &rounds)))
        return fputs("usage: logistic_regression [--event-log DIR] [--report FILE] [--trace FILE] [--progress] [FILE "
            "[ROUNDS]]\n", stderr), 2;
    const double rate = 1;

    spark_context *sc = watched_context(&(spark_conf) { .app_name = "logistic_regression" }, &watch);
    spark_rdd *lines = spark_text_file(sc, file, PARTITIONS);
    spark_rdd *samples = spark_cache(spark_map(lines, parse_sample, NULL));
    model m = { { 0 } };
    sums s = { { 0 }, 0, 0, 0 };
    spark_status status = look(sc, samples, &m, &s);
    for (int64_t round = 0; round < rounds && s.n > 0 && status == SPARK_OK; round++) {
        for (int i = 0; i < WEIGHTS; i++)
            m.weight[i] -= rate * s.gradient[i] / (double)s.n;
        status = look(sc, samples, &m, &s);
    }
    const int failed = status == SPARK_OK ? 0 : spark_complain("logistic_regression");
    if (!failed) {
        for (int i = 0; i < WEIGHTS; i++)
            printf("%.6f\n", m.weight[i]);
        printf("loss %.6f, %" PRId64 " of %" PRId64 " right\n", s.n > 0 ? s.loss / (double)s.n : 0,
            s.right, s.n);
    }
    spark_context_free(sc);
    return failed;
}
