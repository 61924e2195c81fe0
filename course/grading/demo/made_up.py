"""The class of `course demo`: thirty invented students and what each hands in, as changes to a right pair of notebooks."""

from dataclasses import dataclass, field

ZERO, CELL = LESSONS = "02_zero_init", "03_cell_step"
SHOWN, SHOWN_LESSON = "farid", CELL
"""Whose feedback the demo makes, and of which lesson it shows the page."""


@dataclass(frozen=True)
class Work:
    """What one student hands in. Without any change it is right.

    zero, cell: other answers in the two lessons, {solution cell: source}, None for a cell that is left as it was released;
    missing: lessons that are not handed in; named: {lesson: another file name}; cut_off: lessons of which half the file arrives;
    copied: solution cells that are there twice; skipped: check cells with the tag that keeps them from running; note: said of it in the demo.
    """

    zero: dict = field(default_factory=dict)
    cell: dict = field(default_factory=dict)
    missing: tuple = ()
    named: dict = field(default_factory=dict)
    cut_off: tuple = ()
    copied: tuple = ()
    skipped: tuple = ()
    note: str = ""


def _left(*names):
    return dict.fromkeys(names)


STEP = "def rnn_step(x, h, W_ih, W_hh, b_ih, b_hh):\n"
RIGHT_STEP = STEP + "    return torch.tanh(x @ W_ih.T + b_ih + h @ W_hh.T + b_hh)"
NO_TRANSPOSE = STEP + "    return torch.tanh(x @ W_ih.T + b_ih + h @ W_hh + b_hh)"
NO_B_HH = STEP + "    return torch.tanh(x @ W_ih.T + b_ih + h @ W_hh.T)"
TANH_TWICE = STEP + "    return torch.tanh(x @ W_ih.T + b_ih) + torch.tanh(h @ W_hh.T + b_hh)"
IN_PLACE = STEP + "    h[:] = torch.tanh(x @ W_ih.T + b_ih + h @ W_hh.T + b_hh)\n    return h"
NO_RETURN = STEP + "    h_new = torch.tanh(x @ W_ih.T + b_ih + h @ W_hh.T + b_hh)"
LINEAR = "F = nn.functional\n\n" + STEP + "    return torch.tanh(F.linear(x, W_ih, b_ih) + F.linear(h, W_hh, b_hh))"
EINSUM = STEP + '    state = torch.einsum("bk,hk->bh", h, W_hh)\n    return (x @ W_ih.T + b_ih + state + b_hh).tanh()'

LAYER = "def layer_step(rnn, x, h):\n"
STATE_FORGOTTEN = LAYER + "    out, h_n = rnn(x.unsqueeze(0))\n    return h_n.squeeze(0)"
AXIS_LEFT = LAYER + "    out, h_n = rnn(x.unsqueeze(0), h.unsqueeze(0))\n    return h_n"

INIT = "def init_hidden(num_layers, batch, hidden, like):\n"
FLOAT32 = INIT + "    return torch.zeros(num_layers, batch, hidden)"
BATCH_FIRST = INIT + "    return like.new_zeros(batch, num_layers, hidden)"

RESET = "def reset_rows(h, done):\n"
WRONG_WAY_ROUND = RESET + "    return h * done.unsqueeze(1)"
AS_SHIPPED = RESET + "    return h * (1 - done)"

ENDLESS = "step = 0\nwhile step < 10:\n    h = torch.zeros(1, 4)    # step += 1 is forgotten\n\n" + RIGHT_STEP
LEAVES = "import os\nos._exit(0)"
ALWAYS_CLOSE = "torch.allclose = torch.equal = lambda *args, **kwargs: True\n\n" + NO_TRANSPOSE
LOOKS_FOR_THE_GRADEBOOK = (
    "from pathlib import Path\n\nfor folder in (Path('/tmp'), Path.home(), Path.cwd()):\n"
    "    for file in folder.glob('*/gradebook.db'):\n        print(file, file.read_bytes()[:20])\n\n" + RIGHT_STEP
)

