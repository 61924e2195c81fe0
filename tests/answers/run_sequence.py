"""Answers to `run_sequence(x, h0, cell)`: carry the state through a sequence, returns outputs and h_n."""

import functools
import itertools

import torch


def loop(x, h0, cell):
    h, outputs = h0, []
    for x_t in x:
        h = cell(x_t, h)
        outputs.append(h)
    return torch.stack(outputs), h


def preallocated(x, h0, cell):
    T, B, _ = x.shape
    h, outputs = h0, x.new_zeros(T, B, h0.shape[1])
    for t in range(T):
        h = cell(x[t], h)
        outputs[t] = h
    return outputs, h


def recursion(x, h0, cell):
    h = cell(x[0], h0)
    if len(x) == 1:
        return h.unsqueeze(0), h
    rest, h_n = recursion(x[1:], h, cell)
    return torch.cat([h.unsqueeze(0), rest]), h_n


def accumulate(x, h0, cell):
    states = list(itertools.accumulate(x.unbind(0), lambda h, x_t: cell(x_t, h), initial=h0))
    return torch.stack(states[1:]), states[-1]


def fold(x, h0, cell):
    outputs = functools.reduce(lambda out, x_t: out + [cell(x_t, out[-1] if out else h0)], x, [])
    return torch.stack(outputs), outputs[-1]


def growing_cat(x, h0, cell):
    states = h0.clone().unsqueeze(0)
    for t in range(x.size(0)):
        states = torch.cat([states, cell(x[t], states[-1]).unsqueeze(0)], dim=0)
    return states[1:], states[-1]


def list_of_two(x, h0, cell):
    h, outputs = h0.clone(), []
    for x_t in torch.unbind(x, 0):
        h = cell(x_t, h)
        outputs.append(h.unsqueeze(0))
    return [torch.cat(outputs), outputs[-1].squeeze(0)]


def dictionary_of_states(x, h0, cell):
    states = {-1: h0}
    for t, x_t in enumerate(x):
        states[t] = cell(x_t, states[t - 1])
    return torch.stack([states[t] for t in range(len(x))]), states[len(x) - 1]


class Runner:
    def __call__(self, x, h0, cell):
        self.h = h0
        outputs = torch.stack([self.step(x_t, cell) for x_t in x])
        return outputs, self.h

    def step(self, x_t, cell):
        self.h = cell(x_t, self.h)
        return self.h


def batch_first_and_back(x, h0, cell):
    h, outputs = h0, []
    for t in range(x.shape[0]):
        h = cell(x.transpose(0, 1)[:, t], h)
        outputs.append(h)
    return torch.stack(outputs, dim=1).transpose(0, 1), h.clone()


RIGHT = [
    loop,
    preallocated,
    recursion,
    accumulate,
    fold,
    growing_cat,
    list_of_two,
    dictionary_of_states,
    Runner(),
    batch_first_and_back,
]


def _loop(x, h0, cell, before=lambda h: h, after=lambda h: h):
    h, outputs = h0, []
    for x_t in x:
        h = after(cell(x_t, before(h)))
        outputs.append(h)
    return torch.stack(outputs), h


def state_not_passed_on(x, h0, cell):
    outputs = [cell(x_t, h0) for x_t in x]
    return torch.stack(outputs), outputs[-1]


def no_state_given(x, h0, cell):
    outputs = [cell(x_t) for x_t in x]
    return torch.stack(outputs), outputs[-1]


def starts_from_zeros(x, h0, cell):
    return _loop(x, torch.zeros_like(h0), cell)


def detached_in_the_loop(x, h0, cell):
    return _loop(x, h0, cell, after=torch.Tensor.detach)


def detached_before_each_step(x, h0, cell):
    return _loop(x, h0, cell, before=torch.Tensor.detach)


def state_detached_after_it_is_kept(x, h0, cell):
    h, outputs = h0, []
    for x_t in x:
        h = cell(x_t, h)
        outputs.append(h)
        h = h.detach()
    return torch.stack(outputs), outputs[-1]


def h0_detached(x, h0, cell):
    return _loop(x, h0.detach(), cell)


def h0_data(x, h0, cell):
    return _loop(x, h0.data.clone(), cell)


def no_grad(x, h0, cell):
    with torch.no_grad():
        return _loop(x, h0, cell)


def h_n_is_h0(x, h0, cell):
    return _loop(x, h0, cell)[0], h0


def h_n_is_the_first(x, h0, cell):
    outputs, _ = _loop(x, h0, cell)
    return outputs, outputs[0]


