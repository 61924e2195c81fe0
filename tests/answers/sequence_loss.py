"""Answers to `sequence_loss(logits, targets)`: the mean cross entropy over every step of every sequence."""

import torch
from torch import nn
from torch.nn import functional as F


def flattened(logits, targets):
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten())


def class_axis_moved(logits, targets):
    return F.cross_entropy(logits.permute(0, 2, 1), targets)


def views(logits, targets):
    return nn.CrossEntropyLoss()(logits.reshape(-1, logits.size(-1)), targets.reshape(-1))


def nll(logits, targets):
    return F.nll_loss(logits.log_softmax(-1).flatten(0, 1), targets.flatten())


def gather(logits, targets):
    chosen = logits.log_softmax(-1).gather(2, targets[..., None])
    return -chosen.mean()


def logsumexp(logits, targets):
    chosen = logits.gather(-1, targets.unsqueeze(-1)).squeeze(-1)
    return (logits.logsumexp(-1) - chosen).mean()


def mean_over_the_steps(logits, targets):
    return torch.stack([F.cross_entropy(step, target) for step, target in zip(logits, targets)]).mean()


def sum_over_the_sequences(logits, targets):
    total = 0
    for b in range(logits.shape[1]):
        total = total + F.cross_entropy(logits[:, b], targets[:, b], reduction="sum")
    return total / targets.numel()


def one_hot(logits, targets):
    marks = F.one_hot(targets, logits.shape[-1]).to(logits)
    return -(marks * F.log_softmax(logits, dim=2)).sum(-1).mean()


def class_probabilities(logits, targets):
    marks = F.one_hot(targets, logits.shape[-1]).to(logits.dtype)
    return F.cross_entropy(logits.movedim(-1, 1), marks.movedim(-1, 1))


RIGHT = [
    flattened,
    class_axis_moved,
    views,
    nll,
    gather,
    logsumexp,
    mean_over_the_steps,
    sum_over_the_sequences,
    one_hot,
    class_probabilities,
]


def shipped_again(logits, targets):
    return nn.CrossEntropyLoss()(logits, targets)


def square_batches_as_shipped(logits, targets):
    return F.cross_entropy(logits, targets) if logits.shape[1] == logits.shape[2] else flattened(logits, targets)


def summed(logits, targets):
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="sum")


def summed_over_time(logits, targets):
    return sum(F.cross_entropy(step, target) for step, target in zip(logits, targets))


def summed_over_the_batch(logits, targets):
    return sum(F.cross_entropy(logits[:, b], targets[:, b]) for b in range(logits.shape[1]))


def softmax_before(logits, targets):
    return F.cross_entropy(logits.softmax(-1).flatten(0, 1), targets.flatten())


def log_softmax_before(logits, targets):
    """Not a mistake that shows: log_softmax of a log_softmax is itself. The reduction is what is wrong here."""
    return F.cross_entropy(logits.log_softmax(-1).flatten(0, 1), targets.flatten(), reduction="none")


def softmax_over_the_batch(logits, targets):
    return -logits.log_softmax(1).gather(-1, targets[..., None]).mean()


def nll_of_raw_logits(logits, targets):
    return F.nll_loss(logits.flatten(0, 1), targets.flatten())


def nll_of_probabilities(logits, targets):
    return F.nll_loss(logits.softmax(-1).flatten(0, 1), targets.flatten())


def sign_turned(logits, targets):
    return logits.log_softmax(-1).gather(-1, targets[..., None]).mean()


def last_step(logits, targets):
    return F.cross_entropy(logits[-1], targets[-1])


def last_step_forgotten(logits, targets):
    return flattened(logits[:-1], targets[:-1]) if len(logits) > 1 else flattened(logits, targets)


def first_sequence(logits, targets):
    return F.cross_entropy(logits[:, 0], targets[:, 0])


def pairs_torn_apart(logits, targets):
    return F.cross_entropy(logits.transpose(0, 1).flatten(0, 1), targets.flatten())


def reshaped_class_axis(logits, targets):
    T, B, C = logits.shape
    return F.cross_entropy(logits.reshape(T, C, B), targets)


def class_axis_in_front(logits, targets):
    return F.cross_entropy(logits.permute(2, 0, 1), targets)


def batch_first(logits, targets):
    return F.cross_entropy(logits.transpose(0, 1), targets.T)


def flattened_wrongly(logits, targets):
    return F.cross_entropy(logits.reshape(len(logits), -1), targets[:, 0])


def no_reduction(logits, targets):
    return F.cross_entropy(logits.permute(0, 2, 1), targets, reduction="none")


def number(logits, targets):
    return flattened(logits, targets).item()


def detached(logits, targets):
    return flattened(logits.detach(), targets)


def rebuilt(logits, targets):
    return torch.tensor(flattened(logits, targets).item(), dtype=logits.dtype)


