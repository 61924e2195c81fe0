"""Numbers in sentences: "{name}" in a template stands for a slider's value or for a table's numbers at the sliders' positions.

`words.js` does the same in the browser, so that a picture's text follows the hand; tests compare the two.
"""

import re
from decimal import ROUND_HALF_UP, Context, Decimal

import torch

LARGE = 1e6
CERTAIN = 5
"""Places of a float32 that are the same however its sum was added up; the places after them are rounding noise."""


def number(value, digits):
    """0.3 -> "0.30", with a true minus sign and without a negative zero. Halves are rounded away from zero.

    Rounded first to the places that are certain: 1.265 is "1.27", also where it was added up to 1.2649999.
    """
    if value != value:
        return "nan"
    if value in (float("inf"), float("-inf")):
        return "∞" if value > 0 else "−∞"
    if abs(value) >= LARGE:
        first, power = f"{Context(2, ROUND_HALF_UP).create_decimal(value):.1e}".split("e")
        return f"{first}e{int(power):+d}".replace("-", "−")
    rounded = _rounded(_rounded(Decimal(value), max(digits, CERTAIN)), digits)
    return f"{abs(rounded) if rounded == 0 else rounded}".replace("-", "−")


def _rounded(value, places):
    return value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def numbers(values, digits):
    """Nested lists as text: [0.05, 0.10]."""
    if isinstance(values, list):
        return "[" + ", ".join(numbers(value, digits) for value in values) + "]"
    return number(values, digits)


def pick(table, keep, at):
    """The numbers of a table along the axes in `keep`, in that order; every other axis stands at its position in `at`.

    As float32, which is what the browser gets.
    """
    values = torch.as_tensor(table.values)
    for axis in reversed(range(len(table.axes))):
        if table.axes[axis] not in keep:
            values = values.select(axis, at[table.axes[axis]])
    left = [axis for axis in table.axes if axis in keep]
    return values.permute([left.index(axis) for axis in keep]).to(torch.float32).tolist()


def fill(template, controls, tables, at):
    """The template with its names replaced. "{#step}" is a slider's position, counted from 0: the index in code; "{x:shape}" reads (2, 3, 4)."""
    named = {control.name: control for control in controls}

    def replacement(match):
        name = match[1]
        if name.startswith("#"):
            return str(at[name[1:]])
        if name in named:
            return named[name].text(at[name])
        table = tables[name]
        found = pick(table, [axis for axis in table.axes if axis not in at], at)
        if match[2]:
            return f"({', '.join(number(size, 0) for size in found)})"
        return table.names[int(found)] if table.names else numbers(found, table.digits)

    return re.sub(r"\{(#?\w+)(:shape)?\}", replacement, template)
