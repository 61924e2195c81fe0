"""Answers to `run_stacked(x, h0, cells)`: several layers through a sequence, returns outputs and h_n."""

import torch


def list_of_states(x, h0, cells):
    h, outputs = list(h0), []
    for x_t in x:
        below = x_t
        for layer, cell in enumerate(cells):
            h[layer] = below = cell(below, h[layer])
        outputs.append(h[-1])
    return torch.stack(outputs), torch.stack(h)


def layer_by_layer(x, h0, cells):
    last = []
    for cell, h in zip(cells, h0):
        states = []
        for x_t in x:
            h = cell(x_t, h)
            states.append(h)
        x = torch.stack(states)
        last.append(h)
    return x, torch.stack(last)


def recursion_over_layers(x, h0, cells):
    h, states = h0[0], []
    for x_t in x:
        h = cells[0](x_t, h)
        states.append(h)
    outputs = torch.stack(states)
    if len(cells) == 1:
        return outputs, h.unsqueeze(0)
    top, above = recursion_over_layers(outputs, h0[1:], cells[1:])
    return top, torch.cat([h.unsqueeze(0), above])


def new_tensor_each_step(x, h0, cells):
    h, outputs = h0, []
    for x_t in x:
        states, below = [], x_t
        for layer in range(len(cells)):
            below = cells[layer](below, h[layer])
            states.append(below)
        h = torch.stack(states)
        outputs.append(h[-1])
    return torch.stack(outputs), h


def preallocated_table(x, h0, cells):
    T, (L, B, H) = len(x), h0.shape
    table = [[None] * L for _ in range(T)]
    for t in range(T):
        for layer in range(L):
            below = x[t] if layer == 0 else table[t][layer - 1]
            before = h0[layer] if t == 0 else table[t - 1][layer]
            table[t][layer] = cells[layer](below, before)
    outputs = x.new_zeros(T, B, H)
    for t in range(T):
        outputs[t] = table[t][-1]
    return outputs, torch.cat([state[None] for state in table[-1]])


class Stack:
    def __call__(self, x, h0, cells):
        h = dict(enumerate(h0.unbind(0)))
        tops = []
        for x_t in x:
            for layer, cell in enumerate(cells):
                x_t = h[layer] = cell(x_t, h[layer])
            tops.append(x_t)
        return torch.stack(tops), torch.stack(list(h.values()))


RIGHT = [list_of_states, layer_by_layer, recursion_over_layers, new_tensor_each_step, preallocated_table, Stack()]


def _run(x, h0, cells, between=lambda state: state):
    h, outputs = list(h0), []
    for x_t in x:
        below = x_t
        for layer, cell in enumerate(cells):
            h[layer] = cell(below, h[layer])
            below = between(h[layer])
        outputs.append(h[-1])
    return torch.stack(outputs), torch.stack(h)


def in_place_again(x, h0, cells):
    h, outputs = h0.clone(), []
    for x_t in x:
        for layer, cell in enumerate(cells):
            h[layer] = cell(x_t if layer == 0 else h[layer - 1], h[layer])
        outputs.append(h[-1].clone())
    return torch.stack(outputs), h


def copy_in_place(x, h0, cells):
    h, outputs = [state.clone() for state in h0], []
    for x_t in x:
        below = x_t
        for layer, cell in enumerate(cells):
            h[layer].copy_(cell(below, h[layer]))
            below = h[layer]
        outputs.append(h[-1].clone())
    return torch.stack(outputs), torch.stack(h)


def h0_written_into(x, h0, cells):
    outputs = []
    for x_t in x:
        for layer, cell in enumerate(cells):
            h0[layer] = cell(x_t if layer == 0 else h0[layer - 1], h0[layer])
        outputs.append(h0[-1].clone())
    return torch.stack(outputs), h0


def detached_between_layers(x, h0, cells):
    return _run(x, h0, cells, torch.Tensor.detach)


def shipped_with_detach(x, h0, cells):
    h_before, h, outputs = h0.clone(), h0.clone(), []
    for x_t in x:
        for layer, cell in enumerate(cells):
            below = x_t if layer == 0 else h[layer - 1].detach().clone()
            h[layer] = cell(below, h_before[layer].detach().clone())
        outputs.append(h[-1].clone())
        h_before = h.clone()
    return torch.stack(outputs), h


def no_grad(x, h0, cells):
    with torch.no_grad():
        return _run(x, h0, cells)


