"""Reading what was handed in, without trusting any of it. Nothing in submitted/ is changed, and no link is followed.

Below submitted/ every folder and file is opened from the folder above it, which is open already: what is swapped for a link in the
meantime is a link that is not followed.
"""

import contextlib
import difflib
import fnmatch
import os
import re
import stat
from dataclasses import dataclass, field

from . import clean, timestamp
from .unit import GradeError

NOTEBOOK = 50 * 2**20
FILES = 64 * 2**20
MOST_FILES, MOST_ENTRIES, MOST_DEPTH = 1000, 50_000, 20
"""Of one submission: files beside the notebooks, names that are looked at, and folders in folders."""
TIMESTAMP = "timestamp.txt"
FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0)
FILE = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
STUDENT = "\0student\0"
"""Stands for a student in a path: no name holds it."""
REPLACED = ".before"
"""In submitted/: where `course collect` keeps folders that newer ones have replaced."""
LINK = "is a symbolic link, and links are not followed"


class Unreadable(Exception):
    """A file that cannot be graded. The message says why, in words that may follow its name."""


@dataclass
class Found:
    """Who is in submitted/ for one unit. students: {student: folder}; lost: {student: why there can be no grade};
    others: {entry: why it is no submission of this unit}. Every entry is in one of the three. levels: how many folders of a path
    are the student's."""

    levels: int = 1
    students: dict = field(default_factory=dict)
    lost: dict = field(default_factory=dict)
    others: dict = field(default_factory=dict)


@dataclass
class Submission:
    """One student's folder, as far as it can be read.

    notebooks: {lesson: bytes}; files: {path: bytes}, everything beside the notebooks; reasons: {lesson: why it gets no points};
    missing: the lessons of which there is no trace, in a submission that has others; notes: what else an instructor may want to know;
    lost: why there can be no grade, not even zero points: nobody could look.
    """

    student: str
    notebooks: dict = field(default_factory=dict)
    files: dict = field(default_factory=dict)
    reasons: dict = field(default_factory=dict)
    missing: set = field(default_factory=set)
    notes: list = field(default_factory=list)
    lost: str = ""


# Who


def find_students(course, unit):
    """What is Found in submitted/, in nbgrader's own layout. Raises GradeError where it cannot be read."""
    before, _, after = course.format_path(course.submitted_directory, STUDENT, unit).partition(STUDENT)
    base, prefix = os.path.split(before)
    suffix, _, inside = after.partition(os.sep)
    found = Found(1 + len(inside.split(os.sep)) if inside else 1)
    try:
        top = os.open(base, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))  # the instructor's own: it may be a link
    except FileNotFoundError:
        return found
    except OSError as error:
        raise GradeError(f"{base} cannot be read: {error.strerror}") from None
    with _closing(top):
        for name in sorted(os.listdir(top)):
            if name != REPLACED and name.startswith(prefix) and name.endswith(suffix) and len(name) > len(prefix) + len(suffix):
                _sort_in(found, name[len(prefix) : len(name) - len(suffix)], os.path.join(base, name), top, name, inside)
    return found


def _sort_in(found, student, path, top, name, inside):
    """Put one entry of submitted/ where it belongs. inside: the unit's folder in it, or ""."""
    try:
        kind = os.stat(name, dir_fd=top, follow_symlinks=False).st_mode
        if not stat.S_ISDIR(kind) and not (stat.S_ISLNK(kind) and os.path.isdir(path)):
            found.others[student] = "is no folder"
            return
        if inside and not stat.S_ISLNK(kind):
            with _folder(top, (name,)) as folder:
                os.stat(inside.split(os.sep)[0], dir_fd=folder, follow_symlinks=False)
        elif inside and not os.path.exists(os.path.join(path, inside)):
            raise FileNotFoundError
    except FileNotFoundError:
        found.others[student] = f"holds no folder {inside}"
    except OSError as error:
        found.lost[student] = f"its folder in submitted/ cannot be read: {error.strerror}"
    else:
        wrong = _wrong_name(student)
        if wrong:
            found.lost[student] = f"{wrong}. Rename its folder in submitted/ and grade again"
        else:
            found.students[student] = os.path.join(path, inside) if inside else path


