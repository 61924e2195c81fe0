"""One prediction in five layers, recorded by hooks on a real module: what goes in, and what the state makes of it."""

from contextlib import ExitStack
from dataclasses import dataclass

import torch
from torch import nn

from course import pictures
from course.pictures.tables import Rows, ShowsItsTable

RECURRENT = (nn.RNN, nn.GRU, nn.LSTM)
HEAD = ("Layer", "Name", "Shape", "Numbers")
MANY = 8
"""Numbers of one layer that a table shows."""


@dataclass(frozen=True)
class Layer:
    """One layer of a prediction: its key, its name, and its numbers (1, size)."""

    key: str
    name: str
    values: torch.Tensor

    @property
    def shape(self):
        return tuple(self.values.shape)


@dataclass(frozen=True, repr=False)
class PredictionTrace(ShowsItsTable):
    """The five layers of one prediction, in order. T steps, F features, H hidden units, C classes.

    =========  ======  ==============================================
    input      (1, F)  what the recurrent layer reads at time step 1
    cell       (1, H)  its state h after step 1
    carried    (1, H)  its state h after step T
    logits     (1, C)  what the output layer makes of it
    probs      (1, C)  softmax of the logits
    =========  ======  ==============================================

    kind: "RNN", "GRU" or "LSTM"; steps: T. `trace["logits"]` is the numbers of one layer.
    """

    kind: str
    steps: int
    layers: tuple

    def keys(self):
        return [layer.key for layer in self.layers]

    def __getitem__(self, key):
        return {layer.key: layer.values for layer in self.layers}[key]

    def picture(self):
        """A Picture of the five layers with their numbers."""
        return pictures.prediction([(layer.name, layer.values[0]) for layer in self.layers])

    def table(self):
        """Layer · Name · Shape · Numbers."""
        rows = [(str(i), layer.name, str(layer.shape), _listed(layer.values[0])) for i, layer in enumerate(self.layers, start=1)]
        return Rows(f"One prediction of nn.{self.kind} over {self.steps} time steps", HEAD, rows)


@dataclass(frozen=True)
class Recording:
    """What the hooks saw of one run. kind: the layer's class; steps: T; first: what it read at step 1 (B, F).

    cell, carried: its state h (B, H) after step 1 and after step T; logits (B, C) after step T.
    """

    kind: str
    steps: int
    first: torch.Tensor
    cell: torch.Tensor
    carried: torch.Tensor
    logits: torch.Tensor


def trace_prediction(model, x):
    """Run `model` on one sequence and record the five layers. Its mode, weights and gradients stay as they are.

    model: any module with one nn.RNN, nn.GRU or nn.LSTM and, after it, one nn.Linear. x: what the model takes, with
    one sequence in it: (T, 1, F), or (1, T, F) where the layer says batch_first.
    Raises ValueError where there is no such layer or more than one, and for more than one sequence.
    """
    seen = record(model, x)
    if len(seen.logits) != 1:
        raise ValueError(f"a prediction is traced for one sequence, and x holds {len(seen.logits)}: give it one, as x[:, :1] (time first)")
    return PredictionTrace(
        seen.kind,
        seen.steps,
        (
            Layer("input", "input at time step 1", seen.first),
            Layer("cell", "RNN cell computation", seen.cell),
            Layer("carried", "hidden state passed on", seen.carried),
            Layer("logits", "final output layer", seen.logits),
            Layer("probs", "softmax", seen.logits.softmax(-1)),
        ),
    )


@torch.no_grad()
@torch.random.fork_rng(devices=[])  # dropout in training mode would use up the learner's random numbers
def record(model, x):
    """Run `model` on x and return the Recording, for all sequences in x. A layer called step by step counts as one run."""
    layer = _recurrent(model)
    calls, heads = [], []
    with ExitStack() as hooks:

        def listen(module, hook):
            hooks.callback(module.register_forward_hook(hook, with_kwargs=True).remove)

        listen(layer, lambda _, args, named, result: calls.append((_first(args, named), *result)))
        for linear in _linears(model):
            listen(linear, lambda module, args, named, result: heads.append((module, result)) if calls else None)
        model(x)
    return _recording(layer, calls, _last(heads))


def _recurrent(model):
    if not isinstance(model, nn.Module):
        raise ValueError(f"a prediction is traced through an nn.Module, and this is of type {type(model).__name__}")
    found = [module for module in model.modules() if isinstance(module, RECURRENT)]
    if len(found) != 1:
        raise ValueError(f"the model should hold one nn.RNN, nn.GRU or nn.LSTM; it holds {len(found) or 'none'}")
    if found[0].bidirectional:
        raise ValueError("the model's layer reads in both directions: there is no one state that is passed on from step to step")
    return found[0]


def _linears(model):
    return [module for module in model.modules() if isinstance(module, nn.Linear)]


def _first(args, named):
    x = args[0] if args else named["input"]
    if not isinstance(x, torch.Tensor):
        raise ValueError(f"the recurrent layer was given a {type(x).__name__}: trace a prediction with a plain tensor")
    return x


def _last(heads):
    """The last result of the one nn.Linear that ran after the recurrent layer."""
    different = {id(module) for module, _ in heads}
    if len(different) != 1:
        raise ValueError(f"one nn.Linear should run after the recurrent layer; {len(different) or 'none'} did")
    return heads[-1][1]


def _recording(layer, calls, logits):
    """calls: [(x, outputs, state)] of the layer, as it was given and gave them."""
    x = torch.cat([_time_first(layer, x) for x, _, _ in calls])
    outputs = torch.cat([_time_first(layer, outputs) for _, outputs, _ in calls])
    logits = _at_the_end(layer, logits, x.shape[1], batched=calls[-1][0].dim() == 3)
    kind = layer.mode.partition("_")[0]
    return Recording(kind, len(x), x[0].clone(), outputs[0].clone(), outputs[-1].clone(), logits.clone())


def _at_the_end(layer, logits, batch, batched):
    """Logits (B, C) after step T, from a head that read all outputs, or h_n, or the last state."""
    if logits.dim() == 3:
        read_h_n = logits.shape[:2] == (layer.num_layers, batch)
        return logits[:, -1] if layer.batch_first and not read_h_n else logits[-1]
    return logits if batched else logits.reshape(-1, logits.shape[-1])[-1:]


def _time_first(layer, values):
    """(T, B, size), also from batch_first and from a sequence without a batch axis."""
    if values.dim() == 2:
        return values.unsqueeze(1)
    return values.transpose(0, 1) if layer.batch_first else values


def _listed(values):
    numbers = [f"{value:.3f}" for value in values.tolist()[:MANY]]
    return "[" + ", ".join([*numbers, *(["…"] if len(values) > MANY else [])]) + "]"
