/* SPDX-License-Identifier: Apache-2.0 */
/* Values are read as cells of CSV are, once a task, into a row from which they are copied. */
#include "rdd/source/partitioned.h"

#include <stdlib.h>

#include "format/hive.h"
#include "io/glob.h"
#include "io/output.h"

/* ---- which files there are */

/* directory_of: a path as those of the files in it begin, which have one slash between two names. */
static char *directory_of(const char *path, spk_failure *failure)
{
    char *directory = spk_output_path(path, failure), *to = directory ? strstr(directory, "://") : NULL;
    to = to ? to + 3 : directory;
    for (const char *from = to; from && *from; from++)
        if (*from != '/' || to == directory || to[-1] != '/')
            *to++ = *from;
    if (to)
        *to = '\0';
    return directory;
}

spark_status spk_partitioned_base(const char *option, char **base, spk_failure *failure)
{
    *base = NULL;
    if (option && *option == '\0')
        return spk_failure_set(failure, SPARK_EINVAL, NULL, NULL, "it is empty");
    *base = option ? directory_of(option, failure) : NULL;
    return !option || *base ? SPARK_OK : failure->code;
}

/* below: what of a path is behind the directory; NULL: it is elsewhere. */
static const char *below(const char *path, const char *base)
{
    const size_t n = strlen(base);
    path = spk_io_path(path);
    if (strncmp(path, base, n) != 0 || (path[n] != '/' && n > 0 && base[n - 1] != '/'))
        return NULL;
    return path + n + (path[n] == '/');
}

/* is_deep: whether a file lies in a directory within this one. */
static bool is_deep(const spk_files *files, const char *directory)
{
    for (size_t i = 0; i < files->n; i++) {
        const char *rest = below(files->at[i].path, directory);
        if (rest && strchr(rest, '/'))
            return true;
    }
    return false;
}

/* list_one: of a path without a pattern, which is what columns are named below, where it is a directory with
 * such directories in it. */
static spark_status list_one(
    spark_context *sc, const char *path, char **base, spk_files *files, spk_failure *failure)
{
    char *directory = directory_of(path, failure);
    if (!directory)
        return failure->code;
    const spark_status status = spk_files_list_keyed(path, sc->elsewhere, files, failure);
    if (status == SPARK_OK && !*base && is_deep(files, directory)) {
        *base = directory;
        directory = NULL;
    }
    free(directory);
    return status;
}

/* list_many: of patterns, and of lists of paths: what is the directory above, base_path says. */
static spark_status list_many(
    spark_context *sc, const char *path, const char *base, spk_files *files, spk_failure *failure)
{
    if (base)
        return spk_files_list_keyed(path, sc->elsewhere, files, failure);
    if (spk_files_list(path, sc->elsewhere, files, failure) != SPARK_OK
        && strstr(failure->message, SPK_IN_INPUT))
        spk_failure_end(failure, "; of directories key=value, base_path names the one above them");
    return failure->code;
}

spark_status spk_partitioned_list(
    spark_context *sc, const char *path, spk_charset charset, char **base, spk_files *files,
    spk_failure *failure)
{
    char local[SPK_PATH];
    const bool many = spk_glob_special(path, strlen(path), ",*?[]{}\\");
    failure->code = SPARK_OK;
    spark_status status = many ? list_many(sc, path, *base, files, failure)
                               : list_one(sc, path, base, files, failure);
    if (status == SPARK_OK)
        status = spk_files_spool(files, spk_writable_directory(sc->local_dir, local), failure);
    if (status == SPARK_OK && charset != SPK_UTF8
        && (status = spk_files_recode(files, charset, failure)) != SPARK_OK)
        spk_files_free(files);
    return status;
}

/* ---- columns */

/* next_key: of a path, from *at on, a directory that is named key=value; false: there is none left. */
static bool next_key(const char **at, spark_str *name, spark_str *value)
{
    for (const char *slash; (slash = strchr(*at, '/')) != NULL;) {
        const char *from = *at, *sign = memchr(from, '=', (size_t)(slash - from));
        *at = slash + 1;
        if (!sign || sign == from)
            continue;
        *name = (spark_str) { from, (size_t)(sign - from) };
        *value = (spark_str) { sign + 1, (size_t)(slash - sign - 1) };
        return true;
    }
    return false;
}

static uint32_t count_keys(const char *at)
{
    spark_str name, value;
    uint32_t n = 0;
    while (at && next_key(&at, &name, &value))
        n++;
    return n;
}

/* keep: a text without its escapes, and a NUL behind it. */
static spark_str keep(char **to, spark_str text)
{
    const spark_str kept = { *to, spk_hive_read(text.ptr, text.len, *to) };
    (*to)[kept.len] = '\0';
    *to += kept.len + SPK_CSV_SLACK;
    return kept;
}

