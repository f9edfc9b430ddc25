/* SPDX-License-Identifier: Apache-2.0 */
/* The version of the archive, to compare with that of the headers. */
#include <spark/version.h>

unsigned spark_version_number(void)
{
    return SPARK_VERSION_NUMBER;
}

const char *spark_version_string(void)
{
    return SPARK_VERSION_STRING;
}
