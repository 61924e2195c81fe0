"""The laws hold for PyTorch's own layers, and each kind of broken module breaks its own law and no other."""

import html
import itertools

import pytest
import torch
from answers.run_sequence import loop
from laws import zoo
from torch import nn

from course import laws
from course.laws import one_page

torch.set_num_threads(1)

LAWS = {law.__name__: law for law in laws.ALL}
NAMES = {name: name.replace("last_valid", "last-valid").replace("_", " ") for name in LAWS}
LAYERS = [
    (kind, dict(num_layers=layers, batch_first=first, dtype=dtype, dropout=0.5 if layers > 1 else 0.0))
    for kind, layers, first, dtype in itertools.product((nn.RNN, nn.GRU, nn.LSTM), (1, 2), (False, True), (torch.float32, torch.float64))
]


@pytest.mark.parametrize("kind, options", LAYERS, ids=lambda v: v.__name__ if isinstance(v, type) else "-".join(map(str, v.values())))
def test_all_laws_hold_for_the_layers_of_pytorch(kind, options):
    torch.manual_seed(0)
    layer = kind(5, 4, **options)
    for verdict in laws.check_all(layer):
        assert verdict, verdict
        assert repr(verdict).startswith(f"{verdict.law} holds: ")
        assert verdict.difference <= laws.laws.TOLERANCE


@pytest.mark.filterwarnings("ignore:LSTM with projections")
@pytest.mark.parametrize(
    "kind, options",
    [
        (nn.RNN, dict(nonlinearity="relu")),
        (nn.RNN, dict(bias=False)),
        (nn.LSTM, dict(proj_size=2)),
        (nn.GRU, dict(bias=False)),
    ],
)
def test_laws_hold_for_other_options(kind, options):
    torch.manual_seed(1)
    assert all(laws.check_all(kind(5, 4, **options)))


@pytest.mark.parametrize("training", [True, False])
def test_a_law_leaves_the_module_and_the_session_as_they_were(training):
    torch.manual_seed(0)
    layer = nn.LSTM(5, 4, num_layers=2, dropout=0.5).train(training)
    layer.dropout_inside = nn.Dropout().train(not training)
    weights = {name: value.clone() for name, value in layer.state_dict().items()}
    x = torch.randn(8, 3, 5)
    kept, random_state = x.clone(), torch.get_rng_state()
    for verdict in laws.check_all(layer, x):
        assert verdict, verdict
    assert layer.training == training and layer.dropout_inside.training != training
    assert all(torch.equal(value, weights[name]) for name, value in layer.state_dict().items())
    assert all(parameter.grad is None and parameter.requires_grad for parameter in layer.parameters())
    assert torch.equal(x, kept) and not x.requires_grad
    assert torch.equal(torch.get_rng_state(), random_state)


def test_the_mode_is_put_back_after_an_error():
    layer = nn.RNN(5, 4).train()
    assert not laws.row_law(layer, torch.randn(7, 1, 5))
    assert layer.training


def test_laws_hold_where_no_gradients_are_kept():
    with torch.no_grad():
        assert all(laws.check_all(nn.GRU(5, 4)))
        assert not torch.is_grad_enabled()


class Broken(nn.Module):
    """A right layer, to be broken in one place."""

    input_size = 5

    def __init__(self):
        super().__init__()
        torch.manual_seed(3)
        self.layer = nn.RNN(5, 4)

    def forward(self, x, state=None):
        return self.layer(x, state)


class StartsFromOnes(Broken):
    def forward(self, x, state=None):
        return self.layer(x, torch.ones(1, x.shape[1], 4) if state is None else state)


class StartsFromAKeptState(Broken):
    kept = torch.full((1, 3, 4), 0.5)

    def forward(self, x, state=None):
        return self.layer(x, self.kept if state is None else state)


class ForgetsAtSingleSteps(Broken):
    def forward(self, x, state=None):
        return self.layer(x, None if len(x) == 1 else state)


class HalvesTheStateAtSingleSteps(Broken):
    def forward(self, x, state=None):
        return self.layer(x, state / 2 if len(x) == 1 and state is not None else state)


class StateOneStepLate(Broken):
    def forward(self, x, state=None):
        outputs, h_n = self.layer(x, state)
        return outputs, h_n if len(x) == 1 else outputs[-2:-1]


class StateOfTheFirstStep(Broken):
    def forward(self, x, state=None):
        outputs, _ = self.layer(x, state)
        return outputs, outputs[:1]


class SubtractsTheBatchMean(Broken):
    def forward(self, x, state=None):
        return self.layer(x - x.mean(1, keepdim=True), state)


class ReadsTheRowAbove(Broken):
    def forward(self, x, state=None):
        return self.layer(x + x.roll(1, dims=1), state)


