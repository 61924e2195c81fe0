"""The sandbox: verdicts over the border are those in process, and nothing that runs inside reaches anything else."""

import base64
import importlib
import json
import resource
import subprocess
import sys
import time
from dataclasses import replace

import pytest
import torch
from support import ROOT
from waiting import LONG, Family, is_running, until

from course import exercises
from course.checks import report
from course.checks.case import sent
from course.checks.examine import examine, verdict_on
from course.checks.verdict import Verdict
from course.grading import sandbox as package
from course.grading.sandbox import Limits, Lost, Missing, NotPlain, Sandbox, SandboxMissing, start, trust, wire
from course.learner.quiz import my_numbers

torch.set_num_threads(1)
LIMITS = Limits(cell_seconds=LONG, play_seconds=LONG, total_seconds=2 * LONG, memory=3 * 2**30, files=8 * 2**20)
SOON = replace(LIMITS, cell_seconds=2, play_seconds=2)
"""For what never ends by itself; all else has the time that a busy machine needs."""
NAMES = exercises.names()
STEP = "def rnn_step(x, h, W_ih, W_hh, b_ih, b_hh):\n    "
RIGHT = STEP + "return torch.tanh(x @ W_ih.T + b_ih + h @ W_hh.T + b_hh)"


@pytest.fixture(scope="module")
def sandbox():
    try:
        with Sandbox(LIMITS) as sandbox:
            yield sandbox
    except SandboxMissing as error:
        pytest.skip(str(error))


@pytest.fixture
def session(sandbox):
    with sandbox.session() as session:
        yield session


@pytest.fixture(autouse=True)
def healthy(request):
    """After whatever a test did, the next session is as good as new, and none is left."""
    yield
    if "sandbox" in request.fixturenames:
        with request.getfixturevalue("sandbox").session() as session:
            assert verdict(session, RIGHT).passed
            assert printed(session, "import os; print(os.listdir('/tmp/work'))") == "[]\n"


def verdict(session, source, name="rnn_step"):
    """The verdict on an answer that a cell of this source defines under the exercise's name."""
    session.run("import torch\nfrom torch import nn")
    session.run(source)
    module, cases = exercises.find(name), exercises.find(name).cases(0)
    played = session.play(name, name, cases)
    finding = played.finding or verdict_on(module, cases, played.results)
    return Verdict(name, cases, finding, played.results[0].printed if played.results else "")


def printed(session, source):
    """What a cell writes to stdout; it must raise nothing."""
    ran = session.run(source)
    assert ran.error is None, ran.error
    return "".join(output["text"] for output in ran.outputs if output.get("name") == "stdout")


def error_of(session, source):
    """The name of the error that a cell ends in."""
    return (session.run(source).error or {"ename": None})["ename"]


def lost(session, source):
    """Why the session was lost over a cell, or over the play that follows it."""
    with pytest.raises(Lost) as caught:
        verdict(session, source)
    with pytest.raises(Lost):
        session.run("1")
    return caught.value.reason


class TestAnswersCross:
    @pytest.mark.parametrize("name", NAMES)
    def test_verdicts_are_those_in_process(self, sandbox, name):
        answers, source = importlib.import_module(f"answers.{name}"), (ROOT / "tests" / "answers" / f"{name}.py").read_text()
        rows = [("RIGHT", i, answers.RIGHT[i]) for i in range(0, len(answers.RIGHT), 4)]
        rows += [("WRONG", i, answers.WRONG[i][0]) for i in range(0, len(answers.WRONG), 8)]
        with sandbox.session() as session:
            assert session.run(source).error is None
            for where, i, answer in rows:
                seeded = f"import torch; torch.manual_seed(5); {name} = {where}[{i}]" + "[0]" * (where == "WRONG")
                torch.manual_seed(5)
                assert report.text(verdict(session, seeded, name)) == report.text(replace(examine(exercises.find(name), answer, 0), remark=""))

    @pytest.mark.parametrize("name", NAMES)
    def test_every_case_crosses_exactly(self, name):
        for seed in (0, 5):
            for case in exercises.find(name).cases(seed):
                assert exact(there_and_back(case.args), case.args)

    @pytest.mark.parametrize("name", NAMES)
    def test_every_result_of_an_answer_crosses_exactly(self, name):
        module, answers = exercises.find(name), importlib.import_module(f"answers.{name}")
        for answer in (answers.RIGHT[0], *(wrong for wrong, _ in answers.WRONG[:6])):
            for case in module.cases(0)[:4]:
                result = module.play(answer, case)
                assert exact(vars(trust.result(there_and_back({"result": sent(result)}), name, case)), vars(result))

    def test_the_shipped_code_is_not_attempted(self, session):
        assert verdict(session, "from course.exercises.pipeline.last_valid import shipped as last_valid", "last_valid").finding.outcome == "not attempted yet"

    @pytest.mark.parametrize(
        "source, said",
        [
            (STEP + "pass", "not attempted yet"),
            ("rnn_step = 3", "It got: int"),
            ("def rnn_step(x): return x", "wrong arguments"),
            ("", "not attempted yet"),
        ],
    )
    def test_what_is_wrong_before_playing(self, session, source, said):
        found = verdict(session, source).finding
        assert said in found.outcome + found.what

    def test_a_loop_in_an_answer_costs_its_exercise_only(self, session):
        session.run("from course.checks import play; play.SECONDS = 3")
        assert "stopped" in verdict(session, STEP + "while True: pass").finding.what
        assert verdict(session, RIGHT).passed


