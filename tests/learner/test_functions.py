"""A learner's own function in an explorer: found, kept, compared with PyTorch's, and never a reason to fail."""

import functools
import json
import sys
import textwrap
import types

import pytest
import torch
from answers.run_sequence import loop as whole
from torch import nn

from course import check, example, explore, pictures
from course.explore import still
from course.learner.functions import Beside, find, kept

torch.set_num_threads(1)

NAN = float("nan")


@pytest.fixture(autouse=True)
def undrawn(monkeypatch):
    """No still pictures: they do not depend on the learner's function, and drawing takes long."""
    for name in ("cell", "output", "probabilities", "reach", "sequence", "states", "tensor_block"):
        monkeypatch.setattr(pictures, name, lambda *_args, **_more: pictures.Picture("<svg/>", "not drawn"))


@pytest.fixture
def progress_file(tmp_path, monkeypatch):
    file = tmp_path / "progress.json"
    monkeypatch.setenv("HIDDEN_STATE_PROGRESS", str(file))
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    return file


@pytest.fixture
def notebook(monkeypatch):
    """A notebook: write(source) runs a cell in it."""
    module = types.ModuleType("__main__")
    module.write = lambda source: exec(textwrap.dedent(source), vars(module))
    monkeypatch.setitem(sys.modules, "__main__", module)
    return module


def keep(file, **sources):
    file.write_text(json.dumps({"exercises": sources, "answers": {}}))


def to_probs(logits):
    return torch.softmax(logits, dim=-1)


class TestWhichFunctionIsFound:
    KEPT = "def to_probs(logits):\n    return 'kept'\n"

    def test_the_given_one_first(self, notebook, progress_file):
        keep(progress_file, to_probs=self.KEPT)
        notebook.write("def to_probs(logits): return 'the notebook'")
        assert find("to_probs", lambda logits: "given")(0) == "given"

    def test_else_the_notebooks(self, notebook, progress_file):
        keep(progress_file, to_probs=self.KEPT)
        notebook.write("def to_probs(logits): return 'the notebook'")
        assert find("to_probs")(0) == "the notebook"

    @pytest.mark.parametrize(
        "stub",
        [
            "def to_probs(logits): pass",
            "def to_probs(logits): ...",
            'def to_probs(logits):\n    """Softmax."""',
            "to_probs = None",
            "to_probs = ...",
            "to_probs = 'text'",
            "",
            "def to_probs(logits): return None",
        ],
    )
    def test_else_the_kept_one(self, notebook, progress_file, stub):
        keep(progress_file, to_probs=self.KEPT)
        notebook.write(stub)
        assert find("to_probs")(0) == "kept"

    def test_else_none(self, notebook, progress_file):
        notebook.write("def to_probs(logits): pass")
        assert find("to_probs") is None
        assert not progress_file.exists()

    def test_a_passed_check_is_found_in_the_next_notebook(self, notebook, progress_file):
        check("to_probs", to_probs)
        assert torch.equal(find("to_probs")(torch.zeros(2)), torch.tensor([0.5, 0.5]))

    @pytest.mark.parametrize("source", ["", "def to_probs(", "    def to_probs(logits): return 1", "1 / 0", "import no_such_module", None])
    def test_a_kept_source_that_does_not_run_counts_for_nothing(self, notebook, progress_file, source):
        keep(progress_file, to_probs=source)
        assert find("to_probs") is None

    def test_a_kept_function_knows_torch_nn_and_f(self, progress_file):
        keep(progress_file, to_probs="def to_probs(logits):\n    return F.softmax(nn.Identity()(torch.as_tensor(logits)), -1)\n")
        assert kept("to_probs")([0.0, 0.0]).tolist() == [0.5, 0.5]

    def test_a_callable_that_is_no_function_is_taken_as_it_is(self, notebook):
        layer = nn.Softmax(-1)
        assert find("to_probs", layer) is layer


