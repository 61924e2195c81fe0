"""Numbers in sentences: "{name}" in a template stands for a slider's value or for a table's numbers at the sliders' positions.

`words.js` does the same in the browser, so that a picture's text follows the hand; tests compare the two.
"""

import re
from decimal import ROUND_HALF_UP, Decimal

import torch

LARGE = 1e6


def number(value, digits):
    """0.3 -> "0.30", with a true minus sign and without a negative zero. A half is rounded away from zero, as browsers do it."""
    if value != value:
        return "nan"
    if value in (float("inf"), float("-inf")):
        return "∞" if value > 0 else "−∞"
    if abs(value) >= LARGE:
        digits, power = f"{value:.1e}".split("e")
        return f"{digits}e{int(power):+d}".replace("-", "−")
    rounded = Decimal(value).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    return f"{abs(rounded) if rounded == 0 else rounded}".replace("-", "−")


def numbers(values, digits):
    """Nested lists as text: [0.05, 0.10]."""
    if isinstance(values, list):
        return "[" + ", ".join(numbers(value, digits) for value in values) + "]"
    return number(values, digits)


def pick(table, keep, at):
    """The numbers of a table along the axes in `keep`, in that order; every other axis stands at its position in `at`."""
    values = torch.as_tensor(table.values)
    for axis in reversed(range(len(table.axes))):
        if table.axes[axis] not in keep:
            values = values.select(axis, at[table.axes[axis]])
    left = [axis for axis in table.axes if axis in keep]
    return values.permute([left.index(axis) for axis in keep]).tolist()


def fill(template, controls, tables, at):
    """The template with its names replaced. "{#step}" is a slider's position, counted from 0: the index in code."""
    named = {control.name: control for control in controls}

    def replacement(match):
        name = match[1]
        if name.startswith("#"):
            return str(at[name[1:]])
        if name in named:
            return named[name].text(at[name])
        table = tables[name]
        return numbers(pick(table, [axis for axis in table.axes if axis not in at], at), table.digits)

    return re.sub(r"\{(#?\w+)\}", replacement, template)
