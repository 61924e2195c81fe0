"""What makes a law of a test: inputs drawn, eval mode, errors put into words."""

from functools import wraps

import torch

from .adapters import NotYet
from .asking import Asked, as_for_prediction
from .causes import because, random_inside
from .verdict import NAN, NOT_ATTEMPTED, BreaksPromise, CannotAsk, DoesNotApply, ModuleRaised, Verdict

READS_THE_FUTURE = "a bidirectional layer reads the sequence from its end too, so what it says of a step depends on the steps after it"
NO_ROWS = "no axis of the state follows the batch: with more rows in x, it has no more rows"


def law(test):
    """Turn a test(asked) -> Verdict into a law: inputs drawn, eval mode, errors put into words."""
    name = test.__name__.replace("_", " ").replace("last valid", "last-valid")

    def answered(asked):
        try:
            asked.require_module()
            verdict = test(asked)
            return because(verdict, random_inside(asked)) if verdict.holds is False and verdict.difference > 0 else verdict
        except NotYet:
            return Verdict(name, False, NOT_ATTEMPTED, NAN)
        except DoesNotApply as reason:
            return Verdict(name, None, str(reason), NAN)
        except (ModuleRaised, BreaksPromise) as error:
            return Verdict(name, False, str(error), NAN)
        except CannotAsk as reason:
            return Verdict(name, False, str(reason), NAN, asked=False)
        except Exception as error:
            return Verdict(name, False, f"the law itself got stuck, with {type(error).__name__}: {error}", NAN, asked=False)

    @wraps(test)
    def ask(module, x=None, *, input_size=None, batch_first=None):
        asked = Asked(module, x, input_size, batch_first)
        with as_for_prediction(asked.module), torch.no_grad():
            return answered(asked)

    ask.answered = answered
    return ask


def require_no_future(asked):
    if asked.bidirectional:
        raise DoesNotApply(READS_THE_FUTURE)


def require_rows(asked):
    """Raise BreaksPromise where nothing in the state has a row for each sequence."""
    if all(axis is None for axis in asked.axes.rows):
        raise BreaksPromise(NO_ROWS)


def in_names(names):
    return f" (in {', '.join(names[:3])})" if names else ""
