"""What a learner has done, kept between visits in one JSON file in the user's own data folder.

The file is `$HIDDEN_STATE_PROGRESS`, or progress.json in the platform's data folder for "hidden-state".
`HIDDEN_STATE_PROGRESS=off` keeps it in memory only, and so does a run under nbgrader.
"""

import inspect
import json
import os
import tempfile
from pathlib import Path

import platformdirs

LESSONS = Path(__file__).with_name("lessons.json")
_in_memory = {"exercises": {}, "answers": {}}


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
    """The progress so far: {"exercises": {name: source}, "answers": {"lesson/number": True}}.

    A file that is broken is moved aside, never deleted, and a sentence says where it went.
    """
    file = path()
    return _in_memory if file is None else _read(file) or _nothing()


def _nothing():
    return {"exercises": {}, "answers": {}}


def _read(file):
    """The progress in a file; nothing where there is none or a broken one; None where it may not be read."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        return {"exercises": dict(found["exercises"]), "answers": dict(found["answers"])}
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
    _note("exercises", name, source)


def note_answer(lesson, number):
    """Note a question that was answered rightly."""
    _note("answers", f"{lesson}/{number}", True)


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
            _print_unit(unit, entries, done)


def is_done(lesson, item, done):
    """Has this item of a lesson been passed?"""
    if item["kind"] == "check":
        return item["name"] in done["exercises"]
    return f"{lesson}/{item['name']}" in done["answers"]


def _print_lesson(entry, done):
    print(f"{entry['lesson']}: {entry['title']}")
    for item in entry["items"]:
        mark = "done " if is_done(entry["lesson"], item, done) else "to do"
        name = item["name"] if item["kind"] == "check" else f"question {item['name']}"
        print(f"  [{mark}] {item['section']:<6} {name}  ({_points(item['points'])})")
    print()


def _print_unit(unit, entries, done):
    counts = [(sum(is_done(e["lesson"], i, done) for i in e["items"]), len(e["items"])) for e in entries]
    print(f"Unit {unit}: {sum(got == of for got, of in counts)} of {len(entries)} lessons done")
    for entry, (got, of) in zip(entries, counts):
        state = "done " if got == of else f"{got} of {of}"
        print(f"  {entry['lesson']:<20} {state}")


def _points(points):
    return f"{points:g} point" + ("" if points == 1 else "s")


def _note(kind, name, value):
    file = path()
    done = _in_memory if file is None else _read(file)
    if done is None:
        return
    done[kind][name] = value
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
