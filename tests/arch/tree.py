#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The tree: what stands at the top, the licence line of each source, no source that is not built.

usage: tree.py ROOT
"""
import re
import shutil
import subprocess
import sys
from pathlib import Path

import report

TOP_LEVEL = {"CMakeLists.txt", "include", "src", "tests", "examples", "README.md", "LICENSE"}
SPDX = {
    ".c": "/* SPDX-License-Identifier: Apache-2.0 */",
    ".h": "/* SPDX-License-Identifier: Apache-2.0 */",
    ".in": "/* SPDX-License-Identifier: Apache-2.0 */",
    ".cpp": "/* SPDX-License-Identifier: Apache-2.0 */",
    ".py": "# SPDX-License-Identifier: Apache-2.0",
    ".sh": "# SPDX-License-Identifier: Apache-2.0",
}


def project_files(root):
    """Files of the project: git's idea of them, else what is neither hidden nor built."""
    if shutil.which("git"):
        git = subprocess.run(["git", "-C", str(root), "ls-files", "-z", "--cached", "--others",
                              "--exclude-standard"],
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        if git.returncode == 0:
            names = git.stdout.decode().split("\0")
            return sorted({name for name in names if name and (root / name).exists()
                           and not is_built(root, name)})
    return sorted(walk(root, ""))


def is_built(root, name):
    """Whether a file lies in a build directory, whatever that is called."""
    return any((root / folder / "CMakeCache.txt").exists() for folder in list(Path(name).parents)[:-1])


def walk(root, below):
    """Files that are not hidden, nor in a build directory."""
    for path in (root / below).iterdir():
        name = below + path.name
        if path.name.startswith(".") or path.name == "__pycache__":
            continue
        if not path.is_dir():
            yield name
        elif not (path / "CMakeCache.txt").exists():
            yield from walk(root, name + "/")


def check_top(files):
    """Complaints about the top level: these names, all of them, and files with a leading dot."""
    names = {file.split("/")[0] for file in files}
    names = {name for name in names if not name.startswith(".")}
    for name in sorted(names - TOP_LEVEL):
        yield f"{name}: does not belong at the top level"
    for name in sorted(TOP_LEVEL - names):
        yield f"{name}: missing at the top level"


def check_licence(root, files):
    """Complaints about sources without their SPDX line, first or after #!."""
    for file in files:
        line = SPDX.get(Path(file).suffix)
        if line and line not in (root / file).read_text(encoding="utf-8").split("\n")[:2]:
            yield f"{file}: the first line is not {line}"


def check_listed(root, files):
    """Complaints about .c files that the next CMakeLists.txt above does not name."""
    for file in files:
        if not file.endswith(".c"):
            continue
        folder = next(p for p in Path(file).parents if (root / p / "CMakeLists.txt").is_file())
        text = (root / folder / "CMakeLists.txt").read_text(encoding="utf-8")
        name = Path(file).relative_to(folder).as_posix()
        test = re.fullmatch(r"(\w+)/test_(\w+)\.c", name)
        wanted = (rf"spark_test\({test[1]} {test[2]}\b" if test
                  else rf"(?<![\w/]){re.escape(name[:-2])}\b")
        if not re.search(wanted, text):
            yield f"{file}: {(folder / 'CMakeLists.txt').as_posix()} does not list it"


def check(root):
    """All complaints, and how many files were looked at."""
    files = project_files(root)
    complaints = [*check_top(files), *check_licence(root, files), *check_listed(root, files)]
    return complaints, len(files)


if __name__ == "__main__":
    report.finish("arch.tree", *check(Path(sys.argv[1])))
