/* SPDX-License-Identifier: Apache-2.0 */
/* What verbs have in common. */
#include "rdd/verb.h"

#include <stdlib.h>

#include "plan/broadcast.h"
#include "plan/listening.h"
#include "plan/partitioner.h"
#include "shuffle/ranges.h"

/* refuse_in_callback: with an error that belongs to no context, for that of the listener may be ending. */
static void refuse_in_callback(spk_verb *v)
{
    if (v->bad || !spk_told_here(v->sc))
        return;
    v->sc = spk_context_none();
    spk_verb_fail(v, SPARK_EINVAL, "a transformation inside a callback of a listener");
}

void spk_verb_source(spk_verb *v, spark_site at, const char *operation, spark_context *sc)
{
    *v = (spk_verb) { .at = at, .operation = operation, .sc = sc ? sc : spk_context_none() };
    if (spk_task_current())
        spk_verb_fail(v, SPARK_EINVAL, "a transformation inside a function of a task (SPARK-5063)");
    else if (!sc)
        spk_verb_fail(v, SPARK_EINVAL, "the context is NULL");
    else if (v->sc->error)
        spk_verb_fail_with(v, v->sc->error);
    else
        refuse_in_callback(v);
}

/* null_parent: the error of a parent that is NULL, kept by the context of another one. */
static spark_rdd *null_parent(const spk_verb *v)
{
    spark_context *sc = NULL;
    for (size_t i = 0; i < v->n && !sc; i++)
        sc = v->parents[i] ? v->parents[i]->sc : NULL;
    return spk_rdd_errorf(
        sc, SPARK_EINVAL, v->operation, v->function, v->at, "the RDD is NULL");
}

void spk_verb_begin(spk_verb *v, spark_site at, const char *operation, const spk_function *function,
    size_t n, spark_rdd *const *parents, const spark_env *env)
{
    spk_failure failure;
    *v = (spk_verb) { .at = at,
        .operation = operation,
        .function = function ? function->name : NULL,
        .n = n,
        .parents = parents };
    for (size_t i = 0; i < n && !v->bad; i++)
        v->bad = parents[i] ? spk_rdd_broken(parents[i], operation, at) : null_parent(v);
    v->sc = v->bad ? v->bad->sc : parents[0]->sc;
    v->in = v->bad ? NULL : parents[0]->layout;
    if (spk_env_bind(&v->env, env, function ? function->env_size : 0, &failure) != SPARK_OK)
        spk_verb_fail(v, failure.code, "%s", failure.message);
    if (spk_task_current())
        spk_verb_fail(v, SPARK_EINVAL, "a transformation inside a function of a task (SPARK-5063)");
    refuse_in_callback(v);
    if (!v->bad && v->env.broadcast && v->env.broadcast->sc != v->sc)
        spk_verb_fail(v, SPARK_EINVAL, "the broadcast belongs to another context");
    if (function && !function->usable)
        spk_verb_fail(v, SPARK_EINVAL, "the function is NULL");
}

void spk_verb_fail(spk_verb *v, spark_status code, const char *format, ...)
{
    char message[512];
    va_list args;
    if (v->bad)
        return;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    v->bad = spk_rdd_errorf(v->sc, code, v->operation, v->function, v->at, "%s", message);
}

void spk_verb_fail_with(spk_verb *v, const spk_failure *failure)
{
    if (!v->bad)
        v->bad = spk_rdd_error(v->sc, failure);
}

void spk_verb_fail_as(spk_verb *v, spk_failure *failure)
{
    if (!*failure->operation)
        spk_failure_at(failure, v->operation, v->at);
    spk_verb_fail_with(v, failure);
}

void spk_verb_want(spk_verb *v, const spark_type *want, const spk_layout *have)
{
    if (!v->bad && have)
        v->bad = spk_rdd_misfit(v->sc, v->operation, v->function, v->at, want, have->type);
}

void spk_verb_pairs(spk_verb *v, const spk_layout *have)
{
    char name[100];
    if (!v->bad && (!have->key || !have->value))
        spk_verb_fail(
            v, SPARK_ETYPE, "pairs wanted, %s found", spk_type_name(have->type, name, sizeof name));
}

const spk_layout *spk_verb_layout(spk_verb *v, const spark_type *type)
{
    spk_failure failure;
    if (v->bad)
        return NULL;
    if (!type) {
        spk_verb_fail(v, SPARK_EINVAL, "the function does not say what type it makes");
        return NULL;
    }
    const spk_layout *layout = spk_layout_for(v->sc, type, &failure);
    if (!layout)
        spk_verb_fail(v, failure.code, "%s", failure.message);
    return layout;
}

