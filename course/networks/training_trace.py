"""What a training has done, epoch by epoch: as a table, a chart, a picture, beside the page's own, and several side by side."""

from dataclasses import dataclass, field, replace

import torch
from torch import nn

from course import pictures
from course.pictures.tables import Rows, ShowsItsTable, Text

from .tasks import GUESSING

PAGE = ((1.2, 0.35), (0.9, 0.50), (0.7, 0.65), (0.5, 0.75), (0.4, 0.82))
"""Loss and accuracy of the page that this course brings to life, epoch by epoch."""

HEAD = ("Epoch", "Loss ↓", "Accuracy ↑", "Observation")
BAR = 16
NOT_YOURS = "not written yet: this is the course's own training"


@dataclass(frozen=True)
class Epoch:
    """Means over the samples of one epoch while it was trained, and over the test set after it."""

    loss: float
    accuracy: float
    test_loss: float
    test_accuracy: float


def observe(epochs):
    """One observation an epoch, from the numbers as the table shows them, rounded to two places.

    Against guessing: a loss above ln 3 = 1.10 is worse, one down to 0.05 below it no better.
    Against the epoch before: the loss rises or falls by 0.02 or more, else it has levelled off; the largest fall is the
    fastest, and one by less than a tenth of the loss is levelling off. Against the test set: its loss rises by 0.02 while the
    training's falls.
    """
    losses, tests = ([round(100 * loss) for loss in column] for column in ([e.loss for e in epochs], [e.test_loss for e in epochs]))
    falls = [0, *(before - after for before, after in zip(losses, losses[1:]))]
    rises = [0, *(after - before for before, after in zip(tests, tests[1:]))]
    return [
        "; ".join(
            filter(
                None,
                (
                    _against_guessing(losses[i], first=i == 0),
                    _against_before(falls[i], max(falls), losses[i]) if i else "",
                    "overfitting: the test loss rises" if rises[i] >= 2 and falls[i] >= 2 else "",
                ),
            )
        )
        for i in range(len(epochs))
    ]


def _against_guessing(loss, first):
    """loss: in hundredths."""
    guessing = round(100 * GUESSING)
    if loss > guessing:
        return f"worse than guessing (ln 3 = {GUESSING:.2f})"
    if loss >= guessing - 5:
        return "no better than guessing"
    return "better than guessing" if first else ""


def _against_before(fall, fastest, loss):
    """fall: by how many hundredths the loss is below that of the epoch before."""
    if fall <= -2:
        return "rising"
    if fall < 2:
        return "" if loss >= round(100 * GUESSING) - 5 else "levelled off"
    if fall == fastest:
        return "falling fastest"
    return "levelling off" if 10 * fall < loss + fall else "still falling"


