/* SPDX-License-Identifier: Apache-2.0 */
/* What functions of values and aggregates of the program share: their places in the catalog, their
 * types, and how they are called: in the task that runs, or in one of the driver's where a statement
 * is computed at its call. */
#include "base/small.h"

#include "sql/plan/user.h"

#include <spark/sql.h>
#include <stdlib.h>
#include <strings.h>

#include "exec/chain.h"
#include "plan/broadcast.h"
#include "sql/plan/analyze.h"

/* ---- the catalog */

static void free_user(spk_user *user)
{
    spk_user_base *base = (spk_user_base *)(void *)user;
    spk_env_fini(&base->env);
    spk_arena_fini(&base->arena);
    free(base);
}

void *spk_user_new(size_t size, spark_context *sc, const char *name, spk_failure *failure)
{
    *failure = (spk_failure)SPK_FAILURE(SPARK_OK, "");
    if (!sc || !name || !*name) {
        spk_failure_set(failure, SPARK_EINVAL, NULL, NULL, "the context or the name is NULL or empty");
        return NULL;
    }
    if (sc->error) {
        *failure = *sc->error;
        return NULL;
    }
    spk_user_base *base = calloc(1, size);
    if (!base) {
        spk_failure_nomem(failure, NULL, NULL);
        return NULL;
    }
    atomic_init(&base->user.refs, 1);
    base->user.free = free_user;
    base->sc = sc;
    spk_arena_init_small(&base->arena, &sc->heap);
    char *copy = spk_arena_alloc(&base->arena, strlen(name) + 1, 1);
    if (copy)
        base->user.name = strcpy(copy, name);
    else
        spk_failure_nomem(failure, NULL, NULL);
    if (copy && spk_is_routine(name))
        spk_failure_set(failure, SPARK_EINVAL, NULL, NULL, "%s is a function of SQL", name);
    return base;
}

static void release_user(spk_object *object)
{
    spk_user *user = (spk_user *)(void *)object;
    spk_catalog *catalog = user->catalog;
    if (catalog) {
        pthread_mutex_lock(&catalog->lock);
        spk_user_unlink(catalog, user);
        pthread_mutex_unlock(&catalog->lock);
    }
    spk_user_unref(user);
}

spark_status spk_user_give(
    spk_user_base *base, const char *operation, spark_site at, spk_failure *failure)
{
    spk_catalog *catalog = base && !failure->code ? spk_catalog_of(base->sc) : NULL;
    if (!failure->code && !catalog)
        spk_failure_nomem(failure, NULL, NULL);
    if (failure->code) {
        if (base)
            spk_user_unref(&base->user);
        spk_failure_at(failure, operation, at);
        return spk_raise(failure);
    }
    (void)spk_user_drop(catalog, base->user.name);
    pthread_mutex_lock(&catalog->lock);
    base->user.catalog = catalog;
    base->user.next = catalog->users;
    catalog->users = &base->user;
    pthread_mutex_unlock(&catalog->lock);
    spk_scope_add(base->sc, &base->user.object, release_user);
    return SPARK_OK;
}

bool spark_drop_function(spark_context *sc, const char *name)
{
    spk_catalog *catalog = sc && name ? spk_catalog_of(sc) : NULL;
    return catalog && spk_user_drop(catalog, name);
}

/* ---- types */

const spk_sql_type *spk_user_type(
    spk_user_base *base, const spark_type *type, bool *nullable, spk_failure *failure)
{
    char name[100];
    const char *why = NULL;
    if (failure->code)
        return NULL;
    if (!type) {
        spk_failure_set(failure, SPARK_EINVAL, NULL, NULL, "the function does not say what its types are");
        return NULL;
    }
    const spk_sql_type *sql = spk_sql_type_from(&base->arena, type, nullable, &why);
    if (!sql && strcmp(why, "no memory") == 0)
        spk_failure_nomem(failure, NULL, NULL);
    else if (!sql || !spk_sql_type_fits(sql, *nullable ? type->of : type))
        spk_failure_set(failure, SPARK_ETYPE, NULL, NULL,
            "%s is laid out as no type of SQL: numbers with a sign, decimals, strings, bytes, dates, times, "
            "lists, structs and optionals of them are",
            spk_type_name(type, name, sizeof name));
    return failure->code ? NULL : sql;
}

