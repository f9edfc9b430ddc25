/* SPDX-License-Identifier: Apache-2.0 */
/* What HTML and SVG are written with. Numbers look the same in every locale. */
#ifndef SPK_LISTEN_PAGE_H
#define SPK_LISTEN_PAGE_H

#include <spark/base.h>

#include "listen/json_out.h"

/* spk_page_put: as it is. spk_page_text: escaped for text and for attributes in double quotes, no more than
 * `most` bytes of it, then an ellipsis; what is no UTF-8, and what may not stand in a page, becomes U+FFFD. */
SPK_COLD void spk_page_put(spk_json_out *out, const char *markup);
SPK_COLD void spk_page_text(spk_json_out *out, const char *text, size_t most);

/* spk_page_format: of integers and literals; the result is at most 511 bytes. */
SPK_COLD void spk_page_format(spk_json_out *out, const char *format, ...) SPARK_FORMAT_(2, 3);

/* spk_page_number: with one decimal, "12.5", for coordinates. _count: "100,000"; _time: of nanoseconds, "1.5 s";
 * _size: of bytes, "1.5 MiB"; _times: "3.4×", "over 1,000×". */
SPK_COLD void spk_page_number(spk_json_out *out, double number);
SPK_COLD void spk_page_count(spk_json_out *out, int64_t count);
SPK_COLD void spk_page_time(spk_json_out *out, int64_t ns);
SPK_COLD void spk_page_size(spk_json_out *out, uint64_t bytes);
SPK_COLD void spk_page_times(spk_json_out *out, double factor);

/* spk_page_counted: "1 task", "1,000 tasks". */
SPK_COLD void spk_page_counted(spk_json_out *out, int64_t count, const char *one, const char *more);

#endif
