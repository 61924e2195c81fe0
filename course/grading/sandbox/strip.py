"""The course as a submission meets it: checks that only play. Whatever would answer for the student is taken out.

Runs inside the sandbox, before any student's code. The judge outside has a course of its own.
"""

import functools
import sys
import types

import course
from course import checks, exercises, explore
from course.checks import examine, oracles, warm
from course.checks.case import Case, sent
from course.checks.verdict import Verdict
from course.learner import check as learners_check
from course.learner import discuss, look, pipeline, quiz, reveal, sealed

KEPT = ("play", "shipped", "HINTS", "TAKES")
"""What an exercise keeps, with all that its `play` and `shipped` use. What is shipped is broken, and no secret."""
JUDGING = (
    "_examined",
    "verdict_on",
    "likely_cause",
    "_does_what_was_shipped",
    "_explained",
    "alike",
    "is_steady",
    "cause_of",
    "remark",
    "_same_result",
    "_stopped",
    "untouched",
)
JUDGES = ("course.checks.judge", "course.checks.slips")
"""The modules of `checks` that tell right from wrong, and what was wrong."""
stripped = {}
"""{name: the module of an exercise, of which only playing is left}"""


def strip():
    """Import every exercise and take away its cases, oracle, mistakes and judge; and what opens the answers of a quiz."""
    for name in course.__all__:
        getattr(course, name)  # imported once here, and not by every child
    for name in explore.__all__:
        setattr(explore, name, functools.partial(NotDrawn, name))
    warm.up()
    stripped.update({name: exercises.find(name) for name in exercises.names()})
    for module in stripped.values():
        _keep(module, KEPT)
    _keep(oracles, _used(oracles, stripped.values()))
    for name in JUDGING:
        delattr(examine, name)
    for name in [name for name in sys.modules if name.startswith(JUDGES)]:
        del sys.modules[name]
    del checks.judge, checks.slips
    examine.examine = learners_check.examine = pipeline.examine = _examine
    learners_check.check = course.check = check
    _keep(quiz, ("my_numbers",))  # no sealed answer is here, and nothing that could open one
    _keep(sealed, _used(sealed, [quiz]))
    for module in (reveal, look, discuss):
        _keep(module, ())
    quiz.quiz = quiz.examine = course.quiz = ask_later
    reveal.reveal = course.reveal = look.look = course.look = discuss.discuss = course.discuss = say_nothing


class NotDrawn:
    """An explorer, where nobody is there to drag it: it is made when something is asked of it, and not drawn. Drawing takes longer than most answers."""

    def __init__(self, name, *args, **kwargs):
        self._call = name, args, kwargs

    @functools.cached_property
    def _explorer(self):
        name, args, kwargs = self._call
        return explore.__getattr__(name)(*args, **kwargs)

    def __getattr__(self, name):
        if name.startswith("_"):  # as IPython asks for ways to show it
            raise AttributeError(name)
        return getattr(self._explorer, name)

    def __repr__(self):
        return f"explore.{self._call[0]}: not drawn while a notebook is graded"


def _examine(exercise, answer, seed, **_):
    """For `run_pipeline`, which shows only functions that pass: here all do."""
    return Verdict(examine.name_of(exercise), [])


def check(name, answer=None):
    """In the sandbox: says that the real check follows outside."""
    print(f"{name}: checked after the run")


def ask_later(lesson, number, answer=None, student=""):
    """In the sandbox: says that the real answer follows outside."""
    print(f"question {number}: checked after the run")


def say_nothing(*_, **__):
    """In the sandbox: what is not graded has no words here."""


def _used(module, users):
    """The names of what other modules have taken from this one."""
    return {name for name, value in vars(module).items() if any(value is kept for user in users for kept in vars(user).values())}


def _keep(module, names):
    """Delete all globals of a module but these and what they use."""
    needed, todo = set(), [name for name in names if name in vars(module)]
    while todo:
        name = todo.pop()
        if name not in needed:
            needed.add(name)
            todo += [used for code in _codes(vars(module)[name], module) for used in code.co_names if used in vars(module)]
    for name in list(vars(module)):
        if name not in needed and not (name.startswith("__") and name.endswith("__")):
            delattr(module, name)


def _codes(value, module):
    """The code of a function or a class of this module, with that of the functions inside."""
    own_class = isinstance(value, type) and value.__module__ == module.__name__
    members = vars(value).values() if own_class else [value]
    codes = [member.__code__ for member in members if isinstance(member, types.FunctionType) and member.__globals__ is vars(module)]
    for code in codes:  # grows on the way
        codes += [constant for constant in code.co_consts if isinstance(constant, types.CodeType)]
    return codes


def before_playing(exercise, answer, all_args):
    """What is wrong with an answer before it is played, {"outcome", "what"}, or None."""
    found = examine.before_playing(stripped[exercise], answer, [Case("", args) for args in all_args])
    return found and {"outcome": found.outcome, "what": found.what}


def play(exercise, answer, all_args):
    """The results as dicts, one after the other, as `checks.examine` has them. What changed is found out outside."""
    return map(sent, examine.play_until_stopped(stripped[exercise], answer, [Case("", args) for args in all_args]))
