"""What fresh readers tried, exercise by exercise, with the words that each of them should have been told."""

import torch
from torch import nn
from torch.nn import functional as F

TRIED = []


def tried(exercise, words):
    """Write an answer down with the words that its message holds."""

    def write_down(answer):
        TRIED.append((exercise, answer, words))
        return answer

    return write_down


# What lies about in a notebook
model, linear = nn.RNN(5, 4), nn.Linear(4, 3)
W_hh, h = torch.randn(4, 4), torch.randn(1, 4)
xb, yb = torch.randn(10, 4, 5), torch.randint(3, (4,))


@tried("rnn_step", "tanh is put on each term")
def tanh_on_each_term(x, h, W_ih, W_hh, b_ih, b_hh):
    return torch.tanh(x @ W_ih.T + b_ih) + torch.tanh(h @ W_hh.T + b_hh)


@tried("rnn_step", "the old state is added")
def h_added(x, h, W_ih, W_hh, b_ih, b_hh):
    return h + torch.tanh(x @ W_ih.T + b_ih + h @ W_hh.T + b_hh)


@tried("rnn_step", "the term with W_hh and h is missing")
def h_ignored(x, h, W_ih, W_hh, b_ih, b_hh):
    return torch.tanh(x @ W_ih.T + b_ih + b_hh)


@tried("rnn_step", "number by number")
def input_times_matrix(x, h, W_ih, W_hh, b_ih, b_hh):
    return torch.tanh(x * W_ih.T + b_ih + h @ W_hh.T + b_hh)


@tried("rnn_step", "number by number")
def state_times_matrix(x, h, W_ih, W_hh, b_ih, b_hh):
    return torch.tanh(x @ W_ih.T + b_ih + h * W_hh + b_hh)


@tried("rnn_step", "the batch in its columns")
def matrix_first(x, h, W_ih, W_hh, b_ih, b_hh):
    return torch.tanh(x @ W_ih.T + b_ih + W_hh @ h.T + b_hh)


@tried("rnn_step", "random")
def fresh_layers(x, h, W_ih, W_hh, b_ih, b_hh):
    return torch.tanh(nn.Linear(x.shape[1], h.shape[1])(x) + nn.Linear(h.shape[1], h.shape[1])(h))


@tried("rnn_step", "`W_hh` of the notebook")
def weights_of_the_notebook(x, h, W_ih, weight, b_ih, b_hh):
    return torch.tanh(x @ W_ih.T + b_ih + h @ W_hh.T + b_hh)


@tried("rnn_step", "other order")
def h_first(h, x, W_ih, W_hh, b_ih, b_hh):
    return torch.tanh(x @ W_ih.T + b_ih + h @ W_hh.T + b_hh)


@tried("output_layer", "number by number")
def state_times_weights(h, W, b):
    return h * W.T + b


@tried("output_layer", "h @ W.T has the batch first")
def weights_first(h, W, b):
    return W @ h.T + b


@tried("output_layer", "random")
def fresh_layer(h, W, b):
    return nn.Linear(h.shape[1], len(b))(h)


@tried("run_sequence", "`return` stands inside the loop")
def returns_in_the_loop(x, h0, cell):
    h, out = h0, []
    for x_t in x:
        h = cell(x_t, h)
        out.append(h)
        return torch.stack(out), h


@tried("run_sequence", "the number 10")
def ten_steps(x, h0, cell):
    h, out = h0, []
    for t in range(10):
        h = cell(x[t], h)
        out.append(h)
    return torch.stack(out), h


@tried("run_sequence", "the input first, and the state second")
def cell_called_with_h_first(x, h0, cell):
    h, out = h0, []
    for x_t in x:
        h = cell(h, x_t)
        out.append(h)
    return torch.stack(out), h


@tried("run_sequence", "cuts the graph")
def state_through_a_list(x, h0, cell):
    h, out = h0, []
    for x_t in x:
        h = cell(x_t, torch.tensor(h.tolist()))
        out.append(h)
    return torch.stack(out), h


@tried("run_sequence", "detach")
def outputs_detached(x, h0, cell):
    h, out = h0, torch.zeros(len(x), *h0.shape, dtype=x.dtype, device=x.device)
    for t in range(len(x)):
        h = cell(x[t], h)
        out[t] = h.detach()
    return out, h


@tried("run_sequence", "torch.stack")
def list_of_outputs(x, h0, cell):
    h, out = h0, []
    for x_t in x:
        h = cell(x_t, h)
        out.append(h)
    return out, h


@tried("run_sequence", "torch.stack gives time an axis of its own")
def outputs_joined_by_cat(x, h0, cell):
    h, out = h0, []
    for x_t in x:
        h = cell(x_t, h)
        out.append(h)
    return torch.cat(out), h


@tried("run_sequence", "`model` of the notebook")
def layer_of_the_notebook(x, h0, cell):
    out, h = model(x, h0.unsqueeze(0))
    return out, h[0]


@tried("run_sequence", "`h` of the notebook")
def state_of_the_notebook(x, h0, cell):
    out, state = [], h0
    for x_t in x:
        state = cell(x_t, h)
        out.append(state)
    return torch.stack(out), state


@tried("last_valid", "picks sequences, at every step")
def lengths_as_sequences(outputs, lengths):
    return outputs[:, lengths - 1]


