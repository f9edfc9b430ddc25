/* SPDX-License-Identifier: Apache-2.0 */
/* Formats: which type of SQL a column is, and how its values are read. */
#include "base/small.h"

#include "sql/arrow/read.h"

enum { MEMBERS = 100000 };

typedef struct reading {
    spk_arena *arena;
    spk_failure *failure;
} reading;

static bool refuse(const reading *r, spark_status code, const struct ArrowSchema *s, const char *why)
{
    if (r->failure->code == SPARK_OK)
        spk_failure_set(r->failure, code, NULL, NULL, "Arrow column \"%.100s\" of format \"%.40s\": %s",
            s->name ? s->name : "", s->format ? s->format : "", why);
    return false;
}

static bool no_memory(const reading *r)
{
    if (r->failure->code == SPARK_OK)
        spk_failure_nomem(r->failure, NULL, NULL);
    return false;
}

static bool set(spk_arrow_in *in, spk_sql_kind kind, spk_arrow_read how)
{
    in->type = spk_sql_type_of(kind);
    in->how = how;
    return true;
}

/* one_letter: the formats of a single letter; false: it is none of them. */
static bool one_letter(const reading *r, char letter, spk_arrow_in *in)
{
    switch (letter) {
    case 'n':
        in->nullable = true;
        return set(in, SPK_SQL_VOID, SPK_READ_NULL);
    case 'b':
        return set(in, SPK_SQL_BOOLEAN, SPK_READ_BIT);
    case 'c':
        return set(in, SPK_SQL_TINYINT, SPK_READ_COPY);
    case 's':
        return set(in, SPK_SQL_SMALLINT, SPK_READ_COPY);
    case 'i':
        return set(in, SPK_SQL_INT, SPK_READ_COPY);
    case 'l':
        return set(in, SPK_SQL_BIGINT, SPK_READ_COPY);
    case 'C':
        return set(in, SPK_SQL_SMALLINT, SPK_READ_U8);
    case 'S':
        return set(in, SPK_SQL_INT, SPK_READ_U16);
    case 'I':
        return set(in, SPK_SQL_BIGINT, SPK_READ_U32);
    case 'L':
        in->how = SPK_READ_U64;
        in->type = spk_sql_type_decimal(r->arena, 20, 0);
        return in->type || no_memory(r);
    case 'e':
        return set(in, SPK_SQL_FLOAT, SPK_READ_HALF);
    case 'f':
        return set(in, SPK_SQL_FLOAT, SPK_READ_COPY);
    case 'g':
        return set(in, SPK_SQL_DOUBLE, SPK_READ_COPY);
    case 'u':
        return set(in, SPK_SQL_STRING, SPK_READ_TEXT);
    case 'U':
        return set(in, SPK_SQL_STRING, SPK_READ_LARGE);
    case 'z':
        return set(in, SPK_SQL_BINARY, SPK_READ_TEXT);
    case 'Z':
        return set(in, SPK_SQL_BINARY, SPK_READ_LARGE);
    default:
        return false;
    }
}

/* unit: of "s", "m", "u", "n": how many of them are a microsecond, or the other way round, negative. */
static bool unit(char letter, bool nanos, spk_arrow_in *in)
{
    static const char letters[] = "smun";
    static const int64_t micros[] = { 1000000, 1000, 1, -1000 }, nano[] = { 1000000000, 1000000, 1000, 1 };
    const char *at = letter ? strchr(letters, letter) : NULL;
    if (!at)
        return false;
    in->factor = (nanos ? nano : micros)[at - letters];
    return true;
}

static bool temporal(const reading *r, const struct ArrowSchema *s, spk_arrow_in *in)
{
    const char *f = s->format;
    if (strcmp(f, "tdD") == 0)
        return set(in, SPK_SQL_DATE, SPK_READ_COPY);
    if (strcmp(f, "tdm") == 0)
        return set(in, SPK_SQL_DATE, SPK_READ_DAYS);
    if (strcmp(f, "tiM") == 0)
        return set(in, SPK_SQL_INTERVAL_MONTHS, SPK_READ_COPY);
    if (f[1] == 's' && unit(f[2], false, in) && f[3] == ':')
        return set(in, f[4] ? SPK_SQL_TIMESTAMP : SPK_SQL_TIMESTAMP_NTZ, SPK_READ_SCALE);
    if (f[1] == 't' && unit(f[2], true, in) && !f[3])
        return set(in, SPK_SQL_TIME, f[2] == 's' || f[2] == 'm' ? SPK_READ_SCALE32 : SPK_READ_SCALE);
    if (f[1] == 'D' && unit(f[2], false, in) && !f[3])
        return set(in, SPK_SQL_INTERVAL_SECONDS, SPK_READ_SCALE);
    return refuse(r, SPARK_ETYPE, s, "a kind of time that no type of SQL is");
}

