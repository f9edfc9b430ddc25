/* SPDX-License-Identifier: Apache-2.0 */
/* Files that statements read and write: USING csv, json or text, with Spark's options by name. */
#ifndef SPK_SQL_EXEC_FILES_H
#define SPK_SQL_EXEC_FILES_H

#include <spark/json.h>

#include "sql/exec/query.h"

/* spk_files_option: the last one of that name in any case; NULL: there is none. */
const char *spk_files_option(const spk_ast_statement *s, const char *key);

/* spk_files_csv, _json, _text: the options of the statement into their struct; false: a value that one cannot have is
 * the query's error. */
bool spk_files_csv(spk_query *q, const spk_ast_statement *s, spark_csv_options *options);
bool spk_files_json(spk_query *q, const spk_ast_statement *s, spark_json_options *options);
bool spk_files_text(spk_query *q, const spk_ast_statement *s, spark_save_options *options);

/* spk_files_read: the rows of s->path, or of the option "path", in s->format. n 0: types are found in the
 * files; else the columns are those, and nullable of each is set to what it is. NULL: the query's error;
 * an RDD may carry one as well. spk_files_none: no rows of such columns. */
spark_rdd *spk_files_read(
    spk_query *q, const spk_ast_statement *s, spk_view_column *columns, size_t n);
spark_rdd *spk_files_none(spk_query *q, const spk_view_column *columns, size_t n);

/* spk_files_write: the rows of s->query to a directory, in place of what is there. The status is that
 * of the action; SPARK_EINVAL: the query's error. */
spark_status spk_files_write(spk_query *q, spark_site at, const spk_ast_statement *s);

#endif
