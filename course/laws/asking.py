"""How a law asks a module: what it gives it, along which axes, and how it says that something else came back."""

from contextlib import contextmanager

import torch
from torch import nn

from .adapters import NotYet

NUM_STEPS, BATCH = 7, 3
ROWS = -2
"""The axis of the batch in a state: (B, H), or (layers, B, H)."""


class ModuleRaised(Exception):
    """An error of the module's own."""


class DoesNotApply(Exception):
    """The law says nothing of such a module. The text is the reason."""


class CannotAsk(Exception):
    """Something that the law needs is not there. The text says what, and what to do about it."""


class Asked:
    """A module under a law: runs it, and knows its axes.

    batch_first: whether x is (B, T, F); left out, what the module says, or its first recurrent layer.
    """

    def __init__(self, module, batch_first=None):
        self.module = module
        self.batch_axis = 0 if (promise(module) if batch_first is None else batch_first) else 1

    def run(self, x, state=None):
        """(output, state) as the module gives them. Raises one of the errors above."""
        try:
            found = self.module(x) if state is None else self.module(x, state)
        except NotYet:
            raise
        except Exception as error:
            raise ModuleRaised(f"the module raised {type(error).__name__}: {error}") from error
        if not (isinstance(found, (tuple, list)) and len(found) == 2 and isinstance(found[0], torch.Tensor)):
            raise CannotAsk(f"the module returned {_named(found)}; a law calls `output, state = module(x)`: return both, or put such a module around it")
        if found[1] is None:
            raise DoesNotApply("the module returns no state")
        if not all(isinstance(part, torch.Tensor) for part in (found[1] if isinstance(found[1], tuple) else [found[1]])):
            raise CannotAsk(f"the module's state is {_named(found[1])}: return a tensor, or a tuple of tensors")
        return found

    def num_steps(self, x):
        return x.shape[1 - self.batch_axis]

    def steps(self, x, start, stop):
        return x.narrow(1 - self.batch_axis, start, stop - start)

    def join(self, pieces):
        return torch.cat(pieces, dim=1 - self.batch_axis)

    def rows(self, x):
        """The numbers of the rows of x, of which a law needs two at least."""
        count = x.shape[self.batch_axis]
        if count < 2:
            raise CannotAsk(f"this law needs a batch of at least 2 rows, this input has {count}")
        return torch.arange(count, device=x.device)

    def take(self, output, rows):
        return output.index_select(self.batch_axis, rows)

    @torch.no_grad()
    def zero_state(self, x):
        """Zeros shaped as the state that the module returns: what they look like is the module's own affair."""
        return zeros_like(self.run(x)[1])

    @property
    def bidirectional(self):
        return any(getattr(part, "bidirectional", False) is True for part in parts_of(self.module))


def promise(module):
    """Whether a module takes (B, T, F): its own word, or that of the first recurrent layer in it."""
    return next((part.batch_first for part in parts_of(module) if isinstance(getattr(part, "batch_first", None), bool)), False)


def random_input(module, num_steps=NUM_STEPS, batch=BATCH, input_size=None, batch_first=None):
    """A random sequence for a module: (T, B, F) or (B, T, F), with its dtype and device, always the same."""
    parameter = next(iter(module.parameters()), torch.zeros(())) if isinstance(module, nn.Module) else torch.zeros(())
    size = _input_size(module) if input_size is None else input_size
    if size is None:
        raise CannotAsk(
            "nothing in this module says its input_size, how many features it reads: say laws.check_all(module, input_size=5), with its number for 5"
        )
    shape = (batch, num_steps, size) if Asked(module, batch_first).batch_axis == 0 else (num_steps, batch, size)
    x = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    return x.to(dtype=parameter.dtype, device=parameter.device)


def _input_size(module):
    """What the module says itself, or the first layer in it that knows."""
    for part in parts_of(module):
        size = part.in_features if isinstance(part, nn.Linear) else getattr(part, "input_size", None)
        if isinstance(size, int):
            return size


def parts_of(module):
    """The module itself, then those in it."""
    return list(module.modules()) if isinstance(module, nn.Module) else [module]


def each(change, state):
    return tuple(change(part) for part in state) if isinstance(state, tuple) else change(state)


def zeros_like(state):
    return each(torch.zeros_like, state)


def rows_of(state, order):
    """The state with its rows in another order, where it has that many."""
    return each(lambda part: part.index_select(ROWS, order), state) if _has_rows(state, len(order)) else state


def with_row(state, row, number):
    """The state with one row of this number alone."""
    return each(lambda part: part.index_fill(ROWS, row, number), state)


def unequal_like(state, rows):
    """A state with other numbers in each row; None where its rows cannot be told by their axis."""
    if not _has_rows(state, rows):
        return None
    draws = torch.Generator().manual_seed(1)
    return each(lambda part: torch.rand(part.shape, generator=draws).sub(0.5).to(part), state)


def _has_rows(state, rows):
    parts = state if isinstance(state, tuple) else (state,)
    return all(part.dim() > 1 and part.shape[ROWS] == rows and part.is_floating_point() for part in parts)


@contextmanager
def eval_mode(module):
    parts = parts_of(module) if isinstance(module, nn.Module) else []
    modes = [part.training for part in parts]
    try:
        for part in parts:
            part.training = False
        yield
    finally:
        for part, mode in zip(parts, modes):
            part.training = mode


def _named(found):
    if isinstance(found, torch.Tensor):
        return f"one tensor of shape {tuple(found.shape)}"
    if isinstance(found, (tuple, list)):
        return f"a {type(found).__name__} of {len(found)}"
    return "None" if found is None else f"a {type(found).__name__}"
