"""quiz.yml, as an instructor writes it, turned into questions with all their variants.

Under a lesson's name stand its questions by number, what its Predict asks (`predict`) and what its explorers ask (`look 1`).
A question with letters has an `answer` and says `why` for each option. A question for a number, a shape, a set or an order has a `kind`;
its `answer` and the known mistakes under `wrong` are Python expressions in the names under `given`, each of which lists
the numbers that may be drawn for a student. The first of each make the default variant. `digits`: how many decimal
places count; `also`: other right answers; `otherwise`: what to say of an answer that is none of the known mistakes.
Explanations may hold {name}.
"""

import itertools
import math
import random

from course.learner.sealed import ANY, FORMS, canonical

MOST = 40
"""Variants of one question. They are drawn from all combinations of its numbers."""
CLEAR = 0.1
"""How far a value must lie from the edge between two roundings, in units of the last place: whoever adds up in another order must not fall on the other side."""
NAMES = {"exp": math.exp, "tanh": math.tanh, "log": math.log}


class QuestionError(ValueError):
    """A question in quiz.yml that cannot be asked. The message says what is wrong with it."""


def expand(question):
    """One entry of quiz.yml -> {"kind", "digits", "otherwise", "variants": [{"given", "answers", "why"}]}, as `sealed.seal` takes it.

    Raises QuestionError where something is missing, the answer is none of the options, an expression cannot be worked out
    or too few combinations of numbers are clear of mistakes.
    """
    _refuse_incomplete(question)
    kind, digits = question.get("kind", "letter"), question.get("digits", 0)
    if kind == "letter":
        variants = [_letters(question)]
    else:
        variants = [variant for given in _combinations(question.get("given", {})) if (variant := _variant(question, kind, digits, given))]
        if len(variants) < (2 if question.get("given") else 1):
            raise QuestionError("no combination of its numbers tells the right answer clearly from the mistakes")
    return {"kind": kind, "digits": digits, "otherwise": " ".join(question.get("otherwise", "").split()), "variants": variants}


def _refuse_incomplete(question):
    if not isinstance(question, dict):
        raise QuestionError(f"it is {question!r:.60}. It needs an `answer` and a `why`, each on a line of its own below its number")
    for name in ("answer", "why"):
        if question.get(name) is None:
            raise QuestionError(f"it has no `{name}`")
    kind = question.get("kind", "letter")
    if kind not in FORMS:
        raise QuestionError(f"its kind is {kind!r}. There are {', '.join(FORMS)}")
    for name in ("why",) if kind == "letter" else ("given", "wrong"):
        if not isinstance(question.get(name, {}), dict):
            raise QuestionError(f"`{name}` holds {question[name]!r:.60}. It should hold lines like `A: the words for it`")
    lists = {"also": question.get("also", []), **(question.get("given", {}) if kind != "letter" else {})}
    for name, value in lists.items():
        if not isinstance(value, list) or (name != "also" and not value):
            raise QuestionError(f"`{name}` holds {value!r:.60}. It should hold a list, as [2, 3]")
    if not isinstance(question.get("digits", 0), int):
        raise QuestionError(f"`digits` holds {question['digits']!r:.60}. It should hold a whole number")


def _letters(question):
    """The one variant of a question with letters."""
    answer, options = question["answer"], [*question["why"]]
    strange = [option for option in options if canonical(option, "letter") != option]
    if strange:
        raise QuestionError(f"its option {strange[0]!r} is no capital letter, so no answer would reach it")
    if answer not in options:
        raise QuestionError(f"its answer {answer!r} is none of its options under `why`: {', '.join(options)}")
    return {"given": {}, "answers": [answer], "why": {option: str(words) for option, words in question["why"].items()}}


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
    answers = [answer, *(_worked_out(text, kind, digits, given)[0] for text in question.get("also", ()))]
    why = {**dict.fromkeys(answers, question["why"]), **mistakes}
    return {"given": given, "answers": answers, "why": {text: _filled_in(each, given) for text, each in why.items()}}


def _filled_in(words, given):
    try:
        return str(words).format(**given)
    except (KeyError, IndexError, ValueError) as error:
        raise QuestionError(f"in {words!r:.80} the part in braces cannot be filled in: {error}. It may hold {', '.join(given) or 'no name'}") from None


def with_truth(question):
    """A question whose right answer is told to anybody who has guessed: its card opens for any answer."""
    return {**question, "variants": [_with_truth(variant) for variant in question["variants"]]}


def _with_truth(variant):
    answer = variant["answers"][0]
    return {**variant, "why": {**variant["why"], ANY: f"It is {answer}. {variant['why'][answer]}"}}


def _worked_out(expression, kind, digits, given):
    """The canonical text of an expression's value, and whether that value is clear of the edge between two roundings."""
    try:
        value = eval(str(expression), {"__builtins__": {}}, {**NAMES, **given})  # the instructor's own file
    except Exception as error:
        raise QuestionError(f"{expression!r} cannot be worked out: {error}") from None
    text = canonical(value, kind, digits)
    if text is None:
        raise QuestionError(f"{expression!r} gives {value!r}, which is no {kind}")
    return text, kind != "number" or abs(value * 10**digits % 1 - 0.5) > CLEAR
