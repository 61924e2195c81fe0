"""One open gradebook for all of nbgrader, and a copy of it for whoever only reads."""

import contextlib
import sqlite3
from unittest import mock

from nbgrader.api import Gradebook

SQLITE = "sqlite:///"
WAIT = 30
"""Seconds that another program may keep the gradebook to itself."""


@contextlib.contextmanager
def opened(db_url, course_id):
    """While inside, all of nbgrader shares one open Gradebook, which is given. Opening costs a quarter of a second, and is done eight times a notebook."""
    with Gradebook(db_url, course_id) as first:
        state = vars(first)
        shared = {"__init__": lambda self, *_, **__: vars(self).update(state), "close": lambda self: self.db.remove()}
        with mock.patch.multiple(Gradebook, **shared):
            yield first


def copied(db_url, file):
    """The address of a copy of a gradebook in a file, so that no reader keeps its writer waiting; of a server's, the server's own."""
    if not db_url.startswith(SQLITE):
        return db_url
    with contextlib.closing(sqlite3.connect(db_url.removeprefix(SQLITE), timeout=WAIT)) as source, contextlib.closing(sqlite3.connect(file)) as target:
        source.backup(target)
    return f"{SQLITE}{file}"
