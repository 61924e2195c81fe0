"""Lesson 04, Break. run_stacked(x, h0, cells): several layers, one above the other, through a sequence.

x (T, B, F), h0 (L, B, H), cells: L functions (input, h) -> h; returns outputs (T, B, H), those of
the top layer, and h_n (L, B, H). The shipped code follows the loop in `nn.RNN`'s own docstring
(pytorch#165621): right values, and a backward pass that fails.
"""

import itertools

import torch
from torch.func import functional_call

from course.checks.case import Case, in_float64
from course.checks.judge import compare
from course.checks.oracles import CELLS, LONG, cell_weights, make_cell, normal, rng, size, steady_weights
from course.checks.play import call
from course.exercises.words import ANY_FUNCTION, explained

GRADS = ("x", "h0", "cells")
NAMES = ("outputs", "h_n")
HINTS = [
    "The numbers are right. Read the error of the backward pass: which line writes INTO a tensor that was used before?",
    "h[layer] = ... changes a tensor that the layer above still needs for its gradient. Keep the states in a list, one tensor a layer.",
    "Make h a list of the L slices of h0. Replacing an item of a list changes no tensor. Stack the list for h_n when the loop is over.",
]
SHIPPED_BUG = "Your code does what the shipped code does: right values, but the backward pass fails because the state is overwritten in place."


def shipped(x, h0, cells):
    h, outputs = h0.clone(), []
    for x_t in x:
        h_before = h.clone()
        for layer, cell in enumerate(cells):
            below = x_t if layer == 0 else h[layer - 1]
            h[layer] = cell(below, h_before[layer])
        outputs.append(h[-1].clone())
    return torch.stack(outputs), h


def oracle(x, h0, cells):
    layer = CELLS[cells[0]["kind"]][0](x.shape[-1], h0.shape[-1], len(cells), device="meta")
    names = ("weight_ih_l", "weight_hh_l", "bias_ih_l", "bias_hh_l")
    weights = {f"{name}{i}": value for i, cell in enumerate(cells) for name, value in zip(names, cell.values())}
    return functional_call(layer, weights, (x, h0))


def _on(change):
    def mistaken(x, h0, cells):
        return change(*oracle(x, h0, cells), x, h0)

    return mistaken


def _layers_apart(x, h0, cells, below):
    """Layer by layer, each fed with below(outputs of the layer underneath)."""
    outputs, last = x, []
    for i, cell in enumerate(cells):
        outputs, h_n = oracle(below(outputs, h0[i - 1]) if i else x, h0[i : i + 1], [cell])
        last.append(h_n[0])
    return outputs, torch.stack(last)


def _x_to_every_layer(x, h0, cells):
    if x.shape[-1] != h0.shape[-1]:
        raise ValueError("this mistake raises an error where features != hidden")
    runs = [oracle(x, h0[i : i + 1], [cell]) for i, cell in enumerate(cells)]
    return runs[-1][0], torch.cat([h_n for _, h_n in runs])


def _rebuilt(x, h0, cells):
    """Everything that is handed on is made anew from plain numbers: where that changes the dtype, the next cell raises an error."""
    if x.dtype != torch.get_default_dtype():
        raise ValueError("this mistake raises an error in float64")
    return _on(lambda out, h_n, *_: (out.detach(), h_n.detach()))(x, h0, cells)


def _swapped(x, h0, cells):
    if x.shape[-1] != h0.shape[-1]:
        raise ValueError("this mistake raises an error where features != hidden")

    def upward(given, pair):
        state, cell = pair
        return oracle(state.unsqueeze(0), given.unsqueeze(0), [cell])[1][0]

    def step(states, x_t):
        return list(itertools.accumulate(zip(states, cells), upward, initial=x_t))[1:]

    runs = list(itertools.accumulate(x, step, initial=list(h0)))[1:]
    return torch.stack([states[-1] for states in runs]), torch.stack(runs[-1])


