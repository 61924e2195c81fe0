"""What a law says where something is wrong with the call itself: once, in a sentence with the remedy."""

import pytest
import torch
from laws import zoo
from torch import nn

from course import laws

torch.set_num_threads(1)


class Base(nn.Module):
    def __init__(self, **options):
        super().__init__()
        self.rnn, self.out = nn.RNN(5, 4, **options), nn.Linear(4, 3)


class NoPlaceForAState(Base):
    def forward(self, x):
        return self.rnn(x)


class Swapped(Base):
    def forward(self, x, h=None):
        return self.rnn(x, h)[::-1]


class SwappedPair(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(5, 4)

    def forward(self, x, state=None):
        return self.lstm(x, state)[::-1]


class ByName(Base):
    def forward(self, x, *, h=None):
        return self.rnn(x, h)


class Always(Base):
    def forward(self, x, h):
        return self.rnn(x, h)


class NoSize(nn.Module):
    def forward(self, x, h=None):
        return x, x[-1:]


@pytest.mark.parametrize(
    "module, words",
    [
        (nn.GRU, "GRU is a class: write GRU()"),
        (NoPlaceForAState(), "takes no state: write forward(self, x, h=None)"),
        (Swapped(), "returns (state, output), and a law takes (output, state): swap the two"),
        (Swapped(batch_first=True), "swap the two"),
        (SwappedPair(), "swap the two"),
        (nn.RNNCell(5, 4), "a cell makes one step"),
        (nn.LSTMCell(5, 4), "a cell makes one step"),
        (ByName(), "call=lambda module, x, state: module(x, h=state)"),
        (Always(), "laws.on(module, state=lambda batch: ...)"),
        (NoSize(), "say laws.check_all(module, input_size=5)"),
        (nn.Linear(5, 4), "returned one tensor of shape (7, 3, 4)"),
        (None, "a law is asked of a module, and this is None"),
    ],
    ids=str,
)
def test_one_cause_is_said_once_with_its_remedy(module, words):
    [verdict] = laws.check_all(module)
    assert not verdict and not verdict.asked and words in verdict.sentence and "raised" not in verdict.sentence


def test_outputs_that_are_not_turned_back():
    [verdict] = laws.check_all(zoo.NotTurnedBack())
    assert verdict.sentence.startswith("your outputs are (7, 3, ·), promised is (3, 7, ·)") and repr(verdict).startswith("promise is BROKEN")


def test_an_error_of_the_module_is_its_own_and_said_once():
    class Raises(Base):
        def forward(self, x, h=None):
            raise KeyError("hidden")

    [verdict] = laws.check_all(Raises())
    assert verdict.asked and verdict.sentence == "the module raised KeyError: 'hidden'"


def test_an_input_without_a_batch():
    [verdict] = laws.check_all(nn.RNN(5, 4), torch.randn(7, 5))
    assert "x has the shape (7, 5), without a batch" in verdict.sentence and "x[:, None]" in verdict.sentence


@pytest.mark.parametrize("used", [False, True])
def test_a_leak_with_its_graph_is_named(used):
    module = zoo.LeaksWithItsGraph()
    if used:
        module(torch.randn(7, 3, 5))
    said = laws.resume_law(module).sentence
    assert "the module keeps a tensor, with its graph, from an earlier call (in h)" in said and "deepcopy" not in said


@pytest.mark.parametrize("leak", [zoo.Leaks, zoo.LeaksInABuffer, zoo.LeaksAndRaises])
def test_the_zero_law_says_that_something_is_kept_and_where(leak):
    assert "the module keeps something from call to call (in h)" in laws.zero_law(leak()).sentence


def test_what_is_random_is_not_called_kept():
    class AnyStart(Base):
        def forward(self, x, h=None):
            return self.rnn(x, torch.randn(1, x.shape[1], 4) if h is None else h)

    said = laws.zero_law(AnyStart()).sentence
    assert "something random is inside" in said and "keeps" not in said


def test_a_size_that_is_fixed_inside_is_said_by_the_zero_law():
    assert "a size is fixed inside" in laws.zero_law(zoo.LoopOfThree()).sentence


def test_a_cut_says_in_which_mode_and_whether_it_is_whole():
    assert "in training mode" in laws.cut_law(zoo.LoopCutsInTraining()).sentence
    assert "only a part" in laws.cut_law(zoo.LoopDetachesHalf()).sentence


def test_a_module_that_cannot_be_copied_says_so_and_takes_another():
    class Locked(Base):
        def __init__(self):
            super().__init__()
            self.lock = None

        def forward(self, x, h=None):
            return self.rnn(x, h)

        def __deepcopy__(self, memo):
            raise TypeError("cannot pickle 'lock'")

    verdict = laws.resume_law(Locked())
    assert not verdict.asked and "laws.on(module, new=lambda: ...)" in verdict.sentence
    assert laws.resume_law(laws.on(Locked(), new=Locked)).holds


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("kind", [nn.RNN, nn.GRU, nn.LSTM])
def test_laws_hold_on_a_gpu(kind):
    assert all(laws.check_all(kind(5, 4).cuda()))
