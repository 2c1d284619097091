"""Run as a script: PARENT_PID SIGNAL PROGRAM [ARG...]. Becomes PROGRAM, which gets SIGNAL when PARENT_PID dies.

A program of its own because Python code between fork and exec is not safe in a process with threads.
"""

import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1

if __name__ == "__main__":
    parent, number, argv = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)
    # If the parent died before prctl, no signal comes.
    if os.getppid() != parent:
        sys.exit(1)
    os.execvp(argv[0], argv)  # noqa: S606 no shell on purpose
