"""Lesson 08, Break: find the leak. Predictor(rnn, out) -> predict; predict(x) -> probabilities (B, C).

rnn: nn.RNN, nn.GRU or nn.LSTM; out: nn.Linear; x (T, B, F), unrelated to every x before. The repaired class gives each x
the answer of a network that has seen nothing yet. A function that returns a function will do in place of a class.
"""

import re

import torch

from course.checks.case import Case, Finding, in_float64
from course.checks.judge import compare
from course.checks.oracles import make_out, make_rnn, network, normal, rng, size
from course.checks.play import call
from course.checks.settings import keeps_settings
from course.exercises.words import of_an_lstm

TAKES = ("rnn", "out")
HINTS = [
    "Ask for the same x twice. Then make a new predictor and ask once more. Which two of the three answers are equal?",
    "A state is for one sequence. Look for the line that keeps it when the answer is given, and for the one that starts from it at the next call.",
    "rnn(x) without a state starts from zeros, which is what an unrelated sequence wants. Nothing has to be kept in self.",
]
SHIPPED_BUG = (
    "Your code does what the shipped code does: the state of one sequence is where the next one starts, although the two have nothing to do with each other."
)


class Predictor:
    """The shipped code."""

    def __init__(self, rnn, out):
        self.rnn, self.out, self.h = rnn, out, None

    def __call__(self, x):
        outputs, self.h = self.rnn(x, self.h)
        return self.out(outputs[-1]).softmax(-1)


shipped = Predictor


def oracle(rnn, out, xs, grad):
    return _answers(rnn, out, xs, leaks=lambda i: False)


def _answers(rnn, out, xs, leaks, read=lambda outputs: outputs[-1], show=lambda logits: logits.softmax(-1)):
    """What comes out when the state is carried into call i wherever leaks(i), for the outputs read and shown like this."""
    layer, last, h, given = make_rnn(rnn), make_out(out), None, []
    for i, x in enumerate(xs):
        outputs, h = layer(x, h if leaks(i) else None)
        given.append(show(last(read(outputs))))
    return tuple(given)


def _leak(leaks):
    """The state is carried into call i wherever leaks(i, rnn, xs)."""
    return lambda rnn, out, xs, grad: _answers(rnn, out, xs, lambda i: i > 0 and leaks(i, rnn, xs))


def _fresh(read=lambda outputs: outputs[-1], show=lambda logits: logits.softmax(-1)):
    return lambda rnn, out, xs, grad: _answers(rnn, out, xs, lambda i: False, read, show)


def _fits(i, xs):
    return xs[i].shape[1] == xs[i - 1].shape[1]


def _first_state_again(rnn, out, xs, grad):
    layer, last = make_rnn(rnn), make_out(out)
    _, h = layer(xs[0])
    return tuple(last(layer(x, h if i else None)[0][-1]).softmax(-1) for i, x in enumerate(xs))


MISTAKES = {
    "the state is thrown away only where the batch size changes": _leak(lambda i, rnn, xs: _fits(i, xs)),
    "the state is thrown away only where the shape of x changes": _leak(lambda i, rnn, xs: xs[i].shape == xs[i - 1].shape),
    "the state is thrown away at every second call only": _leak(lambda i, rnn, xs: i % 2 == 1),
    "the state is thrown away once, after the first call": _leak(lambda i, rnn, xs: i > 1),
    "the state is thrown away in eval mode only": _leak(lambda i, rnn, xs: rnn["training"]),
    "the state is thrown away in training mode only": _leak(lambda i, rnn, xs: not rnn["training"]),
    "every call starts from the state that the first one left": _first_state_again,
    "each sequence goes on where the one before it ended. detach, eval() and no_grad() keep the numbers of a state": (_leak(lambda i, rnn, xs: True)),
    "every call gets the answer to the first": lambda rnn, out, xs, grad: (oracle(rnn, out, xs, grad)[0],) * len(xs),
    "softmax runs over the batch, dim 0: each class sums to 1, and each sequence does not": _fresh(show=lambda logits: logits.softmax(0)),
    "the logits are returned: softmax is missing": _fresh(show=lambda logits: logits),
    "softmax is applied twice": _fresh(show=lambda logits: logits.softmax(-1).softmax(-1)),
    "log_softmax was taken: these are logarithms": _fresh(show=lambda logits: logits.log_softmax(-1)),
    "the sigmoid was taken: the numbers do not sum to 1": _fresh(show=lambda logits: logits.sigmoid()),
    "the winning class is returned, not the probabilities": _fresh(show=lambda logits: logits.argmax(-1)),
    "outputs[0] was taken, the state after the first step": _fresh(read=lambda outputs: outputs[0]),
    "outputs[:, -1] was taken, the last sequence: time is the first axis": _fresh(read=lambda outputs: outputs[:, -1]),
    "the outputs are averaged over time": _fresh(read=lambda outputs: outputs.mean(0)),
    "all time steps are returned, not the last": _fresh(read=lambda outputs: outputs),
}


