"""Quizzes: a typed answer is checked against a sealed key, and each option has an explanation of its own.

Neither the key nor an explanation can be read in quiz.json. Each explanation is encrypted with a key
made from the question and the option it belongs to, so that it opens only for somebody who chose that option.
"""

import base64
import hashlib
import json
import textwrap
from pathlib import Path

from . import progress
from .attempt import is_attempted
from .checks.engine import CheckFailed, CourseError, NotAttempted

SEALED = Path(__file__).with_name("quiz.json")
ROUNDS = 20_000


def quiz(lesson, number, answer=None):
    """Check the answer to question `number` of a lesson: a letter, as "B".

    Right: prints why and notes it in the progress. Otherwise raises CheckFailed with the explanation
    of the option chosen, or NotAttempted. Raises ValueError for an unknown question.
    """
    cards = _cards(lesson, number)
    if not is_attempted(answer):
        raise NotAttempted(f"not attempted yet  question {number}: type a letter in quotes, as answer_{number} = \"A\"")
    letter = _letter(answer, number)
    key = _key(lesson, number, letter)
    if _tag(key) not in cards:
        raise CheckFailed(f"WRONG  question {number}: {letter!r} is not one of its options. Type one of the letters, in quotes")
    right, why = _open(key, cards[_tag(key)])
    if not right:
        raise CheckFailed(f"WRONG  question {number}, {letter}\n\n{_fold(why)}")
    progress.note_answer(lesson, number)
    print(f"PASSED  question {number}, {letter}\n{_fold(why)}")


def seal(questions):
    """Make the content of quiz.json. questions: {lesson: {number: {"answer": letter, "why": {letter: text}}}}.

    Raises ValueError where an answer is not one of the options.
    """
    return {
        lesson: {str(number): _seal_question(lesson, number, **question) for number, question in numbered.items()}
        for lesson, numbered in questions.items()
    }


def _seal_question(lesson, number, answer, why):
    if answer not in why:
        raise ValueError(f"question {number} of {lesson}: the answer {answer!r} is not among its options {list(why)}")
    cards = {}
    for letter, text in why.items():
        key = _key(lesson, number, letter)
        plain = ("+" if letter == answer else "-") + " ".join(text.split())
        cards[_tag(key)] = base64.b64encode(_crypt(key, plain.encode())).decode()
    return dict(sorted(cards.items()))


def _cards(lesson, number):
    sealed = json.loads(SEALED.read_text(encoding="utf-8"))
    if str(number) not in sealed.get(lesson, {}):
        raise CourseError(f"there is no question {number} in a lesson called {lesson!r}")
    return sealed[lesson][str(number)]


def _fold(text):
    return textwrap.fill(text, 88, initial_indent="  ", subsequent_indent="  ")


def _letter(answer, number):
    if not isinstance(answer, str):
        raise CheckFailed(f"WRONG  question {number}: the answer is a letter in quotes, as \"A\"; yours is {answer!r}")
    return answer.strip().upper()


def _key(lesson, number, letter):
    return hashlib.pbkdf2_hmac("sha256", letter.encode(), f"hidden state/{lesson}/{number}".encode(), ROUNDS)


def _tag(key):
    return hashlib.sha256(b"tag" + key).hexdigest()[:16]


def _crypt(key, data):
    stream = hashlib.shake_256(b"text" + key).digest(len(data))
    return bytes(a ^ b for a, b in zip(data, stream))


def _open(key, sealed):
    plain = _crypt(key, base64.b64decode(sealed)).decode()
    return plain[0] == "+", plain[1:]
