/* SPDX-License-Identifier: Apache-2.0 */
/* A saver fills the buffer of a part; where that goes when it is full is what is decided here: a file, a
 * program that packs, or (rdd/write_keys.c) what is gathered for a directory. */
#include "rdd/write.h"

#include <errno.h>
#include <stdlib.h>
#include <strings.h>

#include "base/faults.h"
#include "format/hive.h"
#include "io/files.h"
#include "plan/listening.h"
#include "rdd/action.h"

enum { BUFFER = 256 * 1024 };

bool spk_write_fail(spk_writing *writing, const spk_failure *failure)
{
    spk_task_fail_with(writing->state->head.task, failure);
    return false;
}

spk_tree_path spk_write_file(const spk_writing *writing, const char *below, int n, bool packed)
{
    const spk_write_plan *plan = writing->plan;
    const spark_task *task = writing->state->head.task;
    char name[128], number[32];
    spk_tree_path p = spk_save_attempt(&plan->dir, task->partition, task->attempt);
    if (n < 1000)
        snprintf(number, sizeof number, "%03d", n);
    else /* behind .999, before and after a suffix, by its bytes */
        snprintf(number, sizeof number, "999_%07d", n);
    snprintf(name, sizeof name, "part-%05d-%s%cc%s%s%s", plan->dir.first + task->partition,
        plan->dir.id, plan->n_keys ? '.' : '-', number,
        plan->saver->extension ? plan->saver->extension : "",
        packed && plan->codec ? plan->codec->suffix : "");
    strncat(p.text, below, sizeof p.text - 1 - strlen(p.text));
    return spk_tree_below(p.text, name);
}

/* ---- results of SQL */

spark_status spk_write_fits(const spark_rdd *rdd, bool json, spk_failure *failure)
{
    enum { NEAR = 256 };
    const spk_queries *sql = atomic_load(&rdd->sc->queries);
    const spark_rdd *list[NEAR] = { rdd };
    size_t n = sql ? 1 : 0;
    spark_status status = SPARK_OK;
    pthread_mutex_lock(&rdd->sc->plan_lock);
    for (size_t at = 0; at < n && status == SPARK_OK; at++) {
        status = sql->unwritten(list[at], json, failure);
        for (uint32_t i = 0; i < list[at]->n_deps && n < NEAR; i++)
            if (list[at]->deps[i].rdd->layout == rdd->layout)
                list[n++] = list[at]->deps[i].rdd;
    }
    pthread_mutex_unlock(&rdd->sc->plan_lock);
    return status;
}

/* ---- a file after the other */

spark_status spk_write_recoded(spk_writing *writing, bool *begun, const char *bytes, size_t n,
    spark_status (*put)(spk_writing *writing, const char *bytes, size_t n, spk_failure *failure),
    spk_failure *failure)
{
    char piece[4096];
    spark_status status = SPARK_OK;
    for (size_t used; n > 0 && status == SPARK_OK; bytes += used, n -= used) {
        const size_t made
            = spk_encode(writing->plan->charset, begun, bytes, n, &used, piece, sizeof piece);
        status = put(writing, piece, made, failure);
    }
    return status;
}

static spark_status put_bytes(spk_writing *writing, const char *bytes, size_t n, spk_failure *failure)
{
    return spk_encoder_write(&writing->encoder, bytes, n, failure);
}

static spark_status to_file(spk_part *part, spk_failure *failure)
{
    spk_writing *writing = (spk_writing *)part->sink;
    const spark_status status = writing->plan->charset == SPK_UTF8
        ? put_bytes(writing, part->buffer, part->used, failure)
        : spk_write_recoded(writing, &writing->begun, part->buffer, part->used, put_bytes, failure);
    part->used = 0;
    return status;
}

static bool begin_file(spk_writing *writing)
{
    spk_failure failure;
    writing->path = spk_write_file(writing, "", writing->files++, true);
    writing->rows = 0;
    writing->begun = false;
    writing->state->written = 0;
    if (spk_encoder_open(&writing->encoder, writing->path.text, writing->plan->codec, false,
            &writing->watch, &failure)
        != SPARK_OK)
        return spk_write_fail(writing, &failure);
    return !writing->plan->saver->start || writing->plan->saver->start(writing->state);
}

