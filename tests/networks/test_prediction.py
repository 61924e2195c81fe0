"""A prediction traced by hooks: the numbers are the module's own, and the module is left as it was."""

import re

import pytest
import torch
from torch import nn

from course import prediction, tasks, training
from course.networks.prediction import trace_prediction

torch.set_num_threads(1)

KEYS = ["input", "cell", "carried", "logits", "probs"]
NAMES = ["input at time step 1", "RNN cell computation", "hidden state passed on", "final output layer", "softmax"]


class Own(nn.Module):
    """A learner's module: a dropout, a head that reads the last output, all outputs, h_n, or the state step by step."""

    def __init__(self, layer=nn.RNN, reads="last", batch_first=False, num_layers=1):
        super().__init__()
        self.reader = layer(5, 6, num_layers, batch_first=batch_first)
        self.dropout = nn.Dropout(0.5)
        self.head = nn.Linear(6, 3)
        self.reads, self.time = reads, int(batch_first)

    def forward(self, x):
        if self.reads == "steps":
            state = None
            for t in range(x.shape[self.time]):
                outputs, state = self.reader(x.narrow(self.time, t, 1), state)
            return self.head(outputs.select(self.time, -1))
        outputs, state = self.reader(input=x)
        h_n = state[0] if isinstance(state, tuple) else state
        return self.head({"last": outputs.select(self.time, -1), "all": outputs, "h_n": h_n, "top": h_n[-1]}[self.reads])


def sequence(steps=7, batch=1):
    return torch.randn(steps, batch, 5, generator=torch.Generator().manual_seed(8))


def expected(model, x):
    """The five layers of a time-first x, by PyTorch alone."""
    with torch.no_grad():
        outputs = model.reader(x.transpose(0, 1) if model.reader.batch_first else x)[0]
        outputs = outputs.transpose(0, 1) if model.reader.batch_first else outputs
        logits = model.head(outputs[-1])
    return dict(zip(KEYS, (x[0], outputs[0], outputs[-1], logits, torch.softmax(logits, 1))))


def same(trace, model, x):
    assert trace.keys() == KEYS
    for key, value in expected(model, x).items():
        torch.testing.assert_close(trace[key], value)
        assert not trace[key].requires_grad


@pytest.mark.parametrize("layer", [nn.RNN, nn.GRU, nn.LSTM])
@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("num_layers", [1, 2])
@pytest.mark.parametrize("reads", ["last", "all", "top", "h_n", "steps"])
def test_five_layers_have_the_modules_numbers(layer, batch_first, num_layers, reads):
    torch.manual_seed(5)
    model, x = Own(layer, reads, batch_first, num_layers), sequence()
    trace = trace_prediction(model, x.transpose(0, 1) if batch_first else x)
    same(trace, model, x)
    assert (trace.kind, trace.steps) == (layer.__name__, 7)
    assert [part.name for part in trace.layers] == NAMES
    assert [part.shape for part in trace.layers] == [(1, 5), (1, 6), (1, 6), (1, 3), (1, 3)]


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("reads", ["last", "all", "top", "h_n", "steps"])
@pytest.mark.parametrize("batch", [2, 7])
def test_a_recording_keeps_the_sequences_of_a_batch_apart(batch_first, reads, batch):
    model, x = Own(nn.GRU, reads, batch_first), sequence(batch=batch)
    seen = prediction.record(model, x.transpose(0, 1) if batch_first else x)
    for key, value in zip(("first", "cell", "carried", "logits"), expected(model, x).values()):
        torch.testing.assert_close(getattr(seen, key), value)


@pytest.mark.parametrize("reads", ["all", "h_n", "top"])
def test_a_sequence_without_a_batch_axis(reads):
    model, x = Own(nn.GRU, reads), sequence()
    same(trace_prediction(model, x[:, 0]), model, x)


@pytest.mark.parametrize("state", training.STATES)
def test_the_courses_classifier(state):
    model, x = training.Classifier(state), tasks.pointing(0).x_test[:, :1]
    trace = trace_prediction(model, x)
    assert trace.steps == (1 if state == "no memory" else 10)
    torch.testing.assert_close(trace["logits"], model(x).detach())
    torch.testing.assert_close(trace["carried"], model.last_state(x).detach())
    assert torch.equal(trace["input"], x[-1] if state == "no memory" else x[0])


