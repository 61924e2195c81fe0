"""Answers to `to_probs(logits)`: softmax over the last axis of (C,), (B, C) or (T, B, C)."""

import functools

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F


def method(logits):
    return logits.softmax(-1)


def functional(logits):
    return F.softmax(logits, dim=logits.dim() - 1)


def by_hand(logits):
    grown = torch.exp(logits - logits.max(dim=-1, keepdim=True).values)
    return grown / grown.sum(dim=-1, keepdim=True)


def by_hand_with_amax(logits):
    shifted = logits - logits.amax(-1, keepdim=True).detach()
    return shifted.exp() / shifted.exp().sum(-1, keepdim=True)


def logsumexp(logits):
    return torch.exp(logits - torch.logsumexp(logits, -1, keepdim=True))


def exp_of_log_softmax(logits):
    return F.log_softmax(logits, -1).exp()


def flattened_rows(logits):
    return torch.softmax(logits.reshape(-1, logits.shape[-1]), 1).reshape(logits.shape)


def transposed(logits):
    return logits.movedim(-1, 0).softmax(0).movedim(0, -1)


def differences(logits):
    """Each probability is 1 / sum of exp(other - own); an overflow gives 1 / inf = 0, and that is right."""
    others, own = logits.unsqueeze(-2), logits.unsqueeze(-1)
    return torch.softmax(others - own, -1).diagonal(dim1=-2, dim2=-1)


def recursion_over_axes(logits):
    if logits.dim() == 1:
        grown = (logits - logits.max()).exp()
        return grown / grown.sum()
    return torch.stack([recursion_over_axes(part) for part in logits])


RIGHT = [
    method,
    functional,
    by_hand,
    by_hand_with_amax,
    logsumexp,
    exp_of_log_softmax,
    flattened_rows,
    transposed,
    differences,
    recursion_over_axes,
    nn.Softmax(dim=-1),
    functools.partial(torch.softmax, dim=-1),
]


def naive(logits):
    return torch.exp(logits) / torch.exp(logits).sum(-1, keepdim=True)


def dim_0(logits):
    return logits.softmax(0)


def dim_1(logits):
    return logits.softmax(1)


def no_dim(logits):
    return F.softmax(logits)


def over_everything(logits):
    grown = torch.exp(logits - logits.max())
    return grown / grown.sum()


def one_maximum_for_all_rows(logits):
    grown = torch.exp(logits - logits.max())
    return grown / grown.sum(-1, keepdim=True)


def no_keepdim(logits):
    grown = torch.exp(logits - logits.amax(-1, keepdim=True))
    return grown / grown.sum(-1)


def maximum_without_keepdim(logits):
    grown = torch.exp(logits - logits.max(-1).values)
    return grown / grown.sum(-1, keepdim=True)


def fixed_shift(logits):
    grown = torch.exp(logits - 1000)
    return grown / grown.sum(-1, keepdim=True)


def clamped(logits):
    return logits.clamp(-80, 80).softmax(-1)


def epsilon(logits):
    grown = torch.exp(logits)
    return grown / (grown.sum(-1, keepdim=True) + 1e-8)


def sigmoid(logits):
    return logits.sigmoid()


def log_softmax(logits):
    return logits.log_softmax(-1)


def exp_only(logits):
    return logits.exp()


def normalised_without_exp(logits):
    return logits / logits.sum(-1, keepdim=True)


def twice(logits):
    return logits.softmax(-1).softmax(-1)


def softmin(logits):
    return F.softmin(logits, dim=-1)


def base_two(logits):
    return (2 ** (logits - logits.amax(-1, keepdim=True))) / (2 ** (logits - logits.amax(-1, keepdim=True))).sum(-1, keepdim=True)


def winner(logits):
    return F.one_hot(logits.argmax(-1), logits.shape[-1]).to(logits.dtype)


def rounded(logits):
    return torch.round(logits.softmax(-1), decimals=3)


def in_place(logits):
    logits -= logits.amax(-1, keepdim=True)
    return logits.softmax(-1)


def in_place_behind_autograd(logits):
    logits.data -= logits.data.amax(-1, keepdim=True)
    return logits.softmax(-1)


def division_in_place(logits):
    grown = torch.exp(logits - logits.amax(-1, keepdim=True))
    grown /= grown.sum(-1, keepdim=True)
    return grown


def detached(logits):
    return logits.detach().softmax(-1)


def numpy_array(logits):
    grown = np.exp(logits.detach().numpy() - logits.detach().numpy().max(-1, keepdims=True))
    return grown / grown.sum(-1, keepdims=True)


def python_lists(logits):
    rows = logits.softmax(-1).tolist()
    return rows


def rebuilt(logits):
    return torch.tensor(logits.softmax(-1).tolist())


def float32(logits):
    return F.softmax(logits, -1, dtype=torch.float32)


def float64(logits):
    return logits.double().softmax(-1)


