/* SPDX-License-Identifier: Apache-2.0 */
/* Filters of a scan.
 *
 * A condition on one column of few codes (a dictionary, or numbers in a small range) is asked once for each code
 * of a block, where that does not fail; rows are then looked up by their codes. Where no code passes, the block
 * is passed over, and where all do the condition is done with. A comparison of a number with a constant is asked for
 * the block's least and most; where they differ, for what lies between until it is known from which code on it holds,
 * and rows are compared as they are stored. Several of one column are one range. A text that shall be, or not be, a
 * constant is compared where it lies, if it is as long. Other columns are decoded a batch at
 * a time, for the rows that are left. */
#include "sql/exec/columns_scan.h"

/* ask_values: how many of n values pass; `passes`: which. UINT32_MAX: a value fails. */
static SPK_COLD uint32_t ask_values(const spk_scan_rdd *r, spk_scan_state *s, size_t f, uint32_t n, uint8_t *passes)
{
    if (s->codes_failed)
        return UINT32_MAX;
    (void)r;
    spk_sql_run_begin(s->codes, s->code_inputs, n, 0, &s->scratch[1]);
    const uint32_t kept = spk_sql_run_filter(s->codes, (uint32_t)f, (spk_sql_rows) { NULL, n }, s->code_at);
    if (kept == UINT32_MAX) {
        s->codes_failed = true;
        return UINT32_MAX;
    }
    memset(passes, 0, n);
    for (uint32_t k = 0; k < kept; k++)
        passes[s->code_at[k]] = 1;
    return kept;
}

/* ask_null: whether a row without a value passes; 2: it fails. */
static SPK_COLD uint32_t ask_null(const spk_scan_rdd *r, spk_scan_state *s, size_t f)
{
    static const uint8_t absent = 0;
    const int32_t c = r->filters[f].column;
    uint8_t passes;
    s->code_inputs[c] = (spk_sql_input) { s->decoders[c].values, 0, &absent, 0, 255, false };
    const uint32_t kept = ask_values(r, s, f, 1, &passes);
    return kept == UINT32_MAX ? 2 : kept;
}

/* ask_codes: how many of the column's codes pass; UINT32_MAX: that cannot be said. */
static SPK_COLD uint32_t ask_codes(const spk_scan_rdd *r, spk_scan_state *s, size_t f, uint32_t codes)
{
    const int32_t c = r->filters[f].column;
    uint32_t kept = 0;
    for (uint32_t from = 0; from < codes; from += SPK_SQL_BATCH) {
        const uint32_t n = codes - from < SPK_SQL_BATCH ? codes - from : SPK_SQL_BATCH;
        spk_column_decode_values(&s->decoders[c], from, n, &s->code_inputs[c]);
        const uint32_t some = ask_values(r, s, f, n, s->passes + f * SPK_CODES_MAX + from);
        if (some == UINT32_MAX)
            return UINT32_MAX;
        kept += some;
    }
    return kept;
}

/* ask_ends: of a comparison: how many of least and most pass. */
static SPK_COLD uint32_t ask_ends(const spk_scan_rdd *r, spk_scan_state *s, size_t f)
{
    const int32_t c = r->filters[f].column;
    spk_column_decoder *d = &s->decoders[c];
    const int64_t ends[2] = { d->column->least, d->column->most };
    uint8_t passes[2];
    if (!r->filters[f].monotone || d->column->coding != SPK_CODING_NARROW || d->type->size > 8)
        return UINT32_MAX;
    for (size_t i = 0; i < 2; i++)
        memcpy(d->values + i * d->type->size, &ends[i], d->type->size); /* the low bytes */
    s->code_inputs[c] = (spk_sql_input) { d->values, d->type->size, NULL, 0, 255, false };
    return ask_values(r, s, f, 2, passes);
}

