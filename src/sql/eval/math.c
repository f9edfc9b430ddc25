/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/eval/resolve.h"

const spk_sql_function spk_sql_math[] = { { 0 } };
