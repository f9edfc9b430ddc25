/* SPDX-License-Identifier: Apache-2.0 */
/* Joins: two inputs placed alike, each by a shuffle or as it is, joined shard by shard. The joins
 * with Spark's nested results are the same operator with a function of the library's own, which
 * builds the pair by the layouts. */
#include <spark/keyed.h>

#include "plan/partitioner.h"
#include "rdd/sides.h"
#include "rdd/verb.h"
#include "shuffle/reduce.h"

typedef struct join_rdd {
    spark_rdd rdd;
    spk_joining joining;
    spk_sides sides;
} join_rdd;

static void join_produce(spk_pipe *pipe, spark_rdd *rdd, int partition)
{
    const join_rdd *j = SPK_NODE(join_rdd, rdd);
    spk_input inputs[2];
    if (!spk_sides_open(pipe, rdd, &j->sides, partition, inputs))
        return;
    spk_reduce_join(pipe, &inputs[0], &inputs[1], &j->joining);
    spk_sides_close(rdd, inputs);
}

static spark_status join_prepare(spark_rdd *rdd, spk_failure *failure)
{
    (void)failure;
    return spk_sides_prepare(rdd, &SPK_NODE(join_rdd, rdd)->sides);
}

static void join_release(spark_rdd *rdd)
{
    spk_sides_release(&SPK_NODE(join_rdd, rdd)->sides);
}

static const spk_class join_class = { .name = "CoGroupedRDD",
    .produce = join_produce,
    .prepare = join_prepare,
    .release = join_release };

/* new_join: joining is complete but for the environment; keep: whether the result keeps the keys,
 * and so the partitioner. */
static spark_rdd *new_join(
    spk_verb *v, const spk_joining *joining, const spark_keyed_options *options, bool keep)
{
    spk_failure failure;
    bool made;
    spark_partitioner *target = spk_sides_target(v, options, joining->key);
    spark_rdd *rdd = spk_verb_make(v, &join_class, sizeof(join_rdd), joining->out, &made);
    if (made) {
        join_rdd *j = SPK_NODE(join_rdd, rdd);
        j->joining = *joining;
        j->joining.env = rdd->env.value;
        spk_sides_set(rdd, &j->sides, target);
        if (keep)
            spk_rdd_partitioner_set(rdd, target);
        for (size_t i = 0; made && i < 2; i++)
            made = spk_sides_attach(
                rdd, &j->sides, i, rdd->deps[i].rdd->layout, joining->key, NULL, false);
        if (!made) {
            spk_failure_nomem(&failure, NULL, NULL);
            rdd = spk_verb_undo(v, rdd, &failure);
        }
    }
    spk_partitioner_unref(target);
    return rdd;
}

/* check_sides: both pairs, with keys of one type. */
static void check_sides(spk_verb *v)
{
    char text[400];
    for (int i = 0; i < 2 && !v->bad; i++)
        spk_verb_pairs(v, v->parents[i]->layout);
    if (v->bad)
        return;
    const spark_type *left = v->parents[0]->layout->key->type;
    const spark_type *right = v->parents[1]->layout->key->type;
    if (spk_type_differ(left, right, text, sizeof text) != SPARK_OK)
        spk_verb_fail(v, SPARK_ETYPE, "key: %s", text);
}

static void check_kind(spk_verb *v, spark_join_kind kind)
{
    if (!v->bad && (kind < SPARK_INNER || kind > SPARK_FULL_OUTER))
        spk_verb_fail(v, SPARK_EINVAL, "%d is no kind of join", (int)kind);
}

static void set_sides(spk_verb *v, spk_joining *j)
{
    if (v->bad)
        return;
    j->left = v->parents[0]->layout;
    j->right = v->parents[1]->layout;
    j->key = j->left->key;
    j->left_value = j->left->value_offset;
    j->right_value = j->right->value_offset;
}

spark_rdd *spark_join_map_with(spark_site at, spark_rdd *left, spark_rdd *right,
    spark_join_kind kind, const spark_join_def *f, const spark_env *env,
    const spark_keyed_options *options)
{
    spark_rdd *sides[] = { left, right };
    spk_joining j = { .kind = kind };
    spk_verb v;
    const spk_function function = SPK_FUNCTION(f, f && f->run, NULL, f->out);
    spk_verb_begin(&v, at, "join", &function, 2, sides, env);
    check_sides(&v);
    check_kind(&v, kind);
    if (function.usable && !v.bad) {
        spk_verb_want(&v, f->key, v.in->key);
        spk_verb_want(&v, f->left, v.in->value);
        spk_verb_want(&v, f->right, right->layout->value);
        j.def = *f;
    }
    j.out = spk_verb_layout(&v, function.out);
    set_sides(&v, &j);
    return new_join(&v, &j, options, false);
}

spark_rdd *spark_join_map(spark_site at, spark_rdd *left, spark_rdd *right, spark_join_kind kind,
    const spark_join_def *f, const spark_env *env, int partitions)
{
    const spark_keyed_options options = { partitions, NULL };
    return spark_join_map_with(at, left, right, kind, f, env, &options);
}

/* ---- nested results */

