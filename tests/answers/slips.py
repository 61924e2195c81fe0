"""What the readers of the second trial wrote: a right answer with one line changed, and the words that they should have been told.

Each row: the exercise, what stands in the right answer, what stands in its place, the words. Names that no answer defines lie about in a notebook.
"""

import linecache
import random

import torch
from torch import nn
from torch.nn import functional as F

from course import training
from course.networks import tasks

RIGHT = {
    "to_input": """
def to_input(seqs):
    x = torch.tensor(seqs, dtype=torch.float32)
    return x.transpose(0, 1)
""",
    "to_time_major": """
def to_time_major(batch):
    steps = []
    for t in range(batch.shape[1]):
        steps.append(batch[:, t])
    return torch.stack(steps)
""",
    "init_hidden": """
def init_hidden(num_layers, batch, hidden, like):
    return torch.zeros(num_layers, batch, hidden, dtype=like.dtype, device=like.device)
""",
    "reset_rows": """
def reset_rows(h, done):
    keep = 1 - done
    return h * keep[:, None]
""",
    "rnn_step": """
def rnn_step(x, h, W_ih, W_hh, b_ih, b_hh):
    rows = []
    for i in range(len(x)):
        rows.append(torch.tanh(W_ih @ x[i] + b_ih + W_hh @ h[i] + b_hh))
    return torch.stack(rows)
""",
    "layer_step": """
def layer_step(rnn, x, h):
    rows = []
    for i in range(len(x)):
        out, h_n = rnn(x[None, i : i + 1], h[None, i : i + 1])
        rows.append(h_n[0, 0])
    return torch.stack(rows)
""",
    "run_sequence": """
def run_sequence(x, h0, cell):
    h = h0
    outputs = []
    for t in range(len(x)):
        h = cell(x[t], h)
        outputs.append(h)
    return torch.stack(outputs), h
""",
    "run_stacked": """
def run_stacked(x, h0, cells):
    h = list(h0)
    outputs = []
    for x_t in x:
        below = x_t
        for layer in range(len(cells)):
            h[layer] = cells[layer](below, h[layer])
            below = h[layer]
        outputs.append(below)
    return torch.stack(outputs), torch.stack(h)
""",
    "output_layer": """
def output_layer(h, W, b):
    rows = []
    for row in h:
        rows.append(W @ row + b)
    return torch.stack(rows)
""",
    "last_valid": """
def last_valid(outputs, lengths):
    rows = []
    for i, n in enumerate(lengths):
        rows.append(outputs[n - 1, i])
    return torch.stack(rows)
""",
    "to_probs": """
def to_probs(logits):
    e = torch.exp(logits - logits.amax(-1, keepdim=True))
    return e / e.sum(-1, keepdim=True)
""",
    "sequence_loss": """
def sequence_loss(logits, targets):
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten())
""",
    "class_loss": """
def class_loss(model, x, y):
    return F.cross_entropy(model(x), y)
""",
    "train_epoch": """
def train_epoch(model, batches, optimizer):
    model.train()
    total = right = seen = 0
    for x, y in batches:
        optimizer.zero_grad()
        logits = model(x)
        loss = F.cross_entropy(logits, y)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(y)
        right += (logits.argmax(-1) == y).sum().item()
        seen += len(y)
    return total / seen, right / seen
""",
    "prediction_trace": """
def prediction_trace(rnn, out, x):
    with torch.no_grad():
        o, h = rnn(x)
        logits = out(o[-1])
    return {"input": x[0].detach(), "cell": o[0], "carried": o[-1], "logits": logits, "probs": logits.softmax(-1)}
""",
    "predictor": """
class Predictor:
    def __init__(self, rnn, out):
        self.rnn, self.out = rnn, out

    def __call__(self, x):
        outputs, h = self.rnn(x)
        return self.out(outputs[-1]).softmax(-1)
""",
}

