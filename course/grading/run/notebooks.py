"""Pass 2: the notebooks run in a sandbox, and their graded cells are judged outside it. Plain data in, plain data out."""

import base64
import contextlib
import functools
import json
import multiprocessing.util
import threading
import time

import nbformat

from course import exercises
from course.checks import report
from course.checks.attempt import is_attempted
from course.checks.examine import PUBLIC_SEED, takes, verdict_on
from course.checks.verdict import CheckFailed, NotAttempted, Verdict
from course.grading.hidden import DRAWS
from course.grading.limits import Limits
from course.grading.sandbox import Lost, Missing, Sandbox
from course.learner.quiz import examine_for

from . import reasons, whose
from .clock import TooLate, bounded
from .journal import digest

RESTARTS = 3
"""How often a notebook may lose its session and start again without the cell that ended it."""
OUTPUTS = 20 * 2**20
"""How much all cells of a notebook may write, in characters of JSON."""
OF_A_CELL, OF_A_NOTEBOOK = 1000, 3000
"""How many outputs there may be: nbformat takes a thousandth of a second to look at one."""
JUDGING = 60
"""Seconds of the clock to judge all cases of one draw, or one question. It takes less than one."""
HOW = {"limits", "confined", "prelude", "aliases"}
"""What a job says of the way it is run and judged. All else is whose it is, and what was handed in."""
ONE_AT_A_TIME = threading.Lock()
OPEN = []
"""The sandbox of this process, if there is one."""
TOO_MUCH = f"[Left out: a notebook may write {OUTPUTS // 2**20} MB in {OF_A_NOTEBOOK} outputs.]\n"
TOO_MANY = f"[The rest is left out: a cell may have {OF_A_CELL} outputs.]\n"
STOPPED = {
    "time limit": "it took longer than it may. Is there a loop that never ends?",
    "memory": "it asked for more memory than it may have",
    "crash": "it ended the Python process that it ran in",
    "output limit": "it wrote more than a notebook may hold",
    "tampering": "it changed what the check itself relies on",
}


class NotRun(Exception):
    """This machine could not run a notebook. That says nothing of the notebook, and gives it no points and no zero."""


def run_job(job):
    """Run one notebook and judge it.

    job: {"student", "unit", "lesson", "seed", "limits", "confined", "files": {path: base64}, "cells": [{"type", "source", "call"}]}, where a
    graded cell has a `call` and no source; "prelude": sources, see Sandbox; "aliases": the student's other ids, where a question depends on them.
    Returns {"outputs": [outputs of each cell], "verdicts": {place: {...}}, "stopped": {place: why}, "notes": [sentences], "seconds"}.
    """
    with ONE_AT_A_TIME:  # a judge sets modes of torch and redirects what is printed
        for _ in range(2):
            sandbox = _sandbox(job["confined"], tuple(job["prelude"]), **job["limits"])
            result = _Notebook(job, sandbox).play()
            if sandbox.process.poll() is None:
                return result
            _sandbox.cache_clear()  # it was ended from outside, or by this very notebook: nobody else may suffer from it
        raise NotRun("the process that starts all sessions was killed, twice. Is the memory full?")


@functools.lru_cache(maxsize=1)
def _sandbox(confined, prelude, **limits):
    """The sandbox of this process, with torch imported, for all the notebooks that come."""
    leave()
    OPEN.append(Sandbox(Limits(**limits), confined, prelude).__enter__())
    multiprocessing.util.Finalize(None, leave, exitpriority=10)  # also in a worker, where atexit is not asked
    return OPEN[0]


def leave():
    """End the sandbox of this process."""
    while OPEN:
        OPEN.pop().__exit__(None, None, None)


