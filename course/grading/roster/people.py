"""The class as its roster names it: `roster.csv` in the course's folder."""

import csv
from dataclasses import dataclass, field
from pathlib import Path

FILE = "roster.csv"


class RosterError(Exception):
    """The roster cannot be read. The message says why, and what to do about it."""


@dataclass(frozen=True)
class Person:
    """One student. ids: {name of a column ending in _id: text}, what a learning management system calls them."""

    id: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    section: str = ""
    ids: dict = field(default_factory=dict, hash=False)

    @property
    def aliases(self):
        """All that may be typed as this student's id, casefolded."""
        names = (self.id, self.email, self.email.partition("@")[0], *self.ids.values())
        return frozenset(name.strip().casefold() for name in names if name.strip())


def read(root):
    """Everybody in roster.csv below `root`, in its order; nobody where there is none."""
    try:
        with open(Path(root) / FILE, encoding="utf-8-sig", newline="") as file:
            rows = [
                {(name or "").strip(): (text or "").strip() for name, text in row.items() if isinstance(text, (str, type(None)))}
                for row in csv.DictReader(file)
            ]
    except FileNotFoundError:
        return []
    return [_person(row) for row in rows if row.get("id")]


def _person(row):
    known = {name: row.get(name, "") for name in ("id", "first_name", "last_name", "email", "section")}
    return Person(**known, ids={name: text for name, text in row.items() if name.endswith("_id") and text})