class TestAFoundFunctionKeepsWorking:
    @pytest.mark.parametrize(
        "source",
        [
            "import torch as t\ndef f(x): return t.tensor(x).item() + 1",
            "ONE = 1\ndef f(x): return x + ONE",
            "def plus(x): return x + ONE\nONE = 1\ndef f(x): return plus(x)",
            "import math\ndef inner(x): return math.floor(x)\ndef outer(x): return inner(x)\ndef f(x): return outer(x) + 1",
            "def f(x): return 1 if x == 0 else f(x - 1) + 1",
            "def f(x): return 1 if x == 0 else g(x - 1) + 1\ndef g(x): return 1 if x == 0 else f(x - 1) + 1",
            "def f(x, one=1): return x + one",
            "def f(x, *, one=1): return x + one",
            "def plus(x, *, one=1): return x + one\ndef f(x): return plus(x)",
            "def make(one):\n    def f(x): return x + one\n    return f\nf = make(1)",
            "f = lambda x: x + 1",
            "def f(x): return sum(x + i for i in range(2)) - x",
            "import functools\ndef plus(x, one): return x + one\nf = functools.partial(plus, one=1)",
            "class Plus:\n    def __call__(self, x): return x + 1\nf = Plus()",
        ],
    )
    def test_when_the_notebooks_names_are_deleted_or_overwritten(self, notebook, source):
        for spoil in (lambda names: names.clear(), lambda names: names.update(dict.fromkeys(names))):
            notebook.write(source)
            found = find("f")
            assert found(4) == 5
            write, notebook.write = notebook.write, None
            spoil(vars(notebook))
            assert found(4) == 5
            vars(notebook).clear()
            notebook.write = write

    def test_and_the_notebooks_own_is_not_changed(self, notebook):
        notebook.write("calls = []\ndef f(x): calls.append(x); return x")
        mine = notebook.f
        find("f")(7)
        assert notebook.f is mine and mine.__globals__ is vars(notebook) and notebook.calls == [7]


def double(x):
    return 2 * x


def spoiler(x):
    x.zero_()
    return x


def talker(x):
    print("debug", x)
    return 2 * x


def raiser(x):
    raise KeyError("W_hh")


def two(x):
    return 2 * x, 3 * x


class Doubler(nn.Module):
    def forward(self, x):
        return 2 * x


X = torch.arange(6.0).reshape(2, 3)
SAME = "The numbers are yours, from f. PyTorch's are the same."


