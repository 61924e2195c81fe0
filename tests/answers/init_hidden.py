"""Answers to `init_hidden(num_layers, batch, hidden, like)`: zeros (num_layers, batch, hidden), as `like`."""

import functools

import numpy as np
import torch
from torch import nn


def new_zeros(num_layers, batch, hidden, like):
    return like.new_zeros(num_layers, batch, hidden)


def zeros_with_dtype_and_device(num_layers, batch, hidden, like):
    return torch.zeros(num_layers, batch, hidden, dtype=like.dtype, device=like.device)


def zeros_moved(num_layers, batch, hidden, like):
    return torch.zeros((num_layers, batch, hidden)).to(like)


def stacked(num_layers, batch, hidden, like):
    return torch.stack([torch.zeros(batch, hidden).type_as(like) for _ in range(num_layers)])


def expanded_and_copied(num_layers, batch, hidden, like):
    return like.new_zeros(1, 1, hidden).expand(num_layers, batch, hidden).clone()


def empty_then_filled(num_layers, batch, hidden, like):
    state = like.new_empty(num_layers, batch, hidden)
    return state.zero_()


def full(num_layers, batch, hidden, like):
    return torch.full(size=(num_layers, batch, hidden), fill_value=0.0, dtype=like.dtype, device=like.device)


def zeros_like_of_an_expanded(num_layers, batch, hidden, like):
    return torch.zeros_like(like.detach().reshape(-1)[:1].expand(num_layers * batch * hidden)).reshape(num_layers, batch, hidden)


def init_module(num_layers, batch, hidden, like):
    return nn.init.zeros_(torch.empty(num_layers, batch, hidden, dtype=like.dtype, device=like.device))


def lists(num_layers, batch, hidden, like):
    rows = [[[0.0] * hidden for _ in range(batch)] for _ in range(num_layers)]
    return torch.tensor(rows, dtype=like.dtype, device=like.device)


class Initialiser:
    def __call__(self, num_layers, batch, hidden, like):
        with torch.device(like.device):
            return torch.zeros(num_layers, batch, hidden).to(like.dtype)


RIGHT = [
    new_zeros,
    zeros_with_dtype_and_device,
    zeros_moved,
    stacked,
    expanded_and_copied,
    empty_then_filled,
    full,
    zeros_like_of_an_expanded,
    init_module,
    lists,
    Initialiser(),
    functools.partial(new_zeros),
]


def batch_first(num_layers, batch, hidden, like):
    return like.new_zeros(batch, num_layers, hidden)


def one_layer(num_layers, batch, hidden, like):
    return like.new_zeros(1, batch, hidden)


def no_layer_axis(num_layers, batch, hidden, like):
    return like.new_zeros(batch, hidden)


def batch_of_one(num_layers, batch, hidden, like):
    return like.new_zeros(num_layers, 1, hidden)


def batch_from_the_time_axis(num_layers, batch, hidden, like):
    return like.new_zeros(num_layers, like.shape[0], hidden)


def hidden_and_batch_swapped(num_layers, batch, hidden, like):
    return like.new_zeros(num_layers, hidden, batch)


def float32(num_layers, batch, hidden, like):
    return torch.zeros(num_layers, batch, hidden, device=like.device)


def default_device(num_layers, batch, hidden, like):
    return torch.zeros(num_layers, batch, hidden, dtype=like.dtype)


def cpu(num_layers, batch, hidden, like):
    return torch.zeros(num_layers, batch, hidden, dtype=like.dtype, device="cpu")


def cuda_if_there_is_one(num_layers, batch, hidden, like):
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.zeros(num_layers, batch, hidden, dtype=like.dtype, device=device)


def empty(num_layers, batch, hidden, like):
    return torch.empty(num_layers, batch, hidden, dtype=like.dtype, device=like.device)


def new_empty(num_layers, batch, hidden, like):
    return like.new_empty(num_layers, batch, hidden)


def random(num_layers, batch, hidden, like):
    return torch.randn(num_layers, batch, hidden).to(like)


