"""A forger on the other side of the border: what a wrong answer sends, and ways to send something else in its place.

All of it goes the way of a real play: `_examined` asks, a `Session` receives, `trust` looks, the exercise judges. Only the process is missing.
"""

import contextlib
import functools
import importlib
import socket
import threading
import time

import pytest
import torch

from course import exercises
from course.checks import examine, judge
from course.checks.case import Case, sent
from course.grading.run import notebooks
from course.grading.sandbox import Limits, Lost, Session, trust, wire

NAMES = exercises.names()
EPOCH = exercises.find("train_epoch")
SEED = 3


# A play with nobody inside


class NoSandbox:
    limits, confined = Limits(), True

    def ask(self, what, pid=0, file=None):
        return 0, 1, 0


@contextlib.contextmanager
def peer(*plays, early=b""):
    """A Session whose other side answers each request with the messages or bytes of one of these plays, and hangs up after the last."""
    session = Session(NoSandbox(), {})
    session.sock, its = socket.socketpair()
    session.ends = time.monotonic() + 60

    def answer():
        with its, contextlib.suppress(OSError, wire.Closed):
            for frames in plays:
                wire.receive(its)
                for frame in frames:
                    its.sendall(frame if isinstance(frame, bytes) else wire.pack(frame))

    its.sendall(early)
    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    try:
        yield session
    finally:
        session.__exit__()
        thread.join()


def earns(name, frames):
    """Does a play of these messages, or bytes, pass? One that ends the session does not."""
    with peer(frames) as session:
        try:
            return notebooks._examined(session, name, name, SEED).passed
        except Lost:
            return False


# What a wrong answer sends


def changed(value, change):
    """The same kind of value (a tensor, several, a dict, plain floats, a function) with all numbers changed."""
    if isinstance(value, (tuple, list)):
        return type(value)(changed(part, change) for part in value)
    if isinstance(value, dict):
        return {key: changed(part, change) for key, part in value.items()}
    if isinstance(value, torch.Tensor):
        return change(value)
    return float(change(torch.tensor(value))) if isinstance(value, float) else lambda x: changed(value(x), change)


def by(change):
    return lambda right: lambda *args: changed(right(*args), change)


def second_call(right):
    calls = []

    def answer(*args):
        calls.append(1)
        return changed(right(*args), lambda tensor: tensor + 0.1 * (len(calls) % 3 == 2))  # of the three calls for a case

    return answer


def raises(right):
    def answer(*args):
        raise RuntimeError("not yet")

    return answer


STARTS = {
    "a little off": by(lambda tensor: tensor + 0.1),
    "the second call": second_call,
    "another dtype": by(lambda tensor: tensor.half()),
    "a gradient cut": by(lambda tensor: tensor.detach().clone()),
    "an error": raises,
}


def can_be_wrong(name, start):
    module = exercises.find(name)
    return {"a gradient cut": hasattr(module, "GRADS"), "another dtype": name != "train_epoch"}.get(start, True)


WRONG = [(name, start) for name in NAMES for start in STARTS if can_be_wrong(name, start)]


@functools.cache
def few(name, seed):
    """Cases enough to forge: the first ones, and all that forgive. Of training, the one with two epochs too."""
    every = exercises.find(name).cases(seed)
    first = 1 if name == "train_epoch" else 2
    return [case for i, case in enumerate(every) if i < first or case.forgive or case.args.get("epochs", 1) > 1]


@functools.cache
def played(name, start):
    answer = STARTS[start](importlib.import_module(f"answers.{name}").RIGHT[0])
    return [sent(exercises.find(name).play(answer, case)) for case in few(name, SEED)]


def messages(name, start):
    """What the session of a wrong answer would send."""
    return [{"finding": None}, *({"result": result} for result in played(name, start)), {"end": True}]


@contextlib.contextmanager
def quick():
    """Few cases, no search for causes, and what is right worked out once."""
    patch = pytest.MonkeyPatch()
    patch.setattr(notebooks, "_cases", few)
    patch.setattr(examine, "likely_cause", lambda *a, **k: "")
    patch.setattr(examine, "_does_what_was_shipped", lambda *a: False)
    patch.setattr(EPOCH, "_explained", lambda *a: ())
    patch.setattr(judge, "evaluate", _once(judge.evaluate))
    patch.setattr(trust, "untouched", _once(trust.untouched))
    try:
        yield
    finally:
        patch.undo()


def _once(function):
    known = {}

    def remembering(*args):
        key = tuple(id(arg) if isinstance(arg, Case) else arg for arg in args)
        if key not in known:
            known[key] = function(*args), args  # the case is kept alive with it, or another could get its id
        return known[key][0]

    return remembering


# Ways to forge one field


MISSING = object()
PLAIN = [None, True, False, 0, -1, 1, 2**70, -(2**70), float("nan"), float("inf"), -1e308, 0.5, "", "tensor", "cpu", "meta", "torch.float64", "TooSlow"]
PLAIN += ["on meta tensors", "x" * 30_000, [], (), {}, [None], {"kind": "tensor"}, {"type": "TooSlow"}, ..., b"x", (2**62, 2**62), (-1,), (3,) * 70]


def forged(value):
    """What could stand in the place of a value: nothing, any plain value, and of tensors and numbers many more."""
    found = [MISSING, *PLAIN, torch.tensor(1.0), torch.ones(2, 3, dtype=torch.complex64), torch.empty(2, 3, device="meta")]
    if isinstance(value, torch.Tensor):
        found += [value * float("nan"), value.double() / 0, value * 0, value.to("meta"), value.to(torch.float16), value.bool(), value.unsqueeze(0)]
        found += [value.double(), -value, value.flatten()[:1], value.new_empty(0), value.to(torch.complex64)]
    if isinstance(value, (list, tuple)) and value:
        found += [value[:-1], [*value, *value], value[::-1], value * 50]
    if isinstance(value, dict) and value:
        found += [{**value, "more": 1}, dict(list(value.items())[:-1]), dict(reversed(value.items())), {}]
    return found


def places(value, depth=12):
    """The paths of all that lies in a value, down to numbers and texts; of long lists and dicts the first and the last."""
    if depth and isinstance(value, dict):
        keys = list(value)
    elif depth and isinstance(value, (list, tuple)):
        keys = list(range(len(value)))
    else:
        return []
    fixed = isinstance(value, dict) and set(value) <= FIELDS
    keys = keys if fixed or len(keys) <= 2 else [keys[0], keys[-1]]
    return [path for key in keys for path in [(key,), *((key, *more) for more in places(value[key], depth - 1))]]


FIELDS = {*trust.SENT, *trust.PACKED, *trust.FINISHED, *trust.ERROR, "kind", "items", "length", "keys", "plain", "repr"}


def at(value, path):
    for key in path:
        value = value[key]
    return value


def put(value, path, new):
    """A copy of a value with another one at this path. Where the path leads nowhere, the value as it is."""
    if not path:
        return new
    key, *rest = path
    if isinstance(value, dict) and key in value:
        return {name: put(item, rest, new) if name == key else item for name, item in value.items() if rest or name != key or new is not MISSING}
    if isinstance(value, (list, tuple)) and isinstance(key, int) and key < len(value):
        return type(value)(put(item, rest, new) if i == key else item for i, item in enumerate(value) if rest or i != key or new is not MISSING)
    return value


def everywhere(name, start, path, new):
    """The messages with the same field forged in the result of every case."""
    first, *results, end = messages(name, start)
    yield first
    yield from (put(result, path, new) for result in results)
    yield end


def error(kind, words):
    return {"type": kind, "message": words, "line": 1, "code": "", "own": False}