@tried("last_valid", "every row is read from sequence 0")
def first_sequence_only(outputs, lengths):
    return outputs[lengths - 1, 0]


@tried("last_valid", "the index in")
def one_step_too_far(outputs, lengths):
    return outputs[lengths, torch.arange(len(lengths))]


@tried("to_probs", "whole tensor")
def sum_of_all(logits):
    e = torch.exp(logits - logits.amax(-1, keepdim=True))
    return e / e.sum()


@tried("to_probs", "axis")
def sum_of_the_first_axis(logits):
    e = torch.exp(logits - logits.amax(-1, keepdim=True))
    return e / e.sum(0)


@tried("to_probs", ".values are the ones to subtract")
def max_without_values(logits):
    e = torch.exp(logits - logits.max(-1, keepdim=True))
    return e / e.sum(-1, keepdim=True)


@tried("to_probs", "gives one sum for each row")
def plain_sum_of_all(logits):
    e = torch.exp(logits)
    return e / e.sum()


@tried("to_probs", "and not over the classes")
def plain_sum_of_the_first_axis(logits):
    e = torch.exp(logits)
    return e / e.sum(0)


@tried("sequence_loss", "flatten() lays them out too, (T * B,)")
def logits_flattened(logits, targets):
    return F.cross_entropy(logits.flatten(0, 1), targets)


@tried("sequence_loss", "flatten(0, 1) lays them out too, (T * B, C)")
def targets_flattened(logits, targets):
    return F.cross_entropy(logits, targets.flatten())


@tried("sequence_loss", "cross_entropy looks for the classes there")
def logits_transposed(logits, targets):
    return F.cross_entropy(logits.transpose(0, 1), targets)


@tried("sequence_loss", "cross_entropy looks for the classes there")
def both_transposed(logits, targets):
    return F.cross_entropy(logits.transpose(0, 1), targets.transpose(0, 1))


@tried("class_loss", "-inf")
def log_of_softmax(model, x, y):
    probs = model(x).softmax(-1)
    return F.nll_loss(probs.log(), y)


@tried("class_loss", "item")
def loss_as_a_number(model, x, y):
    return F.cross_entropy(model(x), y).item()


@tried("class_loss", "of the notebook")
def model_of_the_notebook(net, inputs, targets):
    return F.cross_entropy(linear(model(inputs)[0][-1]), targets)


@tried("predictor", "starts every kind of network from its own zeros")
class Predictor:
    def __init__(self, rnn, out):
        self.rnn, self.out = rnn, out

    def __call__(self, x):
        h0 = torch.zeros(1, x.shape[1], self.rnn.hidden_size, dtype=x.dtype)
        outputs, _ = self.rnn(x, h0)
        return self.out(outputs[-1]).softmax(-1)


@tried("init_hidden", "not kept")
def dtype_not_kept(num_layers, batch, hidden, like):
    h = torch.zeros(num_layers, batch, hidden, device=like.device)
    h.to(like.dtype)
    return h


@tried("init_hidden", "4")
def hidden_4(num_layers, batch, hidden, like):
    return torch.zeros(num_layers, batch, 4, device=like.device, dtype=like.dtype)


@tried("init_hidden", "the numbers 1 and 4 are written down")
def one_one_four(num_layers, batch, hidden, like):
    return torch.zeros(1, 1, 4, device=like.device, dtype=like.dtype)


@tried("layer_step", "both want unsqueeze(0)")
def state_without_layers(rnn, x, h):
    out, h_n = rnn(x.unsqueeze(0), h)
    return h_n


@tried("layer_step", "not kept")
def unsqueeze_not_kept(rnn, x, h):
    x = x.unsqueeze(0)
    h.unsqueeze(0)
    return rnn(x, h)[1].squeeze(0)


@tried("layer_step", "`model` of the notebook")
def rnn_of_the_notebook(rnn, x, h):
    return model(x.unsqueeze(0), h.unsqueeze(0))[1].squeeze(0)


@tried("to_input", "is a list")
def lists_of_lists(seqs):
    return [[[float(v) for v in row] for row in rows] for rows in zip(*seqs)]


@tried("to_input", "takes a tensor apart that is wanted as it is")
def tensor_to_lists(seqs):
    return torch.tensor(seqs, dtype=torch.float32).transpose(0, 1).tolist()


@tried("to_time_major", "tolist")
def major_to_lists(batch):
    return batch.transpose(0, 1).tolist()


@tried("to_time_major", "torch.stack with dim=0 joins them")
def list_of_steps(batch):
    return [batch[:, t] for t in range(batch.shape[1])]


@tried("to_time_major", "PASSED")
def through_lists(batch):
    return torch.tensor(batch.transpose(0, 1).tolist(), dtype=batch.dtype)


@tried("prediction_trace", "of the notebook")
def traced_model_of_the_notebook(rnn, out, x):
    with torch.no_grad():
        o = model(x)[0]
        l = out(o[-1])
    return {"input": x[0], "cell": o[0], "carried": o[-1], "logits": l, "probs": l.softmax(-1)}


@tried("reset_rows", "of the notebook")
def reset_state_of_the_notebook(state, done):
    return h * (1 - done)[:, None]
