#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Random pipelines, and what Spark makes of them. run.py calls this, with the environment it needs.

usage: oracle.py SEED NUMBER DIR [ONLY]

Writes DIR/program, DIR/in (texts to read), DIR/expected; DIR/out gets what pipelines save.

A program is text, fields between tabs: "pipeline N", then its steps, numbered from 0, each
    operation  sources (numbers of steps, with commas)  arguments...
A source's elements follow, one a line, pairs as key;value. An action's last argument tells how its
results compare: seq (in order), bag (in any order), close (numbers, nearly). Numbers of partitions:
N; 0, the default; pN: N, placed by a function that both sides have (place below).

What is compared is what Spark defines. A generated RDD knows: seq: the order of its elements is
defined; lay: which of them share a partition is; narrow: no shuffle was needed; kseq: the order of
its keys is defined; uniq: each key once.

PySpark computes elements. Numbers of partitions and whether there is a partitioner come from Scala
Spark's own operations on a shadow of each RDD, which never runs: PySpark's joins and cogroups have
another default number, and its distinct drops partitioners. "?" where Spark leaves them open: how
many partitions a sort makes depends on its sample.
"""
import math
import random
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from pathlib import Path

KEY = {"ii": "i64", "si": "str", "is": "i64"}
VALUE = {"ii": "i64", "si": "i64", "is": "str"}
PAIR = {("i64", "i64"): "ii", ("str", "i64"): "si", ("i64", "str"): "is"}
BASE = ["i64", "str", "ii", "si", "is"]
COMPOSITE = "composite"  # anything else: shown as a str, or taken apart, at once

# Functions, as in pipelines.c. name: (type of the result, function); the name begins with the type
# of the argument.
MAP = {
    "i64.affine": ("i64", lambda x: x * 3 + 1),
    "i64.mod7": ("i64", lambda x: x % 7),
    "i64.text": ("str", lambda x: "n%d" % x),
    "i64.by5": ("ii", lambda x: (x % 5, x)),
    "i64.named": ("si", lambda x: ("k%d" % (x % 4), x)),
    "i64.numbered": ("is", lambda x: (x % 6, "v%d" % x)),
    "str.upper": ("str", lambda x: x.upper()),
    "str.bang": ("str", lambda x: x + "!"),
    "str.half": ("str", lambda x: x[:len(x) // 2]),
    "str.len": ("i64", len),
    "str.with_len": ("si", lambda x: (x, len(x))),
    "str.by_len": ("is", lambda x: (len(x), x)),
    "ii.swap": ("ii", lambda x: (x[1], x[0])),
    "ii.sum": ("i64", lambda x: x[0] + x[1]),
    "si.swap": ("is", lambda x: (x[1], x[0])),
    "si.text": ("str", lambda x: "%s=%d" % x),
    "is.swap": ("si", lambda x: (x[1], x[0])),
    "is.text": ("str", lambda x: "%d=%s" % x),
}
FLAT = {
    "i64.copies": ("i64", lambda x: [x + i for i in range(x % 3)]),
    "str.words": ("str", lambda x: x.split()),
    "ii.both": ("i64", lambda x: [x[0], x[1]]),
    "si.twice": ("si", lambda x: [x, (x[0], x[1] + 1)]),
    "is.words": ("str", lambda x: x[1].split()),
}
FILTER = {
    "i64.even": lambda x: x % 2 == 0,
    "str.odd": lambda x: len(x) % 2 == 1,
    "ii.rising": lambda x: x[0] < x[1],
    "si.even": lambda x: x[1] % 2 == 0,
    "is.even": lambda x: x[0] % 2 == 0,
}
VALUES = ["i64.affine", "i64.mod7", "i64.text", "str.bang", "str.half", "str.len"]
KEYS = {
    "i64.mod7": MAP["i64.mod7"],
    "i64.digit": ("str", lambda x: "d%d" % (x % 3)),
    "str.len": MAP["str.len"],
}
WEIGHT = {
    "i64": lambda x: x,
    "str": len,
    "ii": lambda x: 3 * x[0] + x[1],
    "si": lambda x: 2 * len(x[0]) + x[1],
    "is": lambda x: x[0] + 5 * len(x[1]),
}
# name: (function, a zero that changes nothing, one that shows, or None where it never does)
MERGE = {
    "i64.sum": (lambda a, b: a + b, 0, 10),
    "i64.xor": (lambda a, b: a ^ b, 0, 5),
    "i64.max": (max, 7, None),
    "str.max": (max, "m", None),
    "str.concat": (lambda a, b: a + b, "", "z"),
    "ii.add": (lambda a, b: (a[0] + b[0], a[1] + b[1]), (0, 0), (1, 2)),
    "si.max": (max, ("c", 3), None),
    "is.min": (min, (2, "x"), None),
}
ORDER = {
    "ii.by_value": lambda x: (-x[1], x[0]),
    "si.by_value": lambda x: (-x[1], x[0]),
}


def place_i64(key):
    return key * 7 + 3


def place_str(key):
    return len(key) * 5 + (ord(key[0]) if key else 0)


PLACE = {"i64": place_i64, "str": place_str}


def of(table, kind):
    """The functions of a table whose argument has this type."""
    return [name for name in table if name.startswith(kind + ".")]


def text(value):
    """An element as it stands in a program."""
    return "%s;%s" % value if isinstance(value, tuple) else str(value)


def show(x, bag=True):
    """The canonical text of any value. bag: lists in ascending order."""
    if x is None:
        return "-"
    if isinstance(x, bool):
        return "true" if x else "false"
    if isinstance(x, (int, float)):
        return str(x)
    if isinstance(x, str):
        return '"%s"' % x
    if isinstance(x, tuple):
        return "(%s)" % ",".join(show(y, bag) for y in x)
    return "[%s]" % ",".join(show(y, bag) for y in (sorted(x) if bag else x))


# ---- making pipelines


class Made:
    """What is known of the RDD that a step makes."""

    def __init__(self, step, kind, size, parts, seq=False, lay=False, narrow=False, kseq=False,
                 uniq=False):
        self.step, self.kind = step, kind
        self.size, self.parts = size, parts  # at most about so many
        self.seq, self.lay, self.narrow, self.kseq, self.uniq = seq, lay, narrow, kseq, uniq

    def state(self):
        return {"seq": self.seq, "lay": self.lay, "narrow": self.narrow}


class Pipeline:
    """Random steps; operations that were rare so far (used) come first."""

    def __init__(self, number, seed, used):
        self.number, self.used = number, used
        self.rng = random.Random("%d/%d" % (seed, number))
        self.steps = []  # (operation, sources, arguments, elements)
        self.made = []
        last = self.source(self.rng.choice(BASE))
        for _ in range(self.rng.randint(2, 6)):
            last = self.pick(self.transforms(last))()
        self.act(last)

    def emit(self, op, sources, *args, data=()):
        self.used[op] = self.used.get(op, 0) + 1
        self.steps.append((op, [s.step for s in sources], [str(a) for a in args], list(data)))
        return len(self.steps) - 1

    def new(self, op, sources, *args, kind, size=None, data=(), **state):
        size = sources[0].size if size is None else size
        counts = [s.parts for s in sources]
        parts = math.prod(counts) if op == "cartesian" else sum(counts) if op == "union" else max(
            counts, default=3)
        made = Made(self.emit(op, sources, *args, data=data), kind, size, parts, **state)
        self.made.append(made)
        return made

    def pick(self, choices):
        names = sorted(choices)
        weights = [(1 + self.used.get(name, 0)) ** -1.5 for name in names]
        return choices[self.rng.choices(names, weights)[0]]

    def value(self, kind):
        if kind == "i64":
            return self.rng.randint(-20, 40)
        if kind == "str":
            words = ["spark", "rdd", "a", "bee", "xyz", "shuffle", "in", "C", "42"]
            return " ".join(self.rng.choices(words, k=self.rng.randint(0, 3)))
        return self.key(KEY[kind]), self.value(VALUE[kind])

    def key(self, kind):
        return self.rng.randint(-3, 6) if kind == "i64" else self.rng.choice("abcdef")

    def source(self, kind, like=None):
        """like: an RDD of as many elements and partitions, for zip."""
        if like:
            op, args = self.steps[like.step][0], self.steps[like.step][2]
            parts, size = (args[1], like.size) if op == "parallelize" else (args[3], like.size)
            return self.new("parallelize", [], kind, parts, size, kind=kind, size=size,
                            data=[text(self.value(kind)) for _ in range(size)],
                            seq=True, lay=True, narrow=True)
        state = {"seq": True, "lay": True, "narrow": True}
        parts = self.rng.randint(1, 3)
        choice = self.rng.random()
        if kind == "i64" and choice < 0.4:
            start, step = self.rng.randint(-20, 20), self.rng.choice([1, 2, 3, -1, -4])
            size = self.rng.randint(0, 30)
            end = start + step * size - (self.rng.randint(0, abs(step) - 1)
                                         * (1 if step > 0 else -1) if size else 0)
            return self.new("range", [], start, end, step, parts, kind=kind, size=size, **state)
        size = self.rng.choice([0, 1, 5, 12, 20, 30])
        data = [text(self.value(kind)) for _ in range(size)]
        if kind == "str" and choice < 0.5:
            return self.new("textFile", [], parts, self.rng.randint(1, 2), size, kind=kind,
                            size=size, data=data, **state)
        return self.new("parallelize", [], kind, parts, size, kind=kind, size=size, data=data,
                        **state)

    def parts(self, custom=True):
        n = self.rng.randint(1, 3)
        return self.rng.choice([0, 0, n, "p%d" % n] if custom else [0, n])

    def mate(self, kinds, near=None):
        """Another RDD of one of these types: one that is there, or a new one; often placed."""
        there = [m for m in self.made if m.kind in kinds and m.size <= 60 and m.parts <= 3]
        if there and self.rng.random() < 0.5:
            made = self.rng.choice(there)
        else:
            made = self.source(self.rng.choice(kinds))
        if made.kind in KEY and self.rng.random() < 0.4:
            made = self.partition_by(made, near)
        return made

    def partition_by(self, r, near=None):
        how = self.rng.choice(["p%d", "%d"]) % self.rng.randint(1, 3)
        if near and self.steps[near.step][0] == "partitionBy":
            how = self.rng.choice([how, self.steps[near.step][2][0]])
        return self.new("partitionBy", [r], how, kind=r.kind, lay=how[0] == "p", uniq=r.uniq)

    def shown(self, r, bag=True):
        """A composite as str, of which the text is compared."""
        return self.new("map", [r], "show.bag" if bag else "show.seq", kind="str", **r.state())

    def group(self, op, r, *args, key, value, **state):
        made = self.new(op, [r], *args, kind=COMPOSITE, uniq=True, **state)
        if self.rng.random() < 0.5 or (key, "i64") not in PAIR:
            return self.shown(made)
        return self.new("mapValues", [made], "list.len", kind=PAIR[key, "i64"], uniq=True,
                        **made.state())

    def taken_apart(self, made, *kinds):
        """A pair (k, (v, w)) as (k, v) or (k, w), or shown."""
        which = self.rng.randint(0, 2)
        if which == 2 or kinds[which] is None:
            return self.shown(made)
        return self.new("map", [made], "pick.%d" % which, kind=kinds[which], **made.state())

    def transforms(self, r):
        """name: a function that adds the step, and what must follow it."""
        rng, kind, st, can = self.rng, r.kind, r.state(), {}
        new, key, value = self.new, KEY.get(kind), VALUE.get(kind)
        exact = r.seq and r.lay

        def table(op, names, functions, **more):
            def add():
                name = rng.choice(names)
                return new(op, [r], name, kind=functions[name][0], **{**st, **more})
            if names:
                can[op] = add

        table("map", of(MAP, kind), MAP)
        if r.size <= 200:
            can["flatMap"] = lambda name=rng.choice(of(FLAT, kind)): new(
                "flatMap", [r], name, kind=FLAT[name][0], size=r.size * 3, **st)
        can["filter"] = lambda: new("filter", [r], rng.choice(of(FILTER, kind)), kind=kind,
                                    kseq=r.kseq, uniq=r.uniq, **st)

        def map_partitions():
            if exact and rng.random() < 0.5:
                return new("mapPartitions", [r], kind + ".reverse", kind=kind, **st)
            if r.lay:
                name = rng.choice([".weigh", ".count"])
                return new("mapPartitions", [r], kind + name, kind="i64", size=4, **{
                    **st, "seq": True})
            return new("mapPartitions", [r], kind + ".weights", kind="i64", **st)
        can["mapPartitions"] = map_partitions
        if r.lay:
            can["mapPartitionsWithIndex"] = lambda: new(
                "mapPartitionsWithIndex", [r], kind + ".numbered", kind="ii", **st)
            can["glom"] = lambda: self.shown(
                new("glom", [r], kind=COMPOSITE, size=4, lay=True, seq=True, narrow=r.narrow),
                bag=not r.seq)

        def key_by(op):
            name = rng.choice(of(KEYS, kind))
            made = KEYS[name][0]
            if op == "keyBy":
                if (made, kind) in PAIR:
                    return new(op, [r], name, kind=PAIR[made, kind], **st)
                return self.shown(new(op, [r], name, kind=COMPOSITE, **st))
            parts = self.parts(custom=made == "i64")
            return self.group(op, r, name, parts, key=made, value=kind, lay=str(parts)[0] == "p")
        if of(KEYS, kind):
            can["keyBy"] = lambda: key_by("keyBy")
            can["groupBy"] = lambda: key_by("groupBy")

        def union(n):
            others = [self.mate([kind], r) for _ in range(n - 1)]
            if rng.random() < 0.15:
                others[-1] = new("emptyRDD", [], kind, kind=kind, size=0, seq=True, lay=True,
                                 narrow=True)
            all_ = [r, *others]
            narrow = all(m.narrow for m in all_)
            return new("union", all_, kind=kind, size=sum(m.size for m in all_), narrow=narrow,
                       seq=narrow and all(m.seq for m in all_),
                       lay=all(m.lay for m in all_))
        if r.size <= 200 and r.parts <= 9:
            can["union"] = lambda: union(rng.choice([2, 2, 3, 4]))

        def cartesian():
            other = self.mate(["i64", "str"])
            both = exact and other.seq and other.lay
            made = new("cartesian", [r, other], kind=PAIR.get((kind, other.kind), COMPOSITE),
                       size=r.size * other.size, seq=both, lay=r.lay and other.lay,
                       narrow=r.narrow and other.narrow)
            return self.shown(made) if made.kind == COMPOSITE else made
        if r.size <= 12 and r.parts <= 3:
            can["cartesian"] = cartesian
        can["coalesce"] = lambda: new(
            "coalesce", [r], rng.randint(1, 3), kind=kind, uniq=r.uniq, narrow=r.narrow,
            seq=exact and r.narrow, lay=exact and r.narrow)
        can["repartition"] = lambda: new("repartition", [r], rng.randint(1, 3), kind=kind,
                                         uniq=r.uniq)

        def zip_():
            if self.steps[r.step][0] in ("parallelize", "range") and rng.random() < 0.6:
                other = self.source(rng.choice(["i64", "str"]), like=r)
            else:
                name = rng.choice(of(MAP, kind))
                other = new("map", [r], name, kind=MAP[name][0], **st)
            made = new("zip", [r, other], kind=PAIR.get((kind, other.kind), COMPOSITE), **st)
            return self.shown(made) if made.kind == COMPOSITE else made

        def index(op):
            made = new(op, [r], kind=PAIR.get((kind, "i64"), COMPOSITE), uniq=False, **st)
            return self.shown(made) if made.kind == COMPOSITE else made
        if exact and r.narrow:
            can["zip"] = zip_
        if r.seq:
            can["zipWithIndex"] = lambda: index("zipWithIndex")
        if exact:
            can["zipWithUniqueId"] = lambda: index("zipWithUniqueId")

        can["distinct"] = lambda: new("distinct", [r], self.parts(False), kind=kind)
        can["intersection"] = lambda: new("intersection", [r, self.mate([kind], r)], 0, kind=kind)
        can["subtract"] = lambda: new("subtract", [r, self.mate([kind], r)], self.parts(False),
                                      kind=kind)

        def sort_by():
            order = rng.choice(["asc", "desc", *of(ORDER, kind)])
            return new("sortBy", [r], order, rng.randint(1, 3), kind=kind, seq=True)
        can["sortBy"] = sort_by
        if kind in ("i64", "str"):
            def pipe():
                command = rng.choice(["cat", "tr a-z A-Z", *(["wc -l"] if r.lay else [])])
                if command == "wc -l":
                    return new("pipe", [r], command, kind="str", size=4, **{**st, "seq": True})
                return new("pipe", [r], command, kind="str", **st)
            can["pipe"] = pipe
        if kind not in KEY:
            return can

        # Pairs
        table("mapValues", [n for n in of(MAP, value) if n in VALUES
                            and (key, MAP[n][0]) in PAIR],
              {n: (PAIR.get((key, MAP[n][0])), 0) for n in VALUES}, kseq=r.kseq, uniq=r.uniq)
        if r.size <= 200:
            name = {"i64": "i64.copies", "str": "str.words"}[value]
            can["flatMapValues"] = lambda: new("flatMapValues", [r], name, kind=kind,
                                               size=r.size * 3, kseq=r.kseq, **st)
        can["keys"] = lambda: new("keys", [r], kind=key, **{**st, "seq": r.seq or r.kseq})
        can["values"] = lambda: new("values", [r], kind=value, **st)

        def placed(op, *args, composite=False):
            parts = self.parts()
            lay = str(parts)[0] == "p"
            if composite:
                made = new(op, [r], *args, parts, kind=COMPOSITE, lay=lay, uniq=True)
                return self.taken_apart(made, PAIR.get((key, "i64")), PAIR.get((key, "i64")))
            return new(op, [r], *args, parts, kind=kind, lay=lay, uniq=True)

        def fold_by_key():
            name = rng.choice([n for n in of(MERGE, value) if n != "str.concat"])
            return placed("foldByKey", name, text(MERGE[name][1]))
        can["reduceByKey"] = lambda: placed("reduceByKey", rng.choice(
            [n for n in of(MERGE, value) if n != "str.concat"]))
        can["foldByKey"] = fold_by_key
        can["aggregateByKey"] = lambda: placed("aggregateByKey", value, composite=True)
        can["combineByKey"] = lambda: placed("combineByKey", value, composite=True)

        def group_by_key():
            parts = self.parts()
            return self.group("groupByKey", r, parts, key=key, value=value,
                              lay=str(parts)[0] == "p")
        can["groupByKey"] = group_by_key
        same_key = [k for k in KEY if KEY[k] == key]
        can["subtractByKey"] = lambda: new("subtractByKey", [r, self.mate(same_key, r)],
                                           self.parts(False), kind=kind, uniq=r.uniq)
        can["cogroup"] = lambda: self.shown(new(
            "cogroup", [r, self.mate(same_key, r)], self.parts(False), kind=COMPOSITE))
        can["groupWith"] = lambda: self.shown(new(
            "groupWith", [r, self.mate(same_key, r), self.mate(same_key, r)], kind=COMPOSITE))

        def join(op):
            other = self.mate(same_key, r)
            made = new(op, [r, other], self.parts(False), kind=COMPOSITE,
                       size=r.size * max(1, other.size))
            return self.taken_apart(made, kind, other.kind) if op == "join" else self.shown(made)
        if r.size <= 30:
            for op in "join", "leftOuterJoin", "rightOuterJoin", "fullOuterJoin":
                can[op] = lambda op=op: join(op)
        can["partitionBy"] = lambda: self.partition_by(r)
        can["sortByKey"] = lambda: new("sortByKey", [r], rng.choice(["asc", "desc"]),
                                       rng.randint(1, 3), kind=kind, kseq=True, uniq=r.uniq)
        can["repartitionAndSortWithinPartitions"] = lambda: new(
            "repartitionAndSortWithinPartitions", [r], "p%d" % rng.randint(1, 3),
            rng.choice(["asc", "desc"]), kind=kind, lay=True, kseq=True, uniq=r.uniq)
        return can

    def act(self, last):
        """All elements of the last RDD, and two or three other actions."""
        self.emit("collect", [last], "seq" if last.seq else "bag")
        if last.kseq:
            last = self.transforms(last)["keys"]()
            self.emit("collect", [last], "seq")
        if last.lay:
            made = self.transforms(last)["glom"]()
            self.emit("collect", [made], "seq")
        for _ in range(self.rng.randint(2, 3)):
            earlier = [m for m in self.made if m.kind != COMPOSITE]
            r = last if self.rng.random() < 0.6 else self.rng.choice(earlier)
            self.pick(self.actions(r))()

    def actions(self, r):
        rng, kind, can = self.rng, r.kind, {}
        how = "seq" if r.seq else "bag"

        def plain(op, *args, mode="seq"):
            can[op] = lambda: self.emit(op, [r], *args, mode)
        plain("collect", mode=how)
        plain("toLocalIterator", mode=how)
        plain("count")
        plain("isEmpty")
        plain("max")
        plain("min")
        if r.seq:
            plain("take", rng.randint(0, 12))
            plain("first")
        for op in "top", "takeOrdered":
            plain(op, rng.randint(1, 8), rng.choice(["asc", "desc", *of(ORDER, kind)]))
        names = [n for n in of(MERGE, kind) if r.seq or n != "str.concat"]
        plain("reduce", rng.choice(names))
        name = rng.choice([n for n in names if r.lay or n != "str.concat"])
        _, zero, visible = MERGE[name]
        plain("fold", name, text(visible if visible and r.lay and rng.random() < 0.7 else zero))
        plain("aggregate", kind, "1;2" if r.lay and rng.random() < 0.5 else "0;0")
        depth = rng.randint(1, 3)
        plain("treeReduce", rng.choice([n for n in names if n != "str.concat"]), depth)
        plain("treeAggregate", kind, depth)
        plain("countByValue", mode="bag")
        plain("foreach", kind)
        plain("accumulator", kind)
        if kind == "i64":
            plain("sum")
            plain("mean", mode="close")
            plain("stats", mode="close")
            edges = sorted(rng.sample(range(-30, 60), rng.randint(2, 5)))
            plain("histogram", rng.choice(["1", "2", "4", "=" + ",".join(map(str, edges)),
                                           "=-20,0,20,40"]), mode="close")
        if kind in ("i64", "str"):
            plain("saveAsTextFile", mode=how)
        if kind in KEY:
            plain("lookup", self.key(KEY[kind]), mode=how)
            plain("countByKey", mode="bag")
            if r.seq or r.uniq:
                plain("collectAsMap", mode="bag")
            plain("reduceByKeyLocally", rng.choice(
                [n for n in of(MERGE, VALUE[kind]) if n != "str.concat"]), mode="bag")
        return can


def pipelines(seed, number):
    """The pipelines of a seed; the same ones each time."""
    used = {}
    return [Pipeline(i, seed, used) for i in range(number)]


# Kept in step with transforms and actions above: run.py fails where one of these never occurs.
TRANSFORMS = """parallelize range textFile emptyRDD map flatMap filter mapPartitions
    mapPartitionsWithIndex glom keyBy mapValues flatMapValues keys values union cartesian
    coalesce repartition zip zipWithIndex zipWithUniqueId distinct intersection subtract
    subtractByKey groupBy groupByKey reduceByKey foldByKey aggregateByKey combineByKey cogroup
    groupWith join leftOuterJoin rightOuterJoin fullOuterJoin partitionBy sortBy sortByKey
    repartitionAndSortWithinPartitions pipe""".split()
ACTIONS = """collect count take first top takeOrdered reduce fold aggregate treeReduce treeAggregate
    max min sum mean stats histogram isEmpty lookup countByKey countByValue collectAsMap
    reduceByKeyLocally foreach toLocalIterator accumulator saveAsTextFile""".split()


# ---- running them in Spark


class Spark:
    """Runs pipelines. An RDD is a pair: PySpark's, and the shadow, a JavaRDD; where the number of
    its partitions is not defined, "yes", "no" or "?" instead: whether it has a partitioner."""

    def __init__(self, folder):
        from pyspark import SparkConf, SparkContext
        conf = SparkConf().setMaster("local[2]").setAppName("conformance")
        for name, value in {"spark.ui.enabled": "false", "spark.driver.host": "127.0.0.1",
                            "spark.driver.bindAddress": "127.0.0.1",
                            "spark.ui.showConsoleProgress": "false",
                            "spark.python.daemon.module": "oracle",
                            "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1",
                            "spark.log.level": "ERROR"}.items():
            conf.set(name, value)
        # Batches of one: partitions hold elements as Scala Spark's do.
        self.sc = SparkContext(conf=conf, batchSize=1)
        self.folder = folder
        java = self.sc._jvm
        self.pairs = java.org.apache.spark.api.java.JavaPairRDD.fromJavaRDD
        self.default = java.org.apache.spark.Partitioner.defaultPartitioner
        self.nothing = self.sc._jsc.emptyRDD()

    def partitioner(self, kind, parts):
        if parts[0] == "p":
            return self.sc._jvm.PythonPartitioner(int(parts[1:]), id(PLACE[kind]))
        return self.sc._jvm.org.apache.spark.HashPartitioner(int(parts))

    def run(self, pipeline):
        """Yields (step, text) for everything that is compared."""
        self.made, kinds = {}, {m.step: m.kind for m in pipeline.made}
        for step, (op, sources, args, data) in enumerate(pipeline.steps):
            self.where = "%d-%d" % (pipeline.number, step)
            rdds = [self.made[s] for s in sources]
            key = KEY.get(kinds[sources[0]]) if sources else None
            if step in kinds:
                made = self.transform(op, rdds, args, data, key, kinds.get(step))
                self.made[step] = made
                shadow = made[1]
                yield step, "parts=%s partitioner=%s" % (
                    ("?", shadow) if isinstance(shadow, str) else
                    (shadow.getNumPartitions(),
                     "yes" if shadow.rdd().partitioner().isDefined() else "no"))
            else:
                try:
                    for item in self.action(op, rdds[0][0], args[:-1]):
                        yield step, item if isinstance(item, Raw) else show(item)
                except ValueError as error:
                    if "empty" not in str(error):
                        raise
                    yield step, "empty"

    def source(self, op, args, data):
        sc = self.sc
        if op == "range":
            return sc.range(*map(int, args[:3]), numSlices=int(args[3]))
        if op == "emptyRDD":
            return sc.emptyRDD()
        if op == "textFile":
            half = len(data) // int(args[1])
            pieces = [data] if args[1] == "1" else [data[:half], data[half:]]
            names = []
            for i, lines in enumerate(pieces):
                names.append("%s/in/%s-%d" % (self.folder, self.where, i))
                # The second of two files lacks its last line end.
                end = "\n" if lines and i == 0 else ""
                Path(names[-1]).write_text("\n".join(lines) + end)
            return sc.textFile(",".join(names), int(args[0]))
        return sc.parallelize([parse(args[0], x) for x in data], int(args[1]))

    def transform(self, op, rdds, args, data, key, kind):
        if not rdds:
            made = self.source(op, args, data)
            # glom: arrays of bytes, PySpark's elements, would be refused as keys.
            return made, (self.nothing if op == "emptyRDD" else made._jrdd.glom())
        r, shadow = rdds[0]
        other = rdds[1][0] if len(rdds) > 1 else None
        shadows = [s for _, s in rdds]
        known = not any(isinstance(s, str) for s in shadows)
        name = args[0] if args else None

        if op in ("filter", "mapValues", "flatMapValues"):
            if op == "filter":
                return r.filter(FILTER[name]), shadow
            f = len if name == "list.len" else (FLAT if op == "flatMapValues" else MAP)[name][1]
            return getattr(r, op)(f), shadow

        # One partition for each; without a partitioner.
        dropped = shadow.glom() if known else "no"
        if op == "map":
            if name.startswith("show."):
                bag = name == "show.bag"
                return r.map(lambda x: show(x, bag)), dropped
            if name.startswith("pick."):
                which = int(name[5:])
                return r.map(lambda x: (x[0], x[1][which])), dropped
            return r.map(MAP[name][1]), dropped
        if op == "flatMap":
            return r.flatMap(FLAT[name][1]), dropped
        if op == "mapPartitions":
            weight, what = WEIGHT[name.split(".")[0]], name.split(".")[1]
            return r.mapPartitions({
                "reverse": lambda it: reversed(list(it)),
                "weigh": lambda it: [sum(map(weight, it))],
                "count": lambda it: [sum(1 for _ in it)],
                "weights": lambda it: map(weight, it)}[what]), dropped
        if op == "mapPartitionsWithIndex":
            weight = WEIGHT[name.split(".")[0]]
            return r.mapPartitionsWithIndex(lambda i, it: ((i, weight(x)) for x in it)), dropped
        if op in ("glom", "keys", "values", "zipWithIndex", "zipWithUniqueId"):
            return getattr(r, op)(), dropped
        if op == "pipe":
            return r.pipe(name, checkCode=True), dropped
        if op == "keyBy":
            return r.keyBy(KEYS[name][1]), dropped
        if op == "union":
            if len(rdds) > 2:
                # sc.union wants one serializer; PySpark's own union makes it so.
                made = self.sc.union([x.map(lambda y: y, preservesPartitioning=True)
                                      for x, _ in rdds])
                if not known:
                    return made, "?"
                seq = self.sc._gateway.new_array(self.sc._jvm.org.apache.spark.api.java.JavaRDD,
                                                 len(rdds))
                for i, s in enumerate(shadows):
                    seq[i] = s
                return made, self.sc._jsc.union(seq)
            return r.union(other), (shadow.union(shadows[1]) if known else "?")
        if op == "cartesian":
            return r.cartesian(other), (java(shadow.cartesian(shadows[1])) if known else "no")
        if op == "zip":
            return r.zip(other), (java(shadow.zip(shadows[1])) if known else "no")
        if op in ("coalesce", "repartition"):
            n = int(name)
            if not known and op == "repartition":
                shadow = self.nothing
            made = "no" if isinstance(shadow, str) else getattr(shadow, op)(n)
            return getattr(r, op)(n), made
        if op == "sortBy":
            f = ORDER.get(name, lambda x: x)
            return r.sortBy(f, name != "desc", int(args[1])), "no"
        if op == "sortByKey":
            return r.sortByKey(name == "asc", int(args[1])), "yes"
        if op in ("partitionBy", "repartitionAndSortWithinPartitions"):
            pairs = self.pairs(shadow if known else self.nothing)
            made = java(pairs.partitionBy(self.partitioner(key, name)))
            if op != "partitionBy":
                return r.repartitionAndSortWithinPartitions(int(name[1:]), PLACE[key],
                                                            args[1] == "asc"), made
            if name[0] == "p":
                return r.partitionBy(int(name[1:]), PLACE[key]), made
            return r.partitionBy(int(name)), made

        # Keyed operations: parts is the last argument.
        parts = args[-1] if args else "0"
        if not known and op == "distinct":  # keeps a partitioner where the number stays
            shadow = "?" if parts != "0" and shadow == "yes" else shadow
        elif not known and parts == "0":
            shadow = "no" if op in ("intersection", "subtract") else "yes"
        if known or parts != "0" and shadow != "?":
            shadows = [self.nothing if isinstance(s, str) else s for s in shadows]
            shadow = self.keyed_shadow(op, shadows, parts, key or KEYS.get(name, [None])[0])
        n = 2 if isinstance(shadow, str) else shadow.getNumPartitions()
        if op == "intersection":
            return r.intersection(other), shadow
        if op == "groupWith":
            return r.groupWith(*(x for x, _ in rdds[1:])), shadow
        if len(rdds) > 1 or op == "distinct":
            return getattr(r, op)(*([other] if other else []), numPartitions=n), shadow
        where = [n] + ([PLACE[key or KEYS[name][0]]] if parts[0] == "p" else [])
        if op == "groupBy":
            return r.groupBy(KEYS[name][1], *where), shadow
        if op == "groupByKey":
            return r.groupByKey(*where), shadow
        if op == "reduceByKey":
            return r.reduceByKey(MERGE[name][0], *where), shadow
        if op == "foldByKey":
            return r.foldByKey(parse(name.split(".")[0], args[1]), MERGE[name][0],
                               *where), shadow
        weight, both = WEIGHT[name], MERGE["ii.add"][0]
        add = lambda acc, v: (acc[0] + weight(v), acc[1] + 1)
        if op == "aggregateByKey":
            return r.aggregateByKey((0, 0), add, both, *where), shadow
        assert op == "combineByKey", op
        return r.combineByKey(lambda v: (weight(v), 1), add, both, *where), shadow

    def keyed_shadow(self, op, shadows, parts, key):
        first = shadows[0]
        if op == "intersection":
            return first.intersection(shadows[1])
        if op in ("distinct", "subtract"):
            return getattr(first, op)(*shadows[1:], *([int(parts)] if parts != "0" else []))
        if op == "groupBy":  # as Scala Spark defines it
            rule = (self.default(first.rdd(), self.sc._jvm.PythonUtils.toSeq([]))
                    if parts == "0" else self.partitioner(key, parts))
            return java(self.pairs(first.glom()).groupByKey(rule))
        args = [self.pairs(s) for s in shadows[1:]]
        if parts != "0":
            args.append(self.partitioner(key, parts) if parts[0] == "p" else int(parts))
        # Those that combine have one rule.
        one = ("groupByKey", "reduceByKey", "foldByKey", "aggregateByKey", "combineByKey")
        return java(getattr(self.pairs(first), "groupByKey" if op in one else op)(*args))

    def action(self, op, r, args):
        name = args[0] if args else None
        if (op in ("top", "takeOrdered", "countByKey", "countByValue")
                and r.getNumPartitions() == 0):
            return []  # as in Scala; PySpark fails
        if op in ("collect", "toLocalIterator"):
            return list(getattr(r, op)())
        if op in ("count", "isEmpty", "max", "min", "sum", "first"):
            return [getattr(r, op)()]
        if op == "mean":
            return [Raw(float(r.mean()))]
        if op == "take":
            return r.take(int(name))
        if op in ("top", "takeOrdered"):
            return ordered(op, r, int(name), args[1])
        if op == "reduce":
            return [r.reduce(MERGE[name][0])]
        if op == "treeReduce":
            return [r.treeReduce(MERGE[name][0], int(args[1]))]
        if op == "fold":
            return [r.fold(parse(name.split(".")[0], args[1]), MERGE[name][0])]
        if op in ("aggregate", "treeAggregate"):
            weight, both = WEIGHT[name], MERGE["ii.add"][0]
            add = lambda acc, x: (acc[0] + weight(x), acc[1] + 1)
            if op == "aggregate":
                return [r.aggregate(parse("ii", args[1]), add, both)]
            return [r.treeAggregate((0, 0), add, both, int(args[1]))]
        if op == "stats":
            s = r.stats()
            return [Raw(float(x)) for x in (s.count(), s.sum(), s.mean(), s.min(), s.max(),
                                             s.variance(), s.stdev(), s.sampleVariance(),
                                             s.sampleStdev())]
        if op == "histogram":
            buckets = [int(x) for x in name[1:].split(",")] if name[0] == "=" else int(name)
            edges, counts = r.histogram(buckets)
            return [Raw(float(x)) for x in [*([] if name[0] == "=" else edges), *counts]]
        if op == "lookup":
            return r.lookup(int(name) if name.lstrip("-").isdigit() else name)
        if op in ("countByKey", "countByValue", "collectAsMap"):
            return list(getattr(r, op)().items())
        if op == "reduceByKeyLocally":
            return list(r.reduceByKeyLocally(MERGE[name][0]).items())
        if op in ("foreach", "accumulator"):
            total, weight = self.sc.accumulator(0), WEIGHT[name]
            if op == "foreach":
                r.foreach(lambda x: total.add(weight(x)))
                return [total.value]
            return [r.filter(lambda x: total.add(weight(x)) or True).count(), total.value]
        assert op == "saveAsTextFile", op
        path = "%s/out/%s" % (self.folder, self.where)
        r.saveAsTextFile(path)
        parts = "/part-*" if r.getNumPartitions() else ""  # in order; no match is an error
        return map(Raw, self.sc.textFile(path + parts, 1).collect())


class Raw(str):
    """A text to print as it is."""


def ordered(op, r, n, order):
    """PySpark turns an order round by a negative key only; strings have none."""
    f = ORDER.get(order)
    if order == "desc":
        op = {"top": "takeOrdered", "takeOrdered": "top"}[op]
    return getattr(r, op)(n, f)


def java(rdd):
    """A JavaPairRDD as a JavaRDD."""
    return rdd.rdd().toJavaRDD()


def parse(kind, field):
    if kind in ("i64", "str"):
        return int(field) if kind == "i64" else field
    key, value = field.split(";")
    return parse(KEY[kind], key), parse(VALUE[kind], value)


def daemon():
    """What forks PySpark's workers. They collect garbage after each task, which takes longer than
    all else they do here; what they have from the start need not be looked at."""
    import gc
    import pyspark.daemon
    import pyspark.worker  # noqa: F401, before the fork
    gc.collect()
    gc.freeze()
    pyspark.daemon.manager()


def main(seed, number, folder, only=None):
    folder = Path(folder)
    for name in "in", "out":
        shutil.rmtree(folder / name, ignore_errors=True)
        (folder / name).mkdir(parents=True)
    chosen = [p for p in pipelines(int(seed), int(number)) if only in (None, str(p.number))]
    with open(folder / "program", "w") as f:
        for p in chosen:
            f.write("pipeline\t%d\n" % p.number)
            for op, sources, args, data in p.steps:
                f.write("\t".join([op, ",".join(map(str, sources)) or "-", *args]) + "\n")
                f.writelines(x + "\n" for x in data)
    spark = Spark(folder)
    with open(folder / "expected", "w") as f:
        with ThreadPoolExecutor(2) as pool:
            for p, lines in zip(chosen, pool.map(lambda p: [*copy(spark).run(p)], chosen)):
                f.writelines("%d\t%d\t%s\n" % (p.number, *line) for line in lines)
    spark.sc.stop()


if __name__ == "__main__":
    if sys.argv[1:] == ["pyspark.worker"]:
        daemon()
    else:
        main(*sys.argv[1:])
