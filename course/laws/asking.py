"""How a law asks a module: what it gives it, and what it takes of what comes back."""

from contextlib import contextmanager
from functools import cached_property

import torch
from torch import nn

from . import trees
from .adapters import NotYet, On
from .axes import Axes
from .calls import looked_at, refuse_call
from .copies import another
from .inputs import SIZES, drawn, parts_of, promise, reads
from .verdict import CannotAsk, ModuleRaised


class Asked:
    """A module under a law: runs it, and knows its axes.

    subject: a module, or what `on` made of one; x: the one input to ask with, or None to draw some;
    input_size, batch_first: as in `check_all`.
    """

    def __init__(self, subject, x=None, input_size=None, batch_first=None):
        self.on = subject if isinstance(subject, On) else On(subject)
        self.module, self.given, self.input_size = self.on.module, x, input_size
        said = self.on.batch_first if batch_first is None else batch_first
        self.batch_axis = 0 if (promise(self.module) if said is None else said) else 1
        self.time_axis = 1 - self.batch_axis

    # What goes in.

    def draws(self, least_steps=1, least_rows=1):
        """The inputs to ask with, the given one alone where there is one. Raises CannotAsk where that is too small."""
        if self.given is not None:
            self._require_size(least_steps, least_rows)
            return [self.given]
        sizes = [(self.axes.only_batch or batch, steps) for batch, steps in SIZES if batch >= least_rows]
        return [self.draw(batch, steps, seed) for seed, (batch, steps) in enumerate(sizes)]

    def draw(self, batch, steps, seed=0):
        """Other numbers for each seed. Of an input that was given, as many rows and steps of it, for seed 0 the very numbers."""
        return drawn(self, batch, steps, seed)

    def unrelated(self, x, seed):
        """Another input of the shape of x, which has nothing to do with it."""
        return self.draw(self.batch_of(x), self.num_steps(x), 100 + seed)

    def _require_size(self, least_steps, least_rows):
        steps, rows = self.num_steps(self.given), self.batch_of(self.given)
        if rows < least_rows:
            raise CannotAsk(f"this law needs a batch of at least {least_rows} rows, this input has {rows}")
        if steps < least_steps:
            raise CannotAsk(f"this law needs at least {least_steps} time steps, this input has {steps}")

    def num_steps(self, x):
        return trees.tensors(x)[0].shape[self.time_axis]

    def batch_of(self, x):
        return trees.tensors(x)[0].shape[self.batch_axis]

    def steps(self, x, start, stop):
        return trees.change(x, lambda part: part.narrow(self.time_axis, start, stop - start))

    def rows(self, x, rows):
        return trees.change(x, lambda part: part.index_select(self.batch_axis, rows.to(part.device)))

    # The call.

    def run(self, x, state=None, module=None):
        """(output, state) as the module gives them; it is given a copy of the state. Raises an error of `verdict`."""
        module = self.module if module is None else module
        given = None if state is None else trees.change(state, torch.clone)
        try:
            if self.on.call is not None:
                found = self.on.call(module, x, given)
            else:
                found = module(x) if state is None else module(x, given)
        except NotYet:
            raise
        except Exception as error:
            if self.on.call is None:
                refuse_call(self.on, error)
            raise ModuleRaised(f"the module raised {type(error).__name__}: {error}") from error
        return looked_at(found)

    def require_module(self):
        """Raise CannotAsk, in one sentence, where this is nothing that reads sequences, or the given x is none."""
        module, x = self.module, self.given
        if isinstance(module, type):
            raise CannotAsk(f"a law is asked of a module, and {module.__name__} is a class: write {module.__name__}(), with what it needs between the brackets")
        if not callable(module):
            raise CannotAsk(f"a law is asked of a module, and this is {module!r}")
        if isinstance(module, nn.RNNCellBase):
            raise CannotAsk(
                "a cell makes one step, and a law asks what reads whole sequences: put the cell into a loop, as laws.Recurrent(run_sequence, cell, 5, 4) does"
            )
        if isinstance(x, torch.Tensor) and (x.dim() < 2 or (x.dim() == 2 and x.shape[-1] == reads(module))):
            axes, with_batch = ("(B, T, F)", "x[None]") if self.batch_axis == 0 else ("(T, B, F)", "x[:, None]")
            raise CannotAsk(f"x has the shape {tuple(x.shape)}, without a batch: a law asks with {axes}, here {with_batch}")

    @cached_property
    def silent(self):
        """Whether the module can be called without a state."""
        if self.on.state is None:
            return True
        try:
            self.run(self.draws()[0])
        except ModuleRaised:
            return False
        return True

    # States.

    def empty(self, x):
        """The state to start from: what `on` said, or zeros shaped as the state that the module returns; of what grows with the steps, nothing yet."""
        if self.on.state is not None:
            return self.on.state(self.batch_of(x))
        with torch.no_grad():
            state = self.run(x)[1]
        grows = iter(self.axes.grows)

        def nothing(part):
            axis = next(grows, None)
            return torch.zeros_like(part if axis is None else part.narrow(axis, 0, 0))

        return trees.change(state, nothing, lambda number: type(number)(0))

    def made(self, x, seed=7):
        """A state that a run can come to: what is left of a few steps of an unrelated input of that batch, from an empty start."""
        with torch.no_grad():
            before = self.steps(self.unrelated(x, seed), 0, min(self.num_steps(x), SIZES[0][1]))
            return trees.change(self.run(before, self.empty(x))[1], torch.detach)

    def disturb(self, x, seed=6):
        """A call that has nothing to do with the law's: what a module keeps of it shows."""
        with torch.no_grad():
            self.run(self.unrelated(x, seed), None if self.silent else self.empty(x))

    def rows_of(self, state, rows):
        """Some rows of a state, in this order. What does not follow the batch is left as it is."""
        axes = iter(self.axes.rows)

        def taken(part):
            axis = next(axes, None)
            return part if axis is None else part.index_select(axis, rows.to(part.device))

        return trees.change(state, taken)

    def with_row(self, state, row, other):
        """The state with one row of another state in place of its own."""
        parts = []
        for part, new, axis in zip(trees.tensors(state), trees.tensors(other), self.axes.rows):
            here = None if axis is None else torch.tensor([row], device=part.device)
            parts.append(part if axis is None else part.index_copy(axis, here, new.index_select(axis, here)))
        return trees.with_tensors(state, parts)

    # Outputs.

    def take(self, output, rows):
        axis = self.axes.output_rows
        return output if axis is None else output.index_select(axis, rows.to(output.device))

    def join(self, pieces):
        """The outputs of pieces as one; of a module that answers once, the last of them."""
        axis = self.axes.output_steps
        return pieces[-1] if axis is None else torch.cat(pieces, dim=axis)

    @cached_property
    def axes(self):
        return Axes(self)

    @cached_property
    def fresh(self):
        """A copy of the module, to restore into."""
        return another(self.on)

    @property
    def bidirectional(self):
        return any(getattr(part, "bidirectional", False) is True for part in parts_of(self.module))


@contextmanager
def as_for_prediction(module):
    """Eval mode, and PyTorch's own random numbers, put back afterwards; without cuDNN, which refuses gradients in eval mode."""
    parts = parts_of(module) if isinstance(module, nn.Module) else []
    modes = [part.training for part in parts]
    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else []
    try:
        with torch.random.fork_rng(devices), torch.backends.cudnn.flags(enabled=False):
            for part in parts:
                part.training = False
            yield
    finally:
        for part, mode in zip(parts, modes):
            part.training = mode