MISTAKES = {
    "every layer reads the input x; an upper layer should read the new state of the layer below": _x_to_every_layer,
    "an upper layer reads the layer below one step late": lambda **a: _layers_apart(**a, below=lambda out, h: torch.cat([h.unsqueeze(0), out[:-1]])),
    "the graph is cut between the layers: detach or .data makes the error go away, and the learning too": (
        lambda **a: _layers_apart(**a, below=lambda out, h: out.detach())
    ),
    "only the lowest layer is run": lambda x, h0, cells: (lambda out, h_n: (out, torch.cat([h_n, h0[1:]])))(*oracle(x, h0[:1], cells[:1])),
    "h0 is ignored: the run starts from zeros": lambda x, h0, cells: oracle(x, h0 * 0, cells),
    "h0 is detached": lambda x, h0, cells: oracle(x, h0.detach(), cells),
    "the input is detached": lambda x, h0, cells: oracle(x.detach(), h0, cells),
    "the run ends after its first step: a `return` stands inside the loop": lambda x, h0, cells: oracle(x[:1], h0, cells),
    "the outputs are cut from the graph when they are put into the list, as by outputs[t] = h.detach() or torch.tensor(h.tolist())": _on(
        lambda out, h_n, x, h0: (out.detach(), h_n)
    ),
    "torch.cat lays the outputs under each other, (T * B, H): torch.stack gives time an axis of its own": (
        _on(lambda out, h_n, x, h0: (out.flatten(0, 1), h_n))
    ),
    "torch.cat lays the layers under each other, (L * B, H): torch.stack gives them an axis of their own": (
        _on(lambda out, h_n, x, h0: (out, h_n.flatten(0, 1)))
    ),
    "everything that is returned is cut from the graph: detach, .data, no_grad or torch.tensor(...)": (
        _on(lambda out, h_n, x, h0: (out.detach(), h_n.detach()))
    ),
    "torch.tensor(h.tolist()) makes new numbers without a graph, in the default dtype: pass the state itself on": _rebuilt,
    "the cells are called as cell(h, below): they take the input first, and the state second": _swapped,
    "outputs and h_n are swapped": _on(lambda out, h_n, x, h0: (h_n, out)),
    "h_n is still h0": _on(lambda out, h_n, x, h0: (out, h0.clone())),
    "h_n has the layers in the opposite order": _on(lambda out, h_n, x, h0: (out, h_n.flip(0))),
    "h_n is the top layer's state only; it should hold every layer's": _on(lambda out, h_n, x, h0: (out, h_n[-1])),
    "h_n has the batch axis first": _on(lambda out, h_n, x, h0: (out, h_n.transpose(0, 1))),
    "outputs holds the states of the lowest layer": lambda x, h0, cells: (oracle(x, h0[:1], cells[:1])[0], oracle(x, h0, cells)[1]),
    "outputs is in the opposite order": _on(lambda out, h_n, x, h0: (out.flip(0), h_n)),
    "every output is the last state": _on(lambda out, h_n, x, h0: (h_n[-1].expand_as(out), h_n)),
    "outputs has the batch axis first": _on(lambda out, h_n, x, h0: (out.transpose(0, 1), h_n)),
    "every layer starts from the state of the lowest one": lambda x, h0, cells: oracle(x, h0[:1].expand_as(h0), cells),
    "every layer has the state of the top one": _on(lambda out, h_n, x, h0: (out, h_n[-1:].expand_as(h_n))),
    "the sequence is read from its end": lambda x, h0, cells: oracle(x.flip(0), h0, cells),
}


def cases(seed):
    g = rng(seed)
    a, b, c = size(g, 2, 3), size(g, 4, 5), size(g, 6, 7)

    def draw(layers, steps, batch, features, hidden, kind="rnn", training=True, **more):
        weights = steady_weights if kind == "function" else cell_weights
        cells = [{**weights(g, features if i == 0 else hidden, hidden), "kind": kind, "training": training} for i in range(layers)]
        return {"x": normal(g, steps, batch, features), "h0": normal(g, layers, batch, hidden, scale=0.7), "cells": cells, **more}

    return [
        Case(f"2 layers, {c} steps, batch {a}", draw(2, c, a, 5, b)),
        Case(f"3 layers, {b} steps", draw(3, b, a, c, b)),
        Case("layers, steps, batch, features and hidden all 3", draw(3, 3, 3, 3, 3)),
        Case("2 layers, batch 2, 2 steps", draw(2, 2, 2, b, a)),
        Case("one layer, in eval mode, and only x may learn", draw(1, b, a, c, b, training=False, learns=("x",))),
        Case("one step, and only h0 may learn", draw(2, 1, a, b, c, learns=("h0",))),
        Case(f"plain functions as cells, {LONG} steps, and states that grow", draw(2, LONG, a, 3, b, "function")),
        Case("in eval mode, and only the cells may learn", draw(2, b, a, b, c, training=False, learns=("cells",))),
        Case("under torch.no_grad()", draw(3, a, b, a, b, learns=())),
        in_float64("float64", draw(2, b, a, 5, c)),
    ]


def play(answer, case):
    def bind(args):
        return [args["x"], args["h0"], [make_cell(weights, weights["kind"]) for weights in args["cells"]]]

    return call(answer, case, GRADS, bind)


def judge(case, result):
    return explained(compare(case, result, oracle, GRADS, NAMES), case, result, oracle, ANY_FUNCTION)
