/* SPDX-License-Identifier: Apache-2.0 */
/* The plan of a type: a node for each type in it, however often it is used, so that a plan is no larger
 * than the description. */
#include <stdlib.h>

#include "format/json_row.h"
#include "type/leaf.h"

typedef struct planner {
    spk_json_plan *plan;
    spk_json_node **slots; /* by type */
    size_t n, mask;
} planner;

static size_t slot_of(const planner *p, const spark_type *type, uint32_t count, bool optional)
{
    uint64_t x = (uint64_t)(uintptr_t)type ^ (uint64_t)count << 40 ^ (uint64_t)optional << 63;
    x *= UINT64_C(0x9e3779b97f4a7c15);
    return (size_t)(x >> 32) & p->mask;
}

/* find: where the node of a type is, or has its place. */
static spk_json_node **find(const planner *p, const spark_type *type, uint32_t count, bool optional)
{
    size_t i = slot_of(p, type, count, optional);
    while (p->slots[i]
        && (p->slots[i]->type != type || p->slots[i]->count != count || p->slots[i]->optional != optional))
        i = (i + 1) & p->mask;
    return &p->slots[i];
}

static bool grow(planner *p)
{
    if (p->slots && p->n < p->mask / 2)
        return true;
    const size_t size = p->slots ? 2 * (p->mask + 1) : 64;
    spk_json_node **slots = calloc(size, sizeof(spk_json_node *));
    if (!slots)
        return false;
    free(p->slots);
    p->slots = slots;
    p->mask = size - 1;
    for (spk_json_node *node = p->plan->nodes; node; node = node->next)
        *find(p, node->type, node->count, node->optional) = node;
    return true;
}

static int by_name(const void *a, const void *b)
{
    const spk_json_member *const *x = a, *const *y = b;
    const uint32_t n = (*x)->name_n < (*y)->name_n ? (*x)->name_n : (*y)->name_n;
    const int order = memcmp((*x)->name, (*y)->name, n);
    return order ? order : (*x)->name_n < (*y)->name_n ? -1 : (*x)->name_n > (*y)->name_n;
}

/* sort_names: the members' order by name, in node->by_name. */
static bool sort_names(spk_json_node *node)
{
    const spk_json_member **order = calloc(node->n + 1u, sizeof(spk_json_member *));
    if (!order)
        return false;
    for (uint32_t i = 0; i < node->n; i++)
        order[i] = &node->members[i];
    qsort(order, node->n, sizeof *order, by_name);
    for (uint32_t i = 0; i < node->n; i++)
        node->by_name[i] = (uint32_t)(order[i] - node->members);
    free(order);
    return true;
}

static const spk_json_node *node_of(planner *p, const spark_type *type, uint32_t count);

static bool plan_members(planner *p, spk_json_node *node, const spark_type *type)
{
    node->n = type->count;
    node->members = calloc(type->count + 1u, sizeof *node->members);
    node->by_name = calloc(type->count + 1u, sizeof *node->by_name);
    if (!node->members || !node->by_name)
        return false;
    for (uint32_t i = 0; i < type->count; i++) {
        const spark_field *field = &type->fields[i];
        const spk_json_node *of = node_of(p, field->type, (uint32_t)field->count);
        if (!of)
            return false;
        const size_t n = field->count > 0 ? field->count : 1;
        node->members[i] = (spk_json_member) { .name = field->name,
            .name_n = (uint32_t)strlen(field->name),
            .offset = (uint32_t)field->offset,
            .size = (uint32_t)(field->type->size * n),
            .nullable = spark_field_nullable(field),
            .corrupt = strcmp(field->name, p->plan->csv->corrupt.ptr) == 0
                && of->type->kind == SPARK_KIND_STR && of->count == 0,
            .node = of,
            .field = field };
        node->required += !node->members[i].nullable && !node->members[i].corrupt;
    }
    return sort_names(node);
}

