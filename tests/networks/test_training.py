"""A training: its numbers are PyTorch's, the same every time; what it says follows from them; what it shows is complete."""

import math
import re
import statistics
import subprocess
import sys
from html.parser import HTMLParser

import nbformat
import pytest
import torch
from nbclient import NotebookClient
from nbformat import v4
from torch import nn
from torch.nn import functional as F

from course import tasks
from course.networks.training import STATES, Classifier, Epoch, compare, fit, observe
from course.networks.training_trace import PAGE, TrainingTrace

torch.set_num_threads(1)


def logits_by_hand(model, x):
    """What a Classifier should say, step by step with PyTorch's cell."""
    cell = nn.RNNCell(5, 4)
    cell.load_state_dict({name.removesuffix("_l0"): value for name, value in model.rnn.state_dict().items()})
    h = torch.zeros(x.shape[1], 4)
    for x_t in x if model.state != "no memory" else x[-1:]:
        h = {"carried": h, "detached": h.detach(), "reset": 0 * h.detach(), "no memory": h}[model.state]
        h = cell(x_t, h)
    return model.out(h)


def plain_epoch(model, batches, optimizer):
    """An epoch as everyone writes it."""
    loss_sum = right = count = 0
    for x, y in batches:
        optimizer.zero_grad()
        logits = model(x)
        loss = nn.CrossEntropyLoss()(logits, y)
        loss.backward()
        optimizer.step()
        loss_sum += loss.item() * len(y)
        right += (logits.argmax(1) == y).sum().item()
        count += len(y)
    return loss_sum / count, right / count


@pytest.fixture(scope="module")
def comparison():
    return compare()


@pytest.fixture(scope="module")
def trace(comparison):
    return comparison["carried"]


class TestTheTask:
    def test_shapes_and_batches(self):
        task = tasks.pointing(0)
        assert task.x.shape == (10, 300, 5) and task.x_test.shape == (10, 1000, 5)
        assert [x.shape for x, _ in task.batches()] == [(10, 10, 5)] * 30
        rows = torch.cat([x for x, _ in task.batches(2)], dim=1)
        assert torch.equal(rows[0, :, 0].sort().values, task.x[0, :, 0].sort().values)
        assert not torch.equal(rows, torch.cat([x for x, _ in task.batches(3)], dim=1))

    def test_the_direction_is_gone_at_the_last_step(self):
        task = tasks.pointing(1)
        for c in range(3):
            seen = task.x_test[:, task.y_test == c].mean(1)
            way = torch.tensor([math.cos(2 * math.pi / 3 * c), math.sin(2 * math.pi / 3 * c)])
            torch.testing.assert_close(seen[:-1, :2], way.expand(9, 2), rtol=0, atol=0.12)
            assert seen[-1, :2].abs().max() < 0.12 and seen[-1, 4] == 1 and not seen[:-1, 4].any()


class TestTheClassifier:
    @pytest.mark.parametrize("state", STATES)
    def test_logits_and_gradients_are_those_of_the_cell(self, state):
        model, x = Classifier(state, 3), torch.randn(6, 2, 5, generator=torch.Generator().manual_seed(1)).requires_grad_()
        logits = model(x)
        torch.testing.assert_close(logits, logits_by_hand(model, x))
        mine, hand = (torch.autograd.grad(each.sum(), x)[0] for each in (logits, logits_by_hand(model, x)))
        torch.testing.assert_close(mine, hand)
        assert mine[:-1].any() == (state == "carried")

    def test_detached_has_the_carried_values(self):
        x = torch.randn(6, 2, 5)
        torch.testing.assert_close(Classifier("detached")(x), Classifier()(x))

    def test_weights_come_from_the_seed_alone(self):
        torch.manual_seed(1)
        before = torch.get_rng_state()
        one = Classifier("reset", 4)
        assert torch.equal(torch.get_rng_state(), before)
        torch.manual_seed(2)
        other = Classifier("carried", 4)
        assert all(map(torch.equal, one.parameters(), other.parameters()))
        assert not torch.equal(one.out.weight, Classifier(seed=5).out.weight)
        widest = {"rnn.weight_ih_l0": math.sqrt(6 / 9), "out.weight": math.sqrt(6 / 7)}
        for name, weight in one.named_parameters():
            assert weight.abs().max() <= widest.get(name, 0.5) and weight.requires_grad

    @pytest.mark.parametrize("state", ["carry", None, 3])
    def test_another_state(self, state):
        with pytest.raises(ValueError, match="state is one of 'carried', 'detached', 'reset', 'no memory'; not"):
            Classifier(state)


