"""Answers to `to_input(seqs)`: B sequences of T rows of F numbers -> float32 (T, B, F)."""

import functools

import numpy as np
import torch
from torch.nn.utils.rnn import pad_sequence

from course import example


def transpose(seqs):
    return torch.tensor(seqs, dtype=torch.float32).transpose(0, 1)


def permute_and_copy(seqs):
    return torch.tensor(seqs).float().permute(1, 0, 2).contiguous()


def stack_along_the_batch_axis(seqs):
    return torch.stack([torch.tensor(seq, dtype=torch.float32) for seq in seqs], dim=1)


def plain_lists_turned_by_zip(seqs):
    return torch.tensor([list(rows) for rows in zip(*seqs)], dtype=torch.float32)


def pad(seqs):
    return pad_sequence([torch.FloatTensor(seq) for seq in seqs], batch_first=False)


def numpy_first(seqs):
    return torch.from_numpy(np.array(seqs, dtype=np.float32)).swapaxes(0, 1)


def filled_element_by_element(seqs):
    B, T, F = len(seqs), len(seqs[0]), len(seqs[0][0])
    x = torch.zeros(T, B, F)
    for b in range(B):
        for t in range(T):
            for f in range(F):
                x[t, b, f] = seqs[b][t][f]
    return x


def cat_of_unsqueezed(seqs):
    return torch.cat([torch.as_tensor(seq).to(torch.float32).unsqueeze(1) for seq in seqs], dim=1)


def einsum(seqs):
    return torch.einsum("btf->tbf", torch.tensor(seqs, dtype=torch.float))


class Converter:
    def __init__(self, dtype):
        self.dtype = dtype

    def __call__(self, seqs):
        return torch.tensor(seqs, dtype=self.dtype).movedim(0, 1)


def through_a_list(seqs):
    return torch.tensor(torch.tensor(seqs, dtype=torch.float32).transpose(0, 1).tolist())


RIGHT = [
    transpose,
    permute_and_copy,
    stack_along_the_batch_axis,
    plain_lists_turned_by_zip,
    pad,
    numpy_first,
    filled_element_by_element,
    cat_of_unsqueezed,
    einsum,
    Converter(torch.float32),
    functools.partial(lambda axes, seqs: torch.tensor(seqs, dtype=torch.float32).permute(axes), (1, 0, 2)),
    through_a_list,
]


def batch_first(seqs):
    return torch.tensor(seqs, dtype=torch.float32)


def reshape_for_transpose(seqs):
    x = torch.tensor(seqs, dtype=torch.float32)
    B, T, F = x.shape
    return x.reshape(T, B, F)


def view_with_sizes_of_the_example(seqs):
    return torch.tensor(seqs, dtype=torch.float32).view(10, 1, 5)


def first_sequence_only(seqs):
    return torch.tensor(seqs[0]).unsqueeze(1)


def no_dtype(seqs):
    return torch.tensor(seqs).transpose(0, 1)


def hard_coded(seqs):
    return example.sequence()


def squeezed(seqs):
    return torch.tensor(seqs, dtype=torch.float32).squeeze().unsqueeze(1)


def all_axes_turned(seqs):
    return torch.tensor(seqs, dtype=torch.float32).permute(2, 1, 0)


def mT_of_the_last_axes(seqs):
    return torch.tensor(seqs, dtype=torch.float32).mT


def swapped_the_wrong_pair(seqs):
    return torch.tensor(seqs, dtype=torch.float32).transpose(0, 1).transpose(1, 2)


def double(seqs):
    return torch.tensor(seqs, dtype=torch.float64).transpose(0, 1)


def numpy_array(seqs):
    return np.array(seqs, dtype=np.float32).transpose(1, 0, 2)


def list_of_tensors(seqs):
    return [torch.tensor(row, dtype=torch.float32) for row in zip(*seqs)]


def no_return(seqs):
    torch.tensor(seqs, dtype=torch.float32).transpose(0, 1)


def backwards(seqs):
    return torch.tensor(seqs, dtype=torch.float32).transpose(0, 1).flip(0)


def last_step_dropped(seqs):
    return torch.tensor(seqs, dtype=torch.float32).transpose(0, 1)[:-1]


def end_to_end(seqs):
    return torch.cat([torch.tensor(seq, dtype=torch.float32) for seq in seqs]).unsqueeze(1)


def list_turned_in_place(seqs):
    seqs[:] = [list(rows) for rows in zip(*seqs)]
    return torch.tensor(seqs, dtype=torch.float32)


_seen = []


def global_list(seqs):
    _seen.extend(seqs)
    return torch.tensor(_seen, dtype=torch.float32).transpose(0, 1)


def default_argument(seqs, buffer=[]):
    if not buffer:
        buffer.append(torch.tensor(seqs, dtype=torch.float32).transpose(0, 1))
    return buffer[0]


def never_filled(seqs):
    return torch.empty(len(seqs[0]), len(seqs), len(seqs[0][0]))


def tensor_without_brackets(seqs):
    return torch.Tensor(len(seqs[0]), len(seqs), len(seqs[0][0])).fill_(seqs[0][0][0])


def list_of_lists(seqs):
    return [list(rows) for rows in zip(*seqs)]


def list_of_sequences(seqs):
    return [torch.tensor(seq) for seq in seqs]


WRONG = [
    (batch_first, "the batch axis comes first"),
    (reshape_for_transpose, "reshape or view was used where transpose was meant"),
    (view_with_sizes_of_the_example, "is invalid for input of size"),
    (first_sequence_only, "should have the shape"),
    (no_dtype, "whole numbers stay whole numbers"),
    (hard_coded, "should have the shape"),
    (squeezed, "should have"),
    (all_axes_turned, "The sizes are right, their order is not"),
    (mT_of_the_last_axes, "The sizes are right, their order is not"),
    (swapped_the_wrong_pair, "batch and features are swapped"),
    (double, "torch.float64 is written down in the code"),
    (numpy_array, "yours is of type ndarray"),
    (list_of_tensors, "torch.stack with dim=0 joins them into (10, 1, 5)"),
    (no_return, "returned None"),
    (backwards, "time runs backwards"),
    (last_step_dropped, "should have the shape"),
    (end_to_end, "laid end to end in time"),
    (list_turned_in_place, "changed its input seqs in place"),
    (global_list, "something is kept from one call to the next"),
    (default_argument, "something is kept from one call to the next"),
    (never_filled, "contains NaN"),
    (tensor_without_brackets, "wrong numbers"),
    (list_of_lists, "torch.tensor makes a tensor of"),
    (list_of_sequences, "torch.stack with dim=1 joins them into (10, 1, 5)"),
]
