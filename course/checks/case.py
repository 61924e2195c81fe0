"""What passes between the parts of a check: cases in, results out, findings at the end. All of it plain data."""

from dataclasses import dataclass, field
from typing import Any

import torch

WORKED, GENERAL, LARGE = 1e-6, 1e-5, 1e-4
"""Tolerances: for the worked example, in general, and for logits near 1000 (relative to their size)."""

LOOKED = "Looked"
"""The type of an error that came of values that are not there: on the meta device `looking` makes some up, and to look at a tensor is no mistake."""

NO_DATA = ("on meta tensors", "register_meta", "meta tensor", "Meta tensor", "meta device", "no data", "incompatible tensor type")
"""What PyTorch says when data are copied from the meta device: an answer may copy weights into a layer of its own."""

MIXED = ("same device", "Cannot copy out of meta tensor", "not on the expected device")
"""What PyTorch says of tensors of two devices in one operation."""

FLOAT32_LAYER = ("same dtype", "expected scalar type")
"""What PyTorch says of a float32 layer that is given float64. An answer that copies weights into one is accepted: it fails aloud."""

ON_META = {"RuntimeError", "NotImplementedError", "TypeError"}
IN_FLOAT64 = {"RuntimeError", "ValueError"}
"""The types of the errors in which PyTorch says so. The same words in another error are somebody else's."""

TOO_SLOW = "TooSlow"
"""The type of the error of an answer that did not return in time. No case forgives it."""

MODE_LEFT = "ModeLeft"
"""The type of the error of an answer that leaves gradients switched off, or on, for whatever runs after it."""

STRANGE = ("sparse tensor", "quantized tensor", "nested tensor", "tensor of an unusual dtype", "tensor whose memory was given back")
"""What `play.pack` calls a tensor that is not dense and plain. An answer may return one by mistake; it is never right."""

LEARNS = "learns"
"""The argument of a case that names the inputs that ask for a gradient, where they are not all that count. With none, the case is played under no_grad."""

MOST_KNOWN = 100
"""What is kept of a case, at most: the right answer, that of each known mistake, and little else."""

DERIVED = ("changed",)
"""The parts of a Result that no other process is asked for: the grader finds them out itself, see `trust.result`."""


@dataclass
class Case:
    """One input of an exercise.

    title: what is special about it, as it stands in messages ("batch 3, hidden 3");
    args: the arguments by name, in the order of the contract: tensors and plain values. Where the check needs more than
    it hands over (the inputs of a class that the learner writes), it stands behind them, and the exercise says what it TAKES;
    tolerance: how far a value may be off, absolute for values below 1, relative above;
    forgive: an error of PyTorch's whose text holds one of these is not held against the answer. Only `on_meta` and `in_float64` forgive:
    whatever an error says, the values of all other cases have to be right;
    known: a dict, where this very case is judged for many answers: what does not depend on the answer is worked out once.
    """

    title: str
    args: dict[str, Any]
    tolerance: float = GENERAL
    forgive: tuple[str, ...] = ()
    known: dict | None = field(default=None, repr=False, compare=False)

    def once(self, key, make):
        """make(), or what it gave for this key before. Nobody changes it afterwards."""
        if self.known is None or (key not in self.known and len(self.known) >= MOST_KNOWN):
            return make()
        if key not in self.known:
            self.known[key] = make()
        return self.known[key]

    @property
    def given(self):
        """The arguments without what the case says of itself."""
        return {name: value for name, value in self.args.items() if name != LEARNS}

    def asked(self, grads):
        """Which of these inputs ask for a gradient here. On meta none does: there is no number in it to compare."""
        if self.special == "meta":
            return ()
        return tuple(name for name in grads if name in self.args.get(LEARNS, grads))

    def forgives(self, error):
        """Is this an error that the case itself brings about? It decides by its own tensors first, and by what the error says last."""
        if error["type"] == LOOKED:
            return self.special == "meta"
        types = {"meta": ON_META, "float64": IN_FLOAT64}.get(self.special, ())
        return error["type"] in types and not error["own"] and any(words in error["message"] for words in self.forgive)

    @property
    def special(self):
        """What all its tensors have that is out of the ordinary: "meta" for the device, "float64" for the dtype, else ""."""
        kinds = {(tensor.device.type, tensor.dtype) for tensor in _tensors(self.args) if tensor.is_floating_point()}
        if kinds and all(device == "meta" for device, _ in kinds):
            return "meta"
        return "float64" if kinds and all(dtype == torch.float64 for _, dtype in kinds) else ""


