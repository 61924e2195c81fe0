"""The command line of the build."""

import argparse
import sys

from . import __doc__ as what_is_made
from . import rebuild
from .bundle import make_bundle
from .sources import ROOT, BuildError


def main(arguments=None):
    """Run the command line. Returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except BuildError as error:
        print(f"\nThe build stopped.\n\n{error}", file=sys.stderr)
        return 1
    return 0


def _parser():
    parser = argparse.ArgumentParser(
        prog="python -m course.build",
        description=what_is_made,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Lessons that a learner has changed in notebooks/ are never overwritten: the build names them and goes on.",
    )
    commands = parser.add_subparsers(required=True, metavar="notebooks | bundle")
    notebooks = commands.add_parser("notebooks", help="run every lesson and make the students' notebooks")
    notebooks.set_defaults(run=lambda options: rebuild())
    bundle = commands.add_parser("bundle", help="pack one unit into the zip that a student receives")
    bundle.add_argument("unit", nargs="?", default="pipeline", help="the unit to pack (default: pipeline)")
    bundle.set_defaults(run=lambda options: make_bundle(ROOT, options.unit))
    return parser


if __name__ == "__main__":
    sys.exit(main())