def one_step_short(x, h0, cell):
    return _loop(x[:-1] if len(x) > 1 else x, h0, cell)


def h_n_one_step_late(x, h0, cell):
    h, outputs = h0, []
    for x_t in x:
        before, h = h, cell(x_t, h)
        outputs.append(h)
    return torch.stack(outputs), before


def state_before_the_step(x, h0, cell):
    h, outputs = h0, []
    for x_t in x:
        outputs.append(h)
        h = cell(x_t, h)
    return torch.stack(outputs), h


def h0_kept_as_first_output(x, h0, cell):
    h, outputs = h0, [h0]
    for x_t in x:
        h = cell(x_t, h)
        outputs.append(h)
    return torch.stack(outputs), h


def stacked_along_dim_1(x, h0, cell):
    outputs, h = _loop(x, h0, cell)
    return outputs.transpose(0, 1), h


def loop_over_the_batch(x, h0, cell):
    outputs = []
    h = h0
    for b in range(x.shape[1]):
        h = cell(x[:, b], h)
        outputs.append(h)
    return torch.stack(outputs), h


def list_of_outputs(x, h0, cell):
    outputs, h = _loop(x, h0, cell)
    return list(outputs), h


def swapped(x, h0, cell):
    outputs, h = _loop(x, h0, cell)
    return h, outputs


def outputs_only(x, h0, cell):
    return _loop(x, h0, cell)[0]


def three_values(x, h0, cell):
    outputs, h = _loop(x, h0, cell)
    return outputs, h, h0


def no_return(x, h0, cell):
    outputs, h = _loop(x, h0, cell)


def h_n_with_a_layer_axis(x, h0, cell):
    outputs, h = _loop(x, h0, cell)
    return outputs, h.unsqueeze(0)


def h0_overwritten(x, h0, cell):
    outputs, h = _loop(x, h0.clone(), cell)
    h0.data.copy_(h)
    return outputs, h


def copied_into_h0(x, h0, cell):
    outputs = []
    for x_t in x:
        h0[:] = cell(x_t, h0)
        outputs.append(h0.clone())
    return torch.stack(outputs), h0


def one_tensor_overwritten(x, h0, cell):
    h, outputs = h0.clone(), []
    for x_t in x:
        h[:] = cell(x_t, h.clone())
        outputs.append(h)
    return torch.stack(outputs), h


def outputs_in_float32_on_the_cpu(x, h0, cell):
    h, outputs = h0, torch.zeros(x.shape[0], *h0.shape)
    for t, x_t in enumerate(x):
        h = cell(x_t, h)
        outputs[t] = h
    return outputs, h


def outputs_on_the_cpu(x, h0, cell):
    h, outputs = h0, torch.zeros(x.shape[0], *h0.shape, dtype=x.dtype)
    for t, x_t in enumerate(x):
        h = cell(x_t, h)
        outputs[t] = h
    return outputs, h


def ten_steps(x, h0, cell):
    h, outputs = h0, []
    for t in range(10):
        h = cell(x[t], h)
        outputs.append(h)
    return torch.stack(outputs), h


def last_step_forgotten_in_an_empty_tensor(x, h0, cell):
    h, outputs = h0, x.new_empty(len(x), *h0.shape)
    for t in range(len(x) - 1):
        h = cell(x[t], h)
        outputs[t] = h
    return outputs, h


def zero_state_of_batch_1(x, h0, cell):
    return _loop(x, x.new_zeros(1, h0.shape[1]), cell)


def squeezed(x, h0, cell):
    outputs, h = _loop(x, h0, cell)
    return outputs.squeeze(1), h.squeeze(0)


def backwards(x, h0, cell):
    return _loop(x.flip(0), h0, cell)


def reset_where_the_input_is_large(x, h0, cell):
    return _loop(x, h0, cell, before=lambda h: h * (h.abs() < 0.9))


_carried = {}


def carried_over_between_calls(x, h0, cell):
    outputs, h = _loop(x, _carried.get(h0.shape, h0).to(h0), cell)
    _carried[h0.shape] = h.detach()
    return outputs, h


def default_list(x, h0, cell, outputs=[]):
    h = h0
    for x_t in x:
        h = cell(x_t, h)
        outputs.append(h)
    return torch.stack(outputs), h


def return_inside_the_loop(x, h0, cell):
    h, outputs = h0, []
    for x_t in x:
        h = cell(x_t, h)
        outputs.append(h)
        return torch.stack(outputs), h