class TestTheNumbers:
    @pytest.mark.parametrize("state", STATES)
    def test_are_those_of_a_plain_loop(self, comparison, state):
        task, model = tasks.pointing(0), Classifier(state, 0)
        optimizer = torch.optim.Adam(model.parameters(), lr=0.005)
        for number, epoch in enumerate(comparison[state].epochs):
            loss, accuracy = plain_epoch(model, task.batches(number), optimizer)
            with torch.no_grad():
                logits = logits_by_hand(model, task.x_test)
            assert (epoch.loss, epoch.accuracy) == (pytest.approx(loss, abs=1e-4), pytest.approx(accuracy, abs=1e-9))
            assert epoch.test_loss == pytest.approx(F.cross_entropy(logits, task.y_test).item(), abs=1e-4)
            assert epoch.test_accuracy == pytest.approx((logits.argmax(1) == task.y_test).float().mean().item(), abs=2e-3)

    def test_seed_0_ends_at_or_better_than_the_page(self, trace):
        assert trace.epochs[-1].loss <= 0.39 and trace.epochs[-1].accuracy >= 0.84
        assert "is at or better than the page's" in repr(trace.beside_page())

    def test_only_who_keeps_something_learns(self, comparison):
        ends = {state: comparison[state].epochs[-1] for state in STATES}
        assert ends["carried"].test_accuracy > ends["detached"].test_accuracy + 0.1 > 0.7
        assert all(ends[state].test_accuracy < 0.4 and ends[state].loss > 1.05 for state in ("reset", "no memory"))
        assert comparison["reset"].losses == comparison["no memory"].losses

    def test_seed_0_is_no_lucky_one(self):
        lasts = [compare(("carried", "detached", "reset"), seed=seed).traces.values() for seed in range(10)]
        carried, detached, reset = (statistics.median(trace.epochs[-1].test_accuracy for trace in way) for way in zip(*lasts))
        assert carried > 0.94 and 0.5 < detached < carried and reset < 0.38

    def test_are_the_same_every_time_whatever_the_session_does(self, trace):
        torch.manual_seed(99)
        before, threads = torch.get_rng_state(), torch.get_num_threads()
        torch.set_num_threads(2)
        try:
            with torch.no_grad():
                again = fit(show=False)
            assert torch.get_num_threads() == 2
        finally:
            torch.set_num_threads(threads)
        assert again.epochs == trace.epochs and torch.equal(again.states, trace.states)
        assert torch.equal(torch.get_rng_state(), before)
        assert fit(seed=1, epochs=1, show=False).epochs != trace.epochs[:1]

    def test_recorded_states_are_those_of_the_layer(self, trace):
        task = tasks.pointing(0)
        assert trace.states.shape == (6, 10, 60, 4) and trace.answers.shape == (6, 10, 60)
        for epoch, model in ((0, Classifier()), (5, trace.model)):
            with torch.no_grad():
                states = model.rnn(task.x_test[:, :60])[0]
                torch.testing.assert_close(trace.states[epoch], states)
                assert torch.equal(trace.answers[epoch], model.out(states).argmax(-1))
        assert not trace.states.requires_grad


