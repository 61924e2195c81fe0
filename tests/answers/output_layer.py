"""Answers to `output_layer(h, W, b)`: h (B, H), W (C, H), b (C,) -> raw logits (B, C)."""

import torch
from torch import nn
from torch.nn import functional as F

from course import example


def linear(h, W, b):
    return F.linear(h, W, b)


def matmul(h, W, b):
    return h @ W.T + b


def einsum(h, W, b):
    return torch.einsum("bh,ch->bc", h, W) + b


def addmm(h, W, b):
    return torch.addmm(b, h, W.t())


def weights_on_the_left(h, W, b):
    return (W @ h.T + b.unsqueeze(1)).T


def layer_with_copied_weights(h, W, b):
    layer = nn.Linear(W.shape[1], W.shape[0])
    with torch.no_grad():
        layer.weight.copy_(W)
        layer.bias.copy_(b)
    return layer(h)


def layer_with_replaced_parameters(h, W, b):
    layer = nn.Linear(*W.shape[::-1], device="meta")
    layer.weight, layer.bias = nn.Parameter(W), nn.Parameter(b)
    return layer(h)


def broadcast_and_sum(h, W, b):
    return (h[:, None, :] * W[None]).sum(-1) + b


def element_by_element(h, W, b):
    return torch.stack([torch.stack([(row * w).sum() + bias for w, bias in zip(W, b)]) for row in h])


def bias_as_a_weight(h, W, b):
    return torch.cat([h, torch.ones_like(h[:, :1])], 1) @ torch.cat([W, b[:, None]], 1).T


def added_in_place_on_a_new_tensor(h, W, b):
    logits = torch.mm(h, W.transpose(0, 1))
    logits += b.expand_as(logits)
    return logits


RIGHT = [
    linear,
    matmul,
    einsum,
    addmm,
    weights_on_the_left,
    layer_with_copied_weights,
    layer_with_replaced_parameters,
    broadcast_and_sum,
    element_by_element,
    bias_as_a_weight,
    added_in_place_on_a_new_tensor,
]


def not_transposed(h, W, b):
    return h @ W + b


def not_transposed_where_it_fits(h, W, b):
    return h @ (W if W.shape[0] == W.shape[1] else W.T) + b


def reshaped(h, W, b):
    return h @ W.reshape(W.shape[1], W.shape[0]) + b


def no_bias(h, W, b):
    return h @ W.T


def bias_subtracted(h, W, b):
    return h @ W.T - b


def bias_twice(h, W, b):
    return F.linear(h, W, b) + b


def bias_along_the_batch(h, W, b):
    return h @ W.T + (b[:, None] if len(h) == len(b) else b)


def softmax(h, W, b):
    return F.linear(h, W, b).softmax(-1)


def log_softmax(h, W, b):
    return F.log_softmax(F.linear(h, W, b), dim=1)


def sigmoid(h, W, b):
    return F.linear(h, W, b).sigmoid()


def tanh_again(h, W, b):
    return F.linear(h.tanh(), W, b)


def tanh_on_the_logits(h, W, b):
    return F.linear(h, W, b).tanh()


def relu(h, W, b):
    return F.linear(h, W, b).relu()


def turned_round(h, W, b):
    return W @ h.T + b[:, None]


def first_row_for_all(h, W, b):
    return F.linear(h[0], W, b).expand(len(h), -1)


def last_row(h, W, b):
    return F.linear(h[-1], W, b).unsqueeze(0)


def mean_over_the_batch(h, W, b):
    return F.linear(h.mean(0, keepdim=True), W, b).expand(len(h), -1)


def best_class(h, W, b):
    return F.linear(h, W, b).argmax(1)


def squeezed(h, W, b):
    return F.linear(h, W, b).squeeze()


def detached(h, W, b):
    return F.linear(h.detach(), W, b)


def result_detached(h, W, b):
    return F.linear(h, W, b).detach()


def through_numpy(h, W, b):
    return torch.from_numpy(h.numpy() @ W.numpy().T + b.numpy())


