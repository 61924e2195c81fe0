"""Answers to `class_loss(model, x, y)`: the mean cross entropy of a batch, from raw logits."""

import torch
from torch import nn
from torch.nn import functional as F


def raw_logits(model, x, y):
    return F.cross_entropy(model(x), y)


def criterion(model, x, y):
    return nn.CrossEntropyLoss()(model(x), y)


def nll(model, x, y):
    return F.nll_loss(model(x).log_softmax(-1), y)


def gather(model, x, y):
    return -F.log_softmax(model(x), dim=1).gather(1, y[:, None]).mean()


def logsumexp(model, x, y):
    logits = model(x)
    return (logits.logsumexp(-1) - logits[torch.arange(len(y)), y]).mean()


def one_hot(model, x, y):
    logits = model(x)
    return F.cross_entropy(logits, F.one_hot(y, logits.shape[-1]).to(logits))


def sequence_by_sequence(model, x, y):
    return torch.stack([F.cross_entropy(model(x[:, b : b + 1]), y[b : b + 1]) for b in range(len(y))]).mean()


def log_softmax_first(model, x, y):
    """Once more than it takes, and harmless: the log_softmax of a log_softmax is itself."""
    return F.cross_entropy(model(x).log_softmax(-1), y)


def summed_and_divided(model, x, y):
    return F.cross_entropy(model(x), y, reduction="sum") / y.numel()


RIGHT = [raw_logits, criterion, nll, gather, logsumexp, one_hot, sequence_by_sequence, log_softmax_first, summed_and_divided]


def shipped_again(model, x, y):
    return nn.CrossEntropyLoss()(F.softmax(model(x), dim=1), y)


def softmax_twice(model, x, y):
    return F.cross_entropy(model(x).softmax(-1).softmax(-1), y)


def softmax_over_the_batch(model, x, y):
    return F.cross_entropy(model(x).softmax(0), y)


def log_softmax_over_the_batch(model, x, y):
    return F.nll_loss(model(x).log_softmax(0), y)


def sigmoid_before(model, x, y):
    return F.cross_entropy(model(x).sigmoid(), y)


def tanh_before(model, x, y):
    return F.cross_entropy(model(x).tanh(), y)


def relu_before(model, x, y):
    return F.cross_entropy(model(x).relu(), y)


def nll_of_logits(model, x, y):
    return F.nll_loss(model(x), y)


def nll_of_probabilities(model, x, y):
    return F.nll_loss(model(x).softmax(-1), y)


def log_of_probabilities(model, x, y):
    return F.nll_loss(model(x).softmax(-1).log(), y)


def log_with_an_epsilon(model, x, y):
    return F.nll_loss((model(x).softmax(-1) + 1e-8).log(), y)


def clamped(model, x, y):
    return F.nll_loss(model(x).softmax(-1).clamp_min(1e-6).log(), y)


def naive_softmax(model, x, y):
    grown = model(x).exp()
    return F.nll_loss((grown / grown.sum(-1, keepdim=True)).log(), y)


def summed(model, x, y):
    return F.cross_entropy(model(x), y, reduction="sum")


def not_reduced(model, x, y):
    return F.cross_entropy(model(x), y, reduction="none")


def sign_turned(model, x, y):
    return -F.cross_entropy(model(x), y)


def negated_logits(model, x, y):
    return F.cross_entropy(-model(x), y)


def own_guess(model, x, y):
    logits = model(x)
    return F.cross_entropy(logits, logits.argmax(-1))


def mean_over_the_classes(model, x, y):
    logits = model(x)
    return -(F.one_hot(y, logits.shape[-1]) * logits.log_softmax(-1)).mean()


def divided_twice(model, x, y):
    return F.cross_entropy(model(x), y) / len(y)


def first_sequence(model, x, y):
    return F.cross_entropy(model(x[:, :1]), y[:1])


def last_sequence(model, x, y):
    return F.cross_entropy(model(x)[-1:], y[-1:])


def number(model, x, y):
    return F.cross_entropy(model(x), y).item()


def no_grad(model, x, y):
    with torch.no_grad():
        return F.cross_entropy(model(x), y)


def detached(model, x, y):
    return F.cross_entropy(model(x).detach(), y)


