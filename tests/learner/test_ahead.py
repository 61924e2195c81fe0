"""A lesson's first cell loads what it needs; the rest is loaded between cells, while the reader reads, and never beside a cell."""

import re
import subprocess
import sys
import threading

import nbformat
import pytest
from IPython.core.events import EventManager
from nbclient import NotebookClient
from support import ROOT
from waiting import LONG, until

from course import ahead

LESSONS = sorted(path for path in (ROOT / "solutions").glob("*/[0-9]*.md") if "from course import" in path.read_text(encoding="utf-8"))
LATER = ("torch._dynamo", "sympy", "matplotlib", "ipywidgets", "course.explore.explorer", "course.grading", "course.build")
"""What no reader waits for before the first cell is done."""
FOUND = "import sys; print([name for name in {!r} if name in sys.modules])"


def setup_cell(lesson):
    """The first code cell of a lesson that imports the course, without what it then shows."""
    return re.search(r"^from course import (?:\([^)]*\)|.*)", lesson.read_text(encoding="utf-8"), flags=re.MULTILINE)[0]


@pytest.mark.parametrize("cell", sorted({*map(setup_cell, LESSONS), "import course"}))
def test_the_first_cell_loads_no_more_than_it_needs(cell):
    done = subprocess.run([sys.executable, "-c", f"{cell}\n{FOUND.format(LATER)}"], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr


def test_outside_a_kernel_there_is_no_thread():
    code = "import threading, course; from course import check, explore; print(threading.active_count())"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "1\n"


# In a kernel


@pytest.fixture(scope="module")
def kernel():
    client = NotebookClient(nbformat.v4.new_notebook(), timeout=LONG, kernel_name="python3")
    with client.setup_kernel():
        yield client


def said(kernel, code):
    """What a cell prints; all that it writes to stderr is an error."""
    kernel.nb.cells.append(nbformat.v4.new_code_cell(code))
    outputs = kernel.execute_cell(kernel.nb.cells[-1], len(kernel.nb.cells) - 1).outputs
    assert all(output.get("name") == "stdout" for output in outputs), outputs
    return "".join(output.text for output in outputs)


def test_a_kernel_loads_the_rest_between_cells(kernel):
    wanted = ("torch._dynamo", "matplotlib", "course.explore.explorer")
    said(kernel, "from course import check, explore, pictures")
    beside = "import threading; print('course.ahead' in [thread.name for thread in threading.enumerate()])"

    def is_loaded():
        assert said(kernel, beside) == "False\n"
        return said(kernel, FOUND.format(wanted)) == f"{[*wanted]}\n"

    until(is_loaded, "all that is loaded ahead")
    handlers = "print([f for name in ('pre_execute', 'post_execute') for f in get_ipython().events.callbacks[name] if 'ahead' in repr(f)])"
    assert until(lambda: said(kernel, handlers) == "[]\n", "the end of the waiting")
    assert said(kernel, "def to_probs(logits):\n    return logits.softmax(-1)\ncheck('to_probs', to_probs)").startswith("PASSED")


# The thread itself


class Piece:
    """Something to load that takes until it is told to end."""

    def __init__(self):
        self.began, self.may_end, self.ended = threading.Event(), threading.Event(), threading.Event()

    def __call__(self):
        self.began.set()
        assert self.may_end.wait(LONG)
        self.ended.set()


@pytest.fixture
def events():
    return EventManager(None, {"pre_execute": lambda: None, "post_execute": lambda: None}, print_on_error=False)


def test_a_cell_waits_for_the_piece_at_hand_and_for_no_other(events):
    one, other = Piece(), Piece()
    ahead.Ahead(events, [one, other]).begin()
    assert not one.began.is_set()  # the first cell has not ended
    events.trigger("post_execute")
    assert one.began.wait(LONG)
    cell = threading.Thread(target=events.trigger, args=("pre_execute",))
    cell.start()
    assert cell.is_alive() and not one.ended.is_set()
    one.may_end.set()
    cell.join(LONG)
    assert one.ended.is_set() and not other.began.is_set()
    events.trigger("post_execute")
    assert other.began.wait(LONG)
    other.may_end.set()
    events.trigger("pre_execute")
    assert other.ended.is_set()


def test_when_nothing_is_left_it_no_longer_listens(events):
    done = []
    ahead.Ahead(events, [lambda: done.append(1)]).begin()
    for event in ("post_execute", "pre_execute", "post_execute"):
        events.trigger(event)
    assert done == [1] and not events.callbacks["pre_execute"] and not events.callbacks["post_execute"]


def test_a_piece_that_cannot_be_loaded_costs_no_other(events, capfd):
    done = []
    ahead.Ahead(events, [lambda: 1 / 0, lambda: done.append(2)]).begin()
    events.trigger("post_execute")
    until(lambda: done == [2], "the second piece")
    events.trigger("pre_execute")
    assert capfd.readouterr() == ("", "")


def test_a_system_without_threads_loads_when_it_is_asked(events, monkeypatch):
    def refuses(thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuses)
    ahead.Ahead(events, [lambda: None]).begin()
    for event in ("post_execute", "pre_execute", "post_execute"):
        events.trigger(event)
