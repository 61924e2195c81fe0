"""Answers to `to_time_major(batch)`: (B, T, F) -> (T, B, F)."""

import numpy as np
import torch
from torch.nn.utils.rnn import pad_sequence


def transpose(batch):
    return batch.transpose(0, 1)


def permute(batch):
    return batch.permute(1, 0, 2).contiguous()


def stack_of_sequences(batch):
    return torch.stack(list(batch), dim=1)


def stack_of_steps(batch):
    return torch.stack([batch[:, t] for t in range(batch.shape[1])])


def einsum(batch):
    return torch.einsum("btf->tbf", batch)


def preallocated(batch):
    B, T, F = batch.shape
    out = batch.new_zeros(T, B, F)
    for b in range(B):
        out[:, b] = batch[b]
    return out


def cat_of_slices(batch):
    return torch.cat([one.unsqueeze(1) for one in batch.unbind(0)], 1)


def index_arithmetic(batch):
    B, T, F = batch.shape
    order = torch.arange(B * T).reshape(B, T).T.flatten()
    return batch.reshape(B * T, F)[order].reshape(T, B, F)


def pad(batch):
    return pad_sequence(list(batch))


def one_hot_product(batch):
    """A recursion over the steps, each cut off the front."""
    head = batch[:, :1].swapaxes(0, 1)
    return head if batch.shape[1] == 1 else torch.cat([head, one_hot_product(batch[:, 1:])])


def detached(batch):
    return batch.detach().transpose(0, 1)


def through_numpy(batch):
    return torch.from_numpy(np.ascontiguousarray(batch.detach().numpy().swapaxes(0, 1)))


def copied_with_tensor(batch):
    return torch.tensor(batch.transpose(0, 1))


RIGHT = [
    transpose,
    permute,
    stack_of_sequences,
    stack_of_steps,
    einsum,
    preallocated,
    cat_of_slices,
    index_arithmetic,
    pad,
    one_hot_product,
    detached,
    through_numpy,
    copied_with_tensor,
]


def unchanged(batch):
    return batch


def only_if_sizes_differ(batch):
    return batch if batch.shape[0] == batch.shape[1] else batch.transpose(0, 1)


def shipped_with_view(batch):
    return batch.reshape(batch.shape[1], batch.shape[0], -1)


def view(batch):
    return batch.contiguous().view(batch.shape[1], batch.shape[0], batch.shape[2])


def all_axes_turned(batch):
    return batch.permute(2, 1, 0)


def features_and_time(batch):
    return batch.mT


def features_in_the_middle(batch):
    return batch.transpose(0, 1).transpose(1, 2)


def moved_and_reshaped_back(batch):
    B, T, F = batch.shape
    return batch.transpose(0, 1).reshape(B, T, F).transpose(0, 1)


def through_a_list(batch):
    return torch.tensor([list(rows) for rows in zip(*batch.tolist())])


def float32(batch):
    return batch.transpose(0, 1).float()


def in_place(batch):
    return batch.transpose_(0, 1)


def not_a_tensor(batch):
    return [one for one in batch.transpose(0, 1)]


def no_return(batch):
    batch.transpose(0, 1)


def squeezed(batch):
    return batch.transpose(0, 1).squeeze()


def backwards(batch):
    return batch.transpose(0, 1).flip(0)


def off_by_one(batch):
    return torch.stack([batch[:, t] for t in range(batch.shape[1] - 1)])


def first_sequence_everywhere(batch):
    return batch[:1].transpose(0, 1).expand(-1, len(batch), -1)


def batch_of_two_only(batch):
    return torch.stack([batch[0], batch[1]], 1)


_kept = {}


def kept_by_shape(batch):
    if batch.shape not in _kept:
        _kept[batch.shape] = batch.transpose(0, 1)
    return _kept[batch.shape]


def never_filled(batch):
    return torch.empty_like(batch.transpose(0, 1))


def list_of_lists(batch):
    return [list(rows) for rows in zip(*batch.tolist())]


WRONG = [
    (unchanged, "nothing was moved"),
    (only_if_sizes_differ, "wrong numbers"),
    (shipped_with_view, "the same mistake as in the code you were given"),
    (view, "the same mistake as in the code you were given"),
    (all_axes_turned, "all three axes are turned round"),
    (features_and_time, "time and features are swapped, the batch is still first"),
    (features_in_the_middle, "the features end up in the middle"),
    (moved_and_reshaped_back, "the rows are mixed again"),
    (through_a_list, "is the default of what made the tensor"),
    (float32, "should be torch.float64; yours is torch.float32"),
    (in_place, "changed its input batch in place"),
    (not_a_tensor, "torch.stack with dim="),
    (no_return, "returned None"),
    (squeezed, "should have 3 axes"),
    (backwards, "time runs backwards"),
    (off_by_one, "should have the shape"),
    (first_sequence_everywhere, "every sequence is the first one"),
    (batch_of_two_only, "should have the shape"),
    (kept_by_shape, "something is kept from one call to the next"),
    (never_filled, "contains NaN"),
    (list_of_lists, "torch.tensor makes a tensor of them"),
]