def _wrong_name(student):
    """Why nbgrader cannot keep a student of this name, or its pages cannot show it; or ""."""
    if not _is_text(student):
        return "its name is not text in UTF-8"
    if "\n" in student:
        return "its name goes over more than one line"
    if student.startswith("."):
        return "its name begins with a dot, and nbgrader looks at no such folder"
    return clean.wrong_id(student)


def odd_name(student):
    """What an instructor may want to know of a student's name, or ""."""
    if student != student.strip():
        return "the name of this student's folder begins or ends with a space"
    if re.search(r"[*?[]", student):
        return "nbgrader makes no feedback page for a name with *, ? or [ in it: rename the folder in submitted/ to get one"
    return ""


# What


def read_submission(student, folder, lessons, ignore, levels=2):
    """The Submission in a student's folder. lessons: the notebooks of the unit; ignore: patterns of names to leave out;
    levels: how many of the last folders in `folder` are the student's, in which no link is followed."""
    submission = Submission(student)
    parts = os.path.normpath(folder).split(os.sep)
    try:
        base = os.open(os.sep.join(parts[:-levels]) or ".", os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
        with _closing(base), _folder(base, parts[-levels:]) as top:
            _read_all(submission, top, lessons, ignore)
    except Unreadable as error:
        submission.reasons = dict.fromkeys(lessons, f"the folder of the submission {error}")
    except OSError as error:
        submission.lost = f"the folder of the submission cannot be read: {error.strerror}"
    return submission


def _read_all(submission, top, lessons, ignore):
    found = _walk(top, lessons, ignore, submission.notes)
    if len(found) > MOST_FILES:
        submission.notes.append(f"holds more than {MOST_FILES} files: all but the notebooks was left out")
        found = [place for place in found if place.casefold().endswith(".ipynb")][:MOST_FILES]
    for lesson in lessons:
        _take_notebook(submission, lesson, top, found)
    if not submission.notebooks and not submission.reasons:
        submission.reasons, submission.missing = dict.fromkeys(lessons, "no notebook was handed in"), set()
    _take_files(submission, top, [place for place in found if place not in {f"{lesson}.ipynb" for lesson in lessons}])


def _take_notebook(submission, lesson, top, found):
    name = f"{lesson}.ipynb"
    if not _is_there(top, name):
        alike = _misnamed(lesson, [place for place in found if place != name])
        if alike:
            submission.reasons[lesson] = f"{name} was not handed in. There is {alike!r}: if it is this lesson, give it its name"
        else:
            submission.missing.add(lesson)
        return
    try:
        submission.notebooks[lesson] = _read(top, name, NOTEBOOK, ". Clear its outputs and hand it in again")
    except Unreadable as error:
        submission.reasons[lesson] = f"{name} {error}"


def _is_there(top, name):
    try:
        os.stat(name, dir_fd=top, follow_symlinks=False)
        return True
    except FileNotFoundError:
        return False
    except OSError:  # the folder may be listed, but not entered: `_read` says why
        return True


def _misnamed(lesson, others):
    """The notebook among other files that looks most like this lesson, or None."""
    names = {os.path.splitext(os.path.basename(place))[0].casefold(): place for place in others if place.casefold().endswith(".ipynb")}
    alike = [name for name in names if lesson.casefold() in name] or difflib.get_close_matches(lesson.casefold(), names, 1, 0.75)
    return names[alike[0]] if alike else None


def _take_files(submission, top, found):
    room = FILES
    for place in found:
        if place.casefold().endswith(".ipynb"):
            submission.notes.append(f"{place} is no notebook of this unit and was left out")
            continue
        try:
            data = _timestamp(top, place) if place.split(os.sep)[0] == TIMESTAMP else _read(top, place, room)
        except Unreadable as error:
            submission.notes.append(f"{place} {error}; it was left out")
            continue
        if data or place != TIMESTAMP:  # an empty timestamp says nothing
            submission.files[place] = data
        room -= len(data)


def _timestamp(top, place):
    if place != TIMESTAMP:
        raise Unreadable(f"lies in a folder called {TIMESTAMP}, which is the name of a file of nbgrader's")
    try:
        return timestamp.normal(_read(top, place, timestamp.MOST, whole=False))
    except ValueError:
        raise Unreadable("holds no date and time, as 2026-11-22 10:30:00 UTC") from None


def _walk(top, lessons, ignore, notes):
    """The places of all that is not ignored, sorted: files, links and whatever else is no folder. Breadth first, and no further than the bounds."""
    found, waiting, seen = [], [()], 0
    while waiting and len(found) <= MOST_FILES and seen <= MOST_ENTRIES:
        parts = waiting.pop(0)
        try:
            for name, is_folder in _entries(top, parts, MOST_ENTRIES - seen):
                seen += 1
                place = os.path.join(*parts, name)
                if any(fnmatch.fnmatch(name, pattern) for pattern in ignore):
                    continue
                if not _is_text(name):
                    notes.append(f"{shown(place)} has a name that is not text in UTF-8; it was left out")
                elif not is_folder or name.endswith(".ipynb"):
                    found.append(place)
                elif len(parts) == MOST_DEPTH:
                    notes.append(f"holds more than {MOST_DEPTH} folders in each other: what lies deeper was left out")
                else:
                    waiting.append((*parts, name))
        except OSError as error:
            if not parts:
                raise
            notes.append(f"{os.path.join(*parts)} cannot be read: {error.strerror}; it was left out")
    if seen > MOST_ENTRIES:
        notes.append(f"holds more than {MOST_ENTRIES} files and folders: the rest was left out")
    del notes[MOST_FILES:]
    return sorted(found)


def _entries(top, parts, most):
    """(name, whether it is a folder) of what lies in a folder, by name; of no more than one above `most`."""
    with _folder(top, parts) as folder, os.scandir(folder) as entries:
        found = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry, _ in zip(entries, range(most + 1))]
    return sorted(found)


