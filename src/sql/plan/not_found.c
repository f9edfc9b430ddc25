/* SPDX-License-Identifier: Apache-2.0 */
/* Tables that are not there: what was looked for, where, and what is called nearly so. */
#include "base/small.h"

#include "sql/plan/analyze.h"

size_t spk_name_distance(const char *a, const char *b)
{
    size_t row[65];
    const size_t n = strnlen(a, 64), m = strnlen(b, 64);
    for (size_t j = 0; j <= m; j++)
        row[j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t corner = row[0];
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            const size_t up = row[j];
            const bool same = (a[i - 1] | 0x20) == (b[j - 1] | 0x20);
            size_t least = corner + !same;
            least = up + 1 < least ? up + 1 : least;
            least = row[j - 1] + 1 < least ? row[j - 1] + 1 : least;
            row[j] = least;
            corner = up;
        }
    }
    return row[m];
}

/* nearest: " Did you mean `x`?" of the view whose name takes the fewest changes, at most a third of
 * its letters and one; "": there is none. */
static void nearest(spk_catalog *catalog, const char *wanted, char *text, size_t size)
{
    size_t least = strnlen(wanted, 64) / 3 + 2;
    *text = '\0';
    pthread_mutex_lock(&catalog->lock);
    for (const spk_view *v = catalog->views; v; v = v->next) {
        const size_t d = spk_name_distance(v->name, wanted);
        if (d < least) {
            least = d;
            (void)snprintf(text, size, " Did you mean `%.60s`?", v->name);
        }
    }
    pthread_mutex_unlock(&catalog->lock);
}

void spk_table_not_found(spk_analyzer *a, const spk_ast *name)
{
    char text[200] = "", proposal[100];
    size_t at = 0;
    for (size_t i = 0; i < name->args.n && at < sizeof text; i++) {
        const int n = snprintf(text + at, sizeof text - at, "%s`%.60s`", i ? "." : "", name->args.at[i]->text);
        at += n > 0 ? (size_t)n : 0;
    }
    nearest(a->catalog, name->args.at[name->args.n - 1]->text, proposal, sizeof proposal);
    spk_sql_fail3(a->error, "TABLE_OR_VIEW_NOT_FOUND", name->span, "relationName", text, "searchPath",
        "[`system`.`session`, `spark_catalog`.`default`]", "proposal", proposal);
}
