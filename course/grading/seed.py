"""The seed of the hidden cases: one whole number in a file that only the instructor has."""

import contextlib
import os
import secrets
import stat
import tempfile
from pathlib import Path

LARGEST, MOST = 2**40, 100
ROOT_MARK = "nbgrader_config.py"
FOLDER = ".course_grade"
"""In the course's folder: what is known of what has been run."""
SEED, SEED_VARIABLE = ".hidden_seed", "HIDDEN_STATE_SEED_FILE"
STUDENTS = {"submitted", "autograded", "feedback", "downloaded"}
"""Folders that hold what students wrote: a mark below one of them is nobody's course."""


class SeedError(Exception):
    """The hidden seed cannot be read or made. The message names the file and the remedy."""

    def _render_traceback_(self):
        return [f"SeedError: {self}"]


def hidden_seed():
    """The seed of this course, made on first use. Raises SeedError where it cannot be read or made."""
    file = seed_file()
    try:
        return _read(file)
    except FileNotFoundError:
        return _create(file)
    except OSError as error:
        raise SeedError(f"the seed of the hidden cases, {file}, cannot be read: {error.strerror}") from None


def seed_file():
    """$HIDDEN_STATE_SEED_FILE, or .hidden_seed; as seen from the course's root, the nearest folder upward with nbgrader_config.py."""
    chosen = os.environ.get(SEED_VARIABLE) or SEED
    if os.path.isabs(chosen):
        return Path(chosen)
    for folder in marked():
        return folder / chosen
    raise SeedError(
        f"{Path.cwd()} is in no course: neither it nor a folder above it holds {ROOT_MARK}. "
        "Grade inside the course's folder, or name a file in HIDDEN_STATE_SEED_FILE"
    )


def marked():
    """The folders upward from here that hold the course's mark, the nearest first; none that lies among what students wrote."""
    here = Path.cwd()
    return [folder for folder in (here, *here.parents) if (folder / ROOT_MARK).exists() and not STUDENTS.intersection(folder.parts)]


def _read(file):
    handle = os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))  # a pipe would be waited for
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise SeedError(f"the seed of the hidden cases, {file}, is no file. Move what is there away")
        text = os.read(handle, MOST).decode("ascii", "replace").strip()
    finally:
        os.close(handle)
    if not (text.isdigit() and 0 < int(text) <= LARGEST):
        raise SeedError(
            f"{file} should hold one whole number from 1 to {LARGEST}. Delete it, and a new one is made; grades given before were drawn from the old one"
        )
    return int(text)


def _create(file):
    """Make the file whole or not at all, and never replace one that a second grader has made in the meantime."""
    try:
        handle, new = tempfile.mkstemp(dir=file.parent, prefix=file.name)  # readable for its owner alone
        try:
            with open(handle, "w", encoding="ascii") as text:
                text.write(f"{secrets.randbelow(LARGEST) + 1}\n")
            if os.path.islink(file):
                raise SeedError(f"the seed of the hidden cases, {file}, is a link that leads to no file. Put the file in its place, or delete the link")
            with contextlib.suppress(FileExistsError):
                os.link(new, file)
        finally:
            os.unlink(new)
    except OSError as error:
        raise SeedError(
            f"the seed of the hidden cases cannot be written to {file}: {error.strerror}. Make the folder writable, or name a file in HIDDEN_STATE_SEED_FILE"
        ) from None
    return _read(file)
