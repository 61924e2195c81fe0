"""Looking at an answer: draw the cases of its exercise, play them, judge the results."""

import inspect
import re

from .attempt import is_attempted
from .case import Finding
from .judge import NOT_STEADY, alike, is_steady, likely_cause
from .play import misfit, pack
from .remark import remark
from .shipped import OPENING, is_same_code
from .slips import cause_of
from .verdict import CourseError, Verdict

PUBLIC_SEED = 0
"""Of the cases that a learner's own check draws."""


def examine(exercise, answer, seed, ask_again=False):
    """Look at an answer with the cases that `seed` draws. Returns a Verdict, never raises for a bad answer.

    ask_again: of a wrong one, find the cause by playing small changes of its code (`slips`). It may take seconds, so only whoever shows the cause asks.
    exercise: its module, as `course.exercises.find` gives it. It holds cases(seed) -> [Case], play(answer, case) -> Result and
    judge(case, result) -> Finding or None; MISTAKES, {likely cause: function that makes this mistake}; HINTS; and, where they
    apply, oracle, the right value (without one, `judge` names the cause itself), GRADS, the inputs whose gradients count, TAKES,
    the arguments of the answer where a case holds more than these, and for a Break section `shipped`, the broken code, with SHIPPED_BUG.
    """
    try:
        return _examined(exercise, answer, seed, ask_again)
    except CourseError:
        raise
    except Exception as error:  # of ours: it says nothing of the answer
        said = f"the check of {name_of(exercise)} failed, and not your code ({type(error).__name__}: {error}). Please tell whoever maintains the course"
        raise CourseError(said) from error


def _examined(exercise, answer, seed, ask_again):
    name, cases = name_of(exercise), exercise.cases(seed)
    finding = before_playing(exercise, answer, cases)
    if finding:
        return Verdict(name, cases, finding)
    results = list(play_until_stopped(exercise, answer, cases))
    finding = verdict_on(exercise, cases, results)
    if finding is None:
        return Verdict(name, cases, None, results[0].printed, remark(exercise, answer, cases))
    if ask_again and finding.outcome != "not attempted yet":
        finding.cause, finding.certain = cause_of(exercise, answer, cases, results, finding)
    return Verdict(name, cases, finding, results[0].printed)


def name_of(exercise):
    """The name of an exercise, from its module."""
    return exercise.__name__.rsplit(".", 1)[-1]


def play_until_stopped(module, answer, cases):
    """The results of all cases one after the other, or of the first ones: an answer that once had to be stopped is not waited for again."""
    as_shipped = hasattr(module, "shipped") and is_same_code(answer, module.shipped)
    for case in cases:
        result = module.play(answer, case)
        result.as_shipped = as_shipped
        yield result
        if result.was_stopped:
            return


def untouched(module, case):
    """The inputs of a case as they are after an answer that does nothing, as `Result.after` has them."""
    return case.once(("untouched", module), lambda: module.play(lambda *_: None, case).after)


def verdict_on(module, cases, results):
    """Judge the results of all cases: the first Finding, with its likely cause, or None. What stopped before the last case never passes.

    The numbers of all cases come before any gradient, and what shows in another dtype or on another device alone comes last.
    """
    findings = [module.judge(case, result) for case, result in zip(cases, results)]
    wrong = [(bool(case.special), finding.is_gradient, place) for place, (case, finding) in enumerate(zip(cases, findings)) if finding]
    first = findings[min(wrong)[-1]] if wrong else _stopped(cases, results)
    if first is None:
        return None
    if results and all(map(_is_promised, results)):
        return _not_attempted(name_of(module))
    does_what_was_shipped = _does_what_was_shipped(module, cases, results)
    if does_what_was_shipped and all(result.as_shipped for result in results):
        return Finding("not attempted yet", f"{module.SHIPPED_BUG}\n\nWhat the check saw: {first.what}", first.case, first.yours, first.target)
    first.explain(_explained(module, first, findings, cases, results))
    first.certain = first.certain or does_what_was_shipped
    if not first.cause and not all(map(is_steady, results)):
        first.cause = NOT_STEADY
    if does_what_was_shipped:
        bug = module.SHIPPED_BUG.removeprefix(OPENING)
        first.outcome, first.what = "wrong", f"the same mistake as in the code you were given: {bug}\n\nWhat the check saw: {first.what}"
    return first


def _explained(module, first, findings, cases, results):
    """A known mistake that explains every case that can be compared, or ""."""
    if hasattr(module, "oracle"):
        known = (module.MISTAKES, module.oracle, cases, results, getattr(module, "GRADS", ()))
        cause = likely_cause(*known) or (first.part is not None and likely_cause(*known, part=first.part))
        if cause:
            return cause
    same_part = [finding for finding in findings if finding and finding.part == first.part]
    return next((cause for cause in first.causes if all(cause in finding.causes for finding in same_part)), "")


def _stopped(cases, results):
    """The Finding for a play with an end before its time, whatever its results are like."""
    for case, result in zip(cases, results):
        if result.was_stopped:
            return Finding("raised", "your function was stopped: it did not return in time", case.title)
    return Finding("raised", "your function was stopped before it had seen every case") if len(results) != len(cases) else None


def before_playing(module, answer, cases):
    """What is wrong with an answer before it is called: a Finding, or None."""
    name = name_of(module)
    if not is_attempted(answer):
        return _not_attempted(name)
    what = "class" if inspect.isclass(getattr(module, "shipped", None)) else "function"
    written = module.shipped.__name__ if what == "class" else name
    wanted = f"this check needs your {what} itself, without brackets: check({name!r}, {written}). It got: "
    if not callable(answer):
        return Finding("wrong", wanted + pack(answer)["kind"])
    wrong_arguments = misfit(answer, takes(module, cases))
    if wrong_arguments and what == "class" and not hasattr(answer, "__name__"):
        return Finding("wrong", wanted + f"one object of type {type(answer).__name__}")
    return Finding("wrong", f"your {what} has the wrong arguments: {wrong_arguments}") if wrong_arguments else None


def _not_attempted(name):
    return Finding("not attempted yet", f"write your code in the cell of `{name}`, run it, then run this cell again")


def _is_promised(result):
    """Did the answer come to a `raise NotImplementedError` of its own?"""
    return bool(result.error) and result.error["own"] and result.error["type"] == "NotImplementedError"


def takes(module, cases):
    """The names of the arguments that an answer is called with."""
    return list(getattr(module, "TAKES", cases[0].given))


def _does_what_was_shipped(module, cases, results):
    if not hasattr(module, "shipped"):
        return False
    shipped = (case.once(("shipped", module), lambda case=case: module.play(module.shipped, case)) for case in cases)
    return all(_same_result(result, of_shipped) for of_shipped, result in zip(shipped, results))


def _same_result(one, other):
    same_errors = _error_kind(one) == _error_kind(other)
    return same_errors and alike(one.value, other.value) and one.changed == other.changed


def _error_kind(result):
    error = result.error or result.grad_error
    return error and (error["type"], re.sub(r"\d+", "", error["message"])[:80])