static bool take_keys(spk_partitioned *p, const char *at, char **to, bool first, spark_str *values)
{
    spark_str name, value;
    uint32_t i = 0;
    for (; at && next_key(&at, &name, &value); i++) {
        const spark_str kept = keep(to, name);
        if (first)
            p->names[i] = kept;
        else if (i == p->n || kept.len != p->names[i].len
            || memcmp(kept.ptr, p->names[i].ptr, kept.len) != 0)
            return false;
        const bool null = value.len == sizeof SPK_HIVE_NULL - 1
            && memcmp(value.ptr, SPK_HIVE_NULL, value.len) == 0;
        values[i] = null ? (spark_str) { NULL, 0 } : keep(to, value);
    }
    return i == p->n;
}

/* twice: a name that two directories of a path have; NULL: none. */
static const char *twice(const spk_partitioned *p)
{
    for (uint32_t i = 0; i < p->n; i++)
        for (uint32_t k = 0; k < i; k++)
            if (strcmp(p->names[i].ptr, p->names[k].ptr) == 0)
                return p->names[i].ptr;
    return NULL;
}

spark_status spk_partitioned_find(
    spk_partitioned *p, const spk_files *files, const char *base, spk_failure *failure)
{
    static const spark_csv_options java = { .positive_inf = "Infinity", .negative_inf = "-Infinity" };
    size_t room = 0;
    *p = (spk_partitioned) { .n = 0 };
    if (!base || files->n == 0)
        return SPARK_OK;
    for (size_t i = 0; i < files->n; i++)
        if (!below(files->at[i].path, base))
            return spk_failure_set(failure, SPARK_EIO, NULL, NULL,
                "option base_path: %s is not below %s; begin both paths alike", files->at[i].path, base);
    p->n = count_keys(below(files->at[0].path, base));
    for (size_t i = 0; i < files->n; i++) /* texts end in slack, which cells are read with */
        room += strlen(files->at[i].path) + 1 + 2 * (size_t)p->n * SPK_CSV_SLACK;
    p->names = calloc(p->n + 1u, sizeof *p->names);
    p->values = calloc(files->n * p->n + 1, sizeof *p->values);
    p->texts = calloc(1, room + 1);
    if (!p->names || !p->values || !p->texts
        || spk_csv_compile(&p->csv, &java, false, failure) != SPARK_OK)
        return spk_failure_nomem(failure, NULL, NULL);
    char *to = p->texts;
    for (size_t i = 0; i < files->n; i++) {
        const char *path = files->at[i].path, *rest = below(path, base);
        if (count_keys(rest) != p->n || !take_keys(p, rest, &to, i == 0, p->values + i * p->n))
            return spk_failure_set(failure, SPARK_EIO, NULL, NULL,
                "directories for values are not the same below %s: those of %s and %s", base,
                files->at[0].path, path);
    }
    const char *name = twice(p);
    return !name ? SPARK_OK
                 : spk_failure_set(failure, SPARK_EIO, NULL, NULL,
                       "two directories for values of \"%.100s\" in one path: %s", name, files->at[0].path);
}

void spk_partitioned_free(spk_partitioned *p)
{
    spk_csv_free(&p->csv);
    free(p->names);
    free(p->values);
    free(p->texts);
    free(p->fields);
    *p = (spk_partitioned) { .n = 0 };
}

/* type_of: the type of a column, as Spark finds it. */
static const spark_type *type_of(const spk_partitioned *p, size_t n_files, uint32_t column)
{
    spk_csv_guess all = SPK_GUESS_NULL;
    for (size_t i = 0; i < n_files; i++) {
        const spark_str value = p->values[i * p->n + column];
        if (!value.ptr || value.len == 0)
            continue;
        spk_csv_guess one = spk_csv_guess_of(&p->csv, SPK_GUESS_NULL, value);
        if (one == SPK_GUESS_BOOL) /* which is a text as the name of a directory */
            one = SPK_GUESS_STR;
        all = spk_csv_guess_both(&p->csv, all, one);
    }
    return spk_csv_guess_type(all == SPK_GUESS_NULL ? SPK_GUESS_STR : all);
}

/* with: see spk_partitioned_with. */
static const spark_type *with(spark_context *sc, const spark_type *type, const spk_partitioned *keys,
    size_t n_files, spk_failure *failure)
{
    const uint32_t own = type->count, n = own + keys->n;
    const spark_type **members = calloc(n, sizeof *members);
    const char **texts = calloc(n, sizeof *texts);
    const spark_type *both = NULL;
    bool good = members && texts;
    for (uint32_t i = 0; good && i < n; i++) {
        texts[i] = i < own ? type->fields[i].name : keys->names[i - own].ptr;
        members[i] = i < own ? type->fields[i].type
                             : spk_types_optional(sc->types, type_of(keys, n_files, i - own));
        good = members[i] != NULL;
    }
    failure->code = SPARK_OK;
    for (uint32_t k = 0; good && k < keys->n; k++)
        if (spark_field_find(type, texts[own + k]))
            spk_failure_set(failure, SPARK_EIO, NULL, NULL,
                "column \"%s\" is in the files and in the names of their directories", texts[own + k]);
    if (good && failure->code == SPARK_OK)
        both = spk_types_struct(sc->types, n, members, texts);
    if (!both && failure->code == SPARK_OK)
        spk_failure_nomem(failure, NULL, NULL);
    free(members);
    free(texts);
    return both;
}

