"""What may go wrong with this machine while a class is graded, in words. Nobody's submission is to blame for it."""

import errno
import os
import sqlite3

from sqlalchemy.exc import DBAPIError

from .backups import way_back
from .gradebook import EMPTY

LOST_GRADEBOOK = {
    "file is not a database": "the gradebook is no gradebook",
    "malformed": "the gradebook is damaged",
    EMPTY: "the gradebook is empty",
    "no such table": "the gradebook is not one of nbgrader's",
}
"""What only a copy can mend: `backups.way_back` says where one is."""
PASSWORD = "Put it into the variable PGPASSWORD or into ~/.pgpass, where no other program shows it"
NO_ANSWER = "the gradebook's server does not answer. Is it running, and is its address right?"
GONE = "the gradebook's server has ended the connection. What was graded by then stays. Run this again when it is back"
OF_THE_GRADEBOOK = {
    **LOST_GRADEBOOK,
    "database is locked": "the gradebook is locked: another program is writing to it. Close it (Formgrader, a browser of databases), and run this again. "
    "What was graded by then stays",
    "database or disk is full": "the disk is full: the gradebook could not be written. Make room, and run this again",
    "readonly database": "the gradebook may not be written. Make it writable, with the folder that it is in",
    "unable to open database file": "the gradebook cannot be opened. Is it readable, and is its folder writable?",
    "disk I/O error": "the disk with the gradebook reports errors",
    "password authentication failed": f"the gradebook's server refuses the password. {PASSWORD}",
    "no password supplied": f"the gradebook's server asks for a password. {PASSWORD}",
    "InsufficientPrivilege": "the gradebook's server lets this user read or write too little. Let the user own the database",
    "read-only transaction": "the gradebook's server may only be read at the moment. Run this again when it may be written",
    "FATAL:  database": "the gradebook's server has no such database. Make it there: createdb NAME",
    "connection timeout expired": NO_ANSWER,
    "connection failed: connection to server": NO_ANSWER,
    "connection is bad: connection to server": NO_ANSWER,
    "failed to resolve host": NO_ANSWER,
    "terminating connection due to": GONE,
    "server closed the connection unexpectedly": GONE,
    "consuming input failed": GONE,
    "no such column": "the gradebook is of another version of nbgrader. Make a copy of it, then: nbgrader db upgrade",
}
OF_THE_SYSTEM = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "you may not use more of the disk",
    errno.EROFS: "the disk may only be read",
    errno.EIO: "the disk reports errors",
    errno.EMFILE: "too many files are open",
    errno.ENFILE: "too many files are open on this machine",
    errno.ENOMEM: "the memory is full",
}
SIGNS = {**OF_THE_GRADEBOOK, **{os.strerror(number): words for number, words in OF_THE_SYSTEM.items()}}
GOES_ON = ". What was graded by then stays. Run this again afterwards"


def in_words(error):
    """What an error of the machine or of the gradebook means and what to do, or "" where it is something else."""
    for each in _chain(error):
        if isinstance(each, (DBAPIError, sqlite3.Error)):
            return _of_a_text(f"{each}") or f"the gradebook cannot be used: {str(getattr(each, 'orig', each))[:200]}"
        if isinstance(each, OSError) and each.errno in OF_THE_SYSTEM:
            return _with_place(OF_THE_SYSTEM[each.errno], each) + GOES_ON
    return _of_a_text(f"{error}")


def of_an_error(error, db_url):
    """What to tell of an error of the gradebook or the system that ends the grading, whatever it is; with the way back where the gradebook is lost."""
    words = in_words(error) or _with_place(f"{getattr(error, 'strerror', None) or error}", error)
    return f"{words}. {way_back(db_url)}" if words in LOST_GRADEBOOK.values() else words


def _of_a_text(text):
    """By a piece of what was said: nbgrader hands on no more than the words."""
    return next((words for sign, words in SIGNS.items() if sign in text), "")


def _with_place(words, error):
    return f"{words}: {error.filename}" if error.filename else words


def _chain(error):
    seen = []
    while error is not None and error not in seen:
        seen.append(error)
        error = error.__cause__ or error.__context__
    return seen
