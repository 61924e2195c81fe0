"""Explorers show PyTorch's numbers at every position: in the kernel, in what the browser gets, in words and in the still form."""

import base64
import importlib
import json
import math
import random
import re
import sys
import textwrap
import types
import xml.etree.ElementTree as ElementTree
from functools import cache
from html.parser import HTMLParser

import numpy as np
import pytest
import torch
from dances import expected_meet  # noqa: F401 - found by its name, as the others are
from torch import nn
from torch.nn import functional as F

from course import example, explore, laws, pictures, tasks, training
from course.explore import explorer as frame
from course.explore import still, views, words
from course.explore.explorer import Explorer, Scene, Slider, Switch, Table
from course.explore.leading import leading
from course.explore.weights import cell_weights, output_weights
from course.pictures.story import CLASSES

torch.set_num_threads(1)
decision = importlib.import_module("course.explore.scenes.training.decision")

NAMES = explore.__all__
AROUND = ["cell_step", "output_layer", "softmax"]
WHOLE = sorted(set(NAMES) - set(AROUND))
T, H = example.NUM_STEPS, example.HIDDEN_SIZE
MEGABYTE = 2**20


def close(found, expected, where=""):
    torch.testing.assert_close(
        torch.as_tensor(found, dtype=torch.float64), torch.as_tensor(expected).double(), rtol=1e-6, atol=1e-5, msg=lambda m: f"{where}: {m}"
    )


def layer(scale=1.0):
    """nn.RNN with the worked example's weights, W_hh times `scale`."""
    rnn = example.rnn()
    rnn.weight_hh_l0.data.mul_(scale)
    return rnn


def steps_of(rnn, x, k=None, way=None):
    """The states after each step, one step at a time; what goes into step k is zero (way 0) or detached (way 1)."""
    h, states = torch.zeros(x.shape[1], H), []
    for number, x_t in enumerate(x, start=1):
        if number == k:
            h = torch.zeros_like(h) if way == 0 else h.detach()
        h = rnn(x_t[None], h[None])[1][0]
        states.append(h)
    return torch.stack(states)


def expected_input_sequence(v):
    seqs = torch.stack([example.sequence()[:, 0], example.sequence()[:, 0].flip(0), -example.sequence()[:, 0]])
    number = seqs[int(v["sequence"]), int(v["step"]) - 1, int(v["feature"])]
    return {"seqs": number, "x": number}


def expected_zero_state(v):
    layers, directions, batch, hidden, steps = (int(v[name]) for name in ("layers", "directions", "batch", "hidden", "steps"))
    x = torch.zeros(steps, batch, example.NUM_FEATURES)
    state = nn.RNN(x.shape[2], hidden, layers, bidirectional=directions == 2)(x)[1]
    return {"state": torch.tensor(state.shape), "numbers": torch.tensor(state.numel()), "input": torch.tensor(x.shape)}


def expected_cell_step(v):
    weights = {name: values[int(v["weights"])] for name, values in cell_weights().items()}
    W_ih, W_hh, b_ih, b_hh = weights.values()
    cell = nn.RNNCell(5, 4)
    cell.load_state_dict({"weight_ih": W_ih, "weight_hh": W_hh, "bias_ih": b_ih, "bias_hh": b_hh})
    x, h = (torch.tensor([v[f"{letter}{i}"] for i in range(size)]) for letter, size in (("x", 5), ("h", 4)))
    new = cell(x[None], h[None])[0].detach()
    return {"input_part": W_ih @ x + b_ih, "state_part": W_hh @ h + b_hh, "total": torch.atanh(new), "new": new, "pytorchs": new, **weights}


def expected_carry(v):
    x, step = example.sequence(), int(v["step"]) - 1
    whole = layer(v["scale"])(x)[0]
    return {"carried": whole[step, 0].detach(), "cut": steps_of(layer(v["scale"]), x, int(v["k"]), v["way"])[step, 0].detach()}


def expected_memory(v):
    rnn, x, cut = layer(v["scale"]), example.sequence().requires_grad_(), (int(v["k"]), v["way"])
    changed = x.detach().clone()
    changed[int(v["poked"]) - 1] += 0.5

    def moved(*cut):
        return (steps_of(rnn, changed, *cut) - steps_of(rnn, x, *cut)).detach()[:, 0].abs().amax(-1)

    def slope(states):
        return torch.autograd.grad(states[-1].sum(), x)[0].abs().sum((1, 2))

    return {
        "difference": moved(),
        "difference_cut": moved(*cut),
        "reach": slope(rnn(x)[0]),
        "reach_cut": slope(steps_of(rnn, x, *cut)),
        "survived": (moved() > 0.01).sum(),
        "survived_cut": (moved(*cut) > 0.01).sum(),
    }


GROUPS = [{0}, {1}, {2}, {0, 1}, {0, 2}, {1, 2}, {0, 1, 2}]
"""Who can lead among three: one, two that are level, or all."""


def who_leads(values):
    """The number of the group that has the largest value, within rounding."""
    top = values.max()
    return torch.tensor(GROUPS.index({c for c, value in enumerate(values) if value >= top - 1e-5 * max(1, abs(top))}))


