"""Copies of the gradebook, one from before each run that writes to it: the last five lie beside it."""

import contextlib
import filecmp
import os
import shutil
import tempfile
import time
from pathlib import Path

from . import gradebook, removal

MOST = 5
MARK = ".before_"


def keep(db_url):
    """Copy a gradebook as it is now, by SQLite's own backup. Returns the file; None for a server's, whose copies are made there.

    Where nothing has changed since the last copy, that one is kept, so that five copies are five states. Raises sqlite3.Error, OSError.
    """
    file = file_of(db_url)
    if file is None:
        return None
    handle, new = tempfile.mkstemp(dir=file.parent, prefix=f"{file.name}.new_")
    os.close(handle)
    try:
        gradebook.copied(db_url, new)
        before = copies(db_url)
        if before and filecmp.cmp(before[-1], new, shallow=False):
            return before[-1]
        shutil.copymode(file, new)
        target = _name(file)
        os.replace(new, target)
    finally:
        removal.remove(new)
    for old in copies(db_url)[:-MOST]:
        with contextlib.suppress(OSError):
            old.unlink()
    return target


def copies(db_url):
    """The copies of a gradebook, the oldest first."""
    file = file_of(db_url)
    return sorted(each for each in file.parent.iterdir() if each.name.startswith(f"{file.name}{MARK}")) if file and file.parent.is_dir() else []


def way_back(db_url):
    """How to come back to a gradebook that can be used, in words."""
    file, kept = file_of(db_url), copies(db_url)
    if file is None:
        return "Put back a copy of it"
    release = f"move {file.name} away, and release the unit again: nbgrader generate_assignment"
    if not kept:
        return f"There is no copy of it beside it. Put back one of yours, or {release}"
    older = f" (older ones beside it: {len(kept) - 1})" if len(kept) > 1 else ""
    return (
        f"The state before the last run is kept in {kept[-1].name}{older}. Put it back: cp {kept[-1].name} {file.name}. "
        "What was run is kept in .course_grade: `course grade` then records it again, and runs nothing twice. "
        f"Where you want no copy back, {release}"
    )


def file_of(db_url):
    """The file of a gradebook, or None where a server has it."""
    return Path(db_url.removeprefix(gradebook.SQLITE)) if db_url.startswith(gradebook.SQLITE) else None


def _name(file):
    """A new name, in the order of time also within a second."""
    stamp, number = time.strftime("%Y-%m-%d_%H-%M-%S"), 0
    while (target := file.with_name(f"{file.name}{MARK}{stamp}{f'_{number}' if number else ''}")).exists():
        number += 1
    return target
