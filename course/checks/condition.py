"""Inputs as plain data, before a call and after it: what did the call change?"""

import torch
from torch import nn

DTYPES = {f"torch.{name}" for name in "bool uint8 int8 int16 int32 int64 float16 bfloat16 float32 float64 complex64 complex128".split()}
"""What a tensor may be of: dtypes that every operation of a judge knows."""
FLAG = "requires_grad"
CONDITION = (
    "its weights",
    "its buffers",
    "its mode, train() or eval()",
    "requires_grad of its weights",
    "gradients in its weights",
    "its settings",
    "a hook was left in it",
)


def as_it_is(args, arguments):
    """All inputs as plain data: the modules among the arguments by their condition, and beside each tensor whether it asks for a gradient."""
    found = {}
    for (name, value), argument in zip(args.items(), [*arguments, *[None] * len(args)]):
        models = modules_of(argument)
        if models:
            found.update({name if len(models) == 1 else f"{name}[{i}]": plain(condition(model)) for i, model in enumerate(models)})
            continue
        found[name] = plain(value)
        found[f"{name} ({FLAG})"] = [tensor.requires_grad for tensor in tensors_of(value)]
    return found


def modules_of(argument):
    """The modules that an argument is, or is a list of."""
    items = argument if isinstance(argument, (list, tuple)) else [argument]
    return [item for item in items if isinstance(item, nn.Module)]


def tensors_of(value, depth=12):
    """All tensors in a value, lists and dicts included, in order."""
    if isinstance(value, torch.Tensor):
        return [value]
    items = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
    return [tensor for item in items for tensor in tensors_of(item, depth - 1)] if depth else []


def differences(before, after):
    """The names of the inputs that are not as they were, for a model with what is not: as `Result.changed` has them."""
    changed = []
    for name, was in before.items():
        now = after[name]
        if isinstance(was, dict) and set(was) == set(CONDITION):
            changed += [f"{name} ({what})" for what in CONDITION if not isinstance(now, dict) or not same(was[what], now.get(what))][:1]
        elif not same(was, now) and name.removesuffix(f" ({FLAG})") not in changed:
            changed.append(name)
    return tuple(changed)


def condition(model):
    """All that a caller expects to find as it was: the weights, the buffers, the mode and the settings of a module."""
    modules, weights = list(model.modules()), dict(model.named_parameters())
    return {
        "its weights": dict(weights),
        "its buffers": dict(model.named_buffers()),
        "its mode, train() or eval()": [module.training for module in modules],
        "requires_grad of its weights": [weight.requires_grad for weight in weights.values()],
        "gradients in its weights": [weight.grad is not None for weight in weights.values()],
        "its settings": [repr(model), *(_settings(module) for module in modules)],
        "a hook was left in it": [_hooks(each) for each in (*modules, *weights.values())],
    }


def _settings(module):
    """The names of all its attributes, and the values of those that are plain."""
    return {
        name: value if isinstance(value, (int, float, str, list, tuple)) and not name.startswith("_") else "" for name, value in sorted(vars(module).items())
    }


def _hooks(owner):
    """How many hooks of any kind a module or a weight has."""
    return sum(len(getattr(owner, name) or ()) for name in _HOOKS[isinstance(owner, nn.Module)])


_HOOKS = {
    True: [name for name, value in vars(nn.Module()).items() if name.endswith("_hooks") and isinstance(value, dict)],
    False: ["_backward_hooks", "_post_accumulate_grad_hooks"],
}


def plain(value, depth=12):
    """A copy of a value that can cross a border: tensors, numbers, texts, and lists and dicts of these. Of what else there is, a description."""
    if isinstance(value, torch.Tensor):
        return strangeness(value) or value.detach().clone().as_subclass(torch.Tensor)
    for kind in (bool, int, float, str):  # the plain value of a subclass, such as numpy.float64
        if isinstance(value, kind):
            return kind(value)
    if value is None:
        return None
    if isinstance(value, (list, tuple)) and depth:
        return (tuple if isinstance(value, tuple) else list)(plain(item, depth - 1) for item in value)
    if isinstance(value, dict) and depth:
        return {str(key): plain(item, depth - 1) for key, item in value.items()}
    return f"an object of type {type(value).__name__}"


def strangeness(tensor):
    """What kind of tensor it is, one of `case.STRANGE`, where it is not dense and plain; else ""."""
    if tensor.is_quantized:
        return "quantized tensor"
    if tensor.is_nested:
        return "nested tensor"
    if tensor.layout != torch.strided:
        return "sparse tensor"
    if tensor.device.type == "cpu" and _beyond_its_memory(tensor):
        return "tensor whose memory was given back"
    return "" if str(tensor.dtype) in DTYPES else "tensor of an unusual dtype"


def _beyond_its_memory(tensor):
    last = tensor.storage_offset() + sum((size - 1) * step for size, step in zip(tensor.shape, tensor.stride())) + 1 if tensor.numel() else 0
    return last * tensor.element_size() > tensor.untyped_storage().nbytes()


def same(one, other):
    """Are two values of `plain` equal to the last digit? NaN is equal to NaN."""
    if type(one) is not type(other):
        return False
    if isinstance(one, torch.Tensor):
        if (one.shape, one.dtype, one.device) != (other.shape, other.dtype, other.device):
            return False
        return one.device.type == "meta" or bool(((one == other) | (one.isnan() & other.isnan())).all())
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other))
    return one == other or (one != one and other != other)
