"""Answers to `rnn_step(x, h, W_ih, W_hh, b_ih, b_hh)`: one step of an RNN cell."""

import copy
import functools

import torch
from torch import nn
from torch.func import functional_call
from torch.nn import functional as F

from course import example


def matmul(x, h, W_ih, W_hh, b_ih, b_hh):
    return torch.tanh(x @ W_ih.T + b_ih + h @ W_hh.T + b_hh)


def linear(x, h, W_ih, W_hh, b_ih, b_hh):
    return F.linear(x, W_ih, b_ih).add(F.linear(h, W_hh, b_hh)).tanh()


def einsum(x, h, W_ih, W_hh, b_ih, b_hh):
    return torch.tanh(torch.einsum("bf,hf->bh", x, W_ih) + torch.einsum("bk,hk->bh", h, W_hh) + (b_ih + b_hh))


def concatenated(x, h, W_ih, W_hh, b_ih, b_hh):
    return torch.tanh(F.linear(torch.cat([x, h], 1), torch.cat([W_ih, W_hh], 1), b_ih + b_hh))


def weights_on_the_left(x, h, W_ih, W_hh, b_ih, b_hh):
    return torch.tanh(W_ih @ x.T + b_ih[:, None] + W_hh @ h.T + b_hh[:, None]).T


def cell_with_copied_weights(x, h, W_ih, W_hh, b_ih, b_hh):
    cell = nn.RNNCell(x.shape[1], h.shape[1])
    with torch.no_grad():
        cell.weight_ih.copy_(W_ih)
        cell.weight_hh.copy_(W_hh)
        cell.bias_ih.copy_(b_ih)
        cell.bias_hh.copy_(b_hh)
    return cell(x, h)


def cell_with_replaced_parameters(x, h, W_ih, W_hh, b_ih, b_hh):
    cell = nn.RNNCell(x.shape[1], h.shape[1], device="meta")
    for name, value in (("weight_ih", W_ih), ("weight_hh", W_hh), ("bias_ih", b_ih), ("bias_hh", b_hh)):
        setattr(cell, name, nn.Parameter(value))
    return cell(x, h)


def functional_cell(x, h, W_ih, W_hh, b_ih, b_hh):
    cell = nn.RNNCell(x.shape[1], h.shape[1], device="meta")
    return functional_call(cell, {"weight_ih": W_ih, "weight_hh": W_hh, "bias_ih": b_ih, "bias_hh": b_hh}, (x, h))


def layer_with_copied_weights(x, h, W_ih, W_hh, b_ih, b_hh):
    layer = nn.RNN(x.shape[1], h.shape[1])
    layer.load_state_dict({"weight_ih_l0": W_ih, "weight_hh_l0": W_hh, "bias_ih_l0": b_ih, "bias_hh_l0": b_hh})
    return layer(x.unsqueeze(0), h.unsqueeze(0))[1].squeeze(0)


def row_by_row(x, h, W_ih, W_hh, b_ih, b_hh):
    return torch.stack([torch.tanh(W_ih @ x_b + b_ih + W_hh @ h_b + b_hh) for x_b, h_b in zip(x, h)])


def unit_by_unit(x, h, W_ih, W_hh, b_ih, b_hh):
    new = torch.zeros_like(h)
    for u in range(h.shape[1]):
        new[:, u] = torch.tanh((x * W_ih[u]).sum(1) + b_ih[u] + (h * W_hh[u]).sum(1) + b_hh[u])
    return new


def tanh_written_out(x, h, W_ih, W_hh, b_ih, b_hh):
    total = torch.addmm(b_ih, x, W_ih.T) + torch.addmm(b_hh, h, W_hh.T)
    return 2 * torch.sigmoid(2 * total) - 1


def summed_in_place_on_a_new_tensor(x, h, W_ih, W_hh, b_ih, b_hh):
    total = x @ W_ih.T
    total += h @ W_hh.T
    total += b_ih
    total += b_hh
    return total.tanh_()


RIGHT = [
    matmul,
    linear,
    einsum,
    concatenated,
    weights_on_the_left,
    cell_with_copied_weights,
    cell_with_replaced_parameters,
    functional_cell,
    layer_with_copied_weights,
    row_by_row,
    unit_by_unit,
    tanh_written_out,
    summed_in_place_on_a_new_tensor,
    functools.partial(matmul),
]


