"""What comes back from a session, looked at before anybody uses it. The other side may send anything: raises Tampered for what is not valid.

What an honest session can send by a student's mistake is let through, for the judge to refuse with a word of help; what only a forger sends
is refused here. Nothing that is let through is true for that: docs/architecture-border.md says, field by field, what is believed and why.
"""

import math

import torch

from course import exercises
from course.checks.case import DERIVED, Finding, Result, leaves
from course.checks.condition import DTYPES, differences
from course.checks.examine import untouched
from course.checks.play import LARGEST, MOST

WORDS = 20_000
FOUND = {"not attempted yet", "wrong"}
PACKED = {"kind", "shape", "dtype", "device", "requires_grad", "values", "overlaps"}
ERROR = {"type": str, "message": str, "line": (int, type(None)), "code": str, "own": bool}
EPOCH = {"start", "steps", "arrivals", "backwards"}
FINISHED = EPOCH | {"end", "left", "settings", "memory"}
STEPS = 200
MIMES, ITEMS, AXES, MOST_LEFT_OUT = 20, 1000, 64, 50
SENT = set(Result.__dataclass_fields__) - set(DERIVED)


class Tampered(Exception):
    """A message that no session sends of its own accord."""


def insist(true, what):
    if not true:
        raise Tampered(what)


def _keys(value, keys, what):
    insist(isinstance(value, dict) and set(value) == set(keys), f"{what} has other parts")
    return value


def _is_text(value, most=WORDS):
    return type(value) is str and len(value) <= most


def _is_count(value, most=2**62):
    return type(value) is int and 0 <= value <= most


# Cells


def ran(answer, most):
    """The outputs and the error of a cell, and the packages that it lacked: (list of output dicts, dict or None, list of names)."""
    _keys(answer, ("outputs", "error", "left_out"), "the answer to a cell")
    insist(isinstance(answer["outputs"], list) and len(answer["outputs"]) <= most, "the outputs are no list")
    outputs = [_output(each) for each in answer["outputs"]]
    error = answer["error"] and _output(answer["error"])
    insist(error is None or error["output_type"] == "error", "the error is none")
    left_out = answer["left_out"]
    insist(
        isinstance(left_out, list) and len(left_out) <= MOST_LEFT_OUT and all(_is_text(name, 100) for name in left_out), "what was left out is no list of names"
    )
    return outputs, error and {name: error[name] for name in ("ename", "evalue", "traceback")}, left_out


def _output(output):
    kind = output.get("output_type") if isinstance(output, dict) else None
    if kind == "stream":
        _keys(output, ("output_type", "name", "text"), "a stream")
        insist(output["name"] in ("stdout", "stderr") and type(output["text"]) is str, "a stream of another kind")
    elif kind == "error":
        _keys(output, ("output_type", "ename", "evalue", "traceback"), "an error")
        lines = output["traceback"]
        insist(_is_text(output["ename"]) and _is_text(output["evalue"]) and isinstance(lines, list) and all(map(_is_text, lines)), "an error without words")
    elif kind in ("display_data", "execute_result"):
        more = ("execution_count",) if kind == "execute_result" else ()
        _keys(output, ("output_type", "data", "metadata", *more), "a picture")
        insist(not more or output["execution_count"] is None or _is_count(output["execution_count"]), "a count that is none")
        insist(isinstance(output["data"], dict) and isinstance(output["metadata"], dict) and len(output["data"]) <= MIMES, "a picture without data")
        insist(all(_is_mime(mime, data) for mime, data in output["data"].items()) and _is_json(output["metadata"]), "a picture of no known kind")
    else:
        raise Tampered("an output of no known kind")
    return output


def _is_mime(mime, data):
    return _is_text(mime, 200) and (type(data) is str or (mime.endswith("json") and _is_json(data)))


def _is_json(value):
    if isinstance(value, dict):
        return all(type(key) is str and _is_json(item) for key, item in value.items())
    if isinstance(value, list):
        return all(map(_is_json, value))
    return value is None or type(value) in (bool, int, str) or (type(value) is float and math.isfinite(value))


# Values


