"""Hidden State: how a recurrent network in PyTorch remembers. What the lessons import."""

import torch
from torch import nn

from . import example, laws, pictures
from .checks.engine import check
from .checks.hints import hint
from .predict import reveal
from .progress import progress
from .quiz import quiz
from .trace import Trace

__all__ = ["Trace", "check", "example", "hint", "laws", "nn", "pictures", "progress", "quiz", "reveal", "torch"]
