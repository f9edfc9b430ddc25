# SPDX-License-Identifier: Apache-2.0
"""What all checks of this room share: collect complaints, print them, exit 1 when there are any."""
import subprocess
import sys


def finish(name, complaints, looked_at):
    """Ends the program. A check that looked at nothing has failed."""
    for line in complaints:
        print(f"{name}: {line}")
    if not looked_at:
        sys.exit(f"{name}: found nothing to look at")
    if complaints:
        sys.exit(f"{name}: {len(complaints)} complaint(s)")
    print(f"{name}: {looked_at} looked at, nothing to complain about")


def run(*command, text=None):
    """Output of a command that must succeed."""
    done = subprocess.run(command, input=text, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          universal_newlines=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit {done.returncode}\n{done.stderr}")
    return done.stdout
