#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The include table, for what is linked: no object uses a symbol that a room below its own defines,
nor one of another family of rdd, unless it is public or a header in rdd/ declares it.

usage: links.py ROOT NM OBJECT...     objects: <...>.dir/room/file.c.o
"""
import posixpath
import re
import sys
from pathlib import Path

import layers
import report

# Seen where the composition root ties the rooms together; of no room.
NO_ROOM = len(layers.ROOMS)


def source_of(path):
    """The source below src that an object was made of: room/file.c."""
    return re.sub(r"\.o(bj)?$", "", posixpath.normpath(str(path).split(".dir/")[-1]))


def read_symbols(path, nm):
    """Names an object defines for others, and names it wants."""
    defines, wants = set(), set()
    for line in report.run(nm, "-P", "-g", str(path)).splitlines():
        cells = line.split()
        if len(cells) >= 2 and len(cells[1]) == 1:
            (wants if cells[1] in "Uwv" else defines).add(cells[0])
    return defines, wants


def rank(source):
    """How far below base the room of a source is."""
    room, _ = layers.room_of(source)
    return layers.ROOMS.index(room) if room in layers.ROOMS else NO_ROOM


def shared_names(src):
    """What the headers of rdd/ and sql/ themselves declare."""
    headers = [path for room in layers.FAMILIES for path in (src / room).glob("*.h")]
    text = "".join(path.read_text(encoding="utf-8") for path in headers)
    return set(re.findall(r"\b(spk_\w+)\(", text))


def check_use(user, name, owner, shared):
    """Complaints about one symbol that `user` wants and `owner` defines."""
    if rank(owner) > rank(user):
        yield f"src/{user}: links {name}, which src/{owner} defines, below it"
        return
    room, family = layers.room_of(user)
    if name.startswith("spk_") and name not in shared \
            and not layers.may_use_family(room, family, *layers.room_of(owner)):
        yield f"src/{user}: links {name} of another family, which no shared header declares"


def check(root, nm, objects):
    """All complaints, and how many uses were looked at."""
    owners, wanted = {}, []
    for path in objects:
        source = source_of(path)
        defines, wants = read_symbols(path, nm)
        owners.update((name, source) for name in defines)
        wanted += [(source, name) for name in sorted(wants)]
    shared = shared_names(root / "src")
    uses = [(user, name, owners[name]) for user, name in wanted if name in owners]
    return [c for use in uses for c in check_use(*use, shared)], len(uses)


if __name__ == "__main__":
    report.finish("arch.links", *check(Path(sys.argv[1]), sys.argv[2], sys.argv[3:]))