def expected_output_layer(v):
    W, b = (values[int(v["weights"])] for values in output_weights().values())
    h = torch.tensor([v[f"h{i}"] for i in range(H)])
    logits = F.linear(h, W, b)
    return {"shares": W * h, "bias": b, "logits": logits, "pytorchs": logits, "winner": who_leads(logits)}


def expected_softmax(v):
    z = torch.tensor([v[f"z{i}"] for i in range(3)])
    logits = (z + 1000 * v["shift"]) / v["temperature"]
    probs = torch.softmax(logits, 0)
    return {
        "drawn": z / v["temperature"],
        "logits": logits,
        "probs": probs,
        "pytorchs": probs,
        "sum": torch.tensor(1.0),
        "winner": who_leads(probs),
    }


def expected_epochs(v):
    """From the states of a training of its own; places are compared by what no map may change (TestTheMapOfTheStates)."""
    trace, epoch, step = fitted(), int(v["epoch"]), int(v["step"]) - 1
    right = (trace.answers[epoch, step] == trace.y).sum()
    places = explore.epochs(trace).scene.tables["places"].values[epoch, step]
    return {"places": places, "answers": trace.answers[epoch, step], "right": right, "share": right / len(trace.y)}


def expected_decision(v):
    """One sequence, made again by hand: its noise scaled, one step turned round, read by nn.RNN and nn.Linear."""
    model, task = fitted().model, tasks.pointing(0)
    x, y = task.x_test[:, decision.WHICH].clone(), task.y_test[decision.WHICH]
    angle = torch.tensor(2 * torch.pi / 3) * y
    clean = torch.tensor([angle.cos(), angle.sin(), 0, 0, 0]).repeat(T, 1)
    clean[-1] = torch.tensor([0, 0, 0, 0, 1.0])
    noise = (x - clean) / 0.4
    flipped = int(v["flipped"])
    if flipped:
        clean[flipped - 1] = -clean[flipped - 1]
    with torch.no_grad():
        states = model.rnn((clean + v["noise"] * noise).unsqueeze(1))[0][:, 0]
        probs = model.out(states).softmax(-1)
    leaders, step = probs.argmax(-1).tolist(), int(v["step"])

    def since(step):
        return max([1, *(i + 1 for i in range(1, step) if leaders[i] != leaders[i - 1])])

    return {
        "probs": probs[step - 1],
        "state": states[step - 1],
        "leader": torch.tensor(leaders[step - 1]),
        "since": torch.tensor(since(step)),
        "final": torch.tensor(leaders[-1]),
        "mind": torch.tensor(since(T)),
    }


class HalfBroken(torch.nn.Module):
    """An nn.RNN(5, 4) with seed 0, of which a share is broken: written here again, bug by bug."""

    def __init__(self, bug, share):
        super().__init__()
        torch.manual_seed(0)
        self.rnn, self.bug, self.share, self.input_size, self.own = torch.nn.RNN(5, 4), bug, share, 5, {}

    def forward(self, x, h=None):
        outputs, h_n = self.rnn(x, h)
        if self.share == 0:
            return outputs, h_n
        if self.bug == 0 and h is None:
            h = torch.tensor([-1, -1 / 3, 1 / 3, 1]).repeat(1, x.shape[1], 1)
        if self.bug == 2:
            h = self.own.get(x.shape[1])
        wrong = self.rnn(x - x.mean(1, keepdim=True) if self.bug == 3 else x, None if self.bug == 1 else h.detach() if self.bug == 4 and h is not None else h)
        if self.bug == 2:
            self.own[x.shape[1]] = wrong[1].detach()
        if self.bug == 5 and len(x) > 1:
            wrong = wrong[0], wrong[0][-2][None]
        return outputs + self.share * (wrong[0] - outputs), h_n + self.share * (wrong[1] - h_n)


def expected_broken_laws(v):
    module = HalfBroken(int(v["bug"]), v["amount"] / 100)
    verdicts = laws.check_all(module, laws.random_input(module))
    sizes = [0.0 if verdict else 1.0 if not verdict.difference > 0 else min(1.0, verdict.difference) for verdict in verdicts]
    return {"sizes": torch.tensor(sizes), "broken": torch.tensor(sum(not verdict for verdict in verdicts))}


@cache
def fitted():
    return training.fit(show=False)


EXPECTED = {name: globals()[f"expected_{name}"] for name in NAMES}


@pytest.fixture(scope="module")
def explorers():
    return {name: getattr(explore, name)() for name in NAMES}


@pytest.fixture(params=NAMES)
def named(request, explorers):
    """(name, explorer), standing at its start before and after."""
    explorer = explorers[request.param]
    start = explorer.at()
    yield request.param, explorer
    move(explorer, start)
    explorer.canvas._handle_custom_msg({"wanted": list(start.values())}, [])


def move(explorer, at):
    for control in explorer.scene.controls:
        setattr(explorer.sliders[control.name], control.trait, control.values[at[control.name]])


def values_at(explorer, at):
    return {control.name: control.values[at[control.name]] for control in explorer.scene.controls}


def positions(explorer, others=8):
    """The start, every slider at both of its ends, all sliders at their ends, and some others."""
    start, controls, draw = explorer.at(), explorer.scene.controls, random.Random(5)
    ends = [{**start, c.name: end} for c in controls for end in (0, len(c.values) - 1)]
    corners = [{c.name: end * (len(c.values) - 1) for c in controls} for end in (0, 1)]
    return [start, *ends, *corners, *({c.name: draw.randrange(len(c.values)) for c in controls} for _ in range(others))]