/* node_of: of a type, which has at most 32 levels. NULL: no memory. */
static const spk_json_node *node_of(planner *p, const spark_type *type, uint32_t count)
{
    const bool optional = type->kind == SPARK_KIND_OPTIONAL;
    const spark_type *of = optional ? type->of : type;
    if (!grow(p))
        return NULL;
    spk_json_node **at = find(p, of, count, optional);
    if (*at)
        return *at;
    spk_json_node *node = calloc(1, sizeof *node);
    if (!node)
        return NULL;
    *node = (spk_json_node) { .next = p->plan->nodes,
        .type = of,
        .count = count,
        .optional = optional,
        .at = optional ? spk_optional_offset(of->align) : 0,
        .guesses = SPK_JSON_NO_GUESS,
        .column = { .present = -1,
            .count = count,
            .size = of->size,
            .kind = of->kind,
            .precision = of->precision,
            .scale = of->scale } };
    p->plan->nodes = node;
    *at = node;
    p->n++;
    if (of->kind == SPARK_KIND_LIST && !(node->of = node_of(p, of->of, 0)))
        return NULL;
    if (of->kind != SPARK_KIND_STRUCT && of->kind != SPARK_KIND_PAIR)
        return node;
    enum { MOST = 16 * SPK_JSON_GUESSES };
    if (p->plan->guesses < MOST) {
        node->guesses = p->plan->guesses;
        p->plan->guesses += SPK_JSON_GUESSES;
    }
    return plan_members(p, node, of) ? node : NULL;
}

spark_status spk_json_plan_make(spk_json_plan *plan, const spk_csv *csv, unsigned rules,
    const spark_type *type, spk_failure *failure)
{
    planner p = { .plan = plan };
    *plan = (spk_json_plan) { .csv = csv, .rules = rules };
    plan->root = node_of(&p, type, 0);
    free(p.slots);
    if (plan->root)
        return SPARK_OK;
    spk_json_plan_free(plan);
    return spk_failure_nomem(failure, NULL, NULL);
}

void spk_json_plan_free(spk_json_plan *plan)
{
    while (plan->nodes) {
        spk_json_node *node = plan->nodes;
        plan->nodes = node->next;
        free(node->members);
        free(node->by_name);
        free(node);
    }
    plan->root = NULL;
}

/* ---- types ---- */

/* misfit: a member that no JSON goes into, however deep; NULL: there is none. */
static const char *misfit(const spark_type *type, size_t count)
{
    const char *found = NULL;
    if (type->kind == SPARK_KIND_BLOB)
        return "a blob";
    if (count > 0 && type->kind != SPARK_KIND_CHAR)
        return "a fixed array";
    if (type->kind == SPARK_KIND_OPTIONAL && type->of->kind == SPARK_KIND_OPTIONAL)
        return "an optional of optionals";
    if (type->kind == SPARK_KIND_LIST || type->kind == SPARK_KIND_OPTIONAL)
        return misfit(type->of, 0);
    if (type->kind != SPARK_KIND_STRUCT && type->kind != SPARK_KIND_PAIR)
        return NULL;
    for (uint32_t i = 0; i < type->count && !found; i++)
        found = misfit(type->fields[i].type, type->fields[i].count);
    return found;
}

spark_status spk_json_fits(const spark_type *type, spk_failure *failure)
{
    if (!type || (type->kind != SPARK_KIND_STRUCT && type->kind != SPARK_KIND_PAIR))
        return spk_failure_set(failure, SPARK_ETYPE, NULL, NULL, "rows must be structs or pairs");
    for (uint32_t i = 0; i < type->count; i++) {
        const char *found = misfit(type->fields[i].type, type->fields[i].count);
        if (found)
            return spk_failure_set(failure, SPARK_ETYPE, NULL, NULL,
                "member %s is or has %s, which JSON has no form for", type->fields[i].name, found);
    }
    return SPARK_OK;
}
