"""Lesson 03, Build. rnn_step(x, h, W_ih, W_hh, b_ih, b_hh): one step of an RNN cell.

x (B, F), h (B, H), W_ih (H, F), W_hh (H, H), b_ih (H,), b_hh (H,) -> the new state (B, H).
"""

import torch
from torch import nn
from torch.func import functional_call

from course.checks.case import FLOAT32_LAYER, LARGE, NO_DATA, WORKED, Case, in_float64, on_meta
from course.checks.judge import compare
from course.checks.oracles import LONG, cell_weights, normal, rng, size, step
from course.checks.play import call
from course.exercises.words import is_random
from course.networks import example

WEIGHTS = ("W_ih", "W_hh", "b_ih", "b_hh")
GRADS = ("x", "h")
FLOAT32_RNN = (*FLOAT32_LAYER, "does not match weight dtype", "must have the type torch.float32")
"""The words of nn.RNN, which an answer may use in place of nn.RNNCell, are others, and others again in PyTorch 2.6."""

HINTS = [
    "Two terms and a squashing function. Write the ledger's shapes beside each factor: how does (B, F) become (B, H)?",
    "x is (B, F) and W_ih is (H, F), so the product needs W_ih turned round. W_hh needs it too, although it is square and nothing complains.",
    "Sum all four pieces first: the input part with b_ih, the state part with b_hh. tanh comes once, around the whole sum.",
]
oracle = step


def _with(**changes):
    """The oracle with some of its arguments replaced: each change is a function of the arguments by name."""

    def mistaken(**args):
        return oracle(**{**args, **{name: change(args) for name, change in changes.items()}})

    return mistaken


def _sum(x, h, **weights):
    """The sum inside the tanh: what ReLU lets through of it, less what it lets through of its opposite."""
    return _relu(x, h, **weights) - _relu(x, h, **{name: -weight for name, weight in weights.items()})


NO_STATE = {"h": lambda a: a["h"] * 0, "b_hh": lambda a: a["b_hh"] * 0}
NO_INPUT = {"x": lambda a: a["x"] * 0, "b_ih": lambda a: a["b_ih"] * 0}


def _each_term(**args):
    return _with(**NO_STATE)(**args) + _with(**NO_INPUT)(**args)


def _only_the_input(**args):
    return _with(**NO_STATE)(**args) + _sum(**{**args, **{name: change(args) for name, change in NO_INPUT.items()}})


def _half(**args):
    weights = {name: args[name] / 2 for name in ("W_ih", "W_hh", "b_ih", "b_hh")}
    return oracle(args["x"], args["h"], **weights)


def _relu(x, h, W_ih, W_hh, b_ih, b_hh):
    cell = nn.RNNCell(W_ih.shape[1], W_hh.shape[1], nonlinearity="relu", device="meta")
    return functional_call(cell, {"weight_ih": W_ih, "weight_hh": W_hh, "bias_ih": b_ih, "bias_hh": b_hh}, (x, h))


def _by_number(*products):
    """The products named are taken number by number; "h.T" says: with its weights turned round."""

    def mistaken(**args):
        for product in products:
            rows, weights = args[product[0]], args[WEIGHTS_OF[product[0]]]
            args[product[0]] = rows * (weights.T if product.endswith(".T") else weights)
            args[WEIGHTS_OF[product[0]]] = torch.eye(args[product[0]].shape[-1]).to(rows)
        return oracle(**args)

    return mistaken


WEIGHTS_OF = {"x": "W_ih", "h": "W_hh"}


def _units_first(x, h, W_ih, W_hh, b_ih, b_hh):
    total = _sum(x, h, W_ih=W_ih, W_hh=W_hh, b_ih=b_ih * 0, b_hh=b_hh * 0).T
    straight = torch.eye(total.shape[-1]).to(total)
    return oracle(total, total * 0, straight, straight, b_ih, b_hh)


