"""Answers and explanations that nobody can read before they have an answer of their own.

Neither a key nor an explanation can be read in quiz.json. Each explanation is encrypted with a key made from the question and the
answer it belongs to, so that it opens only for somebody who gave that answer. What comes out of a prediction opens for any guess.
"""

import ast
import base64
import hashlib
import json
import math
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

from course.checks.verdict import CourseError

SEALED = Path(__file__).with_name("quiz.json")
LONGEST = 200
ROUNDS = 20_000
ANY = "*"
"""Stands for any answer: its card says what is right."""
FORMS = {
    "letter": 'a letter in quotes, as "A"',
    "number": "a number, as 4 or 0.25",
    "shape": "a shape, as (2, 3, 4)",
    "set": "a list of numbers in any order, as [1, 2]",
    "order": 'a list of words, as ["first", "second"]',
}


def canonical(answer, kind, digits=0):
    """The text of an answer that all ways of writing it share; None where it is no answer of this kind.

    "b " -> "B"; for a number with 2 digits 0.6652 -> "0.67", a half rounded up, and with none 4.0 -> "4", 2.5 -> "2.50"; for a shape [2, 3], (2, 3) and torch.Size -> "(2, 3)";
    for a set {2, 0} and [0, 2, 2] -> "0, 2"; for an order ["Reset ", "carried"] -> "reset, carried".
    """
    try:
        return {"letter": _letter, "number": _number, "shape": _shape, "set": _set, "order": _order}[kind](answer, digits)
    except Exception:  # whatever a learner's object does when it is looked at
        return None


def as_typed(answer, text):
    """What to repeat of an answer: a number as it was typed, anything else as `canonical` has it."""
    return str(answer) if type(answer) in (int, float) else text or "nothing"


def _letter(answer, digits):
    return answer.strip().upper() if isinstance(answer, str) else None


def _number(answer, digits):
    if hasattr(answer, "item"):
        answer = answer.item()
    if isinstance(answer, bool) or not math.isfinite(float(answer)):
        return None
    rounded = Decimal(repr(float(answer))).quantize(Decimal(1).scaleb(-(digits or 2)), ROUND_HALF_UP)
    if rounded == rounded.to_integral_value() and not digits:
        rounded = rounded.quantize(Decimal(1))
    return str(abs(rounded) if rounded == 0 else rounded)


def _shape(answer, digits):
    if hasattr(answer, "tolist"):
        answer = answer.tolist()
    sizes = ast.literal_eval(answer[:LONGEST]) if isinstance(answer, str) else answer
    if not isinstance(sizes, (tuple, list)) or not all(type(size) is int for size in sizes):
        return None
    return str(tuple(sizes))


def _set(answer, digits):
    if isinstance(answer, (int, float)):
        answer = [answer]
    numbers = sorted({float(number) for number in answer})
    return ", ".join(_number(number, digits) for number in numbers)


def _order(answer, digits):
    if isinstance(answer, str) or not all(isinstance(word, str) for word in answer):
        return None
    return ", ".join(" ".join(word.casefold().replace("_", " ").split()) for word in answer)


def question(lesson, number):
    """What is known in the clear of a question, a prediction ("predict") or a look ("look 1"). Raises CourseError for an unknown one."""
    sealed = json.loads(SEALED.read_text(encoding="utf-8"))
    if not isinstance(lesson, str) or lesson not in sealed:
        raise CourseError(f"there is no lesson called {lesson!r:.60}. It is the name of its file, as {next(iter(sealed))!r}")
    if str(number) not in sealed[lesson]:
        raise CourseError(f"there is no question {number} in a lesson called {lesson!r}")
    return sealed[lesson][str(number)]


def card(variant, lesson, number, text):
    """(right, explanation) of an answer, or None where it has none."""
    key = _key(lesson, number, variant["given"], text)
    sealed = variant["cards"].get(_tag(key))
    if sealed is None:
        return None
    plain = _crypt(key, base64.b64decode(sealed)).decode()
    return plain[0] == "+", plain[1:]


# Sealing, for `course.build`


def seal(questions):
    """Make the content of quiz.json. questions: {lesson: {number: {"kind", "digits", "otherwise", "variants"}}}.

    A variant is {"given": {name: number}, "answers": [text, …], "why": {text: explanation}}, its texts as `canonical` makes them.
    Raises ValueError where an answer is not one of those that are explained.
    """
    return {lesson: {str(number): _seal_question(lesson, number, question) for number, question in numbered.items()} for lesson, numbered in questions.items()}


def _seal_question(lesson, number, question):
    return {**question, "variants": [_seal_variant(lesson, number, **variant) for variant in question["variants"]]}


def _seal_variant(lesson, number, given, answers, why):
    missing = [answer for answer in answers if answer not in why]
    if missing:
        raise ValueError(f"question {number} of {lesson}: the answer {missing[0]!r} is not among its options {list(why)}")
    cards = {}
    for text, explanation in why.items():
        key = _key(lesson, number, given, text)
        plain = ("+" if text in [*answers, ANY] else "-") + " ".join(explanation.split())
        cards[_tag(key)] = base64.b64encode(_crypt(key, plain.encode())).decode()
    return {"given": given, "cards": dict(sorted(cards.items()))}


def _key(lesson, number, given, text):
    place = "/".join(["hidden state", lesson, str(number), *(f"{name}={value}" for name, value in given.items())])
    return hashlib.pbkdf2_hmac("sha256", text.encode(), place.encode(), ROUNDS)


def _tag(key):
    return hashlib.sha256(b"tag" + key).hexdigest()[:16]


def _crypt(key, data):
    stream = hashlib.shake_256(b"text" + key).digest(len(data))
    return bytes(a ^ b for a, b in zip(data, stream))


def seal_text(place, text):
    """A text that cannot be read where it lies; `open_text` with the same place opens it."""
    return base64.b64encode(_crypt(_key(place, "text", {}, ANY), text.encode())).decode()


def open_text(place, sealed):
    """What `seal_text` sealed."""
    return _crypt(_key(place, "text", {}, ANY), base64.b64decode(sealed)).decode()
