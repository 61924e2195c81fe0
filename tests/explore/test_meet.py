"""meet: the numbers are those of a trained network that reads the dance, and it does its job."""

import pytest
import torch
from dances import nearest

from course import explore, tasks
from course.pictures.story import CLASSES


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