def W_hh_not_transposed(x, h, W_ih, W_hh, b_ih, b_hh):
    return torch.tanh(x @ W_ih.T + b_ih + h @ W_hh + b_hh)


def nothing_transposed(x, h, W_ih, W_hh, b_ih, b_hh):
    return torch.tanh(x @ W_ih + b_ih + h @ W_hh + b_hh)


def W_ih_not_transposed_where_it_fits(x, h, W_ih, W_hh, b_ih, b_hh):
    W = W_ih if W_ih.shape[0] == W_ih.shape[1] else W_ih.T
    return torch.tanh(x @ W + b_ih + h @ W_hh.T + b_hh)


def W_hh_turned_left(x, h, W_ih, W_hh, b_ih, b_hh):
    return torch.tanh((W_ih @ x.T).T + b_ih + (W_hh.T @ h.T).T + b_hh)


def W_ih_reshaped(x, h, W_ih, W_hh, b_ih, b_hh):
    return torch.tanh(x @ W_ih.reshape(W_ih.shape[1], W_ih.shape[0]) + b_ih + h @ W_hh.T + b_hh)


def no_b_hh(x, h, W_ih, W_hh, b_ih, b_hh):
    return torch.tanh(x @ W_ih.T + b_ih + h @ W_hh.T)


def no_b_ih(x, h, W_ih, W_hh, b_ih, b_hh):
    return torch.tanh(x @ W_ih.T + h @ W_hh.T + b_hh)


def no_bias(x, h, W_ih, W_hh, b_ih, b_hh):
    return torch.tanh(x @ W_ih.T + h @ W_hh.T)


def b_ih_twice(x, h, W_ih, W_hh, b_ih, b_hh):
    return torch.tanh(F.linear(x, W_ih, b_ih) + F.linear(h, W_hh, b_ih))


def bias_along_the_batch(x, h, W_ih, W_hh, b_ih, b_hh):
    bias = (b_ih + b_hh)[:, None] if len(x) == len(b_ih) else b_ih + b_hh
    return torch.tanh(x @ W_ih.T + h @ W_hh.T + bias)


def no_tanh(x, h, W_ih, W_hh, b_ih, b_hh):
    return x @ W_ih.T + b_ih + h @ W_hh.T + b_hh


def tanh_on_each_term(x, h, W_ih, W_hh, b_ih, b_hh):
    return torch.tanh(x @ W_ih.T + b_ih) + torch.tanh(h @ W_hh.T + b_hh)


def tanh_on_the_input_only(x, h, W_ih, W_hh, b_ih, b_hh):
    return torch.tanh(x @ W_ih.T + b_ih) + h @ W_hh.T + b_hh


def sigmoid(x, h, W_ih, W_hh, b_ih, b_hh):
    return torch.sigmoid(x @ W_ih.T + b_ih + h @ W_hh.T + b_hh)


def relu(x, h, W_ih, W_hh, b_ih, b_hh):
    return torch.relu(x @ W_ih.T + b_ih + h @ W_hh.T + b_hh)


def tanh_by_exp(x, h, W_ih, W_hh, b_ih, b_hh):
    total = x @ W_ih.T + b_ih + h @ W_hh.T + b_hh
    return (total.exp() - (-total).exp()) / (total.exp() + (-total).exp())


def state_ignored(x, h, W_ih, W_hh, b_ih, b_hh):
    return torch.tanh(x @ W_ih.T + b_ih + b_hh)


def cell_without_a_state(x, h, W_ih, W_hh, b_ih, b_hh):
    cell = nn.RNNCell(x.shape[1], h.shape[1], device="meta")
    return functional_call(cell, {"weight_ih": W_ih, "weight_hh": W_hh, "bias_ih": b_ih, "bias_hh": b_hh}, (x,))


def no_W_hh(x, h, W_ih, W_hh, b_ih, b_hh):
    return torch.tanh(x @ W_ih.T + b_ih + h + b_hh)


def elementwise_W_hh(x, h, W_ih, W_hh, b_ih, b_hh):
    return torch.tanh(x @ W_ih.T + b_ih + h * W_hh.diagonal() + b_hh)


