"""Playing a case: call the learner's function and write down what came out. This runs where the learner's code runs."""

import contextlib
import copy
import dis
import inspect
import io
import linecache
import logging
import os
import signal
import sys
import sysconfig
import threading
import traceback
import warnings
from pathlib import Path

import torch
from torch import nn

from . import warm
from .case import Result

SECONDS = float(os.environ.get("HIDDEN_STATE_SECONDS", 10))
"""How long one call may take. Tests make it shorter."""
LARGEST, MOST = 10_000_000, 100
"""The numbers of a tensor, and the parts of a list or dict, that are looked at."""
DTYPES = {f"torch.{name}" for name in "bool uint8 int8 int16 int32 int64 float16 bfloat16 float32 float64 complex64 complex128".split()}
"""What a tensor may be of: dtypes that every operation of a judge knows."""
NOT_THE_LEARNERS = (str(Path(__file__).parents[1]), sysconfig.get_path("stdlib"), sysconfig.get_path("purelib"), "<frozen")


class TooSlow(BaseException):
    """The learner's function did not return in time. No Exception, so that the function's own `except` lets it through."""


class ModeLeft(Exception):
    """The learner's function returned, and gradients are not as they were: off for all that runs after it, or on."""


def keeps_mode(function, *arguments):
    """function(*arguments). Raises ModeLeft where it leaves the gradient mode another one; puts it back."""
    before = torch.is_grad_enabled()
    value = function(*arguments)
    if torch.is_grad_enabled() != before:
        torch.set_grad_enabled(before)
        raise ModeLeft(f"gradients are {'off' if before else 'on'} for all that runs after your function")
    return value


def call(answer, case, grads=(), bind=None):
    """Call answer(*case.args) three times and return a Result.

    Once to see the value and whether an input was changed; once more on the same input, after the
    first output was overwritten; and once with gradients, if `grads` names inputs.
    bind(args) -> arguments turns plain case data into what the function takes (a cell, a layer).
    Nothing that the function prints, warns, logs or raises gets out, and the session stays as it was:
    gradient mode, random numbers, warnings, deterministic mode.
    """
    warm.up()
    result = Result()
    with _quiet() as written, _no_forgotten_memory(), torch.enable_grad(), torch.random.fork_rng(devices=[]):
        try:
            result.value, result.after, result.changed, first = _first_call(answer, case, bind)
            result.printed = written.getvalue()[:2000]
            _overwrite(first)
            result.again = pack(_timed(answer, _arguments(case.args, bind)))
        except BaseException as error:
            _reraise_interrupt(error)
            result.error = describe(error)
        else:
            if grads:
                result.grads, result.grad_error = _gradients(answer, case, grads, bind)
    result.printed = result.printed or written.getvalue()[:2000]
    return result


def pack(value):
    """Describe any value as plain data: a tensor keeps its numbers, anything else its type and a short repr.

    A tensor in the sense of a check is dense and of a usual dtype, and has its numbers where it can have any: one rule, see `trust`.
    """
    strange = strangeness(value) if isinstance(value, torch.Tensor) else ""
    if strange:
        return {"kind": strange, "repr": ""}
    if isinstance(value, torch.Tensor):
        packed = {
            "kind": "tensor",
            "shape": tuple(value.shape),
            "dtype": str(value.dtype),
            "device": value.device.type,
            "requires_grad": value.requires_grad,
            "values": None,
            "overlaps": any(size > 1 and step == 0 for size, step in zip(value.shape, _strides(value))),
        }
        if value.device.type == "cpu" and value.numel() <= LARGEST:
            packed["values"] = value.detach().clone().as_subclass(torch.Tensor)
        return packed
    if isinstance(value, (tuple, list)):
        kind = "tuple" if isinstance(value, tuple) else "list"
        return {"kind": kind, "items": [pack(item) for item in value[:MOST]], "length": len(value)}
    if isinstance(value, dict):
        some = list(value.items())[:MOST]
        return {"kind": "dict", "keys": [str(key) for key, _ in some], "items": [pack(item) for _, item in some]}
    if isinstance(value, (bool, int, float, str, type(None))):
        return {"kind": type(value).__name__, "plain": value}
    return {"kind": type(value).__name__, "repr": _short(value)}


