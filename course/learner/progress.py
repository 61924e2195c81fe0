"""What a learner has done, kept between visits in one JSON file in the user's own data folder.

The file is `$HIDDEN_STATE_PROGRESS`, or progress.json in the platform's data folder for "hidden-state".
`HIDDEN_STATE_PROGRESS=off` keeps it in memory only, and so does a run under nbgrader.
"""

import html
import inspect
import json
import os
import tempfile
from pathlib import Path

import platformdirs

from course.pictures.tables import Rows

MANY_MISSES = 2
"""After so many wrong tries a passed item is worth another look."""
LESSONS = Path(__file__).with_name("lessons.json")
KINDS = ("exercises", "answers", "misses")
_in_memory = {kind: {} for kind in KINDS}


def lessons():
    """{unit: [lesson, …]} as `course.build` found it in the sources: titles, minutes, and the graded items with points."""
    return json.loads(LESSONS.read_text(encoding="utf-8"))


def path():
    """Where the progress is kept, or None where it is kept in memory."""
    chosen = os.environ.get("HIDDEN_STATE_PROGRESS", "")
    if chosen == "off" or "NBGRADER_EXECUTION" in os.environ:
        return None
    return Path(chosen) if chosen else Path(platformdirs.user_data_dir("hidden-state")) / "progress.json"


def load():
    """The progress so far: {"exercises": {name: source}, "answers": {"lesson/number": True}, "misses": {either: how often}}.

    A file that is broken is moved aside, never deleted, and a sentence says where it went.
    """
    file = path()
    return _in_memory if file is None else _read(file) or _nothing()


def _nothing():
    return {kind: {} for kind in KINDS}


def _read(file):
    """The progress in a file; nothing where there is none or a broken one; None where it may not be read."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        return {**_nothing(), "exercises": dict(found["exercises"]), "answers": dict(found["answers"]), "misses": dict(found.get("misses", {}))}
    except FileNotFoundError:
        pass
    except OSError as error:
        print(f"Your progress file {file} cannot be read ({error.strerror}). Nothing is noted until that is mended.")
        return None
    except (ValueError, KeyError, TypeError):
        aside = _free_name(file)
        file.replace(aside)
        print(f"Your progress file {file} is broken. It is kept as {aside.name}; run your check cells again to fill a new one.")
    return _nothing()


def note_exercise(name, answer):
    """Note a passed exercise with the source of the learner's function, for lesson 06 to use."""
    try:
        source = inspect.getsource(answer)
    except (OSError, TypeError):
        source = ""
    _note("exercises", name, lambda before: source)


def note_miss(item):
    """Note that an exercise (its name) or a question ("lesson/number") was tried and was not right."""
    _note("misses", item, lambda before: (before or 0) + 1)


def note_answer(lesson, number):
    """Note a question that was answered rightly."""
    _note("answers", f"{lesson}/{number}", lambda before: True)


# Where a learner stands


def my_progress(lesson=None):
    """Print what is done and what is left: in one lesson, and in its unit. Without a lesson: in all units.

    Raises ValueError for an unknown lesson.
    """
    done, units = load(), lessons()
    known = [entry["lesson"] for entries in units.values() for entry in entries]
    if lesson is not None and lesson not in known:
        raise ValueError(f"there is no lesson {lesson!r}. The lessons are {', '.join(known)}.")
    for unit, entries in units.items():
        here = [entry for entry in entries if entry["lesson"] == lesson]
        if here:
            _print_lesson(here[0], done)
        if lesson is None or here:
            print(my_unit(unit))


def my_unit(unit):
    """A table of one unit: each lesson with its minutes, the points so far, and what is left. Raises ValueError for an unknown unit."""
    done, units = load(), lessons()
    if unit not in units:
        raise ValueError(f"there is no unit {unit!r}. The units are {', '.join(units)}.")
    entries = units[unit]
    finished = sum(not _left(entry, done) for entry in entries)
    rows = [(e["lesson"], f"{e['minutes']} min", _share(e, done), ", ".join(map(_named, _left(e, done))) or "done") for e in entries]
    return Rows(f"Unit {unit}: {finished} of {len(entries)} lessons done", ("Lesson", "Time", "Points", "Left to do"), rows)


