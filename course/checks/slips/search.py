"""Asking a wrong answer once more: is something random in it, and which small change would make every case right?

A cause that is found like this is certain: with this one thing changed, the answer passes. It runs where the answer is.
"""

import ast
import contextlib
import copy
import random
import time

import numpy
import torch
from torch import nn

from course.checks import play
from course.checks.judge import KEPT, RANDOM, alike, is_steady

from .kinds import Seen, changes
from .source import definition

BUDGET = 2.5
"""Seconds of the processor's time for all of it: a busy machine finds what an idle one does. Whoever waits has waited for the check already."""


def cause_of(module, answer, cases, results, finding):
    """The cause of a Finding, the one that it has or a better one, and whether it is certain."""
    if any(result.was_stopped for result in results):
        return finding.cause, finding.certain
    place = next((place for place, case in enumerate(cases) if case.title == finding.case), 0)
    ordered = [cases[place], *cases[:place], *cases[place + 1 :]]
    with _hurry():
        found = definition(answer)
        if not finding.certain and not all(map(is_steady, results)):
            is_random = _is_random(module, answer, ordered[0]) or (found and _differs_anew(module, found, ordered[0]))
            return RANDOM if is_random else KEPT, True
        better = found and _changed_to_right(module, found, ordered, results[place], finding)
        if found and not better and not finding.certain:
            better = _of_the_notebook(module, found, ordered[0], results[place])
    return better or finding.cause, finding.certain or bool(better)


@contextlib.contextmanager
def _hurry():
    """A call that takes long is given up sooner: what it would give is no right answer."""
    before, play.SECONDS = play.SECONDS, min(1.0, play.SECONDS)
    try:
        yield
    finally:
        play.SECONDS = before


def _is_random(module, answer, case):
    """With the same random numbers at every call it is steady, and with others it gives something else."""
    with _seeds_kept():
        played = [module.play(_seeded(answer, seed), case) for seed in range(6)]
    if not all(result.error is None and is_steady(result) for result in played):
        return False
    return not all(alike(played[0].value, other.value) for other in played[1:])


def _differs_anew(module, found, case):
    """Does the same code, made anew with a copy of all it could keep, give something else? Its random numbers may come from wherever they like."""
    kept = {name: found.names[name] for name in found.captured if name in found.names}
    with contextlib.suppress(Exception):  # not all can be copied
        values = [module.play(found.build(**copy.deepcopy(kept)), case).value for _ in range(3)]
        return not all(alike(values[0], other) for other in values[1:])
    return False


def _seeded(function, seed):
    """The function with the same random numbers at each of its calls, and at each call of a function that it makes."""

    def seeded(*args):
        torch.manual_seed(seed)
        random.seed(seed)
        numpy.random.seed(seed)
        made = function(*args)
        return _seeded(made, seed) if callable(made) else made

    return seeded


@contextlib.contextmanager
def _seeds_kept():
    states = random.getstate(), numpy.random.get_state()
    try:
        with torch.random.fork_rng(devices=[]):
            yield
    finally:
        random.setstate(states[0])
        numpy.random.set_state(states[1])


def _changed_to_right(module, found, cases, result, finding):
    """The cause of the first change with which all cases are right, or ""."""
    tried, end = {ast.unparse(found.tree)}, time.process_time() + BUDGET
    if _passes(module, found.build(), cases):
        return ""  # what is wrong does not stand in its source: no change of that can tell
    graded = hasattr(module, "GRADS")
    kinds = _kinds(result.value) if isinstance(found.tree, ast.FunctionDef) else set()
    seen = Seen(cases[0].args, kinds, graded or result.notes is not None, graded)
    for cause, tree in changes(found, seen, finding):
        if time.process_time() > end:
            return ""
        with contextlib.suppress(Exception):  # not every change makes code
            text = ast.unparse(ast.fix_missing_locations(tree))
            if text not in tried:
                tried.add(text)
                if _passes(module, found.build(tree), cases):
                    return cause
    return ""


def _kinds(packed):
    """The kinds of a value and of what it holds."""
    return set() if packed is None else {packed["kind"]}.union(*map(_kinds, packed.get("items", ())))


def _passes(module, answer, cases):
    return all(module.judge(case, module.play(answer, case)) is None for case in cases)


def _of_the_notebook(module, found, case, result):
    """The name of a tensor or a model of the notebook without which the answer would give something else, in a sentence; or ""."""
    for name in found.captured:
        other = _another(found.names.get(name))
        if other is not None:
            played = module.play(found.build(**{name: other}), case)
            if bool(played.error) != bool(result.error) or not (played.error or alike(played.value, result.value)):
                return f"your function uses `{name}` of the notebook, which is none of its arguments: what comes out depends on it"
    return ""


def _another(value):
    """A value of the same kind with other numbers in it, or None where there are none to change."""
    if isinstance(value, torch.Tensor) and value.numel() and value.is_floating_point():
        return value.detach() * 0.5 + 0.3
    if isinstance(value, nn.Module) and any(True for _ in value.parameters()):
        other = copy.deepcopy(value)
        with torch.no_grad():
            for weight in other.parameters():
                weight.mul_(0.5).add_(0.1)
        return other
    return None
