"""A number reads the same in the browser and in Python, whatever its last digits are: words.js beside words.py."""

import base64
import random
from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import pytest
import torch
from browser import ROOT, new_page

from course import example, explore
from course.explore import words
from course.explore.explorer import Explorer, Scene, Slider, Table
from course.explore.weights import output_weights
from course.pictures import Picture

SCRIPT = (ROOT / "course" / "explore" / "words.js").read_text(encoding="utf-8")
PLACES = range(6)
READ = """
const floats = (text) => new Float32Array(Uint8Array.from(atob(text), (each) => each.charCodeAt(0)).buffer);
const numbersOf = ({ places, data }) => places.map((digits) => [...floats(data)].map((value) => number(value, digits)));
const sentencesOf = (looks) => looks.map(({ template, look }) => {
  for (const table of Object.values(look.tables)) table.data = floats(table.data);
  return fill(template, look);
});
"""


@pytest.fixture(scope="module")
def in_browser():
    """in_browser("numbersOf", given): what words.js makes of it."""
    with new_page() as page:
        yield lambda job, given: page.evaluate(f"(given) => {{ {SCRIPT}\n{READ}\nreturn {job}(given); }}", given)


def coded(values):
    return base64.b64encode(np.asarray(values, dtype="<f4").tobytes()).decode()


def neighbours(value, steps=3):
    """A float32 with the ones below and above it."""
    found, low, high = [np.float32(value)], np.float32(value), np.float32(value)
    for _ in range(steps):
        low, high = np.nextafter(low, np.float32(-np.inf)), np.nextafter(high, np.float32(np.inf))
        found += [low, high]
    return found


def halves():
    """All halves at each number of places, and what lies beside them, in several sizes."""
    draw = random.Random(11)
    for places in PLACES:
        for largest in (1, 10, 100, 1000, 100_000):
            for _ in range(60):
                value = (draw.randrange(largest * 10**places) + 0.5) / 10**places
                for sign in (1, -1):
                    yield from neighbours(sign * value)


EXTREMES = [
    0.0,
    -0.0,
    1e-45,
    -1e-45,
    1e-40,
    -1e-38,
    1.17549435e-38,
    4.9999e-6,
    5e-6,
    -5e-6,
    0.5,
    -0.5,
    1.5,
    2.5,
    -2.5,
    0.125,
    0.375,
    -0.125,
    999_999,
    999_999.5,
    999_999.94,
    1e6,
    1_049_999.9,
    1_050_000,
    1_150_000,
    1_250_000,
    -1_250_000,
    1_350_000,
    9_949_999,
    9_950_000,
    9.95e9,
    1e10,
    12_500_000,
    3.4028235e38,
    -3.4028235e38,
    1e21,
    1e22,
    float("inf"),
    float("-inf"),
    float("nan"),
]


def values():
    """Float32 numbers: extremes, halves with their neighbours, and any bits at all."""
    bits = np.random.default_rng(5).integers(0, 2**32, 3000, dtype=np.uint64).astype("<u4").view("<f4")
    sizes = np.random.default_rng(6).normal(size=3000) * 10.0 ** np.random.default_rng(7).integers(-6, 6, 3000)
    return np.array([*EXTREMES, *halves(), *bits, *sizes], dtype="<f4")


def test_words_js_and_words_py_write_the_same_for_every_float32(in_browser):
    given = values()
    written = in_browser("numbersOf", {"places": list(PLACES), "data": coded(given)})
    for digits, texts in zip(PLACES, written):
        different = [(value, digits, js, py) for value, js in zip(given.tolist(), texts) if js != (py := words.number(value, digits))]
        assert not different, different[:10]


def test_it_is_the_nearest_number_of_so_many_places():
    for value in values().tolist():
        for digits in PLACES:
            if abs(value) < words.LARGE:
                written = Decimal(words.number(value, digits).replace("−", "-"))
                assert abs(written - Decimal(value)) <= Decimal(10) ** -digits / 2 + Decimal(10) ** -words.CERTAIN / 2


