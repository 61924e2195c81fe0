"""Everything has a bound: what is read, how deep it is removed, how long it is judged, what a session may have of the machine."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time

import nbformat
import pytest
from nbconvert.filters.markdown_mistune import markdown2html_mistune
from small_class import CELL, NO_TRANSPOSE, UNIT, copy_of, perfect
from support import ROOT

from course.grading import removal
from course.grading.intake import markup, normal, reader, sanitise
from course.grading.intake.submissions import Unreadable
from course.grading.run import clock, notebooks
from course.grading.sandbox import Limits, Sandbox, cgroup

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the sandbox runs on Linux")


# A notebook's bytes, before anything is made of them


@pytest.mark.parametrize(
    "text, shape",
    [
        ("", (1, 0)),
        ('{"a": [1, 2, {"b": 3}]}', (6, 3)),
        (r'{"a": "[[[[,,,{\"\\"}', (2, 1)),
        (r'["\\\\", "\"[", []]', (5, 2)),
        ("[" * 500, (501, 500)),
    ],
)
def test_the_shape_of_a_json_text(text, shape):
    assert normal.shape_of(text.encode()) == shape


def notebook_with(**more):
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [], **more}).encode()


@pytest.mark.parametrize(
    "data, words",
    [
        (notebook_with(metadata={"x": [{} for _ in range(700_000)]}), "holds more than"),
        (notebook_with(x=[0] * 3_000_000), "holds more than"),
        (notebook_with().replace(b'"cells"', b'"x": ' + b"[" * 900 + b"]" * 900 + b', "cells"'), "brackets"),
        (notebook_with(metadata={"x": "y" * 11 * 2**20}), "without its outputs"),
        (notebook_with(cells=[{"cell_type": "raw", "id": f"c{n}", "metadata": {}, "source": ""} for n in range(1001)]), "1000 cells"),
        (b"[" * 10**6, "brackets"),
        (b"1" * 10**6, "cannot"),
    ],
)
def test_what_is_too_much_is_refused(data, words):
    try:
        normal.read(data)
    except Unreadable as error:
        assert words in str(error) or words == "cannot"
    except Exception:  # nbformat's own: `clean` says that it cannot be read
        assert words == "cannot"
    else:
        raise AssertionError("it was read")


def test_outputs_do_not_count():
    """However many and however odd: they are made anew."""
    outputs = [{"output_type": "stream", "name": "stdout", "text": ["line\n"] * 100_000}, {"what": "is this"}, 5]
    cell = {"cell_type": "code", "id": "a", "metadata": {}, "source": ["a\n", "b"], "outputs": outputs, "execution_count": 7}
    found, _ = normal.read(notebook_with(cells=[cell]))
    assert found.cells[0].source == "a\nb" and found.cells[0].outputs == []


def test_restored_cells_have_names_of_their_own():
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("", id=name) for name in ("restored-1", "x", "restored-1-")])
    sanitise._name_restored(notebook, {"restored-1", "restored-1-"})
    assert [cell.id for cell in notebook.cells] == ["restored-1", "restored-1--", "restored-1-"]


@pytest.mark.parametrize(
    "text", ["<img src=x onerror=alert(1)>", "[a](javascript:alert(1))", "*a* `b` ![c](http://d) &amp;", r"$\href{javascript:alert(1)}{x}$"]
)
def test_a_reason_is_shown_word_for_word(text):
    page = markdown2html_mistune(markup.markdown(f"**Not graded.** {markup.in_words(text)}."))
    assert not [sign for sign in ("<img", "<a", "<em", "<code", r"\href") if sign in page]


# The process that reads


@pytest.fixture(scope="module")
def reading(start, tmp_path_factory):
    """A Reader, and the folder of one submission."""
    root = copy_of(start, tmp_path_factory.mktemp("reading"), [perfect])
    with reader.Reader() as one:
        one.order = {"root": str(root), "unit": UNIT, "db_url": f"sqlite:///{root / 'gradebook.db'}", "lessons": [CELL], "ignore": [], "levels": 2}
        yield one, str(root / "submitted" / "perfect" / UNIT)


def test_reading_has_bounds_of_its_own(reading):
    one, folder = reading
    one.read("perfect", folder)
    limits = open(f"/proc/{one.process.pid}/limits").read()
    rows = {line[:26].strip(): line[26:].split() for line in limits.splitlines()}
    assert rows["Max address space"][0] != "unlimited" and int(rows["Max cpu time"][0]) < 2 * reader.SECONDS + 60


@pytest.mark.parametrize("number, words", [(signal.SIGXCPU, "seconds to read"), (signal.SIGSEGV, "ends the program")])
def test_what_ends_the_reader_is_one_students_reason(reading, number, words):
    one, folder = reading
    one.read("perfect", folder)
    one.process.send_signal(number)
    with pytest.raises(Unreadable, match=words):
        one.clean("perfect", folder, CELL)
    assert one.clean("perfect", folder, CELL)[0].cells


def test_memory_for_reading_is_bounded():
    """In a process of its own, which gives itself the reader's limits."""
    code = f"from course.grading.intake import reader as r; r._limit_memory(); print(r._answered(bytearray, [{2 * reader.MEMORY}]))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert "GB of memory to read" in done.stdout, done.stderr


# Removing


