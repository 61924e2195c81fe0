"""A verdict in words, with your numbers and the target's side by side."""

import textwrap

WIDTH = 76
LINES = 5
FEW = 2
"""Digits after the point of the numbers of a case that is not to be seen."""


def text(verdict, unseen=False):
    """The whole report of a Verdict as plain text; the outcome is its first word.

    unseen: of hidden cases, whose numbers are rounded and of which nothing is shown that the function printed.
    """
    printed = [] if unseen else _printed(verdict)
    head = f"{_outcome(verdict)}  {verdict.exercise}"
    if verdict.passed:
        tried = "; ".join(case.title for case in verdict.cases)
        remark = ["", _fold(f"Remark: {verdict.remark}.", "  ")] if verdict.remark else []
        return "\n".join([f"{head}: all {len(verdict.cases)} cases", _fold(f"Tried: {tried}.", "  "), *remark, *printed])
    finding = verdict.finding
    lines = [head + (f": {finding.case}" if finding.case else "")]
    lines += ["", *(_fold(part, "  ") for part in finding.what.split("\n\n"))]
    if finding.yours is not None or finding.target is not None:
        lines += ["", side_by_side(finding.yours, finding.target, FEW if unseen else None)]
        lines += ["", f"  This case was not seen before: its numbers are rounded to {FEW} digits."] if unseen else []
    if finding.cause:
        lines += ["", _fold(f"Likely cause: {finding.cause}.", "  ")]
    if finding.outcome != "not attempted yet" or finding.case:
        lines += ["", f'  Stuck? hint("{verdict.exercise}") gives a nudge; call it again for more.']
    return "\n".join(lines + printed)


def side_by_side(yours, target, digits=None):
    """Two tensors as two columns of text, with their shapes; where they have three axes, the first slice that differs."""
    place, yours, target = _differing_slice(yours, target)
    digits = digits or _digits(yours, target)
    left, right = _column(f"yours{place}", yours, digits), _column(f"target{place}", target, digits)
    height, width = max(len(left), len(right)), max(map(len, left)) + 4
    left += [""] * (height - len(left))
    right += [""] * (height - len(right))
    return "\n".join(f"  {a:<{width}}{b}".rstrip() for a, b in zip(left, right))


def _outcome(verdict):
    if verdict.passed:
        return "PASSED"
    return {"wrong": "WRONG", "raised": "RAISED", "not attempted yet": "not attempted yet"}[verdict.finding.outcome]


def _differing_slice(yours, target):
    both = yours is not None and target is not None and yours.shape == target.shape
    place = ""
    while both and yours.dim() > 2:
        gap = (yours - target).abs().flatten(1).sum(1).nan_to_num(nan=1e30)
        first = int((gap > 1e-6).to(int).argmax())
        place += f"[{first}]"
        yours, target = yours[first], target[first]
    return place, yours, target


def _digits(yours, target):
    """As many digits as it takes to see the difference."""
    if yours is None or target is None or yours.shape != target.shape or not yours.numel():
        return 3
    gap = (yours - target).abs().nan_to_num(nan=1.0).max().item()
    return 3 if gap >= 0.002 else 7


def _column(name, tensor, digits):
    if tensor is None:
        return [f"{name}: none"]
    head = f"{name}, shape {tuple(tensor.shape)}"
    if tensor.dim() == 0:
        return [head, _number(tensor, digits)]
    while tensor.dim() > 2:
        tensor = tensor[0]
        head += ", its first slice" if "slice" not in head else ""
    rows = tensor if tensor.dim() == 2 else tensor.unsqueeze(0)
    shown = [_row(row, digits) for row in rows[:LINES]]
    return [head, *shown, *(["..."] if len(rows) > LINES else [])]


def _row(row, digits):
    cells = " ".join(_number(value, digits) for value in row[:LINES])
    return f"[{cells}{' ...' if len(row) > LINES else ''}]"


def _number(value, digits):
    value, width = value.item(), digits + 3
    if value != value or value in (float("inf"), float("-inf")) or isinstance(value, int):
        return f"{value:>{width}}"
    value = round(value, digits) + 0.0  # no minus before a zero
    return f"{value:{width}.{digits}f}" if abs(value) < 1000 else f"{value:{width}.4g}"


def _printed(verdict):
    if not verdict.printed.strip():
        return []
    shown = verdict.printed.strip().splitlines()[:LINES]
    return ["", "  Your function printed (first case):", *("    " + textwrap.shorten(line, WIDTH, placeholder=" …") for line in shown)]


def _fold(paragraph, indent):
    quoted = indent + "    " if paragraph.startswith("    ") else indent
    return textwrap.fill(paragraph.strip(), WIDTH, initial_indent=quoted, subsequent_indent=quoted)