/* ask_number: whether one value of a column passes; 2: that cannot be said. */
static SPK_COLD uint32_t ask_number(const spk_scan_rdd *r, spk_scan_state *s, size_t f, int64_t x)
{
    const int32_t c = r->filters[f].column;
    spk_column_decoder *d = &s->decoders[c];
    uint8_t passes;
    memcpy(d->values, &x, d->type->size); /* the low bytes */
    s->code_inputs[c] = (spk_sql_input) { d->values, d->type->size, NULL, 0, 255, false };
    const uint32_t kept = ask_values(r, s, f, 1, &passes);
    return kept == UINT32_MAX ? 2 : kept;
}

/* narrow_range: of a comparison that holds at one end of the block's values: for which it does. False: it cannot be
 * said. */
static SPK_COLD bool narrow_range(const spk_scan_rdd *r, spk_scan_state *s, size_t f)
{
    const spk_block_column *c = s->decoders[r->filters[f].column].column;
    const uint64_t least = (uint64_t)c->least;
    int64_t low = c->least, high = c->most;
    const uint32_t first = ask_number(r, s, f, low);
    while ((uint64_t)high - (uint64_t)low > 1) {
        const int64_t middle = (int64_t)((uint64_t)low + ((uint64_t)high - (uint64_t)low) / 2);
        const uint32_t passes = ask_number(r, s, f, middle);
        if (passes > 1)
            return false;
        if (passes == first)
            low = middle;
        else
            high = middle;
    }
    const uint64_t from = first ? (uint64_t)c->least : (uint64_t)high, to = first ? (uint64_t)low : (uint64_t)c->most;
    s->ranges[f] = (spk_code_range) { from - least, to - from };
    return first <= 1;
}

/* join_range: into the range of a filter before it of the same column; false: no row passes both. */
static SPK_COLD bool join_range(const spk_scan_rdd *r, spk_scan_state *s, size_t f)
{
    size_t g = 0;
    while (g < f && (s->verdicts[g] != SPK_IN_RANGE || r->filters[g].column != r->filters[f].column))
        g++;
    if (g == f)
        return true;
    const spk_code_range a = s->ranges[g], b = s->ranges[f];
    const uint64_t first = a.first > b.first ? a.first : b.first;
    const uint64_t a_last = a.first + a.span, b_last = b.first + b.span, last = a_last < b_last ? a_last : b_last;
    s->verdicts[f] = SPK_ALL;
    s->null_passes[g] &= s->null_passes[f];
    s->ranges[g] = (spk_code_range) { first, last - first };
    return first <= last || s->null_passes[g];
}

/* is_ranged: whether a filter may be asked so: of NULL comparisons say nothing that is true. */
static SPK_COLD bool is_ranged(const spk_scan_rdd *r, const spk_scan_state *s, size_t f)
{
    const spk_column_decoder *d = &s->decoders[r->filters[f].column];
    return r->filters[f].monotone && d->column->coding == SPK_CODING_NARROW && d->column->width && d->type->size <= 8;
}

/* judge_range: the same as judge, of such a filter. */
static SPK_COLD bool judge_range(const spk_scan_rdd *r, spk_scan_state *s, size_t f)
{
    const bool nulls = s->decoders[r->filters[f].column].column->nulls != 0;
    const uint32_t null = nulls ? ask_null(r, s, f) : 0, kept = ask_ends(r, s, f);
    s->null_passes[f] = null == 1;
    if (null == 2 || kept == UINT32_MAX)
        return true;
    if (kept == 0 && !null)
        return false;
    if (kept == 2 && (!nulls || null)) {
        s->verdicts[f] = SPK_ALL;
        return true;
    }
    const spk_block_column *c = s->decoders[r->filters[f].column].column;
    if (kept == 2)
        s->ranges[f] = (spk_code_range) { 0, (uint64_t)c->most - (uint64_t)c->least };
    else if (kept == 0 || !narrow_range(r, s, f))
        return true;
    s->verdicts[f] = SPK_IN_RANGE;
    return join_range(r, s, f);
}