class TestBeside:
    def test_without_a_function_of_yours(self):
        beside = Beside("f", None, double)
        assert torch.equal(beside(X), 2 * X)
        assert not beside.is_own and not beside.disagrees
        assert beside.note() == "The numbers are PyTorch's. Write f, run this cell again, and they are yours."

    @pytest.mark.parametrize(
        "own",
        [
            double,
            talker,
            Doubler(),
            functools.partial(torch.mul, other=2),
            lambda x: (2 * x).double(),
            lambda x: (2 * x).requires_grad_(),
            lambda x: nn.Parameter(2 * x),
            torch.no_grad()(double),
            torch.inference_mode()(double),
            lambda x: (2 * x).T.contiguous().T,
            lambda x: x.mul_(2),
        ],
    )
    def test_a_right_function(self, own, capsys):
        beside = Beside("f", own, double)
        value = beside(X)
        assert value.dtype == torch.float32 and torch.equal(value.detach(), 2 * X)
        assert beside.is_own and not beside.disagrees and beside.note() == SAME
        assert capsys.readouterr() == ("", "")

    def test_a_wrong_one_gives_its_own_numbers_and_the_largest_gap(self):
        beside = Beside("f", lambda x: 2 * x + 0.25 * (x == 3), double)
        beside(torch.zeros(2))
        assert not beside.disagrees
        assert torch.equal(beside(X), torch.tensor([[0, 2, 4], [6.25, 8, 10]]))
        beside(torch.zeros(2))
        assert beside.disagrees
        assert beside.note() == "The numbers are yours, from f. PyTorch's are different: by up to 0.25."

    @pytest.mark.parametrize("bad", [NAN, float("inf"), -float("inf")])
    def test_nan_and_infinity_disagree_and_go_on_doing_so(self, bad):
        beside = Beside("f", lambda x: 2 * x if len(x) == 1 else x * 0 + bad, double)
        beside(X)
        beside(X[:1])
        assert beside.disagrees and beside.gap == float("inf")
        assert beside.note().startswith("The numbers are yours, from f. PyTorch's are different")

    def test_differences_of_rounding_agree(self):
        assert not (beside := Beside("f", lambda x: 2 * x + 5e-6, double))(X).isnan().any() and not beside.disagrees

    @pytest.mark.parametrize(
        "own, trouble",
        [
            (raiser, "raises KeyError: 'W_hh'"),
            (lambda x, h: x, "raises TypeError"),
            (lambda x: None, "returns NoneType where 1 tensor should be"),
            (lambda x: ..., "returns ellipsis where 1 tensor should be"),
            (lambda x: "2 * x", "returns str where 1 tensor should be"),
            (lambda x: (2 * x).tolist(), "returns list where 1 tensor should be"),
            (lambda x: (2 * x).numpy(), "returns ndarray where 1 tensor should be"),
            (lambda x: (row for row in x), "returns generator where 1 tensor should be"),
            (lambda x: (2 * x,), "returns tuple where 1 tensor should be"),
            (lambda x: [2 * x], "returns list where 1 tensor should be"),
            (two, "returns tuple where 1 tensor should be"),
            (lambda x: {"x": x}, "returns dict where 1 tensor should be"),
            (lambda x: 2 * x[0], "returns the shape (3,) where (2, 3) should be"),
            (lambda x: 2 * x.T, "returns the shape (3, 2) where (2, 3) should be"),
            (lambda x: (2 * x).sum(), "returns the shape () where (2, 3) should be"),
            (lambda x: torch.zeros(1).expand(10**12), "returns the shape (1000000000000,) where (2, 3) should be"),
            (lambda x: x > 0, "returns torch.bool where torch.float32 should be"),
            (lambda x: (2 * x).long(), "returns torch.int64 where torch.float32 should be"),
            (lambda x: 2 * x + 1j, "returns torch.complex64 where torch.float32 should be"),
            (lambda x: (2 * x).to("meta"), "returns the device meta where cpu should be"),
            (lambda x: (2 * x).to_sparse(), "returns the layout torch.sparse_coo where torch.strided should be"),
            (lambda x: loop(x), "raises RecursionError"),
        ],
    )
    def test_one_that_cannot_be_used_leaves_pytorchs_numbers_and_says_why(self, own, trouble, recwarn):
        beside = Beside("f", own, double)
        for _ in range(2):
            assert torch.equal(beside(X), 2 * X)
        assert not beside.is_own and not beside.disagrees
        assert beside.note().startswith(f"The numbers are PyTorch's: your f {trouble}") and beside.note().endswith(".")
        assert not recwarn.list

    @pytest.mark.parametrize(
        "own, trouble",
        [
            (lambda x: 2 * x, "returns Tensor where 2 tensors should be"),
            (lambda x: (2 * x,), "returns tuple where 2 tensors should be"),
            (lambda x: (2 * x, None), "returns tuple where 2 tensors should be"),
            (lambda x: (list(x), x), "returns tuple where 2 tensors should be"),
            (lambda x: (2 * x, 3 * x, x), "returns tuple where 2 tensors should be"),
            (lambda x: (2 * x, 3 * x[0]), "returns the shape (3,) where (2, 3) should be"),
            (lambda x: torch.stack([2 * x, 3 * x]), "returns Tensor where 2 tensors should be"),
        ],
    )
    def test_so_does_one_with_another_number_of_results(self, own, trouble):
        beside = Beside("f", own, two)
        assert all(map(torch.equal, beside(X), two(X)))
        assert trouble in beside.note()

    def test_two_results_may_come_in_a_list(self):
        beside = Beside("f", lambda x: [2 * x, 3 * x + 1], two)
        first, second = beside(X)
        assert torch.equal(first, 2 * X) and torch.equal(second, 3 * X + 1) and beside.gap == 1

    @pytest.mark.parametrize("own", [spoiler, lambda x: x.fill_(NAN), lambda x: x.resize_(0), lambda x: x.requires_grad_()])
    def test_what_we_hand_over_is_left_as_it_was(self, own):
        x = X.clone()
        assert torch.equal(Beside("f", own, double).reference(x), 2 * X)
        Beside("f", own, double)(x)
        assert torch.equal(x, X) and not x.requires_grad

    def test_lists_are_left_as_they_were_too(self):
        seqs = [[1.0, 2.0], [3.0, 4.0]]
        Beside("f", lambda seqs: [seqs[0].clear(), seqs.pop()], torch.tensor)(seqs)
        assert seqs == [[1.0, 2.0], [3.0, 4.0]]

    def test_a_result_that_the_function_writes_to_again_stays_as_it_was(self):
        buffer = torch.zeros(2, 3)
        beside = Beside("f", lambda x: torch.mul(x, 2, out=buffer), double)
        first = beside(X)
        beside(X + 1)
        assert torch.equal(first, 2 * X)

    def test_a_gradient_flows_through(self):
        x = X.clone().requires_grad_()
        Beside("f", double, double)(x).sum().backward()
        assert torch.equal(x.grad, torch.full_like(X, 2))

    @pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit])
    def test_the_stop_button_stops(self, stop):
        def own(x):
            raise stop

        with pytest.raises(stop):
            Beside("f", own, double)(X)

    def test_no_numbers_at_all_agree(self):
        assert Beside("f", double, double)(torch.zeros(0, 3)).shape == (0, 3)

    def test_all_numbers_come_from_one_hand(self):
        beside = Beside("f", lambda x: 5 * x if len(x) == 2 else raiser(x), double)
        made = beside.consistently(lambda: [beside(X), beside(X[:1]), beside(X)])
        assert all(torch.equal(part, 2 * x) for part, x in zip(made, (X, X[:1], X)))
        assert "raises KeyError" in beside.note()

    def test_what_is_made_of_the_results_is_compared_as_well(self):
        beside = Beside("f", lambda x: double(x).detach(), double)

        def slope(function):
            x = X.clone().requires_grad_()
            y = function(x).sum()
            return torch.autograd.grad(y, x)[0] if y.requires_grad else torch.zeros_like(x)

        assert torch.equal(beside.follow(slope), torch.zeros_like(X))
        assert beside.disagrees and beside.gap == 2


