"""Grading a class: sanitise, run, remember, record. `course.grading.cli` is the command around it."""

import base64
import os
import sqlite3
from concurrent.futures import BrokenExecutor, CancelledError
from dataclasses import asdict, dataclass, field
from pathlib import Path

import nbformat
from filelock import FileLock, Timeout
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import ClearHiddenTests
from nbgrader.utils import find_all_files
from sqlalchemy.exc import SQLAlchemyError

from . import backups, drift, gradebook, removal, settings
from .intake.reader import Gone, Reader
from .intake.submissions import Submission, Unreadable, find_students, odd_name, shown
from .intake.unit import GradeError, read_unit, units
from .limits import Limits, SandboxMissing
from .page import history
from .report.record import Book
from .report.summary import MISSING
from .report.written import written
from .roster.people import RosterError
from .run import pool, whose
from .run.called import run_by
from .run.journal import Journal, digest, key_of
from .seed import FOLDER, ROOT_MARK, STUDENTS, hidden_seed, marked
from .trouble import in_words, of_an_error

COPY, LAST = "gradebook_copy.db", "last_time"
MANY = 20
"""From so many students on it pays to run the lessons' open cells once before all sessions."""
NOBODY = "nobody has handed in '{unit}' yet. Collect it, or put each student's notebooks into submitted/<student>/{unit}/"
REVISION = 2
"""Raise it when the same result should be recorded in another way."""


@dataclass
class Work:
    """One student's submission on its way to the gradebook."""

    student: str
    notebooks: dict = field(default_factory=dict)
    cells: dict = field(default_factory=dict)
    keys: dict = field(default_factory=dict)
    results: dict = field(default_factory=dict)
    reasons: dict = field(default_factory=dict)
    missing: set = field(default_factory=set)
    notes: list = field(default_factory=list)
    files: dict = field(default_factory=dict)
    written: dict = field(default_factory=dict)
    """{lesson: the cells graded by hand in which something was written}"""
    status: str = "waiting"
    """waiting, graded, unchanged or failed"""
    failure: str = ""

    @property
    def ready(self):
        return self.status == "waiting" and set(self.keys) <= set(self.results)


@dataclass(frozen=True)
class Options:
    """How to grade. students: the only ones, or () for all; again: run also what is in the journal; scheduler: of a Dask cluster, or "";
    tls: the files with the authority, the certificate and the key for it, or (); insecure: whether it may do without."""

    students: tuple = ()
    workers: int = 1
    again: bool = False
    confined: bool = True
    limits: Limits = Limits()
    scheduler: str = ""
    tls: tuple = ()
    insecure: bool = False


def find_root():
    """The course's folder: the nearest upward from here with nbgrader_config.py, which is a program that runs here. Raises GradeError.

    So it has to be the instructor's own: nothing that lies among what students wrote, and nobody else's.
    """
    for folder in marked():
        owner = (folder / ROOT_MARK).stat().st_uid
        if owner not in (os.getuid(), 0):
            raise GradeError(f"{folder / ROOT_MARK} belongs to another user (number {owner}), and it would run with your rights. Make it your own first")
        return folder
    raise GradeError(
        f"{Path.cwd()} is in no course: neither it nor a folder above it holds {ROOT_MARK}, but for what lies in a folder called "
        f"{', '.join(sorted(STUDENTS))}. Go to the course's folder first"
    )


