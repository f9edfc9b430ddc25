#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The include table: a room may include itself, the rooms above it and <spark/...>; a family of rdd
itself, and what stands in rdd/; a family of sql itself, those before it, and what stands in sql/.

usage: layers.py ROOT
"""
import re
import sys
from pathlib import Path

import report

ROOMS = ["base", "type", "plan", "io", "format", "storage", "exec", "remote", "shuffle",
         "scheduler", "listen", "rdd", "sql"]
FAMILIES = {  # what they share stands in the room itself
    "rdd": ["narrow", "keyed", "source", "action", "node"],  # know nothing of each other
    "sql": ["parse", "eval", "plan", "exec", "arrow"],       # each may use those before it
}
COMPOSITION_ROOT = "context.c"     # the one file that may include every room
PUBLIC_INCLUDES = re.compile(r"spark/\w+\.h|std\w+\.h|string\.h|exception|initializer_list")

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.M)


def includes(path):
    """(quote, name) of each #include of a file."""
    return INCLUDE.findall(path.read_text(encoding="utf-8"))


def room_of(name):
    """The room and the family, each may be None, of a file named from src."""
    parts = name.split("/")
    return parts[0] if len(parts) > 1 else None, parts[1] if len(parts) > 2 else None


def is_place(name):
    """Whether a file may stand there: in a room, or in a family of one."""
    room, family = room_of(name)
    return room in ROOMS and (family is None or family in FAMILIES.get(room, ())
                              and name.count("/") == 2)


def may_use_family(room, family, other_room, other):
    """Whether a file of a family (None: of the room itself) may use another family's."""
    if other is None or (room, family) == (other_room, other):
        return True
    if room != "sql" or other_room != "sql" or family is None:
        return False
    order = FAMILIES["sql"]
    return order.index(other) <= order.index(family)


def check_source(src, path):
    """Complaints about the includes of one file below src."""
    file = path.relative_to(src).as_posix()
    room, family = room_of(file)
    if room is None and file != COMPOSITION_ROOT:
        yield f"src/{file}: only {COMPOSITION_ROOT} stands outside the rooms"
        return
    if room is not None and not is_place(file):
        yield f"src/{file}: not a file of one of the rooms {' '.join(ROOMS)}"
        return
    for quote, name in includes(path):
        if quote == "<":
            if name == "spark.h":
                yield f"src/{file}: includes the umbrella <spark.h>, not what it needs"
            continue
        other, other_family = room_of(name)
        if other not in ROOMS or not (src / name).is_file():
            yield f'src/{file}: "{name}" is not a file room/name.h below src'
        elif room is None:
            continue
        elif ROOMS.index(other) > ROOMS.index(room):
            yield f"src/{file}: {room} may not include {other} ({name})"
        elif not may_use_family(room, family, other, other_family):
            yield f"src/{file}: families of {other} know nothing of each other ({name})" \
                if other == "rdd" else f"src/{file}: may not include that family ({name})"


def check_public(include, path):
    """Complaints about one public header: it includes public headers and the library of C or C++."""
    for quote, name in includes(path):
        if quote == '"' or not PUBLIC_INCLUDES.fullmatch(name):
            yield f"include/{path.relative_to(include).as_posix()}: includes {name}"


def check_umbrella(include):
    """Complaints about headers that <spark.h> leaves out."""
    umbrella = include / "spark.h"
    named = {name for _, name in includes(umbrella)}
    wanted = {f"spark/{path.name}" for path in (include / "spark").glob("*.h")}
    wanted.add("spark/version.h")  # generated
    for name in sorted(wanted ^ named):
        yield f"include/spark.h: {name} is {'missing' if name in wanted else 'unknown'}"


def check_user(root, path):
    """Complaints about one example: it sees what a user sees."""
    for quote, name in includes(path):
        if quote == '"' and not (path.parent / name).is_file():
            yield f'{path.relative_to(root).as_posix()}: "{name}" is not public'
        if quote == "<" and name.startswith("spark/"):
            yield f"{path.relative_to(root).as_posix()}: users include <spark.h>"


def check(root):
    """All complaints, and how many files were read."""
    src, include = root / "src", root / "include"
    complaints, files = [], 0
    for path in sorted(src.rglob("*.[ch]")):
        complaints += check_source(src, path)
        files += 1
    for path in sorted(include.rglob("*.h")):
        complaints += check_public(include, path)
        files += 1
    complaints += check_umbrella(include)
    for path in sorted((root / "examples").rglob("*.[ch]")):
        complaints += check_user(root, path)
        files += 1
    return complaints, files


if __name__ == "__main__":
    report.finish("arch.layers", *check(Path(sys.argv[1])))