class _Notebook:
    """One notebook on its way through one or more sessions."""

    def __init__(self, job, sandbox):
        self.job, self.sandbox, self.cells = job, sandbox, job["cells"]
        self.files = {place: base64.b64decode(data) for place, data in job["files"].items()}
        self.seed = seed_of(job)
        self.outputs, self.verdicts, self.stopped, self.place = [None] * len(self.cells), {}, {}, None
        self.room, self.number = OUTPUTS, OF_A_NOTEBOOK
        self.errors, self.left_out = {}, {}

    def play(self):
        began, left_out = time.monotonic(), set()
        lost = None
        for _ in range(RESTARTS + 1):
            self.place = None
            try:
                with self.sandbox.session(self.files) as session:
                    self._go_through(session, left_out)
                lost = None
                break
            except Lost as error:
                lost = error
                if self.place is not None:
                    left_out.add(self.place)
                    self.stopped.setdefault(str(self.place), lost.reason)
                    self._give(self.place, *_stopped(self.cells[self.place], lost.reason, lost.detail))
            if time.monotonic() - began > self.job["limits"].get("total_seconds", Limits().total_seconds):
                break
        if lost and self.place is None:
            raise NotRun(f"no session could be started for it ({lost})")
        for place, cell in enumerate(self.cells):
            if lost and cell["type"] == "code" and self.outputs[place] is None:
                detail = "The cells before it ended the session too often, or took all the time there is."
                self._give(place, *_stopped(cell, lost.reason, detail, ran=False))
        outputs = [_valid(outputs or []) for outputs in self.outputs]
        notes = [f"cell {place + 1}: left out is the import of {', '.join(names)}, and the rest ran" for place, names in self.left_out.items()]
        return {"outputs": outputs, "verdicts": self.verdicts, "stopped": self.stopped, "notes": notes, "seconds": round(time.monotonic() - began, 3)}

    def _go_through(self, session, left_out):
        """All cells in order. What a cell gave the first time counts: a later session only makes again what the following cells need."""
        about = {"HIDDEN_STATE_STUDENT": self.job["student"], "NBGRADER_EXECUTION": "autograde"}
        session.run(f"import os\nos.environ.update({about!r})\ndel os")
        for self.place, cell in enumerate(self.cells):  # noqa: B020 - the place is ours, also where an error is met
            if cell["type"] != "code" or self.place in left_out:
                continue
            if not cell.get("call"):
                ran = session.run(cell["source"])
                self._note(ran)
                if ran.error and ran.error["ename"] == "TimeLimit":
                    self.stopped.setdefault(str(self.place), "time limit")
                self._give(self.place, ran.outputs)
            elif self.outputs[self.place] is None:
                self._give(self.place, *self._judge(session, cell["call"]))

    def _note(self, ran):
        """What a cell raised and what it lacked, the last time it ran."""
        for kept, found in ((self.errors, ran.error), (self.left_out, ran.left_out)):
            kept.pop(self.place, None)
            if found:
                kept[self.place] = found

    def _give(self, place, outputs, verdict=None):
        if self.outputs[place] is not None:
            return
        if len(outputs) > OF_A_CELL:
            outputs = [*outputs[:OF_A_CELL], *_stream(TOO_MANY)]
        self.number -= len(outputs)
        self.room -= len(json.dumps(outputs)) if self.number > 0 else 0
        self.outputs[place] = outputs if verdict or min(self.room, self.number) > 0 else _stream(TOO_MUCH)
        if verdict:
            self.verdicts[str(place)] = verdict

    def _judge(self, session, call):
        try:
            return (self._check if call["kind"] == "check" else self._quiz)(session, call)
        except Lost:
            raise
        except TooLate:
            what = f"judging what came back took longer than {JUDGING} seconds. Is it very large, or nested very deep?"
            return _failed([], call, "stopped", f"STOPPED  {call['name']}: {what}", what)
        except Exception as error:  # of the check itself, over a result that nobody thought of
            what = f"the check of {call['name']} could not judge what came back ({type(error).__name__})"
            return _failed([], call, "raised", f"RAISED  {call['name']}: {what}", what)

    def _check(self, session, call):
        name, printed, tried = call["name"], "", 0
        for seed in (PUBLIC_SEED, *(self.seed + draw for draw in range(DRAWS))):
            verdict = _examined(session, name, call["variable"], seed)
            if not verdict.passed and verdict.finding.outcome == "not attempted yet":
                instead = self._missing(call) if self.stopped else self._reason(session, call, name)
                if instead:
                    return instead
            if not verdict.passed:
                text = report.text(verdict, unseen=seed != PUBLIC_SEED)
                return _failed(_stream(printed), call, verdict.finding.outcome, text, _mistake(verdict.finding))
            if seed == PUBLIC_SEED:
                printed = report.text(verdict) + "\n"
            else:
                tried += len(verdict.cases)
        printed += f"PASSED  {name}: {tried} more cases, not seen before\n"
        return _stream(printed), _verdict(call, "passed")

    def _missing(self, call):
        """Of a student whose cell was stopped we do not say that nothing was attempted."""
        reasons = ", ".join(dict.fromkeys(self.stopped.values()))
        text = f"STOPPED  {call['name']}: a cell above was left out ({reasons}), and what it defines is missing"
        return _failed([], call, "stopped", text, "")

    def _reason(self, session, call, label):
        """Outputs and verdict where something was written that the check cannot ask, or None."""
        missing = isinstance(session.value(call["variable"]), Missing)
        wanted = takes(exercises.find(label), _cases(label, PUBLIC_SEED)) if call["kind"] == "check" else ()
        found = reasons.find(self.cells, self.errors, self.place, call, wanted, missing)
        return found and _failed([], call, found.outcome, found.text(label), found.mistake, said=found.said)

    def _quiz(self, session, call):
        answer = session.value(call["variable"])
        if isinstance(answer, Missing) or not is_attempted(answer):
            instead = None if self.stopped else self._reason(session, call, f"question {call['number']}")
            if instead:
                return instead
        if isinstance(answer, Missing):
            what = f"name {call['variable']!r} is not defined"
            return _failed([], call, "raised", f"NameError: {what}", what)
        typed = whose.typed(session.value(call["who"])) if call.get("who") else ""
        with bounded(JUDGING):
            try:
                return _stream(self._answered(call, answer, typed) + "\n"), _verdict(call, "passed")
            except NotAttempted as error:
                return _failed([], call, "not attempted yet", str(error), "")
            except NotTheirs as error:
                return _failed([], call, "wrong", str(error), "answered for an id that is not their own", typed=typed)
            except CheckFailed as error:
                said = str(error).split("\n")[0].removeprefix(f"WRONG  question {call['number']}")
                return _failed([], call, "wrong", str(error), f"answered {said[2:]}" if said.startswith(", ") else said.removeprefix(": "))

    def _answered(self, call, answer, typed):
        """The report of an answer that is right for an id of the student's own. typed: the one in the notebook, which is only asked which of them comes first.

        Raises NotTheirs where it is right for the typed id alone, and that is not one of theirs; otherwise as `examine_for`, for the first id.
        """
        asked, own = (call["name"], call["number"], answer), whose.own(self.job)
        failed = []
        for who in sorted(own, key=lambda who: who != typed):
            try:
                return examine_for(*asked, who)
            except NotAttempted:
                raise
            except CheckFailed as error:
                failed.append(error)
            if not whose.varies(*asked[:2]):
                raise failed[0]
        if typed and typed not in own and _is_right(*asked, typed):
            raise NotTheirs(call["number"], typed, own)
        raise failed[0]


