"""Judging a result against PyTorch's own answer, rung by rung, and naming the mistake that explains it."""

import re

import torch

from .case import MODE_LEFT, STRANGE, TOO_SLOW, Finding, in_float64, leaves, map_tensors
from .play import gradients, parts

GRADIENT_TOLERANCE = 1e-4
ROUNDING = 16
"""How many times the rounding error of PyTorch's own gradient another right way of writing it may have."""
KEPT = "something is kept from one call to the next: a tensor made once and returned again, a default argument, a global"
RANDOM = "something random is inside, so that no two calls give the same: a layer that is made anew, dropout, a shuffle"
NOT_STEADY = f"{KEPT}. Or something random is inside: a layer that is made anew, dropout, a shuffle"


def compare(case, result, oracle, grads=(), names=("",), kind="tuple", free=()):
    """The first thing wrong with `result`, or None.

    oracle(**args) -> the right value, a tensor or a tuple of tensors, made by PyTorch's own layer;
    grads: the inputs whose gradients count; names: what the parts of the value are called;
    kind: "tuple", or "dict" where the names are keys; free: the inputs that may be changed.
    Looks in this order: raised; returned something; a tensor; rank, shape, dtype, device; inputs left
    alone; values; a second call; a call with gradients; gradient.
    """
    if result.error:
        return None if case.forgives(result.error) else raised(case, result.error)
    target, target_grads = evaluate(oracle, case, grads)
    found = _unpacked(case, result.value, names, kind)
    if isinstance(found, Finding):
        return found
    for name, got, want in zip(names, found, parts(target)):
        finding = _same_kind(case, name, got, want)
        if finding:
            return finding
    if set(result.changed) - set(free):
        return inputs_changed(case, result)
    for part, (name, got, want) in enumerate(zip(names, found, parts(target))):
        finding = _same_values(case, name, got, want)
        if finding:
            finding.part = part
            return finding
    finding = _second_call(case, result, names, target, kind) or _learning_call(case, result, names, target, kind, grads)
    if finding:
        return finding
    finding = _gradient(case, result, target_grads)
    return None if finding and _is_rounding(case, result, oracle, target_grads, grads) else finding


def inputs_changed(case, result):
    """The Finding for a call that changed an input: a tensor, a list, or a model of which it is said what changed."""
    changed = " and ".join(result.changed)
    if "(" in changed:
        return Finding("wrong", f"your function changed its input {changed}. Leave it as you found it", case.title)
    return Finding("wrong", f"your function changed its input {changed} in place. Make a new tensor instead", case.title)


def evaluate(function, case, grads=()):
    """function(**case.given) with the gradients of the inputs named that learn in this case: (value, {path: gradient}), paths as `leaves` has them."""
    return case.once((function, tuple(grads)), lambda: _evaluated(function, case, grads))


def _evaluated(function, case, grads):
    args = {name: map_tensors(arg, torch.Tensor.clone) for name, arg in case.given.items()}
    inputs = leaves(args, case.asked(grads))
    for tensor in inputs.values():
        tensor.requires_grad_()
    with torch.enable_grad(), torch.autograd.set_detect_anomaly(False):
        value = function(**args)
        found = gradients(value, inputs) if inputs else {}
    detached = [part.detach() for part in parts(value)]
    if isinstance(value, dict):
        return dict(zip(value, detached)), found
    return detached[0] if isinstance(value, torch.Tensor) else tuple(detached), found


def likely_cause(mistakes, oracle, cases, results, grads=(), part=None):
    """The known mistake that gives what the answer gave, in every case that can be compared; "" if none does.

    mistakes: {sentence: function(**args) -> the value that the mistake leads to};
    part: look at this part of the value only, as where two values are returned and each has its own mistake.
    Where the mistake gives numbers and the answer raised, the mistake is not what happened; and no mistake
    explains an answer whose second call gives something else.
    """
    if not all(is_steady(result) for result in results):
        return ""
    played = [(case, result) for case, result in zip(cases, results) if _can_be_compared(case, result)]
    right = [evaluate(oracle, case, grads) for case, _ in played]
    for sentence, mistake in mistakes.items():
        explained = []
        for (case, result), target in zip(played, right):
            explained.append(_explains(mistake, case, result, target, grads, part))
            if explained[-1] is False:
                break
        if any(explained) and False not in explained:
            return sentence
    return ""