def decoded(packed):
    return torch.from_numpy(np.frombuffer(packed["data"], dtype="<f4").reshape(packed["shape"]).copy())


def picked(packed, at):
    """The numbers that stand at the positions `at`: every axis with a position is taken there, the others are left whole."""
    return decoded(packed)[tuple(at.get(axis, slice(None)) for axis in packed["axes"])]


class TestTheKernelsNumbers:
    def test_equal_pytorchs_at_every_end_at_the_start_and_between(self, named):
        name, explorer = named
        for at in positions(explorer):
            move(explorer, at)
            assert explorer.at() == at
            expected = EXPECTED[name](values_at(explorer, at))
            for table, numbers in expected.items():
                close(explorer.look(table), numbers, f"{table} at {at}")

    def test_every_table_is_compared(self, named):
        name, explorer = named
        assert set(explorer.canvas.tables["tables"]) == set(EXPECTED[name](values_at(explorer, explorer.at())))

    def test_carry_shows_all_steps_at_once(self, explorers):
        explorer = explorers["carry"]
        close(explorer.look("carried", ["step", "unit"]), layer()(example.sequence())[0][:, 0].detach())
        close(explorer.look("carried", ["unit", "step"]), layer()(example.sequence())[0][:, 0].detach().T)

    def test_the_starts_are_those_of_the_worked_example(self, explorers):
        close(explorers["cell_step"].look("new"), [0.05, 0.10, 0.15, 0.20])
        close(explorers["carry"].look("carried"), [0.3, 0.4, 0.5, 0.6])
        close(explorers["output_layer"].look("logits"), [1.2, 0.8, 0.5])
        torch.testing.assert_close(torch.tensor(explorers["softmax"].look("probs")), torch.tensor([0.461, 0.309, 0.229]), rtol=0, atol=5e-4)


class TestCuts:
    """carry and memory, for every scale and every step k at once."""

    def cut(self, explorer, table, way):
        axes, values = explorer.scene.tables[table].axes, explorer.scene.tables[table].values
        assert axes[:3] == ("way", "k", "scale")
        return zip(range(2, T + 1), values[way])

    def test_the_state_into_step_k_is_zero_when_reset(self, explorers):
        explorer = explorers["carry"]
        scales = explorer.scene.controls[0].values
        for k, states in self.cut(explorer, "cut", 0):
            alone = torch.stack([layer(scale)(example.sequence()[k - 1 : k])[1][0, 0].detach() for scale in scales[::20]])
            close(states[::20, k - 1], alone, k)
            close(states[:, : k - 1], explorer.scene.tables["carried"].values[:, : k - 1], k)

    def test_detached_states_have_the_carried_values(self, explorers):
        for k, states in self.cut(explorers["carry"], "cut", 1):
            close(states, explorers["carry"].scene.tables["carried"].values, k)

    @pytest.mark.parametrize("way", [0, 1])
    def test_no_gradient_reaches_the_inputs_before_step_k(self, explorers, way):
        whole = explorers["memory"].scene.tables["reach"].values
        for k, gradient in self.cut(explorers["memory"], "reach_cut", way):
            assert not gradient[:, : k - 1].any(), k
            assert (gradient[1:, k - 1 :] > 0).all(), k
            if way == 1:
                close(gradient[:, k - 1 :], whole[:, k - 1 :], k)
        assert (whole[1:] > 0).all()

    def test_a_difference_ends_at_a_reset_and_passes_a_detach(self, explorers):
        whole = explorers["memory"].scene.tables["difference"].values
        for k, moved in self.cut(explorers["memory"], "difference_cut", 0):
            assert not moved[:, : k - 1, k - 1 :].any(), k
            close(moved[:, :, : k - 1], whole[:, :, : k - 1], k)
        for k, moved in self.cut(explorers["memory"], "difference_cut", 1):
            close(moved, whole, k)

    def test_nothing_moves_before_the_changed_step(self, explorers):
        whole = explorers["memory"].scene.tables["difference"].values
        assert not torch.stack([moved.tril(-1) for moved in whole]).any()
        assert (whole.diagonal(dim1=1, dim2=2) > 0.1).all()

    def test_survived_counts_the_steps_that_still_differ(self, explorers):
        tables = explorers["memory"].scene.tables
        for survived, difference in (("survived", "difference"), ("survived_cut", "difference_cut")):
            assert torch.equal(tables[survived].values, (tables[difference].values > 0.01).sum(-1))
        assert tables["survived"].values[0].eq(1).all()