def plain(value):
    """A plain value as `Session.value` gives it: small, no bytes in it, and no tensor on the meta device."""
    if isinstance(value, torch.Tensor):
        insist(value.device.type == "cpu" and value.numel() <= ITEMS, "a value without numbers, or with too many")
    elif isinstance(value, (tuple, list, dict)):
        insist(len(value) <= ITEMS, "a value of too many parts")
        insist(not isinstance(value, dict) or all(map(_is_text, value)), "a key that is no text")
        for item in value.values() if isinstance(value, dict) else value:
            plain(item)
    else:
        insist(value is None or value is ... or type(value) in (bool, int, float) or _is_text(value), "no plain value")
    return value


# Results


def finding(answer):
    """A Finding that was made before anything was played, or None."""
    found = _keys(answer, ("finding",), "the first answer of an exercise")["finding"]
    if found is None:
        return None
    _keys(found, ("outcome", "what"), "a finding")
    insist(found["outcome"] in FOUND and _is_text(found["what"]), "a finding of no known kind")
    return Finding(**found)


def is_end(answer):
    """Is this the message after the last result?"""
    return isinstance(answer, dict) and set(answer) == {"end"} and answer["end"] is True


def result(answer, exercise, case):
    """A Result of one case, as good as one that was made here: each part of the type, kind and size that it says. What changed is found out here."""
    found = _keys(_keys(answer, ("result",), "an answer")["result"], SENT, "a result")
    module = exercises.find(exercise)
    error = _error(found["error"])
    _packed_or_not(found, error)
    insist(_is_text(found["printed"]), "what was printed is no text")
    insist(isinstance(found["as_shipped"], bool), "whether the code is the shipped one is no yes or no")
    _backward(found, leaves(case.args, case.asked(getattr(module, "GRADS", ()))))
    if exercise == "train_epoch":
        _epochs(found, case, finished=not error)
    else:
        insist(found["notes"] is None, "notes where none are taken")
    return Result(**found, changed=_changed(found["after"], untouched(module, case)))


def _packed_or_not(found, error):
    """The values of two calls and what they left: all that there is without an error, and no more than the first call's with one."""
    value, again, after = found["value"], found["again"], found["after"]
    insist((value is None) == (after is None), "a value without the inputs, or these without a value")
    insist(error or value is not None, "no value and no error")
    insist((again is None) == (error is not None), "a second call with an error, or without one no second call")
    for packed in (value, again):
        if packed is not None:
            _packed(packed)


def _changed(after, before):
    """What changed, by the inputs that came back and by those that an idle answer leaves here."""
    if after is None:
        return ()
    return differences(before, _keys(after, before, "the inputs"))


def _error(error):
    if error is not None:
        _keys(error, ERROR, "an error")
        insist(all(isinstance(error[name], kind) for name, kind in ERROR.items()) and type(error["line"]) is not bool, "an error of other types")
        insist(all(_is_text(error[name]) for name in ("type", "message", "code")), "an error of too many words")
        insist(error["line"] is None or _is_count(error["line"]), "an error in a line that is none")
    return error


def _packed(value, depth=8):
    """What `play.pack` makes of a value: its kind decides which parts it has."""
    insist(depth and isinstance(value, dict) and _is_text(value.get("kind"), 500), "a value without a kind")
    kind = value["kind"]
    if kind == "tensor":
        _packed_tensor(value)
    elif kind in ("tuple", "list"):
        _keys(value, ("kind", "items", "length"), "a list")
        items, length = value["items"], value["length"]
        insist(isinstance(items, list) and _is_count(length) and len(items) == min(length, MOST), "a list of another length")
        for item in items:
            _packed(item, depth - 1)
    elif kind == "dict":
        _keys(value, ("kind", "keys", "items"), "a dict")
        keys, items = value["keys"], value["items"]
        insist(isinstance(keys, list) and isinstance(items, list) and len(keys) == len(items) <= MOST, "a dict without its keys")
        insist(all(map(_is_text, keys)), "a key that is no text")
        for item in items:
            _packed(item, depth - 1)
    elif "plain" in value:
        _keys(value, ("kind", "plain"), "a plain value")
        own = type(value["plain"])
        insist(
            own in (bool, int, float, str, type(None)) and (kind == own.__name__ or kind not in ("bool", "int", "float", "str", "NoneType")),
            "a value of another type",
        )
        insist(own is not str or _is_text(value["plain"]), "a value of too many words")
    else:
        _keys(value, ("kind", "repr"), "an object")
        insist(_is_text(value["repr"], 200), "an object without its repr")