class TestALearnersOwn:
    def test_is_called_with_model_batches_and_optimizer(self, trace):
        calls = []

        def train_epoch(model, batches, optimizer):
            calls.append((type(model), len(batches), type(optimizer)))
            return plain_epoch(model, batches, optimizer)

        own = fit(train_epoch, show=False)
        assert calls == [(Classifier, 30, torch.optim.Adam)] * 5
        assert [(f"{e.loss:.4f}", e.accuracy) for e in own.epochs] == [(f"{e.loss:.4f}", e.accuracy) for e in trace.epochs]

    def test_that_is_not_written_yet_is_replaced(self, trace):
        def train_epoch(model, batches, optimizer): ...

        own = fit(train_epoch, show=False)
        assert own.epochs == trace.epochs and own.stands_in and not trace.stands_in
        for shown in (own, own.beside_page(), compare(("carried",), 1, train_epoch=train_epoch)):
            assert "not written yet: this is the course's own training" in repr(shown).splitlines()[0]
            assert "not written yet: this is the course&#x27;s own training" in shown._repr_html_().split("</caption>")[0]
        assert "not written yet" not in repr(trace) + repr(trace.beside_page())

    def test_that_is_written_is_not_said_to_be_the_courses(self):
        assert "not written yet" not in repr(fit(plain_epoch, epochs=1, show=False))

    @pytest.mark.parametrize(
        "result, said",
        [
            (None, "it returned None (NoneType)"),
            (0.5, "it returned 0.5 (float)"),
            ((1.0,), "it returned (1.0,) (tuple)"),
            ({"loss": 1, "accuracy": 0}, "(dict)"),
            ("ab", "it returned 'ab' (str)"),
            ((torch.tensor(1.0), 0.5), "its loss is a tensor of shape (): take its .item()"),
            ((1.0, torch.zeros(3)), "its accuracy is a tensor of shape (3,)"),
            ((1.0, "0.5"), "its accuracy is '0.5' (str)"),
            ((1.0, True), "its accuracy is True (bool)"),
            ((float("nan"), 0.5), "returned the loss nan"),
            ((-1.0, 0.5), "returned the loss -1.0"),
            ((1.0, 43.0), "returned the accuracy 43.0"),
            ((1.0, float("nan")), "returned the accuracy nan"),
        ],
        ids=str,
    )
    def test_that_returns_rubbish(self, result, said, capsys):
        threads = torch.get_num_threads()
        with pytest.raises(ValueError, match="train_epoch") as refused:
            fit(lambda model, batches, optimizer: result)
        assert said in str(refused.value)
        assert torch.get_num_threads() == threads and capsys.readouterr().err == ""

    def test_that_raises_is_heard(self):
        def train_epoch(model, batches, optimizer):
            raise ZeroDivisionError("mine")

        with pytest.raises(ZeroDivisionError, match="mine"):
            fit(train_epoch)

    @pytest.mark.parametrize("epochs", [0, -1, 2.0, "5", None])
    def test_a_number_of_epochs_that_makes_no_sense(self, epochs):
        with pytest.raises(ValueError, match="epochs is a whole number from 1 on"):
            fit(epochs=epochs)
        with pytest.raises(ValueError, match="hidden_size is a whole number from 1 on"):
            fit(hidden_size=epochs)


class TestPlay:
    """Another seed, more epochs, another hidden size."""

    @pytest.mark.parametrize("state", STATES)
    def test_a_state_of_one_number(self, state):
        trace = fit(state=state, hidden_size=1, epochs=2, seed=3, show=False)
        task, model = tasks.pointing(3), Classifier(state, 3, hidden_size=1)
        optimizer = torch.optim.Adam(model.parameters(), lr=0.005)
        for number, epoch in enumerate(trace.epochs):
            assert (epoch.loss, epoch.accuracy) == (pytest.approx(plain_epoch(model, task.batches(number), optimizer)[0], abs=1e-4), epoch.accuracy)
        assert trace.states.shape == (3, 10, 60, 1) and trace.model.rnn.hidden_size == 1

    def test_a_comparison_says_what_was_changed(self):
        assert repr(compare(("reset",), epochs=1, seed=2, hidden_size=1)).splitlines()[0].endswith("in different ways: seed 2, hidden size 1")
        assert repr(compare(("reset",), epochs=1)).splitlines()[0].endswith("in different ways")

    def test_reset_fits_noise_and_nothing_else(self):
        for seed in range(3):
            last = fit(state="reset", seed=seed, epochs=20, show=False).epochs[-1]
            assert last.loss < math.log(3) < last.test_loss and 0.31 < last.test_accuracy < 0.36


def made_up(*losses, tests=None):
    return [Epoch(loss, 0.5, test, 0.5) for loss, test in zip(losses, tests or losses)]