static void one_arg(spk_user_base *base, const spark_type *type, uint32_t offset, spk_failure *failure)
{
    bool nullable = false;
    const spk_sql_type *sql = spk_user_type(base, type, &nullable, failure);
    if (sql)
        base->args.at[base->args.n++] = (spk_user_arg) { sql, nullable, offset,
            offset + spk_sql_slot_value(sql, nullable) };
}

/* in_words: the types of the arguments. */
static const char *in_words(spk_user_base *base, spk_failure *failure)
{
    char text[400];
    size_t n = 0;
    text[0] = '\0';
    for (uint32_t i = 0; i < base->args.n && n + 3 < sizeof text; i++) {
        n += (size_t)snprintf(text + n, sizeof text - n, "%s", i ? ", " : "");
        const size_t want = spk_sql_type_print(base->args.at[i].type, true, text + n, sizeof text - n);
        n = n + want < sizeof text ? n + want : sizeof text - 1;
    }
    char *copy = spk_arena_alloc(&base->arena, n + 1, 1);
    if (!copy)
        spk_failure_nomem(failure, NULL, NULL);
    else
        memcpy(copy, text, n + 1);
    return copy;
}

void spk_user_takes(spk_user_base *base, const spark_type *type, spk_failure *failure)
{
    if (failure->code)
        return;
    if (!type) {
        spk_failure_set(failure, SPARK_EINVAL, NULL, NULL, "the function does not say what its types are");
        return;
    }
    const bool members = type->kind == SPARK_KIND_STRUCT || type->kind == SPARK_KIND_PAIR;
    const uint32_t n = members ? type->count : 1;
    base->args = (spk_user_args) { type, spk_arena_alloc(&base->arena, n * sizeof(spk_user_arg), 8), 0, NULL };
    if (!base->args.at) {
        spk_failure_nomem(failure, NULL, NULL);
        return;
    }
    for (uint32_t i = 0; i < n; i++) {
        if (members && type->fields[i].count > 0 && !failure->code)
            spk_failure_set(failure, SPARK_ETYPE, NULL, NULL,
                "the argument %s is an array of a fixed length, which no type of SQL is", type->fields[i].name);
        one_arg(base, members ? type->fields[i].type : type, members ? (uint32_t)type->fields[i].offset : 0, failure);
    }
    if (!failure->code)
        base->args.signature = in_words(base, failure);
}

void spk_user_gives(spk_user_base *base, const spark_type *type, spk_failure *failure)
{
    char text[400];
    base->type = spk_user_type(base, type, &base->nullable, failure);
    if (!base->type)
        return;
    (void)spk_sql_type_print(base->type, true, text, sizeof text);
    char *copy = spk_arena_alloc(&base->arena, strlen(text) + 1, 1);
    if (copy)
        base->result = strcpy(copy, text);
    else
        spk_failure_nomem(failure, NULL, NULL);
}

void spk_user_binds(spk_user_base *base, const spark_env *env, size_t wanted, spk_failure *failure)
{
    if (failure->code) {
        if (env && env->kind == SPARK_ENV_OWN && env->destroy) { /* taken over in any case */
            spk_failure ignored;
            spk_env taken;
            if (spk_env_bind(&taken, env, 0, &ignored) == SPARK_OK)
                spk_env_fini(&taken);
        }
        return;
    }
    if (spk_env_bind(&base->env, env, wanted, failure) == SPARK_OK && base->env.broadcast
        && base->env.broadcast->sc != base->sc)
        spk_failure_set(failure, SPARK_EINVAL, NULL, NULL, "the broadcast belongs to another context");
}

/* ---- arguments */

bool spk_user_want(spk_sql_build *b, spk_sql_expr *call, const spk_user_args *args)
{
    for (uint32_t i = 0; i < args->n; i++) {
        const spk_sql_type *want = args->at[i].type;
        if (!spk_sql_implicit(call->args[i]->type, want)) {
            spk_sql_unexpected(b, call, i, spk_sql_type_quoted(b, want));
            return false;
        }
        if (!(call->args[i] = spk_sql_coerce(b, call->args[i], want)))
            return false;
    }
    return true;
}

