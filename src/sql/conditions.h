/* SPDX-License-Identifier: Apache-2.0 */
/* Spark's error conditions that libspark gives, with their SQLSTATE and text. */
#ifndef SPK_SQL_CONDITIONS_H
#define SPK_SQL_CONDITIONS_H

typedef struct spk_sql_condition {
    const char *name;
    char state[6];
    const char *text;
} spk_sql_condition;

/* spk_sql_condition_of: NULL: it is not one of those. */
const spk_sql_condition *spk_sql_condition_of(const char *name);

#endif