class TestObservations:
    @pytest.mark.parametrize(
        "losses, seen",
        [
            ([], []),
            ([1.2], ["worse than guessing (ln 3 = 1.10)"]),
            ([1.105], ["no better than guessing"]),  # the table shows 1.10
            ([1.07], ["no better than guessing"]),
            ([0.9], ["better than guessing"]),
            ([1.2, 0.9, 0.7, 0.5, 0.4], ["worse than guessing (ln 3 = 1.10)", "falling fastest", "still falling", "still falling", "still falling"]),
            ([0.9, 0.5, 0.4, 0.39], ["better than guessing", "falling fastest", "still falling", "levelled off"]),
            ([0.9, 0.5, 0.47, 0.42], ["better than guessing", "falling fastest", "levelling off", "still falling"]),
            ([0.9, 0.5, 0.6], ["better than guessing", "falling fastest", "rising"]),
            ([1.1, 1.1, 1.09], ["no better than guessing"] * 3),
            ([1.0, 1.3], ["better than guessing", "worse than guessing (ln 3 = 1.10); rising"]),
        ],
    )
    def test_follow_from_the_losses(self, losses, seen):
        assert observe(made_up(*losses)) == seen

    def test_overfitting_is_a_rising_test_loss_under_a_falling_loss(self):
        seen = observe(made_up(0.9, 0.5, 0.3, 0.2, 0.3, tests=[0.9, 0.6, 0.7, 0.7, 0.9]))
        assert ["overfitting: the test loss rises" in words for words in seen] == [False, False, True, False, False]

    def test_every_epoch_of_every_way_gets_one(self, comparison):
        for state in STATES:
            seen = observe(comparison[state].epochs)
            assert len(seen) == 5 and all(seen)
        assert observe(comparison["reset"].epochs)[2:] == ["no better than guessing"] * 3


class TestWhatItShows:
    def test_table(self, trace):
        cells = Cells(trace._repr_html_()).rows
        assert cells[0] == ["Epoch", "Loss ↓", "Accuracy ↑", "Observation"]
        assert cells[1:] == [
            [str(i), f"{e.loss:.2f}", f"{e.accuracy:.2f}", words] for i, (e, words) in enumerate(zip(trace.epochs, observe(trace.epochs)), start=1)
        ]
        lines = repr(trace).splitlines()
        assert lines[1].split() == ["Epoch", "Loss", "↓", "Accuracy", "↑", "Observation"] and len(lines) == 8
        assert lines[2].startswith(f"1      {trace.epochs[0].loss:.2f}")

    def test_chart_has_one_line_an_epoch_with_numbers_before_stars(self, trace):
        lines = repr(trace.chart()).splitlines()
        assert len(lines) == 7 and lines[-1].startswith("Guessing: loss 1.10")
        for number, (line, e) in enumerate(zip(lines[1:-1], trace.epochs), start=1):
            i, loss, stars, accuracy, more = line.split()
            assert (i, loss, accuracy) == (str(number), f"{e.loss:.2f}", f"{e.accuracy:.2f}")
            assert (stars, more) == ("*" * round(16 * e.loss), "*" * round(16 * e.accuracy))
            assert len(line) <= 80

    def test_beside_the_page(self, trace):
        rows = Cells(trace.beside_page()._repr_html_()).rows[1:]
        for (_, page_loss, loss, page_accuracy, accuracy), page, epoch in zip(rows, PAGE, trace.epochs):
            assert (float(page_loss), float(page_accuracy)) == page
            assert (loss, accuracy) == (f"{epoch.loss:.2f}", f"{epoch.accuracy:.2f}")

    def test_beside_the_page_with_fewer_or_more_epochs_and_short_of_it(self):
        for epochs in (2, 7):
            trace = TrainingTrace("reset", epochs, None, None, None, made_up(*[1.1] * epochs))
            rows = Cells(trace.beside_page()._repr_html_()).rows[1:]
            assert len(rows) == max(5, epochs) and rows[-1].count("–") == 2
            assert "short of the page's" in repr(trace.beside_page())

    def test_pictures_say_their_numbers(self, comparison, trace):
        assert "[" + ", ".join(f"{loss:.2f}" for loss in trace.losses) + "]" in trace.picture().alt
        alt = comparison.picture().alt
        assert all(f"{state} {t.losses[-1]:.2f} and {t.accuracies[-1]:.2f}" in alt for state, t in comparison.traces.items())
        assert "reset and no memory are the same curve" in alt
        assert all(f"{state} {t.test_losses[-1]:.2f}" in alt.partition("On new sequences")[2] for state, t in comparison.traces.items())
        new = comparison.picture(new=True)
        assert new.svg != comparison.picture().svg and new.alt.startswith("On new sequences. ")
        assert all(f"{state} {t.test_losses[-1]:.2f} and {t.test_accuracies[-1]:.2f}" in new.alt for state, t in comparison.traces.items())

    def test_comparison_has_a_row_a_way(self, comparison):
        rows = Cells(comparison._repr_html_()).rows
        assert [row[0] for row in rows[1:]] == list(STATES)
        assert rows[0][-2:] == ["New sequences: loss ↓", "Accuracy ↑"]
        for way, losses, accuracies, new, tested in rows[1:]:
            found = comparison[way]
            assert losses.split() == [f"{loss:.2f}" for loss in found.losses]
            assert accuracies.split() == [f"{accuracy:.2f}" for accuracy in found.accuracies]
            assert new == f"{found.epochs[-1].test_loss:.2f}"
            assert tested == f"{found.epochs[-1].test_accuracy:.2f}"
        assert all(way in repr(comparison) for way in STATES)

    def test_in_a_terminal_it_prints_the_table_once(self):
        code = "from course import training; trace = training.fit(); assert trace.epochs; training.fit(show=False)"
        strict = ("-W", "error", "-W", "ignore::ResourceWarning")  # PyTorch 2.6 has one of its own
        done = subprocess.run([sys.executable, *strict, "-c", code], capture_output=True, text=True)
        assert done.returncode == 0 and done.stderr == ""
        assert done.stdout.count("Epoch  Loss ↓") == 1


