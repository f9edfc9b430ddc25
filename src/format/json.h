/* SPDX-License-Identifier: Apache-2.0 */
/* JSON: what is shared with those who have memory. */
#ifndef SPK_FORMAT_JSON_H
#define SPK_FORMAT_JSON_H

#include <spark/json.h>

/* spk_json_unescape: what stands between the quotes of a string of a checked text, without its
 * escapes; never longer than that. Returns how many bytes. */
size_t spk_json_unescape(spark_str raw, char *to);
/* spk_json_is_named: whether a key, as it stands between its quotes, is this name. */
bool spk_json_is_named(spark_str key, const char *name);

#endif