def h0_detached(x, h0, cells):
    return _run(x, h0.detach().clone(), cells)


def x_detached(x, h0, cells):
    return _run(x.detach(), h0, cells)


def starts_from_zeros(x, h0, cells):
    return _run(x, torch.zeros_like(h0), cells)


def below_is_one_step_late(x, h0, cells):
    h, outputs = list(h0), []
    for x_t in x:
        before = list(h)
        for layer, cell in enumerate(cells):
            h[layer] = cell(x_t if layer == 0 else before[layer - 1], before[layer])
        outputs.append(h[-1])
    return torch.stack(outputs), torch.stack(h)


def x_given_to_every_layer(x, h0, cells):
    h, outputs = list(h0), []
    for x_t in x:
        for layer, cell in enumerate(cells):
            h[layer] = cell(x_t, h[layer])
        outputs.append(h[-1])
    return torch.stack(outputs), torch.stack(h)


def first_layer_only(x, h0, cells):
    outputs, h = _run(x, h0[:1], cells[:1])
    return outputs, torch.cat([h, h0[1:]])


def state_of_the_lowest_for_all(x, h0, cells):
    return _run(x, h0[:1].expand_as(h0), cells)


def h_n_of_the_top_only(x, h0, cells):
    outputs, h = _run(x, h0, cells)
    return outputs, h[-1]


def h_n_upside_down(x, h0, cells):
    outputs, h = _run(x, h0, cells)
    return outputs, h.flip(0)


def h_n_is_h0(x, h0, cells):
    return _run(x, h0, cells)[0], h0


def h_n_as_a_list(x, h0, cells):
    outputs, h = _run(x, h0, cells)
    return outputs, list(h)


def h_n_batch_first(x, h0, cells):
    outputs, h = _run(x, h0, cells)
    return outputs, h.transpose(0, 1)


def outputs_of_every_layer(x, h0, cells):
    h, outputs = list(h0), []
    for x_t in x:
        below = x_t
        for layer, cell in enumerate(cells):
            h[layer] = below = cell(below, h[layer])
            outputs.append(below)
    return torch.stack(outputs), torch.stack(h)


def outputs_of_the_lowest(x, h0, cells):
    h, outputs = list(h0), []
    for x_t in x:
        below = x_t
        for layer, cell in enumerate(cells):
            h[layer] = below = cell(below, h[layer])
        outputs.append(h[0])
    return torch.stack(outputs), torch.stack(h)


def outputs_only(x, h0, cells):
    return _run(x, h0, cells)[0]


def no_return(x, h0, cells):
    _run(x, h0, cells)


def batch_first_outputs(x, h0, cells):
    outputs, h = _run(x, h0, cells)
    return outputs.transpose(0, 1), h


def two_layers_only(x, h0, cells):
    return _run(x, h0[:2], cells[:2])


def lowest_and_top_only(x, h0, cells):
    """Right for two layers."""
    return _run(x, h0[[0, -1]], [cells[0], cells[-1]])


def last_step_forgotten(x, h0, cells):
    return _run(x[:-1], h0, cells) if len(x) > 2 else _run(x, h0, cells)


def float32(x, h0, cells):
    outputs, h = _run(x, h0, cells)
    return outputs.float(), h.float()


def state_starts_at_layer_1(x, h0, cells):
    return _run(x, h0.roll(1, 0), cells)


_h = {}


def carried_over_between_calls(x, h0, cells):
    outputs, h = _run(x, _h.get(h0.shape, h0).to(h0), cells)
    _h[h0.shape] = h.detach()
    return outputs, h


def backwards(x, h0, cells):
    outputs, h = _run(x.flip(0), h0, cells)
    return outputs, h


def return_inside_the_loop(x, h0, cells):
    h, outputs = list(h0), []
    for x_t in x:
        below = x_t
        for layer, cell in enumerate(cells):
            h[layer] = below = cell(below, h[layer])
        outputs.append(h[-1])
        return torch.stack(outputs), torch.stack(h)


def list_as_it_is(x, h0, cells):
    h, outputs = list(h0), []
    for x_t in x:
        below = x_t
        for layer, cell in enumerate(cells):
            h[layer] = below = cell(below, h[layer])
        outputs.append(h[-1])
    return outputs, torch.stack(h)