def batch_first(model, x, y):
    return F.cross_entropy(model(x.transpose(0, 1)), y)


def logits_turned(model, x, y):
    return F.cross_entropy(model(x).T, y)


def targets_as_floats(model, x, y):
    return F.cross_entropy(model(x), y.float())


def smoothed(model, x, y):
    return F.cross_entropy(model(x), y, label_smoothing=0.1)


def squared_error(model, x, y):
    logits = model(x)
    return F.mse_loss(logits.softmax(-1), F.one_hot(y, logits.shape[-1]).to(logits))


def temperature(model, x, y):
    return F.cross_entropy(model(x) / 2, y)


def softmax_where_sure(model, x, y):
    logits = model(x)
    return F.cross_entropy(logits.softmax(-1) if logits.abs().max() > 20 else logits, y)


def wrong_dtype(model, x, y):
    return F.cross_entropy(model(x).float(), y)


def with_the_logits(model, x, y):
    logits = model(x)
    return F.cross_entropy(logits, y), logits


def one_axis_too_many(model, x, y):
    return F.cross_entropy(model(x), y).unsqueeze(0)


def no_return(model, x, y):
    F.cross_entropy(model(x), y)


def left_in_eval_mode(model, x, y):
    model.eval()
    return F.cross_entropy(model(x), y)


def weights_frozen(model, x, y):
    model.requires_grad_(False)
    return F.cross_entropy(model(x), y)


def weights_changed(model, x, y):
    with torch.no_grad():
        model.out.bias += 1
    return F.cross_entropy(model(x), y)


def targets_in_place(model, x, y):
    loss = F.cross_entropy(model(x), y)
    y.zero_()
    return loss


def backward_inside(model, x, y):
    loss = F.cross_entropy(model(x), y)
    loss.backward()
    return loss


_total = []


def running_mean(model, x, y):
    _total.append(F.cross_entropy(model(x), y))
    return sum(loss.to(x.dtype) for loss in _total) / len(_total)


WRONG = [
    (shipped_again, "the same mistake as in the code you were given"),
    (softmax_twice, "wrong numbers"),
    (softmax_over_the_batch, "softmax is applied before the cross entropy, and runs over the batch"),
    (log_softmax_over_the_batch, "log_softmax runs over the batch"),
    (sigmoid_before, "the sigmoid is applied before"),
    (tanh_before, "tanh is applied before"),
    (relu_before, "wrong numbers"),
    (nll_of_logits, "nll_loss was given raw logits"),
    (nll_of_probabilities, "nll_loss was given probabilities"),
    (log_of_probabilities, "log(0) is -inf"),
    (log_with_an_epsilon, "wrong numbers"),
    (clamped, "wrong numbers"),
    (naive_softmax, "contains NaN"),
    (summed, "the losses are summed, not averaged"),
    (not_reduced, "there is one loss for each sequence"),
    (sign_turned, "the sign is turned"),
    (negated_logits, "the logits are turned round"),
    (own_guess, "the model's own guess"),
    (mean_over_the_classes, "the mean is taken over the classes too"),
    (divided_twice, "divided by the batch size twice"),
    (first_sequence, "only the first sequence counts"),
    (last_sequence, "only the last sequence counts"),
    (number, "leave .item() to the code that reports"),
    (no_grad, "the graph is cut"),
    (detached, "the graph is cut"),
    (batch_first, "raised an error in line"),
    (logits_turned, "raised an error in line"),
    (targets_as_floats, "raised an error in line"),
    (smoothed, "wrong numbers"),
    (squared_error, "wrong numbers"),
    (temperature, "wrong numbers"),
    (softmax_where_sure, "wrong numbers"),
    (wrong_dtype, "should be torch.float64; yours is torch.float32"),
    (with_the_logits, "should be a torch.Tensor, yours is of type tuple"),
    (one_axis_too_many, "should have 0 axes"),
    (no_return, "returned None"),
    (left_in_eval_mode, "changed its input model (its mode, train() or eval())"),
    (weights_frozen, "changed its input model (requires_grad of its weights)"),
    (weights_changed, "changed its input model (its weights)"),
    (targets_in_place, "changed its input y in place"),
    (backward_inside, "changed its input model (gradients in its weights)"),
    (running_mean, "wrong numbers"),
]