class FirstRowIsSpecial(Broken):
    def forward(self, x, state=None):
        scale = torch.ones(x.shape[1], 1)
        scale[0] = 2
        return self.layer(x * scale, state)


class DetachesTheState(Broken):
    def forward(self, x, state=None):
        return self.layer(x, state if state is None else state.detach())


class DetachesWhatItReturns(Broken):
    def forward(self, x, state=None):
        outputs, h_n = self.layer(x, state)
        return outputs, h_n.detach()


class RestartsAllRowsWithOne(Broken):
    def forward(self, x, state=None):
        new = state is not None and (state == 0).all(-1).any()
        return self.layer(x, None if new else state)


class ResetRowGoesOnFromSomethingElse(Broken):
    def forward(self, x, state=None):
        if state is not None and 0 < (state == 0).all(-1).sum() < state.shape[1]:
            state = torch.where(state == 0, 0.1, state)
        return self.layer(x, state)


class ReturnsTheMeanAtTheEnd(Broken):
    """The state that it shows is not the one that it carries: (2, B, H), and only the first layer is used."""

    def forward(self, x, state=None):
        outputs, h_n = self.layer(x, None if state is None else state[:1])
        return outputs, torch.cat([h_n, outputs.mean(0, keepdim=True)])


class ScalesByWhatItSawFirst(Broken):
    scale = None

    def forward(self, x, state=None):
        self.scale = x.std().detach() if self.scale is None else self.scale
        return self.layer(x / self.scale, state)


class WeightOutsideTheStateDict(Broken):
    gains = itertools.count(1)

    def forward(self, x, state=None):
        if not hasattr(self, "gain"):
            self.gain = 1 / next(self.gains)
        return self.layer(x * self.gain, state)


BROKEN = {
    StartsFromOnes: "zero_law",
    StartsFromAKeptState: "zero_law",
    ForgetsAtSingleSteps: "step_law",
    HalvesTheStateAtSingleSteps: "step_law",
    StateOneStepLate: "chunk_law last_valid_law",
    StateOfTheFirstStep: "chunk_law last_valid_law",
    SubtractsTheBatchMean: "row_law",
    ReadsTheRowAbove: "row_law",
    FirstRowIsSpecial: "row_law",
    RestartsAllRowsWithOne: "reset_law",
    ResetRowGoesOnFromSomethingElse: "reset_law",
    DetachesTheState: "cut_law",
    DetachesWhatItReturns: "cut_law",
    ReturnsTheMeanAtTheEnd: "last_valid_law",
    ScalesByWhatItSawFirst: "resume_law",
    WeightOutsideTheStateDict: "resume_law",
}


def test_the_module_to_be_broken_is_right():
    assert all(laws.check_all(Broken()))


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.__name__)
@pytest.mark.parametrize("name", LAWS)
def test_each_broken_module_breaks_its_own_law_and_no_other(broken, name):
    verdict = LAWS[name](broken())
    assert bool(verdict) == (name not in BROKEN[broken].split()), verdict
    assert f"{NAMES[name]} {'holds' if verdict else 'is BROKEN'}" in repr(verdict)


def test_every_law_has_a_module_that_breaks_it():
    assert set(" ".join(BROKEN.values()).split()) == set(LAWS)


def test_a_state_that_is_not_used_breaks_the_cut_law():
    class NoState(Broken):
        def forward(self, x, state=None):
            return torch.tanh(x[..., :4]), torch.zeros(1, x.shape[1], 4)

    assert not laws.cut_law(NoState())


class TestLearnersFunctions:
    """`laws.Recurrent` gives the functions of lesson 04 the call of `nn.RNN`."""

    @staticmethod
    def cell():
        torch.manual_seed(0)
        return nn.RNNCell(5, 4)

    run = staticmethod(loop)

    def test_right_functions(self):
        module = laws.Recurrent(self.run, self.cell(), 5, 4)
        assert all(laws.check_all(module)), laws.check_all(module)

    def test_detach_in_the_loop_breaks_the_cut_law(self):
        def run(x, h0, cell):
            h, outputs = h0, []
            for x_t in x:
                h = cell(x_t, h.detach())
                outputs.append(h)
            return torch.stack(outputs), h

        broken = [verdict.law for verdict in laws.check_all(laws.Recurrent(run, self.cell(), 5, 4)) if not verdict]
        assert broken == ["cut law"]

    def test_state_not_passed_on(self):
        def run(x, h0, cell):
            outputs = [cell(x_t, h0) for x_t in x]
            return torch.stack(outputs), outputs[-1]

        verdict = laws.step_law(laws.Recurrent(run, self.cell(), 5, 4))
        assert not verdict and "differ by up to" in verdict.sentence

    @pytest.mark.parametrize("run, cell", [(None, lambda x, h: h), (lambda x, h0, cell: (x, h0), ...)])
    def test_not_attempted_yet(self, run, cell):
        for verdict in laws.check_all(laws.Recurrent(run, cell, 5, 4)):
            assert not verdict
            assert repr(verdict) == f"{verdict.law}: not attempted yet"

    def test_an_empty_body_is_not_attempted_yet(self):
        def run(x, h0, cell):
            """Your turn."""

        assert "not attempted yet" in repr(laws.zero_law(laws.Recurrent(run, self.cell(), 5, 4)))


