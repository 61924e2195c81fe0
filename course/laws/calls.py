"""What is wrong with a module's call, or with what it returns, in one sentence with the remedy."""

import inspect

import torch
from torch import nn

from . import trees
from .verdict import CannotAsk, DoesNotApply

SWAPPED = "the module returns (state, output), and a law takes (output, state): swap the two"
BOTH = "a law calls `output, state = module(x)`: return both, or say what to call with laws.on(module, call=...)"


def looked_at(found):
    """What a call gave, as (output, state). Raises CannotAsk or DoesNotApply, in one sentence with the remedy, where it is something else."""
    if isinstance(found, list):
        found = tuple(found)
    if isinstance(found, tuple) and len(found) == 2 and isinstance(found[1], torch.Tensor) and isinstance(found[0], (tuple, list)):
        raise CannotAsk(SWAPPED)
    if not (isinstance(found, tuple) and len(found) == 2 and isinstance(found[0], torch.Tensor)):
        raise CannotAsk(f"the module returned {_named(found)}; {BOTH}")
    if found[1] is None:
        raise DoesNotApply("the module returns no state")
    if not trees.tensors(found[1]):
        raise CannotAsk(
            f"the module's state is {_named(found[1])}, in which there is no tensor: return its state, or hand it over with laws.on(module, call=...)"
        )
    return found


def refuse_call(on, error):
    """Raise CannotAsk, in one sentence with the remedy, where a TypeError of the module of an `On` comes of the call itself."""
    if not isinstance(error, TypeError):
        return
    found = _parameters_of(on.module.forward if isinstance(on.module, nn.Module) else on.module)
    if found is None:
        return
    places, required, by_name = found
    if places < 2 and by_name:
        raise CannotAsk(f"the module takes its state by name alone: say laws.on(module, call=lambda module, x, state: module(x, {by_name[0]}=state))")
    if places < 2:
        raise CannotAsk("the module's forward takes no state: write forward(self, x, h=None), and hand h on to the layer")
    if required > 1 and on.state is None:
        raise CannotAsk("the module wants a state at every call: write h=None in its forward, or say where to start: laws.on(module, state=lambda batch: ...)")


def _parameters_of(call):
    """(how many arguments a call takes by their place, how many it must have, the names of those by name alone); None where that is not known."""
    try:
        parameters = inspect.signature(call).parameters.values()
    except (TypeError, ValueError):
        return None
    if any(one.kind is one.VAR_POSITIONAL for one in parameters):
        return None
    places = [one for one in parameters if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    return len(places), sum(one.default is one.empty for one in places), [one.name for one in parameters if one.kind is one.KEYWORD_ONLY]


def _named(found):
    if isinstance(found, torch.Tensor):
        return f"one tensor of shape {tuple(found.shape)}"
    if isinstance(found, (tuple, list)):
        return f"a {type(found).__name__} of {len(found)}"
    return "None" if found is None else f"a {type(found).__name__}"
