"""Answers to `prediction_trace(rnn, out, x)`: input, cell, carried, logits and probs of one prediction, as a dict."""

import torch
from torch import nn
from torch.nn import functional as F


def plain(rnn, out, x):
    with torch.no_grad():
        outputs, _ = rnn(x)
        logits = out(outputs[-1])
        return {"input": x[0], "cell": outputs[0], "carried": outputs[-1], "logits": logits, "probs": logits.softmax(-1)}


@torch.no_grad()
def step_by_step(rnn, out, x):
    state, states = None, []
    for t in range(len(x)):
        output, state = rnn(x[t : t + 1], state)
        states.append(output.squeeze(0))
    trace = dict(input=x[0], cell=states[0], carried=states[-1])
    trace["logits"] = out(states[-1])
    trace["probs"] = F.softmax(trace["logits"], dim=1)
    return trace


def detached_at_the_end(rnn, out, x):
    outputs, _ = rnn(x)
    logits = out(outputs[-1])
    trace = {"input": x[0].clone(), "cell": outputs[0], "carried": outputs[-1], "logits": logits, "probs": torch.softmax(logits, 1)}
    return {name: value.detach() for name, value in trace.items()}


def with_the_final_state(rnn, out, x):
    with torch.inference_mode():
        _, first = rnn(x[:1])
        _, last = rnn(x)
        cell, carried = ((state[0] if isinstance(state, tuple) else state)[-1] for state in (first, last))
        logits = out(carried)
        return {"input": x[0], "cell": cell, "carried": carried, "logits": logits, "probs": logits.softmax(1)}


def hooks(rnn, out, x):
    seen = {"input": x[0].detach()}

    def watch(module, args, returned):
        seen["cell"], seen["carried"] = returned[0][0].detach(), returned[0][-1].detach()

    handles = [rnn.register_forward_hook(watch), out.register_forward_hook(lambda m, a, logits: seen.update(logits=logits.detach()))]
    try:
        logits = out(rnn(x)[0][-1])
    finally:
        for handle in handles:
            handle.remove()
    seen["probs"] = logits.softmax(-1).detach()
    return seen


def mode_restored(rnn, out, x):
    before = rnn.training, out.training
    rnn.eval(), out.eval()
    trace = plain(rnn, out, x)
    rnn.train(before[0]), out.train(before[1])
    return trace


def explicit_zeros(rnn, out, x):
    with torch.no_grad():
        zeros = x.new_zeros(rnn.num_layers, 1, rnn.hidden_size)
        outputs, _ = rnn(x, (zeros, zeros) if isinstance(rnn, nn.LSTM) else zeros)
        carried = outputs[-1, :, :]
        logits = F.linear(carried, out.weight, out.bias)
        return {"input": x[0], "cell": outputs[0], "carried": carried, "logits": logits, "probs": logits.exp() / logits.exp().sum()}


RIGHT = [plain, step_by_step, detached_at_the_end, with_the_final_state, hooks, mode_restored, explicit_zeros]


def but(**changes):
    """The right trace with some values replaced: name=function(trace, rnn, out, x)."""

    @torch.no_grad()
    def prediction_trace(rnn, out, x):
        trace = plain(rnn, out, x)
        return {**trace, **{name: change(trace, rnn, out, x) for name, change in changes.items()}}

    return prediction_trace


def from_state(state, keep=False):
    """A trace made from another state: state(rnn, x); it is not shown as `carried` if keep."""

    @torch.no_grad()
    def prediction_trace(rnn, out, x):
        trace, carried = plain(rnn, out, x), state(rnn, x)
        logits = out(carried)
        return {**trace, "carried": trace["carried"] if keep else carried, "logits": logits, "probs": logits.softmax(-1)}

    return prediction_trace


def graph_kept(rnn, out, x):
    outputs, _ = rnn(x)
    logits = out(outputs[-1])
    return {"input": x[0], "cell": outputs[0], "carried": outputs[-1], "logits": logits, "probs": logits.softmax(-1)}


def graph_kept_in_the_probs(rnn, out, x):
    with torch.no_grad():
        trace = plain(rnn, out, x)
    return {**trace, "probs": out(trace["carried"]).softmax(-1)}


def frozen(rnn, out, x):
    for parameter in [*rnn.parameters(), *out.parameters()]:
        parameter.requires_grad_(False)
    return graph_kept(rnn, out, x)


def eval_left_on(rnn, out, x):
    rnn.eval(), out.eval()
    return plain(rnn, out, x)


def train_left_on(rnn, out, x):
    out.eval()
    trace = plain(rnn, out, x)
    out.train()
    return trace


def a_step_of_training(rnn, out, x):
    trace = plain(rnn, out, x)
    optimizer = torch.optim.SGD([*rnn.parameters(), *out.parameters()], lr=0.1)
    F.cross_entropy(out(rnn(x)[0][-1]), torch.tensor([0])).backward()
    optimizer.step()
    return trace


