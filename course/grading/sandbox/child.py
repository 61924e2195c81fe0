"""One session: executes cells and plays exercises, as the grader says, frame by frame. Runs inside the sandbox, forked off the zygote.

The student's code runs in this process and can change all of it; so nothing that it sends is believed outside.
"""

import base64
import contextlib
import io
import json
import os
import pdb
import random
import signal
import site
import sys
import tempfile
from decimal import Decimal
from fractions import Fraction

import numpy
import torch
from IPython.core import debugger
from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.text import SList
from traitlets import Type
from traitlets.config import Config

from . import confine, imports, strip, wire

LONGEST = 10_000
"""Characters of a text that an answer returns, or of a block of a traceback."""
FILENO = {"stdout": 1, "stderr": 2}
MOST_BLOCKS, OVERHEAD = 40, 100
LARGEST_VALUE = 1000
TOO_MUCH = "\n[The rest is left out: a cell may write {:,} bytes.]\n"


class Outputs:
    """The outputs of one cell in order, as nbformat writes them; what goes beyond `most` bytes is left out, and the last line says so."""

    def __init__(self, most):
        self.most, self.left, self.items = most, most, []
        self.full = False

    def write(self, name, text):
        """Add to a stream."""
        size = _size(text[: self.left + 1])
        if size > self.left:
            text = text[: max(0, self.left // 6)]  # in JSON one character may take six
        if text and not self.full:
            self._append(name, text)
        self._take(size)

    def show(self, kind, data, metadata, **more):
        """Add what `display` or the last expression shows."""
        data, metadata = _as_json(data), _as_json(metadata or {})
        self._take(_size([data, metadata]) + OVERHEAD)
        if not self.full:
            self.items.append({"output_type": kind, "data": data, "metadata": metadata, **more})

    def error(self, name, value, traceback):
        """Add an error. The last one has its place however full it is."""
        error = {"output_type": "error", "ename": name[:100], "evalue": value[:LONGEST], "traceback": [block[:LONGEST] for block in traceback[-MOST_BLOCKS:]]}
        self._take(_size(error))
        if self.full:
            self.items = [item for item in self.items if item["output_type"] != "error"]
        self.items.append(error)

    def _append(self, name, text):
        if self.items and self.items[-1].get("name") == name:
            self.items[-1]["text"] += text
        else:
            self.left -= OVERHEAD
            self.items.append({"output_type": "stream", "name": name, "text": text})

    def _take(self, size):
        self.left -= size
        if self.left < 0 and not self.full:
            self.full = True
            self._append("stdout", TOO_MUCH.format(self.most))
        self.left = max(self.left, 0)


def _as_json(bundle):
    """What a notebook can hold of what is shown: bytes, as of a PNG, as base64; without what JSON has no form for."""
    kept = {}
    for name, value in bundle.items():
        value = base64.b64encode(value).decode() if isinstance(value, bytes) else value
        with contextlib.suppress(TypeError, ValueError, RecursionError):
            kept[str(name)] = json.loads(json.dumps(value, allow_nan=False))
    return kept


def _size(value):
    return len(json.dumps(value, ensure_ascii=False, default=str).encode("utf-8", "replace"))


class Stream:
    """Stands for sys.stdout or sys.stderr."""

    encoding, errors, closed = "utf-8", "replace", False

    def __init__(self, name):
        self.name, self.outputs = f"<{name}>", None
        self._stream = name

    def write(self, text):
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if self.outputs:
            self.outputs.write(self._stream, text)
        return len(text)

    def writelines(self, lines):
        for line in lines:
            self.write(line)

    def flush(self):
        pass

    def fileno(self):
        return FILENO[self._stream]

    def isatty(self):
        return False

    def readable(self):
        return False

    def writable(self):
        return True


class Publisher(DisplayPublisher):
    """Takes what `display` shows."""

    def publish(self, data, metadata=None, **_):
        self.shell.outputs.show("display_data", data, metadata)

    def clear_output(self, wait=False):
        self.shell.outputs.items.clear()


class Hook(DisplayHook):
    """Takes the value of a cell's last expression."""

    def write_output_prompt(self):
        pass

    def write_format_data(self, format_dict, md_dict=None):
        self.shell.outputs.show("execute_result", format_dict, md_dict, execution_count=self.prompt_count)

    def finish_displayhook(self):
        pass


class Shell(InteractiveShell):
    """IPython without a terminal and without a kernel: what it shows goes into `outputs`."""

    display_pub_class = Type(Publisher)
    displayhook_class = Type(Hook)
    outputs = Outputs(0)

    def _showtraceback(self, etype, evalue, stb):
        self.outputs.error(etype.__name__, _text(evalue), list(stb))

    def system(self, cmd):
        """For `!pip list` and the like: the rest of the cell goes on."""
        print(f"(not run: !{cmd}. While it is graded, a notebook starts no programs)")

    system_raw = system_piped = system

    def getoutput(self, cmd, split=True, depth=0):
        self.system(cmd)
        return SList() if split else ""

    def enable_gui(self, gui=None):
        pass

    def ask_exit(self):
        """`exit` ends nothing here."""

    def debugger(self, force=False):
        """For `%debug`: nobody is there to answer."""
        print("(not run: %debug. While it is graded, nobody can answer a debugger)")


def _text(value):
    try:
        return str(value)
    except Exception:
        return ""


def _nobody_debugs(*_, **__):
    """In the place of `breakpoint()` and of pdb's `set_trace()`: the code goes on."""


def make_shell():
    """The shell that every child has a copy of."""
    sys.breakpointhook = pdb.set_trace = debugger.set_trace = _nobody_debugs
    settings = Config()
    settings.HistoryManager.enabled = False
    settings.HistoryManager.hist_file = ":memory:"
    settings.InteractiveShell.colors = "nocolor"
    shell = Shell.instance(config=settings)
    site.sethelper()  # help(...), which Python without its site packages lacks
    shell.run_cell("pass")  # imports what the first cell needs
    return shell


def warm_up(sources):
    """Run an instructor's cells once, before there are children: what they import and draw is there for all of them."""
    names = {}
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        for source in sources:
            with contextlib.suppress(Exception):  # most need the answers of a student
                exec(source, names)


class Session:
    """Answers one request after the other."""

    def __init__(self, sock, shell, limits):
        self.sock, self.shell, self.limits = sock, shell, limits
        self.running, self.most = False, limits["answer"]
        self.streams = Stream("stdout"), Stream("stderr")
        self.imports = imports.Imports(shell.user_ns)
        signal.signal(signal.SIGINT, self._interrupt)

    def _interrupt(self, *_):
        if self.running:
            self.running = False
            raise KeyboardInterrupt

    def serve(self):
        while True:
            try:
                what, arguments = wire.receive(self.sock)
            except wire.Closed:
                return
            for answer in getattr(self, what)(*arguments):
                wire.send(self.sock, self._frame(answer))

    def _frame(self, answer):
        frame = wire.pack(answer)
        fits = len(frame) <= self.most and wire.header_size(frame) <= wire.HEADER_BACK
        return frame if fits else wire.pack({"too large": True})

    def run(self, source):
        """One cell: {"outputs", "error", "left_out"}, the last one the packages that were not there for it."""
        outputs = self.shell.outputs = Outputs(self.limits["output"])
        sys.stdout, sys.stderr = self.streams
        for stream in self.streams:
            stream.outputs = outputs
        signal.signal(signal.SIGINT, self._interrupt)
        self.imports.left_out = []
        try:
            self.running = True
            error = self._executed(source, outputs)
        except BaseException as raised:
            error = raised
        self.running = False
        if error and not any(item["output_type"] == "error" for item in outputs.items):  # IPython could not show it
            outputs.error(type(error).__name__, _text(error), [f"{type(error).__name__}: {_text(error)}"])
        errors = [item for item in outputs.items if item["output_type"] == "error"]
        yield {"outputs": outputs.items, "error": errors[-1] if errors else None, "left_out": self.imports.left_out[: imports.MOST]}

    def _executed(self, source, outputs):
        """The error of a cell, or None. What imports a package that is not there is left out, and the rest goes on."""
        for again in range(imports.MOST):
            done = self.shell.run_cell(source, store_history=not again)
            error = done.error_before_exec or done.error_in_exec
            rest = error and self.imports.without(self.shell.transform_cell(source), error)
            if not rest:
                return error
            source, note = rest
            outputs.items[:] = [item for item in outputs.items if item["output_type"] != "error"]
            outputs.write("stdout", note)
        return error

    def value(self, name):
        """{"value"}, {"missing"} or {"not plain": a few words}."""
        if name not in self.shell.user_ns:
            yield {"missing": True}
            return
        try:
            yield {"value": _plain(self.shell.user_ns[name])}
        except Exception:
            yield {"not plain": f"an object of type {type(self.shell.user_ns[name]).__name__}"}

    def play(self, exercise, name, all_args):
        """First {"finding"}: {"outcome", "what"} or None; then {"result"} case by case, and {"end"}."""
        answer = self.shell.user_ns.get(name)
        self.most = wire.share(self.limits["answer"], all_args)
        finding = strip.before_playing(exercise, answer, all_args)
        yield {"finding": finding}
        results = strip.play(exercise, answer, all_args) if finding is None else ()
        for result in results:
            yield {"result": _clipped(result)}
        yield {"end": True}


def _plain(value, depth=4):
    """A value that means the same outside, where it is small enough; raises ValueError otherwise."""
    if value is None or value is ... or isinstance(value, (bool, float)):
        return value
    if isinstance(value, (Fraction, Decimal)):
        return float(value)
    if isinstance(value, int) and value.bit_length() <= 1024:
        return value
    if isinstance(value, str) and len(value) <= LONGEST:
        return value
    if type(value).__module__ == "numpy" and value.size <= LARGEST_VALUE:
        return torch.tensor(value.tolist())
    if isinstance(value, torch.Tensor) and value.numel() <= LARGEST_VALUE:
        return value.detach().cpu().as_subclass(torch.Tensor)
    if depth and isinstance(value, (tuple, list)) and len(value) <= LARGEST_VALUE:
        return (tuple if isinstance(value, tuple) else list)(_plain(item, depth - 1) for item in value)
    if depth and isinstance(value, dict) and len(value) <= LARGEST_VALUE and all(isinstance(key, str) for key in value):
        return {key: _plain(item, depth - 1) for key, item in value.items()}
    raise ValueError("no plain value")


def _clipped(value):
    """The same, with the texts and whole numbers that an answer may make as long as it likes cut short."""
    if isinstance(value, str):
        return value[:LONGEST]
    if isinstance(value, int) and not isinstance(value, bool):
        return max(-(2**1024), min(2**1024, int(value)))
    if isinstance(value, dict):
        return {key: _clipped(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return type(value)(map(_clipped, value))
    return value


def session(sock, shell, confined):
    """Set up what the grader's first frame says, then serve until it hangs up."""
    order = wire.receive(sock)
    try:
        _set_up(sock.fileno(), confined, **order)
    except Exception as error:
        wire.send(sock, wire.pack({"failed": f"{type(error).__name__}: {error}"}))
        return
    try:
        _lay_out(order["files"])
    except (OSError, ValueError) as error:
        wire.send(sock, wire.pack({"refused": f"{type(error).__name__}: {error}"}))
        return
    wire.send(sock, wire.pack({"ready": True}))
    Session(sock, shell, order["limits"]).serve()


def _set_up(line, confined, folder, files, limits):
    """An empty world, with room for the student's files. line: the file number of the socket, the only one that stays open."""
    if confined:
        confine.confine(folder, limits, files)
    else:
        confine.limit(limits)
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    os.closerange(3, line)
    os.closerange(line + 1, confine.OPEN_FILES)
    work, home = os.path.join(folder, "work"), os.path.join(folder, "home")
    os.mkdir(work)
    os.mkdir(home)
    os.environ.update(HOME=home, TMPDIR=folder, MPLCONFIGDIR=os.path.join(home, "matplotlib"), IPYTHONDIR=os.path.join(home, "ipython"))
    tempfile.tempdir = None
    os.chdir(work)
    sys.path.insert(0, "")
    torch.seed()
    random.seed()
    numpy.random.seed()


def _lay_out(files):
    for name, data in files.items():
        os.makedirs(os.path.dirname(os.path.abspath(name)), exist_ok=True)
        with open(name, "wb") as file:
            file.write(data)
