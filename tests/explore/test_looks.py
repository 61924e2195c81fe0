"""What a lesson's `look(…)` takes for right is what its explorer shows: each answer is found again with the sliders."""

import functools

import pytest
import torch
import yaml
from support import ROOT

from course import explore, tasks, training

MIXED = 1
RIGHT = {
    (lesson, place): question["answer"]
    for file in ROOT.glob("solutions/*/quiz.yml")
    for lesson, asked in yaml.safe_load(file.read_text(encoding="utf-8")).items()
    for place, question in asked.items()
    if str(place).startswith("look")
}


def values(explorer, name):
    return next(control.values for control in explorer.scene.controls if control.name == name)


def at(explorer, **positions):
    """Move sliders to these values and return the explorer."""
    for name, value in positions.items():
        explorer.sliders[name].value = value
    return explorer


def switched(explorer, name, position):
    slider = explorer.sliders[name]
    option = slider.options[position]
    slider.value = option[1] if isinstance(option, tuple) else option
    return explorer


def input_sequence():
    explorer = explore.input_sequence()
    tables, _ = explorer.here()
    (name,) = [name for name, table in tables.items() if set(table.axes) == {"step", "sequence", "feature"}][:1]
    table = tables[name]
    numbers = torch.as_tensor(table.values).movedim([table.axes.index(axis) for axis in ("sequence", "step", "feature")], (0, 1, 2))
    wanted = -numbers[2, 6, 4]
    (step,) = torch.isclose(numbers[1, :, 4], wanted).nonzero().flatten().tolist()
    return step + 1


def zero_state():
    explorer = at(explore.zero_state(), directions=2, batch=2, hidden=8, steps=9)
    return [layers for layers in values(explorer, "layers") if "(6, 2, 8)" in at(explorer, layers=layers).sentence()]


def growth_of_unit_3():
    explorer = explore.cell_step()
    low, high = (at(explorer, h3=h).look("new")[3] for h in (0, 1))
    return round(high - low, 2)


def moved_most_by_h3():
    explorer = switched(explore.cell_step(), "weights", MIXED)
    at(explorer, **{name: 1 for name in explorer.sliders if name != "weights"})
    moved = torch.tensor(explorer.look("new")) - torch.tensor(at(explorer, h3=-1).look("new"))
    return moved.abs().argmax().item()


def states_that_notice():
    return int(at(explore.memory(), scale=0.5, poked=2).look("survived"))


def sliders_that_make_win(wanted, mixed):
    """The sliders that, moved alone, give this class the largest logit."""
    start = {f"h{i}": h for i, h in enumerate((0.5, -0.5, 0.5, -0.5) if mixed else (0.3, 0.4, 0.5, 0.6))}
    found = set()
    for unit in range(4):
        explorer = explore.output_layer()
        if mixed:
            switched(explorer, "weights", MIXED)
        at(explorer, **start)
        for h in values(explorer, f"h{unit}"):
            logits = at(explorer, **{f"h{unit}": h}).look("logits")
            if logits[wanted] > max(logits[c] for c in range(3) if c != wanted) + 1e-6:
                found.add(unit)
    return found


def clover_at_temperature_1():
    explorer = explore.softmax()
    before = at(explorer, temperature=0.5, z0=2, z1=-1, z2=0.5).look("probs")
    at(explorer, temperature=1, z1=-3, z2=0)
    return [round(z, 1) for z in values(explorer, "z0") if torch.allclose(torch.tensor(at(explorer, z0=z).look("probs")), torch.tensor(before), atol=1e-4)]


@functools.cache
def trained():
    return training.fit(show=False)


def right_at_step_10():
    return int(at(explore.epochs(trained()), epoch=5, step=10).look("right"))


def flips_that_change_the_answer():
    explorer = at(explore.decision(trained().model.eval()), step=10)
    truth = tasks.pointing(seed=0).y_test[25].item()
    return {flipped for flipped in values(explorer, "flipped") if at(explorer, flipped=flipped).look("final") != truth}


SEEN = {
    ("01_input_sequence", "look 1"): input_sequence,
    ("02_zero_init", "look 1"): lambda: zero_state()[0] if len(zero_state()) == 1 else None,
    ("03_cell_step", "look 1"): growth_of_unit_3,
    ("03_cell_step", "look 2"): moved_most_by_h3,
    ("04_carry", "look 1"): states_that_notice,
    ("05_output", "look 1"): lambda: sliders_that_make_win(1, mixed=False),
    ("05_output", "look 2"): lambda: sliders_that_make_win(2, mixed=True),
    ("06_softmax", "look 1"): lambda: clover_at_temperature_1()[0],
    ("07_training_trace", "look 1"): right_at_step_10,
    ("08_prediction_trace", "look 1"): flips_that_change_the_answer,
}


def test_every_look_is_found_again_here():
    assert set(SEEN) == set(RIGHT)


@pytest.mark.parametrize("place", SEEN, ids=lambda place: f"{place[0]}-{place[1]}")
def test_the_answer_is_what_the_explorer_shows(place):
    wanted = RIGHT[place]
    assert SEEN[place]() == (eval(wanted, {"__builtins__": {}}) if isinstance(wanted, str) else wanted)


def test_no_single_slider_makes_heather_win_in_the_worked_example():
    """Lesson 5 says so where its first look is right."""
    assert sliders_that_make_win(2, mixed=False) == set()