class TestErrorsBecomeWords:
    @pytest.mark.parametrize("name", LAWS)
    def test_an_error_inside_the_module(self, name):
        class Raises(Broken):
            def forward(self, x, state=None):
                raise KeyError("hidden")

        verdict = LAWS[name](Raises())
        assert not verdict
        assert "KeyError" in verdict.sentence and "hidden" in verdict.sentence

    @pytest.mark.parametrize("answer", [None, 3, (None, None)])
    @pytest.mark.parametrize("name", LAWS)
    def test_a_module_that_returns_something_else(self, name, answer):
        class Odd(Broken):
            def forward(self, x, state=None):
                return answer

        verdict = LAWS[name](Odd())
        assert not verdict and verdict.sentence

    @pytest.mark.parametrize("name", LAWS)
    def test_nan_never_holds(self, name):
        class Nan(Broken):
            def forward(self, x, state=None):
                outputs, h_n = self.layer(x, state)
                return outputs * float("nan"), h_n

        assert not LAWS[name](Nan())

    def test_a_batch_of_one(self):
        assert "at least 2" in laws.row_law(nn.RNN(5, 4), torch.randn(7, 1, 5)).sentence

    def test_too_short_a_sequence(self):
        assert "at least 4" in laws.chunk_law(nn.RNN(5, 4), torch.randn(3, 2, 5)).sentence


