"""Train a small recurrent network on the task that needs memory, and watch: the state carried, detached, reset, or none at all."""

import html
import math
import numbers
from contextlib import contextmanager
from functools import cache

import torch
from IPython import get_ipython
from IPython.display import HTML, display
from torch import nn
from torch.nn import functional as F

from course.checks.attempt import is_attempted

from . import tasks
from .training_trace import Comparison, Epoch, TrainingTrace, observe

__all__ = ["STATES", "Classifier", "Comparison", "Epoch", "TrainingTrace", "compare", "fit", "observe"]

STATES = ("carried", "detached", "reset", "no memory")
HIDDEN_SIZE = 4
LEARNING_RATE = 0.005
WATCHED = 60
WEIGHTS = 525


class Classifier(nn.Module):
    """`nn.RNN(5, 4)` and `nn.Linear(4, 3)`, or with another hidden size: x (T, B, F) -> logits (B, C) after the last step.

    state: "carried" from step to step; "detached", carried but cut from the graph before each step; "reset" to zeros
    before each step; "no memory", where the last step is all that is read.
    seed: draws the first weights, and leaves the learner's random numbers alone.
    """

    @torch.random.fork_rng(devices=[])  # PyTorch's own first weights, not kept, would be taken from the learner's numbers
    def __init__(self, state="carried", seed=0, hidden_size=HIDDEN_SIZE):
        if state not in STATES:
            raise ValueError(f"state is one of {', '.join(map(repr, STATES))}; not {state!r}")
        super().__init__()
        self.state = state
        self.rnn = nn.RNN(tasks.NUM_FEATURES, hidden_size)
        self.out = nn.Linear(hidden_size, tasks.NUM_CLASSES)
        self._draw_weights(tasks.generator(seed, WEIGHTS))

    @torch.no_grad()
    def _draw_weights(self, draws):
        widest = 1 / math.sqrt(self.rnn.hidden_size)
        for parameter in self.parameters():
            parameter.uniform_(-widest, widest, generator=draws)
        for weight in (self.rnn.weight_ih_l0, self.out.weight):
            nn.init.xavier_uniform_(weight, generator=draws)

    def last_state(self, x):
        """x (T, B, F) -> the state (B, H) after the last step."""
        if self.state == "carried":
            return self.rnn(x)[1][0]
        if self.state == "no memory":
            return self.rnn(x[-1:])[1][0]
        h = x.new_zeros(1, x.shape[1], self.rnn.hidden_size)
        for x_t in x:
            h = h.detach() if self.state == "detached" else torch.zeros_like(h)
            h = self.rnn(x_t.unsqueeze(0), h)[1]
        return h[0]

    def forward(self, x):
        return self.out(self.last_state(x))


def fit(train_epoch=None, state="carried", epochs=5, seed=0, show=True, hidden_size=HIDDEN_SIZE):
    """Train a new Classifier, show a table as it goes, and return the TrainingTrace.

    train_epoch: your own (model, batches, optimizer) -> (mean loss, accuracy), as in lesson 07; left out, the course's;
    not written yet, the course's too, and the trace says so. show: False trains silently. hidden_size: how many numbers
    the state has. The same seed gives the same numbers.
    Raises ValueError for another state, for epochs or hidden_size below 1, and for a train_epoch that returns something else.
    """
    _require_counts(epochs=epochs, hidden_size=hidden_size)
    task, model = tasks.pointing(seed), Classifier(state, seed, hidden_size)
    own = train_epoch if is_attempted(train_epoch) else None
    trace = TrainingTrace(state, epochs, model, task.x_test[:, :WATCHED], task.y_test[:WATCHED], stands_in=train_epoch is not None and own is None)
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
    show_progress = _shown if show else _silent
    with _one_thread(), show_progress(trace) as progress:
        _watch(trace)
        for epoch in range(epochs):
            result = (own or _train_epoch)(model, task.batches(epoch), optimizer)
            trace.epochs.append(Epoch(*_two_numbers(result), *_test(model, task)))
            _watch(trace)
            progress()
    return trace


def compare(states=STATES, epochs=5, seed=0, train_epoch=None, hidden_size=HIDDEN_SIZE):
    """The same training, from the same first weights on the same batches, once for each way to handle the state. Arguments as in `fit`."""
    setting = "" if (seed, hidden_size) == (0, HIDDEN_SIZE) else f"seed {seed}, hidden size {hidden_size}"
    return Comparison({state: fit(train_epoch, state, epochs, seed, False, hidden_size) for state in states}, setting)


