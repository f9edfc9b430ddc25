/* SPDX-License-Identifier: Apache-2.0 */
/* Rows out: a stream computes a partition when it is reached, on a tape, and makes batches of it; the
 * tape is in the context's budget, a batch is its reader's. */
#include "base/small.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "rdd/action.h"
#include "sql/arrow/column.h"
#include "sql/exec/result.h"

enum { ROWS = 65536, BYTES = 64 << 20 };

/* rows_out: what the stream holds. The object is the scope's: when it ends before the stream does, what
 * is of the context goes, and `rdd` is NULL. */
typedef struct rows_out {
    spk_object object;
    spark_rdd *rdd;
    spark_site site;
    const char *name;
    spk_arena arena;
    const spk_arrow_column *column;
    spk_arrow_builder *builder;
    size_t batch_rows, most_bytes;
    int next; /* partition */
    spk_tape tape;
    spk_tape_reader reader;
    const char *at;
    size_t n;
    bool scoped, failed;
    spk_failure failure;
} rows_out;

/* ---- columns */

static const spk_arrow_column *columns_of(spk_arena *arena, const spark_rdd *rdd)
{
    const spk_result *result = spk_result_of(rdd);
    if (!result)
        return spk_arrow_of_type(arena, rdd->layout->type);
    const size_t n = result->form->n;
    spk_arrow_slot *slots = spk_arena_alloc(arena, (n + 1) * sizeof *slots, 16);
    for (size_t i = 0; slots && i < n; i++) {
        const spk_slot *slot = &result->form->slots[i];
        slots[i] = (spk_arrow_slot) { result->names[i], slot->type, slot->nullable, slot->offset, slot->value };
    }
    return slots ? spk_arrow_of_sql(arena, slots, n) : NULL;
}

/* ---- life */

/* detach: what is of the context goes. */
static void detach(rows_out *r)
{
    if (!r->rdd)
        return;
    spk_tape_reader_fini(&r->reader);
    spk_tape_fini(&r->tape);
    spk_arena_fini(&r->arena);
    spk_rdd_unref(r->rdd);
    r->rdd = NULL;
    r->n = 0;
}

static void release_object(spk_object *object)
{
    rows_out *r = (rows_out *)(void *)object;
    r->scoped = false;
    spk_arrow_builder_free(r->builder);
    r->builder = NULL;
    detach(r);
}

static void close_out(rows_out *r)
{
    if (r->scoped && spk_scope_take(&r->object))
        release_object(&r->object);
    detach(r);
    spk_arrow_builder_free(r->builder);
    free(r);
}

static spark_status open_out(spark_site at, const char *name, spark_rdd *rdd, rows_out **out, spk_failure *failure)
{
    spark_array unused;
    if (spk_action_begin(rdd, name, at, NULL, &unused, failure) != SPARK_OK)
        return failure->code;
    rows_out *r = calloc(1, sizeof *r);
    if (!r)
        return spk_failure_nomem(failure, name, at);
    r->rdd = rdd;
    r->site = at;
    r->name = name;
    spk_rdd_ref(rdd);
    spk_arena_init(&r->arena, &rdd->sc->heap);
    r->column = columns_of(&r->arena, rdd);
    r->builder = r->column ? spk_arrow_builder_new(r->column) : NULL;
    if (!r->builder) {
        close_out(r);
        return spk_failure_nomem(failure, name, at);
    }
    *out = r;
    return SPARK_OK;
}

/* ---- batches */

static bool next_partition(rows_out *r)
{
    if (r->next >= spk_rdd_partitions(r->rdd))
        return false;
    spk_tape_reader_fini(&r->reader);
    spk_tape_fini(&r->tape);
    r->tape.store = NULL;
    if (spk_collect_partition(r->name, r->site, r->rdd, r->next++, &r->tape, &r->failure) != SPARK_OK) {
        r->tape.store = NULL;
        r->failed = true;
        return false;
    }
    r->reader = spk_tape_read(&r->tape);
    return true;
}

/* more: rows of this partition. */
static bool more(rows_out *r)
{
    if (r->n == 0 && r->tape.store && !r->failed
        && spk_tape_next(&r->reader, &r->at, &r->n, &r->failure) != SPARK_OK) {
        r->failed = true;
        r->n = 0;
    }
    return r->n > 0;
}

/* some: how many of the rows that lie side by side, at most `most`, go into the batch. */
static size_t some(const rows_out *r, size_t most, size_t *bytes)
{
    const spk_layout *layout = r->rdd->layout;
    size_t k = r->n < most ? r->n : most;
    for (size_t i = 0; layout->views && i < k; i++) {
        const size_t value = spk_value_bytes(layout, r->at + i * layout->size);
        if (*bytes && value > r->most_bytes - (*bytes < r->most_bytes ? *bytes : r->most_bytes))
            return i;
        *bytes += value;
    }
    return k;
}