class Quiet(nn.Module):
    """A right layer around which nothing says how many features it reads, but the layer itself."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, x, state=None):
        return self.layer(x, state)


class Promises(Quiet):
    batch_first = True


class TestWhereALawDoesNotApply:
    @pytest.mark.parametrize("kind", [nn.RNN, nn.GRU, nn.LSTM])
    @pytest.mark.parametrize("options", [{}, {"num_layers": 2}, {"batch_first": True}], ids=str)
    def test_a_bidirectional_layer_reads_the_future(self, kind, options):
        torch.manual_seed(0)
        verdicts = laws.check_all(kind(5, 4, bidirectional=True, **options))
        assert all(verdicts)
        silent = {verdict.law: repr(verdict) for verdict in verdicts if verdict.holds is None}
        assert list(silent) == ["step law", "chunk law", "last-valid law"]
        assert all(said.startswith(f"{law} does not apply: ") for law, said in silent.items())
        assert "from its end too" in silent["step law"] and "its backward\n  half the output at step 1" in silent["last-valid law"].replace(
            "its\n  backward half", "its backward\n  half"
        )

    def test_a_bidirectional_layer_may_still_be_broken(self):
        class Shifted(Quiet):
            def forward(self, x, state=None):
                outputs, h_n = self.layer(x, state)
                return outputs, h_n / 2

        verdict = laws.last_valid_law(Shifted(nn.RNN(5, 4, bidirectional=True)))
        assert verdict.holds is False and "backward, that at step 1" in verdict.sentence

    def test_a_module_without_a_state(self):
        verdicts = laws.check_all(Quiet(lambda x, state: (x, None)), input_size=5)
        assert all(verdict.holds is None and "returns no state" in verdict.sentence for verdict in verdicts) and len(verdicts) == 8


class TestWhatALawIsGiven:
    @pytest.mark.parametrize("layer", [nn.RNN(5, 4), nn.LSTM(6, 4, batch_first=True), nn.GRU(3, 4)], ids=str)
    def test_a_layer_inside_says_the_size_and_the_axes(self, layer):
        assert all(verdict.holds for verdict in laws.check_all(Quiet(layer)))

    def test_nothing_says_the_size(self):
        [verdict] = laws.check_all(Quiet(lambda x, state: (x, x[-1:])))
        assert not verdict and repr(verdict).startswith("a law cannot be asked: ")
        assert "say laws.check_all(module, input_size=5)" in verdict.sentence and "raised" not in verdict.sentence
        assert len(laws.check_all(Quiet(lambda x, state: (x, x[-1:])), input_size=5)) == 8

    def test_one_tensor_is_no_error_of_the_module(self):
        [verdict] = laws.check_all(nn.Linear(5, 4))
        assert not verdict and "returned one tensor of shape (7, 3, 4)" in verdict.sentence and "raised" not in verdict.sentence

    def test_a_leak_through_the_state_alone_breaks_the_row_law(self):
        class StartsFromTheMean(Quiet):
            def forward(self, x, state=None):
                return self.layer(x, state if state is None else state.mean(1, keepdim=True).expand_as(state).contiguous())

        verdict = laws.row_law(StartsFromTheMean(nn.RNN(5, 4)))
        assert not verdict and verdict.sentence.startswith("rows change each other: the other rows before and after")

    def test_the_promise_of_batch_first_is_part_of_what_is_asked(self):
        told, untold = nn.RNN(5, 4, batch_first=True), nn.RNN(5, 4)
        assert all(laws.check_all(Promises(told), batch_first=True)) and len(laws.check_all(Promises(told), batch_first=True)) == 8
        said = {verdict.law: verdict for verdict in laws.check_all(Promises(untold), batch_first=True)}
        assert said["row law"].sentence.startswith("rows change each other") and [law for law, verdict in said.items() if verdict] == ["zero law"]
        for layer in (told, untold):
            [verdict] = laws.check_all(Quiet(layer), batch_first=True)
            assert not verdict and repr(verdict).startswith("promise is BROKEN: ") and "batch_first = True" in verdict.sentence

    def test_the_axes_can_be_said(self):
        class TimeFirst(Quiet):
            def forward(self, x, state=None):
                outputs, state = self.layer(x.transpose(0, 1), state)
                return outputs.transpose(0, 1), state

        assert all(laws.check_all(TimeFirst(nn.GRU(5, 4, batch_first=True)), batch_first=False))


LEAKS = [zoo.Leaks, zoo.LeaksAndRaises, zoo.LeaksWithItsGraph, zoo.LeaksInABuffer, zoo.LeaksInADict, zoo.LeaksInAWeakTable, zoo.LeaksInAGlobal]


class TestCard:
    """Its lines are code that a reader copies and runs: each is run here as it stands on the card, twice."""

    def twice(self, line, make):
        """What the line says of make(), asked two times in one session: True, False, or the error."""
        torch.manual_seed(0)
        names, said = {"mine": make}, []
        exec(one_page.SETUP.replace("nn.RNN(5, 4)", "mine()"), names)
        for _ in range(2):
            try:
                said.append(eval(line.test, names))
            except Exception as error:
                said.append(error)
        return said

    def test_it_has_every_law_in_the_order_of_the_module(self):
        assert [line.law for line in one_page.LINES] == list(NAMES.values())

    @pytest.mark.parametrize("kind", [nn.RNN, nn.GRU, nn.LSTM])
    @pytest.mark.parametrize("line", one_page.LINES, ids=lambda line: line.law)
    def test_a_line_is_true_of_right_modules_twice(self, line, kind):
        if kind is nn.LSTM and line.law not in one_page.OF_AN_LSTM:
            pytest.skip("the line counts with a state that is one tensor")
        for layers in (1, 2):
            assert self.twice(line, lambda: kind(5, 4, layers)) == [True, True]

    @pytest.mark.parametrize("leak", LEAKS, ids=lambda leak: leak.__name__)
    def test_lines_and_laws_agree_on_what_leaks(self, leak):
        torch.manual_seed(0)
        laws_say = {verdict.law: verdict.holds for verdict in laws.check_all(leak(), input_size=5)}
        lines_say = {line.law: said == [True, True] for line in one_page.LINES for said in [self.twice(line, leak)]}
        assert lines_say == laws_say and not laws_say["zero law"]

    @pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.__name__)
    @pytest.mark.parametrize("line", one_page.LINES, ids=lambda line: line.law)
    def test_a_line_says_of_a_broken_module_what_its_law_says(self, line, broken):
        breaks = line.law in [NAMES[name] for name in BROKEN[broken].split()]
        assert [said is True for said in self.twice(line, broken)] == [not breaks] * 2

    def test_the_setup_is_what_the_card_shows(self):
        torch.manual_seed(0)
        names = {}
        exec(one_page.SETUP, names)
        assert all(eval(line.test, names) is True for line in one_page.LINES for _ in range(2))
        shown = html.unescape(laws.card()._repr_html_())
        assert one_page.SETUP in shown and one_page.SETUP in repr(laws.card())
        assert all(name in one_page.NAMES for name in ("k ", "p ", "lengths", "keep", "same", "reach", "saved"))

    def test_it_shows_itself_and_can_be_kept(self, tmp_path):
        said = laws.card().save(tmp_path / "laws.html")
        page = (tmp_path / "laws.html").read_text(encoding="utf-8")
        assert str(tmp_path / "laws.html") in said
        for text in (page, laws.card()._repr_html_()):
            assert all(html.escape(part) in text for line in one_page.LINES for part in (line.law, line.words, line.test))
        assert all(part in repr(laws.card()) for line in one_page.LINES for part in (line.law, line.words, line.test))
