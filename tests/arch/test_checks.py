#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The checks of this room can fail: each rule is broken once in a small tree and must be found.

usage: test_checks.py CC AR NM
"""
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import headers
import layers
import links
import symbols
import tree

CC, AR, NM = sys.argv[1:4]
SPDX = tree.SPDX[".c"] + "\n"


class Tree(unittest.TestCase):
    """A small project without complaints, to be spoiled."""

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.root = Path(directory.name)
        for name in ("README.md", "LICENSE", "CMakeLists.txt", "tests/CMakeLists.txt",
                     "examples/CMakeLists.txt"):
            self.write(name, "spark_test(base heap)\n", spdx="")
        self.write("src/CMakeLists.txt", "base/heap.c rdd/narrow/map.c context.c", spdx="")
        self.write("include/spark.h", "#include <spark/map.h>\n#include <spark/version.h>\n")
        self.write("include/spark/map.h", "#ifndef M\n#define M\nint spark_map(int x);\n#endif\n")
        self.write("generated/spark/version.h",
                   "#ifndef V\n#define V\nextern const int spark_v[1];\n#endif\n")
        self.write("src/base/heap.h", "int spk_heap(int x);\n")
        self.write("src/base/heap.c", '#include "base/heap.h"\nint spk_heap(int x) { return x; }\n')
        self.write("src/rdd/rdd.h", '#include "base/heap.h"\n')
        self.write("src/rdd/narrow/map.c", '#include <spark/map.h>\n#include "rdd/rdd.h"\n'
                   "_Thread_local int spk_last;\nextern const int spark_v[1];\nconst int spark_v[1] = { 1 };\n"
                   "extern const int *const spk_p;\nconst int *const spk_p = spark_v;\n"
                   "int spark_map(int x) { return spk_last + spk_heap(x); }\n")
        self.write("src/context.c", '#include "rdd/rdd.h"\n')
        self.write("tests/base/test_heap.c", "")
        self.write("examples/CMakeLists.txt", "pi", spdx="")
        self.write("examples/pi.c", "#include <spark.h>\n")

    def write(self, name, text, spdx=SPDX):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(spdx + text)

    def append(self, name, text):
        path = self.root / name
        path.write_text(path.read_text() + text)

    def expect(self, complaints, wanted):
        """Exactly one complaint, about `wanted`; none for None."""
        text = "\n".join(complaints)
        if wanted is None:
            self.assertEqual(text, "")
        else:
            self.assertEqual(len(complaints), 1, text)
            self.assertIn(wanted, text)


class Layers(Tree):
    def check(self, wanted):
        self.expect(layers.check(self.root)[0], wanted)

    def test_good(self):
        self.check(None)

    def test_upward_include(self):
        self.append("src/base/heap.c", '#include "rdd/rdd.h"\n')
        self.check("base may not include rdd")

    def test_family(self):
        self.write("src/rdd/narrow/map.h", "")
        self.append("src/rdd/narrow/map.c", '#include "rdd/narrow/map.h"\n')
        self.check(None)

    def test_family_in_another(self):
        self.write("src/rdd/narrow/map.h", "")
        self.write("src/rdd/action/save.c", '#include "rdd/narrow/map.h"\n')
        self.check("know nothing of each other")

    def test_family_in_what_is_shared(self):
        self.write("src/rdd/narrow/map.h", "")
        self.append("src/rdd/rdd.h", '#include "rdd/narrow/map.h"\n')
        self.check("know nothing of each other")

    def test_unknown_family(self):
        self.write("src/rdd/wide/x.c", "")
        self.check("not a file of one of the rooms")

    def test_relative_include(self):
        self.append("src/base/heap.c", '  #  include "heap.h"\n')
        self.check("not a file room/name.h")

    def test_unknown_room(self):
        self.write("src/util/x.c", "")
        self.check("not a file of one of the rooms")

    def test_second_root(self):
        self.write("src/main.c", "")
        self.check("outside the rooms")

    def test_umbrella_inside(self):
        self.append("src/base/heap.c", "#include <spark.h>\n")
        self.check("umbrella")

    def test_umbrella_forgets(self):
        self.write("include/spark/more.h", "")
        self.check("spark/more.h is missing")

    def test_public_header_wants_posix(self):
        self.append("include/spark/map.h", "#include <pthread.h>\n")
        self.check("includes pthread.h")

    def test_example_looks_inside(self):
        self.append("examples/pi.c", '#include "base/heap.h"\n')
        self.check("not public")


class TopLevel(Tree):
    def check(self, wanted):
        files = [f for f in tree.project_files(self.root) if not f.startswith("generated")]
        self.expect([*tree.check_top(files), *tree.check_licence(self.root, files),
                     *tree.check_listed(self.root, files)], wanted)

    def test_good(self):
        self.write(".ci/run", "")
        self.write("build/CMakeCache.txt", "")
        self.check(None)

    def test_build_of_any_name_under_git(self):
        subprocess.run(["git", "init", "-q", str(self.root)], check=True)
        self.write("out/CMakeCache.txt", "")
        self.write("out/deep/x.c", "", spdx="")
        self.check(None)

    def test_extra(self):
        self.write("docs/x.md", "")
        self.check("docs: does not belong")

    def test_missing(self):
        (self.root / "LICENSE").unlink()
        self.check("LICENSE: missing")

    def test_no_licence_line(self):
        self.write("src/base/heap.h", "", spdx="/* (c) me */\n")
        self.check("src/base/heap.h: the first line")

    def test_source_not_built(self):
        self.write("src/base/ap.c", "")
        self.check("src/base/ap.c: src/CMakeLists.txt")

    def test_test_not_run(self):
        self.write("tests/base/test_hea.c", "")
        self.check("tests/base/test_hea.c")


class Headers(Tree):
    def check(self, *wanted):
        found, _ = headers.check(self.root, self.root / "generated", ["-Wall"], [], [CC], [])
        self.assertEqual([line.split(":")[0] for line in found], [*wanted])

    def test_good(self):
        self.check()

    def test_not_alone(self):
        self.append("include/spark/map.h", "#ifndef N\n#define N\nextern size_t spark_n;\n#endif\n")
        self.check("spark.h", "spark/map.h")

    def test_not_twice(self):
        self.append("src/base/heap.h", "struct spk_x { int x; };\n")
        self.check("base/heap.h", "rdd/rdd.h")

    def test_warning(self):
        self.append("src/rdd/rdd.h", "static inline int spk_f(void) { int unused; return 1; }\n")
        self.check("rdd/rdd.h")


class Symbols(Tree):
    def check(self, wanted):
        objects = []
        for path in sorted((self.root / "src").rglob("*.c")):
            objects.append(str(path.with_suffix(".o")))
            subprocess.run([CC, "-std=c11", "-fPIC", "-D_GNU_SOURCE", f"-I{self.root / 'include'}",
                            f"-I{self.root / 'src'}", "-c", "-o", objects[-1], str(path)], check=True)
        archive = self.root / "lib.a"
        subprocess.run([AR, "rcs", str(archive), *objects], check=True)
        found, _ = symbols.check(archive, NM, CC, [self.root / "include", self.root / "generated"])
        self.expect(found, wanted)

    def test_good(self):
        self.check(None)

    def test_no_prefix(self):
        self.append("src/base/heap.c", "int heap_size(void) { return 1; }\n")
        self.check("heap_size (heap.o): neither")

    def test_call_of_the_system(self):
        self.append("src/base/heap.c", "int rmdir(const char *path);\n"
                                       "int spk_f(void) { return rmdir(\"a\"); }\n")
        self.check("rmdir (heap.o): not through spk_rmdir of base/")

    def test_hidden_verb(self):
        self.append("src/base/heap.c", "int spark_size(void) { return 1; }\n")
        self.check("spark_size (heap.o): spark_ but in no public header")

    def test_private_inline_in_header(self):
        self.append("include/spark/map.h", "#ifndef N\n#define N\nstatic inline int spark_n(void)"
                                           "{ return spark_map(2); }\n#endif\n")
        self.check(None)

    def test_declared_only(self):
        self.append("include/spark/map.h", "int spark_fold(int (*f)(int x));\n")
        self.check("spark_fold: declared")

    def test_global_variable(self):
        self.append("src/base/heap.c", "int spk_count;\n")
        self.check("spk_count (heap.o): writable")

    def test_static_variable(self):
        self.append("src/base/heap.c", "int spk_n(void) { static int n; return ++n; }\n")
        self.check("(heap.o): writable")

    def test_other_library(self):
        self.append("src/base/heap.c", "int deflate(int x);\nint spk_z(int x) { return deflate(x); }\n")
        self.check("deflate: not from libc")


class Links(Tree):
    def check(self, wanted):
        objects = []
        for path in sorted((self.root / "src").rglob("*.c")):
            name = path.relative_to(self.root / "src").as_posix() + ".o"
            objects.append(self.root / "spark.dir" / name)
            objects[-1].parent.mkdir(parents=True, exist_ok=True)
            subprocess.run([CC, "-std=c11", f"-I{self.root / 'include'}", f"-I{self.root / 'src'}",
                            "-c", "-o", str(objects[-1]), str(path)], check=True)
        self.expect(links.check(self.root, NM, objects)[0], wanted)

    def test_good(self):
        self.check(None)

    def test_room_below(self):
        self.append("src/base/heap.c", "int spark_map(int x);\n"
                                       "int spk_low(void) { return spark_map(1); }\n")
        self.check("src/base/heap.c: links spark_map, which src/rdd/narrow/map.c defines")

    def test_composition_root(self):
        self.append("src/context.c", "int spk_root(void) { return 1; }\n")
        self.append("src/rdd/narrow/map.c", "int spk_root(void);\n"
                                            "int spk_low(void) { return spk_root(); }\n")
        self.check("src/rdd/narrow/map.c: links spk_root")

    def other_family(self):
        self.append("src/rdd/narrow/map.c", "int spk_own(void) { return 1; }\n")
        self.write("src/rdd/action/save.c", "int spk_own(void);\n"
                                            "int spk_save(void) { return spk_own(); }\n")

    def test_other_family(self):
        self.other_family()
        self.check("src/rdd/action/save.c: links spk_own of another family")

    def test_other_family_declared(self):
        self.other_family()
        self.write("src/rdd/narrow.h", "int spk_own(void);\n")
        self.check(None)

    def test_other_family_public(self):
        self.write("src/rdd/action/save.c", "int spark_map(int x);\n"
                                            "int spk_save(void) { return spark_map(1); }\n")
        self.check(None)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
