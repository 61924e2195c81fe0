"""The class: roster.csv in the course's folder, one line a student."""

import contextlib
import os
import re
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path

from . import sheets

FILE = "roster.csv"
COLUMNS = ("id", "first_name", "last_name", "email", "section")
WRONG = re.compile(r"[/\\<>\"\x00-\x1f\x7f]|^[.~\s]|\s$")
"""What no name of a folder in submitted/ may have: nbgrader and its pages would not find it."""


class RosterError(Exception):
    """The roster cannot be read or written. The message says why, and what to do about it."""


@dataclass(frozen=True)
class Person:
    """One student. id: the name of the folder in submitted/ and the student's in nbgrader; ids: {name of a column ending in _id: text}, as canvas_id."""

    id: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    section: str = ""
    ids: dict = field(default_factory=dict, hash=False)

    @property
    def name(self):
        """The full name as people say it, or the id where there is none."""
        return f"{self.first_name} {self.last_name}".strip() or self.id

    @property
    def aliases(self):
        """All texts that name this student and nobody else, casefolded: the id, the e-mail, its part before the @, and every number of an LMS."""
        own = {self.id, self.email, self.email.partition("@")[0], *self.ids.values()}
        return frozenset(text.strip().casefold() for text in own) - {""}


def read(root):
    """The Persons in a course's roster.csv, in its order; none where there is no such file. Raises RosterError."""
    file = Path(root) / FILE
    try:
        sheet = sheets.read(file)
    except FileNotFoundError:
        return []
    except (sheets.SheetError, OSError) as error:
        raise RosterError(f"{file} {error if isinstance(error, sheets.SheetError) else f'cannot be read: {error.strerror}'}") from None
    names = [name.casefold() for name in sheet.header]
    if "id" not in names:
        raise RosterError(f"{file} has no column id. Its first line should be: {','.join(COLUMNS)}, and columns ending in _id as you like")
    people = [_person(dict(zip(names, (sheets.as_meant(cell).strip() for cell in row)))) for row in sheet.rows]
    for person in people:
        if why := wrong_id(person.id):
            raise RosterError(f"{file}: the id {person.id!r} {why}. It is the name of a folder in submitted/: give {person.name} another")
    if twice := {person.id for person in people if [each.id for each in people].count(person.id) > 1}:
        raise RosterError(f"{file}: more than one student has the id {sorted(twice)[0]!r}. Each needs one of their own")
    return people


def _person(about):
    ids = {name: text for name, text in about.items() if name.endswith("_id") and text}
    return Person(**{name: about.get(name, "") for name in COLUMNS}, ids=ids)


def wrong_id(text):
    """Why an id can name no folder in submitted/, or ""."""
    if not text:
        return "is empty"
    return 'may not hold / \\ < > " or begin or end with a dot or a space' if WRONG.search(text) or len(text.encode()) > 120 else ""


def write(root, people):
    """Write roster.csv, readable for its owner alone; what was there is kept beside as roster.csv.before. Raises RosterError."""
    file = Path(root) / FILE
    kinds = sorted({kind for person in people for kind in person.ids})
    rows = [[*COLUMNS, *kinds], *([*(getattr(person, name) for name in COLUMNS), *(person.ids.get(kind, "") for kind in kinds)] for person in people)]
    data = sheets.written(rows)
    try:
        with contextlib.suppress(FileNotFoundError):
            if file.read_bytes() == data:
                return
            os.replace(file, file.with_name(f"{FILE}.before"))
        handle, new = tempfile.mkstemp(dir=root, prefix=FILE)
        with open(handle, "wb") as stream:
            stream.write(data)
        os.replace(new, file)
    except OSError as error:
        raise RosterError(f"{file} cannot be written: {error.strerror}") from None


def merged(old, new):
    """(everybody, who was added, who was changed): the old Persons with what the new ones say more or otherwise. Nobody is taken away.

    They are the same person where an id is the same, or else the e-mail; or the name together with a login or a number that one table
    calls so and the other otherwise. A name alone is never enough: two students may have one.
    Who is new and has no id gets one. Raises RosterError where one can be found for nobody.
    """
    before = {person.id: person for person in old}
    people = dict(before)
    asked = {person.id for person in new}
    for person in new:
        known = _known(person, people.values())
        if not known:
            person = person if person.id else replace(person, id=_fresh_id(person, {*people, *asked}))
            people[person.id] = person
            continue
        both = replace(known, **{name: getattr(person, name) or getattr(known, name) for name in COLUMNS[1:]}, ids={**known.ids, **person.ids})
        people[known.id] = both
    added = [person for person in people.values() if person.id not in before]
    return [*people.values()], added, [people[each] for each, person in before.items() if people[each] != person]


def _known(person, people):
    """Who of these it is, or None."""
    for kind, text in person.ids.items():
        if same := [each for each in people if each.ids.get(kind) == text]:
            return same[0]
    if person.email and (same := [each for each in people if each.email.casefold() == person.email.casefold()]):
        return same[0]
    if person.id:
        return next((each for each in people if each.id == person.id), None)
    same = [each for each in people if each.aliases & person.aliases and each.name.casefold() == person.name.casefold()]
    return same[0] if len(same) == 1 else None


def _fresh_id(person, taken):
    """An id for somebody who has none: what they log in with, without the part after the @ where nobody else has the rest; or a number."""
    folded = {each.casefold() for each in taken}
    texts = [person.ids.get("login_id", ""), person.email, *(person.ids.get(kind, "") for kind in ("number_id", "sis_id", "canvas_id", "participant_id"))]
    for text in (part for each in texts for part in (each.partition("@")[0], each)):
        if not wrong_id(text) and text.casefold() not in folded:
            return text
    raise RosterError(f"no id was found for {person.name}: every one in the table is another student's already, or cannot name a folder. Add a column id")
