"""The sandbox: runs students' notebooks and plays exercises where nothing of the grader's can be reached.

    with Sandbox() as sandbox, sandbox.session({}) as session:
        session.run("def to_probs(logits): return logits.softmax(-1)")
        played = session.play("to_probs", "to_probs", cases)

One zygote with torch imported forks a child for each session. Both live behind a border that only data cross: see `wire`.
What comes back is looked at by `trust`; deciding what it is worth is the judge's, and the judge is never inside.
"""

import contextlib
import os
import signal
import socket
import subprocess
import tempfile
import threading
import time
from dataclasses import asdict, dataclass, field
from pathlib import PurePosixPath

from course.checks.play import SECONDS
from course.grading import removal
from course.grading.limits import Limits, SandboxMissing

from . import cgroup, start, trust, wire
from .wire import ANSWER, MESSAGE

__all__ = ["Limits", "Lost", "Missing", "NotPlain", "Played", "Ran", "Sandbox", "SandboxMissing", "Session"]

STARTING = 60
ENDING = 5
POLITE = 2.0
"""Seconds that a cell has to stop after it was interrupted."""
CASE = 3 * SECONDS + POLITE
"""Seconds for one case, in which an answer is called three times: the session has a clock of its own, but a student can stop it."""


@dataclass
class Ran:
    """What a cell did. outputs: as nbformat 4 writes them, an error among them; error: its last one, {"ename", "evalue", "traceback"}, or None;
    left_out: the packages that it imports and that are not there."""

    outputs: list
    error: dict | None = None
    left_out: list = field(default_factory=list)


@dataclass
class Played:
    """What an exercise did. finding: why it was not played, or None; results: one Result for each case, up to one that was stopped."""

    finding: object = None
    results: list = field(default_factory=list)


class Lost(Exception):
    """The session is over. reason: "time limit", "memory", "crash", "output limit" or "tampering"; detail: a sentence."""

    def __init__(self, reason, detail):
        super().__init__(f"{reason}: {detail}")
        self.reason, self.detail = reason, detail


class Missing:
    """There is no such name."""

    def __repr__(self):
        return "nothing of that name"


@dataclass(frozen=True)
class NotPlain:
    """A value that does not cross the border. description: what it is, in a few words."""

    description: str

    def __repr__(self):
        return self.description


class Sandbox:
    """A zygote and its sessions; leaving it ends them all. Enter it in a thread that lives as long: the zygote dies with it.

    confined=False runs the students' code with the grader's own rights. prelude: sources of cells of the instructor's that are run
    once in the zygote, so that what they import and draw is there in each session. Raises SandboxMissing where this machine cannot confine.
    """

    def __init__(self, limits=None, confined=True, prelude=()):
        limits = limits or Limits()
        self.limits, self.confined, self.prelude = limits, confined, prelude
        self.folder = self.mark = self.process = self.control = self.group = None
        self.lock = threading.Lock()

    def __enter__(self):
        self.folder, self.mark = start.new_folder()
        try:
            self.group = cgroup.new(self.limits.memory) if self.confined else None
            self.process, self.control = start.launch(self.folder, self.confined, self.prelude, self.limits.memory, self.group)
            self.control.settimeout(STARTING)
            self._answer()
            start.hide(self.folder)
            with self.session():  # shows whether a child can be confined
                pass
        except (Lost, wire.Closed, OSError):
            words, ended = self._close()
            raise start.explain(self.confined, words, ended) from None
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(self, *_):
        self._close()

    def _close(self):
        """End the zygote and all sessions. Returns its last words, and its exit status where it had ended before that."""
        ended = self._ended()
        if self.control:
            self.control.close()
        if self.process:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(ENDING)  # the zygote has seen that the grader hung up, and ends its children
            self.process.kill()
            self.process.wait()
        if self.group:
            self.group.close()
        log = self.folder / "log"
        words = log.read_text(errors="replace")[-2000:] if log.exists() else ""
        removal.remove(self.folder)
        self.mark.close()
        self.process = self.control = None
        return words, ended

    def _ended(self):
        """How the zygote has ended, or None. Where it has hung up, it is given a moment to do so."""
        if self.process and self.control:
            with contextlib.suppress(OSError):
                self.control.settimeout(0)
                if not self.control.recv(1):
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        self.process.wait(1)
        return self.process and self.process.poll()

    def session(self, files=()):
        """A session with these files, {relative name: bytes}, in the folder where it runs. Raises ValueError for a name that leads elsewhere."""
        files = dict(files)
        for name in files:
            if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts or not PurePosixPath(name).parts or "\0" in name:
                raise ValueError(f"{name!r} is no name inside a folder")
        return Session(self, files)

    def ask(self, what, pid=0, file=None):
        """One message to the zygote and its answer: (pid, whether the child ended by itself, its wait status)."""
        with self.lock:
            data = MESSAGE.pack(what, pid)
            try:
                if file is None:
                    self.control.sendall(data)
                else:
                    socket.send_fds(self.control, [data], [file])
                return self._answer()
            except (OSError, wire.Closed, AttributeError):
                if self.process:
                    self.process.kill()  # it may be stopped, and answer later to another question
                raise Lost("crash", "The process that starts all sessions is gone.") from None

    def _answer(self):
        data = self.control.recv(ANSWER.size)
        if len(data) < ANSWER.size:
            raise wire.Closed
        return ANSWER.unpack(data)


