"""Hidden State: how a recurrent network in PyTorch remembers. What the lessons import, each room when it is first asked for."""

import lazy_loader
import torch
from torch import nn

from . import ahead

__getattr__, __dir__, __all__ = lazy_loader.attach(
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
__all__ += ["nn", "torch"]

ahead.begin()