def there_and_back(value):
    frame = wire.pack(value)
    head = wire.LENGTHS.size + wire.header_size(frame)
    return wire.unpack(frame[wire.LENGTHS.size : head], frame[head:])


def exact(one, other):
    if isinstance(one, torch.Tensor):
        kind = (one.dtype, one.shape, one.device)
        return kind == (other.dtype, other.shape, other.device) and (one.is_meta or torch.equal(_bytes(one), _bytes(other)))
    if isinstance(one, dict):
        return list(one) == list(other) and all(exact(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)):
        return type(one) is type(other) and len(one) == len(other) and all(map(exact, one, other))
    return type(one) is type(other) and (one == other or one != one)


def _bytes(tensor):
    return tensor.contiguous().reshape(-1).view(torch.uint8)


class TestCells:
    def test_outputs_come_in_order(self, session):
        ran = session.run("import sys\nprint('a')\nprint('b', file=sys.stderr)\nfrom IPython.display import HTML\ndisplay(HTML('<b>c</b>'))\nprint('d')\n1 + 1")
        assert [output.get("name") or output["output_type"] for output in ran.outputs] == ["stdout", "stderr", "display_data", "stdout", "execute_result"]
        assert ran.outputs[-1]["data"] == {"text/plain": "2"} and ran.error is None

    def test_an_error_is_the_cells_own(self, session):
        assert error_of(session, "1 / 0") == "ZeroDivisionError"
        assert session.run("1 / 0").outputs[-1]["output_type"] == "error"
        assert error_of(session, "def f(") == "SyntaxError"
        assert printed(session, "print(2)") == "2\n"

    @pytest.mark.parametrize(
        "source",
        [
            "from course import *",
            "from course import check; check('rnn_step', None)",
            "from course import quiz; quiz('01_input_sequence', 1, 'A')",
            "from course import hint; hint('rnn_step')",
            "from course import my_progress; my_progress()",
            "from course import explore; explore.cell_step()",
            "from course import run_pipeline; run_pipeline(to_probs=lambda logits: logits.softmax(-1))",
            "%timeit -n1 -r1 1",
            "help(len)",
            "exit()",
            "await __import__('asyncio').sleep(0)",
            "!pip list",
            "found = !ls\nassert found == []",
            "import faulthandler; faulthandler.enable()",
            "display({'application/json': {1, 2}}, raw=True)",
            "import torch; from course import laws; laws.zero_law(torch.nn.RNN(5, 4))",
            "import torch; torch.ones(2).half().sum(); torch.ones(2, 2).bfloat16() @ torch.ones(2).bfloat16()",
            "import torch; torch.nn.LSTM(3, 4).double()(torch.ones(2, 1, 3).double())[0].sum().backward()",
        ],
    )
    def test_what_lessons_do_works(self, session, source):
        assert session.run(source).error is None

    def test_an_explorer_is_not_drawn_and_answers_all_the_same(self, session):
        shown = session.run("from course import explore\nexplore.carry()").outputs[-1]["data"]
        assert shown == {"text/plain": "explore.carry: not drawn while a notebook is graded"}
        text = 'e = explore.zero_state()\ne.sliders["batch"].value = 5\nprint(e.look("numbers"), e.sentence())'
        assert printed(session, text).startswith("40.0 num_layers 2, directions 1, batch 5")

    def test_a_figure_becomes_a_picture(self, session):
        ran = session.run("import matplotlib.pyplot as plt\nplt.plot([1, 2]);")
        assert "image/png" in ran.outputs[-1]["data"]
        ran = session.run("from PIL import Image\nImage.new('RGB', (2, 2))")
        assert base64.b64decode(ran.outputs[-1]["data"]["image/png"]).startswith(b"\x89PNG")

    def test_values(self, session):
        session.run("import torch, numpy\na, b, c, d = 'B', (2, [3.5, None]), ..., numpy.float64(2)\ne, f, g = torch.Size([2, 3]), lambda: 0, torch.tensor(4)")
        assert [session.value(name) for name in "abcde"] == ["B", (2, [3.5, None]), ..., 2.0, (2, 3)]
        assert session.value("g").item() == 4
        session.run("from decimal import Decimal\nfrom fractions import Fraction\nquarters = [Fraction(1, 4), Decimal('0.25')]")
        assert session.value("quarters") == [0.25, 0.25]
        assert isinstance(session.value("nothing"), Missing)
        assert session.value("f") == NotPlain("an object of type function")

    @pytest.mark.parametrize(
        "value", ["'x' * 10**7", "10**5000", "[[[[[[[[1]]]]]]]]", "list(range(10**6))", "type('S', (str,), {'__len__': lambda s: 1/0})('B')"]
    )
    def test_values_are_bounded(self, session, value):
        session.run(f"a = {value}")
        assert isinstance(session.value("a"), (NotPlain, str))

    def test_files_of_the_submission(self, sandbox):
        with sandbox.session({"data/a.txt": b"hello"}) as session:
            assert printed(session, "print(open('data/a.txt').read())") == "hello\n"
        with pytest.raises(Lost, match="laid out"), sandbox.session({"a": b"", "a/b": b""}):
            pass
        for name in ("/etc/x", "../x", "", "a/../../x"):
            with pytest.raises(ValueError):
                sandbox.session({name: b""})

    def test_random_numbers_differ_from_session_to_session(self, sandbox):
        drawn = []
        for _ in range(2):
            with sandbox.session() as session:
                drawn.append(printed(session, "import torch, random; print(torch.rand(1), random.random())"))
        assert drawn[0] != drawn[1]


