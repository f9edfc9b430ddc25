/* SPDX-License-Identifier: Apache-2.0 */
/* Deep copies: measure, then pack. What a row points to is laid out depth first behind one another:
 * strings at any address, elements of lists at the next multiple of their alignment, which the
 * measure counts at its worst, so that it does not depend on where the copy will go. Rows are
 * handled in strides: only a list, or an optional of anything but a text, costs a call. */
#include "type/leaf.h"

static size_t bytes_of_rows(const spk_layout *layout, const char *rows, size_t n);

/* is_text: whether a view is a text or an optional of one, as most are. */
static inline bool is_text(const spk_leaf *leaf)
{
    return leaf->kind == SPARK_KIND_OPTIONAL ? leaf->of->key_class == SPK_KEY_STR : leaf->kind != SPARK_KIND_LIST;
}

/* value_at: where a view's value stands in a row; SIZE_MAX: it is an optional that has none. */
static inline size_t value_at(const spk_leaf *leaf, const char *row)
{
    if (leaf->kind != SPARK_KIND_OPTIONAL)
        return leaf->offset;
    return row[leaf->offset] ? leaf->offset + (size_t)spk_optional_offset(leaf->of->align) : SIZE_MAX;
}

static size_t bytes_of_list(const spk_layout *of, const char *p)
{
    spark_str view;
    memcpy(&view, p, sizeof view);
    if (view.len == 0)
        return 0;
    const size_t bytes = view.len * of->size + of->align - 1;
    return of->views ? bytes + bytes_of_rows(of, view.ptr, view.len) : bytes;
}

static size_t bytes_of_rows(const spk_layout *layout, const char *rows, size_t n)
{
    size_t bytes = 0;
    for (; n > 0; n--, rows += layout->size) {
        for (uint32_t i = 0; i < layout->n_views; i++) {
            const spk_leaf *leaf = &layout->view_leaves[i];
            const size_t value = value_at(leaf, rows);
            spark_str view;
            if (value == SIZE_MAX)
                continue;
            if (is_text(leaf)) {
                memcpy(&view, rows + value, sizeof view);
                bytes += view.len;
            } else if (leaf->kind == SPARK_KIND_LIST) {
                bytes += bytes_of_list(leaf->of, rows + value);
            } else {
                bytes += bytes_of_rows(leaf->of, rows + value, 1);
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

/* copy_text: n bytes to elsewhere, those of short texts, which most are, without a call. */
#define COPY_ENDS(bytes)                                                                       \
    do {                                                                                           \
        char head_[bytes], tail_[bytes];                                                           \
        memcpy(head_, from, bytes);                                                                \
        memcpy(tail_, from + n - (bytes), bytes);                                                  \
        memcpy(to, head_, bytes);                                                                  \
        memcpy(to + n - (bytes), tail_, bytes);                                                    \
    } while (0)
static inline void copy_text(char *to, const char *from, size_t n)
{
    if (n > 64) {
        memcpy(to, from, n);
    } else if (n >= 32) {
        COPY_ENDS(32);
    } else if (n >= 16) {
        COPY_ENDS(16);
    } else if (n >= 8) {
        COPY_ENDS(8);
    } else if (n >= 4) {
        COPY_ENDS(4);
    } else if (n > 0) {
        const char first = from[0], middle = from[n / 2];
        to[n - 1] = from[n - 1];
        to[n / 2] = middle;
        to[0] = first;
    }
}
#undef COPY_ENDS

/* pack_list: first all elements, then what they point to. */
static char *pack_list(const spk_layout *of, spark_str *view, char *at)
{
    char *items = align_up(at, of->align);
    at = items + view->len * of->size;
    memcpy(items, view->ptr, view->len * of->size);
    view->ptr = items;
    return of->views ? pack_rows(of, items, view->len, at) : at;
}

static char *pack_rows(const spk_layout *layout, char *rows, size_t n, char *at)
{
    for (; n > 0; n--, rows += layout->size) {
        for (uint32_t i = 0; i < layout->n_views; i++) {
            const spk_leaf *leaf = &layout->view_leaves[i];
            const size_t value = value_at(leaf, rows);
            spark_str view;
            if (value == SIZE_MAX)
                continue;
            if (leaf->kind == SPARK_KIND_OPTIONAL && !is_text(leaf)) {
                at = pack_rows(leaf->of, rows + value, 1, at);
                continue;
            }
            memcpy(&view, rows + value, sizeof view);
            if (view.len == 0) {
                view.ptr = view.ptr ? at : NULL;
            } else if (leaf->kind == SPARK_KIND_LIST) {
                at = pack_list(leaf->of, &view, at);
            } else {
                copy_text(at, view.ptr, view.len);
                view.ptr = at;
                at += view.len;
            }
            memcpy(rows + value, &view, sizeof view);
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
