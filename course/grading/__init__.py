"""The instructor's part: hidden cases, and what nbgrader needs to release and to grade. Never given to students."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(__name__, submod_attrs={"hidden": ["hidden_check", "hidden_quiz"]})