def _explains(mistake, case, result, target, grads, part):
    """True if the mistake, and not the right way, gives this result; False if it gives another one.

    None if it cannot be told here: the mistake raises an error, or makes no difference in this case.
    """
    try:
        value, mistaken_grads = evaluate(mistake, case, grads)
    except (RuntimeError, ValueError, IndexError):
        return None
    if result.error:
        return False
    if part is not None and not _is_alone(value, target[0], part, case.tolerance):
        return False
    got = _pick([item.get("values") for item in _items(result.value)], part)
    made, right = _pick(parts(value), part), _pick(parts(target[0]), part)
    if any(tensor.device.type == "meta" for tensor in made):
        return None if all(values is None for values in got) else False
    if not _all_close(got, made, case.tolerance):
        return False
    if not _all_close(made, right, case.tolerance):
        return True
    if part is not None:
        return None
    if result.grad_error or not _same_gradients(result.grads, mistaken_grads):
        return False
    return None if _same_gradients(mistaken_grads, target[1]) else True


def _is_alone(made, right, part, tolerance):
    """Does a mistake change this part and no other? One that changes more than is wrong is not what happened."""
    others = [place for place in range(min(len(parts(made)), len(parts(right)))) if place != part]
    return all(_all_close([parts(made)[place]], [parts(right)[place]], tolerance) for place in others if parts(made)[place].device.type != "meta")


def _pick(values, part):
    return values if part is None else values[part : part + 1]


def _all_close(some, others, tolerance):
    return len(some) == len(others) and all(a is not None and a.shape == b.shape and _close(a, b, tolerance) for a, b in zip(some, others))


def _same_gradients(some, others):
    return all(_same_gradient(some.get(name), other) for name, other in others.items())


def _can_be_compared(case, result):
    """False where an error is forgiven, and on the meta device, which has no numbers."""
    if result.error:
        return not case.forgives(result.error)
    return not all(item.get("device") == "meta" for item in _items(result.value))


def is_steady(result):
    """Does the second call give what the first one gave?"""
    return bool(result.error) or alike(result.value, result.again)


def alike(one, other):
    """Do two values, as `pack` describes them, say the same, but for the last digits?"""
    if one is None or other is None:
        return one is other
    if one["kind"] != other["kind"]:
        return False
    if "items" in one:
        return len(one["items"]) == len(other["items"]) and all(map(alike, one["items"], other["items"]))
    if one["kind"] == "float":
        return abs(one["plain"] - other["plain"]) <= 1e-6 * max(1, abs(one["plain"])) or str(one["plain"]) == str(other["plain"])
    if one["kind"] != "tensor":
        return one == other
    if one["shape"] != other["shape"] or one["dtype"] != other["dtype"]:
        return False
    if one["values"] is None or other["values"] is None:
        return one["values"] is other["values"]
    return torch.allclose(one["values"], other["values"], atol=1e-6, equal_nan=True)


def _items(packed):
    return packed["items"] if "items" in packed else [packed]


def raised(case, error):
    """The Finding for an error, with its likely cause where the words of the error give it away."""
    if error["type"] == TOO_SLOW:
        return Finding("raised", f"your function was stopped: {error['message']}", case.title)
    if error["type"] == MODE_LEFT:
        stays = "torch.set_grad_enabled, without `with`, stays: `with torch.no_grad():` ends where its block ends"
        cause = stays if "gradients" in error["message"] else "what is set for the whole session changes every cell that runs later: leave it as it was"
        return Finding("wrong", error["message"], case.title, cause=cause, certain=True)
    where = f" in line {error['line']} of your code:\n\n    {error['code']}\n\n" if error["line"] else ":\n\n"
    return Finding("raised", f"your code raised an error{where}    {error['type']}: {error['message']}", case.title, cause=_loud_cause(error))


