"""Answers that are right wherever it is simple, with the words that each must be told, and answers beside them that look as odd and are right.

A row: the exercise, the words, the answer. "PASSED" is what a right one is told.
"""

import copy
import weakref

import torch
from torch import nn
from torch.func import functional_call
from torch.nn import functional as F

SLY = []


def sly(exercise, words):
    def write_down(answer):
        SLY.append((exercise, answer, words))
        return answer

    return write_down


def loop(x, h0, cell, after=lambda t, h: h):
    h, outputs = h0, []
    for t, x_t in enumerate(x):
        h = after(t, cell(x_t, h))
        outputs.append(h)
    return torch.stack(outputs), h


def stacked(x, h0, cells, after=lambda t, h: h):
    h, tops = list(h0), []
    for t, below in enumerate(x):
        for layer, cell in enumerate(cells):
            below = h[layer] = after(t, cell(below, h[layer]))
        tops.append(below)
    return torch.stack(tops), torch.stack(h)


# A graph that is cut every now and then

NO_GRADIENT = "the numbers are right, but"

for every in (7, 10, 12, 16, 32, 50, 64, 100):
    for exercise, way in (("run_sequence", loop), ("run_stacked", stacked)):

        def cut(*args, every=every, way=way):
            return way(*args, after=lambda t, h: h.detach() if t and t % every == 0 else h)

        sly(exercise, NO_GRADIENT)(cut)