void spk_verb_no_type(spk_verb *v, size_t n, const spark_type *const members[])
{
    spk_failure failure;
    spk_types_refused(n, members, &failure);
    spk_verb_fail(v, failure.code, "%s", failure.message);
}

const spk_layout *spk_verb_pair(spk_verb *v, const spk_layout *key, const spk_layout *value)
{
    if (v->bad)
        return NULL;
    const spark_type *pair = spk_types_pair(v->sc->types, key->type, value->type);
    if (!pair)
        spk_verb_no_type(v, 2, (const spark_type *[]) { key->type, value->type });
    return spk_verb_layout(v, pair);
}

const spk_layout *spk_verb_values(spk_verb *v, const spark_type *in, const spark_type *out)
{
    spk_verb_pairs(v, v->in);
    spk_verb_want(v, in, v->bad ? NULL : v->in->value);
    const spk_layout *value = spk_verb_layout(v, out);
    return v->bad ? NULL : spk_verb_pair(v, v->in->key, value);
}

spark_rdd *spk_verb_make(
    spk_verb *v, const spk_class *class, size_t size, const spk_layout *layout, bool *made)
{
    *made = false;
    if (v->bad) {
        spk_env_fini(&v->env);
        return v->bad;
    }
    const spk_rdd_args args = { v->at, v->operation, v->function, v->sc, class, size, layout, v->n,
        v->parents, &v->env };
    return spk_rdd_new(&args, made);
}

spark_rdd *spk_verb_undo(spk_verb *v, spark_rdd *node, const spk_failure *failure)
{
    char text[300];
    spk_failure named = *failure;
    if (!*failure->operation) {
        spk_rdd_describe(node, text, sizeof text);
        spk_failure_set(
            &named, failure->code, v->operation, v->at, "%s: %s", text, failure->message);
    }
    spark_rdd_release(node);
    return spk_rdd_error(v->sc, &named);
}

spark_rdd *spk_verb_path(spk_verb *v, spark_rdd *node, char **slot, const char *path)
{
    const size_t size = strlen(path) + 1;
    spk_failure failure;
    *slot = malloc(size);
    if (*slot) {
        memcpy(*slot, path, size);
        return spark_rdd_set_name(node, path);
    }
    spk_failure_nomem(&failure, NULL, NULL);
    return spk_verb_undo(v, node, &failure);
}

/* ---- where rows are placed */

static const spark_type *key_of_ranges(const spark_partitioner *p)
{
    return p->ranges->ordering.layout->key->type; /* of the pairs that were sampled */
}

void spk_verb_target(spk_verb *v, const spark_partitioner *asked, const spk_layout *key)
{
    char text[400];
    if (v->bad || !asked)
        return;
    if (asked->error)
        spk_verb_fail_with(v, asked->error);
    else if (asked->sc != v->sc)
        spk_verb_fail(v, SPARK_EINVAL, "the partitioner belongs to another context");
    else if (asked->kind == SPK_BY_FUNCTION && asked->def.key
        && spk_type_differ(asked->def.key, key->type, text, sizeof text) != SPARK_OK)
        spk_verb_fail(v, SPARK_ETYPE, "partitioner %s: key: %s", asked->def.name, text);
    else if (asked->kind == SPK_BY_DENSE
        && (key->type->kind < SPARK_KIND_I8 || key->type->kind > SPARK_KIND_TIME
            || key->type->kind == SPARK_KIND_F32 || key->type->kind == SPARK_KIND_F64))
        spk_verb_fail(v, SPARK_ETYPE, "a dense partitioner: integer keys wanted, %s found",
            spk_type_name(key->type, text, sizeof text));
    else if (asked->kind == SPK_BY_RANGE
        && spk_type_differ(key_of_ranges(asked), key->type, text, sizeof text) != SPARK_OK)
        spk_verb_fail(v, SPARK_ETYPE, "a range partitioner: key: %s", text);
}

const spark_partitioner *spk_verb_placed(spk_verb *v, size_t i)
{
    const spark_partitioner *placed = NULL;
    spk_failure failure;
    if (!v->bad && spk_rdd_placed(v->parents[i], &placed, &failure) != SPARK_OK)
        spk_verb_fail_with(v, &failure);
    return v->bad ? NULL : placed;
}
