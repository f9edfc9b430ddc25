/* SPDX-License-Identifier: Apache-2.0 */
/* Deep copies: measure, then pack. What a row points to is laid out depth first behind one another:
 * strings at any address, elements of lists at the next multiple of their alignment, which the
 * measure counts at its worst, so that it does not depend on where the copy will go. Rows are
 * handled in strides: only a list or an optional inside another costs a call. */
#include "type/leaf.h"

/* view_in: a leaf with views, at *p; where it is an optional that is there and has one view, as a text that may be
 * missing, that view at its place: most are of this kind, and worth no call each. */
static inline const spk_leaf *view_in(const spk_leaf *leaf, const char **p)
{
    if (leaf->kind == SPARK_KIND_OPTIONAL && **p && leaf->of->n_views == 1) {
        *p += spk_optional_offset(leaf->of->align);
        leaf = leaf->of->view_leaves;
        *p += leaf->offset;
    }
    return leaf;
}

static size_t bytes_of_rows(const spk_layout *layout, const char *rows, size_t n)
{
    size_t bytes = 0;
    for (; n > 0; n--, rows += layout->size) {
        for (uint32_t i = 0; i < layout->n_views; i++) {
            const char *p = rows + layout->view_leaves[i].offset;
            const spk_leaf *leaf = view_in(&layout->view_leaves[i], &p);
            spark_str view;
            if (leaf->kind == SPARK_KIND_OPTIONAL) {
                if (*p)
                    bytes += bytes_of_rows(leaf->of, p + spk_optional_offset(leaf->of->align), 1);
                continue;
            }
            memcpy(&view, p, sizeof view);
            if (leaf->kind != SPARK_KIND_LIST) {
                bytes += view.len;
            } else if (view.len > 0) {
                bytes += view.len * leaf->of->size + leaf->of->align - 1;
                if (leaf->of->views)
                    bytes += bytes_of_rows(leaf->of, view.ptr, view.len);
            }
        }
    }
    return bytes;
}

size_t spk_value_bytes(const spk_layout *layout, const void *value)
{
    return layout->views ? bytes_of_rows(layout, value, 1) : 0;
}

static char *align_up(char *at, size_t align)
{
    return at + ((align - (uintptr_t)at % align) & (align - 1));
}

static char *pack_rows(const spk_layout *layout, char *rows, size_t n, char *at);

/* pack_list: first all elements, then what they point to. */
static char *pack_list(const spk_layout *of, spark_str *view, char *at)
{
    char *items = align_up(at, of->align);
    at = items + view->len * of->size;
    memcpy(items, view->ptr, view->len * of->size);
    view->ptr = items;
    return of->views ? pack_rows(of, items, view->len, at) : at;
}

static char *pack_view(const spk_leaf *leaf, char *p, char *at)
{
    spark_str view;
    memcpy(&view, p, sizeof view);
    if (view.len == 0) {
        view.ptr = view.ptr ? at : NULL;
    } else if (leaf->kind == SPARK_KIND_LIST) {
        at = pack_list(leaf->of, &view, at);
    } else {
        view.ptr = memcpy(at, view.ptr, view.len);
        at += view.len;
    }
    memcpy(p, &view, sizeof view);
    return at;
}

static char *pack_rows(const spk_layout *layout, char *rows, size_t n, char *at)
{
    for (; n > 0; n--, rows += layout->size) {
        for (uint32_t i = 0; i < layout->n_views; i++) {
            const char *in = rows + layout->view_leaves[i].offset;
            const spk_leaf *leaf = view_in(&layout->view_leaves[i], &in);
            char *p = rows + (in - rows);
            if (leaf->kind != SPARK_KIND_OPTIONAL)
                at = pack_view(leaf, p, at);
            else if (*p)
                at = pack_rows(leaf->of, p + spk_optional_offset(leaf->of->align), 1, at);
        }
    }
    return at;
}

char *spk_value_pack(const spk_layout *layout, void *row, char *at)
{
    return layout->views ? pack_rows(layout, row, 1, at) : at;
}

static bool each_view(
    const spk_layout *layout, const char *rows, size_t n, spk_view_visit *visit, void *arg)
{
    for (; n > 0; n--, rows += layout->size) {
        for (uint32_t i = 0; i < layout->n_views; i++) {
            const spk_leaf *leaf = &layout->view_leaves[i];
            const spk_layout *of = leaf->of;
            const char *p = rows + leaf->offset;
            spark_str view;
            if (leaf->kind == SPARK_KIND_OPTIONAL) {
                if (*p && !each_view(of, p + spk_optional_offset(of->align), 1, visit, arg))
                    return false;
                continue;
            }
            memcpy(&view, p, sizeof view);
            if (view.len == 0)
                continue;
            if (!visit(arg, leaf, view.ptr, view.len * (of ? of->size : 1)))
                return false;
            if (of && of->views && !each_view(of, view.ptr, view.len, visit, arg))
                return false;
        }
    }
    return true;
}

bool spk_value_each_view(
    const spk_layout *layout, const void *value, spk_view_visit *visit, void *arg)
{
    return !layout->views || each_view(layout, value, 1, visit, arg);
}