class TestLimits:
    def test_a_loop_costs_its_cell_only(self, session, monkeypatch):
        monkeypatch.setattr(package, "POLITE", LONG)
        session.run("a = 0")
        session.limits = SOON
        assert error_of(session, "a = 1\nwhile True: pass") == "TimeLimit"
        session.limits = LIMITS
        assert session.value("a") == 1

    @pytest.mark.parametrize(
        "source",
        [
            "import time\nwhile True:\n    try:\n        while True: time.sleep(1)\n    except BaseException: pass",
            "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass",
        ],
    )
    def test_a_loop_that_swallows_interrupts_is_ended(self, session, source):
        session.run("import torch")
        session.limits = SOON
        assert lost(session, source) == "time limit"

    def test_an_answer_that_swallows_them_is_ended(self, sandbox):
        session = sandbox.session()
        session.limits = replace(LIMITS, play_seconds=2)
        with session:
            assert lost(session, STEP + "import time, signal; signal.setitimer(signal.ITIMER_REAL, 0)\n    while True: time.sleep(1)") == "time limit"

    @pytest.mark.parametrize(
        "source",
        [
            "bytearray(20 * 2**30)",
            "import torch; torch.empty(5 * 2**30).fill_(1)",
            "import mmap; mmap.mmap(-1, 20 * 2**30)",
            "import os; os.memfd_create('x')",
            "import multiprocessing.shared_memory as s; s.SharedMemory(create=True, size=10**6)",
        ],
    )
    def test_memory(self, session, source):
        assert error_of(session, source) in ("MemoryError", "RuntimeError", "OSError", "PermissionError", "FileNotFoundError")
        assert printed(session, "print(1)") == "1\n"

    @pytest.mark.parametrize(
        "source", ["print('x' * 200_000_000)", "for i in range(2000): print('y' * 100_000)", "display({'text/plain': 'x' * 2**21}, raw=True)"]
    )
    def test_output_is_cut_and_says_so(self, session, source):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        text = printed(session, source)
        assert text.endswith("[The rest is left out: a cell may write 1,048,576 bytes.]\n") and len(text) <= 2**20 + 100
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000

    def test_many_small_outputs_are_cut_too(self, session):
        assert len(session.run("from IPython.display import display\nfor i in range(15_000): display(i)").outputs) < 11_000

    def test_an_enormous_result(self, session):
        assert lost(session, STEP + "return torch.zeros(9_000_000)") == "output limit"

    def test_all_in_all(self, sandbox):
        with sandbox.session() as session:
            session.ends = time.monotonic() + 2
            with pytest.raises(Lost, match="All the time"):
                session.run("while True: pass")

    @pytest.mark.parametrize("source", ["import os; os._exit(0)", "import os; os._exit(3)", "import ctypes; ctypes.string_at(0)", "import os; os.abort()"])
    def test_a_crash(self, session, source):
        assert lost(session, source) == "crash"

    def test_scratch_folder(self, session):
        assert error_of(session, "for i in range(9): open(str(i), 'wb').write(b'x' * 10**6)") == "OSError"

    def test_open_files(self, session):
        assert error_of(session, "import os\nopened = [os.pipe() for i in range(300)]") == "OSError"

    def test_threads_are_allowed(self, session):
        assert printed(session, "import torch\ntorch.set_num_threads(2); print((torch.ones(600, 600) @ torch.ones(600, 600))[0, 0].item())") == "600.0\n"


