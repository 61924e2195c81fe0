"""Removing folders that somebody else has filled: however deep they are, and whatever may not be entered."""

import contextlib
import itertools
import os
import stat
import uuid
from pathlib import Path

ASIDE = ".aside-"


def remove(folder):
    """Remove a file or a folder with all that is in it, as far as that is possible. Follows no link, and recurses into nothing.

    Folders in folders are first moved up into `folder` itself: so no path is ever long.
    """
    with contextlib.suppress(OSError):
        if not stat.S_ISDIR(os.lstat(folder).st_mode):
            os.unlink(folder)
            return
        _empty(folder)
        os.rmdir(folder)


def _empty(folder):
    names = (f"moved-{number}-{uuid.uuid4().hex}" for number in itertools.count())
    waiting = [""]
    while waiting:
        inside = os.path.join(folder, waiting.pop())
        with contextlib.suppress(OSError):
            os.chmod(inside, 0o700)
        with contextlib.suppress(OSError), os.scandir(inside) as entries:
            for entry in list(entries):  # all of them before the first is moved
                waiting += _without(entry, folder, names)
        if inside != os.path.join(folder, ""):
            with contextlib.suppress(OSError):
                os.rmdir(inside)


def _without(entry, folder, names):
    """Remove what is no folder; move a folder to the top. Returns the names of what is to be emptied there."""
    with contextlib.suppress(OSError):
        if not entry.is_dir(follow_symlinks=False):
            os.unlink(entry.path)
            return []
        with contextlib.suppress(OSError):
            os.chmod(entry.path, 0o700)
        name = next(names)
        os.rename(entry.path, os.path.join(folder, name))
        return [name]
    return []


def put_aside(folder):
    """Take a folder of a run before out of the way, so that it is never read, and remove it where that is possible. Raises OSError where it stays."""
    folder = Path(folder)
    if folder.is_symlink() or folder.exists():
        os.rename(folder, folder.with_name(f"{ASIDE}{uuid.uuid4().hex}"))
    if folder.parent.is_dir():
        for left in folder.parent.glob(f"{ASIDE}*"):
            remove(left)
