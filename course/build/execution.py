"""Running a lesson: its executed twin is made of its source and of nothing else."""

import os

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

from course.grading.plugins.changed import digest

from .sources import BuildError

SECONDS_A_CELL = 120
WIDGET = "application/vnd.jupyter.widget-view+json"


def executed(lesson, root, folder=None, **environment):
    """The text of the executed twin. The same source gives the same text but for its drawings, on every machine.

    root: where its kernel finds the course; folder: where it runs, if not beside its source;
    environment: variables for its kernel, beside those that all kernels of the build have.
    """
    notebook = lesson.notebook
    client = NotebookClient(
        notebook,
        timeout=SECONDS_A_CELL,
        kernel_name="python3",
        record_timing=False,
        coalesce_streams=True,
        extra_arguments=["--log-level=ERROR"],
        resources={"metadata": {"path": str(folder or lesson.source.parent)}},
    )
    try:
        client.execute(env={**_kernel_environment(root), **environment})
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        raise BuildError(_what_failed(lesson, error)) from None
    _clean(notebook)
    notebook.metadata.hidden_state["built"] = digest(notebook.cells)
    return nbformat.writes(notebook) + "\n"


def _kernel_environment(root):
    path = os.pathsep.join(filter(None, [str(root), os.environ.get("PYTHONPATH")]))
    return {**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1", "HIDDEN_STATE_PROGRESS": "off"}


def _what_failed(lesson, error):
    failed = next((cell for cell in reversed(lesson.notebook.cells) if cell.get("execution_count")), None)
    where = f"the cell {failed.id}:\n\n{failed.source}" if failed else "its kernel"
    reason = f"{error.ename}: {error.evalue}" if isinstance(error, CellExecutionError) else f"{type(error).__name__}: {error}"
    return f"{lesson.source} does not run. It stopped at {where}\n\n{reason}"


def _clean(notebook):
    """Take out what differs from run to run: times, versions, the state of widgets."""
    notebook.metadata.pop("widgets", None)
    notebook.metadata.get("language_info", {}).pop("version", None)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(WIDGET, None)
