"""A control group of its own for each sandbox, where this machine gives one: how many processes and threads there are, and how much memory all of them have.

Limits of a process (`confine`) do not count root's threads. A control group does, whoever starts it. There are three ways to one: version 2 with its
controllers handed on, version 1, and systemd; the first that works is taken, and where none does the limits of a process are all there is.
"""

import contextlib
import functools
import os
import shutil
import subprocess
import time
import uuid
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
TASKS = 600
"""Processes and threads of a sandbox: those of one session, of the zygote, and of bubblewrap."""
BESIDE = 3 * 2**30
"""Bytes that the zygote has itself: torch and all that it has imported."""
PREFIX = "hidden-state-"
ENDING = 2.0


class Group:
    """Folders of one control group. Used as: join it in the new process, close it when that is over."""

    def __init__(self, folders):
        self.folders = folders

    def join(self):
        """In the new process, before the program starts. A controller that does not let it in limits nothing, and stops nothing."""
        for folder in self.folders:
            with contextlib.suppress(OSError):
                (folder / "cgroup.procs").write_text("0")

    def close(self):
        """Remove it, once all that was in it has ended."""
        until = time.monotonic() + ENDING
        for folder in self.folders:
            while folder.exists() and time.monotonic() < until:
                try:
                    folder.rmdir()
                except OSError:
                    time.sleep(0.02)


def new(memory):
    """A new Group for a sandbox whose sessions have so much memory, or None where this machine gives none."""
    name = f"{PREFIX}{os.getpid()}-{uuid.uuid4().hex[:8]}"
    limits = {"pids": {"pids.max": TASKS}, "memory": _memory(memory)}
    for place, _ in parents():
        _forget_killed(place)
    folders = [folder for place, controllers in parents() for folder in _made(place / name, {key: limits[key] for key in controllers})]
    return Group(folders) if folders else None


def _forget_killed(place):
    """Remove the groups of sandboxes whose grader was killed."""
    for left in place.glob(f"{PREFIX}*-*"):
        owner = left.name.removeprefix(PREFIX).split("-")[0]
        if owner.isdigit() and not os.path.exists(f"/proc/{owner}"):
            with contextlib.suppress(OSError):  # something is in it
                left.rmdir()


def _memory(memory):
    most = memory + BESIDE
    return {"memory.max": most, "memory.swap.max": 0, "memory.limit_in_bytes": most}


def _made(folder, limits):
    """[folder], made and limited, or []."""
    try:
        folder.mkdir()
        for files in limits.values():
            for file, most in files.items():
                if (folder / file).exists():
                    (folder / file).write_text(str(most))
        return [folder]
    except OSError:
        with contextlib.suppress(OSError):
            folder.rmdir()
        return []


@functools.cache
def parents():
    """[(a folder in which a group can be made, the controllers that it hands on)] of this machine, tried once."""
    found = []
    for place, controllers in _candidates():
        wanted = [name for name in controllers if name not in {each for _, taken in found for each in taken}]
        if wanted and _can_be_joined(place):
            found.append((place, tuple(wanted)))
    return tuple(found)


def _candidates():
    """Where a group could be made: beside this process's own group in version 2, and below it for each controller of version 1."""
    for line in Path("/proc/self/cgroup").read_text().splitlines() if os.path.exists("/proc/self/cgroup") else ():
        number, names, path = line.split(":", 2)
        if number == "0":
            for top in (ROOT, ROOT / "unified"):
                own = top / path.lstrip("/")
                for place in (own, own.parent) if own != top else (own,):
                    yield place, _handed_on(place)
        else:
            for name in {"pids", "memory"} & set(names.split(",")):
                own = ROOT / name / path.lstrip("/")
                yield own if own.is_dir() else ROOT / name, (name,)


def _handed_on(place):
    try:
        return tuple({"pids", "memory"} & set((place / "cgroup.subtree_control").read_text().split()))
    except OSError:
        return ()


def _can_be_joined(place):
    """Can a process that is started here enter a group that is made there?"""
    trial = place / f"{PREFIX}trial-{uuid.uuid4().hex[:8]}"
    try:
        trial.mkdir()
        return subprocess.run(["sh", "-c", 'echo 0 > "$0"', str(trial / "cgroup.procs")], capture_output=True).returncode == 0
    except OSError:
        return False
    finally:
        Group([trial]).close()


@functools.cache
def systemd():
    """The start of a command that systemd runs in a scope of its own, or (): asked only where no group can be made by hand."""
    if parents() or not shutil.which("systemd-run") or not os.path.isdir("/run/systemd/system"):
        return ()
    command = ("systemd-run", *(() if os.getuid() == 0 else ("--user",)), "--scope", "--quiet", "--collect")
    try:
        tried = subprocess.run([*command, "-p", f"TasksMax={TASKS}", "--", "true"], capture_output=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return command if tried.returncode == 0 else ()


def prefix(memory):
    """What to put before a command so that systemd limits it, or []."""
    return [*systemd(), "-p", f"TasksMax={TASKS}", "-p", f"MemoryMax={memory + BESIDE}", "--"] if systemd() else []


def in_words():
    """What holds on this machine."""
    if parents():
        return "; ".join(f"{' and '.join(controllers)} at {place}" for place, controllers in parents())
    if systemd():
        return "by systemd-run"
    if os.getuid() == 0:
        return f"none: a session may start as many threads as its memory allows, for root's are not counted. As another user it is {512} of them"
    return "none: each process has its own limits of memory and threads, and the system decides when the memory of the machine runs out"