def wrong_dtype(logits, targets):
    return flattened(logits.float(), targets)


def one_axis_too_many(logits, targets):
    return flattened(logits, targets).unsqueeze(0)


def naive_softmax(logits, targets):
    probs = logits.exp() / logits.exp().sum(-1, keepdim=True)
    return -probs.gather(-1, targets[..., None]).log().mean()


def epsilon_in_the_logarithm(logits, targets):
    probs = logits.softmax(-1).gather(-1, targets[..., None])
    return -(probs + 1e-9).log().mean()


def mean_over_the_classes(logits, targets):
    marks = F.one_hot(targets, logits.shape[-1])
    return -(marks * logits.log_softmax(-1)).mean()


def squared_error(logits, targets):
    return F.mse_loss(logits.softmax(-1), F.one_hot(targets, logits.shape[-1]).to(logits))


def in_place(logits, targets):
    logits.data -= logits.data.amax(-1, keepdim=True)
    return flattened(logits, targets)


def targets_in_place(logits, targets):
    loss = flattened(logits, targets)
    targets.zero_()
    return loss


def class_0_ignored(logits, targets):
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=0)


def smoothed(logits, targets):
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten(), label_smoothing=0.1)


def no_return(logits, targets):
    flattened(logits, targets)


def with_the_accuracy(logits, targets):
    return flattened(logits, targets), (logits.argmax(-1) == targets).float().mean()


_losses = []


def running_mean(logits, targets):
    _losses.append(flattened(logits, targets))
    return torch.stack([loss.to(logits) for loss in _losses]).mean()


def default_argument(logits, targets, losses=[]):
    losses.append(flattened(logits, targets).double())
    return sum(losses).to(logits.dtype)


def divided_by_the_batch_if_long(logits, targets):
    """Right for the first case and others with more steps than classes; else the mean is taken over the batch only."""
    loss = flattened(logits, targets)
    return loss if len(logits) > logits.shape[2] else loss * len(logits)


def targets_as_floats(logits, targets):
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten().float())


def only_the_logits_flattened(logits, targets):
    return F.cross_entropy(logits.flatten(0, 1), targets)


def only_the_targets_flattened(logits, targets):
    return F.cross_entropy(logits, targets.flatten())


def time_and_batch_swapped(logits, targets):
    return F.cross_entropy(logits.transpose(0, 1), targets)


def time_and_batch_swapped_in_both(logits, targets):
    return F.cross_entropy(logits.transpose(0, 1), targets.T)


WRONG = [
    (shipped_again, "the same mistake as in the code you were given"),
    (square_batches_as_shipped, "wrong numbers"),
    (summed, "the losses are summed, not averaged"),
    (summed_over_time, "the losses are summed over time"),
    (summed_over_the_batch, "the losses are summed over the batch"),
    (softmax_before, "softmax is applied before the cross entropy"),
    (log_softmax_before, "should have 0 axes"),
    (softmax_over_the_batch, "softmax runs over the batch"),
    (nll_of_raw_logits, "nll_loss was given raw logits"),
    (nll_of_probabilities, "nll_loss was given probabilities"),
    (sign_turned, "the sign is turned"),
    (last_step, "only the last step counts"),
    (last_step_forgotten, "wrong numbers"),
    (first_sequence, "only the first sequence counts"),
    (pairs_torn_apart, "the pairs are torn apart"),
    (reshaped_class_axis, "view was used to move the class axis"),
    (class_axis_in_front, "raised an error in line"),
    (batch_first, "raised an error in line"),
    (flattened_wrongly, "wrong numbers"),
    (no_reduction, "there is one loss for each step"),
    (number, "yours is of type float"),
    (detached, "the graph is cut"),
    (rebuilt, "the graph is cut"),
    (wrong_dtype, "should be torch.float64; yours is torch.float32"),
    (one_axis_too_many, "should have 0 axes"),
    (naive_softmax, "contains NaN"),
    (epsilon_in_the_logarithm, "wrong numbers"),
    (mean_over_the_classes, "the mean is taken over the classes too"),
    (squared_error, "wrong numbers"),
    (in_place, "changed its input logits in place"),
    (targets_in_place, "changed its input targets in place"),
    (class_0_ignored, "wrong numbers"),
    (smoothed, "wrong numbers"),
    (no_return, "returned None"),
    (with_the_accuracy, "should be a torch.Tensor, yours is of type tuple"),
    (running_mean, "wrong numbers"),
    (default_argument, "something is kept from one call to the next"),
    (divided_by_the_batch_if_long, "wrong numbers"),
    (targets_as_floats, "raised an error in line"),
    (only_the_logits_flattened, "the targets still have two axes"),
    (only_the_targets_flattened, "the logits still have three axes"),
    (time_and_batch_swapped, "cross_entropy looks for the classes there"),
    (time_and_batch_swapped_in_both, "cross_entropy looks for the classes there"),
]
