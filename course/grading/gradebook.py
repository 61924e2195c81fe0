"""One open gradebook for all of nbgrader, and a copy of it for whoever only reads."""

import contextlib
import functools
import os
import sqlite3
from unittest import mock

from nbgrader.api import Gradebook
from sqlalchemy import text

from . import schema

SQLITE = "sqlite:///"
WAIT = 30
"""Seconds that another program may keep the gradebook to itself."""
EMPTY = "the file of the gradebook is empty"


OF_A_LESSON = ("find_notebook", "find_source_cell")
"""What nbgrader asks of its gradebook for every cell of every submission, and what is the same for all."""


@contextlib.contextmanager
def opened(db_url, course_id, is_copy=False):
    """While inside, all of nbgrader shares one open Gradebook, which is given. Opening costs a quarter of a second, and is done eight times a notebook.

    is_copy: nobody else writes to it. Then what was found of a lesson is not looked up again for every student.
    """
    with Gradebook(db_url, course_id) as first:
        if is_copy:
            vars(first).update({name: functools.cache(getattr(first, name)) for name in OF_A_LESSON})
        state = vars(first)
        shared = {"__init__": lambda self, *_, **__: vars(self).update(state), "close": lambda self: None if is_copy else self.db.remove()}
        with mock.patch.multiple(Gradebook, **shared), schema.looked_at_once():
            yield first


def take_turn(connection, student):
    """Wait until no other grader writes this student's grades, and keep them waiting until the transaction on this connection ends.

    On a server two may write at once, and nbgrader looks for a student's rows before it adds them: without this both would add them. A file has one writer.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("select pg_advisory_xact_lock(hashtext(:who))"), {"who": f"course grade: {student}"})


def look_at(db_url):
    """Look whether the file of a gradebook is whole, before anything is written to it. Raises sqlite3.Error, of which `trouble` knows the words."""
    if not db_url.startswith(SQLITE):
        return
    file = db_url.removeprefix(SQLITE)
    if os.path.getsize(file) == 0:  # nbgrader would make a new gradebook of it, in which nobody has a grade
        raise sqlite3.DatabaseError(EMPTY)
    with contextlib.closing(sqlite3.connect(file, timeout=WAIT)) as connection:
        [found], *_ = connection.execute("pragma quick_check(1)").fetchall()
        if found != "ok":
            raise sqlite3.DatabaseError(f"database disk image is malformed: {found}")
        connection.execute("select name from assignment limit 1")


def copied(db_url, file):
    """The address of a copy of a gradebook in a file, so that no reader keeps its writer waiting; of a server's, the server's own."""
    if not db_url.startswith(SQLITE):
        return db_url
    with contextlib.closing(sqlite3.connect(db_url.removeprefix(SQLITE), timeout=WAIT)) as source, contextlib.closing(sqlite3.connect(file)) as target:
        source.backup(target)
    return f"{SQLITE}{file}"
