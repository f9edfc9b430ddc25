/* SPDX-License-Identifier: Apache-2.0 */
/* Batches in: they stay as their producer made them, as long as the RDD; tasks make rows of them. */
#include "base/small.h"

#include <errno.h>
#include <stdlib.h>

#include "rdd/verb.h"
#include "sql/arrow/read.h"
#include "sql/exec/result.h"

typedef struct batches {
    struct ArrowArray *at;
    uint64_t *ends; /* rows up to the end of each */
    size_t n, room;
} batches;

typedef struct arrow_rdd {
    spark_rdd rdd;
    spk_query *query;
    const spk_arrow_in *in;
    const spk_form *form;
    batches batches;
} arrow_rdd;

static void release_batches(batches *b)
{
    for (size_t i = 0; i < b->n; i++)
        if (b->at[i].release)
            b->at[i].release(&b->at[i]);
    free(b->at);
    free(b->ends);
    *b = (batches) { NULL, NULL, 0, 0 };
}

/* ---- taking a stream over */

static spark_status from_stream(struct ArrowArrayStream *stream, int number, spk_failure *failure)
{
    const char *why = stream->get_last_error ? stream->get_last_error(stream) : NULL;
    return spk_failure_set(failure, number == ENOMEM ? SPARK_ENOMEM : number == EINVAL ? SPARK_EINVAL : SPARK_EIO, NULL,
        NULL, "the stream of Arrow says: %s", why && *why ? why : strerror(number));
}

static bool grow(batches *b)
{
    if (b->n < b->room)
        return true;
    const size_t room = b->room ? 2 * b->room : 16;
    struct ArrowArray *at = realloc(b->at, room * sizeof *at);
    if (at)
        b->at = at;
    uint64_t *ends = at ? realloc(b->ends, room * sizeof *ends) : NULL;
    if (!ends)
        return false;
    b->ends = ends;
    b->room = room;
    return true;
}

/* no_null_rows: a batch has columns with nulls, not rows. */
static bool no_null_rows(const struct ArrowArray *a)
{
    const uint8_t *bits = a->null_count != 0 ? a->buffers[0] : NULL;
    for (int64_t i = a->offset; bits && i < a->offset + a->length; i++)
        if (!(bits[i >> 3] >> (i & 7) & 1))
            return false;
    return true;
}

static spark_status take_batches(
    struct ArrowArrayStream *stream, const spk_arrow_in *in, batches *b, spk_failure *failure)
{
    for (;;) {
        if (!grow(b))
            return spk_failure_nomem(failure, NULL, NULL);
        struct ArrowArray *a = &b->at[b->n];
        memset(a, 0, sizeof *a);
        const int number = stream->get_next(stream, a);
        if (number)
            return from_stream(stream, number, failure);
        if (!a->release)
            return SPARK_OK;
        b->n++;
        if (!spk_arrow_in_check(in, a, failure))
            return failure->code;
        if (!no_null_rows(a))
            return spk_failure_set(failure, SPARK_EINVAL, NULL, NULL, "a record batch of Arrow has rows that are null");
        b->ends[b->n - 1] = (b->n > 1 ? b->ends[b->n - 2] : 0) + (uint64_t)a->length;
    }
}

static const spk_arrow_in *take_schema(spk_query *q, struct ArrowArrayStream *stream, spk_failure *failure)
{
    struct ArrowSchema schema;
    memset(&schema, 0, sizeof schema);
    const int number = stream->get_schema ? stream->get_schema(stream, &schema) : EINVAL;
    if (number) {
        from_stream(stream, number, failure);
        return NULL;
    }
    const spk_arrow_in *in = spk_arrow_in_of(&q->arena, &schema, failure);
    if (schema.release)
        schema.release(&schema);
    return in;
}

/* ---- the source */

static uint64_t slice_start(uint64_t length, int i, int n)
{
    const uint64_t slices = (uint64_t)n, slice = (uint64_t)i;
    return length / slices * slice + length % slices * slice / slices;
}

