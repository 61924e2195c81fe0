"""Hidden State: how a recurrent network in PyTorch remembers. What the lessons import."""

import torch
from torch import nn

from . import example, explore, laws, pictures, prediction, tasks, training
from .checks.engine import check
from .checks.hints import hint
from .pipeline import run_pipeline
from .predict import reveal
from .progress import my_course, my_progress, my_unit
from .quiz import my_numbers, quiz
from .trace import Trace

__all__ = [
    "Trace", "check", "example", "explore", "hint", "laws", "my_course", "my_numbers", "my_progress", "my_unit",
    "nn", "pictures", "prediction", "quiz", "reveal", "run_pipeline", "tasks", "torch", "training",
]
