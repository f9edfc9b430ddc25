#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the archive shows to the linker, and what it wants from it.

- A global symbol is spark_... and declared in a public header, or spk_...
- What a public header declares is in the archive.
- No writable data but thread-locals, and what a signal handler reaches, for signals are of the
  process: state of the process is what tests trip over.
- Everything undefined comes from libc, libm, pthreads, and the compiler's own library (128 bits).
- Files, threads and memory are reached through base/sys.c alone, or a fault plan would miss calls.

usage: symbols.py ARCHIVE NM CC INCLUDE_DIR...
"""
import re
import subprocess
import sys
import tempfile
from collections import namedtuple
from pathlib import Path

import report

Symbol = namedtuple("Symbol", "member name kind type section")

WRITABLE = re.compile(r"\.(data|bss|tdata|tbss)(\.|$)|\*COM\*")
CONSTANT_AFTER_RELOCATION = re.compile(r"\.data\.rel\.ro(\.|$)")

OF_THE_PROCESS = {"spk_signal_state", "spk_crash_state"}

SYS = "sys.c.o"
THROUGH_SYS = re.compile(
    r"(open|openat|read|pread|write|pwrite|fsync|fdatasync|rename|unlink|unlinkat|rmdir|mkdir|mkdtemp"
    r"|mkostemp|pipe2|flock|opendir|readdir|stat|fstat|preadv|pwritev|ftruncate|fdopen|renameat2|syncfs)(64)?"
    r"|pthread_create|malloc|calloc|realloc|strdup|strndup|__strdup|__strndup")

SYSTEM_LIBRARIES = ["-nodefaultlibs", "-lc", "-lm", "-lpthread", "-lgcc"]


def read_symbols(archive, nm):
    """Symbols of all members; this format of nm has type and section, which the short one hides."""
    symbols, member = [], ""
    for line in report.run(nm, "--format=sysv", str(archive)).splitlines():
        heading = re.match(r"(?:Symbols|Undefined symbols) from (?:.*\[(.+)\]|(.+)):$", line)
        if heading:  # GNU: archive[member]; llvm: member
            member = heading[1] or heading[2]
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) == 7 and cells[0] != "Name":
            symbols.append(Symbol(member, cells[0], cells[2], cells[3], cells[6]))
    return symbols


def top_level_text(c):
    """Preprocessed C without what stands between braces."""
    out, depth = [], 0
    for char in c:
        depth -= char == "}"
        if depth == 0:
            out.append(char)
        depth += char == "{"
    return "".join(out)


def declared_names(includes, cc):
    """Functions and objects with external linkage that <spark.h> declares."""
    c = report.run(cc, "-std=c11", "-E", "-P", *[f"-I{i}" for i in includes], "-",
                   text="#include <spark.h>\n")
    c = re.sub(r"__attribute__\s*\(\((?:[^()]|\([^()]*\))*\)\)", " ", c)
    names = set()
    for statement in re.split(r"[;}]", top_level_text(c)):
        statement = statement.strip()
        if re.match(r"(static|typedef|_Static_assert)\b", statement):
            continue
        function = re.search(r"\b(spark_\w+)\s*\(", statement)
        if function:
            names.add(function[1])
        elif statement.startswith("extern"):
            names.update(re.findall(r"\b(spark_\w+)\s*(?:\[[^]]*\])?\s*(?:,|$)", statement))
    return names


def check_exports(symbols, declared):
    """Complaints about names of globals."""
    defined = {s.name: s for s in symbols if s.kind.isupper() and s.kind != "U"}
    for name in sorted(defined):
        where = defined[name].member
        if name.startswith("spark_"):
            if name not in declared:
                yield f"{name} ({where}): spark_ but in no public header"
        elif not name.startswith("spk_"):
            yield f"{name} ({where}): neither spark_ nor spk_"
    for name in sorted(declared - set(defined)):
        yield f"{name}: declared in a public header, not in the archive"


def check_data(symbols):
    """Complaints about writable data, static or not."""
    for s in symbols:
        if s.type == "TLS" or s.name in OF_THE_PROCESS or CONSTANT_AFTER_RELOCATION.match(s.section):
            continue
        if WRITABLE.match(s.section) or s.kind == "C":
            yield f"{s.name} ({s.member}): writable, in {s.section}"


def check_calls(symbols):
    """Complaints about calls that only base/sys.c makes."""
    for s in symbols:
        name = s.name.split("@")[0]
        if s.kind == "U" and s.member != SYS and THROUGH_SYS.fullmatch(name):
            yield f"{name} ({s.member}): not through spk_{name} of base/"


def check_wants(archive, cc):
    """Complaints about what libc, libm and pthreads do not have."""
    with tempfile.TemporaryDirectory() as directory:
        main = Path(directory) / "main.c"
        main.write_text("int main(void) { return 0; }\n")
        whole = ["-Wl,--whole-archive", str(archive), "-Wl,--no-whole-archive"]
        done = subprocess.run(
            [cc, "-o", str(main.with_suffix("")), str(main), *whole, *SYSTEM_LIBRARIES],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
    if done.returncode != 0:
        missing = sorted(set(re.findall(r"undefined reference to [`']([^']+)'", done.stdout)))
        for name in missing:
            yield f"{name}: not from libc, libm or pthreads"
        if not missing:
            yield f"does not link:\n{done.stdout}"


def check(archive, nm, cc, includes):
    """All complaints, and how many symbols were read."""
    symbols = read_symbols(archive, nm)
    declared = declared_names(includes, cc)
    complaints = [*check_exports(symbols, declared), *check_data(symbols),
                  *check_calls(symbols), *check_wants(archive, cc)]
    return complaints, len(symbols) if declared else 0


if __name__ == "__main__":
    report.finish("arch.symbols", *check(Path(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4:]))
