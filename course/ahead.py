"""What a lesson needs soon is loaded while its reader reads: in a kernel, beside nobody's code.

A piece at a time, in a thread, and only between cells: a cell that is run meanwhile waits for the piece at hand. So no import of the
reader's meets one of these, no fork copies a thread, and nothing that is set for the whole process is set while a cell runs.
Where there is no kernel, as in the grader, there is no thread: all is loaded when it is first asked for.
"""

import contextlib
import importlib
import sys
import threading

SOON = ("course.pictures.drawing", "course.explore.explorer")
"""Matplotlib and the widgets, which the lesson's next cells show."""
WARM = "course.checks.warm"


def begin():
    """From the end of this cell on, load ahead; once in a kernel, and nowhere else."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if hasattr(shell, "kernel"):
        Ahead(shell.events).begin()


class Ahead:
    """Loads the pieces between cells. events: those of IPython, which tell when a cell begins and ends."""

    def __init__(self, events, pieces=None):
        self.events, self.left = events, [*(pieces or _pieces())]
        self.thread, self.waited_for = None, threading.Event()

    def begin(self):
        """Go on after each cell, until nothing is left."""
        self.events.register("post_execute", self.go_on)
        self.events.register("pre_execute", self.pause)

    def go_on(self):
        """A cell has ended."""
        self.pause()
        if not self.left:
            self.events.unregister("post_execute", self.go_on)
            self.events.unregister("pre_execute", self.pause)
            return
        self.waited_for.clear()
        self.thread = threading.Thread(target=self._load, name="course.ahead")
        with contextlib.suppress(RuntimeError):  # a system without threads, or without one more
            self.thread.start()

    def pause(self):
        """A cell begins: wait for the piece at hand, and start no other."""
        self.waited_for.set()
        while self.thread and self.thread.is_alive():
            with contextlib.suppress(KeyboardInterrupt):  # the cell has not begun: there is nothing to stop yet
                self.thread.join()

    def _load(self):
        while self.left and not self.waited_for.is_set():
            with contextlib.suppress(Exception):  # whoever asks for it is told
                self.left.pop(0)()


def _pieces():
    yield from ((lambda name=name: importlib.import_module(name)) for name in SOON)
    yield from ((lambda name=name: getattr(importlib.import_module(WARM), name)()) for name in ("for_shapes", "up"))