def _loud_cause(error):
    text = error["message"]
    sizes = re.search(r"Expected hidden(?:\[\d\])? size \(([\d, ]+)\), got [\[(]([\d, ]+)[\])]", text)
    if sizes and sizes[1].count(",") == sizes[2].count(","):
        return f"the state has a wrong size, ({sizes[2]}), where the network wants ({sizes[1]}): layers, batch, hidden. Is one of them written down?"
    for sign, cause in LOUD.items():
        if sign in text:
            return cause
    return ""


LOUD = {
    "same device": "a tensor is made on the CPU although the input lives on another device: size and place it from the input",
    "Cannot copy out of meta tensor": "a tensor is made on the CPU although the input lives on another device: size and place it from the input",
    "not on the expected device": "a tensor is made on the CPU although the input lives on another device: size and place it from the input",
    "does not match weight dtype": "a layer is made in float32 although the input is float64: take the dtype from the input",
    "must have the type torch.float32": "a layer is made in float32 although the input is float64: take the dtype from the input",
    "same dtype": "a tensor is made in float32 although the input is float64: take the dtype from the input",
    "modified by an inplace operation": ("a tensor that the backward pass still needs was overwritten in place. Build a list of new tensors and stack it"),
    "backward through the graph a second time": "a tensor still holds the graph of an earlier run: detach it, or keep its plain number",
    "does not require grad and does not have a grad_fn": "there is no graph to go back through: no_grad, detach or .item() came too early",
    "leaf Variable that requires grad is being used in an in-place": "an input is changed in place: make a new tensor instead",
    "must match the size of tensor": "two shapes do not line up: PyTorch compares them from the right. Print both, and set them beside the ledger",
    "is out of bounds for dimension": "an index is beyond the end of its axis: indices run from 0 to its length less 1",
    "Expected hidden size": "nn.RNN wants x as (time, batch, features) and the state as (layers, batch, hidden): an axis is missing or misplaced",
    "is invalid for input of size": "the sizes do not multiply to the number of values. Is one of them written down? The input's shape has them all",
    "condition to be a boolean": "torch.where wants a tensor of True and False: done.bool() makes one of zeros and ones",
    "numpy() on Tensor that requires grad": "the way through NumPy cuts the gradient: stay with torch operations",
    "only Tensors of floating point": "the result has lost its floating-point type",
    "mat1 and mat2 shapes cannot be multiplied": "two factors do not fit: compare the shapes in the ledger. With a batch in rows a product reads x @ W.T",
    "operator, with a bool tensor": "1 - mask does not work for a mask of bools: use ~mask, or turn it into numbers",
}


def _unpacked(case, packed, names, kind):
    """The parts of what was returned, one for each name, or a Finding."""
    if packed["kind"] == "NoneType":
        return Finding("wrong", "your function returned None. Is there a `return` on every path?", case.title)
    if kind == "dict":
        return _by_key(case, packed, names)
    if len(names) == 1:
        return [packed]
    wanted = f"({', '.join(names)})"
    if packed["kind"] not in ("tuple", "list"):
        return Finding("wrong", f"your function returned one {packed['kind']}; it should return {len(names)} values, {wanted}", case.title)
    if packed["length"] != len(names):
        return Finding("wrong", f"your function returned {packed['length']} values; it should return {len(names)}, {wanted}", case.title)
    return packed["items"]