static void too_large(rows_out *r)
{
    spk_failure_set(&r->failure, SPARK_ENOMEM, r->name, r->site,
        "no memory for an array of Arrow, or one of 2 GiB: a stream of batches has smaller ones");
    r->failed = true;
}

/* fill: the rows of one batch, of one partition unless `all`; false: there are no more. */
static bool fill(rows_out *r, bool all)
{
    const size_t size = r->rdd->layout->size;
    size_t bytes = 0;
    while (!r->failed && (size_t)spk_arrow_count(r->builder) < r->batch_rows) {
        if (!more(r)) {
            if (r->failed || (!all && spk_arrow_count(r->builder) > 0) || !next_partition(r))
                break;
            continue;
        }
        const size_t k = some(r, r->batch_rows - (size_t)spk_arrow_count(r->builder), &bytes);
        if (k > 0 && !spk_arrow_add(r->builder, r->at, size, k))
            too_large(r);
        r->at += k * size;
        r->n -= k;
        if (k == 0)
            break;
    }
    return !r->failed && spk_arrow_count(r->builder) > 0;
}

/* ---- the stream */

static int number_of(const rows_out *r)
{
    return r->failure.code == SPARK_ENOMEM ? ENOMEM : r->failure.code == SPARK_EIO ? EIO : EINVAL;
}

static bool ended(rows_out *r)
{
    if (!r->rdd && !r->failed) {
        spk_failure_set(&r->failure, SPARK_EINVAL, r->name, r->site, "the scope of the stream has ended");
        r->failed = true;
    }
    return r->failed;
}

static int get_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out)
{
    rows_out *r = stream->private_data;
    memset(out, 0, sizeof *out);
    if (ended(r))
        return number_of(r);
    return spk_arrow_schema(r->column, out) ? 0 : ENOMEM;
}

static int get_next(struct ArrowArrayStream *stream, struct ArrowArray *out)
{
    rows_out *r = stream->private_data;
    memset(out, 0, sizeof *out);
    if (ended(r))
        return number_of(r);
    if (!fill(r, false))
        return r->failed ? number_of(r) : 0;
    if (!spk_arrow_finish(r->builder, out)) {
        too_large(r);
        return ENOMEM;
    }
    return 0;
}

static const char *get_last_error(struct ArrowArrayStream *stream)
{
    const rows_out *r = stream->private_data;
    return r->failed ? r->failure.message : NULL;
}

static void release_stream(struct ArrowArrayStream *stream)
{
    close_out(stream->private_data);
    stream->release = NULL;
}

spark_status spark_to_arrow_stream(
    spark_site at, spark_rdd *rdd, const spark_arrow_options *options, struct ArrowArrayStream *out)
{
    static const char *const name = "toArrowStream";
    spk_failure failure;
    rows_out *r;
    if (!out)
        return spk_raisef(SPARK_EINVAL, name, at, "no place for the stream");
    memset(out, 0, sizeof *out);
    if (open_out(at, name, rdd, &r, &failure) != SPARK_OK)
        return spk_raise(&failure);
    r->batch_rows = options && options->batch_rows ? options->batch_rows : ROWS;
    r->most_bytes = BYTES;
    r->scoped = true;
    spk_scope_add(rdd->sc, &r->object, release_object);
    *out = (struct ArrowArrayStream) { get_schema, get_next, get_last_error, release_stream, r };
    return SPARK_OK;
}

spark_status spark_to_arrow(spark_site at, spark_rdd *rdd, struct ArrowSchema *schema, struct ArrowArray *array)
{
    static const char *const name = "toArrow";
    spk_failure failure;
    rows_out *r;
    if (!schema || !array)
        return spk_raisef(SPARK_EINVAL, name, at, "no place for the schema or the array");
    memset(schema, 0, sizeof *schema);
    memset(array, 0, sizeof *array);
    if (open_out(at, name, rdd, &r, &failure) != SPARK_OK)
        return spk_raise(&failure);
    r->batch_rows = r->most_bytes = SIZE_MAX / 4;
    (void)fill(r, true);
    if (!r->failed && (!spk_arrow_schema(r->column, schema) || !spk_arrow_finish(r->builder, array)))
        too_large(r);
    if (r->failed && schema->release)
        schema->release(schema);
    const spark_status status = r->failed ? spk_raise(&r->failure) : SPARK_OK;
    close_out(r);
    return status;
}
