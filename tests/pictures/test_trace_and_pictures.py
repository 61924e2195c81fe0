"""The trace gives the numbers of the design, agrees with PyTorch's layer; every picture is a valid drawing with true alt text."""

import re
import warnings
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser

import matplotlib
import pytest
import torch
from torch import nn

from course import Trace, example, pictures
from course.pictures import stages
from course.pictures.story import CLASSES, FEATURES, class_names

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def trace():
    return Trace.of(example.rnn(), example.out(), example.sequence())


@pytest.fixture(scope="module")
def random_trace():
    """Three sequences, seven steps, every size another number, some values beyond the colours' limits."""
    torch.manual_seed(4)
    return Trace.of(nn.RNN(5, 4), nn.Linear(4, 2), 3 * torch.randn(7, 3, 5), torch.randn(1, 3, 4))


def close(tensor, expected, tolerance):
    torch.testing.assert_close(tensor, torch.tensor(expected), rtol=0, atol=tolerance)


class TestTheNumbersOfTheDesign:
    def test_input(self, trace):
        assert trace.x.shape == (10, 1, 5)
        close(trace.x[0, 0], [0.1, 0.2, 0.3, 0.4, 0.5], 1e-6)
        close(trace.x[-1, 0], [0.5, 0.4, 0.3, 0.2, 0.1], 1e-6)
        gaps = trace.x.diff(dim=0)
        torch.testing.assert_close(gaps, gaps[:1].expand_as(gaps), rtol=0, atol=2e-6)

    def test_zero_state(self, trace):
        assert trace.h0.tolist() == [[0.0, 0.0, 0.0, 0.0]]

    def test_first_state(self, trace):
        close(trace.states[0], [[0.05, 0.10, 0.15, 0.20]], 1e-6)

    def test_carried_state(self, trace):
        close(trace.states[-1], [[0.30, 0.40, 0.50, 0.60]], 1e-5)

    def test_logits(self, trace):
        close(trace.logits[-1], [[1.2, 0.8, 0.5]], 1e-5)

    def test_probabilities(self, trace):
        close(trace.probs[-1], [[0.461, 0.309, 0.229]], 5e-4)
        assert abs(trace.probs[-1].sum().item() - 1) < 1e-6

    def test_weights(self):
        W = example.weights()
        assert torch.equal(W["W_ih"][:, :4].diagonal(), torch.tensor([0.500417, 0.501677, 0.503801, 0.506831]))
        assert torch.equal(W["W_hh"].diagonal(), torch.tensor([0.216125, 0.586485, 0.801655, 0.965224]))
        assert W["W_ih"].count_nonzero() == W["W_hh"].count_nonzero() == 4
        assert not W["b_ih"].any() and not W["b_hh"].any()
        assert example.out().weight.tolist() == [[1, 0, 0, 1], [0, 1, 0, 0], [0, 0, 1, 0]]
        close(example.out().bias.detach(), [0.3, 0.4, 0.0], 0)

    def test_the_example_is_new_at_each_call(self):
        example.sequence().fill_(9)
        example.weights()["W_hh"].fill_(9)
        example.rows()[0][0] = 9
        with torch.no_grad():
            example.rnn().weight_hh_l0.fill_(9)
        close(Trace.of(example.rnn(), example.out(), example.sequence()).states[-1], [[0.30, 0.40, 0.50, 0.60]], 1e-5)


