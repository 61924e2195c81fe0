"""The eight laws on one page: each in words, with a test of one line. A card to keep."""

from pathlib import Path

from course.pictures.tables import Rows, Text, html_table

HEAD = ("Law", "In words", "The test")
LINES = [
    ("zero law", "No state given is a state of zeros given.", "assert same(rnn(x)[0], rnn(x, torch.zeros(1, B, H))[0])"),
    ("step law", "Cell by cell is the whole layer at once.", "assert same(rnn(x, h)[0], torch.stack([s := cell(x_t, s) for x_t in x]))"),
    ("chunk law", "In pieces, with the state carried over, is the whole run.", "assert same(rnn(x)[0][k:], rnn(x[k:], rnn(x[:k])[1])[0])"),
    ("row law", "Take some rows, in any order: each has the states it had in the whole batch.", "assert same(rnn(x)[0][:, p], rnn(x[:, p])[0])"),
    ("reset law", "Reset one row, and the other rows stay as they were.", "assert same(rnn(x, h)[0][:, 1:], rnn(x, h * keep)[0][:, 1:])"),
    (
        "cut law",
        "Detach keeps the value and stops the gradient. Clone keeps both, reset drops both.",
        "assert same(h.detach(), h) and not h.detach().requires_grad",
    ),
    ("last-valid law", "h_n is the output at each row's last real step.", "assert all(same(h_n[-1, i], outputs[n - 1, i]) for i, n in enumerate(lengths))"),
    ("resume law", "Save, restore, continue is never having stopped.", "torch.save(h, f); assert same(rnn(x, torch.load(f))[0], rnn(x, h)[0])"),
]
BELOW = (
    "x (T, B, F), h (1, B, H) and its row s = h[0]; same is torch.allclose with atol=1e-5; cell is an nn.RNNCell with the weights of rnn; "
    "k a step, p some of the rows in another order, keep (1, B, 1) zero for row 0 and one for the others; "
    "h_n and outputs of a packed batch whose rows have these lengths; f a file."
)
STYLE = "<style>.hidden-state-laws td:last-child {font-family: monospace}</style>"
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>The laws of hidden state</title>
<style>@page {{ size: A4 landscape; margin: 12mm }} body {{ font: 11pt/1.4 sans-serif; margin: 2em auto; max-width: 62em }}
table {{ border-collapse: collapse; width: 100% }} caption {{ font-size: 150%; text-align: left; margin-bottom: .6em }}
th, td {{ border-bottom: 1px solid #888; padding: .45em .6em; text-align: left; vertical-align: top }} td:last-child {{ font-family: monospace; font-size: 90% }}
</style>{table}<p>{below}</p></html>
"""


class Card(Rows):
    """The laws as a table that shows itself; `save` writes it as a page to print."""

    def __init__(self):
        super().__init__("The laws of hidden state", HEAD, LINES, BELOW)

    def _repr_html_(self):
        return f'{STYLE}<div class="hidden-state-laws">{super()._repr_html_()}</div>'

    def save(self, file="laws.html"):
        """Write the card as a web page of its own, which prints on one sheet. Returns a sentence with the place."""
        place = Path(file).resolve()
        place.write_text(PAGE.format(table=html_table(self.caption, self.head, self.rows), below=self.below), encoding="utf-8")
        return Text(f"The card is in {place}. Open it in a browser, and print it.")


def card():
    """The laws on one page, each with its test of one line; `card().save()` writes it as a page to print."""
    return Card()