def loop(x):
    return loop(x)


def forgets(x, h0, cell):
    outputs = torch.stack([cell(x_t, h0) for x_t in x])
    return outputs, outputs[-1]


def detaches(x, h0, cell):
    return whole(x, h0, lambda x_t, h: cell(x_t, h.detach()))


def returns(change):
    return lambda x, h0, cell: change(*whole(x, h0, cell))


def ten_steps(x, h0, cell):
    outputs, _ = whole(torch.stack([x[t] for t in range(10)]), h0, cell)
    return 2 * outputs, outputs[-1]


def overwrites(x, h0, cell):
    h, outputs = h0, []
    for x_t in x:
        h = cell(x_t, h)
        outputs.append(h)
        h *= 0.9
    return torch.stack(outputs), h


def step_no_transpose(x, h, W_ih, W_hh, b_ih, b_hh):
    return torch.tanh(x @ W_ih.T + b_ih + h @ W_hh + b_hh)


def naive(logits):
    return logits.exp() / logits.exp().sum(-1, keepdim=True)


def looked_at(explorer):
    """The note of an explorer, after its sentence, its still form and its browser tables were asked for at both ends and at the start."""
    start = explorer.at()
    for at in (dict.fromkeys(start, 0), {c.name: len(c.values) - 1 for c in explorer.scene.controls}, start):
        for control in explorer.scene.controls:
            setattr(explorer.sliders[control.name], control.trait, control.values[at[control.name]])
        assert explorer.sentence() and still.html(explorer).endswith("</div>")
        explorer.canvas._handle_custom_msg({"wanted": list(explorer.at().values())}, [])
    return explorer.canvas.tables["note"]


YOURS = "The numbers are yours, from {}. PyTorch's are different:"
PYTORCHS = "The numbers are PyTorch's: your {} "


