"""The command line that all benchmarks share: measure, print the report, and write every number that was measured if asked."""

import argparse
import json
import sys
from pathlib import Path


def run(description, arguments, measure, text):
    """Parse the options, measure, report.

    arguments: {option: what argparse is told of it}; measure(options) -> plain data; text(measured) -> the report.
    """
    parser = argparse.ArgumentParser(description=description)
    for name, about in arguments.items():
        parser.add_argument(f"--{name}", **about)
    parser.add_argument("--json", metavar="FILE", help="write every number that was measured to this file")
    options = parser.parse_args()
    measured = measure(options)
    print(text(measured))
    if options.json:
        Path(options.json).write_text(json.dumps(measured, indent=1), encoding="utf-8")


def say(step):
    """Tell on stderr what is measured now."""
    print(f"measuring {step} ...", file=sys.stderr, flush=True)
