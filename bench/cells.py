"""The notebooks that the benchmark opens: one cell each, and which of its sliders are moved."""

from dataclasses import dataclass

import nbformat

BASELINE = "interact + plt.show()"

DRAWN_BY_MATPLOTLIB = """\
%matplotlib inline
import ipywidgets, torch
import matplotlib.pyplot as plt
from course import example

weights, inputs = example.weights(), example.sequence()

def draw(scale=1.0):
    h, states = torch.zeros(1, example.HIDDEN_SIZE), []
    for x in inputs:
        h = torch.rnn_tanh_cell(x, h, weights["W_ih"], scale * weights["W_hh"], weights["b_ih"], weights["b_hh"])
        states.append(h[0])
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3))
    left.imshow(torch.stack(states).T, cmap="RdBu", vmin=-1, vmax=1, aspect="auto")
    left.set(xlabel="step", ylabel="unit")
    right.barh(range(example.HIDDEN_SIZE), h[0])
    right.set(xlim=(-1, 1), xlabel="the last state")
    plt.show()

ipywidgets.interact(draw, scale=(0.0, 2.0, 0.05));
"""

EMPTY_ROUND_TRIP = """\
import anywidget

class Echo(anywidget.AnyWidget):
    _esm = '''
    function render({ model, el }) {
      el.className = "echo";
      let answer = null;
      model.on("msg:custom", () => answer?.());
      window.roundTrip = () => new Promise((resolve) => {
        const sent = performance.now();
        answer = () => resolve(performance.now() - sent);
        model.send({});
      });
    }
    export default { render };
    '''

echo = Echo()
echo.on_msg(lambda widget, content, buffers: widget.send(content))
echo
"""


@dataclass(frozen=True)
class Subject:
    """Something to measure. slider, second: which of its sliders, counted from 0; a second one where the kernel may be needed."""

    name: str
    slider: int
    second: int | None = None

    @property
    def source(self):
        if self.name == BASELINE:
            return DRAWN_BY_MATPLOTLIB
        return f"from course.explore import {self.name}\n{self.name}()"


SUBJECTS = [
    Subject(BASELINE, 0),  # the scale of W_hh
    Subject("input_sequence", 0),  # the step
    Subject("zero_state", 3),  # hidden
    Subject("cell_step", 0, 5),  # x[0], h[0]
    Subject("carry", 0),  # the scale of W_hh
    Subject("memory", 0),  # the scale of W_hh
    Subject("output_layer", 0, 1),  # h[0], h[1]
    Subject("softmax", 0, 3),  # a logit, the temperature
    Subject("epochs", 1),  # the step
    Subject("decision", 0),  # the step
    Subject("broken_laws", 0),  # the amount
]


def write_notebook(path, source):
    """A notebook of this one cell."""
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)], metadata={"kernelspec": kernel})
    nbformat.write(notebook, path)
