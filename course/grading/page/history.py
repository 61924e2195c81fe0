"""What came of every hand-in that was recorded, a line each, in .course_grade/<unit>/history.jsonl. Lines are added and never changed."""

import json
import os
from datetime import UTC, datetime

from course.grading.run.journal import digest

NAME = "history.jsonl"
LONGEST = 500
"""Characters that are kept of a mistake: an error's message may be of any length."""


def line_of(work, scores, calls):
    """What is kept of a recorded hand-in, as JSON can hold it.

    work: course.grading.round's Work; scores: {lesson: {cell: points by machine, or None}}; calls: {lesson: {cell: Call as a dict}}.
    """
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "student": work.student,
        "work": digest({lesson: [[cell.cell_type, cell.source] for cell in notebook.cells] for lesson, notebook in work.notebooks.items()}),
        "scores": scores,
        "verdicts": {lesson: _verdicts(work.results[lesson], calls[lesson]) for lesson in work.results},
        "reasons": work.reasons,
        "missing": sorted(work.missing),
    }


def _verdicts(result, calls):
    """{cell: [outcome, mistake]}; the same call in two cells has the same verdict."""
    told = {_asked(verdict): [verdict["outcome"], verdict["mistake"][:LONGEST]] for verdict in result["verdicts"].values()}
    return {cell: told[_asked(call)] for cell, call in calls.items() if _asked(call) in told}


def _asked(call):
    return call["kind"], call["name"], call["number"]


def add(folder, line):
    """Write one line at the end, in one piece. Where a killed run has left half a line, this one begins on its own."""
    data = json.dumps(line).encode() + b"\n"
    handle = os.open(folder / NAME, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        size = os.fstat(handle).st_size
        if size and os.pread(handle, 1, size - 1) != b"\n":
            data = b"\n" + data
        while data:
            data = data[os.write(handle, data) :]
    finally:
        os.close(handle)


def read(folder):
    """{student: [line, ...]}, the oldest first. A line that is torn or was never one of ours does not count."""
    found = {}
    try:
        text = (folder / NAME).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return found
    for piece in text.split("\n"):
        line = _whole(piece)
        if line:
            found.setdefault(line["student"], []).append(line)
    return found


def hand_ins(lines):
    """A student's lines without regrading: of one and the same work handed in, what was found out last."""
    return [line for line, after in zip(lines, [*lines[1:], None]) if after is None or after["work"] != line["work"]]


SHAPE = {"at": str, "student": str, "work": str, "scores": dict, "verdicts": dict, "reasons": dict, "missing": list}


def _whole(piece):
    try:
        line = json.loads(piece)
    except (ValueError, RecursionError):
        return None
    return line if isinstance(line, dict) and all(isinstance(line.get(key), kind) for key, kind in SHAPE.items()) else None
