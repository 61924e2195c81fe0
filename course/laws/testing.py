"""The laws in a test of one's own: `assert_laws`."""

from .laws import ALL, check_all


def assert_laws(module, x=None, *, input_size=None, batch_first=None, only=ALL):
    """Raise AssertionError, with every law that is broken or could not be asked, in its words.

    module, x, input_size, batch_first: as in `check_all`. only: the laws to ask, as `[laws.zero_law, laws.row_law]`.
    A law that does not apply passes. Returns the verdicts.
    """
    if tuple(only) == ALL:
        verdicts = check_all(module, x, input_size=input_size, batch_first=batch_first)
    else:
        verdicts = [law(module, x, input_size=input_size, batch_first=batch_first) for law in only]
    broken = [verdict for verdict in verdicts if not verdict]
    if broken:
        raise AssertionError("\n".join(map(repr, broken)))
    return verdicts
