"""What stands between a law and a module: `on` for a call of its own, and modules around a learner's own functions."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from course.checks.attempt import is_attempted


@dataclass(frozen=True)
class On:
    """A module, and how it wants to be asked. `on` makes it."""

    module: Any
    inputs: Callable | torch.Tensor | None = None
    call: Callable | None = None
    state: Callable | None = None
    batch_first: bool | None = None
    new: Callable | None = None


def on(module, *, inputs=None, call=None, state=None, batch_first=None, new=None):
    """A module that is not called as `output, state = module(x, state)`, for a law to ask.

    inputs: a function (batch, steps) -> x, drawn anew each time, or one such x;
    call: a function (module, x, state) -> (output, state), where state is None for a call without one;
    state: a function (batch) -> the state to start from, where it is not zeros;
    batch_first: True for x (B, T, …), False for (T, B, …); left out, what the module says;
    new: a function that makes another such module, where this one cannot be copied.

        laws.check_all(laws.on(model, inputs=lambda b, t: torch.randint(50, (b, t)), batch_first=True))
    """
    return On(module, inputs, call, state, batch_first, new)


class Recurrent(nn.Module):
    """A learner's own functions with the call of `nn.RNN`, so that the laws can be tried on them.

    run_sequence(x, h0, cell) and cell(x_t, h) are those of lesson 04: x (T, B, F), h0 (B, H).
    The module's state has the shape (1, B, H), as the state of `nn.RNN` has.
    """

    def __init__(self, run_sequence, cell, input_size, hidden_size):
        super().__init__()
        self.run_sequence, self.cell = run_sequence, cell
        self.input_size, self.hidden_size = input_size, hidden_size

    def forward(self, x, state=None):
        _require_attempt(self.run_sequence, self.cell)
        h0 = x.new_zeros(x.shape[1], self.hidden_size) if state is None else state[0]
        outputs, h_n = self.run_sequence(x, h0, self.cell)
        return outputs, h_n.unsqueeze(0)


class Started(nn.Module):
    """An `nn.RNN` whose runs without a state start from the learner's own init_hidden of lesson 02."""

    def __init__(self, rnn, init_hidden):
        super().__init__()
        self.rnn, self.init_hidden = rnn, init_hidden
        self.input_size = rnn.input_size

    def forward(self, x, state=None):
        _require_attempt(self.init_hidden)
        if state is None:
            state = self.init_hidden(self.rnn.num_layers, x.shape[1], self.rnn.hidden_size, x)
        return self.rnn(x, state)


class Stepped(nn.Module):
    """An `nn.RNN` whose single steps are made by the learner's own rnn_step of lesson 03, with its weights."""

    def __init__(self, rnn, rnn_step):
        super().__init__()
        self.rnn, self.rnn_step = rnn, rnn_step
        self.input_size = rnn.input_size

    def forward(self, x, state=None):
        _require_attempt(self.rnn_step)
        if len(x) > 1 or state is None:
            return self.rnn(x, state)
        h = self.rnn_step(x[0], state[0], *self.rnn.all_weights[0])
        return h.unsqueeze(0), h.unsqueeze(0)


class NotYet(Exception):
    """A function that the module needs has not been written."""


def _require_attempt(*functions):
    if not all(is_attempted(function) for function in functions):
        raise NotYet
