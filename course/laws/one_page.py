"""The eight laws on one page: each in words, with a test of one line. A card to keep."""

from dataclasses import astuple, dataclass
from html import escape
from pathlib import Path

from course.pictures.tables import Rows, Text, html_table


@dataclass(frozen=True)
class Line:
    """A law on the card. test: an expression that is True of a right module, as often as it is asked, with the names of SETUP."""

    law: str
    words: str
    test: str


HEAD = ("Law", "In words", "True of a right module")
LINES = (
    Line("zero law", "No state given is a state of zeros given.", "same(rnn(x)[0], rnn(x, 0 * h)[0])"),
    Line(
        "step law",
        "Step by step is the whole sequence at once.",
        "same(rnn(x, h)[0], torch.cat([(one := rnn(x_t[None], one[1] if t else h))[0] for t, x_t in enumerate(x)]))",
    ),
    Line("chunk law", "In pieces, with the state carried over, is the whole run.", "same(rnn(x, h)[0][k:], rnn(x[k:], rnn(x[:k], h)[1])[0])"),
    Line("row law", "Take some rows, in any order: each has the states it had in the whole batch.", "same(rnn(x, h)[0][:, p], rnn(x[:, p], h[:, p])[0])"),
    Line(
        "reset law",
        "Reset one row: it goes on as from zeros, and the other rows stay as they were.",
        "same(rnn(x, keep * h)[0], torch.where(keep, rnn(x, h)[0], rnn(x, 0 * h)[0]))",
    ),
    Line(
        "cut law",
        "Detach keeps the value and stops the gradient. Clone keeps both, reset drops both.",
        "reach(torch.clone) > 0 and reach(torch.detach) == reach(torch.zeros_like) == 0",
    ),
    Line(
        "last-valid law",
        "h_n is the output at each row's last real step.",
        "all(same(rnn(x[:n], h)[1][-1, i], rnn(x, h)[0][n - 1, i]) for i, n in enumerate(lengths))",
    ),
    Line(
        "resume law",
        "Save, restore, continue is never having stopped.",
        "all(same(rnn(*a)[0], saved(rnn)(*saved(a))[0]) for a in [(x,), (x[k:], rnn(x[:k], h)[1])])",
    ),
)
OF_AN_LSTM = ("step law", "chunk law", "resume law")
"""The lines that hold of an nn.LSTM as they stand: the others count with the state, and an LSTM's is a pair."""

SETUP = """\
import io, torch; from torch import nn
make = lambda: nn.RNN(5, 4)  # or a module of your own: what it is that the lines ask
def drawn(state): return torch.randn_like(state) if torch.is_tensor(state) else tuple(map(drawn, state))
rnn, x = make(), torch.randn(7, 3, 5, requires_grad=True)
h = drawn(rnn(x)[1])  # so the module has run before any line is asked
k, p, lengths, keep = 3, [2, 0], [7, 5, 2], torch.tensor([[False], [True], [True]])
def same(one, other): return torch.allclose(one, other, atol=1e-5)
def reach(change): return torch.autograd.grad(rnn(x[k:], change(rnn(x[:k], h)[1]))[0].sum(), x)[0][:k].abs().sum().item()
def saved(thing):
    torch.save(thing.state_dict() if thing is rnn else thing, file := io.BytesIO()); file.seek(0)
    if thing is not rnn: return torch.load(file)
    new = make(); new.load_state_dict(torch.load(file)); return new"""
NAMES = (
    "Run these lines once; then any line above is True or False, as often as you ask. x (T, B, F) is a batch and h (layers, B, H) a state, "
    "k a step to cut at, p some rows in another order, lengths how many steps of each row are real, keep False for the row to reset. "
    "same: equal to 1e-5; reach: how strongly the steps before k still move what comes after, when the state between is changed so; saved: written and read again. "
    "An LSTM's state is a pair: of it the lines of the step, the chunk and the resume law can be asked as they stand. "
    "The last-valid line is of modules whose output is the state, the zero law's of those whose start is not learned."
)
STYLE = "<style>.hidden-state-laws td:last-child {font-family: monospace}</style>"
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>The laws of hidden state</title>
<style>@page {{ size: A4 landscape; margin: 12mm }} body {{ font: 11pt/1.4 sans-serif; margin: 2em auto; max-width: 62em }}
table {{ border-collapse: collapse; width: 100% }} caption {{ font-size: 150%; text-align: left; margin-bottom: .6em }} pre {{ font-size: 85% }}
th, td {{ border-bottom: 1px solid #888; padding: .45em .6em; text-align: left; vertical-align: top }} td:last-child {{ font-family: monospace; font-size: 90% }}
</style>{table}{below}</html>
"""


class Card(Rows):
    """The laws as a table that shows itself; `save` writes it as a page to print."""

    def __init__(self):
        super().__init__("The laws of hidden state", HEAD, [astuple(line) for line in LINES], f"{NAMES}\n\n{SETUP}")

    def _repr_html_(self):
        table = html_table(self.caption, self.head, self.rows, style=' style="text-align:left"')
        return f'{STYLE}<div class="hidden-state-laws">{table}{_below()}</div>'

    def save(self, file="laws.html"):
        """Write the card as a web page of its own, which prints on one sheet. Returns a sentence with the place."""
        place = Path(file).resolve()
        place.write_text(PAGE.format(table=html_table(self.caption, self.head, self.rows), below=_below()), encoding="utf-8")
        return Text(f"The card is in {place}. Open it in a browser, and print it.")


def card():
    """The laws on one page, each with its test of one line; `card().save()` writes it as a page to print."""
    return Card()


def _below():
    return f"<p>{escape(NAMES)}</p><pre>{escape(SETUP)}</pre>"
