"""What a function may not leave behind in the session: settings of PyTorch that hold for all code after it."""

import torch
from torch.nn.modules import module

HOOKS = [hooks for name, hooks in sorted(vars(module).items()) if name.startswith("_global_") and isinstance(hooks, dict)]


class ModeLeft(Exception):
    """The learner's function returned, and a setting of the session is not as it was."""


def keeps_settings(function, *arguments):
    """function(*arguments). Raises ModeLeft where it leaves a setting of the session another one. Puts all of them back, whatever happens."""
    before = _settings()
    try:
        value = function(*arguments)
        left = [name for name, now in _settings().items() if now != before[name]]
    finally:
        _put_back(before)
    if left:
        raise ModeLeft(_LEFT[left[0]].format("off" if before["gradients"] else "on"))
    return value


_LEFT = {
    "gradients": "gradients are {} for all that runs after your function",
    "dtype": "your function changed the default dtype for all that runs after it",
    "device": "your function changed the default device for all that runs after it",
    "hooks": "your function left a hook for all modules behind",
}


def _settings():
    device = getattr(getattr(torch, "_GLOBAL_DEVICE_CONTEXT", None), "device_context", None)
    return {
        "gradients": torch.is_grad_enabled(),
        "dtype": torch.get_default_dtype(),
        "device": device and device.device,
        "hooks": [dict(each) for each in HOOKS],
    }


def _put_back(before):
    now = _settings()
    torch.set_grad_enabled(before["gradients"])
    if now["dtype"] != before["dtype"]:
        torch.set_default_dtype(before["dtype"])
    if now["device"] != before["device"]:
        torch.set_default_device(before["device"])
    if now["hooks"] != before["hooks"]:
        for hooks, was in zip(HOOKS, before["hooks"]):
            hooks.clear()
            hooks.update(was)
