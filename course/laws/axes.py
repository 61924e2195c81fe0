"""Which axes of what a module returns follow the batch and the steps: found by trying."""

import torch

from . import trees
from .calls import SWAPPED
from .inputs import SIZES
from .verdict import BreaksPromise, CannotAsk, ModuleRaised


class Axes:
    """Which axes of a module's output and of each tensor in its state follow the batch and the steps: found by trying.

    rows, grows: for each tensor of the state, the axis that follows the batch, and that which follows the steps, or None;
    output_rows, output_steps: the same of the output; only_batch: the one batch that the module takes, or None.
    """

    def __init__(self, asked):
        given = asked.given
        batch, steps = SIZES[0] if given is None else (asked.batch_of(given), asked.num_steps(given))
        other_batch, other_steps = (2 if batch != 2 else 3), (steps + 1 if given is None else steps - 1)
        output, state = self._first(asked, batch, steps)
        parts, self.only_batch = trees.tensors(state), None
        by_rows = self._tried(asked, other_batch, steps)
        by_steps = self._tried(asked, batch, other_steps) if other_steps else None
        self.refused = None if by_rows is not None else asked.last_error
        if by_rows is None:
            self.only_batch, self.rows, self.output_rows = batch, [_guessed(part, batch) for part in parts], asked.batch_axis
        else:
            others = trees.tensors(by_rows[1])
            self.rows = [_axis(one, other, batch, other_batch) for one, other in zip(parts, others)]
            self.output_rows = _axis(output, by_rows[0], batch, other_batch)
        longer = [None] * len(parts) if by_steps is None else trees.tensors(by_steps[1])
        self.grows = [None if row is None or other is None else _longer(one, other) for one, other, row in zip(parts, longer, self.rows)]
        self.output_steps = asked.time_axis if by_steps is None else _axis(output, by_steps[0], steps, other_steps)
        self._require_promise(asked, output, state, by_steps, (batch, steps, other_steps))

    def _first(self, asked, batch, steps):
        try:
            return self._asked(asked, batch, steps)
        except ModuleRaised:
            if asked.given is not None or asked.on.state is not None:
                raise
            found = self._tried(asked, 1, steps)
            if found is None:
                raise
            raise CannotAsk(
                f"the module takes a batch of 1, and not one of {batch}: a law asks with several rows; say laws.check_all(module, x) with an x that it takes"
            ) from None

    def _tried(self, asked, batch, steps):
        try:
            return self._asked(asked, batch, steps)
        except ModuleRaised as error:
            asked.last_error = f"with a batch of {batch}, after one of {SIZES[0][0]}, {error}"
            return None

    @staticmethod
    def _asked(asked, batch, steps):
        x = asked.draw(batch, steps)
        with torch.no_grad():
            return asked.run(x, None if asked.on.state is None else asked.on.state(batch))

    def _require_promise(self, asked, output, state, later, sizes):
        """later: the answer to one input with other steps, or None; sizes: batch, steps, those other steps."""
        batch, steps, other_steps = sizes
        wanted = (batch, steps) if asked.batch_axis == 0 else (steps, batch)
        if (self.output_rows, self.output_steps) == (asked.time_axis, asked.batch_axis) and batch != steps:
            raise BreaksPromise(
                f"your outputs are ({wanted[1]}, {wanted[0]}, ·), promised is ({wanted[0]}, {wanted[1]}, ·): turn them back before you return them"
            )
        if later is None or self.output_steps is not None or output.dim() < 3 or not isinstance(state, torch.Tensor):
            return
        if state.shape[-1] == output.shape[-1] and _axis(state, later[1], steps, other_steps) == asked.time_axis:
            raise CannotAsk(SWAPPED)


def _axis(one, other, size, other_size):
    """The one axis that went from this size to that; None where there is none, or more than one."""
    if one.dim() != other.dim():
        return None
    found = [axis for axis, sizes in enumerate(zip(one.shape, other.shape)) if sizes == (size, other_size)]
    return found[0] if len(found) == 1 else None


def _longer(one, other):
    """The one axis along which two tensors differ."""
    found = [axis for axis, (here, there) in enumerate(zip(one.shape, other.shape)) if here != there] if one.dim() == other.dim() else []
    return found[0] if len(found) == 1 else None


def _guessed(part, batch):
    """The axis of the batch in a state of which no other batch could be had: as in (layers, B, H) and (B, H)."""
    found = [axis for axis, size in enumerate(part.shape) if size == batch]
    usual = {3: 1, 2: 0}.get(part.dim())
    return usual if usual in found else next(iter(found), None)