def test_a_linear_before_the_layer_is_not_the_head():
    class Encoded(nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder, self.reader, self.head = nn.Linear(5, 8), nn.GRU(8, 6), nn.Linear(6, 3)

        def forward(self, x):
            return self.head(self.reader(self.encoder(x))[1][0]).softmax(-1)

    model, x = Encoded(), sequence()
    trace = trace_prediction(model, x)
    torch.testing.assert_close(trace["input"], model.encoder(x)[0].detach())
    torch.testing.assert_close(trace["probs"], model(x).detach())


class TestTheModuleIsLeftAlone:
    def left_alone(self, model, act):
        before = {name: value.clone() for name, value in model.state_dict().items()}
        modes, random = [module.training for module in model.modules()], torch.get_rng_state()
        act()
        assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
        assert [module.training for module in model.modules()] == modes
        assert torch.equal(torch.get_rng_state(), random)
        assert all(parameter.requires_grad and parameter.grad is None for parameter in model.parameters())
        assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())
        assert torch.is_grad_enabled()

    @pytest.mark.parametrize("mode", [True, False])
    def test_after_a_trace(self, mode):
        model, x = Own().train(mode), sequence().requires_grad_()
        model.dropout.train(not mode)
        self.left_alone(model, lambda: trace_prediction(model, x))
        assert x.grad is None and torch.equal(x.detach(), sequence())

    def test_the_trace_is_no_view_of_the_input(self):
        model, x = Own(), sequence()
        trace_prediction(model, x)["input"].zero_()
        assert torch.equal(x, sequence())

    def test_random_numbers_of_dropout_are_not_the_learners(self):
        model = Own()
        model.head = nn.Sequential(nn.Dropout(0.5), nn.Linear(6, 3))
        self.left_alone(model, lambda: trace_prediction(model, sequence()))

    @pytest.mark.parametrize("x, error", [(torch.zeros(7, 1, 4), RuntimeError), (torch.zeros(7, 2, 5), ValueError), ("no tensor", Exception)])
    def test_after_an_error(self, x, error):
        model = Own()

        def act():
            with pytest.raises(error):
                trace_prediction(model, x)

        self.left_alone(model, act)

    def test_hooks_of_the_learner_stay(self):
        model, calls = Own(), []
        model.reader.register_forward_hook(lambda *_: calls.append(1))
        trace_prediction(model, sequence())
        assert calls == [1] and len(model.reader._forward_hooks) == 1


def sequential(*modules):
    class Chain(nn.Module):
        def __init__(self):
            super().__init__()
            self.parts = nn.ModuleList(modules)

        def forward(self, x):
            for part in self.parts:
                x = part(x)
                x = x[0] if isinstance(x, tuple) else x
            return x

    return Chain()


@pytest.mark.parametrize(
    "model, said",
    [
        (sequential(nn.Linear(5, 3)), "it holds none"),
        (sequential(nn.RNN(5, 4), nn.GRU(4, 4), nn.Linear(4, 3)), "it holds 2"),
        (sequential(nn.RNN(5, 4)), "none did"),
        (sequential(nn.Linear(5, 5), nn.RNN(5, 4)), "none did"),
        (sequential(nn.RNN(5, 4), nn.Linear(4, 4), nn.Linear(4, 3)), "2 did"),
        (sequential(nn.GRU(5, 4, bidirectional=True), nn.Linear(8, 3)), "both directions"),
        (lambda x: x, "an nn.Module, and this is of type function"),
        (nn.RNN, "an nn.Module, and this is of type type"),
    ],
)
def test_a_module_that_cannot_be_traced_is_refused_in_words(model, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        trace_prediction(model, sequence())
    for module in model.modules() if isinstance(model, nn.Module) else []:
        assert not module._forward_hooks


def test_a_batch_is_refused_in_words():
    with pytest.raises(ValueError, match="one sequence, and x holds 3"):
        trace_prediction(Own(), sequence(batch=3))


def test_a_packed_sequence_is_refused_in_words():
    with pytest.raises(ValueError, match="given a PackedSequence"):
        trace_prediction(sequential(nn.RNN(5, 4), nn.Linear(4, 3)), nn.utils.rnn.pack_padded_sequence(sequence(), [7]))


class TestWhatItShows:
    def test_table_and_text_have_name_shape_and_numbers(self):
        trace = trace_prediction(Own(nn.LSTM), sequence())
        rows = re.findall(r"<tr>(.*?)</tr>", trace._repr_html_())
        assert len(rows) == 6 and "One prediction of nn.LSTM over 7 time steps" in trace._repr_html_()
        for number, (row, line, layer) in enumerate(zip(rows[1:], repr(trace).splitlines()[2:], trace.layers), start=1):
            numbers = "[" + ", ".join(f"{value:.3f}" for value in layer.values[0].tolist()) + "]"
            for text in (row, line):
                assert all(part in text for part in (str(number), layer.name, str(layer.shape), numbers))

    def test_picture_says_every_layer(self):
        trace = trace_prediction(Own(), sequence())
        assert all(name in trace.picture().alt for name in NAMES) and "5 layers" in trace.picture().alt
        assert trace.picture() == trace_prediction_again(trace).picture()

    def test_a_large_state_is_cut_short(self):
        model = sequential(nn.RNN(5, 20), nn.Linear(20, 3))
        trace = trace_prediction(model, sequence())
        assert trace["cell"].shape == (1, 20)
        assert "…" in repr(trace) and trace.picture().svg


def trace_prediction_again(trace):
    return prediction.PredictionTrace(trace.kind, trace.steps, trace.layers)