class TestTraceAgreesWithTheLayer:
    @pytest.mark.parametrize("batch_first", [False, True])
    @pytest.mark.parametrize("bias", [False, True])
    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
    @pytest.mark.parametrize("given", [False, True])
    def test_states_logits_and_probabilities(self, batch_first, bias, dtype, given):
        torch.manual_seed(2)
        rnn = nn.RNN(5, 4, batch_first=batch_first, bias=bias, dtype=dtype)
        out = nn.Linear(4, 3, dtype=dtype)
        x = torch.randn(7, 2, 5, dtype=dtype)
        h0 = torch.randn(1, 2, 4, dtype=dtype) if given else None
        fed = x.transpose(0, 1) if batch_first else x
        outputs, h_n = rnn(fed, h0)
        trace = Trace.of(rnn, out, fed, h0)
        outputs = outputs.transpose(0, 1) if batch_first else outputs
        torch.testing.assert_close(trace.states, outputs.detach())
        torch.testing.assert_close(trace.states[-1], h_n[0].detach())
        torch.testing.assert_close(trace.logits, out(outputs).detach())
        torch.testing.assert_close(trace.probs.sum(-1), torch.ones(7, 2, dtype=dtype))
        torch.testing.assert_close(trace.total, trace.input_part + trace.state_part)
        assert torch.equal(trace.x, x) and torch.equal(trace.h0, torch.zeros(2, 4, dtype=dtype) if h0 is None else h0[0])

    def test_shapes_are_those_documented(self, random_trace):
        sizes = {"T": 7, "B": 3, "F": 5, "H": 4, "C": 2}
        table = re.findall(r"^ +([\w, ]+?)  +(\([^()]*\)(?:, \([^()]*\))?)", Trace.__doc__, flags=re.MULTILINE)
        documented = {}
        for fields, shapes in table:
            for field, shape in zip(fields.split(", "), re.findall(r"\([^()]*\)", shapes)):
                documented[field] = tuple(sizes[letter] for letter in re.findall(r"[A-Z]", shape))
        assert set(documented) == set(Trace.__dataclass_fields__)
        for field, shape in documented.items():
            assert getattr(random_trace, field).shape == shape, field

    def test_before_each_step(self, random_trace):
        assert torch.equal(random_trace.before(0), random_trace.h0)
        assert torch.equal(random_trace.before(3), random_trace.states[2])

    def test_no_graph_and_no_shared_memory(self):
        rnn, out, x = example.rnn(), example.out(), example.sequence().requires_grad_()
        trace = Trace.of(rnn, out, x)
        for field in Trace.__dataclass_fields__:
            tensor = getattr(trace, field)
            assert not tensor.requires_grad, field
            tensor.fill_(7)
        assert torch.equal(x.detach(), example.sequence())
        assert torch.equal(out.weight, example.out().weight) and torch.equal(out.bias, example.out().bias)
        assert torch.equal(rnn.weight_hh_l0, example.rnn().weight_hh_l0)

    def test_training_mode_is_left_alone(self):
        rnn, out = example.rnn().train(), example.out().eval()
        Trace.of(rnn, out, example.sequence())
        assert rnn.training and not out.training

    @pytest.mark.parametrize(
        "layer",
        [
            nn.LSTM(5, 4),
            nn.GRU(5, 4),
            nn.RNN(5, 4, bidirectional=True),
            nn.RNN(5, 4, num_layers=2),
            nn.RNN(5, 4, nonlinearity="relu"),
            nn.RNNCell(5, 4),
            nn.Linear(5, 4),
        ],
        ids=str,
    )
    def test_other_layers_are_refused_in_words(self, layer):
        with pytest.raises(TypeError, match="Trace records nn.RNN with one layer, one direction and tanh; this is") as refused:
            Trace.of(layer, example.out(), example.sequence())
        assert str(layer) in str(refused.value)

    def test_a_layer_that_does_something_else_is_found_out(self):
        class Odd(nn.RNN):
            def forward(self, x, h):
                outputs, h_n = super().forward(x, h)
                return outputs * 0.9, h_n

        with pytest.raises(RuntimeError, match="differ from the layer's own by"):
            Trace.of(Odd(5, 4), example.out(), example.sequence())


