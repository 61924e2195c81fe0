"""Answers that were told a cause that is not theirs, with the words that each must be told and those that it must not."""

import random
import uuid

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

MISLED = []


def misled(exercise, words, never=""):
    def write_down(answer):
        MISLED.append((exercise, answer, words, never))
        return answer

    return write_down


def epoch(model, batches, optimizer, loss_of=lambda model, x, y: F.cross_entropy(model(x), y), share=lambda right, n: right / n, steps=lambda i: True):
    model.train()
    total, right, n = 0.0, 0, 0
    for i, (x, y) in enumerate(batches):
        optimizer.zero_grad()
        loss = loss_of(model, x, y)
        loss.backward()
        if steps(i):
            optimizer.step()
        total, n = total + loss.item() * len(y), n + len(y)
        right += (model(x).argmax(-1) == y).sum().item() if share else 0
    return total / n, share(right, n)


@misled("train_epoch", "the graph is cut", "loss.backward() is missing")
def logits_detached(model, batches, optimizer):
    return epoch(model, batches, optimizer, lambda model, x, y: F.cross_entropy(model(x).detach().requires_grad_(), y))


@misled("train_epoch", "the graph is cut", "loss.backward() is missing")
def loss_made_anew(model, batches, optimizer):
    return epoch(model, batches, optimizer, lambda model, x, y: torch.tensor(F.cross_entropy(model(x), y).item(), requires_grad=True))


@misled("train_epoch", "loss.backward() is missing")
def no_backward(model, batches, optimizer):
    model.train()
    for x, y in batches:
        optimizer.zero_grad()
        F.cross_entropy(model(x), y)
        optimizer.step()
    return 1.0, 1.0