def detached_state(x, h, W_ih, W_hh, b_ih, b_hh):
    return torch.tanh(x @ W_ih.T + b_ih + h.detach() @ W_hh.T + b_hh)


def data(x, h, W_ih, W_hh, b_ih, b_hh):
    return torch.tanh(x.data @ W_ih.T + b_ih + h.data @ W_hh.T + b_hh)


def deep_copied_result(x, h, W_ih, W_hh, b_ih, b_hh):
    return copy.deepcopy(torch.tanh(x @ W_ih.T + b_ih + h @ W_hh.T + b_hh))


def in_place_on_h(x, h, W_ih, W_hh, b_ih, b_hh):
    h.data[:] = torch.tanh(x @ W_ih.T + b_ih + h @ W_hh.T + b_hh)
    return h.clone()


def bias_added_into_b_ih(x, h, W_ih, W_hh, b_ih, b_hh):
    b_ih += b_hh
    return torch.tanh(x @ W_ih.T + h @ W_hh.T + b_ih)


def transposed_in_place(x, h, W_ih, W_hh, b_ih, b_hh):
    return torch.tanh(x @ W_ih.t_() + b_ih + h @ W_hh.t_() + b_hh)


def first_row_only(x, h, W_ih, W_hh, b_ih, b_hh):
    return torch.tanh(W_ih @ x[0] + b_ih + W_hh @ h[0] + b_hh).unsqueeze(0)


def squeezed(x, h, W_ih, W_hh, b_ih, b_hh):
    return torch.tanh(x @ W_ih.T + b_ih + h @ W_hh.T + b_hh).squeeze()


def summed_over_the_batch(x, h, W_ih, W_hh, b_ih, b_hh):
    return torch.tanh(x @ W_ih.T + b_ih + (h @ W_hh.T).mean(0) + b_hh)


def hard_coded(x, h, W_ih, W_hh, b_ih, b_hh):
    return torch.tensor([[0.05, 0.10, 0.15, 0.20]])


def weights_of_the_example(x, h, W_ih, W_hh, b_ih, b_hh):
    w = example.weights()
    return torch.tanh(x @ w["W_ih"].T + h @ w["W_hh"].T)


_h = None


def global_state(x, h, W_ih, W_hh, b_ih, b_hh):
    global _h
    if _h is None or _h.shape != h.shape:
        _h = h
    _h = torch.tanh(x @ W_ih.T + b_ih + _h @ W_hh.T + b_hh)
    return _h


def rounded(x, h, W_ih, W_hh, b_ih, b_hh):
    return torch.tanh(x @ W_ih.T + b_ih + h @ W_hh.T + b_hh).round(decimals=4)


def on_the_cpu(x, h, W_ih, W_hh, b_ih, b_hh):
    new = torch.zeros(h.shape, dtype=h.dtype)
    return torch.tanh(new + x @ W_ih.T + b_ih + h @ W_hh.T + b_hh)


def preallocated_in_float32_on_the_cpu(x, h, W_ih, W_hh, b_ih, b_hh):
    new = torch.zeros(h.shape)
    for row in range(len(h)):
        new[row] = torch.tanh(W_ih @ x[row] + b_ih + W_hh @ h[row] + b_hh)
    return new


def all_in_float32(x, h, W_ih, W_hh, b_ih, b_hh):
    x, h, W_ih, W_hh, b_ih, b_hh = (a.float() for a in (x, h, W_ih, W_hh, b_ih, b_hh))
    return torch.tanh(x @ W_ih.T + b_ih + h @ W_hh.T + b_hh)


def two_values(x, h, W_ih, W_hh, b_ih, b_hh):
    new = torch.tanh(x @ W_ih.T + b_ih + h @ W_hh.T + b_hh)
    return new, new


def no_return(x, h, W_ih, W_hh, b_ih, b_hh):
    h = torch.tanh(x @ W_ih.T + b_ih + h @ W_hh.T + b_hh)


def numpy_array(x, h, W_ih, W_hh, b_ih, b_hh):
    return torch.tanh(x @ W_ih.T + b_ih + h @ W_hh.T + b_hh).detach().numpy()


