"""Notebooks as tools save them: each function takes a released notebook's JSON and returns what the tool's file holds.

Each says what is known of the tool's files. What is common to all (the answers, the order of the cells) stays as it is.
"""

import copy

WIDGETS = "application/vnd.jupyter.widget-state+json"
TOOLS = {}


def tool(change):
    def saved(notebook):
        return change(copy.deepcopy(notebook))

    TOOLS[change.__name__] = saved
    return saved


def _without_ids(notebook, minor):
    notebook["nbformat_minor"] = minor
    for cell in notebook["cells"]:
        cell.pop("id", None)


def _lines(notebook):
    for cell in notebook["cells"]:
        cell["source"] = "".join(cell["source"]).splitlines(keepends=True)


@tool
def colab(notebook):
    """nbformat_minor 0; the cells' names stand in metadata.id; widgets without "state" (jupyter/nbconvert#1731); a badge above; outputs with an outputId."""
    for cell in notebook["cells"]:
        cell["metadata"] = {"id": cell["id"], **cell["metadata"]}
        if cell["cell_type"] == "code":
            cell["metadata"] |= {
                "colab": {"base_uri": "https://localhost:8080/", "height": 35},
                "executionInfo": {"status": "ok", "timestamp": 1764000000000, "user_tz": -60, "elapsed": 12, "user": {"displayName": "Ada", "userId": "0"}},
                "outputId": "0a1b2c3d-0000-4000-8000-0123456789ab",
            }
    _without_ids(notebook, 0)
    badge = '<a href="https://colab.research.google.com/github/x/y" target="_parent"><img src="https://colab.research.google.com/assets/colab-badge.svg"/></a>'
    notebook["cells"].insert(0, {"cell_type": "markdown", "metadata": {"id": "view-in-github", "colab_type": "text"}, "source": [badge]})
    model = {"model_module": "@jupyter-widgets/controls", "model_name": "HBoxModel", "model_module_version": "1.5.0", "state": {"children": []}}
    notebook["metadata"] |= {
        "colab": {"provenance": [], "toc_visible": True},
        "accelerator": "GPU",
        "kernelspec": {"name": "python3", "display_name": "Python 3"},
        "language_info": {"name": "python"},
        "widgets": {WIDGETS: {"8d0e": model}},
    }
    return notebook


@tool
def vs_code(notebook):
    """`vscode` in each code cell, orig_nbformat, nbformat_minor 2; older ones wrote outputs into Markdown cells (microsoft/vscode#92878)."""
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["metadata"]["vscode"] = {"languageId": "python"}
        else:
            cell |= {"outputs": [], "execution_count": None}
    _without_ids(notebook, 2)
    notebook["metadata"] |= {"orig_nbformat": 4, "vscode": {"interpreter": {"hash": "31f2"}}, "language_info": {"name": "python", "version": "3.11.4"}}
    return notebook


@tool
def kaggle(notebook):
    """A first cell of its own, _uuid and _cell_guid in each cell, times of execution, nbformat_minor 4."""
    for cell in notebook["cells"]:
        cell["metadata"] |= {"_uuid": "8f2839f2", "_cell_guid": "b1076dfc", "trusted": True}
        if cell["cell_type"] == "code":
            cell["metadata"]["execution"] = {"iopub.status.busy": "2026-11-22T10:11:12.1Z", "shell.execute_reply": "2026-11-22T10:11:12.2Z"}
    _without_ids(notebook, 4)
    own = {"cell_type": "code", "source": "import os\nfor folder, _, files in os.walk('/kaggle/input'):\n    print(folder, files)", "metadata": {"_uuid": "1"}}
    notebook["cells"].insert(0, {**own, "execution_count": None, "outputs": []})
    notebook["metadata"]["kaggle"] = {"accelerator": "none", "dataSources": [], "dockerImageVersionId": 30919, "isInternetEnabled": True, "language": "python"}
    return notebook


@tool
def deepnote(notebook):
    """cell_id and deepnote_cell_type in each cell, its own cell at the end, nbformat_minor 0, no execution_count where a cell has not run."""
    for number, cell in enumerate(notebook["cells"]):
        cell["metadata"] |= {"cell_id": f"00{number:03}-c0ffee", "deepnote_cell_type": cell["cell_type"]}
        if cell["cell_type"] == "code":
            cell["metadata"] |= {"source_hash": "b623e53d", "execution_start": 1764000000000, "execution_millis": 3, "deepnote_to_be_reexecuted": False}
            cell.pop("execution_count", None)
    _without_ids(notebook, 0)
    link = "<a style='text-decoration:none;display:flex;' href='https://deepnote.com?utm_source=created-in-deepnote-cell' target=\"_blank\">Created in Deepnote</a>"
    about = {"created_in_deepnote_cell": True, "deepnote_cell_type": "markdown"}
    notebook["cells"].append({"cell_type": "markdown", "metadata": about, "source": link})
    notebook["metadata"] |= {"deepnote": {}, "deepnote_execution_queue": [], "deepnote_notebook_id": "1f"}
    return notebook


