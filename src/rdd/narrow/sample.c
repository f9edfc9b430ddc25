/* SPDX-License-Identifier: Apache-2.0 */
/* Samples. Few hits: the gaps between them are drawn, geometrically, instead of each element
 * (Devroye; Spark does so up to 0.4). What is drawn depends on the seed, the partition and the
 * position in it alone, so splits with the same seed are disjoint and a repeated attempt draws the
 * same. */
#include <spark/transform.h>

#include "base/random.h"
#include "rdd/verb.h"

typedef struct sample_rdd {
    spark_rdd rdd;
    uint64_t seed;
    double low, high; /* of what is drawn: kept when low <= u < high; high - low is the fraction */
} sample_rdd;

typedef struct sampling {
    spk_random random;
    uint64_t gap; /* elements to pass over */
    spk_arena *arenas;
} sampling;

enum { GAPS_UP_TO_PERCENT = 40 };

static bool by_gaps(double fraction)
{
    return fraction > 0 && fraction * 100 <= GAPS_UP_TO_PERCENT;
}

static bool open_sample(spk_pipe *pipe, spk_op *op)
{
    const sample_rdd *s = SPK_NODE(sample_rdd, op->rdd);
    sampling *state = spk_arena_alloc(spk_keep_of(pipe->task), sizeof *state, 16);
    if (!state) {
        spk_task_nomem(pipe->task);
        return false;
    }
    state->random = spk_random_of(s->seed, (uint64_t)op->partition);
    state->gap = 0;
    state->arenas = spk_step_arenas(pipe->task);
    op->state = state;
    return state->arenas != NULL;
}

static char *copy_row(char *to, const char *from, size_t size)
{
    memcpy(to, from, size);
    return to + size;
}

/* ---- without replacement */

static bool open_gaps(spk_pipe *pipe, spk_op *op)
{
    const sample_rdd *s = SPK_NODE(sample_rdd, op->rdd);
    if (!open_sample(pipe, op))
        return false;
    sampling *state = op->state;
    state->gap = spk_random_gap(&state->random, s->high);
    return true;
}

static void run_gaps(spk_pipe *pipe, spk_op *op, spk_batch *batch)
{
    const sample_rdd *s = SPK_NODE(sample_rdd, op->rdd);
    sampling *state = op->state;
    const size_t size = op->rdd->layout->size;
    const spk_batch in = *batch;
    batch->rows = spk_pipe_alloc(pipe, in.n * size + 1);
    batch->n = 0;
    if (!batch->rows)
        return;
    uint64_t i = state->gap;
    for (char *to = batch->rows; i < in.n; i += 1 + spk_random_gap(&state->random, s->high)) {
        to = copy_row(to, in.rows + i * size, size);
        batch->n++;
    }
    state->gap = i - in.n;
}

static void run_cells(spk_pipe *pipe, spk_op *op, spk_batch *batch)
{
    const sample_rdd *s = SPK_NODE(sample_rdd, op->rdd);
    sampling *state = op->state;
    const size_t size = op->rdd->layout->size;
    const spk_batch in = *batch;
    char *to = batch->rows = spk_pipe_alloc(pipe, in.n * size + 1);
    batch->n = 0;
    for (size_t i = 0; to && i < in.n; i++) {
        const double u = spk_random_unit(&state->random);
        if (u < s->low || u >= s->high)
            continue;
        to = copy_row(to, in.rows + i * size, size);
        batch->n++;
    }
}

/* ---- with replacement */

static void run_poisson(spk_pipe *pipe, spk_op *op, spk_batch *batch)
{
    const sample_rdd *s = SPK_NODE(sample_rdd, op->rdd);
    sampling *state = op->state;
    const size_t size = op->rdd->layout->size;
    const spk_batch in = *batch;
    spk_out out;
    batch->n = 0;
    if (!spk_out_open(&out, pipe, (size_t)(op - pipe->ops) + 1, size, state->arenas))
        return;
    for (size_t i = 0; i < in.n && !out.head.closed; i++) {
        out.head.rows++;
        for (uint64_t k = spk_random_poisson(&state->random, s->high); k > 0; k--) {
            if (out.head.next == out.head.end && !spk_emitter_room(&out.head))
                break;
            out.head.next = copy_row(out.head.next, in.rows + i * size, size);
        }
    }
    spk_out_close(&out, batch);
}

static const spk_class gaps_class
    = { .name = "PartitionwiseSampledRDD", .open = open_gaps, .run = run_gaps };
static const spk_class cells_class
    = { .name = "PartitionwiseSampledRDD", .open = open_sample, .run = run_cells };
static const spk_class poisson_class
    = { .name = "PartitionwiseSampledRDD", .open = open_sample, .run = run_poisson };

static spark_rdd *new_sample(
    spk_verb *v, spark_rdd *parent, const spk_class *class, uint64_t seed, double low, double high)
{
    bool made;
    spark_rdd *rdd = spk_verb_make(v, class, sizeof(sample_rdd), v->in, &made);
    if (made) {
        sample_rdd *s = SPK_NODE(sample_rdd, rdd);
        s->seed = seed;
        s->low = low;
        s->high = high;
        spk_rdd_partitioner_set(rdd, parent->partitioner);
    }
    return rdd;
}

spark_rdd *spark_sample(
    spark_site at, spark_rdd *rdd, bool with_replacement, double fraction, uint64_t seed)
{
    const double tolerance = 1e-6;
    spk_verb v;
    spk_verb_begin(&v, at, "sample", NULL, 1, &rdd, NULL);
    if (!(fraction >= 0) || (!with_replacement && fraction > 1 + tolerance) || fraction > 1e9)
        spk_verb_fail(&v, SPARK_EINVAL, "a fraction of %g; %s", fraction,
            with_replacement ? "it must be between 0 and 1e9" : "it must be between 0 and 1");
    return new_sample(&v, rdd,
        with_replacement        ? &poisson_class
            : by_gaps(fraction) ? &gaps_class
                                : &cells_class,
        seed, 0, !with_replacement && fraction > 1 ? 1 : fraction);
}

void spark_random_split(spark_site at, spark_rdd *rdd, size_t n, const double *weights,
    uint64_t seed, spark_rdd *parts[])
{
    double sum = 0, done = 0;
    bool good = true;
    if (!parts) {
        spk_raisef(SPARK_EINVAL, "randomSplit", at,
            "randomSplit at %s: there is no place for the %zu parts", at, n);
        return;
    }
    for (size_t i = 0; i < n && weights; i++) {
        good = good && weights[i] >= 0;
        sum += weights[i];
    }
    for (size_t i = 0; i < n; i++) {
        spk_verb v;
        spk_verb_begin(&v, at, "randomSplit", NULL, 1, &rdd, NULL);
        if (!weights)
            spk_verb_fail(&v, SPARK_EINVAL, "the weights are NULL");
        else if (!good)
            spk_verb_fail(&v, SPARK_EINVAL, "a weight is negative or no number");
        else if (!(sum > 0 && sum < HUGE_VAL))
            spk_verb_fail(&v, SPARK_EINVAL, "the weights sum to %g, not to more than 0", sum);
        const double low = done / sum;
        done += weights ? weights[i] : 0;
        parts[i] = new_sample(&v, rdd, &cells_class, seed, low, i + 1 == n ? 1 : done / sum);
    }
}
