#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""PyArrow, DuckDB and Polars read what libspark gives through Arrow's C interfaces, and feed it, in one
process. What is not installed is skipped with a word; without PyArrow nothing is tested.

usage: arrow.py LIBRARY     (tests/sql/arrow_shim.c as a shared object)
"""
import ctypes
import datetime
import decimal
import os
import sys

SKIP = 77
try:
    import pyarrow as pa
except ImportError:
    # the interpreter that has them may be named
    other = os.environ.get("SPARK_TEST_PYTHON")
    if other and os.path.abspath(other) != os.path.abspath(sys.executable):  # a virtual environment links to it
        os.execv(other, [other, *sys.argv])
    print("skipped: PyArrow is not installed (SPARK_TEST_PYTHON names another interpreter)")
    sys.exit(SKIP)

D = decimal.Decimal


class Stream(ctypes.Structure):
    _fields_ = [(name, ctypes.c_void_p)
                for name in ("get_schema", "get_next", "get_last_error", "release", "private_data")]


class Schema(ctypes.Structure):
    _fields_ = [("words", ctypes.c_int64 * 9)]


class Array(ctypes.Structure):
    _fields_ = [("words", ctypes.c_int64 * 10)]


lib = None


def load(path):
    global lib
    lib = ctypes.CDLL(path)
    lib.shim_open.restype = ctypes.c_void_p
    lib.shim_open.argtypes = [ctypes.c_int, ctypes.c_int64, ctypes.c_double]
    lib.shim_close.argtypes = [ctypes.c_void_p]
    lib.shim_error.restype = ctypes.c_char_p
    lib.shim_view.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_int]
    lib.shim_query.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_void_p]
    lib.shim_batch.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_void_p]


NEW_CAPSULE = ctypes.pythonapi.PyCapsule_New
NEW_CAPSULE.restype = ctypes.py_object
NEW_CAPSULE.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]


class Result:
    """What a statement gives, as DuckDB and Polars want it: an object with __arrow_c_stream__."""

    def __init__(self, context, text, batch_rows=0):
        self.context, self.text, self.batch_rows = context, text, batch_rows
        self.kept = []

    def __arrow_c_stream__(self, requested_schema=None):
        stream = self.context.stream(self.text, self.batch_rows)
        self.kept.append(stream)
        return NEW_CAPSULE(ctypes.addressof(stream), b"arrow_array_stream", None)


class Context:
    def __init__(self, threads=1, memory=0, faults=0.0):
        self.sc = lib.shim_open(threads, memory, faults)

    def close(self):
        lib.shim_close(self.sc)

    def view(self, name, reader, partitions=0):
        stream = Stream()
        reader._export_to_c(ctypes.addressof(stream))
        if lib.shim_view(self.sc, name.encode(), ctypes.addressof(stream), partitions):
            raise ValueError(lib.shim_error().decode())
        assert not stream.release

    def stream(self, text, batch_rows=0):
        stream = Stream()
        if lib.shim_query(self.sc, text.encode(), batch_rows, ctypes.addressof(stream)):
            raise ValueError(lib.shim_error().decode())
        return stream

    def table(self, text, batch_rows=0):
        stream = self.stream(text, batch_rows)
        reader = pa.RecordBatchReader._import_from_c(ctypes.addressof(stream))
        table = reader.read_all()
        table.validate(full=True)
        return table

    def batch(self, text):
        schema, array = Schema(), Array()
        if lib.shim_batch(self.sc, text.encode(), ctypes.addressof(schema), ctypes.addressof(array)):
            raise ValueError(lib.shim_error().decode())
        batch = pa.RecordBatch._import_from_c(ctypes.addressof(array), ctypes.addressof(schema))
        batch.validate(full=True)
        return batch


def columns(n):
    """A table of every type, with nulls."""
    some = [i if i % 3 else None for i in range(n)]
    day = datetime.date(2024, 2, 28)
    at = datetime.datetime(2024, 2, 28, 1, 2, 3, 456789)

    def of(make, kind):
        return pa.array([None if i is None else make(i) for i in some], kind)

    return pa.table({
        "flag": of(lambda i: i % 2 == 0, pa.bool_()),
        "i8": of(lambda i: i % 100 - 50, pa.int8()),
        "i16": of(lambda i: -i, pa.int16()),
        "i32": of(lambda i: i * 1000, pa.int32()),
        "i64": of(lambda i: i << 40, pa.int64()),
        "f32": of(lambda i: i / 4, pa.float32()),
        "f64": of(lambda i: i / 3, pa.float64()),
        "text": of(lambda i: "word%d" % i * (i % 4), pa.string()),
        "large": of(lambda i: "é" * (i % 5), pa.large_string()),
        "raw": of(lambda i: bytes([i % 256]) * 3, pa.binary()),
        "fixed": of(lambda i: b"%04d" % (i % 10000), pa.binary(4)),
        "small_decimal": of(lambda i: D(i).scaleb(-2), pa.decimal128(9, 2)),
        "wide_decimal": of(lambda i: D(-i * 10**30).scaleb(-6), pa.decimal128(38, 6)),
        "day": of(lambda i: day + datetime.timedelta(i), pa.date32()),
        "day_ms": of(lambda i: day - datetime.timedelta(i), pa.date64()),
        "at": of(lambda i: at + datetime.timedelta(seconds=i), pa.timestamp("us", "UTC")),
        "at_ns": of(lambda i: at, pa.timestamp("ns")),
        "at_s": of(lambda i: at.replace(microsecond=0), pa.timestamp("s", "Europe/Paris")),
        "clock": of(lambda i: datetime.time(1, 2, i % 60), pa.time64("us")),
        "list": of(lambda i: [None if k == 2 else k for k in range(i % 4)], pa.list_(pa.int32())),
        "large_list": of(lambda i: ["x"] * (i % 3), pa.large_list(pa.string())),
        "pair": of(lambda i: [i, i + 1], pa.list_(pa.int64(), 2)),
        "in": of(lambda i: {"a": i if i % 2 else None, "b": "b%d" % i},
                 pa.struct([("a", pa.int32()), ("b", pa.string())])),
        "map": of(lambda i: [("k%d" % k, k if k else None) for k in range(i % 3)],
                  pa.map_(pa.string(), pa.int64())),
        "word": of(lambda i: "d%d" % (i % 5), pa.string()).dictionary_encode(),
        "nothing": pa.nulls(n),
    })


def same(name, have, want):
    if have == want:
        return
    if isinstance(have, list) and isinstance(want, list) and len(have) == len(want):
        for i, (a, b) in enumerate(zip(have, want)):
            if a != b:
                raise AssertionError("%s: row %d: %r, wanted %r" % (name, i, a, b))
    raise AssertionError("%s: %r, wanted %r" % (name, have, want))


def plain(values):
    """Values without what readers add: zones, maps as lists of pairs or dicts."""
    out = []
    for v in values:
        if isinstance(v, datetime.datetime):
            v = v.astimezone(datetime.timezone.utc).replace(tzinfo=None) if v.tzinfo else v
        if hasattr(v, "to_pydatetime"):
            v = v.to_pydatetime()
        if isinstance(v, datetime.time):
            v = v.replace(tzinfo=None)
        out.append(v)
    return out


def test_pyarrow():
    table = columns(1000)
    shapes = {"whole": table, "chunks": pa.Table.from_batches(table.to_batches(max_chunksize=77)),
              "sliced": table.slice(37, 500), "empty": table.slice(0, 0)}
    for variant in (dict(), dict(threads=2), dict(memory=64 << 20), dict(faults=0.1)):
        context = Context(**variant)
        for name, shape in shapes.items():
            for parts in (1, 7):
                context.view("t", shape.to_reader(), parts)
                back = context.table("SELECT * FROM t", 64)
                same("names", back.column_names, shape.column_names)
                for column in shape.column_names:
                    same("%s.%s" % (name, column), plain(back[column].to_pylist()),
                         plain(shape[column].to_pylist()))
        context.view("t", table.to_reader())
        want = {}
        for word, number in zip(table["word"].to_pylist(), table["i32"].to_pylist()):
            if word is not None:
                want[word] = want.get(word, 0) + number
        have = context.table("SELECT word, sum(i32) FROM t WHERE word IS NOT NULL GROUP BY word ORDER BY word")
        same("sums", list(zip(*[c.to_pylist() for c in have.columns])), sorted(want.items()))
        batch = context.batch("SELECT * FROM t")
        same("batch", plain(batch.column("wide_decimal").to_pylist()), table["wide_decimal"].to_pylist())
        context.close()
    context = Context()
    types = context.table("SELECT CAST(1 AS DECIMAL(38,6)) a, INTERVAL '1' DAY b, map('a', array(1)) c, "
                          "TIMESTAMP'2024-01-01 00:00:00' d, TIMESTAMP_NTZ'2024-01-01 00:00:00' e")
    same("types", [str(t) for t in types.schema.types],
         ["decimal128(38, 6)", "duration[us]", "map<string, list<item: int32 not null>>",
          "timestamp[us, tz=UTC]", "timestamp[us]"])
    try:
        context.table("SELECT CAST(IF(id = 5, 'x', '1') AS INT) FROM range(10)")
        raise AssertionError("no error")
    except (pa.ArrowException, OSError) as error:
        assert "CAST_INVALID_INPUT" in str(error), error
    union = pa.table({"u": pa.UnionArray.from_sparse(pa.array([0], pa.int8()), [pa.array([1])])})
    try:
        context.view("u", union.to_reader())
        raise AssertionError("no error")
    except ValueError as error:
        assert '"u"' in str(error), error
    context.close()


def test_duckdb():
    import duckdb
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    context = Context(threads=2)
    result = Result(context, "SELECT id, CAST(id AS DECIMAL(38,2)) d, 'v' || id s, nullif(id % 3, 0) n, "
                             "array(id, NULL) l, struct(id AS x, 'y' AS y) st, map('k', id) m, "
                             "DATE'2024-01-01' + CAST(id AS INT) day FROM range(0, 10000, 1, 5)", 1000)
    rows = con.execute("SELECT count(*), sum(id), sum(d), max(s), count(n), sum(len(l)), sum(st.x), max(day), "
                       "sum(m['k']) FROM result").fetchall()
    same("duckdb reads", rows, [(10000, 49995000, D("49995000.00"), "v9999", 6666, 20000, 49995000,
                                 datetime.date(2024, 1, 1) + datetime.timedelta(9999), 49995000)])
    relation = con.sql("SELECT i, i::DECIMAL(18,3) / 8 q, CASE WHEN i % 5 > 0 THEN 's' || i END s, "
                       "[i, NULL] l, {'a': i, 'b': 'x'} st, TIMESTAMP '2024-01-01' + to_seconds(i) t, "
                       "MAP {'k': i} m, (i % 3)::VARCHAR::ENUM('0', '1', '2') e FROM range(5000) r(i)")
    old = not hasattr(relation, "to_arrow_reader")
    reader = relation.fetch_arrow_reader(999) if old else relation.to_arrow_reader(999)
    context.view("duck", reader)
    have = context.table("SELECT count(*), sum(i), count(s), sum(l[0]), sum(st.a), max(t), sum(m['k']), max(e) FROM duck")
    same("duckdb feeds", plain([c[0].as_py() for c in have.columns]),
         [5000, 12497500, 4000, 12497500, 12497500, datetime.datetime(2024, 1, 1, 1, 23, 19), 12497500, "2"])
    context.close()


def test_polars():
    import polars as pl
    context = Context()
    frame = pl.DataFrame(Result(context, "SELECT id, CAST(id AS DECIMAL(20,2)) d, 'v' || id s, nullif(id % 3, 0) n, "
                                         "array(id, NULL) l, struct(id AS x) st FROM range(0, 3000, 1, 4)", 500))
    same("polars reads", frame.select(pl.len(), pl.col("id").sum(), pl.col("s").max(), pl.col("n").count(),
                                      pl.col("l").list.len().sum(), pl.col("st").struct.field("x").sum(),
                                      pl.col("d").sum()).row(0),
         (3000, 4498500, "v999", 2000, 6000, 4498500, D("4498500.00")))
    frame = pl.DataFrame({"i": list(range(3000)), "s": ["short" if i % 2 else "a rather long word %d" % i
                                                        for i in range(3000)]})
    frame = frame.with_columns(c=(pl.col("i") % 3).cast(pl.String).cast(pl.Categorical),
                               l=pl.concat_list("i", "i"), u=pl.col("i").cast(pl.UInt64),
                               t=pl.lit(datetime.datetime(2024, 1, 1)),
                               n=pl.when(pl.col("i") > 10).then(pl.col("i")))
    capsule = frame.__arrow_c_stream__(None)
    get = ctypes.pythonapi.PyCapsule_GetPointer
    get.restype, get.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    pointer = get(capsule, b"arrow_array_stream")
    if lib.shim_view(context.sc, b"pol", pointer, 3):
        raise ValueError(lib.shim_error().decode())
    have = context.table("SELECT count(*), sum(i), max(s), max(c), sum(l[1]), sum(u), max(t), count(n) FROM pol")
    same("polars feeds", plain([c[0].as_py() for c in have.columns]),
         [3000, 4498500, "short", "2", 4498500, D(4498500), datetime.datetime(2024, 1, 1), 2989])
    context.close()


def main():
    load(sys.argv[1])
    test_pyarrow()
    print("PyArrow %s" % pa.__version__)
    for name, test in (("duckdb", test_duckdb), ("polars", test_polars)):
        try:
            module = __import__(name)
        except ImportError:
            print("skipped: %s is not installed" % name)
            continue
        test()
        print("%s %s" % (name, module.__version__))
    return 0


if __name__ == "__main__":
    sys.exit(main())
