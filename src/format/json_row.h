/* SPDX-License-Identifier: Apache-2.0 */
/* JSON objects as rows of a described type.
 *
 * plan: a type, compiled: a node for each type in it, with the names of its members in order;
 * guess: what stood at a place of the last object, which most objects have there again; reader:
 * what one who reads rows keeps from one to the next. */
#ifndef SPK_FORMAT_JSON_ROW_H
#define SPK_FORMAT_JSON_ROW_H

#include "format/csv.h"
#include "format/json.h"
#include "format/json_scan.h"

/* SPK_JSON_NO_ROW: what is said of a value that stands where an object must. */
#define SPK_JSON_NO_ROW "a row must be an object"

typedef struct spk_json_node spk_json_node;

typedef struct spk_json_member {
    const char *name;
    uint32_t name_n, offset, size;
    bool nullable, corrupt; /* corrupt: it takes the text of malformed rows */
    const spk_json_node *node;
    const spark_field *field;
} spk_json_member;

#define SPK_JSON_NO_GUESS UINT32_MAX

struct spk_json_node {
    spk_json_node *next; /* of all that the plan has */
    const spark_type *type; /* of the value, which an optional may be around: */
    uint32_t count;         /* of an array of char; else 0 */
    bool optional;
    uint32_t at;            /* where the value lies in the optional */
    spk_csv_column column;  /* of a value that is one in CSV as well, at offset 0 */
    const spk_json_node *of;  /* of a list: its elements */
    uint32_t n, required;     /* members; of them those that must be there */
    uint32_t guesses;         /* where the reader's begin, or SPK_JSON_NO_GUESS */
    spk_json_member *members; /* in the order of the type */
    uint32_t *by_name;        /* and in that of their names */
};

typedef struct spk_json_plan {
    const spk_csv *csv; /* formats of dates and times; the name of the member for malformed texts */
    const spk_json_node *root;
    spk_json_node *nodes;
    unsigned rules;
    uint32_t guesses; /* of all nodes */
} spk_json_plan;

/* spk_json_fits: whether such rows can be read and written; SPARK_ETYPE names the member. */
spark_status spk_json_fits(const spark_type *type, spk_failure *failure);
/* spk_json_plan_make: for a type that fits. The plan, once made, is only read. */
spark_status spk_json_plan_make(spk_json_plan *plan, const spk_csv *csv, unsigned rules,
    const spark_type *type, spk_failure *failure);
void spk_json_plan_free(spk_json_plan *plan);

/* spk_json_guess: bytes of a name, its colon and blanks, and the member it names (UINT32_MAX:
 * none). */
enum { SPK_JSON_GUESS = 32, SPK_JSON_GUESSES = 48 };
typedef struct spk_json_guess {
    char text[SPK_JSON_GUESS];
    uint32_t n, member;
    uint32_t any; /* a bit for each byte of `text` that may be anything; a zeroed guess fits nothing */
} spk_json_guess;

/* spk_json_outcome: what became of a text. bad: it is malformed; lost: there is no row, because
 * a value has no place; at, why, type and field: the first thing that was wrong: the byte, text
 * that says so, or NULL: a value that is none of that type (null: that is null), and the
 * innermost member. */
typedef struct spk_json_outcome {
    bool bad, lost, null, nomem;
    const char *at;
    const char *why;
    spark_str value;
    const spark_type *type;
    const spark_field *field;
} spk_json_outcome;

/* spk_json_read: the object at scan->p, behind which the scan then is, into a zeroed row; what
 * strings need beyond the text, and lists, is in `texts`. guesses: plan->guesses of them, zeroed
 * at first, or NULL. false: it is no JSON, or no object (why is set); the row is zeroed then. */
bool spk_json_read(const spk_json_plan *plan, spk_json_guess *guesses, spk_json_scan *scan,
    char *row, spk_arena *texts, spk_json_outcome *outcome);
/* spk_json_bare_row: the row of a text that cannot be read: *outcome says whether there is one. */
void spk_json_bare_row(const spk_json_plan *plan, char *row, spk_json_outcome *outcome);
/* spk_json_set_corrupt: the text of a malformed row, where the type has a member for it. */
void spk_json_set_corrupt(const spk_json_plan *plan, spark_str text, char *row);

#endif
