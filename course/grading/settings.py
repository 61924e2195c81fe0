"""nbgrader_config.py, read and tried before anybody is graded: what it names must be there, and what is wrong is said once."""

import os
import re
import traceback

from nbconvert.exporters import NotebookExporter
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import AssignLatePenalties
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError
from traitlets import TraitError
from traitlets.config import ConfigFileNotFound
from traitlets.utils.importstring import import_item

from .intake.reader import nbgraders_settings
from .intake.unit import GradeError
from .seed import ROOT_MARK

NAMES = re.compile(r"(preprocessors|plugin_class|_hook)$")
"""The settings that name something to be imported."""
DOTTED = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")


def read():
    """nbgrader's settings as a command of its own would have them here. Raises GradeError where they, or what they name, cannot be used."""
    config = _loaded()
    for setting, name in _named(config):
        try:
            import_item(name)
        except (Exception, SystemExit) as error:
            raise GradeError(f"{ROOT_MARK} names {name} for {setting}, which cannot be imported: {_cause(error)}.{_remedy(name, error)}") from None
    _try(config)
    _look_at_address(CourseDirectory(config=config).db_url)
    return config


def course_directory():
    """nbgrader's CourseDirectory by these settings, for who grades nothing. Raises GradeError where they cannot be read."""
    course = CourseDirectory(config=_loaded())
    _look_at_address(course.db_url)
    return course


def _loaded():
    try:
        return nbgraders_settings()
    except (Exception, SystemExit) as error:  # it is a program, and may do anything
        raise GradeError(f"{ROOT_MARK} cannot be read: {_cause(error)}. Mend it, and run this again") from None


def _named(config):
    """(setting, dotted name) of all that is to be imported by its name."""
    for section, settings in config.items():
        for key, value in settings.items() if isinstance(settings, dict) else ():
            if NAMES.search(key):
                for name in value if isinstance(value, (list, tuple)) else [value]:
                    if isinstance(name, str) and DOTTED.fullmatch(name):
                        yield f"{section}.{key}", name


def _try(config):
    """Make each part that grading will need, as nbgrader does it for each student."""
    steps = [*config.Autograde.get("sanitize_preprocessors", []), *config.Autograde.get("autograde_preprocessors", [])]
    exporter = NotebookExporter(config=config)
    for step in steps:
        try:
            exporter.register_preprocessor(step, enabled=True)
        except Exception as error:
            raise GradeError(f"{ROOT_MARK} names {step} as a step of grading, which cannot be used: {_cause(error)}") from None
    try:
        late = AssignLatePenalties(config=config)
        late.plugin_class(parent=late)
    except Exception as error:
        raise GradeError(f"{ROOT_MARK} names a plug-in for late work that cannot be used: {_cause(error)}") from None


def _look_at_address(db_url):
    """Is this the address of a gradebook, and is there what opens it? Nothing is opened yet. It may hold a password, so it is not shown."""
    try:
        make_url(db_url).get_dialect().import_dbapi()
    except ArgumentError:
        raise GradeError(
            "the address of the gradebook (HIDDEN_STATE_GRADEBOOK, or CourseDirectory.db_url) cannot be read. "
            "It looks like sqlite:////folder/gradebook.db or postgresql+psycopg://name@server/database"
        ) from None
    except ImportError as error:
        raise GradeError(f"the gradebook is on a server, and {error.name} is not installed, which opens it: pip install 'psycopg[binary]'") from None


def _cause(error):
    """What was raised, and in which line of a file of the instructor's."""
    words = f"{error}" if isinstance(error, (TraitError, ConfigFileNotFound)) else f"{type(error).__name__}: {error}"
    if isinstance(error, SyntaxError):
        return words
    root = os.getcwd() + os.sep
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if os.path.abspath(frame.filename).startswith(root)]
    own = [frame for frame in frames if f"{os.sep}site-packages{os.sep}" not in frame.filename and f"{os.sep}course{os.sep}" not in frame.filename]
    return f"{words} ({os.path.relpath(own[-1].filename)}, line {own[-1].lineno})" if own else words


def _remedy(name, error):
    package = name.split(".")[0]
    if isinstance(error, ModuleNotFoundError) and error.name == package:
        return f" Put {package}.py beside {ROOT_MARK}, or install it"
    if isinstance(error, ModuleNotFoundError):
        return f" Install {error.name}, or take out the line that imports it"
    return " Mend it, and run this again"
