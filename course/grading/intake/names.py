"""Is there such a unit? Asked before anything large is imported: PyTorch and nbgrader take seconds, and a typing error should not."""

import contextlib
import difflib
import os
import sqlite3
from pathlib import Path

GRADEBOOK = "gradebook.db"


def unknown(unit, known):
    """What is said of a unit that the gradebook does not know."""
    if not known:
        return f"the gradebook knows no unit {unit!r}. Release it first: nbgrader generate_assignment {unit}"
    close = difflib.get_close_matches(unit, known, 1)
    meant = f"Did you mean {close[0]}?" if close else f"To release another one: nbgrader generate_assignment {unit}"
    return f"the gradebook knows no unit {unit!r}. There are: {', '.join(sorted(known))}. {meant}"


def refusal(root, unit):
    """Why this unit cannot be graded, or "" where it can, or where only nbgrader's settings say where the gradebook is."""
    file = Path(root) / GRADEBOOK
    if not file.is_file():
        return ""
    with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=1)) as gradebook:
        known = [name for (name,) in gradebook.execute("SELECT name FROM assignment")]
        if unit not in known and unit == os.path.basename(unit):
            return unknown(unit, known)
    return ""