@misled("train_epoch", "//", "it is a count")
def whole_division(model, batches, optimizer):
    return epoch(model, batches, optimizer, share=lambda right, n: right // n)


@misled("train_epoch", "it is a count")
def a_count(model, batches, optimizer):
    return epoch(model, batches, optimizer, share=lambda right, n: right)


for n, which in {2: "second", 3: "third"}.items():
    for rest in (0, n - 1):

        def every_nth(model, batches, optimizer, n=n, rest=rest):
            return epoch(model, batches, optimizer, steps=lambda i: i % n == rest)

        misled("train_epoch", f"at every {which} batch only", "behind the loop")(every_nth)


@misled("train_epoch", "behind the loop")
def behind_the_loop(model, batches, optimizer):
    model.train()
    for x, y in batches:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
    optimizer.step()
    return loss.item(), 1.0


def trace(rnn, out, x, **parts):
    with torch.no_grad():
        outputs = rnn(x)[0]
        logits = out(outputs[-1])
        right = {"input": x[0], "cell": outputs[0], "carried": outputs[-1], "logits": logits, "probs": logits.softmax(-1)}
        return {name: parts[name](rnn, out, x) if name in parts else value for name, value in right.items()}


@misled("prediction_trace", "wrong numbers", "read from its end")
def one_part_of_the_last_step(rnn, out, x):
    return trace(rnn, out, x, cell=lambda rnn, out, x: rnn(x[-1:])[0][0])


@misled("prediction_trace", "wrong numbers", "read from its end")
def logits_of_the_sequence_turned(rnn, out, x):
    return trace(rnn, out, x, logits=lambda rnn, out, x: out(rnn(x.flip(0))[0][-1]))


@misled("run_sequence", "wrong numbers", "read from its end")
def last_state_of_the_sequence_turned(x, h0, cell):
    def run(x):
        h, outputs = h0, []
        for x_t in x:
            h = cell(x_t, h)
            outputs.append(h)
        return torch.stack(outputs), h

    return run(x)[0], run(x.flip(0))[1]


@misled("to_probs", "holds several values", "ayer")
def largest_and_its_place(logits):
    return logits.softmax(-1).max(-1)


@misled("to_probs", "holds several values", "ayer")
def any_tuple(logits):
    return logits.softmax(-1), logits


@misled("rnn_step", "holds several values", "max(")
def step_and_sum(x, h, W_ih, W_hh, b_ih, b_hh):
    total = x @ W_ih.T + b_ih + h @ W_hh.T + b_hh
    return torch.tanh(total), total


class Every:
    """A predictor that throws its state away at some calls only."""

    def __init__(self, rnn, out, forgets):
        self.rnn, self.out, self.forgets, self.calls, self.h = rnn, out, forgets, 0, None

    def __call__(self, x):
        if self.forgets(self.calls) or (self.h is not None and (self.h[0] if isinstance(self.h, tuple) else self.h).shape[1] != x.shape[1]):
            self.h = None
        self.calls += 1
        outputs, self.h = self.rnn(x, self.h)
        return self.out(outputs[-1]).softmax(-1)


@misled("predictor", "wrong numbers", "every second call")
def forgets_at_every_third_call(rnn, out):
    return Every(rnn, out, lambda call: call % 3 == 0)


@misled("predictor", "wrong numbers", "every second call")
def forgets_at_the_third_call(rnn, out):
    return Every(rnn, out, lambda call: call == 2)


@misled("predictor", "every second call")
def forgets_at_every_second_call(rnn, out):
    return Every(rnn, out, lambda call: call % 2 == 0)


# Nothing is kept, and no two calls are the same

RANDOM, KEPT = "something random is inside", "something is kept"


@misled("to_probs", RANDOM, KEPT)
def noise_of_a_generator(logits):
    return logits.softmax(-1) + 0.01 * torch.from_numpy(np.random.default_rng().random(logits.shape)).to(logits)


@misled("to_probs", RANDOM, KEPT)
def noise_of_the_system(logits):
    return logits.softmax(-1) + (uuid.uuid4().int % 1000) / 1000


@misled("to_probs", RANDOM, KEPT)
def noise_of_a_generator_of_its_own(logits):
    return logits.softmax(-1) + random.Random().random()


@misled("to_probs", RANDOM, KEPT)
def dropout(logits):
    return F.dropout(logits, 0.5).softmax(-1)


@misled("rnn_step", "random", KEPT)
def a_fresh_cell(x, h, W_ih, W_hh, b_ih, b_hh):
    return nn.RNNCell(x.shape[1], h.shape[1], dtype=x.dtype, device=x.device)(x, h)


@misled("run_sequence", RANDOM, KEPT)
def shuffled_steps(x, h0, cell):
    h, outputs = h0, []
    order = list(range(len(x)))
    random.shuffle(order)
    for t in order:
        h = cell(x[t], h)
        outputs.append(h)
    return torch.stack(outputs), h


@misled("to_probs", KEPT, RANDOM)
def counts_its_calls(logits, calls=[]):
    calls.append(1)
    return logits.softmax(-1) + 0.1 * len(calls)


numbers = [0]


@misled("to_probs", KEPT, RANDOM)
def counts_in_the_notebook(logits):
    numbers[0] += 1
    return logits.softmax(-1) + 0.1 * numbers[0]


# Not attempted yet

NOT_YET = "not attempted yet"


@misled("rnn_step", NOT_YET, "RAISED")
def promised_after_a_line(x, h, W_ih, W_hh, b_ih, b_hh):
    """What it will do."""
    B, H = h.shape
    raise NotImplementedError("YOUR CODE HERE")


@misled("predictor", NOT_YET, "RAISED")
class Promised:
    def __init__(self, rnn, out):
        self.rnn, self.out = rnn, out

    def __call__(self, x):
        raise NotImplementedError()


@misled("class_loss", NOT_YET, "RAISED")
def promised_behind_the_shipped_line(model, x, y):
    probs = model(x).softmax(-1)
    print(probs.shape)
    raise NotImplementedError
