/* SPDX-License-Identifier: Apache-2.0 */
/* The version, three times: for #if, for people, and as the archive that was linked knows it. Made
 * from project(VERSION) by CMake. */
#ifndef SPARK_VERSION_H
#define SPARK_VERSION_H

#include <spark/base.h>

#define SPARK_VERSION_MAJOR 0
#define SPARK_VERSION_MINOR 1
#define SPARK_VERSION_PATCH 0
#define SPARK_VERSION_STRING "0.1.0"

/* SPARK_VERSION_NUMBER: 0x00MMmmpp, so that versions compare as numbers. */
#define SPARK_VERSION_NUMBER SPARK_VERSION_PACK_(                                                  \
    SPARK_VERSION_MAJOR, SPARK_VERSION_MINOR, SPARK_VERSION_PATCH)
#define SPARK_VERSION_PACK_(major, minor, patch) (((major) << 16) | ((minor) << 8) | (patch))

/* SPARK_VERSION_AT_LEAST: #if SPARK_VERSION_AT_LEAST(0, 2, 0) */
#define SPARK_VERSION_AT_LEAST(major, minor, patch)                                                \
    (SPARK_VERSION_NUMBER >= SPARK_VERSION_PACK_(major, minor, patch))

SPARK_BEGIN_DECLS

/* spark_version_number, spark_version_string: of the archive. Where they differ from the macros, the
 * program was compiled with the headers of another version. */
unsigned spark_version_number(void);
const char *spark_version_string(void);

SPARK_END_DECLS

#endif