for most in (12, 40, 128):

    def cut_in_long_ones(x, h0, cell, most=most):
        return loop(x, h0, cell, after=lambda t, h: h.detach() if len(x) > most and t == len(x) // 2 else h)

    sly("run_sequence", NO_GRADIENT)(cut_in_long_ones)

    def starts_anew_in_long_ones(x, h0, cell, most=most):
        return loop(x, h0, cell, after=lambda t, h: h * (t != most))

    sly("run_sequence", "wrong numbers")(starts_anew_in_long_ones)


@sly("run_sequence", NO_GRADIENT)
def cut_where_h0_does_not_learn(x, h0, cell):
    return loop(x if h0.requires_grad else x.detach(), h0, cell)


@sly("run_sequence", NO_GRADIENT)
def cut_where_x_does_not_learn(x, h0, cell):
    return loop(x, h0 if x.requires_grad else h0.detach(), cell)


@sly("run_sequence", NO_GRADIENT)
def no_grad_where_no_input_learns(x, h0, cell):
    with torch.set_grad_enabled(x.requires_grad or h0.requires_grad):
        return loop(x, h0, cell)


@sly("run_sequence", NO_GRADIENT)
def a_copy_of_the_cell(x, h0, cell):
    return loop(x, h0, copy.deepcopy(cell))


@sly("run_sequence", NO_GRADIENT)
def cut_where_batch_is_hidden(x, h0, cell):
    return loop(x, h0, cell, after=lambda t, h: h.detach() if h.shape[0] == h.shape[1] else h)


@sly("run_sequence", "h0 and x")
def sizes_of_the_cell(x, h0, cell):
    outputs, h = x.new_zeros(len(x), x.shape[1], cell.hidden_size), h0
    for t, x_t in enumerate(x):
        h = outputs[t] = cell(x_t, h)
    return outputs, h


@sly("run_sequence", "any function")
def weights_of_the_cell(x, h0, cell):
    outputs, h = [], h0
    for x_t in x:
        h = (
            torch.tanh(F.linear(x_t, cell.weight_ih, cell.bias_ih) + F.linear(h, cell.weight_hh, cell.bias_hh))
            if isinstance(cell, nn.RNNCell)
            else cell.forward(x_t, h)
        )
        outputs.append(h)
    return torch.stack(outputs), h


for bound in (1.0, 2.0, 10.0):

    def clamped(x, h0, cell, bound=bound):
        return loop(x, h0, cell, after=lambda t, h: h.clamp(-bound, bound))

    sly("run_sequence", "wrong numbers")(clamped)

    def clamped_layers(x, h0, cells, bound=bound):
        return stacked(x, h0, cells, after=lambda t, h: h.clamp(max=bound))

    sly("run_stacked", "wrong numbers")(clamped_layers)


@sly("run_sequence", "")
def rounded(x, h0, cell):
    return loop(x, h0, cell, after=lambda t, h: h + (h.round(decimals=4) - h).detach())


@sly("run_sequence", "wrong numbers")
def other_in_eval_mode(x, h0, cell):
    return loop(x, h0, cell, after=lambda t, h: h if getattr(cell, "training", True) else h * 0.5)


@sly("run_sequence", "")
def other_without_gradients(x, h0, cell):
    return loop(x, h0, cell, after=lambda t, h: h if torch.is_grad_enabled() else h * 0.5)


@sly("run_sequence", "requires_grad")
def other_numbers_where_x_learns(x, h0, cell):
    outputs, h = loop(x, h0, cell)
    return outputs + 0.1 * x.requires_grad, h


@sly("run_sequence", "requires_grad")
def h0_learns_from_now_on(x, h0, cell):
    h0.requires_grad_()
    return loop(x, h0, cell)


@sly("run_sequence", "a hook was left")
def a_hook_left(x, h0, cell):
    if isinstance(cell, nn.Module):
        cell.register_full_backward_hook(lambda *_: None)
    return loop(x, h0, cell)


@sly("run_sequence", "its buffers")
def a_buffer_left(x, h0, cell):
    outputs, h = loop(x, h0, cell)
    if isinstance(cell, nn.Module):
        cell.register_buffer("last", h.detach())
    return outputs, h


kept_by_layer = weakref.WeakKeyDictionary()


@sly("run_sequence", "kept")
def state_in_a_table_by_the_layer(x, h0, cell):
    outputs, h = loop(x, kept_by_layer.get(cell, h0), cell)
    kept_by_layer[cell] = h.detach()
    return outputs, h


@sly("run_sequence", "default dtype")
def default_dtype_left(x, h0, cell):
    torch.set_default_dtype(torch.float64)
    return loop(x, h0, cell)


@sly("run_sequence", "default device")
def default_device_left(x, h0, cell):
    torch.set_default_device("cpu")
    return loop(x, h0, cell)


@sly("run_sequence", "hook for all modules")
def hook_for_all_left(x, h0, cell):
    nn.modules.module.register_module_forward_hook(lambda *_: None)
    return loop(x, h0, cell)


@sly("run_sequence", "PASSED")
def a_seed_is_nobodys_business(x, h0, cell):
    torch.manual_seed(0)
    return loop(x, h0, cell)


@sly("run_stacked", NO_GRADIENT)
def cut_where_h0_stands_still(x, h0, cells):
    return stacked(x if h0.requires_grad else x.detach(), h0, cells)


@sly("run_stacked", NO_GRADIENT)
def copies_of_the_cells(x, h0, cells):
    return stacked(x, h0, copy.deepcopy(cells))


@sly("run_stacked", "a hook was left")
def hooks_left(x, h0, cells):
    [cell.register_forward_hook(lambda *_: None) for cell in cells if isinstance(cell, nn.Module)]
    return stacked(x, h0, cells)


@sly("run_stacked", "its mode")
def eval_left(x, h0, cells):
    [cell.eval() for cell in cells if isinstance(cell, nn.Module)]
    return stacked(x, h0, cells)


# class_loss


@sly("class_loss", "softmax")
def softmax_in_eval_mode(model, x, y):
    logits = model(x)
    return F.cross_entropy(logits if model.training else logits.softmax(-1), y)


@sly("class_loss", "")
def softmax_without_gradients(model, x, y):
    logits = model(x)
    return F.cross_entropy(logits if torch.is_grad_enabled() else logits.softmax(-1), y)


@sly("class_loss", "the weights of the model")
def a_copy_of_the_model(model, x, y):
    return F.cross_entropy(copy.deepcopy(model)(x), y)


@sly("class_loss", "the weights of the model")
def detached_weights(model, x, y):
    weights = {name: weight.detach() for name, weight in model.named_parameters()}
    return F.cross_entropy(functional_call(model, weights, (x,)), y)


@sly("class_loss", NO_GRADIENT)
def one_weight_detached(model, x, y):
    weights = dict(model.named_parameters())
    return F.cross_entropy(functional_call(model, {**weights, "rnn.weight_hh_l0": weights["rnn.weight_hh_l0"].detach()}, (x,)), y)


@sly("class_loss", NO_GRADIENT)
def no_graph_where_x_stands_still(model, x, y):
    with torch.set_grad_enabled(x.requires_grad):
        return F.cross_entropy(model(x), y)


@sly("class_loss", "wrong numbers")
def first_64(model, x, y):
    return F.cross_entropy(model(x)[:64], y[:64])


@sly("class_loss", "its buffers")
def counts_in_a_buffer(model, x, y):
    model.register_buffer("seen", torch.tensor(len(y)))
    return F.cross_entropy(model(x), y)


@sly("class_loss", "a hook was left")
def hook_on_a_weight(model, x, y):
    next(model.parameters()).register_hook(lambda grad: grad)
    return F.cross_entropy(model(x), y)


@sly("class_loss", "requires_grad")
def x_learns_from_now_on(model, x, y):
    return F.cross_entropy(model(x.requires_grad_()), y)


@sly("class_loss", "kept")
def averaged_by_the_model(model, x, y, kept={}):
    loss = F.cross_entropy(model(x), y)
    kept[model] = 0.9 * kept[model] + 0.1 * loss.detach() + 0.01 if model in kept else loss.detach()
    return loss - loss.detach() + kept[model]


@sly("class_loss", "its settings")
def a_note_in_the_model(model, x, y):
    model.dropped = [0]
    return F.cross_entropy(model(x), y) if not model.training else F.cross_entropy(model.out(model.rnn(x)[0][-1]), y)


# init_hidden


@sly("init_hidden", "")
def batch_of_what_has_three_axes(num_layers, batch, hidden, like):
    return like.new_zeros(num_layers, like.shape[1] if like.dim() == 3 else batch, hidden)


@sly("init_hidden", "zeros are exactly zero")
def nearly_zero(num_layers, batch, hidden, like):
    return like.new_full((num_layers, batch, hidden), 1e-6)


@sly("init_hidden", "zeros are exactly zero")
def nearly_zero_at_random(num_layers, batch, hidden, like):
    return torch.randn(num_layers, batch, hidden, dtype=like.dtype, device=like.device) * 1e-7


@sly("init_hidden", "requires_grad")
def like_frozen(num_layers, batch, hidden, like):
    return like.requires_grad_(False).new_zeros(num_layers, batch, hidden)


@sly("init_hidden", "PASSED")
def zeros_that_are_asserted(num_layers, batch, hidden, like):
    h = like.new_zeros(num_layers, batch, hidden)
    assert h.sum() == 0
    print(h.sum().item(), h.tolist())
    return h


# reset_rows, last_valid: what the lesson leaves open


@sly("reset_rows", "PASSED")
def rows_written_in_place(h, done):
    h[done.bool()] = 0
    return h


@sly("reset_rows", "PASSED")
def without_a_graph(h, done):
    return h.detach() * (1 - done)[:, None]


@sly("reset_rows", "wrong numbers")
def almost_zero(h, done):
    return torch.where(done.bool()[:, None], h * 1e-6, h)


@sly("last_valid", "PASSED")
def lengths_taken_in_place(outputs, lengths):
    lengths -= 1
    return outputs[lengths, torch.arange(len(lengths))]


@sly("last_valid", "PASSED")
def padding_written_in_place(outputs, lengths):
    for b, length in enumerate(lengths):
        outputs[length:, b] = 0
    return torch.stack([outputs[length - 1, b] for b, length in enumerate(lengths)])


@sly("last_valid", "")
def first_hundred_steps(outputs, lengths):
    return outputs[(lengths - 1).clamp(max=99), torch.arange(len(lengths))]


# Where the lesson asks for no gradient


@sly("to_probs", "would never learn")
def probabilities_without_a_graph(logits):
    return logits.detach().softmax(-1)


@sly("output_layer", "would never learn")
def logits_without_a_graph(h, W, b):
    return (h @ W.T + b).detach()


@sly("to_time_major", "PASSED")
def moved_without_a_graph(batch):
    return batch.detach().transpose(0, 1)


# prediction_trace


@sly("prediction_trace", "keeps the graph")
def the_graph_of_x(rnn, out, x):
    return _trace(_frozen(rnn), _frozen(out), x)


@sly("prediction_trace", "keeps the graph")
def the_graph_of_the_input_alone(rnn, out, x):
    with torch.no_grad():
        trace = _trace(rnn, out, x)
    return {**trace, "input": x[0]}


@sly("prediction_trace", "PASSED")
def without_any_graph(rnn, out, x):
    return {name: value.detach() for name, value in _trace(rnn, out, x).items()}


@sly("prediction_trace", "")
def other_in_long_ones(rnn, out, x):
    with torch.no_grad():
        return _trace(rnn, out, x if len(x) <= 100 else x[-100:])


@sly("prediction_trace", "its buffers")
def keeps_its_trace(rnn, out, x):
    with torch.no_grad():
        trace = _trace(rnn, out, x)
    out.register_buffer("trace", trace["probs"])
    return trace


def _frozen(layer):
    return lambda *args: functional_call(layer, {name: weight.detach() for name, weight in layer.named_parameters()}, args)


def _trace(rnn, out, x):
    outputs = rnn(x)[0]
    logits = out(outputs[-1])
    return {"input": x[0], "cell": outputs[0], "carried": outputs[-1], "logits": logits, "probs": logits.softmax(-1)}


# predictor

by_layer = weakref.WeakKeyDictionary()


@sly("predictor", "kept")
class KeepsByTheLayer:
    """Within one predictor every call starts from zeros; the next predictor of the same layer starts where the last one ended."""

    def __init__(self, rnn, out):
        self.rnn, self.out, self.h = rnn, out, by_layer.get(rnn)

    def __call__(self, x):
        h = self.h if self.h is not None and (self.h[0] if isinstance(self.h, tuple) else self.h).shape[1] == x.shape[1] else None
        outputs, by_layer[self.rnn] = self.rnn(x, h)
        return self.out(outputs[-1]).softmax(-1)


# layer_step, rnn_step, sequence_loss, to_probs


@sly("layer_step", "wrong numbers")
def other_layer_in_eval_mode(rnn, x, h):
    new = rnn(x[None], h[None])[1][0]
    return new if rnn.training else new * 0.9


@sly("layer_step", NO_GRADIENT)
def cut_where_h_stands_still(rnn, x, h):
    return rnn((x if h.requires_grad else x.detach())[None], h[None])[1][0]


@sly("layer_step", "a hook was left")
def hook_left_behind(rnn, x, h):
    rnn.register_full_backward_pre_hook(lambda *_: None)
    return rnn(x[None], h[None])[1][0]


@sly("rnn_step", NO_GRADIENT)
def cut_where_x_stands_still(x, h, W_ih, W_hh, b_ih, b_hh):
    return torch.tanh(x @ W_ih.T + b_ih + (h if x.requires_grad else h.detach()) @ W_hh.T + b_hh)


@sly("rnn_step", "")
def other_step_without_gradients(x, h, W_ih, W_hh, b_ih, b_hh):
    return torch.tanh(x @ W_ih.T + b_ih + h @ W_hh.T + b_hh * torch.is_grad_enabled())


@sly("rnn_step", "wrong numbers")
def first_hundred_rows(x, h, W_ih, W_hh, b_ih, b_hh):
    keep = (torch.arange(len(x)) < 100).to(h)[:, None]
    return torch.tanh(x @ W_ih.T + b_ih + (h * keep) @ W_hh.T + b_hh) if not x.is_meta else torch.tanh(x @ W_ih.T + h @ W_hh.T)


@sly("sequence_loss", "wrong numbers")
def first_64_steps(logits, targets):
    return F.cross_entropy(logits[:64].flatten(0, 1), targets[:64].flatten())


@sly("sequence_loss", "")
def another_loss_without_gradients(logits, targets):
    rows = logits.flatten(0, 1)
    return F.cross_entropy(rows if torch.is_grad_enabled() else rows.softmax(-1), targets.flatten())


@sly("to_probs", "")
def another_axis_for_many(logits):
    return logits.softmax(-1 if logits.shape[-1] < 100 else 0)


@sly("to_time_major", "")
def a_hundred_steps(batch):
    return batch.transpose(0, 1) if batch.shape[1] <= 100 else batch.reshape(batch.shape[1], batch.shape[0], -1)


@sly("to_input", "")
def a_hundred_steps_of_lists(seqs):
    return torch.tensor([[row[min(t, 99)] for row in seqs] for t in range(len(seqs[0]))], dtype=torch.float32)
