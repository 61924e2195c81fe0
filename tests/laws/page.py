"""The tables of docs/laws.md, made from what the laws say: `python tests/laws/page.py` writes them, a test compares."""

import sys
import warnings
from pathlib import Path

import torch
from laws import zoo

from course import laws

PAGE = Path(__file__).parents[2] / "docs" / "laws.md"
SIGNS = {True: "holds", False: "**BROKEN**", None: "–"}


def said(kind, seed=0):
    """[True, False or None] for each law, of one such module."""
    torch.manual_seed(seed)
    zoo.KEPT.clear()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        verdicts = laws.check_all(kind.make())
    return [verdict.holds for verdict in verdicts] if len(verdicts) == len(laws.ALL) else [verdicts[0].holds] * len(laws.ALL)


def table(kinds):
    head = "| module | " + " | ".join(name.removesuffix(" law") for name in zoo.NAMES) + " |"
    lines = [f"| {name} | " + " | ".join(SIGNS[holds] for holds in said(kind)) + " |" for name, kind in kinds.items()]
    return "\n".join([head, "|---" * (len(laws.ALL) + 1) + "|", *lines])


def written(text):
    """The page with its tables made anew."""
    for name, kinds in (("right", zoo.RIGHT), ("broken", zoo.BROKEN)):
        before, rest = text.split(f"<!-- {name} -->\n")
        after = rest.split(f"<!-- /{name} -->")[1]
        text = f"{before}<!-- {name} -->\n{table(kinds)}\n<!-- /{name} -->{after}"
    return text


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    sys.exit(0)
