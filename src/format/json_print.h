/* SPDX-License-Identifier: Apache-2.0 */
/* Values as JSON, as Spark's JacksonGenerator writes them. */
#ifndef SPK_FORMAT_JSON_PRINT_H
#define SPK_FORMAT_JSON_PRINT_H

#include "format/json_reader.h"

/* spk_json_room: how many bytes a value takes at most. spk_json_print: writes it; returns how
 * many. Of *json only how nulls, dates and times are written is looked at: one that is zeroed,
 * but for ignore_null, will do. The type must be one that JSON has a form for (spk_json_fits),
 * blobs are null. */
size_t spk_json_room(const spk_json *json, const spark_type *type, const void *value);
size_t spk_json_print(const spk_json *json, const spark_type *type, const void *value, char *to);

/* spk_json_print_f64: as Java does: 1.0, 1.0E7, 1.0E-4. spk_json_print_f32 alike. */
size_t spk_json_print_f64(double x, char *to);
size_t spk_json_print_f32(float x, char *to);

#endif
