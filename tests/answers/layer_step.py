"""Answers to `layer_step(rnn, x, h)`: one step of an `nn.RNN` with one layer, x (B, F), h (B, H) -> (B, H)."""

import torch
from torch import nn
from torch.nn import functional as F


def one_step_of_time(rnn, x, h):
    out, h_n = rnn(x.unsqueeze(0), h.unsqueeze(0))
    return h_n.squeeze(0)


def output_instead_of_state(rnn, x, h):
    out, _ = rnn(x[None], h[None])
    return out[0]


def by_hand(rnn, x, h):
    return torch.tanh(x @ rnn.weight_ih_l0.T + rnn.bias_ih_l0 + h @ rnn.weight_hh_l0.T + rnn.bias_hh_l0)


def linear(rnn, x, h):
    W_ih, W_hh, b_ih, b_hh = rnn.all_weights[0]
    return torch.tanh(F.linear(x, W_ih, b_ih) + F.linear(h, W_hh, b_hh))


def row_by_row(rnn, x, h):
    return torch.cat([rnn(x[i : i + 1], h[i : i + 1])[1] for i in range(len(x))])


def cell(rnn, x, h):
    one = nn.RNNCell(rnn.input_size, rnn.hidden_size, dtype=x.dtype)
    one.load_state_dict({name.removesuffix("_l0"): value for name, value in rnn.state_dict().items()})
    return one(x, h)


def batch_first_copy(rnn, x, h):
    other = nn.RNN(rnn.input_size, rnn.hidden_size, batch_first=True, dtype=x.dtype)
    other.load_state_dict(rnn.state_dict())
    return other(x.unsqueeze(1), h.unsqueeze(0))[0][:, 0]


def views(rnn, x, h):
    return rnn(x.view(1, *x.shape), h.view(1, *h.shape))[1].view(h.shape)


RIGHT = [one_step_of_time, output_instead_of_state, by_hand, linear, row_by_row, cell, batch_first_copy, views]


def shipped_again(rnn, x, h):
    out, _ = rnn(x, h[0:1])
    return out


def whole_state_unbatched(rnn, x, h):
    return rnn(x, h)[0]


def no_state_unbatched(rnn, x, h):
    return rnn(x)[0]


def no_state(rnn, x, h):
    return rnn(x.unsqueeze(0))[1].squeeze(0)


def state_of_row_0(rnn, x, h):
    return rnn(x[None], h[:1].expand_as(h).contiguous()[None])[1][0]


def batch_axis_second(rnn, x, h):
    out, _ = rnn(x.unsqueeze(1), h[:1].unsqueeze(0))
    return out.squeeze(1)


def last_of_the_unbatched_run(rnn, x, h):
    return rnn(x, h[:1])[1].expand_as(h)


def axis_left(rnn, x, h):
    return rnn(x.unsqueeze(0), h.unsqueeze(0))[1]


def squeezed(rnn, x, h):
    return rnn(x.unsqueeze(0), h.unsqueeze(0))[1].squeeze()


def both_values(rnn, x, h):
    return rnn(x.unsqueeze(0), h.unsqueeze(0))


def both_values_trimmed(rnn, x, h):
    out, h_n = rnn(x.unsqueeze(0), h.unsqueeze(0))
    return [out[0], h_n[0]]


def no_return(rnn, x, h):
    out, h_n = rnn(x.unsqueeze(0), h.unsqueeze(0))


def detached_state(rnn, x, h):
    return rnn(x.unsqueeze(0), h.detach().unsqueeze(0))[1][0]


def no_grad(rnn, x, h):
    with torch.no_grad():
        return rnn(x.unsqueeze(0), h.unsqueeze(0))[1][0]


def result_detached(rnn, x, h):
    return rnn(x.unsqueeze(0), h.unsqueeze(0))[1][0].detach()


def numpy_array(rnn, x, h):
    return rnn(x.unsqueeze(0), h.unsqueeze(0))[1][0].numpy()


def state_in_place(rnn, x, h):
    h.data.copy_(rnn(x.unsqueeze(0), h.unsqueeze(0))[1][0])
    return h.clone()


def old_state(rnn, x, h):
    rnn(x.unsqueeze(0), h.unsqueeze(0))
    return h