uint32_t spk_user_rows(const spk_user_args *args, const spk_sql_vector *vectors, spk_sql_rows rows,
    uint16_t *called, char *in)
{
    const size_t size = args->type->size;
    uint32_t n = 0;
    for (uint32_t k = 0; k < rows.n; k++) {
        const uint32_t i = spk_sql_row(rows, k);
        bool good = true;
        for (uint32_t a = 0; a < args->n; a++)
            good &= args->at[a].nullable || spk_sql_valid(&vectors[a], i);
        called[n] = (uint16_t)i;
        n += good;
    }
    memset(in, 0, n * size);
    for (uint32_t a = 0; a < args->n; a++) {
        const spk_user_arg *arg = &args->at[a];
        const spk_sql_vector *v = &vectors[a];
        for (uint32_t k = 0; k < n; k++) {
            char *row = in + k * size;
            const bool valid = spk_sql_valid(v, called[k]);
            if (arg->nullable)
                row[arg->offset] = valid;
            if (valid)
                memcpy(row + arg->value, v->ptr + called[k] * v->stride, arg->type->size);
        }
    }
    return n;
}

/* ---- calls */

spark_task *spk_user_begin(spk_user_call *call, const spk_user_base *base, spk_arena *arena)
{
    *call = (spk_user_call) { .task = spk_task_current() };
    if (!call->task) {
        call->own = true;
        call->task = spk_task_new(base->sc);
        if (!call->task)
            return NULL;
        spk_task_begin(call->task, -1, -1, -1, 0);
    }
    call->scratch = call->task->scratch;
    call->task->scratch = arena;
    return call->task;
}

/* plain: a failure's message without the operation that is put in front of it. */
static const char *plain(const spk_failure *failure)
{
    const size_t operation = strlen(failure->operation);
    if (operation == 0 || strncmp(failure->message, failure->operation, operation) != 0)
        return failure->message;
    const size_t site = failure->site && *failure->site ? strlen(failure->site) + 4 : 0;
    return strlen(failure->message) > operation + site + 2 ? failure->message + operation + site + 2
                                                           : "it gave no reason";
}

/* print_row: f(1, 'x'), cut where it is long. */
static void print_row(const spk_user_base *base, const char *row, char *text, size_t size)
{
    size_t n = (size_t)snprintf(text, size, "%s(", base->user.name);
    for (uint32_t i = 0; i < base->args.n && n + 60 < size; i++) {
        const spk_user_arg *arg = &base->args.at[i];
        const bool quoted = arg->type->kind == SPK_SQL_STRING;
        char value[50];
        if (arg->nullable && !row[arg->offset])
            (void)snprintf(value, sizeof value, "NULL");
        else if (spk_sql_value_print(arg->type, row + arg->value, 0, value, sizeof value) >= sizeof value)
            memcpy(value + sizeof value - 4, "...", 4);
        n += (size_t)snprintf(text + n, size - n, quoted && strcmp(value, "NULL") != 0 ? "%s'%s'" : "%s%s",
            i ? ", " : "", value);
    }
    if (n + 2 < size)
        (void)snprintf(text + n, size - n, ")");
}

static void failed(const spk_user_base *base, const spk_failure *failure, const char *row, spk_sql_span span,
    spk_sql_error *error)
{
    char text[300] = "";
    if (row)
        print_row(base, row, text, sizeof text);
    if (failure->code == SPARK_ENOMEM) {
        spk_sql_nomem(error);
    } else if (spk_sql_fail(error, "FAILED_EXECUTE_UDF", span)) {
        spk_sql_param(error, "functionName", "`%s`", base->user.name);
        spk_sql_param(error, "signature", "%s", base->args.signature);
        spk_sql_param(error, "result", "%s", base->result);
        spk_sql_param(error, "reason", "%s%s%s", plain(failure), row ? ", in " : "", text);
    }
}

bool spk_user_end(spk_user_call *call, const spk_user_base *base, const char *row, spk_sql_span span,
    spk_sql_error *error)
{
    spark_task *task = call->task;
    const bool good = !spk_task_failed(task);
    if (!good)
        failed(base, &task->failure, row, span, error);
    task->scratch = call->scratch;
    if (!good && task->failure.code == SPARK_ETASK) /* the batch runs again, row by row */
        task->failure = (spk_failure)SPK_FAILURE(SPARK_OK, "");
    if (call->own) {
        spk_task_end(task);
        spk_task_free(task);
    }
    return good;
}