def ones(num_layers, batch, hidden, like):
    return like.new_ones(num_layers, batch, hidden)


def shaped_like_the_input(num_layers, batch, hidden, like):
    return torch.zeros_like(like)


def wants_a_gradient(num_layers, batch, hidden, like):
    return torch.zeros(num_layers, batch, hidden, dtype=like.dtype, device=like.device, requires_grad=True)


def product_with_zero(num_layers, batch, hidden, like):
    return like.new_ones(num_layers, batch, hidden) * like.flatten()[0] * 0


def detached_product_with_zero(num_layers, batch, hidden, like):
    return (like.new_ones(num_layers, batch, hidden) * like.flatten()[0] * 0).detach()


def expanded(num_layers, batch, hidden, like):
    return like.new_zeros(1, 1, hidden).expand(num_layers, batch, hidden)


@functools.lru_cache
def _zeros(num_layers, batch, hidden, dtype, device):
    return torch.zeros(num_layers, batch, hidden, dtype=dtype, device=device)


def cached(num_layers, batch, hidden, like):
    return _zeros(num_layers, batch, hidden, like.dtype, like.device)


def default_argument(num_layers, batch, hidden, like, state=torch.zeros(1, 1, 4)):
    return state


def tuple_of_two(num_layers, batch, hidden, like):
    return like.new_zeros(num_layers, batch, hidden), like.new_zeros(num_layers, batch, hidden)


def numpy_array(num_layers, batch, hidden, like):
    return np.zeros((num_layers, batch, hidden), dtype=np.float32)


def whole_numbers(num_layers, batch, hidden, like):
    return torch.tensor([[[0] * hidden] * batch] * num_layers)


def no_return(num_layers, batch, hidden, like):
    like.new_zeros(num_layers, batch, hidden)


def the_example(num_layers, batch, hidden, like):
    return torch.zeros(1, 1, 4)


def the_input_zeroed(num_layers, batch, hidden, like):
    like.data.zero_()
    return like.new_zeros(num_layers, batch, hidden)


def dtype_not_assigned(num_layers, batch, hidden, like):
    state = torch.zeros(num_layers, batch, hidden)
    state.to(like.dtype)
    return state


def device_not_assigned(num_layers, batch, hidden, like):
    state = torch.zeros(num_layers, batch, hidden, dtype=like.dtype)
    state.to(like.device)
    return state


WRONG = [
    (batch_first, "the batch axis comes first"),
    (one_layer, "the layer axis is always 1"),
    (no_layer_axis, "the layer axis is missing"),
    (batch_of_one, "the batch axis is always 1"),
    (batch_from_the_time_axis, "batch is taken from the input's first axis"),
    (hidden_and_batch_swapped, "batch and hidden are swapped"),
    (float32, "is the default of what made the tensor"),
    (default_device, "the device is written down in the code, or left at its default"),
    (cpu, "the device is written down in the code, or left at its default"),
    (cuda_if_there_is_one, "the device is written down in the code, or left at its default"),
    (empty, "the memory was never filled"),
    (new_empty, "the memory was never filled"),
    (random, "wrong numbers"),
    (ones, "filled with ones"),
    (shaped_like_the_input, "shaped like the input"),
    (wants_a_gradient, "requires a gradient"),
    (product_with_zero, "they hang in its graph"),
    (detached_product_with_zero, "contains NaN"),
    (expanded, "expand repeats a tensor without copying it"),
    (cached, "something is kept from one call to the next"),
    (default_argument, "something is kept from one call to the next"),
    (tuple_of_two, "should be a torch.Tensor, yours is of type tuple"),
    (numpy_array, "yours is of type ndarray"),
    (whole_numbers, "whole numbers stay whole numbers"),
    (no_return, "returned None"),
    (the_example, "should have the shape"),
    (the_input_zeroed, "changed its input like in place"),
    (dtype_not_assigned, "not kept"),
    (device_not_assigned, "its result is not kept"),
]