const spark_type *spk_partitioned_with(spark_context *sc, const spark_type *type,
    const spk_files *files, const char *base, spk_failure *failure)
{
    spk_partitioned keys;
    if (spk_partitioned_find(&keys, files, base, failure) != SPARK_OK)
        type = NULL;
    else if (keys.n > 0)
        type = with(sc, type, &keys, files->n, failure);
    spk_partitioned_free(&keys);
    return type;
}

/* split: sets rest and keys. */
static spark_status split(spk_partitioned *p, const spark_type *type, spk_failure *failure)
{
    uint32_t keys = 0, rest = 0;
    free(p->fields);
    p->fields = calloc(2u * type->count + 2, sizeof *p->fields);
    if (!p->fields)
        return spk_failure_nomem(failure, NULL, NULL);
    spark_field *of_keys = p->fields + type->count + 1;
    for (uint32_t i = 0; i < type->count; i++) {
        bool is_key = false;
        for (uint32_t k = 0; k < p->n && !is_key; k++)
            is_key = spark_field_find(type, p->names[k].ptr) == &type->fields[i];
        *(is_key ? &of_keys[keys++] : &p->fields[rest++]) = type->fields[i];
    }
    p->rest = p->keys = *type;
    p->rest.kind = p->keys.kind = SPARK_KIND_STRUCT;
    p->rest.fields = p->fields;
    p->rest.count = rest;
    p->keys.fields = of_keys;
    p->keys.count = keys;
    return SPARK_OK;
}

spark_status spk_partitioned_prepare(
    spk_partitioned *p, spk_files_rdd *of, spk_charset charset, char **base, spk_failure *failure)
{
    if (of->spec && !of->files.at
        && spk_partitioned_list(of->rdd.sc, of->spec, charset, base, &of->files, failure) != SPARK_OK)
        return failure->code;
    if (spk_files_rdd_list(&of->rdd, true, failure) != SPARK_OK)
        return failure->code;
    spk_partitioned_free(p);
    if (spk_partitioned_find(p, &of->files, *base, failure) != SPARK_OK)
        return failure->code;
    return p->n == 0 ? SPARK_OK : split(p, of->rdd.layout->type, failure);
}

/* ---- rows */

/* make_plan: and the row of it. */
static spark_status make_plan(const spk_partitioned *p, spk_csv_plan *plan, const spk_files *files,
    size_t file, char *row, spk_failure *failure)
{
    const char *path = files->at[file].path;
    spark_status status
        = spk_csv_plan_make(plan, &p->csv, &p->keys, path, p->names, p->n, failure);
    for (size_t i = 0; status == SPARK_OK && i < plan->n; i++) {
        const spk_csv_column *column = &plan->columns[i];
        const spark_str value = p->values[file * p->n + column->at];
        if (!value.ptr && column->present < 0)
            status = spk_failure_set(failure, SPARK_EIO, NULL, NULL,
                "null in the name of a directory, and column \"%s\" cannot be null: %s",
                column->field->name, path);
        else if (value.ptr && !spk_csv_read_cell(&p->csv, column, value, row))
            status = spk_failure_set(failure, SPARK_EIO, NULL, NULL,
                "cannot read \"%.40s\" in the name of a directory as column \"%s\": %s", value.ptr,
                column->field->name, path);
    }
    return status;
}

char *spk_partitioned_row(spark_task *task, const spk_partitioned *p, spk_csv_plan *plan,
    const spk_files *files, const spk_file *file, size_t size, spk_failure *failure)
{
    char *row = spk_arena_alloc(spk_keep_of(task), size, 64);
    if (!row) {
        spk_failure_nomem(failure, NULL, NULL);
        return NULL;
    }
    memset(row, 0, size);
    if (make_plan(p, plan, files, (size_t)(file - files->at), row, failure) == SPARK_OK) {
        failure->code = SPARK_OK;
        return row;
    }
    spk_csv_plan_free(plan);
    return NULL;
}

void spk_partitioned_fill(const spk_csv_plan *plan, const char *row, char *rows, size_t n)
{
    for (size_t i = 0; i < plan->n; i++) {
        const spk_csv_column *c = &plan->columns[i];
        const size_t size = c->size * (c->count ? c->count : 1);
        for (size_t k = 0; k < n; k++) {
            char *to = rows + k * plan->row_size;
            memcpy(to + c->offset, row + c->offset, size);
            if (c->present >= 0)
                to[c->present] = row[c->present];
        }
    }
}