ALONE = "rnn(x) without a state starts every kind of network from its own zeros"


def cases(seed):
    g = rng(seed)
    a, b, c = size(g, 2, 3), size(g, 4, 5), size(g, 6, 7)

    def draw(shapes, classes=3, kind="rnn", grad=True, **settings):
        """shapes: (steps, batch) of each unrelated sequence; after them comes the first once more."""
        xs = [normal(g, steps, batch, 5) for steps, batch in shapes]
        return {**network(g, 5, b, classes, kind, **settings), "xs": [*xs, xs[0]], "grad": grad}

    return [
        Case(f"seven unrelated batches of {a}, and the first once more", draw([(a, a)] * 7)),
        Case("batches of different sizes and lengths", draw([(b, a), (c, c), (c, c), (2, 1)])),
        Case("a batch of one, and under torch.no_grad()", draw([(a, 1), (c, 1), (b, 1)], grad=False)),
        Case(f"a GRU in training mode, batch and classes both {b}", draw([(c, b), (a, b), (c, b)], b, "gru", training=True)),
        Case("an LSTM, whose state has two parts", draw([(b, a), (b, a), (c, c)], kind="lstm")),
        Case(f"two layers; steps, batch, hidden and classes all {b}", draw([(b, b)] * 2, b, layers=2)),
        Case("one step", draw([(1, a), (1, a), (c, a)], training=True)),
        Case("the same batch twice, nothing else", draw([(b, c)])),
        in_float64("float64", draw([(b, a), (c, a), (a, b)])),
    ]


def play(answer, case):
    def run(rnn, out, xs, grad):
        with torch.set_grad_enabled(grad):
            predict = keeps_settings(answer, rnn, out)
            return [keeps_settings(predict, x) for x in xs] if callable(predict) else {"not callable": predict}

    def bind(args):
        return [make_rnn(args["rnn"]), make_out(args["out"]), args["xs"], args["grad"]]

    return call(run, case, bind=bind)


def judge(case, result):
    if result.value and result.value["kind"] == "dict":
        return _not_callable(case, result.value["items"][0]["kind"])
    names = [f"the answer to call {i}" for i in range(1, 1 + len(case.args["xs"]))]
    finding = compare(case, result, oracle, names=names)
    if finding and result.error:
        finding.explain(_state(case, result))
    return finding and of_an_lstm(finding, case, result)


def _state(case, result):
    """What is wrong with a state that the answer made itself, where its shape alone says so."""
    said, layers = result.error["message"], len(case.args["rnn"]["weights"]) // 4
    found = re.search(r"Expected hidden(?:\[\d\])? size \((\d+), (\d+), (\d+)\), got \[(\d+), (\d+), (\d+)\]", said)
    if found:
        wanted, got = found.groups()[:3], found.groups()[3:]
        if wanted[1:] == got[1:] and (int(wanted[0]), got[0]) == (layers, "1"):
            return f"the state has one layer, and this network has {layers}: its first axis counts rnn.num_layers. {ALONE}"
        if wanted[::2] == got[::2]:
            return f"the state has a batch of {got[1]}, and this x has {wanted[1]} sequences: a state has its batch from x. {ALONE}"
    if case.args["rnn"]["kind"] == "lstm" and "index 1 is out of bounds for dimension 0 with size 1" in said:
        return f"an LSTM starts from a pair of tensors, (h, c), and here it was given one tensor. {ALONE}"
    return ""


def _not_callable(case, kind):
    if kind == "NoneType":
        return Finding("wrong", "your function returned None. Is there a `return` on every path?", case.title)
    return Finding("wrong", f"Predictor(rnn, out) should give something that can be called with x; yours is of type {kind}", case.title)
