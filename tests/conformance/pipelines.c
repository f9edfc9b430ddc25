/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a program of pipelines (oracle.py tells what that is) with libspark, through its public API
 * only, and prints for each step what is compared: pipeline, step, text.
 *   usage: pipelines PROGRAM IN OUT [check]
 * IN has the texts to read, OUT (an empty directory) gets what pipelines save; check: check mode,
 * and batches of 3 rows. */
#include <inttypes.h>
#include <spark.h>
#include <stdlib.h>
#include <unistd.h>

#define LENGTH(array) (sizeof(array) / sizeof *(array))

SPARK_PAIR(ii, int64_t, int64_t);
SPARK_PAIR(si, spark_str, int64_t);
SPARK_PAIR(is, int64_t, spark_str);

static const struct {
    const char *name;
    const spark_type *type;
} types[] = {
    { "i64", SPARK_TYPE(int64_t) },
    { "str", SPARK_TYPE(spark_str) },
    { "ii", SPARK_TYPE(ii) },
    { "si", SPARK_TYPE(si) },
    { "is", SPARK_TYPE(is) },
};

static _Noreturn void die(const char *what, const char *which)
{
    fflush(stdout);
    fprintf(stderr, "pipelines: %s: %s\n", what, which);
    exit(2);
}

/* ---- what is done to each type: weights, and the functions made of them */

static int64_t modulo(int64_t a, int64_t b)
{
    return (a % b + b) % b;
}

typedef const spark_accumulator *counter;