DRAW = {
    "pipeline": lambda trace: pictures.pipeline(here=4),
    "sequence": lambda trace: pictures.sequence(trace.x),
    "sequence with a mark": lambda trace: pictures.sequence(trace.x, row=0, mark=2),
    "tensor_block": lambda trace: pictures.tensor_block({"time": 10, "batch": 2, "features": 5}),
    "cell": lambda trace: pictures.cell(trace, t=1),
    "states": lambda trace: pictures.states(trace),
    "reach": lambda trace: pictures.reach(*difference_and_gradient(trace)),
    "output": lambda trace: pictures.output(trace),
    "probabilities": lambda trace: pictures.probabilities(trace.logits[-1, 0]),
    "training": lambda trace: pictures.training(*curves(trace), 1.1),
    "ways": lambda trace: pictures.ways({"carried": curves(trace), "reset": curves(trace)[::-1], "none": curves(trace)}, 1.1),
    "points": lambda trace: pictures.points(trace.states[:, 0, :2], torch.arange(len(trace.x)) % 3, torch.arange(len(trace.x)) > 2, "Two classes part."),
    "probabilities_over_time": lambda trace: pictures.probabilities_over_time(trace.probs[:, 0]),
    "prediction": lambda trace: pictures.prediction(prediction_layers(trace)),
    "unrolled": lambda trace: pictures.unrolled(),
    "unrolled with its states": lambda trace: pictures.unrolled(trace=trace),
    "unrolled and cut": lambda trace: pictures.unrolled(way="detached", cut=8),
    "unrolled in four ways": lambda trace: pictures.unrolled(way=["carried", "detached", "reset", "no memory"]),
    "two_layers": lambda trace: pictures.two_layers(),
    "broken_laws": lambda trace: pictures.broken_laws(law_sizes(trace), ["bug a", "bug b"], ["zero law", "chunk law"]),
}


def curves(trace):
    """Two lists of numbers over the epochs, as `training` takes them."""
    return trace.states[:, 0, 0].abs().tolist(), trace.probs[:, 0, 0].tolist()


def prediction_layers(trace):
    """Five named rows of numbers, as `prediction` takes them."""
    names = ("input", "cell", "carried", "logits", "probs")
    return list(zip(names, (trace.x[0, 0], trace.states[0, 0], trace.states[-1, 0], trace.logits[-1, 0], trace.probs[-1, 0])))


def law_sizes(trace):
    """What two laws find for two bugs: bug a breaks the second law alone, bug b both."""
    size = trace.states[0, 0, 0].abs().item() + 0.1
    return torch.tensor([[0, size], [size, 1.0]])


def difference_and_gradient(trace):
    """Two rows of numbers over the steps, as `reach` takes them."""
    return trace.states[:, 0, 0].abs(), trace.states[:, 0].norm(dim=-1)


def numbers(tensor, digits=2):
    return "[" + ", ".join(f"{value:.{digits}f}" for value in tensor.tolist()) + "]"


def alt_numbers(name, trace):
    """What the alt text of a picture has to hold."""
    return {
        "pipeline": ["stage 4 of 6", "carry over time"],
        "sequence": [numbers(trace.x[0, 0]), numbers(trace.x[-1, 0]), f"{len(trace.x)} time steps", "5 features"],
        "sequence with a mark": [numbers(trace.x[0, 0]), "Step 2"],
        "tensor_block": ["(10, 2, 5)", "time 10", "batch 2", "features 5"],
        "cell": [numbers(trace.states[1, 0], 3), numbers(trace.input_part[1, 0], 3), numbers(trace.state_part[1, 0], 3), "Step 2"],
        "states": [numbers(trace.states[0, 0]), numbers(trace.states[-1, 0]), "4 hidden units"],
        "reach": [f"Over {len(trace.x)} steps", *(numbers(values) for values in difference_and_gradient(trace))],
        "output": [numbers(trace.logits[-1, 0]), numbers(trace.states[-1, 0])],
        "probabilities": [numbers(trace.logits[-1, 0]), numbers(trace.probs[-1, 0], 3)],
        "training": [*(numbers(torch.tensor(row)) for row in curves(trace)), f"Over {len(trace.x)} epochs", "guessing costs 1.10"],
        "ways": [f"carried {curves(trace)[0][-1]:.2f} and {curves(trace)[1][-1]:.2f}", "carried and none are the same curve"],
        "points": [f"{len(trace.x)} states", "Two classes part."],
        "probabilities_over_time": [numbers(trace.probs[0, 0]), numbers(trace.probs[-1, 0]), class_names(trace.probs.shape[-1])[trace.probs[-1, 0].argmax()]],
        "prediction": [f"{name} {numbers(values)}" for name, values in prediction_layers(trace)],
        "unrolled": ["10 time steps", "the state of the step before"],
        "unrolled with its states": [f"{len(trace.x)} time steps", numbers(trace.states[0, 0]), numbers(trace.states[-1, 0])],
        "unrolled and cut": ["the gradient is cut", "before step 8 alone"],
        "unrolled in four ways": ["Carried: ", "detached: ", "reset: ", "no memory: "],
        "two_layers": ["Two layers over 3 steps", "h[0]"],
        "broken_laws": ["2 laws", "2 bugs", "bug a breaks chunk law", "bug b breaks zero law, chunk law"],
    }[name]


