"""The engine's rules: numbers before gradients, the shipped code told from its mistake written anew, a remark on what could not learn."""

import re
import textwrap

import jupytext
import pytest
import torch
from support import ROOT
from torch import nn
from torch.func import functional_call

from course import exercises
from course.checks import report
from course.checks.attempt import is_attempted
from course.checks.examine import PUBLIC_SEED, examine
from course.checks.shipped import OPENING, is_same_code

BREAK = [name for name in exercises.names() if hasattr(exercises.find(name), "shipped")]


def found(name, answer, seed=PUBLIC_SEED):
    return examine(exercises.find(name), answer, seed, ask_again=True)


def released(name):
    """The code of an exercise as a lesson gives it to a student: what stands in its cell outside the solution."""
    for source in ROOT.glob("solutions/*/0[1-9]*.md"):
        for cell in jupytext.read(source, fmt="md:myst").cells:
            if cell.metadata.get("nbgrader", {}).get("grade_id") == name:
                return re.sub(r" *### BEGIN SOLUTION.*?### END SOLUTION\n?", "", cell.source, flags=re.DOTALL)
    raise AssertionError(f"no lesson has a cell {name}")


def made(code):
    namespace = {"torch": torch, "nn": nn}
    exec(code, namespace)
    return next(value for key, value in namespace.items() if getattr(value, "__module__", None) == "builtins" or key in (*BREAK, "Predictor"))


class TestShippedCode:
    @pytest.mark.parametrize("name", BREAK)
    def test_what_a_lesson_gives_is_what_the_exercise_calls_shipped(self, name):
        assert is_same_code(made(released(name)), exercises.find(name).shipped)

    @pytest.mark.parametrize("name", BREAK)
    def test_untouched_it_is_not_attempted(self, name):
        finding = found(name, made(released(name))).finding
        assert finding.outcome == "not attempted yet" and exercises.find(name).SHIPPED_BUG in finding.what

    @pytest.mark.parametrize("name", [name for name in BREAK if name != "predictor"])
    def test_the_same_mistake_written_anew_is_wrong_and_called_so(self, name):
        code = re.sub(r"^(def .*\n(?:    \"\"\".*\"\"\"\n)?)", r"\1    mine = 1\n", released(name), flags=re.MULTILINE)
        finding = found(name, made(code)).finding
        assert finding.outcome == "wrong" and finding.what.startswith("the same mistake as in the code you were given: ")
        assert OPENING not in finding.what

    @pytest.mark.parametrize("more", ["def reset(self):\n    self.h = None", "def more(self):\n    return self.h.detach()"])
    def test_a_class_with_one_more_method_that_nothing_calls_is_wrong(self, more):
        finding = found("predictor", made(released("predictor") + "\n" + textwrap.indent(more, "    "))).finding
        assert finding.outcome == "wrong" and "the same mistake as in the code you were given" in finding.what

    @pytest.mark.parametrize("name", BREAK)
    def test_comments_docstrings_and_lines_make_no_difference(self, name):
        code = "# mine\n\n" + re.sub(r'    """.*"""\n', "", released(name)).replace("\n", "  # so\n", 1)
        assert is_same_code(made(code), exercises.find(name).shipped)


class TestNumbersComeBeforeGradients:
    @pytest.mark.parametrize(
        "answer, cause",
        [
            (lambda x, h, W_ih, W_hh, b_ih, b_hh: torch.tanh(x @ W_ih.T + b_ih) + torch.tanh(h @ W_hh.T + b_hh), "tanh"),
            (lambda x, h, W_ih, W_hh, b_ih, b_hh: h + torch.tanh(x @ W_ih.T + b_ih + h @ W_hh.T + b_hh), "added on top"),
            (lambda x, h, W_ih, W_hh, b_ih, b_hh: torch.tanh(x @ W_ih.T + b_ih + b_hh), "is ignored"),
        ],
        ids=["tanh of each term", "h added", "h ignored"],
    )
    def test_what_is_right_where_h_is_zero_alone(self, answer, cause):
        finding = found("rnn_step", answer).finding
        assert "wrong numbers" in finding.what and "the numbers are right" not in finding.what
        assert cause in finding.cause


def detached(x, h, W_ih, W_hh, b_ih, b_hh):
    return torch.tanh(x @ W_ih.detach().T + b_ih + h @ W_hh.T + b_hh)


def data(h, W, b):
    return h @ W.data.T + b.data


def fresh_cell(x, h, W_ih, W_hh, b_ih, b_hh):
    cell = nn.RNNCell(x.shape[1], h.shape[1], dtype=x.dtype, device=x.device)
    with torch.no_grad():
        for mine, given in zip((cell.weight_ih, cell.weight_hh, cell.bias_ih, cell.bias_hh), (W_ih, W_hh, b_ih, b_hh)):
            mine.copy_(given)
    return cell(x, h)


def called(x, h, W_ih, W_hh, b_ih, b_hh):
    weights = {"weight_ih": W_ih, "weight_hh": W_hh, "bias_ih": b_ih, "bias_hh": b_hh}
    return functional_call(nn.RNNCell(x.shape[1], h.shape[1], device="meta"), weights, (x, h))


class TestRemark:
    @pytest.mark.parametrize(
        "name, answer, cut",
        [("rnn_step", detached, "W_ih: "), ("rnn_step", fresh_cell, "W_ih, W_hh, b_ih and b_hh: "), ("output_layer", data, "W and b: ")],
        ids=["detach", "a fresh layer", ".data"],
    )
    def test_a_pass_that_could_not_learn_says_so(self, name, answer, cut):
        verdict = found(name, answer)
        assert verdict.passed and f"no gradient reaches {cut}" in verdict.remark
        assert "would never learn" in " ".join(report.text(verdict).split()) and report.text(verdict).startswith("PASSED")

    @pytest.mark.parametrize("answer", [called, lambda x, h, W_ih, W_hh, b_ih, b_hh: torch.tanh(x @ W_ih.T + b_ih + h @ W_hh.T + b_hh)])
    def test_a_pass_that_can_learn_has_none(self, answer):
        assert found("rnn_step", answer).remark == ""

    def test_a_failure_has_none(self):
        assert found("output_layer", lambda h, W, b: h @ W.detach().T - b).remark == ""


class TestNotAttempted:
    @pytest.mark.parametrize("body", ["raise NotImplementedError", "raise NotImplementedError()", "raise NotImplementedError('later')", "pass", "..."])
    def test_a_body_that_promises_only(self, body):
        namespace = {}
        exec(f"def f(x):\n    '''What it will do.'''\n    {body}", namespace)
        assert not is_attempted(namespace["f"])

    @pytest.mark.parametrize("body", ["raise ValueError", "return x\n    raise NotImplementedError", "if x: raise NotImplementedError\n    return x"])
    def test_a_body_that_does_something(self, body):
        namespace = {}
        exec(f"def f(x):\n    {body}", namespace)
        assert is_attempted(namespace["f"])
