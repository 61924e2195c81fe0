"""What may go wrong with this machine while a class is graded, in words. Nobody's submission is to blame for it."""

import errno
import os
import sqlite3

from sqlalchemy.exc import DBAPIError

BACK = "Put back a copy of it, or release the unit again: nbgrader generate_assignment"
OF_THE_GRADEBOOK = {
    "database is locked": "the gradebook is locked: another program is writing to it. Close it (Formgrader, a browser of databases), and run this again",
    "file is not a database": f"the gradebook is no gradebook. {BACK}",
    "malformed": f"the gradebook is damaged. {BACK}",
    "database or disk is full": "the disk is full: the gradebook could not be written. Make room, and run this again",
    "readonly database": "the gradebook may not be written. Make it writable, with the folder that it is in",
    "unable to open database file": "the gradebook cannot be opened. Is it readable, and is its folder writable?",
    "disk I/O error": "the disk with the gradebook reports errors",
    "no such table": f"the gradebook is not one of nbgrader's. {BACK}",
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


def of_an_error(error):
    """The same of an OSError that ends the grading, whatever it is."""
    return in_words(error) or _with_place(f"{error.strerror or error}", error)


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