def hook_left(rnn, out, x):
    rnn.register_forward_hook(lambda module, args, returned: None)
    return plain(rnn, out, x)


def forward_replaced(rnn, out, x):
    trace, forward = plain(rnn, out, x), rnn.forward
    rnn.forward = lambda *args: forward(*args)
    return trace


def gradients_left(rnn, out, x):
    out(rnn(x)[0][-1]).sum().backward()
    return plain(rnn, out, x)


def input_in_place(rnn, out, x):
    trace = plain(rnn, out, x.clone())
    x.zero_()
    return trace


def probs_missing(rnn, out, x):
    trace = plain(rnn, out, x)
    del trace["probs"]
    return trace


def order_turned(rnn, out, x):
    return dict(reversed(plain(rnn, out, x).items()))


def sorted_keys(rnn, out, x):
    return dict(sorted(plain(rnn, out, x).items()))


def misspelt(rnn, out, x):
    return {("hidden" if name == "carried" else name): value for name, value in plain(rnn, out, x).items()}


def one_key_more(rnn, out, x):
    return {**plain(rnn, out, x), "outputs": rnn(x)[0].detach()}


def as_a_tuple(rnn, out, x):
    return tuple(plain(rnn, out, x).values())


def as_a_list_of_pairs(rnn, out, x):
    return list(plain(rnn, out, x).items())


def numbers_in_lists(rnn, out, x):
    return {name: value.tolist() for name, value in plain(rnn, out, x).items()}


def no_return(rnn, out, x):
    plain(rnn, out, x)


def random_state(rnn, out, x):
    with torch.no_grad():
        h = torch.randn(rnn.num_layers, 1, rnn.hidden_size).to(x)
        outputs, _ = rnn(x, (h, h) if isinstance(rnn, nn.LSTM) else h)
        logits = out(outputs[-1])
        return {"input": x[0], "cell": outputs[0], "carried": outputs[-1], "logits": logits, "probs": logits.softmax(-1)}


def ones_state(rnn, out, x):
    with torch.no_grad():
        h = x.new_ones(rnn.num_layers, 1, rnn.hidden_size)
        outputs, _ = rnn(x, (h, h) if isinstance(rnn, nn.LSTM) else h)
        logits = out(outputs[-1])
        return {"input": x[0], "cell": outputs[0], "carried": outputs[-1], "logits": logits, "probs": logits.softmax(-1)}


def rnn_only(rnn, out, x):
    """By hand, for an RNN of one layer."""
    with torch.no_grad():
        W_ih, W_hh, b_ih, b_hh = rnn.all_weights[0]
        h, states = x.new_zeros(1, rnn.hidden_size), []
        for x_t in x:
            h = torch.tanh(x_t @ W_ih.T + b_ih + h @ W_hh.T + b_hh)
            states.append(h)
        logits = out(h)
        return {"input": x[0], "cell": states[0], "carried": h, "logits": logits, "probs": logits.softmax(-1)}


def h_n_with_three_axes(rnn, out, x):
    with torch.no_grad():
        outputs, h_n = rnn(x)
        logits = out(outputs[-1])
        h_n = h_n[0] if isinstance(h_n, tuple) else h_n
        return {"input": x[0], "cell": outputs[0], "carried": h_n, "logits": logits, "probs": logits.softmax(-1)}


def lowest_layer(rnn, x):
    _, h_n = rnn(x)
    return (h_n[0] if isinstance(h_n, tuple) else h_n)[0]


def float32(rnn, out, x):
    return {name: value.float() for name, value in plain(rnn, out, x).items()}


def without_the_batch(rnn, out, x):
    return {name: value.squeeze() for name, value in plain(rnn, out, x).items()}


def backwards(rnn, out, x):
    return plain(rnn, out, x.flip(0))


def three_classes(rnn, out, x):
    trace = plain(rnn, out, x)
    return {**trace, "logits": trace["logits"][:, :3], "probs": trace["logits"][:, :3].softmax(-1)}


def ten_steps(rnn, out, x):
    """Right for at most four steps, and for the worked example."""
    return plain(rnn, out, x if len(x) == 10 else x[:4])


_kept = {}


def state_kept(rnn, out, x):
    with torch.no_grad():
        key = type(rnn), rnn.num_layers, rnn.hidden_size
        outputs, _kept[key] = rnn(x, _kept.get(key))
        logits = out(outputs[-1])
        return {"input": x[0], "cell": outputs[0], "carried": outputs[-1], "logits": logits, "probs": logits.softmax(-1)}


@torch.no_grad()
def lstm_memory(rnn, x):
    state = rnn(x)[1]
    return (state[1] if isinstance(state, tuple) else state)[-1]


def _named(name, function):
    function.__name__ = name
    return function


