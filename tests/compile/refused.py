#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The compiler refuses each wrong program of wrong.c for the right reason, and takes the right one.

usage: refused.py WRONG_C WARNINGS CC FLAG...
       WARNINGS: separated by commas, for the right program
       FLAG: include directories and what the CMake target exports
"""
import re
import subprocess
import sys
from collections import namedtuple

Case = namedtuple("Case", "name first last pattern flags")

HEADING = re.compile(r"#ifdef (WRONG_\w+) /\* (?:\w+: )?(.*?)(?: \[(.*)\])? \*/")

# gcc names the header's line as the error and ours in a note, clang the other way round.
PLACE = "(?:(?:fatal )?error|note: in expansion of macro)"


def read_cases(source):
    """The #ifdef blocks of the file, with their line numbers."""
    cases, open_case = [], None
    for number, line in enumerate(source.splitlines(), start=1):
        heading = HEADING.fullmatch(line)
        if heading:
            open_case = Case(heading[1], number, None, heading[2], (heading[3] or "").split())
        elif line.startswith("#ifdef"):
            sys.exit(f"line {number}: an #ifdef without its expectation")
        elif open_case and line.startswith(("#else", "#endif")):
            cases.append(open_case._replace(last=number))
            open_case = None
    return cases


def compile_file(path, cc, flags):
    """Exit status and messages."""
    fixed = ["-std=c11", "-O2", "-fno-diagnostics-color", "-c", "-o", "/dev/null"]
    done = subprocess.run([cc, *fixed, *flags, path],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
    return done.returncode, done.stdout


def judge(case, path, cc, flags):
    """What is wrong with the refusal of one case; None if nothing."""
    status, text = compile_file(path, cc, [*flags, *case.flags, f"-D{case.name}"])
    if status == 0:
        return "is accepted"
    places = re.findall(rf"{re.escape(path)}:(\d+):\d+: {PLACE}", text)
    if not places or any(not case.first < int(line) < case.last for line in places):
        return f"is refused, but not in its lines {case.first} to {case.last}:\n{text}"
    if "no type of elements" in case.pattern and (len(re.findall(r"\berror:", text)) != 1
                                                  or text.count("\n") > 70):
        return f"is refused at too great a length:\n{text}"
    if not re.search(case.pattern, text):
        return f"is refused for another reason than /{case.pattern}/:\n{text}"
    return None


def main(path, warnings, cc, flags):
    with open(path, encoding="utf-8") as file:
        cases = read_cases(file.read())
    status, text = compile_file(path, cc, [*flags, *warnings.split(","), "-Werror"])
    failures = [f"the right program is refused:\n{text}"] if status != 0 else []
    for case in cases:
        found = judge(case, path, cc, flags)
        print(f"{case.name}: {'WRONG' if found else 'refused'}")
        if found:
            failures.append(f"{case.name} {found}")
    if failures or not cases:
        sys.exit("\n".join(failures) or "no cases found")
    print(f"{cc}: {len(cases)} wrong programs refused")


if __name__ == "__main__":
    main(*sys.argv[1:4], sys.argv[4:])
