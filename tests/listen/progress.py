#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The progress bar, as a terminal gets it.

usage: progress.py SCENES TEXT        SCENES: event_log_scenes"""
import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import tempfile
import termios

BAR = re.compile(r"\[Stage (\d+):(=*)(>?)( *)\((\d+) \+ (\d+)\) / (\d+)\]( [\d.]+/s, \d+ s left)?( *)")


def run(scenes, text, work, columns, width):
    """What the program writes to a terminal that is so many characters wide."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    env = {k: v for k, v in os.environ.items() if k != "COLUMNS"}
    if columns:
        env["COLUMNS"] = str(columns)
    program = subprocess.Popen([scenes, work, os.devnull, text, "bar"], stderr=slave, env=env)
    os.close(slave)
    out = b""
    while True:
        try:
            some = os.read(master, 65536)
        except OSError:  # nobody writes any more
            break
        if not some:
            break
        out += some
    os.close(master)
    assert program.wait() == 0
    return out.decode()


def check(out, width):
    before, counted, after = out.partition("counted\r\n")
    assert counted and after == "", (counted, after)
    lines = before.split("\r")
    assert lines[0] == "" and lines[-1] == "" and set(lines[-2]) == {" "}, lines
    drawn = lines[1:-2]
    assert drawn, "nothing was drawn"
    assert len(lines[-2]) >= max(len(line.rstrip()) for line in drawn), "something is left on the line"
    done = []
    for line in drawn:
        m = BAR.fullmatch(line)
        assert m, line
        assert len(line.rstrip()) <= width - 1, (len(line), width)
        assert int(m[7]) == 200 and 0 <= int(m[6]) <= 2, line
        bar = len(m[2]) + len(m[3]) + len(m[4])
        assert len(m[2]) == bar * int(m[5]) // 200, line
        done.append(int(m[5]))
    assert done == sorted(done) and done[0] > 0 and done[-1] <= 200, done


def main(scenes, text):
    with tempfile.TemporaryDirectory(prefix="progress-") as work:
        check(run(scenes, text, work, None, 100), 100)
        check(run(scenes, text, work, 50, 100), 50)
        quiet = subprocess.run([scenes, work, os.devnull, text, "bar"], capture_output=True, check=True)
        assert quiet.stderr == b"counted\n", quiet.stderr


if __name__ == "__main__":
    main(*sys.argv[1:])