/* whole: digits, which may have a sign, up to the end or to a comma, behind which *at is then; false: that is not
 * what stands there. */
static bool whole(const char **at, int *value)
{
    const char *p = *at, *digits = p + (*p == '-');
    int64_t x = 0;
    for (p = digits; *p >= '0' && *p <= '9' && x <= INT32_MAX; p++)
        x = x * 10 + (*p - '0');
    if (p == digits || x > INT32_MAX || (*p && *p != ','))
        return false;
    *value = (int)(digits == *at ? x : -x);
    *at = p + (*p == ',');
    return true;
}

/* length: all of the text is one. */
static bool length(const char *text, int64_t *value)
{
    int n = 0;
    if (!whole(&text, &n) || n < 0 || *text || text[-1] == ',')
        return false;
    *value = n;
    return true;
}

static bool decimal(const reading *r, const struct ArrowSchema *s, spk_arrow_in *in)
{
    int precision, scale, bits = 128;
    const char *at = s->format + 2;
    bool good = whole(&at, &precision) && at[-1] == ',' && whole(&at, &scale);
    if (good && at[-1] == ',')
        good = whole(&at, &bits) && at[-1] != ',';
    if (!good || *at)
        return refuse(r, SPARK_EINVAL, s, "no decimal is written so");
    if (precision < 1 || precision > SPK_SQL_DECIMAL_MAX || scale < 0 || scale > precision
        || (bits != 128 && bits != 64 && bits != 32))
        return refuse(r, SPARK_ETYPE, s, "decimals have up to 38 digits, up to all of them behind the point");
    in->type = spk_sql_type_decimal(r->arena, precision, scale);
    in->how = bits == 128 ? SPK_READ_I128 : bits == 64 ? SPK_READ_I64 : SPK_READ_I32;
    return in->type || no_memory(r);
}

static bool column(const reading *r, const struct ArrowSchema *s, unsigned depth, spk_arrow_in *in);

static bool children(const reading *r, const struct ArrowSchema *s, unsigned depth, spk_arrow_in *in)
{
    in->n = (uint32_t)s->n_children;
    in->children = spk_arena_alloc(r->arena, (in->n + 1) * sizeof *in->children, 16);
    if (!in->children)
        return no_memory(r);
    memset(in->children, 0, (in->n + 1) * sizeof *in->children);
    for (uint32_t i = 0; i < in->n; i++)
        if (!s->children[i] || !column(r, s->children[i], depth + 1, &in->children[i]))
            return s->children[i] ? false : refuse(r, SPARK_EINVAL, s, "a child is missing");
    return true;
}

static bool struct_of(const reading *r, spk_arrow_in *in)
{
    spk_sql_field *fields = spk_arena_alloc(r->arena, (in->n + 1) * sizeof *fields, 16);
    if (!fields)
        return no_memory(r);
    for (uint32_t i = 0; i < in->n; i++)
        fields[i] = (spk_sql_field) { in->children[i].name, in->children[i].type, in->children[i].nullable, 0 };
    in->how = SPK_READ_STRUCT;
    in->type = spk_sql_type_struct(r->arena, fields, in->n);
    return in->type || no_memory(r);
}

static bool list_of(const reading *r, const struct ArrowSchema *s, spk_arrow_in *in)
{
    if (in->n != 1)
        return refuse(r, SPARK_EINVAL, s, "a list has one child");
    const spk_arrow_in *of = &in->children[0];
    if (s->format[1] == 'w') {
        in->how = SPK_READ_ARRAY;
        if (s->format[2] != ':' || !length(s->format + 3, &in->width))
            return refuse(r, SPARK_EINVAL, s, "no length is written so");
    } else {
        in->how = s->format[1] == 'L' ? SPK_READ_LARGE_LIST : SPK_READ_LIST;
    }
    in->type = spk_sql_type_array(r->arena, of->type, of->nullable);
    return in->type || no_memory(r);
}

static bool map_of(const reading *r, const struct ArrowSchema *s, spk_arrow_in *in)
{
    if (in->n != 1 || in->children[0].how != SPK_READ_STRUCT || in->children[0].n != 2)
        return refuse(r, SPARK_EINVAL, s, "a map has entries of a key and a value");
    spk_arrow_in *entry = &in->children[0];
    entry->children[0].nullable = entry->nullable = false;
    in->how = SPK_READ_LIST;
    in->type = spk_sql_type_map(
        r->arena, entry->children[0].type, entry->children[1].type, entry->children[1].nullable);
    return in->type || no_memory(r);
}