def strangeness(tensor):
    """What kind of tensor it is, one of `case.STRANGE`, where it is not dense and plain; else ""."""
    if tensor.is_quantized:
        return "quantized tensor"
    if tensor.is_nested:
        return "nested tensor"
    if tensor.layout != torch.strided:
        return "sparse tensor"
    return "" if str(tensor.dtype) in DTYPES else "tensor of an unusual dtype"


def describe(error):
    """An exception as plain data: its type, its message, the last line of the learner's own code, and whether a `raise` of its own made it."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if _is_learners(f.filename)]
    last = frames[-1] if frames else None
    return {
        "type": type(error).__name__,
        "message": _words(error),
        "line": last.lineno if last else None,
        "code": (last.line or linecache.getline(last.filename, last.lineno).strip()) if last else "",
        "own": _is_raised_by_hand(error.__traceback__),
    }


def _is_raised_by_hand(place):
    while place and place.tb_next:
        place = place.tb_next
    code = place and place.tb_frame.f_code
    return bool(code) and _is_learners(code.co_filename) and code.co_code[place.tb_lasti] == dis.opmap["RAISE_VARARGS"]


def misfit(answer, names):
    """A sentence if `answer` cannot be called with these arguments, else None."""
    try:
        inspect.signature(answer).bind(*names)
    except TypeError:
        takes = ", ".join(inspect.signature(answer).parameters)
        return f"it takes ({takes}), but it is called with ({', '.join(names)}), in that order"
    except ValueError:
        return None
    return None


def _first_call(answer, case, bind):
    args = _clone(case.args)
    arguments = _arguments(args, bind, clone=False)
    models = {name: argument for name, argument in zip(args, arguments) if isinstance(argument, nn.Module)}
    before = _as_it_is(args, models)
    value = _timed(answer, arguments)
    packed, after = pack(value), _as_it_is(args, models)
    return packed, after, differences(before, after), value


def _as_it_is(args, models):
    """All inputs as plain data: the models among them by their condition."""
    return {name: plain(condition(models[name]) if name in models else value) for name, value in args.items()}


def differences(before, after):
    """The names of the inputs that are not as they were, for a model with what is not: as `Result.changed` has them."""
    changed = []
    for name, was in before.items():
        now = after[name]
        if isinstance(was, dict) and set(was) == set(CONDITION):
            changed += [f"{name} ({what})" for what in CONDITION if not isinstance(now, dict) or not same(was[what], now.get(what))][:1]
        elif not same(was, now):
            changed.append(name)
    return tuple(changed)


def plain(value, depth=12):
    """A copy of a value that can cross a border: tensors, numbers, texts, and lists and dicts of these. Of what else there is, a description."""
    if isinstance(value, torch.Tensor):
        return strangeness(value) or value.detach().clone().as_subclass(torch.Tensor)
    for kind in (bool, int, float, str):  # the plain value of a subclass, such as numpy.float64
        if isinstance(value, kind):
            return kind(value)
    if value is None:
        return None
    if isinstance(value, (list, tuple)) and depth:
        return (tuple if isinstance(value, tuple) else list)(plain(item, depth - 1) for item in value)
    if isinstance(value, dict) and depth:
        return {str(key): plain(item, depth - 1) for key, item in value.items()}
    return f"an object of type {type(value).__name__}"


CONDITION = (
    "its weights",
    "its mode, train() or eval()",
    "requires_grad of its weights",
    "gradients in its weights",
    "its settings",
    "a hook was left in it",
)


def condition(model):
    """All that a caller expects to find as it was: the weights, the mode and the settings of a module."""
    modules, weights = list(model.modules()), dict(model.named_parameters())
    return {
        "its weights": dict(weights),
        "its mode, train() or eval()": [module.training for module in modules],
        "requires_grad of its weights": [weight.requires_grad for weight in weights.values()],
        "gradients in its weights": [weight.grad is not None for weight in weights.values()],
        "its settings": [repr(model), *(sorted(vars(module)) for module in modules)],
        "a hook was left in it": [len(module._forward_hooks) + len(module._forward_pre_hooks) for module in modules],
    }


def _gradients(answer, case, names, bind):
    args = _clone(case.args)
    leaves = {name: args[name].requires_grad_() for name in names}
    try:
        value = _timed(answer, _arguments(args, bind, clone=False))
        return gradients(value, leaves), None
    except BaseException as error:
        _reraise_interrupt(error)
        return {}, describe(error)


def gradients(value, leaves):
    """The gradients of a fixed weighted sum of all the tensors in `value`, by the leaves' names.

    The weights are irregular, so that no gradient cancels by accident.
    """
    tensors = [part for part in parts(value) if isinstance(part, torch.Tensor) and part.requires_grad and part.numel() <= LARGEST]
    if not tensors:
        return dict.fromkeys(leaves)
    total = sum((part * _probe(part)).sum() for part in tensors)
    found = torch.autograd.grad(total, list(leaves.values()), allow_unused=True)
    return {name: None if grad is None else grad.detach().clone() for name, grad in zip(leaves, found)}


def parts(value):
    """The tensors and values inside a tuple, list or dict, in order; a bare value is its own only part."""
    if isinstance(value, dict):
        return list(value.values())
    return list(value) if isinstance(value, (tuple, list)) else [value]


def _probe(part):
    weights = torch.arange(1, part.numel() + 1, dtype=torch.float64, device=part.device)
    return weights.mul(0.7).sin().add(1.3).reshape(part.shape).to(part.dtype)


def _arguments(args, bind, clone=True):
    args = _clone(args) if clone else args
    return bind(args) if bind else list(args.values())


def _clone(args):
    return {name: value.clone() if isinstance(value, torch.Tensor) else copy.deepcopy(value) for name, value in args.items()}


def same(one, other):
    """Are two values of `plain` equal to the last digit? NaN is equal to NaN."""
    if type(one) is not type(other):
        return False
    if isinstance(one, torch.Tensor):
        if (one.shape, one.dtype, one.device) != (other.shape, other.dtype, other.device):
            return False
        return one.device.type == "meta" or bool(((one == other) | (one.isnan() & other.isnan())).all())
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other))
    return one == other or (one != one and other != other)


def _overwrite(value):
    """Spoil what was returned: if the next call returns the same memory, it shows."""
    for part in parts(value):
        if isinstance(part, torch.Tensor) and part.device.type == "cpu" and part.numel() <= LARGEST:
            with torch.no_grad(), contextlib.suppress(RuntimeError):
                part.fill_(77)


def _strides(value):
    return value.stride() if value.layout == torch.strided else ()


def _short(value):
    try:
        text = repr(value)
    except Exception:
        text = "?"
    return text if len(text) <= 80 else text[:77] + "..."


def _words(error):
    try:
        return str(error).strip()[:1000]
    except Exception:
        return ""


def _is_learners(filename):
    return not filename.startswith(NOT_THE_LEARNERS) and "site-packages" not in filename


def _reraise_interrupt(error):
    if isinstance(error, KeyboardInterrupt):
        raise error


def _timed(answer, arguments):
    """Call, but give up after SECONDS (where the system has alarms, and in the main thread)."""
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        return keeps_mode(answer, *arguments)

    def stop(*_):
        raise TooSlow(f"no result after {SECONDS} seconds: is there a loop that never ends?")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        return keeps_mode(answer, *arguments)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _note_down(message, category, *_args, **_kw):
    if "tensor.detach()" not in str(message):  # PyTorch's advice to cut the graph, where a number is made of a tensor that learns
        print(f"{category.__name__}: {message}")


@contextlib.contextmanager
def _quiet():
    """Collect what is printed, warned and logged: nbgrader gives no points to a cell that writes to stderr."""
    written = io.StringIO()
    handlers = [handler for handler in _handlers() if handler.stream in (sys.stdout, sys.stderr)]
    streams = [handler.stream for handler in handlers]
    try:
        for handler in handlers:
            handler.stream = written
        with warnings.catch_warnings(), contextlib.redirect_stdout(written), contextlib.redirect_stderr(written):
            warnings.simplefilter("default")
            warnings.showwarning = _note_down
            yield written
    finally:
        for handler, stream in zip(handlers, streams):
            handler.stream = stream
    sys.stdout.flush()


def _handlers():
    """All handlers of the logging module that write to a stream: those made earlier know the real stderr."""
    loggers = [logging.root, *logging.root.manager.loggerDict.values()]
    found = {handler for logger in loggers for handler in getattr(logger, "handlers", ())}
    return [handler for handler in found if isinstance(handler, logging.StreamHandler)]


@contextlib.contextmanager
def _no_forgotten_memory():
    """In deterministic mode `torch.empty` is filled with NaN, so that forgotten memory shows."""
    before = torch.get_deterministic_debug_mode()
    torch.set_deterministic_debug_mode("warn")
    try:
        yield
    finally:
        torch.set_deterministic_debug_mode(before)
