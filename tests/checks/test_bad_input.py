"""Whatever a learner hands to a check, a quiz, a hint or the progress file: the answer is a clear sentence."""

import contextlib
import json
import os
import re
import signal
import textwrap
import time
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from course import check, exercises, hint, my_numbers, quiz
from course.build.questions import QuestionError, expand
from course.checks import play
from course.checks.examine import PUBLIC_SEED, examine, takes
from course.checks.judge import evaluate
from course.checks.verdict import CheckFailed, NotAttempted
from course.learner import hints, progress
from course.learner import sealed as sealing

torch.set_num_threads(1)

NAMES = exercises.names()
OURS = str(Path(exercises.__file__).parents[1])
TWO_VALUES = ("run_sequence", "run_stacked", "train_epoch")
VALUED = [name for name in NAMES if name != "train_epoch"]


def said(name, *answer, outcome=CheckFailed):
    """What a check that does not pass says, in one line."""
    with pytest.raises(outcome) as failed:
        check(name, *answer)
    assert isinstance(failed.value, AssertionError)
    return " ".join(str(failed.value).split())


def giving(name, *values):
    """An answer to the exercise that gives this value, or these, in all places."""
    if name == "predictor":
        return lambda rnn, out: lambda x: values[0]
    if name == "prediction_trace":
        keys = exercises.find(name).KEYS
        return lambda *args: dict(zip(keys, values * len(keys) if len(values) == 1 else values))
    if name in TWO_VALUES:
        return lambda *args: values * 2 if len(values) == 1 else values
    return lambda *args: values[0]


def learners(source, name="answer"):
    """A function as a learner writes it: in a file that is not ours."""
    namespace = {"torch": torch, "np": np}
    exec(compile(textwrap.dedent(source), "/tmp/ipykernel_1/1.py", "exec"), namespace)
    return namespace[name]


class TestNoFunction:
    @pytest.mark.parametrize("name", NAMES)
    def test_nothing_at_all(self, name):
        assert said(name, outcome=NotAttempted).startswith(f"not attempted yet {name}")

    @pytest.mark.parametrize("value, kind", [(torch.zeros(2), "tensor"), (3, "int"), ("to_probs", "str"), ([1], "list"), ({"a": 1}, "dict")])
    def test_something_else(self, value, kind):
        text = said("to_probs", value)
        assert "needs your function itself, without brackets: check('to_probs', to_probs)" in text
        assert f"It got: {kind}" in text

    @pytest.mark.parametrize("name", NAMES)
    def test_wrong_number_of_arguments(self, name):
        text = said(name, lambda: torch.zeros(1))
        module = exercises.find(name)
        arguments = ", ".join(takes(module, module.cases(0)))
        assert f"it takes (), but it is called with ({arguments}), in that order" in text

    def test_one_argument_too_many(self):
        assert "it takes (logits, dim)" in said("to_probs", lambda logits, dim: logits.softmax(dim))

    def test_keyword_only(self):
        assert "wrong arguments" in said("to_probs", lambda *, logits: logits.softmax(-1))

    def test_more_arguments_with_defaults_are_welcome(self):
        check("to_probs", lambda logits, dim=-1: logits.softmax(dim))

    def test_other_names_are_welcome(self):
        check("to_probs", lambda scores: scores.softmax(-1))


