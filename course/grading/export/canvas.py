"""The gradebook that an instructor has exported from Canvas, with our scores filled in, for its import.

As instructure/canvas-lms, lib/gradebook_importer.rb reads it: students by ID, assignments by the number in brackets behind the title. A title
that it does not know makes a new assignment, and the row Points Possible changes the assignment's points: so both stay as they are.
"""

import re

from course.grading.roster.columns import fields_of, is_canvas

from .choice import ExportError, folded

POINTS = "Points Possible"
NOT_ASSIGNMENTS = re.compile(r"(Current|Final) (Score|Points|Grade)|Override (Score|Grade|Status)")
WITH_ID = re.compile(r"(?P<title>.*) \((?P<id>\d+)\)", re.DOTALL)
STAYS = {"N/A": "is not assigned it", "EX": "is excused from it"}


def fill(sheet, items, scores, people, choice, new=False):
    """(rows for the file, sentences). sheet: the Sheet of Canvas's export; items: {item: points}; scores: {(student, item): text}; people: Persons;
    choice: {item: title}; new: whether an item without a column gets one. Raises ExportError."""
    if not is_canvas(sheet.header):
        raise ExportError(f"is not the gradebook as Canvas exports it. Its first row should begin with Student, ID. It is: {', '.join(sheet.header)[:200]}")
    fields = fields_of(sheet.header)
    assignments = {column: name for column, name in enumerate(sheet.header) if column > fields["section"] and name and not NOT_ASSIGNMENTS.search(name)}
    columns, absent = _columns(items, assignments, choice)
    if absent and not new:
        titles = "; ".join(assignments.values()) or "none"
        raise ExportError(
            f"has no column for {', '.join(absent)}, and Canvas would make a new assignment of each. There are: {titles}. Say which one it is, as: "
            f"--column '{absent[0]}={_example(assignments)}'. Or let Canvas make it: --new"
        )
    width = max(map(len, [sheet.first, *sheet.rows]))
    rows = [row + [""] * (width - len(row)) for row in [sheet.first, *sheet.rows]]
    notes = _points(rows, columns, items)
    for item in absent:
        columns[item] = len(rows[0])
        for row in rows:
            row.append(f"{items[item]:.2f}" if POINTS in row[0] else "")
        rows[0][-1] = item
        notes.append(f"Canvas will make a new assignment of {item}, of {items[item]:g} points")
    return rows, notes + _students(rows, fields, columns, scores, people)


def _columns(items, assignments, choice):
    """({item: column}, [items without one]). Raises ExportError where a title is none, or two."""
    columns, absent = {}, []
    for item in items:
        wanted = choice.get(item)
        if wanted == "-":
            continue
        found = [column for column, name in assignments.items() if _is(name, wanted or item, exactly=bool(wanted))]
        if len(found) > 1:
            raise ExportError(f"has more than one column for {wanted or item}. Give its number, the one in brackets, as: --column '{item}=70551'")
        if wanted and not found:
            raise ExportError(f"has no column {wanted!r}. There are: {'; '.join(assignments.values()) or 'none'}")
        if found:
            columns[item] = found[0]
        else:
            absent.append(item)
    if twice := [item for item, column in columns.items() if [*columns.values()].count(column) > 1]:
        raise ExportError(f"has one column for {' and '.join(twice)}. Say which one goes where with --column")
    return columns, absent


def _is(name, wanted, exactly):
    found = WITH_ID.fullmatch(name)
    title, number = (found["title"], found["id"]) if found else (name, "")
    return wanted in (name, title, number) if exactly else folded(title) == folded(wanted)


def _example(assignments):
    return next(iter(assignments.values()), "Title")


def _points(rows, columns, items):
    """Sentences about columns whose points are others. Raises ExportError where one may only be read."""
    points = next((row for row in rows[1:4] if POINTS in row[0]), None)
    notes = []
    for item, column in columns.items() if points else ():
        text = points[column].strip()
        if "read only" in text:
            raise ExportError(f"says that {rows[0][column]} may only be read")
        try:
            same = abs(float(text.replace(",", ".")) - items[item]) < 0.005
        except ValueError:
            same = False
        if not same:
            notes.append(
                f"{rows[0][column]} is of {text or 'no'} points in Canvas, and {item} of {items[item]:g}: the scores are not scaled. Set the points in Canvas"
            )
    return notes


def _students(rows, fields, columns, scores, people):
    """Fill in the scores. Returns sentences about who was not found, or whose cell stays."""
    notes, found = [], set()
    for row in rows[1:]:
        if not row[fields["canvas_id"]].strip():
            continue
        person = _who({kind: row[column].strip() for kind, column in fields.items()}, people)
        if not person:
            notes.append(f"{_name(row, fields)} is in Canvas and not in the roster: nothing was filled in")
            continue
        found.add(person.id)
        for item, column in columns.items():
            text = scores.get((person.id, item))
            if text is None:
                continue
            if why := STAYS.get(row[column].strip().upper()):
                notes.append(f"{person.name} {why}, says Canvas: {item} stays {row[column].strip()}")
            else:
                row[column] = text
    absent = [person.id for person in people if person.id not in found and any((person.id, item) in scores for item in columns)]
    return notes + ([f"not in Canvas's file: {', '.join(absent)}"] if absent else [])


def _who(about, people):
    """The Person of a row: by Canvas's own number, or by what the student logs in with."""
    for kind in ("canvas_id", "sis_id", "login_id"):
        if about.get(kind) and (same := [person for person in people if person.ids.get(kind) == about[kind]]):
            return same[0] if len(same) == 1 else None
    login = about.get("login_id", "").casefold()
    same = [person for person in people if login and not person.ids.get("canvas_id") and login in person.aliases]
    return same[0] if len(same) == 1 else None


def _name(row, fields):
    return row[fields["name"]] if "name" in fields else f"{row[fields['first_name']]} {row[fields['last_name']]}"
