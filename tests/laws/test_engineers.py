"""The laws outside of a notebook: alone, on the command line, and as tests."""

import os
import re
import subprocess
import sys
import tomllib

import pytest
from support import ROOT

from course.laws import laws as eight
from course.laws.pytest_plugin import LAWS

MODELS = """
import torch
from torch import nn
from course import laws

class Right(nn.GRU):
    def __init__(self):
        super().__init__(5, 4)

class Leaks(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn, self.h = nn.RNN(5, 4), None

    def forward(self, x, h=None):
        outputs, h = self.rnn(x, self.h if h is None else h)
        self.h = h.detach()
        return outputs, h

class Wants(nn.Module):
    def __init__(self, size):
        super().__init__()

ready = nn.RNN(3, 2)
made = lambda: laws.on(nn.LSTM(5, 4), call=lambda module, x, state: module(x, hx=state))
two_ways = nn.GRU(5, 4, bidirectional=True)
"""
ALONE = """
import sys
kept = {"course", "torch", "lazy_loader"}
class Closed:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("IPython", "ipywidgets", "matplotlib", "traitlets", "anywidget", "pytest", "_pytest", "nbformat", "nbgrader", "yaml"):
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Closed())
import torch
before = set(sys.modules)
from course import laws
loaded = {name for name in set(sys.modules) - before if name.split(".")[0] == "course"}
assert not [name for name in loaded if name.startswith("course.pictures") or name.startswith("course.learner")], loaded
assert all(laws.check_all(torch.nn.RNN(5, 4)))
outside = {name.split(".")[0] for name in set(sys.modules) - before} - set(sys.stdlib_module_names) - {"course", "torch", "lazy_loader"}
print(sorted(name for name in outside if not name.startswith("_")))
"""


def run(folder, *arguments):
    return subprocess.run([sys.executable, *arguments], cwd=folder, capture_output=True, text=True, env=_env(folder))


def _env(folder):
    return {**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "models.py").write_text(MODELS)
    return tmp_path


def test_the_laws_alone_need_torch_and_nothing_else(tmp_path):
    done = run(tmp_path, "-c", ALONE)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"


class TestCommandLine:
    @pytest.mark.parametrize(
        "subject, code, words",
        [
            ("models:Right", 0, "zero law holds"),
            ("models:ready", 0, "resume law holds"),
            ("models:made", 0, "cut law holds"),
            ("models:two_ways", 0, "step law does not apply"),
            ("models:Leaks", 1, "zero law is BROKEN"),
        ],
    )
    def test_it_prints_what_the_laws_say(self, folder, subject, code, words):
        done = run(folder, "-m", "course.laws", subject)
        assert done.returncode == code, done.stderr
        assert words in done.stdout and not done.stderr

    @pytest.mark.parametrize(
        "subject, words",
        [
            ("models", "with a colon before the class"),
            ("nowhere:Model", "call it from the folder in which nowhere lies"),
            ("models:Nothing", "Nothing"),
            ("models:Wants", "cannot be made without arguments"),
        ],
    )
    def test_what_cannot_be_found_is_said_in_a_line(self, folder, subject, words):
        done = run(folder, "-m", "course.laws", subject)
        assert done.returncode == 2 and words in done.stderr and "Traceback" not in done.stderr


class TestPlugin:
    def test_it_knows_every_law(self):
        assert [f"{name}_law" for name in LAWS] == [law.__name__ for law in eight.ALL]

    def test_the_project_hands_it_to_pytest(self):
        points = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["entry-points"]["pytest11"]
        assert points == {"course.laws.pytest_plugin": "course.laws.pytest_plugin"}

    def test_one_test_a_law_and_all_in_one(self, folder):
        (folder / "test_models.py").write_text(
            "import models\n"
            "def test_right(assert_law): assert_law(models.Right())\n"
            "def test_two_ways(assert_law): assert_law(models.two_ways)\n"
            "def test_leaks(assert_law): assert_law(models.Leaks())\n"
            "def test_all(assert_laws): assert_laws(models.Right())\n"
            "def test_all_of_a_leak(assert_laws): assert_laws(models.Leaks())\n"
        )
        done = run(folder, "-m", "pytest", "-q", "-p", "course.laws.pytest_plugin", "-p", "no:cacheprovider", "--no-header", "-rA", "test_models.py")
        assert "20 passed, 3 skipped, 3 failed" in _counts(done.stdout), done.stdout
        for name in ("test_leaks[zero]", "test_leaks[resume]", "test_all_of_a_leak"):
            assert f"FAILED test_models.py::{name}" in done.stdout
        assert "zero law is BROKEN: the outputs without a state" in done.stdout


def _counts(text):
    """The numbers of the last line, in one order: 'p passed, s skipped, f failed'."""
    found = {word: number for number, word in re.findall(r"(\d+) (passed|skipped|failed)", text.splitlines()[-1])}
    return f"{found.get('passed')} passed, {found.get('skipped')} skipped, {found.get('failed')} failed"