class TestNothingIsReached:
    """Each of these succeeds in a session that is not confined."""

    @pytest.mark.parametrize(
        "source",
        [
            "import os; os.fork()",
            "import subprocess; subprocess.run(['true'])",
            "import os; os.posix_spawn('/bin/true', ['true'], {})",
            "import os; os.execv('/bin/true', ['true'])",
            "import socket; socket.socket()",
            "import socket; socket.socket(socket.AF_UNIX)",
            f"import os; os.listdir({str(ROOT)!r})",
            f"open({str(ROOT / 'README.md')!r})",
            "open('/hidden-state/course/laws.py', 'a')",
            "open('/usr/x', 'w')",
            "open('/etc/shadow')",
            "open('/proc/self/status')",
            "import os; os.listdir('/proc/1')",
            "open('/x', 'w')",
            "import os; os.listdir('/home')",
        ],
    )
    def test_refused(self, session, source):
        assert error_of(session, source) in ("PermissionError", "FileNotFoundError", "ModuleNotFoundError", "OSError")

    @pytest.mark.parametrize("module", ["course.grading", "course.build", "course.checks.judge"])
    def test_the_graders_part_is_not_there(self, session, module):
        said = printed(session, f"import {module} as reached\nprint('reached', reached)")
        assert f"there is no {module}" in said and "reached <module" not in said

    def test_root_holds_nothing_but_python(self, session):
        home = printed(session, f"import os; print([os.listdir(p) for p in ('/', '/root', '/work') if os.path.isdir(p)], os.path.exists({str(ROOT)!r}))")
        assert ".ssh" not in home and ".bashrc" not in home and "work" not in home.split("]")[0].replace("'/work'", "") and home.endswith("False\n")

    @pytest.mark.parametrize(
        "call",
        [
            "unshare(0x10000000)",
            "mount(b'none', b'/tmp', b'tmpfs', 0, None)",
            "umount2(b'/proc', 2)",
            "ptrace(0, 0, 0, 0)",
            "setns(0, 0)",
            "chroot(b'/tmp')",
            "syscall(425, 1, 0)",
            "syscall(321, 0, 0, 0)",
            "syscall(155, b'/', b'/')",
            "syscall(56, 17, 0, 0, 0, 0)",
            "syscall(435, 0, 0)",
            "shmget(0, 4096, 0o600)",
            "syscall(304, -100, 0, 0)",
            "syscall(248, b'user', b'x', b'y', 1, -3)",
        ],
    )
    def test_system_calls(self, session, call):
        source = f"import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\nprint(libc.{call}, ctypes.get_errno())"
        assert printed(session, source) in ("-1 1\n", "-1 38\n")

    def test_no_privileges(self, session):
        source = "import ctypes\nlibc = ctypes.CDLL(None)\nprint([libc.prctl(23, c) for c in range(41)].count(0), libc.prctl(39, 0, 0, 0, 0))"
        assert printed(session, source) == "41 1\n"

    @pytest.mark.parametrize(
        "source", ["os.kill(0, 9)", "os.killpg(0, 9)", "os.kill(-1, 9)", "os.kill(os.getppid(), 9)", "[os.kill(p, 9) for p in range(2, 300)]"]
    )
    def test_nobody_else_is_killed(self, sandbox, source):
        with sandbox.session() as other, sandbox.session() as session:
            other.run("a = 1")
            try:
                session.run(f"import os\n{source}")
            except Lost:
                pass
            assert other.value("a") == 1

    def test_sessions_do_not_see_each_other(self, sandbox):
        with sandbox.session({"secret.txt": b"x"}) as one, sandbox.session() as other:
            one.run("import sys, torch; torch.planted = 1; open('/tmp/planted', 'w').write('x')")
            assert (
                printed(other, "import os, torch; print(os.listdir('/tmp/work'), sorted(os.listdir('/tmp')), hasattr(torch, 'planted'))")
                == "[] ['home', 'work'] False\n"
            )

    def test_no_secrets_in_the_environment(self, sandbox, monkeypatch):
        monkeypatch.setenv("SECRET", "s")
        with Sandbox(LIMITS) as fresh, fresh.session() as session:
            words = printed(session, "import os; print(os.environ)")
        assert "SECRET" not in words and "'HIDDEN_STATE_PROGRESS': 'off'" in words and "'NBGRADER_EXECUTION': 'autograde'" in words and str(ROOT) not in words

    def test_nothing_is_left_behind(self):
        family = Family()
        with Sandbox(LIMITS) as sandbox:
            folder, process = sandbox.folder, sandbox.process
            with sandbox.session() as session:
                session.run("import threading, time; threading.Thread(target=time.sleep, args=(1000,)).start()")
        assert not folder.exists() and process.poll() is not None
        family.ends()

    def test_the_folder_of_a_killed_grader_goes_with_the_next(self, tmp_path, monkeypatch):
        monkeypatch.setattr(start.tempfile, "tempdir", str(tmp_path))
        monkeypatch.setattr(start, "A_WHILE", -1)
        (_killed, mark), (alive, _used) = start.new_folder(), start.new_folder()
        mark.close()
        new, _ = start.new_folder()
        assert set(tmp_path.iterdir()) == {alive, new}

    def test_the_sandbox_ends_with_its_grader(self, tmp_path):
        family = Family()
        source = "import os, sys\nfrom course.grading.sandbox import Sandbox\nsandbox = Sandbox().__enter__()\nprint(sandbox.folder, flush=True)\nos.kill(os.getpid(), 9)"
        done = subprocess.run([sys.executable, "-c", source], cwd=ROOT, capture_output=True, text=True, env={"PATH": "/usr/bin:/bin", "TMPDIR": str(tmp_path)})
        folder = done.stdout.strip()
        assert folder, done.stderr
        family.ends()