def _by_key(case, packed, names):
    """The values of a dict with just these keys in this order, or a Finding."""
    wanted = ", ".join(names)
    if packed["kind"] != "dict":
        return Finding("wrong", f"your function returned a value of type {packed['kind']}; it should return a dict with the keys {wanted}", case.title)
    keys = packed["keys"]
    missing, strange = [name for name in names if name not in keys], [key for key in keys if key not in names]
    if missing and strange:
        said = f"the key {missing[0]} is missing from your dict, and {strange[0]!r:.40} is not among the keys asked for, {wanted}"
    elif missing or strange:
        said = f"the key {missing[0]} is missing from your dict" if missing else f"your dict has a key too many, {strange[0]!r:.40}"
    elif keys != list(names):
        said = f"your keys come in the order {', '.join(keys)}; they should come in the order {wanted}"
    else:
        return packed["items"]
    return Finding("wrong", said, case.title)


def _same_kind(case, name, got, want):
    """Tensor, rank, shape, dtype and device."""
    dtype = str(want.dtype)
    it = name or "the result"
    if got["kind"] in STRANGE:
        return Finding("wrong", f"{it} should be a plain, dense torch.Tensor; yours is a {got['kind']}", case.title)
    if got["kind"] != "tensor":
        return Finding("wrong", f"{it} should be a torch.Tensor, yours is of type {got['kind']}{_advice(got['kind'])}", case.title)
    yours, target = got["shape"], tuple(want.shape)
    sides = {"yours": got["values"] if 0 not in yours else None, "target": _or_none(want)}
    if len(yours) != len(target):
        return Finding("wrong", f"{it} should have {len(target)} axes, shape {target}; yours has {len(yours)}, shape {yours}", case.title, **sides)
    if yours != target:
        swapped = ". The sizes are right, their order is not" if sorted(yours) == sorted(target) else ""
        return Finding("wrong", f"{it} should have the shape {target}; yours has {yours}{swapped}", case.title, **sides)
    if got["dtype"] != dtype:
        return Finding("wrong", f"{it} should be {dtype}; yours is {got['dtype']}", case.title, cause=_dtype_cause(got["dtype"]))
    if got["device"] != want.device.type:
        return Finding(
            "wrong",
            f"{it} should live on the device of the input ({want.device.type}); yours lives on {got['device']}",
            case.title,
            cause="the device is written down in the code, or left at its default",
        )
    return None


def _dtype_cause(dtype):
    if "int" in dtype or "bool" in dtype:
        return "whole numbers stay whole numbers: nothing in the code asks for floating point"
    return f"{dtype} is written down in the code, or is the default of what made the tensor"


def _advice(kind):
    if kind == "tuple":
        return ". It holds several values: return the one that is asked for"
    if kind == "list":
        return ". One tensor is asked for, and no list of pieces"
    if kind == "float":
        return ". A plain number has lost its graph"
    return ". Stay with torch: NumPy knows no gradients" if kind == "ndarray" else ""


def _same_values(case, name, got, want):
    it = name or "the result"
    if want.device.type == "meta":
        return None
    values = got["values"]
    if values is None:
        return Finding("wrong", f"{it} has the right shape but no numbers", case.title)
    if values.isnan().any() and not want.isnan().any():
        cause = "something overflows, and inf / inf and inf - inf are NaN; or memory was never filled, as torch.empty leaves it"
        return Finding("wrong", f"{it} contains NaN", case.title, values, want, cause=cause)
    if _close(values, want, case.tolerance):
        return None
    gap = (values - want).abs()
    place = [int(i) for i in torch.unravel_index(gap.nan_to_num(posinf=1e30).argmax(), gap.shape)]
    where = f", at {place}" if place else ""
    return Finding("wrong", f"{it} has the right shape but the wrong numbers: it is off by up to {gap.max().item():.3g}{where}", case.title, values, want)


def _close(got, want, tolerance):
    """Within tolerance, absolute for values below 1 and relative above; the same infinities and NaNs count as close."""
    if got.is_complex() != want.is_complex():
        return False
    if got.dtype != want.dtype:
        got = got.to(want.dtype)
    return torch.allclose(got, want, rtol=tolerance, atol=tolerance, equal_nan=True)


