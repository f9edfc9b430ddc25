#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The graph examples print what a few lines of Python find, of the bundled files and of made-up ones.

usage: graphs.py DATA TRANSITIVE_CLOSURE TRIANGLE_COUNT
SPARK_RUN_UNDER: a command to run them under."""
import collections
import itertools
import os
import random
import subprocess
import sys
import tempfile


def closure(edges):
    """All pairs (a, b) with a way from a to b, as lines, sorted bytewise."""
    nexts = collections.defaultdict(set)
    for a, b in edges:
        nexts[a].add(b)
    pairs = []
    for start in nexts:
        seen, todo = set(), list(nexts[start])
        while todo:
            at = todo.pop()
            if at not in seen:
                seen.add(at)
                todo += nexts.get(at, ())
        pairs += [(start.encode(), end.encode()) for end in seen]
    return b"".join(b"%s %s\n" % pair for pair in sorted(pairs))


def triangles(edges):
    """How many, and the five vertices in most of them, tried corner by corner."""
    near = collections.defaultdict(set)
    for a, b in ((int(a), int(b)) for a, b in edges):
        if a != b:
            near[a].add(b)
            near[b].add(a)
    count, total = collections.Counter(), 0
    for a in near:
        for b, c in itertools.combinations(sorted(n for n in near[a] if n > a), 2):
            if c in near[b]:
                total += 1
                count.update((a, b, c))
    top = sorted(count.items(), key=lambda item: (-item[1], item[0]))[:5]
    return "".join([f"{total} triangles\n", *(f"{v}\t{n}\n" for v, n in top)]).encode()


def check(name, program, path, want):
    under = os.environ.get("SPARK_RUN_UNDER", "").split()
    got = subprocess.run([*under, program, path], stdout=subprocess.PIPE, check=True).stdout
    if got != want:
        sys.exit(f"{name}: {program} gives\n{got.decode()}\nbut wanted is\n{want.decode()}")


def read(path):
    with open(path, encoding="utf-8") as lines:
        return [line.split() for line in lines]


def made_up(draw):
    """Graphs: nothing, one loop, a circle, a path, two that are random; as lists of edges."""
    yield "nothing", []
    yield "a loop", [("1", "1")]
    yield "a circle", [(str(i), str((i + 1) % 20)) for i in range(20)]
    yield "a path", [(str(i), str(i + 1)) for i in range(30)]
    yield "complete", [(str(a), str(b)) for a in range(12) for b in range(12)]
    for n, m in ((40, 60), (25, 150)):
        yield f"{n} random", [(str(draw.randrange(n)), str(draw.randrange(n))) for _ in range(m)]


def main():
    data, closes, counts = sys.argv[1:]
    needs, edges = os.path.join(data, "needs.txt"), os.path.join(data, "edges.txt")
    check("bundled", closes, needs, closure(read(needs)))
    check("bundled", counts, edges, triangles(read(edges)))
    with tempfile.TemporaryDirectory() as work:
        path = os.path.join(work, "graph")
        for name, graph in made_up(random.Random(7)):
            with open(path, "w", encoding="utf-8") as out:
                out.writelines(f"{a} {b}\n" for a, b in graph)
            check(name, closes, path, closure(graph))
            check(name, counts, path, triangles(graph))


main()
