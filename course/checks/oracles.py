"""PyTorch's own layers as the answer key, and the random inputs that go with them.

Every oracle loads the weights it is given into a layer with `torch.func.functional_call`, so that
dtype, device and gradients are those of the arguments.
"""

import functools

import torch
from torch import nn
from torch.func import functional_call

CELLS = {"rnn": (nn.RNN, 1), "gru": (nn.GRU, 3), "lstm": (nn.LSTM, 4), "function": (functools.partial(nn.RNN, nonlinearity="relu"), 1)}
LONG = 140
"""Steps, or rows: more than any number that a program is likely to hold by mistake."""


def rng(seed):
    """A generator of its own for every draw of cases."""
    return torch.Generator().manual_seed(seed)


def pick(generator, *choices):
    """One of the choices."""
    return choices[int(torch.randint(len(choices), (1,), generator=generator))]


def size(generator, low=2, high=6):
    """A size between low and high."""
    return int(torch.randint(low, high + 1, (1,), generator=generator))


def normal(generator, *shape, scale=1.0):
    """Normal numbers, float32, of this shape."""
    return torch.randn(shape, generator=generator, dtype=torch.float32) * scale


def cell_weights(generator, features, hidden, kind="rnn"):
    """W_ih, W_hh (not symmetric), b_ih and b_hh (not equal) for a cell, float32."""
    rows = CELLS[kind][1] * hidden
    return {
        "W_ih": normal(generator, rows, features, scale=0.6),
        "W_hh": normal(generator, rows, hidden, scale=0.6),
        "b_ih": normal(generator, rows, scale=0.5),
        "b_hh": normal(generator, rows, scale=0.5),
    }


def steady_weights(generator, features, hidden):
    """Weights of a ReLU cell in which no unit is ever silent and no gradient fades: the state goes round from unit to unit, and grows."""
    drawn = cell_weights(generator, features, hidden)
    return {"W_ih": drawn["W_ih"] * 0.05, "W_hh": torch.eye(hidden).roll(1, 0), "b_ih": drawn["b_ih"].abs() + 0.5, "b_hh": drawn["b_hh"].abs() + 0.5}


def run_layer(x, h0, W_ih, W_hh, b_ih, b_hh, kind="rnn", training=True):
    """outputs (T, B, H) and h_n (B, H) of `nn.RNN` or `nn.GRU` with these weights, for x (T, B, F) and h0 (B, H). training: the same in either mode."""
    layer = CELLS[kind][0](W_ih.shape[1], W_hh.shape[1], device="meta")
    names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
    weights = dict(zip(names, (W_ih, W_hh, b_ih, b_hh)))
    outputs, h_n = functional_call(layer, weights, (x, h0.unsqueeze(0)))
    return outputs, h_n[0]


def step(x, h, W_ih, W_hh, b_ih, b_hh, training=True):
    """One step of `nn.RNN`: x (B, F), h (B, H) -> (B, H)."""
    return run_layer(x.unsqueeze(0), h, W_ih, W_hh, b_ih, b_hh)[1]


def make_cell(weights, kind="rnn"):
    """A `nn.RNNCell` or `nn.GRUCell` that holds these weights as parameters, in training mode or not; or a plain function, which has nothing but what it does."""
    if kind == "function":
        return lambda x, h: torch.rnn_relu_cell(x, h, weights["W_ih"], weights["W_hh"], weights["b_ih"], weights["b_hh"])
    cell_class = {"rnn": nn.RNNCell, "gru": nn.GRUCell}[kind]
    W_ih, W_hh = weights["W_ih"], weights["W_hh"]
    cell = cell_class(W_ih.shape[1], W_hh.shape[1], dtype=W_ih.dtype, device=W_ih.device)
    state = dict(zip(("weight_ih", "weight_hh", "bias_ih", "bias_hh"), (weights[k] for k in ("W_ih", "W_hh", "b_ih", "b_hh"))))
    cell.load_state_dict(state, assign=W_ih.device.type == "meta")
    return cell.train(weights.get("training", True))


def network(generator, features, hidden, classes, kind="rnn", layers=1, training=False, confidence=1.0):
    """A recurrent layer and an output layer as plain data, {"rnn": …, "out": …}: `make_rnn` and `make_out` build them."""
    weights = {}
    for layer in range(layers):
        drawn = cell_weights(generator, hidden if layer else features, hidden, kind)
        weights.update({f"{name}_l{layer}": weight for name, weight in zip(("weight_ih", "weight_hh", "bias_ih", "bias_hh"), drawn.values())})
    out = {"weight": normal(generator, classes, hidden, scale=confidence), "bias": normal(generator, classes, scale=0.5 * confidence)}
    return {"rnn": {"kind": kind, "training": training, "weights": weights}, "out": {"training": training, "weights": out}}


def make_rnn(plain):
    """The `nn.RNN`, `nn.GRU` or `nn.LSTM` of a network."""
    features, hidden = plain["weights"]["weight_ih_l0"].shape[1], plain["weights"]["weight_hh_l0"].shape[1]
    layer_class = CELLS[plain["kind"]][0]
    return _loaded(layer_class(features, hidden, len(plain["weights"]) // 4, device="meta"), plain)


def make_out(plain):
    """The `nn.Linear` of a network."""
    classes, hidden = plain["weights"]["weight"].shape
    return _loaded(nn.Linear(hidden, classes, device="meta"), plain)


def _loaded(layer, plain):
    """The layer with copies of these weights: they are copied, so that a step of training does not change the case."""
    layer.load_state_dict({name: weight.clone() for name, weight in plain["weights"].items()}, assign=True)
    return layer.train(plain["training"])


class Classifier(nn.Module):
    """model(x) -> logits (B, C): a network's output layer, given the last output of its recurrent layer.

    dropped: the hidden units that are dropped in training mode, always the same, so that a run can be repeated.
    """

    def __init__(self, rnn, out, dropped=()):
        super().__init__()
        self.rnn, self.out, self.dropped = make_rnn(rnn), make_out(out), list(dropped)
        self.train(rnn["training"])

    def forward(self, x):
        outputs = self.rnn(x)[0]
        last = outputs[-1]
        if self.training and self.dropped:
            last = last.index_fill(1, torch.tensor(self.dropped), 0)
        return self.out(last)
