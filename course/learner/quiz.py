"""Quizzes: a typed answer is checked against a sealed key, and each known answer has an explanation of its own.

Neither the key nor an explanation can be read in quiz.json. Each explanation is encrypted with a key made from the
question and the answer it belongs to, so that it opens only for somebody who gave that answer.

An answer is a letter, a number or a shape. A question with numbers in it has many variants: a student's id picks one,
always the same, and without an id it is the first.
"""

import ast
import base64
import hashlib
import json
import math
import os
import textwrap
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

from course.checks.attempt import is_attempted
from course.checks.verdict import CheckFailed, CourseError, NotAttempted

from . import progress

SEALED = Path(__file__).with_name("quiz.json")
LONGEST_SHAPE = 200
ROUNDS = 20_000
FORMS = {"letter": 'a letter in quotes, as "A"', "number": "a number, as 0.25", "shape": "a shape, as (2, 3, 4)"}


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
    return Given(_variant(_question(lesson, number), lesson, number, who)["given"], who)


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
    question, who = _question(lesson, number), _who(student)
    form = FORMS[question["kind"]]
    if not is_attempted(answer):
        raise NotAttempted(f"not attempted yet  question {number}: type {form}, as the value of answer_{number}")
    text = canonical(answer, question["kind"], question["digits"])
    if text is None:
        raise CheckFailed(f"WRONG  question {number}: the answer is {form}; yours is {_short(answer)}")
    variant = _variant(question, lesson, number, who)
    card = _card(variant, lesson, number, text)
    if card is None:
        raise CheckFailed(f"WRONG  question {number}: {_unknown(question, variant, lesson, number, text)}")
    right, why = card
    if not right:
        raise CheckFailed(f"WRONG  question {number}, {text}\n\n{_fold(why)}")
    return f"PASSED  question {number}, {text}\n{_fold(why)}"


def canonical(answer, kind, digits=0):
    """The text of an answer that all ways of writing it share; None where it is no answer of this kind.

    "b " -> "B"; for a number with 2 digits 0.6652 -> "0.67", a half rounded up; for a shape [2, 3], (2, 3) and torch.Size -> "(2, 3)".
    """
    try:
        return {"letter": _letter, "number": _number, "shape": _shape}[kind](answer, digits)
    except Exception:  # whatever a learner's object does when it is looked at
        return None


def _letter(answer, digits):
    return answer.strip().upper() if isinstance(answer, str) else None


def _number(answer, digits):
    if hasattr(answer, "item"):
        answer = answer.item()
    if isinstance(answer, bool) or not math.isfinite(float(answer)):
        return None
    rounded = Decimal(repr(float(answer))).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    return str(abs(rounded) if rounded == 0 else rounded)


def _shape(answer, digits):
    if hasattr(answer, "tolist"):
        answer = answer.tolist()
    sizes = ast.literal_eval(answer[:LONGEST_SHAPE]) if isinstance(answer, str) else answer
    if not isinstance(sizes, (tuple, list)) or not all(type(size) is int for size in sizes):
        return None
    return str(tuple(sizes))


def _unknown(question, variant, lesson, number, text):
    """What to say of an answer that has no explanation."""
    if question["kind"] == "letter":
        return f"{text!r} is not one of its options. Type one of the letters, in quotes"
    default = question["variants"][0]
    if variant is not default and (_card(default, lesson, number, text) or (False,))[0]:
        yours = ", ".join(f"{name} = {value}" for name, value in variant["given"].items())
        return f"{text} is right for the numbers without a student id. Yours are {yours}: type your id, run the cells again and answer for these"
    return f"{text} is not right, and it is none of the mistakes that we know\n\n{_fold(question['otherwise'])}".rstrip()


# Sealing, for `course.build`


def seal(questions):
    """Make the content of quiz.json. questions: {lesson: {number: {"kind", "digits", "otherwise", "variants"}}}.

    A variant is {"given": {name: number}, "answer": text, "why": {text: explanation}}, its texts as `canonical` makes them.
    Raises ValueError where an answer is not one of those that are explained.
    """
    return {lesson: {str(number): _seal_question(lesson, number, question) for number, question in numbered.items()} for lesson, numbered in questions.items()}


def _seal_question(lesson, number, question):
    return {**question, "variants": [_seal_variant(lesson, number, **variant) for variant in question["variants"]]}


def _seal_variant(lesson, number, given, answer, why):
    if answer not in why:
        raise ValueError(f"question {number} of {lesson}: the answer {answer!r} is not among its options {list(why)}")
    cards = {}
    for text, explanation in why.items():
        key = _key(lesson, number, given, text)
        plain = ("+" if text == answer else "-") + " ".join(explanation.split())
        cards[_tag(key)] = base64.b64encode(_crypt(key, plain.encode())).decode()
    return {"given": given, "cards": dict(sorted(cards.items()))}


def _question(lesson, number):
    sealed = json.loads(SEALED.read_text(encoding="utf-8"))
    if str(number) not in sealed.get(lesson, {}):
        raise CourseError(f"there is no question {number} in a lesson called {lesson!r}")
    return sealed[lesson][str(number)]


def _who(typed):
    """The student's id: the grader's word, then what was typed, then JupyterHub's."""
    who = os.environ.get("HIDDEN_STATE_STUDENT") or typed or os.environ.get("JUPYTERHUB_USER") or ""
    if not isinstance(who, (str, int)):
        raise CheckFailed(f'WRONG  a student id is a text in quotes, as student = "ada"; yours is {_short(who)}')
    return str(who).strip().casefold()


def _variant(question, lesson, number, who):
    variants = question["variants"]
    if not who or len(variants) == 1:
        return variants[0]
    drawn = int.from_bytes(hashlib.sha256(f"{lesson}/{number}/{who}".encode()).digest()[:8], "big")
    return variants[1 + drawn % (len(variants) - 1)]


def _card(variant, lesson, number, text):
    """(right, explanation) of an answer, or None where it has none."""
    key = _key(lesson, number, variant["given"], text)
    sealed = variant["cards"].get(_tag(key))
    if sealed is None:
        return None
    plain = _crypt(key, base64.b64decode(sealed)).decode()
    return plain[0] == "+", plain[1:]


def _key(lesson, number, given, text):
    place = "/".join(["hidden state", lesson, str(number), *(f"{name}={value}" for name, value in given.items())])
    return hashlib.pbkdf2_hmac("sha256", text.encode(), place.encode(), ROUNDS)


def _tag(key):
    return hashlib.sha256(b"tag" + key).hexdigest()[:16]


def _crypt(key, data):
    stream = hashlib.shake_256(b"text" + key).digest(len(data))
    return bytes(a ^ b for a, b in zip(data, stream))


def _fold(text):
    return textwrap.fill(text, 88, initial_indent="  ", subsequent_indent="  ")


def _short(answer):
    try:
        return textwrap.shorten(repr(answer), 80)
    except Exception:
        return f"an object of type {type(answer).__name__}"