class TestWrongFunctionsInExplorers:
    def test_a_forgotten_transpose_in_rnn_step(self):
        explorer = explore.cell_step(step_no_transpose)
        assert looked_at(explorer).startswith(YOURS.format("rnn_step"))
        for i in range(4):
            explorer.sliders[f"h{i}"].value = 0.1 * i
        explorer.sliders["weights"].index = 1
        yours, pytorchs = explorer.look("new"), explorer.look("pytorchs")
        assert max(abs(a - b) for a, b in zip(yours, pytorchs)) > 0.01
        assert "PyTorch&#x27;s" in still.html(explorer)

    def test_a_reshape_in_to_input(self):
        explorer = explore.input_sequence(lambda seqs: torch.tensor(seqs).reshape(10, 3, 5))
        assert looked_at(explorer).startswith(YOURS.format("to_input"))
        explorer.sliders["step"].value, explorer.sliders["sequence"].value = 1, 1
        assert explorer.look("x") == pytest.approx(example.rows()[1][0])

    def test_softmax_over_the_batch(self):
        explorer = explore.softmax(lambda logits: torch.softmax(logits, 0))
        assert looked_at(explorer).startswith(YOURS.format("to_probs"))
        assert sum(explorer.look("probs")) == pytest.approx(explorer.look("sum")) != pytest.approx(1)
        assert sum(explorer.look("pytorchs")) == pytest.approx(1)

    def test_a_naive_softmax_overflows_a_thousand_higher(self):
        explorer = explore.softmax(naive)
        assert explorer.sentence() == "Softmax of [1.20, 0.80, 0.50] is [0.461, 0.309, 0.229]. The sum is 1.000; clover wins."
        explorer.sliders["shift"].index = 1
        assert explorer.sentence().startswith("Softmax of [1001.20, 1000.80, 1000.50] is [nan, nan, nan]. The sum is nan;")
        assert "<td>nan</td>" in still.html(explorer)
        assert looked_at(explorer).startswith(YOURS.format("to_probs"))

    def test_a_bias_along_the_batch(self):
        explorer = explore.output_layer(lambda h, W, b: h @ W.T + b[: len(h), None])
        assert looked_at(explorer).startswith(PYTORCHS.format("output_layer") + "raises RuntimeError")
        assert explorer.sentence() == explore.output_layer(torch.nn.functional.linear).sentence()

    def test_a_forgotten_bias(self):
        explorer = explore.output_layer(lambda h, W, b: h @ W.T)
        assert explorer.look("logits") == pytest.approx([0.9, 0.4, 0.5]) and explorer.look("pytorchs") == pytest.approx([1.2, 0.8, 0.5])
        assert looked_at(explorer).startswith(YOURS.format("output_layer"))

    def test_a_run_that_forgets_to_carry(self):
        explorer = explore.carry(forgets)
        assert looked_at(explorer).startswith(YOURS.format("run_sequence"))
        alone = torch.stack([example.rnn()(x_t[None])[1][0, 0] for x_t in example.sequence()])
        torch.testing.assert_close(torch.tensor(explorer.look("carried", ["step", "unit"])), alone.detach(), rtol=0, atol=1e-6)
        memory = explore.memory(forgets)
        assert memory.look("survived") == 1 and looked_at(memory).startswith(YOURS.format("run_sequence"))

    def test_a_run_that_detaches_every_step_shows_where_the_gradient_ends(self):
        assert looked_at(explore.carry(detaches)).endswith("PyTorch's are the same.")
        explorer = explore.memory(detaches)
        assert explorer.look("difference") == pytest.approx(explore.memory().look("difference"), abs=1e-6)
        assert not any(explorer.look("reach")[:-1]) and explorer.look("reach")[-1] > 1
        assert looked_at(explorer).startswith(YOURS.format("run_sequence"))

    def test_a_run_that_cannot_be_differentiated(self):
        assert looked_at(explore.carry(overwrites)).startswith(YOURS.format("run_sequence"))
        explorer = explore.memory(overwrites)
        assert looked_at(explorer).startswith(PYTORCHS.format("run_sequence") + "raises RuntimeError: one of the variables needed for gradient")
        assert explorer.look("difference") == explore.memory().look("difference")

    @pytest.mark.parametrize("make", [explore.carry, explore.memory])
    def test_a_run_that_knows_only_ten_steps_gives_no_half_of_the_numbers(self, make):
        explorer, pytorchs = make(ten_steps), make()
        assert looked_at(explorer).startswith(PYTORCHS.format("run_sequence") + "raises IndexError")
        for name, packed in pytorchs.canvas.tables["tables"].items():
            assert explorer.canvas.tables["tables"][name]["data"] == packed["data"], name

    def test_your_cell_in_your_run(self):
        notes = {
            step: looked_at(explore.carry(whole, step)) for step in (torch.rnn_tanh_cell, lambda x, h, *weights: 0.5 * torch.rnn_tanh_cell(x, h, *weights))
        }
        right, wrong = notes.values()
        assert right.endswith("PyTorch's are the same.") and wrong.startswith(YOURS.format("run_sequence"))

    def test_a_cell_that_changes_its_weights_does_not_change_ours(self):
        def spoils(x, h, W_ih, W_hh, b_ih, b_hh):
            h = torch.rnn_tanh_cell(x, h, W_ih, W_hh, b_ih, b_hh)
            W_hh.zero_()
            b_ih.fill_(1)
            return h

        explorer = explore.carry(whole, spoils)
        explorer.sliders["step"].value = 1
        for table in ("carried", "cut"):
            assert explorer.look(table) == pytest.approx([0.05, 0.10, 0.15, 0.20], abs=1e-5)
        assert looked_at(explore.cell_step(spoils)).endswith("PyTorch's are the same.")

    def test_swapped_sizes_in_init_hidden(self):
        explorer = explore.zero_state(lambda num_layers, batch, hidden, like: like.new_zeros(num_layers, hidden, batch))
        assert looked_at(explorer).startswith(PYTORCHS.format("init_hidden") + "returns the shape")
        assert explorer.look("state") == [2, 3, 4]

    def test_a_state_that_is_not_zero(self):
        explorer = explore.zero_state(lambda num_layers, batch, hidden, like: like.new_ones(num_layers, batch, hidden))
        assert looked_at(explorer) == YOURS.format("init_hidden") + " by up to 1."

    @pytest.mark.parametrize(
        "change",
        [
            lambda outputs, h: (NAN * outputs, NAN * h),
            lambda outputs, h: (outputs / 0, h / 0),
            lambda outputs, h: [outputs, h],
            lambda outputs, h: (outputs.double(), h.double()),
            lambda outputs, h: (outputs.half(), h.half()),
            lambda outputs, h: (outputs.long(), h.long()),
            lambda outputs, h: (outputs > 0, h > 0),
            lambda outputs, h: (outputs + 1j, h + 1j),
            lambda outputs, h: (outputs.to("meta"), h.to("meta")),
            lambda outputs, h: outputs,
            lambda outputs, h: (list(outputs), h),
            lambda outputs, h: (outputs, h[None]),
            lambda outputs, h: "outputs",
            lambda outputs, h: (step for step in outputs),
            lambda outputs, h: None,
            lambda outputs, h: (nn.Parameter(outputs.detach()), h),
        ],
    )
    def test_whatever_a_run_returns(self, change):
        for make in (explore.carry, explore.memory):
            assert looked_at(make(returns(change))).startswith(("The numbers are yours, from run_sequence.", PYTORCHS.format("run_sequence")))


