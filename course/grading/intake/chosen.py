"""Which of a student's files is which lesson, and which of two that are the same one."""

import difflib
import os
import re
from dataclasses import dataclass

from . import normal, which
from .normal import Unreadable

NOTEBOOK = re.compile(r"\.ipynb(?:\.(?:txt|json))?$", re.IGNORECASE)
"""Some browsers add an ending when they save."""
COPIES = re.compile(r"^copy[ _-]of[ _-]+|[ _-]*\(\d+\)$|[ _-]+copy(?:[ _-]*\(?\d*\)?)?$|[ _-]*\[\d+\]$", re.IGNORECASE)
"""What systems add to the name of a copy."""
MOST_NOTEBOOKS, ROOM = 100, 300 * 2**20
"""How many notebooks of one student are looked at, and how many bytes of them."""


def is_notebook(place):
    return NOTEBOOK.search(place) is not None


@dataclass
class Candidate:
    """A notebook file. lesson: which one it is, or None; trouble: why it cannot be read, or ""; work: see `which.work_in`."""

    place: str
    data: bytes | None = None
    lesson: str | None = None
    trouble: str = ""
    work: tuple = (0, 0)


class Choice:
    """Files are added, then it is settled. lessons: their names; faces: {lesson: which.Face}, or {} to go by exact names alone.

    notebooks: {lesson: bytes}; taken: {lesson: Candidate}; reasons, missing, notes: as of a Submission; others: the Candidates that are no lesson.
    """

    def __init__(self, lessons, faces):
        self.lessons, self.faces = lessons, faces
        self.candidates, self.loose, self.room = [], [], ROOM
        self.notebooks, self.taken, self.reasons, self.missing, self.notes, self.others = {}, {}, {}, set(), [], []

    def add(self, place, read):
        """Look at one file; read() gives its bytes, or raises Unreadable."""
        try:
            data = self._bounded(read())
        except Unreadable as error:
            self.candidates.append(Candidate(place, None, self._by_name(place), str(error)))
        else:
            self.candidates.append(self._candidate(place, data))

    def _bounded(self, data):
        """The bytes of one more notebook. Raises Unreadable where there is no more room for it."""
        self.room -= len(data)
        if len(self.candidates) >= MOST_NOTEBOOKS or self.room < 0:
            raise Unreadable(f"comes after {MOST_NOTEBOOKS} others, or {ROOM // 2**20} MB of them: hand in the notebooks of the unit alone")
        return data

    def add_all(self, found):
        """Look at the files of an archive, [(place, bytes)]. Returns whether a lesson is among them; if not, none of them counts."""
        mine = [self._candidate(place, data) for place, data in found if is_notebook(place)][:MOST_NOTEBOOKS]
        if not any(candidate.lesson for candidate in mine):
            return False
        self.candidates += mine
        self.loose += [(place, data) for place, data in found if not is_notebook(place)]
        return True

    def _candidate(self, place, data):
        try:
            raw = normal.load(data)
        except Unreadable as error:
            return Candidate(place, data, self._by_name(place), str(error))
        except MemoryError:
            return Candidate(place, None, self._by_name(place), "takes more memory to read than a notebook may")
        except (ValueError, RecursionError) as error:
            return Candidate(place, data, self._by_name(place), f"cannot be read as a notebook: {type(error).__name__}")
        lesson = which.lesson_of(raw, self.faces) or self._by_name(place)
        return Candidate(place, data, lesson, "", which.work_in(raw, self.faces[lesson]) if lesson in self.faces else (0, 0))

    def _by_name(self, place):
        """The lesson with this name, but for what systems add to a copy's; the very name alone where nobody knows the lessons."""
        if not self.faces:
            return next((lesson for lesson in self.lessons if place == f"{lesson}.ipynb"), None)
        name = NOTEBOOK.sub("", place.rsplit("/", 1)[-1])
        before = None
        while before != name:
            before, name = name, COPIES.sub("", name.strip())
        name = re.sub(r"[\s-]+", "_", name).casefold()
        return next((lesson for lesson in self.lessons if lesson.casefold() == name), None)

    def settle(self):
        """Give each lesson its notebook, or a reason."""
        for lesson in self.lessons:
            self._take(lesson, [candidate for candidate in self.candidates if candidate.lesson == lesson])
        self.others = [candidate for candidate in self.candidates if candidate.lesson is None]
        for lesson in [lesson for lesson in self.lessons if lesson in self.missing]:
            alike = self._alike(lesson)
            if alike:
                self.missing.discard(lesson)
                self.reasons[lesson] = f"{lesson}.ipynb was not handed in. There is {alike!r}: if it is this lesson, give it its name"

    def _take(self, lesson, mine):
        if not mine:
            self.missing.add(lesson)
            return
        best = max(mine, key=lambda each: (not each.trouble, each.work, each.place == f"{lesson}.ipynb", -each.place.count("/")))
        self.taken[lesson] = best
        if best.trouble:
            self.reasons[lesson] = f"{best.place} {best.trouble}"
            return
        self.notebooks[lesson] = best.data
        others = [each for each in mine if each is not best and each.data != best.data]
        if others:
            self.notes.append(_one_of(lesson, best, others))
        elif best.place != f"{lesson}.ipynb":
            self.notes.append(f"{best.place} was taken for {lesson}.ipynb")

    def _alike(self, lesson):
        """The notebook among those that nobody knows whose name looks most like this lesson's, or None."""
        names = {NOTEBOOK.sub("", os.path.basename(other.place)).casefold(): other.place for other in self.others}
        alike = [name for name in names if lesson.casefold() in name] or difflib.get_close_matches(lesson.casefold(), names, 1, 0.75)
        return names[alike[0]] if alike else None

    def beside(self):
        """(place, a function that gives its bytes) of the other files: the student's own notebooks, and what came in an archive with a lesson."""
        for other in self.others:
            yield other.place, lambda other=other: _content(other)
        for place, data in self.loose:
            yield place, lambda data=data: data

    def where(self, place):
        """Where a file lies for the lessons that are run: in their own folder, if they all came from one."""
        folders = {os.path.dirname(candidate.place) for candidate in self.taken.values()}
        base = f"{folders.pop()}/" if len(folders) == 1 else ""
        return place.removeprefix(base) if base != "/" else place


def _content(other):
    if other.data is None or other.trouble:
        raise Unreadable(other.trouble)
    return other.data


def _one_of(lesson, best, others):
    """What is said where two files are the same lesson."""
    told = ", ".join(f"{other.place} ({other.trouble or _worked(other)})" for other in others[:5])
    return f"{lesson} was handed in more than once: {best.place} was taken ({best.trouble or _worked(best)}), and not {told}"


def _worked(candidate):
    changed, more = candidate.work
    return f"{changed} answers written" + (f", {more} cells of its own" if more else "")