def _is_text(name):
    """Names that are no text in UTF-8 can be neither shown nor sent anywhere."""
    return name.isascii() or name == name.encode("utf-8", "replace").decode()


def shown(name):
    """A name as it can be printed on one line, whatever it is made of."""
    text = os.fsencode(name).decode("utf-8", "backslashreplace")
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


# Opening


@contextlib.contextmanager
def _closing(handle):
    try:
        yield handle
    finally:
        os.close(handle)


@contextlib.contextmanager
def _folder(top, parts):
    """The folder at these names below an open one, opened step by step, no link among them. Raises Unreadable for what is no folder, OSError."""
    handle = os.dup(top)
    try:
        for part in parts:
            following = _opened(part, FOLDER, handle)
            os.close(handle)
            handle = following
        yield handle
    finally:
        os.close(handle)


def _opened(name, how, folder):
    try:
        return os.open(name, how, dir_fd=folder)
    except OSError as error:
        with contextlib.suppress(OSError):
            kind = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
            if stat.S_ISLNK(kind):
                raise Unreadable(LINK) from None
            if how == FOLDER and not stat.S_ISDIR(kind):
                raise Unreadable("is no folder") from None
        raise error


def _read(top, place, most, advice="", whole=True):
    """The bytes of a regular file below an open folder. What is opened is what is looked at, so that nothing can be swapped in between.

    whole=False: one byte more than `most` where there are more, instead of an error.
    """
    *parts, name = place.split(os.sep)
    try:
        with _folder(top, parts) as folder, _closing(_opened(name, FILE, folder)) as handle:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise Unreadable("is no file")
            with open(handle, "rb", closefd=False) as file:
                data = file.read(most + 1)
    except OSError as error:
        raise Unreadable(f"cannot be read: {error.strerror}") from None
    if whole and len(data) > most:
        raise Unreadable(f"is larger than {most // 2**20} MB{advice}")
    return data
