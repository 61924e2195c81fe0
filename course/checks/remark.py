"""What is worth saying of an answer that passes."""

from .play import call


def remark(module, answer, cases):
    """A sentence where an answer cuts the weights' gradients, which its exercise does not ask for; else "".

    The exercise names them as WEIGHTS. The numbers are right all the same, so this changes no verdict.
    """
    weights = getattr(module, "WEIGHTS", ())
    if not weights:
        return ""
    result = call(answer, cases[2], weights)
    if result.error or result.grad_error:
        return ""
    cut = [name for name in weights if result.grads.get(name) is None]
    if not cut:
        return ""
    listed = " and ".join(filter(None, (", ".join(cut[:-1]), cut[-1])))
    they = "it" if len(cut) == 1 else "they"
    return (
        f"no gradient reaches {listed}: through this function {they} would never learn. Compute with the tensors themselves, as the formula does, "
        "or hand them to a layer with torch.func.functional_call"
    )
