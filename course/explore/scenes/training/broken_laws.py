"""Lesson 9: which law sees which bug, and how little of the bug it takes."""

import torch
from torch import nn

from course import laws, pictures
from course.explore import views
from course.explore.explorer import Explorer, Scene, Slider, Switch, Table

AMOUNT = Slider("amount", "amount, %", 0, 100, 10, 100)
NAMES = [law.__name__.replace("_", " ").replace("last valid", "last-valid") for law in laws.ALL]
OUTRIGHT = 1.0
"""What stands for a law that is broken without a difference to measure, as where a gradient is gone."""


class Bugged(nn.Module):
    """An nn.RNN(5, 4) mixed with a version of it that has a bug: amount 0 is all right, amount 1 all bug."""

    def __init__(self, bug, amount):
        super().__init__()
        torch.manual_seed(0)
        self.input_size, self.rnn = 5, nn.RNN(5, 4)
        self.bug, self.amount, self.kept = bug, amount, {}

    def forward(self, x, state=None):
        if self.amount == 0:
            return self.rnn(x, state)
        right, wrong = self.rnn(x, state), self.bug(self.rnn, x, state, self.kept)
        return tuple(torch.lerp(one, other, self.amount) for one, other in zip(right, wrong))


def starts_anywhere(rnn, x, state, kept):
    """Without a state it starts from numbers that were left over."""
    return rnn(x, torch.linspace(-1, 1, 4).expand(1, x.shape[1], 4).contiguous() if state is None else state)


def never_passed_on(rnn, x, state, kept):
    """The state is taken and forgotten: every call starts from zeros."""
    return rnn(x)


def kept_inside(rnn, x, state, kept):
    """The module keeps its own state from call to call, whatever it is given."""
    outputs, h_n = rnn(x, kept.get(x.shape[1]))
    kept[x.shape[1]] = h_n.detach()
    return outputs, h_n


def rows_mixed(rnn, x, state, kept):
    """Each row has the mean of all rows taken away."""
    return rnn(x - x.mean(1, keepdim=True), state)


def cut_at_every_call(rnn, x, state, kept):
    """The state is detached on its way in."""
    return rnn(x, state if state is None else state.detach())


def one_step_short(rnn, x, state, kept):
    """The state that is returned is that of the step before the last."""
    outputs, h_n = rnn(x, state)
    return outputs, h_n if len(x) == 1 else outputs[-2:-1]


BUGS = {
    "random start": starts_anywhere,
    "state never passed on": never_passed_on,
    "state kept inside": kept_inside,
    "rows mixed": rows_mixed,
    "detached on the way in": cut_at_every_call,
    "one step short": one_step_short,
}
BUG = Switch("bug", "bug", tuple(BUGS))


def broken_laws():
    """Choose a bug and how much of it: a bar for each law, as long as the difference that it sees."""
    found = [[_asked(bug, amount) for amount in AMOUNT.values] for bug in BUGS.values()]
    sizes = torch.tensor([[[_size(verdict) for verdict in verdicts] for verdicts in amounts] for amounts in found])
    broken = torch.tensor([[sum(not verdict for verdict in verdicts) for verdicts in amounts] for amounts in found])
    return Explorer(
        Scene(
            title="Explorer: which law sees the bug?",
            controls=[BUG, AMOUNT],
            tables={"sizes": Table(("bug", "amount", "law"), sizes, 3), "broken": Table(("bug", "amount"), broken, 0)},
            views=[views.bars("The largest difference that each law sees", [("difference", "sizes")], "law", limits=(0, 1))],
            words="Bug: {bug}, {amount} %. Broken laws: {broken} of 8.",
            picture=pictures.broken_laws(sizes[:, -1], list(BUGS), NAMES),
            axes={"law": ("law", NAMES)},
            note=lambda: "Bars end at 1.00. That is also how a law is shown that is broken with nothing to measure: the gradient is gone.",
        )
    )


def _asked(bug, amount):
    """The laws' verdicts on one batch: several, as they draw them for a module that nobody has looked at, would say the same."""
    module = Bugged(bug, amount / 100)
    return laws.check_all(module, laws.random_input(module))


def _size(verdict):
    if verdict:
        return 0.0
    return min(verdict.difference, OUTRIGHT) if verdict.difference > 0 else OUTRIGHT
