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

from . import warm
from .case import LEARNS, LOOKED, Result, leaves
from .condition import as_it_is, differences, modules_of, strangeness
from .looking import Looking
from .settings import keeps_settings

SECONDS = float(os.environ.get("HIDDEN_STATE_SECONDS", 10))
"""How long one call may take. Tests make it shorter."""
LARGEST, MOST, DEEPEST = 10_000_000, 100, 6
"""The numbers of a tensor, the parts of a list or dict, and lists in lists, that are looked at."""
NOT_THE_LEARNERS = (str(Path(__file__).parents[1]), sysconfig.get_path("stdlib"), sysconfig.get_path("purelib"), "<frozen")


class TooSlow(BaseException):
    """The learner's function did not return in time. No Exception, so that the function's own `except` lets it through."""


def call(answer, case, grads=(), bind=None, free=()):
    """Call answer(*case.args) three times and return a Result.

    Once to see the value and whether an input was changed; once more on the same input, and with the same
    models, after the first output was overwritten; and once with gradients, if `grads` names inputs that learn in this case.
    bind(args) -> arguments turns plain case data into what the function takes (a cell, a layer).
    free: inputs that the function may change in place, so that none of them is a leaf of the graph.
    Nothing that the function prints, warns, logs or raises gets out, and the session stays as it was:
    gradient mode, random numbers, warnings, deterministic mode, anomaly mode.
    """
    warm.up()
    result, asked = Result(), case.asked(grads)
    looking = Looking() if case.special == "meta" else None
    with _quiet() as written, _session_kept(), torch.set_grad_enabled(_may_learn(case)), torch.random.fork_rng(devices=[]):
        try:
            result.value, result.after, result.changed, first, args, arguments = _first_call(answer, case, bind, looking)
            result.printed = written.getvalue()[:2000]
            _overwrite(first)
            result.again = pack(_timed(answer, _once_more(case, args, arguments, bind), looking))
        except BaseException as error:
            _reraise_interrupt(error)
            result.error = describe(error, looking)
        else:
            if asked:
                _learn(result, answer, case, asked, bind, free, looking)
    result.printed = result.printed or written.getvalue()[:2000]
    return result


def _may_learn(case):
    return case.args.get(LEARNS) != ()


def pack(value, depth=DEEPEST):
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
            "requires_grad": _learns(value),
            "values": None,
            "overlaps": any(size > 1 and step == 0 for size, step in zip(value.shape, _strides(value))),
        }
        if value.device.type == "cpu" and value.numel() <= LARGEST:
            packed["values"] = value.detach().clone().as_subclass(torch.Tensor)
        return packed
    if isinstance(value, (tuple, list, dict)) and not depth:
        return {"kind": f"{type(value).__name__} nested too deep", "repr": ""}
    if isinstance(value, (tuple, list)):
        kind = "tuple" if isinstance(value, tuple) else "list"
        return {"kind": kind, "items": [pack(item, depth - 1) for item in value[:MOST]], "length": len(value)}
    if isinstance(value, dict):
        some = list(value.items())[:MOST]
        return {"kind": "dict", "keys": [str(key) for key, _ in some], "items": [pack(item, depth - 1) for _, item in some]}
    if isinstance(value, (bool, int, float, str, type(None))):
        return {"kind": type(value).__name__, "plain": value}
    return {"kind": type(value).__name__, "repr": _short(value)}


def _learns(tensor):
    """Does it hang in a graph, or ask for a gradient itself? A view made under no_grad says that it requires one, and has no graph."""
    return tensor.requires_grad and (tensor.grad_fn is not None or not tensor._is_view())


