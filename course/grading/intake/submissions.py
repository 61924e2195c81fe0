"""Reading what was handed in, without trusting any of it. Nothing in submitted/ is changed, and no link is followed."""

import difflib
import fnmatch
import glob
import os
import re
import stat
from dataclasses import dataclass, field

from nbgrader.utils import parse_utc

NOTEBOOK = 50 * 2**20
FILES = 64 * 2**20
MOST_FILES = 1000
TIMESTAMP = "timestamp.txt"


class Unreadable(Exception):
    """A file that cannot be graded. The message says why, in words that may follow its name."""


@dataclass
class Submission:
    """One student's folder, as far as it can be read.

    notebooks: {lesson: bytes}; files: {path: bytes}, everything beside the notebooks; reasons: {lesson: why it gets no points};
    missing: the lessons of which there is no trace, in a submission that has others; notes: what else an instructor may want to know.
    """

    student: str
    notebooks: dict = field(default_factory=dict)
    files: dict = field(default_factory=dict)
    reasons: dict = field(default_factory=dict)
    missing: set = field(default_factory=set)
    notes: list = field(default_factory=list)


def find_students(course, unit):
    """{student: folder} of everybody who has handed something in for a unit, in nbgrader's own layout."""

    def pattern(student, **how):
        return course.format_path(course.submitted_directory, student, unit, **how)

    matches = ((re.fullmatch(pattern("(?P<student>.*)", escape=True), folder), folder) for folder in sorted(glob.glob(pattern("*"))))
    return {match["student"]: folder for match, folder in matches if match}


def read_submission(student, folder, lessons, ignore):
    """The Submission in a student's folder. lessons: the notebooks of the unit; ignore: patterns of names to leave out."""
    submission = Submission(student)
    try:
        found = _walk(folder, ignore)
        if len(found) > MOST_FILES:
            submission.notes.append(f"holds more than {MOST_FILES} files: all but the notebooks was left out")
            found = {place: path for place, path in found.items() if place.casefold().endswith(".ipynb")}
    except Unreadable as error:
        submission.reasons = dict.fromkeys(lessons, f"the folder of the submission {error}")
        return submission
    for lesson in lessons:
        _take_notebook(submission, lesson, found.pop(f"{lesson}.ipynb", None), found)
    if not submission.notebooks and not submission.reasons:
        submission.reasons, submission.missing = dict.fromkeys(lessons, "no notebook was handed in"), set()
    _take_files(submission, found)
    return submission


def _take_notebook(submission, lesson, path, others):
    if path is None:
        alike = _misnamed(lesson, others)
        if alike:
            submission.reasons[lesson] = f"{lesson}.ipynb was not handed in. There is {alike!r}: if it is this lesson, give it its name"
        else:
            submission.missing.add(lesson)
        return
    try:
        submission.notebooks[lesson] = _read(path, NOTEBOOK, ". Clear its outputs and hand it in again")
    except Unreadable as error:
        submission.reasons[lesson] = f"{lesson}.ipynb {error}"


def _misnamed(lesson, others):
    """The notebook among other files that looks most like this lesson, or None."""
    names = {os.path.splitext(os.path.basename(place))[0].casefold(): place for place in others if place.casefold().endswith(".ipynb")}
    alike = [name for name in names if lesson.casefold() in name] or difflib.get_close_matches(lesson.casefold(), names, 1, 0.75)
    return names[alike[0]] if alike else None


def _take_files(submission, found):
    room = FILES
    for place, path in found.items():
        if place.casefold().endswith(".ipynb"):
            submission.notes.append(f"{place} is no notebook of this unit and was left out")
            continue
        try:
            data = _read(path, room)
            if place == TIMESTAMP:
                _check_timestamp(data)
        except Unreadable as error:
            submission.notes.append(f"{place} {error}; it was left out")
            continue
        submission.files[place] = data
        room -= len(data)


def _check_timestamp(data):
    try:
        if data.strip():
            parse_utc(data.decode().strip())
    except Exception:  # whatever dateutil makes of it; nbgrader stops at such a file
        raise Unreadable("holds no date and time") from None


def _walk(folder, ignore):
    """{path inside the folder: path} of all that is not ignored: files, links and whatever else is no folder.

    The folder itself is read to its end, for it holds the lessons; the folders in it only until there are too many files.
    """
    if any(os.path.islink(path) for path in (folder, os.path.dirname(folder))):
        raise Unreadable("is a symbolic link, and links are not followed")
    if not os.path.isdir(folder):
        raise Unreadable("is no folder")
    found, waiting = {}, [""]
    while waiting and len(found) <= MOST_FILES:
        inside = waiting.pop()
        for entry in _entries(os.path.join(folder, inside)):
            place = os.path.join(inside, entry.name)
            if any(fnmatch.fnmatch(entry.name, pattern) for pattern in ignore):
                continue
            if entry.is_dir(follow_symlinks=False) and not entry.name.endswith(".ipynb"):
                waiting.append(place)
            else:
                found[place] = entry.path
    return dict(sorted(found.items()))


def _entries(folder):
    try:
        with os.scandir(folder) as entries:
            return sorted((entry for entry in entries if _is_text(entry.name)), key=lambda entry: entry.name)
    except OSError as error:
        raise Unreadable(f"cannot be read: {error.strerror}") from None


def _is_text(name):
    """Names that are no text in UTF-8 can be neither shown nor sent anywhere."""
    return name.isascii() or name == name.encode("utf-8", "replace").decode()


def _read(path, most, advice=""):
    """The bytes of a regular file. What is opened is what is looked at, so that nothing can be swapped in between."""
    if os.path.islink(path):
        raise Unreadable("is a symbolic link, and links are not followed")
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
        with open(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise Unreadable("is no file")
            data = file.read(most + 1)
    except OSError as error:
        raise Unreadable(f"cannot be read: {error.strerror}") from None
    if len(data) > most:
        raise Unreadable(f"is larger than {most // 2**20} MB{advice}")
    return data
