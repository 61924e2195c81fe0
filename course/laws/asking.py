"""How a law asks a module: what it gives it, and which axes of what comes back follow the batch and the steps."""

import inspect
from contextlib import contextmanager
from functools import cached_property

import torch
from torch import nn

from . import trees
from .adapters import NotYet, On
from .copies import another
from .inputs import drawn, parts_of, promise, reads
from .verdict import BreaksPromise, CannotAsk, DoesNotApply, ModuleRaised

SIZES = ((3, 7), (5, 12), (2, 13), (1, 40))
"""The batches and steps of what is drawn: more steps than a count that somebody might have built in, and a batch that is no other size."""
SWAPPED = "the module returns (state, output), and a law takes (output, state): swap the two"
BOTH = "a law calls `output, state = module(x)`: return both, or say what to call with laws.on(module, call=...)"


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
            self._require_call(error)
            raise ModuleRaised(f"the module raised {type(error).__name__}: {error}") from error
        return self._looked_at(found)

    def _looked_at(self, found):
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

    def _require_call(self, error):
        """Say in one sentence what is wrong with the call itself, where that is why it raised."""
        if self.on.call is not None or not isinstance(error, TypeError):
            return
        found = _parameters_of(self.module.forward if isinstance(self.module, nn.Module) else self.module)
        if found is None:
            return
        places, required, by_name = found
        if places < 2 and by_name:
            raise CannotAsk(f"the module takes its state by name alone: say laws.on(module, call=lambda module, x, state: module(x, {by_name[0]}=state))")
        if places < 2:
            raise CannotAsk("the module's forward takes no state: write forward(self, x, h=None), and hand h on to the layer")
        if required > 1 and self.on.state is None:
            raise CannotAsk(
                "the module wants a state at every call: write h=None in its forward, or say where to start: laws.on(module, state=lambda batch: ...)"
            )

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


def _named(found):
    if isinstance(found, torch.Tensor):
        return f"one tensor of shape {tuple(found.shape)}"
    if isinstance(found, (tuple, list)):
        return f"a {type(found).__name__} of {len(found)}"
    return "None" if found is None else f"a {type(found).__name__}"
