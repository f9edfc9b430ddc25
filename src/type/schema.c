/* SPDX-License-Identifier: Apache-2.0 */
/* A type in the form of Spark's printSchema: a line a member, indented by how deep it stands. */
#include <spark/row.h>

#include "base/error.h"

static const char *const names[] = { [SPARK_KIND_BOOL] = "boolean",
    [SPARK_KIND_CHAR] = "char",
    [SPARK_KIND_I8] = "byte",
    [SPARK_KIND_I16] = "short",
    [SPARK_KIND_I32] = "integer",
    [SPARK_KIND_I64] = "long",
    [SPARK_KIND_U8] = "unsigned byte",
    [SPARK_KIND_U16] = "unsigned short",
    [SPARK_KIND_U32] = "unsigned integer",
    [SPARK_KIND_U64] = "unsigned long",
    [SPARK_KIND_F32] = "float",
    [SPARK_KIND_F64] = "double",
    [SPARK_KIND_DATE] = "date",
    [SPARK_KIND_TIME] = "timestamp",
    [SPARK_KIND_STR] = "string",
    [SPARK_KIND_BYTES] = "binary",
    [SPARK_KIND_LIST] = "array",
    [SPARK_KIND_PAIR] = "struct",
    [SPARK_KIND_STRUCT] = "struct",
    [SPARK_KIND_BLOB] = "binary" };

/* line: one member, and what is inside it. As it is called before its type is printed, an optional in an
 * optional is as if there were one. */
static void line(
    FILE *file, int depth, const char *name, const spark_type *type, bool null, const char *word);

static void members(FILE *file, int depth, const spark_type *type)
{
    if (type->kind == SPARK_KIND_LIST)
        line(file, depth, "element", type->of, false, "containsNull");
    if (type->kind != SPARK_KIND_STRUCT && type->kind != SPARK_KIND_PAIR)
        return;
    for (uint32_t i = 0; i < type->count; i++) {
        const spark_field *f = &type->fields[i];
        const spark_type array = { .kind = SPARK_KIND_LIST, .of = f->type };
        const bool chars = f->count > 0 && f->type->kind == SPARK_KIND_CHAR;
        const spark_type text = { .kind = SPARK_KIND_STR };
        line(file, depth, f->name, chars ? &text : f->count > 0 ? &array : f->type, false, "nullable");
    }
}

static void line(
    FILE *file, int depth, const char *name, const spark_type *type, bool null, const char *word)
{
    for (; type->kind == SPARK_KIND_OPTIONAL; type = type->of)
        null = true;
    for (int i = 0; i < depth; i++)
        fputs(" |   ", file);
    fprintf(file, " |-- %s: ", name);
    if (type->kind == SPARK_KIND_DECIMAL)
        fprintf(file, "decimal(%d,%d)", type->precision, type->scale);
    else
        fputs(names[type->kind], file);
    fprintf(file, " (%s = %s)\n", word, null ? "true" : "false");
    members(file, depth + 1, type);
}

spark_status spark_print_schema(FILE *file, const spark_type *type)
{
    if (!file || !type)
        return spk_raisef(SPARK_EINVAL, "printSchema", NULL,
            "printSchema: the %s is NULL", file ? "type" : "file");
    fputs("root\n", file);
    if (type->kind == SPARK_KIND_STRUCT || type->kind == SPARK_KIND_PAIR)
        members(file, 0, type);
    else
        line(file, 0, "value", type, false, "nullable");
    if (fflush(file) != 0 || ferror(file))
        return spk_raisef(SPARK_EIO, "printSchema", NULL, "printSchema: cannot write");
    return SPARK_OK;
}
