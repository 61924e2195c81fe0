"""The drawing of an explorer: an anywidget that gets numbers and draws SVG in the browser."""

from pathlib import Path

import anywidget
import ipywidgets
import traitlets

from course.pictures.drawing import COLOURS, LIMITS, LOGITS, PROBS

HERE = Path(__file__).parent
SCRIPTS = ("words.js", "shapes.js", "views.js", "cell.js", "map.js", "page.js")


class Canvas(anywidget.AnyWidget):
    """Draws a scene's views at the positions of its sliders, which reach it in the browser by `jslink`.

    Each slider has a trait here, `at_<name>`. `tables`: what Explorer packed. For other tables the browser sends
    {"wanted": the positions to lie around}.
    """

    _esm = "\n".join((HERE / script).read_text(encoding="utf-8") for script in SCRIPTS)
    _css = (HERE / "explorer.css").read_text(encoding="utf-8")
    scene = traitlets.Dict().tag(sync=True)
    tables = traitlets.Dict().tag(sync=True)

    def __init__(self, scene, tables, sliders):
        traits = {f"at_{name}": traitlets.Any().tag(sync=True) for name in sliders}
        self.add_traits(**traits)
        start = {f"at_{c.name}": getattr(sliders[c.name], c.trait) for c in scene.controls}
        super().__init__(scene=_described(scene), tables=tables, **start)
        self.links = [ipywidgets.jslink((sliders[c.name], c.trait), (self, f"at_{c.name}")) for c in scene.controls]


def _described(scene):
    controls = [{"name": c.name, "label": c.label, "values": c.values, "texts": [c.text(i) for i in range(len(c.values))]} for c in scene.controls]
    axes = {axis: {"label": label, "names": list(names)} for axis, (label, names) in scene.axes.items()}
    return {
        "title": scene.title,
        "controls": controls,
        "views": scene.views,
        "words": scene.words,
        "axes": axes,
        "colours": {**COLOURS, "logits": LOGITS, "probs": PROBS},
        "limits": LIMITS,
    }