HOSTILE = {
    "reduce": "class R(dict):\n    def __reduce__(self): return print, ('x',)\n" + STEP + "return R()",
    "eq": "class E:\n    def __eq__(self, other): return True\n    __hash__ = object.__hash__\n" + STEP + "return E()",
    "torch_function": (
        "class T(torch.Tensor):\n    @classmethod\n    def __torch_function__(cls, f, types, args=(), kwargs=None): return True\n"
        + STEP
        + "return h.as_subclass(T)"
    ),
    "subclass": "class T(torch.Tensor):\n    shape = property(lambda self: (1, 4))\n" + STEP + "return torch.ones(7).as_subclass(T)",
    "nan": STEP + "return h * float('nan')",
    "inf": STEP + "return h / 0",
    "list": "class L(list):\n    def __len__(self): return 10**9\n" + STEP + "return L()",
    "oracle": "import course.exercises.pipeline.rnn_step as m\n" + STEP + "return m.oracle(x, h, W_ih, W_hh, b_ih, b_hh)",
    "step": "from course.checks import oracles\n" + STEP + "return oracles.step(x, h, W_ih, W_hh, b_ih, b_hh)",
    "garbage": (
        "import gc\n" + STEP + "f = [o for o in gc.get_objects() if getattr(o, '__name__', '') in ('step', 'oracle', 'run_layer') "
        "and str(getattr(o, '__module__', '')).startswith(('course.checks', 'course.exercises'))]\n    return f[0](x, h, W_ih, W_hh, b_ih, b_hh)"
    ),
    "caller": (
        "import sys\n" + STEP + "frame = sys._getframe()\n    while frame:\n        for name, value in {**frame.f_globals, **frame.f_locals}.items():\n"
        "            if name in ('oracle', 'judge', 'target', 'step', 'run_layer'): return value(x, h, W_ih, W_hh, b_ih, b_hh)\n        frame = frame.f_back\n    return h"
    ),
    "reload": "import importlib, course.exercises.pipeline.rnn_step as m\n" + STEP + "return importlib.reload(m).oracle(x, h, W_ih, W_hh, b_ih, b_hh)",
    "source": STEP + "import inspect, course.checks.examine as e; exec(inspect.getsource(e)); return h",
}