OF_THE_NOTEBOOK = "of the notebook"
SLIPS = [
    ("to_input", "    return x.transpose(0, 1)", "    x.transpose(0, 1)\n    return x", "is not kept"),
    ("to_input", "x.transpose(0, 1)", "x.reshape(10, 3, 5)", "written down"),
    ("to_input", "transpose(0, 1)", "transpose(1, 2)", "axis"),
    ("to_time_major", "(batch)", "(x)", OF_THE_NOTEBOOK),
    ("to_time_major", "    return torch", "        return torch", "`return` stands inside"),
    ("to_time_major", "range(batch.shape[1])", "range(4)", "4 is written down"),
    ("init_hidden", "batch, hidden, dtype", "like.shape[1], hidden, dtype", "`batch`"),
    ("init_hidden", "hidden, dtype", "4, dtype", "4 is written down"),
    ("init_hidden", "torch.zeros(num_layers, batch", "torch.zeros(2, 3", "written down"),
    ("init_hidden", "zeros", "randn", "random"),
    ("reset_rows", "(h, done)", "(h, d)", OF_THE_NOTEBOOK),
    ("reset_rows", "    return h * keep[:, None]", "    h * keep[:, None]\n    return h", "keeps it nowhere"),
    ("reset_rows", "keep[:, None]", "keep.reshape(3, 1)", "3 is written down"),
    ("rnn_step", "W_hh, b_ih", "W, b_ih", OF_THE_NOTEBOOK),
    ("rnn_step", "    return torch", "        return torch", "`return` stands inside"),
    ("rnn_step", "range(len(x))", "range(2)", "2 is written down"),
    ("rnn_step", "W_hh @ h[i]", "W_ih @ h[i]", "W_ih"),
    ("rnn_step", "+ b_hh", "- b_hh", "the sign"),
    ("layer_step", "rnn(x", "layer(x", OF_THE_NOTEBOOK),
    ("layer_step", "    return torch", "        return torch", "`return` stands inside"),
    ("layer_step", "rnn(x", "nn.RNN(x.shape[1], h.shape[1])(x", "random"),
    ("run_sequence", "(x, h0", "(xs, h0", OF_THE_NOTEBOOK),
    ("run_sequence", "h = cell(x[t], h)", "cell(x[t], h)", "is not kept"),
    ("run_sequence", "cell(x[t], h)", "cell(x[t], h0)", "state"),
    ("run_sequence", "cell(x[t], h)", "cell(x[0], h)", "x[0]"),
    ("run_sequence", "range(len(x))", "range(10)", "10 is written down"),
    ("run_sequence", "range(len(x))", "range(1, len(x))", "first step"),
    ("run_sequence", "        outputs.append", "    outputs.append", "behind the loop"),
    ("run_sequence", "        h = cell", "        outputs = []\n        h = cell", "inside the loop"),
    ("run_sequence", "torch.stack(outputs)", "torch.tensor(outputs)", "torch.stack"),
    ("run_stacked", "range(len(cells))", "range(2)", "2 is written down"),
    ("run_stacked", "h[layer] = cells[layer](below, h[layer])", "cells[layer](below, h[layer])", "is not kept"),
    ("run_stacked", "cells[layer](", "cells[0](", "cells[0]"),
    ("run_stacked", "(below, h[layer])", "(below, h0[layer])", "h0"),
    ("run_stacked", "    return torch", "        return torch", "`return` stands inside"),
    ("run_stacked", "x, h0, cells", "x, h0, layers", OF_THE_NOTEBOOK),
    ("train_epoch", "(model, batches", "(net, batches", OF_THE_NOTEBOOK),
    ("train_epoch", "model(x)", "trace.model(x)", OF_THE_NOTEBOOK),
    ("train_epoch", "optimizer):", "opt):", OF_THE_NOTEBOOK),
    ("train_epoch", "in batches:", "in task.batches():", OF_THE_NOTEBOOK),
    ("train_epoch", "for x, y in", "for _x, _y in", OF_THE_NOTEBOOK),
    ("train_epoch", "for x, y in", "for y, x in", "the wrong way round"),
    ("train_epoch", "for x, y in batches:", "for i in torch.randperm(len(batches)):\n        x, y = batches[i]", "in the order given"),
    ("train_epoch", "    for x, y", "    batches = list(batches)\n    random.shuffle(batches)\n    for x, y", "in the order given"),
    ("train_epoch", "(logits, y)", "(logits.softmax(-1), y)", "softmax"),
    ("train_epoch", "model(x)", "model(x)[-1]", "index in `model(x)[-1]`"),
    ("train_epoch", "F.cross_entropy(logits, y)", "F.mse_loss(logits, F.one_hot(y, logits.shape[-1]).to(logits.dtype))", "squared"),
    ("train_epoch", "(logits, y)", "(y, logits)", "in the wrong order"),
    ("train_epoch", "F.cross_entropy(logits, y)", "nn.CrossEntropyLoss(logits, y)", "makes a layer, and calls none"),
    ("train_epoch", "* len(y)", "* 10", "10 is written down"),
    ("train_epoch", "seen += len(y)", "seen += 10", "10 is written down"),
    ("train_epoch", "/ seen, right / seen", "/ 300, right / 300", "300 is written down"),
    ("train_epoch", "total +=", "total +", "keeps it nowhere"),
    ("train_epoch", "total +=", "total =", "forgets what the steps before"),
    ("train_epoch", "right +=", "right =", "forgets what the steps before"),
    ("train_epoch", "argmax(-1)", "argmax()", "axis"),
    ("train_epoch", "logits.argmax(-1)", "logits.max(-1)", ".indices"),
    ("train_epoch", "    return total", "        return total", "`return` stands inside"),
    ("class_loss", "(model, x, y)", "(net, x, y)", OF_THE_NOTEBOOK),
    ("class_loss", "model(x)", "trace.model(x)", OF_THE_NOTEBOOK),
    ("class_loss", "model(x), y)", "model(x), y3)", OF_THE_NOTEBOOK),
    ("class_loss", "(model(x), y)", "(y, model(x))", "in the wrong order"),
    ("class_loss", "F.cross_entropy(", "nn.CrossEntropyLoss(", "makes a layer, and calls none"),
    ("output_layer", "(h, W, b)", "(h, W, bias)", OF_THE_NOTEBOOK),
    ("output_layer", "    return torch", "        return torch", "`return` stands inside"),
    ("output_layer", "W @ row", "W * row", "number by number"),
    ("last_valid", "(outputs, lengths)", "(outputs, sizes)", OF_THE_NOTEBOOK),
    ("last_valid", "    return torch", "        return torch", "`return` stands inside"),
    ("to_probs", "(logits)", "(x)", OF_THE_NOTEBOOK),
    ("to_probs", "- logits.amax(-1, keepdim=True)", "- 1000", "1000 is written down"),
    ("to_probs", "amax(", "amin(", "where the largest is wanted"),
    ("to_probs", "amax(", "mean(", "where the largest is wanted"),
    ("sequence_loss", "F.cross_entropy(logits.flatten(0, 1),", "F.nll_loss(logits.flatten(0, 1).softmax(-1).log(),", "-inf"),
    ("sequence_loss", "logits.flatten(0, 1)", "logits.reshape(30, 3)", "written down"),
    ("sequence_loss", "logits.flatten(0, 1)", "logits.view(-1, 3)", "written down"),
    ("sequence_loss", "(logits.flatten(0, 1), targets.flatten())", "(targets.flatten(), logits.flatten(0, 1))", "in the wrong order"),
    ("prediction_trace", "rnn(x)", "trace.model.rnn(x)", OF_THE_NOTEBOOK),
    ("prediction_trace", "o, h = rnn(x)", "o, (h, c) = rnn(x)", "LSTM"),
    ("prediction_trace", "out(o[-1])", "out(h[0])", "LSTM"),
    ("prediction_trace", "out(o[-1])", "out(h.squeeze(0))", "LSTM"),
    ("prediction_trace", '"carried": o[-1]', '"carried": h', "axis"),
    ("prediction_trace", "    with torch.no_grad():", "    torch.set_grad_enabled(False)\n    if True:", "gradients are off"),
    ("prediction_trace", "rnn(x)", "rnn(x, torch.zeros(1, 1, 4))", "written down"),
    ("predictor", "self.rnn(x)", "trace.model.rnn(x)", OF_THE_NOTEBOOK),
    ("predictor", "outputs[-1]", "h[-1]", "LSTM"),
    ("predictor", "outputs[-1]", "h[0]", "LSTM"),
    ("predictor", "outputs, h = self", "outputs, (h, c) = self", "LSTM"),
    ("predictor", "        outputs, h", "        torch.set_grad_enabled(False)\n        outputs, h", "gradients are off"),
]


