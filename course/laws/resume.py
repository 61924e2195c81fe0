"""The resume law: saved and restored, a run goes on as if it had never stopped."""

import io

import torch
from torch import nn

from . import trees
from .causes import because, random_inside
from .comparing import Comparison, rounded
from .copies import kept, kept_with_graph
from .law import in_names, law
from .verdict import ModuleRaised

SILENTLY = "a call without a state and the same call of what was restored"


@law
def resume_law(asked):
    """Save, restore, continue == never interrupted: the rest of x, from what was saved after its first part.

    Saved are the state and, of an nn.Module, its state_dict, as `torch.save` writes them; they are restored into a copy of the module
    that was made before the runs. A call without a state must give the same too. Arguments and result as in `chunk_law`.
    """
    compare, fresh = Comparison(asked, "resume law"), asked.fresh
    for x in asked.draws(least_steps=4)[:2]:
        half = asked.num_steps(x) // 2
        state = asked.run(asked.steps(x, 0, half), asked.empty(x))[1]
        rest = asked.steps(x, half, asked.num_steps(x))
        for start, what in ((None, SILENTLY), (state, "the run that went on and the one that was restored")):
            verdict = None if start is None and not asked.silent else _resumed(asked, compare, fresh, rest, start, what)
            if verdict is not None:
                return because(verdict, _kept(asked))
    return compare.holds()


def _resumed(asked, compare, fresh, x, state, what):
    """A Verdict where a call of the module is another in what was restored from it, into `fresh`; None where it is the same."""

    def again(seed):
        return asked.run(rounded(x, seed), rounded(state, seed))[0]

    went_on = asked.run(x, state)[0]
    parts = _restored(asked.module, fresh, trees.tensors(state))
    restored = asked.run(x, None if state is None else trees.with_tensors(state, parts), fresh)[0]
    return compare.same(went_on, restored, what, None if state is None else again)


def _kept(asked):
    """What a module that was restored has lost, in words; None where that is not known."""
    if random_inside(asked) is not None:
        return None
    names = kept_with_graph(asked)
    if names:
        return f"the module keeps a tensor, with its graph, from an earlier call{in_names(names)}"
    names = kept(asked)
    return f"the module keeps something from call to call{in_names(names)}, and it is not in what was saved" if names else None


def _restored(module, fresh, parts):
    """Write a module's weights and these tensors as to a file, read them again, the weights into another module. Returns the tensors."""
    file = io.BytesIO()
    torch.save({"state": parts, "weights": module.state_dict() if isinstance(module, nn.Module) else {}}, file)
    file.seek(0)
    saved = torch.load(file, weights_only=False)
    if isinstance(module, nn.Module):
        try:
            fresh.load_state_dict(saved["weights"])
        except RuntimeError as error:
            raise ModuleRaised(f"what was saved cannot be restored: {error}") from error
        fresh.eval()
    return saved["state"]
