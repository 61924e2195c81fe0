"""Words that several exercises have for what was returned or raised, where no number can name the cause."""

import torch

from course.checks.judge import evaluate
from course.checks.play import parts


def explained(finding, case, result, oracle, signs=None):
    """The Finding of `compare` (or None), with its cause where the kind of what was returned, or the words of the error, give it away.

    signs: {words of the error: cause}, those that mean the same wherever this exercise meets them.
    """
    if finding is None:
        return None
    if result.error:
        finding.explain(next((cause for words, cause in (signs or {}).items() if words in result.error["message"]), ""))
        return finding
    items = [result.value] if result.value["kind"] != "tuple" else result.value["items"]
    for packed, want in zip(items, parts(evaluate(oracle, case)[0])):
        if packed["kind"] == "list" and "yours is of type list" in finding.what:
            finding.cause, finding.certain = _of_a_list(packed, tuple(want.shape))
            break
    return finding


def _of_a_list(packed, wanted):
    """Why a list is no tensor yet, or "", and is it certain: does one way of joining give the shape asked for?"""
    pieces = packed["items"]
    if pieces and all(piece["kind"] == "tensor" for piece in pieces):
        shapes = {piece["shape"] for piece in pieces}
        if len(shapes) == 1 and packed["length"] == len(pieces):
            cause = _joined(pieces[0]["shape"], len(pieces), wanted)
            return cause, bool(cause)
    if pieces and _innermost(packed) in ("int", "float"):
        return "these are Python lists of numbers: torch.tensor makes a tensor of them", False
    return "", False


def _joined(shape, n, wanted):
    stacked = {dim: (*shape[:dim], n, *shape[dim:]) for dim in range(len(shape) + 1)}
    joined = {dim: tuple(size * n if axis == dim else size for axis, size in enumerate(shape)) for dim in range(len(shape))}
    it = f"this is a Python list of {n} tensor{'s' * (n != 1)} {shape}"
    for way, other, shapes, others in (("stack", "cat", stacked, joined), ("cat", "stack", joined, stacked)):
        dim = next((dim for dim, made in shapes.items() if made == wanted), None)
        if dim is not None:
            aside = f"; torch.{other} would give {others[0]}" if 0 in others else ""
            return f"{it}: torch.{way} with dim={dim} joins them into {wanted}{aside}"
    return ""


def _innermost(packed):
    while packed.get("items"):
        packed = packed["items"][0]
    return packed["kind"]


ANY_FUNCTION = {
    "'function' object has no attribute": "a cell may be any function: it is called with an input and a state, and has nothing else. Sizes come from h0 and x"
}
"""Where a cell is asked for more than a step."""
PAIR = "an LSTM's second result is the pair (h_n, c_n), where nn.RNN and nn.GRU return h_n alone"


def of_an_lstm(finding, case, result):
    """The Finding with its cause, where a state is taken for a pair that is none, or the other way round."""
    said, is_lstm = (result.error or {}).get("message", ""), case.args["rnn"]["kind"] == "lstm"
    if is_lstm and ("'tuple'" in said or "not tuple" in said):
        finding.explain(f"{PAIR}: take h_n out of it, or read the states from the first result")
    elif is_lstm and not result.error and " axes, shape" in finding.what:
        finding.explain(f"{PAIR}. An index picks one of the two, and what it picks still has its layers")
    elif not is_lstm and "values to unpack" in said:
        finding.explain(f"only an LSTM returns a pair as its state: {PAIR}")
    return finding


def is_random(result):
    """Do two calls with the same input give other numbers of the same shape?"""
    one, other = result.value, result.again
    if not one or not other or one["kind"] != "tensor" or other["kind"] != "tensor" or one["values"] is None or other["values"] is None:
        return False
    return one["shape"] == other["shape"] and not torch.allclose(one["values"], other["values"], equal_nan=True)
