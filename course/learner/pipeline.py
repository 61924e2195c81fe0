"""The whole pipeline through the learner's own functions, from the list of rows to the probabilities."""

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


def run_pipeline(**functions):
    """Run the worked example and print every stage: whose function it was, the shape, the last numbers.

    functions: those of the contract, by name, as run_pipeline(to_probs=to_probs). Those left out come
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
    for name, stage, tensor in _stages(own):
        print(f"{stage:<18} {'yours' if name in own else 'PyTorch':<8} {str(tuple(tensor.shape)):<12} {_numbers(tensor)}")
    for name in [name for name in alone if name not in functions]:
        print(f"\n{name}: yours is kept, but it needs names from other cells of its notebook, so PyTorch stands in.")


def _stages(own):
    x = own["to_input"]([example.rows()]) if "to_input" in own else example.sequence()
    yield "to_input", "1 input sequence", x
    h0 = own["init_hidden"](1, 1, 4, x) if "init_hidden" in own else x.new_zeros(1, 1, 4)
    yield "init_hidden", "2 zero state", h0
    cell = _cell(own)
    h1 = cell(x[0], h0[0])
    yield "rnn_step", "3 one cell step", h1
    h_n = own["run_sequence"](x, h0[0], cell)[1] if "run_sequence" in own else example.rnn()(x, h0)[1][0]
    yield "run_sequence", "4 carried to t=10", h_n
    W, b = torch.tensor(example.W_OUT), torch.tensor(example.B_OUT)
    logits = own["output_layer"](h_n, W, b) if "output_layer" in own else F.linear(h_n, W, b)
    yield "output_layer", "5 output logits", logits
    yield "to_probs", "6 softmax", own["to_probs"](logits) if "to_probs" in own else F.softmax(logits, -1)


def _cell(own):
    weights = example.weights()
    if "rnn_step" in own:
        return lambda x_t, h: own["rnn_step"](x_t, h, *weights.values())
    return lambda x_t, h: example.rnn()(x_t.unsqueeze(0), h.unsqueeze(0))[1][0]


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
