"""What tests wait for: an event, as long as a busy machine may need, and never a fixed time. And the processes that are this test's own."""

import ctypes
import os
import subprocess
import sys
import time

LONG = 300
"""Seconds after which a test gives up waiting. A machine that is busy with other things needs many; one that is idle waits for none."""


def until(happened, what, seconds=LONG):
    """Wait until happened() is true, and return what it gives. `what` says in the error what did not come."""
    ends = time.monotonic() + seconds
    while not (found := happened()):
        assert time.monotonic() < ends, f"not within {seconds} seconds: {what}"
        time.sleep(0.02)
    return found


class Family:
    """The processes that descend from this one, other than those that were there before.

    On Linux an orphan becomes a child of this process, not of the machine's first: what a killed program leaves is found
    here, and what other programs start is not.
    """

    def __init__(self):
        _adopt_orphans(True)
        self.before = set(_descendants())

    def left(self):
        """{pid: command line} of those that still run."""
        return {pid: command for pid, command in _descendants().items() if pid not in self.before}

    def ends(self, seconds=LONG):
        """Wait until none is left, and fail with the command lines of those that stay."""
        try:
            until(lambda: not self.left(), "the end of all processes", seconds)
        except AssertionError:
            raise AssertionError(self.left()) from None
        finally:
            _adopt_orphans(False)


def _adopt_orphans(yes):
    if sys.platform.startswith("linux"):
        PR_SET_CHILD_SUBREAPER = 36
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, int(yes), 0, 0, 0)


def is_running(pid):
    """Is there such a process, other than one that has ended and waits for its parent?"""
    return pid in _running()


def _running():
    """{pid: (its parent, command line)} of all processes that have not ended."""
    listing = subprocess.Popen(["ps", "-eo", "pid=,ppid=,stat=,args="], stdout=subprocess.PIPE, text=True, errors="replace")
    rows = [line.split(None, 3) for line in listing.communicate()[0].splitlines()]
    return {int(row[0]): (int(row[1]), " ".join(row[3:])[:300]) for row in rows if not row[2].startswith("Z") and int(row[0]) != listing.pid}


def _descendants():
    running, found = _running(), {}
    parents = {os.getpid()}
    while parents:
        children = {pid for pid, (parent, _) in running.items() if parent in parents} - set(found)
        found.update((pid, running[pid][1]) for pid in children)
        parents = children
    return found
