"""The discussions: every way they show is right, they keep to their length, and none of them reaches a student in the clear."""

import json
import re
import shutil

import pytest
import torch
import yaml
from support import ROOT, copy_course, run
from torch import nn

from course import exercises
from course.checks.examine import PUBLIC_SEED, examine
from course.learner.sealed import open_text

TEXTS = {
    name: text for file in ROOT.glob("solutions/*/discuss.yml") for name, text in yaml.safe_load(file.read_text(encoding="utf-8")).items() if name != "open"
}
BLOCKS = [
    pytest.param(name, block, id=f"{name}-{i}") for name, text in TEXTS.items() for i, block in enumerate(re.findall(r"```python\n(.*?)```", text, re.DOTALL))
]
PARTS = ("What it costs.", "What PyTorch does.", "The next question.")


@pytest.mark.parametrize("name, block", BLOCKS)
@pytest.mark.parametrize("seed", [PUBLIC_SEED, 11])
def test_every_way_that_is_shown_passes(name, block, seed):
    written = {"torch": torch, "nn": nn}
    exec(block, written)
    verdict = examine(exercises.find(name), written[next(each for each in written if each.lower() in (name, "predictor"))], seed)
    assert verdict.passed, verdict.finding


@pytest.mark.parametrize("name", exercises.names())
def test_every_exercise_has_its_discussion(name):
    assert all(f"**{part}**" in TEXTS[name] for part in PARTS)
    prose = re.sub(r"```.*?```", "", TEXTS[name], flags=re.DOTALL)
    assert 60 <= len(prose.split()) <= 160


def test_what_is_sealed_is_what_was_written():
    sealed = json.loads((ROOT / "course" / "learner" / "discussions.json").read_text(encoding="utf-8"))
    assert {name: open_text(name, text) for name, text in sealed.items()} == TEXTS


def test_no_discussion_is_in_the_bundle_in_the_clear(tmp_path):
    root = copy_course(tmp_path / "course")
    made = run("course.build", "bundle", "pipeline", cwd=root)
    assert made.returncode == 0, made.stderr
    (bundle,) = (root / "dist").glob("*.zip")
    shutil.unpack_archive(bundle, tmp_path / "zip")
    everything = "".join(file.read_text(encoding="utf-8", errors="ignore") for file in (tmp_path / "zip").rglob("*") if file.is_file())
    sentences = [sentence for text in TEXTS.values() for sentence in re.findall(r"[A-Z][^.\n]{40,}\.", text)]
    assert len(sentences) > 50 and not [sentence for sentence in sentences if sentence in everything]


def test_switched_off_nothing_of_them_is_left(tmp_path):
    root = copy_course(tmp_path / "course")
    file = root / "solutions" / "pipeline" / "discuss.yml"
    file.write_text(file.read_text(encoding="utf-8").replace("open: true", "open: false"), encoding="utf-8")
    done = run("course.build", "check", cwd=root)
    assert "discussions.json does not fit its source" in done.stdout
    code = "from pathlib import Path; from course.build.sources import read_lessons; from course.build.registers import registers; r = Path.cwd(); [file.write_text(text) for file, text in registers(r, read_lessons(r)).items()]"
    assert run("timeit", "-n", "1", "-r", "1", code, cwd=root).returncode == 0
    sealed = json.loads((root / "course" / "learner" / "discussions.json").read_text(encoding="utf-8"))
    assert sealed["rnn_step"] == "" and sealed["train_epoch"] != ""


@pytest.mark.parametrize("change, said", [(("rnn_step: |", "rnn_stap: |"), "rnn_stap"), (("rnn_step: |", "# nothing\n\nrnn_stop: |"), "rnn_stop")])
def test_a_discussion_without_its_exercise_stops_the_build(tmp_path, change, said):
    root = copy_course(tmp_path / "course")
    file = root / "solutions" / "pipeline" / "discuss.yml"
    file.write_text(file.read_text(encoding="utf-8").replace(*change), encoding="utf-8")
    done = run("course.build", "check", cwd=root)
    assert done.returncode == 1 and said in done.stderr and "discuss.yml" in done.stderr