def on_meta(title, args, forgive=()):
    """A case whose tensors live on the meta device: shapes and devices without values, to show device mistakes."""
    return Case(title, map_tensors(args, lambda tensor: tensor.to("meta")), forgive=forgive)


def in_float64(title, args, forgive=()):
    """A case whose floating-point tensors are float64."""

    def double(tensor):
        return tensor.double() if tensor.is_floating_point() else tensor

    return Case(title, map_tensors(args, double), forgive=forgive)


def leaves(args, names):
    """{path: tensor} for the floating-point tensors in the inputs named: a tensor by its name, the weights of a model by theirs, as "model.rnn.weight_ih_l0"."""
    found = {}
    for name in names:
        _find_leaves(name, args[name], found)
    return found


def _find_leaves(path, value, found):
    if isinstance(value, torch.Tensor) and value.is_floating_point():
        found[path] = value
    elif isinstance(value, dict):
        for key, item in value.items():
            _find_leaves(path if key == "weights" else f"{path}.{key}", item, found)
    elif isinstance(value, (list, tuple)):
        for i, item in enumerate(value):
            _find_leaves(f"{path}[{i}]", item, found)


def _tensors(value):
    if isinstance(value, torch.Tensor):
        return [value]
    items = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
    return [tensor for item in items for tensor in _tensors(item)]


def map_tensors(value, change):
    """A copy of a plain value, dicts and lists included, with change(tensor) for each tensor."""
    if isinstance(value, torch.Tensor):
        return change(value)
    if isinstance(value, dict):
        return {key: map_tensors(item, change) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(map_tensors(item, change) for item in value)
    return value


@dataclass
class Result:
    """What one case made an answer do. Plain data only, so that it can cross a border between processes.

    value: what came out, as `pack` describes it; again: the same for a second call on the same input,
    after the first output was overwritten; learning: the same for a third call, in which inputs ask for gradients; grads: the gradient of
    each of these, by the names of `leaves` (None where no gradient arrives); after: the inputs as the first call left them, and of a model its `condition`;
    changed: by that, the inputs that it changed in place, for a model with what changed;
    error, grad_error: what was raised by the call and by the backward pass; printed: what it wrote;
    notes: what the exercise itself wrote down on the way; as_shipped: is the answer the very code that the lesson gave?
    """

    value: dict | None = None
    again: dict | None = None
    learning: dict | None = None
    grads: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] | None = None
    changed: tuple[str, ...] = ()
    error: dict | None = None
    grad_error: dict | None = None
    printed: str = ""
    notes: Any = None
    as_shipped: bool = False

    @property
    def was_stopped(self):
        """Did a call take too long, so that no further case was played?"""
        return any(error and error["type"] == TOO_SLOW for error in (self.error, self.grad_error))


def sent(result):
    """What crosses the border of a Result."""
    return {name: value for name, value in vars(result).items() if name not in DERIVED}


@dataclass
class Finding:
    """The first thing wrong with an answer.

    outcome: "wrong", "raised" or "not attempted yet"; what: one sentence; case: the title of the case;
    yours, target: tensors to set side by side, where there are any;
    cause: the likely cause, where a known mistake explains the result;
    part: which of several returned values it is about, counted from 0;
    causes: all the known mistakes that explain it, where the exercise looks for them itself;
    is_gradient: the numbers of its case are right, and the gradient is not;
    certain: the cause explains every case.
    """

    outcome: str
    what: str
    case: str = ""
    yours: Any = None
    target: Any = None
    cause: str = ""
    part: int | None = None
    causes: tuple[str, ...] = ()
    is_gradient: bool = False
    certain: bool = False

    def explain(self, cause):
        """Take a cause that explains every case, if there is one: nothing changes for ""."""
        if cause:
            self.cause, self.certain = cause, True