/* nest: where the parts of (K, (V, W)) stand, with or without optionals. */
typedef struct nest {
    uint32_t size, key_size;
    uint32_t left_at, left_size, right_at, right_size;
    uint32_t left_flag, right_flag; /* of `present`; UINT32_MAX: no optional */
} nest;

static void run_nest(spark_task *task, size_t n, const void *const *key, const void *const *left,
    const void *const *right, spark_emitter *out, const void *env)
{
    const nest *s = env;
    (void)task;
    for (size_t i = 0; i < n && !out->closed; i++) {
        if (out->next == out->end && !spk_emitter_room(out))
            return;
        char *row = out->next;
        memset(row, 0, s->size);
        memcpy(row, key[i], s->key_size);
        if (left[i])
            memcpy(row + s->left_at, left[i], s->left_size);
        if (right[i])
            memcpy(row + s->right_at, right[i], s->right_size);
        if (s->left_flag != UINT32_MAX)
            row[s->left_flag] = left[i] != NULL;
        if (s->right_flag != UINT32_MAX)
            row[s->right_flag] = right[i] != NULL;
        out->next += s->size;
    }
}

static uint32_t up(uint32_t n, uint32_t align)
{
    return (n + align - 1) / align * align;
}

/* nest_type: the type of one side of the result. */
static const spark_type *nest_type(spk_verb *v, const spk_layout *value, bool optional)
{
    const spark_type *type = value->type;
    if (optional && !(type = spk_types_optional(v->sc->types, type)))
        spk_verb_no_type(v, 1, &value->type);
    return type;
}

static void place(uint32_t at, const spk_layout *value, bool optional, uint32_t *flag,
    uint32_t *value_at, uint32_t *size)
{
    *flag = optional ? at : UINT32_MAX;
    *value_at = at + (optional ? up(1, value->align) : 0);
    *size = value->size;
}

static spark_rdd *nested(spark_site at, const char *operation, spark_rdd *left, spark_rdd *right,
    spark_join_kind kind, const spark_keyed_options *options)
{
    const bool left_optional = kind == SPARK_RIGHT_OUTER || kind == SPARK_FULL_OUTER;
    const bool right_optional = kind == SPARK_LEFT_OUTER || kind == SPARK_FULL_OUTER;
    spark_rdd *sides[] = { left, right };
    spk_joining j = { .kind = kind, .def = { .name = operation, .run = run_nest } };
    spk_verb v;
    nest s = { 0 };
    const spk_function none = { .env_size = sizeof s, .usable = true };
    spk_verb_begin(&v, at, operation, &none, 2, sides, SPARK_COPY(s));
    check_sides(&v);
    check_kind(&v, kind);
    set_sides(&v, &j);
    if (!v.bad) {
        const spark_type *l = nest_type(&v, left->layout->value, left_optional);
        const spark_type *r = v.bad ? NULL : nest_type(&v, right->layout->value, right_optional);
        const spk_layout *ll = spk_verb_layout(&v, v.bad ? NULL : l);
        const spk_layout *rl = spk_verb_layout(&v, v.bad ? NULL : r);
        const spk_layout *both = spk_verb_pair(&v, ll, rl);
        j.out = spk_verb_pair(&v, j.key, both);
        if (!v.bad) {
            const uint32_t base = j.out->value_offset;
            s.size = j.out->size;
            s.key_size = j.key->size;
            place(base, left->layout->value, left_optional, &s.left_flag, &s.left_at, &s.left_size);
            place(base + both->value_offset, right->layout->value, right_optional, &s.right_flag,
                &s.right_at, &s.right_size);
            memcpy(v.env.owned, &s, sizeof s);
        }
    }
    return new_join(&v, &j, options, true);
}

spark_rdd *spark_join_with(spark_site at, spark_rdd *left, spark_rdd *right, spark_join_kind kind,
    const spark_keyed_options *options)
{
    static const char *const names[]
        = { "join", "leftOuterJoin", "rightOuterJoin", "fullOuterJoin" };
    const bool good = kind >= SPARK_INNER && kind <= SPARK_FULL_OUTER;
    return nested(at, names[good ? kind : 0], left, right, kind, options);
}

spark_rdd *spark_join(spark_site at, spark_rdd *left, spark_rdd *right, int partitions)
{
    const spark_keyed_options options = { partitions, NULL };
    return spark_join_with(at, left, right, SPARK_INNER, &options);
}

spark_rdd *spark_left_outer_join(spark_site at, spark_rdd *left, spark_rdd *right, int partitions)
{
    const spark_keyed_options options = { partitions, NULL };
    return spark_join_with(at, left, right, SPARK_LEFT_OUTER, &options);
}

spark_rdd *spark_right_outer_join(spark_site at, spark_rdd *left, spark_rdd *right, int partitions)
{
    const spark_keyed_options options = { partitions, NULL };
    return spark_join_with(at, left, right, SPARK_RIGHT_OUTER, &options);
}

spark_rdd *spark_full_outer_join(spark_site at, spark_rdd *left, spark_rdd *right, int partitions)
{
    const spark_keyed_options options = { partitions, NULL };
    return spark_join_with(at, left, right, SPARK_FULL_OUTER, &options);
}