def _packed_tensor(value):
    """The one rule for a tensor that comes back: dense and plain, of a usual dtype, with its numbers wherever it can have any.

    Whether it is of the dtype, shape and device asked for, both times it was called, is the judge's to say, who refuses what has no numbers
    on the CPU. What else a student's function can return (sparse, quantized, …) comes as another kind, `case.STRANGE`: see `play.pack`.
    """
    _keys(value, PACKED, "a tensor")
    shape, numbers = value["shape"], value["values"]
    insist(isinstance(shape, tuple) and len(shape) <= AXES and all(map(_is_count, shape)), "a tensor without its shape")
    insist(value["dtype"] in DTYPES and _is_text(value["device"], 50), "a tensor of no usual dtype")
    insist(type(value["requires_grad"]) is bool and type(value["overlaps"]) is bool, "a tensor that says neither yes nor no")
    size = 1
    for axis in shape:
        size *= axis
    if numbers is None:
        insist(value["device"] != "cpu" or size > LARGEST, "a tensor without its numbers")
        return
    insist(type(numbers) is torch.Tensor and numbers.device.type == "cpu" == value["device"], "numbers on another device")
    insist(tuple(numbers.shape) == shape and str(numbers.dtype) == value["dtype"], "numbers of another shape or dtype")


def _backward(found, asked):
    """The third call: its value and the gradients of just the inputs asked for, or an error in their place.

    asked: {path: the input}, as `leaves` has them. A gradient is shaped like its input, and is on its device: a judge asks no more on meta.
    """
    grads, grad_error, learning = found["grads"], _error(found["grad_error"]), found["learning"]
    insist(not grad_error or (asked and not found["error"]), "an error of a backward pass that nobody asked for")
    learned = bool(asked) and not found["error"] and not grad_error
    _keys(grads, asked if learned else (), "the gradients")
    for path, grad in grads.items():
        insist(grad is None or _is_like(grad, asked[path]), "a gradient that is not shaped like its input")
    insist((learning is not None) == learned, "a third call that nobody asked for, or none")
    if learned:
        _packed(learning)


def _is_like(tensor, like):
    return isinstance(tensor, torch.Tensor) and (tensor.shape, tensor.dtype, tensor.device) == (like.shape, like.dtype, like.device)


# Training


def _epochs(found, case, finished):
    """The notes of train_epoch: an epoch after the other, the first from the weights that were given."""
    wanted, notes = case.args["epochs"], found["notes"]
    weights = _weights(case)
    insist(isinstance(notes, list) and len(notes) <= wanted, "the notes are no list of epochs")
    insist(not finished or len(notes) == wanted, "an epoch without notes")
    for place, epoch in enumerate(notes):
        _epoch(epoch, weights, finished or place < len(notes) - 1)
    insist(not notes or all(torch.equal(notes[0]["start"][name], weight) for name, weight in weights.items()), "the weights were others from the start")
    for packed in (found["value"], found["again"]) if finished else ():
        insist(packed["kind"] == "list" and packed["length"] == wanted, "not one value for each epoch")


def _weights(case):
    model = case.args["model"]
    return {f"{part}.{name}": weight for part in ("rnn", "out") for name, weight in model[part]["weights"].items()}


def _epoch(epoch, weights, finished):
    insist(isinstance(epoch, dict) and set(epoch) == (FINISHED if finished or "end" in epoch else EPOCH), "an epoch has other parts")
    insist(
        _is_count(epoch["arrivals"]) and _is_count(epoch["backwards"]) and isinstance(epoch["steps"], list) and len(epoch["steps"]) <= STEPS,
        "an epoch without its steps",
    )
    if "end" in epoch:
        memory = _keys(epoch["memory"], weights, "the memory")
        insist(type(epoch["left"]) is bool and isinstance(epoch["settings"], list), "an epoch that says neither yes nor no")
        insist(all(steps is None or type(steps) is float for steps in memory.values()), "a memory that is no number")
    for tensors in (epoch["start"], epoch.get("end", epoch["start"])):
        _all_like(tensors, weights)
    for step in epoch["steps"]:
        _keys(step, ("before", "grads", "after"), "a step")
        _all_like(step["before"], weights)
        _all_like(step["after"], weights)
        _all_like(step["grads"], weights, none=True)


def _all_like(tensors, weights, none=False):
    _keys(tensors, weights, "the weights")
    insist(all((none and tensor is None) or _is_like(tensor, weights[name]) for name, tensor in tensors.items()), "weights of another shape")