def public_pictures():
    return {name for name in pictures.__all__ if callable(getattr(pictures, name)) and name != "Picture"}


def test_every_public_picture_is_looked_at():
    assert public_pictures() == {name.split()[0] for name in DRAW}


@pytest.mark.parametrize("name", DRAW)
@pytest.mark.parametrize("which", ["trace", "random_trace"])
class TestEveryPicture:
    def test_is_valid_svg_with_true_alt_text(self, name, which, request):
        trace = request.getfixturevalue(which)
        picture = DRAW[name](trace)
        root = ElementTree.fromstring(picture.svg)
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert float(root.get("width").removesuffix("pt")) > 50 and float(root.get("height").removesuffix("pt")) > 50
        assert len(list(root.iter("{http://www.w3.org/2000/svg}path"))) > 5
        assert not re.search(r"\b(nan|inf)\b", picture.svg)
        for part in alt_numbers(name, trace):
            assert part in picture.alt
        assert picture.alt.endswith(".") and len(picture.alt) < 400

    def test_is_the_same_at_each_call(self, name, which, request):
        trace = request.getfixturevalue(which)
        one, other = DRAW[name](trace), DRAW[name](trace)
        assert one.svg.encode() == other.svg.encode()
        assert one == other and one._repr_html_() == other._repr_html_()

    def test_leaves_its_inputs_and_the_session_alone(self, name, which, request):
        trace = request.getfixturevalue(which)
        before = {field: getattr(trace, field).clone() for field in Trace.__dataclass_fields__}
        style, random_state = dict(matplotlib.rcParams), torch.get_rng_state()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            DRAW[name](trace)
        assert all(torch.equal(getattr(trace, field), value) for field, value in before.items())
        assert dict(matplotlib.rcParams) == style
        assert torch.equal(torch.get_rng_state(), random_state)


def test_a_picture_shows_itself_as_an_image_with_alt_text(trace):
    picture = pictures.Picture("<svg xmlns='http://www.w3.org/2000/svg'/>", 'It says "1 < 2" & more.')
    images = []
    reader = HTMLParser()
    reader.handle_starttag = lambda tag, attributes: images.append((tag, dict(attributes)))
    reader.feed(picture._repr_html_())
    [(tag, attributes)] = images
    assert tag == "img" and attributes["alt"] == picture.alt
    assert attributes["src"].startswith("data:image/svg+xml;base64,")
    assert repr(picture) == f"Picture: {picture.alt}"


def texts(picture):
    """The words that Matplotlib has drawn as paths stand in the SVG as comments."""
    return re.findall(r"<!-- (.*?) -->", picture.svg)


def test_the_story_holds_in_every_picture_of_classes_and_features(trace):
    assert all(any(name in text for text in texts(pictures.sequence(trace.x))) for name in FEATURES)
    over_time, marks = (
        pictures.probabilities_over_time(trace.probs[:, 0]),
        pictures.points(trace.states[:, 0, :2], torch.arange(len(trace.x)) % 3, torch.arange(len(trace.x)) > 2, "Three."),
    )
    for picture in (pictures.output(trace), pictures.probabilities(trace.logits[-1, 0]), over_time, marks, pictures.unrolled()):
        drawn = " ".join(texts(picture))
        assert all(name in drawn for name in CLASSES) and "class " not in drawn