static bool end_file(spk_writing *writing)
{
    spk_failure failure;
    if (writing->plan->saver->end && !writing->plan->saver->end(writing->state))
        return false;
    if (spk_part_flush(&writing->state->part, &failure) != SPARK_OK
        || spk_encoder_close(&writing->encoder, true, &failure) != SPARK_OK)
        return spk_write_fail(writing, &failure);
    return true;
}

static bool take_rows(spk_writing *writing, spk_batch batch)
{
    const spk_write_plan *plan = writing->plan;
    for (size_t i = 0, n; i < batch.n; i += n) {
        if (writing->rows == plan->most && (!end_file(writing) || !begin_file(writing)))
            return false;
        n = batch.n - i;
        n = n < plan->most - writing->rows ? n : (size_t)(plan->most - writing->rows);
        writing->rows += n;
        if (!plan->saver->take(writing->state, (spk_batch) { batch.rows + i * plan->layout->size, n }))
            return false;
    }
    return true;
}

/* ---- the action */

static bool is_over(void *task)
{
    return spk_task_over(task);
}

static bool write_begin(spk_state *state)
{
    spk_save_state *s = (spk_save_state *)state;
    const spk_write_plan *plan = state->action->arg;
    spark_task *task = state->task;
    spk_failure failure;
    s->layout = plan->layout;
    s->saver = plan->saver;
    s->parts = plan->parts;
    s->only = plan->only;
    spk_rows_init(&s->rows, task->heap, plan->layout);
    spk_writing *writing = s->writing = calloc(1, sizeof *writing);
    s->part = (spk_part) { .heap = task->heap,
        .partition = task->partition,
        .fd = -1,
        .name = plan->dir.path };
    if (writing) {
        *writing = (spk_writing) { .sink = { to_file },
            .state = s,
            .plan = plan,
            .watch = { is_over, task },
            .encoder = { .fd = -1 } };
        s->part.sink = &writing->sink;
        s->part.buffer = spk_heap_alloc(task->heap, BUFFER, &s->part.capacity);
    }
    if (!s->part.buffer) {
        spk_task_nomem(task);
        return false;
    }
    if (spk_save_attempt_begin(&plan->dir, task->partition, task->attempt, &failure) != SPARK_OK)
        return spk_write_fail(writing, &failure);
    s->open = true;
    return plan->n_keys ? spk_write_keys_begin(writing) : begin_file(writing);
}

static bool write_take(void *state, spk_batch batch)
{
    spk_save_state *s = state;
    s->writing->state = s;
    return s->writing->plan->n_keys ? spk_write_keys_take(s->writing, batch)
                                  : take_rows(s->writing, batch);
}

static bool write_end(spk_state *state)
{
    spk_save_state *s = (spk_save_state *)state;
    s->writing->state = s;
    return s->writing->plan->n_keys ? spk_write_keys_end(s->writing) : end_file(s->writing);
}

/* let_go: of memory, and of a file that is open. */
static void let_go(spk_save_state *s)
{
    spk_rows_fini(&s->rows);
    if (s->part.buffer)
        spk_heap_free(s->part.heap, s->part.buffer, s->part.capacity);
    s->part.buffer = NULL;
    if (s->writing) {
        spk_encoder_stop(&s->writing->encoder);
        spk_write_keys_free(s->writing->keys);
    }
    free(s->writing);
    s->writing = NULL;
}

static bool write_publish(spk_state *state)
{
    spk_save_state *s = (spk_save_state *)state;
    const spk_write_plan *plan = state->action->arg;
    spk_failure failure;
    if (spk_save_attempt_commit(&plan->dir, state->task->partition, state->task->attempt, &failure)
        != SPARK_OK) {
        spk_task_fail_with(state->task, &failure);
        return false;
    }
    s->open = false;
    let_go(s);
    return true;
}

static void write_discard(spk_state *state)
{
    spk_save_state *s = (spk_save_state *)state;
    const spk_write_plan *plan = state->action->arg;
    let_go(s);
    if (s->open)
        spk_save_attempt_abort(&plan->dir, state->task->partition, state->task->attempt);
    s->open = false;
}

/* ---- the plan */

static spark_status refuse(spk_failure *failure, const char *option, const char *why)
{
    return spk_failure_set(failure, SPARK_EINVAL, NULL, NULL, "option %s %s", option, why);
}

