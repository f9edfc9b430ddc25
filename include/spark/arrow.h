/* SPDX-License-Identifier: Apache-2.0 */
/* Columns in and out through the Arrow C data and stream interfaces: plain structs that PyArrow,
 * DuckDB, Polars and others read and make, in one process and without a copy between them.
 *
 *   struct ArrowArrayStream stream;
 *   if (spark_to_arrow_stream(spark_sql(sc, "SELECT ..."), NULL, &stream) == SPARK_OK)
 *       ...                                   hand it over; who reads it calls stream.release
 *   spark_rdd *trips = spark_from_arrow_stream(sc, &stream, 0);
 *   spark_create_temp_view(sc, "trips", trips);
 *
 * Ownership is Arrow's: whoever receives a struct with a release that is not NULL calls that once,
 * of the outermost struct only; a struct may be moved by copying its bytes and setting release of
 * the old one to NULL. Nothing of Arrow is needed to compile or to link. */
#ifndef SPARK_ARROW_H
#define SPARK_ARROW_H

#include <spark/rdd.h>

SPARK_BEGIN_DECLS

/* As the specification gives them: the same text in each project, and the first one counts. */
#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE

#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE 2
#define ARROW_FLAG_MAP_KEYS_SORTED 4

struct ArrowSchema {
    const char *format;
    const char *name;
    const char *metadata;
    int64_t flags;
    int64_t n_children;
    struct ArrowSchema **children;
    struct ArrowSchema *dictionary;
    void (*release)(struct ArrowSchema *);
    void *private_data;
};

struct ArrowArray {
    int64_t length;
    int64_t null_count;
    int64_t offset;
    int64_t n_buffers;
    int64_t n_children;
    const void **buffers;
    struct ArrowArray **children;
    struct ArrowArray *dictionary;
    void (*release)(struct ArrowArray *);
    void *private_data;
};

#endif

#ifndef ARROW_C_STREAM_INTERFACE
#define ARROW_C_STREAM_INTERFACE

struct ArrowArrayStream {
    int (*get_schema)(struct ArrowArrayStream *, struct ArrowSchema *out);
    int (*get_next)(struct ArrowArrayStream *, struct ArrowArray *out);
    const char *(*get_last_error)(struct ArrowArrayStream *);
    void (*release)(struct ArrowArrayStream *);
    void *private_data;
};

#endif

/* spark_to_arrow_stream: the rows of an RDD as record batches, in order: a job a partition, when it
 * is reached, so that no more than one partition is held (in the context's budget, on disk what
 * does not fit) and one batch is made at a time, in the reader's memory. Members of a struct or
 * pair are columns, any other element is the column "value"; what spark_sql gives has SQL's types:
 * decimals of 38 digits, maps, intervals. Optionals are nullable:
 *
 *   bool, integers with and without a sign, float, double   b c s i l C S I L f g
 *   str, char arrays; bytes; blobs                          u; z; w:N
 *   date; time, TIMESTAMP_NTZ; TIME                         tdD; tsu:UTC, tsu:; ttn
 *   decimals                                                d:p,s
 *   INTERVAL of months; of days to seconds                  tiM; tDu
 *   lists, fixed arrays; structs, pairs; MAP; VOID          +l, +w:N; +s; +m; n
 *
 * batch_rows: at most so many rows a batch (0: 65,536), of which 64 MiB at most point out of their
 * row, but for one row. The stream keeps the RDD; it may be read by one thread at a time, and ends,
 * as an error, with the scope that was innermost at the call. Errors of jobs come back from
 * get_next: ENOMEM, EIO or EINVAL, and get_last_error has the message.
 *
 * spark_to_arrow: all rows as one record batch, computed now; schema and array are the caller's to
 * release. SPARK_ENOMEM also where strings of a column have 2 GiB together. Spark: toArrow. */
typedef struct spark_arrow_options {
    size_t batch_rows;
} spark_arrow_options;
spark_status spark_to_arrow_stream(spark_site at, spark_rdd *rdd,
    const spark_arrow_options *options, struct ArrowArrayStream *out) SPARK_USE_RESULT_;
spark_status spark_to_arrow(spark_site at, spark_rdd *rdd, struct ArrowSchema *schema,
    struct ArrowArray *array) SPARK_USE_RESULT_;

/* spark_from_arrow_stream: the rows of a stream of record batches. All batches are taken at the
 * call and kept as they are, in their producer's memory, which no budget counts, until the RDD is
 * released: so tasks that are tried again read them again, and strings are never copied. Rows are
 * made of the columns as tasks read them. Partition i of n (0: the default, 16) holds rows i*N/n
 * up to (i+1)*N/n, whatever the batches are.
 *
 * Types are the above, and: large and view forms of strings, bytes and lists (U, Z, vu, vz, +L),
 * half floats (as FLOAT), unsigned integers as the next wider type (64 bits: DECIMAL(20,0)), dates
 * and times of any unit (as microseconds, rounded down; TIME as nanoseconds), decimals of 32 and
 * 64 bits, dictionaries (as their values), sliced arrays. Unions, run-end encoding, decimals of
 * 256 bits and intervals of days and months are SPARK_ETYPE. Columns without the flag NULLABLE may
 * have no null: one is an error of the action. A structure that cannot be right (missing buffers
 * or children, offsets that fall or end outside) is SPARK_EINVAL.
 *
 * The result is a table for SQL (spark_create_temp_view), and rows of a struct of its columns.
 * The stream is taken over in any case: its release is called here, and is NULL afterwards. */
spark_rdd *spark_from_arrow_stream(spark_site at, spark_context *sc,
    struct ArrowArrayStream *stream, int partitions) SPARK_USE_RESULT_;

SPARK_END_DECLS

#ifndef SPARK_EXPLICIT_SITES
/* The verbs fill in their call site. */
#define spark_to_arrow_stream(...) spark_to_arrow_stream(SPARK_HERE, __VA_ARGS__)
#define spark_to_arrow(...) spark_to_arrow(SPARK_HERE, __VA_ARGS__)
#define spark_from_arrow_stream(...) spark_from_arrow_stream(SPARK_HERE, __VA_ARGS__)
#endif

#endif
