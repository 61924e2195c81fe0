"""Answers to `last_valid(outputs, lengths)`: the output (B, H) at each sequence's last real step."""

import numpy as np
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence


def index_pairs(outputs, lengths):
    return outputs[lengths - 1, torch.arange(len(lengths))]


def gather(outputs, lengths):
    index = (lengths - 1).view(1, -1, 1).expand(1, -1, outputs.shape[2])
    return outputs.gather(0, index).squeeze(0)


def stack(outputs, lengths):
    return torch.stack([outputs[n - 1, b] for b, n in enumerate(lengths.tolist())])


def mask_and_sum(outputs, lengths):
    steps = torch.arange(outputs.shape[0]).unsqueeze(1)
    return (outputs * (steps == lengths - 1).unsqueeze(-1)).sum(0)


def einsum_with_one_hot(outputs, lengths):
    picks = torch.nn.functional.one_hot(lengths - 1, len(outputs)).to(outputs.dtype)
    return torch.einsum("tbh,bt->bh", outputs, picks)


def batch_first_then_index(outputs, lengths):
    rows = outputs.transpose(0, 1)
    return rows[range(rows.size(0)), lengths - 1]


def preallocated(outputs, lengths):
    last = torch.zeros_like(outputs[0])
    for b in range(outputs.shape[1]):
        last[b] = outputs[int(lengths[b]) - 1][b]
    return last


def flattened(outputs, lengths):
    T, B, H = outputs.shape
    return outputs.reshape(T * B, H).index_select(0, (lengths - 1) * B + torch.arange(B))


def where_in_a_loop(outputs, lengths):
    last = outputs[0]
    for t in range(1, len(outputs)):
        last = torch.where((t < lengths)[:, None], outputs[t], last)
    return last


def packed(outputs, lengths):
    padded, found = pad_packed_sequence(pack_padded_sequence(outputs, lengths, enforce_sorted=False))
    return torch.stack([padded[n - 1, b] for b, n in enumerate(found)])


RIGHT = [
    index_pairs,
    gather,
    stack,
    mask_and_sum,
    einsum_with_one_hot,
    batch_first_then_index,
    preallocated,
    flattened,
    where_in_a_loop,
    packed,
]


def shipped_again(outputs, lengths):
    return outputs[-1, :, :]


def last_of_batch_first(outputs, lengths):
    return outputs[:, -1]


def one_step_too_far(outputs, lengths):
    return outputs[lengths.clamp(max=len(outputs) - 1), torch.arange(len(lengths))]


def one_step_too_far_unclamped(outputs, lengths):
    return outputs[lengths, torch.arange(len(lengths))]


def one_step_too_early(outputs, lengths):
    return outputs[(lengths - 2).clamp(min=0), torch.arange(len(lengths))]


def steps_only(outputs, lengths):
    return outputs[lengths - 1]


def steps_only_first_of_each(outputs, lengths):
    return outputs[lengths - 1][:, 0]


def axes_swapped(outputs, lengths):
    return outputs[torch.arange(len(lengths)), lengths - 1]


def longest(outputs, lengths):
    return outputs[lengths.max() - 1]


def length_of_the_first(outputs, lengths):
    return outputs[lengths[0] - 1]


def first_step(outputs, lengths):
    return outputs[0]


def mean_over_time(outputs, lengths):
    return outputs.mean(0)


def mean_over_real_steps(outputs, lengths):
    return torch.stack([outputs[:n, b].mean(0) for b, n in enumerate(lengths)])


def maximum(outputs, lengths):
    return outputs.max(0).values


def sorted_by_length(outputs, lengths):
    order = lengths.argsort(descending=True, stable=True)
    return outputs[lengths[order] - 1, order]


def lengths_sorted(outputs, lengths):
    lengths = lengths.sort(descending=True).values
    return outputs[lengths - 1, torch.arange(len(lengths))]


def lengths_changed(outputs, lengths):
    lengths -= 1
    return outputs[lengths, torch.arange(len(lengths))]


def padding_zeroed_in_place(outputs, lengths):
    for b, n in enumerate(lengths):
        outputs.data[n:, b] = 0
    return outputs[lengths - 1, torch.arange(len(lengths))]


def last_non_zero(outputs, lengths):
    return torch.stack([row[row.abs().sum(1) > 0][-1] for row in outputs.transpose(0, 1)])


