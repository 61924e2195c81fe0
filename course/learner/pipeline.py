"""The whole pipeline through the learner's own functions, from the list of rows to the probabilities."""

from types import SimpleNamespace

import torch
from torch.nn import functional as F

from course import exercises
from course.checks.attempt import is_attempted
from course.checks.examine import PUBLIC_SEED, examine
from course.checks.verdict import CourseError
from course.networks import example

from . import progress
from .functions import kept

NAMES = ("to_input", "init_hidden", "rnn_step", "run_sequence", "output_layer", "to_probs")


def run_pipeline(model=None, x=None, **functions):
    """Run one sequence through the pipeline and print every stage: whose function it was, the shape, the last numbers.

    model, x: a network with an `rnn` (nn.RNN of one layer) and an `out` (nn.Linear), and a sequence (T, 1, F) for it; left out, the
    worked example. functions: those of the contract, by name, as run_pipeline(to_probs=to_probs). Those left out come
    from the learner's progress; where there is none, PyTorch stands in, and the table says so.
    """
    unknown = set(functions) - set(NAMES)
    if unknown:
        raise CourseError(f"run_pipeline knows {', '.join(NAMES)}; not {', '.join(sorted(unknown))}")
    works, alone = _kept_functions()
    own = {**works, **functions}
    verdicts = {name: examine(exercises.find(name), function, PUBLIC_SEED) for name, function in functions.items()}
    for name, verdict in verdicts.items():
        if not verdict.passed:
            attempted = is_attempted(functions[name])
            print(f"{name} does not pass its check yet: mend it first" if attempted else f"not attempted yet: {name}")
            return
    network = model or SimpleNamespace(rnn=example.rnn(), out=example.out())
    for name, stage, tensor in _stages(own, network, example.sequence() if x is None else x):
        print(f"{stage:<18} {'yours' if name in own else 'PyTorch':<8} {str(tuple(tensor.shape)):<12} {_numbers(tensor)}")
    for name in [name for name in alone if name not in functions]:
        print(f"\n{name}: yours is kept, but it needs names from other cells of its notebook, so PyTorch stands in.")


@torch.no_grad()
def _stages(own, network, x):
    """(exercise, stage, tensor) one after the other, each made of those before it."""
    rnn, out = network.rnn, network.out
    weights = rnn.weight_ih_l0, rnn.weight_hh_l0, rnn.bias_ih_l0, rnn.bias_hh_l0
    functions = {
        "to_input": lambda seqs: torch.tensor(seqs).transpose(0, 1),
        "init_hidden": lambda layers, batch, hidden, like: like.new_zeros(layers, batch, hidden),
        "rnn_step": lambda x_t, h, *_: rnn(x_t.unsqueeze(0), h.unsqueeze(0))[1][0],
        "run_sequence": lambda x, h0, cell: (None, rnn(x, h0.unsqueeze(0))[1][0]),
        "output_layer": F.linear,
        "to_probs": lambda logits: F.softmax(logits, -1),
    } | own
    cell = lambda x_t, h: functions["rnn_step"](x_t, h, *weights)  # noqa: E731, its name would say no more
    seqs = [[[round(number, 6) for number in step] for step in sequence] for sequence in x.transpose(0, 1).tolist()]
    x = functions["to_input"](seqs)
    h0 = functions["init_hidden"](1, 1, rnn.hidden_size, x)
    h_n = functions["run_sequence"](x, h0[0], cell)[1]
    logits = functions["output_layer"](h_n, out.weight, out.bias)
    return [
        ("to_input", "1 input sequence", x),
        ("init_hidden", "2 zero state", h0),
        ("rnn_step", "3 one cell step", cell(x[0], h0[0])),
        ("run_sequence", f"4 carried to t={len(x)}", h_n),
        ("output_layer", "5 output logits", logits),
        ("to_probs", "6 softmax", functions["to_probs"](logits)),
    ]


def _kept_functions():
    """The learner's functions that passed their checks, made again from their source: {name: function}.

    And the names of those that do not pass by themselves: they use something else of their notebook.
    """
    passed = progress.load()["exercises"]
    made = {name: kept(name) for name in NAMES if passed.get(name)}
    works = {name: function for name, function in made.items() if examine(exercises.find(name), function, PUBLIC_SEED).passed}
    return works, [name for name in made if name not in works]


def _numbers(tensor):
    row = tensor.detach().reshape(-1, tensor.shape[-1])[-1].tolist()
    return "[" + ", ".join(f"{value:.3f}" for value in row) + "]"