@pytest.fixture(scope="module")
def notebook():
    """A notebook that trains, executed: its outputs, and all the messages that brought them."""
    nb = v4.new_notebook(cells=[v4.new_code_cell("from course import training"), v4.new_code_cell("trace = training.fit()")])
    nb.metadata.kernelspec = {"display_name": "Python 3", "language": "python", "name": "python3"}
    messages = []

    class Listening(NotebookClient):
        def process_message(self, msg, cell, cell_index):
            messages.append((cell_index, msg["msg_type"], msg["content"]))
            return super().process_message(msg, cell, cell_index)

    Listening(nb, timeout=120).execute()
    return nb, [(kind, content) for index, kind, content in messages if index == 1]


class TestTheLiveTable:
    def test_grows_epoch_by_epoch_with_a_bar(self, notebook):
        shown = [content["data"]["text/html"] for kind, content in notebook[1] if kind == "update_display_data"]
        grown = [(int(re.search(r'<progress[^>]* value="(\d)" max="5"', html)[1]), html.count("<tr>") - 1) for html in shown[:-1]]
        assert grown == [(i, i) for i in range(6)]
        assert all('aria-label="Training"' in html for html in shown[:-1])

    def test_leaves_a_complete_output_and_nothing_on_stderr(self, notebook, trace):
        first, last = notebook[0].cells[1].outputs
        assert {first.output_type, last.output_type} == {"display_data"}
        assert first.data["text/plain"] == "5 epochs of training, from the first weights on. The state: carried."
        assert last.data["text/html"] == trace._repr_html_() and last.data["text/plain"] == repr(trace)
        assert not first.metadata and not last.metadata

    def test_a_replay_that_hears_no_updates_sees_the_same(self, notebook):
        heard = [content["data"] for kind, content in notebook[1] if kind == "display_data"]
        assert heard == [output.data for output in notebook[0].cells[1].outputs]
        nbformat.validate(notebook[0])


class Cells(HTMLParser):
    """The rows of a table, head included."""

    def __init__(self, text):
        super().__init__()
        self.rows, self.inside = [], False
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        if tag == "tr":
            self.rows.append([])
        self.inside = tag in ("th", "td")
        if self.inside:
            assert tag == "td" or dict(attributes)["scope"] in ("col", "row")
            self.rows[-1].append("")

    def handle_data(self, text):
        if self.inside:
            self.rows[-1][-1] += text

    def handle_endtag(self, tag):
        self.inside = False
