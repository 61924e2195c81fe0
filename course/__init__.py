"""Hidden State: how a recurrent network in PyTorch remembers. What the lessons import, each room when it is first asked for."""

import importlib

import lazy_loader

from . import ahead

PYTORCH = {"torch": "torch", "nn": "torch.nn"}
_of_ours, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["explore", "laws", "pictures"],
    submod_attrs={
        "learner.check": ["check"],
        "learner.discuss": ["discuss"],
        "learner.hints": ["hint"],
        "learner.look": ["look"],
        "learner.pipeline": ["run_pipeline"],
        "learner.progress": ["my_course", "my_progress", "my_unit"],
        "learner.quiz": ["my_numbers", "quiz"],
        "learner.reveal": ["reveal"],
        "networks": ["example", "prediction", "tasks", "training"],
        "networks.trace": ["Trace"],
    },
)
__all__ += PYTORCH


def __getattr__(name):
    """PyTorch too is loaded when it is first asked for: an instructor's command often needs none."""
    return importlib.import_module(PYTORCH[name]) if name in PYTORCH else _of_ours(name)


ahead.begin()