def in_place_on_h(h, W, b):
    h.data.tanh_()
    return F.linear(h, W, b)


def bias_in_place(h, W, b):
    b += h @ W.T
    return b


def float32(h, W, b):
    return F.linear(h.float(), W.float(), b.float())


def preallocated_on_the_cpu(h, W, b):
    logits = torch.zeros(len(h), len(W), dtype=h.dtype, device="cpu")
    return logits + F.linear(h, W, b)


def three_classes(h, W, b):
    return torch.stack([(h * W[c]).sum(1) + b[c] for c in range(3)], 1)


def constant(h, W, b):
    return torch.tensor([[1.2, 0.8, 0.5]])


def weights_of_the_example(h, W, b):
    return F.linear(h, torch.tensor(example.W_OUT), torch.tensor(example.B_OUT))


_layer = {}


def layer_made_once(h, W, b):
    if W.shape not in _layer:
        _layer[W.shape] = F.linear(h, W, b)
    return _layer[W.shape]


def new_layer(h, W, b):
    torch.manual_seed(0)
    return nn.Linear(W.shape[1], W.shape[0])(h)


def no_return(h, W, b):
    F.linear(h, W, b)


def two_values(h, W, b):
    return F.linear(h, W, b), F.linear(h, W, b).softmax(-1)


def list_of_logits(h, W, b):
    return [[float(v) for v in row] for row in F.linear(h, W, b)]


def rounded(h, W, b):
    return F.linear(h, W, b).mul(1000).round().div(1000)


def last_class_forgotten(h, W, b):
    return F.linear(h, W[:-1], b[:-1])


def number_by_number(h, W, b):
    return h * W + b


def number_by_number_turned(h, W, b):
    return h * W.T + b


def classes_first(h, W, b):
    return W @ h.T + b


def fresh_layer(h, W, b):
    layer = nn.Linear(h.shape[1], len(b)).to(h)
    return layer(h)


RIGHT += [detached, result_detached]
"""The lesson asks for no gradient: a pass says that none comes through."""

WRONG = [
    (not_transposed, "W is not transposed"),
    (not_transposed_where_it_fits, "W is not transposed"),
    (reshaped, "wrong numbers"),
    (no_bias, "the bias is left out"),
    (bias_subtracted, "the bias is subtracted"),
    (bias_twice, "the bias is added twice"),
    (bias_along_the_batch, "the bias is added along the batch"),
    (softmax, "softmax is applied; the exercise asks for raw logits"),
    (log_softmax, "log_softmax is applied"),
    (sigmoid, "the sigmoid is applied"),
    (tanh_again, "tanh is applied to the state a second time"),
    (tanh_on_the_logits, "tanh is applied; the exercise asks for raw logits"),
    (relu, "ReLU is applied"),
    (turned_round, "the result is turned round, (C, B)"),
    (first_row_for_all, "the logits of the first sequence are given to all"),
    (last_row, "should have the shape"),
    (mean_over_the_batch, "the states are averaged over the batch"),
    (best_class, "the best class is returned instead of the logits"),
    (squeezed, "should have 2 axes"),
    (through_numpy, "should live on the device of the input"),
    (in_place_on_h, "changed its input h in place"),
    (bias_in_place, "output with shape"),
    (float32, "should be torch.float64; yours is torch.float32"),
    (preallocated_on_the_cpu, "a tensor is made on the CPU although the input lives on another device"),
    (three_classes, "IndexError"),
    (constant, "should have the shape"),
    (weights_of_the_example, "cannot be multiplied"),
    (layer_made_once, "something is kept from one call to the next"),
    (new_layer, "wrong numbers"),
    (no_return, "returned None"),
    (two_values, "should be a torch.Tensor, yours is of type tuple"),
    (list_of_logits, "yours is of type list"),
    (rounded, "wrong numbers"),
    (last_class_forgotten, "should have the shape"),
    (number_by_number, "* multiplies number by number"),
    (number_by_number_turned, "* multiplies number by number"),
    (classes_first, "W @ h.T has the classes first"),
    (fresh_layer, "random"),
]
