"""The lessons say the same on another processor: every solution is replayed under other kernels of numbers, and compared with what is stored.

Two stand in for it. "another": PyTorch's plain C++ in place of this processor's vector instructions, oneDNN and MKL as
for an old one, two threads. "shaken": every sum comes out one digit higher or lower in its last place, on any machine.
"""

import json
import shutil
from pathlib import Path

import pytest
from nbformat import v4
from support import ROOT, sanitised

from course.build import execution, sources

pytestmark = pytest.mark.long
SOURCES = sorted((ROOT / "solutions").glob("*/*.md"))
ANOTHER = {
    "ATEN_CPU_CAPABILITY": "default",
    "ONEDNN_MAX_CPU_ISA": "SSE41",
    "DNNL_MAX_CPU_ISA": "SSE41",
    "MKL_CBWR": "COMPATIBLE",
    "OMP_NUM_THREADS": "2",
    "MKL_NUM_THREADS": "2",
}

ABOUT = """
import json, torch
from torch import nn
from course import training
torch.manual_seed(0)
x = torch.rand(7, 30, 5)
rnn, trace = nn.RNN(5, 4), training.fit(epochs=1, show=False)
numbers = [rnn(x)[0], x.flatten(1) @ x.flatten(1).T, x.exp(), x.tanh(), x.softmax(-1), x.sum(0), trace.states]
print(json.dumps({
    "capability": torch.backends.cpu.get_cpu_capability(),
    "numbers": [tensor.detach().flatten().tolist() for tensor in numbers],
}))
"""


def say(**environment):
    """What a notebook's kernel says of itself: run by the build, as the lessons are."""
    header = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}, "hidden_state": {"title": "About", "minutes": 1}}
    lesson = sources.Lesson(ROOT / "solutions" / "about.md", v4.new_notebook(cells=[v4.new_code_cell(ABOUT)], metadata=header))
    said = json.loads(execution.executed(lesson, ROOT, **environment))
    return json.loads("".join(said["cells"][0]["outputs"][0]["text"]))


@pytest.fixture(scope="module")
def plain():
    return say()


@pytest.fixture(scope="module")
def another():
    return ANOTHER


@pytest.fixture(scope="module")
def shaken(tmp_path_factory):
    """A kernel that runs shaken.py when it starts."""
    folder = tmp_path_factory.mktemp("ipython")
    startup = folder / "profile_default" / "startup"
    startup.mkdir(parents=True)
    shutil.copy(Path(__file__).parents[1] / "shaken.py", startup / "00_shaken.py")
    return {"IPYTHONDIR": str(folder)}


@pytest.fixture(params=["another", "shaken"])
def kernel(request):
    """(its name, its environment)"""
    return request.param, request.getfixturevalue(request.param)


def furthest(one, other):
    return max(abs(a - b) for these, those in zip(one["numbers"], other["numbers"], strict=True) for a, b in zip(these, those, strict=True))


def test_it_is_really_another_one(kernel, plain):
    """Its last digits are others, and no more than these."""
    name, environment = kernel
    found = say(**environment)
    if name == "another" and found["numbers"] == plain["numbers"]:
        pytest.skip(f"this processor, {plain['capability']}, has no other kernel of numbers: the shaken one must do")
    assert name == "shaken" or found["capability"] == "DEFAULT"
    assert 0 < furthest(found, plain) < 1e-4
    assert found == say(**environment)


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: f"{source.parent.name}-{source.stem}")
def test_a_lesson_says_what_is_stored(source, kernel):
    lesson = sources.Lesson(source, sources._parsed(source))
    executed = execution.executed(lesson, ROOT, **kernel[1])
    assert sanitised(executed) == sanitised(lesson.twin.read_text(encoding="utf-8"))