@pytest.mark.filterwarnings("ignore:.*quantiz")
class TestOddResults:
    @pytest.mark.parametrize("name", NAMES)
    def test_none(self, name):
        def forgot(*args):
            args[0]

        assert "returned None. Is there a `return` on every path?" in said(name, forgot)

    @pytest.mark.parametrize("name", NAMES)
    @pytest.mark.parametrize(
        "value, kind",
        [
            (np.zeros((2, 3)), "ndarray"),
            ([[0.5]], "list"),
            (0.5, "float"),
            ("state", "str"),
            ({"h": torch.zeros(1)}, "dict"),
            (True, "bool"),
            (object(), "object"),
            (torch.nn.Linear(1, 1), "Linear"),
            (range(3), "range"),
            (iter([]), "list_iterator"),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_not_a_tensor(self, name, value, kind):
        text = said(name, (lambda *args: value) if name in TWO_VALUES else giving(name, value))
        if name in TWO_VALUES:
            assert "returned 1 values" in text or f"returned one {kind}" in text
        else:
            assert f"should be a torch.Tensor, yours is of type {kind}" in text

    @pytest.mark.parametrize("name", NAMES)
    def test_empty_tuple_and_empty_tensor(self, name):
        for value in ((), torch.zeros(0), torch.zeros(0, 3, 4), torch.zeros(2, 0, 3, 4), torch.tensor(1.0)):
            assert "WRONG" in said(name, lambda *args: value)
            assert "WRONG" in said(name, giving(name, value))

    @pytest.mark.parametrize("name", VALUED)
    def test_nan(self, name):
        module = exercises.find(name)
        value, _ = evaluate(module.oracle, module.cases(PUBLIC_SEED)[0])
        nan = [part * float("nan") for part in play.parts(value)]
        assert "contains NaN" in said(name, giving(name, *nan))

    @pytest.mark.parametrize("name", VALUED)
    def test_a_huge_tensor(self, name):
        start = time.process_time()
        text = said(name, giving(name, torch.zeros(1, 1, 1).expand(1000, 1000, 1000)))
        assert "(1000, 1000, 1000)" in text
        assert time.process_time() - start < 5

    @pytest.mark.parametrize("name", [name for name in NAMES if hasattr(exercises.find(name), "GRADS")])
    def test_a_huge_tensor_with_a_graph(self, name):
        def huge(*args):
            tensor = next(arg for arg in args if isinstance(arg, torch.Tensor))
            one = tensor.flatten()[:1].view(1, 1, 1).expand(1000, 1000, 1000)
            return (one, one) if name in TWO_VALUES else one

        start = time.process_time()
        assert "(1000, 1000, 1000)" in said(name, huge)
        assert time.process_time() - start < 5

    @pytest.mark.parametrize(
        "value",
        [
            torch.zeros(1, 3).to_sparse(),
            torch.zeros(1, 3, dtype=torch.complex64),
            torch.zeros(1, 3, dtype=torch.bool),
            torch.zeros(1, 3, dtype=torch.float16),
            torch.zeros(1, 3, dtype=torch.int64),
            torch.nn.Parameter(torch.zeros(1, 3)),
            torch.full((1, 3), float("inf")),
            torch.zeros(1, 3, device="meta"),
        ],
        ids=lambda value: f"{value.dtype}-{value.layout}-{value.device}",
    )
    def test_tensors_of_other_kinds(self, value):
        assert said("to_probs", lambda logits: value).startswith(("WRONG", "RAISED"))

    def test_a_quantized_tensor(self):
        assert "yours is a quantized tensor" in said("to_probs", lambda logits: torch.quantize_per_tensor(logits, 0.1, 0, torch.quint8))

    def test_a_list_that_holds_itself(self):
        endless = []
        endless.append(endless)
        assert said("to_probs", lambda logits: endless).startswith(("WRONG", "RAISED"))

    def test_a_value_that_cannot_be_shown(self):
        class Shy:
            def __repr__(self):
                raise RuntimeError("no")

        assert "yours is of type Shy" in said("to_probs", lambda logits: Shy())


class TestTooSlow:
    @pytest.fixture(autouse=True)
    def soon(self, monkeypatch):
        monkeypatch.setattr(play, "SECONDS", 0.3)

    def test_an_endless_loop(self):
        def endless(batch):
            while True:
                pass

        start = time.process_time()
        text = said("to_time_major", endless)
        assert "your function was stopped: no result after 0.3 seconds: is there a loop that never ends?" in text
        assert time.process_time() - start < 20 * 0.3

    def test_an_endless_loop_that_catches_exceptions(self):
        def stubborn(batch):
            while True:
                try:
                    time.sleep(0.01)
                except Exception:
                    pass

        assert "no result after 0.3 seconds" in said("to_time_major", stubborn)

    def test_the_alarm_is_off_afterwards(self, monkeypatch):
        monkeypatch.setattr(play, "SECONDS", 60)
        check("to_probs", lambda logits: logits.softmax(-1))
        assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


class TestErrorsInTheAnswer:
    def test_the_learners_own_line_is_shown(self):
        answer = learners("""
            def helper(logits):
                return logits.missing

            def answer(logits):
                value = helper(logits)
                return value
        """)
        text = said("to_probs", answer)
        assert "your code raised an error in line 3 of your code" in text
        assert "AttributeError: 'Tensor' object has no attribute 'missing'" in text
        assert_no_file_of_ours(text)

    @pytest.mark.parametrize("name", NAMES)
    def test_no_file_of_ours_is_named(self, name):
        def answer(*args):
            raise ZeroDivisionError("by hand")

        text = said(name, answer)
        assert 'raise ZeroDivisionError("by hand")' in text and "ZeroDivisionError: by hand" in text
        assert_no_file_of_ours(text)

    @pytest.mark.parametrize(
        "line",
        [
            "copy.deepcopy(logits * 1)",
            "statistics.mean([])",
            "json.loads('{')",
            "torch.zeros(2) @ torch.zeros(3)",
            "torch.nn.Linear(2, 3)(logits)",
            "functools.reduce(lambda a, b: a / 0, [1, 2])",
        ],
    )
    def test_an_error_deep_inside_a_library_shows_the_learners_line(self, line):
        answer = learners(f"import copy, functools, json, statistics\ndef answer(logits):\n    logits.requires_grad_()\n    return {line}\n")
        assert "in line 4 of your code" in said("to_probs", answer)

    def test_a_traceback_in_a_notebook_is_the_report_alone(self):
        with pytest.raises(CheckFailed) as failed:
            check("to_probs", lambda logits: logits)
        assert failed.value._render_traceback_() == str(failed.value).splitlines()

    @pytest.mark.parametrize("error", [SystemExit(3), GeneratorExit(), RecursionError("deep"), MemoryError(), StopIteration(4)])
    def test_unusual_errors(self, error):
        def answer(logits):
            raise error

        assert type(error).__name__ in said("to_probs", answer)

    def test_endless_recursion(self):
        def answer(logits):
            return answer(logits)

        assert "RecursionError" in said("to_probs", answer)

    def test_an_error_without_words(self):
        def answer(logits):
            assert logits is None

        assert "AssertionError" in said("to_probs", answer)

    def test_an_error_whose_words_cannot_be_had(self):
        class Mute(Exception):
            def __str__(self):
                raise ValueError("no words")

        def answer(logits):
            raise Mute

        assert "Mute" in said("to_probs", answer)

    def test_stopping_the_cell_stops_the_check(self):
        def answer(logits):
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            check("to_probs", answer)


def assert_no_file_of_ours(text):
    assert OURS not in text and "site-packages" not in text
    assert not any(f"{name}.py" in text for name in (*NAMES, "examine", "judge", "play", "case", "report"))


class TestUnknownNames:
    @pytest.mark.parametrize(
        "wrong, near", [("rnn_stepp", "rnn_step"), ("softmax_probs", "to_probs"), ("init_hiden", "init_hidden"), ("run_seq", "run_sequence")]
    )
    def test_the_nearest_is_suggested(self, wrong, near):
        for ask in (lambda: check(wrong, lambda x: x), lambda: hint(wrong)):
            with pytest.raises(ValueError, match=f"there is no exercise {wrong!r}. Did you mean .*{near}"):
                ask()

    @pytest.mark.parametrize("wrong", ["examine", "judge", "play", "case", "oracles", "", "..", "quiz", None, 3, len, torch.zeros(2)])
    def test_nothing_else_is_an_exercise(self, wrong):
        with pytest.raises(ValueError, match="there is no exercise"):
            check(wrong, lambda x: x)

    def test_all_are_listed_where_none_is_near(self):
        with pytest.raises(ValueError) as refused:
            check("zzzzzz", None)
        assert all(name in str(refused.value) for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_hints_come_one_by_one_and_start_again(name, capsys, monkeypatch):
    monkeypatch.setattr(hints, "_given", {})
    expected = exercises.find(name).HINTS
    for _ in range(2):
        for number, text in enumerate(expected, start=1):
            hint(name)
            said = capsys.readouterr().out
            assert all(len(line) <= 88 for line in said.splitlines())
            assert " ".join(said.split()) == f"Hint {number} of {len(expected)} for {name}: {text}"


QUESTIONS = {
    "04_carry": {
        1: {"answer": "B", "why": {"A": "The state is not an output.", "B": "The state carries over.", "C": "A gradient is something else."}},
        2: {"answer": "A", "why": {"A": "Ten steps, ten states.", "B": "Zero is where it starts."}},
        3: {
            "kind": "shape",
            "given": {"B": [3, 5, 7], "H": [4, 6]},
            "answer": "(1, B, H)",
            "why": "One layer, {B} rows.",
            "wrong": {"(B, H)": "The layer is missing.", "(1, H, B)": "Turned round."},
            "otherwise": "Layers come first.",
        },
        4: {
            "kind": "number",
            "digits": 2,
            "given": {"a": [0.5, 1.0, 2.0]},
            "answer": "exp(a) / (exp(a) + 1)",
            "why": "Softmax of two.",
            "wrong": {"100 * exp(a) / (exp(a) + 1)": "That is in percent."},
            "otherwise": "Divide by the sum.",
        },
        5: {"kind": "number", "answer": 4, "why": "Four steps.", "wrong": {12: "All of them."}},
    },
}


EXPANDED = {lesson: {number: expand(question) for number, question in numbered.items()} for lesson, numbered in QUESTIONS.items()}
SEALED = sealing.seal(EXPANDED)
VARIANTS = [pytest.param(number, variant, id=f"{number}-{i}") for number in (3, 4) for i, variant in enumerate(EXPANDED["04_carry"][number]["variants"])]


class Sealed:
    @pytest.fixture(autouse=True)
    def sealed(self, monkeypatch, tmp_path):
        self.file = tmp_path / "quiz.json"
        self.file.write_text(json.dumps(SEALED), encoding="utf-8")
        monkeypatch.setattr(sealing, "SEALED", self.file)
        monkeypatch.setattr(progress, "_in_memory", progress._nothing())
        for name in ("HIDDEN_STATE_STUDENT", "JUPYTERHUB_USER"):
            monkeypatch.delenv(name, raising=False)


class TestQuiz(Sealed):
    @pytest.mark.parametrize("answer", ["B", "b", " B "])
    def test_right(self, answer, capsys):
        quiz("04_carry", 1, answer)
        out = capsys.readouterr().out
        assert out.startswith("PASSED  question 1, B") and "The state carries over." in out
        assert progress.load()["answers"] == {"04_carry/1": True}

    @pytest.mark.parametrize("answer, why", [("A", "The state is not an output."), ("C", "A gradient is something else.")])
    def test_wrong(self, answer, why):
        with pytest.raises(CheckFailed) as failed:
            quiz("04_carry", 1, answer)
        assert str(failed.value).startswith(f"WRONG  question 1, {answer}") and why in str(failed.value)
        assert "The state carries over." not in str(failed.value)
        assert progress.load()["answers"] == {}

    @pytest.mark.parametrize("answer", [None, ...])
    def test_not_attempted(self, answer):
        with pytest.raises(NotAttempted, match='type a letter in quotes, as "A", as the value of answer_2'):
            quiz("04_carry", 2, answer)

    @pytest.mark.parametrize("answer", [2, 1.5, ["A"], {"A"}, True, b"A", len, torch.zeros(3)])
    def test_not_a_string(self, answer):
        with pytest.raises(CheckFailed, match="the answer is a letter in quotes"):
            quiz("04_carry", 1, answer)

    @pytest.mark.parametrize("answer", ["D", "", "AB", "A, B", "all", "1", "Ä", "\0", "A" * 10_000])
    def test_no_such_option(self, answer):
        with pytest.raises(CheckFailed) as failed:
            quiz("04_carry", 1, answer)
        assert str(failed.value).startswith("WRONG  question 1")
        assert len(str(failed.value)) < 20_000

    @pytest.mark.parametrize("lesson, number", [("04_carry", 9), ("no such lesson", 1), ("04_carry", None), (None, None)])
    def test_no_such_question(self, lesson, number):
        with pytest.raises(ValueError, match="there is no (question|lesson)"):
            quiz(lesson, number, "A")

    def test_the_sealed_file_holds_no_plain_text(self):
        text = self.file.read_text(encoding="utf-8")
        for question in EXPANDED["04_carry"].values():
            for why in (why for variant in question["variants"] for why in variant["why"].values()):
                assert not any(word in text for word in re.findall(r"\w{4,}", why))
        assert '"answer"' not in text and '"why"' not in text
        cards = json.loads(text)["04_carry"]["1"]["variants"][0]["cards"]
        assert len(cards) == 3 and not set("ABC") & set(cards)
        assert list(cards) == sorted(cards), "the order gives nothing away"

    def test_the_real_file_holds_no_plain_text(self):
        real = Path(sealing.__file__).with_name("quiz.json")
        if not real.exists():
            pytest.skip("course.build has not made it yet")
        for numbered in json.loads(real.read_text(encoding="utf-8")).values():
            for variant in (variant for question in numbered.values() for variant in question["variants"]):
                assert set(variant) == {"given", "cards"}
                for tag, card in variant["cards"].items():
                    assert all(c in "0123456789abcdef" for c in tag)
                    assert " " not in card

    def test_an_answer_that_is_no_option_cannot_be_sealed(self):
        with pytest.raises(ValueError, match="none of its options under `why`: A"):
            sealing.seal({"x": {1: expand({"answer": "Z", "why": {"A": "a"}})}})


class TestProgressFile:
    @pytest.fixture
    def file(self, monkeypatch, tmp_path):
        file = tmp_path / "deep" / "progress.json"
        monkeypatch.setenv("HIDDEN_STATE_PROGRESS", str(file))
        monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
        return file

    GARBAGE = [
        b"not json",
        b"",
        b"{",
        b"[]",
        b"3",
        b"null",
        b'"text"',
        b"\xff\xfe\x00",
        b'{"exercises": {}}',
        b'{"exercises": 3, "answers": {}}',
        b'{"exercises": "abc", "answers": {}}',
        b'{"exercises": {}, "answers": [1, 2]}',
    ]

    @pytest.mark.parametrize("garbage", GARBAGE)
    def test_a_broken_file_is_kept_aside(self, file, garbage, capsys):
        file.parent.mkdir()
        file.write_bytes(garbage)
        check("to_probs", lambda logits: logits.softmax(-1))
        out = capsys.readouterr().out
        assert "is broken. It is kept as progress.json.broken-1" in out
        assert "PASSED  to_probs" in out
        assert (file.parent / "progress.json.broken-1").read_bytes() == garbage
        assert "to_probs" in json.loads(file.read_text())["exercises"]

    def test_two_broken_files_are_both_kept(self, file):
        file.parent.mkdir()
        for garbage in ("one", "two"):
            file.write_text(garbage)
            progress.load()
        assert sorted(aside.read_text() for aside in file.parent.iterdir()) == ["one", "two"]

    def test_a_first_file_is_made_and_a_second_pass_keeps_the_first(self, file):
        check("to_probs", lambda logits: logits.softmax(-1))
        check("to_time_major", lambda batch: batch.transpose(0, 1))
        assert set(json.loads(file.read_text())["exercises"]) == {"to_probs", "to_time_major"}
        assert os.listdir(file.parent) == ["progress.json"]

    def test_a_failed_check_notes_only_that_it_failed(self, file):
        said("to_probs", lambda logits: logits)
        assert json.loads(file.read_text()) == {"exercises": {}, "answers": {}, "misses": {"to_probs": 1}}

    def test_a_folder_in_the_place_of_the_file(self, file, capsys):
        file.mkdir(parents=True)
        check("to_probs", lambda logits: logits.softmax(-1))
        out = capsys.readouterr().out
        assert "PASSED  to_probs" in out and "progress" in out.split("PASSED")[0]

    def test_off_means_in_memory(self, monkeypatch, tmp_path):
        monkeypatch.setenv("HIDDEN_STATE_PROGRESS", "off")
        monkeypatch.setattr(progress, "_in_memory", progress._nothing())
        for name in ("HIDDEN_STATE_STUDENT", "JUPYTERHUB_USER"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.chdir(tmp_path)
        check("to_probs", lambda logits: logits.softmax(-1))
        assert "to_probs" in progress.load()["exercises"]
        assert not list(tmp_path.iterdir())


class TestQuestionsWithNumbers(Sealed):
    """Shapes and numbers, and numbers that differ from student to student."""

    def student_of(self, number, given):
        """Somebody who was given these numbers."""
        return next(who for who in map(str, range(1000)) if dict(my_numbers("04_carry", number, who)) == given)

    @pytest.mark.parametrize(
        "answer", [(1, 3, 4), [1, 3, 4], "(1, 3, 4)", " [1,3,4] ", torch.Size([1, 3, 4]), torch.tensor([1, 3, 4]), torch.empty(1, 3, 4).shape]
    )
    def test_a_shape_in_any_writing(self, answer, capsys):
        quiz("04_carry", 3, answer)
        assert "PASSED  question 3, (1, 3, 4)\n  One layer, 3 rows." in capsys.readouterr().out

    @pytest.mark.parametrize(
        "answer", [0.62, 0.6225, 0.622459331, "0.62", ".62", torch.tensor(0.6225), torch.tensor([0.5, 0]).softmax(0)[0], Fraction(62, 100), Decimal("0.62")]
    )
    def test_a_number_in_any_writing(self, answer):
        quiz("04_carry", 4, answer)

    @pytest.mark.parametrize("answer", [4, 4.0, "4", torch.tensor(4), True + 3])
    def test_a_whole_number_in_any_writing(self, answer):
        quiz("04_carry", 5, answer)

    @pytest.mark.parametrize(
        "number, answer, why",
        [
            (3, (3, 4), "The layer is missing."),
            (3, (1, 4, 3), "Turned round."),
            (3, (1, 3, 5), "Layers come first."),
            (3, (), "Layers come first."),
            (4, 62.2459, "That is in percent."),
            (4, 0.61, "Divide by the sum."),
            (4, 0.6, "Divide by the sum."),
            (4, 0.627, "Divide by the sum."),
            (4, -0.62, "Divide by the sum."),
            (5, 12, "All of them."),
            (5, 3, "none of the mistakes that we know"),
            (5, 40, "none of the mistakes"),
        ],
    )
    def test_wrong_numbers(self, number, answer, why):
        with pytest.raises(CheckFailed, match=re.escape(why)):
            quiz("04_carry", number, answer)
        assert progress.load()["answers"] == {} and progress.load()["misses"] == {f"04_carry/{number}": 1}

    @pytest.mark.parametrize(
        "number, answer, form",
        [
            *((3, answer, "a shape, as (2, 3, 4)") for answer in (4, "four", (1, 3, 4.0), (True, 3, 4), {1, 3, 4}, [[1, 3, 4]], "1; 3", len, torch.ones(2, 2))),
            *(
                (number, answer, "a number, as 4 or 0.25")
                for number in (4, 5)
                for answer in ("A", [0.62], True, float("nan"), float("inf"), 1j, "62 %", len, torch.ones(2), "")
            ),
        ],
    )
    def test_not_of_this_kind(self, number, answer, form):
        with pytest.raises(CheckFailed, match=re.escape(f"the answer is {form}; yours is")):
            quiz("04_carry", number, answer)

    def test_an_answer_that_raises_when_it_is_looked_at(self):
        class Hostile:
            def __getattr__(self, name):
                raise RuntimeError

            __repr__ = __float__ = __getattr__

        for number in (1, 3, 4):
            with pytest.raises(CheckFailed, match="an object of type Hostile"):
                quiz("04_carry", number, Hostile())

    @pytest.mark.parametrize("number, variant", VARIANTS)
    def test_every_variant_takes_its_own_answer_and_explains_its_mistakes(self, number, variant):
        student = "" if variant is EXPANDED["04_carry"][number]["variants"][0] else self.student_of(number, variant["given"])
        for text, why in variant["why"].items():
            with contextlib.nullcontext() if text in variant["answers"] else pytest.raises(CheckFailed, match=re.escape(why)):
                quiz("04_carry", number, text, student)

    def test_a_student_gets_the_same_numbers_every_time_and_never_the_default_ones(self):
        default = my_numbers("04_carry", 3)
        found = {who: my_numbers("04_carry", 3, who) for who in map(str, range(60))}
        assert all(numbers == my_numbers("04_carry", 3, f" {who} ") != default for who, numbers in found.items())
        assert len({tuple(numbers.values()) for numbers in found.values()}) == 5
        assert my_numbers("04_carry", 3, "Ada") == my_numbers("04_carry", 3, "ada")
        assert repr(default) == "B = 3, H = 4   (no student id: the default numbers)"

    def test_the_grader_knows_better_whose_work_it_is(self, monkeypatch):
        typed, graded = "0", next(who for who in map(str, range(99)) if my_numbers("04_carry", 3, who) != my_numbers("04_carry", 3, "0"))
        right = (1, *my_numbers("04_carry", 3, typed).values())
        quiz("04_carry", 3, right, typed)
        monkeypatch.setenv("HIDDEN_STATE_STUDENT", graded)
        assert my_numbers("04_carry", 3, typed).student == graded
        with pytest.raises(CheckFailed):
            quiz("04_carry", 3, right, typed)

    def test_jupyterhubs_name_is_taken_where_none_is_typed(self, monkeypatch):
        monkeypatch.setenv("JUPYTERHUB_USER", "grace")
        assert my_numbers("04_carry", 3).student == "grace" and my_numbers("04_carry", 3, "ada").student == "ada"

    def test_who_answered_for_the_default_numbers_is_told_so(self):
        with pytest.raises(CheckFailed, match="right for the numbers without a student id. Yours are B = "):
            quiz("04_carry", 3, (1, 3, 4), "ada")

    @pytest.mark.parametrize("student", [["ada"], 1.5, {"id": 1}])
    def test_an_id_that_is_none(self, student):
        with pytest.raises(CheckFailed, match="a student id is a text in quotes"):
            my_numbers("04_carry", 3, student)


@pytest.mark.parametrize(
    "question, says",
    [
        ({"kind": "shape", "answer": "(1, B)", "why": ""}, "cannot be worked out"),
        ({"kind": "shape", "answer": "3", "why": ""}, "which is no shape"),
        ({"kind": "number", "answer": 4, "why": "", "wrong": {4: ""}}, "tells the right answer clearly"),
        ({"kind": "number", "digits": 1, "answer": 0.25, "why": ""}, "tells the right answer clearly"),
        ({"kind": "number", "given": {"a": [3]}, "answer": "a", "why": ""}, "tells the right answer clearly"),
    ],
)
def test_a_question_that_cannot_be_asked(question, says):
    with pytest.raises(QuestionError, match=says):
        expand(question)


class TestForgedTraining:
    """What `play` of train_epoch writes down comes from a process that the answer can change: the judge believes none of it unseen."""

    def results(self):
        def train_epoch(model, batches, optimizer):
            model.train()
            total, right, samples = 0.0, 0, 0
            for x, y in batches:
                optimizer.zero_grad()
                loss = torch.nn.functional.cross_entropy(logits := model(x), y)
                loss.backward()
                optimizer.step()
                total, right, samples = total + loss.item() * len(y), right + (logits.argmax(-1) == y).sum().item(), samples + len(y)
            return total / samples, right / samples

        module = exercises.find("train_epoch")
        cases = module.cases(0)
        return module, [(case, module.play(train_epoch, case)) for case in cases]

    def test_an_honest_one_passes(self):
        module, pairs = self.results()
        assert [module.judge(case, result) for case, result in pairs] == [None] * len(pairs)

    def test_steps_that_the_optimizer_did_not_make(self):
        module, pairs = self.results()
        for case, result in pairs:
            last = result.notes[-1]["steps"][-1]
            last["after"] = result.notes[-1]["end"] = {name: value * 0.5 for name, value in last["after"].items()}
            assert "not those that the optimizer makes" in module.judge(case, result).what

    def test_weights_that_are_not_the_cases(self):
        module, pairs = self.results()
        case, result = pairs[0]
        other = module.play(lambda model, batches, optimizer: (0.0, 0.0), module.cases(1)[0])
        result.notes[0]["start"] = other.notes[0]["start"]
        assert module.judge(case, result).outcome == "wrong"

    def test_epochs_that_are_left_out(self):
        module, pairs = self.results()
        case, result = pairs[0]
        result.notes.clear()
        with pytest.raises(ValueError):
            module.judge(case, result)


def test_an_answer_whose_second_call_has_another_dtype_is_wrong_and_not_an_error():
    calls = []

    def to_probs(logits):
        calls.append(1)
        probs = torch.softmax(logits, -1)
        return probs if len(calls) % 2 else probs.double()

    assert examine(exercises.find("to_probs"), to_probs, 0).finding.outcome == "wrong"
