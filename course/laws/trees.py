"""States as trees: a tensor, or tensors in tuples, lists, dicts, named tuples and objects, as deep as they come."""

import copy
from types import FunctionType, ModuleType

import torch
from torch import nn

CLOSED = (type, nn.Module, FunctionType, ModuleType, str, bytes, torch.dtype, torch.device)
"""What is carried along as it is: nobody's state lies in there."""
DEEPEST = 8


def change(tree, tensor=lambda part: part, number=lambda part: part, depth=0):
    """The tree built anew, with tensor(part) for each of its tensors and number(part) for each int and float.

    Containers and objects are copies, so that a module that writes into a cache writes into its own.
    """
    if isinstance(tree, torch.Tensor):
        return tensor(tree)
    if isinstance(tree, bool) or tree is None or isinstance(tree, CLOSED) or depth > DEEPEST:
        return tree
    if isinstance(tree, (int, float)):
        return number(tree)

    def again(part):
        return change(part, tensor, number, depth + 1)

    if isinstance(tree, (tuple, list)):
        parts = [again(part) for part in tree]
        if hasattr(tree, "_fields"):
            return type(tree)(*parts)
        if type(tree) in (tuple, list):
            return type(tree)(parts)
        return _written(tree, parts) if isinstance(tree, list) else tuple(parts)
    if isinstance(tree, dict):
        new = copy.copy(tree)
        for key, part in tree.items():
            dict.__setitem__(new, key, again(part))
        return _with_attributes(new, tree, again)
    return _with_attributes(copy.copy(tree), tree, again) if _attributes(tree) else tree


def tensors(tree):
    """Its tensors, in the order in which they are met."""
    found = []
    change(tree, found.append)
    return found


def numbers(tree):
    """Its ints and floats, in the order in which they are met."""
    found = []
    change(tree, number=found.append)
    return found


def with_tensors(tree, parts):
    """The tree with these tensors in place of its own, in the same order."""
    parts = iter(parts)
    return change(tree, lambda part: next(parts))


def _written(tree, parts):
    new = copy.copy(tree)
    list.__setitem__(new, slice(None), parts)
    return new


def _attributes(tree):
    names = list(getattr(tree, "__dict__", {}))
    for kind in type(tree).__mro__:
        slots = kind.__dict__.get("__slots__", ())
        names += [slots] if isinstance(slots, str) else [*slots]
    return [name for name in dict.fromkeys(names) if name not in ("__dict__", "__weakref__") and hasattr(tree, name)]


def _with_attributes(new, tree, again):
    for name in _attributes(tree):
        try:
            object.__setattr__(new, name, again(getattr(tree, name)))
        except (AttributeError, TypeError):  # a slot of C, which nothing can be written to: the copy has it already
            continue
    return new