/* judge: what the block's codes say of a filter; false: no row passes. */
SPK_COLD bool spk_scan_judge(const spk_scan_rdd *r, spk_scan_state *s, size_t f)
{
    const int32_t c = r->filters[f].column;
    s->verdicts[f] = SPK_ASK;
    if (c < 0 || s->codes_failed)
        return true;
    if (r->filters[f].text && s->decoders[c].column->coding == SPK_CODING_TEXTS) {
        s->verdicts[f] = SPK_BY_TEXT;
        return true;
    }
    if (is_ranged(r, s, f))
        return judge_range(r, s, f);
    const bool nulls = s->decoders[c].column->nulls != 0;
    const uint32_t null = nulls ? ask_null(r, s, f) : 0;
    const uint32_t codes = spk_column_decode_codes(&s->decoders[c], SPK_CODES_MAX);
    const uint32_t n = codes ? codes : 2, kept = codes ? ask_codes(r, s, f, codes) : ask_ends(r, s, f);
    if (null == 2 || kept == UINT32_MAX)
        return true;
    s->null_passes[f] = null;
    if (kept == 0 && !null)
        return false;
    if (kept == n && (!nulls || null))
        s->verdicts[f] = SPK_ALL;
    else if (codes)
        s->verdicts[f] = SPK_BY_CODE;
    return true;
}

/* by_code: those of the rows whose codes pass. */
static uint32_t by_code(const spk_scan_rdd *r, spk_scan_state *s, size_t f, uint32_t from, spk_sql_rows rows)
{
    const spk_column_decoder *d = &s->decoders[r->filters[f].column];
    const spk_block_column *c = d->column;
    const uint8_t *passes = s->passes + f * SPK_CODES_MAX;
    const uint8_t *valid = c->nulls ? (const uint8_t *)d->block + c->nulls + from : NULL;
    const char *codes = d->block + c->data + (size_t)from * c->width;
    uint32_t n = 0;
    for (uint32_t k = 0; k < rows.n; k++) {
        const uint32_t i = spk_sql_row(rows, k);
        uint32_t code = 0;
        if (c->width == 1)
            code = ((const uint8_t *)codes)[i];
        else if (c->width == 2)
            code = ((const uint16_t *)(const void *)codes)[i];
        s->at[n] = (uint16_t)i;
        n += valid && !valid[i] ? s->null_passes[f] : passes[code];
    }
    return n;
}

/* IN_RANGE: those of the rows whose codes of type T are in the range. */
#define IN_RANGE(T)                                                                                                   \
    do {                                                                                                              \
        const T *const in_ = (const T *)(const void *)codes;                                                          \
        for (uint32_t k_ = 0; k_ < rows.n; k_++) {                                                                    \
            const uint32_t i_ = spk_sql_row(rows, k_);                                                                \
            s->at[n] = (uint16_t)i_;                                                                                  \
            n += valid && !valid[i_] ? null : (uint64_t)in_[i_] - first <= range.span;                                \
        }                                                                                                             \
    } while (0)

/* by_range: those of the rows whose codes are in the range. */
static uint32_t by_range(const spk_scan_rdd *r, spk_scan_state *s, size_t f, uint32_t from, spk_sql_rows rows)
{
    const spk_column_decoder *d = &s->decoders[r->filters[f].column];
    const spk_block_column *c = d->column;
    const spk_code_range range = s->ranges[f];
    const uint64_t first = (uint64_t)c->least - (uint64_t)c->base + range.first; /* as a code */
    const uint8_t *valid = c->nulls ? (const uint8_t *)d->block + c->nulls + from : NULL;
    const char *codes = d->block + c->data + (size_t)from * c->width;
    const bool null = s->null_passes[f];
    uint32_t n = 0;
    switch (c->width) {
    case 1:
        IN_RANGE(uint8_t);
        break;
    case 2:
        IN_RANGE(uint16_t);
        break;
    case 4:
        IN_RANGE(uint32_t);
        break;
    default:
        IN_RANGE(uint64_t);
    }
    return n;
}