def test_other_numbers_of_classes_have_no_names_of_ours():
    assert "class 3" in texts(pictures.probabilities(torch.tensor([1.0, 2.0, 3.0, 4.0])))


def test_the_zero_state_goes_into_the_cell_and_not_out_of_the_input():
    """Stages 1 and 2 each have an arrow into stage 3, and none into each other."""
    assert (0, 2) in stages.ARROWS and (1, 2) in stages.ARROWS and (0, 1) not in stages.ARROWS


@pytest.mark.parametrize(
    "arguments, said", [({"way": "kept"}, "way is one of carried"), ({"cut": 1}, "from 2 to 10"), ({"cut": 11, "way": "reset"}, "from 2 to 10")]
)
def test_unrolled_another_way(arguments, said):
    with pytest.raises(ValueError, match=said):
        pictures.unrolled(**arguments)


@pytest.mark.parametrize("here", [0, 7, -1])
def test_a_stage_that_does_not_exist(here):
    with pytest.raises(ValueError, match="stages 1 to 6"):
        pictures.pipeline(here)


def test_the_rows_and_steps_chosen_are_those_drawn(random_trace):
    assert numbers(random_trace.states[-1, 2]) in pictures.states(random_trace, row=2).alt
    assert numbers(random_trace.x[0, 1]) in pictures.sequence(random_trace.x, row=1).alt
    assert numbers(random_trace.logits[3, 2]) in pictures.output(random_trace, t=3, row=2).alt
    assert numbers(random_trace.states[0, 1], 3) in pictures.cell(random_trace, t=0, row=1).alt
    one, other = pictures.states(random_trace, row=0), pictures.states(random_trace, row=1)
    assert one.svg != other.svg


def test_pictures_take_tensors_with_a_graph_and_other_dtypes():
    logits = torch.tensor([1.2, 0.8, 0.5], dtype=torch.float64, requires_grad=True)
    assert "[0.461, 0.309, 0.229]" in pictures.probabilities(logits).alt
    x = example.sequence().double().requires_grad_()
    assert pictures.sequence(x).alt == pictures.sequence(example.sequence()).alt


def test_large_and_equal_logits_can_be_drawn():
    for logits in ([1001.2, 1000.8, 1000.5], [0.0, 0.0], [-3.0, -1.0, -2.0, 4.0]):
        ElementTree.fromstring(pictures.probabilities(torch.tensor(logits)).svg)


def test_pictures_do_not_follow_the_learners_style():
    from matplotlib import style

    logits = torch.tensor([1.2, 0.8, 0.5])
    with style.context("dark_background"):
        dark = pictures.probabilities(logits)
    pictures.drawing._drawn.clear()
    assert dark.svg == pictures.probabilities(logits).svg


def test_an_output_layer_without_bias_is_traced():
    out = torch.nn.Linear(4, 3, bias=False)
    trace = Trace.of(example.rnn(), out, example.sequence())
    assert trace.b_out.tolist() == [0, 0, 0]


def test_the_same_picture_is_drawn_once_and_another_one_is_another():
    logits = torch.tensor([1.2, 0.8, 0.5])
    first = pictures.probabilities(logits)
    assert pictures.probabilities(logits.clone().requires_grad_()) is first
    assert pictures.probabilities(logits + 0.001) is not first
    logits[0] = 2
    assert pictures.probabilities(logits).alt != first.alt


def test_pictures_are_not_kept_without_end(monkeypatch):
    monkeypatch.setattr(pictures.drawing, "MOST_DRAWN", 3)
    pictures.drawing._drawn.clear()
    for i in range(5):
        pictures.probabilities(torch.tensor([float(i), 0, 1]))
        assert 0 < len(pictures.drawing._drawn) <= 3
