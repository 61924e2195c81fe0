"""The zero law: no state given is a state of zeros given."""

from contextlib import suppress

from .causes import because, learned_start, random_inside
from .comparing import Comparison, rounded
from .copies import kept
from .law import in_names, law
from .verdict import DoesNotApply, ModuleRaised


@law
def zero_law(asked):
    """No state given == a state of zeros given, before other calls and after.

    module: any recurrent module, or what `on` made of one; x: (T, B, F) as the module takes it, drawn several times if left out.
    input_size, batch_first: as in `check_all`. Returns a Verdict; never raises.
    """
    compare = Comparison(asked, "zero law")
    if not asked.silent:
        raise DoesNotApply("the module is given a state at every call")
    for x in asked.draws():
        verdict = _silent_and_spoken(asked, compare, x)
        if verdict is None:
            with suppress(ModuleRaised):  # a single step may be too little for it
                verdict = _silent_and_spoken(asked, compare, asked.steps(x, 0, 1))
        if verdict is not None:
            return verdict
    if asked.given is None and asked.axes.refused is not None:
        raise ModuleRaised(f"{asked.axes.refused}; a size is fixed inside, or something is kept from the batch before")
    return compare.holds()


def _silent_and_spoken(asked, compare, x):
    """A Verdict where a call without a state is not one from zeros, now or after other calls; None where it is."""
    for seed in (1, 2):
        asked.disturb(x, seed)
    before, zeros = asked.run(x)[0], asked.empty(x)
    spoken = asked.run(x, zeros)[0]
    asked.disturb(x, 3)
    after = asked.run(x)[0]

    def again(seed):
        return asked.run(rounded(x, seed), zeros)[0]

    verdicts = [compare.same(silent, spoken, "the outputs without a state and with a state of zeros", again) for silent in (before, after)]
    if not any(verdict is not None for verdict in verdicts):
        return None
    verdict = max((one for one in verdicts if one is not None), key=lambda one: one.difference)
    if compare.same(before, after, "", again) is not None and random_inside(asked) is None:
        names = kept(asked)
        return because(verdict, f"the module keeps something from call to call{in_names(names)}, and a call without a state goes on from it")
    learned = learned_start(asked, x, zeros)
    if learned:
        raise DoesNotApply(f"the start is learned ({learned}), so a call without a state is not one from zeros")
    return verdict