class TestTheMapOfTheStates:
    """epochs: the places are the two main axes of all states, the same for every epoch and step."""

    def test_keeps_the_largest_spread_that_two_axes_can(self, explorers):
        states = fitted().states.flatten(0, 2).double()
        _, sizes, _ = torch.linalg.svd(states - states.mean(0), full_matrices=False)
        places = explorers["epochs"].scene.tables["places"].values.flatten(0, 2)
        close(places.norm(dim=0), sizes[:2])
        close(places.T @ places, torch.diag(sizes[:2] ** 2))
        assert f"{(sizes[:2] ** 2).sum() / (sizes**2).sum():.0%}" in explorers["epochs"].scene.note()

    def test_is_one_turn_and_shift_for_all(self, explorers):
        states, places = fitted().states.flatten(0, 2).double(), explorers["epochs"].scene.tables["places"].values.flatten(0, 2)
        with_shift = torch.cat([states, torch.ones(len(states), 1)], dim=1)
        close(with_shift @ torch.linalg.lstsq(with_shift, places).solution, places)

    def test_all_marks_are_within_the_limits(self, explorers):
        explorer = explorers["epochs"]
        low, high = explorer.scene.views[0]["limits"]
        assert low < explorer.scene.tables["places"].values.min() and explorer.scene.tables["places"].values.max() < high

    def test_marks_have_their_classes(self, explorers):
        assert explorers["epochs"].scene.views[0]["classes"] == fitted().y.tolist()

    def test_a_training_with_another_number_of_epochs(self):
        explorer = explore.epochs(training.fit(epochs=2, state="reset", show=False))
        assert (explorer.sliders["epoch"].max, explorer.sliders["epoch"].value) == (2, 0)
        assert re.fullmatch(r"After epoch 0 of 2, at step 1, the output layer would answer \d+ of 60 right: 0\.\d\d\. Guessing is 0\.33\.", explorer.sentence())

    def test_a_training_of_one_unit_has_a_map_too(self):
        places = explore.epochs(training.fit(epochs=1, hidden_size=1, show=False)).scene.tables["places"].values
        assert places.shape[-1] == 2 and not places[..., 1].any()

    def test_it_opens_before_the_training_and_not_at_the_answer(self, explorers):
        assert explorers["epochs"].sentence().startswith("After epoch 0 of 5, at step 1,")


class TestWhoLeads:
    @pytest.mark.parametrize(
        "values, words",
        [
            ([0.3, 0.1, 0.2], "clover wins"),
            ([0.4, 0.4, 0.2], "clover and linden are level"),
            ([0.4, 0.4 + 1e-7, 0.2], "clover and linden are level"),
            ([-1.0, 2.0, 2.0], "linden and heather are level"),
            ([1001.0, 1001.0, 1001.0], "clover, linden and heather are level"),
            ([1001.0, 1001.5, 1001.0], "linden wins"),
            ([0.1, math.nan, 0.3], "nobody can be named, for nan is no number"),
            ([math.nan] * 3, "nobody can be named, for nan is no number"),
        ],
    )
    def test_a_tie_and_nan_have_their_words(self, values, words):
        table = leading(("point",), torch.tensor([values]), CLASSES, "wins")
        assert table.names[int(table.values[0])] == words

    def test_a_sentence_of_an_own_softmax_that_overflows_names_nobody(self):
        explorer = explore.softmax(lambda logits: logits.exp() / logits.exp().sum(-1, keepdim=True))
        explorer.sliders["shift"].index = 1
        assert explorer.sentence().endswith("The sum is nan; nobody can be named, for nan is no number.")

    def test_the_thousand_is_added_before_the_division(self):
        explorer = explore.softmax()
        explorer.sliders["shift"].index, explorer.sliders["temperature"].value = 1, 2
        assert explorer.sentence().startswith("Softmax of [500.60, 500.40, 500.25] is")
        assert explorer.look("drawn") == pytest.approx([0.6, 0.4, 0.25])


class TestTheDecision:
    @pytest.mark.parametrize("layer", [nn.GRU, nn.LSTM])
    @pytest.mark.parametrize("batch_first", [False, True])
    def test_of_a_module_of_ones_own(self, layer, batch_first):
        class Own(nn.Module):
            def __init__(self):
                super().__init__()
                self.reader, self.head = layer(5, 6, batch_first=batch_first), nn.Linear(6, 3)

            def forward(self, x):
                return self.head(self.reader(x)[0].select(1 if batch_first else 0, -1))

        torch.manual_seed(3)
        model = Own()
        explorer = explore.decision(model)
        x = tasks.pointing(0).x_test[:, decision.WHICH : decision.WHICH + 1]
        explorer.sliders["step"].value = 4
        with torch.no_grad():
            close(explorer.look("probs"), model(x[:4].transpose(0, 1) if batch_first else x[:4])[0].softmax(-1))
        assert len(explorer.look("state")) == 6