class NotTheirs(CheckFailed):
    """An answer that is right for the numbers of somebody else's id."""

    def __init__(self, number, typed, own):
        what = f"WRONG  question {number}: right for the numbers of {typed!r}, and this is not an id of yours"
        super().__init__(f"{what}\n\n  You are known as {', '.join(own)}: type one of these, run the cells again and answer for these numbers.")


def _is_right(*asked):
    with contextlib.suppress(CheckFailed):
        return bool(examine_for(*asked))
    return False


def seed_of(job):
    """The seed of the hidden cases of this very hand-in.

    An answer is shown its cases, and may print them for whoever reads the feedback. So the seed is drawn from all that was handed in and
    that the answer can read, the files beside the notebook as well as its cells: who writes down what was seen has other cases the next time.
    """
    handed_in = {name: value for name, value in job.items() if name not in HOW}
    return int(digest({**handed_in, "cells": [_as_before(cell) for cell in job["cells"]]})[:10], 16)


def _as_before(cell):
    """A cell without what came later to be known of its call: no hidden case of work that is graded already is drawn anew."""
    return {**cell, "call": {name: value for name, value in cell["call"].items() if name != "who"}} if cell.get("call") else cell


def _examined(session, name, variable, seed):
    """As `checks.examine`, with the answer on the other side of a border."""
    module, cases = exercises.find(name), _cases(name, seed)
    played = session.play(name, variable, cases)
    finding = played.finding
    if finding is None and not _all_there(cases, played.results):
        raise Lost("tampering", "Not every case came back.")
    with bounded(JUDGING):
        finding = finding or verdict_on(module, cases, played.results)
    return Verdict(name, cases, finding, played.results[0].printed if played.results else "")


def _all_there(cases, results):
    """Did every case come back, or all up to one that was stopped? A judge does not miss what is not there."""
    return 0 < len(results) <= len(cases) and (len(results) == len(cases) or results[-1].was_stopped)


@functools.lru_cache(maxsize=256)
def _cases(name, seed):
    """The cases of a draw. Those of the public one are the same for everybody."""
    cases = exercises.find(name).cases(seed)
    for case in cases if seed == PUBLIC_SEED else ():
        case.known = {}
    return cases


# Outputs


def _verdict(call, outcome, mistake="", **more):
    return {**call, "outcome": outcome, "mistake": mistake, **more}


def _mistake(finding):
    """What to count in a class. Not to have begun is no mistake."""
    if finding.outcome == "not attempted yet":
        return ""
    lines = [line.strip() for line in finding.what.splitlines() if line.strip()]
    return finding.cause or (f"raised {lines[-1]}" if finding.outcome == "raised" else lines[0])


def _failed(before, call, outcome, text, mistake, **more):
    """Outputs and verdict of a graded cell without points: its report stands where a traceback would."""
    output = nbformat.v4.new_output("error", ename="CheckFailed", evalue=text, traceback=text.splitlines())
    return [*before, output], _verdict(call, outcome, mistake, **more)


def _stopped(cell, reason, detail, ran=True):
    """Outputs and verdict of a cell that ended its session, or was never reached."""
    what = STOPPED.get(reason, reason) if ran else "it was not run"
    lines = [f"STOPPED: {reason}", "", f"  This cell was left out: {what}.".replace("?.", "?"), *([f"  {detail}"] if detail else [])]
    output = nbformat.v4.new_output("error", ename="Stopped", evalue=f"{reason}: {what}", traceback=lines)
    call = cell.get("call")
    return [output], call and _verdict(call, "stopped", f"{reason}: {what}")


def _stream(text):
    return [nbformat.v4.new_output("stream", name="stdout", text=text)] if text else []


def _valid(outputs):
    """Without those that nbformat refuses: one of them would stop nbgrader."""
    found = []
    for output in outputs:
        try:
            output = nbformat.from_dict(output)
            nbformat.validate(output, ref="output", version=4)
            found.append(output)
        except Exception:
            continue
    return found
