"""Lesson 04, Build. run_sequence(x, h0, cell): carry the state through a sequence.

x (T, B, F), h0 (B, H), cell(x_t, h) -> h; returns outputs (T, B, H) and h_n (B, H).
"""

import itertools

import torch

from course.checks.case import WORKED, Case, in_float64, on_meta
from course.checks.judge import compare
from course.checks.oracles import LONG, cell_weights, make_cell, normal, rng, run_layer, size, steady_weights
from course.checks.play import call
from course.exercises.words import ANY_FUNCTION, explained
from course.networks import example

GRADS = ("x", "h0", "cell")
NAMES = ("outputs", "h_n")
HINTS = [
    "Looping over x gives one time step at a time, because time is its first axis.",
    "Inside the loop two things happen: the state becomes what the cell returns, and that new state goes into a list.",
    "Start with h = h0. After the loop, torch.stack joins the list along a new first axis; h is the last state by then.",
]


def oracle(x, h0, cell):
    weights = {name: value for name, value in cell.items() if name != "kind"}
    return run_layer(x, h0, **weights, kind=cell["kind"])


def _on(change):
    """A mistake in what is done with the right outputs: change(outputs, h_n, x, h0) -> (outputs, h_n)."""

    def mistaken(x, h0, cell):
        return change(*oracle(x, h0, cell), x, h0)

    return mistaken


def _every_step_from(state):
    """Every step starts from state(x, h0, cell), shaped (T, B, H): all steps run at once, as one large batch."""

    def mistaken(x, h0, cell):
        T, B, _ = x.shape
        outputs, _ = oracle(x.flatten(0, 1).unsqueeze(0), state(x, h0, cell).flatten(0, 1), cell)
        outputs = outputs.reshape(T, B, -1)
        return outputs, outputs[-1]

    return mistaken


def _of_a_layer(cell):
    if cell["kind"] == "function":
        raise ValueError("this mistake raises an error where a cell does not begin with zeros of its own")
    return True


def _before_each_step(x, h0, cell):
    return _shifted(*oracle(x, h0, cell), x, h0)[0]


def _shifted(outputs, h_n, x, h0):
    return torch.cat([h0.unsqueeze(0), outputs[:-1]]), h_n


def _detached_after_h0(x, h0, cell):
    return torch.cat([h0.unsqueeze(0), oracle(x, h0, cell)[0][:-1].detach()])


def _rows_as_steps(x, h0, cell):
    if x.shape[0] != x.shape[1]:
        raise ValueError("this mistake raises an error where there are not as many steps as sequences")
    return oracle(x.transpose(0, 1), h0, cell)


def _step_by_step(after=lambda h: h, swapped=False):
    """Step by step, as the loop does it, with after(h) made of every new state; swapped: each cell takes its two arguments for each other."""

    def mistaken(x, h0, cell):
        if swapped and x.shape[-1] != h0.shape[-1]:
            raise ValueError("this mistake raises an error where features != hidden")

        def step(state, given):
            one, other = (state, given) if swapped else (given, state)
            return after(oracle(one.unsqueeze(0), other, cell)[1])

        states = list(itertools.accumulate(x, step, initial=h0))[1:]
        return torch.stack(states), states[-1]

    return mistaken