/* reverse keeps the partition; weigh, weights and numbered read it one by one; count is a step. */
#define OF_TYPE(P, T, weight)                                                                      \
    static int64_t P##_weight(const T *in)                                                         \
    {                                                                                              \
        return weight;                                                                             \
    }                                                                                              \
    SPARK_PARTITIONS(P##_reverse, T, T)                                                            \
    {                                                                                              \
        const T **kept = NULL, *x;                                                                 \
        size_t n = 0;                                                                              \
        while ((x = spark_next(in)) != NULL) {                                                     \
            if ((kept = realloc(kept, (n + 1) * sizeof *kept)) == NULL)                            \
                die("no memory", #P);                                                              \
            if ((kept[n++] = spark_keep(task, T, x)) == NULL)                                      \
                break;                                                                             \
        }                                                                                          \
        while (n > 0 && kept[n - 1])                                                               \
            spark_emit(out, *kept[--n]);                                                           \
        free(kept);                                                                                \
    }                                                                                              \
    SPARK_PARTITIONS(P##_weigh, T, int64_t)                                                        \
    {                                                                                              \
        int64_t sum = 0;                                                                           \
        for (const T *x; (x = spark_next(in)) != NULL;)                                            \
            sum += P##_weight(x);                                                                  \
        spark_emit(out, sum);                                                                      \
    }                                                                                              \
    SPARK_PARTITIONS(P##_weights, T, int64_t)                                                      \
    {                                                                                              \
        for (const T *x; (x = spark_next(in)) != NULL;)                                            \
            spark_emit(out, P##_weight(x));                                                        \
    }                                                                                              \
    SPARK_PARTITIONS(P##_numbered, T, ii)                                                          \
    {                                                                                              \
        for (const T *x; (x = spark_next(in)) != NULL;)                                            \
            spark_emit(out, (ii) { spark_task_partition(task), P##_weight(x) });                   \
    }                                                                                              \
    SPARK_STEP(P##_count, int64_t, T, int64_t)                                                     \
    {                                                                                              \
        ++*state;                                                                                  \
    }                                                                                              \
    SPARK_FINISH(P##_count, int64_t, T, int64_t)                                                   \
    {                                                                                              \
        spark_emit(out, *state);                                                                   \
    }                                                                                              \
    SPARK_MERGE(P##_add, ii, T)                                                                    \
    {                                                                                              \
        acc->key += P##_weight(in);                                                                \
        acc->value++;                                                                              \
    }                                                                                              \
    SPARK_MAP(P##_create, T, ii)                                                                   \
    {                                                                                              \
        *out = (ii) { P##_weight(in), 1 };                                                         \
    }                                                                                              \
    SPARK_FOREACH(P##_tally, T, counter)                                                           \
    {                                                                                              \
        spark_accumulate(task, *env, P##_weight(in));                                              \
    }                                                                                              \
    SPARK_FILTER(P##_tallied, T, counter)                                                          \
    {                                                                                              \
        spark_accumulate(task, *env, P##_weight(in));                                              \
        return true;                                                                               \
    }

OF_TYPE(i64, int64_t, *in)
OF_TYPE(str, spark_str, (int64_t)in->len)
OF_TYPE(ii, ii, 3 * in->key + in->value)
OF_TYPE(si, si, 2 * (int64_t)in->key.len + in->value)
OF_TYPE(is, is, in->key + 5 * (int64_t)in->value.len)

/* In the order of types[]. */
#define OF_TYPE_TABLE(P)                                                                           \
    {                                                                                              \
        P##_reverse, P##_weigh, P##_weights, P##_numbered, P##_count, P##_add, P##_create,         \
            P##_tally, P##_tallied                                                                 \
    }
static const struct {
    const spark_partitions_def *reverse, *weigh, *weights, *numbered;
    const spark_stateful_def *count;
    const spark_merge_def *add;
    const spark_map_def *create;
    const spark_foreach_def *tally;
    const spark_filter_def *tallied;
} of_type[] = {
    OF_TYPE_TABLE(i64),
    OF_TYPE_TABLE(str),
    OF_TYPE_TABLE(ii),
    OF_TYPE_TABLE(si),
    OF_TYPE_TABLE(is),
};

/* ---- functions with names */

SPARK_MAP(i64_affine, int64_t, int64_t)
{
    *out = *in * 3 + 1;
}
SPARK_MAP(i64_mod7, int64_t, int64_t)
{
    *out = modulo(*in, 7);
}
SPARK_MAP(i64_digit, int64_t, spark_str)
{
    *out = spark_str_format(task, "d%" PRId64, modulo(*in, 3));
}
SPARK_MAP(i64_text, int64_t, spark_str)
{
    *out = spark_str_format(task, "n%" PRId64, *in);
}
SPARK_MAP(i64_by5, int64_t, ii)
{
    *out = (ii) { modulo(*in, 5), *in };
}
SPARK_MAP(i64_named, int64_t, si)
{
    *out = (si) { spark_str_format(task, "k%" PRId64, modulo(*in, 4)), *in };
}
SPARK_MAP(i64_numbered_text, int64_t, is)
{
    *out = (is) { modulo(*in, 6), spark_str_format(task, "v%" PRId64, *in) };
}
SPARK_MAP(str_upper, spark_str, spark_str)
{
    *out = spark_str_upper(task, *in);
}
SPARK_MAP(str_bang, spark_str, spark_str)
{
    *out = spark_str_concat(task, *in, SPARK_LIT("!"));
}
SPARK_MAP(str_half, spark_str, spark_str)
{
    *out = (spark_str) { in->ptr, in->len / 2 };
}
SPARK_MAP(str_len, spark_str, int64_t)
{
    *out = (int64_t)in->len;
}
SPARK_MAP(str_with_len, spark_str, si)
{
    *out = (si) { *in, (int64_t)in->len };
}
SPARK_MAP(str_by_len, spark_str, is)
{
    *out = (is) { (int64_t)in->len, *in };
}
SPARK_MAP(ii_swap, ii, ii)
{
    *out = (ii) { in->value, in->key };
}
SPARK_MAP(ii_sum, ii, int64_t)
{
    *out = in->key + in->value;
}
SPARK_MAP(si_swap, si, is)
{
    *out = (is) { in->value, in->key };
}
SPARK_MAP(si_text, si, spark_str)
{
    *out = spark_str_format(task, SPARK_STR_FMT "=%" PRId64, SPARK_STR_ARG(in->key), in->value);
}
SPARK_MAP(is_swap, is, si)
{
    *out = (si) { in->value, in->key };
}
SPARK_MAP(is_text, is, spark_str)
{
    *out = spark_str_format(task, "%" PRId64 "=" SPARK_STR_FMT, in->key, SPARK_STR_ARG(in->value));
}
static const struct {
    const char *name;
    const spark_map_def *def;
} maps[] = {
    { "i64.affine", i64_affine },
    { "i64.mod7", i64_mod7 },
    { "i64.digit", i64_digit },
    { "i64.text", i64_text },
    { "i64.by5", i64_by5 },
    { "i64.named", i64_named },
    { "i64.numbered", i64_numbered_text },
    { "str.upper", str_upper },
    { "str.bang", str_bang },
    { "str.half", str_half },
    { "str.len", str_len },
    { "str.with_len", str_with_len },
    { "str.by_len", str_by_len },
    { "ii.swap", ii_swap },
    { "ii.sum", ii_sum },
    { "si.swap", si_swap },
    { "si.text", si_text },
    { "is.swap", is_swap },
    { "is.text", is_text },
};

SPARK_FLAT_MAP(i64_copies, int64_t, int64_t)
{
    for (int64_t i = 0; i < modulo(*in, 3); i++)
        spark_emit(out, *in + i);
}
SPARK_FLAT_MAP(str_words, spark_str, spark_str)
{
    spark_str line = *in, word;
    while (spark_str_next_word(&line, &word))
        spark_emit(out, word);
}
SPARK_FLAT_MAP(ii_both, ii, int64_t)
{
    spark_emit(out, in->key);
    spark_emit(out, in->value);
}
SPARK_FLAT_MAP(si_twice, si, si)
{
    spark_emit(out, *in);
    spark_emit(out, (si) { in->key, in->value + 1 });
}
SPARK_FLAT_MAP(is_words, is, spark_str)
{
    spark_str line = in->value, word;
    while (spark_str_next_word(&line, &word))
        spark_emit(out, word);
}
static const struct {
    const char *name;
    const spark_flat_map_def *def;
} flat_maps[] = {
    { "i64.copies", i64_copies },
    { "str.words", str_words },
    { "ii.both", ii_both },
    { "si.twice", si_twice },
    { "is.words", is_words },
};

SPARK_FILTER(i64_even, int64_t)
{
    return modulo(*in, 2) == 0;
}
SPARK_FILTER(str_odd, spark_str)
{
    return in->len % 2 == 1;
}
SPARK_FILTER(ii_rising, ii)
{
    return in->key < in->value;
}
SPARK_FILTER(si_even, si)
{
    return modulo(in->value, 2) == 0;
}
SPARK_FILTER(is_even, is)
{
    return modulo(in->key, 2) == 0;
}
static const struct {
    const char *name;
    const spark_filter_def *def;
} filters[] = {
    { "i64.even", i64_even },
    { "str.odd", str_odd },
    { "ii.rising", ii_rising },
    { "si.even", si_even },
    { "is.even", is_even },
};

SPARK_MERGE(i64_xor, int64_t, int64_t)
{
    *acc ^= *in;
}
SPARK_MERGE(str_concat, spark_str, spark_str)
{
    *acc = spark_str_concat(task, *acc, *in);
}
SPARK_MERGE(ii_plus, ii, ii)
{
    *acc = (ii) { acc->key + in->key, acc->value + in->value };
}
static const struct {
    const char *name;
    const spark_merge_def *def;
} merges[] = {
    { "i64.sum", spark_op_sum },
    { "i64.xor", i64_xor },
    { "i64.max", spark_op_max },
    { "str.max", spark_op_max },
    { "str.concat", str_concat },
    { "ii.add", ii_plus },
    { "si.max", spark_op_max },
    { "is.min", spark_op_min },
};

SPARK_ORDER(ii_by_value, ii, (desc, value), (asc, key));
SPARK_ORDER(si_by_value, si, (desc, value), (asc, key));
static const struct {
    const char *name;
    const spark_order *def;
} orders[] = {
    { "asc", NULL },
    { "desc", spark_order_desc },
    { "ii.by_value", ii_by_value },
    { "si.by_value", si_by_value },
};

SPARK_PARTITIONER(place_i64, int64_t)
{
    return (uint32_t)modulo(*key * 7 + 3, partitions);
}
SPARK_PARTITIONER(place_str, spark_str)
{
    return (uint32_t)(key->len * 5 + (key->len ? (unsigned char)key->ptr[0] : 0u)) % partitions;
}

SPARK_MAP(i64_list_len, spark_i64_list, int64_t)
{
    *out = (int64_t)in->n;
}
SPARK_MAP(str_list_len, spark_str_list, int64_t)
{
    *out = (int64_t)in->n;
}

#define FIND(table, named)                                                                         \
    (table)[find(named, &(table)[0].name, sizeof *(table), LENGTH(table))].def
static size_t find(const char *name, const char *const *first, size_t step, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(name, *(const char *const *)(const void *)((const char *)first + i * step)) == 0)
            return i;
    die("no such function", name);
}

/* The type before the dot, in types[]. */
static size_t type_of(const char *name)
{
    for (size_t i = 0; i < LENGTH(types); i++) {
        const size_t n = strlen(types[i].name);
        if (strncmp(types[i].name, name, n) == 0 && (name[n] == '\0' || name[n] == '.'))
            return i;
    }
    die("no such type", name);
}

/* ---- texts of values of any type, and functions that take any */

static void show(FILE *f, const spark_type *type, const void *value, bool bag)
{
    const char *bytes = value;
    switch ((int)type->kind) {
    case SPARK_KIND_I64:
        fprintf(f, "%" PRId64, *(const int64_t *)value);
        return;
    case SPARK_KIND_STR:
        fprintf(f, "\"" SPARK_STR_FMT "\"", SPARK_STR_ARG(*(const spark_str *)value));
        return;
    case SPARK_KIND_PAIR:
    case SPARK_KIND_STRUCT:
        for (size_t i = 0; i < type->count; i++) {
            fputc(i ? ',' : '(', f);
            show(f, type->fields[i].type, bytes + type->fields[i].offset, bag);
        }
        fputc(')', f);
        return;
    case SPARK_KIND_OPTIONAL: {
        /* { bool present; E value; } */
        const size_t align = type->of->align;
        if (*(const bool *)value)
            show(f, type->of, bytes + (sizeof(bool) + align - 1) / align * align, bag);
        else
            fputc('-', f);
        return;
    }
    case SPARK_KIND_LIST: {
        const spark_i64_list *list = value; /* of whatever */
        const char *at = (const char *)list->at;
        const void **items = malloc((list->n + 1) * sizeof *items);
        if (!items)
            die("no memory", "show");
        for (size_t i = 0; i < list->n; i++) {
            size_t j = i;
            const void *item = at + i * type->of->size;
            for (; bag && j > 0 && spark_compare(type->of, items[j - 1], item) > 0; j--)
                items[j] = items[j - 1];
            items[j] = item;
        }
        fputc('[', f);
        for (size_t i = 0; i < list->n; i++) {
            if (i)
                fputc(',', f);
            show(f, type->of, items[i], bag);
        }
        fputc(']', f);
        free(items);
        return;
    }
    default:
        die("cannot show a", type->name ? type->name : "type without a name");
    }
}

typedef struct any_env {
    const spark_type *in, *out;
    int which;
} any_env;

static void show_run(spark_task *task, size_t n, const void *in, size_t in_step, void *out,
    size_t out_step, const void *env)
{
    const any_env *e = env;
    for (size_t i = 0; i < n; i++) {
        char *text = NULL;
        size_t len = 0;
        FILE *f = open_memstream(&text, &len);
        if (!f)
            die("no memory", "show");
        show(f, e->in, (const char *)in + i * in_step, e->which);
        fclose(f);
        *(spark_str *)(void *)((char *)out + i * out_step)
            = spark_str_copy(task, (spark_str) { text, len });
        free(text);
    }
}
static const spark_map_def show_any
    = { "show", NULL, SPARK_TYPE(spark_str), sizeof(any_env), show_run, NULL };

/* (k, (v, w)) as (k, v) or (k, w) */
static void pick_run(spark_task *task, size_t n, const void *in, size_t in_step, void *out,
    size_t out_step, const void *env)
{
    const any_env *e = env;
    const spark_field *from = e->in->fields, *to = e->out->fields;
    const spark_field *inner = &from[1].type->fields[e->which];
    (void)task;
    for (size_t i = 0; i < n; i++) {
        const char *row = (const char *)in + i * in_step;
        char *made = (char *)out + i * out_step;
        memcpy(made + to[0].offset, row + from[0].offset, from[0].type->size);
        memcpy(made + to[1].offset, row + from[1].offset + inner->offset, inner->type->size);
    }
}

/* ---- programs */

enum { MAX_STEPS = 64, MAX_FIELDS = 16 };

static char *text_end, *cursor; /* the program's text */
static spark_context *sc;
static const char *in_dir, *out_dir;
static int pipeline, step;
static char *fields[MAX_FIELDS]; /* of the step: operation, sources, arguments */
static int n_fields;
static spark_rdd *made[MAX_STEPS], *src[MAX_FIELDS];
static size_t n_src;

static char *next_line(void)
{
    if (cursor >= text_end)
        return NULL;
    char *line = cursor, *end = strchr(line, '\n');
    if (!end)
        die("no line end", line);
    *end = '\0';
    cursor = end + 1;
    return line;
}

static const char *arg(int i)
{
    if (i + 2 >= n_fields)
        die("an argument is missing", fields[0]);
    return fields[i + 2];
}
static int64_t number(const char *s)
{
    int64_t n;
    if (!spark_str_to_i64((spark_str) { s, strlen(s) }, &n))
        die("not a number", s);
    return n;
}

/* An element from its text. */
static void parse(const spark_type *type, spark_str text, void *value)
{
    if (type->kind == SPARK_KIND_STR) {
        *(spark_str *)value = text;
    } else if (type->kind == SPARK_KIND_I64) {
        if (!spark_str_to_i64(text, value))
            die("not a number", text.ptr);
    } else {
        spark_str key;
        if (!spark_str_split(&text, ';', &key))
            die("not a pair", text.ptr);
        parse(type->fields[0].type, key, (char *)value + type->fields[0].offset);
        parse(type->fields[1].type, text, (char *)value + type->fields[1].offset);
    }
}

/* A number of partitions: "3", or placed by a function: "p3". */
static spark_keyed_options placed(const char *parts, const spark_type *key)
{
    if (parts[0] != 'p')
        return (spark_keyed_options) { .partitions = (int)number(parts) };
    return (spark_keyed_options) { .partitioner = spark_partitioner_new(sc, (int)number(parts + 1),
                                       key->kind == SPARK_KIND_STR ? place_str : place_i64, NULL) };
}

static const spark_type *key_type(const spark_rdd *rdd)
{
    const spark_type *type = spark_rdd_type(rdd);
    if (!type || type->kind != SPARK_KIND_PAIR)
        die("no pairs", fields[0]);
    return type->fields[0].type;
}

static spark_rdd *source(const char *op)
{
    if (strcmp(op, "range") == 0)
        return spark_range(sc, number(arg(0)), number(arg(1)), number(arg(2)), (int)number(arg(3)));
    if (strcmp(op, "emptyRDD") == 0)
        return spark_empty_rdd(sc, types[type_of(arg(0))].type);
    if (strcmp(op, "textFile") == 0) {
        char path[2][2000], both[4100];
        for (int64_t i = 0; i < number(arg(2)); i++)
            next_line();
        for (int i = 0; i < 2; i++)
            snprintf(path[i], sizeof path[i], "%s/%d-%d-%d", in_dir, pipeline, step, i);
        snprintf(both, sizeof both, "%s,%s", path[0], path[1]);
        return spark_text_file(sc, number(arg(1)) == 2 ? both : path[0], (int)number(arg(0)));
    }
    if (strcmp(op, "parallelize") != 0)
        die("no such operation", op);
    const spark_type *type = types[type_of(arg(0))].type;
    const size_t n = (size_t)number(arg(2));
    char *data = calloc(n + 1, type->size);
    if (!data)
        die("no memory", op);
    for (size_t i = 0; i < n; i++) {
        const char *line = next_line();
        parse(type, (spark_str) { line, strlen(line) }, data + i * type->size);
    }
    spark_rdd *rdd = spark_parallelize(sc, type, n, data, (int)number(arg(1)));
    free(data);
    return rdd;
}

#define IS(name) (strcmp(op, name) == 0)

static spark_rdd *narrow(const char *op)
{
    spark_rdd *r = src[0];
    const spark_type *type = spark_rdd_type(r);
    if (IS("map") && strncmp(arg(0), "show.", 5) == 0)
        return spark_map(
            r, &show_any, SPARK_COPY((any_env) { type, NULL, strcmp(arg(0), "show.bag") == 0 }));
    if (IS("map") && strncmp(arg(0), "pick.", 5) == 0) {
        const int which = arg(0)[5] - '0';
        const spark_type *out
            = spark_type_pair(sc, type->fields[0].type, type->fields[1].type->fields[which].type);
        const spark_map_def pick = { "pick", type, out, sizeof(any_env), pick_run, NULL };
        return spark_map(r, &pick, SPARK_COPY((any_env) { type, out, which }));
    }
    if (IS("map"))
        return spark_map(r, FIND(maps, arg(0)), NULL);
    if (IS("flatMap"))
        return spark_flat_map(r, FIND(flat_maps, arg(0)), NULL);
    if (IS("filter"))
        return spark_filter(r, FIND(filters, arg(0)), NULL);
    if (IS("mapPartitions")) {
        const char *what = strchr(arg(0), '.') + 1;
        const size_t t = type_of(arg(0));
        if (strcmp(what, "count") == 0)
            return spark_map_stateful(r, of_type[t].count, NULL);
        const bool reverse = strcmp(what, "reverse") == 0, weigh = strcmp(what, "weigh") == 0;
        return spark_map_partitions(r,
            reverse     ? of_type[t].reverse
                : weigh ? of_type[t].weigh
                        : of_type[t].weights,
            NULL);
    }
    if (IS("mapPartitionsWithIndex"))
        return spark_map_partitions(r, of_type[type_of(arg(0))].numbered, NULL);
    if (IS("glom"))
        return spark_glom(r);
    if (IS("keyBy"))
        return spark_key_by(r, FIND(maps, arg(0)), NULL);
    if (IS("mapValues") && strcmp(arg(0), "list.len") == 0) {
        const bool str = type->fields[1].type->of->kind == SPARK_KIND_STR;
        return spark_map_values(r, str ? str_list_len : i64_list_len, NULL);
    }
    if (IS("mapValues"))
        return spark_map_values(r, FIND(maps, arg(0)), NULL);
    if (IS("flatMapValues"))
        return spark_flat_map_values(r, FIND(flat_maps, arg(0)), NULL);
    if (IS("keys"))
        return spark_keys(r);
    if (IS("values"))
        return spark_values(r);
    if (IS("union"))
        return n_src == 2 ? spark_union(r, src[1]) : spark_union_all(sc, n_src, src);
    if (IS("cartesian"))
        return spark_cartesian(r, src[1]);
    if (IS("coalesce"))
        return spark_coalesce(r, (int)number(arg(0)));
    if (IS("repartition"))
        return spark_repartition(r, (int)number(arg(0)));
    if (IS("zip"))
        return spark_zip(r, src[1]);
    if (IS("zipWithIndex"))
        return spark_zip_with_index(r);
    if (IS("zipWithUniqueId"))
        return spark_zip_with_unique_id(r);
    if (IS("pipe"))
        return spark_pipe(r, arg(0));
    return NULL;
}

/* parts: the last argument, if it is one. */
static spark_rdd *wide(const char *op)
{
    spark_rdd *r = src[0];
    if (IS("distinct"))
        return spark_distinct(r, (int)number(arg(0)));
    if (IS("intersection"))
        return spark_intersection(r, src[1], (int)number(arg(0)));
    if (IS("subtract"))
        return spark_subtract(r, src[1], (int)number(arg(0)));
    if (IS("sortBy"))
        return spark_sort_by(r, FIND(orders, arg(0)), (int)number(arg(1)));
    if (IS("groupBy")) {
        const spark_map_def *f = FIND(maps, arg(0));
        const spark_keyed_options options = placed(arg(1), f->out);
        if (options.partitioner)
            return spark_group_by_with(r, f, NULL, &options);
        return spark_group_by(r, f, NULL, options.partitions);
    }

    const spark_type *key = key_type(r);
    if (IS("sortByKey"))
        return spark_sort_by_key(r, FIND(orders, arg(0)), (int)number(arg(1)));
    if (IS("partitionBy") || IS("repartitionAndSortWithinPartitions")) {
        const spark_keyed_options options = placed(arg(0), key);
        const spark_partitioner *p = options.partitioner
            ? options.partitioner
            : spark_hash_partitioner(sc, options.partitions);
        return IS("partitionBy")
            ? spark_partition_by(r, p)
            : spark_repartition_and_sort_within_partitions(r, p, FIND(orders, arg(1)));
    }
    if (IS("groupWith"))
        return spark_group_with(n_src, src);

    const spark_keyed_options options = placed(fields[n_fields - 1], key);
    const int n = options.partitions;
    const bool custom = options.partitioner;
    if (IS("cogroup"))
        return spark_cogroup(n_src, src, n);
    if (IS("subtractByKey"))
        return spark_subtract_by_key(r, src[1], n);
    if (IS("join"))
        return spark_join(r, src[1], n);
    if (IS("leftOuterJoin"))
        return spark_left_outer_join(r, src[1], n);
    if (IS("rightOuterJoin"))
        return spark_right_outer_join(r, src[1], n);
    if (IS("fullOuterJoin"))
        return spark_full_outer_join(r, src[1], n);
    if (IS("groupByKey"))
        return custom ? spark_group_by_key_with(r, &options) : spark_group_by_key(r, n);
    if (IS("reduceByKey")) {
        const spark_merge_def *f = FIND(merges, arg(0));
        return custom ? spark_reduce_by_key_with(r, f, NULL, &options)
                      : spark_reduce_by_key(r, f, NULL, n);
    }
    if (IS("foldByKey")) {
        const spark_merge_def *f = FIND(merges, arg(0));
        const spark_type *type = types[type_of(arg(0))].type;
        union {
            int64_t i;
            spark_str s;
        } zero;
        parse(type, (spark_str) { arg(1), strlen(arg(1)) }, &zero);
        return custom ? spark_fold_by_key_with(r, type, &zero, f, NULL, &options)
                      : spark_fold_by_key(r, type, &zero, f, NULL, n);
    }
    const size_t t = type_of(arg(0));
    if (IS("aggregateByKey"))
        return custom ? spark_aggregate_by_key_with(
                   r, SPARK_ZERO(ii), of_type[t].add, ii_plus, NULL, &options)
                      : spark_aggregate_by_key(r, SPARK_ZERO(ii), of_type[t].add, ii_plus, NULL, n);
    if (IS("combineByKey"))
        return custom
            ? spark_combine_by_key_with(
                r, of_type[t].create, of_type[t].add, ii_plus, NULL, &options)
            : spark_combine_by_key(r, of_type[t].create, of_type[t].add, ii_plus, NULL, n);
    die("no such operation", op);
}

/* ---- actions */

static void say(const char *text)
{
    printf("%d\t%d\t%s\n", pipeline, step, text);
}
static void say_i64(int64_t n)
{
    printf("%d\t%d\t%" PRId64 "\n", pipeline, step, n);
}
static void say_f64(double x)
{
    printf("%d\t%d\t%.17g\n", pipeline, step, x);
}
static void say_value(const spark_type *type, const void *value)
{
    printf("%d\t%d\t", pipeline, step);
    show(stdout, type, value, true);
    putchar('\n');
}

/* Texts of a file stand there as they are. */
static spark_status say_array(spark_status status, spark_array *array, bool raw)
{
    const char *items = array->items;
    for (size_t i = 0; i < array->n && status == SPARK_OK; i++) {
        if (raw)
            printf("%d\t%d\t" SPARK_STR_FMT "\n", pipeline, step,
                SPARK_STR_ARG(SPARK_ITEMS(spark_str, array)[i]));
        else
            say_value(array->type, items + i * array->type->size);
    }
    spark_array_free(array);
    return status;
}

static spark_status numbers(const char *op, spark_rdd *r)
{
    spark_status status;
    if (IS("sum") || IS("mean")) {
        double x = 0;
        status = IS("sum") ? spark_sum(r, &x) : spark_mean(r, &x);
        if (status == SPARK_OK && IS("sum"))
            say_i64((int64_t)x);
        else if (status == SPARK_OK)
            say_f64(x);
        return status;
    }
    if (IS("stats")) {
        spark_stat_counter s;
        status = spark_stats(r, &s);
        if (status != SPARK_OK)
            return status;
        const double all[] = { (double)s.count, s.sum, s.mean, s.min, s.max, s.variance, s.stdev,
            s.sample_variance, s.sample_stdev };
        for (size_t i = 0; i < LENGTH(all); i++)
            say_f64(all[i]);
        return status;
    }
    double edges[16];
    int64_t counts[16];
    size_t n = 0;
    if (arg(0)[0] == '=') {
        spark_str rest = { arg(0) + 1, strlen(arg(0) + 1) }, field;
        while (n < LENGTH(edges) && spark_str_split(&rest, ',', &field))
            if (!spark_str_to_f64(field, &edges[n++]))
                die("not a number", arg(0));
        status = spark_histogram_edges(r, n, edges, false, counts);
        n--;
    } else {
        status = spark_histogram(r, (size_t)number(arg(0)), edges, counts, &n);
        for (size_t i = 0; i <= n && status == SPARK_OK; i++)
            say_f64(edges[i]);
    }
    for (size_t i = 0; i < n && status == SPARK_OK; i++)
        say_i64(counts[i]);
    return status;
}

static spark_status save(spark_rdd *r)
{
    char path[2000], parts[2100];
    spark_array lines = { 0 };
    snprintf(path, sizeof path, "%s/%d-%d", out_dir, pipeline, step);
    snprintf(parts, sizeof parts, "%s%s", path, spark_rdd_partitions(r) ? "/part-*" : "");
    spark_status status = spark_save_as_text_file(r, path);
    if (status == SPARK_OK)
        status = spark_collect(spark_text_file(sc, parts, 1), SPARK_TYPE(spark_str), &lines);
    return say_array(status, &lines, true);
}

static spark_status act(const char *op)
{
    spark_rdd *r = src[0];
    const spark_type *type = spark_rdd_type(r);
    spark_array a = { 0 };
    spark_status status;
    int64_t n = 0;
    if (IS("collect"))
        return say_array(spark_collect(r, type, &a), &a, false);
    if (IS("count")) {
        status = spark_count(r, &n);
        if (status == SPARK_OK)
            say_i64(n);
        return status;
    }
    if (IS("isEmpty")) {
        bool empty;
        status = spark_is_empty(r, &empty);
        if (status == SPARK_OK)
            say(empty ? "true" : "false");
        return status;
    }
    if (IS("take"))
        return say_array(spark_take(r, (size_t)number(arg(0)), type, &a), &a, false);
    if (IS("first"))
        return say_array(spark_first(r, type, &a), &a, false);
    if (IS("max"))
        return say_array(spark_max(r, NULL, type, &a), &a, false);
    if (IS("min"))
        return say_array(spark_min(r, NULL, type, &a), &a, false);
    if (IS("top") || IS("takeOrdered")) {
        const spark_order *order = FIND(orders, arg(1));
        const size_t k = (size_t)number(arg(0));
        status = IS("top") ? spark_top(r, k, order, type, &a)
                           : spark_take_ordered(r, k, order, type, &a);
        return say_array(status, &a, false);
    }
    if (IS("reduce"))
        return say_array(spark_reduce(r, FIND(merges, arg(0)), NULL, type, &a), &a, false);
    if (IS("treeReduce"))
        return say_array(
            spark_tree_reduce(r, FIND(merges, arg(0)), NULL, (int)number(arg(1)), type, &a), &a,
            false);
    if (IS("fold")) {
        union {
            int64_t i;
            spark_str s;
            ii ii;
            si si;
            is is;
        } zero;
        parse(type, (spark_str) { arg(1), strlen(arg(1)) }, &zero);
        return say_array(spark_fold(r, type, &zero, FIND(merges, arg(0)), NULL, &a), &a, false);
    }
    if (IS("aggregate")) {
        ii zero;
        parse(SPARK_TYPE(ii), (spark_str) { arg(1), strlen(arg(1)) }, &zero);
        return say_array(spark_aggregate(r, SPARK_VALUE(ii, &zero), of_type[type_of(arg(0))].add,
                             ii_plus, NULL, &a),
            &a, false);
    }
    if (IS("treeAggregate"))
        return say_array(spark_tree_aggregate(r, SPARK_ZERO(ii), of_type[type_of(arg(0))].add,
                             ii_plus, NULL, (int)number(arg(1)), &a),
            &a, false);
    if (IS("lookup")) {
        union {
            int64_t i;
            spark_str s;
        } key;
        parse(key_type(r), (spark_str) { arg(0), strlen(arg(0)) }, &key);
        return say_array(spark_lookup(r, key_type(r), &key, type->fields[1].type, &a), &a, false);
    }
    if (IS("countByKey"))
        return say_array(spark_count_by_key(r, NULL, &a), &a, false);
    if (IS("countByValue"))
        return say_array(spark_count_by_value(r, NULL, &a), &a, false);
    if (IS("collectAsMap"))
        return say_array(spark_collect_as_map(r, type, &a), &a, false);
    if (IS("reduceByKeyLocally"))
        return say_array(
            spark_reduce_by_key_locally(r, FIND(merges, arg(0)), NULL, type, &a), &a, false);
    if (IS("toLocalIterator")) {
        spark_local_iterator *it = spark_to_local_iterator(r, type);
        if (!it)
            return spark_last_error()->code;
        for (const void *item; (item = spark_local_next_(it)) != NULL;)
            say_value(type, item);
        return spark_local_iterator_status(it);
    }
    if (IS("foreach") || IS("accumulator")) {
        counter total = spark_counter(sc, "total");
        const size_t t = type_of(arg(0));
        status = IS("foreach")
            ? spark_foreach(r, of_type[t].tally, SPARK_COPY(total))
            : spark_count(spark_filter(r, of_type[t].tallied, SPARK_COPY(total)), &n);
        if (status == SPARK_OK && IS("accumulator"))
            say_i64(n);
        if (status == SPARK_OK)
            say_i64(spark_accumulator_value(total));
        return status;
    }
    if (IS("saveAsTextFile"))
        return save(r);
    if (IS("sum") || IS("mean") || IS("stats") || IS("histogram"))
        return numbers(op, r);
    die("no such operation", op);
}

/* Actions have "seq", "bag" or "close" at the end. */
static bool is_action(void)
{
    const char *last = fields[n_fields - 1];
    return strcmp(last, "seq") == 0 || strcmp(last, "bag") == 0 || strcmp(last, "close") == 0;
}

static void run_step(char *line)
{
    for (n_fields = 0; line && n_fields < MAX_FIELDS; n_fields++) {
        fields[n_fields] = line;
        if ((line = strchr(line, '\t')) != NULL)
            *line++ = '\0';
    }
    if (n_fields < 2 || line || step >= MAX_STEPS)
        die("not a step", fields[0]);
    n_src = 0;
    if (fields[1][0] != '-') {
        spark_str rest = { fields[1], strlen(fields[1]) }, field;
        for (int64_t i; n_src < MAX_FIELDS && spark_str_split(&rest, ',', &field);)
            if (!spark_str_to_i64(field, &i) || i < 0 || i >= step || !made[i])
                die("no such source", fields[1]);
            else
                src[n_src++] = made[i];
    }
    const char *op = fields[0];
    if (is_action()) {
        const spark_status status = act(op);
        if (status == SPARK_EEMPTY)
            say("empty");
        else if (status != SPARK_OK)
            say(spark_last_error()->message);
        return;
    }
    spark_rdd *rdd = n_src == 0 ? source(op) : narrow(op);
    made[step] = rdd = rdd ? rdd : wide(op);
    const int partitions = spark_rdd_partitions(rdd);
    if (partitions < 0)
        say(spark_last_error()->message);
    else
        printf("%d\t%d\tparts=%d partitioner=%s\n", pipeline, step, partitions,
            spark_rdd_partitioner(rdd) ? "yes" : "no");
}

static char *read_all(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f || fseek(f, 0, SEEK_END) != 0)
        die("cannot read", path);
    const size_t size = (size_t)ftell(f);
    char *text = calloc(size + 1, 1);
    rewind(f);
    if (!text || fread(text, 1, size, f) != size)
        die("cannot read", path);
    fclose(f);
    cursor = text;
    text_end = text + size;
    return text;
}

int main(int argc, char **argv)
{
    if (argc < 4)
        die("usage", "pipelines PROGRAM IN OUT [check]");
    const bool check = argc > 4 && strcmp(argv[4], "check") == 0;
    char *text = read_all(argv[1]);
    in_dir = argv[2];
    out_dir = argv[3];
    sc = spark_context_new(
        &(spark_conf) { .threads = 2, .check = check, .batch_rows = check ? 3 : 0 });
    char *line = next_line();
    while (line) {
        SPARK_SCOPED(sc);
        if (strncmp(line, "pipeline\t", 9) != 0)
            die("not a pipeline", line);
        pipeline = (int)number(line + 9);
        memset(made, 0, sizeof made);
        for (step = 0; (line = next_line()) && strncmp(line, "pipeline\t", 9) != 0; step++)
            run_step(line);
    }
    spark_context_free(sc);
    free(text);
    return fflush(stdout) != 0;
}
