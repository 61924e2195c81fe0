"""The learner's own functions: those of the notebook, those kept from earlier lessons, and PyTorch's beside them."""

import contextlib
import copy
import io
import sys
import types

import torch
from torch import nn
from torch.nn import functional as F

from course.checks.attempt import is_attempted

from . import progress

AGREES = 1e-5


def find(name, given=None):
    """The learner's function of this name, or None: the one given, else the notebook's, else the one kept from a passed check."""
    found = given if given is not None else vars(sys.modules["__main__"]).get(name)
    if callable(found) and is_attempted(found):
        return _as_it_is_now(found)
    return kept(name)


def kept(name):
    """The learner's function that passed its check, made again from its source, or None."""
    namespace = {"torch": torch, "nn": nn, "F": F}
    try:
        exec(progress.load()["exercises"].get(name) or "", namespace)
    except Exception:
        return None
    return namespace.get(name)


def _as_it_is_now(function):
    """The same function with the globals of this moment: what the notebook deletes or overwrites later does not reach it.

    Nor does it reach the functions beside it that it may call, itself among them.
    """
    if not isinstance(function, types.FunctionType):
        return function
    now = dict(function.__globals__)
    beside = {name: value for name, value in now.items() if getattr(value, "__globals__", None) is function.__globals__}
    now.update({name: _with_globals(value, now) for name, value in beside.items() if isinstance(value, types.FunctionType)})
    return _with_globals(function, now)


def _with_globals(function, namespace):
    again = types.FunctionType(function.__code__, namespace, function.__name__, function.__defaults__, function.__closure__)
    again.__kwdefaults__ = function.__kwdefaults__
    return again


class Beside:
    """A learner's function with PyTorch's own beside it: called like either, it gives the learner's numbers where it can.

    name: what the learner calls it; own: the function, or None; reference: PyTorch's, with the same arguments and results.
    `gap` is the largest difference met so far; `trouble` says why the learner's function could not be used.
    """

    def __init__(self, name, own, reference):
        self.name, self.own, self.reference = name, own, reference
        self.gap, self.trouble = 0.0, ""

    def __call__(self, *args):
        return self._checked(lambda: self.own(*map(_copied, args)), self.reference(*args))

    def follow(self, make):
        """make(function) for the learner's function; what it makes of PyTorch's is compared with it, as the results of a call are."""
        return self._checked(lambda: make(self), make(self.reference))

    def consistently(self, make):
        """What make() makes with this function, all from one hand: made again if the learner's turns out not to fit on the way."""
        before, made = self.trouble, make()
        return made if self.trouble == before else make()

    def _checked(self, make, expected):
        if self.own is None or self.trouble:
            return expected
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                value = make()
            self.trouble = self.trouble or _misfit(value, expected)
        except Exception as error:
            self.trouble = f"raises {type(error).__name__}: {error}"
        if self.trouble:
            return expected
        fitting = [part.to(like.dtype, copy=True) for part, like in zip(_tensors(value), _tensors(expected))]
        self.gap = max(self.gap, *map(_distance, fitting, _tensors(expected)))
        return fitting[0] if isinstance(expected, torch.Tensor) else tuple(fitting)

    @property
    def is_own(self):
        return self.own is not None and not self.trouble

    @property
    def disagrees(self):
        return self.is_own and not self.gap <= AGREES

    def note(self):
        """Whose numbers these are, in a sentence."""
        if self.trouble:
            return f"The numbers are PyTorch's: your {self.name} {self.trouble}."
        if not self.is_own:
            return f"The numbers are PyTorch's. Write {self.name}, run this cell again, and they are yours."
        if self.gap == float("inf"):
            return f"The numbers are yours, from {self.name}. PyTorch's are different: some of yours are nan or infinite."
        if self.disagrees:
            return f"The numbers are yours, from {self.name}. PyTorch's are different: by up to {self.gap:.2g}."
        return f"The numbers are yours, from {self.name}. PyTorch's are the same."


def _copied(arg):
    return arg.clone() if isinstance(arg, torch.Tensor) else copy.deepcopy(arg)


def _tensors(value):
    return value if isinstance(value, (tuple, list)) else (value,)


def _misfit(value, expected):
    """What keeps a result from being shown in the place of the expected one; nothing if it fits."""
    found, wanted = _tensors(value), _tensors(expected)
    one_is_one = isinstance(value, torch.Tensor) == isinstance(expected, torch.Tensor)
    if not one_is_one or len(found) != len(wanted) or not all(isinstance(part, torch.Tensor) for part in found):
        return f"returns {type(value).__name__} where {len(wanted)} tensor{'s' * (len(wanted) > 1)} should be"
    for part, like in zip(found, wanted):
        if part.shape != like.shape:
            return f"returns the shape {tuple(part.shape)} where {tuple(like.shape)} should be"
        if not part.is_floating_point():
            return f"returns {part.dtype} where {like.dtype} should be"
        for kind in ("device", "layout"):
            if getattr(part, kind) != getattr(like, kind):
                return f"returns the {kind} {getattr(part, kind)} where {getattr(like, kind)} should be"
    return ""


def _distance(value, expected):
    if not value.numel():
        return 0.0
    gap = (value.detach().double() - expected.detach().double()).abs().max().item()
    return float("inf") if gap != gap else gap
