/* SPDX-License-Identifier: Apache-2.0 */
/* Bad records: input that a function cannot make sense of. By default one fails its job; a policy
 * skips them, up to a limit, or puts them aside, to be looked at as an RDD:
 *
 *   SPARK_MAP(to_sale, spark_str, sale)
 *   {
 *       if (!parse(in, out))
 *           spark_bad_record(task, "no amount");
 *   }
 *
 *   spark_rdd *sales = spark_on_bad_records(spark_map(lines, to_sale, NULL),
 *       &(spark_bad_policy) { .mode = SPARK_BAD_ASIDE, .max_ratio = 0.01 });
 *   ... any number of actions on sales ...
 *   spark_save_as_text_file(spark_bad_records(sales), "rejected");
 *
 * The rows of spark_read_csv have such policies as well: what is malformed is bad. Spark's readers have
 * modes (FAILFAST, DROPMALFORMED, PERMISSIVE); its RDDs have nothing of the kind. */
#ifndef SPARK_BAD_H
#define SPARK_BAD_H

#include <spark/rdd.h>
#include <spark/task.h>

SPARK_BEGIN_DECLS

/* spark_bad_record: inside a function that is called for single elements (map, filter, flat_map,
 * filter_map, key_by, map_values, flat_map_values, a SPARK_STEP): the element it was given is bad,
 * for this reason. Comes back; the body goes on, so return. Nothing goes on for the element:
 * neither the result of a map, nor what was emitted for it before or after this call; what the
 * function has added to accumulators, or to the state of a step, stays. A second call for one
 * element does nothing. Where the RDD has no policy, or mode SPARK_BAD_FAIL, and in all other
 * functions, this is spark_fail: the task fails, and the error names record and line where the function
 * is called for single elements. */
void spark_bad_record(spark_task *task, const char *format, ...) SPARK_FORMAT_(2, 3);

typedef enum spark_bad_mode {
    SPARK_BAD_FAIL = 0, /* spark_bad_record is spark_fail */
    SPARK_BAD_SKIP,     /* bad records are left out, and counted */
    SPARK_BAD_ASIDE     /* and kept in memory, which is charged, until the RDD goes */
} spark_bad_mode;

/* spark_bad_policy: zero is no limit; with a limit, a mode other than SPARK_BAD_FAIL. The limits are of
 * the whole RDD, so whether they are kept depends on its partitions alone. Once the partitions that have
 * ended exceed one, each that ends fails, and with it the job, at once (SPARK_ETASK): the error tells the
 * numbers, and the first bad record of the partition with its place. What was found until then is counted,
 * and put aside. */
typedef struct spark_bad_policy {
    spark_bad_mode mode;
    int64_t max_count; /* bad records */
    double max_ratio;  /* of all records of the RDD: 0 to 1; known, and looked at, once all its partitions
                          were computed, by one job or several */
} spark_bad_policy;

/* spark_on_bad_records: sets the policy for what the function of this RDD says of its elements, or, of
 * spark_read_csv and spark_read_csv_lines, for rows that are malformed; not for those of its ancestors; and
 * returns the RDD. To be called before an action needs the RDD; a
 * policy that is there already cannot be changed (SPARK_EINVAL), nor can an RDD have one whose
 * function is not called for single elements. Functions of such an RDD get one element a call,
 * which costs some 5 ns each. */
spark_rdd *spark_on_bad_records(spark_site at, spark_rdd *rdd, const spark_bad_policy *policy);

/* spark_bad_row: a record that was put aside. source: the file, where the RDD reads it, or the function got
 * the lines of a text, or files, through nothing but maps, unions and the like; then position is the line,
 * from 1, or 0 where there are no lines. Else source names what it got elements from, and the partition,
 * and position is the index in that, from 0. record: a string as it is, anything else as
 * spark_print has it. */
SPARK_STRUCT(spark_bad_row, (spark_str, source), (int64_t, position), (spark_str, record),
    (spark_str, reason));

/* spark_bad_records (narrow): RDD of spark_bad_row: what the RDD has put aside (SPARK_EINVAL
 * without mode SPARK_BAD_ASIDE), partition by partition, in order. Partitions of it that no action
 * has computed yet, to their end, are computed then; of all others, what they put aside is there.
 * Lines are counted when they are asked for, which reads what is before them in the file. */
spark_rdd *spark_bad_records(spark_site at, spark_rdd *rdd) SPARK_USE_RESULT_;

/* spark_bad_count: bad records of the partitions of the RDD that have been computed to their end;
 * *records (may be NULL): all records of these. Each partition counts once, whichever action,
 * attempt or recomputation is the first, so the numbers are exact after an action that needs all of
 * the RDD. 0 without a policy. */
int64_t spark_bad_count(const spark_rdd *rdd, int64_t *records);

SPARK_END_DECLS

#ifndef SPARK_EXPLICIT_SITES
/* The verbs fill in their call site. */
#define spark_on_bad_records(...) spark_on_bad_records(SPARK_HERE, __VA_ARGS__)
#define spark_bad_records(...) spark_bad_records(SPARK_HERE, __VA_ARGS__)
#endif

#endif