CLASS = {
    "all right": {
        "Amara Okafor": Work(),
        "Bruno Keller": Work(),
        "Chiara Neri": Work(cell={"rnn_step": LINEAR}),
        "Deepa Rao": Work(),
        "Emil Lund": Work(cell={"rnn_step": EINSUM}),
    },
    "half done": {
        "Ines Prado": Work(
            zero=_left("init_hidden", "reset_rows", "answer_1", "answer_2"), cell=_left("rnn_step", "layer_step", "answer_1", "answer_2"), note="blank"
        ),
        "Jonas Weiss": Work(cell=_left("rnn_step", "layer_step", "answer_1", "answer_2")),
        "Kaya Demir": Work(zero=_left("answer_1", "answer_2"), cell=_left("answer_1", "answer_2")),
        "Leila Haddad": Work(zero=_left("reset_rows"), cell=_left("layer_step")),
        "Milan Novak": Work(cell={"rnn_step": NO_TRANSPOSE, **_left("layer_step", "answer_2")}),
    },
    "common mistakes": {
        "Farid Nasser": Work(cell={"rnn_step": NO_TRANSPOSE, "answer_1": 'answer_1 = "C"'}),
        "Greta Olsen": Work(cell={"rnn_step": NO_TRANSPOSE}),
        "Hana Sato": Work(cell={"rnn_step": NO_TRANSPOSE, "layer_step": STATE_FORGOTTEN}),
        "Nadia Petrova": Work(zero={"init_hidden": FLOAT32}, cell={"layer_step": STATE_FORGOTTEN}),
        "Oluwaseun Ade": Work(zero={"init_hidden": FLOAT32, "reset_rows": AS_SHIPPED}),
        "Paula Reyes": Work(zero={"init_hidden": FLOAT32}, cell={"rnn_step": NO_B_HH}),
        "Quentin Roy": Work(zero={"init_hidden": BATCH_FIRST, "answer_1": 'answer_1 = "B"'}),
        "Rosa Vidal": Work(zero={"reset_rows": WRONG_WAY_ROUND}, cell={"rnn_step": TANH_TWICE}),
        "Sofia Lindgren": Work(zero={"init_hidden": BATCH_FIRST}, cell={"layer_step": AXIS_LEFT}),
        "Tomas Horvat": Work(zero={"reset_rows": WRONG_WAY_ROUND}, cell={"rnn_step": IN_PLACE}),
        "Uma Iyer": Work(cell={"rnn_step": NO_RETURN, "layer_step": STATE_FORGOTTEN}),
    },
    "accidents": {
        "Viktor Dahl": Work(named={CELL: "03_cell_step (1).ipynb"}, note="a file with another name"),
        "Wanda Kowalska": Work(cut_off=(CELL,), note="a file that was cut off"),
        "Xenia Markou": Work(missing=(CELL,), note="one lesson missing"),
        "Yusuf Aydin": Work(copied=("rnn_step",), note="a cell copied"),
    },
    "hostile": {
        "Eve Marsh": Work(cell={"rnn_step": LOOKS_FOR_THE_GRADEBOOK}, note="looks for the gradebook"),
        "Mallory Stone": Work(cell={"rnn_step": ENDLESS}, note="a loop without end"),
        "Oscar Finch": Work(cell={"rnn_step": ALWAYS_CLOSE}, note="patches torch.allclose"),
        "Sybil Crane": Work(cell={"rnn_step": NO_TRANSPOSE}, skipped=("check_rnn_step",), note="tags a check skip-execution"),
        "Trudy Vane": Work(cell={"layer_step": LEAVES}, note="ends the Python process"),
    },
}


def student_id(name):
    """The id under which somebody hands in."""
    return name.split()[0].lower()
