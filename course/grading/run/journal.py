"""Pass 3: what is known of a notebook is kept under a digest of all that it depends on, so that nothing is done twice."""

import ast
import functools
import hashlib
import importlib.metadata
import json
import os
import sys
import tempfile
from pathlib import Path

from course import exercises
from course.grading import removal

GRADING = Path(__file__).parents[1]
COURSE = GRADING.parent
OF_GRADING = ("run/notebooks.py", "run/clock.py", "run/reasons.py", "run/whose.py", "hidden.py", "sandbox/*.py")
"""The files of this folder on which a result depends. Of all others in the course every one counts, but for `NOT_PLAYED`."""
NOT_PLAYED = ("build", "__main__.py")
QUIZ = COURSE / "learner" / "quiz.json"


class Journal:
    """A folder of JSON files, one a result, each written whole or not at all."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)

    def find(self, key):
        """The value kept under a key, or None. What is broken does not count."""
        try:
            entry = json.loads(self._file(key).read_text(encoding="utf-8"))
            return entry["value"] if entry["digest"] == digest(entry["value"]) else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def keep(self, key, value):
        """Keep a value that JSON can hold."""
        handle, new = tempfile.mkstemp(dir=self.folder, prefix=".")
        try:
            with open(handle, "w", encoding="utf-8") as file:
                json.dump({"digest": digest(value), "value": value}, file)
            if self._file(key).is_dir():  # of whatever origin: it is no entry
                removal.remove(self._file(key))
            os.replace(new, self._file(key))
        except BaseException:
            removal.remove(new)
            raise

    def forget_all_but(self, keys):
        """Delete what nobody asks for any more, and what a killed run has left half-written."""
        wanted = {self._file(key) for key in keys}
        for file in self.folder.iterdir():
            if file not in wanted or file.is_dir():
                removal.remove(file)

    def _file(self, key):
        return self.folder / f"{key}.json"


def digest(*values):
    """A digest of values that JSON can hold."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def key_of(job):
    """What the result of a job depends on: the job itself, the exercises and questions it calls, the course around them, the versions."""
    calls = [cell["call"] for cell in job["cells"] if cell.get("call")]
    exercises = {call["name"] for call in calls if call["kind"] == "check"}
    asked = {name: value for name, value in job.items() if name != "limits"}  # they count only where something was stopped
    return digest(asked, {name: _exercise(name) for name in sorted(exercises)}, _questions(job["lesson"]), _around(), _versions())


def version():
    """A digest of all that results depend on besides the work itself: the course, its exercises and questions, the versions."""
    questions = json.loads((QUIZ).read_text(encoding="utf-8"))
    return digest({name: _exercise(name) for name in exercises.names()}, questions, _around(), _versions())


@functools.cache
def _around():
    """The digest of the course's own files, without the exercises: these count only where they are called."""
    left_out = {
        *map(exercises.source, exercises.names()),
        *GRADING.rglob("*"),
        *(file for name in NOT_PLAYED for file in (COURSE / name, *(COURSE / name).rglob("*"))),
    }
    left_out -= {file for pattern in OF_GRADING for file in GRADING.glob(pattern)}
    files = [file for file in sorted(COURSE.rglob("*")) if file.suffix in {".py", ".js", ".css"} and file not in left_out]
    return digest({file.relative_to(COURSE).as_posix(): _content(file) for file in files})


@functools.cache
def _exercise(name):
    """The digest of an exercise, and of those whose parts it takes."""
    file = exercises.source(name)
    tree = ast.parse(file.read_text(encoding="utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level == 1]
    taken = {part for node in imports for part in [node.module, *(alias.name for alias in node.names)]} & set(exercises.names()) - {name}
    return digest(_content(file), [_exercise(other) for other in sorted(taken)])


@functools.cache
def _questions(lesson):
    return digest(json.loads((QUIZ).read_text(encoding="utf-8")).get(lesson))


def _content(file):
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _versions():
    return [sys.version, *map(importlib.metadata.version, ("torch", "numpy", "ipython"))]
