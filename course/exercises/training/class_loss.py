"""Lesson 07, Break. class_loss(model, x, y): the mean cross entropy of a batch.

model(x) -> logits (B, C), raw; x (T, B, F), y (B,) int64, the right classes -> a scalar that gradients can go back through.
"""

import torch
from torch import nn
from torch.distributions import Categorical
from torch.func import functional_call

from course.checks.case import Case, in_float64, map_tensors
from course.checks.judge import compare
from course.checks.oracles import LONG, Classifier, network, normal, rng, size
from course.checks.play import call

GRADS = ("x", "model")
TAKES = ("model", "x", "y")
HINTS = [
    "Take a model that is sure and right: its loss should be near 0. Which loss do you see, and can it ever go below 0.55?",
    "nn.functional.cross_entropy begins with a log_softmax of its own. What does it make of numbers that are probabilities already?",
    "cross_entropy wants raw logits: hand it what the model returns, as it is. Softmax is for showing a prediction, not for the loss.",
]
SHIPPED_BUG = (
    "Your code does what the shipped code does: softmax runs before the cross entropy, which runs its own. "
    "With three classes the loss never falls below 0.5514, however sure and right the model is."
)


def shipped(model, x, y):
    probs = model(x).softmax(-1)
    return nn.functional.cross_entropy(probs, y)


def oracle(model, x, y):
    return _loss(_scores(model, x), y)


def _scores(model, x):
    weights = {f"{part}.{name}": weight for part in ("rnn", "out") for name, weight in model[part]["weights"].items()}
    return functional_call(Classifier(**model), weights, (x,))


def _loss(logits, y):
    return -Categorical(logits=logits, validate_args=False).log_prob(y).mean()


def _copied(model):
    return map_tensors(model, torch.Tensor.detach)


def _chosen(scores, y):
    return scores.gather(-1, y.unsqueeze(-1))


def _on(change):
    """A mistake in what is done with the right logits: change(logits, y) -> the loss."""
    return lambda model, x, y: change(_scores(model, x), y)


MISTAKES = {
    "softmax is still applied before the cross entropy": _on(lambda logits, y: _loss(logits.softmax(-1), y)),
    "softmax is applied before the cross entropy, and runs over the batch": _on(lambda logits, y: _loss(logits.softmax(0), y)),
    "log_softmax runs over the batch and not over the classes": _on(lambda logits, y: -_chosen(logits.log_softmax(0), y).mean()),
    "the sigmoid is applied before the cross entropy": _on(lambda logits, y: _loss(logits.sigmoid(), y)),
    "tanh is applied before the cross entropy": _on(lambda logits, y: _loss(logits.tanh(), y)),
    "nll_loss was given raw logits: it wants log probabilities": _on(lambda logits, y: -_chosen(logits, y).mean()),
    "nll_loss was given probabilities: it wants their logarithms": _on(lambda logits, y: -_chosen(logits.softmax(-1), y).mean()),
    "the logarithm is taken of a softmax that has rounded to 0: log(0) is -inf. log_softmax, or cross_entropy of the logits, never gets there": (
        _on(lambda logits, y: -_chosen(logits.softmax(-1).log(), y).mean())
    ),
    "the losses are summed, not averaged": _on(lambda logits, y: _loss(logits, y) * len(y)),
    "there is one loss for each sequence, not their mean": _on(lambda logits, y: -Categorical(logits=logits).log_prob(y)),
    "the sign is turned": _on(lambda logits, y: -_loss(logits, y)),
    "the mean is taken over the classes too": _on(lambda logits, y: _loss(logits, y) / logits.shape[-1]),
    "the loss is divided by the batch size twice": _on(lambda logits, y: _loss(logits, y) / len(y)),
    "only the first sequence counts": _on(lambda logits, y: _loss(logits[:1], y[:1])),
    "only the last sequence counts": _on(lambda logits, y: _loss(logits[-1:], y[-1:])),
    "the logits are turned round: the smallest stands for the surest class": _on(lambda logits, y: _loss(-logits, y)),
    "the loss is that of the model's own guess, not of the right class": _on(lambda logits, y: _loss(logits, logits.argmax(-1))),
    "the graph is cut: detach, .data, .item() or no_grad": lambda model, x, y: oracle(model, x, y).detach(),
    "no gradient reaches the weights of the model: they are detached, or those of a copy are used": lambda model, x, y: oracle(_copied(model), x, y),
    "no gradient reaches x: it is detached": lambda model, x, y: oracle(model, x.detach(), y),
}


def cases(seed):
    g = rng(seed)
    a, b, c = size(g, 2, 3), size(g, 4, 5), size(g, 6, 7)

    def draw(steps, batch, classes, kind="rnn", **settings):
        x = normal(g, steps, batch, 5)
        y = torch.arange(batch).roll(1) % classes
        learns = {"learns": settings.pop("learns")} if "learns" in settings else {}
        return {"model": network(g, 5, 4, classes, kind, **{"training": True, **settings}), "x": x, "y": y, **learns}

    return [
        Case(f"batch {c}, {a} classes", draw(b, c, a)),
        Case(f"as many sequences as classes ({b}), in eval mode", draw(c, b, b, training=False)),
        Case("a model that is sure and right, 3 classes", _sure_and_right(draw(b, c, 3, confidence=60.0))),
        Case("a model that is sure, and often wrong", draw(b, c, 3, confidence=400.0)),
        Case("batch 1, and only the model may learn", draw(b, 1, a, learns=("model",))),
        Case(f"two classes, batch {b}, a GRU in eval mode, and only x may learn", draw(c, b, 2, "gru", training=False, learns=("x",))),
        Case(f"batch {LONG}, under torch.no_grad()", draw(a, LONG, a, learns=())),
        Case("in eval mode, under torch.no_grad()", draw(a, c, b, training=False, learns=())),
        Case(f"steps, batch and classes all {b}, an LSTM", draw(b, b, b, "lstm")),
        in_float64("float64", draw(b, a, c)),
    ]


@torch.no_grad()
def _sure_and_right(args):
    return {**args, "y": _scores(args["model"], args["x"]).argmax(-1)}


def play(answer, case):
    def bind(args):
        return [Classifier(**args["model"]), args["x"], args["y"]]

    return call(answer, case, GRADS, bind)


def judge(case, result):
    finding = compare(case, result, oracle, GRADS)
    if finding and result.value and result.value["kind"] in ("float", "int"):
        finding.explain("a plain number has no graph, and nothing can be learned through it: leave .item() to the code that reports the loss")
    return finding
