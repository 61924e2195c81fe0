"""The command line of the build."""

import argparse
import sys

from . import __doc__ as what_is_made
from . import rebuild
from .bundle import make_bundle
from .drift import drift
from .sources import ROOT, BuildError


def main(arguments=None):
    """Run the command line. Returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        return options.run(options) or 0
    except BuildError as error:
        print(f"\nThe build stopped.\n\n{error}", file=sys.stderr)
        return 1


def _check():
    stale = drift(ROOT)
    for file in stale:
        print(f"{file} does not fit its source")
    if not stale:
        print("All generated files fit their sources. Whether their outputs do, `make test` says.")
        return 0
    print("\nRun `make notebooks`, and commit what it writes together with the sources.", file=sys.stderr)
    return 1


def _parser():
    parser = argparse.ArgumentParser(
        prog="python -m course.build",
        description=what_is_made,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Lessons that a learner has changed in notebooks/ are never overwritten: the build names them and goes on.",
    )
    commands = parser.add_subparsers(required=True, metavar="notebooks | check | bundle")
    notebooks = commands.add_parser("notebooks", help="run every lesson and make the students' notebooks")
    notebooks.set_defaults(run=lambda options: rebuild())
    check = commands.add_parser("check", help="name the generated files that do not fit their sources; runs no lesson")
    check.set_defaults(run=lambda options: _check())
    bundle = commands.add_parser("bundle", help="pack one unit into the zip that a student receives")
    bundle.add_argument("unit", nargs="?", default="pipeline", help="the unit to pack (default: pipeline)")
    bundle.set_defaults(run=lambda options: make_bundle(ROOT, options.unit) and None)
    return parser


if __name__ == "__main__":
    sys.exit(main())
