"""Whose hand-in it is: by what an instructor wrote, by an exact id, by the e-mail, by the name; and never by a name that is only alike."""

import re
import unicodedata
from collections import defaultdict
from dataclasses import dataclass, field

from rapidfuzz import fuzz, process

from course.grading.roster import sheets

COLUMNS = ("student", "who", "lms", "number", "files", "why", "perhaps")
ID_OF = {"canvas": ("canvas_id",), "moodle": ("participant_id",), "brightspace": ("brightspace_id",)}
"""The columns of the roster in which an LMS's own number stands."""
ALIKE, SHOWN = 70, 3
"""From which likeness in percent, and how many, names are suggested."""
NOBODY = "-"
PLAIN = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th"})
SHORTEST = 3
"""Letters of an id that is looked for inside a file's name."""


@dataclass
class Unmatched:
    """The files of somebody of whom nobody knows who it is. why: in words; perhaps: ids that an instructor may want to look at."""

    handed: list
    why: str
    perhaps: list = field(default_factory=list)


def key_of(handed):
    """What stands for one student in a download."""
    return handed.lms, handed.who, handed.lms_id


def match(all_handed, people, mended):
    """({student: [Handed]}, [Unmatched]). people: Persons; mended: {key_of: [student, …]}, [] where it is to be left out."""
    groups, matched, unmatched = defaultdict(list), defaultdict(list), []
    for handed in all_handed:
        groups[key_of(handed)].append(handed)
    class_ = _Class(people)
    for key, files in groups.items():
        if key in mended:
            students, why = mended[key], ""
        else:
            students, why = class_.find(files[0])
        for student in students if not why else ():
            matched[student] += files
        if why:
            unmatched.append(Unmatched(files, why, students or class_.alike(files[0])))
    return dict(matched), unmatched


class _Class:
    """The roster, by everything that names a student."""

    def __init__(self, people):
        self.people = people
        self.exact, self.folded, self.aliases = defaultdict(set), defaultdict(set), defaultdict(set)
        for person in people:
            for spelt in (f"{person.first_name} {person.last_name}", f"{person.last_name} {person.first_name}"):
                self.exact[squashed(spelt)].add(person.id)
                self.folded[folded(spelt)].add(person.id)
            for alias in person.aliases:
                self.aliases[alias].add(person.id)

    def find(self, handed):
        """([student], "") or (who it may be, why it is not certain)."""
        kinds = ID_OF.get(handed.lms, ())
        for found in (self._by_number(handed, kinds), self._by_alias(handed)):
            if found:
                return self._one(found, "its name or number is that of more than one student")
        others = {person.id for person in self.people if any(person.ids.get(kind) for kind in kinds)} if handed.lms_id else set()
        for names, spelt in ((self.exact, squashed(handed.who)), (self.folded, folded(handed.who))):
            if found := names.get(spelt) if spelt else None:
                if found <= others:  # of that name there is another number in the roster: it is somebody else
                    return [], f"the roster has this name with another number than {handed.lms_id}"
                return self._one(found - others, "more than one student has this name")
        return [], "nobody in the roster has this name or number"

    def _one(self, found, why):
        return (sorted(found), "" if len(found) == 1 else why)

    def _by_number(self, handed, kinds):
        return {person.id for person in self.people if handed.lms_id and any(person.ids.get(kind) == handed.lms_id for kind in kinds)}

    def _by_alias(self, handed):
        if handed.lms in ("canvas", "moodle", "brightspace"):  # what stands there is a name, and a name may be another student's login
            return self.aliases.get(handed.who.casefold()) if "@" in handed.who else None
        if handed.lms == "blackboard":
            parts = handed.lms_id.split("_")
            return next((found for start in range(1, len(parts)) if (found := self.aliases.get("_".join(parts[start:]).casefold()))), None)
        return self.aliases.get(handed.who.casefold()) or (None if "/" in handed.source_name else self._within(handed.who))

    def _within(self, name):
        """Who is named in a file's name, as in ada_03_cell_step: by a whole id, or by the whole name."""
        parts = [part for part in re.split(r"[\s_.,()+-]+", name.casefold()) if part]
        runs = {"".join(parts[start:stop]) for start in range(len(parts)) for stop in range(start + 1, len(parts) + 1)}
        by_id = {student for alias, ids in self.aliases.items() if len(alias) >= SHORTEST and alias in parts for student in ids}
        return by_id or {student for spelt, ids in self.exact.items() if spelt and spelt in runs for student in ids}

    def alike(self, handed):
        """Ids of students whose names look like this one, the likest first."""
        names = {person.id: f"{person.first_name} {person.last_name}".casefold() for person in self.people}
        found = process.extract(handed.who.casefold(), names, scorer=fuzz.WRatio, processor=_plain, limit=SHOWN, score_cutoff=ALIKE)
        return [student for _, _, student in found]


def squashed(name):
    """A name without case, spaces and marks between its letters, as Canvas writes it."""
    return "".join(sign for sign in unicodedata.normalize("NFC", name).casefold() if sign.isalnum() or unicodedata.category(sign).startswith("M"))


def folded(name):
    """The same without accents too."""
    return "".join(sign for sign in _plain(name) if sign.isalnum())


def _plain(name):
    return "".join(sign for sign in unicodedata.normalize("NFKD", name.casefold().translate(PLAIN)) if not unicodedata.combining(sign))


# The list to mend by hand


def as_table(unmatched, mended):
    """The bytes of unmatched.csv: a line for each one, the column student to be filled in; the lines that were filled in before stay."""
    rows = [["; ".join(students) or NOBODY, who, lms, number, "", "mended by hand", ""] for (lms, who, number), students in mended.items()]
    for each in unmatched:
        lms, who, number = key_of(each.handed[0])
        rows.append(["", who, lms, number, "; ".join(handed.source_name for handed in each.handed)[:500], each.why, "; ".join(each.perhaps)])
    return sheets.written([COLUMNS, *rows])


def read_mended(file, people):
    """{key_of: [student, …]} of the lines of an unmatched.csv that were filled in. Raises SheetError, OSError."""
    sheet, known, mended = sheets.read(file), {person.id for person in people}, {}
    if sheet.header[:4] != list(COLUMNS[:4]):
        raise sheets.SheetError(f"should begin with the columns {', '.join(COLUMNS)}, as `course collect` wrote it")
    for line, row in enumerate(sheet.rows, 2):
        student, who, lms, number = (sheets.as_meant(cell).strip() for cell in row[:4])
        students = [student] if student in known else [part.strip() for part in student.split(";") if part.strip()]
        if not student:
            continue
        if students != [NOBODY] and (unknown := [each for each in students if each not in known]):
            raise sheets.SheetError(f"row {line}: the roster has no student with the id {unknown[0]!r}. Write an id of roster.csv, or {NOBODY} for nobody")
        mended[lms, who, number] = [] if students == [NOBODY] else students
    return mended
