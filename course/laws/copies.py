"""A second module, as it would come out of another process: for the resume law and for gradients in double precision."""

import copy

import torch
from torch import nn

from . import trees
from .inputs import parts_of
from .verdict import CannotAsk


def another(on):
    """A copy of the module of an `On`, with tensors that carry a graph copied by their numbers. Raises CannotAsk where it cannot be copied."""
    if on.new is not None:
        return on.new()
    module = on.module
    memo = {id(part): part.detach().clone() for part in _with_graph(module).values()}
    try:
        return copy.deepcopy(module, memo)
    except Exception as error:
        raise CannotAsk(
            f"the module cannot be copied ({type(error).__name__}: {error}): say how to make another, with laws.on(module, new=lambda: ...)"
        ) from error


def kept_with_graph(asked):
    """The names of what the module keeps, with its graph, from an earlier call: what the next call changes."""
    module, names = asked.module, []
    x = asked.unrelated(asked.draws()[0], 3)
    with torch.enable_grad():
        before = {name: part.detach().clone() for name, part in _with_graph(module).items()}
        asked.run(x, None if asked.silent else asked.empty(x))
    for name, part in _with_graph(module).items():
        if name not in before or part.shape != before[name].shape or not torch.equal(part.detach(), before[name]):
            names.append(name)
    return names


def kept(asked):
    """The names of all tensors in the module that an unrelated call changes."""
    before = {name: part.detach().clone() for name, part in _inside(asked.module).items()}
    asked.disturb(asked.draws()[0], 4)
    after = _inside(asked.module)
    return [name for name, part in after.items() if name not in before or part.shape != before[name].shape or not torch.equal(part, before[name])]


def _with_graph(module):
    return {name: part for name, part in _inside(module).items() if part.grad_fn is not None}


def _inside(module):
    """{name: tensor} of everything in a module's attributes, its parameters left out."""
    found = {}
    for number, part in enumerate(parts_of(module)):
        where = "" if number == 0 else f"{type(part).__name__}."
        for name, value in list(getattr(part, "__dict__", {}).items()):
            if name in ("_parameters", "_modules", "_flat_weights") or isinstance(value, nn.Module):
                continue
            if name == "_buffers":
                found.update({where + inner: one for inner, one in value.items() if one is not None})
                continue
            tensors = [one for one in trees.tensors(value) if not isinstance(one, nn.Parameter)]
            found.update({f"{where}{name}" if number == 0 else f"{where}{name}[{number}]": one for number, one in enumerate(tensors)})
    return found
