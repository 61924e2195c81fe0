"""quiz.yml, as an instructor writes it, turned into questions with all their variants.

A question with letters has an `answer` and says `why` for each option. A question for a number or a shape has a `kind`;
its `answer` and the known mistakes under `wrong` are Python expressions in the names under `given`, each of which lists
the numbers that may be drawn for a student. The first of each make the default variant. `digits`: how many decimal
places count; `otherwise`: what to say of an answer that is none of the known mistakes. Explanations may hold {name}.
"""

import itertools
import math
import random

from course.learner.quiz import canonical

MOST = 40
"""Variants of one question. They are drawn from all combinations of its numbers."""
CLEAR = 0.1
"""How far a value must lie from the edge between two roundings, in units of the last place: whoever adds up in another order must not fall on the other side."""
NAMES = {"exp": math.exp, "tanh": math.tanh, "log": math.log}


class QuestionError(ValueError):
    """A question in quiz.yml that cannot be asked. The message says what is wrong with it."""


def expand(question):
    """One entry of quiz.yml -> {"kind", "digits", "otherwise", "variants": [{"given", "answer", "why"}]}, as `quiz.seal` takes it.

    Raises QuestionError where an expression cannot be worked out or too few combinations of numbers are clear of mistakes.
    """
    kind, digits = question.get("kind", "letter"), question.get("digits", 0)
    if kind == "letter":
        variants = [{"given": {}, "answer": question["answer"], "why": question["why"]}]
    else:
        variants = [variant for given in _combinations(question.get("given", {})) if (variant := _variant(question, kind, digits, given))]
        if len(variants) < (2 if question.get("given") else 1):
            raise QuestionError("no combination of its numbers tells the right answer clearly from the mistakes")
    return {"kind": kind, "digits": digits, "otherwise": " ".join(question.get("otherwise", "").split()), "variants": variants}


def _combinations(given):
    """Every choice of one number for each name, the first of each first, the rest in a fixed random order."""
    first, *rest = [dict(zip(given, numbers)) for numbers in itertools.product(*given.values())]
    random.Random(0).shuffle(rest)
    return [first, *rest][:MOST]


def _variant(question, kind, digits, given):
    """A variant, or None where its right answer is one of the mistakes too or lies between two roundings."""
    answer, clear = _worked_out(question["answer"], kind, digits, given)
    mistakes = {_worked_out(text, kind, digits, given)[0]: why for text, why in question.get("wrong", {}).items()}
    if not clear or answer in mistakes:
        return None
    why = {answer: question["why"], **mistakes}
    return {"given": given, "answer": answer, "why": {text: each.format(**given) for text, each in why.items()}}


def _worked_out(expression, kind, digits, given):
    """The canonical text of an expression's value, and whether that value is clear of the edge between two roundings."""
    try:
        value = eval(str(expression), {"__builtins__": {}}, {**NAMES, **given})  # the instructor's own file
    except Exception as error:
        raise QuestionError(f"{expression!r} cannot be worked out: {error}") from None
    text = canonical(value, kind, digits)
    if text is None:
        raise QuestionError(f"{expression!r} gives {value!r}, which is no {kind}")
    return text, kind == "shape" or abs(value * 10**digits % 1 - 0.5) > CLEAR
