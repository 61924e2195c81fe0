"""Quizzes: a typed answer is checked against a sealed key, and each known answer has an explanation of its own.

A question with numbers in it has many variants: a student's id picks one, always the same, and without an id it is the first.
"""

import hashlib
import os
import textwrap

from course.checks.attempt import is_attempted
from course.checks.verdict import CheckFailed, NotAttempted

from . import progress
from .sealed import FORMS, canonical, card, question


class Given(dict):
    """The numbers of a question by name, as they were drawn for one student."""

    def __init__(self, numbers, student):
        super().__init__(numbers)
        self.student = student

    def __repr__(self):
        whose = f"the numbers of {self.student!r}" if self.student else "no student id: the default numbers"
        return ", ".join(f"{name} = {value}" for name, value in self.items()) + f"   ({whose})"


def my_numbers(lesson, number, student=""):
    """The numbers of question `number` for a student, by name, always the same for one id. Without an id: the default ones.

    The id that a grader or a JupyterHub knows goes before the one that is typed. Raises ValueError for an unknown question.
    """
    who = _who(student)
    return Given(_variant(question(lesson, number), lesson, number, who)["given"], who)


def quiz(lesson, number, answer=None, student=""):
    """Check the answer to question `number` of a lesson: a letter, as "B", a number, or a shape.

    Right: prints why and notes it in the progress. Otherwise raises CheckFailed with the explanation
    of the answer, or NotAttempted. student: the id whose numbers were asked about. Raises ValueError for an unknown question.
    """
    try:
        report = examine(lesson, number, answer, student)
    except NotAttempted:
        raise
    except CheckFailed:
        progress.note_miss(f"{lesson}/{number}")
        raise
    progress.note_answer(lesson, number)
    print(report)


def examine(lesson, number, answer, student=""):
    """As `quiz`, but notes and prints nothing: returns the report of a right answer."""
    return examine_for(lesson, number, answer, _who(student))


def examine_for(lesson, number, answer, who):
    """The same, for the numbers of just this id, whatever else may be known of who is at work. who: casefolded, "" for the default numbers."""
    asked = question(lesson, number)
    form = FORMS[asked["kind"]]
    if not is_attempted(answer):
        raise NotAttempted(f"not attempted yet  question {number}: type {form}, as the value of answer_{number}")
    text = canonical(answer, asked["kind"], asked["digits"])
    if text is None:
        raise CheckFailed(f"WRONG  question {number}: the answer is {form}; yours is {_short(answer)}")
    variant = _variant(asked, lesson, number, who)
    found = card(variant, lesson, number, text)
    if found is None:
        raise CheckFailed(f"WRONG  question {number}: {_unknown(asked, variant, lesson, number, text)}")
    right, why = found
    if not right:
        raise CheckFailed(f"WRONG  question {number}, {text}\n\n{_fold(why)}")
    return f"PASSED  question {number}, {text}\n{_fold(why)}"


def _unknown(asked, variant, lesson, number, text):
    """What to say of an answer that has no explanation."""
    if asked["kind"] == "letter":
        return f"{text!r} is not one of its options. Type one of the letters, in quotes"
    default = asked["variants"][0]
    if variant is not default and (card(default, lesson, number, text) or (False,))[0]:
        yours = ", ".join(f"{name} = {value}" for name, value in variant["given"].items())
        return f"{text} is right for the numbers without a student id. Yours are {yours}: type your id, run the cells again and answer for these"
    return f"{text} is not right, and it is none of the mistakes that we know\n\n{_fold(asked['otherwise'])}".rstrip()


def _who(typed):
    """The student's id: the grader's word, then what was typed, then JupyterHub's."""
    who = os.environ.get("HIDDEN_STATE_STUDENT") or typed or os.environ.get("JUPYTERHUB_USER") or ""
    if not isinstance(who, (str, int)):
        raise CheckFailed(f'WRONG  a student id is a text in quotes, as student = "ada"; yours is {_short(who)}')
    return str(who).strip().casefold()


def _variant(asked, lesson, number, who):
    variants = asked["variants"]
    if not who or len(variants) == 1:
        return variants[0]
    drawn = int.from_bytes(hashlib.sha256(f"{lesson}/{number}/{who}".encode()).digest()[:8], "big")
    return variants[1 + drawn % (len(variants) - 1)]


def _fold(text):
    return textwrap.fill(text, 88, initial_indent="  ", subsequent_indent="  ")


def _short(answer):
    try:
        return textwrap.shorten(repr(answer), 80)
    except Exception:
        return f"an object of type {type(answer).__name__}"