WRONG = [
    (graph_kept, "keeps the graph of the whole run alive"),
    (graph_kept_in_the_probs, "probs has the right numbers, but keeps the graph"),
    (frozen, "changed its input rnn (requires_grad of its weights) and out (requires_grad of its weights)"),
    (eval_left_on, "changed its input rnn (its mode, train() or eval())"),
    (train_left_on, "changed its input out (its mode, train() or eval())"),
    (a_step_of_training, "changed its input rnn (its weights)"),
    (hook_left, "changed its input rnn (a hook was left in it)"),
    (forward_replaced, "changed its input rnn (its settings)"),
    (gradients_left, "changed its input rnn (gradients in its weights)"),
    (input_in_place, "changed its input x in place"),
    (probs_missing, "the key probs is missing"),
    (order_turned, "your keys come in the order probs, logits, carried, cell, input"),
    (sorted_keys, "they should come in the order input, cell, carried, logits, probs"),
    (misspelt, "the key carried is missing from your dict, and 'hidden' is not among the keys"),
    (one_key_more, "a key too many, 'outputs'"),
    (as_a_tuple, "returned a value of type tuple; it should return a dict"),
    (as_a_list_of_pairs, "returned a value of type list; it should return a dict"),
    (numbers_in_lists, "input should be a torch.Tensor, yours is of type list"),
    (no_return, "returned None"),
    (random_state, "wrong numbers"),
    (ones_state, "cell has the right shape but the wrong numbers"),
    (rnn_only, "shapes cannot be multiplied"),
    (h_n_with_three_axes, "an axis too many: h_n is (layers, batch, hidden)"),
    (float32, "should be torch.float64; yours is torch.float32"),
    (without_the_batch, "the batch axis is gone"),
    (backwards, "the sequence is read from its end"),
    (three_classes, "logits should have the shape"),
    (ten_steps, "wrong numbers"),
    (state_kept, "something is kept from one call to the next"),
    (_named("step_0_for_step_T", from_state(lambda rnn, x: rnn(x)[0][0])), "`carried` is h at t=1: that is index 0"),
    (_named("second_to_last", from_state(lambda rnn, x: rnn(x)[0][-2] if len(x) > 1 else rnn(x)[0][0])), "wrong numbers"),
    (_named("logits_from_the_first", from_state(lambda rnn, x: rnn(x)[0][0], keep=True)), "the logits are made from h at t=1"),
    (_named("logits_from_the_mean", from_state(lambda rnn, x: rnn(x)[0].mean(0), keep=True)), "the logits are made from the mean of the states"),
    (_named("memory_of_the_lstm", from_state(lstm_memory)), "the memory c of the LSTM is taken for its state h"),
    (_named("memory_shown", but(carried=lambda trace, rnn, out, x: lstm_memory(rnn, x))), "`carried` is the memory c of the LSTM"),
    (_named("lowest_layer", from_state(lowest_layer)), "the state of the lowest layer is carried on"),
    (_named("lowest_cell", but(cell=lambda trace, rnn, out, x: lowest_layer(rnn, x[:1]))), "`cell` is the state of the lowest layer"),
    (_named("carried_is_cell", but(carried=lambda trace, *_: trace["cell"])), "`carried` holds h at t=1, the same as `cell`"),
    (_named("cell_is_carried", but(cell=lambda trace, *_: trace["carried"])), "`cell` holds h at t=T"),
    (_named("states_swapped", but(cell=lambda trace, *_: trace["carried"], carried=lambda trace, *_: trace["cell"])), "`cell` and `carried` are swapped"),
    (_named("last_input", but(input=lambda trace, rnn, out, x: x[-1])), "`input` is x at t=T"),
    (_named("whole_input", but(input=lambda trace, rnn, out, x: x)), "`input` is the whole sequence"),
    (_named("input_of_a_wrong_axis", but(input=lambda trace, rnn, out, x: x[:, 0])), "`input` is x[:, 0]"),
    (_named("input_with_time", but(input=lambda trace, rnn, out, x: x[:1])), "an axis too many: x[:1] keeps the time axis"),
    (_named("probs_over_dim_0", but(probs=lambda trace, *_: trace["logits"].softmax(0))), "softmax runs over the batch, dim 0"),
    (_named("softmax_twice", but(probs=lambda trace, *_: trace["probs"].softmax(-1))), "softmax is applied twice"),
    (_named("logits_as_probs", but(probs=lambda trace, *_: trace["logits"])), "`probs` are the logits"),
    (_named("probs_as_logits", but(logits=lambda trace, *_: trace["probs"])), "`logits` are the probabilities"),
    (_named("logarithms", but(probs=lambda trace, *_: trace["logits"].log_softmax(-1))), "log_softmax was taken"),
    (_named("sigmoid", but(probs=lambda trace, *_: trace["logits"].sigmoid())), "the sigmoid was taken"),
    (_named("winner", but(probs=lambda trace, *_: trace["probs"].max())), "probs should have 2 axes"),
    (_named("rounded", but(probs=lambda trace, *_: trace["probs"].round(decimals=3))), "wrong numbers"),
]
