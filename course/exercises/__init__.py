"""The exercises, a folder a unit and a file each: what lies there is an exercise. `course.checks.examine.examine` says what one holds."""

import difflib
import importlib
from pathlib import Path

from course.checks.verdict import CourseError

UNITS = {file.stem: file.parent.name for file in sorted(Path(__file__).parent.glob("*/*.py"))}
"""{exercise: unit}"""


def names():
    """The names of all exercises."""
    return sorted(UNITS)


def find(name):
    """The module of an exercise. Raises CourseError (a ValueError) with the nearest names if there is none."""
    if not isinstance(name, str):
        raise CourseError(f'there is no exercise of type {type(name).__name__}: name it in quotes, as in check("rnn_step", rnn_step)')
    if name not in UNITS:
        near = difflib.get_close_matches(name, UNITS) or names()
        raise CourseError(f"there is no exercise {name!r}. Did you mean {' or '.join(map(repr, near))}?")
    return importlib.import_module(f"{__name__}.{UNITS[name]}.{name}")


def source(name):
    """The file of an exercise."""
    return Path(__file__).parent / UNITS[name] / f"{name}.py"