static bool nested(const reading *r, const struct ArrowSchema *s, unsigned depth, spk_arrow_in *in)
{
    const char *f = s->format;
    const bool known = strcmp(f, "+s") == 0 || strcmp(f, "+l") == 0 || strcmp(f, "+L") == 0 || strcmp(f, "+m") == 0
        || strncmp(f, "+w", 2) == 0;
    if (!known)
        return refuse(r, SPARK_ETYPE, s, "unions, views of lists and run-ends are not read");
    if (depth >= SPK_SQL_TYPE_DEPTH)
        return refuse(r, SPARK_ETYPE, s, "it is nested too deep");
    if (s->n_children < 0 || s->n_children > MEMBERS || (s->n_children && !s->children))
        return refuse(r, SPARK_EINVAL, s, "its number of children cannot be right");
    if (f[1] == 's' && depth > 0 && s->n_children == 0)
        return refuse(r, SPARK_ETYPE, s, "structs without fields are not read");
    if (!children(r, s, depth, in))
        return false;
    return f[1] == 's' ? struct_of(r, in) : f[1] == 'm' ? map_of(r, s, in) : list_of(r, s, in);
}

/* dictionary: the type is that of the values; the format is that of indexes. */
static bool dictionary(const reading *r, const struct ArrowSchema *s, unsigned depth, spk_arrow_in *in)
{
    static const char formats[] = "csilCSIL";
    const char *at = s->format[1] == '\0' && s->format[0] ? strchr(formats, s->format[0]) : NULL;
    const char *name = in->name;
    const bool nullable = in->nullable;
    if (!at)
        return refuse(r, SPARK_EINVAL, s, "indexes of a dictionary are integers");
    if (depth >= SPK_SQL_TYPE_DEPTH)
        return refuse(r, SPARK_ETYPE, s, "it is nested too deep");
    if (!column(r, s->dictionary, depth + 1, in))
        return false;
    if (in->index_size)
        return refuse(r, SPARK_ETYPE, s, "a dictionary of dictionaries");
    in->name = name;
    in->nullable |= nullable;
    in->index_size = (uint8_t)(1u << ((at - formats) & 3));
    in->index_signed = at - formats < 4;
    return true;
}

static bool column(const reading *r, const struct ArrowSchema *s, unsigned depth, spk_arrow_in *in)
{
    if (!s->release || !s->format)
        return refuse(r, SPARK_EINVAL, s, "the schema was released, or has no format");
    const char *name = s->name ? s->name : "";
    char *copy = spk_arena_alloc(r->arena, strlen(name) + 1, 1);
    if (!copy)
        return no_memory(r);
    in->name = strcpy(copy, name);
    in->nullable = (s->flags & ARROW_FLAG_NULLABLE) != 0;
    if (s->dictionary)
        return dictionary(r, s, depth, in);
    const char *f = s->format;
    if (f[0] == '+')
        return nested(r, s, depth, in);
    if (f[0] == 't' && f[1])
        return temporal(r, s, in);
    if (f[0] == 'd' && f[1] == ':')
        return decimal(r, s, in);
    if (strcmp(f, "vu") == 0 || strcmp(f, "vz") == 0)
        return set(in, f[1] == 'u' ? SPK_SQL_STRING : SPK_SQL_BINARY, SPK_READ_VIEW);
    if (f[0] == 'w' && f[1] == ':') {
        return length(f + 2, &in->width) ? set(in, SPK_SQL_BINARY, SPK_READ_BLOB)
                                         : refuse(r, SPARK_EINVAL, s, "no width is written so");
    }
    if (f[0] && !f[1] && one_letter(r, f[0], in))
        return true;
    return refuse(r, SPARK_ETYPE, s, "no type of SQL is that");
}

const spk_arrow_in *spk_arrow_in_of(spk_arena *arena, const struct ArrowSchema *schema, spk_failure *failure)
{
    const reading r = { arena, failure };
    spk_arrow_in *in = spk_arena_alloc(arena, sizeof *in, 16);
    *failure = (spk_failure)SPK_FAILURE(SPARK_OK, "");
    if (!in) {
        no_memory(&r);
        return NULL;
    }
    memset(in, 0, sizeof *in);
    if (!column(&r, schema, 0, in))
        return NULL;
    if (in->how != SPK_READ_STRUCT || in->index_size || in->n == 0) {
        refuse(&r, SPARK_ETYPE, schema, "record batches with columns are wanted, format \"+s\"");
        return NULL;
    }
    in->nullable = false;
    return in;
}