FORGED = (
    "from course.checks import case\nfrom course.checks.condition import as_it_is\nfrom course.exercises.pipeline import rnn_step as m\ntensor = lambda t, **more: {'kind': 'tensor', 'shape': tuple(t.shape), 'dtype': str(t.dtype), "
    "'device': t.device.type, 'requires_grad': True, 'overlaps': False, 'values': None if t.is_meta else t.detach(), **more}\n"
    "def result(c, **more):\n    h, asked = tensor(c.args['h']), c.asked(('x', 'h'))\n"
    "    after, grads = as_it_is(c.given, list(c.given.values())), {name: c.args[name] for name in asked}\n"
    "    return case.Result(**{'value': h, 'again': h, 'learning': h if asked else None, 'after': after, 'grads': grads, **more})\n"
)
RESULTS = {
    "nothing": "case.Result()",
    "no result": "None",
    "not even one": "type('X', (), {})()",
    "no numbers": "result(c, value=tensor(c.args['h'], values=None), again=tensor(c.args['h'], values=None))",
    "no numbers the second time": "result(c, again=tensor(c.args['h'], values=None))",
    "other numbers": "result(c, value=tensor(c.args['h'], shape=(1, 1)))",
    "another dtype": "result(c, value=tensor(c.args['h'], dtype='torch.int8'))",
    "a dtype that is none": "result(c, again=tensor(c.args['h'], dtype='torch.quint8', values=None))",
    "a gradient without numbers": "result(c, grads={'h': c.args['h'].to('meta'), 'x': c.args['x']})",
    "a gradient of another shape": "result(c, grads={'h': torch.ones(9), 'x': c.args['x']})",
    "a gradient of nothing": "result(c, grads={'h': c.args['h'], 'x': c.args['x'], 'z': torch.ones(9)})",
    "no gradient at all": "result(c, grads={})",
    "a gradient beside an error": "result(c, grad_error={'type': 'RuntimeError', 'message': '', 'line': 1, 'code': '', 'own': False})",
    "a short list": "result(c, value={'kind': 'tuple', 'length': 1, 'items': []})",
    "no second call": "result(c, again=None)",
    "no inputs": "result(c, after=None)",
    "no third call": "result(c, learning=None)",
    "a third call without numbers": "result(c, learning=tensor(c.args['h'], values=None))",
    "some inputs": "result(c, after={'x': c.args['x']})",
    "printed": "result(c, printed=[])",
    "an error that is none": "case.Result(error={'type': 'RuntimeError', 'message': 'meta tensor'})",
    "an error with a second call": "result(c, error={'type': 'RuntimeError', 'message': '', 'line': 1, 'code': '', 'own': False}, grads={})",
    "notes": "result(c, notes=3)",
    "more parts": "type('R', (), {'value': 1, 'error': None, 'grad_error': None, 'passed': True})()",
}