MISTAKES = {
    "the state is not passed on: every step starts from h0 again": _every_step_from(lambda x, h0, cell: h0.expand(len(x), -1, -1)),
    "the state is reset to zeros at every step": _every_step_from(lambda x, h0, cell: _of_a_layer(cell) and h0.expand(len(x), -1, -1) * 0),
    "h0 is ignored: the run starts from zeros": lambda x, h0, cell: oracle(x, h0 * 0, cell),
    "the state is detached inside the loop: the numbers are right, but nothing is learned through time": (_every_step_from(_detached_after_h0)),
    "the state is detached at every step, the first one included": _every_step_from(lambda x, h0, cell: _before_each_step(x, h0, cell).detach()),
    "the outputs are detached when they are put into the list, as in outputs[t] = h.detach()": _on(lambda out, h_n, x, h0: (out.detach(), h_n)),
    "h0 is detached": lambda x, h0, cell: oracle(x, h0.detach(), cell),
    "h_n is the first state instead of the last": _on(lambda out, h_n, x, h0: (out, out[0])),
    "h_n is still h0": _on(lambda out, h_n, x, h0: (out, h0.clone())),
    "h_n is one step late: it misses the last step": _on(lambda out, h_n, x, h0: (out, out[-2] if len(out) > 1 else h0)),
    "h_n is a mean over time": _on(lambda out, h_n, x, h0: (out, out.mean(0))),
    "outputs holds the state BEFORE each step": _on(_shifted),
    "outputs is in the opposite order": _on(lambda out, h_n, x, h0: (out.flip(0), h_n)),
    "the sequence is read from its end": lambda x, h0, cell: oracle(x.flip(0), h0, cell),
    "every output is the last state: one tensor was put into the list again and again and changed in place": (
        _on(lambda out, h_n, x, h0: (h_n.expand_as(out), h_n))
    ),
    "the run ends after its first step: a `return` stands inside the loop": _on(lambda out, h_n, x, h0: (out[:1], out[0])),
    "torch.cat lays the states under each other, (T * B, H): torch.stack gives time an axis of its own": _on(lambda out, h_n, x, h0: (out.flatten(0, 1), h_n)),
    "everything that is returned is cut from the graph: detach, .data, no_grad or torch.tensor(...)": (
        _on(lambda out, h_n, x, h0: (out.detach(), h_n.detach()))
    ),
    "torch.tensor(h.tolist()) makes new numbers without a graph, in the default dtype: pass h itself on, and keep it": (
        _step_by_step(lambda h: torch.tensor(h.tolist()))
    ),
    "torch.tensor(h.tolist()) puts new numbers without a graph into the list, in the default dtype: put h itself there": (
        _on(lambda out, h_n, x, h0: (torch.tensor(out.tolist()), h_n))
    ),
    "the cell is called as cell(h, x_t): it takes the input first, and the state second": _step_by_step(swapped=True),
    "outputs has the batch axis first, (B, T, H): the list was stacked along dim 1": _on(lambda out, h_n, x, h0: (out.transpose(0, 1), h_n)),
    "the loop runs over the batch and not over time": _rows_as_steps,
    "h0 is kept as the first output": _on(lambda out, h_n, x, h0: (torch.cat([h0.unsqueeze(0), out]), h_n)),
    "outputs and h_n are swapped": _on(lambda out, h_n, x, h0: (h_n, out)),
    "only the last output is returned": _on(lambda out, h_n, x, h0: (h_n, h_n)),
    "the first sequence's state is given to all": lambda x, h0, cell: oracle(x, h0[:1].expand_as(h0), cell),
}


def cases(seed):
    g = rng(seed)
    a, b, c = size(g, 2, 3), size(g, 4, 5), size(g, 6, 8)

    def draw(steps, batch, features, hidden, kind="rnn", training=True, **more):
        x, h0 = normal(g, steps, batch, features), normal(g, batch, hidden, scale=0.7)
        weights = cell_weights(g, features, hidden, kind) if kind != "function" else steady_weights(g, features, hidden)
        return {"x": x, "h0": h0, "cell": {"kind": kind, **weights, "training": training}, **more}

    worked = {"x": example.sequence(), "h0": example.sequence()[0, :, :4] * 0, "cell": {"kind": "rnn", **example.weights()}}
    return [
        Case("the worked example, 10 steps from a state of zeros", worked, WORKED),
        Case(f"{c} steps, batch {a}, hidden {b}, a state that is not zero", draw(c, a, 5, b)),
        Case(f"as many steps as sequences ({b})", draw(b, b, 5, c)),
        Case(f"steps, batch, features and hidden all {b}", draw(b, b, b, b)),
        Case("batch 1, and only x may learn", draw(c, 1, a, b, learns=("x",))),
        Case("one step", draw(1, a, c, b)),
        Case("a GRU cell in place of the RNN cell, in eval mode", draw(b, a, 5, c, "gru", training=False)),
        Case(f"a plain function as cell, {LONG} steps, and a state that grows", draw(LONG, a, 3, b, "function")),
        Case("a plain function as cell, and only h0 may learn", draw(b, c, a, c, "function", learns=("h0",))),
        Case("in eval mode, and only the cell may learn", draw(c, a, b, a, training=False, learns=("cell",))),
        Case("under torch.no_grad()", draw(b, a, c, b, learns=())),
        in_float64("float64", draw(b, a, 5, c)),
        on_meta("inputs on another device (meta, which holds shapes only)", draw(b, a, 5, c)),
    ]


def play(answer, case):
    return call(answer, case, GRADS, bind_cell)


def bind_cell(args):
    cell = args["cell"]
    return [args["x"], args["h0"], make_cell(cell, cell["kind"])]


def judge(case, result):
    return explained(compare(case, result, oracle, GRADS, NAMES), case, result, oracle, ANY_FUNCTION)
