#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each header compiles alone and twice: public ones as C11 and C++17, private ones as C11.

usage: headers.py ROOT GENERATED_INCLUDE_DIR C_WARNINGS CXX_WARNINGS C_COMPILERS CXX_COMPILERS
       (the last four: lists with commas; all warnings are errors)
"""
import subprocess
import sys
import tempfile
from pathlib import Path

import report


def try_compile(compiler, flags, source):
    """The compiler's complaint, or None."""
    done = subprocess.run([compiler, *flags, "-c", "-o", "/dev/null", str(source)],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
    return done.stdout if done.returncode != 0 else None


def check_header(work, name, includes, compilers, flags, suffix):
    """Complaints about one header in one language."""
    source = work / f"header{suffix}"
    source.write_text(f"#include <{name}>\n#include <{name}>\nint not_empty_;\n")
    for compiler in compilers:
        found = try_compile(compiler, [*flags, *includes], source)
        if found:
            yield f"{name}: {compiler} {flags[0]}:\n{found}"


def check(root, generated, c_warnings, cxx_warnings, c_compilers, cxx_compilers):
    """All complaints, and how many headers were compiled."""
    public = sorted(path.relative_to(top).as_posix() for top in (root / "include", generated)
                    for path in top.rglob("*.h"))
    src = root / "src"
    private = sorted(path.relative_to(src).as_posix() for path in src.rglob("*.h"))
    includes = [f"-I{root / 'include'}", f"-I{generated}"]
    c_flags = ["-std=c11", "-O1", "-Werror", *c_warnings]
    cxx_flags = ["-std=c++17", "-O1", "-Werror", *cxx_warnings]
    complaints = []
    with tempfile.TemporaryDirectory() as directory:
        work = Path(directory)
        for name in public:
            complaints += check_header(work, name, includes, c_compilers, c_flags, ".c")
            complaints += check_header(work, name, includes, cxx_compilers, cxx_flags, ".cpp")
        for name in private:
            complaints += check_header(work, name, [*includes, f"-I{src}", "-D_GNU_SOURCE"],
                                       c_compilers, c_flags, ".c")
    return complaints, len(public) + len(private)


if __name__ == "__main__":
    ROOT, GENERATED, *LISTS = sys.argv[1:]
    report.finish("arch.headers", *check(Path(ROOT), Path(GENERATED), *[
        [word for word in words.split(",") if word] for words in LISTS]))
