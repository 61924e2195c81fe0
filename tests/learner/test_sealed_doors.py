"""reveal, look and discuss: what opens when, and what is said of a guess, of what was seen, and after a pass."""

import importlib
import json

import pytest

from course import discuss, look, reveal
from course.build.questions import expand, with_truth
from course.checks.verdict import CourseError
from course.learner import progress, sealed

DISCUSS = importlib.import_module("course.learner.discuss")  # course.discuss itself is the function
PREDICT = {
    "kind": "shape",
    "answer": "(10, 3, 5)",
    "why": "Time comes first.",
    "wrong": {"(3, 10, 5)": "That is how people write it down."},
}
ORDER = {
    "kind": "order",
    "answer": "['carried', 'detached', 'reset', 'no memory']",
    "also": ["['carried', 'detached', 'no memory', 'reset']"],
    "why": "Two carry, two guess.",
    "wrong": {"['detached', 'carried', 'reset', 'no memory']": "A cut state is no better state."},
}
SEEN = {"kind": "set", "answer": "{0, 1, 3}", "why": "Units 0, 1 and 3.", "wrong": {"{1}": "That is one of them."}, "otherwise": "Three of four can."}
QUESTIONS = {"one": {"predict": with_truth(expand(PREDICT)), "look 1": expand(SEEN)}, "two": {"predict": with_truth(expand(ORDER))}}


@pytest.fixture(autouse=True)
def files(monkeypatch, tmp_path):
    quiz, discussions = tmp_path / "quiz.json", tmp_path / "discussions.json"
    quiz.write_text(json.dumps(sealed.seal(QUESTIONS)), encoding="utf-8")
    discussions.write_text(
        json.dumps(
            {
                "rnn_step": sealed.seal_text("rnn_step", "Write it with **einsum**."),
                "to_probs": "",
                "key_insight": sealed.seal_text("key_insight", "A model answer."),
            }
        ),
        encoding="utf-8",
    )
    monkeypatch.setattr(sealed, "SEALED", quiz)
    monkeypatch.setattr(DISCUSS, "SEALED", discussions)
    monkeypatch.setattr(progress, "_in_memory", progress._nothing())
    return tmp_path


class TestReveal:
    @pytest.mark.parametrize("guess", [(10, 3, 5), [10, 3, 5], "(10, 3, 5)"])
    def test_a_right_guess_gets_its_reason(self, guess):
        assert repr(reveal("one", guess)) == "You said (10, 3, 5). That is right.\nTime comes first."

    def test_a_likely_guess_hears_why_it_tempts_and_what_comes_out(self):
        assert repr(reveal("one", (3, 10, 5))) == "You said (3, 10, 5). That is how people write it down.\nIt is (10, 3, 5). Time comes first."

    def test_any_other_guess_hears_what_comes_out(self):
        assert repr(reveal("one", (7, 7))) == "You said (7, 7).\nIt is (10, 3, 5). Time comes first."

    @pytest.mark.parametrize("guess", [None, ...])
    def test_without_a_guess_nothing_is_told(self, guess):
        assert "put your guess" in repr(reveal("one", guess)) and "10" not in repr(reveal("one", guess))

    @pytest.mark.parametrize("guess", ["ten", 3, (1.5, 2), {"a": 1}, len])
    def test_what_is_no_guess_is_told_its_form_and_nothing_else(self, guess):
        assert repr(reveal("one", guess)).startswith("A guess here is a shape, as (2, 3, 4).") and "10" not in repr(reveal("one", guess))

    @pytest.mark.parametrize("losers", [["reset", "no memory"], ["no memory", "Reset "]])
    def test_more_than_one_answer_can_be_right(self, losers):
        assert "That is right." in repr(reveal("two", ["carried", "detached", *losers]))

    def test_a_wrong_order(self):
        text = " ".join(repr(reveal("two", ["detached", "carried", "reset", "no memory"])).split())
        assert "A cut state is no better state." in text and "It is carried, detached, reset, no memory." in text

    def test_a_picture_is_shown_with_a_guess_alone(self):
        class Picture:
            def _repr_html_(self):
                return "<img>"

        assert "<img>" in reveal("one", (1,), Picture())._repr_html_()
        assert "<img>" not in reveal("one", None, Picture())._repr_html_() and "<img>" not in reveal("one", "no shape", Picture())._repr_html_()

    @pytest.mark.parametrize("lesson", ["no such lesson", None, 3, [1]])
    def test_an_unknown_lesson(self, lesson):
        with pytest.raises(CourseError, match="there is no lesson called"):
            reveal(lesson, (1,))

    def test_the_file_holds_no_plain_text(self, files):
        text = (files / "quiz.json").read_text(encoding="utf-8")
        assert not any(word in text for word in ("Time", "people", "(10, 3, 5)", "carried", "Units"))


class TestLook:
    @pytest.mark.parametrize("seen", [[0, 1, 3], {3, 1, 0}, (3.0, 0, 1, 1)])
    def test_what_can_be_seen(self, seen, capsys):
        look("one", 1, seen)
        assert capsys.readouterr().out == "0, 1, 3: yes.\nUnits 0, 1 and 3.\n"

    @pytest.mark.parametrize("seen, said", [([1], "That is one of them."), (1, "That is one of them."), ([0, 2], "Three of four can.")])
    def test_what_can_not(self, seen, said, capsys):
        look("one", 1, seen)
        out = capsys.readouterr().out
        assert "not what can be seen" in out and said in out and "Units 0, 1 and 3" not in out

    @pytest.mark.parametrize("seen", [None, ..., "many", object()])
    def test_no_answer(self, seen, capsys):
        look("one", 1, seen)
        assert "a list of numbers in any order" in capsys.readouterr().out

    @pytest.mark.parametrize("number", [2, None, "1 "])
    def test_an_unknown_number(self, number):
        with pytest.raises(CourseError, match="there is no question"):
            look("one", number, [1])

    def test_nothing_is_noted(self):
        look("one", 1, [1])
        assert progress.load() == progress._nothing()


class TestDiscuss:
    def test_it_is_closed_before_the_pass(self):
        assert "opens when your function has passed" in repr(discuss("rnn_step")) and "einsum" not in repr(discuss("rnn_step"))

    def test_a_pass_opens_it(self):
        progress.note_exercise("rnn_step", len)
        assert repr(discuss("rnn_step")) == discuss("rnn_step")._repr_markdown_() == "Write it with **einsum**."

    def test_a_teacher_can_keep_it(self):
        progress.note_exercise("to_probs", len)
        assert "for class" in repr(discuss("to_probs"))

    @pytest.mark.parametrize("written", ["", None, "the state carries", "word " * 19])
    def test_a_model_answer_wants_ones_own_first(self, written):
        assert "your own text, of 20 words" in repr(discuss("key_insight", written))

    def test_ones_own_text_opens_the_model_answer(self):
        assert repr(discuss("key_insight", "word " * 20)) == "A model answer."

    def test_an_unknown_exercise(self):
        with pytest.raises(ValueError, match="no_such"):
            discuss("no_such")

    def test_the_file_holds_no_plain_text(self, files):
        assert "einsum" not in (files / "discussions.json").read_text(encoding="utf-8")