static spark_status set_codec(
    spk_write_plan *plan, const char *name, spk_failure *failure)
{
    if (!name || strcasecmp(name, "none") == 0 || strcasecmp(name, "uncompressed") == 0)
        return SPARK_OK;
    if (!plan->saver->extension)
        return refuse(failure, "compression", "is not for object files");
    plan->codec = spk_codec_named(name);
    if (plan->codec)
        return SPARK_OK;
    return spk_failure_set(failure, SPARK_EINVAL, NULL, NULL,
        "option compression: %s is not known: none, gzip, bzip2, xz, zstd, lz4, deflate", name);
}

static spark_status set_charset(spk_write_plan *plan, const char *name, spk_failure *failure)
{
    if (!name)
        return SPARK_OK;
    if (!spk_charset_named(name, &plan->charset))
        return refuse(failure, "encoding", "must be " SPK_CHARSETS);
    return plan->charset == SPK_UTF8 || plan->saver->extension
        ? SPARK_OK
        : refuse(failure, "encoding", "is not for object files");
}

static bool is_key(const spk_write_plan *plan, const spark_field *field)
{
    for (uint32_t i = 0; i < plan->n_keys; i++)
        if (plan->keys[i] == field)
            return true;
    return false;
}

static spark_status set_key(
    spk_write_plan *plan, const spark_type *type, const char *name, spk_failure *failure)
{
    const spark_field *field = spark_field_find(type, name);
    const char *wrong = !field  ? "is no member of the rows"
        : is_key(plan, field)   ? "is named twice"
        : !spk_hive_fits(field) ? "is neither a scalar nor a text"
        : field->name[0] == '.' ? "begins with a point, and readers pass over such directories"
                                : NULL;
    if (wrong)
        return spk_failure_set(failure, field ? SPARK_EINVAL : SPARK_ETYPE, NULL, NULL,
            "option partition_by: \"%s\" %s", name, wrong);
    plan->keys[plan->n_keys++] = field;
    return SPARK_OK;
}

static bool is_text(const spark_field *field)
{
    const spark_kind kind = spark_field_value_type(field)->kind;
    return kind == SPARK_KIND_STR || kind == SPARK_KIND_BYTES
        || (kind == SPARK_KIND_CHAR && field->count > 0);
}

/* set_narrow: the type without the keys: a struct with gaps. */
static spark_status set_narrow(
    spk_write_plan *plan, const spk_layout *layout, spk_failure *failure)
{
    const spark_type *type = layout->type;
    uint32_t n = 0;
    for (uint32_t i = 0; i < type->count; i++)
        if (!is_key(plan, &type->fields[i]))
            plan->fields[n++] = type->fields[i];
    if (n == 0)
        return refuse(failure, "partition_by", "names all members: no column is left to be written");
    plan->narrow = *layout;
    plan->narrow_type = *type;
    plan->narrow_type.kind = SPARK_KIND_STRUCT;
    plan->narrow_type.count = n;
    plan->narrow_type.fields = plan->fields;
    plan->narrow.type = &plan->narrow_type;
    plan->layout = &plan->narrow;
    plan->only = plan->saver->lines ? &plan->fields[0] : NULL;
    if (plan->only && (n > 1 || !is_text(plan->only)))
        return refuse(failure, "partition_by", "must leave one member of text where lines are written");
    return SPARK_OK;
}

static spark_status set_keys(spk_write_plan *plan, const spk_layout *layout,
    const char *const *names, spk_failure *failure)
{
    const spark_type *type = layout->type;
    uint32_t n = 0;
    if (!names || !*names)
        return SPARK_OK;
    if (!plan->saver->extension)
        return refuse(failure, "partition_by", "is not for object files");
    while (names[n])
        n++;
    if (!type->fields || (type->kind != SPARK_KIND_STRUCT && type->kind != SPARK_KIND_PAIR))
        return spk_failure_set(failure, SPARK_ETYPE, NULL, NULL,
            "option partition_by: the rows have no members");
    plan->keys = calloc(n, sizeof *plan->keys);
    plan->fields = calloc(type->count + 1u, sizeof *plan->fields);
    if (!plan->keys || !plan->fields)
        return spk_failure_nomem(failure, NULL, NULL);
    for (uint32_t i = 0; i < n; i++)
        if (set_key(plan, type, names[i], failure) != SPARK_OK)
            return failure->code;
    return set_narrow(plan, layout, failure);
}