MISTAKES = {
    "only the input part goes through tanh: tanh comes once, around the whole sum": _only_the_input,
    "W_hh is not transposed. It is square, so nothing complains": _with(W_hh=lambda a: a["W_hh"].T),
    "W_ih is not transposed. Where features == hidden, nothing complains": _with(W_ih=lambda a: a["W_ih"].T),
    "neither weight matrix is transposed": _with(W_hh=lambda a: a["W_hh"].T, W_ih=lambda a: a["W_ih"].T),
    "b_hh is left out": _with(b_hh=lambda a: a["b_hh"] * 0),
    "b_ih is left out": _with(b_ih=lambda a: a["b_ih"] * 0),
    "both biases are left out": _with(b_ih=lambda a: a["b_ih"] * 0, b_hh=lambda a: a["b_hh"] * 0),
    "b_ih is added twice and b_hh never": _with(b_hh=lambda a: a["b_ih"]),
    "b_hh is added twice and b_ih never": _with(b_ih=lambda a: a["b_hh"]),
    "tanh is forgotten": _sum,
    "tanh is put on each term instead of once around the sum": _each_term,
    "tanh is applied twice": lambda **args: torch.tanh(oracle(**args)),
    "the sigmoid was taken instead of tanh": lambda **args: (1 + _half(**args)) / 2,
    "ReLU was taken instead of tanh": _relu,
    "the state before is ignored: the term with W_hh and h is missing": _with(h=lambda a: a["h"] * 0),
    "the state term is missing altogether, with its bias": _with(h=lambda a: a["h"] * 0, b_hh=lambda a: a["b_hh"] * 0),
    "the input is ignored: the term with W_ih and x is missing": _with(x=lambda a: a["x"] * 0),
    "* multiplies number by number, in both products: a matrix product is @, as in x @ W_ih.T": _by_number("x", "h"),
    "* multiplies number by number, in both products, and .T does not change that: a matrix product is @": _by_number("x.T", "h.T"),
    "h * W_hh multiplies number by number: the matrix product is h @ W_hh.T": _by_number("h"),
    "h * W_hh.T multiplies number by number: the matrix product is h @ W_hh.T": _by_number("h.T"),
    "x * W_ih multiplies number by number: the matrix product is x @ W_ih.T": _by_number("x"),
    "x * W_ih.T multiplies number by number: the matrix product is x @ W_ih.T": _by_number("x.T"),
    "W @ x.T and W @ h.T have the units first, (H, B), and the biases then run along the batch: x @ W_ih.T has the batch first": _units_first,
    "h goes into the sum without W_hh": _with(W_hh=lambda a: torch.eye(len(a["W_hh"])).to(a["W_hh"])),
    "the old state is returned, not the new one": lambda **args: args["h"].clone(),
    "the old state is added on top of the new one": lambda **args: args["h"] + oracle(**args),
    "every sequence gets the state of the first one": _with(h=lambda a: a["h"][:1].expand_as(a["h"])),
    "the state part is subtracted": _with(h=lambda a: -a["h"], b_hh=lambda a: -a["b_hh"]),
    "the graph is cut at the state: detach or .data": _with(h=lambda a: a["h"].detach()),
    "the graph is cut at the input: detach or .data": _with(x=lambda a: a["x"].detach()),
}


FRESH = "a second call gives other numbers: something is random, as the weights of a fresh nn.Linear or nn.RNNCell are. Use those that are handed over"


def cases(seed):
    g = rng(seed)
    a, b, c = size(g, 2, 3), size(g, 4, 5), size(g, 6, 7)

    def draw(batch, features, hidden, scale=1.0, **more):
        weights = cell_weights(g, features, hidden)
        return {"x": normal(g, batch, features, scale=scale), "h": normal(g, batch, hidden, scale=0.7), **weights, **more}

    worked = example.weights()
    first = example.sequence()[0]
    h1 = step(first, torch.zeros(1, example.HIDDEN_SIZE), **worked)
    return [
        Case("the worked example at t=1, from a state of zeros", {"x": first, "h": torch.zeros_like(h1), **worked}, WORKED),
        Case("the worked example at t=2", {"x": example.sequence()[1], "h": h1, **worked}, WORKED),
        Case(f"batch {a}, features {c}, hidden {b}", draw(a, c, b)),
        Case(f"batch == hidden ({b})", draw(b, c, b)),
        Case(f"features == hidden ({b})", draw(a, b, b)),
        Case(f"batch, features and hidden all {b}", draw(b, b, b)),
        Case("batch 1 with a state, and only x may learn", draw(1, c, a, learns=("x",))),
        Case("one hidden unit, and only h may learn", draw(b, a, 1, learns=("h",))),
        Case(f"batch {LONG}, under torch.no_grad()", draw(LONG, a, b, learns=())),
        Case("large inputs", draw(a, c, b, scale=100.0), LARGE),
        in_float64("float64", draw(a, c, b), forgive=FLOAT32_RNN),
        on_meta("inputs on another device (meta, which holds shapes only)", draw(a, c, b), NO_DATA),
    ]


def play(answer, case):
    return call(answer, case, GRADS)


def judge(case, result):
    finding = compare(case, result, oracle, GRADS)
    if finding and "wrong numbers" in finding.what and is_random(result):
        finding.cause = FRESH
    return finding