def test_halves_go_away_from_zero_and_zero_has_no_sign():
    for digits in range(1, 4):
        for half in range(5, 400, 10):
            value = half / 10 ** (digits + 1)
            expected = str(Decimal(half).scaleb(-digits - 1).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP))
            for near in neighbours(value):  # whatever the last digits of a sum are
                assert words.number(float(near), digits) == expected
                assert words.number(-float(near), digits) == "−" + expected
    assert {words.number(value, digits) for value in (-0.0, -1e-45, -1e-7, 0.0) for digits in (0, 2)} == {"0", "0.00"}


@pytest.mark.parametrize("digits", range(4))
def test_noise_in_the_last_digits_of_a_sum_changes_nothing(digits):
    """Multiples of half a unit of the last place that is shown, as sliders and weights with few places make them."""
    draw = random.Random(digits)
    for _ in range(500):
        value = draw.randrange(-8 * 10**digits, 8 * 10**digits) / 10**digits + draw.choice((0, 0.5)) / 10**digits
        texts = {words.number(float(np.float32(value * (1 + noise))), digits) for noise in (0, 1e-7, -1e-7, 2e-7, -2e-7)}
        assert len(texts) == 1, (value, texts)


def look_of(explorer):
    """What page.js would hand to words.js: the tables as they are sent, and the positions of the sliders that rest there."""
    sent = explorer._tables(explorer._values())
    _, at = explorer.here()
    controls = {c["name"]: c for c in explorer.canvas.scene["controls"]}
    tables = {name: {**table, "data": base64.b64encode(table["data"]).decode()} for name, table in sent["tables"].items()}
    return {"template": explorer.scene.words, "look": {"at": at, "controls": controls, "tables": tables}}


@pytest.mark.parametrize("name", explore.__all__)
def test_a_sentence_is_the_same_in_both_at_many_positions(name, in_browser):
    explorer, draw = getattr(explore, name)(), random.Random(3)
    looks, sentences = [], []
    for _ in range(12 if explorer.scene.around else 3):  # a whole grid is large to send
        for control in explorer.scene.controls:
            setattr(explorer.sliders[control.name], control.trait, control.values[draw.randrange(len(control.values))])
        looks.append(look_of(explorer))
        sentences.append(explorer.sentence())
    assert in_browser("sentencesOf", looks) == sentences


def test_logits_half_way_between_two_roundings_read_the_same_however_many_are_computed_at_once():
    """One row alone, and in the middle of many: their last digits differ, and 1.265 was 1.26 in one and 1.27 in the other."""
    W, b = (values[1] for values in output_weights().values())
    grid = torch.tensor(Slider("h", "h", -1, 1, 0.05, 0).values)
    h = torch.stack([grid[torch.randint(len(grid), (4000,), generator=torch.Generator().manual_seed(i))] for i in range(example.HIDDEN_SIZE)], dim=1)
    exact = (h.double() @ W.double().T + b.double()).float()
    assert ((exact * 1000).round() % 10 == 5).any()
    many = torch.nn.functional.linear(h, W, b)
    for i in range(0, len(h), 4):
        alone = torch.nn.functional.linear(h[i], W, b)
        assert words.numbers(alone.tolist(), 2) == words.numbers(many[i].tolist(), 2) == words.numbers(exact[i].tolist(), 2)


def test_a_table_of_float64_is_read_as_the_float32_that_the_browser_gets():
    values = torch.tensor([1 / 3, 2 / 3, 0.1], dtype=torch.float64)
    table = Table(("row",), values)
    assert words.pick(table, ["row"], {}) == values.float().tolist() == np.frombuffer(table.packed()["data"], "<f4").tolist()


def test_the_sentence_is_made_of_the_numbers_that_are_sent():
    """A function whose last digits depend on how many rows it is given: Python must not compute a row of its own."""
    rows = []

    def around(points):
        rows.append(len(points["a"]))
        return {"sum": Table(("point",), points["a"] + 0.1 * len(points["a"]))}

    explorer = Explorer(
        Scene(
            title="a",
            controls=[Slider("a", "a", 0, 1, 0.1, 0.5), Slider("b", "b", 0, 1, 0.1, 0)],
            around=around,
            views=[],
            words="{sum}",
            picture=Picture("", ""),
            axes={},
        )
    )
    assert explorer.sentence() == "2.70" and set(rows) == {22}
    assert np.frombuffer(explorer.canvas.tables["tables"]["sum"]["data"], "<f4").reshape(2, 11)[0, 5] == np.float32(2.7)
