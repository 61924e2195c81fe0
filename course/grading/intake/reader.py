"""A process of its own that reads and cleans submissions: it has only so much memory and time, and what ends it is one student's reason."""

import contextlib
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
from dataclasses import replace
from multiprocessing.connection import Connection

import nbformat
from nbgrader.apps.baseapp import NbGrader
from nbgrader.coursedir import CourseDirectory

from course.grading import gradebook

from . import master, which
from .sanitise import Sanitiser
from .submissions import Unreadable, read_submission

MEMORY = 2 * 2**30
SECONDS, PATIENCE = 20, 120
"""Of the processor, for one folder or one notebook; and of the clock, before a reader is given up that does nothing."""
TRIES, ENDING = 2, 2
TOO_LONG = f"takes more than {SECONDS} seconds to read"
CRASHES = (-signal.SIGSEGV, -signal.SIGABRT, -signal.SIGBUS)


class Gone(Exception):
    """Reading was ended from outside, and again when it was tried once more. That says nothing of the submission."""


class Reader:
    """Reads, in another process, what students have handed in for one unit. Enter it early, since it starts by itself; `order` is needed to ask it.

    order: the arguments of `Answers`, once they are known.
    """

    def __init__(self):
        self.order = {}
        self.process = self.line = None

    def __enter__(self):
        self._start()
        return self

    def __exit__(self, *_):
        self._end()

    def read(self, student, folder):
        """A student's Submission, in which `notebooks` has the names alone: their bytes stay with the reader. Raises Unreadable, Gone."""
        return self._ask("read", student, folder)

    def clean(self, student, folder, lesson):
        """(the sanitised notebook, sentences on what was put right). Raises Unreadable, Gone."""
        text, notes = self._ask("clean", student, folder, lesson)
        return nbformat.from_dict(json.loads(text)), notes

    def placeholder(self, student, lesson, reason):
        """A notebook that stands for one that cannot be graded."""
        return nbformat.from_dict(json.loads(self._ask("placeholder", student, lesson, reason)))

    def _ask(self, *request):
        """The answer to a request. Raises Unreadable where it is the request that ends the reader, Gone where it is not."""
        for _ in range(TRIES):
            try:
                refusal, answer = self._answer(request)
            except (EOFError, OSError):
                ended = self._end()
            else:
                if refusal:
                    raise refusal(answer)
                return answer
            if ended == -signal.SIGXCPU:
                raise Unreadable(TOO_LONG)
            if ended in CRASHES:
                raise Unreadable("ends the program that reads it")
        raise Gone("the process that reads submissions was ended, twice. Is the memory full?")

    def _answer(self, request):
        if self.process is None:
            self._start()
        late = threading.Timer(PATIENCE, self.process.kill)  # it may be stopped: then it never answers, but it can be killed
        late.start()
        try:
            if not self.told:
                self.line.send(self.order)
                self.told = True
            self.line.send(request)
            return self.line.recv()
        finally:
            late.cancel()

    def _start(self):
        mine, its = socket.socketpair()
        with its:
            code = f"import sys; sys.path[:] = {sys.path!r}; import course.grading.quick; from {__name__} import serve; serve({its.fileno()})"
            self.process = subprocess.Popen([sys.executable, "-c", code], pass_fds=[its.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self.line, self.told = Connection(mine.detach()), False

    def _end(self):
        """End the process. Returns its exit status."""
        if self.process is None:
            return 0
        self.line.close()
        try:
            return self.process.wait(ENDING)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()
        finally:
            self.process = self.line = None


# On the other side


def serve(line):
    """Answer requests on the socket with this file number until it is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that grades
    line = Connection(line)
    with contextlib.suppress(EOFError, OSError), Answers(**line.recv()) as answers:
        _limit_memory()
        while True:
            what, *arguments = line.recv()
            _limit_seconds()
            line.send(_answered(getattr(answers, what), arguments))


def _answered(function, arguments):
    """(None, what it returns), or (the exception to raise, its words)."""
    try:
        return None, function(*arguments)
    except Unreadable as error:
        return Unreadable, str(error)
    except MemoryError:
        return Unreadable, f"takes more than {MEMORY // 2**30} GB of memory to read"
    except Exception as error:
        return Gone, f"it could not be prepared: {type(error).__name__}: {error}"


class Answers:
    """What a reader can be asked. db_url: of a gradebook of which nobody is kept waiting; root: the course's folder; loose: the students without
    a folder of the unit, in whose own folders its lessons may lie; units: the names of the other units' folders, which are not looked into there."""

    def __init__(self, root, unit, db_url, lessons, ignore, levels, loose=(), units=()):
        os.chdir(root)
        self.unit, self.db_url, self.lessons, self.ignore, self.levels, self.loose, self.units = unit, db_url, lessons, ignore, levels, loose, units
        self.student, self.submission = None, None

    def __enter__(self):
        config = nbgraders_settings()
        is_copy = self.db_url.startswith(gradebook.SQLITE)
        self.gradebook = gradebook.opened(self.db_url, CourseDirectory(config=config).course_id, is_copy)
        self.gradebook.__enter__()
        self.sanitiser = Sanitiser(config, self.db_url, self.unit)
        self.faces = self._faces(config)
        return self

    def _faces(self, config):
        """{lesson: by what it is known}."""
        found = {lesson: master.of(self.db_url, config, self.unit, lesson) for lesson in self.lessons}
        return which.faces(
            {lesson: (title, [(cell["name"], not cell["locked"], cell["source"]) for cell in cells]) for lesson, (title, cells) in found.items()}
        )

    def __exit__(self, *error):
        self.gradebook.__exit__(*error)

    def read(self, student, folder):
        """The Submission without the bytes of its notebooks."""
        is_loose = student in self.loose
        ignore, levels = [*self.ignore, *(self.units if is_loose else ())], 1 if is_loose else self.levels
        self.student, self.submission = student, read_submission(student, folder, self.lessons, ignore, levels, self.faces)
        if is_loose:
            self.submission.notes.insert(0, f"it holds no folder {self.unit}: what was recognised as one of its lessons was taken")
        return replace(self.submission, notebooks=dict.fromkeys(self.submission.notebooks))

    def clean(self, student, folder, lesson):
        """(the sanitised notebook as JSON, sentences)."""
        if self.student != student:  # this reader stands for one that was ended
            self.read(student, folder)
        data = self.submission.notebooks.pop(lesson, None)
        if data is None:
            raise Unreadable(self.submission.lost or self.submission.reasons.get(lesson, "is there no more"))
        notebook, notes = self.sanitiser.clean(student, lesson, data)
        return json.dumps(notebook), notes

    def placeholder(self, student, lesson, reason):
        return json.dumps(self.sanitiser.placeholder(student, lesson, reason))


def nbgraders_settings():
    """The settings that an nbgrader command would have here: the course's, and those of ~/.jupyter and the system."""
    app = NbGrader(raise_config_file_errors=True)
    app.load_config_file()
    return app.config


def _limit_memory():
    with open("/proc/self/statm") as file:
        used = int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    for kind, most in ((resource.RLIMIT_AS, used + MEMORY), (resource.RLIMIT_CORE, 0)):
        resource.setrlimit(kind, (most, resource.getrlimit(kind)[1]))


def _limit_seconds():
    used = resource.getrusage(resource.RUSAGE_SELF)
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + 1 + SECONDS, resource.getrlimit(resource.RLIMIT_CPU)[1]))