class TestNothingIsBelieved:
    @pytest.mark.parametrize("source", HOSTILE.values(), ids=list(HOSTILE))
    def test_hostile_answers_earn_nothing(self, session, source):
        try:
            assert not verdict(session, source).passed
        except Lost as error:
            assert error.reason in ("tampering", "crash")

    def test_what_the_forgeries_start_from_is_a_result(self, session):
        assert verdict(session, f"{FORGED}m.play = lambda a, c: result(c)\n{RIGHT}").finding.outcome == "wrong"

    @pytest.mark.parametrize("result", RESULTS.values(), ids=list(RESULTS))
    def test_forged_results(self, session, result):
        """All of them are no results at all: none comes to a judge."""
        assert lost(session, f"{FORGED}m.play = lambda a, c: {result}\n{RIGHT}") in ("tampering", "crash")

    def test_forged_results_of_training(self, session):
        source = (
            "from course.checks import case\nfrom course.exercises.training import train_epoch as m\nempty = {'kind': 'list', 'length': 0, 'items': []}\n"
            "m.play = lambda a, c: case.Result(value=empty, again=empty, notes=[])\ndef train_epoch(model, batches, optimizer): return 1.0, 1.0"
        )
        with pytest.raises(Lost) as caught:
            verdict(session, source, "train_epoch")
        assert caught.value.reason == "tampering"

    @pytest.mark.parametrize(
        "change",
        [
            "log['start']['out.bias'] += 1",
            "log['steps'] *= 200",
            "log['steps'][0]['grads'] = {}",
            "del log['end']",
            "log['arrivals'] = True",
            "log['memory'].popitem()",
        ],
    )
    def test_forged_notes(self, change):
        module, answers = exercises.find("train_epoch"), importlib.import_module("answers.train_epoch")
        case = module.cases(0)[0]
        result = sent(module.play(answers.RIGHT[0], case))
        trust.result({"result": result}, "train_epoch", case)
        exec(change, {"log": result["notes"][0]})
        with pytest.raises(trust.Tampered):
            trust.result({"result": result}, "train_epoch", case)

    @pytest.mark.parametrize(
        "play", ["yield from ()", "yield {'end': True}", "yield {'finding': None}; yield {'end': True}", "yield {'finding': {'outcome': 'passed', 'what': ''}}"]
    )
    def test_results_left_out(self, session, play):
        source = f"import sys\nS = sys.modules['hidden_state_inside.child'].Session\ndef play(self, *_): {play}\nS.play = play\n{RIGHT}"
        session.limits = replace(LIMITS, play_seconds=2)
        assert lost(session, source) in ("tampering", "time limit")

    @pytest.mark.parametrize(
        "source",
        [
            "import json; json.dumps = lambda *a, **k: '[1, 2'",
            "import json; json.dumps = lambda *a, **k: '[' * 100_000",
            'import json; json.dumps = lambda *a, **k: \'{"body": {"evil": 1}, "sizes": []}\'',
            'import json; json.dumps = lambda *a, **k: \'{"body": {"tensor": ["torch.float32", [9], 0]}, "sizes": []}\'',
            "import os\nfor i in range(3, 256):\n    try: os.write(i, b'junk' * 1000)\n    except OSError: pass",
            "import os\nfor i in range(3, 256):\n    try: os.close(i)\n    except OSError: pass",
            "import os, time\nfor i in range(3, 256):\n    try: os.close(i)\n    except OSError: pass\nwhile True: time.sleep(1)",
            "import sys; sys.modules['hidden_state_inside.wire'].pack = lambda value: b'\\xff' * 100",
            "import sys; sys.modules['hidden_state_inside.child'].Session._frame = lambda self, a: sys.modules['hidden_state_inside.wire'].pack({'outputs': [{'output_type': 'evil'}], 'error': None})",
            "get_ipython().outputs.items.append({'output_type': 'display_data', 'data': {'image/png': 7}, 'metadata': {}})",
            "get_ipython().outputs.items.append(7)",
        ],
    )
    def test_a_poisoned_line(self, session, source):
        assert lost(session, source) in ("tampering", "crash")

    def test_what_a_session_patches_stays_in_it(self, session):
        source = "import torch\ntorch.allclose = lambda *a, **k: True\nimport course.checks.examine as e\ne.examine = e.verdict_on = lambda *a: None\ndef rnn_step(x, h, W_ih, W_hh, b_ih, b_hh): return h * 2"
        assert not verdict(session, source).passed
        assert not torch.allclose(torch.zeros(1), torch.ones(1))

    def test_replaced_streams(self, session):
        session.run("import sys; sys.stdout = sys.stderr = None")
        assert printed(session, "print(1)") == "1\n"

    def test_half_a_surrogate_pair_does_no_harm(self, session):
        printed(session, "print('\\ud800')").encode()

    def test_the_answers_of_a_quiz_are_gone(self, session):
        """Neither the sealed ones nor what opens them; and the numbers of a question are still there, each student's own."""
        session.run("import importlib, sys\nfrom course import my_numbers, quiz\nq, s = (sys.modules['course.learner.' + n] for n in ('quiz', 'sealed'))")
        names = "('card', '_key', '_crypt', '_tag', 'seal', '_unknown', 'canonical', '_seal_variant', 'open_text')"
        doors = "[sys.modules['course.learner.' + n] for n in ('quiz', 'sealed', 'reveal', 'look', 'discuss')]"
        assert printed(session, f"print([n for n in {names} for m in {doors} if hasattr(m, n)])") == "[]\n"
        for student in ("", "ada", "bob"):
            session.run(f"n = dict(my_numbers('09_model_quiz', 4, {student!r}))")
            assert session.value("n") == my_numbers("09_model_quiz", 4, student)
        session.run("variant = importlib.reload(s).question('03_cell_step', 1)['variants'][0]")
        assert session.value("variant") == {"given": {}}
        assert error_of(session, "s.card(variant, '03_cell_step', 1, 'A')") == "KeyError"

    def test_no_sealed_answer_is_in_any_file(self, session):
        sealed = json.loads((ROOT / "course" / "learner" / "quiz.json").read_text())
        cards = [card for questions in sealed.values() for question in questions.values() for variant in question["variants"] for card in variant["cards"]]
        session.run(
            "import os\ntext = ''\nfor place, _, files in os.walk('/hidden-state'):\n    for f in files: text += open(os.path.join(place, f), errors='replace').read()"
        )
        cards += [text for text in json.loads((ROOT / "course" / "learner" / "discussions.json").read_text()).values() if text]
        found = printed(session, f"print([card for card in {cards[::7]!r} if card in text], len(text) > 1000)")
        assert found == "[] True\n"

    def test_oracles_are_gone(self, session):
        source = "import sys\nprint([(m, n) for m in list(sys.modules) if m.startswith(('course.checks.', 'course.exercises.')) for n in ('oracle', 'cases', 'judge', 'MISTAKES', 'compare', 'verdict_on', 'step') if hasattr(sys.modules[m], n)])"
        assert printed(session, source) == "[]\n"