/* any_as_long: whether any of n texts side by side has so many bytes; start: of the first one. */
static bool any_as_long(const uint32_t *ends, uint32_t start, uint32_t n, size_t length)
{
    uint32_t any = ends[0] - start == length;
    for (uint32_t i = 1; i < n; i++)
        any |= ends[i] - ends[i - 1] == length;
    return any;
}

/* by_text: those of the rows, at least one, whose text is the filter's, or another one. */
static uint32_t by_text(const spk_scan_rdd *r, spk_scan_state *s, size_t f, uint32_t from, spk_sql_rows rows)
{
    const spk_column_decoder *d = &s->decoders[r->filters[f].column];
    const spk_block_column *c = d->column;
    const uint8_t *valid = c->nulls ? (const uint8_t *)d->block + c->nulls + from : NULL;
    const uint32_t *ends = (const uint32_t *)(const void *)(d->block + c->data) + from;
    const spark_str text = *r->filters[f].text;
    const bool differs = r->filters[f].differs;
    const uint32_t first = spk_sql_row(rows, 0);
    uint32_t n = 0, start = from + first ? *(ends + first - 1) : 0;
    if (!rows.at && !(differs && valid) && !any_as_long(ends, start, rows.n, text.len))
        return differs ? rows.n : 0;
    for (uint32_t k = 0; k < rows.n; k++) {
        const uint32_t i = spk_sql_row(rows, k);
        start = k > 0 ? ends[i - 1] : start;
        bool same = ends[i] - start == text.len;
        if (text.len > 0 && same)
            same = memcmp(d->block + c->bytes + start, text.ptr, text.len) == 0;
        s->at[n] = (uint16_t)i;
        n += (!valid || valid[i]) && same != differs;
    }
    return n;
}

void spk_scan_need(spk_scan_state *s, size_t column, uint32_t from, uint32_t n, spk_sql_rows rows)
{
    if (s->decoded[column])
        return;
    s->decoded[column] = true;
    spk_column_decode(&s->decoders[column], from, n, rows, &s->inputs[column]);
}

/* keep: the first so many in s->at; where these are all, they stay side by side. */
static void keep(spk_scan_state *s, uint32_t kept, spk_sql_rows *rows)
{
    if (kept < rows->n)
        *rows = (spk_sql_rows) { s->at, kept };
}

/* ask_texts: those of the rows that pass the filters from f on that are about texts as they lie. */
static void ask_texts(const spk_scan_rdd *r, spk_scan_state *s, size_t f, uint32_t from, spk_sql_rows *rows)
{
    for (; f < r->n_filters && rows->n; f++)
        if (s->verdicts[f] == SPK_BY_TEXT)
            keep(s, by_text(r, s, f, from, *rows), rows);
}

/* select: the rows of a batch that pass all filters; false: the task has failed. What is asked of texts as they lie
 * comes before what reads texts. */
bool spk_scan_select(const spk_scan_rdd *r, spk_scan_state *s, uint32_t from, uint32_t n, spk_sql_rows *rows)
{
    bool texts = false;
    *rows = (spk_sql_rows) { NULL, n };
    for (size_t f = 0; f < r->n_filters && rows->n; f++)
        if (s->verdicts[f] == SPK_BY_CODE)
            keep(s, by_code(r, s, f, from, *rows), rows);
        else if (s->verdicts[f] == SPK_IN_RANGE)
            keep(s, by_range(r, s, f, from, *rows), rows);
    for (size_t f = 0; f < r->n_filters && rows->n; f++) {
        if (!texts && (s->verdicts[f] == SPK_ASK ? r->filters[f].texts : s->verdicts[f] == SPK_BY_TEXT)) {
            ask_texts(r, s, f, from, rows);
            texts = true;
        }
        if (s->verdicts[f] != SPK_ASK || !rows->n)
            continue;
        for (size_t c = 0; c < r->filters[f].n; c++)
            spk_scan_need(s, r->filters[f].columns[c], from, n, *rows);
        const uint32_t kept = spk_sql_run_filter(s->run, (uint32_t)f, *rows, s->at);
        if (kept == UINT32_MAX)
            return false;
        keep(s, kept, rows);
    }
    return true;
}