class TestWhatTheBrowserGets:
    def test_axes_shapes_and_bytes_fit_and_are_small(self, named):
        tables = named[1].canvas.tables["tables"]
        for name, packed in tables.items():
            assert len(packed["axes"]) == len(packed["shape"]) == len(set(packed["axes"])), name
            assert isinstance(packed["data"], bytes) and len(packed["data"]) == 4 * np.prod(packed["shape"]), name
            assert packed["digits"] in range(5)
            assert decoded(packed).isfinite().all(), name
        assert sum(len(packed["data"]) for packed in tables.values()) <= MEGABYTE

    def test_every_axis_is_a_slider_or_has_names(self, named):
        name, explorer = named
        sizes = {c["name"]: len(c["values"]) for c in explorer.canvas.scene["controls"]}
        named_axes = {axis: len(about["names"]) for axis, about in explorer.canvas.scene["axes"].items()}
        shown = {view[key] for view in explorer.scene.views for key in ("rows", "columns") if view[key]}
        assert shown <= {*sizes, *named_axes}
        for packed in explorer.canvas.tables["tables"].values():
            for axis, size in zip(packed["axes"], packed["shape"]):
                lines = {"line": len(sizes), "along": max(sizes.values())} if name in AROUND else {}
                assert {**named_axes, **sizes, **lines}.get(axis, size) == size

    @pytest.mark.parametrize("name", WHOLE)
    def test_numbers_of_a_whole_grid_equal_pytorchs(self, explorers, name):
        explorer = explorers[name]
        for at in positions(explorer):
            for table, numbers in EXPECTED[name](values_at(explorer, at)).items():
                close(picked(explorer.canvas.tables["tables"][table], at), numbers, f"{table} at {at}")

    @pytest.mark.parametrize("name", AROUND)
    def test_numbers_along_each_line_equal_pytorchs(self, explorers, name):
        self.compare_lines(name, explorers[name], explorers[name].at())

    @pytest.mark.parametrize("name", AROUND)
    def test_another_point_gets_its_own_lines(self, explorers, name):
        explorer = explorers[name]
        start, elsewhere = explorer.at(), positions(explorer)[-1]
        explorer.canvas._handle_custom_msg({"wanted": list(elsewhere.values())}, [])
        self.compare_lines(name, explorer, elsewhere)
        explorer.canvas._handle_custom_msg({"wanted": list(start.values())}, [])
        self.compare_lines(name, explorer, start)

    def compare_lines(self, name, explorer, at):
        sent = explorer.canvas.tables
        assert sent["around"] == [at[control.name] for control in explorer.scene.controls]
        for line, control in enumerate(explorer.scene.controls):
            for along in {*range(0, len(control.values), 5), len(control.values) - 1}:
                here = {**at, control.name: along}
                for table, numbers in EXPECTED[name](values_at(explorer, here)).items():
                    close(picked(sent["tables"][table], {**here, "line": line, "along": along}), numbers, f"{table} at {here}")

    @pytest.mark.parametrize("name", WHOLE)
    def test_a_whole_grid_lies_around_no_point(self, explorers, name):
        assert explorers[name].canvas.tables["around"] is None

    def test_new_lines_come_also_after_the_notebooks_names_are_gone(self, monkeypatch):
        notebook = types.ModuleType("__main__")
        source = """
            import torch as t
            def weighted(W, v, b): return t.einsum("hf,bf->bh", W, v) + b
            def rnn_step(x, h, W_ih, W_hh, b_ih, b_hh):
                return t.tanh(weighted(W_ih, x, b_ih) + weighted(W_hh, h, b_hh))
        """
        exec(textwrap.dedent(source), vars(notebook))
        monkeypatch.setitem(sys.modules, "__main__", notebook)
        explorer = explore.cell_step()
        vars(notebook).clear()
        at = positions(explorer)[-1]
        explorer.canvas._handle_custom_msg({"wanted": list(at.values())}, [])
        self.compare_lines("cell_step", explorer, at)
        assert explorer.canvas.tables["note"] == "The numbers are yours, from rnn_step. PyTorch's are the same."

    def test_colours_and_limits_are_those_of_the_pictures(self, named):
        scene = named[1].canvas.scene
        assert scene["colours"] == {**pictures.COLOURS, "logits": pictures.LOGITS, "probs": pictures.PROBS}
        assert scene["limits"] == pictures.LIMITS

    def test_the_scene_is_plain_data(self, named):
        scene = named[1].canvas.scene
        assert json.loads(json.dumps(scene))["title"] == named[1].scene.title

    def test_each_slider_is_linked_in_the_browser(self, named):
        explorer = named[1]
        linked = {link.target[1]: link.source for link in explorer.canvas.links}
        for control in explorer.scene.controls:
            slider = explorer.sliders[control.name]
            assert linked[f"at_{control.name}"] == (slider, control.trait)
            assert getattr(explorer.canvas, f"at_{control.name}") == getattr(slider, control.trait)

    def test_sliders_have_their_names_limits_and_steps(self, named):
        for control in named[1].scene.controls:
            widget = named[1].sliders[control.name]
            assert widget.description == control.label
            if isinstance(control, Switch):
                assert list(widget.options) == list(control.options)
                continue
            assert (widget.min, widget.max, widget.step) == (control.low, control.high, control.step)
            assert control.values[0] == control.low and control.values[-1] == control.high
            close(torch.tensor(control.values).diff(), torch.full((len(control.values) - 1,), control.step))
            assert min(abs(value - control.start) for value in control.values) < 1e-9

    def test_explorers_do_not_know_of_each_other(self):
        one, other = explore.softmax(), explore.softmax()
        one.sliders["z0"].value = -5
        assert other.look("logits") == explore.softmax().look("logits") != one.look("logits")


