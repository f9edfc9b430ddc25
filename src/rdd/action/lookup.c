/* SPDX-License-Identifier: Apache-2.0 */
/* lookup: the values of one key; where the RDD is placed by its keys, from the one partition that
 * can have it. */
#include <stdlib.h>

#include <spark/action.h>
#include <spark/keyed.h>

#include "plan/partitioner.h"
#include "rdd/action.h"
#include "rdd/result.h"
#include "rdd/verb.h"
#include "shuffle/writer.h"

typedef struct looking {
    const spk_layout *pair;
    const void *key;
} looking;

typedef struct look_state {
    spk_state head;
    spk_rows rows;
} look_state;

static bool lookup_begin(spk_state *state)
{
    look_state *s = (look_state *)state;
    const looking *l = state->action->arg;
    spk_rows_init(&s->rows, state->task->heap, l->pair->value);
    return true;
}

static bool lookup_take(void *state, spk_batch batch)
{
    look_state *s = state;
    const looking *l = s->head.action->arg;
    const spk_layout *pair = l->pair;
    for (size_t i = 0; i < batch.n; i++) {
        const char *row = batch.rows + i * pair->size;
        if (spk_value_equal(pair->key, l->key, row)
            && !spk_rows_append(&s->rows, row + pair->value_offset, 1)) {
            spk_task_nomem(s->head.task);
            return false;
        }
    }
    return true;
}

static void lookup_discard(spk_state *state)
{
    spk_rows_fini(&((look_state *)state)->rows);
}

/* place_of: the partition of the key, by a function of the user's perhaps: on a task of the
 * driver. */
static spark_status place_of(const char *name, const spark_partitioner *p, const spk_layout *key,
    const void *value, int *partition, spk_failure *failure)
{
    spark_task *task = spk_task_new(p->sc);
    spark_status status = SPARK_OK;
    if (!task)
        return spk_failure_nomem(failure, NULL, NULL);
    spk_task_begin(task, -1, -1, -1, 0);
    spk_task_end_is(task, name, NULL, NULL);
    if (!spk_partition_of(task, p, key, value, partition)) {
        status = SPARK_EINVAL;
        spk_failure_set(failure, status, NULL, NULL, "%s", task->failure.message);
    }
    spk_task_end(task);
    spk_task_free(task);
    return status;
}

int spark_partitioner_get(const spark_partitioner *p, const spark_type *type, const void *key)
{
    static const char *const name = "getPartition";
    spk_failure failure;
    int partition = -1;
    if (spark_partitioner_status(p) != SPARK_OK)
        return -1;
    spk_verb v = { .operation = name, .at = "", .sc = p->sc };
    const spk_layout *layout = spk_verb_layout(&v, type);
    spk_verb_target(&v, p, layout);
    if (!v.bad && !key)
        spk_verb_fail(&v, SPARK_EINVAL, "the key is NULL");
    if (v.bad)
        spk_raise(spk_rdd_why(v.bad));
    else if (place_of(name, p, layout, key, &partition, &failure) != SPARK_OK) {
        spk_raise(&failure);
        partition = -1;
    }
    spark_rdd_release(v.bad);
    return partition;
}

static spark_status look_up(
    spark_rdd *rdd, const spk_action *action, spark_array *result, spk_failure *failure)
{
    const looking *l = action->arg;
    int one = 0;
    const bool placed = rdd->partitioner != NULL;
    const int n = placed ? 1 : spk_rdd_partitions(rdd);
    if (placed
        && place_of(action->name, rdd->partitioner, rdd->layout->key, l->key, &one, failure)
            != SPARK_OK)
        return failure->code;
    look_state *states = calloc((size_t)n + 1, sizeof *states);
    spk_rows *lists = malloc(((size_t)n + 1) * sizeof *lists);
    spark_status status = !states || !lists
        ? spk_failure_nomem(failure, action->name, action->site)
        : spk_job_run(rdd, action, placed ? &one : NULL, n, states, failure);
    if (status == SPARK_OK) {
        for (int i = 0; i < n; i++)
            lists[i] = states[i].rows;
        status = spk_result_rows(rdd->sc, l->pair->value, lists, (size_t)n, result, failure);
    }
    free(states);
    free(lists);
    return status;
}

spark_status spark_lookup(spark_site at, spark_rdd *rdd, const spark_type *type, const void *key,
    const spark_type *want, spark_array *result)
{
    static const char *const name = "lookup";
    spk_failure failure;
    char text[400];
    spark_status status = spk_action_begin(rdd, name, at, NULL, result, &failure);
    const spk_layout *pair = status == SPARK_OK ? rdd->layout : NULL;
    if (status == SPARK_OK && (!pair->key || !key))
        status = spk_failure_set(&failure, key ? SPARK_ETYPE : SPARK_EINVAL, name, at,
            "%s at %s: %s", name, at, key ? "the RDD is not one of pairs" : "the key is NULL");
    else if (status == SPARK_OK
        && spk_type_differ(type, pair->key->type, text, sizeof text) != SPARK_OK)
        status
            = spk_failure_set(&failure, SPARK_ETYPE, name, at, "%s at %s: key: %s", name, at, text);
    else if (status == SPARK_OK && want
        && spk_type_differ(want, pair->value->type, text, sizeof text) != SPARK_OK)
        status = spk_failure_set(
            &failure, SPARK_ETYPE, name, at, "%s at %s: result: %s", name, at, text);
    if (status == SPARK_OK) {
        const looking l = { pair, key };
        const spk_action action = { .name = name,
            .site = at,
            .state_size = sizeof(look_state),
            .arg = &l,
            .begin = lookup_begin,
            .take = lookup_take,
            .discard = lookup_discard };
        status = look_up(rdd, &action, result, &failure);
        if (status != SPARK_OK && !*failure.operation)
            spk_failure_at(&failure, name, at);
    }
    return spk_action_end(status, &failure, name, at);
}
