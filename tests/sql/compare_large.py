#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Queries over millions of rows, asked here and of DuckDB.

usage: compare_large.py SQL_LINES [SEED|FROM-TO [COUNT [ROWS]]]
       compare_large.py --lines SEED COUNT [ROWS]    only prints the statements

For what shows only where windows, tables, batches and blocks are full: two tables of up to ROWS (3,000,000) rows are made
of range(), whose keys come sorted, in runs, at random, skewed, or by phases, one after the other in a partition. What a
query gives is compared by counts and sums of hashes, so that little is printed. Threads, memory, rows of a batch, the
cache and the number of partitions go by the seed. Without duckdb it says so and passes."""
import random
import subprocess
import sys
import time

NUMBERS = (4, 60, 255, 256, 257, 1000, 1023, 1025, 4000, 30000, 32767, 32768, 32769, 65535, 65536, 65537, 100000, 131072, 200000,
           262143, 262145, 300000, 1000000, 3000000)
MASTERS = ("local[1]", "local[1]", "local[2]", "local[2]", "local-cluster[2,1,128]")


def words(sql, spark):
    """A text in the words of one of the two."""
    for mark, here, duck in (("{div}", "div", "//"), ("{STRING}", "STRING", "VARCHAR"), ("{list}", "collect_list", "list"), ("{size}", "size", "len")):
        sql = sql.replace(mark, here if spark else duck)
    return sql


class Column:
    """A name, and what of it is a number: the same in both."""

    def __init__(self, name, kind):
        self.name, self.kind = name, kind

    def number(self, spark, name=None):
        name = name or self.name
        text = {"text": f"CAST(substring({name}, 3) AS BIGINT)", "long": f"CAST(substring({name}, 31) AS BIGINT)",
                "huge": f"CAST(substring({name}, 3, 9) AS BIGINT)",
                "date": f"CAST(datediff({name}, DATE'2000-01-01') AS BIGINT)" if spark else f"date_diff('day', DATE '2000-01-01', {name})",
                "decimal": f"CAST({name} * 100 AS BIGINT)", "far": name, "wide": f"CAST({name} AS BIGINT)", "double": f"CAST(floor({name} * 4) AS BIGINT)"}
        return f"coalesce({text.get(self.kind, f'CAST({name} AS BIGINT)')}, -7)"


class Maker:
    def __init__(self, seed, rows):
        self.r, self.rows = random.Random(f"large {seed}"), rows
        self.huge = self.r.random() < 0.08

    def mixed(self):
        """A number that looks like chance, from 0 to 2^21."""
        return f"((id * {self.r.choice((2654435761, 40503 * 65537, 2246822519))} + {self.r.randrange(1000000)}) % 4294967296 {{div}} 2048)"

    def order(self, n, c):
        """Numbers below c in n rows, or NULL."""
        run = self.r.choice((2, 3, 5, 100, 1000, 1024, 3000, 70000))
        return self.r.choice((f"id {{div}} {max(1, n // c)}", f"(id {{div}} {run}) * 7919 % {c}", f"{self.mixed()} % {c}", f"id % {c}",
                              f"{self.r.randrange(c)}", f"id {{div}} {run}", f"CASE WHEN {self.mixed()} % 10 < 9 THEN 3 ELSE {self.mixed()} % {c} END",
                              f"CASE WHEN id % 11 = 3 THEN NULL ELSE {self.mixed()} % {c} END", f"{c} - id % {c}", f"{self.mixed()} % {c} * 1000003"))

    def key(self, n):
        c = self.r.choice(NUMBERS + (n, n // 3, n // 3) * (n > 5000000) * 4)
        if self.r.random() < 0.5:
            return self.order(n, c)
        cuts = sorted(self.r.randrange(n) for _ in range(self.r.choice((1, 2, 3, 6))))
        return "CASE " + " ".join(f"WHEN id < {cut} THEN {self.order(n, self.r.choice((c, self.r.choice(NUMBERS))))}" for cut in cuts) + f" ELSE {self.order(n, c)} END"

    def typed(self, x, key=False):
        kind = self.r.choice((("far", "bigint") if key else ()) + ("huge",) * (key and self.huge) * 9 + ("bigint", "bigint", "bigint", "int", "int", "smallint", "text", "text", "long", "date", "decimal", "wide", "double"))
        ends = self.r.choice(((-2**63 + 1, 2**63 - 1), (-2**63 + 1, 0), (0, 2**63 - 1), (-2**31, 2**31 - 1)))
        return kind, {"far": f"CASE WHEN {self.r.choice(('id % 2 = 0', 'id < 200000', 'id > 100000', 'id % 1000 < 500'))} THEN {ends[0]} + {x} ELSE {ends[1]} - {x} END",
                      "huge": f"'h_' || lpad(CAST({x} AS {{STRING}}), 9, '0') || repeat('long ', 4000)",
                      "bigint": f"CAST({x} AS BIGINT)", "int": f"CAST(({x}) % 2000000000 AS INT)", "smallint": f"CAST(({x}) % 30000 AS SMALLINT)",
                      "text": f"'k_' || CAST({x} AS {{STRING}})", "long": f"'a text of more than 15 bytes: ' || CAST({x} AS {{STRING}})",
                      "date": f"DATE'2000-01-01' + CAST(({x}) % 100000 AS INT)", "decimal": f"CAST(({x}) % 10000000 AS DECIMAL(18, 2))",
                      "wide": f"CAST(({x}) AS DECIMAL(30, 0))", "double": f"CAST({x} AS DOUBLE) / 4"}[kind]

    def table(self, name, n, partitions):
        """Its statement, and its columns: id, k0.. (keys) and v0.. (values)."""
        columns, list_ = [Column("id", "bigint")], ["id"]
        for i in range(3):
            kind, x = self.typed(self.key(n), True)
            columns.append(Column(f"k{i}", kind))
            list_.append(f"{x} AS k{i}")
        for i, (kind, x) in enumerate((("bigint", self.mixed()), self.typed(self.order(n, 1000)), self.typed(f"CASE WHEN id % 13 = 5 THEN NULL ELSE {self.mixed()} END"))):
            columns.append(Column(f"v{i}", kind))
            list_.append(f"{x} AS v{i}")
        where = self.r.choice(("", "", "", " WHERE id % 3 <> 1", f" WHERE id < {n // 3} OR id > {n // 2}"))
        return [f"CREATE {{kind}} {name} AS SELECT {', '.join(list_)} FROM range({{0}}{n}{{1}}) AS r({{id}}){where}", columns, partitions]

    # ---- queries: a text, and its columns

    def aggregates(self, columns, several):
        keys = [c for c in columns if c.name != "id"]
        found = []
        for i in range(self.r.choice((1, 1, 2, 3, 6) if several < 3 else (1, 2))):
            c = self.r.choice(keys)
            number = f"CAST({c.name} AS DOUBLE)" if c.kind in ("bigint", "int", "smallint") and self.r.random() < 0.3 else c.name
            choices = [("count(*)", "bigint"), (f"min({c.name})", c.kind), (f"max({c.name})", c.kind), (f"count({c.name})", "bigint"), ("sum(id)", "bigint"),
                       ("max_by(v0, id)", "bigint"), ("min_by(v0, id)", "bigint"), ("bit_xor(v0)", "bigint")]
            if c.kind in ("bigint", "int", "smallint"):
                choices += [(f"sum({number})", "double" if number != c.name else "bigint"), (f"avg({c.name})", "double")] * 2
            if c.kind == "decimal":
                choices += [(f"sum({c.name})", "decimal")] * 3
            if self.r.random() < 0.25:
                choices = [(f"count(DISTINCT {c.name})", "bigint")]
                if self.r.random() < 0.3:
                    choices = [("median(v0)", "double"), ("{size}({list}(v0))", "bigint")]
            text, kind = self.r.choice(choices)
            if "median" not in text and "{" not in text and self.r.random() < 0.2:
                text += f" FILTER (WHERE v0 % {self.r.choice((2, 3, 100))} = 1)"
            found.append((text, kind))
        if self.r.random() < 0.08:
            found = [(f"sum(v0 % {i + 2})", "bigint") for i in range(40)] + found
        return [f"{text} AS a{i}" for i, (text, _) in enumerate(found)], [Column(f"a{i}", kind) for i, (_, kind) in enumerate(found)]

    def where(self):
        return self.r.choice(("", "", "", " WHERE v0 % 3 <> 0", " WHERE id % 2 = 0", " WHERE k0 IS NOT NULL", " WHERE v0 < 200000"))

    def group(self, columns):
        keys = self.r.sample(columns[1:], self.r.choice((1, 1, 1, 2, 3)))
        texts, found = self.aggregates(columns, len(keys))
        if self.r.random() < 0.1:
            texts, found = [], []
        if texts and self.r.random() < 0.1:
            return f"SELECT {', '.join(texts)} FROM t{self.where()}", found
        how = self.r.choice(("GROUP BY {0}", "GROUP BY {0}", "GROUP BY {0}", "GROUP BY {0}", "GROUP BY ROLLUP ({0})", "GROUP BY CUBE ({0})")).format(", ".join(k.name for k in keys))
        having = self.r.choice(("", "", "", " HAVING count(*) > 1"))
        return f"SELECT {', '.join([k.name for k in keys] + texts)} FROM t{self.where()} {how}{having}", keys + found

    def distinct(self, columns):
        keys = self.r.sample(columns[1:], self.r.choice((1, 2, 3)))
        return f"SELECT DISTINCT {', '.join(k.name for k in keys)} FROM t{self.where()}", keys

    def join(self, columns):
        left = self.r.choice(columns[1:4])
        kind = self.r.choice(("JOIN", "JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "SEMI", "ANTI"))
        on = f"{Column('', left.kind).number(True, 'a.' + left.name)} = b.j" if left.kind not in ("bigint", "int") else f"a.{left.name} = b.j"
        on_duck = on if left.kind in ("bigint", "int") else f"{Column('', left.kind).number(False, 'a.' + left.name)} = b.j"
        more = self.r.choice(("", "", "", " AND a.v0 > b.w", " AND a.v0 % 2 = 0"))
        b = f"(SELECT * FROM u{self.r.choice(('', '', ' WHERE w % 10 = 0', ' WHERE w % 1000 = 0'))}) b"
        pair = (on + more, on_duck + more)
        if kind in ("SEMI", "ANTI"):
            return tuple(f"SELECT a.id, a.v0 FROM t a {kind} JOIN {b} ON {o}" for o in pair), [columns[0], Column("v0", "bigint")]
        sides = ("t a", b) if self.r.random() < 0.5 else (b, "t a")
        return tuple(f"SELECT a.id AS x, a.{left.name} AS y, b.id AS z, b.w AS w FROM {sides[0]} {kind} {sides[1]} ON {o}" for o in pair), \
            [Column("x", "bigint"), Column("y", left.kind), Column("z", "bigint"), Column("w", "bigint")]

    def not_in(self, columns):
        key = self.r.choice(columns[1:4])
        where = self.r.choice(("", " WHERE j IS NOT NULL", " WHERE j > 1000", " WHERE w % 50 = 0 AND j IS NOT NULL"))
        return tuple(f"SELECT id, v0 FROM t WHERE {key.number(s) if key.kind not in ('bigint', 'int') else key.name} NOT IN (SELECT j FROM u{where})" for s in (True, False)), \
            [columns[0], Column("v0", "bigint")]

    def window(self, columns):
        keys = self.r.sample(columns[1:4], self.r.choice((0, 1, 1, 1, 2)))
        order = self.r.choice(columns[1:])
        by = (f"PARTITION BY {', '.join(k.name for k in keys)} " if keys else "")
        total = f"{order.name}{self.r.choice(('', ' DESC'))}, id"
        frame = f"ROWS BETWEEN {self.r.choice((0, 1, 5, 1000, 70000))} PRECEDING AND {self.r.choice((0, 3, 1500))} FOLLOWING"
        functions = [(f"row_number() OVER ({by}ORDER BY {total})", "bigint"), (f"rank() OVER ({by}ORDER BY {order.name})", "bigint"),
                     (f"dense_rank() OVER ({by}ORDER BY {order.name})", "bigint"), (f"sum(v0) OVER ({by}ORDER BY {total} {frame})", "bigint"),
                     (f"max(v0) OVER ({by}ORDER BY {total} {frame})", "bigint"), (f"min(k0) OVER ({by}ORDER BY {total} {frame})", columns[1].kind),
                     (f"sum(v0) OVER ({by}ORDER BY {order.name})", "bigint"), (f"count(v0) OVER ({by}ORDER BY v0 RANGE BETWEEN 5 PRECEDING AND 70 FOLLOWING)", "bigint"), (f"lag(v0, {self.r.choice((1, 1000, 5000))}) OVER ({by}ORDER BY {total})", "bigint"),
                     (f"lead(k0) OVER ({by}ORDER BY {total})", columns[1].kind), (f"ntile(7) OVER ({by}ORDER BY {total})", "bigint"),
                     (f"count(*) OVER ({by})" if by else "count(*) OVER ()", "bigint"), (f"first_value(v0) OVER ({by}ORDER BY {total} {frame})", "bigint")]
        some = self.r.sample(functions, self.r.choice((1, 1, 2, 3)))
        text = f"SELECT id, {', '.join(f'{f} AS a{i}' for i, (f, _) in enumerate(some))} FROM t{self.where()}"
        return text, [columns[0]] + [Column(f"a{i}", kind) for i, (_, kind) in enumerate(some)]

    def ranked(self, columns):
        keys = self.r.sample(columns[1:4], self.r.choice((0, 1, 1, 1, 2)))
        order = self.r.choice(columns[1:])
        by = (f"PARTITION BY {', '.join(k.name for k in keys)} " if keys else "")
        function = self.r.choice((f"row_number() OVER ({by}ORDER BY {order.name}{self.r.choice(('', ' DESC'))}, id)", f"rank() OVER ({by}ORDER BY {order.name} DESC)",
                                  f"dense_rank() OVER ({by}ORDER BY {order.name})"))
        n = self.r.choice((1, 1, 3, 10, 1000, 20000))
        return f"SELECT id, v0, n FROM (SELECT id, v0, {function} AS n FROM t{self.where()}) x WHERE n <= {n}", [columns[0], Column("v0", "bigint"), Column("n", "bigint")]

    def top(self, columns):
        by = self.r.sample(columns[1:], self.r.choice((1, 1, 2)))
        order = ", ".join(c.name + self.r.choice(("", " DESC")) for c in by)
        limit = self.r.choice((1, 10, 100, 1000, 1024, 5000, 70000, 500000))
        offset = self.r.choice(("", "", " OFFSET 5", " OFFSET 1000", " OFFSET 100000", " OFFSET 900000"))
        return f"SELECT id, {by[0].name}, v0 FROM t{self.where()} ORDER BY {order}, id LIMIT {limit}{offset}", [columns[0], by[0], Column("v0", "bigint")]

    def sets(self, columns):
        key = self.r.choice([c for c in columns[1:4]])
        kind = self.r.choice(("UNION", "UNION ALL", "INTERSECT", "INTERSECT ALL", "EXCEPT", "EXCEPT ALL"))
        number = (f"SELECT {key.number(s)} AS x, v0 % 2 AS y FROM t{{}}" for s in (True, False))
        where, sides = self.where(), self.r.random() < 0.5
        other = "SELECT j, w % 2 FROM u"
        return tuple(f"{n.format(where)} {kind} {other}" if sides else f"SELECT j AS x, w % 2 AS y FROM u {kind} {n.format(where)}" for n in number), \
            [Column("x", "bigint"), Column("y", "bigint")]

    def nested(self, columns):
        """Groups of groups, or of a join."""
        key, other = self.r.sample(columns[1:4], 2)
        return self.r.choice((
            (f"SELECT n, count(*) AS a0, sum(s) AS a1 FROM (SELECT {key.name}, {other.name}, count(*) AS n, sum(v0) AS s FROM t GROUP BY {key.name}, {other.name}) x GROUP BY n",
             [Column("n", "bigint"), Column("a0", "bigint"), Column("a1", "bigint")]),
            (f"SELECT a.{key.name} AS x, count(*) AS a0, sum(b.w) AS a1 FROM t a LEFT JOIN u b ON a.v0 = b.j GROUP BY a.{key.name}",
             [Column("x", key.kind), Column("a0", "bigint"), Column("a1", "bigint")]),
            (f"SELECT b.w % 1000 AS x, count(*) AS a0, min(a.{key.name}) AS a1 FROM t a JOIN u b ON a.v0 = b.j GROUP BY b.w % 1000",
             [Column("x", "bigint"), Column("a0", "bigint"), Column("a1", key.kind)])))

    def query(self, columns):
        make = self.r.choice((self.group,) * 8 + (self.distinct,) * 2 + (self.join,) * 4 + (self.window,) * 2 + (self.ranked,) * 2 + (self.top,) * 3 + (self.sets,) * 2 + (self.nested, self.not_in))
        text, found = make(columns)
        texts = text if isinstance(text, tuple) else (text, text)
        return tuple(self.summary(words(t, s), found, s) for t, s in zip(texts, (True, False)))

    def summary(self, text, columns, spark):
        """Counts and sums of hashes."""
        numbers = [c.number(spark) for c in columns]
        whole = " + ".join(f"{n} % 1000003 * {p}" for n, p in zip(numbers, (7919, 104729, 1299709, 15485863, 32452843, 49979687) * 10))
        sums = ", ".join(f"sum({n} % 1000003)" for n in numbers[:8])
        return f"SELECT count(*), sum(({whole}) % 1000003), {sums} FROM ({text}) z"


def tables(maker):
    """Two: t, and u, whose keys j come few times each."""
    r = maker.r
    n = 6000 if maker.huge else r.choice((maker.rows, maker.rows, maker.rows // 2, maker.rows // 5, 65536 * 3, 65537))
    t = maker.table("t", n, r.choice((1, 1, 2, 7)))
    m = r.choice((1000, 40000, 65537, 300000, 1000000, maker.rows // 2))
    j = r.choice(("id", "id {div} 2", f"id % {max(1, m // 2)}", f"id * 7919 % {m}", "id * 3", "CASE WHEN id % 5 = 0 THEN NULL ELSE id END", f"CASE WHEN id < {m // 2} THEN id ELSE id * 1000003 END"))
    u = [f"CREATE {{kind}} u AS SELECT id, CAST({j} AS {'BIGINT' if '1000003' in j else r.choice(('BIGINT', 'INT'))}) AS j, {maker.mixed()} AS w FROM range({{0}}{m}{{1}}) AS r({{id}})", None, r.choice((1, 2, 7))]
    return t, u


def made(seed, count, rows):
    """How it is run; statements: those that make tables, in both words, and queries."""
    maker = Maker(seed, rows)
    r = maker.r
    t, u = tables(maker)
    start = []
    for text, _, partitions in (t, u):
        here = words(text, True).replace("{kind}", "TEMP VIEW").replace("{0}", "0, ").replace("{1}", f", 1, {partitions}").replace("{id}", "id")
        duck = words(text, False).replace("{kind}", "TABLE" if rows <= 5000000 else "VIEW").replace("{0}", "").replace("{1}", "").replace("{id}", "id")
        start.append((here, duck))
        if r.random() < 0.5:
            start.append((f"CACHE TABLE {'t' if text is t[0] else 'u'}", None))
    if r.random() < 0.4:
        start.append((f"SET spark.sql.shuffle.partitions = {r.choice((1, 2, 5, 33))}", None))
    if r.random() < 0.4:
        start.append((f"SET spark.sql.autoBroadcastJoinThreshold = {r.choice((-1, 100000))}", None))
    how = [r.choice(MASTERS), str(r.choice((0, 0, 0, 64, 128))), str(r.choice((0, 0, 0, 0, 100, 7, 65536)))]
    return how, start, [maker.query(t[1]) for _ in range(count)]


class Duck:
    def __init__(self):
        import duckdb
        self.db = duckdb.connect(config={"threads": 2, "memory_limit": "5GB"})
        self.db.execute("SET default_null_order = 'nulls_first_on_asc_last_on_desc'")

    def ask(self, sql):
        try:
            return "|".join("NULL" if v is None else str(v) for v in self.db.execute(sql).fetchone())
        except Exception as e:  # noqa: BLE001
            return "ERR " + str(e).split("\n")[0]


class Here:
    """sql_lines, which answers line by line."""

    def __init__(self, how):
        self.how = how
        self.process = subprocess.Popen([sys.argv[1]] + how, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, sql):
        try:
            self.process.stdin.write(sql + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            return f"ERR ended with {self.process.wait()}"
        return line.rstrip("\n").partition("] ")[2] if line.startswith("[") else line.rstrip("\n")

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def compare_seed(seed, count, rows):
    """One seed's statements; how many differ."""
    how, start, queries = made(seed, count, rows)
    here, duck, bad = Here(how), Duck(), 0
    for text, its in start:
        found, wanted = here.ask(text), duck.ask(its) if its else ""
        if found.startswith("ERR") or (wanted.startswith("ERR") and "None" not in wanted):
            print(f"seed {seed}: {text}\n   here:   {found}\n   DuckDB: {wanted}", flush=True)
    for text, its in queries:
        begun = time.time()
        found = here.ask(text)
        took = time.time() - begun
        wanted = duck.ask(its)
        took_duck = time.time() - begun - took
        if took > 10 and took > 8 * took_duck:
            print(f"seed {seed}: slow: {took:.1f} s, DuckDB {took_duck:.1f} s: {text}", flush=True)
        if found != wanted:
            bad += 1
            print(f"seed {seed}: {text}\n   here:   {found}\n   DuckDB: {wanted}", flush=True)
            if found.startswith("ERR ended"):
                here = Here(how)
                for again, _ in start:
                    here.ask(again)
    here.end()
    return bad


def main():
    if sys.argv[1] == "--lines":
        how, start, queries = made(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]) if len(sys.argv) > 4 else 3000000)
        print("-- " + " ".join(how))
        for text, _ in start + queries:
            print(text)
        return 0
    try:
        Duck()
    except ImportError:
        print("skipped: duckdb is not there")
        return 0
    first, _, last = (sys.argv[2] if len(sys.argv) > 2 else "1").partition("-")
    count, rows = (int(sys.argv[i]) if len(sys.argv) > i else other for i, other in ((3, 20), (4, 3000000)))
    bad = n = 0
    for seed in range(int(first), int(last or first) + 1):
        bad += compare_seed(seed, count, rows)
        n += count
        print(f"seed {seed}: {n - bad} of {n} are equal", flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
