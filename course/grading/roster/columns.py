"""Which column of a table says what of a student: Canvas's, Moodle's, Blackboard's, Brightspace's, Google Classroom's, and those people write themselves."""

import re
import unicodedata

from .sheets import SheetError

NAMES = {
    "id": ("id", "student id", "studentid", "student", "user", "netid", "net id", "kürzel", "kennung"),
    "first_name": ("first name", "firstname", "given name", "given names", "vorname", "prénom", "nombre", "nome"),
    "last_name": ("last name", "lastname", "surname", "family name", "nachname", "familienname", "name de famille", "nom", "apellido", "apellidos", "cognome"),
    "name": ("name", "full name", "fullname", "student name", "vollständiger name", "nom complet", "nombre completo"),
    "email": ("email", "e-mail", "email address", "e-mail address", "mail", "e-mail-adresse", "adresse de courriel", "correo", "dirección de correo"),
    "section": ("section", "sections", "group", "groups", "gruppe", "gruppen", "groupe", "grupo", "class", "tutorial"),
    "login_id": ("username", "user name", "login", "login id", "sis login id", "loginid", "benutzername", "anmeldename", "nom d'utilisateur", "usuario"),
    "number_id": (
        "id number",
        "idnumber",
        "orgdefinedid",
        "student number",
        "matriculation number",
        "matrikelnummer",
        "matrikel",
        "matr.-nr.",
        "numéro d'étudiant",
    ),
    "sis_id": ("sis user id", "sis id"),
    "integration_id": ("integration id",),
    "participant_id": ("identifier", "participant id", "teilnehmer-id"),
}
"""Names of columns, folded by `_folded`. A column whose name ends in _id is taken as it is called."""
FIELDS = {name: field for field, names in NAMES.items() for name in names}
OF_CANVAS = {"student": "name", "lastname": "last_name", "firstname": "first_name", "id": "canvas_id", "section": "section"}
OF_BLACKBOARD = {"student id": "number_id"}
TOLD = "first name, last name, email, and an id"


def fields_of(header):
    """{field: column} of a header, a list of texts. Fields: id, first_name, last_name, name, email, section, and whatever ends in _id.

    Raises SheetError where no column says who somebody is, or two say the same.
    """
    names = [_folded(name) for name in header]
    special = OF_CANVAS if is_canvas(header) else OF_BLACKBOARD if {"username", "student id"} <= set(names) else {}
    found = {}
    for column, name in enumerate(names):
        field = special.get(name) or FIELDS.get(name) or _own(header[column])
        if not field or (is_canvas(header) and column > names.index("section")):
            continue
        if field in found and header[found[field]] != header[column]:
            raise SheetError(f"has two columns for the same: {header[found[field]]!r} and {header[column]!r}. Delete one")
        found.setdefault(field, column)
    if not set(found) - {"section", "first_name"}:
        raise SheetError(f"has no column that says who a student is. Its first row should name the columns, as: {TOLD}. It is: {', '.join(header)[:200]}")
    return found


def is_canvas(header):
    """Is it the header of a gradebook as Canvas exports and imports it?"""
    names = [_folded(name) for name in header]
    begins = names[:2] == ["student", "id"] or names[:3] == ["lastname", "firstname", "id"]
    return begins and "section" in names[:9]


def _own(name):
    """The name of a column of ids that is called so itself."""
    folded = name.strip().casefold().replace(" ", "_")
    return folded if re.fullmatch(r"[a-z][a-z0-9_]{0,30}_id", folded) else None


def _folded(name):
    text = unicodedata.normalize("NFC", name).casefold().strip().lstrip("\ufeff")
    return re.sub(r"[\s_]+", " ", text) if not text.endswith("_id") else text.replace("student_id", "id")