def outputs_joined_by_cat(x, h0, cells):
    h, outputs = list(h0), []
    for x_t in x:
        below = x_t
        for layer, cell in enumerate(cells):
            h[layer] = below = cell(below, h[layer])
        outputs.append(h[-1])
    return torch.cat(outputs), torch.stack(h)


def layers_joined_by_cat(x, h0, cells):
    h, outputs = list(h0), []
    for x_t in x:
        below = x_t
        for layer, cell in enumerate(cells):
            h[layer] = below = cell(below, h[layer])
        outputs.append(h[-1])
    return torch.stack(outputs), torch.cat(h)


def outputs_detached(x, h0, cells):
    h, outputs = list(h0), []
    for x_t in x:
        below = x_t
        for layer, cell in enumerate(cells):
            h[layer] = below = cell(below, h[layer])
        outputs.append(h[-1].detach())
    return torch.stack(outputs), torch.stack(h)


def outputs_rebuilt(x, h0, cells):
    h, outputs = list(h0), []
    for x_t in x:
        below = x_t
        for layer, cell in enumerate(cells):
            h[layer] = below = cell(below, h[layer])
        outputs.append(torch.tensor(h[-1].tolist()))
    return torch.stack(outputs), torch.stack(h)


def state_rebuilt(x, h0, cells):
    h, outputs = list(h0), []
    for x_t in x:
        below = x_t
        for layer, cell in enumerate(cells):
            h[layer] = below = torch.tensor(cell(below, h[layer]).tolist())
        outputs.append(h[-1])
    return torch.stack(outputs), torch.stack(h)


def cell_arguments_swapped(x, h0, cells):
    h, outputs = list(h0), []
    for x_t in x:
        below = x_t
        for layer, cell in enumerate(cells):
            h[layer] = below = cell(h[layer], below)
        outputs.append(h[-1])
    return torch.stack(outputs), torch.stack(h)


def swapped(x, h0, cells):
    outputs, h = _run(x, h0, cells)
    return h, outputs


WRONG = [
    (in_place_again, "modified by an inplace operation"),
    (copy_in_place, "modified by an inplace operation"),
    (h0_written_into, "changed its input h0 in place"),
    (detached_between_layers, "the graph is cut between the layers"),
    (shipped_with_detach, "the gradient that reaches x is not"),
    (no_grad, "everything that is returned is cut from the graph"),
    (h0_detached, "h0 is detached"),
    (x_detached, "the input is detached"),
    (starts_from_zeros, "h0 is ignored"),
    (below_is_one_step_late, "an upper layer reads the layer below one step late"),
    (x_given_to_every_layer, "every layer reads the input x"),
    (first_layer_only, "only the lowest layer is run"),
    (state_of_the_lowest_for_all, "every layer starts from the state of the lowest one"),
    (h_n_of_the_top_only, "h_n is the top layer's state only"),
    (h_n_upside_down, "h_n has the layers in the opposite order"),
    (h_n_is_h0, "h_n is still h0"),
    (h_n_as_a_list, "torch.stack with dim=0 joins them into"),
    (h_n_batch_first, "h_n has the batch axis first"),
    (outputs_of_every_layer, "outputs should have the shape"),
    (outputs_of_the_lowest, "outputs holds the states of the lowest layer"),
    (outputs_only, "it should return 2 values, (outputs, h_n)"),
    (no_return, "returned None"),
    (batch_first_outputs, "outputs has the batch axis first"),
    (two_layers_only, "h_n should have the shape (3,"),
    (lowest_and_top_only, "h_n should have the shape (3,"),
    (last_step_forgotten, "outputs should have the shape"),
    (float32, "should be torch.float64; yours is torch.float32"),
    (state_starts_at_layer_1, "wrong numbers"),
    (carried_over_between_calls, "something is kept from one call to the next"),
    (backwards, "the sequence is read from its end"),
    (return_inside_the_loop, "`return` stands inside the loop"),
    (list_as_it_is, "torch.stack with dim=0 joins them into"),
    (outputs_joined_by_cat, "torch.cat lays the outputs under each other"),
    (layers_joined_by_cat, "torch.cat lays the layers under each other"),
    (outputs_detached, "outputs[t] = h.detach()"),
    (outputs_rebuilt, "put into the list"),
    (state_rebuilt, "torch.tensor(h.tolist()) makes new numbers"),
    (cell_arguments_swapped, "called as cell(h, below)"),
    (swapped, "outputs and h_n are swapped"),
]