class TestSentences:
    def say(self, explorer, **values):
        start = explorer.at()
        for control in explorer.scene.controls:
            if control.name in values:
                setattr(explorer.sliders[control.name], control.trait, values[control.name])
        sentence = explorer.sentence()
        move(explorer, start)
        return sentence

    @pytest.mark.parametrize(
        "name, values, sentence",
        [
            (
                "input_sequence",
                {},
                "Step 3 is x[2], shape (3, 5): one row for each sequence. Framed, feature 0 east: seqs[0][2][0] is 0.19, and x[2, 0, 0] is 0.19.",
            ),
            (
                "input_sequence",
                {"step": 10, "sequence": 2, "feature": 4},
                "Step 10 is x[9], shape (3, 5): one row for each sequence. Framed, feature 4 call: seqs[2][9][4] is −0.10, and x[9, 2, 4] is −0.10.",
            ),
            (
                "zero_state",
                {"layers": 4, "directions": 2, "batch": 6, "hidden": 8, "steps": 10},
                "num_layers 4, directions 2, batch 6, hidden 8: the state has the shape (8, 6, 8), which is 384 zeros. The input has the shape (10, 6, 5).",
            ),
            (
                "cell_step",
                {},
                "x [0.10, 0.20, 0.30, 0.40, 0.50] and h [0.00, 0.00, 0.00, 0.00] give the sum [0.050, 0.100, 0.151, 0.203], "
                "and tanh makes it the new state [0.050, 0.100, 0.150, 0.200].",
            ),
            ("carry", {"step": 1}, "W_hh × 1.00, after step 1: carried [0.05, 0.10, 0.15, 0.20]; reset at step 5: [0.05, 0.10, 0.15, 0.20]."),
            ("carry", {"way": 1, "k": 10}, "W_hh × 1.00, after step 10: carried [0.30, 0.40, 0.50, 0.60]; detached at step 10: [0.30, 0.40, 0.50, 0.60]."),
            ("carry", {"scale": 0, "step": 10}, "W_hh × 0.00, after step 10: carried [0.25, 0.20, 0.15, 0.10]; reset at step 5: [0.25, 0.20, 0.15, 0.10]."),
            (
                "memory",
                {"scale": 0},
                "Every feature of step 2 gets 0.5 more. The carried state then differs by more than 0.01 (full dots) in 1 of 10 steps; reset at step 9, in 1.",
            ),
            (
                "memory",
                {"poked": 3, "k": 4, "way": 0},
                "Every feature of step 3 gets 0.5 more. The carried state then differs by more than 0.01 (full dots) in 7 of 10 steps; reset at step 4, in 1.",
            ),
            ("output_layer", {}, "The state [0.30, 0.40, 0.50, 0.60] gives the logits [1.20, 0.80, 0.50]: clover leads."),
            (
                "output_layer",
                {"h0": -1, "h3": -1},
                "The state [−1.00, 0.40, 0.50, −1.00] gives the logits [−1.70, 0.80, 0.50]: linden leads.",
            ),
            ("softmax", {}, "Softmax of [1.20, 0.80, 0.50] is [0.461, 0.309, 0.229]. The sum is 1.000; clover wins."),
            ("epochs", {"step": 10}, "After epoch 0 of 5, at step 10, the output layer would answer 27 of 60 right: 0.45. Guessing is 0.33."),
            (
                "decision",
                {"step": 2},
                "She points to heather. After step 2 linden leads, since step 2: the probabilities are [0.07, 0.50, 0.42]. "
                "In the end the network says heather. It made up its mind at step 3.",
            ),
            ("broken_laws", {"bug": 2, "amount": 10}, "Bug: state kept inside, 10 %. Broken laws: 8 of 8."),
            ("broken_laws", {"bug": 4, "amount": 90}, "Bug: detached on the way in, 90 %. Broken laws: 1 of 8."),
            ("softmax", {"shift": 1}, "Softmax of [1001.20, 1000.80, 1000.50] is [0.461, 0.309, 0.229]. The sum is 1.000; clover wins."),
        ],
    )
    def test_have_the_right_numbers(self, explorers, name, values, sentence):
        assert self.say(explorers[name], **values) == sentence

    def test_hold_pytorchs_numbers_everywhere(self, explorers):
        for name, tables in {"carry": ["carried", "cut"], "output_layer": ["logits"], "cell_step": ["total", "new"], "softmax": ["probs"]}.items():
            explorer = explorers[name]
            start = explorer.at()
            for at in positions(explorer):
                expected = EXPECTED[name](values_at(explorer, at))
                move(explorer, at)
                found = [[float(n) for n in re.findall(r"[-\d.]+", part.replace("−", "-"))] for part in re.findall(r"\[([^\]]*)\]", explorer.sentence())]
                for numbers, table in zip(found[-len(tables) :], tables):
                    torch.testing.assert_close(torch.tensor(numbers), expected[table], rtol=0, atol=0.0051)
            move(explorer, start)

    def test_leave_no_name_unfilled(self, named):
        for at in positions(named[1]):
            move(named[1], at)
            assert not re.search(r"[{}]|nan|-", named[1].sentence())

    @pytest.mark.parametrize(
        "value, digits, text",
        [
            (0.3, 2, "0.30"),
            (-0.3, 2, "−0.30"),
            (-0.001, 2, "0.00"),
            (-0.0, 2, "0.00"),
            (0, 0, "0"),
            (-0.4, 0, "0"),
            (7, 0, "7"),
            (-7, 0, "−7"),
            (1001.2, 2, "1001.20"),
            (float("nan"), 2, "nan"),
            (float("inf"), 2, "∞"),
            (float("-inf"), 3, "−∞"),
            (1e30, 0, "1.0e+30"),
            (True, 2, "1.00"),
        ],
    )
    def test_number(self, value, digits, text):
        assert words.number(value, digits) == text

    def test_numbers_of_nested_lists(self):
        assert words.numbers([[0.05, -1], [float("nan"), 2]], 1) == "[[0.1, −1.0], [nan, 2.0]]"
        assert words.numbers([], 2) == "[]"

    def test_fill_takes_values_options_positions_and_tables(self):
        controls = [Slider("step", "step", 1, 10, 1, 3), Slider("scale", "scale", 0, 2, 0.05, 1), Switch("way", "way", ("reset", "detached"))]
        tables = {"state": Table(("step", "unit"), torch.arange(20.0).reshape(10, 2), 1)}
        template = "{step} is [{#step}], × {scale}, {way} {#way}: {state}"
        assert words.fill(template, controls, tables, {"step": 3, "scale": 20, "way": 1}) == "4 is [3], × 1.00, detached 1: [6.0, 7.0]"

    @pytest.mark.parametrize("keep", [[], ["a"], ["b"], ["c"], ["a", "b"], ["b", "a"], ["c", "a"], ["a", "b", "c"], ["c", "b", "a"], ["b", "c", "a"]])
    def test_pick_keeps_the_axes_in_the_order_that_is_asked(self, keep):
        values, at = torch.arange(24.0).reshape(2, 3, 4), {"a": 1, "b": 2, "c": 3}
        letters, sizes = "abc", dict(zip("abc", values.shape))
        found = torch.tensor(words.pick(Table(tuple(letters), values), keep, at))
        assert found.shape == tuple(sizes[axis] for axis in keep)
        for place in np.ndindex(*found.shape):
            where = {**at, **dict(zip(keep, place))}
            assert found[place] == values[where["a"], where["b"], where["c"]]

    @pytest.mark.parametrize("axes", [(), ("a",), ("a", "b", "c")])
    def test_a_table_with_too_many_or_too_few_axes_is_refused(self, axes):
        with pytest.raises(ValueError, match=re.escape(f"{axes} cannot hold the shape (2, 3)")):
            Table(axes, torch.zeros(2, 3))

    def test_a_table_is_packed_in_the_order_of_its_axes(self):
        values = torch.arange(6.0, dtype=torch.float64).reshape(2, 3).T.requires_grad_()
        packed = Table(("a", "b"), values).packed()
        assert packed["shape"] == [3, 2] and torch.equal(decoded(packed), values.detach().float())


