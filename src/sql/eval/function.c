/* SPDX-License-Identifier: Apache-2.0 */
/* All functions by name: the tables together, looked through in the order of the tables. */
#include "base/small.h"

#include "sql/eval/resolve.h"

static const spk_sql_function *const tables[] = { spk_sql_operators, spk_sql_comparisons,
    spk_sql_conditionals, spk_sql_math, spk_sql_strings, spk_sql_codes, spk_sql_dates,
    spk_sql_date_parts, spk_sql_date_texts, spk_sql_date_makers, spk_sql_times, spk_sql_csvs, spk_sql_maps, spk_sql_utf8, spk_sql_number_formats, spk_sql_jsons, spk_sql_json_paths,
    spk_sql_collections, spk_sql_arrays, spk_sql_lambdas, spk_sql_patterns, spk_sql_binaries,
    spk_sql_randoms, spk_sql_urls, spk_sql_others };
enum { TABLES = sizeof tables / sizeof *tables };

static bool same_name(const char *a, const char *lower)
{
    for (; *a && *lower; a++, lower++)
        if ((*a >= 'A' && *a <= 'Z' ? *a | 0x20 : *a) != *lower)
            return false;
    return *a == *lower;
}

const spk_sql_function *spk_sql_function_find(const char *name)
{
    for (int i = 0; i < TABLES; i++)
        for (const spk_sql_function *f = tables[i]; f->name; f++)
            if (same_name(name, f->name))
                return f;
    return NULL;
}

/* inner: those that others are computed by, and what is syntax in Spark. */
static bool inner(const char *name)
{
    static const char names[] = " date_add_days datediff_days decode_charset isfalse istrue isunknown json_member "
                                "map_sorted reverse_string timediff timestampadd timestampdiff [] . u- u+ ";
    const size_t n = strlen(name);
    for (const char *at = names; (at = strstr(at, name)) != NULL; at++)
        if (at[-1] == ' ' && at[n] == ' ')
            return true;
    return false;
}

const spk_sql_function *spk_sql_function_at(size_t i)
{
    /* the i-th by name: for each, how many come before; lists are short and nobody asks often */
    for (int t = 0; t < TABLES; t++)
        for (const spk_sql_function *f = tables[t]; f->name; f++) {
            size_t before = 0;
            for (int u = 0; u < TABLES; u++)
                for (const spk_sql_function *g = tables[u]; g->name; g++)
                    before += strcmp(g->name, f->name) < 0 && !inner(g->name);
            if (before == i && !inner(f->name))
                return f;
        }
    return NULL;
}