def two_steps(rnn, x, h):
    _, h_n = rnn(x.unsqueeze(0), h.unsqueeze(0))
    return rnn(x.unsqueeze(0), h_n)[1][0]


def no_b_hh(rnn, x, h):
    return torch.tanh(x @ rnn.weight_ih_l0.T + rnn.bias_ih_l0 + h @ rnn.weight_hh_l0.T)


def W_hh_not_transposed(rnn, x, h):
    return torch.tanh(x @ rnn.weight_ih_l0.T + rnn.bias_ih_l0 + h @ rnn.weight_hh_l0 + rnn.bias_hh_l0)


def float32_layer(rnn, x, h):
    other = nn.RNN(rnn.input_size, rnn.hidden_size)
    other.load_state_dict(rnn.state_dict())
    return other(x.unsqueeze(0), h.unsqueeze(0))[1][0]


def float32_result(rnn, x, h):
    return rnn(x.unsqueeze(0), h.unsqueeze(0))[1][0].float()


def new_layer(rnn, x, h):
    torch.manual_seed(0)
    return nn.RNN(rnn.input_size, rnn.hidden_size, dtype=x.dtype)(x.unsqueeze(0), h.unsqueeze(0))[1][0]


def three_rows_at_most(rnn, x, h):
    return rnn(x[None, :3], h[None, :3])[1][0]


def rows_of_a_wide_batch(rnn, x, h):
    return rnn(x[None], h[None])[1][0] if len(x) != h.shape[1] else rnn(x, h[:1])[0]


def bias_along_a_square_batch(rnn, x, h):
    total = x @ rnn.weight_ih_l0.T + h @ rnn.weight_hh_l0.T
    bias = rnn.bias_ih_l0 + rnn.bias_hh_l0
    return torch.tanh(total + (bias[:, None] if total.shape[0] == total.shape[1] else bias))


_states = {}


def state_kept_in_a_global(rnn, x, h):
    state = _states.get(h.shape, h.unsqueeze(0))
    _states[h.shape] = rnn(x.unsqueeze(0), state)[1].detach()
    return rnn(x.unsqueeze(0), state)[1][0]


def layer_made_batch_first(rnn, x, h):
    rnn.batch_first = True
    return rnn(x.unsqueeze(1), h.unsqueeze(0))[0].squeeze(1)


def state_without_a_layer_axis(rnn, x, h):
    return rnn(x.unsqueeze(0), h)[0].squeeze(0)


WRONG = [
    (layer_made_batch_first, "changed its input rnn"),
    (shipped_again, "the same mistake as in the code you were given"),
    (whole_state_unbatched, "Expected hidden size (1,"),
    (no_state_unbatched, "read as steps of time, now from a state of zeros"),
    (no_state, "the state is never handed to the layer"),
    (state_of_row_0, "every row gets the state of row 0"),
    (batch_axis_second, "the same mistake as in the code you were given"),
    (last_of_the_unbatched_run, "the last state of a run over the rows"),
    (axis_left, "the axis of size 1 is still there"),
    (squeezed, "should have 2 axes"),
    (both_values, "should be a torch.Tensor, yours is of type tuple"),
    (both_values_trimmed, "should be a torch.Tensor, yours is of type list"),
    (no_return, "returned None"),
    (detached_state, "the graph is cut at the state"),
    (no_grad, "cuts the graph"),
    (result_detached, "cuts the graph"),
    (numpy_array, "cuts the g"),
    (state_in_place, "changed its input h in place"),
    (old_state, "the old state is returned"),
    (two_steps, "two steps are made instead of one"),
    (no_b_hh, "b_hh is left out"),
    (W_hh_not_transposed, "W_hh is not transposed"),
    (float32_layer, "a layer is made in float32 although the input is float64"),
    (float32_result, "should be torch.float64; yours is torch.float32"),
    (new_layer, "wrong numbers"),
    (three_rows_at_most, "should have the shape"),
    (rows_of_a_wide_batch, "wrong numbers"),
    (bias_along_a_square_batch, "wrong numbers"),
    (state_kept_in_a_global, "something is kept from one call to the next"),
    (state_without_a_layer_axis, "the state has no layer axis yet"),
]