def notebook():
    """What the lessons leave in a notebook, and their imports."""
    classifier = training.Classifier(seed=0)
    return {
        "torch": torch,
        "nn": nn,
        "F": F,
        "random": random,
        "model": classifier,
        "trace": type("Trace", (), {"model": classifier})(),
        "optimizer": torch.optim.SGD(classifier.parameters(), lr=0.1),
        "task": tasks.pointing(),
        "y3": torch.zeros(3, dtype=torch.int64),
        "b": torch.zeros(3),
        "lengths": [4, 2],
        "logits": torch.zeros(1, 3),
        "batch": torch.zeros(3, 4, 1),
        "done": torch.tensor([0.0, 1.0, 0.0]),
        "W_hh": torch.eye(4),
        "layer": nn.RNN(5, 4),
        "x": torch.zeros(10, 1, 5),
        "y": torch.zeros(1, dtype=torch.int64),
        "cells": [nn.RNNCell(5, 4), nn.RNNCell(4, 4)],
    }


def written(exercise, before, after):
    """The answer with the slip made in it, with a source that can be read, as in a notebook."""
    right = RIGHT[exercise].strip() + "\n"
    assert before in right
    source = right.replace(before, after)
    file, names = f"<{exercise}: {after}>", notebook()
    linecache.cache[file] = len(source), None, source.splitlines(keepends=True), file
    exec(compile(source, file, "exec"), names)
    return names["Predictor" if exercise == "predictor" else exercise]
