/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/eval/vector.h"

#define ONES_8 1, 1, 1, 1, 1, 1, 1, 1
#define ONES_64 ONES_8, ONES_8, ONES_8, ONES_8, ONES_8, ONES_8, ONES_8, ONES_8
#define ONES_512 ONES_64, ONES_64, ONES_64, ONES_64, ONES_64, ONES_64, ONES_64, ONES_64

const uint8_t spk_sql_nulls[SPK_SQL_BATCH] = { 0 };
const uint8_t spk_sql_ones[SPK_SQL_BATCH] = { ONES_512, ONES_512 };