/* batch_of: which batch a row is in. */
static size_t batch_of(const batches *b, uint64_t row)
{
    size_t low = 0, high = b->n;
    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (b->ends[middle] <= row)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* make_rows: n rows of a batch, from its `first` on. NULL: the task has failed. */
static char *make_rows(const arrow_rdd *r, spark_task *task, const struct ArrowArray *a, int64_t first, size_t n,
    spk_arena *arena)
{
    const size_t size = r->rdd.layout->size;
    char *rows = spk_arena_alloc(arena, n * size + 1, 64);
    if (!rows) {
        spk_task_nomem(task);
        return NULL;
    }
    memset(rows, 0, n * size);
    for (uint32_t c = 0; c < r->in->n; c++) {
        spk_failure failure = SPK_FAILURE(SPARK_OK, "");
        if (!spk_arrow_in_fill(&r->in->children[c], a->children[c], a->offset + first, n,
                rows + r->form->slots[c].offset, size, arena, &failure)) {
            if (failure.code == SPARK_ENOMEM)
                spk_task_nomem(task);
            else
                spk_task_fail_with(task, &failure);
            return NULL;
        }
    }
    return rows;
}

static void produce(spk_pipe *pipe, spark_rdd *rdd, int partition)
{
    const arrow_rdd *r = SPK_NODE(arrow_rdd, rdd);
    const batches *b = &r->batches;
    const uint64_t all = b->n ? b->ends[b->n - 1] : 0;
    const uint64_t to = slice_start(all, partition + 1, spk_rdd_partitions(rdd));
    spk_arena *arenas = spk_step_arenas(pipe->task);
    uint64_t i = slice_start(all, partition, spk_rdd_partitions(rdd));
    for (size_t k = batch_of(b, i), n; arenas && i < to; i += n) {
        while (b->ends[k] <= i)
            k++;
        const uint64_t begin = k ? b->ends[k - 1] : 0, end = b->ends[k] < to ? b->ends[k] : to;
        n = spk_pipe_rows(pipe, rdd->layout->size);
        n = end - i < n ? (size_t)(end - i) : n;
        spk_recycle(pipe->task, &arenas[0]);
        char *rows = make_rows(r, pipe->task, &b->at[k], (int64_t)(i - begin), n, &arenas[0]);
        if (!rows || !spk_push(pipe, rows, n))
            return;
    }
}

static void release(spark_rdd *rdd)
{
    arrow_rdd *r = SPK_NODE(arrow_rdd, rdd);
    release_batches(&r->batches);
    if (r->query)
        spk_query_unref(r->query);
}

/* ---- the verb */

static const spk_form *form_of(spk_query *q, const spk_arrow_in *in, const char ***names)
{
    spk_column *columns = NULL;
    size_t n = 0, m = 0;
    for (uint32_t i = 0; i < in->n; i++) {
        SPK_ADD(&q->analyzer, columns, n, (spk_column) { in->children[i].type, in->children[i].nullable });
        SPK_ADD(&q->analyzer, *names, m, in->children[i].name);
    }
    return spk_sql_failed(&q->error) ? NULL : spk_form_of(q, columns, n, NULL);
}

static spark_rdd *source(spk_query *q, spark_site at, const arrow_rdd *plain, int partitions)
{
    static const spk_class class = { .name = "ArrowRDD", .produce = produce, .release = release };
    spk_verb v;
    bool made;
    spk_verb_source(&v, at, "fromArrowStream", q->sc);
    spark_rdd *rdd = spk_verb_make(&v, &class, sizeof(arrow_rdd), plain->form->layout, &made);
    if (!made) {
        batches gone = plain->batches;
        release_batches(&gone);
        return rdd;
    }
    arrow_rdd *r = SPK_NODE(arrow_rdd, rdd);
    r->in = plain->in;
    r->form = plain->form;
    r->batches = plain->batches;
    r->query = q;
    spk_query_ref(q);
    rdd->planned = partitions ? partitions
        : q->sc->default_parallelism ? q->sc->default_parallelism
                                     : SPK_DEFAULT_PARTITIONS;
    spk_rdd_partitions_set(rdd, rdd->planned);
    return rdd;
}

static spark_rdd *take_over(
    spk_query *q, spark_site at, struct ArrowArrayStream *stream, int partitions, spk_failure *failure)
{
    const char **names = NULL;
    arrow_rdd plain = { .in = take_schema(q, stream, failure) };
    if (!plain.in)
        return NULL;
    plain.form = form_of(q, plain.in, &names);
    if (!plain.form || take_batches(stream, plain.in, &plain.batches, failure) != SPARK_OK) {
        release_batches(&plain.batches);
        if (!plain.form)
            spk_query_fails(q, failure);
        return NULL;
    }
    spark_rdd *rdd = source(q, at, &plain, partitions);
    if (spark_rdd_status(rdd) != SPARK_OK)
        return rdd;
    spark_rdd *result = spk_result_new(q, at, rdd, plain.form, names);
    if (!result)
        spk_query_fails(q, failure);
    return result;
}

spark_rdd *spark_from_arrow_stream(
    spark_site at, spark_context *sc, struct ArrowArrayStream *stream, int partitions)
{
    static const char *const name = "fromArrowStream";
    spk_failure failure = SPK_FAILURE(SPARK_OK, "");
    spk_verb v;
    spk_verb_source(&v, at, name, sc);
    if (!stream || !stream->release || !stream->get_next)
        spk_verb_fail(&v, SPARK_EINVAL, "the stream is NULL, or was released");
    if (partitions < 0)
        spk_verb_fail(&v, SPARK_EINVAL, "%d partitions; there must be at least one, or 0 for the default", partitions);
    spk_query *q = v.bad ? NULL : spk_query_new(sc, "");
    spark_rdd *rdd = q ? take_over(q, at, stream, partitions, &failure) : NULL;
    if (!v.bad && !q)
        spk_failure_nomem(&failure, NULL, NULL);
    if (stream && stream->release)
        stream->release(stream);
    if (!rdd && !v.bad) {
        spk_failure_at(&failure, name, at);
        rdd = spk_rdd_error(sc, &failure);
    }
    if (q)
        spk_query_unref(q);
    return v.bad ? v.bad : rdd;
}
