"""The Persons in a table that a learning management system, or somebody by hand, has written."""

import re

from . import sheets
from .columns import fields_of, is_canvas
from .people import Person, RosterError, wrong_id

TEST_STUDENT = "Student, Test"
"""What Canvas calls the pretended student of a teacher's view."""
PLAIN = ("id", "first_name", "last_name", "email", "section")


def read_export(file, id_column=None):
    """(the Persons in a file, sentences about lines that were left out). id_column: the column that is to be the id, where it is not called so.

    A Person's id is "" where the table has none. Raises RosterError.
    """
    try:
        sheet = sheets.read(file)
        fields = fields_of(sheet.header)
    except (sheets.SheetError, OSError) as error:
        raise RosterError(f"{file} {error if isinstance(error, sheets.SheetError) else f'cannot be read: {error.strerror}'}") from None
    if id_column:
        fields["id"] = _column(file, sheet.header, id_column)
    people, notes = [], []
    for line, row in enumerate(sheet.rows, 2):
        about = {field: sheets.as_meant(row[column]).strip() for field, column in fields.items() if column < len(row)}
        why = _no_student(about, is_canvas(sheet.header))
        if why is not None:
            notes += [f"{file}, row {line}: {why}"] if why else []
            continue
        people.append(_person(about))
    _check(file, people)
    return people, notes


def _column(file, header, wanted):
    columns = [column for column, name in enumerate(header) if name.casefold() == wanted.casefold()]
    if not columns:
        raise RosterError(f"{file} has no column {wanted!r}. There are: {', '.join(header)[:300]}")
    return columns[0]


def _no_student(about, of_canvas):
    """Why a row is no student's, "" where that needs no words, or None where it is one's."""
    name = about.get("name", "") or about.get("last_name", "")
    if of_canvas and (not name or "Points Possible" in name):
        return ""
    if of_canvas and name == TEST_STUDENT:
        return "the test student of Canvas is left out"
    told = [text for field, text in about.items() if field in ("id", "email") or field.endswith("_id")]
    return None if any(told) else f"{name or 'nobody'} has neither an id nor an e-mail, and is left out"


def _person(about):
    if about.get("name") and not about.get("last_name"):
        about["first_name"], about["last_name"] = _split(about["name"])
    ids = {field: _number(field, text) for field, text in about.items() if field.endswith("_id") and text}
    return Person(**{field: about.get(field, "") for field in PLAIN}, ids=ids)


def _split(name):
    """(first name, last name) of a full name, as "Curie, Marie" or "Marie Curie"."""
    last, comma, first = name.partition(",")
    if comma:
        return first.strip(), last.strip()
    *first, last = name.split() or [""]
    return " ".join(first), last


def _number(field, text):
    """An id without what an export puts around it: Brightspace a #, Moodle the word Participant."""
    if field == "participant_id" and (digits := re.search(r"\d+", text)):
        return digits[0]
    return text.removeprefix("#")


def _check(file, people):
    if not people:
        raise RosterError(f"{file} names no student with an id or an e-mail")
    for person in people:
        if person.id and (why := wrong_id(person.id)):
            raise RosterError(f"{file}: the id {person.id!r} of {person.name} {why}. Name another column with --id")
    ids = [person.id for person in people if person.id]
    if twice := sorted({each for each in ids if ids.count(each) > 1}):
        raise RosterError(f"{file}: more than one student has the id {twice[0]!r}. Name another column with --id")
    by_email = {}
    for person in people:
        other = by_email.setdefault(person.email.casefold(), person)
        if person.email and (other.id, other.name) != (person.id, person.name):
            raise RosterError(f"{file}: {other.name} and {person.name} have the same e-mail, {person.email}. Give each their own, or leave one empty")
