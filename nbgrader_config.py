"""nbgrader's settings for this course: solutions/ -> notebooks/ -> submitted/ -> autograded/ -> feedback/.

They hold for the nbgrader commands, for Formgrader's buttons and for `make notebooks` alike.
"""

import os
import shutil
import sys

c = get_config()  # noqa: F821, given by traitlets

ROOT = os.path.dirname(os.path.abspath(__file__))
if ROOT not in sys.path:  # for a plug-in beside this file; last, so that it hides nothing, and the course's own where it is not installed
    sys.path.append(ROOT)
if shutil.which("alembic") is None:  # nbgrader starts it by name, also where its .venv is not activated
    os.environ["PATH"] = os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", os.defpath)])
OURS = "course.grading.plugins"

# Under this name the exchange and the gradebook know the course; on a JupyterHub each course has one of its own.
c.CourseDirectory.course_id = os.environ.get("HIDDEN_STATE_COURSE_ID") or "hidden-state"
if os.environ.get("HIDDEN_STATE_EXCHANGE") == "ngshare":  # a service of the hub, where accounts share no folder; see docs/jupyterhub.md
    from ngshare_exchange import configureExchange

    configureExchange(c)
elif os.environ.get("HIDDEN_STATE_EXCHANGE"):  # the folder that all accounts share; nbgrader's own is /usr/local/share/nbgrader/exchange
    c.Exchange.root = os.environ["HIDDEN_STATE_EXCHANGE"]
if os.environ.get("HIDDEN_STATE_GRADEBOOK"):  # as postgresql+psycopg://grader@server/hidden_state; where it is not said, the file gradebook.db
    c.CourseDirectory.db_url = os.environ["HIDDEN_STATE_GRADEBOOK"]
c.CourseDirectory.root = ROOT
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "notebooks"
# nbgrader copies every file that is not ignored: the lessons' Markdown twins and the answer keys stay here.
c.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc", "__pycache__", "feedback", "*.md", "*.yml"]

# Release: nbgrader's own chain, then ours.
c.ClearSolutions.code_stub = {"python": "# your answer here"}
c.GenerateAssignment.preprocessors = [
    f"nbgrader.preprocessors.{name}"
    for name in (
        "IncludeHeaderFooter",
        "InstantiateTests",
        "LockCells",
        "ClearSolutions",
        "ClearOutput",
        "CheckCellMetadata",
        "ComputeChecksums",
        "SaveCells",
        "ClearHiddenTests",
        "ClearMarkScheme",
        "ComputeChecksums",
        "CheckCellMetadata",
    )
] + [f"{OURS}.FinishRelease"]

# Grading: TidySubmission in place of DeduplicateIds, RestoreCells in place of OverwriteCells.
c.Autograde.sanitize_preprocessors = [
    f"{OURS}.TidySubmission",
    "nbgrader.preprocessors.ClearOutput",
    "nbgrader.preprocessors.OverwriteKernelspec",
    f"{OURS}.RestoreCells",
    f"{OURS}.CleanNotebook",
    "nbgrader.preprocessors.CheckCellMetadata",
]
# nbgrader's own chain, and what the cells wrote is cleaned before it is kept.
c.Autograde.autograde_preprocessors = [
    "nbgrader.preprocessors.Execute",
    "nbgrader.preprocessors.IgnorePattern",
    "nbconvert.preprocessors.ClearMetadataPreprocessor",
    "nbgrader.preprocessors.LimitOutput",
    "nbgrader.preprocessors.SaveAutoGrades",
    "nbgrader.preprocessors.AssignLatePenalties",
    f"{OURS}.CleanNotebook",
    "nbgrader.preprocessors.CheckCellMetadata",
]
c.OverwriteCells.add_missing_cells = True
c.Execute.timeout = 60
c.Execute.interrupt_on_timeout = True
c.Execute.extra_arguments = ["--log-level=ERROR"]  # or each kernel warns of its own transport
# nbgrader gives zero to a graded cell with anything on stderr, a warning from deep inside a library included.
# Our checks fail by raising, and by nothing else, so what stands on stderr is dropped before the grade is taken.
c.IgnorePattern.enabled = True
c.IgnorePattern.pattern = r"[\s\S]"

# Feedback: what was wrong, without the code of the hidden tests.
c.GenerateFeedback.preprocessors = [
    "nbgrader.preprocessors.GetGrades",
    f"{OURS}.HideTests",
    "nbconvert.preprocessors.CSSHTMLHeaderPreprocessor",
    f"{OURS}.CleanPage",
]
# Every page of a notebook, Formgrader's too: a student's markup has no rights in it, by whatever way it came into autograded/.
c.HTMLExporter.preprocessors = [f"{OURS}.CleanPage"]
c.HTMLExporter.filters = {"markdown2html": f"{OURS}.markdown2html"}