class Round:
    """One run of `course grade`, with the course's folder as the current one: made, then `run` once, then read."""

    def __init__(self, root, unit, options):
        _check_name(unit)
        self.root, self.unit, self.options = Path(root), unit, options
        folder = self.root / FOLDER
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            os.listdir(folder)
        except OSError as error:
            raise GradeError(f"{folder} cannot be used: {error.strerror}. It holds what has been run already: you may delete it") from None
        self.folder = folder / unit
        self.config = settings.read()
        self.db_url = CourseDirectory(config=self.config).db_url
        # A file has one writer at a time; a server has as many as come, and then two are kept apart in one unit only.
        self.lock = FileLock(folder / (".lock" if backups.file_of(self.db_url) else f".lock_{unit}"), timeout=0)
        self.work, self.totals, self.last, self.others, self.ran, self.remarks = {}, {}, {}, {}, 0, []

    def run(self, watch):
        """Grade. watch(student, done, of) is called as students are finished. Raises GradeError or SandboxMissing."""
        try:
            with self.lock, Reader() as self.reader:
                self._begin()
                with self.book.opened():
                    self._all(watch)
                    self.totals = self.book.totals()
                self._remember()
                if not self.options.students:
                    self.journal.forget_all_but({key for work in self.work.values() for key in work.keys.values()})
        except Timeout:
            raise GradeError(f"another `course grade` is at work in {self.root}. Wait until it is done") from None
        except (OSError, SQLAlchemyError, sqlite3.Error) as error:
            raise GradeError(of_an_error(error, self.db_url)) from error
        finally:
            removal.remove(self.folder / COPY)

    def _remember(self):
        """The points of the last time, and those of now for the next one."""
        self.last = self.recorded.find(LAST) or {}
        self.recorded.keep(LAST, {**self.last, **{student: self.totals[student].score for student in self.work if student in self.totals}})

    def _begin(self):
        self.book = Book(self.config, self.unit, self.folder / "staged")
        course = self.book.course
        self._look_at_gradebook()
        self.lessons = read_unit(course.db_url, self.unit)
        self.remarks = drift.remarks(course, self.unit)
        self.folders = self._submitted()
        backups.keep(course.db_url)
        self.journal, self.recorded = Journal(self.folder / "journal"), Journal(self.folder / "recorded")
        self._order()
        self.seed = hidden_seed()
        source = course.format_path(course.source_directory, ".", self.unit)
        masters = {os.path.relpath(file, source): Path(file) for file in find_all_files(source, [*course.ignore, "*.ipynb"])}
        students_own = self.book.recorder.exclude_overwriting.get(self.unit, [])
        self.prelude = _open_cells(source) if len(self.folders) >= MANY else []
        self.masters = {place: file.read_bytes() for place, file in masters.items() if place not in students_own}

    def _look_at_gradebook(self):
        """Is there one, and can it be used? Nothing has been written yet."""
        database = backups.file_of(self.db_url)
        if database and not database.exists():
            kept = f" {backups.way_back(self.db_url)}" if backups.copies(self.db_url) else f" Release the unit first: nbgrader generate_assignment {self.unit}"
            raise GradeError(f"there is no gradebook yet ({database}).{kept}")
        gradebook.look_at(self.db_url)

    def _submitted(self):
        """{student: folder} of those to be graded."""
        found = find_students(CourseDirectory(config=self.config), self.unit)
        everybody = [*found.students, *found.lost, *found.loose]
        if not everybody:
            raise GradeError(NOBODY.format(unit=self.unit))
        unknown = [student for student in self.options.students if student not in everybody]
        if unknown:
            names = ", ".join(map(shown, everybody))
            raise GradeError(f"no submission of {', '.join(map(shown, unknown))} in submitted/ for {self.unit!r}. There are: {names}")
        self.levels, self.others = found.levels, {} if self.options.students else found.others
        try:
            self.known, self.everybody = whose.read(self.root, everybody), [] if self.options.students else everybody
        except RosterError as error:
            raise GradeError(f"{error}") from None
        chosen = self.options.students or everybody
        self.lost = {student: reason for student, reason in found.lost.items() if student in chosen}
        self.loose = {student: folder for student, folder in found.loose.items() if student in chosen}
        return {student: folder for student, folder in found.students.items() if student in chosen}

    def _order(self):
        """Tell the reader what it needs to know."""
        copy = self.folder / COPY
        removal.remove(copy)
        self.reader.order = {
            "root": str(self.root),
            "unit": self.unit,
            "db_url": gradebook.copied(self.book.course.db_url, copy),
            "lessons": [*self.lessons],
            "ignore": [*self.book.course.ignore],
            "levels": self.levels,
            "loose": [*self.loose],
            "units": [name for name in units(self.book.course.db_url) if name != self.unit] if self.loose else [],
        }
        self._take_loose()

    def _take_loose(self):
        """Who has no folder of the unit, but its lessons, is graded too."""
        for student, folder in self.loose.items():
            try:
                found = self.reader.read(student, folder)
            except (Unreadable, Gone) as error:
                self.others[student] = f"holds no folder {self.unit}, and {error}"
                continue
            if found.is_of_unit:
                self.folders[student] = folder
                self.others.pop(student, None)
            elif (reason := next(iter(found.reasons.values()), "")) and "recognised" in reason:
                self.others[student] = f"holds no folder {self.unit}, and {reason}"
        if not self.folders and not self.lost:
            raise GradeError(NOBODY.format(unit=self.unit))

    def _all(self, watch):
        self.before, self.due, self.extensions = self.book.grades(), self.book.due(), self.book.extensions()
        self.by_hand = self.book.by_hand()
        done = 0
        for work in self._as_they_finish():
            done += 1
            watch(work.student, done, len(self.folders) + len(self.lost))

    def _as_they_finish(self):
        """Every student's Work, once it is recorded, unchanged or has failed."""
        finished = []
        for (student, lesson), result in self._run(self._jobs(finished)):
            self._take(student, lesson, result, finished)
            while finished:
                yield finished.pop()
        yield from finished

    def _run(self, jobs):
        """(name, result) of each job. Where a process is killed from outside, all that ran then is run again, one at a time: so only one is to blame."""
        while suspects := (yield from self._run_until_broken(jobs, self.options.workers)):
            suspects = iter(suspects)
            while blamed := (yield from self._run_until_broken(suspects, 1, ahead=1)):
                for name, _ in blamed:
                    yield name, BrokenExecutor()

    def _run_until_broken(self, jobs, workers, ahead=pool.AHEAD):
        """(name, result) of each job, by processes of this machine or of a cluster. Returns the jobs without a result, as soon as these processes are no more."""
        waiting = {}

        def noted():
            for name, job in jobs:
                waiting[name] = job
                yield name, job

        executor, workers = self._executor(workers)
        try:
            for name, result in pool.run_all(noted(), executor, workers * ahead, 3 * self.options.limits.total_seconds + pool.STARTS):
                if isinstance(result, BrokenExecutor):
                    executor.shutdown(wait=False, cancel_futures=True)
                    return list(waiting.items())
                del waiting[name]
                yield name, result
        except CancelledError:
            raise GradeError("the Dask scheduler is gone. What has been run is kept: start it again and run the same command") from None
        except BaseException as error:
            executor.shutdown(wait=False, cancel_futures=True)
            if isinstance(error, TimeoutError):
                raise GradeError(f"the workers give no results any more: {error}. What has been run is kept: run the same command again") from None
            raise
        executor.shutdown()
        return []

    def _executor(self, workers):
        """Where notebooks are run, and how many at the same time."""
        if not self.options.scheduler:
            return pool.processes(workers), workers
        try:
            from .run.cluster import Cluster
        except ModuleNotFoundError as error:
            raise GradeError(f"--scheduler needs {error.name}, which is not installed: pip install 'distributed>=2025.1'") from None
        cluster = Cluster(self.options.scheduler, self.options.confined, self.options.tls, self.options.insecure)
        return cluster, cluster.workers

    def _jobs(self, finished):
        """((student, lesson), job) of all that must be run; who needs none is recorded on the way."""
        for student, reason in self.lost.items():
            self.work[student] = Work(student)
            self._give_up(self.work[student], reason, finished)
        for student, folder in self.folders.items():
            try:
                work = self.work[student] = self._prepare(student, folder)
            except Exception as error:  # whatever it is, it stops nobody else
                work = self.work[student] = Work(student)
                self._give_up(work, f"{error}" if isinstance(error, Gone) else f"it could not be prepared: {type(error).__name__}: {error}", finished)
                continue
            beside = self._beside(work)
            jobs = {lesson: self._job(work, lesson, beside | self._run_by(work, lesson)) for lesson in work.notebooks if lesson not in work.reasons}
            work.cells = {lesson: [cell["id"] for cell in job["cells"]] for lesson, job in jobs.items()}
            work.keys = {lesson: key_of(job) for lesson, job in jobs.items()}
            known = {} if self.options.again else {lesson: self.journal.find(key) for lesson, key in work.keys.items()}
            work.results = {lesson: value for lesson, value in known.items() if value and _fits(value, jobs[lesson])}
            self._finish_if_ready(work, finished)
            yield from (((student, lesson), {**job, "prelude": self.prelude}) for lesson, job in jobs.items() if lesson not in work.results)

    def _take(self, student, lesson, result, finished):
        """A notebook has been run, or its worker could not do it."""
        work = self.work[student]
        if isinstance(result, SandboxMissing):
            raise result
        if not isinstance(result, dict):
            ended = f"{lesson}: the process that ran it was killed from outside, twice. Is the memory full?"
            self._give_up(work, ended if isinstance(result, BrokenExecutor) else f"{lesson}: {type(result).__name__}: {result}", finished)
            return
        self.ran += 1
        self.journal.keep(work.keys[lesson], {**result, "limits": asdict(self.options.limits)})
        work.results[lesson] = result
        self._finish_if_ready(work, finished)

    def _give_up(self, work, failure, finished):
        """This student has no grade in this run."""
        if work.status != "failed":
            work.status, work.failure = "failed", failure
            finished.append(work)

    # Pass 1

    def _prepare(self, student, folder):
        """A student's Work, as far as it comes. Raises Gone where this machine could not read it."""
        submission = self._read(student, folder)
        work = Work(student, reasons=submission.reasons, missing=submission.missing, notes=[*filter(None, [odd_name(student)]), *submission.notes])
        if submission.lost:
            raise Gone(submission.lost)
        work.files = {place: data for place, data in submission.files.items() if not self._is_in_the_way(place)}
        work.notes += [f"{place} has the name of something in the unit, and was left out" for place in submission.files if place not in work.files]
        for lesson in submission.notebooks:
            try:
                work.notebooks[lesson], notes = self.reader.clean(student, folder, lesson)
                work.notes += [f"{lesson}: {note}" for note in notes]
            except Unreadable as error:
                work.reasons[lesson] = f"{lesson}.ipynb {error}"
        for lesson in work.missing:
            work.reasons[lesson] = MISSING
        for lesson, reason in work.reasons.items():
            told = f"{lesson}.ipynb {reason}" if lesson in work.missing else reason
            work.notebooks[lesson] = self.reader.placeholder(student, lesson, told)
        return work

    def _read(self, student, folder):
        try:
            return self.reader.read(student, folder)
        except Unreadable as error:
            return Submission(student, reasons=dict.fromkeys(self.lessons, f"the folder of the submission {error}"))

    def _is_in_the_way(self, place):
        """Would this file be a folder of the unit's, or lie in one of its files?"""
        return any(master.startswith(f"{place}/") or place.startswith(f"{master}/") for master in self.masters)

    def _beside(self, work):
        """{path: base64} of the files beside a student's notebooks: the unit's, and the student's own."""
        return {place: base64.b64encode(data).decode() for place, data in {**work.files, **self.masters}.items()}

    def _run_by(self, work, lesson):
        """{path: base64} of the student's other lessons that this one calls with %run: their open cells alone."""
        if not any("%run" in cell.source for cell in work.notebooks[lesson].cells):
            return {}
        cells = {name: [_cell(cell, self.lessons[name]) for cell in notebook.cells] for name, notebook in work.notebooks.items() if name not in work.reasons}
        return {place: base64.b64encode(data).decode() for place, data in run_by(lesson, cells).items()}

    def _job(self, work, lesson, beside):
        """What a worker needs to know, and nothing that it should not."""
        calls, notebook = self.lessons[lesson], work.notebooks[lesson]
        return {
            "student": work.student,
            "unit": self.unit,
            "lesson": lesson,
            "seed": self.seed,
            "confined": self.options.confined,
            "limits": asdict(self.options.limits),
            "files": beside,
            "cells": [_cell(cell, calls) for cell in notebook.cells],
            **({"aliases": self.known.aliases(work.student)} if whose.depends(calls.values()) else {}),
        }

    # Pass 4

    def _finish_if_ready(self, work, finished):
        if not work.ready:
            return
        mark = self._mark(work)
        if not self.options.again and self._is_recorded(work, mark):
            work.status = "unchanged"
        else:
            self._record(work, mark)
        work.written = {lesson: written(notebook, self.by_hand.get(lesson, {})) for lesson, notebook in work.notebooks.items()}
        work.notebooks, work.files = {}, {}
        finished.append(work)

    def _mark(self, work):
        """The digest of all that is recorded of a student."""
        notebooks = {lesson: nbformat.writes(notebook) for lesson, notebook in work.notebooks.items()}
        outputs = {lesson: result["outputs"] for lesson, result in work.results.items()}
        late = self.due, self.extensions.get(work.student), *(repr(self.config.get(part)) for part in ("LateSubmissionPlugin", "AssignLatePenalties"))
        return digest(REVISION, work.keys, outputs, notebooks, work.reasons, sorted(work.missing), self._beside(work), late)

    def _is_recorded(self, work, mark):
        """Was just this recorded, and is it still there?"""
        told = self.recorded.find(digest(work.student))
        now = _by_machine(self.before.get(work.student, {}))
        return bool(told) and told["mark"] == mark and told["scores"] == now and self.book.has_notebooks(work.student, work.notebooks)

    def _record(self, work, mark):
        outputs = {lesson: result["outputs"] for lesson, result in work.results.items()}
        outputs |= {lesson: _refused(work.notebooks[lesson], self.lessons[lesson], reason) for lesson, reason in work.reasons.items()}
        try:
            self.book.record(work.student, work.notebooks, outputs, work.reasons, work.files)
        except Exception as error:  # of nbgrader's or of what it stands on, over one student's work: all others go on
            if in_words(error):  # but for the gradebook or the disk itself: nobody's work is to blame, and nobody else's can be recorded either
                raise GradeError(of_an_error(error, self.db_url)) from None
            work.status, work.failure = "failed", f"nbgrader could not record it: {type(error).__name__}: {error}"
            return
        work.status = "graded"
        scores = _by_machine(self.book.grades_of(work.student))
        history.add(self.folder, history.line_of(work, scores, self.lessons))
        self.recorded.keep(digest(work.student), {"student": work.student, "mark": mark, "scores": scores})


