"""Reading what was handed in, without trusting any of it. Nothing in submitted/ is changed, and no link is followed.

Below submitted/ every folder and file is opened from the folder above it, which is open already: what is swapped for a link in the
meantime is a link that is not followed.
"""

import contextlib
import fnmatch
import os
import re
import stat
from dataclasses import dataclass, field

from course.grading import archive

from . import chosen, clean, timestamp
from .normal import Unreadable
from .unit import GradeError

NOTEBOOK = 50 * 2**20
FILES = 64 * 2**20
MOST_FILES, MOST_ENTRIES, MOST_DEPTH = 1000, 50_000, 20
"""Of one submission: files beside the notebooks, names that are looked at, and folders in folders."""
TIMESTAMP = "timestamp.txt"
OF_SYSTEMS = ("__MACOSX", "._*", ".DS_Store", "Thumbs.db", "desktop.ini")
"""What systems put beside somebody's files."""
FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0)
FILE = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
STUDENT = "\0student\0"
"""Stands for a student in a path: no name holds it."""
REPLACED = ".before"
"""In submitted/: where `course collect` keeps folders that newer ones have replaced."""
LINK = "is a symbolic link, and links are not followed"


@dataclass
class Found:
    """Who is in submitted/ for one unit. students: {student: folder}; lost: {student: why there can be no grade};
    others: {entry: why it is no submission of this unit}. Every entry is in one of the three. levels: how many folders of a path
    are the student's. loose: {student: folder} of those among the others in whose own folder the unit's lessons may lie."""

    levels: int = 1
    students: dict = field(default_factory=dict)
    lost: dict = field(default_factory=dict)
    others: dict = field(default_factory=dict)
    loose: dict = field(default_factory=dict)


@dataclass
class Submission:
    """One student's folder, as far as it can be read.

    notebooks: {lesson: bytes}; files: {path: bytes}, everything beside the notebooks; reasons: {lesson: why it gets no points};
    missing: the lessons of which there is no trace, in a submission that has others; notes: what else an instructor may want to know;
    lost: why there can be no grade, not even zero points: nobody could look; is_of_unit: whether any of its files is a lesson of the unit.
    """

    student: str
    notebooks: dict = field(default_factory=dict)
    files: dict = field(default_factory=dict)
    reasons: dict = field(default_factory=dict)
    missing: set = field(default_factory=set)
    notes: list = field(default_factory=list)
    lost: str = ""
    is_of_unit: bool = False


# Who


def find_students(course, unit, step=None):
    """What is Found in submitted/, in nbgrader's own layout, or in the folder of another step. Raises GradeError where it cannot be read."""
    before, _, after = course.format_path(step or course.submitted_directory, STUDENT, unit).partition(STUDENT)
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
        if not _wrong_name(student) and not stat.S_ISLNK(kind):
            found.loose[student] = path
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
        return "nbgrader generate_feedback makes no feedback page for a name with *, ? or [ in it: course feedback does"
    return ""


# What


def read_submission(student, folder, lessons, ignore, levels=2, faces=None):
    """The Submission in a student's folder. lessons: the notebooks of the unit; ignore: patterns of names to leave out; levels: how many of the
    last folders in `folder` are the student's, in which no link is followed; faces: what `which` knows the lessons by, or nothing: then by name."""
    submission = Submission(student)
    parts = os.path.normpath(folder).split(os.sep)
    try:
        base = os.open(os.sep.join(parts[:-levels]) or ".", os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
        with _closing(base), _folder(base, parts[-levels:]) as top:
            _read_all(submission, top, lessons, ignore, faces or {})
    except Unreadable as error:
        submission.reasons = dict.fromkeys(lessons, f"the folder of the submission {error}")
    except OSError as error:
        submission.lost = f"the folder of the submission cannot be read: {error.strerror}"
    return submission


def _read_all(submission, top, lessons, ignore, faces):
    found = _walk(top, lessons, [*ignore, *OF_SYSTEMS], submission.notes)
    if len(found) > MOST_FILES:
        submission.notes.append(f"holds more than {MOST_FILES} files: all but the notebooks was left out")
        found = [place for place in found if chosen.is_notebook(place)][:MOST_FILES]
    choice = chosen.Choice(lessons, faces)
    files, refused, exact = [], [], {f"{lesson}.ipynb" for lesson in lessons}
    for place in sorted(found, key=lambda place: (place not in exact, place)):  # where there are too many, these are looked at
        if chosen.is_notebook(place):
            choice.add(place, lambda place=place: _read(top, place, NOTEBOOK, ". Clear its outputs and hand it in again"))
        elif archive.IS_ZIP.search(place):
            _look_into(choice, submission, top, place, files, refused)
        else:
            files.append(place)
    choice.settle()
    submission.notebooks, submission.reasons, submission.missing = choice.notebooks, choice.reasons, choice.missing
    submission.notes += choice.notes
    submission.is_of_unit = bool(choice.taken)
    _explain_nothing(submission, choice, lessons, files, refused)
    _take_files(submission, top, files, choice)


def _look_into(choice, submission, top, place, files, refused):
    """A zip in a submission: its notebooks are looked at like others. One without a lesson is a file like any other."""
    try:
        found = archive.inside(_read(top, place, FILES))
    except (Unreadable, archive.Refused) as error:
        refused.append(f"{place} {error}")
        submission.notes.append(f"{place} {error}; it was left out")
        return
    refused += [f"{place} holds {name!r}, which {why}" for name, why in found.refused.items()]
    if choice.add_all([(f"{place}/{entry.name}", entry.read()) for entry in found.entries]):
        submission.notes += [f"{place}/{shown(name)} {why}; it was left out" for name, why in found.refused.items()]
    else:
        files.append(place)


def _explain_nothing(submission, choice, lessons, files, refused):
    """Why nothing of the unit was found, where nothing was, with the remedy; and where a lesson may be in an archive that is not read."""
    if submission.notebooks or submission.reasons:
        submission.reasons |= {lesson: f"{lesson}.ipynb was not handed in, and {refused[0]}" for lesson in submission.missing if refused}
        submission.missing -= set(submission.reasons)
        return
    packed = [place for place in files if archive.OTHERS.search(place)]
    reason = "no notebook was handed in"
    if choice.others:
        reason = f"no lesson of this unit was recognised. There is {choice.others[0].place!r}: if it is a lesson, give it its name, as {lessons[0]}.ipynb"
    elif refused:
        reason = f"no notebook was handed in: {refused[0]}"
    elif packed:
        reason = f"no notebook was handed in. There is {packed[0]!r}, which is not opened here: unpack it, or ask for a zip"
    submission.reasons, submission.missing = dict.fromkeys(lessons, reason), set()


def _take_files(submission, top, found, choice):
    room = FILES
    for place, read in [*choice.beside(), *((place, None) for place in found)]:
        try:
            if read is None and place.split(os.sep)[0] == TIMESTAMP:
                data = _timestamp(top, place)
            else:
                data = read() if read else _read(top, place, room)
            if len(data) > room:
                raise Unreadable(f"is larger than {room // 2**20} MB")
        except Unreadable as error:
            submission.notes.append(f"{place} {error}; it was left out")
            continue
        where = choice.where(place)
        if (data or place != TIMESTAMP) and _fits(where, submission.files):  # an empty timestamp says nothing
            submission.files[where] = data
        room -= len(data)


def _fits(place, files):
    """Is there no other file of this name, none that is a folder of it, and none in it? Two archives may hold the like."""
    return place not in files and not any(other.startswith(f"{place}/") or place.startswith(f"{other}/") for other in files)


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