class TestWithoutConfinement:
    def test_it_works_too(self, monkeypatch):
        monkeypatch.setattr(package, "POLITE", LONG)
        with Sandbox(LIMITS, confined=False) as sandbox, sandbox.session({"a.txt": b"b"}) as session:
            assert verdict(session, RIGHT).passed
            assert printed(session, "print(open('a.txt').read())") == "b\n"
            session.limits = SOON
            assert error_of(session, "while True: pass") == "TimeLimit"
            session.limits = LIMITS
            assert lost(session, "import os; os._exit(1)") == "crash"
        assert not sandbox.folder.exists()

    def test_what_it_started_ends_with_it(self):
        with Sandbox(LIMITS, confined=False) as sandbox, sandbox.session() as session:
            session.run("import os, time\npid = os.fork()\nif not pid:\n    time.sleep(1000)")
            pid = session.value("pid")
            assert is_running(pid)
        until(lambda: not is_running(pid), "the end of what the session started")


class TestMissing:
    def test_no_bubblewrap(self, monkeypatch):
        monkeypatch.setattr(start.shutil, "which", lambda name: None)
        with pytest.raises(SandboxMissing, match="apt-get install bubblewrap"), Sandbox():
            pass

    def test_no_namespaces(self, monkeypatch):
        monkeypatch.setattr(start, "APART", ("--no-such-option-namespace",))
        with pytest.raises(SandboxMissing, match="sysctl"), Sandbox():
            pass


def test_what_the_prelude_draws_and_imports_is_there_but_not_its_names():
    prelude = ["from course import pictures", "1 / 0", "mine = pictures.pipeline(here=2)", "print('never seen')"]
    with Sandbox(prelude=prelude) as sandbox, sandbox.session() as session:
        session.run("from course import pictures\ndrawn = len(pictures.drawing._drawn)")
        assert session.value("drawn") == 1
        assert isinstance(session.value("mine"), Missing)
        assert session.run("1 + 1").outputs[0]["data"]["text/plain"] == "2"


def test_a_session_finds_everything_loaded_and_only_its_own_thread(session):
    session.run("import sys, threading\nloaded = 'torch._dynamo' in sys.modules\nthreads = threading.active_count()")
    assert session.value("loaded") is True and session.value("threads") == 1