/* ---- moving blocks */

static void shift_view(const spk_leaf *leaf, char *p, ptrdiff_t by, bool inward)
{
    const spk_layout *of = leaf->of;
    spark_str view;
    memcpy(&view, p, sizeof view);
    if (!view.ptr)
        return;
    char *items;
    const uintptr_t moved = (uintptr_t)view.ptr + (uintptr_t)by;
    const uintptr_t here = inward ? (uintptr_t)view.ptr : moved;
    memcpy(&items, &here, sizeof items);
    if (of && of->views && view.len > 0)
        spk_rows_shift(of, items, view.len, by, inward);
    memcpy(&view.ptr, &moved, sizeof view.ptr);
    memcpy(p, &view, sizeof view);
}

void spk_rows_shift(const spk_layout *layout, char *rows, size_t n, ptrdiff_t by, bool inward)
{
    for (; n > 0; n--, rows += layout->size)
        for (uint32_t i = 0; i < layout->n_views; i++) {
            const spk_leaf *leaf = &layout->view_leaves[i];
            char *p = rows + leaf->offset;
            if (leaf->kind != SPARK_KIND_OPTIONAL)
                shift_view(leaf, p, by, inward);
            else if (*p)
                spk_rows_shift(leaf->of, p + spk_optional_offset(leaf->of->align), 1, by, inward);
        }
}

/* block: what is checked; next: the first byte that nothing points to yet. */
typedef struct block {
    const char *at;
    size_t size, next;
} block;

static bool rows_contained(const spk_layout *layout, const char *rows, size_t n, block *b);

static bool view_contained(const spk_leaf *leaf, const char *p, block *b)
{
    const spk_layout *of = leaf->of;
    const size_t each = of ? of->size : 1;
    spark_str view;
    memcpy(&view, p, sizeof view);
    const uintptr_t at = (uintptr_t)view.ptr;
    if (view.len == 0)
        return at <= b->size;
    if (at < b->next || at > b->size || view.len > (b->size - at) / (each ? each : 1)
        || (of && at % of->align != 0))
        return false;
    b->next = at + view.len * each;
    return !of || rows_contained(of, b->at + at, view.len, b);
}

/* leaf_contained: also that truth values are 0 or 1, for any other is none in C. */
static bool leaf_contained(const spk_leaf *leaf, const char *p, block *b)
{
    switch (leaf->kind) {
    case SPARK_KIND_BOOL:
        for (uint32_t i = 0; i < leaf->size; i++)
            if ((unsigned char)p[i] > 1)
                return false;
        return true;
    case SPARK_KIND_OPTIONAL:
        if ((unsigned char)*p > 1)
            return false;
        return !*p || rows_contained(leaf->of, p + spk_optional_offset(leaf->of->align), 1, b);
    case SPARK_KIND_STRUCT:
        return rows_contained(leaf->of, p, 1, b);
    case SPARK_KIND_STR:
    case SPARK_KIND_BYTES:
    case SPARK_KIND_LIST:
        return view_contained(leaf, p, b);
    default:
        return true;
    }
}

static bool rows_contained(const spk_layout *layout, const char *rows, size_t n, block *b)
{
    for (; n > 0; n--, rows += layout->size)
        for (uint32_t i = 0; i < layout->n_leaves; i++)
            if (!leaf_contained(&layout->leaves[i], rows + layout->leaves[i].offset, b))
                return false;
    return true;
}

bool spk_rows_contained(const spk_layout *layout, const char *at, size_t n, size_t size)
{
    block b = { at, size, n * layout->size };
    return rows_contained(layout, at, n, &b);
}

static void tidy_leaf(const spk_leaf *leaf, char *p)
{
    const spk_layout *of = leaf->of;
    if (leaf->kind == SPARK_KIND_OPTIONAL) {
        const size_t value = spk_optional_offset(of->align);
        memset(p + 1, 0, (*p ? value : leaf->size) - 1);
        if (*p)
            spk_rows_tidy(of, p + value, 1);
    } else if (leaf->kind == SPARK_KIND_STRUCT) {
        spk_rows_tidy(of, p, 1);
    } else if (leaf->kind == SPARK_KIND_LIST) {
        spark_str view;
        char *items;
        memcpy(&view, p, sizeof view);
        memcpy(&items, &view.ptr, sizeof items);
        spk_rows_tidy(of, items, view.len);
    }
}

void spk_rows_tidy(const spk_layout *layout, char *rows, size_t n)
{
    for (; n > 0; n--, rows += layout->size) {
        uint32_t end = 0;
        for (uint32_t i = 0; i < layout->n_leaves; i++) {
            const spk_leaf *leaf = &layout->leaves[i];
            if (leaf->offset > end)
                memset(rows + end, 0, leaf->offset - end);
            tidy_leaf(leaf, rows + leaf->offset);
            end = leaf->offset + leaf->size;
        }
        if (layout->n_leaves > 0 && end < layout->size)
            memset(rows + end, 0, layout->size - end);
    }
}
