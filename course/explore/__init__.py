"""Explorers: pictures with sliders, a folder a unit and a file each. `explorer.py` explains how one is made.

`explore.carry` is the function carry in scenes/<unit>/carry.py: what lies there is an explorer.
"""

from pathlib import Path

import lazy_loader

SCENES = {file.stem: f"scenes.{file.parent.name}.{file.stem}" for file in sorted(Path(__file__).parent.glob("scenes/*/*.py"))}
"""{explorer: its module, as seen from here}"""

__getattr__, __dir__, __all__ = lazy_loader.attach(__name__, submod_attrs={module: [name] for name, module in SCENES.items()})