def _fits(result, job):
    """Is a result of before one of this job? Where a cell was stopped, other limits may give another one."""
    return len(result["outputs"]) == len(job["cells"]) and (not result["stopped"] or result.get("limits") == job["limits"])


def _cell(cell, calls):
    """A cell as it goes to a worker. A graded one goes as the call in it: its source holds the hidden tests."""
    call = calls.get(cell.metadata.get("nbgrader", {}).get("grade_id"))
    if cell.cell_type != "code" or call:
        return {"type": cell.cell_type, "id": cell.id, "call": call}
    if cell.metadata.get("nbgrader", {}).get("locked"):
        cell = cell.copy()
        ClearHiddenTests()._remove_hidden_test_region(cell)
    return {"type": "code", "id": cell.id, "source": cell.source}


def _open_cells(source):
    """The code cells of a unit's lessons that everybody has alike: no answers, no checks."""
    notebooks = [nbformat.read(file, as_version=4) for file in sorted(Path(source).glob("*.ipynb"))]
    cells = [cell for notebook in notebooks for cell in notebook.cells if cell.cell_type == "code"]
    marks = [cell.metadata.get("nbgrader", {}) for cell in cells]
    return ["my_guess = None", *(cell.source for cell, mark in zip(cells, marks) if not mark.get("grade") and not mark.get("solution"))]


def _refused(notebook, calls, reason):
    """The outputs of a placeholder: each graded cell says why it has no points."""
    output = nbformat.v4.new_output("error", ename="NotGraded", evalue=reason, traceback=[f"NOT GRADED: {reason}"])
    return [[output] if cell.metadata.get("nbgrader", {}).get("grade_id") in calls else [] for cell in notebook.cells]


def _by_machine(lessons):
    return {lesson: {cell: scores[0] for cell, scores in cells.items()} for lesson, cells in lessons.items()}


def _check_name(unit):
    if not unit or unit != os.path.basename(unit) or unit.startswith("."):
        raise GradeError(f"{unit!r} is no name of a unit. Units are the folders in solutions/, as in: course grade pipeline")