@dataclass(repr=False)
class TrainingTrace(ShowsItsTable):
    """A training, as it goes and afterwards.

    state: the way the state was handled; planned: how many epochs there will be; model: the network, trained so far;
    epochs: a list of `Epoch`. Of the first N test sequences, before training and after every epoch (E + 1 times):
    states (E+1, T, N, H), the state after each step; answers (E+1, T, N), the class with the largest logit then.
    x (T, N, F) and y (N,) are those sequences. stands_in: the learner's train_epoch was asked for and is not written yet.
    """

    state: str
    planned: int
    model: nn.Module
    x: torch.Tensor
    y: torch.Tensor
    epochs: list = field(default_factory=list)
    states: torch.Tensor | None = None
    answers: torch.Tensor | None = None
    stands_in: bool = False

    @property
    def losses(self):
        return [epoch.loss for epoch in self.epochs]

    @property
    def accuracies(self):
        return [epoch.accuracy for epoch in self.epochs]

    @property
    def test_losses(self):
        return [epoch.test_loss for epoch in self.epochs]

    @property
    def test_accuracies(self):
        return [epoch.test_accuracy for epoch in self.epochs]

    def table(self):
        """Epoch · Loss ↓ · Accuracy ↑ · Observation."""
        seen = zip(self.epochs, observe(self.epochs))
        rows = [(str(i), f"{e.loss:.2f}", f"{e.accuracy:.2f}", words) for i, (e, words) in enumerate(seen, start=1)]
        return Rows(f"Training trace, state: {self.state}{self._whose()}", HEAD, rows, self._tested())

    def chart(self):
        """Both curves as text, one line an epoch: the numbers first, then a bar of stars for each."""
        lines = [
            f"{i:>5}  {e.loss:.2f} {_stars(e.loss):<{2 * BAR}}  {e.accuracy:.2f} {_stars(e.accuracy)}".rstrip() for i, e in enumerate(self.epochs, start=1)
        ]
        head = f"Epoch  {'Loss':<{2 * BAR + 5}}  Accuracy"
        return Text("\n".join([head, *lines, f"Guessing: loss {GUESSING:.2f}, accuracy 0.33. {BAR} stars are 1."]))

    def picture(self):
        """A Picture of both curves."""
        return pictures.training(self.losses, self.accuracies, GUESSING)

    def beside_page(self):
        """This trace beside that of the page."""
        head = ("Epoch", "Loss: page", "Loss: here", "Accuracy: page", "Accuracy: here")
        rows = [
            (str(i + 1), *(_shown(rows, i, column) for column in (0, 1) for rows in (PAGE, list(zip(self.losses, self.accuracies)))))
            for i in range(max(len(PAGE), len(self.epochs)))
        ]
        return Rows(f"The page's trace and this one, state: {self.state}{self._whose()}", head, rows, self._against_page())

    def _whose(self):
        return f" ({NOT_YOURS})" if self.stands_in else ""

    def _against_page(self):
        if not self.epochs:
            return ""
        (loss, accuracy), last = PAGE[-1], self.epochs[-1]
        as_good = round(last.loss, 2) <= loss and round(last.accuracy, 2) >= accuracy
        verdict = "at or better than" if as_good else "short of"
        return f"The last row here, {last.loss:.2f} and {last.accuracy:.2f}, is {verdict} the page's, {loss:.2f} and {accuracy:.2f}."

    def _tested(self):
        if not self.epochs:
            return ""
        return f"On new sequences after the last epoch: loss {self.epochs[-1].test_loss:.2f}, accuracy {self.epochs[-1].test_accuracy:.2f}."


@dataclass(repr=False)
class Comparison(ShowsItsTable):
    """The same training with the state handled in several ways. traces: {way: TrainingTrace}; setting: what is not as usual."""

    traces: dict
    setting: str = ""

    def table(self):
        """One row a way: loss and accuracy of every epoch, and both on new sequences after the last."""
        rows = [
            (way, _row(t.losses), _row(t.accuracies), f"{t.epochs[-1].test_loss:.2f}", f"{t.epochs[-1].test_accuracy:.2f}") for way, t in self.traces.items()
        ]
        last = max(len(trace.epochs) for trace in self.traces.values())
        head = ("State", f"Loss ↓, epochs 1 to {last}", f"Accuracy ↑, epochs 1 to {last}", "New sequences: loss ↓", "Accuracy ↑")
        return Rows(self._caption(), head, rows, f"Guessing: loss {GUESSING:.2f}, accuracy 0.33.")

    def picture(self, new=False):
        """A Picture with one curve a way, of the loss and of the accuracy while training. new: both on new sequences, after each epoch."""
        curves = {way: (t.test_losses, t.test_accuracies) if new else (t.losses, t.accuracies) for way, t in self.traces.items()}
        drawn = pictures.ways(curves, GUESSING)
        if new:
            return replace(drawn, alt=f"On new sequences. {drawn.alt}")
        ends = ", ".join(f"{way} {t.test_losses[-1]:.2f}" for way, t in self.traces.items())
        return replace(drawn, alt=f"{drawn.alt} On new sequences the loss ends so: {ends}.")

    def _caption(self):
        caption = "The same training, the state handled in different ways"
        notes = [self.setting, *{NOT_YOURS for trace in self.traces.values() if trace.stands_in}]
        return ": ".join([caption, *filter(None, notes)])

    def __getitem__(self, way):
        return self.traces[way]


def _row(values):
    return " ".join(f"{value:.2f}" for value in values)


def _shown(rows, i, column):
    return f"{rows[i][column]:.2f}" if i < len(rows) else "–"


def _stars(value):
    return "*" * min(2 * BAR, round(BAR * value))
