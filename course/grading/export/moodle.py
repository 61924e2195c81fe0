"""A table for Moodle's grade import (Grades, Import, CSV file).

As moodle, grade/import/csv/classes/load_data.php reads it: one student that it does not know stops the whole import, and so does a number above
the largest grade of the site. An e-mail is compared as it is written.
"""

from collections import Counter

from course.grading.roster import sheets

KEYS = {"email": "Email address", "username": "Username", "idnumber": "ID number"}
LARGEST = 100
"""The largest grade that Moodle takes, unless its site says otherwise."""


def fill(items, scores, people, key="email"):
    """(rows for the file, sentences). items: {item: points}; scores: {(student, item): text}; people: the Persons of the roster."""
    keys = {person.id: _key(person, key) for person in people}
    counted = Counter(text.casefold() for text in keys.values() if text)
    rows, notes = [["First name", "Last name", KEYS[key], *items]], []
    for person in people:
        text = keys[person.id]
        why = _why_not(text, counted, KEYS[key])
        if why:
            notes.append(f"{person.name} ({person.id}) {why}, and Moodle would take nothing at all: left out")
        else:
            rows.append([person.first_name, person.last_name, text, *(scores.get((person.id, item), "") for item in items)])
    notes += [f"{item} is of {of:g} points: Moodle takes no more than {LARGEST}, unless the site allows it" for item, of in items.items() if of > LARGEST]
    return rows, notes


def _key(person, key):
    return {"email": person.email, "username": person.ids.get("login_id", ""), "idnumber": person.ids.get("number_id", "")}[key].strip()


def _why_not(text, counted, title):
    if not text:
        return f"has no {title} in the roster"
    if counted[text.casefold()] > 1:
        return f"has the same {title} as another student"
    return f"has {text!r} as {title}, which a spreadsheet would take for a formula" if sheets.defused(text) != text else ""