class Sheets(HTMLParser):
    """The tables, images and tags of a piece of HTML."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.images, self.tables, self.into = [], [], [], None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.tags.append(tag)
        if tag == "img":
            self.images.append(attributes)
        if tag == "table":
            self.tables.append({"caption": [], "head": [], "rows": []})
        if tag == "tr" and "tbody" in self.tags[self.tags.index("table") :] and self.tables[-1]["head"]:
            self.tables[-1]["rows"].append([])
        if tag == "caption":
            self.into = self.tables[-1]["caption"]
        if tag == "th" and attributes["scope"] == "col":
            self.into = self.tables[-1]["head"]
        if tag == "td" or tag == "th" and attributes["scope"] == "row":
            self.into = self.tables[-1]["rows"][-1]
        if self.into is not None and tag in ("caption", "th", "td"):
            self.into.append("")

    def handle_data(self, text):
        if self.into is not None:
            self.into[-1] += text

    def handle_endtag(self, tag):
        if tag in ("caption", "th", "td"):
            self.into = None


def expected_rows(explorer, view):
    """The numbers that the sheet of a view should show, row by row."""
    rows = []
    for part in view["parts"]:
        packed = explorer.canvas.tables["tables"][part["table"]]
        values = explorer.look(part["table"], [view[key] for key in ("rows", "columns") if view[key] in packed["axes"]])
        for i, value in enumerate(values if view["rows"] in packed["axes"] else [values]):
            rows += [[]] * (i == len(rows))
            rows[i] = rows[i] + [words.number(number, packed["digits"]) for number in (value if isinstance(value, list) else [value])]
    return rows


class TestTheStillForm:
    def test_is_one_image_with_alt_text_and_a_drawing(self, named):
        [image] = Sheets(still.html(named[1])).images
        assert len(image["alt"]) >= 30 and image["alt"].endswith(".")
        kind, data = image["src"].split(",")
        assert kind == "data:image/svg+xml;base64"
        assert ElementTree.fromstring(base64.b64decode(data)).tag == "{http://www.w3.org/2000/svg}svg"

    def test_holds_the_sentence_and_folds_the_numbers_away(self, named):
        text = still.html(named[1])
        assert f"<p>{named[1].sentence().replace('&', '&amp;')}</p>" in text.replace("&#x27;", "'")
        assert text.index("A picture. <em>Run this cell") < text.index("<img") < text.index("<details>"), "it says first that nothing moves here"
        assert text.count("<details>") == text.count("</details>") == 1
        assert text.index("<details>") < text.index("<table>") and text.rindex("</table>") < text.index("</details>")

    def test_has_one_table_a_view_with_its_numbers(self, named):
        explorer = named[1]
        for at in positions(explorer)[::5]:
            move(explorer, at)
            tables = Sheets(still.html(explorer)).tables
            assert len(tables) == len(explorer.scene.views)
            for table, view in zip(tables, explorer.scene.views):
                assert [row[1:] for row in table["rows"]] == expected_rows(explorer, view)
                assert {len(row) for row in table["rows"]} == {len(table["head"])}

    def test_its_captions_say_where_the_sliders_stand(self):
        captions = [table["caption"] for table in Sheets(still.html(explore.carry())).tables]
        assert captions == [["Carried"], ["Beside it: reset at step 5"], ["Carried: a trace for each unit"], ["The state after step 10"]]

    def test_leaves_no_name_unfilled(self, named):
        for table in Sheets(still.html(named[1])).tables:
            assert table["caption"][0] and not re.search("[{}]", " ".join([*table["caption"], *table["head"]]))

    def test_has_a_name_for_each_row_and_column(self, named):
        text = still.html(named[1])
        assert len(re.findall("<th[ >]", text)) == len(re.findall('<th scope="(?:col|row)">', text)) > 0
        assert text.count("<table>") == text.count("<caption>") == text.count("<thead>") == text.count("<tbody>") == len(named[1].scene.views)

    def test_runs_nothing(self, named):
        text = still.html(named[1])
        assert not re.search(r"<script|<iframe|javascript:|\son\w+=|https?://", text)
        assert len(text) < 300_000

    def test_is_the_same_in_two_runs(self):
        assert still.html(explore.output_layer()) == still.html(explore.output_layer())

    def test_keeps_its_words_apart_from_its_html(self):
        table = Table(("row",), torch.tensor([1.0, 2.0]))
        explorer = Explorer(
            Scene(
                title="<b>",
                controls=[Slider("s", "<i>&", 0, 3, 1, 1)],
                tables={"t": table},
                words='1 < 2 & <b onclick="x">{t}</b>',
                views=[views.bars("<u>title</u> {s}", [("<em>part", "t")], "row")],
                picture=pictures.Picture("<svg xmlns='http://www.w3.org/2000/svg'/>", 'alt "quoted" <b> & more'),
                axes={"row": ("<s>axis", ["<q>one", "&two"])},
            )
        )
        text = still.html(explorer)
        read = Sheets(text)
        assert not {"b", "i", "u", "s", "q"} & set(read.tags) and read.tags.count("em") == 1
        assert "1 &lt; 2 &amp; &lt;b onclick" in text
        assert read.images[0]["alt"] == 'alt "quoted" <b> & more'
        [sheet] = read.tables
        assert sheet == {"caption": ["<u>title</u> 1"], "head": ["<s>axis", "<em>part"], "rows": [["<q>one", "1.00"], ["&two", "2.00"]]}


class TestWhatANotebookShows:
    @pytest.fixture
    def shown(self, monkeypatch):
        outputs = []
        monkeypatch.setattr(frame, "display", lambda output, **more: outputs.append((output, more)))
        return outputs

    def test_the_still_form_and_then_the_widget(self, named, shown):
        explorer = named[1]
        explorer._ipython_display_()
        (first, said), (second, _) = shown
        assert first.data == still.html(explorer) and said == {"metadata": {"hidden_state": "still"}}
        controls, canvas = second.children
        assert canvas is explorer.canvas and list(controls.children) == list(explorer.sliders.values())
        assert "hidden-state-explorer" in second._dom_classes and "hidden-state-controls" in controls._dom_classes
        assert ("hidden-state-many" in second._dom_classes) == (len(explorer.sliders) > frame.MANY)

    def test_the_widgets_text_is_the_sentence(self, named, shown):
        named[1]._ipython_display_()
        bundle = shown[1][0]._repr_mimebundle_()
        assert bundle["text/plain"] == f"Explorer: {named[1].sentence()}" == repr(named[1])
        assert "application/vnd.jupyter.widget-view+json" in bundle

    @pytest.mark.parametrize("name", NAMES)
    def test_it_is_the_same_in_two_runs(self, name, shown):
        for _ in range(2):
            getattr(explore, name)()._ipython_display_()
        (still_1, _), (live_1, _), (still_2, _), (live_2, _) = shown
        assert still_1.data == still_2.data
        assert live_1._repr_mimebundle_()["text/plain"] == live_2._repr_mimebundle_()["text/plain"]
        assert not re.search(r"0x[0-9a-f]+", live_1.text)

    @pytest.mark.parametrize("name", NAMES)
    def test_nothing_is_printed_and_the_worked_example_is_left_alone(self, name, capsys):
        before = [*example.weights().values(), example.sequence()]
        repr(getattr(explore, name)())
        assert capsys.readouterr() == ("", "")
        assert all(map(torch.equal, before, [*example.weights().values(), example.sequence()]))

    def test_a_notebook_without_gradients_sees_the_same(self, explorers):
        with torch.no_grad():
            reach = explore.memory().look("reach")
        assert reach == explorers["memory"].look("reach") and min(reach) > 0

    def test_every_explorer_has_a_title_of_its_own_and_a_docstring(self, explorers):
        assert len({explorer.scene.title for explorer in explorers.values()}) == len(NAMES)
        assert all(getattr(explore, name).__doc__ for name in NAMES)


def test_mixed_weights_show_a_forgotten_transpose():
    W_hh = cell_weights()["W_hh"][1]
    assert (W_hh - W_hh.T).abs().max() > 0.1
    b_ih, b_hh = (cell_weights()[name][1] for name in ("b_ih", "b_hh"))
    assert not torch.equal(b_ih, b_hh)