def detached(outputs, lengths):
    return outputs.detach()[lengths - 1, torch.arange(len(lengths))]


def through_numpy(outputs, lengths):
    return torch.tensor(outputs.detach().numpy()[np.asarray(lengths) - 1, np.arange(len(lengths))])


def float32(outputs, lengths):
    last = torch.zeros(outputs.shape[1:])
    for b, n in enumerate(lengths):
        last[b] = outputs[n - 1, b]
    return last


def three_sequences(outputs, lengths):
    return outputs[lengths[:3] - 1, torch.arange(len(lengths[:3]))]


def lengths_of_the_first_case(outputs, lengths):
    steps = [1, len(outputs) - 1, 3]
    return outputs[steps[: len(lengths)], range(len(lengths))[:3]]


def list_of_rows(outputs, lengths):
    return [outputs[n - 1, b] for b, n in enumerate(lengths)]


def time_axis_kept(outputs, lengths):
    return outputs[lengths - 1, torch.arange(len(lengths))].unsqueeze(0)


def no_return(outputs, lengths):
    outputs[lengths - 1, torch.arange(len(lengths))]


def never_filled(outputs, lengths):
    return torch.empty_like(outputs[0])


def squeezed(outputs, lengths):
    return outputs[lengths - 1, torch.arange(len(lengths))].squeeze()


def reshaped_to_batch_first(outputs, lengths):
    T, B, H = outputs.shape
    return outputs.reshape(B, T, H)[torch.arange(B), lengths - 1]


_first = {}


def indices_kept(outputs, lengths):
    index = _first.setdefault(outputs.shape[1:], lengths - 1)
    _first[outputs.shape[1:]] = index * 0
    return outputs[index.clamp(max=len(outputs) - 1), torch.arange(len(index))]


def right_for_the_longest_batch(outputs, lengths):
    """Right wherever the batch is no wider than it is long; else the state of the end."""
    return index_pairs(outputs, lengths) if outputs.shape[1] < len(outputs) else outputs[-1]


def padded_row_skipped(outputs, lengths):
    """Right as long as one sequence is as long as the padding."""
    return outputs[lengths - 1 + len(outputs) - lengths.max(), torch.arange(len(lengths))]


def lengths_at_the_batch_axis(outputs, lengths):
    return outputs[:, lengths - 1]


def sequence_0_in_one_index(outputs, lengths):
    return outputs[lengths - 1, 0]


RIGHT += [lengths_changed, padding_zeroed_in_place]
"""The lesson leaves open whether the inputs stay as they are."""

WRONG = [
    (shipped_again, "the same mistake as in the code you were given"),
    (last_of_batch_first, "should have the shape"),
    (one_step_too_far, "the step is lengths, not lengths - 1"),
    (one_step_too_far_unclamped, "out of bounds"),
    (one_step_too_early, "the step is one too early"),
    (steps_only, "picks whole batches"),
    (steps_only_first_of_each, "every row is read from sequence 0"),
    (axes_swapped, "time and batch are swapped in the index"),
    (longest, "every sequence is read at the longest length"),
    (length_of_the_first, "the length of the first sequence is used for all"),
    (first_step, "the first step is taken"),
    (mean_over_time, "averaged over all steps, padding included"),
    (mean_over_real_steps, "averaged over the real steps"),
    (maximum, "the largest output over time is taken"),
    (sorted_by_length, "the rows have changed places"),
    (lengths_sorted, "the lengths are sorted first"),
    (last_non_zero, "wrong numbers"),
    (detached, "the graph is cut"),
    (through_numpy, "the graph is cut"),
    (float32, "should be torch.float64; yours is torch.float32"),
    (three_sequences, "should have the shape"),
    (lengths_of_the_first_case, "should have the shape"),
    (list_of_rows, "torch.stack with dim=0 joins them into (3,"),
    (time_axis_kept, "should have 2 axes"),
    (no_return, "returned None"),
    (never_filled, "contains NaN"),
    (squeezed, "should have 2 axes"),
    (reshaped_to_batch_first, "wrong numbers"),
    (indices_kept, "something is kept from one call to the next"),
    (right_for_the_longest_batch, "wrong numbers"),
    (padded_row_skipped, "wrong numbers"),
    (lengths_at_the_batch_axis, "the lengths stand at the batch axis"),
    (sequence_0_in_one_index, "every row is read from sequence 0"),
]
