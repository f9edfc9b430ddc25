/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/pages.h"

#include <stdlib.h>

enum { PIECE = 60 * 1024 }; /* a block of the heap with what stands before its rows */

void spk_pages_init(spk_pages *pages, spk_store *store, const spk_layout *layout)
{
    *pages = (spk_pages) { .store = store };
    pages->last = pages->pages;
    spk_disk_rows_init(&pages->disk, &store->spill, layout, "the rows of a window");
    spk_rows_init(&pages->rows, store->heap, layout);
    pages->rows.largest = PIECE;
    pages->rows.clean = true;
}

void spk_pages_fini(spk_pages *pages)
{
    if (!pages->store)
        return;
    for (int i = 0; i < SPK_PAGES; i++)
        spk_runs_free(pages->store->heap, pages->pages[i].run);
    spk_disk_rows_fini(&pages->disk);
    spk_rows_fini(&pages->rows);
    free(pages->firsts);
    pages->store = NULL;
}

/* ---- writing */

static spark_status write_piece(spk_pages *pages, spk_failure *failure)
{
    spk_rows_clean(&pages->rows);
    const spark_status status = spk_disk_rows_write(&pages->disk, &pages->rows, failure);
    spk_rows_fini(&pages->rows);
    return status;
}

/* open_piece: a rows list begins with a block for one row, and grows; here all are of one size. */
static bool open_piece(spk_pages *pages)
{
    spk_run *run = spk_run_for(pages->store->heap, PIECE, 0, false);
    if (!run)
        return false;
    spk_rows_append_run(&pages->rows, run);
    pages->rows.tail = (char *)(void *)run + run->capacity;
    return true;
}

spark_status spk_pages_append(spk_pages *pages, const char *row, spk_failure *failure)
{
    spk_rows *rows = &pages->rows;
    const size_t bytes = rows->layout->size + spk_value_bytes(rows->layout, row);
    char text[300];
    if (rows->first && spk_rows_slack(rows) < bytes && write_piece(pages, failure) != SPARK_OK)
        return failure->code;
    pages->n++;
    if ((rows->first || open_piece(pages)) && spk_rows_append(rows, row, 1))
        return SPARK_OK;
    return spk_failure_set(failure, SPARK_ENOMEM, NULL, NULL, "%s",
        spk_heap_refusal(pages->store->heap, "a row of a window", bytes, text, sizeof text));
}

spark_status spk_pages_end(spk_pages *pages, spk_failure *failure)
{
    if (write_piece(pages, failure) != SPARK_OK)
        return failure->code;
    pages->firsts = malloc((pages->disk.n + 1) * sizeof *pages->firsts);
    if (!pages->firsts)
        return spk_failure_nomem(failure, NULL, NULL);
    pages->firsts[0] = 0;
    for (size_t i = 0; i < pages->disk.n; i++)
        pages->firsts[i + 1] = pages->firsts[i] + pages->disk.at[i].n;
    return SPARK_OK;
}

/* ---- reading */

/* piece_of: the piece that row i is in. */
static size_t piece_of(const spk_pages *pages, uint64_t i)
{
    size_t low = 0;
    for (size_t high = pages->disk.n; high - low > 1;) {
        const size_t middle = low + (high - low) / 2;
        if (pages->firsts[middle] <= i)
            low = middle;
        else
            high = middle;
    }
    return low;
}

uint64_t spk_pages_border(const spk_pages *pages, uint64_t i)
{
    return pages->firsts[piece_of(pages, i) + 1];
}

/* turn: the page is that of a piece. */
static bool turn(spk_pages *pages, spk_page *page, size_t piece, spk_failure *failure)
{
    spk_heap *heap = pages->store->heap;
    spk_runs_free(heap, page->run);
    *page = (spk_page) { .run = spk_disk_rows_read(&pages->disk, piece, heap, false, failure) };
    if (!page->run)
        return false;
    page->first = pages->firsts[piece];
    page->n = page->run->n;
    return true;
}

const char *spk_pages_turn(spk_pages *pages, uint64_t i, spk_failure *failure)
{
    spk_page *page = NULL, *oldest = pages->pages;
    for (int k = 0; k < SPK_PAGES && !page; k++) {
        spk_page *at = &pages->pages[k];
        page = i - at->first < at->n ? at : NULL;
        oldest = at->asked < oldest->asked ? at : oldest;
    }
    if (!page && !turn(pages, page = oldest, piece_of(pages, i), failure))
        return NULL;
    page->asked = ++pages->asked;
    pages->last = page;
    return page->run->rows + (i - page->first) * pages->rows.layout->size;
}
