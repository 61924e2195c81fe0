"""The laws of hidden state: eight statements that hold for every recurrent module that is written right.

Each law takes a module with the call of `nn.RNN`, `nn.GRU` and `nn.LSTM`,

    output, state = module(x)            # no state given
    output, state = module(x, state)     # a state given: a tensor, or any tree of tensors

or what `laws.on` makes of a module with another call, and says in words whether the law holds for it. Laws look at the module
as it is used for prediction: in eval mode, which is put back afterwards. Weights are never changed. A law is asked of a module
that has already run, with several batches and lengths, and compares relative to the scale and the dtype of what it compares.

    >>> laws.zero_law(nn.RNN(5, 4))
    zero law holds: the outputs without a state and with a state of zeros agree to 1e-05
"""

from contextlib import suppress

import torch

from .adapters import On
from .asking import Asked, as_for_prediction
from .comparing import TOLERANCE
from .cut import cut_law
from .last_valid import last_valid_law
from .pieces import chunk_law, step_law
from .resume import resume_law
from .rows import reset_law, row_law
from .verdict import NAN, NOT_ATTEMPTED, CannotAsk, Verdict
from .zero import zero_law

__all__ = ["ALL", "TOLERANCE", "Verdict", "check_all"]
NO_PROMISE = "this model is asked to take (B, T, F) and to say so, and it does not say batch_first = True: put it back, and let the layers inside keep the word"
ALL = (zero_law, step_law, chunk_law, row_law, reset_law, cut_law, last_valid_law, resume_law)


def check_all(module, x=None, *, input_size=None, batch_first=None):
    """Every law in turn: a list of Verdicts; of a module that no law can be asked of, one that says why.

    module, x: as in `zero_law`. input_size: how many features x has, where nothing in the module says it.
    batch_first: True asks for a module that takes (B, T, F) and says so; left out, the module is taken at its word.
    """
    if batch_first and not isinstance(module, On) and getattr(module, "batch_first", None) is not True and not isinstance(module, type):
        return [Verdict("promise", False, NO_PROMISE, NAN)]
    asked = Asked(module, x, input_size, batch_first)
    with as_for_prediction(asked.module), torch.no_grad():
        with suppress(CannotAsk):
            asked.fresh  # noqa: B018 -- made before the module has run; the resume law says it, where it cannot be made
        verdicts = [law.answered(asked) for law in ALL]
    return _once(verdicts)


def _once(verdicts):
    """One cause, one sentence: where all laws say the same, it is said once."""
    one = verdicts[0]
    if len({verdict.sentence for verdict in verdicts}) > 1 or one.holds is None or one.sentence == NOT_ATTEMPTED:
        return verdicts
    if one.asked:
        return [Verdict("promise" if one.sentence.startswith("your outputs") else "every law", False, one.sentence, NAN)]
    return [Verdict("a law", False, one.sentence, NAN, asked=False)]