def describe(error, looking=None):
    """An exception as plain data: its type, its message, the last line of the learner's own code, and whether a `raise` of its own made it.

    looking: what made up values on the way, where there were none; what comes of these is of the type LOOKED.
    """
    frames = [f for f in traceback.extract_tb(error.__traceback__) if _is_learners(f.filename)]
    last = frames[-1] if frames else None
    return {
        "type": LOOKED if looking and looking.excuses(error) else type(error).__name__,
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


def _first_call(answer, case, bind, looking):
    args = _clone(case.given)
    arguments = _bound(args, bind)
    before = as_it_is(args, arguments)
    value = _timed(answer, arguments, looking)
    packed, after = pack(value), as_it_is(args, arguments)
    return packed, after, differences(before, after), value, args, arguments


def _once_more(case, args, arguments, bind):
    """The arguments of the second call: the tensors as they were, the models and functions those of the first, so that a state kept by the layer shows."""
    fresh, own = _clone(case.given), {id(value): name for name, value in args.items()}
    if not all(id(argument) in own or _stays(argument) for argument in arguments):
        return _bound(fresh, bind)
    return [argument if _stays(argument) else fresh[own[id(argument)]] for argument in arguments]


def _stays(argument):
    return bool(modules_of(argument)) or callable(argument)


def _learn(result, answer, case, names, bind, free, looking):
    """The third call: the inputs named ask for gradients."""
    args = _clone(case.given)
    inputs = leaves(args, names)
    for tensor in inputs.values():
        tensor.requires_grad_()
    given = {name: value.clone() if name in free and name in names else value for name, value in args.items()}
    try:
        arguments = _bound(given, bind)
        learners = _learners(args, names, arguments)
        value = _timed(answer, arguments, looking)
        result.learning = pack(value)
        result.grads = gradients(value, learners)
    except BaseException as error:
        _reraise_interrupt(error)
        result.grads, result.learning, result.grad_error = {}, None, describe(error, looking)


def _learners(args, names, arguments):
    """{path: tensor}, as `leaves` has them, but of a model the weights that it holds itself."""
    found = {}
    for name in names:
        inputs = leaves(args, (name,))
        weights = [weight for model in modules_of(arguments[list(args).index(name)]) for weight in model.parameters()]
        found.update(zip(inputs, weights or inputs.values(), strict=True))
    return found


def gradients(value, leaves):
    """The gradients of a fixed weighted sum of all the tensors in `value`, by the leaves' names.

    The weights are irregular, so that no gradient cancels by accident.
    """
    tensors = [part for part in parts(value) if isinstance(part, torch.Tensor) and part.requires_grad and part.numel() <= LARGEST]
    if not tensors:
        return dict.fromkeys(leaves)
    total = sum((part * _probe(part)).sum() for part in tensors)
    asking = {name: leaf for name, leaf in leaves.items() if leaf.requires_grad}
    with torch.autograd.set_detect_anomaly(False):  # it would ask for values on meta, and stop at a NaN that the judge is to see
        found = torch.autograd.grad(total, list(asking.values()), allow_unused=True)
    arrived = {name: grad.detach().clone() for name, grad in zip(asking, found) if grad is not None}
    return {name: arrived.get(name) for name in leaves}


def parts(value):
    """The tensors and values inside a tuple, list or dict, in order; a bare value is its own only part."""
    if isinstance(value, dict):
        return list(value.values())
    return list(value) if isinstance(value, (tuple, list)) else [value]


def _probe(part):
    weights = torch.arange(1, part.numel() + 1, dtype=torch.float64, device=part.device)
    return weights.mul(0.7).sin().add(1.3).reshape(part.shape).to(part.dtype)


def _bound(args, bind):
    return bind(args) if bind else list(args.values())


def _clone(args):
    return {name: value.clone() if isinstance(value, torch.Tensor) else copy.deepcopy(value) for name, value in args.items()}


def _overwrite(value):
    """Spoil what was returned: if the next call returns the same memory, it shows."""
    for part in parts(value):
        if isinstance(part, torch.Tensor) and part.device.type == "cpu" and part.numel() <= LARGEST and not strangeness(part):
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


def _timed(answer, arguments, looking=None):
    """Call, but give up after SECONDS (where the system has alarms, and in the main thread)."""
    with looking or contextlib.nullcontext():
        return _in_time(answer, arguments)


def _in_time(answer, arguments):
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        return keeps_settings(answer, *arguments)

    def stop(*_):
        raise TooSlow(f"no result after {SECONDS} seconds: is there a loop that never ends?")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        return keeps_settings(answer, *arguments)
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
def _session_kept():
    """In deterministic mode `torch.empty` is filled with NaN, so that forgotten memory shows. Anomaly mode, which an answer may switch on to look, ends with it."""
    before, anomaly = torch.get_deterministic_debug_mode(), (torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled())
    torch.set_deterministic_debug_mode("warn")
    try:
        yield
    finally:
        torch.set_deterministic_debug_mode(before)
        torch.autograd.set_detect_anomaly(*anomaly)
