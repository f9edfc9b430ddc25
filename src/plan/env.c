/* SPDX-License-Identifier: Apache-2.0 */
/* Environments: what a verb was given is bound to what its function wants, and compared with it. C
 * knows no types at run time; so the macros on both sides leave the size behind and, of numbers, the
 * kind (SPARK_ENV_SIZE, spark_env.of), which tells an int64_t from a double. */
#include <stdlib.h>

#include "plan/broadcast.h"
#include "plan/rdd.h"

static spark_status bind_copy(spk_env *env, const spark_env *given, spk_failure *failure)
{
    env->owned = malloc(given->size ? given->size : 1);
    if (!env->owned)
        return spk_failure_nomem(failure, NULL, NULL);
    memcpy(env->owned, given->data, given->size);
    env->value = env->owned;
    env->destroy = free;
    return SPARK_OK;
}

static spark_status bind(spk_env *env, const spark_env *given, spk_failure *failure)
{
    switch (given->kind) {
    case SPARK_ENV_COPY:
        return bind_copy(env, given, failure);
    case SPARK_ENV_REF:
        env->value = given->data;
        return SPARK_OK;
    case SPARK_ENV_OWN:
        memcpy(&env->owned, &given->data, sizeof env->owned);
        env->value = given->data;
        env->destroy = given->destroy;
        return SPARK_OK;
    case SPARK_ENV_BROADCAST:
        if (!given->data)
            return spk_failure_set(
                failure, SPARK_EINVAL, NULL, NULL, "SPARK_SHARED was given no broadcast");
        memcpy(&env->broadcast, &given->data, sizeof env->broadcast);
        if (atomic_load(&env->broadcast->destroyed)) {
            env->broadcast = NULL;
            return spk_failure_set(failure, SPARK_EINVAL, NULL, NULL,
                "SPARK_SHARED was given a broadcast that was destroyed");
        }
        spk_broadcast_ref(env->broadcast);
        env->value = spark_broadcast_value(env->broadcast);
        return SPARK_OK;
    default:
        return spk_failure_set(failure, SPARK_EINVAL, NULL, NULL,
            "env is none of SPARK_COPY, "
            "SPARK_REF, SPARK_OWN and SPARK_SHARED");
    }
}

/* ---- what fits */

static spark_kind kind_of(size_t wanted)
{
    return (spark_kind)(wanted >> SPK_ENV_KIND_SHIFT);
}

/* number: the kind without the sign: C converts integers of one size into each other bit by bit. */
static spark_kind number(spark_kind kind)
{
    switch (kind) {
    case SPARK_KIND_CHAR:
    case SPARK_KIND_U8:
        return SPARK_KIND_I8;
    case SPARK_KIND_U16:
        return SPARK_KIND_I16;
    case SPARK_KIND_U32:
        return SPARK_KIND_I32;
    case SPARK_KIND_U64:
        return SPARK_KIND_I64;
    default:
        return kind <= SPARK_KIND_F64 ? kind : SPARK_KIND_STRUCT;
    }
}

static bool same(size_t a, size_t b)
{
    const bool known = kind_of(a) != 0 && kind_of(b) != 0;
    return spk_env_bytes(a) == spk_env_bytes(b) && (!known || number(kind_of(a)) == number(kind_of(b)));
}

/* name_of: " (double)"; of what is no number or not known: nothing. */
static const char *name_of(size_t env, char *text, size_t size)
{
    static const char *const names[]
        = { "bool", "char", "int8_t", "int16_t", "int32_t", "int64_t", "uint8_t", "uint16_t",
              "uint32_t", "uint64_t", "float", "double" };
    const unsigned kind = (unsigned)kind_of(env);
    *text = '\0';
    if (kind >= SPARK_KIND_BOOL && kind <= SPARK_KIND_F64)
        snprintf(text, size, " (%s)", names[kind - SPARK_KIND_BOOL]);
    else if (kind != 0)
        snprintf(text, size, " (no number)");
    return text;
}

size_t spk_env_join(size_t a, size_t b)
{
    if (a == SPARK_ENV_NONE || (a == 0 && b != SPARK_ENV_NONE))
        return b;
    if (b == SPARK_ENV_NONE || b == 0)
        return a;
    return same(a, b) ? a : SPK_ENV_APART;
}

/* given_of: size and kind of what was given. */
static size_t given_of(const spk_env *env, const spark_env *given)
{
    if (env->broadcast)
        return env->broadcast->env;
    return given->size | (size_t)given->of << SPK_ENV_KIND_SHIFT;
}

static spark_status differs(spk_failure *failure, size_t given, size_t wanted)
{
    char has[20], wants[20];
    return spk_failure_set(failure, SPARK_EINVAL, NULL, NULL,
        "env has %zu bytes%s, the function wants %zu%s", spk_env_bytes(given),
        name_of(given, has, sizeof has), spk_env_bytes(wanted), name_of(wanted, wants, sizeof wants));
}

SPK_COLD spark_status spk_env_bind(spk_env *env, const spark_env *given, size_t wanted, spk_failure *failure)
{
    char name[20];
    *env = (spk_env) { NULL, NULL, NULL, NULL };
    if (!given && (wanted == 0 || wanted == SPARK_ENV_NONE))
        return SPARK_OK;
    if (!given && wanted != SPK_ENV_APART)
        return spk_failure_set(failure, SPARK_EINVAL, NULL, NULL,
            "the function wants an env of %zu bytes%s, none is given", spk_env_bytes(wanted),
            name_of(wanted, name, sizeof name));
    if (given && wanted && !given->data && given->kind != SPARK_ENV_BROADCAST)
        return spk_failure_set(failure, SPARK_EINVAL, NULL, NULL, "env is NULL");
    spark_status status = given ? bind(env, given, failure) : SPARK_OK;
    if (status == SPARK_OK && wanted == SPK_ENV_APART)
        status = spk_failure_set(failure, SPARK_EINVAL, NULL, NULL,
            "one env is bound to all functions of the operation, and they want different ones");
    else if (status == SPARK_OK && wanted == SPARK_ENV_NONE)
        status = spk_failure_set(failure, SPARK_EINVAL, NULL, NULL,
            "an env is given, but the function wants none: its macro takes the type of one as the last argument");
    else if (status == SPARK_OK && wanted && !same(given_of(env, given), wanted))
        status = differs(failure, given_of(env, given), wanted);
    if (status != SPARK_OK)
        spk_env_fini(env);
    return status;
}

void spk_env_fini(spk_env *env)
{
    if (env->destroy)
        env->destroy(env->owned);
    spk_broadcast_unref(env->broadcast);
    *env = (spk_env) { NULL, NULL, NULL, NULL };
}
