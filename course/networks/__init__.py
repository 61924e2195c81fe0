"""What the lessons run: the worked example, the task, trainings and predictions, watched."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(__name__, submodules=["example", "prediction", "tasks", "training"])