def list_as_it_is(x, h0, cell):
    h, outputs = h0, []
    for x_t in x:
        h = cell(x_t, h)
        outputs.append(h)
    return outputs, h


def joined_by_cat(x, h0, cell):
    h, outputs = h0, []
    for x_t in x:
        h = cell(x_t, h)
        outputs.append(h)
    return torch.cat(outputs), h


def outputs_rebuilt(x, h0, cell):
    h, outputs = h0, []
    for x_t in x:
        h = cell(x_t, h)
        outputs.append(torch.tensor(h.tolist()))
    return torch.stack(outputs), h


def state_rebuilt(x, h0, cell):
    h, outputs = h0, []
    for x_t in x:
        h = torch.tensor(cell(x_t, h).tolist())
        outputs.append(h)
    return torch.stack(outputs), h


def cell_arguments_swapped(x, h0, cell):
    h, outputs = h0, []
    for x_t in x:
        h = cell(h, x_t)
        outputs.append(h)
    return torch.stack(outputs), h


def outputs_as_lists(x, h0, cell):
    h, outputs = h0, []
    for x_t in x:
        h = cell(x_t, h)
        outputs.append(h.tolist())
    return outputs, h


def detached_into_outputs(x, h0, cell):
    h, outputs = h0, x.new_zeros(len(x), *h0.shape)
    for t in range(len(x)):
        h = cell(x[t], h)
        outputs[t] = h.detach()
    return outputs, h


WRONG = [
    (state_not_passed_on, "the state is not passed on: every step starts from h0 again"),
    (no_state_given, "the state is reset to zeros at every step"),
    (starts_from_zeros, "h0 is ignored"),
    (detached_in_the_loop, "everything that is returned is cut from the graph"),
    (detached_before_each_step, "the state is detached at every step, the first one included"),
    (state_detached_after_it_is_kept, "the state is detached inside the loop"),
    (h0_detached, "h0 is detached"),
    (h0_data, "h0 is detached"),
    (no_grad, "everything that is returned is cut from the graph"),
    (h_n_is_h0, "h_n is still h0"),
    (h_n_is_the_first, "h_n is the first state instead of the last"),
    (one_step_short, "outputs should have the shape (10, 1, 4); yours has (9, 1, 4)"),
    (h_n_one_step_late, "h_n is one step late"),
    (state_before_the_step, "outputs holds the state BEFORE each step"),
    (h0_kept_as_first_output, "h0 is kept as the first output"),
    (stacked_along_dim_1, "outputs has the batch axis first"),
    (loop_over_the_batch, "the loop runs over the batch and not over time"),
    (list_of_outputs, "torch.stack with dim=0 joins them into (10, 1, 4); torch.cat would give (10, 4)"),
    (swapped, "outputs and h_n are swapped"),
    (outputs_only, "it should return 2 values, (outputs, h_n)"),
    (three_values, "returned 3 values; it should return 2"),
    (no_return, "returned None"),
    (h_n_with_a_layer_axis, "h_n should have 2 axes"),
    (h0_overwritten, "changed its input h0 in place"),
    (copied_into_h0, "changed its input h0 in place"),
    (one_tensor_overwritten, "changed in place"),
    (outputs_in_float32_on_the_cpu, "torch.float32 is written down in the code"),
    (outputs_on_the_cpu, "a tensor is made on the CPU although the input lives on another device"),
    (ten_steps, "IndexError"),
    (last_step_forgotten_in_an_empty_tensor, "contains NaN"),
    (zero_state_of_batch_1, "batch size 1"),
    (squeezed, "outputs should have 3 axes"),
    (backwards, "the sequence is read from its end"),
    (reset_where_the_input_is_large, "wrong numbers"),
    (carried_over_between_calls, "something is kept from one call to the next"),
    (default_list, "something is kept from one call to the next"),
    (return_inside_the_loop, "`return` stands inside the loop"),
    (list_as_it_is, "torch.stack with dim=0 joins them into (10, 1, 4)"),
    (joined_by_cat, "torch.cat lays the states under each other"),
    (outputs_rebuilt, "torch.tensor(h.tolist()) puts new numbers"),
    (state_rebuilt, "torch.tensor(h.tolist()) makes new numbers"),
    (cell_arguments_swapped, "the cell is called as cell(h, x_t)"),
    (outputs_as_lists, "Python lists of numbers"),
    (detached_into_outputs, "outputs[t] = h.detach()"),
]