def _gradient(case, result, target_grads):
    if not target_grads:
        return None
    if result.grad_error:
        if case.forgives(result.grad_error):
            return None
        finding = raised(case, result.grad_error)
        finding.what, finding.is_gradient = "the numbers are right, but the backward pass fails: " + finding.what, True
        return finding
    for name, want in target_grads.items():
        got = result.grads.get(name)
        if got is None and _is_nonzero(want):
            return Finding(
                "wrong",
                f"the numbers are right, but no gradient reaches {name}",
                case.title,
                None,
                want,
                cause=f"{name} is not used, or something cuts the graph: detach, .data, .item(), tolist(), numpy() or torch.tensor(...)",
                is_gradient=True,
            )
        if _has_nan(got) and not _has_nan(want):
            cause = "something overflows on the way: in the values an infinity can vanish, as 1 / inf is 0, in the gradient it can not"
            return Finding("wrong", f"the numbers are right, but the gradient that reaches {name} is NaN", case.title, got, want, cause=cause, is_gradient=True)
        if not _same_gradient(got, want):
            return Finding("wrong", f"the numbers are right, but the gradient that reaches {name} is not", case.title, got, want, is_gradient=True)
    return None


def _has_nan(gradient):
    return gradient is not None and gradient.device.type != "meta" and bool(gradient.isnan().any())


def _is_rounding(case, result, oracle, target_grads, grads):
    """Are the gradients as near to those of float64 as float32 can get?

    A model that is sure of itself has large weights and tiny differences: there PyTorch's own gradient is off by more than the tolerance.
    """
    if result.grad_error or any(result.grads.get(name) is None or want is None for name, want in target_grads.items()):
        return False
    _, exact = evaluate(oracle, in_float64(case.title, case.args), grads)
    return all(_is_as_exact(result.grads[name], want, exact[name]) for name, want in target_grads.items())


def _is_as_exact(got, want, exact):
    allowed = GRADIENT_TOLERANCE * (1 + exact.abs()) + ROUNDING * (want - exact).abs().max()
    return got.shape == exact.shape and bool(((got - exact).abs() <= allowed).all())


def _is_nonzero(gradient):
    return gradient is not None and gradient.device.type != "meta" and bool(gradient.any())


def _same_gradient(got, want):
    if got is None or want is None:
        return not _is_nonzero(got if want is None else want)
    if got.device.type == "meta" or want.device.type == "meta":
        return True
    return got.shape == want.shape and _close(got, want, GRADIENT_TOLERANCE)


def _second_call(case, result, names, target, kind):
    return None if _is_right(case, result.again, names, target, kind) else not_steady(case)


def _learning_call(case, result, names, target, kind, grads):
    """The call in which inputs ask for gradients gives the same numbers, or a Finding."""
    if result.learning is None or _is_right(case, result.learning, names, target, kind):
        return None
    asking = " and ".join(case.asked(grads))
    return Finding(
        "wrong",
        f"the numbers are right, but a call in which {asking} may learn (requires_grad is True) gives other ones",
        case.title,
        cause="the numbers depend on requires_grad, or on how often your function was called before",
    )


def _is_right(case, packed, names, target, kind):
    """Is a later call's value right?"""
    items = _unpacked(case, packed, names, kind)
    return not isinstance(items, Finding) and all(
        not _same_kind(case, name, item, want) and not _same_values(case, name, item, want) for name, item, want in zip(names, items, parts(target))
    )


def not_steady(case):
    """The Finding for an answer whose second call gives something else."""
    return Finding(
        "wrong",
        "the first call is right, but a second call with the same input gives something else",
        case.title,
        cause=NOT_STEADY,
    )


def _or_none(tensor):
    return None if tensor.device.type == "meta" else tensor
