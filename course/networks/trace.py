"""Trace: every stage of one run of a network, by name, as tensors with documented shapes."""

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

AGREES = 1e-5


@dataclass(frozen=True)
class Trace:
    """One run of `nn.RNN` and `nn.Linear` over a batch of sequences, recorded without a graph.

    T steps, B sequences, F features, H hidden units, C classes; dtype and device are the network's.

    ============  =========  ====================================================
    x             (T, B, F)  the input
    h0            (B, H)     the initial state
    input_part    (T, B, H)  W_ih x + b_ih, what each step takes from the input
    state_part    (T, B, H)  W_hh h + b_hh, what it takes from the state before
    total         (T, B, H)  their sum
    states        (T, B, H)  tanh of the sum: the state after each step
    logits        (T, B, C)  what the output layer would say after each step
    probs         (T, B, C)  softmax of the logits over the classes
    W_out, b_out  (C, H), (C,)  the output layer's weights
    ============  =========  ====================================================
    """

    x: torch.Tensor
    h0: torch.Tensor
    input_part: torch.Tensor
    state_part: torch.Tensor
    total: torch.Tensor
    states: torch.Tensor
    logits: torch.Tensor
    probs: torch.Tensor
    W_out: torch.Tensor
    b_out: torch.Tensor

    @classmethod
    @torch.no_grad()
    def of(cls, rnn, out, x, h0=None):
        """Record one run.

        rnn: an `nn.RNN` with one layer, one direction and tanh; out: an `nn.Linear(H, C)`;
        x: (T, B, F), or (B, T, F) where the layer says batch_first; h0: (1, B, H), zeros if left out.
        Raises TypeError for another kind of layer and RuntimeError if the recorded
        states are not the layer's own.
        """
        _require_plain_rnn(rnn)
        h0 = x.new_zeros(1, x.shape[0 if rnn.batch_first else 1], rnn.hidden_size) if h0 is None else h0
        outputs, h_n = rnn(x, h0)
        if rnn.batch_first:
            x, outputs = x.transpose(0, 1), outputs.transpose(0, 1)
        before = torch.cat([h0, outputs[:-1]])
        bias = rnn.bias
        input_part = F.linear(x, rnn.weight_ih_l0, rnn.bias_ih_l0 if bias else None)
        state_part = F.linear(before, rnn.weight_hh_l0, rnn.bias_hh_l0 if bias else None)
        total = input_part + state_part
        states = torch.tanh(total)
        _require_agreement(states, outputs, h_n)
        logits = out(states)
        b_out = logits.new_zeros(logits.shape[-1]) if out.bias is None else out.bias.clone()
        return cls(
            x.clone(),
            h0[0].clone(),
            input_part,
            state_part,
            total,
            states,
            logits,
            logits.softmax(-1),
            out.weight.clone(),
            b_out,
        )

    def before(self, t):
        """The state (B, H) that step t (counted from 0) starts from."""
        return self.h0 if t == 0 else self.states[t - 1]


def _require_plain_rnn(rnn):
    plain = isinstance(rnn, nn.RNN) and rnn.num_layers == 1 and not rnn.bidirectional and rnn.nonlinearity == "tanh"
    if not plain:
        raise TypeError(f"Trace records nn.RNN with one layer, one direction and tanh; this is {rnn!r}")


def _require_agreement(states, outputs, h_n):
    gap = max((states - outputs).abs().max().item(), (states[-1:] - h_n).abs().max().item())
    if not gap <= AGREES:
        raise RuntimeError(f"the recorded states differ from the layer's own by {gap:.2g}")
