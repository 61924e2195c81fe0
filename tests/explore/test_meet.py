"""meet: the numbers are those of a trained network that reads the dance, and it does its job."""

from functools import cache

import pytest
import torch

from course import explore, tasks, training
from course.pictures.story import CLASSES


@cache
def model():
    return training.fit(epochs=20, show=False).model


def nearest(angle):
    """The places at the smallest angle from this one, as the numbers of their sectors."""
    away = [min(abs(angle - place), 360 - abs(angle - place)) for place in (0, 120, 240)]
    return [place for place, degrees in enumerate(away) if degrees == min(away)]


def dance(v):
    """One dance, made again by hand: (10, 5)."""
    x = torch.zeros(10, 5)
    x[:, :4] = v["noise"] * torch.randn(10, 4, generator=torch.Generator().manual_seed(27))
    angle = torch.tensor(v["angle"] * torch.pi / 180)
    x[:9, 0] += angle.cos()
    x[:9, 1] += angle.sin()
    x[9, 4] = 1
    return x


def expected_meet(v):
    """For test_explore.py, which compares every explorer with PyTorch."""
    x, step = dance(v), int(v["step"])
    with torch.no_grad():
        probs = model()(x[:step, None])[0].softmax(-1)
    return {"glances": x[:, :2], "probs": probs, "leader": probs.argmax(), "chance": probs.max(), "nearest": torch.tensor(int(v["angle"] // 10))}


@pytest.fixture(scope="module")
def tables():
    return explore.meet().scene.tables


@pytest.mark.parametrize("place", range(3))
@pytest.mark.parametrize("aside", range(-30, 31, 10))
def test_it_finds_the_place_of_a_quiet_dance(tables, place, aside):
    angle = (120 * place + aside) % 360
    assert nearest(angle) == [place] and int(tables["leader"].values[angle // 10, 0, -1]) == place


@pytest.mark.parametrize("place", range(3))
def test_it_is_sure_at_the_noise_it_was_trained_on(tables, place):
    assert tables["probs"].values[12 * place, 4, -1, place] > 0.95


def test_the_first_glance_misleads_and_much_noise_can_too(tables):
    says = tables["leader"].values[12, 4].tolist()
    assert says == [0] + [1] * 9
    assert [tables["leader"].values[12 * place, -1, -1].item() for place in range(3)] != [0, 1, 2]


def test_nothing_of_the_dance_is_left_at_the_last_glance(tables):
    last = tables["glances"].values[:, :, -1]
    assert torch.equal(last, last[:1].expand_as(last)) and not last[:, 0].any()
    assert tasks.NUM_STEPS == 10


def test_its_sentence_names_the_places():
    explorer = explore.meet()
    assert explorer.sentence() == "After glance 1: clover 0.58. She dances toward 120°, and nearest to that is linden."
    explorer.sliders["step"].value = 10
    assert explorer.sentence() == "After glance 10: linden 0.99. She dances toward 120°, and nearest to that is linden."
    explorer.sliders["angle"].value = 180
    assert explorer.sentence().endswith("She dances toward 180°, and nearest to that is linden or heather.")
    assert explorer.scene.axes["class"][1] == list(CLASSES)