def test_folders_of_any_depth_are_removed(tmp_path):
    top = place = os.fspath(tmp_path / "top")
    os.mkdir(top)
    handle = os.open(top, os.O_RDONLY)
    for _ in range(5000):
        os.mkdir("d" * 20, dir_fd=handle)
        below = os.open("d" * 20, os.O_RDONLY, dir_fd=handle)
        with open(os.open("f", os.O_CREAT | os.O_WRONLY, dir_fd=below), "w"):
            pass
        os.close(handle)
        handle = below
    os.close(handle)
    (tmp_path / "kept").write_text("kept")
    os.symlink(tmp_path / "kept", tmp_path / "top" / "link")
    removal.remove(place)
    assert not os.path.lexists(top) and (tmp_path / "kept").exists()


def test_what_is_left_of_a_run_before_is_out_of_the_way(tmp_path):
    (tmp_path / "staged" / "ada").mkdir(parents=True)
    (tmp_path / ".aside-1" / "x").mkdir(parents=True)
    removal.put_aside(tmp_path / "staged")
    removal.put_aside(tmp_path / "staged")
    assert not list(tmp_path.iterdir())


# The judge


def forever(*_):
    while True:
        time.sleep(0.001)


@pytest.mark.parametrize("start", [lambda work: work(), lambda work: thread(work)])
def test_the_clock_ends_what_takes_too_long_and_nothing_else(start):
    def work():
        with pytest.raises(clock.TooLate), clock.bounded(0.05):
            forever()
        with clock.bounded(60):
            return 1

    start(work)
    time.sleep(0.1)


def thread(work):
    ended = []
    one = threading.Thread(target=lambda: (work(), ended.append(True)))
    one.start()
    one.join(30)
    assert ended


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox(Limits(cell_seconds=60)) as one:
        yield one


def played(sandbox, source):
    """What a notebook of this cell, a check and a question gives."""
    calls = [{"kind": "check", "name": "rnn_step", "variable": "rnn_step", "number": None}, {"kind": "quiz", "name": CELL, "variable": "answer_1", "number": 1}]
    cells = [{"type": "code", "id": "a", "source": source, "call": None}, *({"type": "code", "id": str(n), "call": call} for n, call in enumerate(calls))]
    job = {"student": "ada", "unit": UNIT, "lesson": CELL, "seed": 1, "limits": {}, "files": {}, "cells": cells, "confined": True, "prelude": []}
    return notebooks._Notebook(job, sandbox).play()


def test_a_judge_that_takes_too_long_costs_its_own_exercise(sandbox, monkeypatch):
    monkeypatch.setattr(notebooks, "JUDGING", 0.2)
    monkeypatch.setattr(notebooks, "verdict_on", forever)
    found = played(sandbox, f"import torch\n{NO_TRANSPOSE}\nanswer_1 = 'A'")["verdicts"]
    assert found["1"]["outcome"] == "stopped" and "judging what came back" in found["1"]["mistake"]
    assert found["2"]["outcome"] == "wrong"


def test_outputs_have_a_number(sandbox):
    found = played(sandbox, "from IPython.display import display\nfor n in range(3000): display(n)\nanswer_1 = 'A'")
    assert len(found["outputs"][0]) <= notebooks.OF_A_CELL + 1
    assert found["verdicts"]["2"]["outcome"] == "wrong"


# What a session may have of the machine


def said(sandbox, code):
    with sandbox.session() as session:
        return "".join(output.get("text", str(output)) for output in session.run(code).outputs)


def test_a_session_has_few_threads(sandbox):
    """As root too, where there are control groups: root's threads are counted nowhere else."""
    if os.getuid() == 0 and not (cgroup.parents() or cgroup.systemd()):
        pytest.skip("this machine gives root no control group")
    code = (
        "import threading, time\nthreading.stack_size(65536)\nmade = 0\n"
        "for _ in range(3000):\n    try: threading.Thread(target=time.sleep, args=(60,), daemon=True).start(); made += 1\n    except RuntimeError: break\nprint(made)"
    )
    assert 10 < int(said(sandbox, code)) < cgroup.TASKS


def test_no_control_group_is_left():
    with Sandbox() as one:
        folders = one.group.folders if one.group else []
        assert all(folder.exists() for folder in folders)
    assert not any(folder.exists() for folder in folders)


CALLS = """
import ctypes, fcntl, sqlite3
libc = ctypes.CDLL(None, use_errno=True)
names = {name: libc.syscall(number, 0, 0, 0, 0, 0) for name, number in %r.items()}
file = open("/usr/bin/env", "rb")
fcntl.flock(file, fcntl.LOCK_EX)
fcntl.lockf(file, fcntl.LOCK_SH)
try: fcntl.fcntl(file, 1024, fcntl.F_RDLCK)
except PermissionError: names["lease"] = -1
db = sqlite3.connect("a.db")
db.execute("create table a (b)")
db.commit()
print(sorted(set(names.values())), len(names))
"""


def test_kernel_interfaces_are_refused_and_locks_are_private(sandbox):
    if os.uname().machine != "x86_64":
        pytest.skip("the numbers are those of x86-64")
    numbers = {"io_setup": 206, "inotify_init": 253, "inotify_init1": 294, "statmount": 457, "listmount": 458}
    with sandbox.session() as session:
        ran = session.run(CALLS % numbers)
        assert not ran.error and ran.outputs[0]["text"] == "[-1] 6\n", ran
        with open("/usr/bin/env", "rb") as file:  # while the session says that it has this very lock
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