class Session:
    """One child and the conversation with it. After a Lost it is dead."""

    def __init__(self, sandbox, files):
        self.sandbox, self.limits, self.files = sandbox, sandbox.limits, files
        self.pid = self.sock = self.folder = None

    def __enter__(self):
        self.ends = time.monotonic() + self.limits.total_seconds
        self.folder = "/tmp" if self.sandbox.confined else tempfile.mkdtemp(dir=self.sandbox.folder)
        self.sock, its = socket.socketpair()
        with its:
            self.pid = self.sandbox.ask(b"f", file=its.fileno())[0]
        if self.pid < 0:
            raise Lost("crash", "No process could be made for the notebook.")  # the zygote has said why in its log
        try:
            said = self._ask({"limits": asdict(self.limits), "folder": self.folder, "files": self.files}, self.limits.cell_seconds)
            if "failed" in said:
                raise start.explain(self.sandbox.confined, said["failed"])
            if "refused" in said:
                raise Lost("crash", f"The files beside the notebook could not be laid out: {said['refused']}.")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.sock:
            self.sock.close()
            self.sock = None
            with contextlib.suppress(Lost):
                self.sandbox.ask(b"k", self.pid)
        if self.folder and not self.sandbox.confined:
            removal.remove(self.folder)

    def run(self, source):
        """Execute one code cell. A cell that takes too long is interrupted; its error is a TimeLimit. Raises Lost."""
        deadline, late = self._deadline(self.limits.cell_seconds), False
        self._send(("run", (source,)), deadline)
        try:
            answer = self._receive(deadline, patient=True)
        except TimeoutError:
            late = True
            self.sandbox.ask(b"i", self.pid)
            answer = self._receive(time.monotonic() + POLITE)
        outputs, error, left_out = self._trusted(trust.ran, answer, self.limits.output)
        return self._timed_out(outputs) if late else Ran(outputs, error, left_out)

    def _timed_out(self, outputs):
        words = f"this cell took longer than {self.limits.cell_seconds:g} seconds and was stopped"
        error = {"ename": "TimeLimit", "evalue": words, "traceback": [f"TimeLimit: {words}"]}
        kept = [output for output in outputs if output["output_type"] != "error"]
        return Ran([*kept, {"output_type": "error", **error}], error)

    def value(self, name):
        """What the cells call `name`: a plain value (or a small tensor, or ...); Missing() or NotPlain(description) otherwise. Raises Lost."""
        answer = self._ask(("value", (name,)), self.limits.cell_seconds)
        if isinstance(answer, dict) and set(answer) == {"missing"}:
            return Missing()
        if isinstance(answer, dict) and set(answer) == {"not plain"} and isinstance(answer["not plain"], str):
            return NotPlain(answer["not plain"][:200])
        if not isinstance(answer, dict) or set(answer) != {"value"}:
            self._lose("tampering", "It sent something that is no value.")
        return self._trusted(trust.plain, answer["value"])

    def play(self, exercise, name, cases):
        """Play an exercise on what the cells call `name`. Only the cases' arguments go in. Raises Lost, also where a case is late by our own clock."""
        deadline, most = self._deadline(self.limits.play_seconds), wire.share(self.limits.answer, cases)
        self._send(("play", (exercise, name, [case.args for case in cases])), deadline)
        finding, results = self._trusted(trust.finding, self._receive(deadline)), []
        while not trust.is_end(answer := self._receive(min(deadline, time.monotonic() + CASE), most)):
            if finding or len(results) == len(cases) or (results and results[-1].was_stopped):
                self._lose("tampering", "It sent more results than there are cases.")
            results.append(self._trusted(trust.result, answer, exercise, cases[len(results)]))
        if not finding and len(results) < len(cases) and not (results and results[-1].was_stopped):
            self._lose("tampering", "It did not send a result for every case.")
        return Played(finding, results)

    # The conversation. Whatever goes wrong in it ends the session.

    def _ask(self, request, seconds):
        deadline = self._deadline(seconds)
        self._send(request, deadline)
        return self._receive(deadline)

    def _deadline(self, seconds):
        if self.sock is None:
            raise Lost("crash", "The session is over.")
        return min(time.monotonic() + seconds, self.ends)

    def _send(self, request, deadline):
        if self._speaks():
            self._lose("tampering", "It spoke before it was asked.")
        try:
            wire.send(self.sock, wire.pack(request), deadline)
        except TimeoutError:
            self._lose("time limit", "It did not listen any more.")
        except wire.Closed:
            self._gone()

    def _speaks(self):
        """Is there something of the session's that nobody asked for: sent before its time, or after the end?"""
        self.sock.settimeout(0)
        try:
            return bool(self.sock.recv(1, socket.MSG_PEEK))
        except OSError:  # nothing there, or nobody
            return False

    def _receive(self, deadline, most=None, patient=False):
        """The next message. patient: let the TimeoutError out, where there is time left for the session as a whole."""
        try:
            answer = wire.receive(self.sock, deadline, most=most or self.limits.answer)
        except TimeoutError:
            if patient and time.monotonic() < self.ends:
                raise
            self._lose("time limit", "All the time for the notebook is used up." if time.monotonic() >= self.ends else "It did not stop when it was told to.")
        except wire.WireError as error:
            self._lose("tampering", f"What it sent is no message of ours: {error}.")
        except wire.Closed:
            self._gone()
        if isinstance(answer, dict) and set(answer) == {"too large"}:
            self._lose("output limit", "What it returned is too large.")
        return answer

    def _trusted(self, look, answer, *more):
        try:
            return look(answer, *more)
        except (trust.Tampered, TypeError, ValueError, AttributeError, LookupError, ArithmeticError, RuntimeError, RecursionError) as error:
            self._lose("tampering", f"What it sent is not valid: {error}.")

    def _lose(self, reason, detail):
        self.__exit__()
        raise Lost(reason, detail)

    def _gone(self):
        """The child has closed its socket: find out how it ended."""
        self.sock.close()
        self.sock = None
        _, ended, status = self.sandbox.ask(b"k", self.pid)
        if not ended:
            raise Lost("tampering", "It closed the line to the grader.")
        if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
            raise Lost("memory", "The system ended it, as it does when memory runs out.")
        if os.WIFSIGNALED(status):
            raise Lost("crash", f"Python crashed: {signal.Signals(os.WTERMSIG(status)).name}.")
        raise Lost("crash", f"Python was ended from within, with the status {os.WEXITSTATUS(status)}.")
