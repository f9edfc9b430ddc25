/* SPDX-License-Identifier: Apache-2.0 */
/* Pages: rows that go to disk in the order in which they come, and are then read at any place. They are written in
 * small pieces; of those that were asked for last a few stay in memory. */
#ifndef SPK_STORAGE_PAGES_H
#define SPK_STORAGE_PAGES_H

#include "base/cold.h"
#include "storage/disk_rows.h"
#include "storage/store.h"

enum { SPK_PAGES = 16 };

typedef struct spk_page {
    spk_run *run;      /* NULL: none */
    uint64_t first, n; /* of its rows */
    uint64_t asked;    /* when it was, last */
} spk_page;

typedef struct spk_pages {
    spk_store *store;
    spk_disk_rows disk;
    spk_rows rows;    /* which are not there yet */
    uint64_t *firsts; /* of each piece */
    uint64_t n, asked;
    spk_page pages[SPK_PAGES], *last;
} spk_pages;

SPK_COLD void spk_pages_init(spk_pages *pages, spk_store *store, const spk_layout *layout);
SPK_COLD void spk_pages_fini(spk_pages *pages);

/* spk_pages_append: a deep copy. spk_pages_end: nothing is appended any more. Where they fail the pages are to be
 * freed. */
SPK_COLD spark_status spk_pages_append(spk_pages *pages, const char *row, spk_failure *failure);
SPK_COLD spark_status spk_pages_end(spk_pages *pages, spk_failure *failure);

/* spk_pages_row: the i-th one, which stays until rows of as many other pieces as SPK_PAGES were asked for. NULL: the
 * failure. */
SPK_COLD const char *spk_pages_turn(spk_pages *pages, uint64_t i, spk_failure *failure);
static inline const char *spk_pages_row(spk_pages *pages, uint64_t i, spk_failure *failure)
{
    const spk_page *page = pages->last;
    return i - page->first < page->n ? page->run->rows + (i - page->first) * pages->rows.layout->size
                                     : spk_pages_turn(pages, i, failure);
}

/* spk_pages_border: where the piece that row i is in ends. */
SPK_COLD uint64_t spk_pages_border(const spk_pages *pages, uint64_t i);

#endif
