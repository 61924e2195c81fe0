"""`python -m course.laws package.module:Model` prints what the laws say of a module; it ends with 1 where one is broken or could not be asked."""

import argparse
import importlib
import sys

from .adapters import On
from .laws import check_all


def main(arguments=None):
    """The verdicts of the module that the command line names, one under the other. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m course.laws", description="Ask a module the eight laws of hidden state.")
    parser.add_argument("subject", metavar="package.module:Model", help="a module, a class or function that makes one without arguments, or what laws.on made")
    parser.add_argument("--input-size", type=int, help="how many features x has, where nothing in the module says it")
    parser.add_argument("--batch-first", action="store_true", default=None, help="ask for a module that takes (B, T, F) and says so")
    asked = parser.parse_args(arguments)
    verdicts = check_all(_found(asked.subject, parser), input_size=asked.input_size, batch_first=asked.batch_first)
    print(*verdicts, sep="\n")
    return 0 if all(verdicts) else 1


def _found(subject, parser):
    """What `package.module:name` stands for; a class, or a function without arguments, is called."""
    place, _, name = subject.partition(":")
    if not name:
        parser.error(f"{subject} names no module: write package.module:Model, with a colon before the class")
    try:
        found = importlib.import_module(place)
        for part in name.split("."):
            found = getattr(found, part)
    except ModuleNotFoundError as error:
        parser.error(f"{error}: call it from the folder in which {place} lies")
    except AttributeError as error:
        parser.error(str(error))
    return _made(found, subject, parser)


def _made(found, subject, parser):
    if isinstance(found, On) or not (isinstance(found, type) or hasattr(found, "__code__")):
        return found
    try:
        return found()
    except TypeError as error:
        parser.error(f"{subject} cannot be made without arguments ({error}): name a function that makes one")


if __name__ == "__main__":
    sys.exit(main())
