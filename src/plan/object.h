/* SPDX-License-Identifier: Apache-2.0 */
/* Objects that belong to scopes, and the scopes of a thread.
 *
 * scope: a list of objects; what it holds is released when it ends. Open scopes of one thread form
 * a stack; the context's own scope is the outermost of every thread. */
#ifndef SPK_PLAN_OBJECT_H
#define SPK_PLAN_OBJECT_H

#include <pthread.h>

#include <spark/context.h>

typedef struct spk_object spk_object;
struct spk_object {
    spk_object *prev, *next;
    spark_scope *scope; /* NULL: released */
    void (*release)(spk_object *object);
};

struct spark_scope {
    spk_object list; /* head of a ring; its scope is this scope */
    spark_context *sc;
    spark_scope *outer;                /* the next one this thread has open, of any context */
    struct spk_properties *properties; /* of jobs started in it; NULL: none */
};

void spk_scope_init(spark_scope *scope, spark_context *sc);
/* spk_scope_drain: releases everything, newest first. */
void spk_scope_drain(spark_scope *scope);

/* spk_scope_add: to the innermost scope the thread has open on sc. */
void spk_scope_add(spark_context *sc, spk_object *object, void (*release)(spk_object *));
/* spk_scope_text: a text from malloc, which belongs to the innermost open scope from now on. NULL, and
 * the text is freed: no memory. */
const char *spk_scope_text(spark_context *sc, char *text);
/* spk_scope_of: the innermost scope the thread has open on sc, or the context's.
 * spk_scope_outside: the next one outside of it. */
spark_scope *spk_scope_of(spark_context *sc);
spark_scope *spk_scope_outside(spark_scope *scope);
/* spk_properties_free: of a scope; NULL does nothing. */
void spk_properties_free(struct spk_properties *properties);
/* spk_scope_move: into another scope. spk_scope_take: out of its scope; false: it was in none. */
void spk_scope_move(spk_object *object, spark_scope *to);
bool spk_scope_take(spk_object *object);
/* spk_scope_close_all: ends the scopes this thread has open on sc, which goes. */
void spk_scope_close_all(spark_context *sc);

#endif