@tool
def cocalc(notebook):
    """Names of six hex digits, a kernel of its own, `collapsed` and `scrolled` everywhere, sources as one text."""
    for number, cell in enumerate(notebook["cells"]):
        cell["id"] = f"{number + 0xABC000:06x}"
        cell["source"] = "".join(cell["source"])
        if cell["cell_type"] == "code":
            cell["metadata"] |= {"collapsed": False, "scrolled": True, "cocalc": {"outputs": {}}}
    kernel = {"argv": ["/usr/bin/python3"], "display_name": "Python 3 (system-wide)", "env": {}, "language": "python", "name": "python3"}
    notebook["metadata"]["kernelspec"] = {**kernel, "metadata": {"cocalc": {"description": "Python 3", "priority": 100, "url": "https://www.python.org/"}}}
    return notebook


@tool
def dataspell(notebook):
    """`pycharm` in each cell, a newline before each source, a stem cell in the notebook's metadata, Python 2's language_info, nbformat_minor 0."""
    for cell in notebook["cells"]:
        code = cell["cell_type"] == "code"
        cell["metadata"] |= {"collapsed": False, "pycharm": {"name": "#%%\n" if code else "#%% md\n", "is_executing": False}}
        cell["source"] = ["\n", *"".join(cell["source"]).splitlines(keepends=True)]
    _without_ids(notebook, 0)
    notebook["metadata"] |= {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python", "version": "2.7.6", "codemirror_mode": {"name": "ipython", "version": 2}},
        "pycharm": {"stem_cell": {"cell_type": "raw", "source": [], "metadata": {"collapsed": False}}},
    }
    return notebook


@tool
def marimo(notebook):
    """A new notebook with new names and marimo's import: nothing is left of the cells' metadata but marimo's own, nothing of the notebook's."""
    for number, cell in enumerate(notebook["cells"]):
        cell["id"] = f"c{number:03}"
        cell["metadata"] = (
            {"marimo": {"config": {"hide_code": True}}} if cell["cell_type"] == "code" else {"marimo": {"config": {"hide_code": True}, "name": "_"}}
        )
        cell["source"] = "".join(cell["source"]).strip()
    own = {"cell_type": "code", "id": "Hbol", "metadata": {}, "source": "import marimo as mo", "outputs": [], "execution_count": None}
    notebook["cells"].append(own)
    notebook["metadata"] = {}
    return notebook


@tool
def jupyterlab_3(notebook):
    """nbformat_minor 5, empty widgets, its table of contents, `tags` and `jupyter` in the cells."""
    for cell in notebook["cells"]:
        cell["metadata"] |= {"tags": [], "jupyter": {"source_hidden": False}} if cell["cell_type"] == "code" else {"tags": []}
    _lines(notebook)
    notebook["metadata"] |= {"toc-autonumbering": False, "widgets": {WIDGETS: {"state": {}, "version_major": 2, "version_minor": 0}}}
    return notebook


@tool
def nbformat_3(notebook):
    """Worksheets; `input` and `prompt_number`; headings are cells of their own kind."""
    for cell in notebook["cells"]:
        cell.pop("id", None)
        if cell["cell_type"] == "code":
            cell |= {"input": cell.pop("source"), "prompt_number": cell.pop("execution_count"), "language": "python", "collapsed": False}
    return {"nbformat": 3, "nbformat_minor": 0, "metadata": {**notebook["metadata"], "name": ""}, "worksheets": [{"cells": notebook["cells"], "metadata": {}}]}


@tool
def a_script_without_the_rest(notebook):
    """What small converters write: cells with a type and a source."""
    cells = [
        {"cell_type": cell["cell_type"], "source": cell["source"], "metadata": {"nbgrader": cell["metadata"].get("nbgrader", {})}} for cell in notebook["cells"]
    ]
    for cell in cells:
        if not cell["metadata"]["nbgrader"]:
            del cell["metadata"]
    return {"cells": cells, "nbformat": "4"}