def on_the_cpu(logits):
    probs = torch.zeros(logits.shape, dtype=logits.dtype, device="cpu")
    return probs + logits.softmax(-1)


def filled_row_by_row_on_the_cpu(logits):
    probs = torch.zeros(logits.shape, dtype=logits.dtype)
    for place in np.ndindex(*logits.shape[:-1]):
        probs[place] = logits[place].softmax(-1)
    return probs


def flat_result(logits):
    return logits.softmax(-1).flatten()


def squeezed(logits):
    return logits.softmax(-1).squeeze()


def with_a_batch_axis(logits):
    return logits.reshape(-1, logits.shape[-1]).softmax(-1)


def row_loop_for_two_axes(logits):
    return torch.stack([row.softmax(0) for row in logits])


def constant(logits):
    return torch.tensor([[0.4614876, 0.3093444, 0.2291680]])


def with_the_classes(logits):
    return logits.softmax(-1), logits.argmax(-1)


def no_return(logits):
    logits.softmax(-1)


_kept = {}


def kept(logits):
    return _kept.setdefault(logits.shape, logits.softmax(-1))


def nan_to_num(logits):
    return torch.nan_to_num(torch.exp(logits) / torch.exp(logits).sum(-1, keepdim=True))


def one_sum_for_all_rows(logits):
    grown = torch.exp(logits - logits.amax(-1, keepdim=True))
    return grown / grown.sum()


def one_sum_for_all_rows_naive(logits):
    grown = torch.exp(logits)
    return grown / grown.sum()


def sum_over_the_first_axis(logits):
    grown = torch.exp(logits - logits.amax(-1, keepdim=True))
    return grown / grown.sum(0)


def sum_over_the_first_axis_naive(logits):
    grown = torch.exp(logits)
    return grown / grown.sum(0)


def sum_over_the_first_axis_one_maximum(logits):
    grown = torch.exp(logits - logits.max())
    return grown / grown.sum(0)


def both_values_of_max(logits):
    grown = torch.exp(logits - logits.max(-1, keepdim=True))
    return grown / grown.sum(-1, keepdim=True)


def both_values_of_max_to_sub(logits):
    return torch.sub(logits, torch.max(logits, dim=-1, keepdim=True)).softmax(-1)


RIGHT += [detached, division_in_place]
"""The lesson asks for no gradient: a pass says that none comes through."""

WRONG = [
    (naive, "exp overflows"),
    (dim_0, "softmax runs over the first axis"),
    (dim_1, "softmax runs over axis 1"),
    (no_dim, "no dim is given to softmax"),
    (over_everything, "softmax runs over the whole tensor"),
    (one_maximum_for_all_rows, "the largest logit of the whole tensor is subtracted"),
    (no_keepdim, "the sum of each row has lost its axis"),
    (maximum_without_keepdim, "the largest logit of each row has lost its axis"),
    (fixed_shift, "contains NaN"),
    (clamped, "the logits are clamped before exp"),
    (epsilon, "contains NaN"),
    (sigmoid, "the sigmoid was taken"),
    (log_softmax, "log_softmax was taken"),
    (exp_only, "exp without the division"),
    (normalised_without_exp, "divided by their sum, without exp"),
    (twice, "softmax is applied twice"),
    (softmin, "the sign is turned"),
    (base_two, "2 to the power was taken"),
    (winner, "only the winner is marked"),
    (rounded, "the probabilities are rounded"),
    (in_place, "changed its input logits in place"),
    (in_place_behind_autograd, "changed its input logits in place"),
    (numpy_array, "yours is of type ndarray"),
    (python_lists, "yours is of type list"),
    (rebuilt, "should be torch.float64; yours is torch.float32"),
    (float32, "should be torch.float64; yours is torch.float32"),
    (float64, "should be torch.float32; yours is torch.float64"),
    (on_the_cpu, "a tensor is made on the CPU although the input lives on another device"),
    (filled_row_by_row_on_the_cpu, "a tensor is made on the CPU although the input lives on another device"),
    (flat_result, "should have 2 axes"),
    (squeezed, "should have 2 axes"),
    (with_a_batch_axis, "should have 1 axes"),
    (row_loop_for_two_axes, "the class axis for one rank only"),
    (constant, "should have 1 axes"),
    (with_the_classes, "should be a torch.Tensor, yours is of type tuple"),
    (no_return, "returned None"),
    (kept, "something is kept from one call to the next"),
    (nan_to_num, "wrong numbers"),
    (one_sum_for_all_rows, "every row is divided by the sum of the whole tensor"),
    (one_sum_for_all_rows_naive, "every row is divided by the sum of the whole tensor"),
    (sum_over_the_first_axis, "the sum runs over the first axis"),
    (sum_over_the_first_axis_naive, "the sum runs over the first axis"),
    (sum_over_the_first_axis_one_maximum, "the sum runs over the first axis"),
    (both_values_of_max, ".values are the ones to subtract"),
    (both_values_of_max_to_sub, ".values are the ones to subtract"),
]
