"""After a pass: other ways to write it, what they cost, what PyTorch does, and the next question. Sealed until then."""

import json
from dataclasses import dataclass
from pathlib import Path

from course import exercises

from . import progress
from .sealed import open_text

SEALED = Path(__file__).with_name("discussions.json")
ENOUGH = 20
"""Words of one's own before a text is compared with another."""


@dataclass(frozen=True)
class Discussion:
    """Markdown that prints as its own source where nothing renders it."""

    data: str

    def _repr_markdown_(self):
        return self.data

    def __repr__(self):
        return self.data


def discuss(name, written=""):
    """Open the discussion of an exercise for who has passed its check, or of a text to write for who has written one.

    written: the learner's own text, of twenty words or more, where `name` is no exercise. Raises ValueError for an unknown name.
    The discussion is sealed, not secret: it cannot be read in the files. A teacher may keep it for class.
    """
    sealed = json.loads(SEALED.read_text(encoding="utf-8"))
    if name not in sealed:
        exercises.find(name)
    if not sealed.get(name):
        return Discussion(f"Your teacher keeps the discussion of `{name}` for class.")
    if name in exercises.names():
        ready, wanted = name in progress.load()["exercises"], "when your function has passed: run its check cell first"
    else:
        ready, wanted = len(str(written).split()) >= ENOUGH, f"when you hand it your own text, of {ENOUGH} words or more"
    return Discussion(open_text(name, sealed[name]) if ready else f"The discussion of `{name}` opens {wanted}.")
