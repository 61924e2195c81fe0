"""Releasing a unit, by nbgrader itself."""

import logging

from nbgrader.converters import GenerateAssignment, NbGraderException
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config, PyFileConfigLoader

from .sources import BuildError


def make_release(root, unit, say=print, settings=None):
    """solutions/<unit> -> notebooks/<unit> by nbgrader, as `nbgrader generate_assignment <unit> --force --no-db` does it.

    root: the folder with solutions/ and notebooks/; settings: the one with nbgrader_config.py, if it is another.
    """
    config = _nbgrader_config(settings or root)
    config.CourseDirectory.root = str(root)
    config.SaveCells.enabled = False
    config.GenerateAssignment.no_database = True
    config.GenerateAssignment.force = True
    config.CourseDirectory.assignment_id = unit
    log = _Log(say)
    try:
        GenerateAssignment(coursedir=CourseDirectory(config=config, log=log), config=config, log=log).start()
    except NbGraderException as error:
        raise BuildError(f"nbgrader could not release {unit}: {error}") from None


def _nbgrader_config(root):
    config = PyFileConfigLoader("nbgrader_config.py", path=str(root)).load_config()
    return Config(config)


class _Log(logging.Logger):
    """nbgrader's log, of which we pass on what a reader can use: kept lessons and errors."""

    def __init__(self, say):
        super().__init__("nbgrader", logging.WARNING)
        self.say = say

    def handle(self, record):
        text = record.getMessage()
        if not text.startswith("Removing existing"):
            self.say(text)
