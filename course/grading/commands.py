"""How each of the `course` commands is added to the command line."""

import argparse


def add_command(commands, name, run, summary, description, examples):
    """Add a command to argparse's others, and return its parser for the arguments.

    run(options) -> the exit code; summary: its line in `course --help`; description, examples: its own help, as they are written.
    """
    parser = commands.add_parser(name, help=summary, description=description, epilog=examples, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.set_defaults(run=run)
    return parser
