"""The worked example: one sequence and one small network, the same in every lesson.

The weights are chosen so that the numbers along the way are round:
the state is [0.05, 0.10, 0.15, 0.20] after one step and [0.30, 0.40, 0.50, 0.60] after ten,
the logits are [1.2, 0.8, 0.5].
"""

import torch
from torch import nn

from course.pictures import story

NUM_STEPS, NUM_FEATURES, HIDDEN_SIZE, NUM_CLASSES = 10, 5, 4, 3
CLASS_NAMES = story.CLASSES

FIRST_ROW = (0.1, 0.2, 0.3, 0.4, 0.5)
LAST_ROW = (0.5, 0.4, 0.3, 0.2, 0.1)

W_IH_DIAGONAL = (0.500417, 0.501677, 0.503801, 0.506831)
W_HH_DIAGONAL = (0.216125, 0.586485, 0.801655, 0.965224)
W_OUT = ((1.0, 0.0, 0.0, 1.0), (0.0, 1.0, 0.0, 0.0), (0.0, 0.0, 1.0, 0.0))
B_OUT = (0.3, 0.4, 0.0)


def rows():
    """The sequence as plain Python: 10 rows of 5 numbers, in equal steps from FIRST_ROW to LAST_ROW."""
    return [[round(a + (b - a) * t / (NUM_STEPS - 1), 6) for a, b in zip(FIRST_ROW, LAST_ROW)] for t in range(NUM_STEPS)]


def sequence():
    """The sequence as the network takes it: float32, shape (10, 1, 5) = (time, batch, features)."""
    return torch.tensor(rows()).unsqueeze(1)


def weights():
    """The cell's weights: W_ih (4, 5), W_hh (4, 4), b_ih (4,) and b_hh (4,), float32, under those names."""
    W_ih = torch.zeros(HIDDEN_SIZE, NUM_FEATURES)
    W_ih[:, :HIDDEN_SIZE] = torch.diag(torch.tensor(W_IH_DIAGONAL))
    return {
        "W_ih": W_ih,
        "W_hh": torch.diag(torch.tensor(W_HH_DIAGONAL)),
        "b_ih": torch.zeros(HIDDEN_SIZE),
        "b_hh": torch.zeros(HIDDEN_SIZE),
    }


@torch.random.fork_rng(devices=[])  # the first weights are not taken from the learner's random numbers
def rnn():
    """A new `nn.RNN(5, 4)` that holds the weights of the worked example."""
    layer = nn.RNN(NUM_FEATURES, HIDDEN_SIZE)
    w = weights()
    state = dict(zip(("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"), w.values()))
    layer.load_state_dict(state)
    return layer


@torch.random.fork_rng(devices=[])
def out():
    """A new `nn.Linear(4, 3)` that holds the weights of the worked example."""
    layer = nn.Linear(HIDDEN_SIZE, NUM_CLASSES)
    layer.load_state_dict({"weight": torch.tensor(W_OUT), "bias": torch.tensor(B_OUT)})
    return layer
