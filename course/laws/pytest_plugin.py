"""The laws as tests: `assert_law` makes eight tests of one, `assert_laws` asks them all in one.

    def test_my_model(assert_law):
        assert_law(Model())

A law that does not apply skips its test, with the reason. Nothing of the course is loaded before a test asks for it.
"""

import pytest

LAWS = ("zero", "step", "chunk", "row", "reset", "cut", "last_valid", "resume")


@pytest.fixture(params=LAWS)
def assert_law(request):
    """A function (module, x=None, input_size=, batch_first=) that asks one law; the test runs once for each of the eight."""
    from . import laws

    law = getattr(laws, f"{request.param}_law")

    def ask(module, x=None, **options):
        verdict = law(module, x, **options)
        if verdict.holds is None:
            pytest.skip(repr(verdict))
        assert verdict, repr(verdict)
        return verdict

    return ask


@pytest.fixture
def assert_laws():
    """`laws.assert_laws`: all laws in one test."""
    from .testing import assert_laws

    return assert_laws