def both_number_by_number(x, h, W_ih, W_hh, b_ih, b_hh):
    return torch.tanh(x * W_ih + b_ih + h * W_hh + b_hh)


def both_number_by_number_turned(x, h, W_ih, W_hh, b_ih, b_hh):
    return torch.tanh(x * W_ih.T + b_ih + h * W_hh.T + b_hh)


def state_number_by_number(x, h, W_ih, W_hh, b_ih, b_hh):
    return torch.tanh(x @ W_ih.T + b_ih + h * W_hh + b_hh)


def state_number_by_number_turned(x, h, W_ih, W_hh, b_ih, b_hh):
    return torch.tanh(x @ W_ih.T + b_ih + h * W_hh.T + b_hh)


def input_number_by_number(x, h, W_ih, W_hh, b_ih, b_hh):
    return torch.tanh(x * W_ih.T + b_ih + h @ W_hh.T + b_hh)


def units_first(x, h, W_ih, W_hh, b_ih, b_hh):
    return torch.tanh(W_ih @ x.T + b_ih + W_hh @ h.T + b_hh)


def fresh_layers(x, h, W_ih, W_hh, b_ih, b_hh):
    return torch.tanh(nn.Linear(x.shape[1], h.shape[1])(x) + nn.Linear(h.shape[1], h.shape[1])(h))


def fresh_cell(x, h, W_ih, W_hh, b_ih, b_hh):
    return nn.RNNCell(x.shape[1], h.shape[1])(x, h)


WRONG = [
    (W_hh_not_transposed, "W_hh is not transposed"),
    (nothing_transposed, "neither weight matrix is transposed"),
    (W_ih_not_transposed_where_it_fits, "wrong numbers"),
    (W_hh_turned_left, "W_hh is not transposed"),
    (W_ih_reshaped, "wrong numbers"),
    (no_b_hh, "b_hh is left out"),
    (no_b_ih, "b_ih is left out"),
    (no_bias, "both biases are left out"),
    (b_ih_twice, "b_ih is added twice and b_hh never"),
    (bias_along_the_batch, "wrong numbers"),
    (no_tanh, "tanh is forgotten"),
    (tanh_on_each_term, "tanh is put on each term"),
    (tanh_on_the_input_only, "only the input part goes through tanh"),
    (sigmoid, "the sigmoid was taken"),
    (relu, "ReLU was taken"),
    (tanh_by_exp, "contains NaN"),
    (state_ignored, "the term with W_hh and h is missing"),
    (cell_without_a_state, "the term with W_hh and h is missing"),
    (no_W_hh, "h goes into the sum without W_hh"),
    (elementwise_W_hh, "wrong numbers"),
    (detached_state, "the graph is cut at the state"),
    (data, "cuts the graph"),
    (deep_copied_result, "return copy.deepcopy("),
    (in_place_on_h, "changed its input h in place"),
    (bias_added_into_b_ih, "changed its input b_ih in place"),
    (transposed_in_place, "changed its input W_ih in place"),
    (first_row_only, "should have the shape"),
    (squeezed, "should have 2 axes"),
    (summed_over_the_batch, "wrong numbers"),
    (hard_coded, "wrong numbers"),
    (weights_of_the_example, "raised an error in line"),
    (global_state, "something is kept from one call to the next"),
    (rounded, "wrong numbers"),
    (on_the_cpu, "a tensor is made on the CPU although the input lives on another device"),
    (preallocated_in_float32_on_the_cpu, "should be torch.float64; yours is torch.float32"),
    (all_in_float32, "should be torch.float64; yours is torch.float32"),
    (two_values, "should be a torch.Tensor, yours is of type tuple"),
    (no_return, "returned None"),
    (numpy_array, "yours is of type ndarray"),
    (both_number_by_number, "* multiplies number by number, in both products"),
    (both_number_by_number_turned, "* multiplies number by number, in both products"),
    (state_number_by_number, "h * W_hh multiplies number by number"),
    (state_number_by_number_turned, "h * W_hh.T multiplies number by number"),
    (input_number_by_number, "x * W_ih.T multiplies number by number"),
    (units_first, "have the units first, (H, B)"),
    (fresh_layers, "random"),
    (fresh_cell, "random"),
]