def my_course(student=""):
    """The whole course on one card: points of each lesson, and what to revisit, because it is left or took several tries.

    student: a name for its head. Shows itself in a notebook and as text.
    """
    return CourseCard(str(student), load(), [entry for entries in lessons().values() for entry in entries])


class CourseCard:
    """What a learner has done in the whole course. title, summary: text; table: the lessons as Rows."""

    def __init__(self, student, done, entries):
        got, of = (sum(points(entry, done) for entry in entries) for points in (_got, _of))
        finished = sum(not _left(entry, done) for entry in entries)
        self.title = "Hidden State" + (f" · {student}" if student else "")
        self.summary = f"{finished} of {len(entries)} lessons, {got:g} of {_points(of)} from checks and questions."
        if finished == len(entries):
            self.summary += " You have finished the course."
        rows = [(f"{e['lesson'][:2].lstrip('0')} · {e['title']}", _share(e, done), _revisit(e, done)) for e in entries]
        self.table = Rows("", ("Lesson", "Points", "To revisit"), rows, _read_by_a_teacher(entries))

    def __repr__(self):
        return f"{self.title}\n{self.summary}\n\n{self.table!r}"

    def _repr_html_(self):
        return (
            '<div style="border:3px double currentColor;padding:1em 2em;max-width:52em">'
            f'<p style="font-size:160%;margin:.2em 0">{html.escape(self.title)}</p><p>{html.escape(self.summary)}</p>{self.table._repr_html_()}</div>'
        )


def is_done(lesson, item, done):
    """Has this item of a lesson been passed?"""
    if item["kind"] == "check":
        return item["name"] in done["exercises"]
    return _key(lesson, item) in done["answers"]


def _key(lesson, item):
    return item["name"] if item["kind"] == "check" else f"{lesson}/{item['name']}"


def _checked(entry):
    """The items that a check or a quiz answers for. A text is a teacher's to read."""
    return [item for item in entry["items"] if item["kind"] != "text"]


def _left(entry, done):
    return [item for item in _checked(entry) if not is_done(entry["lesson"], item, done)]


def _of(entry, done):
    return sum(item["points"] for item in _checked(entry))


def _got(entry, done):
    return _of(entry, done) - sum(item["points"] for item in _left(entry, done))


def _share(entry, done):
    return f"{_got(entry, done):g} of {_of(entry, done):g}"


def _revisit(entry, done):
    left = _left(entry, done)
    if left == _checked(entry):
        return "not begun"
    hard = {_named(item): done["misses"].get(_key(entry["lesson"], item), 0) for item in _checked(entry) if item not in left}
    words = [f"{item['section']}: {_named(item)} is left" for item in left]
    return "; ".join(words + [f"{name} took {misses + 1} tries" for name, misses in hard.items() if misses >= MANY_MISSES])


def _read_by_a_teacher(entries):
    points = sum(item["points"] for entry in entries for item in entry["items"] if item["kind"] == "text")
    return f"{_points(points)} more for what you wrote in your own words: your teacher reads that." if points else ""


def _named(item):
    return f"question {item['name']}" if item["kind"] == "quiz" else item["name"]


def _print_lesson(entry, done):
    print(f"{entry['lesson']}: {entry['title']}")
    for item in entry["items"]:
        mark = "read by a teacher" if item["kind"] == "text" else "done " if is_done(entry["lesson"], item, done) else "to do"
        print(f"  [{mark}] {item['section']:<6} {_named(item)}  ({_points(item['points'])})")
    print()


def _points(points):
    return f"{points:g} point" + ("" if points == 1 else "s")


def _note(kind, name, change):
    file = path()
    done = _in_memory if file is None else _read(file)
    if done is None:
        return
    done[kind][name] = change(done[kind].get(name))
    if file is None:
        return
    try:
        _write(file, done)
    except OSError as error:
        print(f"Your progress could not be kept in {file} ({error.strerror}). The result above counts all the same.")


def _write(file, done):
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=file.parent, delete=False, encoding="utf-8") as new:
        json.dump(done, new, indent=1)
    try:
        os.replace(new.name, file)
    except OSError:
        os.unlink(new.name)
        raise


def _free_name(file):
    number = 1
    while (aside := file.with_name(f"{file.name}.broken-{number}")).exists():
        number += 1
    return aside