static spark_status set_plan(spk_write_plan *plan, const spk_saver *saver, const spark_rdd *rdd,
    const spark_save_options *options, spk_failure *failure)
{
    *plan = (spk_write_plan) { .saver = saver, .layout = rdd->layout, .most = UINT64_MAX };
    if (options->max_records_per_file < 0)
        return refuse(failure, "max_records_per_file", "is negative");
    if (options->max_records_per_file > 0)
        plan->most = (uint64_t)options->max_records_per_file;
    return set_codec(plan, options->compression, failure) != SPARK_OK
            || set_charset(plan, options->encoding, failure) != SPARK_OK
        ? failure->code
        : set_keys(plan, rdd->layout, options->partition_by, failure);
}

static spark_status run(spk_write_plan *plan, spark_site at, spark_rdd *rdd, spk_failure *failure)
{
    const int n = plan->parts = spk_rdd_partitions(rdd);
    const spk_action action = { .name = plan->saver->name,
        .site = at,
        .state_size = sizeof(spk_save_state),
        .arg = plan,
        .begin = write_begin,
        .take = write_take,
        .end = write_end,
        .publish = write_publish,
        .discard = write_discard };
    spk_save_state *states = calloc((size_t)n + 1, sizeof *states);
    if (!states)
        return spk_failure_nomem(failure, action.name, at);
    const spark_status status = spk_job_run(rdd, &action, NULL, n, states, failure);
    free(states);
    return status;
}

/* save: the directory is begun before the RDD is prepared, which may take a job: none is run where there
 * is nothing to be done. */
static spark_status save(spk_write_plan *plan, spark_site at, spark_rdd *rdd, const char *path,
    spark_save_mode mode, spk_failure *failure)
{
    bool skip;
    spark_status status
        = spk_save_begin(&plan->dir, path, mode, plan->n_keys > 0, &skip, failure);
    if (status != SPARK_OK || skip)
        return status;
    status = spk_action_check(rdd, plan->saver->name, at, failure);
    if (status == SPARK_OK)
        status = run(plan, at, rdd, failure);
    if (status == SPARK_OK)
        return spk_save_commit(&plan->dir, failure);
    spk_save_abort(&plan->dir);
    return status;
}

/* wanted: a save, as it is told to whoever knows the path. */
typedef struct wanted {
    spk_write_plan *plan;
    spark_site at;
    spark_rdd *rdd;
} wanted;

static spark_status save_here(void *state, const char *directory, spk_failure *failure)
{
    const wanted *w = state;
    return save(w->plan, w->at, w->rdd, directory, SPARK_SAVE_ERROR, failure);
}

/* save_there: to another machine, where that is what the path says. */
static spark_status save_there(spk_write_plan *plan, spark_site at, spark_rdd *rdd, const char *path,
    spark_save_mode mode, bool *known, spk_failure *failure)
{
    spk_elsewhere *elsewhere = rdd->sc->elsewhere;
    wanted w = { plan, at, rdd };
    *known = false;
    return elsewhere && path
        ? elsewhere->save(elsewhere, path, (int)mode, save_here, &w, known, failure)
        : SPARK_OK;
}

spark_status spk_write_parts(spark_site at, spark_rdd *rdd, const char *path,
    const spk_saver *saver, const spark_save_options *options)
{
    static const spark_save_options defaults = { .mode = SPARK_SAVE_ERROR };
    const spark_save_mode mode = options ? options->mode : SPARK_SAVE_ERROR;
    spk_write_plan plan = { .saver = saver };
    spk_failure failure;
    spark_status status;
    bool known = false;
    if (!rdd || rdd->error || spk_task_current() || spk_told_here(rdd->sc)) {
        status = spk_action_check(rdd, saver->name, at, &failure);
        return spk_action_end(status, &failure, saver->name, at);
    }
    SPK_AT(rdd->sc->place);
    status = set_plan(&plan, saver, rdd, options ? options : &defaults, &failure);
    if (status == SPARK_OK)
        status = save_there(&plan, at, rdd, path, mode, &known, &failure);
    if (status == SPARK_OK && !known)
        status = save(&plan, at, rdd, path, mode, &failure);
    free(plan.keys);
    free(plan.fields);
    return spk_action_end(status, &failure, saver->name, at);
}
