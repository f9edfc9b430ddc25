/* SPDX-License-Identifier: Apache-2.0 */
/* Values as names of directories, as Hive and Spark have them: year=2024, at=10%3A30, and null is
 * __HIVE_DEFAULT_PARTITION__. */
#ifndef SPK_FORMAT_HIVE_H
#define SPK_FORMAT_HIVE_H

#include <spark/row.h>
#include <spark/type.h>

#include "base/cold.h"

#define SPK_HIVE_NULL "__HIVE_DEFAULT_PARTITION__"

/* spk_hive_fits: whether a member can name a directory: a scalar, a text, or an optional of one. */
SPK_COLD bool spk_hive_fits(const spark_field *field);

/* spk_hive_put: "name=value" of a member at `to`, which has `room` bytes; how many that makes; 0: there is
 * no room. */
size_t spk_hive_put(const spark_field *field, const char *row, char *to, size_t room);

/* spk_hive_read: n bytes of a name without its escapes at `to`, which has room for as many; how many. */
SPK_COLD size_t spk_hive_read(const char *text, size_t n, char *to);

#endif