ROW = {  # explorer: (the learner's function's name, a right one, of which a wrong one is made)
    "cell_step": ("rnn_step", torch.rnn_tanh_cell),
    "input_sequence": ("to_input", lambda seqs: torch.tensor(seqs).transpose(0, 1)),
    "output_layer": ("output_layer", torch.nn.functional.linear),
    "softmax": ("to_probs", to_probs),
    "zero_state": ("init_hidden", lambda num_layers, batch, hidden, like: like.new_zeros(num_layers, batch, hidden)),
}


@pytest.mark.parametrize("name", ROW)
class TestEveryExplorerWithOneFunction:
    def made(self, name, change):
        right = ROW[name][1]
        return getattr(explore, name)(lambda *args: change(right(*args)))

    def test_a_right_one(self, name):
        explorer = self.made(name, lambda value: value)
        assert looked_at(explorer) == f"The numbers are yours, from {ROW[name][0]}. PyTorch's are the same."

    @pytest.mark.parametrize(
        "change",
        [
            lambda value: value * NAN,
            lambda value: value + float("inf"),
            lambda value: value - float("inf"),
            lambda value: value + 1e30,
            lambda value: value + 1,
        ],
    )
    def test_wrong_numbers_are_shown_as_they_are(self, name, change):
        explorer = self.made(name, change)
        assert looked_at(explorer).startswith(YOURS.format(ROW[name][0]))

    @pytest.mark.parametrize(
        "change",
        [
            lambda value: value.double(),
            lambda value: value.clone().requires_grad_(),
            lambda value: nn.Parameter(value),
            lambda value: value.clone().as_subclass(nn.Buffer),
        ],
    )
    def test_other_right_tensors_agree(self, name, change):
        assert looked_at(self.made(name, change)).endswith("PyTorch's are the same.")

    @pytest.mark.parametrize(
        "change",
        [
            lambda value: (value,),
            lambda value: [value],
            lambda value: value[None],
            lambda value: value.sum(),
            lambda value: value.tolist(),
            lambda value: None,
            lambda value: "text",
            lambda value: iter(value),
            lambda value: value + 1j,
            lambda value: value.long(),
            lambda value: value > 0,
            lambda value: value.to("meta"),
            lambda value: value.to_sparse(),
            lambda value: 1 / 0,
            lambda value: value.numpy(),
        ],
    )
    def test_what_does_not_fit_leaves_pytorchs_numbers(self, name, change):
        explorer = self.made(name, change)
        assert looked_at(explorer).startswith(PYTORCHS.format(ROW[name][0]))
        pytorchs = getattr(explore, name)()
        assert looked_at(pytorchs) and explorer.sentence() == pytorchs.sentence()