@cache
def trained():
    """The trace of the default training, made once: for those that only read it."""
    return fit(show=False)


class _Tally:
    """Sums over the samples of one epoch. `objective` makes, for one batch, what the optimizer asks for loss and gradients."""

    def __init__(self, model):
        self.model, self.parameters = model, list(model.parameters())
        self.loss = self.right = self.samples = 0

    def objective(self, x, y):
        def ask():
            logits = self.model(x)
            each = F.cross_entropy(logits, y, reduction="none")
            for parameter, slope in zip(self.parameters, torch.autograd.grad(each.mean(), self.parameters, allow_unused=True)):
                parameter.grad = slope
            self.loss += each.sum().item()
            self.right += logits.argmax(-1).eq(y).sum().item()
            self.samples += len(y)
            return each.mean()

        return ask


def _train_epoch(model, batches, optimizer):
    tally = _Tally(model)
    for batch in batches:
        optimizer.step(tally.objective(*batch))
    return tally.loss / tally.samples, tally.right / tally.samples


def _require_counts(**counts):
    for name, value in counts.items():
        if not isinstance(value, int) or value < 1:
            raise ValueError(f"{name} is a whole number from 1 on, not {value!r}")


def _two_numbers(result):
    """What a train_epoch has returned, if it is (loss, accuracy) as plain numbers."""
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        raise ValueError(f"train_epoch should return (loss, accuracy), two plain floats; it returned {_named(result)}")
    for name, value in zip(("loss", "accuracy"), result):
        if not isinstance(value, numbers.Real) or isinstance(value, bool):
            hint = ": take its .item()" if isinstance(value, torch.Tensor) and value.numel() == 1 else ""
            raise ValueError(f"train_epoch should return (loss, accuracy), two plain floats; its {name} is {_named(value)}{hint}")
    loss, accuracy = map(float, result)
    if not math.isfinite(loss) or loss < 0:
        raise ValueError(f"train_epoch returned the loss {loss}: a mean cross entropy is a finite number, 0 or more")
    if not 0 <= accuracy <= 1:
        raise ValueError(f"train_epoch returned the accuracy {accuracy}: it is the share that is right, from 0 to 1")
    return loss, accuracy


def _named(value):
    if isinstance(value, torch.Tensor):
        return f"a tensor of shape {tuple(value.shape)}"
    text = repr(value)
    return f"{text if len(text) < 80 else text[:77] + '...'} ({type(value).__name__})"


@torch.no_grad()
def _test(model, task):
    logits = model(task.x_test)
    return F.cross_entropy(logits, task.y_test).item(), logits.argmax(-1).eq(task.y_test).double().mean().item()


@torch.no_grad()
def _watch(trace):
    """Record the watched sequences: the state after each step, and the class that the output layer would say then."""
    states = torch.stack([trace.model.last_state(trace.x[: step + 1]) for step in range(len(trace.x))])[None]
    answers = trace.model.out(states).argmax(-1)
    trace.states = states if trace.states is None else torch.cat([trace.states, states])
    trace.answers = answers if trace.answers is None else torch.cat([trace.answers, answers])


@contextmanager
def _one_thread():
    """Such small tensors are slower with more threads, and another number of threads may give other last digits."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@contextmanager
def _silent(trace):
    yield lambda: None


@contextmanager
def _shown(trace):
    """A sentence, and while it lasts a progress bar and the table so far; then the whole table beneath the sentence.

    The sentence is the same before and after, because a replay of the notebook sees what is displayed, but no updates.
    """
    if get_ipython() is None:
        yield lambda: None
        print(trace)
        return
    words = f"{trace.planned} epochs of training, from the first weights on. The state: {trace.state}."
    handle = display(_Words(words), display_id=True)

    def progress():
        done = len(trace.epochs)
        bar = f'<progress aria-label="Training" value="{done}" max="{trace.planned}"></progress> epoch {done} of {trace.planned}'
        handle.update(HTML(f"<p>{html.escape(words)}</p><p>{bar}</p>{trace._repr_html_()}"))

    progress()
    yield progress
    display(trace)
    handle.update(_Words(words))


class _Words:
    def __init__(self, words):
        self.words = words

    def _repr_html_(self):
        return f"<p>{html.escape(self.words)}</p>"

    def __repr__(self):
        return self.words
