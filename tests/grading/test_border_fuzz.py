"""The border of the grader, fuzzed: messages of a wrong answer with anything at all in them earn nothing. Long lane."""

import forger
import pytest
import torch
from forger import WRONG, earns, forged, messages, places, put

from course.grading.sandbox import wire

hypothesis = pytest.importorskip("hypothesis")
from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

pytestmark = pytest.mark.long
torch.set_num_threads(1)
MANY = settings(max_examples=3000, deadline=None, suppress_health_check=list(hypothesis.HealthCheck))
DTYPES = [torch.float32, torch.float64, torch.bfloat16, torch.float16, torch.int64, torch.uint8, torch.bool, torch.complex64]


@pytest.fixture(autouse=True, scope="module")
def quick():
    with forger.quick():
        yield


def tensors():
    shapes = st.lists(st.integers(0, 4), max_size=4)
    fills = st.sampled_from([0.0, 1.0, -1.0, float("nan"), float("inf"), 1e30])
    return st.builds(
        lambda shape, fill, dtype, where: torch.full(shape, fill, device=where).to(dtype),
        shapes,
        fills,
        st.sampled_from(DTYPES),
        st.sampled_from(["cpu", "meta"]),
    )


def values():
    """Any value that the wire knows, with the words of our messages in it more often than by chance."""
    words = st.sampled_from(
        [*sorted(forger.FIELDS), "tensor", "tuple", "TooSlow", "RuntimeError", "on meta tensors", "same dtype", "torch.float32", "cpu", "meta"]
    )
    leaves = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), words, tensors(), st.binary(max_size=9), st.just(...))
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.lists(inner, max_size=4), st.lists(inner, max_size=4).map(tuple), st.dictionaries(st.one_of(words, st.text(max_size=9)), inner, max_size=5)
        ),
        max_leaves=12,
    )


@MANY
@given(st.data())
def test_fields(data):
    """Up to four fields of any messages, each with anything in its place, with what stands elsewhere, or gone."""
    name, start = data.draw(st.sampled_from(WRONG))
    said = messages(name, start)
    for _ in range(data.draw(st.integers(1, 4))):
        path = data.draw(st.sampled_from(places(said)))
        anything = data.draw(st.one_of(values(), st.sampled_from(forged(_at(said, path)))))
        alike = [path] if len(path) < 2 or data.draw(st.booleans()) else [(i, *path[1:]) for i in range(len(said))]
        for place in alike:
            said = put(said, place, anything)
    assert not earns(name, said)


def _at(value, path):
    try:
        return forger.at(value, path)
    except (LookupError, TypeError):
        return None


@MANY
@given(st.data())
def test_order(data):
    """The same messages in any order, any number of times, between others."""
    name, start = data.draw(st.sampled_from(WRONG))
    said = messages(name, start)
    assert not earns(name, data.draw(st.lists(st.one_of(st.sampled_from(said), values()), max_size=len(said) + 2)))


@MANY
@given(st.data())
def test_bytes(data):
    """The same bytes with some of them changed, put in or left out."""
    name, start = data.draw(st.sampled_from(WRONG))
    whole = bytearray(b"".join(map(wire.pack, messages(name, start))))
    for _ in range(data.draw(st.integers(1, 8))):
        place, how = data.draw(st.integers(0, len(whole) - 1)), data.draw(st.integers(0, 2))
        whole[place : place + (how < 2)] = data.draw(st.binary(min_size=how != 1, max_size=how != 1))
    assert not earns(name, [bytes(whole)])
